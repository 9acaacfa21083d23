# SPDX-License-Identifier: Apache-2.0
"""Plugins that crash, hang and lie, inside a whole run: it goes on, and says what happened."""

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from project import BUILD, Project, same
from shop import export, orders

PLUGINS = BUILD / "tests" / "plugins"
GOOD = """\
  exports:
    partner: nordwind
    from: {directory: ./exports}
    decode: shopify
"""
BAD = """\
  bad:
    partner: suedwind
    from: {glob: "./bad/*.csv"}
    decode: faulty
"""
MADE = orders(400, seed=8)
FEW = "Name\na\nb\nboom\nc\n"
BOOM = FEW.index("boom")
#: Rows enough that the ring holds batches that were handed over, and more than it can hold at once.
MANY = "Name\n" + "".join(f"row {n} of very many that all are alike\n" for n in range(20_000))
MORE = "Name\n" + "".join(f"row {n} of very many that all are alike\n" for n in range(400_000))


def project(folder: Path, plugin: str, sources: str = BAD + GOOD) -> Project:
    p = Project(
        folder,
        sources,
        top=f"plugins: [{PLUGINS / plugin}.so, {BUILD / 'plugins' / 'shopify.so'}]\n"
        f"workers: 2\ndecoders: {{deadline: {'700ms' if plugin == 'loop' else '20s'}}}",
    )
    p.write("exports/1.csv", export(MADE))
    return p


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What the other source alone brings."""
    p = project(tmp_path_factory.mktemp("good") / "good", "segv", GOOD)
    p.run()
    return p


CASES = {
    "segv": "plugin faulty died of signal 11 (Segmentation fault)",
    "abort": "plugin faulty died of signal 6 (Aborted)",
    "exit": "plugin faulty ended its process with status 0",
    "loop": "no progress for ",
    "scribble": "the worker wrote nonsense into its ring",
}


@pytest.mark.parametrize(
    "rows",
    [FEW, FEW.replace("a\n", MANY[5:], 1), FEW.replace("a\n", MORE[5:], 1)],
    ids=["few", "many", "full"],
)
@pytest.mark.parametrize("plugin", CASES)
def test_run_goes_on(good: Project, tmp_path: Path, plugin: str, rows: str) -> None:
    p = project(tmp_path / plugin, plugin)
    p.write("bad/x.csv", rows)
    said = p.run(status=4)
    [error] = said.json["input_errors"]
    assert error["file"] == "x.csv"
    assert CASES[plugin] in error["what"]
    assert "plugin faulty" in error["what"] and "source bad" in error["what"]
    if plugin != "scribble":  # after which nothing that the ring says is to be believed
        place = int(error["what"].rpartition("at byte ")[2].rstrip(")"))
        assert rows.index("boom") - 65536 <= place <= rows.index("boom"), error
    assert said.read["failed"] == 1 and said.read["workers_died"] >= 1
    assert said.json["balance"][0]["records"] == 0 == p.figure("orders", partner="suedwind")
    same([good, p])
    assert p.sql("select count(*) from input where done") == [(1,)]
    again = p.run(status=4)
    assert (again.read["unchanged"], again.read["failed"]) == (1, 1), "it is tried again, and told again"


def test_begins_again_while_a_commit_is_under_way(tmp_path: Path) -> None:
    """Another one holds the database, so the thread that commits waits, when a worker's nonsense throws away what is not
    committed: what that thread has was, what came after was not, and both count once."""
    sources = GOOD.replace("./exports", "./before").replace("exports:", "before:") + BAD + GOOD
    made = orders(3000, seed=9)

    def scene(name: str, bad: str) -> Project:
        p = project(tmp_path / name, "scribble", sources)
        p.top += "\ncommit: {bytes: 1500KB, every: 1h}"
        p.configure()
        (p.folder / "exports/1.csv").unlink()
        (p.folder / "before").mkdir()
        p.run()
        for n in range(30):
            p.write(f"{'before' if n < 15 else 'exports'}/{n}.csv", export(made[n * 100 : n * 100 + 100]))
        p.write("bad/x.csv", bad)
        return p

    quiet = scene("quiet", FEW.replace("boom", "fine"))
    quiet.run()
    loud = scene("loud", FEW.replace("a\n", 8 * MANY[5:], 1))
    with closing(sqlite3.connect(loud.store / "entente.db", isolation_level=None)) as db:
        db.execute("begin immediate")
        child = loud.start("run", "--no-rules", "--json")
        time.sleep(2)
        assert child.poll() is None
        db.execute("rollback")
    out, err = child.communicate(timeout=60)
    assert child.returncode == 4, err
    told, digests = json.loads(out), [p.digest() for p in (loud, quiet)]
    assert told["read"]["failed"] == 1
    assert all(sheet["closes"] for sheet in told["balance"])
    assert all(digests[0][group] == digests[1][group] for group in ("cells", "members"))


def test_other_files_of_the_source_are_read(good: Project, tmp_path: Path) -> None:
    p = project(tmp_path / "p", "segv")
    for n in range(6):
        p.write(f"bad/{n}.csv", FEW if n in (1, 4) else FEW.replace("boom", "fine"))
    said = p.run(status=4)
    assert sorted(error["file"] for error in said.json["input_errors"]) == ["1.csv", "4.csv"]
    assert said.json["balance"][0]["records"] == 4 * 4


def test_repaired_file_is_read(tmp_path: Path) -> None:
    p = project(tmp_path / "p", "abort")
    p.write("bad/x.csv", FEW)
    p.run(status=4)
    p.write("bad/x.csv", FEW.replace("boom", "fine"), 10)
    assert p.run().json["balance"][0]["records"] == 4


@pytest.mark.parametrize(
    ("plugin", "why"),
    [("major", "7"), ("noentry", "ent_plugin_entry"), ("nosymbol", "undefined symbol")],
)
def test_plugin_that_cannot_be_loaded(good: Project, tmp_path: Path, plugin: str, why: str) -> None:
    """Only what needs it cannot be read."""
    p = project(tmp_path / plugin, plugin)
    p.write("bad/x.csv", FEW)
    said = p.run(status=4)
    told = [error["what"] for error in said.json["input_errors"]]
    assert any(why in what for what in told), told
    assert any("no plugin holds a decoder 'faulty'" in what for what in told), told
    assert f"{plugin}.so" in said.errors
    same([good, p])


def test_lie_is_a_balance_that_does_not_close(tmp_path: Path) -> None:
    """The plugin changes counts behind the host's back; the host had counted for itself."""
    p = project(tmp_path / "p", "liar")
    p.write("bad/x.csv", MANY + "boom\nc\n")
    said = p.run(status=3)
    assert "does not close" in said.err and "bad" in said.err
    assert "the worker counted 20002" in said.err and "records read 20003" in said.err
    honest = project(tmp_path / "honest", "liar")
    honest.write("bad/x.csv", MANY + "fine\nc\n")
    honest.run()


def test_death_and_nonsense_and_strangers_together(good: Project, tmp_path: Path) -> None:
    """Each is told once, whatever had to be begun again because of another."""
    sources = BAD + GOOD.replace("decode: shopify", "decode: auto")
    p = project(tmp_path / "p", "scribble", sources)
    p.write("bad/1.csv", FEW)
    p.write("bad/2.csv", FEW.replace("boom", "fine"))
    p.write("bad/3.csv", MANY + FEW[5:])
    p.write("exports/notes.txt", "nothing of the kind\n")
    said = p.run(status=4)
    assert sorted(error["file"] for error in said.json["input_errors"]) == ["1.csv", "3.csv", "notes.txt"]
    assert said.read["failed"] == 3
    assert said.json["balance"][0]["records"] == 4
    same_exports = project(tmp_path / "same", "scribble", sources)
    same_exports.write("bad/2.csv", FEW.replace("boom", "fine"))
    same_exports.run()
    same([same_exports, p])


# ---- whose format is it? ---------------------------------------------------------------------------------

AUTO = GOOD.replace("decode: shopify", "decode: auto")


def test_unknown_file_is_refused_with_reasons(good: Project, tmp_path: Path) -> None:
    p = Project(tmp_path / "p", AUTO)
    p.write("exports/1.csv", export(MADE))
    p.write("exports/2.csv", "a,b,c\n1,2,3\n")
    p.write("exports/3.bin", bytes(range(256)) * 40)
    said = p.run(status=4)
    assert [error["file"] for error in said.json["input_errors"]] == ["2.csv", "3.bin"]
    for error in said.json["input_errors"]:
        assert "no decoder knows this format (" in error["what"]
        assert re.search(r"\((\S+: .+){4}; and \d+ more\)$", error["what"]), "some of the reasons, and how many there are"
        assert "`decode:`" in error["todo"]
    same([good, p])


def test_two_claimants_are_refused(good: Project, tmp_path: Path) -> None:
    p = project(tmp_path / "p", "twin", AUTO)
    said = p.run(status=4)
    [error] = said.json["input_errors"]
    assert "two decoders claim this file" in error["what"]
    assert "twin: it has names and addresses" in error["what"] and "shopify: " in error["what"]
    assert p.sql("select count(*) from input") == [(0,)]
    p.sources = GOOD
    p.configure()
    p.run()
    same([good, p])
