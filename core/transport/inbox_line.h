/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a log of the inbox: base/envelope.h says what stands before each. Pure functions on what is handed in. */
#ifndef ENT_TRANSPORT_INBOX_LINE_H
#define ENT_TRANSPORT_INBOX_LINE_H

#include "base/buf.h"
#include "base/envelope.h"
#include "entente/plugin.h" /* ent_str */

enum { ENT__INBOX_ID = 16 };

typedef struct ent__line {
	int64_t arrival;
	uint8_t id[ENT__INBOX_ID];
	bool has_id, last; /* last: of its item */
	char kind;         /* lower case, but for H and I */
	ent_str body;
	size_t bytes;      /* with its line end */
} ent__line;

/* Appends a line. The body must have been through ent__line_clean, or hold no line end. `id` NULL: none. */
void ent__line_put(ent_buf *out, int64_t arrival, const uint8_t *id, char kind, const void *body, size_t n);
/* Reads the line at p. false: n bytes hold no whole line, or it is damaged; then out->bytes says how long it is, 0 if it has no
 * end. */
bool ent__line_read(const char *p, size_t n, ent__line *out);

/* Makes a record one line of text: what ends lines becomes a blank, what is not UTF-8, or NUL, becomes U+FFFD, a byte order
 * mark is left out. The decoder judges what remains. */
void ent__line_clean(ent_buf *out, const char *p, size_t n);

/* Any text as one without blanks or line ends, and back; *out is malloc'ed. */
void ent__line_escape(ent_buf *out, const char *text);
char *ent__line_unescape(const char *p, size_t n);

#endif
