/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodings of the C library to UTF-8, see input.h, and where in the document each piece of the text stands.
 *
 * An encoding in which each byte is a character of its own is a table of 256. Any other is converted a character at a
 * time, but for runs of ASCII where those stand for themselves; the lengths are kept as runs, for as long as the window
 * may ask. One thread; owned by the text. */
#include "base/arena.h"
#include "decode/input.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 16 /* bytes of one character, with the escapes before it */, NO_CHARACTER = UINT32_MAX };

/* From here on `n` bytes of text stand for `of` bytes of the document, and so on up to the next run. */
typedef struct run {
	uint64_t text, source;
	uint8_t n, of;
} run;

struct ent__charset {
	iconv_t cd;
	uint32_t table[256];  /* of the encodings that are bytewise: characters */
	uint8_t first[256];   /* bytes that a character beginning so has at least: 1 or 2 */
	bool bytewise, plain; /* plain: bytes below 0x80 are ASCII, and nothing is ever held back for what may follow it */
	bool flushed;
	uint8_t held;    /* bytes taken of which no text came so far: escapes, and what may be combined with the next */
	uint64_t source; /* document offset behind what was converted */
	run *runs;
	size_t n_runs, runs_at, runs_capacity; /* those before runs_at are asked for no more */
};

static uint32_t code_of(const unsigned char *p, size_t n) {
	static const uint8_t least[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = n ? p[0] & least[n > 4 ? 0 : n] : 0;
	for (size_t i = 1; i < n; i++) {
		c = c << 6 | (p[i] & 63);
	}
	return c;
}

static size_t length_of(unsigned char c) { return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4; }

/* What each byte by itself is. */
static void look_at_bytes(struct ent__charset *s) {
	s->bytewise = s->plain = true;
	for (unsigned b = 0; b < 256; b++) {
		char in = (char)b, out[LONGEST], *from = &in, *to = out;
		size_t left = 1, room = sizeof out;
		iconv(s->cd, NULL, NULL, NULL, NULL);
		size_t r = iconv(s->cd, &from, &left, &to, &room);
		size_t n = (size_t)(to - out);
		bool whole = r != (size_t)-1 && n && n == length_of((unsigned char)out[0]);
		bool wrong = r == (size_t)-1 && errno == EILSEQ;
		s->table[b] = whole ? code_of((const unsigned char *)out, n) : NO_CHARACTER;
		s->first[b] = r == (size_t)-1 && !wrong ? 2 : 1;
		s->bytewise = s->bytewise && (whole || wrong);
		s->plain = s->plain && (b >= 0x80 || s->table[b] == b) && (n || r == (size_t)-1);
	}
	iconv(s->cd, NULL, NULL, NULL, NULL);
}

/* One character. Bytes of text, 0: it needs more bytes than there are, or only held some back (*used), -1: broken. */
static int one(const ent_text *t, char *to, size_t *used) {
	struct ent__charset *s = t->named;
	size_t have = t->raw_n - t->raw_at;
	for (size_t n = s->first[t->raw[t->raw_at]]; n <= have && n <= LONGEST; n++) {
		char *from = (char *)t->raw + t->raw_at, *o = to;
		size_t left = n, room = LONGEST;
		size_t r = iconv(s->cd, &from, &left, &o, &room);
		*used = n - left;
		if (*used || o > to) {
			return (int)(o - to);
		}
		if (r == (size_t)-1 && errno != EINVAL) {
			*used = n;
			return -1;
		}
	}
	*used = 0;
	return have >= LONGEST || t->end ? -1 : 0;
}

/* Marks of UTF-8 and UTF-16 are seen before; of others (GB18030, UTF-32) it is the character U+FEFF at the beginning.
 */
static void drop_mark(ent_text *t) {
	char out[LONGEST];
	size_t used;
	if (!t->mark && t->raw_n && !t->named->bytewise && one(t, out, &used) == 3 && !memcmp(out, "\xef\xbb\xbf", 3)) {
		t->mark = (uint32_t)used;
		t->raw_at = used;
	}
	iconv(t->named->cd, NULL, NULL, NULL, NULL);
}

int ent__charset_open(ent_text *t, ent_fault *f) {
	iconv_t cd = iconv_open("UTF-8", t->charset.name);
	if (cd == (iconv_t)-1) {
		return ent_fault_set(f, ENT_ERR_INVALID, 0, "run `iconv -l`: is it in that list?",
			"the C library cannot read the encoding %s: %s", t->charset.name, strerror(errno));
	}
	t->named = ent_xcalloc(1, sizeof *t->named);
	t->named->cd = cd;
	look_at_bytes(t->named);
	drop_mark(t);
	t->named->source = t->mark;
	return 0;
}

bool ent__charset_plain(const ent_text *t) { return t->named->bytewise && t->named->plain; }

bool ent__charset_runs(const ent_text *t) { return !t->named->bytewise; }

void ent__charset_close(ent_text *t) {
	if (t->named) {
		iconv_close(t->named->cd);
		free(t->named->runs);
		free(t->named);
	}
}

void ent__charset_seek(ent_text *t, uint64_t offset) {
	struct ent__charset *s = t->named; /* bytewise: it has neither a state nor runs */
	s->source = offset;
}

static uint64_t raw_place(const ent_text *t) { return t->input->unpacked - (t->raw_n - t->raw_at); }

static ssize_t broken(const ent_text *t, size_t n, ent_fault *f) {
	char bytes[5 * 4 + 1] = "";
	for (size_t i = 0; i < n && i < 4; i++) {
		snprintf(bytes + strlen(bytes), sizeof bytes - strlen(bytes), "%s0x%02X", i ? " " : "", t->raw[t->raw_at + i]);
	}
	return ent_fault_set(f, ENT_ERR_INVALID, raw_place(t), "declare another encoding, or fetch the file again",
		n > 1 ? "bytes %s are no character of %s" : "byte %s is no character of %s", bytes, t->charset.name);
}

static ssize_t by_table(ent_text *t, char *to, size_t n, ent_fault *f) {
	struct ent__charset *s = t->named;
	char *o = to, *stop = to + n - 4;
	while (t->raw_at < t->raw_n && o < stop) {
		uint32_t c = s->table[t->raw[t->raw_at]];
		if (c == NO_CHARACTER) {
			return broken(t, 1, f);
		}
		t->nul |= !c;
		t->raw_at++;
		o = ent__utf8_put(o, c);
	}
	return o - to;
}

/* `n` bytes of text, at `text`, stand for `of` bytes of the document. */
static void note(struct ent__charset *s, uint64_t text, size_t n, size_t of) {
	const run *last = s->n_runs ? &s->runs[s->n_runs - 1] : NULL;
	if (!last || last->n != n || last->of != of) {
		ENT_GROW(s->runs, s->n_runs, s->runs_capacity);
		s->runs[s->n_runs++] = (run){text, s->source, (uint8_t)n, (uint8_t)of};
	}
}

static size_t ascii_run(const uint8_t *p, size_t n, bool *nul) {
	size_t at = ent__ascii(p, n, nul, true);
	while (at < n && p[at] < 0x80) {
		*nul |= !p[at];
		at++;
	}
	return at;
}

static ssize_t by_character(ent_text *t, char *to, size_t n, ent_fault *f) {
	struct ent__charset *s = t->named;
	char *o = to, *stop = to + n - LONGEST;
	while (t->raw_at < t->raw_n && o < stop) {
		size_t room = (size_t)(stop - o), have = t->raw_n - t->raw_at, used;
		size_t k = s->plain ? ascii_run(t->raw + t->raw_at, have < room ? have : room, &t->nul) : 0;
		if (k) {
			note(s, t->at + (uint64_t)(o - to), 1, 1);
			memcpy(o, t->raw + t->raw_at, k);
			o += k;
			t->raw_at += k;
			s->source += k;
			continue;
		}
		int got = one(t, o, &used);
		if (got < 0) {
			if (!used) {
				return ent_fault_set(f, ENT_ERR_INVALID, raw_place(t),
					"fetch the file again: it was cut off, or declare another encoding",
					"%s text ends in the middle of a character", t->charset.name);
			}
			return broken(t, used, f);
		}
		if (!used) {
			break; /* the rest of it comes with the next read */
		}
		t->raw_at += used;
		if (!got) { /* from now on there may be something behind what came out */
			s->plain = false;
			s->held = (uint8_t)(s->held + used < 255 ? s->held + used : 255);
		} else {
			note(s, t->at + (uint64_t)(o - to), (size_t)got, s->held + used);
			s->source += s->held + used;
			s->held = 0;
			t->nul |= memchr(o, 0, (size_t)got) != NULL;
			o += got;
		}
	}
	if (t->end && t->raw_at == t->raw_n && !s->flushed && o < stop) {
		char *last = o;
		size_t room = LONGEST;
		s->flushed = true;
		iconv(s->cd, NULL, NULL, &o, &room);
		if (o > last) {
			note(s, t->at + (uint64_t)(last - to), (size_t)(o - last), s->held);
			s->source += s->held;
		}
	}
	return o - to;
}

ssize_t ent__charset_read(ent_text *t, char *to, size_t n, ent_fault *f) {
	return t->named->bytewise ? by_table(t, to, n, f) : by_character(t, to, n, f);
}

uint64_t ent__charset_source(const ent_text *t, uint64_t at) {
	const struct ent__charset *s = t->named;
	size_t low = s->runs_at, high = s->n_runs;
	while (high - low > 1) { /* the last one that does not begin behind it */
		size_t mid = (low + high) / 2;
		if (s->runs[mid].text <= at) {
			low = mid;
		} else {
			high = mid;
		}
	}
	if (low == high || at < s->runs[low].text) {
		return t->mark;
	}
	const run *r = &s->runs[low];
	uint64_t source = r->source + (at - r->text) / r->n * r->of;
	return source < s->source ? source : s->source; /* a line end that was added is none of the document */
}

void ent__charset_forget(ent_text *t, uint64_t before) {
	struct ent__charset *s = t->named;
	while (s->runs_at + 1 < s->n_runs && s->runs[s->runs_at + 1].text <= before) {
		s->runs_at++;
	}
	if (s->runs_at > 1024 && s->runs_at > s->n_runs / 2) {
		s->n_runs -= s->runs_at;
		memmove(s->runs, s->runs + s->runs_at, s->n_runs * sizeof *s->runs);
		s->runs_at = 0;
	}
}
