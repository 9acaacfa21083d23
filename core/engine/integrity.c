/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of a partner's orders, see integrity.h. What is kept of each order is a row of numbers and its key; the tests
 * are made when all are there. Loop thread only. */
#include "engine/integrity.h"
#include "base/day.h"
#include "base/json.h"
#include "base/num.h"
#include "engine/snapshot_build.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const ent_integrity_checks[ENT_CHECK_COUNT + 1] = {
	"lines_against_total", "swapped_dates", "gap", "duplicates", NULL};

/* From which point on they speak. */
enum {
	ROWS_SHOWN = 20,
	OFF_LEAST = 3,
	OFF_OF_THOUSAND = 20, /* lines: so many orders, and so many of a thousand */
	OFF_CENTS = 20000,
	OFF_PART = 200, /* an order is off by more than 0.02 a line, and more than a 200th of what it says */
	SWAPPED_LEAST = 3,
	SWAPPED_NEAR = 12,
	SWAPPED_FAR = 20,       /* days from the neighbours in the file */
	SORTED_OF_HUNDRED = 80, /* neighbours that are near: else the file is in no order, and they tell nothing */
	GAP_EXPECTED = 12,      /* orders that would have come: by chance nothing comes then in one of 160,000 such spans */
	GAP_WEEKS = 4,          /* of data at least */
	TWICE_LEAST = 2,
	TWICE_LEAST_NAMELESS = 5 /* pairs, where the customer is known, and where not */
};

typedef struct order {
	int32_t day;
	bool counts;         /* neither cancelled nor a quote */
	bool checked;        /* has lines and amounts of its own */
	bool dated;          /* to the second */
	int64_t at;          /* microseconds */
	int64_t says, makes; /* in money: what the order says of its goods, and what its lines come to */
	uint64_t same;       /* hash of all but its key */
	uint32_t customer, source, input;
	uint64_t place;
	size_t key;
	uint16_t key_n;
} order;

struct ent__integrity {
	ent_engine *e;
	uint32_t partner;
	int32_t from, to;
	unsigned wanted;
	order *orders;
	size_t n, capacity;
	ent_buf keys;
	ent_json j;
};

ent__integrity *ent__integrity_create(ent_engine *e, uint32_t partner, int32_t from, int32_t to, unsigned wanted) {
	ent__integrity *x = ent_xcalloc(1, sizeof *x);
	*x = (ent__integrity){.e = e, .partner = partner, .from = from, .to = to, .wanted = wanted};
	return x;
}

void ent__integrity_destroy(ent__integrity *x) {
	if (x) {
		free(x->orders);
		ent_buf_finish(&x->keys);
		free(x);
	}
}

/* ---- what an order says ---------------------------------------------------------------------------------------------
 */

static int64_t line_goods(const ent_item *item, bool less_discount) {
	const ent_wire_line *l = &item->body.line;
	int64_t v = 0;
	if (less_discount && item->has & ENT_HAS_NET) {
		return l->net;
	}
	if (item->has & ENT_HAS_GROSS) {
		v = l->gross;
	} else if (!(item->has & ENT_HAS_UNIT_PRICE) || !ent_muldiv(l->unit_price, l->quantity, 1000, &v)) {
		v = item->has & ENT_HAS_NET ? l->net : 0;
	}
	return less_discount && item->has & ENT_HAS_DISCOUNT ? v - l->discount : v;
}

static int64_t size_of(int64_t v) { return v < 0 ? -v : v; }

static bool near(int64_t a, int64_t b, unsigned lines) {
	int64_t off = size_of(a - b), most = size_of(a) > size_of(b) ? size_of(a) : size_of(b);
	return off <= (int64_t)OFF_CENTS * (lines + 1) || off <= most / OFF_PART;
}

/* Sources differ in what their amounts contain: discount, tax and shipping, or not. The lines are off only if they fit
 * none of what the order says. */
static void compare_lines(order *o, const ent_item *head, const ent_document *d) {
	const ent_wire_order *h = &head->body.order;
	int64_t gross = 0, net = 0, shipping = head->has & ENT_HAS_SHIPPING ? h->shipping : 0,
			tax = head->has & ENT_HAS_TAX ? h->tax : 0;
	int64_t discount = head->has & ENT_HAS_DISCOUNT ? h->discount : 0;
	unsigned lines = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		const ent_item *item = &d->items[i];
		if (item->kind == ENT_LINE && !(item->flags & ENT_DOC_RETRACT) && !item->body.line.parent) {
			if (!(item->has & (ENT_HAS_GROSS | ENT_HAS_NET | ENT_HAS_UNIT_PRICE))) {
				return; /* it does not say what it costs */
			}
			gross += line_goods(item, false);
			net += line_goods(item, true);
			lines++;
		}
	}
	bool has_gross = head->has & ENT_HAS_GROSS, has_total = head->has & ENT_HAS_TOTAL;
	if (!lines || (!has_gross && !has_total)) {
		return;
	}
	int64_t said[6];
	unsigned n = 0;
	if (has_gross) {
		said[n++] = h->gross;
		said[n++] = h->gross - discount;
	}
	if (has_total) {
		said[n++] = h->total;
		said[n++] = h->total - shipping;
		said[n++] = h->total - shipping - tax;
		said[n++] = h->total - tax;
	}
	bool fits = false;
	for (unsigned i = 0; i < n; i++) {
		fits |= near(said[i], gross, lines) || near(said[i], net, lines) || near(said[i], net - discount, lines);
	}
	o->checked = true;
	o->says = has_gross ? h->gross - discount : h->total - shipping - tax;
	o->makes = fits ? o->says : net;
}

static uint64_t mix(uint64_t h, const void *p, size_t n) { return ent_hash64(p, n, h); }

static uint64_t same_of(const ent_item *head, const ent_document *d) {
	const ent_wire_order *h = &head->body.order;
	int64_t amounts[] = {h->total, h->gross, h->discount, h->shipping};
	uint64_t hash = mix(mix(head->body.order.at, amounts, sizeof amounts), h->currency, 3), lines = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		const ent_wire_line *l = &d->items[i].body.line;
		if (d->items[i].kind == ENT_LINE) {
			int64_t line[] = {l->quantity, l->unit_price, l->gross, l->sku, l->product, l->name};
			lines += mix(0, line, sizeof line); /* in whatever order */
		}
	}
	uint32_t customer = ent_dense(&h->customer);
	return mix(mix(hash, &lines, sizeof lines), &customer, sizeof customer);
}

void ent__integrity_take(ent__integrity *x, const ent_document *d) {
	const ent_item *head = d->kind == ENT_ORDER ? ent_document_head(d) : NULL;
	int32_t day;
	if (!head || head->flags & ENT_DOC_RETRACT || head->partner != x->partner || d->origin != ENT_ORIGIN_SHOP ||
		!ent_fold_day(&x->e->fold, head, x->partner, &day)) {
		return;
	}
	const ent_wire_order *h = &head->body.order;
	ent_time at = ent_wire_time_unpack(h->at);
	ENT_GROW(x->orders, x->n, x->capacity);
	order *o = &x->orders[x->n++];
	*o = (order){.day = day,
		.counts = h->status == ENT_ORDER_SOLD || h->status == ENT_ORDER_PENDING,
		.dated = at.kind == ENT_TIME_INSTANT || at.kind == ENT_TIME_LOCAL,
		.at = at.v,
		.customer = ent_dense(&h->customer),
		.source = head->source,
		.input = head->input,
		.place = head->place,
		.key = x->keys.n,
		.key_n = d->key_n};
	ent_buf_add(&x->keys, d->key, d->key_n);
	if (x->wanted >> ENT_CHECK_LINES & 1) {
		compare_lines(o, head, d);
	}
	if (x->wanted >> ENT_CHECK_DUPLICATES & 1) {
		o->same = same_of(head, d);
	}
}

/* ---- telling -------------------------------------------------------------------------------------------------------
 */

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

static void begin(
	ent__integrity *x, ent_integrity_check check, uint32_t source, const char *text, uint64_t count, uint64_t of) {
	ent_json *j = &x->j;
	ent_json_object(j);
	member(j, "check", ent_integrity_checks[check]);
	member(j, "source", ent__text(x->e, source));
	member(j, "text", text);
	ent_json_key(j, "count");
	ent_json_uint(j, count);
	ent_json_key(j, "of");
	ent_json_uint(j, of);
	ent_json_key(j, "rows");
	ent_json_array(j);
}

static void row_of(ent_json *j, const char *const *cells, unsigned n) {
	ent_json_array(j);
	for (unsigned i = 0; i < n; i++) {
		ent_json_text(j, cells[i]);
	}
	ent_json_end(j);
}

static void end(ent__integrity *x) {
	ent_json_end(&x->j);
	ent_json_end(&x->j);
}

static const char *key_of(const ent__integrity *x, const order *o, char out[68]) {
	snprintf(out, 68, "%.*s", o->key_n < 64 ? (int)o->key_n : 64, (const char *)x->keys.data + o->key);
	return out;
}

static const char *place_of(const ent__integrity *x, const order *o, char out[600]) {
	snprintf(out, 600, "%s, byte %" PRIu64, o->input < x->e->n_inputs ? x->e->inputs[o->input].name : "?", o->place);
	return out;
}

static const char *money(int64_t v, char out[64]) {
	out[ent_decimal_text((v + (v < 0 ? -5000 : 5000)) / 10000, 2, 2, out)] = 0;
	return out;
}

static int by_source(const void *a, const void *b) {
	const order *x = a, *y = b;
	int order_ = x->source != y->source ? (x->source < y->source ? -1 : 1)
				 : x->input != y->input ? (x->input < y->input ? -1 : 1)
										: 0;
	return order_ ? order_ : (x->place > y->place) - (x->place < y->place);
}

static bool in_window(const ent__integrity *x, const order *o) { return o->day >= x->from && o->day < x->to; }

/* The orders of one source, from i on. */
static size_t end_of_source(const ent__integrity *x, size_t i) {
	size_t k = i;
	while (k < x->n && x->orders[k].source == x->orders[i].source) {
		k++;
	}
	return k;
}

/* ---- lines that do not add up to their order
 * ---------------------------------------------------------------------------- */

static bool is_off(const ent__integrity *x, const order *o) {
	return in_window(x, o) && o->checked && o->counts && o->makes != o->says;
}

static void check_lines(ent__integrity *x, size_t from, size_t to) {
	static const char *const head[] = {"order", "day", "it says", "its lines make", "where"};
	uint64_t off = 0, of = 0;
	for (size_t i = from; i < to; i++) {
		of += in_window(x, &x->orders[i]) && x->orders[i].checked && x->orders[i].counts;
		off += is_off(x, &x->orders[i]);
	}
	if (off < OFF_LEAST || off * 1000 < of * OFF_OF_THOUSAND) {
		return;
	}
	char text[300], key[68], day[16], says[64], makes[64], where[600];
	snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64 " orders from %.100s are not what their lines add up to", off,
		of, ent__text(x->e, x->orders[from].source));
	begin(x, ENT_CHECK_LINES, x->orders[from].source, text, off, of);
	row_of(&x->j, head, 5);
	for (size_t i = from, shown = 0; i < to && shown < ROWS_SHOWN; i++) {
		const order *o = &x->orders[i];
		if (is_off(x, o)) {
			shown++;
			row_of(&x->j,
				(const char *[]){key_of(x, o, key), ent_day_text(o->day, day), money(o->says, says),
					money(o->makes, makes), place_of(x, o, where)},
				5);
		}
	}
	end(x);
}

/* ---- day and month swapped
 * -------------------------------------------------------------------------------------------------- */

/* The day with its day and month swapped; itself where that is no other date. */
static int32_t swapped(int32_t day) {
	int year;
	unsigned month, d;
	ent_day_civil(day, &year, &month, &d);
	return d <= 12 && d != month ? ent_day_of(year, d, month) : day;
}

static int32_t apart(int32_t a, int32_t b) { return a < b ? b - a : a - b; }

/* An order that is far from a neighbour in its file, and near it with day and month swapped, and no nearer to the other
 * one as it stands. */
static bool is_swapped(const ent__integrity *x, size_t i, size_t from, size_t to) {
	const order *o = &x->orders[i], *near_by[2] = {NULL, NULL};
	int32_t other = swapped(o->day);
	if (other == o->day || !in_window(x, o)) {
		return false;
	}
	/* neighbours that cannot be swapped themselves: a whole file of the first days of months would vouch for itself */
	for (size_t k = i; k-- > from && x->orders[k].input == o->input && !near_by[0];) {
		near_by[0] = swapped(x->orders[k].day) == x->orders[k].day ? &x->orders[k] : NULL;
	}
	for (size_t k = i + 1; k < to && x->orders[k].input == o->input && !near_by[1]; k++) {
		near_by[1] = swapped(x->orders[k].day) == x->orders[k].day ? &x->orders[k] : NULL;
	}
	bool nearer = true, fits = false;
	for (unsigned k = 0; k < 2; k++) {
		if (near_by[k]) {
			int32_t is = apart(o->day, near_by[k]->day), may = apart(other, near_by[k]->day);
			nearer = nearer && may < is;
			fits |= is > SWAPPED_FAR && may <= SWAPPED_NEAR;
		}
	}
	return nearer && fits;
}

static void check_swapped(ent__integrity *x, size_t from, size_t to) {
	static const char *const head[] = {"order", "day", "it may be", "where"};
	uint64_t found = 0, pairs = 0, near_pairs = 0;
	const order *before = NULL;
	for (size_t i = from; i < to; i++) { /* is the file in the order of time at all? */
		const order *o = &x->orders[i];
		if (swapped(o->day) == o->day) {
			pairs += before && before->input == o->input;
			near_pairs += before && before->input == o->input && apart(before->day, o->day) <= SWAPPED_NEAR;
			before = o;
		}
	}
	if (!pairs || near_pairs * 100 < pairs * SORTED_OF_HUNDRED) {
		return;
	}
	for (size_t i = from; i < to; i++) {
		found += is_swapped(x, i, from, to);
	}
	if (found < SWAPPED_LEAST) {
		return;
	}
	char text[300], key[68], day[16], other[16], where[600];
	snprintf(text, sizeof text,
		"%" PRIu64 " orders from %.100s seem to have day and month swapped: they stand among others of those days",
		found, ent__text(x->e, x->orders[from].source));
	begin(x, ENT_CHECK_SWAPPED, x->orders[from].source, text, found, to - from);
	row_of(&x->j, head, 4);
	for (size_t i = from, shown = 0; i < to && shown < ROWS_SHOWN; i++) {
		const order *o = &x->orders[i];
		if (is_swapped(x, i, from, to)) {
			shown++;
			row_of(&x->j,
				(const char *[]){key_of(x, o, key), ent_day_text(o->day, day), ent_day_text(swapped(o->day), other),
					place_of(x, o, where)},
				4);
		}
	}
	end(x);
}

/* ---- days without anything
 * ----------------------------------------------------------------------------------------------------- */

typedef struct gaps {
	ent__integrity *x;
	uint32_t *orders; /* by day from x->from */
	bool *covered;
	uint32_t source; /* that speaks for most of it */
	int32_t longest;
} gaps;

static int take_cover(void *ctx, const ent_cover *c) {
	gaps *g = ctx;
	if (c->kind != ENT_ORDER || c->origin != ENT_ORIGIN_SHOP) {
		return 0;
	}
	int32_t from = c->from > g->x->from ? c->from : g->x->from, to = c->to < g->x->to ? c->to : g->x->to;
	for (int32_t day = from; day < to; day++) {
		g->covered[day - g->x->from] = true;
	}
	if (to - from > g->longest) {
		g->longest = to - from;
		g->source = c->source;
	}
	return 0;
}

/* Orders that a weekday usually has: the mean of all covered ones, in thousandths. */
static void usual(const gaps *g, int32_t days, uint64_t out[7]) {
	uint64_t sum[7] = {0}, n[7] = {0};
	for (int32_t i = 0; i < days; i++) {
		int weekday = ent_day_weekday(g->x->from + i);
		sum[weekday] += g->covered[i] ? g->orders[i] : 0;
		n[weekday] += g->covered[i];
	}
	for (unsigned i = 0; i < 7; i++) {
		out[i] = n[i] ? sum[i] * 1000 / n[i] : 0;
	}
}

static void tell_gap(const gaps *g, int32_t from, int32_t to, uint64_t expected) {
	static const char *const head[] = {"day", "orders", "usual on such a day"};
	ent__integrity *x = g->x;
	char text[300], a[16], b[16], count[24];
	uint64_t each[7];
	usual(g, x->to - x->from, each);
	if (to - from == 1) {
		snprintf(text, sizeof text, "no order on %s, where %" PRIu64 " would be usual", ent_day_text(x->from + from, a),
			expected / 1000);
	} else {
		snprintf(text, sizeof text, "no order from %s to %s, where %" PRIu64 " would be usual",
			ent_day_text(x->from + from, a), ent_day_text(x->from + to - 1, b), expected / 1000);
	}
	begin(x, ENT_CHECK_GAP, g->source, text, (uint64_t)(to - from), (uint64_t)(x->to - x->from));
	row_of(&x->j, head, 3);
	for (int32_t i = from; i < to && i < from + ROWS_SHOWN; i++) {
		snprintf(count, sizeof count, "%.1f", (double)each[ent_day_weekday(x->from + i)] / 1000);
		row_of(&x->j, (const char *[]){ent_day_text(x->from + i, a), "0", count}, 3);
	}
	end(x);
}

static int check_gap(ent__integrity *x, ent_error *error) {
	int32_t days = x->to - x->from;
	gaps g = {.x = x,
		.orders = ent_xcalloc((size_t)days + 1, sizeof *g.orders),
		.covered = ent_xcalloc((size_t)days + 1, sizeof *g.covered)};
	const uint32_t whom[] = {x->partner, 0};
	int status = 0;
	for (size_t i = 0; i < 2 && !status; i++) {
		status = ent_store_covers_of(x->e->store, whom[i], take_cover, &g, error);
	}
	int32_t covered = 0;
	for (size_t i = 0; i < x->n; i++) {
		if (in_window(x, &x->orders[i])) {
			g.orders[x->orders[i].day - x->from]++;
		}
	}
	for (int32_t i = 0; i < days; i++) {
		covered += g.covered[i];
	}
	uint64_t each[7];
	usual(&g, days, each);
	for (int32_t i = 0; i < days && !status && covered >= GAP_WEEKS * 7;) {
		int32_t k = i;
		uint64_t expected = 0;
		while (k < days && g.covered[k] && !g.orders[k]) {
			expected += each[ent_day_weekday(x->from + k)];
			k++;
		}
		if (expected >= (uint64_t)GAP_EXPECTED * 1000) {
			tell_gap(&g, i, k, expected);
		}
		i = k + 1;
	}
	free(g.orders);
	free(g.covered);
	return status;
}

/* ---- one order under two keys
 * ----------------------------------------------------------------------------------------------- */

static int by_same(const void *a, const void *b) {
	const order *x = *(const order *const *)a, *y = *(const order *const *)b;
	return x->same != y->same ? (x->same < y->same ? -1 : 1) : (x > y) - (x < y);
}

static void check_duplicates(ent__integrity *x) {
	static const char *const head[] = {"order", "the same as", "day", "where", "and where"};
	const order **list = ent_xcalloc(x->n + 1, sizeof *list);
	size_t n = 0;
	uint64_t named = 0, nameless = 0;
	for (size_t i = 0; i < x->n; i++) { /* to the second: two orders of one day may well be alike */
		if (in_window(x, &x->orders[i]) && x->orders[i].dated && x->orders[i].counts) {
			list[n++] = &x->orders[i];
		}
	}
	if (n) {
		qsort(list, n, sizeof *list, by_same);
	}
	for (size_t i = 1; i < n; i++) {
		if (list[i]->same == list[i - 1]->same) {
			named += list[i]->customer != 0;
			nameless += list[i]->customer == 0;
		}
	}
	uint64_t found = (named >= TWICE_LEAST ? named : 0) + (nameless >= TWICE_LEAST_NAMELESS ? nameless : 0);
	if (found) {
		char text[300], key[68], other[68], day[16], where[600], there[600];
		snprintf(text, sizeof text,
			"%" PRIu64 " orders stand there twice, under different keys: same second, customer, amounts and lines",
			found);
		uint32_t source = 0;
		for (size_t i = 1; i < n && !source; i++) {
			source = list[i]->same == list[i - 1]->same ? list[i]->source : 0;
		}
		begin(x, ENT_CHECK_DUPLICATES, source, text, found, n);
		row_of(&x->j, head, 5);
		for (size_t i = 1, shown = 0; i < n && shown < ROWS_SHOWN; i++) {
			const order *o = list[i], *was = list[i - 1];
			if (o->same == was->same) {
				shown++;
				row_of(&x->j,
					(const char *[]){key_of(x, o, key), key_of(x, was, other), ent_day_text(o->day, day),
						place_of(x, o, where), place_of(x, was, there)},
					5);
			}
		}
		end(x);
	}
	free(list);
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------------------------------ */

int ent__integrity_end(ent__integrity *x, ent_buf *json, ent_error *error) {
	uint64_t seen = 0;
	int status = 0;
	if (x->n) {
		qsort(x->orders, x->n, sizeof *x->orders, by_source);
	}
	for (size_t i = 0; i < x->n; i++) {
		seen += in_window(x, &x->orders[i]);
	}
	ent_json_init(&x->j, json, false);
	ent_json_object(&x->j);
	ent_json_key(&x->j, "orders");
	ent_json_uint(&x->j, seen);
	ent_json_key(&x->j, "found");
	ent_json_array(&x->j);
	for (size_t i = 0, to; i < x->n; i = to) {
		to = end_of_source(x, i);
		if (x->wanted >> ENT_CHECK_LINES & 1) {
			check_lines(x, i, to);
		}
		if (x->wanted >> ENT_CHECK_SWAPPED & 1) {
			check_swapped(x, i, to);
		}
	}
	if (seen && x->wanted >> ENT_CHECK_GAP & 1) {
		status = check_gap(x, error);
	}
	if (x->wanted >> ENT_CHECK_DUPLICATES & 1) {
		check_duplicates(x);
	}
	ent_json_end(&x->j);
	ent_json_end(&x->j);
	return status;
}

static int take_one(void *ctx, ent_document *d) {
	ent__integrity_take(ctx, d);
	return 0;
}

int ent__integrity_of(
	ent_engine *e, const ent__facts_want *want, unsigned wanted, ent_snapshot_block *out, ent_error *error) {
	int32_t to = want->to < want->last + 1 ? want->to : want->last + 1;
	if (want->from >= to) {
		return ent_error_set(error, ENT_ERR_INVALID, "there is no day that could be tested");
	}
	ent__integrity *x = ent__integrity_create(e, want->partner, want->from, to, wanted);
	ent_buf json = {0};
	int status = ent__facts_each(e, want->partner, 1u << ENT_ORDER, take_one, x, error);
	status = status ? status : ent__integrity_end(x, &json, error);
	status = status ? status : ent__build_seal(&json, out, error);
	ent_buf_finish(&json);
	ent__integrity_destroy(x);
	return status;
}
