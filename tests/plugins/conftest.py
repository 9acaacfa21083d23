# SPDX-License-Identifier: Apache-2.0
"""A whole installation at a place that nobody looks into by itself, as an author of plugins has it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", SOURCE / "build"))
STRICT = "-Wall -Wextra -Wpedantic -Wshadow -Werror"


@dataclass(frozen=True)
class Installed:
    """Its programs are found in PATH, and nothing of source and build tree is in the environment."""

    prefix: Path

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ENTENTE_", "CMAKE_", "PYTHON"))}
        return kept | {"PATH": f"{self.prefix / 'bin'}:{os.environ['PATH']}", "CFLAGS": STRICT}

    def run(self, *words: str | Path, cwd: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(w) for w in words], text=True, capture_output=True, env=self.environment(), cwd=cwd, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def json(self, *words: str | Path, cwd: Path) -> Any:
        return json.loads(self.run(*words, "--json", cwd=cwd).stdout)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(["cmake", "--install", BUILD, "--prefix", folder], check=True, capture_output=True, text=True)
    return Installed(folder)
