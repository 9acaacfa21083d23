/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rules said, see store.h: one row a partner, the records packed, the verdicts beside them as letters, so that
 * they are counted without unpacking. One thread. */
#include "base/arena.h"
#include "store/sql.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { LEVEL = 1, MOST_RECORDS = 1 << 30 /* bytes of one partner */ };

struct ent__rules_known {
	char **names; /* by number */
	size_t n, capacity;
	size_t hint; /* records come in the order of the rules */
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
	ent_buf packed, verdicts;
};

void ent__said_close(ent_store *s) {
	struct ent__rules_known *k = s->rules;
	if (!k) {
		return;
	}
	for (size_t i = 0; i < k->n; i++) {
		free(k->names[i]);
	}
	free(k->names);
	ZSTD_freeCCtx(k->pack);
	ZSTD_freeDCtx(k->unpack);
	ent_buf_finish(&k->packed);
	ent_buf_finish(&k->verdicts);
	free(k);
	s->rules = NULL;
}

/* ---- records
 * ------------------------------------------------------------------------------------------------------------ */

static const char *after(const char *p, const char *end, const char *text) {
	size_t n = strlen(text);
	return p && (size_t)(end - p) >= n && !memcmp(p, text, n) ? p + n : NULL;
}

static const char *find(const char *p, const char *end, const char *text) {
	const char *at = p ? memmem(p, (size_t)(end - p), text, strlen(text)) : NULL;
	return at ? at + strlen(text) : NULL;
}

static const char *end_of_text(const char *p, const char *end) {
	while (p < end && *p != '"') {
		p += *p == '\\' ? 2 : 1;
	}
	return p < end ? p : NULL;
}

/* Quotes inside of texts are escaped: what is searched for can only be a key. */
bool ent_said_head_of(const char *record, size_t n, ent_said_head *h) {
	const char *end = record + n, *p = after(record, end, "{\"rule\":\"");
	*h = (ent_said_head){.rule = p};
	p = p ? end_of_text(p, end) : NULL;
	h->n_rule = p ? (size_t)(p - h->rule) : 0;
	p = find(p, end, "\"partner\":\"");
	h->partner = p ? p - 1 : NULL;
	p = p ? end_of_text(p, end) : NULL;
	h->n_partner = p ? (size_t)(p + 1 - h->partner) : 0;
	p = p ? after(p, end, "\",\"verdict\":") : NULL;
	if (!p || p == end) {
		return false;
	}
	bool quoted = *p == '"';
	h->verdict = p + quoted;
	while (p < end && *p != ',' && *p != '}') {
		p++;
	}
	h->end = p;
	h->n_verdict = (size_t)(p - h->verdict) - quoted;
	return p < end && h->n_verdict >= 4;
}

/* ---- rules
 * -------------------------------------------------------------------------------------------------------------- */

static int take_rule(void *ctx, const void *row) {
	struct ent__rules_known *k = ctx;
	const ent__rule_row *r = row;
	if (r->number != k->n) {
		return ENT_ERR_CORRUPT;
	}
	ENT_GROW(k->names, k->n, k->capacity);
	k->names[k->n++] = ent_xstrdup(r->name);
	return 0;
}

static int load(ent_store *s, ent_error *e) {
	if (s->rules) {
		return 0;
	}
	s->rules = ent_xcalloc(1, sizeof *s->rules);
	int status = ent__row_scan(s, ENT__RULES, "ORDER BY number", (ent__row_args){0}, take_rule, s->rules, e);
	if (status) {
		ent__said_close(s);
	}
	return status == ENT_ERR_CORRUPT && !e->code ? ent_error_set(e, ENT_ERR_CORRUPT, "the numbers of rules have a gap")
												 : status;
}

static bool is_name(const struct ent__rules_known *k, size_t i, const char *name, size_t n) {
	return !strncmp(k->names[i], name, n) && !k->names[i][n];
}

/* A rule that spoke for the first time gets the next number. A run that is rolled back takes its numbers with it. */
static int number_of(ent_store *s, const char *name, size_t n, size_t *out, ent_error *e) {
	struct ent__rules_known *k = s->rules;
	size_t hint = k->hint + 1 < k->n ? k->hint + 1 : 0;
	if (k->n && is_name(k, hint, name, n)) {
		*out = k->hint = hint;
		return 0;
	}
	for (size_t i = 0; i < k->n; i++) {
		if (is_name(k, i, name, n)) {
			*out = k->hint = i;
			return 0;
		}
	}
	char *copy = ent_xmalloc(n + 1);
	memcpy(copy, name, n);
	copy[n] = 0;
	ENT_GROW(k->names, k->n, k->capacity);
	k->names[k->n] = copy;
	*out = k->hint = k->n++;
	return ent__row_put(s, ENT__RULES, &(ent__rule_row){(uint32_t)*out, copy}, e);
}

/* ---- writing
 * ------------------------------------------------------------------------------------------------------------ */

static int write_verdicts(ent_store *s, const char *records, size_t n, ent_error *e) {
	ent_buf *v = &s->rules->verdicts;
	v->n = 0;
	for (const char *p = records, *end = records + n, *newline; p < end; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		ent_said_head h;
		size_t number;
		if (!newline || !ent_said_head_of(p, (size_t)(newline - p), &h)) {
			return ent_error_set(e, ENT_ERR_INVALID, "this is no record of a rule: %.100s", p);
		}
		int status = number_of(s, h.rule, h.n_rule, &number, e);
		if (status) {
			return status;
		}
		while (v->n <= number) {
			ent_buf_u8(v, ' ');
		}
		v->data[number] = (uint8_t)ent__verdict_letter(h.verdict);
	}
	return 0;
}

int ent_store_said_put(
	ent_store *s, const char *partner, int32_t as_of, uint64_t run, const char *records, size_t n, ent_error *e) {
	int status = load(s, e);
	status = status ? status : write_verdicts(s, records, n, e);
	if (status) {
		return status;
	}
	struct ent__rules_known *k = s->rules;
	k->pack = k->pack ? k->pack : ZSTD_createCCtx();
	k->packed.n = 0;
	ent_buf_reserve(&k->packed, ZSTD_compressBound(n));
	size_t packed = ZSTD_compressCCtx(k->pack, k->packed.data, k->packed.capacity, records, n, LEVEL);
	if (ZSTD_isError(packed)) {
		return ent_error_set(
			e, ENT_ERR_NOMEM, "%zu bytes of records cannot be packed: %s", n, ZSTD_getErrorName(packed));
	}
	ent__said_row row = {.partner = partner,
		.as_of = as_of,
		.run = run,
		.verdicts = (const char *)k->verdicts.data,
		.n_verdicts = k->verdicts.n,
		.size = n,
		.packed = k->packed.data,
		.n_packed = packed};
	return ent__row_put(s, ENT__SAID, &row, e);
}

/* ---- reading
 * ------------------------------------------------------------------------------------------------------------ */

static int unpack(ent_store *s, const ent__said_row *row, ent_buf *out, ent_error *e) {
	struct ent__rules_known *k = s->rules;
	k->unpack = k->unpack ? k->unpack : ZSTD_createDCtx();
	if (row->size > MOST_RECORDS) {
		return ent_error_set(e, ENT_ERR_CORRUPT, "what was said of %.200s cannot be read", row->partner);
	}
	ent_buf_reserve(out, row->size + 1);
	size_t n = ZSTD_decompressDCtx(k->unpack, out->data + out->n, row->size, row->packed, row->n_packed);
	if (ZSTD_isError(n) || n != row->size) {
		ent_error_set(e, ENT_ERR_CORRUPT, "what was said of %.200s cannot be read", row->partner);
		ent_error_at(e, s->file, 0, 0);
		return e->code;
	}
	out->n += n;
	return 0;
}

typedef struct reader {
	ent_store *s;
	bool records;
	ent_verdict_visit visit;
	void *ctx;
	ent_error *e;
	ent_buf *out, text;
} reader;

static int take_one(void *ctx, const void *row) {
	reader *r = ctx;
	return unpack(r->s, row, r->out, r->e);
}

int ent_store_said_get(ent_store *s, const char *partner, ent_buf *records, ent_error *e) {
	reader r = {.s = s, .e = e, .out = records};
	int status = load(s, e);
	return status
			   ? status
			   : ent__row_scan(s, ENT__SAID, "WHERE partner = ?1", (ent__row_args){.text = partner}, take_one, &r, e);
}

static const char *word_of(char letter) {
	for (unsigned i = 0; i < ENT__VERDICT_WORDS; i++) {
		if (ent__verdict_letter(ent__verdict_words[i]) == letter) {
			return ent__verdict_words[i];
		}
	}
	return NULL;
}

static int visit_letters(reader *r, const ent__said_row *row) {
	const struct ent__rules_known *k = r->s->rules;
	int status = 0;
	for (size_t i = 0; i < row->n_verdicts && i < k->n && !status; i++) {
		const char *word = word_of(row->verdicts[i]);
		if (word) {
			status = r->visit(r->ctx, k->names[i], row->partner, word, row->as_of, NULL);
		}
	}
	return status;
}

static int visit_records(reader *r, const ent__said_row *row) {
	r->text.n = 0;
	int status = unpack(r->s, row, &r->text, r->e);
	char *p = (char *)r->text.data, *end = p + r->text.n, *newline;
	for (; !status && p < end && (newline = memchr(p, '\n', (size_t)(end - p))); p = newline + 1) {
		ent_said_head h;
		char rule[128];
		if (!ent_said_head_of(p, (size_t)(newline - p), &h) || h.n_rule >= sizeof rule) {
			return ent_error_set(r->e, ENT_ERR_CORRUPT, "what was said of %.200s cannot be read", row->partner);
		}
		memcpy(rule, h.rule, h.n_rule);
		rule[h.n_rule] = 0;
		*newline = 0;
		status = r->visit(r->ctx, rule, row->partner, word_of(ent__verdict_letter(h.verdict)), row->as_of, p);
	}
	return status;
}

static int visit_row(void *ctx, const void *row) {
	reader *r = ctx;
	return r->records ? visit_records(r, row) : visit_letters(r, row);
}

int ent_store_verdicts_scan(
	ent_store *s, const char *partner, bool records, ent_verdict_visit visit, void *ctx, ent_error *e) {
	reader r = {.s = s, .records = records, .visit = visit, .ctx = ctx, .e = e};
	const char *tail = partner ? "WHERE partner = ?1" : "ORDER BY partner";
	int status = load(s, e);
	status = status ? status : ent__row_scan(s, ENT__SAID, tail, (ent__row_args){.text = partner}, visit_row, &r, e);
	ent_buf_finish(&r.text);
	return status;
}
