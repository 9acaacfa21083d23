# SPDX-License-Identifier: Apache-2.0
"""A guess about where records begin that is wrong makes a run slower, never wrong.

The file is cut for several workers near 8 MiB, within a note so long that its inside looks like the file itself: the
worker of the second part begins there, and fails at a quote. The core must ask again from where the first part ended.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

CONFIGURATION = """\
version: 1
store: ./store
currency: EUR
as_of: latest
partners:
  corner: {name: Corner Shop, industry: groceries, region: DE, zone: Europe/Berlin, currency: EUR}
sources:
  sales:
    partner: corner
    from: {file: ./sales.csv}
    decode:
      csv:
        fact: order-lines
        columns: {order: order, key: item, at: when, sku: sku, quantity: qty, unit_price: price}
        constants: {currency: EUR}
rules:
  books: [shipped]
"""


def write_export(path: Path) -> int:
    """Writes the export and returns how many rows it has."""
    rows = ["order,item,when,sku,qty,price,note"]
    size = 0

    def add(note: str) -> None:
        nonlocal size
        rows.append(f"A{len(rows)},1,2024-03-{1 + len(rows) % 28:02d} 10:00,S{len(rows) % 50},1,2.50,{note}")
        size += len(rows[-1]) + 1

    while size < 7_900_000:
        add("plain")
    inside = "".join(f"\nB{i},1,2024-03-01 10:00,S,1,1.00,inner" for i in range(40_000))
    add('"begins' + inside + '\nX,1,2024-03-01 10:00,S,1,1.00,""open\n"')
    while size < 18_000_000:
        add("plain")
    path.write_text("\n".join(rows) + "\n")
    return len(rows) - 1


def test_a_wrong_guess_is_slow_but_not_wrong(tmp_path: Path) -> None:
    rows = write_export(tmp_path / "sales.csv")
    (tmp_path / "entente.yaml").write_text(CONFIGURATION)
    entente = os.environ["ENTENTE_BIN"] + "/entente"
    run = subprocess.run([entente, "run", "-q"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    told = subprocess.run([entente, "balance", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    balance = json.loads(told.stdout)
    assert balance["closes"]
    assert balance["sources"][0]["consumed"] == rows
