# SPDX-License-Identifier: Apache-2.0
"""JSON by its parts is the JSON of the package."""

import json
from typing import Any

import pytest
from entente import told

VALUES: list[Any] = [
    {"a": [1, 2.5, None, True, 'ä "quoted"\n\u0001'], "b": float("inf"), "c": {"x": []}, "d": -(10**30), "e": 1e-7},
    [],
    "text \ud800",
    0,
    None,
]


@pytest.mark.parametrize("value", VALUES)
def test_writes_and_reads_the_same(value: Any) -> None:
    assert told.dumps(value) == json.dumps(value, ensure_ascii=False)
    assert told.compact(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert told.loads(told.compact(value)) == value
    assert told.loads(f" {told.dumps(value)}\n") == value


def test_texts_alone() -> None:
    assert told.quoted('a "b"\t') == json.dumps('a "b"\t')


@pytest.mark.parametrize("text", ["", "{", "[1]x", '{"a":}', "nul", '"\t"'])
def test_mistakes_are_told_as_json_tells_them(text: str) -> None:
    with pytest.raises(json.JSONDecodeError) as mine:
        told.loads(text)
    with pytest.raises(json.JSONDecodeError) as its:
        json.loads(text)
    assert str(mine.value) == str(its.value)


def test_what_json_does_not_know() -> None:
    with pytest.raises(TypeError, match="Object of type object is not JSON serializable"):
        told.compact([object()])
    with pytest.raises(TypeError):
        told.loads(b"{}")  # type: ignore[arg-type]
