# SPDX-License-Identifier: Apache-2.0
"""A rule that does harm, inside a whole run: it is contained and named with file and line, and all other rules leave
what they leave without it. With Landlock, and as if the kernel had none."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import project
import pytest
from project import Project, Said
from shop import export, orders

SOURCES = """\
  north:
    partner: nordwind
    from: {file: ./north.csv}
    decode: shopify
  south:
    partner: suedwind
    from: {file: ./south.csv}
    decode: shopify
"""
#: What is to stay unharmed: figures, a breakdown, something not known, a print, imports inside a rule, both kinds of money.
GOOD = '''"""A book."""
from entente import Findings, Partner, if_known, insight, previous, red_flag, rule, unknown


@rule(practice="informative")
def early(partner: Partner) -> Findings:
    """Comes before the bad one."""
    print("looking at", partner.id)
    yield insight(f"{partner['orders'].over('8w')} orders, {partner['revenue.gross'].over('8w')}", key="orders")


@rule(practice="informative")
def late(partner: Partner) -> Findings:
    """Comes after it."""
    import json
    import statistics
    from entente import money
    from entente.missing import NotEnoughEvidence

    with if_known("where from"):
        yield insight(partner["sessions"].by("source").over("28d").largest().key)
    try:
        partner.register("contacts").days_since_last()
    except NotEnoughEvidence:
        yield red_flag(json.dumps(["no", statistics.median([1, 2, 3])]), worth=money(3, partner), key=("a", 1))
    print("a line", file=__import__("sys").stdout)


@rule(practice="informative")
def deep(partner: Partner) -> Findings:
    """Needs the depth that Python has."""
    def down(n: int) -> int:
        return n if not n else down(n - 1)

    down(500)
    yield unknown(str(sorted({"b", "a", "c"})), key=str(partner["aov"].change("28d", since=previous("28d"))))
'''
HEAD = '''"""Does what it should not."""
import os
import sys

from entente import Findings, Partner, insight, rule


'''
#: The bad rule runs between the good ones: in alphabetical order of files, good.py is loaded after bad.py as well as
#: before.
RULE = '''
@rule(practice="informative")
def bad(partner: Partner) -> Findings:
    """Does what it should not."""
    if partner.id == "nordwind":
{what}
    yield insight("still here")
'''
#: What it does; what is said of it. In the text, » marks the line that is named, where it is not the first.
FAILS = {
    "raise": ("raise ValueError('seven')", "seven"),
    "hoard": ("hoard = []\n»while True: hoard.append(bytearray(1 << 16))", "MemoryError"),
    "hoard-small": ("hoard = {}\n»while True: hoard[len(hoard)] = [len(hoard)] * 300", "MemoryError"),
    "hoard-at-once": ("bytes(1 << 40)", "MemoryError"),
    "exit-politely": ("sys.exit('bye')", "bye"),
    "interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "recursion": ("def f(n):\n»    return f(n + 1)\nf(0)", "RecursionError"),
    "recursion-in-json": (
        "import json\ndeep = []\nfor _ in range(100_000): deep = [deep]\n»json.dumps(deep)",
        "RecursionError",
    ),
    "recursion-in-repr": (
        "deep = {}\nfor _ in range(100_000): deep = {1: deep}\n»repr(deep)",
        "RecursionError",
    ),
    "recursion-in-rows": (
        "deep = ()\nfor _ in range(100_000): deep = (deep,)\nyield insight('deep', rows=[deep])",
        "RecursionError",
    ),
    "findings": (
        "for n in range(1_000_000):\n»    yield insight('one more', key=n)",
        "more than 10,000 findings",
    ),
    "findings-at-once": ("yield from [insight('one more', key=n) for n in range(50_000)]", "10,000 findings"),
    "findings-without-end": (
        "n = 0\nwhile True:\n    n += 1\n»    yield insight('one more', key=n)",
        "10,000 findings",
    ),
    "text": ("»yield insight('x' * 100_000_000)", "100,000,000 characters"),
    "key": ("»yield insight('x', key='k' * 100_000_000)", "100,000,000 characters"),
    "rows": ("yield insight('x', rows=[['r' * 50_000] * 10] * 40)", "more than 16 MB"),
    "socket": ("import socket\n»socket.create_connection(('127.0.0.1', 80))", "PermissionError"),
    "write": ("open('/tmp/entente-rules-were-here', 'w')", "PermissionError"),
    "fork": ("os.fork()", "PermissionError"),
    "exec": ("os.execv('/bin/true', ['true'])", "PermissionError"),
    "kill": ("os.kill(os.getppid(), 9)", "PermissionError"),
    "patch-function": ("import entente.findings\n»entente.findings.insight = None", "may not change entente"),
    "patch-run": ("import entente.run as run\n»run.now = None", "may not change entente"),
    "patch-class": ("import entente.quantity as q\n»q.Quantity.number = 7", "immutable"),
    "patch-builtin": ("import builtins\n»builtins.sorted = None", "may not change builtins"),
    "no-modules": ("sys.modules.clear()", "sys.modules"),
    "no-entente": (
        "for name in [n for n in sys.modules if 'entente' in n]: del sys.modules[name]",
        "sys.modules",
    ),
    "hoard-in-a-thread": (
        "import threading\nhoard = []\ndef go():\n    while True: hoard.append(bytearray(1 << 16))\n"
        "t = threading.Thread(target=go)\nt.start()\nt.join()\n»raise ValueError('after it')",
        "after it",
    ),
    "no-finding": ("yield 7", "a rule yields findings"),
}
#: Those that end its process, by a deadline or by themselves: the rule is left out for all partners.
STOPPED = {
    "loop": ("while True: pass", "it did not end within 1.0 s"),
    "loop-in-c": ("sum(range(1 << 60))", "it did not end within 1.0 s"),
    "sleep": ("import time\n»time.sleep(600)", "it did not end within 1.0 s"),
    "swallow": (
        "while True:\n    try:\n»        sum(range(100))\n    except BaseException:\n        pass",
        "it did not end within 1.0 s",
    ),
    "swallow-memory": (
        "hoard = []\nwhile True:\n    try:\n»        hoard.append(bytearray(1 << 20))\n    except BaseException:\n        pass",
        "it did not end within 1.0 s",
    ),
    "never-ending": ("n = 0\n»while True: n += 1\nyield insight('never')", "it did not end within 1.0 s"),
    "thread": (
        "import threading, time\ndef go():\n»    while True: time.sleep(0.01)\nthreading.Thread(target=go, daemon=True).start()",
        "it did not end within 1.0 s",
    ),
    "thread-that-exits": (
        "import threading\nthreading.Timer(0.2, lambda: os._exit(5)).start()",
        "it ended the rules worker with status 5",
    ),
    "hoard-for-good": (
        "global hoard\nhoard = []\n»while True: hoard.append(bytearray(1 << 16))",
        "it left no memory for the other rules",
    ),
    "never-left": (
        "try:\n    yield insight('one')\n    yield 7\nfinally:\n»    while True: pass",
        "it did not end within 1.0 s",
    ),
    "exit": ("os._exit(3)", "it ended the rules worker with status 3"),
    "exit-well": ("os._exit(0)", "it ended the rules worker with status 0"),
    "abort": ("os.abort()", "signal 6"),
    "segfault": ("import ctypes\n»ctypes.string_at(0)", "signal 11"),
    "no-recursion-limit": (
        "sys.setrecursionlimit(1 << 30)\nimport json\ndeep = []\nfor _ in range(3_000_000): deep = [deep]\n»json.dumps(deep)",
        "signal 11",
    ),
    "kill-itself": ("import signal\n»signal.raise_signal(signal.SIGKILL)", "signal 9"),
}
#: What does no harm: kept within the rule, whatever it meant to.
HARMLESS = {
    "flood": "for _ in range(200_000): print('x' * 100)",
    "flood-of-errors": "for _ in range(2000): os.write(2, b'x' * 1000)",
    "closes": "os.closerange(0, 100)",
    "garbage": "\n".join(["try:", "    os.write(3, b'nonsense')", "except OSError:", "    pass"]),
    "garbage-by-another-way": "\n".join(
        ["try:", "    os.write(os.dup(3), b'nonsense')", "except OSError:", "    pass"]
    ),
    "signals": "import signal\nfor s in (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE): signal.signal(s, signal.SIG_DFL)",
    "alarm": "import signal\nsignal.signal(signal.SIGALRM, lambda *_: os._exit(9))\ntry:\n    signal.alarm(1)\n"
    "    signal.setitimer(signal.ITIMER_REAL, 0.001)\nexcept OSError:\n    pass",
    "recursion-limit": "sys.setrecursionlimit(len(__import__('inspect').stack()) + 60)",
    "trace": "sys.settrace(lambda *_: 1 / 0)",
    "profile": "def profile(*_): raise ValueError('profiled')\nsys.setprofile(profile)",
    "no-output": "sys.stdout = None",
    "no-collection": "import gc\ngc.disable()",
    "environment": "os.environ['TZ'] = 'Asia/Tokyo'\n__import__('time').tzset()",
    "leaves-a-file-open": "f = open(__file__)\nglobals()['kept'] = f",
    "thread-that-ends": "import threading, time\nthreading.Thread(target=time.sleep, args=(0.2,)).start()",
}
#: At import: the file is left out, and named.
IMPORTS = {
    "raise": ("raise ValueError('seven')", "seven"),
    "syntax": ("def (:", "invalid syntax"),
    "null": ("x = '\0'", "null"),
    "exit-politely": ("sys.exit('bye')", "bye"),
    "hoard": ("hoard = []\n»while True: hoard.append(bytearray(1 << 16))", "MemoryError"),
    "hoard-small": ("hoard = {}\n»while True: hoard[len(hoard)] = [len(hoard)] * 300", "MemoryError"),
    "recursion": ("def f(n):\n»    return f(n + 1)\nf(0)", "RecursionError"),
    "deep-syntax": ("x = " + "(" * 5000, "too many nested"),
    "socket": ("import socket\n»socket.create_connection(('127.0.0.1', 80))", "PermissionError"),
    "write": ("open('/tmp/entente-rules-were-here', 'w')", "PermissionError"),
    "fork": ("os.fork()", "PermissionError"),
    "patch": ("import entente.findings\n»entente.findings.insight = None", "may not change entente"),
    "loop": ("while True: pass", "did not end within 1.0 s"),
    "sleep": ("import time\n»time.sleep(600)", "did not end within 1.0 s"),
    "swallow": (
        "while True:\n    try:\n»        sum(range(100))\n    except BaseException:\n        pass",
        "did not end within 1.0 s",
    ),
    "thread": (
        "import threading, time\ndef go():\n»    while True: time.sleep(0.01)\nthreading.Thread(target=go, daemon=True).start()",
        "did not end within 1.0 s",
    ),
    "exit": ("os._exit(3)", "status 3"),
    "abort": ("os.abort()", "signal 6"),
    "segfault": ("import ctypes\n»ctypes.string_at(0)", "signal 11"),
    "not-allowed": ("import numpy", "rules may not import numpy"),
}
IMPORTS_HARMLESS = {
    "flood": "for _ in range(200_000): print('x' * 100)",
    "modules": "sys.modules.clear()",
    "recursion-limit": "sys.setrecursionlimit(60)",
    "trace": "sys.settrace(lambda *_: 1 / 0)",
    "no-output": "sys.stdout = None",
}
needs_no_landlock = pytest.mark.parametrize("landlock", [True, False], ids=["landlock", "without"])


def place(what: str) -> tuple[list[str], int]:
    """Its lines, and which of them is to be named."""
    lines = what.split("\n")
    at = next((n for n, line in enumerate(lines) if line.startswith("»")), None)
    return [line.removeprefix("»") for line in lines], 0 if at is None else at


def make(folder: Path, bad: str, deadline: str = "60s") -> Project:
    """A busy machine may take long for what is meant to end by itself; only what never ends gets a short deadline."""
    p = Project(folder, SOURCES, rules=f"  books: [./rules]\n  deadline: {deadline}\n  memory: 256MB")
    # loaded before the bad one and after it: its rules stand on both sides
    first, *rest = GOOD.split("\n\n\n@rule")
    p.write("rules/a_good.py", first + "\n\n\n@rule" + rest[0] + "\n")
    p.write("rules/z_good.py", first + "".join(f"\n\n\n@rule{text}" for text in rest[1:]))
    if bad:
        p.write("rules/bad.py", bad)
    p.write("north.csv", export(orders(300, seed=5)))
    p.write("south.csv", export(orders(200, seed=6)))
    return p


def left(p: Project) -> list[dict[str, Any]]:
    """What the good rules left: verdicts, findings, evidence, asks, output."""
    return [r for r in p.records() if r["rule"] != "bad"]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the good rules leave where nobody does harm."""
    p = make(tmp_path_factory.mktemp("usual") / "p", "")
    p.run()
    found = left(p)
    assert len(found) == 6 and not [r for r in found if r["verdict"] == "failed"], found
    assert {r["verdict"] for r in found} == {True, "unknown"} and "looking at nordwind" in json.dumps(found)
    return found


#: Answers landlock_create_ruleset(2) with ENOSYS, as a kernel without it does: a filter of seccomp in front of the program.
LAUNCHER = """#!{python}
import ctypes, os, struct, sys
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7FFF0000)]
rules = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(rules))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0, os.strerror(ctypes.get_errno())
os.execv({program!r}, [{program!r}, *sys.argv[1:]])
"""


@pytest.fixture()
def with_landlock(landlock: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether it holds in this test."""
    if not landlock:
        launcher = tmp_path / "entente"
        launcher.write_text(LAUNCHER.format(python=sys.executable, program=project.ENTENTE))
        launcher.chmod(0o755)
        monkeypatch.setattr(project, "ENTENTE", str(launcher))
    return landlock


def judged(tmp_path: Path, what: str, why: str = "") -> tuple[Project, Said, int]:
    """A run with a rule that does this; and the line where."""
    lines, at = place(what)
    body = "\n".join(" " * 8 + line for line in lines)
    text = HEAD + RULE.format(what=body)
    p = make(tmp_path / "p", text, "1s" if "1.0 s" in why else "60s")
    line = text[: text.index(body)].count("\n") + 1 + at
    return p, p.entente("run"), line


def findings(p: Project) -> dict[str, str]:
    rows = p.sql("select partner, text from finding where rule = 'bad' and state = 'open'")
    return dict(rows)  # type: ignore[arg-type]


@needs_no_landlock
@pytest.mark.parametrize("case", FAILS)
def test_failure(case: str, tmp_path: Path, usual: list[dict[str, Any]], with_landlock: bool) -> None:
    """A finding about that rule and partner; nothing else is lost."""
    what, why = FAILS[case]
    p, said, line = judged(tmp_path, what)
    assert said.status == 4, (said.err, said.json)
    record = p.record("bad", "nordwind")
    assert record["verdict"] == "failed", record["verdict"]
    assert why in record["error"]["text"], record["error"]["text"][:2000]
    assert record["error"]["file"] == str(p.folder / "rules/bad.py")
    if case not in ("hoard-small", "no-modules", "no-entente", "no-finding", "recursion-in-rows", "rows"):
        assert record["error"]["line"] == line, record["error"]  # else it showed when the rule had been left
    found = findings(p)
    assert why in found["nordwind"] and len(found["nordwind"]) < 2000, found["nordwind"][:2000]
    assert found["suedwind"] == "still here", "the other partner is judged all the same"
    assert left(p) == usual
    assert not Path("/tmp/entente-rules-were-here").exists()


@needs_no_landlock
@pytest.mark.parametrize("case", STOPPED)
def test_stopped(case: str, tmp_path: Path, usual: list[dict[str, Any]], with_landlock: bool) -> None:
    """It ends with its process, which is started anew without it."""
    what, why = STOPPED[case]
    p, said, line = judged(tmp_path, what, why)
    assert said.status == 4, (said.err, said.json)
    assert "the rule bad was stopped" in said.err and why in said.err, said.err
    record = p.record("bad", "nordwind")
    assert record["verdict"] == "failed" and why in record["error"]["text"], record
    assert record["error"]["file"] == str(p.folder / "rules/bad.py")
    exits = "os._exit(" in what  # nobody is left to say where: the rule itself is named
    wanted = [
        n
        for n, text in enumerate((p.folder / "rules/bad.py").read_text().split("\n"), 1)
        if text.startswith("@rule")
    ]
    assert record["error"]["line"] in (
        [*wanted, wanted[0] + 1] if exits or case == "kill-itself" else [line]
    ), record["error"]
    assert f"bad.py:{record['error']['line']}" in said.err
    assert why in findings(p)["nordwind"]
    assert p.record("bad", "suedwind")["verdict"] == "failed", (
        "what takes its process along is not tried again"
    )
    assert left(p) == usual


@needs_no_landlock
@pytest.mark.parametrize("case", HARMLESS)
def test_harmless(case: str, tmp_path: Path, usual: list[dict[str, Any]], with_landlock: bool) -> None:
    """Nobody else notices."""
    p, said, _ = judged(tmp_path, HARMLESS[case])
    assert said.status in (0, 4) and not said.err, (said.err, said.json)
    record = p.record("bad", "nordwind")
    assert record["verdict"] in (True, "failed"), record
    assert record["verdict"] is True or record["error"]["file"].endswith("bad.py")
    assert p.record("bad", "suedwind")["verdict"] is True
    assert left(p) == usual


def imported(tmp_path: Path, what: str, why: str = "") -> tuple[Project, Said, int]:
    lines, at = place(what)
    text = HEAD + "\n".join(lines) + "\n" + RULE.format(what="        pass")
    p = make(tmp_path / "p", text, "1s" if "1.0 s" in why else "60s")
    return p, p.entente("run"), HEAD.count("\n") + 1 + at


@needs_no_landlock
@pytest.mark.parametrize("case", IMPORTS)
def test_import(case: str, tmp_path: Path, usual: list[dict[str, Any]], with_landlock: bool) -> None:
    """The file is left out, and the other files are judged."""
    what, why = IMPORTS[case]
    p, said, line = imported(tmp_path, what, why)
    assert said.status == 4, (said.err, said.json)
    assert "bad.py" in said.err and why in said.err, said.err
    if case not in ("exit", "null"):  # then nobody is left to say where; Python does not say it
        assert f"bad.py:{line}" in said.err, said.err
    assert left(p) == usual
    assert not p.sql("select 1 from finding where rule = 'bad'")


@needs_no_landlock
@pytest.mark.parametrize("case", IMPORTS_HARMLESS)
def test_import_harmless(case: str, tmp_path: Path, usual: list[dict[str, Any]], with_landlock: bool) -> None:
    """Nobody else notices; the file is loaded, or left out and named."""
    p, said, _ = imported(tmp_path, IMPORTS_HARMLESS[case])
    assert said.status == 0 or "bad.py" in said.err, (said.err, said.json)
    assert left(p) == usual


def test_the_filter_hides_landlock() -> None:
    """The cases without it are without it."""
    code = f"""
import ctypes, os, struct
{LAUNCHER.split(chr(10), 2)[2].rsplit("os.execv", 1)[0].replace("{{", "{").replace("}}", "}")}
assert libc.syscall(444, None, 0, 1) == -1 and ctypes.get_errno() == 38
"""
    pid = os.fork()
    if not pid:
        try:
            exec(code, {})
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def test_what_may_be_imported_is_a_setting(tmp_path: Path, usual: list[dict[str, Any]]) -> None:
    """The error names file, line and the setting; with the setting the file is loaded."""
    body = HEAD + "import colorsys\nimport tenkan\n" + RULE.format(what="        pass")
    p = make(tmp_path / "p", body)
    said = p.entente("run")
    assert said.status == 4
    line = body[: body.index("import tenkan")].count("\n") + 1
    assert f"bad.py:{line}:1: rules may not import tenkan" in said.err, said.err
    assert "allow it with rules.import: [tenkan]" in said.err
    assert left(p) == usual
    venv = p.folder / "venv"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    p.write(f"venv/lib/python{version}/site-packages/tenkan.py", "SAYS = 'from the venv'\n")
    p.write("venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n")
    p.rules += f"\n  venv: {venv}\n  import: [tenkan]"
    p.configure()
    p.write(
        "rules/bad.py",
        body.replace("still here", "still here {tenkan.SAYS}").replace('insight("', 'insight(f"'),
    )
    said = p.entente("run")
    assert said.status == 0, said.err
    assert findings(p)["nordwind"] == "still here from the venv"
    assert left(p) == usual


def test_inside_a_rule_the_import_is_looked_at_too(tmp_path: Path, usual: list[dict[str, Any]]) -> None:
    """Wherever in the file it stands."""
    p, said, line = judged(tmp_path, "import tenkan")
    assert said.status == 4 and f"bad.py:{line}:9: rules may not import tenkan" in said.err, said.err
    assert left(p) == usual
