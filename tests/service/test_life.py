# SPDX-License-Identifier: Apache-2.0
"""`entente serve`: reads what comes, takes another configuration or refuses it, stops in time, and goes on where it was."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
from pathlib import Path

from project import BUILD, ROOT, Project
from service import Service, serving
from shop import events, export, feed, orders

SOURCES = """\
  exports: {partner: nordwind, from: {directory: ./exports}, decode: shopify}
  others: {partner: suedwind, from: {directory: ./others}, decode: shopify}"""
TOP = "workers: 2\nservice: {scan: 1s, judge_every: 0s, log: {level: debug}}\nserve: {listen: []}"
RULES = "  books: [./book]"
BOOK = '''\
from entente import insight, rule


@rule(practice="pace")
def some(partner):
    """It sells."""
    orders = partner["orders"].over("28d")
    if orders > 0:
        yield insight(f"{orders} orders")
'''


def project(folder: Path) -> Project:
    p = Project(folder, SOURCES, top=TOP, rules=RULES)
    p.write("book/one.py", BOOK)
    for name in ("exports", "others"):
        (folder / name).mkdir()
    return p


def put(p: Project, name: str, data: bytes | str, dated: int = 0) -> None:
    """A file that is there all at once."""
    p.write(f".fresh-{threading.get_ident()}", data, dated).rename(p.folder / name)


def done(p: Project) -> int:
    """Inputs that are committed to their end."""
    with sqlite3.connect(f"file:{p.store}/entente.db?mode=ro", uri=True, timeout=60) as db:
        [(n,)] = db.execute("select total(done) from input where live")
    return int(n)


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    [line] = [x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def reference(folder: Path, of: Project, sources: str = SOURCES) -> dict[str, str]:
    """The digest of one undisturbed run over the same files."""
    other = Project(folder, sources, top=of.top, rules=of.rules)
    for name in ("exports", "others", "book"):
        (folder / name).symlink_to(of.folder / name)
    other.run()
    return other.digest()


def test_reads_what_comes(tmp_path: Path) -> None:
    made = orders(300, seed=5)
    p = project(tmp_path / "p")
    put(p, "exports/a.csv", export(made[0::3]))
    with serving(p) as s:
        s.until(lambda: done(p) == 1, "the first file")
        put(p, "exports/b.csv", export(made[1::3]), 10)
        put(p, "others/a.csv", export(made[2::3]), 20)
        s.until(lambda: done(p) == 3, "files that came meanwhile")
        s.until(lambda: len(s.events("judged")) >= 2, "judged again")
        assert s.stop() == 0
        assert s.events("stopped")[0]["whole"] is True
    assert p.digest() == reference(tmp_path / "r", p)
    # the rules that the service had judge are those that a run would have judge
    assert p.record("some", "nordwind")["verdict"] is True
    assert p.run().read["inputs"] == 0


def test_goes_on_where_it_was(tmp_path: Path) -> None:
    """Asked to stop in the middle of much to read, it stops soon, and the next start reads the rest."""
    made = orders(20_000, seed=6)
    p = project(tmp_path / "p")
    for n in range(20):
        put(p, f"exports/{n:02}.csv", export(made[n * 1000 : n * 1000 + 1000]), n)
    s = Service(p).start(ready=False)
    s.until(lambda: s.events("commit"), "a first commit")
    assert s.stop() == 0
    assert s.events("stopped")
    at_stop = done(p)
    with serving(p) as s:
        s.until(lambda: done(p) == 20, "all of them")
        assert s.stop() == 0
    assert at_stop <= 20
    assert p.digest() == reference(tmp_path / "r", p)


def test_takes_another_configuration(tmp_path: Path) -> None:
    made = orders(300, seed=7)
    p = project(tmp_path / "p")
    put(p, "exports/a.csv", export(made[0::3]))
    with serving(p) as s:
        status, told = s.reload()
        assert (status, told["generation"]) == (200, 2)
        # a source more
        p.sources += "\n  third: {partner: suedwind, from: {directory: ./third}, decode: shopify}"
        (p.folder / "third").mkdir()
        put(p, "third/a.csv", export(made[1::3]))
        p.configure()
        s.signal(signal.SIGHUP)
        s.until(lambda: any(e["generation"] == 3 for e in s.events("reload.active")), "generation 3")
        s.until(lambda: done(p) == 2, "the file of the new source")
        # each error with its place, and what was active goes on
        good = p.config.read_text()
        p.config.write_text(good.replace("decode: shopify}", "decode: shopfy}", 1))
        status, told = s.reload()
        assert status == 422, told
        line = next(n for n, text in enumerate(good.splitlines(), 1) if "exports:" in text)
        [error] = told["errors"]
        assert error["line"] == line and "shopfy" in error["what"] and "shopify" in error["todo"], error
        put(p, "others/a.csv", export(made[2::3]))
        s.until(lambda: done(p) == 3, "a file after a refused configuration")
        p.config.write_text(good)
        # rules as well: a book with an error is refused with its line; a mended one is used
        p.write("book/one.py", BOOK.replace("orders > 0", "orders >"))
        status, told = s.reload()
        assert status == 422 and told["errors"][0]["file"].endswith("book/one.py") and told["errors"][0]["line"] == 8, told
        p.write("book/one.py", BOOK.replace("yield insight(", "yield insight('now ' + "))
        status, told = s.reload()
        assert status == 200, told
        s.until(lambda: "now " in json.dumps(p.entente("findings").json), "what the changed rule says")
        assert s.stop() == 0


def test_a_change_of_the_file_is_enough(tmp_path: Path) -> None:
    p = project(tmp_path / "p")
    with serving(p) as s:
        p.top = TOP.replace("judge_every: 0s", "judge_every: 1s")
        p.configure()
        s.until(lambda: s.events("reload.active"), "the changed file")
        assert s.stop() == 0


def test_reloads_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """1,000 reloads under load, a third of them bad: what is stored is what an undisturbed run stores, each was answered, and
    memory and descriptors stay where they were."""
    made = orders(12_000, seed=8)
    p = project(tmp_path / "p")
    files = 60
    each = len(made) // files
    reloads, good = 1000, 0
    with serving(p) as s:
        texts = [p.config.read_text()]
        p.top = TOP.replace("judge_every: 0s", "judge_every: 10ms")
        p.configure()
        texts.append(p.config.read_text())
        texts.append(texts[0].replace("decode: shopify}", "decode: shopfy}", 1))
        descriptors: list[int] = []
        memory: list[int] = []
        generation = 0
        for n in range(reloads):
            if n % 16 == 0 and n // 16 < files:
                k = n // 16
                put(p, f"{('exports', 'others')[k % 2]}/{k:02}.csv", export(made[k * each : k * each + each]), k)
            bad = n % 3 == 2
            p.config.write_text(texts[2 if bad else n % 2])
            status, told = s.reload()
            assert status == (422 if bad else 200), told
            good += not bad
            descriptors.append(len(list(Path(f"/proc/{s.pid}/fd").iterdir())))
            memory.append(resident(s.pid))
            generation = told.get("generation", generation)
        assert generation > good  # and perhaps once more, for the file was seen to change
        s.until(lambda: done(p) == files, "all files")
        # the least of a stretch: requests, readers and workers come and go
        assert min(descriptors[-100:]) - min(descriptors[400:500]) <= 2, descriptors
        assert min(memory[-100:]) - min(memory[400:500]) < 16 << 20, memory
        assert s.stop() == 0
    p.config.write_text(texts[0])
    assert p.digest() == reference(tmp_path / "r", p)


EXAMPLE = ROOT / "examples" / "plugin" / "delimited"
TILL = (EXAMPLE / "exports" / "march.csv").read_text()


def built(folder: Path, version: str) -> Path:
    """The example plugin, as a decoder of this version; in a folder that nobody else can write to."""
    source = EXAMPLE / "till.c"
    folder.mkdir(parents=True, exist_ok=True)
    changed = folder / "till.c"
    text = source.read_text()
    assert '.version = "1",' in text
    changed.write_text(text.replace('.version = "1",', f'.version = "{version}",'))
    fresh = folder / "till.fresh"
    subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-I", ROOT / "include", "-o", fresh, changed], check=True)
    fresh.rename(folder / "till.so")
    return folder / "till.so"


def decoded_by(p: Project) -> set[str]:
    """Versions of decoders whose reading of a document counts."""
    with sqlite3.connect(f"file:{p.store}/entente.db?mode=ro", uri=True, timeout=60) as db:
        return {str(version) for (version,) in db.execute("select version from input where live and done")}


def test_takes_another_plugin(tmp_path: Path) -> None:
    """A plugin whose file is replaced: what it reads is read again by the new one, without anybody asking; one that cannot be
    loaded is refused, and the one before goes on."""
    folder = BUILD / "tests" / "replaced" / tmp_path.name
    try:
        plugin = built(folder, "1")
        p = Project(
            tmp_path / "p",
            "  till: {partner: nordwind, from: {directory: ./till}, decode: {till: {currency: EUR}}}\n"
            "  exports: {partner: suedwind, from: {directory: ./exports}, decode: shopify}",
            top=TOP + f"\nplugins: [{plugin}, shopify]",
        )
        for name in ("till", "exports"):
            (p.folder / name).mkdir()
        put(p, "till/a.csv", TILL)
        put(p, "exports/a.csv", export(orders(100, seed=9)))
        with serving(p) as s:
            s.until(lambda: done(p) == 2, "both files")
            assert decoded_by(p) == {"1", shopify_version(p)}
            built(folder, "2")
            s.until(lambda: s.events("reload.active"), "the changed plugin to be seen")
            s.until(lambda: "2" in decoded_by(p) and "1" not in decoded_by(p) - {shopify_version(p)}, "read by the new one")
            (folder / "broken").write_bytes(b"no plugin at all")
            (folder / "broken").rename(plugin)
            status, told = s.reload()
            assert status == 422 and "till.so" in json.dumps(told), told
            put(p, "exports/b.csv", export(orders(100, seed=10)))
            s.until(lambda: done(p) == 3, "a file of the other plugin meanwhile")
            assert s.stop() == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def shopify_version(p: Project) -> str:
    with sqlite3.connect(f"file:{p.store}/entente.db?mode=ro", uri=True, timeout=60) as db:
        [(version,)] = db.execute("select distinct version from input where decoder = 'shopify'")
    return str(version)


def test_a_changed_rule_is_used(tmp_path: Path) -> None:
    """Without anybody asking."""
    p = project(tmp_path / "p")
    put(p, "exports/a.csv", export(orders(300, seed=7)))
    with serving(p) as s:
        s.until(lambda: s.events("judged"), "judged")
        p.write("book/one.py", BOOK.replace("yield insight(", "yield insight('now ' + "))
        s.until(lambda: "now " in json.dumps(p.entente("findings").json), "what the changed rule says")
        assert s.stop() == 0


def test_stops_while_a_pipe_is_written_to(tmp_path: Path) -> None:
    """What is on its way into the inbox when the service stops is kept there, and told to nobody who has gone: it stops whole
    each time, and the next start reads it."""
    p = Project(
        tmp_path / "p",
        "  lines: {partner: nordwind, from: {pipe: ./in.fifo}, decode: ga4}",
        top="workers: 1\nserve: {listen: []}\nservice: {judge_every: 0s}",
    )
    sent = events(1, 400, seed=3)
    done_writing = threading.Event()

    def write() -> None:
        while not done_writing.is_set():
            with contextlib.suppress(OSError):
                fd = os.open(p.folder / "in.fifo", os.O_WRONLY | os.O_NONBLOCK)
                with os.fdopen(fd, "wb") as f:
                    os.set_blocking(fd, True)
                    f.write(feed(sent).encode())
            done_writing.wait(0.001)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    s = Service(p)
    try:
        for _ in range(15):
            s.start(ready=False)
            s.until(lambda: s.events("ready"), "ready")
            assert s.stop() == 0
            assert s.events("stopped")
    finally:
        done_writing.set()
        if s.child is not None and s.child.poll() is None:
            s.child.kill()
            s.child.wait()
    writer.join(30)
    with serving(p) as s:
        s.until(lambda: done(p) >= 1, "what was left in the inbox")
        assert s.stop() == 0
