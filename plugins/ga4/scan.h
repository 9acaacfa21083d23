/* SPDX-License-Identifier: Apache-2.0
 *
 * The structure of one line of JSON as bitmaps: bit i of `quote` says that byte i is a quote that begins or ends a
 * string, bit i of `bracket` that byte i is one of {}[] outside of strings. An event has a few hundred keys of which
 * a dozen are wanted: with the bitmaps the others are jumped over, a whole array at a time, without being looked at.
 * One owner, one thread.
 */
#ifndef ENTENTE_PLUGIN_GA4_SCAN_H
#define ENTENTE_PLUGIN_GA4_SCAN_H

#include <stddef.h>
#include <stdint.h>

typedef struct scan {
	uint64_t *quote, *bracket; /* `room` words each; bit n of `quote` is set, too, so that a search ends there */
	size_t room;
	size_t n; /* bytes of the line, its '\n' not counted */
	int open; /* the line ends inside a string */
	size_t (*run)(struct scan *s, const char *p, size_t n);
} scan;

/* 0 or -1: out of memory. Chooses the widest code that this processor runs. */
int scan_init(scan *s);
void scan_finish(scan *s);
/* 0 or -1: out of memory. The line that starts at p and ends before the first '\n', or after n bytes. 64 bytes after
 * the n must be readable. */
int scan_line(scan *s, const char *p, size_t n);
/* For tests and measurements: the widths in order, the plain one first; NULL after the last that this processor runs.
 */
const char *scan_choose(scan *s, int width);

/* Position of the next quote at or after `at`, which is at most s->n, or s->n. */
static inline size_t scan_quote(const scan *s, size_t at) {
	size_t word = at >> 6;
	uint64_t bits = s->quote[word] & (~0ULL << (at & 63));
	while (!bits)
		bits = s->quote[++word];
	return word << 6 | (size_t)__builtin_ctzll(bits);
}

/* Position after the bracket that closes the `depth` ones that are open at `at`, or 0: they are never closed. */
static inline size_t scan_close(const scan *s, const char *p, size_t at, int depth) {
	size_t word = at >> 6, words = (s->n + 63) >> 6;
	if (word >= words)
		return 0;
	uint64_t bits = s->bracket[word] & (~0ULL << (at & 63));
	for (;;) {
		while (!bits) {
			if (++word >= words)
				return 0;
			bits = s->bracket[word];
		}
		size_t i = word << 6 | (size_t)__builtin_ctzll(bits);
		/* '{' 7b '[' 5b against '}' 7d ']' 5d: bit 1 is set in the opening ones only. */
		depth += (p[i] & 2) - 1;
		if (!depth)
			return i + 1;
		bits &= bits - 1;
	}
}

#endif
