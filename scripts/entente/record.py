# SPDX-License-Identifier: Apache-2.0
"""The record of one rule and partner as JSON, see "What a rule leaves behind" in docs/rules.md.

Evidence is written piece by piece: there is a record for every rule and partner, most of them with nothing
but a few reads, and building dictionaries for them took longer than the rules themselves."""

from __future__ import annotations

import math

from . import told
from .day import iso
from .findings import Finding
from .missing import Ask
from .native import evidence as _joined
from .quantity import Quantity
from .reader import KNOWN, STATES
from .run import Read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from functools import lru_cache
    from typing import Any, Final
else:
    from .light import lru_cache

_texts: Final[dict[str, str]] = {}
_heads: Final[dict[tuple[str, int, int], str]] = {}
_NOTHING_ELSE: Final = b'],"asks":[],"missed":[],"error":null,"output":""}'
_PLAIN: Final = '"origin":"","slice":"","cohort":"","size":0,"class":"theirs"}'


def record(
    head: bytes,
    partner: bytes,
    verdict: bool | str,
    findings: Iterable[Finding],
    reads: list[Read],
    asks: Iterable[Ask],
    missed: list[str],
    error: Mapping[str, Any] | None,
    output: str,
    held: Iterable[str] = (),
) -> bytes:
    """All of it. `head` is what is the same for every partner, and ends where its id follows, as JSON. `held`:
    what it read that the partner may not know of, though the rule is for both."""
    said = "true" if verdict is True else "false" if verdict is False else _quoted(verdict)
    text = f',"verdict":{said},"findings":[{",".join(map(finding_json, findings))}],"evidence":['
    rest = _NOTHING_ELSE
    if asks or missed or error or output or held:
        rest = (
            f'],"asks":[{",".join([_ask(a) for a in asks])}],"missed":[{",".join(map(_quoted, missed))}],'
            f'"error":{told.compact(error)},"output":{told.compact(output)}'
            f"{_held(held)}}}"
        ).encode("utf-8", "replace")
    return _joined(reads, evidence, (head, partner, text.encode("utf-8", "replace")), (rest,))


def _held(held: Iterable[str]) -> str:
    names = ",".join(map(_quoted, held))
    return f',"held":[{names}]' if names else ""


def quoted(text: str) -> bytes:
    """As JSON."""
    return told.quoted(text).encode("utf-8", "replace")


def finding_json(said: Finding) -> str:
    """One finding. In the worker, C writes those that are plain."""
    return told.compact(finding(said))


def finding(said: Finding) -> dict[str, Any]:
    """One finding; `worth` in millionths of the reporting currency."""
    out: dict[str, Any] = {
        "kind": said.kind,
        "key": said.key,
        "text": str(said.text),
        "worth": None
        if said.worth is None
        else (said.worth if isinstance(said.worth, Quantity) else said.worth.p50).micro,
        "per": said.per,
        "severity": said.severity,
        "confidence": said.confidence,
        "rank": said.rank,
    }
    if said.worth is not None and not isinstance(said.worth, Quantity):
        out["worth_range"] = [said.worth.p10.micro, said.worth.p90.micro]
    if said.open is not None:
        out["open"] = said.open
    if said.rows:
        shown = getattr(said.rows, "shown", None)  # a table of facts shows itself
        rows: Any = said.rows if shown is None else shown()
        out["rows"] = [[_cell(cell) for cell in row] for row in rows]
    if said.chart is not None:
        kind, values = said.chart
        out["chart"] = [str(kind), {str(key): _drawn(value) for key, value in values.items()}]
    if said.decides_on is not None:
        out["decides_on"] = said.decides_on.isoformat()
    if said.refers is not None:
        out.update(said.refers)
    return out


def evidence(read: Read) -> str:
    """One read. In the worker, C writes those that are simple."""
    metric, start, stop, state, top, bottom, unit, covered, declared, origin, part, cohort, size, sharing = (
        read
    )
    head = _heads.get((metric, start, stop))
    if head is None:
        if len(_heads) > 100_000:
            _heads.clear()
        head = _heads[metric, start, stop] = (
            f'{{"metric":{_quoted(metric)},"from":"{iso(start)}","through":"{iso(stop - 1)}",'
            f'"days":{stop - start},'
        )
    value, number = "", "null"
    if state == KNOWN:
        known = Quantity(top, bottom, unit)
        value, number = str(known), repr(known.number)
    tail = _PLAIN
    if origin or part or cohort or sharing:
        sharing = sharing or ("released" if cohort else "theirs")
        tail = (
            f'"origin":"{origin}","slice":{_quoted(part)},"cohort":{_quoted(cohort)},"size":{size},'
            f'"class":"{sharing}"}}'
        )
    return (
        f'{head}"value":"{value}","number":{number},"unit":"{unit}","state":"{STATES[state]}",'
        f'"covered":{covered if covered >= 0 else "null"},'
        f'"declared":{declared if declared >= 0 else "null"},{tail}'
    )


@lru_cache(20_000)  # one source that falls silent makes the same ask for all its partners
def _ask(ask: Ask) -> str:
    first = "" if ask.start is None else iso(ask.start)
    through = "" if ask.stop is None else iso(ask.stop - 1)
    return (
        f'{{"what":{_quoted(ask.text)},"metric":{_quoted(ask.metric)},"from":"{first}","through":"{through}",'
        f'"source":{_quoted(ask.source)}}}'
    )


def _quoted(text: str) -> str:
    """As JSON. The same names of metrics, units and partners come again and again."""
    found = _texts.get(text)
    if found is None:
        if len(_texts) > 100_000:
            _texts.clear()
        found = _texts[text] = told.quoted(text)
    return found


def _cell(cell: object) -> str | int | float | None:
    """Tables show quantities as they are spoken; whatever JSON does not know is told as text."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    return cell if cell is None or isinstance(cell, (str, int, float)) else str(cell)


def _drawn(value: object) -> str | int | float | None:
    """Charts draw numbers."""
    return value.number if isinstance(value, Quantity) else _cell(value)
