# SPDX-License-Identifier: Apache-2.0
"""What a vectorized rule sees: all partners at once, a column for each figure. A column holds what
partner[metric].over(window) says of each; what is not known is marked, and is no number.

numpy, pandas, polars, pyarrow and DuckDB take columns and frames as they lie; none of them is needed, and a rule that
uses none reads column[partner] and column.items()."""

from __future__ import annotations

from array import array

from . import run
from .day import Day, Period, Window
from .missing import NotEnoughEvidence
from .native import Rows, Values
from .partner import Partner
from .quantity import Quantity, Unit
from .reader import RawSeries
from .run import Read
from .series import middle
from .view import Metric, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from .measure import Measure


class Seen:
    """What a rule read of each partner, and what it missed."""

    __slots__ = ("reads", "missing")

    def __init__(self, size: int) -> None:
        self.reads: list[list[Read]] = [[] for _ in range(size)]
        self.missing: list[list[NotEnoughEvidence]] = [[] for _ in range(size)]


class Columns:
    """Partners, and their figures as columns."""

    __slots__ = ("_view", "_indices", "_name", "_seen", "partners", "_place")

    def __init__(self, view: View, indices: Sequence[int], name: str, seen: Seen) -> None:
        self._view, self._indices, self._name, self._seen = view, indices, name, seen
        self.partners: tuple[str, ...] = tuple(view.ids[index] for index in indices)
        self._place = {partner: n for n, partner in enumerate(self.partners)}

    def __repr__(self) -> str:
        return f"Columns({self._name}: {len(self)} partners)"

    def __len__(self) -> int:
        return len(self.partners)

    def __iter__(self) -> Iterator[str]:
        return iter(self.partners)

    def __getitem__(self, metric: str) -> ColumnMeasure:
        found = self._view.metric(metric)
        return ColumnMeasure(self, found, lambda partner: partner[metric])

    @property
    def today(self) -> Day:
        """The moment of judgement."""
        return self._view.today

    def months(self, count: int) -> list[Period]:
        """The last `count` calendar months that are over, oldest first; each is a window."""
        return self._view.months(count)

    def attribute(self, name: str) -> list[str]:
        """A field of their profiles, "" where nobody filled it in: a column of texts."""
        return [self._view.attribute(index, name) for index in self._indices]

    def by(self, name: str) -> Iterator[tuple[str, Columns]]:
        """Those with the same value of a field, for each value in order: for industry, group in cohort.by("industry")."""
        groups: dict[str, list[int]] = {}
        for index in self._indices:
            groups.setdefault(self._view.attribute(index, name), []).append(index)
        for value in sorted(groups):
            yield value, Columns(self._view, groups[value], f"{name} {value}".strip(), self._seen)

    def where(self, mask: Iterable[object]) -> list[str]:
        """The partners for which the mask is true: a list, or what numpy and others compare columns to."""
        flags = list(mask)
        if len(flags) != len(self):
            raise ValueError(f"the mask is of {len(flags)} partners, and these are {len(self)}")
        return [partner for partner, flag in zip(self.partners, flags, strict=True) if flag]


class ColumnMeasure:
    """One metric of all of them. over() reads it; where() narrows what is read."""

    __slots__ = ("_columns", "metric", "_of")

    def __init__(self, columns: Columns, metric: Metric, of: Callable[[Partner], Measure]) -> None:
        self._columns, self.metric, self._of = columns, metric, of

    def where(self, **narrower: str) -> ColumnMeasure:
        """Only one origin, one side or one value of a view, as Measure.where()."""
        of = self._of
        return ColumnMeasure(self._columns, self.metric, lambda partner: of(partner).where(**narrower))

    def over(self, window: Window) -> Column:
        """Its value at each partner."""
        return self._read(lambda measure: measure.over(window))

    def change(self, window: Window, since: Window) -> Column:
        """By what share it rose or fell from `since` to `window`, at each partner."""
        return self._read(lambda measure: measure.change(window, since), " change")

    def median(self, window: Window) -> Column:
        """The median of a distribution, at each partner."""
        return self._read(lambda measure: measure.median(window))

    def daily(self, window: Window) -> Frame:
        """Its values by day and partner. Of metrics that can be summed."""
        columns, view = self._columns, self._columns._view
        span = view.span(window)
        raws: dict[int, RawSeries] = {}
        known: dict[int, bytes] = {}

        def read(measure: Measure) -> Quantity:
            index = measure.partner.index
            raws[index] = measure.daily(window).raw
            known[index] = _bits(measure._covered(span.start, span.stop), span.start, span.stop)
            return Quantity(0, 1, self.metric.unit)

        self._read(read, None)
        return Frame.of(columns, self.metric.unit, span.start, span.stop, raws, known)

    def _read(self, read: Callable[[Measure], Quantity], name: str | None = "") -> Column:
        """`name` is added to the metric's in the evidence of all together; None: by day."""
        columns, now = self._columns, run.now
        view, seen = columns._view, columns._seen
        found: list[Quantity | None] = []
        like: Read | None = None
        missed, asks = list(now.missed), list(now.asks)  # of if_known around another column
        for index in columns._indices:
            # by day they stand side by side, so that all are read as of one moment, which may be a day ahead of theirs
            partner = Partner(view if name is None else view.of(index), index)
            now.reset()
            try:
                found.append(read(self._of(partner)))
                like = like or now.reads[-1]
            except NotEnoughEvidence as missing:
                found.append(None)
                seen.missing[index].append(missing)
            finally:
                seen.reads[index] += now.reads
                partner.forget()
        now.reset()
        now.missed.extend(missed)
        now.asks.extend(asks)
        column = Column.of(columns, self.metric.unit, found)
        if like is not None and name is not None:
            middle_one, size = column.median().rounded(3), sum(column.known)
            all_ = like._replace(
                metric=like.metric + name,
                top=middle_one.top,
                bottom=middle_one.bottom,
                unit=middle_one.unit,
                covered=-1,
                declared=-1,
                cohort=columns._name,
                size=size,
            )
            for index in columns._indices:
                seen.reads[index].append(all_)
        return column


class Column(Values):
    """One figure of each partner, in whole units: len, column[partner] and column.items() as quantities; as an array
    through the buffer protocol (float64) and Arrow. Where `known` is false there is no figure, and the array holds 0."""

    __slots__ = ("unit", "partners", "known", "missing", "_figures", "_place")

    unit: Unit
    partners: tuple[str, ...]
    known: memoryview  # of bool: numpy.asarray(column)[column.known]
    missing: memoryview  # the opposite: numpy.ma.array(column, mask=column.missing)
    _figures: list[Quantity | None]
    _place: dict[str, int]

    @classmethod
    def of(cls, columns: Columns, unit: Unit, found: list[Quantity | None]) -> Column:
        """Of what was read; None is not known."""
        unit = next((one.unit for one in found if one is not None), unit)
        known = bytes(one is not None for one in found)
        self = cls(array("d", [0.0 if one is None else one.number for one in found]), known)
        self.unit, self.partners, self._place, self._figures = unit, columns.partners, columns._place, found
        self.known = memoryview(known).cast("?")
        self.missing = memoryview(bytes(not one for one in known)).cast("?")
        return self

    def __repr__(self) -> str:
        return f"Column({len(self._figures)} partners, {sum(self.known)} known, {self.unit})"

    def __len__(self) -> int:
        return len(self._figures)

    def __getitem__(self, partner: str) -> Quantity:
        if partner not in self._place:
            raise LookupError(f"no partner here is called {partner!r}")
        found = self._figures[self._place[partner]]
        if found is None:
            raise NotEnoughEvidence(f"that figure of {partner} is not known")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.partners)

    def items(self) -> Iterator[tuple[str, Quantity]]:
        """Partner and figure, of those that are known."""
        for partner, figure in zip(self.partners, self._figures, strict=True):
            if figure is not None:
                yield partner, figure

    def values(self) -> list[Quantity]:
        """The figures that are known."""
        return [figure for figure in self._figures if figure is not None]

    def median(self) -> Quantity:
        """The middle one of those that are known."""
        values = self.values()
        if not values:
            raise NotEnoughEvidence("it is not known of any partner")
        return middle(values)

    def robust_z(self) -> dict[str, float]:
        """How many usual distances each lies above (+) or below (-) the median: more than 3 is rare. The usual distance is
        1.4826 times the median distance from the median; where that is 0 nobody stands out."""
        numbers = {partner: figure.number for partner, figure in self.items()}
        if not numbers:
            return {}
        centre = middle(list(numbers.values()))
        usual = 1.4826 * middle([abs(number - centre) for number in numbers.values()])
        return {partner: (number - centre) / usual if usual else 0.0 for partner, number in numbers.items()}


class Frame(Rows):
    """Values by day and partner, in 1/scale of the unit. frame[partner] is a series of days, in the snapshot's own memory
    where it is kept so. Arrow takes the whole as a table: a row for each day, a column `day` and one for each partner,
    null where a source does not speak of it; that copies nothing either. As one array of numpy (partner x day) it is
    a copy, since series of different partners do not lie side by side."""

    __slots__ = ("unit", "scale", "partners", "day0", "_rows", "_place")

    unit: Unit
    scale: int
    partners: tuple[str, ...]
    day0: int
    _rows: list[RawSeries]
    _place: dict[str, int]

    @classmethod
    def of(
        cls,
        columns: Columns,
        unit: Unit,
        start: int,
        stop: int,
        raws: dict[int, RawSeries],
        known: dict[int, bytes],
    ) -> Frame:
        """Of those that have days; the others are all null."""
        days = stop - start
        nothing, none = array("q", bytes(8 * days)), bytes((days + 7) // 8)
        rows: list[Any] = [raws.get(index, nothing) for index in columns._indices]
        bits = [known.get(index, none) for index in columns._indices]
        flat = [row if isinstance(row, array) or _lies_flat(row) else array("q", row) for row in rows]
        self = cls(start, days, list(columns.partners), flat, bits)
        self.unit, self.scale, self.partners, self._place = unit, unit.scale, columns.partners, columns._place
        self.day0, self._rows = start, flat
        return self

    def __repr__(self) -> str:
        return f"Frame({len(self.partners)} partners, {len(self.days)} days, {self.unit})"

    def __len__(self) -> int:
        return len(self.partners)

    def __getitem__(self, partner: str) -> RawSeries:
        if partner not in self._place:
            raise LookupError(f"no partner here is called {partner!r}")
        return self._rows[self._place[partner]]

    @property
    def days(self) -> list[Day]:
        """The day of each value."""
        return [Day.of(self.day0 + n) for n in range(len(self._rows[0]) if self._rows else 0)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy  # a rule that asks for this has it

        if copy is False:
            raise ValueError(
                "partners lie apart in the snapshot: all in one array are a copy; frame[partner] is none"
            )
        return numpy.array([numpy.asarray(row) for row in self._rows], dtype)


def _lies_flat(row: Any) -> bool:
    try:
        memoryview(row).release()
    except TypeError:
        return False  # a fixture's, or what reports say by day
    return True


def _bits(stretches: Iterable[tuple[int, int]], start: int, stop: int) -> bytes:
    """A bit for each day that a source speaks for, the first in the lowest bit, as Arrow has them."""
    number = 0
    for first, after in stretches:
        number |= (1 << after - start) - (1 << first - start)
    return number.to_bytes((stop - start + 7) // 8, "little")


__all__ = ["Column", "ColumnMeasure", "Columns", "Frame", "Seen"]
