/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole lines of text, see lines.h. */
#include "decode/lines.h"

#include "base/envelope.h"

#include <string.h>

#define PIECE (64 << 10)

int ent_lines_open(ent_lines *l, ent_input *in, ent_encoding declared, const ent_charset *charset, ent_fault *f) {
	*l = (ent_lines){0};
	int status = ent_text_open(&l->text, in, declared, charset, f);
	l->window.text = &l->text;
	l->source = l->text.mark;
	return status;
}

void ent_lines_finish(ent_lines *l) {
	if (l) {
		ent_window_finish(&l->window);
		ent_text_finish(&l->text);
		*l = (ent_lines){0};
	}
}

bool ent_lines_can_seek(const ent_lines *l) {
	return (!l->text.converted || l->text.bytewise) && l->text.input->packing == ENT_PACKING_NONE &&
		   l->text.input->seekable;
}

uint64_t ent_lines_place(const ent_lines *l) { return l->text.mark + l->window.base + l->at; }

uint64_t ent_lines_source(const ent_lines *l) { return l->text.converted ? l->source : ent_lines_place(l); }

int ent_lines_seek(ent_lines *l, uint64_t offset, ent_fault *f) {
	uint64_t at = offset <= l->text.mark ? 0 : offset - l->text.mark;
	if (at) { /* the line end before it; read raw, for this place may be within a character */
		char piece[16384];
		at--;
		ent_text_seek(&l->text, at);
		for (;;) {
			ssize_t got = ent_input_read(l->text.input, piece, sizeof piece, f);
			if (got < 0) {
				return (int)got;
			}
			const char *end = got ? memchr(piece, '\n', (size_t)got) : NULL;
			if (end || !got) {
				at += end ? (uint64_t)(end - piece) + 1 : 0;
				break;
			}
			at += (uint64_t)got;
		}
	}
	ent_window_seek(&l->window, at);
	l->source = l->text.mark + at;
	l->at = 0;
	return 0;
}

static bool blank(const char *p, const char *end) {
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r')) {
		p++;
	}
	return p == end;
}

/* Bytes of value 0 are rare: what was read last mostly has none. */
static bool has_nul(const ent_lines *l, const char *p, const char *end) {
	return l->text.nul && memchr(p, 0, (size_t)(end - p));
}

/* The next record of a log of the inbox; what else the lines before it say is the inbox's business. */
static int next_record(ent_lines *l, uint64_t end, ent_lines_piece *out, ent_fault *f) {
	for (;;) {
		uint64_t place = ent_lines_place(l);
		const char *line = l->window.data ? l->window.data + l->at : NULL;
		size_t left = l->window.n - l->at;
		const char *line_end = line && left ? memchr(line, '\n', left) : NULL;
		if (place >= end || (!line_end && l->window.end)) {
			return 0; /* half a line at the end of the file is none yet */
		}
		if (!line_end) {
			ssize_t moved = ent_window_fill(&l->window, l->at, '\n', f);
			if (moved < 0) {
				return (int)moved;
			}
			l->at -= (size_t)moved;
			continue;
		}
		size_t n = (size_t)(line_end - line);
		l->at += n + 1;
		bool whole = ent_envelope_whole(line, n);
		if (!whole) {
			*out = (ent_lines_piece){{line, n + 1}, place, place, 1, true, false};
			return 1;
		}
		if (ent_envelope_record(line) && !blank(line + ENT_ENVELOPE, line_end)) {
			place += ENT_ENVELOPE;
			*out = (ent_lines_piece){
				{line + ENT_ENVELOPE, n + 1 - ENT_ENVELOPE}, place, place, 1, false, has_nul(l, line + ENT_ENVELOPE, line_end)};
			return 1;
		}
	}
}

/* The next line of converted text. */
static int next_line(ent_lines *l, uint64_t end, ent_lines_piece *out, ent_fault *f) {
	for (;;) {
		const char *line = l->window.data ? l->window.data + l->at : NULL;
		size_t left = l->window.n - l->at;
		const char *line_end = line && left ? memchr(line, '\n', left) : NULL;
		if (l->source >= end || (!left && l->window.end)) {
			return 0;
		}
		if (!line_end) {
			ssize_t moved = ent_window_fill(&l->window, l->at, '\n', f);
			if (moved < 0) {
				return (int)moved;
			}
			l->at -= (size_t)moved;
			continue;
		}
		size_t n = (size_t)(line_end - line) + 1;
		*out = (ent_lines_piece){{line, n}, ent_lines_place(l), l->source, 1, false, has_nul(l, line, line_end)};
		l->source += ent_text_source_bytes(&l->text, l->window.base + l->at, line, n);
		l->at += n;
		if (!blank(line, line_end)) {
			return 1;
		}
	}
}

int ent_lines_next(ent_lines *l, uint64_t end, ent_lines_piece *out, ent_fault *f) {
	if (l->enveloped) {
		return next_record(l, end, out, f);
	}
	if (l->text.converted) {
		return next_line(l, end, out, f);
	}
	for (;;) {
		const char *start = l->window.data ? l->window.data + l->at : NULL;
		const char *p = start, *stop = l->window.data + l->window.n;
		uint64_t place = ent_lines_place(l), lines = 0;
		bool skipped = false, nul = false;
		while (p < stop && place + (uint64_t)(p - start) < end) {
			const char *line_end = memchr(p, '\n', (size_t)(stop - p));
			if (!line_end) {
				break;
			}
			if ((unsigned char)*p <= ' ' && blank(p, line_end)) {
				if (lines) {
					break; /* next time */
				}
				l->at += (size_t)(line_end + 1 - p);
				skipped = true;
				break;
			}
			if (has_nul(l, p, line_end)) {
				if (lines) {
					break; /* next time */
				}
				nul = true;
			}
			p = line_end + 1;
			lines++;
			if (nul || p - start >= PIECE) { /* the place that a crash is reported with is that of a piece */
				break;
			}
		}
		if (lines) {
			*out = (ent_lines_piece){{start, (size_t)(p - start)}, place, place, lines, false, nul};
			l->at += (size_t)(p - start);
			return 1;
		}
		if (skipped) {
			continue;
		}
		if (place >= end || (l->window.end && l->at == l->window.n)) {
			return 0;
		}
		ssize_t moved = ent_window_fill(&l->window, l->at, '\n', f);
		if (moved < 0) {
			return (int)moved;
		}
		l->at -= (size_t)moved;
	}
}
