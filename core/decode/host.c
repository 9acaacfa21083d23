/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions that a plugin gets (ent_host), and the rejects store's items: reason, column, masked excerpt, sealed
 * bytes. All are called from the one thread of the worker, while it is within a function of the plugin. */
#include "decode/values.h"
#include "base/mask.h"
#include "decode/worker.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

#define SEALED_MAX 4096u
#define LOG_LINES 5u /* a second */

/* ---- places and bytes of a record ---- */

/* The last shift at or before a byte that was fed, or a place of the text; NULL: there is none. */
static const struct ent__shift *shift_of(const ent__run *r, uint64_t at, bool by_place) {
	size_t low = 0, high = r->n_shifts;
	while (low < high) {
		size_t mid = high == r->n_shifts ? high - 1 : (low + high) / 2; /* mostly it is the last one */
		if ((by_place ? r->shifts[mid].place : r->shifts[mid].fed) <= at) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low ? &r->shifts[low - 1] : NULL;
}

/* JSONL, DOCUMENT, BYTES: a plugin counts the bytes that it was fed; blank lines, marks and the start of the chunk were
 * not among them. */
uint64_t ent__real_place(const ent_ctx *c, uint64_t place) {
	const ent__run *r = &c->run;
	if (r->frame == ENT_FRAME_DELIMITED) {
		return place;
	}
	const struct ent__shift *s = shift_of(r, place, false);
	return s ? place - s->fed + s->place : place;
}

uint64_t ent__source_place(const ent_ctx *c, uint64_t place) {
	const ent__run *r = &c->run;
	if (!r->text) {
		return place;
	}
	if (r->frame == ENT_FRAME_DOCUMENT) {
		uint64_t at = place < r->piece.n ? place : r->piece.n, step = at / ENT__STEP * ENT__STEP;
		if (step && step == r->piece.n) {
			step -= ENT__STEP;
		}
		return r->n_steps
				   ? r->steps[step / ENT__STEP] + ent_text_source_bytes(r->text, step, r->piece.p + step, at - step)
				   : at;
	}
	const struct ent__shift *s = shift_of(r, place, true);
	if (!s) {
		return place;
	}
	bool in_hand = s->place == r->piece_place && place - s->place <= r->piece.n;
	/* of a line that is gone only its beginning is known */
	return s->source +
		   (in_hand ? ent_text_source_bytes(r->text, s->place - r->text->mark, r->piece.p, place - s->place) : 0);
}

/* The bytes of a record, as far as they are still here. `place` is real. */
static ent_str bytes_at(const ent_ctx *c, uint64_t place) {
	const ent__run *r = &c->run;
	ent_str all = r->piece;
	uint64_t start = r->piece_place;
	if (r->frame == ENT_FRAME_DELIMITED) {
		if (r->in_row && place == r->row_place) {
			return ent_csv_bytes(r->csv);
		}
		if (!r->csv || r->csv->text.converted) {
			return (ent_str){0};
		}
		all = (ent_str){r->csv->window.data, r->csv->window.n};
		start = r->csv->window.base + r->csv->text.mark;
	}
	if (!all.p || place < start || place >= start + all.n) {
		return (ent_str){0};
	}
	const char *p = all.p + (place - start);
	size_t n = all.n - (size_t)(place - start);
	const char *end = memchr(p, '\n', n);
	return (ent_str){p, end ? (size_t)(end - p) : n};
}

/* A line may be rejected at the byte where it breaks; the record is the line. */
static ent_str record_at(const ent_ctx *c, uint64_t place) {
	ent_str rest = bytes_at(c, place);
	if (c->run.frame == ENT_FRAME_JSONL && rest.p) {
		const char *before = memrchr(c->run.piece.p, '\n', (size_t)(rest.p - c->run.piece.p));
		const char *line = before ? before + 1 : c->run.piece.p;
		rest.n += (size_t)(rest.p - line);
		rest.p = line;
	}
	return rest;
}

void ent__reject(ent_ctx *c, uint64_t place, const char *column, ent_str part, const char *why) {
	ent__worker *w = c->worker;
	ent_str record = record_at(c, place);
	char excerpt[ENT_MASK_MAX];
	size_t why_n = strnlen(why, 200), column_n = column ? strnlen(column, 120) : 0;
	ent_str shown = part.p ? part : bytes_at(c, place);
	size_t excerpt_n = ent_mask(shown.p, shown.n, excerpt, ENT_MASK_MAX);
	size_t plain_n = record.n < SEALED_MAX ? record.n : SEALED_MAX;
	size_t sealed_n = plain_n ? crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain_n : 0;
	size_t texts = why_n + column_n + excerpt_n + sealed_n;
	ent_wire_reject *r = ent__batch_item(&w->batch, ENT_ITEM_REJECT, sizeof *r + ENT_PAD8(texts), NULL);
	if (!r) {
		return; /* stopping */
	}
	r->place = ent__source_place(c, place);
	r->line = c->run.in_row && place == c->run.row_place ? c->run.row_line : 0;
	r->hash = ent_hash64(record.p ? record.p : "", record.n, 0);
	r->reason_n = (uint32_t)why_n;
	r->column_n = (uint32_t)column_n;
	r->excerpt_n = (uint32_t)excerpt_n;
	r->sealed_n = (uint32_t)sealed_n;
	uint8_t *p = (uint8_t *)(r + 1);
	memcpy(p, why, why_n);
	p += why_n;
	if (column_n) {
		memcpy(p, column, column_n);
		p += column_n;
	}
	memcpy(p, excerpt, excerpt_n);
	p += excerpt_n;
	if (sealed_n) {
		randombytes_buf(p, crypto_secretbox_NONCEBYTES);
		crypto_secretbox_easy(
			p + crypto_secretbox_NONCEBYTES, (const unsigned char *)record.p, plain_n, p, w->seal_key);
		p += sealed_n;
	}
	memset(p, 0, ENT_PAD8(texts) - texts);
}

/* ---- the table ---- */

static void refuse(ent_ctx *c, uint64_t place, const char *why) {
	ent__reject(c, place, NULL, (ent_str){0}, why);
	ent__verdict(c, place, ENT__VERDICT_REJECT);
}

_Static_assert(
	sizeof(ent_order) <= 512 && sizeof(ent_visit) <= 512 && sizeof(ent_line) <= 512 && sizeof(ent_cart) <= 512, "");
_Static_assert(sizeof(ent_observation) <= 512 && sizeof(ent_entry) <= 512 && sizeof(ent_touch) <= 512, "");

static ent_status host_push(ent_ctx *c, ent_fact kind, const void *items, size_t stride, size_t n) {
	ent__batch *b = &c->worker->batch;
	size_t size = ent__fact_size(kind);
	if (!size || stride < sizeof(ent_head) || c->run.phase == ENT__PHASE_NONE) {
		return ENT_EINTERNAL;
	}
	for (size_t i = 0; i < n; i++) {
		const void *fact = (const char *)items + i * stride;
		union {
			ent_order order;
			ent_visit visit;
			ent_line line;
			ent_observation observation;
			char room[512];
		} own;
		if (stride < size || (uintptr_t)fact % _Alignof(ent_head)) { /* an older, shorter struct: the rest is zero */
			memset(&own, 0, sizeof own);
			memcpy(&own, fact, stride < size ? stride : size);
			fact = &own;
		}
		uint64_t given = ((const ent_head *)fact)->place, place = ent__real_place(c, given),
				 source = ent__source_place(c, place);
		if (source != given) {
			if (fact != (const void *)&own) {
				memcpy(&own, fact, size);
				fact = &own;
			}
			((ent_head *)&own)->place = source;
		}
		b->place = place;
		const char *why = ent__batch_fact(b, kind, fact);
		if (why) {
			refuse(c, place, why);
		} else {
			ent__verdict(c, place, ENT__VERDICT_FACT);
		}
		if (b->lost) {
			why = b->lost;
			b->lost = NULL;
			refuse(c, b->lost_place, why);
		}
	}
	if (c->run.frame == ENT_FRAME_DOCUMENT || c->run.frame == ENT_FRAME_BYTES) {
		/* one feed() may take long here: what is pushed shows that it goes on */
		ent_ring_head *h = c->worker->ring.head;
		ent__progress(c->worker, atomic_load_explicit(&h->position, memory_order_relaxed));
	}
	return c->worker->stopping ? ENT_ESTOP : ENT_OK;
}

static const char *column_name(const ent_ctx *c, uint32_t column, ent_str *cell) {
	if (column == ENT_NO_COLUMN || !c->columns) {
		return NULL;
	}
	for (uint32_t i = 0; i <= column; i++) {
		if (!c->columns[i].name) {
			return NULL;
		}
	}
	if (cell && c->run.row && column < c->run.row->n) {
		*cell = c->run.row->cell[column];
	}
	return c->columns[column].name;
}

static void host_reject(ent_ctx *c, uint64_t place, uint32_t column, const char *why) {
	if (c->run.phase == ENT__PHASE_NONE) {
		return;
	}
	ent_str part = {0};
	place = ent__real_place(c, place);
	bool in_hand = c->run.in_row && place == c->run.row_place;
	const char *name = column_name(c, column, in_hand ? &part : NULL);
	ent__reject(c, place, name, part, why ? why : "no reason given");
	ent__verdict(c, place, ENT__VERDICT_REJECT);
}

static void host_skip(ent_ctx *c, uint64_t place, const char *why) {
	if (c->run.phase == ENT__PHASE_NONE) {
		return;
	}
	ent__batch_skip_reason(&c->worker->batch, why && *why ? why : "no reason given");
	ent__verdict(c, ent__real_place(c, place), ENT__VERDICT_SKIP);
}

static ent_status host_error(ent_ctx *c, uint64_t place, uint32_t column, const char *what, const char *todo) {
	ent__run *r = &c->run;
	if (!r->failed) { /* the first one is the cause */
		r->failed = true;
		place = r->phase == ENT__PHASE_NONE ? place : ent__real_place(c, place);
		ent_fault_set(
			&r->fault, ENT_ERR_INVALID, ent__source_place(c, place), todo, "%s", what ? what : "not of this format");
		const char *name = column_name(c, column, NULL);
		if (name) {
			strncpy(r->fault.column, name, sizeof r->fault.column - 1);
		}
		if (r->in_row && place == r->row_place) {
			r->fault.line = r->row_line;
		}
	}
	return ENT_ENOTFORMAT;
}

static ent_id host_identity(ent_ctx *c, ent_id_kind kind, ent_str text) {
	return ent__identity_of(&c->worker->identity, kind, text);
}

static void host_log(ent_ctx *c, int level, const char *text) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	ent__run *r = &c->run;
	if (r->log_window != (uint64_t)now.tv_sec) {
		r->log_window = (uint64_t)now.tv_sec;
		r->log_count = 0;
	}
	if (r->log_count++ < LOG_LINES && text) {
		char line[512];
		strncpy(line, text, sizeof line - 1);
		line[sizeof line - 1] = 0;
		ent__send_log(level, line);
	}
}

static void host_covers(ent_ctx *c, ent_fact kind, ent_time from, ent_time to, int complete) {
	const ent__run *r = &c->run;
	if (r->phase == ENT__PHASE_NONE || !ent__fact_size(kind) || (r->phase == ENT__PHASE_BEGIN && !r->first)) {
		return; /* a later part of the document begins again: its beginning was heard */
	}
	if (!ent__time_ok(from, true) || !ent__time_ok(to, true)) {
		host_log(c, ENT_LOG_WARNING, "covers() was called with a time that makes no sense: it is left out");
		return;
	}
	ent_wire_covers *i = ent__batch_item(&c->worker->batch, ENT_ITEM_COVERS, sizeof *i, NULL);
	if (i) {
		i->kind = kind;
		i->complete = complete != 0;
		i->from = ent_wire_time_pack(from);
		i->to = ent_wire_time_pack(to);
	}
}

static void host_slice(ent_ctx *c, ent_str name, int grade) {
	if (c->run.phase != ENT__PHASE_BEGIN || !c->run.first || !name.n || name.n > ENT_KEY_MAX) {
		return;
	}
	size_t padded = ENT_PAD8(name.n);
	ent_wire_slice *i = ent__batch_item(&c->worker->batch, ENT_ITEM_SLICE, sizeof *i + padded, NULL);
	if (i) {
		i->grade = grade;
		i->name_n = (uint32_t)name.n;
		memset((char *)(i + 1) + padded - 8, 0, 8);
		memcpy(i + 1, name.p, name.n);
	}
}

static void host_cursor(ent_ctx *c, const char *name, ent_str value) {
	size_t name_n = name ? strnlen(name, 64) : 0;
	if (c->run.phase == ENT__PHASE_NONE || !name_n || value.n > ENT_TEXT_MAX) {
		return;
	}
	size_t bytes = name_n + value.n, padded = ENT_PAD8(bytes);
	ent_wire_cursor *i = ent__batch_item(&c->worker->batch, ENT_ITEM_CURSOR, sizeof *i + padded, NULL);
	if (i) {
		i->name_n = (uint32_t)name_n;
		i->value_n = (uint32_t)value.n;
		memset((char *)(i + 1) + padded - 8, 0, 8);
		memcpy(i + 1, name, name_n);
		if (value.n) {
			memcpy((char *)(i + 1) + name_n, value.p, value.n);
		}
	}
}

const ent_host ent__host = {
	.size = sizeof(ent_host),
	.minor = ENT_PLUGIN_MINOR,
	.push = host_push,
	.reject = host_reject,
	.skip = host_skip,
	.error = host_error,
	.identity = host_identity,
	.covers = host_covers,
	.slice = host_slice,
	.cursor = host_cursor,
	.log = host_log,
	.money = ent_money_parse,
	.time = ent_time_parse,
};
