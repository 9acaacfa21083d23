# SPDX-License-Identifier: Apache-2.0
"""Partners like this one, as released figures: never a series of a peer, never fewer than k partners, never
three digits more.

A cohort holds everybody who shares the attribute, the partner itself included: left out, the figures of two
members would differ by exactly the other one's. A cohort that is too thin for a figure widens by dropping
its last attribute; if there is none left, the figure is not known. A sum of which one partner holds most is
not released either (floor.py), and no set that differs by fewer than k from one that was (releases.py)."""

from __future__ import annotations

from struct import pack, unpack

from . import run
from .day import Window, spoken
from .measure import Measure
from .missing import Ask, NotEnoughEvidence
from .native import places
from .peers import Pair, Peers, Place, in_order
from .quantity import RATIO, Unit
from .reader import DISTINCT, KNOWN, NO_COVERAGE, ORIGINS, SUM, VIEWS
from .reader import RATIO as RATIO_KIND
from .run import Read
from .titles import title
from .view import WORKED_OUT, YES, Metric, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Sequence
    from typing import Any, Protocol

    from .control import Effect
    from .day import Day
    from .partner import Partner
    from .peer_words import CohortCut, CohortSeries

    class Released(Protocol):
        """Figures of several partners as they may be told."""

        @property
        def size(self) -> int: ...
        @property
        def cohort(self) -> str: ...
        def quantiles(self) -> object: ...
        def headline(self) -> tuple[int, int, Unit]: ...


_Key = tuple[tuple[str, str], ...]


class Cohort:
    """The partners that share some attributes of the profile. There is one for all of them."""

    __slots__ = ("view", "key", "or_all", "only", "asker", "_measures")

    def __init__(self, view: View, key: _Key, or_all: bool = False, only: _Key = ()) -> None:
        self.view, self.key, self.or_all = view, key, or_all
        self.only = only  # what is never dropped: without_agreement
        self.asker = -1  # whom the rule at work judges: rules run one at a time
        self._measures: dict[str, CohortMeasure] = {}

    @property
    def name(self) -> str:
        """Its attributes: industry furniture, region SE."""
        return named(self.key + self.only)

    def chain(self) -> list[_Key]:
        """Itself, and the wider ones that take its place where it is too thin."""
        found = [self.key[:n] + self.only for n in range(len(self.key), 0, -1)]
        if self.or_all or not found:
            found.append(self.only)
        return found

    def wider(self, key: _Key) -> list[_Key]:
        """Those that a rule which asks for this one is told, too: what takes its place, and the same without what is asked
        besides. Other cohorts that differ by a few are found where all that is new comes together."""
        found = self.chain()
        if self.only:
            found += [one[: -len(self.only)] for one in found]
        return [one for one in found if set(one) < set(key)]

    def __getitem__(self, metric: str) -> CohortMeasure:
        found = self._measures.get(metric)
        if found is None:
            found = self._measures[metric] = CohortMeasure(self, self.view.metric(metric), -1, 0, "")
        return found

    def of(self, measure: Measure) -> CohortMeasure:
        """The same metric, origin and channel as `measure` has."""
        values = measure._values or ("",)
        return CohortMeasure(self, measure.metric, measure._origin, measure._view, values[0])

    def at_same_age(self, metric: str, window: Window) -> Peers:
        """Peers when they were as old as the partner is now: the window of the age that it has reached. A partner is as old
        as it is signed, or, where nobody said, as its first day that a source speaks for; ages count in whole windows."""
        from .peer_words import at_same_age  # few rules ask for it

        return at_same_age(self, metric, window)

    def control(self, measure: Measure, event: Day, before: Window = "180d") -> Effect:
        """What came of an event: the measure since then, less what a mixture of peers had that went the same way before it
        (synthetic control, see control.py)."""
        from .control import control  # few rules ask for it

        return control(self, measure, event, before)


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
        return node.read()  # type: ignore[return-value]

    def change(self, window: Window, since: Window) -> Peers:
        """By what share it rose or fell from `since` to `window`, at each partner."""
        node = self._nodes.get((window, since))
        if node is None:
            view = self.cohort.view
            span, before = view.span(window), view.span(since)
            node = self._node(span.start, span.stop, (before.start, before.stop))
            self._nodes[window, since] = node
        return node.read()  # type: ignore[return-value]

    def by(self, view: str) -> CohortCut:
        """Cut by a view: by("category").over(w).shares() is the usual share of each."""
        from .peer_words import cut_by  # few rules ask for it

        return cut_by(self, view)

    def monthly(self, window: Window | int) -> CohortSeries:
        """Its course by month, at each partner; as Measure.monthly()."""
        from .peer_words import CohortSeries

        return CohortSeries(self, window)

    def _node(self, start: int, stop: int, before: tuple[int, int] | None) -> Node:
        return node_of(Over(self, start, stop, before))


class Figures:
    """What is asked of a cohort: one figure of each of its partners, over the days from `start` to `stop`."""

    __slots__ = ("cohort", "metric", "start", "stop", "unit", "slice", "name", "part", "origin", "also")

    #: Where a change of some partners may be exchanged in the figures; else all are worked out again.
    exchanges = False
    #: Whether the same is likely to be told of a wider cohort as well: then a set that lacks but a few of it is refused even
    #: before that was done.
    nested = True

    def __init__(self, cohort: Cohort, metric: Metric, start: int, stop: int, slice_: str) -> None:
        self.cohort, self.metric = cohort, metric
        self.start, self.stop = start, stop
        self.unit: Unit = metric.unit
        self.slice = (
            slice_  # what it is besides metric and cohort: to be compared with what was shown of the same
        )
        self.name = metric.name
        self.part = self.origin = ""
        self.also: list[int] = []  # partners that it is about, whether they are of the cohort or not

    def place(self) -> tuple[Any, ...]:
        """By which it is found again."""
        return (
            self.cohort.key,
            self.cohort.or_all,
            self.cohort.only,
            self.metric.number,
            self.start,
            self.stop,
            self.slice,
        )

    def values(self, who: list[int]) -> dict[int, Pair]:
        """The value of each partner that has one."""
        raise NotImplementedError

    def ordered(self, who: list[int]) -> tuple[list[Place], bytes]:
        """The values in order, and whose they are, packed."""
        found = self.values(who)
        return in_order(found.values()), _packed(sorted(found))

    def made(self, name: str, ordered: list[Place], who: bytes) -> Released:
        """What may be told of them, if there are enough."""
        return Peers(name, ordered, self.unit, self.cohort.view)

    def dominated(self, found: Any) -> str:
        """Who holds most of what is added up; "": nobody."""
        return ""


class Over(Figures):
    """A metric over a window, or how it changed from the window before."""

    __slots__ = ("before", "_numbers", "_value")

    exchanges = True

    def __init__(self, measure: CohortMeasure, start: int, stop: int, before: tuple[int, int] | None) -> None:
        self._numbers, self._value = (measure._origin, measure._view), measure._value
        self.before = before
        super().__init__(measure.cohort, measure.metric, start, stop, "")
        self.origin = ORIGINS[measure._origin] if measure._origin >= 0 else ""
        self.part = f"{VIEWS[measure._view]}={self._value}" if self._value else ""
        if before is not None:
            self.unit = RATIO
            self.name += " change"

    def place(self) -> tuple[Any, ...]:
        cohort = self.cohort
        return (
            cohort.key,
            cohort.or_all,
            cohort.only,
            self.metric.number,
            self.start,
            self.stop,
            self.before,
            self._numbers,
            self._value,
        )

    def ordered(self, who: list[int]) -> tuple[list[Place], bytes]:
        if not self._value and self.before is None:
            snapshot = self.cohort.view.snapshot
            found = places(
                snapshot, _packed(who), self.metric.number, self.start, self.stop, self._numbers[0]
            )
            if found is not None:
                return found
        return super().ordered(who)

    def values(self, who: list[int]) -> dict[int, Pair]:
        """The value of each partner that has one; its change, if there is a window before."""
        found = self._values(who, self.start, self.stop)
        return found if self.before is None else _changes(self._values(who, *self.before), found)

    def dominated(self, found: Any) -> str:
        if self.metric.kind == SUM and self.before is None:
            return str(found.dominated(1))
        if self.before is None or self.metric.kind == SUM:
            return str(found.dominated(2))
        return ""  # the parts of two ratios against each other are no amounts

    def _values(self, who: list[int], start: int, stop: int) -> dict[int, Pair]:
        snapshot, metric = self.cohort.view.snapshot, self.metric
        if not self._value:
            rows = snapshot.cohort(_packed(who), metric.number, start, stop, self._numbers[0])
        else:
            rows = [self._sliced(partner, start, stop) for partner in who]
        return {p: row[1:] for p, row in zip(who, rows, strict=True) if row[0] == KNOWN}

    def _sliced(self, partner: int, start: int, stop: int) -> tuple[int, int, int]:
        snapshot, number, (origin, view) = self.cohort.view.snapshot, self.metric.number, self._numbers
        whole = snapshot.window(partner, number, start, stop, origin, 0, "")
        if whole[0] != KNOWN:
            return whole[:3]
        values = [self._value]
        if self._value.endswith("/"):
            values = [
                v
                for v in snapshot.values(partner, number, view, start, stop, origin)
                if v.startswith(self._value)
            ]
            if self.metric.kind == DISTINCT and len(values) > 1:
                raise TypeError(
                    f"{self.metric.name} counts who came, and who came two ways would be counted twice; "
                    "take one value"
                )
        parts = [snapshot.window(partner, number, start, stop, origin, view, value) for value in values]
        top = sum(part[1] for part in parts if part[0] == KNOWN)
        if self.metric.kind != RATIO_KIND:
            return KNOWN, top, 1
        bottom = sum(part[2] for part in parts if part[0] == KNOWN)
        return (KNOWN, top, bottom) if bottom else (3, 0, 1)


class Node:
    """The released figures of one cohort, metric and window, and who read them: what rules depend on in place of the
    partners that are in it, so that figures which stay as they were let nobody run again."""

    __slots__ = ("figures", "found", "tried", "users", "held", "extra", "_kept", "_evidence")

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.users: array[int] | list[int] = []  # pairs of partner and rule; may hold one more than once
        self._kept = figures.cohort.view.kept
        if self._kept:
            self.users = _pairs()
        self._evidence: Read | None = None  # of what is found; None: not asked for since it changed
        self.held: frozenset[int] | None = (
            None  # whose figures these are, if not of all of the cohort that have one
        )
        self.extra: list[int] = []  # of these, who is not in the cohort any more
        self.found: Released | NotEnoughEvidence
        self.tried: list[_Key] = []
        self._work()

    def read(self) -> Released:
        """What was found, for the rule at work."""
        now, found = run.now, self.found
        if self._kept:
            self.users.append(now.pair)
        if self._evidence is None:
            self._evidence = self._read()
        now.reads.append(self._evidence)
        if isinstance(found, NotEnoughEvidence):
            raise NotEnoughEvidence(found.why, *found.asks)
        return found

    def _read(self) -> Read:
        """Evidence of the figures as they are now."""
        of, found = self.figures, self.found
        known, top, bottom, unit, who, size = NO_COVERAGE, 0, 1, of.unit, of.cohort.name, 0
        if not isinstance(found, NotEnoughEvidence):
            known, who, size = KNOWN, found.cohort, found.size
            top, bottom, unit = found.headline()
        return Read(
            of.name, of.start, of.stop, known, top, bottom, unit, -1, -1, of.origin, of.part, who, size
        )

    def _work(self) -> None:
        """The figures, and which cohorts were tried for them, the one that has them last."""
        of = self.figures
        cohort, view, metric = of.cohort, of.cohort.view, of.metric
        least, log = view.floor.least, view.log
        why, known = "", 0
        self.tried, self.held, self.extra = [], None, of.also
        for key in cohort.chain():
            who = members(view, key)
            ordered, whose = of.ordered(who)
            self.tried.append(key)
            place, no, held = (of.slice, named(key), of.start, of.stop), "", None
            if len(ordered) < least:
                if not why:
                    known = len(ordered)
                no = (
                    f"{title(metric.name)}, {spoken(of.start, of.stop)}: known for {known} of {len(who)} "
                    f"partners of {named(key)}; fewer than {least} are not shown"
                )
            elif log is not None:
                place = (self._slice(), *place[1:])
                shown, no = log.settle(place, whose, self, key)
                if shown and shown != whose:
                    ordered, whose = of.ordered(list(_unpacked(shown)))
                    held = frozenset(_unpacked(whose))
            found, who_most = None, ""
            if not no:
                try:
                    found = of.made(named(key), ordered, whose)
                    who_most = of.dominated(found)
                except NotEnoughEvidence as missing:
                    no = missing.why
            if found is not None:
                if not who_most:
                    self.found, self.held = found, held
                    if held is not None:
                        self.extra = sorted(held.difference(who).union(of.also))
                    if log is not None:
                        log.show(place, len(key), whose)
                    return
                no = f"{who_most} of {named(key)} holds most of the {title(metric.name)}"
                if who_most != "one partner":
                    no = no.replace(" holds ", " hold ")
            if log is not None:
                log.refuse((self._slice(), *place[1:]), no)
                self.tried += cohort.wider(key)  # that it is refused may rest on these
            why = why or no
        ask = Ask(
            f"{title(metric.name)} of {max(1, least - known)} more partners of {cohort.name}",
            metric.name,
            of.start,
            of.stop,
        )
        self.found = NotEnoughEvidence(why, ask)

    def _slice(self) -> str:
        """What it is, but for the cohort and for the days: figures of one slice are compared with each other."""
        from .releases import length_of

        of = self.figures
        words = [of.name, of.origin, of.part, of.slice, length_of(of.start, of.stop)]
        return " ".join(word for word in words if word)

    def known(self, whom: tuple[int, ...]) -> bool:
        """Whether all of them have the figure."""
        if whom[-1] >= len(self.figures.cohort.view.ids):
            return False  # whoever is not there any more
        return len(self.figures.values(list(whom))) == len(whom)

    def beyond(self, key: _Key, whose: bytes) -> str:
        """A wider cohort with a few partners more that know the figure: what these have could be told from both."""
        of = self.figures
        least = of.cohort.view.floor.least
        wide = of.cohort.wider(key) if of.nested else []
        if not wide:
            return ""
        mine = frozenset(_unpacked(whose))
        for wider in wide:
            others = [one for one in members(of.cohort.view, wider) if one not in mine]
            more, at = 0, 0
            while more < least and at < len(others):
                more += len(of.values(others[at : at + 4 * least]))
                at += 4 * least
            if 0 < more < least:
                return named(wider)
        return ""

    def values(self, who: list[int]) -> dict[int, Pair]:
        """What these partners bring in; nothing, if it is no use to know."""
        return self.figures.values(who) if self.figures.exchanges else {}

    def rests_on(self, names: set[str]) -> bool:
        """Whether who belongs to it depends on one of these attributes."""
        return any(name in names for key in self.tried for name, _ in key)

    def told(self) -> object:
        """What all who read it were told."""
        found = self.found
        if isinstance(found, NotEnoughEvidence):
            return found.why, found.asks
        return found.cohort, found.size, found.quantiles()

    def exchange(self, was: dict[int, Pair], now: dict[int, Pair]) -> bool:
        """Some partners of the cohort that has the figures bring in other values. False: that may be another cohort now,
        and all has to be worked out again."""
        found, of = self.found, self.figures
        if not of.exchanges or not isinstance(found, Peers):
            return False
        if of.cohort.view.log is not None:
            if was.keys() != now.keys():
                return False  # another set
            if self.held is not None:
                was = {one: value for one, value in was.items() if one in self.held}
                now = {one: value for one, value in now.items() if one in self.held}
        if found.size - len(was) + len(now) < of.cohort.view.floor.least:
            return False
        self._evidence = None
        found.exchange(was.values(), now.values())
        return not of.dominated(found)

    def work_out(self) -> None:
        """From the beginning."""
        was = self.found
        self._evidence = None
        self._work()
        if isinstance(was, Peers) and isinstance(self.found, Peers):
            self.found.take_over(was)

    def whom(self) -> array[int] | list[int]:
        """Who read it, each once."""
        once = sorted(set(self.users))
        if len(once) < len(self.users):
            self.users = _pairs(once)
        return self.users


def node_of(figures: Figures) -> Node:
    """The one that has these figures."""
    released = figures.cohort.view.released
    place = figures.place()
    node: Node | None = released.get(place)
    if node is None:
        node = released[place] = Node(figures)
    return node


def _packed(who: Sequence[int]) -> bytes:
    return pack(f"={len(who)}I", *who)


def _unpacked(who: bytes) -> tuple[int, ...]:
    return unpack(f"={len(who) // 4}I", who)


def _pairs(known: Iterable[int] = ()) -> array[int]:
    from array import array  # only what is kept needs it, and it is slow to import

    return array("Q", known)


def _changes(was: dict[int, Pair], now: dict[int, Pair]) -> dict[int, Pair]:
    """now / was - 1, of those that had something before."""
    out = {}
    for partner, (top, bottom) in now.items():
        before = was.get(partner)
        if before and before[0] > 0:
            out[partner] = (top * before[1] - before[0] * bottom, before[0] * bottom)
    return out


def cohort_of(partner: Partner, by: tuple[str, ...], or_all: bool = False, only: _Key = ()) -> Cohort:
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
    place = tuple(key), or_all, only
    found = cohorts.get(place)
    if found is None:
        found = cohorts[place] = Cohort(partner.view, tuple(key), or_all, only)
    return found


def only_of(only: dict[str, str | bool]) -> _Key:
    """What partners of a cohort have besides: without_agreement=True, stage="signed"."""
    if not only:
        return ()
    for name, value in only.items():
        if isinstance(value, bool) and (name not in WORKED_OUT or not value):
            raise TypeError(
                f"{name}={value!r} says nothing; there is {' and '.join(f'{n}=True' for n in WORKED_OUT)}"
            )
    return tuple((name, YES if value is True else str(value)) for name, value in sorted(only.items()))


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
    parts = [name.replace("_", " ") if value == YES else f"{name} {value}" for name, value in key]
    return ", ".join(parts) or "all partners"
