# SPDX-License-Identifier: Apache-2.0
"""Whether a difference could be chance. Small shops have few orders, and few orders differ from month to
month for no reason."""

from __future__ import annotations

import math

from .quantity import Number, Quantity


def counts_differ(one: Quantity | Number, other: Quantity | Number, sure: float = 3.0) -> bool:
    """Whether two counts of equally long windows lie further apart than `sure` standard deviations. Counts
    of independent events are taken to vary as Poisson's; the square roots make the spread the same whatever
    the size."""
    a, b = float(one), float(other)
    return 2 * abs(math.sqrt(max(a, 0) + 0.375) - math.sqrt(max(b, 0) + 0.375)) > sure * math.sqrt(2)


def share_differs(
    part: Quantity | Number, whole: Quantity | Number, expected: Quantity | Number, sure: float = 3.0
) -> bool:
    """Whether `part` of `whole` is further from the share `expected` than `sure` standard deviations of a
    binomial. The part may exceed the whole (orders without a visit)."""
    n, p = float(whole), min(max(float(expected), 0.0), 1.0)
    if n <= 0:
        return False
    return abs(float(part) / n - p) > sure * math.sqrt(max(p * (1 - p), 1 / n) / n)
