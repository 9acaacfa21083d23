# SPDX-License-Identifier: Apache-2.0
"""Rules that reckon with what is not known exactly: true, false and unknown."""

import random

import pytest
from entente.books import Books
from entente.fixture import FixturePartner, World
from entente.rules import Rule


@pytest.fixture()
def world() -> World:
    return World(as_of="2026-06-30")


def selling(world: World, days: int = 730, growth: float = 0.0) -> FixturePartner:
    """About ten orders a day of 100 EUR, and so many times more a year later."""
    dice = random.Random(3)
    shop = world.partner("a")
    orders = [round((1 + growth) ** (n / 365) * dice.uniform(9, 11)) for n in range(days)]
    first = (world.today + (1 - days)).isoformat()
    return shop.days("orders", orders, first=first).days("gross", [100 * n for n in orders], first=first)


# ---- row 52


@pytest.fixture()
def dates(book: Books) -> Rule:
    return book.rule("realistic_dates")


def milestone(shop: FixturePartner, value: float, due: str, metric: str = "orders", **more: str) -> None:
    shop.keeps("milestones", "2026-01-01")
    shop.note("milestones", id="7", title="The next step", metric=metric, value=value, due=due, **more)


def test_a_date_that_is_not_realistic(world: World, dates: Rule) -> None:
    shop = selling(world, growth=0.5)
    last = sum(shop.cells["orders", 0, 0, ""][day] for day in range(world.as_of - 27, world.as_of + 1))
    milestone(shop, round(last * 1.15), "2026-08-01")
    said = world.judge(dates, "a")
    (found,) = said.findings
    assert said.verdict is True and found.key == "7" and found.refers["about"] == "milestones/7"
    chance, day = found.text.removeprefix("The next step: ").split(" by 1 August 2026; ")
    assert int(chance[:-1]) < 50 and day.endswith("2026 is realistic"), found.text
    assert world.judge(dates, "a", sure=0.99).findings[0].text != found.text


def test_one_that_is(world: World, dates: Rule) -> None:
    milestone(selling(world, growth=0.5), 200, "2026-08-01")
    said = world.judge(dates, "a")
    assert said.verdict is False and any(r.slice.startswith("forecast until") for r in said.reads)


def test_money_has_its_currency(world: World, dates: Rule) -> None:
    world.rate("USD", 0.5)
    milestone(selling(world), 80_000, "2026-09-01", "revenue.net", currency="USD")
    (found,) = world.judge(dates, "a").findings
    assert (
        found.text
        == "The next step: 0% by 1 September 2026; it is not realistic before 1 September 2027 either"
    )
    world.partners["a"].registers["milestones"][0]["value"] = 50_000
    assert world.judge(dates, "a").verdict is False, "25,000 EUR have been reached"


def test_what_is_overdue_is_still_looked_for(world: World, dates: Rule) -> None:
    milestone(selling(world), 400, "2026-05-01")
    (found,) = world.judge(dates, "a").findings
    assert found.text == "The next step: 0% by 1 May 2026; it is not realistic before 30 June 2027 either"


def test_a_short_past_foretells_no_year(world: World, dates: Rule) -> None:
    milestone(selling(world, days=300), 400, "2026-08-01")
    said = world.judge(dates, "a")
    assert said.findings[0].text == "The next step: 0% by 1 August 2026; no realistic day can be foretold yet"
    assert any("carries as far as" in why for why in said.missed)


def test_unknown(world: World, dates: Rule) -> None:
    milestone(selling(world, days=100), 400, "2026-08-01")
    said = world.judge(dates, "a")
    assert said.verdict == "unknown" and "a forecast needs 26" in said.missed[0] and said.asks
    milestone(selling(world), 400, "2026-08-01", "ordres")
    assert any("did you mean 'orders'" in why for why in world.judge(dates, "a").missed)


def test_where_nobody_keeps_milestones(world: World, dates: Rule) -> None:
    selling(world)
    said = world.judge(dates, "a")
    assert said.verdict == "unknown" and "milestones" in said.asks[0].text
    world.partners["a"].keeps("milestones", "2026-01-01")
    assert world.judge(dates, "a").verdict is False
