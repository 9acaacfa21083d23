/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON writer, see json.h. */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void ent_json_init(ent_json *j, ent_buf *out, bool pretty) {
	memset(j, 0, sizeof *j);
	j->out = out;
	j->pretty = pretty;
}

static void indent(ent_json *j) {
	if (j->pretty) {
		ent_buf_u8(j->out, '\n');
		for (unsigned i = 0; i < j->depth; i++) {
			ent_buf_add(j->out, "  ", 2);
		}
	}
}

/* What has to stand in front of the next item or key. */
static void lead(ent_json *j) {
	if (j->keyed) {
		j->keyed = false;
		return;
	}
	if (j->depth) {
		uint64_t bit = UINT64_C(1) << (j->depth - 1);
		if (j->filled & bit) {
			ent_buf_u8(j->out, ',');
		}
		j->filled |= bit;
		indent(j);
	}
}

static void begin(ent_json *j, char open, char close) {
	lead(j);
	assert(j->depth < ENT_JSON_DEPTH);
	j->close[j->depth++] = close;
	j->filled &= ~(UINT64_C(1) << (j->depth - 1));
	ent_buf_u8(j->out, (uint8_t)open);
}

void ent_json_object(ent_json *j) { begin(j, '{', '}'); }

void ent_json_array(ent_json *j) { begin(j, '[', ']'); }

void ent_json_end(ent_json *j) {
	assert(j->depth > 0);
	bool filled = j->filled >> (j->depth - 1) & 1;
	char close = j->close[--j->depth];
	if (filled) {
		indent(j);
	}
	ent_buf_u8(j->out, (uint8_t)close);
}

size_t ent_utf8_length(const char *text, size_t n) {
	const unsigned char *p = (const unsigned char *)text;
	if (p[0] < 0x80) {
		return 1;
	}
	size_t length = p[0] >= 0xc2 && p[0] < 0xe0   ? 2
					: p[0] >= 0xe0 && p[0] < 0xf0 ? 3
					: p[0] >= 0xf0 && p[0] < 0xf5 ? 4
												  : 0;
	if (length == 0 || length > n) {
		return 0;
	}
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	/* overlong, surrogate, beyond U+10FFFF */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
		(p[0] == 0xf4 && p[1] > 0x8f)) {
		return 0;
	}
	return length;
}

void ent_json_quote(ent_buf *out, const char *p, size_t n) {
	ent_buf_u8(out, '"');
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)p[i];
		if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != 0x7f) {
			size_t start = i;
			while (i < n && (c = (unsigned char)p[i]) >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
				i++;
			}
			ent_buf_add(out, p + start, i - start);
			continue;
		}
		if (c >= 0x80) {
			size_t length = ent_utf8_length(p + i, n - i);
			if (length) {
				ent_buf_add(out, p + i, length);
			} else {
				ent_buf_add(out, "\xef\xbf\xbd", 3);
			}
			i += length ? length : 1;
			continue;
		}
		switch (c) {
		case '"':
			ent_buf_add(out, "\\\"", 2);
			break;
		case '\\':
			ent_buf_add(out, "\\\\", 2);
			break;
		case '\n':
			ent_buf_add(out, "\\n", 2);
			break;
		case '\r':
			ent_buf_add(out, "\\r", 2);
			break;
		case '\t':
			ent_buf_add(out, "\\t", 2);
			break;
		default:
			ent_buf_printf(out, "\\u%04x", c);
		}
		i++;
	}
	ent_buf_u8(out, '"');
}

void ent_json_key_n(ent_json *j, const char *p, size_t n) {
	assert(!j->keyed && j->depth && j->close[j->depth - 1] == '}');
	lead(j);
	ent_json_quote(j->out, p, n);
	ent_buf_add(j->out, ": ", j->pretty ? 2 : 1);
	j->keyed = true;
}

void ent_json_key(ent_json *j, const char *key) { ent_json_key_n(j, key, strlen(key)); }

void ent_json_text_n(ent_json *j, const char *p, size_t n) {
	lead(j);
	ent_json_quote(j->out, p, n);
}

void ent_json_text(ent_json *j, const char *text) {
	if (text) {
		ent_json_text_n(j, text, strlen(text));
	} else {
		ent_json_null(j);
	}
}

void ent_json_int(ent_json *j, int64_t v) {
	lead(j);
	ent_buf_printf(j->out, "%" PRId64, v);
}

void ent_json_uint(ent_json *j, uint64_t v) {
	lead(j);
	ent_buf_printf(j->out, "%" PRIu64, v);
}

size_t ent_decimal_text(__int128 value, unsigned scale, unsigned least, char *out) {
	char digits[40]; /* backwards; 2^127 has 39 */
	size_t n = 0, length = 0;
	unsigned __int128 u = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
	for (; scale > least && u % 10 == 0; scale--) {
		u /= 10;
	}
	do {
		digits[n++] = (char)('0' + (unsigned)(u % 10));
		u /= 10;
	} while (u || n <= scale);
	if (value < 0) {
		out[length++] = '-';
	}
	while (n--) {
		out[length++] = digits[n];
		if (n == scale && scale) {
			out[length++] = '.';
		}
	}
	out[length] = 0;
	return length;
}

void ent_json_decimal(ent_json *j, __int128 value, unsigned scale) {
	char text[64];
	size_t n = ent_decimal_text(value, scale, 0, text);
	lead(j);
	ent_buf_add(j->out, text, n);
}

void ent_json_double(ent_json *j, double v) {
	char text[40];
	if (!isfinite(v)) {
		ent_json_null(j);
		return;
	}
	lead(j);
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(text, sizeof text, "%.*g", precision, v);
		if (strtod(text, NULL) == v) {
			break;
		}
	}
	ent_buf_add(j->out, text, strlen(text));
}

void ent_json_bool(ent_json *j, bool v) {
	lead(j);
	ent_buf_add(j->out, v ? "true" : "false", v ? 4 : 5);
}

void ent_json_null(ent_json *j) {
	lead(j);
	ent_buf_add(j->out, "null", 4);
}

void ent_json_raw(ent_json *j, const char *p, size_t n) {
	lead(j);
	ent_buf_add(j->out, p, n);
}
