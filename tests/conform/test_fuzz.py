# SPDX-License-Identifier: Apache-2.0
"""`entente plugin fuzz`: each bug that was planted behind a word is found, made small, saved, and from then on fails
`entente plugin test`; a plugin without any is left alone. Skipped where entente-fuzz is not built."""

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
FUZZED = Path(os.environ.get("ENTENTE_BUILD_DIR", SOURCE / "build")) / "tests" / "fuzzed"
GOLDEN = SOURCE / "tests" / "conform" / "fuzzed" / "golden"

needs_fuzzer = pytest.mark.skipif(
    not (BIN / "entente-fuzz").exists(),
    reason="no entente-fuzz; apt-get install clang libclang-rt-dev, and build again",
)


def entente(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "entente", "plugin", *words],
        text=True,
        capture_output=True,
        env={**os.environ, **more},
        timeout=800,
        check=False,
    )


def fuzz(plugin: Path, golden: Path, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = entente("fuzz", plugin, "--golden", golden, *words, "--json")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    targets: list[dict[str, Any]] = json.loads(done.stdout)["targets"]
    assert all(t["inputs"] > 0 for t in targets), targets
    return done.returncode, targets


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    shutil.copytree(GOLDEN, tmp_path / "golden")
    return tmp_path / "golden"


def found_test(plugin: Path, golden: Path) -> dict[str, Any]:
    done = entente("test", plugin, "--golden", golden, "--only", "found", "--timeout", "20", "--json")
    (test,) = json.loads(done.stdout)["tests"]
    return {**test, "exit": done.returncode}


# Of a decoder: the bug, how it shows, the most bytes that the smallest input may have, and how the test `found` ends.
PLANTED = [
    ("stock", "crash", "crash", "SIGSEGV", 60, "crashed"),
    ("stock-json", "crash", "crash", "SIGSEGV", 60, "crashed"),
    ("stock", "hang", "hang", "no end after", 120, "timed out"),
    ("stock", "verdict", "verdict", "nothing was said about the record", 60, "failed"),
    ("stock", "leak", "leak", "1 allocations of 100 bytes", 60, "failed"),
    ("stock", "returned", "returned", "row() returned ENT_EINTERNAL", 60, "failed"),
    ("stock-json", "reason", "reason", "quotes an e-mail address", 60, "failed"),
]


@needs_fuzzer
@pytest.mark.parametrize(
    ("decoder", "bug", "shows", "words", "most", "ends"), PLANTED, ids=[f"{p[1]}-{p[0]}" for p in PLANTED]
)
def test_a_bug_is_found_made_small_and_becomes_a_test(
    golden: Path, decoder: str, bug: str, shows: str, words: str, most: int, ends: str
) -> None:
    plugin = FUZZED / f"fuzzed_{bug}.so"
    assert found_test(plugin, golden)["status"] == "skipped"
    status, targets = fuzz(plugin, golden, "--decoder", decoder, "--seconds", "300", "--first")
    (target,) = targets
    (found,) = target["found"]
    assert status == 1
    assert (found["rule"] or found["end"], target["decoder"], target["guide"]) == (shows, decoder, "host")
    assert words in found["what"] and found["todo"], found
    assert found["bytes"] <= found["before"] and found["bytes"] <= most, found
    saved = Path(found["file"])
    assert saved.parent == golden / "found" and saved.stat().st_size == found["bytes"]
    assert f"{saved.name}  {decoder}  " in (golden / "found" / "cases").read_text()
    test = found_test(plugin, golden)
    assert (test["status"], test["exit"]) == (ends, 1), test
    assert saved.name in json.dumps(test["failures"])
    assert found["repeat"] == f"entente plugin test {plugin} --golden {golden} --only found"
    mended = found_test(FUZZED / "fuzzed_none.so", golden)
    assert (mended["status"], mended["exit"]) == ("passed", 0), mended


@needs_fuzzer
def test_a_plugin_without_a_bug_is_left_alone(golden: Path) -> None:
    status, targets = fuzz(FUZZED / "fuzzed_none.so", golden, "--seconds", "6")
    assert status == 0
    assert [(t["decoder"], t["found"], t["verdicts"]) for t in targets] == [
        ("stock", [], True),
        ("stock-json", [], True),
    ]
    assert not (golden / "found").exists()


@needs_fuzzer
def test_what_is_found_again_is_saved_once(golden: Path) -> None:
    plugin = FUZZED / "fuzzed_verdict.so"
    for _ in range(2):
        fuzz(plugin, golden, "--decoder", "stock", "--seconds", "300", "--first")
    cases = (golden / "found" / "cases").read_text().splitlines()
    assert cases[0].startswith("#")
    files = sorted(p.name for p in (golden / "found").glob("*.in"))
    assert sorted(k.split()[1] for k in cases[1:]) == files


@needs_fuzzer
def test_without_golden_files_it_begins_with_the_columns(tmp_path: Path) -> None:
    shutil.copy(FUZZED / "fuzzed_crash.so", tmp_path / "stock.so")
    done = entente("fuzz", tmp_path / "stock.so", "--decoder", "stock", "--seconds", "300", "--first", "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    assert len(list((tmp_path / "golden" / "found").glob("stock-crash-*.in"))) == 1
    done = entente("test", tmp_path / "stock.so", "--only", "found", "--json")
    assert json.loads(done.stdout)["tests"][0]["status"] == "crashed"


@needs_fuzzer
@pytest.mark.skipif(not (FUZZED / "fuzzed_branches.so").exists(), reason="no clang to instrument a plugin with")
def test_an_instrumented_plugin_guides_by_its_branches(golden: Path) -> None:
    """The word is in no table and not in the file: only its comparison shows it."""
    status, targets = fuzz(FUZZED / "fuzzed_branches.so", golden, "--decoder", "stock", "--seconds", "600", "--first")
    assert (status, targets[0]["guide"], targets[0]["found"][0]["end"]) == (1, "branches", "crash")
    assert "SIGABRT" in targets[0]["found"][0]["what"]


@needs_fuzzer
def test_wrong_words_are_answered(tmp_path: Path) -> None:
    done = entente("fuzz", FUZZED / "fuzzed_none.so", "--golden", GOLDEN, "--decoder", "stok")
    assert done.returncode == 1 and "no decoder 'stok'" in done.stderr, done.stderr
    done = entente("fuzz", FUZZED / "fuzzed_none.so", "--golden", tmp_path)
    assert done.returncode == 1 and str(tmp_path) in done.stderr, done.stderr
    done = entente("fuzz")
    assert done.returncode == 2 and "name a plugin" in done.stderr


def test_where_it_is_not_built_it_says_what_to_install(tmp_path: Path) -> None:
    shutil.copy(BIN / "entente", tmp_path / "entente")
    done = subprocess.run(
        [tmp_path / "entente", "plugin", "fuzz", FUZZED / "fuzzed_none.so"], text=True, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert "apt-get install clang libclang-rt-dev" in done.stderr, done.stderr
