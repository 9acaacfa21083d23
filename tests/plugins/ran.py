# SPDX-License-Identifier: Apache-2.0
"""A project of one partner and one source, run as a user would run it, and what came of it."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ENTENTE_DATA", SOURCE.parent / "shared" / "data"))
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build" / "bin"))

PROJECT = """
version: 1
store: ./store
currency: CURRENCY
as_of: latest
partners: {shop: {name: Shop, zone: UTC, currency: CURRENCY}}
sources:
  files: {partner: shop, from: {glob: ./data/*}, decode: DECODE}
rules: RULES
"""


def need(name: str) -> bytes:
    """A real file, or a skip that says which one is missing."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path.read_bytes()


def entente(folder: Path, *words: str) -> Any:
    """What a command says as JSON."""
    done = subprocess.run(
        [BIN / "entente", *words, "--json"], cwd=folder, text=True, capture_output=True, timeout=60, check=False
    )
    assert done.stdout.startswith(("{", "[")), done.stdout + done.stderr
    return json.loads(done.stdout)


def run(
    folder: Path,
    decode: str,
    files: dict[str, bytes],
    currency: str = "USD",
    rules: str = "{books: []}",
    more: str = "",
) -> dict[str, Any]:
    """The balance of the source, which must close. What was said of documents is under `told`."""
    text = PROJECT.replace("DECODE", decode).replace("CURRENCY", currency).replace("RULES", rules)
    (folder / "entente.yaml").write_text(text + more)
    (folder / "data").mkdir(exist_ok=True)
    for name, body in files.items():
        (folder / "data" / name).write_bytes(body)
    told = entente(folder, "run")
    (balance,) = told["balance"]
    assert balance["closes"]
    return {**balance, "told": json.dumps(told, ensure_ascii=False)}


def figures(folder: Path, *metrics: str, origin: str = "analytics") -> dict[str, Decimal]:
    """Exact figures of all days, as one origin has them."""
    done = subprocess.run(
        [BIN / "entente", "metrics", "query", *metrics, "--origin", origin, "--csv"],
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=60,
        check=True,
    )
    return {row["metric"]: Decimal(row["value"]) for row in csv.DictReader(done.stdout.splitlines())}


def observations(folder: Path) -> list[dict[str, Any]]:
    """The observations that rules are given."""
    with sqlite3.connect(folder / "store" / "entente.db") as store:
        return [json.loads(text) for (text,) in store.execute("SELECT json FROM record WHERE kind = 8")]


BOOK = '''
"""Says what it can read."""

from entente import NotEnoughEvidence, insight, rule


def said(measure, window):
    try:
        return round(measure.over(window).number, 6)
    except NotEnoughEvidence as error:
        return f"unknown: {error.why}"


@rule(practice="informative")
def reads(partner):
    """Tells figures, one finding each."""
    for key, value in {READS}.items():
        yield insight(f"{value}", key=key)
'''


def reads(
    folder: Path, decode: str, files: dict[str, bytes], what: dict[str, str], more: str = ""
) -> dict[str, str]:
    """What a rule reads of the sources: by name, expressions over `partner` and said(measure, window)."""
    (folder / "rules").mkdir(exist_ok=True)
    made = ", ".join(f"{name!r}: {text}" for name, text in what.items())
    (folder / "rules" / "reads.py").write_text(BOOK.replace("{READS}", "{" + made + "}"))
    run(folder, decode, files, rules="{books: [./rules]}", more=more)
    return {row["key"]: row["text"] for row in entente(folder, "findings")}
