# SPDX-License-Identifier: Apache-2.0
"""Runs a vectorized rule once, for all partners, and keeps what it said of each."""

from __future__ import annotations

from .columns import Columns, Seen
from .findings import MOST, About
from .judge import Outcome
from .missing import Ask, NotEnoughEvidence, merged
from .native import printed, release, tidy
from .run import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .rules import Rule
    from .view import View


def judge_together(rule: Rule, view: View, settings: Mapping[str, Any] | None = None) -> list[Outcome]:
    """What the rule says of each partner of the view, in their order. A partner of whom it says nothing is told that this
    is not so, or, where a figure of it was read and is not known, that it is not known."""
    outcomes = [Outcome(rule, partner) for partner in view.ids]
    if not outcomes:
        return outcomes
    seen = Seen(len(outcomes))
    everybody = Columns(view, range(len(outcomes)), "all partners", seen)
    failed = _run(rule, everybody, outcomes, rule.settings if settings is None else settings)
    if not tidy() and failed is None:
        failed = RuntimeError("it took modules out of sys.modules, which all rules share")
    if failed is not None:
        _fail(outcomes, failed)
    for n, outcome in enumerate(outcomes):
        outcome.reads = seen.reads[n]
        if failed is None:
            _settle(outcome, seen.missing[n])
    outcomes[0].output = printed()
    now.reset()
    return outcomes


def _run(
    rule: Rule, everybody: Columns, outcomes: list[Outcome], settings: Mapping[str, Any]
) -> BaseException | None:
    """Calls it. What went wrong, or None."""
    places = {partner: n for n, partner in enumerate(everybody.partners)}
    now.reset()
    try:
        found: Iterable[object] = rule.function(everybody, **settings) or ()
        for item in found:
            if not isinstance(item, About):
                raise TypeError(
                    f"a vectorized rule says of whom it speaks, insight(…, partner=…): {item!r:.80}"
                )
            if item.partner not in places:
                raise LookupError(f"no partner is called {item.partner!r}")
            outcome = outcomes[places[item.partner]]
            if len(outcome.findings) == MOST:
                raise ValueError("it yields more than 10,000 findings for one partner")
            outcome.findings.append(item.finding)
            outcome.asks.extend(item.finding.asks)
    except NotEnoughEvidence as missing:  # then nothing more is known of anybody
        now.missed.append(missing.why)
        now.asks.extend(missing.asks)
    except BaseException as raised:  # a rule may raise anything, also SystemExit and MemoryError
        if isinstance(raised, MemoryError):
            release(raised)
        return raised
    for outcome in outcomes:
        outcome.missed.extend(now.missed)
        outcome.asks.extend(now.asks)
    return None


def _settle(outcome: Outcome, missing: list[NotEnoughEvidence]) -> None:
    asks: list[Ask] = [*outcome.asks, *(ask for one in missing for ask in one.asks)]
    outcome.missed += [one.why for one in missing]
    outcome.asks = merged(asks) if asks else []
    if any(one.kind != "unknown" for one in outcome.findings):
        outcome.verdict = True
    elif outcome.missed or outcome.findings:
        outcome.verdict = "unknown"


def _fail(outcomes: list[Outcome], error: BaseException) -> None:
    """It has said nothing of anybody; the finding about it stands at the first."""
    outcomes[0].fail(error)
    for outcome in outcomes[1:]:
        outcome.verdict, outcome.findings, outcome.asks = "failed", [], []
        outcome.error = {**(outcomes[0].error or {}), "traceback": ""}
