/* SPDX-License-Identifier: Apache-2.0
 *
 * The inbox as the ingest and whoever watches see it: files, how far they are committed, what waits. Any thread. */
#include "transport/inbox_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = ".inbox/";

void ent_inbox_form_set(ent_inbox *x, const char *source, ent_inbox_form form) {
	pthread_mutex_lock(&x->lock);
	size_t i = 0;
	while (i < x->n_forms && strcmp(x->forms[i].source, source) != 0) {
		i++;
	}
	if (i == x->n_forms) {
		ENT_GROW(x->forms, x->n_forms, x->forms_capacity);
		x->forms[x->n_forms++].source = ent_xstrdup(source);
	}
	x->forms[i].form = form;
	pthread_mutex_unlock(&x->lock);
}

/* -1: nobody has said. */
static int form_of(ent_inbox *x, const char *source) {
	int form = -1;
	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < x->n_forms; i++) {
		if (!strcmp(x->forms[i].source, source)) {
			form = (int)x->forms[i].form;
		}
	}
	pthread_mutex_unlock(&x->lock);
	return form;
}

ent_inbox_form ent_inbox_form_of(ent_inbox *x, const char *source) {
	int form = form_of(x, source);
	return form < 0 ? ENT_INBOX_DOCUMENTS : (ent_inbox_form)form;
}

bool ent_inbox_form_known(ent_inbox *x, const char *source) { return form_of(x, source) >= 0; }

static void add(ent_inbox_status *sum, const ent__box *b) {
	const ent_inbox_status *s = &b->status;
	sum->waiting += ent__box_waiting(b);
	sum->in_memory += b->queued;
	sum->items += s->items;
	sum->records += s->records;
	sum->bytes += s->bytes;
	sum->repeated += s->repeated;
	sum->refused += s->refused;
	sum->failed += s->failed;
	sum->syncs += s->syncs;
	sum->last_us = s->last_us > sum->last_us ? s->last_us : sum->last_us;
}

void ent_inbox_status_of(ent_inbox *x, const char *source, ent_inbox_status *out) {
	*out = (ent_inbox_status){0};
	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < x->n_boxes; i++) {
		if (!source || !strcmp(x->boxes[i]->name, source)) {
			add(out, x->boxes[i]);
		}
	}
	pthread_mutex_unlock(&x->lock);
}

uint64_t ent_inbox_waiting(ent_inbox *x, const char *source) {
	ent_inbox_status s;
	ent_inbox_status_of(x, source, &s);
	return s.waiting;
}

static ent_inbox_file *add_file(const ent__box *b, const char *name, ent_inbox_file **files, size_t *n, size_t *capacity) {
	ENT_GROW(*files, *n, *capacity);
	ent_inbox_file *f = &(*files)[(*n)++];
	*f = (ent_inbox_file){0};
	size_t length = strlen(b->path) + strlen(name) + 2;
	f->path = ent_xmalloc(length);
	snprintf(f->path, length, "%s/%s", b->path, name);
	snprintf(f->name, sizeof f->name, "%s%.55s", prefix, name);
	return f;
}

static int by_arrival(const void *a, const void *b) {
	const ent_inbox_file *x = a, *y = b;
	return x->arrived_us < y->arrived_us ? -1 : x->arrived_us > y->arrived_us ? 1 : strcmp(x->name, y->name);
}

void ent_inbox_files(ent_inbox *x, const char *source, ent_inbox_file **out, size_t *n) {
	size_t capacity = 0;
	*out = NULL;
	*n = 0;
	pthread_mutex_lock(&x->lock);
	const ent__box *b = ent__inbox_box(x, source, false);
	for (size_t i = 0; b && i < b->n_logs; i++) {
		const ent__log *log = &b->logs[i];
		if (log->records) {
			char name[24];
			snprintf(name, sizeof name, "%08" PRIu32 ".log", log->number);
			ent_inbox_file *f = add_file(b, name, out, n, &capacity);
			f->log = true;
			f->size = log->size;
			f->identity = log->identity;
			f->arrived_us = log->first_us;
		}
	}
	for (size_t i = 0; b && i < b->n_docs; i++) {
		const ent__doc *d = &b->docs[i];
		ent_inbox_file *f = add_file(b, d->name, out, n, &capacity);
		f->size = d->size;
		f->identity = d->identity;
		f->arrived_us = d->arrived_us;
	}
	pthread_mutex_unlock(&x->lock);
	ENT_SORT(*out, *n, by_arrival);
}

void ent_inbox_files_free(ent_inbox_file *files, size_t n) {
	for (size_t i = 0; i < n; i++) {
		free(files[i].path);
	}
	free(files);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

size_t ent_inbox_sources(ent_inbox *x, char ***out) {
	pthread_mutex_lock(&x->lock);
	size_t n = x->n_boxes;
	*out = ent_xcalloc(n + 1, sizeof **out);
	for (size_t i = 0; i < n; i++) {
		(*out)[i] = ent_xstrdup(x->boxes[i]->name);
	}
	pthread_mutex_unlock(&x->lock);
	qsort(*out, n, sizeof **out, by_text);
	return n;
}

void ent_inbox_consumed(ent_inbox *x, const char *source, const char *name, uint64_t position) {
	if (strncmp(name, prefix, sizeof prefix - 1) != 0) {
		return;
	}
	name += sizeof prefix - 1;
	uint32_t number = 0;
	int at = 0;
	bool is_log = sscanf(name, "%8" SCNu32 ".log%n", &number, &at) == 1 && at == 12;
	pthread_mutex_lock(&x->lock);
	ent__box *b = ent__inbox_box(x, source, false);
	for (size_t i = 0; b && is_log && i < b->n_logs; i++) {
		ent__log *log = &b->logs[i];
		if (log->number == number && position > log->committed) {
			log->committed = position;
			log->spent |= position > log->size;
			if (position >= log->size) {
				log->done_us = ent__inbox_now();
				x->look = true;
			}
		}
	}
	for (size_t i = 0; b && !is_log && i < b->n_docs; i++) {
		ent__doc *d = &b->docs[i];
		if (!d->committed && !strcmp(d->name, name) && position >= d->size) {
			d->committed = true;
			d->done_us = ent__inbox_now();
			x->look = true;
		}
	}
	if (x->look) {
		pthread_cond_signal(&x->wake);
	}
	pthread_mutex_unlock(&x->lock);
}
