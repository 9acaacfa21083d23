# SPDX-License-Identifier: Apache-2.0
"""Each shipped rule on planted cases: true, false and unknown, and nothing said of partners that are as
they should be."""

import random
from collections.abc import Callable

import pytest
from entente.books import Books
from entente.day import Day, day_number, iso
from entente.fixture import FixturePartner, World
from entente.judge import Outcome, judge
from entente.partner import Partner
from entente.view import View

AS_OF = "2026-06-30"
TODAY = day_number(AS_OF)


def usual(world: World, name: str, seed: int = 0, level: float = 1.0) -> FixturePartner:
    """A partner without any trouble, with the noise of a real shop: four orders a day, a hundred visits."""
    draw = random.Random(f"{seed} {name}")

    def noisy(mean: float) -> Callable[[int], int]:
        return lambda left: sum(draw.random() < mean / 50 for _ in range(50))

    orders = [noisy(4 * level)(0) for _ in range(400)]
    analytics = [n - sum(draw.random() < 0.08 for _ in range(n)) for n in orders]
    made = world.partner(name, industry="furniture", region="DE", stage="consulting")
    made.days("orders", orders).days("gross", [120.0 * n * draw.uniform(0.85, 1.15) for n in orders])
    made.days("orders", analytics, origin="analytics").days(
        "gross", [118.0 * n for n in analytics], origin="analytics"
    )
    made.days("sessions", [round(100 * level + draw.gauss(0, 10)) for _ in orders]).days("visitors", 70)
    made.spread("load_time", {iso(TODAY - n): [1.1, 1.3, 1.6] for n in range(90)})
    made.days("purchases", analytics).days("sessions_unidentified", 12)
    made.days("carts_left", noisy(8 * level)).days("carts_left_value", 900 * level)
    for week in range(56):
        day = TODAY - 3 - 7 * week
        made.note(
            "contacts",
            at=f"{iso(day)}T09:00:00Z",
            kind="mail",
            answered_at=f"{iso(day)}T{9 + draw.randrange(3, 9)}:30:00Z",
        )
        if week % 2:
            made.note("contacts", at=f"{iso(day)}T14:00:00Z", kind="meeting", held=True)
    made.keeps("contacts", "2025-06-01").keeps("told", "2025-06-01")
    made.note("agreements", id="1", name="Frame", starts="2026-01-01")
    made.note("terms", id="1", agreement="1", title="Rate", kind="rate", value=5, unit="%", basis="orders")
    made.note("terms", id="2", agreement="1", title="Check-in", kind="check_in.every", value=2, unit="weeks")
    made.keeps("issues", "2025-06-01").keeps("claims", "2025-06-01").keeps("milestones", "2025-06-01")
    made.note("milestones", id="1", title="A start", metric="orders", value=20 * level, due="2026-12-31")
    made.note("interests", side="us", issue="rate", lever="money", swing=1, worst=9, best=3, options="3; 5; 6; 7; 9")
    made.note("interests", side="them", issue="rate", lever="money", swing=1, worst=3, best=9)
    made.note("alternatives", side="us", name="x", utility=0.1).note("alternatives", side="them", name="y", utility=0.1)
    made.note("offers", day="2026-06-01", by="us", package="rate=6")
    for month in ("2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"):
        first, after = day_number(f"{month}-01"), (Day.of(day_number(f"{month}-01")) + 31).replace(day=1)
        days = range(first, day_number(after.isoformat()))
        made.declares(
            "revenue.gross", month, sum(made.cells["gross", 0, 0, ""][d] for d in days) // 10**8 * 100
        )
    return made


@pytest.fixture()
def world() -> World:
    """Seven usual partners."""
    made = World(as_of=AS_OF)
    for n in range(7):
        usual(made, f"p{n}", level=0.7 + n / 5)
    return made


def judged(book: Books, world: World, rule: str, partner: str = "p0", **settings: object) -> Outcome:
    """The rule's outcome; rules that it comes after run before it."""
    who = world.see(partner)
    one = book.rule(rule)
    for before in one.after:
        judge(book.rule(before), who)
    return judge(one, who, one.set(settings))


@pytest.mark.parametrize("seed", range(20))
def test_clean_partners_raise_nothing(book: Books, seed: int) -> None:
    world = World(as_of=AS_OF)
    for n in range(6):
        usual(world, f"p{n}", seed, level=0.5 + n / 3)
    view = View(world.snapshot())
    for n in range(len(view.ids)):
        partner = Partner(view, n)
        for rule in book.rules:
            said = judge(rule, partner)
            if rule.name == "value_is_proven":  # where everybody has signed there is nobody to compare with
                assert said.verdict == "unknown"
                continue
            if rule.name in ("agents_keep_their_pay", "online_growth_is_new", "missing_mix"):  # these partners have figures alone
                assert said.verdict == "unknown"
                continue
            assert said.verdict in (True, False), (said, said.missed, said.error)
            assert [f.text for f in said.findings if f.kind != "insight"] == []


def test_every_rule_says_unknown_of_a_partner_of_whom_nothing_is_known(book: Books, world: World) -> None:
    world.partner("new", industry="furniture")
    for rule in book.rules:
        said = judged(book, world, rule.name, "new")
        assert said.verdict == "unknown", said
        assert said.asks, rule.name


def test_revenue_falls(book: Books, world: World) -> None:
    assert judged(book, world, "revenue_falls").verdict is False
    low = [(0.5 ** (max(0, 112 - left) / 55)) for left in range(400)][::-1]
    orders = world.partners["p0"].cells["orders", 0, 0, ""]
    gross = world.partners["p0"].cells["gross", 0, 0, ""]
    for n, day in enumerate(sorted(gross)):
        gross[day], orders[day] = round(gross[day] * low[n]), round(orders[day] * low[n])
    said = judged(book, world, "revenue_falls")
    assert said.verdict is True
    assert said.findings[0].kind == "red_flag" and "peers" in said.findings[0].text
    assert said.findings[0].worth is not None and said.findings[0].worth > 0
    cohort = [r for r in said.reads if r.cohort]
    assert cohort and cohort[0].size == 7


def test_a_fall_of_the_whole_industry_is_not_the_partners(book: Books, world: World) -> None:
    for made in world.partners.values():
        for day, amount in made.cells["gross", 0, 0, ""].items():
            if TODAY - day < 56:
                made.cells["gross", 0, 0, ""][day] = amount // 2
                made.cells["orders", 0, 0, ""][day] //= 2
    assert judged(book, world, "revenue_falls", "p3").verdict is False


def test_data_that_ends_is_no_fall_of_anybody(book: Books) -> None:
    """A marketplace whose export thins out in its last weeks, its sellers without an industry, as in
    Olist's."""
    world = World(as_of=AS_OF)
    for n in range(6):
        seller = world.partner(f"s{n}")
        seller.days("orders", lambda left: 4 if left > 40 else 0).days(
            "gross", lambda left: 300 if left > 40 else 0
        )
    assert judged(book, world, "revenue_falls", "s0").verdict is False


def test_too_few_orders_to_fall(book: Books, world: World) -> None:
    world.partner("tiny", industry="furniture").days(
        "orders", lambda left: int(left % 20 == 5 and left > 56)
    ).days("gross", 1)
    assert judged(book, world, "revenue_falls", "tiny").verdict == "unknown"


def test_carts_leak(book: Books, world: World) -> None:
    world.partners["p0"].days("carts_left", 12, last=AS_OF).days("carts_left_value", 2000, last=AS_OF)
    said = judged(book, world, "carts_leak")
    assert said.verdict is True and said.findings[0].kind == "opportunity"
    assert said.findings[0].per == "28d"
    world.partners["p0"].hole("carts", "2026-06-01", "2026-06-20")
    said = judged(book, world, "carts_leak")
    assert said.verdict == "unknown"
    assert "3 to 20 June 2026" in said.asks[0].text and said.asks[0].source == "p0-carts"


def test_visits_convert(book: Books, world: World) -> None:
    said = judged(book, world, "visits_convert")
    assert [f.key for f in said.findings] == ["funnel"]
    world.partners["p0"].days("sessions_unidentified", 60)
    said = judged(book, world, "visits_convert")
    assert [f.key for f in said.findings] == ["funnel", "comparability"]
    world.partners["p0"].hole("traffic", "2026-06-09", "2026-06-18")
    said = judged(book, world, "visits_convert")
    assert said.verdict == "unknown"
    assert "9 to 18 June 2026" in said.asks[0].text


def test_conversion_trails_cohort(book: Books, world: World) -> None:
    assert judged(book, world, "conversion_trails_cohort").verdict is False
    for view in ("orders",):
        cell = world.partners["p0"].cells[view, 0, 0, ""]
        for day in cell:
            cell[day] = cell[day] // 3
    said = judged(book, world, "conversion_trails_cohort")
    assert said.verdict is True
    worth = said.findings[0].worth
    assert worth is not None and str(worth.unit) == "EUR" and worth > 0
    world.partners["p0"].hole("traffic", "2026-06-09", "2026-06-18")
    assert judged(book, world, "conversion_trails_cohort").verdict == "unknown"


def test_conversion_needs_enough_peers(book: Books) -> None:
    world = World(as_of=AS_OF)
    for n in range(4):
        usual(world, f"p{n}")
    said = judged(book, world, "conversion_trails_cohort")
    assert said.verdict == "unknown" and "fewer than 5" in said.missed[0]


def test_against_industry(book: Books, world: World) -> None:
    for day, amount in world.partners["p0"].cells["gross", 0, 0, ""].items():
        world.partners["p0"].cells["gross", 0, 0, ""][day] = amount * 3
    said = judged(book, world, "against_industry")
    assert [(f.kind, f.key) for f in said.findings] == [("insight", "aov")]
    assert "above" in said.findings[0].text


def test_dont_rush(book: Books, world: World) -> None:
    assert judged(book, world, "dont_rush").verdict is False
    young = world.partner("young", industry="furniture")
    young.days("orders", 4, first="2026-05-22").days("sessions", 100, first="2026-05-22")
    said = judged(book, world, "dont_rush", "young")
    assert [(f.kind, f.key, f.open) for f in said.findings] == [("gate", "history", False)]
    assert "18 November 2026" in said.findings[0].text
    assert ("orders", "days known", 40) in [(r.metric, r.slice, r.top) for r in said.reads]
    world.partners["p0"].hole("traffic", "2026-04-20", "2026-05-20")
    assert [f.key for f in judged(book, world, "dont_rush").findings] == ["coverage sessions"]
    signed = world.partner("signed", industry="furniture", stage="signed")
    signed.days("orders", 1, first="2026-06-01")
    assert judged(book, world, "dont_rush", "signed").verdict is False


def test_sources_disagree(book: Books, world: World) -> None:
    assert judged(book, world, "sources_disagree").verdict is False
    cell = world.partners["p0"].cells["gross", 1, 0, ""]
    for day in cell:
        cell[day] = cell[day] * 2 // 5
    said = judged(book, world, "sources_disagree")
    assert [f.key for f in said.findings] == ["revenue.gross"]
    assert said.findings[0].rows[0][0] == "day" and said.findings[0].rows[-1][0] == "in all"
    assert [f.kind for f in judged(book, world, "dont_rush").findings] == ["gate"]


def test_one_origin_alone_cannot_disagree(book: Books, world: World) -> None:
    world.partner("shop", industry="furniture").days("orders", 3).days("gross", 300)
    said = judged(book, world, "sources_disagree", "shop")
    assert said.verdict == "unknown"
    assert "second origin" in said.asks[0].text


def test_declared_months_are_compared_in_one_currency(book: Books, world: World) -> None:
    world.rate("USD", 0.9)
    shop = world.partner("usd", industry="furniture").days("gross", 900).days("orders", 9)
    for month, days in (("2026-05", 31), ("2026-06", 30)):
        shop.declares("revenue.gross", month, 1000 * days, currency="USD")
    said = judged(book, world, "sources_disagree", "usd", months=2, metrics=("revenue.gross",))
    assert said.verdict is False, said
    shop.observations[0]["value"] *= 2
    shop.observations[1]["value"] *= 2
    assert (
        judged(book, world, "sources_disagree", "usd", months=2, metrics=("revenue.gross",)).verdict is True
    )
    world.rates["USD"] = {"2026-05-01": 0.9}
    assert "rate" in judged(book, world, "sources_disagree", "usd", months=2).asks[0].what


def test_engagement_fades(book: Books, world: World) -> None:
    assert judged(book, world, "engagement_fades").verdict is False
    rows = world.partners["p0"].registers["contacts"]
    fading = []
    for row in rows:
        ago = TODAY - day_number(row["at"])
        if ago < 60 and row["kind"] == "meeting":
            continue
        if ago < 60 and row["kind"] == "mail":
            row = {**row, "answered_at": f"{iso(TODAY - ago + 5)}T09:00:00Z" if ago > 30 else None}
        fading.append(row)
    world.partners["p0"].registers["contacts"] = fading
    said = judged(book, world, "engagement_fades")
    assert said.verdict is True and said.findings[0].kind == "red_flag"
    for word in ("check-ins", "5 days", "unanswered"):
        assert word in said.findings[0].text
    world.partners["p1"].kept["contacts"] = "2026-05-15"
    assert judged(book, world, "engagement_fades", "p1").verdict == "unknown"


def test_a_single_sign_is_no_flag(book: Books, world: World) -> None:
    rows = world.partners["p0"].registers["contacts"]
    world.partners["p0"].registers["contacts"] = [
        row for row in rows if row["kind"] == "mail" or TODAY - day_number(row["at"]) > 60
    ]
    said = judged(book, world, "engagement_fades")
    assert [f.kind for f in said.findings] == ["insight"]
