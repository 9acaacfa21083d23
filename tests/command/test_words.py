# SPDX-License-Identifier: Apache-2.0
"""Commands and options: what is typed wrongly is answered with what was meant, and exit status 2."""

import json

import pytest
from conftest import Run


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["verison"], "entente: there is no command 'verison'; did you mean 'version'?\n"),
        (["xyzzy"], "entente: there is no command 'xyzzy'; `entente help` lists them\n"),
        (["check", "--jsno"], "entente: 'check' has no option '--jsno'; did you mean '--json'?\n"),
        (["check", "--cnfig=x"], "entente: 'check' has no option '--cnfig'; did you mean '--config'?\n"),
        (["check", "-x"], "entente: 'check' has no option '-x'; `entente help check` lists them\n"),
        (["check", "--json=1"], "entente: --json takes no value; write --json alone\n"),
        (["check", "-c"], "entente: --config needs a value; write --config FILE\n"),
        (["check", "-c", "a", "-cb"], "entente: --config is given twice; keep one of them\n"),
        (["check", "now"], "entente: 'check' does not take 'now'; `entente help check` shows what it takes\n"),
        (["help", "chekc"], "entente: there is no command 'chekc'; did you mean 'check'?\n"),
    ],
)
def test_typed_wrongly(entente: Run, words: list[str], told: str) -> None:
    result = entente(*words)
    assert result.err == told
    assert result.out == ""
    assert result.status == 2


def test_typed_wrongly_as_json(entente: Run) -> None:
    result = entente("check", "--nothing-like-it", "--json")
    assert result.status == 2
    [error] = json.loads(result.out)["errors"]
    assert error["what"] == "'check' has no option '--nothing-like-it'"
    assert error["todo"] == "`entente help check` lists them"
    assert error["file"] is error["line"] is error["column"] is None


def test_help_lists_every_command_and_status(entente: Run) -> None:
    result = entente("help")
    assert result.status == 0
    for command in json.loads(entente("help", "--json").out):
        assert f"\n  {command['name']} " in result.out
    for status in range(5):
        assert f"\n  {status}  " in result.out
    assert entente("--help") == result
    assert entente().out == result.out
    assert entente().status == 2


def test_every_command_takes_help_and_has_one_line(entente: Run) -> None:
    for command in json.loads(entente("help", "--json").out):
        words = command["name"].split()
        result = entente(*words, "--help")
        assert result.status == 0
        assert result.out.replace("\n", " ").startswith(command["doc"][:60])
        assert f"entente {command['name']}" in result.out
        assert "--json" in result.out
        assert entente("help", *words) == result
        assert command["doc"].endswith(".") and "\n" not in command["doc"]
        for option in command["options"]:
            assert f"--{option['name']}" in result.out


def test_options_may_stand_in_front(entente: Run) -> None:
    result = entente("-c", "nowhere.yaml", "check")
    assert result.status == 1
    assert result.err.startswith("nowhere.yaml: cannot be read: ")


def test_version(entente: Run) -> None:
    said = entente("version")
    assert said.status == 0
    version = json.loads(entente("version", "--json").out)
    assert said.out == f"entente {version['version']}, plugin ABI 1.{version['plugin_abi']['minor']}\n"
    assert entente("--version") == said


def test_nothing_is_written_where_nobody_reads(entente: Run) -> None:
    assert entente("help", "--configuration").out.startswith("# Configuration")
