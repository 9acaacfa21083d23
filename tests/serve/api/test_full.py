# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: what could not be written is said to be, and is not there; with room again, all goes on."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Service, make, serving
from test_life import finding


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Service]:
    """A project on a disk of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", disk], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield make(disk / "project")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while f.write(b"x" * size):
                    pass
            except OSError:
                continue


def test_a_full_disk(small: Service) -> None:
    with serving(small):
        one = finding(small, "sells", "alder")["id"]
        fill(small.folder / "filler")
        # pages of the log that are there already take some changes more
        reasons = []
        for n in range(200):
            answer = small.ask("POST", f"findings/{one}/{'acknowledge' if n % 2 else 'explain'}", {"reason": f"{n} " + "x" * 1900})
            if answer.status != 200:
                break
            reasons.append(f"{n} ")
        assert answer.status in {500, 503}, answer.body  # the fault came
        (small.folder / "filler").unlink()
        small.until(lambda: small.ask("GET", f"findings/{one}").status == 200, "reading")
        assert [c["reason"][:3].split()[0] + " " for c in small.get(f"findings/{one}")["changes"]] == reasons
        verb = "resolve"
        small.until(lambda: small.ask("POST", f"findings/{one}/{verb}", {"reason": "room"}).status == 200, "room")
        assert [c["reason"] for c in small.get(f"findings/{one}")["changes"]][-1] == "room"
        assert small.get("balance")["closes"]
