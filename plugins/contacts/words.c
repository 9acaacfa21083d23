/* SPDX-License-Identifier: Apache-2.0
 *
 * Encoded words, see words.h. The C library's iconv reads an encoding from a file when it is first asked for, which the
 * sandbox refuses later; so a constructor asks for those that mails use, and what was read then stays. */
#include "words.h"

#include <errno.h>
#include <iconv.h>

static const char *const charsets[] = {"ISO-8859-1", "ISO-8859-2", "ISO-8859-5", "ISO-8859-7", "ISO-8859-9",
	"ISO-8859-15", "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1254", "KOI8-R", "GB2312", "GBK", "GB18030",
	"BIG5", "ISO-2022-JP", "SHIFT_JIS", "EUC-JP", "EUC-KR"};

enum { CHARSETS = sizeof charsets / sizeof *charsets };
static iconv_t held[CHARSETS]; /* as long as one is open, its tables stay; written by the constructor alone */

__attribute__((constructor)) static void hold_charsets(void) {
	for (size_t i = 0; i < CHARSETS; i++)
		held[i] = iconv_open("UTF-8", charsets[i]);
}

__attribute__((destructor)) static void release_charsets(void) {
	for (size_t i = 0; i < CHARSETS; i++)
		if (held[i] != (iconv_t)-1)
			iconv_close(held[i]);
}

static int digit(char c) {
	return c >= '0' && c <= '9'   ? c - '0'
		   : c >= 'A' && c <= 'F' ? c - 'A' + 10
		   : c >= 'a' && c <= 'f' ? c - 'a' + 10
								  : -1;
}

static size_t quoted(ent_str s, char *out) {
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '=' && i + 2 < s.n && digit(s.p[i + 1]) >= 0 && digit(s.p[i + 2]) >= 0) {
			out[n++] = (char)(digit(s.p[i + 1]) << 4 | digit(s.p[i + 2]));
			i += 2;
		} else {
			out[n++] = s.p[i] == '_' ? ' ' : s.p[i];
		}
	}
	return n;
}

static size_t base64(ent_str s, char *out) {
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	int have = 0;
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *at = s.p[i] ? strchr(letters, s.p[i]) : NULL;
		if (!at)
			continue;
		bits = bits << 6 | (uint32_t)(at - letters);
		if ((have += 6) >= 8)
			out[n++] = (char)(bits >> (have -= 8));
	}
	return n;
}

static int valid(const char *p, size_t n) {
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)p[i];
		size_t more = c < 0x80                ? 0
					  : c >= 0xc2 && c < 0xe0 ? 1
					  : c >= 0xe0 && c < 0xf0 ? 2
					  : c >= 0xf0 && c < 0xf5 ? 3
											  : 9;
		if (more == 9 || i + more >= n)
			return 0;
		for (size_t k = 1; k <= more; k++)
			if (((unsigned char)p[i + k] & 0xc0) != 0x80)
				return 0;
		if ((c == 0xe0 && (unsigned char)p[i + 1] < 0xa0) || (c == 0xed && (unsigned char)p[i + 1] > 0x9f) ||
			(c == 0xf0 && (unsigned char)p[i + 1] < 0x90) || (c == 0xf4 && (unsigned char)p[i + 1] > 0x8f))
			return 0;
		i += more + 1;
	}
	return 1;
}

/* 0; -1: not in this encoding, or in none that is known; 1: out of memory. */
static int to_utf8(ent_str charset, char *from, size_t from_n, char *out, size_t *n) {
	char name[40];
	const char *star = memchr(charset.p, '*', charset.n); /* a language behind it */
	size_t length = star ? (size_t)(star - charset.p) : charset.n;
	if (!length || length >= sizeof name)
		return -1;
	memcpy(name, charset.p, length);
	name[length] = 0;
	iconv_t i = iconv_open("UTF-8", name);
	if (i == (iconv_t)-1)
		return errno == ENOMEM ? 1 : -1;
	size_t left = *n;
	size_t status = iconv(i, &from, &from_n, &out, &left);
	iconv_close(i);
	*n -= left;
	return status == (size_t)-1 ? -1 : 0;
}

enum { WORD_MAX = 4096 };

/* =?charset?B?text?= at p. Its length, or 0. */
static size_t word(const char *p, const char *end, char *out, size_t *n, int *no_memory) {
	const char *part[3], *at = p + 2;
	size_t length[3];
	char raw[WORD_MAX];
	if (end - p < 9 || p[0] != '=' || p[1] != '?')
		return 0;
	for (int i = 0; i < 3; i++) {
		const char *mark = memchr(at, '?', (size_t)(end - at));
		if (!mark)
			return 0;
		part[i] = at;
		length[i] = (size_t)(mark - at);
		at = mark + 1;
	}
	if (at == end || *at != '=' || length[1] != 1 || length[2] > WORD_MAX)
		return 0;
	char kind = text_lower(*part[1]);
	if (kind != 'b' && kind != 'q')
		return 0;
	ent_str s = {part[2], length[2]};
	size_t raw_n = kind == 'b' ? base64(s, raw) : quoted(s, raw);
	int status = to_utf8((ent_str){part[0], length[0]}, raw, raw_n, out, n);
	*no_memory |= status > 0;
	return status ? 0 : (size_t)(at + 1 - p);
}

int words__decode(ent_str text, char *out, size_t *size) {
	size_t n = 0, blanks_from = 0, room = *size;
	int after_word = 0, no_memory = 0; /* blanks between two words are none */
	const char *p = text.p, *end = p + text.n;
	if (!valid(text.p, text.n)) { /* bytes of nobody knows which encoding: the usual one */
		for (; p < end && n + 2 < room; p++) {
			unsigned char c = (unsigned char)*p;
			if (c >= 0x80)
				out[n++] = (char)(0xc0 | c >> 6);
			out[n++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
		}
		*size = n;
		return 0;
	}
	while (p < end && n < room) {
		size_t got = room - n, length = word(p, end, out + n, &got, &no_memory);
		if (length && after_word) { /* again, over the blanks */
			got = room - blanks_from;
			length = word(p, end, out + blanks_from, &got, &no_memory);
			n = blanks_from;
		}
		if (length) {
			n += got;
			p += length;
			after_word = 1;
			blanks_from = n;
			continue;
		}
		after_word = after_word && text_blank(*p);
		out[n++] = *p == '\t' || *p == '\r' || *p == '\n' ? ' ' : *p;
		p++;
	}
	while (n && !valid(out, n))
		n--; /* cut within a character */
	*size = n;
	return no_memory ? -1 : 0;
}
