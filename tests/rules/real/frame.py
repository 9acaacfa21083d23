# SPDX-License-Identifier: Apache-2.0
"""Compares quantities and evidence as the worker has them in C with those in Python, over numbers of every size."""
import importlib
import operator
import random
import sys
from typing import Any

from entente import Findings, Partner, insight, rule

UNITS = ("count", "ratio", "days", "seconds", "pieces", "money")
OPERATIONS = (operator.add, operator.sub, operator.mul, operator.truediv, operator.lt, operator.le, operator.gt,
              operator.ge, operator.eq, operator.ne)


def _in_python() -> tuple[Any, Any, Any]:
    """entente.quantity, record and run, as they are outside of the worker."""
    mine = {name: module for name, module in sys.modules.items() if name.split(".")[0] in ("entente", "_entente")}
    for name in mine:
        del sys.modules[name]
    sys.modules["_entente"] = None  # type: ignore[assignment]
    try:
        found = [importlib.import_module(f"entente.{name}") for name in ("quantity", "record", "run")]
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] in ("entente", "_entente")]:
            del sys.modules[name]
        sys.modules.update(mine)
    return found[0], found[1], found[2]


def _number(dice: random.Random) -> int:
    size = dice.choice((1, 10, 1000, 10**6, 10**9, 10**12, 2**53, 2**63, 2**70))
    return dice.randint(-size, size)


def _told(value: Any) -> object:
    return (value.top, value.bottom, str(value.unit), value.coverage, value.grade, hash(value), str(value)) if hasattr(value, "top") else value


@rule(practice="informative")
def frame(partner: Partner) -> Findings:
    """Where the two differ."""
    from entente import native, quantity, record, run

    sides = ((quantity, record, run), _in_python())
    if sides[0][0].Quantity.__mro__[1].__module__ == sides[1][0].Quantity.__mro__[1].__module__:
        yield insight("both are the same", key="same")
    dice, compared = random.Random(7), 0
    units = [[q.unit_of(name, "EUR") for name in UNITS] for q, _, _ in sides]

    for _ in range(6000):
        apply, first, second = dice.choice(OPERATIONS), dice.randrange(6), dice.randrange(-4, 6)
        second = first if dice.random() < 0.4 else second
        numbers = [_number(dice), abs(_number(dice)) + 1, _number(dice), abs(_number(dice)) + 1]
        if dice.random() < 0.5:
            numbers[1] = numbers[3] = 1
        plain = dice.choice((0, 1, 3, -2, 0.1, 0.25, 1e-05, 2.5e17, 0.0, True, "x", None, numbers[2]))
        turned, said, grades = dice.random() < 0.3, [], (dice.choice((1.0, 0.9)), dice.choice((1.0, 0.75)))
        for (q, _, _), mine in zip(sides, units, strict=True):
            a = q.Quantity(numbers[0], numbers[1], mine[first], 0.75, grades[0])
            b = q.Quantity(numbers[2], numbers[3], mine[second], 0.5, grades[1]) if second >= 0 else plain
            try:
                said.append(_told(apply(b, a) if turned else apply(a, b)))
            except Exception as error:
                said.append((type(error).__name__, str(error)))
        compared += 1
        if said[0] != said[1]:
            yield insight(f"{apply.__name__} {numbers} {UNITS[first]} {second} {plain}: {said}", key=str(compared))

    for _ in range(6000):
        kind, bottom = dice.randrange(6), dice.choice((1, 1, 1, 3, 7, 1000, 123456789))
        top = dice.choice((_number(dice), dice.randint(-300, 300), round(dice.uniform(-1, 1) * bottom)))
        start = dice.randint(10000, 21000)
        name = dice.choice(("orders", "revenue.net", 'odd "name"', "naïve", "\n"))
        fields = (name, start, start + dice.randint(1, 400), dice.choice((0, 0, 0, 1, 2, 3)), top, bottom)
        rest = (dice.choice((-1, 0, 28)), dice.choice((-1, 28)), dice.choice(("", "shop")), "", *dice.choice((("", 0), ("industry tea", 5))))
        said = []
        for (_, rec, ran), mine in zip(sides, units, strict=True):
            read = ran.Read(*fields, mine[kind], *rest)
            said.append(native.evidence([read], rec.evidence, (b"<",), (b">",)) if rec is record
                        else b"<" + rec.evidence(read).encode() + b">")
        compared += 1
        if said[0] != said[1]:
            yield insight(f"{said[0]!r} for {said[1]!r}", key=str(compared))
    print(f"compared {compared}")
