# SPDX-License-Identifier: Apache-2.0
"""`python3 -m entente.brief [--for us|partner] [--csv] [-o FILE] < brief.json`: what `entente brief` runs."""

import argparse
import json
import sys
from pathlib import Path

from . import BriefError, render, to_csv


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status: 0 written, 1 the data is not that of a brief."""
    parser = argparse.ArgumentParser(
        prog="python3 -m entente.brief", description="Make the page of one partner."
    )
    parser.add_argument(
        "--for",
        dest="reader",
        choices=("us", "partner"),
        default="us",
        help="partner: leave out what is ours alone (us)",
    )
    parser.add_argument("--csv", action="store_true", help="a table instead of the page")
    parser.add_argument("-o", "--output", type=Path, help="file to write (standard output)")
    given = parser.parse_args(argv)
    try:
        data = json.load(sys.stdin)
        make = to_csv if given.csv else render
        made = make(data, for_partner=given.reader == "partner")
    except (json.JSONDecodeError, BriefError) as wrong:
        print(f"entente.brief: {wrong}", file=sys.stderr)
        return 1
    if given.output:
        given.output.write_text(made, encoding="utf-8")
    else:
        sys.stdout.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
