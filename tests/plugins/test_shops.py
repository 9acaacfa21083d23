# SPDX-License-Identifier: Apache-2.0
"""Shops' decoders under `entente run`: the balance closes, and figures are those of an independent count."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build" / "bin"))
PROJECT = """
version: 1
store: ./store
currency: USD
as_of: latest
partners: {{shop: {{name: Shop, zone: UTC, currency: USD}}}}
sources:
  files: {{partner: shop, from: {{glob: ./data/*}}, decode: {decode}}}
rules: {{books: []}}
"""
METRICS = ["orders", "orders.cancelled", "quotes", "units", "revenue.gross", "revenue.net", "refunds", "total", "carts"]


def entente(folder: Path, *words: str) -> Any:
    """What the command answers in JSON."""
    done = subprocess.run(
        [BIN / "entente", *words, "--json"], cwd=folder, text=True, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def run(folder: Path, decode: str, files: dict[str, str]) -> dict[str, Any]:
    """Balance of one source of these files; it closes."""
    (folder / "entente.yaml").write_text(PROJECT.format(decode=decode))
    (folder / "data").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "data" / name).write_text(text, encoding="utf-8")
    (balance,) = entente(folder, "run")["balance"]
    assert balance["closes"]
    return dict(balance)


def figures(folder: Path) -> dict[str, float]:
    """What the store says, all days together."""
    told = entente(folder, "metrics", "query", *METRICS)["total"]["figures"]
    return {name: told[name]["value"] for name in METRICS}


def table(rows: list[dict[str, object]]) -> str:
    """A delimited file as shops write it, headings from the first row."""
    out = [",".join(f'"{name}"' if " " in name else name for name in rows[0])]
    for row in rows:
        out.append(",".join('"' + str(cell).replace('"', '""') + '"' for cell in row.values()))
    return "\n".join(out) + "\n"


def test_magento(tmp_path: Path) -> None:
    """Two store views that count to the same numbers, a currency of purchase, an export that repeats rows."""
    rng = random.Random(5)
    statuses = ["complete"] * 5 + ["processing", "closed", "canceled", "pending_payment", "holded"]
    rows: list[dict[str, object]] = []
    for i in range(600):
        base = rng.randrange(1000, 90000) * 100  # of 1/10000
        rate = rng.choice([Fraction(1), Fraction(5, 4)])
        shipping, status = rng.choice([0, 50000]), rng.choice(statuses)
        back = base + shipping if status == "closed" else 0
        view = ["Default Store View", "French"][i % 2]
        rows.append(
            {
                "ID": f"{i // 2 + 1:09}",
                "Purchase Point": f"Main Website\u00a0\u00a0\u00a0\u00a0Main Website Store\u00a0\u00a0\u00a0\u00a0{view}",
                "Purchase Date": f"Mar {i % 28 + 1}, 2024 {i % 24:02}:15:00 {'AM' if i % 24 < 12 else 'PM'}",
                "Bill-to Name": 'Any "Body", Jr.',
                "Grand Total (Base)": f"{(base + shipping) / 10000:.4f}",
                "Grand Total (Purchased)": f"{float((base + shipping) * rate) / 10000:.4f}",
                "Status": status,
                "Shipping Address": "1 Any Street\nAnytown",
                "Customer Email": f"buyer{i % 50}@example.com",
                "Subtotal": f"{base / 10000:.4f}",
                "Shipping and Handling": f"{shipping / 10000:.4f}",
                "Total Refunded": f"{float(back * rate) / 10000:.4f}",
            }
        )
    text = table(rows + rows[200:250])
    balance = run(tmp_path, "{magento: {currency: USD}}", {"export.csv": text})
    assert (balance["records"], balance["rejected"], balance["duplicate"]) == (650, 0, 50)
    told = figures(tmp_path)
    read = list(csv.DictReader(text.splitlines(keepends=True)))
    orders = {(r["ID"], r["Purchase Point"]): r for r in read}
    kept = [r for r in orders.values() if r["Status"] not in ("canceled", "pending_payment")]
    assert len(orders) == 600
    assert told["orders"] == len(kept)
    assert told["orders.cancelled"] == sum(r["Status"] == "canceled" for r in orders.values())
    assert told["quotes"] == sum(r["Status"] == "pending_payment" for r in orders.values())
    gross = sum(Fraction(r["Subtotal"]) for r in kept)
    closed = [r for r in kept if r["Status"] == "closed"]
    assert told["revenue.gross"] == float(gross)
    assert told["refunds"] == float(sum(Fraction(r["Grand Total (Base)"]) for r in closed))
    assert told["revenue.net"] == float(gross - sum(Fraction(r["Subtotal"]) for r in closed))
    assert told["total"] == float(sum(Fraction(r["Grand Total (Base)"]) for r in kept))


def test_magento_wants_its_currency(tmp_path: Path) -> None:
    grid = (SOURCE / "plugins" / "magento" / "golden" / "grid.in").read_text(encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "export.csv").write_text(grid, encoding="utf-8")
    (tmp_path / "entente.yaml").write_text(PROJECT.format(decode="auto"))
    done = subprocess.run(
        [BIN / "entente", "run"], cwd=tmp_path, text=True, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 4
    assert "decode: {magento: {currency: ...}}" in done.stdout + done.stderr
