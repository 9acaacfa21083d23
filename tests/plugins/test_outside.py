# SPDX-License-Identifier: Apache-2.0
"""The example plugin, built as an outsider builds one: away from this tree, against an installation alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", SOURCE / "build"))
BIN = Path(os.environ.get("ENTENTE_BIN", BUILD / "bin"))
EXAMPLE = SOURCE / "examples" / "plugin"


def call(*command: str | Path, **more: str) -> str:
    """Standard output of a command that must succeed; `more` goes into its environment."""
    done = subprocess.run(
        [str(c) for c in command], text=True, capture_output=True, env={**os.environ, **more}, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a plugin author has of an installation: the header, the CMake package, the pkg-config file."""
    folder = tmp_path_factory.mktemp("installed")
    call("cmake", "--install", BUILD, "--prefix", folder, "--component", "plugin-author")
    assert not list(folder.rglob("*.a")) and not list(folder.rglob("*.so"))
    return folder


def project(tmp_path: Path) -> Path:
    """A copy of the example's project, as running it writes a store."""
    shutil.copytree(EXAMPLE / "project", tmp_path / "project")
    return tmp_path / "project" / "entente.yaml"


def check(config: Path, plugins: Path) -> None:
    """The plugin's receipts arrive, and its two bad rows are told with their place."""
    told = json.loads(call(BIN / "entente", "-c", config, "run", "--json", ENTENTE_PLUGINS=str(plugins)))
    (till,) = told["balance"]
    assert (till["records"], till["consumed"], till["rejected"], till["closes"]) == (7, 5, 2, True)
    rejects = call(BIN / "entente", "-c", config, "rejects", "list", ENTENTE_PLUGINS=str(plugins))
    assert "march.csv:6" in rejects and "not a time like" in rejects


def test_with_cmake(prefix: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    flags = "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror"
    call("cmake", "-S", EXAMPLE, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", flags)
    call("cmake", "--build", build)
    check(project(tmp_path), build)
    call("cmake", "--install", build)
    assert len(list(prefix.rglob("entente/plugins/till.so"))) == 1


def test_with_pkg_config(prefix: Path, tmp_path: Path) -> None:
    (pc,) = prefix.rglob("entente.pc")
    flags = call("pkg-config", "--cflags", "entente", PKG_CONFIG_PATH=str(pc.parent)).split()
    (tmp_path / "plugins").mkdir()
    shared = tmp_path / "plugins" / "till.so"
    call("cc", "-shared", "-fPIC", "-fvisibility=hidden", *flags, "-o", shared, EXAMPLE / "till.c")
    check(project(tmp_path), shared.parent)


@pytest.mark.parametrize("language", ["c11", "c++17"])
def test_the_header_stands_alone(prefix: Path, tmp_path: Path, language: str) -> None:
    (header,) = prefix.rglob("plugin.h")
    unit = tmp_path / ("a.cpp" if "++" in language else "a.c")
    unit.write_text('#include "entente/plugin.h"\nint main() { return sizeof(ent_plugin) == 0; }\n')
    compiler = "c++" if "++" in language else "cc"
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    call(compiler, f"-std={language}", *strict, "-I", header.parent.parent, unit)


def test_the_example_is_short() -> None:
    lines = (EXAMPLE / "till.c").read_text().splitlines()
    assert len(lines) <= 150
    assert not [n for n in lines if re.search(r"\bcore/", n)], "it includes the one header alone"
