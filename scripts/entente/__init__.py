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
    "all_of",
    "any_of",
    "ask",
    "chance",
    "count",
    "ending",
    "gate",
    "if_known",
    "insight",
    "last_year",
    "metrics",
    "middle",
    "money",
    "opportunity",
    "previous",
    "proposal",
    "ratio",
    "red_flag",
    "rule",
    "title",
    "unknown",
    "words",
]
