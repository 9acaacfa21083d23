# SPDX-License-Identifier: Apache-2.0
"""How pages follow each other, where a poll left off, and that a kill leaves no gap."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from typing import Any

from conftest import DRIVER, PATIENCE, Answer, Asked, Poll, Server

Serve = Callable[..., Server]
Start = Callable[..., Poll]


def rows(a: int, b: int) -> list[dict[str, Any]]:
    return [{"id": i, "total": "1.10", "exact": 12.30} for i in range(a, b)]


def ids(kept: list[Any]) -> list[int]:
    return [r["id"] for r in kept]


def test_one_page(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {"Content-Type": "application/json"}, '[{"id": 1, "v": 12.30, "t": "a/\\u00e9\\nb"}, {"id": 2}]'))
    p = poll({"url": server.url(), "query": {"a b": "c&d=é"}, "headers": {"X-Seven": "7"}})
    s = p.idle()
    assert (s["requests"], s["pages"], s["records"], s["http"], s["error"]) == (1, 1, 2, 200, "")
    assert server.asked[0].query == {"a b": "c&d=é"}
    assert server.asked[0].headers["x-seven"] == "7"
    p.stop()
    kept = p.kept()
    assert kept == [{"id": 1, "v": 12.30, "t": "a/é\nb"}, {"id": 2}]


def test_numbers_keep_their_spelling(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, '[{"v":12.30,"w":1e2,"x":18446744073709551615,"y":0.1000000000000000055}]'))
    p = poll({"url": server.url()})
    p.idle()
    p.stop()
    text = subprocess.run([DRIVER, "--list", p.folder / "inbox", "s"], capture_output=True, text=True, check=True).stdout
    assert text == '{"v":12.30,"w":1e2,"x":18446744073709551615,"y":0.1000000000000000055}\n'


def test_records_pointer_and_single_record(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, {"data": {"orders": rows(0, 3)}}))
    p = poll({"url": server.url(), "records": "/data/orders"})
    p.idle()
    assert ids(p.kept()) == [0, 1, 2]


def test_records_pointer_that_leads_nowhere(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, {"data": []}))
    s = poll({"url": server.url(), "records": "orders"}).failing()
    assert "there is no /orders in the page" in s["error"] and "entente.yaml:1:" in s["error"]


def test_by_header(serve: Serve, poll: Start) -> None:
    def answer(a: Asked) -> Answer:
        page = int(a.query.get("page", 1))
        links = [f'<{server.url("/first")}?page=1>; rel="first prev"', f"</orders?page={page + 1}&x=a,b>; title=\"a, b\"; rel='x'; rel=\"y\"" ]
        if page < 4:
            links.append(f'</orders?page={page + 1}&x=a,b>; title="<, rel=next"; rel="last next"')
        return 200, {"Link": ", ".join(links)}, rows(page * 10, page * 10 + 3)

    server = serve(answer)
    p = poll({"url": server.url(), "query": {"per": 3}, "pages": {"by": "header"}})
    s = p.idle()
    assert s["pages"] == 4
    assert [a.query.get("page") for a in server.asked] == [None, "2", "3", "4"]
    assert server.asked[1].query["x"] == "a,b"
    assert ids(p.kept()) == [10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41, 42]


def test_by_a_header_that_is_an_address(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {"X-Next": "?p=2"} if not a.query else {}, rows(a.n, a.n + 1)))
    p = poll({"url": server.url(), "pages": {"by": "header", "next": "X-Next"}})
    p.idle()
    assert ids(p.kept()) == [0, 1]


def test_by_cursor(serve: Serve, poll: Start) -> None:
    tokens = {None: "a b&", "a b&": "c", "c": "never"}

    def answer(a: Asked) -> Answer:
        at = a.query.get("after")
        return 200, {}, {"orders": rows(a.n, a.n + 1), "paging": {"next": tokens[at], "more": at != "c"}}

    server = serve(answer)
    p = poll({"url": server.url(), "records": "orders", "pages": {"by": "cursor", "next": "paging/next", "more": "/paging/more", "param": "after"}})
    p.idle()
    assert [a.query.get("after") for a in server.asked] == [None, "a b&", "c"]
    assert ids(p.kept()) == [0, 1, 2]


def test_by_cursor_that_is_an_address(serve: Serve, poll: Start) -> None:
    def answer(a: Asked) -> Answer:
        return 200, {}, {"orders": rows(a.n, a.n + 1), "next": [server.url("/b"), "/c", None][a.n]}

    server = serve(answer)
    p = poll({"url": server.url(), "records": "orders", "pages": {"by": "cursor", "next": "next"}})
    p.idle()
    assert [a.path for a in server.asked] == ["/orders", "/b", "/c"]
    assert ids(p.kept()) == [0, 1, 2]


def test_by_number(serve: Serve, poll: Start) -> None:
    def answer(a: Asked) -> Answer:
        n = int(a.query["page"])
        return 200, {}, rows(n * 10, n * 10 + (3 if n < 3 else 0))

    server = serve(answer)
    p = poll({"url": server.url(), "pages": {"by": "number"}})  # until one is empty
    p.idle()
    assert [a.query["page"] for a in server.asked] == ["1", "2", "3"]
    assert ids(p.kept()) == [10, 11, 12, 20, 21, 22]
    server.asked.clear()
    server.answer = lambda a: (200, {}, rows(a.n * 10, a.n * 10 + (3 if a.n == 0 else 2)))
    p = poll({"url": server.url("/other"), "pages": {"by": "number", "param": "p", "first": 0, "size": 3}})  # until one is short
    p.idle()
    assert [a.query["p"] for a in server.asked] == ["0", "1"]


def test_by_offset(serve: Serve, poll: Start) -> None:
    everything = rows(0, 7)
    server = serve(lambda a: (200, {}, everything[int(a.query["skip"]) : int(a.query["skip"]) + 3]))
    p = poll({"url": server.url(), "pages": {"by": "offset", "param": "skip", "size": 3}})
    p.idle()
    assert [a.query["skip"] for a in server.asked] == ["0", "3", "6"]
    assert ids(p.kept()) == list(range(7))


def test_pages_that_go_round(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, {"orders": rows(0, 1), "next": {"/a": "/b", "/b": "/c", "/c": "/b"}[a.path]}))
    s = poll({"url": server.url("/a"), "records": "orders", "pages": {"by": "cursor", "next": "next"}}).failing()
    assert "the pages go round" in s["error"] and "entente.yaml:1:" in s["error"]
    assert [a.path for a in server.asked] == ["/a", "/b", "/c"]


def test_a_page_followed_by_itself(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, {"orders": rows(0, 1), "next": "/a"}))
    s = poll({"url": server.url("/a"), "records": "orders", "pages": {"by": "cursor", "next": "next"}}).failing()
    assert "followed by itself" in s["error"]
    assert len(server.asked) == 1


def test_a_number_that_nobody_heeds(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, rows(0, 3)))
    s = poll({"url": server.url(), "pages": {"by": "number"}}).failing()
    assert "the server does not heed 'page'" in s["error"]
    assert len(server.asked) == 2


def test_the_next_page_on_another_server(serve: Serve, poll: Start) -> None:
    other = serve(lambda a: (200, {}, rows(0, 1)))
    server = serve(lambda a: (200, {"Link": f'<{other.url()}>; rel="next"'}, rows(0, 1)))
    s = poll({"url": server.url(), "pages": {"by": "header"}, "auth": {"bearer": "env:T"}}, env={"T": "hush-hush"}).failing()
    assert "another server" in s["error"]
    assert not other.asked


def test_since(serve: Serve, poll: Start) -> None:
    def answer(a: Asked) -> Answer:
        if a.query["after"] == "2023-12-31T23:50:00":
            n = int(a.query["page"])
            return 200, {}, [{"id": n * 2 + i, "m": f"2024-01-0{4 - n}T0{i}:00:00"} for i in range(2 if n < 3 else 1)]
        return 200, {}, [{"id": 9, "m": "2024-01-03T01:00:00"}]

    server = serve(answer)
    settings = {
        "url": server.url(),
        "every": "1s",
        "query": {"after": "{since}"},
        "since": {"value": "m", "start": "2024-01-01T00:00:00", "overlap": "10m"},
        "pages": {"by": "number", "size": 2},
    }
    p = poll(settings)
    s = p.idle()
    assert s["since"] == "2024-01-03T01:00:00"  # the largest, though it came first
    assert [a.query for a in server.asked[:3]] == [{"after": "2023-12-31T23:50:00", "page": str(n)} for n in (1, 2, 3)]
    p.idle(2)
    assert server.asked[3].query == {"after": "2024-01-03T00:50:00", "page": "1"}
    p.stop()
    p = poll(settings)  # and after a restart
    p.idle()
    assert server.asked[-1].query == {"after": "2024-01-03T00:50:00", "page": "1"}


def test_since_without_a_start_and_with_numbers(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, {"o": [{"id": 1, "at": {"u": 998}}, {"id": 2, "at": {"u": 1005}}, {"id": 3}]}))
    p = poll({"url": server.url(), "records": "o", "every": "200ms", "query": {"min": "{since}", "x": "y"}, "since": {"value": "/at/u", "overlap": 10}})
    p.idle()
    p.idle(2)
    assert server.asked[0].query == {"x": "y"}
    assert server.asked[1].query == {"x": "y", "min": "995"}


def test_killed_between_pages(serve: Serve, poll: Start) -> None:
    """While each page but the first is asked for, once."""
    gates = {n: threading.Event() for n in range(2, 7)}

    def answer(a: Asked) -> Answer:
        n = int(a.query["page"])
        if n in gates:
            gates[n].wait(PATIENCE)
        return 200, {}, rows(n * 10, n * 10 + (3 if n < 6 else 0))

    server = serve(answer)
    p = poll({"url": server.url(), "pages": {"by": "number"}})
    for n, gate in gates.items():
        server.until(lambda: bool(server.asked) and server.asked[-1].query["page"] == str(n))
        p.kill()
        gate.set()
        p = poll()
    p.idle()
    kept = ids(p.kept())
    assert kept == [n * 10 + i for n in range(1, 6) for i in range(3)]  # no gap; nothing twice, as each went on behind what was durable
    pages = [a.query["page"] for a in server.asked]
    assert pages == ["1", "2", "2", "3", "3", "4", "4", "5", "5", "6", "6"]


def test_a_page_that_is_gone_after_a_restart(serve: Serve, poll: Start) -> None:
    expired = False

    def answer(a: Asked) -> Answer:
        if a.query.get("after") == "b":
            if not expired:
                server.hold.wait()
            return 410, {}, "the cursor has expired"
        return 200, {}, {"o": rows(a.n, a.n + 1), "next": "b" if not expired else None}

    server = serve(answer)
    p = poll({"url": server.url(), "records": "o", "pages": {"by": "cursor", "next": "next", "param": "after"}})
    server.wait_for(2)
    p.kill()
    expired = True
    server.hold.set()
    p = poll()
    p.idle()
    assert [a.query.get("after") for a in server.asked] == [None, "b", "b", None]


def test_another_query_begins_anew_another_address_from_the_start(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {}, [{"id": a.n, "m": f"2024-01-0{a.n + 2}"}]))
    settings = {"url": server.url(), "query": {"after": "{since}"}, "since": {"value": "m", "start": "2024-01-01"}}
    p = poll(settings)
    p.idle()
    p.stop()
    p = poll({**settings, "query": {"after": "{since}", "x": "y"}})
    p.idle()
    p.stop()
    poll({**settings, "url": server.url("/other")}).idle()
    assert [a.query["after"] for a in server.asked] == ["2024-01-01", "2024-01-02", "2024-01-01"]


def test_lines_of_json(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {"Content-Type": "application/x-ndjson"}, '{"id":1,"m":5}\n\n{"id":2,"m":7}'))
    p = poll({"url": server.url(), "query": {"a": "{since}"}, "since": {"value": "m"}})
    assert p.idle()["since"] == "7"
    assert ids(p.kept()) == [1, 2]


def test_documents(serve: Serve, poll: Start) -> None:
    server = serve(lambda a: (200, {"Content-Type": "text/csv; charset=utf-8"}, "a,b\n1,2\n"))
    p = poll({"url": server.url()}, documents=True)
    p.idle()
    assert p.kept() == ["a,b\n1,2\n"]
    assert [f.name[-8:] for f in (p.folder / "inbox/s").iterdir() if ".doc" in f.name] == [".doc.csv"]


def test_no_json(serve: Serve, poll: Start) -> None:
    for body, why in (("<html>", "at byte 0"), ('[{"id": 1}', "it ends too early"), ("[] []", "at byte 3"), ("7", "no list of records")):
        server = serve(lambda a: (200, {}, body))
        p = poll({"url": server.url()})
        s = p.failing()
        assert why in s["error"], s["error"]
        p.stop()
    server = serve(lambda a: (204, {}, None))
    assert poll({"url": server.url()}).idle()["records"] == 0
