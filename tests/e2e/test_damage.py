# SPDX-License-Identifier: Apache-2.0
"""A store that was damaged: what can be recovered is, what cannot is set aside; either is said."""

import random
import shutil
from pathlib import Path

import pytest
from project import Project, same
from shop import export, orders

SOURCES = """\
  exports:
    partner: nordwind
    from: {directory: ./exports}
    decode: shopify
"""
MADE = orders(800, seed=4)
SEGMENT = "ledger/000001.log"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Project:
    p = Project(tmp_path_factory.mktemp("damage") / "whole", SOURCES)
    p.write("exports/1.csv", export(MADE))
    p.run()
    return p


@pytest.fixture
def p(whole: Project, tmp_path: Path) -> Project:
    """A copy of a store with one segment of the ledger."""
    made = Project(shutil.copytree(whole.folder, tmp_path / "p"), SOURCES)
    assert [path.name for path in (made.store / "ledger").iterdir()] == ["000001.log"]
    return made


def more(p: Project) -> None:
    """Something new to read, so that the ledger is needed."""
    p.write("exports/2.csv", export(orders(20, seed=6)), 50)


def committed(p: Project) -> int:
    [(valid,)] = p.sql("select valid from segment where number = 1")
    return int(valid)


def refused(p: Project, *words: str) -> str:
    """A run that ends with an error and leaves the database as it was."""
    before = (p.store / "entente.db").read_bytes()
    said = p.run(status=1)
    assert (p.store / "entente.db").read_bytes() == before
    for word in words:
        assert word in said.err, said.err
    return said.err


def test_torn_tail_is_cut(whole: Project, p: Project) -> None:
    """What stands behind the last commit: a frame that was written in part when the machine died."""
    with open(p.store / SEGMENT, "ab") as file:
        file.write(random.Random(1).randbytes(1001))
    assert (p.store / SEGMENT).stat().st_size == committed(p) + 1001
    said = p.run()
    assert "1001 bytes" in said.err and "had not committed" in said.err
    assert (p.store / SEGMENT).stat().st_size == committed(p)
    same([whole, p])
    assert "interrupted" not in p.run().err


def test_segment_that_nobody_committed_is_deleted(whole: Project, p: Project) -> None:
    (p.store / "ledger/000002.log").write_bytes(random.Random(1).randbytes(5000))
    (p.store / "ledger/notes.txt").write_text("somebody's")
    said = p.run()
    assert "1 segment" in said.err and "had not committed" in said.err
    assert sorted(path.name for path in (p.store / "ledger").iterdir()) == ["000001.log", "notes.txt"]
    same([whole, p])


def test_identities_beyond_the_commit_are_cut(whole: Project, p: Project) -> None:
    size = (p.store / "identities").stat().st_size
    with open(p.store / "identities", "ab") as file:
        file.write(bytes(range(1, 40)))
    p.run()
    assert (p.store / "identities").stat().st_size == size
    same([whole, p])


@pytest.mark.parametrize("cut", [1, 5000, None], ids=["a-byte", "half", "all"])
def test_shorter_segment_is_set_aside(p: Project, cut: int | None) -> None:
    size = committed(p)
    data = (p.store / SEGMENT).read_bytes()
    (p.store / SEGMENT).write_bytes(data[: size - cut] if cut else b"")
    refused(p, "the ledger is damaged", f"{size} bytes were committed", "000001.log.damaged", "restore")
    assert (p.store / f"{SEGMENT}.damaged").read_bytes() == (data[: size - cut] if cut else b"")
    refused(p, "000001.log is missing; it was set aside as 000001.log.damaged before")
    (p.store / SEGMENT).write_bytes(data)  # as the message says: from a copy
    p.run()


def test_missing_segment_is_said(p: Project) -> None:
    (p.store / SEGMENT).rename(p.folder / "away")
    refused(p, "000001.log is missing", "restore")
    (p.folder / "away").rename(p.store / SEGMENT)
    p.run()


@pytest.mark.parametrize("seed", range(8))
def test_flipped_bit_is_found(whole: Project, p: Project, seed: int) -> None:
    """Wherever it is: the run that needs the ledger ends, says so, and keeps the file under another name."""
    pick = random.Random(seed)
    data = bytearray((p.store / SEGMENT).read_bytes())
    at = pick.randrange(committed(p))
    data[at] ^= 1 << pick.randrange(8)
    assert bytes(data) != (whole.store / SEGMENT).read_bytes()
    (p.store / SEGMENT).write_bytes(data)
    more(p)
    refused(p, "000001.log", "restore")
    assert (p.store / f"{SEGMENT}.damaged").read_bytes() == data
    shutil.copy(whole.store / SEGMENT, p.store / SEGMENT)
    p.run()


def test_doctor_finds_a_flipped_bit(p: Project) -> None:
    assert p.entente("doctor").status == 0
    data = bytearray((p.store / SEGMENT).read_bytes())
    data[committed(p) // 2] ^= 4
    (p.store / SEGMENT).write_bytes(data)
    said = p.entente("doctor")
    assert said.status != 0 and "000001.log" in str(said.json) + said.err


def test_shorter_identities_are_refused(p: Project) -> None:
    data = (p.store / "identities").read_bytes()
    (p.store / "identities").write_bytes(data[:-16])
    refused(p, "identities", f"{len(data) // 16} identities")


@pytest.mark.parametrize("left", [None, b""], ids=["missing", "empty"])
def test_lost_database_does_not_take_the_ledger_along(p: Project, left: bytes | None) -> None:
    """To a new database nothing in the ledger is committed; it must not be deleted for that."""
    data = (p.store / SEGMENT).read_bytes()
    for path in p.store.glob("entente.db*"):
        path.unlink()
    if left is not None:
        (p.store / "entente.db").write_bytes(left)
    said = p.run(status=1)
    assert "entente.db is missing or empty" in said.err and "restore" in said.err
    assert (p.store / SEGMENT).read_bytes() == data


def test_database_of_something_else(p: Project) -> None:
    (p.store / "entente.db").write_bytes(random.Random(2).randbytes(8192))
    assert "entente.db" in p.run(status=1).err or "not a database" in p.run(status=1).err


def test_another_identity_key_is_refused(p: Project) -> None:
    """Under it every customer would be a new one."""
    (p.folder / "identity.key").write_text("some other key, long enough")
    more(p)
    refused(p, "identity key is not the one")


def test_lost_identity_key_is_not_made_anew(tmp_path: Path) -> None:
    p = Project(tmp_path / "p", SOURCES)
    p.config.write_text(p.config.read_text().replace("identity_key: file:identity.key\n", ""))
    p.write("exports/1.csv", export(MADE[:50]))
    p.run()
    key = p.store / "identity.key"
    assert key.stat().st_mode & 0o777 == 0o600
    saved = key.read_bytes()
    key.unlink()
    assert "identity.key" in refused(p, "restore")
    assert not key.exists()
    key.write_bytes(saved)
    assert p.run().read["unchanged"] == 1
