# SPDX-License-Identifier: Apache-2.0
"""sources_disagree (row 48) tells what the engine's tests of orders found, too."""

import pytest
from entente.books import load_books
from entente.fixture import World
from entente.rules import Rule


@pytest.fixture(scope="module")
def sources_disagree() -> Rule:
    return load_books(["shipped"]).rule("sources_disagree")


@pytest.fixture()
def world() -> World:
    made = World()
    made.partner("nordwind").days("orders", 4).days("gross", 400.0)
    return made


def test_false(world: World, sources_disagree: Rule) -> None:
    said = world.judge(sources_disagree, "nordwind")
    assert not said.findings and said.error is None
    assert "integrity gap" in {r.metric for r in said.reads}


def test_true(world: World, sources_disagree: Rule) -> None:
    world.partners["nordwind"].unsound("duplicates", "3 orders stand there twice", source="erp", count=3)
    said = world.judge(sources_disagree, "nordwind")
    assert said.verdict is True
    [found] = said.findings
    assert (found.kind, found.key, found.text) == ("red_flag", "duplicates erp", "3 orders stand there twice")


def test_set_to_none_it_does_not_ask(world: World, sources_disagree: Rule) -> None:
    world.partners["nordwind"].unsound("duplicates")
    said = world.judge(sources_disagree, "nordwind", checks=())
    assert not said.findings and not [r for r in said.reads if r.metric.startswith("integrity")]


def test_without_orders_it_says_what_it_said_before(world: World, sources_disagree: Rule) -> None:
    world.partner("quiet").days("sessions", 10)
    said = world.judge(sources_disagree, "quiet")
    assert said.verdict == "unknown" and not [r for r in said.reads if r.metric.startswith("integrity")]
