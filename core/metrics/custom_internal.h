/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of declared metrics share. */
#ifndef ENT_METRICS_CUSTOM_INTERNAL_H
#define ENT_METRICS_CUSTOM_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "metrics/custom.h"
#include "metrics/fold_internal.h"

/* ---- conditions -------------------------------------------------------------------------------------------------- */

typedef enum ent__test_op {
	ENT__TEST_RANGE,  /* a number: low to high, both included */
	ENT__TEST_WORDS,  /* a word, true or false: bit of it in low */
	ENT__TEST_TEXTS,  /* a text is one of those */
	ENT__TEST_PREFIX, /* a text begins with one of those */
	ENT__TEST_PRESENT /* there is one */
} ent__test_op;

typedef struct ent__test {
	uint16_t field; /* ent_metric_field_id */
	uint8_t op;
	bool negate;
	int64_t low, high;
	const char *const *texts;
	size_t n;
	uint8_t *memo; /* by code: 0 not asked yet, 1 no, 2 yes */
	uint32_t n_memo;
} ent__test;

/* What is counted of a fact. */
typedef enum ent__count_way { ENT__COUNT, ENT__SUM, ENT__DISTINCT, ENT__DISTRIBUTION } ent__count_way;

typedef struct ent__count {
	const ent_metric_config *config; /* good while it is compiled */
	uint8_t fact, way;
	uint16_t field;  /* of all but COUNT */
	uint16_t number; /* of its measure, set or distribution in the catalogue */
	uint16_t shared; /* COUNT of orders: measure of those that another partner counts, too */
	bool any_status; /* it asks for the status itself */
	ent__test *tests;
	size_t n_tests;
} ent__count;

struct ent_custom {
	ent_arena arena;
	ent_catalogue catalogue;
	ent__count *counts; /* by kind of fact */
	size_t n_counts, first[ENT_OF_COUNT + 1];
	bool any[ENT_FAMILY_COUNT]; /* anything is counted of facts of the family */
	unsigned block[ENT_FAMILY_COUNT], n_blocks[ENT_FAMILY_COUNT];
};

/* A place inside a text that begins at a place. */
static inline ent_place ent__place_in(ent_place at, size_t offset) {
	at.column += at.column ? (uint32_t)offset : 0;
	return at;
}

static inline unsigned ent__family_of(unsigned fact) {
	return fact == ENT_OF_VISIT ? ENT_TRAFFIC : fact == ENT_OF_CART ? ENT_CARTS : ENT_SALES;
}

/* Number of a fact's field; "order.NAME" of the order of a line or refund. -1, with an error at `at`, if there is none.
 */
int ent__field_find(unsigned fact, const char *name, ent_place at, ent_errors *errors);

/* custom_where.c. Reads `where` into count->tests, sorted; appends what it says as people read it, and as it is hashed.
 */
int ent__conditions_read(
	ent_custom *, ent__count *, const ent_yaml_node *where, ent_buf *said, ent_buf *hashed, ent_errors *errors);

/* ---- expressions ------------------------------------------------------------------------------------------------- */

/* What an expression asks of the metrics that it names: the row of a metric that is made by then; NULL: there were
 * errors. */
typedef const ent_metric *(*ent__metric_named)(void *ctx, const char *name, size_t n, ent_place at);

/* custom_expr.c. Fills kind, unit, additivity, terms, sets and factors of `out` by an expression. */
int ent__expression(const ent_catalogue *, const char *text, ent_place at, ent__metric_named named, void *ctx,
	ent_metric *out, ent_errors *errors);
/* The same of a ratio of two metrics. */
int ent__ratio(const ent_catalogue *, const ent_metric_config *, ent__metric_named named, void *ctx, ent_metric *out,
	ent_errors *errors);

/* ---- facts ------------------------------------------------------------------------------------------------------- */

/* A fact that is asked; of lines and refunds with their order. */
typedef struct ent__fact {
	ent_fold *f;
	const ent_document *d;
	const ent_item *head, *item; /* the order, if there is one; the fact itself */
	const int64_t *m;            /* of an order: its measures, as if it were sold */
	uint32_t partner, channel;
	int32_t day;
	bool whole; /* the order is this partner's alone */
} ent__fact;

/* custom_load.c. A number, word or flag. false: the fact has none. */
bool ent__load_number(const ent__fact *, unsigned field, int64_t *value);
/* A text as its code, an identity as its dense number + 1; 0: none. */
uint32_t ent__load_code(const ent__fact *, unsigned field);
bool ent__load_present(const ent__fact *, unsigned field);

/* custom_fold.c. f->custom is set, and counts something of the family. An order's share has its measures as if it were sold: before its status moves them.
 */
int ent__custom_order(
	ent_fold *f, const ent_document *d, const ent_item *head, const ent__share *s, int sign, ent_error *e);
/* A visit or a cart; key: partner, day, currency, origin. `channel` as it is kept. */
int ent__custom_other(ent_fold *f, unsigned fact, const ent_document *d, const ent_item *item, const ent_cell_key *key,
	const ent__view_value *views, size_t n, uint32_t channel, int sign, ent_error *e);

#endif
