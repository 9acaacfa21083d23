/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables that fit the terminal, see term.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/internal.h"

enum { GAP = 2, NARROWEST_CUT = 6, READABLE_CUT = 24 };
#define HIDDEN SIZE_MAX /* as the width of a column */

void ent_table_init(ent_table *table, const ent_table_column *columns) {
	memset(table, 0, sizeof *table);
	table->columns = columns;
	while (columns[table->n_columns].title) {
		table->n_columns++;
	}
}

void ent_table_finish(ent_table *table) {
	if (table) {
		free(table->cells);
		ent_arena_finish(&table->arena);
		memset(table, 0, sizeof *table);
	}
}

size_t ent_table_rows(const ent_table *table) { return table->n_columns ? table->n / table->n_columns : 0; }

void ent_table_styled(ent_table *table, ent_style style, const char *text) {
	text = text ? text : "";
	ENT_GROW(table->cells, table->n, table->capacity);
	table->cells[table->n++] = (struct ent__table_cell){.text = ent_arena_copy(&table->arena, text, strlen(text)),
		.width = ent_text_width(text, strlen(text)),
		.style = style};
}

void ent_table_cell(ent_table *table, const char *text) { ent_table_styled(table, ENT_PLAIN, text); }

void ent_table_printf(ent_table *table, ent_style style, const char *format, ...) {
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	ent_table_styled(table, style, n >= 0 ? text : NULL);
	if (n >= 0) {
		free(text);
	}
}

static bool can_be_cut(const ent_table_column *column) { return !column->right && !column->fixed; }

/* Width of the table; with `cut`, as it would be with its text columns cut as far as they can still be read. */
static size_t total_of(const ent_table *table, const size_t *widths, bool cut) {
	size_t total = 0;
	for (size_t c = 0; c < table->n_columns; c++) {
		if (widths[c] != HIDDEN) {
			bool short_ = cut && can_be_cut(&table->columns[c]) && widths[c] > READABLE_CUT;
			total += (short_ ? (size_t)READABLE_CUT : widths[c]) + (total ? GAP : 0);
		}
	}
	return total;
}

/* Leaves out what may be left out, then takes columns from the widest text column, one at a time, until the table fits
 * or none can give any more. */
static void fit(const ent_table *table, const ent_term *term, size_t *widths) {
	for (size_t i = 0; i < table->n_drop && term->width && total_of(table, widths, true) > term->width; i++) {
		widths[table->drop[i]] = HIDDEN;
	}
	size_t total = total_of(table, widths, false);
	while (term->width && total > term->width) {
		size_t widest = SIZE_MAX;
		for (size_t c = 0; c < table->n_columns; c++) {
			bool can = widths[c] != HIDDEN && can_be_cut(&table->columns[c]) && widths[c] > NARROWEST_CUT;
			if (can && (widest == SIZE_MAX || widths[c] > widths[widest])) {
				widest = c;
			}
		}
		if (widest == SIZE_MAX) {
			return;
		}
		widths[widest]--;
		total--;
	}
}

static void pad(ent_buf *out, size_t n) {
	while (n--) {
		ent_buf_u8(out, ' ');
	}
}

static void cell(const ent_term *term, ent_buf *out, const ent_table_column *column, struct ent__table_cell cell_,
	size_t width, bool last) {
	size_t shown = cell_.width > width ? width : cell_.width;
	if (column->right) {
		pad(out, width - shown);
	}
	ent__style_begin(term, out, cell_.style);
	if (cell_.width > width) {
		/* a wide character may not fit into the last column but one: count what was really written */
		size_t before = out->n;
		ent__text_clean(out, cell_.text, strlen(cell_.text), width - 1, false);
		shown = ent_text_width((const char *)out->data + before, out->n - before) + 1;
		ent_buf_add(out, "\xe2\x80\xa6", 3);
	} else {
		ent__text_clean(out, cell_.text, strlen(cell_.text), SIZE_MAX, false);
	}
	ent__style_end(term, out, cell_.style);
	if (!last) {
		pad(out, (column->right ? 0 : width - shown) + GAP);
	}
}

void ent_table_print(const ent_table *table, const ent_term *term, ent_buf *out) {
	size_t rows = ent_table_rows(table);
	size_t *widths = ent_xcalloc(table->n_columns, sizeof *widths);
	for (size_t c = 0; c < table->n_columns; c++) {
		widths[c] = ent_text_width(table->columns[c].title, strlen(table->columns[c].title));
		for (size_t r = 0; r < rows; r++) {
			size_t width = table->cells[r * table->n_columns + c].width;
			widths[c] = width > widths[c] ? width : widths[c];
		}
	}
	fit(table, term, widths);
	size_t last = table->n_columns;
	while (last-- > 0 && widths[last] == HIDDEN) {
	}
	for (size_t r = 0; r <= rows; r++) {
		for (size_t c = 0; c < table->n_columns; c++) {
			if (widths[c] == HIDDEN) {
				continue;
			}
			const char *title = table->columns[c].title;
			struct ent__table_cell head = {
				.text = title, .width = ent_text_width(title, strlen(title)), .style = ENT_BOLD};
			cell(term, out, &table->columns[c], r ? table->cells[(r - 1) * table->n_columns + c] : head, widths[c],
				c == last);
		}
		ent_buf_u8(out, '\n');
	}
	free(widths);
}
