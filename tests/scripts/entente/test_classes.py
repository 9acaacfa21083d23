# SPDX-License-Identifier: Apache-2.0
"""Who may know of what was read: a rule for both that reads what is ours fails its test, and does not publish."""

import json

import pytest
from entente import Findings, Partner, RuleMistake, insight, rule
from entente.classes import class_of, strictest
from entente.fixture import World
from entente.judge import judge


@rule(practice="trust", audience="both")
def open_issues(partner: Partner) -> Findings:
    """Issues that are open."""
    for issue in partner.register("issues").open():
        yield insight(issue.title, key=issue.id)


@rule(practice="negotiation")
def on_the_table(partner: Partner) -> Findings:
    """The last offer."""
    yield insight(str(partner.register("offers")[0].package))


@rule(practice="negotiation", audience="both", after=("on_the_table", "open_issues"))
def hearsay(partner: Partner, *, whose: str = "on_the_table") -> Findings:
    """What another rule said."""
    for said in partner.findings(whose):
        yield insight(said.text)


@pytest.fixture()
def world() -> World:
    world = World()
    world.partner("a").note("issues", id="1", title="Late", opened="2026-06-01")
    world.partners["a"].note("offers", day="2026-06-01", by="us", package="price=7")
    return world


def test_what_both_know_may_be_published(world: World) -> None:
    said = world.judge(open_issues, "a")
    assert said.verdict is True and said.held == [] and [class_of(r) for r in said.reads] == ["theirs"]
    assert json.loads(said.json())["audience"] == "both"


def test_a_test_of_one_that_reads_what_is_ours_fails_and_says_where(world: World) -> None:
    world.partners["a"].note("issues", id="2", title="Ours", opened="2026-06-02", audience="us")
    with pytest.raises(RuleMistake) as error:
        world.judge(open_issues, "a")
    line = open_issues.line
    assert str(error.value).startswith(f"{__file__}:{line}:1: open_issues is for both sides and reads register issues (ours); ")
    outcome = judge(open_issues, world.see("a"))
    record = json.loads(outcome.json())
    assert record["audience"] == "us" and record["held"] == ["register issues (ours)"]
    assert [e["class"] for e in record["evidence"]] == ["ours"]


def test_a_rule_for_us_reads_what_it_likes(world: World) -> None:
    said = world.judge(on_the_table, "a")
    assert said.verdict is True and said.held == [] and [class_of(r) for r in said.reads] == ["confidential"]
    assert "held" not in json.loads(said.json())


def test_what_others_found_for_us_is_ours_and_so_is_what_was_held_back(world: World) -> None:
    with pytest.raises(RuleMistake, match=r"reads findings on_the_table \(ours\)"):
        world.judge(hearsay, "a", first=(on_the_table,))
    assert world.judge(hearsay, "a", first=(open_issues,), whose="open_issues").verdict is True
    world.partners["a"].note("issues", id="2", title="Ours", opened="2026-06-02", audience="us")
    with pytest.raises(RuleMistake, match=r"reads findings open_issues \(ours\)"):
        world.judge(hearsay, "a", first=(open_issues,), whose="open_issues")


def test_the_strictest_counts() -> None:
    assert strictest("released", "theirs") == "theirs" and strictest("confidential", "ours") == "confidential"
    assert strictest() == "released"


@pytest.mark.parametrize("field", ["stage", "attributes"])
def test_how_far_we_have_come_and_what_we_added_is_ours(world: World, field: str) -> None:
    @rule(practice="trust", audience="both")
    def profiled(partner: Partner) -> Findings:
        """Reads its profile."""
        getattr(partner.profile, field)
        return iter(())

    world.partner("b", stage="negotiation", mood="difficult", industry="furniture")
    with pytest.raises(RuleMistake, match=r"reads profile (stage|mood) \(ours\)"):
        world.judge(profiled, "b")
    field = "industry"
    assert world.judge(profiled, "b").verdict is False


def test_whether_a_confidential_register_is_kept_is_confidential(world: World) -> None:
    @rule(practice="trust", audience="both")
    def looks(partner: Partner) -> Findings:
        """Looks whether it is kept."""
        partner.register("offers").kept("28d")
        return iter(())

    with pytest.raises(RuleMistake, match=r"reads register offers \(confidential\)"):
        world.judge(looks, "a")
