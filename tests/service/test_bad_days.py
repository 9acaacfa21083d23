# SPDX-License-Identifier: Apache-2.0
"""An operator's bad week: killed in the middle of a reload, a drain, a compaction, a backup; started twice; what it works with is
taken away or made unwritable; asked to stop at any moment."""

import contextlib
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project import ENTENTE, Project, environment
from service import PATIENCE, Service
from shop import export, orders
from test_killed_parts import Load, end, small_disk, waits
from test_killed_parts import project as loaded
from test_life import BOOK, done, project, put


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[Project], Service]]:
    made: list[Service] = []

    def one(p: Project) -> Service:
        made.append(Service(p))
        return made[-1]

    yield one
    for s in made:
        if s.child is not None and s.child.poll() is None:
            s.child.kill()
            s.child.wait()


def gone(s: Service, workers: dict[str, list[int]]) -> None:
    """Nothing of it is left: no process, no socket."""
    assert not (s.project.store / "control.sock").exists()
    pids = [pid for found in workers.values() for pid in found]
    end = time.monotonic() + PATIENCE
    while any(Path(f"/proc/{pid}/exe").exists() for pid in pids):
        assert time.monotonic() < end, "workers were left behind"
        time.sleep(0.02)


@pytest.mark.parametrize("during", ["reload", "drain", "compact", "backup"])
def test_killed_in_the_middle(make: Callable[[Project], Service], tmp_path: Path, during: str) -> None:
    """kill -9 of the core while it does more than read."""
    pick = random.Random(11)
    s = make(loaded(tmp_path / "p"))
    p = s.project

    def begin(n: int) -> subprocess.Popen[bytes] | None:
        if during == "drain":
            s.signal(signal.SIGTERM)
            s.until(lambda: s.events("stop.begun"), "the drain")
            return None
        if during == "reload":
            p.top = p.top.replace("deadline: 2s", "deadline: 3s") if n % 2 else p.top.replace("deadline: 3s", "deadline: 2s")
            p.configure()
            s.signal(signal.SIGHUP)
            s.until(lambda: s.events("reload.asked"), "the reload")
            return None
        words = ["compact"] if during == "compact" else ["backup", str(tmp_path / f"backup-{n}")]
        return subprocess.Popen(
            [ENTENTE, *words, "-c", str(p.config)], env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    with Load(p, 21) as load:
        for n in range(5):
            s.start(ready=False)
            s.until(lambda: s.events("commit"), "a commit")
            s.until(lambda: waits(s, load), "work")
            child = begin(n)
            time.sleep(pick.random() * 0.05)  # any moment will do
            if during == "drain" and s.child is not None and s.child.poll() is not None:
                continue  # it was faster
            s.kill()
            if child is not None:
                child.wait(PATIENCE)  # it says that nobody is there any more, or is through
        s.start()
    end(s, load, tmp_path / "r")
    for whole in tmp_path.glob("backup-[0-9]"):  # what has its name is whole
        assert (whole / "backup.json").exists()


def test_started_twice(make: Callable[[Project], Service], tmp_path: Path) -> None:
    """The second says who is there, and leaves; the first goes on."""
    s = make(project(tmp_path / "p")).start()
    said = subprocess.run(
        [ENTENTE, "serve", "-c", str(s.project.config)], env=environment(), capture_output=True, text=True, timeout=PATIENCE
    )
    assert said.returncode != 0
    assert str(s.pid) in said.stderr and "store" in said.stderr, said.stderr
    put(s.project, "exports/a.csv", export(orders(50)))
    s.until(lambda: done(s.project) == 1, "a file after that")
    assert s.request("GET", "/healthz")[0] == 200
    assert s.stop() == 0


def test_asked_to_stop(make: Callable[[Project], Service], tmp_path: Path) -> None:
    """Idle it leaves at once; also before it is ready; asked twice it waits for nobody. Nothing is left behind."""
    s = make(project(tmp_path / "p")).start()
    put(s.project, "exports/a.csv", export(orders(50)))
    s.until(lambda: s.events("judged") and done(s.project) == 1, "a file")
    workers = s.children()
    assert workers
    at = time.monotonic()
    assert s.stop() == 0
    assert time.monotonic() - at < 10  # of 30 s that it may take; hardly anything on a machine of its own
    gone(s, workers)
    for _ in range(5):
        s.start(ready=False)
        s.until(lambda: s.events("starting"), "the start")
        assert s.stop() == 0
        assert not (s.project.store / "control.sock").exists()
    assert s.start().stop() == 0


def test_asked_twice_with_a_decoder_that_stands_still(make: Callable[[Project], Service], tmp_path: Path) -> None:
    p = loaded(tmp_path / "p")
    p.top = p.top.replace("decoders: {deadline: 2s}", "decoders: {deadline: 10m}").replace("service: {", "service: {drain: 10m, ")
    p.configure()
    s = make(p)
    with Load(p, 22) as load:
        s.start(ready=False)
        s.until(lambda: s.events("commit"), "a commit")
        s.until(lambda: waits(s, load) and s.children().get("entente-decoder"), "decoders at work")
        workers = s.children()
        for pid in workers["entente-decoder"]:
            with contextlib.suppress(ProcessLookupError):
                subprocess.run(["kill", "-STOP", str(pid)], check=False, capture_output=True)
        answers: list[int] = []

        def ask() -> None:
            with contextlib.suppress(OSError):  # it waits for nobody
                answers.append(s.reload()[0])

        asking = threading.Thread(target=ask)  # a reload is under way as well
        asking.start()
        s.until(lambda: s.events("reload.asked"), "the reload")
        s.signal(signal.SIGTERM)
        s.until(lambda: s.events("stop.begun"), "the stop")
        with contextlib.suppress(ProcessLookupError):
            s.signal(signal.SIGTERM)
        assert s.child is not None
        s.child.wait(PATIENCE)
        asking.join(PATIENCE)
        assert not asking.is_alive() and answers in ([], [200], [422], [503]), answers
        assert s.child.returncode == 0, s.text[-2000:]
        gone(s, workers)
        s.start()
    end(s, load, tmp_path / "r")


def test_what_it_works_with_is_taken_away(make: Callable[[Project], Service], tmp_path: Path) -> None:
    """Configuration, rulebook, folder of a source: it goes on with what it has, says so, and takes up what comes back."""
    p = project(tmp_path / "p")
    made = orders(300)
    put(p, "exports/a.csv", export(made[::2]))
    s = make(p).start()
    s.until(lambda: s.events("judged") and done(p) == 1, "a file that is judged")
    p.config.rename(tmp_path / "kept.yaml")
    status, told = s.reload()
    assert status == 422 and "entente.yaml" in str(told), told
    s.signal(signal.SIGHUP)
    s.until(lambda: len(s.events("reload.kept")) == 2, "the second refusal")
    put(p, "others/a.csv", export(made[1::2]))
    s.until(lambda: done(p) == 2, "a file without a configuration")
    (tmp_path / "kept.yaml").rename(p.config)
    assert s.reload()[0] == 200
    # the rulebook: reloads are refused with its place; facts are read on
    (p.folder / "book").rename(tmp_path / "book")
    status, told = s.reload()
    assert status == 422 and "book" in str(told), told
    put(p, "others/b.csv", export(orders(50, seed=3)), 5)
    s.until(lambda: done(p) == 3, "a file without a rulebook")
    assert s.request("GET", "/healthz")[0] == 200
    (tmp_path / "book").rename(p.folder / "book")
    p.write("book/one.py", BOOK.replace("yield insight(", "yield insight('back ' + "))
    assert s.reload()[0] == 200
    s.until(lambda: "back " in str(p.entente("findings").json), "the rulebook that is back")
    # a source's folder
    (p.folder / "exports").rename(tmp_path / "exports")
    put(p, "others/c.csv", export(orders(50, seed=4)), 9)
    s.until(lambda: done(p) == 4, "a file of the other source")
    (tmp_path / "exports").rename(p.folder / "exports")
    put(p, "exports/d.csv", export(orders(50, seed=5)), 12)
    s.until(lambda: done(p) == 5, "a file of the folder that is back")
    assert s.stop() == 0


def test_a_store_that_cannot_be_written(make: Callable[[Project], Service], tmp_path: Path) -> None:
    """It says so and leaves; when it can be written, all is there."""
    with small_disk(tmp_path / "small", "64m") as small:
        p = loaded(tmp_path / "p")
        p.top += f"\nstore: {small}/store"
        p.configure()
        p.store.symlink_to(small / "store")
        s = make(p)

        def remount(how: str) -> bool:
            return subprocess.run(["mount", "-o", f"remount,{how}", small], capture_output=True, check=False).returncode == 0

        with Load(p, 23) as load:
            s.start(ready=False)
            s.until(lambda: s.events("commit"), "a commit")
            s.kill()
        end_of_it = time.monotonic() + PATIENCE
        while not remount("ro"):  # workers of the one that was killed leave, too
            assert time.monotonic() < end_of_it, "somebody still writes there"
            time.sleep(0.05)
        said = subprocess.run(
            [ENTENTE, "serve", "-c", str(p.config)], env=environment(), capture_output=True, text=True, timeout=PATIENCE
        )
        assert said.returncode > 0
        assert str(small) in said.stderr and "ead-only" in said.stderr, said.stderr
        assert remount("rw")
        s.start(ready=False)
        end(s, load, tmp_path / "r")


def test_a_backup_of_a_running_service_is_whole(make: Callable[[Project], Service], tmp_path: Path) -> None:
    """Taken under load, restored elsewhere, it goes on to the same end."""
    s = make(loaded(tmp_path / "p"))
    with Load(s.project, 24) as load:
        s.start(ready=False)
        s.until(lambda: s.events("commit") and waits(s, load), "work")
        assert s.project.entente("backup", str(tmp_path / "kept")).status == 0
        s.until(lambda: waits(s, load), "work after it")
    s.kill()
    shutil.rmtree(s.project.store)
    assert s.project.entente("restore", str(tmp_path / "kept")).status == 0
    s.start()
    end(s, load, tmp_path / "r")


def test_a_pipe_is_replaced(make: Callable[[Project], Service], tmp_path: Path) -> None:
    """Something else lies where the pipe was: it says so, and makes the pipe again when that is gone."""
    p = Project(tmp_path / "p", "  piped: {partner: nordwind, decode: shopify, from: {pipe: ./piped}}", top="serve: {listen: []}")
    pipe = p.folder / "piped"
    s = make(p).start()
    s.until(pipe.is_fifo, "the pipe")
    with pipe.open("w") as writer:
        writer.write(export(orders(20)))
        pipe.unlink()
        pipe.write_text("no pipe")
    s.until(lambda: s.events("pipe.lost"), "the loss")
    s.until(lambda: s.source("piped")["consumed"] >= 20, "what came before")
    before = s.source("piped")["consumed"]
    pipe.unlink()
    s.until(pipe.is_fifo, "another pipe")
    with pipe.open("w") as writer:
        writer.write(export(orders(20, seed=9)))
    s.until(lambda: s.source("piped")["consumed"] >= before + 20, "what came after it")
    assert s.stop() == 0
