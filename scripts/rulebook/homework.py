# SPDX-License-Identifier: Apache-2.0
"""Homework: what to know of a partner before anything is built on it."""

from entente import Findings, Partner, if_known, insight, red_flag, rule


@rule(practice="homework", row=36, audience="us", needs=("revenue.net", "books"))
def financial_health(
    partner: Partner,
    *,
    window: str = "1y",
    swings: float = 0.9,
    least_swing: float = 0.15,
    worst_hhi: float = 0.25,
    worst_refunds: float = 0.15,
    worst_days: int = 45,
    bad_grades: str = "DE",
) -> Findings:
    """A grade of the partner's financial health from what is known; names what is not.

    swings         quantile of the peers above which revenue swings too much
    least_swing    usual distance of a month from the course that nobody minds
    worst_hhi      concentration of customers (Herfindahl-Hirschman) from which few carry it
    worst_refunds  share of goods sold that may be returned
    worst_days     in which nine of ten orders should be paid
    bad_grades     that are a red flag
    """
    bad, known = [], 0
    sales = partner["revenue.net"].monthly(window)
    with if_known("the course of revenue"):
        trend = sales.trend()
        known += 1
        if trend.high < 0:
            bad.append(f"revenue falls by {-trend.rate:.0%} a year")
    with if_known("how much revenue swings"):
        peers = partner.cohort("industry")["revenue.net"].monthly(window).volatility()
        swing = sales.volatility()
        known += 1
        if swing > least_swing and swing > peers.quantile(swings):
            bad.append(f"revenue swings by {swing:.0%}, more than at {swings:.0%} of peers")
    with if_known("concentration of customers"):
        hhi = partner["revenue.net"].by("customer").over(window).hhi()
        known += 1
        if hhi > worst_hhi:
            bad.append(f"few customers carry it (HHI {hhi:.2f})")
    with if_known("refunds"):
        refunds = partner["refund_rate"].over(window)
        known += 1
        if refunds > worst_refunds:
            bad.append(f"{refunds:.0%} of the goods are returned")
    with if_known("days to paid"):
        days = partner["days_to_paid"].quantile(window, 0.9)
        known += 1
        if days > worst_days:
            bad.append(f"one in ten pays after {days}")
    with if_known("declared books"):
        z = partner.declared("books").altman_z()
        known += 1
        if z.zone == "distress":
            bad.append(f"Altman's Z' is {z:.1f}, as of firms that went bankrupt")
    if not known:
        return
    grade = "ABCDE"[min(4, len(bad))]
    said = f"Financial health {grade} from {known} of 6 signs" + (f": {'; '.join(bad)}" if bad else "")
    if grade in bad_grades:
        yield red_flag(said, key="grade", confidence=known / 6)
    else:
        yield insight(said, key="grade", confidence=known / 6)
