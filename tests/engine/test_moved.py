# SPDX-License-Identifier: Apache-2.0
"""Files that are renamed, rotated, replaced, truncated or copied: whatever happens to them, every visit counts once, also
where nothing but its file tells it from another one (parts of visits add up, they have no rank)."""

import os
import random
import shutil
from pathlib import Path

import pytest
from project import Project, same

HEAD = "key,at,visitor\n"
SOURCE = (
    "  visits: {partner: nordwind, from: {glob: \"./in/**\"}, decode: {csv: {fact: visit, "
    "columns: {key: key, at: at, visitor: visitor}}}}"
)


def project(folder: Path, source: str = SOURCE) -> Project:
    return Project(folder, source.replace('"./in/**"', '"./in/*"'))


def visits(*numbers: int) -> str:
    return HEAD + "".join(f"{n},2024-01-05 12:00:{n % 60:02d},v{n}\n" for n in numbers)


def as_if(folder: Path, *documents: str) -> Project:
    """A project that reads these documents once and nothing else."""
    p = project(folder)
    for i, text in enumerate(documents):
        p.write(f"in/{i}.csv", text, dated=i)
    p.run()
    return p


def count(p: Project) -> int:
    return p.figure("sessions", "traffic")


def moved(p: Project, a: str, b: str) -> None:
    (p.folder / "in" / a).rename(p.folder / "in" / b)


def test_a_renamed_file_is_not_read_again(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.write("in/a", visits(1, 2, 3), dated=1)
    p.run()
    before = p.facts()
    for a, b in (("a", "b"), ("b", "aa"), ("aa", "a")):
        moved(p, a, b)
        said = p.run()
        assert (said.read["inputs"], said.read["unchanged"]) == (0, 1)
        assert p.facts() == before and p.sql("select name, generation from input")[0][0] == b
    assert count(p) == 3


def test_rotation(tmp_path: Path) -> None:
    """log.1 to log.2, log to log.1, a new log; what log had grown by since it was last read is in log.1."""
    p = project(tmp_path / "p")
    p.write("in/log", visits(1, 2), dated=1)
    p.run()
    p.write("in/log", visits(1, 2, 3), dated=2)
    p.run()
    documents = [visits(1, 2, 3)]
    for n in range(4, 16, 4):
        with (p.folder / "in/log").open("a") as log:  # not read any more under its old name
            log.write(visits(n).removeprefix(HEAD))
        documents[-1] = documents[-1] + visits(n).removeprefix(HEAD)
        for k in range(8, 0, -1):
            if (p.folder / f"in/log.{k}").exists():
                moved(p, f"log.{k}", f"log.{k + 1}")
        moved(p, "log", "log.1")
        p.write("in/log", visits(n + 1, n + 2), dated=n)
        documents.append(visits(n + 1, n + 2))
        said = p.run()
        assert said.read["inputs"] == 2, "the new one, and the one that had grown; the older ones only changed their names"
    assert count(p) == 12
    same([p, as_if(tmp_path / "once", *documents)])


def test_rotation_by_copy_and_truncation(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.write("in/log", visits(1, 2, 3), dated=1)
    p.run()
    shutil.copy(p.folder / "in/log", p.folder / "in/log.1")
    p.write("in/log", visits(4), dated=2)
    p.run()
    assert count(p) == 4
    assert p.run().read["inputs"] == 0
    same([p, as_if(tmp_path / "once", visits(1, 2, 3), visits(4))])


@pytest.mark.parametrize("names", [("log", "log.1"), ("z", "a")])
def test_truncated_copy_is_read_before_or_after(tmp_path: Path, names: tuple[str, str]) -> None:
    """The copy comes before the truncated one in the order of the names, or behind it; and it has more than was read."""
    log, copy = names
    p = project(tmp_path / "p")
    p.write(f"in/{log}", visits(1, 2), dated=1)
    p.run()
    p.write(f"in/{copy}", visits(1, 2, 3), dated=2)
    p.write(f"in/{log}", visits(4), dated=3)
    p.run()
    assert count(p) == 4
    same([p, as_if(tmp_path / "once", visits(1, 2, 3), visits(4))])


def test_replaced_by_another_file(tmp_path: Path) -> None:
    """`mv new over old`: what the old one said of visits counts no more."""
    p = project(tmp_path / "p")
    p.write("in/a", visits(1, 2, 3), dated=1)
    p.run()
    p.write("new", visits(2, 3, 4, 5), dated=2)
    (p.folder / "new").rename(p.folder / "in/a")
    p.run()
    assert count(p) == 4
    same([p, as_if(tmp_path / "once", visits(2, 3, 4, 5))])


def test_truncated_and_written_again_in_place(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    path = p.write("in/a", visits(1, 2, 3), dated=1)
    p.run()
    inode = path.stat().st_ino
    with path.open("r+") as f:
        f.truncate(0)
        f.write(visits(7, 8))
    assert path.stat().st_ino == inode
    p.run()
    assert count(p) == 2
    same([p, as_if(tmp_path / "once", visits(7, 8))])


def test_two_files_change_their_names(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.write("in/a", visits(1, 2, 3), dated=1)
    p.write("in/b", visits(4), dated=2)
    p.run()
    before = p.facts()
    moved(p, "a", "c")
    moved(p, "b", "a")
    moved(p, "c", "b")
    assert p.run().read["inputs"] == 0
    assert p.facts() == before
    p.write("in/a", visits(4, 5), dated=3)
    p.run()
    assert count(p) == 5
    same([p, as_if(tmp_path / "once", visits(1, 2, 3), visits(4, 5))])


def test_copied_away_and_deleted(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.write("in/a", visits(1, 2, 3), dated=1)
    p.run()
    shutil.copy(p.folder / "in/a", p.folder / "in/b")
    (p.folder / "in/a").unlink()
    assert p.run().read["inputs"] == 0
    assert count(p) == 3


def test_an_inode_that_is_used_again(tmp_path: Path) -> None:
    """Another file may get the number of one that was deleted: what it holds decides."""
    p = project(tmp_path / "p")
    path = p.write("in/a", visits(1, 2, 3), dated=1)
    p.run()
    inode = path.stat().st_ino
    (p.folder / "in/a").rename(p.folder / "in/b")  # the same number, another content under another name
    p.write("in/b", visits(7, 8), dated=2)
    assert (p.folder / "in/b").stat().st_ino == inode
    p.run()
    assert count(p) == 5, "the facts of a file that is gone stay"


def test_a_hard_link_is_another_document(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    p.write("in/a", visits(1, 2, 3), dated=1)
    p.run()
    os.link(p.folder / "in/a", p.folder / "in/b")
    p.run()
    assert sorted(p.sql("select name from input")) == [("a",), ("b",)]


def test_moved_to_another_partner(tmp_path: Path) -> None:
    """The path says whose it is: in the folder of another one its facts are that one's, and no longer the first one's."""
    source = SOURCE.replace("partner: nordwind, from", 'partner: {from: path, pattern: "in/{partner}.csv"}, from')
    p = project(tmp_path / "p", source)
    p.write("in/nordwind.csv", visits(1, 2, 3), dated=1)
    p.run()
    assert p.figure("sessions", "traffic", partner="nordwind") == 3
    moved(p, "nordwind.csv", "suedwind.csv")
    assert p.run().read["inputs"] == 1
    assert p.figure("sessions", "traffic", partner="suedwind") == 3
    assert p.figure("sessions", "traffic", partner="nordwind") == 0


@pytest.mark.parametrize("seed", range(4))
def test_anything_in_any_order(tmp_path: Path, seed: int) -> None:
    """Random operations, with a run now and then: in the end the figures are those of the files that lie there, and of those
    that were deleted after they were read."""
    pick = random.Random(seed)
    p = project(tmp_path / "p")
    texts: dict[str, str] = {}
    number = 0
    for step in range(60):
        what = pick.choice(("new", "new", "move", "grow", "rewrite", "run", "run"))
        if what == "new" or not texts:
            number += 10
            name = f"f{pick.randrange(1000)}"
            if name not in texts:
                texts[name] = visits(*range(number, number + pick.randrange(1, 9)))
                p.write(f"in/{name}", texts[name], dated=step)
        elif what == "move":
            a, b = pick.choice(sorted(texts)), f"g{step}"
            moved(p, a, b)
            texts[b] = texts.pop(a)
        elif what == "grow":
            number += 10
            name = pick.choice(sorted(texts))
            texts[name] += visits(number).removeprefix(HEAD)
            with (p.folder / "in" / name).open("a") as f:
                f.write(visits(number).removeprefix(HEAD))
        elif what == "rewrite":
            number += 10
            name = pick.choice(sorted(texts))
            texts[name] = visits(*range(number, number + 3))
            p.run()  # moved and rewritten between two looks, it could not be told from one that was deleted
            p.write(f"in/{name}", texts[name], dated=step)
            p.run()
        else:
            p.run()
    p.run()
    same([p, as_if(tmp_path / "once", *texts.values())])
