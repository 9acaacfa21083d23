# SPDX-License-Identifier: Apache-2.0
"""Rules that are saved while `entente serve` runs: tried in a new worker, then active; or refused, with file and line in the
log, the events, the API and `entente rules list`, while those before go on."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from control import ControlConnection
from project import Project, Said
from service import Service, serving
from shop import export, orders

SOURCES = """\
  north:
    partner: nordwind
    from: {glob: "./north/*.csv"}
    decode: shopify
"""
BOOK = '''"""A book."""
from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def sells(partner: Partner, *, window: str = "8w") -> Findings:
    """Says how many orders there were."""
    yield insight(f"{{partner['orders'].over(window)}} orders, {generation}")
'''
OTHER = '''"""Another."""
from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def other(partner: Partner) -> Findings:
    """Of a file that nobody touches."""
    yield insight(f"{partner['orders'].over('8w')} orders, as always")
'''
#: What is saved, what is said of it, and where.
BROKEN = {
    "syntax": (BOOK.format(generation="broken") + "\n\ndef (:\n", "invalid syntax", 11),
    "import": (
        BOOK.format(generation="broken") + "\n\nimport numpy\n",
        "allow it with rules.import: [numpy]",
        11,
    ),
    "hangs": (
        BOOK.format(generation="broken") + "\n\nwhile True:\n    pass\n",
        "did not end within 1.0 s",
        0,
    ),
    "leaves": (BOOK.format(generation="broken") + "\n\nimport os\n\nos._exit(3)\n", "status 3", 0),
    "rule-raises": (
        BOOK.format(generation="broken").replace("    yield", "    1 / 0\n    yield"),
        "ZeroDivisionError",
        8,
    ),
    "rule-hangs": (
        BOOK.format(generation="broken").replace("    yield", "    while True: pass\n    yield"),
        "the rule sells was stopped when it was tried: it did not end within 1.0 s",
        8,
    ),
    "no-rule": (
        BOOK.format(generation="broken").replace('"informative"', '"informativ"'),
        "did you mean 'informative'",
        5,
    ),
}


def project(folder: Path) -> Project:
    p = Project(
        folder,
        SOURCES,
        partners="  nordwind: {name: Nordwind}",
        rules="  books: [./rules]\n  deadline: 1s\n  set: {sells: {window: 8w}}",
        top="service: {scan: 1s}",
    )
    p.write("rules/book.py", BOOK.format(generation="first"))
    p.write("rules/other.py", OTHER)
    p.write("north/a.csv", export(orders(100, seed=5)))
    return p


def texts(p: Project) -> dict[str, str]:
    return dict(p.sql("select rule, text from finding where state = 'open'"))  # type: ignore[arg-type]


def says(s: Service, generation: str) -> dict[str, str]:
    """Waits until the findings come from a generation."""

    def there() -> Any:
        found = texts(s.project)
        return found if found.get("sells", "").endswith(generation) else None

    found: dict[str, str] = s.until(there, f"findings of {generation}")
    return found


def listed(p: Project) -> Said:
    return p.entente("rules", "list")


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_leaves_the_old_generation(tmp_path: Path, case: str) -> None:
    text, why, line = BROKEN[case]
    p = project(tmp_path / "p")
    with serving(p) as s:
        says(s, "first")
        book = p.folder / "rules/book.py"
        book.write_text(text)
        s.until(lambda: s.events("reload.kept"), "what goes on")
        told = json.dumps(s.events("reload.refused"))
        assert "book.py" in told and why in told, told
        assert not line or f":{line}" in told or f'"line": {line}' in told, told
        status = s.status()
        assert (
            status["refused_errors"] >= 1
            and "book.py" in status["refused_error"]
            and why in status["refused_error"]
        )
        assert status["generation"] == 1 and status["refused"]
        api = s.get("/api/v1/rules")
        assert [r["name"] for r in api["rules"]] == ["sells", "other"]
        assert "book.py" in json.dumps(api["refused"]) and api["active"]["at"]
        said = listed(p)  # asks the service
        assert said.status == 4 and "book.py" in said.err and "refused at" in said.err
        assert [r["name"] for r in said.json["rules"]] == ["sells", "other"]

        # what comes in between is judged by the old one
        before = texts(p)
        p.write("north/b.csv", export(orders(130, seed=5)[100:]), dated=5)
        s.until(lambda: texts(p)["sells"] != before["sells"], "another finding")
        assert texts(p)["sells"].endswith("first")

        book.write_text(BOOK.format(generation="second"))
        found = says(s, "second")
        assert found["other"].endswith("as always")
        status = s.status()
        assert not status["refused_errors"] and not status["refused"] and status["generation"] == 2
        assert listed(p).status == 0 and "refused" not in listed(p).json
        assert s.stop() == 0
    assert listed(p).status == 0


def test_the_store_knows_both_generations(tmp_path: Path) -> None:
    """When the service has stopped, too; a run by hand judges what lies there."""
    p = project(tmp_path / "p")
    with serving(p) as s:
        says(s, "first")
        (p.folder / "rules/book.py").write_text(BROKEN["syntax"][0])
        s.until(lambda: s.status()["refused_errors"], "a refusal")
        assert s.stop() == 0
    said = listed(p)
    assert said.status == 4 and "book.py:11" in said.err
    assert [r["name"] for r in said.json["rules"]] == ["sells", "other"]
    assert said.json["refused"]["errors"][0]["line"] == 11
    run = p.entente("run")
    assert run.status == 4 and "book.py:11" in run.err and run.json["judged"]["rules"] == 1
    said = listed(p)
    assert [r["name"] for r in said.json["rules"]] == ["other"] and "refused" not in said.json


def test_events_tell_of_a_refusal(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    with serving(p) as s:
        says(s, "first")
        connection = ControlConnection(p.store, 30.0)
        connection.request("GET", "/api/v1/events")
        answer = connection.getresponse()
        seen = answer.read1(65536)  # it listens now: what comes later is told
        (p.folder / "rules/book.py").write_text(BROKEN["syntax"][0])
        until = time.monotonic() + 60
        while b"event: refused" not in seen or b"book.py:11" not in seen:
            assert time.monotonic() < until, seen
            piece = answer.read1(65536)
            assert piece, seen
            seen += piece
        connection.close()
        assert s.events("reload.refused")


def test_a_file_that_is_saved_in_two_steps(tmp_path: Path) -> None:
    """Editors truncate and write, or write beside and rename: what is read is whole."""
    p = project(tmp_path / "p")
    with serving(p) as s:
        says(s, "first")
        book, beside = p.folder / "rules/book.py", p.folder / "rules/.book.py.swp"
        whole = BOOK.format(generation="second")
        with book.open("w") as file:
            file.write(whole[:90])
            file.flush()
            os.fsync(file.fileno())
            file.write(whole[90:])
        says(s, "second")
        beside.write_text(BOOK.format(generation="third")[:90])
        beside.write_text(BOOK.format(generation="third"))
        beside.rename(book)
        says(s, "third")
        assert not s.events("reload.refused")


def test_settings_are_looked_at(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    with serving(p) as s:
        says(s, "first")
        p.rules = p.rules.replace("window: 8w", "windo: 8w")
        p.configure()
        [*_, refused] = s.until(lambda: s.events("reload.refused"), "a refusal")
        assert "no setting 'windo'" in json.dumps(refused)
        assert texts(p)["sells"].endswith("first")


def test_a_rule_that_failed_before_does_not_keep_others_from_being_mended(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.write("rules/other.py", OTHER.replace("    yield", "    1 / 0\n    yield"))
    with serving(p) as s:
        says(s, "first")
        (p.folder / "rules/book.py").write_text(BOOK.format(generation="second"))
        says(s, "second")
        assert not s.events("reload.refused")
