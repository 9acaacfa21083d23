# SPDX-License-Identifier: Apache-2.0
"""Who is in the sample: the partners, what is true of each, and the days that the data spans.

The clean partners of an industry sit within some per cent of each other in every ratio, and the counts are
spread over the days without accumulating chance (see `Evenly`), so that a window of four weeks says what was
planted and nothing else.
"""

import calendar
import datetime
import random
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["insight", "opportunity", "red_flag", "gate", "proposal", "unknown"]
DAY: Final = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Truth:
    """One planted truth: what a rule must find at this partner, and why."""

    code: str
    kind: Kind
    row: int  # of the table of capabilities
    rule: str
    what: str


@dataclass(frozen=True)
class Partner:
    """One partner; ratios are those of the whole period, counts are means a day."""

    id: str
    name: str
    industry: str
    region: str
    stage: str
    zone: str
    currency: str
    prefix: str  # of order names, as each shop chooses it
    orders: float = 4.0  # a day, at level 1
    conversion: float = 1.0  # relative to that of the industry
    left: float = 1.0  # relative abandonment odds
    aov: float = 1.0  # relative to that of the industry
    layout: Literal["79", "75", "47"] = (
        "79"  # columns of the orders export; 47: only the oldest file has them
    )
    added: float = 0.0  # by an agreement, as a share of what was sold before
    agents: float = 0.04  # share of the orders that a field agent writes, as draft orders
    moved: float = 0.0  # share of these that came to be placed online
    wait: float = 0.0  # milliseconds more until a page is there
    truth: Truth | None = None


@dataclass(frozen=True)
class Industry:
    """What the partners of one industry have in common. Prices are in EUR."""

    conversion: float  # online orders per session
    abandonment: float  # carts left / (carts left + online orders)
    aov: float
    products: tuple[tuple[str, str, float], ...]  # SKU, name, price


@dataclass(frozen=True)
class Span:
    """The days of the data, both ends included."""

    first: datetime.date
    last: datetime.date

    @staticmethod
    def of(last: datetime.date, months: int) -> "Span":
        """The `months` months that end with `last`."""
        after = last + DAY
        index = after.year * 12 + after.month - 1 - months
        year, month = index // 12, index % 12 + 1
        return Span(datetime.date(year, month, min(after.day, calendar.monthrange(year, month)[1])), last)

    def tail(self, days: int) -> "Span":
        """The last `days` of it, or all of it."""
        return Span(max(self.first, self.last - (days - 1) * DAY), self.last)

    def days(self) -> list[datetime.date]:
        """Every day in it."""
        return [self.first + n * DAY for n in range((self.last - self.first).days + 1)]


class Evenly:
    """Turns a wished amount a day into whole numbers that vary but never drift from their sum."""

    def __init__(self, rng: random.Random, jitter: float) -> None:
        self.rng, self.jitter, self.wished, self.given = rng, jitter, 0.0, 0

    def take(self, amount: float, least: int = 0) -> int:
        """How many fall on this day, or on this turn."""
        self.wished += amount
        count = max(least, round(self.wished + self.rng.uniform(-self.jitter, self.jitter)) - self.given)
        self.given += count
        return count


FEED_DAYS: Final = 181  # the feed of analytics was switched on six months ago
CHECKOUT_DAYS: Final = 120  # the shop system keeps abandoned checkouts no longer
YOUNG_DAYS: Final = 40  # of the partner with too little history
FALL_DAYS: Final = 120  # since when the falling partner falls
HALF_LIFE: Final = 55.0  # days in which it loses half
HOLE_DAYS: Final = (21, 12)  # the hole in a feed: from, to, in days before the last day
FADE_DAYS: Final = 110  # since when the fading partner fades
MOVED_DAYS: Final = 175  # since when agents' customers order online
ADDED_DAYS: Final = 170  # since when the agreement holds that brought something

SOURCES_DISAGREE: Final = Truth(
    "analytics_far_off",
    "red_flag",
    48,
    "sources_disagree",
    "Analytics adds up unit prices and forgets quantities: its revenue is far below the shop's.",
)
ENGAGEMENT_FADES: Final = Truth(
    "engagement_fades",
    "red_flag",
    50,
    "engagement_fades",
    "Check-ins thin out and end, replies take days instead of hours, the last mails stay unanswered.",
)
TOO_LITTLE_HISTORY: Final = Truth(
    "too_little_history",
    "gate",
    47,
    "dont_rush",
    f"The shop opened {YOUNG_DAYS} days before the end of the data: too early to commit to anything.",
)
TRAILS_COHORT: Final = Truth(
    "conversion_trails",
    "opportunity",
    12,
    "conversion_trails_cohort",
    "Half as many sessions become orders as at the peers.",
)
HOLE_IN_FEED: Final = Truth(
    "hole_in_feed",
    "unknown",
    7,
    "conversion_trails_cohort",
    f"{HOLE_DAYS[0] - HOLE_DAYS[1] + 1} daily files of analytics are missing within the last four weeks: "
    "what needs sessions is unknown, and the files are asked for.",
)
CARTS_LEAK: Final = Truth(
    "carts_leak",
    "opportunity",
    6,
    "carts_leak",
    "More than eight of ten checkouts are left; at the peers it is six.",
)
REVENUE_FALLS: Final = Truth(
    "revenue_falls",
    "red_flag",
    5,
    "revenue_falls",
    f"Revenue, orders and visits lose half every {HALF_LIFE:.0f} days, for {FALL_DAYS} days now.",
)

# fmt: off
INDUSTRIES: Final[dict[str, Industry]] = {
    "industrial-supply": Industry(0.060, 0.62, 310.0, (
        ("FAS-M8-100", "Hex bolts M8 x 40, zinc plated (100)", 18.90),
        ("FAS-M12-50", "Hex bolts M12 x 60 (50)", 24.50),
        ("BEA-6204", "Ball bearing 6204-2RS", 7.80),
        ("BEA-6306", "Ball bearing 6306-2RS", 14.20),
        ("GLV-NIT-L", "Nitrile gloves, size L (box of 100)", 11.90),
        ("CUT-115", "Cutting discs 115 mm (25)", 29.00),
        ("DRL-HSS-19", "HSS drill set, 19 pieces", 46.00),
        ("HOS-13-25", 'Compressed air hose 1/2", 25 m', 58.50),
        ("VIS-125", 'Bench vice 5" "Werk"', 139.00),
        ("CMP-50", "Compressor 50 l", 289.00),
        ("PPE-HELM", "Safety helmet, white", 16.40),
        ("LUB-5L", "Hydraulic oil HLP 46, 5 l", 27.90))),
    "furniture": Industry(0.042, 0.68, 480.0, (
        ("CHR-OAK", "Chair, oak, oiled", 149.00),
        ("CHR-ASH", "Chair, ash, soaped", 159.00),
        ("TBL-180", "Table 180 x 90, oak", 690.00),
        ("TBL-SIDE", "Side table, round", 119.00),
        ("SHF-5", "Shelf, 5 boards", 219.00),
        ("LMP-FLR", "Floor lamp, linen shade", 129.00),
        ("STL-BAR", "Bar stool, 65 cm", 99.00),
        ("DSK-140", "Desk 140 x 70, height adjustable", 429.00),
        ("CSH-50", 'Cushion 50 x 50, "Fjord"', 34.00),
        ("RUG-200", "Wool rug 200 x 140", 259.00),
        ("BCH-120", "Bench 120 cm", 239.00),
        ("HNG-6", "Coat hooks, brass (6)", 42.00))),
    "food-service": Industry(0.080, 0.56, 185.0, (
        ("COF-ESP-1", "Espresso beans 1 kg", 19.50),
        ("COF-FLT-1", "Filter coffee 1 kg", 16.80),
        ("TEA-BLK-100", "Black tea, pyramid bags (100)", 12.40),
        ("CUP-200", "Paper cups 200 ml (1000)", 48.00),
        ("LID-80", "Lids 80 mm (1000)", 27.00),
        ("OIL-OLV-5", "Olive oil, extra virgin, 5 l", 44.90),
        ("RIC-10", "Basmati rice 10 kg", 23.50),
        ("TOM-2500", "Peeled tomatoes 2.5 kg (6)", 21.60),
        ("NAP-33", "Napkins 33 x 33, kraft (2000)", 31.00),
        ("SYR-VAN", 'Syrup "Vanille" 1 l', 8.90),
        ("CHO-3", "Couverture 54 %, 3 kg", 39.90),
        ("BOX-1000", "Take-away boxes 1000 ml (300)", 57.00))),
}

PARTNERS: Final[tuple[Partner, ...]] = (
    Partner(
        "nordwind", "Nordwind GmbH", "industrial-supply", "DE", "consulting", "Europe/Berlin",
        "EUR", "#NW", orders=3.9, conversion=0.48, aov=1.01, truth=TRAILS_COHORT),
    Partner(
        "atlas", "Atlas Tools", "industrial-supply", "US", "signed", "America/Chicago",
        "USD", "#", orders=4.1, conversion=1.02, left=0.98, truth=SOURCES_DISAGREE),
    Partner(
        "ferrum", "Ferrum Handel AG", "industrial-supply", "DE", "signed", "Europe/Berlin",
        "EUR", "#", orders=3.3, conversion=0.99, left=1.02, aov=0.98, added=0.4),
    Partner(
        "castellan", "Castellan Fasteners Ltd", "industrial-supply", "GB", "informative", "Europe/London",
        "GBP", "#CF", orders=3.0, conversion=1.01, aov=1.02),
    Partner(
        "halden", "Halden Verktyg AB", "industrial-supply", "SE", "consulting", "Europe/Stockholm",
        "SEK", "#", orders=2.8, conversion=0.98, left=0.99, layout="75"),
    Partner(
        "keystone", "Keystone Bearings Inc.", "industrial-supply", "US", "negotiation", "America/New_York",
        "USD", "KB-", orders=3.6, left=1.01, aov=0.99),
    Partner(
        "meridian", "Meridian Supply", "industrial-supply", "US", "signed", "America/Chicago",
        "USD", "#", orders=3.1, conversion=1.01, left=0.98, truth=HOLE_IN_FEED),

    Partner(
        "brio", "Brio Möbler AB", "furniture", "SE", "informative", "Europe/Stockholm",
        "SEK", "#", orders=2.5, aov=1.01, truth=ENGAGEMENT_FADES),
    Partner(
        "lindhof", "Lindhof Möbel GmbH", "furniture", "DE", "consulting", "Europe/Berlin",
        "EUR", "#LH", orders=2.7, conversion=1.02, left=0.99, aov=0.98, wait=2100),
    Partner(
        "oakline", "Oakline & Sons", "furniture", "GB", "signed", "Europe/London",
        "GBP", "#OS", orders=2.3, conversion=0.99, left=1.01, layout="47"),
    Partner(
        "granvik", "Granvik Interiör AB", "furniture", "SE", "signed", "Europe/Stockholm",
        "SEK", "#", orders=2.4, conversion=1.01, left=1.02),
    Partner(
        "prairie", "Prairie Home Co.", "furniture", "US", "negotiation", "America/Denver",
        "USD", "#PH", orders=2.8, conversion=0.98, aov=1.02, truth=CARTS_LEAK),
    Partner(
        "solstice", "Solstice Living", "furniture", "US", "consulting", "America/Los_Angeles",
        "USD", "#", orders=2.6, conversion=0.99, left=0.98, layout="75"),

    Partner(
        "delta", "Delta Foods Service", "food-service", "GB", "signed", "Europe/London",
        "GBP", "#DF", orders=7.0, truth=REVENUE_FALLS),
    Partner(
        "kornmarkt", "Kornmarkt Gastro GmbH", "food-service", "DE", "consulting", "Europe/Vienna",
        "EUR", "#", orders=3.4, conversion=1.01, left=0.99, aov=1.01),
    Partner(
        "harborline", "Harborline Provisions", "food-service", "US", "informative", "America/New_York",
        "USD", "#HL", orders=3.7, conversion=0.99, left=1.01, aov=0.99),
    Partner(
        "polder", "Polder Horeca BV", "food-service", "NL", "signed", "Europe/Amsterdam",
        "EUR", "#", orders=3.2, conversion=1.02, left=0.98),
    Partner(
        "bergstrom", "Bergström Kaffe AB", "food-service", "SE", "negotiation", "Europe/Stockholm",
        "SEK", "#BK", orders=3.0, conversion=0.98, aov=1.02),
    Partner(
        "redgate", "Redgate Catering Ltd", "food-service", "GB", "signed", "Europe/London",
        "GBP", "#", orders=3.4, left=1.02, agents=0.3, moved=0.8),
    Partner(
        "juniper", "Juniper Deli Supply", "food-service", "US", "homework", "America/Chicago",
        "USD", "#JD", orders=3.5, conversion=0.99, aov=0.98, truth=TOO_LITTLE_HISTORY),
)
# fmt: on
LEAK: Final = 2.8  # odds of a cart being left at the leaking partner, relative to the others

CURRENCIES: Final[dict[str, float]] = {
    "EUR": 1.0,
    "USD": 0.92,
    "SEK": 0.088,
    "GBP": 1.17,
}  # of 1 unit, in EUR
TAXES: Final[dict[str, tuple[str, float]]] = {
    "DE": ("MwSt", 0.19),
    "NL": ("BTW", 0.21),
    "SE": ("Moms", 0.25),
    "GB": ("VAT", 0.20),
    "US": ("State Tax", 0.07),
}


def rng(seed: int, partner: str, part: str) -> random.Random:
    """A stream of its own for each partner and part, so that one may change without moving the others."""
    return random.Random(f"{seed}:{partner}:{part}")


def level(partner: Partner, span: Span, day: datetime.date) -> float:
    """How busy the partner is on a day, 1 on average: week, season, slow growth, and what was planted."""
    week = (1.22, 1.25, 1.20, 1.16, 1.07, 0.58, 0.52)[day.weekday()]
    gap = abs((day - datetime.date(day.year, 12, 1)).days)
    season = 1 + 0.14 * max(0.0, 1 - gap / 35)
    growth: float = 1.03 ** ((day - span.last).days / 365)
    if partner.truth == REVENUE_FALLS:
        growth *= 0.5 ** (max(0, FALL_DAYS - (span.last - day).days) / HALF_LIFE)
    if (span.last - day).days <= ADDED_DAYS:
        growth *= 1 + partner.added
    return week * season * growth


def by_agents(partner: Partner, span: Span, day: datetime.date) -> float:
    """The share of a day's orders that field agents write."""
    return partner.agents * (1 - (partner.moved if (span.last - day).days < MOVED_DAYS else 0))


def opened(partner: Partner, span: Span) -> Span:
    """The days on which the partner's shop was open."""
    return span.tail(YOUNG_DAYS) if partner.truth == TOO_LITTLE_HISTORY else span
