# SPDX-License-Identifier: Apache-2.0
"""What reports say of one partner: figures that somebody else has added up, web analytics for example. They came as
observations and are in no cell, so they answer for whole periods only, where the cells do not speak for the window.

Periods follow one another without a gap, or one of them is the window itself. Figures of two sources are never put
together, and what may not be added (visitors) answers for exactly the period that it was told of."""

from __future__ import annotations

from . import run
from .day import Period, day_number, iso
from .missing import NotEnoughEvidence
from .quantity import Quantity
from .reader import DECLARED, DISTINCT, DISTRIBUTION, KNOWN, ORIGINS, RATIO, SUM, VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .measure import Measure

    Row = dict[str, Any]
    Span = tuple[int, int]  # first day, and the day after the last
    Told = dict[Span, dict[str, Row]]  # by period, by value of a view ("" for the total)

_ORDER = (ORIGINS.index("shop"), ORIGINS.index("analytics"))  # where nobody asked for one of them


class Reports:
    """Reports of one partner, by metric, origin, view and source."""

    __slots__ = ("_told",)

    def __init__(self, observations: Iterable[Row]) -> None:
        self._told: dict[tuple[str, int], dict[tuple[int, str], Told]] = {}
        for row in observations:
            name = str(row.get("origin") or "declared")
            origin = ORIGINS.index(name) if name in ORIGINS else DECLARED
            view, value = _place(str(row.get("dims") or ""))
            if origin == DECLARED or view < 0 or not row.get("to"):
                continue
            span = day_number(str(row["from"])), day_number(str(row["to"]))
            told = self._told.setdefault((str(row.get("metric")), origin), {})
            told.setdefault((view, str(row.get("source") or "")), {}).setdefault(span, {})[value] = row

    def __bool__(self) -> bool:
        return bool(self._told)

    def origins(self, metric: str) -> list[int]:
        """Which origins tell of it."""
        return sorted(origin for name, origin in self._told if name == metric)

    def find(self, metric: str, origin: int, view: int, start: int, stop: int) -> Told:
        """The periods that make up [start, stop), of the first source that has them, in order; or none."""
        by_source = self._told.get((metric, origin), {})
        for (of_view, source), told in sorted(by_source.items(), key=_source):
            if of_view == view:
                if view:  # where there was nothing as a whole, there is no row of a value
                    quiet: Told = {}
                    for span, rows in by_source.get((0, source), {}).items():
                        if not rows[""]["value"] and _adds(rows):
                            quiet[span] = {}
                    told = {**quiet, **told}
                spans = _tiles(told, start, stop)
                if spans:
                    return {span: told[span] for span in spans}
        return {}


def _source(item: tuple[tuple[int, str], Told]) -> tuple[int, str]:
    return item[0]


def _place(dims: str) -> tuple[int, str]:
    """View and value of "country=PL"; (0, "") of the total, (-1, "") of what is kept by no view or by two."""
    if not dims:
        return 0, ""
    view, _, value = dims.partition("=")
    if "," in value or view not in VIEWS[1:]:
        return -1, ""
    return VIEWS.index(view), value.replace("%2C", ",").replace("%25", "%")


def _adds(rows: dict[str, Row]) -> bool:
    return all(row.get("additive", True) for row in rows.values())


def _tiles(told: Told, start: int, stop: int) -> list[Span]:
    """Periods without a gap or an overlap from start to stop, the longest ones first."""
    if (start, stop) in told:
        return [(start, stop)]
    ends: dict[int, list[int]] = {}
    for (first, after), rows in told.items():
        if start <= first < after <= stop and _adds(rows):
            ends.setdefault(first, []).append(after)
    leads = {stop: stop}  # from a day to the end of the period that leads on to stop
    for first in sorted(ends, reverse=True):
        afters = [day for day in ends[first] if day in leads]
        if afters:
            leads[first] = max(afters)
    spans, at = [], start
    while at < stop and at in leads:
        spans.append((at, leads[at]))
        at = leads[at]
    return spans if at == stop else []


def _found(measure: Measure, start: int, stop: int) -> tuple[int, Told]:
    """The origin that tells of the window, and its periods."""
    reports = measure.partner.view.reports(measure.partner.index)
    if reports and measure.metric.kind != DISTRIBUTION:
        for origin in _ORDER if measure._origin < 0 else (measure._origin,):
            told = reports.find(measure.metric.name, origin, measure._view, start, stop)
            if told:
                return origin, told
    return -1, {}


def _wanted(measure: Measure, rows: dict[str, Row]) -> list[Row]:
    """Of one period, the rows of the values that the measure is narrowed to; a value without a row had nothing."""
    if measure._values is None:
        return [rows[""]] if "" in rows else []
    return [
        row
        for value, row in rows.items()
        if any(value.startswith(v) if v.endswith("/") else value == v for v in measure._values)
    ]


def read(measure: Measure, start: int, stop: int) -> Quantity | None:
    """What reports say of the window; None: nothing, or too little."""
    origin, told = _found(measure, start, stop)
    if not told:
        return _ratio(measure, start, stop) if measure.metric.kind == RATIO else None
    if measure.metric.kind == DISTINCT and measure._values is not None and len(measure._values) > 1:
        raise TypeError(
            f"{measure.metric.name} counts who came, and who came two ways would be counted twice; take one value"
        )
    top = 0
    for (first, after), rows in told.items():
        for row in _wanted(measure, rows):
            value, missing = measure._converted(row, first, after)
            if missing is not None:
                return None
            top += value
    _note(measure, start, stop, top, measure._parts, ORIGINS[origin])
    return Quantity(top, measure._parts, measure.metric.unit)


def _note(measure: Measure, start: int, stop: int, top: int, bottom: int, origin: str) -> None:
    days, part = stop - start, "reported"
    if measure._values is not None:
        part = f"{VIEWS[measure._view]}={' '.join(measure._values)} reported"
    run.now.reads.append(
        run.Read(
            measure.metric.name,
            start,
            stop,
            KNOWN,
            top,
            bottom,
            measure.metric.unit,
            days,
            days,
            origin,
            part,
        )
    )


def _ratio(measure: Measure, start: int, stop: int) -> Quantity | None:
    """A quotient of which reports tell at least one part: orders of the shop for each visit that they tell of."""
    from .catalogue import METRICS  # the snapshot does not say what a ratio is made of

    view, name = measure.partner.view, measure.metric.name
    reports = view.reports(measure.partner.index)
    (row,) = (row for row in METRICS if row.name == name)
    whole = {row.top[0][1]: row.name for row in METRICS if row.kind == SUM and len(row.top) == 1}
    names = {part: whole.get(part) for _, part in (*row.top, *row.bottom)}
    if not any(part and reports.origins(part) for part in names.values()):
        return None
    sums = [0, 0]
    try:
        for n, terms in enumerate((row.top, row.bottom)):
            for sign, part in terms:
                of = names[part]
                if of is None:
                    return None
                term = type(measure)(
                    measure.partner, view.metric(of), measure._origin, measure._view, measure._values
                )
                sums[n] += sign * term.over(Period(start, stop, iso(start))).top
    except NotEnoughEvidence:
        return None
    if not sums[1]:
        return None
    top, bottom = sums if sums[1] > 0 else (-sums[0], -sums[1])
    _note(measure, start, stop, top, bottom, ORIGINS[measure._origin] if measure._origin >= 0 else "")
    return Quantity(top, bottom, measure.metric.unit)


def spoken_of(measure: Measure) -> str:
    """Why reports that tell of the metric do not answer; "" where none does."""
    told = measure.partner.view.reports(measure.partner.index).origins(measure.metric.name)
    if not (measure._origin in told if measure._origin >= 0 else set(told) & set(_ORDER)):
        return ""
    if measure.metric.kind == DISTINCT:
        return "reports tell of other days, and who came on two of them would count twice"
    return "reports tell of other days, which do not make these up"


def tells(measure: Measure, start: int, stop: int) -> bool:
    """Whether reports make up the window."""
    return bool(_found(measure, start, stop)[1])


def values(measure: Measure, view: int, start: int, stop: int) -> list[str]:
    """Values of a view that reports tell of in the window."""
    cut = type(measure)(measure.partner, measure.metric, measure._origin, view, ())
    told = _found(cut, start, stop)[1]
    return sorted({value for rows in told.values() for value in rows})


def daily(measure: Measure, start: int, stop: int) -> Days:
    """Values by day. NotEnoughEvidence where reports tell longer periods only."""
    told = _found(measure, start, stop)[1]
    longest = max((after - first for first, after in told), default=0)
    if longest != 1:
        raise NotEnoughEvidence(
            f"{measure.title} is not known by day: reports tell of periods of {longest} days"
            if longest
            else f"{measure.title} is not known by day"
        )
    sums = [
        sum(measure._converted(row, first, after)[0] for row in _wanted(measure, rows))
        for (first, after), rows in told.items()
    ]
    return Days(start, measure.metric.unit.scale, measure.metric.unit.kind, sums)


class Days:
    """Values by day that reports tell, read like those of a snapshot; there is no memory behind them to share."""

    __slots__ = ("day0", "scale", "unit", "_values")

    def __init__(self, day0: int, scale: int, unit: str, values: list[int]) -> None:
        self.day0, self.scale, self.unit, self._values = day0, scale, unit, values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: int) -> int:
        return self._values[index]

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    def moment(self) -> int:
        """The sum of (2 i - last) * value."""
        last = len(self._values) - 1
        return sum((2 * i - last) * value for i, value in enumerate(self._values))

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        raise TypeError("days that reports tell are no array: read them one by one")

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise TypeError("days that reports tell are no array: read them one by one")
