/* SPDX-License-Identifier: Apache-2.0
 *
 * Dispatch: which worker decodes what, and the order in which it is folded. A document that can be cut is given out in
 * chunks; chunks are folded in the order of the document, each only when it begins where the one before it ended. A chunk
 * is folded when it is whole, so that after it the position can be committed; only a worker whose ring is full is relieved
 * before (then no commit happens until that chunk is whole). A worker that dies is replaced, and its chunk decoded again,
 * at most ATTEMPTS times; then the document is given up, and its position stays where it was. Loop thread only. */
#include "engine/ahead.h"
#include "engine/internal.h"
#include "engine/rules_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 3, AHEAD = 3 /* chunks of one document under way for each worker */ };
static const uint64_t CHUNK_BYTES = UINT64_C(8) << 20;

typedef struct ent__chunk {
	ent_assignment *a;
	ent__work *work;
	uint64_t begin, end;
	bool exact; /* began where the one before it ended, not where it guessed */
	unsigned attempts;
	uint64_t batches; /* folded so far */
	uint64_t records, consumed, rejected, skipped, facts; /* seen in those batches */
	uint64_t keys; /* of the ledger that it brought */
	struct ent__chunk *next;
} ent__chunk;

typedef struct run {
	ent_engine *e;
	ent__work *works; /* all */
	ent__work *active[64];
	unsigned n_active;
	ent__work *next_work;
	ent_error *error;
	int status;
	bool stopping; /* a signal asked to */
	bool closing;  /* no more is given out; what is under way is waited for */
	uint64_t until_ns; /* when that begins; 0: never */
	void (*progress)(void *ctx, const ent_ingest_progress *);
	void *progress_ctx;
	uint64_t told_ns;
} run;

/* ---- reading a batch ---------------------------------------------------------------------------------------------------- */

static char *copy(const ent_str *s, char *out, size_t size) {
	size_t n = s->n < size ? s->n : size - 1;
	memcpy(out, s->p, n);
	out[n] = 0;
	return out;
}

static int take_reject(run *r, ent__work *w, const ent_wire_item *item) {
	const ent_wire_reject *head;
	ent_str reason, column, excerpt, sealed;
	if (ent_batch_reject(item, &head, &reason, &column, &excerpt, &sealed, r->error)) {
		return r->error->code;
	}
	char texts[3][512];
	const ent_input *input = &r->e->inputs[w->input];
	ent_reject reject = {.source = w->stream->source->code, .input = w->input, .place = head->place, .line = head->line,
		.hash = head->hash, .input_name = input->name, .reason = copy(&reason, texts[0], sizeof texts[0]),
		.column = copy(&column, texts[1], sizeof texts[1]), .excerpt = copy(&excerpt, texts[2], sizeof texts[2]),
		.sealed = (const uint8_t *)sealed.p, .sealed_n = sealed.n, .seen_us = r->e->now_us};
	ent__pending_reject(r->e, &reject);
	return 0;
}

static int take_covers(run *r, ent__work *w, const ent_wire_item *item) {
	const ent_wire_covers *c;
	if (ent_batch_covers(item, &c, r->error)) {
		return r->error->code;
	}
	ent_time from = ent_wire_time_unpack(c->from), to = ent_wire_time_unpack(c->to);
	ent_cover cover = {.partner = ent__cover_partner(w), .source = w->stream->source->code, .input = w->input, .kind = c->kind,
		.origin = w->stream->origin, .declared = 1, .complete = c->complete != 0};
	const ent_zone *zone = r->e->fold.zone(r->e, w->partner);
	cover.from = from.kind == ENT_TIME_DATE ? (int32_t)from.v : ent_zone_day(zone, ent_fold_instant(&r->e->fold, from, cover.source, w->partner));
	cover.to = to.kind == ENT_TIME_DATE ? (int32_t)to.v : ent_zone_day(zone, ent_fold_instant(&r->e->fold, to, cover.source, w->partner));
	w->declared |= 1u << c->kind;
	if (cover.from < cover.to && !w->slice_superseded) {
		ent__pending_cover(r->e, &cover);
	}
	return 0;
}

struct edition {
	ent_engine *e;
	const ent_input *input;
};

static bool lower_edition(void *ctx, const ent_document *d, uint32_t id) {
	(void)d;
	const struct edition *x = ctx;
	const ent_input *other = id < x->e->n_inputs ? &x->e->inputs[id] : NULL;
	return other && other != x->input && other->source == x->input->source && other->slice == x->input->slice &&
		   other->slice_grade < x->input->slice_grade;
}

/* The document is an edition of a slice: the highest grade counts. */
static int take_slice(run *r, ent__work *w, const ent_wire_item *item) {
	int32_t grade;
	ent_str name;
	if (ent_batch_slice(item, &grade, &name, r->error)) {
		return r->error->code;
	}
	ent_engine *e = r->e;
	ent_input *input = &e->inputs[w->input];
	if (grade < 0 || grade > UINT8_MAX) {
		return ent_error_set(r->error, ENT_ERR_WORKER, "the decoder gives a slice the grade %d: 0 to 255 are possible", grade);
	}
	input->slice = ent__code(e, name.p, name.n);
	input->slice_grade = (uint8_t)grade;
	bool lower = false;
	for (uint32_t i = 1; i < e->n_inputs; i++) {
		const ent_input *x = &e->inputs[i];
		if (x == input || !x->live || x->source != input->source || x->slice != input->slice) {
			continue;
		}
		w->slice_superseded |= x->slice_grade > input->slice_grade;
		lower |= x->slice_grade < input->slice_grade;
	}
	if (w->slice_superseded) { /* from here on: what it brings must not count again when another document is taken back */
		input->live = 0;
		e->input_dirty[input->id] = true;
	}
	if (!lower) {
		return 0;
	}
	struct edition edition = {e, input};
	int status = ent__take_back(e, 0, lower_edition, &edition, r->error);
	for (uint32_t i = 1; i < e->n_inputs && !status; i++) {
		if (e->inputs[i].live && lower_edition(&edition, NULL, i)) {
			e->inputs[i].live = 0;
			e->input_dirty[i] = true;
			ent__pending_covers_drop(e, i);
			ent__pending_rejects_drop(e, i);
		}
	}
	return status;
}

static int take_batch(run *r, ent__chunk *c, const ent_slot_batch *slot) {
	ent_engine *e = r->e;
	const uint8_t *bytes = ent_pool_bytes(slot);
	const ent_dictionary *d = ent_pool_dictionary(c->a->worker);
	ent_batch b;
	if (ent_batch_open(&b, bytes, slot->bytes, c->a->id, slot->seq, &e->item, r->error)) {
		return r->error->code;
	}
	if (slot->seq != c->batches) {
		return ent_error_set(r->error, ENT_ERR_WORKER, "batch %llu is missing", (unsigned long long)c->batches);
	}
	if ((!e->index || e->keeping) && ent__index_load(e, r->error)) { /* the first batch of all */
		return r->error->code;
	}
	uint64_t keys = ent_index_count(e->index);
	*r->error = (ent_error){0};
	ent__ahead a;
	ent__look_ahead_from(&a, e, c->work, d, bytes, slot->bytes);
	const ent_wire_item *item;
	int status = 0;
	while (!status && (item = ent_batch_next(&b, r->error))) {
		switch (item->type) {
		case ENT_ITEM_TEXT:
			break; /* taken when the batch came */
		case ENT_ITEM_DOC:
			ent__look_ahead(&a);
			status = ent_batch_document(item, d->codes, d->n, &e->incoming, r->error);
			if (!status) {
				status = ent__intake(e, c->work, &e->incoming, c->work->slice_superseded, r->error);
			}
			break;
		case ENT_ITEM_REJECT:
			status = take_reject(r, c->work, item);
			break;
		case ENT_ITEM_COVERS:
			status = take_covers(r, c->work, item);
			break;
		case ENT_ITEM_SLICE:
			status = take_slice(r, c->work, item);
			break;
		case ENT_ITEM_CURSOR:
		case ENT_ITEM_SKIPS:
			break; /* cursors are for polls; reasons of skips are for the log */
		default:
			status = ent_error_set(r->error, ENT_ERR_WORKER, "the worker wrote nonsense into its ring: an item of type %u", item->type);
		}
	}
	if (status || r->error->code) {
		return r->error->code ? r->error->code : status;
	}
	if (ent_batch_close(&b, r->error)) {
		return r->error->code;
	}
	c->batches++;
	c->keys += ent_index_count(e->index) - keys;
	c->records += b.head.records;
	c->consumed += b.head.consumed;
	c->rejected += b.head.rejected;
	c->skipped += b.head.skipped;
	c->facts += b.facts;
	return 0;
}

/* ---- chunks ---------------------------------------------------------------------------------------------------------------- */

static void drop_chunks(run *r, ent__chunk *from) {
	while (from) {
		ent__chunk *next = from->next;
		if (from->a) {
			ent_pool_drop(r->e->pool, from->a);
		}
		free(from);
		from = next;
	}
}

/* Everything of the document behind what is folded is asked for again. */
static void start_over(run *r, ent__work *w) {
	drop_chunks(r, w->chunks);
	w->chunks = NULL;
	w->chunks_end = &w->chunks;
	w->next = w->folded;
	w->all_asked = false;
}

static void give_up(run *r, ent__work *w, const ent_error *why, uint64_t place, bool with_place) {
	ent_input *input = &r->e->inputs[w->input];
	ent_error e = *why;
	if (!e.file[0]) {
		snprintf(e.file, sizeof e.file, "%.255s", input->name);
	}
	if (with_place) {
		if (w->splittable && place > input->size) { /* a worker that scribbles does not spare its position */
			place = w->folded;
		}
		size_t n = strlen(e.what);
		snprintf(e.what + n, sizeof e.what - n, " (source %s, at byte %llu)", w->stream->source->config->name.s,
			(unsigned long long)place);
	}
	ent_errors_take(&r->e->report->errors, &e);
	r->e->report->inputs_failed++;
	drop_chunks(r, w->chunks);
	w->chunks = NULL;
	w->chunks_end = &w->chunks;
	w->failed = w->finished = true;
	ent__skip(r->e, w->stream->source, input->name);
}

struct same_input {
	uint32_t id;
};

static bool is_input(void *ctx, const ent_document *d, uint32_t id) {
	(void)d;
	return id == ((struct same_input *)ctx)->id;
}

/* The first of a document is about to be folded. */
static int begin_work(run *r, ent__work *w) {
	w->begun = true;
	r->e->unsettled = true;
	if (!w->before) {
		return 0;
	}
	struct same_input old = {w->before};
	ent__pending_rejects_drop(r->e, w->before);
	/* Parts of visits add up, they have no rank to win by: told again, they would count twice. */
	bool visits = w->stream->decoder->facts >> ENT_VISIT & 1;
	int status = w->replaces || visits ? ent__take_back(r->e, w->replaces ? 0 : ENT_VISIT, is_input, &old, r->error) : 0;
	if (!status && w->replaces) {
		r->e->inputs[w->before].live = 0;
		r->e->input_dirty[w->before] = true;
		ent__pending_covers_drop(r->e, w->before);
	}
	return status;
}

/* A chunk that was told where it begins says that it begins elsewhere: to ask again would get the same answer for ever. */
static void misplaced(run *r, ent__work *w, ent__chunk *c, uint64_t where) {
	ent_error e;
	ent_error_set(&e, ENT_ERR_WORKER, "the worker says that it read from byte %llu, not from %llu", (unsigned long long)where,
		(unsigned long long)w->folded);
	ent_error_todo(&e, "the plugin, or a library that it loads, writes outside of its own memory");
	bool partial = w->partial;
	give_up(r, w, &e, c->begin, true);
	if (partial) {
		r->status = ENT__AGAIN;
	}
}

/* Folds the batches of the first chunk that lie ready. false: the chunk was dropped, or the run cannot go on. */
static bool fold_batches(run *r, ent__work *w, ent__chunk *c) {
	while (c->a->first) {
		ent_slot_batch *slot = c->a->first;
		if (slot->begin != w->folded) {
			if (c->exact) {
				misplaced(r, w, c, slot->begin);
			} else {
				start_over(r, w);
			}
			return false;
		}
		if (!w->begun && begin_work(r, w)) {
			r->status = r->error->code;
			return false;
		}
		int status = take_batch(r, c, slot);
		if (status == ENT_ERR_WORKER) {
			/* part of a batch may be folded already: back to the last commit, and without this document */
			ent_error nonsense = *r->error;
			ent_pool_condemn(r->e->pool, c->a, &nonsense);
			size_t n = strlen(nonsense.what);
			snprintf(nonsense.what + n, sizeof nonsense.what - n, " (plugin %s)", w->stream->decoder->plugin->name);
			give_up(r, w, &nonsense, c->begin, true);
			r->status = ENT__AGAIN;
			return false;
		}
		if (status) {
			r->status = status;
			return false;
		}
		c->a->first = slot->next;
		if (!c->a->first) {
			c->a->last = NULL;
		}
		ent_pool_release(r->e->pool, slot);
	}
	return true;
}

/* How many keys the rest of the stream will bring if it goes on as it began: the index then grows once to hold them. */
static void foresee(const ent_engine *e, ent__stream *s, uint64_t bytes, uint64_t keys) {
	s->bytes_done += bytes;
	s->bytes_left -= bytes < s->bytes_left ? bytes : s->bytes_left;
	s->keys += keys;
	if (e->index && s->bytes_done && s->keys <= ent_index_count(e->index)) {
		double more = (double)s->keys * (double)s->bytes_left / (double)s->bytes_done;
		ent_index_expect(e->index, ent_index_count(e->index) + (uint64_t)more);
	}
}

static void complete_chunk(run *r, ent__work *w, ent__chunk *c) {
	ent_engine *e = r->e;
	ent_assignment *a = c->a;
	ent__source *s = w->stream->source;
	ent_input *input = &e->inputs[w->input];
	s->delta.records += c->records;
	s->delta.consumed += c->consumed;
	s->delta.rejected += c->rejected;
	s->delta.skipped += c->skipped;
	s->delta.bytes += a->bytes;
	s->delta.waits += a->waits;
	s->delta.waited_us += a->waited_ns / 1000;
	e->report->waits += a->waits;
	e->report->waited_ns += a->waited_ns;
	e->report->stages.decoding += a->cpu_ns;
	/* what the worker says at the end is counted apart from what its batches said: the balance compares them */
	s->told_records += a->records;
	s->told_facts += a->facts;
	input->records += c->records;
	input->consumed += c->consumed;
	input->rejected += c->rejected;
	input->skipped += c->skipped;
	input->facts += c->facts;
	e->report->progress.records += c->records;
	e->report->progress.facts += c->facts;
	uint64_t end = a->eof ? input->size : a->end, bytes = end > w->folded ? end - w->folded : 0;
	e->report->progress.bytes_done += bytes;
	foresee(e, w->stream, bytes, c->keys);
	w->folded = a->end;
	input->position = end;
	e->input_dirty[w->input] = true;
	w->partial = false;
	w->chunks = c->next;
	if (!w->chunks) {
		w->chunks_end = &w->chunks;
	}
	if (a->eof || (w->all_asked && !w->chunks)) {
		input->done = 1;
		input->position = input->size;
		input->live = !w->slice_superseded;
		w->finished = true;
		e->report->progress.inputs_done++;
		drop_chunks(r, w->chunks);
		w->chunks = NULL;
		w->chunks_end = &w->chunks;
	}
	free(a);
	free(c);
}

static bool chunk_failed(run *r, ent__work *w, ent__chunk *c) {
	ent_assignment *a = c->a;
	ent_error why = a->error;
	uint64_t place = a->died_at;
	bool partial = w->partial;
	if (!a->died && !c->exact && !partial) {
		/* it may have begun within a record that it took for something else: only a chunk that begins for sure may judge */
		start_over(r, w);
		return true;
	}
	bool again = a->died && !partial && c->attempts + !a->unstarted < ATTEMPTS;
	if (partial) {
		/* part of the chunk is folded and cannot be told apart any more: back to the last commit, and without this document */
		give_up(r, w, &why, place, true);
		r->status = ENT__AGAIN;
		return false;
	}
	if (!again) {
		give_up(r, w, &why, place, true);
		return true;
	}
	unsigned attempts = c->attempts + !a->unstarted;
	start_over(r, w);
	w->chunks = ent_xcalloc(1, sizeof *w->chunks);
	*w->chunks = (ent__chunk){.work = w, .begin = w->folded, .attempts = attempts};
	w->chunks_end = &w->chunks->next;
	return true;
}

static bool any_partial(const run *r) {
	for (unsigned i = 0; i < r->n_active; i++) {
		if (r->active[i]->partial) {
			return true;
		}
	}
	return false;
}

/* Is it a document that has begun to take the place of its old self? */
static bool in_place_of(const ent__work *w) { return w->replaces && w->begun && !w->finished; }

/* A restating document replaces its old self in one commit: none between its begin and its end. */
static bool replacing(const run *r) {
	for (unsigned i = 0; i < r->n_active; i++) {
		if (in_place_of(r->active[i])) {
			return true;
		}
	}
	return false;
}

/* May a chunk that is not whole be folded as far as it is, so that its worker's ring has room again? When a commit is
 * due, rather not: it would have to wait until the chunk is whole. But where the commit must wait anyway, the chunk that was
 * given out first goes on. All that lies before its batches in its worker's ring is folded or dropped, so that its worker
 * can always go on, and with that the next one: or workers with full rings would wait for each other. */
static bool may_relieve(const run *r, const ent__work *w, bool commit_due) {
	if (!commit_due || w->partial) {
		return true;
	}
	if (!any_partial(r) && !replacing(r)) {
		return false;
	}
	for (unsigned i = 0; i < r->n_active; i++) {
		const ent__chunk *first = r->active[i]->chunks;
		if (first && first->a && first->a->id < w->chunks->a->id) {
			return false;
		}
	}
	return true;
}

static uint64_t gathered(const ent_engine *e) {
	return ent_cells_bytes(e->cells) + ent_ledger_dirty(e->ledger) + ent__pending_bytes(e);
}

/* Has so much gathered that it has to be committed before more is folded? */
static bool full(const ent_engine *e) { return gathered(e) > (uint64_t)e->config->commit.bytes; }

/* Folds what can be folded. Returns whether anything happened. */
static bool fold_work(run *r, ent__work *w, bool commit_due) {
	bool moved = false;
	while (w->chunks && w->chunks->a && !r->status) {
		ent__chunk *c = w->chunks;
		bool whole = c->a->done || c->a->failed;
		if (c->a->failed) {
			chunk_failed(r, w, c);
			return true;
		}
		if (!whole && !(c->a->first && ent_pool_crowded(c->a) && may_relieve(r, w, commit_due))) {
			break;
		}
		if (c->a->first) {
			moved = true;
			if (!whole) {
				w->partial = true;
			}
			if (!fold_batches(r, w, c)) {
				return true;
			}
		}
		if (!whole) {
			break;
		}
		if (c->a->batches == 0 && c->a->begin != w->folded) {
			/* a chunk without any record, which does not continue the one before: it guessed wrong where records begin */
			if (c->exact) {
				misplaced(r, w, c, c->a->begin);
			} else {
				start_over(r, w);
			}
			return true;
		}
		if (!c->a->eof && c->a->end <= w->folded) {
			misplaced(r, w, c, c->a->end); /* it would never come to an end */
			return true;
		}
		if (!w->begun && begin_work(r, w)) {
			r->status = r->error->code;
			return true;
		}
		moved = true;
		complete_chunk(r, w, c);
		if (w->finished || full(r->e)) { /* many may lie ready, read while the last commit was waited for */
			break;
		}
	}
	return moved;
}

/* ---- giving out ---------------------------------------------------------------------------------------------------------------- */

static int open_work(run *r, ent__work *w) {
	const ent_input *input = &r->e->inputs[w->input];
	ent_error e = {0};
	if (w->fd < 0) {
		w->fd = open(w->path, O_RDONLY | O_CLOEXEC);
	}
	struct stat st;
	if (w->fd < 0 || fstat(w->fd, &st)) {
		ent_error_errno(&e, ENT_ERR_IO, "cannot open the file");
	} else if ((uint64_t)st.st_size != input->size) {
		ent_error_set(&e, ENT_ERR_IO, "the file changed while it was being read");
		ent_error_todo(&e, "run again when it is whole; `settle:` leaves files alone that are still growing");
	}
	if (e.code) {
		give_up(r, w, &e, 0, false);
	}
	return e.code;
}

/* Gives one more chunk of the document to a worker, if there is one. */
static bool give_chunk(run *r, ent__work *w) {
	ent_engine *e = r->e;
	const ent_input *input = &e->inputs[w->input];
	if (w->finished || !ent_pool_ready(e->pool, w->stream->decoder)) {
		return false;
	}
	ent__chunk *c = NULL;
	if (w->chunks && !w->chunks->a) {
		c = w->chunks; /* again */
	} else {
		unsigned under_way = 0;
		for (ent__chunk *x = w->chunks; x; x = x->next) {
			under_way++;
		}
		unsigned alive, started, died;
		ent_pool_counts(e->pool, &alive, &started, &died);
		if (w->all_asked || under_way >= AHEAD * (alive ? alive : 1)) {
			return false;
		}
	}
	if (w->fd < 0 && open_work(r, w)) {
		return true;
	}
	if (!c) {
		c = ent_xcalloc(1, sizeof *c);
		c->work = w;
		c->begin = w->next;
		*w->chunks_end = c;
		w->chunks_end = &c->next;
	}
	bool last = !w->splittable || input->size - c->begin <= CHUNK_BYTES + CHUNK_BYTES / 2;
	c->end = last ? UINT64_MAX : c->begin + CHUNK_BYTES;
	c->exact = c->begin == w->folded;
	w->next = last ? input->size : c->end;
	w->all_asked = last;
	ent_decode_order o = {.decoder = w->stream->decoder, .instance = w->stream->instance, .options = &w->stream->options,
		.framing = w->stream->framing, .fd = w->fd, .name = input->name, .origin = "",
		.arrived = {.v = e->now_us, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT},
		.modified = {.v = (int64_t)(input->mtime_ns / 1000), .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT},
		.begin = c->begin, .end = c->end, .exact = c->exact};
	c->a = ent_xcalloc(1, sizeof *c->a);
	c->a->owner = c;
	if (ent_pool_decode(e->pool, &o, c->a, r->error)) {
		free(c->a);
		c->a = NULL;
		r->status = r->error->code;
	}
	ent__rules_prepare(e); /* now that there is something to judge */
	return true;
}

static bool give_out(run *r) {
	bool moved = false;
	r->closing |= atomic_load(&r->e->interrupted) || (r->until_ns && uv_hrtime() >= r->until_ns);
	for (bool again = true; again && !r->status;) {
		again = false;
		for (unsigned i = 0; i < r->n_active && !r->status; i++) {
			if (!r->closing || in_place_of(r->active[i])) {
				again |= give_chunk(r, r->active[i]);
			}
		}
		moved |= again;
		/* a further document where those at hand cannot keep the workers busy */
		if (!again && !r->closing && r->next_work && r->n_active < sizeof r->active / sizeof *r->active &&
			ent_pool_ready(r->e->pool, r->next_work->stream->decoder)) {
			r->active[r->n_active++] = r->next_work;
			r->next_work = r->next_work->next_work;
			again = true;
		}
	}
	return moved;
}

/* ---- the loop -------------------------------------------------------------------------------------------------------------------- */

static void on_batch(void *ctx, ent_assignment *a, const ent_slot_batch *b) {
	ent_error nonsense = {0};
	if (ent__take_texts(ctx, ent_pool_dictionary(a->worker), b, &nonsense)) {
		ent_pool_condemn(((ent_engine *)ctx)->pool, a, &nonsense);
	}
}

static void on_finished(void *ctx, ent_assignment *a) {
	(void)ctx; /* the loop looks at every chunk after each turn */
	(void)a;
}

static void on_log(void *ctx, const char *plugin, int level, const char *text) {
	(void)ctx;
	(void)plugin;
	(void)level;
	(void)text;
}

const ent_pool_events ent__dispatch_events = {on_batch, on_finished, on_log};

static void on_tick(uv_timer_t *timer) {
	run *r = timer->data;
	ent_pool_tick(r->e->pool);
	if (r->progress) {
		r->progress(r->progress_ctx, &r->e->report->progress);
	}
}

static void on_signal(uv_signal_t *handle, int number) {
	(void)number;
	((run *)handle->data)->stopping = true;
}

static void retire(run *r) {
	unsigned kept = 0;
	for (unsigned i = 0; i < r->n_active; i++) {
		ent__work *w = r->active[i];
		if (!w->finished) {
			r->active[kept++] = w;
		} else if (w->fd >= 0) {
			close(w->fd);
			w->fd = -1;
		}
	}
	r->n_active = kept;
}

/* May what has gathered be committed before a commit is due? When the thread for it has nothing to do: then little is left for
 * the end of the run, where everybody waits for it. It costs hardly anything while each day of a partner is met once, as in
 * files of one partner; less often where some are met again, as in files by day; and not at all where most are, for to add to
 * a day costs more than to write a new one. */
static bool commit_early(const ent_engine *e) {
	uint64_t least = (uint64_t)e->config->commit.bytes / (e->added.known ? 4 : 8);
	return !e->committing && gathered(e) > least && e->added.known <= e->added.fresh / 2;
}

static bool step(run *r) {
	ent_engine *e = r->e;
	if (e->committing && ent__commit_idle(e)) {
		r->status = ent__commit_wait(e, r->error);
	}
	bool early = commit_early(e);
	bool due = full(e) || uv_hrtime() - e->last_commit_ns > (uint64_t)e->config->commit.every_us * 1000;
	bool moved = false;
	uint64_t began = uv_hrtime();
	for (unsigned i = 0; i < r->n_active && !r->status; i++) {
		moved |= fold_work(r, r->active[i], due);
		if (!due && full(e)) {
			due = true;
			if (!any_partial(r)) {
				break; /* what else lies ready waits for the commit */
			}
		}
	}
	e->report->stages.folding += uv_hrtime() - began;
	retire(r);
	if ((due || early) && !r->status && !any_partial(r) && !replacing(r)) {
		r->status = ent__commit_begin(e, r->error);
	}
	if (!r->status) {
		moved |= give_out(r);
	}
	return moved;
}

/* Is anything given out that has to be waited for? A chunk that was dropped, or whose worker died, is given out no more. */
static bool under_way(const run *r) {
	for (unsigned i = 0; i < r->n_active; i++) {
		const ent__work *w = r->active[i];
		if (in_place_of(w) || (w->chunks && w->chunks->a)) {
			return true;
		}
	}
	return false;
}

int ent__dispatch(ent_engine *e, ent__work *works, void (*progress)(void *ctx, const ent_ingest_progress *), void *ctx,
	ent_error *error) {
	run *r = ent_xcalloc(1, sizeof *r);
	r->e = e;
	r->works = r->next_work = works;
	r->error = error;
	r->progress = progress;
	r->progress_ctx = ctx;
	e->last_commit_ns = uv_hrtime();
	uv_timer_t tick;
	uv_signal_t signals[2];
	uv_timer_init(&e->loop, &tick);
	tick.data = r;
	uv_timer_start(&tick, on_tick, 50, 50);
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&e->loop, &signals[i]);
		signals[i].data = r;
		if (!e->what->service) {
			uv_signal_start(&signals[i], on_signal, i ? SIGTERM : SIGINT);
		}
	}
	for (const ent__work *w = works; w; w = w->next_work) {
		w->stream->bytes_left = w->stream->bytes_done = w->stream->keys = 0;
	}
	for (const ent__work *w = works; w; w = w->next_work) {
		uint64_t size = e->inputs[w->input].size;
		w->stream->bytes_left += size > w->folded ? size - w->folded : 0;
	}
	r->until_ns = e->what->budget_ns ? uv_hrtime() + e->what->budget_ns : 0;
	give_out(r);
	while (!r->status && (r->closing ? under_way(r) : r->n_active || r->next_work)) {
		uint64_t began = uv_hrtime();
		uv_run(&e->loop, UV_RUN_ONCE);
		e->report->stages.waiting += uv_hrtime() - began;
		while (!r->status && !r->stopping && step(r)) {
		}
		if (r->stopping && !r->status) {
			r->status = ent_error_set(error, ENT_ERR_STOPPED, "stopped by a signal");
			ent_error_todo(error, "run again: what was committed stays, the rest is read again");
		}
	}
	e->report->more = !r->status && (r->n_active || r->next_work);
	for (unsigned i = 0; i < r->n_active; i++) {
		drop_chunks(r, r->active[i]->chunks);
		r->active[i]->chunks = NULL;
	}
	uv_timer_stop(&tick);
	uv_close((uv_handle_t *)&tick, NULL);
	for (int i = 0; i < 2; i++) {
		uv_close((uv_handle_t *)&signals[i], NULL);
	}
	uv_run(&e->loop, UV_RUN_NOWAIT);
	int status = r->status;
	free(r);
	return status;
}
