/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests with inputs that are damaged, empty, of another encoding or far too large: the plugin takes, rejects or refuses
 * them, with a place and a reason, and neither crashes nor hangs (a watch outside sees to that). */
#include "conform/tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char nasty[] = ",;\"\n\r\t '-+.0959/:#{}[]<>&=\\\0\xff\xc3\x80";

/* Decodes and looks whether what came is sane. The instance is used again and again: it must survive its documents. */
static bool try(ent__check *k, const ent__case *c, ent__trial *t, const char *bytes, size_t n, const char *how) {
	ent__doing(c, "decoding it, %s", how);
	ent__check_ran(k);
	ent__trial_decode(t, bytes, n);
	return ent__sane(k, c, t, n, how);
}

/* After all that, the input itself says what it always says. */
static void still_well(ent__check *k, const ent__case *c, ent__trial *t, size_t n) {
	ent__case part = *c;
	part.n = n;
	char *want = ent__expected(k, &part, NULL);
	if (want) {
		ent__trial_decode(t, c->bytes, n);
		ent__check_same(k, c, want, ent__trial_text(t), "begin() drops all that was carried from the document before",
			"decoded again, whole, after the damaged ones");
	}
	free(want);
}

void ent__test_truncated(ent__check *k, const ent__case *c) {
	size_t n = ent__small(c), at;
	ent__trial *t = ent__open(k, c);
	bool good = t != NULL;
	for (ent__sample s = ent__sample_of(n, ent__runs(n, 400)); good && ent__sample_next(&s, &at);) {
		char how[64];
		snprintf(how, sizeof how, "cut off at byte %zu", at);
		good = try(k, c, t, c->bytes, at, how);
	}
	if (good) {
		still_well(k, c, t, n);
	}
	ent__trial_close(t);
}

void ent__test_flipped(ent__check *k, const ent__case *c) {
	size_t n = ent__small(c), runs = ent__runs(n, 400), at = 0;
	ent__trial *t = n ? ent__open(k, c) : NULL;
	bool good = t != NULL;
	uint64_t seed = UINT64_C(0x853c49e6748fea9b);
	char *bad = ent_xmalloc(2 * n + 16);
	for (size_t run = 0; good && run < runs; run++) {
		size_t length = n;
		memcpy(bad, c->bytes, n);
		for (size_t changes = 1 + (run % 4 ? 0 : ent__random(&seed, 12)); changes && length > 1; changes--) {
			at = ent__random(&seed, length);
			switch (ent__random(&seed, 5)) {
			case 0: /* lost */
				memmove(bad + at, bad + at + 1, length - at - 1);
				length--;
				break;
			case 1: /* doubled */
				memmove(bad + at + 1, bad + at, length - at);
				length++;
				break;
			case 2:
				bad[at] = (char)(bad[at] ^ (1 << ent__random(&seed, 8)));
				break;
			default:
				bad[at] = nasty[ent__random(&seed, sizeof nasty - 1)];
			}
		}
		char how[80];
		snprintf(how, sizeof how, "with bytes changed, the last at %zu (run %zu)", at, run);
		good = try(k, c, t, bad, length, how);
	}
	if (good && t) {
		still_well(k, c, t, n);
	}
	free(bad);
	ent__trial_close(t);
}

void ent__test_empty(ent__check *k, const ent__case *c) {
	static const struct {
		const char *bytes, *how;
		size_t n;
	} empty[] = {{"", "empty", 0}, {"\n", "one line end", 1}, {"\r\n\r\n\r\n", "three line ends", 6},
		{" ", "a blank", 1}, {"\xef\xbb\xbf", "a byte order mark alone", 3},
		{"\xff\xfe", "a byte order mark of UTF-16 alone", 2}};
	size_t header = ent__header(c);
	ent__trial *t = ent__open(k, c);
	bool good = t != NULL;
	for (size_t i = 0; good && i <= sizeof empty / sizeof *empty; i++) {
		bool last = i == sizeof empty / sizeof *empty;
		if (last && !header) {
			break;
		}
		const char *how = last ? "its header alone" : empty[i].how;
		good = last ? try(k, c, t, c->bytes, header, how) : try(k, c, t, empty[i].bytes, empty[i].n, how);
		for (size_t e = 0; good && e < t->n_events; e++) {
			if (t->events[e].type == ENT__SAID_FACT) {
				ent__check_fail(k, c, ENT__NO_PLACE, "push only what records say", "%s: and yet a fact comes: %.*s",
					how, (int)(t->events[e].n < 300 ? t->events[e].n : 300), (char *)t->text.data + t->events[e].at);
				good = false;
			}
		}
	}
	ent__trial_close(t);
}

/* No text that comes out may have it. */
static bool without_nul(ent__check *k, const ent__case *c, const ent__trial *t, const char *how) {
	for (size_t i = 0; i < t->n_events; i++) {
		const ent__event *v = &t->events[i];
		const char *line = (const char *)t->text.data + v->at;
		if (v->type == ENT__SAID_FACT && !v->refused && memmem(line, v->n, "\\u0000", 6)) {
			ent__check_fail(k, c, v->place, "reject a record that has a NUL in a text: no format means anything by it",
				"%s: a NUL byte comes out in %.*s", how, (int)(v->n < 300 ? v->n - 1 : 300), line);
			return false;
		}
	}
	return true;
}

void ent__test_nul(ent__check *k, const ent__case *c) {
	enum { PLACES = 100, ZEROS = 5000 };
	size_t n = ent__small(c), at;
	ent__trial *t = ent__open(k, c);
	char *bad = ent_xcalloc(1, n + ZEROS);
	bool good = t != NULL && try(k, c, t, bad, ZEROS, "5000 NUL bytes") && without_nul(k, c, t, "5000 NUL bytes");
	for (ent__sample s = ent__sample_of(n, ent__runs(n, PLACES)); good && ent__sample_next(&s, &at);) {
		char how[64];
		memcpy(bad, c->bytes, n);
		bad[at] = 0;
		snprintf(how, sizeof how, "with a NUL byte in place of byte %zu", at);
		good = try(k, c, t, bad, n, how) && without_nul(k, c, t, how);
	}
	free(bad);
	ent__trial_close(t);
}

/* ---- encodings
 * ------------------------------------------------------------------------------------------------------- */

/* The text as UTF-16LE with its mark. false: it is no UTF-8. */
static bool to_utf16(const char *p, size_t n, ent_buf *out) {
	const unsigned char *s = (const unsigned char *)p;
	ent_buf_add(out, "\xff\xfe", 2);
	for (size_t i = n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3) ? 3 : 0; i < n;) {
		unsigned length = s[i] < 0x80 ? 1 : s[i] < 0xe0 ? 2 : s[i] < 0xf0 ? 3 : 4;
		if ((s[i] & 0xc0) == 0x80 || i + length > n) {
			return false;
		}
		uint32_t u = length == 1 ? s[i] : s[i] & (0xffu >> (length + 1));
		for (unsigned k = 1; k < length; k++) {
			u = u << 6 | (s[i + k] & 0x3f);
		}
		uint16_t pair[2] = {(uint16_t)u, 0};
		if (u >= 0x10000) {
			pair[0] = (uint16_t)(0xd800 + ((u - 0x10000) >> 10));
			pair[1] = (uint16_t)(0xdc00 + ((u - 0x10000) & 0x3ff));
		}
		ent_buf_add(out, pair, u >= 0x10000 ? 4 : 2);
		i += length;
	}
	return true;
}

/* What was said, without the places: in another encoding they are others. */
static char *without_places(const char *text) {
	char *out = ent_xmalloc(strlen(text) + 1), *to = out;
	while (*text) {
		if (!strncmp(text, "\"place\":", 8)) {
			text += 8;
			text += strspn(text, "0123456789");
			continue;
		}
		*to++ = *text++;
	}
	*to = 0;
	return out;
}

static bool same_in_utf16(ent__check *k, const ent__case *c, ent__trial *t, size_t n) {
	ent_buf other = {0};
	bool good = true, cut = false, nul = false, refused = false; /* nul: set, never cleared */
	ent__case part = *c;
	part.n = n;
	if (ent_utf8_check(c->bytes, n, &cut, &nul) == n && !nul && to_utf16(c->bytes, n, &other)) {
		char *want = ent__expected(k, &part, &refused);
		good = want && try(k, c, t, (char *)other.data, other.n, "in UTF-16");
		if (good && !refused && c->decoder->frame != ENT_FRAME_BYTES) { /* who frames for himself may refuse it */
			char *a = without_places(want), *b = without_places(ent__trial_text(t));
			good = ent__check_same(
				k, c, a, b, "take the text as the host gives it: it is UTF-8, whatever the file was", "in UTF-16");
			free(a);
			free(b);
		}
		good = good && try(k, c, t, (char *)other.data + 2, other.n - 2, "in UTF-16 without a mark");
		free(want);
	}
	ent_buf_finish(&other);
	return good;
}

void ent__test_encoding(ent__check *k, const ent__case *c) {
	enum { PLACES = 100 };
	static const char *const wrong[] = {
		"\xe9", "\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82"};
	size_t n = ent__small(c), at, i = 0;
	ent__trial *t = ent__open(k, c);
	char *bad = ent_xmalloc(n + 8);
	bool good = t != NULL && same_in_utf16(k, c, t, n);
	for (ent__sample s = ent__sample_of(n, ent__runs(n, PLACES)); good && ent__sample_next(&s, &at); i++) {
		const char *bytes = wrong[i % (sizeof wrong / sizeof *wrong)];
		size_t length = strlen(bytes);
		char how[96];
		memcpy(bad, c->bytes, at);
		memcpy(bad + at, bytes, length);
		memcpy(bad + at + length, c->bytes + at, n - at);
		snprintf(how, sizeof how, "with 0x%02X, which is no UTF-8, before byte %zu", (unsigned char)bytes[0], at);
		good = try(k, c, t, bad, n + length, how);
	}
	free(bad);
	ent__trial_close(t);
}
