# SPDX-License-Identifier: Apache-2.0
"""`entente plugin test`: each test finds the bug that was planted for it, and no other test cries wolf; what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build" / "bin"))
PLANTED = Path(os.environ.get("ENTENTE_BUILD_DIR", SOURCE / "build")) / "tests" / "planted"
GOLDEN = SOURCE / "tests" / "conform" / "planted" / "golden"

# What else a bug may show in: a plugin that cannot be loaded fails `abi`, too, and whoever stumbles over one kind of damage may
# stumble over it in another test.
MAY_SHOW_IN = {
    "undefined": {"abi"},
    "splits": {"pieces", "state"},
    "balance": {"verdicts", "found"},
    "leaks": {"found"},
    "truncated": {"flipped", "nul", "encoding"},
    "nul": {"flipped", "encoding"},
    "encoding": {"flipped"},
}
# They take long, and no other bug shows in them.
LONG = ("huge", "speed")


def entente(*words: str | Path, cwd: Path = SOURCE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "entente", "plugin", "test", *words], cwd=cwd, text=True, capture_output=True, timeout=250, check=False
    )


def report(*words: str | Path, cwd: Path = SOURCE) -> tuple[int, dict[str, Any]]:
    done = entente(*words, "--json", cwd=cwd)
    told: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, told


def names() -> list[str]:
    return [test["name"] for test in json.loads(entente("--list", "--json").stdout)]


def outcomes(told: dict[str, Any]) -> dict[str, str]:
    return {test["name"]: test["status"] for test in told["tests"]}


def test_a_right_plugin_passes_every_test() -> None:
    status, told = report(PLANTED / "planted_none.so", "--golden", GOLDEN)
    assert {name: word for name, word in outcomes(told).items() if word != "passed"} == {}, told
    assert status == 0
    speed = next(test for test in told["tests"] if test["name"] == "speed")["numbers"]
    assert speed["planted-rows, MB/s"] > 0
    assert speed["planted-rows, allocations per record"] == 0


@pytest.mark.parametrize("name", [name for name in names() if name != "speed"])
def test_each_bug_is_found_by_its_test_and_by_no_other(name: str, tmp_path: Path) -> None:
    golden = GOLDEN
    words: list[str | Path] = [word for long in LONG if long != name for word in ("--except", long)]
    if name != "golden":  # its author believed what it said, bug and all
        golden = tmp_path / "golden"
        shutil.copytree(GOLDEN, golden)
        words.append("--write-golden")
    status, told = report(PLANTED / f"planted_{name}.so", "--golden", golden, *words)
    found = {test for test, word in outcomes(told).items() if word not in ("passed", "skipped")}
    assert status == 1
    assert name in found, told
    assert found <= {name} | MAY_SHOW_IN.get(name, set()), told
    for failure in next(test for test in told["tests"] if test["name"] == name)["failures"]:
        assert failure["what"] and failure["todo"], failure


def test_words_that_make_no_sense_are_answered_with_what_was_meant() -> None:
    done = entente(PLANTED / "planted_none.so", "--only", "goldn")
    assert (done.returncode, "did you mean 'golden'?" in done.stderr) == (2, True), done.stderr
    done = entente()
    assert (done.returncode, "name a plugin" in done.stderr) == (2, True), done.stderr
    done = entente(PLANTED / "planted_none.so", "--input", "nowhere.csv")
    assert (done.returncode, "nowhere.csv" in done.stderr) == (2, True), done.stderr
    done = entente(PLANTED / "planted_none.so", "--input", GOLDEN / "rows.in", "--decoder", "rows")
    assert (done.returncode, "it has planted-rows" in done.stderr) == (2, True), done.stderr


def test_without_an_input_what_needs_one_is_skipped_and_says_why() -> None:
    status, told = report(PLANTED / "planted_none.so")
    golden = next(test for test in told["tests"] if test["name"] == "golden")
    assert (status, golden["status"], "--input FILE" in golden["why"]) == (0, "skipped", True)


def test_an_input_is_given_to_the_decoder_and_options_that_are_named() -> None:
    words = (PLANTED / "planted_none.so", "--input", GOLDEN / "lines.in", "--decoder", "planted-lines")
    status, told = report(*words, "--options", "{currency: USD}", "--only", "again")
    assert (status, outcomes(told)) == (0, {"again": "passed"})
    done = entente(*words, "--options", "{curency: USD}")
    assert (done.returncode, "did you mean 'currency'" in done.stderr) == (2, True), done.stderr


def test_golden_outputs_are_written_on_demand_and_found_beside_the_plugin(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN, tmp_path / "golden")
    shutil.copy(PLANTED / "planted_none.so", tmp_path / "shop.so")
    (tmp_path / "golden" / "rows.facts.jsonl").unlink()
    status, told = report("shop.so", "--only", "golden", cwd=tmp_path)
    assert (status, outcomes(told)) == (1, {"golden": "failed"})
    status, told = report("shop.so", "--only", "golden", "--write-golden", cwd=tmp_path)
    assert (status, outcomes(told)) == (0, {"golden": "passed"})
    assert (tmp_path / "golden" / "rows.facts.jsonl").read_text() == (GOLDEN / "rows.facts.jsonl").read_text()


def test_the_documentation_has_every_test_with_its_sentence() -> None:
    text = (SOURCE / "docs" / "plugins.md").read_text()
    table = text.partition("<!-- tests -->\n")[2].partition("<!-- end of tests -->")[0]
    tests = json.loads(entente("--list", "--json").stdout)
    rows = [f"| `{test['name']}` | {test['sentence']} |\n" for test in tests]
    assert table == "| test | what must hold |\n|---|---|\n" + "".join(rows)
