/* SPDX-License-Identifier: Apache-2.0
 *
 * The rates plugin: tables of exchange rates, long and wide, of days and of months, quoted either way. This file holds
 * the tables; row.c reads rows, names.c knows currencies. */
#include "rates.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const ways[] = {"per-base", "per-unit", NULL};
static const char *const marks[] = {".", ",", NULL};
static const ent_option one_currency[] = {
	{.key = "currency", .type = ENT_OPT_STR, .doc = "A code, or a name as the file writes it."}, {.key = NULL}};
static const ent_option one_code[] = {{.key = "*", .type = ENT_OPT_STR, .doc = "Its code by ISO 4217."}, {.key = NULL}};
static const ent_option one_count[] = {{.key = "*", .type = ENT_OPT_INT, .doc = "How many."}, {.key = NULL}};

static const ent_option options[] = {
	[OPT_SYSTEM] = {.key = "system",
		.type = ENT_OPT_STR,
		.preset = "rates",
		.doc = "Keyspace: of several files of one system, the newest says what a day's rate is."},
	[OPT_BASE] = {.key = "base",
		.type = ENT_OPT_STR,
		.doc = "The currency that all others are quoted against, where the file does not say it: EUR in the European "
			   "Central "
			   "Bank's tables."},
	[OPT_QUOTED] = {.key = "quoted",
		.type = ENT_OPT_ENUM,
		.preset = "per-base",
		.choices = ways,
		.doc = "What a number is: per-base, 1 base = x currency (1 EUR = 1.08 USD); per-unit, 1 currency = x base."},
	[OPT_INVERSE] = {.key = "inverse",
		.type = ENT_OPT_LIST,
		.item = one_currency,
		.doc = "Currencies that are quoted the other way."},
	[OPT_NAMES] = {.key = "names",
		.type = ENT_OPT_MAP,
		.item = one_code,
		.doc = "Names of currencies or countries in the file, with their codes. Those of the Federal Reserve's tables "
			   "are known."},
	[OPT_UNITS] = {.key = "units",
		.type = ENT_OPT_MAP,
		.item = one_count,
		.doc = "Currencies of which the file quotes several at once: JPY: 100, if it says what 100 yen are."},
	[OPT_DATES] = {.key = "dates",
		.type = ENT_OPT_STR,
		.doc = "How dates are written, if with slashes: %d/%m/%Y or %m/%d/%Y."},
	[OPT_DECIMAL] = {.key = "decimal", .type = ENT_OPT_ENUM, .preset = ".", .choices = marks, .doc = "Decimal mark."},
	[OPT_WHO] = {.key = "who", .type = ENT_OPT_STR, .doc = "Who publishes the rates, for the evidence."},
	{.key = NULL},
};

/* Does the header have a field of this name? Names in lower case are found in any spelling; those in upper case are
 * codes, of which ALL, TOP and TRY are words as well. */
static int has(ent_str line, const char *name) {
	size_t n = strlen(name);
	int fold = *name >= 'a';
	for (size_t i = 0; i + n <= line.n; i++) {
		char before = i ? line.p[i - 1] : ',', after = i + n < line.n ? line.p[i + n] : ',';
		if ((fold ? text_has_fold((ent_str){line.p + i, n}, name) : !memcmp(line.p + i, name, n)) &&
			strchr(",;\t\" ", before) && strchr(",;\t\" \r", after))
			return 1;
	}
	return 0;
}

/* Is a field a currency, or a series of the Federal Reserve? */
static void count_field(ent_str f, size_t *codes, size_t *series) {
	f = text_trim(f);
	if (f.n >= 2 && *f.p == '"')
		f = text_trim((ent_str){f.p + 1, f.n - 2});
	if (f.n != 3 && (f.n < 6 || f.n > 7))
		return;
	for (size_t i = 0; i < rates__wide_count(); i++) {
		const ent_column *c = &rates__columns[COL_WIDE + i];
		if (!rates__wide(i)->unit[0])
			*codes += f.n == 3 && !memcmp(f.p, c->name, 3);
		else
			*series += text_equal(f, (ent_str){c->name, strlen(c->name)}) ||
					   text_equal(f, (ent_str){c->aliases, strlen(c->aliases)});
	}
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	const char *end = head.n ? memchr(head.p, '\n', head.n < 4096 ? head.n : 4096) : NULL;
	ent_str line = {head.p, end ? (size_t)(end - head.p) : 0};
	size_t codes = 0, series = 0, fields = 0, from = 0;
	*why = "no columns named by currencies, and none for currency and rate";
	if (!line.n || *line.p == '{' || *line.p == '[' || *line.p == '<')
		return 0;
	for (size_t i = 0; i <= line.n; i++)
		if (i == line.n || line.p[i] == ',' || line.p[i] == ';' || line.p[i] == '\t') {
			count_field((ent_str){line.p + from, i - from}, &codes, &series);
			from = i + 1;
			fields++;
		}
	int day = has(line, "date") || has(line, "day") || has(line, "month") || has(line, "datum");
	if (has(line, "CURRENCY_DENOM") && has(line, "OBS_VALUE")) {
		*why = "columns CURRENCY_DENOM and OBS_VALUE: exchange rates as the European Central Bank's data portal writes "
			   "them";
		return 95;
	}
	if (day && codes >= 2 && codes * 2 > fields) {
		*why = "columns that are named by currencies";
		return 95;
	}
	if (series && (has(line, "observation_date") || day)) {
		*why = "a column that is one of the Federal Reserve's series of exchange rates";
		return 95;
	}
	if (day && has(line, "rate") && fields <= 12 &&
		(has(line, "pair") || (has(line, "from") && has(line, "to")) || has(line, "country") ||
			has(line, "currency"))) {
		*why = "columns for currency and rate";
		return 95;
	}
	return 0;
}

static void destroy(void *self) {
	rates *r = self;
	if (!r)
		return;
	free(r->names);
	free(r->inverse);
	free(r->units);
	free(r->texts);
	free(r);
}

static ent_status refuse(rates *r, const char *what, const char *todo) {
	r->host->error(r->ctx, 0, ENT_NO_COLUMN, what, todo);
	return ENT_EOPTION;
}

/* A copy that lives as long as r, with a NUL behind it. There is room for all: see create(). */
static ent_str keep(char **room, ent_str s) {
	char *p = *room;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	*room += s.n + 1;
	return (ent_str){p, s.n};
}

static ent_status configure(rates *r, const ent_value *values) {
	const ent_value *names = &values[OPT_NAMES], *inverse = &values[OPT_INVERSE], *units = &values[OPT_UNITS];
	size_t room = values[OPT_DATES].s.n + values[OPT_WHO].s.n + 2;
	for (size_t i = 0; i < names->n; i++)
		room += names->keys[i].n + 1;
	for (size_t i = 0; i < inverse->n; i++)
		room += inverse->items[i].s.n + 1;
	char *at = r->texts = malloc(room);
	r->names = calloc(names->n + 1, sizeof *r->names);
	r->inverse = calloc(inverse->n + 1, sizeof *r->inverse);
	r->units = calloc(units->n + 1, sizeof *r->units);
	if (!r->texts || !r->names || !r->inverse || !r->units)
		return ENT_ENOMEM;
	if (values[OPT_BASE].s.n && rates__code(values[OPT_BASE].s, r->base))
		return refuse(r, "base: no code of a currency", "write three letters, like EUR");
	if (values[OPT_DATES].s.n)
		r->pattern = keep(&at, values[OPT_DATES].s).p;
	if (values[OPT_WHO].s.n)
		r->who = keep(&at, values[OPT_WHO].s);
	for (size_t i = 0; i < names->n; i++) {
		rates_name *n = &r->names[r->n_names++];
		n->written = keep(&at, names->keys[i]);
		if (rates__code(names->items[i].s, n->code))
			return refuse(r, "names: what a name stands for is no code of a currency", "write three letters, like EUR");
	}
	for (size_t i = 0; i < inverse->n; i++)
		r->inverse[r->n_inverse++].written = keep(&at, inverse->items[i].s);
	for (size_t i = 0; i < units->n; i++) {
		rates_unit *u = &r->units[r->n_units++];
		u->units = units->items[i].i;
		if (rates__code(units->keys[i], u->code) || u->units < 1)
			return refuse(r, "units: no code of a currency, or less than one of it", "write it like JPY: 100");
	}
	return ENT_OK;
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	rates *r = calloc(1, sizeof *r);
	if (!r)
		return ENT_ENOMEM;
	*r = (rates){.host = host,
		.ctx = ctx,
		.per_unit = values[OPT_QUOTED].i == 1,
		.decimal = values[OPT_DECIMAL].i == 1 ? ',' : '.'};
	ent_status status = configure(r, values);
	if (status) {
		destroy(r);
		return status;
	}
	*self = r;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)doc;
	((rates *)self)->looked = 0;
	return ENT_OK;
}

static ent_status row(void *self, const ent_row *r) { return rates__row(self, r); }

static ent_status end(void *self) {
	(void)self; /* nothing is held back */
	return ENT_OK;
}

static const ent_decoder decoder = {
	.size = sizeof(ent_decoder),
	.name = "rates",
	.doc = "Exchange rates by day or month: tables with a column for each currency, or with a row for each, quoted "
		   "either way.",
	.version = "1",
	.system = "rates",
	.facts = 1u << ENT_OBSERVATION,
	.frame = ENT_FRAME_DELIMITED,
	.options = options,
	.columns = rates__columns,
	.probe = probe,
	.create = create,
	.begin = begin,
	.row = row,
	.end = end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "rates",
	.version = "1.0.0",
	.decoders = decoders,
};
