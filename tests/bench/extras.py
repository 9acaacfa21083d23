# SPDX-License-Identifier: Apache-2.0
"""The rows of the targets' table that have programs of their own."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import run


def output(words: list[str | Path]) -> tuple[str, str]:
    """What a program writes, and why it is of no use."""
    name = Path(words[0]).name
    if not Path(words[0]).is_file():
        return "", f"{name} is not built"
    done = run(words)
    return done.out, f"{name} ended with {done.status}: {(done.err or done.out).strip()[-200:]}" if done.status else ""


def told(words: list[str | Path]) -> dict[str, Any] | str:
    """The JSON object that a program says, whatever stands around it."""
    out, why = output(words)
    if why or "{" not in out:
        return why or f"{Path(words[0]).name} says nothing"
    found: dict[str, Any] = json.JSONDecoder().raw_decode(out[out.index("{") :])[0]
    return found


def rules(build: Path) -> dict[str, float] | str:
    """Twelve rules, and a walk by day, in the real worker: its own processor time."""
    said = told([build / "tests" / "bench_rules", "1000", "15"])
    if isinstance(said, str):
        return said
    return {"rules": said["twelve_us"], "rows": said["rows_per_second"] / 1e6}


def starting(build: Path) -> dict[str, float] | str:
    """Until a decoder has read and Python is ready beside it, whichever is later."""
    if not shutil.which("perf"):
        return "start.py needs perf"
    done = run(["/usr/bin/python3", Path(__file__).with_name("start.py")], more={"ENTENTE_BUILD_DIR": str(build)})
    if done.status:
        return f"start.py ended with {done.status}: {done.err[-200:]}"
    said = json.loads(done.out)
    return {"start": max(said["first_byte_ms"], said["all_ready_ms"])}


def ledger(build: Path) -> dict[str, float] | str:
    """As many orders as the large job has, with its syncs, on the disk that the build lies on."""
    out, why = output([build / "tests" / "bench_ledger", build])
    found = re.search(r"^durable +([\d.]+) M orders/s", out, re.M)
    if why or not found:
        return why or "bench_ledger says nothing of it"
    return {"ledger": float(found[1])}


def changed_order(build: Path) -> dict[str, float] | str:
    """One order that changes among 1.27 M, in an engine that stays open, with the rules that ship."""
    said = told([build / "tests" / "bench_warm", "one"])
    return said if isinstance(said, str) else {"changed_order": said["order_to_findings_ms"]["median"]}


def many_partners(build: Path) -> dict[str, float] | str:
    """100,000 partners under fifteen rules, in an engine that stays open: all of them, and one in a hundred."""
    said = told([build / "tests" / "bench_warm", "many"])
    if isinstance(said, str):
        return said
    return {"many_all": said["all_ms"]["median"] / 1e3, "many_few": said["hundredth_ms"]["median"] / 1e3}


PROGRAMS: tuple[tuple[tuple[str, ...], Callable[[Path], dict[str, float] | str]], ...] = (
    (("rules", "rows"), rules),
    (("start",), starting),
    (("ledger",), ledger),
    (("changed_order",), changed_order),
    (("many_all", "many_few"), many_partners),
)


def measure(build: Path, figures: dict[str, float], skipped: dict[str, str], say: Callable[[str], None]) -> None:
    """Runs what is there; what is not is skipped, and said."""
    for keys, program in PROGRAMS:
        found = program(build)
        if isinstance(found, str):
            say(f"{', '.join(keys)} skipped: {found}")
            skipped.update(dict.fromkeys(keys, "skipped"))
        else:
            figures.update(found)
