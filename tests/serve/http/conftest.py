# SPDX-License-Identifier: Apache-2.0
"""Runs the driver: the HTTP server with a few routes of its own, see driver.c."""

import json
import os
import queue
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "e2e"))
from control import ControlConnection

BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", "build/debug")).absolute()
BIN = Path(os.environ.get("ENTENTE_BIN", BUILD / "bin")).absolute()
DEADLINE = 60.0
HEAD = "version: 1\ncurrency: EUR\nstore: ./store\n"


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def media(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("content-type", "").split(";")[0]


def answer_of(response: HTTPResponse) -> Answer:
    """The whole answer, read."""
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, tuple(response.msg.get_all("Set-Cookie") or ()))


@dataclass
class Server:
    """A running driver."""

    folder: Path
    process: subprocess.Popen[str]
    lines: "queue.Queue[str]" = field(default_factory=queue.Queue)
    addresses: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        """HOST:PORT of the first address."""
        return self.addresses[0].split("//")[1]

    @property
    def port(self) -> int:
        """The port of it."""
        return int(self.host.rsplit(":", 1)[1])

    def expect(self, begin: str) -> str:
        """The rest of the next line that begins so."""
        until = time.monotonic() + DEADLINE
        while True:
            line = self.lines.get(timeout=max(0.01, until - time.monotonic()))
            self.seen.append(line)
            if line.startswith("address "):
                self.addresses.append(line.removeprefix("address "))
            if line == begin or line.startswith(begin + " "):
                return line[len(begin) :].strip()

    def say(self, words: str) -> None:
        """Tells the driver."""
        assert self.process.stdin
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def ask(self, words: str, begin: str) -> str:
        """Tells the driver, and waits for what it says to that."""
        self.say(words)
        return self.expect(begin)

    def until(self, words: str, begin: str, good: Callable[[str], bool]) -> str:
        """Asks again and again, until the answer is good."""
        end = time.monotonic() + DEADLINE
        while True:
            said = self.ask(words, begin)
            if good(said):
                return said
            assert time.monotonic() < end, said
            time.sleep(0.02)

    def configure(self, serve: str, rest: str = "") -> None:
        """Writes another configuration and has it taken."""
        (self.folder / "entente.yaml").write_text(HEAD + f"serve: {serve}\n" + rest)
        self.addresses.clear()
        self.ask("configure entente.yaml", "ready")

    def connection(self) -> HTTPConnection:
        """A new connection to the first address."""
        return HTTPConnection(self.host, timeout=DEADLINE)

    def local(self) -> HTTPConnection:
        """A new connection to the socket in the store."""
        return ControlConnection(self.folder / "store", DEADLINE)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        local: bool = False,
        token: str | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        connection = self.local() if local else self.connection()
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, body=body, headers=sent)
            return answer_of(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Answer:
        """GET of a path."""
        return self.request("GET", path, **more)

    def token(self, name: str, *words: str) -> str:
        """A new token, made by the command line."""
        entente = BIN / "entente"
        done = subprocess.run(
            [entente, "-c", "entente.yaml", "token", "add", name, *words, "--json"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return str(json.loads(done.stdout)["token"])

    def raw(self, data: bytes) -> bytes:
        """Sends bytes, and gives all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as sock:
            sock.sendall(data)
            got = b""
            while part := sock.recv(65536):
                got += part
            return got

    def end(self) -> int:
        """Ends it; gives its status."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(timeout=DEADLINE)


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts drivers with `serve:` as given; ends them, and sees that they ended well."""
    servers: list[Server] = []

    def begin(serve: str = "{listen: '127.0.0.1:0'}", rest: str = "", ready: bool = True, folder: Path = tmp_path) -> Server:
        (folder / "entente.yaml").write_text(HEAD + f"serve: {serve}\n" + rest)
        process = subprocess.Popen(
            [BUILD / "tests/serve_driver", "entente.yaml"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        server = Server(folder, process)

        def read() -> None:
            assert process.stdout
            for line in process.stdout:
                server.lines.put(line.rstrip("\n"))

        threading.Thread(target=read, daemon=True).start()
        if ready:
            server.expect("ready")
            servers.append(server)
        return server

    yield begin
    for server in servers:
        if server.process.poll() is None:
            assert server.end() == 0
        else:
            assert server.process.returncode == 0


@pytest.fixture
def server(start: Start) -> Server:
    """A server with the usual settings, but for the rate: tests send many requests."""
    return start("{listen: '127.0.0.1:0', rate: 100000/s}")


def tls_connection(server: Server, certificate: Path) -> HTTPSConnection:
    """A connection with TLS that trusts this certificate alone."""
    context = ssl.create_default_context(cafile=str(certificate))
    return HTTPSConnection("localhost", server.port, timeout=DEADLINE, context=context)


def link_of(answer: Answer) -> str | None:
    """The next page, by the Link header."""
    found = re.fullmatch(r'<([^>]*)>; rel="next"', answer.headers.get("link", ""))
    return found[1] if found else None
