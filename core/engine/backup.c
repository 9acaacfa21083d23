/* SPDX-License-Identifier: Apache-2.0
 *
 * Backup and restore, see backup.h. A process of its own, beside a service that goes on reading, committing and
 * compacting.
 *
 * Why the copy fits together, though nobody stands still for it:
 *   - a reading transaction of the database gives one moment. The database is copied as of it, and names how much of
 * each segment of the ledger, and how many identities, are valid in it. Those bytes were synced before the moment, and
 * never change again; what lies behind them is left out.
 *   - a compaction may delete a segment, but not what we have open. If one is gone before it is opened, a later moment
 * is taken.
 *   - the inbox has what senders were told is safe, so it has to have everything that the moment does not have. Its
 * files are opened before the moment, so that none that is ingested and deleted meanwhile gets lost, looked for once
 * more after it, and copied as long as they are by then: at least as far as the moment has read them. The lists of ids
 * that were delivered are copied as long as they were before: an id whose delivery is not in the copy must not be
 * known, or it would be refused when it is sent again. A line that is torn is cut off when the inbox is opened, as
 * after a crash.
 *   - the index of the ledger is opened before the moment: it may be older than the ledger, but not newer.
 * A copy gets its name when it was opened and found well. So a folder that has its name is a good backup. */
#include "engine/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "engine/backup_files.h"
#include "store/store.h"

enum { MOMENTS = 10, PATH_MOST = 4096, SPARE_FILES = 256, DEEPEST = 4 };
#define MARKER "unfinished" /* in a folder of ours that has not its name yet */
#define DATABASE "entente.db"

static int64_t now_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- the folder to be made
 * ------------------------------------------------------------------------------------------- */

typedef struct target {
	char name[PATH_MOST], partial[PATH_MOST];
	int fd;    /* of `partial`, locked: two at once would write into each other */
	bool ours; /* what lies in it may be deleted */
} target;

static bool is_empty(const char *folder) {
	DIR *d = opendir(folder);
	size_t n = 0;
	for (struct dirent *item; d && (item = readdir(d));) {
		n += strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0;
	}
	if (d) {
		closedir(d);
	}
	return d && n == 0;
}

/* Makes `name`.partial, in place of what an interrupted one left. */
static int target_make(target *t, const char *name, ent_error *e) {
	size_t n = strlen(name);
	t->fd = -1;
	while (n > 1 && name[n - 1] == '/') {
		n--;
	}
	if (!n || n + sizeof ".partial" + 16 > PATH_MOST) {
		return ent_error_set(e, ENT_ERR_INVALID, "'%.200s' cannot be the name of a folder", name);
	}
	snprintf(t->name, sizeof t->name, "%.*s", (int)n, name);
	snprintf(t->partial, sizeof t->partial, "%.*s.partial", (int)n, name);
	char marker[PATH_MOST + 16];
	snprintf(marker, sizeof marker, "%s/%s", t->partial, MARKER);
	if (mkdir(t->partial, 0700) && errno != EEXIST) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot make the folder %s", t->partial);
	}
	for (unsigned tries = 0; tries < 2; tries++) {
		t->fd = open(t->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (t->fd < 0) {
			return ent_error_errno(e, ENT_ERR_IO, "cannot open the folder %s", t->partial);
		}
		if (flock(t->fd, LOCK_EX | LOCK_NB)) {
			ent_error_set(e, ENT_ERR_BUSY, "another process is writing %s", t->partial);
			return ent_error_todo(e, "wait for it, or give another name");
		}
		if (is_empty(t->partial)) {
			break;
		}
		if (faccessat(t->fd, MARKER, F_OK, 0) && faccessat(t->fd, DATABASE, F_OK, 0)) {
			ent_error_set(e, ENT_ERR_INVALID, "%s is there, and is not the rest of an interrupted backup", t->partial);
			return ent_error_todo(e, "move it away, or give another name");
		}
		int status = ent__backup_remove(t->partial, e);
		close(t->fd);
		t->fd = -1;
		if (!status && mkdir(t->partial, 0700)) {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot make the folder %s", t->partial);
		}
		if (status) {
			return status;
		}
	}
	int fd = openat(t->fd, MARKER, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot make %s", marker);
	}
	close(fd);
	t->ours = true;
	return 0;
}

/* All of it is there, synced and checked: now it gets its name. */
static int target_name(target *t, ent_error *e) {
	char parent[PATH_MOST];
	snprintf(parent, sizeof parent, "%s", t->name);
	char *slash = strrchr(parent, '/');
	if (slash) {
		slash[slash == parent ? 1 : 0] = 0;
	} else {
		snprintf(parent, sizeof parent, ".");
	}
	unlinkat(t->fd, MARKER, 0);
	int status = ent__backup_sync_folders(AT_FDCWD, t->partial, e);
	if (!status && rename(t->partial, t->name)) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot give the finished %s its name", t->partial);
		ent_error_todo(e, errno == EBUSY ? "it is a mount point: name a folder below it" : "rename it to %s", t->name);
	}
	t->ours = status != 0;
	int fd = status ? -1 : open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!status && (fd < 0 || fsync(fd))) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot sync %s", parent);
	}
	if (fd >= 0) {
		close(fd);
	}
	return status;
}

/* What is not finished is worth nothing, and would take room. */
static void target_finish(target *t, int status) {
	ent_error ignored;
	if (t->fd >= 0) {
		if (status && t->ours) {
			ent__backup_remove(t->partial, &ignored);
		}
		close(t->fd);
	}
}

/* ---- checking -------------------------------------------------------------------------------------------------------
 */

static int identities_of(ent_store *s, uint64_t *count, ent_error *e) {
	char *text;
	int status = ent_store_meta_get(s, "identities", &text, e);
	*count = !status && text ? strtoull(text, NULL, 10) : 0;
	if (!status) {
		free(text);
	}
	return status;
}

/* Opens the store in `folder` as a reader does, and looks at all of it. */
static int check(const char *folder, ent_backup_report *report, ent_error *e) {
	ent_store *s;
	ent_segment *segments = NULL;
	ent_ledger *ledger = NULL;
	ent_identities *identities = NULL;
	size_t n = 0;
	uint64_t count = 0;
	int status = ent_store_open(&s, folder, ENT_STORE_READ, e);
	if (status) {
		return status;
	}
	status = ent_store_check(s, e);
	status = status ? status : ent_store_segments_load(s, &segments, &n, e);
	status = status ? status : identities_of(s, &count, e);
	status = status ? status : ent_ledger_open(&ledger, folder, segments, n, false, true, NULL, e);
	status = status ? status : ent_identities_open(&identities, folder, count, false, e);
	report->identities = count;
	report->segments = 0;
	for (size_t i = 0; i < n && !status; i++) {
		report->segments += segments[i].state == ENT_SEGMENT_LIVE;
	}
	free(segments);
	ent_ledger_close(ledger);
	ent_identities_close(identities);
	ent_store_close(s);
	/* a reader leaves these where no writer was */
	static const char *const left[] = {DATABASE "-wal", DATABASE "-shm"};
	for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
		char path[PATH_MOST + 32];
		snprintf(path, sizeof path, "%s/%s", folder, left[i]);
		unlink(path);
	}
	return status;
}

/* ---- the moment
 * --------------------------------------------------------------------------------------------------------- */

/* Every file of the inbox is open at once, every segment as well. */
static void allow_files(size_t n) {
	struct rlimit limit;
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < n + SPARE_FILES) {
		rlim_t want = n + SPARE_FILES;
		limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static bool ends_with(const char *text, const char *end) {
	size_t n = strlen(text), m = strlen(end);
	return n >= m && strcmp(text + n - m, end) == 0;
}

/* Opens the files below `folder` that are not open yet. */
static int open_inbox(ent__backup_files *l, int store, const char *folder, unsigned depth, ent_error *e) {
	int fd = openat(store, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0) {
			close(fd);
		}
		return errno == ENOENT ? 0 : ent_error_errno(e, ENT_ERR_IO, "cannot list %s", folder);
	}
	int status = 0;
	for (struct dirent *item; !status && (item = readdir(d));) {
		char path[PATH_MOST];
		struct stat st;
		if (item->d_name[0] == '.' || strcmp(item->d_name, "lock") == 0 ||
			snprintf(path, sizeof path, "%s/%s", folder, item->d_name) >= (int)sizeof path ||
			ent__backup_find(l, path) || fstatat(store, path, &st, AT_SYMLINK_NOFOLLOW)) {
			continue;
		}
		if (S_ISDIR(st.st_mode) && depth) {
			status = open_inbox(l, store, path, depth - 1, e);
		} else if (S_ISREG(st.st_mode)) {
			allow_files(l->n + 1);
			int file = openat(store, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
			if (file < 0 && errno != ENOENT) {
				status = ent_error_errno(e, ENT_ERR_IO, "cannot open %s", path);
			} else if (file >= 0) {
				ent__backup_add(l, path, file, fstat(file, &st) ? 0 : (uint64_t)st.st_size);
			}
		}
	}
	closedir(d);
	return status;
}

/* As long as they are now, but for the ids. */
static int measure_inbox(ent__backup_files *l, int store, ent_error *e) {
	size_t before = l->n;
	int status = open_inbox(l, store, "inbox", DEEPEST, e);
	for (size_t i = 0; i < l->n && !status; i++) {
		ent__backup_file *f = &l->files[i];
		struct stat st;
		bool ids = ends_with(f->path, ".ids");
		if (i >= before && ids) {
			f->bytes = 0; /* made since: all that it says is in the logs as well */
		} else if (!ids && !strncmp(f->path, "inbox/", 6) && !fstat(f->fd, &st)) {
			f->bytes = (uint64_t)st.st_size;
		}
	}
	return status;
}

/* A file of the store that need not be there. */
static bool open_one(ent__backup_files *l, int store, const char *path) {
	int fd = openat(store, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	if (fd >= 0 && !fstat(fd, &st)) {
		ent__backup_add(l, path, fd, (uint64_t)st.st_size);
		return true;
	}
	return false;
}

/* What else the store keeps in files of its own (its key, tokens): each is replaced as a whole when it changes. What
 * belongs to the process that runs on it stays where it is. */
static int open_rest(ent__backup_files *l, int store, ent_error *e) {
	static const char *const not [] = {
		DATABASE, DATABASE "-wal", DATABASE "-shm", "identities", "lock", "sessions", ENT__BACKUP_LIST};
	int fd = openat(store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		int status = ent_error_errno(e, ENT_ERR_IO, "cannot list the store's folder");
		if (fd >= 0) {
			close(fd);
		}
		return status;
	}
	for (struct dirent *item; (item = readdir(d));) {
		struct stat st;
		bool skip = item->d_name[0] == '.' || ends_with(item->d_name, ".lock") || ends_with(item->d_name, ".new") ||
					fstatat(store, item->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode);
		for (size_t i = 0; i < sizeof not / sizeof *not &&!skip; i++) {
			skip = strcmp(item->d_name, not [i]) == 0;
		}
		if (!skip) {
			open_one(l, store, item->d_name);
		}
	}
	closedir(d);
	return 0;
}

/* Its first bytes, as many as were committed. *gone: it is not there. */
static int open_committed(ent__backup_files *l, int store, const char *path, uint64_t bytes, bool *gone, ent_error *e) {
	int fd = openat(store, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	*gone = fd < 0 && errno == ENOENT;
	if (fd < 0 || fstat(fd, &st)) {
		ent_error_errno(e, *gone ? ENT_ERR_CORRUPT : ENT_ERR_IO, "cannot open %s", path);
		return ent_error_todo(
			e, "this store is damaged: see `entente doctor`, and restore it from the last good backup");
	}
	ent__backup_add(l, path, fd, bytes);
	if ((uint64_t)st.st_size < bytes) {
		ent_error_set(e, ENT_ERR_CORRUPT, "%s ends at offset %lld, but %llu bytes were committed", path,
			(long long)st.st_size, (unsigned long long)bytes);
		return ent_error_todo(
			e, "this store is damaged: see `entente doctor`, and restore it from the last good backup");
	}
	return 0;
}

/* One moment of the store: everything that belongs to it is open. *gone: a segment is not there any more. */
static int take_moment(
	ent__backup_files *l, ent_store *s, int store, bool *gone, ent_backup_report *report, ent_error *e) {
	ent_segment *segments = NULL;
	size_t n = 0;
	uint64_t count = 0;
	*gone = false;
	int status = open_inbox(l, store, "inbox", DEEPEST, e);
	open_one(l, store, "ledger/index");
	status = status ? status : ent_store_begin(s, e);
	status = status ? status : ent_store_segments_load(s, &segments, &n, e);
	l->moment_us = now_us();
	status = status ? status : identities_of(s, &count, e);
	allow_files(l->n + n);
	for (size_t i = 0; i < n && !status; i++) {
		if (segments[i].state == ENT_SEGMENT_LIVE) {
			char path[64];
			snprintf(path, sizeof path, "ledger/%06u.log", segments[i].number);
			status = open_committed(l, store, path, segments[i].valid, gone, e);
		}
	}
	free(segments);
	if (!status && count) {
		bool absent;
		status = open_committed(l, store, "identities", count * 16, &absent, e);
	}
	status = status ? status : open_rest(l, store, e);
	report->key = ent__backup_find(l, "identity.key") != NULL;
	return status ? status : measure_inbox(l, store, e);
}

static void database_progress(void *ctx, uint64_t bytes, uint64_t of) {
	ent__backup_files *l = ctx;
	(void)of;
	l->done = bytes;
	ent__backup_said(l, "copying " DATABASE);
}

/* The database first: as long as its moment is held, its log grows. */
static int copy_moment(ent__backup_files *l, ent_store *s, int store, const target *t, ent_error *e) {
	char path[PATH_MOST + 32];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", ent_store_folder(s), DATABASE);
	uint64_t database = stat(path, &st) ? 0 : (uint64_t)st.st_size;
	l->total = database;
	for (size_t i = 0; i < l->n; i++) {
		l->total += l->files[i].bytes;
	}
	snprintf(path, sizeof path, "%s/%s", t->partial, DATABASE);
	int status = ent_store_copy(s, path, database_progress, l, e);
	ent_store_rollback(s);
	l->done = 0;
	size_t n = l->n;
	if (!status) {
		status = ent__backup_take(l, ent__backup_add(l, DATABASE, -1, 0), t->fd, e);
	}
	for (size_t i = 0; i < n && !status; i++) {
		status = ent__backup_copy(l, &l->files[i], store, t->fd, false, e);
	}
	return status;
}

static void count_up(const ent__backup_files *l, uint64_t began_us, ent_backup_report *report) {
	report->moment_us = l->moment_us;
	report->files = (uint32_t)l->n;
	for (size_t i = 0; i < l->n; i++) {
		const ent__backup_file *f = &l->files[i];
		report->bytes += f->bytes;
		report->inbox_files += !strncmp(f->path, "inbox/", 6);
		report->database_bytes += strcmp(f->path, DATABASE) == 0 ? f->bytes : 0;
	}
	report->seconds = (double)((uint64_t)now_us() - began_us) / 1e6;
}

int ent_backup(
	const char *store, const char *to, ent_backup_tell tell, void *ctx, ent_backup_report *report, ent_error *e) {
	ent__backup_files l = {.tell = tell, .ctx = ctx};
	target t = {.fd = -1};
	ent_store *s = NULL;
	uint64_t began = (uint64_t)now_us();
	struct stat st;
	*report = (ent_backup_report){0};
	*e = (ent_error){0};
	if (!lstat(to, &st)) {
		ent_error_set(e, ENT_ERR_INVALID, "%s is there already", to);
		return ent_error_todo(e, "give the backup a name of its own: with the day in it, for example");
	}
	int status = ent_store_open(&s, store, ENT_STORE_READ, e);
	int folder = status ? -1 : open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!status && folder < 0) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot open the folder %s", store);
	}
	status = status ? status : target_make(&t, to, e);
	for (bool again = !status; again;) {
		bool gone;
		ent__backup_files_finish(&l);
		status = take_moment(&l, s, folder, &gone, report, e);
		again = status && gone && ++report->moments < MOMENTS;
		if (status) {
			ent_store_rollback(s);
		}
	}
	report->moments += !status;
	status = status ? status : copy_moment(&l, s, folder, &t, e);
	ent_store_close(s);
	if (folder >= 0) {
		close(folder);
	}
	if (!status) {
		ent_backup_tell said = l.tell;
		if (said) {
			said(ctx, &(ent_backup_progress){.doing = "checking the copy"});
		}
		status = check(t.partial, report, e);
	}
	status = status ? status : ent__backup_list_write(&l, t.fd, e);
	status = status ? status : target_name(&t, e);
	count_up(&l, began, report);
	target_finish(&t, status);
	ent__backup_files_finish(&l);
	return status;
}

int ent_restore(
	const char *from, const char *store, ent_backup_tell tell, void *ctx, ent_backup_report *report, ent_error *e) {
	ent__backup_files l = {.tell = tell, .ctx = ctx};
	target t = {.fd = -1};
	uint64_t began = (uint64_t)now_us();
	struct stat st;
	*report = (ent_backup_report){0};
	*e = (ent_error){0};
	if (!lstat(store, &st) && (!S_ISDIR(st.st_mode) || !is_empty(store))) {
		ent_error_set(e, ENT_ERR_INVALID, "%s is there and not empty", store);
		return ent_error_todo(e, "move it away first (keep it until the restored one is found well)");
	}
	int status = ent__backup_list_read(&l, from, e);
	int folder = status ? -1 : open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!status && folder < 0) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot open the folder %s", from);
	}
	status = status ? status : target_make(&t, store, e);
	for (size_t i = 0; i < l.n && !status; i++) {
		status = ent__backup_copy(&l, &l.files[i], folder, t.fd, true, e);
	}
	report->key = ent__backup_find(&l, "identity.key") != NULL;
	if (!status && tell) {
		tell(ctx, &(ent_backup_progress){.doing = "checking the store"});
	}
	status = status ? status : check(t.partial, report, e);
	status = status ? status : target_name(&t, e);
	count_up(&l, began, report);
	if (folder >= 0) {
		close(folder);
	}
	target_finish(&t, status);
	ent__backup_files_finish(&l);
	return status;
}
