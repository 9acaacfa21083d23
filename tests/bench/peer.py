# SPDX-License-Identifier: Apache-2.0
"""Entente against DuckDB on the same exports, in alternation, and whether both come to the same cells.

    tests/bench/peer.py --data FOLDER [--peer FOLDER] [--rounds N]

FOLDER holds what run.py generates with --keep: orders.csv, ga4.ndjson and partners/*.csv. DuckDB is optional: its runner
(run.sh DATA OUT THREADS, which takes the library from npm) is kept outside of the project, and without it, or without a
network, this says so and ends well. DuckDB reads orders.csv; Entente reads the same rows from partners/, each partner in
the zone that its file is written in, and keeps log and store on disk. Compared are orders, money, refunds, units and
distinct customers of every partner, day and channel.
"""

import argparse
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", ROOT / "build"))
Cells = dict[tuple[str, str, str], tuple[int, int, int, int, int]]

SALES = """SELECT partner, day, value, orders + orders_cancelled, total + total_cancelled, refunded,
    units + units_cancelled FROM v_cell_sales WHERE view = 'channel'"""
CUSTOMERS = "SELECT partner, day, value, n FROM v_cell_set WHERE view = 'channel'"


def zone_of(path: Path) -> str:
    """The offset in which a partner's file is written, as +HH:MM."""
    with open(path, encoding="utf-8") as file:
        file.readline()
        found = re.search(r" ([+-]\d\d)(\d\d),", file.readline())
    return f"{found[1]}:{found[2]}" if found else "+00:00"


def configuration(data: Path) -> str:
    """A project over the data: one source, a partner for every file."""
    files = sorted((data / "partners").glob("*.csv"))
    partners = "".join(f"  {path.stem}: {{zone: '{zone_of(path)}'}}\n" for path in files)
    return (
        f"version: 1\ncurrency: USD\nas_of: latest\npartners:\n{partners}sources:\n  orders:\n"
        f"    partner: {{from: path, pattern: '{{partner}}.csv'}}\n"
        f"    from: {{glob: '{data / 'partners'}/*.csv'}}\n    decode: shopify\n"
    )


def entente(data: Path, folder: Path) -> float:
    """One run into a new store; the seconds it took."""
    shutil.rmtree(folder / "store", ignore_errors=True)
    (folder / "entente.yaml").write_text(configuration(data))
    environment = {**os.environ, "ENTENTE_PLUGINS": str(BUILD / "plugins")}
    begin = time.monotonic()
    subprocess.run([BUILD / "bin" / "entente", "run", "--no-rules", "--quiet"], cwd=folder, env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def duckdb(runner: Path, data: Path, out: Path) -> float | None:
    """One run of the peer's orders; None where it cannot be had."""
    done = subprocess.run(["sh", runner, data, out, str(os.cpu_count() or 1)], capture_output=True, text=True, check=False)
    found = re.search(r"duckdb orders: ([\d.]+) s", done.stderr + done.stdout)
    return float(found[1]) if found else None


def micros(text: str) -> int:
    """A decimal as millionths."""
    whole, _, part = text.partition(".")
    return int(whole or "0") * 1_000_000 + int((part + "000000")[:6]) if text else 0


def ours(folder: Path) -> Cells:
    """Cells as the store has them; distinct customers from the sets."""
    with sqlite3.connect(f"file:{folder / 'store' / 'entente.db'}?mode=ro", uri=True) as store:
        customers = {(p, d, v): n for p, d, v, n in store.execute(CUSTOMERS)}
        return {
            (p, d, v): (orders, total, refunded, units // 1000, customers.get((p, d, v), 0))
            for p, d, v, orders, total, refunded, units in store.execute(SALES)
        }


def theirs(path: Path) -> Cells:
    """Cells as DuckDB wrote them: partner|day|channel|orders|total|refunded|units|customers."""
    cells: Cells = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        partner, day, channel, orders, total, refunded, units, customers = line.split("|")
        key = (re.sub(r"Partner (\d+).*", r"p\1", partner), day, channel)
        cells[key] = (int(orders), micros(total), micros(refunded), int(units), int(customers))
    return cells


def compare(mine: Cells, other: Cells) -> int:
    """How many cells differ; the first are shown."""
    different = sorted(key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key))
    for key in different[:5]:
        print(f"{' '.join(key)}: entente {mine.get(key)}, DuckDB {other.get(key)}", file=sys.stderr)
    return len(different)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--peer", type=Path, default=ROOT.parent / "shared" / "bench" / "peers" / "duckdb", metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    runner, data = asked.peer / "run.sh", asked.data.resolve()
    if not runner.is_file():
        print(f"skipped: DuckDB's runner is not in {asked.peer}; name its folder with --peer")
        return 0
    with tempfile.TemporaryDirectory(prefix="entente-peer-") as name:
        folder, out = Path(name) / "project", Path(name) / "peer"
        folder.mkdir()
        seconds: list[tuple[float, float]] = []
        for _ in range(asked.rounds):
            peer = duckdb(runner, data, out)
            if peer is None:
                print("skipped: DuckDB cannot be had; it is taken from npm, which needs a network and node")
                return 0
            seconds.append((entente(data, folder), peer))
        mine, peer_median = (statistics.median(pair[i] for pair in seconds) for i in (0, 1))
        ratio = statistics.median(pair[1] / pair[0] for pair in seconds)
        print(f"orders, wall, medians of {len(seconds)} pairs: entente {mine:.2f} s, DuckDB {peer_median:.2f} s, "
              f"ratio {ratio:.2f}")
        cells = ours(folder)
        different = compare(cells, theirs(out / "orders.cells"))
        print(f"{len(cells):,} cells, {different:,} differ")
        return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
