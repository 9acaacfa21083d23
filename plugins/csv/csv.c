/* SPDX-License-Identifier: Apache-2.0
 *
 * The CSV plugin: any delimited file, read by a mapping from its columns to the fields of a fact. This file holds the
 * options and the decoder's life; fields.c what may be mapped, mapping.c the checks, convert.c and dates.c the meaning
 * of cells, rows.c the facts.
 */
#include "csv.h"

#include <stdlib.h>

static const char *const decimals[] = {".", ",", NULL};
static const char *const groups[] = {"none", ",", ".", "space", "'", NULL};
static const char *const identities[] = {"customer", "email", "phone", NULL};
static const char *const repeats[] = {"replace", "facts", NULL};

static const ent_option any_text[] = {
	{.key = "*", .type = ENT_OPT_STR, .doc = "A field of the fact, and the text that goes with it."}, {.key = NULL}};
static const ent_option any_words[] = {
	{.key = "*",
		.type = ENT_OPT_MAP,
		.item = any_text,
		.doc = "A field, and for words of the file what they mean; \"*\": all others."},
	{.key = NULL}};
static const ent_option any_field[] = {
	{.key = "field", .type = ENT_OPT_STR, .doc = "A field or a word."}, {.key = NULL}};

static const ent_option options[] = {
	[OPT_SYSTEM] = {.key = "system",
		.type = ENT_OPT_STR,
		.doc = "Name of the keyspace: sources of one system share their keys, an order and its lines for example."},
	[OPT_FACT] = {.key = "fact",
		.type = ENT_OPT_ENUM,
		.required = 1,
		.choices = csv__shapes,
		.doc = "What a row is; order-lines: a line with its order's fields beside it."},
	[OPT_COLUMNS] = {.key = "columns",
		.type = ENT_OPT_MAP,
		.required = 1,
		.item = any_text,
		.doc = "Field of the fact: name of the file's column."},
	[OPT_CONSTANTS] = {.key = "constants",
		.type = ENT_OPT_MAP,
		.item = any_text,
		.doc = "Field of the fact: what it is in every row, or in rows that leave its column empty."},
	[OPT_VALUES] = {.key = "values",
		.type = ENT_OPT_MAP,
		.item = any_words,
		.doc = "Field: word of the file: what it means, as in status: {delivered: sold}."},
	[OPT_DATES] = {.key = "dates",
		.type = ENT_OPT_STR,
		.preset = "auto",
		.doc = "How dates are written: auto (ISO 8601, or numbers if a day beyond the 12th decides), or a pattern as "
			   "%d.%m.%Y."},
	[OPT_DATES_OF] = {.key = "dates_of",
		.type = ENT_OPT_MAP,
		.item = any_text,
		.doc = "Field: how this one is written, where columns differ."},
	[OPT_DECIMAL] =
		{.key = "decimal", .type = ENT_OPT_ENUM, .preset = ".", .choices = decimals, .doc = "Decimal mark of amounts."},
	[OPT_GROUP] = {.key = "group",
		.type = ENT_OPT_ENUM,
		.preset = "none",
		.choices = groups,
		.doc = "Mark between thousands in amounts."},
	[OPT_ABSENT] = {.key = "absent",
		.type = ENT_OPT_LIST,
		.item = any_field,
		.doc = "Words that stand for an empty cell, as NA."},
	[OPT_OPTIONAL] = {.key = "optional",
		.type = ENT_OPT_LIST,
		.item = any_field,
		.doc = "Fields whose column a file may lack; without it such a file is refused."},
	[OPT_NEGATE] = {.key = "negate",
		.type = ENT_OPT_LIST,
		.item = any_field,
		.doc = "Amounts and quantities that the file writes with the opposite sign."},
	[OPT_IDENTITY] = {.key = "identity",
		.type = ENT_OPT_ENUM,
		.preset = "customer",
		.choices = identities,
		.doc =
			"What the column of the customer holds: the shop's own number, an e-mail address or a telephone number."},
	[OPT_REPEATS] = {.key = "repeats",
		.type = ENT_OPT_ENUM,
		.preset = "replace",
		.choices = repeats,
		.doc =
			"Rows with one key: the later replaces; facts: rows have no key, and equal rows are lines of their own."},
	[OPT_COMPLETE] = {.key = "complete",
		.type = ENT_OPT_BOOL,
		.preset = "false",
		.doc = "order-lines: rows of an order stand together and are all of its lines, so a line that a newer file "
			   "lacks is gone."},
	{.key = NULL},
};

static void destroy(void *self) {
	csv *d = self;
	if (!d)
		return;
	while (d->blocks) {
		csv_block *b = d->blocks;
		d->blocks = b->next;
		free(b);
	}
	free(d->seen);
	free(d->twins);
	free(d->held);
	free(d);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	csv *d = calloc(1, sizeof *d);
	if (!d)
		return ENT_ENOMEM;
	d->host = host;
	d->ctx = ctx;
	ent_status e = csv__mapping(d, values);
	if (e)
		destroy(d);
	else
		*self = d;
	return e;
}

static const ent_column *wants(void *self) { return ((csv *)self)->wanted; }

static void forget(uint64_t *table, size_t *n, size_t room) {
	if (*n)
		memset(table, 0, room * 2 * sizeof *table);
	*n = 0;
}

static ent_status begin(void *self, const ent_doc *doc) {
	csv *d = self;
	(void)doc;
	d->order_n = 0;
	d->partner_n = 0;
	d->bad = 0;
	forget(d->seen, &d->n_seen, d->room_seen);
	forget(d->twins, &d->n_twins, d->room_twins);
	csv__dates_begin(d);
	return ENT_OK;
}

static ent_status row(void *self, const ent_row *r) {
	csv *d = self;
	int open = csv__dates_look(d, r);
	if (open < 0)
		return (ent_status)open;
	if (open) {
		int full = csv__hold(d, r);
		return full < 0 ? ENT_ENOMEM : full ? csv__dates_undecided(d) : ENT_OK;
	}
	ent_status e = d->held_rows ? csv__release(d) : ENT_OK;
	return e ? e : csv__facts(d, r);
}

static ent_status end(void *self) {
	csv *d = self;
	return d->waiting ? csv__dates_undecided(d) : ENT_OK;
}

/* A date that only the rest of the column explains keeps the file in one piece. */
static int starts(void *self, const ent_row *before, const ent_row *r) {
	csv *d = self;
	if (!before)
		return 1;
	if (d->complete)
		return 0; /* that no order stands in two places is seen by whoever reads the whole file */
	if (d->order_of && (d->repeats || d->shape == SHAPE_ORDER_LINES) &&
		text_equal(before->cell[d->order_of->column], r->cell[d->order_of->column]))
		return 0;
	return csv__dates_can_cut(d, r);
}

static const ent_decoder decoder = {
	.size = sizeof(ent_decoder),
	.name = "csv",
	.doc = "Any delimited file, by a mapping from its columns to the fields of a fact.",
	.version = "1",
	.system = "csv",
	.facts = 1u << ENT_ORDER | 1u << ENT_LINE | 1u << ENT_REFUND | 1u << ENT_CART | 1u << ENT_VISIT |
			 1u << ENT_CONTACT | 1u << ENT_OBSERVATION | 1u << ENT_ENTRY,
	.frame = ENT_FRAME_DELIMITED,
	.options = options,
	.create = create,
	.wants = wants,
	.begin = begin,
	.row = row,
	.starts = starts,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "csv",
	.version = "1.0.0",
	.decoders = decoders,
};
