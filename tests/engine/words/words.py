# SPDX-License-Identifier: Apache-2.0
"""Rules in the newer words of the vocabulary, for the test that a change is followed to what it reaches."""

from entente import Findings, Partner, if_known, insight, rule


@rule(practice="informative")
def course(partner: Partner) -> Findings:
    """Reads a course: trend, volatility, shift, forecast, baseline."""
    weeks = partner["orders"].weekly("12w")
    with if_known("trend"):
        trend = weeks.trend()
        yield insight(f"{trend.rate} {trend.low} {trend.high}", key="trend")
    with if_known("volatility"):
        yield insight(f"{weeks.volatility()}", key="volatility")
    with if_known("shift"):
        shift = weeks.shift(after=partner.today + -30)
        yield insight(f"{shift and (shift.p, shift.day)}", key="shift")
    with if_known("baseline"):
        yield insight(f"{partner['orders'].baseline('28d').value}", key="baseline")
    with if_known("forecast"):
        forecast = partner["revenue.gross"].forecast(until=partner.today + 28, over="28d")
        yield insight(f"{forecast.at(partner.today + 28).p50}", key="forecast")


@rule(practice="informative")
def single_facts(partner: Partner) -> Findings:
    """Reads single orders."""
    orders = partner.facts("order", "28d")
    yield insight(f"{len(orders)} orders, {len(orders.where(channel='web'))} of the web", key="orders")


@rule(practice="consulting")
def shares_of_peers(partner: Partner) -> Findings:
    """Reads released figures of several kinds."""
    cohort = partner.cohort("industry", or_all=True)
    with if_known("same measure"):
        web = cohort.of(partner["orders"].where(channel="web")).over("28d")
        yield insight(f"{web.median} of {web.size}", key="of")
    with if_known("steadiness"):
        yield insight(f"{cohort['orders'].monthly('6m').volatility().median}", key="volatility")
    with if_known("parts"):
        parts = cohort["orders"].by("channel").over("28d").shares()
        yield insight(f"{parts.median}", key="parts")
    with if_known("same age"):
        yield insight(f"{cohort.at_same_age('orders', '28d').median}", key="age")


@rule(practice="informative")
def known(partner: Partner) -> Findings:
    """Reads what is known, and not what it is."""
    orders = partner["orders"]
    yield insight(f"{orders.coverage('90d')} {orders.observable_days()}", key="days")
    if orders.is_known():
        yield insight(f"{orders.known_since()} to {orders.known_until()}", key="span")


@rule(practice="informative")
def together(partner: Partner) -> Findings:
    """Reads many metrics at once, and what is declared."""
    with if_known("declared"):
        yield insight(f"{partner.declared('books').year}", key="books")
    with if_known("origins"):
        yield insight(f"{partner['orders'].by_origin().over('28d').total}", key="origins")
