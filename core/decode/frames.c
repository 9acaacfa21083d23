/* SPDX-License-Identifier: Apache-2.0
 *
 * How each frame hands a range of a document to the plugin: rows, lines, a whole body, bytes.
 *
 * Ranges. A range owns the record groups that start at or after its nominal begin and before its nominal end; it is
 * read beyond its end up to the next group. Both neighbours thus find the same border by themselves, and say in DONE
 * which one it was. Documents that cannot be entered in the middle (packed, converted, DOCUMENT, BYTES) belong whole to
 * the range that begins at 0; the other ranges of them are empty, at the end of the document. */
#include "decode/lines.h"
#include "decode/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT_MAX (256u << 20)

/* A status of the plugin to our own; the fault says what happened. */
static int plugin_failed(ent_ctx *c, ent_status status, const char *function, uint64_t place) {
	ent__run *r = &c->run;
	if (status == ENT_ESTOP || c->worker->stopping) {
		return ent_fault_set(&r->fault, ENT_ERR_STOPPED, place, NULL, "stopped");
	}
	if (r->failed) {
		return r->fault.e.code;
	}
	const char *what = status == ENT_ENOMEM       ? "ran out of memory"
					   : status == ENT_ENOTFORMAT ? "refused the document, without a reason"
												  : "reported a fault of its own";
	return ent_fault_set(&r->fault, status == ENT_ENOMEM ? ENT_ERR_NOMEM : ENT_ERR_INVALID, place,
		"tell the author of the plugin", "%s() of decoder %s %s", function, c->decoder->name, what);
}

static int begin(ent_ctx *c, const ent__range *g) {
	c->run.phase = ENT__PHASE_BEGIN;
	ent_status status = c->decoder->begin(c->self, g->doc);
	c->run.phase = ENT__PHASE_RUN;
	return status || c->run.failed ? plugin_failed(c, status, "begin", g->begin) : 0;
}

static int end(ent_ctx *c, uint64_t place) {
	c->run.phase = ENT__PHASE_END;
	ent_status status = c->decoder->end(c->self);
	if (!status && !c->run.failed) { /* the last order is complete only now, and may turn out to be too large */
		ent__batch *b = &c->worker->batch;
		ent__batch_close(b);
		if (b->lost) {
			const char *why = b->lost;
			b->lost = NULL;
			ent__reject(c, b->lost_place, NULL, (ent_str){0}, why);
			ent__verdict(c, b->lost_place, ENT__VERDICT_REJECT);
		}
	}
	return status || c->run.failed ? plugin_failed(c, status, "end", place) : 0;
}

/* A range of a document that cannot be cut, and which is not its beginning. */
static bool nothing_here(ent_input *in, ent__range *g, bool can_seek) {
	uint64_t size = in->size == UINT64_MAX ? 0 : in->size;
	if (!g->begin) {
		g->real_begin = 0;
		if (!can_seek) {
			g->end = UINT64_MAX;
		}
		return false;
	}
	if (can_seek) {
		return false;
	}
	g->real_begin = g->real_end = size;
	g->eof = true;
	return true;
}

/* The document ends here: as long as it was when it was opened? */
static int at_end(const ent_input *in, ent__range *g, uint64_t place, ent_fault *f) {
	if (in->size != UINT64_MAX && !in->packing && in->at < in->size) {
		return ent_fault_set(f, ENT_ERR_IO, in->at, "run again when whatever writes it is done",
			"the document became shorter while it was read: %llu bytes of %llu", (unsigned long long)in->at,
			(unsigned long long)in->size);
	}
	g->real_end = in->size == UINT64_MAX ? place : in->size;
	g->eof = true;
	return 0;
}

/* ---- DELIMITED ---- */

/* May a group start at the row that next() just gave? A row that is not well-formed has no cells to ask about; both
 * neighbours of a border see it, and answer alike. */
static bool group_starts(ent_ctx *c, const ent_csv *csv, const ent_row *row, int result) {
	if (!c->decoder->starts) {
		return true;
	}
	if (row->place == csv->rows_at + csv->text.mark) {
		return true;
	}
	ent_row before;
	return result == ENT_CSV_ROW && ent_csv_previous(csv, &before) && c->decoder->starts(c->self, &before, row);
}

int ent__frame_rows(ent_ctx *c, ent_input *in, ent__range *g) {
	ent__run *r = &c->run;
	ent_csv csv;
	int status = ent_csv_open(&csv, in, &c->framing, &r->fault);
	if (status) {
		goto out;
	}
	c->columns = c->decoder->wants ? c->decoder->wants(c->self) : c->decoder->columns;
	if (!c->columns) {
		status = plugin_failed(c, ENT_EINTERNAL, "wants", 0);
		goto out;
	}
	if ((status = ent_csv_bind(&csv, c->columns, &r->fault))) {
		goto out;
	}
	snprintf(g->notes, sizeof g->notes, "%s, %s%s", ent_text_encoding(&csv.text),
		csv.delimiter == '\t' ? "tab" : (char[]){csv.delimiter, 0}, csv.width ? "" : ", plain scanner");
	if (nothing_here(in, g, ent_csv_can_seek(&csv))) {
		goto out;
	}
	csv.keep_previous = c->decoder->starts && (g->begin || g->end != UINT64_MAX);
	bool searching = g->begin && !g->exact;
	if (g->begin) {
		if ((status = ent_csv_seek(&csv, g->begin, g->exact, &r->fault))) {
			goto out;
		}
		g->real_begin = g->begin;
	}
	r->csv = &csv;
	if ((status = begin(c, g))) {
		goto out;
	}
	for (;;) {
		ent_row row;
		const char *why;
		int result = ent_csv_next(&csv, &row, &why, &r->fault);
		if (result <= 0) {
			if (!(status = result) && !(status = at_end(in, g, ent_csv_place(&csv), &r->fault))) {
				g->real_begin = searching || g->real_begin > g->real_end ? g->real_end : g->real_begin;
			}
			break;
		}
		if (searching) {
			if (row.place < g->begin || !group_starts(c, &csv, &row, result)) {
				continue;
			}
			searching = false;
			g->real_begin = row.place;
		}
		if (row.place >= g->end && group_starts(c, &csv, &row, result)) {
			g->real_end = row.place;
			break;
		}
		c->worker->batch.begin = g->real_begin;
		ent__progress(c->worker, row.place);
		r->row = &row;
		r->row_place = row.place;
		r->row_line = row.line;
		r->in_row = true;
		ent_status verdict = ENT_OK;
		if (result == ENT_CSV_BAD) {
			r->row = NULL;
			ent__reject(c, row.place, NULL, (ent_str){0}, why);
			r->row_rejected = true;
		} else {
			verdict = c->decoder->row(c->self, &row);
		}
		if (verdict || r->failed || c->worker->stopping) {
			status = plugin_failed(c, verdict, "row", row.place);
			break;
		}
		ent__verdict_row(c);
		r->row = NULL;
	}
	if (!status) {
		r->in_row = false;
		c->worker->batch.begin = g->real_begin;
		status = end(c, g->real_end);
	}
out:
	r->csv = NULL;
	r->row = NULL;
	ent_csv_finish(&csv);
	return status;
}

/* ---- the others ---- */

/* What is fed next lies at `place` of the text, and at `source` of the document. */
static void shift(ent__run *r, uint64_t place, uint64_t source) {
	if (r->n_shifts && !r->text) {
		const struct ent__shift *last = &r->shifts[r->n_shifts - 1];
		if (last->place + (r->fed - last->fed) == place) {
			return;
		}
	}
	ENT_GROW(r->shifts, r->n_shifts, r->shifts_capacity);
	r->shifts[r->n_shifts++] = (struct ent__shift){r->fed, place, source};
}

static int feed(ent_ctx *c, ent_str bytes, uint64_t place, uint64_t source, int eof) {
	ent__run *r = &c->run;
	shift(r, place, source);
	r->piece = bytes;
	r->piece_place = place;
	ent__progress(c->worker, source);
	ent_status status = c->decoder->feed(c->self, bytes, eof);
	r->fed += bytes.n;
	return status || r->failed || c->worker->stopping ? plugin_failed(c, status, "feed", source) : 0;
}

/* A line that the plugin does not see. What was acknowledged is not lost silently, even when the disk has eaten it. */
static void reject_line(ent_ctx *c, const ent_lines_piece *piece) {
	ent__run *r = &c->run;
	r->piece = piece->bytes;
	r->piece_place = piece->place;
	ent__reject(c, piece->place, NULL, (ent_str){0},
		piece->damaged ? "the line is damaged: its checksum in the inbox is wrong" : "a NUL byte in the line");
	ent__verdict(c, piece->place, ENT__VERDICT_REJECT);
	ent__verdict_lines(c, 1);
}

int ent__frame_lines(ent_ctx *c, ent_input *in, ent__range *g) {
	ent__run *r = &c->run;
	ent_lines lines;
	/* what came over the network was taken as UTF-8 when it was put behind envelopes */
	int status = ent_lines_open(
		&lines, in, g->enveloped ? ENT_ENCODING_UTF8 : c->framing.encoding, &c->framing.charset, &r->fault);
	if (status) {
		goto out;
	}
	r->text = lines.text.converted ? &lines.text : NULL;
	snprintf(g->notes, sizeof g->notes, "%s", ent_text_encoding(&lines.text));
	lines.enveloped = g->enveloped;
	if (nothing_here(in, g, ent_lines_can_seek(&lines))) {
		goto out;
	}
	if (g->begin) {
		if ((status = ent_lines_seek(&lines, g->begin, &r->fault))) {
			goto out;
		}
		g->real_begin = ent_lines_source(&lines);
	}
	c->worker->batch.begin = g->real_begin;
	shift(r, ent_lines_place(&lines), ent_lines_source(&lines));
	if ((status = begin(c, g))) {
		goto out;
	}
	ent_lines_piece piece;
	while ((status = ent_lines_next(&lines, g->end, &piece, &r->fault)) > 0) {
		if (piece.damaged || piece.nul) {
			reject_line(c, &piece);
			continue;
		}
		if ((status = feed(c, piece.bytes, piece.place, piece.source, 0))) {
			goto out;
		}
		ent__verdict_lines(c, piece.lines);
	}
	if (!status) {
		uint64_t place = ent_lines_source(&lines);
		if (place < g->end || place >= in->size) {
			status = at_end(in, g, place, &r->fault);
		} else {
			g->real_end = place;
		}
		if (g->real_begin > g->real_end) {
			g->real_begin = g->real_end;
		}
		r->piece.n = 0;
		if (!status) {
			status = end(c, place);
		}
	}
out:
	r->text = NULL;
	ent_lines_finish(&lines);
	return status;
}

/* The whole body. UTF-16 and declared encodings become UTF-8; anything else is left as it is, for it may not be text.
 */
static int whole_body(ent_ctx *c, ent_input *in, ent_text *text, ent_buf *out, ent__range *g, ent_fault *f) {
	ent__run *r = &c->run;
	ent_encoding declared = c->framing.encoding;
	int status = ent_text_open(text, in, declared ? declared : ENT_ENCODING_LATIN1, &c->framing.charset, f);
	if (status) {
		return status;
	}
	bool raw = !declared && !text->mark;
	snprintf(g->notes, sizeof g->notes, "%s", raw ? "bytes" : ent_text_encoding(text));
	if (raw) {
		ent_buf_add(out, text->raw, text->raw_n);
	}
	r->text = !raw && text->converted ? text : NULL;
	uint64_t source = text->mark;
	for (;;) {
		size_t piece = out->n < (256u << 10) ? 64u << 10 : 1u << 20;
		ent_buf_reserve(out, piece + ENT_FEED_PADDING);
		char *to = (char *)out->data + out->n;
		ssize_t got = raw ? ent_input_read(in, to, piece, f) : ent_text_read(text, to, piece, f);
		if (got <= 0) {
			status = (int)got;
			break;
		}
		for (size_t at = out->n, end = out->n + (size_t)got; r->text && at < end;) {
			size_t stop = at - at % ENT__STEP + ENT__STEP < end ? at - at % ENT__STEP + ENT__STEP : end;
			if (at % ENT__STEP == 0) {
				ENT_GROW(r->steps, r->n_steps, r->steps_capacity);
				r->steps[r->n_steps++] = source;
			}
			source += ent_text_source_bytes(text, at, (char *)out->data + at, stop - at);
			at = stop;
		}
		out->n += (size_t)got;
		if (out->n > DOCUMENT_MAX) {
			status = ent_fault_set(f, ENT_ERR_RANGE, out->n, "split it, or export less at once",
				"a document that has to be read whole is larger than %u MiB", DOCUMENT_MAX >> 20);
			break;
		}
	}
	memset(out->data + out->n, 0, ENT_FEED_PADDING);
	return status;
}

int ent__frame_document(ent_ctx *c, ent_input *in, ent__range *g) {
	if (nothing_here(in, g, false)) {
		return 0;
	}
	ent_buf body = {0};
	ent_text text = {0};
	int status = whole_body(c, in, &text, &body, g, &c->run.fault);
	if (!status && !(status = at_end(in, g, body.n, &c->run.fault)) && !(status = begin(c, g)) &&
		!(status = feed(c, (ent_str){(char *)body.data, body.n}, 0, 0, 1))) {
		status = end(c, body.n);
	}
	if (!status) {
		ent__verdict_document(c);
	}
	c->run.piece = (ent_str){0};
	c->run.text = NULL;
	ent_text_finish(&text);
	ent_buf_finish(&body);
	return status;
}

int ent__frame_bytes(ent_ctx *c, ent_input *in, ent__range *g) {
	if (nothing_here(in, g, false)) {
		return 0;
	}
	snprintf(g->notes, sizeof g->notes, "bytes");
	int status = begin(c, g);
	char *piece = ent_xmalloc((256u << 10) + ENT_FEED_PADDING);
	uint64_t place = 0;
	while (!status) {
		ssize_t got = ent_input_read(in, piece, 256u << 10, &c->run.fault);
		if (got < 0) {
			status = (int)got;
			break;
		}
		memset(piece + got, 0, ENT_FEED_PADDING);
		status = feed(c, (ent_str){piece, (size_t)got}, place, place, got == 0);
		place += (uint64_t)got;
		if (!got) {
			break;
		}
	}
	if (!status && !(status = at_end(in, g, place, &c->run.fault))) {
		status = end(c, place);
	}
	if (!status) {
		ent__verdict_document(c);
	}
	c->run.piece = (ent_str){0};
	free(piece);
	return status;
}
