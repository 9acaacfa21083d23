# SPDX-License-Identifier: Apache-2.0
"""partner.integrity(): what the engine's own tests of data found, as rules read it."""

import pytest
from entente import Partner, red_flag
from entente.findings import Findings
from entente.fixture import World
from entente.rules import rule

ROWS = [["order", "day"], ["A1", "2026-06-01"]]


@rule(practice="red_flags")
def sound(partner: Partner, *, checks: tuple[str, ...] = ()) -> Findings:
    """Data that contradicts itself."""
    for check in partner.integrity(*checks):
        yield red_flag(check.text, key=check.key, rows=check.rows)


@pytest.fixture()
def world() -> World:
    made = World()
    made.partner("nordwind").days("orders", 4)
    return made


def test_nothing_wrong(world: World) -> None:
    said = world.judge(sound, "nordwind")
    assert said.verdict is False
    assert (said.reads[0].metric, said.reads[0].top) == ("facts.order", 720), "when one of them changes, it runs again"
    assert [(r.metric, r.state, r.top, r.stop - r.start) for r in said.reads[1:]] == [
        (f"integrity {name}", 0, 0, 180) for name in ("lines_against_total", "swapped_dates", "gap", "duplicates")
    ]
    assert said.reads[1].slice == "of 720 orders"


def test_what_was_found(world: World) -> None:
    shop = world.partners["nordwind"]
    shop.unsound("duplicates", "3 orders stand there twice", source="erp", count=3, rows=ROWS)
    shop.unsound("gap", "no order on 1 June 2026", rows=[["day"], ["2026-06-01"]])
    shop.unsound("gap", "no order on 9 June 2026", rows=[["day"], ["2026-06-09"]])
    said = world.judge(sound, "nordwind")
    assert [f.key for f in said.findings] == ["duplicates erp", "gap nordwind-shop 2026-06-01", "gap nordwind-shop 2026-06-09"]
    assert said.findings[0].text == "3 orders stand there twice" and said.findings[0].rows == ROWS
    assert {r.metric: r.top for r in said.reads}["integrity duplicates"] == 3


def test_only_what_was_asked_for(world: World) -> None:
    world.partners["nordwind"].unsound("duplicates").unsound("gap", rows=[["day"], ["2026-06-01"]])
    said = world.judge(sound, "nordwind", checks=("gap",))
    assert [f.key for f in said.findings] == ["gap nordwind-shop 2026-06-01"]
    assert [r.metric for r in said.reads] == ["facts.order", "integrity gap"]


def test_without_orders_it_is_not_known(world: World) -> None:
    world.partner("quiet").days("sessions", 10)
    said = world.judge(sound, "quiet")
    assert said.verdict == "unknown" and said.asks[0].what == "single orders of a shop"
    assert said.reads[0].state == 1


def test_a_test_that_there_is_not(world: World) -> None:
    said = world.judge(sound, "nordwind", checks=("gaps",))
    assert said.verdict == "failed" and "no test of data is called 'gaps'" in said.error["text"]  # type: ignore[index]
