# SPDX-License-Identifier: Apache-2.0
"""A project whose one rule says what a test wants, and a web server that hears of it."""

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from project import Project
from shop import export, orders

PATIENCE = 60.0
SOURCES = """\
  north:
    partner: nordwind
    from: {file: ./north.csv}
    decode: shopify
"""
BOOK = '''"""What a test wants to be said."""
import json

from entente import Findings, Partner, red_flag, rule

SAYS = json.loads({says!r})


@rule(practice="pace")
def says(partner: Partner) -> Findings:
    """Says it."""
    partner["orders"].over("8w")
    for key, severity, text in SAYS.get(partner.id, []):
        yield red_flag(text, key=key, severity=severity)
'''


@dataclass
class Heard:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        got: dict[str, Any] = json.loads(self.body)
        return got


@dataclass
class Receiver:
    """A web server on a free port: keeps what it hears, answers as `answers` says, then 200."""

    heard: list[Heard] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    #: Answers wait for it.
    go: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def wait(self) -> None:
        """Until another request has come whole."""
        assert self.came.acquire(timeout=PATIENCE), "nobody asked"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    got = Receiver()
    got.go.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.heard.append(Heard(self.path, dict(self.headers.items()), body))
            status, headers = got.answers.pop(0) if got.answers else (200, {})
            got.came.release()
            got.go.wait(PATIENCE)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            got.heard.append(Heard("GET " + self.path, dict(self.headers.items()), b""))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    got.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield got
    got.go.set()
    server.shutdown()
    thread.join()
    server.server_close()


Findings = dict[str, list[tuple[str, str, str]]]


@dataclass
class Told:
    """A project that tells somebody."""

    project: Project

    def tell(self, text: str) -> None:
        """Puts the section `tell` into the configuration."""
        self.project.top = f"serve: {{url: https://entente.example.com/, listen: []}}\ntell:\n{text}"
        self.project.configure()

    def say(self, says: Findings) -> None:
        """Has the rule say this, and nothing else."""
        (self.project.folder / "rules" / "book.py").write_text(BOOK.format(says=json.dumps(says)))
        self.project.run()

    def send(self, status: int = 0) -> list[dict[str, Any]]:
        said = self.project.entente("tell", "send")
        assert said.status == status, (said.status, said.err, said.json)
        return said.json  # type: ignore[return-value]

    def notices(self) -> list[tuple[Any, ...]]:
        """Key, change and status of what was or will be told, the oldest first."""
        return self.project.sql("select key, change, status from notice order by id")


@pytest.fixture
def told(tmp_path: Path) -> Told:
    project = Project(tmp_path / "p", SOURCES, rules="  books: [./rules]")
    (project.folder / "rules").mkdir()
    (project.folder / "key").write_text("a secret of two\n")
    project.write("north.csv", export(orders(20)))
    return Told(project)
