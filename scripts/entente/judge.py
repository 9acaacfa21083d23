# SPDX-License-Identifier: Apache-2.0
"""Runs one rule for one partner and keeps what it said, what it read and what it missed."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from typing import Any, Final, Literal, Union

from .day import iso
from .findings import Cell, Finding
from .measure import Measure
from .missing import Ask, NotEnoughEvidence, merged
from .partner import Partner
from .quantity import Quantity
from .reader import KNOWN, STATES
from .register import register_of
from .rules import Rule
from .run import Read, now

Verdict = Union[bool, Literal["unknown", "failed"]]
_TRACEBACK: Final = 8_000  # characters kept of a traceback
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Outcome:
    """What a rule said of a partner."""

    __slots__ = ("rule", "partner", "verdict", "findings", "reads", "asks", "missed", "error", "output")

    def __init__(self, rule: Rule, partner: str) -> None:
        self.rule = rule
        self.partner = partner
        self.verdict: Verdict = False
        self.findings: list[Finding] = []
        self.reads: list[Read] = []
        self.asks: list[Ask] = []
        self.missed: list[str] = []  # why it is not known
        self.error: dict[str, Any] | None = None
        self.output = ""

    def __repr__(self) -> str:
        return f"Outcome({self.rule.name}, {self.partner}, {self.verdict}: {[f.text for f in self.findings]})"

    def record(self) -> dict[str, Any]:
        """As docs/rules.md describes it."""
        rule = self.rule
        return {
            "rule": rule.name,
            "practice": rule.practice,
            "row": rule.row,
            "audience": rule.audience,
            "partner": self.partner,
            "verdict": self.verdict,
            "findings": [_finding(f) for f in self.findings],
            "evidence": [_evidence(r) for r in self.reads],
            "asks": [_ask(a) for a in self.asks],
            "missed": self.missed,
            "error": self.error,
            "output": self.output,
        }

    def json(self) -> bytes:
        """The record as UTF-8 JSON."""
        return _encode(self.record()).encode()


def judge(rule: Rule, partner: Partner, settings: Mapping[str, Any] | None = None) -> Outcome:
    """Run the rule. Whatever it does wrong is in the outcome and never raised."""
    outcome = Outcome(rule, partner.id)
    now.reset()
    found = outcome.findings
    try:
        for item in rule.function(partner, **(rule.settings if settings is None else settings)) or ():
            if isinstance(item, Finding):
                found.append(item)
                now.asks.extend(item.asks)
            elif isinstance(item, Ask):
                now.asks.append(item)
            else:
                raise TypeError(f"a rule yields findings, and this is {type(item).__name__}: {item!r:.80}")
    except NotEnoughEvidence as error:
        now.missed.append(error.why)
        now.asks.extend(error.asks)
        for ask in _wholly_absent(rule, partner):
            now.asks.append(ask)
    except BaseException as error:  # a rule may raise anything, also SystemExit and MemoryError
        outcome.error = _failure(rule, error)
        outcome.findings = [
            Finding("failure", f"{rule.name} failed for {partner.id}: {outcome.error['text']}")
        ]
        outcome.verdict = "failed"
    outcome.reads, outcome.missed = now.reads, now.missed
    outcome.asks = merged(now.asks)
    if outcome.error is None:
        if any(f.kind != "unknown" for f in found):
            outcome.verdict = True
        elif now.missed or found:
            outcome.verdict = "unknown"
        partner.said[rule.name] = found
    else:
        partner.said[rule.name] = []
    now.reset()
    return outcome


def _wholly_absent(rule: Rule, partner: Partner) -> list[Ask]:
    """All that the rule needs and nobody ever gave, so that it is asked for once and not one after the
    other."""
    asks: list[Ask] = []
    for name in rule.needs:
        metric = partner.view.metrics.get(name)
        if metric is not None:
            try:
                Measure(partner, metric).known_since()
            except NotEnoughEvidence as error:
                asks += error.asks
        elif register_of(partner, name).kept_since is None:
            asks.append(Ask(f"{name} in the register of that name", name))
    already = {ask.metric for ask in now.asks}
    return [ask for ask in asks if ask.metric not in already]


def _failure(rule: Rule, error: BaseException) -> dict[str, Any]:
    """Where in the rule's own file it went wrong, and the whole traceback."""
    line = rule.line
    at: BaseException | None = error
    while at is not None:
        for frame, number in traceback.walk_tb(at.__traceback__):
            if frame.f_code.co_filename == rule.file:
                line = number
        at = at.__cause__
    try:
        said = str(error)
    except Exception:
        said = "(its text cannot be shown)"
    lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-20)
    return {
        "file": rule.file,
        "line": line,
        "text": f"{type(error).__name__}: {said}"[:1000] if said else type(error).__name__,
        "traceback": "".join(lines)[-_TRACEBACK:],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    out: dict[str, Any] = {
        "kind": finding.kind,
        "key": finding.key,
        "text": finding.text,
        "worth": None if finding.worth is None else finding.worth.micro,
        "per": finding.per,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "rank": finding.rank,
    }
    if finding.open is not None:
        out["open"] = finding.open
    if finding.rows:
        out["rows"] = [[_cell(cell) for cell in row] for row in finding.rows]
    if finding.chart is not None:
        out["chart"] = [finding.chart[0], {key: _plain(value) for key, value in finding.chart[1].items()}]
    if finding.decides_on is not None:
        out["decides_on"] = finding.decides_on.isoformat()
    return out


def _cell(cell: Cell) -> str | int | float | None:
    return str(cell) if isinstance(cell, Quantity) else cell


def _plain(cell: Cell) -> str | int | float | None:
    return cell.number if isinstance(cell, Quantity) else cell


def _evidence(read: Read) -> dict[str, Any]:
    value = Quantity(read.top, read.bottom, read.unit) if read.state == KNOWN else None
    return {
        "metric": read.metric,
        "from": iso(read.start),
        "through": iso(read.stop - 1),
        "value": str(value) if value is not None else "",
        "number": None if value is None else value.number,
        "unit": str(read.unit),
        "state": STATES[read.state],
        "covered": None if read.covered < 0 else read.covered,
        "days": read.stop - read.start,
        "origin": read.origin,
        "slice": read.slice,
        "cohort": read.cohort,
        "size": read.size,
    }


def _ask(ask: Ask) -> dict[str, Any]:
    return {
        "what": ask.text,
        "metric": ask.metric,
        "from": "" if ask.start is None else iso(ask.start),
        "through": "" if ask.stop is None else iso(ask.stop - 1),
        "source": ask.source,
    }
