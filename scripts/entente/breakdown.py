# SPDX-License-Identifier: Apache-2.0
"""A figure cut into parts: by channel, country or another view, or as each origin tells it."""

from __future__ import annotations

from .missing import NotEnoughEvidence
from .quantity import RATIO, SECONDS, Quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final, NamedTuple
else:
    from .light import NamedTuple

NO_VALUE: Final = "(none)"  # of a view: facts that have no value of it


class Slice(NamedTuple):
    """One part of a breakdown."""

    key: str
    value: Quantity
    share: Quantity


class Breakdown:
    """A metric cut into parts. The parts of a view add up; those of by_origin() do not. Facts without a value of the view are the part
    "(none)", which share(None) means, too; of customers, steps and load times that is no part, and only of the total."""

    __slots__ = ("label", "_parts", "_total", "_rest", "_rows")

    def __init__(
        self,
        label: str,
        parts: dict[str, Quantity],
        total: Quantity | None,
        rest: Quantity | None = None,
        rows: Callable[[], list[tuple[Any, ...]]] | None = None,
    ) -> None:
        self.label = label
        self._parts = parts
        self._total = total
        self._rest = rest  # what has no value and is no part
        self._rows = rows

    @property
    def total(self) -> Quantity:
        """The whole of which the parts are shares."""
        if self._total is None:
            raise TypeError(f"the parts of {self.label} tell of the same thing and cannot be added")
        return self._total

    def __len__(self) -> int:
        return len(self._parts)

    def __contains__(self, key: object) -> bool:
        return key in self._parts

    def __getitem__(self, key: str) -> Quantity:
        return self._parts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def items(self) -> list[tuple[str, Quantity]]:
        """(key, value), in order of the keys."""
        return list(self._parts.items())

    @property
    def values(self) -> list[Quantity]:
        """Values, in order of the keys."""
        return list(self._parts.values())

    def share(self, key: str | None) -> Quantity:
        """Its share of the total; 0 for what is not there. None: of what has no value."""
        if key is None:
            return self._unnamed() / self.total
        part = self._parts.get(key)
        return Quantity(0, 1, RATIO) if part is None else part / self.total

    def shares(self) -> dict[str, Quantity]:
        """The share of each part, in order of the keys."""
        return {key: self.share(key) for key in self._parts}

    def largest(self) -> Slice:
        """The part with the highest value."""
        return self._picked(max(self._some(), key=lambda k: self._parts[k]))

    def smallest(self) -> Slice:
        """The part with the lowest value."""
        return self._picked(min(self._some(), key=lambda k: self._parts[k]))

    def hhi(self) -> Quantity:
        """Concentration, from near 0 to 1 (Herfindahl-Hirschman index: the sum of squared shares)."""
        total = Quantity(0, 1, RATIO)
        for share in self.shares().values():
            total = total + share * share
        return total

    @property
    def midpoints(self) -> list[Quantity]:
        """Of load times: the middle of each bucket; of the last, which has no end, half as far behind its beginning as the one before
        is long."""
        return [_middle(key) for key in self._parts]

    def differing_rows(self) -> list[tuple[Any, ...]]:
        """Of origins: the days on which they tell different figures, and all days together, as the rows of a finding."""
        if self._rows is None:
            raise TypeError(
                f"{self.label} is not told by several origins; differing_rows() belongs to by_origin()"
            )
        return self._rows()

    def _unnamed(self) -> Quantity:
        """What no named part has: facts without a value, and what is told of no part, such as orders without lines."""
        named = Quantity(0, 1, self.total.unit)
        for key, part in self._parts.items():
            if key != NO_VALUE:
                named = named + part
        return max(self.total - named, Quantity(0, 1, self.total.unit))

    def _some(self) -> dict[str, Quantity]:
        if not self._parts:
            raise NotEnoughEvidence(f"{self.label} has no parts")
        return self._parts

    def _picked(self, key: str) -> Slice:
        value = self._parts[key]
        share = value / self._total if self._total else Quantity(0, 1, RATIO)
        return Slice(key, value, share)


_LAST: Final = 2_500_000  # microseconds from 15 s on: half of 10-15 s


def seconds_of(key: str) -> tuple[int, int]:
    """Where a bucket of load times begins and ends, in microseconds: 1.5-2 s, 15 s and more."""
    text = key.partition(" s")[0]
    first, _, after = text.partition("-")
    try:
        start = round(float(first) * 1_000_000)
        return start, round(float(after) * 1_000_000) if after else start + 2 * _LAST
    except ValueError:
        raise TypeError(f"{key!r} is no load time, and has no middle") from None


def _middle(key: str) -> Quantity:
    start, stop = seconds_of(key)
    return Quantity(start + stop, 2, SECONDS)
