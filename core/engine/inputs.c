/* SPDX-License-Identifier: Apache-2.0
 *
 * Which documents are new. An input is known by source and name; it is unchanged when size, time of change and the hashes
 * of its first and last 64 KiB are what they were when it was read to its end by the same decoder in the same version.
 * One that was interrupted goes on at its position; one that changed is read again from the start as a new generation.
 * Loop thread only. */
#include "config/pattern.h"
#include "engine/internal.h"
#include "transport/files.h"
#include "transport/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	SUM_BYTES = 65536,
	SURE = 50,           /* a probe's score from which it claims a document */
	GRAIN_NS = 100000000 /* far more than the kernel's clock of files steps by */
};

static size_t skip_key(const ent__source *s, const char *name, char out[1024]) {
	int n = snprintf(out, 1024, "%s%c%s", s->config->name.s, 0, name);
	return n < 0 ? 0 : (size_t)n < 1024 ? (size_t)n : 1023;
}

void ent__skip(ent_engine *e, const ent__source *s, const char *name) {
	char key[1024];
	ent_intern_put(&e->skipped, key, skip_key(s, name, key));
}

static bool skipped(const ent_engine *e, const ent__source *s, const char *name) {
	char key[1024];
	return ent_intern_find(&e->skipped, key, skip_key(s, name, key)) != UINT32_MAX;
}

/* Told once, also when the run has to plan again. `name` "": the source's files could not be listed. */
static void fail(ent_engine *e, const ent__source *s, const char *name, const ent_error *error) {
	ent_error told = *error;
	if (skipped(e, s, name)) {
		return;
	}
	if (!told.file[0]) {
		snprintf(told.file, sizeof told.file, "%.255s", name[0] ? name : s->config->name.s);
	}
	ent__skip(e, s, name);
	e->report->inputs_failed++;
	ent_errors_take(&e->report->errors, &told);
}

static uint64_t sum_at(int fd, uint64_t offset, uint64_t size) {
	static uint8_t bytes[SUM_BYTES];
	uint64_t want = size - offset < SUM_BYTES ? size - offset : SUM_BYTES;
	ssize_t n = pread(fd, bytes, want, (off_t)offset);
	return ent_hash64(bytes, n > 0 ? (size_t)n : 0, 0);
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

/* ---- what the store knows of a document ------------------------------------------------------------------------------- */

/* The newest generation of each input, by source and name. */
typedef struct names {
	ent_intern texts;
	uint32_t *ids, capacity; /* by number of the text */
} names;

static uint32_t name_put(names *t, uint32_t source, const char *name) {
	char key[4 + sizeof((ent_input *)0)->name];
	memcpy(key, &source, 4);
	size_t n = strnlen(name, sizeof key - 4);
	memcpy(key + 4, name, n);
	uint32_t number = ent_intern_put(&t->texts, key, 4 + n), before = t->capacity;
	ENT_GROW(t->ids, number, t->capacity);
	if (before != t->capacity) {
		memset(t->ids + before, 0, (t->capacity - before) * sizeof *t->ids);
	}
	return number;
}

static void names_open(names *t, const ent_engine *e) {
	ent_intern_init(&t->texts);
	for (uint32_t i = 1; i < e->n_inputs; i++) {
		const ent_input *x = &e->inputs[i];
		uint32_t number = name_put(t, x->source, x->name), *id = &t->ids[number];
		if (!*id || x->generation > e->inputs[*id].generation) {
			*id = i;
		}
	}
}

static void names_close(names *t) {
	ent_intern_finish(&t->texts);
	free(t->ids);
}

static ent_input *known(ent_engine *e, names *t, uint32_t source, const char *name) {
	uint32_t number = name_put(t, source, name), id = t->ids[number];
	return id ? &e->inputs[id] : NULL;
}

/* Does what the store has of a document still stand? What was taken back must come again, but for an edition of a slice
 * of which a higher one counts. */
static bool stands(const ent_engine *e, const ent_input *x) {
	for (uint32_t i = 1; i < e->n_inputs && !x->live && x->slice; i++) {
		const ent_input *other = &e->inputs[i];
		if (other->live && other->source == x->source && other->slice == x->slice && other->slice_grade > x->slice_grade) {
			return true;
		}
	}
	return x->live;
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
	*x = (ent_input){.id = e->n_inputs, .live = 1, .first_day = INT32_MAX, .last_day = INT32_MIN};
	e->stored[e->n_inputs] = (ent__stored){0};
	e->input_dirty[e->n_inputs] = false;
	e->n_inputs++;
	return x;
}

/* ---- which decoder ---------------------------------------------------------------------------------------------------- */

/* By the first bytes: exactly one decoder must claim it. */
static const ent_decoder_info *probe(ent_engine *e, const char *name, int fd, ent_error *error) {
	const ent_decoder_info *best = NULL, *second = NULL;
	uint32_t best_score = 0;
	char reasons[600] = "";
	size_t at = 0;
	for (size_t i = 0; i < e->n_plugins; i++) {
		const ent_plugin_info *p = e->plugins[i];
		uint32_t scores[256] = {0};
		const char *why[256] = {0};
		if (ent_pool_probe(e->pool, p, fd, name, &e->arena, scores, why, error)) {
			return NULL;
		}
		for (uint32_t k = 0; k < p->n_decoders; k++) {
			if (at < sizeof reasons && why[k] && why[k][0]) {
				int n = snprintf(reasons + at, sizeof reasons - at, "%s%s: %s", at ? "; " : "", p->decoders[k].name, why[k]);
				at += n > 0 ? (size_t)n : 0;
			}
			if (scores[k] >= SURE) {
				if (best) {
					second = &p->decoders[k];
				}
				if (!best || scores[k] > best_score) {
					second = best ? best : second;
					best = &p->decoders[k];
					best_score = scores[k];
				}
			}
		}
	}
	if (!best) {
		ent_error_set(error, ENT_ERR_INVALID, "no decoder knows this format%s%s%s", reasons[0] ? " (" : "", reasons, reasons[0] ? ")" : "");
		ent_error_todo(error, "name one in `decode:`, or move the file out of the folder; `entente plugin list` shows all");
		return NULL;
	}
	if (second && second != best) {
		ent_error_set(error, ENT_ERR_INVALID, "two decoders claim this file, %s and %s (%s)", best->name, second->name, reasons);
		ent_error_todo(error, "name the right one in `decode:` of a source of its own");
		return NULL;
	}
	return best;
}

static const ent_decoder_info *decoder_of(ent_engine *e, ent__source *s, const char *name, int fd, ent_error *error) {
	const ent_word *word = &s->config->decode.name;
	if (!word->s) {
		return probe(e, name, fd, error);
	}
	return ent__decoder_named(e, word, error);
}

/* ---- the plan ------------------------------------------------------------------------------------------------------------ */

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

/* What stands in a file now is newer than what stood in it before, also when its name or its time of change says the same:
 * a tie would be decided by hash. Each generation goes ahead by a microsecond at most. */
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
		ent_error_set(error, ENT_ERR_INVALID, "the path does not fit the pattern '%s', which names its partner", rule->pattern.s);
		return ent_error_todo(error, "move the file, change the pattern, or give the source an `else:` partner");
	}
	ent_str name = ent_match_get(&match, "partner");
	w->partner = ent__partner_of(e, w->stream, ent__code(e, name.p, name.n));
	if (!w->partner) {
		ent_error_set(error, ENT_ERR_INVALID, "'%.*s' in its path is no partner, and the source says to reject unknown ones",
			(int)name.n, name.p);
		return ent_error_todo(error, "add it to `partners:`, or move the file");
	}
	return 0;
}

static int64_t ns_of(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec; }

/* Was the file looked into by this process, and not touched since? The kernel's own time of change cannot be set back by
 * anybody; only within its grain could a change hide. So an engine that stays open does not read all files again because
 * one is new. */
static bool untouched(ent_engine *e, const ent_file *file, const ent_input *old) {
	const ent__stored *s = old ? &e->stored[old->id] : NULL;
	struct stat st;
	if (!s || !s->looked_ns || !old->done || stat(file->path, &st)) {
		return false;
	}
	return S_ISREG(st.st_mode) && (uint64_t)st.st_size == old->size && (uint64_t)ns_of(st.st_mtim) == old->mtime_ns &&
		   st.st_ino == old->inode && st.st_dev == old->device && ns_of(st.st_ctim) == s->changed_ns &&
		   s->changed_ns + GRAIN_NS < s->looked_ns && stands(e, old);
}

/* One file: NULL if it is unchanged or failed (then it is in the report). */
static ent__work *plan_file(ent_engine *e, ent__source *s, const ent_file *file, names *known_names) {
	ent_error error = {0};
	bool standard_input = s->config->from.kind == ENT_FROM_STDIN;
	struct stat st;
	if (strlen(file->name) >= sizeof((ent_input *)0)->name) {
		ent_error_set(&error, ENT_ERR_INVALID, "its name below the source's folder is longer than %zu bytes",
			sizeof((ent_input *)0)->name - 1);
		ent_error_todo(&error, "move it up, or rename it");
		fail(e, s, file->name, &error);
		return NULL;
	}
	ent_input *old = known(e, known_names, s->code, file->name);
	if (!standard_input && untouched(e, file, old)) {
		e->report->progress.inputs_unchanged++;
		return NULL;
	}
	struct timespec looked;
	clock_gettime(CLOCK_REALTIME, &looked);
	/* not blocking: what was a file when it was listed could be a pipe by now */
	int fd = standard_input ? standard_input_of(e, &error) : open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		if (fd >= 0 && !error.code && !fstat(fd, &st)) {
			ent_error_set(&error, ENT_ERR_IO, "it is no file any more");
		} else if (!error.code) {
			ent_error_errno(&error, ENT_ERR_IO, "cannot open the file");
		}
		if (fd >= 0) {
			close(fd);
		}
		fail(e, s, file->name, &error);
		return NULL;
	}
	int64_t mtime = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	uint64_t size = (uint64_t)st.st_size;
	if (!standard_input && s->config->from.settle_us && e->now_us - mtime / 1000 < s->config->from.settle_us) {
		close(fd);
		return NULL; /* may still grow: the next run takes it */
	}
	uint64_t head = sum_at(fd, 0, size), tail = sum_at(fd, size > SUM_BYTES ? size - SUM_BYTES : 0, size);
	bool bytes = old && old->size == size && old->head_sum == head && old->tail_sum == tail &&
				 (standard_input || old->mtime_ns == (uint64_t)mtime);
	bool same = bytes && stands(e, old);
	const ent_decoder_info *d = same ? ent__decoder_find(e, old->decoder) : NULL;
	if (s->config->decode.name.s || !d) {
		d = decoder_of(e, s, file->name, fd, &error);
	}
	if (!d) {
		close(fd);
		fail(e, s, file->name, &error);
		return NULL;
	}
	same = same && !strcmp(old->decoder, d->name) && !strcmp(old->version, d->version);
	if (same && old->done) {
		if (!standard_input && old->inode == st.st_ino && old->device == st.st_dev) {
			e->stored[old->id].looked_ns = ns_of(looked);
			e->stored[old->id].changed_ns = ns_of(st.st_ctim);
		}
		close(fd);
		e->report->progress.inputs_unchanged++;
		return NULL;
	}
	ent__stream *stream = ent__stream_of(e, s, d, e->plan_errors);
	if (!stream) {
		close(fd);
		return NULL;
	}
	ent__work *w = ent_xcalloc(1, sizeof *w);
	w->stream = stream;
	w->path = ent_xstrdup(file->path);
	w->fd = standard_input ? fd : -1;
	w->chunks_end = &w->chunks;
	w->splittable = splittable(w, fd);
	if (!standard_input) {
		close(fd);
	}
	if (path_partner(e, w, file->path, &error)) {
		fail(e, s, file->name, &error);
		ent__work_free(w);
		return NULL;
	}
	if (same) { /* interrupted: go on */
		w->input = old->id;
		w->next = w->folded = old->position;
		w->begun = old->position > 0;
	} else {
		uint32_t generation = old ? old->generation + 1 : 1;
		w->before = old ? old->id : 0;
		/* The same bytes in another reading (a new version of the decoder, or another one) take the place of the old one:
		 * both are equally new, so rank could not tell which counts. */
		w->replaces = old && old->live && (stream->restates || bytes);
		ent_input *x = ent__input_add(e);
		x->source = s->code;
		snprintf(x->name, sizeof x->name, "%s", file->name);
		x->size = size;
		x->mtime_ns = (uint64_t)mtime;
		x->inode = st.st_ino;
		x->device = st.st_dev;
		x->head_sum = head;
		x->tail_sum = tail;
		uint64_t sums[] = {size, head, tail};
		x->content = ent_hash64(sums, sizeof sums, 0);
		x->snapshot_us = after(snapshot_time(s->config, file->path, mtime), bytes ? NULL : old);
		x->generation = generation;
		snprintf(x->decoder, sizeof x->decoder, "%s", d->name);
		snprintf(x->version, sizeof x->version, "%s", d->version);
		w->input = x->id;
	}
	e->report->progress.inputs_total++;
	e->report->progress.bytes_total += size - w->folded;
	return w;
}

/* Documents of one plugin one after another, in the order of the plugins' first documents: a worker holds one plugin, and
 * taking turns between plugins would start a process for nearly every document. */
static void group_by_plugin(ent__work **works) {
	ent__work *left = *works, **end = works;
	while (left) {
		const ent_plugin_info *plugin = left->stream->decoder->plugin;
		ent__work *others = NULL, **others_end = &others;
		for (ent__work *w = left, *next; w; w = next) {
			next = w->next_work;
			w->next_work = NULL;
			if (w->stream->decoder->plugin == plugin) {
				*end = w;
				end = &w->next_work;
			} else {
				*others_end = w;
				others_end = &w->next_work;
			}
		}
		left = others;
	}
}

static bool wanted(const ent_engine *e, const ent__source *s) {
	bool found = !e->what->sources;
	for (size_t i = 0; i < e->what->n_sources && !found; i++) {
		found = !strcmp(e->what->sources[i], s->config->name.s);
	}
	return found;
}

int ent__plan_make(ent_engine *e, ent__work **works, ent_error *error) {
	ent__work **end = works;
	names known_names = {0};
	*works = NULL;
	names_open(&known_names, e);
	for (uint32_t i = 0; i < e->n_sources; i++) {
		ent__source *s = &e->sources[i];
		ent_file *files;
		size_t n;
		ent_error listing = {0};
		if (!wanted(e, s)) {
			continue;
		}
		if (ent_files_list(s->config, &files, &n, &listing)) {
			fail(e, s, "", &listing);
		}
		for (size_t k = 0; k < n; k++) {
			ent__work *w = skipped(e, s, files[k].name) ? NULL : plan_file(e, s, &files[k], &known_names);
			if (w) {
				*end = w;
				end = &w->next_work;
			}
		}
		ent_files_free(files, n);
	}
	names_close(&known_names);
	if (e->plan_errors->total) {
		*error = e->plan_errors->e[0];
		return error->code;
	}
	group_by_plugin(works);
	return 0;
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
		free(w->path);
		free(w);
	}
}
