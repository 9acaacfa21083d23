/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of folding share. */
#ifndef ENT_METRICS_FOLD_INTERNAL_H
#define ENT_METRICS_FOLD_INTERNAL_H

#include "base/num.h"
#include "metrics/fold.h"

typedef struct ent__view_value {
	uint8_t view;
	uint32_t value;
} ent__view_value;

enum { ENT__ORDER_VIEWS = 6 };

/* One partner's share of an order. */
typedef struct ent__share {
	uint32_t partner;
	bool whole; /* the header's amounts are this partner's */
	bool shared; /* another partner counts the order already */
	bool dated;  /* has dated refunds */
	int32_t day;
	uint32_t currency;
	ent__view_value views[ENT__ORDER_VIEWS]; /* those of the order itself that are kept; the first is the total */
	unsigned n_views;
	int64_t m[ENT_FAMILY_WIDTH];
} ent__share;

/* What the goods of a line cost before discounts. */
static inline int64_t ent__line_gross(const ent_item *line) {
	const ent_wire_line *l = &line->body.line;
	if (line->has & ENT_HAS_GROSS) {
		return l->gross;
	}
	int64_t v = 0;
	return (line->has & ENT_HAS_UNIT_PRICE) && ent_muldiv(l->unit_price, l->quantity, 1000, &v) ? v : 0;
}

/* The text that it has in a view of lines. */
static inline uint32_t ent__line_value(const ent_item *line, unsigned view) {
	const ent_wire_line *l = &line->body.line;
	switch (view) {
	case ENT_VIEW_CATEGORY:
		return l->category;
	case ENT_VIEW_VENDOR:
		return l->vendor;
	default:
		return l->product ? l->product : l->sku;
	}
}

bool ent__fold_day_of(const ent_fold *, ent_time, uint32_t source, uint32_t partner, int32_t *day);
/* Adds measures to a cell, or takes them off; *cell is its number. */
int ent__fold_add(ent_fold *, const ent_cell_key *, const int64_t m[ENT_FAMILY_WIDTH], int sign, uint32_t *cell, ent_error *e);
/* ENT_ERR_RANGE: a cell of that day does not hold the sum. */
int ent__fold_too_large(int32_t date, ent_error *e);
/* The same with the cell already found. */
int ent__fold_add_at(ent_fold *, uint32_t cell, int32_t day, const int64_t m[ENT_FAMILY_WIDTH], int sign, ent_error *e);
int ent__fold_order(ent_fold *, const ent_document *, int sign, ent_error *e);

#endif
