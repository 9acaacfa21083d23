# SPDX-License-Identifier: Apache-2.0
"""Matomo's own expected files through `entente run`, against figures counted here. Skipped where the files are not there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ran import SOURCE, entente, figures, need, observations, reads, run

VISITS = "matomo/test_ecommerceOrderWithItems__Live.getLastVisitsDetails_day.xml"
GOLDEN = SOURCE / "plugins" / "matomo" / "golden"


def actions(root: ElementTree.Element, kind: str) -> Iterator[ElementTree.Element]:
    """Actions of one type of all visits."""
    for action in root.iterfind("row/actionDetails/row"):
        if action.findtext("type") == kind:
            yield action


def test_visits_with_orders_and_carts(tmp_path: Path) -> None:
    body = need(VISITS)
    root = ElementTree.fromstring(body)
    balance = run(tmp_path, "{matomo: {period: 2010-03-06}}", {"visits.xml": body})
    orders = list(actions(root, "ecommerceOrder"))
    carts = list(actions(root, "ecommerceAbandonedCart"))
    visits = root.findall("row")
    assert (balance["records"], balance["consumed"], balance["rejected"]) == (len(visits), len(visits), 0)
    asked = ("sessions", "sessions.with_purchase", "sessions.cart_left", "purchases", "pageviews", "orders", "total")
    told = figures(tmp_path, *asked, "tax", "shipping", "carts.left", "carts.left_value", "sessions.new")
    worth = [Decimal(o.findtext("revenue") or 0) for o in orders]
    assert told["sessions"] == len(visits) > 0
    assert told["orders"] == told["purchases"] == len(orders) == 2
    assert told["total"] == sum(worth) == Decimal("3111.11")  # Goals.get of ecommerceOrder says the same of this day
    assert told["tax"] == sum(Decimal(o.findtext("revenueTax") or 0) for o in orders)
    assert told["shipping"] == sum(Decimal(o.findtext("revenueShipping") or 0) for o in orders)
    assert told["pageviews"] == len(list(actions(root, "action")))
    assert told["sessions.new"] == sum(v.findtext("visitorType") == "new" for v in visits)
    assert told["sessions.with_purchase"] == 1 and told["sessions.cart_left"] == 1
    assert len(carts) == 2  # the same cart, shown by two visits of one visitor: Matomo counts two
    assert told["carts.left"] == 1 and told["carts.left_value"] == Decimal("2510.11")
    pieces = sum(Decimal(i.findtext("quantity") or 0) for o in orders for i in o.iterfind("itemDetails/row"))
    assert figures(tmp_path, "units")["units"] == pieces


def test_a_visit_without_a_time_is_rejected(tmp_path: Path) -> None:
    body = need(VISITS)
    balance = run(tmp_path, "matomo", {"visits.xml": body})
    assert balance["rejected"] == balance["records"] == len(ElementTree.fromstring(body).findall("row"))
    (reject, *_) = entente(tmp_path, "rejects", "list")
    assert "set the option period" in reject["reason"]


def test_visits_in_utf16(tmp_path: Path) -> None:
    body = need("matomo/test_csvExport__Live.getLastVisitsDetails_day.csv")
    rows = list(csv.DictReader(body.decode("utf-16").splitlines()))
    balance = run(tmp_path, "auto", {"visits.csv": body})
    assert (balance["records"], balance["stored"]) == (len(rows), len(rows)) == (2, 2)
    told = figures(tmp_path, "sessions", "sessions.engaged", "pageviews", "attention")
    assert told["sessions"] == len(rows)
    assert told["sessions.engaged"] == 0  # both had one interaction: Matomo's bounce_count of this day is 2
    assert told["pageviews"] == sum(int(row["actions"]) for row in rows)
    assert told["attention"] == sum(int(row["visitDuration"]) for row in rows)


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("matomo/test_csvExport_multi__VisitsSummary.get_week.csv", ("2009-12-28", "2010-01-04")),
        ("matomo/test_csvExport_xp0__VisitsSummary.get_day.csv", ("2010-01-03", "2010-01-04")),
        ("matomo/test_csvExport_xp1_inner1_trans-de__VisitsSummary.get_day.csv", ("2010-01-03", "2010-01-04")),
        ("matomo/test_OneVisitorTwoVisits_csv__API.get_month.csv", ("2010-03-01", "2010-04-01")),
    ],
)
def test_reports_in_utf16(tmp_path: Path, name: str, days: tuple[str, str]) -> None:
    body = need(name)
    (row,) = csv.reader(body.decode("utf-16").splitlines()[1:])
    header = next(csv.reader(body.decode("utf-16").splitlines()))
    by_name = dict(zip(header, row))
    balance = run(tmp_path, "auto", {"report-2010-01-03.csv": body})
    assert (balance["records"], balance["consumed"]) == (1, 1)
    told = {r["metric"]: r for r in observations(tmp_path)}
    where = {
        "sessions": ("nb_visits", "Visits", "Besuche"),
        "visitors": ("nb_uniq_visitors", "Unique visitors", "Eindeutige Besucher"),
    }
    for metric, names in where.items():
        want = next(by_name[n] for n in names if n in by_name)
        assert told[metric]["value"] == int(want) * 10**6
    assert {(r["from"][:10], r["to"][:10]) for r in told.values()} == {days}
    assert told["sessions"]["additive"] and not told["visitors"].get("additive")


def test_goals_and_articles(tmp_path: Path) -> None:
    """All goals together are no orders; what articles brought is told by article."""
    goals = need("matomo/test_ecommerceOrderWithItems__Goals.get_week.xml")
    skus = need("matomo/test_ecommerceOrderWithItems__Goals.getItemsSku_day.xml")
    left = need("matomo/test_ecommerceOrderWithItems_AbandonedCarts__Goals.getItemsSku_day.xml")
    summary = need("matomo/test_ecommerceOrderWithItems__VisitsSummary.get_day.xml")
    files = {"a.xml": goals, "b.xml": skus, "c.xml": left, "d.xml": summary}
    balance = run(tmp_path, "{matomo: {period: 2010-03-06, currency: USD}}", files)
    rows = ElementTree.fromstring(skus).findall("row")
    sold = [row for row in rows if row.find("orders") is not None]
    skipped = 1 + len(rows) - len(sold) + len(ElementTree.fromstring(left).findall("row"))
    assert (balance["skipped"], balance["rejected"]) == (skipped, 0)
    told = observations(tmp_path)
    worth = sum(r["value"] for r in told if r["metric"] == "revenue.gross")
    assert worth == sum(Decimal(row.findtext("revenue") or 0) for row in sold) * 10**6
    day = ElementTree.fromstring(summary)
    (visits,) = (r for r in told if r["metric"] == "sessions" and not r.get("dims"))
    assert visits["value"] == int(day.findtext("nb_visits") or 0) * 10**6


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_german_report_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    text = (GOLDEN / "german.in").read_text(encoding="utf-8")
    balance = run(tmp_path, "auto", {"besuche-2026-05-04.csv": text.encode(encoding)})
    assert (balance["records"], balance["consumed"]) == (1, 1)
    metrics = {row["metric"] for row in observations(tmp_path)}
    assert metrics == {"sessions", "sessions.engaged", "attention", "visitors"}


def test_no_data_available(tmp_path: Path) -> None:
    balance = run(tmp_path, "auto", {"besuche-2026-05-04.csv": "No data available".encode("utf-16")})
    assert (balance["records"], balance["stored"]) == (0, 0)


def test_rules_read_reports(tmp_path: Path) -> None:
    """In the real rules worker, with channels by the names that the configuration gives them."""
    files = {
        "besuche-2026-05-04.csv": (GOLDEN / "german.in").read_bytes(),
        "laender-2026-05-04.csv": (GOLDEN / "countries.in").read_bytes(),
        "goals-2026-04-28_2026-05-04.csv": b"nb_conversions,nb_visits_converted,revenue,revenue_subtotal,items\n"
        b"12,11,1410.5,1300,31\n",
    }
    told = reads(
        tmp_path,
        "{matomo-reports: {currency: USD}}",
        files,
        {
            "visits": "said(partner['sessions'], '1d')",
            "visitors": "said(partner['visitors'], '1d')",
            "two days": "said(partner['sessions'], '2d')",
            "country": "said(partner['sessions'].where(country='DE'), '1d')",
            "campaign": "said(partner['sessions'].where(campaign='spring, letter'), '1d')",
            "channel": "said(partner['sessions'].where(channel='online/search'), '1d')",
            "side": "said(partner['sessions'].where(side='online'), '1d')",
            "parts": "list(partner['sessions'].by('channel').over('1d').items())[0][0]",
            "orders": "said(partner['orders'], '7d')",
            "orders, 6 days": "said(partner['orders'], '6d')",
            "worth": "said(partner['total'], '7d')",
        },
        "channels: {matomo: {search: online/search}}\n",
    )
    assert {name: told[name] for name in ("visits", "visitors", "country")} == {
        "visits": "50.0",
        "visitors": "41.0",
        "country": "36.0",
    }
    assert told["channel"] == told["side"] == "10.0" and told["parts"] == "online/search"
    assert told["campaign"] == "2.0"
    assert (told["orders"], told["worth"]) == ("12.0", "1410.5")
    assert told["two days"].startswith("unknown") and told["orders, 6 days"].startswith("unknown")
