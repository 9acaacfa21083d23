# SPDX-License-Identifier: Apache-2.0
"""The engine's own tests of data, from files to findings of the rule that ships: each finds what is planted for it, with the
file, and clean orders raise nothing."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from project import Project
from shop import cents, table

SOURCES = """\
  heads:
    partner: nordwind
    from: {file: ./heads.csv}
    decode:
      csv:
        system: erp
        fact: order
        columns: {key: "no", at: at, customer: customer, currency: currency, total: total}
  lines:
    partner: nordwind
    from: {file: ./lines.csv}
    decode:
      csv:
        system: erp
        fact: line
        columns: {order: "no", key: pos, sku: sku, quantity: quantity, unit_price: price, currency: currency}
"""
FIRST = datetime.date(2024, 3, 1)
Rows = list[dict[str, Any]]


def made() -> tuple[Rows, Rows]:
    """Six orders a day for 120 days, of two lines each."""
    heads: Rows = []
    lines: Rows = []
    for n in range(720):
        day = FIRST + datetime.timedelta(days=n // 6)
        at = datetime.datetime.combine(day, datetime.time(9 + n % 6, n % 60, n % 59))
        prices = (1000 + n * 37 % 5000, 500 + n % 300)
        heads.append({"no": f"H{n}", "at": at.isoformat(), "customer": f"c{n % 90}@example.com", "currency": "EUR",
                      "total": cents(sum(prices))})  # fmt: skip
        for pos, price in enumerate(prices):
            lines.append({"no": f"H{n}", "pos": pos, "sku": f"S{price % 20}", "quantity": 1, "price": cents(price), "currency": "EUR"})
    return heads, lines


def lost_lines(heads: Rows, lines: Rows) -> None:
    lines[:] = [line for k, line in enumerate(lines) if k % 60]


def day_and_month(heads: Rows, lines: Rows) -> None:
    for head in heads:
        at = datetime.datetime.fromisoformat(head["at"])
        if (at.day, at.month, at.hour) in ((3, 4, 11), (4, 5, 11), (3, 5, 11), (5, 4, 11)):
            head["at"] = at.replace(day=at.month, month=at.day).isoformat()


def lost_days(heads: Rows, lines: Rows) -> None:
    heads[:] = [head for head in heads if not "2024-05-06" <= head["at"][:10] <= "2024-05-08"]


def told_twice(heads: Rows, lines: Rows) -> None:
    for n in (100, 200, 300):
        heads.append({**heads[n], "no": f"COPY{n}"})
        lines.extend({**line, "no": f"COPY{n}"} for line in list(lines) if line["no"] == f"H{n}")


PLANTED = {
    "lines_against_total": (lost_lines, "24 of 714 orders from heads are not what their lines add up to"),
    "swapped_dates": (day_and_month, "4 orders from heads seem to have day and month swapped"),
    "gap": (lost_days, "no order from 2024-05-06 to 2024-05-08, where 1"),
    "duplicates": (told_twice, "3 orders stand there twice, under different keys"),
}


def findings(folder: Path, planted: str = "") -> list[tuple[str, str, str]]:
    p = Project(folder, SOURCES, rules="  books: [shipped]")
    heads, lines = made()
    if planted:
        PLANTED[planted][0](heads, lines)
    p.write("heads.csv", table(heads))
    p.write("lines.csv", table(lines))
    p.run()
    return [tuple(row) for row in p.sql("select key, text, json from finding where rule = 'sources_disagree'")]  # type: ignore[misc]


def test_clean_orders_raise_nothing(tmp_path: Path) -> None:
    assert findings(tmp_path / "p") == []


@pytest.mark.parametrize("check", PLANTED)
def test_what_is_planted_is_found(tmp_path: Path, check: str) -> None:
    [(key, text, json)] = findings(tmp_path / "p", check)
    assert key.startswith(f"{check} heads")
    assert text.startswith(PLANTED[check][1]), text
    assert "heads.csv, byte " in json or check == "gap"
