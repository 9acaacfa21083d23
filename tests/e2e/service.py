# SPDX-License-Identifier: Apache-2.0
"""`entente serve` over a project: started, asked through its socket, stopped or killed."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from control import ControlConnection
from project import ENTENTE, Project, environment

#: Seconds that anything may take on a machine that is busy with other things.
PATIENCE = 90.0


class Service:
    """One process at a time; its log is kept in `log`, over all starts."""

    def __init__(self, project: Project, **more: str) -> None:
        self.project = project
        self.more = more
        self.log = project.folder / "service.log"
        self.child: subprocess.Popen[bytes] | None = None
        self.said = 0  # bytes of the log before this start
        self.before: list[str] = []  # what it is started by, and leaves: nsenter, prlimit

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    def start(self, ready: bool = True) -> "Service":
        assert self.child is None or self.child.poll() is not None
        self.said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [*self.before, ENTENTE, "serve", "-c", str(self.project.config)],
                cwd=self.project.folder,
                env=environment(**self.project.environment, **self.more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if ready:
            self.until(lambda: self.events("ready"), "ready")
        return self

    def events(self, *names: str) -> list[dict[str, Any]]:
        """Events of the log since the last start."""
        found = []
        with self.log.open("rb") as log:
            log.seek(self.said)
            for line in log:
                with contextlib.suppress(ValueError):
                    told = json.loads(line)
                    if not names or told.get("event") in names:
                        found.append(told)
        return found

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def until(self, holds: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
        """Waits until it holds; fails with the log's end if it never does, or the process ends before."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if found := holds():
                return found
            if self.child is not None and self.child.poll() is not None:
                raise AssertionError(f"ended with {self.child.returncode} before {what}:\n{self.text[-4000:]}")
            time.sleep(0.02)
        raise AssertionError(f"never came to {what}:\n{self.text[-4000:]}")

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of an answer to whom the socket belongs."""
        connection = ControlConnection(self.project.store, PATIENCE)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, body = self.request("GET", path)
        assert status == 200, (status, body)
        return json.loads(body)

    def status(self) -> dict[str, Any]:
        told: dict[str, Any] = self.get("/api/v1/status")
        return told

    def source(self, name: str) -> dict[str, Any]:
        [found] = [s for s in self.status()["sources"] if s["source"] == name]
        return dict(found)

    def facts(self) -> int:
        return sum(int(s["facts"]) for s in self.status()["sources"])

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def reload(self) -> tuple[int, Any]:
        status, body = self.request("POST", "/api/v1/reload")
        return status, json.loads(body)

    def stop(self) -> int:
        """Asks it to stop; its exit status."""
        assert self.child is not None
        if self.child.poll() is None:
            self.signal(signal.SIGTERM)
        return self.child.wait(PATIENCE)

    def kill(self) -> None:
        """kill -9: asserts that it was alive until then."""
        assert self.child is not None
        assert self.child.poll() is None, f"it had ended already:\n{self.text[-4000:]}"
        self.child.kill()
        assert self.child.wait(PATIENCE) == -signal.SIGKILL

    def children(self) -> dict[str, list[int]]:
        """Its worker processes, by name of the program."""
        found: dict[str, list[int]] = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text()
                parent = int(fields.rsplit(")", 1)[1].split()[1])
                if parent == self.pid:
                    found.setdefault(Path(os.readlink(entry / "exe")).name, []).append(int(entry.name))
        return found


@contextlib.contextmanager
def serving(project: Project, **more: str) -> Iterator[Service]:
    """A service that is ready, and is gone afterwards."""
    service = Service(project, **more)
    try:
        yield service.start()
    finally:
        if service.child is not None and service.child.poll() is None:
            service.child.kill()
            service.child.wait()
