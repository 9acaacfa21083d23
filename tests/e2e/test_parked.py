# SPDX-License-Identifier: Apache-2.0
"""Facts whose partner nobody knows are kept, listed, and given to their partner once it is named."""

from pathlib import Path

import pytest
from project import Project, same
from shop import line_table, order_table, orders, table

SOURCES = """\
  sales:
    partner: {from: fact, as: erp, unknown: park}
    from: {glob: "./*.csv"}
    decode:
      csv:
        fact: order-lines
        columns: {order: "no", key: pos, partner: shop, at: at, customer: customer, sku: sku,
                  quantity: quantity, unit_price: price, currency: currency}
"""
KNOWN = "  nordwind: {name: Nordwind, zone: Europe/Berlin, also: {erp: N1}}\n"
MADE = orders(200, seed=12)
SHOPS = ("N1", "S1", "S2")


def rows(shops: tuple[str, ...] = SHOPS) -> list[dict[str, object]]:
    heads = {row["no"]: row for row in order_table(MADE)}
    told: list[dict[str, object]] = []
    for line in line_table(MADE):
        told.append({**heads[line["no"]], **line, "shop": shops[int(str(line["no"])) % 3]})
    return told


def count(shop: int) -> int:
    return sum(o.number % 3 == shop for o in MADE)


def project(folder: Path, partners: str) -> Project:
    p = Project(folder, SOURCES, partners=partners)
    p.write("a.csv", table(rows()))
    return p


def parked(p: Project) -> str:
    return str(p.entente("partners", "--parked").json)


def test_parked_and_replayed(tmp_path: Path) -> None:
    p = project(tmp_path / "p", KNOWN)
    [sheet] = p.run().json["balance"]
    assert sheet["refused"] == 0 and sheet["stored"] == sheet["received"]
    assert p.figure("orders", partner="nordwind") == count(0)
    told = p.entente("metrics", "query", "orders").json
    assert told["total"]["figures"]["orders"]["value"] == count(0), "nobody's orders are in no total"
    assert "S1" in parked(p) and "S2" in parked(p) and "N1" not in parked(p)
    p.partners = KNOWN + "  suedwind: {name: Suedwind, zone: America/Chicago, also: {erp: S1}}"
    p.configure()
    said = p.run()
    assert (said.read["inputs"], said.read["unchanged"]) == (0, 1), "nothing is read again"
    assert p.figure("orders", partner="suedwind") == count(1)
    assert "S1" not in parked(p) and "S2" in parked(p)
    p.partners = KNOWN + "  suedwind: {name: Suedwind, zone: America/Chicago, also: {erp: [S1, S2]}}"
    p.configure()
    p.run()
    assert p.figure("orders", partner="suedwind") == count(1) + count(2)
    known = project(tmp_path / "known", p.partners)
    known.run()
    same([known, p])


def test_a_word_of_another_system_is_another_word(tmp_path: Path) -> None:
    """`also:` names a word in one system; the same word of another source stays parked."""
    p = project(tmp_path / "p", KNOWN)
    p.run()
    p.partners = KNOWN + "  suedwind: {name: Suedwind, zone: America/Chicago, also: {shopify: S1}}"
    p.configure()
    p.run()
    assert "S1" in parked(p) and p.figure("orders", partner="suedwind") in (None, 0)
    p.partners = KNOWN + "  suedwind: {name: Suedwind, zone: America/Chicago, also: {erp: S1}}"
    p.configure()
    p.run()
    assert "S1" not in parked(p) and p.figure("orders", partner="suedwind") == count(1)


@pytest.mark.parametrize("file", ["b.csv", "a.csv"], ids=["new-file", "changed-file"])
def test_newer_facts_win_over_parked_ones(tmp_path: Path, file: str) -> None:
    """What was parked keeps its rank: it does not overwrite what came later under the partner's own name."""
    later: list[dict[str, object]] = [{**row, "quantity": 9} for row in rows()]
    both = KNOWN + "  suedwind: {name: Suedwind, also: {erp: [S1, S2]}}"
    p = project(tmp_path / "p", KNOWN)
    p.run()
    p.partners = both
    p.configure()
    p.write(file, table(later), 10)
    p.run()
    known = project(tmp_path / "known", both)
    known.run()
    known.write(file, table(later), 10)
    known.run()
    same([known, p])


def test_rejected_instead(tmp_path: Path) -> None:
    """`unknown: reject` counts them as refused, each with its place."""
    p = project(tmp_path / "p", KNOWN)
    p.sources = SOURCES.replace("park", "reject")
    p.configure()
    [sheet] = p.run().json["balance"]
    assert sheet["closes"] and sheet["refused"] > count(1) + count(2)
    assert p.figure("orders") == count(0)
    assert p.sql("select count(*) from reject")[0][0] > 0
