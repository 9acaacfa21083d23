# SPDX-License-Identifier: Apache-2.0
"""Judged as of now, each partner as of the day that has begun where it is: no moment is the same day everywhere."""

import datetime
import json
from pathlib import Path
from typing import Any

from project import Project
from service import Service, serving
from shop import export, orders

DAY = datetime.timedelta(days=1)
#: Between these lie 26 hours: it is never the same day in both.
AHEAD, BEHIND = datetime.timedelta(hours=14), datetime.timedelta(hours=-12)
SOURCES = """\
  east: {partner: east, from: {file: ./east.csv}, decode: shopify}
  west: {partner: west, from: {file: ./west.csv}, decode: shopify}
"""
PARTNERS = """\
  east: {name: East, zone: Etc/GMT-14, industry: tea}
  west: {name: West, zone: Etc/GMT+12, industry: tea}"""
RULES = "  books: [./rules]"
BOOK = '''
from entente import if_known, insight, rule


@rule(practice="informative")
def today(partner, *, window: str = "7d"):
    """What day it is."""
    span = partner.view.span(window)
    with if_known("days"):
        partner["orders"].over(window, 0.0)
    with if_known("peers"):
        partner.cohort("industry")["orders"].over("300d")
    met = ",".join(str(e.day) for e in partner.register("contacts"))
    yield insight(f"today {partner.today.isoformat()}, {span.stop - span.start} days to {span.stop}, met {met}")
'''
EPOCH = datetime.date(1970, 1, 1)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def project(folder: Path, **more: str) -> Project:
    given = {"sources": SOURCES, "partners": PARTNERS, "rules": RULES, **more}
    p = Project(folder, top="as_of: now\nregisters: {contacts: {kept_since: 2020-01-01}}", **given)
    p.config.write_text(p.config.read_text().replace("as_of: latest\n", ""))
    p.write("rules/book.py", BOOK)
    for name in ("east", "west"):
        p.write(f"{name}.csv", export(orders(300)))
    return p


def stored(p: Project) -> dict[str, tuple[str, str, str]]:
    """As of which day of which partner what was found first."""
    rows = p.sql("select partner, as_of, first_day, text from v_finding where rule = 'today'")
    return {row[0]: (str(row[1]), str(row[2]), row[3]) for row in rows}


def judged(p: Project) -> tuple[dict[str, tuple[str, str, str]], datetime.datetime]:
    """What a run says, and when; once more if a day turned meanwhile."""
    while True:
        before = now()
        p.run()
        if all((before + x).date() == (now() + x).date() for x in (AHEAD, BEHIND)):
            return stored(p), before


def test_each_partner_on_its_own_day(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    found, when = judged(p)
    for name, offset in (("east", AHEAD), ("west", BEHIND)):
        day = (when + offset).date()
        assert found[name][:2] == (day.isoformat(), day.isoformat())
        assert found[name][2].startswith(f"today {day.isoformat()}, 7 days to {(day - EPOCH).days + 1},")
        [read] = [r for r in p.record("today", name)["evidence"] if r["metric"] == "orders" and not r.get("cohort")]
        assert (read["from"], read["through"]) == ((day - 6 * DAY).isoformat(), day.isoformat())
        [peers] = [r for r in p.record("today", name)["evidence"] if r.get("cohort")]
        assert (peers["from"], peers["through"]) == ((day - 299 * DAY).isoformat(), day.isoformat())
        assert p.sql(f"select as_of from v_verdict where partner = '{name}'") == [(day.isoformat(),)]
        assert p.entente("partners", "show", name).json["as_of"] == day.isoformat()
        told = p.entente("metrics", "query", "orders", "--partner", name, "--window", "7d").json
        assert (told["as_of"], told["through"]) == (day.isoformat(), day.isoformat())
        p.entente("brief", name, "--format", "json", "-o", "brief.json")
        assert json.loads((p.folder / "brief.json").read_text())["as_of"] == day.isoformat()
    assert found["west"][0] < found["east"][0]


def test_a_date_is_one_day_for_all(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.run("--as-of", "2024-04-02")
    assert {row[0] for row in stored(p).values()} == {"2024-04-02"}
    p.run("--as-of", "latest")
    assert len({row[0] for row in stored(p).values()}) == 1


def test_nothing_stands_when_a_day_has_turned(tmp_path: Path) -> None:
    """Two runs on the same days say the same, and the second one judges nothing; in another zone it is another day."""
    p = project(tmp_path / "p")
    while True:
        found, when = judged(p)
        again = p.run()
        if all((when + x).date() == (now() + x).date() for x in (AHEAD, BEHIND)):
            break
    assert again.json["judged"]["unchanged"] and stored(p) == found
    assert again.json["judged"]["as_of"] == (when + AHEAD).date().isoformat()


def turning(least: float) -> tuple[str, datetime.date, datetime.datetime]:
    """A zone whose midnight comes with a minute that is at least so many seconds away, the day until then, and when."""
    midnight = (now() + datetime.timedelta(seconds=least + 60)).replace(second=0, microsecond=0)
    minutes = -(midnight.hour * 60 + midnight.minute) % 1440
    minutes -= 1440 if minutes > 14 * 60 else 0
    sign = "-" if minutes < 0 else "+"
    day = (midnight + datetime.timedelta(minutes=minutes)).date() - DAY
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}", day, midnight


def finding(s: Service, partner: str) -> dict[str, Any] | None:
    found = [f for f in s.get(f"/api/v1/findings?partner={partner}") if f["rule"] == "today"]
    return found[0] if found else None


def test_the_day_turns_while_a_service_runs(tmp_path: Path) -> None:
    """At midnight of a partner it is judged again, although nothing has come; no other partner's day turns then."""
    for attempt in range(5):
        zone, day, midnight = turning(8 + 20 * attempt)
        p = project(
            tmp_path / f"p{attempt}",
            partners=f"  east: {{name: East, zone: Etc/GMT-14}}\n  west: {{name: West, zone: '{zone}'}}",
        )
        p.config.write_text(p.config.read_text().replace("as_of: now", "as_of: now\nservice: {judge_every: 1s}"))
        with serving(p) as s:
            first = s.until(lambda: finding(s, "west"), "a first judgement")
            if first["as_of"] != day.isoformat() or now() >= midnight:
                continue  # too slow for this midnight
            west = s.until(lambda: (f := finding(s, "west")) and f["as_of"] != day.isoformat() and f, "the next day")
            assert now() >= midnight
            assert west["as_of"] == (day + DAY).isoformat() and west["since"] == day.isoformat()
            assert west["text"].startswith(f"today {west['as_of']},")
            return
    raise AssertionError("no service was ready before midnight")
