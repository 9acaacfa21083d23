# SPDX-License-Identifier: Apache-2.0
"""Don't rush: the conditions that must hold before anything is committed to."""

from entente import Findings, Partner, gate, if_known, rule, title


@rule(practice="pace", row=47, audience="us", needs=("orders",), after=("sources_disagree",))
def dont_rush(
    partner: Partner,
    *,
    least_days: int = 180,
    within: int = 90,
    least_coverage: float = 0.85,
    metrics: tuple[str, ...] = ("orders", "sessions"),
    past: tuple[str, ...] = ("signed", "proof", "management"),
) -> Findings:
    """Too little is known to sign anything: the gate is shut, and says by what.

    least_days      of sales that must be known
    least_coverage  share of the days that must be known of each of the metrics, within the last `within` days
    past            stages in which the deal is done and the gate is behind us
    """
    if partner.profile.signed_on or partner.profile.stage in past:
        return
    known = partner["orders"].observable_days()
    since = partner["orders"].known_since()
    if known < least_days:
        yield gate(
            f"Don't sign yet: sales are known for {known} days, since {since}; {least_days} are needed, "
            f"on {since + least_days} at the earliest",
            open=False,
            key="history",
        )
    for name in metrics:
        with if_known():
            start = max(partner[name].known_since(), partner.today + (1 - within))
            there = partner[name].observable_days(since=start) / (partner.today.since(start) + 1)
            if there < least_coverage:
                yield gate(
                    f"Don't sign yet: {title(name)} are known for {there:.0%} of the days since {start}",
                    open=False,
                    key=("coverage", name),
                )
    for flag in partner.findings("sources_disagree"):
        if flag.kind == "red_flag":
            yield gate(f"Don't sign yet: {flag.text}", open=False, key=("contradiction", flag.key))
