# SPDX-License-Identifier: Apache-2.0
"""Who may know of what a rule reads. Each read has one of four classes, which is kept with it in the evidence:

theirs        what the partner knows anyway: its own figures, and what both sides did or wrote down together
released      aggregates: figures of cohorts and benchmarks
ours          what we know or believe, and the partner does not
confidential  a deal: offers, interests, alternatives

A rule with audience="both" that read one of the latter two does not publish: see judge.py and World.judge()."""

from __future__ import annotations

from . import run
from .run import Read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from .findings import Finding

THEIRS: Final = "theirs"
RELEASED: Final = "released"
OURS: Final = "ours"
CONFIDENTIAL: Final = "confidential"
OF_AUDIENCE: Final = {"both": THEIRS, "us": OURS, "confidential": CONFIDENTIAL}  # the words of registers
_ORDER: Final = (RELEASED, THEIRS, OURS, CONFIDENTIAL)


class Held(list["Finding"]):
    """What a rule for both said when it was held back: whoever reads it, reads what is ours."""


def class_of(read: Read) -> str:
    """What nothing is said of is released if it is of a cohort, else theirs. evidence.c does the same."""
    return read.sharing or (RELEASED if read.cohort else THEIRS)


def strictest(*classes: str) -> str:
    """Of several; of none, released."""
    return max(classes, key=_ORDER.index, default=RELEASED)


def note(read: Read) -> None:
    """Keep what was read of something that may be ours or confidential."""
    run.now.reads.append(read)
    if read.sharing in (OURS, CONFIDENTIAL):
        said = f"{read.metric} ({read.sharing})"
        if said not in run.now.held:
            run.now.held.append(said)
