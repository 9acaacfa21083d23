# SPDX-License-Identifier: Apache-2.0
"""What a window should have been: the same days a year earlier, times how the weeks before the window did against the
same weeks of that year. Imported when the first rule asks for it."""

from __future__ import annotations

import math

from .day import Day, Period, Window, last_year
from .missing import Ask, NotEnoughEvidence
from .quantity import RATIO, Quantity, exact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NamedTuple

    from .measure import Measure
else:
    from .light import NamedTuple

WEEKS: Final = 13  # before the window, whose growth over the year is taken for the window's
LEAST_WEEKS: Final = 8
EIGHTY: Final = 1.2815515655446004  # of the normal distribution: eight in ten lie within so many deviations
NORMAL_MAD: Final = 1.4826  # a normal deviation is so many times the median distance


class Baseline(NamedTuple):
    """What a window should have been. Eight in ten windows without anything special lie from `low` to `high`."""

    value: Quantity
    low: Quantity
    high: Quantity
    growth: Quantity  # over the year, in the weeks before the window


def baseline(measure: Measure, window: Window) -> Baseline:
    """See Measure.baseline()."""
    view = measure.partner.view
    span = view.span(window)
    year_ago = measure.over(last_year(window))
    ratios = []
    for n in range(WEEKS, 0, -1):
        week = Period(span.start - 7 * n, span.start - 7 * (n - 1), f"week of {Day.of(span.start - 7 * n)}")
        # 364 days: Mondays are compared with Mondays
        same = Period(week.start - 364, week.stop - 364, f"week of {Day.of(week.start - 364)}")
        try:
            now, was = measure.over(week).number, measure.over(same).number
        except NotEnoughEvidence:
            continue
        if now > 0 and was > 0:
            ratios.append(math.log(now / was))
    if len(ratios) < LEAST_WEEKS:
        start = span.start - 7 * WEEKS - 364
        raise NotEnoughEvidence(
            f"{measure.title}: what {Day.of(span.start)} to {Day.of(span.stop - 1)} should have been needs {LEAST_WEEKS} of "
            f"the {WEEKS} weeks before it and the same a year earlier; {len(ratios)} are known",
            Ask(
                measure.title,
                measure.metric.name,
                start,
                span.start,
                note="a year and a quarter before the window",
            ),
        )
    ordered = sorted(ratios)
    n = len(ordered)
    usual = (ordered[n // 2] + ordered[(n - 1) // 2]) / 2
    distances = sorted(abs(r - usual) for r in ratios)
    weekly = NORMAL_MAD * (distances[n // 2] + distances[(n - 1) // 2]) / 2
    weeks = (span.stop - span.start) / 7
    around = EIGHTY * weekly * math.sqrt(_persistence(ratios, usual) * (1 / weeks + math.pi / (2 * n)))
    growth, low, high = (_ratio(math.exp(value)) for value in (usual, usual - around, usual + around))
    if year_ago < 0:
        low, high = high, low
    return Baseline(year_ago * growth, year_ago * low, year_ago * high, growth)


def _persistence(values: list[float], centre: float) -> float:
    """By what the variance of a mean grows because each week resembles the one before: that of a first-order
    autoregression, (1 + r) / (1 - r), r from 0 to 0.8."""
    away = [value - centre for value in values]
    whole = sum(a * a for a in away)
    r = sum(a * b for a, b in zip(away, away[1:], strict=False)) / whole if whole else 0.0
    r = min(max(r, 0.0), 0.8)
    return (1 + r) / (1 - r)


def _ratio(value: float) -> Quantity:
    return Quantity(*exact(float(f"{value:.6g}")), RATIO)
