# SPDX-License-Identifier: Apache-2.0
"""The plugins under `entente run`: what they refuse reaches the user, and what they hold back is accounted for."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build" / "bin"))

PROJECT = """
version: 1
store: ./store
currency: EUR
as_of: latest
partners: {shop: {name: Shop, zone: UTC, currency: EUR}}
sources:
  files: {partner: shop, from: {glob: ./data/*}, decode: DECODE}
rules: {books: []}
"""
ORDERS = "{csv: {fact: order, columns: {key: id, at: date, total: total}, constants: {currency: EUR}}}"


def run(folder: Path, decode: str, **files: str) -> tuple[int, str, dict[str, Any]]:
    """Exit status, what was told the user, and the balance of the one source."""
    (folder / "entente.yaml").write_text(PROJECT.replace("DECODE", decode))
    (folder / "data").mkdir()
    for name, text in files.items():
        (folder / "data" / name.replace("_csv", ".csv").replace("_json", ".json")).write_text(text)
    done = subprocess.run(
        [BIN / "entente", "run", "--json"], cwd=folder, text=True, capture_output=True, timeout=60, check=False
    )
    told = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    (balance,) = told.get("balance", [{}])
    return done.returncode, done.stdout + done.stderr, balance


def test_a_mistake_in_a_mapping(tmp_path: Path) -> None:
    status, told, _ = run(tmp_path, ORDERS.replace("at: date", "att: date"), a_csv="id,date,total\n")
    assert status == 4
    assert "order has no field att" in told and "did you mean at?" in told


def test_dates_that_nothing_decides(tmp_path: Path) -> None:
    status, told, balance = run(tmp_path, ORDERS, a_csv="id,date,total\n1,03/04/2024,1\n2,05/04/2024,1\n")
    assert status == 4
    assert "03/04/2024" in told and "row 2" in told and "%d/%m/%Y" in told
    assert balance.get("stored", 0) == 0


def test_rows_held_back_are_accounted_for(tmp_path: Path) -> None:
    rows = "".join(f"{i},0{i % 9 + 1}/0{i % 7 + 1}/2024,{'x' if i % 50 == 7 else '1'}\n" for i in range(500))
    status, told, balance = run(tmp_path, ORDERS, a_csv=f"id,date,total\n{rows}last,13/01/2024,1\n")
    assert status == 0, told
    assert (balance["records"], balance["rejected"], balance["stored"]) == (501, 10, 491)
    assert balance["closes"]


def test_a_directory_of_both_shopify_exports(tmp_path: Path) -> None:
    golden = SOURCE / "plugins" / "shopify" / "golden"
    status, told, balance = run(
        tmp_path,
        "auto",
        a_csv=(golden / "orders-79.in").read_text(),
        b_csv=(golden / "checkouts.in").read_text(),
        c_json=(SOURCE / "plugins" / "ga4" / "golden" / "events.in").read_text(),
    )
    assert status in (0, 4), told
    rows = sum(len((golden / n).read_text().splitlines()) for n in ("orders-79.in", "checkouts.in"))
    assert balance["closes"] and balance["records"] > rows
    assert "could not be read" not in told


def test_mixed_exports_are_refused(tmp_path: Path) -> None:
    mixed = (SOURCE / "plugins" / "shopify" / "golden" / "mixed.in").read_text()
    status, told, balance = run(tmp_path, "shopify", a_csv=mixed)
    assert status == 4
    assert "abandoned checkout" in told and "take them apart" in told
    assert balance.get("stored", 0) == 0
