/* SPDX-License-Identifier: Apache-2.0
 *
 * Folding: what a document adds to the cells. The same function adds (sign +1) and takes back (sign -1), so a document
 * that changes is taken back whole and added anew. It depends on the document and on the configuration of days, views
 * and channels only. One thread. */
#ifndef ENT_METRICS_FOLD_H
#define ENT_METRICS_FOLD_H

#include "base/error.h"
#include "base/zone.h"
#include "facts/document.h"
#include "metrics/cells.h"

#include <stdbool.h>

/* What folding must know of the configuration. All pointers are borrowed; codes are the store's. */
typedef struct ent_fold {
	ent_cells *cells;
	bool views[ENT_VIEW_COUNT]; /* total is always kept */
	/* Zone of a partner; never NULL. */
	const ent_zone *(*zone)(void *ctx, uint32_t partner);
	/* Zone in which a source writes times without offset, NULL: that of the partner. */
	const ent_zone *(*source_zone)(void *ctx, uint32_t source);
	/* Configured name of a raw channel of a system. */
	uint32_t (*channel)(void *ctx, uint32_t system, uint32_t raw);
	/* Code of an ISO 4217 text. */
	uint32_t (*currency)(void *ctx, const char currency[4]);
	/* Order of two partners by name: codes depend on arrival, names do not. */
	int (*compare_partners)(void *ctx, uint32_t a, uint32_t b);
	/* Code of a value that no source wrote: a customer's number, an index of ent_load_times. NULL where no such view is on. */
	uint32_t (*made)(void *ctx, ent_view, uint32_t what);
	/* A keyed fact that is read one by one (contact, observation, entry, touch) as it stands now, or, with sign -1, goes. */
	int (*record)(void *ctx, const ent_document *, const ent_item *head, int32_t day, int sign, ent_error *e);
	/* What users declared; NULL: nothing. Then `text` gives the text of a code. */
	struct ent_custom *custom;
	const char *(*text)(void *ctx, uint32_t code);
	void *ctx;
	/* of folding itself */
	char last_currency[4];
	uint32_t last_currency_code;
} ent_fold;

/* Adds the document to the cells, or takes it back. ENT_ERR_RANGE if a sum leaves int64. */
int ent_fold_document(ent_fold *, const ent_document *, int sign, ent_error *e);
/* Day on which an item counts, in the zone of `partner`. false: it has no time (a line, a retraction). */
bool ent_fold_day(const ent_fold *, const ent_item *, uint32_t partner, int32_t *day);
/* A time as an instant, in microseconds, where it is a wall clock time or a date in the zone of source or partner. */
int64_t ent_fold_instant(const ent_fold *, ent_time, uint32_t source, uint32_t partner);
/* What a partner has of an order, as if it were sold; 0 for what stands apart: false if it has nothing of it, or the order is
 * gone, pending or a test. An amount that leaves 64 bits: false, and *overflow. */
typedef struct ent_order_share {
	int32_t day;
	bool whole; /* the header's amounts are this partner's */
	int64_t m[ENT_FAMILY_WIDTH]; /* by measure */
} ent_order_share;
bool ent_fold_share(ent_fold *, const ent_document *, uint32_t partner, ent_order_share *, bool *overflow);
/* Does the partner's share hold this line? And what were its goods, before the discount? */
bool ent_fold_has_line(const ent_order_share *, const ent_item *line, uint32_t partner);
int64_t ent_fold_line_gross(const ent_item *line);
/* The parts of a visit added up. */
ent_item ent_fold_visit(const ent_document *);

#endif
