/* SPDX-License-Identifier: Apache-2.0
 *
 * The Magento plugin: the orders grid that the admin of Magento 2 and Adobe Commerce exports as CSV. This file holds
 * the tables; order.c says what a row means, words.c what stands in its cells.
 */
#include "magento.h"

#include "../common/columns.h"

#include <stdlib.h>

static const ent_column columns[C_COUNT + 1] = {
	[C_ID] = {"ID", NULL, 1},
	[C_POINT] = {"Purchase Point", NULL, 0},
	[C_DATE] = {"Purchase Date", NULL, 1},
	[C_TOTAL_BASE] = {"Grand Total (Base)", "G.T. (Base)", 1},
	[C_TOTAL] = {"Grand Total (Purchased)", "G.T. (Purchased)", 0},
	[C_STATUS] = {"Status", NULL, 1},
	[C_EMAIL] = {"Customer Email", NULL, 0},
	[C_GROUP] = {"Customer Group", NULL, 0},
	[C_SUBTOTAL] = {"Subtotal", NULL, 1},
	[C_SHIPPING] = {"Shipping and Handling", NULL, 0},
	[C_PAYMENT] = {"Payment Method", NULL, 0},
	[C_REFUNDED] = {"Total Refunded", NULL, 0},
	[C_COUNT] = {NULL, NULL, 0},
};

#define LABEL(column, name, label)                                                                                     \
	[column] = {.key = name, .type = ENT_OPT_STR, .doc = "What the heading " label " is in the file."}

static const ent_option labels[C_COUNT + 1] = {
	LABEL(C_ID, "id", "ID"),
	LABEL(C_POINT, "point", "Purchase Point"),
	LABEL(C_DATE, "date", "Purchase Date"),
	LABEL(C_TOTAL_BASE, "total_base", "Grand Total (Base)"),
	LABEL(C_TOTAL, "total", "Grand Total (Purchased)"),
	LABEL(C_STATUS, "status", "Status"),
	LABEL(C_EMAIL, "email", "Customer Email"),
	LABEL(C_GROUP, "group", "Customer Group"),
	LABEL(C_SUBTOTAL, "subtotal", "Subtotal"),
	LABEL(C_SHIPPING, "shipping", "Shipping and Handling"),
	LABEL(C_PAYMENT, "payment", "Payment Method"),
	LABEL(C_REFUNDED, "refunded", "Total Refunded"),
	[C_COUNT] = {.key = NULL},
};

static const char *const partner_choices[] = {"source", "point", NULL};
static const char *const keys_choices[] = {"view", "id", NULL};
static const char *const rest_choices[] = {"unknown", "tax", "discount", NULL};

static const ent_option options[] = {
	[MAGENTO_OPT_CURRENCY] = {.key = "currency",
		.type = ENT_OPT_STR,
		.required = 1,
		.doc = "Base currency of the website, three letters: the file does not say it."},
	[MAGENTO_OPT_STATUSES] = {.key = "statuses",
		.type = ENT_OPT_MAP,
		.doc = "What the statuses mean that the shop added, or that mean something else here: sold, pending, quote, "
			   "cancelled, test or skip.",
		.item = status_items},
	[MAGENTO_OPT_PARTNER] = {.key = "partner",
		.type = ENT_OPT_ENUM,
		.preset = "source",
		.choices = partner_choices,
		.doc = "Whose an order is: as the source says, or the Purchase Point."},
	[MAGENTO_OPT_KEYS] = {.key = "keys",
		.type = ENT_OPT_ENUM,
		.preset = "view",
		.choices = keys_choices,
		.doc =
			"What tells orders apart: ID and Purchase Point, or the ID alone where no two store views share numbers."},
	[MAGENTO_OPT_REST] = {.key = "rest",
		.type = ENT_OPT_ENUM,
		.preset = "unknown",
		.choices = rest_choices,
		.doc = "What Grand Total differs by from Subtotal and Shipping: tax in a shop that gives no discounts, "
			   "discount in "
			   "one that bills no tax."},
	[MAGENTO_OPT_DATES] = {.key = "dates",
		.type = ENT_OPT_STR,
		.doc = "Pattern of Purchase Date, such as %d.%m.%Y %H:%M:%S, for an admin in another language."},
	[MAGENTO_OPT_LABELS] = {.key = "labels",
		.type = ENT_OPT_MAP,
		.doc = "Headings of the file where the admin's language is not English.",
		.item = labels},
	{.key = NULL},
};

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	static const char *const names[] = {"purchase date", "purchase point", "(base)", "(purchased)"};
	(void)doc;
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = {head.p, end ? (size_t)(end - head.p) : head.n};
	int found = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		found += text_has_fold(line, names[i]);
	*why = found == 4 ? "Purchase Point, Purchase Date and grand totals (Base) and (Purchased): Magento's orders grid"
		   : found    ? "some of Purchase Point, Purchase Date and grand totals (Base) and (Purchased), and not all"
					  : "no Purchase Point, Purchase Date and grand totals (Base) and (Purchased)";
	return found == 4 ? 95 : found == 3 ? 40 : 0;
}

static void destroy(void *self) {
	magento *m = self;
	if (!m)
		return;
	free(m->columns);
	free(m);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	ent_str currency = values[MAGENTO_OPT_CURRENCY].s;
	if (!text_capitals(currency, 3)) {
		host->error(ctx, 0, ENT_NO_COLUMN, "magento was not told a currency of three capital letters",
			"write decode: {magento: {currency: EUR}}, with the base currency of the website: the file does not say "
			"it");
		return ENT_EOPTION;
	}
	magento *m = calloc(1, sizeof *m);
	if (!m)
		return ENT_ENOMEM;
	m->host = host;
	m->ctx = ctx;
	memcpy(m->currency, currency.p, 3);
	m->statuses.given = &values[MAGENTO_OPT_STATUSES];
	m->partner = (int)values[MAGENTO_OPT_PARTNER].i;
	m->keys = (int)values[MAGENTO_OPT_KEYS].i;
	m->rest = (int)values[MAGENTO_OPT_REST].i;
	m->dates = values[MAGENTO_OPT_DATES].s.n ? values[MAGENTO_OPT_DATES].s.p : NULL;
	m->columns = columns_labelled(columns, C_COUNT, &values[MAGENTO_OPT_LABELS]);
	if (!m->columns) {
		free(m);
		return ENT_ENOMEM;
	}
	*self = m;
	return ENT_OK;
}

static const ent_column *wants(void *self) { return ((magento *)self)->columns; }

static ent_status begin(void *self, const ent_doc *doc) {
	(void)self, (void)doc; /* each row stands for itself */
	return ENT_OK;
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

static const ent_decoder decoder = {
	.size = sizeof(ent_decoder),
	.name = "magento",
	.doc = "Orders, without lines, from the orders grid that Magento 2 and Adobe Commerce export as CSV.",
	.version = "1",
	.system = "magento",
	.facts = 1u << ENT_ORDER,
	.frame = ENT_FRAME_DELIMITED,
	.options = options,
	.probe = probe,
	.create = create,
	.columns = columns, /* wants() has the same, with other headings where the configuration says so */
	.wants = wants,
	.begin = begin,
	.row = magento__row,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "magento",
	.version = "1.0.0",
	.decoders = decoders,
};
