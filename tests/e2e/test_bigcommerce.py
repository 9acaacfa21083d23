# SPDX-License-Identifier: Apache-2.0
"""Orders polled from an API that writes times as mails have them: each turn goes on where the newest order was, by time."""

import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from project import Project
from service import serving

TOKEN = {"TOKEN": "what only the shop and we know"}
START = datetime(2024, 3, 1, 10, tzinfo=UTC)
PAGE = 4


def order(number: int, day: int, status: int = 11) -> dict[str, Any]:
    return {
        "id": 100 + number,
        "status_id": status,
        "date_created": format_datetime(START),
        "date_modified": format_datetime(START + timedelta(days=day)),
        "default_currency_code": "USD",
        "subtotal_ex_tax": "10.0000",
        "total_inc_tax": "10.0000",
        "total_tax": "0.0000",
        "items_total": 1,
        "products": {"url": "https://api.example.com/", "resource": "/"},
    }


def changed(o: dict[str, Any]) -> datetime:
    return parsedate_to_datetime(str(o["date_modified"]))


class Shop(BaseHTTPRequestHandler):
    """/v2/orders: the newest first, in numbered pages, and only what was changed since."""

    orders: list[dict[str, Any]] = []
    asked: list[str] = []

    def do_GET(self) -> None:
        query = {key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
        since = query.get("min_date_modified", "")
        self.asked.append(since)
        least = datetime.fromisoformat(since) if since[:1].isdigit() else parsedate_to_datetime(since)
        found = [o for o in self.orders if changed(o) >= least]
        found.sort(key=changed, reverse=True)
        page = int(query["page"])
        body = json.dumps(found[(page - 1) * PAGE : page * PAGE]).encode()
        self.send_response(200 if self.headers["X-Auth-Token"] == TOKEN["TOKEN"] else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_polls_go_on_by_time(tmp_path: Path) -> None:
    # 1 March 2024 is a Friday: as texts, Wednesday the 6th would be behind Saturday the 9th, and the 13th behind all that comes
    Shop.orders = [order(n, n) for n in range(9)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    source = f"""\
  api:
    partner: nordwind
    decode: bigcommerce
    from:
      poll:
        url: http://127.0.0.1:{server.server_address[1]}/stores/abcd/v2/orders
        every: 1s
        query: {{limit: {PAGE}, sort: "date_modified:desc", min_date_modified: "{{since}}"}}
        since: {{value: date_modified, start: "2023-01-01T00:00:00+00:00", overlap: 10m}}
        pages: {{by: number, size: {PAGE}}}
        auth: {{header: {{name: X-Auth-Token, value: env:TOKEN}}}}
"""
    project = Project(tmp_path, source, top="serve: {listen: []}", environment=TOKEN)
    try:
        with serving(project) as service:
            service.until(lambda: service.source("api")["records"] >= 9, "all pages")
            newest = format_datetime(START + timedelta(days=8))
            service.until(lambda: service.get("/api/v1/polls")[0]["since"] == newest, "the end of the turn")
            early = format_datetime(START + timedelta(days=8, minutes=-10))
            service.until(lambda: early in Shop.asked, "a turn from ten minutes before it")
            Shop.orders = [*Shop.orders[:5], order(5, 9, status=5), *Shop.orders[6:], order(9, 10)]
            later = format_datetime(START + timedelta(days=10))
            service.until(lambda: service.get("/api/v1/polls")[0]["since"] == later, "what changed since")
            service.until(lambda: service.source("api")["records"] >= 11, "both of them")
            assert service.stop() == 0
    finally:
        server.shutdown()
        server.server_close()
    assert (project.figure("orders"), project.figure("orders_cancelled")) == (9, 1)
    assert project.figure("gross") == 90_000_000
