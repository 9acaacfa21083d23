# SPDX-License-Identifier: Apache-2.0
"""What entente-rules calls: load the books, judge all partners of a snapshot, build a brief. One thread;
JSON in and out."""

from __future__ import annotations

import contextlib
import gc
import io
import json
from collections.abc import Callable
from typing import Any, Final, cast

from .books import Books, load_books
from .judge import Outcome, hear
from .partner import Partner
from .reader import Snapshot
from .record import quoted, silence
from .run import now
from .view import View

_OUTPUT: Final = 16_384  # characters kept of what a rule prints for one partner

_books = Books()
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
) -> None:
    """Judge partner by partner. start(rule, partner) goes before each rule."""
    wanted = _object(request, "the request to evaluate")
    only = wanted.get("only") or {}
    skip = set(wanted.get("skip") or ())
    chosen = set(only.get("rules") or ())
    rules = [
        (n, r) for n, r in enumerate(_books.rules) if r.name not in skip and (not chosen or r.name in chosen)
    ]
    gc.freeze()  # what is loaded stays: nobody has to look through it again
    gc.set_threshold(20_000, 20, 50)
    view = View(snapshot)
    partners = only.get("partners")
    indices = range(len(view.ids)) if not partners else [view.index[p] for p in partners if p in view.index]
    output = _Output()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        for index in indices:
            partner = Partner(view, index)
            name = quoted(partner.id)
            practices = _practices(view, index)
            for number, one in rules:
                if practices is not None and one.practice not in practices:
                    partner.said[one.name] = []
                    continue
                start(number, index)
                outcome = hear(one, partner)
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
