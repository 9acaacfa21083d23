# SPDX-License-Identifier: Apache-2.0
"""What entente-rules calls: load the books, judge all partners of a snapshot, judge again what a change
reaches, build a brief. One thread; JSON in and out."""

from __future__ import annotations

import contextlib
import gc
import io
import json
from collections.abc import Callable
from typing import Any, Final, cast

from .books import Books, load_books
from .changes import Kept, Metrics, pair
from .judge import Outcome, hear
from .partner import Partner
from .reader import Snapshot
from .record import quoted, silence
from .rules import Rule
from .run import now
from .view import View

_OUTPUT: Final = 16_384  # characters kept of what a rule prints for one partner

_books = Books()
_kept: Kept | None = None
_scopes: list[tuple[str, str, frozenset[str]]] = []


class _Output(io.StringIO):
    """Keeps the first characters of what is printed."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.left = _OUTPUT

    def write(self, text: str) -> int:
        if self.left > 0:
            self.parts.append(text[: self.left])
            if len(text) > self.left:
                self.parts.append(f"\n[more was printed; the first {_OUTPUT} characters are kept]")
        self.left -= len(text)
        return len(text)

    def take(self) -> str:
        """What was printed since the last call."""
        text = "".join(self.parts)
        self.parts, self.left = [], _OUTPUT
        return text


def load(config: str) -> str:
    """Load and set the rules. Faults in books and settings are part of the answer."""
    global _books
    wanted = _object(config, "the configuration of the rules")
    output = _Output()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        _books = load_books(
            wanted.get("books") or [], wanted.get("settings") or {}, wanted.get("import") or []
        )
    _scopes[:] = [
        (scope["attribute"], scope["value"], frozenset(scope["practices"]))
        for scope in wanted.get("for") or []
    ]
    answer = _books.described()
    answer["output"] = output.take()
    return json.dumps(answer, ensure_ascii=False)


def evaluate(
    snapshot: Snapshot, request: str, emit: Callable[[bytes], None], start: Callable[[int, int], None]
) -> bool:
    """Judge partner by partner. start(rule, partner) goes before each rule. True: all is kept for change()."""
    global _kept
    _kept = None
    wanted = _object(request, "the request to evaluate")
    only = wanted.get("only") or {}
    skip = set(wanted.get("skip") or ())
    chosen = set(only.get("rules") or ())
    rules = [
        (n, r) for n, r in enumerate(_books.rules) if r.name not in skip and (not chosen or r.name in chosen)
    ]
    gc.unfreeze()
    gc.freeze()  # what is loaded stays: nobody has to look through it again
    gc.set_threshold(20_000, 20, 50)
    kept = bool(wanted.get("keep"))
    view = View(snapshot, kept)
    if kept:
        _kept = Kept(view, rules)
    partners = only.get("partners")
    indices = range(len(view.ids)) if not partners else [view.index[p] for p in partners if p in view.index]
    part, parts = wanted.get("part") or (0, 1)
    judging = _Judging(view, rules, emit, start)
    with contextlib.redirect_stdout(judging.output), contextlib.redirect_stderr(judging.output):
        for index in indices:
            if index % parts == part:
                judging.partner(index)
    return kept


def change(
    subject: tuple[list[int], Callable[[], None]],
    request: str,
    emit: Callable[[bytes], None],
    start: Callable[[int, int], None],
) -> None:
    """Judge again what a change of these partners reaches. The second of `subject` lays it over the snapshot."""
    whom, lay = subject
    if _kept is None:
        raise RuntimeError("nothing was kept that could change")
    wanted = _object(request, "the request to judge a change")
    metrics, of = wanted["metrics"], wanted["of"]
    if len(of) != len(whom):
        raise ValueError(f"{len(of)} changes for {len(whom)} partners")
    changes: dict[int, Metrics] = {
        partner: None if at < 0 else metrics[at] for partner, at in zip(whom, of, strict=True)
    }
    judging = _Judging(_kept.view, _kept.rules, emit, start)
    with contextlib.redirect_stdout(judging.output), contextlib.redirect_stderr(judging.output):
        _kept.change(changes, lay, judging.partner)


class _Judging:
    """The way of the rules over partners."""

    def __init__(
        self,
        view: View,
        rules: list[tuple[int, Rule]],
        emit: Callable[[bytes], None],
        start: Callable[[int, int], None],
    ) -> None:
        self.view, self.rules, self.emit, self.start = view, rules, emit, start
        self.output = _Output()

    def partner(self, index: int, chosen: set[int] | None = None) -> None:
        """Judge one, by all rules or the chosen ones."""
        emit, start, output = self.emit, self.start, self.output
        partner = Partner(self.view, index)
        name = quoted(partner.id)
        practices = _practices(self.view, index)
        kept = _kept
        for number, one in self.rules:
            if chosen is not None and number not in chosen:
                continue
            if practices is not None and one.practice not in practices:
                partner.said[one.name] = []
                continue
            if kept is not None:
                now.pair = pair(index, number)
            start(number, index)
            outcome = hear(one, partner)
            if kept is not None:
                kept.note(number, index, now.reads)
            if outcome is None and not output.parts:
                emit(silence(one.head, name, now.reads))
                continue
            if outcome is None:
                outcome = Outcome(one, partner.id)
                outcome.reads = now.reads
            if output.parts:
                outcome.output = output.take()
            emit(outcome.json())
        partner.forget()


def brief(snapshot: Snapshot, request: str) -> bytes:
    """The brief of one partner, as the request wants it: see docs/rules.md."""
    from .briefing import build  # its tables and charts are not needed to judge

    return build(
        View(snapshot),
        _object(request, "the request for a brief"),
        {r.name: r.audience for r in _books.rules},
    )


def _practices(view: View, partner: int) -> frozenset[str] | None:
    """Which practices speak of a partner; None: all."""
    found: frozenset[str] | None = None
    for attribute, value, practices in _scopes:
        if view.attribute(partner, attribute) == value:
            found = practices if found is None else found | practices
    return found


def _object(text: str, name: str) -> dict[str, Any]:
    value = json.loads(text or "{}")
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a JSON object")
    return cast("dict[str, Any]", value)
