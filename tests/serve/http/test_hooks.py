# SPDX-License-Identifier: Apache-2.0
"""Webhooks: signed deliveries, 200 once they are durable, and every way in which one is refused."""

import base64
import hashlib
import hmac
import json
import os
import resource
import subprocess
import threading
from pathlib import Path

import pytest
from conftest import BUILD, DEADLINE, Answer, Server, Start, answer_of
from test_http import problem

SECRET = "s3cret"
SOURCE = """
partners: {nord: {}}
sources:
  hooks:
    partner: nord
    from:
      webhook:
        path: /in/nord
        sign: {header: X-Hmac, secrets: ['file:new.key', 'file:old.key']}
        once_by: {header: X-Id}
        limit: 4kB
    decode: json
"""


def begin(start: Start, tmp_path: Path, serve: str = "{listen: '127.0.0.1:0'}", source: str = SOURCE) -> Server:
    (tmp_path / "new.key").write_text(SECRET)
    (tmp_path / "old.key").write_text("older\n")
    return start(serve, source)


def deliver(server: Server, body: bytes, number: str | None = None, secret: str = SECRET, **headers: str) -> Answer:
    mac = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    sent = {"X-Hmac": mac, "Content-Type": "application/json"} | ({"X-Id": number} if number else {})
    return server.request("POST", "/in/nord", body=body, headers=sent | {k.replace("_", "-"): v for k, v in headers.items()})


def stored(server: Server) -> list[str]:
    """What stands in the inbox, line by line, without the envelopes."""
    logs = sorted((server.folder / "store/inbox/hooks").glob("*.log"))
    return [line[line.index("{") :] for log in logs for line in log.read_text().splitlines() if "{" in line]


def test_deliveries(start: Start, tmp_path: Path) -> None:
    server = begin(start, tmp_path)
    assert (taken := deliver(server, b'{"a": 1}', "one")).status == 200 and taken.body == b""
    assert stored(server) == ['{"a": 1}']  # before the answer, not after it
    assert deliver(server, b'{"a": 2}', "two", "older").status == 200  # the secret before
    assert deliver(server, b'{"a": 1}', "one").status == 200  # again: acknowledged, and not kept
    assert deliver(server, b'{"a": 3}').status == 200  # without an id
    assert stored(server) == ['{"a": 1}', '{"a": 2}', '{"a": 3}']
    assert json.loads(server.ask("hooks", "hooks")) == {"taken": 3, "repeated": 1, "forged": 0, "put_off": 0}


def test_no_token_and_no_name_of_host_are_needed(start: Start, tmp_path: Path) -> None:
    server = begin(start, tmp_path)
    assert deliver(server, b"{}", Host="hooks.example", Origin="https://evil.example").status == 200
    problem(server.get("/healthz", headers={"Host": "hooks.example"}), 421)


def test_refused(start: Start, tmp_path: Path) -> None:
    server = begin(start, tmp_path)
    assert "signature is missing or wrong" in problem(deliver(server, b"{}", secret="guess"), 401)
    problem(server.request("POST", "/in/nord", body=b"{}"), 401)
    problem(deliver(server, b"{}", X_Hmac=""), 401)
    problem(server.request("POST", "/in/sued", body=b"{}"), 404)
    problem(server.request("POST", "/in/nord/", body=b"{}"), 404)
    got = server.get("/in/nord")
    assert problem(got, 405) and got.headers["allow"] == "POST"
    assert "at most 4096" in problem(deliver(server, b"x" * 5000), 413)
    problem(deliver(server, b"x" * 500_000), 413)
    problem(deliver(server, b"{}", Content_Encoding="gzip"), 415)
    assert not (server.folder / "store/inbox/hooks").exists() or stored(server) == []
    assert json.loads(server.ask("hooks", "hooks"))["forged"] == 3


def test_forgeries_are_limited_and_deliveries_are_not(start: Start, tmp_path: Path) -> None:
    server = begin(start, tmp_path, "{listen: '127.0.0.1:0', rate: 3/h}")
    assert [deliver(server, b"{}").status for _ in range(20)] == [200] * 20
    statuses = [deliver(server, b"{}", secret="guess") for _ in range(8)]
    assert [answer.status for answer in statuses] == [401] * 6 + [429] * 2
    assert statuses[-1].headers["retry-after"] == "5"
    assert deliver(server, b"{}").status == 200


def test_too_much_waits(start: Start, tmp_path: Path) -> None:
    """Nobody ingests here: beyond the bound of what may lie on the disk it is 429, and nothing is lost or half kept."""
    server = begin(start, tmp_path, source=SOURCE.replace("4kB", "90kB") + "inbox: {waiting: 1MB}\n")
    body = b'{"x": "' + b"y" * 80000 + b'"}'
    answers = [deliver(server, body) for _ in range(20)]
    late = [answer for answer in answers if answer.status != 200]
    assert late and {answer.status for answer in late} == {429}
    assert problem(late[0], 429) and int(late[0].headers["retry-after"]) > 0
    assert len(stored(server)) == 20 - len(late)


def test_disk_refuses(start: Start, tmp_path: Path) -> None:
    """A disk that takes no more: 503, and nothing is acknowledged that is not there."""
    server = begin(start, tmp_path)
    assert deliver(server, b'{"a": 1}').status == 200
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    answers = [deliver(server, b'{"b": "' + b"x" * 500 + b'"}') for _ in range(4)]
    refused = [answer for answer in answers if answer.status == 503]
    assert refused and int(refused[0].headers["retry-after"]) > 0
    assert {answer.status for answer in answers} <= {200, 503}
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert deliver(server, b'{"c": 1}').status == 200
    assert len(stored(server)) == 2 + sum(answer.status == 200 for answer in answers)


def test_many_at_once(start: Start, tmp_path: Path) -> None:
    """Each delivery is answered once and kept once, however many come at a time, and some of them twice."""
    server = begin(start, tmp_path)
    statuses: list[int] = []

    def send(client: int) -> None:
        connection = server.connection()
        for i in range(100):
            body = json.dumps({"n": client // 2 * 1000 + i}).encode()
            mac = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
            connection.request("POST", "/in/nord", body=body, headers={"X-Hmac": mac, "X-Id": f"{client // 2}-{i}"})
            statuses.append(answer_of(connection.getresponse()).status)
        connection.close()

    threads = [threading.Thread(target=send, args=(client,)) for client in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=DEADLINE)
    assert statuses == [200] * 1600
    assert sorted(json.loads(line)["n"] for line in stored(server)) == sorted(c * 1000 + i for c in range(8) for i in range(100))


def test_another_configuration(start: Start, tmp_path: Path) -> None:
    """Secrets and paths change while it runs; a secret that cannot be read changes nothing."""
    server = begin(start, tmp_path)
    (tmp_path / "new.key").write_text("newest")
    server.configure("{listen: '127.0.0.1:0'}", SOURCE.replace("/in/nord", "/in/north"))
    problem(deliver(server, b"{}"), 404)
    body = b"{}"
    mac = base64.b64encode(hmac.new(b"newest", body, hashlib.sha256).digest()).decode()
    assert server.request("POST", "/in/north", body=body, headers={"X-Hmac": mac}).status == 200
    (tmp_path / "new.key").unlink()
    assert "new.key cannot be read" in server.ask("configure entente.yaml", "log")
    assert server.request("POST", "/in/north", body=body, headers={"X-Hmac": mac}).status == 200


@pytest.mark.skipif(not Path("/usr/bin/wrk").exists(), reason="wrk is not installed")
def test_the_bench_counts(tmp_path: Path) -> None:
    """tests/bench/hooks.py measures what the table of figures says: its shortest run loses and repeats nothing."""
    bench = Path(__file__).parents[2] / "bench/hooks.py"
    done = subprocess.run(
        ["/usr/bin/python3", bench, "--build", BUILD, "--seconds", "1", "--work", tmp_path, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["durable"] == said["answered"] > 0 and said["errors"] == 0
