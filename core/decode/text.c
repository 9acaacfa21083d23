/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodings, and the window over the text, see input.h. UTF-8 is read in place and checked (ASCII 64 bytes at a time);
 * the others are converted, those of the C library by text_iconv.c. One thread; owned by the framer. */
#include "base/arena.h"
#include "decode/input.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define RAW_PIECE (64u << 10)
#define ALIGNED 64u
#define LEAST 64u /* bytes at hand when a character is converted: more than the longest has */

/* Length of the character at p: 1 to 4; 0: not UTF-8; -1: it is cut off by the end. */
static int character(const unsigned char *p, const unsigned char *end) {
	unsigned c = *p;
	if (c < 0x80) {
		return 1;
	}
	int n = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
	for (int i = 1; i < n; i++) {
		if (p + i == end) {
			return -1;
		}
		unsigned d = p[i], low = 0x80, high = 0xbf;
		if (i == 1) { /* no overlong forms, no surrogates, nothing above U+10FFFF */
			low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
			high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
		}
		if (d < low || d > high) {
			return 0;
		}
	}
	return n;
}

/* Bytes of whole blocks of 64 from p on that are ASCII. */
static size_t ascii_plain(const unsigned char *p, size_t n, bool *nul) {
	const uint64_t high = UINT64_C(0x8080808080808080), low = UINT64_C(0x0101010101010101);
	size_t at = 0;
	for (; n - at >= 64; at += 64) {
		uint64_t w[8], any = 0, zero = 0;
		memcpy(w, p + at, 64);
		for (int i = 0; i < 8; i++) {
			any |= w[i];
			zero |= w[i] - low; /* sets a high bit for a zero byte; exact where all bytes are below 0x80 */
		}
		if (any & high) {
			break;
		}
		if (zero & high) {
			*nul = true;
		}
	}
	return at;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static size_t ascii_avx2(const unsigned char *p, size_t n, bool *nul) {
	size_t at = 0;
	__m256i least = _mm256_set1_epi8(1);
	for (; n - at >= 64; at += 64) {
		__m256i a = _mm256_loadu_si256((const __m256i *)(p + at)),
				b = _mm256_loadu_si256((const __m256i *)(p + at + 32));
		if (_mm256_movemask_epi8(_mm256_or_si256(a, b))) {
			break;
		}
		least = _mm256_min_epu8(least, _mm256_min_epu8(a, b));
	}
	if (_mm256_movemask_epi8(_mm256_cmpeq_epi8(least, _mm256_setzero_si256()))) {
		*nul = true;
	}
	return at;
}
#endif

size_t ent__ascii(const unsigned char *p, size_t n, bool *nul, bool wide) {
#if defined(__x86_64__)
	if (wide && __builtin_cpu_supports("avx2")) {
		return ascii_avx2(p, n, nul);
	}
#endif
	return ascii_plain(p, n, nul);
}

size_t ent_utf8_check(const char *text, size_t n, bool *cut, bool *nul) {
	const unsigned char *start = (const unsigned char *)text, *p = start, *end = start + n;
	*cut = false;
	while (p < end) {
		p += ent__ascii(p, (size_t)(end - p), nul, true);
		const unsigned char *stop = end - p > 64 ? p + 64 : end;
		while (p < stop) {
			int k = character(p, end);
			if (k <= 0) {
				*cut = k < 0;
				return (size_t)(p - start);
			}
			if (!*p) {
				*nul = true;
			}
			p += k;
		}
	}
	return n;
}

static int raw_fill(ent_text *t, ent_fault *f) {
	if (t->raw_at) {
		memmove(t->raw, t->raw + t->raw_at, t->raw_n - t->raw_at);
		t->raw_n -= t->raw_at;
		t->raw_at = 0;
	}
	if (!t->raw) {
		t->raw = ent_xmalloc(RAW_PIECE);
	}
	while (t->raw_n < RAW_PIECE / 2 && !t->end) {
		ssize_t got = ent_input_read(t->input, t->raw + t->raw_n, RAW_PIECE - t->raw_n, f);
		if (got < 0) {
			return (int)got;
		}
		t->end = got == 0;
		t->raw_n += (size_t)got;
	}
	return 0;
}

/* A mark of another encoding? Four bytes of UTF-32 begin as two of UTF-16 do. */
static ent_encoding marked(const ent_text *t, unsigned *bytes) {
	const uint8_t *p = t->raw;
	bool wide = t->raw_n >= 4 && !p[2] && !p[3] && t->encoding == ENT_ENCODING_ICONV;
	*bytes = 2;
	if (t->raw_n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
		*bytes = 3;
		return ENT_ENCODING_UTF8;
	}
	if (t->raw_n >= 2 && p[0] == 0xff && p[1] == 0xfe && !wide) {
		return ENT_ENCODING_UTF16LE;
	}
	return t->raw_n >= 2 && p[0] == 0xfe && p[1] == 0xff ? ENT_ENCODING_UTF16BE : ENT_ENCODING_AUTO;
}

int ent_text_open(ent_text *t, ent_input *in, ent_encoding declared, const ent_charset *charset, ent_fault *f) {
	*t = (ent_text){.input = in, .encoding = declared};
	if (declared == ENT_ENCODING_ICONV) {
		t->charset = *charset;
	}
	int status = raw_fill(t, f);
	if (status) {
		return status;
	}
	const uint8_t *p = t->raw;
	unsigned mark;
	ent_encoding seen = marked(t, &mark);
	if (seen) { /* a mark is evidence; a declaration is for files without one */
		t->encoding = seen;
		t->mark = mark;
	} else if (!declared) {
		t->encoding = ENT_ENCODING_UTF8;
		if (t->raw_n >= 4 && ((!p[0] && p[1]) || (p[0] && !p[1])) && !memchr(p, '\n', t->raw_n < 2 ? t->raw_n : 2)) {
			return ent_fault_set(f, ENT_ERR_INVALID, !p[0] ? 0 : 1,
				p[0] ? "declare encoding: utf-16le" : "declare encoding: utf-16be",
				"the document has NUL bytes where UTF-16 text has them, but no byte order mark");
		}
	}
	t->converted = t->encoding != ENT_ENCODING_UTF8;
	t->raw_at = t->mark;
	t->bytewise = t->encoding == ENT_ENCODING_LATIN1 || t->encoding == ENT_ENCODING_CP1252;
	if (t->encoding == ENT_ENCODING_ICONV) {
		if ((status = ent__charset_open(t, f))) {
			return status;
		}
		t->bytewise = ent__charset_plain(t);
	}
	return 0;
}

void ent_text_finish(ent_text *t) {
	if (t) {
		ent__charset_close(t);
		free(t->raw);
		*t = (ent_text){0};
	}
}

void ent_text_seek(ent_text *t, uint64_t offset) {
	ent_input_seek(t->input, offset + t->mark);
	t->raw_n = t->raw_at = 0;
	t->tail_n = 0;
	t->end = false;
	t->at = offset;
	if (t->encoding == ENT_ENCODING_ICONV) {
		ent__charset_seek(t, offset + t->mark);
	}
}

/* The 32 places of windows-1252 that differ from latin1; 0: not assigned. */
static const uint16_t cp1252[32] = {0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161,
	0x203a, 0x0153, 0, 0x017e, 0x0178};

char *ent__utf8_put(char *o, uint32_t c) {
	if (c < 0x80) {
		*o++ = (char)c;
	} else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 63));
		*o++ = (char)(0x80 | (c & 63));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 63));
		*o++ = (char)(0x80 | (c >> 6 & 63));
		*o++ = (char)(0x80 | (c & 63));
	}
	return o;
}

static uint64_t raw_place(const ent_text *t) { return t->input->unpacked - (t->raw_n - t->raw_at); }

static ssize_t convert_bytes(ent_text *t, char *to, size_t n, ent_fault *f) {
	char *o = to, *stop = to + n - 4;
	while (t->raw_at < t->raw_n && o < stop) {
		uint32_t c = t->raw[t->raw_at];
		if (t->encoding == ENT_ENCODING_CP1252 && c >= 0x80 && c < 0xa0) {
			c = cp1252[c - 0x80];
			if (!c) {
				return ent_fault_set(f, ENT_ERR_INVALID, raw_place(t), "declare another encoding",
					"byte 0x%02X is no character of windows-1252", t->raw[t->raw_at]);
			}
		}
		t->nul |= !c;
		t->raw_at++;
		o = ent__utf8_put(o, c);
	}
	return o - to;
}

static ssize_t convert_utf16(ent_text *t, char *to, size_t n, ent_fault *f) {
	char *o = to, *stop = to + n - 4;
	unsigned low = t->encoding == ENT_ENCODING_UTF16BE, high = !low; /* index of the low and the high byte */
	while (t->raw_n - t->raw_at >= 2 && o < stop) {
		const uint8_t *p = t->raw + t->raw_at;
		uint32_t c = (uint32_t)p[high] << 8 | p[low];
		size_t used = 2;
		if (c >= 0xd800 && c < 0xe000) {
			if (c < 0xdc00 && t->raw_n - t->raw_at < 4 && !t->end) {
				break;
			}
			uint32_t d = t->raw_n - t->raw_at >= 4 ? (uint32_t)p[2 + high] << 8 | p[2 + low] : 0;
			if (c >= 0xdc00 || d < 0xdc00 || d >= 0xe000) {
				return ent_fault_set(f, ENT_ERR_INVALID, raw_place(t), "fetch the file again, or declare its encoding",
					"half a surrogate pair (0x%04X): this is not %s", c, ent_text_encoding(t));
			}
			c = 0x10000 + ((c - 0xd800) << 10) + (d - 0xdc00);
			used = 4;
		}
		t->nul |= !c;
		t->raw_at += used;
		o = ent__utf8_put(o, c);
	}
	if (o == to && t->end && t->raw_n - t->raw_at == 1) {
		return ent_fault_set(f, ENT_ERR_INVALID, raw_place(t), "fetch the file again: it was cut off",
			"%s text ends in the middle of a character", ent_text_encoding(t));
	}
	return o - to;
}

static ssize_t read_utf8(ent_text *t, char *to, size_t n, ent_fault *f) {
	size_t have = t->tail_n;
	memcpy(to, t->tail, have);
	t->tail_n = 0;
	if (t->raw_at < t->raw_n) {
		size_t k = t->raw_n - t->raw_at < n - have ? t->raw_n - t->raw_at : n - have;
		memcpy(to + have, t->raw + t->raw_at, k);
		t->raw_at += k;
		have += k;
	} else if (!t->end) {
		ssize_t got = ent_input_read(t->input, to + have, n - have, f);
		if (got < 0) {
			return got;
		}
		t->end = got == 0;
		have += (size_t)got;
	}
	bool cut;
	size_t good = ent_utf8_check(to, have, &cut, &t->nul);
	if (good < have) {
		if (!cut || (t->end && t->raw_at == t->raw_n)) {
			return ent_fault_set(f, ENT_ERR_INVALID, t->mark + t->at + good,
				"declare encoding: latin1 (or windows-1252) in the source if that is what it is",
				"byte 0x%02X is not UTF-8", (unsigned char)to[good]);
		}
		t->tail_n = (unsigned)(have - good);
		memcpy(t->tail, to + good, t->tail_n);
	}
	return (ssize_t)good;
}

const char *ent_text_encoding(const ent_text *t) { return ent_encoding_name(t->encoding, &t->charset); }

ssize_t ent_text_read(ent_text *t, char *to, size_t n, ent_fault *f) {
	ssize_t got;
	do {
		if (!t->converted) {
			got = read_utf8(t, to, n, f);
			continue;
		}
		if (t->raw_n - t->raw_at < LEAST && !t->end) {
			int status = raw_fill(t, f);
			if (status) {
				return status;
			}
		}
		got = t->encoding == ENT_ENCODING_ICONV     ? ent__charset_read(t, to, n, f)
			  : t->encoding >= ENT_ENCODING_UTF16LE ? convert_utf16(t, to, n, f)
													: convert_bytes(t, to, n, f);
	} while (!got && !(t->end && t->raw_at == t->raw_n));
	if (got > 0) {
		t->at += (uint64_t)got;
	}
	return got;
}

uint64_t ent_text_source_bytes(const ent_text *t, uint64_t at, const char *p, size_t n) {
	if (t->encoding == ENT_ENCODING_ICONV && ent__charset_runs(t)) {
		return ent__charset_source(t, at + n) - ent__charset_source(t, at);
	}
	uint64_t characters = 0, pairs = 0; /* of those that do not vary it can be told from the text */
	for (size_t i = 0; i < n; i++) {
		characters += ((unsigned char)p[i] & 0xc0) != 0x80;
		pairs += (unsigned char)p[i] >= 0xf0;
	}
	bool wide = t->encoding == ENT_ENCODING_UTF16LE || t->encoding == ENT_ENCODING_UTF16BE;
	return wide ? 2 * (characters + pairs) : characters;
}

void ent_window_finish(ent_window *w) {
	if (w) {
		free(w->data);
		*w = (ent_window){0};
	}
}

void ent_window_seek(ent_window *w, uint64_t offset) {
	ent_text_seek(w->text, offset);
	w->n = 0;
	w->base = offset;
	w->end = false;
}

/* Room for n bytes and what is behind them. A grown window is a new one: aligned, which realloc() does not promise. */
static void window_room(ent_window *w, size_t n, size_t left) {
	if (w->capacity >= n) {
		return;
	}
	size_t capacity = w->capacity ? w->capacity * 2 : ENT_WINDOW_PIECE + (64u << 10);
	while (capacity < n) {
		capacity *= 2;
	}
	char *data = ent_xaligned(ALIGNED, capacity);
	if (left) {
		memcpy(data, w->data, left);
	}
	free(w->data);
	w->data = data;
	w->capacity = capacity;
}

ssize_t ent_window_fill(ent_window *w, size_t keep, char line_end, ent_fault *f) {
	size_t left = w->n - keep;
	if (left % ALIGNED) { /* so that the kernel copies to the beginning of a line of the cache */
		size_t more = ALIGNED - left % ALIGNED;
		more = more < keep ? more : keep;
		keep -= more;
		left += more;
	}
	size_t piece = left > ENT_WINDOW_PIECE ? left : ENT_WINDOW_PIECE; /* a long record is scanned anew each time */
	if (keep && left) {
		memmove(w->data, w->data + keep, left);
	}
	w->n = left;
	w->base += keep;
	if (w->text->encoding == ENT_ENCODING_ICONV) {
		ent__charset_forget(w->text, w->base);
	}
	if (left > ENT_WINDOW_MAX) {
		return ent_fault_set(f, ENT_ERR_RANGE, w->base, "check the quotes and line ends near this place",
			"a record is longer than %u MiB", ENT_WINDOW_MAX >> 20);
	}
	window_room(w, left + piece + ENT_WINDOW_PADDING + 1, left);
	ssize_t got;
	do { /* a pipe gives little at a time, and a long record would be scanned anew for each of its pieces */
		got = ent_text_read(w->text, w->data + w->n, left + piece - w->n, f);
		if (got < 0) {
			return got;
		}
		w->n += (size_t)got;
	} while (got && left > ENT_WINDOW_PIECE && left + piece - w->n >= 16 &&
			 !memchr(w->data + w->n - got, line_end ? line_end : '\n', (size_t)got));
	if (!got) {
		w->end = true;
		if (w->n && line_end && w->data[w->n - 1] != line_end) {
			w->data[w->n++] = line_end;
		}
	}
	memset(w->data + w->n, 0, ENT_WINDOW_PADDING);
	return (ssize_t)keep;
}
