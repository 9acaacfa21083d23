# SPDX-License-Identifier: Apache-2.0
"""Quantities: a number with its unit, exact inside. Euros and dollars, or a rate and a count, cannot be
added.

The number is top / bottom in 1/scale of the unit (money in millionths), as integers, so that sums,
quotients and comparisons are exact; a float appears only where a quantity is shown. A float of a setting
counts as the decimal that was written."""

from __future__ import annotations

from math import gcd

from .missing import NotEnoughEvidence
from .native import Figure, exact_pairs

TYPE_CHECKING = False
if TYPE_CHECKING:  # rules may use fractions; here they are seldom needed, and slow to import
    from fractions import Fraction
    from typing import Any, Final, TypeGuard, overload

    from .spread import Spread

    Number = int | float | Fraction
else:
    Number = float

_LONG: Final = 1 << 256  # fractions longer than this are reduced, so that chains of operations stay short

#: How far a figure that somebody told is trusted, by the letter that came with it: A audited, F hearsay; in between, evenly.
#: A convention to weigh by, and no chance of being true. Without a letter, somewhat better than D.
GRADES: Final = {"A": 0.9, "B": 0.75, "C": 0.6, "": 0.5, "D": 0.45, "E": 0.3, "F": 0.15}


class UnitError(TypeError):
    """Two quantities that have no common unit were added, compared, multiplied or divided."""


class Unit:
    """What a quantity is counted in. There is one object for each unit: compare with `is`."""

    __slots__ = ("kind", "currency", "scale")

    def __init__(self, kind: str, scale: int, currency: str = "") -> None:
        self.kind, self.scale, self.currency = kind, scale, currency

    def __str__(self) -> str:
        return self.currency or self.kind

    def __repr__(self) -> str:
        return f"Unit({self})"


COUNT: Final = Unit("count", 1)
RATIO: Final = Unit("ratio", 1)
DAYS: Final = Unit("days", 1)
SECONDS: Final = Unit("seconds", 1_000_000)
PIECES: Final = Unit("pieces", 1_000)
_UNITS: Final = {u.kind: u for u in (COUNT, RATIO, DAYS, SECONDS, PIECES)}
_MONEY: Final[dict[str, Unit]] = {}
_PLAIN: Final = (COUNT, RATIO, DAYS)  # bare numbers may be added to these


def money_unit(currency: str) -> Unit:
    """The unit of amounts in `currency`."""
    unit = _MONEY.get(currency)
    if unit is None:
        unit = _MONEY[currency] = Unit("money", 1_000_000, currency)
    return unit


def unit_of(kind: str, currency: str) -> Unit:
    """The unit that the catalogue of metrics names."""
    return money_unit(currency) if kind == "money" else _UNITS[kind]


def exact(number: Number) -> tuple[int, int]:
    """`number` as it was written, as numerator and denominator: 0.1 is a tenth."""
    if isinstance(number, int):
        return number, 1
    if not isinstance(number, float):
        return int(number.numerator), int(number.denominator)
    found = exact_pairs.get(number)
    if found is None:
        if len(exact_pairs) > 10_000:
            exact_pairs.clear()
        found = exact_pairs[number] = _decimal(repr(number))
    return found


def _decimal(text: str) -> tuple[int, int]:
    """0.25 and 1e-05 as fractions."""
    digits, _, power = text.partition("e")
    whole, _, part = digits.partition(".")
    top, places = int(whole + part), len(part) - int(power or 0)
    if places <= 0:
        return top * 10**-places, 1
    shared = gcd(top, 10**places)
    return top // shared, 10**places // shared


def round_half_even(top: int, bottom: int) -> int:
    """top / bottom to the nearest integer, ties to the even one."""
    whole, rest = divmod(top, bottom)
    twice = 2 * rest
    return whole + (twice > bottom or (twice == bottom and whole & 1))


class Quantity(Figure):
    """A number with its unit. `float(q)`, `q.number` and formats such as `{q:.1%}` are for showing."""

    __slots__ = ()

    if TYPE_CHECKING:  # what native.Figure does with the methods below: with a spread, the spread's own

        @overload
        def __add__(self, other: Spread) -> Spread: ...
        @overload
        def __add__(self, other: Quantity | Number) -> Quantity: ...
        def __add__(self, other: Any) -> Any: ...
        @overload
        def __sub__(self, other: Spread) -> Spread: ...
        @overload
        def __sub__(self, other: Quantity | Number) -> Quantity: ...
        def __sub__(self, other: Any) -> Any: ...
        @overload
        def __mul__(self, other: Spread) -> Spread: ...
        @overload
        def __mul__(self, other: Quantity | Number) -> Quantity: ...
        def __mul__(self, other: Any) -> Any: ...
        @overload
        def __truediv__(self, other: Spread) -> Spread: ...
        @overload
        def __truediv__(self, other: Quantity | Number) -> Quantity: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Quantity: ...
        def __rsub__(self, other: Any) -> Quantity: ...
        def __rmul__(self, other: Any) -> Quantity: ...
        def __rtruediv__(self, other: Any) -> Quantity: ...

    @property
    def fraction(self) -> Fraction:
        """Exactly, in whole units."""
        from fractions import Fraction

        return Fraction(self.top, self.bottom * self.unit.scale)

    @property
    def how(self) -> str:
        """How it is known: measured, or told, with the letter that came with it. `.grade` is that as a number, to weigh by."""
        if self.grade == 1:
            return "measured"
        letter = next((letter for letter, grade in GRADES.items() if grade == self.grade), "")
        return f"told, grade {letter}" if letter else "told"

    @property
    def micro(self) -> int:
        """Rounded half-even to millionths of the unit."""
        return round_half_even(self.top * 1_000_000, self.bottom * self.unit.scale)

    def __float__(self) -> float:
        return self.number

    def __str__(self) -> str:
        number, kind = self.number, self.unit.kind
        if kind == "money":
            return f"{number:,.{0 if abs(number) >= 100 else 2}f} {self.unit.currency}"
        if kind == "ratio":
            return f"{number:.1%}" if abs(number) >= 0.1 else f"{number:.2%}"
        if kind == "seconds":
            return f"{number:.1f} s"
        text = f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:,.1f}"
        return text if kind == "count" else f"{text} {kind}"

    def __repr__(self) -> str:
        return f"Quantity({self})"

    def __format__(self, spec: str) -> str:
        return format(self.number, spec) if spec else str(self)

    # Sums

    def _sum(self, other: Quantity | Number) -> Quantity:
        if isinstance(other, Quantity):
            if other.unit is not self.unit:
                raise UnitError(_unlike("add", self.unit, other.unit))
            if other.bottom == self.bottom:
                return Quantity(
                    self.top + other.top, self.bottom, self.unit, min(self.coverage, other.coverage)
                )
            return _short(
                self.top * other.bottom + other.top * self.bottom,
                self.bottom * other.bottom,
                self.unit,
                min(self.coverage, other.coverage),
            )
        if hasattr(other, "draws"):
            return NotImplemented  # a Spread, which knows how
        top, bottom = self._bare("add", other)
        return _short(self.top * bottom + top * self.bottom, self.bottom * bottom, self.unit, self.coverage)

    # Products

    def _product(self, other: Quantity | Number) -> Quantity:
        if isinstance(other, Quantity):
            a, b = self, other
            if a.unit in (RATIO, COUNT) and b.unit is not RATIO:
                a, b = b, a
            if b.unit is not RATIO and b.unit is not COUNT and b.unit is not PIECES:
                if a.unit is not PIECES:
                    raise UnitError(_unlike("multiply", self.unit, other.unit))
                a, b = b, a
            return _short(
                a.top * b.top, a.bottom * b.bottom * b.unit.scale, a.unit, min(a.coverage, b.coverage)
            )
        if hasattr(other, "draws"):
            return NotImplemented
        top, bottom = _number("multiply", self.unit, other)
        return _short(self.top * top, self.bottom * bottom, self.unit, self.coverage)

    def _quotient(self, other: Quantity | Number) -> Quantity:
        if isinstance(other, Quantity):
            if other.top == 0:
                raise NotEnoughEvidence(f"{self} cannot be divided by {other}")
            coverage = min(self.coverage, other.coverage)
            if other.unit is self.unit:
                return _short(self.top * other.bottom, self.bottom * other.top, RATIO, coverage)
            if other.unit is RATIO or other.unit is COUNT or other.unit is PIECES:
                return _short(
                    self.top * other.bottom * other.unit.scale, self.bottom * other.top, self.unit, coverage
                )
            raise UnitError(_unlike("divide", self.unit, other.unit))
        if hasattr(other, "draws"):
            return NotImplemented
        top, bottom = _number("divide", self.unit, other)
        if not top:
            raise NotEnoughEvidence(f"{self} cannot be divided by 0")
        return _short(self.top * bottom, self.bottom * top, self.unit, self.coverage)

    def _divided(self, other: Number) -> Quantity:
        top, bottom = _number("divide", self.unit, other)
        return Quantity(top, bottom, RATIO) / self

    # Comparisons: plain booleans

    def _against(self, other: object) -> int:
        """Negative, zero or positive, as this is less than, equal to or more than `other`."""
        if isinstance(other, Quantity):
            if other.unit is not self.unit:
                raise UnitError(_unlike("compare", self.unit, other.unit))
            return self.top * other.bottom - other.top * self.bottom
        if hasattr(other, "draws"):
            raise UnitError(
                f"{other} is no single number; compare with its .p50, or ask for its .chance(at_least={self})"
            )
        if not _is_number(other):
            raise UnitError(f"cannot compare {self.unit} with {type(other).__name__}")
        if other == 0:
            return self.top
        if self.unit.kind == "money":
            raise UnitError(
                f"cannot compare {self.unit} with the bare number {other}; write money({other}, partner)"
            )
        top, bottom = exact(other)
        return self.top * bottom - top * self.bottom * self.unit.scale

    def _bare(self, verb: str, other: Number) -> tuple[int, int]:
        """A bare number in the unit of this quantity, where that makes sense: 1 - rate, 0 + money."""
        if other == 0:
            return 0, 1
        if self.unit in _PLAIN and _is_number(other):
            return exact(other)
        todo = f"; write money({other}, partner)" if self.unit.kind == "money" else ""
        raise UnitError(f"cannot {verb} the bare number {other} to {self.unit}{todo}")

    def rounded(self, digits: int = 3) -> Quantity:
        """To so many significant digits, half-even."""
        top, bottom = abs(self.top), self.bottom
        if not top:
            return Quantity(0, 1, self.unit, self.coverage, self.grade)
        power = len(str(top)) - len(str(bottom))
        if top * 10 ** max(-power, 0) < bottom * 10 ** max(power, 0):
            power -= 1
        places = digits - 1 - power  # after the point; fewer than none: whole tens, hundreds ...
        out = round_half_even(self.top * 10 ** max(places, 0), bottom * 10 ** max(-places, 0))
        shared = gcd(out, 10 ** max(places, 0))
        out, step = out // shared, 10 ** max(places, 0) // shared
        return Quantity(out * 10 ** max(-places, 0), step, self.unit, self.coverage, self.grade)


def ratio(top: Number, bottom: Number = 1) -> Quantity:
    """A bare number as a ratio."""
    (a, b), (c, d) = exact(top), exact(bottom)
    if not c:
        raise ZeroDivisionError(f"{top} cannot be divided by 0")
    return _short(a * d, b * c, RATIO, 1.0)


def count(number: int) -> Quantity:
    """A bare number as a count."""
    return Quantity(number, 1, COUNT)


def amount(number: Number, currency: str) -> Quantity:
    """`number` of a currency; in a rule, write money(number, partner)."""
    top, bottom = exact(number)
    return Quantity(top * 1_000_000, bottom, money_unit(currency))


def _short(top: int, bottom: int, unit: Unit, coverage: float) -> Quantity:
    if bottom < 0:
        top, bottom = -top, -bottom
    if bottom > _LONG:
        shared = gcd(top, bottom)
        top, bottom = top // shared, bottom // shared
    return Quantity(top, bottom, unit, coverage)


def _is_number(other: object) -> TypeGuard[Number]:
    return isinstance(other, (int, float)) or hasattr(other, "numerator")


def _number(verb: str, unit: Unit, other: Any) -> tuple[int, int]:
    if _is_number(other):
        return exact(other)
    raise UnitError(f"cannot {verb} {unit} and {type(other).__name__}")


_WORDS: Final = {"add": "to", "compare": "with", "multiply": "by", "divide": "by"}


def _unlike(verb: str, a: Unit, b: Unit) -> str:
    if verb == "add":
        a, b = b, a
    why = "; convert one of them first" if a.kind == b.kind and a is not b else ""
    return f"cannot {verb} {_named(a)} {_WORDS[verb]} {_named(b)}{why}"


def _named(unit: Unit) -> str:
    return (
        f"money ({unit.currency})"
        if unit.kind == "money"
        else f"a {unit.kind}".replace("a seconds", "seconds")
        .replace("a days", "days")
        .replace("a pieces", "pieces")
    )
