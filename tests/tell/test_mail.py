# SPDX-License-Identifier: Apache-2.0
"""Mail, through a real mail server."""

import asyncio
import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from conftest import PATIENCE, Told
from test_webhook import TWO

MAIL = """\
  team:
    to: {{mail: {{server: "127.0.0.1:{port}", from: entente@example.com, to: [a@example.com, b@example.com], tls: none}}}}
"""


@dataclass
class Box:
    """What the server took, and what it says."""

    port: int = 0
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    #: Answers wait for it.
    go: threading.Event = field(default_factory=threading.Event)
    #: In place of an answer the connection ends.
    cut: bool = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        self.raw.append(envelope.original_content)
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, message))
        self.came.set()
        while not self.go.is_set():
            await asyncio.sleep(0.01)
        if self.cut:
            server.transport.abort()
        return answer


@pytest.fixture
def box() -> Iterator[Box]:
    got = Box()
    got.go.set()
    with socket.create_server(("127.0.0.1", 0)) as free:
        got.port = free.getsockname()[1]
    server = Controller(got, hostname="127.0.0.1", port=got.port)
    server.start()  # type: ignore[no-untyped-call]
    yield got
    got.go.set()
    server.stop()


def body(message: EmailMessage, kind: str) -> str:
    part: Any = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_a_mail(told: Told, box: Box) -> None:
    told.tell(MAIL.format(port=box.port))
    told.say({**TWO, "nordwind": [*TWO["nordwind"], ("c", "low", "Über 20 % weniger Bestellungen für Čapek — " * 3)]})
    assert told.send() == [{"target": "team", "messages": 1, "error": None}]
    [(sender, to, message)] = box.mails
    assert (sender, to) == ("entente@example.com", ["a@example.com", "b@example.com"])
    assert message["Subject"] == "[Entente] 3 changes: 3 opened"
    assert message["To"] == "a@example.com, b@example.com"
    assert message["Bcc"] is None, "what a finding says is no header"
    assert message["Auto-Submitted"] == "auto-generated"
    delivery = message["Entente-Delivery"]
    assert message["Message-ID"] == f"<{delivery}@example.com>"
    assert message["Date"].datetime is not None
    plain, html = body(message, "plain"), body(message, "html")
    assert "Returns rose <b>" in plain
    assert "Über 20 % weniger Bestellungen für Čapek —" in plain
    assert "Returns rose &lt;b&gt;&quot;to&quot;" in html
    assert "https://entente.example.com/#/findings/" in html
    assert max(len(line) for line in box.raw[0].split(b"\r\n")) <= 78


def test_one_finding_is_the_subject(told: Told, box: Box) -> None:
    told.tell(MAIL.format(port=box.port))
    told.say({"nordwind": [("a", "high", "Čapek fell\r\nBcc: x@example.com\r\n" + "ü" * 300)]})
    told.send()
    subject = box.mails[0][2]["Subject"]
    assert subject.startswith("[Entente] red flag opened: Nordwind: Čapek fell  Bcc: x@example.com")
    assert box.mails[0][2]["Bcc"] is None
    assert "\n" not in subject


def test_put_off_and_refused(told: Told, box: Box) -> None:
    told.tell(MAIL.format(port=box.port))
    told.say(TWO)
    box.answers = ["451 come again later", "554 no"]
    told.send(status=4)
    assert {s for _, _, s in told.notices()} == {"pending"}
    [said] = told.send(status=4)
    assert "refused" in said["error"]
    assert {s for _, _, s in told.notices()} == {"failed"}
    assert len({m["Message-ID"] for _, _, m in box.mails}) == 1
    told.send()
    assert len(box.mails) == 2


def test_nothing_without_tls_but_if_allowed(told: Told, box: Box) -> None:
    """The server offers none."""
    told.tell(MAIL.format(port=box.port).replace(", tls: none", ""))
    told.say(TWO)
    told.send(status=4)
    assert box.mails == []
    assert {s for _, _, s in told.notices()} == {"pending"}


def test_own_words(told: Told, box: Box) -> None:
    (told.project.folder / "t.txt").write_text("Subject: {target}: {summary}\n{#findings}\n* {text}\n{/findings}\n.\nFrom here\n")
    told.tell(MAIL.format(port=box.port) + "    template: t.txt\n")
    told.say({"nordwind": [("a", "high", "Orders fell")]})
    told.send()
    message = box.mails[0][2]
    assert message["Subject"] == "team: red flag opened: Nordwind: Orders fell"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == "* Orders fell\n.\nFrom here\n"
    (told.project.folder / "t.html").write_text("<p>{#findings}<b>{text}</b>{/findings}</p>")
    told.tell(MAIL.format(port=box.port) + "    template: t.html\n")
    told.say({"nordwind": [("b", "high", "a < b & c")]})
    told.send()
    html = body(box.mails[1][2], "html")
    assert "<b>a &lt; b &amp; c</b>" in html


def test_the_command(told: Told, box: Box) -> None:
    told.tell(MAIL.format(port=box.port))
    said = told.project.entente("tell", "test")
    assert said.status == 0
    answered: Any = said.json
    assert answered == [{"target": "team", "told": True, "answer": "accepted by the mail server"}]
    assert box.mails[0][2]["Subject"] == "[Entente] test message for team"


def test_killed_while_it_tells(told: Told, box: Box) -> None:
    """The server has the mail, and we never hear that it has."""
    told.tell(MAIL.format(port=box.port))
    told.say(TWO)
    box.go.clear()
    with told.project.start("tell", "send") as child:
        assert box.came.wait(PATIENCE)
        assert {s for _, _, s in told.notices()} == {"sending"}
        assert child.poll() is None
        child.kill()
        assert child.wait(PATIENCE) == -9
    box.go.set()
    told.send()
    assert {s for _, _, s in told.notices()} == {"unknown"}
    assert len(box.mails) == 1, "exactly once"


def test_cut_off_behind_the_text(told: Told, box: Box) -> None:
    told.tell(MAIL.format(port=box.port))
    told.say(TWO)
    box.cut = True
    [said] = told.send(status=4)
    assert "may have been told" in said["error"]
    assert {s for _, _, s in told.notices()} == {"unknown"}
    box.cut = False
    told.send()
    assert len(box.mails) == 1
