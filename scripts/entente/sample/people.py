# SPDX-License-Identifier: Apache-2.0
"""What no shop system holds: check-ins with the people of each partner, declared revenue, exchange rates."""

import datetime
import math
from typing import Final

from .shop import Shop
from .world import CURRENCIES, ENGAGEMENT_FADES, FADE_DAYS, PARTNERS, SOURCES_DISAGREE, Span, opened, rng

DECLARING: Final = ("atlas", "ferrum")  # partners that send a figure of their own each month
ROLES: Final = ("head of e-commerce", "purchasing", "marketing", "managing director")


def checkins(span: Span, seed: int) -> str:
    """CSV of contacts: a meeting every second week, a mail each week, and when it was answered."""
    rows = []
    for partner in PARTNERS:
        draw = rng(seed, partner.id, "people")
        number = 0
        phase = draw.randrange(7)
        for day in opened(partner, span).days():
            ago = (span.last - day).days
            if day.weekday() != phase % 5:
                continue
            week = (span.last - day).days // 7
            fading = partner.truth == ENGAGEMENT_FADES and ago < FADE_DAYS
            for kind in ("mail", *(("meeting",) if week % 2 == 0 else ())):
                if fading and kind == "meeting" and week % 6 != 0:
                    continue  # every sixth week is all that is left of every second
                number += 1
                at = f"{day} {'09:30' if kind == 'mail' else '14:00'}"
                held, answered = "", ""
                if kind == "meeting":
                    held = "no" if (fading and ago < 80) or (ago > 200 and draw.random() < 0.04) else "yes"
                else:
                    hours = draw.uniform(3, 9) if not fading else 24 * (2 + (FADE_DAYS - ago) / 12)
                    back = datetime.datetime.fromisoformat(at) + datetime.timedelta(hours=hours)
                    if back.date() <= span.last and not (fading and ago < 36):
                        answered = f"{back:%Y-%m-%d %H:%M}"
                rows.append(
                    (
                        at,
                        f"{partner.id}-{number:03d},{at},{partner.id},{kind},"
                        f"{ROLES[number % len(ROLES)]},{held},{answered}",
                    )
                )
    rows.sort()
    return "id,date,partner,kind,with,held,answered\n" + "".join(line + "\n" for _, line in rows)


def declared(span: Span, shops: dict[str, Shop]) -> str:
    """CSV of what partners say of themselves: gross revenue by month, near what their shop says."""
    rows = []
    for partner in PARTNERS:
        if partner.id not in DECLARING:
            continue
        months: dict[str, int] = {}
        for order in shops[partner.id].orders:
            if not order.cancelled:
                month = order.at.strftime("%Y-%m")
                months[month] = months.get(month, 0) + order.goods
        rows += [
            f"{partner.id},{month},revenue.gross,{round(cents, -4) // 100}.00,{partner.currency},"
            f"{ROLES[3]},{'C' if partner.truth == SOURCES_DISAGREE else 'B'}"
            for month, cents in sorted(months.items())[-12:]
        ]
    return "partner,month,metric,amount,currency,who,grade\n" + "".join(row + "\n" for row in rows)


def rates(span: Span) -> str:
    """CSV of daily exchange rates: weekends too, as a missing day is unknown money."""
    rows = []
    for currency, middle in CURRENCIES.items():
        if currency == "EUR":
            continue
        turn = 2 * math.pi / (170 + 40 * middle)
        rows += [
            f"{day},{currency},EUR,{middle * (1 + 0.008 * math.sin(n * turn)):.5f}"
            for n, day in enumerate(span.days())
        ]
    return "date,from,to,rate\n" + "".join(row + "\n" for row in sorted(rows))
