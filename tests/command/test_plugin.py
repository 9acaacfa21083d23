# SPDX-License-Identifier: Apache-2.0
"""plugin show --markdown: the page of a plugin, from its tables; plugin new: what it refuses, and what it says."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run, answer

TESTED = Path(os.environ.get("ENTENTE_BUILD_DIR", "build")).absolute() / "tests" / "plugins"


def rows(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table behind a heading, without its two first rows."""
    table = re.split(rf"^##+ {re.escape(heading)}$", page, flags=re.MULTILINE)[1]
    lines = [line for line in table.split("\n\n|")[1].split("\n\n")[0].splitlines() if line]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines[2:]]


def test_page_has_each_option(entente: Run) -> None:
    page = entente("plugin", "show", "csv", "--markdown").out
    told = answer(entente("plugin", "show", "csv", "--json"))["decoders"][0]
    paths: list[str] = []

    def walk(options: list[dict[str, object]], above: str, listed: bool) -> None:
        for o in options:
            path = f"{above}[]" if listed else f"{above}.{o['key']}" if above else str(o["key"])
            paths.append(path)
            walk(o.get("items", []), path, o["type"] == "list")  # type: ignore[arg-type]

    walk(told["options"], "", False)
    own, host = rows(page, "Options"), rows(page, "Options of the host")
    assert [f"`{path}`" for path in paths] == [row[0] for row in own + host]
    by_key = {row[0]: row for row in own}
    assert by_key["`fact`"][2] == "**required**" and "`order-lines`" in by_key["`fact`"][1]
    assert by_key["`dates`"][2] == "`auto`"
    assert by_key["`values.*.*`"][1] == "text" and by_key["`absent[]`"][1] == "text"
    assert '"\\*": all others' in by_key["`values.*`"][3], "a lone star would be markup"


def test_page_has_each_column(entente: Run, write: Callable[[str], Path]) -> None:
    write(f"version: 1\ncurrency: EUR\nplugins: [{TESTED / 'shop.so'}]\n")
    page = entente("plugin", "show", "shop", "--markdown").out
    assert ["`At`", "`Created at`, `Date`", "**required**"] in rows(page, "Columns")


def test_page_is_the_same_everywhere(entente: Run, on_terminal: Run) -> None:
    page = entente("plugin", "show", "shopify", "--markdown").out
    assert on_terminal("plugin", "show", "shopify", "--markdown", columns=40).out == page
    assert "shopify.so" not in page
    names = re.findall(r"^## Decoder `(.*)`$", page, re.MULTILINE)
    assert names == ["shopify", "shopify-checkouts", "shopify-json", "shopify-document"]
    assert page.count("## Options of the host") == 1


def test_page_or_json(entente: Run) -> None:
    wrong = entente("plugin", "show", "csv", "--markdown", "--json")
    assert wrong.status == 2
    assert "leave one of them out" in wrong.out + wrong.err


def test_text_tells_whose_an_option_is(entente: Run) -> None:
    text = entente("plugin", "show", "shopify").out
    mine, host = text.index("Options, under"), text.index("Options of the host")
    assert mine < text.index("partner  choice") < host < text.index("skip_lines")


@pytest.mark.parametrize("name", ["csv", "ga4", "shopify", "woocommerce"])
def test_page_of_the_tree(entente: Run, name: str) -> None:
    """docs/plugins/NAME.md begins with what the command writes, on any machine."""
    page = entente("plugin", "show", name, "--markdown").out
    tree = Path(__file__).resolve().parents[2] / "docs" / "plugins" / f"{name}.md"
    assert tree.read_text().startswith(page)


# ---- plugin new ---------------------------------------------------------------------------------------


def listing(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("2shop", "cannot be the name"),
        ("my-shop", "cannot be the name"),
        ("../shop", "cannot be the name"),
        ("_shop", "cannot be the name"),
        ("käse", "cannot be the name"),
        ("", "is empty"),
        ("x" * 41, "at most 40 characters"),
        ("auto", "means something else"),
        ("Test", "means something else"),
        ("null", "means something else"),
    ],
)
def test_new_refuses_names(entente: Run, tmp_path: Path, name: str, said: str) -> None:
    wrong = entente("plugin", "new", name)
    assert (wrong.status, wrong.out) == (2, "")
    assert said in wrong.err and "take " in wrong.err
    assert listing(tmp_path) == []


def test_new_refuses_a_name_that_is_there(entente: Run, tmp_path: Path) -> None:
    wrong = entente("plugin", "new", "shopify")
    assert wrong.status == 1
    assert "shopify.so: there is a plugin 'shopify' already; take another name" in wrong.err
    assert listing(tmp_path) == []


@pytest.mark.parametrize("there", ["file", "folder", "link"])
def test_new_writes_over_nothing(entente: Run, tmp_path: Path, there: str) -> None:
    at = tmp_path / "acme"
    if there == "file":
        at.write_text("mine")
    elif there == "folder":
        at.mkdir()
    else:
        at.symlink_to("nowhere")
    before = at.lstat()
    wrong = entente("plugin", "new", "acme")
    assert wrong.status == 1
    assert wrong.err.startswith("acme: is there already; take another name or --dir")
    assert listing(tmp_path) == ["acme"] and at.lstat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("place", ["nowhere", "file"])
def test_new_needs_a_folder(entente: Run, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    wrong = entente("plugin", "new", "acme", "--dir", place)
    assert wrong.status == 1
    assert f"{place}: is no folder that a plugin can be written into" in wrong.err
    assert listing(tmp_path) == ["file"]


def test_new_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A limit on the size of files, so that one cannot be written; the fault is seen in what is said."""
    code = """import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
os.execv(sys.argv[1], sys.argv[1:])
"""
    words = ["/usr/bin/python3", "-c", code]
    program = str(Path(os.environ.get("ENTENTE_BIN", "build/bin")).absolute() / "entente")
    done = subprocess.run([*words, program, "plugin", "new", "acme"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot be written: File too large" in done.stderr
    assert listing(tmp_path) == []


def test_new_says_what_is_next(entente: Run, tmp_path: Path) -> None:
    (tmp_path / "it's here").mkdir()
    done = entente("plugin", "new", "acme", "--dir", "it's here", "--frame", "document")
    assert done.status == 0, done.err
    commands = [line.strip() for line in done.out.splitlines() if line.startswith("  ")]
    went = subprocess.run(f"{commands[0]} && pwd", shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert went.stdout.strip() == str(tmp_path / "it's here" / "acme")
    assert commands[1].startswith("cmake -B build ") and commands[1].endswith("&& cmake --build build")
    assert commands[2:] == ["entente plugin test build/acme.so", "entente run"]
    assert listing(tmp_path) != [] and not [p for p in listing(tmp_path) if ".new-" in p]


def test_new_as_json(entente: Run, tmp_path: Path) -> None:
    told = answer(entente("plugin", "new", "acme", "--json"))
    assert (told["folder"], told["frame"], len(told["next"])) == ("acme", "delimited", 3)
    files = [p for p in listing(tmp_path / "acme") if (tmp_path / "acme" / p).is_file()]
    assert sorted(told["files"]) == files
