# SPDX-License-Identifier: Apache-2.0
"""Partners whose day has not come as far as that of others: each is judged as of its own day, and its cohorts are read
over the same days as itself."""

import json
from pathlib import Path
from typing import Any

import pytest
from entente import insight, previous, rule, worker
from entente.changes import Kept
from entente.day import Day, Period, day_number
from entente.fixture import Snapshot, World
from entente.partner import Partner
from entente.view import View


@pytest.fixture()
def world() -> World:
    """As of the first of a month; w is still in the month before, and x two days behind."""
    made = World(as_of="2026-07-01", least_cohort=3)
    for n, name in enumerate(("a", "b", "c", "d")):
        made.partner(name, industry="tea").days("orders", 10 + n).keeps("contacts", "2026-01-01")
    behind = made.partner("w", industry="tea").judged_on("2026-06-30").days("orders", 5)
    behind.keeps("contacts", "2026-01-01")
    made.partner("x", industry="tea").judged_on("2026-06-29").days("orders", 7)
    return made


def test_windows_end_with_the_partners_own_day(world: World) -> None:
    today = {name: world.see(name).today.isoformat() for name in ("a", "w", "x")}
    assert today == {"a": "2026-07-01", "w": "2026-06-30", "x": "2026-06-29"}
    for name, orders in (("a", 70), ("w", 35), ("x", 49)):
        partner = world.see(name)
        span = partner.view.span("7d")
        assert span.stop == partner.today.number + 1 and span.stop - span.start == 7
        assert partner["orders"].over("7d") == orders  # all of its days are known
        assert partner.view.span(previous("7d")).stop == span.start
        assert partner["orders"].known_until() == partner.today


def test_months_that_are_over_are_over_there(world: World) -> None:
    assert str(world.see("a").months(1)[0]) != str(world.see("x").months(1)[0])
    assert world.see("a").months(1)[0].start == day_number("2026-06-01")
    assert world.see("w").months(1)[0].start == day_number("2026-06-01")  # its last day has begun
    assert world.see("x").months(1)[0].start == day_number("2026-05-01")


def test_a_period_reaches_no_further_than_the_own_day(world: World) -> None:
    whole = Period(day_number("2026-06-21"), day_number("2026-07-03"), "some days")
    assert world.see("a")["orders"].over(whole) == 110
    assert world.see("w")["orders"].over(whole) == 50
    # of another partner, too, nobody is shown what comes after one's own day
    assert world.see("w").view.snapshot.window(0, 0, whole.start, whole.stop)[3] == 10
    assert world.see("a").view.snapshot.window(0, 0, whole.start, whole.stop)[3] == 11


def test_cohorts_are_read_over_the_own_days(world: World) -> None:
    world.partner("a").days("orders", 20, first="2026-07-01")  # nobody knows that in the zone of w
    ahead, behind = world.see("a").cohort("industry")["orders"], world.see("w").cohort("industry")["orders"]
    assert behind.over("1d").quantile(1) == 12  # the second largest
    assert ahead.over("1d").size == 4  # there is no such day for w and x so far
    assert ahead.over("1d").median == 12.5
    assert behind.over("1d").size == 5 and behind.over("1d").median == 11


def test_one_day_for_all_is_one_view(world: World) -> None:
    same = World()
    same.partner("a").days("orders", 1)
    view = View(same.snapshot())
    assert view.of(0) is view and view.days() == [view]
    view = View(world.snapshot())
    assert view.of(0) is view and view.of(4) is view.of(4) is not view
    assert view.of(5) is not view.of(4) and len(view.days()) == 3
    assert view.of(4).metrics is view.metrics and view.of(4).spans is not view.spans
    with pytest.raises(ValueError, match="after the snapshot"):
        view.snapshot.at(view.as_of + 1)


def test_registers_end_with_the_own_day(world: World) -> None:
    for name in ("a", "w"):
        world.partner(name).note("contacts", at="2026-07-01T09:00:00Z", kind="meeting")
    assert len(world.see("a").register("contacts")) == 1
    assert len(world.see("w").register("contacts")) == 0


@rule(practice="informative")
def compares(partner: Partner) -> Any:
    """Against its peers."""
    peers = partner.cohort("industry")["orders"].over("7d")
    yield insight(f"{partner.today.isoformat()}: {partner['orders'].over('7d')} of {peers.median}")


def test_a_change_reaches_who_read_it_on_any_day(world: World) -> None:
    """Figures of cohorts are kept for each day: a partner that changes moves all of them."""
    snapshot = Snapshot(world)
    view = View(snapshot, kept=True)
    kept = Kept(view, [(0, compares)])
    said: dict[str, list[str]] = {}

    def judged(index: int, rules: set[int] | None = None) -> None:
        from entente import run

        run.now.reset()
        run.now.pair = index << 16
        partner = Partner(view.of(index), index)
        said[partner.id] = [f.text for f in compares.function(partner)]
        kept.depend.note(0, index, run.now.reads)

    for index in range(len(view.ids)):
        judged(index)
    assert said["w"][0].startswith("2026-06-30: ") and said["x"][0].startswith("2026-06-29: ")
    before = dict(said)
    again: list[int] = []

    def lay() -> None:
        for name in ("b", "c"):
            world.partner(name).days("orders", 40, first="2026-06-25", last="2026-06-27", cover=False)

    def once_more(index: int, rules: set[int]) -> None:
        again.append(index)
        judged(index, rules)

    orders = view.metrics["orders"].number
    kept.change({1: [orders], 2: [orders]}, lay, once_more)
    assert again == [0, 1, 2, 3, 4, 5]
    assert all(said[name] != before[name] for name in said)


def test_the_worker_judges_each_on_its_day(tmp_path: Path, world: World) -> None:
    (tmp_path / "book.py").write_text(
        "from entente import insight, rule\n\n@rule(practice='informative')\ndef day(partner):\n"
        "    '''What day it is.'''\n"
        "    yield insight(partner.today.isoformat())\n"
    )
    worker.load(json.dumps({"books": [str(tmp_path)]}))
    records: list[bytes] = []
    worker.evaluate(world.snapshot(), "{}", records.append, lambda rule, partner: None)
    said = {r["partner"]: r["findings"][0]["text"] for r in map(json.loads, records)}
    assert said["a"] == "2026-07-01" and said["w"] == "2026-06-30" and said["x"] == "2026-06-29"
    page = json.loads(worker.brief(world.snapshot(), json.dumps({"partner": "w", "format": "json"})))
    assert page["as_of"] == "2026-06-30" and Day.fromisoformat(page["window"]["end"]) == Day.fromisoformat("2026-07-01")
