# SPDX-License-Identifier: Apache-2.0
"""Reading one metric of one partner: whole, by channel or any other view, by origin, by day or month."""

from __future__ import annotations

from . import reports, run
from .breakdown import NO_VALUE, Breakdown, seconds_of
from .day import (
    Day,
    Period,
    Window,
    cut,
    day_number,
    month_after,
    months_before,
    spoken,
)
from .missing import Ask, NotEnoughEvidence
from .native import Look, bind
from .quantity import COUNT, DAYS, GRADES, PIECES, RATIO, SECONDS, Quantity, Unit, round_half_even
from .reader import (
    CUSTOMER,
    DECLARED,
    DISTINCT,
    DISTRIBUTION,
    KNOWN,
    NO_COVERAGE,
    NO_DENOMINATOR,
    NO_RATE,
    ORIGINS,
    SUM,
    VIEWS,
)
from .reader import RATIO as QUOTIENT
from .run import Read
from .series import Daily, Point, Series
from .titles import title
from .view import LEAST_COVERAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from .baseline import Baseline
    from .forecast import Forecast
    from .reader import Snapshot

RATE_ONE: Final = 10**12


class Measure(Look):
    """One metric of one partner. `over()` reads it; everything else narrows what is read."""

    __slots__ = ()

    @property
    def label(self) -> str:
        """Its name, and what it is narrowed to: revenue.net, channel online/web."""
        text = self.metric.name
        if self._values is not None:
            text += f", {VIEWS[self._view]} {' and '.join(v.rstrip('/') for v in self._values)}"
        return text if self._origin < 0 else f"{text} ({ORIGINS[self._origin]})"

    @property
    def slice(self) -> dict[str, str]:
        """What it is narrowed to, as where() takes it: {"channel": "online/web"}; {} of the whole."""
        found = {}
        for value in (self._values or ())[:1]:
            side = VIEWS[self._view] == "channel" and value.endswith("/")
            found = {"side": value[:-1]} if side else {VIEWS[self._view]: value}
        return found if self._origin < 0 else {**found, "origin": ORIGINS[self._origin]}

    @property
    def title(self) -> str:
        """How it is spoken of in a sentence: net revenue (online/web)."""
        if self._values is None and self._origin < 0:
            return title(self.metric.name)
        parts = [v.rstrip("/") for v in self._values or ()] + (
            [ORIGINS[self._origin]] if self._origin >= 0 else []
        )
        return title(self.metric.name) + (f" ({', '.join(parts)})" if parts else "")

    def where(self, *, origin: str | None = None, side: str | None = None, **view: str) -> Measure:
        """Only one origin, one side (online, offline) or one value of a view: where(channel="online/web")."""
        number, picked, values = self._origin, self._view, self._values
        if origin is not None:
            if origin not in ORIGINS:
                raise ValueError(f"no origin is called {origin!r}; there are {', '.join(ORIGINS)}")
            number = ORIGINS.index(origin)
        if side is not None:
            view["channel"] = f"{side}/"
        if len(view) + (values is not None) > 1:
            raise ValueError("figures are kept by one view at a time; narrow to a single one")
        for name, value in view.items():
            picked, values = self._view_number(name), (value,)
        return Measure(self.partner, self.metric, number, picked, values)

    def by(self, view: str) -> Cut:
        """Cut by a view: by("channel").over("28d")."""
        return Cut(self, self._view_number(view))

    def by_origin(self) -> Origins:
        """What each origin says: shop, analytics, declared. They are compared, never added."""
        return Origins(self)

    def _slow(self, window: Window, least_coverage: float = LEAST_COVERAGE) -> Quantity:
        """over(), for all that C does not read itself."""
        view = self.partner.view
        start, stop = view.spans.get(window) or view.span(window)
        if self._values is not None:
            return self._over_values(start, stop, least_coverage)
        if self._origin == DECLARED:
            return self._over_declared(start, stop)
        metric = self.metric
        state, top, bottom, covered, declared, day = view.snapshot.window(
            self.partner.index, metric.number, start, stop, self._origin, 0, ""
        )
        unit, origin = metric.unit, ORIGINS[self._origin] if self._origin >= 0 else ""
        read = (metric.name, start, stop, state, top, bottom, unit, covered, declared, origin, "", "", 0)
        days = stop - start
        if state != KNOWN or covered < least_coverage * days:
            told = self._reported(start, stop, state)
            if told is not None:
                return told
            run.now.reads.append(Read(*read))
            raise self._missing(start, stop, state or NO_COVERAGE, day)
        run.now.reads.append(Read(*read))
        return Quantity(top, bottom, unit, covered / days)

    def _reported(self, start: int, stop: int, state: int) -> Quantity | None:
        """What reports say, where the cells do not speak for the window; None: nothing."""
        return reports.read(self, start, stop) if state in (KNOWN, NO_COVERAGE) else None

    def change(self, window: Window, since: Window, least_coverage: float = LEAST_COVERAGE) -> Quantity:
        """By what share it rose (+) or fell (-) from `since` to `window`."""
        was, now = self.over(since, least_coverage), self.over(window, least_coverage)
        return now / was - 1

    def median(self, window: Window) -> Quantity:
        """The median of a distribution, such as days_to_paid."""
        return self.quantile(window, 0.5)

    def quantile(self, window: Window, q: float) -> Quantity:
        """A quantile of a distribution; 1 % exact."""
        if self.metric.kind != DISTRIBUTION:
            raise TypeError(f"{self.metric.name} is one figure and no distribution; use over()")
        view = self.partner.view
        span = view.span(window)
        self.over(window)  # raises where the days are not covered
        state, value = view.snapshot.quantile(
            self.partner.index, self.metric.number, span.start, span.stop, q
        )
        self._note(span.start, span.stop, state, value, 1, part=f"quantile={q}")
        if state != KNOWN:
            raise self._missing(span.start, span.stop, state, span.start)
        return Quantity(value, 1, self.metric.unit)

    def coverage(self, window: Window) -> Quantity:
        """The share of the window's days for which a source speaks. Never raises."""
        view = self.partner.view
        span = view.span(window)
        state, top, bottom, covered, declared, _ = view.snapshot.window(
            self.partner.index, self.metric.number, span.start, span.stop, self._origin, 0, ""
        )
        if covered < span.stop - span.start and reports.tells(self, span.start, span.stop):
            covered = declared = span.stop - span.start
        self._note(span.start, span.stop, state, top, bottom, covered, declared)
        return Quantity(covered, span.stop - span.start, RATIO)

    def is_known(self) -> bool:
        """Whether any source ever spoke of it."""
        told = self.partner.view.reports(self.partner.index).origins(self.metric.name)
        known = bool(self._covers()) or (bool(told) if self._origin < 0 else self._origin in told)
        today = self.partner.view.as_of
        self._note(today, today + 1, KNOWN if known else NO_COVERAGE, 1, 1, part="ever known", unit=COUNT)
        return known

    def known_since(self) -> Day:
        """The first day for which a source speaks. NotEnoughEvidence if none ever did."""
        as_of = self.partner.view.as_of
        stretches = self._covered(-(1 << 30), as_of + 1)
        self._known(stretches)
        if not stretches:
            raise self._missing(as_of, as_of + 1, NO_COVERAGE, as_of)
        return Day.of(stretches[0][0])

    def known_until(self) -> Day:
        """The last day for which a source speaks, at most the moment of judgement."""
        as_of = self.partner.view.as_of
        stretches = self._covered(-(1 << 30), as_of + 1)
        self._known(stretches)
        if not stretches:
            raise self._missing(as_of, as_of + 1, NO_COVERAGE, as_of)
        return Day.of(stretches[-1][1] - 1)

    def observable_days(self, since: Day | None = None) -> int:
        """How many days up to now a source speaks for, from `since` on."""
        start = -(1 << 30) if since is None else since.number
        return self._known(self._covered(start, self.partner.view.as_of + 1))

    def _known(self, stretches: list[tuple[int, int]]) -> int:
        """How many days these are, kept as evidence."""
        days = sum(b - a for a, b in stretches)
        stop = self.partner.view.as_of + 1
        start, state = (stretches[0][0], KNOWN) if stretches else (stop - 1, NO_COVERAGE)
        self._note(start, stop, state, days, 1, days, part="days known", unit=DAYS)
        return days

    def daily(self, window: Window) -> Daily:
        """Its values by day, without a copy where they are kept so. Of metrics that can be summed."""
        if self.metric.kind != SUM:
            raise TypeError(
                f"{self.metric.name} cannot be read by day; weekly() and monthly() build it anew for each"
            )
        self.over(window)  # evidence, and the exception where days are missing
        view = self.partner.view
        span = view.span(window)
        value = "" if self._values is None else self._values[0]
        if value.endswith("/"):
            raise ValueError("days of a whole side are not kept; take one channel")
        state, _, _, covered, _, _ = view.snapshot.window(
            self.partner.index, self.metric.number, span.start, span.stop, self._origin, 0, ""
        )
        if state != KNOWN or covered < LEAST_COVERAGE * (span.stop - span.start):  # over() read a report
            return Daily(reports.daily(self, span.start, span.stop), self.metric.unit)
        snapshot, at = (
            (view.snapshot, self.partner.index) if not self._view else self._source(span.start, span.stop)
        )
        raw = snapshot.series(at, self.metric.number, span.start, span.stop, self._origin, self._view, value)
        return Daily(raw, self.metric.unit)

    def weekly(self, window: Window | None = None, *, since: Day | None = None) -> Series:
        """Its values by week, the last of which ends with the window, or with now where it is said `since` which day.
        Weeks not known are left out of the figures."""
        if (window is None) == (since is None):
            raise TypeError('write weekly("26w") or weekly(since=day)')
        if since is not None:
            as_of = self.partner.view.as_of
            if since.number + 7 > as_of + 1:
                raise NotEnoughEvidence(f"{self.title}: no week has passed since {since}")
            window = Period(since.number, as_of + 1, f"since {since}")
        return self._series(cut(self.partner.view.span(window or ""), 7))

    def monthly(self, window: int | Window) -> Series:
        """Its values by calendar month: of the last 6 that are over, or of those that lie in the window as a whole."""
        view = self.partner.view
        if isinstance(window, int):
            return self._series(months_before(view.as_of, window))
        span = view.span(window)
        months = [
            m for m in months_before(span.stop - 1, (span.stop - span.start) // 28) if m.start >= span.start
        ]
        if not months:
            raise ValueError(f"no calendar month lies in the window {window}; take a longer one")
        return self._series(months)

    def baseline(self, window: Window) -> Baseline:
        """What the window should have been: .value, and .low to .high, in which eight of ten windows lie without anything
        special. The same days a year earlier, times the .growth of the 13 weeks before the window over those of that year
        (their median; the range from how they scatter about it). Needs a year and a quarter before the window."""
        from .baseline import baseline  # seldom needed

        return baseline(self, window)

    def forecast(self, until: Day, over: Window) -> Forecast:
        """Where its figure over such a window may go, up to `until`: .chance(at_least=x, by=day), .first_day(at_least=x,
        chance=0.8), .at(day) as a spread. See forecast.py for how. At least 26 weeks must be known; it reaches half as far
        as the past that is known, and as far where that is two years."""
        from .forecast import Forecast  # seldom needed

        return Forecast(self, until, over)

    def _series(self, periods: list[Period]) -> Series:
        points: list[Point] = []
        for period in periods:
            try:
                points.append(Point(period, self.over(period)))
            except NotEnoughEvidence:
                points.append(Point(period, None))
        if not any(point.value is not None for point in points):
            start, stop = periods[0].start, periods[-1].stop
            raise self._missing(start, stop, NO_COVERAGE, start)
        return Series(self.metric, points)

    def _view_number(self, name: str) -> int:
        if name not in VIEWS[1:]:
            raise ValueError(f"no view is called {name!r}; there are {', '.join(VIEWS[1:])}")
        if self.metric.kind == DISTRIBUTION:
            raise TypeError(f"{self.metric.name} is kept as a whole only")
        return VIEWS.index(name)

    def _over_values(self, start: int, stop: int, least_coverage: float) -> Quantity:
        """The sum over some values of a view, or of all that begin with a side."""
        view, metric, index = self.partner.view, self.metric, self.partner.index
        whole = view.snapshot.window(index, metric.number, start, stop, self._origin, 0, "")
        state, covered, day = whole[0], whole[3], whole[5]
        snapshot, at = view.snapshot, index
        if state in (KNOWN, NO_DENOMINATOR):
            snapshot, at = self._source(start, stop)
        values: list[str] = []
        for wanted in self._values or ():
            if wanted.endswith("/"):
                values += [
                    v
                    for v in snapshot.values(at, metric.number, self._view, start, stop, self._origin)
                    if v.startswith(wanted)
                ]
            else:
                values.append(wanted)
        if (metric.kind == DISTINCT or metric.additivity == "whole") and len(values) > 1:
            raise TypeError(
                f"{metric.name} counts who came, and who came two ways would be counted twice; take one value"
            )
        top, bottom = 0, 0 if metric.kind not in (SUM, DISTINCT) else 1
        if state in (KNOWN, NO_DENOMINATOR):
            for value in values:
                one = snapshot.window(at, metric.number, start, stop, self._origin, self._view, value)
                if one[0] == NO_RATE:
                    state, day = one[0], one[5]
                elif one[0] == KNOWN:
                    top += one[1]
                    bottom = 1 if metric.kind in (SUM, DISTINCT) else bottom + one[2]
            if state != NO_RATE:
                state = KNOWN if bottom else NO_DENOMINATOR
        short = state == KNOWN and covered < least_coverage * (stop - start)
        told = self._reported(start, stop, state) if state == NO_COVERAGE or short else None
        if told is not None:
            return told
        part = f"{VIEWS[self._view]}={' '.join(self._values or ())}"
        self._note(start, stop, state, top, bottom or 1, covered, whole[4], part)
        if state != KNOWN or covered < least_coverage * (stop - start):
            raise self._missing(start, stop, state or NO_COVERAGE, day)
        return Quantity(top, bottom, metric.unit, covered / (stop - start))

    def _part(self, cut: Snapshot, start: int, stop: int, coverage: float) -> Quantity:
        """Its one value in what was made of the facts."""
        [value] = self._values or ("",)
        number = self.metric.number
        state, top, bottom, _, _, day = cut.window(0, number, start, stop, self._origin, self._view, value)
        if state != KNOWN:
            raise self._missing(start, stop, state, day)
        return Quantity(top, bottom, self.metric.unit, coverage)

    def _source(self, start: int, stop: int) -> tuple[Snapshot, int]:
        """Where the values of its view are read: the snapshot, or, if no cell keeps them, what is made of the facts."""
        partner = self.partner
        view = partner.view
        if VIEWS[self._view] in view.kept_views:
            return view.snapshot, partner.index
        from .table import cut_of  # few rules need it

        if self.metric.kind == DISTINCT and self._view > 1:
            raise NotEnoughEvidence(f"{self.metric.name} is known as a whole and by channel alone")
        return cut_of(partner, self.metric, self._view, start, stop, self._origin), 0

    def _over_declared(self, start: int, stop: int) -> Quantity:
        """What was said of exactly these days, or of periods that together make them up."""
        view, metric = self.partner.view, self.metric
        pieces: dict[int, tuple[int, dict[str, object]]] = {}
        rows = [
            row
            for row in view.about(self.partner.index).get("observations") or ()
            if row.get("metric") == metric.name
            and row.get("origin", "declared") == "declared"
            and not row.get("dims")
        ]
        monthly = all(str(row["from"])[8:10] == "01" for row in rows if not row.get("to"))
        for row in rows:
            first = day_number(str(row["from"]))
            if row.get("to"):
                after = day_number(str(row["to"]))
            else:  # one day; or its month, where all that is said without an end is said of the first of one
                after = month_after(first) if monthly else first + 1
            if first == start and after == stop:
                pieces = {first: (after, row)}
                break
            if metric.kind == SUM:
                pieces.setdefault(first, (after, row))
        at, found = start, []
        while at < stop and at in pieces:
            after, row = pieces[at]
            found.append((at, after, row))
            at = after
        state, top, day = NO_COVERAGE, 0, start
        if at == stop and found:
            state = KNOWN
            for first, after, row in found:
                value, missing = self._converted(row, first, after)
                if missing is not None:
                    state, day = NO_RATE, missing
                    break
                top += value
        self._note(start, stop, state, top, self._parts)
        if state != KNOWN:
            raise self._missing(start, stop, state, day)
        grade = min(GRADES.get(str(row.get("grade") or ""), GRADES[""]) for _, _, row in found)
        return Quantity(top, self._parts, metric.unit, 1.0, grade)

    @property
    def _parts(self) -> int:
        """Into how many parts of one a figure that was told is divided: a rate is less than one."""
        return 10**6 if self.metric.kind == QUOTIENT and self.metric.unit.scale == 1 else 1

    def _converted(self, row: dict[str, object], first: int, after: int) -> tuple[int, int | None]:
        """A declared value in the scale of the metric and in the reporting currency, at the mean rate of
        its days."""
        power = int(str(row.get("scale") or 6))
        value = int(str(row["value"])) * self.metric.unit.scale * self._parts
        view = self.partner.view
        currency = str(row.get("currency") or view.currency)
        if self.metric.unit.kind != "money" or currency == view.currency:
            return round_half_even(value, 10**power), None
        total = 0
        for day in range(first, after):
            rate = view.snapshot.rate(currency, day)
            if not rate:
                return 0, day
            total += rate
        return round_half_even(value * total, 10**power * RATE_ONE * (after - first)), None

    def _note(
        self,
        start: int,
        stop: int,
        state: int,
        top: int,
        bottom: int,
        covered: int = -1,
        declared: int = -1,
        part: str = "",
        unit: Unit | None = None,
    ) -> None:
        """Keep a look at the data as evidence."""
        origin = ORIGINS[self._origin] if self._origin >= 0 else ""
        unit = self.metric.unit if unit is None else unit
        run.now.reads.append(
            Read(self.metric.name, start, stop, state, top, bottom, unit, covered, declared, origin, part)
        )

    def _covers(self) -> list[tuple[int, int, bool, str]]:
        return self.partner.view.snapshot.covers(self.partner.index, self.metric.number, self._origin)

    def _covered(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Disjoint stretches of [start, stop) for which a source speaks, in order."""
        out: list[tuple[int, int]] = []
        for first, after, _, _ in sorted(self._covers()):
            first, after = max(first, start), min(after, stop)
            if first >= after:
                continue
            if out and first <= out[-1][1]:
                out[-1] = (out[-1][0], max(out[-1][1], after))
            else:
                out.append((first, after))
        return out

    def _missing(self, start: int, stop: int, state: int, day: int) -> NotEnoughEvidence:
        name, label, partner = self.metric.name, self.title, self.partner
        days = spoken(start, stop)
        if state == NO_RATE:
            currency = partner.view.attribute(partner.index, "currency") or "its currency"
            return NotEnoughEvidence(
                f"{label}, {days}: an exchange rate is missing",
                Ask(f"the rate of {currency} to {partner.view.currency}", name, day, day + 1),
            )
        if state == NO_DENOMINATOR:
            return NotEnoughEvidence(
                f"{label}, {days}: there is nothing to divide by",
                Ask(label, name, start, stop, note="nothing of what it is a share of happened then"),
            )
        if self._origin == DECLARED:
            return NotEnoughEvidence(
                f"{label}, {days}: nobody said what it was",
                Ask(f"what they say of their {label}", name, start, stop),
            )
        covers = self._covers()
        told = reports.spoken_of(self)
        if told and not covers:
            return NotEnoughEvidence(
                f"{label}, {days}: {told}", Ask(label, name, start, stop, note="a report of just these days")
            )
        if not covers:
            return NotEnoughEvidence(
                f"{label}: no source gives it",
                Ask(label, name, start, stop, note="no source gives it so far"),
            )
        gaps = _source_gaps(covers, start, stop)
        if not gaps:
            sources = " and ".join(sorted({cover[3] for cover in covers if cover[3]}))
            return NotEnoughEvidence(
                f"{label}, {days}: not known",
                Ask(label, name, start, stop, note=f"it needs more than {sources} gives"),
            )
        lost = ", ".join(dict.fromkeys(spoken(a, b) for _, a, b in gaps[:3])) + (
            " and more" if len(gaps) > 3 else ""
        )
        return NotEnoughEvidence(
            f"{label}, {days}: not known" + ("" if lost == days else f" for {lost}"),
            *(Ask(label, name, a, b, source) for source, a, b in gaps),
        )


bind(Quantity, Read, Measure, run.now, ORIGINS, (COUNT, RATIO, DAYS, SECONDS, PIECES))


class Cut:
    """A measure cut by a view."""

    __slots__ = ("_measure", "_view")

    def __init__(self, measure: Measure, view: int) -> None:
        self._measure, self._view = measure, view

    def over(self, window: Window, least_coverage: float = LEAST_COVERAGE) -> Breakdown:
        """Its parts over the window."""
        measure = self._measure
        view = measure.partner.view
        total = measure.over(window, least_coverage)
        span = view.span(window)
        name = VIEWS[self._view]
        parts = {}
        values: list[str] = []
        whole = Measure(measure.partner, measure.metric, measure._origin, self._view)
        if self._counted(span.start, span.stop):
            snapshot, at = whole._source(span.start, span.stop)
            number = measure.metric.number
            values = snapshot.values(at, number, self._view, span.start, span.stop, measure._origin)
        rest = None
        for value in values or reports.values(measure, self._view, span.start, span.stop):
            part = Measure(measure.partner, measure.metric, measure._origin, self._view, (value,))
            with run.if_known(f"{name} {value}"):
                if not values or snapshot is view.snapshot:
                    parts[value] = part.over(window, least_coverage)
                else:  # of thousands of customers none is evidence by itself
                    parts[value] = part._part(snapshot, span.start, span.stop, total.coverage)
        if self._view >= CUSTOMER:  # guests are no customer, and no one step
            rest = parts.pop(NO_VALUE, None)
        if not parts:
            raise NotEnoughEvidence(
                f"{measure.label} is not known by {name}",
                Ask(
                    f"{measure.title} by {name}",
                    measure.metric.name,
                    span.start,
                    span.stop,
                    note=f"no source tells the {name}",
                ),
            )
        if name == "load_time":
            parts = dict(sorted(parts.items(), key=lambda part: seconds_of(part[0])[0]))
        return Breakdown(
            f"{measure.label} by {name}", parts, total if measure.metric.kind == SUM else None, rest
        )

    def _counted(self, start: int, stop: int) -> bool:
        """Whether facts tell of these days, and not reports."""
        measure, view = self._measure, self._measure.partner.view
        index, number = measure.partner.index, measure.metric.number
        return view.snapshot.window(index, number, start, stop, measure._origin, 0, "")[0] != NO_COVERAGE


def _differing(measure: Measure, window: Window, told: dict[str, Quantity]) -> list[tuple[Any, ...]]:
    """Days on which origins tell different figures, as a table, and the window in all."""
    partner, metric = measure.partner, measure.metric
    by_day: dict[str, Daily] = {}
    for origin in told if metric.kind == SUM else ():
        try:
            by_day[origin] = partner.told(metric.name, ORIGINS.index(origin)).daily(window)
        except (NotEnoughEvidence, ValueError):
            continue  # what was declared has no days
    rows: list[tuple[Any, ...]] = [("day", *told)]
    for n, day in enumerate(next(iter(by_day.values())).days if len(by_day) > 1 else ()):
        said = {origin: Quantity(daily.raw[n], 1, metric.unit) for origin, daily in by_day.items()}
        if len({value.top for value in said.values()}) > 1:
            rows.append((str(day), *(said.get(origin) for origin in told)))
    return [*rows, ("in all", *told.values())]


class Origins:
    """A measure as each origin tells it."""

    __slots__ = ("_measure",)

    def __init__(self, measure: Measure) -> None:
        self._measure = measure

    def over(self, window: Window, least: int = 2, least_coverage: float = LEAST_COVERAGE) -> Breakdown:
        """What each origin says of the window. Fewer than `least` of them: NotEnoughEvidence."""
        measure = self._measure
        partner, metric = measure.partner, measure.metric
        parts: dict[str, Quantity] = {}
        asks: list[Ask] = []
        origins = partner.origins(metric)
        if not origins:  # that there is none is evidence, too: the rule runs again when there is one
            measure.is_known()
        for origin in origins:
            try:
                parts[ORIGINS[origin]] = partner.told(metric.name, origin).over(window, least_coverage)
            except NotEnoughEvidence as error:
                asks += error.asks
        if len(parts) < least:
            span = partner.view.span(window)
            if len(origins) < least:
                there = " and ".join(ORIGINS[o] for o in origins) or "nobody"
                asks.append(
                    Ask(
                        f"{measure.title} from a second origin",
                        metric.name,
                        span.start,
                        span.stop,
                        note=f"so far {there} tells it",
                    )
                )
            told = f"only {' and '.join(parts)} tells it" if parts else "no origin tells it"
            raise NotEnoughEvidence(f"{measure.title}, {spoken(span.start, span.stop)}: {told}", *asks)
        return Breakdown(
            f"{metric.name} by origin", parts, None, rows=lambda: _differing(measure, window, parts)
        )


def _source_gaps(
    covers: list[tuple[int, int, bool, str]], start: int, stop: int
) -> list[tuple[str, int, int]]:
    """Days that a source at work in the window left out; where none of them did, those of the source
    that stopped last."""
    by_source: dict[str, list[tuple[int, int]]] = {}
    for first, after, _, source in covers:
        by_source.setdefault(source, []).append((first, after))
    holes = {source: _gaps(spans, start, stop) for source, spans in by_source.items()}
    partly = {s: gaps for s, gaps in holes.items() if gaps and sum(b - a for a, b in gaps) < stop - start}
    if not partly:
        ended = {s: max(after for _, after in by_source[s]) for s, gaps in holes.items() if gaps}
        partly = {s: holes[s] for s, end in ended.items() if end == max(ended.values())}
    return [(source, a, b) for source, gaps in sorted(partly.items()) for a, b in gaps]


def _gaps(spans: list[tuple[int, int]], start: int, stop: int) -> list[tuple[int, int]]:
    """What is left of [start, stop) without the spans."""
    gaps, at = [], start
    for first, after in sorted(spans):
        if at < min(first, stop):
            gaps.append((at, min(first, stop)))
        at = max(at, after)
    return [*gaps, (at, stop)] if at < stop else gaps
