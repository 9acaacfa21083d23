# SPDX-License-Identifier: Apache-2.0
"""Where a figure may go: a thousand courses that the past would not be surprised by. Imported when the first rule asks.

Weeks are smoothed exponentially, with a drift: the Theta method (Assimakopoulos and Nikolopoulos 2000, in the form of Hyndman
and Billah 2003), of logarithms where every week is above 0. How quickly the level follows is what would have foretold the past
best. The drift fades, 2 % a week (damped trend: Gardner and McKenzie 1985), for nothing grows for ever. Where two years are
known, each week is held against its season first. The future is made of the surprises of the past, in runs of four weeks so
that what belongs together stays together (moving blocks: Kuensch 1989), in an order that rule, partner and day decide: the same
on each run. Ratios are forecast as what they are made of, with the same runs above and below the line.

On planted courses (tests/scripts/entente/test_forecast.py) eight in ten ends lie from p10 to p90; where the level itself
wanders from week to week, seven in ten."""

from __future__ import annotations

import math

from . import run
from .day import Day, Span, Window, span_of
from .missing import Ask, NotEnoughEvidence
from .quantity import DAYS, RATIO, Quantity
from .reader import KNOWN, NO_DENOMINATOR, SUM
from .reader import RATIO as QUOTIENT
from .view import LEAST_COVERAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NamedTuple

    from .measure import Measure
    from .quantity import Number
    from .spread import Spread
else:
    from .light import NamedTuple

PATHS: Final = 999  # as many as a spread has values
LEAST_WEEKS: Final = 26  # known ones
MOST_WEEKS: Final = 260  # further back than five years, nothing is learned of the next weeks
YEAR: Final = 52  # weeks
BLOCK: Final = 4  # weeks whose surprises stay together
STALE: Final = 28  # days without news after which nothing is foretold
FADE: Final = 0.98  # what is left of the drift a week later
_LEVELS: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)  # how much of a surprise the level keeps


class Forecast:
    """Courses of a figure over its window, from the last day that is known to `until`."""

    __slots__ = ("_ends", "_figures", "_label", "_now", "_reach", "_today", "_unit", "until")

    def __init__(self, measure: Measure, until: Day, over: Window) -> None:
        view = measure.partner.view
        self.until, self._today, self._unit = until, view.as_of, measure.metric.unit
        self._label = f"{measure.title} over {over}"
        self._now = measure.over(over)  # evidence, and the exception where it is not known
        past = _Past(measure)
        wanted = max(1, math.ceil((until.number + 1 - past.stop) / 7))
        ahead = min(wanted, past.reach)
        self._reach = min(past.stop + 7 * ahead - 1, until.number)
        # The last day of each week to come, and `until` itself.
        ends = sorted({min(past.stop + 7 * n - 1, self._reach) for n in range(1, ahead + 1)})
        self._ends = [day for day in ends if day > view.as_of] or [self._reach]
        self._figures = past.figures([span_of(over, day) for day in self._ends], ahead)
        read = (
            measure.metric.name,
            past.start,
            past.stop,
            KNOWN,
            past.known * 7,
            1,
            DAYS,
            past.known * 7,
            -1,
        )
        run.now.reads.append(run.Read(*read, "", f"forecast until {until.isoformat()}"))

    def at(self, day: Day) -> Spread:
        """The figure over the window that ends with that day, as a spread."""
        from .spread import Spread

        number = self._placed(day)
        if number <= self._today:
            return Spread([self._now.number] * PATHS, self._unit)
        return Spread([course[self._index(number)] for course in self._figures], self._unit)

    def chance(self, *, at_least: Quantity | Number, by: Day | None = None) -> Quantity:
        """How likely it reaches that on any day from now up to `by`; without it, up to `until`. What has not been reached
        by then may still be later: this says nothing of it."""
        value = self._value(at_least)
        if self._now >= at_least:
            return Quantity(1, 1, RATIO)
        number = self._placed(self.until if by is None else by)
        if number <= self._today:
            return Quantity(0, 1, RATIO)
        last = self._index(number)
        reaching = sum(max(course[: last + 1]) >= value for course in self._figures)
        return Quantity(reaching, PATHS, RATIO)

    def first_day(self, *, at_least: Quantity | Number, chance: float) -> Day | None:
        """The first day, week by week, by which it has reached that with this chance; None: not up to `until`. Where the
        past does not carry as far as `until`, and it is not reached before: NotEnoughEvidence."""
        value = self._value(at_least)
        if not 0 < chance <= 1:
            raise ValueError(f"a chance is from 0 to 1, and this is {chance}")
        if self._now >= at_least:
            return Day.of(self._today)
        reached = [0] * len(self._ends)
        for course in self._figures:
            for n, figure in enumerate(course):
                if figure >= value:
                    reached[n] += 1
                    break
        total = 0
        for day, new in zip(self._ends, reached, strict=True):
            total += new
            if total >= chance * PATHS:
                return Day.of(day)
        if self._reach < self.until.number:
            raise self._too_far(self.until)
        return None

    def _value(self, at_least: Quantity | Number) -> float:
        Quantity(1, 1, self._unit) < at_least  # noqa: B015 - UnitError where they do not go together
        return float(at_least)

    def _placed(self, day: Day) -> int:
        if day > self.until:
            raise ValueError(
                f"this forecast ends with {self.until}, and {day} is later; write forecast(until=…) so"
            )
        if day.number > self._reach:
            raise self._too_far(day)
        return day.number

    def _index(self, number: int) -> int:
        """The last of the ends that is not later; the first one stands for the days before it."""
        return max(0, len([end for end in self._ends if end <= number]) - 1)

    def _too_far(self, day: Day) -> NotEnoughEvidence:
        return NotEnoughEvidence(
            f"{self._label}: what is known carries as far as {Day.of(self._reach)}, and not to {day}",
            Ask(self._label, note=f"{day.number - self._reach} more days of the past"),
        )


class _Past:
    """The weeks of a figure up to the last day that is known."""

    stop: int  # the day after the last that is known
    start: int
    known: int  # weeks
    reach: int  # weeks that may be foretold

    def __init__(self, measure: Measure) -> None:
        metric, view = measure.metric, measure.partner.view
        if metric.kind not in (SUM, QUOTIENT):
            raise TypeError(f"{metric.name} cannot be forecast: what its weeks say cannot be put together")
        self.measure = measure
        self.stop = measure.known_until().number + 1
        if view.as_of + 1 - self.stop > STALE:
            raise NotEnoughEvidence(
                f"{measure.title}: nothing is known since {Day.of(self.stop)}, which is too long ago to foretell from",
                Ask(measure.title, metric.name, self.stop, view.as_of + 1),
            )
        stretches = measure._covered(-(1 << 30), self.stop)
        count = min((self.stop - stretches[0][0]) // 7, MOST_WEEKS)
        self.start = self.stop - 7 * count
        parts = 1 if metric.kind == SUM else 2
        self.weeks: list[list[float | None]] = [[] for _ in range(parts)]  # above the line, and below it
        for start in range(self.start, self.stop, 7):
            covered = sum(max(0, min(b, start + 7) - max(a, start)) for a, b in stretches)
            said = self._window(start, start + 7) if covered >= LEAST_COVERAGE * 7 else None
            for n in range(parts):
                self.weeks[n].append(None if said is None else said[n] * 7 / covered)
        self.known = sum(week is not None for week in self.weeks[0])
        if self.known < LEAST_WEEKS:
            raise NotEnoughEvidence(
                f"{measure.title} is known for {self.known} weeks, and a forecast needs {LEAST_WEEKS}",
                Ask(measure.title, metric.name, self.stop - 7 * LEAST_WEEKS, self.start, note="a longer past")
                if self.known == count
                else Ask(measure.title, metric.name, self.start, self.stop),
            )
        self.seasonal = self.known >= 2 * YEAR - BLOCK
        # Nobody foretells further than he has seen; and whoever has not seen two winters, not from summer into the next one.
        self.reach = self.known if self.seasonal else min(self.known, YEAR) // 2

    def _window(self, start: int, stop: int) -> tuple[float, float] | None:
        """Above and below the line, in whole units; None: not known."""
        measure = self.measure
        snapshot, index, number = measure.partner.view.snapshot, measure.partner.index, measure.metric.number
        if stop <= start:
            return 0.0, 0.0
        state, top, bottom, *_ = snapshot.window(index, number, start, stop, measure._origin, 0, "")
        if state == NO_DENOMINATOR and measure._values is None:
            return 0.0, 0.0
        if state not in (KNOWN, NO_DENOMINATOR):
            return None
        if measure._values is not None:
            top = bottom = 0
            for value in self._values(start, stop):
                _, more, below, *_ = snapshot.window(
                    index, number, start, stop, measure._origin, measure._view, value
                )
                top, bottom = top + more, bottom + below
        scale = measure.metric.unit.scale
        return top / scale, float(bottom)

    def _values(self, start: int, stop: int) -> list[str]:
        measure = self.measure
        found: list[str] = []
        for wanted in measure._values or ():
            if not wanted.endswith("/"):
                found.append(wanted)
                continue
            there = measure.partner.view.snapshot.values(
                measure.partner.index, measure.metric.number, measure._view, start, stop, measure._origin
            )
            found += [value for value in there if value.startswith(wanted)]
        return found

    def figures(self, spans: list[Span], ahead: int) -> list[list[float]]:
        """The figure of each window, course by course."""
        ratio = len(self.weeks) == 2
        seen = [self._window(span.start, min(span.stop, self.stop)) or (0.0, 0.0) for span in spans]
        # Where in the weeks to come each window begins and ends.
        cuts = [((max(span.start, self.stop) - self.stop) / 7, (span.stop - self.stop) / 7) for span in spans]
        out = []
        for course in self._courses(ahead):
            running = [_running(weeks) for weeks in course]
            figures = []
            for (top, bottom), (begin, end) in zip(seen, cuts, strict=True):
                top += _up_to(running[0], end) - _up_to(running[0], begin)
                if ratio:
                    bottom += _up_to(running[1], end) - _up_to(running[1], begin)
                    top = top / bottom if bottom > 0 else 0.0
                figures.append(top)
            out.append(figures)
        return out

    def _courses(self, ahead: int) -> list[list[list[float]]]:
        """Weeks to come, of each part, course by course."""
        from random import Random  # slow to import

        models = [_Model(weeks, self.seasonal) for weeks in self.weeks]
        measure = self.measure
        dice = Random(f"{run.who()}|forecast {measure.label} {self.stop}")
        surprises = self.known
        starts = max(1, surprises - BLOCK + 1)
        out = []
        for _ in range(PATHS):
            runs: list[int] = []
            while len(runs) < ahead:
                first = int(dice.random() * starts)
                runs.extend(range(first, min(first + BLOCK, surprises)))
            way = dice.random(), _deviation(dice.random(), dice.random())
            more = [int(dice.random() * surprises) for _ in range(min(ahead, YEAR))] if self.seasonal else []
            out.append([model.course(runs[:ahead], way, more) for model in models])
        return out


class _Variant(NamedTuple):
    """One way to read the past, and how far along the scale of all of them it ends."""

    until: float  # 0 to 1: as wide as it is likely
    level: float
    keep: float
    drift: float
    surprises: list[float]


class _Model:
    """A level that follows its weeks, a drift, and seasons where two years are known. How quickly it follows, and whether
    there is a drift, nobody knows for sure: each course takes one of the ways that would have foretold the past well, the
    better ones more often (Bayesian model averaging; Hoeting et al. 1999)."""

    def __init__(self, weeks: list[float | None], seasonal: bool) -> None:
        known = [week for week in weeks if week is not None]
        self.logs = min(known) > 0
        self.least = 0.0 if min(known) >= 0 else -math.inf
        values = [None if w is None else math.log(w) if self.logs else w for w in weeks]
        self.season, self.years = _seasons(values) if seasonal else ([0.0] * YEAR, 0.0)
        count = len(values)
        flat = [None if v is None else v - self.season[(n - count) % YEAR] for n, v in enumerate(values)]
        n = len(known)
        drift = _slope([(at, v) for at, v in enumerate(flat) if v is not None])
        ways = []
        for rise in (0.0, drift):
            for keep in dict.fromkeys(max(level, 1 / n) for level in _LEVELS):
                level, surprises = _smoothed(flat, keep, rise)
                ways.append((sum(e * e for e in surprises), level, keep, rise, surprises))
        least = max(min(way[0] for way in ways), 1e-18 * (1 + sum(v * v for v in values if v is not None)))
        # Weeks resemble each other: they say as much as half as many would.
        likely = [(max(way[0], least) / least) ** (-n / 4) for way in ways]
        whole, total = sum(likely), 0.0
        wider = math.sqrt(
            n / (n - 3)
        )  # level, drift and how quickly it follows were fitted to the same weeks
        self.variants = []
        for (_, level, keep, rise, surprises), weight in zip(ways, likely, strict=True):
            if weight < 1e-6:
                continue
            total += weight / whole
            mean = sum(surprises) / n
            self.variants.append(_Variant(total, level, keep, rise, [(e - mean) * wider for e in surprises]))
        deviation = math.sqrt(least / n)
        self.doubt = deviation * math.sqrt(12 / n**3)  # of a drift fitted to n weeks

    def course(self, runs: list[int], dice: tuple[float, float], more: list[int]) -> list[float]:
        """Weeks to come, with the surprises of these weeks of the past. `dice`: which variant, and how the drift differs;
        `more`: surprises by which the seasons may differ."""
        variant = next((v for v in self.variants if dice[0] <= v.until), self.variants[-1])
        level, keep, surprises, season = variant.level, variant.keep, variant.surprises, self.season
        drift, out = variant.drift + dice[1] * self.doubt, []
        if more:
            part = 1 / (3 * math.sqrt(self.years))
            off = [surprises[at] * part for at in more]
            season = [
                season[n % YEAR] + off[n - 1] + off[n] + off[(n + 1) % len(off)] for n in range(len(off))
            ]
        for n, at in enumerate(runs):
            drift *= FADE
            surprise = surprises[at]
            value = level + drift + surprise + season[n % len(season)]
            level += drift + keep * surprise
            out.append(math.exp(min(value, 700.0)) if self.logs else max(value, self.least))
        return out


def _smoothed(values: list[float | None], keep: float, drift: float) -> tuple[float, list[float]]:
    """The level after the last week, and by how much each week surprised."""
    first = [v for v in values if v is not None][:BLOCK]
    level = sum(first) / len(first) - drift * (len(first) + 1) / 2
    surprises = []
    for value in values:
        level += drift
        if value is not None:
            surprises.append(value - level)
            level += keep * surprises[-1]
    return level, surprises


def _seasons(values: list[float | None]) -> tuple[list[float], float]:
    """By how much each of 52 weeks lies above its year, counted so that week 0 comes next: the distances from the mean of
    the year around them (classical decomposition), with those of the weeks beside them. And of how many years, at the mean,
    they were taken."""
    count, half = len(values), YEAR // 2
    away: list[list[float]] = [[] for _ in range(YEAR)]
    for n in range(half, count - half):
        year = [v for v in values[n - half + 1 : n + half] if v is not None]
        ends = [v for v in (values[n - half], values[n + half]) if v is not None]  # two halves of one week
        value = values[n]
        if value is not None and len(year) >= YEAR * LEAST_COVERAGE and ends:
            around = (sum(year) + sum(ends) / len(ends)) / (len(year) + 1)
            away[(n - count) % YEAR].append(value - around)
    alone = [sum(each) / len(each) if each else 0.0 for each in away]
    smooth = [(alone[n - 1] + alone[n] + alone[(n + 1) % YEAR]) / 3 for n in range(YEAR)]
    mean = sum(smooth) / YEAR
    return [value - mean for value in smooth], max(1.0, sum(map(len, away)) / YEAR)


def _slope(pairs: list[tuple[int, float]]) -> float:
    """The median slope of all pairs (Theil 1950, Sen 1968)."""
    slopes = sorted((b - a) / (m - n) for i, (n, a) in enumerate(pairs) for m, b in pairs[i + 1 :])
    return (slopes[len(slopes) // 2] + slopes[(len(slopes) - 1) // 2]) / 2


def _running(weeks: list[float]) -> list[float]:
    total, out = 0.0, [0.0]
    for week in weeks:
        total += week
        out.append(total)
    return out


def _up_to(running: list[float], at: float) -> float:
    """What has come by then, `at` in weeks; within a week, in proportion."""
    whole = int(at)
    if whole >= len(running) - 1:
        return running[-1]
    return running[whole] + (at - whole) * (running[whole + 1] - running[whole])


def _deviation(a: float, b: float) -> float:
    """A number of the normal distribution from two that are anywhere from 0 to 1 (Box and Muller 1958)."""
    return math.sqrt(-2 * math.log(1 - a)) * math.cos(2 * math.pi * b)
