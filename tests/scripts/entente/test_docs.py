# SPDX-License-Identifier: Apache-2.0
"""What docs/rules.md shows is run: its rule, its test, its settings, its lists."""

import doctest
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import entente
import pytest
from entente import spread
from entente.baseline import Baseline
from entente.books import load_books
from entente.breakdown import Breakdown, Slice
from entente.cohort import Cohort, CohortMeasure, Peers
from entente.control import Effect
from entente.day import Day
from entente.deal import Deal, Offers, Package
from entente.forecast import Forecast
from entente.measure import Measure
from entente.partner import Partner
from entente.peer_words import CohortParts, CohortSeries, PeerShares
from entente.register import Entry, Register
from entente.series import Daily, Series
from entente.spread import Spread
from entente.terms import Agreement, Schedule, Terms
from entente.trend import Shift, Trend

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "rules.md").read_text()
BLOCKS = dict(re.findall(r"```python (\S+)\n(.*?)```", PAGE, re.S))


def test_the_example_runs_as_it_stands(tmp_path: Path) -> None:
    for name, text in BLOCKS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "entente.testing", "rules"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "scripts"), "PATH": "/usr/bin:/bin"},
        timeout=60,
    )
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr
    assert re.search(r"^visits_without_orders +1 +1 +1$", done.stdout, re.M), "each verdict has its case"


def test_the_notebook_says_what_stands_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a file as `entente metrics query --by day --csv` writes it."""
    head = "day,metric,from,through,value,unit,state,there,covered,days,reason\r\n"
    lines = []
    for n in range(400):
        day = Day(2026, 6, 30) + -n
        orders = 3 if n < 28 else 4
        for metric, value, unit in (
            ("orders", orders, "count"),
            ("revenue.gross", 120 * orders, "EUR"),
            ("sessions", 100, "count"),
        ):
            lines.append(
                f"{day.isoformat()},{metric},{day.isoformat()},{day.isoformat()},{value},{unit},known,,1,1,\r\n"
            )
    (tmp_path / "nordwind.csv").write_text(head + "".join(lines))
    monkeypatch.chdir(tmp_path)
    (section,) = re.findall(r"^## In a notebook$(.*?)^## ", PAGE, re.S | re.M)
    (session,) = re.findall(r"```python\n(>>> .*?)```", section, re.S)
    test = doctest.DocTestParser().get_doctest(
        session.replace("…", "..."), {}, "notebook", "docs/rules.md", 0
    )
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    said: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert tried > 15 and not failed, "".join(said)


def test_the_example_can_be_loaded_and_set_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(BLOCKS["rules/visits_without_orders.py"])
    (setting,) = re.findall(r"visits_without_orders: \{window: (\w+), more_visits: ([\d.]+)\}", PAGE)
    books = load_books(
        ["shipped", str(tmp_path)],
        {"visits_without_orders": {"window": setting[0], "more_visits": float(setting[1])}},
    )
    assert books.errors == []
    assert books.rule("visits_without_orders").settings == {"window": "12w", "more_visits": 0.3}


def test_the_shipped_rules_are_all_listed() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \| (\w+) \| (\d+) \|", PAGE, re.M))
    assert listed == {(r.name, r.practice, str(r.row)) for r in load_books(["shipped"]).rules}


def test_the_vocabulary_is_there() -> None:
    (page,) = re.findall(r"## The vocabulary\n\n```text\n(.*?)```", PAGE, re.S)
    of: dict[str, list[object]] = {
        "Measure": [Measure, Daily, Baseline],
        "Breakdown": [Breakdown, Slice],
        "Series": [Series, Trend, Shift],
        "Forecast": [Forecast],
        "Spread": [Spread, spread],
        "Cohort": [Cohort, CohortMeasure, CohortSeries, CohortParts, PeerShares, Peers],
        "Effect": [Cohort, Effect],
        "Register": [Register],
        "Entry": [Entry],
        "Agreement": [Agreement, Terms],
        "Schedule": [Schedule],
        "Deal": [Deal, Offers],
        "Package": [Package],
    }
    for head, classes in of.items():
        (part,) = re.findall(rf"^{head} .*?(?=^\S|\Z)", page, re.S | re.M)
        for name in re.findall(r"(?<=[\s)])\.([a-z_][a-z0-9_]*)", part):
            there = (hasattr(one, name) or name in getattr(one, "__annotations__", ()) for one in classes)
            assert any(there), (head, name)
    for name in re.findall(r"^partner\.([a-z_]+)", page, re.M):
        assert hasattr(Partner, name), name
    (words,) = re.findall(r"^findings  (.*?)^helpers  (.*?)\Z", page, re.S | re.M)
    for name in re.findall(r"[a-z_]+(?=[ (\n])", " ".join(words)):
        if name not in ("partner", "window", "metric"):
            assert name in entente.__all__, name
    assert len(inspect.getdoc(entente) or "") > 0


def test_the_json_of_the_page_is_json() -> None:
    for text in re.findall(r"```json\n(.*?)```", PAGE, re.S):
        json.loads(text)
