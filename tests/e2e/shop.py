# SPDX-License-Identifier: Apache-2.0
"""Small exports in the real layouts, made from a seed: Shopify's orders, GA4's events, plain tables."""

import csv
import datetime
import io
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

COLUMNS = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,"
    "Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,"
    "Lineitem taxable,Lineitem fulfillment status,Billing Name,Billing Country,Shipping Country,Notes,"
    "Note Attributes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,"
    "Employee,Location,Id,Tags,Source,Lineitem discount"
).split(",")
CHANNELS = ("web", "web", "web", "pos", "shopify_draft_order", "iphone")
NOTES = ("", "", "", 'left at the door,\nsaid ""thanks""\n', "one, two", "ünïcode ✓", "\n\n")
START = datetime.datetime(2024, 3, 1, tzinfo=datetime.UTC)


def cents(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02d}"


@dataclass(frozen=True)
class Line:
    sku: str
    quantity: int
    price: int  # cents


@dataclass(frozen=True)
class Order:
    """An order as its shop knows it."""

    number: int
    at: datetime.datetime
    customer: str
    lines: tuple[Line, ...]
    currency: str = "EUR"
    status: str = "paid"
    cancelled: bool = False
    refunded: int = 0
    channel: str = "web"
    country: str = "DE"
    note: str = ""

    @property
    def subtotal(self) -> int:
        return sum(line.quantity * line.price for line in self.lines)

    def rows(self) -> list[dict[str, str]]:
        """As it stands in an export: its own figures in its first row, each line item a row."""
        at = self.at.strftime("%Y-%m-%d %H:%M:%S +0000")
        same = {"Name": f"#{self.number}", "Email": self.customer, "Created at": at}
        first = {
            "Financial Status": self.status,
            "Paid at": at if self.status != "pending" else "",
            "Currency": self.currency,
            "Subtotal": cents(self.subtotal),
            "Shipping": "4.90",
            "Taxes": "0.00",
            "Total": cents(self.subtotal + 490),
            "Discount Amount": "0.00",
            "Shipping Country": self.country,
            "Notes": self.note,
            "Cancelled at": at if self.cancelled else "",
            "Refunded Amount": cents(self.refunded),
            "Outstanding Balance": "0.00",
            "Id": str(5_800_000_000_000 + self.number),
            "Source": self.channel,
            "Payment Method": "manual",
        }
        rows = []
        for n, line in enumerate(self.lines):
            row = {
                **same,
                **(first if n == 0 else {}),
                "Lineitem quantity": str(line.quantity),
                "Lineitem name": f"Article {line.sku}",
                "Lineitem price": cents(line.price),
                "Lineitem sku": line.sku,
                "Vendor": "Own",
            }
            rows.append(row)
        return rows


def orders(n: int, seed: int = 1, days: int = 60) -> list[Order]:
    """`n` orders of `days` days, the oldest first."""
    pick = random.Random(seed)
    made = []
    for k in range(n):
        at = START + datetime.timedelta(seconds=k * days * 86400 // n + pick.randrange(3600))
        lines = tuple(
            Line(f"A{pick.randrange(50)}", pick.randint(1, 3), pick.randrange(100, 9000))
            for _ in range(pick.randint(1, 5))
        )
        made.append(
            Order(
                number=1000 + k,
                at=at,
                customer=f"c{pick.randrange(n // 3 + 1)}@example.com" if pick.random() < 0.9 else "",
                lines=lines,
                currency=pick.choice(("EUR", "EUR", "EUR", "USD")),
                status=pick.choice((*["paid"] * 4, "pending", "partially_refunded", "voided")),
                cancelled=pick.random() < 0.05,
                refunded=pick.choice((0, 0, 0, 250)),
                channel=pick.choice(CHANNELS),
                country=pick.choice(("DE", "AT", "US", "")),
                note=pick.choice(NOTES),
            )
        )
    return made


def export(made: Iterable[Order]) -> str:
    """An orders export of these orders, in their order."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for order in made:
        writer.writerows(order.rows())
    return out.getvalue()


def moved(order: Order, days: int) -> Order:
    return replace(order, at=order.at + datetime.timedelta(days=days))


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """A delimited file of these rows."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def order_table(made: Iterable[Order]) -> list[dict[str, object]]:
    """The orders alone, a row each."""
    return [
        {"no": o.number, "at": o.at.isoformat(), "customer": o.customer, "currency": o.currency,
         "channel": o.channel}
        for o in made
    ]  # fmt: skip


def line_table(made: Iterable[Order]) -> list[dict[str, object]]:
    """Their lines, a row each."""
    return [
        {"no": o.number, "pos": n + 1, "sku": line.sku, "quantity": line.quantity, "price": cents(line.price),
         "currency": o.currency}
        for o in made
        for n, line in enumerate(o.lines)
    ]  # fmt: skip


def events(day: int, sessions: int, seed: int = 1) -> list[str]:
    """GA4's events of one day, `day` days after START, as JSON lines in order of time."""
    pick = random.Random(seed * 1000 + day)
    date = START + datetime.timedelta(days=day)
    midnight = int(date.timestamp())
    told: list[tuple[int, str]] = []
    for n in range(sessions):
        user = f"{1000 + pick.randrange(sessions)}.{day}"
        session = midnight + 60 * n
        known = pick.random() < 0.9
        names = ["session_start", "page_view", "view_item", "add_to_cart", "begin_checkout", "purchase"]
        names = names[: pick.randint(1, 6)]
        source = pick.choice((("google", "organic"), ("bing", "cpc"), ("(direct)", "(none)")))
        for k, name in enumerate(names):
            at = (session + k * pick.randint(1, 200)) * 1_000_000 + n
            params: list[dict[str, object]] = [
                {"key": "ga_session_id", "value": {"int_value": str(session)}},
                {"key": "ga_session_number", "value": {"int_value": str(pick.randint(1, 2))}},
                {"key": "engagement_time_msec", "value": {"int_value": pick.randrange(5000)}},
            ]
            event: dict[str, object] = {
                "event_date": date.strftime("%Y%m%d"),
                "event_timestamp": str(at),
                "event_name": name,
                "event_params": params,
                "privacy_info": {"analytics_storage": "Yes" if known else "No"},
                "device": {"category": "mobile"},
                "geo": {"country": "Germany"},
                "traffic_source": {"source": source[0], "medium": source[1]},
            }
            if known:
                event["user_pseudo_id"] = user
            if name == "purchase":
                worth = pick.randrange(500, 20000) / 100
                params.append({"key": "currency", "value": {"string_value": "EUR"}})
                event["ecommerce"] = {"transaction_id": f"T{day}-{n}", "purchase_revenue": worth}
            told.append((at, json.dumps(event, separators=(",", ":"))))
    return [line for _, line in sorted(told)]


def feed(lines: Iterable[str]) -> str:
    return "".join(line + "\n" for line in lines)
