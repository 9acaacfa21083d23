# SPDX-License-Identifier: Apache-2.0
"""What came of an event: planted effects are found, where there is none none is said, and no peer's series can be read from
what is told."""

import random
from typing import Any

import pytest
from entente import NotEnoughEvidence
from entente.changes import Kept
from entente.control import Effect, fitted
from entente.day import Day, day_number
from entente.fixture import Snapshot, World
from entente.partner import Partner
from entente.run import now
from entente.view import View

EVENT = Day.fromisoformat("2026-01-05")


def market(peers: int = 14, *, effect: float = 0.0, seed: int = 1) -> World:
    """Partners of different size on two kinds of courses; the first half is like the partner."""
    dice = random.Random(seed)
    world = World()

    def course(size: float, season: float, lift: float = 0.0) -> Any:
        def day(left: int) -> float:
            at = 399 - left
            since = world.as_of - left - EVENT.number
            wave = 1 + season * ((at // 7) % 10) / 10 + at / 800
            return size * wave * dice.uniform(0.95, 1.05) * (1 + lift if since >= 0 else 1)

        return day

    for n in range(peers):
        world.partner(f"p{n:02}", industry="tea").days("gross", course(50 + 40 * n, 0.5 if n % 2 else -0.3))
    mine = world.partner("mine", industry="tea").days("gross", course(300, 0.1, effect))
    mine.note("agreements", id="a1", name="Tea for two", starts=str(EVENT.isoformat()))
    return world


def effect_of(world: World, **only: Any) -> Effect:
    partner = world.see("mine")
    found = partner.cohort("industry", **only).control(partner["revenue.net"], event=EVENT)
    world.logged(partner.view)
    return found


def test_a_planted_effect_is_found() -> None:
    effect = effect_of(market(effect=0.3), without_agreement=True)
    truth = effect_of(market(effect=0.3), without_agreement=True).total
    without = effect_of(market(), without_agreement=True)
    assert effect.total == truth  # the same each time
    assert effect.placebo_p == pytest.approx(1 / 15)
    assert 0 < effect.low < effect.total < effect.high
    # 0.3 of what it would have been in the weeks since
    days = [cell for day, cell in market().partner("mine").cells["gross", 0, 0, ""].items() if day >= EVENT.number]
    planted = 0.3 * sum(days[: effect.weeks * 7]) / 1e6
    assert effect.total.number == pytest.approx(planted, rel=0.25)
    assert effect.fit < 0.05
    assert without.placebo_p > 0.1 and without.low < 0 < without.high


def test_what_is_told_is_rounded_and_logged() -> None:
    world = market(effect=0.3).remembers()
    effect = effect_of(world, without_agreement=True)
    assert all(len(str(abs(q.number)).replace(".", "").strip("0")) <= 3 for q in (effect.total, effect.low, effect.high))
    ((slice_, cohort, *_, who),) = world._shown or []
    assert slice_.startswith("revenue.net") and "control" in slice_ and cohort == "industry tea, without agreement"
    assert len(who) == effect.size == 14 and "mine" not in who
    kind, course = effect
    assert kind == "effect" and all(q.rounded(3) == q for q in course.values())
    read = next(read for read in now.reads[::-1] if read.cohort)
    assert (read.cohort, read.size, read.metric) == ("industry tea, without agreement", 14, "revenue.net")


def test_no_peer_is_told_as_the_mixture() -> None:
    """A partner that is just like one peer: with free weights the mixture would be that peer's series."""
    world = market()
    world.partner("p03").cells["gross", 0, 0, ""].update(world.partner("mine").cells["gross", 0, 0, ""])
    before = effect_of(world)
    twin = world.partner("p03")
    twin.days("gross", 5_000, first="2026-06-22", cover=False)  # only the twin's last week is another
    after = effect_of(world)
    moved = abs(after.total.number - before.total.number)
    assert 0 < moved <= 0.41 * 9 * 5_000


def test_weights_are_a_mixture_that_nobody_dominates() -> None:
    dice = random.Random(3)
    courses = [[dice.uniform(0.5, 1.5) for _ in range(20)] for _ in range(9)]
    products = [[sum(x * y for x, y in zip(a, b, strict=True)) for b in courses] for a in courses]
    weights = fitted(products, 0, list(range(1, 9)), 0.4)
    assert sum(weights) == pytest.approx(1) and min(weights) >= 0 and max(weights) <= 0.4 + 1e-9

    def miss(weights: list[float]) -> float:
        mixed = [sum(w * courses[n + 1][t] for n, w in enumerate(weights)) for t in range(20)]
        return sum((a - b) ** 2 for a, b in zip(courses[0], mixed, strict=True))

    least = miss(weights)
    for _ in range(300):  # nothing near it is better
        a, b = dice.sample(range(8), 2)
        other = list(weights)
        step = min(0.02, other[a], 0.4 - other[b])
        other[a] -= step
        other[b] += step
        assert miss(other) >= least - 1e-4


@pytest.mark.parametrize("peers", [3, 4])
def test_too_few_peers_are_no_control(peers: int) -> None:
    with pytest.raises(NotEnoughEvidence, match="fewer than 5 are not shown"):
        effect_of(market(peers), without_agreement=True)


def test_what_cannot_be_worked_out_says_why() -> None:
    world = market()
    partner = world.see("mine")
    cohort = partner.cohort("industry")
    with pytest.raises(TypeError, match="does not add up over weeks"):
        cohort.control(partner["aov"], event=EVENT)
    with pytest.raises(ValueError, match="at least 8"):
        cohort.control(partner["revenue.net"], event=EVENT, before="28d")
    with pytest.raises(NotEnoughEvidence, match="not a week is over"):
        cohort.control(partner["revenue.net"], event=partner.today - 3)
    with pytest.raises(TypeError, match="without_agreement=True"):
        partner.cohort("industry", stage=True)
    for n in range(12):
        world.partner(f"p{n:02}").hole("sales", "2026-02-02", "2026-02-08")
    with pytest.raises(NotEnoughEvidence, match="known in all weeks of 2 peers"):
        effect_of(world)


@pytest.mark.parametrize("who", ["mine", "p05", "sign"])
def test_a_change_reaches_the_effect(who: str) -> None:
    """Of the partner itself, which is not of the cohort; of a peer; and who signs is no peer any more."""
    world = market(effect=0.3)
    view = View(Snapshot(world), kept=True)
    said: list[object] = []

    def judge(index: int, rules: set[int]) -> None:
        now.reset()
        now.pair = index << 16
        partner = Partner(view.of(index), index)
        if partner.id == "mine":
            try:
                effect = partner.cohort("industry", without_agreement=True).control(partner["revenue.net"], event=EVENT)
                said.append((effect.total, effect.size))
            except NotEnoughEvidence as missing:
                said.append(missing.why)
        kept.depend.note(0, index, now.reads)

    from entente import rule

    @rule(practice="proof")
    def proven(partner: Partner) -> Any:
        """An effect."""

    kept = Kept(view, [(0, proven)])
    for index in range(len(view.ids)):
        judge(index, {0})
    net = [view.metrics["revenue.net"].number]

    def lay() -> None:
        if who == "sign":
            world.partner("p05").note("agreements", id="x", starts="2026-03-01")
        else:
            world.partner(who).days("gross", 1_000, first="2026-06-15", cover=False)

    kept.change({view.index["p05" if who == "sign" else who]: None if who == "sign" else net}, lay, judge)
    assert len(said) == 2 and said[0] != said[1]
    fresh = effect_of(world, without_agreement=True)
    assert said[1] == (fresh.total, fresh.size)
    assert day_number("2026-06-15") > EVENT.number
