# SPDX-License-Identifier: Apache-2.0
"""In Python, what the rules worker has in C: the frame of quantities, of measures, of evidence and of what depends on it.
Fixtures, and whoever reads what these do, take it from here; both give the same results."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .day import Window
    from .partner import Partner
    from .quantity import Quantity, Unit
    from .run import Read
    from .view import Metric

exact_pairs: Final[dict[float, tuple[int, int]]] = {}  # floats as they were written, see quantity.py


class Figure:
    """A number with its unit. What the operators do is written in Quantity."""

    __slots__ = ("top", "bottom", "unit", "coverage")

    def __init__(self, top: int, bottom: int, unit: Unit, coverage: float = 1.0) -> None:
        self.top = top
        self.bottom = bottom  # > 0
        self.unit = unit
        self.coverage = coverage  # share of the window's days for which a source speaks

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
        like: Quantity = new(top, self.bottom, self.unit, self.coverage)
        return like

    def __add__(self, other: Any) -> Quantity:
        return self._sum(other)

    __radd__ = __add__

    def __neg__(self) -> Quantity:
        return self._like(-self.top)

    def __abs__(self) -> Quantity:
        return self._like(abs(self.top))

    def __sub__(self, other: Any) -> Quantity:
        return self._sum(-other)

    def __rsub__(self, other: Any) -> Quantity:
        return self.__neg__()._sum(other)

    def __mul__(self, other: Any) -> Quantity:
        return self._product(other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Quantity:
        return self._quotient(other)

    def __rtruediv__(self, other: Any) -> Quantity:
        return self._divided(other)

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


def bind(quantity: type, read: type, now: object, origins: tuple[str, ...], units: tuple[object, ...]) -> None:
    """What over() makes, and where it puts it. Only C has to be told."""


def evidence(
    reads: list[Read], written: Callable[[Read], str], before: tuple[bytes, ...], after: tuple[bytes, ...]
) -> bytes:
    """Reads as JSON, between commas, with what stands in front of them and behind."""
    said = ",".join([written(read) for read in reads])
    return b"".join((*before, said.encode("utf-8", "replace"), *after))


class Depend:
    """Which metrics each rule read of each partner: what runs again when these change. Metrics are numbers of the
    catalogue; by name they come with the evidence."""

    def __init__(self, rules: int, partners: int) -> None:
        from .catalogue import METRICS  # only C knows them by itself

        self._numbers = {metric[0]: n for n, metric in enumerate(METRICS)}
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
