/* SPDX-License-Identifier: Apache-2.0
 *
 * The log: who may write when. How a line looks is in log_line.c. One lock for the table of limits and for the write,
 * held for microseconds: nothing under it waits. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log_line.h"

enum {
	KINDS = 256,  /* events times sources that are remembered at once; the one unused for longest gives way */
	SUBJECT = 64, /* bytes of a subject that are kept, to say later whose lines were held back */
	BURST = 20
};
#define EVERY_NS UINT64_C(5000000000)
static const char others[SUBJECT] = "(others)";
#define SWEEP_NS                                                                                                       \
	UINT64_C(10000000000) /* how often lines are looked for that were held back and never followed by one */

typedef struct kind {
	const char *event; /* NULL: free */
	char subject[SUBJECT];
	uint64_t full_ns; /* when all of its burst is there again */
	uint64_t used_ns;
	uint64_t held_back;
	ent_severity level;
} kind;

static struct {
	pthread_mutex_t lock;
	atomic_int level;
	ent__log_style style;
	int fd;
	unsigned burst;
	uint64_t every_ns, swept_ns, dropped;
	uint64_t (*clock)(void);
	kind kinds[KINDS];
} the = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = ENT_SEVERITY_OFF};

static uint64_t monotonic(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool is_journal(int fd) {
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	unsigned long long dev, ino;
	return stream && fstat(fd, &st) == 0 && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && dev == st.st_dev &&
		   ino == st.st_ino;
}

void ent_log_init(const ent_log_options *o) {
	const char *no = getenv("NO_COLOR"), *type = getenv("TERM");
	pthread_mutex_lock(&the.lock);
	the.fd = o->fd ? o->fd : STDERR_FILENO;
	the.style.form = o->form;
	the.style.terminal = isatty(the.fd) == 1;
	the.style.colour = the.style.terminal && !(no && *no) && type && strcmp(type, "dumb") != 0;
	the.style.journal = is_journal(the.fd);
	the.burst = o->burst ? o->burst : BURST;
	the.every_ns = o->every_ns ? o->every_ns : EVERY_NS;
	the.clock = o->clock ? o->clock : monotonic;
	atomic_store(&the.level, (int)o->level);
	pthread_mutex_unlock(&the.lock);
}

bool ent_log_wanted(ent_severity level) {
	return (int)level >= atomic_load_explicit(&the.level, memory_order_relaxed);
}

/* ---- limits --------------------------------------------------------------------------------------------------------
 */

static void put(ent_severity level, const char *event, const ent_log_value *values, size_t n, uint64_t held_back);

static void say_held_back(kind *k) {
	if (k->held_back) {
		put(k->level, "log.held_back",
			(ent_log_value[]){ent_log_text("of", k->event), ent_log_text("about", k->subject[0] ? k->subject : NULL)},
			2, k->held_back);
		k->held_back = 0;
	}
}

static kind *find_kind(const char *event, const char subject[SUBJECT], uint64_t now) {
	kind *oldest = &the.kinds[0];
	for (size_t i = 0; i < KINDS; i++) {
		kind *k = &the.kinds[i];
		if (k->event && strcmp(k->event, event) == 0 && strcmp(k->subject, subject) == 0) {
			return k;
		}
		if (oldest->event && (!k->event || k->used_ns < oldest->used_ns)) {
			oldest = k;
		}
	}
	/* All are in use: sources by the thousand fail at once. Those that have no place share one for each event. */
	if (oldest->event && oldest->full_ns > now && strcmp(subject, others) != 0) {
		return find_kind(event, others, now);
	}
	say_held_back(oldest);
	*oldest = (kind){.event = event, .full_ns = now};
	memcpy(oldest->subject, subject, SUBJECT);
	return oldest;
}

static kind *kind_of(const char *event, const ent_log_value *values, size_t n, uint64_t now) {
	char subject[SUBJECT] = "";
	for (size_t i = 0; i < n; i++) {
		if (values[i].key && values[i].kind == ENT_LOG_VALUE_TEXT) {
			size_t length = values[i].n == SIZE_MAX ? strnlen(values[i].as.text, SUBJECT - 1) : values[i].n;
			memcpy(subject, values[i].as.text, length < SUBJECT - 1 ? length : SUBJECT - 1);
			break;
		}
	}
	return find_kind(event, subject, now);
}

/* Tokens as a time: each line moves the moment at which the burst is whole again ahead by one `every`. */
static bool may_go(kind *k, uint64_t now) {
	k->used_ns = now;
	uint64_t full = k->full_ns > now ? k->full_ns : now;
	if (full - now > (the.burst - 1) * the.every_ns) {
		k->held_back++;
		return false;
	}
	k->full_ns = full + the.every_ns;
	return true;
}

/* ---- out -----------------------------------------------------------------------------------------------------------
 */

static void put(ent_severity level, const char *event, const ent_log_value *values, size_t n, uint64_t held_back) {
	struct timespec now;
	ent_buf line = {0};
	/* A terminal that stands still (^S) or a full pipe must not stop the service: where there is no room now, none is
	 * waited for. A line is shorter than what a writable pipe or socket has room for. */
	struct pollfd room = {.fd = the.fd, .events = POLLOUT};
	if (poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT)) {
		the.dropped++;
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	ent__log_line(&line, &the.style, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, level, event, values, n, held_back,
		the.dropped);
	ssize_t written;
	do {
		written = write(the.fd, line.data, line.n);
	} while (written < 0 && errno == EINTR);
	if (written == (ssize_t)line.n) {
		the.dropped = 0;
	} else {
		the.dropped++;
	}
	ent_buf_finish(&line);
}

/* What was held back and not said since, because no other of its kind came. */
static void sweep(uint64_t now, bool all) {
	if (!all && now - the.swept_ns < SWEEP_NS) {
		return;
	}
	the.swept_ns = now;
	for (size_t i = 0; i < KINDS; i++) {
		kind *k = &the.kinds[i];
		if (k->event && (all || k->full_ns <= now)) {
			say_held_back(k);
		}
	}
}

void ent_log_write(ent_severity level, const char *event, const ent_log_value *values, size_t n) {
	if (!ent_log_wanted(level)) {
		return;
	}
	int number = errno;
	pthread_mutex_lock(&the.lock);
	uint64_t now = the.clock();
	sweep(now, false);
	kind *k = kind_of(event, values, n, now);
	k->level = level;
	if (may_go(k, now)) {
		uint64_t held_back = k->held_back;
		k->held_back = 0;
		put(level, event, values, n, held_back);
	}
	pthread_mutex_unlock(&the.lock);
	errno = number;
}

void ent_log_finish(void) {
	pthread_mutex_lock(&the.lock);
	if (atomic_load(&the.level) < ENT_SEVERITY_OFF) {
		sweep(the.clock(), true);
	}
	atomic_store(&the.level, ENT_SEVERITY_OFF);
	memset(the.kinds, 0, sizeof the.kinds);
	the.dropped = 0;
	pthread_mutex_unlock(&the.lock);
}
