/* SPDX-License-Identifier: Apache-2.0
 *
 * Adobe Analytics data feeds: hit_data.tsv, one server call a line. What the files of the decoder share. One instance,
 * one thread.
 */
#ifndef ENTENTE_PLUGIN_ADOBE_H
#define ENTENTE_PLUGIN_ADOBE_H

#include "../common/carts.h"
#include "../common/rows.h"

enum { FIELDS_MAX = 4096, KEY_MAX = 255, DAYS_MAX = 64 };

/* Columns that are read. Where a feed has both, the one that Adobe's processing left (post_) counts. */
enum {
	C_HIGH,
	C_LOW,
	C_VISIT_NUM,
	C_VISIT_START,
	C_HIT_TIME,
	C_EXCLUDE,
	C_HIT_SOURCE,
	C_PERSPECTIVE,
	C_EVENTS,
	C_PRODUCTS,
	C_PURCHASE_ID,
	C_DUPLICATE,
	C_PAGENAME,
	C_PAGE_URL,
	C_REF_TYPE,
	C_REF_DOMAIN,
	C_CAMPAIGN,
	C_GEO_COUNTRY,
	C_COUNTRY,
	C_MOBILE,
	C_HITID_HIGH,
	C_HITID_LOW,
	C_DATE_TIME,
	COLUMNS
};

typedef struct name_of {
	const char *name;
	int column, post;
} name_of;
extern const name_of known_columns[]; /* ends with NULL */

/* A table of a companion: lines of a number and a name. */
typedef struct lookup {
	char *text; /* owned copy */
	size_t n;
} lookup;

typedef struct product {
	ent_str category, name, quantity, price;
	int parts;
} product;

typedef struct adobe {
	const ent_host *host;
	ent_ctx *ctx;
	char currency[4];
	int encoding; /* index into its choices */
	/* of the document */
	int field[COLUMNS];  /* number of the field, -1: the feed has no such column */
	uint32_t *column_of; /* by field: column + 1, 0: not read */
	size_t fields;
	int named;              /* the columns are known */
	int64_t days[DAYS_MAX]; /* of hits that counted, where the name of the document says none */
	int n_days, dated;
	lookup countries, referrers;
	ent_str name;           /* during begin() only: of the document, without its folders */
	int64_t expected, hits; /* rows that the manifest tells of, -1: none; and those there were */
	carts carts;
	rows rows;
	/* the row in hand */
	ent_str cell[COLUMNS];
	char *scratch;
	size_t scratch_n, scratch_room;
	product *products;
	size_t n_products, products_room;
	char *product_text;
	size_t product_room;
} adobe;

/* Names of the columns, separated by tabs. 0, or -1 with *why: what is missing; NULL: memory. */
int names_take(adobe *a, ent_str line, const char **why);
/* Finds header and lookups among the companions; tar archives are opened. ENT_ENOTFORMAT: refused, and told. */
ent_status beside_take(adobe *a, const ent_doc *doc);
void beside_clear(adobe *a);
/* Name of a number, or absent. */
ent_str lookup_find(const lookup *l, ent_str number);

/* One hit, whose cells stand in a->cell. */
ent_status hit(adobe *a, uint64_t place);

/* Cuts a product list. 0, or -1 with *why; NULL: no memory. */
int products_cut(adobe *a, ent_str list, const char **why);

/* Text in UTF-8, by the option. -1: not UTF-8 where that is declared. What is converted lives until the next row. */
int text_utf8(adobe *a, ent_str *s);

#endif
