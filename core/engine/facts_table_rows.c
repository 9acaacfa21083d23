/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents of one partner as rows, laid out as metrics/facts.h has them. Values are put column after column, in the
 * order of the kind's table; the rows are brought into order at the end. Loop thread only. */
#include "engine/facts_table.h"
#include "engine/snapshot_build.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 32 };

/* What a row is put in order by. */
typedef struct place {
	int64_t at;
	uint64_t key;
	uint32_t row;
} place;

typedef struct rows {
	ent_engine *e;
	const ent__facts_want *want;
	const ent_facts_kind_def *kind;
	ent_buf columns[MOST_COLUMNS];
	unsigned column; /* to be put next */
	ent_intern texts;
	place *places;
	size_t n, capacity;
	uint64_t ever;
	ent_error *error;
} rows;

/* ---- values
 * ------------------------------------------------------------------------------------------------------ */

static void number(rows *r, int64_t v) { ent_buf_u64(&r->columns[r->column++], (uint64_t)v); }
static void small(rows *r, uint32_t v) { ent_buf_u32(&r->columns[r->column++], v); }
static void bytes(rows *r, const char *p, size_t n) { small(r, n ? ent_intern_put(&r->texts, p, n) : 0); }
static void word(rows *r, const char *text) { bytes(r, text, strlen(text)); }

static void code(rows *r, uint32_t code) {
	size_t n = 0;
	const char *text = code ? ent_intern_text(&r->e->texts, code, &n) : "";
	bytes(r, text, n);
}

static void currency(rows *r, const char text[4]) { bytes(r, text, strnlen(text, 3)); }

static void person(rows *r, const ent_id *id) {
	char token[ENT__TOKEN + 1] = "";
	uint32_t dense = ent_dense(id);
	if (dense) {
		ent__facts_token(r->e, r->want->partner, dense - 1, token);
	}
	word(r, token);
}

static void moment(rows *r, ent_wire_time t, const ent_item *item) {
	ent_time time = ent_wire_time_unpack(t);
	number(r, !t || time.kind == ENT_TIME_NONE ? ENT_FACTS_NONE
											   : ent_fold_instant(&r->e->fold, time, item->source, r->want->partner));
}

void ent__facts_token(ent_engine *e, uint32_t partner, uint32_t dense, char out[ENT__TOKEN + 1]) {
	ent__facts_token_of(e, partner, ent_identities_get(e->identities, dense), out);
}

void ent__facts_token_of(ent_engine *e, uint32_t partner, const uint8_t id[16], char out[ENT__TOKEN + 1]) {
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
	const char *name = ent__text(e, partner);
	/* the identity is keyed already; with the partner's name nobody can tell that two partners share a customer */
	uint64_t hash = id ? ent_hash64(id, 16, ent_hash64(name, strlen(name), 0)) : 0;
	for (unsigned i = 0; i < ENT__TOKEN; i++, hash >>= 5) {
		out[i] = letters[hash & 31];
	}
	out[ENT__TOKEN] = 0;
}

/* ---- rows
 * -------------------------------------------------------------------------------------------------------- */

static bool is_wanted(rows *r, int32_t day) {
	r->ever += day <= r->want->last;
	return day >= r->want->from && day < r->want->to && day <= r->want->last;
}

/* Begins a row: its moment and its day are put. */
static int begin(rows *r, ent_wire_time at, const ent_item *item, int32_t day, uint64_t key) {
	if (r->n == ENT_FACTS_MOST_ROWS) {
		ent_error_set(r->error, ENT_ERR_RANGE, "there are more than %u of them", ENT_FACTS_MOST_ROWS);
		return ent_error_todo(r->error, "read fewer days at once, or a figure in place of single facts");
	}
	r->column = 0;
	moment(r, at, item);
	small(r, (uint32_t)day);
	int64_t us;
	const ent_buf *moments = &r->columns[0];
	memcpy(&us, moments->data + moments->n - sizeof us, sizeof us);
	ENT_GROW(r->places, r->n, r->capacity);
	r->places[r->n] = (place){us, key, (uint32_t)r->n};
	r->n++;
	return 0;
}

static const char *status_of(uint8_t status) {
	static const char *const names[] = {[ENT_ORDER_SOLD] = "sold",
		[ENT_ORDER_PENDING] = "pending",
		[ENT_ORDER_QUOTE] = "quote",
		[ENT_ORDER_CANCELLED] = "cancelled"};
	return status < sizeof names / sizeof *names ? names[status] : "";
}

static int put_order(rows *r, const ent_document *d, const ent_item *head, const ent_order_share *s) {
	const ent_wire_order *o = &head->body.order;
	const int64_t *m = s->m;
	if (!is_wanted(r, s->day)) {
		return 0;
	}
	if (begin(r, o->at, head, s->day, d->key_hash)) {
		return r->error->code;
	}
	bytes(r, d->key, d->key_n);
	word(r, status_of(o->status));
	person(r, &o->customer);
	person(r, &o->agent);
	code(r, r->e->fold.channel(r->e, d->system, o->channel));
	code(r, o->country);
	code(r, o->region);
	code(r, o->campaign);
	code(r, o->payment);
	code(r, o->customer_kind);
	currency(r, o->currency);
	number(r, m[ENT_M_GROSS]);
	number(r, m[ENT_M_DISCOUNT]);
	number(r, m[ENT_M_RETURNS]);
	number(r, m[ENT_M_GROSS] - m[ENT_M_DISCOUNT] - m[ENT_M_RETURNS]);
	number(r, m[ENT_M_REFUNDED]);
	number(r, m[ENT_M_SHIPPING]);
	number(r, m[ENT_M_TAX]);
	number(r, m[ENT_M_TOTAL]);
	number(r, m[ENT_M_DUE]);
	number(r, m[ENT_M_COST]);
	number(r, m[ENT_M_LINES]);
	number(r, m[ENT_M_UNITS]);
	moment(r, s->whole ? o->paid_at : 0, head);
	return 0;
}

static int put_lines(rows *r, const ent_document *d, const ent_item *head, const ent_order_share *s) {
	const ent_wire_order *o = &head->body.order;
	for (uint32_t i = 0; i < d->n; i++) {
		const ent_item *item = &d->items[i];
		const ent_wire_line *l = &item->body.line;
		if (!ent_fold_has_line(s, item, r->want->partner) || l->parent || !is_wanted(r, s->day)) {
			continue;
		}
		if (begin(r, o->at, head, s->day, d->key_hash)) {
			return r->error->code;
		}
		int64_t gross = ent_fold_line_gross(item), net = 0;
		if (__builtin_sub_overflow(gross, l->discount, &net)) {
			net = 0; /* the order's own sum was refused before */
		}
		bytes(r, d->key, d->key_n);
		word(r, status_of(o->status));
		person(r, &o->customer);
		person(r, &o->agent);
		code(r, r->e->fold.channel(r->e, d->system, o->channel));
		code(r, l->sku);
		code(r, l->product);
		code(r, l->name);
		code(r, l->category);
		code(r, l->vendor);
		currency(r, o->currency);
		number(r, gross);
		number(r, l->discount);
		number(r, net);
		number(r, l->cost);
		number(r, l->quantity);
	}
	return 0;
}

/* Refunds of which the source tells each; those of which it tells a sum are in the order's own column alone. */
static int put_refunds(rows *r, const ent_document *d, const ent_item *head, const ent_order_share *s) {
	static const char *const kinds[] = {
		[ENT_REFUND_GOODS] = "goods", [ENT_REFUND_SHIPPING] = "shipping", [ENT_REFUND_ADJUSTMENT] = "adjustment"};
	const ent_wire_order *o = &head->body.order;
	for (uint32_t i = 0; i < d->n && s->whole; i++) {
		const ent_item *item = &d->items[i];
		const ent_wire_refund *f = &item->body.refund;
		int32_t day = s->day; /* of one that is not dated: its order's */
		if (item->kind != ENT_REFUND || item->flags & ENT_DOC_RETRACT) {
			continue;
		}
		bool dated = ent_fold_day(&r->e->fold, item, r->want->partner, &day);
		if (!is_wanted(r, day)) {
			continue;
		}
		if (begin(r, dated ? f->at : o->at, dated ? item : head, day, d->key_hash)) {
			return r->error->code;
		}
		bytes(r, d->key, d->key_n);
		word(r, f->kind < sizeof kinds / sizeof *kinds ? kinds[f->kind] : "");
		code(r, f->reason);
		person(r, &o->customer);
		person(r, &o->agent);
		code(r, r->e->fold.channel(r->e, d->system, o->channel));
		currency(r, f->currency[0] ? f->currency : o->currency);
		number(r, f->amount);
		number(r, f->quantity);
	}
	return 0;
}

static int put_cart(rows *r, const ent_document *d, const ent_item *item) {
	const ent_wire_cart *c = &item->body.cart;
	int32_t day;
	if (item->flags & ENT_DOC_RETRACT || !ent_fold_day(&r->e->fold, item, item->partner, &day) || !is_wanted(r, day)) {
		return 0;
	}
	if (begin(r, c->started_at, item, day, d->key_hash)) {
		return r->error->code;
	}
	bytes(r, d->key, d->key_n);
	word(r, c->recovered_at || c->order_key ? "recovered" : "left");
	code(r, c->step);
	person(r, &c->visitor);
	code(r, r->e->fold.channel(r->e, d->system, c->channel));
	code(r, c->order_key);
	currency(r, c->currency);
	number(r, c->value);
	number(r, c->items);
	moment(r, c->recovered_at, item);
	return 0;
}

static int put_visit(rows *r, const ent_document *d) {
	ent_item item = ent_fold_visit(d);
	const ent_wire_visit *v = &item.body.visit;
	int32_t day;
	if (!ent_fold_day(&r->e->fold, &item, item.partner, &day) || !is_wanted(r, day)) {
		return 0;
	}
	if (begin(r, v->at, &item, day, d->key_hash)) {
		return r->error->code;
	}
	person(r, &v->visitor);
	code(r, r->e->fold.channel(r->e, d->system, v->channel));
	code(r, v->source);
	code(r, v->campaign);
	code(r, v->country);
	code(r, v->device);
	code(r, v->landing);
	number(r, v->pageviews);
	number(r, v->purchases);
	number(r, v->engaged_us);
	number(r, v->loads ? (int64_t)v->load_ms * 1000 / v->loads : ENT_FACTS_NONE);
	small(r, (v->steps & ENT_STEP_ITEM) != 0);
	small(r, (v->steps & ENT_STEP_CART) != 0);
	small(r, (v->steps & ENT_STEP_CHECKOUT) != 0);
	small(r, v->steps & ENT_STEP_PURCHASE || v->purchases);
	small(r, v->engaged != 0);
	small(r, v->is_new != 0);
	moment(r, v->until, &item);
	return 0;
}

static int put_contact(rows *r, const ent_document *d, const ent_item *item) {
	static const char *const directions[] = {"", "us", "them"};
	const ent_wire_contact *c = &item->body.contact;
	int32_t day;
	if (item->flags & ENT_DOC_RETRACT || !ent_fold_day(&r->e->fold, item, item->partner, &day) || !is_wanted(r, day)) {
		return 0;
	}
	if (begin(r, c->at, item, day, d->key_hash)) {
		return r->error->code;
	}
	code(r, c->kind);
	code(r, c->with);
	code(r, c->subject);
	word(r, c->direction < 3 ? directions[c->direction] : "");
	number(r, item->has & ENT_HAS_MINUTES ? c->minutes : ENT_FACTS_NONE);
	number(r, item->has & ENT_HAS_HELD ? c->held != 0 : ENT_FACTS_NONE);
	moment(r, c->answered_at, item);
	return 0;
}

static int put_touch(rows *r, const ent_document *d, const ent_item *item) {
	const ent_wire_touch *t = &item->body.touch;
	int32_t day;
	if (item->flags & ENT_DOC_RETRACT || !ent_fold_day(&r->e->fold, item, item->partner, &day) || !is_wanted(r, day)) {
		return 0;
	}
	if (begin(r, t->at, item, day, d->key_hash)) {
		return r->error->code;
	}
	person(r, &t->visitor);
	code(r, r->e->fold.channel(r->e, d->system, t->channel));
	code(r, t->source);
	code(r, t->campaign);
	code(r, t->order_key);
	currency(r, t->currency);
	number(r, t->cost);
	return 0;
}

static int take(void *ctx, ent_document *d) {
	rows *r = ctx;
	unsigned family = r->kind->family;
	if (family < ENT_FAMILY_COUNT && r->want->origins[family] < ENT_ORIGIN_COUNT &&
		d->origin != r->want->origins[family]) {
		return 0; /* another origin tells of the same things */
	}
	if (d->kind == ENT_ORDER) {
		ent_order_share s;
		bool overflow;
		if (!ent_fold_share(&r->e->fold, d, r->want->partner, &s, &overflow)) {
			return overflow ? ent_error_set(r->error, ENT_ERR_RANGE,
								  "the amounts of order '%.*s' leave the range of 64 bits", (int)d->key_n, d->key)
							: 0;
		}
		const ent_item *head = ent_document_head(d);
		return (r->kind->kind == ENT_ORDER  ? put_order
				: r->kind->kind == ENT_LINE ? put_lines
											: put_refunds)(r, d, head, &s);
	}
	if (d->items[0].partner != r->want->partner) {
		return 0;
	}
	switch (d->kind) {
	case ENT_VISIT:
		return put_visit(r, d);
	case ENT_CART:
		return put_cart(r, d, &d->items[0]);
	case ENT_CONTACT:
		return put_contact(r, d, &d->items[0]);
	default:
		return put_touch(r, d, &d->items[0]);
	}
}

/* ---- the block
 * ---------------------------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b) {
	const place *x = a, *y = b;
	int order = (x->at > y->at) - (x->at < y->at);
	order = order ? order : (x->key > y->key) - (x->key < y->key);
	return order ? order : (x->row > y->row) - (x->row < y->row); /* lines of an order, as it has them */
}

static void pad(ent_buf *b) {
	while (b->n % 8) {
		ent_buf_u8(b, 0);
	}
}

static void lay_out(rows *r, ent_buf *out) {
	ent_facts_head head = {.magic = ENT_FACTS_MAGIC,
		.version = ENT_FACTS_VERSION,
		.kind = r->kind->kind,
		.n_columns = r->kind->n_columns,
		.rows = r->n,
		.n_texts = r->texts.count,
		.ever = r->ever};
	uint64_t columns[MOST_COLUMNS] = {0};
	ent_buf_add(out, &head, sizeof head);
	for (unsigned c = 0; c < r->kind->n_columns; c++) {
		size_t width = ent_facts_width(r->kind->columns[c].type);
		columns[c] = out->n;
		ent_buf_reserve(out, r->n * width + 8);
		for (size_t i = 0; i < r->n; i++) {
			memcpy(out->data + out->n, r->columns[c].data + r->places[i].row * width, width);
			out->n += width;
		}
		pad(out);
		ent_buf_finish(&r->columns[c]); /* it is twice in memory no longer than this */
	}
	head.columns = out->n;
	ent_buf_add(out, columns, r->kind->n_columns * sizeof *columns);
	ent_facts_text *texts = ent_xcalloc(r->texts.count, sizeof *texts);
	for (uint32_t i = 0; i < r->texts.count; i++) {
		size_t n;
		const char *text = ent_intern_text(&r->texts, i, &n);
		texts[i] = (ent_facts_text){out->n, n};
		ent_buf_add(out, text, n);
		ent_buf_u8(out, 0);
	}
	pad(out);
	head.texts = out->n;
	ent_buf_add(out, texts, r->texts.count * sizeof *texts);
	free(texts);
	head.bytes = out->n;
	memcpy(out->data, &head, sizeof head);
}

int ent__facts_rows(
	ent_engine *e, const ent__facts_want *want, unsigned kind, ent_snapshot_block *out, ent_error *error) {
	rows r = {.e = e, .want = want, .kind = ent_facts_kind(kind), .error = error};
	ent_buf block = {0};
	if (!r.kind) {
		return ent_error_set(error, ENT_ERR_INVALID, "nobody can ask for facts of the kind %u", kind);
	}
	ent_intern_init(&r.texts);
	int status = ent__facts_each(e, want->partner, 1u << r.kind->document, take, &r, error);
	if (!status) {
		ENT_SORT(r.places, r.n, by_time);
		lay_out(&r, &block);
		status = ent__build_seal(&block, out, error);
	}
	ent_buf_finish(&block);
	for (unsigned c = 0; c < MOST_COLUMNS; c++) {
		ent_buf_finish(&r.columns[c]);
	}
	free(r.places);
	ent_intern_finish(&r.texts);
	return status;
}
