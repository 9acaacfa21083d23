# SPDX-License-Identifier: Apache-2.0
"""How long `entente run` takes from its start until a decoder has read the first byte of an export, and until Python is
ready in the rules worker that starts beside it. Wall clock: `perf trace` notes a few system calls as the kernel makes them,
and stops nobody (strace did, and doubled what it measured); it needs the rights to do so. On a machine with other work to do
both are longer. Prints one JSON object, medians and least figures of 20 runs into new stores.

    tests/bench/start.py [RUNS]
"""

import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", ROOT / "build"))
LINE = re.compile(r"^ *(\d+\.\d+) \(.*?\): +\S+?/(\d+) +(.*?) *$", re.MULTILINE)
ORDERS = "key,at,total\n" + "".join(f"{n},2026-06-{1 + n % 28:02} 12:00:00,{n % 90}.50\n" for n in range(2000))
CONFIG = """version: 1
currency: EUR
as_of: latest
workers: 2
partners: {shop: {name: Shop}}
sources:
  orders: {partner: shop, from: {file: ./orders.csv}, decode: {csv: {fact: order, columns: {key: key, at: at, gross: total},
    constants: {currency: EUR}}}}
"""


def measure() -> dict[str, float]:
    """One run: milliseconds from its start, or from the start of the rules worker."""
    with tempfile.TemporaryDirectory(prefix="entente-start-") as name:
        folder = Path(name)
        (folder / "entente.yaml").write_text(CONFIG)
        (folder / "orders.csv").write_text(ORDERS)
        # the shell gives the start a line of its own: what it becomes is not told
        program = f"exec {shlex.quote(str(BUILD / 'bin' / 'entente'))} run"
        done = subprocess.run(
            ["perf", "trace", "-T", "-e", "execve,pread64,sendmmsg", "-o", "trace", "sh", "-c", program],
            cwd=folder,
            env={**os.environ, "ENTENTE_PLUGINS": str(BUILD / "plugins")},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            sys.exit(f"entente run ended with {done.returncode}: {done.stderr[-500:]}")
        return read((folder / "trace").read_text())


def read(trace: str) -> dict[str, float]:
    """Milliseconds, from what was noted."""
    main = ""
    began: dict[str, float] = {}  # by process
    found: dict[str, float] = {}
    for at, pid, rest in LINE.findall(trace):
        when = float(at)
        if rest.startswith("execve"):
            main = main or pid
            began.setdefault(pid, when)
        elif rest.startswith("sendmmsg") and pid != main:  # the rules worker's answers
            found.setdefault("rules_ready", when - began[pid])
            found.setdefault("all_ready", when - began[main])
        elif rest.startswith("pread64") and pid != main and rest.endswith(f"= {len(ORDERS)}"):  # a decoder, all of the export
            found.setdefault("first_byte", when - began[main])
    return found


def main() -> None:
    """All runs."""
    runs = [measure() for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 20)]
    out: dict[str, float] = {}
    for key in ("first_byte", "rules_ready", "all_ready"):
        values = [run[key] for run in runs if key in run]
        if values:
            out[f"{key}_ms"] = round(statistics.median(values), 2)
            out[f"{key}_ms_least"] = round(min(values), 2)
    print(json.dumps({"runs": len(runs), **out}))


if __name__ == "__main__":
    main()
