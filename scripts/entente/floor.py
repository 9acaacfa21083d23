# SPDX-License-Identifier: Apache-2.0
"""What may be told of several partners together. docs/rules.md says against whom this protects, and against whom not.

The rules are those of statistical offices (Hundepool et al., Statistical Disclosure Control, Wiley 2012, chapter 4:
a least frequency and (n,k) dominance): at least k partners, and neither the largest nor the two largest hold too much of
what is added up. For a ratio that is what it is divided by. The largest and the smallest value are never told."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

LEAST: Final = 5
MOST_OF_ONE: Final = 60  # percent of the sum
MOST_OF_TWO: Final = 80
MOST_THRESHOLDS: Final = 8  # that one rule may ask of the same figures for one partner
THRESHOLD_DIGITS: Final = 2


class Floor:
    """The rules as `entente.yaml` sets them."""

    __slots__ = ("least", "most_of_one", "most_of_two")

    def __init__(self, meta: dict[str, Any]) -> None:
        self.least = max(2, int(meta.get("min_cohort", LEAST)))
        self.most_of_one = int(meta.get("most_of_one", MOST_OF_ONE))
        self.most_of_two = int(meta.get("most_of_two", MOST_OF_TWO))

    def holds_most(self, largest: int, second: int, total: int) -> str:
        """Who dominates a sum, as one says it; "": nobody."""
        if largest * 100 > total * self.most_of_one:
            return "one partner"
        if (largest + second) * 100 > total * self.most_of_two:
            return "two partners"
        return ""

    @property
    def most_weight(self) -> float:
        """What one of many that are weighed may weigh: then no two of them dominate, either."""
        return min(self.most_of_one, self.most_of_two / 2) / 100


def pulled_in(place: tuple[int, int], size: int) -> tuple[int, int]:
    """A place in order, top / bottom, kept away from the smallest and the largest value."""
    top, bottom = place
    if size < 3:
        return place
    return min(max(top, bottom), (size - 2) * bottom), bottom


def counted(reaching: int, size: int) -> int:
    """How many reach a threshold, without saying it where only one does, or only one does not: that would be the largest or
    the smallest value."""
    if size < 3:
        return reaching
    return 0 if reaching <= 1 else size if reaching >= size - 1 else reaching
