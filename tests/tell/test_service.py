# SPDX-License-Identifier: Apache-2.0
"""Telling by the service: as findings change, over a kill, over a reload, and at its end."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import BOOK, PATIENCE, SOURCES, Receiver, Told
from service import Service
from shop import export, orders
from test_webhook import HOOK, TWO

SOON = "    group: 0\n"
#: A source to which nothing comes.
NONE = """\
  none:
    partner: suedwind
    from: {glob: "./none/*.csv"}
    decode: shopify
    expect: {every: 1s, late_after: 1s}
"""
#: Nothing of this has to wait for the rules to be asked again.
QUICK = "service: {judge_every: 10ms, scan: 1s}\n"


@pytest.fixture
def service(told: Told) -> Iterator[Service]:
    got = Service(told.project)
    yield got
    if got.child is not None and got.child.poll() is None:
        got.kill()


def configure(told: Told, text: str) -> None:
    told.tell(text)
    told.project.top += QUICK
    told.project.configure()


def book(told: Told, says: dict[str, Any], service: Service) -> None:
    """Another rulebook, and the service takes it."""
    (told.project.folder / "rules" / "book.py").write_text(BOOK.format(says=json.dumps(says)))
    if service.child is not None and service.child.poll() is None:
        status, answer = service.reload()
        assert status == 200, answer


def test_told_as_it_changes(told: Told, receiver: Receiver, service: Service) -> None:
    configure(told, HOOK.format(url=receiver.url) + SOON)
    book(told, TWO, service)
    service.start()
    receiver.wait()
    assert receiver.heard[0].json["count"] == 2, "one message for all that is new"
    service.until(lambda: {s for _, _, s in told.notices()} == {"told"}, "told")
    book(told, {}, service)
    receiver.wait()
    assert {c["change"] for c in receiver.heard[1].json["changes"]} == {"cleared"}
    listed = service.get("/api/v1/told?status=told")
    assert [t["name"] for t in listed["targets"]] == ["team"]
    assert {n["status"] for n in listed["notices"]} <= {"told"}
    assert service.stop() == 0
    service.start()
    assert service.stop() == 0
    assert len(receiver.heard) == 2, "a start tells nothing again"


def test_tried_again(told: Told, receiver: Receiver, service: Service) -> None:
    configure(told, HOOK.format(url=receiver.url) + SOON)
    book(told, TWO, service)
    receiver.answers = [(500, {}), (503, {"Retry-After": "1"})]
    service.start()
    for _ in range(3):
        receiver.wait()
    service.until(lambda: {s for _, _, s in told.notices()} == {"told"}, "told")
    assert len({h.headers["Entente-Delivery"] for h in receiver.heard}) == 1
    figures = service.request("GET", "/metrics")[1].decode().splitlines()
    assert {'entente_tell_messages_total{target="team",outcome="told"} 1', 'entente_tell_tries_total{target="team"} 3'} <= set(figures)
    assert any(line.startswith('entente_tell_last_told_timestamp_seconds{target="team"} ') for line in figures)
    assert service.stop() == 0


def test_killed_while_it_tells(told: Told, receiver: Receiver, service: Service) -> None:
    configure(told, HOOK.format(url=receiver.url) + SOON)
    book(told, TWO, service)
    receiver.go.clear()
    service.start(ready=False)
    receiver.wait()
    assert {s for _, _, s in told.notices()} == {"sending"}
    service.kill()
    assert {s for _, _, s in told.notices()} == {"sending"}, "it was under way"
    receiver.go.set()
    service.start()
    service.until(lambda: service.events("tell.unknown"), "that it may have been told")
    assert {s for _, _, s in told.notices()} == {"unknown"}
    book(told, {}, service)  # and what comes next is told
    receiver.wait()
    assert service.stop() == 0
    assert [sorted({c["change"] for c in h.json["changes"]}) for h in receiver.heard] == [["opened"], ["cleared"]]


def test_what_is_under_way_at_the_end_is_written_down(told: Told, receiver: Receiver, service: Service) -> None:
    configure(told, HOOK.format(url=receiver.url) + SOON)
    book(told, TWO, service)
    receiver.go.clear()
    service.start(ready=False)
    receiver.wait()
    service.until(lambda: service.events("ready"), "ready")
    service.signal(15)
    service.until(lambda: service.events("stop.begun"), "stopping")
    receiver.go.set()
    assert service.child is not None
    assert service.child.wait(PATIENCE) == 0
    assert {s for _, _, s in told.notices()} == {"told"}


def test_a_bad_template_keeps_the_old_generation(told: Told, receiver: Receiver, service: Service) -> None:
    configure(told, HOOK.format(url=receiver.url) + SOON)
    book(told, TWO, service)
    service.start()
    receiver.wait()
    (told.project.folder / "t.txt").write_text("{#findings}\n{tekst}\n{/findings}\n")
    configure(told, HOOK.format(url=receiver.url) + SOON + "    template: t.txt\n")
    status, answer = service.reload()
    assert status >= 400
    assert "did you mean {text}?" in str(answer)
    (told.project.folder / "t.txt").write_text("{#findings}\n{change}! {text}\n{/findings}\n")
    status, answer = service.reload()
    assert status == 200, answer
    book(told, {"nordwind": [("c", "low", "Another")], }, service)
    receiver.wait()
    assert "opened! Another" in receiver.heard[1].json["text"]
    assert service.stop() == 0


def test_alerts_are_repeated_while_they_fire(told: Told, receiver: Receiver, service: Service) -> None:
    configure(told, f"  ops: {{to: {{alertmanager: {{url: '{receiver.url}', repeat: 1s}}}}}}\n")
    book(told, TWO, service)
    service.start()
    for _ in range(3):
        receiver.wait()
    bodies = [json.loads(h.body) for h in receiver.heard[:3]]
    assert len({json.dumps([[a["labels"], a["startsAt"]] for a in b], sort_keys=True) for b in bodies}) == 1
    assert len({b[0]["endsAt"] for b in bodies}) == 3, "and each time end later"
    book(told, {}, service)
    service.until(lambda: {s for _, _, s in told.notices()} == {"told"} and {c for _, c, _ in told.notices()} == {"cleared"}, "all over")
    assert "startsAt" not in json.loads(receiver.heard[-1].body)[0]
    assert service.stop() == 0


def test_late_feeds(told: Told, receiver: Receiver, service: Service) -> None:
    """Nothing comes, no rule runs: it is said all the same, and taken back when something comes."""
    told.project.rules = "  books: []"
    told.project.sources = SOURCES.rstrip("\n") + "\n    expect: {every: 1h}\n" + NONE
    configure(told, HOOK.format(url=receiver.url) + SOON)
    service.start()

    def heard() -> list[tuple[str, str, str]]:
        return [(c["key"], c["partner"], c["change"]) for h in receiver.heard for c in h.json["changes"]]

    service.until(lambda: ("north", "nordwind", "opened") in heard(), "what lies there is old")
    service.until(lambda: ("none", "suedwind", "opened") in heard(), "what never came, by the clock alone")
    told.project.write("north.csv", export(orders(21)), dated=5)
    service.until(lambda: ("north", "nordwind", "cleared") in heard(), "cleared")
    assert service.stop() == 0
