# SPDX-License-Identifier: Apache-2.0
"""Milestones and forecasts, from exports and a register written by hand to findings."""

from pathlib import Path

import pytest
from project import Project
from shop import export, orders

PARTNERS = ("nordwind", "suedwind", "bora")
SOURCE = """\
  {0}:
    partner: {0}
    from: {{file: ./{0}.csv}}
    decode: shopify
"""
DAYS = 420  # from 1 March 2024 on, to 24 April 2025: 80 orders in 28 days


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Project:
    p = project(tmp_path_factory.mktemp("expected") / "p")
    p.run()
    return p


def project(folder: Path) -> Project:
    p = Project(
        folder,
        "".join(SOURCE.format(name) for name in PARTNERS),
        "registers: {milestones: {kept_since: 2024-03-01}}",
        rules="  books: [shipped]",
        partners="\n".join(f"  {name}: {{industry: furniture}}" for name in PARTNERS),
    )
    for n, name in enumerate(PARTNERS):
        p.write(
            f"{name}.csv",
            export(orders(1200 if name != "bora" else 100, seed=n, days=DAYS if name != "bora" else 90)),
        )
    more = "metric=orders", "due=2025-07-01"
    for partner, value in (("nordwind", 300), ("suedwind", 40), ("bora", 300)):
        said = p.entente("register", "milestones", "add", partner, "title=Step", f"value={value}", *more)
        assert said.status == 0, said
    return p


def test_what_is_not_likely_is_said_with_its_day(judged: Project) -> None:
    record = judged.record("realistic_dates", "nordwind")
    assert record["verdict"] is True, record
    [found] = record["findings"]
    assert found["text"].startswith("Step: 0% by 1 July 2025; ") and found["about"] == "milestones/1"
    assert any(
        e["slice"] == "forecast until 2026-07-01" and e["metric"] == "orders" for e in record["evidence"]
    )


def test_what_is_reached_and_what_cannot_be_foretold(judged: Project) -> None:
    assert judged.record("realistic_dates", "suedwind")["verdict"] is False
    assert judged.record("realistic_dates", "bora")["verdict"] == "unknown"


def test_the_same_is_said_on_each_run(judged: Project, tmp_path: Path) -> None:
    again = project(tmp_path / "p")
    again.run()
    for name in PARTNERS:
        mine, other = (p.record("realistic_dates", name) for p in (judged, again))
        assert mine["findings"] == other["findings"] and mine["evidence"] == other["evidence"]
