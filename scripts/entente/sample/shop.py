# SPDX-License-Identifier: Apache-2.0
"""The storefront of one partner: its orders and abandoned checkouts, and their exports in Shopify's layouts.

Layouts: 79 columns of today, 75 of a shop without points of sale, 47 of 2012; rows newest first; the
fields of an order on the first of its rows only; line breaks and quotes within cells.
"""

import csv
import datetime
import io
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from .world import (
    CARTS_LEAK,
    CHECKOUT_DAYS,
    CURRENCIES,
    DAY,
    INDUSTRIES,
    LEAK,
    TAXES,
    TRAILS_COHORT,
    Evenly,
    Partner,
    Span,
    by_agents,
    level,
    opened,
    rng,
)

COLUMNS: Final = tuple(
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,"
    "Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,"
    "Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,Billing Name,"
    "Billing Street,Billing Address1,Billing Address2,Billing Company,Billing City,Billing Zip,"
    "Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,Shipping Address1,"
    "Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,Shipping Country,"
    "Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,"
    "Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,"
    "Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,"
    "Tax 4 Value,Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,"
    "Shipping Province Name,Payment ID,Payment Terms Name,Next Payment Due At,Payment References".split(",")
)
AT: Final = {name: i for i, name in enumerate(COLUMNS)}
LAYOUTS: Final[dict[str, tuple[int, ...]]] = {
    "79": tuple(range(79)),
    "75": tuple(i for i in range(79) if not 51 <= i <= 54),
    "47": tuple(range(47)),
    "checkouts": (*range(51), *range(55, 72), 73, 74),
}
CITIES: Final[dict[str, tuple[tuple[str, str, str, str], ...]]] = {  # city, zip, province, its name
    "DE": (("Berlin", "10115", "", ""), ("Hamburg", "20095", "", ""), ("Leipzig", "04109", "", "")),
    "NL": (("Utrecht", "3511 AA", "", ""), ("Rotterdam", "3011 AD", "", "")),
    "SE": (("Malmö", "211 18", "", ""), ("Göteborg", "411 03", "", ""), ("Umeå", "903 26", "", "")),
    "GB": (
        ("Leeds", "LS1 4AP", "ENG", "England"),
        ("Bristol", "BS1 4DJ", "ENG", "England"),
        ("Glasgow", "G2 1DU", "SCT", "Scotland"),
    ),
    "US": (
        ("Austin", "78701", "TX", "Texas"),
        ("Chicago", "60601", "IL", "Illinois"),
        ("Newark", "07102", "NJ", "New Jersey"),
        ("Denver", "80202", "CO", "Colorado"),
    ),
}
NOTES: Final = (
    "Please deliver to gate 2, thanks",
    'Marked "urgent", then called off',
    "Goods inwards closes at 15:00",
    'First line of the note\nsecond line, with a comma\nand "quotes"',
)
Product = tuple[str, str, int]  # SKU, name, cents
Basket = tuple[tuple[Product, int], ...]


@dataclass(slots=True)
class Order:
    """One order, or a checkout that was left (then `source` is empty). Money is in cents."""

    number: int
    id: int
    at: datetime.datetime
    customer: int
    basket: Basket
    source: str
    discount: int = 0
    shipping: int = 0
    tax: int = 0
    cancelled: bool = False
    refund: int = 0
    refunded_on: datetime.date | None = None
    note: str = ""
    campaign: str = ""
    tracked: bool = True  # analytics sees it

    @property
    def goods(self) -> int:
        """Lines at their prices."""
        return sum(product[2] * quantity for product, quantity in self.basket)

    @property
    def total(self) -> int:
        """What the buyer is asked to pay."""
        return self.goods - self.discount + self.shipping + self.tax


@dataclass(slots=True)
class Shop:
    """Everything that happened in one storefront, oldest first."""

    orders: list[Order]
    left: list[Order]


class Deck:
    """Deals baskets of goods as from a shuffled deck: every window of weeks holds nearly the same mix."""

    def __init__(self, partner: Partner, seed: int) -> None:
        self.rng = rng(seed, partner.id, "baskets")
        industry = INDUSTRIES[partner.industry]
        rate = CURRENCIES[partner.currency]
        step = 100 if partner.currency == "SEK" else 10
        self.products: list[Product] = [
            (
                sku,
                name,
                max(step, round(price / rate * 100 / step) * step - (0 if partner.currency == "SEK" else 5)),
            )
            for sku, name, price in industry.products
        ]
        wished = industry.aov * partner.aov / rate * 100
        self.baskets = [self._basket(wished * (0.6 + 0.8 * (k + 0.5) / 24)) for k in range(24)]
        self.dealt: list[Basket] = []

    def _basket(self, worth: float) -> Basket:
        lines = self.rng.choice((1, 1, 1, 2, 2, 3))
        fits = [p for p in self.products if p[2] < worth / lines]
        chosen = self.rng.sample(fits if len(fits) >= lines else self.products[:lines], lines)
        basket = [(p, max(1, int(worth / lines / p[2]))) for p in chosen]
        rest = worth - sum(p[2] * n for p, n in basket)
        cheap = min(chosen, key=lambda p: p[2])
        return tuple((p, n + max(0, round(rest / p[2])) if p is cheap else n) for p, n in basket)

    def take(self) -> Basket:
        """The next basket."""
        if not self.dealt:
            self.dealt = self.rng.sample(self.baskets, len(self.baskets))
        return self.dealt.pop()


def left_per_order(partner: Partner) -> float:
    """Checkouts left for each online order."""
    share = INDUSTRIES[partner.industry].abandonment
    return share / (1 - share) * partner.left * (LEAK if partner.truth == CARTS_LEAK else 1.0)


ONLINE: Final = ("web",) * 16 + ("iphone", "580111", "android", "web")


def online_a_day(partner: Partner, agents: float) -> float:
    """Online orders a day at level 1, less those of agents; the partner that trails loses some to it, the rest are idle
    visits."""
    return partner.orders * (1 - agents) * (0.75 if partner.truth == TRAILS_COHORT else 1.0)


def simulate(partner: Partner, span: Span, seed: int) -> Shop:
    """Plays the storefront from its opening to the last day."""
    draw, deck = rng(seed, partner.id, "shop"), Deck(partner, seed)
    zone = ZoneInfo(partner.zone)
    online, agents, left = Evenly(draw, 1.2), Evenly(draw, 0.4), Evenly(draw, 1.6)
    seen, agents_seen, cut = Evenly(draw, 0), Evenly(draw, 0), Evenly(draw, 0.2)
    lost, back = Evenly(draw, 0.2), Evenly(draw, 0)
    kept = span.tail(CHECKOUT_DAYS).first
    shop, number, checkout = Shop([], []), 1000, 30_000_000_000_000 + draw.randrange(10**12)
    identity = 5_800_000_000_000 + draw.randrange(10**11)
    customers = round(online_a_day(partner, 0.04) * 60)
    for day in opened(partner, span).days():
        busy = level(partner, span, day)
        share = by_agents(partner, span, day)
        per_day = online_a_day(partner, share)
        bought = online.take(busy * per_day, least=1)
        written = agents.take(busy * partner.orders * share)
        abandoned = left.take(busy * per_day * left_per_order(partner), least=1)
        offset = (
            datetime.datetime(day.year, day.month, day.day, 12, tzinfo=zone).utcoffset()
            or datetime.timedelta()
        )
        here = datetime.timezone(offset)
        midnight = datetime.datetime(day.year, day.month, day.day, tzinfo=here)
        moments = sorted(
            (draw.randrange(7 * 3600, 21 * 3600), kind)
            for kind, n in (("online", bought), ("agent", written), ("left", abandoned))
            for _ in range(n)
        )
        for second, kind in moments:
            at = midnight + datetime.timedelta(seconds=second)
            customer = min(draw.randrange(customers), draw.randrange(customers))
            if kind == "left":
                checkout += draw.randrange(1, 10**7)
                if day >= kept:
                    shop.left.append(Order(0, checkout, at, customer, deck.baskets[draw.randrange(24)], ""))
                continue
            number += 1
            identity += draw.randrange(1, 2**20)
            order = Order(number, identity, at, customer, deck.take(), "shopify_draft_order")
            if kind == "online":
                order.source = draw.choice(ONLINE)
                order.tracked = bool(seen.take(0.995))
            else:
                order.tracked = bool(agents_seen.take(0.7))  # where the buyer confirmed it in the browser
            _price(order, partner, draw.random() < 0.1)
            if cut.take(0.01):
                order.cancelled, order.refunded_on = True, day + DAY
            elif lost.take(0.02):
                order.refund = order.total if back.take(0.25) else round(order.goods * 0.3)
                order.refunded_on = day + draw.randrange(3, 20) * DAY
            chance = draw.random()
            order.note = NOTES[int(chance * 100)] if chance < 0.04 else ""
            order.campaign = "newsletter" if 0.5 < chance < 0.56 else ""
            shop.orders.append(order)
    return shop


def _price(order: Order, partner: Partner, reduced: bool) -> None:
    goods, rate = order.goods, CURRENCIES[partner.currency]
    order.discount = goods // 10 if reduced else 0
    order.shipping = 0 if goods * rate > 250_00 else round(6.90 / rate) * 100 - 10
    order.tax = round((goods - order.discount + order.shipping) * TAXES[partner.region][1])


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _rows(order: Order, partner: Partner, on: datetime.date, reference: int) -> list[list[str]]:
    """The rows of one order, in all 79 columns, as the shop showed it at the end of the day `on`."""
    rows, at = [], order.at.strftime("%Y-%m-%d %H:%M:%S %z")
    paid_later = order.source == "shopify_draft_order"
    due = order.at.date() + 14 * DAY
    is_order, changed = bool(order.source), order.refunded_on is not None and order.refunded_on <= on
    sent = (on - order.at.date()).days >= 2 and not (order.cancelled and changed)
    name = f"{partner.prefix}{order.number}" if is_order else f"#{order.id}"
    email = f"purchasing@buyer-{order.customer:04d}.example"
    for line, ((sku, title, cents), quantity) in enumerate(order.basket):
        row = [""] * len(COLUMNS)
        for column, value in (
            ("Name", name),
            ("Email", email),
            ("Created at", at),
            ("Lineitem quantity", str(quantity)),
            ("Lineitem name", title),
            ("Lineitem price", _money(cents)),
            ("Lineitem sku", sku),
            ("Lineitem requires shipping", "true"),
            ("Lineitem taxable", "true"),
            ("Lineitem fulfillment status", "fulfilled" if sent and is_order else "pending"),
            ("Vendor", partner.name),
            ("Lineitem discount", "0.00"),
        ):
            row[AT[column]] = value
        if line == 0:
            _head(row, order, partner)
        if line == 0 and is_order:
            unpaid = paid_later and due > on and not (order.cancelled and changed)
            status = "pending" if unpaid else "paid"
            if changed:
                status = (
                    "voided"
                    if order.cancelled
                    else "refunded"
                    if order.refund == order.total
                    else "partially_refunded"
                )
            for column, value in (
                ("Financial Status", status),
                (
                    "Paid at",
                    "" if unpaid or status == "voided" else f"{due} 09:00:00 {at[-5:]}" if paid_later else at,
                ),
                ("Fulfillment Status", "fulfilled" if sent else "unfulfilled"),
                ("Fulfilled at", f"{order.at.date() + DAY} 15:30:00 {at[-5:]}" if sent else ""),
                (
                    "Cancelled at",
                    f"{order.refunded_on} 10:15:00 {at[-5:]}" if order.cancelled and changed else "",
                ),
                ("Payment Method", "manual" if paid_later else "Shopify Payments"),
                ("Payment Reference", f"c{reference}.1"),
                ("Refunded Amount", _money(order.refund if changed else 0)),
                ("Outstanding Balance", _money(order.total if unpaid else 0)),
                ("Employee", f"Field agent {order.customer % 4 + 1}" if paid_later else ""),
                ("Source", order.source),
                ("Risk Level", "Low"),
                ("Tags", "agent, b2b" if paid_later else ""),
                ("Payment ID", f"r{reference:x}"),
                ("Payment References", f"r{reference:x}"),
                ("Payment Terms Name", "Net 14" if paid_later else ""),
                ("Next Payment Due At", f"{due} 00:00:00 {at[-5:]}" if unpaid else ""),
            ):
                row[AT[column]] = value
        rows.append(row)
    return rows


def _head(row: list[str], order: Order, partner: Partner) -> None:
    """The fields of the order that checkouts have as well."""
    city, code, province, its_name = CITIES[partner.region][order.customer % len(CITIES[partner.region])]
    street = f"{order.customer % 190 + 1} Harbour Road"
    company = f"Buyer {order.customer:04d}" + (", Unit 4" if order.customer % 11 == 0 else "")
    if not order.source:
        row[AT["Fulfillment Status"]], row[AT["Source"]] = "unfulfilled", "web"
    for side in ("Billing", "Shipping"):
        for field, value in (
            ("Name", f"Goods Inwards {order.customer:04d}"),
            ("Street", street),
            ("Address1", street),
            ("Company", company),
            ("City", city),
            ("Province", province),
            ("Country", partner.region),
            ("Zip", "'" + code if side == "Shipping" and code.isdigit() else code),
            ("Province Name", its_name),
        ):
            row[AT[f"{side} {field}"]] = value
    for column, value in (
        ("Accepts Marketing", "yes" if order.customer % 3 == 0 else "no"),
        ("Currency", partner.currency),
        ("Subtotal", _money(order.goods - order.discount)),
        ("Shipping", _money(order.shipping)),
        ("Taxes", _money(order.tax)),
        ("Total", _money(order.total)),
        ("Discount Code", "WELCOME10" if order.discount else ""),
        ("Discount Amount", _money(order.discount)),
        ("Shipping Method", "Standard" if order.shipping else "Free, Standard (2-4 days)"),
        ("Notes", order.note),
        ("Id", str(order.id)),
        ("Note Attributes", f"utm_source: {order.campaign}\nutm_campaign: spring" if order.campaign else ""),
        ("Tax 1 Name", f"{TAXES[partner.region][0]} {TAXES[partner.region][1]:.0%}"),
        ("Tax 1 Value", _money(order.tax)),
    ):
        row[AT[column]] = value


def _csv(orders: list[Order], partner: Partner, layout: str, on: datetime.date) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    keep = LAYOUTS[layout]
    writer.writerow([COLUMNS[i] for i in keep])
    for order in reversed(orders):
        writer.writerows([[row[i] for i in keep] for row in _rows(order, partner, on, order.id // 7)])
    return text.getvalue().encode()


@dataclass(frozen=True)
class Export:
    """One file of the shop system, and the day on which it was made."""

    name: str
    bytes: bytes
    on: datetime.date


def exports(shop: Shop, partner: Partner, span: Span) -> list[Export]:
    """Orders by half-year, each file with the month before it again, as it stood by then; checkouts."""
    made = []
    for index, (first, last) in enumerate(_halves(opened(partner, span))):
        old = partner.layout == "47" and index == 0  # before the shop system was renewed: no Id, no Source
        again = 0 if index == 0 or (partner.layout == "47" and index == 1) else 30
        chosen = [o for o in shop.orders if first - again * DAY <= o.at.date() <= last]
        layout = "47" if old else "79" if partner.layout == "47" else partner.layout
        made.append(Export(f"orders_export_{index + 1}.csv", _csv(chosen, partner, layout, last), last))
    for order in shop.left:
        _price(order, partner, False)
    made.append(Export("checkouts_export.csv", _csv(shop.left, partner, "checkouts", span.last), span.last))
    return made


def _halves(span: Span) -> list[tuple[datetime.date, datetime.date]]:
    """The span, cut where half-years of the calendar begin."""
    parts, first = [], span.first
    while first <= span.last:
        after = datetime.date(first.year, 7, 1) if first.month < 7 else datetime.date(first.year + 1, 1, 1)
        parts.append((first, min(span.last, after - DAY)))
        first = after
    return parts
