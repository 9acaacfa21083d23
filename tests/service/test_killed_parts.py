# SPDX-License-Identifier: Apache-2.0
"""A service whose processes are killed, stopped and starved while files come in: what it ends with is what one undisturbed
run makes of the same files. ENTENTE_KILLS: how often each process is killed (6)."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import Project
from service import PATIENCE, Service
from shop import events, export, feed, orders
from test_life import BOOK, done, put, reference

SOURCES = """\
  exports: {partner: nordwind, from: {directory: ./exports}, decode: shopify}
  others: {partner: suedwind, from: {directory: ./others}, decode: ga4}"""
TOP = """\
workers: 2
commit: {bytes: 300KB, every: 50ms}
decoders: {deadline: 2s}
service: {scan: 1s, judge_every: 0s, slice: 100ms, log: {level: debug}}
serve: {listen: []}"""
KILLS = int(os.environ.get("ENTENTE_KILLS", "6"))


class Load:
    """Writes files into both sources, as fast as they are read: always more waits than is committed."""

    def __init__(self, p: Project, seed: int) -> None:
        self.p = p
        self.pick = random.Random(seed)
        self.made = orders(4_000, seed=seed)
        self.written = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._write, daemon=True)

    def _write(self) -> None:
        while not self.stopping.is_set():
            waiting = self.written
            with contextlib.suppress(Exception):  # the store is not there yet, or just being repaired
                waiting = self.written - done(self.p)
            if waiting > 6:
                time.sleep(0.01)
                continue
            n = self.written
            if n % 3 == 2:
                put(self.p, f"others/events_{n:05}.json", feed(events(n % 50, 300, seed=n)), n)
            else:
                # some of each file stood in one before it, too
                part = self.pick.sample(self.made, 400)
                put(self.p, f"exports/{n:05}.csv", export(part), n)
            self.written = n + 1

    def __enter__(self) -> "Load":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


def project(folder: Path) -> Project:
    p = Project(folder, SOURCES, top=TOP, rules="  books: [./book]\n  deadline: 2s")
    p.write("book/one.py", BOOK)
    for name in ("exports", "others"):
        (folder / name).mkdir()
    return p


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    s = Service(project(tmp_path / "p"))
    yield s
    if s.child is not None and s.child.poll() is None:
        s.child.kill()
        s.child.wait()


def end(s: Service, load: Load, folder: Path) -> None:
    """All that was written is read; nothing was lost, nothing counted twice."""
    s.until(lambda: done(s.project) == load.written, "all files", 2 * PATIENCE)
    assert s.stop() == 0
    assert s.project.digest() == reference(folder, s.project, SOURCES)
    assert s.project.entente("balance").status == 0


def waits(s: Service, load: Load) -> bool:
    """There is something to do: the process that is hit now is hit while work is under way."""
    with contextlib.suppress(Exception):
        return load.written - done(s.project) >= 2
    return False


def test_the_core_is_killed(service: Service, tmp_path: Path) -> None:
    pick = random.Random(1)
    with Load(service.project, 1) as load:
        landed = 0
        while landed < KILLS:
            service.start(ready=False)
            service.until(lambda: service.events("commit"), "a commit")
            time.sleep(pick.random() * 0.5)  # any moment will do: that it lands in the middle of work is asserted
            service.until(lambda: waits(service, load), "work")
            before = load.written
            service.kill()
            assert done(service.project) < max(before, load.written)
            landed += 1
    service.start()
    end(service, load, tmp_path / "r")
    assert landed == KILLS


def workers(s: Service, program: str) -> list[int]:
    return s.children().get(program, [])


def hit(s: Service, load: Load, program: str, number: int) -> int:
    """Signals a worker while there is work; its pid."""
    found = s.until(lambda: waits(s, load) and workers(s, program), f"{program} at work")
    pid = int(random.choice(found))
    os.kill(pid, number)
    return pid


def gone(pid: int) -> bool:
    """No such process, or one that has ended and is not waited for."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    return True


@pytest.mark.parametrize("program", ["entente-decoder", "entente-rules"])
def test_a_worker_is_killed(service: Service, tmp_path: Path, program: str) -> None:
    with Load(service.project, 2) as load:
        service.start(ready=False)
        for _ in range(KILLS):
            before = done(service.project) if (service.project.store / "entente.db").exists() else 0
            pid = hit(service, load, program, signal.SIGKILL)
            service.until(lambda pid=pid: gone(pid), "its end")
            service.until(lambda before=before: done(service.project) > before, "more read after it")
    end(service, load, tmp_path / "r")


@pytest.mark.parametrize("program", ["entente-decoder", "entente-rules", "entente"])
def test_a_process_stands_still(service: Service, tmp_path: Path, program: str) -> None:
    """Its clock is stopped (SIGSTOP). A worker is found out by its deadline, killed and replaced; the core goes on when it is
    let."""
    with Load(service.project, 3) as load:
        service.start(ready=False)
        service.until(lambda: service.events("commit"), "a commit")
        if program == "entente":
            service.until(lambda: waits(service, load), "work")
            service.signal(signal.SIGSTOP)
            at = done(service.project)
            time.sleep(3)
            assert done(service.project) == at  # it stood still
            service.signal(signal.SIGCONT)
            service.until(lambda: done(service.project) > at, "more read")
        else:
            service.until(lambda: waits(service, load) and workers(service, program), f"{program} at work")
            stopped = workers(service, program)
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            # one that has nothing to do is not missed by anybody
            service.until(lambda: any(gone(pid) for pid in stopped), "the end of one that stood still")
            at = done(service.project)
            service.until(lambda: done(service.project) > at, "more read after it")
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
    end(service, load, tmp_path / "r")


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, which can be filled."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_the_disk_is_full(tmp_path: Path) -> None:
    """It fails and says so, stays there, and goes on when there is room."""
    with small_disk(tmp_path / "small", "48m") as small:
        p = project(tmp_path / "p")
        p.top = TOP + f"\nstore: {small}/store"
        p.configure()
        kept = p.store
        kept.symlink_to(small / "store")
        s = Service(p)
        try:
            with Load(p, 4) as load:
                s.start(ready=False)
                s.until(lambda: s.events("commit"), "a commit")
                ballast = small / "ballast"
                with ballast.open("wb") as f, contextlib.suppress(OSError):
                    while True:
                        f.write(bytes(1 << 16))
                        f.flush()
                assert shutil.disk_usage(small).free == 0
                s.until(lambda: s.events("engine.failed"), "the failure to be told")
                assert s.child is not None and s.child.poll() is None
                at = done(p)
                ballast.unlink()
                s.until(lambda: done(p) > at, "more read when there is room")
            end(s, load, tmp_path / "r")
        finally:
            if s.child is not None and s.child.poll() is None:
                s.child.kill()
                s.child.wait()
