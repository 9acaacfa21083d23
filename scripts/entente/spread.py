# SPDX-License-Identifier: Apache-2.0
"""Numbers that nobody knows exactly: what the organization believes, and what follows from it. A spread is a thousand
values (999) that are equally likely, with a unit; sums, products and quotients are taken value by value, so that a spread less
itself is 0 and two of them vary independently. Which values come together follows from rule, partner and day alone: the
same on each run. Imported when the first rule uses one."""

from __future__ import annotations

import math
import operator

from . import run
from .classes import OF_AUDIENCE, note
from .missing import Ask, NotEnoughEvidence
from .quantity import RATIO, Quantity, UnitError, exact, unit_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    from .partner import Partner
    from .quantity import Number, Unit

SIZE: Final = (
    999  # so that one of them is the tenth of a thousand, one the middle, one the ninth tenth: exactly
)
TENTH: Final = 1.2815515655446004  # of the normal distribution: so many deviations up, one in ten lies above
# The same of Student's t distribution with 1, 2, 3 ... degrees of freedom.
_STUDENT: Final = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372)
_normal: Final[list[float]] = []


class Spread:
    """A quantity that is not known exactly. `.p50` is as likely too high as too low; eight in ten times it lies from `.p10`
    to `.p90`. It cannot be compared: ask for the chance."""

    __slots__ = ("unit", "draws", "_ordered")

    def __init__(self, draws: list[float], unit: Unit) -> None:
        self.draws, self.unit = draws, unit  # in whole units
        self._ordered: list[float] | None = None

    def quantile(self, q: float) -> Quantity:
        """The value below which it lies with the chance q."""
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile is from 0 to 1, and this is {q}")
        if self._ordered is None:
            self._ordered = sorted(self.draws)
        at = min(max(round(q * (len(self._ordered) + 1) - 1, 9), 0.0), len(self._ordered) - 1.0)
        low = int(at)
        high = min(low + 1, len(self._ordered) - 1)
        return _quantity(
            self._ordered[low] + (at - low) * (self._ordered[high] - self._ordered[low]), self.unit
        )

    @property
    def p10(self) -> Quantity:
        """One in ten times it is less."""
        return self.quantile(0.1)

    @property
    def p50(self) -> Quantity:
        """It is as often less as it is more."""
        return self.quantile(0.5)

    @property
    def p90(self) -> Quantity:
        """One in ten times it is more."""
        return self.quantile(0.9)

    def chance(self, *, at_least: Quantity | Number) -> Quantity:
        """How likely it reaches that."""
        least = self._other("compare", at_least)
        return Quantity(sum(value >= least for value in self.draws), len(self.draws), RATIO)

    def capped(self, most: Quantity | Number) -> Spread:
        """The same, but never more than that: gain.capped(peers.quantile(0.9)), for whom nobody has shown more."""
        top = self._other("compare", most)
        return Spread([min(value, top) for value in self.draws], self.unit)

    def __str__(self) -> str:
        return f"{self.p50} ({self.p10} to {self.p90})"

    def __repr__(self) -> str:
        return f"Spread({self})"

    def __format__(self, spec: str) -> str:
        return f"{self.p50:{spec}} ({self.p10:{spec}} to {self.p90:{spec}})" if spec else str(self)

    # Arithmetic, by the rules of quantities

    def __add__(self, other: Spread | Quantity | Number) -> Spread:
        return self._by(operator.add, other)

    def __radd__(self, other: Quantity | Number) -> Spread:
        return self._by(operator.add, other)

    def __sub__(self, other: Spread | Quantity | Number) -> Spread:
        return self._by(operator.sub, other)

    def __rsub__(self, other: Quantity | Number) -> Spread:
        return (-self)._by(operator.add, other)

    def __mul__(self, other: Spread | Quantity | Number) -> Spread:
        return self._by(operator.mul, other)

    def __rmul__(self, other: Quantity | Number) -> Spread:
        return self._by(operator.mul, other)

    def __truediv__(self, other: Spread | Quantity | Number) -> Spread:
        return self._by(operator.truediv, other)

    def __rtruediv__(self, other: Quantity | Number) -> Spread:
        self._divides(other)
        unit = operator.truediv(_one(other), Quantity(self.unit.scale, 1, self.unit)).unit
        top = float(other)
        return Spread([top / value for value in self.draws], unit)

    def __neg__(self) -> Spread:
        return Spread([-value for value in self.draws], self.unit)

    def __lt__(self, other: object) -> bool:
        raise self._no_order(other)

    __le__ = __gt__ = __ge__ = __lt__

    def _by(self, act: Callable[[Any, Any], Any], other: Spread | Quantity | Number) -> Spread:
        mine = Quantity(self.unit.scale, 1, self.unit)
        if isinstance(other, Spread):
            if act is operator.truediv:
                other._divides(self)
            unit = act(
                mine, Quantity(other.unit.scale, 1, other.unit)
            ).unit  # UnitError where they do not go together
            return Spread([act(a, b) for a, b in zip(self.draws, other.draws, strict=True)], unit)
        unit = act(mine, other).unit
        number = float(other)
        return Spread([act(a, number) for a in self.draws], unit)

    def _divides(self, top: object) -> None:
        if min(self.draws) <= 0 <= max(self.draws):
            raise NotEnoughEvidence(f"{top} cannot be divided by {self}, which may be 0")

    def _other(self, verb: str, other: Quantity | Number) -> float:
        if isinstance(other, Spread):
            raise UnitError(f"cannot {verb} two spreads; subtract one and ask for the chance of at_least=0")
        Quantity(self.unit.scale, 1, self.unit) < other  # noqa: B015 - UnitError where they do not go together
        return float(other)

    def _no_order(self, other: object) -> UnitError:
        return UnitError(
            f"{self} is no single number; compare its .p50, or ask for .chance(at_least={other})"
        )


def between(p10: Number, p50: Number, p90: Number, *, name: str = "", like: Quantity | None = None) -> Spread:
    """What lies below p10 one time in ten, below p50 every second time and below p90 nine times in ten; in the unit of
    `like`, else a ratio. Two spreads of one name are one; of two names, they vary independently."""
    if not p10 <= p50 <= p90:
        raise ValueError(f"p10 <= p50 <= p90 does not hold for {p10}, {p50}, {p90}")
    unit = RATIO if like is None else like.unit
    return _from_quantiles(float(p10), float(p50), float(p90), unit, f"between {name or (p10, p50, p90)}")


def slope(
    x: Sequence[Quantity | Number],
    y: Sequence[Quantity | Number],
    weight: Sequence[Quantity | Number] | None = None,
    prior: Spread | None = None,
) -> Spread:
    """By what share of its mean y rises (+) or falls (-) for each 1 of x: the straight line through the points (least
    squares, each with its weight), widened for their small number as Student's t says. With a `prior`, both are joined,
    each by how sure it is of itself (normal with known variance; Gelman et al., Bayesian Data Analysis, 2.5); the prior is
    taken as normal, with its p50 and p10 to p90. Fewer than 3 points say nothing: then the prior is what there is.

    The line says what goes together. That faster pages sell more may also be that better shops are faster."""
    xs, ys = [float(value) for value in x], [float(value) for value in y]
    weights = [1.0] * len(xs) if weight is None else [float(value) for value in weight]
    if not len(xs) == len(ys) == len(weights):
        raise ValueError(
            f"x, y and weight are of one length, and these are {len(xs)}, {len(ys)} and {len(weights)}"
        )
    used = [(a, b, w) for a, b, w in zip(xs, ys, weights, strict=True) if w > 0]
    total = sum(w for _, _, w in used)
    found = None
    if len({a for a, _, _ in used}) >= 3:
        mean_x, mean_y = (sum(w * row[n] for row in used for w in (row[2],)) / total for n in (0, 1))
        across = sum(w * (a - mean_x) ** 2 for a, _, w in used)
        if mean_y and across:
            rise = sum(w * (a - mean_x) * (b - mean_y) for a, b, w in used) / across
            left = sum(w * (b - mean_y - rise * (a - mean_x)) ** 2 for a, b, w in used)
            free = len(used) - 2
            wider = _STUDENT[min(free, len(_STUDENT)) - 1] / TENTH
            found = (
                rise / mean_y,
                max(wider * math.sqrt(left / free / across) / abs(mean_y), abs(rise / mean_y) * 1e-9),
            )
    if found is None:
        if prior is None:
            raise NotEnoughEvidence(
                f"a slope needs 3 different points, and there are {len({a for a, _, _ in used})}"
            )
        return prior
    middle, deviation = found
    if prior is not None:
        if prior.unit is not RATIO:
            raise UnitError(f"the prior of a slope is a ratio, and this is a {prior.unit}")
        believed, unsure = prior.p50.number, (prior.p90.number - prior.p10.number) / 2 / TENTH
        if not unsure:
            return prior
        sure, surer = 1 / unsure**2, 1 / deviation**2
        middle = (believed * sure + middle * surer) / (sure + surer)
        deviation = math.sqrt(1 / (sure + surer))
    return normal(middle, deviation, RATIO, f"slope {used}")


def normal(middle: float, deviation: float, unit: Unit, name: str) -> Spread:
    """Of the normal distribution."""
    return Spread([middle + deviation * z for z in _shuffled(_normals(), name)], unit)


def prior_of(partner: Partner, name: str) -> Spread:
    """See Partner.prior()."""
    view = partner.view
    known: dict[str, dict[str, Any]] = view.meta.get("priors") or {}
    found = known.get(name)
    today = view.as_of
    label = f"prior {name}"
    if found is None:
        import difflib  # seldom needed

        close = difflib.get_close_matches(name, known, 1)
        run.now.reads.append(run.Read(label, today, today + 1, 1, 0, 1, RATIO, -1))
        raise NotEnoughEvidence(
            f"nobody said what to expect of {name}",
            Ask(
                f"what you expect of {name}: p10, p50, p90 and their source, under priors: in entente.yaml",
                label,
                note=f"there is {close[0]}" if close else "",
            ),
        )
    unit = unit_of(str(found.get("unit") or "ratio"), view.currency)
    low, middle, high = (float(found[p]) for p in ("p10", "p50", "p90"))
    said = _quantity(middle, unit)
    part = f"p10={_quantity(low, unit)} p90={_quantity(high, unit)}; {found.get('source') or 'no source'}"
    sharing = OF_AUDIENCE[str(found.get("audience") or "us")]
    note(run.Read(label, today, today + 1, 0, said.top, said.bottom, unit, -1, -1, "", part, "", 0, sharing))
    return _from_quantiles(low, middle, high, unit, label)


def _from_quantiles(low: float, middle: float, high: float, unit: Unit, name: str) -> Spread:
    """Two halves of normal distributions that meet in the middle, so that all three quantiles hold exactly however
    lopsided they are (the two-piece normal distribution, with half of its mass on either side; Wallis 2014). What is above
    0 nine times in ten is taken to be so always: then it is the logarithms that are normal."""
    sign = 1 if low > 0 else -1 if high < 0 else 0
    if sign:
        low, middle, high = (math.log(abs(value)) for value in (low, middle, high)[::sign])
    down, up = (middle - low) / TENTH, (high - middle) / TENTH
    draws = [middle + (up if z > 0 else down) * z for z in _shuffled(_normals(), name)]
    return Spread([sign * math.exp(value) for value in draws] if sign else draws, unit)


def _normals() -> list[float]:
    """The borders of a thousand equally likely slices of the normal distribution: no luck in how they fall (Latin
    hypercube; McKay, Beckman and Conover 1979)."""
    if not _normal:
        from statistics import NormalDist  # slow to import

        turned = NormalDist().inv_cdf
        _normal.extend(turned((n + 1) / (SIZE + 1)) for n in range(SIZE))
    return _normal


def _shuffled(values: list[float], name: str) -> list[float]:
    """In an order that depends on rule, partner, day and name alone."""
    from random import Random  # slow to import

    dice = Random(f"{run.who()}|{name}").random
    out = values[:]
    for n in range(len(out) - 1, 0, -1):  # Fisher and Yates; random.shuffle() may change with Python
        other = int(dice() * (n + 1))
        out[n], out[other] = out[other], out[n]
    return out


def _one(other: Quantity | Number) -> Quantity:
    return other if isinstance(other, Quantity) else Quantity(*exact(other), RATIO)


def _quantity(value: float, unit: Unit) -> Quantity:
    """To six digits: more would differ between machines."""
    top, bottom = exact(float(f"{value:.6g}"))
    return Quantity(top * unit.scale, bottom, unit)
