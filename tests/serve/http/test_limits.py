# SPDX-License-Identifier: Apache-2.0
"""Size, rate, time, connections."""

import json
import re
import socket
import time

import pytest
from conftest import DEADLINE, Server, Start, answer_of
from test_http import problem

CSV = {"Content-Type": "text/csv"}


def test_body_too_large(start: Start) -> None:
    """Refused by its length, before it is sent; and the answer arrives though the client goes on sending."""
    server = start("{listen: '127.0.0.1:0', body: 2kB}")
    token = server.token("ci", "--role", "operator")
    assert server.request("POST", "/api/v1/echo", body=b"x" * 100000, headers=CSV, token=token).status == 200  # the route's own limit
    for n in (100001, 150000, 3_000_000):
        answer = server.request("POST", "/api/v1/echo", body=b"x" * n, headers=CSV, token=token)
        assert f"the body has {n} bytes, and at most 100000 are taken" in problem(answer, 413)
    answer = server.request(
        "POST", "/api/v1/things", body='{"name": "' + "x" * 3000 + '"}', headers={"Content-Type": "application/json"}, token=token
    )
    assert "at most 2048" in problem(answer, 413)


def test_nothing_of_it_is_read(server: Server) -> None:
    """With Expect: 100-continue the body is not even sent; without, 413 comes though the rest of the body never does."""
    token = server.token("ci", "--role", "operator")
    head = f"POST /api/v1/echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: text/csv\r\n"
    for more in ("Expect: 100-continue\r\n", ""):
        got = server.raw((head + more + "Content-Length: 99999999\r\n\r\n").encode()).decode()
        assert re.match(r"HTTP/1\.1 413 ", got) and "100 Continue" not in got
        assert "connection: close" in got.lower()


def test_chunks_too_many(server: Server) -> None:
    token = server.token("ci", "--role", "operator")
    head = (
        f"POST /api/v1/echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: text/csv\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    ).encode()
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    assert server.raw(head + chunk * 2 + b"0\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert server.raw(head + chunk * 4 + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as sock:  # without end
        sock.sendall(head)
        with pytest.raises(ConnectionError):
            while True:
                sock.sendall(chunk)


def test_rate(start: Start) -> None:
    server = start("{listen: '127.0.0.1:0', rate: 5/h}")
    token = server.token("ci")
    statuses = [server.get("/api/v1/things", token=token).status for _ in range(13)]
    assert statuses == [200] * 10 + [429] * 3  # twice the number at once
    late = server.get("/api/v1/things", token=token)
    assert problem(late, 429) and 1 <= int(late.headers["retry-after"]) <= 720
    assert server.get("/healthz").status == 200  # probes are not counted
    assert server.get("/nowhere").status == 429  # what is not there is
    assert server.get("/api/v1/things", local=True).status == 200
    assert json.loads(server.ask("figures", "figures"))["limited"] == 5


def test_clients_behind_a_proxy(start: Start) -> None:
    """Told apart by the last address that the proxy names; what a client writes in front of it does not count."""
    server = start("{listen: '127.0.0.1:0', rate: 1/h, tls: {terminated: true}}")

    def status(forwarded: str) -> int:
        return server.get("/api/v1/big?bytes=1", headers={"X-Forwarded-For": forwarded}).status

    assert [status("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert status("198.51.100.9, 192.0.2.1") == 429
    assert status("192.0.2.1, 198.51.100.9") == 200
    assert [status("2001:db8::1"), status("2001:db8::2"), status("2001:db8::3")] == [200, 200, 429]  # one network


def test_the_header_is_not_believed_without_a_proxy(start: Start) -> None:
    server = start("{listen: '127.0.0.1:0', rate: 1/h}")
    assert [server.get("/api/v1/big?bytes=1", headers={"X-Forwarded-For": f"192.0.2.{i}"}).status for i in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET /healthz HT",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
    ],
)
def test_slow_clients_are_cut(start: Start, begin: bytes) -> None:
    """A byte now and then keeps no connection open: the whole head, and the whole body, have a time of their own."""
    server = start("{listen: '127.0.0.1:0', timeout: 500ms}")
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as sock:
        sock.sendall(begin)
        started = time.monotonic()
        sock.settimeout(0.05)
        while True:
            assert time.monotonic() - started < DEADLINE, "never cut"
            try:
                if begin:
                    sock.sendall(b"x")
                if not sock.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    assert time.monotonic() - started >= 0.4
    server.until("figures", "figures", lambda said: bool(json.loads(said)["connections"] == 0))


def test_slow_readers_are_cut(start: Start) -> None:
    """Who asks for much and does not read it."""
    server = start("{listen: '127.0.0.1:0', timeout: 500ms}")
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(b"GET /api/v1/big?bytes=50000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        server.until("figures", "figures", lambda said: bool(json.loads(said)["slow"] == 1))
        server.until("figures", "figures", lambda said: bool(json.loads(said)["connections"] == 0))


def test_fast_readers_of_much_are_not(start: Start) -> None:
    """An answer may take longer than the timeout, as long as it gets on."""
    server = start("{listen: '127.0.0.1:0', timeout: 300ms}")
    connection = server.connection()
    connection.request("GET", "/api/v1/big?bytes=20000000")
    response = connection.getresponse()
    got = 0
    while part := response.read(500_000):
        got += len(part)
        time.sleep(0.02)
    assert got == 20_000_000
    connection.close()


def test_connections(start: Start) -> None:
    """Beyond the number they wait until one ends; idle ones end by themselves."""
    server = start("{listen: '127.0.0.1:0', connections: 4, timeout: 1s}")
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) for _ in range(4)]
    server.until("figures", "figures", lambda said: bool(json.loads(said)["connections"] == 4))
    connection = server.connection()
    connection.request("GET", "/healthz")
    assert answer_of(connection.getresponse()).status == 200
    connection.close()
    for sock in idle:
        sock.close()


def test_large_heads(server: Server) -> None:
    huge = server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 40000 + b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.[01] 4(13|14|31) ", huge), huge[:100]


def test_reload_of_limits_and_addresses(start: Start) -> None:
    """Another configuration: limits hold at once, addresses open and close, connections that are there go on."""
    server = start("{listen: '127.0.0.1:0', body: 1MB}")
    old = server.connection()
    old.request("GET", "/healthz")
    assert answer_of(old.getresponse()).status == 200
    before = server.addresses[0]
    server.configure("{listen: ['127.0.0.2:0', '127.0.0.1:0'], body: 2kB, rate: 1000/s}")
    assert before in server.addresses and len(server.addresses) == 2
    server.configure("{listen: '127.0.0.2:0'}")
    assert len(server.addresses) == 1
    old.request("GET", "/api/v1/big?bytes=7")
    assert answer_of(old.getresponse()).body == b"x" * 7
    old.close()
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", int(before.rsplit(":", 1)[1])), timeout=DEADLINE)
    assert server.get("/healthz", local=True).status == 200


def test_bad_reload_changes_nothing(start: Start) -> None:
    server = start("{listen: '127.0.0.1:0'}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (server.folder / "entente.yaml").write_text(
            f"version: 1\ncurrency: EUR\nstore: ./store\nserve:\n  listen: ['127.0.0.1:0', '127.0.0.1:{port}']\n  body: 2kB\n"
        )
        said = server.ask("configure entente.yaml", "log")
        assert re.search(rf"entente\.yaml:5:\d+: cannot listen on 127\.0\.0\.1:{port}: Address already in use", said)
    assert server.get("/healthz").status == 200
