# SPDX-License-Identifier: Apache-2.0
"""Metrics that a rulebook declares: what is to be counted, said once where the file is loaded. Nothing of it runs for a
fact; the engine compiles it, as it does what stands below `metrics:` in entente.yaml, and says what is wrong with it.

    large = metric("orders.large", count="order", where={"total": at_least(500)})
    share = metric("large_share", ratio=(large, "orders"))

docs/metrics.md says what can be counted and asked for."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    Number = int | float | str
    Value = str | int | float | bool | Sequence[str] | Mapping[str, Any]
    Name: TypeAlias = "str | Declared"


class Declared:
    """One declared metric. Its name is what rules ask for: partner[large.name]."""

    __slots__ = ("column", "file", "line", "name", "text")

    def __init__(self, name: str, text: dict[str, Any], file: str, line: int, column: int) -> None:
        self.name, self.text = name, text
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"metric({self.name!r})"


def metric(
    name: str,
    *,
    count: str | None = None,
    sum: str | None = None,
    distinct: str | None = None,
    distribution: str | None = None,
    ratio: tuple[Name, Name] | None = None,
    derived: str | None = None,
    where: Mapping[str, Value] | None = None,
    unit: str | None = None,
    tags: Iterable[str] = (),
    doc: str | None = None,
) -> Declared:
    """Declare a metric: one of count= to derived=, and for what is counted where=."""
    text: dict[str, Any] = {
        "count": count,
        "sum": sum,
        "distinct": distinct,
        "distribution": distribution,
        "ratio": None if ratio is None else {"of": str(ratio[0]), "to": str(ratio[1])},
        "derived": derived,
        "where": None if where is None else {key: _plain(value) for key, value in where.items()},
        "unit": unit,
        "tags": list(tags) or None,
        "doc": doc,
    }
    frame = sys._getframe(1)
    line, column = frame.f_lineno, 1
    for n, place in enumerate(frame.f_code.co_positions()):
        if n == frame.f_lasti // 2:
            line, column = place[0] or line, (place[2] or 0) + 1
            break
    text = {key: value for key, value in text.items() if value is not None}
    return Declared(str(name), text, frame.f_code.co_filename, line, column)


def _plain(value: Value) -> Any:
    """As YAML would have it."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [str(v) for v in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value


def _number(value: Number) -> str:
    """Without an exponent, and as it was written."""
    if isinstance(value, float):
        text = f"{value:.6f}".rstrip("0").rstrip(".")
        return text if float(text) == value else repr(value)
    return str(value)


def at_least(value: Number) -> dict[str, Any]:
    """That much or more."""
    return {"at_least": _number(value)}


def at_most(value: Number) -> dict[str, Any]:
    """That much or less."""
    return {"at_most": _number(value)}


def above(value: Number) -> dict[str, Any]:
    """More than that."""
    return {"above": _number(value)}


def below(value: Number) -> dict[str, Any]:
    """Less than that."""
    return {"below": _number(value)}


def between(low: Number, high: Number) -> dict[str, Any]:
    """From one to the other, both included."""
    return {"between": [_number(low), _number(high)]}


def starts_with(*texts: str) -> dict[str, Any]:
    """Begins with one of these."""
    return {"starts_with": list(texts)}


def is_not(*values: str) -> dict[str, Any]:
    """None of these."""
    return {"not": list(values)}


def present(there: bool = True) -> dict[str, Any]:
    """There is one; present(False): there is none."""
    return {"present": there}
