# SPDX-License-Identifier: Apache-2.0
"""Reading figures: windows, parts, origins, courses; and what is asked for where something is missing."""

import re
from pathlib import Path

import pytest
from entente import NotEnoughEvidence, last_year, previous
from entente.catalogue import MEASURES, METRICS
from entente.day import (
    Day,
    Period,
    Window,
    cut,
    day_number,
    iso,
    month,
    months_before,
    span_of,
    spoken,
    words,
)
from entente.fixture import World
from entente.run import now
from entente.titles import title

ROOT = Path(__file__).resolve().parents[3]
TODAY = day_number("2026-06-30")


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        ("28d", "2026-06-03", "2026-06-30"),
        ("1d", "2026-06-30", "2026-06-30"),
        ("8w", "2026-05-06", "2026-06-30"),
        ("1m", "2026-06-01", "2026-06-30"),
        ("6m", "2026-01-01", "2026-06-30"),
        ("1y", "2025-07-01", "2026-06-30"),
        ("mtd", "2026-06-01", "2026-06-30"),
        ("qtd", "2026-04-01", "2026-06-30"),
        ("ytd", "2026-01-01", "2026-06-30"),
        (previous("28d"), "2026-05-06", "2026-06-02"),
        (previous("28d", 2), "2026-04-08", "2026-05-05"),
        (previous(previous("28d")), "2026-04-08", "2026-05-05"),
        (previous("1m"), "2026-05-01", "2026-05-31"),
        (previous("3m"), "2026-01-01", "2026-03-31"),
        (last_year("28d"), "2025-06-03", "2025-06-30"),
        (last_year("ytd"), "2025-01-01", "2025-06-30"),
        (previous(month(2026, 5)), "2026-03-31", "2026-04-30"),
    ],
)
def test_windows(window: Window, first: str, last: str) -> None:
    span = span_of(window, TODAY)
    assert (iso(span.start), iso(span.stop - 1)) == (first, last)


def test_a_month_keeps_to_the_calendar() -> None:
    assert iso(span_of("1m", day_number("2026-03-30")).start) == "2026-03-01"
    assert iso(span_of("1y", day_number("2024-02-28")).start) == "2023-03-01"
    assert [m.name for m in months_before(TODAY, 3)] == ["2026-04", "2026-05", "2026-06"]
    assert [m.name for m in months_before(TODAY - 1, 2)] == ["2026-04", "2026-05"]
    assert [m.name for m in months_before(day_number("2026-01-31"), 2)] == ["2025-12", "2026-01"]


@pytest.mark.parametrize("wrong", ["", "28", "0d", "d", "28 d", "28D", "lastweek"])
def test_what_is_no_window_says_what_windows_look_like(wrong: str) -> None:
    with pytest.raises(ValueError, match="write it like 28d"):
        span_of(wrong, TODAY)


def test_days_in_words() -> None:
    assert str(Day(2026, 6, 30)) == "30 June 2026"
    for first, last, said in (
        ("2026-06-03", "2026-06-30", "3 to 30 June 2026"),
        ("2026-06-01", "2026-06-30", "June 2026"),
        ("2026-01-01", "2026-05-31", "January to May 2026"),
        ("2026-05-10", "2026-06-05", "10 May to 5 June 2026"),
        ("2025-12-28", "2026-01-03", "28 December 2025 to 3 January 2026"),
        ("2026-06-09", "2026-06-09", "9 June 2026"),
    ):
        assert spoken(day_number(first), day_number(last) + 1) == said
    assert str(month(2026, 4)) == "April 2026"


def test_windows_in_words() -> None:
    assert words("8w") == "8 weeks" and words("1m") == "1 month"
    assert words(previous("8w")) == "the 8 weeks before"
    assert [p.name for p in cut(span_of("15d", TODAY), 7)] == ["2026-06-17", "2026-06-24"]


def test_days() -> None:
    assert Day(2026, 6, 30) + 2 == Day(2026, 7, 2) and Day.of(0) == Day(1970, 1, 1)
    assert Day(2026, 6, 30).since(Day(2026, 6, 1)) == 29 and isinstance(Day(2026, 1, 1) + 1, Day)
    assert (Day(2026, 6, 30) - Day(2026, 6, 1)).days == 29


def test_sums_ratios_and_parts() -> None:
    world = World()
    shop = world.partner("a")
    shop.days("orders", 3, channel="online/web").days("orders", 1, channel="online/app").days(
        "orders", 1, channel="offline/agent"
    )
    shop.days("gross", 500)
    orders = world.see("a")["orders"]
    assert orders.over("28d") == 140
    assert orders.where(channel="online/web").over("28d") == 84
    assert orders.where(side="online").over("28d") == 112
    assert orders.where(channel="never/seen").over("28d") == 0
    assert str(world.see("a")["aov"].over("28d")) == "100 EUR"
    parts = orders.by("channel").over("28d")
    assert [(k, int(v.number)) for k, v in parts.items()] == [
        ("offline/agent", 28),
        ("online/app", 28),
        ("online/web", 84),
    ]
    assert parts.largest().key == "online/web" and parts.largest().share == 0.6
    assert parts.share("none") == 0 and parts.hhi() == 0.44
    assert orders.change("7d", since=previous("7d")) == 0
    with pytest.raises(ValueError, match="one view at a time"):
        orders.where(channel="online/web", country="DE")
    with pytest.raises(ValueError, match="no view is called 'chanel'"):
        orders.by("chanel")
    with pytest.raises(LookupError, match="did you mean 'orders'"):
        world.see("a")["order"]


def test_uniques_are_united_and_never_added() -> None:
    world = World()
    world.partner("a").days("sessions", 2).ids("visitors", {"2026-06-29": [1, 2], "2026-06-30": [2, 3]})
    assert world.see("a")["visitors"].over("2d") == 3
    world.partners["a"].sets["visitors", 1, 1, "online/web"] = {TODAY: {1}}
    world.partners["a"].sets["visitors", 1, 1, "online/app"] = {TODAY: {1}}
    with pytest.raises(TypeError, match="counted twice"):
        world.see("a")["visitors"].where(side="online").over("2d")


def test_distributions() -> None:
    world = World()
    shop = world.partner("a").days("orders", 1)
    shop.spread("days_to_paid", {"2026-06-29": [1, 2, 30], "2026-06-30": [3, 4]})
    paid = world.see("a")["days_to_paid"]
    assert paid.median("7d") == 3 and paid.quantile("7d", 1.0) == 30
    with pytest.raises(TypeError, match="no distribution"):
        world.see("a")["orders"].median("7d")


def test_courses() -> None:
    world = World()
    world.partner("a").days("orders", lambda left: 100 - left // 7 * 5, first="2026-04-01").hole(
        "sales", "2026-06-05", "2026-06-09"
    )
    orders = world.see("a")["orders"]
    weekly = orders.weekly("8w")
    assert len(weekly) == 8 and len(weekly.known) == 7
    assert 0.04 < weekly.slope() < 0.08
    assert orders.monthly(2).points[0].period.name == "2026-05"
    daily = orders.daily("7d")
    assert len(daily) == 7 and daily[6] == 100 and daily.days[6] == Day(2026, 6, 30)
    with pytest.raises(NotEnoughEvidence):
        orders.monthly(6).points[0].value or orders.over(orders.monthly(6).points[0].period)


def test_too_few_days_are_not_known_and_the_missing_ones_are_asked_for() -> None:
    world = World()
    shop = world.partner("a").days("orders", 4).days("sessions", 9)
    shop.hole("traffic", "2026-06-28", "2026-06-30")
    assert world.see("a")["sessions"].over("28d").coverage == pytest.approx(25 / 28)
    shop.hole("traffic", "2026-06-04", "2026-06-08")
    who = world.see("a")
    with pytest.raises(NotEnoughEvidence) as missing:
        who["conversion_rate"].over("28d")
    assert [a.text for a in missing.value.asks] == [
        "conversion rate, 4 to 8 June 2026, from a-traffic",
        "conversion rate, 28 to 30 June 2026, from a-traffic",
    ]
    assert who["sessions"].coverage("28d").number == pytest.approx(20 / 28)
    assert who["sessions"].known_until() == Day(2026, 6, 27)
    assert who["sessions"].observable_days(since=Day(2026, 6, 1)) == 22
    assert now.reads[-1].state in (0, 1)
    with pytest.raises(NotEnoughEvidence) as missing:
        who["carts.left"].over("28d")
    assert missing.value.asks[0].note == "no source gives it so far"


def test_a_ratio_over_nothing_is_not_known() -> None:
    world = World()
    world.partner("a").days("orders", 0).days("gross", 0)
    with pytest.raises(NotEnoughEvidence, match="nothing to divide by"):
        world.see("a")["aov"].over("28d")


def test_declared_periods_add_up_to_a_window() -> None:
    world = World()
    shop = world.partner("a").days("gross", 10)
    for name, amount in (("2026-04", 100), ("2026-05", 200), ("2026-06", 300)):
        shop.declares("revenue.gross", name, amount)
    declared = world.see("a")["revenue.gross"].where(origin="declared")
    assert str(declared.over("3m")) == "600 EUR"
    with pytest.raises(NotEnoughEvidence, match="gross revenue .declared., .*: nobody said"):
        declared.over("4m")
    told = world.see("a")["revenue.gross"].by_origin().over("1m")
    assert [(k, str(v)) for k, v in told.items()] == [("shop", "300 EUR"), ("declared", "300 EUR")]
    for row in shop.observations:
        del row["to"]
    assert str(world.see("a")["revenue.gross"].where(origin="declared").over("3m")) == "600 EUR"
    shop.observations.append({**shop.observations[0], "from": "2026-06-02"})
    assert str(world.see("a")["revenue.gross"].where(origin="declared").over(month_day())) == "300 EUR"
    with pytest.raises(TypeError, match="cannot be added"):
        assert told.total


def month_day() -> Period:
    return Period(day_number("2026-06-01"), day_number("2026-06-02"), "the first of June")


def test_the_catalogue_of_fixtures_is_that_of_the_engine() -> None:
    text = (ROOT / "core" / "metrics" / "catalogue.c").read_text()
    columns = {e: n for _, e, n in re.findall(r'\b(SALES|TRAFFIC|CARTS)\((\w+), "(\w+)"', text)}
    assert set(columns.values()) == set(MEASURES)
    body = re.sub(r'"\s*\n\s*"', "", text[text.index("ent_metrics[] = {") : text.index("{.name = NULL}")])
    rows = {
        name: (kind, rest)
        for kind, name, rest in re.findall(
            r'\b(SUM|RATIO|DISTINCT|DIST)\("([\w.]+)", (.*)\),\n', body.replace("\n\t\t", " ")
        )
    }
    assert list(rows) == [m.name for m in METRICS]
    for metric in METRICS:
        kind, rest = rows[metric.name]
        assert ("SUM", "RATIO", "DISTINCT", "DIST")[metric.kind] == kind
        lists = re.findall(r"T\(((?:[PN]\(\w+\),? ?)+)\)", rest)
        terms = [
            tuple((1 if sign == "P" else -1, columns[m]) for sign, m in re.findall(r"([PN])\((\w+)\)", one))
            for one in lists
        ]
        assert [metric.top, metric.bottom][: len(terms)] == terms and (len(terms) == 2) == bool(metric.bottom)
        assert (
            metric.tags in rest
            and metric.doc in rest
            and (kind == "DISTINCT" or rest.lower().startswith(metric.unit))
        )


def test_a_slope_by_day_is_the_closest_line() -> None:
    world = World(as_of="2026-06-30")
    shop = world.partner("shop")
    shop.days("orders", lambda left: 100 - 3 * left)
    shop.days("gross", lambda left: (5.0, 0.0, 1.0)[left % 3])
    partner = world.see("shop")
    assert partner["orders"].daily("20d").slope() == 3
    assert partner["orders"].daily("20d").slope().unit is partner["orders"].metric.unit
    days = [value / 1e6 for value in partner["revenue.gross"].daily("20d").raw]
    mean = sum(days) / 20
    line = sum((i - 9.5) * (value - mean) for i, value in enumerate(days)) / sum((i - 9.5) ** 2 for i in range(20))
    assert partner["revenue.gross"].daily("20d").slope().number == pytest.approx(line)
    with pytest.raises(NotEnoughEvidence, match="a slope needs 2 days"):
        partner["orders"].daily("1d").slope()


def test_what_is_read_one_by_one_has_a_title() -> None:
    assert title("facts.order") == "single orders" and title("facts.touch") == "single touches"
