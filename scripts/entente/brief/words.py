# SPDX-License-Identifier: Apache-2.0
"""How numbers and days are written: grouped by thousands, a real minus, the currency behind the amount."""

import datetime
import re
from html import escape

from .model import Unit, Window

MONTHS = "January February March April May June July August September October November December".split()
NARROW = "\u202f"  # narrow no-break space
MINUS = "\u2212"


def amount(value: float, unit: Unit, currency: str | None) -> str:
    """Plain text: "12,480 EUR", "2.81%", "1.4 s"."""
    number = digits(value, unit)
    return f"{number}{NARROW}{currency}" if unit == "money" and currency else number


def digits(value: float, unit: Unit) -> str:
    """The number alone, with as many digits as can be read."""
    size = abs(value)
    if unit == "ratio":
        text = f"{value * 100:.{0 if size >= 10 else 1 if size >= 0.1 else 2}f}%"
    elif unit == "seconds":
        text = f"{value:.{0 if size >= 100 else 1}f}{NARROW}s"
    elif unit == "days":
        text = f"{value:,.0f}{NARROW}{'day' if size == 1 else 'days'}"
    elif unit == "money":
        text = f"{value:,.{2 if size < 1000 else 0}f}"
    else:
        text = f"{value:,.{0 if float(value).is_integer() or size >= 100 else 1}f}"
    return text.replace("-", MINUS)


def short(value: float, unit: Unit) -> str:
    """For the axis of a chart: "12k", "2%"."""
    if unit == "ratio":
        return f"{value * 100:.6g}%"
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def change(now: float, before: float, unit: Unit) -> str | None:
    """ "+4.2%", or in percentage points for a ratio; None where it means nothing."""
    if unit == "ratio":
        points = (now - before) * 100
        return f"{points:+.{1 if abs(points) >= 1 else 2}f}{NARROW}pp".replace("-", MINUS)
    if before <= 0:
        return None
    part = (now - before) / before * 100
    return f"{part:+,.{0 if abs(part) >= 100 else 1}f}%".replace("-", MINUS)


def day(text: str, year: bool = True) -> str:
    """ "2026-06-30" as "30 June 2026"."""
    date = datetime.date.fromisoformat(text)
    return f"{date.day} {MONTHS[date.month - 1]}" + (f" {date.year}" if year else "")


def bounds(window: Window) -> tuple[datetime.date, datetime.date]:
    """First day, and day after the last."""
    return datetime.date.fromisoformat(window["start"]), datetime.date.fromisoformat(window["end"])


def days(window: Window) -> str:
    """The window with its last day named: "3 to 30 June 2026"."""
    first, after = bounds(window)
    last = after - datetime.timedelta(days=1)
    if first == last:
        return day(str(last))
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day(str(last))}"
    return f"{day(str(first), first.year != last.year)} to {day(str(last))}"


def span(per: str) -> str:
    """ "28d" as "28 days"."""
    match = re.fullmatch(r"(\d+)([dwmy])", per)
    if not match:
        return per
    count, word = int(match[1]), {"d": "day", "w": "week", "m": "month", "y": "year"}[match[2]]
    return word if count == 1 else f"{count} {word}s"


def text(value: str) -> str:
    """Escaped for HTML."""
    return escape(value, quote=True)


def plural(count: int, word: str) -> str:
    """ "1 red flag", "2 red flags", "2 opportunities"."""
    if count == 1:
        return f"1 {word}"
    return f"{count:,} {word[:-1] + 'ies' if word.endswith('ty') else word + 's'}"


def plain(word: str) -> str:
    """A name of the configuration as one says it: "industrial supply"."""
    return word.replace("-", " ") if word.islower() else word


def join(parts: list[str]) -> str:
    """ "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def capital(said: str) -> str:
    """With its first letter large."""
    return said[:1].upper() + said[1:]


def sentence(said: str) -> str:
    """As a sentence: its first letter large, and an end."""
    said = said.strip()
    return capital(said) + ("" if not said or said[-1] in ".!?" else ".")
