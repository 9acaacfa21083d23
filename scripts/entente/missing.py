# SPDX-License-Identifier: Apache-2.0
"""Evidence that is not there. A rule that needs it is neither true nor false; what is missing becomes an ask."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ask:
    """Which data, from which source, would decide."""

    what: str               # as one would ask the partner for it
    metric: str = ""        # metric or register that it would fill
    start: int | None = None
    stop: int | None = None  # days [start, stop), as numbers
    source: str = ""        # configured source that should have brought it


class NotEnoughEvidence(Exception):
    """What a read raises when the answer is not known. `asks` say what would decide."""

    def __init__(self, why: str, *asks: Ask) -> None:
        super().__init__(why)
        self.why = why
        self.asks = asks


class RuleMistake(Exception):
    """A fault in how a rule is written or set, with its place and what to do about it."""

    def __init__(self, file: str, line: int, column: int, what: str, todo: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {what}; {todo}")
        self.file, self.line, self.column, self.what, self.todo = file, line, column, what, todo
