# SPDX-License-Identifier: Apache-2.0
"""A brief with everything that a brief can hold: known and unknown figures, holes, findings, asks."""

import datetime
import random
from collections import Counter
from typing import Literal

from entente.brief.model import Audience, Brief, Cohort, Evidence, Figure, Finding, Series, Unit, Window
from entente.sample import PARTNERS, Span
from entente.sample.shop import simulate

Kind = Literal["insight", "opportunity", "red_flag", "gate", "ask", "proposal"]
SPAN = Span.of(datetime.date(2026, 6, 30), 18)
NOW: Window = {"start": "2026-06-03", "end": "2026-07-01"}
BEFORE: Window = {"start": "2026-05-06", "end": "2026-06-03"}
HOLE = range(9, 19)  # of June


def _series() -> list[Series]:
    partner = next(p for p in PARTNERS if p.id == "nordwind")
    shop = simulate(partner, SPAN, 7)
    draw = random.Random(7)
    revenue: Counter[str] = Counter()
    orders: Counter[str] = Counter()
    for order in shop.orders:
        revenue[str(order.at.date())] += (order.goods - order.discount - order.refund) // 100
        orders[str(order.at.date())] += 1
    left = Counter(str(cart.at.date()) for cart in shop.left)
    days = SPAN.days()
    feed = SPAN.tail(181).days()
    sessions: list[float | None] = [
        None
        if d.month == 6 and d.day in HOLE
        else float(round((60 if d.weekday() > 4 else 118) * draw.uniform(0.9, 1.1)))
        for d in feed
    ]
    conversion: list[float | None] = [
        None if s is None else orders[str(d)] / s for d, s in zip(feed, sessions)
    ]
    carts = SPAN.tail(120).days()

    def one(metric: str, label: str, unit: Unit, first: datetime.date, values: list[float | None]) -> Series:
        return {
            "metric": metric,
            "label": label,
            "unit": unit,
            "currency": "EUR" if unit == "money" else None,
            "start": str(first),
            "values": values,
        }

    rate = one("conversion_rate", "Conversion", "ratio", feed[0], conversion)
    rate["weights"] = sessions
    return [
        one("revenue.net", "Net revenue", "money", days[0], [float(revenue[str(d)]) for d in days]),
        one("orders", "Orders", "count", days[0], [float(orders[str(d)]) for d in days]),
        rate,
        one("sessions", "Sessions", "count", feed[0], sessions),
        one("carts.left", "Carts left", "count", carts[0], [float(left[str(d)]) for d in carts]),
    ]


def _figure(
    metric: str,
    label: str,
    unit: Unit,
    value: float | None,
    previous: float | None,
    cohort: Cohort | None,
    better: Literal["up", "down", "neither"] = "up",
    unknown: str | None = None,
    days: int = 28,
) -> Figure:
    return {
        "metric": metric,
        "label": label,
        "unit": unit,
        "currency": "EUR" if unit == "money" else None,
        "value": value,
        "unknown": unknown,
        "previous": previous,
        "previous_unknown": None if previous is not None else "the feed starts later",
        "better": better,
        "cohort": cohort,
        "coverage": {"days": days, "of": 28},
    }


def _cohort(p25: float, p50: float, p75: float) -> Cohort:
    return {"name": "industrial-supply", "size": 6, "p25": p25, "p50": p50, "p75": p75, "unknown": None}


def _evidence(
    label: str,
    value: float | str,
    unit: Unit | None = None,
    currency: str | None = None,
    window: Window | None = NOW,
    audience: Audience = "both",
) -> Evidence:
    return {
        "label": label,
        "value": value,
        "unit": unit,
        "currency": currency,
        "window": window,
        "audience": audience,
    }


def _finding(rule: str, kind: Kind, text: str, evidence: list[Evidence]) -> Finding:
    return {
        "rule": rule,
        "key": None,
        "practice": "consulting",
        "kind": kind,
        "severity": None,
        "text": text,
        "worth": None,
        "confidence": None,
        "evidence": evidence,
        "audience": "both",
        "state": "open",
        "since": "2026-06-28",
    }


def _findings() -> list[Finding]:
    may: Window = {"start": "2026-05-01", "end": "2026-06-01"}
    trails = _finding(
        "conversion_trails_cohort",
        "opportunity",
        "Conversion is 2.82%, where the median of 6 peers is 5.99%",
        [
            _evidence("Conversion", 0.0282, "ratio"),
            _evidence("Cohort, lowest quarter", 0.0591, "ratio"),
            _evidence("Cohort, median", 0.0599, "ratio"),
            _evidence("Sessions", 1764, "count"),
            _evidence("Average order", 300.23, "money", "EUR"),
        ],
    )
    trails["worth"] = {"number": 16_788.0, "currency": "EUR", "per": "28d"}
    trails["severity"], trails["confidence"] = "medium", 0.8
    disagree = _finding(
        "sources_disagree",
        "red_flag",
        "Gross revenue, May 2026: the shop says 26,902 EUR, analytics says 21,344 EUR",
        [
            _evidence("Shop", 26902.0, "money", "EUR", may),
            _evidence("Analytics", 21344.0, "money", "EUR", may),
            _evidence("Tolerance", 0.08, "ratio", window=None),
        ],
    )
    disagree["practice"], disagree["severity"], disagree["key"] = "red_flags", "high", "2026-05"
    disagree["rows"] = [
        ["month", "shop", "analytics"],
        ["2026-04", "26,110 EUR", "20,870 EUR"],
        ["2026-05", 26902.0, None],
    ]
    disagree["since"], disagree["state"] = "2026-06-02", "acknowledged"
    fades = _finding(
        "engagement_fades",
        "red_flag",
        "No meeting was held for 46 days; every second week was usual",
        [
            _evidence("Meetings held", 1, "count", audience="us"),
            _evidence("Last one", "15 May 2026", window=None, audience="us"),
        ],
    )
    fades["practice"], fades["severity"], fades["audience"] = "red_flags", "medium", "us"
    rush = _finding(
        "dont_rush",
        "gate",
        "Too early to commit: 181 days of analytics, and 365 are wanted",
        [_evidence("Days of analytics", 181, "days", window=None)],
    )
    rush["practice"], rush["audience"] = "pace", "us"
    revenue = _finding(
        "revenue_over_period",
        "insight",
        "Revenue is 1.4% above that of the same weeks a year ago",
        [
            _evidence("Net revenue", 24_318.4, "money", "EUR"),
            _evidence("A year ago", 23_980.0, "money", "EUR", {"start": "2025-06-04", "end": "2025-07-02"}),
        ],
    )
    revenue["practice"] = "informative"
    return [trails, disagree, fades, rush, revenue]


def example() -> Brief:
    """Nordwind in the sample data, as a brief would show it, with a hole in its feed for good measure."""
    return {
        "partner": {
            "id": "nordwind",
            "name": "Nordwind GmbH",
            "industry": "industrial-supply",
            "region": "DE",
            "stage": "consulting",
            "zone": "Europe/Berlin",
            "currency": "EUR",
        },
        "as_of": "2026-06-30",
        "window": NOW,
        "previous": BEFORE,
        "figures": [
            _figure("revenue.net", "Net revenue", "money", 24_318.4, 24_869.15, None),
            _figure("orders", "Orders", "count", 81, 83, None),
            _figure("aov", "Average order", "money", 300.23, 299.63, _cohort(295.4, 301.8, 306.2)),
            _figure(
                "conversion_rate", "Conversion", "ratio", 0.0282, 0.0279, _cohort(0.0591, 0.0599, 0.0608)
            ),
            _figure("sessions", "Sessions", "count", 1_764, 2_731, None, days=18),
            _figure(
                "cart_abandonment",
                "Carts left",
                "ratio",
                0.6261,
                0.6214,
                _cohort(0.619, 0.623, 0.628),
                "down",
            ),
            _figure(
                "refund_rate",
                "Refunded",
                "ratio",
                0.0131,
                0.0214,
                {
                    "name": "industrial-supply",
                    "size": None,
                    "p25": None,
                    "p50": None,
                    "p75": None,
                    "unknown": "only 4 partners of this cohort have refunds on record, and 5 are needed",
                },
                "down",
            ),
            _figure(
                "load_time",
                "Page load",
                "seconds",
                None,
                None,
                _cohort(1.6, 1.9, 2.6),
                "down",
                "the analytics feed sends no page timing",
                0,
            ),
        ],
        "series": _series(),
        "findings": _findings(),
        "asks": [
            {
                "what": "The daily files of analytics from 9 to 18 June",
                "source": "nordwind-feeds",
                "why": "10 of 28 days have no sessions, so that conversion rests on 18 days",
                "decides": ["whether conversion trails the cohort", "what a better one is worth"],
                "audience": "both",
            },
            {
                "what": "Page timing from analytics",
                "source": "nordwind-feeds",
                "why": "no event carries a load time",
                "decides": ["what a faster site would bring"],
                "audience": "both",
            },
            {
                "what": "Minutes of the meetings since May",
                "source": "check-ins",
                "why": "two have no outcome",
                "decides": ["whether engagement fades"],
                "audience": "us",
            },
        ],
        "sources": [
            {
                "name": "nordwind-exports",
                "system": "shopify",
                "records": 3104,
                "balanced": True,
                "covered": [{"start": "2025-01-01", "end": "2026-07-01"}],
            },
            {
                "name": "nordwind-feeds",
                "system": "ga4",
                "records": 92_211,
                "balanced": True,
                "covered": [
                    {"start": "2026-01-01", "end": "2026-06-09"},
                    {"start": "2026-06-19", "end": "2026-07-01"},
                ],
            },
            {
                "name": "check-ins",
                "system": "csv",
                "records": 118,
                "balanced": True,
                "audience": "us",
                "covered": [{"start": "2025-01-01", "end": "2026-07-01"}],
            },
        ],
        "judged": {"true": 5, "false": 2, "unknown": 1, "failed": 0},
        "provenance": {
            "version": "0.1.0",
            "generation": "000042",
            "digest": "6f1c09a2",
            "rates": "r-20260630",
            "definitions": [
                {
                    "metric": "revenue.net",
                    "hash": "a1b2c3d4",
                    "doc": "Goods less discounts and refunds, dated to the order",
                },
                {
                    "metric": "conversion_rate",
                    "hash": "9e8d7c6b",
                    "doc": "Online orders of the shop for each session",
                },
                {
                    "metric": "cart_abandonment",
                    "hash": "5f4e3d2c",
                    "doc": "Carts left, of carts left and online orders",
                },
                {"metric": "aov", "hash": "77aa10fe", "doc": "Net revenue for each order"},
            ],
        },
    }
