# SPDX-License-Identifier: Apache-2.0
"""The brief: the page that a strategist takes into the meeting with one partner, as HTML and as CSV.

`model` says what it is made from. Nothing here imports the rest of the package, needs a network, or asks
the clock.
"""

from . import page, table
from .model import Brief, BriefError, Finding, Window, check

__all__ = ["Brief", "BriefError", "Window", "check", "released", "render", "to_csv"]


def released(brief: Brief) -> Brief:
    """What the partner may see: findings, evidence, asks, sources for both; no stage, no judgements."""
    shown = brief.copy()
    shown["partner"] = brief["partner"].copy()
    shown["partner"]["stage"] = None
    shown["findings"] = [_released(f) for f in brief["findings"] if f["audience"] == "both"]
    shown["asks"] = [a for a in brief["asks"] if a["audience"] == "both"]
    shown["sources"] = [s for s in brief["sources"] if s.get("audience", "both") == "both"]
    shown["judged"] = {"true": 0, "false": 0, "unknown": 0, "failed": 0}
    return shown


def _released(finding: Finding) -> Finding:
    shown = finding.copy()
    shown["evidence"] = [e for e in finding["evidence"] if e.get("audience", "both") == "both"]
    shown["severity"] = shown["confidence"] = shown["since"] = None
    shown["state"] = "open"
    return shown


def render(data: object, *, for_partner: bool = False) -> str:
    """The page, from data as it comes out of JSON. Raises BriefError if it is not that of a brief."""
    brief = check(data)
    return page.page(released(brief) if for_partner else brief, for_partner)


def to_csv(data: object, *, for_partner: bool = False) -> str:
    """The same content as a table."""
    brief = check(data)
    return table.rows(released(brief) if for_partner else brief)
