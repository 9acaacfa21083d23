/* SPDX-License-Identifier: Apache-2.0
 *
 * command/term.h: what a person sees: styles, columns, tables, numbers and progress.
 *
 * Colours, cutting to the width and progress happen on a terminal only; into a pipe or a file goes plain, aligned text.
 * Control characters in what is shown (names come from data) are replaced, so that data cannot drive the terminal.
 * Everything is written into an ent_buf, except progress, which goes to standard error at once. One thread.
 */
#ifndef ENT_COMMAND_TERM_H
#define ENT_COMMAND_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

typedef struct ent_term {
	bool tty;
	bool colour;    /* tty, NO_COLOR is not set and TERM is not "dumb" */
	unsigned width; /* columns; 0 where there is no terminal: nothing is cut */
} ent_term;

/* Looks at the file descriptor. The environment variable COLUMNS overrides the width of a terminal. */
void ent_term_init(ent_term *term, int fd);

typedef enum ent_style {
	ENT_PLAIN,
	ENT_BOLD,  /* headings, what to look at first */
	ENT_FAINT, /* what can be passed over */
	ENT_GOOD,  /* green */
	ENT_WARN,  /* yellow */
	ENT_BAD,   /* red */
	ENT_ACCENT /* cyan: names that can be typed into the next command */
} ent_style;

/* Appends the text in a style; control characters but '\n' are replaced. */
void ent_term_text(const ent_term *term, ent_buf *out, ent_style style, const char *text);
void ent_term_printf(const ent_term *term, ent_buf *out, ent_style style, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Appends text broken at blanks to fit the width (100 columns without a terminal), each line after the first `indent`
 * in. */
void ent_term_wrap(const ent_term *term, ent_buf *out, unsigned indent, const char *text);

/* Columns that n bytes of UTF-8 take: 2 for wide characters, 0 for combining ones. */
size_t ent_text_width(const char *p, size_t n);

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

#define ENT_NUMBER_TEXT 72

/* value / 10^scale with `digits` behind the point, rounded half-even, thousands set apart by commas: "3,135,351.20".
 * Into out (at least ENT_NUMBER_TEXT). Returns out. */
char *ent_number_text(__int128 value, unsigned scale, unsigned digits, char *out);
/* Bytes as "512 B", "1.2 MB" (powers of 1000). */
char *ent_bytes_text(uint64_t bytes, char *out);
/* Seconds as "4 s", "3 min 20 s", "2 h 5 min". */
char *ent_span_text(double seconds, char *out);

/* ---- tables ------------------------------------------------------------------------------------------------------ */

typedef struct ent_table_column {
	const char *title; /* NULL ends the columns */
	bool right;        /* numbers */
	bool fixed;        /* never cut, whatever the width */
} ent_table_column;

typedef struct ent_table {
	const ent_table_column *columns;
	size_t n_columns;
	struct ent__table_cell {
		const char *text;
		size_t width;
		ent_style style;
	} * cells;
	size_t n, capacity;
	const unsigned char *drop; /* set after init: columns that are left out, in this order, where all do not fit */
	size_t n_drop;
	ent_arena arena;
} ent_table;

void ent_table_init(ent_table *table, const ent_table_column *columns);
void ent_table_finish(ent_table *table); /* zeroed is fine */
/* The next cell, left to right, row by row. NULL: an empty one. The text is copied. */
void ent_table_cell(ent_table *table, const char *text);
void ent_table_styled(ent_table *table, ent_style style, const char *text);
void ent_table_printf(ent_table *table, ent_style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t ent_table_rows(const ent_table *table);
/* Appends the table. On a terminal columns of `drop` are left out until the others have room to be read, then the widest
 * text columns are cut, with an ellipsis, until it fits; numbers never are. */
void ent_table_print(const ent_table *table, const ent_term *term, ent_buf *out);

/* ---- progress ---------------------------------------------------------------------------------------------------- */

/* One line on standard error that is written over, ten times a second at most. Nothing at all without a terminal. */
typedef struct ent_progress {
	ent_term term;
	bool shown;
	bool quiet;
	int64_t started_us, told_us; /* monotonic */
} ent_progress;

/* `quiet`: never shows anything. */
void ent_progress_init(ent_progress *progress, bool quiet);
/* `what` is being done ("reading exports/nordwind/orders.csv"); `done` of `total` bytes (0: not known), `rows` so far.
 */
void ent_progress_show(ent_progress *progress, const char *what, uint64_t done, uint64_t total, uint64_t rows);
/* Takes the line away. Also to be called before anything else is written to a terminal. */
void ent_progress_clear(ent_progress *progress);

#endif
