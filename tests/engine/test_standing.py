# SPDX-License-Identifier: Apache-2.0
"""What the rules said stands until something changes that they rest on; then all of them are asked again."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from project import Project, Said
from shop import export, orders

SOURCES = """\
  north: {partner: nordwind, from: {file: ./north.csv}, decode: shopify}
  south: {partner: suedwind, from: {file: ./south.csv}, decode: shopify}
"""
RULES = "  books: [./rules]"
BOOK = '''
from entente import insight, rule
from ._words import WORD


@rule(practice="informative")
def sells(partner, *, least: int = 1):
    """It sells."""
    if partner["orders"].over("28d") >= least:
        yield insight(f"{WORD} {partner.name}")
'''
MADE = orders(100, seed=5)
#: The same moment for the files of all projects here: what is not to matter must not depend on the clock.
DATED = 5


@pytest.fixture()
def p(tmp_path: Path) -> Project:
    p = Project(tmp_path / "p", SOURCES, rules=RULES)
    p.write("rules/book.py", BOOK, DATED)
    p.write("rules/_words.py", "WORD = 'sells'\n", DATED)
    p.write("rules/table.json", "[1]", DATED)
    p.write("north.csv", export(MADE), DATED)
    p.write("south.csv", export(orders(80, seed=6)), DATED)
    said = p.run()
    assert not said.json["judged"]["unchanged"] and said.json["judged"]["evaluations"] == 2
    return p


def stands(said: Said) -> bool:
    judged = said.json["judged"]
    assert judged["unchanged"] == (judged["evaluations"] == 0)
    unchanged: bool = judged["unchanged"]
    return unchanged


def judgement(p: Project) -> list[tuple[object, ...]]:
    said = {(r["rule"], r["partner"]): json.dumps(r) for r in p.records()}
    rows = p.sql("select rule, partner, verdict, run from v_verdict order by 1, 2")
    return [(*row, said[row[0], row[1]]) for row in rows]


def test_nothing_new_is_not_judged(p: Project) -> None:
    before, first = judgement(p), p.run("--as-of", "2024-04-20")
    assert not stands(first)
    p.run()
    settled = judgement(p)
    for _ in range(2):
        said = p.run()
        assert stands(said)
        assert judgement(p) == settled, "not even the number of the run"
        assert {k: said.json["judged"][k] for k in ("rules", "partners", "true", "false", "unknown", "failed", "findings")} == {
            "rules": 1, "partners": 2, "true": 2, "false": 0, "unknown": 0, "failed": 0, "findings": 2,
        }
        assert [row["partner"] for row in said.json["partners"]] == ["nordwind", "suedwind"]
    assert [row[2] for row in before] == [row[2] for row in settled]


def another_day(p: Project) -> Said:
    return p.run("--as-of", "2024-04-20")


def rule_changed(p: Project) -> Said:
    p.write("rules/book.py", BOOK.replace("28d", "27d"), DATED + 1)
    return p.run()


def rule_of_the_same_size_and_time(p: Project) -> Said:
    """As an editor leaves it that writes a new file in place of the old one, whatever its date says."""
    path = p.write("rules/fresh", BOOK.replace("28d", "27d"), DATED)
    os.replace(path, p.folder / "rules/book.py")
    return p.run()


def helper_changed(p: Project) -> Said:
    p.write("rules/_words.py", "WORD = 'does sell'\n", DATED)
    return p.run()


def data_beside_the_rules(p: Project) -> Said:
    p.write("rules/more/table.json", "[2]", DATED)
    return p.run()


def rule_added(p: Project) -> Said:
    p.write("rules/other.py", BOOK.replace("def sells", "def sold"), DATED)
    said = p.run()
    assert said.json["judged"]["rules"] == 2
    return said


def setting(p: Project) -> Said:
    p.rules = RULES + "\n  set: {sells: {least: 1000}}"
    p.configure()
    said = p.run()
    assert said.json["judged"]["true"] == 0
    return said


def profile(p: Project) -> Said:
    p.partners = p.partners.replace("name: Nordwind", "name: Nord")
    p.configure()
    return p.run()


def order(p: Project) -> Said:
    p.write("north.csv", export([*MADE, replace(MADE[-1], number=9)]), DATED + 1)
    return p.run()


def file_gone_bad(p: Project) -> Said:
    p.write("south.csv", export(orders(80, seed=7)), DATED)
    return p.run()


def read_without_rules(p: Project) -> Said:
    p.write("north.csv", export([*MADE, replace(MADE[-1], number=9)]), DATED + 1)
    assert "judged" not in p.run("--no-rules").json
    return p.run()


def entry(p: Project) -> Said:
    added = p.entente("register", "contacts", "add", "nordwind", "kind=mail", "at=2024-04-01")
    assert added.status == 0, added
    return p.run()


CHANGES: dict[str, Callable[[Project], Said]] = {
    change.__name__: change
    for change in (
        another_day, rule_changed, rule_of_the_same_size_and_time, helper_changed, data_beside_the_rules, rule_added, setting,
        profile, order, file_gone_bad, read_without_rules, entry,
    )
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_they_rest_on(p: Project, change: str) -> None:
    assert stands(p.run())
    assert not stands(CHANGES[change](p))
    if change != "another_day":
        assert stands(p.run()), "and then that stands"


def test_a_rule_that_failed_is_asked_again(p: Project) -> None:
    p.write("rules/book.py", BOOK.replace("yield insight", "raise ValueError"), DATED)
    for _ in range(2):
        said = p.run(status=4)
        assert not stands(said) and said.json["judged"]["failed"] == 2


def test_a_broken_book_is_told_each_time(p: Project) -> None:
    p.write("rules/broken.py", "def (", DATED)
    for _ in range(2):
        said = p.run(status=4)
        assert not stands(said) and "broken.py" in str(said.json["rule_errors"])


def test_what_modules_are_imported_is_not_known(p: Project) -> None:
    p.rules = RULES + "\n  import: [yaml]"
    p.configure()
    assert not stands(p.run()) and not stands(p.run())


def test_what_was_cut_short_does_not_stand(p: Project) -> None:
    """Facts are committed before the rules are asked: a run that ends between the two leaves verdicts of another moment."""
    p.write("north.csv", export([*MADE, replace(MADE[-1], number=9)]), DATED + 1)
    p.run("--no-rules")
    assert not stands(p.run())
