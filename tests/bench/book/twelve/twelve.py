# SPDX-License-Identifier: Apache-2.0
"""Twelve rules, the same questions that the peers of the benchmark answer: see bench_rules.c."""

from entente import Findings, Partner, insight, previous, rule

MONTH = "28d"
BEFORE = previous(MONTH)


@rule(practice="informative")
def few_orders(partner: Partner, *, least: int = 28) -> Findings:
    """Less than an order a day."""
    if partner["orders"].over(MONTH) < least:
        yield insight("few orders")


@rule(practice="informative")
def little_revenue(partner: Partner, *, least: int = 1000) -> Findings:
    """Less revenue than this."""
    if partner["revenue.net"].over(MONTH).number < least:
        yield insight("little revenue")


@rule(practice="informative")
def many_refunds(partner: Partner, *, most: float = 0.1) -> Findings:
    """Refunds are more than a tenth of revenue."""
    if partner["returns"].over(MONTH) > partner["revenue.net"].over(MONTH) * most:
        yield insight("many refunds")


@rule(practice="informative")
def small_orders(partner: Partner, *, part: float = 0.8) -> Findings:
    """Orders are smaller than the peers'."""
    if partner["aov"].over(MONTH) < partner.cohort("industry")["aov"].over(MONTH).median * part:
        yield insight("small orders")


@rule(practice="informative")
def more_refunds_than_peers(partner: Partner, *, times: float = 1.5) -> Findings:
    """A higher part comes back than at the peers."""
    if partner["refund_rate"].over(MONTH) > partner.cohort("industry")["refund_rate"].over(MONTH).median * times:
        yield insight("more refunds than peers")


@rule(practice="informative")
def same_customers(partner: Partner, *, least: float = 0.5) -> Findings:
    """The same few customers order."""
    if partner["customers"].over(MONTH) / partner["orders"].over(MONTH) < least:
        yield insight("the same customers")


@rule(practice="informative")
def few_units(partner: Partner, *, least: float = 1.2) -> Findings:
    """Few pieces an order."""
    if partner["units"].over(MONTH).number / partner["orders"].over(MONTH).number < least:
        yield insight("few units an order")


@rule(practice="informative")
def large(partner: Partner, *, times: float = 3.0) -> Findings:
    """Much more revenue than the peers."""
    if partner["revenue.net"].over(MONTH) > partner.cohort("industry")["revenue.net"].over(MONTH).median * times:
        yield insight("much more revenue than peers")


@rule(practice="informative")
def falls(partner: Partner, *, part: float = 0.7) -> Findings:
    """Revenue is well below that of the month before."""
    revenue = partner["revenue.net"]
    if revenue.over(MONTH) < revenue.over(BEFORE) * part:
        yield insight("revenue falls")


@rule(practice="informative")
def revenue_sinks(partner: Partner) -> Findings:
    """Revenue sinks day by day."""
    if partner["revenue.gross"].daily(MONTH).slope() < 0:
        yield insight("revenue sinks")


@rule(practice="informative")
def returns_rise(partner: Partner, *, least: int = 1000) -> Findings:
    """Returns rise day by day, and matter."""
    returns = partner["returns"]
    if returns.daily(MONTH).slope() > 0 and returns.over(MONTH).number > least:
        yield insight("returns rise")


@rule(practice="informative")
def single_day(partner: Partner, *, times: float = 4.0) -> Findings:
    """One day has far more revenue than the others."""
    revenue = partner["revenue.gross"]
    days = revenue.daily(MONTH).raw
    if max(days) / days.scale > times * revenue.over(MONTH).number / len(days):
        yield insight("a single day")
