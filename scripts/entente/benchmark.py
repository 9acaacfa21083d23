# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: figures of an industry or a market, by month, quarter or year. partner.benchmark("online_share").

A series may be of an industry and a region. Of those that speak of the partner's own, the one that says most about it
is taken. Periods that are not over at the moment of judgement are not seen."""

from __future__ import annotations

from . import run
from .day import Day, Period, day_number, iso
from .measure import RATE_ONE
from .missing import Ask, NotEnoughEvidence
from .quantity import COUNT, RATIO, SECONDS, Quantity, Unit, money_unit, round_half_even
from .run import Read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from .partner import Partner

_UNITS: Final = {"count": COUNT, "ratio": RATIO, "seconds": SECONDS}
_LENGTHS: Final = {"month": 1, "quarter": 3, "year": 12}


class Point:
    """One period of a benchmark."""

    __slots__ = ("start", "stop", "row")

    def __init__(self, row: dict[str, Any]) -> None:
        self.start, self.stop = day_number(str(row["from"])), day_number(str(row["to"]))
        self.row = row

    @property
    def months(self) -> int:
        """How long it is."""
        first, after = iso(self.start), iso(self.stop)
        return (int(after[:4]) - int(first[:4])) * 12 + int(after[5:7]) - int(first[5:7])

    @property
    def period(self) -> Period:
        """Its days, as a window."""
        first = iso(self.start)
        name = first[:7]
        if self.months == 3:
            name = (
                f"the {('first', 'second', 'third', 'fourth')[int(first[5:7]) // 3]} quarter of {first[:4]}"
            )
        elif self.months == 12:
            name = first[:4]
        return Period(self.start, self.stop, name)


class Benchmark:
    """A series of an industry or a market, oldest period first."""

    __slots__ = ("partner", "name", "dims", "_points")

    def __init__(self, partner: Partner, name: str, dims: dict[str, str], points: list[Point]) -> None:
        self.partner, self.name, self.dims, self._points = partner, name, dims, points

    def __len__(self) -> int:
        self._seen()
        return len(self._points)

    def __iter__(self) -> Iterator[tuple[Period, Quantity]]:
        """Every period with its figure."""
        for point in self._points:
            yield point.period, self._figure(point)

    @property
    def who(self) -> str:
        """Who publishes it."""
        self._seen()
        return str(self._points[-1].row.get("who") or "")

    @property
    def period(self) -> Period:
        """The last period that it speaks of: a window, for figures of the partner to be compared with."""
        self._seen()
        return self._points[-1].period

    def known_until(self) -> Day:
        """The last day that it speaks of."""
        self._seen()
        return Day.of(self._points[-1].stop - 1)

    def latest(self) -> Quantity:
        """The figure of the last period that is over."""
        return self._figure(self._points[-1])

    def at(self, day: Day) -> Quantity:
        """The figure of the period that this day is in."""
        for point in self._points:
            if point.start <= day.number < point.stop:
                return self._figure(point)
        raise self._missing(day.number, day.number + 1)

    def change(self, years: int = 1) -> Quantity:
        """By what share the last period rose (+) or fell (-) against the same one so many years before, in the
        currency in which it was published."""
        last = self._points[-1]
        first = iso(last.start)
        start = day_number(f"{int(first[:4]) - years:04d}{first[4:]}")
        for point in self._points:
            if point.start == start:
                was, now = self._published(point), self._published(last)
                self._note(point, was)
                self._note(last, now)
                return now / was - 1
        raise self._missing(start, start + 1)

    def _published(self, point: Point) -> Quantity:
        row = point.row
        unit = str(row.get("unit") or "count")
        of = money_unit(str(row["currency"])) if unit == "money" else _UNITS.get(unit, COUNT)
        return Quantity(int(row["value"]) * of.scale, 10 ** int(row.get("scale") or 6), of)

    def _figure(self, point: Point) -> Quantity:
        """Money in the reporting currency, at the mean rate of the period's days."""
        found, view = self._published(point), self.partner.view
        if found.unit.currency not in ("", view.currency):
            total = 0
            for day in range(point.start, point.stop):
                rate = view.snapshot.rate(found.unit.currency, day)
                if not rate:
                    self._note(point, found, 2)
                    raise NotEnoughEvidence(
                        f"the benchmark {self.name}, {point.period}: an exchange rate is missing",
                        Ask(f"the rate of {found.unit.currency} to {view.currency}", self.name, day, day + 1),
                    )
                total += rate
            days = point.stop - point.start
            micro = round_half_even(found.top * total, found.bottom * RATE_ONE * days)
            found = Quantity(micro, 1, money_unit(view.currency))
        self._note(point, found)
        return found

    def _seen(self) -> None:
        """That it speaks of something is evidence, whatever is made of it."""
        self._note(self._points[-1], self._published(self._points[-1]))

    def _note(self, point: Point, found: Quantity, state: int = 0) -> None:
        """Keep a look at it as evidence."""
        part = ", ".join(f"{k}={v}" for k, v in self.dims.items())
        unit: Unit = found.unit
        run.now.reads.append(
            Read(
                f"benchmark {self.name}",
                point.start,
                point.stop,
                state,
                found.top,
                found.bottom,
                unit,
                -1,
                -1,
                "benchmark",
                part,
                sharing="released",
            )
        )

    def _missing(self, start: int, stop: int) -> NotEnoughEvidence:
        return NotEnoughEvidence(
            f"the benchmark {self.name} does not speak of {iso(start)}",
            Ask(f"the benchmark {self.name}", self.name, start, stop),
        )


def benchmark_of(partner: Partner, name: str, period: str | None, dims: dict[str, str]) -> Benchmark:
    """The series of this name that fits the partner best, or the one that is of exactly `dims`."""
    if period is not None and period not in _LENGTHS:
        raise ValueError(f"{period!r} is no period; there are {', '.join(_LENGTHS)}")
    view = partner.view
    groups: dict[tuple[tuple[str, str], ...], list[Point]] = {}
    for row in (*(view.meta.get("benchmarks") or ()), *(view.about(partner.index).get("observations") or ())):
        if row.get("metric") != name or row.get("origin") != "benchmark":
            continue
        point = Point(row)
        if point.stop - 1 <= view.as_of and (period is None or point.months == _LENGTHS[period]):
            groups.setdefault(_dims(row), []).append(point)
    if dims:
        fitting = [key for key in groups if dict(key) == dims]
    else:
        fitting = [key for key in groups if all(_is(partner, k, v) for k, v in key)]
    if not fitting:
        of = ", ".join(f"{k} {v}" for k, v in dims.items())
        others = sorted({", ".join(f"{k} {v}" for k, v in key) for key in groups})
        known = f"; it is known of {' and of '.join(others)}" if others and others != [""] else ""
        raise NotEnoughEvidence(
            f"the benchmark {name}{' of ' if of else ''}{of} is not known{known}",
            Ask(f"the benchmark {name}", name),
        )
    best = min(fitting, key=lambda key: (-len(key), key))
    points = groups[best]
    shortest = min(
        point.months for point in points
    )  # figures of years beside those of quarters are sums of them
    points = sorted((p for p in points if p.months == shortest), key=lambda p: p.start)
    return Benchmark(partner, name, dict(best), points)


def _dims(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    text = str(row.get("dims") or "")
    return tuple((k, v) for k, _, v in (part.partition("=") for part in text.split(",")) if k)


def _is(partner: Partner, name: str, value: str) -> bool:
    return partner.view.attribute(partner.index, name).casefold() == value.casefold()
