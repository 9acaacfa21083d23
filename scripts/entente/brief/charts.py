# SPDX-License-Identifier: Apache-2.0
"""Charts as static SVG.

Each fills the width it is given without stretching its text: positions across are per cent, curves
sit in an inner drawing that may stretch, lettering stands outside of it. Colours are classes of the page.
"""

import datetime
import math
from collections.abc import Sequence

from . import words
from .model import Cohort, Series, Source, Unit, Window

DAY = datetime.timedelta(days=1)
PLOT, TOP, FOOT = 132, 20, 24  # heights of a line chart


def reach(series: Series) -> int:
    """How many days each point of the curve joins: whole weeks, and more of them where the curve is long."""
    return 28 if len(series["values"]) > 270 else 7


def smooth(series: Series) -> list[float | None]:
    """The mean of the days up to each; of a ratio, of its numerators over its denominators.

    The first days, for which there is no full week yet, are left out.
    """
    joined = reach(series)
    values, weights = series["values"], series.get("weights")
    out: list[float | None] = []
    for n, value in enumerate(values):
        near = range(max(0, n - joined + 1), n + 1)
        known = [
            (values[k] or 0.0, 1.0 if weights is None else weights[k] or 0.0)
            for k in near
            if values[k] is not None
        ]
        total = sum(weight for _, weight in known)
        enough = n >= 6 and len(known) >= 0.7 * min(
            joined, n + 1
        )  # else one weekday counts for more than another
        out.append(
            sum(v * w for v, w in known) / total if value is not None and enough and total > 0 else None
        )
    return out


def nice_top(value: float) -> tuple[float, float]:
    """A round upper end of an axis from 0, and the step of its lines."""
    if value <= 0:
        return 1.0, 0.5
    value *= 1.03
    size = 10.0 ** math.floor(math.log10(value))
    steps = [m * size for m in (0.2, 0.25, 0.5, 1, 2, 2.5, 5)]
    return min((step * math.ceil(value / step), step) for step in steps if 2 <= math.ceil(value / step) <= 4)


def ticks(first: datetime.date, last: datetime.date, most: int = 5) -> list[datetime.date]:
    """First days of months, evenly apart, at most so many."""
    for step in (1, 2, 3, 6, 12, 24, 60):
        found = []
        year, month = first.year, 1
        while (year, month) <= (last.year, last.month):
            date = datetime.date(year, month, 1)
            if first <= date <= last:
                found.append(date)
            year, month = year + (month - 1 + step) // 12, (month - 1 + step) % 12 + 1
        if len(found) <= most:
            return found
    return found[:: max(1, len(found) // most)]


def runs(known: Sequence[bool]) -> list[tuple[int, int, bool]]:
    """Stretches [from, to) of equal value."""
    found: list[tuple[int, int, bool]] = []
    for n, value in enumerate(known):
        if found and found[-1][2] == value:
            found[-1] = (found[-1][0], n + 1, value)
        else:
            found.append((n, n + 1, value))
    return found


def line(series: Series, window: Window, name: str) -> str:
    """A line chart with its area, the brief's window tinted, days without data hatched."""
    values = smooth(series)
    first = datetime.date.fromisoformat(series["start"])
    count = len(values)
    last = first + (count - 1) * DAY
    known = [v for v in values if v is not None]
    label, unit = series["label"], series["unit"]
    if not known:
        return ""
    top, step = nice_top(max(known))
    width = max(1, count - 1)

    def x(n: float) -> float:
        return 100 * n / width

    def y(value: float) -> float:
        return PLOT * (1 - value / top)

    inner, lettering, under = [], [], []
    start = (datetime.date.fromisoformat(window["start"]) - first).days
    if start < count:
        inner.append(
            f'<rect class="now" x="{x(max(0, start)):.2f}" y="0" width="{100 - x(max(0, start)):.2f}" '
            f'height="{PLOT}"/>'
        )
    steps = round(top / step)
    for n in range(steps + 1):
        at = y(n * step)
        inner.append(
            f'<line class="{"axis" if n == 0 else "grid"}" x1="0" x2="100" y1="{at:.1f}" y2="{at:.1f}"/>'
        )
        if n:
            lettering.append(
                f'<text class="y" x="0" y="{TOP + at - 4:.1f}">{words.short(n * step, unit)}</text>'
            )
    for begin, end, is_known in runs([v is not None for v in series["values"]]):
        if not is_known:
            left, right = x(max(0.0, begin - 0.5)), x(min(float(width), end - 0.5))
            under.append(
                f'<rect class="hole" x="{left:.2f}%" y="{TOP}" width="{right - left:.2f}%" height="{PLOT}"/>'
            )
    for begin, end, is_known in runs([v is not None for v in values]):
        if is_known:
            points = " ".join(f"{x(n):.2f},{y(values[n] or 0.0):.1f}" for n in range(begin, end))
            inner.append(
                f'<polygon class="area" points="{x(begin):.2f},{PLOT} {points} {x(end - 1):.2f},{PLOT}"/>'
            )
            inner.append(f'<polyline class="line" points="{points}"/>')
    for date in ticks(first, last):
        n = (date - first).days
        at = x(n)
        anchor = "start" if at < 8 else "end" if at > 94 else "middle"
        word = words.MONTHS[date.month - 1][:3]
        if date.month == 1 or date == ticks(first, last)[0]:
            word += f" {date.year}"
        inner.append(f'<line class="tick" x1="{at:.2f}" x2="{at:.2f}" y1="{PLOT}" y2="{PLOT + 4}"/>')
        lettering.append(f'<text x="{at:.2f}%" y="{TOP + PLOT + 17}" text-anchor="{anchor}">{word}</text>')
    end_value = next(v for v in reversed(values) if v is not None)
    missing = sum(v is None for v in series["values"])
    what = (
        f"From {words.day(str(first))} to {words.day(str(last))}, mean of {reach(series)} days: lowest "
        f"{words.amount(min(known), unit, series['currency'])}, highest "
        f"{words.amount(max(known), unit, series['currency'])}, at the end "
        f"{words.amount(end_value, unit, series['currency'])} a day."
        + (f" {words.plural(missing, 'day')} without data." if missing else "")
    )
    return (
        f'<svg class="plot" role="img" aria-labelledby="{name}-t {name}-d" width="100%" '
        f'height="{TOP + PLOT + FOOT}">'
        f'<title id="{name}-t">{words.text(label)}</title><desc id="{name}-d">{words.text(what)}</desc>'
        f'{"".join(under)}<svg y="{TOP}" width="100%" height="{PLOT + 5}" viewBox="0 0 100 {PLOT + 5}" '
        f'preserveAspectRatio="none">'
        f"{''.join(inner)}</svg>{''.join(lettering)}</svg>"
    )


def band(value: float | None, cohort: Cohort, unit: Unit, currency: str | None, label: str, name: str) -> str:
    """The middle half of the cohort as a bar, its median as a tick, the partner as a dot."""
    p25, p50, p75 = cohort["p25"], cohort["p50"], cohort["p75"]
    if p25 is None or p50 is None or p75 is None:
        return ""
    places = [p25, p50, p75] + ([value] if value is not None else [])
    low, high = min(places), max(places)

    def x(v: float) -> float:
        return 50.0 if high == low else 20 + 60 * (v - low) / (high - low)

    def say(v: float) -> str:
        return words.digits(v, unit)

    parts = [
        '<line class="rail" x1="0" x2="100%" y1="34" y2="34"/>',
        f'<rect class="middle" x="{x(p25):.2f}%" y="26" width="{max(0.6, x(p75) - x(p25)):.2f}%" '
        f'height="16" rx="3"/>',
        f'<line class="median" x1="{x(p50):.2f}%" x2="{x(p50):.2f}%" y1="22" y2="46"/>',
        f'<text x="{x(p25):.2f}%" dx="-3" y="60" text-anchor="end">{say(p25)}</text>',
        f'<text x="{x(p75):.2f}%" dx="3" y="60" text-anchor="start">{say(p75)}</text>',
    ]
    told = "not known"
    if value is not None:
        told = words.amount(value, unit, currency)
        parts.append(f'<circle class="dot" cx="{x(value):.2f}%" cy="34" r="7"/>')
        parts.append(f'<text class="own" x="{x(value):.2f}%" y="15" text-anchor="middle">{say(value)}</text>')
    what = (
        f"The partner: {told}. Cohort {cohort['name']} of {cohort['size']}: a quarter is below {say(p25)}, "
        f"the median is {say(p50)}, a quarter is above {say(p75)}."
    )
    return (
        f'<svg class="band" role="img" aria-labelledby="{name}-t {name}-d" width="100%" height="66">'
        f'<title id="{name}-t">{words.text(label)} against the cohort</title>'
        f'<desc id="{name}-d">{words.text(what)}</desc>{"".join(parts)}</svg>'
    )


def holes(
    source: Source, first: datetime.date, after: datetime.date
) -> list[tuple[datetime.date, datetime.date]]:
    """Days [from, to) within [first, after) that the source does not speak for."""
    at, found = first, []
    for window in sorted(source["covered"], key=lambda w: w["start"]):
        start, end = words.bounds(window)
        if start > at:
            found.append((at, min(start, after)))
        at = max(at, end)
    if at < after:
        found.append((at, after))
    return [(a, b) for a, b in found if a < b]


def strip(source: Source, first: datetime.date, after: datetime.date, window: Window, name: str) -> str:
    """The days that a source covers, as a bar; what it lacks is hatched."""
    total = max(1, (after - first).days)

    def x(day: datetime.date) -> float:
        return 100 * min(total, max(0, (day - first).days)) / total

    parts = []
    for piece in source["covered"]:
        start, end = words.bounds(piece)
        width = max(0.2, x(end) - x(start))
        parts.append(f'<rect class="has" x="{x(start):.2f}%" y="5" width="{width:.2f}%" height="12"/>')
    missing = holes(source, first, after)
    for start, end in missing:
        width = max(0.3, x(end) - x(start))
        parts.append(f'<rect class="hole" x="{x(start):.2f}%" y="5" width="{width:.2f}%" height="12"/>')
    begin = datetime.date.fromisoformat(window["start"])
    parts.append(f'<line class="mark" x1="{x(begin):.2f}%" x2="{x(begin):.2f}%" y1="0" y2="22"/>')
    what = "Speaks for " + (", ".join(words.days(w) for w in source["covered"]) or "no day yet") + "."
    return (
        f'<svg class="strip" role="img" aria-labelledby="{name}-t {name}-d" width="100%" height="22">'
        f'<title id="{name}-t">Days covered by {words.text(source["name"])}</title>'
        f'<desc id="{name}-d">{words.text(what)}</desc>{"".join(parts)}</svg>'
    )


def calendar_axis(first: datetime.date, after: datetime.date) -> str:
    """Months under the strips."""
    total = max(1, (after - first).days)
    parts = []
    found = ticks(first, after - DAY, 4)
    for date in found:
        at = 100 * (date - first).days / total
        anchor = "start" if at < 8 else "end" if at > 94 else "middle"
        word = words.MONTHS[date.month - 1][:3] + (
            f" {date.year}" if date.month == 1 or date == found[0] else ""
        )
        parts.append(
            f'<line class="tick" x1="{at:.2f}%" x2="{at:.2f}%" y1="0" y2="4"/>'
            f'<text x="{at:.2f}%" y="17" text-anchor="{anchor}">{word}</text>'
        )
    return f'<svg class="months" aria-hidden="true" width="100%" height="22">{"".join(parts)}</svg>'


PATTERNS = (
    '<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="6" height="6"/><line class="hatch-line" x1="0" y1="0" x2="0" y2="6"/>'
    "</pattern></defs></svg>"
)
