# SPDX-License-Identifier: Apache-2.0
"""Options reach a plugin of a released minor as they did: its create() refuses any but those written here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", SOURCE / "build"))
BIN = Path(os.environ.get("ENTENTE_BIN", BUILD / "bin"))

PROJECT = """
version: 1
store: ./store
currency: EUR
as_of: latest
partners: {shop: {name: Shop, zone: UTC, currency: EUR}}
sources:
  files:
    partner: shop
    from: {glob: ./data/*}
    decode:
      minor0-rows:
        check: yes
        int: -7
        str: text
        enum: green
        duration: 90s
        secret: file:./secret
        list: [3, 2, 1]
        map: {left: x, right: 9}
        free: {any: thing}
rules: {books: []}
"""


def run(folder: Path, project: str) -> subprocess.CompletedProcess[str]:
    (folder / "plugins").mkdir()
    shutil.copy(BUILD / "tests" / "plugins" / "of-1.0.so", folder / "plugins" / "minor0.so")
    (folder / "entente.yaml").write_text(project)
    (folder / "secret").write_text("hush\n")
    (folder / "secret").chmod(0o600)
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_text("Kind,Key,Number\norder,A,1\nvisit,V,1\n")
    return subprocess.run(
        [BIN / "entente", "run", "--json"], cwd=folder, text=True, capture_output=True, timeout=60, check=False
    )


def test_every_kind_of_option_arrives(tmp_path: Path) -> None:
    done = run(tmp_path, PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr
    (balance,) = json.loads(done.stdout)["balance"]
    assert (balance["records"], balance["consumed"], balance["closes"]) == (2, 2, True)


@pytest.mark.parametrize(
    ("what", "written"),
    [
        ("int", "int: -8"),
        ("enum", "enum: red"),
        ("duration", "duration: 91s"),
        ("list", "list: [3, 2]"),
        ("free", "free: {some: thing}"),
    ],
)
def test_it_would_say_so(tmp_path: Path, what: str, written: str) -> None:
    lines = [written.rjust(8 + len(written)) if k.strip().startswith(f"{what}:") else k for k in PROJECT.split("\n")]
    done = run(tmp_path, "\n".join(lines))
    assert done.returncode != 0
    assert what in done.stdout + done.stderr
    assert "as ABI 1.0 has them" in done.stdout + done.stderr
