# SPDX-License-Identifier: Apache-2.0
"""What a rule says. A finding's identity is (rule, partner, key): the text holds numbers that change, the
key does not."""

from __future__ import annotations

from .day import Day, Window
from .missing import Ask
from .quantity import Number, Quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

    from .deal import Package
    from .register import Entry
    from .spread import Spread

    class Shown(Protocol):
        """A table of facts."""

        def __len__(self) -> int: ...
        def shown(self) -> list[tuple[Any, ...]]: ...

    Worth: TypeAlias = Quantity | Spread
    Assumed: TypeAlias = str | Quantity | Spread | Sequence[str | Quantity | Spread]
    Severity = Literal["low", "medium", "high"]
    Kind = Literal["insight", "opportunity", "red_flag", "gate", "proposal", "ask", "unknown", "failure"]
    Cell = str | int | float | Quantity | None
    Rows = Sequence[Sequence[Cell]] | Shown
else:
    from .light import NamedTuple


MOST: Final = 10_000  # findings of one rule for one partner
LONGEST: Final = 100_000  # characters of a text or key


class Finding(NamedTuple):
    """One thing that a rule says about a partner."""

    kind: Kind
    text: str
    key: str = ""
    worth: Worth | None = (
        None  # money, for each `per`; of a spread its p50 counts, and p10 to p90 are kept with it
    )
    per: str | None = None
    severity: Severity | None = None
    confidence: float | None = None  # 0 to 1
    rank: float | None = None  # order among the findings of one rule; more is first
    open: bool | None = None  # gates only
    rows: Rows = ()  # what it rests on, as a table; the first row names the columns
    chart: tuple[str, Mapping[str, Cell]] | None = None
    decides_on: Day | None = None  # unknown: when it will be known
    asks: tuple[Ask, ...] = ()
    refers: Mapping[str, Any] | None = None  # about, reopens, see, package, assumes: as JSON knows it


if TYPE_CHECKING:
    Findings = Iterator[Finding]
else:
    Findings = object  # rules name it at run time, and nobody looks


def _key(key: object) -> str:
    return " ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


class About:
    """A finding of a vectorized rule, and of whom it is."""

    __slots__ = ("partner", "finding")

    def __init__(self, partner: str, finding: Finding) -> None:
        self.partner, self.finding = partner, finding


def _checked(finding: Finding, partner: str = "") -> Finding:
    longest = max(len(finding.text), len(finding.key))
    if longest > LONGEST:
        raise ValueError(f"a finding says what it is in a sentence, and this has {longest:,} characters")
    if finding.worth is not None and finding.worth.unit.kind != "money":
        raise TypeError(f"worth= must be money, and this is a {finding.worth.unit}")
    if finding.confidence is not None and not 0 <= finding.confidence <= 1:
        raise ValueError(f"confidence= must be from 0 to 1, and this is {finding.confidence}")
    if partner:
        return About(partner, finding)  # type: ignore[return-value]  # yielded, and looked into by nobody else
    return finding


def _refers(
    about: Entry | None = None,
    reopens: Entry | None = None,
    see: Sequence[Finding] = (),
    package: Package | None = None,
    assumes: Assumed = (),
) -> dict[str, Any] | None:
    """What a finding points at: entries by register and id, findings by key and text, a package by its options; and what it
    takes for granted, in words."""
    out: dict[str, Any] = {}
    taken = list(assumes) if isinstance(assumes, list | tuple) else [assumes]
    if taken:
        out["assumes"] = [str(one) for one in taken]
    for name, entry in (("about", about), ("reopens", reopens)):
        if entry is not None:
            out[name] = entry.place
    if see:
        out["see"] = [{"key": one.key, "text": str(one.text)} for one in see]
    if package is not None:
        out["package"] = dict(package.options)
    return out or None


def _rank(rank: Number | Quantity | None) -> float | None:
    return None if rank is None else min(max(float(rank), -1e9), 1e9)  # JSON knows no infinity


def insight(
    text: str,
    *,
    key: object = "",
    partner: str = "",
    rank: Number | Quantity | None = None,
    confidence: float | None = None,
    rows: Rows = (),
    chart: tuple[str, Mapping[str, Cell]] | None = None,
    about: Entry | None = None,
    assumes: Assumed = (),
) -> Finding:
    """Something worth telling."""
    return _checked(
        Finding(
            "insight",
            text,
            _key(key),
            None,
            None,
            None,
            confidence,
            _rank(rank),
            None,
            rows,
            chart,
            None,
            (),
            _refers(about, assumes=assumes) if about is not None or assumes else None,
        ),
        partner,
    )


def opportunity(
    text: str,
    *,
    worth: Worth,
    per: Window,
    key: object = "",
    partner: str = "",
    rank: Number | Quantity | None = None,
    confidence: float | None = None,
    rows: Rows = (),
    chart: tuple[str, Mapping[str, Cell]] | None = None,
    assumes: Assumed = (),
) -> Finding:
    """What could be gained: `worth` in money, for each `per`; `assumes` is what that takes for granted."""
    return _checked(
        Finding(
            "opportunity",
            text,
            _key(key),
            worth,
            str(per),
            None,
            confidence,
            _rank(rank),
            None,
            rows,
            chart,
            None,
            (),
            _refers(assumes=assumes) if assumes else None,
        ),
        partner,
    )


def red_flag(
    text: str,
    *,
    key: object = "",
    partner: str = "",
    severity: Severity = "medium",
    worth: Worth | None = None,
    per: Window | None = None,
    rank: Number | Quantity | None = None,
    confidence: float | None = None,
    rows: Rows = (),
    chart: tuple[str, Mapping[str, Cell]] | None = None,
    about: Entry | None = None,
    assumes: Assumed = (),
) -> Finding:
    """Something that must be talked about before going on."""
    return _checked(
        Finding(
            "red_flag",
            text,
            _key(key),
            worth,
            None if per is None else str(per),
            severity,
            confidence,
            _rank(rank),
            None,
            rows,
            chart,
            None,
            (),
            _refers(about, assumes=assumes) if about is not None or assumes else None,
        ),
        partner,
    )


def gate(text: str, *, open: bool, key: object = "", partner: str = "", rows: Rows = ()) -> Finding:
    """A condition for the next step: open or shut, and why."""
    return _checked(Finding("gate", text, _key(key), open=open, rows=rows), partner)


def proposal(
    text: str,
    *,
    key: object = "",
    partner: str = "",
    worth: Worth | None = None,
    per: Window | None = None,
    confidence: float | None = None,
    rows: Rows = (),
    package: Package | None = None,
    reopens: Entry | None = None,
    see: Sequence[Finding] = (),
    assumes: Assumed = (),
) -> Finding:
    """Something to offer: a package, a term to talk about anew; `see` are findings that it goes with."""
    return _checked(
        Finding(
            "proposal",
            text,
            _key(key),
            worth,
            None if per is None else str(per),
            confidence=confidence,
            rows=rows,
            refers=_refers(None, reopens, see, package, assumes),
        ),
        partner,
    )


def ask(what: str, *, metric: str = "", source: str = "", field: str = "", name: str = "") -> Ask:
    """Which data would decide; give it to unknown(), or yield it to ask for it anyway. ask("orders", field="customer") asks for the
    customers of orders, ask("map", name="categories") for a map of categories."""
    if field:
        what, metric = f"the {field} of {what}", metric or what
    return Ask(f"a {what} of {name}" if name else what, metric, source=source)


def unknown(
    why: str, *, key: object = "", partner: str = "", ask: Ask | None = None, decides_on: Day | None = None
) -> Finding:
    """Neither true nor false for this key, and what or which day would decide it."""
    asks = () if ask is None else (ask,)
    return _checked(Finding("unknown", why, _key(key), decides_on=decides_on, asks=asks), partner)
