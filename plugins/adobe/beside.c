/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies beside hit_data.tsv: the names of its columns, and tables of numbers and names, as files or together in a
 * tar archive. They are told apart by what is in them, for the host gives their bytes alone.
 */
#include "adobe.h"

const name_of known_columns[] = {
	{"post_visid_high", C_HIGH, 1},
	{"visid_high", C_HIGH, 0},
	{"post_visid_low", C_LOW, 1},
	{"visid_low", C_LOW, 0},
	{"visit_num", C_VISIT_NUM, 0},
	{"visit_start_time_gmt", C_VISIT_START, 0},
	{"hit_time_gmt", C_HIT_TIME, 0},
	{"exclude_hit", C_EXCLUDE, 0},
	{"hit_source", C_HIT_SOURCE, 0},
	{"customer_perspective", C_PERSPECTIVE, 0},
	{"post_event_list", C_EVENTS, 1},
	{"event_list", C_EVENTS, 0},
	{"post_product_list", C_PRODUCTS, 1},
	{"product_list", C_PRODUCTS, 0},
	{"post_purchaseid", C_PURCHASE_ID, 1},
	{"purchaseid", C_PURCHASE_ID, 0},
	{"duplicate_purchase", C_DUPLICATE, 0},
	{"post_pagename", C_PAGENAME, 1},
	{"pagename", C_PAGENAME, 0},
	{"post_page_url", C_PAGE_URL, 1},
	{"page_url", C_PAGE_URL, 0},
	{"ref_type", C_REF_TYPE, 0},
	{"ref_domain", C_REF_DOMAIN, 0},
	{"post_campaign", C_CAMPAIGN, 1},
	{"campaign", C_CAMPAIGN, 0},
	{"geo_country", C_GEO_COUNTRY, 0},
	{"country", C_COUNTRY, 0},
	{"mobile_id", C_MOBILE, 0},
	{"hitid_high", C_HITID_HIGH, 0},
	{"hitid_low", C_HITID_LOW, 0},
	{"date_time", C_DATE_TIME, 0},
	{NULL, 0, 0},
};

static ent_str first_line(ent_str s) {
	const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
	size_t n = end ? (size_t)(end - s.p) : s.n;
	return (ent_str){s.p, n && s.p[n - 1] == '\r' ? n - 1 : n};
}

/* Does it name columns of a feed? */
static int is_header(ent_str line) {
	int hits = 0;
	for (const char *p = line.p, *end = line.p + line.n; p < end; p++) {
		const char *tab = memchr(p, '\t', (size_t)(end - p));
		ent_str name = {p, tab ? (size_t)(tab - p) : (size_t)(end - p)};
		for (const name_of *k = known_columns; k->name; k++)
			hits += text_is_fold(name, k->name);
		p += name.n;
	}
	return hits >= 3;
}

int names_take(adobe *a, ent_str line, const char **why) {
	int post[COLUMNS] = {0};
	if (!is_header(line)) {
		*why = "no column of a data feed is named";
		return -1;
	}
	a->fields = 1;
	for (size_t i = 0; i < line.n; i++)
		a->fields += line.p[i] == '\t';
	if (a->fields > FIELDS_MAX) {
		*why = "more than 4096 columns are named";
		return -1;
	}
	free(a->column_of);
	a->column_of = calloc(a->fields, sizeof *a->column_of);
	if (!a->column_of) {
		*why = NULL;
		return -1;
	}
	for (int c = 0; c < COLUMNS; c++)
		a->field[c] = -1;
	const char *p = line.p;
	for (size_t field = 0; field < a->fields; field++) {
		size_t n = 0, left = (size_t)(line.p + line.n - p);
		while (n < left && p[n] != '\t')
			n++;
		for (const name_of *k = known_columns; k->name; k++)
			if (text_is_fold((ent_str){p, n}, k->name) && (a->field[k->column] < 0 || k->post > post[k->column])) {
				a->field[k->column] = (int)field;
				post[k->column] = k->post;
			}
		p += n + 1;
	}
	for (int c = 0; c < COLUMNS; c++)
		if (a->field[c] >= 0)
			a->column_of[a->field[c]] = (uint32_t)c + 1;
	static const struct {
		int column;
		const char *why;
	} required[] = {{C_HIGH, "column post_visid_high is missing"}, {C_LOW, "column post_visid_low is missing"},
		{C_VISIT_NUM, "column visit_num is missing"}, {C_HIT_TIME, "column hit_time_gmt is missing"},
		{C_EXCLUDE, "column exclude_hit is missing"}, {C_EVENTS, "column post_event_list is missing"}};
	for (size_t i = 0; i < sizeof required / sizeof *required; i++)
		if (a->field[required[i].column] < 0) {
			*why = required[i].why;
			return -1;
		}
	a->named = 1;
	return 0;
}

/* ---- lookups ---- */

/* 0, or -1: out of memory. */
static int lookup_keep(lookup *l, ent_str s) {
	char *p = malloc(s.n + 1);
	if (!p)
		return -1;
	memcpy(p, s.p, s.n);
	free(l->text);
	*l = (lookup){p, s.n};
	return 0;
}

ent_str lookup_find(const lookup *l, ent_str number) {
	for (const char *p = l->text, *end = p + l->n; number.n && p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p);
		if (n > number.n && p[number.n] == '\t' && !memcmp(p, number.p, number.n))
			return text_trim((ent_str){p + number.n + 1, n - number.n - 1});
		p += n + 1;
	}
	return (ent_str){NULL, 0};
}

static int has_line(ent_str s, const char *name) {
	size_t n = strlen(name);
	for (const char *p = s.p, *end = p + s.n; p && p < end; p = memchr(p, '\n', (size_t)(end - p)), p += p != NULL) {
		const char *tab = memchr(p, '\t', (size_t)(end - p));
		if (!tab)
			return 0;
		if ((size_t)(end - tab) > n && !memcmp(tab + 1, name, n) &&
			(tab + 1 + n == end || tab[1 + n] == '\n' || tab[1 + n] == '\r'))
			return 1;
	}
	return 0;
}

/* The value of a line `name: value`, from *p on, up to the next one; *p is moved behind it. Absent: no more. */
static ent_str value_of(const char **p, const char *end, const char *name) {
	size_t n = strlen(name);
	while (*p < end) {
		const char *line = *p, *stop = memchr(line, '\n', (size_t)(end - line));
		*p = stop ? stop + 1 : end;
		if ((size_t)(*p - line) > n && !memcmp(line, name, n))
			return text_trim((ent_str){line + n, (size_t)(*p - line) - n});
	}
	return (ent_str){NULL, 0};
}

/* How many rows the manifest says that this document has: files that are cut off at a line are whole by their looks. */
static void manifest(adobe *a, ent_str s) {
	const char *p = s.p, *end = s.p + s.n;
	for (ent_str file; (file = value_of(&p, end, "Data-File:")).p;) {
		ent_str count = value_of(&p, end, "Record-Count:");
		if (text_equal(file, a->name) && count.n && text_digits(count.p, count.n, &a->expected))
			a->expected = -1;
	}
}

/* One file, of a companion or in an archive. */
static int take(adobe *a, ent_str s, const char **why) {
	ent_str line = first_line(s);
	if (s.n > 9 && !memcmp(s.p, "Datafeed-", 9)) {
		manifest(a, s);
		return 0;
	}
	if (is_header(line))
		return names_take(a, line, why);
	lookup *l = has_line(s, "Search Engines")                            ? &a->referrers
				: has_line(s, "Germany") || has_line(s, "United States") ? &a->countries
																		 : NULL;
	if (l && lookup_keep(l, s)) {
		*why = NULL;
		return -1;
	}
	return 0;
}

/* ---- archives ---- */

static int is_tar(ent_str s) { return s.n >= 512 && !memcmp(s.p + 257, "ustar", 5); }

static int take_tar(adobe *a, ent_str s, const char **why) {
	size_t at = 0;
	while (at + 512 <= s.n && s.p[at]) {
		uint64_t size = 0;
		for (int i = 0; i < 11; i++) {
			char c = s.p[at + 124 + (size_t)i];
			if (c >= '0' && c <= '7')
				size = size * 8 + (uint64_t)(c - '0');
		}
		if (size > s.n - at - 512) {
			*why = "the archive beside it is cut off";
			return -1;
		}
		char type = s.p[at + 156];
		if ((type == '0' || type == 0) && take(a, (ent_str){s.p + at + 512, (size_t)size}, why))
			return -1;
		at += 512 + (size_t)((size + 511) / 512 * 512);
	}
	return 0;
}

ent_status beside_take(adobe *a, const ent_doc *doc) {
	const char *why = "none of the companions names the columns";
	a->named = 0;
	a->hits = 0;
	a->expected = -1;
	a->name = doc->name;
	for (size_t i = doc->name.n; i-- > 0;)
		if (doc->name.p[i] == '/') {
			a->name = (ent_str){doc->name.p + i + 1, doc->name.n - i - 1};
			break;
		}
	for (size_t i = 0; i < doc->n_companions; i++) {
		ent_str s = doc->companions[i];
		if (s.n >= 3 && !memcmp(s.p, "\xef\xbb\xbf", 3))
			s = (ent_str){s.p + 3, s.n - 3};
		if (is_tar(s) ? take_tar(a, s, &why) : take(a, s, &why)) {
			a->named = 0;
			if (!why)
				return ENT_ENOMEM;
			break;
		}
	}
	if (doc->n_companions && !a->named)
		return a->host->error(a->ctx, 0, ENT_NO_COLUMN, why,
			"list column_headers.tsv of the same delivery under `companions:`, or the lookup archive that holds it");
	return ENT_OK;
}

void beside_clear(adobe *a) {
	free(a->countries.text);
	free(a->referrers.text);
	a->countries = a->referrers = (lookup){0};
}
