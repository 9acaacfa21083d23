/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests `huge` and `speed`: one record of 1 GB, which comes through a pipe and is never held; the largest records
 * that the host hands over; and how fast ordinary ones are. */
#include "conform/tests.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HUGE_BYTES ((uint64_t)1 << 30)
#define LARGE_BYTES ((size_t)60 << 20) /* the host takes records of up to 64 MiB */
#define MEMORY ((uint64_t)512 << 20)   /* of the plugin */

typedef struct source { /* what the pipe gives: before, then so many of `fill`, then after */
	int fd;
	const char *before, *after;
	size_t n_before, n_after;
	uint64_t fill;
} source;

static bool put(int fd, const char *p, size_t n) {
	while (n) {
		ssize_t done = write(fd, p, n);
		if (done <= 0) {
			return false; /* nobody reads any more: it was refused */
		}
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static void *pour(void *ctx) {
	enum { PIECE = 1 << 20 };
	source *s = ctx;
	char *piece = ent_xmalloc(PIECE);
	memset(piece, 'a', PIECE);
	bool open = put(s->fd, s->before, s->n_before);
	for (uint64_t left = s->fill; open && left; left -= left < PIECE ? left : PIECE) {
		open = put(s->fd, piece, left < PIECE ? (size_t)left : PIECE);
	}
	if (open) {
		put(s->fd, s->after, s->n_after);
	}
	close(s->fd);
	free(piece);
	return NULL;
}

/* A document whose record has `fill` letters at `at`. */
static bool swollen(
	ent__check *k, const ent__case *c, ent__trial *t, size_t at, size_t end, uint64_t fill, const char *how) {
	int ends[2];
	pthread_t thread;
	if (pipe(ends)) {
		abort();
	}
	source s = {
		.fd = ends[1], .before = c->bytes, .n_before = at, .after = c->bytes + at, .n_after = end - at, .fill = fill};
	ent__doing(c, "decoding it, %s", how);
	ent__check_ran(k);
	if (pthread_create(&thread, NULL, pour, &s)) {
		abort();
	}
	ent__alloc_watch(ENT__ANYONES, 0, MEMORY);
	ent__trial_pipe(t, ends[0]);
	ent__allocs a = ent__alloc_counts();
	ent__alloc_unwatch();
	close(ends[0]);
	pthread_join(thread, NULL);
	if (a.failed && !(t->failed && t->returned == ENT_ENOMEM)) {
		ent__check_fail(k, c, ENT__NO_PLACE,
			"keep no more of a record than is needed, with a limit; reject what is longer",
			"%s: it asked for more than 512 MiB of memory, and %s", how,
			t->failed ? "refused the document for another reason" : "went on");
		return false;
	}
	if (a.failed) {
		ent__check_fail(k, c, t->fault.place,
			"keep no more of a record than is needed, with a limit; reject what is longer",
			"%s: it asks for more than 512 MiB of memory", how);
		return false;
	}
	return ent__sane(k, c, t, UINT64_MAX - 1, how);
}

/* Where the first record can swell: within its first text in quotes, or between two letters. */
static size_t within_record(const ent__case *c) {
	size_t from = ent__header(c);
	const char *p = c->bytes + from, *end = memchr(p, '\n', c->n - from);
	size_t n = end ? (size_t)(end - p) : c->n - from;
	const char *quote = memchr(p, '"', n), *colon = quote ? memmem(quote, n - (size_t)(quote - p), "\":", 2) : NULL;
	const char *value = colon ? memchr(colon + 2, '"', n - (size_t)(colon + 2 - p)) : NULL;
	if (value) { /* JSON: behind the quote that opens the first value that is a text */
		return from + (size_t)(value + 1 - p);
	}
	if (quote) {
		return from + (size_t)(quote + 1 - p);
	}
	for (size_t i = 1; i < n; i++) {
		if ((p[i - 1] | 0x20) >= 'a' && (p[i - 1] | 0x20) <= 'z' && (p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z') {
			return from + i;
		}
	}
	return from;
}

void ent__test_huge(ent__check *k, const ent__case *c) {
	for (const ent__case *b = k->set->cases; b != c; b++) {
		if (b->decoder == c->decoder) {
			return; /* one input of each decoder is enough */
		}
	}
	signal(SIGPIPE, SIG_IGN);
	ent__trial *t = ent__open(k, c);
	if (!t) {
		return;
	}
	size_t at = within_record(c), end = ent__small(c);
	if (swollen(k, c, t, at, end, HUGE_BYTES, "with 1 GB in its first record") &&
		swollen(k, c, t, at, end, LARGE_BYTES, "with 60 MiB in its first record") && end > at) {
		swollen(k, c, t, end - 1, end, LARGE_BYTES, "with 60 MiB at its end");
	}
	ent__trial_close(t);
}

/* ---- speed
 * -------------------------------------------------------------------------------------------------------------- */

/* The largest input of its decoder? */
static bool largest(const ent__check *k, const ent__case *c) {
	for (size_t i = 0; i < k->set->n; i++) {
		const ent__case *o = &k->set->cases[i];
		if (o->decoder == c->decoder && (o->n > c->n || (o->n == c->n && o < c))) {
			return false;
		}
	}
	return true;
}

void ent__test_speed(ent__check *k, const ent__case *c) {
	const size_t enough = (size_t)8 << 20;
	const uint64_t time = UINT64_C(400000000), rounds = 1000;
	if (!largest(k, c)) {
		return;
	}
	ent_buf much = {0};
	size_t header = ent__header(c);
	ent__trial *t = ent__open(k, c);
	if (!t) {
		return;
	}
	ent__doing(c, "decoding it many times");
	t->quiet = true;
	ent_buf_add(&much, c->bytes, c->n);
	bool rows = c->decoder->frame == ENT_FRAME_DELIMITED || c->decoder->frame == ENT_FRAME_JSONL;
	while (rows && c->n > header && c->bytes[c->n - 1] == '\n' && much.n + c->n < enough) {
		ent_buf_add(&much, c->bytes + header, c->n - header);
	}
	ent__alloc_watch(ENT__ANYONES, 0, 0);
	ent__trial_decode(t, (char *)much.data, much.n);
	uint64_t calls = ent__alloc_counts().calls, records = t->consumed + t->rejected + t->skipped, done = 0, spent = 0;
	ent__alloc_unwatch();
	for (uint64_t i = 0; i < rounds && spent < time; i++) {
		uint64_t began = ent__clock_ns(CLOCK_THREAD_CPUTIME_ID);
		ent__trial_range(t, 0, UINT64_MAX, false);
		spent += ent__clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
		done += much.n;
		ent__trial_forget(t);
	}
	ent__check_ran(k);
	char name[128];
	snprintf(name, sizeof name, "%s, MB/s", c->decoder->name);
	ent__check_number(k, name, spent ? (double)done * 1000 / (double)spent : 0);
	if (ent__alloc_seen() && records) {
		snprintf(name, sizeof name, "%s, allocations per record", c->decoder->name);
		ent__check_number(k, name, (double)calls / (double)records);
	}
	ent__trial_close(t);
	ent_buf_finish(&much);
}
