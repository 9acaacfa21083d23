# SPDX-License-Identifier: Apache-2.0
"""Which plugins a run asks, and at what cost: those that its sources need, or all of them in one process; a bad one among them
is named, and costs nobody else anything."""

import shutil
from pathlib import Path

import pytest
from project import BUILD, Project, same
from shop import export, orders

NAMED = "  exports: {partner: nordwind, from: {directory: ./exports}, decode: shopify}\n"
AUTO = NAMED.replace("shopify}", "auto}")
PLANTED = BUILD / "tests" / "plugins"
MADE = orders(300, seed=21)


def project(folder: Path, sources: str, *planted: str) -> Project:
    p = Project(folder, sources, top="workers: 2")
    for name in planted:
        (folder / "plugins").mkdir(exist_ok=True)
        shutil.copy(PLANTED / f"{name}.so", folder / "plugins")
    p.write("exports/1.csv", export(MADE))
    return p


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Project:
    p = project(tmp_path_factory.mktemp("good") / "good", NAMED)
    p.run()
    return p


def test_a_named_decoder_needs_its_plugin_alone(good: Project, tmp_path: Path) -> None:
    p = project(tmp_path / "p", NAMED, "dies_loading")
    said = p.run()
    assert said.read["workers_started"] <= 2 and said.read["workers_died"] == 0
    same([good, p])
    # of another name than its plugin: then all are looked at, and what is wrong with one is said
    p.sources = NAMED.replace("shopify}", "twinn}")
    p.configure()
    said = p.run(status=4)
    assert "no plugin holds a decoder 'twinn'" in said.errors + said.err
    assert "dies_loading.so" in said.errors + said.err


def test_many_are_looked_at_by_one_process(good: Project, tmp_path: Path) -> None:
    p = project(tmp_path / "p", AUTO)
    plugins = len(list((BUILD / "plugins").glob("*.so")))
    assert plugins > 3
    said = p.run()
    assert said.read["workers_started"] <= 3, "two that decode, and the one that looks"
    same([good, p])


def test_one_that_cannot_be_loaded_is_named(good: Project, tmp_path: Path) -> None:
    p = project(tmp_path / "p", AUTO, "dies_loading")
    said = p.run(status=4)
    [error] = said.json["input_errors"]
    assert "dies_loading.so" in str(error) and "signal 6" in error["what"]
    same([good, p])


def test_one_that_is_no_plugin_is_named(good: Project, tmp_path: Path) -> None:
    p = project(tmp_path / "p", AUTO)
    (p.folder / "plugins").mkdir()
    (p.folder / "plugins" / "torn.so").write_bytes(b"\x7fELF and no more")
    said = p.run(status=4)
    [error] = said.json["input_errors"]
    assert "torn.so" in str(error)
    assert said.read["workers_died"] == 0, "a refusal is no death: the others stay in their one process"
    same([good, p])


def test_one_that_dies_of_a_document_is_named(tmp_path: Path) -> None:
    p = project(tmp_path / "p", AUTO, "dies_probing")
    said = p.run(status=4)
    [error] = said.json["input_errors"]
    assert error["file"] == "1.csv" and "plugin twin died of signal 6" in error["what"]
    assert said.read["workers_died"] == 2, "the one that held all, and then the culprit by itself"


@pytest.mark.parametrize(
    ("bytes_", "what", "todo"),
    [
        (b"", "the file is empty", "fetch it again"),
        (b"PK\x03\x04 and so on", "a ZIP archive, or a spreadsheet", "save the sheet as CSV"),
        (b"%PDF-1.7\n", "a PDF", "as CSV or JSON"),
        (b"a,b,c\n1,2,3\n", "no decoder knows this format (", "name one in `decode:`"),
    ],
    ids=["empty", "zip", "pdf", "unknown"],
)
def test_what_nobody_reads(good: Project, tmp_path: Path, bytes_: bytes, what: str, todo: str) -> None:
    p = project(tmp_path / "p", AUTO)
    p.write("exports/x.csv", bytes_)
    [error] = p.run(status=4).json["input_errors"]
    assert error["file"] == "x.csv" and what in error["what"] and todo in error["todo"]
    assert len(error["what"]) < 600, "some of the reasons, not those of every decoder"
    same([good, p])
