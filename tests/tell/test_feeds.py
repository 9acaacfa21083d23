# SPDX-License-Identifier: Apache-2.0
"""Feeds that are late: findings of their own, told like others, without any rule."""

import os
import time
from pathlib import Path
from typing import Any

from conftest import SOURCES, Receiver, Told
from project import Project
from shop import export, orders

HOOK = "  team: {{to: {{webhook: {{url: {url}, allow_private: true}}}}, for: {{rules: [feed_late]}}}}\n"
DAY = 86400


def configure(project: Project, expect: str) -> None:
    project.sources = SOURCES.rstrip("\n") + f"\n    expect: {expect}\n"
    project.configure()
    project.config.write_text(project.config.read_text().replace("as_of: latest", "as_of: now"))


def arrives(project: Project, ago: float, n: int) -> None:
    path = project.write("north.csv", export(orders(n)))
    when = time.time() - ago
    os.utime(path, (when, when))


def late(project: Project) -> list[tuple[Any, ...]]:
    return project.sql("select partner, key, state, severity from finding where rule = 'feed_late' order by 1, 2")


def test_late_and_back(told: Told, receiver: Receiver) -> None:
    project = told.project
    told.tell(HOOK.format(url=receiver.url))
    configure(project, "{every: 1d, late_after: 36h}")
    arrives(project, 2 * DAY, 20)
    said = project.entente("run")
    assert said.status == 0
    assert late(project) == [("nordwind", "north", "open", "medium")]
    listed: Any = project.entente("findings").json
    [finding] = [f for f in listed if f["rule"] == "feed_late"]
    assert "every 1d, within 36h" in finding["text"]
    assert "north.csv" in finding["text"]
    told.send()
    project.entente("run")
    told.send()
    assert [h.json["changes"][0]["change"] for h in receiver.heard] == ["opened"]
    arrives(project, 0, 21)
    project.entente("run")
    assert late(project) == [("nordwind", "north", "cleared", "medium")]
    told.send()
    assert [h.json["changes"][0]["change"] for h in receiver.heard] == ["opened", "cleared"]


def test_very_late(told: Told) -> None:
    configure(told.project, "{every: 1d}")
    arrives(told.project, 10 * DAY, 20)
    told.project.entente("run")
    assert late(told.project) == [("nordwind", "north", "open", "high")]


def test_never_came(tmp_path: Path) -> None:
    """Counted from when it was first looked at."""
    project = Project(tmp_path, SOURCES.replace("file: ./north.csv", 'glob: "./in/*.csv"'))
    project.sources += "    expect: {every: 1s, late_after: 1s}\n"
    project.configure()
    project.config.write_text(project.config.read_text().replace("as_of: latest", "as_of: now"))
    (tmp_path / "in").mkdir()
    deadline = time.monotonic() + 60
    while not (project.store.exists() and late(project)):
        assert project.entente("run").status == 0
        assert time.monotonic() < deadline
    [(text,)] = project.sql("select text from finding where rule = 'feed_late'")
    assert "has brought nothing" in text


def test_not_for_another_day(told: Told) -> None:
    """Who looks at an old export does not want to hear that it is old; nor does a source that expects nothing."""
    configure(told.project, "{every: 1d}")
    arrives(told.project, 10 * DAY, 20)
    told.project.entente("run", "--as-of", "2025-01-31")
    assert late(told.project) == []
    told.project.sources = SOURCES
    told.project.configure()
    told.project.config.write_text(told.project.config.read_text().replace("as_of: latest", "as_of: now"))
    told.project.entente("run")
    assert late(told.project) == []


def test_nothing_is_expected_any_more(told: Told) -> None:
    configure(told.project, "{every: 1d}")
    arrives(told.project, 10 * DAY, 20)
    told.project.entente("run")
    assert late(told.project) == [("nordwind", "north", "open", "high")]
    told.project.sources = SOURCES
    told.project.configure()
    told.project.config.write_text(told.project.config.read_text().replace("as_of: latest", "as_of: now"))
    told.project.entente("run")
    assert late(told.project) == [("nordwind", "north", "cleared", "high")]


def test_by_partner_of_the_path(tmp_path: Path) -> None:
    source = """\
  drop:
    partner: {from: path, pattern: "drop/{partner}/*.csv"}
    from: {glob: "./drop/*/*.csv"}
    decode: shopify
    expect: {every: 1d}
"""
    project = Project(tmp_path, source)
    project.config.write_text(project.config.read_text().replace("as_of: latest", "as_of: now"))
    for partner, ago in (("nordwind", 0.0), ("suedwind", 2.0 * DAY)):
        path = project.write(f"drop/{partner}/a.csv", export(orders(20)))
        when = time.time() - ago
        os.utime(path, (when, when))
    assert project.entente("run").status == 0
    assert late(project) == [("suedwind", "drop", "open", "medium")]
