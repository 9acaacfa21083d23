# SPDX-License-Identifier: Apache-2.0
"""Registers: what people know and write down. schemas.py lists those that ship; organizations add their own.

Before the day since which a register is kept, nothing in it means not known; after it, no meeting means no
meeting. Where that day is not configured, the first entry stands for it. Entries and answers later than the
moment of judgement are not seen. What is read of a register is evidence, with its class: see classes.py."""

from __future__ import annotations

from .classes import OF_AUDIENCE, OURS, THEIRS, note, strictest
from .day import Day, Window, day_number
from .missing import Ask, NotEnoughEvidence
from .quantity import COUNT
from .run import Read
from .schemas import Schema, schema_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Mapping
    from typing import Any, Final

    from .measure import Measure
    from .partner import Partner
else:
    from .light import datetime

_ALWAYS: Final = frozenset({"id", "state", "actor", "effective", "recorded"})
#: Which of them dates an entry, in this order.
_DAYS: Final = ("at", "on", "day", "said_on", "declared_on", "opened", "effective")
_CLOSED: Final = frozenset({"closed", "done", "withdrawn"})  # where no schema says so
_OWN_KINDS: Final = ("agreements", "terms", "claims", "milestones")  # whose entries can do more: see terms.py


class Entry:
    """One row of a register. Fields read as attributes: None where nothing was said. Dates are Days, times are
    moments, pairs are dictionaries. A field whose name is a word of Python's is read with a _: `from_`."""

    __slots__ = ("partner", "_register", "_row", "_schema")

    def __init__(
        self, partner: Partner, register: str, row: Mapping[str, Any], schema: Schema | None
    ) -> None:
        self.partner, self._register, self._row, self._schema = partner, register, row, schema

    def __repr__(self) -> str:
        return f"Entry({self.place} of {self.partner.id})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        name = name.rstrip("_")
        value = self._row.get(name)
        if value is None:
            fields = self._schema.fields if self._schema else self._row
            if self._schema and name not in fields and name not in _ALWAYS and name not in self._row:
                known = ", ".join(sorted(fields))
                raise AttributeError(f"the register {self._register} has no field {name!r}; it has {known}")
            return None
        return self._typed(name, value) if isinstance(value, str) else value

    def _typed(self, name: str, value: str) -> Any:
        kind = self._schema.fields.get(name) if self._schema else None
        if kind == "pairs":
            return pairs_of(value)
        if kind == "time" or (kind is None and (name == "at" or name.endswith("_at"))):
            if name != "at" and day_number(value) > self.partner.view.as_of:
                return None  # nobody knew it at the moment of judgement
            return moment(value)
        if kind == "date" or (kind is None and (name in _DAY_NAMES or name.endswith("_on"))):
            return Day.of(day_number(value))
        return value

    @property
    def day(self) -> Day | None:
        """The day that the entry is of."""
        for name in _DAYS:
            if self._row.get(name):
                return Day.of(day_number(str(self._row[name])))
        return None

    @property
    def place(self) -> str:
        """By what findings point at it: claims/3."""
        return f"{self._register}/{self._row.get('id')}"

    @property
    def age_days(self) -> int:
        """Days since the day that the entry is of: how long an issue has been open."""
        day = self.day
        if day is None:
            what = f"the day of {self.place}"
            raise NotEnoughEvidence(f"{what} is not written down", Ask(what, self._register))
        return self.partner.today.since(day)

    @property
    def measure(self) -> Measure:
        """The partner's figure that it is about, or rests on. None named, or no such one: NotEnoughEvidence."""
        name = self._row.get("metric") or self._row.get("basis")
        what = f"the metric of {self.place}"
        if not name:
            raise NotEnoughEvidence(f"{what} is not written down", Ask(what, self._register))
        try:
            return self.partner[str(name)]
        except LookupError as error:
            raise NotEnoughEvidence(f"{what}: {error}", Ask(what, self._register)) from None

    @property
    def sharing(self) -> str:
        """Who may know of it: a class of classes.py."""
        said = self._row.get("audience")
        if said is None:
            said = self._schema.audience if self._schema else "us"
        return OF_AUDIENCE.get(str(said), OURS)

    def is_open(self) -> bool:
        """Whether it is neither closed, kept, broken nor withdrawn, or how else the register calls it."""
        return (self._row.get("state") or "") not in (self._schema.closing if self._schema else _CLOSED)

    def is_active(self) -> bool:
        """Open, begun, and not over: of what has days from which and until which it holds."""
        today = self.partner.view.as_of
        first = self._row.get("starts") or self._row.get("from") or self._row.get("effective")
        last = self._row.get("ends") or self._row.get("until")
        return (
            self.is_open()
            and (not first or day_number(str(first)) <= today)
            and (not last or day_number(str(last)) >= today)
        )


_DAY_NAMES: Final = frozenset({"due", "on", "day", "effective", "recorded"})


class Register:
    """Rows of one register of one partner, oldest first."""

    __slots__ = ("partner", "name", "kept_since", "is_kept", "_entries", "_slice", "_noted")

    def __init__(
        self,
        partner: Partner,
        name: str,
        kept_since: Day | None,
        entries: list[Entry],
        of: Register | None = None,
        part: str = "",
        noted: bool = False,
    ) -> None:
        self.partner, self.name, self.kept_since, self._entries = partner, name, kept_since, entries
        #: Whether anybody keeps it: an empty one says nothing, if not.
        self.is_kept: bool = of.is_kept if of is not None else kept_since is not None or bool(entries)
        self._slice, self._noted = part, noted  # what was asked for of it; whether that is evidence already

    def __len__(self) -> int:
        self._note()
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        self._note()
        return iter(self._entries)

    def __getitem__(self, index: int) -> Entry:
        self._note()
        return self._entries[index]

    def where(self, **fields: object) -> Register:
        """Rows whose fields have these values."""
        kept = [e for e in self._entries if all(getattr(e, name) == value for name, value in fields.items())]
        return self._part(kept, *(f"{name}={value}" for name, value in fields.items()))

    def open(self) -> Register:
        """Rows that are neither closed, kept, broken nor withdrawn, or how else the register calls it."""
        return self._part([e for e in self._entries if e.is_open()], "open")

    def active(self) -> Register:
        """Rows that hold on the day of judgement: open, begun, and not over."""
        return self._part([e for e in self._entries if e.is_active()], "active")

    def shared(self) -> Register:
        """Rows of which the partner may know: what a rule for both sides reads of a register that holds others, too."""
        return self._part([e for e in self._entries if e.sharing == THEIRS], "shared")

    def during(self, window: Window) -> Register:
        """Rows of the window's days. A register not yet kept on its first day: NotEnoughEvidence."""
        span = self.partner.view.span(window)
        kept = [e for e in self._entries if e.day is not None and span.start <= e.day.number < span.stop]
        known = self.kept_since is not None and self.kept_since.number <= span.start
        self._read(span.start, span.stop, kept, 0 if known else 1)
        if not known:
            since = "is not kept" if self.kept_since is None else f"is kept only since {self.kept_since}"
            raise NotEnoughEvidence(
                f"the register {self.name} {since}",
                Ask(f"{self.name} in the register of that name", self.name, span.start, span.stop),
            )
        return type(self)(self.partner, self.name, self.kept_since, kept, self, self._slice, True)

    def kept(self, window: Window) -> bool:
        """Whether it was kept for the whole window, so that an absence means something."""
        span = self.partner.view.span(window)
        kept = self.kept_since is not None and self.kept_since.number <= span.start
        sharing = sharing_of(self.partner, self.name)
        sharing = "" if sharing == THEIRS else sharing
        read = (f"register {self.name}", span.start, span.stop, 0 if kept else 1, 1, 1, COUNT, -1)
        note(Read(*read, slice="kept", sharing=sharing))
        return kept

    def any(self, *, since: Window, **fields: object) -> bool:
        """Whether there is such a row in the window."""
        return len(self.during(since).where(**fields)) > 0

    def last(self, count: int = 1) -> Register:
        """The newest rows, oldest of them first."""
        return self._part(self._entries[-count:], f"last {count}")

    def days_since_last(self) -> int:
        """Days from the newest row to now; a meeting that did not take place is none. None yet: since the register
        is kept."""
        self._note()
        today = self.partner.today
        days = [e.day for e in self._entries if e.day is not None and e._row.get("held") is not False]
        if days:
            return today.since(days[-1])
        if self.kept_since is None:
            raise NotEnoughEvidence(
                f"since when the register {self.name} is kept is not known",
                Ask(f"kept_since of the register {self.name}", self.name),
            )
        return today.since(self.kept_since)

    def _part(self, entries: list[Entry], *how: str) -> Register:
        part = ", ".join((self._slice, *how) if self._slice else how)
        return type(self)(self.partner, self.name, self.kept_since, entries, self, part, self._noted)

    def _note(self) -> None:
        """The rows are looked at: that is evidence, once. A register that nobody keeps: NotEnoughEvidence."""
        if self._noted:
            return
        self._noted = self.is_kept
        as_of = self.partner.view.as_of
        first = as_of if self.kept_since is None else min(self.kept_since.number, as_of)
        self._read(first, as_of + 1, self._entries, 0 if self.is_kept else 1)
        if not self.is_kept:
            raise NotEnoughEvidence(
                f"the register {self.name} is not kept",
                Ask(f"{self.name} in the register of that name", self.name),
            )

    def _read(self, start: int, stop: int, entries: list[Entry], state: int) -> None:
        sharing = strictest(*(e.sharing for e in entries)) if entries else sharing_of(self.partner, self.name)
        note(
            Read(
                f"register {self.name}",
                start,
                stop,
                state,
                len(entries),
                1,
                COUNT,
                -1,
                slice=self._slice,
                sharing="" if sharing == THEIRS else sharing,
            )
        )


def schema_for(partner: Partner, name: str) -> Schema | None:
    """The schema of a register."""
    return schema_of(partner.view.meta.get("registers") or {}, name)


def sharing_of(partner: Partner, name: str) -> str:
    """Who may know of its entries where these say nothing else. Of a register that nobody described: ours."""
    schema = schema_for(partner, name)
    return OF_AUDIENCE[schema.audience] if schema else OURS


def register_of(partner: Partner, name: str) -> Register:
    """The register as it stood at the moment of judgement."""
    about, as_of = partner.view.about(partner.index), partner.view.as_of
    schema = schema_for(partner, name)
    make: type[Entry] = Entry
    kind: type[Register] = Register
    if name in _OWN_KINDS:
        from .terms import KINDS  # seldom needed

        make, kind = KINDS[name]
    entries = [make(partner, name, row, schema) for row in (about.get("registers") or {}).get(name) or ()]
    days = [e.day for e in entries]
    seen = [
        (day.number if day else -(1 << 30), _numbered(e._row.get("id")), n, e)
        for n, (day, e) in enumerate(zip(days, entries, strict=True))
        if not day or day.number <= as_of
    ]
    seen.sort(key=lambda row: row[:3])
    kept = (about.get("kept_since") or {}).get(name)
    if kept:
        since: Day | None = Day.of(day_number(kept))
    else:
        since = min((day for day in days if day is not None and day.number <= as_of), default=None)
    return kind(partner, name, since, [row[3] for row in seen])


def _numbered(name: object) -> tuple[int, str]:
    """Of one day, entries stand in the order of their ids: numbers as numbers."""
    text = str(name or "")
    return (int(text) if text.isascii() and text.isdigit() else 0, text)


def pairs_of(text: str) -> dict[str, Any]:
    """NAME=VALUE; NAME=VALUE as a dictionary: numbers as numbers."""
    out: dict[str, Any] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            out[name.strip()] = number_of(value.strip())
    return out


def number_of(text: str) -> int | float | str:
    """A number as a number (6.0 is 6), anything else as it is."""
    digits = text.removeprefix("-")
    whole, point, part = digits.partition(".")
    if not (whole.isascii() and whole.isdigit() and (not point or (part.isascii() and part.isdigit()))):
        return text
    number = float(text) if point else int(text)
    return int(number) if number == int(number) else number


def moment(text: str) -> datetime.datetime:
    """A moment with its zone; UTC where none is written."""
    value = datetime.datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
