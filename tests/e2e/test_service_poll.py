# SPDX-License-Identifier: Apache-2.0
"""A shop is polled by the whole service, over kills: what it ends with is what one run makes of the same orders in a file."""

import json
import random
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from project import Project
from service import Service

TOP = "service: {scan: 1s, judge_every: 0s, log: {format: json, level: debug}}\nserve: {listen: []}"


def order(n: int, version: int) -> dict[str, Any]:
    stamp = f"2024-02-{1 + version // 24:02}T{version % 24:02}:00:00"
    return {
        "id": n,
        "status": "processing" if version % 3 else "completed",
        "currency": "EUR",
        "date_created_gmt": f"2024-01-{1 + n % 28:02}T12:00:00",
        "date_modified_gmt": stamp,
        "total": f"{n + version}.50",
        "total_tax": "0.00",
        "shipping_total": "0.50",
        "discount_total": "0.00",
        "customer_id": n % 7,
        "created_via": "checkout",
        "line_items": [{"id": n * 10, "name": "Thing", "product_id": 5, "quantity": 1, "subtotal": f"{n + version}.00", "total": f"{n + version}.00"}],
        "fee_lines": [],
        "refunds": [],
    }


class Shop:
    """wc/v3/orders, sorted by modification; pages by Link header; orders change while they are read. Newest first, so that one
    that changes meanwhile comes before the pages that are still to be read: ascending, it would leave a page, all behind it would
    move up, and the first of the next page would never be seen."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.clock = 0
        self.lock = threading.Lock()
        self.requests = 0
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shop.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer((host, 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://{host}:{self.http.server_address[1]}/wp-json/wc/v3/orders"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def change(self, *ids: int) -> None:
        with self.lock:
            for n in ids:
                self.clock += 1
                self.orders[n] = order(n, self.clock)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query))
        page, size, after = int(query.get("page", 1)), int(query["per_page"]), query["modified_after"]
        with self.lock:
            self.requests += 1
            known = sorted((o for o in self.orders.values() if o["date_modified_gmt"] > after), key=lambda o: str(o["date_modified_gmt"]), reverse=query["order"] == "desc")
        found = known[(page - 1) * size : page * size]
        good = request.headers["Authorization"] == "Basic Y2s6Y3M="
        body = json.dumps(found if good else {"code": "woocommerce_rest_cannot_view"}).encode()
        request.send_response(200 if good else 401)
        request.send_header("Content-Type", "application/json; charset=UTF-8")
        request.send_header("Content-Length", str(len(body)))
        if page * size < len(known):
            more = urllib.parse.urlencode({**query, "page": page + 1})
            request.send_header("Link", f'<{self.url}?{more}>; rel="next"')
        request.end_headers()
        self.send(request, body)

    def send(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        request.wfile.write(body)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.http.shutdown()
    shop.http.server_close()


def project(folder: Path, shop: Shop, every: str, secret: str = "cs") -> Project:
    sources = f"""\
  shop:
    partner: nordwind
    decode: woocommerce
    from:
      poll:
        url: {shop.url}
        every: {every}
        query: {{per_page: 10, orderby: modified, order: desc, modified_after: "{{since}}"}}
        since: {{value: date_modified_gmt, start: 2024-01-01T00:00:00, overlap: 2h}}
        pages: {{by: header}}
        auth: {{basic: {{user: ck, password: env:SECRET}}}}
        limits: {{rate: 500/s, retry: 1}}"""
    return Project(folder, sources, top=TOP, environment={"SECRET": secret})


def same_as_a_file(p: Project, shop: Shop, folder: Path) -> None:
    other = Project(folder, "  shop: {partner: nordwind, decode: woocommerce, from: {file: orders.jsonl}}")
    other.write("orders.jsonl", "".join(json.dumps(o) + "\n" for o in shop.orders.values()))
    other.run()
    p.run()  # what the service had not come to lies in the inbox
    assert p.digest()["cells"] == other.digest()["cells"]


def test_polled(tmp_path: Path, shop: Shop) -> None:
    shop.change(*range(1, 36))
    service = Service(project(tmp_path / "a", shop, "1h")).start()
    service.until(lambda: service.facts() >= 70, "35 orders with a line each")
    [poll] = service.get("/api/v1/polls")
    assert (poll["source"], poll["pages"], poll["records"], poll["failing"]) == ("shop", 4, 35, False)
    assert poll["since"] == shop.orders[35]["date_modified_gmt"]
    shop.change(3, 40)
    status, body = service.request("POST", "/api/v1/sources/shop/poll")
    assert status == 202, body
    service.until(lambda: service.get("/api/v1/polls")[0]["turns"] == 2 and service.get("/api/v1/polls")[0]["state"] == "idle", "a second turn")
    assert service.request("POST", "/api/v1/sources/nobody/poll")[0] == 404
    assert service.stop() == 0
    same_as_a_file(service.project, shop, tmp_path / "b")


def test_a_server_that_refuses(tmp_path: Path, shop: Shop) -> None:
    service = Service(project(tmp_path, shop, "1h", "wrong-one")).start()
    poll = service.until(lambda: [x for x in service.get("/api/v1/polls") if x["failing"]], "a failing poll")[0]
    assert "the server answered 401" in poll["error"] and "entente.yaml:" in poll["error"]
    assert "woocommerce_rest_cannot_view" in poll["said"]
    [told] = service.events("poll.failed")
    assert told["source"] == "shop" and "wrong-one" not in service.text and "woocommerce_rest" not in service.text
    assert service.stop() == 0


def test_polled_over_kills(tmp_path: Path, shop: Shop) -> None:
    pick = random.Random(7)
    service = Service(project(tmp_path / "a", shop, "100ms"))
    shop.change(*range(1, 61))
    for kill in range(6):
        service.start()
        asked = shop.requests
        shop.change(*pick.sample(range(1, 120), 25))
        service.until(lambda: shop.requests >= asked + 2 + kill % 4, "requests")
        service.kill()
    service.start()
    newest = max(o["date_modified_gmt"] for o in shop.orders.values())
    service.until(lambda: service.get("/api/v1/polls")[0]["since"] == newest, "the newest order")
    assert service.stop() == 0
    same_as_a_file(service.project, shop, tmp_path / "b")
