# SPDX-License-Identifier: Apache-2.0
"""Nothing that a rule can read escapes the evidence: whatever word it uses, what that looked at is kept, with its days, its
value, its coverage, and of a cohort its size."""

from collections.abc import Callable

import pytest
from entente import NotEnoughEvidence, Partner, insight
from entente.fixture import World
from entente.rules import Rule, rule
from entente.run import Read, now

WINDOW = "28d"
#: A word of the vocabulary, and what has to stand in the evidence.
WORDS: dict[str, tuple[Callable[[Partner], object], str]] = {
    "over": (lambda p: p["orders"].over(WINDOW), "orders"),
    "change": (lambda p: p["orders"].change(WINDOW, since="56d"), "orders"),
    "where": (lambda p: p["orders"].where(channel="online/web").over(WINDOW), "orders"),
    "side": (lambda p: p["orders"].where(side="online").over(WINDOW), "orders"),
    "by": (lambda p: p["orders"].by("channel").over(WINDOW), "orders"),
    "by_origin": (lambda p: p["orders"].by_origin().over(WINDOW, least=1), "orders"),
    "by_origin of nobody": (lambda p: p["carts"].by_origin().over(WINDOW), "carts"),
    "daily": (lambda p: list(p["orders"].daily(WINDOW).raw), "orders"),
    "weekly": (lambda p: p["orders"].weekly(WINDOW), "orders"),
    "monthly": (lambda p: p["orders"].monthly(2), "orders"),
    "quantile": (lambda p: p["order_value"].quantile(WINDOW, 0.9), "order_value"),
    "median": (lambda p: p["order_value"].median(WINDOW), "order_value"),
    "coverage": (lambda p: p["sessions"].coverage(WINDOW), "sessions"),
    "coverage of nobody": (lambda p: p["carts"].coverage(WINDOW), "carts"),
    "is_known": (lambda p: p["orders"].is_known(), "orders"),
    "is_known of nobody": (lambda p: p["carts"].is_known(), "carts"),
    "known_since": (lambda p: p["orders"].known_since(), "orders"),
    "known_since of nobody": (lambda p: p["carts"].known_since(), "carts"),
    "known_until": (lambda p: p["orders"].known_until(), "orders"),
    "known_until of nobody": (lambda p: p["carts"].known_until(), "carts"),
    "observable_days": (lambda p: p["orders"].observable_days(), "orders"),
    "observable_days of nobody": (lambda p: p["carts"].observable_days(), "carts"),
    "declared": (lambda p: p["revenue.gross"].where(origin="declared").over(p.months(1)[0]), "revenue.gross"),
    "cohort": (lambda p: p.cohort("industry")["orders"].over(WINDOW).median, "orders"),
    "size of a cohort": (lambda p: p.cohort("industry")["orders"].over(WINDOW).size, "orders"),
    "change of a cohort": (lambda p: p.cohort("industry")["orders"].change(WINDOW, "56d").median, "orders change"),
    "register": (lambda p: len(p.register("contacts")), "register contacts"),
    "rows of a register": (lambda p: list(p.register("contacts").where(kind="mail")), "register contacts"),
    "register during": (lambda p: p.register("contacts").during(WINDOW), "register contacts"),
    "register open": (lambda p: len(p.register("contacts").open()), "register contacts"),
    "register last": (lambda p: list(p.register("contacts").last()), "register contacts"),
    "register any": (lambda p: p.register("contacts").any(since=WINDOW, kind="mail"), "register contacts"),
    "register kept": (lambda p: p.register("contacts").kept(WINDOW), "register contacts"),
    "days_since_last": (lambda p: p.register("contacts").days_since_last(), "register contacts"),
    "register shared": (lambda p: len(p.register("contacts").shared()), "register contacts"),
    "register active": (lambda p: len(p.register("contacts").active()), "register contacts"),
    "terms": (lambda p: p.terms("pay").of(), "register terms"),
    "books": (lambda p: p.declared("books").revenue, "register books"),
    "deal": (lambda p: p.deal().nash(), "register interests"),
    "register nobody keeps": (lambda p: len(p.register("claims")), "register claims"),
    "benchmark": (lambda p: p.benchmark("online_share").latest(), "benchmark online_share"),
    "benchmark period": (lambda p: p.benchmark("online_share").period, "benchmark online_share"),
    "benchmark until": (lambda p: p.benchmark("online_share").known_until(), "benchmark online_share"),
    "benchmark who": (lambda p: p.benchmark("online_share").who, "benchmark online_share"),
    "benchmark len": (lambda p: len(p.benchmark("online_share")), "benchmark online_share"),
    "benchmark rows": (lambda p: list(p.benchmark("online_share")), "benchmark online_share"),
    "industry": (lambda p: p.profile.industry, "profile industry"),
    "region": (lambda p: p.profile.region, "profile region"),
    "stage": (lambda p: p.profile.stage, "profile stage"),
    "currency": (lambda p: p.profile.currency, "profile currency"),
    "zone": (lambda p: p.profile.zone, "profile zone"),
    "signed_on": (lambda p: p.profile.signed_on, "profile signed_on"),
    "attributes": (lambda p: p.profile.attributes["size"], "profile size"),
    "findings": (lambda p: p.findings("first"), "findings first"),
}  # fmt: skip


@rule(practice="informative")
def first(partner: Partner) -> object:  # type: ignore[misc]
    """Speaks."""
    yield insight("spoken", key="a")


@pytest.fixture()
def made() -> World:
    world = World()
    for n in range(7):
        shop = world.partner(f"p{n}", industry="furniture", region="DE", size="large", currency="EUR", stage="consulting")
        shop.days("orders", 4 + n, channel="online/web")
        shop.days("orders", 4 + n)
        shop.days("gross", 480.0)
        shop.days("sessions", 100)
        shop.note("contacts", at="2026-06-20T10:00:00Z", kind="mail")
        shop.keeps("contacts", "2025-01-01")
        shop.note("terms", title="Pay", kind="pay", value=5, unit="%").note("books", year=2025, revenue=9)
        for side in ("us", "them"):
            shop.note("interests", side=side, issue="rate", lever="money", swing=1, worst=1, best=2)
            shop.note("alternatives", side=side, name="x", utility=0.1)
        shop.declares("revenue.gross", "2026-05", 12000)
    world.benchmark("online_share", {"2026-01": 0.16})
    return world


def read_by(world: World, word: Callable[[Partner], object]) -> list[Read]:
    @rule(practice="informative", after=("first",))
    def reads(partner: Partner) -> object:  # type: ignore[misc]
        """Reads."""
        word(partner)
        yield insight("read", key="a")

    said = world.judge(reads, "p0", first=[first])
    assert said.error is None, said.error
    return list(said.reads)


@pytest.mark.parametrize("name", WORDS)
def test_what_is_read_is_kept(made: World, name: str) -> None:
    word, metric = WORDS[name]
    reads = [r for r in read_by(made, word) if r.metric == metric]
    assert reads, f"{name} left no evidence"
    assert all(r.start < r.stop for r in reads)
    if "cohort" in name:
        assert all(r.cohort and r.size == 7 for r in reads)
    elif metric == "orders" and reads[0].slice == "":
        assert reads[0].covered == reads[0].stop - reads[0].start


def test_the_evidence_says_what_the_profile_said(made: World) -> None:
    [read] = read_by(made, lambda p: p.profile.industry)
    assert (read.metric, read.slice, read.state) == ("profile industry", "furniture", 0)
    assert read_by(made, lambda p: p.name) == [], "its name is no evidence"


def test_no_word_is_forgotten() -> None:
    """Whoever adds a word to the vocabulary adds it here, too."""
    from entente.measure import Measure
    from entente.partner import Profile
    from entente.register import Register

    known = {name.split(" ")[0] for name in WORDS} | {text for name in WORDS for text in name.split(" ")}
    for owner, harmless in (
        (Profile, {"name"}),
        (Register, {"where", "kept_since", "is_kept", "name", "partner"}),
    ):
        for word in vars(owner):
            assert word.startswith("_") or word in harmless or word in known, f"{owner.__name__}.{word}"
    assert Measure and NotEnoughEvidence and now and Rule
