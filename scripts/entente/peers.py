# SPDX-License-Identifier: Apache-2.0
"""Released figures: what a rule is told of the values of several partners."""

from __future__ import annotations

import math

from . import run
from .floor import MOST_THRESHOLDS, THRESHOLD_DIGITS, counted, pulled_in
from .light import bisect_left, insort
from .native import exchanged, weighed
from .quantity import RATIO, Number, Quantity, Unit, exact
from .series import middle
from .view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

LEAST_SPREAD: Final = 0.02  # of the median: a spread narrower than this is taken to be chance

Pair = tuple[int, int]  # a value, top / bottom in 1/scale of the unit
Place = tuple[float, int, int]  # the same with its number in front: in order


class Peers:
    """Released figures of one metric over one window. All are rounded to three digits."""

    __slots__ = (
        "cohort",
        "unit",
        "_places",
        "_quantiles",
        "_usual",
        "_view",
        "_asked",
        "_asker",
        "_thresholds",
    )

    def __init__(self, cohort: str, ordered: list[Place], unit: Unit, view: View | None = None) -> None:
        self.cohort = cohort
        self.unit = unit
        # In order. Floats are enough to find a place in it; what is released is worked out exactly.
        self._places = ordered
        self._quantiles: dict[float, Quantity] = {}
        self._usual: tuple[float, float] | None = None
        self._view = view
        # (pair of partner and rule, distance or share, of what number, when): what was told to one of them alone
        self._asked: list[tuple[int, bool, float, int]] = []
        self._asker = -1, -1  # who asked last, and when
        self._thresholds: set[tuple[bool, float]] = set()  # what it asked

    @property
    def size(self) -> int:
        """How many partners are in the figures."""
        return len(self._places)

    def dominated(self, column: int) -> str:
        """Who holds most of what is added up: the values themselves (1), or what they are divided by (2)."""
        found = weighed(self._places, column)
        if found is None:
            amounts = sorted(
                (abs(place[1] if column == 1 else place[2]) for place in self._places), reverse=True
            )
            found = sum(amounts), amounts[0], amounts[1] if len(amounts) > 1 else 0
        total, largest, second = found
        return "" if self._view is None else self._view.floor.holds_most(largest, second, total)

    def exchange(self, was: Iterable[Pair], now: Iterable[Pair]) -> None:
        """Some of them have other values now."""
        was, now = list(was), list(now)
        ordered = exchanged(self._places, was, now)
        if ordered is None:
            for top, bottom in was:
                del self._places[bisect_left(self._places, (top / bottom, top, bottom))]
            for top, bottom in now:
                insort(self._places, (top / bottom, top, bottom))
        else:
            self._places = ordered
        self._usual = None
        asked, self._quantiles = self._quantiles, {}
        for q in asked:
            self._quantile(q)

    def told(self) -> dict[int, list[float]]:
        """What was told to one rule and partner alone, as it would be told now."""
        if len(self._asked) > 1024 and len(self._asked) > 2 * len({asked[0] for asked in self._asked}):
            newest = {pair: when for pair, _, _, when in self._asked}
            self._asked = [asked for asked in self._asked if asked[3] == newest[asked[0]]]
        out: dict[int, list[float]] = {}
        for pair, distance, number, _ in self._asked:
            said = self._distance(number) if distance else self._share(number).number
            out.setdefault(pair, []).append(said)
        return out

    def quantiles(self) -> list[tuple[float, int, int]]:
        """Those that were asked for, and the median, which goes into the evidence of all."""
        found = [(q, self._quantile(q)) for q in sorted({0.5, *self._quantiles})]
        return [(q, value.top, value.bottom) for q, value in found]

    def headline(self) -> tuple[int, int, Unit]:
        """What stands for all of them as evidence: the median."""
        median = self.median
        return median.top, median.bottom, self.unit

    def take_over(self, was: Peers) -> None:
        """What was asked of other figures is to be asked of these."""
        self._asked = was._asked
        for q in was._quantiles:
            self._quantile(q)

    @property
    def median(self) -> Quantity:
        """Half of them are below."""
        return self._quantiles.get(0.5) or self._quantile(0.5)

    def quantile(self, q: float) -> Quantity:
        """The value below which the share q of them lies, between neighbours in proportion. The smallest and the largest are
        never told: beyond the second of either side it is that one."""
        self._ask((True, q))
        return self._quantiles.get(q) or self._quantile(q)

    def _quantile(self, q: float) -> Quantity:
        found = self._quantiles.get(q)
        if found is None:
            if not 0 <= q <= 1:
                raise ValueError(f"a quantile is from 0 to 1, and this is {q}; a quarter is 0.25")
            found = self._quantiles[q] = self._at(exact(q)).rounded(3)
        return found

    def robust_z(self, mine: Quantity) -> float:
        """How many usual distances `mine` lies above (+) or below (-) the median; more than 3 is rare. The
        usual distance is 1.4826 times the median distance from the median, at least 2 % of the median."""
        number = self._native(mine)
        self._note(True, number)
        return self._distance(number)

    def share(self, at_least: Quantity | Number) -> Quantity:
        """The share of them that reach `at_least`, of which two digits count. Whether one alone does, or one alone does
        not, is not told."""
        number = float(f"{self._native(at_least):.{THRESHOLD_DIGITS}g}")
        self._ask((False, number))
        self._note(False, number)
        return self._share(number)

    def _ask(self, threshold: tuple[bool, float]) -> None:
        """Thresholds that are swept would find value after value."""
        at = run.now.pair, 0 if self._view is None else self._view.changes
        if at != self._asker:
            self._asker, self._thresholds = at, set()
        self._thresholds.add(threshold)
        if len(self._thresholds) > MOST_THRESHOLDS:
            raise ValueError(
                f"share() and quantile() of the same figures are asked for more than {MOST_THRESHOLDS} thresholds: so many "
                "would tell single partners' values; ask for fewer"
            )

    def _note(self, distance: bool, number: float) -> None:
        if self._view is not None and self._view.kept:
            self._asked.append((run.now.pair, distance, number, self._view.changes))

    def _distance(self, number: float) -> float:
        if self._usual is None:  # once for all partners: the cohort may have thousands
            numbers = [place[0] for place in self._places]
            centre = middle(numbers)
            spread = middle([abs(number - centre) for number in numbers])
            self._usual = centre, max(1.4826 * spread, LEAST_SPREAD * abs(centre))
        centre, usual = self._usual
        away = number - centre
        if not usual:  # all have 0: whoever differs at all stands alone
            return 0.0 if not away else math.copysign(math.inf, away)
        return float(f"{away / usual:.3g}")

    def _share(self, number: float) -> Quantity:
        reaching = counted(self.size - bisect_left(self._places, (number,)), self.size)
        return Quantity(reaching, self.size, RATIO).rounded(2)

    def _native(self, value: Quantity | Number) -> float:
        if isinstance(value, Quantity):
            if value.unit is not self.unit:
                value.__lt__(Quantity(0, 1, self.unit))  # raises UnitError, which says what is wrong
            return value.top / value.bottom
        return float(value) * self.unit.scale

    def _at(self, q: tuple[int, int]) -> Quantity:
        top, bottom = pulled_in((q[0] * (self.size - 1), q[1]), self.size)
        low, rest = divmod(top, bottom)  # between neighbours: rest / q[1] of the way
        _, top, bottom = self._places[low]
        if rest:
            _, above, below = self._places[low + 1]
            top, bottom = (
                top * below * q[1] + (above * bottom - top * below) * rest,
                bottom * below * q[1],
            )
        return Quantity(top, bottom, self.unit)


def in_order(values: Iterable[Pair]) -> list[Place]:
    """As Peers keeps them."""
    return sorted((top / bottom, top, bottom) for top, bottom in values)
