# SPDX-License-Identifier: Apache-2.0
"""Negotiate mutually: what is on the table against what would be best for both. All of it is confidential."""

from entente import Findings, Partner, insight, proposal, red_flag, rule


@rule(practice="negotiation", row=26, needs=("interests", "alternatives"))
def lever_moves_alone(partner: Partner, *, one_sided: float = 0.5) -> Findings:
    """The offer on the table against the best package for both; a lever that moved for one side only.

    one_sided  the smaller surplus by the larger, below which an offer is one-sided
    """
    if not partner.register("interests").open():
        return  # nothing is being negotiated
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


@rule(practice="negotiation", row=25, needs=("interests", "alternatives"))
def cheap_to_give(partner: Partner, *, least_gap: float = 0.1) -> Findings:
    """Issues that weigh more for them than for us, and that they do not have yet: begin there.

    least_gap  difference of the weights from which an issue is cheap to give
    """
    if not partner.register("interests").open():
        return  # nothing is being negotiated
    deal = partner.deal()
    offer = deal.offers.last() if deal.offers else None
    for issue, gap in deal.logroll():
        theirs = deal.interests[issue].get("them")
        if gap >= least_gap and theirs and (offer is None or theirs.value(offer[issue]) < 1):
            stands = f"; it stands at {offer[issue]}" if offer else ""
            ours = deal.weight(issue, "us")
            yield insight(
                f"{issue} is {ours + gap:.0%} of what they want and {ours:.0%} of what we do{stands}",
                key=issue,
                rank=gap,
            )


@rule(practice="negotiation", row=24, needs=("interests", "alternatives"))
def who_concedes(partner: Partner, *, times: float = 2.0, least: float = 0.1) -> Findings:
    """We give way offer by offer, and they do not.

    times  how many times more we gave up than they did
    least  what we gave up at least, of all that we could have
    """
    if not partner.register("interests").open():
        return  # nothing is being negotiated
    deal = partner.deal()
    ours, theirs = deal.offers.by("us"), deal.offers.by("them")
    if len(ours) < 2 or not theirs:  # nobody could answer yet
        return
    we = deal.utility(ours.last(len(ours))).us - deal.utility(ours.last()).us
    they = deal.utility(theirs.last(len(theirs))).them - deal.utility(theirs.last()).them
    if we >= least and we > times * they:
        yield red_flag(
            f"We gave up {we:.2f} in {len(ours)} offers, they {max(they, 0):.2f} in {len(theirs)}",
            key="concessions",
        )


@rule(practice="negotiation", row=23, needs=("agreements", "terms"))
def terms_without_measure(partner: Partner, *, most: float = 0.5) -> Findings:
    """Rates and sums that rest on no figure which both sides can see.

    most  share of such terms from which on it is worth talking about
    """
    for agreement in partner.register("agreements").active():
        paid = [term for term in agreement.terms if term.unit in ("%", "ratio", "money")]
        loose = [term.title for term in paid if not term.basis]
        if paid and len(loose) >= most * len(paid):
            yield insight(
                f"{len(loose)} of {len(paid)} terms of {agreement.name} rest on no metric: {', '.join(loose)}",
                key=agreement.id,
                about=agreement,
            )
