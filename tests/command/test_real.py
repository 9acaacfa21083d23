# SPDX-License-Identifier: Apache-2.0
"""The examples on real data: totals that are known from elsewhere come out exactly, to the cent."""

import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import answer, run_in

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ENTENTE_DATA", ROOT.parent / "shared" / "data"))


def totals(example: str, needs: str, folder: Path, *words: str) -> Any:
    """Runs the example, and asks it."""
    if not (DATA / needs).exists():
        pytest.skip(f"{DATA / needs} is not there")
    shutil.copy(ROOT / "examples" / example / "entente.yaml", folder)
    env = {"ENTENTE_DATA": str(DATA)}
    done = run_in(folder, "run", "--no-rules", env=env)
    assert done.status == 0, done.err
    return answer(run_in(folder, "metrics", "query", *words, "--json", env=env))


def test_olist(tmp_path: Path) -> None:
    asked = ["orders.placed", "lines.placed", "revenue.placed", "shipping.placed"]
    said = totals("olist", "olist", tmp_path, *asked, "--by", "partner")
    found = said["total"]["figures"]
    known = [22_870, 26_109, Decimal("3135351.2"), Decimal("523883.56")]
    assert [found[name]["value"] for name in asked] == known
    sellers = [r for r in said["rows"] if r["partner"] != "olist" and r["figures"]["orders.placed"]["value"]]
    assert len(sellers) == 2_138
    # an order of several sellers is an order of each of them, and one of all
    assert sum(r["figures"]["orders.placed"]["value"] for r in said["rows"]) > 22_870
    assert sum(r["figures"]["revenue.placed"]["value"] for r in said["rows"]) == Decimal("3135351.2")


def test_retail(tmp_path: Path) -> None:
    said = totals("retail", "uci_online_retail", tmp_path, "lines.placed", "revenue.placed")
    found = said["total"]["figures"]
    assert found["lines.placed"]["value"] == 541_909
    assert found["revenue.placed"]["value"] == Decimal("9747747.934")
