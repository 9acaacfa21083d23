# SPDX-License-Identifier: Apache-2.0
"""Partners like this one, as released figures: never a series of a peer, never fewer than k partners, never
three digits more.

A cohort holds everybody who shares the attribute, the partner itself included: left out, the figures of two
members would differ by exactly the other one's. A cohort that is too thin for a figure widens by dropping
its last attribute; if there is none left, the figure is not known. A sum of which one partner holds most is
not released either."""

from __future__ import annotations

import math
from struct import pack

from . import run
from .day import Window, spoken
from .light import bisect_left, insort
from .measure import Measure
from .missing import Ask, NotEnoughEvidence
from .native import exchanged, places
from .quantity import RATIO, Number, Quantity, Unit, exact
from .reader import DISTINCT, KNOWN, NO_COVERAGE, ORIGINS, SUM, VIEWS
from .reader import RATIO as RATIO_KIND
from .run import Read
from .series import middle
from .titles import title
from .view import Metric, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable
    from typing import Final

    from .partner import Partner

MOST_SHARE: Final = (3, 5)  # of a sum that one partner may hold: as a fraction, so that it is exact
LEAST_SPREAD: Final = 0.02  # of the median: a spread narrower than this is taken to be chance

_Key = tuple[tuple[str, str], ...]
_Pair = tuple[int, int]  # a value, top / bottom in 1/scale of the unit
_Place = tuple[float, int, int]  # the same with its number in front: in order


class Cohort:
    """The partners that share some attributes of the profile. There is one for all of them."""

    __slots__ = ("view", "key", "or_all", "_measures")

    def __init__(self, view: View, key: _Key, or_all: bool = False) -> None:
        self.view, self.key, self.or_all = view, key, or_all
        self._measures: dict[str, CohortMeasure] = {}

    @property
    def name(self) -> str:
        """Its attributes: industry furniture, region SE."""
        return named(self.key)

    def __getitem__(self, metric: str) -> CohortMeasure:
        found = self._measures.get(metric)
        if found is None:
            found = self._measures[metric] = CohortMeasure(self, self.view.metric(metric), -1, 0, "")
        return found

    def of(self, measure: Measure) -> CohortMeasure:
        """The same metric, origin and channel as `measure` has."""
        values = measure._values or ("",)
        return CohortMeasure(self, measure.metric, measure._origin, measure._view, values[0])


class CohortMeasure:
    """One metric of a cohort."""

    __slots__ = ("cohort", "metric", "_origin", "_view", "_value", "_nodes")

    def __init__(self, cohort: Cohort, metric: Metric, origin: int, view: int, value: str) -> None:
        self.cohort, self.metric = cohort, metric
        self._origin, self._view, self._value = origin, view, value
        self._nodes: dict[Window | tuple[Window, Window], Node] = {}

    def over(self, window: Window) -> Peers:
        """Its released figures over the window."""
        node = self._nodes.get(window)
        if node is None:
            span = self.cohort.view.span(window)
            node = self._nodes[window] = self._node(span.start, span.stop, None)
        return node.read()

    def change(self, window: Window, since: Window) -> Peers:
        """By what share it rose or fell from `since` to `window`, at each partner."""
        node = self._nodes.get((window, since))
        if node is None:
            view = self.cohort.view
            span, before = view.span(window), view.span(since)
            node = self._node(span.start, span.stop, (before.start, before.stop))
            self._nodes[window, since] = node
        return node.read()

    def _node(self, start: int, stop: int, before: tuple[int, int] | None) -> Node:
        view = self.cohort.view
        place = (
            self.cohort.key,
            self.cohort.or_all,
            self.metric.number,
            start,
            stop,
            before,
            self._origin,
            self._view,
            self._value,
        )
        node: Node | None = view.released.get(place)
        if node is None:
            node = view.released[place] = Node(self, start, stop, before)
        return node

    def evidence(self, node: Node) -> Read:
        """Of the figures as they are now."""
        found = node.found
        slice_ = f"{VIEWS[self._view]}={self._value}" if self._value else ""
        origin = ORIGINS[self._origin] if self._origin >= 0 else ""
        name = self.metric.name + (" change" if node.before else "")
        known, top, bottom, unit, who, size = NO_COVERAGE, 0, 1, self.metric.unit, named(self.cohort.key), 0
        if isinstance(found, Peers):
            known, unit, who, size = KNOWN, found.unit, found.cohort, found.size
            top, bottom = found.median.top, found.median.bottom
        return Read(
            name, node.start, node.stop, known, top, bottom, unit, -1, -1, origin, slice_, who, size
        )

    def worked_out(
        self, start: int, stop: int, before: tuple[int, int] | None
    ) -> tuple[Peers | NotEnoughEvidence, list[_Key]]:
        """The figures, and which cohorts were tried for them, the one that has them last."""
        view, metric = self.cohort.view, self.metric
        why, known = "", 0
        tried: list[_Key] = []
        keys = [self.cohort.key[:n] for n in range(len(self.cohort.key), 0, -1)]
        if self.cohort.or_all or not keys:
            keys.append(())
        for key in keys:
            who = members(view, key)
            ordered = self._places(who, start, stop, before)
            tried.append(key)
            if len(ordered) < view.least_cohort:
                if not why:
                    known = len(ordered)
                    why = (
                        f"{title(metric.name)}, {spoken(start, stop)}: known for {known} of {len(who)} "
                        f"partners of {named(key)}; fewer than {view.least_cohort} are not shown"
                    )
                continue
            unit = metric.unit if before is None else RATIO
            peers = Peers(named(key), ordered, unit, view)
            if metric.kind == SUM and before is None and peers.dominated():
                why = why or f"one partner of {named(key)} holds most of the {title(metric.name)}"
                continue
            return peers, tried
        ask = Ask(
            f"{title(metric.name)} of {max(1, view.least_cohort - known)} more partners of "
            f"{named(self.cohort.key)}",
            metric.name,
            start,
            stop,
        )
        return NotEnoughEvidence(why, ask), tried

    def _places(
        self, who: list[int], start: int, stop: int, before: tuple[int, int] | None
    ) -> list[_Place]:
        """The values in order."""
        if not self._value and before is None:
            snapshot, packed = self.cohort.view.snapshot, _packed(who)
            found = places(snapshot, packed, self.metric.number, start, stop, self._origin)
            if found is not None:
                return found
        return in_order(self.values(who, start, stop, before).values())

    def values(
        self, who: list[int], start: int, stop: int, before: tuple[int, int] | None
    ) -> dict[int, _Pair]:
        """The value of each partner that has one; its change, if there is a window before."""
        found = self._values(who, start, stop)
        return found if before is None else _changes(self._values(who, *before), found)

    def _values(self, who: list[int], start: int, stop: int) -> dict[int, _Pair]:
        snapshot, metric = self.cohort.view.snapshot, self.metric
        if not self._value:
            rows = snapshot.cohort(_packed(who), metric.number, start, stop, self._origin)
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

    __slots__ = ("cohort", "unit", "_places", "_quantiles", "_usual", "_view", "_asked")

    def __init__(self, cohort: str, ordered: list[_Place], unit: Unit, view: View | None = None) -> None:
        self.cohort = cohort
        self.unit = unit
        # In order. Floats are enough to find a place in it; what is released is worked out exactly.
        self._places = ordered
        self._quantiles: dict[float, Quantity] = {}
        self._usual: tuple[float, float] | None = None
        self._view = view
        # (pair of partner and rule, distance or share, of what number, when): what was told to one of them alone
        self._asked: list[tuple[int, bool, float, int]] = []

    @property
    def size(self) -> int:
        """How many partners are in the figures."""
        return len(self._places)

    def dominated(self) -> bool:
        """Whether one of them holds most of the sum."""
        total = sum(abs(top) for _, top, _ in self._places)  # of a sum: whole numbers, bottom 1
        largest = max(abs(self._places[0][1]), abs(self._places[-1][1]))
        return largest * MOST_SHARE[1] > total * MOST_SHARE[0]

    def exchange(self, was: Iterable[_Pair], now: Iterable[_Pair]) -> None:
        """Some of them have other values now."""
        was, now = list(was), list(now)
        ordered = exchanged(self._places, was, now)
        if ordered is None:
            for top, bottom in was:
                del self._places[bisect_left(self._places, (top / bottom, top, bottom))]
            for top, bottom in now:
                insort(self._places, (top / bottom, top, bottom))
        else:
            self._places = ordered
        self._usual = None
        asked, self._quantiles = self._quantiles, {}
        for q in asked:
            self.quantile(q)

    def told(self) -> dict[int, list[float]]:
        """What was told to one rule and partner alone, as it would be told now."""
        if len(self._asked) > 1024 and len(self._asked) > 2 * len({asked[0] for asked in self._asked}):
            newest = {pair: when for pair, _, _, when in self._asked}
            self._asked = [asked for asked in self._asked if asked[3] == newest[asked[0]]]
        out: dict[int, list[float]] = {}
        for pair, distance, number, _ in self._asked:
            said = self._distance(number) if distance else self._share(number).number
            out.setdefault(pair, []).append(said)
        return out

    def quantiles(self) -> list[tuple[float, int, int]]:
        """Those that were asked for, and the median, which goes into the evidence of all."""
        found = [(q, self.quantile(q)) for q in sorted({0.5, *self._quantiles})]
        return [(q, value.top, value.bottom) for q, value in found]

    def take_over(self, was: Peers) -> None:
        """What was asked of other figures is to be asked of these."""
        self._asked = was._asked
        for q in was._quantiles:
            self.quantile(q)

    @property
    def median(self) -> Quantity:
        """Half of them are below."""
        return self._quantiles.get(0.5) or self.quantile(0.5)

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
        number = self._native(mine)
        self._note(True, number)
        return self._distance(number)

    def share(self, at_least: Quantity | Number) -> Quantity:
        """The share of them that reach `at_least`."""
        number = self._native(at_least)
        self._note(False, number)
        return self._share(number)

    def _note(self, distance: bool, number: float) -> None:
        if self._view is not None and self._view.kept:
            self._asked.append((run.now.pair, distance, number, self._view.changes))

    def _distance(self, number: float) -> float:
        if self._usual is None:  # once for all partners: the cohort may have thousands
            numbers = [place[0] for place in self._places]
            centre = middle(numbers)
            spread = middle([abs(number - centre) for number in numbers])
            self._usual = centre, max(1.4826 * spread, LEAST_SPREAD * abs(centre))
        centre, usual = self._usual
        away = number - centre
        if not usual:  # all have 0: whoever differs at all stands alone
            return 0.0 if not away else math.copysign(math.inf, away)
        return float(f"{away / usual:.3g}")

    def _share(self, number: float) -> Quantity:
        reaching = self.size - bisect_left(self._places, (number,))
        return Quantity(reaching, self.size, RATIO).rounded(2)

    def _native(self, value: Quantity | Number) -> float:
        if isinstance(value, Quantity):
            if value.unit is not self.unit:
                value.__lt__(Quantity(0, 1, self.unit))  # raises UnitError, which says what is wrong
            return value.top / value.bottom
        return float(value) * self.unit.scale

    def _at(self, q: tuple[int, int]) -> Quantity:
        low, rest = divmod(q[0] * (self.size - 1), q[1])  # between neighbours: rest / q[1] of the way
        _, top, bottom = self._places[low]
        if rest:
            _, above, below = self._places[low + 1]
            top, bottom = (
                top * below * q[1] + (above * bottom - top * below) * rest,
                bottom * below * q[1],
            )
        return Quantity(top, bottom, self.unit)


class Node:
    """The released figures of one cohort, metric and window, and who read them: what rules depend on in place of the
    partners that are in it, so that figures which stay as they were let nobody run again."""

    __slots__ = ("measure", "start", "stop", "before", "found", "tried", "users", "_kept", "_evidence")

    def __init__(
        self, measure: CohortMeasure, start: int, stop: int, before: tuple[int, int] | None
    ) -> None:
        self.measure, self.start, self.stop, self.before = measure, start, stop, before
        self.users: array[int] | list[int] = []  # pairs of partner and rule; may hold one more than once
        self._kept = measure.cohort.view.kept
        if self._kept:
            self.users = _pairs()
        self._evidence: Read | None = None  # of what is found; None: not asked for since it changed
        self.found, self.tried = measure.worked_out(start, stop, before)

    def read(self) -> Peers:
        """What was found, for the rule at work."""
        now, found = run.now, self.found
        if self._kept:
            self.users.append(now.pair)
        if self._evidence is None:
            self._evidence = self.measure.evidence(self)
        now.reads.append(self._evidence)
        if isinstance(found, Peers):
            return found
        raise NotEnoughEvidence(found.why, *found.asks)

    def values(self, who: list[int]) -> dict[int, _Pair]:
        """What these partners bring in."""
        return self.measure.values(who, self.start, self.stop, self.before)

    def told(self) -> object:
        """What all who read it were told."""
        found = self.found
        if isinstance(found, NotEnoughEvidence):
            return found.why, found.asks
        return found.cohort, found.size, found.quantiles()

    def exchange(self, was: dict[int, _Pair], now: dict[int, _Pair]) -> bool:
        """Some partners of the cohort that has the figures bring in other values. False: that may be another cohort now,
        and all has to be worked out again."""
        found, measure = self.found, self.measure
        least = measure.cohort.view.least_cohort
        if isinstance(found, NotEnoughEvidence) or found.size - len(was) + len(now) < least:
            return False
        self._evidence = None
        found.exchange(was.values(), now.values())
        return measure.metric.kind != SUM or self.before is not None or not found.dominated()

    def work_out(self) -> None:
        """From the beginning."""
        was = self.found
        self._evidence = None
        self.found, self.tried = self.measure.worked_out(self.start, self.stop, self.before)
        if isinstance(was, Peers) and isinstance(self.found, Peers):
            self.found.take_over(was)

    def whom(self) -> array[int] | list[int]:
        """Who read it, each once."""
        once = sorted(set(self.users))
        if len(once) < len(self.users):
            self.users = _pairs(once)
        return self.users


def _packed(who: list[int]) -> bytes:
    return pack(f"={len(who)}I", *who)


def _pairs(known: Iterable[int] = ()) -> array[int]:
    from array import array  # only what is kept needs it, and it is slow to import

    return array("Q", known)


def in_order(values: Iterable[_Pair]) -> list[_Place]:
    """As Peers keeps them."""
    return sorted((top / bottom, top, bottom) for top, bottom in values)


def _changes(was: dict[int, _Pair], now: dict[int, _Pair]) -> dict[int, _Pair]:
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
    cohorts = partner.view.cohorts
    found = cohorts.get((tuple(key), or_all))
    if found is None:
        found = cohorts[tuple(key), or_all] = Cohort(partner.view, tuple(key), or_all)
    return found


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
