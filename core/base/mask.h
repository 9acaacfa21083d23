/* SPDX-License-Identifier: Apache-2.0
 *
 * Excerpts of records that are shown to people: letters become a or A, digits 9: one sees how it is built, and nothing else.
 * Pure function. */
#ifndef ENT_BASE_MASK_H
#define ENT_BASE_MASK_H

#include <stddef.h>

#define ENT_MASK_MAX 120u /* characters of an excerpt */

/* The first characters of n bytes, masked, at most `most` bytes; not terminated. Returns how many. */
static inline size_t ent_mask(const char *p, size_t n, char *out, size_t most) {
	size_t length = 0;
	for (size_t i = 0; i < n && length < most; i++) {
		unsigned char ch = (unsigned char)p[i];
		if ((ch & 0xc0) == 0x80) {
			continue; /* the rest of a character */
		}
		out[length++] = ch >= 0x80 || (ch >= 'a' && ch <= 'z') ? 'a'
						: ch >= 'A' && ch <= 'Z'               ? 'A'
						: ch >= '0' && ch <= '9'               ? '9'
						: ch < ' ' && ch != '\t'               ? ' '
															   : (char)ch;
	}
	return length;
}

#endif
