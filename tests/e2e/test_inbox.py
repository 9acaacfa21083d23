# SPDX-License-Identifier: Apache-2.0
"""`entente run` over an inbox that a service left behind. The logs are written here by hand, from docs/store.md alone."""

from pathlib import Path

import pytest
from project import BUILD, Project, Said

PLUGIN = BUILD / "tests" / "plugins" / "hook.so"
SOURCE = """
  hooks:
    partner: nordwind
    decode: hook_lines
    from: {webhook: {path: /in/nordwind, sign: {header: X-S, secrets: env:NO_MATTER}}}
"""
ARRIVED = 1_760_000_000_000_000


def crc32c(data: bytes) -> int:
    """Castagnoli, a bit at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Log:
    """STORE/inbox/hooks/NNNNNNNN.log."""

    def __init__(self, project: Project, number: int = 1, before: str = "0 0") -> None:
        self.path = project.store / "inbox" / "hooks" / f"{number:08}.log"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.arrived = ARRIVED + number * 1_000_000
        self.path.write_bytes(b"")
        self.line("H", f"1 {0xABCDEF + number:016x} {before} -")

    def line(self, kind: str, body: str) -> int:
        """Appends a line; where it begins."""
        self.arrived += 1
        rest = f"{self.arrived:014x} {'-' * 32} {kind} {body}".encode()
        at = self.path.stat().st_size
        with self.path.open("ab") as log:
            log.write(f"{crc32c(rest):08x} ".encode() + rest + b"\n")
        return at


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "p", SOURCE, top=f"plugins: [{PLUGIN}]\n")


def run(project: Project, records: int) -> Said:
    said = project.run()
    assert said.status == 0, said.err
    assert said.read["records"] == records
    return said


def rejects(project: Project) -> list[tuple[str, int]]:
    rows = project.sql("select input_name, place from reject order by place")
    return [(str(name), int(place)) for name, place in rows]


def test_a_log_is_read_once_and_goes_on(project: Project, tmp_path: Path) -> None:
    run(project, 0)  # no inbox at all
    log = Log(project)
    log.line("R", "o a 20000 500 x@example.org 0")
    log.line("r", "o b 20000 700 y@example.org 0")  # of an item that is whole
    log.line("C", "cursor")
    run(project, 2)
    run(project, 0)
    place = log.line("R", "neither order nor visit")
    log.line("R", "o a 20000 100 x@example.org 0")  # came later: it counts
    log.line("r", "o c 20000 900 z@example.org 0")  # of an item whose end is missing: never acknowledged
    run(project, 2)
    assert rejects(project) == [(".inbox/00000001.log", place + 59)]
    end = place + 59 + len("neither order nor visit\n") + 59 + len("o a 20000 100 x@example.org 0\n")
    assert project.sql("select position, generation, done, live from input") == [(end, 1, 1, 1)]
    log.line("R", "v a 20000")  # now it has one: with what stands before it
    run(project, 2)
    assert project.entente("balance").status == 0
    once = Project(tmp_path / "once", SOURCE, top=f"plugins: [{PLUGIN}]\n")
    whole = Log(once)
    for order in ("b 20000 700 y", "c 20000 900 z", "a 20000 100 x"):
        key, day, cents, who = order.split()
        whole.line("R", f"o {key} {day} {cents} {who}@example.org 0")
    whole.line("R", "v a 20000")
    run(once, 4)
    assert once.facts() == project.facts()


def test_what_is_damaged_is_rejected_and_the_rest_is_read(project: Project) -> None:
    log = Log(project)
    log.line("R", "v a 20000")
    place = log.line("R", "v b 20000")
    log.line("R", "v c 20000")
    content = bytearray(log.path.read_bytes())
    content[place + 60] ^= 1
    log.path.write_bytes(content)
    said = run(project, 3)
    assert said.read["facts"] == 2
    assert rejects(project) == [(".inbox/00000001.log", place)]


def test_a_log_ends_where_the_next_one_says(project: Project) -> None:
    first = Log(project)
    first.line("R", "v a 20000")
    size = first.path.stat().st_size
    first.line("R", "v a 20000")  # written, and its sync failed: it was refused
    second = Log(project, 2, f"1 {size}")
    second.line("R", "v b 20000")
    run(project, 2)
    assert run(project, 0).read["unchanged"] == 2
