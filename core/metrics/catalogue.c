/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of the catalogue, see catalogue.h. To add a measure: its number in the header, its row here, and a revision
 * of nothing else; to add a metric: one row. A change of what a measure counts raises its revision, which changes the
 * definition hash of every metric that reads it. */
#include "metrics/catalogue.h"
#include "base/buf.h"
#include "base/intern.h"

#include <stdio.h>
#include <string.h>

#define SHARED_OF(m)                                                                                                   \
	((m) == ENT_M_ORDERS ? ENT_M_ORDERS_SHARED : (m) == ENT_M_ORDERS_CANCELLED ? ENT_M_ORDERS_SHARED_CANCELLED : 0)
#define SALES(m, n, u, d)                                                                                              \
	[ENT_M_##m] = {n, ENT_SALES, ENT_UNIT_##u, ENT_M_##m - ENT_M_ORDERS, 1, d, SHARED_OF(ENT_M_##m), NULL}
#define TRAFFIC(m, n, u, d) [ENT_M_##m] = {n, ENT_TRAFFIC, ENT_UNIT_##u, ENT_M_##m - ENT_M_SESSIONS, 1, d, 0, NULL}
#define CARTS(m, n, u, d) [ENT_M_##m] = {n, ENT_CARTS, ENT_UNIT_##u, ENT_M_##m - ENT_M_CARTS, 1, d, 0, NULL}

const ent_measure_def ent_measures[ENT_MEASURE_COUNT] = {
	SALES(ORDERS, "orders", COUNT, "orders sold or pending, on the day they were placed"),
	SALES(ORDERS_CANCELLED, "orders_cancelled", COUNT, "orders placed and cancelled, on the day they were placed"),
	SALES(ORDERS_SHARED, "orders_shared", COUNT, "of orders: those that another partner of the order counts, too"),
	SALES(ORDERS_SHARED_CANCELLED, "orders_shared_cancelled", COUNT, "the same of orders_cancelled"),
	SALES(ORDERS_GUEST, "orders_guest", COUNT, "of orders: those without a known customer"),
	SALES(QUOTES, "quotes", COUNT, "quotes and drafts, not sold"),
	SALES(LINES, "lines", COUNT, "lines of orders; parts of a bundle are not counted"),
	SALES(LINES_CANCELLED, "lines_cancelled", COUNT, "lines of cancelled orders"),
	SALES(UNITS, "units", PIECES, "pieces in lines of orders"),
	SALES(UNITS_CANCELLED, "units_cancelled", PIECES, "pieces in lines of cancelled orders"),
	SALES(GROSS, "gross", MONEY, "goods before discounts, without shipping, of orders"),
	SALES(GROSS_CANCELLED, "gross_cancelled", MONEY, "the same of cancelled orders"),
	SALES(DISCOUNT, "discount", MONEY, "taken off the goods of orders"),
	SALES(SHIPPING, "shipping", MONEY, "shipping billed in orders"),
	SALES(SHIPPING_CANCELLED, "shipping_cancelled", MONEY, "shipping billed in cancelled orders"),
	SALES(TAX, "tax", MONEY, "tax of orders"),
	SALES(TOTAL, "total", MONEY, "what buyers were asked to pay for orders"),
	SALES(TOTAL_CANCELLED, "total_cancelled", MONEY, "what buyers were asked to pay for cancelled orders"),
	SALES(REFUNDED, "refunded", MONEY, "paid back, shipping and tax included, on the day of the order"),
	SALES(RETURNS, "returns", MONEY, "the goods in it, without tax, on the day of the order"),
	SALES(RETURNS_ON_DAY, "returns_on_day", MONEY, "the goods in it, without tax, on the day they were paid back"),
	SALES(COST, "cost", MONEY, "what the goods of orders cost the partner"),
	SALES(DUE, "due", MONEY, "still to be paid of orders"),
	TRAFFIC(SESSIONS, "sessions", COUNT, "visits, on the day they began"),
	TRAFFIC(SESSIONS_ENGAGED, "sessions_engaged", COUNT, "of sessions: those that the source calls engaged"),
	TRAFFIC(SESSIONS_NEW, "sessions_new", COUNT, "of sessions: the first of their visitor"),
	TRAFFIC(SESSIONS_UNIDENTIFIED, "sessions_unidentified", COUNT, "of sessions: those without a known visitor"),
	TRAFFIC(SESSIONS_ITEM, "sessions_item", COUNT, "of sessions: an item was looked at"),
	TRAFFIC(SESSIONS_CART, "sessions_cart", COUNT, "of sessions: something was put into the cart"),
	TRAFFIC(SESSIONS_CHECKOUT, "sessions_checkout", COUNT, "of sessions: the checkout was begun"),
	TRAFFIC(SESSIONS_PURCHASE, "sessions_purchase", COUNT, "of sessions: something was bought"),
	TRAFFIC(SESSIONS_CART_LEFT, "sessions_cart_left", COUNT, "of sessions_cart: nothing was bought"),
	TRAFFIC(PAGEVIEWS, "pageviews", COUNT, "pages looked at"),
	TRAFFIC(PURCHASES, "purchases", COUNT, "purchases as analytics saw them"),
	TRAFFIC(ENGAGED_US, "engaged_us", SECONDS, "time of attention"),
	TRAFFIC(LOAD_MS, "load_ms", SECONDS, "sum of the page load times, in milliseconds"),
	TRAFFIC(LOADS, "loads", COUNT, "page loads that were timed"),
	CARTS(CARTS, "carts", COUNT, "carts, the same content of one visitor on one day counted once"),
	CARTS(CARTS_LEFT, "carts_left", COUNT, "of carts: neither bought nor recovered"),
	CARTS(CARTS_LEFT_VALUE, "carts_left_value", MONEY, "goods in carts_left"),
	CARTS(CARTS_RECOVERED, "carts_recovered", COUNT, "of carts: bought after a reminder"),
};

static const uint16_t family_first[ENT_FAMILY_COUNT + 1] = {ENT_M_ORDERS, ENT_M_SESSIONS, ENT_M_CARTS, ENT_MEASURE_COUNT};
static const char *const family_names[ENT_FAMILY_COUNT] = {"sales", "traffic", "carts"};
static const ent_space_def sets[ENT_SET_COUNT] = {
	{"customers", ENT_SALES, ENT_UNIT_COUNT, false, NULL},
	{"visitors", ENT_TRAFFIC, ENT_UNIT_COUNT, false, NULL},
};
static const ent_space_def dists[ENT_DIST_COUNT] = {
	{"order_value", ENT_SALES, ENT_UNIT_MONEY, false, NULL},
	{"days_to_paid", ENT_SALES, ENT_UNIT_DAYS, false, NULL},
	{"load_time", ENT_TRAFFIC, ENT_UNIT_SECONDS, false, NULL},
};

const char *const ent_view_names[ENT_VIEW_COUNT] = {
	"total", "channel", "category", "country", "campaign", "device", "source", "region", "vendor", "product",
	"customer", "step", "load_time",
};

#define IN(family) (1u << ENT_##family)
const uint8_t ent_view_families[ENT_VIEW_COUNT] = {
	[ENT_VIEW_TOTAL] = IN(SALES) | IN(TRAFFIC) | IN(CARTS),
	[ENT_VIEW_CHANNEL] = IN(SALES) | IN(TRAFFIC) | IN(CARTS),
	[ENT_VIEW_CATEGORY] = IN(SALES),
	[ENT_VIEW_COUNTRY] = IN(SALES) | IN(TRAFFIC),
	[ENT_VIEW_CAMPAIGN] = IN(SALES) | IN(TRAFFIC),
	[ENT_VIEW_DEVICE] = IN(TRAFFIC),
	[ENT_VIEW_SOURCE] = IN(TRAFFIC),
	[ENT_VIEW_REGION] = IN(SALES),
	[ENT_VIEW_VENDOR] = IN(SALES),
	[ENT_VIEW_PRODUCT] = IN(SALES),
	[ENT_VIEW_CUSTOMER] = IN(SALES),
	[ENT_VIEW_STEP] = IN(CARTS),
	[ENT_VIEW_LOAD_TIME] = IN(TRAFFIC),
};
#undef IN

/* Finer where most sites are. */
const ent_load_time ent_load_times[ENT_LOAD_TIMES] = {
	{0, "0-0.5 s"}, {500000, "0.5-1 s"}, {1000000, "1-1.5 s"}, {1500000, "1.5-2 s"}, {2000000, "2-2.5 s"},
	{2500000, "2.5-3 s"}, {3000000, "3-3.5 s"}, {3500000, "3.5-4 s"}, {4000000, "4-5 s"}, {5000000, "5-6 s"},
	{6000000, "6-8 s"}, {8000000, "8-10 s"}, {10000000, "10-15 s"}, {15000000, "15 s and more"},
};
const char *const ent_origin_names[ENT_ORIGIN_COUNT] = {
	"shop", "analytics", "declared", "benchmark", "forecast", "rate",
};
const char *const ent_unit_names[] = {"count", "money", "pieces", "seconds", "days", "ratio"};
const char *const ent_kind_names[] = {"sum", "ratio", "distinct", "distribution"};
const char *const ent_additivity_names[] = {"all", "days", "none", "whole"};

#define P(m) {+1, ENT_M_##m, 1}
#define N(m) {-1, ENT_M_##m, 1}
#define SUM(n, u, add, t, g, d)                                                                                        \
	{.name = n, .kind = ENT_METRIC_SUM, .unit = ENT_UNIT_##u, .additivity = ENT_ADD_##add, .top = t, .tags = g, .doc = d}
#define RATIO(n, u, t, b, g, d)                                                                                        \
	{.name = n, .kind = ENT_METRIC_RATIO, .unit = ENT_UNIT_##u, .additivity = ENT_ADD_NONE, .top = t, .bottom = b, .tags = g, \
		.doc = d}
#define DISTINCT(n, set, g, d)                                                                                         \
	{.name = n, .kind = ENT_METRIC_DISTINCT, .unit = ENT_UNIT_COUNT, .additivity = ENT_ADD_NONE,                       \
		.set_or_dist = ENT_SET_##set, .tags = g, .doc = d}
#define DIST(n, u, dist, g, d)                                                                                         \
	{.name = n, .kind = ENT_METRIC_DISTRIBUTION, .unit = ENT_UNIT_##u, .additivity = ENT_ADD_NONE,                     \
		.set_or_dist = ENT_DIST_##dist, .tags = g, .doc = d}
#define T(...) {__VA_ARGS__}

const ent_metric ent_metrics[] = {
	SUM("orders", COUNT, ALL, T(P(ORDERS)), "sales volume briefing",
		"Orders placed and not cancelled, pending ones included, by the day they were placed; over all partners an order "
		"that several share counts once."),
	SUM("orders.placed", COUNT, ALL, T(P(ORDERS), P(ORDERS_CANCELLED)), "sales volume",
		"Orders placed, whether cancelled later or not."),
	SUM("orders.cancelled", COUNT, ALL, T(P(ORDERS_CANCELLED)), "sales loss",
		"Orders that were cancelled, by the day they were placed."),
	SUM("orders.guest", COUNT, ALL, T(P(ORDERS_GUEST)), "sales", "Orders without a known customer, cancelled ones left out."),
	SUM("quotes", COUNT, ALL, T(P(QUOTES)), "sales agents", "Quotes and drafts that were not sold; never part of orders."),
	SUM("lines", COUNT, ALL, T(P(LINES)), "sales volume", "Lines of orders, cancelled ones left out."),
	SUM("lines.placed", COUNT, ALL, T(P(LINES), P(LINES_CANCELLED)), "sales volume",
		"Lines of orders, whether cancelled later or not; parts of a bundle are not counted."),
	SUM("units", PIECES, ALL, T(P(UNITS)), "sales volume", "Pieces sold, cancelled orders left out; returned pieces lower it "
		"only where the source writes them as lines of negative quantity."),
	SUM("units.placed", PIECES, ALL, T(P(UNITS), P(UNITS_CANCELLED)), "sales volume",
		"Pieces ordered, whether cancelled later or not."),
	SUM("revenue.gross", MONEY, ALL, T(P(GROSS)), "sales money",
		"Goods before discounts, without shipping, cancelled orders left out."),
	SUM("revenue.placed", MONEY, ALL, T(P(GROSS), P(GROSS_CANCELLED)), "sales money",
		"Goods before discounts, without shipping, of all orders placed, whether cancelled later or not."),
	SUM("revenue.net", MONEY, ALL, T(P(GROSS), N(DISCOUNT), N(RETURNS)), "sales money briefing",
		"Goods less discounts and returns, the returns dated to their order."),
	SUM("revenue.net_by_refund_day", MONEY, ALL, T(P(GROSS), N(DISCOUNT), N(RETURNS_ON_DAY)), "sales money",
		"Goods less discounts and returns, the returns dated to the day they were paid back; unknown where the source "
		"does not date refunds."),
	SUM("discounts", MONEY, ALL, T(P(DISCOUNT)), "sales money", "Taken off goods, cancelled orders left out."),
	SUM("refunds", MONEY, ALL, T(P(REFUNDED)), "sales money loss",
		"Paid back to buyers, shipping and tax included, dated to the order."),
	SUM("returns", MONEY, ALL, T(P(RETURNS)), "sales money loss",
		"The goods in refunds, without shipping and tax, dated to the order."),
	RATIO("refund_rate", RATIO, T(P(RETURNS)), T(P(GROSS), N(DISCOUNT)), "sales loss briefing",
		"Returned goods as a part of goods sold after discounts, both dated to the order."),
	SUM("shipping", MONEY, ALL, T(P(SHIPPING)), "sales money", "Shipping billed, cancelled orders left out."),
	SUM("shipping.placed", MONEY, ALL, T(P(SHIPPING), P(SHIPPING_CANCELLED)), "sales money",
		"Shipping billed, whether the order was cancelled later or not."),
	SUM("tax", MONEY, ALL, T(P(TAX)), "sales money", "Tax of orders, cancelled ones left out."),
	SUM("total", MONEY, ALL, T(P(TOTAL)), "sales money",
		"What buyers were asked to pay, shipping and tax included, before refunds, cancelled orders left out."),
	SUM("total.placed", MONEY, ALL, T(P(TOTAL), P(TOTAL_CANCELLED)), "sales money",
		"What buyers were asked to pay, whether the order was cancelled later or not."),
	SUM("due", MONEY, ALL, T(P(DUE)), "sales money", "Still to be paid of orders, as the source last said."),
	RATIO("aov", MONEY, T(P(GROSS), N(DISCOUNT), N(RETURNS)), T(P(ORDERS)), "sales money briefing",
		"Average order value: revenue.net for each order, returns included."),
	RATIO("order_total", MONEY, T(P(TOTAL), P(TOTAL_CANCELLED)), T(P(ORDERS), P(ORDERS_CANCELLED)), "sales money",
		"Mean total of an order, shipping and tax included, whether it was cancelled later or not."),
	RATIO("units_per_order", PIECES, T(P(UNITS), P(UNITS_CANCELLED)), T(P(ORDERS), P(ORDERS_CANCELLED)), "sales volume",
		"Pieces in an order, whether it was cancelled later or not."),
	RATIO("refund_share", RATIO, T(P(REFUNDED)), T(P(TOTAL), P(TOTAL_CANCELLED)), "sales loss",
		"Refunds as a part of what buyers were asked to pay, shipping and tax included in both."),
	RATIO("guest_share", RATIO, T(P(ORDERS_GUEST)), T(P(ORDERS)), "sales customers",
		"Orders without a known customer as a part of orders."),
	SUM("cost", MONEY, ALL, T(P(COST)), "sales money", "What the goods of orders cost the partner, where the source says."),
	DISTINCT("customers", CUSTOMERS, "sales customers briefing",
		"Different known customers who placed an order in the window; guests are not in it, and days are united, not added."),
	DIST("order_value", MONEY, ORDER_VALUE, "sales money", "Totals of orders, converted at the rate of the as-of day, to 1 %."),
	DIST("days_to_paid", DAYS, DAYS_TO_PAID, "sales cash", "Days from placing an order to paying it, of orders that are paid."),
	SUM("sessions", COUNT, ALL, T(P(SESSIONS)), "traffic volume briefing", "Visits as the source cuts them, by the day they began."),
	SUM("sessions.engaged", COUNT, ALL, T(P(SESSIONS_ENGAGED)), "traffic", "Sessions that the source calls engaged."),
	SUM("sessions.new", COUNT, ALL, T(P(SESSIONS_NEW)), "traffic", "Sessions that were the first of their visitor."),
	SUM("sessions.unidentified", COUNT, ALL, T(P(SESSIONS_UNIDENTIFIED)), "traffic consent",
		"Sessions without a known visitor, for lack of consent as a rule."),
	DISTINCT("visitors", VISITORS, "traffic briefing",
		"Different visitors by the identity that the source keeps; sessions without one are not in it, and days are united, "
		"not added."),
	SUM("pageviews", COUNT, ALL, T(P(PAGEVIEWS)), "traffic volume", "Pages looked at."),
	SUM("attention", SECONDS, ALL, T(P(ENGAGED_US)), "traffic", "Time of attention that the source measured."),
	RATIO("engagement_rate", RATIO, T(P(SESSIONS_ENGAGED)), T(P(SESSIONS)), "traffic briefing",
		"Engaged sessions as a part of sessions."),
	RATIO("conversion_rate", RATIO, T(P(ORDERS)), T(P(SESSIONS)), "funnel briefing",
		"Orders of the shop for each session that analytics saw; orders without a visit count, too."),
	RATIO("conversion_rate.analytics", RATIO, T(P(SESSIONS_PURCHASE)), T(P(SESSIONS)), "funnel",
		"Sessions with a purchase as a part of sessions, both as analytics saw them."),
	SUM("sessions.with_item", COUNT, ALL, T(P(SESSIONS_ITEM)), "traffic funnel", "Sessions in which an item was looked at."),
	SUM("sessions.with_cart", COUNT, ALL, T(P(SESSIONS_CART)), "traffic funnel", "Sessions in which a cart was begun."),
	SUM("sessions.with_checkout", COUNT, ALL, T(P(SESSIONS_CHECKOUT)), "traffic funnel", "Sessions in which a checkout was begun."),
	SUM("sessions.with_purchase", COUNT, ALL, T(P(SESSIONS_PURCHASE)), "traffic funnel", "Sessions in which something was bought."),
	SUM("sessions.cart_left", COUNT, ALL, T(P(SESSIONS_CART_LEFT)), "traffic funnel loss",
		"Sessions in which a cart was begun and nothing was bought."),
	SUM("purchases", COUNT, ALL, T(P(PURCHASES)), "traffic funnel", "Purchases as analytics saw them; compared with orders, "
		"never added to them."),
	DIST("load_time", SECONDS, LOAD_TIME, "traffic speed", "Mean page load time of each session that was timed, to 1 %."),
	RATIO("load_time.mean", SECONDS, T(P(LOAD_MS)), T(P(LOADS)), "traffic speed briefing",
		"Mean time of all page loads that were timed."),
	RATIO("consent_gap", RATIO, T(P(SESSIONS_UNIDENTIFIED)), T(P(SESSIONS)), "traffic consent",
		"Sessions without a known visitor as a part of sessions: how far visitors can be trusted."),
	SUM("carts", COUNT, ALL, T(P(CARTS)), "carts volume", "Carts that the shop kept; the same content of one visitor on one day counts once."),
	SUM("carts.left", COUNT, ALL, T(P(CARTS_LEFT)), "carts loss", "Carts neither bought nor recovered."),
	SUM("carts.left_value", MONEY, ALL, T(P(CARTS_LEFT_VALUE)), "carts loss money", "Goods in carts neither bought nor recovered."),
	SUM("carts.recovered", COUNT, ALL, T(P(CARTS_RECOVERED)), "carts", "Carts bought after the shop reminded of them."),
	RATIO("cart_abandonment", RATIO, T(P(CARTS_LEFT)), T(P(CARTS_LEFT), P(ORDERS)), "carts loss briefing",
		"Carts left as a part of carts left and orders, both as the shop kept them."),
	RATIO("cart_loss.analytics", RATIO, T(P(SESSIONS_CART_LEFT)), T(P(SESSIONS_CART)), "funnel loss",
		"Sessions that began a cart and bought nothing as a part of sessions that began a cart, as analytics saw them."),
	{.name = NULL},
};

const unsigned ent_metric_count = sizeof ent_metrics / sizeof *ent_metrics - 1;

const ent_catalogue ent_builtin = {
	ent_metrics, ent_measures, sets, dists, sizeof ent_metrics / sizeof *ent_metrics - 1, ENT_MEASURE_COUNT, ENT_SET_COUNT,
	ENT_DIST_COUNT};

unsigned ent_family_first(unsigned family) {
	return family < ENT_FAMILY_COUNT ? family_first[family]
									 : ENT_MEASURE_COUNT + (family - ENT_FAMILY_CUSTOM) * ENT_FAMILY_WIDTH;
}

unsigned ent_family_width(unsigned family) {
	return family < ENT_FAMILY_COUNT ? (unsigned)(family_first[family + 1] - family_first[family]) : ENT_FAMILY_WIDTH;
}

const char *ent_family_name(unsigned family) { return family < ENT_FAMILY_COUNT ? family_names[family] : "custom"; }

int ent_catalogue_find(const ent_catalogue *c, const char *name, size_t n) {
	/* Some fifty rows, asked once for each name that a rule or a command writes: a scan is enough. */
	for (unsigned i = 0; i < c->n_metrics; i++) {
		if (strlen(c->metrics[i].name) == n && memcmp(c->metrics[i].name, name, n) == 0) {
			return (int)i;
		}
	}
	return -1;
}

int ent_metric_find(const char *name, size_t n) { return ent_catalogue_find(&ent_builtin, name, n); }

static void add_measure(ent_buf *b, const ent_measure_def *m) {
	ent_buf_printf(b, "%s.%s:%s:%u", family_names[m->family], m->name, ent_unit_names[m->unit], m->revision);
}

static void add_terms(ent_buf *b, const ent_metric_term *terms) {
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		ent_buf_printf(b, " %c", t->sign > 0 ? '+' : '-');
		add_measure(b, &ent_measures[t->measure]);
	}
}

static void print_hash(ent_buf *b, char out[17]) {
	snprintf(out, 17, "%016llx", (unsigned long long)ent_hash64(b->data, b->n, 0));
	ent_buf_finish(b);
}

void ent_metric_definition(const ent_metric *m, char out[17]) {
	ent_buf b = {0};
	if (m->definition) {
		snprintf(out, 17, "%s", m->definition);
		return;
	}
	ent_buf_printf(&b, "metric 1 %s %s", ent_kind_names[m->kind], ent_unit_names[m->unit]);
	if (m->kind == ENT_METRIC_DISTINCT) {
		ent_buf_printf(&b, " set %s", sets[m->set_or_dist].name);
	} else if (m->kind == ENT_METRIC_DISTRIBUTION) {
		ent_buf_printf(&b, " dist %s", dists[m->set_or_dist].name);
	}
	add_terms(&b, m->top);
	if (m->bottom[0].sign) {
		ent_buf_printf(&b, " /");
		add_terms(&b, m->bottom);
	}
	print_hash(&b, out);
}

void ent_measure_definition(const ent_measure_def *m, char out[17]) {
	ent_buf b = {0};
	if (m->definition) {
		snprintf(out, 17, "%s", m->definition);
		return;
	}
	ent_buf_printf(&b, "measure 1 ");
	add_measure(&b, m);
	print_hash(&b, out);
}

static unsigned families_of(const ent_metric_term *terms) {
	unsigned bits = 0;
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		bits |= 1u << ent_measures[t->measure].family;
	}
	return bits;
}

unsigned ent_metric_families(const ent_metric *m) {
	if (m->families) {
		return m->families;
	}
	if (m->kind == ENT_METRIC_DISTINCT) {
		return 1u << sets[m->set_or_dist].family;
	}
	if (m->kind == ENT_METRIC_DISTRIBUTION) {
		return 1u << dists[m->set_or_dist].family;
	}
	return families_of(m->top) | families_of(m->bottom);
}
