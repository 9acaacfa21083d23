# SPDX-License-Identifier: Apache-2.0
"""A server that answers as a test says, and a poll that asks it."""

from __future__ import annotations

import json
import os
import queue
import ssl
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(os.environ["ENTENTE_BUILD_DIR"]) / "tests" / "poll_driver"
PATIENCE = 60.0


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float
    n: int  # from 0


Answer = tuple[int, dict[str, str], bytes | str | list[Any] | dict[str, Any] | None]


@dataclass
class Server:
    answer: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"
    hold: threading.Event = field(default_factory=threading.Event)  # what waits for it answers when it is set

    def url(self, path: str = "/orders") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def until(self, wanted: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not wanted():
            assert time.monotonic() < deadline, f"{len(self.asked)} requests, and it never came to that"
            time.sleep(0.005)

    def wait_for(self, n: int) -> None:
        self.until(lambda: len(self.asked) >= n)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    running: list[tuple[Server, ThreadingHTTPServer, threading.Thread]] = []

    def start(answer: Callable[[Asked], Answer], tls: tuple[Path, Path] | None = None) -> Server:
        server = Server(answer)
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self) -> None:
                parts = urllib.parse.urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with lock:
                    asked = Asked(
                        self.command,
                        parts.path,
                        dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
                        {k.lower(): v for k, v in self.headers.items()},
                        body,
                        time.monotonic(),
                        len(server.asked),
                    )
                    server.asked.append(asked)
                status, headers, what = server.answer(asked)
                raw = b"" if what is None else what if isinstance(what, bytes) else what.encode() if isinstance(what, str) else json.dumps(what).encode()
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    if status != 304:
                        self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_GET = do_POST = respond

            def log_message(self, format: str, *args: Any) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        http.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
            server.scheme = "https"
        server.port = http.server_address[1]
        thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        running.append((server, http, thread))
        return server

    yield start
    for server, http, thread in running:
        server.hold.set()
        http.shutdown()
        http.server_close()
        thread.join(PATIENCE)


class Poll:
    """The driver, running; statuses come as they are told."""

    def __init__(self, folder: Path, documents: bool = False, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        words = [str(DRIVER), str(folder / "entente.yaml"), str(folder / "inbox")] + (["documents"] if documents else [])
        self.child = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
        )
        self.told: list[dict[str, Any]] = []
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.now()  # a service spreads the first turns over a while

    def read(self) -> None:
        assert self.child.stdout
        for line in self.child.stdout:
            self.lines.put(line)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first status for which it holds, from those not looked at yet."""
        deadline = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < deadline, f"it never came to that: {self.told[-3:]}"
            try:
                status = json.loads(self.lines.get(timeout=0.2))
            except queue.Empty:
                assert self.child.poll() is None, self.child.stderr and self.child.stderr.read()
                continue
            self.told.append(status)
            if wanted(status):
                return dict(status)

    def idle(self, turns: int = 1) -> dict[str, Any]:
        return self.until(lambda s: s["state"] == "idle" and s["turns"] >= turns)

    def failing(self) -> dict[str, Any]:
        return self.until(lambda s: s["state"] == "failing")

    def now(self) -> None:
        assert self.child.stdin
        self.child.stdin.write("now\n")
        self.child.stdin.flush()

    def kill(self) -> None:
        self.child.kill()
        self.child.wait(PATIENCE)

    def stop(self) -> None:
        if self.child.poll() is None:
            assert self.child.stdin
            self.child.stdin.close()
            assert self.child.wait(PATIENCE) == 0, self.child.stderr and self.child.stderr.read()

    def kept(self) -> list[Any]:
        """What lies in the inbox; stops the poll, for an inbox has one owner."""
        self.stop()
        listed = subprocess.run([DRIVER, "--list", self.folder / "inbox", "s"], capture_output=True, text=True, check=True)
        return [json.loads(line) for line in listed.stdout.splitlines()]


@pytest.fixture
def poll(tmp_path: Path) -> Iterator[Callable[..., Poll]]:
    started: list[Poll] = []

    def start(settings: dict[str, Any] | None = None, documents: bool = False, env: dict[str, str] | None = None) -> Poll:
        """With settings: as they say. Without: once more as before."""
        if settings is not None:
            whole = {"every": "1h", **settings}
            whole["limits"] = {"rate": "1000/s", **whole.get("limits", {})}
            config = {
                "version": 1,
                "currency": "EUR",
                "partners": {"a": {}},
                "sources": {"s": {"partner": "a", "decode": "x", "from": {"poll": whole}}},
            }
            (tmp_path / "entente.yaml").write_text(json.dumps(config))
        started.append(Poll(tmp_path, documents, env))
        return started[-1]

    yield start
    for one in started:
        if one.child.poll() is None:
            one.kill()
