/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows to facts: presets first, then what the row says, then what can be computed.
 */
#include "csv.h"

#include <stdio.h>
#include <stdlib.h>

/* Part of keys that are stored: it must be the same on every machine, so bytes are put together by hand at the end. */
uint64_t csv__hash(uint64_t h, ent_str s) {
	size_t i = 0;
	uint64_t x;
	for (; i + 8 <= s.n; i += 8) {
		memcpy(&x, s.p + i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		x = __builtin_bswap64(x);
#endif
		h = (h ^ x) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 32;
	}
	x = s.n;
	for (; i < s.n; i++)
		x = x << 8 | (unsigned char)s.p[i];
	h = (h ^ x) * 0xd1b54a32d192ed03ULL;
	return h ^ h >> 29;
}

/* `part`: 0 the order, or the whole fact; 1 the line. 0, or 1: the row was rejected. */
static int fill(csv *d, const ent_row *r, int part, csv_fact *fact) {
	for (uint32_t i = 0; i < d->n_bindings; i++) {
		csv_binding *b = &d->bindings[i];
		const char *why = "";
		if (!b->field)
			break; /* free fields are the last */
		if (b->field->line != part && d->shape == SHAPE_ORDER_LINES)
			continue;
		ent_str s = csv__cell(d, b, r->cell[b->column]);
		if (!s.n) {
			if (!b->field->required || d->required_given >> (b->field - d->fields) & 1)
				continue;
			why = "empty";
		} else if (!csv__convert(d, b, s, fact, &why)) {
			continue;
		}
		d->host->reject(d->ctx, r->place, b->column, why);
		return 1;
	}
	return 0;
}

/* A set of 64-bit hashes with a count each: [hash, count] pairs, count 0 is free. Returns the count before, -1: no
 * memory. */
static int64_t count(uint64_t **table, size_t *n, size_t *room, uint64_t hash) {
	if ((*n + 1) * 2 > *room) {
		size_t wide = *room ? *room * 2 : 64;
		uint64_t *t = calloc(wide, 2 * sizeof *t);
		if (!t)
			return -1;
		for (size_t i = 0; i < *room; i++)
			if ((*table)[2 * i + 1]) {
				size_t at = (*table)[2 * i] & (wide - 1);
				while (t[2 * at + 1])
					at = (at + 1) & (wide - 1);
				memcpy(t + 2 * at, *table + 2 * i, 2 * sizeof *t);
			}
		free(*table);
		*table = t;
		*room = wide;
	}
	size_t at = hash & (*room - 1);
	while ((*table)[2 * at + 1] && (*table)[2 * at] != hash)
		at = (at + 1) & (*room - 1);
	*n += !(*table)[2 * at + 1];
	(*table)[2 * at] = hash;
	return (int64_t)(*table)[2 * at + 1]++;
}

static void forget(uint64_t *table, size_t *n, size_t room) {
	if (*n)
		memset(table, 0, room * 2 * sizeof *table);
	*n = 0;
}

/* Key of a row that has none: its content, and the how-manieth of its kind it is within the rows of its order that
 * stand together. Not its number: an order whose rows stand apart would number two of them alike. */
static int made_key(csv *d, const ent_row *r, char out[40], ent_str *key) {
	static const char hex[] = "0123456789abcdef";
	uint64_t h = 0xcbf29ce484222325ULL;
	for (uint32_t i = 0; i < d->n_wanted; i++)
		h = csv__hash(h, r->cell[i]);
	int64_t before = count(&d->twins, &d->n_twins, &d->room_twins, h);
	if (before < 0)
		return -1;
	for (int i = 0; i < 16; i++)
		out[i] = hex[h >> (60 - 4 * i) & 15];
	int n = before ? 16 + snprintf(out + 16, 24, ".%lld", (long long)before + 1) : 16;
	*key = (ent_str){out, (size_t)n};
	return 0;
}

static int line_amounts(csv *d, const ent_row *r, ent_line *l) {
	const uint64_t both = ENT_HAS_QUANTITY | ENT_HAS_UNIT_PRICE;
	if (!(l->h.has & ENT_HAS_GROSS) && (l->h.has & both) == both) {
		if (text_times(l->unit_price, l->quantity, &l->gross)) {
			d->host->reject(d->ctx, r->place, ENT_NO_COLUMN, "unit_price times quantity is out of range");
			return 1;
		}
		l->h.has |= ENT_HAS_GROSS;
	}
	return 0;
}

/* The key, or the partner, as the facts will have it. */
static ent_str key_cell(const csv *d, const csv_binding *b, const ent_row *r) {
	return b ? csv__key_text(csv__cell(d, b, r->cell[b->column])) : (ent_str){NULL, 0};
}

/* 1: the row belongs to another order than the row before. Rows of one order that name several partners are an order of
 * each of them. */
static int turns(csv *d, const ent_row *r) {
	ent_str order = key_cell(d, d->order_of, r), partner = key_cell(d, d->partner_of, r);
	if (order.n && order.n == d->order_n && !memcmp(order.p, d->order, order.n) && partner.n == d->partner_n &&
		(!partner.n || !memcmp(partner.p, d->partner, partner.n)))
		return 0;
	forget(d->twins, &d->n_twins, d->room_twins);
	d->order_n = 0;
	d->partner_n = 0;
	if (order.n > sizeof d->order || partner.n > sizeof d->partner)
		return 1; /* the row will be rejected for it */
	if (order.n)
		memcpy(d->order, order.p, order.n);
	if (partner.n)
		memcpy(d->partner, partner.p, partner.n);
	d->order_n = (uint32_t)order.n;
	d->partner_n = (uint32_t)partner.n;
	return 1;
}

static ent_status push_line(csv *d, const ent_row *r, csv_fact *f) {
	char made[40];
	if (d->repeats && made_key(d, r, made, &f->h.key))
		return ENT_ENOMEM;
	if (line_amounts(d, r, &f->line))
		return ENT_OK;
	return d->host->push(d->ctx, ENT_LINE, &f->line, sizeof f->line, 1);
}

static ent_status line_row(csv *d, const ent_row *r) {
	csv_fact f = d->main_preset;
	f.h.place = r->place;
	if (d->repeats)
		turns(d, r);
	return fill(d, r, 0, &f) ? ENT_OK : push_line(d, r, &f);
}

/* The lines of an order that the document shows in two places would replace each other if both were complete. */
static ent_status once(csv *d, const ent_row *r) {
	if (!d->complete || !d->order_n)
		return ENT_OK;
	uint64_t h = csv__hash(0xcbf29ce484222325ULL, (ent_str){d->order, d->order_n});
	h = csv__hash(h, (ent_str){d->partner, d->partner_n});
	int64_t before = count(&d->seen, &d->n_seen, &d->room_seen, h);
	if (before < 0)
		return ENT_ENOMEM;
	if (!before)
		return ENT_OK;
	return d->host->error(d->ctx, r->place, d->order_of->column,
		"complete: true says that the rows of an order stand together, and those of this one do not",
		"sort the file by the order's number, or leave complete out");
}

static ent_status order_row(csv *d, const ent_row *r) {
	if (turns(d, r)) {
		csv_fact o = d->main_preset;
		ent_status e = once(d, r);
		if (e)
			return e;
		o.h.place = r->place;
		d->bad = (uint8_t)fill(d, r, 0, &o);
		if (d->bad)
			return ENT_OK;
		o.order.flags = d->complete ? ENT_ORDER_LINES_COMPLETE : 0;
		memcpy(d->currency, o.order.currency, 4);
		d->version = o.h.version;
		e = d->host->push(d->ctx, ENT_ORDER, &o.order, sizeof o.order, 1);
		if (e)
			return e;
	} else if (d->bad) {
		d->host->reject(d->ctx, r->place, d->order_of->column, "its order was rejected");
		return ENT_OK;
	}
	csv_fact f = d->line_preset;
	f.h.place = r->place;
	if (fill(d, r, 1, &f))
		return ENT_OK;
	f.h.partner = d->partner_of ? text_given((ent_str){d->partner, d->partner_n}) : d->main_preset.h.partner;
	f.h.version = d->version;
	f.line.order_key = (ent_str){d->order, d->order_n};
	memcpy(f.line.currency, d->currency, 4);
	return push_line(d, r, &f);
}

/* The observation's own key where the file has none: what it is about. */
static int observation_key(csv *d, const ent_row *r, ent_observation *x, char out[256]) {
	if (x->h.key.n)
		return 0;
	int n = snprintf(out, 256, "%.*s|%d:%lld|%.*s|%.*s|%s|%.*s|%d", (int)x->metric.n, x->metric.p, x->from.kind,
		(long long)x->from.v, (int)x->dims.n, x->dims.n ? x->dims.p : "", (int)x->unit.n, x->unit.n ? x->unit.p : "",
		x->currency, (int)x->who.n, x->who.n ? x->who.p : "", x->origin);
	if (n < 0 || n > 255) {
		d->host->reject(
			d->ctx, r->place, ENT_NO_COLUMN, "metric, dims, unit and who are too long together to make a key of");
		return 1;
	}
	x->h.key = (ent_str){out, (size_t)n};
	return 0;
}

static int entry_values(csv *d, const ent_row *r, ent_entry *x, ent_str *found, char out[256]) {
	uint32_t first = d->n_bindings;
	while (first && !d->bindings[first - 1].field)
		first--;
	for (uint32_t i = 0; i < d->n_free; i++) {
		found[i] = d->free_presets[i];
		if (first + i < d->n_bindings) {
			const csv_binding *b = &d->bindings[first + i];
			ent_str s = csv__cell(d, b, r->cell[b->column]);
			if (s.n)
				found[i] = s;
		}
		if (!found[i].p)
			found[i] = TEXT("");
	}
	x->names = d->free_names;
	x->values = found;
	x->n = d->n_free;
	if (x->h.key.n)
		return 0;
	int n = snprintf(out, 256, "%.*s/%.*s", (int)x->reg.n, x->reg.p, (int)x->id.n, x->id.p);
	if (n < 0 || n > 255) {
		d->host->reject(d->ctx, r->place, ENT_NO_COLUMN, "register and id are too long together to make a key of");
		return 1;
	}
	x->h.key = (ent_str){out, (size_t)n};
	return 0;
}

ent_status csv__facts(csv *d, const ent_row *r) {
	ent_str found[CSV_FIELDS_MAX];
	char made[256];
	csv_fact f;
	if (d->shape == SHAPE_ORDER_LINES)
		return order_row(d, r);
	if (d->shape == SHAPE_LINE)
		return line_row(d, r);
	f = d->main_preset;
	f.h.place = r->place;
	if (fill(d, r, 0, &f))
		return ENT_OK;
	switch (d->shape) {
	case SHAPE_OBSERVATION:
		if (observation_key(d, r, &f.observation, made))
			return ENT_OK;
		break;
	case SHAPE_ENTRY:
		if (entry_values(d, r, &f.entry, found, made))
			return ENT_OK;
		break;
	case SHAPE_REFUND:
		if (f.refund.amount < 0) {
			d->host->reject(d->ctx, r->place, ENT_NO_COLUMN,
				"a refund below zero; if the file writes refunds with a minus sign, set negate: [amount]");
			return ENT_OK;
		}
		break;
	default:
		break;
	}
	return d->host->push(d->ctx, csv__kind(d->shape), &f, sizeof f, 1);
}
