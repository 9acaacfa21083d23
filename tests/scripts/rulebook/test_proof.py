# SPDX-License-Identifier: Apache-2.0
"""value_is_proven on planted cases: an effect, none, an agreement that is too young, peers that are too few."""

import random

import pytest
from entente.books import Books
from entente.day import Day
from entente.fixture import World
from entente.rules import Rule

STARTS = Day.fromisoformat("2026-01-05")


@pytest.fixture()
def value_is_proven(book: Books) -> Rule:
    return book.rule("value_is_proven")


def market(lift: float, *, peers: int = 14, starts: Day = STARTS, promises: float | None = None) -> World:
    """Shops that go up and down together; one of them has signed."""
    dice = random.Random(5)
    world = World()
    for n in range(peers + 1):
        size = 60 + 40 * n
        signed = n == peers

        def day(left: int, size: int = size, signed: bool = signed) -> float:
            since = world.as_of - left >= starts.number
            return size * (1 + left % 50 / 100) * dice.uniform(0.95, 1.05) * (1 + lift if since and signed else 1)

        shop = world.partner("mine" if signed else f"p{n:02}", industry="tea").days("gross", day)
        shop.keeps("agreements", "2025-01-01")
        if signed:
            more = {} if promises is None else {"promises": {"revenue.net": promises}, "window": "365d"}
            shop.note("agreements", id="a1", name="Tea for two", starts=starts.isoformat(), state="open", **more)
    return world


def test_true(value_is_proven: Rule) -> None:
    said = market(0.4).judge(value_is_proven, "mine")
    assert said.verdict is True
    (found,) = said.findings
    assert (found.kind, found.key) == ("insight", "a1")
    assert found.text.startswith("Tea for two added ") and " in 25 weeks (from " in found.text
    assert found.chart is not None and found.chart[0] == "effect" and len(found.chart[1]) == 2 * (25 + 25)
    assert any(read.cohort == "industry tea, without agreement" and read.size == 14 for read in said.reads)


def test_what_was_promised(value_is_proven: Rule) -> None:
    (found,) = market(0.4, promises=100_000).judge(value_is_proven, "mine").findings
    assert found.text.endswith("% of what was promised until now")
    (half,) = market(0.4, promises=200_000).judge(value_is_proven, "mine").findings
    share, of_half = (int(text.rsplit("%", 1)[0].rsplit(" ", 1)[1]) for text in (found.text, half.text))
    assert abs(share - 2 * of_half) <= 1


def test_a_loss_is_no_gain(value_is_proven: Rule) -> None:
    (found,) = market(-0.4).judge(value_is_proven, "mine").findings
    assert found.text.startswith("Tea for two cost ")


def test_no_effect(value_is_proven: Rule) -> None:
    (found,) = market(0.0).judge(value_is_proven, "mine").findings
    assert found.text == "Tea for two: no effect that chance could not make in 25 weeks"


def test_false(value_is_proven: Rule) -> None:
    world = market(0.4)
    world.partner("mine").registers.clear()
    assert world.judge(value_is_proven, "mine").verdict is False


def test_unknown(value_is_proven: Rule) -> None:
    young = market(0.4, starts=World().today - 30).judge(value_is_proven, "mine")
    assert young.verdict == "unknown"
    assert young.findings[0].decides_on == World().today - 30 + 90
    few = market(0.4, peers=4).judge(value_is_proven, "mine")
    assert few.verdict == "unknown" and "fewer than 5 are not shown" in few.missed[0]
    chance = market(0.4, peers=7).judge(value_is_proven, "mine")
    assert [f.text for f in chance.findings] == ["Tea for two: 7 peers are too few to tell an effect from chance"]
    world = market(0.4)
    world.partner("mine").hole("sales", "2025-08-01", "2025-12-31")
    assert world.judge(value_is_proven, "mine").verdict == "unknown"
