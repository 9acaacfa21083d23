# SPDX-License-Identifier: Apache-2.0
"""What others take for the same job. All optional: without them the benchmark says so and goes on.

DuckDB is taken from npm's platform package by the runner duckdb/run.sh, which is kept outside of the project beside the
queries; rules/rules.py holds the twelve rules in plain Python; pandas is Debian's python3-pandas, installed by hand.
"""

import os
import shutil
from pathlib import Path

from data import Data
from measure import Took, run

PYTHON = "/usr/bin/python3"


class DuckDB:
    """DuckDB on as many threads as there are processors. Its queries write cells as text."""

    def __init__(self, peers: Path, out: Path) -> None:
        self.peers, self.out = peers, out
        self.program = out / "duckdb-cache" / "duck"
        self.why = ""

    def ready(self, data: Data) -> bool:
        """Builds it at first use, which takes a network and node, and runs once to warm up. `why` says why not."""
        runner = self.peers / "duckdb" / "run.sh"
        if not runner.is_file():
            self.why = f"its runner is not in {self.peers}; name the folder with --peers"
        elif not self.program.is_file() and not shutil.which("npm"):
            self.why = "it is taken from npm, which is not installed"
        else:
            self.out.mkdir(parents=True, exist_ok=True)
            done = run(["sh", runner, data.folder, self.out, str(os.cpu_count() or 1)])
            if done.status or not self.program.is_file():
                self.why = f"it cannot be had: {(done.err or done.out).strip()[-200:]}"
        return not self.why

    def query(self, name: str, file: Path, into: str) -> Took:
        """One of its queries over one file."""
        return self.sql(self.peers / "duckdb" / f"{name}.sql", file, into)

    def sql(self, query: Path, file: Path, into: str, memory: bool = False) -> Took:
        """A query from a file of its own."""
        out = self.out / into
        out.unlink(missing_ok=True)
        done = run([self.program, query, file, out, str(os.cpu_count() or 1)], memory=memory)
        if done.status or not out.is_file():
            raise RuntimeError(f"DuckDB failed: {done.err}")
        return done

    def rules(self) -> Took:
        """The twelve rules over its cells, in plain Python."""
        return run([PYTHON, self.peers / "rules" / "run.py", self.out / "orders.cells"])


class Pandas:
    """pandas, on one thread."""

    def __init__(self, peers: Path, out: Path) -> None:
        self.peers, self.out = peers, out
        self.why = ""

    def ready(self) -> bool:
        if not (self.peers / "pandas" / "orders.py").is_file():
            self.why = f"its programs are not in {self.peers}"
        elif run([PYTHON, "-c", "import pandas"]).status:
            self.why = "python3-pandas is not installed"
        return not self.why

    def job(self, data: Data) -> float:
        """Seconds of the whole job: orders, GA4, and the rules over its cells."""
        self.out.mkdir(parents=True, exist_ok=True)
        total = 0.0
        for name, file in (("orders", data.orders), ("ga4", data.ga4)):
            done = run([PYTHON, self.peers / "pandas" / f"{name}.py", file, self.out / f"pandas.{name}"])
            if done.status:
                raise RuntimeError(f"pandas failed: {done.err[-500:]}")
            total += done.seconds
        return total + run([PYTHON, self.peers / "rules" / "run.py", self.out / "pandas.orders"]).seconds
