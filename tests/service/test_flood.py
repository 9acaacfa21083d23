# SPDX-License-Identifier: Apache-2.0
"""More comes than can be read: memory stays bounded, what does not fit is refused, what was taken is there afterwards; one
flooding source delays no other; secrets of webhooks are changed while deliveries come."""

import contextlib
import hashlib
import hmac
import http.client
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project import BUILD, Project
from service import PATIENCE, Service
from test_operate import metrics

PLUGIN = BUILD / "tests" / "plugins" / "hook.so"
MB = 1 << 20
MEMORY, WAITING = 4 * MB, 16 * MB
SIGN = "sign: {header: X-Signature, form: hex, secrets: [file:new.secret, file:old.secret]}, once_by: {header: X-Delivery}"
SOURCES = f"""\
  flood: {{partner: nordwind, decode: hook_lines, from: {{webhook: {{path: /in/flood, {SIGN}}}}}}}
  whole: {{partner: nordwind, decode: hook_whole, from: {{webhook: {{path: /in/whole, {SIGN}}}}}}}
  quiet: {{partner: suedwind, decode: hook_lines, from: {{webhook: {{path: /in/quiet, {SIGN}}}}}}}"""
TOP = f"""\
plugins: [{PLUGIN}]
workers: 1
decoders: {{deadline: 10m}}
commit: {{bytes: 1MB, every: 50ms}}
inbox: {{memory: {MEMORY // MB}MB, waiting: {WAITING // MB}MB}}
service: {{slice: 100ms, log: {{format: json, level: debug}}}}
serve: {{listen: 127.0.0.1:0, timeout: 10s}}"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    p = Project(tmp_path / "p", SOURCES, top=TOP)
    p.write("new.secret", "the first one")
    p.write("old.secret", "of long ago")
    s = Service(p)
    yield s
    if s.child is not None and s.child.poll() is None:
        s.child.kill()
        s.child.wait()


class Sender:
    """One connection that deliveries are sent on."""

    def __init__(self, s: Service) -> None:
        [at] = s.until(lambda: s.events("listening"), "an address")
        self.host, port = at["at"].removeprefix("http://").split(":")
        self.port = int(port)
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        self.after: str | None = None  # Retry-After of the last answer

    def send(self, path: str, body: bytes, number: str, secret: str = "the first one") -> int:
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        for _ in range(3):
            try:
                self.connection.request("POST", path, body, {"X-Signature": signature, "X-Delivery": number})
                answer = self.connection.getresponse()
                answer.read()
                self.after = answer.getheader("Retry-After")
                return answer.status
            except (http.client.HTTPException, OSError):  # refused before all of it was there: the id makes it count once
                self.connection.close()
        raise AssertionError("no answer, three times")


def memory(s: Service) -> int:
    """Of the service and all its workers, shared pages in parts (PSS)."""
    total = 0
    for pid in [s.pid, *(pid for pids in s.children().values() for pid in pids)]:
        with contextlib.suppress(OSError, ValueError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(x.split()[1]) for x in lines if x.startswith("Pss:")) * 1024
    return total


def together(n: int, what: Callable[[int], None]) -> None:
    wrong: list[BaseException] = []

    def one(k: int) -> None:
        try:
            what(k)
        except BaseException as e:
            wrong.append(e)

    threads = [threading.Thread(target=one, args=(k,)) for k in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]


def visit(n: int, size: int = 0) -> bytes:
    return f"v u{n} {20000 + n % 50} ".encode().ljust(size, b".")


def slow_bodies(s: Service, n: int) -> list[socket.socket]:
    """So many deliveries that come in, all but their end; nobody can have looked at a signature."""
    sender = Sender(s)
    found = []
    for _ in range(n):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)  # it is the service that holds them
        one.settimeout(PATIENCE)
        one.connect((sender.host, sender.port))
        one.sendall(b"POST /in/flood HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        found.append(one)
    piece = bytes(100_000)
    for _ in range(9):
        for one in found:
            with contextlib.suppress(ConnectionError):
                one.sendall(piece)
    return found


def ended(one: socket.socket) -> int:
    """Sends the rest; the status of the answer."""
    with contextlib.suppress(ConnectionError):
        one.sendall(bytes(100_000))
    answer = one.recv(4096)
    one.close()
    return int(answer.split()[1])


def test_memory_is_bounded_whatever_comes(service: Service, tmp_path: Path) -> None:
    s = service.start()
    assert Sender(s).send("/in/flood", visit(0), "first") == 200
    s.until(lambda: s.source("flood")["records"] == 1, "a decoder at work")
    decoders = s.children()["entente-decoder"]
    for pid in decoders:
        os.kill(pid, signal.SIGSTOP)
    before = memory(s)
    most = [before]
    taken: list[int] = []
    refused: list[int] = []

    def flood(k: int) -> None:
        sender = Sender(s)
        told = 0
        n = 0
        while told < 40:  # twice as much again as is taken
            n += 1
            number = k * 100_000 + n
            status = sender.send("/in/flood", visit(number, 100_000), f"d{number}")
            if status == 200:
                taken.append(number)
            else:
                assert status == 429 and sender.after, status
                refused.append(number)
                told += 1
            if n % 10 == 0:
                most.append(memory(s))

    together(6, flood)
    assert 0.5 * WAITING < 100_000 * len(taken) <= WAITING, len(taken)
    figures = metrics(s)
    assert figures['entente_inbox_refused_total{source="flood"}'] >= len(refused) >= 240
    assert 0.5 * WAITING < figures['entente_inbox_waiting_bytes{source="flood"}'] <= WAITING
    assert figures['entente_source_lag_seconds{source="flood"}'] >= 0
    assert figures['entente_webhook_deliveries_total{outcome="taken"}'] == 1 + len(taken)
    assert figures['entente_webhook_deliveries_total{outcome="put_off"}'] >= len(refused)
    assert figures['entente_webhook_deliveries_total{outcome="forged"}'] == 0
    assert Sender(s).send("/in/quiet", visit(1), "beside") == 200  # others are not refused
    coming = slow_bodies(s, 120)
    most.append(memory(s))
    assert s.request("GET", "/healthz")[0] == 200
    most.append(memory(s))
    answers = [ended(one) for one in coming]
    assert set(answers) <= {401, 429} and answers.count(429) >= 100, answers
    # bodies that come in, what waits for the disk, buffers of connections; never what lies on the disk, never what was refused
    assert max(most) - before < 4 * MEMORY + 16 * MB, (before, max(most))
    assert s.source("flood")["records"] == 1  # the decoder stood still all the time
    for pid in decoders:
        os.kill(pid, signal.SIGCONT)
    s.until(lambda: s.source("flood")["records"] == 1 + len(taken), "all that was taken")
    s.until(lambda: s.source("quiet")["records"] == 1, "the other one, too")
    assert s.stop() == 0
    other = Project(
        tmp_path / "r",
        "  flood: {partner: nordwind, decode: hook_lines, from: {file: flood.txt}}\n"
        "  quiet: {partner: suedwind, decode: hook_lines, from: {file: quiet.txt}}",
        top=f"plugins: [{PLUGIN}]",
    )
    other.write("flood.txt", b"".join(visit(n) + b"\n" for n in (0, *taken)))
    other.write("quiet.txt", visit(1) + b"\n")
    other.run()
    for group in ("cells", "members"):
        assert s.project.digest()[group] == other.digest()[group]


def test_a_flood_delays_no_other_source(service: Service) -> None:
    s = service.start()
    assert Sender(s).send("/in/quiet", visit(0), "first") == 200
    s.until(lambda: s.source("quiet")["records"] == 1, "a decoder at work")
    stopping = threading.Event()
    sent = [0]

    def flood() -> None:
        sender = Sender(s)
        while not stopping.is_set():
            n = sent[0]
            body = b"\n".join(visit(n * 10_000 + k) for k in range(10_000))
            if sender.send("/in/whole", body, f"w{n}") == 200:
                sent[0] += 1

    thread = threading.Thread(target=flood)
    thread.start()
    sender = Sender(s)
    rounds: list[int] = []
    try:
        n = 0
        while len(rounds) < 8:
            n += 1
            s.until(lambda: s.source("whole")["inbox_bytes"] > MB, "a backlog")
            at = s.status()["cycles"]
            assert sender.send("/in/quiet", visit(n), f"q{n}") == 200
            s.until(lambda n=n: s.source("quiet")["records"] == 1 + n, "the quiet one's")
            now = s.status()
            if next(x for x in now["sources"] if x["source"] == "whole")["inbox_bytes"] > 0:  # the flood was there all the time
                rounds.append(now["cycles"] - at)
    finally:
        stopping.set()
        thread.join(PATIENCE)
    assert max(rounds) <= 5, rounds
    s.until(lambda: s.source("whole")["records"] == sent[0] * 10_000, "all of the flood", 2 * PATIENCE)
    assert s.stop() == 0


def test_secrets_change_by_a_reload(service: Service) -> None:
    """Two are good at a time; a sender that goes from one to the next loses nothing."""
    s = service.start()
    sender = Sender(s)
    secrets = ["the first one", "the second one", "the third one"]
    taken = 0
    for n, secret in enumerate(secrets):
        if n:
            assert sender.send("/in/quiet", visit(taken), f"d{taken}", secret) == 401  # nobody knows it yet
            s.project.write("old.secret", secrets[n - 1])
            s.project.write("new.secret", secret)
            assert sender.send("/in/quiet", visit(taken), f"d{taken}", secrets[n - 1]) == 200
            taken += 1
            assert s.reload()[0] == 200
        for good in secrets[max(0, n - 1) : n + 1]:
            assert sender.send("/in/quiet", visit(taken), f"d{taken}", good) == 200
            taken += 1
        for bad in secrets[: max(0, n - 1)]:
            assert sender.send("/in/quiet", visit(taken), f"d{taken}", bad) == 401
            assert metrics(s)['entente_webhook_deliveries_total{outcome="forged"}'] > 0
    # one that cannot be read: refused with its place, and both go on
    (s.project.folder / "new.secret").unlink()
    status, told = s.reload()
    assert status == 422 and "new.secret" in str(told) and told["errors"][0]["line"], told
    assert sender.send("/in/quiet", visit(taken), f"d{taken}", secrets[-1]) == 200
    taken += 1
    s.until(lambda: s.source("quiet")["records"] == taken, "all of them")
    assert s.stop() == 0
