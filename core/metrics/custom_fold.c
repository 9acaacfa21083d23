/* SPDX-License-Identifier: Apache-2.0
 *
 * Folding of declared metrics, see custom.h. What an order counts gathers in one vector for each block of measures,
 * that of its lines with it, and goes into the cells of the order's views at once; a vector of zeros touches nothing.
 * By what a line is of (category, vendor, product) go the line's own measures, and, once for each value that an order
 * has, counts of orders. One thread. */
#include "metrics/custom_internal.h"
#include "metrics/dist.h"

#include <string.h>

/* What a fact counts: for each block of its family which measures it touches, and how much. */
typedef struct vectors {
	uint32_t touched[ENT_CUSTOM_BLOCKS]; /* bits of columns; what is not touched is not set */
	int64_t v[ENT_CUSTOM_BLOCKS][ENT_FAMILY_WIDTH];
	bool any, overflow;
} vectors;

static void clear(vectors *x) {
	memset(x->touched, 0, sizeof x->touched);
	x->any = x->overflow = false;
}

static void add(vectors *x, const ent_custom *c, unsigned family, unsigned measure, int64_t value) {
	unsigned at = measure - ENT_MEASURE_COUNT, block = at / ENT_FAMILY_WIDTH - c->block[family],
			 column = at % ENT_FAMILY_WIDTH;
	int64_t *to = &x->v[block][column];
	if (!value) {
		return;
	}
	if (x->touched[block] >> column & 1) {
		x->overflow |= __builtin_add_overflow(*to, value, to);
	} else {
		x->touched[block] |= 1u << column;
		x->any = true;
		*to = value;
	}
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

static bool compare_text(const ent__fact *x, const ent__test *t, uint32_t code) {
	const char *text = code ? x->f->text(x->f->ctx, code) : "";
	bool yes = false;
	for (size_t i = 0; i < t->n && !yes; i++) {
		yes = t->op == ENT__TEST_PREFIX ? !strncmp(text, t->texts[i], strlen(t->texts[i])) : !strcmp(text, t->texts[i]);
	}
	return yes;
}

/* A code is compared once, whatever it stands in. */
static bool is_text(const ent__fact *x, ent__test *t, uint32_t code) {
	if (code >= t->n_memo) {
		uint32_t n = t->n_memo ? t->n_memo : 256;
		while (n <= code) {
			n *= 2;
		}
		t->memo = ent_xrealloc(t->memo, n);
		memset(t->memo + t->n_memo, 0, n - t->n_memo);
		t->n_memo = n;
	}
	if (!t->memo[code]) {
		t->memo[code] = compare_text(x, t, code) ? 2 : 1;
	}
	return t->memo[code] == 2;
}

static bool passes(const ent__fact *x, ent__test *t) {
	int64_t v;
	bool yes;
	switch ((ent__test_op)t->op) {
	case ENT__TEST_RANGE:
		if (!ent__load_number(x, t->field, &v)) {
			return false; /* what is not known is neither more nor less */
		}
		yes = v >= t->low && v <= t->high;
		break;
	case ENT__TEST_WORDS:
		yes = ent__load_number(x, t->field, &v) && (t->low >> (v & 63) & 1);
		break;
	case ENT__TEST_PRESENT:
		yes = ent__load_present(x, t->field);
		break;
	default:
		yes = is_text(x, t, ent__load_code(x, t->field));
	}
	return yes != t->negate;
}

static bool counts(const ent__fact *x, const ent__count *c) {
	if (!c->any_status && x->head && x->head->body.order.status > ENT_ORDER_PENDING) {
		return false;
	}
	for (size_t i = 0; i < c->n_tests; i++) {
		if (!passes(x, &c->tests[i])) {
			return false;
		}
	}
	return true;
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

/* Sets stand in total and by channel, distributions in total. */
static void add_member(
	const ent__fact *x, const ent__count *c, ent_cell_key key, const ent__view_value *views, size_t n, int sign) {
	int64_t v;
	uint32_t cell, code = c->way == ENT__DISTINCT ? ent__load_code(x, c->field) : 0;
	if (c->way == ENT__DISTRIBUTION && ent__load_number(x, c->field, &v)) {
		key.family = (uint8_t)(ENT_FAMILY_OF_DISTS + c->number - ENT_DIST_COUNT);
		cell = ent_cells_custom_at(x->f->cells, &key);
		bool money = ent_metric_fields[c->field].form == ENT_FORM_MONEY;
		ent_cells_dist(x->f->cells, cell, (uint8_t)c->number, money, ent_dist_bucket(v), sign);
	}
	if (!code) {
		return;
	}
	/* an identity is a number + 1; a text its code, which is never 0 */
	uint32_t member = ent_metric_fields[c->field].form == ENT_FORM_IDENTITY ? code - 1 : code;
	key.family = (uint8_t)(ENT_FAMILY_OF_SETS + c->number - ENT_SET_COUNT);
	key.currency = 0;
	for (size_t i = 0; i < n && views[i].view <= ENT_VIEW_CHANNEL; i++) {
		if (views[i].view == ENT_VIEW_TOTAL || x->f->views[views[i].view]) {
			key.view = views[i].view;
			key.value = views[i].value;
			cell = ent_cells_custom_at(x->f->cells, &key);
			ent_cells_set(x->f->cells, cell, (uint8_t)c->number, member, sign);
		}
	}
}

/* ---- cells ------------------------------------------------------------------------------------------------------- */

/* Few measures of a block are touched by one fact: these, one by one. */
static int add_cells(ent_fold *f, const vectors *x, unsigned family, ent_cell_key key, int sign, ent_error *e) {
	const ent_custom *c = f->custom;
	for (unsigned b = 0; b < c->n_blocks[family]; b++) {
		if (!x->touched[b]) {
			continue;
		}
		key.family = (uint8_t)(ENT_FAMILY_CUSTOM + c->block[family] + b);
		int64_t *row = ent_cells_row(f->cells, ent_cells_custom_at(f->cells, &key));
		bool overflow = false;
		for (uint32_t left = x->touched[b]; left; left &= left - 1) {
			unsigned column = (unsigned)__builtin_ctz(left);
			overflow |= sign > 0 ? __builtin_add_overflow(row[column], x->v[b][column], &row[column])
								 : __builtin_sub_overflow(row[column], x->v[b][column], &row[column]);
		}
		if (overflow) {
			return ent__fold_too_large(key.day, e);
		}
	}
	return 0;
}

static int add_views(ent_fold *f, const vectors *x, unsigned family, ent_cell_key key, const ent__view_value *views,
	size_t n, int sign, ent_error *e) {
	for (size_t i = 0; i < n && x->any; i++) {
		if (views[i].view == ENT_VIEW_TOTAL || f->views[views[i].view]) {
			key.view = views[i].view;
			key.value = views[i].value;
			if (add_cells(f, x, family, key, sign, e)) {
				return e->code;
			}
		}
	}
	return 0;
}

static int too_large(const ent_document *d, ent_error *e) {
	ent_error_set(
		e, ENT_ERR_RANGE, "what a metric of yours sums of '%.*s' leaves the range of 64 bits", (int)d->key_n, d->key);
	return ent_error_todo(e, "amounts are kept in millionths: correct the fact in its source");
}

/* What is counted of one fact: into the vectors, and the members at once. */
static void count_fact(const ent__fact *x, unsigned fact, bool shared, vectors *to, const ent_cell_key *key,
	const ent__view_value *views, size_t n, int sign) {
	const ent_custom *custom = x->f->custom;
	unsigned family = ent__family_of(fact);
	int64_t v;
	for (const ent__count *c = custom->counts + custom->first[fact]; c < custom->counts + custom->first[fact + 1];
		 c++) {
		if (!counts(x, c)) {
			continue;
		}
		if (c->way == ENT__COUNT) {
			add(to, custom, family, c->number, 1);
			if (c->shared && shared) {
				add(to, custom, family, c->shared, 1);
			}
		} else if (c->way == ENT__SUM) {
			if (ent__load_number(x, c->field, &v)) {
				add(to, custom, family, c->number, v);
			}
		} else if (views) {
			add_member(x, c, *key, views, n, sign);
		}
	}
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

static bool is_line(const ent_item *item, const ent__share *s) {
	return item->kind == ENT_LINE && !(item->flags & ENT_DOC_RETRACT) && (s->whole || item->partner == s->partner);
}

/* Counts of the order itself, as it stands under each value that its lines have; sums of it belong to no line. */
static void count_order(const ent__fact *x, vectors *to) {
	const ent_custom *custom = x->f->custom;
	for (const ent__count *c = custom->counts + custom->first[ENT_OF_ORDER];
		 c < custom->counts + custom->first[ENT_OF_ORDER + 1]; c++) {
		if (c->way == ENT__COUNT && counts(x, c)) {
			add(to, custom, ENT_SALES, c->number, 1);
		}
	}
}

static int fold_lines(ent__fact *x, const ent__share *s, ent_cell_key key, unsigned view, int sign, ent_error *e) {
	const ent_document *d = x->d;
	vectors part;
	for (uint32_t i = 0; i < d->n; i++) {
		bool seen = !is_line(&d->items[i], s);
		uint32_t value = seen ? 0 : ent__line_value(&d->items[i], view);
		for (uint32_t k = 0; k < i && !seen; k++) {
			seen = is_line(&d->items[k], s) && ent__line_value(&d->items[k], view) == value;
		}
		if (seen) {
			continue;
		}
		clear(&part);
		x->item = x->head;
		count_order(x, &part);
		for (uint32_t k = i; k < d->n; k++) {
			x->item = &d->items[k];
			if (is_line(x->item, s) && !x->item->body.line.parent && ent__line_value(x->item, view) == value) {
				count_fact(x, ENT_OF_LINE, false, &part, &key, NULL, 0, sign);
			}
		}
		key.view = (uint8_t)view;
		key.value = value;
		if (part.overflow ? too_large(d, e) : add_cells(x->f, &part, ENT_SALES, key, sign, e)) {
			return e->code;
		}
	}
	return 0;
}

/* Each by the day on which it was paid back. */
static int fold_refunds(ent__fact *x, const ent__share *s, ent_cell_key key, int sign, ent_error *e) {
	const ent_document *d = x->d;
	vectors one;
	for (uint32_t i = 0; i < d->n; i++) {
		x->item = &d->items[i];
		if (x->item->kind != ENT_REFUND || (x->item->flags & ENT_DOC_RETRACT) ||
			!ent__fold_day_of(
				x->f, ent_wire_time_unpack(x->item->body.refund.at), x->item->source, s->partner, &key.day)) {
			continue;
		}
		x->day = key.day;
		clear(&one);
		count_fact(x, ENT_OF_REFUND, false, &one, &key, s->views, s->n_views, sign);
		if (add_views(x->f, &one, ENT_SALES, key, s->views, s->n_views, sign, e)) {
			return e->code;
		}
	}
	return 0;
}

int ent__custom_order(
	ent_fold *f, const ent_document *d, const ent_item *head, const ent__share *s, int sign, ent_error *e) {
	const ent_custom *c = f->custom;
	ent_cell_key key = {.partner = s->partner, .day = s->day, .currency = s->currency, .origin = d->origin};
	ent__fact x = {.f = f,
		.d = d,
		.head = head,
		.item = head,
		.m = s->m,
		.partner = s->partner,
		.channel = f->channel(f->ctx, d->system, head->body.order.channel),
		.day = s->day,
		.whole = s->whole};
	bool lines = c->first[ENT_OF_LINE] < c->first[ENT_OF_LINE + 1],
		 orders = c->first[ENT_OF_ORDER] < c->first[ENT_OF_ORDER + 1];
	static const uint8_t line_views[] = {ENT_VIEW_CATEGORY, ENT_VIEW_VENDOR, ENT_VIEW_PRODUCT};
	vectors all;
	clear(&all);
	if (orders) {
		count_fact(&x, ENT_OF_ORDER, s->shared, &all, &key, s->views, s->n_views, sign);
	}
	for (uint32_t i = 0; lines && i < d->n; i++) {
		x.item = &d->items[i];
		if (is_line(x.item, s) && !x.item->body.line.parent) { /* a part of a bundle is counted with the bundle */
			count_fact(&x, ENT_OF_LINE, false, &all, &key, s->views, s->n_views, sign);
		}
	}
	if (all.overflow ? too_large(d, e) : add_views(f, &all, ENT_SALES, key, s->views, s->n_views, sign, e)) {
		return e->code;
	}
	for (size_t i = 0; i < sizeof line_views && (lines || orders); i++) {
		if (f->views[line_views[i]] && fold_lines(&x, s, key, line_views[i], sign, e)) {
			return e->code;
		}
	}
	/* refunds are the whole order's: where partners share it nobody knows whose goods came back */
	bool refunds = c->first[ENT_OF_REFUND] < c->first[ENT_OF_REFUND + 1];
	return refunds && s->dated && s->whole ? fold_refunds(&x, s, key, sign, e) : 0;
}

/* ---- visits and carts -------------------------------------------------------------------------------------------- */

int ent__custom_other(ent_fold *f, unsigned fact, const ent_document *d, const ent_item *item, const ent_cell_key *key,
	const ent__view_value *views, size_t n, uint32_t channel, int sign, ent_error *e) {
	unsigned family = ent__family_of(fact);
	ent__fact x = {
		.f = f, .d = d, .item = item, .partner = key->partner, .channel = channel, .day = key->day, .whole = true};
	vectors all;
	clear(&all);
	count_fact(&x, fact, false, &all, key, views, n, sign);
	return all.overflow ? too_large(d, e) : add_views(f, &all, family, *key, views, n, sign, e);
}
