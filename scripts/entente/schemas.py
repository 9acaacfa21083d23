# SPDX-License-Identifier: Apache-2.0
"""The registers that ship, as core/engine/register_schemas.c has them, which a test compares: who may know of their entries,
in which states an entry is over, and which type each field has. Those that an organization adds come with the snapshot."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final, NamedTuple
else:
    from .light import NamedTuple


class Schema(NamedTuple):
    """What the entries of a register hold."""

    audience: str  # both, us, confidential
    closing: frozenset[str]  # states in which an entry is over
    fields: Mapping[str, str]  # types: text, date, time, number, yes or no, one of, pairs


SCHEMAS: Final[dict[str, Schema]] = {
    "contacts": Schema(
        "both",
        frozenset("done".split()),
        {
            "at": "time",
            "kind": "one of",
            "with": "text",
            "subject": "text",
            "held": "yes or no",
            "direction": "one of",
            "answered_at": "time",
            "minutes": "number",
            "audience": "one of",
        },
    ),
    "claims": Schema(
        "both",
        frozenset("proven disproven withdrawn".split()),
        {
            "text": "text",
            "who": "text",
            "metric": "text",
            "value": "number",
            "currency": "text",
            "window": "text",
            "said_on": "date",
            "due": "date",
            "audience": "one of",
        },
    ),
    "commitments": Schema(
        "both",
        frozenset("kept broken withdrawn".split()),
        {
            "text": "text",
            "who": "one of",
            "to": "text",
            "due": "date",
            "done_on": "date",
            "audience": "one of",
        },
    ),
    "objectives": Schema(
        "both",
        frozenset("reached missed withdrawn".split()),
        {
            "text": "text",
            "metric": "text",
            "direction": "one of",
            "target": "number",
            "due": "date",
            "audience": "one of",
        },
    ),
    "told": Schema(
        "both",
        frozenset("withdrawn".split()),
        {
            "about": "text",
            "to": "text",
            "on": "date",
            "grade": "one of",
            "audience": "one of",
        },
    ),
    "books": Schema(
        "both",
        frozenset("withdrawn".split()),
        {
            "year": "number",
            "revenue": "number",
            "profit": "number",
            "assets": "number",
            "liabilities": "number",
            "current_assets": "number",
            "current_liabilities": "number",
            "retained_earnings": "number",
            "equity": "number",
            "declared_on": "date",
            "currency": "text",
            "audience": "one of",
        },
    ),
    "agreements": Schema(
        "both",
        frozenset("ended withdrawn".split()),
        {
            "name": "text",
            "starts": "date",
            "ends": "date",
            "promises": "pairs",
            "window": "text",
            "currency": "text",
            "audience": "one of",
        },
    ),
    "terms": Schema(
        "both",
        frozenset("ended withdrawn".split()),
        {
            "agreement": "text",
            "title": "text",
            "kind": "text",
            "value": "number",
            "unit": "one of",
            "basis": "text",
            "tiers": "pairs",
            "reading": "one of",
            "cap": "number",
            "currency": "text",
            "from": "date",
            "until": "date",
            "agent": "text",
            "audience": "one of",
        },
    ),
    "offers": Schema(
        "confidential",
        frozenset("refused accepted withdrawn".split()),
        {
            "day": "date",
            "by": "one of",
            "package": "pairs",
            "note": "text",
        },
    ),
    "interests": Schema(
        "confidential",
        frozenset("withdrawn".split()),
        {
            "side": "one of",
            "issue": "text",
            "lever": "one of",
            "swing": "number",
            "worst": "number",
            "best": "number",
            "steps": "pairs",
            "options": "text",
        },
    ),
    "alternatives": Schema(
        "confidential",
        frozenset("gone".split()),
        {
            "side": "one of",
            "name": "text",
            "utility": "number",
            "package": "pairs",
            "probability": "number",
        },
    ),
    "issues": Schema(
        "both",
        frozenset("closed withdrawn".split()),
        {
            "title": "text",
            "owner": "text",
            "opened": "date",
            "closed_on": "date",
            "audience": "one of",
        },
    ),
    "milestones": Schema(
        "both",
        frozenset("reached missed withdrawn".split()),
        {
            "title": "text",
            "metric": "text",
            "value": "number",
            "currency": "text",
            "window": "text",
            "due": "date",
            "audience": "one of",
        },
    ),
}


def schema_of(own: Mapping[str, Any], name: str) -> Schema | None:
    """Of a register that ships, or is among `own`, as the snapshot has those; None: of one that only a test knows."""
    found = SCHEMAS.get(name)
    if found is None and name in own:
        row = own[name]
        found = Schema(row["audience"], frozenset(row["closing"].split()), row["fields"])
    return found
