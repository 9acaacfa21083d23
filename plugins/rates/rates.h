/* SPDX-License-Identifier: Apache-2.0
 *
 * The rates plugin's insides. One decoder instance is used from one thread; it carries nothing from row to row. */
#ifndef ENTENTE_PLUGIN_RATES_H
#define ENTENTE_PLUGIN_RATES_H

#include "../common/decimal.h"

enum { OPT_SYSTEM, OPT_BASE, OPT_QUOTED, OPT_INVERSE, OPT_NAMES, OPT_UNITS, OPT_DATES, OPT_DECIMAL, OPT_WHO };

enum { /* columns, in the order of the table: first what a row is about, then one for each currency */
	COL_DATE,
	COL_FROM,
	COL_TO,
	COL_PAIR,
	COL_CODE,
	COL_CURRENCY,
	COL_COUNTRY,
	COL_DENOMINATOR,
	COL_UNITS,
	COL_RATE,
	COL_WIDE
};

/* What one column of a wide table is. */
typedef struct rates_column {
	char unit[4], currency[4]; /* 1 unit = x currency; unit empty: `currency` against the base, as the options say */
} rates_column;

typedef struct rates_pair {
	char unit[4], currency[4]; /* 1 unit = x currency */
	int64_t units;             /* the quote is for so many units */
} rates_pair;

typedef struct rates_unit {
	char code[4];
	int64_t units;
} rates_unit;

typedef struct rates_name {
	ent_str written; /* in `texts` */
	char code[4];    /* empty: in a list, where only the name matters */
} rates_name;

typedef struct rates {
	const ent_host *host;
	ent_ctx *ctx;
	char base[4]; /* empty: the document has to say */
	int per_unit; /* 1 currency = x base; else 1 base = x currency */
	char decimal;
	const char *pattern; /* NULL: as it stands */
	ent_str who;
	rates_name *names, *inverse;
	rates_unit *units;
	size_t n_names, n_inverse, n_units;
	char *texts; /* of the options: they are only lent to create() */
	int looked;  /* that the columns of this document make sense */
} rates;

/* names.c */
extern const ent_column rates__columns[];
size_t rates__wide_count(void);
const rates_column *rates__wide(size_t i);
/* A currency as ISO 4217 writes it, from that or, if `day` says that it was one then, from the name of a country. 0, or
 * -1 and *why. */
int rates__currency(const rates *r, ent_str text, int64_t day, char out[4], const char **why);
int rates__code(ent_str text, char out[4]); /* three letters; 0 or -1 */

/* row.c */
ent_status rates__row(rates *r, const ent_row *row);

#endif
