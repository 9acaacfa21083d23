# SPDX-License-Identifier: Apache-2.0
"""Days and windows. A day is a date in the partner's own zone; inside, it is the number of days since
1970-01-01.

A window is written as a strategist says it ("28d", "12w", "6m", "ytd") and ends with the moment of
judgement, that day included. `previous("28d")` is the same length right before it, `last_year("28d")` the
same days a year earlier."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from functools import lru_cache
    from typing import Any, Final, NamedTuple
else:
    from .light import NamedTuple, datetime, lru_cache

EPOCH: Final = datetime.date(1970, 1, 1).toordinal()
_TO_DATE: Final = ("mtd", "qtd", "ytd")

_MONTHS: Final = (
    "January February March April May June July August September October November December".split()
)

_iso: dict[int, str] = {}


class Day(datetime.date):
    """A date to which days can be added: `day + 14`."""

    __slots__ = ()

    @classmethod
    def of(cls, number: int) -> Day:
        """The day that lies `number` days after 1970-01-01."""
        return cls.fromordinal(number + EPOCH)

    @property
    def number(self) -> int:
        """Days since 1970-01-01."""
        return self.toordinal() - EPOCH

    def __add__(self, other: datetime.timedelta | int) -> Day:
        days = other if isinstance(other, int) else other.days
        return Day.fromordinal(self.toordinal() + days)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        """A day so many days before; or, of two days, what lies between them."""
        return self + -other if isinstance(other, int) else super().__sub__(other)

    def __str__(self) -> str:
        """As one says it: 30 June 2026. isoformat() gives 2026-06-30."""
        return f"{self.day} {_MONTHS[self.month - 1]} {self.year}"

    def since(self, other: datetime.date) -> int:
        """Whole days from `other` to this day."""
        return self.toordinal() - other.toordinal()


class Span(NamedTuple):
    """Days [start, stop), as numbers."""

    start: int
    stop: int


class Shifted(NamedTuple):
    """A window moved back in time: by its own length, or by years."""

    window: Window
    lengths: int
    years: int

    def __str__(self) -> str:
        if self.years:
            return f"{words(self.window)}, {self.years} year{'s' if self.years > 1 else ''} earlier"
        return (
            f"the {words(self.window)} before"
            if self.lengths == 1
            else f"{words(self.window)}, {self.lengths} times earlier"
        )


class Period(NamedTuple):
    """A window with fixed days: a calendar month, a week, anything. `name` is how it is spoken of."""

    start: int
    stop: int
    name: str

    def __str__(self) -> str:
        if len(self.name) == 7 and self.name[4] == "-":  # a calendar month
            return f"{_MONTHS[int(self.name[5:]) - 1]} {self.name[:4]}"
        return self.name


if TYPE_CHECKING:
    Window = str | Shifted | Period
else:
    Window = str


def iso(number: int) -> str:
    """`number` as 2026-06-30."""
    text = _iso.get(number)
    if text is None:
        if len(_iso) > 50_000:
            _iso.clear()
        text = _iso[number] = datetime.date.fromordinal(number + EPOCH).isoformat()
    return text


def day_number(text: str) -> int:
    """The day of an ISO date, or of a moment that begins with one."""
    return datetime.date.fromisoformat(text[:10]).toordinal() - EPOCH


@lru_cache(1000)  # rules ask for the same few, partner after partner
def previous(window: Window, times: int = 1) -> Window:
    """The window of the same length right before `window`; for months and years, the calendar's."""
    if isinstance(window, Shifted) and not window.years:
        return Shifted(window.window, window.lengths + times, 0)
    return Shifted(window, times, 0)


@lru_cache(1000)
def last_year(window: Window, years: int = 1) -> Window:
    """The same days a year earlier."""
    return Shifted(window, 0, years)


def is_window(text: str) -> bool:
    """Whether `text` reads as a window."""
    return text in _TO_DATE or _length(text) is not None


def _length(text: str) -> tuple[int, str] | None:
    """28d as 28 and d."""
    number, unit = text[:-1], text[-1:]
    if unit not in ("d", "w", "m", "y") or not 1 <= len(number) <= 4 or number[0] == "0":
        return None
    return (int(number), unit) if number.isascii() and number.isdigit() else None


def ending(window: Window, day: Day) -> Period:
    """The window of that length which ended with a day: ending("28d", claim.due)."""
    span = span_of(window, day.number)
    return Period(span.start, span.stop, f"{words(window)} up to {day}")


def span_of(window: Window, as_of: int) -> Span:
    """The days that `window` means at the moment `as_of`. ValueError says what windows look like."""
    if isinstance(window, str):
        return _spoken(window, as_of)
    if isinstance(window, Period):
        return Span(window.start, window.stop)
    if window.years:
        span = span_of(window.window, as_of)
        stop = _months_back(span.stop, 12 * window.years)
        return Span(stop - (span.stop - span.start), stop)
    if isinstance(window.window, str) and window.window in _TO_DATE:
        raise ValueError(
            f"previous({window.window!r}) has no length of its own; use last_year({window.window!r})"
        )
    span = span_of(window.window, as_of)
    for _ in range(window.lengths):
        span = _before(window.window, span)
    return span


def _spoken(text: str, as_of: int) -> Span:
    length = _length(text)
    if length:
        number, unit = length
        if unit in "my":
            return Span(_months_back(as_of + 1, number * (12 if unit == "y" else 1)), as_of + 1)
        return Span(as_of + 1 - number * (7 if unit == "w" else 1), as_of + 1)
    if text in _TO_DATE:
        day = datetime.date.fromordinal(as_of + EPOCH)
        month = {"mtd": day.month, "qtd": day.month - (day.month - 1) % 3, "ytd": 1}[text]
        return Span(day.replace(month=month, day=1).toordinal() - EPOCH, as_of + 1)
    raise ValueError(f"{text!r} is no window; write it like 28d, 12w, 6m, 1y, mtd, qtd or ytd")


def _before(window: Window, span: Span) -> Span:
    length = _length(window) if isinstance(window, str) else None
    if length and length[1] in "my":
        return Span(_months_back(span.start, length[0] * (12 if length[1] == "y" else 1)), span.start)
    return Span(2 * span.start - span.stop, span.start)


def _months_back(number: int, months: int) -> int:
    """The same day of the month `months` earlier, or the first day after it where that month is too short."""
    day = datetime.date.fromordinal(number + EPOCH)
    index = day.year * 12 + day.month - 1 - months
    first, after = (datetime.date(*_year_month(n), 1).toordinal() - EPOCH for n in (index, index + 1))
    return min(first + day.day - 1, after)


def month(year: int, number: int) -> Period:
    """A calendar month."""
    first = datetime.date(year, number, 1).toordinal() - EPOCH
    after = datetime.date(year + (number == 12), number % 12 + 1, 1).toordinal() - EPOCH
    return Period(first, after, f"{year}-{number:02d}")


def month_after(number: int) -> int:
    """The first day of the next month."""
    day = datetime.date.fromordinal(number + EPOCH)
    return datetime.date(*_year_month(day.year * 12 + day.month), 1).toordinal() - EPOCH


def months_before(as_of: int, count: int) -> list[Period]:
    """The last `count` calendar months that were over at the end of the day `as_of`, oldest first."""
    after = datetime.date.fromordinal(as_of + 1 + EPOCH)
    index = after.year * 12 + after.month - 1
    return [month(*_year_month(index - n)) for n in range(count, 0, -1)]


def _year_month(index: int) -> tuple[int, int]:
    return index // 12, index % 12 + 1


@lru_cache(10_000)
def spoken(start: int, stop: int) -> str:
    """The days [start, stop) as one says them: 3 to 30 June 2026."""
    first, last = Day.of(start), Day.of(stop - 1)
    end = str(last)
    if first == last:
        return end
    if first.day == 1 and Day.of(stop).day == 1 and first.year == last.year:  # whole months
        month_, end = _MONTHS[first.month - 1], f"{_MONTHS[last.month - 1]} {last.year}"
        return end if first.month == last.month else f"{month_} to {end}"
    if first.year != last.year:
        return f"{first} to {end}"
    if first.month != last.month:
        return f"{first.day} {_MONTHS[first.month - 1]} to {end}"
    return f"{first.day} to {end}"


@lru_cache(1000)
def words(window: Window) -> str:
    """A window as one says it: 8 weeks."""
    if not isinstance(window, str):
        return str(window)
    length = _length(window)
    if not length:
        return {"mtd": "this month", "qtd": "this quarter", "ytd": "this year"}.get(window, window)
    unit = {"d": "day", "w": "week", "m": "month", "y": "year"}[length[1]]
    return f"{length[0]} {unit}" + ("s" if length[0] != 1 else "")


def cut(span: Span, days: int) -> list[Period]:
    """Pieces of `days` days, the last one ending with the span; what is left over at its start is dropped."""
    count = (span.stop - span.start) // days
    starts = [span.stop - n * days for n in range(count, 0, -1)]
    return [Period(start, start + days, iso(start)) for start in starts]
