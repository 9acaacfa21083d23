/* SPDX-License-Identifier: Apache-2.0
 *
 * decode/lines.h: whole lines of text, many at a time, for JSON lines. Lines that are empty or blank are left out: they
 * are no records. One thread; owned by whoever holds the struct. */
#ifndef ENT_DECODE_LINES_H
#define ENT_DECODE_LINES_H

#include "decode/input.h"
#include "entente/plugin.h"

typedef struct ent_lines {
	ent_window window;
	ent_text text;
	size_t at;       /* of the next line, in the window */
	uint64_t source; /* document offset of `at`, where the text was converted */
	bool enveloped;  /* lines of a log of the inbox: they stand behind envelopes (base/envelope.h), and not all are
						records */
} ent_lines;

/* A run of lines that follow one another without a blank one, each ended by '\n'; ENT_FEED_PADDING bytes behind it are
 * readable. Of lines behind envelopes one at a time, without its envelope; of text that was converted one at a time as
 * well, for each begins elsewhere in the document. Valid until the next call. */
typedef struct ent_lines_piece {
	ent_str bytes;
	uint64_t place;  /* offset in the text with its mark */
	uint64_t source; /* offset in the document: another one where the text was converted */
	uint64_t lines;
	bool damaged; /* its envelope says that this is not what was written */
	bool nul;     /* one line, with a NUL byte in it: no JSON has one */
} ent_lines_piece;

/* `in` is borrowed until finish. Call finish after failure too. */
int ent_lines_open(ent_lines *, ent_input *in, ent_encoding declared, const ent_charset *, ent_fault *);
void ent_lines_finish(ent_lines *);
bool ent_lines_can_seek(const ent_lines *);
/* To the first line that starts at or after `offset` of the document. */
int ent_lines_seek(ent_lines *, uint64_t offset, ent_fault *);
/* 1 and the next lines that start before `end`, or 0 if there are none, or a negative ent_code. */
int ent_lines_next(ent_lines *, uint64_t end, ent_lines_piece *, ent_fault *);
/* Offset of the next line, in the text and in the document. At the end of the document: where it ends. */
uint64_t ent_lines_place(const ent_lines *);
uint64_t ent_lines_source(const ent_lines *);

#endif
