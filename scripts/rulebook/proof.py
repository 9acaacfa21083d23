# SPDX-License-Identifier: Apache-2.0
"""Prove value: what the partnership really added."""

from entente import Findings, Partner, insight, rule, unknown


@rule(practice="proof", row=29, audience="both", needs=("agreements",))
def value_is_proven(
    partner: Partner,
    *,
    metric: str = "revenue.net",
    before: str = "180d",
    least_after_days: int = 90,
    p: float = 0.1,
) -> Findings:
    """What the partnership added, against partners like it that had none.

    metric            what is to have grown
    before            days before the agreement in which the peers are matched with the partner
    least_after_days  an agreement younger than this says nothing yet
    p                 share of the peers that may have moved as far without any agreement
    """
    for agreement in partner.register("agreements").active():
        if partner.today.since(agreement.starts) < least_after_days:
            yield unknown(
                f"{agreement.name} is too young",
                key=agreement.id,
                decides_on=agreement.starts + least_after_days,
            )
            continue
        effect = partner.cohort("industry", without_agreement=True).control(
            partner[metric], event=agreement.starts, before=before
        )
        if (effect.size + 1) * p < 1:
            yield unknown(
                f"{agreement.name}: {effect.size} peers are too few to tell an effect from chance",
                key=agreement.id,
            )
            continue
        promised = agreement.promise(metric)
        share = ""
        if promised:
            share = f", {effect.share_of(promised, per=agreement.window or '365d'):.0%} of what was promised until now"
        if effect.placebo_p <= p and (effect.low > 0 or effect.high < 0):
            said = "added" if effect.total > 0 else "cost"
            yield insight(
                f"{agreement.name} {said} {abs(effect.total)} in {effect.weeks} weeks "
                f"(from {effect.low} to {effect.high}){share}",
                key=agreement.id,
                chart=effect,
            )
        else:
            yield insight(
                f"{agreement.name}: no effect that chance could not make in {effect.weeks} weeks{share}",
                key=agreement.id,
                chart=effect,
            )
