# SPDX-License-Identifier: Apache-2.0
"""The course of a series: its trend, how much it swings, where its level shifted. Rank methods, which a few odd periods
cannot turn, with the same result on each run. Imported when the first rule asks for one of them.

Seasonality is taken out where two years are there: years are compared season by season, December with December."""

from __future__ import annotations

import math

from .missing import Ask, NotEnoughEvidence
from .quantity import RATIO, Quantity, exact
from .reader import SUM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final, NamedTuple

    from .day import Day
    from .series import Series
else:
    from .light import NamedTuple

LEAST: Final = 6  # known periods: with fewer, ranks say nothing at 90 %
LEAST_SIDE: Final = 4  # known periods on either side of a shift
YEAR: Final = 365.25
NINETY: Final = 1.6448536269514722  # of the normal distribution: nine in ten lie within so many deviations
NORMAL: Final = math.sqrt(math.pi / 2)  # a normal deviation is so many times the mean distance (Geary 1935)


class Trend(NamedTuple):
    """Where a series is going: by what share of its level it rises (+) or falls (-) a year. The true rate lies from
    `low` to `high` in nine of ten cases."""

    rate: Quantity
    low: Quantity
    high: Quantity
    periods: int  # that are known
    seasonal: bool  # years were compared season by season


class Shift(NamedTuple):
    """The one day at which the level of a series most likely changed."""

    day: Day  # the first of the first period after the change
    p: float  # how likely a series without any change looks like this
    ratio: float  # the level after it, for each 1 before


class Course:
    """The known values of a series as numbers, with the line through them."""

    def __init__(self, series: Series) -> None:
        self.series = series
        points = series.points
        per_day = series.metric.kind == SUM  # months differ in length, and that is no course
        self.at: list[int] = []  # number of the period
        self.x: list[float] = []  # middle of the period, in years
        self.y: list[float] = []
        for n, point in enumerate(points):
            if point.value is not None:
                start, stop, _ = point.period
                self.at.append(n)
                self.x.append((start + stop) / 2 / YEAR)
                self.y.append(point.value.number / (stop - start if per_day else 1))
        self.cycle = _cycle(series)
        self.seasonal = bool(self.cycle) and _same_season(self.at, self.cycle) >= self.cycle // 2
        if len(self.y) < LEAST:
            raise _too_few(series, len(self.y), LEAST, "its course")
        self.slopes = self._slopes()
        self.slope = _median(self.slopes)
        self.residuals, self.level = self._residuals()
        if not self.level:
            raise NotEnoughEvidence(f"{series.metric.name} is 0 in most periods, which has no course")

    def _groups(self) -> list[list[int]]:
        """Which values are compared with each other."""
        if not self.seasonal:
            return [list(range(len(self.y)))]
        groups: dict[int, list[int]] = {}
        for i, n in enumerate(self.at):
            groups.setdefault(n % self.cycle, []).append(i)
        return list(groups.values())

    def _slopes(self) -> list[float]:
        x, y = self.x, self.y
        pairs = ((i, j) for group in self._groups() for a, i in enumerate(group) for j in group[a + 1 :])
        return sorted((y[j] - y[i]) / (x[j] - x[i]) for i, j in pairs)

    def _residuals(self) -> tuple[list[float], float]:
        """What is left without trend and season; and the level in the middle of the series."""
        centre = (self.x[0] + self.x[-1]) / 2
        flat = [y - self.slope * (x - centre) for x, y in zip(self.x, self.y, strict=True)]
        level = _median(flat)
        if not self.seasonal:
            return [value - level for value in flat], level
        out = [0.0] * len(flat)
        for group in self._groups():
            usual = _median([flat[i] for i in group])
            for i in group:
                out[i] = flat[i] - usual
        return out, level

    def trend(self) -> Trend:
        """See Series.trend()."""
        variance = sum(_score_variance([self.y[i] for i in group]) for group in self._groups())
        half = NINETY * math.sqrt(variance * _persistence(self.residuals))
        n = len(self.slopes)
        low = self.slopes[max(0, math.floor((n - half) / 2) - 1)]
        high = self.slopes[min(n - 1, math.ceil((n + half) / 2))]
        rate, least, most = (_share(slope / abs(self.level)) for slope in (self.slope, low, high))
        return Trend(rate, least, most, len(self.y), self.seasonal)

    def volatility(self) -> Quantity:
        """See Series.volatility()."""
        n = len(self.residuals)
        fitted = len(self._groups()) if self.seasonal else 2
        distance = sum(abs(r) for r in self.residuals) / n * math.sqrt(n / (n - fitted))
        return _share(NORMAL * distance / abs(self.level))


def change(series: Series, vs: Series | None) -> Quantity:
    """See Series.change()."""
    if vs is None:
        half = len(series.points) // 2
        made = type(series)
        vs, series = made(series.metric, series.points[:half]), made(series.metric, series.points[half:])
    elif vs.metric.unit is not series.metric.unit:
        raise TypeError(f"{series.metric.name} cannot be compared with {vs.metric.name}: their units differ")
    levels = []
    for one in (vs, series):
        periods = [p.period for p in one.points if p.value is not None]
        days = [p.stop - p.start if one.metric.kind == SUM else 1 for p in periods]
        if not days:
            raise _too_few(one, 0, 1, "its level")
        ordered = sorted(value / length for value, length in zip(one.known, days, strict=True))
        at = len(ordered) // 2
        levels.append(ordered[at] if len(ordered) % 2 else (ordered[at - 1] + ordered[at]) / 2)
    return levels[1] / levels[0] - 1


def shift(series: Series, after: Day | None) -> Shift | None:
    """See Series.shift()."""
    from .day import Day

    values = _without_season(series, after)
    first = after.number if after is not None else -(1 << 40)
    n = len(values)
    allowed = [i for i in range(LEAST_SIDE, n - LEAST_SIDE + 1) if values[i][0] >= first] if n else []
    if not allowed:
        raise _too_few(
            series, n, 2 * LEAST_SIDE, "a shift of its level" + (f" after {after}" if after else "")
        )
    ys = [y for _, y in values]
    ranks = _ranks(ys)
    best, total = 0.0, 0.0
    for i in range(1, n):
        total += ranks[i - 1]
        if i in allowed:
            best = max(best, abs(2 * total - i * (n + 1)))
    if not best:
        return None
    at = min(allowed, key=lambda i: _distance(ys[:i]) + _distance(ys[i:]))
    before, later = ys[:at], ys[at:]
    was, now = _median(before), _median(later)
    if not was:
        raise NotEnoughEvidence(
            f"{series.metric.name} was 0 in most periods before, so its change is no share"
        )
    rest = [y - was for y in before] + [y - now for y in later]
    p = min(1.0, 2 * math.exp(-6 * best * best / ((n**3 + n**2) * _persistence(rest))))
    return Shift(Day.of(values[at][0]), p, now / was)


def _without_season(series: Series, after: Day | None) -> list[tuple[int, float]]:
    """(first day, value) of each known period; divided by what its season was before `after`, where that is a year."""
    per_day, cycle = series.metric.kind == SUM, _cycle(series)
    known = []
    for n, point in enumerate(series.points):
        if point.value is not None:
            start, stop, _ = point.period
            known.append((n, start, point.value.number / (stop - start if per_day else 1)))
    usual: dict[int, list[float]] = {}
    if after is not None and cycle:
        for n, start, y in known:
            if start < after.number:
                usual.setdefault(n % cycle, []).append(y)
    if not usual or len(usual) < cycle or any(_median(ys) <= 0 for ys in usual.values()):
        return [(start, y) for _, start, y in known]
    season = {n: _median(ys) for n, ys in usual.items()}
    return [(start, y / season[n % cycle]) for n, start, y in known]


def _cycle(series: Series) -> int:
    """How many periods make a year; 0: they do not fit into one."""
    days = [p.period.stop - p.period.start for p in series.points]
    if days and all(28 <= d <= 31 for d in days) and len(series.points[0].period.name) == 7:  # 2026-06
        return 12
    return 52 if days and all(d == 7 for d in days) else 0


def _same_season(at: Sequence[int], cycle: int) -> int:
    """How many seasons are known of two years."""
    seen: dict[int, int] = {}
    for n in at:
        seen[n % cycle] = seen.get(n % cycle, 0) + 1
    return sum(times > 1 for times in seen.values())


def _score_variance(values: Sequence[float]) -> float:
    """Variance of Kendall's score of a series without a trend, with ties (Kendall 1975)."""
    n = len(values)
    ties: dict[float, int] = {}
    for value in values:
        ties[value] = ties.get(value, 0) + 1
    tied = sum(t * (t - 1) * (2 * t + 5) for t in ties.values())
    return (n * (n - 1) * (2 * n + 5) - tied) / 18


def _persistence(residuals: Sequence[float]) -> float:
    """By what the variance of a sum of ranks grows where each period resembles the one before as in a first-order
    autoregression, (1 + r) / (1 - r) (Bayley and Hammersley 1946). What few periods show of r is
    too little, by (1 + 3 r) / n (Kendall 1954) and another 1 / n for what was fitted, so that is added."""
    n = len(residuals)
    away = [rank - (n + 1) / 2 for rank in _ranks(residuals)]
    whole = sum(a * a for a in away)
    if not whole:
        return 1.0
    r = sum(a * b for a, b in zip(away, away[1:], strict=False)) / whole
    r = min(max(r + (2 + 3 * r) / n, 0.0), 0.9)
    return (1 + r) / (1 - r)


def _distance(values: Sequence[float]) -> float:
    middle = _median(values)
    return sum(abs(value - middle) for value in values)


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal values share the middle of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    out = [0.0] * len(values)
    i = 0
    while i < len(order):
        j = i
        while j + 1 < len(order) and values[order[j + 1]] == values[order[i]]:
            j += 1
        for k in range(i, j + 1):
            out[order[k]] = (i + j) / 2 + 1
        i = j + 1
    return out


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _share(value: float) -> Quantity:
    """A ratio to six digits: more would differ between machines."""
    return Quantity(*exact(float(f"{value:.6g}")), RATIO)


def _too_few(series: Series, known: int, least: int, what: str) -> NotEnoughEvidence:
    points, name = series.points, series.metric.name
    asks = []
    if points:
        missing = [p.period for p in points if p.value is None]
        start = missing[0].start if missing else points[0].period.start
        stop = missing[-1].stop if missing else points[-1].period.stop
        note = "" if missing else "a longer window"
        asks = [Ask(name, name, start, stop, note=note)]
    return NotEnoughEvidence(
        f"{name} is known for {known} of {len(points)} periods, and {what} needs {least}", *asks
    )
