# SPDX-License-Identifier: Apache-2.0
"""What the tests of plugins in other languages share: calling, golden files, running in the real worker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", SOURCE / "build"))
BIN = Path(os.environ.get("ENTENTE_BIN", BUILD / "bin"))


def call(*command: str | Path, cwd: Path | None = None, **more: str) -> str:
    """Standard output of a command that must succeed; `more` goes into its environment."""
    done = subprocess.run(
        [str(c) for c in command],
        text=True,
        capture_output=True,
        env={**os.environ, **more},
        cwd=cwd,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def exported(shared: Path) -> list[str]:
    """The symbols that others can see."""
    return [line.split()[-1] for line in call("nm", "-D", "--defined-only", shared).splitlines()]


def golden(example: Path, shared: Path, tmp_path: Path) -> None:
    """What the plugin says to a host that shares no code with the real one is, fact by fact, its golden output."""
    plugin = os.path.relpath(shared.with_suffix(""), BUILD / "plugins")
    cases = [k for k in (example / "golden" / "cases").read_text().splitlines() if k and not k.startswith("#")]
    assert cases
    for case in cases:
        name, given, decoder, document, options = case.split(None, 4)
        (tmp_path / "options.yaml").write_text(options)
        shutil.copy(example / "golden" / given, tmp_path / document)
        dump = BUILD / "tests" / "plugin-dump"
        said = call(dump, plugin, decoder, tmp_path / document, tmp_path / "options.yaml")
        output = example / "golden" / f"{name}.facts.jsonl"
        if os.environ.get("ENTENTE_GOLDEN") == "write":
            output.write_text(said)
        assert said == output.read_text(), f"{name} of {example.name}"


def balance(example: Path, shared: Path, tmp_path: Path) -> dict[str, Any]:
    """The project of the example, run with the real worker; and what it rejects."""
    shutil.copytree(example / "project", tmp_path / "here" / "project")
    shutil.copytree(example / "golden", tmp_path / "here" / "golden")
    config = tmp_path / "here" / "project" / "entente.yaml"
    told = json.loads(call(BIN / "entente", "-c", config, "run", "--json", ENTENTE_PLUGINS=str(shared.parent)))
    (found,) = told["balance"]
    rejects = call(BIN / "entente", "-c", config, "rejects", "list", ENTENTE_PLUGINS=str(shared.parent))
    return {**found, "rejects": rejects}


def conform(example: Path, shared: Path) -> None:
    """Every test that `entente plugin test` has for a plugin passes, or has nothing to try."""
    done = subprocess.run(
        [BIN / "entente", "plugin", "test", shared, "--golden", example / "golden", "--timeout", "300", "--json"],
        text=True,
        capture_output=True,
        check=False,
    )
    told = json.loads(done.stdout)
    outcomes = {test["name"]: test["status"] for test in told["tests"]}
    assert {name: word for name, word in outcomes.items() if word not in ("passed", "skipped")} == {}, done.stdout
    assert done.returncode == 0
    assert (outcomes["symbols"], outcomes["golden"], outcomes["again"]) == ("passed", "passed", "passed")
