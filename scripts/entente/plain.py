# SPDX-License-Identifier: Apache-2.0
"""In Python, what the rules worker has in C: the frame of quantities, of measures, of evidence and of what depends on it.
Fixtures, and whoever reads what these do, take it from here; both give the same results."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from array import array
    from typing import Self

    from .cohort import Cohort
    from .day import Window
    from .findings import Finding
    from .measure import Measure
    from .missing import Ask
    from .partner import Partner
    from .quantity import Quantity, Unit
    from .reader import Snapshot
    from .rules import Rule
    from .run import Read
    from .view import Metric, View

OUTPUT: Final = 16_384  # characters kept of what a rule prints for one partner

exact_pairs: Final[dict[float, tuple[int, int]]] = {}  # floats as they were written, see quantity.py


class Figure:
    """A number with its unit. What the operators do is written in Quantity."""

    __slots__ = ("top", "bottom", "unit", "coverage", "grade")

    def __init__(self, top: int, bottom: int, unit: Unit, coverage: float = 1.0, grade: float = 1.0) -> None:
        self.top = top
        self.bottom = bottom  # > 0
        self.unit = unit
        self.coverage = coverage  # share of the window's days for which a source speaks
        self.grade = grade  # how well it is known: 1 was measured, less was told

    @property
    def number(self) -> float:
        """In whole units: euros, seconds, pieces."""
        return self.top / (self.bottom * self.unit.scale)

    def _sum(self, other: Any) -> Quantity:
        raise NotImplementedError

    def _product(self, other: Any) -> Quantity:
        raise NotImplementedError

    def _quotient(self, other: Any) -> Quantity:
        raise NotImplementedError

    def _divided(self, other: Any) -> Quantity:
        raise NotImplementedError

    def _against(self, other: object) -> int:
        raise NotImplementedError

    @property
    def fraction(self) -> Any:
        raise NotImplementedError

    def _like(self, top: int) -> Quantity:
        new: Callable[..., Any] = type(self)
        like: Quantity = new(top, self.bottom, self.unit, self.coverage, self.grade)
        return like

    def _graded(self, out: Any, other: Any) -> Any:
        """What comes of two figures is known as well as the worse one."""
        if isinstance(out, Figure):
            out.grade = min(self.grade, other.grade) if isinstance(other, Figure) else self.grade
        return out

    def __add__(self, other: Any) -> Any:
        return self._graded(self._sum(other), other)

    def __radd__(self, other: Any) -> Any:
        return self._graded(self._sum(other), other)

    def __neg__(self) -> Quantity:
        return self._like(-self.top)

    def __abs__(self) -> Quantity:
        return self._like(abs(self.top))

    def __sub__(self, other: Any) -> Any:
        return self._graded(self._sum(-other), other)

    def __rsub__(self, other: Any) -> Any:
        return self._graded(self.__neg__()._sum(other), other)

    def __mul__(self, other: Any) -> Any:
        return self._graded(self._product(other), other)

    def __rmul__(self, other: Any) -> Any:
        return self._graded(self._product(other), other)

    def __truediv__(self, other: Any) -> Any:
        return self._graded(self._quotient(other), other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._graded(self._divided(other), other)

    def __lt__(self, other: Any) -> bool:
        return self._against(other) < 0

    def __le__(self, other: Any) -> bool:
        return self._against(other) <= 0

    def __gt__(self, other: Any) -> bool:
        return self._against(other) > 0

    def __ge__(self, other: Any) -> bool:
        return self._against(other) >= 0

    def __eq__(self, other: object) -> bool:
        try:
            return self._against(other) == 0
        except TypeError:  # UnitError: things that cannot be compared are not equal
            return False

    def __hash__(self) -> int:
        return hash(self.fraction)

    def __bool__(self) -> bool:
        return self.top != 0


class Look:
    """One metric of one partner. How it is read is written in Measure."""

    __slots__ = ("partner", "metric", "_origin", "_view", "_values")

    def __init__(
        self,
        partner: Partner,
        metric: Metric,
        origin: int = -1,
        view: int = 0,
        values: tuple[str, ...] | None = None,
    ) -> None:
        self.partner = partner
        self.metric = metric
        self._origin = origin
        self._view = view
        self._values = values  # of the view; ("online/",) with a slash at its end means all that begin so

    def _slow(self, window: Window, least_coverage: float = 0.8) -> Quantity:
        raise NotImplementedError

    def over(self, window: Window, least_coverage: float = 0.8) -> Quantity:
        """Its value over the days of the window. Not enough of the days known: NotEnoughEvidence."""
        return self._slow(window, least_coverage)


class Seat:
    """A partner of a snapshot. How its measures are made is written in Partner."""

    __slots__ = ("view", "index", "id", "said", "_measures", "_origins", "_cohorts")

    def __init__(self, view: View, index: int) -> None:
        self.view = view
        self.index = index
        self.id = view.ids[index]
        self.said: dict[str, list[Finding]] = {}  # by rule, of the rules that ran before
        self._measures: dict[str | tuple[str, int], Measure] = {}
        self._origins: dict[int, list[int]] = {}
        self._cohorts: dict[tuple[tuple[str, ...], bool], Cohort] = {}

    def _measure(self, metric: str) -> Measure:
        raise NotImplementedError

    def __getitem__(self, metric: str) -> Measure:
        found = self._measures.get(metric)
        if found is None:
            found = self._measures[metric] = self._measure(metric)
        return found


class Values:
    """One double for each partner. What other libraries take of it: numpy alone, for Python itself exports no memory."""

    __slots__ = ("_data",)
    _data: array[float]

    def __new__(cls, data: array[float], known: bytes) -> Self:
        self = super().__new__(cls)
        self._data = data
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy

        view: Any = memoryview(self._data)
        return numpy.array(view, dtype) if copy else numpy.asarray(view, dtype)

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        raise NotImplementedError("fixtures give no Arrow arrays; numpy.asarray() takes the column")

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise NotImplementedError("fixtures give no Arrow arrays; numpy.asarray() takes the column")


class Rows:
    """Days by partners."""

    __slots__ = ()

    def __new__(cls, day0: int, days: int, names: list[str], series: list[Any], known: list[bytes]) -> Self:
        return super().__new__(cls)

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        raise NotImplementedError("fixtures give no Arrow tables; numpy.asarray() takes the frame")

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise NotImplementedError("fixtures give no Arrow tables; numpy.asarray() takes the frame")


class Run:
    """The record of the rule at work."""

    __slots__ = ("reads", "asks", "missed", "held", "pair")

    def __init__(self) -> None:
        self.pair = 0  # numbers of partner and rule in one: see changes.py
        self.reset()

    def reset(self) -> None:
        """Before each rule."""
        self.reads: list[Read] = []
        self.asks: list[Ask] = []
        self.missed: list[str] = []
        self.held: list[str] = []  # what it read that is not for the partner: see classes.py


def bind(
    quantity: type, read: type, measure: type, now: Run, origins: tuple[str, ...], units: tuple[object, ...]
) -> None:
    """What over() makes, and where it puts it. Only C has to be told."""


class Printed:
    """Keeps the first characters of what scripts print. In the worker, C does, from the start."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._left = OUTPUT
        self._before: tuple[Any, Any] | None = None

    def __enter__(self) -> Printed:
        self._before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = cast("Any", self)
        return self

    def __exit__(self, *unused: object) -> None:
        if self._before is not None:
            sys.stdout, sys.stderr = self._before

    def write(self, text: str) -> int:
        """As of a file."""
        if self._left > 0:
            self._parts.append(text[: self._left])
            if len(text) > self._left:
                self._parts.append(f"\n[more was printed; the first {OUTPUT} characters are kept]")
        self._left -= len(text)
        return len(text)

    def flush(self) -> None:
        """As of a file."""

    def take(self) -> str:
        """What was printed since the last call."""
        text = "".join(self._parts)
        self._parts, self._left = [], OUTPUT
        return text


_printed = Printed()


def printing() -> Printed:
    """While it is entered, what scripts print is kept."""
    return _printed


def printed() -> str:
    """What scripts printed since the last call."""
    return _printed.take()


def loads(path: str) -> None:
    """Which file of a book is loaded from now on; only the worker has somebody who waits for it."""


def tidy() -> bool:
    """Put back what a rule or file left behind in the interpreter that all share; here it is pytest's or a notebook's."""
    return True


def release(error: BaseException) -> None:
    """Let go of what the frames of an exception hold."""


def judge(
    partner: Partner,
    index: int,
    quoted: bytes,
    said: dict[str, list[Finding]],
    rules: list[tuple[int, str, Callable[..., Any], dict[str, Any], bytes, Rule]],
    writing: tuple[type, Callable[[Finding], str], Callable[[Read], str], Callable[..., bytes]],
    emit: Callable[[bytes], None],
    start: Callable[[int, int], None],
    depend: Depend | None,
) -> None:
    """Run rules for one partner. The last of `writing`, loud(rule, partner, first, rest, error), makes the record."""
    from .changes import pair
    from .run import now

    for number, _, function, settings, _, rule in rules:
        now.reset()
        now.pair = pair(index, number)
        start(number, index)
        try:
            items, error = iter(function(partner, **settings) or ()), None
        except BaseException as raised:
            items, error = iter(()), raised
        emit(writing[3](rule, partner, (), items, error))
        if depend is not None:
            depend.note(number, index, now.reads)


def places(
    snapshot: Snapshot, who: bytes, metric: int, start: int, stop: int, origin: int
) -> tuple[list[tuple[float, int, int]], bytes] | None:
    """(number, top, bottom) of those of a cohort that are known, in order, and who they are. None: cohort.py does it itself."""
    return None


def weighed(ordered: list[tuple[float, int, int]], column: int) -> tuple[int, int, int] | None:
    """What the places have in a column: (total, largest, second), without signs. None: Peers does it itself."""
    return None


def exchanged(
    ordered: list[tuple[float, int, int]], was: list[tuple[int, int]], now: list[tuple[int, int]]
) -> list[tuple[float, int, int]] | None:
    """Places without those that were and with those that are now. None: Peers does it itself."""
    return None


def evidence(
    reads: list[Read], written: Callable[[Read], str], before: tuple[bytes, ...], after: tuple[bytes, ...]
) -> bytes:
    """Reads as JSON, between commas, with what stands in front of them and behind."""
    said = ",".join([written(read) for read in reads])
    return b"".join((*before, said.encode("utf-8", "replace"), *after))


class Depend:
    """Which metrics each rule read of each partner: what runs again when these change. Metrics are numbers of the
    catalogue; by name they come with the evidence."""

    def __init__(self, rules: int, partners: int, metrics: list[str]) -> None:
        self._numbers = {name: n for n, name in enumerate(metrics)}
        documents = {"order": 1, "line": 1, "refund": 1, "cart": 4, "visit": 5, "touch": 6, "contact": 7}
        self._numbers |= {
            f"facts.{kind}": 240 + number for kind, number in documents.items()
        }  # ENT_RULES_FACTS
        self._read: dict[tuple[int, int], frozenset[int]] = {}

    def note(self, rule: int, partner: int, reads: list[Read]) -> None:
        """What it read just now. What it read of cohorts is kept with the cohort's figures."""
        found = (self._numbers.get(read.metric, -1) for read in reads if not read.cohort)
        self._read[partner, rule] = frozenset(found) - {-1}

    def affected(self, partner: int, metrics: list[int] | None) -> list[int]:
        """Rules that read one of the metrics of that partner; None: all that have run."""
        wanted = None if metrics is None else frozenset(metrics)
        return sorted(
            rule
            for (whom, rule), read in self._read.items()
            if whom == partner and (wanted is None or read & wanted)
        )
