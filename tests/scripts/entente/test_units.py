# SPDX-License-Identifier: Apache-2.0
"""Every operation with every pair of units, over numbers of every size: what is the same as in arithmetic comes out as in
arithmetic, and what cannot be mixed up is an error that says so. Quantities are made to be trusted: so is this."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from entente import NotEnoughEvidence, Quantity, UnitError, money
from entente.fixture import World
from entente.quantity import COUNT, DAYS, PIECES, RATIO, SECONDS, Unit, money_unit

hypothesis = pytest.importorskip("hypothesis", reason="python3-hypothesis is not installed")
from hypothesis import given, settings
from hypothesis import strategies as st

EUR, USD = money_unit("EUR"), money_unit("USD")
UNITS = (COUNT, RATIO, DAYS, SECONDS, PIECES, EUR, USD)
PAIRS = [(a, b) for a in UNITS for b in UNITS]
IDS = [f"{a} {b}" for a, b in PAIRS]
SCALARS = (RATIO, COUNT, PIECES)  # so many times something is that something
#: Fixed draws: the same test on each run, and no database beside it.
steady = settings(max_examples=25, deadline=None, derandomize=True, database=None)
numbers = st.integers(-(10**30), 10**30)
bottoms = st.integers(1, 10**20)


def quantity(top: int, bottom: int, unit: Unit) -> Quantity:
    return Quantity(top, bottom, unit)


def exactly(q: Quantity) -> Fraction:
    return Fraction(q.top, q.bottom * q.unit.scale)


def product_unit(a: Unit, b: Unit) -> Unit | None:
    """What a times b is counted in, said again in other words than quantity.py has; None: nothing."""
    if RATIO in (a, b):
        return b if a is RATIO else a
    if COUNT in (a, b):
        return b if a is COUNT else a
    if PIECES in (a, b):
        return b if a is PIECES else a
    return None


def quotient_unit(a: Unit, b: Unit) -> Unit | None:
    return RATIO if a is b else a if b in SCALARS else None


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=IDS)
@given(x=numbers, y=numbers, m=bottoms, n=bottoms)
@steady
def test_sums(a: Unit, b: Unit, x: int, y: int, m: int, n: int) -> None:
    p, q = quantity(x, m, a), quantity(y, n, b)
    if a is b:
        assert exactly(p + q) == exactly(p) + exactly(q) and (p + q).unit is a
        assert exactly(p - q) == exactly(p) - exactly(q) and p + q == q + p and p - p == 0
        return
    for act in (operator.add, operator.sub):
        with pytest.raises(UnitError) as error:
            act(p, q)
        assert "cannot add" in str(error.value) and (a.currency or a.kind) in str(error.value)
        assert ("convert one of them first" in str(error.value)) == (a.kind == b.kind)


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=IDS)
@given(x=numbers, y=numbers, m=bottoms, n=bottoms)
@steady
def test_products(a: Unit, b: Unit, x: int, y: int, m: int, n: int) -> None:
    p, q = quantity(x, m, a), quantity(y, n, b)
    unit = product_unit(a, b)
    if unit is None:
        with pytest.raises(UnitError, match="cannot multiply"):
            p * q
        return
    assert exactly(p * q) == exactly(p) * exactly(q) and (p * q).unit is unit and p * q == q * p


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=IDS)
@given(x=numbers, y=numbers, m=bottoms, n=bottoms)
@steady
def test_quotients(a: Unit, b: Unit, x: int, y: int, m: int, n: int) -> None:
    p, q = quantity(x, m, a), quantity(y, n, b)
    unit = quotient_unit(a, b)
    if y == 0 or unit is None:
        with pytest.raises(NotEnoughEvidence if y == 0 else UnitError, match="cannot"):
            p / q
        return
    assert exactly(p / q) == exactly(p) / exactly(q) and (p / q).unit is unit


ORDERS: tuple[Callable[[Any, Any], bool], ...] = (operator.lt, operator.le, operator.gt, operator.ge)


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=IDS)
@given(x=numbers, y=numbers, m=bottoms, n=bottoms)
@steady
def test_comparisons(a: Unit, b: Unit, x: int, y: int, m: int, n: int) -> None:
    p, q = quantity(x, m, a), quantity(y, n, b)
    if a is not b:
        assert p != q, "what cannot be compared is not equal"
        for act in ORDERS:
            with pytest.raises(UnitError, match="cannot compare"):
                act(p, q)
        with pytest.raises(UnitError):
            max(p, q)
        return
    for act in (*ORDERS, operator.eq, operator.ne):
        assert act(p, q) == act(exactly(p), exactly(q))
    assert (hash(p) == hash(q)) or p != q


@pytest.mark.parametrize("unit", UNITS, ids=str)
@given(x=numbers, m=bottoms, y=st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9)))
@steady
def test_bare_numbers(unit: Unit, x: int, m: int, y: float) -> None:
    p, said = quantity(x, m, unit), Fraction(repr(y))
    assert exactly(p * y) == exactly(p) * said and (y * p).unit is unit
    if y:
        assert exactly(p / y) == exactly(p) / said
    assert exactly(p + 0) == exactly(0 + p) == exactly(p - 0) == exactly(p) and exactly(0 - p) == -exactly(p)
    assert (p > 0) == (x > 0) and (p == 0) == (x == 0)
    if unit in (COUNT, RATIO, DAYS):
        assert exactly(p + y) == exactly(p) + said and exactly(y - p) == said - exactly(p)
    elif y:
        with pytest.raises(UnitError, match="cannot add the bare number") as error:
            p + y
        assert ("write money(" in str(error.value)) == (unit.kind == "money")
    if unit.kind != "money":
        assert (p < y) == (exactly(p) < said)
    elif y:
        with pytest.raises(UnitError, match="with the bare number"):
            p < y  # noqa: B015


@pytest.mark.parametrize("act", [operator.add, operator.sub, operator.mul, operator.truediv, operator.lt])
@pytest.mark.parametrize("wrong", ["5", None, [1], object()])
def test_what_is_no_number(act: Callable[[Any, Any], Any], wrong: object) -> None:
    with pytest.raises(TypeError):
        act(quantity(1, 1, EUR), wrong)


def test_money_in_a_rule() -> None:
    world = World(currency="USD")
    world.partner("a")
    a = world.see("a")
    assert money(5, a) + 0 == 0 + money(5, a) == sum([money(2, a), money(3, a)]) == money(5.0, a)
    assert str(money(5, a)) == "5.00 USD" and money(0.1, a) * 3 == money(0.3, a)
    with pytest.raises(
        UnitError, match=r"cannot add money \(EUR\) to money \(USD\); convert one of them first"
    ):
        money(5, a) + quantity(1, 1, EUR)
    with pytest.raises(UnitError, match=r"cannot multiply money \(USD\) by money \(USD\)$"):
        money(5, a) * money(5, a)
