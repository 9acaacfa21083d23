# SPDX-License-Identifier: Apache-2.0
"""Single facts of a partner: orders, lines, refunds, carts, visits, contacts, touches, as a table.

    orders = partner.facts("order", "90d").where(status="sold")
    for o in orders.rows("at", "customer", "net"):
        ...
    by_agent = orders.sum("net", by="agent")      # by_agent["nobody"] is 0

Money is in the reporting currency, each amount by the rate of its day. People are texts that stand for one person at this
partner; nothing leads back from them. What is not there is None."""

from __future__ import annotations

from . import run
from .day import Day, Window, spoken
from .missing import Ask, NotEnoughEvidence
from .quantity import COUNT, PIECES, RATIO, SECONDS, Quantity, Unit, money_unit
from .reader import KNOWN, NO_COVERAGE, VIEWS
from .register import register_of
from .run import Read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Final

    from .partner import Partner
    from .reader import RawFacts, Snapshot
    from .view import Metric, View
else:
    from .light import datetime
if TYPE_CHECKING:
    import datetime

NONE: Final = -(1 << 63)  # a moment, an amount or a number that is not there
KINDS: Final = {
    "order": 1,
    "line": 2,
    "refund": 3,
    "cart": 4,
    "visit": 5,
    "touch": 6,
    "contact": 7,
}  # as plugin.h numbers them
_METRICS: Final = {
    "order": "orders",
    "line": "orders",
    "refund": "orders",
    "cart": "carts",
    "visit": "sessions",
}
_SPOKEN: Final = {
    "order": "orders",
    "line": "lines of orders",
    "refund": "refunds",
    "cart": "carts",
    "visit": "visits",
    "touch": "marketing contacts",
    "contact": "contacts",
}
_NAMED: Final = {
    "orders": "order",
    "lines": "line",
    "refunds": "refund",
    "carts": "cart",
    "sessions": "visit",
    "visits": "visit",
    "touches": "touch",
    "contacts": "contact",
}
_DOCUMENTS: Final = ("facts.order", "facts.visit", "facts.cart")  # by family
_UNITS: Final = {"pieces": PIECES, "seconds": SECONDS}
_SHOWN: Final = {
    "order": ("day", "key", "customer", "agent", "channel", "status", "net"),
    "line": ("day", "order", "name", "category", "units", "net"),
    "refund": ("day", "order", "kind", "reason", "amount"),
    "cart": ("day", "key", "status", "step", "value"),
    "visit": ("day", "channel", "source", "pageviews", "purchases"),
    "touch": ("day", "channel", "source", "campaign", "cost"),
    "contact": ("day", "kind", "whom", "subject"),
}
_MOST_SHOWN: Final = 100  # rows of a table in a finding


class Sums:
    """Sums by key; what no row has is zero."""

    __slots__ = ("_sums", "_zero")

    def __init__(self, sums: dict[Any, Quantity], zero: Quantity) -> None:
        self._sums, self._zero = sums, zero

    def __getitem__(self, key: object) -> Quantity:
        return self._sums.get(key, self._zero)

    def __contains__(self, key: object) -> bool:
        return key in self._sums

    def __len__(self) -> int:
        return len(self._sums)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._sums)

    def keys(self, part: int | None = None) -> list[Any]:
        """The keys; of keys with several parts, the different values of one part."""
        if part is None:
            return list(self._sums)
        return list(dict.fromkeys(key[part] for key in self._sums))

    def values(self) -> list[Quantity]:
        """The sums, in order of the keys."""
        return list(self._sums.values())

    def items(self) -> list[tuple[Any, Quantity]]:
        """(key, sum)."""
        return list(self._sums.items())

    def total(self) -> Quantity:
        """All of them."""
        total = self._zero
        for value in self._sums.values():
            total = total + value
        return total


class _Block:
    """Columns as the core gave them, and what was made of them: all tables that are cut from it share it."""

    __slots__ = ("raw", "types", "_columns", "_texts", "_sides")

    def __init__(self, raw: RawFacts) -> None:
        self.raw = raw
        self.types: dict[str, str] = dict(raw.columns())
        if "channel" in self.types:
            self.types["side"] = "text"
        self._columns: dict[str, Any] = {}
        self._texts: list[str | None] | None = None
        self._sides: list[str | None] | None = None

    def column(self, name: str) -> Any:
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = memoryview(self.raw.column("channel" if name == "side" else name))
        return found

    def texts(self, name: str) -> list[str | None]:
        """What the numbers of a column stand for."""
        if self._texts is None:
            told = self.raw.texts()
            self._texts = [None, *told[1:]]
        if name != "side":
            return self._texts
        if self._sides is None:
            self._sides = [text.partition("/")[0] if text and "/" in text else None for text in self._texts]
        return self._sides


class Table:
    """Facts of one kind, in order of time."""

    __slots__ = ("partner", "kind", "start", "stop", "_block", "_picked")

    def __init__(
        self,
        partner: Partner,
        kind: str,
        start: int,
        stop: int,
        block: _Block,
        picked: Sequence[int] | None = None,
    ) -> None:
        self.partner, self.kind, self.start, self.stop = partner, kind, start, stop
        self._block = block
        self._picked = picked  # rows of the block; None: all of them

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(self._block.types)

    def __len__(self) -> int:
        return len(self._block.raw) if self._picked is None else len(self._picked)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows())

    def __repr__(self) -> str:
        return f"Table({len(self)} {_SPOKEN[self.kind]}, {spoken(self.start, self.stop)})"

    def where(self, **columns: object) -> Table:
        """Rows whose columns have these values; of a list, any of them."""
        picked: Iterable[int] = range(len(self._block.raw)) if self._picked is None else self._picked
        for name, wanted in columns.items():
            column, among = (
                self._column(name),
                wanted if isinstance(wanted, (list, tuple, set, frozenset)) else (wanted,),
            )
            if self._block.types[name] == "text":
                texts = self._block.texts(name)
                numbers = {n for n, text in enumerate(texts) if text in among}
                picked = [row for row in picked if column[row] in numbers]
            elif self._block.types[name] in ("flag", "count"):
                numbers = {NONE if one is None else int(one) for one in among}
                picked = [row for row in picked if column[row] in numbers]
            else:
                made = self._values(name, picked)
                picked = [row for row, value in zip(picked, made, strict=True) if value in among]
        return Table(self.partner, self.kind, self.start, self.stop, self._block, list(picked))

    def by_time(self) -> Table:
        """The oldest first. Tables are in that order already; it says so where the order matters."""
        return self

    def rows(self, *columns: str) -> list[Any]:
        """One object for each row, with the columns as attributes; without names, with all of them."""
        names = columns or self.columns
        make = _row_class(names)
        return list(map(make, *(self._values(name) for name in names)))

    def values(self, column: str) -> list[Any]:
        """One column, as rows() has it."""
        return self._values(column)

    def sum(self, column: str, by: str | tuple[str, ...] | None = None) -> Any:
        """The sum of a column of money, times or counts; by="agent" or by=("customer", "side"): one for each, with 0 for what no
        row has."""
        unit = self._unit(column)
        numbers = self._numbers(column)
        zero = Quantity(0, 1, unit)
        if by is None:
            return Quantity(sum(n for n in numbers if n != NONE), 1, unit)
        names = (by,) if isinstance(by, str) else by
        keys: Iterable[Any] = (
            zip(*(self._keys(name) for name in names), strict=True)
            if len(names) > 1
            else self._keys(names[0])
        )
        sums: dict[Any, int] = {}
        for key, number in zip(keys, numbers, strict=True):
            if number != NONE:
                sums[key] = sums.get(key, 0) + number
        return Sums({key: Quantity(total, 1, unit) for key, total in sums.items()}, zero)

    def count(self, by: str | tuple[str, ...]) -> Sums:
        """How many rows there are of each."""
        names = (by,) if isinstance(by, str) else by
        counts: dict[Any, int] = {}
        keys: Iterable[Any] = (
            zip(*(self._keys(name) for name in names), strict=True)
            if len(names) > 1
            else self._keys(names[0])
        )
        for key in keys:
            counts[key] = counts.get(key, 0) + 1
        return Sums({key: Quantity(n, 1, COUNT) for key, n in counts.items()}, Quantity(0, 1, COUNT))

    def filled(self, column: str) -> Quantity:
        """The share of the rows that have a value there. No row at all: NotEnoughEvidence."""
        numbers, rows = self._column(column), len(self)
        if not rows:
            raise NotEnoughEvidence(
                f"there are no {_SPOKEN[self.kind]}, {spoken(self.start, self.stop)}",
                Ask(
                    _SPOKEN[self.kind],
                    f"facts.{self.kind}",
                    self.start,
                    self.stop,
                    note="there are none in these days",
                ),
            )
        kind = self._block.types[column]
        if kind == "text":
            texts = self._block.texts(column)
            empty = {n for n, text in enumerate(texts) if text is None}
        else:
            empty = {NONE} if kind not in ("day", "flag") else set()
        picked = range(rows) if self._picked is None else self._picked
        return Quantity(sum(1 for row in picked if numbers[row] not in empty), rows, RATIO)

    def raw(self, column: str) -> Any:
        """The numbers of a column as they lie in memory, through the buffer protocol: numpy.asarray(orders.raw("net")). Money in
        millionths, days since 1970, moments in microseconds, texts as numbers that .texts() explains. A table that was narrowed
        copies them."""
        block = self._column(column)
        if self._picked is None:
            return block
        from array import array

        return array(block.format, [block[row] for row in self._picked])

    def texts(self, column: str) -> list[str | None]:
        """What the numbers of a raw column of texts stand for."""
        self._column(column)
        return list(self._block.texts(column))

    def shown(self) -> list[tuple[Any, ...]]:
        """As the rows of a finding: the first one names the columns. Of many, the first hundred."""
        types = self._block.types
        names = [name for name in _SHOWN[self.kind] if name in types]
        first = self._picked[:_MOST_SHOWN] if self._picked is not None else range(min(len(self), _MOST_SHOWN))
        columns = [self._values(name, first, strict=False) for name in names]
        rows: list[tuple[Any, ...]] = [tuple(names), *zip(*columns, strict=True)]
        if len(self) > _MOST_SHOWN:
            rows.append((f"and {len(self) - _MOST_SHOWN:,} more", *[None] * (len(names) - 1)))
        return rows

    # Columns

    def _column(self, name: str) -> Any:
        if name not in self._block.types:
            from difflib import get_close_matches

            near = get_close_matches(name, self.columns, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(self.columns)}"
            raise LookupError(f"{_SPOKEN[self.kind]} have no column {name!r}; {hint}")
        return self._block.column(name)

    def _unit(self, name: str) -> Unit:
        self._column(name)
        kind = self._block.types[name]
        if kind == "money":
            return money_unit(self.partner.view.currency)
        unit = _UNITS.get(kind, COUNT if kind in ("count", "flag") else None)
        if unit is None:
            raise TypeError(f"{name} is a {kind}, and cannot be added up")
        return unit

    def _numbers(self, name: str, picked: Iterable[int] | None = None, strict: bool = True) -> list[int]:
        column = self._column(name)
        if picked is None:
            picked = self._picked
        numbers: list[int] = column.tolist() if picked is None else [column[row] for row in picked]
        if strict and self._block.types[name] == "money" and NONE in numbers:
            self._no_rate(name, numbers, picked)
        return numbers

    def _no_rate(self, name: str, numbers: list[int], picked: Iterable[int] | None) -> None:
        rows = range(len(numbers)) if picked is None else list(picked)
        row = rows[numbers.index(NONE)]
        day, currency = (
            self._block.column("day")[row],
            self._block.texts("currency")[self._block.column("currency")[row]],
        )
        raise NotEnoughEvidence(
            f"{name} of {_SPOKEN[self.kind]}, {Day.of(day)}: an exchange rate is missing",
            Ask(
                f"the rate of {currency} to {self.partner.view.currency}", f"facts.{self.kind}", day, day + 1
            ),
        )

    def _keys(self, name: str) -> list[Any]:
        return self._values(name)

    def _values(self, name: str, picked: Iterable[int] | None = None, strict: bool = True) -> list[Any]:
        numbers = self._numbers(name, picked, strict)
        kind = self._block.types[name]
        if kind == "text":
            texts = self._block.texts(name)
            return [texts[n] for n in numbers]
        if kind == "money" or kind in _UNITS:
            unit = self._unit(name)
            return [None if n == NONE else Quantity(n, 1, unit) for n in numbers]
        if kind == "moment":
            return [None if n == NONE else _moment(n) for n in numbers]
        if kind == "day":
            days = {n: Day.of(n) for n in set(numbers)}
            return [days[n] for n in numbers]
        if kind == "flag":
            return [n != 0 for n in numbers]
        return [None if n == NONE else n for n in numbers]


def _moment(us: int) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(microseconds=us)


_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_classes: Final[dict[tuple[str, ...], Callable[..., Any]]] = {}


def _row_class(names: tuple[str, ...]) -> Callable[..., Any]:
    found = _classes.get(names)
    if found is None:
        from collections import namedtuple

        if len(_classes) > 1000:
            _classes.clear()
        found = _classes[names] = namedtuple("Row", names)  # noqa: PYI024 - the columns are known now
    return found


# What is read is kept as evidence, and for as long as its partner is judged


def _kept(view: View, whom: int) -> dict[Any, Any]:
    """Of one partner: its tables would fill the memory if all kept theirs."""
    if view.facts_whom != whom:
        view.facts.clear()
        view.facts_whom = whom
    return view.facts


def facts_of(partner: Partner, kind: str, window: Window) -> Table:
    """See Partner.facts()."""
    if kind not in KINDS:
        raise ValueError(f"no facts are called {kind!r}; there are {', '.join(KINDS)}")
    view = partner.view
    start, stop = view.span(window)
    covered, declared = _known(partner, kind, start, stop)
    block = _block(partner, kind, start, stop)
    told = covered >= 0 or bool(block.raw.ever)
    state = KNOWN if told else NO_COVERAGE
    run.now.reads.append(
        Read(f"facts.{kind}", start, stop, state, len(block.raw), 1, COUNT, covered, declared)
    )
    if not told:
        raise NotEnoughEvidence(
            f"{_SPOKEN[kind]}: no source gives them",
            Ask(_SPOKEN[kind], f"facts.{kind}", start, stop, note="no source gives them so far"),
        )
    return Table(partner, kind, start, stop, block)


def columns_given(partner: Partner, needs: Mapping[str, tuple[str, ...]]) -> None:
    """Whether columns that a rule needs are ever filled, by kind: NotEnoughEvidence asks for those that are not. Where there is no
    fact at all, the rule itself says what is missing."""
    view = partner.view
    asks: list[Ask] = []
    for kind, columns in needs.items():
        for days in (400, 36_500):  # nearly always the last year says it
            start, stop = view.as_of + 1 - days, view.as_of + 1
            block = _block(partner, kind, start, stop)
            table = Table(partner, kind, start, stop, block)
            empty = [name for name in columns if len(table) and not table.filled(name)]
            if not empty and len(table):
                break
        run.now.reads.append(
            Read(f"facts.{kind}", start, stop, KNOWN, len(table), 1, COUNT, -1, -1, "", " ".join(columns))
        )
        asks += (
            Ask(f"the {name} of {_SPOKEN[kind]}", f"facts.{kind}", note="no source gives it so far")
            for name in empty
        )
    if asks:
        raise NotEnoughEvidence(f"{' and '.join(ask.what for ask in asks)}: never given", *asks)


def guarded(function: Callable[..., Any], needs: Mapping[str, str]) -> Callable[..., Iterator[Any]]:
    """A rule that does not run where columns that it needs are never filled."""
    wanted = needed(needs)

    def judged(partner: Partner, **settings: Any) -> Iterator[Any]:
        columns_given(partner, wanted)
        yield from function(partner, **settings) or ()

    return judged


def needed(rule_needs: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The columns that a rule names: needs={"orders": "agent customer"}. LookupError says what there is."""
    found: dict[str, tuple[str, ...]] = {}
    for name, columns in rule_needs.items():
        if not columns:
            continue
        kind = _NAMED.get(name)
        if kind is None:
            raise LookupError(f"{name!r} has no columns; facts are {', '.join(_NAMED)}")
        found[kind] = tuple(columns.split())
    return found


def _block(partner: Partner, kind: str, start: int, stop: int) -> _Block:
    view = partner.view
    kept = _kept(view, partner.index)
    block = kept.get((kind, start, stop))
    if block is None:
        raw = view.snapshot.facts(partner.index, KINDS[kind], start, min(stop, view.as_of + 1))
        block = kept[kind, start, stop] = _Block(raw)
    found: _Block = block
    return found


def _known(partner: Partner, kind: str, start: int, stop: int) -> tuple[int, int]:
    """Days for which sources speak, and those that they say they speak for; -1: nobody can tell. Too few of them:
    NotEnoughEvidence."""
    if kind == "contact":
        register = register_of(partner, "contacts")
        if register.kept_since is None or register.kept_since.number > start:
            register.during(_period(start, stop))  # raises
        return stop - start, -1
    name = _METRICS.get(kind)
    if name is None:
        return -1, -1
    from .measure import Measure

    view, measure = partner.view, Measure(partner, partner.view.metric(name))
    state, _, _, covered, declared, day = view.snapshot.window(
        partner.index, measure.metric.number, start, stop, -1, 0, ""
    )
    if state != KNOWN:
        run.now.reads.append(Read(f"facts.{kind}", start, stop, state, 0, 1, COUNT, covered, declared))
        raise measure._missing(start, stop, state, day)
    return covered, declared


def _period(start: int, stop: int) -> Window:
    from .day import Period

    return Period(start, stop, spoken(start, stop))


def cut_of(
    partner: Partner, metric: Metric, view_number: int, start: int, stop: int, origin: int
) -> Snapshot:
    """A snapshot that has a view of the metric's facts which no cell keeps: the partner is the only one in it."""
    view = partner.view
    kept = _kept(view, partner.index)
    key = ("cut", metric.number, view_number, start, stop, origin)
    found = kept.get(key)
    if found is None:
        try:
            found = view.snapshot.cut(
                partner.index, metric.number, view_number, start, min(stop, view.as_of + 1), origin
            )
        except ValueError as error:  # facts that never had such a thing
            raise NotEnoughEvidence(str(error)) from None
        kept[key] = found
    cut, families = found
    for family, name in enumerate(_DOCUMENTS):
        if families >> family & 1:
            read = Read(
                name, start, stop, KNOWN, cut.generation, 1, COUNT, -1, -1, "", f"by {VIEWS[view_number]}"
            )
            run.now.reads.append(read)
    snapshot: Snapshot = cut
    return snapshot


class Affinity:
    """How much oftener things are bought together than chance would have it."""

    __slots__ = ("_baskets", "_of", "_together", "_weights")

    def __init__(self, baskets: list[set[str]]) -> None:
        self._baskets = len(baskets)
        self._of: dict[str, int] = {}
        self._together: dict[tuple[str, str], int] = {}
        for basket in baskets:
            for a in basket:
                self._of[a] = self._of.get(a, 0) + 1
                for b in basket:
                    if a != b:
                        self._together[a, b] = self._together.get((a, b), 0) + 1

    def between(self, a: str, b: str) -> Quantity:
        """The shrunk lift of two: (baskets with both + 10) / (those that chance would give + 10). 1: bought independently."""
        expected_top = self._of.get(a, 0) * self._of.get(b, 0)
        baskets = max(self._baskets, 1)
        both = self._together.get((a, b), 0)
        return Quantity((both + _SHRUNK) * baskets, expected_top + _SHRUNK * baskets, RATIO)

    def of(self, key: str) -> Quantity:
        """The mean lift with everything else in the baskets, each weighed by how many baskets hold it. 1 where nothing is known."""
        top = Quantity(0, 1, RATIO)
        weight = 0
        for other, n in self._of.items():
            if other != key:
                top = top + n * self.between(key, other)
                weight += n
        return top / weight if weight else Quantity(1, 1, RATIO)


_SHRUNK: Final = 10  # baskets, as if so many had been seen that say nothing


def affinity_of(partner: Partner, dim: str, window: Window) -> Affinity:
    """See Partner.affinity()."""
    if dim not in ("category", "vendor", "product"):
        raise ValueError(
            f"lines of orders have no {dim!r} by which baskets could be told apart; take category, vendor or product"
        )
    lines = facts_of(partner, "line", window).where(status=["sold", "pending"])
    baskets: dict[Any, set[str]] = {}
    for row in lines.rows("order", dim):
        if row[1] is not None:
            baskets.setdefault(row[0], set()).add(row[1])
    return Affinity(list(baskets.values()))
