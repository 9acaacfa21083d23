# SPDX-License-Identifier: Apache-2.0
"""What one rule does while it judges one partner: what it read, what it missed. Rules run one at a time, on
one thread."""

from __future__ import annotations

from .missing import NotEnoughEvidence
from .native import Run
from .quantity import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NamedTuple, TypeVar

    T = TypeVar("T")
else:
    from .light import NamedTuple


class Read(NamedTuple):
    """One look at the data. Kept as numbers; text is made from it only where somebody looks."""

    metric: str
    start: int
    stop: int
    state: int
    top: int
    bottom: int
    unit: Unit
    covered: int  # days of the window for which a source speaks; -1: has no sense here
    declared: int = -1  # of these, days that the source itself says it speaks for; the others are a guess
    origin: str = ""
    slice: str = ""
    cohort: str = ""
    size: int = 0  # partners of the cohort that are in the figure
    sharing: str = ""  # who may know of it, see classes.py; "": released if it is of a cohort, else theirs


now = Run()
_partner = ("", 0)  # that is judged, and its day: not the partner itself, which holds on to its snapshot
_rule: str | Mapping[int, str] = ""  # by which rule; in the worker all their names, by number


def place(partner: Any, rule: str | Mapping[int, str]) -> None:
    """Who is judged from here on, and by what."""
    global _partner, _rule
    _partner, _rule = (partner.id, partner.view.as_of), rule


def who() -> str:
    """Rule, partner and day of what is going on: what chance is made from, so that it is the same on each run."""
    rule = _rule if isinstance(_rule, str) else _rule.get(now.pair & 0xFFFF, "")
    return f"{rule}|{_partner[0]}|{_partner[1]}"


def miss(label: str, error: NotEnoughEvidence) -> None:
    """Remember that something was not known, without stopping the rule."""
    now.missed.append(f"{label}: {error.why}" if label else error.why)
    for ask in error.asks:
        if ask not in now.asks:
            now.asks.append(ask)


class if_known:
    """with if_known("how the peers did"): evidence missing inside is recorded as an ask, the block is left,
    and the rule goes on. A rule that finds nothing and missed something has said unknown, not false."""

    __slots__ = ("_label",)

    def __init__(self, label: str = "") -> None:
        self._label = label

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, NotEnoughEvidence):
            return False
        miss(self._label, error)
        return True


def all_of(*parts: Callable[[], bool]) -> bool:
    """True if every part is true; false if one is false, whatever is not known; else not known (Kleene's
    logic). Each part is a lambda, for what cannot be evaluated must not stop the others."""
    return _settle(parts, False)


def any_of(*parts: Callable[[], bool]) -> bool:
    """True if one part is true, whatever is not known; false if every part is false; else not known."""
    return _settle(parts, True)


def _settle(parts: tuple[Callable[[], bool], ...], decides: bool) -> bool:
    missing: list[NotEnoughEvidence] = []
    for part in parts:
        try:
            if bool(part()) is decides:
                return decides
        except NotEnoughEvidence as error:
            missing.append(error)
    if missing:
        raise NotEnoughEvidence("; ".join(m.why for m in missing), *(ask for m in missing for ask in m.asks))
    return not decides
