# SPDX-License-Identifier: Apache-2.0
"""Server-sent events: what comes, going on after a break, heartbeats, slow listeners."""

import re
import socket
from collections.abc import Iterator
from http.client import HTTPConnection

from conftest import DEADLINE, Server, Start
from test_http import problem


class Listener:
    """A client of the stream."""

    def __init__(self, server: Server, last: str | None = None, how: str = "header") -> None:
        self.connection: HTTPConnection = server.local()
        path = "/api/v1/events" + (f"?last={last}" if last and how == "query" else "")
        headers = {"Last-Event-ID": last} if last and how == "header" else {}
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        assert self.response.headers["Content-Type"] == "text/event-stream"
        self.events = self.read()

    def read(self) -> Iterator[tuple[str, str, str]]:
        """Events as id, name, data; heartbeats as ("", ":", "")."""
        found = {"id": "", "event": "", "data": ""}
        while line := self.response.readline().decode():
            line = line.rstrip("\n")
            if line == ":":
                yield ("", ":", "")
            elif not line and found["event"]:
                yield (found["id"], found["event"], found["data"])
                found = {"id": "", "event": "", "data": ""}
            elif line:
                name, value = line.split(": ", 1)
                found[name] = value

    def next(self, beats: bool = False) -> tuple[str, str, str]:
        """The next event."""
        for event in self.events:
            if event[1] != ":" or beats:
                return event
        raise EOFError

    def close(self) -> None:
        """Goes away."""
        self.response.close()
        self.connection.close()


def test_everybody_hears(server: Server) -> None:
    listeners = [Listener(server) for _ in range(5)]
    hello = [listener.next() for listener in listeners]
    assert {event[1:] for event in hello} == {("hello", "{}")}
    server.say('publish finding {"id":\t"a"}')
    server.say("publish balance []")
    for listener in listeners:
        first, second = listener.next(), listener.next()
        assert first[1:] == ("finding", '{"id":\t"a"}') and second[1:] == ("balance", "[]")
        assert int(second[0]) == int(first[0]) + 1 == int(hello[0][0]) + 2
        listener.close()
    assert server.ask("listeners", "listeners").endswith("cut 0")


def test_going_on(server: Server) -> None:
    """Who comes again with the last id gets what it missed, by header or parameter, once."""
    listener = Listener(server)
    last = listener.next()[0]
    listener.close()
    for i in range(10):
        server.say(f"publish finding {i}")
    for how in ("header", "query"):
        again = Listener(server, last, how)
        got = [again.next() for _ in range(10)]
        assert [event[2] for event in got] == [str(i) for i in range(10)]
        again.close()
    rest = Listener(server, got[6][0])
    assert [rest.next()[2] for _ in range(3)] == ["7", "8", "9"]
    rest.close()
    newest = Listener(server, got[9][0])
    server.say("publish finding 10")
    assert newest.next()[2] == "10"
    newest.close()


def test_what_is_forgotten(server: Server) -> None:
    """Memory is bounded. Who was away for longer, or listened to an earlier run, is told to look anew."""
    listener = Listener(server)
    last = listener.next()[0]
    listener.close()
    server.ask("flood 600", "flooded")  # 600 times 2 kB in 1 MB
    for old in (last, "5", "99999999999999999", "x"):
        again = Listener(server, old)
        event = again.next()
        assert event[1] == "reset"
        server.say("publish finding 1")
        assert again.next()[1:] == ("finding", "1")
        again.close()
    server.ask("flood 10000", "flooded")  # more than are numbered, too
    assert Listener(server, str(int(event[0]) + 5)).next()[1] == "reset"
    kept = Listener(server, str(int(event[0]) + 10000))
    assert kept.next()[1] == "flood"
    kept.close()


def test_heartbeats(start: Start) -> None:
    """A stream without news lives on, beyond every timeout."""
    server = start("{listen: '127.0.0.1:0', timeout: 200ms}")
    listener = Listener(server)
    listener.next()
    for _ in range(8):  # one each 100 ms
        assert listener.next(beats=True)[1] == ":"
    server.say("publish finding 1")
    assert listener.next()[2] == "1"
    listener.close()
    server.until("listeners", "listeners", lambda said: said.startswith("0 "))  # and an end is noticed


def test_slow_listeners_are_cut(server: Server) -> None:
    """One that does not read holds up nobody, costs no memory, and finds its connection ended."""
    slow = socket.socket(socket.AF_UNIX)
    slow.settimeout(DEADLINE)
    slow.connect(str(server.folder / "store/control.sock"))
    slow.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
    server.until("listeners", "listeners", lambda said: said.startswith("1 "))
    quick = Listener(server)
    assert quick.next()[1] == "hello"
    for _ in range(20):
        server.ask("flood 100", "flooded")
        assert [quick.next()[1] for _ in range(100)] == ["flood"] * 100
    got = 0
    while part := slow.recv(1 << 20):
        got += len(part)
    assert re.search(r"cut 1$", server.ask("listeners", "listeners"))
    assert got < 20 * 100 * 2048
    slow.close()
    server.say("publish finding 1")
    assert quick.next()[1:] == ("finding", "1")
    quick.close()


def test_who_may_listen(server: Server) -> None:
    problem(server.get("/api/v1/events"), 401)
    partner = server.token("nord", "--role", "partner", "--partner", "nordwind")
    problem(server.get("/api/v1/events", token=partner), 403)


def test_drain_ends_streams(server: Server) -> None:
    listener = Listener(server)
    assert listener.next()[1] == "hello"
    server.say("drain 60000")
    server.expect("drained")
    assert list(listener.events) == []
    listener.close()


def test_ended_with_listeners(start: Start) -> None:
    server = start()
    listeners = [Listener(server) for _ in range(3)]
    assert server.end() == 0
    for listener in listeners:
        listener.close()
