# SPDX-License-Identifier: Apache-2.0
"""`entente records`: down to file and line, and only what counts."""

import json
from pathlib import Path
from typing import Any

import tiny
from conftest import Run


def records(entente: Run, project: Path, *words: str) -> list[dict[str, Any]]:
    done = entente("records", *words, "--json", "-c", str(project / "entente.yaml"))
    assert done.status == 0, done.err
    return list(json.loads(done.out))


def test_down_to_file_and_line(entente: Run, tmp_path: Path) -> None:
    project = tiny.make(tmp_path / "project")
    config = str(project / "entente.yaml")
    assert entente("run", "-c", config).status == 0
    told = records(entente, project, "alder", "--kind", "order")
    lines = tiny.ORDERS.splitlines()
    assert [(r["key"], r["day"], r["line"]) for r in told] == [
        ("A1", "2026-03-01", 2), ("A2", "2026-03-02", 3), ("A4", "2026-03-09", 5), ("A3", "2026-03-10", 4)]  # fmt: skip
    for r in told:
        assert (r["source"], r["file"], r["origin"], r["kind"]) == ("orders", "orders.csv", "shop", "order")
        assert tiny.ORDERS.encode()[r["place"] :].decode().startswith(lines[r["line"] - 1])
    assert [r["key"] for r in records(entente, project, "alder", "--kind", "order", "--from", "2026-03-02", "--to", "2026-03-09")] == ["A2", "A4"]
    assert [r["key"] for r in records(entente, project, "birch", "--kind", "order")] == ["B0", "B1", "B2"]
    assert records(entente, project, "cedar") == []
    visits = records(entente, project, "alder", "--kind", "visit", "--limit", "2")
    assert [(r["line"], r["key"]) for r in visits] == [(2, None), (3, None)]
    # what a newer export replaces, or moves to another day, is not told beside it
    (project / "orders.csv").write_text(tiny.ORDERS.replace("A2,alder,2026-03-02", "A2,alder,2026-03-05").replace("100.00,7", "90.00,7"))
    assert entente("run", "-c", config).status == 0
    told = records(entente, project, "alder", "--kind", "order")
    assert [(r["key"], r["day"]) for r in told][:3] == [("A1", "2026-03-01"), ("A2", "2026-03-05"), ("A4", "2026-03-09")]
    assert records(entente, project, "alder", "--kind", "order", "--to", "2026-03-04")[1:] == []
    (project / "orders.csv").unlink()  # no file, no line; the place is known still
    assert [(r["line"], r["place"] > 0) for r in records(entente, project, "birch")][:1] == [(None, True)]


def test_what_is_wrong_is_said(entente: Run, tmp_path: Path) -> None:
    project = tiny.make(tmp_path / "project")
    config = str(project / "entente.yaml")
    assert entente("run", "-c", config).status == 0
    done = entente("records", "aldre", "-c", config)
    assert done.status == 1 and "did you mean 'alder'?" in done.err
    done = entente("records", "alder", "--kind", "orders", "-c", config)
    assert done.status == 2 and "order" in done.err
