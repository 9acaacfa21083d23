# SPDX-License-Identifier: Apache-2.0
"""The cells of a store as the text that the peers write: equal bytes mean equal figures.

Orders: partner|day|channel|orders|total|refunded|units|customers. GA4: day|medium|sessions|users|purchases|revenue|carts
left. Orders that were cancelled later are placed orders for the peers, so both are added here.
"""

import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

SALES = """SELECT partner, day, value, orders + orders_cancelled, total + total_cancelled, refunded,
    units + units_cancelled FROM v_cell_sales WHERE view = 'channel' AND origin = ?"""
TRAFFIC = "SELECT day, value, sessions, purchases, sessions_cart_left FROM v_cell_traffic WHERE view = 'channel'"
MEMBERS = "SELECT partner, day, value, n FROM v_cell_set WHERE view = 'channel' AND space = ?"


def money(micros: int) -> str:
    """With two decimals, exactly: a fraction of a cent would be a difference."""
    cents, rest = divmod(micros, 10_000)
    if rest:
        raise ValueError(f"{micros} millionths are no whole cents")
    return f"{cents // 100}.{cents % 100:02d}"


def members(store: sqlite3.Connection, space: str) -> dict[tuple[str, str, str], int]:
    return {(p, d, v): n for p, d, v, n in store.execute(MEMBERS, (space,))}


def orders(database: Path, names: dict[str, str]) -> bytes:
    """Orders by partner, day, channel. `names`: what the peers call a partner."""
    lines = []
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        customers = members(store, "customers")
        for p, d, v, count, total, refunded, units in store.execute(SALES, ("shop",)):
            who = customers.get((p, d, v), 0)
            lines.append(((names[p], d, v), f"{count}|{money(total)}|{money(refunded)}|{units // 1000}|{who}"))
    return text(lines)


def visits(database: Path) -> bytes:
    """Visits by day and medium, with the purchases that were seen."""
    lines = []
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        users = members(store, "visitors")
        revenue = {(d, v): total for _, d, v, _, total, _, _ in store.execute(SALES, ("analytics",))}
        for d, v, sessions, purchases, left in store.execute(TRAFFIC):
            who, worth = users.get(("web", d, v), 0), money(revenue.pop((d, v), 0))
            lines.append(((d.replace("-", ""), v), f"{sessions}|{who}|{purchases}|{worth}|{left}"))
    if revenue:
        raise ValueError(f"purchases without a visit: {sorted(revenue)[:5]}")
    return text(lines)


def text(lines: Sequence[tuple[tuple[str, ...], str]]) -> bytes:
    """In order of the keys' bytes."""
    ordered = sorted(lines, key=lambda line: tuple(word.encode() for word in line[0]))
    return "".join(f"{'|'.join(key)}|{rest}\n" for key, rest in ordered).encode()


def compare(what: str, mine: bytes, other: Path) -> tuple[int, int]:
    """Number of cells, and how many lines differ; the first are shown."""
    theirs = other.read_bytes()
    ours = mine.splitlines()
    if mine == theirs:
        return len(ours), 0
    different = sorted(set(ours) ^ set(theirs.splitlines()))
    for line in different[:6]:
        who = "entente" if line in ours else "DuckDB"
        print(f"{what}: only {who} has {line.decode()}", file=sys.stderr)
    return len(ours), max(1, len(different))
