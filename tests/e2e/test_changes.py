# SPDX-License-Identifier: Apache-2.0
"""What changes in the exports changes the figures, as if only the newest had ever been read."""

import datetime
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from project import Project, same
from shop import Line, Order, events, export, feed, moved, orders, table

SOURCES = """\
  exports:
    partner: nordwind
    from: {directory: ./exports}
    decode: shopify
"""
FEEDS = """\
  analytics:
    partner: nordwind
    from: {glob: "./feed/*.json"}
    decode: {ga4: {currency: EUR}}
"""
MADE = orders(300, seed=2)


def shop(folder: Path) -> Project:
    return Project(folder, SOURCES)


def changed(order: Order, pick: random.Random) -> Order:
    """The order, some time later."""
    more = Line("NEW", 1, pick.randrange(100, 5000))
    ways: tuple[Callable[[], Order], ...] = (
        lambda: replace(order, lines=order.lines[:1]),
        lambda: replace(order, lines=(*order.lines, more)),
        lambda: replace(order, lines=(more,)),
        lambda: moved(order, pick.choice((-3, 1, 40))),
        lambda: replace(order, channel="pos"),
        lambda: replace(order, currency="USD"),
        lambda: replace(order, cancelled=not order.cancelled),
        lambda: replace(order, refunded=order.subtotal // 2, status="partially_refunded"),
        lambda: replace(order, status="voided"),
        lambda: replace(order, customer="somebody@example.com"),
        lambda: replace(order, customer=""),
        lambda: order,
    )
    return pick.choice(ways)()


@pytest.fixture(scope="module")
def later() -> list[Order]:
    pick = random.Random(3)
    return [changed(order, pick) for order in MADE]


def fresh(folder: Path, made: list[Order], dated: int) -> Project:
    """A store that has seen only this."""
    p = shop(folder)
    p.write("exports/1.csv", export(made), dated)
    p.run()
    return p


def test_newer_export_replaces(tmp_path: Path, later: list[Order]) -> None:
    p = shop(tmp_path / "replaced")
    p.write("exports/1.csv", export(MADE), 0)
    p.run()
    before = p.facts()
    p.write("exports/1.csv", export(later), 100)
    said = p.run()
    assert said.json["balance"][0]["replaced"] > 200
    assert p.facts() != before
    same([fresh(tmp_path / "fresh", later, 100), p])


@pytest.mark.parametrize("together", [True, False], ids=["one-run", "two-runs"])
@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")], ids=["old-first", "new-first"])
def test_rank_wins_over_arrival(
    tmp_path: Path, later: list[Order], names: tuple[str, str], together: bool
) -> None:
    """An older export that arrives later does not win, and leaves no trace in any figure."""
    p = shop(tmp_path / "p")
    for name, made, dated in sorted([(names[0], MADE, 0), (names[1], later, 100)]):
        p.write(f"exports/{name}", export(made), dated)
        if not together:
            p.run()
    p.run()
    same([fresh(tmp_path / "fresh", later, 100), p])


@pytest.mark.parametrize("seed", range(6))
def test_many_versions_in_any_order(tmp_path: Path, seed: int) -> None:
    """Five exports that overlap, orders changing on the way: only the newest version of each counts."""
    pick = random.Random(seed)
    history: list[tuple[str, int, list[Order]]] = []
    now = {order.number: order for order in MADE[:120]}
    last: dict[int, int] = {}
    for n in range(5):
        told = pick.sample(sorted(now), pick.randint(20, 100))
        for number in told:
            now[number] = changed(now[number], pick)
            last[number] = n
        history.append((f"{pick.randrange(10**6):06d}.csv", n * 100, [now[number] for number in told]))
    newest = shop(tmp_path / "newest")
    for name, dated, made in history:
        kept = [order for order in made if last[order.number] == dated // 100]
        if kept:
            newest.write(f"exports/{name}", export(kept), dated)
    newest.run()
    shuffled = shop(tmp_path / "shuffled")
    pick.shuffle(history)
    for name, dated, made in history:
        shuffled.write(f"exports/{name}", export(made), dated)
        if pick.random() < 0.7:
            shuffled.run()
    shuffled.run()
    same([newest, shuffled])


def test_deleted_line_is_gone(tmp_path: Path) -> None:
    order = Order(1, MADE[0].at, "", (Line("A", 2, 1000), Line("B", 1, 500)))
    p = shop(tmp_path / "p")
    p.write("exports/1.csv", export([order]), 0)
    p.run()
    assert (p.figure("lines"), p.figure("gross")) == (2, 25_000_000)
    p.write("exports/2.csv", export([replace(order, lines=order.lines[:1])]), 10)
    p.run()
    assert (p.figure("orders"), p.figure("lines"), p.figure("gross")) == (1, 1, 20_000_000)


def test_order_moves_to_another_day(tmp_path: Path) -> None:
    """With its lines, its customer and its channel."""
    at = datetime.datetime(2024, 3, 5, 12, tzinfo=datetime.UTC)
    order = Order(1, at, "a@example.com", (Line("A", 1, 1000), Line("B", 1, 500)), channel="web")
    p = shop(tmp_path / "p")
    p.write("exports/1.csv", export([order]), 0)
    p.run()
    p.write("exports/1.csv", export([replace(moved(order, 2), channel="pos")]), 10)
    p.run()
    query = "select day, coalesce(value, ''), orders, lines, gross from v_cell_sales where orders or gross"
    assert sorted(p.sql(query)) == [("2024-03-07", value, 1, 2, 15_000_000) for value in ("", "pos")]
    assert {day for (day,) in p.sql("select day from v_cell_set where n > 0")} == {"2024-03-07"}


def test_refund_is_dated_to_the_order(tmp_path: Path) -> None:
    order = Order(1, MADE[0].at, "", (Line("A", 1, 5000),))
    p = shop(tmp_path / "p")
    p.write("exports/1.csv", export([order]), 0)
    p.run()
    assert p.sql("select * from v_cell_sales where returns or refunded") == []
    p.write("exports/1.csv", export([replace(order, status="partially_refunded", refunded=2000)]), 10)
    p.run()
    refunded = p.sql("select day, refunded from v_cell_sales where refunded and view = 'total'")
    assert refunded == [("2024-03-01", 20_000_000)]
    assert 0 < p.figure("returns") <= 20_000_000
    same([fresh(tmp_path / "fresh", [replace(order, status="partially_refunded", refunded=2000)], 10), p])


# ---- restated days ---------------------------------------------------------------------------------------

DAILY = "feed/events_20240301.json"
INTRADAY = "feed/events_intraday_20240301.json"
FULL = events(0, 80)


def analytics(folder: Path, *files: tuple[str, list[str], int]) -> Project:
    """A store that has seen these files, one run each."""
    p = Project(folder, FEEDS)
    for name, lines, dated in files:
        p.write(name, feed(lines), dated)
        p.run()
    return p


NEXT = ("feed/events_20240302.json", events(1, 30), 0)


@pytest.mark.parametrize(
    "files",
    [
        [NEXT, (DAILY, FULL[:200], 0), (DAILY, FULL, 10)],
        [(DAILY, FULL + events(2, 30), 0), NEXT, (DAILY, FULL, 10)],
        [(DAILY, [], 0), NEXT, (DAILY, FULL, 10)],
        [(DAILY, events(0, 80, seed=9), 0), (DAILY, FULL[:50], 5), (DAILY, FULL, 10), NEXT],
        [(INTRADAY, FULL[:150], 0), NEXT, (DAILY, FULL, 10)],
        [(INTRADAY, FULL[:50], 0), (INTRADAY, FULL[:150], 5), (DAILY, FULL, 10), NEXT],
        [NEXT, (DAILY, FULL, 10), (INTRADAY, FULL[:150], 20)],
        [NEXT, (DAILY, FULL[:150], 5), (INTRADAY, FULL, 6), (DAILY, FULL, 10), (INTRADAY, FULL[:10], 20)],
        [("feed/events_20240301_000000000000.json", FULL[::2], 10), (INTRADAY, FULL, 3), NEXT,
         ("feed/events_20240301_000000000001.json", FULL[1::2], 10)],
        [("feed/events_20240301_000000000000.json", FULL[::2], 10), NEXT,
         ("feed/events_20240301_000000000001.json", events(0, 80, seed=9), 5),
         ("feed/events_20240301_000000000001.json", FULL[1::2], 10)],
    ],
    ids=[
        "grown", "shrunk", "was-empty", "three-times", "intraday", "intraday-twice", "intraday-late",
        "both-twice", "shards", "shard-restated",
    ],
)  # fmt: skip
def test_restated_day_replaces(tmp_path: Path, files: list[tuple[str, list[str], int]]) -> None:
    same([analytics(tmp_path / "once", NEXT, (DAILY, FULL, 10)), analytics(tmp_path / "restated", *files)])


@pytest.mark.parametrize("workers", [1, 2])
def test_editions_found_together(tmp_path: Path, workers: int) -> None:
    """Intraday and daily edition of a day in one run; by name the daily one is read first."""
    p = Project(tmp_path / "p", FEEDS, top=f"workers: {workers}")
    p.write(INTRADAY, feed(FULL[:150]), 0)
    p.write(DAILY, feed(FULL), 10)
    p.write(NEXT[0], feed(NEXT[1]))
    p.run()
    same([analytics(tmp_path / "once", NEXT, (DAILY, FULL, 10)), p])


def purchase(day: int, worth: float) -> str:
    """An event of day `day` that tells of the purchase T."""
    [told] = [e for e in events(day, 1, seed=7) if "session_start" in e]
    return told.replace("session_start", "purchase").replace(
        '"privacy_info"', f'"ecommerce":{{"transaction_id":"T","purchase_revenue":{worth}}},"privacy_info"'
    )


@pytest.mark.parametrize("gone", [0, 1])
def test_what_lost_counts_again(tmp_path: Path, gone: int) -> None:
    """A purchase that two days told of: once the day that won lacks it, the other's word counts."""
    days = [
        (f"feed/events_2024030{day + 1}.json", [*events(day, 20), purchase(day, 10.5 + day)], 0)
        for day in (0, 1)
    ]
    without = (days[gone][0], events(gone, 20), 10)
    once = analytics(tmp_path / "once", days[1 - gone], without)
    p = analytics(tmp_path / "p", *days, without)
    assert p.figure("gross", origin="analytics") == once.figure("gross", origin="analytics")
    same([once, p])


def test_restating_is_one_commit(tmp_path: Path) -> None:
    """Coverage, too, is that of the newest edition alone."""
    p = analytics(tmp_path / "p", NEXT, (INTRADAY, FULL[:100], 0), (DAILY, FULL[:150], 5), (DAILY, FULL, 10))
    assert p.sql("select count(*) from v_coverage where kind = 5") == [(2,)]
    said = p.run()
    assert (said.read["inputs"], said.read["unchanged"]) == (0, 3), "the superseded edition is not read again"
    assert p.sql("select count(*) from input where live") == [(2,)]


VISITS = """\
  visits:
    partner: nordwind
    from: {glob: "./visits/*.csv"}
    decode: {csv: {fact: visit, columns: {key: id, at: at, pageviews: pages, visitor: who}}}
  sales:
    partner: nordwind
    from: {glob: "./sales/*.csv"}
    decode: {csv: {fact: order, columns: {key: id, at: at, total: total}, constants: {currency: EUR}}}
"""


def test_changed_table_of_visits_adds_nothing_twice(tmp_path: Path) -> None:
    """Parts of visits add up: those of a file that comes again must go first. Its orders need not."""
    rows = [{"id": n, "at": f"2024-03-0{n % 5 + 1}", "pages": n, "who": f"w{n % 7}"} for n in range(40)]
    sold = [{"id": n, "at": f"2024-03-0{n % 5 + 1}", "total": n} for n in range(40)]
    p, once = (Project(tmp_path / name, VISITS) for name in ("p", "once"))
    p.write("visits/a.csv", table(rows[:30]), 0)
    p.write("visits/b.csv", table(rows[20:]), 0)
    p.write("sales/a.csv", table(sold[:30]), 0)
    p.run()
    p.write("visits/a.csv", table([dict(row, pages=1) for row in rows[:25]]), 10)
    p.write("sales/a.csv", table(sold[20:]), 0)
    p.run()
    once.write("visits/a.csv", table([dict(row, pages=1) for row in rows[:25]]), 10)
    once.write("visits/b.csv", table(rows[20:]), 0)
    once.write("sales/a.csv", table(sold), 0)
    once.run()
    assert p.figure("sessions", "traffic") == 40
    # the orders of the file that came again are newer than the ones it lacks: their ranks are those of no other store
    assert [p.facts()[group] for group in ("cells", "members")] == [once.facts()[group] for group in ("cells", "members")]
