# SPDX-License-Identifier: Apache-2.0
"""Webhooks, from a judgement to a web server: what is told, how, and what if it does not work."""

import hashlib
import hmac
import socket
from typing import Any

import pytest
from conftest import PATIENCE, Receiver, Told

HOOK = """\
  team:
    to: {{webhook: {{url: {url}/hook, secret: file:key, allow_private: true, headers: {{X-Team: sales}}}}}}
"""
TWO = {"nordwind": [("a", "low", "Orders fell"), ("b", "high", 'Returns rose <b>"to"</b>\r\nBcc: x@example.com')]}


def test_changes_of_state_not_every_run(told: Told, receiver: Receiver) -> None:
    told.tell(HOOK.format(url=receiver.url))
    told.say(TWO)
    assert told.send() == [{"target": "team", "messages": 1, "error": None}]
    [first] = receiver.heard
    assert first.path == "/hook"
    assert first.headers["X-Team"] == "sales"
    assert first.headers["Content-Type"] == "application/json"
    signed = first.headers["Entente-Timestamp"].encode() + b"." + first.body
    mac = hmac.new(b"a secret of two", signed, hashlib.sha256).hexdigest()
    assert first.headers["Entente-Signature"] == "v1=" + mac
    body = first.json
    assert body["delivery"] == first.headers["Entente-Delivery"]
    assert (body["count"], body["test"], body["target"]) == (2, False, "team")
    said = [(c["key"], c["change"], c["severity"]) for c in body["changes"]]
    assert said == [("b", "opened", "high"), ("a", "opened", "low")]
    assert body["changes"][1]["partner_name"] == "Nordwind"
    assert body["changes"][1]["link"].startswith("https://entente.example.com/#/findings/")
    assert body["changes"][1]["evidence"], "what it rests on"
    assert body["text"].startswith("[Entente] 2 changes: 2 opened\n")
    assert "Orders fell" in body["text"]
    # the same again, and in other words: nothing
    told.project.run()
    told.say({"nordwind": [("a", "low", "Orders fell by 3"), TWO["nordwind"][1]]})
    assert told.send() == [{"target": "team", "messages": 0, "error": None}]
    # worse, and gone
    told.say({"nordwind": [("a", "medium", "Orders fell by half")]})
    told.send()
    told.say({})
    told.send()
    told.say({"nordwind": [("a", "low", "Orders fell")]})
    told.send()
    assert [[(c["key"], c["change"]) for c in h.json["changes"]] for h in receiver.heard[1:]] == [
        [("a", "worse"), ("b", "cleared")],
        [("a", "cleared")],
        [("a", "reopened")],
    ]
    assert len({h.headers["Entente-Delivery"] for h in receiver.heard}) == 4


def test_what_people_make_of_it(told: Told, receiver: Receiver) -> None:
    """Put aside: nobody is told. Resolved, or taken up again: they are."""
    told.tell(HOOK.format(url=receiver.url))
    told.say({"nordwind": [("a", "low", "Orders fell")]})
    told.send()
    found: Any = told.project.entente("findings").json
    id_ = found[0]["id"]
    for words, change in (
        (["acknowledge", "--reason", "seen"], None),
        (["resolve", "--reason", "they have it in hand"], "cleared"),
        (["reopen", "--reason", "they have not"], "reopened"),
    ):
        before = len(receiver.heard)
        said = told.project.entente("findings", words[0], id_, "--by", "somebody", *words[1:])
        assert said.status == 0, (said.json, said.err)
        told.send()
        assert [h.json["changes"][0]["change"] for h in receiver.heard[before:]] == ([change] if change else [])


def test_what_changes_back_is_not_told(told: Told, receiver: Receiver) -> None:
    told.tell(HOOK.format(url=receiver.url))
    told.say(TWO)
    told.say({})
    told.send()
    assert receiver.heard == []
    assert told.notices() == []


def test_only_what_a_target_wants(told: Told, receiver: Receiver) -> None:
    told.tell(HOOK.format(url=receiver.url) + "    for: {severity: high, practices: [pace], on: [opened]}\n")
    told.say(TWO)
    told.send()
    told.say({"nordwind": [("a", "high", "Orders fell")]})  # was low, and b is gone
    told.send()
    assert [[c["key"] for c in h.json["changes"]] for h in receiver.heard] == [["b"], ["a"]]


def test_tried_again_as_the_same_message(told: Told, receiver: Receiver) -> None:
    told.tell(HOOK.format(url=receiver.url))
    told.say(TWO)
    receiver.answers = [(503, {"Retry-After": "7"}), (429, {})]
    for _ in range(2):
        [said] = told.send(status=4)
        assert "answered" in said["error"]
    assert {s for _, _, s in told.notices()} == {"pending"}
    told.say({})  # waits for the first message
    told.send()
    assert [h.json["count"] for h in receiver.heard] == [2, 2, 2, 2]
    assert len({h.headers["Entente-Delivery"] for h in receiver.heard[:3]}) == 1
    assert len({h.body for h in receiver.heard[:3]}) == 1
    assert {c["change"] for c in receiver.heard[3].json["changes"]} == {"cleared"}


def test_nobody_there(told: Told, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    told.tell(HOOK.format(url=f"http://127.0.0.1:{port}"))
    told.say(TWO)
    told.send(status=4)
    assert {s for _, _, s in told.notices()} == {"pending"}, "certainly not told, so tried again"
    told.tell(HOOK.format(url=receiver.url))
    told.send()
    assert len(receiver.heard) == 1
    assert {s for _, _, s in told.notices()} == {"told"}


@pytest.mark.parametrize(
    ("status", "says"), [(400, "refused with 400"), (410, "refused with 410"), (302, "redirect")], ids=str
)
def test_refused(told: Told, receiver: Receiver, status: int, says: str) -> None:
    told.tell(HOOK.format(url=receiver.url))
    told.say(TWO)
    receiver.answers = [(status, {"Location": receiver.url + "/elsewhere"})]
    [said] = told.send(status=4)
    assert says in said["error"]
    assert {s for _, _, s in told.notices()} == {"failed"}
    told.send()
    assert [h.path for h in receiver.heard] == ["/hook"], "not followed, and not tried again"


def test_private_addresses_are_refused(told: Told, receiver: Receiver) -> None:
    told.tell(HOOK.format(url=receiver.url).replace(", allow_private: true", ""))
    told.say(TWO)
    [said] = told.send(status=4)
    assert "allow_private" in said["error"]
    assert receiver.heard == []


def test_quiet(told: Told, receiver: Receiver) -> None:
    always = "    quiet: {days: [mon, tue, wed, thu, fri, sat, sun], except: high}\n"
    told.tell(HOOK.format(url=receiver.url) + always)
    told.say(TWO)
    told.send()
    assert [[c["key"] for c in h.json["changes"]] for h in receiver.heard] == [["b"]]
    assert ("a", "opened", "pending") in told.notices()
    told.tell(HOOK.format(url=receiver.url))
    told.send()
    assert [[c["key"] for c in h.json["changes"]] for h in receiver.heard] == [["b"], ["a"]]


def test_template(told: Told, receiver: Receiver) -> None:
    (told.project.folder / "t.json").write_text(
        '{"summary": "{summary}", "list": [{#findings}{"t": "{text}", "c": "{change}"}{comma}{/findings}]}'
    )
    told.tell(HOOK.format(url=receiver.url) + "    template: t.json\n")
    told.say(TWO)
    told.send()
    [heard] = receiver.heard
    assert heard.json["list"] == [{"t": TWO["nordwind"][1][2], "c": "opened"}, {"t": "Orders fell", "c": "opened"}]
    (told.project.folder / "t.json").write_text("{\n  {txet}\n}")
    for words in (["tell", "send"], ["check"]):
        said = told.project.entente(*words)
        assert said.status == 1
    [error] = said.json["errors"]
    assert (error["file"].split("/")[-1], error["line"], error["column"]) == ("t.json", 2, 3)


def test_killed_while_it_tells(told: Told, receiver: Receiver) -> None:
    """Nobody knows whether the other side has taken it: it is not told twice, and that is said."""
    told.tell(HOOK.format(url=receiver.url))
    told.say(TWO)
    receiver.go.clear()
    with told.project.start("tell", "send") as child:
        receiver.wait()
        assert {s for _, _, s in told.notices()} == {"sending"}
        assert child.poll() is None, "the kill lands while it is under way"
        child.kill()
        assert child.wait(PATIENCE) == -9
    assert {s for _, _, s in told.notices()} == {"sending"}
    receiver.go.set()
    assert told.send() == [{"target": "team", "messages": 0, "error": None}]
    assert {s for _, _, s in told.notices()} == {"unknown"}
    assert len(receiver.heard) == 1, "exactly once"
    listed = told.project.start("tell", "list")
    out, err = listed.communicate(timeout=PATIENCE)
    assert "unknown" in out
    assert "may have been told" in err


def test_an_answer_that_never_comes(told: Told, receiver: Receiver) -> None:
    """Sent, and then cut off: as good as killed."""
    listener = socket.create_server(("127.0.0.1", 0))
    told.tell(HOOK.format(url=f"http://127.0.0.1:{listener.getsockname()[1]}"))
    told.say(TWO)
    with listener, told.project.start("tell", "send", "--json") as child:
        listener.settimeout(PATIENCE)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            assert connection.recv(100)
        assert child.wait(PATIENCE) == 4
    assert {s for _, _, s in told.notices()} == {"unknown"}


def test_the_command(told: Told, receiver: Receiver) -> None:
    told.tell(HOOK.format(url=receiver.url))
    said = told.project.entente("tell", "test", "team")
    assert said.status == 0
    answered: Any = said.json
    assert answered == [{"target": "team", "told": True, "answer": "answered 200"}]
    assert receiver.heard[0].json["test"] is True
    receiver.answers = [(500, {})]
    assert told.project.entente("tell", "test").status == 4
    said = told.project.entente("tell", "test", "taem")
    assert said.status == 2
    assert "did you mean 'team'?" in str(said.json)
    told.say(TWO)
    listed = told.project.entente("tell", "list").json
    assert listed["counts"][0]["status"] == "pending"
    assert {n["key"] for n in listed["notices"]} == {"a", "b"}


def test_a_target_that_is_gone(told: Told, receiver: Receiver) -> None:
    told.tell(HOOK.format(url=receiver.url))
    told.say(TWO)
    told.tell(HOOK.format(url=receiver.url).replace("team", "others"))
    told.send()
    assert {s for _, _, s in told.notices()} == {"failed"}
    assert receiver.heard == []
