# SPDX-License-Identifier: Apache-2.0
"""init, check and doctor: a project from nothing, and every fault with its place."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run

Write = Callable[[str], Path]


def test_init_writes_a_project_that_checks(entente: Run, tmp_path: Path) -> None:
    result = entente("init", "deep/project")
    assert result.status == 0
    assert "entente run" in result.out
    file = tmp_path / "deep/project/entente.yaml"
    assert file.read_text().count("#") > 20
    checked = entente("check", "-c", str(file))
    assert (checked.status, checked.err) == (0, "")
    assert re.fullmatch(rf"good: {re.escape(str(file))}: 1 partner, 1 source, \d+ rules\n", checked.out)
    assert (tmp_path / "deep/project/exports/example").is_dir()


def test_what_init_comments_out_is_right(entente: Run, tmp_path: Path) -> None:
    """Every line that a newcomer may bring to life passes the check."""
    entente("init")
    file = tmp_path / "entente.yaml"
    live = []
    for line in file.read_text().splitlines():
        bare = line.lstrip(" ")
        words = bare[2:].lstrip(" ").split(" ")
        key = words[0].rstrip(":")
        if bare.startswith("# ") and words[0].endswith(":") and key.replace("_", "").isalpha() and key[0].islower():
            indent = line[: len(line) - len(bare)]
            live.append(indent + bare[2:])
        else:
            live.append(line)
    file.write_text("\n".join(live) + "\n")
    result = entente("check")
    assert result.status == 0, result.err
    assert "1 partner, 4 sources" in result.out


def test_init_writes_over_nothing(entente: Run, tmp_path: Path) -> None:
    (tmp_path / "entente.yaml").write_text("mine\n")
    for words in (["init"], ["init", "."], ["init", "--sample", "."]):
        result = entente(*words)
        assert result.status == 1
        assert result.err == "./entente.yaml: is there already; name another folder, or remove it first\n"
    assert (tmp_path / "entente.yaml").read_text() == "mine\n"


def test_init_says_where_it_cannot_write(entente: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = entente("init", "file/project")
    assert result.status == 1
    assert "Not a directory" in result.err


def test_sample_without_its_scripts(entente: Run, tmp_path: Path) -> None:
    result = entente("init", "--sample", env={"ENTENTE_SCRIPTS": str(tmp_path)})
    assert result.status == 1
    assert "is not installed" in result.err


def test_sample_runs_the_generator_of_the_scripts(entente: Run, tmp_path: Path) -> None:
    """A generator in the place of the real one, as that takes seconds; tests/scripts runs the real one."""
    package = tmp_path / "scripts/entente/sample"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(
        "import os, sys, pathlib\n"
        "print('made in', sys.argv[1])\n"
        "if sys.argv[1] == 'bad': sys.exit('no room')\n"
        "here = pathlib.Path(sys.argv[1]); here.mkdir()\n"
        "(here / 'entente.yaml').write_text('version: 1\\ncurrency: EUR\\n')\n"
    )
    scripts = {"ENTENTE_SCRIPTS": str(tmp_path / "scripts"), "PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"}
    result = entente("init", "--sample", "there", env=scripts)
    assert (result.status, result.out) == (0, "made in there\n")
    as_json = json.loads(entente("init", "--sample", "there2", "--json", env=scripts).out)
    assert as_json == {"folder": "there2", "configuration": "there2/entente.yaml", "sample": True}
    bad = entente("init", "--sample", "bad", env=scripts)
    assert bad.status == 1
    assert bad.err == "no room\nentente: the generator of sample data ended with status 1; what it says stands above\n"


def test_check_tells_every_error_with_place_and_advice(entente: Run, write: Write) -> None:
    write("version: 1\ncurrency: EUR\npartners:\n  a: {industri: x}\nplugins: [no-such-plugin-here]\nworkers: 0\n")
    result = entente("check")
    assert result.status == 1
    assert result.out == ""
    assert result.err.splitlines() == [
        "entente.yaml:4:7: unknown key 'industri'; did you mean 'industry'?",
        "entente.yaml:6:10: 'workers' is out of its range: 0; write 1 to 256",
    ]
    write("version: 1\ncurrency: EUR\nplugins: [no-such-plugin-here]\n")
    result = entente("check")
    assert result.status == 1
    assert result.err.startswith("entente.yaml:3:11: there is no plugin 'no-such-plugin-here'; put ")


def test_check_as_json(entente: Run, write: Write) -> None:
    write("version: 1\ncurrency: EUR\nviews: [chanel]\n")
    result = entente("check", "--json")
    assert result.status == 1
    assert json.loads(result.out) == {
        "errors": [
            {
                "file": "entente.yaml",
                "line": 3,
                "column": 9,
                "what": "'views' does not take 'chanel'",
                "todo": "did you mean 'channel'?",
            }
        ]
    }


def test_check_counts_what_it_does_not_show(entente: Run, write: Write) -> None:
    write("version: 1\ncurrency: EUR\n" + "".join(f"nothing{i}: 1\n" for i in range(30)))
    lines = entente("check").err.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 10 more"
    assert json.loads(entente("check", "--json").out)["more"] == 10


def test_check_notes_sources_that_find_nothing(entente: Run, write: Write, tmp_path: Path) -> None:
    write(
        "version: 1\ncurrency: EUR\nsources:\n"
        "  one: {from: {glob: './in/*.csv'}}\n  two: {from: {file: there.csv}}\n  three: {from: {directory: ./gone}}\n"
    )
    (tmp_path / "there.csv").write_text("a\n")
    result = entente("check")
    assert result.status == 0
    assert result.err.splitlines() == [
        f"note: entente.yaml:4:22: source 'one' finds nothing at {tmp_path}/in/*.csv yet",
        f"note: entente.yaml:6:29: source 'three' finds nothing at {tmp_path}/gone yet",
    ]
    assert entente("check", "-q").err == ""
    assert json.loads(entente("check", "--json").out)["nothing_there"] == ["one", "three"]


def test_data_cannot_drive_the_terminal(entente: Run, write: Write) -> None:
    write('version: 1\ncurrency: EUR\nviews: ["\\e[2Jx"]\n')
    result = entente("check")
    assert "\x1b" not in result.err
    assert "'?[2Jx'" in result.err


def test_doctor_looks_at_kernel_installation_and_project(entente: Run, write: Write, tmp_path: Path) -> None:
    bare = json.loads(entente("doctor", "--json").out)["checks"]
    names = [check["name"] for check in bare]
    assert names[0] == "kernel"
    assert {"Landlock", "seccomp", "Python", "entente-decoder", "entente-rules", "scripts", "plugin folder"} <= set(names)
    [configuration] = [check for check in bare if check["name"] == "configuration"]
    assert configuration["verdict"] == "note"

    write("version: 1\ncurrency: EUR\n")
    (tmp_path / "plugins").mkdir()
    plugin = tmp_path / "plugins/shared.so"
    plugin.write_text("")
    plugin.chmod(0o666)
    store = tmp_path / "store"
    store.mkdir()
    (store / "entente.db").write_text("not a database")
    result = entente("doctor", "--json")
    assert result.status == 1
    checks = {(check["name"], check["text"]): check["verdict"] for check in json.loads(result.out)["checks"]}
    assert checks[("plugin folder", f"{tmp_path}/plugins: 1 plugin")] == "good"
    assert checks[("plugin", f"shared is refused: others may write {plugin}")] == "bad"
    [database] = [text for (name, text) in checks if name == "store database"]
    assert "file is not a database" in database
    assert checks[("store database", database)] == "bad"


def test_doctor_says_when_the_configuration_is_bad(entente: Run, write: Write) -> None:
    write("version: 1\ncurrency: x\n")
    result = entente("doctor")
    assert result.status == 1
    assert "entente.yaml:2:11: 'currency' takes three capital letters" in result.out.replace("\n" + " " * 24, " ")


@pytest.mark.parametrize("words", [["init"], ["check"], ["doctor"], ["version"], ["help"]])
def test_json_is_always_one_value(entente: Run, words: list[str]) -> None:
    json.loads(entente(*words, "--json").out)
