# SPDX-License-Identifier: Apache-2.0
"""Registers: what an absence means, and nothing that only the future knew."""

import re
from pathlib import Path

import pytest
from entente import Day, NotEnoughEvidence, all_of, any_of
from entente.fixture import World
from entente.missing import Ask, merged
from entente.register import _FIELDS


def contacts() -> World:
    world = World(as_of="2026-06-30")
    shop = world.partner("a")
    shop.note("contacts", at="2026-06-20T09:00:00Z", kind="mail", answered_at="2026-07-02T09:00:00Z")
    shop.note("contacts", at="2026-06-01T14:00:00Z", kind="meeting", held=True)
    shop.note("contacts", at="2026-07-01T14:00:00Z", kind="meeting", held=True)
    return world


def test_the_future_is_not_seen() -> None:
    register = contacts().see("a").register("contacts")
    assert [e.kind for e in register] == ["meeting", "mail"]
    assert register.last().where(kind="mail") and [e.answered_at for e in register] == [None, None]
    assert register.days_since_last() == 10
    assert [e.day for e in register] == [Day(2026, 6, 1), Day(2026, 6, 20)]


def test_a_meeting_that_did_not_take_place_is_no_contact() -> None:
    world = contacts()
    world.partners["a"].note("contacts", at="2026-06-25T09:00:00Z", kind="meeting", held=False)
    assert world.see("a").register("contacts").days_since_last() == 10


def test_an_absence_means_something_only_while_the_register_is_kept() -> None:
    world = contacts()
    register = world.see("a").register("contacts")
    assert register.kept_since == Day(2026, 6, 1)
    assert len(register.during("28d")) == 1
    with pytest.raises(NotEnoughEvidence, match="kept only since 1 June 2026"):
        register.during("60d")
    world.partners["a"].keeps("contacts", "2026-01-01")
    assert not world.see("a").register("contacts").any(since="60d", kind="call")
    with pytest.raises(NotEnoughEvidence, match="the register told is not kept"):
        world.see("a").register("told").during("28d")


def test_fields() -> None:
    world = World()
    world.partner("a").note(
        "claims",
        id="c1",
        state="open",
        text="20,000 a month",
        said_on="2026-06-01",
        due="2026-12-31",
        value=20000,
    )
    world.partners["a"].note("claims", id="c2", state="withdrawn", said_on="2026-05-01")
    (claim,) = world.see("a").register("claims").open()
    assert (
        claim.due - claim.said_on == Day(2026, 12, 31) - Day(2026, 6, 1)
        and claim.value == 20000
        and claim.who is None
    )
    with pytest.raises(AttributeError, match="has no field 'valeu'"):
        assert claim.valeu


def missing() -> bool:
    raise NotEnoughEvidence("x", Ask("x"))


def test_three_valued_logic() -> None:
    assert all_of(missing, lambda: False) is False and any_of(missing, lambda: True) is True
    assert all_of(lambda: True, lambda: True) is True and any_of(lambda: False) is False
    with pytest.raises(NotEnoughEvidence):
        all_of(missing, lambda: True)
    with pytest.raises(NotEnoughEvidence):
        any_of(lambda: False, missing)


def test_adjoining_days_are_asked_for_in_one_piece() -> None:
    asks = [
        Ask("orders", "orders", 10, 20, "s"),
        Ask("orders", "orders", 40, 50, "s"),
        Ask("orders", "orders", 20, 30, "s"),
        Ask("orders", "orders", 20, 30, "other"),
        Ask("x"),
        Ask("x"),
    ]
    assert [(a.what, a.start, a.stop, a.source) for a in merged(asks)] == [
        ("orders", 10, 30, "s"),
        ("orders", 40, 50, "s"),
        ("orders", 20, 30, "other"),
        ("x", None, None, ""),
    ]


def test_fields_are_those_of_the_engine() -> None:
    text = (Path(__file__).resolve().parents[3] / "core" / "engine" / "register_schemas.c").read_text()
    for name, known in _FIELDS.items():
        table = text[text.index(f"ent_register_field {name}[]") :]
        assert set(re.findall(r'^\t\{"(\w+)"', table[: table.index("END}")], re.M)) == known
