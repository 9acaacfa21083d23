/* SPDX-License-Identifier: Apache-2.0
 *
 * The tap, see tap.h. One worker reads one document after another, so that they come in their order. Loop thread only.
 */
#include "engine/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/pattern.h"
#include "engine/plan.h"
#include "facts/batch.h"
#include "transport/files.h"
#include "transport/spool.h"

enum { TICK_MS = 50, LOOK_MS = 250 };

/* What was read of a file so far. */
typedef struct seen {
	char *name;
	uint64_t inode, device, upto;
	int64_t changed_ns;
} seen;

typedef struct tap {
	ent_engine *e;
	ent__source *source;
	const ent_tap_what *what;
	const ent_tap_events *events;
	void *ctx;
	ent_pool *pool;
	ent_errors *errors;
	uv_timer_t tick;
	uv_signal_t interrupt, terminate;
	bool stop;
	seen *seen;
	size_t n_seen, seen_capacity;
	uint64_t documents;
} tap;

/* ---- what a worker hands over
 * ------------------------------------------------------------------------------------------ */

static void text_of(const ent_str *s, char *out, size_t size) {
	size_t n = s->n < size ? s->n : size - 1;
	memcpy(out, s->p, n);
	out[n] = 0;
}

static int show_reject(tap *t, const ent_tap_document *d, const ent_wire_item *item, ent_error *error) {
	const ent_wire_reject *head;
	ent_str reason, column, excerpt, sealed;
	char texts[3][512];
	if (ent_batch_reject(item, &head, &reason, &column, &excerpt, &sealed, error)) {
		return error->code;
	}
	text_of(&reason, texts[0], sizeof texts[0]);
	text_of(&column, texts[1], sizeof texts[1]);
	text_of(&excerpt, texts[2], sizeof texts[2]);
	ent_tap_reject r = {head->place, head->line, texts[0], texts[1], texts[2]};
	t->stop |= !t->events->reject(t->ctx, d, &r);
	return 0;
}

static int show_item(
	tap *t, const ent_tap_document *d, const ent_dictionary *words, const ent_wire_item *item, ent_error *error) {
	ent_engine *e = t->e;
	const ent_wire_covers *covers;
	ent_wire_skips skips;
	ent_str name;
	char text[512];
	int32_t grade;
	switch (item->type) {
	case ENT_ITEM_DOC:
		if (ent_batch_document(item, words->codes, words->n, &e->incoming, error)) {
			return error->code;
		}
		t->stop |= !t->events->facts(t->ctx, d, &e->incoming);
		return 0;
	case ENT_ITEM_REJECT:
		return show_reject(t, d, item, error);
	case ENT_ITEM_COVERS:
		if (!ent_batch_covers(item, &covers, error)) {
			t->events->covers(t->ctx, d, covers->kind, ent_wire_time_unpack(covers->from),
				ent_wire_time_unpack(covers->to), covers->complete != 0);
		}
		return error->code;
	case ENT_ITEM_SLICE:
		if (!ent_batch_slice(item, &grade, &name, error)) {
			text_of(&name, text, sizeof text);
			t->events->slice(t->ctx, d, text, grade);
		}
		return error->code;
	case ENT_ITEM_SKIPS:
		if (item->bytes < sizeof skips) {
			return ent_error_set(
				error, ENT_ERR_WORKER, "the worker wrote nonsense into its ring: skips of %u bytes", item->bytes);
		}
		memcpy(&skips, item, sizeof skips);
		t->events->skips(
			t->ctx, d, skips.count, skips.reason < words->n ? ent__text(e, words->codes[skips.reason]) : "");
		return 0;
	default: /* texts were taken when the batch came; cursors are for polls */
		return 0;
	}
}

static int show_batch(
	tap *t, const ent_tap_document *d, const ent_assignment *a, const ent_slot_batch *slot, ent_error *error) {
	ent_batch b;
	const ent_wire_item *item;
	int status = ent_batch_open(&b, ent_pool_bytes(slot), slot->bytes, a->id, slot->seq, &t->e->item, error);
	while (!status && !t->stop && (item = ent_batch_next(&b, error))) {
		status = show_item(t, d, ent_pool_dictionary(a->worker), item, error);
	}
	return status ? status : error->code;
}

static void on_batch(void *ctx, ent_assignment *a, const ent_slot_batch *b) {
	tap *t = ctx;
	ent_error nonsense = {0};
	if (ent__take_texts(t->e, ent_pool_dictionary(a->worker), b, &nonsense)) {
		ent_pool_condemn(t->pool, a, &nonsense);
	}
}

static void on_finished(void *ctx, ent_assignment *a) {
	(void)ctx; /* whoever gave it out looks after each turn of the loop */
	(void)a;
}

static void on_log(void *ctx, const char *plugin, int level, const char *text) {
	(void)ctx;
	(void)plugin;
	(void)level;
	(void)text;
}

static const ent_pool_events pool_events = {on_batch, on_finished, on_log};

static void on_tick(uv_timer_t *timer) {
	tap *t = timer->data;
	if (t->pool) {
		ent_pool_tick(t->pool);
	}
}

static void on_signal(uv_signal_t *handle, int number) {
	(void)number;
	((tap *)handle->data)->stop = true;
}

/* Takes all batches of an order as they come. */
static void follow_order(tap *t, const ent_tap_document *d, ent_assignment *a, ent_error *error) {
	bool nonsense = false;
	while (!t->stop && (a->first || !(a->done || a->failed))) {
		if (!a->first) {
			uv_run(&t->e->loop, UV_RUN_ONCE);
			continue;
		}
		ent_slot_batch *slot = a->first;
		if (!nonsense && show_batch(t, d, a, slot, error)) {
			ent_pool_condemn(t->pool, a, error);
			nonsense = true;
		}
		a->first = slot->next;
		a->last = a->first ? a->last : NULL;
		ent_pool_release(t->pool, slot);
		t->stop |= !t->events->batch(t->ctx);
	}
}

/* ---- documents
 * --------------------------------------------------------------------------------------------------------- */

static void fail_at(tap *t, const ent_tap_document *d, uint64_t place, const char *name, ent_error *error) {
	if (!error->file[0]) {
		ent_error_at(error, name, error->line, error->column);
	}
	t->events->failed(t->ctx, d, place, error);
}

static void fail(tap *t, const char *name, ent_error *error) { fail_at(t, NULL, UINT64_MAX, name, error); }

/* Where the last line ends: behind it somebody may be writing. */
static uint64_t whole_lines(int fd, uint64_t size) {
	char piece[1 << 16];
	while (size) {
		size_t want = size < sizeof piece ? (size_t)size : sizeof piece;
		ssize_t n = pread(fd, piece, want, (off_t)(size - want));
		const char *end = n > 0 ? memrchr(piece, '\n', (size_t)n) : NULL;
		if (n <= 0 || end) {
			return end ? size - want + (uint64_t)(end - piece) + 1 : 0;
		}
		size -= want;
	}
	return 0;
}

static bool packed(int fd) {
	uint8_t b[4] = {0};
	return pread(fd, b, 4, 0) == 4 &&
		   ((b[0] == 0x1f && b[1] == 0x8b) || (b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd));
}

/* The partner of what names none: the source's, or that of the path. */
static const char *partner_of(const tap *t, const char *name) {
	const ent_partner_rule *rule = &t->source->config->partner;
	ent_match match;
	if (rule->from == ENT_PARTNER_PATH && ent_pattern_match(rule->pattern.s, name, &match)) {
		ent_str part = ent_match_get(&match, "partner");
		return ent__text(t->e, ent__code(t->e, part.p, part.n));
	}
	return rule->fallback.s ? rule->fallback.s : "";
}

/* Decodes what is new of an open file. `log`: lines behind envelopes of the inbox. */
static void decode(tap *t, int fd, const ent_file *file, bool log, seen *was) {
	ent_error error = {0};
	const ent_decoder_info *decoder = ent__decoder_of(t->e, t->source, file->name, fd, &error);
	ent__stream *stream = decoder ? ent__stream_of(t->e, t->source, decoder, t->errors) : NULL;
	if (decoder && !stream) {
		t->stop = true; /* the options are wrong, and so they are for the next one */
		return;
	}
	if (!decoder) {
		was->upto = UINT64_MAX;
		fail(t, file->name, &error);
		return;
	}
	bool pack = packed(fd), lines = decoder->splittable && !pack;
	uint64_t upto = (t->what->follow || log) && lines ? whole_lines(fd, file->size) : file->size;
	if (was->upto == UINT64_MAX || upto <= was->upto) {
		return;
	}
	ent_tap_document d = {
		.name = file->name, .path = pack ? NULL : file->path, .partner = partner_of(t, file->name), .decoder = decoder};
	ent_decode_order o = {.decoder = decoder,
		.instance = stream->instance,
		.options = &stream->options,
		.framing = stream->framing,
		.fd = fd,
		.name = file->name,
		.origin = "",
		.arrived = {.v = t->e->now_us, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT},
		.modified = {.v = file->mtime_ns / 1000, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT},
		.begin = was->upto,
		.end = UINT64_MAX,
		.exact = was->upto != 0,
		.enveloped = log,
		.readable = upto < file->size ? upto : 0};
	int fds[ENT_COMPANIONS_MAX];
	ent__beside beside = {0};
	uint64_t stamp, content;
	if (!log && (ent__beside_find(t->source->config, file->path, &beside, &error) ||
					ent__beside_open(t->source->config, &beside, fds, &stamp, &content, &error))) {
		ent__beside_free(&beside);
		was->upto = UINT64_MAX;
		fail(t, file->name, &error);
		return;
	}
	o.companions = fds;
	o.n_companions = (unsigned)beside.n;
	ent_assignment *a = ent_xcalloc(1, sizeof *a);
	int status = ent_pool_decode(t->pool, &o, a, &error);
	ent__beside_close(&beside, fds); /* what was sent has copies */
	ent__beside_free(&beside);
	if (status) {
		free(a);
		fail(t, file->name, &error);
		t->stop = true;
		return;
	}
	follow_order(t, &d, a, &error);
	was->upto = lines ? upto : UINT64_MAX; /* another decoder cannot go on: what changes is read anew */
	t->documents++;
	if (t->stop && !(a->done || a->failed)) {
		ent_pool_drop(t->pool, a); /* the pool frees it */
		return;
	}
	if (a->failed) {
		was->upto = UINT64_MAX;
		fail_at(t, &d, a->died_at, file->name, &a->error);
	} else if (!t->stop) {
		t->events->done(t->ctx, &d, a);
	}
	ent_pool_drop(t->pool, a);
}

static seen *seen_of(tap *t, const char *name) {
	for (size_t i = 0; i < t->n_seen; i++) {
		if (!strcmp(t->seen[i].name, name)) {
			return &t->seen[i];
		}
	}
	ENT_GROW(t->seen, t->n_seen, t->seen_capacity);
	t->seen[t->n_seen] = (seen){.name = ent_xstrdup(name)};
	return &t->seen[t->n_seen++];
}

static void look_at(tap *t, const ent_file *listed, bool log) {
	ent_file file = *listed;
	ent_error error = {0};
	seen *was = seen_of(t, file.name);
	bool known = was->inode == file.inode && was->device == file.device && (was->inode || was->upto);
	if (known && was->changed_ns == file.changed_ns && was->upto) {
		return;
	}
	bool standard_input = t->source->config->from.kind == ENT_FROM_STDIN && !log && !t->what->input;
	int fd = standard_input ? ent_spool(STDIN_FILENO, "/tmp", &error) : open(file.path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st)) {
		if (!error.code) {
			ent_error_errno(&error, ENT_ERR_IO, "cannot open the file");
		}
		was->upto = UINT64_MAX;
		fail(t, file.name, &error);
	} else {
		bool anew = !known || was->upto == UINT64_MAX || (uint64_t)st.st_size < was->upto;
		*was = (seen){.name = was->name,
			.inode = file.inode,
			.device = file.device,
			.changed_ns = file.changed_ns,
			.upto = anew ? 0 : was->upto};
		file.size = (uint64_t)st.st_size;
		if (standard_input) {
			file.path = NULL;
		}
		decode(t, fd, &file, log, was);
	}
	if (fd >= 0) {
		close(fd);
	}
}

/* ---- where they come from
 * ---------------------------------------------------------------------------------------------- */

/* What came over the network, or through a pipe, and lies in the inbox: the service may be writing there, so whole
 * lines only. */
static void look_into_inbox(tap *t) {
	ent_config_source inbox = *t->source->config;
	inbox.from = (ent_transport_config){.kind = ENT_FROM_DIRECTORY};
	ent_arena arena = {0};
	inbox.from.path.s = ent_arena_printf(&arena, "%s/inbox/%s", t->e->config->store.s, t->source->config->name.s);
	ent_file *files = NULL;
	size_t n = 0;
	ent_error ignored;
	const ent_word *name = &t->source->config->decode.name;
	const ent_decoder_info *named = name->s ? ent__decoder_find(t->e, name->s) : NULL;
	bool lines = named && named->frame == ENT_FRAME_JSONL; /* any other decoder, and `auto`, gets documents */
	if (!access(inbox.from.path.s, F_OK) && !ent_files_list(&inbox, &files, &n, &ignored)) {
		for (size_t i = 0; i < n && !t->stop; i++) {
			size_t length = strlen(files[i].name);
			bool log = length > 4 && !strcmp(files[i].name + length - 4, ".log");
			if (log ? !lines : !strstr(files[i].name, ".doc")) {
				continue; /* ids of deliveries, and what the inbox notes of documents */
			}
			ent_file file = files[i];
			file.name = (char *)ent_arena_printf(&arena, ".inbox/%s", files[i].name);
			look_at(t, &file, log);
		}
	}
	ent_files_free(files, n);
	ent_arena_finish(&arena);
}

static void look_into_files(tap *t) {
	ent_file *files = NULL;
	size_t n = 0;
	ent_error error = {0};
	if (ent_files_list(t->source->config, &files, &n, &error)) {
		fail(t, t->source->config->name.s, &error);
		t->stop |= !t->what->follow;
	}
	ent__beside_leave_out(t->source->config, files, &n);
	for (size_t i = 0; i < n && !t->stop; i++) {
		look_at(t, &files[i], false);
	}
	ent_files_free(files, n);
}

static void look_into_input(tap *t) {
	struct stat st;
	ent_error error = {0};
	const char *slash = strrchr(t->what->input, '/');
	if (stat(t->what->input, &st)) {
		ent_error_errno(&error, ENT_ERR_IO, "cannot open the file");
		fail(t, t->what->input, &error);
		t->stop = true;
		return;
	}
	ent_file file = {.path = (char *)t->what->input,
		.name = (char *)(slash ? slash + 1 : t->what->input),
		.size = (uint64_t)st.st_size,
		.inode = st.st_ino,
		.device = st.st_dev,
		.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		.changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec};
	look_at(t, &file, false);
}

static void look(tap *t) {
	if (t->what->input) {
		look_into_input(t);
		return;
	}
	if (t->source->config->from.kind < ENT_FROM_WEBHOOK) {
		look_into_files(t);
	}
	if (!t->stop && t->source->config->from.kind >= ENT_FROM_STDIN) { /* a service puts standard input there, too */
		look_into_inbox(t);
	}
}

void ent_tap_key(const ent_engine *e, const char *key, size_t n, char out[16]) {
	uint8_t hash[16];
	crypto_generichash(hash, sizeof hash, (const uint8_t *)key, n, e->identity_key, sizeof e->identity_key);
	snprintf(out, 16, "#%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3], hash[4], hash[5]);
}

/* ---- the whole
 * --------------------------------------------------------------------------------------------------------- */

static void pause_for(tap *t, unsigned ms) {
	uint64_t until = uv_hrtime() + ms * UINT64_C(1000000);
	while (!t->stop && uv_hrtime() < until) {
		uv_run(&t->e->loop, UV_RUN_ONCE); /* the tick ends it */
	}
}

static void watch_begin(tap *t) {
	uv_timer_init(&t->e->loop, &t->tick);
	uv_signal_init(&t->e->loop, &t->interrupt);
	uv_signal_init(&t->e->loop, &t->terminate);
	t->tick.data = t->interrupt.data = t->terminate.data = t;
	uv_timer_start(&t->tick, on_tick, TICK_MS, TICK_MS);
	uv_signal_start(&t->interrupt, on_signal, SIGINT);
	uv_signal_start(&t->terminate, on_signal, SIGTERM);
}

static void watch_end(tap *t) {
	uv_close((uv_handle_t *)&t->tick, NULL);
	uv_close((uv_handle_t *)&t->interrupt, NULL);
	uv_close((uv_handle_t *)&t->terminate, NULL);
	ent_pool_destroy(t->pool);
	t->pool = NULL;
	uv_run(&t->e->loop, UV_RUN_NOWAIT);
}

int ent_engine_tap(ent_engine *e, const ent_tap_what *what, const ent_tap_events *events, void *ctx, bool *fresh_key,
	ent_errors *errors) {
	tap t = {.e = e, .what = what, .events = events, .ctx = ctx, .errors = errors};
	ent_error error = {0};
	for (uint32_t i = 0; i < e->n_sources; i++) {
		if (!strcmp(e->sources[i].config->name.s, what->source)) {
			t.source = &e->sources[i];
		}
	}
	if (!t.source) {
		ent_error_set(&error, ENT_ERR_NOTFOUND, "there is no source '%s'", what->source);
	} else if (!ent__identity_key_look(e, fresh_key, &error)) {
		t.pool = ent__pool_make(e, 1, &pool_events, &t);
	}
	if (error.code) {
		return ent_errors_take(errors, &error);
	}
	size_t before = errors->total;
	const ent_word *name =
		&t.source->config->decode.name; /* wrong ones are told also where there is nothing to decode */
	const ent_decoder_info *named = name->s ? ent__decoder_named(e, name, &error) : NULL;
	t.stop = error.code || (named && !ent__stream_of(e, t.source, named, errors));
	if (error.code) {
		ent_errors_take(errors, &error);
	}
	watch_begin(&t);
	if (!t.stop) {
		look(&t);
	}
	if (!t.stop) {
		events->all(ctx, t.documents);
	}
	while (what->follow && !t.stop) {
		pause_for(&t, LOOK_MS);
		ent__now(e);
		if (!t.stop) {
			look(&t);
		}
	}
	watch_end(&t);
	for (size_t i = 0; i < t.n_seen; i++) {
		free(t.seen[i].name);
	}
	free(t.seen);
	return errors->total > before ? ENT_ERR_INVALID : 0;
}
