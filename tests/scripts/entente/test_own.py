# SPDX-License-Identifier: Apache-2.0
"""World(metrics=...): rules that read declared metrics are tried without the engine, by the engine's definitions."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from entente import NotEnoughEvidence, at_least, metric
from entente.fixture import World
from entente.own import FAMILIES, NUMBERS, catalogue

ROOT = Path(__file__).parents[3]
LARGE = metric("orders.large", count="order", where={"total": at_least(500)})
DEFINITIONS = {
    "orders.large": {"count": "orders", "where": {"total": {"at_least": 500}}},
    "cards": {"sum": "line.net"},
    "skus": {"distinct": "line.sku"},
    "price": {"distribution": "line.price"},
    "share": {"ratio": {"of": "orders.large", "to": "orders"}},
    "fee": {"derived": "(cards + revenue.gross) * 0.15"},
    "rest": {"derived": "1 - share", "tags": ["mine"]},
    "each": {"derived": "cards / skus"},
    "apiece": {"derived": "revenue.gross / units"},
    "far": {"count": "visit", "doc": "Far."},
}


def test_figures_are_given_and_read_by_name() -> None:
    world = World(metrics=DEFINITIONS)
    shop = world.partner("nordwind")
    shop.days("orders", 10).days("orders.large", 3, channel="online/web").days("cards", 40).days("gross", 60)
    shop.days("units", 4).days("far", 7, origin="analytics")
    shop.ids("skus", {"2026-06-29": [1, 2, 3], "2026-06-30": [3, 4]}).spread("price", {"2026-06-30": [5, 10, 90]})
    seen = world.see("nordwind")
    assert int(float(seen["orders.large"].over("28d"))) == 84
    assert float(seen["share"].over("28d")) == 0.3 and float(seen["rest"].over("28d")) == 0.7
    assert str(seen["fee"].over("10d")) == "150 EUR"
    assert [float(v) for v in seen["fee"].daily("2d")] == [15, 15]
    assert float(seen["each"].over("2d")) == 20 and float(seen["apiece"].over("5d")) == 15
    assert float(seen["price"].median("1d")) == 10
    assert float(seen["far"].over("2d")) == 14
    assert {k: float(v) for k, v in seen["orders.large"].by("channel").over("2d").items()} == {"online/web": 6}


def test_sides_of_a_ratio_over_different_ones_are_not_added() -> None:
    world = World(metrics=DEFINITIONS)
    shop = world.partner("nordwind")
    shop.days("skus", 2, channel="online/web").days("cards", 1, channel="online/web")
    shop.days("skus", 2, channel="online/app").days("cards", 1, channel="online/app")
    with pytest.raises(TypeError, match="counted twice"):
        world.see("nordwind")["each"].where(side="online").over("2d")


def test_what_is_not_given_is_not_known() -> None:
    world = World(metrics=[LARGE])
    world.partner("nordwind")
    with pytest.raises(NotEnoughEvidence):
        world.see("nordwind")["orders.large"].over("28d")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ({"a": {"count": "oder"}}, "no fact is called 'oder'"),
        ({"a": {"sum": "line.sku"}}, "no number"),
        ({"a": {"derived": "revenue.net + orders"}}, "cannot be added"),
        ({"a": {"derived": "orders * lines"}}, "made sense of"),
        ({"a": {"derived": "aov / orders"}}, "divided again"),
        ({"a": {"derived": "b"}, "b": {"derived": "a"}}, "made of itself"),
        ({"a": {"derived": "no.such"}}, "there is no metric 'no.such'"),
        ({"a": {"count": "order", "sum": "order.total"}}, "one of"),
    ],
)
def test_what_is_wrong_is_said(text: dict[str, dict[str, object]], what: str) -> None:
    with pytest.raises(ValueError, match=re.escape(what)):
        World(metrics=text)


def test_the_fields_are_those_of_the_engine() -> None:
    table = (ROOT / "core" / "config" / "metric_fields.def").read_text()
    told = re.findall(r'FIELD\((\w+), \w+, "(\w+)", (MONEY|PIECES|COUNT|SECONDS|DAYS),', table)
    assert {f"{fact.lower()}.{name}": unit.lower() for fact, name, unit in told} == {
        field: unit for unit, fields in NUMBERS.items() for field in fields.split()
    }
    assert {fact.lower() for fact in re.findall(r"FIELD\((\w+), \w+, \"", table)} == set(FAMILIES)


def test_rows_are_those_of_the_engine(tmp_path: Path) -> None:
    """Kind, unit, additivity, terms, tags: as `entente metrics show` has them."""
    program = os.environ.get("ENTENTE_BIN", "")
    if not program or not Path(program, "entente").exists():
        pytest.skip("the program is not built")
    config = tmp_path / "entente.yaml"
    config.write_text("version: 1\ncurrency: EUR\nmetrics:\n" + "".join(f"  {n}: {json.dumps(t)}\n" for n, t in DEFINITIONS.items()))
    said = subprocess.run(
        [f"{program}/entente", "-c", str(config), "metrics", "list", "--json"], stdout=subprocess.PIPE, check=True
    )
    engine = {m["name"]: m for m in json.loads(said.stdout) if m["declared"]}
    rows = {row.name: row for row in catalogue(DEFINITIONS).metrics if row.name in DEFINITIONS}
    assert set(engine) == set(rows)
    kinds = ("sum", "ratio", "distinct", "distribution")
    for name, row in rows.items():
        m = engine[name]
        assert (m["kind"], m["unit"], m["additivity"]) == (kinds[row.kind], row.unit, row.additivity), name
        assert m["tags"] == row.tags.split(), name
        assert m.get("over", 1) == row.over, name
        for side, terms in (("top", row.top), ("bottom", row.bottom)):
            told = {(t["sign"] * t.get("times", 1), t.get("measure") or t["set"]) for t in m.get(side, [])}
            assert told == set(terms), (name, side)
