# SPDX-License-Identifier: Apache-2.0
"""worth_telling on planted cases: what is unusual is told, what was told is not, and what weighs most comes first."""

import random

import pytest
from entente.books import Books
from entente.fixture import World
from entente.rules import Rule


@pytest.fixture()
def worth_telling(book: Books) -> Rule:
    return book.rule("worth_telling")


@pytest.fixture()
def world() -> World:
    """Nine shops, most of whose orders come from the web."""
    dice = random.Random(2)
    made = World()
    for n in range(9):
        shop = made.partner(f"p{n}", industry="tea").keeps("told", "2025-01-01")
        for channel, share in (("online/web", 0.8), ("online/app", 0.2)):
            orders = [round(share * dice.uniform(18, 22)) for _ in range(400)]
            shop.days("orders", orders, channel=channel)
            shop.days("gross", [50.0 * n * dice.uniform(0.95, 1.05) for n in orders], channel=channel)
        shop.days("sessions", 600)
    return made


def test_true(world: World, worth_telling: Rule) -> None:
    shop = world.partner("p4")
    shop.days("gross", 700, channel="online/app", cover=False)  # its app sells far more than that of others
    said = world.judge(worth_telling, "p4")
    assert said.verdict is True
    keys = [found.key for found in said.findings]
    assert keys[0] == "revenue.net" and "revenue.net, channel online/app" in keys and len(keys) <= 5
    assert [found.rank for found in said.findings] == sorted((f.rank for f in said.findings), reverse=True)
    assert "Net revenue (online/app): " in said.findings[keys.index("revenue.net, channel online/app")].text
    assert "the median of 9 peers is " in said.findings[0].text


def test_what_was_told_is_not_told_again(world: World, worth_telling: Rule) -> None:
    world.partner("p4").days("gross", 700, channel="online/app", cover=False)
    before = {found.key for found in world.judge(worth_telling, "p4", top=50).findings}
    world.partner("p4").note("told", about="revenue.net", on="2026-05-01", state="given")
    after = {found.key for found in world.judge(worth_telling, "p4", top=50).findings}
    assert before - after == {"revenue.net"}
    world.partner("p4").registers["told"][0]["on"] = "2025-06-01"
    assert "revenue.net" in {found.key for found in world.judge(worth_telling, "p4", top=50).findings}


def test_false(world: World, worth_telling: Rule) -> None:
    said = world.judge(worth_telling, "p4", least_z=3.0)
    assert said.verdict is False and not said.missed


def test_unknown(world: World, worth_telling: Rule) -> None:
    world.partner("p4").hole("traffic", "2026-05-01", "2026-06-30")
    said = world.judge(worth_telling, "p4", least_z=3.0)
    assert said.verdict == "unknown" and any("sessions" in why for why in said.missed)
    world.partner("p4").days("gross", 700, channel="online/app", cover=False).kept.clear()
    said = world.judge(worth_telling, "p4")
    assert said.verdict == "unknown" and any("told" in why for why in said.missed)


def test_slices_are_measures(world: World) -> None:
    from entente import metrics

    partner = world.see("p0")
    found = partner.measures(metrics.tagged("briefing"), by=("channel",))
    assert {"": 1, "channel": 2}.items() <= {
        view: sum(list(one.slice) == ([view] if view else []) for one in found if one.metric.name == "orders")
        for view in ("", "channel")
    }.items()
    app = next(one for one in found if one.label == "orders, channel online/app")
    assert app.slice == {"channel": "online/app"}
    assert partner["orders"].where(**app.slice).over("28d") == app.over("28d")
    assert partner["orders"].where(side="online").slice == {"side": "online"}
    assert partner["orders"].where(origin="analytics").slice == {"origin": "analytics"}
    assert not any(one.metric.name == "load_time.mean" for one in found)  # nothing was loaded
    with pytest.raises(LookupError, match="no metric has the tag 'brefing'; there are .*briefing"):
        partner.measures(metrics.tagged("brefing"))
    with pytest.raises(ValueError, match="no view is called"):
        partner.measures(metrics.tagged("briefing"), by=("colour",))
