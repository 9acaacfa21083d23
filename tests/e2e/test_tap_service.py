# SPDX-License-Identifier: Apache-2.0
"""`entente tap` beside a service that has the store: what lies in the inbox, and what arrives.

Of files: tests/command/test_tap.py.
"""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from project import ENTENTE, Project, environment
from service import serving
from test_hooks import PLUGIN, SECRETS, SOURCES, deliver, read


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "p", SOURCES, top=f"plugins: [{PLUGIN}]\n", environment=SECRETS)


def tap(project: Project, source: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [ENTENTE, "-c", str(project.config), "tap", source, "--json"],
        env=environment(**project.environment), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def keys(rows: list[dict[str, Any]]) -> list[str]:
    return [r["key"] for r in rows if "fact" in r]


def test_beside_a_service(project: Project) -> None:
    with serving(project) as service:
        assert deliver(service, "/in/nordwind", "o a 20000 500 x 0", "1") == 200
        assert deliver(service, "/in/nordwind", "o b 20000 700 x 0", "2") == 200
        assert deliver(service, "/in/suedwind", "o c 20000 100 x 0", "1") == 200
        service.until(lambda: read(service, 2, 1), "all read")
        rows = tap(project, "lines")
        assert keys(rows) == ["a", "b"], "what was read already is there for a while"
        assert rows[0]["file"].startswith(".inbox/") and rows[0]["file"].endswith(".log") and rows[0]["place"] > 0
        assert keys(tap(project, "whole")) == ["c"]
        told = project.folder / "told.jsonl"
        with told.open("wb") as out:
            follower = subprocess.Popen(
                [ENTENTE, "-c", str(project.config), "tap", "lines", "--follow", "--json"],
                env=environment(**project.environment), stdout=out, stderr=subprocess.DEVNULL,
            )  # fmt: skip

        def shown() -> list[str]:
            return keys([json.loads(line) for line in told.read_text().rpartition("\n")[0].splitlines()])

        service.until(lambda: shown() == ["a", "b"], "what was there")
        assert deliver(service, "/in/nordwind", "o d 20001 900 x 0", "3") == 200
        service.until(lambda: len(shown()) > 2, "what arrives is shown")
        assert shown() == ["a", "b", "d"], "each once"
        service.until(lambda: read(service, 3, 1), "and read by the service")
        follower.send_signal(signal.SIGINT)
        assert follower.wait(60) == 0
        assert service.stop() == 0
    assert project.run().read["records"] == 0, "nothing was taken from the service"
    assert keys(tap(project, "lines")) == ["a", "b", "d"]
