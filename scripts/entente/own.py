# SPDX-License-Identifier: Apache-2.0
"""Declared metrics in fixtures: World(metrics=[...]) knows them by the same definitions as the engine. A made-up partner has no
facts that could be counted, so their figures are given, as those of built-in measures are: shop.days("orders.large", 3)."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from fractions import Fraction
from importlib import import_module
from math import gcd, lcm
from typing import Any, Final

from .catalogue import DISTRIBUTIONS, MEASURES, METRICS, SETS, Catalogue, MetricRow
from .declare import Declared
from .reader import DISTINCT, DISTRIBUTION, RATIO, SUM

Definitions = str | Mapping[str, Mapping[str, Any]] | Iterable[Declared]

FAMILIES: Final = {"order": "sales", "line": "sales", "refund": "sales", "visit": "traffic", "cart": "carts"}
#: Numbers of facts, by unit; a test compares them with core/config/metric_fields.def.
NUMBERS: Final[dict[str, str]] = {
    "money": "order.total order.gross order.discount order.net order.shipping order.tax order.cost order.refunded "
    "order.returned order.due line.price line.gross line.discount line.net line.tax line.shipping line.cost "
    "refund.amount cart.value",
    "pieces": "order.units line.quantity refund.quantity",
    "count": "order.lines visit.pageviews visit.purchases cart.items",
    "seconds": "visit.engaged_time visit.load_time",
    "days": "order.days_to_paid order.days_to_shipped order.days_to_delivered",
}
_UNITS: Final = {field: unit for unit, fields in NUMBERS.items() for field in fields.split()}
_WAYS: Final = ("count", "sum", "distinct", "distribution", "ratio", "derived")

Terms = dict[str, Fraction]


def catalogue(definitions: Definitions) -> Catalogue:
    """The built-in catalogue with these behind it: a path to entente.yaml, what stands there below `metrics:`, or metric()."""
    texts = _texts(definitions)
    made = _Maker(texts)
    for name in sorted(texts):
        made.row(name)
    return Catalogue(
        made.measures, made.sets, made.distributions, (*METRICS, *(made.rows[n] for n in sorted(texts)))
    )


def _texts(definitions: Definitions) -> dict[str, Mapping[str, Any]]:
    if isinstance(definitions, str):
        try:
            yaml = import_module("yaml")
        except ImportError:
            raise RuntimeError("reading entente.yaml needs PyYAML; give the definitions themselves") from None
        with open(definitions, encoding="utf-8") as file:
            return dict((yaml.safe_load(file) or {}).get("metrics") or {})
    if isinstance(definitions, Mapping):
        return dict(definitions)
    return {one.name: one.text for one in definitions}


class _Maker:
    """Makes rows of definitions; what a metric is made of comes first."""

    def __init__(self, texts: Mapping[str, Mapping[str, Any]]) -> None:
        self.texts = texts
        self.measures, self.sets, self.distributions = dict(MEASURES), dict(SETS), dict(DISTRIBUTIONS)
        self.rows = {row.name: row for row in METRICS}
        self.making: list[str] = []

    def row(self, name: str) -> MetricRow:
        """The row of a metric."""
        found = self.rows.get(name)
        if found is not None and name not in self.texts:
            return found
        if found is not None and found.tags:
            return found
        if name not in self.texts:
            raise ValueError(f"there is no metric {name!r}")
        if name in self.making:
            raise ValueError(f"{name!r} is made of itself")
        self.making.append(name)
        made = self.rows[name] = self._make(name, self.texts[name])
        self.making.pop()
        return made

    def _make(self, name: str, text: Mapping[str, Any]) -> MetricRow:
        ways = [way for way in _WAYS if text.get(way) is not None]
        if len(ways) != 1:
            raise ValueError(f"{name!r} has to say one of {', '.join(_WAYS)}")
        way, said = ways[0], text[ways[0]]
        doc = str(text.get("doc") or f"{way} of {said}")
        if way in ("ratio", "derived"):
            expression = f"({said['of']}) / ({said['to']})" if way == "ratio" else str(said)
            return self._derived(name, expression, text, doc)
        fact = str(said).partition(".")[0]
        fact = fact if fact in FAMILIES else fact.removesuffix("s")
        if fact not in FAMILIES:
            raise ValueError(f"{name!r}: no fact is called {said!r}")
        family, unit = FAMILIES[fact], "count" if way in ("count", "distinct") else _UNITS.get(str(said), "")
        if not unit:
            raise ValueError(f"{name!r}: {said!r} is no number of a fact")
        tags = " ".join(text.get("tags") or (family,))
        if way in ("count", "sum"):
            self.measures[name] = (family, unit)
            return MetricRow(name, SUM, unit, "all", ((1, name),), (), "", tags, doc, (family,))
        if way == "distinct":
            self.sets[name] = family
            return MetricRow(name, DISTINCT, unit, "none", (), (), name, tags, doc, (family,))
        self.distributions[name] = (family, unit)
        return MetricRow(name, DISTRIBUTION, unit, "none", (), (), name, tags, doc, (family,))

    def _derived(self, name: str, expression: str, text: Mapping[str, Any], doc: str) -> MetricRow:
        top, bottom, unit = self._value(name, ast.parse(expression.strip(), mode="eval").body)
        names = [*top, *(bottom or {})]
        if not names or "" in top or (bottom is not None and "" in bottom):
            raise ValueError(
                f"{name!r}: {expression!r} is no sum of metrics, and no such sum divided by another"
            )
        families = tuple(dict.fromkeys(self._family(n) for n in names))
        tags = " ".join(text.get("tags") or families)
        scale = lcm(*(f.denominator for f in (*top.values(), *(bottom or {}).values())))
        if bottom is None:
            over = scale
            return MetricRow(name, SUM, unit, "all", _whole(top, over), (), "", tags, doc, families, over)
        sets = any(n in self.sets for n in names)
        common = gcd(*(int(f * scale) for f in (*top.values(), *bottom.values())))
        share = Fraction(scale, common)
        return MetricRow(
            name,
            RATIO,
            unit,
            "whole" if sets else "none",
            _whole(top, share),
            _whole(bottom, share),
            "",
            tags,
            doc,
            families,
        )

    def _family(self, measure: str) -> str:
        return self.sets[measure] if measure in self.sets else self.measures[measure][0]

    def _value(self, name: str, node: ast.expr) -> tuple[Terms, Terms | None, str]:
        """Above the line, below it, unit. A number is so many times "" ."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return {"": Fraction(str(node.value))}, None, ""
        if isinstance(node, ast.Name | ast.Attribute):
            return self._named(ast.unparse(node))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            top, bottom, unit = self._value(name, node.operand)
            return _times(top, Fraction(-1)), bottom, unit
        if isinstance(node, ast.BinOp):
            a, b = self._value(name, node.left), self._value(name, node.right)
            if isinstance(node.op, ast.Add | ast.Sub):
                return _add(name, a, b, 1 if isinstance(node.op, ast.Add) else -1)
            if isinstance(node.op, ast.Mult):
                a, b = (a, b) if set(b[0]) == {""} and b[1] is None else (b, a)
                if set(b[0]) == {""} and b[1] is None:
                    return _times(a[0], b[0][""]), a[1], a[2]
            if isinstance(node.op, ast.Div):
                return _divided(name, a, b)
        raise ValueError(f"{name!r}: {ast.unparse(node)!r} cannot be made sense of")

    def _named(self, name: str) -> tuple[Terms, Terms | None, str]:
        row = self.row(name)
        if row.kind == DISTINCT:
            return {row.source: Fraction(1)}, None, "count"
        if row.kind == DISTRIBUTION:
            raise ValueError(f"{name!r} is a distribution: it has a median, and no sum")
        top = {measure: Fraction(sign, row.over) for sign, measure in row.top}
        bottom = {measure: Fraction(sign) for sign, measure in row.bottom}
        return top, bottom if row.kind == RATIO else None, row.unit


def _whole(terms: Terms, scale: Fraction | int) -> tuple[tuple[int, str], ...]:
    return tuple((int(factor * scale), name) for name, factor in terms.items() if factor)


def _times(terms: Terms, factor: Fraction) -> Terms:
    return {name: value * factor for name, value in terms.items()}


def _plus(a: Terms, b: Terms, sign: int) -> Terms:
    out = dict(a)
    for name, value in b.items():
        out[name] = out.get(name, Fraction(0)) + sign * value
    return {name: value for name, value in out.items() if value}


def _add(
    name: str, a: tuple[Terms, Terms | None, str], b: tuple[Terms, Terms | None, str], sign: int
) -> tuple[Terms, Terms | None, str]:
    for one, other in ((a, b), (b, a)):
        if (
            one[1] is not None and other[1] is None and set(other[0]) == {""}
        ):  # a number is so many times the divisor
            number = _times(one[1], other[0][""])
            pair = (a[0], number) if one is a else (number, b[0])
            return _plus(pair[0], pair[1], sign), one[1], one[2]
    if a[1] != b[1] or a[2] != b[2]:
        raise ValueError(f"{name!r}: {a[2] or 'a number'} and {b[2] or 'a number'} cannot be added")
    return _plus(a[0], b[0], sign), a[1], a[2]


def _divided(
    name: str, a: tuple[Terms, Terms | None, str], b: tuple[Terms, Terms | None, str]
) -> tuple[Terms, Terms | None, str]:
    if b[1] is None and set(b[0]) == {""}:
        return _times(a[0], 1 / b[0][""]), a[1], a[2]
    if a[1] is not None or b[1] is not None:
        raise ValueError(f"{name!r}: a ratio cannot be divided again")
    if a[2] == b[2]:
        return a[0], b[0], "ratio"
    if b[2] == "count":
        return a[0], b[0], a[2]
    if b[2] == "pieces" and a[2] in ("money", "count"):
        return _times(a[0], Fraction(1000)), b[0], "money" if a[2] == "money" else "ratio"
    raise ValueError(f"{name!r}: {a[2]} divided by {b[2]} has no unit")
