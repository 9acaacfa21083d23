# SPDX-License-Identifier: Apache-2.0
"""`entente backup` beside whoever writes: what has its name opens clean, and after the rest was read holds what an undisturbed
store holds; also when backups are killed, when a compaction takes files away, and when there is no room. ENTENTE_KILLS backups
are killed (8)."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from project import ENTENTE, Project, environment
from shop import events, export, feed, line_table, order_table, orders, table
from test_killed import FOLDERS, TOP, done
from test_same_facts import SOURCES

KILLS = int(os.environ.get("ENTENTE_KILLS", "8"))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Files to be read, and a store that has read them undisturbed."""
    p = Project(tmp_path_factory.mktemp("scene") / "p", SOURCES, top=TOP)
    made = orders(20_000, seed=21)
    for n in range(20):
        p.write(f"exports/orders_export_{n}.csv", export(made[n * 1000 : n * 1000 + 1000]))
    p.write("lines/a.csv", table(line_table(made[:6000])))
    p.write("heads/a.csv", table(order_table(made[:6000])))
    for day in range(4):
        p.write(f"feed/events_2024030{day + 1}.json", feed(events(day, 600)))
    p.run()
    return p


def beside(scene: Project, folder: Path) -> Project:
    """The same files, and no store."""
    p = Project(folder, SOURCES, top=TOP)
    for name in FOLDERS:
        (folder / name).symlink_to(scene.folder / name)
    return p


def backed_up(p: Project, name: str) -> tuple[Path, dict[str, object]]:
    to = p.folder / name
    said = p.entente("backup", str(to))
    assert said.status == 0, said.err
    assert not (p.folder / f"{name}.partial").exists()
    return to, said.json


def restored(scene: Project, backup: Path, folder: Path) -> Project:
    """A project beside the same files whose store is the backup."""
    p = beside(scene, folder)
    said = p.entente("restore", str(backup))
    assert said.status == 0, said.err
    return p


def test_backups_beside_a_run(scene: Project, tmp_path: Path) -> None:
    """Backups, some of them killed, while a run commits all the time; each that has its name goes on to the same digest."""
    pick = random.Random()
    digest, whole = scene.digest(), done(scene)[2]
    kept: list[tuple[Path, int]] = []
    killed = left = tried = 0
    took = 0.05
    while (killed < KILLS or len({read for _, read in kept if 0 < read < whole}) < 3) and tried < 200:
        p = beside(scene, tmp_path / f"p{tried}")
        child = p.start("run", "--no-rules")
        while not (p.store / "identities").exists():
            assert child.poll() is None
            time.sleep(0.002)
        while child.poll() is None:
            tried += 1
            to = p.folder / f"backup{tried}"
            if killed < KILLS and pick.random() < 0.6:
                other = p.start("backup", str(to))
                time.sleep(pick.uniform(0, took))
                other.kill()
                other.communicate()
                killed += other.returncode == -signal.SIGKILL
                left += (p.folder / f"{to.name}.partial").exists()
                if to.exists():
                    kept.append((to, -1))  # the kill came behind the last step
                else:
                    backed_up(p, to.name)  # takes the place of what was left
                    shutil.rmtree(to)
            else:
                start = time.monotonic()
                backed_up(p, to.name)
                took = time.monotonic() - start
                project = Project(tmp_path / f"look{tried}", SOURCES, top=TOP)
                shutil.copytree(to, project.store)
                kept.append((to, done(project)[2]))
                shutil.rmtree(project.folder)
        assert child.communicate()[0] is not None and child.returncode == 0
        assert p.digest() == digest, "the run was disturbed"
    within = {read for _, read in kept if 0 < read < whole}
    print(f"{len(kept)} backups, of {len(within)} moments within the run; {killed} killed, {left} left something")
    assert killed >= KILLS and left > 0, "no kill landed while a backup was under way"
    assert len(within) >= 3, "no backup was taken in the middle of the run"
    for n, (to, _) in enumerate(pick.sample(kept, min(len(kept), 8))):
        again = restored(scene, to, tmp_path / f"r{n}")
        assert again.entente("doctor").json is not None
        said = again.run()
        assert all(sheet["closes"] for sheet in said.json["balance"])
        assert again.digest() == digest


def test_backups_beside_a_compaction(scene: Project, tmp_path: Path) -> None:
    """Segments vanish under the backup: it takes another moment."""
    p = beside(scene, tmp_path / "p")
    p.top = "workers: 2\nhistory: 0s"
    p.configure()
    shutil.copytree(scene.store, p.store)
    made = orders(20_000, seed=21)
    (p.folder / "exports").unlink()
    shutil.copytree(scene.folder / "exports", p.folder / "exports")
    for n in range(14):
        part = [o if k % 7 else orders(1, seed=k)[0] for k, o in enumerate(made[n * 1000 : n * 1000 + 1000])]
        p.write(f"exports/orders_export_{n}.csv", export(part), 100 + n)
    p.run()
    time.sleep(1.1)  # arrivals are kept in whole seconds
    digest, during = p.digest(), 0
    child = p.start("compact")
    taken = []
    while child.poll() is None:
        to, _ = backed_up(p, f"b{len(taken)}")
        during += child.poll() is None
        taken.append(to)
    child.communicate()
    assert child.returncode == 0
    assert during or taken, "no backup was taken beside the compaction"
    taken.append(backed_up(p, "behind")[0])
    for n, to in enumerate(taken[-3:]):
        again = Project(tmp_path / f"r{n}", SOURCES, top=TOP)
        assert again.entente("restore", str(to)).status == 0
        assert again.digest() == digest


def test_a_backup_is_for_its_owner(scene: Project, tmp_path: Path) -> None:
    """Key and data are nobody else's, whatever the umask; what runs on it does not get in, what is needed does."""
    p = Project(tmp_path / "p", SOURCES, top=TOP)
    p.config.write_text(p.config.read_text().replace("identity_key: file:identity.key\n", ""))
    p.write("exports/a.csv", export(orders(100)))
    (p.folder / "heads").mkdir()
    (p.folder / "lines").mkdir()
    (p.folder / "feed").mkdir()
    p.run()
    inbox = p.store / "inbox" / "hook"
    inbox.mkdir(parents=True)
    (inbox / "00000001.log").write_bytes(b"what arrived\n")
    (inbox / "00000001.ids").write_bytes(b"x" * 32)
    (p.store / "inbox" / "lock").write_text("1\n")
    (p.store / "tokens").write_text("{}\n")
    (p.store / "sessions").write_text("{}\n")
    (p.store / "tokens.lock").write_text("")
    (p.store / "ledger" / "000009.log.damaged").write_text("kept aside")
    to, said = backed_up(p, "b")
    names = sorted(str(path.relative_to(to)) for path in to.rglob("*") if path.is_file())
    assert names == [
        "backup.json", "entente.db", "identities", "identity.key", "inbox/hook/00000001.ids", "inbox/hook/00000001.log",
        *(["ledger/000001.log", "ledger/index"] if (p.store / "ledger/index").exists() else ["ledger/000001.log"]),
        "tokens",
    ]  # fmt: skip
    assert said["identity_key"] is True and said["inbox_files"] == 2
    for path in (to, *to.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
    shutil.move(p.store, p.folder / "old")
    p.store.mkdir()  # empty is as good as absent
    assert p.entente("restore", str(to)).status == 0
    assert (p.store / "inbox/hook/00000001.log").read_bytes() == b"what arrived\n"
    assert (p.store / "identity.key").read_bytes() == (p.folder / "old/identity.key").read_bytes()
    for path in (p.store, *p.store.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
    assert p.run().read["unchanged"] == 1


def test_the_key_is_named_where_it_is_kept(scene: Project, tmp_path: Path) -> None:
    to = tmp_path / "b"
    said = subprocess.run([ENTENTE, "backup", to, "-c", scene.config], env=environment(), capture_output=True, text=True)
    assert said.returncode == 0
    assert "identity_key" in said.stderr and "keep that one" in said.stderr
    assert f"Backed up to {to}" in said.stdout


def test_nothing_is_written_over(scene: Project, tmp_path: Path) -> None:
    p = beside(scene, tmp_path / "p")
    to, _ = backed_up(scene, "kept")
    said = scene.entente("backup", str(to))
    assert said.status == 1 and "is there already" in said.err
    # neither a folder that is no backup of ours
    (tmp_path / "mine.partial").mkdir()
    (tmp_path / "mine.partial/letter").write_text("dear")
    said = scene.entente("backup", str(tmp_path / "mine"))
    assert said.status == 1 and "is not the rest of an interrupted backup" in said.err
    assert (tmp_path / "mine.partial/letter").read_text() == "dear"
    # nor a store
    p.store.mkdir()
    (p.store / "letter").write_text("dear")
    said = p.entente("restore", str(to))
    assert said.status == 1 and "not empty" in said.err
    (p.store / "letter").unlink()
    p.store.rmdir()
    said = p.entente("restore", str(tmp_path / "nowhere"))
    assert said.status == 1 and "there is no backup in" in said.err
    assert not p.store.exists() and not (p.folder / "store.partial").exists()
    shutil.rmtree(to)


def test_two_at_once(scene: Project, tmp_path: Path) -> None:
    """The second of two backups of one name is refused, not mixed with the first."""
    for _ in range(50):
        to = tmp_path / "b"
        first = scene.start("backup", str(to))
        while not (tmp_path / "b.partial/unfinished").exists() and first.poll() is None:
            pass
        first.send_signal(signal.SIGSTOP)
        caught = (tmp_path / "b.partial/unfinished").exists()
        said = scene.entente("backup", str(to)) if caught else None
        first.send_signal(signal.SIGCONT)
        first.communicate()
        assert first.returncode == 0
        shutil.rmtree(to)
        if said:
            assert said.status == 1 and "another process is writing" in said.err
            return
    pytest.fail("no backup was caught at work")


@pytest.mark.parametrize("what", ["entente.db", "identities", "ledger/000001.log", "missing", "list", "outside"])
def test_a_damaged_backup_is_refused(scene: Project, tmp_path: Path, what: str) -> None:
    to, _ = backed_up(scene, f"damaged {what.replace('/', ' ')}")
    p = beside(scene, tmp_path / "p")
    listed = to / "backup.json"
    if what == "missing":
        (to / "identities").unlink()
        expected = "identities"
    elif what == "list":
        listed.write_text(listed.read_text()[:-40])
        expected = "backup.json"
    elif what == "outside":
        told = json.loads(listed.read_text())
        told["files"][0]["path"] = "../outside"
        listed.write_text(json.dumps(told))
        expected = "backup.json"
    else:
        data = bytearray((to / what).read_bytes())
        data[len(data) // 2] ^= 1
        (to / what).write_bytes(data)
        expected = f"{what} is not what it was"
    said = p.entente("restore", str(to))
    assert said.status == 1 and expected in said.err
    assert not p.store.exists() and not (p.folder / "store.partial").exists()
    assert not (p.folder / "outside").exists()
    shutil.rmtree(to)


@pytest.mark.parametrize("what", ["entente.db", "ledger/000001.log", "identities", "missing"])
def test_a_damaged_store_gives_no_backup(scene: Project, tmp_path: Path, what: str) -> None:
    """A backup that would be worth nothing does not get its name."""
    p = Project(tmp_path / "p", SOURCES, top=TOP)
    shutil.copytree(scene.store, p.store)
    name = "ledger/000001.log" if what == "missing" else what
    data = bytearray((p.store / name).read_bytes())
    if what == "identities":
        del data[-16:]
    elif what == "entente.db":
        for at in range(len(data) // 2, len(data) // 2 + 16384):
            data[at] ^= 0x55
    else:
        data[len(data) // 2] ^= 1
    (p.store / name).write_bytes(data)
    if what == "missing":
        (p.store / name).unlink()
    said = p.entente("backup", str(tmp_path / "b"))
    assert said.status == 1 and ("database" in said.err if what == "entente.db" else name.split("/")[-1] in said.err)
    assert not (tmp_path / "b").exists() and not (tmp_path / "b.partial").exists()


def test_no_room(scene: Project, tmp_path: Path) -> None:
    """A file that cannot be written to its end: an error that says so, and nothing is left that takes room."""

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    said = subprocess.run(
        [ENTENTE, "backup", tmp_path / "b", "-c", scene.config],
        env=environment(), capture_output=True, text=True, preexec_fn=small,
    )  # fmt: skip
    assert said.returncode == 1 and "entente.db" in said.stderr, said.stderr
    assert list(tmp_path.iterdir()) == []
