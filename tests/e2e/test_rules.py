# SPDX-License-Identifier: Apache-2.0
"""Rules that fail, hang, eat memory and leave, inside a whole run: a finding about each."""

import json
from pathlib import Path

import pytest
from project import Project
from shop import export, orders

SOURCES = """\
  north:
    partner: nordwind
    from: {file: ./north.csv}
    decode: shopify
  south:
    partner: suedwind
    from: {file: ./south.csv}
    decode: shopify
"""
HEAD = '''"""A book."""
import os
import time

from entente import Findings, Partner, insight, rule


'''
GOOD = '''@rule(practice="informative")
def fine(partner: Partner) -> Findings:
    """Says how many orders there were."""
    print("looking at", partner.id)
    yield insight(f"{partner['orders'].over('8w')} orders")
'''
RULE = '''

@rule(practice="informative")
def bad(partner: Partner) -> Findings:
    """Does what it should not."""
    if partner.id == "nordwind":
        {what}
    yield insight("still here")
'''
RULE_AND_ANOTHER = RULE + '''

@rule(practice="informative")
def zest(partner: Partner) -> Findings:
    """Comes after it."""
    yield insight("as always")
'''
#: Those that cannot be survived are left out, for all partners.
STOPPED = ("endless", "sleep", "exit", "abort", "segv")
#: What the bad rule does, and what is said of it.
CASES = {
    "exception": ("raise ValueError('seven')", "seven"),
    "endless": ("while True: pass", "it did not end within 1.0 s"),
    "sleep": ("time.sleep(60)", "it did not end within 1.0 s"),
    "memory": ("hoard = [bytes(1 << 20) for _ in range(1 << 20)]", "emory"),
    "exit": ("os._exit(3)", "status 3"),
    "system-exit": ("raise SystemExit('bye')", "bye"),
    "recursion": ("f = lambda f: f(f); f(f)", "recursion"),
    "abort": ("os.abort()", "signal 6"),
    "segv": ("import ctypes; ctypes.string_at(0)", ""),
    "file": ("open('/etc/passwd')", "passwd"),
    "socket": ("import socket; socket.socket()", ""),
}


def project(folder: Path, book: str) -> Project:
    p = Project(folder, SOURCES, rules="  books: [./rules]\n  deadline: 1s\n  memory: 256MB")
    p.write("rules/book.py", book)
    p.write("north.csv", export(orders(300, seed=5)))
    p.write("south.csv", export(orders(200, seed=6)))
    return p


def verdicts(p: Project) -> dict[tuple[str, str], str]:
    rows = p.sql("select rule, partner, verdict from v_verdict")
    return {(rule, partner): verdict for rule, partner, verdict in rows}


def findings(p: Project, rule: str) -> dict[str, str]:
    rows = p.sql("select partner, text from finding where rule = ? and state = 'open'", rule)
    return dict(rows)


def test_good_rules(tmp_path: Path) -> None:
    p = project(tmp_path / "p", HEAD + GOOD)
    said = p.run()
    assert said.json["judged"]["failed"] == 0 and said.json["judged"]["true"] == 2
    assert set(findings(p, "fine")) == {"nordwind", "suedwind"}
    assert "looking at nordwind" in str(p.records())


@pytest.mark.parametrize("case", CASES)
def test_failure_is_a_finding_about_its_rule(tmp_path: Path, case: str) -> None:
    what, why = CASES[case]
    book = HEAD + GOOD + RULE_AND_ANOTHER.format(what=what)
    p = project(tmp_path / case, book)
    said = p.entente("run")
    assert said.status in (0, 4), said.err
    line = next(n for n, text in enumerate(book.splitlines(), 1) if what in text)
    record = p.record("bad", "nordwind")
    assert record["verdict"] == "failed", record
    assert why in json.dumps(record), record
    error = record["error"]
    assert error["file"].endswith("book.py")
    if case not in ("exit", "abort", "segv"):  # then the rule itself is named, its line nobody could say
        assert error["line"] == line
    found = findings(p, "bad")
    assert why in found["nordwind"]
    if case in STOPPED:
        assert said.status == 4 and "the rule bad was stopped" in said.err and "book.py" in said.err
        assert verdicts(p)["bad", "suedwind"] == "failed", "what takes its process along is not tried again"
    else:
        assert said.json["judged"]["failed"] == 1
        assert found["suedwind"] == "still here", "the other partner is judged all the same"
    assert set(findings(p, "fine")) == {"nordwind", "suedwind"}
    assert set(findings(p, "zest")) == {"nordwind", "suedwind"}


def test_failed_rule_leaves_its_findings_as_they_were(tmp_path: Path) -> None:
    """Verdict unknown, or the rule failed: unchanged, marked stale."""
    p = project(tmp_path / "p", HEAD + GOOD + RULE.format(what="pass"))
    p.run()
    assert set(findings(p, "bad")) == {"nordwind", "suedwind"}
    p.write("rules/book.py", HEAD + GOOD + RULE.format(what="raise ValueError('seven')"), 10)
    p.entente("run")
    rows = p.sql("select partner, state, text from finding where rule = 'bad' order by partner, state")
    assert [(partner, state) for partner, state, _ in rows] == [
        ("nordwind", "open"), ("nordwind", "stale"), ("suedwind", "open")
    ], rows  # fmt: skip
    assert "seven" in rows[0][2] and rows[1][2] == "still here"
    p.write("rules/book.py", HEAD + GOOD + RULE.format(what="pass"), 20)
    p.run()
    bad = "from finding where rule = 'bad' and partner = 'nordwind'"
    states = p.sql(f"select text, state {bad} order by state")
    assert [state for _, state in states] == ["cleared", "open"] and states[1][0] == "still here"


def test_book_that_cannot_be_read(tmp_path: Path) -> None:
    """Named with its line; the other books are."""
    p = project(tmp_path / "p", HEAD + GOOD)
    p.write("rules/broken.py", "x = 1\ny = (\n")
    said = p.run(status=4)
    assert "broken.py" in str(said.json["rule_errors"]) and ":2" in said.err
    assert set(findings(p, "fine")) == {"nordwind", "suedwind"}
