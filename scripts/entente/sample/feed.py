# SPDX-License-Identifier: Apache-2.0
"""The analytics feed of one partner: a GA4 BigQuery export, one file of JSON lines a day.

As the real export does, it writes INT64 as strings, leaves nulls out, gives `session_engaged` now as a string
and now as a number, has no user where consent was denied, and sends one purchase in a hundred again.
"""

import datetime
import gzip
import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from .shop import Order, Shop, left_per_order, online_a_day
from .world import (
    DAY,
    FEED_DAYS,
    HOLE_DAYS,
    HOLE_IN_FEED,
    INDUSTRIES,
    SOURCES_DISAGREE,
    Evenly,
    Partner,
    Span,
    by_agents,
    level,
    opened,
    rng,
)

PLAIN_DAYS = 3  # the newest files are not packed yet
DENIED = 0.04  # visits without consent, seen without user and session
SOURCES = (
    ("organic", "google"),
    ("(none)", "(direct)"),
    ("cpc", "google"),
    ("email", "newsletter"),
    ("referral", "partner.example"),
)
DEVICES = (
    ("desktop", "Windows", "Chrome"),
    ("mobile", "iOS", "Safari"),
    ("desktop", "Macintosh", "Safari"),
    ("mobile", "Android", "Chrome"),
)
COUNTRIES = {
    "DE": "Germany",
    "NL": "Netherlands",
    "SE": "Sweden",
    "GB": "United Kingdom",
    "US": "United States",
}


class Feed:
    """Writes the events of one partner, day by day."""

    def __init__(self, partner: Partner, seed: int) -> None:
        self.partner, self.draw = partner, rng(seed, partner.id, "feed")
        self.zone = ZoneInfo(partner.zone)
        self.site = f"https://shop.{partner.id}.example"
        self.stream = 3_000_000_000 + self.draw.randrange(10**8)
        self.users = 0
        self.load = (
            self.draw.uniform(1300, 1900) + partner.wait
        )  # milliseconds until a page is there, as the median
        self.products = INDUSTRIES[partner.industry].products
        self.tails = [self._tail(device, source) for device in DEVICES for source in SOURCES]

    def _tail(self, device: tuple[str, str, str], source: tuple[str, str]) -> str:
        return (
            f'"device":{{"category":"{device[0]}","operating_system":"{device[1]}","language":"en-us",'
            f'"web_info":{{"browser":"{device[2]}","hostname":"shop.{self.partner.id}.example"}}}},'
            f'"geo":{{"country":"{COUNTRIES[self.partner.region]}"}},'
            f'"traffic_source":{{"name":"({source[0].strip("()")})",'
            f'"medium":"{source[0]}","source":"{source[1]}"}},'
            f'"stream_id":"{self.stream}","platform":"WEB"'
        )

    def session(
        self, start: datetime.datetime, names: list[str], order: Order | None, consent: bool
    ) -> Iterator[tuple[int, str]]:
        """The events of one visit: (microseconds, line)."""
        draw = self.draw
        stamp = int(start.timestamp())
        day = start.strftime("%Y%m%d")
        returning = self.users > 50 and draw.random() < 0.35
        if not returning:
            self.users += 1
        user = draw.randrange(1, self.users) if returning else self.users
        number = 2 + user % 5 if returning else 1
        who = f'"user_pseudo_id":"{1_000_000_000 + user * 7919}.{1_690_000_000 + user}",' if consent else ""
        storage = "Yes" if consent else "No"
        privacy = f'"privacy_info":{{"analytics_storage":"{storage}","uses_transient_token":"No"}},'
        tail = self.tails[draw.randrange(len(self.tails))]
        engaged = len(names) > 2
        moment = stamp * 1_000_000 + draw.randrange(1_000_000)
        for index, name in enumerate(names):
            params = []
            if consent:
                params.append(f'{{"key":"ga_session_id","value":{{"int_value":"{stamp}"}}}}')
                params.append(f'{{"key":"ga_session_number","value":{{"int_value":"{number}"}}}}')
            sku = self.products[draw.randrange(len(self.products))][0]
            page = "" if name == "session_start" else f"/products/{sku}"
            params.append(f'{{"key":"page_location","value":{{"string_value":"{self.site}{page}"}}}}')
            if name == "page_view" and consent:
                load = round(self.load * draw.lognormvariate(0, 0.35))
                params.append(f'{{"key":"load_time_msec","value":{{"int_value":"{load}"}}}}')
            if engaged and index:
                value = '"string_value":"1"' if user % 3 else '"int_value":"1"'
                params.append(f'{{"key":"session_engaged","value":{{{value}}}}}')
                params.append(
                    f'{{"key":"engagement_time_msec","value":{{"int_value":"{draw.randrange(800, 40000)}"}}}}'
                )
            more = self._purchase(order, params) if name == "purchase" and order else ""
            yield (
                moment,
                (
                    f'{{"event_date":"{day}","event_timestamp":"{moment}","event_name":"{name}",'
                    f'"event_params":['
                    f"{','.join(params)}],{who}{privacy}{tail}{more}}}\n"
                ),
            )
            moment += draw.randrange(2_000_000, 90_000_000)

    def _purchase(self, order: Order, params: list[str]) -> str:
        forgets = self.partner.truth == SOURCES_DISAGREE
        cents = sum(p[2] * (1 if forgets else n) for p, n in order.basket) - (
            0 if forgets else order.discount
        )
        number = f"{self.partner.prefix}{order.number}"
        worth = f"{cents // 100}.{cents % 100:02d}"
        params.append(f'{{"key":"currency","value":{{"string_value":"{self.partner.currency}"}}}}')
        params.append(f'{{"key":"value","value":{{"double_value":{worth}}}}}')
        params.append(f'{{"key":"transaction_id","value":{{"string_value":"{number}"}}}}')
        items = ",".join(
            f'{{"item_id":"{p[0]}","price":{p[2] / 100:.2f},"quantity":"{n}"}}' for p, n in order.basket
        )
        return (
            f',"ecommerce":{{"total_item_quantity":"{sum(n for _, n in order.basket)}",'
            f'"purchase_revenue":{worth},'
            f'"unique_items":"{len(order.basket)}","transaction_id":"{number}"}},"items":[{items}]'
        )


def _names(kind: str, draw: random.Random) -> list[str]:
    if kind == "bought":
        return ["session_start", "page_view", "view_item", "add_to_cart", "begin_checkout", "purchase"]
    if kind == "left":
        return ["session_start", "page_view", "add_to_cart", "begin_checkout"]
    return (
        ["session_start", "page_view"]
        + ["view_item"] * (draw.random() < 0.4)
        + ["scroll"] * (draw.random() < 0.15)
    )


def files(shop: Shop, partner: Partner, span: Span, seed: int) -> Iterator[tuple[str, bytes, datetime.date]]:
    """Name, bytes and day of each file, oldest first."""
    feed, draw = Feed(partner, seed), rng(seed, partner.id, "visits")
    covered = Span(max(span.tail(FEED_DAYS).first, opened(partner, span).first), span.last)
    bought: dict[datetime.date, list[Order]] = {}
    for order in shop.orders:
        if order.tracked:
            bought.setdefault(order.at.date(), []).append(order)
    conversion = INDUSTRIES[partner.industry].conversion * partner.conversion
    sessions, denied, left = Evenly(draw, 3.0), Evenly(draw, 0.6), Evenly(draw, 0.6)
    for day in covered.days():
        busy = level(partner, span, day)
        online = online_a_day(partner, by_agents(partner, span, day))
        count = sessions.take(busy * online / conversion)
        without = denied.take(busy * online / conversion * DENIED)
        carts = left.take(busy * online * left_per_order(partner))
        if partner.truth == HOLE_IN_FEED and HOLE_DAYS[1] <= (span.last - day).days <= HOLE_DAYS[0]:
            continue
        orders = bought.get(day, [])
        carts = min(carts, max(0, count - len(orders)))
        noon = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=feed.zone)
        midnight = (noon - datetime.timedelta(hours=12)).replace(
            tzinfo=datetime.timezone(noon.utcoffset() or 0 * DAY)
        )
        lines: list[tuple[int, str]] = []
        for order in orders:
            visit = list(
                feed.session(order.at - datetime.timedelta(minutes=6), _names("bought", draw), order, True)
            )
            lines += visit
            if draw.random() < 0.01:
                at, line = visit[-1]  # the buyer loads the page of thanks again
                lines.append((at + 60_000_000, line.replace(str(at), str(at + 60_000_000))))
        for kind, n in (
            ("left", carts),
            ("looked", max(0, count - len(orders) - carts)),
            ("denied", without),
        ):
            for _ in range(n):
                start = midnight + datetime.timedelta(seconds=draw.randrange(6 * 3600, 22 * 3600))
                lines += feed.session(start, _names(kind, draw), None, kind != "denied")
        lines.sort()
        data = "".join(line for _, line in lines).encode()
        name = f"events_{day:%Y%m%d}.json"
        if (span.last - day).days >= PLAIN_DAYS:
            yield name + ".gz", gzip.compress(data, 6, mtime=0), day
        else:
            yield name, data, day
