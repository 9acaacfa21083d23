# SPDX-License-Identifier: Apache-2.0
"""`entente rules replay`: what rules would have said on past days. Each case plants something that only the future knew,
and whoever lets it through is found: the rule `figures` tells all that it sees."""

import datetime
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from project import BUILD, ENTENTE, Project, Said, environment
from service import serving
from shop import events, export, feed, orders, table
from test_hooks import SECRETS, SIGN, deliver

START = datetime.date(2024, 3, 1)
CLOCK = BUILD / "tests" / "clock.so"
CSV = """\
  orders: {{partner: nordwind, from: {{glob: ./orders*.csv}}, decode: {{csv: {{system: shop, fact: order,
    columns: {{key: no, at: at, gross: total, total: total, currency: currency, status: status, cancelled_at: cancelled, paid_at: paid,
               refunded: refunded, version: version}},
    optional: [status, cancelled_at, paid_at, refunded, version], constants: {{currency: EUR}}}}}}}}
{more}"""
REFUNDS = """\
  refunds: {partner: nordwind, from: {glob: ./refunds*.csv}, decode: {csv: {system: shop, fact: refund,
    columns: {key: no, order: order, at: at, amount: amount}, constants: {currency: EUR}}}}
"""
CARTS = """\
  carts: {partner: nordwind, from: {glob: ./carts*.csv}, decode: {csv: {system: shop, fact: cart,
    columns: {key: no, started_at: at, recovered_at: recovered, value: value}, constants: {currency: EUR}}}}
"""
RATES = """\
  rates: {from: {glob: ./rates*.csv}, decode: {csv: {system: bank, fact: observation,
    columns: {from: day, value: value}, constants: {metric: rate, origin: rate, unit: USD, currency: EUR}}}}
"""
GA4 = "  web: {partner: nordwind, from: {glob: ./feed/*.json}, decode: {ga4: {currency: EUR}}}\n"
KEPT = "registers: {commitments: {kept_since: 2024-01-01}}"
DECLARED = """
metrics:
  orders.large: {count: order, where: {total: {at_least: 50}}}
  buyers.large: {distinct: order.customer, where: {total: {at_least: 50}}}
  sessions.far: {count: visit, where: {pageviews: {at_least: 1}, cart: true}}
  back: {sum: refund.amount, where: {kind: goods}}
  paid: {distribution: order.total}
"""
PARTNERS = "  nordwind: {name: Nordwind, zone: UTC}"
BOOK = '''
from zlib import crc32

from entente import NotEnoughEvidence, insight, money, red_flag, rule

READ = (
    "orders", "orders.cancelled", "revenue.gross", "revenue.net", "revenue.net_by_refund_day", "returns",
    "carts", "carts.left", "sessions", "visitors", "customers", "days_to_paid",
)


def seen(partner, name, window):
    try:
        measure = partner[name]
        return f"{(measure.median if name == 'days_to_paid' else measure.over)(window).number:g}"
    except NotEnoughEvidence:
        return "?"


@rule(practice="informative")
def figures(partner, *, window: str = "mtd"):
    """All that is seen."""
    told = [f"{name}={seen(partner, name, window)}" for name in READ]
    told.append("promises=" + ",".join(f"{e.id}:{e.state}" for e in partner.register("commitments")))
    told.append(f"covered={partner['orders'].coverage(window)}")
    told.append(f"signed={partner.profile.signed_on}")
    text = "; ".join(told)
    yield insight(text, key=f"{crc32(text.encode()):08x}")  # another text is another finding


@rule(practice="pace")
def few_orders(partner, *, least: int = 3, window: str = "7d"):
    """There are few orders.

    least  of them, in the window
    """
    found = partner["orders"].over(window)
    if found < least:
        yield red_flag(f"{found} orders", worth=(least - found) * money(100, partner), per=window)


@rule(practice="pace", after=("few_orders",))
def told_of_few(partner):
    """Reads what the other one says."""
    for found in partner.findings("few_orders"):
        yield insight(f"told: {found.text}")


@rule(practice="informative")
def rows(partner, *, window: str = "mtd"):
    """Single facts."""
    placed = partner.facts("order", window).rows("key", "status", "net")
    text = " ".join(f"{o.key}:{o.status}:{o.net.number:g}" for o in placed)
    text += f"; {len(partner.facts('refund', window).rows('amount'))} back"
    text += "; by vendor " + ",".join(f"{v.number:g}" for v in partner["orders"].by("campaign").over(window).values)
    yield insight(text, key=f"{crc32(text.encode()):08x}")
'''


def project(folder: Path, *more: str, partners: str = PARTNERS, top: str = KEPT) -> Project:
    p = Project(folder, sources=CSV.format(more="".join(more)), partners=partners, rules="  books: [./rules]", top=top)
    p.write("rules/book.py", BOOK)
    return p


def at(p: Project, day: str) -> Project:
    """The program's time of day is noon of that day from now on."""
    moment = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    p.environment = {
        "LD_PRELOAD": str(CLOCK),
        "CLOCK_AT": str(int(moment.timestamp())),
        "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
    }
    return p


def order_rows(first: int, days: range, **more: object) -> list[dict[str, object]]:
    """An order a day of 100 euros, on days of March 2024."""
    empty = {"status": "", "cancelled": "", "paid": "", "refunded": "", "version": ""}
    return [
        {"no": first + n, "at": f"2024-03-{day:02}T10:00:00Z", "total": "100.00", "currency": "EUR", **empty, **more}
        for n, day in enumerate(days)
    ]


def replay(p: Project, *words: str, status: int = 0) -> dict[str, Any]:
    said = p.entente("rules", "replay", *words)
    assert said.status == status, (said.status, said.err, said.json)
    return said.json


def texts(p: Project, rule: str, *words: str, partner: str = "nordwind") -> dict[str, str]:
    """By day, what the rule says."""
    told = replay(p, rule, *words)
    stands: dict[str, str] = {}
    out: dict[str, str] = {}
    for day in told["days"]:
        for change in told["changes"]:
            if change["day"] == day and change["partner"] == partner:
                if change["change"] == "cleared":
                    stands.pop(change["key"], None)
                else:
                    stands[change["key"]] = change["text"]
        [out[day]] = stands.values()
    return out


def seen(p: Project, *words: str) -> dict[str, dict[str, str]]:
    """By day, what the rule `figures` saw."""
    told = texts(p, "figures", *words).items()
    return {day: dict(part.split("=", 1) for part in text.split("; ")) for day, text in told}


def now(p: Project, day: str) -> dict[str, str]:
    """The same as a run says it."""
    p.run("--as-of", day)
    [(text,)] = p.sql("select text from v_finding where rule = 'figures' and state = 'open'")
    return dict(part.split("=", 1) for part in text.split("; "))


def same_as_store(p: Project, knowledge: str, *days: str) -> None:
    """The snapshot of the last of the days is that of the store, to the byte."""
    told = subprocess.run(
        [BUILD / "tests" / "project_past", p.config, knowledge, *days],
        env=environment(**p.environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert told.stdout == "same\n", told.stdout


# ---- nothing of the future: by events ----------------------------------------------------------------------------------


def test_a_refund_after_the_day(tmp_path: Path) -> None:
    p = project(tmp_path / "p", REFUNDS)
    p.write("orders.csv", table(order_rows(1, range(1, 11))))
    p.write("refunds.csv", table([{"no": 1, "order": 3, "at": "2024-03-08T09:00:00Z", "amount": "40.00"}]))
    p.run("--no-rules")
    told = seen(p, "--from", "2024-03-03", "--to", "2024-03-10")
    assert [told[f"2024-03-{day:02}"]["returns"] for day in (3, 7, 8, 10)] == ["0", "0", "40", "40"]
    assert told["2024-03-07"]["revenue.net"] == "700" and told["2024-03-08"]["revenue.net"] == "760"
    assert told["2024-03-10"] == now(p, "2024-03-10")


def test_a_cancellation_after_the_day(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    rows = order_rows(1, range(1, 11))
    rows[2] |= {"status": "cancelled", "cancelled": "2024-03-08T09:00:00Z", "refunded": "100.00"}
    p.write("orders.csv", table(rows))
    p.run("--no-rules")
    told = seen(p, "--from", "2024-03-03", "--to", "2024-03-10")
    assert [told[f"2024-03-{day:02}"]["orders"] for day in (3, 7, 8, 10)] == ["3", "7", "7", "9"]
    assert told["2024-03-07"]["returns"] == "0"
    assert told["2024-03-10"] == now(p, "2024-03-10")


def test_a_payment_after_the_day(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    rows = order_rows(1, range(1, 11))
    for row in rows[:5]:
        row["paid"] = "2024-03-09T09:00:00Z"
    p.write("orders.csv", table(rows))
    p.run("--no-rules")
    told = seen(p, "--from", "2024-03-05", "--to", "2024-03-10")
    assert told["2024-03-08"]["days_to_paid"] == "?" and told["2024-03-09"]["days_to_paid"] != "?"
    assert told["2024-03-10"] == now(p, "2024-03-10")


def test_a_cart_that_is_bought_after_the_day(tmp_path: Path) -> None:
    p = project(tmp_path / "p", CARTS)
    p.write("orders.csv", table(order_rows(1, range(1, 11))))
    cart = {"no": 1, "at": "2024-03-01T09:00:00Z", "recovered": "2024-03-06T09:00:00Z", "value": "10"}
    p.write("carts.csv", table([cart, {**cart, "no": 2, "at": "2024-03-08T09:00:00Z", "recovered": ""}]))
    p.run("--no-rules")
    told = seen(p, "--from", "2024-03-02", "--to", "2024-03-10")
    assert [told[f"2024-03-{day:02}"]["carts.left"] for day in (2, 5, 6, 8)] == ["1", "1", "0", "1"]
    assert told["2024-03-10"] == now(p, "2024-03-10")


def test_a_rate_of_a_later_day(tmp_path: Path) -> None:
    p = project(tmp_path / "p", RATES)
    p.write("orders.csv", table(order_rows(1, range(1, 11), currency="USD")))
    p.write("rates.csv", table([{"day": "2024-03-01", "value": "0.5"}, {"day": "2024-03-06", "value": "0.25"}]))
    p.run("--no-rules")
    told = seen(p, "--from", "2024-03-05", "--to", "2024-03-10")
    assert told["2024-03-05"]["revenue.gross"] == "250" and told["2024-03-06"]["revenue.gross"] == "275"


def test_what_facts_do_not_tell_is_said(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    rows = order_rows(1, range(1, 6))
    rows[0] |= {"status": "cancelled"}
    rows[1] |= {"refunded": "10.00"}
    p.write("orders.csv", table(rows))
    p.run("--no-rules")
    notes = replay(p, "figures", "--from", "2024-03-03", "--to", "2024-03-05")["not_known"]
    assert any(note.startswith("1 order was cancelled, nobody says when") for note in notes)
    assert any(note.startswith("1 order was paid back, nobody says when") for note in notes)
    assert any("as the configuration has them today" in note for note in notes)


def test_a_signature_after_the_day(tmp_path: Path) -> None:
    p = project(tmp_path / "p", partners="  nordwind: {name: Nordwind, signed_on: 2024-03-12}")
    p.write("orders.csv", table(order_rows(1, range(1, 15))))
    p.run("--no-rules")
    told = seen(p, "--from", "2024-03-10", "--to", "2024-03-14")
    assert told["2024-03-11"]["signed"] == "None" and told["2024-03-12"]["signed"] != "None"


# ---- nothing of the future: by arrival ----------------------------------------------------------------------------------


def test_a_late_file(tmp_path: Path) -> None:
    """About earlier days; with it comes the coverage of days of which nobody had spoken."""
    p = at(project(tmp_path / "p"), "2024-03-06")
    p.write("orders1.csv", table(order_rows(1, range(1, 6))))
    p.run("--no-rules")
    at(p, "2024-03-12").write("orders2.csv", table(order_rows(101, range(2, 11))), 10)
    p.run("--no-rules")
    at(p, "2024-03-31")
    told = replay(p, "figures", "--from", "2024-03-06", "--to", "2024-03-12")
    assert (told["knowledge"], told["because"]) == ("arrival", "arrival reaches back to the first day")
    by_arrival = seen(p, "--from", "2024-03-06", "--to", "2024-03-12")
    assert [by_arrival[f"2024-03-{day:02}"]["orders"] for day in (6, 11, 12)] == ["5", "?", "14"]
    assert [by_arrival[f"2024-03-{day:02}"]["covered"] for day in (11, 12)] == ["45.5%", "83.3%"]
    by_event = seen(p, "--from", "2024-03-06", "--to", "2024-03-12", "--knowledge", "event")
    assert by_event["2024-03-06"]["orders"] == "10" and by_event["2024-03-11"]["orders"] == "14"
    assert by_arrival["2024-03-12"] == by_event["2024-03-12"] == now(p, "2024-03-12")
    same_as_store(p, "arrival", "2024-03-06", "2024-03-11", "2024-03-12")


def test_an_order_that_changed_later(tmp_path: Path) -> None:
    """Another export tells it with another amount, on another day; then an older one comes, which loses."""
    p = at(project(tmp_path / "p"), "2024-03-06")
    p.write("orders1.csv", table(order_rows(1, range(1, 7))))
    p.run("--no-rules")
    at(p, "2024-03-07").write("orders2.csv", table(order_rows(3, range(4, 5), total="70.00")), 10)
    p.run("--no-rules")
    at(p, "2024-03-08").write("orders3.csv", table([*order_rows(3, range(2, 3), total="1.00"), *order_rows(9, range(8, 9))]), 5)
    p.run("--no-rules")
    told = seen(at(p, "2024-03-31"), "--from", "2024-03-06", "--to", "2024-03-09")
    assert [told[f"2024-03-0{day}"]["revenue.gross"] for day in (6, 7, 8, 9)] == ["600", "570", "670", "670"]
    assert told["2024-03-09"] == now(p, "2024-03-09")
    same_as_store(p, "arrival", "2024-03-06", "2024-03-07", "2024-03-09")


def sessions_by_day(p: Project) -> list[str]:
    told = seen(at(p, "2024-03-31"), "--from", "2024-03-02", "--to", "2024-03-06")
    assert told["2024-03-06"] == now(p, "2024-03-06")
    same_as_store(p, "arrival", "2024-03-02", "2024-03-04", "2024-03-06")
    return [told[f"2024-03-0{day}"]["sessions"] for day in range(2, 7)]


def test_a_restated_slice(tmp_path: Path) -> None:
    """The day's edition takes the place of the one of within the day, which is gone from the store, coverage and all."""
    p = project(tmp_path / "p", GA4)
    p.write("orders1.csv", table(order_rows(1, range(1, 6))))
    p.write("feed/events_intraday_20240301.json", feed(events(0, 20)), 1)
    for day in range(1, 6):
        p.write(f"feed/events_2024030{day + 1}.json", feed(events(day, 10)), day)
        if day == 4:
            p.write("feed/events_20240301.json", feed(events(0, 50, seed=3)), day)
        at(p, f"2024-03-0{day + 1}").run("--no-rules")
    assert p.sql("select live, arrived_us < gone_us from input where name like '%intraday%'") == [(0, 1)]
    assert sessions_by_day(p) == ["30", "40", "50", "90", "100"]


def test_a_file_that_came_again(tmp_path: Path) -> None:
    p = project(tmp_path / "p", GA4)
    p.write("orders1.csv", table(order_rows(1, range(1, 6))))
    for day in range(6):
        if day == 4:
            p.write("feed/events_20240301.json", feed(events(0, 50, seed=3)), 90)
        p.write(f"feed/events_2024030{day + 1}.json", feed(events(day, 10)), day) if day != 4 else None
        at(p, f"2024-03-0{day + 1}").run("--no-rules")
    assert sessions_by_day(p) == ["20", "30", "40", "80", "90"]


def test_what_a_source_could_not_speak_for(tmp_path: Path) -> None:
    """A file that grows: its days are those of what it had brought by then."""
    p = project(tmp_path / "p", GA4)
    p.write("orders1.csv", table(order_rows(1, range(1, 6))))
    lines = [*events(0, 10), *events(1, 10)]
    p.write("feed/stream.json", feed(lines), 1)
    at(p, "2024-03-02").run("--no-rules")
    p.write("feed/stream.json", feed([*lines, *(line for day in range(2, 6) for line in events(day, 10))]), 40)
    at(p, "2024-03-06").run("--no-rules")
    assert sessions_by_day(p) == ["20", "?", "?", "?", "60"]


def test_an_entry_that_was_recorded_later(tmp_path: Path) -> None:
    p = at(project(tmp_path / "p"), "2024-03-02")
    p.write("orders1.csv", table(order_rows(1, range(1, 6))))
    p.run("--no-rules")
    promise = ("register", "commitments")
    at(p, "2024-03-05").entente(*promise, "add", "nordwind", "text=a list", "who=us", "--on", "2024-03-02")
    at(p, "2024-03-08").entente(*promise, "close", "nordwind", "1", "--state", "kept")
    window = ("--from", "2024-03-02", "--to", "2024-03-09")
    told = seen(at(p, "2024-03-31"), *window)
    assert [told[f"2024-03-{day:02}"]["promises"] for day in (2, 4, 5, 7, 8)] == ["", "", "1:open", "1:open", "1:kept"]
    by_event = seen(p, *window, "--knowledge", "event")  # it says when it held; when it was kept was only recorded
    assert [by_event[f"2024-03-{day:02}"]["promises"] for day in (2, 7, 8)] == ["1:open", "1:open", "1:kept"]
    assert told["2024-03-09"] == now(p, "2024-03-09")


def test_a_rate_that_was_published_later(tmp_path: Path) -> None:
    p = at(project(tmp_path / "p", RATES), "2024-03-06")
    p.write("orders1.csv", table(order_rows(1, range(1, 10), currency="USD")))
    p.run("--no-rules")
    at(p, "2024-03-09").write("rates.csv", table([{"day": "2024-03-01", "value": "0.5"}]), 9)
    p.run("--no-rules")
    told = seen(at(p, "2024-03-31"), "--from", "2024-03-06", "--to", "2024-03-10")
    assert [told[f"2024-03-{day:02}"]["revenue.gross"] for day in (6, 8, 9, 10)] == ["?", "?", "450", "450"]
    assert told["2024-03-08"]["orders"] == "8"


def test_a_line_that_a_newer_file_lacks(tmp_path: Path) -> None:
    source = """\
  lines: {partner: nordwind, from: {glob: ./lines*.csv}, decode: {csv: {system: shop, fact: order-lines, complete: true,
    columns: {order: no, key: pos, at: at, gross: gross}, constants: {currency: EUR, quantity: 1}}}}
"""
    rows = [{"no": day, "pos": n, "at": f"2024-03-0{day}T10:00:00Z", "gross": "10.00"} for day in range(1, 7) for n in (1, 2)]
    p = Project(tmp_path / "p", sources=source, partners=PARTNERS, rules="  books: [./rules]", top=KEPT)
    p.write("rules/book.py", BOOK)
    p.write("lines1.csv", table(rows))
    at(p, "2024-03-06").run("--no-rules")
    p.write("lines2.csv", table(rows[:1]), 10)
    at(p, "2024-03-07").run("--no-rules")
    told = seen(at(p, "2024-03-31"), "--from", "2024-03-06", "--to", "2024-03-07")
    assert [told[day]["revenue.gross"] for day in ("2024-03-06", "2024-03-07")] == ["120", "110"]
    same_as_store(p, "arrival", "2024-03-06", "2024-03-07")


def test_a_log_that_grows(tmp_path: Path) -> None:
    """What a webhook brings is one document: on each day it speaks for the days that it had reached."""
    hook = BUILD / "tests" / "plugins" / "hook.so"
    source = f"  hook: {{partner: nordwind, decode: hook_lines, from: {{webhook: {{path: /in/nordwind, {SIGN}}}}}}}\n"
    p = Project(tmp_path / "p", source, partners=PARTNERS, rules="  books: [./rules]", top=f"plugins: [{hook}]\n{KEPT}")
    p.write("rules/book.py", BOOK)
    first = 20_000  # 4 October 2024
    for day, told in ((first + 1, (0, 1)), (first + 6, range(2, 7))):
        moment = datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
        p.environment = {**SECRETS, **at(p, moment.isoformat()).environment}
        with serving(p) as service:
            for n in told:
                assert deliver(service, "/in/nordwind", f"o k{n} {first + n} 500 x 0", f"n{n}") == 200
            service.until(lambda w=told: int(service.source("hook")["records"]) >= len(w), "all read")
            assert service.stop() == 0
    p.environment = {**SECRETS, **at(p, "2024-10-31").environment}
    found = seen(p, "--from", "2024-10-05", "--to", "2024-10-10", "--set", "window=2d")
    assert [found[f"2024-10-{day:02}"]["orders"] for day in range(5, 11)] == ["2", "?", "?", "?", "?", "2"]
    same_as_store(p, "arrival", "2024-10-05", "2024-10-08", "2024-10-10")


def test_compaction_takes_nothing_that_is_still_kept(tmp_path: Path) -> None:
    """Ten orders changed lately: what they were before is moved. What all were long before goes, and that is said."""
    p = project(tmp_path / "p", top=f"history: 30d\n{KEPT}")
    editions = (("2024-03-29", 10), ("2024-03-30", 15), ("2024-04-01", 18), ("2024-04-02", 20), ("2024-05-20", 30))
    for n, (day, total) in enumerate(editions):
        rows = order_rows(1, range(1, 32), total=f"{total}.00") * 3
        for k, row in enumerate(rows := [{**row, "no": k} for k, row in enumerate(rows)][:83]):
            row["at"] = f"{START + datetime.timedelta(days=k)}T10:00:00Z"
        p.write(f"orders{n}.csv", table(rows[60:70] if n == 4 else rows), n * 10)
        at(p, day).run("--no-rules")
    at(p, "2024-05-25")
    window = ("--from", "2024-05-18", "--to", "2024-05-22", "--set", "window=70d")
    before = seen(p, *window)
    assert [before[f"2024-05-{day}"]["revenue.gross"] for day in (18, 19, 20)] == ["1400", "1400", "1500"]
    assert replay(p, "figures", "--from", "2024-03-30", "--to", "2024-04-05")["knowledge"] == "arrival"
    assert p.entente("compact").json["compacted"] == 1
    assert seen(p, *window) == before
    late = replay(p, "figures", "--from", "2024-03-30", "--to", "2024-04-05")
    assert late["knowledge"] == "event" and "may be compacted away" in late["because"], late["because"]


def test_what_another_rule_said_is_of_that_day(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.write("orders.csv", table([*order_rows(1, range(1, 6)), *order_rows(50, range(12, 21))]))
    p.run("--no-rules")
    told = replay(p, "told_of_few", "--from", "2024-03-08", "--to", "2024-03-20")
    assert {c["rule"] for c in told["changes"]} == {"told_of_few"}
    alone = replay(p, "few_orders", "--from", "2024-03-08", "--to", "2024-03-20")

    def days(of: dict[str, Any]) -> list[tuple[str, str]]:
        return [(c["day"], c["change"]) for c in of["changes"]]

    assert days(told) == days(alone) and len(days(told)) >= 2


def test_single_facts_are_those_of_the_day(tmp_path: Path) -> None:
    """What rules ask of the ledger while they run is cut as the figures are, by events and by arrival."""
    p = project(tmp_path / "p", REFUNDS)
    rows = order_rows(1, range(1, 5))
    rows[1] |= {"status": "cancelled", "cancelled": "2024-03-04T09:00:00Z"}
    p.write("orders1.csv", table(rows))
    p.write("refunds.csv", table([{"no": 1, "order": 1, "at": "2024-03-03T09:00:00Z", "amount": "40.00"}]))
    at(p, "2024-03-04").run("--no-rules")
    told = texts(p, "rows", "--from", "2024-03-02", "--to", "2024-03-04", "--knowledge", "event")
    assert told["2024-03-02"] == "1:sold:100 2:sold:100; 0 back; by vendor 2"
    assert told["2024-03-03"] == "1:sold:60 2:sold:100 3:sold:100; 1 back; by vendor 3"
    assert told["2024-03-04"] == "1:sold:60 2:cancelled:100 3:sold:100 4:sold:100; 1 back; by vendor 3"
    p.write("orders2.csv", table([*order_rows(3, range(3, 4), total="70.00"), *order_rows(9, range(5, 6))]), 10)
    at(p, "2024-03-05").run("--no-rules")
    told = texts(at(p, "2024-03-31"), "rows", "--from", "2024-03-04", "--to", "2024-03-05", "--knowledge", "arrival")
    assert told["2024-03-04"] == "1:sold:60 2:cancelled:100 3:sold:100 4:sold:100; 1 back; by vendor 3"
    assert told["2024-03-05"] == "1:sold:60 2:cancelled:100 3:sold:70 4:sold:100 9:sold:100; 1 back; by vendor 4"


# ---- what is always so --------------------------------------------------------------------------------------------------


def test_all_knowledge_is_what_a_run_has(tmp_path: Path) -> None:
    """Everything that this test knows, at once: what came until today is the store; and so are the events of all days."""
    p = at(project(tmp_path / "p", REFUNDS, CARTS, RATES, GA4, top=KEPT + DECLARED), "2024-04-01")
    made = order_rows(1, range(1, 29), currency="USD")
    made[3] |= {"status": "cancelled", "cancelled": "2024-03-09T10:00:00Z"}
    p.write("orders1.csv", table(made))
    p.write("refunds.csv", table([{"no": 1, "order": 3, "at": "2024-03-08T09:00:00Z", "amount": "40.00"}]))
    p.write("rates.csv", table([{"day": f"2024-03-{day:02}", "value": f"0.{day + 10}"} for day in range(1, 30)]))
    for day in range(3):
        p.write(f"feed/events_2024030{day + 1}.json", feed(events(day, 60)), day)
    p.run("--no-rules")
    at(p, "2024-04-10").write("feed/events_20240302.json", feed(events(1, 80, seed=8)), 90)
    p.write("orders2.csv", table(order_rows(5, range(7, 12), total="33.00")), 90)
    p.entente("register", "commitments", "add", "nordwind", "text=a list", "who=us", "--on", "2024-03-02")
    p.run("--no-rules")
    days = [(START + datetime.timedelta(days=n)).isoformat() for n in range(31)]
    same_as_store(p, "event", *days)
    same_as_store(p, "event", days[-1])
    same_as_store(p, "arrival", *days, "2024-04-01", "2024-04-05", "2024-04-12")
    p.run("--as-of", "2024-03-31")
    diff = replay(p, "--from", "2024-03-31", "--to", "2024-03-31", "--knowledge", "event", "--diff")["diff"]
    assert diff["judged_as_of"] == "2024-03-31" and diff["findings"]
    assert {found["said"] for found in diff["findings"]} == {"both"}


def test_order_of_arrival_and_splits_are_no_matter_to_events(tmp_path: Path) -> None:
    made = orders(160, seed=5, days=40)
    halves = [made[:70], made[60:]]
    told = []
    for name, files in (
        ("whole", [("a.csv", made)]),
        ("split", [("a.csv", halves[0]), ("b.csv", halves[1])]),
        ("late-first", [("b.csv", halves[1]), ("a.csv", halves[0])]),
    ):
        source = "  shop: {partner: nordwind, from: {glob: ./*.csv}, decode: shopify}\n"
        p = Project(tmp_path / name, sources=source, partners=PARTNERS, rules="  books: [./rules]", top=KEPT)
        p.write("rules/book.py", BOOK)
        for n, (file, content) in enumerate(files):
            p.write(file, export(content))
            at(p, f"2024-05-0{n + 1}").run("--no-rules")
        told.append(replay(p, "--from", "2024-03-01", "--to", "2024-04-12", "--knowledge", "event"))
    assert len(told[0]["changes"]) > 40
    assert told[0]["changes"] == told[1]["changes"] == told[2]["changes"]


def test_nothing_of_the_store_is_written(tmp_path: Path) -> None:
    p = project(tmp_path / "p", REFUNDS)
    p.write("orders.csv", table(order_rows(1, range(1, 11))))
    p.run()
    before = {f: f.read_bytes() for f in sorted(p.store.rglob("*")) if f.is_file() and not f.name.endswith(("-shm", "-wal"))}
    replay(p, "--from", "2024-03-03", "--to", "2024-03-10", "--diff")
    assert before == {f: f.read_bytes() for f in before}
    assert p.sql("select count(*) from v_finding") == [(len(p.sql("select 1 from v_finding")),)]


# ---- the command ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    p = project(tmp_path_factory.mktemp("shop") / "p")
    p.write("orders.csv", table([*order_rows(1, range(1, 10)), *order_rows(50, range(20, 32))]))
    p.run("--as-of", "2024-03-31")
    return p


def text_of(p: Project, *words: str) -> Said:
    """As a person reads it."""
    with p.start("rules", "replay", *words) as child:
        out, err = child.communicate(timeout=120)
    return Said(child.returncode, {"out": out}, err)


def test_what_opened_and_cleared(shop: Project) -> None:
    told = replay(shop, "few_orders", "--from", "2024-03-07", "--to", "2024-03-31")
    assert told["knowledge"] == "event" and told["because"].startswith("nothing had arrived before 20")
    assert [(c["day"], c["change"]) for c in told["changes"]] == [("2024-03-14", "opened"), ("2024-03-22", "cleared")]
    assert told["changes"][0]["worth"] == 100
    [total] = told["totals"]
    assert (total["findings"], total["opened"], total["cleared"], total["at_the_end"], total["partners"]) == (1, 1, 1, 0, 1)
    assert sum(total["by_day"]) == total["true"] == 8 and total["true"] + total["false"] + total["unknown"] == 25
    shown = text_of(shop, "few_orders", "--from", "2024-03-07", "--to", "2024-03-31")
    assert re.search(r"2024-03-14 +nordwind +opened +red_flag +100 +few_orders +2 orders", shown.json["out"])
    assert "25 days, by event: what is known today, cut at the end of each day" in shown.json["out"]


def test_what_differs_from_now(shop: Project) -> None:
    told = replay(shop, "few_orders", "--from", "2024-03-07", "--to", "2024-03-17", "--diff")
    [found] = told["diff"]["findings"]
    assert (found["said"], found["since_then"], found["since_now"]) == ("then", "2024-03-14", None)
    told = replay(shop, "few_orders", "--from", "2024-03-07", "--to", "2024-03-31", "--set", "least=9", "--diff")
    assert [found["said"] for found in told["diff"]["findings"]] == ["then"]
    shown = text_of(shop, "few_orders", "--from", "2024-03-07", "--to", "2024-03-17", "--diff").json["out"]
    assert "2024-03-17 against now, which is as of 2024-03-31: 0 said on both, 1 on one of them" in shown
    assert re.search(r"nordwind +then only +2024-03-14 +· ", shown)


def test_a_finding_that_is_said_now_only(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.write("orders.csv", table(order_rows(1, range(1, 10))))
    p.write("more.csv", "")
    p.run("--as-of", "2024-03-15")
    told = replay(p, "few_orders", "--from", "2024-03-05", "--to", "2024-03-09", "--diff")
    assert [(f["said"], f["since_now"]) for f in told["diff"]["findings"]] in ([("now", "2024-03-15")], [])


def test_sweeps(shop: Project) -> None:
    window = ("few_orders", "--from", "2024-03-07", "--to", "2024-03-31")
    told = replay(shop, *window, "--set", "least=1..5/2", "--set", "window=7d,14d")
    assert [t["set"] for t in told["totals"]] == [
        f"least={least}, window={days}" for least in (1, 3, 5) for days in ("7d", "14d")
    ]
    alone = replay(shop, *window, "--set", "least=5", "--set", "few_orders.window=14d")
    swept = told["totals"][-1]
    [total] = alone["totals"]
    assert {**swept, "set": ""} == {**total, "set": ""} and total["true"] > 0
    configured = replay(shop, *window)["totals"][0]
    assert {**configured, "set": ""} == {**told["totals"][2], "set": ""}  # as it ships
    shown = text_of(shop, *window, "--set", "least=1,5").json["out"]
    assert re.search(r"^setting +findings +at the end +partners +worth", shown, re.M)
    assert re.search(r"^least=5 +1 +· +1 +", shown, re.M), shown


def test_steps(shop: Project) -> None:
    days = replay(shop, "few_orders", "--from", "2024-01-31", "--to", "2024-03-31", "--step", "1m")["days"]
    assert days == ["2024-01-31", "2024-02-29", "2024-03-31"]
    days = replay(shop, "few_orders", "--from", "2024-03-10", "--to", "2024-03-20", "--step", "1w")["days"]
    assert days == ["2024-03-10", "2024-03-17", "2024-03-20"]


def test_the_chart_is_one_file(shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "chart.html"
    told = replay(shop, "few_orders", "--from", "2024-03-07", "--to", "2024-03-31", "--diff", "--chart", str(file))
    page = file.read_text()
    assert told["totals"] and page.startswith("<!doctype html>") and page.count("<svg") >= 2
    assert "2 orders" in page and "few_orders" in page and "Against now" in page
    assert not re.search(r"(src|href)=|url\((?!#)|https?://", page)
    replay(shop, "few_orders", "--from", "2024-03-07", "--set", "least=1..9/2", "--chart", str(file))
    assert "By setting" in file.read_text()
    said = shop.entente("rules", "replay", "few_orders", "--from", "2024-03-07", "--chart", str(tmp_path / "no" / "x.html"))
    assert said.status == 1 and "cannot be written" in json.dumps(said.json)


def test_bars_on_a_terminal(shop: Project) -> None:
    command = f"{ENTENTE} rules replay few_orders --from 2024-03-07 -c {shop.config}"
    told = subprocess.run(
        ["script", "-qec", f"stty cols 160; {command}", "/dev/null"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if told.returncode == 127:
        pytest.skip("there is no `script` here")
    assert "findings by day" in told.stdout and "█" in told.stdout


@pytest.mark.parametrize(
    ("words", "status", "what", "todo"),
    [
        (["few_order", "--from", "2024-03-07"], 2, "there is no rule 'few_order'", "did you mean 'few_orders'?"),
        (["few_orders"], 2, "needs the day to begin with", "--from"),
        (["few_orders", "--from", "7 March"], 2, "--from takes a date, not '7 March'", "2025-01-31"),
        (["few_orders", "--from", "2024-03-31", "--to", "2024-03-01"], 2, "is after --to 2024-03-01", "turn"),
        (["few_orders", "--from", "2024-03-01", "--to", "2999-01-01"], 2, "has not come yet", "over"),
        (["few_orders", "--from", "2024-03-01", "--step", "often"], 2, "--step does not take 'often'", "7d"),
        (["few_orders", "--from", "2024-03-01", "--partner", "nordwin"], 2, "no partner 'nordwin'", "did you mean 'nordwind'?"),
        (["few_orders", "--from", "2024-03-01", "--set", "leest=1"], 2, "few_orders has no setting 'leest'", "did you mean 'least'?"),
        (["few_orders", "--from", "2024-03-01", "--set", "other.least=1"], 2, "'other' is none of the rules", "name it"),
        (["few_orders", "--from", "2024-03-01", "--set", "least"], 2, "--set takes no 'least'", "name=value"),
        (["few_orders", "--from", "2024-03-01", "--set", "least=many"], 2, "the setting 'least' of few_orders is 'many'", "a whole number"),
        (["few_orders", "--from", "2024-03-01", "--set", "window=soon"], 2, "which is no window", "28d"),
        (["few_orders", "--from", "2024-03-01", "--set", "least=1..9"], 2, "'1..9' is no range", "from..to/step"),
        (["few_orders", "--from", "2024-03-01", "--set", "least=9..1/1"], 2, "'9..1/1' is no range", "not after"),
        (["few_orders", "--from", "2024-03-01", "--set", "least=1,2", "--diff"], 2, "--diff compares one setting", "--diff"),
    ],
)  # fmt: skip
def test_what_is_typed_wrongly(shop: Project, words: list[str], status: int, what: str, todo: str) -> None:
    said = shop.entente("rules", "replay", *words)
    [error] = said.json["errors"]
    assert said.status == status and what in error["what"] and todo in error["todo"], (said.status, error)


def test_a_rule_that_does_not_end_is_left_out(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.rules = "  books: [./rules]\n  deadline: 300ms"
    p.configure()
    p.write(
        "rules/slow.py",
        'from entente import rule\n\n\n@rule(practice="pace")\ndef slow(partner):\n'
        '    """Does not end in April."""\n    while partner.today.month == 3 and partner.today.day > 3:\n        pass\n    return []\n',
    )
    p.write("orders.csv", table(order_rows(1, range(1, 6))))
    p.run("--no-rules")
    said = p.entente("rules", "replay", "slow", "few_orders", "--from", "2024-03-03", "--to", "2024-03-05")
    assert said.status == 4 and "the rule slow was stopped" in said.err
    told = {total["rule"]: total for total in said.json["totals"]}
    assert told["few_orders"]["true"] + told["few_orders"]["false"] + told["few_orders"]["unknown"] == 3
    assert told["slow"]["false"] == 1


def test_what_the_page_shows(tmp_path: Path) -> None:
    """The examples of docs/rules.md, run over the sample project, say what stands there."""
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
    shown = re.findall(r"```console\n\$ entente (rules replay .*?)\n(.*?)```", page, re.S)
    folder = tmp_path / "sample"
    for words in (["init", str(folder), "--sample"], ["run"]):
        subprocess.run(
            [ENTENTE, *words],
            cwd=folder if folder.exists() else tmp_path,
            env=environment(),
            capture_output=True,
            timeout=300,
            check=True,
        )
    assert len(shown) == 2
    for words, text in shown:
        done = subprocess.run(
            [ENTENTE, *words.split()],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        assert done.stdout.startswith(text)
        assert "not known here:" in done.stdout[len(text) :]  # how many of what, the sample says
