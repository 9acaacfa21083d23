# SPDX-License-Identifier: Apache-2.0
"""`entente rules test`: pytest over the project's rulebooks, and which verdicts its cases plant."""

import json
import re
from pathlib import Path

import pytest
from conftest import Run

RULES = '''\
"""Ours."""
from entente import insight, rule


@rule(practice="pace")
def busy(partner, *, least: int = 10):
    """It sells."""
    if partner["orders"].over("28d") >= least:
        yield insight("busy")


@rule(practice="pace")
def quiet(partner):
    """It does not sell."""
    if partner["orders"].over("28d") == 0:
        yield insight("quiet")
'''
TESTS = """\
def test_busy(world, book):
    world.partner("a").days("orders", 4)
    assert world.judge(book.rule("busy"), "a").verdict is True


def test_not_busy(world, book):
    world.partner("a").days("orders", 0)
    assert world.judge(book.rule("busy"), "a").verdict is False
"""


def configure(folder: Path, rules: str) -> None:
    (folder / "entente.yaml").write_text(
        f"version: 1\ncurrency: EUR\nrules: {rules}\npartners: {{a: {{name: A}}}}\n"
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.py").write_text(RULES)
    (tmp_path / "rules" / "test_own.py").write_text(TESTS)
    configure(tmp_path, "{books: [shipped, ./rules]}")
    return tmp_path


def test_cases_are_shown_by_rule(entente: Run, project: Path) -> None:
    said = entente("rules", "test", cwd=project)
    assert said.status == 0 and "2 passed" in said.out, said
    assert re.search(r"^busy +1 +1 +· +no case plants unknown$", said.out, re.M)
    assert re.search(r"^quiet +· +· +· +no case plants true or false or unknown$", said.out, re.M)
    assert "conversion" not in said.out, "rules that ship are tested where they come from"
    assert not list(project.rglob("__pycache__")), "nothing is left behind"


def test_for_programs(entente: Run, project: Path) -> None:
    (project / "rules" / "test_own.py").write_text(TESTS.replace("is False", "is True"))
    said = entente("rules", "test", "--json", cwd=project)
    told = json.loads(said.out)
    assert said.status == 1
    assert told["tests"] == {"passed": 1, "failed": 1, "error": 0, "skipped": 0}
    (failure,) = told["failures"]
    assert failure["test"] == "rules/test_own.py::test_not_busy" and failure["line"] == 8
    assert failure["file"].endswith("rules/test_own.py") and "assert" in failure["what"]
    by = {r["rule"]: r["cases"] for r in told["rules"]}
    assert by["busy"] == {"true": 1, "false": 1, "unknown": 0, "failed": 0}


def test_rules_are_set_as_configured(entente: Run, project: Path) -> None:
    configure(project, "{books: [./rules], set: {busy: {least: 1000}}}")
    said = entente("rules", "test", cwd=project)
    assert said.status == 1 and "1 failed, 1 passed" in said.out


def test_a_fault_of_a_book_fails(entente: Run, project: Path) -> None:
    (project / "rules" / "broken.py").write_text("import nothing_of_the_kind\n")
    said = entente("rules", "test", cwd=project)
    assert said.status == 1 and "2 passed" in said.out
    assert re.search(r"broken\.py:1:\d+: .*nothing_of_the_kind", said.out)
    told = json.loads(entente("rules", "test", "--json", cwd=project).out)
    assert [Path(e["file"]).name for e in told["errors"]] == ["broken.py"]


def test_some_of_them(entente: Run, project: Path) -> None:
    assert "1 passed" in entente("rules", "test", "-k", "not_busy", cwd=project).out
    assert "1 passed" in entente("rules", "test", "rules/test_own.py::test_busy", cwd=project).out


@pytest.mark.parametrize(
    ("arrange", "status", "told"),
    [
        (lambda p: (p / "rules" / "test_own.py").unlink(), 2, "no test was found in "),
        (lambda p: configure(p, "{books: [shipped]}"), 2, "only the rules that ship are configured"),
        (lambda p: (p / "rules" / "test_own.py").write_text("def f(:\n"), 1, "a test file cannot be imported"),
    ],
    ids=["none", "shipped", "torn"],
)
def test_what_cannot_be_run(entente: Run, project: Path, arrange: object, status: int, told: str) -> None:
    arrange(project)  # type: ignore[operator]
    said = entente("rules", "test", cwd=project)
    assert said.status == status and told in said.err, said
    assert "; " in said.err, "it says what to do"


def test_tests_are_no_rules(entente: Run, project: Path) -> None:
    """They lie beside the rules, and import what rules may not."""
    (project / "rules" / "test_own.py").write_text("import socket, pytest\n" + TESTS)
    (project / "rules" / "conftest.py").write_text("import subprocess\n")
    said = entente("rules", "list", cwd=project)
    assert said.status == 0 and said.err == "" and "busy" in said.out


def test_a_rule_for_both_that_reads_what_is_ours_fails_its_test(entente: Run, project: Path) -> None:
    leaky = RULES.replace('@rule(practice="pace")', '@rule(practice="pace", audience="both")', 1).replace(
        '    if partner["orders"]', '    list(partner.register("offers"))\n    if partner["orders"]', 1
    )
    (project / "rules" / "own.py").write_text(leaky)
    offer = '    world.partner("a").note("offers", day="2026-06-01", by="us", package="price=7")\n    assert'
    (project / "rules" / "test_own.py").write_text(TESTS.replace("    assert", offer))
    said = entente("rules", "test", cwd=project)
    assert said.status == 1
    where = re.search(r"(\S*own\.py):5:1: busy is for both sides and reads register offers \(confidential\)", said.out)
    assert where and 'say audience="us"' in said.out, said.out
