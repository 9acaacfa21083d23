# SPDX-License-Identifier: Apache-2.0
"""Dumps of Broadleaf's tables through `entente run`, against a count of their own in Python."""

from __future__ import annotations

import csv
import sqlite3
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ran import SOURCE, entente, figures

GOLDEN = SOURCE / "plugins" / "broadleaf" / "golden"

PROJECT = """
version: 1
store: ./store
currency: EUR
as_of: latest
partners: {shop: {name: Shop, zone: UTC, currency: EUR}}
sources:
  orders: {partner: shop, from: {glob: ./orders*.csv}, decode: ORDERS}
  items: {partner: shop, from: {glob: ./items*.csv}, decode: broadleaf-items}
rules: {books: []}
"""


def run(folder: Path, orders: str = "auto") -> dict[str, dict[str, Any]]:
    """The balance of each source, which closes."""
    (folder / "entente.yaml").write_text(PROJECT.replace("ORDERS", orders))
    balance = {row["source"]: row for row in entente(folder, "run")["balance"]}
    assert all(row["closes"] for row in balance.values())
    return balance


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a golden input."""
    with (GOLDEN / name).open() as file:
        return list(csv.DictReader(file))


def time(text: str) -> datetime | None:
    """None where it is no ISO time."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def amount(text: str) -> Decimal | None:
    """None where it is none."""
    return Decimal(text) if text.replace(".", "").isdigit() else None


def sold(row: dict[str, str]) -> bool:
    """Is it an order that counts, as the README says?"""
    good = row["CURRENCY_CODE"] == "EUR" and time(row["SUBMIT_DATE"]) and amount(row["ORDER_TOTAL"]) is not None
    return row["ORDER_STATUS"] == "SUBMITTED" and bool(good) and amount(row["ORDER_SUBTOTAL"]) is not None


def test_orders_carts_and_lines(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes((GOLDEN / "orders.in").read_bytes())
    (tmp_path / "items.csv").write_bytes((GOLDEN / "items.in").read_bytes())
    balance = run(tmp_path)
    told = figures(
        tmp_path, "orders", "total", "revenue.gross", "discounts", "shipping", "tax", "quotes", "orders.cancelled",
        "carts.left", "carts.left_value", "units", "lines", origin="shop",
    )  # fmt: skip
    dump = rows("orders.in")
    orders = [row for row in dump if sold(row)]
    times = [t for row in dump for c in ("SUBMIT_DATE", "DATE_CREATED", "DATE_UPDATED") if (t := time(row[c]))]
    cut = max(times) - timedelta(hours=1)
    carts = [
        row
        for row in dump
        if row["ORDER_STATUS"] in ("IN_PROCESS", "CSR_OWNED")
        and row["ORDER_ID"]
        and row["CURRENCY_CODE"] == "EUR"
        and (touched := time(row["DATE_UPDATED"]) or time(row["DATE_CREATED"]))
        and touched <= cut
    ]
    assert len(orders) == 3 and len(carts) == 3
    assert told["orders"] == len(orders)
    assert told["quotes"] == told["orders.cancelled"] == 1
    assert told["total"] == sum(Decimal(row["ORDER_TOTAL"]) for row in orders)
    assert told["revenue.gross"] == sum(Decimal(row["ORDER_SUBTOTAL"]) for row in orders)
    assert told["shipping"] == sum(Decimal(row["TOTAL_SHIPPING"]) for row in orders)
    assert told["tax"] == sum(Decimal(row["TOTAL_TAX"]) for row in orders)
    assert told["discounts"] == Decimal(20)
    assert told["carts.left"] == len(carts)
    assert told["carts.left_value"] == sum(amount(row["ORDER_SUBTOTAL"]) or Decimal(0) for row in carts)
    lines = [row for row in rows("items.in") if row["ORDER_ID"] == "1001" and row["ORDER_ITEM_ID"]]
    whole = [row for row in lines if not row["PARENT_ORDER_ITEM_ID"] and amount(row["PRICE"]) is not None]
    assert sum(Decimal(r["PRICE"]) * int(r["QUANTITY"]) for r in whole) == Decimal(orders[0]["ORDER_SUBTOTAL"])
    assert told["lines"] == len(whole) == 2
    assert told["units"] == sum(int(r["QUANTITY"]) for r in whole)
    assert (balance["orders"]["records"], balance["items"]["records"]) == (len(dump), len(rows("items.in")))
    assert balance["orders"]["skipped"] == 2  # in use; wish lists and carts given up take theirs back


def test_a_cart_that_is_bought_is_left_no_more(tmp_path: Path) -> None:
    (tmp_path / "orders-1.csv").write_bytes((GOLDEN / "orders.in").read_bytes())
    (tmp_path / "items.csv").write_bytes((GOLDEN / "joined.in").read_bytes())
    options = "{broadleaf: {currency: EUR, statuses: {ARCHIVED: skip, HELD: pending, IN_REVIEW: cart}}}"
    run(tmp_path, options)
    before = figures(tmp_path, "carts.left", "carts.left_value", "orders", "orders.placed", origin="shop")
    (tmp_path / "orders-2.csv").write_bytes((GOLDEN / "later.in").read_bytes())
    run(tmp_path, options)
    after = figures(tmp_path, "carts.left", "carts.left_value", "orders", "carts", origin="shop")
    assert after["orders"] == before["orders"] + 1  # the cart 1003
    # 1003 was bought; 1004 is worth something now; 1022 is new; 1008 became a wish list and was in use before
    assert after["carts.left"] == before["carts.left"] == after["carts"]
    assert after["carts.left_value"] == before["carts.left_value"] - Decimal("49.99") + Decimal("12.50") + 70


def test_addresses_stay_out_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes((GOLDEN / "orders.in").read_bytes())
    (tmp_path / "items.csv").write_bytes((GOLDEN / "items.in").read_bytes())
    run(tmp_path)
    with sqlite3.connect(tmp_path / "store" / "entente.db") as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in (tmp_path / "store").rglob("*"):
        assert file.is_dir() or b"alder.example" not in file.read_bytes()
