# SPDX-License-Identifier: Apache-2.0
"""What a poll asks of a server, and a server of it: limits, errors, conditional requests, and who we are."""

from __future__ import annotations

import base64
import email.utils
import gzip
import re
import subprocess
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer, Asked, Poll, Server

Serve = Callable[..., Server]
Start = Callable[..., Poll]

ROWS = [{"id": 1}, {"id": 2}]


def pages_of(n: int) -> Callable[[Asked], Answer]:
    return lambda a: (200, {}, [{"id": a.n}] if int(a.query["page"]) <= n else [])


# ---- limits ------------------------------------------------------------------------------------------------------------


def test_rate(serve: Serve, poll: Start) -> None:
    server = serve(pages_of(4))
    poll({"url": server.url(), "pages": {"by": "number"}, "limits": {"rate": "10/s"}}).idle()
    gaps = [b.at - a.at for a, b in zip(server.asked, server.asked[1:])]
    assert len(gaps) == 4 and sum(gaps) >= 0.39  # four times 100 ms; on the way a request may be late, which makes the next gap shorter


def test_rate_that_is_slow(serve: Serve, poll: Start) -> None:
    server = serve(pages_of(4))
    p = poll({"url": server.url(), "pages": {"by": "number"}, "limits": {"rate": "1/h"}})
    server.wait_for(1)
    p.until(lambda s: s["pages"] == 1 and s["next_us"] > (time.time() + 3000) * 1e6)
    p.stop()
    assert len(server.asked) == 1


def test_retry(serve: Serve, poll: Start) -> None:
    """As often as it says, no more; then at the next interval."""
    server = serve(lambda a: (500, {}, "out of order"))
    p = poll({"url": server.url(), "limits": {"retry": 2}})
    s = p.failing()
    assert (len(server.asked), s["retries"], s["failures"], s["http"]) == (3, 2, 1, 500)
    assert "the server answered 500" in s["error"] and "entente.yaml:1:" in s["error"]
    assert s["said"] == "out of order"
    server.answer = lambda a: (200, {}, ROWS)
    p.now()
    s = p.idle(2)
    assert (s["error"], s["said"], s["failing"]) == ("", "", False)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_pass_is_tried_again(serve: Serve, poll: Start, status: int) -> None:
    server = serve(lambda a: (status if a.n == 0 else 200, {}, ROWS))
    s = poll({"url": server.url()}).idle()
    assert (s["retries"], s["records"]) == (1, 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 501])
def test_what_will_not_pass_is_not(serve: Serve, poll: Start, status: int) -> None:
    server = serve(lambda a: (status, {}, {"message": "no such <thing> for Jo@example.org, 12345678, hush-hush\n"}))
    s = poll({"url": server.url(), "auth": {"bearer": "env:T"}}, env={"T": "hush-hush"}).failing()
    assert (len(server.asked), s["retries"]) == (1, 0)
    assert f"the server answered {status}" in s["error"]
    assert s["said"] == '{"message": "no such <thing> for ***, ***, ***\\n"}'
    assert "hush" not in s["error"]


def test_a_server_that_is_not_there(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, ROWS))
    s = poll({"url": "http://127.0.0.1:1/", "limits": {"retry": 1}}).failing()
    assert s["retries"] == 1 and "127.0.0.1" in s["error"]
    assert not server.asked


def test_retry_after_seconds(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (429, {"Retry-After": "2"}, "slow down") if a.n == 0 else (200, {}, ROWS))
    poll({"url": server.url()}).idle()
    assert server.asked[1].at - server.asked[0].at >= 2.0


def test_retry_after_date(serve: Serve, poll: Start) -> None:
    def answer(a: Asked) -> Answer:
        return (503, {"Retry-After": email.utils.formatdate(time.time() + 4, usegmt=True)}, "") if a.n == 0 else (200, {}, ROWS)

    server = serve(answer)
    poll({"url": server.url()}).idle()
    assert server.asked[1].at - server.asked[0].at >= 2.9  # the date has no parts of a second


def test_retry_after_an_hour_at_most(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (429, {"Retry-After": "999999"}, ""))
    p = poll({"url": server.url()})
    s = p.until(lambda s: s["state"] == "trying again")
    assert 3500 < s["next_us"] / 1e6 - time.time() <= 3601


def waited(error: str) -> float:
    """Seconds that the message says."""
    found = re.search(r"did not answer within ([0-9.e+-]+) s", error)
    assert found, error
    return float(found[1])


def test_timeout(serve: Serve, poll: Start) -> None:
    def answer(a: Asked) -> Answer:
        server.hold.wait()
        return 200, {}, ROWS

    server = serve(answer)
    s = poll({"url": server.url(), "limits": {"timeout": "100ms", "retry": 0}}).failing()
    assert 0.09 <= waited(s["error"]) < 25  # without the setting, 30


def test_connect(serve: Serve, poll: Start) -> None:
    """A server that takes the connection, and nothing more: TLS is part of connecting."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        s = poll({"url": f"https://127.0.0.1:{port}/", "limits": {"timeout": "1h", "connect": "100ms", "retry": 0}}).failing()
    assert 0.09 <= waited(s["error"]) < 9  # without the setting, 10


def test_body(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {"Content-Encoding": "gzip"}, gzip.compress(b"[" + b" " * 100_000 + b'{"id":1}]')))
    s = poll({"url": server.url(), "limits": {"body": "64kB"}}).failing()
    assert "larger than 65536 bytes" in s["error"] and "limits: {body" in s["error"]
    assert len(server.asked) == 1


def test_body_that_is_packed(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {"Content-Encoding": "gzip"}, gzip.compress(b"[" + b" " * 100_000 + b'{"id":1}]')))
    s = poll({"url": server.url()}).idle()
    assert s["records"] == 1 and s["bytes"] < 10_000


def test_pages(serve: Serve, poll: Start) -> None:
    server = serve(pages_of(5))
    p = poll({"url": server.url(), "pages": {"by": "number"}, "limits": {"pages": 2}})
    s = p.idle()
    assert (s["pages"], s["behind"]) == (2, True)
    assert len(server.asked) == 2
    for turn in (2, 3):
        p.now()
        s = p.idle(turn)
    assert [a.query["page"] for a in server.asked] == ["1", "2", "3", "4", "5", "6"]
    assert not s["behind"]


def test_redirects(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (302, {"Location": "/moved"}, "") if a.path == "/orders" else (200, {}, ROWS))
    p = poll({"url": server.url()})
    s = p.failing()
    assert "answered 302" in s["error"] and "redirects" in s["error"]
    p.stop()
    assert poll({"url": server.url(), "limits": {"redirects": 1}}).idle()["records"] == 2


def test_every(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, [{"id": a.n}]))
    poll({"url": server.url(), "every": "300ms"}).idle(5)
    gaps = [b.at - a.at for a, b in zip(server.asked[1:], server.asked[2:5])]  # the first turn was asked for
    assert sum(gaps) >= 3 * 0.26


# ---- conditional requests ----------------------------------------------------------------------------------------------


def test_nothing_new_costs_nothing(serve: Serve, poll: Start) -> None:
    def answer(a: Asked) -> Answer:
        if a.headers.get("if-none-match") == '"v1"' and a.headers.get("if-modified-since") == "Mon, 01 Jan 2024 00:00:00 GMT":
            return 304, {}, None
        return 200, {"ETag": '"v1"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, ROWS

    server = serve(answer)
    p = poll({"url": server.url(), "every": "100ms"})
    s = p.until(lambda s: s["unchanged"] >= 2)
    assert (s["records"], s["error"], s["http"]) == (2, "", 304)
    assert "if-none-match" not in server.asked[0].headers
    p.stop()
    p = poll()  # also after a restart
    s = p.until(lambda s: s["unchanged"] >= 1)
    assert s["records"] == 0
    assert p.kept() == ROWS


def test_the_same_once_more_is_not_kept(serve: Serve, poll: Start) -> None:
    """A server that knows no conditions."""
    server = serve(lambda a: (200, {}, ROWS if a.n != 3 else [{"id": 3}]))
    p = poll({"url": server.url(), "every": "100ms"})
    server.wait_for(6)
    p.until(lambda s: s["turns"] >= 6 and s["state"] == "idle")
    assert p.kept() == [*ROWS, {"id": 3}, *ROWS]


def test_no_condition_where_pages_follow_or_since_moved(serve: Serve, poll: Start) -> None:
    """The first of several pages may be the same although the last one is not."""
    server = serve(lambda a: (200, {"ETag": '"x"'}, [{"id": a.n, "m": a.n}] if a.query["page"] != "3" else []))
    p = poll({"url": server.url(), "every": "100ms", "query": {"a": "{since}"}, "since": {"value": "m"}, "pages": {"by": "number"}})
    server.wait_for(6)
    p.stop()
    assert not [a for a in server.asked if "if-none-match" in a.headers]


def test_an_answer_of_304_that_was_not_asked_for(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (304, {}, None))
    assert "answered 304" in poll({"url": server.url()}).failing()["error"]


# ---- who we are --------------------------------------------------------------------------------------------------------


def test_bearer_basic_header(serve: Serve, poll: Start, tmp_path: Path) -> None:
    server = serve(lambda a: (200, {}, [{"id": a.n}]))
    (tmp_path / "secret").write_text("s3cret: x\n")
    for auth, name, value in (
        ({"bearer": "env:T"}, "authorization", "Bearer abc"),
        ({"basic": {"user": "env:T", "password": "file:secret"}}, "authorization", "Basic " + base64.b64encode(b"abc:s3cret: x").decode()),
        ({"basic": {"user": "me", "password": "env:T"}}, "authorization", "Basic " + base64.b64encode(b"me:abc").decode()),
        ({"header": {"name": "X-Shopify-Access-Token", "value": "env:T"}}, "x-shopify-access-token", "abc"),
    ):
        p = poll({"url": server.url(), "auth": auth}, env={"T": "abc"})
        p.idle()
        p.stop()
        assert server.asked[-1].headers[name] == value


def test_a_secret_that_is_not_there(serve: Serve, poll: Start) -> None:
    p = poll({"url": "http://127.0.0.1:1/", "auth": {"bearer": "env:NO_SUCH_SECRET"}})
    assert p.child.wait(60) == 1
    assert p.child.stderr
    told = p.child.stderr.read()
    assert "entente.yaml:1:" in told and "NO_SUCH_SECRET" in told


def test_a_secret_is_read_anew_each_turn(serve: Serve, poll: Start, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("old")
    server = serve(lambda a: (200, {}, [{"id": a.n}]) if a.headers["authorization"] == "Bearer new" else (401, {}, "no"))
    p = poll({"url": server.url(), "auth": {"bearer": "file:secret"}})
    p.failing()
    (tmp_path / "secret").write_text("new")
    p.now()
    p.idle(2)


def oauth(server_of: Callable[[], Server], life: int, in_body: bool) -> Callable[[Asked], Answer]:
    """Tokens are t0, t1, …; the newest one is good, until `revoked` is added to."""

    def answer(a: Asked) -> Answer:
        server = server_of()
        if a.path == "/token":
            form = dict(urllib.parse.parse_qsl(a.body.decode()))
            assert a.method == "POST" and form["grant_type"] == "client_credentials" and form["scope"] == "read orders"
            basic = "Basic " + base64.b64encode(b"me%3A1:a%20b%26c").decode()
            good = form.get("client_secret") == "a b&c" and form.get("client_id") == "me:1" if in_body else a.headers.get("authorization") == basic
            if not good:
                return 401, {}, {"error": "invalid_client"}
            n = sum(b.path == "/token" for b in server.asked) - 1
            return 200, {}, {"access_token": f"t{n}", "token_type": "bearer", "expires_in": life}
        newest = sum(b.path == "/token" for b in server.asked) - 1
        if a.headers.get("authorization") != f"Bearer t{newest}" or a.path == "/never" or (a.path == "/once" and newest == 0):
            return 401, {}, "token"
        return 200, {}, [{"id": a.n}]

    return answer


def setting(server: Server, path: str) -> dict[str, object]:
    return {
        "url": server.url(path),
        "auth": {"oauth2": {"token_url": server.url("/token"), "client_id": "me:1", "client_secret": "env:T", "scope": "read orders"}},
    }


def test_oauth2(serve: Serve, poll: Start) -> None:
    server: Server = serve(oauth(lambda: server, 3600, False))
    p = poll({**setting(server, "/orders"), "every": "100ms"}, env={"T": "a b&c"})
    p.idle(3)
    assert [a.path for a in server.asked[:4]] == ["/token", "/orders", "/orders", "/orders"]


def test_oauth2_that_expires(serve: Serve, poll: Start) -> None:
    server: Server = serve(oauth(lambda: server, 1, False))
    p = poll({**setting(server, "/orders"), "every": "600ms"}, env={"T": "a b&c"})
    p.idle(3)
    assert [a.path for a in server.asked[:6]] == ["/token", "/orders"] * 3  # half of a second is gone each time


def test_oauth2_in_the_body(serve: Serve, poll: Start) -> None:
    server: Server = serve(oauth(lambda: server, 3600, True))
    p = poll(setting(server, "/orders"), env={"T": "a b&c"})
    p.until(lambda s: s["state"] in ("idle", "failing"))
    assert [a.path for a in server.asked] == ["/token", "/token", "/orders"]


def test_oauth2_token_refused_once(serve: Serve, poll: Start) -> None:
    server: Server = serve(oauth(lambda: server, 3600, False))
    p = poll(setting(server, "/once"), env={"T": "a b&c"})
    p.idle()
    assert [a.path for a in server.asked] == ["/token", "/once", "/token", "/once"]
    p.stop()
    server.asked.clear()
    p = poll(setting(server, "/never"), env={"T": "a b&c"})
    s = p.failing()
    assert [a.path for a in server.asked] == ["/token", "/never", "/token", "/never"]  # and no more
    assert "answered 401" in s["error"]


def test_oauth2_without_a_token(serve: Serve, poll: Start) -> None:
    for status, body, why in ((401, "no", "the server answered 401"), (200, "{}", "no 'access_token'")):
        server = serve(lambda a: (status, {}, body))
        p = poll(setting(server, "/orders"), env={"T": "hush-hush"})
        s = p.failing()
        assert "no token" in s["error"] and why in s["error"]
        assert not [a for a in server.asked if a.path == "/orders"]
        p.stop()


def test_tls(serve: Serve, poll: Start, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    server = serve(lambda a: (200, {}, ROWS), tls=(certificate, key))
    p = poll({"url": server.url()})
    s = p.failing()
    assert "cannot be trusted" in s["error"] and s["retries"] == 0
    assert not server.asked
    p.stop()
    assert poll({"url": server.url(), "ca": "certificate.pem"}).idle()["records"] == 2
