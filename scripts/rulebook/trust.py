# SPDX-License-Identifier: Apache-2.0
"""Trust: what was agreed about how we work together is kept."""

from entente import Findings, Partner, if_known, red_flag, rule


@rule(practice="trust", row=41, audience="both", needs=("contacts", "issues"))
def check_ins_kept(
    partner: Partner, *, slack: float = 1.5, long: float = 3.0, issue_days: int = 14
) -> Findings:
    """Do we meet as often as we agreed, and do issues get closed?

    slack       how many times longer than agreed the last check-in may be ago
    long        from how many times on it is serious
    issue_days  how long an issue may be open
    """
    with if_known("check-ins"):
        agreed = partner.terms("check_in.every")
        since = partner.register("contacts").shared().where(kind="meeting").days_since_last()
        if agreed.since:  # nobody had to meet before it was agreed
            since = min(since, partner.today.since(agreed.since))
        if since > slack * agreed.days:
            yield red_flag(
                f"No check-in for {since} days; every {agreed.days} was agreed",
                key="cadence",
                severity="high" if since > long * agreed.days else "medium",
            )
    with if_known("open issues"):
        for issue in partner.register("issues").shared().open():
            if issue.age_days > issue_days:
                yield red_flag(
                    f"'{issue.title}' has been open for {issue.age_days} days ({issue.owner or 'nobody sees to it'})",
                    key=issue.id,
                    about=issue,
                )
