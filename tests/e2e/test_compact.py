# SPDX-License-Identifier: Apache-2.0
"""`entente compact` changes no figure and no digest, whenever it is killed and whoever reads meanwhile; and what old history
there is goes. ENTENTE_KILLS times (30)."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from project import Project
from shop import events, export, feed, line_table, order_table, orders, table
from test_changes import changed
from test_same_facts import SOURCES

KILLS = int(os.environ.get("ENTENTE_KILLS", "30"))
FOLDERS = ("exports", "heads", "lines", "feed")


def history(p: Project, days: int) -> None:
    """Sets how long history is kept."""
    p.top = f"workers: 2\nhistory: {days}d"
    p.configure()


def log(p: Project) -> int:
    """Bytes of all segments."""
    return sum(path.stat().st_size for path in (p.store / "ledger").glob("*.log"))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A store where most of what was read has changed twice since, and all of it is old enough to go."""
    p = Project(tmp_path_factory.mktemp("scene") / "p", SOURCES, top="workers: 2\nhistory: 0s")
    pick = random.Random(4)
    made = orders(8_000, seed=4)
    for edition in range(3):
        for n in range(8):
            if edition == 0 or n < 6:
                part = made[n * 1000 : n * 1000 + 1000]
                p.write(f"exports/{edition}_{n}.csv", export([changed(o, pick) if edition else o for o in part]), edition * 100)
        p.write(f"heads/{edition}.csv", table(order_table(made[:3000])), edition * 100)
        p.write(f"lines/{edition}.csv", table(line_table(made[: 3000 - edition])), edition * 100)
        p.write(f"feed/events_2024030{edition + 1}.json", feed(events(edition, 400)), edition * 100)
        p.run()
    time.sleep(1)  # arrivals are kept in whole seconds
    return p


def copy(scene: Project, folder: Path) -> Project:
    """The same store, and the same files."""
    p = Project(folder, SOURCES, top="workers: 2\nhistory: 0s")
    shutil.copytree(scene.store, p.store)
    for name in FOLDERS:
        shutil.copytree(scene.folder / name, folder / name)
    return p


def change(p: Project) -> None:
    """What comes later: orders change, a document comes again and lacks some, a day of the feed is told anew."""
    made = orders(8_000, seed=4)
    pick = random.Random(8)
    p.write("exports/9.csv", export([changed(o, pick) for o in made[500:1500]]), 900)
    p.write("exports/2_3.csv", export(made[3000:3400]), 950)
    p.write("lines/9.csv", table(line_table(made[100:900])), 900)
    p.write("feed/events_20240302.json", feed(events(1, 300, seed=5)), 900)
    p.run()


def test_compacted_is_the_same_store(scene: Project, tmp_path: Path) -> None:
    """The digest stays; two thirds go; a second time there is nothing to win; what comes later does what it would."""
    p, other = copy(scene, tmp_path / "p"), copy(scene, tmp_path / "other")
    digest, before = p.digest(), log(p)
    said = p.entente("compact")
    assert said.status == 0, said.err
    assert said.json["compacted"] == 1 and said.json["bytes_before"] == before and said.json["bytes_after"] == log(p)
    assert log(p) < before * 0.6
    assert p.digest() == digest
    assert p.run().read["bytes"] == 0
    again = p.entente("compact")
    assert again.status == 0 and again.json["compacted"] == 0
    assert [check["verdict"] for check in p.entente("doctor").json["checks"] if check["name"] == "store ledger"] == ["good"]
    change(p)
    (p.store / "ledger" / "index").unlink(missing_ok=True)
    history(other, 0)
    change(other)
    assert p.facts() == other.facts()


def test_what_is_young_stays(scene: Project, tmp_path: Path) -> None:
    """Within `history` nothing goes, and nothing is rewritten for that."""
    p = copy(scene, tmp_path / "p")
    history(p, 400)
    before = {path.name: path.read_bytes() for path in (p.store / "ledger").glob("*.log")}
    said = p.entente("compact")
    assert said.status == 0 and said.json["compacted"] == 0 and said.json["bytes_won"] == 0
    assert {path.name: path.read_bytes() for path in (p.store / "ledger").glob("*.log")} == before


def test_killed_at_any_moment(scene: Project, tmp_path: Path) -> None:
    """kill -9 while it works: the store is what it was, and it can be compacted, and read on from, as if it had not been."""
    digest = scene.digest()
    undisturbed = copy(scene, tmp_path / "undisturbed")
    start = time.monotonic()
    assert undisturbed.entente("compact").status == 0
    seconds = time.monotonic() - start
    least = log(undisturbed)
    pick = random.Random()
    before = after = killed = 0
    for n in range(KILLS):
        p = copy(scene, tmp_path / str(n))
        child = p.start("compact")
        time.sleep(pick.uniform(0, seconds))
        child.kill()
        child.communicate()
        if child.returncode == -signal.SIGKILL:
            killed += 1
            done = len(p.sql("select 1 from segment where state = 0 and number = 1")) == 0
            before, after = before + (not done), after + done
        assert p.digest() == digest
        assert p.entente("doctor").status == scene.entente("doctor").status
        said = p.entente("compact")
        assert said.status == 0, said.err
        assert log(p) == least
        assert p.digest() == digest
        assert p.run().read["bytes"] == 0
        shutil.rmtree(p.folder)
    assert killed > KILLS // 3 and before > 0, (killed, before, after)


def test_one_writer_and_many_readers(scene: Project, tmp_path: Path) -> None:
    """While it holds the store nobody else writes; who reads finds a whole store at any moment."""
    digest = scene.digest()["documents"]
    p = copy(scene, tmp_path / "p")
    with p.start("run", "--no-rules") as run:
        os.kill(run.pid, signal.SIGSTOP)
        busy = p.entente("compact")
        os.kill(run.pid, signal.SIGCONT)
        run.communicate()
    if busy.status:  # else it came before the run had taken the store
        assert "in use by process" in str(busy.json) + busy.err
    readers = 0
    for _ in range(6):
        q = copy(scene, tmp_path / "q")
        with q.start("compact") as child:
            while child.poll() is None:
                assert q.digest()["documents"] == digest
                readers += 1
            child.communicate()
            assert child.returncode == 0
        assert q.digest()["documents"] == digest
        shutil.rmtree(q.folder)
    assert readers > 0
