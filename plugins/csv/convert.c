/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of a cell, or of a constant, to a field of a fact.
 */
#include "csv.h"

ent_str csv__key_text(ent_str s) {
	if (s.n && s.p[0] == '\'') /* how spreadsheets keep digits from becoming a number */
		s.p++, s.n--;
	return s;
}

ent_str csv__cell(const csv *d, const csv_binding *b, ent_str cell) {
	cell = text_trim(cell);
	for (size_t i = 0; i < d->n_absent; i++)
		if (text_equal(cell, d->absent[i]))
			return (ent_str){NULL, 0};
	if (!cell.n || !b->map.n)
		return cell;
	for (size_t i = 0; i < b->map.n; i++)
		if (text_equal(cell, b->map.from[i]))
			return b->map.to[i];
	return b->map.other ? *b->map.other : cell;
}

static int money(csv *d, ent_str s, int64_t *out) {
	if (d->decimal == '.' && !d->group)
		return text_money(d->host, s, out);
	return d->host->money(s, d->decimal, d->group, out);
}

static int quantity(csv *d, ent_str s, int64_t *out) {
	int64_t v;
	if (s.n <= 9 && !text_digits(s.p, s.n, &v)) {
		*out = v * 1000;
		return 0;
	}
	if (money(d, s, &v) || v % 1000)
		return -1;
	*out = v / 1000;
	return 0;
}

static int word(const char *const *words, ent_str s, uint8_t *out) {
	for (uint8_t i = 0; words[i]; i++)
		if (text_is_fold(s, words[i])) {
			*out = i;
			return 0;
		}
	return -1;
}

static int steps(const char *const *words, ent_str s, uint32_t *out) {
	while (s.n) {
		uint8_t step;
		size_t n = 0;
		while (n < s.n && s.p[n] != ' ' && s.p[n] != ',' && s.p[n] != '|' && s.p[n] != ';')
			n++;
		if (n) {
			if (word(words, (ent_str){s.p, n}, &step))
				return -1;
			*out |= 1u << step;
		}
		n += n < s.n;
		s.p += n;
		s.n -= n;
	}
	return 0;
}

static int flag(ent_str s, uint8_t *out) {
	static const char *const no[] = {"0", "false", "no", "n", NULL}, *const yes[] = {"1", "true", "yes", "y", NULL};
	uint8_t at;
	*out = 1;
	if (!word(yes, s, &at))
		return 0;
	*out = 0;
	return word(no, s, &at);
}

/* "17850.0" is 17850: a spreadsheet, or pandas, once took the column for numbers with holes. */
static ent_str customer_text(ent_str s) {
	if (s.n > 2 && s.p[s.n - 1] == '0' && s.p[s.n - 2] == '.') {
		size_t i = 0;
		while (i < s.n - 2 && s.p[i] >= '0' && s.p[i] <= '9')
			i++;
		if (i == s.n - 2)
			s.n = i;
	}
	return s;
}

static int capitals(ent_str s, size_t n) {
	if (s.n != n)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return 0;
	return 1;
}

int csv__convert(csv *d, csv_binding *b, ent_str s, csv_fact *fact, const char **why) {
	const csv_field *f = b->field;
	void *at = (char *)fact + f->offset;
	int64_t v = 0;
	int bad = 0;
	switch (f->type) {
	case TYPE_TEXT:
		*(ent_str *)at = s;
		break;
	case TYPE_KEY:
		*why = "longer than 255 bytes";
		s = csv__key_text(s);
		bad = s.n > 255;
		*(ent_str *)at = s;
		break;
	case TYPE_TIME:
		*why = b->pattern ? "not a date of the form that `dates` gives" : "not a date";
		bad = csv__time(d, b, s, at);
		break;
	case TYPE_VALUE:
		*why = "not a number";
		int percent = s.n && s.p[s.n - 1] == '%';
		bad = money(d, text_trim((ent_str){s.p, s.n - (size_t)percent}), &v);
		if (percent) { /* half-even, as money is rounded */
			int64_t q = v / 100, r = v % 100, m = r < 0 ? -r : r;
			v = q + (m > 50 || (m == 50 && (q & 1)) ? (v < 0 ? -1 : 1) : 0);
		}
		*(int64_t *)at = b->negate ? -v : v;
		break;
	case TYPE_MONEY:
		*why = "not an amount";
		bad = money(d, s, &v);
		*(int64_t *)at = b->negate ? -v : v;
		break;
	case TYPE_QUANTITY:
		*why = "not a quantity";
		bad = quantity(d, s, &v);
		*(int64_t *)at = b->negate ? -v : v;
		break;
	case TYPE_CURRENCY:
		*why = "not a currency of three capital letters";
		bad = !capitals(s, 3);
		if (!bad) {
			memcpy(at, s.p, 3);
			((char *)at)[3] = 0;
		}
		break;
	case TYPE_COUNTRY:
		*why = "not a country of two capital letters; give the file's words a meaning with `values`";
		bad = !capitals(s, 2);
		*(ent_str *)at = s;
		break;
	case TYPE_CUSTOMER:
		s = d->identity == ENT_ID_CUSTOMER ? customer_text(csv__key_text(s)) : csv__key_text(s);
		*(ent_id *)at = d->host->identity(d->ctx, d->identity, s);
		break;
	case TYPE_STAFF:
		*(ent_id *)at = d->host->identity(d->ctx, ENT_ID_STAFF, s);
		break;
	case TYPE_COOKIE:
		*(ent_id *)at = d->host->identity(d->ctx, ENT_ID_COOKIE, csv__key_text(s));
		break;
	case TYPE_NUMBER:
		*why = "not a whole number";
		bad = quantity(d, s, &v) || v < 0 || v % 1000 || v / 1000 > UINT32_MAX;
		*(uint32_t *)at = (uint32_t)(v / 1000);
		break;
	case TYPE_FLAG:
		*why = "neither true nor false";
		bad = flag(s, at);
		break;
	case TYPE_WORD:
		*why = "a word without a meaning; give it one with `values`";
		bad = word(f->words, s, at);
		break;
	case TYPE_STEPS:
		*why = "a step without a meaning; give it one with `values`";
		bad = steps(f->words, s, at);
		break;
	case TYPE_GRADE:
		*why = "not a grade from A to F";
		bad = s.n != 1 || s.p[0] < 'A' || s.p[0] > 'F';
		if (!bad)
			*(char *)at = s.p[0];
		break;
	}
	if (bad)
		return -1;
	fact->h.has |= f->has;
	return 0;
}
