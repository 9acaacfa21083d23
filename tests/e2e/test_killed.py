# SPDX-License-Identifier: Apache-2.0
"""kill -9 at any moment of a run, then run again: as if nothing had happened. ENTENTE_KILLS times (30)."""

import os
import random
import shutil
import signal
import sqlite3
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from project import Project
from shop import events, export, feed, line_table, order_table, orders, table
from test_changes import changed
from test_chunks import misleading
from test_same_facts import SOURCES

KILLS = int(os.environ.get("ENTENTE_KILLS", "30"))
#: Commits in the middle of a run of this size, not only at its end.
TOP = "workers: 2\ncommit: {bytes: 300KB, every: 20ms}"
FOLDERS = ("exports", "heads", "lines", "feed")


@dataclass
class Scene:
    """Files to be read, the store before they are, and what an undisturbed run makes of them."""

    name: str
    files: Path
    store: Path | None
    before: int = 0  # bytes that are read in that store
    after: int = 0  # and after the run
    seconds: float = 0.0
    digest: dict[str, str] = field(default_factory=dict)

    def project(self, folder: Path) -> Project:
        p = Project(folder, SOURCES, top=TOP)
        for name in FOLDERS:
            (folder / name).symlink_to(self.files / name)
        if self.store:
            shutil.copytree(self.store, p.store)
        return p


def done(p: Project) -> tuple[int, int, int]:
    """How many inputs the store holds as read to their end, how many in part, and the bytes of all. Looks at
    a copy: who opens a database that was left in the lurch repairs it."""
    shadow = p.folder / "shadow"
    shutil.rmtree(shadow, ignore_errors=True)
    if not (p.store / "entente.db").exists():
        return 0, 0, 0
    shutil.copytree(p.store, shadow)
    with sqlite3.connect(shadow / "entente.db") as db:
        if not list(db.execute("select 1 from sqlite_master where name = 'input'")):
            return 0, 0, 0
        [(whole, part, read)] = db.execute(
            "select total(done), total(not done and position > 0), total(position) from input"
        )
    return int(whole), int(part), int(read)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    folder = tmp_path_factory.mktemp("scenes")
    pick = random.Random(11)
    made = orders(16_000, seed=11)
    first = Project(folder / "first", SOURCES, top=TOP)
    for n in range(16):
        first.write(f"exports/orders_export_{n}.csv", export(made[n * 1000 : n * 1000 + 1000]))
    first.write("lines/a.csv", table(line_table(made[:6000])))
    first.write("heads/a.csv", table(order_table(made[:6000])))
    for day in range(6):
        first.write(f"feed/events_2024030{day + 1}.json", feed(events(day, 600)))
    first.run()
    later = shutil.copytree(first.folder, folder / "later")
    second = Project(later, SOURCES, top=TOP)
    for n in range(4, 14):
        part = [changed(order, pick) for order in made[n * 1000 : n * 1000 + 1000]]
        second.write(f"exports/orders_export_{n}.csv", export(part), 100)
    for day in (2, 4):
        second.write(f"feed/events_2024030{day + 1}.json", feed(events(day, 600, seed=9)), 100)
    second.write("feed/events_20240307.json", feed(events(6, 600)), 100)
    third = Project(folder / "large", SOURCES, top=TOP)
    large = [replace(order, note=misleading(order.number)) for order in made[:9000]]
    third.write("exports/all.csv", export(large))
    third.write("feed/events_20240301.json", feed(events(0, 10_000)))
    for name in FOLDERS:
        (third.folder / name).mkdir(exist_ok=True)
    scenes = [
        Scene("first run", first.folder, None),
        Scene("changed files", second.folder, first.store),
        Scene("large files", third.folder, None),
    ]
    for scene in scenes:
        p = scene.project(folder / f"undisturbed {scene.name}")
        scene.before = done(p)[2]
        start = time.monotonic()
        p.run()
        scene.seconds = time.monotonic() - start
        scene.after = done(p)[2]
        scene.digest = p.digest()
    return scenes


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    """Whether the process has ended, if nobody has taken its status yet, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def kill(p: Project, scene: Scene, moment: float) -> str:
    """Kills a run after `moment` seconds; says what was committed, or nothing if it came too late."""
    child = p.start("run", "--no-rules")
    time.sleep(moment)
    workers = children(child.pid) if child.poll() is None else []
    child.kill()
    child.communicate()
    if child.returncode == 0:
        return ""
    assert child.returncode == -signal.SIGKILL
    until = time.monotonic() + 5
    while not all(gone(worker) for worker in workers) and time.monotonic() < until:
        time.sleep(0.005)
    assert all(gone(worker) for worker in workers), "a decoder outlived its core"
    _, part, now = done(p)
    return "" if now == scene.after else "within a file" if part else "some" if now > scene.before else "none"


def test_killed_at_any_moment(scenes: list[Scene], tmp_path: Path) -> None:
    pick = random.Random()
    seen: dict[str, int] = {}
    landed = tried = 0
    wanted = {"first run, some", "changed files, some", "large files, within a file"}
    while landed < KILLS or (landed < 2 * KILLS and not wanted <= set(seen)):
        tried += 1
        assert tried < 5 * KILLS + 10, "most kills came too late: the run is too short for this test"
        scene = scenes[landed % len(scenes)]
        p = scene.project(tmp_path / f"p{tried}")
        moments = [pick.uniform(0, scene.seconds) for _ in range(pick.choice((1, 1, 2)))]
        told = [kill(p, scene, moment) for moment in moments]
        if told[0]:
            landed += 1
            seen[f"{scene.name}, {told[0]}"] = seen.get(f"{scene.name}, {told[0]}", 0) + 1
            said = p.run()
            assert said.read["inputs"] > 0 or told[-1] == "", "there was nothing left to do"
            assert all(sheet["closes"] for sheet in said.json["balance"])
            assert p.digest() == scene.digest, f"{scene.name}, killed after {moments} s"
        shutil.rmtree(p.folder)
    print(f"{landed} of {tried} landed; what was committed by then: {seen}")
    assert wanted <= set(seen), f"no commit in the middle: {seen}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
def test_stopped_by_a_signal(scenes: list[Scene], tmp_path: Path, number: signal.Signals) -> None:
    """It says that it was stopped and what to do, and the next run goes on."""
    for n, share in enumerate((0.5, 0.3, 0.2, 0.6, 0.4, 0.7)):
        p = scenes[0].project(tmp_path / f"p{n}")
        child = p.start("run", "--no-rules")
        while child.poll() is None and not any(f.stat().st_size for f in (p.store / "ledger").glob("*.log")):
            time.sleep(0.001)  # facts are being written from then on
        time.sleep(scenes[0].seconds * share * n / 10)
        child.send_signal(number)
        _, err = child.communicate(timeout=30)
        if child.returncode == 1 and "stopped by a signal" in err:
            assert "run again" in err
            p.run()
            assert p.digest() == scenes[0].digest
            return
    pytest.fail(f"no signal came while work was under way; the last run ended with {child.returncode}: {err}")


def test_second_run_waits_for_nobody(scenes: list[Scene], tmp_path: Path) -> None:
    """While one writes, another run is refused; looking is not."""
    p = scenes[2].project(tmp_path / "p")
    child = p.start("run", "--no-rules")
    try:
        while not (p.store / "identities").exists():
            assert child.poll() is None
            time.sleep(0.002)
        second = p.run(status=1)
        assert f"in use by process {child.pid}" in second.err
        assert p.entente("balance").status == 0
        assert child.poll() is None, "it ended before the second was refused"
    finally:
        child.communicate(timeout=60)
    assert child.returncode == 0
    assert p.digest() == scenes[2].digest
