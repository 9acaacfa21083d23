# SPDX-License-Identifier: Apache-2.0
"""One shop's orders as an export and as JSON are the same orders: each counts once, with equal figures, whichever wins; and a
signed webhook of one becomes an order of the partner."""

import base64
import csv
import hashlib
import hmac
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from project import ROOT, Project
from service import Service, serving

GOLDEN = ROOT / "plugins" / "shopify" / "golden"
ORDERS = [json.loads(line) for line in (GOLDEN / "same-json.in").read_text().splitlines()]
EXPORT = "  exports: {partner: nordwind, decode: shopify, from: {directory: ./exports}}\n"
LINES = "  hooks: {partner: nordwind, decode: shopify-json, from: {directory: ./json}}\n"
SECRET = {"HOOK": "what only the shop and we know"}
SIGN = "sign: {header: X-Shopify-Hmac-Sha256, secrets: [env:HOOK]}, once_by: {header: X-Shopify-Webhook-Id}"
HOOK = f"  hooks: {{partner: nordwind, decode: shopify-json, from: {{webhook: {{path: /in/nordwind/shopify, {SIGN}}}}}}}\n"
#: Only JSON says on which day a refund was paid.
DATED = "returns_on_day"


def export() -> str:
    """The rows of the golden export whose orders the golden JSON has as well: the others are there to be rejected."""
    rows = csv.reader(io.StringIO((GOLDEN / "orders-79.in").read_text()))
    wanted = {order["name"] for order in ORDERS}
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(row for n, row in enumerate(rows) if n == 0 or row[0] in wanted)
    return out.getvalue()


def lines(orders: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(order) + "\n" for order in orders)


def figures(project: Project) -> list[tuple[object, ...]]:
    """All sums of sales, by day, currency and every view, but the one that the export cannot have. Empty cells are no sales."""
    columns = [row[1] for row in project.sql("pragma table_info(v_cell_sales)")]
    assert DATED in columns and "gross" in columns
    kept = [column for column in columns if column != DATED]
    first = kept.index("orders")
    names = ", ".join(f'"{column}"' for column in kept)
    rows = [tuple(row) for row in project.sql(f"select {names} from v_cell_sales order by {names}")]
    return [row for row in rows if any(row[first:])]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("exported"), EXPORT)
    project.write("exports/orders_export.csv", export())
    said = project.run()
    assert said.json["balance"][0]["rejected"] == 0
    return project


def test_both_ways_say_the_same(tmp_path: Path, exported: Project) -> None:
    project = Project(tmp_path, LINES)
    project.write("json/orders.jsonl", lines(ORDERS))
    said = project.run()
    assert (said.json["balance"][0]["records"], said.json["balance"][0]["rejected"]) == (len(ORDERS), 0)
    assert figures(project) == figures(exported)
    assert (project.figure("orders"), project.figure("orders_cancelled")) == (7, 3)  # one is a test
    assert (project.figure("refunded"), project.figure(DATED)) == (75_000_000, 50_000_000)  # one of them was cancelled
    assert exported.figure(DATED) == 0


@pytest.mark.parametrize("dated", [-100_000_000, 100_000_000], ids=["json wins", "export wins"])
def test_together_each_order_counts_once(tmp_path: Path, exported: Project, dated: int) -> None:
    """The export is a snapshot as of its file, JSON says when each order was changed: spring of 2024."""
    project = Project(tmp_path, EXPORT + LINES)
    project.write("exports/orders_export.csv", export(), dated)
    project.write("json/orders.jsonl", lines(ORDERS))
    project.run()
    assert figures(project) == figures(exported)
    assert project.figure(DATED) == 50_000_000, "refunds keep their days, also under an export"


def test_the_newest_wins(tmp_path: Path) -> None:
    project = Project(tmp_path, EXPORT + LINES)
    project.write("exports/orders_export.csv", export(), -100_000_000)
    [order] = [o for o in ORDERS if o["name"] == "#1010"]
    paid = {**order, "financial_status": "paid", "total_outstanding": "0.00", "updated_at": "2024-03-12T10:00:00-05:00"}
    late = {**order, "total_outstanding": "7.00", "updated_at": "2024-03-11T18:00:00-05:00"}  # delivered again, of an earlier state
    gone = {"id": ORDERS[0]["id"]}
    project.write("json/orders.jsonl", lines([paid, late]))
    project.run()
    assert (project.figure("due"), project.figure("orders")) == (0, 7)
    project.write("json/gone.jsonl", lines([gone]), 100_000_000)
    project.run()
    assert project.figure("orders") == 6


def deliver(service: Service, body: bytes, number: str, secret: str = SECRET["HOOK"]) -> int:
    mac = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    status, _ = service.request(
        "POST",
        "/in/nordwind/shopify",
        body,
        Content_Type="application/json",
        X_Shopify_Topic="orders/updated",
        X_Shopify_Shop_Domain="nordwind.myshopify.com",
        X_Shopify_Webhook_Id=number,
        X_Shopify_Hmac_Sha256=base64.b64encode(mac).decode(),
    )
    return status


def test_a_signed_webhook_becomes_an_order(tmp_path: Path, exported: Project) -> None:
    project = Project(tmp_path, EXPORT + HOOK, top="serve: {listen: []}", environment=SECRET)
    project.write("exports/orders_export.csv", export(), -100_000_000)
    made = {**ORDERS[0], "id": 5900000000001, "name": "#2000", "created_at": "2024-05-01T10:00:00-05:00"}
    with serving(project) as service:
        for n, order in enumerate(ORDERS):
            assert deliver(service, json.dumps(order, indent=1).encode(), f"w{n}") == 200
        assert deliver(service, json.dumps(made).encode(), "forged", "guessed") == 401
        service.until(lambda: service.source("hooks")["records"] == len(ORDERS), "all read")
        service.until(lambda: service.source("exports")["records"], "the export")
        assert service.stop() == 0
    assert figures(project) == figures(exported)
    with serving(project) as service:
        assert deliver(service, json.dumps(made).encode(), "made") == 200
        assert deliver(service, json.dumps(made).encode(), "made") == 200  # the shop was not sure
        service.until(lambda: service.source("hooks")["records"] == len(ORDERS) + 1, "one more")
        assert service.stop() == 0
    assert project.figure("orders") == exported.figure("orders") + 1
    assert project.figure("gross") == exported.figure("gross") + 75_000_000
    [(partner,)] = project.sql("select distinct partner from v_cell_sales where day = '2024-05-01' and orders > 0")
    assert partner == "nordwind"


class Admin(BaseHTTPRequestHandler):
    """orders.json of the Admin API: two pages, the second by the address in Link."""

    def do_GET(self) -> None:
        here = f"http://{self.headers['Host']}{self.path.split('?')[0]}"
        first = "page_info" not in self.path
        known = self.headers["X-Shopify-Access-Token"] == SECRET["HOOK"]
        body = json.dumps({"orders": ORDERS[:6] if first else ORDERS[6:]}).encode()
        self.send_response(200 if known and (not first or "status=any" in self.path) else 401)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if first:
            self.send_header("Link", f'<{here}?limit=6&page_info=abc>; rel="next"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_polled_pages_become_orders(tmp_path: Path, exported: Project) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Admin)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    source = f"""\
  api:
    partner: nordwind
    decode: shopify-json
    from:
      poll:
        url: http://127.0.0.1:{server.server_address[1]}/admin/api/2025-01/orders.json
        every: 1h
        query: {{status: any, limit: 6, order: updated_at asc, updated_at_min: "{{since}}"}}
        since: {{value: updated_at, start: 2023-01-01T00:00:00Z, overlap: 10m}}
        records: /orders
        pages: {{by: header}}
        auth: {{header: {{name: X-Shopify-Access-Token, value: env:HOOK}}}}
"""
    project = Project(tmp_path, source, top="serve: {listen: []}", environment=SECRET)
    try:
        with serving(project) as service:
            service.until(lambda: service.source("api")["records"] == len(ORDERS), "both pages")
            newest = max(o["updated_at"] for o in ORDERS)
            service.until(lambda: service.get("/api/v1/polls")[0]["since"] == newest, "the end of the turn")
            assert service.get("/api/v1/polls")[0]["pages"] == 2
            assert service.stop() == 0
    finally:
        server.shutdown()
        server.server_close()
    assert figures(project) == figures(exported)
