/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies in the inbox, as inputs: logs that grow, and documents of their own. A log of the same identity that grew goes on at
 * its position as the same input; nothing is read of it but what is durable. Facts of a log rank by the arrival of their record
 * where they say nothing of their own time, so that of two deliveries of a second the later one counts. What is committed is
 * told to the inbox. Loop thread only. */
#include "engine/plan.h"
#include "transport/inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/envelope.h"

enum { PLANNED_MAX = 1024, WINDOW = 256 << 10, BACK = 64 << 10 };

static const char prefix[] = ".inbox/";

bool ent__in_inbox(const ent_input *x) { return strncmp(x->name, prefix, sizeof prefix - 1) == 0; }

/* ---- the inbox ---------------------------------------------------------------------------------------------------------- */

/* A decoder of lines gets lines; any other one, and one that is found by probing, gets documents. */
static void tell_form(ent_engine *e, const ent__source *s) {
	const ent_decoder_info *d = s->config->decode.name.s ? ent__decoder_find(e, s->config->decode.name.s) : NULL;
	ent_inbox_form_set(e->inbox, s->config->name.s, d && d->frame == ENT_FRAME_JSONL ? ENT_INBOX_LINES : ENT_INBOX_DOCUMENTS);
}

void ent__inbox_forms(ent_engine *e) {
	for (size_t i = 0; e->inbox && i < e->config->n_sources; i++) {
		tell_form(e, &e->sources[i]);
	}
}

void ent_engine_inbox(ent_engine *e, ent_inbox *inbox) {
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	ent__inbox_close(e);
	e->inbox = inbox;
	ent__plugins_needed(e, errors); /* one that cannot be loaded is told by the ingest */
	ent__inbox_forms(e);
	ent__inbox_tell(e); /* what was committed before does not wait */
	free(errors);
}

void ent__inbox_close(ent_engine *e) {
	if (e->inbox_own) {
		ent_inbox_close(e->inbox);
	}
	e->inbox = NULL;
	e->inbox_own = false;
}

int ent__inbox_open(ent_engine *e, ent_error *error) {
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s/inbox", ent_store_folder(e->store));
	if (e->inbox || e->what->service || stat(path, &st)) {
		return 0;
	}
	int status = ent_inbox_open(&e->inbox, NULL, path, &e->config->inbox, NULL, NULL, error);
	e->inbox_own = !status;
	return status;
}

/* ---- the plan ----------------------------------------------------------------------------------------------------------- */

static void fail(ent_engine *e, ent__source *s, const ent_file *file, const ent_error *error) {
	ent_error told = *error;
	if (!told.file[0]) {
		snprintf(told.file, sizeof told.file, "%.255s", file->name);
	}
	ent__aside_put(e, s, file->name, file, error->code == ENT_ERR_WORKER ? ENT__DIED : ENT__WRONG, &told);
	e->report->inputs_failed++;
	ent_errors_take(&e->report->errors, &told);
}

static const ent_decoder_info *decoder_of(ent_engine *e, ent__source *s, const ent_inbox_file *file, ent_error *error) {
	int fd = open(file->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ent_error_errno(error, ENT_ERR_IO, "cannot open the file");
		return NULL;
	}
	const ent_decoder_info *d = NULL;
	if (file->log && !s->config->decode.name.s) {
		ent_error_set(error, ENT_ERR_INVALID, "it holds lines, and `decode: auto` cannot tell whose");
		ent_error_todo(error, "name the decoder that is to read them");
	} else {
		d = ent__decoder_of(e, s, file->name, fd, error);
	}
	close(fd);
	if (d && file->log && d->frame != ENT_FRAME_JSONL) {
		ent_error_set(error, ENT_ERR_INVALID, "it holds lines, and the decoder %s does not read lines", d->name);
		ent_error_todo(error, "give the source the decoder back that it had, until these are read");
		return NULL;
	}
	return d;
}

static void fill(ent_input *x, const ent__source *s, const ent_inbox_file *file, const ent_decoder_info *d) {
	x->source = s->code;
	snprintf(x->name, sizeof x->name, "%s", file->name);
	x->mtime_ns = (uint64_t)file->arrived_us * 1000;
	x->head_sum = x->tail_sum = file->identity;
	x->content = ent_hash64(&file->identity, sizeof file->identity, 0);
	x->snapshot_us = file->arrived_us;
	snprintf(x->decoder, sizeof x->decoder, "%s", d->name);
	snprintf(x->version, sizeof x->version, "%s", d->version);
}

static ent__work *plan_new(ent_engine *e, ent__source *s, const ent_inbox_file *file, const ent_file *listed, const ent_input *old) {
	ent_error error = {0};
	const ent_decoder_info *d = decoder_of(e, s, file, &error);
	if (!d) {
		fail(e, s, listed, &error);
		return NULL;
	}
	ent__stream *stream = ent__stream_of(e, s, d, e->plan_errors);
	if (!stream) {
		return NULL;
	}
	ent__work *w = ent__work_new(stream, file->path, listed);
	w->partner = s->fixed;
	w->inbox = true;
	w->enveloped = file->log;
	w->splittable = file->log && d->splittable;
	bool same = old && old->head_sum == file->identity && old->live;
	if (same && !strcmp(old->decoder, d->name) && !strcmp(old->version, d->version)) { /* grown, or interrupted */
		ent__work_resume(e, w, old);
	} else {
		uint32_t before = old ? old->id : 0, generation = old ? old->generation + 1 : 1;
		w->before = before;
		w->replaces = same || (old && old->live && stream->restates); /* the same bytes in another reading */
		ent_input *x = ent__input_add(e);
		fill(x, s, file, d);
		x->generation = generation;
		w->input = x->id;
		e->stored[x->id].before = before;
		e->stored[x->id].replaces = w->replaces;
		ent__known_add(e, x->id);
	}
	ent_input *x = &e->inputs[w->input];
	x->size = file->size;
	x->done = 0;
	e->report->progress.inputs_total++;
	e->report->progress.bytes_total += x->size - w->folded;
	return w;
}

/* Is all that is durable of it committed? */
static bool read_whole(const ent_engine *e, const ent__source *s, const ent_inbox_file *file, const ent_input *old) {
	if (!old || !old->live || !old->done || old->head_sum != file->identity || old->position < file->size) {
		return false;
	}
	const ent_word *name = &s->config->decode.name;
	const ent_decoder_info *d = ent__decoder_find(e, name->s ? name->s : old->decoder);
	return d && !strcmp(old->decoder, d->name) && !strcmp(old->version, d->version);
}

void ent__inbox_plan(ent_engine *e, ent__source *s, ent__work ***end) {
	ent_inbox_file *files;
	size_t n;
	unsigned planned = 0;
	if (!e->inbox) {
		return;
	}
	tell_form(e, s);
	ent_inbox_files(e->inbox, s->config->name.s, &files, &n);
	for (size_t i = 0; i < n; i++) {
		/* its identity stands for what a file of a folder has an inode for */
		ent_file listed = {.path = files[i].path, .name = files[i].name, .size = files[i].size, .inode = files[i].identity,
			.mtime_ns = files[i].arrived_us * 1000, .changed_ns = files[i].arrived_us * 1000};
		bool again;
		const ent_input *old = ent__known_name(e, s->code, files[i].name);
		if (ent__aside_skip(e, s, &listed, &again)) {
			continue;
		}
		if (read_whole(e, s, &files[i], old)) {
			e->report->progress.inputs_unchanged++;
			continue;
		}
		if (e->what->service && planned == PLANNED_MAX) {
			e->report->more = true;
			ent__count_waiting(s, files[i].size, listed.changed_ns);
			continue;
		}
		ent__work *w = plan_new(e, s, &files[i], &listed, old);
		if (w) {
			planned++;
			**end = w;
			*end = &w->next_work;
		}
	}
	ent_inbox_files_free(files, n);
}

void ent__inbox_tell(ent_engine *e) {
	for (size_t i = 0; e->inbox && e->store && i < e->config->n_sources; i++) {
		const ent__source *s = &e->sources[i];
		ent_inbox_file *files;
		size_t n;
		ent_inbox_files(e->inbox, s->config->name.s, &files, &n);
		for (size_t k = 0; k < n; k++) {
			const ent_input *x = ent__known_name(e, s->code, files[k].name);
			if (x && x->head_sum == files[k].identity && e->stored[x->id].exists) {
				ent_inbox_consumed(e->inbox, s->config->name.s, files[k].name, e->stored[x->id].position);
			}
		}
		ent_inbox_files_free(files, n);
	}
}

/* ---- when a record arrived -------------------------------------------------------------------------------------------------- */

struct ent__arrivals {
	int fd;
	uint64_t base, n; /* of the file, in `bytes` */
	uint64_t line, line_end; /* the line that was found last, and */
	int64_t arrived_us;
	char bytes[WINDOW];
};

void ent__arrivals_free(struct ent__arrivals *a) {
	if (a) {
		close(a->fd);
		free(a);
	}
}

static bool load(struct ent__arrivals *a, uint64_t base) {
	ssize_t got = pread(a->fd, a->bytes, WINDOW, (off_t)base);
	a->base = base;
	a->n = got > 0 ? (uint64_t)got : 0;
	return got > 0;
}

/* Where the line of `place` begins: mostly within what is at hand. */
static bool find_line(struct ent__arrivals *a, uint64_t place, uint64_t *out) {
	uint64_t to = place;
	if ((place < a->base || place >= a->base + a->n) && !load(a, place > BACK ? place - BACK : 0)) {
		return false;
	}
	for (;;) {
		const char *before = to > a->base ? memrchr(a->bytes, '\n', (size_t)(to - a->base)) : NULL;
		if (before || !a->base) {
			*out = before ? a->base + (uint64_t)(before - a->bytes) + 1 : 0;
			return true;
		}
		to = a->base; /* a long line */
		if (!load(a, to > WINDOW ? to - WINDOW : 0)) {
			return false;
		}
	}
}

int64_t ent__arrived(const ent_engine *e, ent__work *w, uint64_t place) {
	const ent_input *input = &e->inputs[w->input];
	struct ent__arrivals *a = w->arrivals;
	if (!w->enveloped) {
		return input->snapshot_us;
	}
	if (!a) {
		int fd = open(w->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			return input->snapshot_us;
		}
		a = w->arrivals = ent_xmalloc(sizeof *a);
		a->fd = fd;
		a->base = a->n = a->line = a->line_end = 0;
	}
	if (place >= a->line && place < a->line_end) {
		return a->arrived_us;
	}
	char envelope[ENT_ENVELOPE];
	uint64_t line, arrival;
	/* the place is what a plugin says: it may be anything */
	if (place >= input->size || !find_line(a, place, &line) ||
		pread(a->fd, envelope, sizeof envelope, (off_t)line) != ENT_ENVELOPE ||
		!ent_envelope_hex(envelope + ENT_ENVELOPE_ARRIVAL, 14, &arrival)) {
		return input->snapshot_us;
	}
	a->line = line;
	a->line_end = place + 1;
	a->arrived_us = (int64_t)arrival;
	return a->arrived_us;
}
