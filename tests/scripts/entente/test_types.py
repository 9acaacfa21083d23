# SPDX-License-Identifier: Apache-2.0
"""The package and the rulebook are typed in full, and the reader of the rules worker fits what the package
expects of one."""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from entente import fixture, plain, reader

if TYPE_CHECKING:
    from entente import _entente

ROOT = Path(__file__).resolve().parents[3]


def of_the_worker(snapshot: "_entente.Snapshot") -> reader.Snapshot:
    return snapshot


def of_fixtures(snapshot: fixture.Snapshot) -> reader.Snapshot:
    return snapshot


def test_everything_is_typed(tmp_path: Path) -> None:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            f"--cache-dir={tmp_path}",
            "scripts/entente",
            "scripts/rulebook",
            __file__,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    ruff = shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed: it is no Debian package, and comes with pip install ruff")
    done = subprocess.run([ruff, "check", "--no-cache", "."], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_constants_are_those_of_the_worker() -> None:
    stub = (ROOT / "scripts" / "entente" / "_entente.pyi").read_text()
    for name in (
        "SUM",
        "RATIO",
        "DISTINCT",
        "DISTRIBUTION",
        "KNOWN",
        "NO_COVERAGE",
        "NO_RATE",
        "NO_DENOMINATOR",
    ):
        assert f"{name}: Final = {getattr(reader, name)}" in stub


def test_the_stub_is_made_of_the_module() -> None:
    """rules_stub is linked with the module: it compares its names with those of signatures.c, and writes the stub."""
    program = Path(os.environ.get("ENTENTE_BUILD_DIR", ROOT / "build" / "debug")) / "tests" / "rules_stub"
    if not program.exists():
        pytest.skip(f"{program} is not built")
    done = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    stub = (ROOT / "scripts" / "entente" / "_entente.pyi").read_text()
    assert done.stdout == stub, "cmake --build --preset debug --target stub"


def test_the_worker_has_what_stands_in_for_it() -> None:
    """What native.py takes from the module in the worker, and from plain.py elsewhere, has the same members."""
    stub = ast.parse((ROOT / "scripts" / "entente" / "_entente.pyi").read_text())
    classes = {n.name: {name for m in n.body if (name := _name(m))} for n in stub.body if isinstance(n, ast.ClassDef)}
    names = {_name(n) for n in stub.body}
    text = (ROOT / "scripts" / "entente" / "native.py").read_text()
    taken = next(
        {a.name for a in n.names} for n in ast.walk(ast.parse(text)) if isinstance(n, ast.ImportFrom) and n.module == "_entente"
    )
    assert taken <= names
    for name in ("Figure", "Look", "Seat", "Run", "Depend"):
        twin = getattr(plain, name)
        for member in classes[name] - {"__new__", "__ne__"}:
            assert hasattr(twin, member), (name, member)


def _name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return node.name if isinstance(node, ast.ClassDef | ast.FunctionDef) else None


def test_views_and_origins_are_those_of_the_engine() -> None:
    text = (ROOT / "core" / "metrics" / "catalogue.c").read_text()
    for name, values in (("ent_view_names", reader.VIEWS), ("ent_origin_names", reader.ORIGINS)):
        table = text[text.index(name) :]
        words = [word.strip(' "\t\n') for word in table[table.index("{") + 1 : table.index("}")].split(",")]
        assert tuple(words[: len(values)]) == values
