# SPDX-License-Identifier: Apache-2.0
"""Step 2, consult: where the partner stands against where it could realistically be."""

from entente import Findings, Partner, chance, if_known, insight, opportunity, rule, title, words

from ._peers import lasted


@rule(practice="consulting", row=12, audience="both", needs=("sessions", "orders"))
def conversion_trails_cohort(
    partner: Partner,
    *,
    window: str = "28d",
    quantile: float = 0.25,
    goal: float = 0.75,
    least_gap: float = 0.1,
) -> Findings:
    """Conversion is in the lowest quarter of the industry; says what reaching the best quarter would bring.

    quantile   share of the peers that may do worse
    goal       quantile of the peers that is realistic to reach
    least_gap  distance from the median peer, as a share of it, from which it is worth talking about
    """
    mine = partner["conversion_rate"].over(window)
    peers = partner.cohort("industry")["conversion_rate"].over(window)
    sessions, orders = partner["sessions"].over(window), partner["orders"].over(window)
    if mine >= peers.quantile(quantile) or mine > peers.median * (1 - least_gap):
        return
    if not chance.share_differs(orders, sessions, peers.median):
        return
    if not lasted(partner, "conversion_rate", window, -1):
        return
    reach = peers.quantile(goal)
    gain = (reach - mine) * sessions * partner["aov"].over(window)
    yield opportunity(
        f"{mine:.2%} of visits become orders; the median of {peers.size} peers is {peers.median:.2%}, "
        f"and a quarter of them reaches {reach:.2%}. Getting there would bring {gain} within {words(window)}",
        worth=gain,
        per=window,
        chart=(
            "band",
            {"here": mine, "p25": peers.quantile(0.25), "median": peers.median, "p75": peers.quantile(0.75)},
        ),
    )


@rule(practice="consulting", row=13, audience="both")
def against_industry(
    partner: Partner,
    *,
    window: str = "28d",
    unusual: float = 3.0,
    metrics: tuple[str, ...] = ("conversion_rate", "aov", "cart_abandonment", "engagement_rate"),
) -> Findings:
    """Figures that lie outside the band of the peers, and on which side.

    unusual  distance from the median, in usual distances of the peers (robust z), from which it is told
    metrics  that are compared
    """
    industry = partner.cohort("industry")
    for name in metrics:
        with if_known():
            mine = partner[name].over(window)
            peers = industry[name].over(window)
            low, high = peers.quantile(0.25), peers.quantile(0.75)
            z = peers.robust_z(mine)
            if low <= mine <= high or abs(z) < unusual:
                continue
            if not lasted(partner, name, window, 1 if z > 0 else -1):
                continue
            side = "above" if mine > high else "below"
            yield insight(
                f"The {title(name)} is {mine}, {side} the middle half of {peers.size} peers, {low} to {high}",
                key=name,
                rank=abs(z),
                chart=("band", {"here": mine, "p25": low, "median": peers.median, "p75": high}),
            )
