# SPDX-License-Identifier: Apache-2.0
"""The rows of the targets' table that have programs of their own. Each prints one JSON object."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import run


def told(words: list[str | Path]) -> dict[str, Any] | str:
    """What a program says, or why it says nothing."""
    if not Path(words[0]).is_file():
        return f"{Path(words[0]).name} is not built"
    done = run(words)
    for line in done.out.splitlines():
        if line.startswith("{") and not done.status:
            found: dict[str, Any] = json.loads(line)
            return found
    return f"{Path(words[0]).name} ended with {done.status}: {(done.err or done.out).strip()[-200:]}"


def rules(build: Path) -> dict[str, float] | str:
    """Twelve rules, and a walk by day, in the real worker: its own processor time."""
    said = told([build / "tests" / "bench_rules", "1000", "15"])
    if isinstance(said, str):
        return said
    return {"rules": said["twelve_us"], "rows": said["rows_per_second"] / 1e6}


PROGRAMS: tuple[tuple[tuple[str, ...], Callable[[Path], dict[str, float] | str]], ...] = ((("rules", "rows"), rules),)


def measure(build: Path, figures: dict[str, float], skipped: dict[str, str], say: Callable[[str], None]) -> None:
    """Runs what is there; what is not is skipped, and said."""
    for keys, program in PROGRAMS:
        found = program(build)
        if isinstance(found, str):
            say(f"{', '.join(keys)} skipped: {found}")
            skipped.update(dict.fromkeys(keys, "skipped"))
        else:
            figures.update(found)
