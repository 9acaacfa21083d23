/* SPDX-License-Identifier: Apache-2.0
 *
 * Which documents are new. An input is known by source and name; it is unchanged when size, time of change and the
 * hashes of its first and last 64 KiB are what they were when it was read to its end by the same decoder in the same
 * version. One that was interrupted goes on at its position; one that changed is read again from the start as a new
 * generation. Loop thread only. */
#include "config/pattern.h"
#include "engine/plan.h"
#include "transport/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	SURE = 50,            /* a probe's score from which it claims a document */
	GRAIN_NS = 100000000, /* far more than the kernel's clock of files steps by */
	SERVICE_SETTLE_US = 2000000
};

/* Told once, also when the run has to plan again. */
static void fail(ent_engine *e, ent__source *s, const ent_file *file, ent__cause cause, const ent_error *error) {
	ent_error told = *error;
	if (!told.file[0]) {
		snprintf(told.file, sizeof told.file, "%.255s", file->name);
	}
	ent__aside_put(e, s, file->name, file, cause, &told);
	e->report->inputs_failed++;
	ent_errors_take(&e->report->errors, &told);
	if (cause == ENT__DIED) {
		s->worker_deaths++;
		ent__source_died(e, s, &told);
	}
}

uint64_t ent__sum_at(int fd, uint64_t offset, uint64_t size) {
	static uint8_t bytes[ENT__SUM_BYTES];
	uint64_t want = size - offset < ENT__SUM_BYTES ? size - offset : ENT__SUM_BYTES;
	ssize_t n = pread(fd, bytes, want, (off_t)offset);
	return ent_hash64(bytes, n > 0 ? (size_t)n : 0, 0);
}

uint64_t ent__sum_with(uint64_t head, uint64_t companions) {
	return companions ? ent_hash64((uint64_t[]){head, companions}, 2 * sizeof head, 0) : head;
}

/* Standard input as a file of its own descriptor; read once, however often the run has to start over. */
static int standard_input_of(ent_engine *e, ent_error *error) {
	if (e->spooled < 0) {
		e->spooled = ent_spool(STDIN_FILENO, e->config->store.s, error);
	}
	if (e->spooled < 0) {
		return e->spooled;
	}
	int fd = fcntl(e->spooled, F_DUPFD_CLOEXEC, 0);
	return fd >= 0 ? fd : ent_error_errno(error, ENT_ERR_IO, "cannot read standard input again");
}

/* ---- what the store knows of a document
 * ------------------------------------------------------------------------------- */

/* Does what the store has of a document still stand? What was taken back must come again, but for an edition of a slice
 * of which a higher one counts. */
static bool stands(const ent_engine *e, const ent_input *x) {
	if (x->live || !x->slice) {
		return x->live;
	}
	for (const ent_input *other = ent__slice_first(e, x); other; other = ent__slice_next(e, other)) {
		if (other->live && other->slice == x->slice && other->slice_grade > x->slice_grade) {
			return true;
		}
	}
	return false;
}

ent_input *ent__input_add(ent_engine *e) {
	if (e->n_inputs == 0) {
		e->n_inputs = 1;
	}
	uint32_t before = e->inputs_capacity;
	ENT_GROW(e->inputs, e->n_inputs, e->inputs_capacity);
	if (before != e->inputs_capacity) {
		e->input_dirty = ent_xrealloc(e->input_dirty, e->inputs_capacity);
		memset(e->input_dirty + before, 0, e->inputs_capacity - before);
		e->stored = ent_xrealloc(e->stored, e->inputs_capacity * sizeof *e->stored);
	}
	ent_input *x = &e->inputs[e->n_inputs];
	*x = (ent_input){.id = e->n_inputs, .live = 1, .first_day = INT32_MAX, .last_day = INT32_MIN, .arrived_us = e->now_us};
	e->stored[e->n_inputs] = (ent__stored){0};
	e->input_dirty[e->n_inputs] = false;
	e->n_inputs++;
	return x;
}

/* ---- which decoder
 * ---------------------------------------------------------------------------------------------------- */

enum { REASONS = 4 }; /* of so many decoders it is told why they do not know a document */

/* What a decoder said of a document. */
typedef struct opinion {
	const ent_decoder_info *decoder;
	uint32_t score;
	const char *why;
} opinion;

/* Who is surest first, else as they are listed. */
static int surer(const void *a, const void *b) {
	const opinion *x = a, *y = b;
	if (x->score != y->score) {
		return x->score < y->score ? 1 : -1;
	}
	return strcmp(x->decoder->name, y->decoder->name);
}

static const char *reasons(const opinion *all, size_t n, ent_arena *arena) {
	const char *text = "";
	size_t told = 0, with = 0;
	for (size_t i = 0; i < n; i++) {
		if (all[i].why && all[i].why[0] && ++with <= REASONS) {
			text = ent_arena_printf(arena, "%s%s%s: %s", text, *text ? "; " : "", all[i].decoder->name, all[i].why);
			told++;
		}
	}
	return with > told ? ent_arena_printf(arena, "%s; and %zu more", text, with - told) : text;
}

static const struct {
	const char *mark;
	size_t n;
	const char *what, *todo;
} archives[] = {
	{"PK\3\4", 4, "this is a ZIP archive, or a spreadsheet (.xlsx, .ods)", "unpack it, or save the sheet as CSV"},
	{"\xd0\xcf\x11\xe0", 4, "this is a spreadsheet of old (.xls)", "save it as CSV"},
	{"%PDF", 4, "this is a PDF", "ask for the same as CSV or JSON"},
	{"7z\xbc\xaf", 4, "this is a 7-Zip archive", "unpack it"},
	{"BZh", 3, "this is packed with bzip2", "unpack it, or pack it with gzip or zstd"},
	{"\xfd"
	 "7zXZ",
		5, "this is packed with xz", "unpack it, or pack it with gzip or zstd"},
};

/* What no decoder can know. */
static bool hopeless(int fd, ent_error *error) {
	char head[8] = {0};
	ssize_t n = pread(fd, head, sizeof head, 0);
	if (n == 0) {
		ent_error_set(error, ENT_ERR_INVALID, "the file is empty");
		ent_error_todo(error, "fetch it again, or take it out of the folder; it is looked at again when it changes");
		return true;
	}
	for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
		if (n >= (ssize_t)archives[i].n && !memcmp(head, archives[i].mark, archives[i].n)) {
			ent_error_set(error, ENT_ERR_INVALID, "%s, which no decoder reads", archives[i].what);
			ent_error_todo(error, "%s", archives[i].todo);
			return true;
		}
	}
	return false;
}

/* By the first bytes: exactly one decoder must claim it. */
static const ent_decoder_info *probe(ent_engine *e, const char *name, int fd, ent_error *error) {
	if (hopeless(fd, error)) {
		return NULL;
	}
	ent_arena arena = {0}; /* of what is said of one file: a service looks at very many */
	const ent_decoder_info *best = NULL;
	size_t n = 0;
	for (size_t i = 0; i < e->plugins.n; i++) {
		n += e->plugins.v[i]->n_decoders;
	}
	uint32_t *scores = ent_arena_alloc(&arena, (n + 1) * sizeof *scores);
	const char **why = ent_arena_alloc(&arena, (n + 1) * sizeof *why);
	opinion *all = ent_arena_alloc(&arena, (n + 1) * sizeof *all);
	memset(scores, 0, (n + 1) * sizeof *scores);
	memset(why, 0, (n + 1) * sizeof *why);
	if (ent_pool_probe(e->pool, e->plugins.v, e->plugins.n, fd, name, &arena, scores, why, error)) {
		ent_arena_finish(&arena);
		return NULL;
	}
	size_t at = 0;
	for (size_t i = 0; i < e->plugins.n; i++) {
		for (uint32_t k = 0; k < e->plugins.v[i]->n_decoders; k++, at++) {
			all[at] = (opinion){&e->plugins.v[i]->decoders[k], scores[at], why[at]};
		}
	}
	qsort(all, n, sizeof *all, surer);
	if (!n || all[0].score < SURE) {
		const char *told = reasons(all, n, &arena);
		ent_error_set(
			error, ENT_ERR_INVALID, "no decoder knows this format%s%s%s", *told ? " (" : "", told, *told ? ")" : "");
		ent_error_todo(
			error, "name one in `decode:`, or move the file out of the folder; `entente plugin list` shows all");
	} else if (n > 1 && all[1].score >= SURE) {
		ent_error_set(error, ENT_ERR_INVALID, "two decoders claim this file, %s and %s (%s)", all[0].decoder->name,
			all[1].decoder->name, reasons(all, 2, &arena));
		ent_error_todo(error, "name the right one in `decode:` of a source of its own");
	} else {
		best = all[0].decoder;
	}
	ent_arena_finish(&arena);
	for (const ent_option *o = best ? best->options : NULL; o && o->key; o++) {
		if (o->required && !o->preset) { /* under `auto` a decoder has its defaults, and this has none */
			ent_error_set(
				error, ENT_ERR_INVALID, "decoder %s knows this format, and needs its option '%s'", best->name, o->key);
			ent_error_todo(error,
				"name it in a source of its own, with decode: {%s: {%s: ...}}; `entente plugin show` tells more",
				best->name, o->key);
			return NULL;
		}
	}
	return best;
}

const ent_decoder_info *ent__decoder_of(ent_engine *e, ent__source *s, const char *name, int fd, ent_error *error) {
	const ent_word *word = &s->config->decode.name;
	if (!word->s) {
		return probe(e, name, fd, error);
	}
	return ent__decoder_named(e, word, error);
}

/* ---- the plan
 * ------------------------------------------------------------------------------------------------------------ */

static bool splittable(const ent__work *w, int fd) {
	uint8_t b[4] = {0};
	if (!w->stream->decoder->splittable || pread(fd, b, 4, 0) < 4) {
		return false;
	}
	bool packed = (b[0] == 0x1f && b[1] == 0x8b) || (b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd);
	bool wide = (b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff);
	return !packed && !wide;
}

/* When was its content true? From the path's pattern, else the time of its last change. */
static int64_t snapshot_time(const ent_config_source *s, const char *path, int64_t mtime_ns) {
	ent_match match;
	int64_t us;
	if (s->from.snapshot.s && ent_pattern_match(s->from.snapshot.s, path, &match) && ent_match_time(&match, &us)) {
		return us;
	}
	return mtime_ns / 1000;
}

/* What stands in a file now is newer than what stood in it before, also when its name or its time of change says the
 * same: a tie would be decided by hash. Each generation goes ahead by a microsecond at most. */
static int64_t after(int64_t snapshot, const ent_input *old) {
	bool tie = old && snapshot <= old->snapshot_us && old->snapshot_us - snapshot <= old->generation;
	return tie ? old->snapshot_us + 1 : snapshot;
}

static int path_partner(ent_engine *e, ent__work *w, const char *path, ent_error *error) {
	const ent_partner_rule *rule = &w->stream->source->config->partner;
	ent_match match;
	w->partner = w->stream->source->fixed;
	if (rule->from != ENT_PARTNER_PATH) {
		return 0;
	}
	if (!ent_pattern_match(rule->pattern.s, path, &match)) {
		if (w->partner) {
			return 0;
		}
		ent_error_set(
			error, ENT_ERR_INVALID, "the path does not fit the pattern '%s', which names its partner", rule->pattern.s);
		return ent_error_todo(error, "move the file, change the pattern, or give the source an `else:` partner");
	}
	ent_str name = ent_match_get(&match, "partner");
	w->partner = ent__partner_of(e, w->stream, ent__code(e, name.p, name.n));
	if (!w->partner) {
		ent_error_set(error, ENT_ERR_INVALID,
			"'%.*s' in its path is no partner, and the source says to reject unknown ones", (int)name.n, name.p);
		return ent_error_todo(error, "add it to `partners:`, or move the file");
	}
	return 0;
}

static int64_t ns_of(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec; }

/* The kernel's own time of change cannot be set back by anybody; only within its grain could a change hide. So an engine that
 * stays open does not read all files again because one is new. */
bool ent__untouched(const ent_engine *e, const ent__source *source, const ent_file *file, const ent_input *old) {
	const ent__stored *s = old ? &e->stored[old->id] : NULL;
	return s && s->looked_ns && old->done && file->size == old->size && (uint64_t)file->mtime_ns == old->mtime_ns &&
		   file->inode == old->inode && file->device == old->device && file->changed_ns == s->changed_ns &&
		   s->changed_ns + GRAIN_NS < s->looked_ns && stands(e, old) &&
		   (!source->config->from.companions.n || s->beside == ent__beside_stamp(source->config, file->path));
}

bool ent__looks_read(const ent_engine *e, const ent__source *s, const ent_file *file) {
	const ent_input *old = ent__known_name(e, s->code, file->name);
	return old && old->done && file->size == old->size && (uint64_t)file->mtime_ns == old->mtime_ns;
}

/* Where nothing is configured, a service leaves files alone for a while that somebody may still be writing. */
bool ent__too_young(ent_engine *e, const ent__source *s, int64_t mtime_ns, int64_t changed_ns) {
	int64_t settle = s->config->from.settle_us;
	settle = settle >= 0 ? settle : e->what->service ? SERVICE_SETTLE_US : 0;
	/* a time in the future says nothing of its age */
	int64_t last = mtime_ns / 1000 <= e->now_us ? mtime_ns / 1000 : changed_ns / 1000;
	if (!settle || e->now_us - last >= settle) {
		return false;
	}
	ent__sooner(&e->report->next_settle_us, last + settle);
	return true;
}

/* Opens it, and says what it is at this moment. -1: it failed, and that is told. */
static int look_into(ent_engine *e, ent__source *s, const ent_file *file, struct stat *st) {
	ent_error error = {0};
	bool standard_input = s->config->from.kind == ENT_FROM_STDIN;
	if (strlen(file->name) >= sizeof((ent_input *)0)->name) {
		ent_error_set(&error, ENT_ERR_INVALID, "its name below the source's folder is longer than %zu bytes",
			sizeof((ent_input *)0)->name - 1);
		ent_error_todo(&error, "move it up, or rename it");
		fail(e, s, file, ENT__WRONG, &error);
		return -1;
	}
	/* not blocking: what was a file when it was listed could be a pipe by now */
	int fd = standard_input ? standard_input_of(e, &error) : open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && !fstat(fd, st) && S_ISREG(st->st_mode)) {
		return fd;
	}
	if (fd >= 0 && !fstat(fd, st)) {
		ent_error_set(&error, ENT_ERR_IO, "it is no file any more");
	} else if (!error.code) {
		ent_error_errno(&error, ENT_ERR_IO, "cannot open the file");
	}
	if (fd >= 0) {
		close(fd);
	}
	fail(e, s, file, ENT__LATER, &error);
	return -1;
}

/* A file as it was found. */
typedef struct found {
	int fd;
	struct stat st;
	uint64_t size, head, tail, content;
	uint64_t beside; /* stamp of its companions; what they are is in `head` */
	int64_t mtime_ns;
	const ent_decoder_info *decoder;
} found;

/* A row for what is read now. One that was planned, and never read, is filled anew. */
static void add_input(ent_engine *e, ent__work *w, const ent__source *s, const ent_file *file, const found *f,
	uint32_t before, uint32_t blank, bool bytes) {
	ent_input old = before ? e->inputs[before] : (ent_input){0}, *x = blank ? &e->inputs[blank] : ent__input_add(e);
	x->source = s->code;
	snprintf(x->name, sizeof x->name, "%s", file->name);
	x->size = f->size;
	x->mtime_ns = (uint64_t)f->mtime_ns;
	x->inode = f->st.st_ino;
	x->device = f->st.st_dev;
	x->head_sum = f->head;
	x->tail_sum = f->tail;
	x->content = f->content;
	x->snapshot_us = after(snapshot_time(s->config, file->path, f->mtime_ns), before && !bytes ? &old : NULL);
	x->generation = blank ? x->generation : old.generation + 1;
	snprintf(x->decoder, sizeof x->decoder, "%s", f->decoder->name);
	snprintf(x->version, sizeof x->version, "%s", f->decoder->version);
	w->input = x->id;
	w->before = e->stored[x->id].before = before;
	e->stored[x->id].replaces = w->replaces;
	ent__known_add(e, x->id);
}

ent__work *ent__work_new(ent__stream *stream, const char *path, const ent_file *listed) {
	ent__work *w = ent_xcalloc(1, sizeof *w);
	w->stream = stream;
	w->path = ent_xstrdup(path);
	w->file = *listed;
	w->file.path = w->file.name = NULL;
	w->fd = -1;
	w->chunks_end = &w->chunks;
	return w;
}

void ent__work_resume(const ent_engine *e, ent__work *w, const ent_input *old) {
	w->input = old->id;
	w->next = w->folded = old->position;
	w->begun = old->position > 0;
	w->before = w->begun ? 0 : e->stored[old->id].before;
	w->replaces = !w->begun && e->stored[old->id].replaces;
}

static ent__work *new_work(ent_engine *e, ent__source *s, const ent_file *file, found *f) {
	ent_error error = {0};
	ent__stream *stream = ent__stream_of(e, s, f->decoder, e->plan_errors);
	if (!stream) {
		return NULL;
	}
	ent__work *w = ent__work_new(stream, file->path, file);
	w->splittable = splittable(w, f->fd);
	if (s->config->from.kind == ENT_FROM_STDIN) {
		w->fd = f->fd;
		f->fd = -1;
	}
	w->beside_stamp = f->beside;
	if (ent__beside_find(s->config, file->path, &w->beside, &error) || path_partner(e, w, file->path, &error)) {
		fail(e, s, file, ENT__WRONG, &error);
		ent__work_free(w);
		return NULL;
	}
	return w;
}

/* What is to be done with a file that was opened. */
static ent__work *plan_found(
	ent_engine *e, ent__source *s, const ent__listing *l, const ent_file *file, found *f, int64_t looked_ns) {
	bool standard_input = s->config->from.kind == ENT_FROM_STDIN;
	uint32_t successor = l->successor ? l->successor[file - l->files] : 0;
	ent_input *old = successor ? NULL : ent__known_name(e, s->code, file->name);
	f->size = (uint64_t)f->st.st_size;
	f->mtime_ns = ns_of(f->st.st_mtim);
	f->head = ent__sum_at(f->fd, 0, f->size);
	f->tail = ent__sum_at(f->fd, f->size > ENT__SUM_BYTES ? f->size - ENT__SUM_BYTES : 0, f->size);
	ent_error missing = {0};
	uint64_t companions;
	if (ent__beside_sum(s->config, file->path, &f->beside, &companions, &missing)) {
		fail(e, s, file, ENT__LATER, &missing);
		return NULL;
	}
	f->head = ent__sum_with(f->head, companions);
	uint64_t sums[] = {f->size, f->head, f->tail};
	f->content = ent_hash64(sums, sizeof sums, 0);
	if (!old && !successor && !standard_input) {
		old = ent__moved_by_copy(e, s, l, file, f->content, &successor);
	}
	bool bytes = old && old->size == f->size && old->head_sum == f->head && old->tail_sum == f->tail &&
				 (standard_input || old->mtime_ns == (uint64_t)f->mtime_ns);
	bool same = bytes && stands(e, old);
	f->decoder = same ? ent__decoder_find(e, old->decoder) : NULL;
	if (s->config->decode.name.s || !f->decoder) {
		ent_error error = {0};
		f->decoder = ent__decoder_of(e, s, file->name, f->fd, &error);
		if (!f->decoder) {
			fail(e, s, file, error.code == ENT_ERR_WORKER ? ENT__DIED : ENT__WRONG, &error);
			return NULL;
		}
	}
	same = same && !strcmp(old->decoder, f->decoder->name) && !strcmp(old->version, f->decoder->version);
	if (same && old->done) {
		if (!standard_input && old->inode == f->st.st_ino && old->device == f->st.st_dev) {
			e->stored[old->id].looked_ns = looked_ns;
			e->stored[old->id].changed_ns = ns_of(f->st.st_ctim);
			e->stored[old->id].beside = f->beside;
		}
		ent__aside_forget(s, file->name);
		e->report->progress.inputs_unchanged++;
		return NULL;
	}
	ent__work *w = new_work(e, s, file, f);
	if (!w) {
		return NULL;
	}
	if (same) { /* interrupted */
		ent__work_resume(e, w, old);
	} else {
		uint32_t blank = old && !e->stored[old->id].exists && !old->position ? old->id : 0;
		uint32_t id = successor ? successor : blank ? e->stored[blank].before : old ? old->id : 0;
		const ent_input *before = id ? &e->inputs[id] : NULL;
		/* The same bytes in another reading (a new version of the decoder, or another one) take the place of the old
		 * one: both are equally new, so rank could not tell which counts. So does a file that was moved to where it
		 * means something else. */
		w->replaces = before && before->live &&
					  (w->stream->restates || bytes || successor || (blank && e->stored[blank].replaces));
		add_input(e, w, s, file, f, id, blank, bytes);
	}
	e->report->progress.inputs_total++;
	e->report->progress.bytes_total += f->size - w->folded;
	return w;
}

ent__work *ent__plan_file(ent_engine *e, ent__source *s, ent__listing *l, const ent_file *file) {
	bool standard_input = s->config->from.kind == ENT_FROM_STDIN;
	if (!standard_input && ent__untouched(e, s, file, ent__known_name(e, s->code, file->name))) {
		e->report->progress.inputs_unchanged++;
		return NULL;
	}
	bool young = !standard_input && ent__too_young(e, s, file->mtime_ns, file->changed_ns);
	struct timespec looked;
	clock_gettime(CLOCK_REALTIME, &looked);
	found f = {.fd = young ? -1 : look_into(e, s, file, &f.st)};
	ent__work *w = NULL;
	if (f.fd >= 0) {
		l->opened++;
		/* it may have been written to since it was listed */
		young = !standard_input && ent__too_young(e, s, ns_of(f.st.st_mtim), ns_of(f.st.st_ctim));
		w = young ? NULL : plan_found(e, s, l, file, &f, ns_of(looked));
	}
	if (f.fd >= 0) {
		close(f.fd);
	}
	s->files_young += young;
	return w;
}

uint32_t ent__cover_partner(const ent__work *w) {
	ent_partner_from from = w->stream->source->config->partner.from;
	return from == ENT_PARTNER_FIXED || from == ENT_PARTNER_PATH ? w->partner : 0;
}

void ent__work_free(ent__work *w) {
	if (w) {
		if (w->fd >= 0) {
			close(w->fd);
		}
		if (w->beside_fds) {
			ent__beside_close(&w->beside, w->beside_fds);
			free(w->beside_fds);
		}
		ent__beside_free(&w->beside);
		ent__arrivals_free(w->arrivals);
		free(w->path);
		free(w);
	}
}
