/* SPDX-License-Identifier: Apache-2.0
 *
 * Small inline helpers for the shipped plugins that frame rows for themselves, because they have to see a document from
 * its beginning to its end: rows of any split of the bytes, and whether a text is UTF-8. One instance, one thread.
 */
#ifndef ENTENTE_PLUGINS_ROWS_H
#define ENTENTE_PLUGINS_ROWS_H

#include "text.h"

#include <stdlib.h>

enum { ROWS_LONGEST = 16 << 20 };

typedef struct rows {
	char *carry; /* the row that is not complete */
	size_t n, room;
	uint64_t place; /* of its first byte, which is behind the last row */
	int escapes;    /* a backslash before a line feed makes it data */
	int too_long;
} rows;

/* A row without its line feed, which lies until it returns. */
typedef ent_status rows_row(void *self, const char *p, size_t n, uint64_t place);

static inline int rows_utf8(ent_str s) {
	const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
	while (p < end) {
		unsigned c = *p++;
		int more = c < 0x80                ? 0
				   : c >= 0xc2 && c < 0xe0 ? 1
				   : c >= 0xe0 && c < 0xf0 ? 2
				   : c >= 0xf0 && c < 0xf5 ? 3
										   : -1;
		if (more < 0 || end - p < more)
			return 0;
		if ((c == 0xe0 && p[0] < 0xa0) || (c == 0xed && p[0] > 0x9f) || (c == 0xf0 && p[0] < 0x90) ||
			(c == 0xf4 && p[0] > 0x8f))
			return 0;
		for (; more; more--)
			if ((*p++ & 0xc0) != 0x80)
				return 0;
	}
	return 1;
}

/* The first line feed, with `escapes` one that no backslash stands before; or end. `odd`: one is the last byte before
 * p. */
static inline const char *rows_end(const char *p, const char *end, int odd, int escapes) {
	for (const char *from = p;; p++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return end;
		if (!escapes)
			return p;
		const char *b = p;
		while (b > from && b[-1] == '\\')
			b--;
		int backslashes = (int)((p - b) & 1);
		if (b == from && odd)
			backslashes ^= 1;
		if (!backslashes)
			return p;
	}
}

static inline int rows_odd(const char *p, size_t n) {
	size_t k = 0;
	while (k < n && p[n - 1 - k] == '\\')
		k++;
	return (int)(k & 1);
}

static inline int rows_carry(rows *r, const char *p, size_t n) {
	if (r->n + n > r->room) {
		size_t room = (r->n + n) * 2;
		char *q = realloc(r->carry, room);
		if (!q)
			return -1;
		r->carry = q;
		r->room = room;
	}
	if (n)
		memcpy(r->carry + r->n, p, n);
	r->n += n;
	return 0;
}

static inline void rows_begin(rows *r, int escapes) {
	r->n = 0;
	r->place = 0;
	r->escapes = escapes;
	r->too_long = 0;
}

static inline void rows_finish(rows *r) {
	free(r->carry);
	*r = (rows){0};
}

/* feed() of a decoder of BYTES. ENT_ENOTFORMAT with too_long: a row that never ends. */
static inline ent_status rows_feed(rows *r, ent_str bytes, int eof, rows_row *row, void *self) {
	const char *p = bytes.p, *end = bytes.p + bytes.n;
	ent_status e = ENT_OK;
	while (p < end && !e) {
		const char *stop = rows_end(p, end, rows_odd(r->carry, r->n), r->escapes);
		size_t n = (size_t)(stop - p);
		if (r->n + n > ROWS_LONGEST) {
			r->too_long = 1;
			return ENT_ENOTFORMAT;
		}
		if (stop == end || r->n) {
			if (rows_carry(r, p, n))
				return ENT_ENOMEM;
			if (stop == end)
				break;
			e = row(self, r->carry, r->n, r->place);
			r->place += r->n + 1;
			r->n = 0;
		} else {
			e = row(self, p, n, r->place);
			r->place += n + 1;
		}
		p = stop + 1;
	}
	if (!e && eof && r->n) {
		e = row(self, r->carry, r->n, r->place);
		r->place += r->n;
		r->n = 0;
	}
	return e;
}

#endif
