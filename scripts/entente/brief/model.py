# SPDX-License-Identifier: Apache-2.0
"""What a brief is made from: plain data, as it comes out of JSON, and a check that names what is wrong in it.

A value that is not known is None and has its reason beside it; it is never 0 and never left out. Money is in
whole units of its currency (12.50), ratios are fractions (0.031), days "YYYY-MM-DD", windows half open.
"""

import types
from typing import (
    Any,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Unit = Literal["money", "count", "ratio", "seconds", "days"]
Audience = Literal["us", "both"]  # "us": never on a page that the partner sees


class Window(TypedDict):
    """Days [from, to)."""

    start: str
    end: str


class Profile(TypedDict):
    """The partner, as the configuration and the store know it."""

    id: str
    name: str
    industry: str | None
    region: str | None
    stage: str | None  # ours alone: the partner does not see it
    zone: str
    currency: str


class Cohort(TypedDict):
    """Released figures of the partner's cohort. Either all of p25, p50, p75 and size, or `unknown`."""

    name: str
    size: int | None
    p25: float | None
    p50: float | None
    p75: float | None
    unknown: str | None


class Coverage(TypedDict):
    """How much of the window has data."""

    days: int
    of: int


class Figure(TypedDict):
    """One headline figure within the brief's window."""

    metric: str
    label: str
    unit: Unit
    currency: str | None  # of money
    value: float | None
    unknown: str | None  # why, if value is None
    previous: float | None  # within the window before
    previous_unknown: str | None
    better: Literal["up", "down", "neither"]
    cohort: Cohort | None  # None: this figure is not compared
    coverage: Coverage | None
    origin: NotRequired[str]  # shop, analytics, declared


class Series(TypedDict):
    """One value a day from `start` on; None where there is no data."""

    metric: str
    label: str
    unit: Unit
    currency: str | None
    start: str
    values: list[float | None]
    weights: NotRequired[list[float | None]]  # of a ratio: its denominators, so that days can be joined


class Evidence(TypedDict):
    """One thing that a rule read."""

    label: str
    value: float | str | None
    unit: Unit | None  # None: value is text
    currency: str | None
    window: Window | None
    unknown: NotRequired[str | None]
    audience: NotRequired[Audience]  # absent: both


class Worth(TypedDict):
    """What a finding is worth."""

    number: float
    currency: str
    per: str | None  # "28d"
    low: NotRequired[float]
    high: NotRequired[float]


class Finding(TypedDict):
    """What a rule says."""

    rule: str
    key: str | None
    practice: str
    kind: Literal["insight", "opportunity", "red_flag", "gate", "ask", "proposal"]
    severity: Literal["low", "medium", "high"] | None
    text: str
    worth: Worth | None
    confidence: float | None  # 0 to 1
    evidence: list[Evidence]
    audience: Audience
    state: Literal["open", "acknowledged", "explained", "accepted", "resolved", "reopened"]
    since: str | None
    stale: NotRequired[bool]  # could not be judged again at this moment
    rows: NotRequired[
        list[list[str | float | None]]
    ]  # what it rests on as a table; the first row names the columns


class Ask(TypedDict):
    """Data that would decide what is unknown now."""

    what: str
    why: str
    decides: list[str]  # what could be said then
    source: str | None
    audience: Audience


class Source(TypedDict):
    """A source, and the days that it speaks for."""

    name: str
    system: str | None
    covered: list[Window]
    records: int | None
    balanced: bool | None  # both equations of the balance sheet close
    audience: NotRequired[Audience]  # absent: both


class Definition(TypedDict):
    """What a metric means, and the hash of that meaning."""

    metric: str
    hash: str
    doc: str


class Provenance(TypedDict):
    """From what, by what, the brief was made."""

    version: str
    generation: str | None
    digest: str | None
    rates: str | None
    definitions: list[Definition]


class Judged(TypedDict):
    """How many rules came to which verdict."""

    true: int
    false: int
    unknown: int
    failed: int


class Brief(TypedDict):
    """All of it."""

    partner: Profile
    as_of: str
    window: Window
    previous: Window
    figures: list[Figure]
    series: list[Series]
    findings: list[Finding]
    asks: list[Ask]
    sources: list[Source]
    judged: Judged
    provenance: Provenance


class BriefError(ValueError):
    """The data is not that of a brief; the text says where and what."""


def check(data: object) -> Brief:
    """`data` itself if it is a brief. Raises BriefError that names the first place that is not right."""
    _check(data, Brief, "brief")
    brief: Brief = data  # type: ignore[assignment]
    for n, figure in enumerate(brief["figures"]):
        _reasoned(figure["value"], figure["unknown"], f"brief.figures[{n}]")
        cohort = figure["cohort"]
        if cohort:
            _reasoned(cohort["p50"], cohort["unknown"], f"brief.figures[{n}].cohort")
    for n, series in enumerate(brief["series"]):
        weights = series.get("weights")
        if weights is not None and len(weights) != len(series["values"]):
            raise BriefError(f"brief.series[{n}].weights: {len(weights)} for {len(series['values'])} values")
    return brief


def _reasoned(value: float | None, why: str | None, place: str) -> None:
    if value is None and not why:
        raise BriefError(f"{place}.unknown: a value that is not known needs its reason")


def _check(value: object, kind: Any, place: str) -> None:
    origin, args = get_origin(kind), get_args(kind)
    if is_typeddict(kind):
        if not isinstance(value, dict):
            raise BriefError(f"{place}: must be an object, is {_kind(value)}")
        for key, hint in get_type_hints(kind).items():
            if key in value:
                _check(value[key], hint, f"{place}.{key}")
            elif key in kind.__required_keys__:
                raise BriefError(f"{place}.{key}: missing")
        for key in value.keys() - get_type_hints(kind).keys():
            raise BriefError(f"{place}.{key}: not a part of a brief")
    elif origin is list:
        if not isinstance(value, list):
            raise BriefError(f"{place}: must be a list, is {_kind(value)}")
        for n, item in enumerate(value):
            _check(item, args[0], f"{place}[{n}]")
    elif origin is Literal:
        if value not in args:
            raise BriefError(f"{place}: {value!r} is none of {', '.join(map(str, args))}")
    elif origin in (Union, types.UnionType):
        if not (value is None and type(None) in args):
            fits = [a for a in args if a is not type(None)]
            if len(fits) == 1:
                _check(value, fits[0], place)
            elif not any(_is(value, a) for a in fits):
                raise BriefError(
                    f"{place}: must be {' or '.join(a.__name__ for a in fits)}, is {_kind(value)}"
                )
    elif not _is(value, kind):
        raise BriefError(f"{place}: must be {kind.__name__}, is {_kind(value)}")


def _is(value: object, kind: type) -> bool:
    if kind is float:
        return (
            isinstance(value, (int, float)) and not isinstance(value, bool) and value - value == 0
        )  # no inf, no nan
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _kind(value: object) -> str:
    if isinstance(value, float) and value - value != 0:
        return "no finite number"
    return "null" if value is None else type(value).__name__
