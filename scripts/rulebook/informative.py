# SPDX-License-Identifier: Apache-2.0
"""Step 1, give: what we can tell a partner about itself that it does not know, or not so well."""

from datetime import datetime

from entente import (
    Findings,
    Partner,
    ask,
    chance,
    if_known,
    insight,
    metrics,
    money,
    opportunity,
    previous,
    red_flag,
    rule,
    unknown,
    words,
)

from ._peers import lasted

MOST_Z = 10  # a distance beyond this is no more unusual: one at 0, where all peers are at 0, would rank before all else


@rule(practice="informative", row=3, audience="both", needs=("revenue.net", "told"))
def worth_telling(
    partner: Partner, *, window: str = "90d", top: int = 5, least_z: float = 1.5, told_within: str = "180d"
) -> Findings:
    """What is unusual about this partner, touches much of its revenue, and was not told yet.

    top          how many are told, those that touch most first
    least_z      usual distances from the median of the peers from which it is unusual
    told_within  what the register `told` has of these days is not told again
    """
    cohort, told = partner.cohort("industry"), partner.register("told")
    revenue = partner["revenue.net"].over(window)
    found = []
    for measure in partner.measures(metrics.tagged("briefing"), by=("channel", "category")):
        with if_known(measure.label):
            mine = measure.over(window)
            peers = cohort.of(measure).over(window)
            touched = partner["revenue.net"].where(**measure.slice).over(window) / revenue
            z = peers.robust_z(mine)
            if abs(z) >= least_z and not told.any(about=measure.label, since=told_within):
                score = min(abs(z), MOST_Z) * touched.number * mine.coverage
                found.append((score, measure, mine, peers))
    for score, measure, mine, peers in sorted(found, key=lambda one: one[0], reverse=True)[:top]:
        yield insight(
            f"{measure.title.capitalize()}: {mine} within {words(window)}, where the median of {peers.size} peers is {peers.median}",
            key=measure.label,
            rank=score,
        )


@rule(practice="informative", row=5, audience="both", needs=("revenue.net", "orders"))
def revenue_falls(
    partner: Partner,
    *,
    window: str = "8w",
    steep: float = 0.25,
    beyond_peers: float = 0.15,
    least_orders: int = 30,
    side: str = "",
) -> Findings:
    """Revenue falls steeply against the period before, and more than at the peers.

    steep         least fall against the window before
    beyond_peers  by how much more than the median peer it must fall
    least_orders  in the window before; with fewer, a fall says nothing
    side          "online" to look at online sales alone
    """
    revenue, orders = partner["revenue.net"], partner["orders"]
    if side:
        revenue, orders = revenue.where(side=side), orders.where(side=side)
    before = previous(window)
    was, now = orders.over(before), orders.over(window)
    if was < least_orders:
        yield unknown(f"{was} orders in {words(before)} are too few to call a change of revenue a course")
        return
    earlier = revenue.over(before)
    change = revenue.over(window) / earlier - 1
    if change > -steep or not chance.counts_differ(now, was):
        return
    against = "; there are no peers to compare it with"
    with if_known("how the peers did"):
        peers = partner.cohort("industry", or_all=True).of(revenue).change(window, since=before)
        if change > peers.median - beyond_peers:
            return
        moved = "hardly moved" if abs(peers.median) < 0.01 else f"moved by {peers.median:+.0%}"
        against = f"; at the median of {peers.size} peers it {moved}"
    yield red_flag(
        f"Revenue of the last {words(window)} is {revenue.over(window)}, {-change:.0%} less than the "
        f"{earlier} of {words(before)}{against}",
        severity="high" if change < -1.5 * steep else "medium",
        worth=-change * earlier,
        per=window,
        chart=("bars", {words(before): earlier, f"the last {words(window)}": revenue.over(window)}),
    )


@rule(practice="informative", row=6, audience="both", needs=("carts.left", "orders"))
def carts_leak(
    partner: Partner, *, window: str = "28d", quantile: float = 0.75, least_gap: float = 0.05
) -> Findings:
    """More carts are left than at most peers; says at which step and what it is worth.

    quantile   share of the peers that must do better
    least_gap  distance from the median peer, as a share of all carts, from which it is worth talking about
    """
    rate = partner["cart_abandonment"].over(window)
    peers = partner.cohort("industry")["cart_abandonment"].over(window)
    left, orders = partner["carts.left"].over(window), partner["orders"].over(window)
    if rate <= peers.quantile(quantile) or rate < peers.median + least_gap:
        return
    if not chance.share_differs(left, left + orders, peers.median):
        return
    if not lasted(partner, "cart_abandonment", window, 1):
        return
    where = ""
    with if_known("the step at which carts are left"):
        step = partner["carts.left"].by("step").over(window).largest()
        where = f", most of them at {step.key} ({step.share:.0%})"
    value = partner["carts.left_value"].over(window)
    kept = value * (1 - peers.median / rate)
    yield opportunity(
        f"{rate:.0%} of carts are left, {peers.median:.0%} at the median of {peers.size} peers{where}. Of {value} "
        f"that stood in them within {words(window)}, {kept} would have been bought there",
        worth=kept,
        per=window,
    )


@rule(practice="informative", row=7, audience="both", needs=("sessions", "orders"))
def visits_convert(
    partner: Partner,
    *,
    window: str = "28d",
    most_unidentified: float = 0.4,
    least_seen: float = 0.6,
    most_seen: float = 1.15,
) -> Findings:
    """How many came, how many bought, and whether these figures may be compared with the peers' at all.

    most_unidentified      share of visits without a known visitor from which visitors are not to be trusted
    least_seen, most_seen  purchases that analytics sees for each order: outside, they count other things
    """
    sessions, orders = partner["sessions"].over(window), partner["orders"].over(window)
    rate = partner["conversion_rate"].over(window)
    doubts = []
    with if_known("visits without a known visitor"):
        gap = partner["consent_gap"].over(window)
        if gap > most_unidentified:
            doubts.append(f"{gap:.0%} of the visits carry no visitor, so that people are counted too low")
    with if_known("purchases as analytics sees them"):
        purchases = partner["purchases"].over(window)
        if orders and chance.counts_differ(purchases, orders):
            seen = purchases / orders
            if not least_seen <= seen <= most_seen:
                doubts.append(f"analytics sees {purchases} purchases where the shop has {orders} orders")
    who = ""
    with if_known("visitors"):
        visitors = partner["visitors"].over(window)
        who = f" of {visitors} people" if visitors else ""
    peers_say = ""
    with if_known("conversion of the peers"):
        peers = partner.cohort("industry")["conversion_rate"].over(window)
        peers_say = f", {peers.median:.2%} at the median of {peers.size} peers"
    yield insight(
        f"{sessions} visits{who} within {words(window)} became {orders} orders: {rate:.2%}{peers_say}",
        key="funnel",
        chart=("funnel", {"visits": sessions, "orders": orders}),
    )
    if doubts:
        yield insight(f"Compare visits and conversion with care: {'; '.join(doubts)}", key="comparability")


@rule(practice="informative", row=9, audience="us", needs={"orders": "agent customer"})
def agents_keep_their_pay(
    partner: Partner, *, window: str = "365d", half_life_days: int = 180, least_drop: float = 0.05
) -> Findings:
    """Would any field agent earn less once their customers order online?

    Three schemes, by what is paid for orders of the window, are held against what agents earned in the window before: last
    touch pays who wrote the order; customer of record pays who sold to the customer first, also for orders online; decay pays
    who wrote the customer's last order, the less the longer ago that is.

    half_life_days  after which decay pays half
    least_drop      share of what an agent earned from which it is less
    """
    rates = partner.terms("commission.rate")
    sold = ["sold", "pending"]
    earlier = partner.facts("order", previous(window)).where(status=sold)
    orders = partner.facts("order", window).where(status=sold).by_time()
    zero = money(0, partner)
    floor = {a: rates.amount(net, agent=a) for a, net in earlier.sum("net", by="agent").items() if a}
    if not floor:
        yield unknown(
            f"no order of {words(previous(window))} names an agent", ask=ask("orders", field="agent")
        )
        return
    keeper: dict[str, str] = {}
    seen: dict[str, tuple[str, datetime]] = {}
    for o in earlier.rows("at", "customer", "agent"):
        if o.agent and o.customer:
            keeper.setdefault(o.customer, o.agent)
            seen[o.customer] = (o.agent, o.at)
    last_touch, of_record, decaying = (dict.fromkeys(floor, zero) for _ in range(3))
    for o in orders.rows("at", "customer", "agent", "net"):
        if o.agent:
            last_touch[o.agent] = last_touch.get(o.agent, zero) + o.net
        if o.agent and o.customer:
            keeper.setdefault(o.customer, o.agent)
            seen[o.customer] = (o.agent, o.at)
        of = keeper.get(o.customer) if o.customer else o.agent
        if of:
            of_record[of] = of_record.get(of, zero) + o.net
            agent, at = seen[o.customer] if o.customer else (o.agent, o.at)
            thousandths = round(1000 * 0.5 ** ((o.at - at).days / half_life_days))
            decaying[agent] = decaying.get(agent, zero) + thousandths * o.net
    decaying = {agent: net / 1000 for agent, net in decaying.items()}
    for scheme, basis in (("last touch", last_touch), ("customer of record", of_record), ("decay", decaying)):
        pay = {agent: rates.amount(net, agent=agent) for agent, net in basis.items()}
        short = {a: f - pay[a] for a, f in floor.items() if pay[a] < (1 - least_drop) * f}
        if short:
            lost = sum(short.values(), zero)
            yield red_flag(
                f"Under {scheme}, {len(short)} of {len(floor)} agents earn less, {lost} in all",
                key=scheme,
                worth=lost,
                per=window,
                rows=orders.where(agent=list(short)),
            )
        else:
            yield insight(f"Under {scheme} no agent earns less than in {words(previous(window))}", key=scheme)
