# SPDX-License-Identifier: Apache-2.0
"""A rule that gets another name keeps what it found: id, life, actor, reason."""

import json
import os
from pathlib import Path

import pytest
import tiny
from conftest import Result, run_in

GROWS = "def grows("


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tiny.make(tmp_path / "project")
    assert run_in(made, "run").status == 0
    return made


def book(folder: Path, *changes: tuple[str, str]) -> None:
    path = folder / "rules" / "tiny.py"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    when = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(when, when))


def found(folder: Path, *words: str) -> list[dict[str, object]]:
    told = run_in(folder, "findings", "--all", "--json", *words)
    assert told.status == 0, told.err
    listed = json.loads(told.out)
    rows: list[dict[str, object]] = listed if isinstance(listed, list) else listed["findings"]
    return rows


def show(folder: Path, which: object) -> dict[str, object]:
    told: dict[str, object] = json.loads(run_in(folder, "findings", "show", str(which), "--json").out)
    return told


def judged(folder: Path) -> Result:
    return run_in(folder, "run")


def test_a_renamed_rule_keeps_its_findings(folder: Path) -> None:
    [before] = found(folder, "--rule", "grows")
    done = run_in(folder, "finding", "acknowledge", str(before["id"]), "--because", "asked on Tuesday", "--by", "Ida")
    assert done.status == 0, done.err
    book(folder, ('@rule(practice="consulting", audience="us")', '@rule(practice="consulting", was="grows")'),
         (GROWS, "def visits_could_buy("))
    assert judged(folder).status == 0
    assert found(folder, "--rule", "grows") == []
    [after] = found(folder, "--rule", "visits_could_buy")
    assert (after["id"], after["state"]) == (before["id"], "acknowledged")
    [change] = show(folder, after["id"])["changes"]  # type: ignore[misc]
    assert (change["actor"], change["reason"]) == ("Ida", "asked on Tuesday")
    # what is made of it from now on stands beside that, under the same id
    assert run_in(folder, "finding", "explain", str(before["id"]), "--because", "a fair").status == 0
    assert [c["reason"] for c in show(folder, before["id"])["changes"]] == ["asked on Tuesday", "a fair"]  # type: ignore[attr-defined]
    # once more, by two names; and the first day is not a new one
    book(folder, ('was="grows"', 'was=("grows", "visits_could_buy")'), ("def visits_could_buy(", "def visits_buy("))
    assert judged(folder).status == 0
    [again] = found(folder, "--rule", "visits_buy")
    assert (again["id"], again["state"], again["since"]) == (before["id"], "explained", before["since"])


def test_without_was_it_is_another_rule(folder: Path) -> None:
    [before] = found(folder, "--rule", "grows")
    book(folder, (GROWS, "def visits_could_buy("))
    assert judged(folder).status == 0
    [after] = found(folder, "--rule", "visits_could_buy")
    assert after["id"] != before["id"]
    [left] = found(folder, "--rule", "grows")
    assert left["state"] == "stale", "no rule can say any more whether it holds"


def test_what_both_names_said_becomes_one(folder: Path) -> None:
    """Renamed first, and told so later: what a person made something of stays."""
    [before] = found(folder, "--rule", "grows")
    run_in(folder, "finding", "acknowledge", str(before["id"]), "--because", "known")
    book(folder, (GROWS, "def visits_could_buy("))
    assert judged(folder).status == 0
    book(folder, ('@rule(practice="consulting", audience="us")', '@rule(practice="consulting", was="grows")'))
    assert judged(folder).status == 0
    [after] = found(folder, "--rule", "visits_could_buy")
    assert (after["id"], after["state"]) == (before["id"], "acknowledged")
    assert found(folder, "--rule", "grows") == []


def test_old_names_that_are_not_free(folder: Path) -> None:
    path = folder / "rules" / "tiny.py"
    book(folder, ('@rule(practice="consulting", audience="us")', '@rule(practice="consulting", was=("sells",))'))
    said = judged(folder)
    line = path.read_text().splitlines().index('@rule(practice="consulting", was=("sells",))') + 1
    assert said.status == 4
    assert f"tiny.py:{line}:1: grows says that it was sells, which still is a rule, in " in said.err
    assert {f["rule"] for f in found(folder)} == {"sells", "grows"}, "both go on as they were"
    book(folder, ('was=("sells",)', 'was="flows"'), ('audience="both")', 'audience="both", was=["flows"])'))
    said = judged(folder)
    assert said.status == 4 and "says that it was flows, and so does" in said.err, said.err


def test_settings_under_the_old_name(folder: Path) -> None:
    book(folder, ('audience="both")', 'audience="both", was="sells")'), ("def sells(", "def sells_enough("))
    said = judged(folder)
    assert said.status == 4 and "'sells', which is called 'sells_enough' now" in said.err, said.err


def test_because_and_reason_are_one(folder: Path) -> None:
    [before] = found(folder, "--rule", "grows")
    said = run_in(folder, "findings", "resolve", str(before["id"]), "--because", "a", "--reason", "b")
    assert said.status == 2 and "--because and --reason say the same" in said.err
    said = run_in(folder, "finding", "resolve", str(before["id"]))
    assert said.status == 2 and "write --because TEXT" in said.err
