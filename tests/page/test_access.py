# SPDX-License-Identifier: Apache-2.0
"""The page is for everybody: by keyboard alone, with a screen reader, light and dark, from 390 to 2560 pixels."""

from typing import Any

import pytest
from conftest import Page
from selenium.webdriver.common.keys import Keys

VIEWS = (("#/", "Portfolio"), ("#/partners/alder", "Alder Tools"), ("#/sources", "Sources"), ("#/sources/orders", "orders"),
         ("#/rules", "Rules"), ("#/rules/grows", "Grows"), ("#/service", "Service"))  # fmt: skip

#: Texts of too little contrast with the ground that they stand on.
FAINT = """
const shine = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z; };
const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]));
const ground = e => { const own = parse(getComputedStyle(e).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, e.parentElement ? ground(e.parentElement) : [255, 255, 255]); };
const found = new Set();
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let n; n = walk.nextNode();) {
    const e = n.parentElement, s = getComputedStyle(e);
    if (!n.textContent.trim() || !e.checkVisibility() || e.closest('.unseen, option, script, noscript, .skip')) continue;
    const under = ground(e), [a, b] = [shine(over(parse(s.color), under)), shine(under)].sort((x, y) => y - x);
    const large = parseFloat(s.fontSize) >= 24 || parseFloat(s.fontSize) >= 18.66 && s.fontWeight >= 700;
    if ((a + .05) / (b + .05) < (large ? 3 : 4.5)) found.add(`${e.tagName}.${e.className}: ${n.textContent.trim().slice(0, 40)} ${s.color}`);
}
return [...found];
"""


@pytest.mark.parametrize("width", [390, 1280, 2560])
def test_every_view_fits_in_light_and_dark(page: Page, width: int) -> None:
    page.width(width)
    grounds = []
    for theme in ("light", "dark"):
        if page.js("return document.documentElement.dataset.theme ?? 'light'") != theme:
            page.click("#theme")
        grounds.append(page.js("return getComputedStyle(document.body).backgroundColor"))
        for where, heading in VIEWS:
            page.go(where, heading)
            page.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            assert page.js("return document.documentElement.scrollWidth") <= width, (where, theme)
            assert page.js(FAINT) == [], (where, theme)
    page.click("#theme")
    assert grounds[0] != grounds[1]


def names(page: Page) -> list[dict[str, Any]]:
    """What a screen reader is told."""
    nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [
        {"role": n.get("role", {}).get("value", ""), "name": n.get("name", {}).get("value", ""),
         "level": next((p["value"]["value"] for p in n.get("properties", []) if p["name"] == "level"), None)}
        for n in nodes if not n.get("ignored")
    ]  # fmt: skip


def test_a_screen_reader_hears_what_is_there(page: Page) -> None:
    for where, heading in VIEWS:
        page.go(where, heading)
        told = names(page)
        roles = [n["role"] for n in told]
        assert roles.count("main") == 1 and "banner" in roles and "contentinfo" in roles, where
        assert {"role": "navigation", "name": "Main", "level": None} in told
        heads = [n["level"] for n in told if n["role"] == "heading"]
        assert heads[0] == 1 and heads.count(1) == 1, (where, heads)
        assert all(b - a <= 1 for a, b in zip(heads, heads[1:], strict=False)), (where, heads)
        for n in told:
            if n["role"] in ("button", "link", "textbox", "searchbox", "combobox", "checkbox", "table", "image", "img", "dialog"):
                assert n["name"].strip(), (where, n)
    page.go("#/", "Portfolio")
    told = names(page)
    assert sum(n["role"] == "columnheader" for n in told) == 9 and sum(n["role"] == "rowheader" for n in told) == 3


def test_by_keyboard_alone(page: Page) -> None:
    page.driver.refresh()
    page.settled("Portfolio")
    page.js("document.activeElement.blur()")

    def focused() -> str:
        return str(page.js("return document.activeElement.textContent || document.activeElement.name || ''")).strip()

    def tab_to(text: str, most: int = 60) -> None:
        for _ in range(most):
            page.keys(Keys.TAB)
            style = page.js("const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]")
            assert style[0] != "none" and style[1] != "0px", focused()  # one sees where one is
            if focused().startswith(text):
                return
        raise AssertionError(f"no way to {text} by Tab; last at {focused()}")

    tab_to("Skip to the content", 2)
    page.keys(Keys.ENTER)
    assert page.js("return document.activeElement.id") == "main"
    tab_to("Birch")
    page.keys(Keys.ENTER)
    page.settled("Birch <i>Goods</i>")
    tab_to("Acknowledge")
    page.keys(Keys.ENTER)
    page.one("dialog[open]")
    assert page.js("return document.activeElement.name") == "reason"  # one writes at once
    page.keys("somebody looks at it")
    for _ in range(8):  # Tab stays in the dialog (but for the browser's own bar)
        page.keys(Keys.TAB)
        assert page.js("return document.activeElement.closest('dialog') !== null || document.activeElement === document.body")
    page.keys(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog"), "the dialog's end")
    assert focused() == "Acknowledge"  # back where one was
    page.keys(Keys.ENTER)
    page.one("dialog[open]")
    page.keys("somebody looks at it", Keys.TAB, Keys.ENTER)
    page.until(lambda: page.all(".finding .badge", "Acknowledged"), "the new state")
