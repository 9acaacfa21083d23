# SPDX-License-Identifier: Apache-2.0
"""The whole job through the real `entente run`, against what others take for it, in alternation, within one call.

    cmake --build build --target bench
    tests/bench/run.py [--data FOLDER | --generators FOLDER] [--peers FOLDER] [--large] [--rounds N] [--keep FOLDER] [--json]

The job: orders of 200 partners and GA4 events, about 100 MB of each (--large: 1 GB), a new store on disk, then twelve
rules for each partner. In each round the peers take turns with Entente; ratios are medians of pairs. The cells of both are
compared byte for byte, and so are the verdicts of the rules: a difference is an error. Memory is sampled in a run of its own.
Peers and generators are optional and kept outside of the project; what is not there is skipped, and said.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cells
import extras
import judged
from data import ROOT, SHARED, Data, Project, generate
from measure import Took, machine, run
from peers import DuckDB, Pandas
from targets import show, table

BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", ROOT / "build"))
STAGES = ("decoding", "preparing", "waiting", "folding", "committing", "storing")
ENVIRONMENT = {"ENTENTE_PLUGINS": str(BUILD / "plugins")}


@dataclass
class Case:
    """What Entente reads in one go, and its runs."""

    name: str
    project: Project
    size: int  # bytes
    words: tuple[str, ...] = ()  # of the command
    runs: list[tuple[Took, dict[str, Any]]] = field(default_factory=list)

    def run(self, memory: bool = False) -> Took:
        """One run into a new store."""
        self.project.forget()
        took, told = self.once(memory)
        if not memory:
            self.runs.append((took, told))
        return took

    def once(self, memory: bool = False) -> tuple[Took, dict[str, Any]]:
        """One run into the store as it is."""
        took = run([str(BUILD / "bin" / "entente"), "run", "--json", *self.words], self.project.folder, memory, ENVIRONMENT)
        if took.status:
            raise RuntimeError(f"{self.name}: entente run ended with {took.status}: {took.err or took.out[-2000:]}")
        return took, json.loads(took.out)

    @property
    def seconds(self) -> float:
        return statistics.median(took.seconds for took, _ in self.runs)

    def stages(self) -> dict[str, float]:
        """Seconds of each stage, medians; decoding and storing are processor time beside the rest."""
        found = {stage: statistics.median(told["read"]["stages"][stage] for _, told in self.runs) for stage in STAGES}
        if "judged" in self.runs[0][1]:
            found["snapshot"] = statistics.median(told["snapshot_seconds"] for _, told in self.runs)
            found["rules"] = statistics.median(told["judged"]["seconds"] for _, told in self.runs)
        return found

    def row(self) -> tuple[str, ...]:
        stages = self.stages()
        cpu = statistics.median(took.cpu for took, _ in self.runs)
        told = self.runs[-1][1]["read"]
        rate = statistics.median(told["read"]["seconds"] for _, told in self.runs)
        return (self.name, f"{self.seconds:.3f}", f"{cpu:.2f}", f"{self.size / rate / 1e9:.2f}",
                f"{told['records'] / rate / 1e6:.2f} M",
                *(f"{stages[name]:.3f}" if name in stages else "" for name in (*STAGES, "snapshot", "rules")))


def cases(work: Path, data: Data, as_of: str) -> dict[str, Case]:
    """The four ways in which the data is read."""
    orders = sum(path.stat().st_size for path in data.partners)
    ga4 = data.ga4.stat().st_size
    alone = ("--no-rules",)
    return {
        "all": Case("orders, GA4, rules", Project(work / "all", data, "orders ga4", as_of, rules=True), orders + ga4),
        "orders": Case("orders, 200 files", Project(work / "orders", data, "orders", as_of), orders, alone),
        "mixed": Case("orders, mixed", Project(work / "mixed", data, "mixed", as_of), data.mixed.stat().st_size, alone),
        "ga4": Case("GA4", Project(work / "ga4", data, "ga4", as_of), ga4, alone),
    }


class Measuring:
    """One size of the data."""

    def __init__(self, data: Data, work: Path, peers: Path, quiet: bool) -> None:
        self.data, self.quiet = data, quiet
        self.duckdb, self.pandas = DuckDB(peers, work / "peers"), Pandas(peers, work / "peers")
        self.peers: dict[str, list[float]] = {}
        self.figures: dict[str, float] = {}
        self.skipped: dict[str, str] = {}
        self.differ = 0
        data.warm()
        as_of = "latest"
        if self.duckdb.ready(data):
            as_of = judged.last_day(self.duckdb.out / "orders.cells")
        self.cases = cases(work, data, as_of)

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr)

    def took(self, what: str, seconds: float) -> None:
        self.peers.setdefault(what, []).append(seconds)

    def round(self) -> None:
        """Entente and each peer in turn."""
        self.cases["all"].run()
        if not self.duckdb.why:
            orders = self.duckdb.query("orders", self.data.orders, "orders.cells").seconds
            ga4 = self.duckdb.query("ga4", self.data.ga4, "ga4.cells").seconds
            self.took("end_to_end", orders + ga4 + self.duckdb.rules().seconds)
        for name, file in (("orders", self.data.orders), ("ga4", self.data.ga4), ("mixed", self.data.mixed)):
            self.cases[name].run()
            if not self.duckdb.why:
                query = "ga4" if name == "ga4" else "orders"
                self.took(name, self.duckdb.query(query, file, f"{name}.cells").seconds)
        if not self.pandas.why:
            self.took("pandas", self.pandas.job(self.data))

    def check(self) -> None:
        """The cells and verdicts of the last round, byte for byte."""
        if self.duckdb.why:
            return
        out = self.duckdb.out
        for name, make in (("all", cells.orders), ("orders", cells.orders), ("mixed", cells.orders)):
            project = self.cases[name].project
            file = out / ("mixed.cells" if name == "mixed" else "orders.cells")
            self.equal(name, make(project.database, project.names), file)
        for name in ("all", "ga4"):
            self.equal(f"{name}, GA4", cells.visits(self.cases[name].project.database), out / "ga4.cells")
        project = self.cases["all"].project
        mine = judged.flagged(project.database, project.names)
        different = judged.compare(mine, judged.expected(self.duckdb, self.data))
        self.say(f"rules: {len(judged.NAMES) * len(project.names):,} verdicts, {len(mine):,} true, {different} differ")
        self.differ += different

    def equal(self, what: str, mine: bytes, other: Path) -> None:
        count, different = cells.compare(what, mine, other)
        self.say(f"{what}: {count:,} cells, {different:,} differ")
        self.differ += different

    def measure(self, rounds: int) -> None:
        if self.duckdb.why:
            self.say(f"DuckDB is skipped: {self.duckdb.why}")
        if not self.pandas.ready():
            self.say(f"pandas is skipped: {self.pandas.why}")
        for n in range(rounds):
            self.say(f"… round {n + 1} of {rounds}")
            self.round()
        self.check()
        self.ratios()
        everything = self.cases["all"]
        second = [everything.once()[0].seconds for _ in range(rounds)]
        self.figures["second"] = 100 * statistics.median(second) / everything.seconds
        self.figures["memory"] = everything.run(memory=True).peak / (1 << 20)

    def ratios(self) -> None:
        for key, case in (("end_to_end", "all"), ("pandas", "all"), ("orders", "orders"), ("mixed", "mixed"), ("ga4", "ga4")):
            if key in self.peers:
                mine = [took.seconds for took, _ in self.cases[case].runs]
                pairs = zip(self.peers[key], mine, strict=True)
                self.figures[key] = statistics.median(other / own for other, own in pairs)
            else:
                self.skipped[key] = "no pandas" if key == "pandas" else "no DuckDB"

    def text(self) -> str:
        heads = ("case", "s", "CPU s", "GB/s", "rows/s", *STAGES, "snapshot", "rules")
        parts = [table(heads, [case.row() for case in self.cases.values()])]
        if self.peers:
            rows = [(name, f"{statistics.median(s):.3f}", str(len(s))) for name, s in self.peers.items()]
            parts.append(table(("peer", "s, median", "runs"), rows))
        parts.append(show(self.figures, self.skipped))
        return "\n\n".join(parts)

    def json(self) -> dict[str, Any]:
        return {
            "data": self.data.folder.name,
            "cases": {
                name: {"seconds": case.seconds, "runs": [took.seconds for took, _ in case.runs], "bytes": case.size,
                       "cpu_seconds": [took.cpu for took, _ in case.runs], "stages": case.stages()}
                for name, case in self.cases.items()
            },
            "peers": self.peers,
            "figures": self.figures,
            "skipped": self.skipped,
            "differ": self.differ,
        }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="data that is there already: orders.csv, partners/, ga4.ndjson")
    parser.add_argument("--generators", type=Path, default=SHARED / "gen", metavar="FOLDER")
    parser.add_argument("--peers", type=Path, default=SHARED / "peers", metavar="FOLDER")
    parser.add_argument("--large", action="store_true", help="1 GB of each, not 100 MB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep data and peers here, for the next time")
    parser.add_argument("--only-job", action="store_true", help="without the rows of the table that have programs of their own")
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    work = (asked.keep or Path(tempfile.mkdtemp(prefix="entente-bench-"))).resolve()
    work.mkdir(parents=True, exist_ok=True)
    try:
        megabytes = 1000 if asked.large else 100
        data = Data(asked.data.resolve()) if asked.data else generate(asked.generators, work, megabytes)
        if data is None:
            print(f"skipped: no generators in {asked.generators}; name their folder with --generators, or data with --data")
            return 0
        m = Measuring(data, work, asked.peers.resolve(), asked.json)
        m.measure(asked.rounds)
        if not asked.only_job:
            extras.measure(BUILD, m.figures, m.skipped, m.say)
        if asked.json:
            print(json.dumps({"machine": machine(), **m.json()}, indent=2))
        else:
            print(f"{machine()}; {data.folder.name}, {asked.rounds} rounds\n\n{m.text()}")
        return 1 if m.differ else 0
    finally:
        for name in ("all", "orders", "mixed", "ga4"):
            shutil.rmtree(work / name, ignore_errors=True)
        if not asked.keep:
            shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
