# SPDX-License-Identifier: Apache-2.0
"""What `entente plugin new` writes, built as an outsider does: away from this tree, against an installation alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import BUILD, SOURCE, STRICT, Installed

EXAMPLES = SOURCE / "examples" / "plugin"
# frame, the example's own name, and of its exports: records, consumed, rejected, skipped
FRAMES = {
    "delimited": ("till", (8, 5, 2, 1)),
    "jsonl": ("clicks", (7, 4, 1, 2)),
    "document": ("depot", (4, 3, 1, 0)),
}


@dataclass(frozen=True)
class Made:
    folder: Path
    name: str
    frame: str
    told: str


@pytest.fixture(scope="module", params=sorted(FRAMES))
def made(request: pytest.FixtureRequest, installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A plugin of one's own, written and built by the commands that are told, letter by letter."""
    name, here = f"my_{request.param}", tmp_path_factory.mktemp("author")
    told = installed.run("entente", "plugin", "new", name, "--frame", request.param, cwd=here).stdout
    go, build, test, run = [line.strip() for line in told.splitlines() if line.startswith("  ")]
    assert (go, test, run) == (f"cd {name}", f"entente plugin test build/{name}.so", "entente run")
    (page,) = re.findall(r"your format; (\S+) leads through it", told)
    assert Path(page).read_text() == (SOURCE / "docs" / "plugins.md").read_text()
    installed.run("sh", "-e", "-c", f"{go}\n{build}", cwd=here)
    return Made(here / name, name, request.param, told)


def test_it_passes_every_test(installed: Installed, made: Made) -> None:
    told = installed.json("entente", "plugin", "test", f"build/{made.name}.so", cwd=made.folder)
    outcomes = {t["name"]: t for t in told["tests"]}
    assert outcomes["golden"]["status"] == "passed", "its golden files were found"
    assert [t for t in told["tests"] if t["status"] not in ("passed", "skipped")] == []


def test_it_reads_its_files(installed: Installed, made: Made) -> None:
    told = installed.json("entente", "run", cwd=made.folder)
    (sheet,) = told["balance"]
    assert tuple(sheet[k] for k in ("records", "consumed", "rejected", "skipped")) == FRAMES[made.frame][1]
    assert sheet["closes"]
    rejects = installed.run("entente", "rejects", "list", cwd=made.folder).stdout
    assert re.search(r"is not a time|not a time like", rejects), rejects


def test_it_has_its_own_name_everywhere(installed: Installed, made: Made) -> None:
    old = FRAMES[made.frame][0]
    made_later = {"build", "store"}
    texts = [p for p in made.folder.rglob("*") if p.is_file() and not made_later & set(p.relative_to(made.folder).parts)]
    assert {p.name for p in texts} >= {f"{made.name}.c", "README.md", "entente.yaml", "cases", ".gitignore"}
    for text in texts:
        assert not re.search(rf"\b{old}\b", text.read_text()), text
        assert old not in text.name
    shown = installed.json("entente", "plugin", "show", made.name, cwd=made.folder)
    assert [d["name"] for d in shown["decoders"]] == [made.name] == [d["system"] for d in shown["decoders"]]


def test_it_shows_what_there_is(installed: Installed, made: Made) -> None:
    """A reject, a skip, an option with a default or a must, an amount that is absent and one that is zero."""
    cases = [p.read_text() for p in (made.folder / "golden").glob("*.facts.jsonl")]
    said = [json.loads(line) for text in cases for line in text.splitlines()]
    assert {f.get("verdict") for f in said} >= {None, "reject", "skip"}
    field, kind = {"jsonl": ("load_ms", "visit")}.get(made.frame, ("discount", "order"))
    values = [f.get(field) for f in said if f.get("fact") == kind]
    loads = [f.get("loads") for f in said if f.get("fact") == kind]
    assert None in values and (0 in values if made.frame != "jsonl" else 1 in loads)
    (decoder,) = installed.json("entente", "plugin", "show", made.name, cwd=made.folder)["decoders"]
    assert decoder["options"] and all(o["doc"].endswith(".") for o in decoder["options"])


def test_it_is_installed(installed: Installed, made: Made) -> None:
    installed.run("cmake", "--install", "build", cwd=made.folder)
    (shared,) = installed.prefix.rglob(f"entente/plugins/{made.name}.so")
    listed = installed.json("entente", "plugin", "list", cwd=installed.prefix)["plugins"]
    assert made.name in {p["name"] for p in listed}
    taken = installed.run("entente", "plugin", "new", made.name, cwd=made.folder, status=1)
    assert str(shared) in taken.stderr and "of two with one name only one is found" in taken.stderr
    shared.unlink()


def test_with_pkg_config_and_in_the_build_tree(installed: Installed, tmp_path: Path) -> None:
    (pc,) = installed.prefix.rglob("entente.pc")
    env = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent)}
    flags = subprocess.run(
        ["pkg-config", "--cflags", "entente"], env=env, check=True, capture_output=True, text=True
    ).stdout.split()
    shared = tmp_path / "till.so"
    words = ["cc", "-shared", "-fPIC", "-fvisibility=hidden", *STRICT.split(), *flags, "-o", str(shared)]
    subprocess.run([*words, str(EXAMPLES / "delimited" / "till.c")], check=True)
    plugins = {**installed.environment(), "ENTENTE_PLUGINS": str(tmp_path)}
    entente = BUILD / "bin" / "entente"
    words = [str(entente), "plugin", "show", "till"]
    done = subprocess.run(words, env=plugins, cwd=tmp_path, check=True, capture_output=True)
    assert b"Receipts of a cash desk" in done.stdout
    told = subprocess.run(
        [entente, "plugin", "new", "b"], env=plugins, cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    (build,) = [line.strip() for line in told.splitlines() if line.startswith("  cmake")]
    assert f"-DCMAKE_PREFIX_PATH={BUILD}" in build
    subprocess.run(build, shell=True, env=plugins, cwd=tmp_path / "b", check=True, capture_output=True)
    assert (tmp_path / "b" / "build" / "b.so").is_file()


@pytest.mark.parametrize("language", ["c11", "c++17"])
def test_the_header_stands_alone(installed: Installed, tmp_path: Path, language: str) -> None:
    (header,) = installed.prefix.rglob("plugin.h")
    unit = tmp_path / ("a.cpp" if "++" in language else "a.c")
    unit.write_text('#include "entente/plugin.h"\nint main() { return sizeof(ent_plugin) == 0; }\n')
    compiler = "c++" if "++" in language else "cc"
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    subprocess.run([compiler, f"-std={language}", *strict, "-I", header.parent.parent, unit], check=True)


@pytest.mark.parametrize("frame", sorted(FRAMES))
def test_the_examples_are_short(frame: str) -> None:
    """One file that fits in a head, and includes the one header of Entente alone."""
    text = (EXAMPLES / frame / f"{FRAMES[frame][0]}.c").read_text()
    assert len(text.splitlines()) <= 300
    assert re.findall(r'#include [<"](.*entente.*|core.*)[>"]', text) == ["entente/plugin.h"]
