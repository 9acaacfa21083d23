# SPDX-License-Identifier: Apache-2.0
"""Colours and fitting on a terminal, and neither into a pipe."""

from collections.abc import Callable
from pathlib import Path

from conftest import Run

BAD = "version: 1\ncurrency: EUR\npartner: {}\n"
Write = Callable[[str], Path]


def test_colours_on_a_terminal_only(entente: Run, on_terminal: Run, write: Write) -> None:
    write(BAD)
    assert "\x1b[" not in entente("check").err + entente("help").out + entente("doctor").out
    assert "\x1b[1mentente.yaml:3:1: \x1b[0m\x1b[31munknown key 'partner'\x1b[0m" in on_terminal("check").out
    assert "\x1b[" in on_terminal("help").out


def test_no_color_and_dumb_terminals(on_terminal: Run, write: Write) -> None:
    write(BAD)
    assert "\x1b[" not in on_terminal("check", env={"NO_COLOR": "1"}).out
    assert "\x1b[" not in on_terminal("check", env={"TERM": "dumb"}).out
    assert "\x1b[" in on_terminal("check", env={"NO_COLOR": ""}).out


def test_help_fits_the_terminal(on_terminal: Run) -> None:
    for columns in (50, 80):
        lines = on_terminal("help", columns=columns, env={"NO_COLOR": "1"}).out.splitlines()
        assert max(map(len, lines)) <= columns
    wide = on_terminal("help", columns=200, env={"NO_COLOR": "1"}).out.splitlines()
    assert max(map(len, wide)) <= 100
