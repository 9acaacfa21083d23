# SPDX-License-Identifier: Apache-2.0
"""Runs one rule for one partner and keeps what it said, what it read and what it missed."""

from __future__ import annotations

from .classes import Held
from .findings import MOST, Finding
from .measure import Measure
from .missing import Ask, NotEnoughEvidence, merged
from .native import printed
from .partner import Partner
from .record import quoted, record
from .register import register_of
from .rules import Rule
from .run import Read, now, place
from .told import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Final, Literal

    Verdict = bool | Literal["unknown", "failed"]
_TRACEBACK: Final = 8_000  # characters kept of a traceback


class Outcome:
    """What a rule said of a partner."""

    __slots__ = (
        "rule",
        "partner",
        "verdict",
        "findings",
        "reads",
        "asks",
        "missed",
        "error",
        "output",
        "held",
    )

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
        self.held: list[
            str
        ] = []  # what a rule for both read that the partner may not know of: it does not publish

    def __repr__(self) -> str:
        return f"Outcome({self.rule.name}, {self.partner}, {self.verdict}: {[f.text for f in self.findings]})"

    def record(self) -> dict[str, Any]:
        """As docs/rules.md describes it."""
        found: dict[str, Any] = loads(self.json().decode())
        return found

    def json(self) -> bytes:
        """The record as UTF-8 JSON. What a rule yielded and nobody can write down makes it a failure of the
        rule."""
        try:
            return self._written()
        except Exception as error:
            self.fail(error)
            return self._written()

    def fail(self, error: BaseException) -> None:
        """Something went wrong in the rule: it has said nothing."""
        self.error = _failure(self.rule, error)
        self.verdict = "failed"
        text = f"{self.rule.name} failed for {self.partner}: {self.error['text']}"
        self.findings = [Finding("failure", text)]

    def _written(self) -> bytes:
        return record(
            self.rule.head_of("us") if self.held else self.rule.head,
            quoted(self.partner),
            self.verdict,
            self.findings,
            self.reads,
            self.asks,
            self.missed,
            self.error,
            self.output,
            self.held,
        )


def judge(rule: Rule, partner: Partner, settings: Mapping[str, Any] | None = None) -> Outcome:
    """Run the rule. Whatever it does wrong is in the outcome and never raised."""
    now.reset()
    place(partner, rule.name)
    items: Iterable[object] = ()
    error: BaseException | None = None
    try:
        items = rule.function(partner, **(rule.settings if settings is None else settings)) or ()
    except BaseException as raised:
        error = raised
    outcome = settle(rule, partner, (), items, error)
    now.reset()
    return outcome


def loud(
    rule: Rule,
    partner: Partner,
    first: Iterable[object],
    rest: Iterable[object] | None,
    error: BaseException | None,
) -> bytes:
    """The record of a rule that did not just look and find nothing, as most do of most partners."""
    outcome = settle(rule, partner, first, rest or (), error)
    outcome.output = printed()
    return outcome.json()


def settle(
    rule: Rule,
    partner: Partner,
    first: Iterable[object],
    rest: Iterable[object],
    error: BaseException | None,
) -> Outcome:
    """What a rule said: it was called after now.reset(), has yielded `first`, and then may have raised `error`."""
    outcome = Outcome(rule, partner.id)
    found = outcome.findings
    try:
        for item in first:
            _take(item, found)
        if error is not None:
            raise error
        for item in rest:
            _take(item, found)
    except NotEnoughEvidence as missing:
        now.missed.append(missing.why)
        now.asks.extend(missing.asks)
        for ask in _wholly_absent(rule, partner):
            now.asks.append(ask)
    except BaseException as raised:  # a rule may raise anything, also SystemExit and MemoryError
        outcome.fail(raised)
        found = []
    outcome.reads, outcome.missed = now.reads, now.missed
    if rule.audience != "us" and now.held:
        outcome.held = list(now.held)
    outcome.asks = merged(now.asks) if now.asks else []
    if outcome.error is None:
        if any(f.kind != "unknown" for f in found):
            outcome.verdict = True
        elif now.missed or found:
            outcome.verdict = "unknown"
    partner.said[rule.name] = Held(found) if outcome.held else found
    return outcome


def _take(item: object, found: list[Finding]) -> None:
    if isinstance(item, Finding):
        if len(found) == MOST:
            raise ValueError("it yields more than 10,000 findings for one partner")
        found.append(item)
        now.asks.extend(item.asks)
    elif isinstance(item, Ask):
        now.asks.append(item)
    elif type(item).__name__ == "About":
        raise TypeError("partner= is for vectorized rules: this one judges one partner")
    else:
        raise TypeError(f"a rule yields findings, and this is {type(item).__name__}: {item!r:.80}")


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
        elif not register_of(partner, name).is_kept:
            asks.append(Ask(f"{name} in the register of that name", name))
    already = {ask.metric for ask in now.asks}
    return [ask for ask in asks if ask.metric not in already]


def _failure(rule: Rule, error: BaseException) -> dict[str, Any]:
    """Where in the rule's own file it went wrong, and the whole traceback."""
    import traceback  # seldom needed, and slow to import

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
