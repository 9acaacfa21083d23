# SPDX-License-Identifier: Apache-2.0
"""plugin show --markdown: the page of a plugin, from its tables."""

import os
import re
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
    assert re.findall(r"^## Decoder `(.*)`$", page, re.MULTILINE) == ["shopify", "shopify-checkouts", "shopify-json"]
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
