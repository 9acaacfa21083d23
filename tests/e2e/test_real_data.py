# SPDX-License-Identifier: Apache-2.0
"""The examples on the real files, to the last digit of known totals. Skipped where there are none."""

import csv
import datetime
import json
import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from project import ROOT, Project

DATA = Path(os.environ.get("ENTENTE_DATA", ROOT.parent / "shared" / "data"))
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there: real input is kept outside")


class Example(Project):
    """An example as it stands, in a copy."""

    def configure(self) -> None:
        pass


def example(name: str, folder: Path) -> Example:
    shutil.copytree(ROOT / "examples" / name, folder, ignore=shutil.ignore_patterns("store"))
    return Example(folder, "", environment={"ENTENTE_DATA": str(DATA)})


def figures(p: Project, *metrics: str) -> dict[str, str]:
    """What `entente metrics query` says over all days and partners, as it is written."""
    with p.start("metrics", "query", *metrics, "--json") as child:
        out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    told: dict[str, Any] = json.loads(out, parse_float=str, parse_int=str)
    found = told["total"]["figures"]
    assert {figure["state"] for figure in found.values()} == {"known"}
    return {name: figure["value"] for name, figure in found.items()}


def test_olist(tmp_path: Path) -> None:
    p = example("olist", tmp_path / "olist")
    said = p.run("--no-rules")
    assert said.read["records"] == 22_870 + 26_109
    placed = ("orders.placed", "lines.placed", "revenue.placed", "shipping.placed")
    told = figures(p, *placed, "orders", "revenue.gross")
    assert {name: Decimal(value) for name, value in told.items()} == {
        "orders.placed": 22_870,
        "lines.placed": 26_109,
        "revenue.placed": Decimal("3135351.20"),
        "shipping.placed": Decimal("523883.56"),
        "orders": 22_691,
        "revenue.gross": Decimal("3125520.72"),
    }
    sellers = "select count(distinct partner) from v_cell_sales where view = 'total' and partner <> 'olist'"
    assert p.sql(sellers + " and orders + orders_cancelled > 0") == [(2_138,)]
    assert p.run("--no-rules").read["inputs"] == 0


def test_retail(tmp_path: Path) -> None:
    p = example("retail", tmp_path / "retail")
    said = p.run("--no-rules")
    assert said.read["records"] == 541_909
    told = figures(p, "orders", "lines", "revenue.gross")
    assert {name: Decimal(value) for name, value in told.items()} == {
        "orders": 25_900,
        "lines": 541_909,
        "revenue.gross": Decimal("9747747.934"),
    }


def test_export_of_a_development_shop(tmp_path: Path) -> None:
    p = Project(
        tmp_path / "p",
        f"  shop: {{partner: nordwind, from: {{directory: '{DATA}/shopify_export_devstore'}}, decode: auto}}",
    )
    said = p.run()
    [sheet] = said.json["balance"]
    assert (sheet["records"], sheet["rejected"], sheet["skipped"]) == (121, 0, 0)
    assert p.sql("select count(*) from input where done and decoder = 'shopify'") == [(1,)]
    assert sheet["received"] == sheet["stored"] == 51 + 121


def test_promises_of_sellers_whom_nobody_could_see_yet(tmp_path: Path) -> None:
    """45 sellers of Olist declared what they sell in a month, from 6 to 50,000,000, and none of them ever sold anything. All of
    them had signed in the last weeks of the data, or after it: that is unknown, and no broken promise."""
    with (DATA / "olist" / "closed_deals.csv").open(newline="") as file:
        deals = [row for row in csv.DictReader(file) if float(row["declared_monthly_revenue"] or 0)]
    assert len(deals) == 45
    p = example("olist", tmp_path / "olist")
    sellers = "".join(f"  {d['seller_id']}: {{region: BR, currency: BRL}}\n" for d in deals)
    p.config.write_text(p.config.read_text().replace("\nsources:", f"\n{sellers}\nsources:", 1))
    sheet = "partner,text,who,metric,value,currency,window,said_on,due\n"
    for deal in deals:
        value, said_on = deal["declared_monthly_revenue"], deal["won_date"][:10]
        due = datetime.date.fromisoformat(said_on) + datetime.timedelta(days=90)
        sheet += f"{deal['seller_id']},{value} a month,them,revenue.gross,{value},BRL,30d,{said_on},{due}\n"
    p.write("claims.csv", sheet)
    p.run("--no-rules")
    assert p.entente("register", "claims", "import", str(p.folder / "claims.csv")).json["written"] == 45
    for day, seen in (("2018-10-03", None), ("2018-12-31", 45)):
        assert p.entente("run", "--as-of", day).status == 0
        ours = {d["seller_id"] for d in deals}
        said = [r for r in p.records() if r["rule"] == "promises_hold" and r["partner"] in ours]
        assert len(said) == 45 and {r["verdict"] for r in said} == {"unknown"}
        early = [r for r in said if r["findings"]]
        assert len(early) == (seen or sum(d["won_date"][:10] <= day for d in deals))
        assert all(f["kind"] == "unknown" and f["decides_on"] > day for r in early for f in r["findings"])
