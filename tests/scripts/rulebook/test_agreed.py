# SPDX-License-Identifier: Apache-2.0
"""Rules about what was agreed, promised and offered: true, false and unknown."""

import pytest
from entente import Day, Findings, Partner, insight, rule
from entente.books import Books
from entente.fixture import FixturePartner, World
from entente.rules import Rule


@pytest.fixture()
def world() -> World:
    return World(as_of="2026-06-30")


# ---- row 26


@pytest.fixture()
def lever(book: Books) -> Rule:
    return book.rule("lever_moves_alone")


def dealing(world: World, us: float = 0.1, them: float = 0.1) -> FixturePartner:
    """Both fight for the rate, only they care for the notice, exclusiveness is cheap to give."""
    shop = world.partner("a")
    interests = (
        ("us", "rate", "money", 60, {"worst": 10, "best": 4, "options": "4; 6; 8; 10"}),
        ("them", "rate", "money", 40, {"worst": 4, "best": 10}),
        ("them", "notice", "time", 20, {"steps": "1=0; 3=0.5; 6=1"}),
        ("us", "exclusive", "rights", 40, {"steps": "no=0; yes=1"}),
        ("them", "exclusive", "rights", 40, {"steps": "no=1; yes=0.8"}),
    )
    for side, issue, lever, swing, more in interests:
        shop.note("interests", side=side, issue=issue, lever=lever, swing=swing, **more)
    shop.note("alternatives", side="us", name="x", utility=us)
    return shop.note("alternatives", side="them", name="y", utility=them)


def test_a_one_sided_offer_and_what_would_be_better(world: World, lever: Rule) -> None:
    shop = dealing(world)
    shop.note("offers", day="2026-06-01", by="us", package="rate=6; notice=1; exclusive=no")
    shop.note("offers", day="2026-06-10", by="us", package="rate=4; notice=3; exclusive=yes")
    said = world.judge(lever, "a")
    by = {f.key: f for f in said.findings}
    assert set(by) == {"one-sided", "time", "best"} and said.verdict is True
    assert by["one-sided"].text == "The offer of 10 June 2026 gives us 0.90 and them 0.32 above the alternative"
    assert by["time"].text == "Time moved for one side alone: +0.00 for us, +0.10 for them"
    assert "rate" in by["best"].text and "notice 6 instead of 3" in by["best"].text
    assert by["best"].refers == {"package": {"exclusive": "yes", "notice": 6, "rate": 6}}
    assert {r.sharing for r in said.reads} == {"confidential"}
    said = world.judge(lever, "a", one_sided=0.3)
    assert "one-sided" not in {f.key for f in said.findings}


def test_the_best_package_is_on_the_table(world: World, lever: Rule) -> None:
    shop = dealing(world)
    shop.note("offers", day="2026-06-10", by="them", package="rate=6; notice=6; exclusive=yes")
    assert world.judge(lever, "a").verdict is False


def test_no_zone_no_offer_and_what_is_not_known(world: World, lever: Rule) -> None:
    dealing(world, us=0.9, them=0.9)
    (found,) = world.judge(lever, "a").findings
    assert found.key == "no zone" and found.severity == "high"
    other = World()
    dealing(other)
    (found,) = other.judge(lever, "a").findings
    assert found.key == "best" and found.text.startswith("No offer yet; to begin with: exclusive yes, notice 6, rate 6")
    other.partners["a"].registers["alternatives"].pop()
    said = other.judge(lever, "a")
    assert said.verdict == "unknown" and said.asks[0].what.startswith("what they do without a deal")
    nobody = World()
    nobody.partner("a")
    said = nobody.judge(lever, "a")
    assert said.verdict == "unknown" and {a.metric for a in said.asks} == {"interests", "alternatives"}
    nobody.partners["a"].keeps("interests", "2026-01-01")  # and nothing stands in it: there is no deal to judge
    assert world.judge(lever, "a").verdict is True and nobody.judge(lever, "a").verdict is False


# ---- rows 23 to 25


def test_what_is_cheap_to_give(world: World, book: Books) -> None:
    shop = dealing(world)
    cheap = book.rule("cheap_to_give")
    (found,) = world.judge(cheap, "a").findings
    assert (found.key, found.text) == ("notice", "notice is 20% of what they want and 0% of what we do")
    shop.note("offers", day="2026-06-01", by="us", package="rate=6; notice=1; exclusive=no")
    (found,) = world.judge(cheap, "a").findings
    assert found.text.endswith("; it stands at 1")
    assert world.judge(cheap, "a", least_gap=0.3).verdict is False
    shop.note("offers", day="2026-06-02", by="us", package="notice=6")  # they have it
    assert world.judge(cheap, "a").verdict is False
    shop.registers["interests"].clear()
    assert world.judge(cheap, "a").verdict == "unknown"


def test_who_gives_way(world: World, book: Books) -> None:
    shop = dealing(world)
    concedes = book.rule("who_concedes")
    assert world.judge(concedes, "a").verdict is False
    for day, by, rate in ((1, "us", 4), (2, "them", 10), (3, "us", 6), (4, "them", 10), (5, "us", 8)):
        shop.note("offers", day=f"2026-06-0{day}", by=by, package=f"rate={rate}; notice=1; exclusive=no")
    (found,) = world.judge(concedes, "a").findings
    assert found.text == "We gave up 0.40 in 3 offers, they 0.00 in 2"
    shop.note("offers", day="2026-06-06", by="them", package="rate=6")  # worth 0.27 to them
    assert world.judge(concedes, "a").verdict is False
    assert world.judge(concedes, "a", times=1.0).verdict is True
    assert world.judge(concedes, "a", times=1.0, least=0.5).verdict is False
    shop.registers["alternatives"].clear()
    assert world.judge(concedes, "a").verdict == "unknown"


def test_terms_that_rest_on_nothing(world: World, book: Books) -> None:
    loose = book.rule("terms_without_measure")
    shop = world.partner("a")
    assert world.judge(loose, "a").verdict == "unknown"
    shop.note("agreements", id="1", name="Frame", starts="2025-10-01")
    shop.note("terms", id="1", agreement="1", title="Fee", kind="fee", value=5, unit="money")
    shop.note("terms", id="2", agreement="1", title="Check-in", kind="check_in.every", value=14, unit="days")
    shop.note("terms", id="3", agreement="1", title="Rate", kind="rate", value=5, unit="%", basis="orders")
    (found,) = world.judge(loose, "a").findings
    assert found.text == "1 of 2 terms of Frame rest on no metric: Fee" and found.refers == {"about": "agreements/1"}
    assert world.judge(loose, "a", most=0.6).verdict is False
    shop.registers["terms"][0]["basis"] = "orders"
    assert world.judge(loose, "a").verdict is False


# ---- row 41


@pytest.fixture()
def check_ins(book: Books) -> Rule:
    return book.rule("check_ins_kept")


@pytest.fixture()
def meeting(world: World) -> FixturePartner:
    shop = world.partner("a")
    shop.note("terms", title="Check-in", kind="check_in.every", value=2, unit="weeks", from_="2026-01-01")
    return shop.note("contacts", at="2026-06-01T10:00:00Z", kind="meeting").keeps("issues", "2026-01-01")


def test_check_ins_are_late(world: World, check_ins: Rule, meeting: FixturePartner) -> None:
    meeting.note("contacts", at="2026-06-20T10:00:00Z", kind="mail")
    meeting.note("contacts", at="2026-06-25T10:00:00Z", kind="meeting", held=False)
    meeting.note("contacts", at="2026-06-26T10:00:00Z", kind="meeting", audience="us")
    said = world.judge(check_ins, "a")
    (found,) = said.findings
    assert (found.text, found.severity) == ("No check-in for 29 days; every 14 was agreed", "medium")
    assert world.judge(check_ins, "a", long=2.0).findings[0].severity == "high"
    meeting.note("contacts", at="2026-06-20T10:00:00Z", kind="meeting", held=True)
    assert world.judge(check_ins, "a").verdict is False


def test_nobody_had_to_meet_before_it_was_agreed(world: World, check_ins: Rule, meeting: FixturePartner) -> None:
    meeting.registers["terms"][0]["from"] = "2026-06-20"
    assert world.judge(check_ins, "a").verdict is False


def test_issues_that_stay_open(world: World, check_ins: Rule, meeting: FixturePartner) -> None:
    meeting.note("contacts", at="2026-06-29T10:00:00Z", kind="meeting")
    meeting.note("issues", id="1", title="Returns", owner="them", opened="2026-06-10")
    meeting.note("issues", id="2", title="Fresh", opened="2026-06-20")
    meeting.note("issues", id="3", title="Done", opened="2026-03-20", state="closed")
    meeting.note("issues", id="4", title="Ours alone", opened="2026-03-20", audience="us")
    (found,) = world.judge(check_ins, "a").findings
    assert (found.key, found.text) == ("1", "'Returns' has been open for 20 days (them)")
    assert found.refers == {"about": "issues/1"}


def test_what_was_agreed_is_not_known(world: World, check_ins: Rule, meeting: FixturePartner) -> None:
    meeting.registers["terms"].clear()
    said = world.judge(check_ins, "a")
    assert said.verdict == "unknown" and "check-ins: the register terms is not kept" in said.missed[0]
    meeting.note("issues", id="1", title="Returns", opened="2026-06-01")
    assert world.judge(check_ins, "a").verdict is True  # the rest is judged all the same
    meeting.kept.clear()
    meeting.registers["issues"].clear()
    assert {a.metric for a in world.judge(check_ins, "a").asks} >= {"issues"}


# ---- row 54


@pytest.fixture()
def renegotiate(book: Books) -> Rule:
    return book.rule("time_to_renegotiate")


@pytest.fixture()
def agreed(world: World) -> FixturePartner:
    shop = world.partner("a")
    shop.note("agreements", id="1", name="Frame", starts="2025-10-01")
    shop.note("terms", id="7", agreement="1", title="Commission", kind="commission.rate", value=5, unit="%", basis="orders")
    return shop.note("terms", id="8", agreement="1", title="Check-in", kind="check_in.every", value=14, unit="days")


@rule(practice="proof", audience="both")
def value_is_proven(partner: Partner) -> Findings:
    """In the place of the one that ships: it says of two agreements what they brought."""
    yield insight("It brought much", key="1")
    yield insight("It brought nothing", key="2")


def course(shop: FixturePartner, after: float) -> None:
    """Ten a day, and from January on as many as that; never quite the same."""
    shop.days("orders", lambda left: (after if left < 175 else 10) + (left % 7) // 3, first="2024-06-01")


def test_the_basis_of_a_term_has_shifted(world: World, renegotiate: Rule, agreed: FixturePartner) -> None:
    course(agreed, 16)
    said = world.judge(renegotiate, "a", first=(value_is_proven,))
    (found,) = said.findings
    assert found.kind == "proposal" and found.key == "1 7"
    assert found.refers == {"reopens": "terms/7", "see": [{"key": "1", "text": "It brought much"}]}
    assert found.text.startswith("Commission rests on orders, +5") and "January 2026" in found.text
    assert world.judge(renegotiate, "a", first=(value_is_proven,), least_shift=0.9).verdict is False
    assert world.judge(renegotiate, "a", first=(value_is_proven,), p=0.0).verdict is False


def test_it_has_not(world: World, renegotiate: Rule, agreed: FixturePartner) -> None:
    course(agreed, 10)
    assert world.judge(renegotiate, "a", first=(value_is_proven,)).verdict is False


def test_nobody_knows(world: World, renegotiate: Rule, agreed: FixturePartner) -> None:
    said = world.judge(renegotiate, "a", first=(value_is_proven,))
    assert said.verdict == "unknown" and said.missed[0].startswith("Commission: ")
    agreed.registers["terms"][0]["basis"] = "ordres"
    said = world.judge(renegotiate, "a", first=(value_is_proven,))
    assert said.verdict == "unknown" and "did you mean 'orders'?" in said.missed[0]
    agreed.registers["agreements"][0]["ends"] = "2026-06-01"  # over: nothing to talk about
    assert world.judge(renegotiate, "a", first=(value_is_proven,)).verdict is False
    agreed.registers.clear()
    assert {a.metric for a in world.judge(renegotiate, "a", first=(value_is_proven,)).asks} == {"agreements", "terms"}


# ---- row 49


@pytest.fixture()
def promises(book: Books) -> Rule:
    return book.rule("promises_hold")


@pytest.fixture()
def seller(world: World) -> FixturePartner:
    """Ten orders a day for two years, among peers that have about as many."""
    for n in range(6):
        shop = world.partner(f"p{n}", industry="furniture", signed_on="2024-07-01")
        shop.days("orders", lambda left, n=n: 10 + n % 3 + (left * 7 + n) % 4, first="2024-07-01")
    return world.partners["p0"]


def claim(shop: FixturePartner, value: float | None, due: str, said_on: str = "2026-01-15", **more: object) -> None:
    fields: dict[str, object] = {"id": "c1", "text": "So many", "who": "Ada", "metric": "orders", "window": "28d", **more}
    shop.note("claims", value=value, due=due, said_on=said_on, **fields)


def test_an_unlikely_promise(world: World, promises: Rule, seller: FixturePartner) -> None:
    claim(seller, 2000, "2026-12-31")
    said = world.judge(promises, "p0")
    (found,) = said.findings
    assert found.text == "Ada promised 2,000 of orders by 31 December 2026; the chance is 0%"
    assert found.kind == "red_flag" and found.refers == {"about": "claims/c1"}
    assert any("forecast" in r.slice for r in said.reads) and any(r.cohort for r in said.reads)


def test_a_likely_promise(world: World, promises: Rule, seller: FixturePartner) -> None:
    claim(seller, 250, "2026-12-31")
    assert world.judge(promises, "p0").verdict is False
    for n in range(1, 6):  # what peers did cannot make it unlikely: nobody has to know
        del world.partners[f"p{n}"]
    assert world.judge(promises, "p0").verdict is False
    seller.registers["claims"][0]["value"] = 2000
    assert world.judge(promises, "p0").verdict == "unknown"


def test_what_peers_reached_is_likely_enough(world: World, promises: Rule, seller: FixturePartner) -> None:
    for n in range(1, 6):
        world.partners[f"p{n}"].days("orders", 90, first="2024-07-01", cover=False)
    claim(seller, 2000, "2026-12-31")
    assert world.judge(promises, "p0").verdict is False


def test_nothing_could_be_seen_yet(world: World, promises: Rule, seller: FixturePartner) -> None:
    """45 sellers of a real marketplace declared what they would sell, and none had sold anything: all of them had signed in
    the last weeks of the data."""
    claim(seller, 50_000_000, "2026-12-31", said_on="2026-06-10", metric="revenue.net")
    said = world.judge(promises, "p0")
    assert said.verdict == "unknown" and said.findings[0].text == "'So many' was said 21 observable days ago"
    assert said.findings[0].decides_on == Day(2026, 6, 30) + 39
    fresh = world.partner("new", industry="furniture")  # of whom no source speaks at all
    claim(fresh, 6, "2026-12-31", said_on="2026-06-10")
    assert world.judge(promises, "new").verdict == "unknown"


def test_a_promise_whose_day_has_come(world: World, promises: Rule, seller: FixturePartner) -> None:
    claim(seller, 500, "2026-05-31")
    (found,) = world.judge(promises, "p0").findings
    assert found.text.startswith("Ada promised 500 of orders by 31 May 2026; it was 3") and found.severity == "high"
    seller.registers["claims"][0]["value"] = 300
    assert world.judge(promises, "p0").verdict is False


def test_promises_that_nobody_can_measure(world: World, promises: Rule, seller: FixturePartner) -> None:
    claim(seller, None, "2026-12-31")
    said = world.judge(promises, "p0")
    assert said.verdict == "unknown" and said.asks[0].what == "metric, value and due day of 'So many'"
    seller.registers["claims"][0].update(value=5, metric="ordres")
    said = world.judge(promises, "p0")
    assert said.verdict == "unknown" and "did you mean 'orders'?" in said.missed[0]
    seller.registers["claims"].clear()
    assert world.judge(promises, "p0").verdict == "unknown"  # nobody keeps the register
    seller.keeps("claims", "2026-01-01")
    assert world.judge(promises, "p0").verdict is False


def test_money_is_promised_in_a_currency(world: World, promises: Rule, seller: FixturePartner) -> None:
    seller.days("gross", lambda left: 1000 + left % 5, first="2024-07-01")
    claim(seller, 25_000, "2026-05-31", metric="revenue.gross", currency="USD")
    said = world.judge(promises, "p0")
    assert said.verdict == "unknown" and "USD" in said.missed[0]
    world.rate("USD", 1.2)
    (found,) = world.judge(promises, "p0").findings
    assert "promised 30,000 EUR of gross revenue by 31 May 2026; it was 28,0" in found.text
