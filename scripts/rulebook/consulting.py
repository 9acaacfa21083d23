# SPDX-License-Identifier: Apache-2.0
"""Step 2, consult: where the partner stands against where it could realistically be."""

from entente import (
    Findings,
    Partner,
    ask,
    chance,
    if_known,
    insight,
    money,
    opportunity,
    previous,
    ratio,
    rule,
    spread,
    title,
    unknown,
    words,
)

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
        assumes=f"{per_second:.1%} more buy for each second less",
    )


@rule(practice="consulting", row=10, audience="both", needs=("orders",))
def online_growth_is_new(
    partner: Partner, *, window: str = "180d", least_identified: float = 0.8
) -> Findings:
    """How much of the online growth came from offline sales of the same customers.

    least_identified  share of orders that must name their customer, now and before
    """
    sold = ["sold", "pending"]
    orders = partner.facts("order", window).where(status=sold)
    earlier = partner.facts("order", previous(window)).where(status=sold)
    if min(orders.filled("customer"), earlier.filled("customer")) < least_identified:
        yield unknown("Too many orders carry no customer", ask=ask("orders", field="customer"))
        return
    now, was = (t.sum("net", by=("customer", "side")) for t in (orders, earlier))
    known, zero = set(was.keys(0)), money(0, partner)
    new = extra = moved = zero
    for customer in now.keys(0):
        rise = now[customer, "online"] - was[customer, "online"]
        fall = max(zero, was[customer, "offline"] - now[customer, "offline"])
        if customer is None or rise <= zero:
            continue
        if customer not in known:
            new += rise
        else:
            shifted = min(rise, fall)
            moved += shifted
            extra += rise - shifted
    total = new + extra + moved
    if total > zero:
        yield insight(
            f"Of {total} that customers bought more online than in {words(previous(window))}, {new / total:.0%} is of new "
            f"customers, {extra / total:.0%} extra, {moved / total:.0%} moved from offline",
            chart=("waterfall", {"new": new, "extra": extra, "moved": moved}),
        )


@rule(practice="consulting", row=17, audience="both", needs=("revenue.net",))
def missing_mix(
    partner: Partner,
    *,
    window: str = "365d",
    least_peer_share: float = 0.03,
    most_unmapped: float = 0.1,
    hardly: float = 0.3,
) -> Findings:
    """Categories that peers live from and this partner hardly sells.

    least_peer_share  of the revenue of the median peer
    most_unmapped     share of revenue without a category from which nothing can be said
    hardly            share of the peers' share below which it is hardly sold
    """
    mine = partner["revenue.net"].by("category").over(window)
    if mine.share(None) > most_unmapped:
        yield unknown(f"{mine.share(None):.0%} of revenue has no category", ask=ask("map", name="categories"))
        return
    peers = partner.cohort("industry")["revenue.net"].by("category").over(window).shares()
    affinity = partner.affinity("category", window)
    for category, share in peers.median.items():
        if share >= least_peer_share and mine.share(category) < hardly * share:
            gap = (share - mine.share(category)) * min(affinity.of(category), ratio(1))
            yield opportunity(
                f"{category}: {mine.share(category):.1%} of revenue, {share:.1%} at the median of {peers.size} peers",
                key=category,
                worth=mine.total * gap,
                per=window,
            )
