/* SPDX-License-Identifier: Apache-2.0
 *
 * decode/csv.h: rows of delimited text. Finds delimiter, quotes and line ends on the header line, maps declared columns
 * to the header, and hands out one row at a time with only those columns cut out and unquoted.
 *
 * Grammar: cells are separated by the delimiter, rows by LF, CRLF or (if the header ends so) CR. A quote opens a quoted
 * cell only as its first character; within it "" is a quote and line ends are data; what follows the closing quote up
 * to the delimiter belongs to the cell. A quote anywhere else is a character like any other. Empty lines are no rows.
 *
 * Two scanners give the same rows: one with AVX2 or AVX-512 (64 bytes at a time: masks of quotes, delimiters, line
 * ends; quoted parts by a prefix xor; the separators' places go into an index, so that columns that nobody asked for
 * cost nothing more) and a plain one, which also takes the rows that the fast one cannot judge: those with a quote in
 * an unexpected place. One thread; owned by whoever holds the struct. */
#ifndef ENT_DECODE_CSV_H
#define ENT_DECODE_CSV_H

#include "decode/input.h"
#include "entente/plugin.h"

enum { ENT_QUOTE_AUTO = -1, ENT_QUOTE_NONE = 0 };

typedef struct ent_csv_options {
	ent_encoding encoding;
	ent_charset charset; /* with ENT_ENCODING_ICONV */
	char delimiter;      /* 0: look at the header line */
	int quote;           /* a character, ENT_QUOTE_AUTO or ENT_QUOTE_NONE */
	uint32_t skip_lines; /* lines before the header */
	bool fill;           /* rows that end before the last column: the cells that are missing are absent ({NULL, 0}) */
} ent_csv_options;

/* Sets one framing option by its name. 0, or ENT_ERR_INVALID (value) or ENT_ERR_NOTFOUND (name). */
int ent_csv_option(ent_csv_options *, ent_str key, ent_str value, ent_error *);

/* Of the fast scanner: the separators outside of quotes, of the row in hand and later ones. */
typedef struct ent__csv_index {
	uint16_t *marks;  /* place in the window - `base` + 1; the first lies before the first row */
	uint64_t *ends;   /* bit by mark, 0 from mark n on: it is a line end */
	uint64_t *quoted; /* a quoted cell begins behind it */
	size_t n, capacity;
	size_t at;          /* the first mark of the row in hand; the one before it is where it begins */
	size_t base;        /* in the window */
	size_t scanned;     /* up to this place in the window */
	bool odd;           /* and no further: a quote opens there where none may */
	uint64_t in_quotes; /* all ones: the next block starts within quotes */
	uint64_t before;    /* 1: a cell may start at the first byte of the next block */
} ent__csv_index;

typedef struct ent_csv {
	ent_window window;
	ent_text text;
	char delimiter, quote, line_end; /* quote 0: none */
	unsigned width;                  /* of the scanner, at most ent__csv_width(); 0: the plain one */
	uint32_t fields;                 /* of the header */
	ent_str *names;                  /* fields of them, owned: one block */
	char *names_text;
	uint64_t rows_at; /* offset in the document, less the mark, of the first row after the header */

	const ent_column *columns;
	size_t n_columns;
	struct ent__csv_need { /* sorted by field; one for each column that the file has */
		uint32_t field, column;
	} * need;
	size_t n_needs, n_inner; /* n_inner: those before the last field of a row */
	uint16_t *field_of;      /* by column, UINT16_MAX: none; padded to a multiple of 32, as are the cells of a row */
	uint32_t *need_of;       /* by field: the first need that is of it */
	uint64_t *needed;        /* bit by field */

	size_t at;             /* of the next row, in the window */
	uint64_t line;         /* of the next row; 0: not known */
	uint64_t source;       /* document offset of `at`, where the text was converted */
	struct ent__csv_row {  /* the row in hand and the one before it */
		size_t start, end; /* in the window; end: behind its line end */
		uint64_t place, line;
		ent_str *cell;
		char *scratch; /* cells that had to be unescaped */
		size_t scratch_n, scratch_capacity;
		bool valid;
	} rows[2];
	unsigned current;
	bool fill;          /* as the option */
	bool keep_previous; /* the row before the one in hand stays readable */
	bool rebuild;       /* the index belongs to another place */
	ent__csv_index index;
	uint32_t row_fields; /* of the row in hand */
	char reason[64];     /* what is wrong with it */
} ent_csv;

typedef enum ent_csv_result {
	ENT_CSV_END = 0,
	ENT_CSV_ROW = 1,
	ENT_CSV_BAD = 2 /* a row that is not well-formed: *why says it; its cells must not be used */
} ent_csv_result;

/* Reads the header. `in` is borrowed until finish. Call finish after failure too. */
int ent_csv_open(ent_csv *, ent_input *in, const ent_csv_options *, ent_fault *);
void ent_csv_finish(ent_csv *);
/* Maps the table (ends with name NULL, borrowed). Columns that are required and missing, or named twice, are a fault.
 */
int ent_csv_bind(ent_csv *, const ent_column *columns, ent_fault *);
/* ent_csv_result or a negative ent_code. *row is valid until the next call; *why until the next call. */
int ent_csv_next(ent_csv *, ent_row *row, const char **why, ent_fault *);
/* The row before the one that next() gave last; false if there is none. Only with keep_previous. */
bool ent_csv_previous(const ent_csv *, ent_row *row);
/* Bytes of the row that next() gave last, without its line end. */
ent_str ent_csv_bytes(const ent_csv *);
/* Offset in the document behind the row that next() gave last. */
uint64_t ent_csv_place(const ent_csv *);

/* Can one go to the middle of it? (plain input, text as it stands) */
bool ent_csv_can_seek(const ent_csv *);
/* Goes on at `offset`. exact: a row starts there. Otherwise at a row that starts at or before it: from some way back
 * the state of the quotes is guessed, and the guess checked against the number of fields; `next` then gives first the
 * rows before `offset` (their place tells). A wrong guess gives wrong rows. */
int ent_csv_seek(ent_csv *, uint64_t offset, bool exact, ent_fault *);

/* ---- between the files of the scanner ---- */

enum { ENT__CSV_MORE = 0, ENT__CSV_OK = 1, ENT__CSV_ODD = 2, ENT__CSV_LAST = 3 };

/* Cut the row that starts at p: cells as they stand in the row in hand, row_fields, *next. MORE: no line end before
 * window end. The plain one also sets *open (offset in the window of a quote that has not closed, or SIZE_MAX). */
int ent__csv_row_plain(ent_csv *, const char *p, const char **next, size_t *open);
int ent__csv_row_fast(ent_csv *, const char *p, const char **next);
/* The widest fast scanner of this processor: 0 none, 1 AVX2, 2 AVX-512. */
unsigned ent__csv_width(void);
void ent__csv_index_finish(ent__csv_index *);
void ent__csv_unquote(ent_csv *, ent_str *cell);

#endif
