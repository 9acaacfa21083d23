# SPDX-License-Identifier: Apache-2.0
"""How cost grows with bytes, orders, partners, days, views and rules: three sizes each, one varied at a time.

    tests/bench/scale.py [--work FOLDER] [--only FACTOR]... [--small] [--json]

Orders come as one lean row each (scale_data.c), from one file, into a new store on disk. Processor seconds are those of all
processes; peak memory is sampled in the same run, so seconds of the wall clock are a little too high. What one more of a
factor costs is the slope of a least-squares line through its three sizes. --small: a hundredth of everything, to try it.
"""

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from data import RULEBOOK
from measure import machine, run
from run import BUILD, ENVIRONMENT
from targets import table

VIEWS = ("channel", "country", "campaign", "region")
DECODE = (
    "{csv: {fact: order, columns: {key: id, partner: partner, at: at, total: total, customer: customer, channel: channel, "
    "country: country, campaign: campaign, region: region}, constants: {currency: EUR}}}"
)


@dataclass(frozen=True)
class Size:
    """What a store is made of."""

    orders: int = 1_000_000
    partners: int = 100
    days: int = 100
    padding: int = 0
    views: int = 1
    rules: int = 0

    def smaller(self) -> "Size":
        partners = max(1, self.partners // 100)
        return replace(self, orders=max(partners, self.orders // 100), partners=partners)


BASE = Size()
MANY = Size(orders=2_000_000, partners=10_000)
FACTORS: dict[str, tuple[str, tuple[Size, ...]]] = {
    "bytes": ("byte", tuple(replace(BASE, padding=n) for n in (0, 300, 900))),
    "orders": ("order", tuple(replace(BASE, orders=n) for n in (1_000_000, 5_000_000, 20_000_000))),
    "partners": ("cell", tuple(replace(MANY, partners=n) for n in (1_000, 10_000, 100_000))),
    "days": ("cell", tuple(replace(BASE, partners=1_000, days=n) for n in (30, 120, 480))),
    "views": ("cell", tuple(replace(BASE, views=n) for n in (0, 1, 4))),
    "rules": ("evaluation", tuple(replace(MANY, rules=n) for n in (1, 4, 12))),
    "judged": ("partner", tuple(replace(MANY, partners=n, rules=12) for n in (1_000, 10_000, 100_000))),
}


@dataclass(frozen=True)
class Result:
    """What it took. `amount`: of what the factor is counted in."""

    factor: str
    size: Size
    amount: int
    megabytes: float
    seconds: float
    cpu: float
    peak: float  # MiB
    ledger: float  # MB
    database: float  # MB
    cells: int
    stages: dict[str, float]


def prepare(size: Size, work: Path) -> Path:
    """The project and its file."""
    tool, folder = work / "scale_data", work / "project"
    if not tool.is_file():
        subprocess.run(["cc", "-O2", "-o", tool, Path(__file__).with_name("scale_data.c")], check=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words = [tool, folder / "orders.csv", size.orders, size.partners, size.days, size.padding]
    subprocess.run([str(word) for word in words], check=True)
    book = folder / "rules"
    book.mkdir()
    if size.rules:
        head, *rules = (RULEBOOK / "twelve.py").read_text().split("\n\n\n@rule")
        (book / "some.py").write_text("\n\n\n@rule".join([head, *rules[: size.rules]]))
    partners = "".join(f"  p{n:06d}: {{industry: goods}}\n" for n in range(size.partners))
    (folder / "entente.yaml").write_text(
        f"version: 1\ncurrency: EUR\nas_of: latest\nviews: [{', '.join(VIEWS[: size.views])}]\npartners:\n{partners}"
        f"sources:\n  shop: {{partner: {{from: fact}}, from: {{file: ./orders.csv}}, decode: {DECODE}}}\n"
        f"rules: {{books: [{'./rules' if size.rules else ''}]}}\n"
    )
    return folder


def counted(folder: Path) -> int:
    """Cells of the store."""
    with sqlite3.connect(f"file:{folder}/store/entente.db?mode=ro", uri=True) as store:
        count: int = store.execute("SELECT count(*) FROM v_cell_sales").fetchone()[0]
    return count


def measure(factor: str, size: Size, work: Path) -> Result:
    """One run."""
    folder = prepare(size, work)
    more = () if size.rules else ("--no-rules",)
    took = run([BUILD / "bin" / "entente", "run", "--json", *more], folder, memory=True, more=ENVIRONMENT)
    if took.status:
        raise RuntimeError(f"{factor} {size}: entente run ended with {took.status}: {(took.err or took.out)[-1000:]}")
    told: dict[str, Any] = json.loads(took.out)
    stages = dict(told["read"]["stages"])
    if size.rules:
        stages |= {"snapshot": told["snapshot_seconds"], "rules": told["judged"]["seconds"]}
    cells, bytes_ = counted(folder), (folder / "orders.csv").stat().st_size
    amounts = {"byte": bytes_, "order": size.orders, "cell": cells, "evaluation": size.rules * size.partners,
               "partner": size.partners}
    ledger, database = (sum(p.stat().st_size for p in (folder / "store").glob(of)) / 1e6 for of in ("ledger/*", "entente.db*"))
    shutil.rmtree(folder)
    return Result(factor, size, amounts[FACTORS[factor][0]], bytes_ / 1e6, took.seconds, took.cpu, took.peak / (1 << 20),
                  ledger, database, cells, stages)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line of least squares."""
    n = len(points)
    x, y = (sum(point[i] for point in points) / n for i in (0, 1))
    spread = sum((point[0] - x) ** 2 for point in points)
    return sum((px - x) * (py - y) for px, py in points) / spread if spread else 0.0


def show(results: list[Result]) -> str:
    heads = ("factor", "orders", "partners", "days", "views", "rules", "MB", "cells", "CPU s", "s", "peak MiB", "log MB", "db MB")
    rows = [
        (r.factor, f"{r.size.orders:,}", f"{r.size.partners:,}", str(r.size.days), str(1 + r.size.views), str(r.size.rules),
         f"{r.megabytes:,.0f}", f"{r.cells:,}", f"{r.cpu:.2f}", f"{r.seconds:.2f}", f"{r.peak:,.0f}", f"{r.ledger:,.0f}",
         f"{r.database:,.0f}")
        for r in results
    ]
    costs = []
    for factor, (unit, _) in FACTORS.items():
        mine = [r for r in results if r.factor == factor]
        if len(mine) > 1:
            cpu, peak = (slope([(r.amount, getattr(r, what)) for r in mine]) for what in ("cpu", "peak"))
            costs.append((factor, unit, f"{cpu * 1e9:,.1f} ns", f"{peak * (1 << 20):,.1f} B"))
    stages = [(r.factor, f"{r.amount:,}", *(f"{name} {s:.2f}" for name, s in r.stages.items())) for r in results]
    width = max(len(row) for row in stages)
    stages = [(*row, *[""] * (width - len(row))) for row in stages]
    return "\n\n".join((table(heads, rows), table(("factor", "one more", "CPU", "memory"), costs),
                        table(("factor", "amount", *[""] * (width - 2)), stages)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="where files and stores are made, and deleted again")
    parser.add_argument("--only", action="append", choices=FACTORS, help="this factor; may be repeated")
    parser.add_argument("--small", action="store_true", help="a hundredth of everything")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="scale-", dir=asked.work))
    results: list[Result] = []
    try:
        for factor in asked.only or FACTORS:
            for size in FACTORS[factor][1]:
                results.append(measure(factor, size.smaller() if asked.small else size, work))
                last = results[-1]
                print(f"… {factor} {last.amount:,}: {last.cpu:.2f} CPU s, {last.peak:,.0f} MiB", file=sys.stderr)
    finally:
        shutil.rmtree(work)
        if results and asked.json:
            print(json.dumps({"machine": machine(), "results": [asdict(result) for result in results]}, indent=2))
        elif results:
            print(f"{machine()}\n\n{show(results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
