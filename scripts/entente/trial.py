# SPDX-License-Identifier: Apache-2.0
"""Rules with other settings than they are set to, to see what they would have said: `entente rules replay --set`."""

from __future__ import annotations

from .told import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from .missing import RuleMistake
    from .rules import Rule


def trials_of(
    rules: Sequence[Rule], sets: Iterable[Mapping[str, Mapping[str, Any]]]
) -> list[dict[str, dict[str, Any]]]:
    """For each set, the settings of the rules that it changes. RuleMistake as for those of entente.yaml."""
    by_name = {r.name: r for r in rules}
    out: list[dict[str, dict[str, Any]]] = []
    for one in sets:
        trial: dict[str, dict[str, Any]] = {}
        for name, values in one.items():
            rule = by_name[name]
            fitting = rule.set(values)
            trial[name] = {**rule.settings, **{setting: fitting[setting] for setting in values}}
        out.append(trial)
    return out


def mistake(error: RuleMistake) -> bytes:
    """What is wrong with a setting, in place of any record."""
    told = {"file": error.file, "line": error.line, "what": error.what, "todo": error.todo}
    return dumps({"mistake": told}).encode()
