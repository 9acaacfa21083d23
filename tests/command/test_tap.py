# SPDX-License-Identifier: Apache-2.0
"""tap: what a source yields, with the place each fact came from; nothing is stored.

Beside a service: tests/e2e/test_tap_service.py.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import BIN, Run, clean_environment

TESTED = Path(os.environ.get("ENTENTE_BUILD_DIR", "build")).absolute() / "tests" / "plugins"
ORDERS = """No;Date;Mail;Total;Discount
A-1;2024-03-01 10:00;ann@example.com;14.40;
A-2;2024-03-01 11:00;;1200.5;0
A-3;yesterday;bob@example.com;3;
A-4;2024-03-02 12:00:00;Ann@example.com ;-2.005;1.5
"""
CSV = """{csv: {fact: order, identity: email, constants: {currency: EUR},
      columns: {key: No, at: Date, customer: Mail, total: Total, discount: Discount}}}"""
TOP = """version: 1
currency: EUR
as_of: latest
partners: {north: {name: North, industry: x, region: DE, zone: Europe/Berlin, currency: EUR}}
rules: {books: []}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "orders.csv").write_text(ORDERS)
    sources = f"sources:\n  shop: {{partner: north, from: {{directory: ./in}}, decode: {CSV}}}\n"
    (tmp_path / "entente.yaml").write_text(TOP + sources)
    return tmp_path


def told(out: str) -> list[dict[str, Any]]:
    """Objects, one a line, with amounts as they were written."""
    return [json.loads(line, parse_float=str) for line in out.splitlines()]


def tap(entente: Run, *words: str, status: int = 0) -> list[dict[str, Any]]:
    done = entente("tap", *words, "--json")
    assert done.status == status, done.err
    return told(done.out)


def test_each_fact_with_its_place(project: Path, entente: Run) -> None:
    *rows, end = tap(entente, "shop")
    first, reject, second, fourth = rows  # an order is held back until all its lines are there
    assert (first["fact"], first["file"], first["line"], first["key"]) == ("order", "orders.csv", 2, "A-1")
    assert (first["place"], first["partner"], first["at"]) == (ORDERS.index("A-1"), "north", "2024-03-01T10:00:00")
    assert (first["total"], first["currency"], first["status"]) == ("14.4", "EUR", "sold")
    assert "discount" not in first and "customer" in first, "an empty cell is absent"
    assert second["discount"] == 0 and "customer" not in second, "zero is there"
    assert (reject["verdict"], reject["line"], reject["column"]) == ("reject", 4, "Date")
    assert "yesterday" not in json.dumps(reject), "the excerpt is masked"
    assert (fourth["total"], fourth["discount"]) == ("-2.005", "1.5")
    assert fourth["customer"] == first["customer"] != "", "one customer, however the address was written"
    assert (end["end"], end["decoder"]) == ("orders.csv", "csv")
    assert (end["records"], end["consumed"], end["rejected"]) == (4, 3, 1)


def test_as_a_table(project: Path, entente: Run) -> None:
    done = entente("tap", "shop")
    lines = done.out.splitlines()
    assert lines[0].split() == ["where", "what", "key", "says"]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["orders.csv:2", "order"],
        ["orders.csv:3", "order"],
        ["orders.csv:4", "reject"],
        ["orders.csv:5", "order"],
        ["orders.csv", "end"],
    ]
    assert "2024-03-01 10:00:00, total 14.40 EUR, status sold, customer #" in lines[1]
    assert "discount 0.00 EUR" in lines[2] and "discount" not in lines[1]
    assert "4 records: 3 consumed, 1 rejected, 0 skipped; 3 facts; decoder csv" in lines[5]
    assert "example.com" not in done.out, "identities are keyed hashes"
    assert "keyed for this look alone" in done.err


def test_fits_a_terminal(project: Path, on_terminal: Run) -> None:
    done = on_terminal("tap", "shop", columns=70)
    assert done.status == 0
    plain = [line for line in done.out.splitlines() if "orders.csv:" in line]
    assert plain and all("…" in line for line in plain if "order " in line)


def everything(folder: Path) -> dict[str, tuple[int, str]]:
    files = [p for p in folder.rglob("*") if p.is_file() and not p.name.endswith("-shm")]
    return {str(p): (p.stat().st_mtime_ns, hashlib.sha256(p.read_bytes()).hexdigest()) for p in files}


def test_nothing_is_stored(project: Path, entente: Run) -> None:
    before = everything(project)
    assert len(tap(entente, "shop")) == 5
    assert everything(project) == before, "there is no store yet, and none was made"
    assert json.loads(entente("run", "--json").out)["read"]["records"] == 4, "no position had moved"
    before = everything(project)
    one, two = tap(entente, "shop"), tap(entente, "shop")
    assert everything(project) == before
    assert one == two, "with the store's key an identity is the same each time"
    assert json.loads(entente("run", "--json").out)["read"]["records"] == 0


def test_identities_without_a_store_are_of_the_moment(project: Path, entente: Run) -> None:
    one, two = tap(entente, "shop"), tap(entente, "shop")
    assert one[0]["customer"] != two[0]["customer"]


def test_limit_and_kind(project: Path, entente: Run) -> None:
    assert [r["key"] for r in tap(entente, "shop", "--limit", "2") if "fact" in r] == ["A-1", "A-2"]
    only = tap(entente, "shop", "--fact", "line")
    assert [r.get("verdict") or r.get("end") for r in only] == ["reject", "orders.csv"]
    assert entente("tap", "shop", "--fact", "orders").status == 2


def test_another_file(project: Path, entente: Run, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("No;Date;Mail;Total;Discount\nB-1;2024-03-01;;1;\n")
    row, end = tap(entente, "shop", "--input", "new.csv")
    assert (row["file"], row["line"], row["key"], end["end"]) == ("new.csv", 2, "B-1", "new.csv")
    missing = entente("tap", "shop", "--input", "gone.csv")
    assert missing.status == 1
    assert missing.err.startswith("gone.csv: cannot open the file: No such file")


def test_a_packed_file_has_bytes(project: Path, entente: Run) -> None:
    (project / "in" / "orders.csv").unlink()
    (project / "in" / "orders.csv.gz").write_bytes(gzip.compress(ORDERS.encode()))
    row = tap(entente, "shop")[0]
    assert (row["line"], row["place"], row["key"]) == (None, ORDERS.index("A-1"), "A-1")
    assert "orders.csv.gz, byte 28 " in entente("tap", "shop").out


def test_partner_of_the_path_and_of_the_fact(tmp_path: Path, entente: Run) -> None:
    (tmp_path / "in" / "north").mkdir(parents=True)
    (tmp_path / "in" / "north" / "a.csv").write_text("No;Date;Seller\n1;2024-03-01;\n2;2024-03-01;south\n")
    columns = "{csv: {fact: order, constants: {currency: EUR}, columns: {key: No, at: Date, partner: Seller}}}"
    (tmp_path / "entente.yaml").write_text(
        TOP + f'sources:\n  shop: {{partner: {{from: path, pattern: "{{partner}}/*.csv", unknown: park}}, '
        f"from: {{directory: ./in}}, decode: {columns}}}\n"
    )
    rows = tap(entente, "shop")
    assert [r.get("partner") for r in rows[:2]] == ["north", "south"]


def test_mistakes_are_told(project: Path, entente: Run, write: Callable[[str], Path]) -> None:
    near = entente("tap", "shpo")
    assert near.status == 1 and "there is no source 'shpo'; did you mean 'shop'?" in near.err
    (project / "in" / "other.csv").write_text("Nothing;of it\n1;2\n")
    done = entente("tap", "shop")
    assert done.status == 1
    assert "orders.csv:5" in done.out, "the others are read"
    assert "other.csv" in done.err and "column" in done.err
    lines = told(entente("tap", "shop", "--json").out)
    (error,) = [line for line in lines if "error" in line]
    assert error["file"] == "other.csv" and lines[-1] == error
    write(TOP + "sources:\n  shop: {partner: north, from: {directory: ./in}, decode: {csv: {fact: ordr}}}\n")
    wrong = entente("tap", "shop")
    assert wrong.status == 1 and "entente.yaml:7:" in wrong.err and wrong.out == ""


@pytest.mark.parametrize("plugin", ["segv", "loop"])
def test_a_plugin_that_fails(plugin: str, entente: Run, tmp_path: Path) -> None:
    """It dies, or hangs; that is told with the place, and nothing else is harmed."""
    (tmp_path / "a.csv").write_text("Name\nfirst\nboom\n")
    (tmp_path / "entente.yaml").write_text(
        TOP + f"plugins: [{TESTED / plugin}.so]\ndecoders: {{deadline: 300ms}}\n"
        "sources:\n  shop: {partner: north, from: {file: ./a.csv}, decode: faulty}\n"
    )
    done = entente("tap", "shop")
    assert done.status == 1
    said = {"segv": "plugin faulty ", "loop": "no progress for"}[plugin]  # a sanitizer ends it another way
    assert said in done.err and "a.csv:3" in done.err and ", at byte 11" in done.err, done.err


def test_visits_show_no_identity(entente: Run, tmp_path: Path) -> None:
    golden = Path(__file__).resolve().parents[2] / "examples" / "plugin" / "jsonl"
    shutil.copytree(golden, tmp_path / "p")
    shared = tmp_path / "p" / "clicks.so"
    (include,) = [Path(__file__).resolve().parents[2] / "include"]
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "json-c"], capture_output=True, text=True, check=True)
    words = ["cc", "-shared", "-fPIC", "-I", include, "-o", shared, golden / "clicks.c", *flags.stdout.split()]
    subprocess.run([str(w) for w in words], check=True)
    config = tmp_path / "p" / "entente.yaml"
    config.write_text(config.read_text().replace("./build/clicks.so", "./clicks.so"))
    rows = told(entente("tap", "events", "--json", cwd=tmp_path / "p").out)
    visits = [r for r in rows if r.get("fact") == "visit"]
    assert [v["key"] for v in visits if v["line"] in (1, 4)] == [visits[0]["key"]] * 2, "two parts of one visit"
    assert all(v["key"].startswith("#") and len(v["key"]) == 13 for v in visits)
    shown = re.sub(r"\b[0-9a-f]{32}\b|#[0-9a-f]{12}\b", "", json.dumps(visits))  # a keyed hash may hold any two letters
    assert not any(word in shown for word in ("a1", "v-17"))
    skips = {r["why"]: r["records"] for r in rows if r.get("verdict") == "skip"}
    assert skips == {"an event of a bot": 1, "an event of no interest": 1}


def test_standard_input(project: Path) -> None:
    config = project / "entente.yaml"
    config.write_text(config.read_text().replace("{directory: ./in}", "{stdin: orders}"))
    words = [str(BIN.absolute() / "entente"), "tap", "shop", "--json"]
    done = subprocess.run(words, cwd=project, input=ORDERS, capture_output=True, text=True, check=True)
    rows = told(done.stdout)
    assert [r["key"] for r in rows if "fact" in r] == ["A-1", "A-2", "A-4"]
    assert (rows[0]["file"], rows[0]["line"], rows[0]["place"]) == ("orders", None, ORDERS.index("A-1"))


class Follower:
    """`entente tap --follow --json`, and what it has written so far."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.out = folder / "told.jsonl"
        with self.out.open("wb") as out:
            self.child = subprocess.Popen(
                [str(BIN.absolute() / "entente"), "tap", *words, "--follow", "--json"],
                cwd=folder, env=clean_environment(), stdout=out, stderr=subprocess.PIPE,
            )  # fmt: skip

    def until(self, *keys: str) -> list[dict[str, Any]]:
        """Waits for facts of these keys, in this order, and no others."""
        end = time.monotonic() + 60
        while True:
            rows = told(self.out.read_text().rpartition("\n")[0])
            found = [r["key"] for r in rows if "fact" in r]
            if found == list(keys):
                return rows
            assert found == list(keys[: len(found)]) and time.monotonic() < end and self.child.poll() is None, found
            time.sleep(0.02)

    def end(self) -> int:
        self.child.send_signal(signal.SIGINT)
        self.child.communicate(timeout=60)
        return self.child.returncode


def test_follow(project: Path) -> None:
    """Lines that are appended, once they are whole, and new files; each once."""
    follower = Follower(project, "shop")
    follower.until("A-1", "A-2", "A-4")
    with (project / "in" / "orders.csv").open("a") as file:
        file.write("A-5;2024-03-03;;5;\nA-6;2024-")
        file.flush()
        rows = follower.until("A-1", "A-2", "A-4", "A-5")
        assert [r["line"] for r in rows if "fact" in r][-1] == 6
        file.write("03-03;;6;\n")
    follower.until("A-1", "A-2", "A-4", "A-5", "A-6")
    (project / "in" / "z.csv").write_text("No;Date;Mail;Total;Discount\nZ-1;2024-03-01;;1;\n")
    rows = follower.until("A-1", "A-2", "A-4", "A-5", "A-6", "Z-1")
    assert rows[-1 if "fact" in rows[-1] else -2]["file"] == "z.csv"
    assert follower.end() == 0
    assert not (project / "store").exists()


def test_a_source_that_is_fed(tmp_path: Path, entente: Run) -> None:
    hook = "{webhook: {path: /in/x, sign: {header: X-Sign, secrets: [env:SECRET]}}}"
    source = f"sources:\n  hooks: {{partner: north, from: {hook}, decode: woocommerce}}\n"
    (tmp_path / "entente.yaml").write_text(TOP + source)
    done = entente("tap", "hooks", env={"SECRET": "x"})
    assert (done.status, done.out) == (0, "")
    assert "nothing of this source lies in the inbox" in done.err and "--follow" in done.err
    config = tmp_path / "entente.yaml"
    config.write_text(config.read_text().replace("decode: woocommerce", "decode: wocommerce"))
    done = entente("tap", "hooks", env={"SECRET": "x"})
    assert done.status == 1
    assert "no plugin holds a decoder 'wocommerce'; did you mean 'woocommerce'?" in done.err
