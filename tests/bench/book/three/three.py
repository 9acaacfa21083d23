# SPDX-License-Identifier: Apache-2.0
"""Three more rules beside the twelve, of kinds that these lack: see warm.c."""

from entente import Findings, Partner, insight, previous, rule


@rule(practice="consulting")
def lowest_quarter(partner: Partner, *, window: str = "28d", quantile: float = 0.1) -> Findings:
    """Orders are worth less than at nearly all peers."""
    mine = partner["aov"].over(window)
    peers = partner.cohort("industry")["aov"].over(window)
    if mine < peers.quantile(quantile):
        yield insight(f"{mine} an order, {peers.median} at the median of {peers.size} peers", key="aov")


@rule(practice="consulting")
def moves_with_peers(partner: Partner, *, window: str = "28d", beyond: float = 0.9) -> Findings:
    """Revenue falls much more than at the peers."""
    before = previous(window)
    mine = partner["revenue.gross"].change(window, since=before)
    peers = partner.cohort("industry", "region", or_all=True)["revenue.gross"].change(window, since=before)
    if mine < peers.median - beyond:
        yield insight(f"{mine:+.0%}, {peers.median:+.0%} at the median of {peers.size} peers", key="fall")


@rule(practice="informative")
def one_channel(partner: Partner, *, window: str = "8w", share: float = 0.9) -> Findings:
    """Nearly everything comes by one channel."""
    parts = partner["revenue.gross"].by("channel").over(window)
    largest = parts.largest()
    if largest.share > share:
        yield insight(f"{largest.share:.0%} of it comes by {largest.key}", key="channel")
