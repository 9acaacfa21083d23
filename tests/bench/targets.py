# SPDX-License-Identifier: Apache-2.0
"""What is asked of the main job, figure by figure, and how a measured figure stands to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """One row: `least` means that more is better."""

    name: str
    must: float
    stretch: float
    unit: str
    least: bool = False

    def reached(self, measured: float, goal: float) -> bool:
        return measured >= goal if self.least else measured <= goal

    def written(self, value: float) -> str:
        digits = 0 if value >= 100 else 1 if value >= 10 else 2
        return f"{value:,.{digits}f} {self.unit}"


def wide() -> bool:
    """Has this processor what the widest of the scans needs?"""
    return "avx512_vbmi2" in Path("/proc/cpuinfo").read_text()


def targets() -> dict[str, Target]:
    """By the key under which a figure is measured."""
    rows = {
        "end_to_end": Target("end to end, against DuckDB, then Python", 3.0, 4.0, "×", True),
        "pandas": Target("end to end, against pandas", 12, 17, "×", True),
        "orders": Target("orders, against DuckDB", 4.0, 5.0, "×", True),
        "mixed": Target("orders of all partners mixed, against DuckDB", 2.2, 3.5, "×", True),
        "ga4": Target("GA4, against DuckDB", 2.0, 3.5 if wide() else 2.5, "×", True),
        "memory": Target("peak memory of all processes", 200, 120, "MiB"),
        "second": Target("second run, nothing new, of the first", 10, 3, "%"),
        "changed_order": Target("one changed order, warm, to new findings", 50, 10, "ms"),
        "rules": Target("12 rules, each partner", 30, 22, "µs"),
        "rows": Target("rules that walk rows", 5, 7, "M/s", True),
        "many_all": Target("100,000 partners × 15 rules, warm: all", 6, 3, "s"),
        "many_few": Target("the same, 1 % changed", 0.1, 0.04, "s"),
        "start": Target("start, to the first byte read and Python ready", 25, 12, "ms"),
        "ledger": Target("ledger, durable", 5, 15, "M orders/s", True),
    }
    return rows


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """The first column to the left, all others to the right."""
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(heads))]
    lines = []
    for row in [heads, *rows]:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join((row[0].ljust(widths[0]), *cells)).rstrip())
    return "\n".join(lines)


def show(figures: dict[str, float], skipped: dict[str, str]) -> str:
    """The table of targets; a figure that was not measured says why."""
    rows = []
    for key, target in targets().items():
        sign = "≥" if target.least else "≤"
        goals = (f"{sign} {target.written(target.must)}", f"{sign} {target.written(target.stretch)}")
        if key not in figures:
            rows.append((target.name, *goals, "", skipped.get(key, "not measured")))
            continue
        value = figures[key]
        met = "no"
        if target.reached(value, target.must):
            met = "stretch" if target.reached(value, target.stretch) else "must"
        rows.append((target.name, *goals, target.written(value), met))
    return table(("figure", "must", "stretch", "measured", "met"), rows)
