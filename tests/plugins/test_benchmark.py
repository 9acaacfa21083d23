# SPDX-License-Identifier: Apache-2.0
"""A benchmark from a file to a rule: the partner's online share is held against the market's of the same quarter."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build" / "bin"))
DATA = Path(os.environ.get("ENTENTE_DATA", SOURCE.parent / "shared" / "data")) / "us_census_ecommerce"

PROJECT = """
version: 1
store: ./store
currency: USD
as_of: 2024-04-15
channels: {csv: {web: online/web, till: offline/store}}
sandbox: required
partners:
  shop: {name: Shop, zone: UTC, currency: USD, region: US}
  far: {name: Far, zone: UTC, currency: USD, region: JP}
sources:
  orders:
    partner: {from: fact, as: shop}
    from: {file: ./orders.csv}
    decode:
      csv:
        fact: order
        columns: {key: id, partner: shop, at: date, gross: gross, channel: channel}
        constants: {currency: USD}
  market:
    from: {glob: ./market/*}
    decode: {benchmark: {who: US Census}}
rules: {books: [./rules]}
"""
RULE = '''
from entente import insight, rule


@rule(practice="informative", row=4)
def behind_the_market(partner):
    """How much is sold online, against the market."""
    market = partner.benchmark("online_share")
    net = partner["revenue.net"]
    own = net.where(side="online").over(market.period) / net.over(market.period)
    yield insight(
        f"{own:.1%} online in {market.period}, the market {market.latest():.1%} ({market.who}), {market.change():+.2%}",
        key="share",
    )
'''


def ask(folder: Path, *words: str) -> Any:
    """What a command answers as JSON."""
    done = subprocess.run(
        [BIN / "entente", *words, "--json"], cwd=folder, text=True, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def project(folder: Path, **files: str) -> Any:
    """A shop that sells 3 of 8 online in the first quarter of 2024; the balance has to close."""
    (folder / "entente.yaml").write_text(PROJECT)
    (folder / "market").mkdir()
    (folder / "rules").mkdir()
    (folder / "rules" / "share.py").write_text(RULE)
    rows = [
        f"{shop}{month}{day},{shop},2024-{month:02d}-{day:02d},{gross},{channel}"
        for shop in ("shop", "far")
        for month in (1, 2, 3)
        for day in range(1, 32 if month != 2 else 30)
        for gross, channel in ((30, "web") if day % 2 else (50, "till"),)
    ]
    (folder / "orders.csv").write_text("id,shop,date,gross,channel\n" + "\n".join(rows) + "\n")
    for name, text in files.items():
        (folder / "market" / f"{name}.csv").write_text(text)
    told = ask(folder, "run")
    assert all(b["closes"] for b in told["balance"]), told
    return told


def own_share() -> float:
    """Counted again: odd days online at 30, even days at 50."""
    days = [d for m in (31, 29, 31) for d in range(1, m + 1)]
    online = sum(30 for d in days if d % 2)
    return online / (online + sum(50 for d in days if not d % 2))


def test_a_rule_reads_the_market(tmp_path: Path) -> None:
    share = "observation_date,ECOMPCTSA\n2023-01-01,15.1\n2024-01-01,15.9\n2024-04-01,16.0\n"
    told = project(tmp_path, share=share)
    [market] = [b for b in told["balance"] if b["source"] == "market"]
    assert (market["records"], market["stored"]) == (3, 3)
    assert told["judged"]["true"] == 1 and told["judged"]["unknown"] == 1  # nothing is known of Japan
    [finding] = ask(tmp_path, "findings")
    assert finding["text"] == (
        f"{own_share():.1%} online in the first quarter of 2024, the market 15.9% (US Census), {0.159 / 0.151 - 1:+.2%}"
    )
    (tmp_path / "market" / "revised.csv").write_text("observation_date,ECOMPCTSA\n2024-01-01,15.8\n")
    ask(tmp_path, "run")
    [finding] = ask(tmp_path, "findings")
    assert "the market 15.8%" in finding["text"]


def test_real_series_in_three_vintages(tmp_path: Path) -> None:
    names = ("ECOMPCTSA", "ECOMPCTSA_alt", "ECOMSA", "ECOMSA_alt")
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    text = {name: (DATA / f"{name}.csv").read_text() for name in names}
    told = project(tmp_path, **text)
    [market] = [b for b in told["balance"] if b["source"] == "market"]
    rows = {name: list(csv.reader(text[name].splitlines()))[1:] for name in names}
    assert market["records"] == sum(len(r) for r in rows.values()) == market["received"]
    assert market["rejected"] == 0
    # the vintages tell of the same quarters: as many as the longer file of each series has
    quarters = {n: max(len(rows[n]), len(rows[f"{n}_alt"])) for n in ("ECOMPCTSA", "ECOMSA")}
    assert market["stored"] == sum(quarters.values())
    at = {row[0]: row[1] for row in rows["ECOMPCTSA"]}
    [finding] = ask(tmp_path, "findings")
    assert f"the market {float(at['1/1/24']):.1f}% (US Census)" in finding["text"]


def test_dates_of_nothing_are_refused(tmp_path: Path) -> None:
    config = PROJECT.replace("{who: US Census}", "{series: {Index: {metric: index}}}")
    (tmp_path / "entente.yaml").write_text(config)
    (tmp_path / "market").mkdir()
    (tmp_path / "orders.csv").write_text("id,shop,date,gross,channel\n1,shop,2024-01-01,1,web\n")
    (tmp_path / "market" / "index.csv").write_text("Date,Index\n2024-01-01,100\n")
    (tmp_path / "rules").mkdir()
    done = subprocess.run(
        [BIN / "entente", "run"], cwd=tmp_path, text=True, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 4
    assert "index.csv:2: observation_date: a date, and nothing that says what it is the first day of" in done.stderr
    assert "period: month, quarter or year" in " ".join(done.stderr.split())
