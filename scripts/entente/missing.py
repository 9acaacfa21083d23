# SPDX-License-Identifier: Apache-2.0
"""Evidence that is not there. A rule that needs it is neither true nor false; what is missing becomes an
ask."""

from __future__ import annotations

from .day import spoken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple
else:
    from .light import NamedTuple


class Ask(NamedTuple):
    """Which data, from which source, would decide."""

    what: str  # as one would ask the partner for it
    metric: str = ""  # metric or register that it would fill
    start: int | None = None  # days [start, stop), as numbers
    stop: int | None = None
    source: str = ""  # configured source that should have brought it
    note: str = ""

    @property
    def text(self) -> str:
        """All of it: visits, 2026-06-09 to 2026-06-18, from shop-feed."""
        out = self.what
        if self.start is not None and self.stop is not None:
            out += f", {spoken(self.start, self.stop)}"
        if self.source:
            out += f", from {self.source}"
        return f"{out} ({self.note})" if self.note else out


def merged(asks: Iterable[Ask]) -> list[Ask]:
    """Each thing asked for once, adjoining days in one piece."""
    once = list(dict.fromkeys(asks))
    if len(once) < 2:
        return once
    groups: dict[tuple[str, str, str, str], list[Ask]] = {}
    for ask in once:
        groups.setdefault((ask.what, ask.metric, ask.source, ask.note), []).append(ask)
    out: list[Ask] = []
    for group in groups.values():
        last: Ask | None = None
        for ask in sorted(group, key=lambda a: -1 if a.start is None else a.start):
            if (
                last is not None
                and last.stop is not None
                and ask.start is not None
                and ask.start <= last.stop
            ):
                last = out[-1] = last._replace(stop=max(last.stop, ask.stop or last.stop))
            else:
                out.append(ask)
                last = ask
    return out


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
