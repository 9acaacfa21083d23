# SPDX-License-Identifier: Apache-2.0
"""`entente metrics why`: whatever happens between two runs, what the records moved adds up to the difference, to the last
digit; and both ends are the figures that were shown then and are shown now. ENTENTE_WHY random courses (3)."""

import datetime
import json
import os
import random
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from project import BUILD, Project
from shop import Order, events, export, feed, moved, orders

COURSES = int(os.environ.get("ENTENTE_WHY", "3"))
SOURCES = """\
  exports:
    partner: nordwind
    from: {directory: ./exports}
    decode: shopify
  analytics:
    partner: nordwind
    from: {glob: "./feed/*.json"}
    decode: {ga4: {currency: EUR}}
  months:
    partner: suedwind
    from: {glob: "./in/*.csv"}
    decode: month
  rates:
    from: {file: ./rates.csv}
    decode:
      csv:
        fact: observation
        columns: {from: date, unit: from, currency: to, value: rate}
        constants: {origin: rate, metric: rate}
"""
BOOK = '''"""A book."""
from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def sells(partner: Partner) -> Findings:
    """Says what is sold."""
    yield insight(f"{partner['revenue.net'].over('28d')}")
'''
OWN = """\
metrics:
  orders.large: {count: order, where: {total: {at_least: 100}}}
  revenue.a1: {sum: line.net, where: {sku: {starts_with: A1}}}
  buyers.large: {distinct: order.customer, where: {total: {at_least: 100}}}
  large_share: {ratio: {of: orders.large, to: orders}}
  not_large: {derived: "1 - orders.large / orders"}
  per_buyer: {derived: "revenue.net / customers"}
"""
METRICS = ("orders", "revenue.net", "returns", "aov", "refund_rate", "customers", "sessions", "visitors", "conversion_rate",
           "order_value", "orders.large", "revenue.a1", "buyers.large", "large_share", "not_large")
SPANS = (("--window", "28d"), ("--from", "2024-03-05", "--to", "2024-04-10"))


def project(folder: Path) -> Project:
    p = Project(folder, SOURCES, rules="  books: [./rules]",
                top=f"plugins: [shopify, ga4, csv, {BUILD}/tests/plugins/cases.so]\nworkers: 2\n{OWN}")
    p.write("rules/book.py", BOOK)
    first = datetime.date(2024, 2, 1)
    days = (first + datetime.timedelta(days=n) for n in range(120))
    p.write("rates.csv", "date,from,to,rate\n" + "".join(f"{d},USD,EUR,0.{9137 + d.day}\n" for d in days))
    return p


def ask(p: Project, *words: str) -> dict[str, Any]:
    """What the program says, every number exact."""
    with p.start(*words, "--json") as child:
        out, err = child.communicate(timeout=120)
    assert child.returncode == 0, (words, err)
    told: dict[str, Any] = json.loads(out, parse_float=Decimal)
    return told


def figure(p: Project, metric: str, partner: str, span: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = ask(p, "metrics", "query", metric, "-p", partner, *span)["rows"][0]["figures"][metric]
    return found


def figures(p: Project) -> dict[tuple[str, str, tuple[str, ...]], dict[str, Any]]:
    return {(m, who, span): figure(p, m, who, span) for m in METRICS for who in ("nordwind", "suedwind") for span in SPANS
            if who == "nordwind" or m in ("orders", "revenue.net")}  # fmt: skip


class Course:
    """A shop, its analytics and its complete months, to which things happen."""

    def __init__(self, p: Project, seed: int) -> None:
        self.p, self.pick = p, random.Random(seed)
        self.made: list[Order] = orders(60, seed=seed, days=40)
        self.month = {str(n): self.pick.randint(1, 31) for n in range(30)}
        self.edition = 0
        self.days = dict.fromkeys(range(38), 20)
        self.happened: list[str] = []
        self.write_orders(self.made)
        self.write_month()
        for day in self.days:
            self.write_day(day)

    def write_orders(self, part: list[Order]) -> None:
        self.edition += 1
        self.p.write(f"exports/{self.edition:03}.csv", export(part), self.edition * 100)

    def write_month(self) -> None:
        self.edition += 1
        rows = "".join(f"{key},2024-01-{day:02} 12:00:00,1.25,\n" for key, day in sorted(self.month.items()))
        self.p.write(f"in/{self.edition:03}.csv", "key,at,total,updated\n" + rows, self.edition * 100)

    def write_day(self, day: int) -> None:
        date = datetime.date(2024, 3, 1) + datetime.timedelta(days=day)
        self.edition += 1
        self.p.write(f"feed/events_{date:%Y%m%d}.json", feed(events(day, self.days[day], self.edition)), self.edition * 100)

    def some(self) -> list[int]:
        return sorted(self.pick.sample(range(len(self.made)), self.pick.randint(1, 6)))

    def change(self, what: str, **fields: object) -> None:
        chosen = self.some()
        for n in chosen:
            self.made[n] = replace(self.made[n], **fields)  # type: ignore[arg-type]
        self.write_orders([self.made[n] for n in chosen])
        self.happened.append(f"{what} {[self.made[n].number for n in chosen]}")

    def step(self) -> None:
        """Something happens."""
        pick = self.pick
        what = pick.choice(("new", "refund", "cancel", "other lines", "another day", "month", "restated", "day", "again"))
        if what == "new":
            late = pick.choice((0, 0, 5))
            fresh = [replace(moved(o, late), number=2000 + self.edition * 10 + n, customer=f"c{pick.randrange(30)}@example.com")
                     for n, o in enumerate(pick.sample(self.made, 3))]  # fmt: skip
            self.made += fresh
            self.write_orders(fresh)
            self.happened.append("new")
        elif what == "refund":
            self.change(what, refunded=pick.randrange(100, 400))
        elif what == "cancel":
            self.change(what, cancelled=True)
        elif what == "other lines":
            self.change(what, lines=pick.choice(self.made).lines)
        elif what == "another day":
            chosen = self.some()
            for n in chosen:
                self.made[n] = moved(self.made[n], pick.choice((-3, 2)))
            self.write_orders([self.made[n] for n in chosen])
            self.happened.append(what)
        elif what == "month":
            for key in pick.sample(sorted(self.month), 3):
                del self.month[key]
            self.month[f"n{self.edition}"] = pick.randint(1, 31)
            self.write_month()
            self.happened.append(what)
        elif what == "restated":
            day = pick.choice(sorted(self.days))
            self.days[day] = pick.randint(5, 30)
            self.write_day(day)
            self.happened.append(f"restated {day}")
        elif what == "day":
            day = max(self.days) + 1
            self.days[day] = 15
            self.write_day(day)
            self.happened.append(f"day {day}")
        else:
            self.write_orders(self.made[:10])
            self.happened.append(what)


def agrees(end: dict[str, Any], shown: dict[str, Any], metric: str) -> bool:
    if metric == "order_value":
        return True  # a median: its parts are values, of which none is the median's
    if "top" in shown:
        return (Decimal(end["top"]), Decimal(end["bottom"])) == (Decimal(shown["top"]), Decimal(shown["bottom"]))
    value = shown["value"] if shown["value"] is not None else shown.get("there", 0)
    return Decimal(end["top"]) == Decimal(value)


@pytest.mark.parametrize("seed", range(COURSES))
def test_parts_add_up(tmp_path: Path, seed: int) -> None:
    p = project(tmp_path / "p")
    course = Course(p, seed)
    shown: dict[int, dict[tuple[str, str, tuple[str, ...]], dict[str, Any]]] = {}
    for _ in range(7):
        p.run()
        [(run,)] = p.sql("select max(number) from run")
        shown[run] = figures(p)
        for _ in range(course.pick.randint(1, 3)):
            course.step()
    kinds: set[str] = set()
    last = max(shown)
    p.run()
    now = figures(p)
    for run in course.pick.sample(sorted(shown), 3):
        for (metric, who, span), then in shown[run].items():
            where = (seed, run, metric, who, span, course.happened)
            until = course.pick.choice([r for r in shown if r >= run])
            for more, end in ((("--until", str(until)), shown[until]), ((), now)):
                why = ask(p, "metrics", "why", metric, who, *span, "--since", str(run), *more)["why"]
                assert agrees(why["then"], then, metric), (why["then"], then, where)
                assert agrees(why["now"], end[metric, who, span], metric), (why["now"], end[metric, who, span], where)
                kinds |= {part["change"] for part in why["parts"]}
                for name in ("top",) if why["then"]["bottom"] is None else ("top", "bottom"):
                    parts = sum(Decimal(x[name]) - Decimal(x[f"{name}_was"]) for x in why["parts"])
                    moved_by = Decimal(why["now"][name]) - Decimal(why["then"][name])
                    rounding = Decimal(why["rounding"]) if name == "top" else moved_by - parts
                    assert parts + rounding == moved_by, where
                    assert abs(moved_by - parts) <= Decimal("0.000001"), where
                assert all(x["file"] for x in why["parts"]), where
                assert all(x["by_file"] for x in why["parts"] if x["change"] == "went"), where
    assert last and {"came", "changed", "went", "entered", "left"} >= kinds and len(kinds) >= 3, kinds


def test_what_no_record_makes_is_refused(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    Course(p, 1)
    p.run()
    said = p.entente("metrics", "why", "per_buyer", "nordwind", "--since", "1")
    assert said.status == 2 and "'per_buyer' is made of figures" in said.err


def test_compaction_keeps_what_history_keeps(tmp_path: Path) -> None:
    """Frames are moved, and what was replaced is there as long as `history` says; after that it is said so."""
    p = project(tmp_path / "p")
    p.top += "history: 5s\n"
    p.configure()
    course = Course(p, 7)
    p.run()
    for edition in range(12):
        course.made = [replace(o, refunded=100 + edition, cancelled=False) for o in course.made]
        course.write_orders(course.made)
        p.run()
    then = figure(p, "revenue.net", "nordwind", SPANS[1])
    time.sleep(5.5)  # what the second run replaced is old now
    course.change("refund", refunded=300)
    course.change("cancel", cancelled=True)
    p.run()
    replaced = time.monotonic()
    before = ask(p, "metrics", "why", "revenue.net", "nordwind", *SPANS[1])
    assert before["since"]["exact"] and before["why"]["parts"]
    compacted = ask(p, "compact")
    if time.monotonic() - replaced > 4:
        pytest.skip("this machine took so long that what was replaced is old, too")
    assert compacted["compacted"] > 0
    after = ask(p, "metrics", "why", "revenue.net", "nordwind", *SPANS[1])
    assert not after["since"]["exact"], "the frames were moved"
    assert after["why"] == before["why"] and after["why"]["then"]["top"] == then["value"]
    first = ask(p, "metrics", "why", "revenue.net", "nordwind", *SPANS[1], "--since", "1")
    assert first["since"]["beyond_history"]
    with p.start("metrics", "why", "revenue.net", "nordwind", *SPANS[1], "--since", "1") as child:
        out, _ = child.communicate(timeout=60)
    assert "further back than `history` reaches" in out
