# SPDX-License-Identifier: Apache-2.0
"""The vocabulary in which strategists write rules. docs/rules.md shows how; it works without the engine, on
fixtures."""

from . import chance, metrics
from .breakdown import Breakdown
from .day import Day, Period, Window, ending, last_year, previous, words
from .findings import Finding, Findings, ask, gate, insight, opportunity, proposal, red_flag, unknown
from .measure import Measure
from .missing import Ask, NotEnoughEvidence, RuleMistake
from .partner import Partner, Profile, money
from .quantity import Quantity, UnitError, count, ratio
from .register import Entry, Register
from .rules import Rule, rule
from .run import all_of, any_of, if_known
from .series import Series, middle
from .titles import title

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .declare import above, at_least, at_most, below, between, is_not, metric, present, starts_with

_DECLARE = "above at_least at_most below between is_not metric present starts_with".split()


def __getattr__(name: str) -> object:
    """Few rulebooks declare metrics: what that needs is imported when it is asked for."""
    if name not in _DECLARE:
        raise AttributeError(f"module 'entente' has no attribute {name!r}")
    from . import declare

    found: object = getattr(declare, name)
    return found


__all__ = [
    "Ask",
    "Breakdown",
    "Day",
    "Entry",
    "Finding",
    "Findings",
    "Measure",
    "NotEnoughEvidence",
    "Partner",
    "Period",
    "Profile",
    "Quantity",
    "Register",
    "Rule",
    "RuleMistake",
    "Series",
    "UnitError",
    "Window",
    "above",
    "all_of",
    "any_of",
    "ask",
    "at_least",
    "at_most",
    "below",
    "between",
    "chance",
    "count",
    "ending",
    "gate",
    "if_known",
    "insight",
    "is_not",
    "last_year",
    "metric",
    "metrics",
    "middle",
    "money",
    "opportunity",
    "present",
    "previous",
    "proposal",
    "ratio",
    "red_flag",
    "rule",
    "starts_with",
    "title",
    "unknown",
    "words",
]
