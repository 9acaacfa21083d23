# SPDX-License-Identifier: Apache-2.0
"""Meetings and mails from a calendar and a mailbox to a rule, in the real worker with its sandbox. Mails are counted
again with Python's own reader of mailboxes, and meetings with its zones."""

from __future__ import annotations

import json
import mailbox
import os
import random
import subprocess
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime, getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SOURCE = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build" / "bin"))
GOLDEN = SOURCE / "plugins" / "contacts" / "golden"

PROJECT = """
version: 1
store: ./store
currency: EUR
as_of: 2024-06-30
sandbox: required
partners:
  nordwind: {name: Nordwind, zone: Europe/Berlin, also: {contacts: [nordwind.example]}}
  suedwind: {name: Suedwind, zone: Europe/Berlin, also: {contacts: [suedwind.example]}}
registers: {contacts: {kept_since: 2024-01-01}}
sources:
  calendar:
    partner: {from: fact, unknown: park}
    from: {glob: ./calendar/*}
    decode: {icalendar: {own: [brueckner.example], subjects: true}}
  mails:
    partner: {from: fact, unknown: park}
    from: {glob: ./mail/*}
    decode: {mbox: {own: [brueckner.example], subjects: true}}
  sheet:
    partner: {from: fact}
    from: {glob: ./sheet/*}
    decode:
      csv:
        system: sheet
        fact: contact
        columns: {key: nr, partner: partner, at: when, kind: kind, with: who, held: took place, minutes: minutes}
rules: {books: [./rules]}
"""
RULE = '''
from entente import insight, rule


@rule(practice="trust", row=41, audience="us", needs=("contacts",))
def kept_in_touch(partner, *, window="26w"):
    """How often they were met and how fast they answer."""
    contacts = partner.register("contacts").during(window)
    meetings = [c for c in contacts.where(kind="meeting") if c.held is not False]
    ours = [c for c in contacts if c.kind in ("mail", "reply") and c.direction == "us"]
    hours = [(c.answered_at - c.at).total_seconds() / 3600 for c in ours if c.answered_at]
    since = partner.register("contacts").days_since_last()
    mean = f"{sum(hours) / len(hours):.2f}" if hours else "none"
    yield insight(
        f"{len(meetings)} met, {len(ours)} written, {len(hours)} answered, mean {mean}, last {since} days ago",
        key="touch",
    )
'''
ME, HER, HIM = "ada@brueckner.example", "ona.kim@nordwind.example", "li@suedwind.example"
BERLIN = ZoneInfo("Europe/Berlin")


def ask(folder: Path, *words: str) -> Any:
    """What a command answers as JSON."""
    done = subprocess.run(
        [BIN / "entente", *words, "--json"], cwd=folder, text=True, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def project(folder: Path, **files: bytes | str) -> Any:
    """Files by folder and name (mail__a.mbox), and a run whose balance closes."""
    (folder / "entente.yaml").write_text(PROJECT)
    for name in ("calendar", "mail", "sheet", "rules"):
        (folder / name).mkdir()
    (folder / "rules" / "touch.py").write_text(RULE)
    for name, content in files.items():
        where, _, rest = name.partition("__")
        path = folder / where / rest.replace("_", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    told = ask(folder, "run")
    assert all(b["closes"] for b in told["balance"]), told
    assert told["read"]["sandbox"].startswith("seccomp+landlock")
    return told


def said(folder: Path) -> dict[str, str]:
    """What the rule said of each partner."""
    return {f["partner"]: f["text"] for f in ask(folder, "findings")}


def source(told: Any, name: str) -> dict[str, int]:
    """The balance of one source."""
    [balance] = [b for b in told["balance"] if b["source"] == name]
    return dict(balance)


def write_mails(path: Path, seed: int = 7) -> None:
    """Threads of mails between us and two others, replies before what they answer among them."""
    rng = random.Random(seed)
    messages: list[tuple[datetime, str, str, str, str]] = []
    start = datetime(2024, 3, 1, 9, tzinfo=timezone(timedelta(hours=1)))
    for n in range(120):
        at, parent = start + timedelta(hours=rng.randrange(2000)), ""
        pair = [ME, rng.choice((HER, HIM))]
        rng.shuffle(pair)
        for step in range(rng.randrange(1, 5)):
            key = f"<{n}.{step}@mail.example>"
            messages.append((at, pair[0], pair[1], key, parent))
            parent, at = key, at + timedelta(minutes=rng.randrange(10, 6000))
            if rng.random() < 0.8:
                pair.reverse()
    rng.shuffle(messages)
    with path.open("w") as f:
        for at, sender, to, key, parent in messages:
            f.write(f"From {sender} {at:%a %b %d %H:%M:%S %Y}\nFrom: A, B <{sender}>\nTo: {to}\n")
            f.write(f"Date: {format_datetime(at)}\nMessage-ID: {key}\nSubject: =?windows-1252?Q?Gr=FC=DFe?=\n")
            f.write(f"In-Reply-To: {parent}\n" if parent else "")
            f.write("\nA body.\n\n>From time to time.\n\n")


Mail = tuple[str, str, str, datetime, str]


def count_again(path: Path) -> dict[str, tuple[int, list[float]]]:
    """Of each partner: what we wrote, and hours until it was answered; with Python's reader."""
    mails: list[Mail] = []
    for m in mailbox.mbox(path):
        [(_, sender)] = [a for a in getaddresses([str(m["From"])]) if "@" in a[1]]
        [(_, to)] = getaddresses([str(m["To"])])
        mails.append((str(m["Message-ID"]), sender, to, parsedate_to_datetime(str(m["Date"])), str(m["In-Reply-To"])))
    out = {}
    for who in (HER, HIM):
        ours = {key: at for key, sender, to, at, _ in mails if sender == ME and to == who}
        answers: dict[str, datetime] = {}
        for _, sender, _, at, parent in mails:
            if sender == who and parent in ours and (parent not in answers or at < answers[parent]):
                answers[parent] = at
        out[who] = (len(ours), [(answers[k] - ours[k]).total_seconds() / 3600 for k in ours if k in answers])
    return out


def test_mails_and_their_answers(tmp_path: Path) -> None:
    write_mails(tmp_path / "all.mbox")
    told = project(tmp_path, mail__all_mbox=(tmp_path / "all.mbox").read_bytes())
    mails = source(told, "mails")
    counted = count_again(tmp_path / "all.mbox")
    assert mails["records"] == mails["consumed"] == mails["stored"] == len(mailbox.mbox(tmp_path / "all.mbox"))
    texts = said(tmp_path)
    for who, partner in ((HER, "nordwind"), (HIM, "suedwind")):
        written, hours = counted[who]
        assert hours and len(hours) < written
        mean = sum(hours) / len(hours)
        assert f"0 met, {written} written, {len(hours)} answered, mean {mean:.2f}" in texts[partner]
    # nothing personal is stored: no address, no name of a person; subjects were asked for, and are read in the sandbox
    stored = b"".join(p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file())
    assert "Grüße".encode() in stored
    for word in (b"ona.kim", b"ada@", b"li@", b"@mail.example"):
        assert word not in stored


def calendar(*events: str) -> str:
    """A calendar in the zone of Berlin."""
    zone = (GOLDEN / "calendar.in").read_bytes().decode()
    zone = zone[zone.index("BEGIN:VTIMEZONE") : zone.index("END:VTIMEZONE")] + "END:VTIMEZONE\r\n"
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + zone + "".join(events) + "END:VCALENDAR\r\n"


def event(uid: str, start: str, *more: str, who: str = HER, answer: str = "ACCEPTED") -> str:
    """One event with one of the other side."""
    lines = [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTART;TZID=W. Europe Standard Time:{start}",
        "DURATION:PT30M",
        f"ORGANIZER:mailto:{ME}",
        f"ATTENDEE;PARTSTAT={answer}:mailto:{who}",
        *more,
        "END:VEVENT",
    ]
    return "".join(line + "\r\n" for line in lines)


def test_meetings_recur_over_summer_time(tmp_path: Path) -> None:
    out = "EXDATE;TZID=W. Europe Standard Time:20240408T150000"
    moved = "RECURRENCE-ID;TZID=W. Europe Standard Time:20240415T150000"
    text = calendar(
        event("weekly", "20240318T150000", "RRULE:FREQ=WEEKLY", out),
        event("weekly", "20240416T090000", moved, "SEQUENCE:1"),
        event("once", "20240502T110000", who=HIM, answer="DECLINED"),
        event("again", "20240503T110000", who=HIM),
        event("none", "20240503T110000", who="bo@brueckner.example"),
    )
    (tmp_path / "ada.ics").write_text(text)
    told = project(tmp_path, calendar__ada_ics=text)
    first, today = date(2024, 3, 18), date(2024, 6, 30)
    days = [first + timedelta(7 * n) for n in range(60)]
    held = [d for d in days if d <= today and d != date(2024, 4, 8)]  # one taken out, one moved and still held
    texts = said(tmp_path)
    assert texts["nordwind"].startswith(f"{len(held)} met, 0 written")
    assert f"last {(today - max(held)).days} days" in texts["nordwind"]
    assert texts["suedwind"].startswith("1 met,") and "last 58 days ago" in texts["suedwind"]
    assert source(told, "calendar")["skipped"] == 1
    rows = ask(tmp_path, "records", "nordwind", "--kind", "contact", "--to", str(today))
    told_at = {row["key"].split("/")[1]: row["day"] for row in rows}
    expected = {}
    for day in held:  # keys name the occurrence as it was planned, in UTC; the day is that on which it took place
        planned = day if day != date(2024, 4, 16) else date(2024, 4, 15)
        hour = datetime(planned.year, planned.month, planned.day, 15, tzinfo=BERLIN).astimezone(UTC)
        expected[f"{hour:%Y%m%dT%H%M%SZ}"] = str(day if day != date(2024, 4, 15) else date(2024, 4, 16))
    assert told_at == expected


def test_an_event_that_is_gone_is_gone(tmp_path: Path) -> None:
    one, two = event("one", "20240502T110000"), event("two", "20240503T110000")
    project(tmp_path, calendar__ada_ics=calendar(one, two))
    assert said(tmp_path)["nordwind"].startswith("2 met")
    later = one.replace("20240502", "20240509") + event("three", "20240510T110000")
    (tmp_path / "calendar" / "ada.ics").write_text(calendar(later))
    ask(tmp_path, "run")
    assert said(tmp_path)["nordwind"].startswith("2 met")
    cancelled = two.replace("DURATION", "STATUS:CANCELLED\r\nDURATION")
    (tmp_path / "calendar" / "ada.ics").write_text(calendar(one, cancelled))
    ask(tmp_path, "run")
    assert said(tmp_path)["nordwind"].startswith("1 met")


def test_a_sheet_of_check_ins(tmp_path: Path) -> None:
    sheet = (
        "nr,partner,when,kind,who,took place,minutes\n"
        "1,nordwind,2024-06-03 10:00,meeting,purchasing,yes,30\n"
        "2,nordwind,2024-06-10 10:00,meeting,purchasing,no,\n"
    )
    project(tmp_path, sheet__sheet_csv=sheet)
    assert said(tmp_path)["nordwind"] == "1 met, 0 written, 0 answered, mean none, last 27 days ago"


def test_found_by_looking_and_what_is_missing_is_said(tmp_path: Path) -> None:
    said_so = "{icalendar: {own: [brueckner.example], subjects: true}}"
    (tmp_path / "entente.yaml").write_text(PROJECT.replace(said_so, "auto"))
    for name in ("calendar", "mail", "sheet", "rules"):
        (tmp_path / name).mkdir()
    (tmp_path / "calendar" / "a.ics").write_text(calendar(event("one", "20240502T110000")))
    done = subprocess.run(
        [BIN / "entente", "run"], cwd=tmp_path, text=True, capture_output=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "own" in done.stderr and "icalendar" in done.stderr, done.stderr
