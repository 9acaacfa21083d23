# SPDX-License-Identifier: Apache-2.0
"""Registers: what people know and write down. contacts, claims, commitments, objectives, told, books, and
any other.

Before the day since which a register is kept, nothing in it means not known; after it, no meeting means no
meeting. Where that day is not configured, the first entry stands for it. Entries and answers later than the
moment of judgement are not seen."""

from __future__ import annotations

from . import run
from .day import Day, Window, day_number
from .missing import Ask, NotEnoughEvidence
from .quantity import COUNT
from .run import Read

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator
    from typing import Any, Final

    from .partner import Partner
else:
    from .light import datetime

_FIELDS: Final[dict[str, frozenset[str]]] = {
    "contacts": frozenset({"at", "answered_at", "kind", "with", "subject", "held", "direction", "minutes"}),
    "claims": frozenset({"text", "who", "metric", "value", "currency", "window", "said_on", "due"}),
    "commitments": frozenset({"text", "who", "to", "due", "done_on"}),
    "objectives": frozenset({"text", "metric", "direction", "target", "due"}),
    "told": frozenset({"about", "to", "on", "grade"}),
    "books": frozenset({"year", "assets", "liabilities", "revenue", "profit", "currency"}),
}
_ALWAYS: Final = frozenset({"id", "state", "actor", "effective", "recorded"})
_DAYS: Final = ("at", "on", "said_on", "effective")  # which of them dates an entry, in this order
_OPEN: Final = ("", "open", "given", "reopened")


class Entry:
    """One row of a register. Fields read as attributes: None where nothing was said. Names ending in _on,
    and due and effective, are days; `at` and names ending in _at are moments."""

    __slots__ = ("_register", "_row", "_as_of")

    def __init__(self, register: str, row: dict[str, Any], as_of: int) -> None:
        self._register, self._row, self._as_of = register, row, as_of

    def __getattr__(self, name: str) -> Any:
        value = self._row.get(name)
        if value is None:
            if (
                name not in self._row
                and name not in _ALWAYS
                and name not in _FIELDS.get(self._register, frozenset((name,)))
            ):
                known = ", ".join(sorted(_FIELDS[self._register]))
                raise AttributeError(f"the register {self._register} has no field {name!r}; it has {known}")
            return None
        if isinstance(value, str):
            if name == "at" or name.endswith("_at"):
                if name != "at" and day_number(value) > self._as_of:
                    return None  # nobody knew it at the moment of judgement
                return moment(value)
            if name in ("due", "on", "effective", "recorded") or name.endswith("_on"):
                return Day.of(day_number(value))
        return value

    @property
    def day(self) -> Day | None:
        """The day that the entry is of."""
        for name in _DAYS:
            if self._row.get(name):
                return Day.of(day_number(str(self._row[name])))
        return None


class Register:
    """Rows of one register of one partner, oldest first."""

    __slots__ = ("partner", "name", "kept_since", "_entries")

    def __init__(self, partner: Partner, name: str, kept_since: Day | None, entries: list[Entry]) -> None:
        self.partner, self.name, self.kept_since, self._entries = partner, name, kept_since, entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def where(self, **fields: object) -> Register:
        """Rows whose fields have these values."""
        kept = [e for e in self._entries if all(getattr(e, name) == value for name, value in fields.items())]
        return Register(self.partner, self.name, self.kept_since, kept)

    def open(self) -> Register:
        """Rows that are neither closed, kept, broken nor withdrawn."""
        kept = [e for e in self._entries if (e.state or "") in _OPEN]
        return Register(self.partner, self.name, self.kept_since, kept)

    def during(self, window: Window) -> Register:
        """Rows of the window's days. A register not yet kept on its first day: NotEnoughEvidence."""
        span = self.partner.view.span(window)
        kept = [e for e in self._entries if e.day is not None and span.start <= e.day.number < span.stop]
        known = self.kept_since is not None and self.kept_since.number <= span.start
        run.now.reads.append(
            Read(f"register {self.name}", span.start, span.stop, 0 if known else 1, len(kept), 1, COUNT, -1)
        )
        if not known:
            since = "is not kept" if self.kept_since is None else f"is kept only since {self.kept_since}"
            raise NotEnoughEvidence(
                f"the register {self.name} {since}",
                Ask(f"{self.name} in the register of that name", self.name, span.start, span.stop),
            )
        return Register(self.partner, self.name, self.kept_since, kept)

    def kept(self, window: Window) -> bool:
        """Whether it was kept for the whole window, so that an absence means something."""
        return self.kept_since is not None and self.kept_since.number <= self.partner.view.span(window).start

    def any(self, *, since: Window, **fields: object) -> bool:
        """Whether there is such a row in the window."""
        return len(self.during(since).where(**fields)) > 0

    def last(self, count: int = 1) -> Register:
        """The newest rows, oldest of them first."""
        return Register(self.partner, self.name, self.kept_since, self._entries[-count:])

    def days_since_last(self) -> int:
        """Days from the newest row to now; a meeting that did not take place is none. None yet: since the register
        is kept."""
        today = self.partner.today
        days = [e.day for e in self._entries if e.day is not None and e._row.get("held") is not False]
        if days:
            return today.since(days[-1])
        if self.kept_since is None:
            raise NotEnoughEvidence(
                f"the register {self.name} is not kept",
                Ask(f"{self.name} in the register of that name", self.name),
            )
        return today.since(self.kept_since)


def register_of(partner: Partner, name: str) -> Register:
    """The register as it stood at the moment of judgement."""
    about, as_of = partner.view.about(partner.index), partner.view.as_of
    entries = [Entry(name, row, as_of) for row in (about.get("registers") or {}).get(name) or ()]
    dated = [(e.day, n, e) for n, e in enumerate(entries)]
    seen = sorted(
        ((day.number if day else -(1 << 30), n, e) for day, n, e in dated if not day or day.number <= as_of)
    )
    kept = (about.get("kept_since") or {}).get(name)
    if kept:
        since: Day | None = Day.of(day_number(kept))
    else:
        since = min((day for day, _, _ in dated if day is not None and day.number <= as_of), default=None)
    return Register(partner, name, since, [e for _, _, e in seen])


def moment(text: str) -> datetime.datetime:
    """A moment with its zone; UTC where none is written."""
    value = datetime.datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
