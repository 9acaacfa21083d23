# SPDX-License-Identifier: Apache-2.0
"""pytest's side of rules: `entente rules test` runs pytest with this plugin, and so does whoever writes
`pytest -p entente.testing`. It gives tests a world and the rulebooks, and tells of each rule which verdicts
the cases have planted.

    def test_true(world, book):
        world.partner("nordwind").days("orders", 4)
        assert world.judge(book.rule("my_rule"), "nordwind").verdict is True
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from _pytest.terminal import TerminalReporter  # pytest names it in public from version 8 on

from . import fixture
from .books import Books, load_books
from .fixture import World

if TYPE_CHECKING:
    from .judge import Outcome
    from .rules import Rule

#: What entente.yaml says of rules (books, settings, import), as JSON; without it, the folder of each test is a book.
CONFIGURED: Final = "ENTENTE_RULES"
#: Where to write what happened, as JSON.
REPORT: Final = "ENTENTE_RULES_REPORT"
VERDICTS: Final = ("true", "false", "unknown")


@pytest.fixture
def world() -> World:
    """A world of its own for each test, as of 2026-06-30, without partners."""
    return World()


@pytest.fixture
def book(request: pytest.FixtureRequest) -> Books:
    """The rulebooks of entente.yaml, set as it sets them; without one, the rules beside the test."""
    known: Cases = request.config.stash[_CASES]
    return known.books(request.path.parent)


class Cases:
    """Which verdicts were seen, by rule."""

    def __init__(self) -> None:
        text = os.environ.get(CONFIGURED)
        self.configured: dict[str, Any] | None = json.loads(text) if text else None
        self.loaded: dict[Path | None, Books] = {}
        self.seen: dict[tuple[str, str], dict[str, int]] = {}
        self.failed: list[dict[str, Any]] = []

    def books(self, folder: Path) -> Books:
        """Loaded once; a book that has faults is one all the same, and they are told at the end."""
        key = None if self.configured else folder
        if key not in self.loaded:
            c = self.configured or {"books": [str(folder)]}
            self.loaded[key] = load_books(c["books"], c.get("settings"), c.get("import", ()))
        return self.loaded[key]

    def judged(self, outcome: Outcome) -> None:
        """A case; the failure of a rule is none."""
        said = str(outcome.verdict).lower()
        of = self.seen.setdefault(_identity(outcome.rule), {})
        of[said] = of.get(said, 0) + 1

    def rules(self) -> list[Rule]:
        """Those of the project, without the ones that ship: they are tested where they come from."""
        books = self.loaded.values()
        shipped = os.path.realpath(os.path.dirname(fixture.__file__) + "/../rulebook")
        return [r for b in books for r in b.rules if not os.path.realpath(r.file).startswith(shipped)]

    def of(self, rule: Rule) -> dict[str, int]:
        """How many cases had which verdict."""
        return self.seen.get(_identity(rule), {})


_CASES: Final = pytest.StashKey[Cases]()


def _identity(rule: Rule) -> tuple[str, str]:
    return rule.name, os.path.realpath(rule.file)


def pytest_configure(config: pytest.Config) -> None:
    """From now on cases are counted."""
    cases = config.stash[_CASES] = Cases()
    fixture.judged.append(cases.judged)


def pytest_unconfigure(config: pytest.Config) -> None:
    """No longer."""
    fixture.judged.remove(config.stash[_CASES].judged)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What failed, with its place."""
    if report.failed and _current is not None:
        crash = getattr(report.longrepr, "reprcrash", None)
        _current.failed.append(
            {
                "test": report.nodeid,
                "file": getattr(crash, "path", report.location[0]),
                "line": getattr(crash, "lineno", (report.location[1] or 0) + 1),
                "what": getattr(crash, "message", str(report.longrepr))[:2000],
            }
        )


_current: Cases | None = None


def pytest_sessionstart(session: pytest.Session) -> None:
    """The configured books are loaded before the first test: their faults are told even if no test asks for
    them."""
    global _current
    _current = cases = session.config.stash[_CASES]
    if cases.configured:
        cases.books(session.path)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A book with faults is no book that passes."""
    cases = session.config.stash[_CASES]
    if exitstatus == pytest.ExitCode.OK and any(b.errors for b in cases.loaded.values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: TerminalReporter, exitstatus: int) -> None:
    """The faults of the books, and each rule with its cases."""
    say = terminalreporter
    cases: Cases = say.config.stash[_CASES]
    errors = [e for b in cases.loaded.values() for e in b.errors]
    rules = cases.rules()
    if errors:
        say.section("faults of the rulebooks")
        for e in errors:
            say.line(f"{e.file}:{e.line}:{e.column}: {e.what}; {e.todo}", red=True)
    if rules:
        say.section("cases by rule")
        width = max(len(r.name) for r in rules)
        say.line(f"{'rule':{width}}  {'  '.join(f'{v:>7}' for v in VERDICTS)}")
        for r in sorted(rules, key=lambda r: r.name):
            seen = cases.of(r)
            numbers = "  ".join(f"{seen.get(v) or '·':>7}" for v in VERDICTS)
            lacks = [v for v in VERDICTS if not seen.get(v)]
            note = "   no case plants " + " or ".join(lacks) if lacks else ""
            say.line(f"{r.name:{width}}  {numbers}{note}", yellow=bool(lacks))
    _report(say, cases, rules, errors, exitstatus)


def _report(
    say: TerminalReporter, cases: Cases, rules: list[Rule], errors: list[Any], exitstatus: int
) -> None:
    path = os.environ.get(REPORT)
    if not path:
        return
    counts = {k: len(say.stats.get(k, [])) for k in ("passed", "failed", "error", "skipped")}
    told = {
        "tests": counts,
        "failures": cases.failed,
        "errors": [
            {"file": e.file, "line": e.line, "column": e.column, "what": e.what, "todo": e.todo}
            for e in errors
        ],
        "rules": [
            {
                "rule": r.name,
                "file": r.file,
                "line": r.line,
                "cases": {v: cases.of(r).get(v, 0) for v in (*VERDICTS, "failed")},
            }
            for r in sorted(rules, key=lambda r: r.name)
        ],
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(told, file)
