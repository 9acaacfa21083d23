# SPDX-License-Identifier: Apache-2.0
"""Vectorized rules, for the test that a change is followed to what it reaches."""

from entente import Findings, if_known, insight, previous, rule, unknown
from entente.columns import Columns


@rule(practice="informative", vectorized=True)
def stands_out(cohort: Columns, *, window: str = "28d", far: float = 1.0) -> Findings:
    """Orders far from what is usual."""
    orders = cohort["orders"].over(window)
    for partner, z in orders.robust_z().items():
        if abs(z) > far:
            yield insight(f"{orders[partner]} orders, {z:.3g} usual distances", partner=partner, key="z")


@rule(practice="informative", vectorized=True)
def best_of_industry(cohort: Columns) -> Findings:
    """The most revenue of each industry, and its best day."""
    for industry, group in cohort.by("industry"):
        revenue = group["revenue.gross"].over("28d")
        change = group["revenue.gross"].change("28d", since=previous("28d"))
        days = group["orders"].daily("28d")
        with if_known(f"anybody in {industry}"):
            top = max(revenue.items(), key=lambda item: (item[1], item[0]))[0] if revenue.values() else ""
            if top:
                yield insight(
                    f"first of {sum(revenue.known)}, median {revenue.median()}, best day {max(days[top])}",
                    partner=top,
                )
        for partner in group.where(change.missing):
            yield unknown("no change", partner=partner, key="change")


@rule(practice="informative", vectorized=True)
def silent(cohort: Columns) -> Findings:
    """Visits, which few have."""
    sessions = cohort["sessions"].over("28d")
    for partner, visits in sessions.items():
        if visits * 2 < sessions.median():
            yield insight(f"{visits} visits", partner=partner)
