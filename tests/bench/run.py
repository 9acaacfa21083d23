# SPDX-License-Identifier: Apache-2.0
"""How fast `entente run` reads: GB/s, rows/s and peak memory, on generated exports.

    cmake --build build --target bench
    tests/bench/run.py --generators PATH [--large] [--workers N] [--keep FOLDER] [--json]

The generators are gen_orders.c (orders exports in Shopify's layout) and gen_ga4.c (GA4's BigQuery export);
they are kept outside of this project. Each case is read by a store of its own, the cache of the file system
warm. CPU is the time of all processes of the run, and says more than the wall clock where the machine has
other work. Memory is the peak of their summed proportional set size, sampled every 20 ms.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", ROOT / "build"))


@dataclass(frozen=True)
class Case:
    """What is read."""

    name: str
    files: str  # pattern below the data
    decode: str


CASES = (
    Case("orders, one file", "orders.csv", "shopify"),
    Case("orders, 200 files", "partners/*.csv", "shopify"),
    Case("GA4, one file", "ga4.ndjson", "{ga4: {currency: USD}}"),
)


@dataclass(frozen=True)
class Result:
    """What it took."""

    case: str
    size: str
    workers: int
    megabytes: float
    records: int
    facts: int
    seconds: float
    cpu_seconds: float
    gigabytes_per_second: float
    rows_per_second: float
    peak_megabytes: float
    ledger_megabytes: float
    store_megabytes: float


def generate(generators: Path, into: Path, megabytes: int) -> Path:
    """Data of about this size of each kind; what is there already stays."""
    data = into / f"{megabytes}MB"
    tools = into / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    data.mkdir(exist_ok=True)
    for name, target, arguments in (
        ("gen_orders", data / "orders.csv", [str(data), str(megabytes)]),
        ("gen_ga4", data / "ga4.ndjson", [str(data / "ga4.ndjson"), str(megabytes)]),
    ):
        if target.exists():
            continue
        subprocess.run(["cc", "-O2", "-w", "-o", tools / name, generators / f"{name}.c"], check=True)
        subprocess.run([tools / name, *arguments], check=True, capture_output=True)
    return data


def family(pid: int) -> list[int]:
    """The process and all that it started."""
    found, queue = [], [pid]
    while queue:
        now = queue.pop()
        found.append(now)
        try:
            queue += [int(child) for child in Path(f"/proc/{now}/task/{now}/children").read_text().split()]
        except OSError:
            pass
    return found


def memory(pid: int) -> int:
    """Proportional set size of one process, in KiB."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:  # it has ended
        pass
    return 0


def measure(case: Case, data: Path, workers: int) -> Result:
    """One run over the case."""
    with tempfile.TemporaryDirectory(prefix="entente-bench-") as name:
        folder = Path(name)
        (folder / "entente.yaml").write_text(
            f"version: 1\ncurrency: USD\nas_of: latest\nworkers: {workers}\n"
            "partners:\n  all: {name: All}\n"
            f"sources:\n  data:\n    partner: all\n    from: {{glob: '{data / case.files}'}}\n"
            f"    decode: {case.decode}\n"
        )
        paths = sorted(data.glob(case.files))
        for path in paths:  # into the cache
            with open(path, "rb") as file:
                while file.read(1 << 22):
                    pass
        size = sum(path.stat().st_size for path in paths)
        environment = {**os.environ, "ENTENTE_PLUGINS": str(BUILD / "plugins")}
        with open(folder / "out", "w+") as out:
            child = subprocess.Popen(
                [BUILD / "bin" / "entente", "run", "--no-rules", "--json"],
                cwd=folder,
                env=environment,
                stdout=out,
                text=True,
            )
            peak = 0
            before = os.times()
            while child.poll() is None:
                peak = max(peak, sum(memory(pid) for pid in family(child.pid)))
                time.sleep(0.02)
            after = os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            out.seek(0)
            told = json.load(out)
        if child.returncode != 0:
            sys.exit(f"{case.name}: entente run ended with {child.returncode}")
        read = told["read"]
        seconds = read["seconds"]
        ledger = sum(path.stat().st_size for path in (folder / "store" / "ledger").iterdir())
        store = sum(path.stat().st_size for path in (folder / "store").rglob("*") if path.is_file())
        return Result(
            case=case.name,
            size=data.name,
            workers=workers,
            megabytes=size / 1e6,
            records=read["records"],
            facts=read["facts"],
            seconds=seconds,
            cpu_seconds=cpu,
            gigabytes_per_second=size / 1e9 / seconds,
            rows_per_second=read["records"] / seconds,
            peak_megabytes=peak / 1024,
            ledger_megabytes=ledger / 1e6,
            store_megabytes=store / 1e6,
        )


def show(results: list[Result]) -> None:
    """The table for people."""
    heads = ("case", "size", "workers", "s", "CPU s", "GB/s", "rows/s", "facts/s", "peak MB", "store MB")
    rows = [
        (
            r.case,
            r.size,
            str(r.workers),
            f"{r.seconds:.2f}",
            f"{r.cpu_seconds:.2f}",
            f"{r.gigabytes_per_second:.3f}",
            f"{r.rows_per_second:,.0f}",
            f"{r.facts / r.seconds:,.0f}",
            f"{r.peak_megabytes:.0f}",
            f"{r.store_megabytes:.0f}",
        )
        for r in results
    ]
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(heads))]
    for row in [heads, *rows]:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        print("  ".join((row[0].ljust(widths[0]), *cells)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    usual = ROOT.parent / "shared" / "bench" / "gen"
    parser.add_argument("--generators", type=Path, default=usual, metavar="FOLDER")
    parser.add_argument("--large", action="store_true", help="1 GB of each, too, not only 100 MB")
    parser.add_argument("--workers", type=int, action="append", help="decoders at once; may be repeated")
    parser.add_argument("--keep", type=Path, help="keep the data here, for the next time")
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    asked = parser.parse_args()
    if not (asked.generators / "gen_orders.c").is_file():
        print(f"skipped: the generators are not in {asked.generators}; name their folder with --generators")
        return 0
    into = asked.keep or Path(tempfile.mkdtemp(prefix="entente-bench-data-"))
    results = []
    try:
        for megabytes in (100, 1000) if asked.large else (100,):
            data = generate(asked.generators, into, megabytes)
            for workers in asked.workers or [os.cpu_count() or 1]:
                for case in CASES:
                    results.append(measure(case, data, workers))
                    if not asked.json:
                        print(f"… {case.name}, {data.name}: {results[-1].seconds:.2f} s", file=sys.stderr)
    finally:
        if not asked.keep:
            shutil.rmtree(into)
    if asked.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    else:
        show(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
