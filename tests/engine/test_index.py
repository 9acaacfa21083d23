# SPDX-License-Identifier: Apache-2.0
"""The index of the ledger is read when a document is taken in and not before; its file is a help and never the truth."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from project import BUILD, Project

TOP = f"plugins: [{BUILD}/tests/plugins/cases.so]\nworkers: 1"
HEAD = "key,at,total,updated,padding\n"
CARTS = "  carts: {partner: nordwind, from: {directory: ./in}, decode: flood}"


def carts(first: int, last: int, day: int) -> str:
    """Twenty carts for each number."""
    return HEAD + "".join(f"{i},2024-01-{day:02},20,0,\n" for i in range(first, last))


def log(p: Project) -> Path:
    return p.store / "ledger" / "000001.log"


def index(p: Project) -> Path:
    return p.store / "ledger" / "index"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """30,000 carts read, their index in a file, and a document more that changes a part of them."""
    p = Project(tmp_path_factory.mktemp("scene") / "p", CARTS, top=TOP)
    p.write("in/1.csv", carts(0, 1500, 5))
    p.run()
    assert index(p).stat().st_size > 30_000 * 16
    return p


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a store makes of both that reads them at once, and whose digest comes from a scan."""
    p = Project(tmp_path_factory.mktemp("truth") / "p", CARTS, top=TOP)
    p.write("in/1.csv", carts(0, 1500, 5))
    p.write("in/2.csv", carts(1400, 1600, 7), dated=100)
    p.run()
    with_file = p.digest()
    index(p).unlink()
    assert p.digest() == with_file
    return with_file


def cut(p: Project) -> None:
    with index(p).open("r+b") as f:
        f.truncate(200_000)


def damage(p: Project) -> None:
    pick = random.Random(5)
    for _ in range(3):
        flip(index(p), pick.randrange(5000, 400_000))


def lie(p: Project) -> None:
    """An entry for another one, and the sums not mended."""
    data = index(p).read_bytes()
    index(p).write_bytes(data[:300_000] + data[300_016:300_032] + data[300_000:300_016] + data[300_032:])


def garbage(p: Project) -> None:
    index(p).write_bytes(random.Random(6).randbytes(500_000))


def empty(p: Project) -> None:
    index(p).write_bytes(b"")


@pytest.mark.parametrize("broken", [lambda p: None, lambda p: index(p).unlink(), cut, damage, lie, garbage, empty])
def test_no_file_is_as_good_as_a_good_one(
    scene: Project, truth: dict[str, str], tmp_path: Path, broken: Callable[[Project], None]
) -> None:
    """Whatever became of the file: the figures are the same, and so is what follows."""
    p = Project(tmp_path / "p", CARTS, top=TOP)
    shutil.copytree(scene.store, p.store)
    shutil.copytree(scene.folder / "in", p.folder / "in")
    broken(p)
    p.write("in/2.csv", carts(1400, 1600, 7), dated=100)
    p.run()
    assert p.digest() == truth


def test_an_old_file_is_read_on_from(scene: Project, truth: dict[str, str], tmp_path: Path) -> None:
    """One of an earlier run: what the log has behind it is scanned. One of a later run than the store: not believed."""
    p = Project(tmp_path / "p", CARTS, top=TOP)
    shutil.copytree(scene.store, p.store)
    shutil.copytree(scene.folder / "in", p.folder / "in")
    p.write("in/2.csv", carts(1400, 1600, 7), dated=100)
    p.run()
    shutil.copy2(index(scene), index(p))
    assert p.digest() == truth
    p.write("in/3.csv", carts(0, 1500, 9), dated=200)  # enough for a new file
    p.run()
    assert index(p).read_bytes() != index(scene).read_bytes()
    shutil.copy2(index(p), tmp_path / "later")
    shutil.rmtree(p.store)
    shutil.copytree(scene.store, p.store)
    shutil.copy2(tmp_path / "later", index(p))
    (p.folder / "in/3.csv").unlink()
    p.run()
    assert p.digest() == truth


def test_nothing_new_reads_nothing(scene: Project, tmp_path: Path) -> None:
    """Neither log nor index are looked at when there is nothing to take in: a damaged log is not even noticed."""
    p = Project(tmp_path / "p", CARTS, top=TOP)
    shutil.copytree(scene.store, p.store)
    shutil.copytree(scene.folder / "in", p.folder / "in")
    index(p).unlink()
    flip(log(p), 20)
    assert p.run().read["unchanged"] == 1
    p.write("in/2.csv", carts(1, 2, 7), dated=100)
    assert "no valid frame" in str(p.entente("run", "--no-rules").err)


def test_with_the_file_the_log_is_not_scanned(scene: Project, tmp_path: Path) -> None:
    """What the file speaks for is not looked at: damage in frames that nobody asks for goes unnoticed by a run."""
    p = Project(tmp_path / "p", CARTS, top=TOP)
    shutil.copytree(scene.store, p.store)
    shutil.copytree(scene.folder / "in", p.folder / "in")
    flip(log(p), 20)
    p.write("in/2.csv", carts(2000, 2001, 7), dated=100)
    p.run()
    assert p.figure("carts", "carts") == 1501 * 20
