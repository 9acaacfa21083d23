/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening the log: comparing the files with what the store has committed, see ledger.h. One thread.
 *
 * Nothing is cut or deleted before every segment was looked at: where there is damage, somebody has to look at the
 * folder as it was, so only the damaged file gets another name. */
#include "facts/ledger_log.h"
#include "base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ent__log_table(ent_ledger *l) {
	l->table_n = 0;
	for (size_t i = 0; i < l->n; i++) {
		const ent__log_file *f = &l->files[i];
		ENT_GROW(l->table, l->table_n, l->table_capacity);
		l->table[l->table_n++] = (ent_segment){
			.number = f->number, .state = ENT_SEGMENT_LIVE, .valid = f->length, .frames = f->frames, .live = f->live};
	}
	for (size_t i = 0; i < l->retired_n; i++) {
		const ent__log_file *f = &l->retired[i];
		ENT_GROW(l->table, l->table_n, l->table_capacity);
		l->table[l->table_n++] =
			(ent_segment){.number = f->number, .state = ENT_SEGMENT_DEAD, .valid = f->length, .frames = f->frames};
	}
}

static char *name_of(uint32_t number, char out[ENT__LOG_NAME]) {
	snprintf(out, ENT__LOG_NAME, "%06u.log", number);
	return out;
}

static int by_number(const void *a, const void *b) {
	uint32_t x = ((const ent_segment *)a)->number, y = ((const ent_segment *)b)->number;
	return (x > y) - (x < y);
}

__attribute__((format(printf, 2, 3))) static void say(ent_ledger_report *r, const char *format, ...) {
	size_t n = strlen(r->damage);
	va_list args;
	va_start(args, format);
	if (n + 2 < sizeof r->damage) {
		n += (size_t)snprintf(r->damage + n, sizeof r->damage - n, "%s", n ? ", " : "");
		vsnprintf(r->damage + n, sizeof r->damage - n, format, args);
	}
	va_end(args);
}

/* A file that was set aside before is never overwritten. */
void ent__log_set_aside(const ent_ledger *l, uint32_t number, char as[ENT__LOG_NAME]) {
	char name[ENT__LOG_NAME];
	name_of(number, name);
	as[0] = 0;
	for (unsigned i = 0; l->writable && i < 1000; i++) {
		char other[ENT__LOG_NAME];
		if (i) {
			snprintf(other, sizeof other, "%06u.log.damaged.%u", number, i);
		} else {
			snprintf(other, sizeof other, "%06u.log.damaged", number);
		}
		if (!renameat2(l->dir, name, l->dir, other, RENAME_NOREPLACE)) {
			snprintf(as, ENT__LOG_NAME, "%s", other);
			return;
		}
		if (errno != EEXIST) {
			return;
		}
	}
}

/* Opens one committed segment and compares. 0, also when it is damaged: report->damage says so. */
static int open_segment(ent_ledger *l, const ent_segment *s, bool verify, ent_ledger_report *r, ent_error *e) {
	char name[ENT__LOG_NAME], as[ENT__LOG_NAME];
	int fd = openat(l->dir, name_of(s->number, name), (l->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		snprintf(as, sizeof as, "%06u.log.damaged", s->number);
		struct stat st;
		if (!fstatat(l->dir, as, &st, 0)) {
			say(r, "%s is missing; it was set aside as %s before", name, as);
		} else {
			say(r, "%s is missing", name);
		}
		return 0;
	}
	struct stat st;
	if (fd < 0 || fstat(fd, &st)) {
		int status = ent_error_errno(e, ENT_ERR_IO, "cannot open %s/%s", l->folder, name);
		if (fd >= 0) {
			close(fd);
		}
		return status;
	}
	ENT_GROW(l->files, l->n, l->capacity);
	l->files[l->n++] = (ent__log_file){
		.number = s->number, .fd = fd, .length = s->valid, .frames = s->frames, .live = s->live, .marked = s->valid};
	if ((uint64_t)st.st_size < s->valid) {
		ent__log_set_aside(l, s->number, as);
		say(r, "%s ends at offset %lld, but %llu bytes were committed%s%s", name, (long long)st.st_size,
			(unsigned long long)s->valid, as[0] ? "; kept as " : "", as);
		return 0;
	}
	if (verify) {
		uint64_t at = 0;
		bool damaged = false;
		ent_error found;
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		int status = ent__log_walk(l, l->n - 1, s->valid, ENT__LOG_SCAN, NULL, NULL, &at, &damaged, &found);
		if (damaged) {
			ent__log_set_aside(l, s->number, as);
			say(r, "%s has no valid frame at offset %llu%s%s", name, (unsigned long long)at, as[0] ? "; kept as " : "",
				as);
		} else if (status) {
			if (e) {
				*e = found;
			}
			return status;
		}
	}
	return 0;
}

/* Cuts what is longer, deletes what nobody committed. */
static int clean_up(ent_ledger *l, const ent_segment *committed, size_t n, ent_ledger_report *r, ent_error *e) {
	bool changed = false;
	for (size_t i = 0; i < l->n; i++) {
		struct stat st;
		ent__log_file *f = &l->files[i];
		if (fstat(f->fd, &st)) {
			return ent_error_errno(e, ENT_ERR_IO, "cannot look at %s/%06u.log", l->folder, f->number);
		}
		if ((uint64_t)st.st_size > f->length) {
			if (ftruncate(f->fd, (off_t)f->length) || fdatasync(f->fd)) {
				return ent_error_errno(e, ENT_ERR_IO, "cannot cut %s/%06u.log", l->folder, f->number);
			}
			r->truncated_bytes += (uint64_t)st.st_size - f->length;
		}
	}
	int copy = openat(l->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		if (copy >= 0) {
			close(copy);
		}
		return ent_error_errno(e, ENT_ERR_IO, "cannot list %s", l->folder);
	}
	int status = 0;
	for (struct dirent *d; !status && (d = readdir(dir));) {
		uint32_t number;
		char name[ENT__LOG_NAME];
		if (sscanf(d->d_name, "%u", &number) != 1 || strcmp(name_of(number, name), d->d_name) != 0) {
			continue; /* not a name that the log gives; files set aside are among them */
		}
		const ent_segment *s = n ? bsearch(&(ent_segment){.number = number}, committed, n, sizeof *s, by_number) : NULL;
		if (s && s->state == ENT_SEGMENT_LIVE) {
			continue;
		}
		if (unlinkat(l->dir, name, 0)) {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot delete %s/%s", l->folder, name);
		}
		r->deleted_segments += !s; /* a dead one is the compaction's, and no surprise */
		changed = true;
	}
	closedir(dir);
	if (!status && changed && fsync(l->dir)) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot sync %s", l->folder);
	}
	return status;
}

static int open_folder(ent_ledger *l, const char *store, ent_error *e) {
	l->dir = open(l->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir >= 0) {
		return 0;
	}
	if (errno != ENOENT) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot open the folder %s", l->folder);
	}
	if (!l->writable) {
		return 0; /* committed segments are then found missing, one by one */
	}
	int parent = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = 0;
	if (parent < 0 || mkdirat(parent, "ledger", 0700) || fsync(parent) ||
		(l->dir = openat(parent, "ledger", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot make the folder %s", l->folder);
	}
	if (parent >= 0) {
		close(parent);
	}
	return status;
}

int ent_ledger_open(ent_ledger **out, const char *folder, const ent_segment *committed, size_t n, bool writable,
	bool verify, ent_ledger_report *report, ent_error *e) {
	ent_ledger_report own;
	ent_ledger_report *r = report ? report : &own;
	*r = (ent_ledger_report){0};
	*out = NULL;
	ent_ledger *l = ent_xcalloc(1, sizeof *l);
	l->dir = -1;
	l->writable = writable;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->moved, NULL);
	size_t size = strlen(folder) + sizeof "/ledger";
	l->folder = ent_xmalloc(size);
	snprintf(l->folder, size, "%s/ledger", folder);
	ent_segment *sorted = ent_xmalloc(n * sizeof *sorted);
	if (n) {
		memcpy(sorted, committed, n * sizeof *sorted);
		qsort(sorted, n, sizeof *sorted, by_number);
	}
	int status = open_folder(l, folder, e);
	for (size_t i = 0; i < n && !status; i++) {
		l->last_number = sorted[i].number;
		if (sorted[i].state != ENT_SEGMENT_LIVE) {
			continue;
		}
		if (l->dir < 0) {
			say(r, "%06u.log is missing", sorted[i].number);
		} else {
			status = open_segment(l, &sorted[i], verify, r, e);
		}
	}
	if (!status && r->damage[0]) {
		status = ent_error_set(e, ENT_ERR_CORRUPT, "the ledger is damaged: %s", r->damage);
		ent_error_at(e, l->folder, 0, 0);
		ent_error_todo(e, ENT__LOG_TODO);
	}
	if (!status && writable) {
		status = clean_up(l, sorted, n, r, e);
	}
	free(sorted);
	if (status) {
		ent_ledger_close(l);
		return status;
	}
	ent__log_table(l);
	*out = l;
	return 0;
}

void ent_ledger_close(ent_ledger *l) {
	if (!l) {
		return;
	}
	ent__log_stop(l);
	ent__log_join_deleting(l);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->moved);
	for (size_t i = 0; i < l->n; i++) {
		close(l->files[i].fd);
	}
	for (size_t i = 0; i < l->retired_n; i++) {
		close(l->retired[i].fd);
	}
	free(l->retired);
	for (size_t i = 0; i < ENT__PIECES; i++) {
		free(l->pieces[i].bytes);
	}
	if (l->dir >= 0) {
		close(l->dir);
	}
	free(l->files);
	free(l->table);
	free(l->folder);
	ent_buf_finish(&l->scan);
	free(l);
}
