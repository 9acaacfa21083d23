/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of delimited text, see csv.h: the plain scanner, the walk over the window, the way into the middle of a file. */
#include "decode/csv.h"
#include "base/arena.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_BACK (64u << 10) /* how far before a chunk its rows are looked for */
#define LOOK_AHEAD (64u << 10)
#define LOOK_ROWS 16
#define BAD_ROW 4

int ent_csv_option(ent_csv_options *o, ent_str key, ent_str value, ent_error *e) {
#define IS(s, text) ((s).n == sizeof text - 1 && !memcmp((s).p, text, sizeof text - 1))
	if (IS(key, "encoding")) {
		if (!ent_encoding_parse(value.p, value.n, &o->encoding, &o->charset)) {
			ent_error_set(e, ENT_ERR_INVALID, "unknown encoding '%.*s'", (int)value.n, value.p);
			return ent_error_todo(e, "%s", ent_encoding_help);
		}
		return 0;
	}
	if (IS(key, "delimiter")) {
		if (IS(value, "auto")) {
			o->delimiter = 0;
		} else if (IS(value, "tab") || IS(value, "\\t")) {
			o->delimiter = '\t';
		} else if (value.n == 1 && *value.p != '\n' && *value.p != '\r' && *value.p != '"' && *value.p > 0) {
			o->delimiter = *value.p;
		} else {
			ent_error_set(e, ENT_ERR_INVALID, "a delimiter is one ASCII character, 'tab' or 'auto'");
			return ent_error_todo(e, "for example delimiter: ';'");
		}
		return 0;
	}
	if (IS(key, "quote")) {
		if (IS(value, "auto")) {
			o->quote = ENT_QUOTE_AUTO;
		} else if (IS(value, "none")) {
			o->quote = ENT_QUOTE_NONE;
		} else if (value.n == 1 && *value.p != '\n' && *value.p != '\r' && *value.p > 0) {
			o->quote = *value.p;
		} else {
			ent_error_set(e, ENT_ERR_INVALID, "a quote is one ASCII character, 'none' or 'auto'");
			return ent_error_todo(e, "for example quote: none");
		}
		return 0;
	}
	if (IS(key, "skip_lines")) {
		uint32_t n = 0;
		for (size_t i = 0; i < value.n; i++) {
			if (value.p[i] < '0' || value.p[i] > '9' || n > 100000) {
				n = UINT32_MAX;
				break;
			}
			n = n * 10 + (uint32_t)(value.p[i] - '0');
		}
		if (!value.n || n > 100000) {
			ent_error_set(e, ENT_ERR_INVALID, "skip_lines is a number from 0 to 100000");
			return ent_error_todo(e, "give the number of lines before the header");
		}
		o->skip_lines = n;
		return 0;
	}
	if (IS(key, "short_rows")) {
		if (!IS(value, "fill") && !IS(value, "reject")) {
			ent_error_set(e, ENT_ERR_INVALID, "short_rows is fill or reject");
			return ent_error_todo(e, "fill takes the cells that are missing as absent");
		}
		o->fill = IS(value, "fill");
		return 0;
	}
	ent_error_set(e, ENT_ERR_NOTFOUND, "there is no framing option '%.*s'", (int)key.n, key.p);
	return ent_error_todo(e, "use encoding, delimiter, quote, skip_lines or short_rows");
#undef IS
}

/* ---- cells ---- */

void ent__csv_unquote(ent_csv *c, ent_str *s) {
	const char q = c->quote;
	const char *p = s->p + 1, *end = s->p + s->n;
	if (s->n >= 2 && end[-1] == q && !memchr(p, q, s->n - 2)) {
		*s = (ent_str){p, s->n - 2};
		return;
	}
	struct ent__csv_row *row = &c->rows[c->current];
	char *o = row->scratch + row->scratch_n, *start = o;
	while (p < end) { /* within the quotes */
		if (*p == q) {
			if (p + 1 < end && p[1] == q) {
				p++;
			} else {
				p++;
				break;
			}
		}
		*o++ = *p++;
	}
	while (p < end) { /* behind them: as it stands */
		*o++ = *p++;
	}
	row->scratch_n += (size_t)(o - start);
	*s = (ent_str){start, (size_t)(o - start)};
}

/* Walks over one row. Calls for each cell if `c` is not NULL. Returns the end behind the line end, or NULL. */
static const char *walk(
	ent_csv *c, const char *p, const char *limit, char d, char q, char e, uint32_t *fields, const char **open) {
	const struct ent__csv_need *need = c ? c->need : NULL, *needs_end = c ? need + c->n_needs : NULL;
	uint32_t field = 0;
	for (;; field++) {
		const char *start = p;
		if (q && p < limit && *p == q) {
			for (p++;; p += 2) {
				p = memchr(p, q, (size_t)(limit - p));
				if (!p || p + 1 == limit) {
					/* a quote as the very last byte: whether it closes is only known with the next byte. (At the end of
					 * a document a line end has been added, so there is one.) */
					*open = start;
					return NULL;
				}
				if (p[1] != q) {
					p++;
					break;
				}
			}
		}
		while (p < limit && *p != d && *p != e) {
			p++;
		}
		if (p == limit) {
			return NULL;
		}
		bool last = *p == e;
		if (need < needs_end && need->field == field) {
			const char *end = last && e == '\n' && p > start && p[-1] == '\r' ? p - 1 : p;
			ent_str s = {start, (size_t)(end - start)};
			if (q && s.n && *s.p == q) {
				ent__csv_unquote(c, &s);
			}
			do {
				c->rows[c->current].cell[need->column] = s;
			} while (++need < needs_end && need->field == field);
		}
		p++;
		if (last) {
			*fields = field + 1;
			return p;
		}
	}
}

int ent__csv_row_plain(ent_csv *c, const char *p, const char **next, size_t *open) {
	const char *quote = NULL;
	c->rows[c->current].scratch_n = 0;
	const char *end =
		walk(c, p, c->window.data + c->window.n, c->delimiter, c->quote, c->line_end, &c->row_fields, &quote);
	*open = quote ? (size_t)(quote - c->window.data) : SIZE_MAX;
	if (!end) {
		return ENT__CSV_MORE;
	}
	*next = end;
	return ENT__CSV_OK;
}

/* ---- rows ---- */

static uint64_t place_of(const ent_csv *c, size_t at) {
	return c->text.converted ? c->source : c->text.mark + c->window.base + at;
}

/* Scratch of the row in hand as large as any row can be, for cells point into it. */
static inline void room_for_cells(ent_csv *c) {
	struct ent__csv_row *row = &c->rows[c->current];
	if (__builtin_expect(row->scratch_capacity < c->window.capacity, 0)) {
		free(row->scratch);
		row->scratch = ent_xmalloc(c->window.capacity);
		row->scratch_capacity = c->window.capacity;
	}
}

/* More text; what is kept stays readable at its new place. */
static int fill(ent_csv *c, ent_fault *f) {
	struct ent__csv_row *previous = &c->rows[c->current ^ 1];
	bool keep = c->keep_previous && previous->valid;
	uintptr_t old = (uintptr_t)c->window.data, old_end = old + c->window.n;
	ssize_t moved =
		ent_window_fill(&c->window, keep && previous->start < c->at ? previous->start : c->at, c->line_end, f);
	if (moved < 0) {
		return (int)moved;
	}
	c->at -= (size_t)moved;
	c->rebuild = true;
	room_for_cells(c);
	if (keep) {
		previous->start -= (size_t)moved;
		previous->end -= (size_t)moved;
		for (size_t i = 0; i < c->n_columns; i++) {
			uintptr_t p = (uintptr_t)previous->cell[i].p;
			if (p >= old && p < old_end) {
				previous->cell[i].p = c->window.data + (p - old) - (size_t)moved;
			}
		}
	} else {
		previous->valid = false;
	}
	return 0;
}

static int never_closed(const ent_csv *c, ent_fault *f, size_t open) {
	ent_fault_set(f, ENT_ERR_INVALID, c->text.converted ? c->source : c->text.mark + c->window.base + open,
		"close it, double it if it is meant as a character, or set quote: none", "a quote opens here and never closes");
	f->line = c->line;
	return f->e.code;
}

/* More text, for the row that has no end yet. */
static int fill_for_row(ent_csv *c, ent_fault *f) {
	int status = fill(c, f);
	if (status == ENT_ERR_RANGE) {
		size_t open;
		const char *next;
		if (ent__csv_row_plain(c, c->window.data + c->at, &next, &open) == ENT__CSV_MORE && open != SIZE_MAX) {
			return never_closed(c, f, open);
		}
	}
	return status;
}

/* Cuts the row at c->at. ENT__CSV_OK, ENT__CSV_MORE (with *status, of filling the window), or ENT__CSV_LAST: there is
 * none. */
static int cut(ent_csv *c, const char **next, int *status, ent_fault *f) {
	if (c->at >= c->window.n) {
		if (c->window.end) {
			return ENT__CSV_LAST;
		}
		*status = fill(c, f);
		return ENT__CSV_MORE;
	}
	const char *p = c->window.data + c->at;
	int r = c->width ? ent__csv_row_fast(c, p, next) : ENT__CSV_ODD;
	if (__builtin_expect(r == ENT__CSV_OK, 1)) {
		return r;
	}
	if (r == ENT__CSV_ODD || c->window.end) {
		size_t open;
		r = ent__csv_row_plain(c, p, next, &open);
		c->rebuild = true;
		if (r == ENT__CSV_MORE && c->window.end) {
			*status = never_closed(c, f, open == SIZE_MAX ? c->at : open);
			return r;
		}
	}
	if (r == ENT__CSV_MORE) {
		*status = fill_for_row(c, f);
	}
	return r;
}

/* Cuts a row again that ends before the last column: the scanners leave cells of another row in its place. */
static void fill_short(ent_csv *c, const char *p) {
	struct ent__csv_row *row = &c->rows[c->current];
	const char *quote = NULL;
	memset(row->cell, 0, c->n_columns * sizeof *row->cell);
	row->scratch_n = 0;
	walk(c, p, c->window.data + c->window.n, c->delimiter, c->quote, c->line_end, &c->row_fields, &quote);
}

int ent_csv_next(ent_csv *c, ent_row *out, const char **why, ent_fault *f) {
	c->current ^= c->keep_previous; /* the row given last may have to stay readable */
	room_for_cells(c);
	struct ent__csv_row *row = &c->rows[c->current];
	for (;;) {
		const char *next = NULL;
		int status = 0;
		row->scratch_n = 0;
		row->valid = false;
		int r = cut(c, &next, &status, f);
		if (__builtin_expect(r != ENT__CSV_OK, 0)) {
			if (r == ENT__CSV_LAST) {
				return ENT_CSV_END;
			}
			if (status) {
				return status;
			}
			continue;
		}
		size_t start = c->at;
		const char *p = c->window.data + start;
		uint64_t place = place_of(c, start);
		c->at = (size_t)(next - c->window.data);
		if (c->text.converted) {
			c->source += ent_text_source_bytes(&c->text, c->window.base + start, p, c->at - start);
		}
		size_t bytes = c->at - start - 1;
		if (bytes <= 1 && (bytes == 0 || *p == '\r')) {
			continue; /* an empty line is no row */
		}
		row->start = start;
		row->end = c->at;
		row->place = place;
		row->line = c->line;
		c->line += c->line != 0;
		*out = (ent_row){.place = place, .line = row->line, .cell = row->cell, .n = c->n_columns};
		if (c->row_fields < c->fields && c->fill) {
			fill_short(c, p);
		} else if (c->row_fields != c->fields) {
			snprintf(c->reason, sizeof c->reason, "%u fields where the header has %u", c->row_fields, c->fields);
			*why = c->reason;
			return ENT_CSV_BAD;
		}
		if (c->text.nul && memchr(p, 0, bytes)) {
			*why = "a NUL byte in the row";
			return ENT_CSV_BAD;
		}
		row->valid = true;
		return ENT_CSV_ROW;
	}
}

bool ent_csv_previous(const ent_csv *c, ent_row *row) {
	const struct ent__csv_row *r = &c->rows[c->current ^ 1];
	if (!r->valid) {
		return false;
	}
	*row = (ent_row){.place = r->place, .line = r->line, .cell = r->cell, .n = c->n_columns};
	return true;
}

ent_str ent_csv_bytes(const ent_csv *c) {
	const struct ent__csv_row *r = &c->rows[c->current];
	size_t end = r->end - 1;
	if (end > r->start && c->line_end == '\n' && c->window.data[end - 1] == '\r') {
		end--;
	}
	return (ent_str){c->window.data + r->start, end - r->start};
}

uint64_t ent_csv_place(const ent_csv *c) { return place_of(c, c->at); }

/* ---- into the middle ---- */

bool ent_csv_can_seek(const ent_csv *c) {
	return (!c->text.converted || c->text.bytewise) && c->text.input->packing == ENT_PACKING_NONE &&
		   c->text.input->seekable;
}

/* To a place of the document, less the mark; where that is bytewise, text is counted from there. */
static void go(ent_csv *c, uint64_t offset, uint64_t line) {
	ent_window_seek(&c->window, offset);
	c->source = c->text.mark + offset;
	c->at = 0;
	c->rebuild = true;
	c->rows[0].valid = c->rows[1].valid = false;
	c->line = line;
}

/* Reads the piece as if it began outside (or within) quotes. Returns how well that fits: a point for each row with the
 * right number of fields, less BAD_ROW for each other one (a file may have some); INT_MIN: no row was found. *row:
 * start of the last row before `wanted`, or of the first row behind it. */
static int try_state(const ent_csv *c, const char *piece, size_t n, size_t wanted, bool quoted, size_t *row) {
	const char *p = piece, *limit = piece + n, *open;
	char d = c->delimiter, q = c->quote, e = c->line_end;
	uint32_t fields;
	while (
		q && p < limit && *p == q) { /* opening, closing, half of a pair? Behind them it is one of two states again */
		p++;
	}
	if (quoted) { /* to the closing quote */
		for (;; p += 2) {
			p = memchr(p, q, (size_t)(limit - p));
			if (!p || p + 2 > limit) {
				return INT_MIN;
			}
			if (p[1] != q) {
				p++;
				break;
			}
		}
	}
	while (p < limit && *p != d && *p != e) {
		p++;
	}
	if (p == limit) {
		return INT_MIN;
	}
	if (*p == e) {
		p++;
	} else if (!(p = walk(NULL, p + 1, limit, d, q, e, &fields, &open))) { /* the rest of the row we fell into */
		return INT_MIN;
	}
	int points = 0, rows = 0;
	*row = (size_t)(p - piece);
	while (p < limit) {
		const char *next = walk(NULL, p, limit, d, q, e, &fields, &open);
		if (!next) {
			break;
		}
		bool empty = next - p == 1 || (next - p == 2 && *p == '\r');
		if (!empty) {
			if ((size_t)(p - piece) < wanted) {
				*row = (size_t)(p - piece);
			}
			points += fields == c->fields || (c->fill && fields < c->fields) ? 1 : -BAD_ROW;
			rows++;
			if ((size_t)(p - piece) >= wanted && rows >= LOOK_ROWS) {
				break;
			}
		}
		p = next;
	}
	return rows ? points : INT_MIN;
}

int ent_csv_seek(ent_csv *c, uint64_t offset, bool exact, ent_fault *f) {
	uint64_t at = offset < c->text.mark ? 0 : offset - c->text.mark;
	if (at <= c->rows_at) {
		go(c, c->rows_at, 2);
		return 0;
	}
	if (exact) {
		go(c, at, 0);
		return 0;
	}
	uint64_t from = at - c->rows_at > LOOK_BACK ? at - LOOK_BACK : c->rows_at;
	size_t wanted = (size_t)(at - from), n = 0;
	char *piece = ent_xmalloc(wanted + LOOK_AHEAD + 1);
	ent_text_seek(&c->text, from);
	int status = 0;
	while (n < wanted + LOOK_AHEAD) {
		ssize_t got = ent_input_read(c->text.input, piece + n, wanted + LOOK_AHEAD - n, f);
		if (got <= 0) {
			status = (int)got;
			break;
		}
		n += (size_t)got;
	}
	if (!status) {
		size_t row = 0, other = 0;
		if (from > c->rows_at) {
			int outside = try_state(c, piece, n, wanted, false, &row);
			int inside = c->quote ? try_state(c, piece, n, wanted, true, &other) : INT_MIN;
			if (inside > outside) {
				row = other;
			} else if (outside == INT_MIN) { /* a row longer than the piece, or the end of the file */
				const char *end = memchr(piece, c->line_end, n);
				row = end ? (size_t)(end - piece) + 1 : wanted;
			}
		} else { /* from the first row on nothing needs to be guessed */
			const char *p = piece, *open;
			uint32_t fields;
			while (p && p < piece + wanted) {
				row = (size_t)(p - piece);
				const char *next = walk(NULL, p, piece + n, c->delimiter, c->quote, c->line_end, &fields, &open);
				while (next && next < piece + wanted && (*next == '\n' || *next == '\r')) {
					next++; /* empty lines are no rows */
				}
				p = next;
			}
		}
		go(c, from + row, from + row == c->rows_at ? 2 : 0);
	}
	free(piece);
	return status;
}
