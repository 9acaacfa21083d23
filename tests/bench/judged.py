# SPDX-License-Identifier: Apache-2.0
"""Do the twelve rules flag the partners that the peer's twelve rules flag?

The peer's rules (rules/rules.py, plain Python) are evaluated here over DuckDB's cells. Two things differ by intent, and
are put right before comparing: a cohort's figure is released rounded to three digits, so the peer's is rounded, too; and
customers of a window are united, where the peer adds up those of days and channels, so that rule is asked of figures that
DuckDB unites.
"""

import datetime
import importlib.util
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data import Data
from peers import DuckDB

NAMES = (
    "few_orders little_revenue many_refunds small_orders more_refunds_than_peers same_customers few_units large falls "
    "revenue_sinks refunds_rise single_day"
).split()
UNITED = """COPY (WITH r AS (SELECT "Vendor" v,"Name" n,"Email" e,"Created at" c FROM read_csv('@F',header=true,delim=',',
quote='"',escape='"',all_varchar=true,auto_detect=false,columns=@C)),
o AS (SELECT v,n,substr(min(c),1,10) d,max(e) e FROM r GROUP BY v,n)
SELECT v,count(*),count(DISTINCT e) FROM o WHERE d > '{before}' GROUP BY v ORDER BY v)
TO '@O' (HEADER false, DELIMITER '|', QUOTE '')"""
Series = dict[str, tuple[list[float], ...]]


def peer_rules(peers: Path) -> Any:
    """The peer's module of rules."""
    spec = importlib.util.spec_from_file_location("peer_rules", peers / "rules" / "rules.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def last_day(cells: Path) -> str:
    """The last day of the cells."""
    return max(line.split("|", 2)[1] for line in cells.read_text().splitlines())


def series(cells: Path) -> Series:
    """Orders, revenue, refunds, units, customers by day, of each partner."""
    rows = [line.split("|") for line in cells.read_text().splitlines()]
    first = datetime.date.fromisoformat(min(row[1] for row in rows))
    days = (datetime.date.fromisoformat(max(row[1] for row in rows)) - first).days + 1
    found: Series = {}
    for name, day, _, *values in rows:
        if name not in found:
            found[name] = tuple([0.0] * days for _ in range(5))
        at = (datetime.date.fromisoformat(day) - first).days
        for column, value in zip(found[name], values, strict=True):
            column[at] += float(value)
    return found


def middle(values: Sequence[float]) -> float:
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def released(value: float) -> float:
    """As a cohort's figure is released."""
    return float(f"{value:.3g}")


def expected(duckdb: DuckDB, data: Data) -> set[tuple[str, str]]:
    """(rule, name of the partner) of all that the peer flags."""
    rules = peer_rules(duckdb.peers)
    cells = duckdb.out / "orders.cells"
    found = series(cells)
    cohort = {name: released(value) for name, value in rules.cohort(list(found.values())).items()}
    flagged = {
        (name, partner)
        for partner, measures in found.items()
        for name, judge in zip(NAMES, rules.RULES, strict=True)
        if name != "same_customers" and judge(measures, cohort)
    }
    before = datetime.date.fromisoformat(last_day(cells)) - datetime.timedelta(28)
    query = duckdb.out / "united.sql"
    query.write_text(UNITED.format(before=before).replace("\n", " "))
    duckdb.sql(query, data.orders, "united.cells")
    counts = [line.split("|") for line in (duckdb.out / "united.cells").read_text().splitlines()]
    usual = released(middle([float(c) for _, _, c in counts])) / released(middle([float(o) for _, o, _ in counts]))
    return flagged | {("same_customers", name) for name, o, c in counts if float(c) / float(o) < usual * 0.9}


def flagged(database: Path, names: dict[str, str]) -> set[tuple[str, str]]:
    """What the rules said in a store. Of the partner that only analytics knows they can say nothing."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT rule, partner, verdict FROM v_verdict").fetchall()
    if {rule.rpartition(".")[2] for rule, _, _ in rows} != set(NAMES):
        raise ValueError(f"other rules were judged: {sorted({rule for rule, _, _ in rows})}")
    unknown = [(rule, partner) for rule, partner, verdict in rows if verdict not in ("true", "false") and partner in names]
    if unknown:
        raise ValueError(f"{len(unknown)} verdicts are not known, the first of {unknown[0]}")
    return {(rule.rpartition(".")[2], names[p]) for rule, p, verdict in rows if verdict == "true" and p in names}


def compare(mine: set[tuple[str, str]], other: set[tuple[str, str]]) -> int:
    """How many verdicts differ; the first are shown."""
    for rule, partner in sorted(mine ^ other)[:6]:
        print(f"rules: only {'entente' if (rule, partner) in mine else 'the peer'} flags {partner} by {rule}", file=sys.stderr)
    return len(mine ^ other)
