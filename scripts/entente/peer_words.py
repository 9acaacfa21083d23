# SPDX-License-Identifier: Apache-2.0
"""Words of cohorts that few rules need: the usual share of each part, how much figures swing, peers at the same age. What is
released passes the floor, and is logged, as all figures of cohorts do."""

from __future__ import annotations

from . import run
from .cohort import Cohort, CohortMeasure, Figures, node_of
from .day import Period, Span, Window, day_number, months_before, spoken
from .missing import Ask, NotEnoughEvidence
from .peers import Pair, Peers, Place
from .quantity import DAYS, RATIO, Quantity, Unit
from .reader import KNOWN, SUM, VIEWS
from .releases import unpacked
from .run import Read
from .series import Point, Series
from .view import Metric, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Final

_FINE: Final = 10**6  # parts of one in which ratios that were reckoned with floats are kept


# ---- shares ----------------------------------------------------------------------------------------------------------


class CohortCut:
    """A metric of a cohort cut by a view."""

    __slots__ = ("_measure", "_view")

    def __init__(self, measure: CohortMeasure, view: int) -> None:
        self._measure, self._view = measure, view

    def over(self, window: Window) -> CohortParts:
        """Its parts over the window."""
        return CohortParts(self._measure, self._view, self._measure.cohort.view.span(window))


class CohortParts:
    """The parts of a metric of a cohort over a window."""

    __slots__ = ("_measure", "_view", "_span")

    def __init__(self, measure: CohortMeasure, view: int, span: Span) -> None:
        self._measure, self._view, self._span = measure, view, span

    def shares(self) -> PeerShares:
        """Which share of its total each partner has in each part. Who has nothing in a part counts with 0."""
        span = self._span
        found = node_of(_Shares(self._measure, self._view, span.start, span.stop)).read()
        assert isinstance(found, PeerShares)
        return found


def cut_by(measure: CohortMeasure, view: str) -> CohortCut:
    """measure.by(view)."""
    if view not in VIEWS[1:]:
        raise ValueError(f"no view is called {view!r}; there are {', '.join(VIEWS[1:])}")
    if measure.metric.kind != SUM or measure._value:
        raise TypeError(
            f"{measure.metric.name} has no parts that add up to a whole; take a sum, such as revenue.net"
        )
    return CohortCut(measure, VIEWS.index(view))


class _Shares(Figures):
    """The share of each value of a view, of each partner whose total is known and not 0."""

    __slots__ = ("_origin", "_view")

    def __init__(self, measure: CohortMeasure, view: int, start: int, stop: int) -> None:
        super().__init__(measure.cohort, measure.metric, start, stop, "")
        self._origin, self._view = measure._origin, view
        self.unit = RATIO
        self.slice = f"by {VIEWS[view]} {measure._origin}"
        self.part = f"shares by {VIEWS[view]}"

    def values(self, who: list[int]) -> dict[int, Pair]:
        snapshot, found = self.cohort.view.snapshot, {}
        for one in who:
            state, top, *_ = snapshot.window(
                one, self.metric.number, self.start, self.stop, self._origin, 0, ""
            )
            if state == KNOWN and top > 0:
                found[one] = top, 1
        return found

    def made(self, name: str, ordered: list[Place], who: bytes) -> PeerShares:
        snapshot, number, view = self.cohort.view.snapshot, self.metric.number, self._view
        totals = self.values(list(unpacked(who)))
        parts: dict[str, dict[int, int]] = {}
        for one in totals:
            for value in snapshot.values(one, number, view, self.start, self.stop, self._origin):
                state, top, *_ = snapshot.window(
                    one, number, self.start, self.stop, self._origin, view, value
                )
                if state == KNOWN and top > 0:
                    parts.setdefault(value, {})[one] = top
        least = self.cohort.view.floor.least
        shares = {
            value: Peers(
                name,
                sorted(
                    (tops.get(one, 0) / total, tops.get(one, 0), total) for one, (total, _) in totals.items()
                ),
                RATIO,
                self.cohort.view,
            )
            for value, tops in sorted(parts.items())
            if len(tops) >= least  # a part that few have would tell who they are
        }
        return PeerShares(name, len(totals), shares, Peers(name, ordered, self.metric.unit, self.cohort.view))

    def dominated(self, found: Any) -> str:
        return str(found.totals.dominated(1))


class PeerShares:
    """Released shares of the parts of a figure: of each that at least k partners have."""

    __slots__ = ("cohort", "size", "totals", "_parts")

    def __init__(self, cohort: str, size: int, parts: dict[str, Peers], totals: Peers) -> None:
        self.cohort, self.size, self.totals, self._parts = cohort, size, totals, parts

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __getitem__(self, key: str) -> Peers:
        """Of one part: .median .quantile(q) .share(at_least=x)."""
        return self._parts[key]

    @property
    def median(self) -> Mapping[str, Quantity]:
        """The median share of each part."""
        return {key: part.median for key, part in self._parts.items()}

    def quantile(self, q: float) -> Mapping[str, Quantity]:
        """A quantile of the shares of each part."""
        return {key: part.quantile(q) for key, part in self._parts.items()}

    def quantiles(self) -> object:
        """All that may be told: whoever read any of it runs again when it changes."""
        return [(key, part._places) for key, part in self._parts.items()]

    def headline(self) -> tuple[int, int, Unit]:
        """The median share of the largest part, as evidence."""
        medians = [part.median for part in self._parts.values()]
        largest = max(medians, key=lambda share: share.fraction, default=Quantity(0, 1, RATIO))
        return largest.top, largest.bottom, RATIO


# ---- how much figures swing --------------------------------------------------------------------------------------------


class CohortSeries:
    """A metric of a cohort by month."""

    __slots__ = ("_measure", "_periods")

    def __init__(self, measure: CohortMeasure, window: Window | int) -> None:
        view = measure.cohort.view
        self._measure = measure
        if isinstance(window, int):
            self._periods = months_before(view.as_of, window)
        else:
            span = view.span(window)
            months = months_before(span.stop - 1, (span.stop - span.start) // 28)
            self._periods = [month for month in months if month.start >= span.start]
        if not self._periods:
            raise ValueError(f"no calendar month lies in the window {window}; take a longer one")

    def volatility(self) -> Peers:
        """How far a month usually lies from the course, at each partner: Series.volatility()."""
        found = node_of(_Volatility(self._measure, self._periods)).read()
        assert isinstance(found, Peers)
        return found


class _Volatility(Figures):
    """How much each partner's months swing."""

    __slots__ = ("_periods", "_origin")

    def __init__(self, measure: CohortMeasure, periods: list[Period]) -> None:
        if measure._value:
            raise TypeError(
                "how much figures of a cohort swing is known of the whole only; leave where() out"
            )
        super().__init__(
            measure.cohort, measure.metric, periods[0].start, periods[-1].stop, "volatility by month"
        )
        self._periods, self._origin = periods, measure._origin
        self.unit, self.part = RATIO, "volatility by month"
        self.slice += f" {measure._origin}"

    def values(self, who: list[int]) -> dict[int, Pair]:
        snapshot, metric = self.cohort.view.snapshot, self.metric
        found: dict[int, Pair] = {}
        for one in who:
            points = []
            for period in self._periods:
                state, top, bottom, *_ = snapshot.window(
                    one, metric.number, period.start, period.stop, self._origin, 0, ""
                )
                points.append(Point(period, Quantity(top, bottom, metric.unit) if state == KNOWN else None))
            try:
                swing = Series(metric, points).volatility()
            except NotEnoughEvidence:
                continue
            found[one] = round(swing.number * _FINE), _FINE
        return found


# ---- at the same age ---------------------------------------------------------------------------------------------------


def at_same_age(cohort: Cohort, metric: str, window: Window) -> Peers:
    """Cohort.at_same_age()."""
    view, found, who = cohort.view, cohort.view.metric(metric), cohort.asker
    span = view.span(window)
    days, name = span.stop - span.start, view.ids[who]
    born = _born(view, who, found.number)
    if born is None:
        raise NotEnoughEvidence(
            f"how old {name} is as a partner is not known",
            Ask(f"since when {name} is a partner, in its profile"),
        )
    age = view.as_of + 1 - born
    run.now.reads.append(Read(found.name, born, view.as_of + 1, KNOWN, age, 1, DAYS, -1, slice="age"))
    if age < days:
        raise NotEnoughEvidence(f"{name} is {age} days old, and {spoken(span.start, span.stop)} are {days}")
    reached = age // days * days
    peers = node_of(_AtAge(cohort, found, span, reached)).read()
    assert isinstance(peers, Peers)
    return peers


class _AtAge(Figures):
    """A metric over the days that end at an age, of all that have been so old. Ages are whole windows, so that partners that
    are a few days apart are told the same, and those that are more share no day."""

    __slots__ = ("_age",)

    def __init__(self, cohort: Cohort, metric: Metric, span: Span, age: int) -> None:
        super().__init__(cohort, metric, span.start, span.stop, f"at age {age}")
        self._age = age
        self.part = f"at {age} days"

    def values(self, who: list[int]) -> dict[int, Pair]:
        view, metric, found = self.cohort.view, self.metric, {}
        for one in who:
            born = _born(view, one, metric.number)
            if born is None or born + self._age > view.as_of + 1:
                continue
            stop = born + self._age
            start = stop - (self.stop - self.start)
            state, top, bottom, *_ = view.snapshot.window(one, metric.number, start, stop)
            if state == KNOWN:
                found[one] = top, bottom
        return found

    def dominated(self, found: Any) -> str:
        return str(found.dominated(1 if self.metric.kind == SUM else 2))


def _born(view: View, partner: int, metric: int) -> int | None:
    """The day on which a partner began: signed, or the first that a source speaks for."""
    signed = view.attribute(partner, "signed_on")
    if signed:
        return day_number(signed)
    return min((first for first, _, _, _ in view.snapshot.covers(partner, metric)), default=None)
