# SPDX-License-Identifier: Apache-2.0
"""Routes, parameters, media types, versions, pages, problems, bodies, answers that come later."""

import json
import re
import socket
import threading

import pytest
from conftest import DEADLINE, Answer, Server, Start, answer_of, link_of

JSON = {"Content-Type": "application/json"}


def problem(answer: Answer, status: int) -> str:
    """The detail of an RFC 9457 problem with this status."""
    assert answer.status == status, answer
    assert answer.media == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["type"] == "about:blank" and body["title"]
    return str(body["detail"])


def test_routes(server: Server) -> None:
    good = server.get("/api/v1/things/a%20b?kind=small", local=True)
    assert good.status == 200 and good.json()["id"] == "a b" and good.json()["kind"] == "small"
    assert server.get("/api/v1/things/versioned", local=True).json()["id"] == "v"  # a word before a parameter
    assert "there is nothing at /nowhere" in problem(server.get("/nowhere"), 404)
    problem(server.get("/api/v1/things/", local=True), 404)
    problem(server.get("/api/v1/things/none", local=True), 404)
    put = server.request("PUT", "/api/v1/things", local=True)
    problem(put, 405)
    assert put.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    options = server.request("OPTIONS", "/api/v1/things")
    assert options.status == 204 and options.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert not any(name.startswith("access-control") for name in options.headers)


@pytest.mark.parametrize(
    ("target", "status"),
    [("/%zz", 400), ("/%00", 400), ("/a%0d%0ab", 400), ("/%ff", 400), ("/" + "a/" * 30, 404), ("/" + "a" * 9000, 414)],
)
def test_targets(server: Server, target: str, status: int) -> None:
    problem(server.get(target), status)


def test_head(server: Server) -> None:
    got = server.get("/api/v1/big?bytes=12345")
    head = server.request("HEAD", "/api/v1/big?bytes=12345")
    assert (head.status, head.body) == (200, b"")
    assert {k: v for k, v in head.headers.items() if k != "date"} == {k: v for k, v in got.headers.items() if k != "date"}
    assert head.headers["content-length"] == "12345"


def test_parameters(server: Server) -> None:
    def detail(query: str) -> str:
        answer = server.get("/api/v1/things?" + query, local=True)
        return f"{answer.json()['parameter']}: {problem(answer, 400)}"

    assert detail("limt=3") == "limt: there is no parameter 'limt'; did you mean 'limit'?"
    assert detail("limit=0") == "limit: 'limit' takes 1 to 10000, not 0"
    assert detail("limit=many") == "limit: 'limit' takes a whole number, not 'many'"
    assert detail("limit=1&limit=2") == "limit: 'limit' is given twice"
    assert detail("since=tomorrow") == "since: 'since' takes a date like 2025-01-31, not 'tomorrow'"
    assert "takes one of big, small, not 'x'" in problem(server.get("/api/v1/things/a?kind=x", local=True), 400)
    assert "'bytes' is missing" in problem(server.get("/api/v1/big"), 400)
    assert problem(server.get("/api/v1/things?limit=%", local=True), 400)
    assert server.get("/api/v1/things?tag=a&tag=b&&limit=2", local=True).json() == [0, 1]


def test_pages(server: Server) -> None:
    seen: list[int] = []
    path: str | None = "/api/v1/things?limit=70&tag=%26%3d%20x"
    while path:
        answer = server.get(path, local=True)
        seen += answer.json()
        path = link_of(answer)
        assert path is None or "tag=%26%3D%20x" in path
    assert seen == list(range(250))


def test_media_types(server: Server) -> None:
    def media(accept: str) -> str:
        return server.get("/api/v1/things/a", headers={"Accept": accept}, local=True).media

    assert media("*/*") == "application/json"
    assert media("text/csv") == media("text/*") == "text/csv"
    assert media("application/json;q=0.1, text/csv;q=0.2") == "text/csv"
    assert media("text/csv;q=0, */*") == "application/json"
    assert "application/json, text/csv" in problem(
        server.get("/api/v1/things/a", headers={"Accept": "image/png"}, local=True), 406
    )


def test_versions(server: Server) -> None:
    first = server.get("/api/v1/things/a", local=True)
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for sent in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        again = server.get("/api/v1/things/a", headers={"If-None-Match": sent}, local=True)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    for sent in ('"x"', tag[:-1], "x"):
        assert server.get("/api/v1/things/a", headers={"If-None-Match": sent}, local=True).status == 200
    assert server.get("/api/v1/things/a?kind=small", local=True).headers["etag"] != tag
    own = server.get("/api/v1/things/versioned", headers={"If-None-Match": '"v7"'}, local=True)
    assert own.status == 304 and own.headers["cache-control"] == "private, no-cache"


def test_bodies(server: Server) -> None:
    def post(body: str, headers: dict[str, str] | None = None) -> Answer:
        return server.request("POST", "/api/v1/things", body=body, headers=JSON if headers is None else headers, local=True)

    def wrong(body: str) -> str:
        answer = post(body)
        return f"{answer.json()['pointer']} {problem(answer, 422)}"

    full = '{"name": "a", "kind": "big", "count": null, "due": "2025-01-31", "parts": [{"size": 1.5}], "notes": {"x": "y"}}'
    assert post(full).status == 201
    assert wrong("{}") == "/name /name: 'name' is missing"
    assert wrong('{"nam": "a", "name": "b"}') == "/nam /nam: there is no member 'nam'; did you mean 'name'?"
    assert wrong('{"name": 3}') == "/name /name: a text is expected"
    assert wrong('{"name": null}') == "/name /name: a text is expected, not null"
    assert wrong('{"name": "a", "kind": "huge"}') == "/kind /kind: one of big, small is expected, not 'huge'"
    assert wrong('{"name": "a", "count": 1.5}') == "/count /count: a whole number is expected"
    assert wrong('{"name": "a", "due": "2025-02-30"}') == "/due /due: a date like 2025-01-31 is expected"
    assert wrong('{"name": "a", "parts": [{"size": 1}, {"size": "x"}]}') == "/parts/1/size /parts/1/size: a number is expected"
    assert wrong('{"name": "a", "notes": {"k": 1}}') == "/notes/k /notes/k: a text is expected"
    assert wrong("[]") == " the body: an object is expected"
    for bad in ("{", '{"name": "a"} x', "{'name': 1}", '{"name": "\\ud800"', "[" * 100 + "]" * 100):
        assert "the body is no JSON" in problem(post(bad), 400)
    assert "has to be application/json" in problem(post(full, {"Content-Type": "text/plain"}), 415)
    problem(post(full, {}), 415)
    problem(post(full, {**JSON, "Content-Encoding": "gzip"}), 415)
    assert "takes no body" in problem(server.request("GET", "/api/v1/things", body="x", local=True), 415)
    echo = server.request("POST", "/api/v1/echo", body=b"\0\xff" * 9, headers={"Content-Type": "text/csv; x=y"}, local=True)
    assert echo.body == b"\0\xff" * 9
    problem(server.request("POST", "/api/v1/echo", body=b"x", headers={"Content-Type": "text/html"}, local=True), 415)


def test_errors_have_places(server: Server) -> None:
    answer = server.get("/api/v1/fails")
    assert problem(answer, 503) == "entente.yaml:3:7: the disk is asleep; wake it"
    assert (answer.json()["line"], answer.json()["todo"]) == (3, "wake it")


def test_every_answer_is_guarded(server: Server) -> None:
    for answer in (server.get("/"), server.get("/nowhere"), server.get("/healthz"), server.get("/api/v1/things")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert not any(name.startswith("access-control") for name in answer.headers)


def test_page_and_assets(server: Server) -> None:
    page = server.get("/")
    assert page.media == "text/html" and page.headers["cache-control"] == "no-cache"
    same = server.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert same.status == 304
    # a browser takes the headers of a 304 over those that it kept with the page
    assert "content-security-policy" not in same.headers
    paths = re.findall(r'"(/assets/[0-9a-f]{16}/[\w.-]+)"', page.body.decode())
    assert paths
    assert not re.search(r"<style|style=|<script(?! [^>]*src=)| on\w+=", page.body.decode())
    for path in paths:
        asset = server.get(path)
        assert asset.status == 200 and asset.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert asset.headers["etag"].strip('"') and asset.body
        assert server.get(path, headers={"If-None-Match": asset.headers["etag"]}).status == 304
        assert server.get(re.sub("[0-9a-f]{16}", "0" * 16, path)).status == 404


def test_later(server: Server) -> None:
    """Answers that come later come to whoever asked, in whatever order."""
    connections = [server.local() for _ in range(20)]
    for connection in connections:
        connection.request("GET", "/api/v1/later")
    server.until("waiting", "waiting", lambda said: said.startswith("20 "))
    assert server.get("/healthz").status == 200  # nobody is held up
    server.ask("release", "released")
    for connection in connections:
        assert answer_of(connection.getresponse()).body == b"released"
        connection.request("GET", "/api/v1/things/again")  # and the connection lives on
        assert answer_of(connection.getresponse()).status == 200
        connection.close()


def test_later_and_gone(server: Server) -> None:
    """A client that goes away before its answer harms nobody."""
    connections = [server.local() for _ in range(5)]
    for connection in connections:
        connection.request("GET", "/api/v1/later")
    server.until("waiting", "waiting", lambda said: said.startswith("5 "))
    for connection in connections:
        connection.close()
    assert server.ask("release", "released") == "5"
    server.until("figures", "figures", lambda said: bool(json.loads(said)["under_way"] == 0))


def test_too_late(start: Start) -> None:
    """A handler that takes too long: 503, and what it says afterwards is thrown away."""
    server = start("{listen: '127.0.0.1:0', timeout: 300ms}")
    answer = server.get("/api/v1/later", local=True)
    assert "no answer within 300 ms" in problem(answer, 503)
    assert answer.headers["retry-after"] == "5"
    assert server.ask("waiting", "waiting") == "1 gone 1"
    server.ask("release", "released")
    server.until("figures", "figures", lambda said: bool(json.loads(said)["under_way"] == 0))
    assert json.loads(server.ask("figures", "figures"))["late"] == 1


def test_ended_under_way(start: Start) -> None:
    """Ending the server while handlers hold requests; the driver answers them afterwards."""
    server = start()
    connections = [server.local() for _ in range(3)]
    for connection in connections:
        connection.request("GET", "/api/v1/later")
    server.until("waiting", "waiting", lambda said: said.startswith("3 "))
    assert server.end() == 0
    for connection in connections:
        connection.close()
    assert not (server.folder / "store/control.sock").exists()


def test_drain(start: Start) -> None:
    """Requests under way are answered, nothing new is taken, then it is told."""
    server = start()
    slow, idle = server.local(), server.local()
    idle.request("GET", "/api/v1/things/a")
    assert answer_of(idle.getresponse()).status == 200
    slow.request("GET", "/api/v1/later")
    server.until("waiting", "waiting", lambda said: said.startswith("1 "))
    server.say("drain 60000")
    server.until("figures", "figures", lambda said: bool(json.loads(said)["connections"] == 1))
    with pytest.raises(ConnectionError):
        server.get("/healthz")
    server.say("release")
    server.expect("drained")
    assert answer_of(slow.getresponse()).body == b"released"


def test_drain_in_time(start: Start) -> None:
    server = start()
    slow = server.local()
    slow.request("GET", "/api/v1/later")
    server.until("waiting", "waiting", lambda said: said.startswith("1 "))
    server.say("drain 200")
    server.expect("drained")
    slow.close()


def test_keep_alive_and_pipelines(server: Server) -> None:
    """Problems do not end a connection, and requests sent at once are answered in order."""
    one = b"GET /api/v1/big?bytes=3 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    bad = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    got = server.raw(one + bad + one + last).decode()
    assert re.findall(r"HTTP/1\.1 (\d+)", got) == ["200", "404", "200", "200"]


def test_half_requests(start: Start) -> None:
    """Connections that end anywhere in a request leave nothing behind, long before their time is up."""
    server = start("{listen: '127.0.0.1:0', timeout: 10m}")
    whole = b"POST /api/v1/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 100\r\n\r\n" + b"x" * 50
    for n in (0, 3, 20, 40, 70, len(whole) - 40, len(whole)):
        with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as sock:
            sock.sendall(whole[:n])
    server.until("figures", "figures", lambda said: bool(json.loads(said)["connections"] == json.loads(said)["under_way"] == 0))


def test_many_at_once(server: Server) -> None:
    """Large answers to many clients, some of which stop reading in the middle."""
    failed: list[object] = []

    def one(i: int) -> None:
        try:
            connection = server.connection()
            for _ in range(3):
                connection.request("GET", "/api/v1/big?bytes=3000000")
                response = connection.getresponse()
                if i % 4 == 0:
                    response.read(1000)
                    break
                if len(response.read()) != 3000000:
                    failed.append(i)
            connection.close()
        except OSError as e:
            failed.append(e)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=DEADLINE)
    assert not failed
    server.until("figures", "figures", lambda said: bool(json.loads(said)["connections"] == 0))
