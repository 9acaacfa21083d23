/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of framing, see framing.h. Their values are read by ent_csv_option() in the worker. */
#include "config/framing.h"

#include "config/options_wire.h"

#include <string.h>

static const char *const short_rows_words[] = {"reject", "fill", NULL};

static const ent_option framing_options[] =
	{/* `encoding` is the first: it is the only one of lines and whole documents */
		{"encoding", ENT_OPT_STR, 0, NULL, NULL,
			"Encoding of the text: latin1, shift_jis, gb18030, or another that iconv knows; without it, by byte order "
			"mark, else UTF-8.",
			NULL},
		{"delimiter", ENT_OPT_STR, 0, NULL, NULL, "Separator of cells; without it, found on the header line.", NULL},
		{"quote", ENT_OPT_STR, 0, NULL, NULL, "\"auto\", \"none\" or the quoting character; without it, auto.", NULL},
		{"skip_lines", ENT_OPT_INT, 0, NULL, NULL, "Lines above the header that are none of the table.", NULL},
		{"short_rows", ENT_OPT_ENUM, 0, NULL, short_rows_words,
			"What becomes of rows that end before the last column: rejected, or the rest of their cells is absent.",
			NULL},
		{NULL, ENT_OPT_BOOL, 0, NULL, NULL, NULL, NULL}};

const ent_option *ent_framing_options(const ent_option *own, ent_frame frame, ent_arena *arena) {
	size_t n = ent_options_count(own), extra = 0;
	if (frame == ENT_FRAME_DELIMITED) {
		extra = sizeof framing_options / sizeof *framing_options - 1;
	} else if (frame == ENT_FRAME_JSONL || frame == ENT_FRAME_DOCUMENT) {
		extra = 1;
		for (size_t i = 0; i < n; i++) {
			extra = strcmp(own[i].key, framing_options[0].key) ? extra : 0;
		}
	}
	ent_option *table = ent_arena_alloc(arena, (n + extra + 1) * sizeof *table);
	if (n) {
		memcpy(table, own, n * sizeof *table);
	}
	if (extra) {
		memcpy(table + n, framing_options, extra * sizeof *table);
	}
	return table;
}
