/* SPDX-License-Identifier: Apache-2.0
 *
 * The index in a file, see index_file.h. A head, what it says of each segment, then blocks of entries: u32 count, u32
 * crc32c, the entries. The head is written last: without it the file is none. One thread at a time. */
#include "facts/index_file.h"
#include "base/arena.h"
#include "base/crc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x5845444e49544e45) /* "ENTINDEX" */
#define NONE UINT64_MAX
enum { VERSION = 1, BLOCK = 16384, TAIL = 4096 };

typedef struct head {
	uint64_t magic;
	uint32_t version, segments;
	uint64_t entries;
	uint32_t start; /* of the first block */
	uint32_t crc;   /* of the head with 0 here, and of what it says of the segments */
} head;

/* What the file says of a segment. */
typedef struct part {
	uint32_t number;
	uint32_t tail;   /* crc32c of the last bytes before `upto`: a log that was cut and grew anew is another one */
	uint64_t from;   /* the entries speak for all frames before */
	uint64_t frames; /* that lie there */
	uint64_t upto;   /* and lead to no frame behind */
} part;

typedef struct block {
	uint32_t n, crc;
	ent_index_entry entries[BLOCK];
} block;

struct ent_index_save {
	char *folder;
	int dir, fd;
	part *parts;
	size_t n, capacity;
	uint32_t start;
	uint64_t entries, at;
	ent_index_cursor cursor;
	block block;
};

static uint32_t sum(const head *h, const part *parts) {
	ent_buf b = {0};
	head own = *h;
	own.crc = 0;
	ent_buf_add(&b, &own, sizeof own);
	ent_buf_add(&b, parts, own.segments * sizeof *parts);
	uint32_t crc = ent_crc32c(b.data, b.n);
	ent_buf_finish(&b);
	return crc;
}

static bool all(ssize_t (*io)(int, void *, size_t, off_t), int fd, void *bytes, size_t n, uint64_t at) {
	for (size_t done = 0; done < n;) {
		ssize_t now = io(fd, (char *)bytes + done, n - done, (off_t)(at + done));
		if (now < 0 && errno == EINTR) {
			continue;
		}
		if (now <= 0) {
			errno = now ? errno : EIO;
			return false;
		}
		done += (size_t)now;
	}
	return true;
}

static ssize_t write_some(int fd, void *bytes, size_t n, off_t at) { return pwrite(fd, bytes, n, at); }

static bool read_all(int fd, void *bytes, size_t n, uint64_t at) { return all(pread, fd, bytes, n, at); }

static bool tail_of(int dir, uint32_t number, uint64_t upto, uint32_t *crc) {
	char name[32];
	uint8_t bytes[TAIL];
	size_t n = upto < TAIL ? (size_t)upto : TAIL;
	snprintf(name, sizeof name, "%06u.log", number);
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	bool well = fd >= 0 && read_all(fd, bytes, n, upto - n);
	*crc = ent_crc32c(bytes, well ? n : 0);
	if (fd >= 0) {
		close(fd);
	}
	return well;
}

static int open_ledger_folder(const char *folder) {
	size_t n = strlen(folder) + sizeof "/ledger";
	char *path = ent_xmalloc(n);
	snprintf(path, n, "%s/ledger", folder);
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
	return dir;
}

/* ---- write ----------------------------------------------------------------------------------------------------------
 */

static int failed(const ent_index_save *s, ent_error *e) {
	return ent_error_errno(e, ENT_ERR_IO, "cannot write %s/ledger/index.new", s->folder);
}

int ent_index_save_begin(
	ent_index_save **out, const char *folder, const ent_segment *segments, size_t n, ent_error *e) {
	ent_index_save *s = ent_xcalloc(1, sizeof *s);
	s->folder = ent_xstrdup(folder);
	s->fd = -1;
	s->dir = open_ledger_folder(folder);
	if (s->dir >= 0) {
		s->fd = openat(s->dir, "index.new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	*out = NULL;
	if (s->fd < 0) {
		failed(s, e);
		ent_index_save_abandon(s);
		return ENT_ERR_IO;
	}
	for (size_t i = 0; i < n; i++) {
		if (segments[i].state == ENT_SEGMENT_LIVE) {
			ENT_GROW(s->parts, s->n, s->capacity);
			s->parts[s->n++] = (part){
				.number = segments[i].number, .from = segments[i].valid, .frames = segments[i].frames, .upto = NONE};
		}
	}
	/* there may be new segments by the time of the end */
	s->start = (uint32_t)((sizeof(head) + (s->n + 64) * sizeof(part) + 4095) / 4096 * 4096);
	s->at = s->start;
	*out = s;
	return 0;
}

int ent_index_save_step(ent_index_save *s, const ent_index *x, size_t max, bool *done, ent_error *e) {
	*done = false;
	for (size_t gave = 0; gave < max;) {
		size_t n = ent_index_slice(x, &s->cursor, s->block.entries, max - gave < BLOCK ? max - gave : BLOCK);
		if (!n) {
			*done = s->cursor.end;
			return *done ? 0
						 : ent_error_set(e, ENT_ERR_RANGE, "more keys of one hash than fit into a block of the index");
		}
		s->block.n = (uint32_t)n;
		s->block.crc = ent_crc32c(s->block.entries, n * sizeof *s->block.entries);
		size_t bytes = offsetof(block, entries) + n * sizeof *s->block.entries;
		if (!all(write_some, s->fd, &s->block, bytes, s->at)) {
			return failed(s, e);
		}
		s->at += bytes;
		s->entries += n;
		gave += n;
	}
	return 0;
}

static bool complete(ent_index_save *s, const ent_segment *segments, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (segments[i].state != ENT_SEGMENT_LIVE) {
			continue;
		}
		part *p = NULL;
		for (size_t k = 0; k < s->n && !p; k++) {
			p = s->parts[k].number == segments[i].number ? &s->parts[k] : NULL;
		}
		if (!p) {
			ENT_GROW(s->parts, s->n, s->capacity);
			p = &s->parts[s->n++];
			*p = (part){.number = segments[i].number};
		}
		p->upto = segments[i].valid;
		if (p->upto < p->from || !tail_of(s->dir, p->number, p->upto, &p->tail)) {
			return false;
		}
	}
	for (size_t k = 0; k < s->n; k++) {
		if (s->parts[k].upto == NONE) {
			return false; /* a segment is gone, and an entry may lead there */
		}
	}
	return sizeof(head) + s->n * sizeof(part) <= s->start;
}

int ent_index_save_finish(ent_index_save *s, const ent_segment *segments, size_t n, ent_error *e) {
	int status = 0;
	if (!complete(s, segments, n)) {
		status = ent_error_set(e, ENT_ERR_INVALID, "the log changed too much while its index was written");
	} else {
		head h = {
			.magic = MAGIC, .version = VERSION, .segments = (uint32_t)s->n, .entries = s->entries, .start = s->start};
		h.crc = sum(&h, s->parts);
		if (!all(write_some, s->fd, s->parts, s->n * sizeof *s->parts, sizeof h) ||
			!all(write_some, s->fd, &h, sizeof h, 0) || renameat(s->dir, "index.new", s->dir, "index")) {
			status = failed(s, e);
		} else {
			close(s->fd);
			s->fd = -1;
		}
	}
	ent_index_save_abandon(s);
	return status;
}

void ent_index_save_abandon(ent_index_save *s) {
	if (!s) {
		return;
	}
	if (s->fd >= 0) {
		close(s->fd);
		unlinkat(s->dir, "index.new", 0);
	}
	if (s->dir >= 0) {
		close(s->dir);
	}
	free(s->folder);
	free(s->parts);
	free(s);
}

/* ---- read -----------------------------------------------------------------------------------------------------------
 */

/* Does what the file says of the segments fit those that are committed? */
static bool fits(int dir, const part *parts, uint32_t n, const ent_segment *committed, size_t committed_n) {
	uint32_t last = 0;
	for (uint32_t i = 0; i < n; i++) {
		const ent_segment *s = NULL;
		for (size_t k = 0; k < committed_n && !s; k++) {
			s = committed[k].number == parts[i].number && committed[k].state == ENT_SEGMENT_LIVE ? &committed[k] : NULL;
		}
		uint32_t tail;
		if (!s || parts[i].number <= last || parts[i].from > parts[i].upto || parts[i].upto > s->valid ||
			parts[i].frames > s->frames || !tail_of(dir, s->number, parts[i].upto, &tail) || tail != parts[i].tail) {
			return false;
		}
		last = parts[i].number;
	}
	for (size_t k = 0; k < committed_n; k++) { /* one that it does not know came later, and is scanned whole */
		bool known = committed[k].number > last || committed[k].state != ENT_SEGMENT_LIVE;
		for (uint32_t i = 0; i < n && !known; i++) {
			known = parts[i].number == committed[k].number;
		}
		if (!known) {
			return false;
		}
	}
	return true;
}

static ent_index *read_entries(int fd, uint64_t at, uint64_t entries, uint64_t more) {
	ent_index *x = ent_index_create(entries + entries / 16 + more);
	block *b = ent_xmalloc(sizeof *b);
	bool well = true;
	for (uint64_t got = 0; well && got < entries;) {
		size_t bytes = offsetof(block, entries);
		well = read_all(fd, b, bytes, at) && b->n && b->n <= BLOCK && b->n <= entries - got &&
			   read_all(fd, b->entries, b->n * sizeof *b->entries, at + bytes) &&
			   ent_crc32c(b->entries, b->n * sizeof *b->entries) == b->crc && ent_index_fill(x, b->entries, b->n);
		at += bytes + b->n * sizeof *b->entries;
		got += b->n;
	}
	free(b);
	if (!well) {
		ent_index_destroy(x);
		return NULL;
	}
	return x;
}

ent_index *ent_index_restore(
	const char *folder, const ent_segment *committed, size_t n, ent_segment **seen, size_t *n_seen) {
	ent_index *x = NULL;
	part *parts = NULL;
	head h;
	struct stat st;
	*seen = NULL;
	*n_seen = 0;
	int dir = open_ledger_folder(folder);
	int fd = dir < 0 ? -1 : openat(dir, "index", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &st) && read_all(fd, &h, sizeof h, 0) && h.magic == MAGIC && h.version == VERSION &&
		h.segments <= n && h.entries <= (uint64_t)st.st_size / sizeof(ent_index_entry)) {
		parts = ent_xmalloc(h.segments * sizeof *parts + 1);
		if (read_all(fd, parts, h.segments * sizeof *parts, sizeof h) && sum(&h, parts) == h.crc &&
			fits(dir, parts, h.segments, committed, n)) {
			uint64_t frames = 0;
			for (size_t i = 0; i < n; i++) {
				frames += committed[i].state == ENT_SEGMENT_LIVE ? committed[i].frames : 0;
			}
			for (uint32_t i = 0; i < h.segments; i++) {
				frames -= parts[i].frames;
			}
			x = read_entries(fd, h.start, h.entries, frames);
		}
	}
	if (x) {
		*seen = ent_xmalloc(h.segments * sizeof **seen + 1);
		*n_seen = h.segments;
		for (uint32_t i = 0; i < h.segments; i++) {
			(*seen)[i] = (ent_segment){.number = parts[i].number, .valid = parts[i].from, .frames = parts[i].frames};
		}
	}
	if (fd >= 0) {
		close(fd);
	}
	if (dir >= 0) {
		close(dir);
	}
	free(parts);
	return x;
}
