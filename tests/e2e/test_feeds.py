# SPDX-License-Identifier: Apache-2.0
"""Files and pipes of a service: whatever happens in the folders is noticed without looking from time to time (the scan is an hour
away), and counted once."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

from project import ENTENTE, Project, environment, same
from service import Service, serving

HEAD = "key,at,visitor\n"
TOP = "workers: 2\nservice: {scan: 1h, judge_every: 0s, log: {level: debug}}\nserve: {listen: []}"
VISITS = "{partner: nordwind, from: {%s}, decode: {csv: {fact: visit, columns: {key: key, at: at, visitor: visitor}}}}"


def project(folder: Path, way: str) -> Project:
    p = Project(folder, f"  visits: {VISITS % way}", top=TOP)
    (folder / "in").mkdir(exist_ok=True)
    return p


def visits(*numbers: int) -> str:
    return HEAD + "".join(f"{n},2024-01-05 12:00:{n % 60:02d},v{n}\n" for n in numbers)


def as_if(folder: Path, *documents: str) -> Project:
    """A project that reads these documents once and nothing else."""
    p = project(folder, "directory: ./in")
    for i, text in enumerate(documents):
        p.write(f"in/{i}.csv", text, dated=i)
    p.run()
    return p


def sessions(p: Project) -> Callable[[int], Callable[[], bool]]:
    """Whether so many are committed."""

    def are(n: int) -> Callable[[], bool]:
        def look() -> bool:
            try:
                return p.figure("sessions", "traffic") == n
            except sqlite3.Error:  # nothing is there yet
                return False

        return look

    return are


def put(p: Project, name: str, text: str, dated: int) -> None:
    p.write("fresh", text, dated).rename(p.folder / "in" / name)


def test_whatever_happens_to_a_file(tmp_path: Path) -> None:
    p = project(tmp_path / "p", "directory: ./in, settle: 0s")
    folder = p.folder / "in"
    with serving(p) as s:
        are = sessions(p)
        put(p, "log", visits(1, 2), 1)
        s.until(are(2), "a new file")
        with (folder / "log").open("a") as f:
            f.write(visits(3).removeprefix(HEAD))
        s.until(are(3), "a grown file")
        (folder / "log").rename(folder / "log.1")
        put(p, "log", visits(4, 5), 2)
        s.until(are(5), "a rotated file")
        shutil.copy(folder / "log", folder / "copy")
        with (folder / "log").open("r+") as f:
            f.truncate(0)
            f.write(visits(6))
        s.until(are(6), "a file copied away and truncated")
        put(p, "log", visits(6, 7), 3)
        s.until(are(7), "a file in place of another one")
        (folder / "deep/er").mkdir(parents=True)
        put(p, "deep/er/a.csv", visits(8), 4)
        s.until(are(8), "a file in a folder that was not there")
        for name in ("copy", "log", "log.1"):
            (folder / name).rename(folder / f"moved-{name}")
        put(p, "last", visits(9), 5)
        s.until(are(9), "renamed files")
        assert s.stop() == 0
    assert p.run().read["inputs"] == 0
    documents = [visits(1, 2, 3), visits(4, 5), visits(6, 7), visits(8), visits(9)]
    same([p, as_if(tmp_path / "once", *documents)])


def test_a_growing_file_settles(tmp_path: Path) -> None:
    """A writer appends in steps that end within records; what it has written in the end counts once."""
    p = project(tmp_path / "p", "directory: ./in")
    text = visits(*range(500))
    with serving(p) as s:
        with (p.folder / "in/a.csv").open("w") as f:
            for at in range(0, len(text), 777):
                f.write(text[at : at + 777])
                f.flush()
        s.until(sessions(p)(500), "all of it")
        assert s.stop() == 0
    same([p, as_if(tmp_path / "once", text)])


def test_a_root_that_comes_later(tmp_path: Path) -> None:
    p = project(tmp_path / "p", 'glob: "./late/20*/*.csv", settle: 0s')
    with serving(p) as s:
        (p.folder / "late/2024").mkdir(parents=True)
        p.write("fresh", visits(1, 2), 1).rename(p.folder / "late/2024/a.csv")
        s.until(sessions(p)(2), "a file in folders that were not there")
        (p.folder / "late/2025").mkdir()
        p.write("fresh", visits(3), 1).rename(p.folder / "late/2025/a.csv")
        s.until(sessions(p)(3), "one level deeper")
        assert s.stop() == 0


def test_five_thousand_files(tmp_path: Path) -> None:
    p = project(tmp_path / "p", "directory: ./in, settle: 0s")
    once = project(tmp_path / "once", "directory: ./in")
    for n in range(100):
        for k in range(50):
            once.write(f"in/{n:02}/{k:02}.csv", visits(n * 50 + k), k)
    once.run()
    with serving(p) as s:
        for n in range(100):
            # whole and dated before it is seen: a copy gets its time last, and one that is seen before is another file
            shutil.copytree(once.folder / f"in/{n:02}", p.folder / f"beside/{n:02}")
            (p.folder / f"beside/{n:02}").rename(p.folder / f"in/{n:02}")
        s.until(sessions(p)(5000), "5,000 files in 100 folders", patience=240)
        assert s.stop() == 0
    same([p, once])
    assert [tuple(row) for row in p.sql("select count(*), sum(done) from input where live")] == [(5000, 5000)]


def event(n: int) -> str:
    return json.dumps(
        {
            "event_date": "20240105",
            "event_timestamp": str(1704448800000000 + n),
            "event_name": "session_start",
            "user_pseudo_id": str(n),
            "event_params": [{"key": "ga_session_id", "value": {"int_value": "7"}}],
        },
        separators=(",", ":"),
    )


def test_lines_and_documents_through_pipes(tmp_path: Path) -> None:
    """Events as they are written, by several writers, while one has the pipe open; and a table for each writer."""
    sources = (
        "  events: {partner: nordwind, from: {pipe: ./events}, decode: {ga4: {currency: EUR}}}\n"
        f"  visits: {VISITS % 'pipe: ./tables'}"
    )
    p = Project(tmp_path / "p", sources, top=TOP)
    with serving(p) as s:
        are = sessions(p)
        s.until(lambda: (p.folder / "events").is_fifo() and (p.folder / "tables").is_fifo(), "the pipes")
        with (p.folder / "events").open("w") as stays:
            stays.write(event(1) + "\n")
            stays.flush()
            s.until(are(1), "one event, of a writer that goes on")
            for n in (2, 3, 4):
                subprocess.run(["/bin/sh", "-c", 'cat > "$0"', str(p.folder / "events")], input=event(n) + "\n", text=True, check=True)
            s.until(are(4), "those of others meanwhile")
            stays.write("".join(event(n) + "\n" for n in range(5, 2005)))
        s.until(are(2004), "very many")
        for n in (1, 2):
            subprocess.run(["/bin/sh", "-c", 'cat > "$0"', str(p.folder / "tables")], input=visits(n, n + 10), text=True, check=True)
            s.until(are(2004 + 2 * n), "a table")
        assert s.stop() == 0
        s.start()
        assert s.stop() == 0
    assert p.run().json["balance"][0]["closes"]
    assert are(2008)(), "nothing is read twice"


def test_standard_input_of_a_service(tmp_path: Path) -> None:
    p = Project(tmp_path / "p", "  events: {partner: nordwind, from: {stdin: events}, decode: {ga4: {currency: EUR}}}", top=TOP)
    (p.folder / "feed").write_text("".join(event(n) + "\n" for n in range(300)))
    with (p.folder / "log").open("wb") as log:
        feed = subprocess.Popen(["cat", str(p.folder / "feed")], stdout=subprocess.PIPE)
        s = Service(p)
        s.child = subprocess.Popen(
            [ENTENTE, "serve", "-c", str(p.config)], cwd=p.folder, env=environment(), stdin=feed.stdout, stdout=log, stderr=log
        )
        try:
            s.until(sessions(p)(300), "all lines")
            assert s.stop() == 0
        finally:
            s.child.kill()
            s.child.wait()
            feed.communicate()
