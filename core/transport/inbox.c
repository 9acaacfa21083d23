/* SPDX-License-Identifier: Apache-2.0
 *
 * The inbox, see inbox.h: opening and closing, what is put and who hears of it, and the writer's thread. What is put waits in a
 * queue; the writer takes all of it at once, so that whatever came while it wrote is one write and one sync. */
#include "transport/inbox_internal.h"

#include "config/scalar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CURSOR_MAX = 64 << 10, TICK_LEAST_US = 50000, TICK_MOST_US = 1000000 };

int64_t ent__inbox_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

ent__box *ent__inbox_box(ent_inbox *x, const char *source, bool make) {
	for (size_t i = 0; i < x->n_boxes; i++) {
		if (!strcmp(x->boxes[i]->name, source)) {
			return x->boxes[i];
		}
	}
	if (!make) {
		return NULL;
	}
	ent__box *b = ent_xcalloc(1, sizeof *b);
	size_t n = strlen(x->folder) + strlen(source) + 2;
	b->name = ent_xstrdup(source);
	b->path = ent_xmalloc(n);
	snprintf(b->path, n, "%s/%s", x->folder, source);
	b->folder = b->fd = -1;
	ENT_GROW(x->boxes, x->n_boxes, x->boxes_capacity);
	x->boxes[x->n_boxes++] = b;
	return b;
}

/* ---- the writer ------------------------------------------------------------------------------------------------------- */

static size_t bucket(const uint8_t *id) { return id[0] % ENT__INBOX_BUCKETS; }

static void unlist(ent__put *p) {
	ent__put **at = &p->box->pending[bucket(p->id)];
	while (*at && *at != p) {
		at = &(*at)->same_bucket;
	}
	if (*at) {
		*at = p->same_bucket;
	}
}

/* Gives them to the loop. Lock held. */
static void finish_puts(ent_inbox *x, ent__put *all) {
	for (ent__put *p = all, *next; p; p = next) {
		next = p->next;
		p->next = NULL;
		if (p->has_id) {
			unlist(p);
		}
		x->queued -= p->bytes;
		p->box->queued -= p->bytes;
		*x->finished_end = p;
		x->finished_end = &p->next;
	}
	uv_async_send(x->async);
}

/* Writes what was taken from the queue, source by source. */
static void write_queue(ent_inbox *x, ent__put *queue) {
	ent__box **touched = NULL;
	size_t n = 0, capacity = 0;
	for (ent__put *p = queue, *next; p; p = next) {
		next = p->next;
		p->next = NULL;
		ent__box *b = p->box;
		if (!b->batch) {
			b->batch_end = &b->batch;
			ENT_GROW(touched, n, capacity);
			touched[n++] = b;
		}
		*b->batch_end = p;
		b->batch_end = &p->next;
	}
	for (size_t i = 0; i < n; i++) {
		ent__box *b = touched[i];
		ent__box_write(x, b);
		pthread_mutex_lock(&x->lock);
		finish_puts(x, b->batch); /* those of the next source need not hold up these */
		pthread_mutex_unlock(&x->lock);
		b->batch = NULL;
	}
	free(touched);
}

/* Returns whether something will be due later. */
static bool keep_all(ent_inbox *x) {
	bool more = false;
	for (size_t i = 0;; i++) {
		pthread_mutex_lock(&x->lock);
		ent__box *b = i < x->n_boxes ? x->boxes[i] : NULL;
		pthread_mutex_unlock(&x->lock);
		if (!b) {
			return more;
		}
		more |= ent__box_keep(x, b);
	}
}

static void wait_for_work(ent_inbox *x, bool later) {
	int64_t tick = x->set.keep_us < x->set.age_us ? x->set.keep_us : x->set.age_us;
	tick = tick < TICK_LEAST_US ? TICK_LEAST_US : tick > TICK_MOST_US ? TICK_MOST_US : tick;
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t ns = until.tv_nsec + tick * 1000;
	until.tv_sec += ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	while (!x->queue && !x->stopping && !x->look) {
		if (!later) {
			pthread_cond_wait(&x->wake, &x->lock);
		} else if (pthread_cond_timedwait(&x->wake, &x->lock, &until) == ETIMEDOUT) {
			return;
		}
	}
}

static void *writer(void *inbox) {
	ent_inbox *x = inbox;
	bool later = keep_all(x);
	pthread_mutex_lock(&x->lock);
	for (;;) {
		wait_for_work(x, later);
		ent__put *queue = x->queue;
		bool stop = x->stopping && !queue;
		x->queue = NULL;
		x->queue_end = &x->queue;
		x->look = false;
		x->set = x->wanted;
		if (stop) {
			break;
		}
		pthread_mutex_unlock(&x->lock);
		write_queue(x, queue);
		later = keep_all(x);
		pthread_mutex_lock(&x->lock);
	}
	pthread_mutex_unlock(&x->lock);
	return NULL;
}

/* ---- front ------------------------------------------------------------------------------------------------------------ */

static void tell(ent__put *p) {
	ent__box *b = p->box;
	const ent_error *e = p->outcome < 0 ? &p->error : NULL;
	if (!p->outcome) {
		b->arrived = true;
		if (p->cursor) {
			free(b->front_cursor);
			b->front_cursor = p->cursor;
			p->cursor = NULL;
		}
	}
	if (p->first.done) {
		p->first.done(p->first.ctx, p->outcome, e);
	}
	for (ent__waiter *w = p->again, *next; w; w = next) {
		next = w->next;
		if (w->done) {
			w->done(w->ctx, p->outcome ? p->outcome : ENT_INBOX_REPEATED, e);
		}
		free(w);
	}
	ent_buf_finish(&p->body);
	free(p->cursor);
	free(p);
}

static void tell_all(ent_inbox *x) {
	pthread_mutex_lock(&x->lock);
	ent__put *all = x->finished;
	x->finished = NULL;
	x->finished_end = &x->finished;
	pthread_mutex_unlock(&x->lock);
	for (ent__put *p = all, *next; p; p = next) {
		next = p->next;
		tell(p);
	}
	for (size_t i = 0; i < x->n_boxes; i++) { /* boxes are added by this thread alone */
		if (x->boxes[i]->arrived) {
			x->boxes[i]->arrived = false;
			if (x->arrived) {
				x->arrived(x->ctx, x->boxes[i]->name);
			}
		}
	}
}

static void on_async(uv_async_t *async) {
	if (async->data) {
		tell_all(async->data);
	}
}

static void on_closed(uv_handle_t *handle) { free(handle); }

static void add_record(ent__put *p, const char *text, size_t n) {
	size_t length = p->body.n;
	ent_buf_u32(&p->body, 0);
	ent__line_clean(&p->body, text, n);
	uint32_t written = (uint32_t)(p->body.n - length - 4);
	memcpy(p->body.data + length, &written, 4);
	p->records++;
}

static void add_lines(ent__put *p, ent_str text) {
	const char *at = text.p, *end = text.p + text.n;
	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((line ? line : end) - at), blank = 0;
		while (blank < n && (at[blank] == ' ' || at[blank] == '\t' || at[blank] == '\r')) {
			blank++;
		}
		if (blank < n) {
			add_record(p, at, n);
		}
		at += n + (line != NULL);
	}
}

static void take_suffix(ent__put *p, const char *suffix) {
	size_t n = suffix ? strlen(suffix) : 0;
	bool good = n < sizeof p->suffix;
	for (size_t i = 0; i < n && good; i++) {
		char c = suffix[i];
		good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
	}
	if (good && n) {
		memcpy(p->suffix, suffix, n);
	}
}

/* How much it will take, before anything is copied. */
static size_t size_of(const ent_inbox_item *item) {
	size_t n = item->document ? item->document->n : item->lines ? item->lines->n : 0;
	for (size_t i = 0; i < item->n_records; i++) {
		n += item->records[i].n + ENT_ENVELOPE;
	}
	return n + ENT_ENVELOPE + (item->cursor ? strlen(item->cursor) : 0);
}

/* Is there room for it? Lock held. */
static int refuse(ent_inbox *x, ent__box *b, const ent_inbox_item *item, uint64_t bytes, ent_error *e) {
	uint64_t memory = (uint64_t)x->wanted.memory;
	if (x->stopping) {
		return ent_error_set(e, ENT_ERR_STOPPED, "the inbox takes nothing any more");
	}
	if (!ent_name_form(item->source)) {
		return ent_error_set(e, ENT_ERR_INVALID, "'%.80s' is no name of a source", item->source);
	}
	if (bytes > memory || bytes > UINT32_MAX / 4 || (item->cursor && strlen(item->cursor) > CURSOR_MAX)) {
		ent_error_set(e, ENT_ERR_RANGE, "a single item of %llu bytes is more than the inbox takes", (unsigned long long)bytes);
		return ent_error_todo(e, "send less at once, or raise inbox.memory");
	}
	if (x->queued + bytes > memory || (b->queued && b->queued + bytes > memory / 2)) {
		ent_error_set(e, ENT_ERR_BUSY, "source %s: too much waits for the disk", b->name);
		return ent_error_todo(e, "send it again later");
	}
	if (ent__box_waiting(b) + b->queued + bytes > (uint64_t)x->wanted.waiting) {
		ent_error_set(e, ENT_ERR_BUSY, "source %s: too much waits to be read", b->name);
		return ent_error_todo(e, "send it again later; inbox.waiting says how much may wait");
	}
	return 0;
}

static void fill(ent__put *p, const ent_inbox_item *item) {
	if (item->document) {
		p->document = true;
		p->records = 1;
		ent_buf_add(&p->body, item->document->p, item->document->n);
		take_suffix(p, item->suffix);
	} else if (item->lines) {
		add_lines(p, *item->lines);
	}
	for (size_t i = 0; i < item->n_records; i++) {
		add_record(p, item->records[i].p, item->records[i].n);
	}
	p->cursor = item->cursor ? ent_xstrdup(item->cursor) : NULL;
}

static ent__put *find_pending(ent__box *b, const uint8_t *id) {
	ent__put *p = b->pending[bucket(id)];
	while (p && memcmp(p->id, id, ENT__INBOX_ID) != 0) {
		p = p->same_bucket;
	}
	return p;
}

void ent_inbox_put(ent_inbox *x, const ent_inbox_item *item, ent_inbox_done *done, void *ctx) {
	uint8_t id[ENT__INBOX_ID];
	if (item->id) {
		crypto_generichash(id, sizeof id, (const uint8_t *)item->id, item->id_n, NULL, 0);
	}
	uint64_t bytes = size_of(item);
	pthread_mutex_lock(&x->lock);
	ent__box *b = ent__inbox_box(x, item->source, true);
	ent__put *under_way = item->id ? find_pending(b, id) : NULL;
	if (under_way) {
		ent__waiter *w = ent_xcalloc(1, sizeof *w);
		*w = (ent__waiter){done, ctx, under_way->again};
		under_way->again = w;
		b->status.repeated++;
		pthread_mutex_unlock(&x->lock);
		return;
	}
	ent__put *p = ent_xcalloc(1, sizeof *p);
	p->box = b;
	p->first = (ent__waiter){done, ctx, NULL};
	if (item->id && ent__ids_find(&b->ids, id)) {
		p->outcome = ENT_INBOX_REPEATED;
		b->status.repeated++;
	} else {
		p->outcome = refuse(x, b, item, bytes, &p->error);
		b->status.refused += p->outcome == ENT_ERR_BUSY;
	}
	pthread_mutex_unlock(&x->lock);
	if (!p->outcome) {
		fill(p, item);
		if (!p->records && !p->cursor && item->id) {
			add_record(p, "", 0); /* an id alone is kept, too */
		}
	}
	bool nothing = !p->outcome && !p->records && !p->cursor;
	pthread_mutex_lock(&x->lock);
	if (p->outcome || nothing) {
		*x->finished_end = p;
		x->finished_end = &p->next;
		uv_async_send(x->async);
	} else {
		if (item->id) {
			p->has_id = true;
			memcpy(p->id, id, sizeof id);
			p->same_bucket = b->pending[bucket(id)];
			b->pending[bucket(id)] = p;
		}
		p->bytes = bytes;
		x->queued += bytes;
		b->queued += bytes;
		*x->queue_end = p;
		x->queue_end = &p->next;
		pthread_cond_signal(&x->wake);
	}
	pthread_mutex_unlock(&x->lock);
}

const char *ent_inbox_cursor(ent_inbox *x, const char *source) {
	pthread_mutex_lock(&x->lock);
	ent__box *b = ent__inbox_box(x, source, false);
	pthread_mutex_unlock(&x->lock);
	return b ? b->front_cursor : NULL;
}

/* ---- open and close --------------------------------------------------------------------------------------------------- */

static int take_lock(ent_inbox *x, ent_error *e) {
	size_t n = strlen(x->folder) + 6;
	char *path = ent_xmalloc(n);
	snprintf(path, n, "%s/lock", x->folder);
	x->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int status = 0;
	if (x->lock_fd < 0) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot open %s", path);
	} else if (fcntl(x->lock_fd, F_OFD_SETLK, &whole)) {
		ent_error_set(e, ENT_ERR_BUSY, "another process has the inbox %s", x->folder);
		status = ent_error_todo(e, "stop `entente serve`, or wait until the run is over");
	}
	free(path);
	return status;
}

static int recover_all(ent_inbox *x, ent_error *e) {
	DIR *d = opendir(x->folder);
	if (!d) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot read the inbox %s", x->folder);
	}
	int status = 0;
	struct dirent *item;
	while (!status && (item = readdir(d))) {
		struct stat st;
		if (!ent_name_form(item->d_name) || fstatat(dirfd(d), item->d_name, &st, 0) || !S_ISDIR(st.st_mode)) {
			continue;
		}
		ent__box *b = ent__inbox_box(x, item->d_name, true);
		status = ent__box_recover(x, b, e);
		b->front_cursor = b->cursor ? ent_xstrdup(b->cursor) : NULL;
	}
	closedir(d);
	return status;
}

static int start(ent_inbox *x, ent_error *e) {
	x->async = ent_xcalloc(1, sizeof *x->async);
	uv_async_init(x->front, x->async, on_async);
	x->async->data = x;
	sigset_t all, before; /* signals are the loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&x->thread, NULL, writer, x);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		errno = failed;
		return ent_error_errno(e, ENT_ERR_IO, "cannot start the inbox");
	}
	pthread_setname_np(x->thread, "inbox");
	x->running = true;
	return 0;
}

int ent_inbox_open(ent_inbox **out, uv_loop_t *front, const char *folder, const ent_inbox_settings *settings,
	void (*arrived)(void *ctx, const char *source), void *ctx, ent_error *e) {
	static const ent_inbox_settings presets = {.memory = INT64_C(64) << 20, .waiting = INT64_C(4) << 30, .log = INT64_C(64) << 20,
		.age_us = INT64_C(3600000000), .remember_us = INT64_C(3) * 86400 * 1000000, .ids = 1000000, .keep_us = INT64_C(600000000)};
	ent_inbox *x = ent_xcalloc(1, sizeof *x);
	*out = NULL;
	x->folder = ent_xstrdup(folder);
	x->set = x->wanted = settings ? *settings : presets;
	x->front = front;
	x->arrived = arrived;
	x->ctx = ctx;
	x->lock_fd = -1;
	x->queue_end = &x->queue;
	x->finished_end = &x->finished;
	pthread_mutex_init(&x->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&x->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	int status = 0;
	struct stat st;
	if (sodium_init() < 0) {
		status = ent_error_set(e, ENT_ERR_IO, "libsodium cannot start: the system gives no random numbers");
	} else if (front && mkdir(folder, 0700) && errno != EEXIST) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot make the inbox %s", folder);
	} else if (!stat(folder, &st)) { /* to read only, there may be none */
		status = take_lock(x, e);
		status = status ? status : recover_all(x, e);
	}
	if (!status && front) {
		status = start(x, e);
	}
	if (status) {
		ent_inbox_close(x);
		return status;
	}
	*out = x;
	return 0;
}

void ent_inbox_configure(ent_inbox *x, const ent_inbox_settings *settings) {
	pthread_mutex_lock(&x->lock);
	x->wanted = *settings;
	x->look = true;
	pthread_cond_signal(&x->wake);
	pthread_mutex_unlock(&x->lock);
}

void ent_inbox_close(ent_inbox *x) {
	if (!x) {
		return;
	}
	if (x->running) {
		pthread_mutex_lock(&x->lock);
		x->stopping = true;
		pthread_cond_signal(&x->wake);
		pthread_mutex_unlock(&x->lock);
		pthread_join(x->thread, NULL);
		x->running = false;
	}
	for (bool more = true; more;) { /* who is told may put again, and hears that it is over */
		tell_all(x);
		more = x->finished != NULL;
	}
	if (x->async) {
		x->async->data = NULL;
		uv_close((uv_handle_t *)x->async, on_closed);
	}
	for (size_t i = 0; i < x->n_boxes; i++) {
		ent__box_free(x->boxes[i]);
	}
	free(x->boxes);
	for (size_t i = 0; i < x->n_forms; i++) {
		free(x->forms[i].source);
	}
	free(x->forms);
	if (x->lock_fd >= 0) {
		close(x->lock_fd);
	}
	pthread_cond_destroy(&x->wake);
	pthread_mutex_destroy(&x->lock);
	ent_buf_finish(&x->buffer);
	free(x->folder);
	free(x);
}
