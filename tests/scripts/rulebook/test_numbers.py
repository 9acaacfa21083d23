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


# ---- row 14


@pytest.fixture()
def faster(book: Books) -> Rule:
    return book.rule("faster_site")


def site(world: World, *, each_second: float, visits: int = 600, seconds: tuple[float, ...] = (1.2, 2.2, 3.2, 4.5, 5.5)) -> None:
    """Of a hundred visits twenty buy at one second, and so much less for each second more; 80 EUR each."""
    shop = world.partner("a")
    dice = random.Random(8)
    timed: dict[str, list[float]] = {}
    for n in range(visits):
        load = seconds[n % len(seconds)]
        buys = dice.random() < 0.2 * (1 - each_second * (load - 1))
        day = f"2026-06-{1 + n % 28:02d}"
        shop.visit(at=day, load_time=load, purchase=buys)
        timed.setdefault(day, []).append(load)
        if buys:
            shop.order(at=day, net=80)
    shop.spread("load_time", timed)
    shop.cover("sales", "2026-03-01", "2026-06-30").cover("traffic", "2026-03-01", "2026-06-30")


def test_what_faster_pages_bring_as_it_is_believed(world: World, faster: Rule) -> None:
    world.prior("conversion_per_second", 0.03, 0.07, 0.12, audience="both")
    site(world, each_second=0.1)
    said = world.judge(faster, "a")
    (found,) = said.findings
    sold = world.see("a")["revenue.net"].over("90d").number
    assert found.kind == "opportunity" and found.worth is not None
    slow = next(r for r in said.reads if r.metric == "load_time" and "quantile" in r.slice)
    above = slow.top / 1e6 - 2
    assert found.worth.p50.number == pytest.approx(sold * 0.07 * above, rel=0.01)
    assert found.worth.p10.number == pytest.approx(sold * 0.03 * above, rel=0.01)
    assert "Half of the visits wait more than 3.2 s" in found.text
    assert any(r.metric == "prior conversion_per_second" for r in said.reads)
    assert found.refers == {"assumes": ["7.0% (3.0% to 12.0%) more buy for each second less"]}


def test_their_own_visits_say_more_than_what_was_believed(world: World, faster: Rule) -> None:
    world.prior("conversion_per_second", 0.0, 0.02, 0.3, audience="both")
    site(world, each_second=0.15, visits=6000)
    own = world.judge(faster, "a").findings[0].worth
    believed = world.judge(faster, "a", least_sessions=10_000).findings[0].worth
    assert own is not None and believed is not None
    assert own.p50 > 4 * believed.p50 and own.p90 - own.p10 < believed.p90 - believed.p10


def test_more_than_half_is_not_believed(world: World, faster: Rule) -> None:
    world.prior("conversion_per_second", 0.3, 0.9, 2, audience="both")
    site(world, each_second=0.1)
    sold = world.see("a")["revenue.net"].over("90d")
    worth = world.judge(faster, "a").findings[0].worth
    assert worth is not None and worth.p90.number == pytest.approx(0.5 * sold.number, rel=0.01)


def test_fast_pages_and_pages_that_nobody_timed(world: World, faster: Rule) -> None:
    world.prior("conversion_per_second", 0.03, 0.07, 0.12, audience="both")
    site(world, each_second=0.1, seconds=(0.8, 1.2, 1.7))
    assert world.judge(faster, "a").verdict is False
    other = World(as_of="2026-06-30")
    other.partner("a").days("sessions", 100)
    assert other.judge(faster, "a").verdict == "unknown"


def test_where_nobody_said_what_a_second_is_worth(world: World, faster: Rule) -> None:
    site(world, each_second=0.1)
    said = world.judge(faster, "a")
    assert said.verdict == "unknown" and "priors: in entente.yaml" in said.asks[0].text


# ---- row 36


@pytest.fixture()
def health(book: Books) -> Rule:
    return book.rule("financial_health")


BOOKS = {
    "year": 2025,
    "assets": 1000,
    "liabilities": 400,
    "current_assets": 500,
    "current_liabilities": 300,
    "retained_earnings": 250,
    "profit": 120,
    "revenue": 1800,
}


def firm(world: World, name: str = "a", *, falls: float = 0.0, refunds: float = 0.02, customers: int = 40) -> FixturePartner:
    """Orders of many customers over a year, and four peers like it."""
    dice = random.Random(name)
    shop = world.partner(name, industry="tea")
    for n in range(800):
        day = (world.today + -(n * 440 // 800)).isoformat()
        net = 100 * (1 + falls * n / 800) * dice.uniform(0.9, 1.1)
        shop.order(at=day, net=net * (1 - refunds), returns=net * refunds, customer=f"c{dice.randrange(customers)}")
    shop.spread("days_to_paid", {(world.today + -n).isoformat(): [10, 20, 30] for n in range(300)})
    shop.cover("sales", (world.today + -460).isoformat(), world.today.isoformat())
    shop.note("books", id="1", **BOOKS)
    return shop


@pytest.fixture()
def peers(world: World) -> World:
    for name in ("b", "c", "d", "e", "f"):
        firm(world, name)
    return world


def test_a_healthy_firm(peers: World, health: Rule) -> None:
    firm(peers)
    said = peers.judge(health, "a", swings=1.0)
    (found,) = said.findings
    assert (found.kind, found.text, found.confidence) == ("insight", "Financial health A from 6 of 6 signs", 1.0), said.missed


def test_a_sick_one(peers: World, health: Rule) -> None:
    shop = firm(peers, falls=1.5, refunds=0.2, customers=2)
    shop.registers["books"][0].update(profit=-300, retained_earnings=-400, revenue=900)
    (found,) = peers.judge(health, "a").findings
    assert found.kind == "red_flag" and found.text.startswith("Financial health E from 6 of 6 signs: revenue falls by ")
    for sign in ("few customers carry it (HHI 0.5", "20% of the goods are returned", "Altman's Z' is "):
        assert sign in found.text
    assert "one in ten pays after" not in found.text
    assert "one in ten pays after 30 days" in peers.judge(health, "a", worst_days=20).findings[0].text


def test_what_is_not_known_counts_neither_way(world: World, health: Rule) -> None:
    shop = firm(world)  # alone in its industry, and without books
    shop.registers.pop("books")
    said = world.judge(health, "a")
    (found,) = said.findings
    assert found.text == "Financial health A from 4 of 6 signs" and found.confidence == 4 / 6
    assert {why.split(":")[0] for why in said.missed} == {"how much revenue swings", "declared books"} and said.asks


def test_a_partner_of_whom_nothing_is_known(world: World, health: Rule) -> None:
    world.partner("a", industry="tea")
    said = world.judge(health, "a")
    assert said.verdict == "unknown" and said.asks
