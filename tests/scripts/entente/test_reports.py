# SPDX-License-Identifier: Apache-2.0
"""What reports say: it answers where the cells do not speak, for whole periods, and is never added up wrongly."""

from __future__ import annotations

from typing import Any

import pytest
from entente import NotEnoughEvidence, insight, previous, rule
from entente.fixture import FixturePartner, World
from entente.run import now


def alder() -> tuple[World, FixturePartner]:
    """One partner of which nothing is known, on 30 June."""
    world = World(as_of="2026-06-30")
    return world, world.partner("alder")


def daily(who: FixturePartner, metric: str, amounts: list[float], first: int = 24, **more: Any) -> None:
    """A report for each day of June from `first` on."""
    for n, amount in enumerate(amounts):
        who.reports(metric, amount, f"2026-06-{first + n:02d}", **more)


def test_days_make_up_a_window() -> None:
    world, who = alder()
    daily(who, "sessions", [10, 20, 30, 40, 50, 60, 70])
    sessions = world.see("alder")["sessions"]
    assert sessions.over("7d") == sessions.where(origin="analytics").over("7d")
    assert sessions.over("7d").number == 280 and sessions.over("2d").number == 130
    assert sessions.is_known() and sessions.coverage("7d").number == 1
    read = now.reads[-3]
    assert (read.origin, read.slice, read.covered) == ("analytics", "reported", 2)
    with pytest.raises(NotEnoughEvidence):
        sessions.where(origin="shop").over("7d")


def test_a_hole_is_unknown_and_not_zero() -> None:
    world, who = alder()
    daily(who, "sessions", [10, 20])
    daily(who, "sessions", [40, 50, 60, 70], first=27)
    sessions = world.see("alder")["sessions"]
    assert sessions.over("4d").number == 220
    with pytest.raises(NotEnoughEvidence):
        sessions.over("7d")
    assert sessions.coverage("7d").number == 0


def test_a_period_that_was_told_of_answers_for_itself_alone() -> None:
    world, who = alder()
    who.reports("sessions", 280, "2026-06-24", "2026-06-30")
    sessions = world.see("alder")["sessions"]
    assert sessions.over("7d").number == 280
    for window in ("6d", "8d", "14d", previous("7d")):
        with pytest.raises(NotEnoughEvidence, match="reports tell of other days"):
            sessions.over(window)


def test_periods_that_overlap_are_not_added() -> None:
    world, who = alder()
    who.reports("sessions", 1000, "2026-06-01", "2026-06-30")
    daily(who, "sessions", [10] * 30, first=1)
    sessions = world.see("alder")["sessions"]
    assert sessions.over("1m").number == 1000  # as it was told of the month
    assert sessions.over("7d").number == 70
    who.reports("sessions", 500, "2026-05-25", "2026-06-10")  # leads nowhere: days go on behind it
    assert world.see("alder")["sessions"].over("37d").number == 700


def test_visitors_are_never_added() -> None:
    world, who = alder()
    daily(who, "visitors", [8] * 7)
    visitors = world.see("alder")["visitors"]
    assert visitors.over("1d").number == 8
    with pytest.raises(NotEnoughEvidence, match="would count twice"):
        visitors.over("7d")
    who.reports("visitors", 41, "2026-06-24", "2026-06-30")
    assert world.see("alder")["visitors"].over("7d").number == 41


def test_a_figure_that_may_not_be_added_is_not() -> None:
    world, who = alder()
    daily(who, "sessions", [10] * 7, additive=False)
    with pytest.raises(NotEnoughEvidence):
        world.see("alder")["sessions"].over("7d")
    assert world.see("alder")["sessions"].over("1d").number == 10


def test_cells_count_where_they_speak() -> None:
    world, who = alder()
    daily(who, "sessions", [10] * 7)
    who.days("sessions", 3, first="2026-06-24")
    sessions = world.see("alder")["sessions"]
    assert sessions.over("7d").number == 21  # and not 91
    assert now.reads[-1].slice == ""


def test_two_sources_are_not_put_together() -> None:
    world, who = alder()
    daily(who, "sessions", [10] * 4, source="matomo")
    daily(who, "sessions", [90] * 3, first=28, source="plausible")
    with pytest.raises(NotEnoughEvidence):
        world.see("alder")["sessions"].over("7d")
    assert world.see("alder")["sessions"].over("3d").number == 270


def test_ratios_are_made_of_sums() -> None:
    world, who = alder()
    daily(who, "sessions", [100] * 7)
    daily(who, "sessions.engaged", [60, 60, 60, 40, 40, 40, 50])
    partner = world.see("alder")
    assert partner["engagement_rate"].over("7d").number == 0.5
    with pytest.raises(NotEnoughEvidence):
        partner["conversion_rate"].over("7d")  # no shop says how many orders
    who.days("orders", 2)
    assert world.see("alder")["conversion_rate"].over("7d").number == 0.02
    daily(who, "sessions.with_purchase", [0] * 7)
    assert world.see("alder")["conversion_rate.analytics"].over("7d").number == 0


def test_values_of_a_view() -> None:
    world, who = alder()
    daily(who, "sessions", [9] * 7)
    daily(who, "sessions", [5] * 7, country="PL")
    daily(who, "sessions", [4] * 3, first=28, country="DE")  # no row on the other days: nobody came
    daily(who, "sessions", [2] * 7, campaign="spring, 100%")
    sessions = world.see("alder")["sessions"]
    assert sessions.over("7d").number == 63
    assert sessions.where(country="PL").over("7d").number == 35
    assert sessions.where(country="DE").over("7d").number == 12
    assert sessions.where(campaign="spring, 100%").over("7d").number == 14
    parts = sessions.by("country").over("7d")
    assert {name: part.number for name, part in parts.items()} == {"DE": 12, "PL": 35}
    with pytest.raises(NotEnoughEvidence):
        sessions.where(device="mobile").over("7d")


def test_a_day_without_visits_has_none_of_any_value() -> None:
    world, who = alder()
    daily(who, "sessions", [9, 9, 0, 9, 9, 9, 9])
    daily(who, "sessions", [5, 5], country="PL")
    daily(who, "sessions", [5] * 4, first=27, country="PL")
    assert world.see("alder")["sessions"].where(country="PL").over("7d").number == 30
    for row in who.observations:  # then it is a hole
        row["value"] += 1_000_000 * (row["value"] == 0)
    with pytest.raises(NotEnoughEvidence):
        world.see("alder")["sessions"].where(country="PL").over("7d")


def test_a_side_is_made_of_its_channels() -> None:
    world, who = alder()
    daily(who, "sessions", [9] * 7)
    daily(who, "sessions", [5] * 7, channel="online/web")
    daily(who, "sessions", [2] * 7, channel="online/mail")
    daily(who, "sessions", [2] * 7, channel="offline/store")
    assert world.see("alder")["sessions"].where(side="online").over("7d").number == 49


def test_days_and_weeks() -> None:
    world, who = alder()
    daily(who, "sessions", [1, 2, 3, 4, 5, 6, 7])
    series = world.see("alder")["sessions"].daily("7d")
    assert [series[n] for n in range(len(series))] == [1, 2, 3, 4, 5, 6, 7]
    assert series.slope().number == 1 and series.days[0].isoformat() == "2026-06-24"
    who.reports("pageviews", 70, "2026-06-24", "2026-06-30")
    pageviews = world.see("alder")["pageviews"]
    with pytest.raises(NotEnoughEvidence, match="periods of 7 days"):
        pageviews.daily("7d")
    assert [p.value and p.value.number for p in pageviews.weekly("14d").points] == [None, 70]


def test_money_is_in_the_reporting_currency() -> None:
    world, who = alder()
    daily(who, "total", [100] * 7)
    world.rates["USD"] = 0.5
    for row in who.observations:
        row["currency"] = "USD"
    assert world.see("alder")["total"].over("7d").number == 350
    world.rates["USD"] = {"2026-06-30": 0.5}
    with pytest.raises(NotEnoughEvidence):
        world.see("alder")["total"].over("7d")


def test_what_they_declare_stays_apart() -> None:
    world, who = alder()
    daily(who, "orders", [3] * 30, first=1)
    who.declares("orders", "2026-06", 120)
    orders = world.see("alder")["orders"]
    assert orders.over("1m").number == 90
    assert orders.where(origin="declared").over("1m").number == 120
    assert dict(orders.by_origin().over("1m").items()).keys() == {"analytics", "declared"}
    who.days("orders", 4)
    told = world.see("alder")["orders"].by_origin().over("1m")
    assert {name: part.number for name, part in told.items()} == {"shop": 120, "analytics": 90, "declared": 120}


def test_other_origins_are_asked_for_by_name() -> None:
    world, who = alder()
    daily(who, "conversion_rate", [0.03], first=30, origin="benchmark", additive=False)
    rate = world.see("alder")["conversion_rate"]
    assert rate.where(origin="benchmark").over("1d").number == pytest.approx(0.03)
    with pytest.raises(NotEnoughEvidence):
        rate.over("1d")


def test_a_declared_rate_is_no_whole_number() -> None:
    world, who = alder()
    who.declares("conversion_rate", "2026-06", 0.03)
    rate = world.see("alder")["conversion_rate"].where(origin="declared")
    assert rate.over("1m").number == pytest.approx(0.03)


def test_a_rule_says_so() -> None:
    world, who = alder()
    daily(who, "sessions", [10] * 7)

    @rule(practice="informative")
    def quiet(partner: Any, *, most: int = 100) -> Any:
        """Few come."""
        if partner["sessions"].over("7d").number < most:
            yield insight("Few come")

    said = world.judge(quiet, "alder")
    assert said.verdict is True
