# SPDX-License-Identifier: Apache-2.0
"""Rules that read single facts, and views that no cell keeps, for the test that a change is followed to what it reaches."""

from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def who_sold(partner: Partner) -> Findings:
    """Reads orders one by one."""
    orders = partner.facts("order", "28d").where(status="sold")
    by_agent = {agent: str(total) for agent, total in sorted(orders.sum("net", by="agent").items())}
    yield insight(f"{len(orders)} orders, {by_agent}", key="agents")


@rule(practice="informative")
def few_buy_much(partner: Partner) -> Findings:
    """Reads a view that no cell keeps."""
    bought = partner["revenue.net"].by("customer").over("28d")
    yield insight(f"{len(bought)} customers, {bought.hhi():.4f}, {bought.share(None):.4f}", key="hhi")


@rule(practice="informative")
def visits_one_by_one(partner: Partner) -> Findings:
    """Reads visits one by one."""
    visits = partner.facts("visit", "28d")
    yield insight(f"{len(visits)} visits of {len(visits.count('visitor'))}", key="visits")
