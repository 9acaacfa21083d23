/* SPDX-License-Identifier: Apache-2.0
 *
 * One instance of a decoder in the real host (decode/), and what stands between the two: towards the plugin a host that
 * writes down what it says and passes it on (ent__host), towards the host a decoder that calls the plugin, in the
 * manner that a test asks for. In place of the core: batches are taken and thrown away at once.
 *
 * A trial belongs to one thread; two trials may run on two threads. */
#include "conform/conform.h"
#include "conform/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define RING_SLOTS 16u
#define RING_SLOT_BYTES (256u << 10)
#define POISON 0xa5

static _Thread_local ent__trial *current; /* that decodes on this thread */

static ent__trial *trial_of(ent_ctx *c) { return (ent__trial *)c; }

/* ---- in place of the core, and of the worker's socket -------------------------------------------------------------
 */

void ent__message(ent_buf *b, ent_msg type) {
	b->n = 0;
	ent_buf_u32(b, type);
}

void ent__control_send(const ent_buf *b) {
	ent__trial *t = current;
	ent_read r = ent_read_of(b->data, b->n);
	switch (ent_read_u32(&r)) {
	case ENT_MSG_BATCH:
		ent_read_u64(&r);
		ent_read_u64(&r);
		ent_read_u32(&r);
		ent__ring_free(&t->worker->ring, ent_read_u32(&r));
		break;
	case ENT_MSG_DONE:
		ent_read_u64(&r);
		t->begin = ent_read_u64(&r);
		t->end = ent_read_u64(&r);
		break;
	default:
		break;
	}
}

void ent__send_failed(ent_msg about, uint64_t tag, const ent_fault *f) {
	(void)about, (void)tag;
	current->failed = true;
	current->fault = *f;
}

void ent__send_log(int level, const char *text) { (void)level, (void)text; }

uint64_t ent__clock_ns(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint8_t *ent__worker_room(ent__worker *w, uint32_t n) {
	return w->stopping ? NULL : ent__ring_room(&w->ring, n); /* all was freed when it was handed over */
}

/* ---- the host that the plugin sees ---------------------------------------------------------------------------------
 */

/* What the host does with memory is not the plugin's. */
static unsigned leave_plugin(void) {
	unsigned was = ent__inside;
	ent__inside = 0;
	return was;
}

static ent__event *note(ent__trial *t, ent__event_type type, uint64_t place) {
	ENT_GROW(t->events, t->n_events, t->events_capacity);
	ent__event *v = &t->events[t->n_events++];
	*v = (ent__event){.type = type, .place = place, .at = t->text.n};
	return v;
}

static void noted(ent__trial *t) {
	ent__event *v = &t->events[t->n_events - 1];
	v->n = t->text.n - v->at;
}

static void told(ent__trial *t, ent__event_type type, const char *text, uint64_t place) {
	if (t->watcher.text && text) {
		t->watcher.text(t->watcher.ctx, t, type, text, place);
	}
}

static uint64_t place_of(ent__trial *t, uint64_t place) {
	return t->ctx.run.phase == ENT__PHASE_NONE ? place : ent__real_place(&t->ctx, place);
}

static ent_status push(ent_ctx *c, ent_fact kind, const void *items, size_t stride, size_t n) {
	unsigned was = leave_plugin();
	ent__trial *t = trial_of(c);
	size_t size = ent__fact_size(kind);
	for (size_t i = 0; !t->quiet && size && stride >= sizeof(ent_head) && i < n; i++) {
		union {
			ent_head head;
			ent_order order;
			ent_visit visit;
			ent_observation observation;
			char room[512];
		} fact = {0};
		memcpy(&fact, (const char *)items + i * stride, stride < size ? stride : size);
		uint64_t place = place_of(t, fact.head.place);
		fact.head.place = ent__source_place(c, place);
		ent__event *v = note(t, ENT__SAID_FACT, place);
		v->kind = kind;
		v->retract = fact.head.op == ENT_RETRACT;
		v->refused = ent__fact_check(kind, &fact) != NULL || !ent__fact_texts_good(kind, &fact);
		ent__fact_write(&t->text, kind, &fact);
		noted(t);
		if (t->watcher.fact) {
			t->watcher.fact(t->watcher.ctx, t, kind, &fact, place);
		}
	}
	ent_status status = ent__host.push(c, kind, items, stride, n);
	ent__inside = was;
	return status;
}

static void verdict(ent__trial *t, ent__event_type type, const char *word, uint64_t place, uint32_t column,
	const char *why, const char *todo) {
	const ent_column *columns = t->ctx.columns;
	ent_buf b = {0}, both = {0};
	if (t->quiet) {
		return;
	}
	note(t, type, place);
	ent_buf_u8(&b, '{');
	ent__write_text(&b, "verdict", (ent_str){word, strlen(word)});
	ent__write_number(
		&b, "place", (int64_t)(t->ctx.run.phase == ENT__PHASE_NONE ? place : ent__source_place(&t->ctx, place)));
	for (uint32_t i = 0; columns && column != ENT_NO_COLUMN && i <= column && columns[i].name; i++) {
		if (i == column) {
			ent__write_text(&b, "column", (ent_str){columns[i].name, strlen(columns[i].name)});
		}
	}
	ent_buf_printf(&both, "%s%s%s", why ? why : "", todo ? "; " : "", todo ? todo : "");
	ent__write_text(&b, "why", (ent_str){both.data ? (char *)both.data : "", both.n});
	ent_buf_printf(&b, "}\n");
	ent_buf_add(&t->text, b.data, b.n);
	noted(t);
	ent_buf_finish(&b);
	ent_buf_finish(&both);
	told(t, type, why, place);
	told(t, type, todo, place);
}

static void reject(ent_ctx *c, uint64_t place, uint32_t column, const char *why) {
	unsigned was = leave_plugin();
	verdict(trial_of(c), ENT__SAID_REJECT, "reject", place_of(trial_of(c), place), column, why, NULL);
	ent__host.reject(c, place, column, why);
	ent__inside = was;
}

static void skip(ent_ctx *c, uint64_t place, const char *why) {
	unsigned was = leave_plugin();
	verdict(trial_of(c), ENT__SAID_SKIP, "skip", place_of(trial_of(c), place), ENT_NO_COLUMN, why, NULL);
	ent__host.skip(c, place, why);
	ent__inside = was;
}

static ent_status error(ent_ctx *c, uint64_t place, uint32_t column, const char *what, const char *todo) {
	unsigned was = leave_plugin();
	verdict(trial_of(c), ENT__SAID_ERROR, "error", place_of(trial_of(c), place), column, what, todo ? todo : "");
	ent_status status = ent__host.error(c, place, column, what, todo);
	ent__inside = was;
	return status;
}

/* Golden files are compared between machines: no secret, but FNV-1a with the kind's space mixed in, twice. */
static ent_id identity(ent_ctx *c, ent_id_kind kind, ent_str s) {
	const uint64_t prime = UINT64_C(0x100000001b3);
	uint64_t h = (UINT64_C(0xcbf29ce484222325) ^ (kind == ENT_ID_COOKIE ? 2 : kind == ENT_ID_STAFF ? 3 : 1)) * prime;
	ent_id id = {{0}};
	bool any = false;
	unsigned was = leave_plugin();
	ent__trial *t = trial_of(c);
	if (t->watcher.identity) {
		t->watcher.identity(t->watcher.ctx, t, kind, s);
	}
	while (s.n && s.p[0] == ' ') {
		s.p++;
		s.n--;
	}
	while (s.n && s.p[s.n - 1] == ' ') {
		s.n--;
	}
	for (size_t i = 0; i < s.n; i++) {
		char b = s.p[i];
		if (kind == ENT_ID_EMAIL && b >= 'A' && b <= 'Z') {
			b = (char)(b | 0x20);
		}
		if (kind == ENT_ID_PHONE && (b < '0' || b > '9')) {
			continue;
		}
		h = (h ^ (unsigned char)b) * prime;
		any = true;
	}
	for (int i = 0; any && i < 16; i++) {
		id.b[i] = (uint8_t)((h >> (i % 8 * 8)) ^ (uint8_t)(i / 8 * 0x55));
	}
	ent__inside = was;
	return id;
}

static void covers(ent_ctx *c, ent_fact kind, ent_time from, ent_time to, int complete) {
	unsigned was = leave_plugin();
	ent__trial *t = trial_of(c);
	ent_buf b = {0};
	note(t, ENT__SAID_COVERS, 0)->kind = kind;
	ent_buf_u8(&b, '{');
	ent__write_number(&b, "covers", kind);
	ent__write_time(&b, "from", from);
	ent__write_time(&b, "to", to);
	ent__write_number(&b, "complete", complete);
	ent_buf_printf(&b, "}\n");
	ent_buf_add(&t->text, b.data, b.n);
	ent_buf_finish(&b);
	noted(t);
	ent__host.covers(c, kind, from, to, complete);
	ent__inside = was;
}

static void slice(ent_ctx *c, ent_str name, int grade) {
	unsigned was = leave_plugin();
	ent__trial *t = trial_of(c);
	ent_buf b = {0};
	note(t, ENT__SAID_SLICE, 0);
	ent_buf_u8(&b, '{');
	ent__write_text(&b, "slice", name);
	ent__write_number(&b, "grade", grade);
	ent_buf_printf(&b, "}\n");
	ent_buf_add(&t->text, b.data, b.n);
	ent_buf_finish(&b);
	noted(t);
	ent__host.slice(c, name, grade);
	ent__inside = was;
}

static void cursor(ent_ctx *c, const char *name, ent_str value) {
	unsigned was = leave_plugin();
	note(trial_of(c), ENT__SAID_CURSOR, 0);
	ent__host.cursor(c, name, value);
	ent__inside = was;
}

static void log_line(ent_ctx *c, int level, const char *text) {
	unsigned was = leave_plugin();
	ent__trial *t = trial_of(c);
	note(t, ENT__SAID_LOG, 0);
	told(t, ENT__SAID_LOG, text, 0);
	ent__host.log(c, level, text);
	ent__inside = was;
}

static int money(ent_str text, char decimal, char group, int64_t *micro) {
	return ent__host.money(text, decimal, group, micro);
}

static int time_of(ent_str text, const char *pattern, ent_time *out) { return ent__host.time(text, pattern, out); }

static const ent_host watched = {
	.size = sizeof(ent_host),
	.minor = ENT_PLUGIN_MINOR,
	.push = push,
	.reject = reject,
	.skip = skip,
	.error = error,
	.identity = identity,
	.covers = covers,
	.slice = slice,
	.cursor = cursor,
	.log = log_line,
	.money = money,
	.time = time_of,
};

/* ---- the decoder that the host sees --------------------------------------------------------------------------------
 */

/* Notes what is called, and whether it failed. */
#define CALL(t, member, ...)                                                                                           \
	({                                                                                                                 \
		if ((t)->manner.turn) {                                                                                        \
			(t)->manner.turn((t)->manner.turn_ctx);                                                                    \
		}                                                                                                              \
		(t)->function = #member;                                                                                       \
		ent__inside++;                                                                                                 \
		ent_status s_ = (t)->decoder->member(__VA_ARGS__);                                                             \
		ent__inside--;                                                                                                 \
		(t)->returned = s_;                                                                                            \
		s_;                                                                                                            \
	})

static int keep_bytes(void *to, const void *bytes, size_t n) {
	unsigned was = leave_plugin();
	ent_buf_add(to, bytes, n);
	ent__inside = was;
	return 0;
}

/* The stream stops here and goes on in another process: all that is left of the instance is what save() writes. */
static ent_status resume(ent__trial *t) {
	if (!t->manner.resume || !t->decoder->save) {
		return ENT_OK;
	}
	ent_buf state = {0};
	ent_status status = CALL(t, save, t->self, keep_bytes, &state);
	if (!status) {
		ent__inside++;
		t->decoder->destroy(t->self);
		ent__inside--;
		t->self = NULL;
		status = CALL(t, create, &watched, &t->ctx, t->of->values, &t->self);
		if (status) {
			t->self = NULL;
		}
	}
	if (!status) {
		size_t said = t->text.n, events = t->n_events;
		status = CALL(t, begin, t->self, t->doc);
		t->text.n = said; /* begin() said it before */
		t->n_events = events;
	}
	if (!status) {
		status = CALL(t, load, t->self, ((ent_str){state.data ? (char *)state.data : "", state.n}));
	}
	ent_buf_finish(&state);
	return status;
}

static ent_status between_begin(void *self, const ent_doc *doc) {
	ent__trial *t = self;
	t->doc = doc;
	if (!t->manner.poison) {
		return CALL(t, begin, t->self, doc);
	}
	ent_doc *own = ent_xmalloc(sizeof *own + doc->name.n);
	*own = *doc;
	own->name.p = memcpy(own + 1, doc->name.p, doc->name.n);
	ent_status status = CALL(t, begin, t->self, own);
	memset(own, POISON, sizeof *own + doc->name.n);
	free(own);
	return status;
}

static const ent_column *between_wants(void *self) {
	ent__trial *t = self;
	ent__inside++;
	const ent_column *columns = t->decoder->wants(t->self);
	ent__inside--;
	return columns;
}

static int between_starts(void *self, const ent_row *before, const ent_row *row) {
	ent__trial *t = self;
	ent__inside++;
	int starts = t->decoder->starts(t->self, before, row);
	ent__inside--;
	return starts;
}

static void record(ent__trial *t, uint64_t place, uint64_t end) {
	if (t->records_wanted) {
		ENT_GROW(t->records, t->n_records, t->records_capacity);
		t->records[t->n_records++] = (ent__record){place, end};
	}
}

/* The row's cells, and the row itself, in memory of their own. */
static ent_status poisoned_row(ent__trial *t, const ent_row *row) {
	size_t bytes = 0;
	for (size_t i = 0; i < row->n; i++) {
		bytes += row->cell[i].n;
	}
	size_t head = sizeof *row + row->n * sizeof *row->cell, all = head + bytes;
	char *copy = ent_xmalloc(all + 1), *at = copy + head;
	ent_row *own = (ent_row *)copy;
	ent_str *cells = (ent_str *)(own + 1);
	*own = *row;
	own->cell = cells;
	for (size_t i = 0; i < row->n; i++) {
		cells[i] = row->cell[i];
		if (cells[i].p) {
			memcpy(at, cells[i].p, cells[i].n);
			cells[i].p = at;
			at += cells[i].n;
		}
	}
	ent_status status = CALL(t, row, t->self, own);
	memset(copy, POISON, all);
	free(copy);
	return status;
}

static ent_status between_row(void *self, const ent_row *row) {
	ent__trial *t = self;
	record(t, row->place, row->place + 1);
	ent_status status = t->manner.poison ? poisoned_row(t, row) : CALL(t, row, t->self, row);
	return status ? status : resume(t);
}

static ent_status poisoned_feed(ent__trial *t, ent_str bytes, int eof) {
	char *copy = ent_xmalloc(bytes.n + ENT_FEED_PADDING);
	memcpy(copy, bytes.p, bytes.n);
	memset(copy + bytes.n, 0, ENT_FEED_PADDING);
	ent_status status = CALL(t, feed, t->self, ((ent_str){copy, bytes.n}), eof);
	memset(copy, POISON, bytes.n + ENT_FEED_PADDING);
	free(copy);
	return status;
}

static void record_lines(ent__trial *t, ent_str bytes) {
	uint64_t place = t->ctx.run.piece_place;
	for (const char *p = bytes.p, *stop = bytes.p + bytes.n; p < stop;) {
		const char *end = memchr(p, '\n', (size_t)(stop - p));
		end = end ? end + 1 : stop;
		record(t, place + (uint64_t)(p - bytes.p), place + (uint64_t)(end - bytes.p));
		p = end;
	}
}

static ent_status between_feed(void *self, ent_str bytes, int eof) {
	ent__trial *t = self;
	bool lines = t->decoder->frame == ENT_FRAME_JSONL;
	bool copied = t->manner.poison || t->manner.cuts; /* pieces have room behind them, too */
	const size_t *cut = t->manner.cuts;
	uint64_t fed = t->ctx.run.fed; /* cuts count from the beginning of the document */
	ent_status status = ENT_OK;
	size_t at = 0;
	if (lines && t->records_wanted) {
		record_lines(t, bytes);
	}
	do {
		size_t end = bytes.n;
		while (cut && *cut != SIZE_MAX && *cut <= fed + at) {
			cut++;
		}
		if (cut && *cut != SIZE_MAX && *cut - fed < bytes.n) {
			end = (size_t)(*cut - fed);
			if (lines) {
				const char *stop = memchr(bytes.p + end - 1, '\n', bytes.n - end + 1);
				end = stop ? (size_t)(stop + 1 - bytes.p) : bytes.n;
			}
		}
		ent_str piece = {bytes.p + at, end - at};
		int last = eof && end == bytes.n;
		status = copied ? poisoned_feed(t, piece, last) : CALL(t, feed, t->self, piece, last);
		if (!status && !last) {
			status = resume(t);
		}
		at = end;
	} while (!status && at < bytes.n);
	return status;
}

static ent_status between_end(void *self) {
	ent__trial *t = self;
	return CALL(t, end, t->self);
}

/* A memory file with these bytes: a new one, or `fd` (-1: none) anew. */
static int document(const char *bytes, size_t n, int fd) {
	fd = fd < 0 ? memfd_create("document", MFD_CLOEXEC) : fd;
	if (fd < 0 || ftruncate(fd, 0)) {
		abort();
	}
	for (size_t at = 0; at < n;) {
		ssize_t put = pwrite(fd, bytes + at, n - at, (off_t)at);
		if (put < 0 && errno != EINTR) {
			abort(); /* no memory for a document: nothing can be tested */
		}
		at += put > 0 ? (size_t)put : 0;
	}
	return fd;
}

/* ---- a trial ------------------------------------------------------------------------------------------------------
 */

static void worker_init(ent__worker *w) {
	static const uint8_t key[32] = "any key will do, it stays in her";
	size_t bytes = (size_t)RING_SLOTS * RING_SLOT_BYTES;
	ent__batch_init(&w->batch, w);
	ent__identity_init(&w->identity, key);
	w->ring = (ent__ring){.head = &ent__where->head,
		.slots_at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		.slots = RING_SLOTS,
		.slot_bytes = RING_SLOT_BYTES,
		.handed = ent_xcalloc(RING_SLOTS, sizeof(struct ent__span))};
	if (w->ring.slots_at == MAP_FAILED) {
		abort();
	}
}

ent__trial *ent__trial_open_with(const ent__case *c, const ent_value *values, ent_status *status, ent_fault *f) {
	ent__trial *t = ent_xcalloc(1, sizeof *t), *before = current;
	t->of = c;
	t->decoder = c->decoder;
	t->fd = -1;
	t->beside = c->beside ? document(c->beside, c->beside_n, -1) : -1;
	t->worker = ent_xcalloc(1, sizeof *t->worker);
	worker_init(t->worker);
	t->between = (ent_decoder){.size = sizeof t->between,
		.flags = c->decoder->flags,
		.name = c->decoder->name,
		.doc = c->decoder->doc,
		.version = c->decoder->version,
		.system = c->decoder->system,
		.facts = c->decoder->facts,
		.frame = c->decoder->frame,
		.options = c->decoder->options,
		.columns = c->decoder->columns,
		.wants = c->decoder->wants ? between_wants : NULL,
		.begin = between_begin,
		.row = c->decoder->row ? between_row : NULL,
		.feed = c->decoder->feed ? between_feed : NULL,
		.starts = c->decoder->starts ? between_starts : NULL,
		.end = between_end};
	t->ctx.worker = t->worker;
	t->ctx.number = 1;
	t->ctx.decoder = &t->between;
	t->ctx.columns = c->decoder->columns;
	t->ctx.framing = c->framing;
	t->ctx.self = t;
	t->worker->instances = &t->ctx;
	current = t;
	ent_status created = CALL(t, create, &watched, &t->ctx, values, &t->self);
	current = before;
	if (status) {
		*status = created;
	}
	if (created) {
		if (f) {
			*f = t->ctx.run.fault;
		}
		t->decoder = NULL; /* on error nothing is kept: no destroy() */
		ent__trial_close(t);
		return NULL;
	}
	t->ctx.run = (ent__run){0};
	return t;
}

ent__trial *ent__trial_open(const ent__case *c, ent_fault *f) { return ent__trial_open_with(c, c->values, NULL, f); }

void ent__trial_close(ent__trial *t) {
	if (!t) {
		return;
	}
	if (t->decoder) {
		ent__inside++;
		t->decoder->destroy(t->self);
		ent__inside--;
	}
	if (t->fd >= 0) {
		close(t->fd);
	}
	if (t->beside >= 0) {
		close(t->beside);
	}
	ent__batch_finish(&t->worker->batch);
	munmap(t->worker->ring.slots_at, (size_t)RING_SLOTS * RING_SLOT_BYTES);
	free(t->worker->ring.handed);
	free(t->worker);
	ent_buf_finish(&t->text);
	free(t->events);
	free(t->records);
	free(t);
}

void ent__trial_forget(ent__trial *t) {
	t->text.n = t->n_events = t->n_records = 0;
	t->failed = t->refused = false;
	t->returned = ENT_OK;
	t->function = "";
	t->consumed = t->rejected = t->skipped = t->facts = t->owed = 0;
}

static void put_time(ent_buf *b, ent_time t) { ent_buf_add(b, &t, sizeof t); }

static bool decode(ent__trial *t, int fd, uint64_t begin, uint64_t end, bool exact) {
	ent_buf b = {0};
	ent_time none = {0};
	t->failed = false;
	ent__message(&b, ENT_MSG_DECODE);
	ent_buf_u64(&b, 1);
	ent_buf_u32(&b, t->ctx.number);
	ent_buf_text(&b, t->of->document);
	ent_buf_text(&b, "");
	put_time(&b, none);
	put_time(&b, none);
	ent_buf_u64(&b, begin);
	ent_buf_u64(&b, end);
	ent_buf_u32(&b, t->beside >= 0);
	ent_buf_u8(&b, exact ? ENT_DECODE_EXACT : 0);
	ent__packet *p = ent_xcalloc(1, sizeof *p + b.n);
	memcpy(p->data, b.data, b.n);
	p->n = b.n;
	p->read = ent_read_of(p->data, p->n);
	p->type = ent_read_u32(&p->read);
	p->fds[0] = fd;
	p->fds[1] = t->beside;
	p->n_fds = 1 + (t->beside >= 0);
	ent__trial *before = current;
	size_t said = t->n_events;
	current = t;
	ent__decode(t->worker, p);
	current = before;
	bool told_why = !t->failed;
	for (size_t i = said; i < t->n_events && !told_why; i++) {
		told_why = t->events[i].type == ENT__SAID_ERROR;
	}
	if (!told_why) { /* the host did not give it to the plugin, or the plugin failed without a word */
		t->refused_at = t->text.n;
		verdict(t, ENT__SAID_ERROR, "error", t->fault.place, ENT_NO_COLUMN, t->fault.e.what, t->fault.e.todo);
		t->refused = true;
	}
	t->doc = NULL;
	const ent__batch *batch = &t->worker->batch;
	t->consumed += batch->all_consumed;
	t->rejected += batch->all_rejected;
	t->skipped += batch->all_skipped;
	t->facts += batch->all_facts;
	t->owed += batch->owed_rejected + batch->owed_skipped;
	free(p);
	ent_buf_finish(&b);
	return !t->failed;
}

void ent__trial_give(ent__trial *t, const char *bytes, size_t n) { t->fd = document(bytes, n, t->fd); }

bool ent__trial_decode(ent__trial *t, const char *bytes, size_t n) {
	ent__trial_give(t, bytes, n);
	ent__trial_forget(t);
	return decode(t, t->fd, 0, UINT64_MAX, false);
}

bool ent__trial_range(ent__trial *t, uint64_t begin, uint64_t end, bool exact) {
	return decode(t, t->fd, begin, end, exact);
}

bool ent__trial_pipe(ent__trial *t, int fd) {
	ent__trial_forget(t);
	return decode(t, fd, 0, UINT64_MAX, false);
}

bool ent__trial_refused(const ent__trial *t) { return t->refused; }

void ent__trial_cut(ent__trial *t) {
	if (t->refused) {
		t->text.n = t->refused_at;
	}
}

const char *ent__trial_text(ent__trial *t) {
	ent_buf_reserve(&t->text, 1);
	t->text.data[t->text.n] = 0;
	return (const char *)t->text.data;
}
