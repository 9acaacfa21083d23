# SPDX-License-Identifier: Apache-2.0
"""Partners judged once, and then again wherever something that a rule read has changed, and nowhere else.

What a rule read of its own partner is kept by metric (Depend), what it read of cohorts with their figures
(Node). A change comes as a layer over the snapshot. Figures of cohorts that it reaches are worked out before
and after; where what was released is the same, nobody who read them runs again."""

from __future__ import annotations

from .cohort import Node
from .native import Depend
from .peers import Peers
from .rules import Rule
from .view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Final

Metrics = list[int] | None  # numbers of the catalogue; None: any of them, and all else that is known
RULE_BITS: Final = 16  # of a pair: above them stands the partner


class Kept:
    """What the rules read of the partners of a snapshot."""

    def __init__(self, view: View, rules: list[tuple[int, Rule]]) -> None:
        self.view = view
        self.rules = rules
        most = max((number for number, _ in rules), default=0) + 1
        if most >= 1 << RULE_BITS:
            raise ValueError(f"{most} rules are more than can be kept")
        self.depend = Depend(most, len(view.ids), list(view.metrics))
        self.vectorized = {number for number, rule in rules if rule.vectorized}
        self.said: dict[int, dict[int, int]] = {}  # by vectorized rule and partner: a hash of the record
        self._together = _together(rules)

    def change(
        self,
        changes: Mapping[int, Metrics],
        lay: Callable[[], None],
        again: Callable[[int, set[int]], None],
    ) -> set[int]:
        """Lays the change, and says partner by partner which rules have to run again. The vectorized ones that have to,
        once, for all."""
        views = self.view.days()
        reached = [one for view in views for one in _reached(view, changes)]
        lay()
        for view in views:
            view.changes += 1
            view.forget()
        moved = self.view.worked_out([partner for partner, metrics in changes.items() if metrics is None])
        if moved:  # others belong to cohorts now
            of = {id(one.node): one for one in reached}
            for node in (node for view in views for node in view.released.values() if node.rests_on(moved)):
                of[id(node)] = _Reached(node, [], True)
            reached = list(of.values())
        wanted: dict[int, set[int]] = {}
        for partner, metrics in changes.items():
            for rule in self.depend.affected(partner, metrics):
                wanted.setdefault(partner, set()).add(rule)
        for one in reached:
            for pair in one.moved():
                wanted.setdefault(pair >> RULE_BITS, set()).add(pair & ((1 << RULE_BITS) - 1))
        together: set[int] = set()
        for partner in sorted(wanted):
            rules = wanted[partner]
            together |= rules & self.vectorized
            rules = rules - self.vectorized
            if rules:
                again(partner, rules.union(*(self._together.get(rule, ()) for rule in rules)))
        return together


def pair(partner: int, rule: int) -> int:
    """Both in one number."""
    return partner << RULE_BITS | rule


class _Reached:
    """Figures of a cohort before and after a change of some of its partners."""

    __slots__ = ("node", "whom", "anew", "was", "told", "told_alone")

    def __init__(self, node: Node, whom: list[int], anew: bool) -> None:
        self.node, self.whom, self.anew = node, whom, anew
        self.was = {} if anew else node.values(whom)
        self.told = node.told()
        self.told_alone = node.found.told() if isinstance(node.found, Peers) else {}

    def moved(self) -> Iterable[int]:
        """Pairs of partner and rule that were told what is no longer so."""
        node = self.node
        if self.anew or not node.exchange(self.was, node.values(self.whom)):
            node.work_out()
        if node.told() != self.told:
            return node.whom()
        now = node.found.told() if isinstance(node.found, Peers) else {}
        return [who for who, said in self.told_alone.items() if said != now.get(who)]


def _reached(view: View, changes: Mapping[int, Metrics]) -> Iterable[_Reached]:
    """Figures of cohorts to which partners belong that changed in what the figures are made of."""
    groups: dict[tuple[str, ...], dict[tuple[str, ...], list[int]]] = {}
    sets = {partner: None if metrics is None else set(metrics) for partner, metrics in changes.items()}
    for node in view.released.values():
        metric = node.figures.metric.number
        for at, key in enumerate((*node.tried, None)):
            if key is None:  # whoever is not in the cohort any more, and is still shown with it
                whom = [p for p in node.extra if p in sets and ((m := sets[p]) is None or metric in m)]
                if whom:
                    yield _Reached(node, whom, False)
                break
            names = tuple(name for name, _ in key)
            if names not in groups:
                groups[names] = _grouped(view, changes, names)
            members = groups[names].get(tuple(value for _, value in key), ())
            whom = [p for p in members if (metrics := sets[p]) is None or metric in metrics]
            if whom:
                whom += [p for p in node.extra if p in sets and p not in whom]
                anew = at + 1 < len(node.tried) or not isinstance(node.found, Peers)
                yield _Reached(node, whom, anew)
                break


def _grouped(view: View, whom: Iterable[int], names: tuple[str, ...]) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for partner in whom:
        found.setdefault(tuple(view.attribute(partner, name) for name in names), []).append(partner)
    return found


def _together(rules: list[tuple[int, Rule]]) -> dict[int, set[int]]:
    """Which rules run along with one: those that read its findings, and those whose findings any of them read."""
    numbers = {rule.name: number for number, rule in rules}
    reads = {number: {numbers[name] for name in rule.after if name in numbers} for number, rule in rules}
    out: dict[int, set[int]] = {}
    for start, _ in rules:
        found, waiting = {start}, [start]
        while waiting:
            one = waiting.pop()
            readers = {number for number, said in reads.items() if one in said}
            new = (readers | reads[one]) - found
            found |= new
            waiting += new
        if len(found) > 1:
            out[start] = found
    return out
