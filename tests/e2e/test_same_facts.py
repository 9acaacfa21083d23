# SPDX-License-Identifier: Apache-2.0
"""However the same facts come, split, shuffled, repeated or on many workers, the figures are the same."""

import gzip
import itertools
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from project import Project, same
from shop import Order, events, export, feed, line_table, order_table, orders, table

SOURCES = """\
  exports:
    partner: nordwind
    from: {directory: ./exports}
    decode: shopify
  heads:
    partner: suedwind
    from: {glob: "./heads/*.csv"}
    decode:
      csv:
        system: erp
        fact: order
        columns: {key: "no", at: at, customer: customer, currency: currency, channel: channel}
  lines:
    partner: suedwind
    from: {glob: "./lines/*.csv"}
    decode:
      csv:
        system: erp
        fact: line
        columns: {order: "no", key: pos, sku: sku, quantity: quantity, unit_price: price, currency: currency}
  analytics:
    partner: nordwind
    from: {glob: "./feed/*.json"}
    decode: {ga4: {currency: EUR}}
"""

MADE = orders(2000)
FEED = {day: events(day, 60) for day in range(4)}


Thing = TypeVar("Thing")


def project(folder: Path, workers: int = 2) -> Project:
    made = Project(folder, SOURCES, top=f"workers: {workers}")
    (made.folder / "exports").mkdir()
    return made


def deal(pick: random.Random, things: Sequence[Thing], hands: int, runs: bool) -> list[list[Thing]]:
    """Splits things over `hands`: in one run each, or each where chance puts it; none of them empty."""
    if runs:
        cuts = sorted(pick.sample(range(1, len(things)), hands - 1))
        return [list(things[a:b]) for a, b in itertools.pairwise([0, *cuts, len(things)])]
    dealt: list[list[Thing]] = [[] for _ in range(hands)]
    for n, thing in enumerate(things):
        dealt[n if n < hands else pick.randrange(hands)].append(thing)
    return dealt


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Everything in as few files as can be, on one worker."""
    p = project(tmp_path_factory.mktemp("whole") / "whole", workers=1)
    p.write("exports/orders_export.csv", export(MADE))
    p.write("heads/a.csv", table(order_table(MADE)))
    p.write("lines/a.csv", table(line_table(MADE)))
    for day, lines in FEED.items():
        p.write(f"feed/events_2024030{day + 1}_000000000000.json", feed(lines))
    said = p.run()
    assert said.read["failed"] == 0 and said.read["inputs"] == 7
    assert said.read["records"] > 9000
    return p


def test_figures_are_those_of_the_exports(whole: Project) -> None:
    """Or all that follows would compare one wrong thing with another."""
    sold = [o for o in MADE if o.status != "voided" and not o.cancelled]
    shop = {"partner": "nordwind", "origin": "shop"}
    assert whole.figure("orders", **shop) == len(sold)
    for currency in ("EUR", "USD"):
        gross = sum(o.subtotal for o in sold if o.currency == currency)
        assert whole.figure("gross", **shop, currency=currency) == gross * 10_000
    assert whole.figure("orders", partner="suedwind") == len(MADE)
    assert whole.figure("lines", partner="suedwind") == sum(len(o.lines) for o in MADE)
    assert whole.figure("sessions", "traffic") == 4 * 60
    bought = sum('purchase"' in event for day in FEED.values() for event in day)
    assert whole.figure("orders", origin="analytics") == bought


def test_run_again_reads_nothing(whole: Project) -> None:
    before = whole.digest()
    said = whole.run()
    assert (said.read["unchanged"], said.read["inputs"], said.read["records"]) == (7, 0, 0)
    assert whole.digest() == before


@pytest.mark.parametrize("seed", range(12))
def test_split_and_shuffled(whole: Project, tmp_path: Path, seed: int) -> None:
    """Files of any size, under any names (which is the order they are read in), in one run or in several."""
    pick = random.Random(seed)
    p = project(tmp_path / f"seed-{seed}", workers=pick.choice((1, 2, 4)))
    files: list[tuple[str, str]] = []
    runs = pick.random() < 0.5
    hands: list[tuple[str, str]] = []
    for made in deal(pick, MADE, pick.randint(1, 9), runs):
        hands.append(("exports/orders_export_{}.csv", export(made)))
    for heads in deal(pick, order_table(MADE), pick.randint(1, 5), runs):
        hands.append(("heads/{}.csv", table(heads)))
    for lines in deal(pick, line_table(MADE), pick.randint(1, 5), runs):
        hands.append(("lines/{}.csv", table(lines)))
    for day, told in FEED.items():
        for shard in deal(pick, told, pick.randint(1, 4), runs):
            hands.append((f"feed/events_2024030{day + 1}_{{}}.json", feed(shard)))
    for n, (name, data) in zip(pick.sample(range(10**12), len(hands)), hands, strict=True):
        files.append((name.format(f"{n:012d}"), data))
    pick.shuffle(files)
    for batch in deal(pick, files, pick.randint(1, 4), True):
        for name, data in batch:
            p.write(name, data)
        p.run()
    assert p.run().read["inputs"] == 0
    same([whole, p])


def test_repeated_rows_count_once(whole: Project, tmp_path: Path) -> None:
    p = project(tmp_path / "repeated")
    pick = random.Random(5)
    p.write("exports/1.csv", export(MADE[:1200]))
    p.write("exports/2.csv", export(MADE[800:]))
    p.write("exports/3.csv", export([*pick.sample(MADE, 300), *MADE[:50], *MADE[:50]]))
    p.write("heads/1.csv", table(order_table(MADE) + order_table(MADE[:100])))
    p.write("lines/1.csv", table(line_table(MADE) + line_table(MADE[500:700])))
    p.write("lines/2.csv", table(line_table(MADE[1500:])))
    for day, lines in FEED.items():
        p.write(f"feed/events_2024030{day + 1}_1.json", feed(lines))
    told = p.run().json["balance"]
    duplicates = {b["source"]: b["duplicate"] for b in told}
    assert duplicates["exports"] == sum(1 + len(o.lines) for o in MADE[800:1200]) + 2 * sum(
        1 + len(o.lines) for o in MADE[:50]
    ) + sum(1 + len(o.lines) for o in random.Random(5).sample(MADE, 300))
    assert duplicates["heads"] == 100
    same([whole, p])


def test_packed_files(whole: Project, tmp_path: Path) -> None:
    """gzip and zstd are seen by what the files begin with, whatever they are called."""
    p = project(tmp_path / "packed")
    p.write("exports/1.csv", gzip.compress(export(MADE[:900]).encode()))
    p.write("exports/2.csv.gz", gzip.compress(export(MADE[900:]).encode()))
    p.write("heads/1.csv", gzip.compress(table(order_table(MADE)).encode()))
    p.write("lines/1.csv", b"\xef\xbb\xbf" + table(line_table(MADE)).replace("\n", "\r\n").encode())
    for day, lines in FEED.items():
        data = feed(lines).encode()
        if shutil.which("zstd"):
            data = subprocess.run(["zstd", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
        p.write(f"feed/events_2024030{day + 1}_1.json", data)
    p.run()
    same([whole, p])


def test_lines_wait_for_their_order(whole: Project, tmp_path: Path) -> None:
    """Lines of an order that is not there yet count for nothing, and fully as soon as it comes."""
    p = project(tmp_path / "pending")
    p.write("exports/1.csv", export(MADE))
    p.write("lines/1.csv", table(line_table(MADE)))
    for day, lines in FEED.items():
        p.write(f"feed/events_2024030{day + 1}_1.json", feed(lines))
    p.run()
    assert p.figure("gross", partner="suedwind") == 0
    p.write("heads/1.csv", table(order_table(MADE)))
    p.run()
    assert p.figure("gross", partner="suedwind") > 0
    same([whole, p])


def test_two_keys_make_two_stores(tmp_path: Path) -> None:
    """The digest really sees identities: else equal digests would say less than they seem to."""
    made = [project(tmp_path / name) for name in ("one", "two")]
    for p in made:
        p.write("exports/1.csv", export(MADE[:20]))
    (made[1].folder / "identity.key").write_text("another key, as long as it must be")
    one, two = ((p.run(), p.digest())[1] for p in made)
    assert one["members"] != two["members"]
    assert one["cells"] == two["cells"]


def test_one_order_more_is_seen(whole: Project, tmp_path: Path) -> None:
    p = project(tmp_path / "more")
    p.write("exports/1.csv", export([*MADE, Order(9, MADE[0].at, "", MADE[0].lines)]))
    p.write("heads/1.csv", table(order_table(MADE)))
    p.write("lines/1.csv", table(line_table(MADE)))
    for day, lines in FEED.items():
        p.write(f"feed/events_2024030{day + 1}_1.json", feed(lines))
    p.run()
    assert p.facts()["documents"] != whole.facts()["documents"]
    assert p.facts()["cells"] != whole.facts()["cells"]
