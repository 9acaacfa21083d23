# SPDX-License-Identifier: Apache-2.0
"""Realistic expectations: what was set as a goal, and when it will really be reached."""

from entente import Findings, Partner, if_known, insight, rule


@rule(practice="expectations", row=52, audience="both", needs=("milestones",))
def realistic_dates(
    partner: Partner, *, sure: float = 0.8, usual_window: str = "28d", within_days: int = 365
) -> Findings:
    """When will each milestone really be reached?

    sure          the chance from which a date is realistic
    usual_window  the span of a milestone that names none
    within_days   how long after its due day a realistic one is looked for
    """
    for m in partner.register("milestones").shared().open():
        with if_known(m.title):
            until = max(m.due, partner.today) + within_days
            course = m.measure.forecast(until=until, over=m.window or usual_window)
            chance = course.chance(at_least=m.value, by=m.due)
            if chance >= sure:
                continue
            realistic = "no realistic day can be foretold yet"
            with if_known(f"the day of {m.title}"):
                date = course.first_day(at_least=m.value, chance=sure)
                realistic = f"{date} is realistic" if date else f"it is not realistic before {until} either"
            yield insight(
                f"{m.title}: {chance:.0%} by {m.due}; {realistic}", key=m.id, rank=1 - chance, about=m
            )
