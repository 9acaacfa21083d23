/* SPDX-License-Identifier: Apache-2.0
 *
 * Copying files with their sums, and the list of them; see backup_files.h. */
#include "engine/backup_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"

enum { PIECE = 1 << 20, WRITE_BEHIND = 8 << 20, LIST_MOST = 64 << 20, VERSION = 1 };

void ent__backup_files_finish(ent__backup_files *l) {
	for (size_t i = 0; i < l->n; i++) {
		if (l->files[i].fd >= 0) {
			close(l->files[i].fd);
		}
		free(l->files[i].path);
	}
	free(l->files);
	*l = (ent__backup_files){.tell = l->tell, .ctx = l->ctx};
}

ent__backup_file *ent__backup_add(ent__backup_files *l, const char *path, int fd, uint64_t bytes) {
	ENT_GROW(l->files, l->n, l->capacity);
	ent__backup_file *f = &l->files[l->n++];
	*f = (ent__backup_file){.path = ent_xstrdup(path), .fd = fd, .bytes = bytes};
	return f;
}

ent__backup_file *ent__backup_find(const ent__backup_files *l, const char *path) {
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->files[i].path, path) == 0) {
			return &l->files[i];
		}
	}
	return NULL;
}

void ent__backup_said(ent__backup_files *l, const char *doing) {
	if (l->tell) {
		l->tell(l->ctx, &(ent_backup_progress){.doing = doing, .bytes_done = l->done, .bytes_total = l->total});
	}
}

/* ---- copying -------------------------------------------------------------------------------------------------------
 */

static int make_folders(int to, const char *path, ent_error *e) {
	char folder[4096];
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
		if (mkdirat(to, folder, 0700) && errno != EEXIST) {
			return ent_error_errno(e, ENT_ERR_IO, "cannot make the folder %s", folder);
		}
	}
	return 0;
}

static int write_all(int fd, const uint8_t *p, size_t n) {
	while (n) {
		ssize_t written = write(fd, p, n);
		if (written < 0 && errno != EINTR) {
			return -1;
		}
		p += written > 0 ? written : 0;
		n -= written > 0 ? (size_t)written : 0;
	}
	return 0;
}

/* Reads `bytes` of `in`, writes them to `out` (-1: nowhere), and takes the sum. */
static int pass(
	ent__backup_files *l, const ent__backup_file *f, int in, int out, char sum[ENT__BACKUP_SUM], ent_error *e) {
	crypto_generichash_state state;
	uint8_t hash[16], *piece = ent_xmalloc(PIECE);
	int status = 0;
	char doing[128];
	snprintf(doing, sizeof doing, "%s %.100s", out < 0 ? "checking" : "copying", f->path);
	crypto_generichash_init(&state, NULL, 0, sizeof hash);
	for (uint64_t at = 0; at < f->bytes && !status;) {
		size_t want = f->bytes - at < PIECE ? (size_t)(f->bytes - at) : PIECE;
		ssize_t n = pread(in, piece, want, (off_t)at);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			errno = n ? errno : ENODATA;
			status = ent_error_errno(e, n ? ENT_ERR_IO : ENT_ERR_CORRUPT, "cannot read %s", f->path);
		} else if (out >= 0 && write_all(out, piece, (size_t)n)) {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot write %s", f->path);
			ent_error_todo(e, "is there room? %llu bytes are needed in all", (unsigned long long)l->total);
		} else {
			crypto_generichash_update(&state, piece, (size_t)n);
			at += (uint64_t)n;
			l->done += (uint64_t)n;
			if (out >= 0 && at % WRITE_BEHIND == 0) { /* not all at the end: the disk is the service's, too */
				sync_file_range(out, (off_t)(at - WRITE_BEHIND), WRITE_BEHIND, SYNC_FILE_RANGE_WRITE);
			}
			ent__backup_said(l, doing);
		}
	}
	crypto_generichash_final(&state, hash, sizeof hash);
	sodium_bin2hex(sum, ENT__BACKUP_SUM, hash, sizeof hash);
	free(piece);
	return status;
}

int ent__backup_copy(ent__backup_files *l, ent__backup_file *f, int from, int to, bool sum_known, ent_error *e) {
	char sum[ENT__BACKUP_SUM];
	int in = f->fd >= 0 ? f->fd : openat(from, f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (in < 0) {
		return ent_error_errno(e, errno == ENOENT ? ENT_ERR_CORRUPT : ENT_ERR_IO, "cannot open %s", f->path);
	}
	int status = make_folders(to, f->path, e);
	int out = status ? -1 : openat(to, f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!status && out < 0) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot make %s", f->path);
	}
	status = status ? status : pass(l, f, in, out, sum, e);
	if (!status && fdatasync(out)) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot sync %s", f->path);
	}
	if (!status && sum_known && strcmp(sum, f->sum) != 0) {
		status = ent_error_set(e, ENT_ERR_CORRUPT, "%s is not what it was when the backup was made", f->path);
		ent_error_todo(e, "take another backup: this one is damaged");
	}
	memcpy(f->sum, sum, sizeof sum);
	if (out >= 0) {
		posix_fadvise(out, 0, 0, POSIX_FADV_DONTNEED); /* the memory is of more use to the service */
		close(out);
	}
	if (in != f->fd) {
		close(in);
	}
	return status;
}

int ent__backup_take(ent__backup_files *l, ent__backup_file *f, int to, ent_error *e) {
	int fd = openat(to, f->path, O_RDWR | O_CLOEXEC);
	struct stat st;
	int status = 0;
	if (fd < 0 || fstat(fd, &st) || fdatasync(fd)) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot sync %s", f->path);
	} else {
		f->bytes = (uint64_t)st.st_size;
		status = pass(l, f, fd, -1, f->sum, e);
	}
	if (fd >= 0) {
		close(fd);
	}
	return status;
}

/* ---- the list ------------------------------------------------------------------------------------------------------
 */

int ent__backup_list_write(const ent__backup_files *l, int to, ent_error *e) {
	ent_buf out = {0};
	ent_json j;
	char text[40];
	time_t seconds = (time_t)(l->moment_us / 1000000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	ent_json_init(&j, &out, true);
	ent_json_object(&j);
	ent_json_key(&j, "backup");
	ent_json_text(&j, "entente");
	ent_json_key(&j, "version");
	ent_json_int(&j, VERSION);
	ent_json_key(&j, "moment");
	ent_json_text(&j, text);
	ent_json_key(&j, "moment_us");
	ent_json_int(&j, l->moment_us);
	ent_json_key(&j, "files");
	ent_json_array(&j);
	for (size_t i = 0; i < l->n; i++) {
		ent_json_object(&j);
		ent_json_key(&j, "path");
		ent_json_text(&j, l->files[i].path);
		ent_json_key(&j, "bytes");
		ent_json_uint(&j, l->files[i].bytes);
		ent_json_key(&j, "blake2b");
		ent_json_text(&j, l->files[i].sum);
		ent_json_end(&j);
	}
	ent_json_end(&j);
	ent_json_end(&j);
	ent_buf_u8(&out, '\n');
	int fd = openat(to, ENT__BACKUP_LIST, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), status = 0;
	if (fd < 0 || write_all(fd, out.data, out.n) || fsync(fd)) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot write %s", ENT__BACKUP_LIST);
	}
	if (fd >= 0) {
		close(fd);
	}
	ent_buf_finish(&out);
	return status;
}

/* Below the folder, and nowhere else: the list may come from anywhere. */
static bool path_is_safe(const char *path) {
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		if (!n || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.')) {
			return false;
		}
		p += n;
		p += *p == '/';
	}
	size_t n = strlen(path);
	return n && n < 1024 && path[n - 1] != '/';
}

static int take_list(ent__backup_files *l, struct json_object *root) {
	struct json_object *version, *moment, *files, *path, *bytes, *sum;
	if (!json_object_object_get_ex(root, "version", &version) || json_object_get_int64(version) != VERSION ||
		!json_object_object_get_ex(root, "moment_us", &moment) || !json_object_object_get_ex(root, "files", &files) ||
		!json_object_is_type(files, json_type_array)) {
		return -1;
	}
	l->moment_us = json_object_get_int64(moment);
	for (size_t i = 0; i < json_object_array_length(files); i++) {
		struct json_object *f = json_object_array_get_idx(files, i);
		if (!json_object_object_get_ex(f, "path", &path) || !json_object_object_get_ex(f, "bytes", &bytes) ||
			!json_object_object_get_ex(f, "blake2b", &sum) || !json_object_is_type(path, json_type_string) ||
			!path_is_safe(json_object_get_string(path)) || json_object_get_int64(bytes) < 0 ||
			json_object_get_string_len(sum) != ENT__BACKUP_SUM - 1) {
			return -1;
		}
		ent__backup_file *file =
			ent__backup_add(l, json_object_get_string(path), -1, (uint64_t)json_object_get_int64(bytes));
		memcpy(file->sum, json_object_get_string(sum), ENT__BACKUP_SUM - 1);
		l->total += file->bytes;
	}
	return 0;
}

int ent__backup_list_read(ent__backup_files *l, const char *folder, ent_error *e) {
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", folder, ENT__BACKUP_LIST);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		ent_error_set(e, ENT_ERR_NOTFOUND, "there is no backup in %s", folder);
		return ent_error_todo(
			e, "name a folder that `entente backup` made; one that ends in .partial was not finished");
	}
	if (fd < 0 || fstat(fd, &st)) {
		int status = ent_error_errno(e, ENT_ERR_IO, "cannot read %s", path);
		if (fd >= 0) {
			close(fd);
		}
		return status;
	}
	struct json_object *root = st.st_size <= LIST_MOST ? json_object_from_fd(fd) : NULL;
	int status = 0;
	close(fd);
	if (!root || take_list(l, root)) {
		status = ent_error_set(e, ENT_ERR_CORRUPT, "it is not a list of a backup that this program can read");
		ent_error_at(e, path, 0, 0);
		ent_error_todo(e, "take another backup, or the version of the program that made it");
	}
	json_object_put(root);
	return status;
}

/* ---- folders -------------------------------------------------------------------------------------------------------
 */

static bool is_folder(int dir, const char *name) {
	struct stat st;
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) &&
		   S_ISDIR(st.st_mode);
}

static DIR *open_folder(int dir, const char *name, ent_error *e) {
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		ent_error_errno(e, ENT_ERR_IO, "cannot list %s", name);
		if (fd >= 0) {
			close(fd);
		}
	}
	return d;
}

int ent__backup_sync_folders(int dir, const char *name, ent_error *e) {
	DIR *d = open_folder(dir, name, e);
	if (!d) {
		return ENT_ERR_IO;
	}
	int fd = dirfd(d), status = 0;
	for (struct dirent *item; !status && (item = readdir(d));) {
		if (is_folder(fd, item->d_name)) {
			status = ent__backup_sync_folders(fd, item->d_name, e);
		}
	}
	if (!status && fsync(fd)) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot sync %s", name);
	}
	closedir(d);
	return status;
}

static int remove_below(int dir, const char *name, ent_error *e) {
	DIR *d = open_folder(dir, name, e);
	if (!d) {
		return ENT_ERR_IO;
	}
	int fd = dirfd(d), status = 0;
	for (struct dirent *item; !status && (item = readdir(d));) {
		if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) {
			continue;
		}
		if (is_folder(fd, item->d_name)) {
			status = remove_below(fd, item->d_name, e);
		} else if (unlinkat(fd, item->d_name, 0)) {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot delete %s/%s", name, item->d_name);
		}
	}
	closedir(d);
	if (!status && unlinkat(dir, name, AT_REMOVEDIR)) {
		status = ent_error_errno(e, ENT_ERR_IO, "cannot delete %s", name);
	}
	return status;
}

int ent__backup_remove(const char *folder, ent_error *e) { return remove_below(AT_FDCWD, folder, e); }
