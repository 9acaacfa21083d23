# SPDX-License-Identifier: Apache-2.0
"""The sample data holds what it says: real layouts, planted truths in their places, clean partners else."""

import csv
import datetime
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest
from entente.sample import PARTNERS, Partner, Span, generate
from entente.sample.journals import PLANTED
from entente.sample.shop import COLUMNS
from entente.sample.world import HOLE_DAYS, INDUSTRIES, YOUNG_DAYS

SPAN = Span.of(datetime.date(2026, 6, 30), 18)


@dataclass
class Seen:
    """What an independent reader of the files finds at one partner."""

    orders: dict[str, dict[str, str]] = field(default_factory=dict)  # Id or Name -> the newest first row
    sessions: Counter[str] = field(default_factory=Counter)  # YYYYMMDD -> visits with consent
    analytics: Counter[str] = field(default_factory=Counter)  # YYYYMM -> revenue
    carts: list[str] = field(default_factory=list)  # days

    def sold(self, first: int, after: int, online: bool = False) -> list[dict[str, str]]:
        """Orders from `first` to before `after` days ago, less the cancelled."""
        return [
            o
            for o in self.orders.values()
            if not o["Cancelled at"]
            and first <= ago(o["Created at"][:10]) < after
            and not (online and o.get("Source") == "shopify_draft_order")
        ]

    def visits(self, days: int) -> int:
        return sum(n for day, n in self.sessions.items() if ago(f"{day[:4]}-{day[4:6]}-{day[6:]}") < days)

    def conversion(self) -> float:
        return len(self.sold(0, 28, online=True)) / self.visits(28)

    def abandonment(self) -> float:
        left = sum(ago(day) < 28 for day in self.carts)
        return left / (left + len(self.sold(0, 28, online=True)))

    def revenue(self, first: int, after: int) -> float:
        return sum(float(o["Subtotal"]) for o in self.sold(first, after))

    def shop_months(self) -> dict[str, float]:
        months: dict[str, float] = {}
        for order in self.sold(0, 10_000):
            month = order["Created at"][:7].replace("-", "")
            months[month] = months.get(month, 0.0) + float(order["Subtotal"])
        return months


def ago(day: str) -> int:
    return (SPAN.last - datetime.date.fromisoformat(day)).days


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def seen(project: Path) -> dict[str, Seen]:
    found = {}
    for partner in PARTNERS:
        one = found[partner.id] = Seen()
        for path in sorted((project / "exports" / partner.id).glob("orders_export_*.csv")):
            for row in rows(path):
                if row["Currency"]:
                    one.orders[row.get("Id") or row["Name"]] = row
        one.carts = [
            r["Created at"][:10]
            for r in rows(project / "exports" / partner.id / "checkouts_export.csv")
            if r["Currency"]
        ]
        transactions = set()
        for path in (project / "feeds" / partner.id).iterdir():
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            for line in data.splitlines():
                if b'"session_start"' in line and b"user_pseudo_id" in line:
                    one.sessions[path.name[7:15]] += 1
                elif b'"event_name":"purchase"' in line:
                    commerce = json.loads(line)["ecommerce"]
                    if commerce["transaction_id"] not in transactions:
                        transactions.add(commerce["transaction_id"])
                        one.analytics[path.name[7:13]] += commerce["purchase_revenue"]
    return found


def planted(code: str) -> Partner:
    [partner] = [p for p in PARTNERS if p.truth and p.truth.code == code]
    return partner


def peers(partner: Partner) -> list[Partner]:
    return [p for p in PARTNERS if p.industry == partner.industry and p is not partner and not p.truth]


def digest(directory: Path) -> str:
    sum_ = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            sum_.update(f"{path.relative_to(directory)} {int(path.stat().st_mtime)} ".encode())
            sum_.update(path.read_bytes())
    return sum_.hexdigest()


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    short = Span.of(datetime.date(2026, 3, 31), 3)
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        generate(tmp_path / name, seed=seed, span=short)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_command_refuses_what_is_there_and_wrong_values(tmp_path: Path) -> None:
    (tmp_path / "entente.yaml").write_text("mine\n")
    scripts = str(Path(__file__).parents[3] / "scripts")

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "entente.sample", str(tmp_path), *more],
            text=True,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": scripts},
            timeout=60,
        )

    refused = run()
    assert refused.returncode == 2
    assert f"{tmp_path}/entente.yaml: is there already" in refused.stderr
    assert (tmp_path / "entente.yaml").read_text() == "mine\n"
    assert run("--months", "0").returncode == 2


def test_it_is_large_enough_and_small_enough(project: Path) -> None:
    size = sum(path.stat().st_size for path in project.rglob("*") if path.is_file())
    assert 30e6 < size < 70e6
    assert len(PARTNERS) >= 12
    assert all(sum(p.industry == name for p in PARTNERS) >= 6 for name in INDUSTRIES)  # five peers each
    assert {p.currency for p in PARTNERS} == {"EUR", "USD", "SEK", "GBP"}
    assert (SPAN.first, SPAN.last) == (datetime.date(2025, 1, 1), datetime.date(2026, 6, 30))


def test_layouts_of_the_orders_export(project: Path) -> None:
    layouts: Counter[int] = Counter()
    for path in project.glob("exports/*/orders_export_*.csv"):
        header = path.read_text().split("\n", 1)[0].split(",")
        layouts[len(header)] += 1
        if len(header) == 79:
            assert header == list(COLUMNS)
        elif len(header) == 75:
            assert header == [
                c for c in COLUMNS if c not in ("Outstanding Balance", "Employee", "Location", "Device ID")
            ]
        else:
            assert header == list(COLUMNS[:47])
    assert set(layouts) == {79, 75, 47} and layouts[47] == 1
    for path in project.glob("exports/*/checkouts_export.csv"):
        assert len(path.read_text().split("\n", 1)[0].split(",")) == 70


def test_rows_are_those_of_the_shop_system(project: Path) -> None:
    filled = {
        "Name",
        "Email",
        "Created at",
        "Lineitem quantity",
        "Lineitem name",
        "Lineitem price",
        "Lineitem sku",
        "Lineitem requires shipping",
        "Lineitem taxable",
        "Lineitem fulfillment status",
        "Vendor",
        "Lineitem discount",
    }
    statuses, sources, breaks, quotes, cancelled = set(), set(), 0, 0, 0
    for path in project.glob("exports/*/orders_export_*.csv"):
        order, moments = "", []
        for row in rows(path):
            breaks += "\n" in row["Notes"] or "\n" in row["Note Attributes"]
            quotes += '"' in row["Lineitem name"]
            if row["Currency"]:
                assert row["Name"] != order, "the rows of one order are adjacent"
                order = row["Name"]
                moments.append(datetime.datetime.strptime(row["Created at"], "%Y-%m-%d %H:%M:%S %z"))
                cents = [round(float(row[c]) * 100) for c in ("Subtotal", "Shipping", "Taxes", "Total")]
                assert sum(cents[:3]) == cents[3]
                statuses.add(row["Financial Status"])
                sources.add(row.get("Source"))
                cancelled += bool(row["Cancelled at"])
            else:
                assert row["Name"] == order
                assert {name for name, cell in row.items() if cell} <= filled
        assert moments == sorted(moments, reverse=True), "newest first"
    assert {"paid", "pending", "refunded", "partially_refunded", "voided"} <= statuses
    assert {"web", "shopify_draft_order", "iphone", "580111", None} <= sources
    assert breaks > 100 and quotes > 100 and cancelled > 20
    for path in project.glob("exports/*/checkouts_export.csv"):
        for row in rows(path):
            assert row["Name"][0] == "#" and len(row["Name"]) == 15
            assert not any(
                row[c] for c in ("Financial Status", "Paid at", "Payment Method", "Refunded Amount")
            )
            assert not row["Id"] or row["Name"] == "#" + row["Id"]


def test_a_newer_export_restates_what_an_older_one_said(project: Path) -> None:
    older, newer = (
        {r["Id"]: r for r in rows(project / "exports" / "ferrum" / f"orders_export_{n}.csv") if r["Id"]}
        for n in (2, 3)
    )
    both = older.keys() & newer.keys()
    assert len(both) > 50
    assert any(older[k]["Financial Status"] != newer[k]["Financial Status"] for k in both)
    assert (project / "exports" / "ferrum" / "orders_export_2.csv").stat().st_mtime < (
        project / "exports" / "ferrum" / "orders_export_3.csv"
    ).stat().st_mtime


def test_feed_is_a_bigquery_export(project: Path) -> None:
    engaged, denied, again, events = set(), 0, 0, 0
    loads = []
    names = sorted(path.name for path in (project / "feeds" / "ferrum").iterdir())
    assert names[0] == "events_20260101.json.gz" and names[-1] == "events_20260630.json" and len(names) == 181
    transactions = set()
    for name in names:
        path = project / "feeds" / "ferrum" / name
        data = gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()
        for line in data.splitlines():
            event = json.loads(line)
            events += 1
            assert event["event_date"] == name[7:15]
            assert isinstance(event["event_timestamp"], str)
            denied += "user_pseudo_id" not in event
            for param in event["event_params"]:
                if param["key"] == "session_engaged":
                    engaged.update(param["value"])
                if param["key"] == "load_time_msec":
                    loads.append(int(param["value"]["int_value"]))
            if event["event_name"] == "purchase":
                again += event["ecommerce"]["transaction_id"] in transactions
                transactions.add(event["ecommerce"]["transaction_id"])
    assert engaged == {"string_value", "int_value"}
    assert 0.01 < denied / events < 0.1
    assert again
    assert 1000 < median(loads) < 3000


def test_clean_partners_are_near_each_other(seen: dict[str, Seen]) -> None:
    for name in INDUSTRIES:
        clean = [p for p in PARTNERS if p.industry == name and not p.truth]
        for figure in (Seen.conversion, Seen.abandonment):
            middle = median(figure(seen[p.id]) for p in clean)
            assert all(abs(figure(seen[p.id]) / middle - 1) < 0.06 for p in clean), (name, figure)
    for partner in (p for p in PARTNERS if not p.truth):
        one = seen[partner.id]
        assert abs(one.revenue(0, 28) / one.revenue(28, 56) - 1) < 0.12, partner.id
        assert abs(one.revenue(0, 28) / one.revenue(364, 392) / (1 + partner.added) - 1) < 0.15, partner.id
        shop = one.shop_months()
        assert all(abs(one.analytics[m] / shop[m] - 1) < 0.06 for m in one.analytics), partner.id


def test_analytics_far_off(seen: dict[str, Seen], project: Path) -> None:
    partner = planted("analytics_far_off")
    shop = seen[partner.id].shop_months()
    assert all(seen[partner.id].analytics[m] < 0.5 * shop[m] for m in seen[partner.id].analytics)
    told = {
        r["month"]: float(r["amount"]) for r in rows(project / "declared.csv") if r["partner"] == partner.id
    }
    assert all(abs(amount / shop[month.replace("-", "")] - 1) < 0.04 for month, amount in told.items())


def test_engagement_fades(project: Path) -> None:
    fading = planted("engagement_fades").id
    contacts = rows(project / "checkins.csv")
    for partner in PARTNERS:
        mine = [r for r in contacts if r["partner"] == partner.id and ago(r["date"][:10]) < 90]
        held = [r for r in mine if r["held"] == "yes"]
        mails = [r for r in mine if r["kind"] == "mail"]
        delays = [
            (datetime.datetime.fromisoformat(r["answered"]) - datetime.datetime.fromisoformat(r["date"])).days
            for r in mails
            if r["answered"]
        ]
        if partner.id == fading:
            assert len(held) <= 1 and not any(r["answered"] for r in mails[-4:]) and max(delays) >= 7
        else:
            assert len(held) >= (2 if partner.truth and partner.truth.code == "too_little_history" else 6)
            assert all(r["answered"] for r in mails) and max(delays) == 0


def test_too_little_history(seen: dict[str, Seen]) -> None:
    partner = planted("too_little_history")
    days = {o["Created at"][:10] for o in seen[partner.id].orders.values()}
    assert len(days) == YOUNG_DAYS and ago(min(days)) == YOUNG_DAYS - 1


def test_conversion_trails(seen: dict[str, Seen]) -> None:
    partner = planted("conversion_trails")
    assert seen[partner.id].conversion() < 0.6 * min(seen[p.id].conversion() for p in peers(partner))


def test_hole_in_feed(seen: dict[str, Seen]) -> None:
    partner = planted("hole_in_feed")
    wanted = {ago(str(day)) for day in SPAN.tail(181).days()}
    there = {ago(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in seen[partner.id].sessions}
    assert wanted - there == set(range(HOLE_DAYS[1], HOLE_DAYS[0] + 1))


def test_carts_leak(seen: dict[str, Seen]) -> None:
    partner = planted("carts_leak")
    assert seen[partner.id].abandonment() > 1.15 * max(seen[p.id].abandonment() for p in peers(partner))


def test_revenue_falls(seen: dict[str, Seen]) -> None:
    one = seen[planted("revenue_falls").id]
    assert one.revenue(0, 28) < 0.75 * one.revenue(28, 56)
    assert one.revenue(0, 90) < 0.55 * one.revenue(90, 180)


def test_truths_are_written_down(project: Path) -> None:
    said = json.loads((project / "truths.json").read_text())
    assert {t["partner"] for t in said["truths"]} | set(said["clean"]) == {p.id for p in PARTNERS}
    shops = {partner.truth.code for partner in PARTNERS if partner.truth}
    journals = {truth.code for _, truth in PLANTED}
    assert sorted(t["truth"] for t in said["truths"]) == sorted(shops | journals) and not shops & journals
    assert len(said["clean"]) >= 5


def test_no_day_lacks_a_rate(project: Path) -> None:
    rates = rows(project / "rates.csv")
    days = {str(day) for day in SPAN.days()}
    for currency in ("USD", "SEK", "GBP"):
        assert {r["date"] for r in rates if r["from"] == currency and r["to"] == "EUR"} == days
