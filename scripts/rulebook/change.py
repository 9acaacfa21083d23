# SPDX-License-Identifier: Apache-2.0
"""Markets evolve: when to talk about an agreement again."""

from entente import Findings, Partner, if_known, proposal, rule, title


@rule(practice="change", row=54, needs=("agreements", "terms"), after=("value_is_proven",))
def time_to_renegotiate(
    partner: Partner, *, least_shift: float = 0.15, p: float = 0.01, before_days: int = 400
) -> Findings:
    """The basis of a term is no longer what it was when it was signed.

    least_shift  by which share its level must have changed
    p            how likely a steady course may look like that
    before_days  how far before the agreement its level is looked at: more than a year, so that seasons are known
    """
    for agreement in partner.register("agreements").active():
        for term in agreement.terms.with_basis():
            with if_known(term.title):
                course = term.measure.weekly(since=agreement.starts - before_days)
                shift = course.shift(after=agreement.starts)
                if shift and shift.p <= p and abs(shift.ratio - 1) >= least_shift:
                    yield proposal(
                        f"{term.title} rests on {title(term.basis)}, {shift.ratio - 1:+.0%} since {shift.day}",
                        key=(agreement.id, term.id),
                        reopens=term,
                        see=partner.findings("value_is_proven", key=agreement.id),
                    )
