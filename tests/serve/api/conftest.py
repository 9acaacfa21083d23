# SPDX-License-Identifier: Apache-2.0
"""A service over the project of tests/command/tiny.py, asked through its socket, and the command line beside it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path[:0] = [str(Path(__file__).parents[2] / "command"), str(Path(__file__).parents[2] / "e2e")]
import tiny
from control import ControlConnection

ENTENTE = str(Path(os.environ.get("ENTENTE_BIN", "build/bin")).absolute() / "entente")
#: Seconds that anything may take on a machine that is busy with other things.
PATIENCE = 90.0
SERVE = "\nservice: {scan: 1s, judge_every: 0s, log: {format: json}}\nserve: {listen: []}\n"


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "COLUMNS", "ENTENTE_SCRIPTS"}}
    return {**kept, "USER": "kim"}


@dataclass(frozen=True)
class Answer:
    """What the service answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Done:
    """What a run of the command line left."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Service:
    """A project with its store; `start` makes it a service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "service.log"
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> "Service":
        said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [ENTENTE, "serve"], cwd=self.folder, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.until(lambda: b'"event":"ready"' in self.log.read_bytes()[said:], "ready")
        return self

    def stop(self) -> None:
        assert self.child is not None
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        assert self.child.wait(PATIENCE) == 0, self.log.read_text()[-4000:]
        self.child = None

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Waits until it holds."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := holds():
                return found
            if self.child is not None and self.child.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"never came to {what}:\n{self.log.read_text(errors='replace')[-4000:]}")

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request; a body that is not bytes goes as JSON."""
        connection = ControlConnection(self.folder / "store", PATIENCE)
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            named["Content-Type"] = "application/json"
        with contextlib.closing(connection):
            connection.request(method, path if path.startswith("/") else "/api/v1/" + path, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def get(self, path: str, **headers: str) -> Any:
        answer = self.ask("GET", path, **headers)
        assert answer.status == 200, answer.body
        return answer.json

    def run(self, *words: str, **env: str) -> Done:
        """The command line, in the project's folder."""
        done = subprocess.run(
            [ENTENTE, *words],
            cwd=self.folder,
            env={**environment(), **env},
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)


def make(folder: Path) -> Service:
    """The project, after one run."""
    tiny.make(folder)
    config = folder / "entente.yaml"
    config.write_text(config.read_text() + SERVE)
    service = Service(folder)
    done = service.run("run")
    assert done.status == 0, done.err
    return service


@contextlib.contextmanager
def serving(service: Service) -> Iterator[Service]:
    try:
        yield service.start()
        if service.child is not None:
            service.stop()
    finally:
        if service.child is not None and service.child.poll() is None:
            service.child.kill()
            service.child.wait()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that tests only read from."""
    with serving(make(tmp_path_factory.mktemp("shared") / "project")) as service:
        yield service


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    """A service of the test's own."""
    with serving(make(tmp_path / "project")) as service:
        yield service
