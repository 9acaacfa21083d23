/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of short rows of integers as JSON, `[[0,0,5,1,12],[...]]`: what the columns of the table `cell` hold, so that
 * any program with SQLite reads them by its own JSON functions. Written and read here without any library: numbers
 * only, no white space. Pure functions. */
#ifndef ENT_STORE_CELL_TEXT_H
#define ENT_STORE_CELL_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Most numbers in one row: the key of a cell and its measures. */
#define ENT__TEXT_NUMBERS 32
/* Bytes that a row of n numbers takes at most, and what is written behind it by the way. */
#define ENT__TEXT_ROOM(n) (4 + (size_t)(n)*21 + 24)

/* Adds a row to a list, which is empty in the beginning. Between begin and end numbers are put, one at least. */
static inline uint8_t *ent__text_begin(ent_buf *b, unsigned n) {
	ent_buf_reserve(b, ENT__TEXT_ROOM(n));
	uint8_t *p = b->data + b->n;
	if (b->n) {
		p[-1] = ','; /* in place of the bracket that closes the list */
	} else {
		*p++ = '[';
	}
	*p++ = '[';
	return p;
}
uint8_t *ent__text_number(uint8_t *p, int64_t v);
static inline uint8_t *ent__text_small(uint8_t *p, int64_t v) {
	if ((uint64_t)v < 10) {
		*p++ = (uint8_t)('0' + v);
		*p++ = ',';
		return p;
	}
	return ent__text_number(p, v);
}
static inline void ent__text_end(ent_buf *b, uint8_t *p) {
	p[-1] = ']'; /* in place of the last comma */
	*p++ = ']';
	b->n = (size_t)(p - b->data);
}

/* Reads the next row: how many numbers it has. 0: there is none, or, with r->bad, this is no such list. */
unsigned ent__text_next(ent_read *r, int64_t numbers[ENT__TEXT_NUMBERS]);

#endif
