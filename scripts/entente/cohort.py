# SPDX-License-Identifier: Apache-2.0
"""Partners like this one, as released figures: never a series of a peer, never fewer than k partners, never
three digits more.

A cohort holds everybody who shares the attribute, the partner itself included: left out, the figures of two
members would differ by exactly the other one's. A cohort that is too thin for a figure widens by dropping
its last attribute; if there is none left, the figure is not known. A sum of which one partner holds most is
not released either."""

from __future__ import annotations

import array
import math
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from . import run
from .day import Window, spoken
from .measure import Measure
from .missing import Ask, NotEnoughEvidence
from .quantity import RATIO, Number, Quantity, Unit, exact
from .reader import DISTINCT, KNOWN, ORIGINS, SUM, VIEWS
from .reader import RATIO as RATIO_KIND
from .run import Read
from .series import middle
from .titles import title
from .view import Metric, View

if TYPE_CHECKING:
    from .partner import Partner

MOST_SHARE: Final = 0.6  # of a sum that one partner may hold
LEAST_SPREAD: Final = 0.02  # of the median: a spread narrower than this is taken to be chance

_Key = tuple[tuple[str, str], ...]


class Cohort:
    """The partners that share some attributes of the profile."""

    __slots__ = ("view", "key", "or_all")

    def __init__(self, view: View, key: _Key, or_all: bool = False) -> None:
        self.view, self.key, self.or_all = view, key, or_all

    @property
    def name(self) -> str:
        """Its attributes: industry furniture, region SE."""
        return named(self.key)

    def __getitem__(self, metric: str) -> CohortMeasure:
        return CohortMeasure(self, self.view.metric(metric), -1, 0, "")

    def of(self, measure: Measure) -> CohortMeasure:
        """The same metric, origin and channel as `measure` has."""
        values = measure._values or ("",)
        return CohortMeasure(self, measure.metric, measure._origin, measure._view, values[0])


class CohortMeasure:
    """One metric of a cohort."""

    __slots__ = ("cohort", "metric", "_origin", "_view", "_value")

    def __init__(self, cohort: Cohort, metric: Metric, origin: int, view: int, value: str) -> None:
        self.cohort, self.metric = cohort, metric
        self._origin, self._view, self._value = origin, view, value

    def over(self, window: Window) -> Peers:
        """Its released figures over the window."""
        span = self.cohort.view.span(window)
        return self._released(span.start, span.stop, None)

    def change(self, window: Window, since: Window) -> Peers:
        """By what share it rose or fell from `since` to `window`, at each partner."""
        view = self.cohort.view
        span, before = view.span(window), view.span(since)
        return self._released(span.start, span.stop, (before.start, before.stop))

    def _released(self, start: int, stop: int, before: tuple[int, int] | None) -> Peers:
        view, key = self.cohort.view, self.cohort.key
        place = (
            key,
            self.cohort.or_all,
            self.metric.number,
            start,
            stop,
            before,
            self._origin,
            self._view,
            self._value,
        )
        found: Peers | NotEnoughEvidence | None = view.released.get(place)
        if found is None:
            found = view.released[place] = self._worked_out(start, stop, before)
        slice_ = f"{VIEWS[self._view]}={self._value}" if self._value else ""
        origin = ORIGINS[self._origin] if self._origin >= 0 else ""
        name = self.metric.name + (" change" if before else "")
        if isinstance(found, NotEnoughEvidence):
            run.now.reads.append(
                Read(name, start, stop, 1, 0, 1, self.metric.unit, -1, -1, origin, slice_, named(key))
            )
            raise NotEnoughEvidence(found.why, *found.asks)
        top, bottom, unit = found.median.top, found.median.bottom, found.unit
        read = Read(
            name, start, stop, KNOWN, top, bottom, unit, -1, -1, origin, slice_, found.cohort, found.size
        )
        run.now.reads.append(read)
        return found

    def _worked_out(self, start: int, stop: int, before: tuple[int, int] | None) -> Peers | NotEnoughEvidence:
        view, metric = self.cohort.view, self.metric
        why, known = "", 0
        keys = [self.cohort.key[:n] for n in range(len(self.cohort.key), 0, -1)]
        if self.cohort.or_all or not keys:
            keys.append(())
        for key in keys:
            who = members(view, key)
            values = self._values(who, start, stop)
            unit = metric.unit
            if before is not None:
                values = _changes(self._values(who, *before), values)
                unit = RATIO
            if len(values) < view.least_cohort:
                if not why:
                    known = len(values)
                    why = (
                        f"{title(metric.name)}, {spoken(start, stop)}: known for {known} of {len(who)} "
                        f"partners of {named(key)}; fewer than {view.least_cohort} are not shown"
                    )
                continue
            if metric.kind == SUM and before is None:
                sizes = [abs(top / bottom) for top, bottom in values.values()]
                if max(sizes) > MOST_SHARE * math.fsum(sizes):
                    why = why or f"one partner of {named(key)} holds most of the {title(metric.name)}"
                    continue
            return Peers(named(key), list(values.values()), unit)
        return NotEnoughEvidence(
            why,
            Ask(
                f"{title(metric.name)} of {max(1, view.least_cohort - known)} more partners of "
                f"{named(self.cohort.key)}",
                metric.name,
                start,
                stop,
            ),
        )

    def _values(self, who: list[int], start: int, stop: int) -> dict[int, tuple[int, int]]:
        """The value of each partner that has one, top / bottom in 1/scale of the unit."""
        snapshot, metric = self.cohort.view.snapshot, self.metric
        if not self._value:
            rows = snapshot.cohort(array.array("I", who).tobytes(), metric.number, start, stop, self._origin)
        else:
            rows = [self._sliced(partner, start, stop) for partner in who]
        return {p: row[1:] for p, row in zip(who, rows, strict=True) if row[0] == KNOWN}

    def _sliced(self, partner: int, start: int, stop: int) -> tuple[int, int, int]:
        snapshot, number, origin = self.cohort.view.snapshot, self.metric.number, self._origin
        whole = snapshot.window(partner, number, start, stop, origin, 0, "")
        if whole[0] != KNOWN:
            return whole[:3]
        values = [self._value]
        if self._value.endswith("/"):
            values = [
                v
                for v in snapshot.values(partner, number, self._view, start, stop, origin)
                if v.startswith(self._value)
            ]
            if self.metric.kind == DISTINCT and len(values) > 1:
                raise TypeError(
                    f"{self.metric.name} counts who came, and who came two ways would be counted twice; "
                    "take one value"
                )
        parts = [snapshot.window(partner, number, start, stop, origin, self._view, value) for value in values]
        top = sum(part[1] for part in parts if part[0] == KNOWN)
        if self.metric.kind != RATIO_KIND:
            return KNOWN, top, 1
        bottom = sum(part[2] for part in parts if part[0] == KNOWN)
        return (KNOWN, top, bottom) if bottom else (3, 0, 1)


class Peers:
    """Released figures of one metric over one window. All are rounded to three digits."""

    __slots__ = ("cohort", "unit", "_pairs", "_numbers", "_quantiles", "_usual")

    def __init__(self, cohort: str, values: list[tuple[int, int]], unit: Unit) -> None:
        self.cohort = cohort
        self.unit = unit
        # In order. Floats are enough to find a place in it; what is released is worked out exactly.
        self._pairs = sorted(values, key=lambda value: value[0] / value[1])
        self._numbers = [top / bottom for top, bottom in self._pairs]
        self._quantiles: dict[float, Quantity] = {}
        self._usual: tuple[float, float] | None = None

    @property
    def size(self) -> int:
        """How many partners are in the figures."""
        return len(self._pairs)

    @property
    def median(self) -> Quantity:
        """Half of them are below."""
        return self.quantile(0.5)

    def quantile(self, q: float) -> Quantity:
        """The value below which the share q of them lies, between neighbours in proportion."""
        found = self._quantiles.get(q)
        if found is None:
            if not 0 <= q <= 1:
                raise ValueError(f"a quantile is from 0 to 1, and this is {q}; a quarter is 0.25")
            found = self._quantiles[q] = self._at(exact(q)).rounded(3)
        return found

    def robust_z(self, mine: Quantity) -> float:
        """How many usual distances `mine` lies above (+) or below (-) the median; more than 3 is rare. The
        usual distance is 1.4826 times the median distance from the median, at least 2 % of the median."""
        if self._usual is None:  # once for all partners: the cohort may have thousands
            centre = middle(self._numbers)
            spread = middle([abs(number - centre) for number in self._numbers])
            self._usual = centre, max(1.4826 * spread, LEAST_SPREAD * abs(centre))
        centre, usual = self._usual
        away = self._native(mine) - centre
        if not usual:  # all have 0: whoever differs at all stands alone
            return 0.0 if not away else math.copysign(math.inf, away)
        return float(f"{away / usual:.3g}")

    def share(self, at_least: Quantity | Number) -> Quantity:
        """The share of them that reach `at_least`."""
        below = bisect_left(self._numbers, self._native(at_least))
        return Quantity(self.size - below, self.size, RATIO).rounded(2)

    def _native(self, value: Quantity | Number) -> float:
        if isinstance(value, Quantity):
            if value.unit is not self.unit:
                value.__lt__(Quantity(0, 1, self.unit))  # raises UnitError, which says what is wrong
            return value.top / value.bottom
        return float(value) * self.unit.scale

    def _at(self, q: tuple[int, int]) -> Quantity:
        low, rest = divmod(q[0] * (self.size - 1), q[1])  # between neighbours: rest / q[1] of the way
        top, bottom = self._pairs[low]
        if rest:
            above, below = self._pairs[low + 1]
            top, bottom = (
                top * below * q[1] + (above * bottom - top * below) * rest,
                bottom * below * q[1],
            )
        return Quantity(top, bottom, self.unit)


def _changes(was: dict[int, tuple[int, int]], now: dict[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """now / was - 1, of those that had something before."""
    out = {}
    for partner, (top, bottom) in now.items():
        before = was.get(partner)
        if before and before[0] > 0:
            out[partner] = (top * before[1] - before[0] * bottom, before[0] * bottom)
    return out


def cohort_of(partner: Partner, by: tuple[str, ...], or_all: bool = False) -> Cohort:
    """Everybody who has the partner's own values of the attributes `by`; what is not known of the partner
    is left out if all partners will do, too."""
    key = []
    for name in by:
        value = partner.view.attribute(partner.index, name)
        if value:
            key.append((name, value))
        elif not or_all:
            raise NotEnoughEvidence(
                f"{partner.id} has no {name} in its profile, so nobody to compare it with is known",
                Ask(f"the {name} of {partner.id}, in its profile"),
            )
    return Cohort(partner.view, tuple(key), or_all)


def members(view: View, key: _Key) -> list[int]:
    """Who belongs to a cohort, as indices of the snapshot."""
    names = tuple(name for name, _ in key)
    groups = view.groups.get(names)
    if groups is None:
        groups = view.groups[names] = {}
        for partner in range(len(view.ids)):
            groups.setdefault(tuple(view.attribute(partner, name) for name in names), []).append(partner)
    return groups.get(tuple(value for _, value in key), [])


def named(key: _Key) -> str:
    """A cohort as one says it."""
    return ", ".join(f"{name} {value}" for name, value in key) or "all partners"
