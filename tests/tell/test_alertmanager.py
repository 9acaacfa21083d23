# SPDX-License-Identifier: Apache-2.0
"""Alerts, in a real Alertmanager where there is one."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE, Receiver, Told
from test_webhook import TWO

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
ALERTS = "  ops: {{to: {{alertmanager: {{url: \"{url}\", repeat: 1h}}}}}}\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


class Alertmanager:
    def __init__(self, url: str) -> None:
        self.url = url

    def alerts(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(self.url + "/api/v2/alerts", timeout=PATIENCE) as answer:
            got: list[dict[str, Any]] = json.load(answer)
        return sorted(got, key=lambda a: str(sorted(a["labels"].items())))


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Alertmanager]:
    if not PROGRAM:
        pytest.skip("there is no Alertmanager on this machine: install prometheus-alertmanager")
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    url = f"http://127.0.0.1:{free_port()}"
    with (tmp_path / "alertmanager.log").open("wb") as log:
        child = subprocess.Popen(
            [
                PROGRAM,
                f"--config.file={config}",
                f"--storage.path={tmp_path / 'am'}",
                f"--web.listen-address={url.removeprefix('http://')}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(url + "/-/ready", timeout=PATIENCE).close()
                break
            except OSError:
                assert child.poll() is None and time.monotonic() < end, (tmp_path / "alertmanager.log").read_text()
                time.sleep(0.05)
        yield Alertmanager(url)
    finally:
        child.terminate()
        child.wait(PATIENCE)


def test_fires_and_is_resolved(told: Told, manager: Alertmanager) -> None:
    told.tell(ALERTS.format(url=manager.url))
    told.say(TWO)
    told.send()
    first, second = manager.alerts()
    assert {k: first["labels"][k] for k in ("alertname", "partner", "rule", "kind", "practice")} == {
        "alertname": "EntenteRedFlag",
        "partner": "nordwind",
        "rule": "says",
        "kind": "red_flag",
        "practice": "pace",
    }
    assert {first["labels"]["severity"], second["labels"]["severity"]} == {"low", "high"}
    assert first["labels"]["finding"] != second["labels"]["finding"]
    assert "Nordwind: " in first["annotations"]["summary"]
    assert first["generatorURL"].startswith("https://entente.example.com/#/findings/")
    # another severity is another alert, and the old one is resolved
    told.say({"nordwind": [("a", "medium", "Orders fell by half")]})
    told.send()
    [left] = manager.alerts()
    assert left["labels"]["severity"] == "medium"
    told.say({})
    told.send()
    assert manager.alerts() == []
    told.say(TWO)
    told.send()
    assert len(manager.alerts()) == 2


def test_one_that_forgot_hears_it_again(told: Told, receiver: Receiver) -> None:
    """What is open is told at each start, and only that."""
    told.tell(ALERTS.format(url=receiver.url))
    told.say(TWO)
    told.send()
    told.send()
    bodies: list[list[dict[str, Any]]] = [json.loads(h.body) for h in receiver.heard]
    assert [h.path for h in receiver.heard] == ["/api/v2/alerts"] * 2
    assert [len(b) for b in bodies] == [2, 2]
    starts = [{a["labels"]["finding"]: a["startsAt"] for a in b} for b in bodies]
    assert starts[0] == starts[1], "the same alerts go on"


def test_killed_while_it_tells(told: Told, receiver: Receiver) -> None:
    """It knows alerts by their labels, and may hear them twice: so it does."""
    told.tell(ALERTS.format(url=receiver.url))
    told.say(TWO)
    receiver.go.clear()
    with told.project.start("tell", "send") as child:
        receiver.wait()
        assert {s for _, _, s in told.notices()} == {"sending"}
        child.kill()
        assert child.wait(PATIENCE) == -9
    receiver.go.set()
    told.send()
    assert {s for _, _, s in told.notices()} == {"told"}
    assert len(receiver.heard) == 2


def test_the_command(told: Told, manager: Alertmanager) -> None:
    told.tell(ALERTS.format(url=manager.url))
    said = told.project.entente("tell", "test", "ops")
    assert said.status == 0, said.json
    [alert] = manager.alerts()
    assert alert["labels"]["alertname"] == "EntenteTest"
