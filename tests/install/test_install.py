# SPDX-License-Identifier: Apache-2.0
"""A whole installation, in a folder of its own and moved afterwards, works without source and build tree.

How a plugin is built against the header alone is tested in tests/plugins/test_outside.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", SOURCE / "build"))


def call(*command: str | Path, ok: bool = True, **more: str) -> str:
    """Standard output; nothing of the source or build tree is in the environment, but what is in `more`."""
    ours = ("ENTENTE", "PYTHON", "PKG_CONFIG", "CMAKE")
    env = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    done = subprocess.run(
        [str(c) for c in command],
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=env | more,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0 or not ok, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installation, moved after it was made."""
    first = tmp_path_factory.mktemp("first") / "entente"
    call("cmake", "--install", BUILD, "--prefix", first)
    moved = tmp_path_factory.mktemp("moved") / "entente"
    return first.rename(moved)


def test_everything_is_there(prefix: Path) -> None:
    for part in ("bin/entente", "bin/entente-decoder", "bin/entente-rules", "include/entente/plugin.h"):
        assert (prefix / part).is_file(), part
    scripts = prefix / "share/entente/scripts"
    assert (scripts / "entente/worker.py").is_file()
    assert list((scripts / "rulebook").glob("*.py"))
    assert list((scripts / "entente/__pycache__").glob("worker.*.pyc")), "compiled when it is installed"
    built = {p.name for p in (BUILD / "plugins").glob("*.so")}
    assert {p.name for p in prefix.rglob("entente/plugins/*.so")} == built
    assert list(prefix.rglob("README.md"))


def test_compiled_modules_are_those_of_the_sources(prefix: Path) -> None:
    """Where the dates do not fit, a module would be compiled again at each start of the rules worker."""
    folder = prefix / "share/entente/scripts"
    code = "import sys, importlib.util as u\nfor n in sys.argv[1:]:\n  print(u.cache_from_source(n))\n"
    sources = sorted(folder.rglob("*.py"))
    for source, name in zip(sources, call("/usr/bin/python3", "-c", code, *sources).split(), strict=True):
        stamp = int.from_bytes(Path(name).read_bytes()[8:12], "little")
        assert stamp == int(source.stat().st_mtime), source


def test_only_the_entry_of_a_plugin_is_exported(prefix: Path) -> None:
    for file in prefix.rglob("entente/plugins/*.so"):
        names = [line.split()[-1] for line in call("nm", "-D", "--defined-only", file).splitlines()]
        assert [n for n in names if not n.startswith("__")] == ["ent_plugin_entry"], file


def test_a_project_runs(prefix: Path, tmp_path: Path) -> None:
    """The example: decoder, shipped rulebook and package come from the installation."""
    shutil.copytree(SOURCE / "examples/minimal", tmp_path / "project")
    config = tmp_path / "project/entente.yaml"
    config.write_text(config.read_text().replace("books: [./rules]", "books: [shipped, ./rules]"))
    told = json.loads(call(prefix / "bin/entente", "-c", config, "run", "--json"))
    assert told["read"]["records"] > 0
    assert told["judged"]["rules"] > 1, "the shipped rulebook and the rule of the project"
    assert told["judged"]["failed"] == 0


def test_nothing_points_back(prefix: Path, tmp_path: Path) -> None:
    for file in [*prefix.rglob("*.cmake"), *prefix.rglob("*.pc")]:
        assert str(SOURCE) not in file.read_text(), file
    call(prefix / "bin/entente", "init", tmp_path / "fresh")
    doctor = call(prefix / "bin/entente", "-c", tmp_path / "fresh/entente.yaml", "doctor", "--json", ok=False)
    assert str(prefix) in doctor
    assert str(SOURCE) not in doctor.replace(str(prefix), "").replace(str(tmp_path), "")


def test_the_generator_of_sample_data_is_installed(prefix: Path) -> None:
    scripts = str(prefix / "share/entente/scripts")
    assert "usage" in call("/usr/bin/python3", "-m", "entente.sample", "--help", PYTHONPATH=scripts)


def test_pkg_config_says_where_plugins_go(prefix: Path) -> None:
    (pc,) = prefix.rglob("entente.pc")
    said = call("pkg-config", "--variable=plugindir", "entente", PKG_CONFIG_PATH=str(pc.parent)).strip()
    assert (Path(said) / "csv.so").is_file()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("language", ["c11", "c17", "c++17", "c++20"])
def test_the_header_compiles_everywhere(prefix: Path, tmp_path: Path, compiler: str, language: str) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not installed")
    unit = tmp_path / ("a.cpp" if "+" in language else "a.c")
    unit.write_text('#include "entente/plugin.h"\nint main() { return sizeof(ent_plugin) == 0; }\n')
    flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-std={language}"]
    call(compiler, *flags, "-I", prefix / "include", unit)
