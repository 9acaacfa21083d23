# SPDX-License-Identifier: Apache-2.0
"""The life of findings: what people make of them, over HTTP and from the command line, with and without a service."""

import threading
from typing import Any

import pytest
from conftest import Service


def finding(service: Service, rule: str, partner: str) -> dict[str, Any]:
    found = service.run("findings", partner, "--rule", rule, "--all", "--json").json
    assert len(found) == 1
    return dict(found[0])


def more_orders(service: Service, *rows: str) -> None:
    orders = service.folder / "orders.csv"
    orders.write_text(orders.read_text() + "".join(row + "\n" for row in rows))


def test_over_http(own: Service) -> None:
    one = finding(own, "sells", "alder")["id"]
    answer = own.ask("POST", f"findings/{one}/acknowledge", {"reason": "asked them"})
    assert (answer.status, answer.json["state"]) == (200, "acknowledged")
    assert own.get("findings?state=acknowledged")[0]["id"] == one  # at once
    answer = own.ask("POST", f"findings/{one}/accept", {"reason": "it is so", "until": "2026-03-11"})
    assert (answer.status, answer.json["until"], answer.json["until_worth"]) == (200, "2026-03-11", None)
    assert own.ask("POST", f"findings/{one}/accept", {"reason": "still", "worth": 12.5}).status == 422  # it has no worth
    changes = own.get(f"findings/{one}")["changes"]
    assert [(c["state"], c["reason"], c["until"]) for c in changes] == [
        ("acknowledged", "asked them", None),
        ("accepted", "it is so", "2026-03-11"),
    ]
    assert all(c["actor"] for c in changes) and changes[0]["at"] <= changes[1]["at"]
    shown = own.run("findings", "show", one).out
    assert "acknowledged" in shown and "accepted until 2026-03-11" in shown and "it is so" in shown


def test_problems(own: Service) -> None:
    one = finding(own, "sells", "alder")["id"]
    for verb, body, status, says in (
        ("resolve", {"reason": "  "}, 422, "needs a reason"),
        ("resolve", {}, 422, "reason"),
        ("resolve", {"reason": 5}, 422, "reason"),
        ("accept", {"reason": "x"}, 422, "until a day"),
        ("accept", {"reason": "x", "until": "soon"}, 422, "until"),
        ("reopen", {"reason": "x"}, 409, f"{one} is open"),
        ("resolve", {"reason": "x" * 2001}, 422, "at most 2000"),
        ("dismiss", {"reason": "x"}, 404, ""),
    ):
        answer = own.ask("POST", f"findings/{one}/{verb}", body)
        assert answer.status == status and says in answer.json["detail"], (verb, body, answer.body)
    assert own.ask("POST", "findings/00000000/resolve", {"reason": "x"}).status == 404
    assert own.get(f"findings/{one}")["changes"] == []


def test_the_command_line_goes_through_the_service(own: Service) -> None:
    """The store has one writer: who types a change while a service runs has it done there, and sees the same."""
    one = finding(own, "sells", "alder")["id"]
    done = own.run("findings", "explain", one[:4], "--reason", "spring")
    assert (done.status, done.out, done.err) == (0, f"{one}: explained\n", "")
    [change] = own.get(f"findings/{one}")["changes"]
    assert (change["actor"], change["reason"]) == ("kim", "spring")
    done = own.run("findings", "explain", one, "--reason", "again", "--json")
    assert (done.status, done.json["errors"][0]["what"]) == (1, f"{one} is explained")
    assert own.run("findings", "resolve", one, "--reason", "done", "--by", "lee", "--json").json["state"] == "resolved"
    own.stop()  # and without one it is done here
    done = own.run("findings", "reopen", one, "--reason", "not yet")
    assert (done.status, done.out) == (0, f"{one}: reopened\n")
    own.start()
    changes = own.get(f"findings/{one}")["changes"]
    assert [(c["state"], c["actor"]) for c in changes] == [("explained", "kim"), ("resolved", "lee"), ("reopened", "kim")]
    balance = {s["source"]: s for s in own.get("balance")["sources"]}
    assert balance["registers"]["records"] == 3 and own.get("balance")["closes"]


def test_survives_judging_again(own: Service) -> None:
    """What is said again changes its text, and not what was made of it; what is resolved and said of a later day reopens."""
    kept, solved = finding(own, "sells", "alder")["id"], finding(own, "grows", "alder")["id"]
    own.ask("POST", f"findings/{kept}/accept", {"reason": "fine", "until": "2026-03-11"})
    own.ask("POST", f"findings/{solved}/resolve", {"reason": "done"})
    more_orders(own, "A5,alder,2026-03-09 11:00:00,ok,web,EUR,5.00,9")
    own.until(lambda: "4 orders" in finding(own, "sells", "alder")["text"], "what is said of four orders")
    assert finding(own, "sells", "alder")["state"] == "accepted"
    assert finding(own, "grows", "alder")["state"] == "resolved"
    assert "155" in finding(own, "grows", "alder")["text"]  # said again of the same day
    own.stop()
    own.run("run", "--as-of", "2026-03-11")
    assert finding(own, "sells", "alder")["state"] == "accepted"  # the last day
    assert finding(own, "grows", "alder")["state"] == "reopened"
    own.run("run", "--as-of", "2026-03-12")
    assert finding(own, "sells", "alder")["state"] == "reopened"
    own.start()


def test_worth_grows_beyond(own: Service) -> None:
    one = finding(own, "grows", "alder")
    assert one["worth"] == 150.373456
    accepted = own.ask("POST", f"findings/{one['id']}/accept", {"reason": "small", "worth": 160})
    assert accepted.json["until_worth"] == 160
    more_orders(own, "A5,alder,2026-03-09 11:00:00,ok,web,EUR,5.00,9")
    own.until(lambda: finding(own, "grows", "alder")["worth"] == 155.373456, "a worth of 155")
    assert finding(own, "grows", "alder")["state"] == "accepted"
    more_orders(own, "A6,alder,2026-03-09 12:00:00,ok,web,EUR,5.00,9")
    own.until(lambda: finding(own, "grows", "alder")["worth"] == 160.373456, "a worth of 160.37")
    assert finding(own, "grows", "alder")["state"] == "reopened"


def test_many_at_once(own: Service) -> None:
    """Each change is one, whoever else changes something meanwhile."""
    one = finding(own, "sells", "alder")["id"]
    verbs, statuses = ["acknowledge", "explain"] * 6, []

    def change(verb: str) -> None:
        statuses.append(own.ask("POST", f"findings/{one}/{verb}", {"reason": verb}).status)

    threads = [threading.Thread(target=change, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changes = own.get(f"findings/{one}")["changes"]
    assert set(statuses) <= {200, 409} and len(changes) == statuses.count(200) >= 2
    assert all(a["state"] != b["state"] for a, b in zip(changes, changes[1:], strict=False))


@pytest.mark.parametrize("stop", [False, True])
def test_killed_after_the_answer(own: Service, stop: bool) -> None:
    """What was answered is durable."""
    one = finding(own, "sells", "alder")["id"]
    assert own.ask("POST", f"findings/{one}/acknowledge", {"reason": "mine"}).status == 200
    assert own.child is not None
    if stop:
        own.stop()
    else:
        own.child.kill()
        own.child.wait()
    own.start()
    assert [c["reason"] for c in own.get(f"findings/{one}")["changes"]] == ["mine"]
    assert finding(own, "sells", "alder")["state"] == "acknowledged"
