# SPDX-License-Identifier: Apache-2.0
"""Polls of a real server: nginx serves recorded bodies, packs them, answers conditions, puts off, dawdles, dies and comes back."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from project import Project
from service import PATIENCE, Service
from test_service_poll import TOP, order

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)
CONFIG = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
	log_format seen '$msec $status $uri "$sent_http_content_encoding"';
	access_log {folder}/seen.log seen;
	client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fast;
	uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
	default_type application/json;
	gzip on; gzip_types application/json; gzip_min_length 1;
	server {{
		listen 127.0.0.1:{port};
		root {folder}/www;
		location /plain/ {{ gzip off; }}
		location = /pages/1.json {{ add_header Link '</pages/2.json>; rel="next"'; }}
		location = /pages/2.json {{ add_header Link '<3.json>; rel="next"'; }}
		location /busy/ {{
			if (-f $document_root/busy.flag) {{ return 503; }}
			error_page 503 @busy;
		}}
		location @busy {{ add_header Retry-After 3 always; return 503; }}
		location /slow/ {{ gzip off; limit_rate 2k; }}
	}}
}}
"""


class Nginx:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.www = folder / "www"
        self.www.mkdir(parents=True)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = int(s.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=self.port, user=user))
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert NGINX
        self.child = subprocess.Popen([NGINX, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"])
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert self.child.poll() is None and time.monotonic() < end, (self.folder / "error.log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait(PATIENCE)

    def put(self, name: str, records: list[dict[str, Any]]) -> None:
        """A file that is there all at once."""
        path = self.www / name
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(records))
        fresh.rename(path)

    def seen(self, uri: str) -> list[tuple[float, int, str]]:
        """When it was asked for, what was answered, and how it was packed."""
        lines = [line.split() for line in (self.folder / "seen.log").read_text().splitlines()]
        return [(float(at), int(status), packed.strip('"')) for at, status, what, packed in lines if what == uri]


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    if not NGINX:
        pytest.skip("nginx is not installed")
    n = Nginx(tmp_path / "nginx")
    yield n
    n.stop()


def test_a_real_server(nginx: Nginx, tmp_path: Path) -> None:
    ways = {
        "packed": f"url: {nginx.url}/packed/a.json",
        "plain": f"url: {nginx.url}/plain/a.json",
        "pages": f"url: {nginx.url}/pages/1.json, pages: {{by: header}}",
        "busy": f"url: {nginx.url}/busy/a.json",
        "big": f"url: {nginx.url}/packed/big.json",
        "slow": f"url: {nginx.url}/slow/a.json",
    }
    limits = {"big": ", body: 50kB", "slow": ", timeout: 1s"}
    sources = "".join(
        f"  {name}:\n    partner: nordwind\n    decode: woocommerce\n    from: {{poll: {{{way}, every: 300ms, "
        f"limits: {{rate: 500/s, retry: 1{limits.get(name, '')}}}}}}}\n"
        for name, way in ways.items()
    )
    nginx.put("packed/a.json", [order(n, n) for n in range(1, 11)])
    nginx.put("plain/a.json", [order(n, n) for n in range(11, 21)])
    for page in range(1, 4):
        nginx.put(f"pages/{page}.json", [order(n, n) for n in range(10 * page + 11, 10 * page + 21)])
    nginx.put("busy/a.json", [order(n, n) for n in range(51, 61)])
    nginx.put("packed/big.json", [order(n, n % 500) for n in range(100, 300)])  # packed it would fit
    nginx.put("slow/a.json", [order(n, n) for n in range(61, 81)])
    (nginx.www / "busy.flag").touch()
    nginx.start()
    s = Service(Project(tmp_path / "a", sources, top=TOP))
    try:
        s.start()

        def poll(name: str) -> dict[str, Any]:
            return next(dict(x) for x in s.get("/api/v1/polls") if x["source"] == name)

        # conditions: what has not changed is asked for and not sent, and what changed is
        for name in ("packed", "plain"):
            s.until(lambda name=name: poll(name)["unchanged"] >= 2, f"{name} asked for again")
            assert poll(name)["records"] == 10
            statuses = [status for _, status, _ in nginx.seen(f"/{name}/a.json")]
            assert statuses[0] == 200 and 304 in statuses[1:] and statuses.count(200) == 1, statuses
        assert nginx.seen("/packed/a.json")[0][2] == "gzip" and nginx.seen("/plain/a.json")[0][2] == "-"
        nginx.put("plain/a.json", [order(n, n) for n in range(11, 22)])
        s.until(lambda: poll("plain")["records"] == 21, "what changed")
        # pages by what nginx says
        s.until(lambda: poll("pages")["records"] >= 30, "three pages")
        # put off: not asked before it was told, then failing; well again when the server is
        s.until(lambda: poll("busy")["failing"], "a server that puts off")
        (at, first, _), (again, second, _) = nginx.seen("/busy/a.json")[:2]
        assert (first, second) == (503, 503) and again - at >= 2.9, again - at
        (nginx.www / "busy.flag").unlink()
        s.until(lambda: not poll("busy")["failing"] and poll("busy")["records"] == 10, "a server that is well again")
        # too large once it is unpacked; too slow; the others go on
        assert "limits" in s.until(lambda: poll("big")["failing"] and poll("big")["error"], "a page that is too large")
        s.until(lambda: poll("slow")["failing"], "an answer that takes too long")
        assert poll("big")["records"] == poll("slow")["records"] == 0
        assert {x["source"]: x["state"] for x in s.status()["sources"] if x["state"] == "failing"}.keys() == {"big", "slow"}
        # it dies, and comes back
        nginx.stop()
        s.until(lambda: poll("plain")["failing"], "a server that is not there")
        nginx.put("plain/a.json", [order(n, n) for n in range(11, 24)])
        nginx.start()
        s.until(lambda: poll("plain")["records"] == 21 + 13, "what came meanwhile")
        assert not poll("plain")["failing"] and s.source("plain")["state"] in ("idle", "waiting")
        assert s.stop() == 0
    finally:
        if s.child is not None and s.child.poll() is None:
            s.child.kill()
            s.child.wait()
    other = Project(tmp_path / "b", "  shop: {partner: nordwind, decode: woocommerce, from: {file: orders.jsonl}}")
    other.write("orders.jsonl", "".join(json.dumps(order(n, n)) + "\n" for n in range(1, 61)))
    other.run()
    s.project.run()
    for group in ("cells", "members"):
        assert s.project.digest()[group] == other.digest()[group]
