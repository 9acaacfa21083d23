/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a log of the inbox, see inbox_line.h. */
#include "transport/inbox_line.h"

#include "base/arena.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

static void put_hex(char *to, uint64_t v, unsigned n) {
	for (unsigned i = n; i-- > 0; v >>= 4) {
		to[i] = digits[v & 15];
	}
}

void ent__line_put(ent_buf *out, int64_t arrival, const uint8_t *id, char kind, const void *body, size_t n) {
	ent_buf_reserve(out, ENT_ENVELOPE + n + 1);
	char *line = (char *)out->data + out->n;
	memset(line, ' ', ENT_ENVELOPE);
	put_hex(line + ENT_ENVELOPE_ARRIVAL, (uint64_t)arrival, 14);
	for (unsigned i = 0; i < ENT__INBOX_ID; i++) {
		if (id) {
			put_hex(line + ENT_ENVELOPE_ID + 2 * i, id[i], 2);
		} else {
			memset(line + ENT_ENVELOPE_ID + 2 * i, '-', 2);
		}
	}
	line[ENT_ENVELOPE_KIND] = kind;
	if (n) {
		memcpy(line + ENT_ENVELOPE, body, n);
	}
	put_hex(line, ent_crc32c(line + ENT_ENVELOPE_ARRIVAL, ENT_ENVELOPE - ENT_ENVELOPE_ARRIVAL + n), 8);
	line[ENT_ENVELOPE + n] = '\n';
	out->n += ENT_ENVELOPE + n + 1;
}

bool ent__line_read(const char *p, size_t n, ent__line *out) {
	const char *end = n ? memchr(p, '\n', n) : NULL;
	*out = (ent__line){.bytes = end ? (size_t)(end - p) + 1 : 0};
	uint64_t arrival;
	if (!end || !ent_envelope_whole(p, (size_t)(end - p)) || !ent_envelope_hex(p + ENT_ENVELOPE_ARRIVAL, 14, &arrival)) {
		return false;
	}
	out->arrival = (int64_t)arrival;
	out->has_id = p[ENT_ENVELOPE_ID] != '-';
	for (unsigned i = 0; out->has_id && i < ENT__INBOX_ID; i++) {
		uint64_t byte;
		if (!ent_envelope_hex(p + ENT_ENVELOPE_ID + 2 * i, 2, &byte)) {
			return false;
		}
		out->id[i] = (uint8_t)byte;
	}
	char kind = p[ENT_ENVELOPE_KIND];
	out->last = kind >= 'A' && kind <= 'Z';
	out->kind = kind == 'R' || kind == 'D' || kind == 'C' ? (char)(kind | 0x20) : kind;
	out->body = (ent_str){p + ENT_ENVELOPE, (size_t)(end - p) - ENT_ENVELOPE};
	return true;
}

void ent__line_clean(ent_buf *out, const char *p, size_t n) {
	static const char mark[] = "\xef\xbb\xbf", unknown[] = "\xef\xbf\xbd";
	if (n >= 3 && !memcmp(p, mark, 3)) {
		p += 3;
		n -= 3;
	}
	ent_buf_reserve(out, n + 1);
	for (size_t i = 0, from = 0; i <= n;) {
		unsigned char c = i < n ? (unsigned char)p[i] : 0;
		size_t length = i < n && c >= 0x80 ? ent_utf8_length(p + i, n - i) : 1;
		bool plain = i < n && length && c && c != '\n' && c != '\r';
		if (plain) {
			i += length;
			continue;
		}
		if (i > from) {
			ent_buf_add(out, p + from, i - from);
		}
		if (i < n && (c == '\n' || c == '\r')) {
			ent_buf_u8(out, ' ');
		} else if (i < n) {
			ent_buf_add(out, unknown, 3);
		}
		from = ++i;
	}
}

void ent__line_escape(ent_buf *out, const char *text) {
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c <= ' ' || c == '%' || c >= 0x7f) {
			char code[3] = {'%', digits[c >> 4], digits[c & 15]};
			ent_buf_add(out, code, 3);
		} else {
			ent_buf_u8(out, c);
		}
	}
}

char *ent__line_unescape(const char *p, size_t n) {
	char *text = ent_xmalloc(n + 1);
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t c;
		if (p[i] == '%' && i + 2 < n && ent_envelope_hex(p + i + 1, 2, &c)) {
			text[at++] = (char)c;
			i += 2;
		} else {
			text[at++] = p[i];
		}
	}
	text[at] = 0;
	return text;
}
