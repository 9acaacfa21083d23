# SPDX-License-Identifier: Apache-2.0
"""Registers: what an absence means, and nothing that only the future knew."""

import re
from pathlib import Path

import pytest
from entente import Day, NotEnoughEvidence, all_of, any_of
from entente.classes import class_of
from entente.fixture import World
from entente.missing import Ask, merged
from entente.run import now
from entente.schemas import SCHEMAS


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
    types = dict(zip(("TEXT", "DATE", "TIME", "NUMBER", "BOOL", "WORD", "PAIRS"),
                     ("text", "date", "time", "number", "yes or no", "one of", "pairs"), strict=True))
    rows = re.findall(r'\{"(\w+)", "[^"]+", "[\w ]+",\s*"([\w ]+)",\s*ENT_AUDIENCE_(\w+),\s*(\w+)\}', text)
    assert {row[0] for row in rows} == set(SCHEMAS)
    for name, closing, audience, table in rows:
        body = text[text.index(f"ent_register_field {table}[]") :]
        body = body[: body.index("END}")]
        fields = {n: types[t] for n, t in re.findall(r'\{"(\w+)",\s*ENT_REG_(\w+)', body)}
        if "AUDIENCE," in body:
            fields["audience"] = "one of"
        assert SCHEMAS[name] == (audience.lower(), frozenset(closing.split()), fields), name


def test_types_states_and_ages() -> None:
    world = World()
    shop = world.partner("a")
    shop.note("agreements", id="1", name="Frame", starts="2026-01-01", ends="2026-06-30", promises="revenue.net=120; orders=9")
    shop.note("agreements", id="2", name="Later", starts="2026-07-01")
    shop.note("agreements", id="3", name="Over", starts="2025-01-01", state="ended")
    shop.note("issues", id="1", title="Late", opened="2026-06-10")
    shop.note("issues", id="2", title="Gone", opened="2026-05-01", state="closed")
    shop.note("terms", title="t", kind="k", unit="%", from_="2026-01-01")
    partner = world.see("a")
    (frame,) = partner.register("agreements").active()
    assert frame.promises == {"revenue.net": 120, "orders": 9} and frame.starts == Day(2026, 1, 1)
    (issue,) = partner.register("issues").open()
    assert issue.age_days == 20
    assert partner.register("terms")[0].from_ == Day(2026, 1, 1)


def test_entries_of_one_day_stand_in_the_order_of_their_ids() -> None:
    shop = World().partner("a")
    for name in ("10", "b", "9", "a", "2"):
        shop.note("offers", id=name, day="2026-06-01")
    shop.note("offers", id="1", day="2026-06-02")
    assert [e.id for e in shop.world.see("a").register("offers")] == ["a", "b", "2", "9", "10", "1"]


def test_a_register_that_nobody_keeps_says_nothing() -> None:
    world = World()
    world.partner("a")
    with pytest.raises(NotEnoughEvidence, match="the register issues is not kept"):
        list(world.see("a").register("issues").open())
    world.partners["a"].keeps("issues", "2026-01-01")
    assert not list(world.see("a").register("issues").open())


def test_what_is_looked_at_is_evidence_once_and_has_its_class() -> None:
    world = World()
    shop = world.partner("a")
    shop.note("contacts", at="2026-06-20", kind="mail").note("offers", day="2026-06-20", by="us", package="a=1")
    shop.note("issues", title="x", opened="2026-06-01", audience="us").note("notes", text="x")
    now.reset()
    partner = world.see("a")
    contacts = partner.register("contacts")
    assert not now.reads  # nobody has looked yet
    mails = contacts.where(kind="mail")
    assert len(mails) == 1 and len(list(mails)) == 1 and len(mails.during("11d")) == 1
    assert [(r.slice, r.start, class_of(r)) for r in now.reads[:1]] == [
        ("kind=mail", Day(2026, 6, 20).number, "theirs")
    ]
    assert len(now.reads) == 2 and not now.held  # as a whole, and within the window
    assert partner.register("offers")[0].by == "us" and partner.register("issues")[0].title == "x"
    assert partner.register("notes")[0].text == "x"
    assert now.held == ["register offers (confidential)", "register issues (ours)", "register notes (ours)"]
    now.reset()
    assert now.held == []


def test_own_registers_have_types_and_a_class() -> None:
    world = World()
    world.registers["visits"] = {"audience": "both", "closing": "closed", "fields": {"seen_on": "date", "n": "number"}}
    world.partner("a").note("visits", seen_on="2026-06-01", state="closed")
    now.reset()
    register = world.see("a").register("visits")
    assert register[0].seen_on == Day(2026, 6, 1) and not list(register.open()) and not now.held
    with pytest.raises(AttributeError, match="the register visits has no field 'm'; it has n, seen_on"):
        assert register[0].m
