/* SPDX-License-Identifier: Apache-2.0
 *
 * What is added up: rows of a table are finer than what figures are kept by (a country has many cities), so sums of a
 * day and a value are held until the document ends.
 */
#include "plausible.h"

#include <stdlib.h>

enum { GROUPS_MAX = 1 << 22 };

static uint64_t hash_of(int64_t day, const char *dim, ent_str value) {
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)day;
	h = (h ^ (dim ? (unsigned char)dim[0] | (unsigned)(unsigned char)dim[1] << 8 : 0)) * UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = 0; i < value.n; i++)
		h = (h ^ (unsigned char)value.p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static int is(const plausible *p, const group *g, int64_t day, const char *dim, ent_str value) {
	return g->day == day && g->dim == dim && g->value_n == value.n &&
		   (!value.n || !memcmp(p->texts + g->value, value.p, value.n));
}

static int grow(plausible *p) {
	size_t n = p->n_slots ? p->n_slots * 2 : 1024;
	uint32_t *slots = calloc(n, sizeof *slots);
	if (!slots)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		const group *g = &p->groups[i];
		size_t at = hash_of(g->day, g->dim, (ent_str){p->texts + g->value, g->value_n}) & (n - 1);
		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = (uint32_t)i + 1;
	}
	free(p->slots);
	p->slots = slots;
	p->n_slots = n;
	return 0;
}

static int room(plausible *p, size_t text) {
	if (p->n == p->room) {
		size_t n = p->room ? p->room * 2 : 256;
		group *more = realloc(p->groups, n * sizeof *more);
		if (!more)
			return -1;
		p->groups = more;
		p->room = n;
	}
	if (p->texts_n + text > p->texts_room) {
		size_t n = (p->texts_room + text) * 2 + 1024;
		char *more = realloc(p->texts, n);
		if (!more)
			return -1;
		p->texts = more;
		p->texts_room = n;
	}
	return 0;
}

void plausible__clear(plausible *p) {
	if (p->n)
		memset(p->slots, 0, p->n_slots * sizeof *p->slots);
	p->n = p->texts_n = 0;
}

group *plausible__group(plausible *p, int64_t day, const char *dim, ent_str value, uint64_t place) {
	if ((2 * p->n >= p->n_slots && (p->n >= GROUPS_MAX || grow(p))) || room(p, value.n))
		return NULL;
	size_t at = hash_of(day, dim, value) & (p->n_slots - 1);
	for (; p->slots[at]; at = (at + 1) & (p->n_slots - 1))
		if (is(p, &p->groups[p->slots[at] - 1], day, dim, value))
			return &p->groups[p->slots[at] - 1];
	group *g = &p->groups[p->n++];
	*g = (group){.day = day, .dim = dim, .value = p->texts_n, .value_n = value.n, .place = place, .visitors = -1};
	if (value.n)
		memcpy(p->texts + p->texts_n, value.p, value.n);
	p->texts_n += value.n;
	p->slots[at] = (uint32_t)p->n;
	return g;
}
