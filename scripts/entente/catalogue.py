# SPDX-License-Identifier: Apache-2.0
"""What fixtures know of the catalogue of metrics: the same names, kinds, units and terms as
core/metrics/catalogue.c, which a test compares. In the engine the catalogue comes with the snapshot and
this file is not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from .reader import DISTINCT, DISTRIBUTION, RATIO, SUM

Terms = tuple[tuple[int, str], ...]

# Measures: family and unit. Times are in microseconds, but load_ms.
MEASURES: Final[dict[str, tuple[str, str]]] = {
    "orders": ("sales", "count"),
    "orders_cancelled": ("sales", "count"),
    "orders_shared": ("sales", "count"),
    "orders_shared_cancelled": ("sales", "count"),
    "orders_guest": ("sales", "count"),
    "quotes": ("sales", "count"),
    "lines": ("sales", "count"),
    "lines_cancelled": ("sales", "count"),
    "units": ("sales", "pieces"),
    "units_cancelled": ("sales", "pieces"),
    "gross": ("sales", "money"),
    "gross_cancelled": ("sales", "money"),
    "discount": ("sales", "money"),
    "shipping": ("sales", "money"),
    "shipping_cancelled": ("sales", "money"),
    "tax": ("sales", "money"),
    "total": ("sales", "money"),
    "total_cancelled": ("sales", "money"),
    "refunded": ("sales", "money"),
    "returns": ("sales", "money"),
    "returns_on_day": ("sales", "money"),
    "cost": ("sales", "money"),
    "due": ("sales", "money"),
    "sessions": ("traffic", "count"),
    "sessions_engaged": ("traffic", "count"),
    "sessions_new": ("traffic", "count"),
    "sessions_unidentified": ("traffic", "count"),
    "sessions_item": ("traffic", "count"),
    "sessions_cart": ("traffic", "count"),
    "sessions_checkout": ("traffic", "count"),
    "sessions_purchase": ("traffic", "count"),
    "sessions_cart_left": ("traffic", "count"),
    "pageviews": ("traffic", "count"),
    "purchases": ("traffic", "count"),
    "engaged_us": ("traffic", "seconds"),
    "load_ms": ("traffic", "milliseconds"),
    "loads": ("traffic", "count"),
    "carts": ("carts", "count"),
    "carts_left": ("carts", "count"),
    "carts_left_value": ("carts", "money"),
    "carts_recovered": ("carts", "count"),
}
SETS: Final = {"customers": "sales", "visitors": "traffic"}
DISTRIBUTIONS: Final = {
    "order_value": ("sales", "money"),
    "days_to_paid": ("sales", "days"),
    "load_time": ("traffic", "seconds"),
}


class MetricRow(NamedTuple):
    """One metric."""

    name: str
    kind: int
    unit: str
    additivity: str
    top: Terms
    bottom: Terms
    source: str  # set or distribution
    tags: str
    doc: str
    own: tuple[str, ...] = ()  # families, of one that is declared
    over: int = 1  # what a sum is divided by

    @property
    def families(self) -> tuple[str, ...]:
        """Families of measures that it reads: their coverage is its coverage."""
        if self.own:
            return self.own
        if self.kind == DISTINCT:
            return (SETS[self.source],)
        if self.kind == DISTRIBUTION:
            return (DISTRIBUTIONS[self.source][0],)
        return tuple(dict.fromkeys(MEASURES[measure][0] for _, measure in (*self.top, *self.bottom)))


def _row(name: str, kind: int, unit: str, reads: str, tags: str, doc: str) -> MetricRow:
    if kind in (DISTINCT, DISTRIBUTION):
        return MetricRow(name, kind, unit, "none", (), (), reads, tags, doc)
    top, _, bottom = reads.partition(" / ")
    return MetricRow(
        name, kind, unit, "all" if kind == SUM else "none", _terms(top), _terms(bottom), "", tags, doc
    )


def _terms(text: str) -> Terms:
    return tuple((1 if word[0] == "+" else -1, word[1:]) for word in text.split())


# fmt: off
METRICS: Final = (
    _row("orders", SUM, "count", "+orders", "sales volume briefing",
         "Orders placed and not cancelled, pending ones included, by the day they were placed; over "
         "all partners an order that several share counts once."),
    _row("orders.placed", SUM, "count", "+orders +orders_cancelled", "sales volume",
         "Orders placed, whether cancelled later or not."),
    _row("orders.cancelled", SUM, "count", "+orders_cancelled", "sales loss",
         "Orders that were cancelled, by the day they were placed."),
    _row("orders.guest", SUM, "count", "+orders_guest", "sales",
         "Orders without a known customer, cancelled ones left out."),
    _row("quotes", SUM, "count", "+quotes", "sales agents",
         "Quotes and drafts that were not sold; never part of orders."),
    _row("lines", SUM, "count", "+lines", "sales volume",
         "Lines of orders, cancelled ones left out."),
    _row("lines.placed", SUM, "count", "+lines +lines_cancelled", "sales volume",
         "Lines of orders, whether cancelled later or not; parts of a bundle are not counted."),
    _row("units", SUM, "pieces", "+units", "sales volume",
         "Pieces sold, cancelled orders left out; returned pieces lower it only where the source "
         "writes them as lines of negative quantity."),
    _row("units.placed", SUM, "pieces", "+units +units_cancelled", "sales volume",
         "Pieces ordered, whether cancelled later or not."),
    _row("revenue.gross", SUM, "money", "+gross", "sales money",
         "Goods before discounts, without shipping, cancelled orders left out."),
    _row("revenue.placed", SUM, "money", "+gross +gross_cancelled", "sales money",
         "Goods before discounts, without shipping, of all orders placed, whether cancelled later or not."),
    _row("revenue.net", SUM, "money", "+gross -discount -returns", "sales money briefing",
         "Goods less discounts and returns, the returns dated to their order."),
    _row("revenue.net_by_refund_day", SUM, "money", "+gross -discount -returns_on_day", "sales money",
         "Goods less discounts and returns, the returns dated to the day they were paid back; unknown "
         "where the source does not date refunds."),
    _row("discounts", SUM, "money", "+discount", "sales money",
         "Taken off goods, cancelled orders left out."),
    _row("refunds", SUM, "money", "+refunded", "sales money loss",
         "Paid back to buyers, shipping and tax included, dated to the order."),
    _row("returns", SUM, "money", "+returns", "sales money loss",
         "The goods in refunds, without shipping and tax, dated to the order."),
    _row("refund_rate", RATIO, "ratio", "+returns / +gross -discount", "sales loss briefing",
         "Returned goods as a part of goods sold after discounts, both dated to the order."),
    _row("shipping", SUM, "money", "+shipping", "sales money",
         "Shipping billed, cancelled orders left out."),
    _row("shipping.placed", SUM, "money", "+shipping +shipping_cancelled", "sales money",
         "Shipping billed, whether the order was cancelled later or not."),
    _row("tax", SUM, "money", "+tax", "sales money",
         "Tax of orders, cancelled ones left out."),
    _row("total", SUM, "money", "+total", "sales money",
         "What buyers were asked to pay, shipping and tax included, before refunds, cancelled orders "
         "left out."),
    _row("total.placed", SUM, "money", "+total +total_cancelled", "sales money",
         "What buyers were asked to pay, whether the order was cancelled later or not."),
    _row("due", SUM, "money", "+due", "sales money",
         "Still to be paid of orders, as the source last said."),
    _row("aov", RATIO, "money", "+gross -discount -returns / +orders", "sales money briefing",
         "Average order value: revenue.net for each order, returns included."),
    _row("order_total", RATIO, "money", "+total +total_cancelled / +orders +orders_cancelled", "sales money",
         "Mean total of an order, shipping and tax included, whether it was cancelled later or not."),
    _row("units_per_order", RATIO, "pieces", "+units +units_cancelled / +orders +orders_cancelled",
         "sales volume", "Pieces in an order, whether it was cancelled later or not."),
    _row("refund_share", RATIO, "ratio", "+refunded / +total +total_cancelled", "sales loss",
         "Refunds as a part of what buyers were asked to pay, shipping and tax included in both."),
    _row("guest_share", RATIO, "ratio", "+orders_guest / +orders", "sales customers",
         "Orders without a known customer as a part of orders."),
    _row("cost", SUM, "money", "+cost", "sales money",
         "What the goods of orders cost the partner, where the source says."),
    _row("customers", DISTINCT, "count", "customers", "sales customers briefing",
         "Different known customers who placed an order in the window; guests are not in it, and days "
         "are united, not added."),
    _row("order_value", DISTRIBUTION, "money", "order_value", "sales money",
         "Totals of orders, converted at the rate of the as-of day, to 1 %."),
    _row("days_to_paid", DISTRIBUTION, "days", "days_to_paid", "sales cash",
         "Days from placing an order to paying it, of orders that are paid."),
    _row("sessions", SUM, "count", "+sessions", "traffic volume briefing",
         "Visits as the source cuts them, by the day they began."),
    _row("sessions.engaged", SUM, "count", "+sessions_engaged", "traffic",
         "Sessions that the source calls engaged."),
    _row("sessions.new", SUM, "count", "+sessions_new", "traffic",
         "Sessions that were the first of their visitor."),
    _row("sessions.unidentified", SUM, "count", "+sessions_unidentified", "traffic consent",
         "Sessions without a known visitor, for lack of consent as a rule."),
    _row("visitors", DISTINCT, "count", "visitors", "traffic briefing",
         "Different visitors by the identity that the source keeps; sessions without one are not in "
         "it, and days are united, not added."),
    _row("pageviews", SUM, "count", "+pageviews", "traffic volume",
         "Pages looked at."),
    _row("attention", SUM, "seconds", "+engaged_us", "traffic",
         "Time of attention that the source measured."),
    _row("engagement_rate", RATIO, "ratio", "+sessions_engaged / +sessions", "traffic briefing",
         "Engaged sessions as a part of sessions."),
    _row("conversion_rate", RATIO, "ratio", "+orders / +sessions", "funnel briefing",
         "Orders of the shop for each session that analytics saw; orders without a visit count, too."),
    _row("conversion_rate.analytics", RATIO, "ratio", "+sessions_purchase / +sessions", "funnel",
         "Sessions with a purchase as a part of sessions, both as analytics saw them."),
    _row("sessions.with_item", SUM, "count", "+sessions_item", "traffic funnel",
         "Sessions in which an item was looked at."),
    _row("sessions.with_cart", SUM, "count", "+sessions_cart", "traffic funnel",
         "Sessions in which a cart was begun."),
    _row("sessions.with_checkout", SUM, "count", "+sessions_checkout", "traffic funnel",
         "Sessions in which a checkout was begun."),
    _row("sessions.with_purchase", SUM, "count", "+sessions_purchase", "traffic funnel",
         "Sessions in which something was bought."),
    _row("sessions.cart_left", SUM, "count", "+sessions_cart_left", "traffic funnel loss",
         "Sessions in which a cart was begun and nothing was bought."),
    _row("purchases", SUM, "count", "+purchases", "traffic funnel",
         "Purchases as analytics saw them; compared with orders, never added to them."),
    _row("load_time", DISTRIBUTION, "seconds", "load_time", "traffic speed",
         "Mean page load time of each session that was timed, to 1 %."),
    _row("load_time.mean", RATIO, "seconds", "+load_ms / +loads", "traffic speed briefing",
         "Mean time of all page loads that were timed."),
    _row("consent_gap", RATIO, "ratio", "+sessions_unidentified / +sessions", "traffic consent",
         "Sessions without a known visitor as a part of sessions: how far visitors can be trusted."),
    _row("carts", SUM, "count", "+carts", "carts volume",
         "Carts that the shop kept; the same content of one visitor on one day counts once."),
    _row("carts.left", SUM, "count", "+carts_left", "carts loss",
         "Carts neither bought nor recovered."),
    _row("carts.left_value", SUM, "money", "+carts_left_value", "carts loss money",
         "Goods in carts neither bought nor recovered."),
    _row("carts.recovered", SUM, "count", "+carts_recovered", "carts",
         "Carts bought after the shop reminded of them."),
    _row("cart_abandonment", RATIO, "ratio", "+carts_left / +carts_left +orders", "carts loss briefing",
         "Carts left as a part of carts left and orders, both as the shop kept them."),
    _row("cart_loss.analytics", RATIO, "ratio", "+sessions_cart_left / +sessions_cart", "funnel loss",
         "Sessions that began a cart and bought nothing as a part of sessions that began a cart, as "
         "analytics saw them."),
)


class Catalogue(NamedTuple):
    """What a World knows."""

    measures: Mapping[str, tuple[str, str]]
    sets: Mapping[str, str]
    distributions: Mapping[str, tuple[str, str]]
    metrics: tuple[MetricRow, ...]

    def row(self, name: str) -> MetricRow:
        """A metric by name."""
        return next(row for row in self.metrics if row.name == name)


BUILT_IN: Final = Catalogue(MEASURES, SETS, DISTRIBUTIONS, METRICS)
