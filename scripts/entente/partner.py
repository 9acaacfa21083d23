# SPDX-License-Identifier: Apache-2.0
"""The partner that a rule judges."""

from __future__ import annotations

from .classes import OURS, Held, note
from .cohort import Cohort, cohort_of, only_of
from .day import Day, Period, Window
from .findings import Finding
from .measure import Measure
from .native import Seat
from .quantity import COUNT, Number, Quantity, amount
from .reader import DECLARED
from .register import Register, register_of
from .run import Read
from .view import Metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .benchmark import Benchmark
    from .deal import Deal
    from .declared import Declared
    from .integrity import Check
    from .metrics import Tagged
    from .spread import Spread
    from .table import Affinity, Table
    from .terms import Schedule


class Profile:
    """Who the partner is. Fields that nobody filled in are ""."""

    __slots__ = ("_fields", "_today")

    def __init__(self, fields: Mapping[str, Any], today: int) -> None:
        self._fields, self._today = fields, today

    def _text(self, name: str) -> str:
        """A field, which is evidence: what it says stands in the slice."""
        text = str(self._fields.get(name) or "")
        sharing = OURS if name == "stage" else ""
        today, state = self._today, 0 if text else 1
        note(Read(f"profile {name}", today, today + 1, state, 1, 1, COUNT, -1, slice=text, sharing=sharing))
        return text

    @property
    def name(self) -> str:
        """As it calls itself."""
        return str(self._fields.get("name") or self._fields.get("id") or "")  # no evidence: it is the partner

    @property
    def industry(self) -> str:
        """Whose partners it is compared with."""
        return self._text("industry")

    @property
    def region(self) -> str:
        """Country or region."""
        return self._text("region")

    @property
    def stage(self) -> str:
        """How far the partnership has come: ours alone."""
        return self._text("stage")

    @property
    def currency(self) -> str:
        """That it sells in."""
        return self._text("currency")

    @property
    def zone(self) -> str:
        """Where its days begin."""
        return self._text("zone")

    @property
    def signed_on(self) -> Day | None:
        """When it signed; None: it has not."""
        text = self._text("signed_on")
        return Day.fromisoformat(text) if text else None

    @property
    def attributes(self) -> Mapping[str, str]:
        """What the organization added: ours alone."""
        found: Mapping[str, str] = self._fields.get("attributes") or {}
        today = self._today
        for name, text in found.items():
            note(Read(f"profile {name}", today, today + 1, 0, 1, 1, COUNT, -1, slice=str(text), sharing=OURS))
        return found


class Partner(Seat):
    """One partner at the moment of judgement. `partner["revenue.net"].over("28d")` reads a figure."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Partner({self.id!r})"

    @property
    def profile(self) -> Profile:
        """Who it is."""
        return Profile(self.view.about(self.index).get("profile") or {"id": self.id}, self.view.as_of)

    @property
    def name(self) -> str:
        """As it calls itself."""
        return self.profile.name

    @property
    def today(self) -> Day:
        """The moment of judgement: the last day that windows include."""
        return self.view.today

    def months(self, count: int) -> list[Period]:
        """The last `count` calendar months that are over, oldest first; each is a window."""
        return self.view.months(count)

    def measures(self, of: Tagged, by: tuple[str, ...] = (), during: Window = "365d") -> list[Measure]:
        """Metrics with a tag, each as a whole and cut by the views: measures(metrics.tagged("briefing"),
        by=("channel", "category")). Cut is by values that have data in the window `during`."""
        from .metrics import measures  # few rules ask for it

        return measures(self, of, by, during)

    def _measure(self, metric: str) -> Measure:
        return Measure(self, self.view.metric(metric))

    def told(self, metric: str, origin: int) -> Measure:
        """The metric as one origin tells it."""
        found = self._measures.get((metric, origin))
        if found is None:
            found = self._measures[metric, origin] = Measure(self, self.view.metric(metric), origin)
        return found

    def origins(self, metric: Metric) -> list[int]:
        """Which origins speak of the metric. What was declared is kept apart from the figures."""
        found = self._origins.get(metric.number)
        if found is None:
            about = self.view.about(self.index)
            found = [o for o in self.view.snapshot.origins(self.index, metric.number) if o != DECLARED]
            reported = self.view.reports(self.index).origins(metric.name)
            found = sorted({*found, *reported})
            said = (row for row in about.get("observations") or () if row.get("metric") == metric.name)
            if any(row.get("origin", "declared") == "declared" for row in said):
                found.append(DECLARED)
            self._origins[metric.number] = found
        return found

    def forget(self) -> None:
        """It has been judged: its measures hold on to it, and it to them."""
        self._measures.clear()
        self._cohorts.clear()
        if self.view.facts:
            self.view.facts.clear()

    def cohort(self, *by: str, or_all: bool = False, **only: str | bool) -> Cohort:
        """Partners with the same industry, or whatever attributes of the profile are named. Where they are
        too few the last attribute is dropped, and in the end, if `or_all` does, all of them. What is asked by name is
        never dropped: cohort("industry", without_agreement=True), cohort("industry", stage="signed")."""
        found = None if only else self._cohorts.get((by, or_all))
        if found is None:
            found = cohort_of(self, by, or_all, only_of(only))
            if not only:
                self._cohorts[by, or_all] = found
        found.asker = self.index
        return found

    def register(self, name: str) -> Register:
        """What people wrote down: contacts, claims, agreements and the others of schemas.py, and those of your own."""
        return register_of(self, name)

    def terms(self, kind: str) -> Schedule:
        """What was agreed of one kind and is in force today: terms("commission.rate").of(agent="mila")."""
        from .terms import terms_of  # these three are seldom needed

        return terms_of(self, kind)

    def declared(self, register: str) -> Declared:
        """The newest figures that the partner gave of itself: declared("books").altman_z()."""
        from .declared import declared_of

        return declared_of(self, register)

    def deal(self) -> Deal:
        """What is being negotiated with it. All of it is confidential."""
        from .deal import Deal

        return Deal(self)

    def facts(self, kind: str, window: Window) -> Table:
        """Single facts of the window: order, line, refund, cart, visit, contact, touch. The days not known: NotEnoughEvidence."""
        from .table import facts_of  # few rules read them

        return facts_of(self, kind, window)

    def affinity(self, dim: str, window: Window) -> Affinity:
        """What is bought together: affinity("category", "365d").of("chairs")."""
        from .table import affinity_of

        return affinity_of(self, dim, window)

    def benchmark(self, name: str, *, period: str | None = None, **dims: str) -> Benchmark:
        """A figure of the industry or the market, period by period: of its own industry and region where there is
        one, or of those that are named: benchmark("online_share", region="US")."""
        from .benchmark import benchmark_of  # seldom needed

        return benchmark_of(self, name, period, dims)

    def prior(self, name: str) -> Spread:
        """What the organization believes, as it stands under `priors` in entente.yaml. Nobody said: NotEnoughEvidence."""
        from .spread import prior_of  # seldom needed

        return prior_of(self, name)

    def integrity(self, *checks: str) -> list[Check]:
        """What the engine's own tests of its orders found: lines_against_total, swapped_dates, gap, duplicates; all of
        them if none is named. Nothing wrong: an empty list."""
        from .integrity import integrity_of  # few rules ask

        return integrity_of(self, checks)

    def findings(self, rule: str, key: str | None = None) -> list[Finding]:
        """What another rule said of this partner; name that rule in after=."""
        if rule not in self.said:
            raise LookupError(f"the rule {rule!r} has not run yet; name it in after=({rule!r},)")
        found = [f for f in self.said[rule] if key is None or f.key == key]
        shared = self.view.audiences.get(rule) == "both" and not isinstance(self.said[rule], Held)
        today = self.view.as_of
        part = f"key={key}" if key is not None else ""
        note(
            Read(
                f"findings {rule}",
                today,
                today + 1,
                0,
                len(found),
                1,
                COUNT,
                -1,
                slice=part,
                sharing="" if shared else OURS,
            )
        )
        return found


def money(number: Number, partner: Partner) -> Quantity:
    """An amount in the reporting currency, in which all figures of all partners are read."""
    return amount(number, partner.view.currency)
