# SPDX-License-Identifier: Apache-2.0
"""Made-up partners from tables: what World.from_dict(), from_csv() and from_arrow() read. docs/rules.md says which columns
there are. A fault names file, line and column, and what to do."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .catalogue import MEASURES, SETS
from .day import day_number, iso
from .missing import RuleMistake
from .reader import ORIGINS, VIEWS

if TYPE_CHECKING:
    from .fixture import FixturePartner, World

FEW_VIEWS: Final = VIEWS[1:]
_KNOWN: Final = (*MEASURES, *SETS)


class Row(NamedTuple):
    """One row: values by column, and where it stands."""

    file: str
    line: int
    values: Mapping[str, Any]

    def mistake(self, column: str, what: str, todo: str) -> RuleMistake:
        """A fault in one of its cells."""
        at = [*self.values, column].index(column) + 1
        return RuleMistake(self.file, self.line, at, what, todo)

    def text(self, column: str) -> str:
        """A cell as text, "" where there is nothing."""
        value = self.values.get(column)
        return "" if value is None else str(value).strip()

    def day(self, column: str) -> int:
        """A cell that is a day."""
        try:
            return day_number(self.text(column))
        except ValueError:
            said = self.text(column) or "nothing"
            raise self.mistake(
                column, f"{column} is {said}, which is no day", "write it like 2026-06-30"
            ) from None

    def number(self, column: str) -> float:
        """A cell that is a number."""
        try:
            return float(self.text(column))
        except ValueError:
            raise self.mistake(
                column, f"{column} is {self.text(column)!r}, which is no number", "write 480 or 480.50"
            ) from None


def rows_of_csv(path: Path) -> list[Row]:
    """A file with names in its first line. Columns are counted as those of the table."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        out = []
        for values in reader:
            row = Row(str(path), reader.line_num, {k: v for k, v in values.items() if k is not None})
            if None in values or None in values.values():
                raise RuleMistake(
                    row.file,
                    row.line,
                    1,
                    "the line has not as many cells as the first one",
                    "add or remove commas",
                )
            out.append(row)
    return out


def rows_of_columns(columns: Mapping[str, list[Any]], name: str) -> list[Row]:
    """A table that is there by column."""
    names = list(columns)
    return [
        Row(name, n, dict(zip(names, row, strict=True)))
        for n, row in enumerate(zip(*columns.values(), strict=True), 1)
    ]


def last_day(rows: Iterable[Row]) -> str:
    """The latest day that rows speak of."""
    found = [row.day("day") for row in rows]
    if not found:
        raise ValueError("a table without a row says nothing, not even which day it is; give it rows")
    return iso(max(found))


def take_days(world: World, rows: list[Row]) -> None:
    """Figures by day. From the first to the last day of a partner, family of measures and origin all is known, but for days
    on which every cell is empty."""
    seen: dict[tuple[str, str, str], dict[int, bool]] = {}  # days, and whether anything stands there
    for row in rows:
        partner = _partner(world, row)
        day, origin = row.day("day"), row.text("origin")
        if origin and origin not in ORIGINS:
            raise row.mistake("origin", f"no origin is called {origin!r}", f"there are {', '.join(ORIGINS)}")
        views = {view: row.text(view) for view in FEW_VIEWS if row.text(view)}
        for column, measure in _measures(row):
            family = (MEASURES.get(measure) or (SETS[measure],))[0]
            known = seen.setdefault((partner.id, family, origin), {})
            known.setdefault(day, False)
            if row.text(column):
                known[day] = True
                partner.add(measure, row.number(column), day, origin, views)
    for (name, family, origin), days in seen.items():
        partner = world.partner(name)
        stretch: list[int] = []
        for day in range(min(days), max(days) + 2):
            if day <= max(days) and days.get(day, True):
                stretch.append(day)
            elif stretch:
                partner.cover(family, iso(stretch[0]), iso(stretch[-1]), origin=origin)
                stretch = []


def _partner(world: World, row: Row) -> FixturePartner:
    if not row.text("partner"):
        raise row.mistake("partner", "partner is empty, so whose row this is is not known", "name one")
    return world.partner(row.text("partner"))


def _measures(row: Row) -> Iterator[tuple[str, str]]:
    """(column, measure) of a row: measure and value, or a column for each measure."""
    if "measure" in row.values:
        name = row.text("measure")
        if name not in _KNOWN:
            raise row.mistake("measure", f"no measure is called {name!r}", _meant(name, _KNOWN))
        yield "value", name
        return
    for column in row.values:
        if column in _KNOWN:
            yield column, column
        elif column not in ("partner", "day", "origin", *FEW_VIEWS):
            raise row.mistake(
                column,
                f"no measure or view is called {column!r}",
                _meant(column, (*_KNOWN, *FEW_VIEWS, "partner", "day", "origin", "measure", "value")),
            )


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f"did you mean {close[0]!r}?" if close else "entente/catalogue.py lists the measures"


def take_folder(world: World, folder: Path) -> None:
    """partners.csv, declared.csv and rates.csv, where they are there; each other file is the register of its name."""
    for path in sorted(folder.glob("*.csv"), key=lambda path: (path.name != "partners.csv", path.name)):
        if path.name == "days.csv":
            continue
        for row in rows_of_csv(path):
            fields = {k: row.text(k) for k in row.values if row.text(k)}
            if path.name == "partners.csv":
                if "id" not in fields:
                    raise row.mistake("id", "a partner without an id", "fill in the column id")
                world.partner(fields.pop("id"), **fields)
            elif path.name == "rates.csv":
                rates = world.rates.setdefault(fields.get("currency", ""), {})
                if isinstance(rates, dict):
                    rates[iso(row.day("day"))] = row.number("rate")
            elif path.name == "declared.csv":
                partner = _partner(world, row)
                partner.declares(
                    fields.get("metric", ""),
                    fields.get("month", ""),
                    row.number("value"),
                    currency=fields.get("currency", ""),
                )
            else:
                partner = _partner(world, row)
                del fields["partner"]
                partner.note(path.stem, **{k: _typed(v) for k, v in fields.items()})


def _typed(text: str) -> str | bool | float | int:
    """What a cell of a register means."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def rows_of_dict(data: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, dict[str, str]], list[Row]]:
    """Profiles, and days: {"nordwind": {"industry": "tea", "orders": {"2026-06-01": 4}}}."""
    profiles: dict[str, dict[str, str]] = {}
    rows: list[Row] = []
    for name, fields in data.items():
        profiles[name] = {k: v for k, v in fields.items() if not isinstance(v, Mapping)}
        for measure, days in fields.items():
            if isinstance(days, Mapping):
                for day, value in days.items():
                    rows.append(
                        Row(
                            f"{name}.{measure}",
                            len(rows) + 1,
                            {"partner": name, "day": day, "measure": measure, "value": value},
                        )
                    )
    return profiles, rows
