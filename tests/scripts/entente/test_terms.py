# SPDX-License-Identifier: Apache-2.0
"""Agreements, terms and declared books: what holds today, what tiers come to, what is not known."""

import pytest
from entente import Day, NotEnoughEvidence, count, money
from entente.fixture import FixturePartner, World
from entente.quantity import Quantity


@pytest.fixture()
def world() -> World:
    world = World(as_of="2026-06-30")
    world.partner("a").note(
        "agreements", id="1", name="Frame", starts="2026-01-01", promises="revenue.net=1000; orders=90"
    )
    return world


def rate(world: World, value: float | None, **more: object) -> FixturePartner:
    fields: dict[str, object] = {
        "agreement": "1",
        "title": "Commission",
        "kind": "commission.rate",
        "unit": "%",
        **more,
    }
    return world.partners["a"].note("terms", value=value, **fields)


def test_the_term_of_somebody_else_that_of_everybody(world: World) -> None:
    rate(world, 5)
    rate(world, 7, agent="mila")
    rates = world.see("a").terms("commission.rate")
    assert str(rates.of(agent="mila")) == "7.00%" and str(rates.of(agent="jo")) == "5.00%"
    assert (
        str(rates.of()) == "5.00%" and str(money(200, world.see("a")) * rates.of(agent="mila")) == "14.00 EUR"
    )


def test_the_youngest_holds_and_only_on_its_days(world: World) -> None:
    rate(world, 5)
    rate(world, 6, from_="2026-03-01")
    rate(world, 8, from_="2026-07-01")  # not yet
    rate(world, 9, from_="2026-04-01", until="2026-05-31")  # no more
    rate(world, 10, from_="2026-05-01", state="withdrawn")
    assert str(world.see("a").terms("commission.rate").of()) == "6.00%"
    world.as_of = world.partners["a"].as_of = Day(2026, 5, 15).number
    assert str(world.see("a").terms("commission.rate").of()) == "9.00%"


def test_what_is_not_in_force_is_not_known(world: World) -> None:
    with pytest.raises(NotEnoughEvidence, match="the register terms is not kept"):
        world.see("a").terms("commission.rate")
    rate(world, 7, agent="mila")
    with pytest.raises(NotEnoughEvidence, match="no term check_in.every is in force"):
        world.see("a").terms("check_in.every")
    with pytest.raises(NotEnoughEvidence, match="no term commission.rate is in force for agent jo"):
        world.see("a").terms("commission.rate").of(agent="jo")
    rate(world, 9, agent="jo", agreement="2")
    with pytest.raises(NotEnoughEvidence, match="of an agreement that is not there, 2"):
        world.see("a").terms("commission.rate")
    world.partners["a"].note("agreements", id="2", name="Old", starts="2025-01-01", ends="2025-12-31")
    with pytest.raises(NotEnoughEvidence, match="for agent jo"):
        world.see("a").terms("commission.rate").of(agent="jo")


def test_two_that_say_different_things(world: World) -> None:
    rate(world, 5)
    rate(world, 5)
    assert str(world.see("a").terms("commission.rate").of()) == "5.00%"
    rate(world, 6)
    with pytest.raises(NotEnoughEvidence, match="3 terms commission.rate say different things"):
        world.see("a").terms("commission.rate").of()


@pytest.mark.parametrize(("value", "unit", "days"), [(14, "days", 14), (2, "weeks", 14), (1, "months", 30)])
def test_spans_of_time(world: World, value: int, unit: str, days: int) -> None:
    world.partners["a"].note("terms", title="Check-in", kind="check_in.every", value=value, unit=unit)
    assert world.see("a").terms("check_in.every").days == days
    rate(world, 5)
    with pytest.raises(TypeError, match="no span of time"):
        _ = world.see("a").terms("commission.rate").days


TIERS = "0=5; 10000=7; 20000=10"


@pytest.mark.parametrize(
    ("reading", "sold", "paid"),
    [
        ("marginal", 5_000, 250),
        ("marginal", 10_000, 500),
        ("marginal", 15_000, 500 + 350),
        ("marginal", 25_000, 500 + 700 + 500),
        (None, 25_000, 1_700),
        ("retroactive", 9_999, 499.95),
        ("retroactive", 10_000, 700),
        ("retroactive", 25_000, 2_500),
        ("marginal", -1_000, -50),  # taken back
        ("retroactive", -1_000, -50),
        ("marginal", 0, 0),
    ],
)
def test_tiers_are_marginal_or_retroactive(world: World, reading: str, sold: int, paid: float) -> None:
    rate(world, None, tiers=TIERS, reading=reading)
    partner = world.see("a")
    rates = partner.terms("commission.rate")
    assert rates.amount(money(sold, partner)) == money(paid, partner)
    with pytest.raises(TypeError, match="is in tiers"):
        rates.of()


def test_below_the_first_tier_cap_and_sums(world: World) -> None:
    rate(world, 2, tiers="1000=10", cap=150)
    partner = world.see("a")
    paid = partner.terms("commission.rate").amount
    assert [paid(money(x, partner)).number for x in (500, 1_000, 2_000, 9_000)] == [10, 20, 120, 150]
    world.partners["a"].note("terms", title="Bonus", kind="bonus", unit="money", tiers="100=50; 200=75")
    bonus = world.see("a").terms("bonus")
    assert [bonus.amount(count(n)).number for n in (99, 100, 200, 300)] == [0, 50, 125, 125]


def test_money_of_terms_and_promises_is_converted(world: World) -> None:
    world.partners["a"].note("terms", title="Fee", kind="fee", value=100, unit="money", currency="USD")
    with pytest.raises(NotEnoughEvidence, match="nobody knows what USD was worth on 2026-06-30"):
        world.see("a").terms("fee").of()
    world.rate("USD", 0.9)
    assert str(world.see("a").terms("fee").of()) == "90.00 EUR"


def test_promises_and_terms_of_an_agreement(world: World) -> None:
    rate(world, 5, basis="revenue.net")
    rate(world, 6, agreement="9", basis="orders")
    world.partners["a"].note(
        "terms", agreement="1", title="Check-in", kind="check_in.every", value=14, unit="days"
    )
    (frame,) = world.see("a").register("agreements").active()
    promised = frame.promise("revenue.net")
    assert (
        isinstance(promised, Quantity)
        and str(promised) == "1,000 EUR"
        and str(frame.promise("orders")) == "90"
    )
    assert frame.promise("sessions") is None
    assert [t.title for t in frame.terms] == ["Commission", "Check-in"]
    assert [(t.title, t.basis) for t in frame.terms.with_basis()] == [("Commission", "revenue.net")]
    assert frame.starts - 180 == Day(2025, 7, 5)


#: As Altman wrote the model: 0.717·0.2 + 0.847·0.3 + 3.107·0.1 + 0.420·1.5 + 0.998·1.2
BOOKS = {
    "assets": 1000,
    "liabilities": 400,
    "current_assets": 500,
    "current_liabilities": 300,
    "retained_earnings": 300,
    "profit": 100,
    "revenue": 1200,
}


def test_altmans_z_of_a_private_firm(world: World) -> None:
    shop = world.partners["a"]
    shop.note("books", year=2024, **{**BOOKS, "revenue": 1}).note("books", year=2025, **BOOKS)
    books = world.see("a").declared("books")
    z = books.altman_z()
    assert round(z, 4) == round(0.717 * 0.2 + 0.847 * 0.3 + 3.107 * 0.1 + 0.420 * 1.5 + 0.998 * 1.2, 4)
    assert (
        z.zone == "grey" and f"{z:.1f}" == "2.5" and books.year == 2025 and str(books.revenue) == "1,200 EUR"
    )
    shop.note("books", year=2026, **{**BOOKS, "equity": 0, "profit": -500})
    assert world.see("a").declared("books").altman_z().zone == "distress"


def test_books_that_lack_something_say_what(world: World) -> None:
    with pytest.raises(NotEnoughEvidence, match="the register books is not kept"):
        world.see("a").declared("books")
    world.partners["a"].note("books", year=2025, **{**BOOKS, "retained_earnings": None, "assets": 0})
    with pytest.raises(
        NotEnoughEvidence, match="of 2025 is not known: retained earnings, assets are missing"
    ) as error:
        world.see("a").declared("books").altman_z()
    assert error.value.asks[0].text == "retained earnings, assets in the books of 2025"
    with pytest.raises(AttributeError, match="has no field 'ebit'"):
        _ = world.see("a").declared("books").ebit
