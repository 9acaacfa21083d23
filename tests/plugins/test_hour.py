# SPDX-License-Identifier: Apache-2.0
"""docs/plugins.md is followed as it is written: each ```sh block is run, each file written, each output compared.

A command whose comment says "ends with N" has to; a ```text block without a name is what the commands before it say,
line by line: blanks count once, and "…" stands for anything.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from conftest import SOURCE, Installed

PAGE = SOURCE / "docs" / "plugins.md"


@dataclass
class Block:
    language: str
    name: str
    lines: list[str] = field(default_factory=list)


def blocks(page: str) -> list[Block]:
    found: list[Block] = []
    inside = False
    for line in page.splitlines():
        if line.startswith("```"):
            if not inside:
                language, _, name = line[3:].partition(" ")
                found.append(Block(language, name))
            inside = not inside
        elif inside:
            found[-1].lines.append(line)
    assert not inside
    return found


def shape(line: str) -> str:
    """What a line of the page stands for, as an expression."""
    words = [".*".join(re.escape(part) for part in word.split("…")) for word in line.split()]
    return r"\s+".join(words)


def test_the_hour(installed: Installed, tmp_path: Path) -> None:
    here, said, commands = tmp_path / "home", "", 0
    here.mkdir()
    for block in blocks(PAGE.read_text()):
        if block.language == "sh":
            said = ""
            for line in block.lines:
                expected = re.search(r"# ends with (\d+)$", line)
                script = f"{line}\nstatus=$?\npwd > '{tmp_path}/where'\nexit $status"
                words = ["bash", "-c", script]
                done = subprocess.run(
                    words, cwd=here, env=installed.environment(), capture_output=True, text=True, check=False
                )
                said += done.stdout + done.stderr
                assert done.returncode == (int(expected[1]) if expected else 0), f"{line}\n{done.stdout}{done.stderr}"
                here = Path((tmp_path / "where").read_text().strip())
                commands += 1
        elif block.name:
            (here / block.name).write_text("\n".join(block.lines) + "\n")
        elif block.language == "text":
            for line in block.lines:
                assert re.search(f"^{shape(line)}", said, re.MULTILINE), f"not said: {line}\n{said}"
    assert commands > 20 and here.name == "school"
    assert (here.parent / "shop" / "plugins" / "school.so").is_file()


def test_each_command_of_the_page_exists(installed: Installed, tmp_path: Path) -> None:
    """Also those that are only talked about."""
    page = PAGE.read_text()
    told = set(re.findall(r"`entente ((?:plugin )?[a-z]+)", page)) | set(
        re.findall(r"^(?:    )?entente ((?:plugin )?[a-z]+)", page, re.MULTILINE)
    )
    assert {"tap", "plugin new", "plugin test", "run"} <= told
    for command in sorted(told):
        installed.run("entente", *command.split(), "--help", cwd=tmp_path)
