/* SPDX-License-Identifier: Apache-2.0
 *
 * A view that no cell keeps: the partner's documents are folded anew, with that view alone, and what comes out is laid
 * out as a snapshot. So the figure is what the cell would have said, to the last digit: the same fold made it and the
 * same reader reads it. Loop thread only. */
#include "engine/facts_table.h"
#include "engine/snapshot_build.h"
#include "metrics/window.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 4096 }; /* for texts that the engine takes in while it folds: currencies at most, and those it has */

typedef struct cut {
	ent_engine *e;
	const ent__facts_want *want;
	unsigned families;
	ent_fold fold;
	ent_intern made; /* values that no source wrote; their codes come behind those of the store's texts */
	ent__build b;
	ent_error *error;
} cut;

static uint32_t made(void *ctx, ent_view view, uint32_t what) {
	cut *c = ctx;
	char token[ENT__TOKEN + 1];
	const char *text = token;
	if (view == ENT_VIEW_LOAD_TIME) {
		text = ent_load_times[what].name;
	} else {
		ent__facts_token(c->e, c->want->partner, what, token);
	}
	return c->b.made_from + ent_intern_put(&c->made, text, strlen(text));
}

/* The fold asks the engine for all else. */
static const ent_zone *zone(void *ctx, uint32_t partner) {
	return ((cut *)ctx)->e->fold.zone(((cut *)ctx)->e, partner);
}
static const ent_zone *source_zone(void *ctx, uint32_t source) {
	return ((cut *)ctx)->e->fold.source_zone(((cut *)ctx)->e, source);
}
static uint32_t channel(void *ctx, uint32_t system, uint32_t raw) {
	return ((cut *)ctx)->e->fold.channel(((cut *)ctx)->e, system, raw);
}
static uint32_t currency(void *ctx, const char text[4]) {
	return ((cut *)ctx)->e->fold.currency(((cut *)ctx)->e, text);
}
static const char *text_of(void *ctx, uint32_t code) { return ent__text(((cut *)ctx)->e, code); }
static int compare_partners(void *ctx, uint32_t a, uint32_t b) {
	return ((cut *)ctx)->e->fold.compare_partners(((cut *)ctx)->e, a, b);
}

static unsigned family_of(unsigned kind) {
	return kind == ENT_ORDER ? ENT_SALES : kind == ENT_VISIT ? ENT_TRAFFIC : ENT_CARTS;
}

static int take(void *ctx, ent_document *d) {
	cut *c = ctx;
	uint8_t origin = c->want->origins[family_of(d->kind)];
	if (origin < ENT_ORIGIN_COUNT && d->origin != origin) {
		return 0; /* another origin tells of the same things */
	}
	c->b.generation++; /* what is told with the view: of how many documents it was made */
	return ent_fold_document(&c->fold, d, 1, c->error);
}

/* Rates as the rules have them, of the days that are read. */
static int rates(cut *c, const ent_snapshot_block *base) {
	ent_snap s;
	ent__build *b = &c->b;
	int32_t to = c->want->to;
	int status = ent_snap_open(&s, base->data, base->bytes, c->error);
	for (uint32_t i = 0; !status && i < s.n_rates; i++) {
		const ent_snap_rate *r = &s.rates[i];
		int64_t first = c->want->from > r->day0 ? c->want->from : r->day0, last = (int64_t)r->day0 + (int64_t)r->n;
		last = last > to ? to : last;
		if (first < last) {
			ent_snap_rate row = {.currency = ent__build_text(b, ent__code_of(c->e, ent_snap_text_of(&s, r->currency))),
				.day0 = (int32_t)first,
				.n = (uint64_t)(last - first),
				.data = b->data.n};
			ent_buf_add(&b->data, s.base + r->data + (size_t)(first - r->day0) * 8, row.n * 8);
			ent_buf_add(&b->rate_rows, &row, sizeof row);
		}
	}
	ent_snap_finish(&s);
	return status;
}

/* Whether the days are known is asked of the snapshot that the rules read; here, what there is counts. */
static void cover_all(cut *c) {
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		if (c->families >> f & 1) {
			ent__build *b = &c->b;
			ENT_GROW(b->covers, b->n_covers, b->covers_capacity);
			b->covers[b->n_covers++] = (ent__build_cover_row){c->want->partner, {.family = (uint8_t)f,
																					.origin = c->want->origins[f],
																					.declared = 1,
																					.from = c->want->from,
																					.to = c->want->to}};
		}
	}
}

static void cells(cut *c, const ent_cells_flush *f, ent_view view) {
	ent_cell cell;
	for (unsigned family = 0; family < ENT_FAMILY_OF_SETS; family++) { /* those of users, too */
		for (size_t i = 0; i < f->n_cells; i++) {
			const ent_cell_key *k = f->cells[i].key;
			if (k->family == family && k->view == view && k->partner == c->want->partner && k->day >= c->want->from &&
				k->day < c->want->to && k->day <= c->want->last) {
				cell = (ent_cell){.key = *k};
				memcpy(cell.m, f->cells[i].m, ent_family_width(family) * sizeof *cell.m);
				ent__build_cell(&c->b, &cell);
			}
		}
		ent__build_cells(&c->b);
	}
	for (size_t i = 0; i < f->n_sets; i++) {
		const ent_cell_key *k = f->sets[i].key;
		if (k->view == view && k->partner == c->want->partner && k->day >= c->want->from && k->day < c->want->to &&
			k->day <= c->want->last) {
			ent__build *b = &c->b;
			ENT_GROW(b->days, b->n_days, b->days_capacity);
			b->days[b->n_days++] = (ent__build_day){*k, b->ids.n / 4, f->sets[i].n};
			for (uint32_t m = 0; m < f->sets[i].n; m++) {
				ent_buf_u32(&b->ids, ent_change_member(f->sets[i].items[m]));
			}
		}
	}
	ent__build_sets(&c->b);
}

int ent__facts_view(ent_engine *e, const ent__facts_want *want, ent_view view, unsigned families,
	const ent_snapshot_block *base, ent_snapshot_block *out, ent_error *error) {
	static const uint8_t kinds[ENT_FAMILY_COUNT] = {
		[ENT_SALES] = ENT_ORDER, [ENT_TRAFFIC] = ENT_VISIT, [ENT_CARTS] = ENT_CART};
	cut c = {.e = e,
		.want = want,
		.families = families,
		.error = error,
		.b = {.e = e,
			.as_of = want->last,
			.as_of_mode = "",
			.bare = true,
			.made_from = e->texts.count + ROOM,
			.made = &c.made}};
	ent_cells *folded = ent_cells_create();
	unsigned wanted = 0;
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		wanted |= families >> f & 1 ? 1u << kinds[f] : 0;
	}
	c.fold = (ent_fold){.cells = folded,
		.zone = zone,
		.source_zone = source_zone,
		.channel = channel,
		.currency = currency,
		.compare_partners = compare_partners,
		.made = made,
		.custom = e->fold.custom,
		.text = text_of,
		.ctx = &c};
	c.fold.views[view] = true;
	ent_intern_init(&c.made);
	ent__build_begin(&c.b);
	int status = ent__facts_each(e, want->partner, wanted, take, &c, error);
	status = status ? status : rates(&c, base);
	if (!status) {
		ent_cells_flush flush = ent_cells_sort(folded);
		ent_buf block = {0};
		cells(&c, &flush, view);
		cover_all(&c);
		ENT_GROW(c.b.partners, c.b.n_partners, c.b.partners_capacity);
		c.b.partners[c.b.n_partners++] = want->partner;
		ent__build_rank(&c.b);
		ent__build_assemble(&c.b, &block);
		status = ent__build_seal(&block, out, error);
		ent_buf_finish(&block);
	}
	ent__build_finish(&c.b);
	ent_intern_finish(&c.made);
	ent_cells_destroy(folded);
	return status;
}
