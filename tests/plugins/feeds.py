# SPDX-License-Identifier: Apache-2.0
"""A project with one source of analytics, run as its user would: what is told, the balance, figures."""

from __future__ import annotations

import json
import os
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build" / "bin"))

PROJECT = """version: 1
store: ./store
currency: EUR
as_of: latest
partners: {shop: {name: Shop, zone: UTC, currency: EUR}}
sources:
  files:
    partner: shop
    from: FROM
    decode: DECODE
rules: {books: []}
"""


class Feed:
    """A folder with a configuration and a source named files."""

    def __init__(self, folder: Path, read_from: str, decode: str) -> None:
        self.folder = folder
        (folder / "entente.yaml").write_text(PROJECT.replace("FROM", read_from).replace("DECODE", decode))

    def write(self, name: str, content: bytes | str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def entente(self, *words: str) -> tuple[int, Any, str]:
        done = subprocess.run(
            [BIN / "entente", *words, "--json"], cwd=self.folder, text=True, capture_output=True, timeout=120, check=False
        )
        try:
            told = json.loads(done.stdout)
        except ValueError:  # nothing, or JSON lines
            told = {}
        return done.returncode, told, done.stdout + done.stderr

    def run(self, status: int = 0) -> tuple[dict[str, Any], str]:
        """The balance of the source, which closes, and all that was told."""
        code, told, text = self.entente("run")
        assert code == status, text
        (balance,) = told.get("balance") or [{}]
        assert balance.get("closes", status != 0), text
        return balance, text

    def figure(self, metric: str, *words: str) -> Decimal:
        """What there is of a metric, of all partners and days."""
        _, told, text = self.entente("metrics", "query", metric, *words)
        assert told, text
        figure = told["total"]["figures"][metric]
        return Decimal(str(figure["there"] if figure["value"] is None else figure["value"]))
