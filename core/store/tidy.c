/* SPDX-License-Identifier: Apache-2.0
 *
 * Tidying: what was committed is moved from SQLite's log into the database. That costs as much as the commit itself, and
 * nobody waits for it: it is durable where it lies. So a thread of its own does it, by a connection of its own, while the
 * store goes on; only a log that grows faster than it is emptied makes the commit wait. The thread is started for it and
 * joined before the next, by whoever owns the store at the time. */
#include "store/sql.h"

#include "base/arena.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { WORTH_IT = 512, TOO_LONG = 8192 /* pages: 4 MB, 64 MB */ };

struct ent__tidy {
	sqlite3 *db;
	pthread_t thread;
	bool started;
	atomic_bool done;
};

static void *move(void *ctx) {
	struct ent__tidy *t = ctx;
	/* What fails stays in the log, and counts there. */
	sqlite3_wal_checkpoint_v2(t->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	atomic_store_explicit(&t->done, true, memory_order_release);
	return NULL;
}

static void join(struct ent__tidy *t) {
	if (t->started) {
		pthread_join(t->thread, NULL);
		t->started = false;
	}
}

/* After a commit, by the thread that did it. */
static int committed(void *ctx, sqlite3 *db, const char *name, int pages) {
	ent_store *s = ctx;
	struct ent__tidy *t = s->tidy;
	if (pages < WORTH_IT || (t->started && !atomic_load_explicit(&t->done, memory_order_acquire) && pages < TOO_LONG)) {
		return SQLITE_OK;
	}
	join(t);
	if (!t->db && (sqlite3_open_v2(s->file, &t->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
					  sqlite3_exec(t->db, "PRAGMA schema_version", NULL, NULL, NULL) != SQLITE_OK)) {
		sqlite3_close(t->db); /* it had to read: before, it does not know that there is a log */
		t->db = NULL;
	}
	atomic_store_explicit(&t->done, false, memory_order_relaxed);
	t->started = t->db && pages < TOO_LONG && pthread_create(&t->thread, NULL, move, t) == 0;
	if (!t->started) {
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	}
	return SQLITE_OK;
}

void ent__tidy_open(ent_store *s) {
	s->tidy = ent_xcalloc(1, sizeof *s->tidy);
	sqlite3_wal_hook(s->db, committed, s);
}

void ent__tidy_close(ent_store *s) {
	if (s->tidy) {
		join(s->tidy);
		sqlite3_close(s->tidy->db);
		free(s->tidy);
		s->tidy = NULL;
	}
}
