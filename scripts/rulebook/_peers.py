# SPDX-License-Identifier: Apache-2.0
"""What several rules ask of the peers."""

from entente import NotEnoughEvidence, Partner, previous


def lasted(partner: Partner, metric: str, window: str, side: int, least_z: float = 1.5) -> bool:
    """Whether the partner stood on that side of its peers (+1 above, -1 below) in the window before, too, so
    that a single odd month is no news. Where that is not known, one window must do."""
    before = previous(window)
    try:
        peers = partner.cohort("industry")[metric].over(before)
        return side * peers.robust_z(partner[metric].over(before)) >= least_z
    except NotEnoughEvidence:
        return True
