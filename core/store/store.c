/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's life: lock, open, transaction, close; see store.h. One thread.
 *
 * Readers need no lock: SQLite's write-ahead log gives each a moment of its own, and after a crash the first who opens
 * the database, reader or writer, finds the last commit in that log. */
#include "base/arena.h"
#include "base/intern.h"
#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_STEP_MS = 10, LOCK_WAIT_MS = 5000 };

static char *join(const char *folder, const char *name) {
	size_t n = strlen(folder) + strlen(name) + 2;
	char *p = ent_xmalloc(n);
	snprintf(p, n, "%s/%s", folder, name);
	return p;
}

static int make_folder(const char *folder, ent_error *e) {
	if (!mkdir(folder, 0700)) {
		char *parent = join(folder, "..");
		int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int status = 0;
		if (fd < 0 || fsync(fd)) {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot sync %s", parent);
		}
		if (fd >= 0) {
			close(fd);
		}
		free(parent);
		return status;
	}
	return errno == EEXIST ? 0 : ent_error_errno(e, ENT_ERR_IO, "cannot make the folder %s", folder);
}

/* Who has the lock, by what it wrote into the file. 0: nobody knows. */
static long holder(const ent_store *s) {
	char text[32] = "";
	ssize_t n = pread(s->lock, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = 0;
	return strtol(text, NULL, 10);
}

/* Has it ended, if only its parent does not know yet? */
static bool gone(long pid) {
	char path[64], text[512] = "";
	if (pid <= 0 || (kill((pid_t)pid, 0) && errno == ESRCH)) {
		return pid > 0;
	}
	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	const char *after = n > 0 ? strrchr(text, ')') : NULL; /* behind the name, which may hold anything */
	if (fd >= 0) {
		close(fd);
	}
	return after && after[1] && (after[2] == 'Z' || after[2] == 'X');
}

/* The process number in the file is for the message and for one thing more: the lock is the kernel's and goes with its
 * holder, but a holder that was killed while it started a worker leaves it to that worker until its exec, a moment
 * later. So is it waited for, and only where the holder is gone. */
static int lock_it(ent_store *s) {
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	for (int waited = 0;; waited += LOCK_STEP_MS) {
		if (!fcntl(s->lock, F_OFD_SETLK, &lock)) {
			return 0;
		}
		int why = errno;
		bool again = (why == EAGAIN || why == EACCES) && waited < LOCK_WAIT_MS && gone(holder(s));
		errno = why;
		if (!again) {
			return -1;
		}
		nanosleep(&(struct timespec){.tv_nsec = LOCK_STEP_MS * 1000000}, NULL);
	}
}

static int take_lock(ent_store *s, ent_error *e) {
	char *path = join(s->folder, "lock");
	char text[32];
	int status = 0;
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot open %s", path);
	} else if (lock_it(s)) {
		if (errno == EAGAIN || errno == EACCES) {
			status = ent_error_set(e, ENT_ERR_BUSY, "the store %s is in use by process %ld", s->folder, holder(s));
			ent_error_todo(e, "wait for it, or stop it; commands that only read work meanwhile");
		} else {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot lock %s", path);
		}
	} else {
		int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
		if (ftruncate(s->lock, 0) || pwrite(s->lock, text, (size_t)n, 0) != n) {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot write %s", path);
		}
	}
	free(path);
	return status;
}

static int pragma(ent_store *s, const char *name, int64_t *out, ent_error *e) {
	sqlite3_stmt *statement = NULL;
	char sql[64];
	snprintf(sql, sizeof sql, "PRAGMA %s", name);
	int status = ent__sql_keep(s, &statement, sql, e);
	if (!status && sqlite3_step(statement) == SQLITE_ROW) {
		*out = sqlite3_column_int64(statement, 0);
	} else if (!status) {
		status = ent__sql_error(s, "cannot read the database", e);
	}
	sqlite3_finalize(statement);
	return status;
}

/* A statement text by its hash: the catalogue is part of the schema, a store made with other measures has other
 * columns. */
static void fingerprint(const ent_buf *sql, int version, char out[17]) {
	snprintf(out, 17, "%016llx", (unsigned long long)ent_hash64(sql->data, sql->n, (uint64_t)version));
}

/* The views are made anew where this program reads the tables in another way than the one before. */
static int make_views(ent_store *s, ent_error *e) {
	char print[17], *stored = NULL;
	ent_buf views = {0};
	ent__schema_views(&views);
	fingerprint(&views, ENT__SCHEMA_VERSION, print);
	int status = ent_store_meta_get(s, "views", &stored, e);
	if (!status && (!stored || strcmp(stored, print) != 0)) {
		status = ent__sql_run(s, "SAVEPOINT views", e);
		status = status ? status : ent__sql_run(s, (const char *)views.data, e);
		status = status ? status : ent_store_meta_set(s, "views", print, e);
		status = status ? status : ent__sql_run(s, "RELEASE views", e);
	}
	free(stored);
	ent_buf_finish(&views);
	return status;
}

static int make_schema(ent_store *s, const ent_buf *tables, ent_error *e) {
	char text[160], print[17];
	int status = ent__sql_run(s, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", e);
	if (status) {
		return status;
	}
	fingerprint(tables, ENT__SCHEMA_VERSION, print);
	snprintf(text, sizeof text, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", ENT__SCHEMA_APPLICATION,
		ENT__SCHEMA_VERSION);
	status = ent__sql_run(s, (const char *)tables->data, e);
	status = status ? status : ent_store_meta_set(s, "schema", print, e);
	status = status ? status : make_views(s, e);
	return status ? status : ent__sql_run(s, text, e);
}

static int refuse(ent_store *s, int64_t version, const char *stored, const char *print, ent_error *e) {
	ent_error_set(e, ENT_ERR_INVALID, "%s has schema %lld (%s), this program has %d (%s)", s->file, (long long)version,
		stored ? stored : "?", ENT__SCHEMA_VERSION, print);
	ent_error_todo(e, "use the program that made it, or move the store away and run again: the sources are read anew");
	return ENT_ERR_INVALID;
}

/* A store of an earlier version gets the tables and columns that it lacks, in one transaction. */
static int upgrade(ent_store *s, int version, const char *print, ent_error *e) {
	ent_buf before = {0}, sql = {0};
	char *stored = NULL, old[17];
	ent__schema_tables(&before, version);
	fingerprint(&before, version, old);
	int status = ent_store_meta_get(s, "schema", &stored, e);
	if (!status && (!stored || strcmp(stored, old) != 0)) {
		status = refuse(s, version, stored, print, e);
	} else if (!status && !s->writable) {
		status = ent_error_set(e, ENT_ERR_INVALID, "%s was written by an earlier version of this program", s->file);
		ent_error_todo(e, "`entente run` or `entente serve` brings it up to date");
	} else if (!status) {
		ent_buf_printf(&sql, "BEGIN IMMEDIATE;\n");
		ent__schema_upgrade(&sql, version);
		status = ent__sql_run(s, (const char *)sql.data, e);
		status = status ? status : ent_store_meta_set(s, "schema", print, e);
		sql.n = 0;
		ent_buf_printf(&sql, "PRAGMA user_version = %d; COMMIT", ENT__SCHEMA_VERSION);
		ent_buf_u8(&sql, 0);
		status = status ? status : ent__sql_run(s, (const char *)sql.data, e);
		if (status) {
			ent_store_rollback(s);
		} else {
			status = make_views(s, e);
		}
	}
	free(stored);
	ent_buf_finish(&before);
	ent_buf_finish(&sql);
	return status;
}

static bool beside(const ent_store *s, const char *name) {
	char *path = join(s->folder, name);
	bool there = !access(path, F_OK);
	free(path);
	return there;
}

static int check_schema(ent_store *s, bool create, ent_error *e) {
	int64_t version, application;
	int status = pragma(s, "user_version", &version, e);
	status = status ? status : pragma(s, "application_id", &application, e);
	if (status) {
		return status;
	}
	ent_buf tables = {0};
	char print[17], *stored = NULL;
	ent__schema_tables(&tables, ENT__SCHEMA_VERSION);
	fingerprint(&tables, ENT__SCHEMA_VERSION, print);
	if (!version && !application && create && beside(s, "ledger")) {
		/* what stands in the ledger would count as never committed, and be deleted */
		status = ent_error_set(e, ENT_ERR_CORRUPT, "%s is missing or empty, but there is a ledger beside it", s->file);
		ent_error_todo(e, "restore it from a backup, or move the folder away and run again: the sources are read anew");
	} else if (!version && !application) { /* new, or its making was interrupted: that was one transaction */
		status = create ? make_schema(s, &tables, e)
						: ent_error_set(e, ENT_ERR_NOTFOUND, "there is no store in %s", s->folder);
	} else if (application != ENT__SCHEMA_APPLICATION) {
		status = ent_error_set(e, ENT_ERR_INVALID, "%s is a database, but not a store of Entente", s->file);
	} else if (version >= ENT__SCHEMA_OLDEST && version < ENT__SCHEMA_VERSION) {
		status = upgrade(s, (int)version, print, e);
	} else if (version != ENT__SCHEMA_VERSION) {
		status = refuse(s, version, NULL, print, e);
	} else {
		status = ent_store_meta_get(s, "schema", &stored, e);
		if (!status && (!stored || strcmp(stored, print) != 0)) {
			status = refuse(s, version, stored, print, e);
		} else if (!status && s->writable) {
			status = make_views(s, e);
		}
	}
	free(stored);
	ent_buf_finish(&tables);
	return status;
}

static int open_database(ent_store *s, int mode, ent_error *e) {
	bool create = mode == ENT_STORE_CREATE;
	if (!create && access(s->file, F_OK)) {
		ent_error_set(e, ENT_ERR_NOTFOUND, "there is no store in %s", s->folder);
		return ent_error_todo(e, "make it: entente run"), ENT_ERR_NOTFOUND;
	}
	if (create && access(s->file, F_OK)) {
		/* An empty file is a new database; what stands in it is for its owner only, as the rest of the store. Never
		 * where there is one: closing any descriptor of a file takes away the locks that SQLite holds on it. */
		int fd = open(s->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0) {
			return ent_error_errno(e, ENT_ERR_IO, "cannot open %s", s->file);
		}
		close(fd);
	}
	int flags = s->writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	if (sqlite3_open_v2(s->file, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		return s->db ? ent__sql_error(s, "cannot open the database", e)
					 : ent_error_set(e, ENT_ERR_NOMEM, "out of memory");
	}
	sqlite3_busy_timeout(s->db, 10000); /* only for the moments in which another opens or recovers the log */
	/* Debian's SQLite overwrites what it deletes: of the cells' pages we need not. The page size counts for new files.
	 */
	int status = ent__sql_run(s,
		"PRAGMA page_size = 8192; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA secure_delete = FAST; "
		"PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY",
		e);
	if (!status && s->writable && ent__given_init(&s->given, s->db)) {
		status = ent__sql_error(s, "cannot open the database", e);
	}
	status = status ? status : check_schema(s, create, e);
	if (!status && s->writable) {
		ent__tidy_open(s);
	}
	return status;
}

int ent_store_open(ent_store **out, const char *folder, int mode, ent_error *e) {
	*out = NULL;
	ent_store *s = ent_xcalloc(1, sizeof *s);
	s->folder = ent_xstrdup(folder);
	s->file = join(folder, "entente.db");
	s->lock = -1;
	s->writable = mode != ENT_STORE_READ;
	ent_store_take(s);
	int status = mode == ENT_STORE_CREATE ? make_folder(folder, e) : 0;
	if (!status && mode == ENT_STORE_WRITE && access(s->file, F_OK)) {
		status =
			open_database(s, mode, e); /* says that there is none, before a lock file is left in a strange folder */
	}
	status = status || !s->writable ? status : take_lock(s, e);
	status = status || s->db ? status : open_database(s, mode, e);
	if (status) {
		ent_store_close(s);
		return status;
	}
	*out = s;
	return 0;
}

void ent_store_close(ent_store *s) {
	if (!s) {
		return;
	}
	sqlite3_stmt *statement;
	while (s->db && (statement = sqlite3_next_stmt(s->db, NULL))) {
		sqlite3_finalize(statement);
	}
	ent__tidy_close(s);
	sqlite3_close(s->db); /* the last one moves the log into the database */
	if (s->lock >= 0) {
		close(s->lock);
	}
	ent__said_close(s);
	free(s->folder);
	free(s->file);
	free(s);
}

void ent_store_take(ent_store *s) {
	s->owner = pthread_self();
	s->owned = true;
}

void ent_store_release(ent_store *s) { s->owned = false; }

const char *ent_store_folder(const ent_store *s) { return s->folder; }

int ent_store_begin(ent_store *s, ent_error *e) {
	return ent__sql_run(s, s->writable ? "BEGIN IMMEDIATE" : "BEGIN", e);
}

int ent_store_commit(ent_store *s, ent_error *e) {
	int status = ent__sql_run(s, "COMMIT", e);
	if (status) {
		ent_store_rollback(s);
	}
	return status;
}

void ent_store_rollback(ent_store *s) {
	if (!sqlite3_get_autocommit(s->db)) {
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	}
	ent__said_close(s); /* numbers of rules that were given in between are no more */
}

int ent_store_check(ent_store *s, ent_error *e) {
	sqlite3_stmt *statement = NULL;
	int status = ent__sql_keep(s, &statement, "PRAGMA quick_check(1)", e);
	if (status) {
		return status;
	}
	if (sqlite3_step(statement) != SQLITE_ROW) {
		status = ent__sql_error(s, "cannot read the database", e);
	} else {
		const char *told = (const char *)sqlite3_column_text(statement, 0);
		if (!told || strcmp(told, "ok") != 0) {
			status = ent_error_set(e, ENT_ERR_CORRUPT, "the database is damaged: %.400s", told ? told : "no answer");
			ent_error_at(e, s->file, 0, 0);
		}
	}
	sqlite3_finalize(statement);
	return status;
}
