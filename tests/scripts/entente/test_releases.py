# SPDX-License-Identifier: Apache-2.0
"""The floor of cohorts under attack: whoever may subtract one released figure from another, or ask the same figures again and
again, learns nothing of fewer than five partners."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from entente import NotEnoughEvidence, previous
from entente.changes import Kept, pair
from entente.day import iso
from entente.fixture import Snapshot, World
from entente.partner import Partner
from entente.releases import Log, length_of, packed, unpacked
from entente.rules import Rule, rule
from entente.view import View


def shops(world: World, count: int, *, first: int = 0, **profile: str) -> None:
    for n in range(first, first + count):
        shop = world.partner(f"p{n:02}", **profile)
        shop.days("orders", 10 + n).days("sessions", 300 + 7 * n)


def released(world: World, name: str, *by: str, metric: str = "orders", window: str = "28d", **only: Any) -> Any:
    """What a rule is told, remembered as the engine does."""
    partner = world.see(name)
    try:
        return partner.cohort(*by, **only)[metric].over(window)
    finally:
        world.logged(partner.view)


def tomorrow(world: World, days: int = 1) -> None:
    world.as_of += days
    for shop in world.partners.values():
        shop.as_of = world.as_of
        shop.days("orders", 30, first=iso(world.as_of - days + 1), last=iso(world.as_of))
        shop.days("sessions", 300, first=iso(world.as_of - days + 1), last=iso(world.as_of))


@pytest.fixture()
def world() -> World:
    return World().remembers()


# ---- one snapshot ----------------------------------------------------------------------------------------------------


def test_a_narrower_cohort_that_lacks_a_few_is_rolled_up(world: World) -> None:
    """Industry against industry and region: their difference is one partner."""
    shops(world, 9, industry="tea", region="DE")
    shops(world, 1, first=9, industry="tea", region="AT")
    wide = released(world, "p00", "industry")
    narrow = released(world, "p00", "industry", "region")
    assert (narrow.cohort, narrow.size) == (wide.cohort, wide.size) == ("industry tea", 10)
    with pytest.raises(NotEnoughEvidence, match="region DE differs by fewer than 5 partners from industry tea, which was shown"):
        released(world, "p00", "region")


def test_it_is_the_same_whoever_asks_first(world: World) -> None:
    shops(world, 9, industry="tea", region="DE")
    shops(world, 1, first=9, industry="tea", region="AT")
    assert released(world, "p00", "industry", "region").cohort == "industry tea"
    assert released(world, "p00", "industry").cohort == "industry tea"


def test_a_narrower_cohort_that_lacks_many_is_told(world: World) -> None:
    shops(world, 9, industry="tea", region="DE")
    shops(world, 5, first=9, industry="tea", region="AT")
    assert released(world, "p00", "industry", "region").size == 9
    assert released(world, "p00", "industry").size == 14


def test_what_counts_is_who_knows_the_figure(world: World) -> None:
    """Members differ by six, but only one of these knows the figure."""
    shops(world, 9, industry="tea", region="DE")
    shops(world, 6, first=9, industry="tea", region="AT")
    for n in range(10, 15):
        world.partner(f"p{n:02}").hole("sales", "2026-06-01", "2026-06-30")
    assert released(world, "p00", "industry", "region").cohort == "industry tea"


def test_a_filter_that_leaves_out_a_few_is_refused(world: World) -> None:
    shops(world, 12, industry="tea")
    for n in range(2):
        world.partner(f"p{n:02}").note("agreements", id=f"a{n}", starts="2026-01-01")
    with pytest.raises(NotEnoughEvidence, match="industry tea has fewer than 5 partners more than"):
        released(world, "p05", "industry", without_agreement=True)
    for n in range(2, 5):
        world.partner(f"p{n:02}").note("agreements", id=f"a{n}", starts="2026-01-01")
    peers = released(world, "p05", "industry", without_agreement=True)
    assert (peers.size, peers.cohort) == (7, "industry tea, without agreement")


# ---- from day to day -------------------------------------------------------------------------------------------------


def test_who_comes_alone_waits_until_five_have_come(world: World) -> None:
    shops(world, 8, industry="tea")
    assert released(world, "p00", "industry").size == 8
    for n in range(8, 12):
        shops(world, 1, first=n, industry="tea")
        tomorrow(world)
        peers = released(world, "p00", "industry")
        assert peers.size == 8  # as before: known, and without those that came
    shops(world, 1, first=12, industry="tea")
    tomorrow(world)
    assert released(world, "p00", "industry").size == 13


def test_what_is_told_meanwhile_does_not_depend_on_who_waits(world: World) -> None:
    shops(world, 8, industry="tea")
    released(world, "p00", "industry")
    shops(world, 1, first=8, industry="tea")
    tomorrow(world)
    before = released(world, "p00", "industry")
    world.partner("p08").days("orders", 100_000)
    after = released(world, "p00", "industry")
    assert [before.quantile(q) for q in (0.1, 0.5, 0.9)] == [after.quantile(q) for q in (0.1, 0.5, 0.9)]


def test_an_edit_of_a_profile_takes_nobody_out_alone(world: World) -> None:
    shops(world, 8, industry="tea")
    shops(world, 20, first=8, industry="coffee")
    released(world, "p00", "industry")
    released(world, "p10", "industry")
    world.partner("p07").profile["industry"] = "coffee"
    assert released(world, "p00", "industry").size == 8  # it still counts there
    assert released(world, "p10", "industry").size == 20  # and not here
    with pytest.raises(NotEnoughEvidence, match="came or went"):
        world.partner("p07").hole("sales", "2026-06-01", "2026-06-30")
        released(world, "p00", "industry")


def test_whose_figure_ends_alone_takes_others_along(world: World) -> None:
    """In a large cohort a few more are left out, so that nobody's figure is the difference; and the same few every day."""
    shops(world, 30, industry="tea")
    assert released(world, "p00", "industry").size == 30
    world.partner("p03").hole("sales", "2026-06-01", "2026-06-30")
    assert released(world, "p00", "industry").size == 25
    tomorrow(world)
    assert released(world, "p00", "industry").size == 25


def test_a_small_cohort_is_not_known_for_half_a_window_then_it_is(world: World) -> None:
    shops(world, 7, industry="tea")
    assert released(world, "p00", "industry").size == 7
    world.partner("p03").covers.clear()
    gone = world.partners.pop("p03")
    with pytest.raises(NotEnoughEvidence, match="fewer than 5 partners of industry tea came or went"):
        released(world, "p00", "industry")
    tomorrow(world, 14)
    with pytest.raises(NotEnoughEvidence):
        released(world, "p00", "industry")
    tomorrow(world)
    assert released(world, "p00", "industry").size == 6
    assert gone.id not in world.partners


def test_windows_of_other_lengths_are_compared_where_they_nearly_are_the_same() -> None:
    assert length_of(0, 28) == length_of(0, 31) and length_of(0, 89) == length_of(0, 92)
    assert length_of(0, 365) == length_of(0, 366) and length_of(0, 28) != length_of(0, 56)


def test_the_same_window_of_the_past_is_another_one(world: World) -> None:
    shops(world, 8, industry="tea")
    partner = world.see("p00")
    partner.cohort("industry")["orders"].over("28d")
    partner.cohort("industry")["orders"].over(previous("28d"))
    world.logged(partner.view)
    assert len((world.released() or {})["rows"]) == 2


# ---- thresholds ------------------------------------------------------------------------------------------------------


def test_a_sweep_of_thresholds_ends_soon(world: World) -> None:
    shops(world, 9, industry="tea")
    peers = released(world, "p00", "industry")
    with pytest.raises(ValueError, match="more than 8 thresholds"):
        for n in range(200, 600, 20):
            peers.share(at_least=n)


def test_a_sweep_of_quantiles_ends_as_soon(world: World) -> None:
    shops(world, 9, industry="tea")
    peers = released(world, "p00", "industry")
    with pytest.raises(ValueError, match="more than 8 thresholds"):
        for n in range(9):
            peers.quantile(n / 8)


def test_neither_the_largest_nor_the_smallest_is_told(world: World) -> None:
    shops(world, 9, industry="tea")
    peers = released(world, "p00", "industry")
    assert peers.quantile(1) == peers.quantile(0.99) == peers.quantile(0.875)  # the second largest
    assert peers.quantile(0) == peers.quantile(0.01) == 308  # the second smallest
    assert peers.share(at_least=500) == peers.share(at_least=10_000) == 0  # one has 504
    assert peers.share(at_least=285) == 1  # all but one


def test_a_threshold_has_two_digits(world: World) -> None:
    shops(world, 9, industry="tea")
    peers = released(world, "p00", "industry")
    assert peers.share(at_least=393) == peers.share(at_least=385) == peers.share(at_least=390)


# ---- dominance -------------------------------------------------------------------------------------------------------


def test_two_that_hold_most_are_not_told(world: World) -> None:
    shops(world, 6, industry="tea")
    for name in ("p00", "p01"):
        world.partner(name).days("orders", 500)
    with pytest.raises(NotEnoughEvidence, match="two partners of industry tea hold most of the orders"):
        released(world, "p00", "industry")


def test_a_ratio_whose_denominator_is_one_partners_is_not_told(world: World) -> None:
    shops(world, 6, industry="tea")
    assert released(world, "p00", "industry", metric="conversion_rate").size == 6
    world.partner("p00").days("sessions", 100_000)
    with pytest.raises(NotEnoughEvidence, match="one partner of industry tea holds most"):
        released(world, "p00", "industry", metric="conversion_rate", window="29d")


# ---- the log itself --------------------------------------------------------------------------------------------------


def test_any_two_sets_that_are_shown_differ_by_five_or_by_none() -> None:
    """Random sets, random order: a differencing attack by brute force over all that was shown."""

    class Nobody:
        def __init__(self, there: set[int]) -> None:
            self.there = there

        def known(self, whom: tuple[int, ...]) -> bool:
            return self.there.issuperset(whom)

        def beyond(self, key: object, whose: object) -> str:
            return ""

    dice = random.Random(7)
    for _ in range(60):
        log, there, shown = Log(5, 100), set(range(40)), []
        for step in range(60):
            there ^= set(dice.sample(range(60), dice.randint(0, 3)))
            place = ("orders 19", "tea", 72 + step // 30, 100 + step // 30)
            who, why = log.settle(place, packed(sorted(there)), Nobody(there), ())
            assert bool(who) != bool(why)
            if who:
                assert there.issuperset(unpacked(who))
                log.show(place, 1, who)
                shown.append(frozenset(unpacked(who)))
            log.taken()
        assert len(shown) > 30
        assert all(len(a ^ b) == 0 or len(a ^ b) >= 5 for a in shown for b in shown)


@rule(practice="informative")
def compares(partner: Partner) -> Any:
    """Against all sorts of peers."""
    from entente import if_known, insight

    for by, only in ((("industry",), {}), (("industry", "region"), {}), (("industry",), {"without_agreement": True})):
        for metric in ("orders", "conversion_rate"):
            with if_known():
                peers = partner.cohort(*by, **only)[metric].over("28d")
                yield insight(f"{by} {only} {metric} {peers.cohort} {peers.size} {peers.median} {peers.quantile(0.75)}")
    with if_known():
        shares = partner.cohort("industry")["orders"].by("channel").over("28d").shares()
        yield insight(f"{sorted((key, str(share)) for key, share in shares.median.items())}")
    with if_known():
        swing = partner.cohort("industry")["orders"].monthly("1y").volatility()
        yield insight(f"swings {swing.median} {swing.size}")
    with if_known():
        aged = partner.cohort("industry").at_same_age("orders", "28d")
        yield insight(f"aged {aged.median} {aged.size} {aged.share(at_least=500)}")


class Follows:
    """Judges all partners of a world, and then what changes reach."""

    def __init__(self, world: World, rules: list[Rule]) -> None:
        self.world, self.rules = world, list(enumerate(rules))
        self.view = View(Snapshot(world), kept=True)
        self.kept = Kept(self.view, self.rules)
        self.said: dict[tuple[str, str], list[str]] = {}
        for index in range(len(self.view.ids)):
            self.judge(index, {n for n, _ in self.rules})
        world.logged(self.view)

    def judge(self, index: int, rules: set[int]) -> None:
        from entente import run

        partner = Partner(self.view.of(index), index)
        for number, one in self.rules:
            if number in rules:
                run.now.reset()
                run.now.pair = pair(index, number)
                self.said[partner.id, one.name] = [f.text for f in one.function(partner)] + run.now.missed
                self.kept.depend.note(number, index, run.now.reads)

    def change(self, changed: dict[str, Any], lay: Any) -> None:
        self.kept.change({self.view.index[name]: of for name, of in changed.items()}, lay, self.judge)
        self.world.logged(self.view)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("logged", [False, True])
def test_changes_say_what_a_whole_evaluation_says(seed: int, logged: bool) -> None:
    """After any change: as if all were judged anew, by the log as it stood before the change."""
    dice = random.Random(seed)
    world = World()
    if logged:
        world.remembers()
    for n in range(26):
        profile = {"industry": dice.choice(("tea", "tea", "tea", "coffee")), "region": dice.choice(("DE", "AT"))}
        shop = world.partner(f"p{n:02}", **profile)
        shop.days("orders", 10 + n, channel=dice.choice(("online/web", "offline/shop"))).days("sessions", 300)
    follows = Follows(world, [compares])
    metrics = [follows.view.metrics[name].number for name in ("orders", "conversion_rate", "sessions")]
    for step in range(12):
        names = dice.sample(sorted(world.partners), dice.randint(1, 3))
        before = json.loads(json.dumps(world._shown))
        kind = dice.choice(("more", "hole", "again", "signs"))

        def lay() -> None:
            for name in names:
                shop = world.partner(name)
                if kind == "more":
                    shop.days("orders", dice.randint(1, 60), first="2026-06-20", cover=False)
                elif kind == "hole":
                    shop.hole("sales", "2026-06-01", "2026-06-30")
                elif kind == "again":
                    shop.cover("sales", "2026-06-01", "2026-06-30")
                else:
                    shop.note("agreements", id=f"{step}", starts="2026-01-01")
            follows.view.snapshot._days.clear()

        follows.change(dict.fromkeys(names, None if kind == "signs" else metrics), lay)
        after, world._shown = world._shown, before
        whole = Follows(world, [compares])
        world._shown = after
        assert follows.said == whole.said, (step, kind, names)
