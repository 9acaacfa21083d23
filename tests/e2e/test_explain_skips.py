# SPDX-License-Identifier: Apache-2.0
"""`entente run --explain-skips`: why a rule did not run for a partner."""

from pathlib import Path
from typing import Any

from project import Project
from shop import export, orders

SOURCES = """\
  north:
    partner: nordwind
    from: {file: ./north.csv}
    decode: shopify
"""
BOOK = '''"""A book."""
from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def sells(partner: Partner) -> Findings:
    """Says how many orders there were."""
    yield insight(f"{partner['orders'].over('8w')} orders")


@rule(practice="informative")
def visited(partner: Partner) -> Findings:
    """Needs what nobody gives."""
    yield insight(f"{partner['sessions'].over('8w')} visits")


@rule(practice="pace")
def slow(partner: Partner) -> Findings:
    """For partners that have come further."""
    yield insight("take your time")
'''
ENDLESS = '''

@rule(practice="informative")
def endless(partner: Partner) -> Findings:
    """Never ends."""
    while True:
        pass
'''


def project(folder: Path, book: str) -> Project:
    p = Project(
        folder,
        SOURCES,
        partners="  nordwind: {name: Nordwind, stage: consulting}\n  suedwind: {name: Suedwind, stage: informative}",
        rules="  books: [./rules]\n  deadline: 1s\n  for: {stage: {informative: [informative]}}",
    )
    p.write("rules/book.py", book)
    p.write("north.csv", export(orders(100, seed=5)))
    return p


def skips(p: Project) -> dict[tuple[str, str], tuple[str, str]]:
    said = p.entente("run", "--explain-skips")
    rows: list[dict[str, Any]] = said.json["skips"]
    return {(row["rule"], row["partner"]): (row["kind"], row["why"]) for row in rows}


def test_reasons(tmp_path: Path) -> None:
    p = project(tmp_path / "p", BOOK + ENDLESS)
    found = skips(p)
    assert found["slow", "suedwind"] == (
        "scope",
        "the practice pace is not for stage informative (rules.for)",
    )
    line = (BOOK + ENDLESS)[: (BOOK + ENDLESS).index("while")].count("\n") + 1
    kind, why = found["endless", "nordwind"]
    assert kind == "set_aside" and "it did not end within 1.0 s" in why
    assert why.endswith((f"rules/book.py:{line}", f"rules/book.py:{line + 1}"))
    kind, why = found["visited", "nordwind"]
    assert kind == "unknown" and "no source gives it" in why
    assert ("sells", "nordwind") not in found and ("slow", "nordwind") not in found, "these ran"


def test_nothing_changed(tmp_path: Path) -> None:
    p = project(tmp_path / "p", BOOK)
    assert ("sells", "nordwind") not in skips(p)
    found = skips(p)
    kind, why = found["sells", "nordwind"]
    assert kind == "unchanged" and "are those of run 1, 20" in why
    assert found["slow", "suedwind"][0] == "scope"
    p.write("north.csv", export(orders(101, seed=6)), dated=10)
    assert ("sells", "nordwind") not in skips(p)


def test_text_groups_what_has_one_reason(tmp_path: Path) -> None:
    p = project(tmp_path / "p", BOOK)
    p.run()
    with p.start("run", "--explain-skips") as child:
        out, _ = child.communicate(timeout=60)
    assert "Not run, or not known:" in out
    assert "slow for suedwind\n      the practice pace is not for stage informative (rules.for)" in out
    assert "sells, slow, visited for nordwind, suedwind" in out or "sells, visited for" in out, out
