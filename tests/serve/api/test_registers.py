# SPDX-License-Identifier: Apache-2.0
"""Registers over HTTP: written, changed, closed, as a sheet and back; and the command line through the service."""

import json

from conftest import Service
from test_life import more_orders

PROMISE = {"text": "Send the list", "who": "us", "due": "2026-12-01"}


def test_an_entry(own: Service) -> None:
    answer = own.ask("POST", "registers/commitments/entries", {"partner": "alder", "fields": PROMISE})
    assert (answer.status, answer.json) == (201, {"register": "commitments", "partner": "alder", "id": "1"})
    [entry] = own.get("registers/commitments/entries")
    assert {k: entry[k] for k in PROMISE} == PROMISE and entry["state"] == "open" and entry["actor"]
    assert own.run("register", "commitments", "list", "--json").json == [entry]
    path = "registers/commitments/entries/alder/1"
    assert own.ask("PATCH", path, {"fields": {"due": "2026-12-15", "to": "Ann"}}).status == 200
    assert own.ask("PATCH", path, {"fields": {"to": None}}).status == 200
    [entry] = own.get("registers/commitments/entries?partner=alder")
    assert (entry["due"], entry.get("to"), entry["text"]) == ("2026-12-15", None, PROMISE["text"])
    assert own.ask("POST", path + "/close", {"state": "broken"}).status == 200
    assert own.get("registers/commitments/entries")[0]["state"] == "broken"
    assert own.get("registers/commitments/entries?partner=birch") == []


def test_types(own: Service) -> None:
    fields = {"at": "2026-03-01 10:00", "kind": "call", "held": True, "minutes": 20}
    assert own.ask("POST", "registers/contacts/entries", {"partner": "birch", "on": "2026-03-01", "fields": fields}).status == 201
    [entry] = own.get("registers/contacts/entries")
    assert (entry["held"], entry["minutes"], entry["effective"]) == ("true", "20", "2026-03-01")


def test_problems(own: Service) -> None:
    for method, path, body, status, says in (
        ("POST", "commitments/entries", {"partner": "aldr", "fields": PROMISE}, 404, "did you mean 'alder'?"),
        ("POST", "commitments/entries", {"partner": "alder", "fields": {"text": "x"}}, 422, "needs 'who'"),
        ("POST", "commitments/entries", {"partner": "alder", "fields": {**PROMISE, "who": "me"}}, 422, "us them"),
        ("POST", "commitments/entries", {"partner": "alder", "fields": {**PROMISE, "whom": "me"}}, 422, "did you mean 'who'?"),
        ("POST", "commitments/entries", {"partner": "alder"}, 422, "fields"),
        ("POST", "commitments/entries", {"partner": "alder", "fields": PROMISE, "state": "gone"}, 422, "open kept broken"),
        ("POST", "promises/entries", {"partner": "alder", "fields": PROMISE}, 404, "no register 'promises'"),
        ("PATCH", "commitments/entries/alder/9", {"fields": {}}, 404, "has no entry '9'"),
        ("POST", "commitments/entries/alder/9/close", {}, 404, "has no entry '9'"),
    ):
        answer = own.ask(method, "registers/" + path, body)
        assert answer.status == status and says in answer.json["detail"], (path, body, answer.body)
    assert own.get("registers/commitments/entries") == []


def test_a_sheet(own: Service) -> None:
    for text in ("one", "two"):
        own.ask("POST", "registers/commitments/entries", {"partner": "alder", "fields": {**PROMISE, "text": text}})
    sheet = own.ask("GET", "registers/commitments/entries", Accept="text/csv").body
    assert sheet.decode() == own.run("register", "commitments", "export").out
    changed = sheet.replace(b"two", b"three") + b",birch,,,,four,them,,,,\n"
    answer = own.ask("POST", "registers/commitments/import", changed, Content_Type="text/csv")
    assert (answer.status, answer.json) == (200, {"written": 2, "unchanged": 1, "conflicts": 0})
    assert [e["text"] for e in own.get("registers/commitments/entries")] == ["one", "three", "four"]
    wrong = own.ask("POST", "registers/commitments/import", b"id,partner,state\n,nobody,\n", Content_Type="text/csv")
    assert wrong.status == 404 and "nobody" in wrong.json["detail"]


def test_pages(own: Service) -> None:
    for n in range(3):
        own.ask("POST", "registers/commitments/entries", {"partner": "alder", "fields": {**PROMISE, "text": str(n)}})
    first = own.ask("GET", "registers/commitments/entries?limit=2")
    assert [e["text"] for e in first.json] == ["0", "1"]
    assert first.headers["link"] == '</api/v1/registers/commitments/entries?limit=2&after=alder%2F2>; rel="next"'
    assert [e["text"] for e in own.get("registers/commitments/entries?limit=2&after=alder/2")] == ["2"]


def test_the_command_line(own: Service) -> None:
    """While the service has the store, it writes for the command line; files stay with who types."""
    done = own.run("register", "commitments", "add", "alder", "text=Send it", "who=us", "due=2026-12-01")
    assert (done.status, done.out, done.err) == (0, "commitments 1 of alder: written\n", "")
    assert own.get("registers/commitments/entries")[0]["actor"] == "kim"
    done = own.run("register", "commitments", "add", "alder", "text=x", "who=me")
    assert done.status == 1 and "one of: us them" in done.err
    assert own.run("register", "commitments", "export", "-o", "sheet.csv").status == 0
    sheet = own.folder / "sheet.csv"
    sheet.write_text(sheet.read_text().replace("Send it", "Send them"))
    done = own.run("register", "commitments", "import", "sheet.csv")
    assert (done.status, done.out) == (0, "commitments: 1 written, 0 unchanged, 0 in conflict\n")
    sheet.write_text(sheet.read_text() + ",alder,,,,x,me,,,,\n")
    done = own.run("register", "commitments", "import", "sheet.csv")
    assert done.status == 1 and "sheet.csv:3:" in done.err
    assert own.run("register", "commitments", "close", "alder", "1", "--json").json["id"] == "1"
    assert [(e["text"], e["state"]) for e in own.get("registers/commitments/entries")] == [("Send them", "kept")]


def test_only_what_is_served(own: Service) -> None:
    """The socket runs no command that touches files or the process."""
    for words in (["run"], ["doctor"], ["version"], ["nothing"], ["brief", "alder", "-o", "page.html"],
                  ["register", "claims", "export", "-o", "x.csv"], ["register", "claims", "import", "/etc/passwd"]):  # fmt: skip
        answer = own.ask("POST", "/control/command", {"words": words})
        assert answer.status == 200 and answer.json["exit"] != 0 and answer.json["errors"], (words, answer.body)
    assert not (own.folder / "page.html").exists() and not (own.folder / "x.csv").exists()


def test_reading_goes_on(own: Service) -> None:
    """What people write comes from no file: the service reads the others on, and nothing is amiss."""
    assert own.ask("POST", "registers/commitments/entries", {"partner": "alder", "fields": PROMISE}).status == 201
    more_orders(own, "A5,alder,2026-03-09 11:00:00,ok,web,EUR,5.00,9")
    own.until(lambda: "4 orders" in own.get("findings?partner=alder&rule=sells")[0]["text"], "four orders")
    assert own.get("balance")["closes"]
    told = [json.loads(line) for line in own.log.read_text().splitlines()]
    assert [x for x in told if x["level"] in {"warning", "error"}] == []
    own.stop()
    done = own.run("run", "--json")
    assert done.status == 0, done.err
