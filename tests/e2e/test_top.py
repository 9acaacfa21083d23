# SPDX-License-Identifier: Apache-2.0
"""`entente top`: once, as JSON, and live in a terminal that is resized, loses its service, and is put back as it was."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from project import ENTENTE, Project, environment
from service import PATIENCE, serving
from shop import export, orders

SOURCES = """\
  exports: {partner: nordwind, from: {directory: ./exports}, decode: shopify}
  second: {partner: suedwind, from: {directory: ./second}, decode: auto}
"""
TOP = "workers: 2\nservice: {scan: 1s, judge_every: 1s}\nserve: {listen: []}"


def project(folder: Path) -> Project:
    p = Project(folder, SOURCES, top=TOP)
    p.write("exports/a.csv", export(orders(500)))
    p.write("second/odd.bin", b"\x00\x01\x02")
    return p


class Terminal:
    """The program in a terminal of its own."""

    def __init__(self, p: Project, rows: int, columns: int) -> None:
        self.end, other = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(other)
        self.other = other
        env = {**environment(), "TERM": "xterm"}
        self.child = subprocess.Popen([ENTENTE, "top", "-c", str(p.config)], stdin=other, stdout=other, stderr=other, env=env)
        self.shown = b""

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, holds: Callable[[str], bool], what: str) -> str:
        """Reads until the last whole frame is as wanted."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if select.select([self.end], [], [], 0.05)[0]:
                try:
                    self.shown += os.read(self.end, 65536)
                except OSError:
                    break
            frames = self.shown.decode(errors="replace").split("\x1b[J")
            if len(frames) > 1 and holds(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", frames[-2])):
                return frames[-2]
        raise AssertionError(f"never showed {what}: {self.shown[-3000:].decode(errors='replace')}")


def test_once_and_json(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    said = p.entente("top")
    assert said.status == 1 and "no service runs" in said.err and "entente serve" in said.err
    with serving(p) as s:
        s.until(lambda: s.facts() > 0 and s.source("second")["state"] != "waiting", "all read")
        told = p.entente("top")
        assert told.json["ready"] is True and {x["source"] for x in told.json["sources"]} == {"exports", "second"}
        with p.start("top") as child:
            out, _ = child.communicate(timeout=PATIENCE)
        lines = out.splitlines()
        assert child.returncode == 0 and lines[0].startswith("entente ") and "\x1b" not in out
        rows = [line for line in lines if line.startswith(("exports", "second"))]
        assert rows[0].startswith("second") and "failing" in rows[0] and "odd.bin" in rows[0], out  # trouble first
        assert "idle" in rows[1]


def test_live(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    with serving(p) as s:
        s.until(lambda: s.facts() > 0, "facts")
        t = Terminal(p, 24, 80)
        frame = t.until(lambda f: "ready" in f and "exports" in f and "odd.bin" in f, "the sources")
        lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in frame.split("\r\n")]
        assert len(lines) <= 24 and max(len(line.rstrip()) for line in lines) <= 80, lines
        t.resize(9, 44)
        t.until(lambda f: ("1 more" in f and f.count("\r\n") < 9) or ("second" in f and f.count("\r\n") < 9), "a small screen")
        p.write("exports/b.csv", export(orders(3000, seed=2)))
        t.resize(50, 200)
        t.until(lambda f: re.search(r"exports +\w+ +[\d,]*[1-9][\d,]* ", f) is not None, "a rate")
        assert s.stop() == 0
        t.until(lambda f: "no service runs" in f and "exports" in f, "that the service is gone")
        s.start()
        t.until(lambda f: "no service runs" not in f and "ready" in f, "that it is back")
        os.write(t.end, b"q")
        t.child.wait(PATIENCE)
        assert t.child.returncode == 0
        assert termios.tcgetattr(t.other) == t.before
        while select.select([t.end], [], [], 0.2)[0]:
            t.shown += os.read(t.end, 65536)
        assert t.shown.endswith(b"\x1b[?25h\x1b[?1049l")


@pytest.mark.parametrize("how", ["signal", "key"])
def test_the_terminal_is_put_back(tmp_path: Path, how: str) -> None:
    p = project(tmp_path / "p")
    with serving(p):
        t = Terminal(p, 24, 80)
        t.until(lambda f: "exports" in f, "the sources")
        assert termios.tcgetattr(t.other) != t.before
        if how == "signal":
            t.child.terminate()
        else:
            os.write(t.end, b"\x03")
        assert t.child.wait(PATIENCE) == 0
        assert termios.tcgetattr(t.other) == t.before
