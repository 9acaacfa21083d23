#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The list of endpoints in docs/api.md, from /openapi.json of a service that runs.

    tests/serve/endpoints.py [--write]     says whether the list is that of the program, or writes it"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
from control import ControlConnection

SOURCE = Path(__file__).parents[2]
BIN = Path(os.environ.get("ENTENTE_BIN", SOURCE / "build/bin")).absolute()
PAGE = SOURCE / "docs/api.md"
BEGIN, END = "<!-- made by tests/serve/endpoints.py --write -->\n", "<!-- end -->\n"
PATIENCE = 90.0


@contextlib.contextmanager
def service(folder: Path) -> Iterator[Path]:
    """A service on an empty store in the folder; gives the store."""
    (folder / "entente.yaml").write_text("version: 1\ncurrency: EUR\nserve: {listen: []}\n")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([BIN / "entente", "serve", "-c", "entente.yaml"], cwd=folder, stderr=log)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                ControlConnection(folder / "store").connect()
                break
            assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.05)
        yield folder / "store"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def document(store: Path) -> Any:
    """/openapi.json."""
    connection = ControlConnection(store)
    connection.request("GET", "/openapi.json")
    said = json.load(connection.getresponse())
    connection.close()
    return said


def rows(said: Any) -> str:
    """The list."""
    lines = ["| request | least role | |", "|---|---|---|"]
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            role = operation["x-least-role"] + (", partner" if operation["x-released"] else "")
            lines.append(f"| `{method.upper()} {path}` | {role} | {operation['description']} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Compares or writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, service(Path(name)) as store:
        made = rows(document(store))
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    there, after = rest.split(END)
    if args.write:
        PAGE.write_text(before + BEGIN + made + END + after)
    elif there != made:
        print("docs/api.md lists other endpoints than the program has: tests/serve/endpoints.py --write")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
