/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a snapshot: checks the whole block once, then merges coverage and notes which origins speak of what. */
#include "base/arena.h"
#include "base/intern.h"
#include "metrics/custom_pack.h"
#include "metrics/window_index.h"

#include <stdlib.h>
#include <string.h>

const uint8_t ent__precedence[ENT_PRECEDENCE] = {ENT_ORIGIN_SHOP, ENT_ORIGIN_ANALYTICS, ENT_ORIGIN_DECLARED};

#define DAY_LIMIT (1 << 28) /* beyond any calendar; keeps sums of days far from overflow */

static int corrupt(ent_error *e, const char *part, uint64_t item, const char *what) {
	return ent_error_set(e, ENT_ERR_CORRUPT, "snapshot: %s %llu: %s", part, (unsigned long long)item, what);
}

static bool fits(uint64_t bytes, uint64_t offset, uint64_t n, uint64_t size) {
	return offset <= bytes && n <= (bytes - offset) / size;
}

static int section(ent_error *e, const ent_snap_head *h, ent_snap_section at, size_t size, const char *name) {
	if (at.offset % 8 || !fits(h->bytes, at.offset, at.n, size)) {
		return ent_error_set(e, ENT_ERR_CORRUPT, "snapshot: section of %s leaves the block or is not aligned", name);
	}
	if (at.n >= UINT32_MAX) {
		return ent_error_set(e, ENT_ERR_CORRUPT, "snapshot: section of %s has too many items", name);
	}
	return 0;
}

static bool days_fit(int32_t day0, uint64_t n) {
	return day0 > -DAY_LIMIT && day0 < DAY_LIMIT && n < DAY_LIMIT;
}

static int check_texts(const ent_snap *s, ent_error *e) {
	for (uint32_t i = 0; i < s->n_texts; i++) {
		const ent_snap_text *t = &s->texts[i];
		if (!fits(s->head->bytes, t->offset, t->n, 1) || t->offset + t->n >= s->head->bytes ||
			s->base[t->offset + t->n] != 0) {
			return corrupt(e, "text", i, "leaves the block or is not terminated");
		}
	}
	if (s->n_texts == 0 || s->texts[0].n != 0) {
		return corrupt(e, "text", 0, "must be the empty text");
	}
	return s->head->currency < s->n_texts ? 0 : corrupt(e, "text", s->head->currency, "the currency is not there");
}

static int check_series(const ent_snap *s, const ent_snap_partner *p, ent_error *e) {
	for (uint64_t i = p->series; i < p->series + p->n_series; i++) {
		const ent_snap_series *x = &s->series[i];
		if (x->measure >= s->catalogue->n_measures || !ent_snap_measure(s, x->measure)->name || x->origin >= ENT_ORIGIN_COUNT || x->view >= ENT_VIEW_COUNT ||
			x->value >= s->n_texts || x->currency >= s->n_texts) {
			return corrupt(e, "series", i, "names something that is not there");
		}
		if (!days_fit(x->day0, x->n) || x->points > x->n || x->data % 8 ||
			!fits(s->head->bytes, x->data, ent_snap_series_bytes(x), 1)) {
			return corrupt(e, "series", i, "its days leave the block");
		}
		const int32_t *days = x->points ? (const int32_t *)(s->base + x->data + x->points * 8) : NULL;
		for (uint64_t d = 0; d < x->points; d++) {
			if (days[d] < 0 || (uint64_t)days[d] >= x->n || (d && days[d - 1] >= days[d])) {
				return corrupt(e, "series", i, "its points are out of order");
			}
		}
		if (i > p->series) {
			const ent_snap_series *b = x - 1;
			uint64_t was = (uint64_t)b->measure << 48 | (uint64_t)b->origin << 40 | (uint64_t)b->view << 32 | b->value;
			uint64_t is = (uint64_t)x->measure << 48 | (uint64_t)x->origin << 40 | (uint64_t)x->view << 32 | x->value;
			if (was > is || (was == is && b->currency >= x->currency)) {
				return corrupt(e, "series", i, "is out of order");
			}
		}
	}
	return 0;
}

static int check_sets(const ent_snap *s, const ent_snap_partner *p, ent_error *e) {
	for (uint64_t i = p->sets; i < p->sets + p->n_sets; i++) {
		const ent_snap_set *x = &s->sets[i];
		if (x->set >= s->catalogue->n_sets || x->origin >= ENT_ORIGIN_COUNT || x->view >= ENT_VIEW_COUNT ||
			x->value >= s->n_texts) {
			return corrupt(e, "set", i, "names something that is not there");
		}
		if (!days_fit(x->day0, x->n) || x->starts % 4 || x->ids % 4 ||
			!fits(s->head->bytes, x->starts, (uint64_t)x->n + 1, 4)) {
			return corrupt(e, "set", i, "its days leave the block");
		}
		const uint32_t *starts = (const uint32_t *)(s->base + x->starts);
		for (uint32_t d = 0; d < x->n; d++) {
			if (starts[d] > starts[d + 1]) {
				return corrupt(e, "set", i, "its days are out of order");
			}
		}
		if (!fits(s->head->bytes, x->ids, starts[x->n], 4)) {
			return corrupt(e, "set", i, "its identities leave the block");
		}
		if (i > p->sets) {
			const ent_snap_set *b = x - 1;
			uint64_t was = (uint64_t)b->set << 48 | (uint64_t)b->origin << 40 | (uint64_t)b->view << 32 | b->value;
			uint64_t is = (uint64_t)x->set << 48 | (uint64_t)x->origin << 40 | (uint64_t)x->view << 32 | x->value;
			if (was >= is) {
				return corrupt(e, "set", i, "is out of order");
			}
		}
	}
	return 0;
}

static int check_dists(const ent_snap *s, const ent_snap_partner *p, ent_error *e) {
	for (uint64_t i = p->dists; i < p->dists + p->n_dists; i++) {
		const ent_snap_dist *x = &s->dists[i];
		if (x->dist >= s->catalogue->n_dists || x->origin >= ENT_ORIGIN_COUNT || x->currency >= s->n_texts) {
			return corrupt(e, "distribution", i, "names something that is not there");
		}
		if (x->rows % 8 || !fits(s->head->bytes, x->rows, x->n, sizeof(ent_snap_bucket))) {
			return corrupt(e, "distribution", i, "its rows leave the block");
		}
		const ent_snap_bucket *rows = (const ent_snap_bucket *)(s->base + x->rows);
		for (uint64_t r = 0; r < x->n; r++) {
			if (rows[r].bucket < -ENT_DIST_MAX_BUCKET || rows[r].bucket > ENT_DIST_MAX_BUCKET || rows[r].count < 0) {
				return corrupt(e, "distribution", i, "has a bucket that cannot be");
			}
			if (r && (rows[r - 1].day > rows[r].day ||
						 (rows[r - 1].day == rows[r].day && rows[r - 1].bucket >= rows[r].bucket))) {
				return corrupt(e, "distribution", i, "its rows are out of order");
			}
		}
		if (i > p->dists) {
			const ent_snap_dist *b = x - 1;
			uint64_t was = (uint64_t)b->dist << 40 | (uint64_t)b->origin << 32 | b->currency;
			uint64_t is = (uint64_t)x->dist << 40 | (uint64_t)x->origin << 32 | x->currency;
			if (was >= is) {
				return corrupt(e, "distribution", i, "is out of order");
			}
		}
	}
	return 0;
}

static int check_covers(const ent_snap *s, const ent_snap_partner *p, ent_error *e) {
	for (uint64_t i = p->covers; i < p->covers + p->n_covers; i++) {
		const ent_snap_cover *x = &s->covers[i];
		if (x->family >= ENT_FAMILY_COUNT || x->origin >= ENT_ORIGIN_COUNT || x->source >= s->n_texts) {
			return corrupt(e, "cover", i, "names something that is not there");
		}
		if (!days_fit(x->from, 0) || !days_fit(x->to, 0) || x->from > x->to) {
			return corrupt(e, "cover", i, "its days cannot be");
		}
		if (i > p->covers) {
			const ent_snap_cover *b = x - 1;
			int was = b->family << 8 | b->origin, is = x->family << 8 | x->origin;
			if (was > is || (was == is && b->from > x->from)) {
				return corrupt(e, "cover", i, "is out of order");
			}
		}
	}
	return 0;
}

static int check_rates(const ent_snap *s, ent_error *e) {
	for (uint32_t i = 0; i < s->n_rates; i++) {
		const ent_snap_rate *x = &s->rates[i];
		if (x->currency >= s->n_texts || (i && x[-1].currency >= x->currency)) {
			return corrupt(e, "rate", i, "is out of order or names a currency that is not there");
		}
		if (!days_fit(x->day0, x->n) || x->data % 8 || !fits(s->head->bytes, x->data, x->n, 8)) {
			return corrupt(e, "rate", i, "its days leave the block");
		}
		const int64_t *data = (const int64_t *)(s->base + x->data);
		for (uint64_t d = 0; d < x->n; d++) {
			if (data[d] < 0) {
				return corrupt(e, "rate", i, "is negative");
			}
		}
	}
	return 0;
}

static int check_partners(const ent_snap *s, ent_error *e) {
	const ent_snap_head *h = s->head;
	for (uint32_t i = 0; i < s->n_partners; i++) {
		const ent_snap_partner *p = &s->partners[i];
		if (p->id >= s->n_texts || !fits(h->series.n, p->series, p->n_series, 1) || !fits(h->sets.n, p->sets, p->n_sets, 1) ||
			!fits(h->dists.n, p->dists, p->n_dists, 1) || !fits(h->covers.n, p->covers, p->n_covers, 1) ||
			!fits(h->bytes, p->json, p->n_json, 1)) {
			return corrupt(e, "partner", i, "names something that is not there");
		}
		if (p->behind > ENT_SNAP_BEHIND) {
			return corrupt(e, "partner", i, "its day cannot be");
		}
		if (i && strcmp(ent_snap_partner_id(s, i - 1), ent_snap_partner_id(s, i)) >= 0) {
			return corrupt(e, "partner", i, "is out of order");
		}
		int status = check_series(s, p, e);
		status = status ? status : check_sets(s, p, e);
		status = status ? status : check_dists(s, p, e);
		status = status ? status : check_covers(s, p, e);
		if (status) {
			return status;
		}
	}
	return 0;
}

/* Appends the covers [first, last) of one group, overlapping and touching ones merged. Returns the new end of spans. */
static uint32_t merge(ent__span *spans, uint32_t end, const ent_snap_cover *first, const ent_snap_cover *last, bool said) {
	uint32_t begin = end;
	for (const ent_snap_cover *c = first; c < last; c++) {
		if ((said && !c->declared) || c->from == c->to) {
			continue;
		}
		if (end > begin && c->from <= spans[end - 1].to) {
			if (c->to > spans[end - 1].to) {
				spans[end - 1].to = c->to;
			}
			continue;
		}
		int32_t before = end > begin ? spans[end - 1].before + (spans[end - 1].to - spans[end - 1].from) : 0;
		spans[end++] = (ent__span){c->from, c->to, before};
	}
	return end;
}

static uint8_t pick(unsigned covered, unsigned data) {
	for (int i = 0; i < ENT_PRECEDENCE; i++) {
		if (covered & 1u << ent__precedence[i]) {
			return ent__precedence[i];
		}
	}
	for (int i = 0; i < ENT_PRECEDENCE; i++) {
		if (data & 1u << ent__precedence[i]) {
			return ent__precedence[i];
		}
	}
	return ENT_ORIGIN_SHOP;
}

static void build_index(ent_snap *s) {
	struct ent__snap_index *x = s->index;
	x->partners = ent_xcalloc(s->n_partners ? s->n_partners : 1, sizeof *x->partners);
	/* Each cover opens at most one group, and one span of either kind. */
	size_t n_covers = 0;
	for (uint32_t i = 0; i < s->n_partners; i++) {
		n_covers += s->partners[i].n_covers;
	}
	x->groups = ent_xcalloc(n_covers + 1, sizeof *x->groups);
	x->spans = ent_xcalloc(2 * n_covers + 1, sizeof *x->spans);
	uint32_t n_groups = 0, n_spans = 0;
	for (uint32_t i = 0; i < s->n_partners; i++) {
		const ent_snap_partner *p = &s->partners[i];
		ent__partner_index *q = &x->partners[i];
		unsigned covered[ENT_FAMILY_COUNT] = {0}, data[ENT_FAMILY_COUNT] = {0};
		q->groups = n_groups;
		const ent_snap_cover *c = s->covers + p->covers, *end = c + p->n_covers;
		while (c < end) {
			const ent_snap_cover *first = c;
			while (c < end && c->family == first->family && c->origin == first->origin) {
				c++;
			}
			ent__cover_group *g = &x->groups[n_groups++];
			*g = (ent__cover_group){.family = first->family, .origin = first->origin, .all = n_spans};
			n_spans = merge(x->spans, n_spans, first, c, false);
			g->n_all = n_spans - g->all;
			g->said = n_spans;
			n_spans = merge(x->spans, n_spans, first, c, true);
			g->n_said = n_spans - g->said;
			covered[first->family] |= 1u << first->origin;
		}
		q->n_groups = n_groups - q->groups;
		for (uint64_t k = p->series; k < p->series + p->n_series; k++) {
			data[ent_snap_measure(s, s->series[k].measure)->family] |= 1u << s->series[k].origin;
		}
		for (uint64_t k = p->sets; k < p->sets + p->n_sets; k++) {
			data[s->catalogue->sets[s->sets[k].set].family] |= 1u << s->sets[k].origin;
		}
		for (uint64_t k = p->dists; k < p->dists + p->n_dists; k++) {
			data[s->catalogue->dists[s->dists[k].dist].family] |= 1u << s->dists[k].origin;
		}
		for (int f = 0; f < ENT_FAMILY_COUNT; f++) {
			q->best[f] = pick(covered[f], data[f]);
			q->origins[f] = (uint8_t)(covered[f] | data[f]);
		}
	}
}

static int open_custom(ent_snap *s, ent_error *e) {
	const ent_snap_section *at = &s->head->custom;
	s->index = ent_xcalloc(1, sizeof *s->index);
	if (!fits(s->head->bytes, at->offset, at->n, 1)) {
		return ent_error_set(e, ENT_ERR_CORRUPT, "snapshot: section of declared metrics leaves the block");
	}
	if (at->n) {
		s->index->custom = ent_custom_unpack(s->base + at->offset, at->n, e);
		if (!s->index->custom) {
			return ENT_ERR_CORRUPT;
		}
		s->catalogue = &s->index->custom->catalogue;
	}
	return 0;
}

int ent_snap_open(ent_snap *s, const void *block, size_t bytes, ent_error *e) {
	*s = (ent_snap){.base = block, .head = block};
	const ent_snap_head *h = s->head;
	if (bytes < sizeof *h || (uintptr_t)block % 8 || h->magic != ENT_SNAP_MAGIC) {
		return ent_error_set(e, ENT_ERR_CORRUPT, "snapshot: this is none");
	}
	if (h->version != ENT_SNAP_VERSION) {
		return ent_error_set(e, ENT_ERR_CORRUPT, "snapshot: version %u, this program reads %u", h->version, ENT_SNAP_VERSION);
	}
	if (h->bytes > bytes || h->bytes < sizeof *h || !days_fit(h->as_of, 0)) {
		return ent_error_set(e, ENT_ERR_CORRUPT, "snapshot: says %llu bytes, has %zu", (unsigned long long)h->bytes, bytes);
	}
	const struct {
		ent_snap_section at;
		size_t size;
		const char *name;
	} sections[] = {
		{h->texts, sizeof(ent_snap_text), "texts"},          {h->partners, sizeof(ent_snap_partner), "partners"},
		{h->series, sizeof(ent_snap_series), "series"},      {h->sets, sizeof(ent_snap_set), "sets"},
		{h->dists, sizeof(ent_snap_dist), "distributions"},  {h->covers, sizeof(ent_snap_cover), "covers"},
		{h->rates, sizeof(ent_snap_rate), "rates"},
	};
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
		if (section(e, h, sections[i].at, sections[i].size, sections[i].name)) {
			return ENT_ERR_CORRUPT;
		}
	}
	if (!fits(h->bytes, h->meta.offset, h->meta.n, 1)) {
		return ent_error_set(e, ENT_ERR_CORRUPT, "snapshot: section of meta leaves the block");
	}
	s->texts = (const ent_snap_text *)(s->base + h->texts.offset);
	s->partners = (const ent_snap_partner *)(s->base + h->partners.offset);
	s->series = (const ent_snap_series *)(s->base + h->series.offset);
	s->sets = (const ent_snap_set *)(s->base + h->sets.offset);
	s->dists = (const ent_snap_dist *)(s->base + h->dists.offset);
	s->covers = (const ent_snap_cover *)(s->base + h->covers.offset);
	s->rates = (const ent_snap_rate *)(s->base + h->rates.offset);
	s->n_texts = (uint32_t)h->texts.n;
	s->n_partners = (uint32_t)h->partners.n;
	s->n_rates = (uint32_t)h->rates.n;
	s->as_of = h->as_of;
	s->catalogue = &ent_builtin;
	int status = open_custom(s, e);
	status = status ? status : check_texts(s, e);
	status = status ? status : check_partners(s, e);
	status = status ? status : check_rates(s, e);
	if (!status) {
		build_index(s);
	} else {
		ent_snap_finish(s);
	}
	return status;
}

void ent_snap_finish(ent_snap *s) {
	if (!s) {
		return;
	}
	struct ent__snap_index *x = s->index;
	if (x) {
		ent_custom_pack_destroy(x->custom);
		free(x->partners);
		free(x->groups);
		free(x->spans);
		free(x->text_slots);
		free(x->ids);
		free(x->ids_other);
		free(x->histogram);
		free(x->items);
		free(x);
	}
	*s = (ent_snap){0};
}

int64_t ent_snap_find_partner(const ent_snap *s, const char *id, size_t n) {
	uint32_t low = 0, high = s->n_partners;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const ent_snap_text *t = &s->texts[s->partners[middle].id];
		size_t least = t->n < n ? t->n : n;
		int order = memcmp(s->base + t->offset, id, least);
		if (order == 0 && t->n == n) {
			return middle;
		}
		if (order < 0 || (order == 0 && t->n < n)) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return -1;
}

static void index_texts(ent_snap *s) {
	struct ent__snap_index *x = s->index;
	uint32_t size = 16;
	while (size < 2 * s->n_texts) {
		size *= 2;
	}
	x->text_slots = ent_xcalloc(size, sizeof *x->text_slots);
	x->text_mask = size - 1;
	for (uint32_t i = 0; i < s->n_texts; i++) {
		uint32_t slot = (uint32_t)ent_hash64(s->base + s->texts[i].offset, s->texts[i].n, 0) & x->text_mask;
		while (x->text_slots[slot]) {
			slot = (slot + 1) & x->text_mask;
		}
		x->text_slots[slot] = i + 1;
	}
}

uint32_t ent_snap_find_value(ent_snap *s, const char *value, size_t n) {
	if (n == 0 || (n == strlen(ENT_NONE_NAME) && memcmp(value, ENT_NONE_NAME, n) == 0)) {
		return 0;
	}
	struct ent__snap_index *x = s->index;
	if (!x->text_slots) {
		index_texts(s);
	}
	uint32_t slot = (uint32_t)ent_hash64(value, n, 0) & x->text_mask;
	for (; x->text_slots[slot]; slot = (slot + 1) & x->text_mask) {
		const ent_snap_text *t = &s->texts[x->text_slots[slot] - 1];
		if (t->n == n && memcmp(s->base + t->offset, value, n) == 0) {
			return x->text_slots[slot] - 1;
		}
	}
	return ENT_NO_TEXT;
}

const char *ent_snap_value_name(const ent_snap *s, uint32_t value) {
	return value ? ent_snap_text_of(s, value) : ENT_NONE_NAME;
}
