# SPDX-License-Identifier: Apache-2.0
"""Each example is a right configuration, and its mapping brings out the totals that its README names."""

import json
import os
import re
import shutil
import socket
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from entente.books import load_books
from entente.fixture import World

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DATA = ROOT.parent / "shared" / "data"
BIN = os.environ.get("ENTENTE_BIN", str(ROOT / "build" / "bin"))
DUMP = Path(os.environ.get("ENTENTE_BUILD_DIR", str(ROOT / "build"))) / "tests" / "plugin-dump"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there: real input is kept outside")


def options(example: str, source: str) -> str:
    """The options of the csv decoder of one source, cut out of the example's configuration."""
    text = (EXAMPLES / example / "entente.yaml").read_text()
    lines = text[text.index(f"\n  {source}:") :].split("\n")
    start = next(n for n, line in enumerate(lines) if line.strip().startswith("csv:"))
    depth = len(lines[start]) - len(lines[start].lstrip())
    block = []
    for line in lines[start + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= depth:
            break
        block.append(line)
    return textwrap.dedent("\n".join(block))


def facts(example: str, source: str, file: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """What the csv decoder makes of a file under the example's mapping."""
    told = folder / f"{source}.yaml"
    told.write_text(options(example, source))
    with subprocess.Popen([DUMP, "csv", "csv", file, told], stdout=subprocess.PIPE) as run:
        assert run.stdout
        for line in run.stdout:
            yield json.loads(line)
    assert run.returncode == 0


@pytest.mark.parametrize("example", sorted(p.parent.name for p in EXAMPLES.glob("*/entente.yaml")))
def test_configuration_is_right(example: str) -> None:
    checked = subprocess.run(
        [f"{BIN}/entente", "check"],
        cwd=EXAMPLES / example,
        env={**os.environ, "ENTENTE_DATA": str(DATA)},
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert (EXAMPLES / example / "README.md").is_file()


def test_minimal(tmp_path: Path) -> None:
    found = list(facts("minimal", "sales", EXAMPLES / "minimal" / "data" / "sales.csv", tmp_path))
    lines = [f for f in found if f["fact"] == "line"]
    orders = {f["key"] for f in found if f["fact"] == "order"}
    readme = (EXAMPLES / "minimal" / "README.md").read_text()
    total = sum(f["gross"] for f in lines)
    assert f"{len(orders)} receipts with {len(lines)} lines" in readme
    assert f"{total // 1_000_000:,}.{total % 1_000_000 // 10_000:02d} EUR" in readme
    assert all(re.fullmatch(r"2026-0[234]-\d\dT\d\d:\d\d:00", f["at"]) for f in found if f["fact"] == "order")


def test_rule_of_minimal() -> None:
    books = load_books([str(EXAMPLES / "minimal" / "rules")])
    assert books.errors == []
    [rule] = books.rules
    world = World(as_of="2026-04-25")
    for name, now in (("shrinks", 40.0), ("stays", 58.0)):
        daily = [60.0] * 372 + [now] * 28
        world.partner(name).days("orders", 2).days("gross", daily)
    said = world.judge(rule, "shrinks")
    assert [f.text for f in said.findings] == [
        "The average order fell from 30.00 EUR to 20.00 EUR within 28d"
    ]
    assert world.judge(rule, "stays").verdict is False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_service(tmp_path: Path) -> None:
    """The commands of its README, as they stand there, but for the ports."""
    folder = tmp_path / "service"
    shutil.copytree(EXAMPLES / "service", folder, ignore=shutil.ignore_patterns("store", "heard.txt"))
    page, hear = free_port(), free_port()
    for name in ("entente.yaml", "hear.py", "README.md"):
        text = (folder / name).read_text().replace(":8080", f":{page}").replace(":9099", f":{hear}")
        (folder / name).write_text(text.replace('"127.0.0.1", 9099', f'"127.0.0.1", {hear}'))
    blocks = re.findall(r"(?:^    .*\n)+", (folder / "README.md").read_text(), re.M)
    start, deliver, look, stop = (textwrap.dedent(block) for block in blocks)
    counted = "until entente findings --json | grep -q busier && grep -q 'insight opened' heard.txt; do sleep 0.2; done\n"
    done = subprocess.run(
        ["timeout", "90", "bash", "-e"],
        input="trap 'kill -9 $HEAR $SERVICE 2>&-' EXIT\n" + start + deliver + deliver + counted + look + stop + "trap - EXIT\n",
        cwd=folder,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "200"},
        text=True,
        capture_output=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^orders +29 ", done.stdout, re.M), done.stdout + done.stderr
    assert re.search(r"^revenue.net +988.00 +EUR", done.stdout, re.M)
    assert re.search(r"^corner-exports .* woocommerce +1 +28 +0 +56 ", done.stdout, re.M)
    assert re.search(r"^corner-hooks .* woocommerce +1 +1 +0 +2 ", done.stdout, re.M), "sent twice, read once"
    assert re.search(r"me +told +opened +corner +547 EUR within 7d, after 146 EUR", done.stdout)
    assert "28 orders, one a day, 588 EUR" in " ".join((folder / "README.md").read_text().split())
    assert '"event":"stopped","whole":true' in done.stderr


@needs_data
def test_olist(tmp_path: Path) -> None:
    orders = list(facts("olist", "olist-orders", DATA / "olist" / "orders.csv", tmp_path))
    lines = list(facts("olist", "olist-items", DATA / "olist" / "order_items.csv", tmp_path))
    assert len({o["key"] for o in orders if o["fact"] == "order"}) == len(orders) == 22_870
    assert len({(f["order_key"], f["key"]) for f in lines if f["fact"] == "line"}) == len(lines) == 26_109
    assert sum(f["gross"] for f in lines) == 3_135_351_200_000
    assert sum(f["shipping"] for f in lines) == 523_883_560_000
    assert len({f["partner"] for f in lines}) == 2_138
    sold = {o["key"] for o in orders if o["status"] == 0}
    assert len(sold) == 22_691
    assert sum(f["gross"] for f in lines if f["order_key"] in sold) == 3_125_520_720_000


@needs_data
def test_retail(tmp_path: Path) -> None:
    plain = tmp_path / "all.csv"
    with open(plain, "wb") as file:
        subprocess.run(["zcat", DATA / "uci_online_retail" / "all.csv.gz"], stdout=file, check=True)
    orders, keys, gross = set(), set(), 0
    for fact in facts("retail", "invoices", plain, tmp_path):
        if fact["fact"] == "order":
            orders.add(fact["key"])
        else:
            assert fact["fact"] == "line"
            keys.add((fact["order_key"], fact["key"]))
            gross += fact["gross"]
    assert len(keys) == 541_909, "equal rows are facts of their own"
    assert len(orders) == 25_900
    assert gross == 9_747_747_934_000
