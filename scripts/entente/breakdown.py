# SPDX-License-Identifier: Apache-2.0
"""A figure cut into parts: by channel, country or another view, or as each origin tells it."""

from __future__ import annotations

from .quantity import RATIO, Quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple
else:
    from .light import NamedTuple


class Slice(NamedTuple):
    """One part of a breakdown."""

    key: str
    value: Quantity
    share: Quantity


class Breakdown:
    """A metric cut into parts. The parts of a view add up; those of by_origin() do not."""

    __slots__ = ("label", "_parts", "_total")

    def __init__(self, label: str, parts: dict[str, Quantity], total: Quantity | None) -> None:
        self.label = label
        self._parts = parts
        self._total = total

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

    def values(self) -> list[Quantity]:
        """Values, in order of the keys."""
        return list(self._parts.values())

    def share(self, key: str) -> Quantity:
        """Its share of the total; 0 for what is not there."""
        part = self._parts.get(key)
        return Quantity(0, 1, RATIO) if part is None else part / self.total

    def largest(self) -> Slice:
        """The part with the highest value."""
        return self._picked(max(self._parts, key=lambda k: self._parts[k]))

    def smallest(self) -> Slice:
        """The part with the lowest value."""
        return self._picked(min(self._parts, key=lambda k: self._parts[k]))

    def hhi(self) -> Quantity:
        """Concentration, from near 0 to 1 (Herfindahl-Hirschman index: the sum of squared shares)."""
        total = Quantity(0, 1, RATIO)
        for key in self._parts:
            total = total + self.share(key) * self.share(key)
        return total

    def _picked(self, key: str) -> Slice:
        value = self._parts[key]
        share = value / self._total if self._total else Quantity(0, 1, RATIO)
        return Slice(key, value, share)
