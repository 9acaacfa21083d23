# SPDX-License-Identifier: Apache-2.0
"""The course of a figure: by week or month as quantities, by day as the snapshot holds it."""

from __future__ import annotations

from .day import Day, Period
from .missing import NotEnoughEvidence
from .quantity import Quantity, Unit
from .reader import RawSeries
from .view import Metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NamedTuple, TypeVar

    from .trend import Shift, Trend

    N = TypeVar("N", float, Quantity)
else:
    from .light import NamedTuple


class Point(NamedTuple):
    """One period of a series; value None: not known."""

    period: Period
    value: Quantity | None


class Series:
    """Values of a metric, one for each week or month."""

    __slots__ = ("metric", "points")

    def __init__(self, metric: Metric, points: list[Point]) -> None:
        self.metric, self.points = metric, points

    def __len__(self) -> int:
        return len(self.points)

    @property
    def known(self) -> list[Quantity]:
        """The values that are known, oldest first."""
        return [point.value for point in self.points if point.value is not None]

    def median(self) -> Quantity:
        """The middle one of the known values."""
        return middle(self.known)

    def slope(self) -> float:
        """By what share of the median it moves in each period: the median of the slopes of all pairs
        (Theil-Sen), which a single odd period cannot turn."""
        known = [(n, point.value.number) for n, point in enumerate(self.points) if point.value is not None]
        if len(known) < 3:
            raise NotEnoughEvidence(
                f"{self.metric.name} is known for {len(known)} of {len(self.points)} periods, "
                "and a course needs 3"
            )
        slopes = [(b - a) / (m - n) for i, (n, a) in enumerate(known) for m, b in known[i + 1 :]]
        level = middle([value for _, value in known])
        if not level:
            raise NotEnoughEvidence(f"{self.metric.name} is 0 in most periods, which has no course")
        return middle(slopes) / abs(level)

    def trend(self) -> Trend:
        """By what share of its level it moves a year, with the range in which nine of ten such rates lie: the median of
        the slopes of all pairs of periods, and the slopes at the ranks that Kendall's score leaves open (Theil 1950,
        Sen 1968). Where two years are there only the same seasons are paired (Hirsch, Slack and Smith 1982). The range
        is wider where periods resemble those before them. At least 6 known periods."""
        from .trend import Course  # seldom needed: rules that do not ask do not load it

        return Course(self).trend()

    def volatility(self) -> Quantity:
        """How far a period usually lies from the course, as a share of the level: the mean distance from the trend, times
        1.25, which is the standard deviation where distances are normal (Geary 1935). Seasons are taken out where two
        years are there."""
        from .trend import Course

        return Course(self).volatility()

    def change(self, vs: Series | None = None) -> Quantity:
        """By what share its middle period lies above (+) or below (-) that of `vs`; without one, that of its second half
        against the first. Sums of periods of unlike length are compared by day."""
        from .trend import change

        return change(self, vs)

    def shift(self, after: Day | None = None) -> Shift | None:
        """The one day, at or after `after`, at which the level most likely changed: the split that leaves both sides
        closest to their medians. `p` is Pettitt's (1979), from how far such a split sets the ranks apart, and larger where
        periods resemble those before them. A steady rise sets ranks apart as well: look at trend(), too. Where a year
        before `after` is known, each period is held against its season of then. None: nothing sets them apart. 4 known
        periods on either side."""
        from .trend import shift

        return shift(self, after)


class Daily:
    """Values of a metric by day. numpy.asarray(series.raw) and Arrow's capsules take them without a copy."""

    __slots__ = ("raw", "unit")

    def __init__(self, raw: RawSeries, unit: Unit) -> None:
        self.raw, self.unit = raw, unit

    def __len__(self) -> int:
        return len(self.raw)

    def __getitem__(self, index: int) -> float:
        return self.raw[index] / self.raw.scale

    def slope(self) -> Quantity:
        """What it gains (+) or loses (-) each day: the line that lies closest to its days (least squares)."""
        n = len(self.raw)
        if n < 2:
            raise NotEnoughEvidence(f"a slope needs 2 days, and this is {n}")
        return Quantity(6 * self.raw.moment(), n * (n * n - 1), self.unit)

    @property
    def days(self) -> list[Day]:
        """The day of each value."""
        return [Day.of(self.raw.day0 + n) for n in range(len(self.raw))]

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        return self.raw.__arrow_c_array__(requested_schema)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.raw.__arrow_c_stream__(requested_schema)


def middle(values: Sequence[N]) -> N:
    """The median, of numbers or of quantities of one unit."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
