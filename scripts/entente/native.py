# SPDX-License-Identifier: Apache-2.0
"""The frame of quantities, measures, evidence and what depends on it: in C inside the rules worker, else in Python."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .plain import Depend, Figure, Look, bind, evidence, exact_pairs
else:
    try:
        from _entente import Depend, Figure, Look, bind, evidence, exact_pairs
    except ImportError:
        from .plain import Depend, Figure, Look, bind, evidence, exact_pairs

__all__ = ["Depend", "Figure", "Look", "bind", "evidence", "exact_pairs"]
