# SPDX-License-Identifier: Apache-2.0
"""What entente-rules drives: loading books with faults in them, judging everybody, one failing rule among
others."""

import json
from pathlib import Path
from typing import Any

import pytest
from entente import worker
from entente.fixture import World

GOOD = '''
from entente import insight, rule

@rule(practice="informative", row=5, audience="both")
def many_orders(partner, *, window="28d", least=10):
    """Many orders."""
    orders = partner["orders"].over(window)
    if orders >= least:
        yield insight(f"{orders} orders", key="many")
'''


def write(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return str(folder)


def load(*books: str, **config: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(worker.load(json.dumps({"books": list(books), **config})))
    return answer


def evaluate(world: World, **request: Any) -> tuple[list[dict[str, Any]], list[tuple[int, int]]]:
    records: list[bytes] = []
    started: list[tuple[int, int]] = []
    worker.evaluate(
        world.snapshot(), json.dumps(request), records.append, lambda r, p: started.append((r, p))
    )
    return [json.loads(record) for record in records], started


@pytest.fixture()
def world() -> World:
    made = World()
    made.partner("a", industry="x", stage="informative").days("orders", 4)
    made.partner("b", industry="x", stage="signed").days("orders", lambda left: 0)
    made.partner("c", industry="x", stage="signed")
    return made


def test_every_rule_and_partner_gets_a_record(tmp_path: Path, world: World) -> None:
    answer = load(write(tmp_path, good=GOOD), settings={"many_orders": {"least": 20}})
    assert answer["errors"] == []
    assert [(r["name"], r["line"]) for r in answer["rules"]] == [("many_orders", 4)]
    assert answer["rules"][0]["settings"][1] == {"name": "least", "type": "int", "default": 10, "value": 20}
    records, started = evaluate(world)
    assert [(r["partner"], r["verdict"]) for r in records] == [("a", True), ("b", False), ("c", "unknown")]
    assert started == [(0, 0), (0, 1), (0, 2)]
    assert records[0]["findings"] == [
        {
            "kind": "insight",
            "key": "many",
            "text": "112 orders",
            "worth": None,
            "per": None,
            "severity": None,
            "confidence": None,
            "rank": None,
        }
    ]
    assert records[0]["evidence"] == [
        {
            "metric": "orders",
            "from": "2026-06-03",
            "through": "2026-06-30",
            "value": "112",
            "number": 112.0,
            "unit": "count",
            "state": "known",
            "covered": 28,
            "declared": 28,
            "days": 28,
            "origin": "",
            "slice": "",
            "cohort": "",
            "size": 0,
            "class": "theirs",
        }
    ]
    assert records[1]["evidence"][0]["value"] == "0"  # false is stored with its evidence, too
    assert records[2]["asks"][0]["what"] == "orders, 3 to 30 June 2026 (no source gives it so far)"


def test_one_failing_rule_leaves_the_others_alone(tmp_path: Path, world: World) -> None:
    bad = (
        "from entente import insight, rule\n\ndef deep(n):\n    return 1 // n\n\n"
        '@rule(practice="legal")\ndef breaks(partner):\n    "Breaks."\n'
        '    print("about to")\n    yield insight("x")\n'
        "    deep(0)\n\n"
        '@rule(practice="legal")\ndef leaves(partner):\n    "Leaves."\n    raise SystemExit(3)\n\n'
        '@rule(practice="legal")\ndef mixes(partner):\n    "Mixes."\n'
        '    partner["orders"].over("28d") + partner["aov"].over("28d")\n'
    )
    load(write(tmp_path, good=GOOD, bad=bad))
    world.partners["a"].days("gross", 100)
    records, _ = evaluate(world, only={"partners": ["a"]})
    said = {r["rule"]: r for r in records}
    assert said["many_orders"]["verdict"] is True
    broken = said["breaks"]
    assert broken["verdict"] == "failed" and broken["output"] == "about to\n"
    assert [f["kind"] for f in broken["findings"]] == ["failure"]
    assert (broken["error"]["file"], broken["error"]["line"]) == (str(tmp_path / "bad.py"), 4)
    assert "ZeroDivisionError" in broken["error"]["text"] and "return 1 // n" in broken["error"]["traceback"]
    assert said["leaves"]["verdict"] == "failed" and "SystemExit" in said["leaves"]["error"]["text"]
    assert "cannot add money (EUR) to a count" in said["mixes"]["error"]["text"]


def test_faults_are_told_with_their_place(tmp_path: Path) -> None:
    answer = load(
        write(
            tmp_path,
            good=GOOD,
            broken="def f(:\n",
            reads="import secrets_of_others\n",
            raises="x = 1\nraise KeyError('gone')\n",
            twice=GOOD,
            strange='from entente import rule\n\n@rule(practice="informatif")\ndef f(partner):\n    "x"\n',
        ),
        settings={"many_orders": {"lest": 3}, "many_ordres": {"x": 1}},
    )
    assert [r["name"] for r in answer["rules"]] == ["many_orders"]
    told = {(Path(e["file"]).name, e["line"], e["what"].split(";")[0]) for e in answer["errors"]}
    assert ("broken.py", 1, "invalid syntax") in told
    assert ("reads.py", 1, "rules may not import secrets_of_others") in told
    assert ("raises.py", 2, "KeyError: 'gone'") in told
    assert ("good.py", 4, "the rule many_orders has no setting 'lest'") in told
    assert any(name == "twice.py" and "another rule many_orders" in what for name, _, what in told)
    assert any("informatif" in what for _, _, what in told)
    assert any(e["todo"] == "did you mean 'informative'?" for e in answer["errors"])
    assert any(e["todo"] == "did you mean 'many_orders'?" for e in answer["errors"])


@pytest.mark.parametrize(
    ("value", "todo"), [("ten", "a whole number"), (True, "a whole number"), (1.5, "a whole number")]
)
def test_settings_keep_their_type(tmp_path: Path, value: object, todo: str) -> None:
    answer = load(write(tmp_path, good=GOOD), settings={"many_orders": {"least": value}})
    assert todo in answer["errors"][0]["todo"] and answer["errors"][0]["line"] == 4


def test_a_window_stays_a_window(tmp_path: Path) -> None:
    answer = load(write(tmp_path, good=GOOD), settings={"many_orders": {"window": "four weeks"}})
    assert "no window" in answer["errors"][0]["what"]


def test_helpers_beside_the_rules_can_be_imported(tmp_path: Path, world: World) -> None:
    load(
        write(
            tmp_path,
            _help="LEAST = 7\n",
            uses=GOOD.replace("least=10", "least=LEAST").replace(
                "from entente", "from ._help import LEAST\nfrom entente"
            ),
        )
    )
    assert evaluate(world)[0][0]["verdict"] is True


def test_only_and_skip_and_scopes(tmp_path: Path, world: World) -> None:
    other = GOOD.replace("many_orders", "others").replace('"informative"', '"legal"')
    load(
        write(tmp_path, good=GOOD, other=other),
        **{"for": [{"attribute": "stage", "value": "signed", "practices": ["legal"]}]},
    )
    assert [(r["rule"], r["partner"]) for r in evaluate(world)[0]] == [
        ("many_orders", "a"),
        ("others", "a"),
        ("others", "b"),
        ("others", "c"),
    ]
    assert evaluate(world, skip=["others"])[1] == [(0, 0)]
    assert evaluate(world, only={"rules": ["others"], "partners": ["b"]})[1] == [(1, 1)]


def test_rules_run_after_those_they_read(tmp_path: Path, world: World) -> None:
    reader = (
        'from entente import insight, rule\n\n@rule(practice="change", after=["many_orders"])\n'
        'def reads(partner):\n    "Reads."\n    for f in partner.findings("many_orders"):\n'
        '        yield insight("also: " + f.text)\n'
    )
    answer = load(write(tmp_path, a_reader=reader, good=GOOD))
    assert [r["name"] for r in answer["rules"]] == ["many_orders", "reads"]
    assert evaluate(world, only={"partners": ["a"]})[0][1]["findings"][0]["text"] == "also: 112 orders"
    answer = load(write(tmp_path, a_reader=reader.replace('after=["many_orders"]', 'after=["many_order"]')))
    assert answer["errors"][0]["todo"] == "did you mean 'many_orders'?" and len(answer["rules"]) == 1


def test_output_is_cut(tmp_path: Path, world: World) -> None:
    loud = (
        'from entente import rule\n\n@rule(practice="legal")\ndef loud(partner):\n    "Loud."\n'
        '    for n in range(100000):\n        print("x" * 100)\n'
    )
    load(write(tmp_path, loud=loud))
    record = evaluate(world, only={"partners": ["a"]})[0][0]
    assert len(record["output"]) < 17_000 and "more was printed" in record["output"]


def test_what_cannot_be_written_down_is_a_failure_of_the_rule(tmp_path: Path, world: World) -> None:
    odd = (
        'from entente import insight, rule\n\n@rule(practice="legal")\ndef odd(partner):\n    "Odd."\n'
        '    yield insight("lone \\ud800 surrogate", rank=float("inf"),'
        'rows=[("a",), (object(),), (float("nan"),)])\n\n'
        '@rule(practice="legal")\ndef worse(partner):\n    "Worse."\n    yield insight("x", chart="none")\n'
    )
    load(write(tmp_path, odd=odd, good=GOOD))
    records, _ = evaluate(world, only={"partners": ["a"]})
    said = {r["rule"]: r for r in records}
    assert (
        said["odd"]["findings"][0]["text"] == "lone ? surrogate" and said["odd"]["findings"][0]["rank"] == 1e9
    )
    assert said["worse"]["verdict"] == "failed" and said["many_orders"]["verdict"] is True
