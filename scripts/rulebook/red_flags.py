# SPDX-License-Identifier: Apache-2.0
"""Red flags, to be talked about head-on: what does not fit together, and who loses interest."""

import itertools
import math

from entente import (
    Findings,
    Partner,
    Period,
    Quantity,
    Register,
    ask,
    chance,
    ending,
    if_known,
    insight,
    middle,
    previous,
    red_flag,
    rule,
    title,
    unknown,
    words,
)


@rule(practice="red_flags", row=48, audience="both", needs=("revenue.gross",))
def sources_disagree(
    partner: Partner,
    *,
    months: int = 6,
    tolerance: float = 0.12,
    analytics_tolerance: float = 0.3,
    least_months: int = 2,
    metrics: tuple[str, ...] = ("revenue.gross", "orders"),
    checks: tuple[str, ...] = ("lines_against_total", "swapped_dates", "gap", "duplicates"),
) -> Findings:
    """Shop, analytics and what was declared tell different numbers for the same months, or the orders contradict themselves.

    tolerance            share by which two of them may differ
    analytics_tolerance  the same where analytics is one of them: without consent it sees less
    least_months         how many months must differ before it is more than a slip
    checks               tests of the orders themselves, see docs/findings.md
    """
    for name in metrics:
        apart: list[tuple[str, str, Period, Quantity, Quantity]] = []
        for month in partner.months(months):
            with if_known():
                told = partner[name].by_origin().over(month)
                few = 1 / math.sqrt(max(partner["orders"].over(month).number, 1))
                for (a, x), (b, y) in itertools.combinations(told.items(), 2):
                    # Which orders analytics misses is chance, and weighs the more the fewer there are.
                    allowed = analytics_tolerance + few if "analytics" in (a, b) else tolerance
                    if abs(x - y) > allowed * max(x, y) and (name != "orders" or chance.counts_differ(x, y)):
                        apart.append((a, b, month, x, y))
        wrong = {row[2] for row in apart}
        if len(wrong) >= least_months:
            a, b, month, x, y = max(apart, key=lambda row: abs(row[3] - row[4]))
            yield red_flag(
                f"{title(name).capitalize()}: in {len(wrong)} of {months} months what we are told does not "
                f"fit together; in {month} {a} says {x}, {b} says {y}",
                key=name,
                severity="high" if 2 * min(x, y) < max(x, y) else "medium",
                rows=partner[name].by_origin().over(month).differing_rows(),
                chart=("bars", {str(when): abs(p - q) for _, _, when, p, q in apart}),
            )
    if checks and partner["orders"].where(origin="shop").is_known():
        with if_known("tests of the orders"):
            for check in partner.integrity(*checks):
                yield red_flag(check.text, key=check.key, rows=check.rows)


@rule(practice="red_flags", row=49, needs=("claims",))
def promises_hold(
    partner: Partner, *, unlikely: float = 0.1, least_seen_days: int = 60, usual_window: str = "28d"
) -> Findings:
    """Is what they promised likely, given their own course and what peers reached?

    unlikely         below which chance a promise is talked about
    least_seen_days  how many days must have been seen since it was said: what nobody could see yet is not broken
    usual_window     the span of a claim that names none
    """
    for claim in partner.register("claims").open():
        with if_known(claim.text):
            if claim.metric is None or claim.value is None or claim.due is None:
                lacks = ask(f"metric, value and due day of '{claim.text}'", metric="claims")
                yield unknown(f"'{claim.text}' cannot be measured", key=claim.id, ask=lacks)
                continue
            measure, window, promised = claim.measure, claim.window or usual_window, claim.value
            seen = measure.observable_days(since=claim.said_on)
            if seen < least_seen_days:
                yield unknown(
                    f"'{claim.text}' was said {seen} observable days ago",
                    key=claim.id,
                    decides_on=max(partner.today, claim.said_on) + (least_seen_days - seen),
                )
                continue
            said = f"{claim.who or partner.name} promised {promised} of {measure.title} by {claim.due}"
            if claim.due <= partner.today:
                reached = measure.over(ending(window, claim.due))
                if reached < promised:
                    yield red_flag(f"{said}; it was {reached}", key=claim.id, severity="high", about=claim)
                continue
            course = measure.forecast(until=claim.due, over=window)
            own = course.chance(at_least=promised)
            if own < unlikely:  # else what peers did cannot make it unlikely
                peers = partner.cohort("industry").at_same_age(claim.metric, window)
                best = max(own, peers.share(at_least=promised))
                if best < unlikely:
                    yield red_flag(f"{said}; the chance is {best:.0%}", key=claim.id, about=claim)


@rule(practice="red_flags", row=50, audience="us", needs=("contacts",))
def engagement_fades(
    partner: Partner,
    *,
    window: str = "8w",
    earlier: int = 3,
    fewer: float = 0.5,
    slower: float = 3.0,
    least_hours: float = 24.0,
    patience_days: int = 7,
    unanswered: float = 0.4,
    lapse_days: int = 14,
) -> Findings:
    """They lose interest: check-ins thin out, replies slow down, asks stay unanswered, feeds lapse.

    window, earlier  the last window is held against so many before it
    fewer            share of the usual check-ins at which they have thinned out
    slower           how many times longer than usual a reply takes, and at least `least_hours`
    patience_days    after which a mail without a reply is unanswered
    unanswered       share of such mails, if it was less than half of that before
    lapse_days       without a word from a feed that had been coming
    """
    contacts = partner.register("contacts")
    recent = contacts.during(window)
    past = [contacts.during(w) for w in (previous(window, n + 1) for n in range(earlier)) if contacts.kept(w)]
    if not past:
        past = [contacts.during(previous(window))]  # raises, and asks for it
    signs = []
    usual = sum(_meetings(each) for each in past) / len(past)
    if usual >= 2 and _meetings(recent) <= fewer * usual:
        signs.append(
            f"{_meetings(recent)} check-ins in the last {words(window)}, where there used to be {usual:.0f}"
        )
    took, usually = _hours(recent), [hours for each in past for hours in _hours(each)]
    if len(took) >= 2 and len(usually) >= 5:
        now, then = middle(took), middle(usually)
        if now >= least_hours and now >= slower * then:
            signs.append(f"a reply takes {_spoken(now)}, where it used to take {_spoken(then)}")
    share, earlier_share = _unanswered([recent], patience_days), _unanswered(past, patience_days)
    if share >= unanswered and earlier_share <= share / 2:
        signs.append(f"{share:.0%} of our mails stay unanswered")
    for name in ("orders", "sessions"):
        feed = partner[name]
        if feed.is_known():
            silent = partner.today.since(feed.known_until())
            if silent > lapse_days:
                signs.append(f"nothing about {title(name)} has come for {silent} days")
    if len(signs) > 1:
        yield red_flag(
            f"{partner.name} is losing interest: {'; '.join(signs)}",
            key="fading",
            severity="high" if len(signs) > 2 else "medium",
        )
    elif signs:
        yield insight(f"An early sign of lost interest: {signs[0]}", key="fading")


def _meetings(contacts: Register) -> int:
    """Meetings that took place."""
    return sum(1 for contact in contacts.where(kind="meeting") if contact.held is not False)


def _hours(contacts: Register) -> list[float]:
    """Hours that each answered mail waited."""
    return [
        (c.answered_at - c.at).total_seconds() / 3600
        for c in contacts.where(kind="mail")
        if c.answered_at and c.at
    ]


def _unanswered(stretches: list[Register], patience_days: int) -> float:
    """Share of our mails that waited longer than that, of at least three."""
    mails = [
        c
        for each in stretches
        for c in each.where(kind="mail")
        if c.day and each.partner.today.since(c.day) >= patience_days and c.direction != "them"
    ]
    return sum(1 for c in mails if not c.answered_at) / len(mails) if len(mails) >= 3 else 0.0


def _spoken(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"
