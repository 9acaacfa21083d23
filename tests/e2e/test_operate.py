# SPDX-License-Identifier: Apache-2.0
"""A running service as its operator sees it: probes, figures that promtool accepts, status, log, the manager's protocol, compaction
and backups while it works."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from project import Project
from service import PATIENCE, Service, serving
from shop import export, orders
from test_hooks import PLUGIN, SECRETS, deliver
from test_hooks import SOURCES as SOURCES_OF_HOOKS

SOURCES = """\
  exports: {partner: nordwind, from: {directory: ./exports}, decode: shopify}
"""
TOP = "workers: 2\nhistory: 0s\nservice: {scan: 1s, judge_every: 1s}\nserve: {listen: 127.0.0.1:0}"


def project(folder: Path, **more: str) -> Project:
    p = Project(folder, SOURCES, **{"top": TOP, **more})
    p.write("exports/a.csv", export(orders(500)))
    return p


def metrics(s: Service) -> dict[str, float]:
    """Figures by name and labels."""
    status, text = s.request("GET", "/metrics")
    assert status == 200
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_figures_and_probes(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    with serving(p) as s:
        assert s.request("GET", "/healthz") == (200, b'{"alive":true}\n')
        assert s.request("GET", "/readyz") == (200, b'{"ready":true}\n')
        s.until(lambda: s.facts() > 0, "facts")
        told = metrics(s)
        assert told["entente_ready"] == 1 and told['entente_source_state{source="exports",state="quarantined"}'] == 0
        assert told['entente_source_facts_total{source="exports"}'] == s.source("exports")["facts"] > 500
        assert told['entente_source_records_total{source="exports"}'] == s.source("exports")["records"]
        assert told["process_open_fds"] > 5 and told["entente_commits_total"] >= 1
        _, text = s.request("GET", "/metrics")
        if tool := shutil.which("promtool"):
            checked = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, check=False)
            assert checked.returncode == 0, checked
        # as Prometheus asks
        accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        status, text = s.request("GET", "/metrics", Accept=accept)
        assert status == 200 and text.endswith(b"# EOF\n") and b"# TYPE entente_build info" in text
        status, text = s.request("GET", "/metrics", Accept="text/plain;version=0.0.4")
        assert status == 200 and not text.endswith(b"# EOF\n")
        # more comes: counters grow by what came
        p.write("exports/b.csv", export(orders(700, seed=2)))
        s.until(lambda: metrics(s)['entente_source_facts_total{source="exports"}'] > told['entente_source_facts_total{source="exports"}'], "more facts")
        status_now = s.status()
        assert status_now["sources"][0]["source"] == "exports" and status_now["store"]["ledger_bytes"] > 0
        assert status_now["error"] is None and status_now["generation"] == 1


def test_what_fails_is_shown(tmp_path: Path) -> None:
    """A file that no decoder can read: the source fails, in figures, status and log; mended when it is."""
    p = project(tmp_path / "p")
    p.sources = "  exports: {partner: nordwind, from: {directory: ./exports}, decode: auto}\n"
    p.configure()
    p.write("exports/what.bin", b"\x00\x01\x02\x03" * 100)
    with serving(p) as s:
        found = s.until(lambda: s.events("source.failing", "source.quarantined"), "a failing source")
        assert found[0]["source"] == "exports" and "what.bin" in found[0]["message"]
        state = s.source("exports")["state"]
        assert state in ("failing", "quarantined") and "what.bin" in s.source("exports")["error"]
        assert metrics(s)[f'entente_source_state{{source="exports",state="{state}"}}'] == 1
        assert metrics(s)['entente_source_set_aside_files{source="exports"}'] == 1
        (p.folder / "exports/what.bin").unlink()
        s.until(lambda: s.events("source.mended"), "mended")
        assert metrics(s)['entente_source_set_aside_files{source="exports"}'] == 0


def test_the_log_of_a_life(tmp_path: Path) -> None:
    """What an operator wants to have seen, with counts, and nothing of what the records hold."""
    p = project(tmp_path / "p")
    with serving(p) as s:
        s.until(lambda: s.events("commit"), "a commit")
        assert s.stop() == 0
        names = [e["event"] for e in s.events()]
        for name in ("starting", "listening", "ready", "commit", "stop.begun", "stopped"):
            assert name in names
        [first, *_] = s.events("commit")
        assert first["records"] > 500 and first["facts"] > 500 and first["rejected"] == 0 and first["took_seconds"] > 0
        assert "example.com" not in s.text and "#1000" not in s.text


def told(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_the_manager_is_told(tmp_path: Path, abstract: bool) -> None:
    """Type=notify: ready only when it is, a heart that beats, and word of its end."""
    name = f"\0entente-{os.getpid()}" if abstract else str(tmp_path / "notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(name)
    manager.settimeout(PATIENCE)
    p = project(tmp_path / "p")
    with serving(p, NOTIFY_SOCKET=name.replace("\0", "@"), WATCHDOG_USEC="200000") as s:
        heard = [told(manager)]
        while "READY=1" not in heard or heard.count("WATCHDOG=1") < 3:
            heard.append(told(manager))
        assert any(line.startswith("STATUS=") for line in heard)
        assert s.child is not None
        s.signal(signal.SIGTERM)
        while not any("STOPPING=1" in line for line in heard):
            heard.append(told(manager))
        while not any(line.startswith("EXTEND_TIMEOUT_USEC=") for line in heard):
            heard.append(told(manager))
        assert s.child.wait(PATIENCE) == 0
    manager.close()


def test_compaction_while_it_works(tmp_path: Path) -> None:
    """Old history goes in slices while files come; the digest is that of a store that was never compacted."""
    p = project(tmp_path / "p")
    made = orders(6000, seed=5)
    for n in range(3):
        p.write("exports/all.csv" if n == 0 else f"exports/all{n}.csv", export(made), 10 * n)
    with serving(p) as s:
        s.until(lambda: s.facts() >= 3 * 6000, "facts")
        changed = [o if n % 2 else orders(1, seed=n)[0] for n, o in enumerate(made)]
        for n in range(3):
            before = s.facts()
            p.write("exports/all.csv", export(changed[n:]), 100 + n)
            s.until(lambda: s.facts() > before, "changes")
        time.sleep(1.1)  # arrivals are kept in whole seconds
        status, body = s.request("POST", "/api/v1/compact")
        assert status == 202 and json.loads(body)["state"] == "running"
        p.write("exports/late.csv", export(orders(1000, seed=77)), 500)
        done = s.until(lambda: (t := s.get("/api/v1/compact"))["state"] == "done" and t, "compacted")
        assert done["compacted"] >= 1 and done["bytes_after"] < done["bytes_before"] and done["error"] is None
        facts = s.facts()
        s.until(lambda: s.facts() > facts or "late.csv" in str(p.sql("select name from v_input")), "the late file")
        said = p.entente("compact")  # the command asks the service
        assert said.status == 0, said.err
        assert said.json["segments"] >= 1
        assert s.stop() == 0
    other = Project(tmp_path / "other", SOURCES, top=TOP)
    shutil.copytree(p.folder / "exports", other.folder / "exports", copy_function=shutil.copy2)
    other.run()
    assert p.facts() == other.facts()


def test_backup_while_it_works(tmp_path: Path) -> None:
    """A backup of a running service, restored: it goes on where the backup was, to the same facts."""
    p = project(tmp_path / "p")
    with serving(p) as s:
        taken = []
        for n in range(5):
            p.write(f"exports/m{n}.csv", export(orders(800, seed=100 + n)))
            said = p.entente("backup", str(tmp_path / f"b{n}"))
            assert said.status == 0, said.err
            taken.append(tmp_path / f"b{n}")
        s.until(lambda: len(p.sql("select 1 from v_input where done")) >= 6, "all files")
        assert s.stop() == 0
    for n, backup in enumerate(taken):
        again = Project(tmp_path / f"r{n}", SOURCES, top=TOP)
        (again.folder / "exports").symlink_to(p.folder / "exports")
        assert again.entente("restore", str(backup)).status == 0
        with serving(again) as s:
            s.until(lambda: len(again.sql("select 1 from v_input where done")) >= 6, "all files again")
            assert s.stop() == 0
        assert again.digest() == p.digest()


def test_backup_of_what_was_answered(tmp_path: Path) -> None:
    """Deliveries come all the time while backups are taken. What was answered before a backup began is in it; when all is sent again
    to the restored service, what is in it counts once, and the rest is taken: as if nothing had happened."""
    sources, top = SOURCES_OF_HOOKS, f"plugins: [{PLUGIN}]\nservice: {{scan: 1s, judge_every: 1s}}\nserve: {{listen: []}}"
    p = Project(tmp_path / "p", sources, top=top, environment=SECRETS)
    answered, ended = 0, threading.Event()

    def send(s: Service, number: int) -> None:
        assert deliver(s, "/in/nordwind", f"v u{number} {20000 + number % 300}", f"d{number}") == 200

    def flood(s: Service) -> None:
        nonlocal answered
        while not ended.is_set():
            send(s, answered)
            answered += 1

    taken: list[tuple[Path, int]] = []
    with serving(p) as s:
        sender = threading.Thread(target=flood, args=(s,))
        sender.start()
        try:
            for n in range(4):
                s.until(lambda n=n: answered >= 60 * (n + 1) or not sender.is_alive(), "deliveries")
                before = answered
                said = p.entente("backup", str(tmp_path / f"b{n}"))
                assert said.status == 0, said.err
                assert sender.is_alive() and answered > before, "nothing was delivered while the backup was taken"
                taken.append((tmp_path / f"b{n}", before))
        finally:
            ended.set()
            sender.join()
        s.until(lambda: int(s.source("lines")["records"]) == answered, "all read")
        assert s.stop() == 0
    for n, (backup, before) in enumerate(taken):
        again = Project(tmp_path / f"r{n}", sources, top=top, environment=SECRETS)
        assert again.entente("restore", str(backup)).status == 0
        with serving(again) as s:
            s.until(lambda before=before: int(s.source("lines")["records"]) >= before, "what was answered before it began")
            assert int(s.source("lines")["records"]) <= answered
            for number in range(answered):
                send(s, number)
            s.until(lambda: int(s.source("lines")["records"]) == answered, "all, once")
            assert s.stop() == 0
        assert again.facts() == p.facts()
