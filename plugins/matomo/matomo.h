/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the Matomo plugin share. One thread, that of the worker.
 *
 * A body (JSON or XML) is taken apart into records, each a JSON object whether it was written as XML or not: body.c,
 * xml.c. A record, or a row of a CSV export, is a visit (visit.c, shop.c) or a row of a report (figures.c). Both are
 * read through a table of names, which are those of the API in all three forms.
 */
#ifndef ENTENTE_PLUGINS_MATOMO_H
#define ENTENTE_PLUGINS_MATOMO_H

#include "../common/jsonl.h"
#include "../common/report.h"

typedef struct XML_ParserStruct *mat_parser;

/* What is read of a visit. */
enum {
	VISIT_ID,
	VISIT_SITE,
	VISIT_VISITOR,
	VISIT_FINGERPRINT,
	VISIT_USER,
	VISIT_CURRENCY,
	VISIT_FIRST,
	VISIT_LAST,
	VISIT_DAY,
	VISIT_TYPE,
	VISIT_STATUS,
	VISIT_DURATION,
	VISIT_ACTIONS,
	VISIT_INTERACTIONS,
	VISIT_REFERRER_TYPE,
	VISIT_REFERRER,
	VISIT_CAMPAIGN,
	VISIT_CAMPAIGN_SOURCE,
	VISIT_CAMPAIGN_MEDIUM,
	VISIT_COUNTRY,
	VISIT_DEVICE,
	VISIT_FIELDS
};

/* What is read of a row of a report. */
enum {
	FIGURE_DATE,
	FIGURE_VISITS,
	FIGURE_VISITORS,
	FIGURE_PAGEVIEWS,
	FIGURE_BOUNCES,
	FIGURE_LENGTH,
	FIGURE_LABEL,
	FIGURE_SEGMENT,
	FIGURE_CODE,
	FIGURE_CONVERSIONS,
	FIGURE_CONVERTED,
	FIGURE_REVENUE,
	FIGURE_SUBTOTAL,
	FIGURE_TAX,
	FIGURE_SHIPPING,
	FIGURE_DISCOUNT,
	FIGURE_ITEMS,
	FIGURE_QUANTITY,
	FIGURE_ORDERS,
	FIGURE_CARTS,
	FIGURE_FIELDS
};

/* Their names, which are columns of the CSV exports as well; both end with NULL. */
extern const ent_column mat__visit_columns[VISIT_FIELDS + 1];
extern const ent_column mat__figure_columns[FIGURE_FIELDS + 1];

enum { MAT_OPT_PERIOD, MAT_OPT_CURRENCY, MAT_OPT_DECIMAL, MAT_OPT_COLUMNS };

enum { MAT_DEPTH = 32, MAT_RECORD_MAX = 64 << 20 };

typedef struct mat_level mat_level; /* an element that is open, see xml.c */

typedef struct matomo {
	const ent_host *host;
	ent_ctx *ctx;
	char currency[4]; /* of the option, or empty */
	char decimal, group;
	report_days asked;   /* of the option */
	report_days days;    /* of the document in hand: asked, else as its name tells */
	ent_column *columns; /* of mat__figure_columns, with the names of the option */
	uint32_t seen;       /* 1 << kind of the facts of this document */
	unsigned totals;     /* rows of a table that nothing tells apart */
	report_days least;   /* first to last day of its observations */

	/* bodies */
	enum { MAT_UNKNOWN, MAT_JSON, MAT_XML } form;
	uint64_t at; /* bytes fed so far */
	json_tokener *tokener;
	char *text; /* a record in hand; in XML the texts of the open elements */
	size_t text_n, text_room;
	uint64_t place; /* where it begins */
	int depth;      /* JSON: brackets open in the record in hand */
	uint8_t bom, in_list, in_record, in_string, escaped;
	mat_parser parser;
	mat_level *levels; /* XML: MAT_DEPTH elements that are open */
	int open;
	ent_status status; /* XML: what a handler wants to be returned */

	ent_line *lines; /* of one order */
	size_t lines_room;
} matomo;

/* ---- documents ---- */

ent_status mat__begin(void *self, const ent_doc *doc);
/* Tells the days that the document speaks for, of the kinds of facts that it is about. */
void mat__covers(matomo *m);
/* Says what is wrong, once. Returns what feed() is to return. */
ent_status mat__refuse(matomo *m, uint64_t place, const char *what, const char *todo);
int mat__text(matomo *m, const char *p, size_t n); /* appends to `text`; -1: no memory, 1: it is too long */

ent_status mat__feed(void *self, ent_str bytes, int eof);
ent_status mat__end(void *self);
int mat__xml_open(matomo *m);
void mat__xml_close(matomo *m);
ent_status mat__xml_feed(matomo *m, ent_str bytes, int eof);

/* ---- records ---- */

/* One value of a body. `date` is that of the part of the answer it stands in, or absent. */
ent_status mat__record(matomo *m, json_object *o, uint64_t place, ent_str date);
/* `actions`: actionDetails, or NULL if they are not there. */
ent_status mat__visit(matomo *m, const ent_str field[VISIT_FIELDS], json_object *actions, uint64_t place);
ent_status mat__figures(matomo *m, const ent_str field[FIGURE_FIELDS], uint64_t place, int table);

/* Orders and left carts among the actions of a visit. */
typedef struct mat_seen {
	uint32_t steps, pageviews, purchases, load_ms, loads;
	ent_str landing;
} mat_seen;
ent_status mat__actions(
	matomo *m, const ent_str field[VISIT_FIELDS], json_object *actions, uint64_t place, ent_time at, mat_seen *seen);

/* Where a visit came from: the medium, else the kind of referrer; and the campaign, if there is one. */
ent_str mat__channel(const ent_str field[VISIT_FIELDS]);
ent_str mat__campaign(const ent_str field[VISIT_FIELDS]);
/* Seconds since 1970. 0, or -1: that is no such number. */
int mat__stamp(ent_str s, ent_time *out);
/* As a code of three letters: what `s` says, else the option. -1: neither does. */
int mat__currency(const matomo *m, ent_str s, char out[4]);

/* ---- CSV ---- */

extern const ent_decoder mat__visits_table, mat__reports_table;
ent_status mat__create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self);
ent_status mat__create_report(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self);
void mat__destroy(void *self);
extern const ent_option mat__options[], mat__report_options[];

#endif
