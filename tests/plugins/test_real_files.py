# SPDX-License-Identifier: Apache-2.0
"""The plugins on real files, against totals that are known. Skipped where the files are not there."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ENTENTE_DATA", SOURCE.parent / "shared" / "data"))
DUMP = Path(os.environ.get("ENTENTE_BUILD_DIR", SOURCE / "build")) / "tests" / "plugin-dump"

OLIST_ITEMS = """
system: olist
fact: line
columns: {key: order_item_id, order: order_id, partner: seller_id, gross: price, shipping: freight_value}
constants: {currency: BRL, quantity: 1}
"""
OLIST_ORDERS = """
system: olist
fact: order
columns: {key: order_id, customer: customer_id, status: order_status, at: order_purchase_timestamp}
constants: {currency: BRL}
values: {status: {canceled: cancelled, unavailable: cancelled, created: pending, "*": sold}}
"""
DEALS = """
fact: observation
columns: {from: won_date, key: mql_id, value: declared_monthly_revenue}
constants: {metric: revenue.net, origin: declared}
"""
RETAIL = """
system: retail
fact: order-lines
columns: {order: InvoiceNo, sku: StockCode, name: Description, quantity: Quantity, at: InvoiceDate,
          unit_price: UnitPrice, customer: CustomerID, region: Country}
constants: {currency: GBP}
repeats: facts
"""


def need(name: str) -> Path:
    """The real file, or a skip that says which one is missing."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def dump(plugin: str, decoder: str, path: Path, tmp: Path, options: str = "{}") -> list[dict[str, object]]:
    """What the decoder says of the file."""
    file = tmp / "options.yaml"
    file.write_text(options)
    out = subprocess.run([DUMP, plugin, decoder, path, file], check=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in out.splitlines()]


def kinds(items: list[dict[str, object]]) -> Counter[object]:
    """How many facts and verdicts of each kind."""
    return Counter(i.get("fact", i.get("verdict")) for i in items)


def total(items: list[dict[str, object]], field: str) -> int:
    """Sum of an amount in micro-units."""
    return sum(v for v in (i.get(field, 0) for i in items) if isinstance(v, int))


def test_olist(tmp_path: Path) -> None:
    items = dump("csv", "csv", need("olist/order_items.csv"), tmp_path, OLIST_ITEMS)
    assert kinds(items) == {"line": 26109}
    assert total(items, "gross") == 3_135_351_200_000
    assert total(items, "shipping") == 523_883_560_000
    assert len({i["partner"] for i in items}) == 2138
    orders = dump("csv", "csv", need("olist/orders.csv"), tmp_path, OLIST_ORDERS)
    assert kinds(orders) == {"order": 22870}
    assert {i["order_key"] for i in items} <= {i["key"] for i in orders}  # some orders lost their items


@pytest.mark.parametrize("name", ["closed_deals.csv", "mangled/closed_deals_dd-mm-yyyy.csv"])
def test_dates_are_decided_from_the_column(tmp_path: Path, name: str) -> None:
    plain = dump("csv", "csv", need("olist/closed_deals.csv"), tmp_path, DEALS)
    again = dump("csv", "csv", need(f"olist/{name}"), tmp_path, DEALS)
    assert kinds(again) == {"observation": 842}
    day = {i["key"]: str(i["from"])[:10] for i in plain}
    assert {i["key"]: str(i["from"])[:10] for i in again} == day


def test_american_dates(tmp_path: Path) -> None:
    options = DEALS.replace(", value: declared_monthly_revenue", "")
    options = options.replace("constants: {", "constants: {value: 1, ")
    plain = dump("csv", "csv", need("olist/closed_deals.csv"), tmp_path, DEALS)
    again = dump("csv", "csv", need("olist/mangled/closed_deals_us_mdyyyy_subset.csv"), tmp_path, options)
    day = {i["key"]: str(i["from"])[:10] for i in plain}
    assert len(again) == 380
    assert all(str(i["from"])[:10] == day[i["key"]] for i in again)


def test_census_firsts_of_months_are_refused(tmp_path: Path) -> None:
    path = need("us_census_ecommerce/ECOMPCTSA_alt.csv")
    options = "fact: observation\ncolumns: {from: DATE, value: ECOMPCTSA}\n"
    options += "constants: {metric: share, origin: benchmark}\n"
    file = tmp_path / "options.yaml"
    file.write_text(options)
    done = subprocess.run([DUMP, "csv", "csv", path, file], stdout=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert b"10/1/1999" in done.stdout and b"%m/%d/%Y" in done.stdout
    said = dump("csv", "csv", path, tmp_path, options + 'dates: "%m/%d/%Y"\n')
    assert kinds(said) == {"observation": 99}
    assert said[0]["from"] == "1999-10-01"


def test_retail(tmp_path: Path) -> None:
    packed = need("uci_online_retail/all.csv.gz")
    path = tmp_path / "all.csv"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    items = dump("csv", "csv", path, tmp_path, RETAIL)
    lines = [i for i in items if i.get("fact") == "line"]
    assert len(lines) == 541_909
    assert total(lines, "gross") == 9_747_747_934_000
    assert len({(i["order_key"], i["key"]) for i in lines}) == 541_909  # no two rows share a key
    assert len({i["key"] for i in items if i.get("fact") == "order"}) == 25_900
    assert set(kinds(items)) == {"order", "line"}


def test_shopify(tmp_path: Path) -> None:
    items = dump("shopify", "shopify", need("shopify_export_devstore/orders_export_scrubbed.csv"), tmp_path)
    assert kinds(items) == {"order": 51, "line": 121}


def test_shopify_json(tmp_path: Path) -> None:
    """Answers of the Admin REST API as Shopify's own library keeps them: pages and single orders."""
    answers = json.loads(need("shopify_rest_json/order_responses.json").read_text())
    found = [order for answer in answers for order in answer.get("orders", [answer.get("order")])]
    path = tmp_path / "orders.jsonl"
    path.write_text("".join(json.dumps(order) + "\n" for order in found))
    items = dump("shopify", "shopify-json", path, tmp_path)
    orders = [i for i in items if i.get("fact") == "order"]
    assert {i["key"] for i in items if i.get("fact") == "order"} == {"450789469"}
    assert len(orders) == len(found) and "reject" not in kinds(items)
    assert {i["status"] for i in orders} == {4}  # paid through the test gateway
    assert {i["total"] for i in orders} == {598_940_000}
    assert kinds(items)["line"] == 3 * len(found)
    paid_back = [t for o in found for r in o["refunds"] for t in r["transactions"]]
    worth = sum(round(float(t["amount"]) * 1_000_000) for t in paid_back if t["kind"] == "refund")
    assert total([i for i in items if i.get("fact") == "refund"], "amount") == worth > 0
    assert all(str(i["at"]).startswith("20") for i in items if i.get("fact") == "refund")
    # the answers as they came: a page, or one order
    whole = []
    for n, answer in enumerate(answers):
        saved = tmp_path / f"answer-{n}.json"
        saved.write_text(json.dumps(answer, indent=n % 3 or None))
        whole += dump("shopify", "shopify-document", saved, tmp_path)
    facts = [i for i in bare(items) if "fact" in i]
    assert [i for i in bare(whole) if "fact" in i] == facts and "reject" not in kinds(whole)


def bare(items: list[dict[str, object]]) -> list[dict[str, object]]:
    """Without the places, which differ by how a file is written."""
    return [{key: value for key, value in i.items() if key != "place"} for i in items]


def test_bigcommerce(tmp_path: Path) -> None:
    """Examples of BigCommerce's documentation: an order, two lines of another one, and webhooks."""
    answers = json.loads(need("bigcommerce/orders_v2_examples.json").read_text())
    for name, what in (("orderCollection_Resp", "order"), ("orderProductsCollection_Resp", "line")):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(answers[name], indent=2))
        items = dump("bigcommerce", "bigcommerce-document", path, tmp_path)
        assert "reject" not in kinds(items)
        facts = [i for i in items if i.get("fact") == what]
        assert {i["key"] for i in facts} == {str(o["id"]) for o in answers[name]}
        field = {"order": "subtotal_ex_tax", "line": "total_ex_tax"}[what]
        assert total(facts, "gross") == sum(round(float(o[field]) * 1_000_000) for o in answers[name])
        lines = tmp_path / f"{name}.jsonl"
        lines.write_text("".join(json.dumps(o) + "\n" for o in answers[name]))
        again = dump("bigcommerce", "bigcommerce", lines, tmp_path)
        assert bare(again) == bare(items)
    for status in answers["orderStatusCollection_Resp"]:  # every status of the documentation is known
        path.write_text(json.dumps([{**answers["orderCollection_Resp"][0], "status_id": status["id"]}]))
        assert "reject" not in kinds(dump("bigcommerce", "bigcommerce-document", path, tmp_path))
    for name in ("order_created", "order_refund_created", "order_archived"):
        items = dump("bigcommerce", "bigcommerce-document", need(f"bigcommerce/webhook_store_{name}.json"), tmp_path)
        archived = name == "order_archived"
        assert kinds(items) == ({"order": 1, "cart": 1} if archived else {"skip": 1})
        assert not archived or {i["op"] for i in items} == {1}


def orders_in(answer: object) -> list[dict[str, Any]]:
    """The orders anywhere in an answer: alone, in a list, or in the answer to a batch."""
    if isinstance(answer, dict):
        inside = [order for value in answer.values() for order in orders_in(value)]
        return [answer] if "line_items" in answer and "order_key" in answer else inside
    return [order for value in answer for order in orders_in(value)] if isinstance(answer, list) else []


def test_woocommerce(tmp_path: Path) -> None:
    """Examples of WooCommerce's documentation of wc/v3, as lines and as a saved list."""
    found = orders_in(json.loads(need("woocommerce/rest_orders_examples.json").read_text()))
    saved, lines = tmp_path / "orders.json", tmp_path / "orders.jsonl"
    saved.write_text(json.dumps(found, indent=1))
    lines.write_text("".join(json.dumps(order) + "\n" for order in found))
    items = dump("woocommerce", "woocommerce-document", saved, tmp_path)
    assert bare(items) == bare(dump("woocommerce", "woocommerce", lines, tmp_path))
    orders = [i for i in items if i.get("fact") == "order"]
    assert len(orders) == len(found) > 4 and "reject" not in kinds(items)
    sold = [o for o in found for _ in o["line_items"]]
    assert kinds(items)["line"] == len(sold) + sum(len(o["fee_lines"]) for o in found)
    assert total(orders, "total") == sum(round(float(o["total"]) * 1_000_000) for o in found)
    back = sum(round(-float(r["total"]) * 1_000_000) for o in found for r in o["refunds"])
    assert total(orders, "refunded") == back > 0
