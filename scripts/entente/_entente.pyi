# SPDX-License-Identifier: Apache-2.0
# Made from core/rules/signatures.c by `cmake --build --preset debug --target stub`; do not edit.
"""The C module that the rules worker adds to its interpreter: a reader of one snapshot. Days are days since 1970-01-01,
windows are half open [start, stop), money is int micro-units of the reporting currency. Present only inside the worker."""

from collections.abc import Callable, Iterator
from typing import Any, Final

SUM: Final = 0
RATIO: Final = 1
DISTINCT: Final = 2
DISTRIBUTION: Final = 3
KNOWN: Final = 0
NO_COVERAGE: Final = 1  # no source speaks for the window, or for too few of its days
NO_RATE: Final = 2  # a day's exchange rate is missing; `day` names it
NO_DENOMINATOR: Final = 3  # a ratio over nothing

class Series:
    """Values of one metric, one int64 a day, in the memory of the snapshot: numpy.asarray(series) copies nothing.
    Exports the buffer protocol (format 'q', read-only), the Arrow C data interface, and __array__ for pandas."""

    day0: int
    scale: int  # values are in 1/scale of the unit
    unit: str
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> int: ...
    def __iter__(self) -> Iterator[int]: ...
    def moment(self) -> int:
        """The sum of the values, each times twice its distance in days from the middle: what slopes are made of."""
    def __array__(self, dtype: Any=None, copy: bool | None=None) -> Any: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None=None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object | None=None) -> object: ...

class Column:
    """One column of facts, through the buffer protocol alone: int64, int32 or uint32, read-only."""


class Facts:
    """Single facts of one partner, in columns, in order of time."""

    ever: int  # facts of that kind on whatever day
    def __len__(self) -> int: ...
    def columns(self) -> list[tuple[str, str]]:
        """(name, what it holds): moment, day, text, flag, money, or the unit of a number. Moments in microseconds since 1970, money
        in millionths of the reporting currency; -2**63 where there is none, or no exchange rate."""
    def column(self, name: str) -> Column: ...
    def texts(self) -> list[str]:
        """What the numbers of columns of texts stand for; the first is the one that is not there."""

class Snapshot:
    as_of: int  # last day that windows include
    currency: str
    generation: int
    def at(self, day: int) -> Snapshot:
        """The same as of an earlier day. ValueError for a later one."""
    def day_of(self, partner: int) -> int:
        """The day as of which the partner is judged: as_of, or an earlier day if its zone has not come so far."""
    def days_differ(self) -> bool:
        """Whether that is another one than as_of for any partner."""
    def partners(self) -> list[str]: ...
    def partner_json(self, partner: int) -> str: ...
    def meta_json(self) -> str: ...
    def metrics(self) -> list[tuple[str, int, str, str, str, str, str]]:
        """(name, kind, unit, additivity, tags, doc, definition hash) of the catalogue, in order of its numbers."""
    def window(self, partner: int, metric: int, start: int, stop: int, origin: int=-1, view: int=0, value: str='', coverage: float=0.8) -> tuple[int, int, int, int, int, int]:
        """(state, top, bottom, covered days, declared days, day): the metric over [start, stop). SUM and DISTINCT: top, bottom 1.
        RATIO: top / bottom, exact integers, in 1/scale of the metric's unit (money, seconds: 1000000, pieces: 1000, else 1).
        DISTRIBUTION: top is the median, bottom 1. origin -1: by the catalogue's precedence. `coverage`: with a smaller part
        of the days covered the state is NO_COVERAGE, and top and bottom are what is there; 0: never. Days after as_of are
        not read. OverflowError where a sum cannot be held, IndexError where partner, metric, view or origin do not exist."""
    def quantile(self, partner: int, metric: int, start: int, stop: int, q: float, origin: int=-1, coverage: float=0.8) -> tuple[int, int]:
        """(state, value) of a DISTRIBUTION."""
    def values(self, partner: int, metric: int, view: int, start: int, stop: int, origin: int=-1) -> list[str]:
        """Values of a view that have data of the metric in the window, sorted."""
    def origins(self, partner: int, metric: int) -> list[int]:
        """Origins that have data or coverage for the metric."""
    def series(self, partner: int, metric: int, start: int, stop: int, origin: int=-1, view: int=0, value: str='') -> Series:
        """A SUM metric by day. Without a copy if it is one measure in the reporting currency, else a new array. ValueError for
        other kinds, and naming the day if a rate is missing."""
    def covers(self, partner: int, metric: int, origin: int=-1) -> list[tuple[int, int, bool, str]]:
        """(from, to, declared, source) of the metric's coverage."""
    def rate(self, currency: str, day: int) -> int:
        """What one unit of `currency` was worth on the day, in 1e-12 of the reporting currency; 0: not known."""
    def facts(self, partner: int, kind: int, start: int, stop: int) -> Facts:
        """The facts of a kind (ent_fact) and some days, which the core is asked for. RuntimeError says why it does not give them."""
    def cut(self, partner: int, metric: int, view: int, start: int, stop: int, origin: int) -> tuple[Snapshot, int]:
        """The metric's facts by a view that no cell keeps: a snapshot of this partner alone, whose generation is how many documents were
        read, and the families of the metric as bits. ValueError where they have no such view."""
    def integrity(self, partner: int, checks: int, start: int, stop: int) -> str:
        """What tests of the partner's orders found, as JSON; `checks` has a bit for each of integrity.CHECKS."""
    def cohort(self, partners: bytes, metric: int, start: int, stop: int, origin: int=-1, coverage: float=0.8) -> list[tuple[int, int, int]]:
        """(state, top, bottom) for each partner index of `partners` (packed uint32), in that order."""

class Values:
    """One double for each partner, and which of them are known: buffer protocol (format 'd', read-only), the Arrow C data
    interface with a validity bitmap, and __array__ for pandas."""

    def __new__(cls, data: Any, known: bytes) -> Values: ...
    def __array__(self, dtype: Any=None, copy: bool | None=None) -> Any: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None=None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object | None=None) -> object: ...

class Rows:
    """Days by partners, as an Arrow table: a column `day` and one for each name, which points to the int64 of its series."""

    def __new__(cls, day0: int, days: int, names: list[str], series: list[Any], known: list[bytes]) -> Rows: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object | None=None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object | None=None) -> object: ...

def printed() -> str:
    """What scripts wrote to sys.stdout and sys.stderr since the last rule started, or since the last call; at most 16 KiB."""

def loads(path: str) -> None:
    """Which file of a book is loaded from now on: it has a deadline of its own, and is named if it ends the worker."""

def tidy() -> bool:
    """Put back what a rule or file left behind: tracers, limits, streams, modules; wait for its threads. False: modules were
    missing."""

def release(error: BaseException) -> None:
    """Let go of what the frames of an exception hold, for there was no memory left."""

exact_pairs: dict[float, tuple[int, int]]  # floats as they were written, see quantity.py

class Figure:
    """A number with its unit, exact: top / bottom in 1/scale of the unit. What is not simple is handed to _sum, _product, _quotient,
    _divided and _against of entente.quantity."""

    def __new__(cls, top: int, bottom: int, unit: Any, coverage: float = 1.0, grade: float = 1.0) -> Any: ...
    top: int  # in 1/scale of the unit
    bottom: int  # more than 0
    unit: Any  # a Unit of entente.quantity
    coverage: float  # share of the days that sources speak for
    grade: float  # how well it is known: 1 was measured, less was told
    number: float  # in whole units: euros, seconds, pieces
    def __add__(self, other: Any, /) -> Any: ...
    def __radd__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __rsub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __rtruediv__(self, other: Any, /) -> Any: ...
    def __neg__(self) -> Any: ...
    def __lt__(self, other: Any, /) -> bool: ...
    def __le__(self, other: Any, /) -> bool: ...
    def __gt__(self, other: Any, /) -> bool: ...
    def __ge__(self, other: Any, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __bool__(self) -> bool: ...

class Look:
    """One metric of one partner. What is not simple is handed to _slow, _reported and _missing of entente.measure."""

    def __new__(cls, partner: Any, metric: Any, origin: int = -1, view: int = 0, values: Any = None) -> Any: ...
    partner: Any
    metric: Any  # a Metric of entente.view
    _origin: int
    _view: int
    _values: Any  # tuple[str, ...] | None
    def over(self, window: Any, least_coverage: float = 0.8) -> Any:
        """Its value over the days of the window. Not enough of them known: NotEnoughEvidence."""

class Run:
    """The record of the rule at work."""

    reads: Any  # what it read: a list of Read, made when somebody looks
    asks: list[Any]  # what would decide
    missed: list[str]  # why something was not known
    held: list[str]  # what it read that the partner may not know of
    pair: int  # numbers of partner and rule in one
    def reset(self) -> None:
        """Before each rule."""

class Seat:
    """A partner of a snapshot."""

    def __new__(cls, view: Any, index: int) -> Any: ...
    view: Any  # a View
    index: int
    id: str
    said: dict[str, Any]  # by rule, of the rules that ran before
    _measures: dict[Any, Any]
    _origins: dict[int, list[int]]
    _cohorts: dict[Any, Any]
    def __getitem__(self, metric: str, /) -> Any: ...

class Depend:
    """Which metrics each rule read of each partner: what runs again when these change."""

    def __new__(cls, rules: int, partners: int) -> Depend: ...
    def note(self, rule: int, partner: int, reads: Any, /) -> None:
        """What it read just now. What it read of cohorts is kept with the cohort's figures."""
    def affected(self, partner: int, metrics: list[int] | None, /) -> list[int]:
        """Rules that read one of the metrics of that partner; None: all that have run."""

def bind(quantity: type, read: type, measure: type, now: Run, origins: tuple[str, ...], units: tuple[object, ...], /) -> None:
    """What over() makes, and where it puts it."""

def evidence(reads: Any, written: Callable[[Any], str], before: tuple[bytes, ...], after: tuple[bytes, ...], /) -> bytes:
    """Reads as JSON between commas, the parts of `before` in front of them, those of `after` behind; written(read) writes what is not
    simple."""

def places(snapshot: Any, who: bytes, metric: int, start: int, stop: int, origin: int, /) -> tuple[list[tuple[float, int, int]], bytes] | None:
    """(number, top, bottom) of those of a cohort that are known, in order, and who they are (packed uint32)."""

def exchanged(ordered: list[tuple[float, int, int]], was: list[tuple[int, int]], now: list[tuple[int, int]], /) -> list[tuple[float, int, int]] | None:
    """Places without those that were and with those that are now."""

def weighed(ordered: list[tuple[float, int, int]], column: int, /) -> tuple[int, int, int] | None:
    """What the places have in a column, without signs: (total, largest, second)."""

def judge(partner: Any, index: int, quoted: bytes, said: dict[str, Any], rules: list[tuple[Any, ...]], writing: tuple[Any, ...], emit: Callable[[bytes], None], start: Callable[[int, int], None], depend: Depend | None, /) -> None:
    """Run rules for one partner, and send their records. See entente.plain, which says the same in Python."""
