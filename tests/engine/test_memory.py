# SPDX-License-Identifier: Apache-2.0
"""Memory is bounded by the configuration, not by what is read: a decoder that outruns the core waits, and this shows."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from project import BUILD, Project

PLUGIN = f"plugins: [{BUILD}/tests/plugins/cases.so]"
MIB = 1 << 20
HEAD = "key,at,total,updated,padding\n"
CARTS = "  carts: {partner: nordwind, from: {file: ./in.csv}, decode: flood}"


def family(pid: int) -> list[int]:
    """The process and all that it started."""
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        try:
            children = Path(f"/proc/{found[-1]}/task/{found[-1]}/children").read_text()
        except OSError:  # it has ended
            continue
        queue += [int(child) for child in children.split()]
    return found


def proportional(pid: int) -> int:
    """What a process keeps in memory, shared pages in proportion."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in told.splitlines() if line.startswith("Pss:"))


def peak(p: Project) -> int:
    """The most that all processes of a run held together."""
    most = 0
    with p.start("run", "--no-rules", "--json") as child:
        while child.poll() is None:
            most = max(most, sum(proportional(pid) for pid in family(child.pid)))
            time.sleep(0.005)
        assert child.returncode == 0, child.communicate()
    return most


def spinning(pid: int) -> bool:
    """Has a decoder of this process been at work for 50 ms?"""
    for worker in family(pid)[1:]:
        try:
            fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[11]) >= os.sysconf("SC_CLK_TCK") // 20:
            return True
    return False


# ---- a core that is too slow --------------------------------------------------------------------------------------------


def test_a_decoder_that_outruns_the_core_waits(tmp_path: Path) -> None:
    """The core is stopped while a decoder is at work: it fills its ring and waits, for as long as the core sleeps."""
    p = Project(tmp_path, CARTS, top=f"{PLUGIN}\nworkers: 1\ndecoders: {{ring: 1MB}}")
    p.write("in.csv", f"{HEAD}1,2024-01-05,1,1500,\n" + "".join(f"{i},2024-01-05,20,0,\n" for i in range(2, 5000)))
    with p.start("run", "--no-rules", "--json") as child:
        while not spinning(child.pid):
            assert child.poll() is None
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(4)
        held = sum(proportional(pid) for pid in family(child.pid))
        os.kill(child.pid, signal.SIGCONT)
        child.communicate()
        assert child.returncode == 0
    said = p.entente("balance").json["sources"][0]
    assert said["waits"] > 0
    assert 0.5 < said["waited_seconds"] < 60
    assert said["closes"] and p.figure("carts", "carts") == 1 + 4998 * 20
    assert held < 64 * MIB
    shown = subprocess.run(["entente", "balance"], executable=BUILD / "bin" / "entente", cwd=tmp_path,
                           capture_output=True, text=True, check=True).stdout
    assert "waited" in shown and f"{said['waits']:,}" in shown


def test_what_was_waited_for_is_told_by_the_run(tmp_path: Path) -> None:
    """The same figures, of this run alone; one that reads nothing waits for nothing."""
    p = Project(tmp_path, CARTS, top=f"{PLUGIN}\nworkers: 1\ndecoders: {{ring: 1MB}}")
    p.write("in.csv", HEAD + "".join(f"{i},2024-01-05,20,0,\n" for i in range(20000)))
    said = p.run()
    balance = said.json["balance"][0]
    assert said.read["waits"] == balance["waits"] > 0
    assert said.read["waited_seconds"] == pytest.approx(balance["waited_seconds"], abs=0.01)
    again = p.run()
    assert (again.read["waits"], again.read["waited_seconds"]) == (0, 0)
    assert again.json["balance"][0]["waits"] == balance["waits"]


def test_stages_add_up(tmp_path: Path) -> None:
    """Where the time went: what the loop did one after another is its whole time, decoders and commits work beside it."""
    p = Project(tmp_path, CARTS, top=f"{PLUGIN}\nworkers: 1")
    p.write("in.csv", f"{HEAD}0,2024-01-05,1,300,\n" + "".join(f"{i},2024-01-05,20,0,\n" for i in range(20000)))
    read = p.run().read
    stages: dict[str, float] = read["stages"]
    assert stages["decoding"] > 0.02, "the first row alone takes 300 ms, of a processor that others may use, too"
    assert min(stages.values()) > 0
    own = sum(stages.values()) - stages["decoding"] - stages["storing"]
    assert 0.6 * read["seconds"] < own <= read["seconds"], "what is between the stages grows with what else runs"


# ---- what bounds memory -----------------------------------------------------------------------------------------------------


def shopify(folder: Path, orders: int) -> tuple[Project, int]:
    """One export of so many orders, 2 KB each: what is not asked for is most of it."""
    p = Project(
        folder, "  shop: {partner: nordwind, from: {file: ./in.csv}, decode: shopify}",
        top="workers: 1\ndecoders: {ring: 1MB}\ncommit: {bytes: 1MB}",
    )
    note = "n" * 1925
    head = "Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Total,Created at,Lineitem quantity,Lineitem name,"
    rows = [f"{head}Lineitem price,Lineitem sku,Notes,Cancelled at,Refunded Amount,Source\n"]
    for i in range(orders):
        at = f"2024-01-{i % 28 + 1:02d} 12:00:00 +0000"
        rows.append(f"#{i},p{i % 97}@example.com,paid,{at},EUR,1.00,0,0,1.00,{at},1,Thing,1.00,T,{note},,0,web\n")
    return p, p.write("in.csv", "".join(rows)).stat().st_size


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Ten times the file costs what its orders cost in the index, and no more."""
    few, many = 5_000, 50_000
    small, bytes_small = shopify(tmp_path / "small", few)
    large, bytes_large = shopify(tmp_path / "large", many)
    assert bytes_small > 10_000_000 and bytes_large > 100_000_000
    # the index grows by doubling: for a moment the old and the new one are there
    allowed = 3 * 40 * (many - few) + 6 * MIB
    assert peak(large) - peak(small) < allowed
    assert large.figure("orders") == many


def scattered(folder: Path, orders: int) -> Project:
    """So many orders, each of a partner and day of its own: nothing in memory is met twice."""
    columns = "{key: id, partner: partner, at: at, total: total}"
    p = Project(
        folder, "  shop: {partner: {from: fact, unknown: create}, from: {file: ./in.csv}, decode: {csv: {fact: order, "
        f"columns: {columns}, constants: {{currency: EUR}}}}}}}}",
        top="workers: 2\ncommit: {bytes: 4MB}",
    )
    note = "n" * 250
    rows = "".join(f"{i},p{i % 500},{2000 + i % 20}-{i // 500 % 12 + 1:02d}-{i // 6000 % 28 + 1:02d},1.00,{note}\n" for i in range(orders))
    p.write("in.csv", "id,partner,at,total,note\n" + rows)
    return p


def test_memory_does_not_grow_with_the_cells(tmp_path: Path) -> None:
    """What has gathered is committed before more is folded, however much the decoders have read meanwhile."""
    few, many = 120_000, 300_000
    small, large = scattered(tmp_path / "small", few), scattered(tmp_path / "large", many)
    grown = peak(large) - peak(small)
    assert grown < 3 * 40 * (many - few) + 24 * MIB, grown / MIB


def test_a_larger_ring_is_more_memory(tmp_path: Path) -> None:
    """What bounds it is what the configuration says."""
    peaks = []
    for ring in ("1MB", "64MB"):
        p = Project(tmp_path / ring, CARTS, top=f"{PLUGIN}\nworkers: 1\ndecoders: {{ring: {ring}}}\ncommit: {{bytes: 1MB}}")
        p.write("in.csv", HEAD + "".join(f"{i % 50},2024-01-05,100,0,\n" for i in range(8000)))
        peaks.append(peak(p))
    assert peaks[1] - peaks[0] > 16 * MIB


def test_rejects_are_committed_like_everything_else(tmp_path: Path) -> None:
    """A file of which nothing can be read: its rejects wait for the commit, and do not pile up until the end."""
    peaks = []
    for rows in (80_000, 240_000):
        p = Project(tmp_path / str(rows), CARTS, top=f"{PLUGIN}\nworkers: 1\ndecoders: {{ring: 1MB}}\ncommit: {{bytes: 1MB, every: 1h}}")
        p.write("in.csv", HEAD + "".join(f"{i},never,1,0,{'x' * 300}\n" for i in range(rows)))
        peaks.append(peak(p))
        assert p.entente("balance").json["sources"][0]["rejected"] == rows
    assert peaks[1] - peaks[0] < 16 * MIB, peaks
