# SPDX-License-Identifier: Apache-2.0
"""A snapshot as rules see it: its moment, its metrics by name, its partners. What is looked up often is
kept here.

Where a day turns at different moments for different partners, the snapshot's day is the latest of theirs, and there
is a view for each day on which any of them is judged: windows, months and cohorts are those of that day."""

from __future__ import annotations

from .day import Day, Period, Shifted, Span, Window, day_number, months_before, span_of
from .floor import Floor
from .quantity import Unit, unit_of
from .reader import Snapshot
from .reports import Reports
from .told import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

    from .releases import Log

LEAST_COVERAGE: Final = 0.8  # share of a window's days for which a source must speak
YES: Final = "yes"  # of attributes that are worked out


class Metric:
    """One row of the catalogue."""

    __slots__ = ("number", "name", "kind", "unit", "additivity", "tags", "doc", "definition")

    def __init__(self, number: int, row: tuple[str, int, str, str, str, str, str], currency: str) -> None:
        self.number = number
        self.name, self.kind, unit, self.additivity, tags, self.doc, self.definition = row
        self.unit: Unit = unit_of(unit, currency)
        self.tags = frozenset(tags.split())


class View:
    """One snapshot, and what was worked out about it. Lives as long as the evaluation of that snapshot, or, if
    it is kept, until it is evaluated as a whole again."""

    def __init__(
        self, snapshot: Snapshot, kept: bool = False, of: View | None = None, refused: Iterable[Any] = ()
    ) -> None:
        self.kept = kept  # who read which cohort is remembered
        self.changes = 0  # how often it was brought up to date
        self.snapshot = snapshot
        self.as_of: int = snapshot.as_of
        self.today = Day.of(snapshot.as_of)
        self.spans: dict[Window, Span] = {}
        self.cohorts: dict[object, Any] = {}  # by attributes
        self.released: dict[object, Any] = {}  # figures of cohorts, see cohort.py
        self._months: dict[int, list[Period]] = {}
        self._about: dict[str, Any] = {}
        self._about_whom = -1
        self._reports: Reports | None = None
        self._reports_of: dict[str, Any] | None = None  # what about() said
        self.facts: dict[object, Any] = {}  # tables of the partner that is judged, see table.py
        self.facts_whom = -1
        self._others: dict[int, View] = {}  # by day
        if of is not None:  # another day of the same: what has no day is there already
            self._take(of)
            return
        self.currency = snapshot.currency
        self.ids = snapshot.partners()
        self.index = {name: n for n, name in enumerate(self.ids)}
        self.metrics = {row[0]: Metric(n, row, snapshot.currency) for n, row in enumerate(snapshot.metrics())}
        meta: dict[str, Any] = loads(snapshot.meta_json() or "{}")
        self.meta = meta
        self.floor = Floor(meta)
        self.log: Log | None = None  # of what was released; None: nobody keeps one
        if "released" in meta:
            from .releases import Log

            self.log = Log(self.floor.least, self.as_of, meta.pop("released"), refused)
        self.kept_views = frozenset(
            meta.get("views") or ()
        )  # in cells; others are made of facts where they are read
        self.groups: dict[tuple[str, ...], dict[tuple[str, ...], list[int]]] = {}  # partners by attributes
        self._attributes: dict[str, list[str]] = {}  # by name, of all partners
        self._differ = snapshot.days_differ()
        self.audiences: dict[str, str] = {}  # of the rules that are judged, by name

    def _take(self, of: View) -> None:
        self.currency, self.ids, self.index, self.metrics = of.currency, of.ids, of.index, of.metrics
        self.meta, self.floor, self.log, self.groups = of.meta, of.floor, of.log, of.groups
        self._attributes, self._differ, self.audiences = of._attributes, of._differ, of.audiences
        self.kept_views = of.kept_views

    def of(self, partner: int) -> View:
        """As of the partner's own day."""
        if not self._differ:
            return self
        day = self.snapshot.day_of(partner)
        if day == self.as_of:
            return self
        found = self._others.get(day)
        if found is None:
            found = self._others[day] = View(self.snapshot.at(day), self.kept, self)
        return found

    def days(self) -> list[View]:
        """The views of all days on which anybody was judged so far."""
        return [self, *self._others.values()]

    def about(self, partner: int) -> dict[str, Any]:
        """The partner's profile, registers, observations and sources."""
        if (
            self._about_whom != partner
        ):  # one partner is judged after the other: all of them would fill the memory
            self._about = loads(self.snapshot.partner_json(partner) or "{}")
            self._about_whom = partner
        return self._about

    def reports(self, partner: int) -> Reports:
        """What reports say of the partner."""
        about = self.about(partner)
        if self._reports is None or self._reports_of is not about:
            self._reports, self._reports_of = Reports(about.get("observations") or ()), about
        return self._reports

    def forget(self) -> None:
        """What is known about partners is read anew."""
        self._about_whom = self.facts_whom = -1
        self.facts.clear()

    def attribute(self, partner: int, name: str) -> str:
        """One field of the profile as text, "" where it is not known."""
        found = self._attributes.get(name)
        if found is None:
            once: dict[str, str] = {}  # the same few texts come again and again
            read = self.snapshot.partner_json
            as_of = self.snapshot.as_of
            texts = (_attribute(loads(read(n) or "{}"), name, as_of) for n in range(len(self.ids)))
            found = self._attributes[name] = [once.setdefault(text, text) for text in texts]
        return found[partner]

    def worked_out(self, whom: Iterable[int]) -> set[str]:
        """Attributes that are worked out of registers are read anew; those that changed for any of these partners."""
        moved = set()
        for name in WORKED_OUT:
            known = self._attributes.get(name)
            for partner in whom if known is not None else ():
                now = _attribute(
                    loads(self.snapshot.partner_json(partner) or "{}"), name, self.snapshot.as_of
                )
                if known is not None and known[partner] != now:
                    known[partner] = now
                    moved.add(name)
        for names in [names for names in self.groups if moved.intersection(names)]:
            del self.groups[names]
        return moved

    def metric(self, name: str) -> Metric:
        """By name; LookupError says what it may have meant."""
        found = self.metrics.get(name)
        if found is None:
            import difflib  # seldom needed, and slow to import

            close = difflib.get_close_matches(name, self.metrics, 1)
            hint = f"did you mean {close[0]!r}?" if close else "`entente metrics list` shows them all"
            raise LookupError(f"no metric is called {name!r}; {hint}")
        return found

    def span(self, window: Window) -> Span:
        """The days of a window at this moment."""
        found = self.spans.get(window)
        if found is None:
            if not isinstance(window, (str, Shifted, Period)):
                raise TypeError(f"{window!r} is no window; write it like '28d', or previous('28d')")
            found = span_of(window, self.as_of)
            if found.start >= found.stop:
                raise ValueError(f"the window {window} has no day in it")
            self.spans[window] = found
        return found

    def months(self, count: int) -> list[Period]:
        """The last `count` complete calendar months."""
        found = self._months.get(count)
        if found is None:
            found = self._months[count] = months_before(self.as_of, count)
        return found


def _without_agreement(about: dict[str, Any], as_of: int) -> str:
    """Whether no agreement with the partner has begun."""
    for row in (about.get("registers") or {}).get("agreements") or ():
        began = row.get("starts") or row.get("signed_on") or row.get("effective") or row.get("at")
        if row.get("state") not in ("draft", "withdrawn") and (not began or day_number(str(began)) <= as_of):
            return "no"
    return YES


WORKED_OUT = {"without_agreement": _without_agreement}


def _attribute(about: dict[str, Any], name: str, as_of: int) -> str:
    if name in WORKED_OUT:
        return WORKED_OUT[name](about, as_of)
    profile = about.get("profile") or {}
    value = profile.get(name)
    if value is None:
        value = (profile.get("attributes") or {}).get(name)
    return "" if value is None else str(value)
