# SPDX-License-Identifier: Apache-2.0
"""Runs the program `entente`, into pipes or on a pseudo-terminal."""

import decimal
import fcntl
import functools
import json
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tiny

BIN = Path(os.environ.get("ENTENTE_BIN", "build/bin"))


@dataclass(frozen=True)
class Result:
    """What a run of the program left: its exit status and what it wrote."""

    status: int
    out: str
    err: str


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without what changes how the program shows things, and with `extra`."""
    dropped = {"NO_COLOR", "COLUMNS", "TERM", "ENTENTE_SCRIPTS"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "TERM": "xterm", **(extra or {})}


Run = Callable[..., Result]


def run_in(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> Result:
    """Runs `entente` with words in a folder, its output piped."""
    done = subprocess.run(
        [str(BIN.absolute() / "entente"), *words],
        cwd=folder,
        env=clean_environment(env),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def entente(tmp_path: Path) -> Run:
    """Runs `entente` with words in an empty folder, its output piped."""

    def run(*words: str, env: Mapping[str, str] | None = None, cwd: Path = tmp_path) -> Result:
        return run_in(cwd, *words, env=env)

    return run


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of tiny.py, after its run. To be read only."""
    folder = tiny.make(tmp_path_factory.mktemp("tiny") / "project")
    done = run_in(folder, "run")
    assert done.status == 0, done.err
    return folder


@pytest.fixture
def shop(tiny_folder: Path) -> Run:
    """Runs `entente` with words in that project."""
    return functools.partial(run_in, tiny_folder)


def answer(result: Result) -> Any:
    """What it wrote as JSON. Amounts come as Decimal: they are exact."""
    assert result.status == 0, result.err
    return json.loads(result.out, parse_float=decimal.Decimal)


@pytest.fixture
def on_terminal(tmp_path: Path) -> Run:
    """The same on a pseudo-terminal of `columns` columns; all that it writes is in `out`."""

    def run(*words: str, columns: int = 80, env: Mapping[str, str] | None = None) -> Result:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        child = subprocess.Popen(
            [str(BIN.absolute() / "entente"), *words],
            cwd=tmp_path,
            env=clean_environment(env),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says EIO when the last writer is gone
                break
            if not part:
                break
            written += part
        os.close(ours)
        return Result(child.wait(60), written.decode().replace("\r\n", "\n"), "")

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the text as entente.yaml of the folder."""

    def run(text: str) -> Path:
        path = tmp_path / "entente.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return run
