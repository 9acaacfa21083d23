# SPDX-License-Identifier: Apache-2.0
"""Command line of the generator: `python3 -m entente.sample DIR [--seed N] [--months N] [--end DATE]`."""

import argparse
import datetime
import sys
from pathlib import Path

from .project import AlreadyThere, generate
from .world import Span


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status: 0 written, 2 wrong use."""
    parser = argparse.ArgumentParser(
        prog="python3 -m entente.sample", description=__doc__.split(":")[0] + "."
    )
    parser.add_argument(
        "directory", type=Path, help="where the project is written; made if it does not exist"
    )
    parser.add_argument("--seed", type=int, default=7, help="the same seed writes the same bytes (7)")
    parser.add_argument("--months", type=int, default=18, help="months of orders, 3 to 60 (18)")
    parser.add_argument(
        "--end",
        type=datetime.date.fromisoformat,
        default=datetime.date(2026, 6, 30),
        help="last day, YYYY-MM-DD (2026-06-30)",
    )
    given = parser.parse_args(argv)
    if not 3 <= given.months <= 60:
        parser.error(f"--months {given.months}: must be from 3 to 60")
    try:
        files, size = generate(given.directory, seed=given.seed, span=Span.of(given.end, given.months))
    except AlreadyThere as there:
        print(f"{there.path}: is there already; name an empty directory, or remove it first", file=sys.stderr)
        return 2
    print(f"{given.directory}: {files} files, {size / 1e6:.1f} MB; next: entente run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
