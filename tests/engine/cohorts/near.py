# SPDX-License-Identifier: Apache-2.0
"""Cohorts that differ by one partner, of which neither rule knows the other's."""

from entente import Findings, Partner, insight, rule


@rule(practice="informative")
def of_the_industry(partner: Partner) -> Findings:
    """What the industry has."""
    peers = partner.cohort("industry")["orders"].over("28d")
    yield insight(f"{peers.cohort}: {peers.size}, {peers.median}")


@rule(practice="informative")
def of_the_club(partner: Partner) -> Findings:
    """What the club has: all of the industry but one."""
    peers = partner.cohort("club")["orders"].over("28d")
    yield insight(f"{peers.cohort}: {peers.size}, {peers.median}")
