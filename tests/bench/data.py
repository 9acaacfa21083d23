# SPDX-License-Identifier: Apache-2.0
"""The data of the reference job, and the projects over it.

Two generators, kept outside of the project, make it: gen_orders.c (Shopify's orders export: orders.csv with all partners
in turn, and the same rows as partners/pNNN.csv) and gen_ga4.c (GA4's BigQuery export: ga4.ndjson). orders_mixed.csv has
the orders of all partners in one file, newest first. A folder that holds all this already is taken as it is.
"""

import csv
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "bench"
RULEBOOK = Path(__file__).resolve().parent / "rulebook"


@dataclass(frozen=True)
class Data:
    """A folder of data of one size."""

    folder: Path

    @property
    def orders(self) -> Path:
        return self.folder / "orders.csv"

    @property
    def mixed(self) -> Path:
        return self.folder / "orders_mixed.csv"

    @property
    def ga4(self) -> Path:
        return self.folder / "ga4.ndjson"

    @property
    def partners(self) -> list[Path]:
        return sorted((self.folder / "partners").glob("*.csv"))

    def warm(self) -> None:
        """Brings all files into the cache of the file system."""
        for path in [self.orders, self.mixed, self.ga4, *self.partners]:
            if path.is_file():
                with open(path, "rb") as file:
                    while file.read(1 << 22):
                        pass


def mix(data: Data) -> None:
    """Writes the orders of all partners into one file, the newest first. An order's rows stay together."""
    found: list[tuple[bytes, bytes]] = []
    head = b""
    for path in data.partners:
        head, rest = path.read_bytes().split(b"\n", 1)
        starts = [m.start() for m in re.finditer(rb"^#\d+,", rest, re.M)]
        at, name = 0, b""
        for start in starts:
            now = rest[start : rest.index(b",", start)]
            if now != name:
                if start:
                    found.append((when(rest[at:start]), rest[at:start]))
                at, name = start, now
        found.append((when(rest[at:]), rest[at:]))
    found.sort(key=lambda order: order[0], reverse=True)
    with open(data.mixed, "wb") as file:
        file.write(head + b"\n")
        file.writelines(order for _, order in found)


def when(order: bytes) -> bytes:
    """When an order was placed, as it is written."""
    found = re.search(rb",(20\d\d-\d\d-\d\d \d\d:\d\d:\d\d) ", order)
    assert found
    return found[1]


def generate(generators: Path, into: Path, megabytes: int) -> Data | None:
    """Data of about this size of each kind; what is there already stays. None: there is no generator."""
    data = Data(into / f"{megabytes}MB")
    data.folder.mkdir(parents=True, exist_ok=True)
    for name, target, words in (
        ("gen_orders", data.orders, [data.folder, megabytes]),
        ("gen_ga4", data.ga4, [data.ga4, megabytes]),
    ):
        if target.exists():
            continue
        if not (generators / f"{name}.c").is_file():
            return None
        tool = into / name
        subprocess.run(["cc", "-O2", "-w", "-o", tool, generators / f"{name}.c"], check=True)
        subprocess.run([tool, *map(str, words)], check=True, capture_output=True)
        tool.unlink()
    if not data.mixed.exists():
        mix(data)
    return data


def profile(path: Path) -> tuple[str, str]:
    """Name and offset of a partner, as its file writes them."""
    with open(path, encoding="utf-8", newline="") as file:
        row = next(iter(csv.DictReader(file)))
    return row["Vendor"], row["Created at"][-5:-2] + ":" + row["Created at"][-2:]


class Project:
    """A project over the data, with a store of its own on disk."""

    def __init__(self, folder: Path, data: Data, parts: str, as_of: str = "latest", rules: bool = False) -> None:
        """`parts`: of "orders" (a file for each partner), "mixed" (one file of all), "ga4"; several with a space."""
        self.folder, self.parts = folder, parts.split()
        folder.mkdir(parents=True, exist_ok=True)
        self.names = {}
        partners = ""
        for path in data.partners:
            name, zone = profile(path)
            self.names[path.stem] = name
            partners += (
                f"  {path.stem}: {{name: '{name}', industry: goods, zone: '{zone}', also: {{shopify: '{name}'}}}}\n"
            )
        sources = {
            "orders": "partner: {from: path, pattern: '{partner}.csv'}, decode: shopify, "
            f"from: {{glob: '{data.folder / 'partners'}/*.csv'}}",
            "mixed": f"partner: {{from: fact}}, from: {{file: '{data.mixed}'}}, decode: {{shopify: {{partner: vendor}}}}",
            "ga4": f"partner: web, from: {{file: '{data.ga4}'}}, decode: {{ga4: {{currency: USD}}}}",
        }
        book = f"['{RULEBOOK}']" if rules else "[]"
        (folder / "entente.yaml").write_text(
            f"version: 1\ncurrency: USD\nas_of: {as_of}\nidentity_key: file:identity.key\n"
            f"partners:\n  web: {{name: Web}}\n{partners}sources:\n"
            + "".join(f"  {part}: {{{sources[part]}}}\n" for part in self.parts)
            + f"rules: {{books: {book}}}\n"
        )
        (folder / "identity.key").write_text("a key for measurements, of no other use at all\n")

    @property
    def database(self) -> Path:
        return self.folder / "store" / "entente.db"

    def forget(self) -> None:
        """The next run begins with an empty store."""
        shutil.rmtree(self.folder / "store", ignore_errors=True)
