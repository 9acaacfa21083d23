# SPDX-License-Identifier: Apache-2.0
"""Rules that read in every way there is, for the test that a change is followed to what it reaches."""

from entente import Findings, Partner, if_known, insight, rule, unknown


@rule(practice="informative")
def sells(partner: Partner) -> Findings:
    """Reads one sum."""
    orders = partner["orders"].over("28d")
    if orders > 30:
        yield insight(f"{orders} orders", key="orders")


@rule(practice="informative")
def visited(partner: Partner) -> Findings:
    """Reads traffic alone."""
    sessions = partner["sessions"].over("28d")
    if sessions > 100:
        yield insight(f"{sessions} visits", key="visits")


@rule(practice="informative")
def customers(partner: Partner) -> Findings:
    """Reads a distinct set, whole and by channel."""
    found = partner["customers"].over("28d")
    yield insight(f"{found} customers", key="customers")
    with if_known("channels"):
        parts = partner["customers"].by("channel").over("28d")
        yield insight(f"by channel {[(key, str(value)) for key, value in parts.items()]}", key="channels")


@rule(practice="informative")
def values_of_orders(partner: Partner) -> Findings:
    """Reads a distribution."""
    yield insight(f"the median order is {partner['order_value'].median('28d')}", key="median")


@rule(practice="informative")
def days(partner: Partner) -> Findings:
    """Reads day by day, and weeks."""
    daily = partner["orders"].daily("28d")
    weeks = partner["revenue.gross"].weekly("8w")
    yield insight(f"at most {max(daily[n] for n in range(len(daily)))} a day, {weeks.median()} a week", key="days")


@rule(practice="consulting")
def against_peers(partner: Partner, *, window: str = "28d") -> Findings:
    """Reads released figures of its industry."""
    mine = partner["aov"].over(window)
    peers = partner.cohort("industry")["aov"].over(window)
    if mine < peers.quantile(0.25):
        yield insight(f"{mine} against {peers.median}, of {peers.size}", key="aov")


@rule(practice="consulting")
def distance(partner: Partner) -> Findings:
    """Reads what the cohort says to this partner alone."""
    mine = partner["orders"].over("28d")
    peers = partner.cohort("industry", or_all=True)["orders"].over("28d")
    yield insight(f"z {peers.robust_z(mine):g}, reached by {peers.share(mine)}", key="distance")


@rule(practice="consulting")
def course_of_peers(partner: Partner) -> Findings:
    """Reads changes of a cohort that widens."""
    peers = partner.cohort("industry", "region", or_all=True)["revenue.gross"].change("28d", since="56d")
    yield insight(f"peers moved by {peers.median}", key="course")


@rule(practice="pace", after=("sells", "against_peers"))
def sums_up(partner: Partner) -> Findings:
    """Reads what others found, and nothing else."""
    found = partner.findings("sells") + partner.findings("against_peers")
    if found:
        yield insight("; ".join(f.text for f in found), key="sum")


@rule(practice="trust")
def talks(partner: Partner) -> Findings:
    """Reads a register."""
    contacts = partner.register("contacts")
    if len(contacts) == 0:
        yield unknown("nobody wrote down a contact")
    else:
        yield insight(f"{len(contacts)} contacts, the last {contacts.days_since_last()} days ago", key="contacts")
