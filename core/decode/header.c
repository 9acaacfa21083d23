/* SPDX-License-Identifier: Apache-2.0
 *
 * The header of delimited text, see csv.h: delimiter, quotes, line end, and which field is which column. */
#include "base/arena.h"
#include "decode/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One row of the header in the window: cut it into names. Returns false if it has no end yet. */
static bool cut_names(ent_csv *c, size_t *end) {
	const char *p = c->window.data + c->at, *limit = c->window.data + c->window.n, *scan = p;
	char *o = c->names_text = ent_xrealloc(c->names_text, c->window.n - c->at + 1);
	uint32_t capacity = 0;
	c->fields = 0;
	for (;;) {
		char *start = o;
		if (c->quote && scan < limit && *scan == c->quote) {
			for (scan++;;) {
				if (scan + 1 >= limit) {
					return false;
				}
				if (*scan == c->quote) {
					if (scan[1] != c->quote) {
						scan++;
						break;
					}
					scan++;
				}
				*o++ = *scan++;
			}
		}
		while (scan < limit && *scan != c->delimiter && *scan != c->line_end) {
			*o++ = *scan++;
		}
		if (scan == limit) {
			return false;
		}
		bool last = *scan == c->line_end;
		if (last && o > start && o[-1] == '\r') {
			o--;
		}
		while (o > start && (o[-1] == ' ' || o[-1] == '\t')) {
			o--;
		}
		char *name = start;
		while (name < o && (*name == ' ' || *name == '\t')) {
			name++;
		}
		ENT_GROW(c->names, c->fields, capacity);
		c->names[c->fields++] = (ent_str){name, (size_t)(o - name)};
		scan++;
		if (last) {
			*end = (size_t)(scan - c->window.data);
			return true;
		}
	}
}

/* Counts candidates outside quotes on the header line, and finds its line end. */
static bool sniff(ent_csv *c, bool with_quotes, size_t counts[4], char *line_end, bool *starts_quoted) {
	static const char candidates[] = ",;\t|";
	const char *p = c->window.data + c->at, *limit = c->window.data + c->window.n;
	bool quoted = false, cell_start = true;
	memset(counts, 0, 4 * sizeof *counts);
	*starts_quoted = false;
	for (; p < limit; p++) {
		if (with_quotes && *p == '"' && (quoted || cell_start)) {
			quoted = !quoted;
			*starts_quoted = true;
			cell_start = !quoted; /* so that "" opens again */
			continue;
		}
		if (quoted) {
			continue;
		}
		if (*p == '\n' || *p == '\r') {
			if (*p == '\r' && p + 1 == limit && !c->window.end) {
				return false;
			}
			*line_end = *p == '\r' && !(p + 1 < limit && p[1] == '\n') ? '\r' : '\n';
			return true;
		}
		const char *hit = strchr(candidates, *p);
		cell_start = hit && *p;
		if (cell_start) {
			counts[hit - candidates]++;
		}
	}
	return false;
}

static int more(ent_csv *c, ent_fault *f) {
	if (c->window.end) {
		return ent_fault_set(f, ENT_ERR_INVALID, c->text.mark + c->window.base + c->at,
			"check that this is the right file",
			c->window.n > c->at ? "the header line has a quote that never closes"
								: "the document is empty: it has no header line");
	}
	if (c->window.n > (4u << 20)) {
		return ent_fault_set(f, ENT_ERR_INVALID, 0, "check the file, or give delimiter and encoding",
			"no header line within the first 4 MiB");
	}
	ssize_t moved = ent_window_fill(&c->window, 0, '\n', f);
	return moved < 0 ? (int)moved : 0;
}

int ent_csv_open(ent_csv *c, ent_input *in, const ent_csv_options *o, ent_fault *f) {
	*c = (ent_csv){.width = ent__csv_width(), .rebuild = true, .fill = o->fill};
	int status = ent_text_open(&c->text, in, o->encoding, &o->charset, f);
	if (status) {
		return status;
	}
	c->window.text = &c->text;
	if ((status = more(c, f))) {
		return status;
	}
	for (uint32_t skipped = 0; skipped <= o->skip_lines;) { /* the lines before the header, and empty ones */
		const char *p = c->window.data + c->at, *limit = c->window.data + c->window.n, *end = p;
		while (end < limit && *end != '\n' && *end != '\r') {
			end++;
		}
		if (end == limit || (*end == '\r' && end + 1 == limit && !c->window.end)) {
			if (end > p && skipped == o->skip_lines) {
				break; /* the header itself, still without an end */
			}
			if ((status = more(c, f))) {
				return status;
			}
			continue;
		}
		size_t bytes = (size_t)(end - p);
		if (skipped == o->skip_lines && bytes) {
			break;
		}
		c->at += bytes + 1 + (*end == '\r' && end + 1 < limit && end[1] == '\n');
		skipped += skipped < o->skip_lines;
	}
	size_t counts[4];
	bool with_quotes = o->quote == ENT_QUOTE_AUTO || o->quote == '"', quoted = false;
	while (!sniff(c, with_quotes, counts, &c->line_end, &quoted)) {
		if ((status = more(c, f))) {
			return status;
		}
	}
	c->delimiter = o->delimiter;
	if (!c->delimiter) {
		size_t best = 0;
		for (size_t i = 1; i < 4; i++) {
			best = counts[i] > counts[best] ? i : best;
		}
		c->delimiter = ",;\t|"[best];
	}
	/* TAB formats do not quote, as a rule; where the header shows quotes, this one does. */
	c->quote = o->quote == ENT_QUOTE_AUTO ? (c->delimiter == '\t' && !quoted ? 0 : '"') : (char)o->quote;
	size_t end;
	while (!cut_names(c, &end)) {
		if ((status = more(c, f))) {
			return status;
		}
	}
	if (c->text.converted) {
		c->source = c->text.mark + ent_text_source_bytes(&c->text, c->window.base, c->window.data, end);
	}
	if (c->line_end == '\r' && c->window.end && c->window.n > end && c->window.data[c->window.n - 1] == '\n') {
		c->window.data[c->window.n - 1] = '\r'; /* the line end that was added before ours was known */
	}
	c->at = end;
	c->rows_at = c->text.converted ? c->source - c->text.mark : c->window.base + end;
	c->line = 2;
	return 0;
}

void ent_csv_finish(ent_csv *c) {
	if (!c) {
		return;
	}
	for (int i = 0; i < 2; i++) {
		free(c->rows[i].cell);
		free(c->rows[i].scratch);
	}
	free(c->names);
	free(c->names_text);
	free(c->need);
	free(c->field_of);
	free(c->need_of);
	free(c->needed);
	ent__csv_index_finish(&c->index);
	ent_window_finish(&c->window);
	ent_text_finish(&c->text);
	*c = (ent_csv){0};
}

/* ---- columns ---- */

static char lower(char ch) { return ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch; }

static bool same_name(ent_str a, const char *b, size_t n) {
	while (n && (*b == ' ' || *b == '\t')) {
		b++;
		n--;
	}
	while (n && (b[n - 1] == ' ' || b[n - 1] == '\t')) {
		n--;
	}
	if (a.n != n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (lower(a.p[i]) != lower(b[i])) {
			return false;
		}
	}
	return true;
}

/* Edit distance, cut off at 99; for suggestions only. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m) {
	unsigned row[64];
	if (n > 63 || m > 63) {
		return 99;
	}
	for (size_t j = 0; j <= m; j++) {
		row[j] = (unsigned)j;
	}
	for (size_t i = 1; i <= n; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
			diagonal = row[j];
			unsigned least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			row[j] = change < least ? change : least;
		}
	}
	return row[m];
}

static int missing(const ent_csv *c, const ent_column *columns, const bool *found, ent_fault *f) {
	char what[600], near[200] = "";
	size_t n = 0, listed = 0, total = 0;
	n += (size_t)snprintf(what, sizeof what, "required columns are missing:");
	for (const ent_column *k = columns; k->name; k++) {
		if (!k->required || found[k - columns]) {
			continue;
		}
		total++;
		if (listed < 6) {
			n += (size_t)snprintf(what + n, sizeof what - n, "%s '%.40s'", listed ? "," : "", k->name);
			listed++;
		}
		unsigned best = (unsigned)strlen(k->name) / 3 + 2;
		const ent_str *nearest = NULL;
		for (uint32_t i = 0; i < c->fields; i++) {
			unsigned d = distance(k->name, strlen(k->name), c->names[i].p, c->names[i].n);
			if (d < best) {
				best = d;
				nearest = &c->names[i];
			}
		}
		if (nearest && strlen(near) < 120) {
			size_t used = strlen(near);
			snprintf(near + used, sizeof near - used, "%s'%.40s' looks like '%.*s'", used ? ", " : "", k->name,
				nearest->n > 40 ? 40 : (int)nearest->n, nearest->p);
		}
	}
	if (total > listed) {
		n += (size_t)snprintf(what + n, sizeof what - n, " and %zu more", total - listed);
	}
	n += (size_t)snprintf(what + n, sizeof what - n, "; found %u:", c->fields);
	for (uint32_t i = 0; i < c->fields && i < 12 && n + 50 < sizeof what; i++) {
		n += (size_t)snprintf(what + n, sizeof what - n, "%s '%.*s'", i ? "," : "",
			c->names[i].n > 30 ? 30 : (int)c->names[i].n, c->names[i].p);
	}
	if (c->fields > 12) {
		snprintf(what + n, sizeof what - n, ", ...");
	}
	char todo[256];
	if (near[0]) {
		snprintf(todo, sizeof todo, "%s; check that this is the right export", near);
	} else {
		snprintf(todo, sizeof todo, "check that this is the right export, its delimiter ('%s') and its language",
			c->delimiter == '\t' ? "tab" : (char[]){c->delimiter, 0});
	}
	return ent_fault_set(f, ENT_ERR_INVALID, c->text.mark, todo, "%s", what);
}

static int by_field(const void *a, const void *b) {
	const struct ent__csv_need *x = a, *y = b;
	return x->field != y->field ? (x->field < y->field ? -1 : 1) : (x->column > y->column) - (x->column < y->column);
}

/* Field of a name (one of its aliases); UINT32_MAX: none. *again: a second field of that name. */
static uint32_t field_of(const ent_csv *c, const char *name, size_t n, uint32_t *again) {
	uint32_t hit = UINT32_MAX;
	*again = UINT32_MAX;
	for (uint32_t i = 0; i < c->fields; i++) {
		if (same_name(c->names[i], name, n)) {
			if (hit != UINT32_MAX) {
				*again = i;
				return hit;
			}
			hit = i;
		}
	}
	return hit;
}

/* The same as `need`, as the scanner looks it up. */
static void by_number(ent_csv *c) {
	free(c->field_of);
	free(c->need_of);
	free(c->needed);
	c->field_of = ent_xmalloc((c->n_columns + 32) * sizeof *c->field_of);
	memset(c->field_of, 0xff, (c->n_columns + 32) * sizeof *c->field_of);
	c->need_of = ent_xcalloc(c->fields, sizeof *c->need_of);
	c->needed = ent_xcalloc(c->fields / 64 + 1, sizeof *c->needed);
	c->n_inner = 0;
	for (size_t i = c->n_needs; i-- > 0;) {
		uint32_t field = c->need[i].field;
		c->field_of[c->need[i].column] = (uint16_t)field; /* of use only where there are few */
		c->need_of[field] = (uint32_t)i;
		c->needed[field / 64] |= UINT64_C(1) << (field % 64);
		c->n_inner += field + 1 < c->fields;
	}
}

int ent_csv_bind(ent_csv *c, const ent_column *columns, ent_fault *f) {
	size_t n = 0;
	while (columns && columns[n].name) {
		n++;
	}
	c->columns = columns;
	c->n_columns = n;
	c->n_needs = 0;
	free(c->need);
	c->need = ent_xcalloc(n + 1, sizeof *c->need);
	for (int i = 0; i < 2; i++) {
		free(c->rows[i].cell);
		c->rows[i].cell = ent_xcalloc(n + 32, sizeof(ent_str));
	}
	bool *found = ent_xcalloc(n + 1, sizeof *found), lacking = false;
	for (size_t k = 0; k < n; k++) {
		const char *name = columns[k].name, *rest = columns[k].aliases;
		while (name) {
			size_t length = strcspn(name, name == columns[k].name ? "" : "|");
			uint32_t again, field = length ? field_of(c, name, length, &again) : UINT32_MAX;
			if (field != UINT32_MAX) {
				if (again != UINT32_MAX) {
					free(found);
					ent_fault_set(f, ENT_ERR_INVALID, c->text.mark, "rename or remove one of the two columns",
						"the header names the column '%.*s' twice, as field %u and as field %u", (int)length, name,
						field + 1, again + 1);
					snprintf(f->column, sizeof f->column, "%s", columns[k].name);
					return f->e.code;
				}
				c->need[c->n_needs++] = (struct ent__csv_need){field, (uint32_t)k};
				found[k] = true;
				break;
			}
			name = rest && *rest ? rest : NULL;
			if (name) {
				rest += strcspn(rest, "|");
				rest += *rest == '|';
			}
		}
		lacking |= columns[k].required && !found[k];
	}
	int status = lacking ? missing(c, columns, found, f) : 0;
	free(found);
	qsort(c->need, c->n_needs, sizeof *c->need, by_field);
	by_number(c);
	return status;
}
