# SPDX-License-Identifier: Apache-2.0
"""What ships for operators: the units are as hard as docs/operating.md says and forbid nothing that the service needs; Prometheus
takes its configuration, and its alerts fire when they should."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from project import BUILD, ENTENTE, Project, environment
from service import Service
from shop import export, orders

UNITS = ROOT / "examples/systemd"
ALERTS = ROOT / "examples/prometheus"
MANUAL = (ROOT / "docs/operating.md").read_text()

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool here")


def analyze(*words: str) -> str:
    said = subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, check=False)
    return said.stdout + said.stderr


@needs_systemd
@pytest.mark.parametrize("unit", ["entente.service", "entente-backup.service"])
def test_as_hard_as_the_docs_say(unit: str) -> None:
    said = analyze("security", "--offline=true", str(UNITS / unit))
    [score] = re.findall(r"Overall exposure level for .*: ([\d.]+)", said)
    [told] = re.findall(rf"`{re.escape(unit)}` \| ([\d.]+)", MANUAL)
    assert float(score) <= float(told), said


@needs_systemd
def test_units_are_in_order() -> None:
    said = analyze("verify", *(str(p) for p in sorted(UNITS.glob("*.service")) + sorted(UNITS.glob("*.timer"))))
    faults = [line for line in said.splitlines() if "is not executable" not in line]
    assert faults == []


def allowed(tmp_path: Path) -> Path:
    """The system calls that the unit allows, one a line."""

    def expand(name: str) -> set[str]:
        if not name.startswith("@"):
            return {name}
        lines = [line.strip() for line in analyze("syscall-filter", name).splitlines()[1:]]
        return {call for line in lines if line and not line.startswith("#") for call in expand(line)}

    calls: set[str] = set()
    for value in re.findall(r"^SystemCallFilter=(.*)$", (UNITS / "entente.service").read_text(), re.M):
        names = {call for name in value.lstrip("~").split() for call in expand(name)}
        calls = calls - names if value.startswith("~") else calls | names
    # systemd itself always allows these
    calls |= {"execve", "exit", "exit_group", "getrlimit", "rt_sigreturn", "sigreturn"}
    listed = tmp_path / "calls"
    listed.write_text("".join(f"{call}\n" for call in sorted(calls)))
    return listed


@needs_systemd
def test_the_service_works_under_its_unit(tmp_path: Path) -> None:
    """Under the unit's filter the workers still build their own sandbox, to the same level as without it; files are read, rules
    judge, a backup is taken, and it ends well."""
    sources = "  exports: {partner: nordwind, from: {directory: ./exports}, decode: shopify}\n"
    top = "workers: 2\nservice: {scan: 1s, judge_every: 0s}\nserve: {listen: 127.0.0.1:0}\nsandbox: required"
    rule = "from entente import insight, rule\n\n\n@rule(practice='pace')\ndef sells(partner):\n    '''It sells.'''\n"
    rule += "    import json\n    if partner['orders'].over('60d') > 0:\n        yield insight(json.dumps('yes'))\n"
    levels = []
    for under in (False, True):
        p = Project(tmp_path / f"p{under}", sources, top=top, rules="  books: [./book]")
        p.write("exports/a.csv", export(orders(800)))
        p.write("book/one.py", rule)
        s = Service(p)
        prefix = [str(BUILD / "tests/under_unit"), str(allowed(tmp_path))] if under else []
        with s.log.open("ab") as log:
            s.child = subprocess.Popen(
                [*prefix, ENTENTE, "serve", "-c", str(p.config)], cwd=p.folder, env=environment(), stdout=log, stderr=log
            )
        try:
            s.until(lambda: s.events("ready"), "ready")
            status = s.until(lambda: (t := s.status())["verdicts"]["true"] == 1 and t, "a verdict")
            levels.append((status["workers"]["decoder_sandbox"], status["workers"]["rules_sandbox"]))
            assert p.entente("backup", str(tmp_path / f"b{under}")).status == 0
            assert s.stop() == 0, s.text
        finally:
            if s.child.poll() is None:
                s.child.kill()
                s.child.wait()
    assert levels[0] == levels[1]
    assert "seccomp" in levels[1][0] and "seccomp" in levels[1][1]


@needs_systemd
def test_the_filter_bites(tmp_path: Path) -> None:
    """What the unit forbids does fail, or the test above would say nothing."""
    script = "import ctypes, socket, mmap, os\n"
    script += "try:\n    mmap.mmap(-1, 4096, prot=7)\n    print('mmap')\nexcept PermissionError:\n    pass\n"
    script += "try:\n    socket.socket(17, 3, 0)\n    print('packet')\nexcept OSError as e:\n    assert e.errno == 97, e\n"
    script += "libc = ctypes.CDLL(None, use_errno=True)\n"
    script += "print('mount') if libc.mount(b'a', b'/', b'b', 0, 0) == 0 or ctypes.get_errno() != 1 else None\n"
    said = subprocess.run(
        [BUILD / "tests/under_unit", allowed(tmp_path), "/usr/bin/python3", "-c", script], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0 and said.stdout == "", (said.stdout, said.stderr)


@needs_promtool
def test_prometheus_takes_what_ships(tmp_path: Path) -> None:
    said = subprocess.run(["promtool", "check", "rules", ALERTS / "entente.rules.yml"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    config = (ALERTS / "prometheus.yml").read_text()
    token = tmp_path / "token"
    token.write_text("x")
    (tmp_path / "prometheus.yml").write_text(config.replace("/etc/prometheus/entente.token", str(token)))
    shutil.copy(ALERTS / "entente.rules.yml", tmp_path)
    said = subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


@needs_promtool
def test_alerts_fire() -> None:
    test = Path(__file__).parent / "alerts.test.yml"
    said = subprocess.run(["promtool", "test", "rules", test], capture_output=True, text=True, check=False, cwd=test.parent)
    assert said.returncode == 0, said.stdout + said.stderr
    named = set(re.findall(r"alert: (\w+)", (ALERTS / "entente.rules.yml").read_text()))
    tested = set(re.findall(r"alertname: (\w+)", test.read_text()))
    assert named == tested


def test_alerts_use_what_is_exposed() -> None:
    """Each figure that an alert looks at is one of the service's, and each of the manual's alerts is one that ships."""
    text = (ALERTS / "entente.rules.yml").read_text()
    used = set(re.findall(r"\bentente_\w+", text))
    exposed = set(re.findall(r"^\| `(\w+)` \|", MANUAL, re.M))
    assert used and used <= exposed, used - exposed
    assert set(re.findall(r"\bEntente[A-Z]\w+", MANUAL)) <= set(re.findall(r"alert: (\w+)", text))


def test_every_event_of_the_log_is_in_the_manual() -> None:
    names = {"log.held_back"}
    for file in (ROOT / "core").rglob("*.c"):
        if file.parent.name == "base":
            continue
        for call in re.findall(r"\b(?:ent_log|ent__http_told)\((.*?)(?:ent_log_|\);)", file.read_text(), re.S):
            names |= set(re.findall(r'"([a-z_.]+)"', call))
    assert len(names) > 30
    table = MANUAL.split("### Events")[1].split("\n## ")[0]
    told = {name for row in table.splitlines() if row.startswith("|") for name in re.findall(r"`([a-z_.]+)`", row.split("|")[1])}
    assert names - told == set(), "put them into the table of events of docs/operating.md"
    assert told - names == set(), "nobody logs these any more"


def test_units_name_programs_that_are_installed() -> None:
    for unit in UNITS.glob("*.service"):
        for line in re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.M):
            assert "/usr/local/bin/entente" in line or line.startswith("/usr/bin/find"), line
    assert os.access(ENTENTE, os.X_OK)
