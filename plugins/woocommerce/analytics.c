/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder of "Analytics > Orders" as CSV: an order a row, and each refund a row of its own that bears the number of
 * its order. The report knows net sales alone: whatever the REST API told of an order stays.
 */
#include "../common/columns.h"
#include "woocommerce.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { C_DATE, C_NUMBER, C_FORMATTED, C_STATUS, C_TYPE, C_PRODUCTS, C_ITEMS, C_NET, C_ATTRIBUTION, C_COUNT };

enum { OPT_CURRENCY, OPT_STATUSES, OPT_DATES, OPT_LABELS };
enum { NAME_MAX_BYTES = 1024, DAY = 86400 };

typedef struct analytics {
	const ent_host *host;
	ent_ctx *ctx;
	status_map statuses;
	const char *dates; /* pattern, or NULL */
	char currency[4];
	ent_column *columns;
	char name[NAME_MAX_BYTES], key[256];
} analytics;

/* The customer's name is not asked for. N. Revenue (formatted) is the total of the order in the shop's spelling, that
 * of a refund's row the order's, too, and of a refunded order two amounts in one cell: it only helps to know the file.
 */
static const ent_column columns[C_COUNT + 1] = {
	[C_DATE] = {"Date", NULL, 1},
	[C_NUMBER] = {"Order #", NULL, 1},
	[C_FORMATTED] = {"N. Revenue (formatted)", NULL, 0},
	[C_STATUS] = {"Status", NULL, 1},
	[C_TYPE] = {"Customer type", NULL, 0},
	[C_PRODUCTS] = {"Product(s)", NULL, 0},
	[C_ITEMS] = {"Items sold", NULL, 1},
	[C_NET] = {"Net Sales", "N. Revenue", 1},
	[C_ATTRIBUTION] = {"Attribution", NULL, 0},
	[C_COUNT] = {NULL, NULL, 0},
};

#define LABEL(column, name, label)                                                                                     \
	[column] = {.key = name, .type = ENT_OPT_STR, .doc = "What the heading " label " is in the file."}

static const ent_option labels[C_COUNT + 1] = {
	LABEL(C_DATE, "date", "Date"),
	LABEL(C_NUMBER, "number", "Order #"),
	LABEL(C_FORMATTED, "formatted", "N. Revenue (formatted)"),
	LABEL(C_STATUS, "status", "Status"),
	LABEL(C_TYPE, "customer_type", "Customer type"),
	LABEL(C_PRODUCTS, "products", "Product(s)"),
	LABEL(C_ITEMS, "items", "Items sold"),
	LABEL(C_NET, "net", "Net Sales"),
	LABEL(C_ATTRIBUTION, "attribution", "Attribution"),
	[C_COUNT] = {.key = NULL},
};

static const ent_option options[] = {
	[OPT_CURRENCY] = {.key = "currency",
		.type = ENT_OPT_STR,
		.required = 1,
		.doc = "Currency of the shop, three letters: the file does not say it."},
	[OPT_STATUSES] = {.key = "statuses",
		.type = ENT_OPT_MAP,
		.doc = "What the statuses mean that a plugin of the shop added, or that mean something else here: sold, "
			   "pending, quote, cancelled, test or skip.",
		.item = status_items},
	[OPT_DATES] = {.key = "dates",
		.type = ENT_OPT_STR,
		.doc = "Pattern of Date, such as %m/%d/%Y %H:%M, for a file that a spreadsheet has saved."},
	[OPT_LABELS] = {.key = "labels",
		.type = ENT_OPT_MAP,
		.doc = "Headings of the file where the shop's language is not English.",
		.item = labels},
	{.key = NULL},
};

static ent_status reject(const analytics *a, const ent_row *r, uint32_t column, const char *why) {
	a->host->reject(a->ctx, r->place, column, why);
	return ENT_OK;
}

/* Only of one product can the cell be read: "2× Name", where all items that were sold are those two. Names hold commas,
 * and so does the list of them. */
static ent_str product(analytics *a, const ent_row *r, int64_t quantity) {
	ent_str s = text_trim(r->cell[C_PRODUCTS]);
	size_t digits = 0;
	int64_t n = 0;
	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (!digits || digits > 9 || s.n < digits + 2 || memcmp(s.p + digits, "\xc3\x97", 2) != 0 ||
		text_digits(s.p, digits, &n) || n * 1000 != quantity)
		return (ent_str){NULL, 0};
	s = text_trim((ent_str){s.p + digits + 2, s.n - digits - 2});
	if (!s.n || s.n > sizeof a->name)
		return (ent_str){NULL, 0};
	return (ent_str){a->name, woo__plain(s, a->name)};
}

/* A refund's row: its order's number, its own day, and sales below zero. */
static ent_status refund(
	analytics *a, const ent_row *r, ent_str number, ent_time at, ent_time version, int64_t net, int64_t quantity) {
	/* refunds have no number here; their amount is part of the key, for two of one order may fall on one day */
	int n = snprintf(a->key, sizeof a->key, "%.*s %" PRId64 " %" PRId64, (int)number.n, number.p, at.v, -net);
	if (n < 0 || (size_t)n >= sizeof a->key)
		return reject(a, r, C_NUMBER, "the number of the order is too long");
	ent_refund f = {.h = {.has = ENT_HAS_AMOUNT | ENT_HAS_QUANTITY,
						.place = r->place,
						.key = {a->key, (size_t)n},
						.version = version},
		.order_key = number,
		.at = at,
		.kind = ENT_REFUND_GOODS,
		.amount = -net,
		.quantity = -quantity};
	memcpy(f.currency, a->currency, 4);
	return a->host->push(a->ctx, ENT_REFUND, &f, sizeof f, 1);
}

static ent_status order(analytics *a, const ent_row *r, ent_order *o, int64_t quantity) {
	ent_line l = {.h = {.has = ENT_HAS_QUANTITY | ENT_HAS_GROSS | ENT_HAS_NET,
					  .place = r->place,
					  .key = TEXT("all"),
					  .version = o->h.version},
		.order_key = o->h.key,
		.quantity = quantity,
		.gross = o->gross,
		.net = o->gross};
	memcpy(o->currency, a->currency, 4);
	memcpy(l.currency, a->currency, 4);
	o->h.has = ENT_HAS_GROSS | ENT_HAS_TAX_INCLUDED; /* net sales are without tax */
	o->channel = text_given(text_trim(r->cell[C_ATTRIBUTION]));
	o->customer_kind = text_given(text_trim(r->cell[C_TYPE]));
	l.name = product(a, r, quantity);
	ent_status e = a->host->push(a->ctx, ENT_ORDER, o, sizeof *o, 1);
	return e ? e : a->host->push(a->ctx, ENT_LINE, &l, sizeof l, 1);
}

/* Whole pieces; below zero in a refund's row. */
static int items_of(const analytics *a, const ent_row *r, int64_t *quantity) {
	ent_str s = text_trim(r->cell[C_ITEMS]);
	return s.n && text_quantity(a->host, s, quantity) ? -1 : 0;
}

static ent_status row(void *self, const ent_row *r) {
	analytics *a = self;
	ent_str number = text_id(r->cell[C_NUMBER]), date = text_trim(r->cell[C_DATE]);
	ent_order o = {.h = {.place = r->place, .key = number}};
	int64_t quantity = 0;
	if (!number.n)
		return reject(a, r, C_NUMBER, "no number of an order");
	if (!date.n || a->host->time(date, a->dates, &o.at) || o.at.kind == ENT_TIME_MONTH)
		return reject(a, r, C_DATE, "not a date; say how it is written with the option dates");
	if (text_amount(a->host, r->cell[C_NET], &o.gross))
		return reject(a, r, C_NET, "not an amount");
	if (items_of(a, r, &quantity))
		return reject(a, r, C_ITEMS, "not a number of items");
	/* The REST API says when an order was last changed, this report does not: a day before the order itself, so that
	 * what it knows less of never takes the place of what is known. Of two reports the later file counts. */
	o.h.version = o.at;
	o.h.version.v -= o.at.kind == ENT_TIME_DATE ? 1 : INT64_C(1000000) * DAY;
	if (o.gross < 0 || quantity < 0)
		return refund(a, r, number, o.at, o.h.version, o.gross, quantity);
	if (!o.gross && !quantity) { /* the number is its order's: taken for one, it would empty that */
		a->host->skip(a->ctx, r->place, "neither items nor sales: a refund of shipping, or an order of nothing");
		return ENT_OK;
	}
	int status = woo__status(&a->statuses, text_trim(r->cell[C_STATUS]));
	if (status == STATUS_SKIP) {
		a->host->skip(a->ctx, r->place, "an order that is not placed");
		return ENT_OK;
	}
	if (status == STATUS_GONE) {
		o.h.op = ENT_RETRACT;
		return a->host->push(a->ctx, ENT_ORDER, &o, sizeof o, 1);
	}
	if (status < 0)
		return reject(a, r, C_STATUS, "unknown status; say what it means with the option statuses");
	o.status = (uint8_t)status;
	return order(a, r, &o, quantity);
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	static const char *const names[] = {"order #", "n. revenue", "items sold", "product(s)", "customer type"};
	enum { ALL = sizeof names / sizeof *names };
	(void)doc;
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = {head.p, end ? (size_t)(end - head.p) : head.n};
	int found = 0;
	for (size_t i = 0; i < ALL; i++)
		found += text_has_fold(line, names[i]);
	*why = found == ALL ? "Order #, N. Revenue, Items sold, Product(s), Customer type: the orders report of WooCommerce"
		   : found      ? "some columns of WooCommerce's orders report, and not all"
						: "no columns Order #, N. Revenue, Items sold, Product(s), Customer type";
	return found == ALL ? 95 : found >= 3 ? 40 : 0;
}

static void destroy(void *self) {
	analytics *a = self;
	if (!a)
		return;
	free(a->columns);
	free(a);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	ent_str currency = values[OPT_CURRENCY].s;
	if (!text_capitals(currency, 3)) {
		host->error(ctx, 0, ENT_NO_COLUMN, "woocommerce-analytics was not told a currency of three capital letters",
			"write decode: {woocommerce-analytics: {currency: EUR}}, with the currency of the shop: the file does not "
			"say it");
		return ENT_EOPTION;
	}
	analytics *a = calloc(1, sizeof *a);
	if (!a)
		return ENT_ENOMEM;
	a->host = host;
	a->ctx = ctx;
	memcpy(a->currency, currency.p, 3);
	a->statuses.given = &values[OPT_STATUSES];
	a->dates = values[OPT_DATES].s.n ? values[OPT_DATES].s.p : NULL;
	a->columns = columns_labelled(columns, C_COUNT, &values[OPT_LABELS]);
	if (!a->columns) {
		free(a);
		return ENT_ENOMEM;
	}
	*self = a;
	return ENT_OK;
}

static const ent_column *wants(void *self) { return ((analytics *)self)->columns; }

static ent_status begin(void *self, const ent_doc *doc) {
	(void)self, (void)doc; /* each row stands for itself */
	return ENT_OK;
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

const ent_decoder woo__analytics = {
	.size = sizeof(ent_decoder),
	.name = "woocommerce-analytics",
	.doc = "Orders and dated refunds, by net sales alone, from the orders report of WooCommerce's analytics as CSV.",
	.version = "1",
	.system = "woocommerce",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE | 1u << ENT_REFUND,
	.frame = ENT_FRAME_DELIMITED,
	.options = options,
	.columns = columns, /* wants() has the same, with other headings where the configuration says so */
	.probe = probe,
	.create = create,
	.wants = wants,
	.begin = begin,
	.row = row,
	.end = end,
	.destroy = destroy,
};
