# SPDX-License-Identifier: Apache-2.0
"""Step 2, consult: where the partner stands against where it could realistically be."""

from entente import Findings, Partner, chance, if_known, insight, opportunity, rule, spread, title, words

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


@rule(practice="consulting", row=14, audience="both", needs=("sessions", "load_time", "orders"))
def faster_site(
    partner: Partner,
    *,
    window: str = "90d",
    to_seconds: float = 2.0,
    least_sessions: int = 5000,
    believed: str = "conversion_per_second",
    most: float = 0.5,
) -> Findings:
    """What the same visitors would buy if pages loaded faster.

    to_seconds      that a page may take
    least_sessions  from which the partner's own visits say how much each second costs
    believed        the prior: by what share conversion rises for each second less
    most            share of what is sold that faster pages may bring; who promises more is not believed
    """
    now = partner["load_time"].median(window)
    if now <= to_seconds:
        return
    sessions = partner["sessions"].by("load_time").over(window)
    per_second = partner.prior(believed)
    bought = partner["conversion_rate.analytics"]
    if sessions.total >= least_sessions:
        rate = bought.by("load_time").over(window)
        visits = [sessions[key] for key in rate]
        per_second = -spread.slope(x=rate.midpoints, y=rate.values, weight=visits, prior=-per_second)
    sold = sessions.total * bought.over(window) * partner["aov"].over(window)
    gain = (sold * per_second * (now.number - to_seconds)).capped(sold * most)
    if gain.p50 <= 0:
        return
    yield opportunity(
        f"Half of the visits wait more than {now} for a page. At {to_seconds:g} s they would buy for {gain.p50} more "
        f"within {words(window)}, between {gain.p10} and {gain.p90}",
        worth=gain,
        per=window,
    )
