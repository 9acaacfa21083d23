# SPDX-License-Identifier: Apache-2.0
"""Shops' decoders under `entente run`: the balance closes, and figures are those of an independent count."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
from email.utils import parsedate_to_datetime
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


def tabbed(rows: list[dict[str, str]], short: int = 0) -> str:
    """A tab separated file without quotes; every `short`th row ends where its cells do."""
    out = ["\t".join(rows[0])]
    for i, row in enumerate(rows):
        line = "\t".join(row.values())
        out.append(line.rstrip("\t") if short and i % short == 0 else line)
    return "\r\n".join(out) + "\r\n"


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


MEANS = {0: "cart", 1: "cart", 5: "cancelled", 6: "cancelled"}


def bigcommerce_orders(rng: random.Random, n: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Orders in all statuses and their lines; prices without tax, in cents."""
    orders: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for i in range(n):
        of = [(rng.randrange(1, 5), rng.randrange(100, 9000)) for _ in range(rng.randrange(1, 4))]
        goods = sum(q * cents for q, cents in of)
        status, off = rng.randrange(15), rng.choice([0, goods // 10])
        orders.append(
            {
                "id": 1000 + i,
                "status_id": status,
                "date_created": f"Mon, {i % 28 + 1:02} Mar 2024 10:00:00 +0000",
                "date_modified": f"Mon, {i % 28 + 1:02} Mar 2024 11:00:00 +0000",
                "default_currency_code": "USD",
                "subtotal_ex_tax": f"{goods / 100:.4f}",
                "subtotal_inc_tax": f"{goods / 100:.4f}",
                "shipping_cost_ex_tax": "4.5000",
                "shipping_cost_inc_tax": "4.5000",
                "total_ex_tax": f"{(goods - off + 450) / 100:.4f}",
                "total_inc_tax": f"{(goods - off + 450) / 100:.4f}",
                "total_tax": "0.0000",
                "items_total": sum(q for q, _ in of),
                "coupon_discount": f"{off / 100:.4f}",
                "billing_address": {"email": f"buyer{i % 40}@example.com"},
                "cart_id": f"cart-{i - (status == 0 and i % 4 == 1)}",  # begun anew
                "products": {"url": "https://api.example.com/", "resource": "/"},
            }
        )
        lines += [
            {
                "id": 10 * i + k,
                "order_id": 1000 + i,
                "order_address_id": 1,
                "quantity": q,
                "price_ex_tax": f"{cents / 100:.4f}",
                "total_ex_tax": f"{q * cents / 100:.4f}",
                "quantity_shipped": 0,
                "sku": f"S{cents}",
            }
            for k, (q, cents) in enumerate(of)
        ]
    return orders, lines


def test_bigcommerce(tmp_path: Path) -> None:
    """Orders as JSON lines, their lines as one saved answer; incomplete ones become orders in a later answer."""
    orders, lines = bigcommerce_orders(random.Random(6), 400)
    later = [
        {**o, "status_id": 11, "date_modified": "Mon, 01 Apr 2024 10:00:00 +0000"}
        for o in orders
        if o["status_id"] == 0 and o["id"] % 3 == 0
    ]
    files = {
        "a.jsonl": "".join(json.dumps(o) + "\n" for o in orders),
        "b.json": json.dumps(lines, indent=2),
        "c.json": json.dumps(later),
    }
    balance = run(tmp_path, "auto", files)
    assert (balance["records"], balance["rejected"]) == (len(orders) + len(lines) + len(later), 0)
    told = figures(tmp_path)
    now = {o["id"]: o for o in [*orders, *later]}.values()
    sold = [o for o in now if o["status_id"] not in MEANS]
    keys = {o["id"] for o in sold}
    newest = {o["cart_id"]: o for o in sorted(now, key=lambda o: parsedate_to_datetime(str(o["date_modified"])))}
    assert later and told["orders"] == len(sold)
    assert told["carts"] == sum(MEANS.get(o["status_id"]) == "cart" for o in newest.values())
    assert len(newest) < len(now)  # some carts were taken to the payment page twice
    assert told["orders.cancelled"] == sum(MEANS.get(o["status_id"]) == "cancelled" for o in now)
    assert told["units"] == sum(line["quantity"] for line in lines if line["order_id"] in keys)
    gross = sum(Fraction(o["subtotal_ex_tax"]) for o in sold)
    off = sum(Fraction(o["coupon_discount"]) for o in sold)
    paid_back = [o for o in sold if o["status_id"] == 4]
    returned = sum(Fraction(o["subtotal_ex_tax"]) - Fraction(o["coupon_discount"]) for o in paid_back)
    assert told["revenue.gross"] == float(gross)
    assert told["refunds"] == float(sum(Fraction(o["total_inc_tax"]) for o in paid_back))
    assert told["revenue.net"] == float(gross - off - returned)


def amazon_rows(rng: random.Random, n: int) -> list[dict[str, str]]:
    """Items of n orders of one marketplace, some of them cancelled, some sent for other shops."""
    rows = []
    for i in range(n):
        elsewhere = i % 17 == 0
        order = rng.choice(["Shipped", "Shipped", "Shipped", "Unshipped", "Pending", "Cancelled"])
        for k in range(rng.randrange(1, 4)):
            item = "Cancelled" if order == "Cancelled" or rng.random() < 0.2 else order
            known = item not in ("Cancelled", "Pending") and not elsewhere
            quantity, cents = rng.randrange(1, 5), rng.randrange(100, 900000)
            rows.append(
                {
                    "amazon-order-id": f"111-{i:07}-{i:07}",
                    "merchant-order-id": "",
                    "purchase-date": f"2024-03-{i % 28 + 1:02}T08:04:21+00:00",
                    "last-updated-date": f"2024-03-{i % 28 + 1:02}T18:04:21+00:00",
                    "order-status": order,
                    "sales-channel": "Non-Amazon US" if elsewhere else "Amazon.com",
                    "product-name": f'"Thing" {k}, large',
                    "sku": f"S-{rng.randrange(3)}",
                    "asin": "B000000001",
                    "item-status": item,
                    "quantity": str(quantity) if item != "Cancelled" else "",
                    "currency": "USD" if known else "",
                    "item-price": f"{quantity * cents / 100:.2f}" if known else "",
                    "item-tax": f"{quantity * cents // 10 / 100:.2f}" if known else "",
                    "shipping-price": "4.99" if known else "",
                    "item-promotion-discount": "1.00" if known and k else "",
                    "ship-promotion-discount": "4.99" if known and k else "",
                    "ship-country": "US",
                    "promotion-ids": "",
                    "is-business-order": "",
                    "price-designation": "",
                }
            )
    return rows


def test_amazon(tmp_path: Path) -> None:
    """All items, sums of which are the orders'; some rows end before the last column, and some prices were edited."""
    rows = amazon_rows(random.Random(7), 500)
    edited = [
        {**r, "item-price": f'"{float(r["item-price"]):,.2f}"'} if r["item-price"] and i % 3 == 0 else r
        for i, r in enumerate(rows)
    ]
    balance = run(tmp_path, "{amazon: {short_rows: fill}}", {"orders.txt": tabbed(edited, short=5)})
    assert (balance["records"], balance["rejected"]) == (len(rows), 0)
    assert balance["skipped"] == sum(r["sales-channel"] != "Amazon.com" for r in rows)
    told = figures(tmp_path)
    ours = [r for r in rows if r["sales-channel"] == "Amazon.com"]
    items = [r for r in ours if r["item-status"] != "Cancelled"]
    sold = {r["amazon-order-id"] for r in items}
    assert told["orders"] == len(sold)
    assert told["orders.cancelled"] == len({r["amazon-order-id"] for r in ours} - sold)
    assert told["units"] == sum(int(r["quantity"]) for r in items)

    def summed(*columns: str) -> Fraction:
        return sum((Fraction(r[c] or "0") for r in items for c in columns), Fraction())

    off = summed("item-promotion-discount")
    assert told["revenue.gross"] == float(summed("item-price"))
    assert told["revenue.net"] == float(summed("item-price") - off)
    paid = summed("item-price", "item-tax", "shipping-price") - off - summed("ship-promotion-discount")
    assert told["total"] == float(paid)
    assert told["refunds"] == 0


def test_amazon_broken_rows(tmp_path: Path) -> None:
    """A line break in a name breaks its row in two: neither half is taken for an item, and the order goes on behind them."""
    rows = [{**r, "sales-channel": "Amazon.com", "sku": "S"} for r in amazon_rows(random.Random(7), 40)]
    whole = [r for r in rows if not r["product-name"].startswith('"Thing" 1')]
    text = tabbed([{**r, "product-name": r["product-name"].replace('" 1', '"\n1')} for r in rows])
    items = [r for r in whole if r["item-status"] != "Cancelled"]
    for decode in ("amazon", "{amazon: {short_rows: fill}}"):
        folder = tmp_path / str(len(decode))
        folder.mkdir()
        balance = run(folder, decode, {"orders.txt": text})
        broken = len(rows) - len(whole)
        assert broken and (balance["rejected"], balance["records"]) == (2 * broken, len(rows) + broken)
        assert balance["replaced"] == 0
        assert figures(folder)["units"] == sum(int(r["quantity"]) for r in items)


def test_amazon_order_without_end(tmp_path: Path) -> None:
    """A file in which every row claims to be of one order neither takes for ever nor all memory."""
    row = next(r for r in amazon_rows(random.Random(7), 40) if r["item-price"])
    balance = run(tmp_path, "amazon", {"orders.txt": tabbed([row] * 60_000)})
    assert (balance["records"], balance["rejected"]) == (60_000, 50_000)
    assert figures(tmp_path)["orders"] == 1


def test_amazon_again(tmp_path: Path) -> None:
    """A later report cancels an item: it is no longer sold, and the other one stays under its key."""
    rows = [r for r in amazon_rows(random.Random(8), 60) if r["sales-channel"] == "Amazon.com"]
    rows = [{**r, "order-status": "Shipped", "item-status": "Shipped", "quantity": "2", "currency": "USD"} for r in rows]
    rows = [{**r, "item-price": "20.00", "sku": "A"} for r in rows]
    last = {r["amazon-order-id"]: i for i, r in enumerate(rows)}
    later = [
        {**r, "last-updated-date": "2024-04-02T00:00:00+00:00", "item-status": "Cancelled", "item-price": "", "quantity": ""}
        if last[r["amazon-order-id"]] == i
        else {**r, "last-updated-date": "2024-04-02T00:00:00+00:00"}
        for i, r in enumerate(rows)
    ]
    run(tmp_path, "auto", {"a.txt": tabbed(rows)})
    assert figures(tmp_path)["units"] == 2 * len(rows)
    run(tmp_path, "auto", {"b.txt": tabbed(later)})
    told = figures(tmp_path)
    assert told["units"] == 2 * (len(rows) - len(last))
    assert told["revenue.gross"] == 20.0 * (len(rows) - len(last))
    assert told["orders"] + told["orders.cancelled"] == len(last)


def test_amazon_of_japan(tmp_path: Path) -> None:
    """The older reports of amazon.co.jp are in Shift JIS."""
    golden = (SOURCE / "plugins" / "amazon" / "golden" / "japan.in").read_text(encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.txt").write_bytes(golden.encode("shift_jis"))
    balance = run(tmp_path, "{amazon: {encoding: shift_jis}}", {})
    assert (balance["records"], balance["consumed"]) == (2, 2)
    config = tmp_path / "entente.yaml"
    config.write_text(config.read_text().replace("USD", "JPY"))
    told = figures(tmp_path)
    assert (told["orders"], told["units"], told["revenue.gross"]) == (2, 3, 3980)


def report_rows(rng: random.Random, n: int) -> list[dict[str, object]]:
    """Rows of WooCommerce's orders report, newest first: orders, and refunds under the numbers of their orders."""
    rows: list[dict[str, object]] = []
    for i in range(n):
        net, items = rng.randrange(500, 90000), rng.randrange(1, 6)
        status = rng.choice(["completed"] * 6 + ["processing", "on-hold", "cancelled", "failed", "pending"])
        row: dict[str, object] = {
            "Date": f"2024-03-{i % 28 + 1:02} 10:{i % 60:02}:00",
            "Order #": 5000 + i,
            "N. Revenue (formatted)": "$1,234.00",
            "Status": status,
            "Customer": 'Any "Buyer"',
            "Customer type": rng.choice(["new", "returning"]),
            "Product(s)": f"{items}\u00d7 Cup, large",
            "Items sold": items,
            "Coupon(s)": "SPRING, VIP",
            "Net Sales": f"{net / 100:.2f}",
            "Attribution": "Direct",
        }
        rows.append(row)
        if status == "completed" and rng.random() < 0.3:
            back = rng.randrange(1, net)
            rows.append(
                {**row, "Date": f"2024-03-{i % 28 + 1:02} 23:00:00", "Items sold": -1, "Net Sales": f"{-back / 100:.2f}"}
            )
    return sorted(rows, key=lambda row: str(row["Date"]), reverse=True)


def test_woocommerce_analytics(tmp_path: Path) -> None:
    """Refunds are rows of their own: sales stay with the order, and what came back is taken off once."""
    rows = report_rows(random.Random(9), 400)
    balance = run(tmp_path, "{woocommerce-analytics: {currency: USD}}", {"report.csv": table(rows + rows[:30])})
    assert (balance["records"], balance["rejected"], balance["skipped"]) == (len(rows) + 30, 0, 0)
    told = figures(tmp_path)
    orders = [r for r in rows if Fraction(str(r["Net Sales"])) > 0]
    back = [r for r in rows if Fraction(str(r["Net Sales"])) < 0]
    sold = [r for r in orders if r["Status"] in ("completed", "processing", "on-hold")]
    assert back and told["orders"] == len(sold)
    assert told["quotes"] == sum(r["Status"] == "pending" for r in orders)
    assert told["orders.cancelled"] == len(orders) - len(sold) - told["quotes"]
    assert told["units"] == sum(int(str(r["Items sold"])) for r in sold)
    gross, returned = (sum(Fraction(str(r["Net Sales"])) for r in of) for of in (sold, back))
    assert told["revenue.gross"] == float(gross)
    assert told["refunds"] == float(-returned)
    assert told["revenue.net"] == float(gross + returned)
    asked = ["metrics", "query", "revenue.net_by_refund_day"]
    assert entente(tmp_path, *asked)["total"]["figures"]["revenue.net_by_refund_day"]["value"] == float(gross + returned)


def test_a_report_never_hides_what_the_api_told(tmp_path: Path) -> None:
    """The same orders from both, in either order of arrival: lines and discounts of the API stay."""
    order = {
        "id": 5000,
        "order_key": "k",
        "status": "completed",
        "currency": "USD",
        "date_created_gmt": "2024-03-01T10:00:00",
        "date_modified_gmt": "2024-03-01T10:00:00",
        "prices_include_tax": False,
        "discount_total": "5.00",
        "shipping_total": "4.00",
        "total": "49.00",
        "total_tax": "0.00",
        "line_items": [{"id": 1, "quantity": 5, "subtotal": "50.00", "total": "45.00", "product_id": 3, "sku": "C"}],
        "refunds": [],
    }
    row = report_rows(random.Random(1), 1)[0]
    row |= {"Date": "2024-03-01 10:00:00", "Net Sales": "45", "Items sold": 5, "Status": "completed"}
    report = table([row])
    for first in ("api", "report"):
        folder = tmp_path / first
        folder.mkdir()
        config = PROJECT.replace(
            "{{glob: ./data/*}}, decode: {decode}}}",
            "{{glob: ./data/*.json}}, decode: auto}}\n"
            "  report: {{partner: shop, from: {{glob: ./data/*.csv}},"
            " decode: {{woocommerce-analytics: {{currency: USD}}}}}}",
        )
        (folder / "entente.yaml").write_text(config.format())
        (folder / "data").mkdir()
        files = {"a.json": json.dumps([order], indent=1), "b.csv": report}
        for name in sorted(files, reverse=first == "report"):
            (folder / "data" / name).write_text(files[name])
            entente(folder, "run")
        told = figures(folder)
        assert (told["orders"], told["units"]) == (1, 5)
        assert (told["revenue.gross"], told["revenue.net"], told["total"]) == (50, 45, 49)
