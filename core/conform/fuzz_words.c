/* SPDX-License-Identifier: Apache-2.0
 *
 * Words worth trying, and changes that keep a document's structure: cells, members and lines are exchanged, lost and
 * doubled, where bytes alone would mostly break the framing. One thread. */
#include "conform/fuzz.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_MOST = 1200, LONGEST = 40 };

static void add(ent__words *w, const char *p, size_t n) {
	if (!n || n > 64) {
		return;
	}
	for (size_t i = 0; i < w->n; i++) {
		if (w->word[i].n == n && !memcmp(w->word[i].p, p, n)) {
			return;
		}
	}
	ENT_GROW(w->word, w->n, w->capacity);
	w->word[w->n++] = (ent_str){ent_arena_copy(&w->arena, p, n), n};
}

static void add_text(ent__words *w, const char *text) {
	if (text) {
		add(w, text, strlen(text));
	}
}

static void add_columns(ent__words *w, const ent_column *c) {
	for (; c && c->name; c++) {
		add_text(w, c->name);
		for (const char *a = c->aliases; a && *a;) {
			size_t n = strcspn(a, "|");
			add(w, a, n);
			a += n + (a[n] == '|');
		}
	}
}

static void add_options(ent__words *w, const ent_option *o, unsigned depth) {
	for (; o && o->key && depth < 8; o++) {
		add_text(w, o->key);
		add_text(w, o->preset);
		for (const char *const *c = o->choices; c && *c; c++) {
			add_text(w, *c);
		}
		add_options(w, o->item, depth + 1);
	}
}

/* ---- the plugin's file ----------------------------------------------------------------------------------------------
 */

static bool printable(char c) { return c >= ' ' && c < 0x7f; }

/* Texts between zero bytes. */
static void add_texts(ent__words *w, const char *p, size_t n) {
	size_t before = w->n;
	for (size_t i = 0, from = 0; i < n && w->n - before < TEXTS_MOST; i++) {
		if (!printable(p[i])) {
			if (!p[i] && i - from >= 2 && i - from <= LONGEST) {
				add(w, p + from, i - from);
			}
			from = i + 1;
		}
	}
}

/* A number in the code that is letters: comparisons with words are compiled to such. */
typedef struct piece {
	size_t at, n; /* in the code; bytes of it */
	const char *p;
	int place; /* of what it is compared with, from a register; -1: it is in one itself */
} piece;

/* The instruction at p, if it is one of those that compare with a constant: x86-64's. 0: none. */
static size_t compares(const unsigned char *p, const unsigned char *end, piece *out) {
	const unsigned char *q = p;
	bool words = *q == 0x66;
	q += words;
	if (end - q < 16) {
		return 0;
	}
	if ((q[0] & 0xfe) == 0x48 && (q[1] & 0xf8) == 0xb8) { /* movabs */
		*out = (piece){.n = 8, .p = (const char *)q + 2, .place = -1};
		return 10;
	}
	q += (*q & 0xf0) == 0x40; /* REX */
	size_t n = *q == 0x80 ? 1 : *q == 0x81 || *q == 0x3d || *q == 0x35 ? (words ? 2 : 4) : 0, skip = 1;
	int place = -1;
	if (n && (*q & 0x80)) {
		unsigned mod = q[1] >> 6, reg = q[1] >> 3 & 7, rm = q[1] & 7;
		if ((reg != 7 && reg != 6) || mod == 2 || (mod != 3 && rm == 4) || (mod == 0 && rm == 5)) {
			return 0;
		}
		place = mod == 3 ? -1 : mod == 1 ? (int)(signed char)q[2] : 0;
		skip = mod == 1 ? 3 : 2;
	}
	*out = (piece){.n = n, .p = (const char *)q + skip, .place = place};
	return n ? (size_t)(q - p) + skip + n : 0;
}

static bool all_printable(const char *p, size_t n) {
	while (n && printable(*p)) {
		p++;
		n--;
	}
	return !n;
}

/* Pieces near each other, each of the bytes that follow those of the one before, are one word. */
static void add_code(ent__words *w, const char *code, size_t n) {
	enum { NEAR = 96, PIECES = 8 };
	const unsigned char *p = (const unsigned char *)code, *end = p + n;
	piece last[PIECES] = {0};
	size_t n_last = 0, most = w->n + TEXTS_MOST;
	for (size_t i = 0; i < n && w->n < most;) {
		piece found;
		size_t k = compares(p + i, end, &found);
		if (!k || !all_printable(found.p, found.n)) {
			i++;
			continue;
		}
		found.at = i;
		if (found.n > 1) {
			add(w, found.p, found.n);
		}
		for (size_t b = 0; b < n_last; b++) { /* words that begin with each of the last pieces */
			char word[LONGEST];
			size_t length = last[b].n;
			memcpy(word, last[b].p, length);
			for (size_t c = b + 1; c <= n_last && length + 8 <= sizeof word; c++) {
				const piece *next = c < n_last ? &last[c] : &found;
				int want = (last[b].place < 0 ? 0 : last[b].place) + (int)length;
				if (next->place == want || next->place < 0) {
					memcpy(word + length, next->p, next->n);
					length += next->n;
				}
			}
			if (length > last[b].n && found.at - last[b].at < NEAR) {
				add(w, word, length);
			}
		}
		if (n_last == PIECES) {
			memmove(last, last + 1, --n_last * sizeof *last);
		}
		last[n_last++] = found;
		i += k;
	}
}

static void add_file(ent__words *w, const char *path) {
	ent_error e;
	ent_arena arena = {0};
	size_t n;
	const char *b = ent__file_read(&arena, path, &n, &e);
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)b;
	if (b && n > sizeof *h && !memcmp(b, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
		h->e_shentsize == sizeof(Elf64_Shdr) && h->e_shoff < n && (n - h->e_shoff) / sizeof(Elf64_Shdr) >= h->e_shnum) {
		const Elf64_Shdr *s = (const Elf64_Shdr *)(const void *)(b + h->e_shoff);
		for (int code = 0; code < 2; code++) {
			for (unsigned i = 0; i < h->e_shnum; i++) {
				bool there = s[i].sh_type == SHT_PROGBITS && s[i].sh_flags & SHF_ALLOC && s[i].sh_offset < n &&
							 s[i].sh_size <= n - s[i].sh_offset;
				if (there && !!(s[i].sh_flags & SHF_EXECINSTR) == code) {
					(code ? add_code : add_texts)(w, b + s[i].sh_offset, s[i].sh_size);
				}
			}
		}
	}
	ent_arena_finish(&arena);
}

/* ---- the words ------------------------------------------------------------------------------------------------------
 */

void ent__words_read(ent__words *w, const ent__set *s, const ent_decoder *d) {
	static const char *const usual[] = {"0", "-1", "-0", "1e309", "0.0000001", "9223372036854775807",
		"-9223372036854775808", "18446744073709551616", "99999999999999999999999", "NaN", "null", "true", "{}", "[]",
		"\"\"", "\"", "\\u0000", "\\ud800", "\xff", "\xc3", "\xef\xbb\xbf", "0000-00-00", "1969-12-31T23:59:59Z",
		"9999-12-31 23:59:59 +1400", "2024-02-30", "EUR", "JPY", "a@b.example", "=1+1", ";;", ",,", "\t\t", "\r\n"};
	add_columns(w, d->columns);
	add_options(w, d->options, 0);
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		add_text(w, usual[i]);
	}
	add_file(w, s->path);
}

int ent__words_write(const ent__words *w, const char *path, ent_error *e) {
	FILE *f = fopen(path, "we");
	if (!f) {
		return ent_error_errno(e, ENT_ERR_IO, "writing %s", path);
	}
	for (size_t i = 0; i < w->n; i++) {
		fputc('"', f);
		for (size_t k = 0; k < w->word[i].n; k++) {
			unsigned char c = (unsigned char)w->word[i].p[k];
			if (c == '"' || c == '\\' || !printable((char)c)) {
				fprintf(f, "\\x%02x", c);
			} else {
				fputc(c, f);
			}
		}
		fputs("\"\n", f);
	}
	return fclose(f) ? ent_error_errno(e, ENT_ERR_IO, "writing %s", path) : 0;
}

void ent__words_finish(ent__words *w) {
	free(w->word);
	ent_arena_finish(&w->arena);
	*w = (ent__words){0};
}

/* ---- changes --------------------------------------------------------------------------------------------------------
 */

static uint32_t next(uint32_t *seed, uint32_t n) {
	*seed = *seed * 1664525u + 1013904223u;
	return n ? (uint32_t)(((uint64_t)(*seed) * n) >> 32) : 0;
}

/* Of [*from, *to) in the document: the line, with its end, or the token that byte `at` is in. */
static void line_at(const uint8_t *p, size_t n, size_t at, size_t *from, size_t *to) {
	for (*from = at; *from && p[*from - 1] != '\n'; (*from)--) {
	}
	for (*to = at; *to < n && p[*to] != '\n'; (*to)++) {
	}
	*to += *to < n;
}

static void token_at(const uint8_t *p, size_t n, size_t at, size_t *from, size_t *to) {
	static const char borders[] = ",;\t\n\r|\"{}[]:";
	for (*from = at; *from && !memchr(borders, p[*from - 1], sizeof borders - 1); (*from)--) {
	}
	for (*to = at; *to < n && !memchr(borders, p[*to], sizeof borders - 1); (*to)++) {
	}
}

/* What is in [from, to) becomes `with`, which is no part of the document. Too long: nothing happens. */
static size_t replace(uint8_t *p, size_t n, size_t room, size_t from, size_t to, const void *with, size_t with_n) {
	if (n - (to - from) + with_n > room) {
		return n;
	}
	memmove(p + from + with_n, p + to, n - to);
	if (with_n) {
		memcpy(p + from, with, with_n);
	}
	return n - (to - from) + with_n;
}

size_t ent__mutate(const ent__words *w, uint8_t *p, size_t n, size_t room, uint32_t seed) {
	uint8_t kept[4096];
	size_t from, to, other, end;
	seed ^= seed >> 15;
	if (!n) {
		return n;
	}
	uint32_t how = next(&seed, 9), at = next(&seed, (uint32_t)n), second = next(&seed, (uint32_t)n);
	if (how < 5) { /* a token: another word, one from elsewhere, or none */
		token_at(p, n, at, &from, &to);
		const ent_str *word = w->n ? &w->word[next(&seed, (uint32_t)w->n)] : NULL;
		if (how < 3 && word) {
			return replace(p, n, room, from, to, word->p, word->n);
		}
		token_at(p, n, second, &other, &end);
		size_t k = how == 3 && end - other < sizeof kept ? end - other : 0;
		memcpy(kept, p + other, k);
		return replace(p, n, room, from, to, kept, k);
	}
	if (how == 8) { /* a letter */
		p[at] = (uint8_t)(' ' + next(&seed, 0x7f - ' '));
		return n;
	}
	line_at(p, n, at, &from, &to);
	if (how == 5) {
		return replace(p, n, room, from, to, NULL, 0);
	}
	size_t k = to - from < sizeof kept ? to - from : 0; /* the line comes again, elsewhere */
	memcpy(kept, p + from, k);
	line_at(p, n, second, &other, &end);
	return replace(p, n, room, other, other, kept, k);
}
