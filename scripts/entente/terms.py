# SPDX-License-Identifier: Apache-2.0
"""What was agreed: agreements with what they promise, and terms, read as a schedule.

    rates = partner.terms("commission.rate")
    rates.of(agent="mila")                    # 7%: her own, else that of everybody
    rates.amount(revenue, agent="mila")       # with tiers and cap
    partner.terms("check_in.every").days      # 14

A schedule holds what is in force on the day of judgement. Where nothing is, that is not known, and asked for."""

from __future__ import annotations

from .day import Day, iso
from .missing import Ask, NotEnoughEvidence
from .quantity import COUNT, DAYS, Quantity, Unit, amount, exact, ratio
from .register import Entry, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from .partner import Partner

_ONE: Final = 10**12  # an exchange rate of 1
_DAYS_OF: Final = {"days": (1, 1), "weeks": (7, 1), "months": (365, 12)}


def converted(partner: Partner, number: float, currency: str | None, day: int) -> Quantity:
    """An amount in the reporting currency, at the rate of a day; "" and None are the partner's own currency."""
    view = partner.view
    currency = currency or partner.profile.currency or view.currency
    if currency == view.currency:
        return amount(number, view.currency)
    rate = view.snapshot.rate(currency, day)
    if not rate:
        raise NotEnoughEvidence(
            f"nobody knows what {currency} was worth on {iso(day)}",
            Ask(f"the exchange rate of {currency} to {view.currency}", "", day, day + 1),
        )
    top, bottom = exact(number)
    return Quantity(top * 1_000_000 * rate, bottom * _ONE, amount(0, view.currency).unit)


def in_unit(partner: Partner, number: float, unit: Unit, currency: str | None, day: int) -> Quantity:
    """A bare figure of a register in the unit of a metric."""
    if unit.kind == "money":
        return converted(partner, number, currency, day)
    top, bottom = exact(number)
    return Quantity(top * unit.scale, bottom, unit)


class Figured(Entry):
    """A claim or a milestone: a figure that is to be reached."""

    __slots__ = ()

    @property
    def value(self) -> Quantity | float | None:
        """In the unit of its metric; a bare number where it names none. Money is converted at the rate of its day."""
        number = self._row.get("value")
        if number is None or not self._row.get("metric"):
            return number
        day = self.day or self.partner.today
        return in_unit(self.partner, number, self.measure.metric.unit, self.currency, day.number)


class Agreement(Entry):
    """What was signed."""

    __slots__ = ()

    @property
    def terms(self) -> Terms:
        """Its terms that hold today."""
        found = self.partner.register("terms").where(agreement=str(self.id)).active()
        assert isinstance(found, Terms)
        return found

    def promise(self, metric: str) -> Quantity | None:
        """What it is to bring, in the metric's unit; None: nothing was promised of it. Money is converted at the
        rate of the day on which the agreement starts."""
        promised = (self.promises or {}).get(metric)
        if promised is None:
            return None
        starts: Day = self.starts
        unit = self.partner.view.metric(metric).unit
        return in_unit(self.partner, promised, unit, self.currency, starts.number)


class Term(Entry):
    """One term."""

    __slots__ = ()

    @property
    def agreed(self) -> Agreement | None:
        """The agreement that it is of. One that is not there: NotEnoughEvidence."""
        wanted = self.agreement
        if not wanted:
            return None
        for one in self.partner.register("agreements"):
            if str(one.id) == str(wanted):
                assert isinstance(one, Agreement)
                return one
        raise NotEnoughEvidence(
            f"the term '{self.title}' is of an agreement that is not there, {wanted}",
            Ask(f"the agreement {wanted} in the register agreements", "agreements"),
        )

    @property
    def since(self) -> int:
        """The first day on which it holds, as a number; of one without, the beginning of time."""
        first = self.from_
        agreed = None if first else self.agreed
        starts: Day | None = agreed.starts if agreed else first
        return starts.number if starts else -(1 << 30)

    def quantity(self) -> Quantity:
        """Its value in its unit."""
        if self.tiers:
            raise TypeError(f"the term '{self.title}' is in tiers; write .amount(basis) instead of .of()")
        if self.value is None:
            raise NotEnoughEvidence(
                f"the term '{self.title}' has no value", Ask(f"the value of the term '{self.title}'", "terms")
            )
        return self._in(self.value)

    def amount(self, basis: Quantity) -> Quantity:
        """What it comes to for that much of its basis, at most its cap. Tiers are marginal (each tier's value is
        for what lies in it) or retroactive (the highest tier reached holds for all). A negative basis, more
        returned than sold, is taken back at the lowest tier."""
        steps = sorted(((float(k), v) for k, v in (self.tiers or {}).items()), key=lambda step: step[0])
        if not steps:
            return self._capped(self._share(basis, self.quantity()))
        if self.value is not None and steps[0][0] > 0:
            steps.insert(0, (0.0, self.value))
        tiers = [(self._threshold(start, basis), self._in(value)) for start, value in steps]
        if basis < 0:
            return self._share(basis, tiers[0][1]) if steps[0][0] <= 0 else basis * 0
        reached = [tier for tier in tiers if basis >= tier[0]]
        zero = self._share(basis, tiers[0][1]) * 0
        if not reached:
            return zero
        if self.reading == "retroactive":
            return self._capped(self._share(basis, reached[-1][1]))
        tops = [start for start, _ in reached[1:]] + [basis]
        pieces = (self._share(top - start, value) for (start, value), top in zip(reached, tops, strict=True))
        return self._capped(sum(pieces, zero))

    def _in(self, number: float) -> Quantity:
        unit = self.unit
        if unit == "%":
            return ratio(number, 100)
        if unit == "ratio":
            return ratio(number)
        if unit == "money":
            return converted(self.partner, number, self.currency, self.partner.view.as_of)
        top, bottom = exact(number)
        if unit in _DAYS_OF:
            times, by = _DAYS_OF[unit]
            return Quantity(top * times, bottom * by, DAYS)
        return Quantity(top, bottom, COUNT)

    def _threshold(self, number: float, basis: Quantity) -> Quantity:
        return in_unit(self.partner, number, basis.unit, self.currency, self.partner.view.as_of)

    def _share(self, basis: Quantity, value: Quantity) -> Quantity:
        """A rate is of the basis; a sum of money is paid as it is."""
        return value if value.unit.kind == "money" else basis * value

    def _capped(self, paid: Quantity) -> Quantity:
        if self.cap is None:
            return paid
        most = in_unit(self.partner, self.cap, paid.unit, self.currency, self.partner.view.as_of)
        return min(paid, most)


class Terms(Register):
    """Rows of the register of terms."""

    __slots__ = ()

    def with_basis(self) -> Terms:
        """Those that rest on a metric."""
        found = self._part([e for e in self._entries if e.basis], "with a basis")
        assert isinstance(found, Terms)
        return found


class Schedule:
    """The terms of one kind that are in force."""

    def __init__(self, partner: Partner, kind: str, terms: list[Term]) -> None:
        self.partner, self.kind, self.terms = partner, kind, terms
        self._found: dict[tuple[tuple[str, object], ...], Term] = {}  # rules ask order by order

    def __repr__(self) -> str:
        return f"Schedule({self.kind!r}, {len(self.terms)} terms)"

    def of(self, **who: object) -> Quantity:
        """The value for somebody: of(agent="mila") is hers, else that for everybody."""
        return self.term(**who).quantity()

    def amount(self, basis: Quantity, **who: object) -> Quantity:
        """What it comes to for that much of its basis, with tiers and cap."""
        return self.term(**who).amount(basis)

    @property
    def since(self) -> Day | None:
        """The day from which the term for everybody holds; None: nobody said."""
        first = self.term().since
        return Day.of(first) if first > -(1 << 30) else None

    @property
    def days(self) -> int:
        """Its value in whole days."""
        value = self.of()
        if value.unit is not DAYS:
            raise TypeError(f"the term {self.kind} is no span of time: it is {value}")
        return round(value.number)

    def term(self, **who: object) -> Term:
        """The term that holds: the one that says most about whom it is for, of several the youngest."""
        asked = tuple(sorted(who.items()))
        found = self._found.get(asked)
        if found is None:
            found = self._found[asked] = self._choose(who)
        return found

    def _choose(self, who: dict[str, object]) -> Term:
        names = {"agent", *who}
        tokens = self.partner.view.about(self.partner.index).get("agents") or {}

        def meant(term: Term, name: str) -> bool:
            """Whether it is for all, or for whom was asked: by name, or as orders call the agent."""
            value, asked = getattr(term, name), who.get(name)
            return value is None or value == asked or (name == "agent" and asked is not None and tokens.get(value) == asked)

        fits = [t for t in self.terms if all(meant(t, n) for n in names)]
        if not fits:
            whom = ", ".join(f"{k} {v}" for k, v in who.items()) or "everybody"
            raise _absent(f"no term {self.kind} is in force for {whom}", self.kind)
        rank = [(sum(getattr(t, n) is not None for n in names), t.since) for t in fits]
        best = [t for t, r in zip(fits, rank, strict=True) if r == max(rank)]
        if any(_content(t) != _content(best[0]) for t in best):
            raise _absent(
                f"{len(best)} terms {self.kind} say different things from the same day on", self.kind
            )
        return best[-1]


def _content(term: Term) -> tuple[Any, ...]:
    return term.value, term.unit, str(term.tiers), term.reading, term.cap, term.currency


def _absent(why: str, kind: str) -> NotEnoughEvidence:
    return NotEnoughEvidence(why, Ask(f"what was agreed of {kind}, in the register terms", "terms"))


def terms_of(partner: Partner, kind: str) -> Schedule:
    """What is in force of one kind."""
    held = []
    for term in partner.register("terms").where(kind=kind).active():
        assert isinstance(term, Term)
        agreed = term.agreed
        if agreed is None or agreed.is_active():
            held.append(term)
    if not held:
        raise _absent(f"no term {kind} is in force", kind)
    return Schedule(partner, kind, held)


KINDS: Final[dict[str, tuple[type[Entry], type[Register]]]] = {
    "agreements": (Agreement, Register),
    "terms": (Term, Terms),
    "claims": (Figured, Register),
    "milestones": (Figured, Register),
}

__all__ = ["Agreement", "Schedule", "Term", "Terms", "converted", "in_unit", "terms_of"]
