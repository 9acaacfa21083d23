# SPDX-License-Identifier: Apache-2.0
"""What the engine's own tests say of a partner's orders: partner.integrity("gap", "duplicates").

    lines_against_total  orders that are not what their lines add up to
    swapped_dates        day and month swapped: orders that stand among those of another day
    gap                  covered days without an order, where that is unusual
    duplicates           one order twice, under different keys

They say nothing of data that is as it should be. From which point on they speak is told in docs/findings.md."""

from __future__ import annotations

from .classes import note
from .missing import Ask, NotEnoughEvidence
from .quantity import COUNT
from .run import Read
from .told import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NamedTuple

    from .partner import Partner
else:
    from .light import NamedTuple

CHECKS: Final = ("lines_against_total", "swapped_dates", "gap", "duplicates")
DAYS: Final = 180  # up to the moment of judgement


class Check(NamedTuple):
    """What one test found, in one source. Nothing found, no Check."""

    name: str
    source: str
    text: str  # one sentence
    rows: list[list[str]]  # the first names the columns: which orders or days, and where they stand
    wrong: int  # orders, or days of a gap, that are wrong
    of: int  # that were looked at

    @property
    def key(self) -> str:
        """What it is about, for key= of a finding: two gaps are two findings."""
        return f"{self.name} {self.source}" + (
            f" {self.rows[1][0]}" if self.name == "gap" and self.rows[1:] else ""
        )


def integrity_of(partner: Partner, checks: tuple[str, ...]) -> list[Check]:
    """See Partner.integrity()."""
    for name in checks:
        if name not in CHECKS:
            raise ValueError(f"no test of data is called {name!r}; there are {', '.join(CHECKS)}")
    wanted = [name for name in CHECKS if not checks or name in checks]
    view = partner.view
    start, stop = view.as_of + 1 - DAYS, view.as_of + 1
    bits = sum(1 << CHECKS.index(name) for name in wanted)
    told: dict[str, Any] = loads(view.snapshot.integrity(partner.index, bits, start, stop))
    found = [Check(f["check"], f["source"], f["text"], f["rows"], f["count"], f["of"]) for f in told["found"]]
    seen = int(told["orders"])
    note(Read("facts.order", start, stop, 0 if seen else 1, seen, 1, COUNT, -1))
    for name in wanted:
        count = sum(check.wrong for check in found if check.name == name)
        note(
            Read(
                f"integrity {name}",
                start,
                stop,
                0 if seen else 1,
                count,
                1,
                COUNT,
                -1,
                slice=f"of {seen} orders",
            )
        )
    if not seen:
        raise NotEnoughEvidence(
            "there is no order that could be tested", Ask("single orders of a shop", "orders", start, stop)
        )
    return found
