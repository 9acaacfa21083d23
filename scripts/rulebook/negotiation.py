# SPDX-License-Identifier: Apache-2.0
"""Negotiate mutually: what is on the table against what would be best for both. All of it is confidential."""

from entente import Findings, Partner, proposal, red_flag, rule


@rule(practice="negotiation", row=26, needs=("interests", "alternatives"))
def lever_moves_alone(partner: Partner, *, one_sided: float = 0.5) -> Findings:
    """The offer on the table against the best package for both; a lever that moved for one side only.

    one_sided  the smaller surplus by the larger, below which an offer is one-sided
    """
    deal = partner.deal()
    best = deal.nash()
    if best is None:
        yield red_flag("No package beats both sides' alternatives", key="no zone", severity="high")
        return
    if not deal.offers:
        yield proposal(f"No offer yet; to begin with: {best.summary()}", key="best", package=best)
        return
    offer = deal.offers.last()
    ours, theirs = deal.surplus(offer)
    if min(ours, theirs) < one_sided * max(ours, theirs) or max(ours, theirs) <= 0:
        yield red_flag(
            f"The offer of {offer.day} gives us {ours:.2f} and them {theirs:.2f} above the alternative",
            key="one-sided",
            severity="high" if min(ours, theirs) < 0 else "medium",
        )
    if len(deal.offers) > 1:
        for lever in ("money", "time", "rights", "risk"):
            mine, other = deal.moved(lever, deal.offers.last(2), offer)
            if bool(mine) != bool(other):
                yield red_flag(
                    f"{lever.capitalize()} moved for one side alone: {mine:+.2f} for us, {other:+.2f} for them",
                    key=lever,
                )
    if best != offer:
        yield proposal(best.summary(against=offer), key="best", package=best)
