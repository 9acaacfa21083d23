# SPDX-License-Identifier: Apache-2.0
"""What entente-rules calls: load the books, judge all partners of a snapshot, judge again what a change
reaches, build a brief. One thread; JSON in and out."""

from __future__ import annotations

import gc

from .books import Books, load_books
from .changes import Kept, Metrics
from .findings import Finding
from .judge import loud
from .missing import RuleMistake
from .native import judge, printed, printing
from .partner import Partner
from .reader import Snapshot
from .record import evidence, finding_json, quoted
from .rules import Rule
from .run import place
from .told import dumps, loads
from .view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

_WRITING: Final = (Finding, finding_json, evidence, loud)

_books = Books()
_kept: Kept | None = None
_view: list[View] = []  # that of the last evaluation, for what it released
_scopes: list[tuple[str, str, frozenset[str]]] = []


def load(config: str) -> str:
    """Load and set the rules. Faults in books and settings are part of the answer."""
    global _books
    wanted = _object(config, "the configuration of the rules")
    printed()
    with printing():
        _books = load_books(
            wanted.get("books") or [],
            wanted.get("settings") or {},
            wanted.get("import") or [],
            wanted.get("leave"),
        )
    _scopes[:] = [
        (scope["attribute"], scope["value"], frozenset(scope["practices"]))
        for scope in wanted.get("for") or []
    ]
    answer = _books.described()
    answer["output"] = printed()
    return dumps(answer)


def evaluate(
    snapshot: Snapshot, request: str, emit: Callable[[bytes], None], start: Callable[[int, int], None]
) -> bool:
    """Judge partner by partner. start(rule, partner) goes before each rule. True: all is kept for change()."""
    global _kept
    _kept = None
    _view.clear()
    wanted = _object(request, "the request to evaluate")
    only = wanted.get("only") or {}
    skip = set(wanted.get("skip") or ())
    chosen = set(only.get("rules") or ())
    rules = [
        (n, r) for n, r in enumerate(_books.rules) if r.name not in skip and (not chosen or r.name in chosen)
    ]
    if (
        gc.get_freeze_count()
    ):  # figures of cohorts and their view hold on to each other, and to an old snapshot's memory
        gc.unfreeze()
        gc.collect()
    gc.freeze()  # what is loaded stays: nobody has to look through it again
    gc.set_threshold(20_000, 20, 50)
    kept = bool(wanted.get("keep"))
    view = View(snapshot, kept, refused=wanted.get("refused") or ())
    _view[:] = [view]
    if kept:
        _kept = Kept(view, rules)
    partners = only.get("partners")
    indices = range(len(view.ids)) if not partners else [view.index[p] for p in partners if p in view.index]
    part, parts = wanted.get("part") or (0, 1)
    trials: list[dict[str, dict[str, Any]]] = [{}]
    if wanted.get("sets"):
        from .trial import mistake, trials_of  # a past day is judged: with other settings, or several

        try:
            trials = trials_of(_books.rules, wanted["sets"])
        except RuleMistake as error:
            emit(mistake(error))
            return False
    for number, settings in enumerate(trials):
        if number:
            emit(b'{"set":%d}' % number)
        judging = _Judging(view, rules, emit, start, settings)
        with printing():
            for index in indices:
                if share_of(index, parts) == part:
                    judging.partner(index)
            if part == 0:  # each in one worker alone
                for rule in judging.vectorized:
                    judging.together(rule, indices)
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
    with printing():
        for number in sorted(_kept.change(changes, lay, judging.partner)):
            judging.together(number, range(len(_kept.view.ids)))


def released() -> str:
    """What the last evaluation or change released and refused of cohorts: for the log. "": nothing that is new."""
    log = _view[0].log if _view else None
    new = None if log is None else log.taken()
    if _kept is None:
        _view.clear()
    return "" if new is None else dumps(new)


def share_of(partner: int, parts: int) -> int:
    """Which of so many workers judges a partner. Numbers that belong together (every second, every hundredth) are spread
    as if by dice: what changes at once is then shared, too."""
    return (partner * 0x9E3779B1 >> 16 & 0xFFFF) % parts


class _Judging:
    """The way of the rules over partners."""

    def __init__(
        self,
        view: View,
        rules: list[tuple[int, Rule]],
        emit: Callable[[bytes], None],
        start: Callable[[int, int], None],
        settings: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self.view, self.emit, self.start = view, emit, start
        view.audiences.update((r.name, r.audience) for _, r in rules)
        self.other = settings or {}
        self.rules = [
            (n, r.name, r.function, self.other.get(r.name, r.settings), r.head, r)
            for n, r in rules
            if not r.vectorized
        ]
        self.vectorized = {n: r for n, r in rules if r.vectorized}
        self.names = {n: r.name for n, r in rules}
        self.depend = None if _kept is None else _kept.depend
        printed()

    def partner(self, index: int, chosen: set[int] | None = None) -> None:
        """Judge one, by all rules or the chosen ones."""
        partner = Partner(self.view.of(index), index)
        rules, said = self.rules, partner.said
        if chosen is not None:
            rules = [row for row in rules if row[0] in chosen]
        practices = _practices(self.view, index) if _scopes else None
        if practices is not None:
            said.update((row[1], []) for row in rules if row[5].practice not in practices)
            rules = [row for row in rules if row[5].practice in practices]
        name = quoted(partner.id)
        place(partner, self.names)
        judge(partner, index, name, said, rules, _WRITING, self.emit, self.start, self.depend)
        partner.forget()

    def together(self, number: int, whom: Iterable[int]) -> None:
        """Judge all by a vectorized rule, and tell of these partners what is not as it was told before."""
        from .together import judge_together

        rule = self.vectorized[number]
        self.start(number, 0)
        outcomes = judge_together(rule, self.view, self.other.get(rule.name))
        told: dict[int, int] = {}
        if _kept is not None:
            told = _kept.said.setdefault(number, told)
        for index in whom:
            practices = _practices(self.view, index) if _scopes else None
            if practices is not None and rule.practice not in practices:
                continue
            record = outcomes[index].json()
            if self.depend is not None:
                self.depend.note(number, index, outcomes[index].reads)
            if told.get(index) != hash(record):
                told[index] = hash(record)
                self.emit(record)


def brief(snapshot: Snapshot, request: str) -> bytes:
    """The brief of one partner, as the request wants it: see docs/rules.md."""
    wanted = _object(request, "the request for a brief")
    if "replay" in wanted:
        from .replayed import page

        return page(wanted["replay"]).encode()
    from .briefing import build  # its tables and charts are not needed to judge

    return build(
        View(snapshot),
        wanted,
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
    value = loads(text or "{}")
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a JSON object")
    found: dict[str, Any] = value
    return found
