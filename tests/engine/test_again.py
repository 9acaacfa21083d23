# SPDX-License-Identifier: Apache-2.0
"""The second run: what has not changed is not read again, and what has changed is, however alike it looks."""

from pathlib import Path

import pytest
from project import BUILD, Project, same

HEAD = "key,at,total,updated,padding\n"
#: More than the first and last 64 KiB, which are looked at.
PADDING = "".join(f"{i},2024-01-09 12:00:00,1.00,,{'x' * 100}\n" for i in range(1000, 4000))
FIRST, LAST = "1,2024-01-05 12:00:00,{}.00,,\n", "2,2024-01-06 12:00:00,{}.00,,\n"
REST = 3000


def project(folder: Path, **more: str) -> Project:
    extra = more.get("from_", "")
    sources = f'  months: {{partner: nordwind, from: {{glob: "./in/*.csv"{extra}}}, decode: month}}'
    return Project(folder, sources, top=f"plugins: [{BUILD}/tests/plugins/cases.so]")


def write(p: Project, first: int, last: int, dated: int = 5, name: str = "a") -> None:
    p.write(f"in/{name}.csv", HEAD + FIRST.format(first) + PADDING + LAST.format(last), dated)


def total(p: Project) -> int:
    return p.figure("total") // 1_000_000 - REST


def test_nothing_new_is_not_read(tmp_path: Path) -> None:
    p = project(tmp_path)
    write(p, 1, 2)
    p.run()
    before = p.digest()
    said = p.run()
    assert (said.read["inputs"], said.read["unchanged"], said.read["bytes"]) == (0, 1, 0)
    assert said.read["records"] == said.read["facts"] == 0 and p.digest() == before


@pytest.mark.parametrize("where", ["head", "tail"])
@pytest.mark.parametrize("before", range(4))
def test_changed_though_size_and_time_are_the_same(tmp_path: Path, where: str, before: int) -> None:
    """And what stands there now counts, for each order: which hash is higher must not decide."""
    p = project(tmp_path)
    write(p, before, before)
    p.run()
    for after in (before + 3, before + 2, before + 5, before):
        write(p, after if where == "head" else before, after if where == "tail" else before)
        said = p.run()
        assert (said.read["inputs"], said.read["unchanged"]) == (1, 0)
        assert total(p) == before + after


def test_a_touched_file_is_read_again_and_changes_nothing(tmp_path: Path) -> None:
    """Its middle may have changed. All that it tells is known already."""
    p, once = project(tmp_path / "p"), project(tmp_path / "once")
    write(p, 1, 2, dated=5)
    p.run()
    write(p, 1, 2, dated=90)
    said = p.run()
    balance = said.json["balance"][0]
    assert said.read["inputs"] == 1 and said.read["facts"] == REST + 2
    assert (balance["stored"], balance["duplicate"], balance["replaced"]) == (REST + 2, REST + 2, 0)
    assert total(p) == 3
    write(once, 1, 2, dated=90)
    once.run()
    same([once, p])


def test_a_changed_middle_shows_in_the_time_of_change(tmp_path: Path) -> None:
    p = project(tmp_path)
    write(p, 1, 2)
    p.run()
    p.write("in/a.csv", HEAD + FIRST.format(1) + PADDING.replace("2500,2024-01-09 12:00:00,1.00", "2500,2024-01-09 12:00:00,9.00")
            + LAST.format(2), 6)
    assert p.run().read["inputs"] == 1
    assert total(p) == 1 + 2 + 8


def test_another_size(tmp_path: Path) -> None:
    p = project(tmp_path)
    write(p, 1, 2)
    p.run()
    write(p, 1, 20)
    assert p.run().read["inputs"] == 1
    assert total(p) == 21


def test_the_name_says_when_it_was_taken(tmp_path: Path) -> None:
    """A file that is written anew under its name, whose date in the name is its snapshot: what it says now counts."""
    p = project(tmp_path, from_=", snapshot: '{year}-{month}-{day}.csv'")
    for n, dated in ((3, 10), (7, 20), (4, 30), (9, 25), (1, 40)):
        write(p, n, 1, dated=dated, name="2024-02-01")
        p.run()
        assert total(p) == n + 1
    write(p, 5, 1, name="2024-02-02")
    p.run()
    assert total(p) == 5 + 1
    write(p, 8, 1, dated=50, name="2024-02-01")
    p.run()
    assert total(p) == 5 + 1, "a later snapshot still wins"


def test_the_older_of_two_files_does_not_win(tmp_path: Path) -> None:
    """Put back from a backup, with its old time of change: rank decides, as it does between two files."""
    p = project(tmp_path)
    write(p, 8, 1, dated=50)
    p.run()
    write(p, 3, 1, dated=10)
    p.run()
    assert total(p) == 8 + 1


def test_another_name_tells_nothing_new(tmp_path: Path) -> None:
    p = project(tmp_path)
    write(p, 1, 2, name="a")
    p.run()
    (p.folder / "in/a.csv").rename(p.folder / "in/b.csv")
    said = p.run()
    assert (said.read["inputs"], said.read["unchanged"]) == (0, 1)
    assert total(p) == 3
    assert p.sql("select name from input") == [("b.csv",)]
