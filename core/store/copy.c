/* SPDX-License-Identifier: Apache-2.0
 *
 * A copy of the database, page by page, as it stood in one moment: for backups, see store.h. The thread that has the
 * store. */
#include "store/sql.h"

#include <fcntl.h>
#include <unistd.h>

enum { PAGES_AT_ONCE = 256 };

static int copy_failed(sqlite3 *to, const char *file, ent_error *e) {
	ent_error_set(e, ENT_ERR_IO, "cannot copy the database: %s", to ? sqlite3_errmsg(to) : "out of memory");
	return ent_error_at(e, file, 0, 0);
}

int ent_store_copy(
	ent_store *s, const char *file, void (*progress)(void *ctx, uint64_t bytes, uint64_t of), void *ctx, ent_error *e) {
	sqlite3 *to = NULL;
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* for its owner only, as all of a store */
	if (fd < 0) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot make %s", file);
	}
	close(fd);
	int status = 0;
	/* Nobody reads the copy before it is whole and synced: no journal. */
	if (sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
		sqlite3_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL) != SQLITE_OK) {
		status = copy_failed(to, file, e);
	}
	/* The transaction that stands open gives its moment to all steps: nothing that is committed meanwhile gets in. */
	sqlite3_backup *backup = status ? NULL : sqlite3_backup_init(to, "main", s->db, "main");
	if (!status && !backup) {
		status = copy_failed(to, file, e);
	}
	int64_t page = 0;
	sqlite3_stmt *statement = NULL;
	if (!status && sqlite3_prepare_v2(s->db, "PRAGMA page_size", -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW) {
		page = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	for (int step = SQLITE_OK; backup && step == SQLITE_OK;) {
		step = sqlite3_backup_step(backup, PAGES_AT_ONCE);
		if (progress) {
			uint64_t of = (uint64_t)sqlite3_backup_pagecount(backup), left = (uint64_t)sqlite3_backup_remaining(backup);
			progress(ctx, (of - left) * (uint64_t)page, of * (uint64_t)page);
		}
	}
	if (backup && sqlite3_backup_finish(backup) != SQLITE_OK) {
		status = copy_failed(to, file, e);
	}
	if (sqlite3_close(to) != SQLITE_OK && !status) {
		status = copy_failed(to, file, e);
	}
	return status;
}
