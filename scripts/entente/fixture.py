# SPDX-License-Identifier: Apache-2.0
"""A world of made-up partners to try rules on, with plain pytest and without the engine.

    world = World(as_of="2026-06-30")
    shop = world.partner("nordwind", industry="furniture")
    shop.days("orders", 4)                                   # four a day, for the 400 days up to as_of
    shop.days("sessions", 100, origin="analytics")
    said = world.judge(my_rule, "nordwind", quantile=0.2)
    assert said.verdict is True

`Snapshot` is the twin of the C module's reader: the same methods, the same meaning, over dicts.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from . import reader
from .catalogue import BUILT_IN, MetricRow
from .day import Day, day_number, iso
from .fixture_facts import Facts, Planted, cut_of, facts_of
from .integrity import CHECKS
from .judge import Outcome, judge
from .partner import Partner
from .quantity import round_half_even
from .reader import DISTINCT, KNOWN, NO_COVERAGE, NO_DENOMINATOR, ORIGINS, RATIO, SUM, VIEWS, RawSeries
from .rules import Rule
from .view import LEAST_COVERAGE, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .own import Definitions

Amount = int | float
Spread = Amount | Sequence[Amount] | Callable[[int], Amount]
_SCALES: Final = {"money": 1_000_000, "pieces": 1_000, "seconds": 1_000_000, "milliseconds": 1_000}
_DAYS: Final = 400


#: Who wants to hear of every judgement that a test asks for: see testing.py.
judged: Final[list[Callable[[Outcome], None]]] = []


class _Cover(NamedTuple):
    start: int
    stop: int
    declared: bool
    source: str


class FixturePartner(Planted):
    """One made-up partner; every method adds to what is known of it."""

    def __init__(self, world: World, name: str, profile: Mapping[str, str]) -> None:
        self.world = world
        self.id = name
        known = ("name", "industry", "region", "stage", "currency", "zone", "signed_on")
        self.profile: dict[str, Any] = {
            "id": name,
            "name": name,
            "currency": world.currency,
            "zone": "UTC",
            **{k: v for k, v in profile.items() if k in known},
            "attributes": {k: v for k, v in profile.items() if k not in known},
        }
        self.cells: dict[tuple[str, int, int, str], dict[int, int]] = {}  # by measure, origin, view, value
        self.sets: dict[tuple[str, int, int, str], dict[int, set[int]]] = {}
        self.values: dict[tuple[str, int], dict[int, list[int]]] = {}  # by distribution, origin
        self.covers: dict[tuple[str, int], list[_Cover]] = {}  # by family, origin
        self.registers: dict[str, list[dict[str, Any]]] = {}
        self.kept: dict[str, str] = {}
        self.observations: list[dict[str, Any]] = []
        self.planted = {}
        self.unsound_data: list[dict[str, Any]] = []  # what tests of data found
        self.as_of = world.as_of
        self._next = 1
        self._numbers: dict[str, int] = {}  # of customers and visitors that were planted one by one

    def judged_on(self, day: str) -> FixturePartner:
        """Where its day has not come as far as the World's: it is judged as of this one, and later days are
        not known of it. Say so before all else."""
        self.as_of = day_number(day)
        return self

    def days(
        self,
        measure: str,
        amount: Spread,
        *,
        origin: str = "",
        first: str = "",
        last: str = "",
        cover: bool = True,
        **views: str,
    ) -> FixturePartner:
        """Give each day from `first` to `last` this much of a measure: one number, one for each day, or a
        function of the days that are left until `last`. Money is in the reporting currency. Named views
        (channel="online/web") get it too."""
        family, unit = self.world.known.measures.get(measure) or (self.world.known.sets[measure], "count")
        stop = (day_number(last) if last else self.as_of) + 1
        start = day_number(first) if first else stop - _DAYS
        where = ORIGINS.index(origin) if origin else int(family == "traffic")
        scale = _SCALES.get(unit, 1)
        for n, day in enumerate(range(start, stop)):
            value = (
                amount(stop - 1 - day)
                if callable(amount)
                else amount
                if isinstance(amount, (int, float))
                else amount[n]
            )
            for view, name in [(0, ""), *((VIEWS.index(v), name) for v, name in views.items())]:
                if measure in self.world.known.sets:
                    self.sets.setdefault((measure, where, view, name), {})[day] = set(
                        range(self._next, self._next + int(value))
                    )
                else:
                    cell = self.cells.setdefault((measure, where, view, name), {})
                    cell[day] = cell.get(day, 0) + round(value * scale)
            self._next += int(value) if measure in self.world.known.sets else 0
        if cover:
            self.cover(family, iso(start), iso(stop - 1), origin=ORIGINS[where])
        return self

    def add(
        self, measure: str, amount: Amount, day: int, origin: str = "", views: Mapping[str, str] | None = None
    ) -> None:
        """Add so much of a measure to one day, in total and under each view; cover() says what is known."""
        family, unit = self.world.known.measures.get(measure) or (self.world.known.sets[measure], "count")
        where = ORIGINS.index(origin) if origin else int(family == "traffic")
        who = set(range(self._next, self._next + int(amount))) if measure in self.world.known.sets else set()
        self._next += len(who)
        for view, name in [(0, ""), *((VIEWS.index(v), name) for v, name in (views or {}).items())]:
            if measure in self.world.known.sets:
                self.sets.setdefault((measure, where, view, name), {}).setdefault(day, set()).update(who)
            else:
                cell = self.cells.setdefault((measure, where, view, name), {})
                cell[day] = cell.get(day, 0) + round(amount * _SCALES.get(unit, 1))

    def ids(self, name: str, seen: Mapping[str, Iterable[int]], *, origin: str = "") -> FixturePartner:
        """Who came on which day, for customers and visitors."""
        where = ORIGINS.index(origin) if origin else int(self.world.known.sets[name] == "traffic")
        for day, who in seen.items():
            self.sets.setdefault((name, where, 0, ""), {})[day_number(day)] = set(who)
        return self

    def spread(self, name: str, seen: Mapping[str, Iterable[Amount]], *, origin: str = "") -> FixturePartner:
        """Values of a distribution by day, such as days_to_paid."""
        family, unit = self.world.known.distributions[name]
        where = ORIGINS.index(origin) if origin else int(family == "traffic")
        for day, amounts in seen.items():
            self.values.setdefault((name, where), {})[day_number(day)] = [
                round(a * _SCALES.get(unit, 1)) for a in amounts
            ]
        return self

    def cover(self, family: str, first: str, last: str, *, origin: str = "", source: str = "") -> Self:
        """Say that a source speaks for these days."""
        where = ORIGINS.index(origin) if origin else int(family == "traffic")
        self.covers.setdefault((family, where), []).append(
            _Cover(day_number(first), day_number(last) + 1, True, source or f"{self.id}-{family}")
        )
        return self

    def hole(self, family: str, first: str, last: str, *, origin: str = "") -> FixturePartner:
        """Take away these days: data and coverage."""
        where = ORIGINS.index(origin) if origin else int(family == "traffic")
        start, stop = day_number(first), day_number(last) + 1
        kept = []
        for cover in self.covers.get((family, where), []):
            kept += [
                cover._replace(stop=min(cover.stop, start)),
                cover._replace(start=max(cover.start, stop)),
            ]
        self.covers[family, where] = [c for c in kept if c.start < c.stop]
        for (measure, origin_, _, _), cell in self.cells.items():
            if self.world.known.measures[measure][0] == family and origin_ == where:
                for day in range(start, stop):
                    cell.pop(day, None)
        return self

    def note(self, register: str, **fields: Any) -> FixturePartner:
        """One entry of a register."""
        self.registers.setdefault(register, []).append({k.rstrip("_"): v for k, v in fields.items()})
        return self

    def keeps(self, register: str, since: str) -> FixturePartner:
        """Since when the register is kept."""
        self.kept[register] = since
        return self

    def declares(
        self, metric: str, month: str, amount: Amount, *, currency: str = "", who: str = "", grade: str = ""
    ) -> FixturePartner:
        """What they say of themselves for one month, "2026-05"; `grade` from A (audited) to F (hearsay)."""
        year, number = int(month[:4]), int(month[5:7])
        after = f"{year + number // 12}-{number % 12 + 1:02d}-01"
        self.observations.append(
            {
                "metric": metric,
                "origin": "declared",
                "from": f"{month}-01",
                "to": after,
                "value": round(amount * 1_000_000),
                "scale": 6,
                "unit": "money",
                "currency": currency or self.world.currency,
                "who": who,
                "grade": grade,
            }
        )
        return self

    def unsound(
        self,
        check: str,
        text: str = "",
        *,
        source: str = "",
        count: int = 1,
        of: int = 100,
        rows: Sequence[Sequence[str]] = (),
    ) -> FixturePartner:
        """What a test of data found: "lines_against_total", "swapped_dates", "gap" or "duplicates"."""
        told = {
            "check": check,
            "source": source or f"{self.id}-shop",
            "text": text or f"{count} of {of}: {check}",
        }
        self.unsound_data.append({**told, "count": count, "of": of, "rows": [list(row) for row in rows]})
        return self

    def reports(
        self,
        metric: str,
        amount: Amount,
        first: str,
        last: str = "",
        *,
        origin: str = "analytics",
        source: str = "web",
        additive: bool = True,
        **view: str,
    ) -> FixturePartner:
        """What a report says of the days from `first` to `last`, both included; of one value of a view with
        country="PL". Money is in the reporting currency."""
        dims = ",".join(f"{k}={v.replace('%', '%25').replace(',', '%2C')}" for k, v in sorted(view.items()))
        row = self.world.known.row(metric)
        self.observations.append(
            {
                "metric": metric,
                "origin": origin,
                "source": source,
                "from": iso(day_number(first)),
                "to": iso(day_number(last or first) + 1),
                "value": round(amount * 1_000_000),
                "scale": 6,
                "unit": row.unit,
                "currency": self.world.currency if row.unit == "money" else "",
                "additive": additive and row.kind != DISTINCT,
                **({"dims": dims} if dims else {}),
            }
        )
        return self

    def json(self) -> str:
        """As the core writes it."""
        return json.dumps(
            {
                "profile": self.profile,
                "registers": self.registers,
                "kept_since": self.kept,
                "observations": self.observations,
                "sources": [],
            }
        )


class World:
    """Made-up partners at one moment."""

    def __init__(
        self,
        as_of: str = "2026-06-30",
        currency: str = "EUR",
        least_cohort: int = 5,
        metrics: Definitions | None = None,
    ) -> None:
        """`metrics`: those of your own, as metric() or entente.yaml declares them; a path reads them from there."""
        self.as_of = day_number(as_of)
        self.known = BUILT_IN
        if metrics is not None:
            from .own import catalogue  # few tests need it

            self.known = catalogue(metrics)
        self.currency = currency
        self.least_cohort = least_cohort
        self.rates: dict[str, float | dict[str, float]] = {}
        self.partners: dict[str, FixturePartner] = {}
        self.benchmarks: list[dict[str, Any]] = []
        self.priors: dict[str, dict[str, Any]] = {}
        self.registers: dict[str, dict[str, Any]] = {}  # schemas of one's own: audience, closing, fields
        self._shown: list[list[Any]] | None = None

    def remembers(self) -> World:
        """From now on it keeps a log of what is told of cohorts, as the engine does: see releases.py."""
        self._shown = self._shown or []
        return self

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Mapping[str, Any]],
        as_of: str = "",
        currency: str = "EUR",
        least_cohort: int = 5,
    ) -> World:
        """Partners with their profile, and measures by day: {"nordwind": {"industry": "tea", "orders": {"2026-06-01": 4}}}.
        Without `as_of`, the last of the days."""
        from .tables import last_day, rows_of_dict, take_days

        profiles, rows = rows_of_dict(data)
        world = cls(as_of or last_day(rows), currency, least_cohort)
        for name, profile in profiles.items():
            world.partner(name, **profile)
        take_days(world, rows)
        return world

    @classmethod
    def from_csv(
        cls, path: str | Path, as_of: str = "", currency: str = "EUR", least_cohort: int = 5
    ) -> World:
        """A file of days, or a folder with days.csv, partners.csv, declared.csv, rates.csv, and a file for each register."""
        from .tables import last_day, rows_of_csv, take_days, take_folder

        path = Path(path)
        rows = rows_of_csv(path / "days.csv" if path.is_dir() else path)
        world = cls(as_of or last_day(rows), currency, least_cohort)
        if path.is_dir():
            take_folder(world, path)
        take_days(world, rows)
        return world

    @classmethod
    def from_arrow(
        cls, table: object, as_of: str = "", currency: str = "EUR", least_cohort: int = 5
    ) -> World:
        """A table of days, of pyarrow, polars, DuckDB, pandas, or whatever else speaks Arrow's C stream protocol."""
        from .arrow import columns
        from .tables import last_day, rows_of_columns, take_days

        rows = rows_of_columns(columns(table), "table")
        world = cls(as_of or last_day(rows), currency, least_cohort)
        take_days(world, rows)
        return world

    @property
    def today(self) -> Day:
        """The moment of judgement."""
        return Day.of(self.as_of)

    def partner(self, id_: str, /, **profile: str) -> FixturePartner:
        """Add a partner, or take the one that is there."""
        found = self.partners.get(id_)
        if found is None:
            found = self.partners[id_] = FixturePartner(self, id_, profile)
        return found

    def rate(self, currency: str, rate: float | dict[str, float]) -> World:
        """What one unit of a currency is worth: always the same, or by day."""
        self.rates[currency] = rate
        return self

    def benchmark(
        self,
        name: str,
        figures: Mapping[str, Amount],
        *,
        months: int = 3,
        unit: str = "ratio",
        currency: str = "",
        **dims: str,
    ) -> World:
        """A series of an industry or a market, by the first month of each period: {"2026-01": 0.16}."""
        for first, value in figures.items():
            month = int(first[:4]) * 12 + int(first[5:7]) - 1 + months
            self.benchmarks.append(
                {
                    "metric": name,
                    "origin": "benchmark",
                    "from": f"{first}-01",
                    "to": f"{month // 12:04d}-{month % 12 + 1:02d}-01",
                    "value": round(value * 1_000_000),
                    "scale": 6,
                    "unit": unit,
                    "currency": currency,
                    "dims": ",".join(f"{k}={v}" for k, v in sorted(dims.items())),
                    "who": "",
                }
            )
        return self

    def prior(
        self,
        name: str,
        p10: Amount,
        p50: Amount,
        p90: Amount,
        *,
        unit: str = "ratio",
        source: str = "a test",
        audience: str = "us",
    ) -> World:
        """What the organization believes; audience="both" where the partner may know of it."""
        said = {"p10": p10, "p50": p50, "p90": p90, "unit": unit, "source": source, "audience": audience}
        self.priors[name] = said
        return self

    def snapshot(self) -> Snapshot:
        """As a rule would read it."""
        return Snapshot(self)

    def see(self, name: str) -> Partner:
        """The partner as a rule gets it."""
        view = View(self.snapshot())
        index = view.index[name]
        return Partner(view.of(index), index)

    def logged(self, view: View) -> None:
        """What the view has released is remembered, by the ids of partners."""
        new = None if view.log is None else view.log.taken()
        if new is not None and self._shown is not None:
            sets = [[view.ids[one] for one in array("I", bytes.fromhex(packed))] for packed in new["sets"]]
            for slice_, cohort, start, stop, _, number in new["shown"]:
                self._shown.append([slice_, cohort, stop, stop, stop - start, view.as_of, sets[number]])

    def released(self) -> dict[str, Any] | None:
        """The log as a snapshot has it: see Log."""
        if self._shown is None:
            return None
        index = {name: number for number, name in enumerate(sorted(self.partners))}
        for row in self._shown:
            for name in row[6]:  # whoever is not there any more has a number beyond
                index.setdefault(name, len(index))
        return {
            "sets": [
                array("I", sorted(index[name] for name in row[6])).tobytes().hex() for row in self._shown
            ],
            "rows": [[*row[:6], number] for number, row in enumerate(self._shown)],
        }

    def judge(self, rule: Rule, name: str, /, *, first: Iterable[Rule] = (), **settings: Any) -> Outcome:
        """What the rule says of a partner, with some settings changed, after the rules `first`. RuleMistake where
        it is for both and reads what the partner may not know of: it would not publish."""
        partner = self.see(name)
        for other in first:
            partner.view.audiences[other.name] = other.audience
            judge(other, partner)
        outcome = judge(rule, partner, rule.set({**rule.settings, **settings}))
        self.logged(partner.view)
        if outcome.held:
            raise rule.mistake(
                f"{rule.name} is for both sides and reads {', '.join(outcome.held)}",
                'say audience="us", or read only what the partner may know of',
            )
        for each in judged:
            each(outcome)
        return outcome

    def judge_all(self, rule: Rule, **settings: Any) -> dict[str, Outcome]:
        """What a vectorized rule says of each partner."""
        from .together import judge_together

        outcomes = judge_together(rule, View(self.snapshot()), rule.set({**rule.settings, **settings}))
        for outcome in outcomes:
            for each in judged:
                each(outcome)
        return {outcome.partner: outcome for outcome in outcomes}


class Snapshot:
    """The twin of _entente.Snapshot."""

    def __init__(self, world: World, as_of: int | None = None) -> None:
        self._world = world
        self._partners = [world.partners[name] for name in sorted(world.partners)]
        self.as_of = world.as_of if as_of is None else as_of
        self.currency = world.currency
        self.generation = 1
        self._days: dict[tuple[str, str, int], frozenset[int]] = {}

    def at(self, day: int) -> Snapshot:
        """The same as of an earlier day."""
        if day > self._world.as_of:
            raise ValueError("nothing is known of days after the snapshot's")
        return Snapshot(self._world, day)

    def day_of(self, partner: int) -> int:
        """The day as of which the partner is judged."""
        return self._partners[partner].as_of

    def days_differ(self) -> bool:
        """Whether that is not the same one for all."""
        return any(p.as_of != self._world.as_of for p in self._partners)

    def partners(self) -> list[str]:
        """Ids, sorted."""
        return [p.id for p in self._partners]

    def partner_json(self, partner: int) -> str:
        """Profile, registers, observations."""
        return self._partners[partner].json()

    def meta_json(self) -> str:
        """The moment and the floor of cohorts."""
        released = self._world.released()
        return json.dumps(
            {
                "as_of": iso(self.as_of),
                "as_of_mode": "date",
                "currency": self.currency,
                "min_cohort": self._world.least_cohort,
                "views": sorted(
                    {VIEWS[view] for p in self._partners for _, _, view, _ in (*p.cells, *p.sets) if view}
                    | {"channel"}
                ),
                "benchmarks": self._world.benchmarks,
                "priors": self._world.priors,
                "registers": self._world.registers,
                **({} if released is None else {"released": released}),
            }
        )

    def metrics(self) -> list[tuple[str, int, str, str, str, str, str]]:
        """The catalogue."""
        return [(m.name, m.kind, m.unit, m.additivity, m.tags, m.doc, "") for m in self._world.known.metrics]

    def rate(self, currency: str, day: int) -> int:
        """1e-12 of the reporting currency for one unit; 0: not known."""
        if currency == self.currency:
            return 10**12
        rate = self._world.rates.get(currency, 0)
        return round((rate.get(iso(day), 0) if isinstance(rate, dict) else rate) * 10**12)

    def window(
        self,
        partner: int,
        metric: int,
        start: int,
        stop: int,
        origin: int = -1,
        view: int = 0,
        value: str = "",
    ) -> tuple[int, int, int, int, int, int]:
        """(state, top, bottom, covered days, declared days, day)."""
        who, row = self._partners[partner], self._world.known.metrics[metric]
        origins = {family: self._origin(who, row, family, origin) for family in row.families}
        days, stop = stop - start, self._until(who, stop)
        covered = min(
            len(self._covered(who, *place).intersection(range(start, stop))) for place in origins.items()
        )
        state = KNOWN if covered and covered >= LEAST_COVERAGE * days else NO_COVERAGE
        if row.kind in (SUM, RATIO):
            top = self._sum(who, row.top, origins, start, stop, view, value)
            bottom = self._sum(who, row.bottom, origins, start, stop, view, value) if row.kind == RATIO else 1
            top = round_half_even(top, row.over) if row.over > 1 else top
        elif row.kind == DISTINCT:
            sets = who.sets.get((row.source, next(iter(origins.values())), view, value), {})
            top, bottom = len({i for day, ids in sets.items() if start <= day < stop for i in ids}), 1
        else:
            seen = self._seen(who, row, origins, start, stop) if not view else []  # kept in total alone
            top, bottom = (seen[(len(seen) - 1) // 2] if seen else 0), 1
            if state == KNOWN and not seen:
                state = NO_DENOMINATOR
        if state == KNOWN and not bottom:
            state = NO_DENOMINATOR
        return state, top, bottom, covered, covered, 0

    def quantile(self, partner: int, metric: int, start: int, stop: int, q: float) -> tuple[int, int]:
        """(state, value) of a distribution."""
        who, row = self._partners[partner], self._world.known.metrics[metric]
        origins = {f: self._origin(who, row, f, -1) for f in row.families}
        seen = self._seen(who, row, origins, start, self._until(who, stop))
        rank = ceil(q * len(seen) * (1 - 1e-12))  # as in core/metrics/dist.c
        value = seen[min(max(rank, 1), len(seen)) - 1] if seen else 0
        return self.window(partner, metric, start, stop)[0], value

    def values(
        self, partner: int, metric: int, view: int, start: int, stop: int, origin: int = -1
    ) -> list[str]:
        """Values of a view that have data in the window."""
        who, row = self._partners[partner], self._world.known.metrics[metric]
        measures = {measure for _, measure in (*row.top, *row.bottom)} | {row.source}
        stop = self._until(who, stop)
        kept = [(key, set(cell)) for key, cell in who.cells.items()] + [
            (key, set(ids)) for key, ids in who.sets.items()
        ]
        return sorted(
            {
                value
                for (measure, o, v, value), days in kept
                if measure in measures
                and v == view
                and origin in (-1, o)
                and any(start <= day < stop for day in days)
            }
        )

    def origins(self, partner: int, metric: int) -> list[int]:
        """Origins that speak of the metric."""
        who, families = self._partners[partner], self._world.known.metrics[metric].families
        speak = [
            {o for (f, o), covers in who.covers.items() if f == family and covers} for family in families
        ]
        return sorted(set.intersection(*speak))

    def series(
        self,
        partner: int,
        metric: int,
        start: int,
        stop: int,
        origin: int = -1,
        view: int = 0,
        value: str = "",
    ) -> RawSeries:
        """A sum by day."""
        who, row = self._partners[partner], self._world.known.metrics[metric]
        if row.kind != SUM:
            raise ValueError(f"{row.name} is no sum: it has no value by day that adds up")
        origins = {family: self._origin(who, row, family, origin) for family in row.families}
        until = self._until(who, stop)
        days = [
            self._sum(who, row.top, origins, day, min(day + 1, until), view, value)
            for day in range(start, stop)
        ]
        days = [round_half_even(value, row.over) for value in days] if row.over > 1 else days
        return _Series(start, _SCALES.get(row.unit, 1), row.unit, days)

    def integrity(self, partner: int, checks: int, start: int, stop: int) -> str:
        """As the core tells it: what unsound() planted."""
        who = self._partners[partner]
        found = [one for one in who.unsound_data if checks >> CHECKS.index(one["check"]) & 1]
        days = who.cells.get(("orders", 0, 0, ""), {})
        seen = sum(count for day, count in days.items() if start <= day < min(stop, who.as_of + 1))
        return json.dumps({"orders": seen or len(found), "found": found})

    def covers(self, partner: int, metric: int, origin: int = -1) -> list[tuple[int, int, bool, str]]:
        """(from, to, declared, source)."""
        who, row = self._partners[partner], self._world.known.metrics[metric]
        return [
            (c.start, min(c.stop, who.as_of + 1), c.declared, c.source)
            for family in row.families
            for c in who.covers.get((family, self._origin(who, row, family, origin)), ())
            if c.start <= who.as_of
        ]

    def cohort(
        self, partners: bytes, metric: int, start: int, stop: int, origin: int = -1
    ) -> list[tuple[int, int, int]]:
        """(state, top, bottom) for each partner."""
        packed = array("I")
        packed.frombytes(partners)
        return [self.window(p, metric, start, stop, origin)[:3] for p in packed]

    def facts(self, partner: int, kind: int, start: int, stop: int) -> Facts:
        """Planted facts."""
        who = self._partners[partner]
        return facts_of(self._world, who, kind, start, self._until(who, stop))

    def cut(
        self, partner: int, metric: int, view: int, start: int, stop: int, origin: int
    ) -> tuple[reader.Snapshot, int]:
        """Planted facts by a view that no cell keeps."""
        who, row = self._partners[partner], self._world.known.metrics[metric]
        origins = {family: self._origin(who, row, family, origin) for family in row.families}
        return cut_of(self._world, who, row, view, start, self._until(who, stop), origins)

    def _until(self, who: FixturePartner, stop: int) -> int:
        """Where a window of the partner ends at the latest."""
        return min(stop, self.as_of + 1, who.as_of + 1)

    def _covered(self, who: FixturePartner, family: str, origin: int) -> frozenset[int]:
        found = self._days.get((who.id, family, origin))
        if found is None:
            found = self._days[who.id, family, origin] = frozenset(
                day
                for cover in who.covers.get((family, origin), ())
                for day in range(cover.start, cover.stop)
            )
        return found

    def _origin(self, who: FixturePartner, row: MetricRow, family: str, origin: int) -> int:
        """The one asked for, else the first that covers the family."""
        if origin >= 0:
            return origin
        return min((o for (f, o), covers in who.covers.items() if f == family and covers), default=0)

    def _sum(
        self,
        who: FixturePartner,
        terms: Sequence[tuple[int, str]],
        origins: Mapping[str, int],
        start: int,
        stop: int,
        view: int,
        value: str,
    ) -> int:
        total = 0
        for sign, measure in terms:
            if measure in self._world.known.sets:  # above or below the line of a declared ratio
                days = who.sets.get((measure, origins[self._world.known.sets[measure]], view, value), {})
                total += sign * len({i for day, ids in days.items() if start <= day < stop for i in ids})
                continue
            cell = who.cells.get((measure, origins[self._world.known.measures[measure][0]], view, value), {})
            total += sign * sum(cell[day] for day in range(start, stop) if day in cell)
        return total

    def _seen(
        self, who: FixturePartner, row: MetricRow, origins: Mapping[str, int], start: int, stop: int
    ) -> list[int]:
        days = who.values.get((row.source, next(iter(origins.values()))), {})
        return sorted(v for day, values in days.items() if start <= day < stop for v in values)


class _Series:
    """The twin of _entente.Series: no buffer, and no Arrow."""

    def __init__(self, day0: int, scale: int, unit: str, values: list[int]) -> None:
        self.day0, self.scale, self.unit, self._values = day0, scale, unit, values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: int) -> int:
        return self._values[index]

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    def moment(self) -> int:
        last = len(self._values) - 1
        return sum((2 * i - last) * value for i, value in enumerate(self._values))

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        raise NotImplementedError("fixtures give no Arrow arrays; read the values one by one")

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise NotImplementedError("fixtures give no Arrow arrays; read the values one by one")
