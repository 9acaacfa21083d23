# SPDX-License-Identifier: Apache-2.0
"""How long `entente run` takes from its start until a decoder has read the first byte of an export, and until Python is
ready in the rules worker that starts beside it. Wall clock, by strace, which stops the programs at few calls only; on a
machine with other work to do both are longer. Prints one JSON object, medians and least figures of 20 runs into new stores.

    tests/bench/start.py [RUNS]
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ENTENTE_BUILD_DIR", ROOT / "build"))
LINE = re.compile(r"(\d+) +(\d+\.\d+) (\w+)\((.*)")
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
        traced = ["strace", "-f", "--seccomp-bpf", "-ttt", "-y", "-s", "1", "-o", "trace"]
        calls = ["-e", "trace=execve,read,pread64,sendmmsg"]
        done = subprocess.run(
            [*traced, *calls, BUILD / "bin" / "entente", "run"],
            cwd=folder,
            env={**os.environ, "ENTENTE_PLUGINS": str(BUILD / "plugins")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"entente run ended with {done.returncode}: {done.stderr[-500:]}")
        main = rules = ""
        began: dict[str, float] = {}  # by process
        found: dict[str, float] = {}
        for pid, at, call, rest in LINE.findall((folder / "trace").read_text()):
            when = float(at) * 1e3
            main = main or pid
            if call == "execve":
                began[pid] = when
                rules = pid if rest.split('"')[1].endswith("/entente-rules") else rules
            elif call == "sendmmsg" and pid == rules:
                found.setdefault("rules_ready", when - began[rules])
                found.setdefault("all_ready", when - began[main])
            elif pid != main and "orders.csv>" in rest:
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
