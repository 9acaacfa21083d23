# SPDX-License-Identifier: Apache-2.0
"""What came of an event at a partner: its own figures since then, less those of a mixture of peers that went the same way
before it (synthetic control: Abadie, Diamond and Hainmueller, JASA 105, 2010). The mixture's weights are at least 0 and
add up to 1; they are those with which the weeks before the event fit best. Chance is judged by placebos in space: the same
is done for each of these peers as if the event had been there, and `placebo_p` is the share of all, the partner among them,
whose weeks after it lie as far from their mixture, in proportion to the weeks before, as the partner's.

Everything is reckoned in shares of each one's own mean before the event, so that peers of any size will do. Their series
stay in here. What comes out is a sum over peers none of which weighs more than the floor lets one of them hold, rounded to
three digits; the set of peers that it was made of is in the log of releases."""

from __future__ import annotations

import math

from .cohort import Cohort, Figures, node_of
from .day import Day, Period, Span, Window, iso, span_of
from .measure import Measure
from .missing import NotEnoughEvidence
from .peers import Pair, Place
from .quantity import Quantity, Unit
from .reader import KNOWN, SUM, VIEWS
from .releases import unpacked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

WEEK: Final = 7
LEAST_BEFORE: Final = 8  # weeks in which the mixture is fitted
MOST_DONORS: Final = 40  # those whose weeks before the event were most like the partner's
_LOOKED_AT: Final = 200  # peers nearest in size among whom these are sought
_ROUNDS: Final = 400  # of the fit; it is over sooner if nothing moves
_LOW, _HIGH = 0.1, 0.9  # between which of the placebos the effect is told


class Effect(tuple[str, "dict[str, Quantity]"]):
    """What came of an event. It is a chart, too: chart=effect has the partner's weeks beside those of the mixture."""

    cohort: str
    size: int  # peers of which the mixture could be made
    event: Day
    weeks: int  # whole ones since the event
    total: Quantity  # gained (+) or lost (-) in these weeks
    low: Quantity  # as far as chance leaves it open: eight of ten placebos moved less
    high: Quantity
    placebo_p: float
    fit: float  # how far the mixture lay from the partner in the weeks before, as a share of the partner's mean

    def share_of(self, promised: Quantity, per: Window = "365d") -> Quantity:
        """The total as a share of what was promised, of which so much was due in these weeks."""
        span = span_of(per, self.event.number)
        return self.total * (span.stop - span.start) / (promised * self.weeks * WEEK)

    def quantiles(self) -> object:
        """All of it: whoever was told any of it is told again when it changes."""
        return (
            self.total.fraction,
            self.low.fraction,
            self.high.fraction,
            self.placebo_p,
            self.fit,
            tuple(self),
        )

    def headline(self) -> tuple[int, int, Unit]:
        """As evidence."""
        return self.total.top, self.total.bottom, self.total.unit


def control(cohort: Cohort, measure: Measure, event: Day, before: Window) -> Effect:
    """Cohort.control()."""
    view = measure.partner.view
    if measure.metric.kind != SUM:
        raise TypeError(f"{measure.metric.name} does not add up over weeks; take a sum, such as revenue.net")
    weeks = (view.as_of + 1 - event.number) // WEEK
    earlier = (lambda span: (span.stop - span.start) // WEEK)(view.span(before))
    if earlier < LEAST_BEFORE:
        raise ValueError(
            f"before={before!r} is {earlier} weeks, and a mixture of peers is fitted in at least {LEAST_BEFORE}"
        )
    if weeks < 1:
        raise NotEnoughEvidence(f"not a week is over since {event}")
    span = Span(event.number - earlier * WEEK, event.number + weeks * WEEK)
    for start, stop in (
        (span.start, event.number),
        (event.number, span.stop),
    ):  # evidence, and what is missing
        measure.over(Period(start, stop, f"{iso(start)} to {iso(stop - 1)}"))
    found = node_of(_Control(cohort, measure, event, span)).read()
    assert isinstance(found, Effect)
    return found


class _Control(Figures):
    """The effect at one partner. Whose figures are shown together are all peers that know the measure; the partner is one of
    them if it is of the cohort, and no part of its own mixture."""

    nested = False  # one signed partner must not take from it the peers that have not signed
    __slots__ = ("_target", "_event", "_origin", "_view", "_value")

    def __init__(self, cohort: Cohort, measure: Measure, event: Day, span: Span) -> None:
        super().__init__(cohort, measure.metric, span.start, span.stop, "control")
        self._target, self._event = measure.partner.index, event
        self._origin, self._view, self._value = measure._origin, measure._view, (measure._values or ("",))[0]
        if self._value.endswith("/"):
            raise TypeError(
                "an effect is worked out for one value of a view, or for the whole; leave side= out"
            )
        self.part = f"since {iso(event.number)}" + (
            f", {VIEWS[self._view]}={self._value}" if self._value else ""
        )
        self.slice += f" {self._origin} {VIEWS[self._view]}={self._value}"
        self.also = [self._target]

    def place(self) -> tuple[Any, ...]:
        return (*super().place(), self._target, self._event.number)

    def values(self, who: list[int]) -> dict[int, Pair]:
        """What each had in the weeks before."""
        snapshot, number, found = self.cohort.view.snapshot, self.metric.number, {}
        for one in who:
            whole = snapshot.window(one, number, self.start, self.stop, self._origin, 0, "")
            before = snapshot.window(
                one, number, self.start, self._event.number, self._origin, self._view, self._value
            )
            if whole[0] == KNOWN and before[0] == KNOWN and before[1] > 0:
                found[one] = before[1], 1
        return found

    def made(self, name: str, ordered: list[Place], who: bytes) -> Effect:
        least, most = self.cohort.view.floor.least, self.cohort.view.floor.most_weight
        target = self._weeks(self._target)
        known = [n for n, value in enumerate(target) if value is not None]
        before = [n for n in known if self.start + n * WEEK < self._event.number]
        mine = _scaled(target, known, before)
        if mine is None or len(before) < LEAST_BEFORE or len(before) == len(known):
            raise NotEnoughEvidence(f"{self.metric.name} is known for too few weeks around {self._event}")
        size = math.log(mine[1])
        sizes = {
            one: abs(math.log(top / len(before)) - size)
            for one, (top, _) in self.values(list(unpacked(who))).items()
        }
        donors = []
        for one in sorted((one for one in sizes if one != self._target), key=lambda one: (sizes[one], one))[
            :_LOOKED_AT
        ]:
            scaled = _scaled(self._weeks(one), known, before)
            if scaled is not None:
                donors.append(scaled[0])
        n = len(before)
        here = mine[0][:n]
        donors.sort(key=lambda weeks: (_apart(weeks[:n], here), weeks))
        del donors[MOST_DONORS:]
        if len(donors) < least:
            raise NotEnoughEvidence(
                f"{self.metric.name} is known in all weeks of {len(donors)} peers of {name}, and {least} are needed"
            )
        return self._effect(
            name, [mine[0], *donors], n, mine[1], most, [self.start + week * WEEK for week in known]
        )

    def _weeks(self, one: int) -> list[int | None]:
        snapshot, number, found = self.cohort.view.snapshot, self.metric.number, []
        for start in range(self.start, self.stop, WEEK):
            whole = snapshot.window(one, number, start, start + WEEK, self._origin, 0, "")
            part = whole
            if self._value and whole[0] == KNOWN:
                part = snapshot.window(
                    one, number, start, start + WEEK, self._origin, self._view, self._value
                )
            found.append(None if whole[0] != KNOWN else part[1] if part[0] == KNOWN else 0)
        return found

    def _effect(
        self, name: str, all_weeks: list[list[float]], n: int, scale: float, most: float, days: list[int]
    ) -> Effect:
        products = [[sum(map(float.__mul__, a[:n], b[:n])) for b in all_weeks] for a in all_weeks]
        gaps, ratios, fits, drawn = [], [], [], [0.0]
        for one, weeks in enumerate(all_weeks):
            others = [other for other in range(1, len(all_weeks)) if other != one]
            weights = fitted(products, one, others, most)
            mixed = [0.0] * len(weeks)
            for weight, other in zip(weights, others, strict=True):
                if weight:
                    mixed = [
                        so_far + weight * value for so_far, value in zip(mixed, all_weeks[other], strict=True)
                    ]
            apart = [a - b for a, b in zip(weeks, mixed, strict=True)]
            before, after = _usual(apart[:n]), _usual(apart[n:])
            gaps.append(sum(apart[n:]))
            ratios.append(after / max(before, 1e-9))
            fits.append(before)
            if one == 0:
                drawn = mixed
        placebos = sorted(gaps[1:])
        low, high = gaps[0] - _at(placebos, _HIGH), gaps[0] - _at(placebos, _LOW)

        def told(share: float) -> Quantity:
            return Quantity(round(share * scale), 1, self.unit).rounded(3)

        course = {}
        for day, here, there in zip(days, all_weeks[0], drawn, strict=True):
            course[iso(day)], course[f"{iso(day)} peers"] = told(here), told(there)
        effect = Effect(("effect", course))
        effect.cohort, effect.size, effect.event = name, len(all_weeks) - 1, self._event
        effect.weeks = (self.stop - self._event.number) // WEEK
        effect.total, effect.low, effect.high = told(gaps[0]), told(low), told(high)
        effect.placebo_p = sum(ratio >= ratios[0] for ratio in ratios) / len(ratios)
        effect.fit = float(f"{fits[0]:.2g}")
        return effect


def fitted(products: list[list[float]], one: int, others: list[int], most: float) -> list[float]:
    """Weights of the others with which they come closest to one, by the products of their courses: at least 0, at most `most`,
    1 together. Frank and Wolfe's method with the best step each time; whatever more rounds would change, three digits do not
    show."""
    rows = [[products[a][b] for b in others] for a in others]
    wanted = [products[one][a] for a in others]
    most = max(most, 1 / len(others))
    weights = [1 / len(others)] * len(others)
    pull = [sum(map(float.__mul__, row, weights)) - goal for row, goal in zip(rows, wanted, strict=True)]
    for _ in range(_ROUNDS):
        left, best = 1.0, [0.0] * len(others)
        for at in sorted(range(len(others)), key=lambda at: (pull[at], at)):
            best[at] = min(most, left)
            left -= best[at]
            if left <= 0:
                break
        step = [b - w for b, w in zip(best, weights, strict=True)]
        gain = -sum(map(float.__mul__, pull, step))
        if gain <= 1e-9:
            break
        moved = [sum(map(float.__mul__, row, step)) for row in rows]
        curve = sum(map(float.__mul__, moved, step))
        length = min(1.0, gain / curve) if curve > 0 else 1.0
        weights = [w + length * s for w, s in zip(weights, step, strict=True)]
        pull = [p + length * m for p, m in zip(pull, moved, strict=True)]
    return weights


def _scaled(weeks: list[int | None], known: list[int], before: list[int]) -> tuple[list[float], float] | None:
    """The known weeks as shares of their mean before the event, and that mean; None: one of them is not known."""
    values = [weeks[n] for n in known]
    mean = sum(weeks[n] or 0 for n in before) / len(before) if before else 0
    if mean <= 0 or any(value is None for value in values):
        return None
    return [(value or 0) / mean for value in values], mean


def _apart(a: list[float], b: list[float]) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def _usual(apart: list[float]) -> float:
    return math.sqrt(sum(x * x for x in apart) / len(apart))


def _at(ordered: list[float], q: float) -> float:
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
