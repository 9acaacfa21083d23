# SPDX-License-Identifier: Apache-2.0
"""What changes is told to who watches: commits, sources, findings that come or change, whoever changes them."""

import http.client
import json
import queue
import threading
from typing import Any

from conftest import PATIENCE, Service
from control import ControlConnection
from test_life import finding, more_orders


class Watching:
    """Reads the stream in a thread of its own."""

    def __init__(self, service: Service) -> None:
        self.told: queue.Queue[tuple[str, Any]] = queue.Queue()
        connection = ControlConnection(service.folder / "store", PATIENCE)
        connection.request("GET", "/api/v1/events")
        self.answer = connection.getresponse()
        assert self.answer.status == 200
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        name = ""
        try:
            while line := self.answer.readline().decode():
                key, _, value = line.rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    self.told.put((name, json.loads(value)))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # the service ended

    def next(self, name: str, **is_: Any) -> Any:
        """The next event of this name of which this holds; others before it are passed over."""
        while True:
            told, data = self.told.get(timeout=PATIENCE)
            if told == name and all(data.get(k) == v for k, v in is_.items()):
                return data


def test_what_comes_in(own: Service) -> None:
    watching = Watching(own)
    one = finding(own, "sells", "alder")
    more_orders(own, "A5,alder,2026-03-09 11:00:00,ok,web,EUR,5.00,9")
    told = watching.next("source", source="orders")
    while told["records"] <= 9:  # the whole file is read again
        told = watching.next("source", source="orders")
    assert told["state"] in {"idle", "waiting"} and not told["late"] and told["error"] is None
    told = watching.next("finding", id=one["id"])
    assert (told["before"], told["state"], told["text"]) == ("open", "open", "4 orders within 10d")
    assert (told["partner"], told["rule"], told["kind"]) == ("alder", "sells", "insight")


def test_commits(own: Service) -> None:
    watching = Watching(own)
    more_orders(own, "A5,alder,2026-03-09 11:00:00,ok,web,EUR,5.00,9")
    before = watching.next("committed")["commits"]
    more_orders(own, "A6,alder,2026-03-09 11:00:00,ok,web,EUR,5.00,9")
    own.until(lambda: watching.next("committed")["commits"] > before, "another commit")


def test_what_people_do(own: Service) -> None:
    watching = Watching(own)
    one = finding(own, "sells", "alder")["id"]
    assert own.ask("POST", f"findings/{one}/acknowledge", {"reason": "mine"}).status == 200
    told = watching.next("finding")
    assert (told["id"], told["before"], told["state"]) == (one, "open", "acknowledged")
    assert own.run("findings", "resolve", one, "--reason", "done").status == 0
    told = watching.next("finding")
    assert (told["id"], told["before"], told["state"]) == (one, "acknowledged", "resolved")


def test_a_new_one(own: Service) -> None:
    """A finding that was not there before has no state before."""
    watching = Watching(own)
    book = own.folder / "rules" / "tiny.py"
    book.write_text(book.read_text() + NEW)
    assert own.ask("POST", "reload").status == 200
    told = watching.next("finding", rule="buys")
    assert (told["before"], told["state"], told["text"]) == (None, "open", "it buys")


NEW = '''

@rule(practice="pace")
def buys(partner: Partner) -> Findings:
    """It buys."""
    if partner["orders"].over("10d") > 2:
        yield insight("it buys")
'''
