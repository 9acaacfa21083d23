# SPDX-License-Identifier: Apache-2.0
"""The twelve rules of the benchmark's reference job, in Entente's words: see tests/bench/judged.py, which compares."""

from entente import Findings, Partner, insight, previous, rule

MONTH = "28d"
BEFORE = previous(MONTH)


@rule(practice="informative")
def few_orders(partner: Partner, *, least: int = 28) -> Findings:
    """Less than an order a day."""
    if partner["orders.placed"].over(MONTH) < least:
        yield insight("few orders")


@rule(practice="informative")
def little_revenue(partner: Partner, *, least: int = 1000) -> Findings:
    """Less revenue than this."""
    if partner["total.placed"].over(MONTH).number < least:
        yield insight("little revenue")


@rule(practice="informative")
def many_refunds(partner: Partner, *, most: float = 0.1) -> Findings:
    """Refunds are more than a tenth of revenue."""
    if partner["refunds"].over(MONTH) > partner["total.placed"].over(MONTH) * most:
        yield insight("many refunds")


@rule(practice="informative")
def small_orders(partner: Partner, *, part: float = 0.8) -> Findings:
    """Orders are smaller than the peers'."""
    if partner["order_total"].over(MONTH) < partner.cohort("industry")["order_total"].over(MONTH).median * part:
        yield insight("small orders")


@rule(practice="informative")
def more_refunds_than_peers(partner: Partner, *, times: float = 1.5) -> Findings:
    """A higher part comes back than at the peers."""
    peers = partner.cohort("industry")["refund_share"].over(MONTH)
    if partner["refund_share"].over(MONTH) > peers.median * times:
        yield insight("more refunds than peers")


@rule(practice="informative")
def same_customers(partner: Partner, *, part: float = 0.9) -> Findings:
    """Fewer customers to an order than at the peers. Days are united: a customer of two days is one."""
    peers = partner.cohort("industry")
    usual = peers["customers"].over(MONTH).median / peers["orders.placed"].over(MONTH).median
    if partner["customers"].over(MONTH) / partner["orders.placed"].over(MONTH) < usual * part:
        yield insight("the same customers")


@rule(practice="informative")
def few_units(partner: Partner, *, part: float = 0.9) -> Findings:
    """Fewer pieces to an order than at the peers."""
    peers = partner.cohort("industry")["units_per_order"].over(MONTH)
    if partner["units_per_order"].over(MONTH) < peers.median * part:
        yield insight("few units an order")


@rule(practice="informative")
def large(partner: Partner, *, times: float = 3.0) -> Findings:
    """Much more revenue than the peers."""
    if partner["total.placed"].over(MONTH) > partner.cohort("industry")["total.placed"].over(MONTH).median * times:
        yield insight("much more revenue than peers")


@rule(practice="informative")
def falls(partner: Partner, *, part: float = 0.7) -> Findings:
    """Revenue is well below that of the month before."""
    revenue = partner["total.placed"]
    if revenue.over(MONTH) < revenue.over(BEFORE) * part:
        yield insight("revenue falls")


@rule(practice="informative")
def revenue_sinks(partner: Partner) -> Findings:
    """Revenue sinks day by day."""
    if partner["total.placed"].daily(MONTH).slope() < 0:
        yield insight("revenue sinks")


@rule(practice="informative")
def refunds_rise(partner: Partner, *, least: int = 1000) -> Findings:
    """Refunds rise day by day, and matter."""
    refunds = partner["refunds"]
    if refunds.daily(MONTH).slope() > 0 and refunds.over(MONTH).number > least:
        yield insight("refunds rise")


@rule(practice="informative")
def single_day(partner: Partner, *, times: float = 4.0) -> Findings:
    """One day has far more revenue than the others."""
    revenue = partner["total.placed"]
    days = revenue.daily(MONTH).raw
    if max(days) / days.scale > times * revenue.over(MONTH).number / len(days):
        yield insight("a single day")
