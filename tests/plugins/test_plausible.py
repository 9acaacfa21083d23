# SPDX-License-Identifier: Apache-2.0
"""The ten tables of Plausible's export through `entente run`, against sums of their own in Python."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from ran import SOURCE, observations, reads, run

GOLDEN = SOURCE / "plugins" / "plausible" / "golden"
TABLES = {
    "visitors": "visitors",
    "sources": "sources",
    "pages": "pages",
    "entry_pages": "entry-pages",
    "exit_pages": "exit-pages",
    "custom_events": "custom-events",
    "locations": "locations",
    "devices": "devices",
    "browsers": "browsers",
    "operating_systems": "systems",
}
SUMS = {"sessions": "visits", "pageviews": "pageviews", "attention": "visit_duration"}


def export() -> dict[str, bytes]:
    """All ten files, by their names in an export."""
    return {
        f"imported_{table}_20260501_20260506.csv": (GOLDEN / f"{name}.in").read_bytes()
        for table, name in TABLES.items()
    }


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table."""
    with (GOLDEN / f"{name}.in").open() as file:
        return list(csv.DictReader(file))


def told(folder: Path, metric: str, dim: str = "") -> Counter[tuple[str, str]]:
    """Values by day and by value of a view; with "" those of whole days."""
    out: Counter[tuple[str, str]] = Counter()
    for row in observations(folder):
        view, _, value = str(row.get("dims") or "").partition("=")
        if row["metric"] == metric and view == dim:
            out[str(row["from"])[:10], value.replace("%2C", ",").replace("%25", "%")] += row["value"] // 10**6
    return out


def counted(name: str, column: str, by: str = "") -> Counter[tuple[str, str]]:
    """The same, added up here."""
    out: Counter[tuple[str, str]] = Counter()
    for row in rows(name):
        out[row["date"], (row[by] or "(none)") if by else ""] += int(row[column])
    return out


def test_all_ten_tables(tmp_path: Path) -> None:
    balance = run(tmp_path, "{plausible: {events: {Purchase: purchases}}}", export())
    every = {name: rows(name) for name in TABLES.values()}
    links = sum(row["name"] != "Purchase" for row in every["custom-events"])
    nothing = sum(len(every[n]) for n in ("pages", "entry-pages", "exit-pages", "browsers", "systems"))
    assert balance["records"] == sum(map(len, every.values()))
    assert (balance["skipped"], balance["rejected"]) == (nothing + links, 0)
    for metric, column in SUMS.items():
        whole = told(tmp_path, metric)
        assert +whole == counted("visitors", column)
        assert {day for day, _ in whole} == {f"2026-05-0{n}" for n in range(1, 7)}  # two of them without a row
        assert told(tmp_path, metric, "source") == counted("sources", column, "source")
        assert told(tmp_path, metric, "channel") == counted("sources", column, "utm_medium")
        assert told(tmp_path, metric, "campaign") == counted("sources", column, "utm_campaign")
        assert told(tmp_path, metric, "country") == counted("locations", column, "country")
        assert told(tmp_path, metric, "device") == counted("devices", column, "device")
    bounces = counted("visitors", "bounces")
    assert +told(tmp_path, "sessions.engaged") == +(counted("visitors", "visits") - bounces)
    events = Counter[str]()
    for row in every["custom-events"]:
        events[row["date"]] += int(row["events"]) if row["name"] == "Purchase" else 0
    assert {day: n for (day, _), n in told(tmp_path, "purchases").items()} == dict(events)


def test_visitors_are_never_added(tmp_path: Path) -> None:
    run(tmp_path, "auto", export())
    visitors = [row for row in observations(tmp_path) if row["metric"] == "visitors"]
    assert visitors and not any(row["additive"] for row in visitors)
    assert not any(str(row.get("dims") or "").startswith(("source", "country", "campaign")) for row in visitors)


@pytest.mark.parametrize("name", ["dashboard", "dashboard-rows"])
def test_an_export_of_the_dashboard_is_refused(tmp_path: Path, name: str) -> None:
    balance = run(tmp_path, "plausible", {"visitors.csv": (GOLDEN / f"{name}.in").read_bytes()})
    assert "cut after 300 rows" in balance["told"] and "Imports & Exports" in balance["told"]
    assert balance["stored"] == 0


def test_a_newer_export_replaces(tmp_path: Path) -> None:
    files = export()
    run(tmp_path, "auto", files)
    before = told(tmp_path, "sessions")
    (visitors,) = (name for name in files if "visitors" in name)
    changed = files[visitors].replace(b"40,121,18,50,5400", b"41,125,18,52,5500")
    assert changed != files[visitors]
    run(tmp_path, "auto", {visitors: changed})
    assert told(tmp_path, "sessions") - before == Counter({("2026-05-01", ""): 2})


def test_rules_read_them(tmp_path: Path) -> None:
    """Up to 6 May, the last day of the export: what a strategist's rule is told, in the real rules worker."""
    told = reads(
        tmp_path,
        "auto",
        export(),
        {
            "6 days": "said(partner['sessions'], '6d')",
            "7 days": "said(partner['sessions'], '7d')",
            "analytics": "said(partner['sessions'].where(origin='analytics'), '6d')",
            "engaged": "said(partner['engagement_rate'], '6d')",
            "pages": "said(partner['pageviews'], '6d')",
            "a day's visitors": "said(partner['visitors'], '1d')",
            "visitors": "said(partner['visitors'], '6d')",
            "first": "partner['sessions'].daily('6d')[0]",
            "judged": "partner.today",
        },
    )
    visits = sum(counted("visitors", "visits").values())
    bounces = sum(counted("visitors", "bounces").values())
    assert float(told["6 days"]) == float(told["analytics"]) == visits
    assert told["7 days"].startswith("unknown")
    assert float(told["engaged"]) == round((visits - bounces) / visits, 6)
    assert float(told["pages"]) == sum(counted("visitors", "pageviews").values())
    assert float(told["a day's visitors"]) == 0  # 6 May is in the export, and nobody came
    assert told["visitors"].startswith("unknown")
    assert float(told["first"]) == 50 and told["judged"] == "6 May 2026"


def test_a_day_that_is_not_over_is_not_judged(tmp_path: Path) -> None:
    def today() -> date:
        return datetime.now(UTC).date()

    first = today()
    days = [first - timedelta(days=n) for n in (2, 1, 0)]
    body = "".join(f'"{day}",4,9,1,5,60\n' for day in days)
    name = f"imported_visitors_{days[0]:%Y%m%d}_{days[2]:%Y%m%d}.csv"
    header = '"date","visitors","pageviews","bounces","visits","visit_duration"\n'
    told = reads(
        tmp_path,
        "auto",
        {name: (header + body).encode()},
        {"judged": "partner.today.isoformat()", "visits": "said(partner['sessions'], '2d')"},
    )
    if today() == first:  # it did not become midnight meanwhile
        assert told == {"judged": str(first - timedelta(days=1)), "visits": "10.0"}
