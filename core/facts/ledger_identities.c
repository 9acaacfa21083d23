/* SPDX-License-Identifier: Apache-2.0
 *
 * Identities, see ledger.h: 16 bytes each in the order of their numbers, in memory as in the file, and a table of
 * numbers + 1 that finds them. Both are read at the first use: a run over nothing new needs neither. One thread owns
 * them; a second one may sync, and touches the descriptors and `failed` only. */
#include "base/arena.h"
#include "facts/ledger.h"
#include "facts/ledger_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WIDTH 16u
#define PIECE (UINT64_C(1) << 20)       /* written behind when this much is new */
#define READY ((size_t)256 << 10)
enum { EVERY = 64, MOVES = EVERY * 8 }; /* while the table grows, with every 64th new one: 8 for each of these */

struct ent_identities {
	uint8_t *ids;
	uint64_t count, capacity; /* ids in memory once loaded; until then count is what the file holds */
	uint64_t written;         /* of them in the file */
	uint64_t marked;          /* as many were in the last mark */
	uint32_t *table;          /* number + 1; 0: free */
	uint64_t mask;
	/* While the table grows: the one before, which has all identities that there were then. They move into the new one
	 * in the order of their numbers, some whenever one is added, so that no put pauses for all of them. */
	uint32_t *before;
	uint64_t before_mask, moved, to_move;
	uint32_t *next; /* the one to come, while it gets its memory, piece by piece: it is written all over at once */
	size_t ready;   /* bytes of it that have theirs */
	int fd, folder;
	bool writable, loaded, fresh;
	pthread_mutex_t lock; /* of `failed`, which a thread that syncs may set */
	ent_error failed;     /* of a load, a write behind or a sync; from then on all of these fail */
};

/* Identities are SipHash output, but tests and other spaces may hand in less: both halves, multiplied, upper bits. */
static inline uint64_t hash_of(const uint8_t *id) {
	uint64_t a, b;
	memcpy(&a, id, 8);
	memcpy(&b, id + 8, 8);
	uint64_t h = (a ^ (b * UINT64_C(0xc2b2ae3d27d4eb4f))) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static inline uint64_t slot_of(const ent_identities *x, const uint8_t *id) { return hash_of(id) & x->mask; }

static size_t ids_bytes(const ent_identities *x) { return ent__pages_size((size_t)(x->capacity * WIDTH)); }
static size_t table_bytes(uint64_t mask) { return ent__pages_size((size_t)(mask + 1) * sizeof(uint32_t)); }

static void make_room(ent_identities *x, uint64_t capacity) {
	if (capacity <= x->capacity) {
		return;
	}
	size_t old = ids_bytes(x);
	x->capacity = capacity;
	x->ids = x->ids ? ent__pages_grow(x->ids, old, ids_bytes(x)) : ent__pages_map(ids_bytes(x));
}

static void insert(ent_identities *x, uint64_t number) {
	uint64_t s = slot_of(x, x->ids + number * WIDTH);
	while (x->table[s]) {
		s = (s + 1) & x->mask;
	}
	x->table[s] = (uint32_t)number + 1;
}

/* Puts the identities from..to - 1 into the table. */
static void insert_range(ent_identities *x, uint64_t from, uint64_t to) {
	const uint64_t ahead = 16; /* the ids come in sequence, the slots from anywhere */
	for (uint64_t i = from; i < to; i++) {
		if (i + ahead < to) {
			__builtin_prefetch(x->table + slot_of(x, x->ids + (i + ahead) * WIDTH), 1);
		}
		insert(x, i);
	}
}

static void make_table(ent_identities *x, uint64_t slots) {
	x->mask = slots - 1;
	x->table = ent__pages_map(table_bytes(x->mask));
	insert_range(x, 0, x->count);
}

static void prepare_some(ent_identities *x) {
	uint64_t mask = x->mask * 2 + 1;
	size_t bytes = table_bytes(mask), piece = bytes - x->ready < READY ? bytes - x->ready : READY;
	ent__pages_ready((uint8_t *)x->next + x->ready, piece);
	x->ready += piece;
	if (x->ready == bytes) {
		x->before = x->table;
		x->before_mask = x->mask;
		x->moved = 0;
		x->to_move = x->count;
		x->table = x->next;
		x->mask = mask;
		x->next = NULL;
	}
}

static void move_some(ent_identities *x) {
	uint64_t to = x->moved + MOVES < x->to_move ? x->moved + MOVES : x->to_move;
	insert_range(x, x->moved, to);
	x->moved = to;
	if (to == x->to_move) {
		ent__pages_unmap(x->before, table_bytes(x->before_mask));
		x->before = NULL;
	}
}

/* Number + 1 of an identity; 0: there is none, and *slot is where it belongs. */
static inline uint32_t find(const ent_identities *x, const uint8_t *id, uint64_t *slot) {
	uint64_t h = hash_of(id), s = h & x->mask;
	for (uint32_t v; (v = x->table[s]); s = (s + 1) & x->mask) {
		if (!memcmp(x->ids + (uint64_t)(v - 1) * WIDTH, id, WIDTH)) {
			return v;
		}
	}
	*slot = s;
	if (x->before) {
		s = h & x->before_mask;
		for (uint32_t v; (v = x->before[s]); s = (s + 1) & x->before_mask) {
			if (!memcmp(x->ids + (uint64_t)(v - 1) * WIDTH, id, WIDTH)) {
				return v;
			}
		}
	}
	return 0;
}

static int failed(ent_identities *x, ent_error *e) {
	pthread_mutex_lock(&x->lock);
	int code = x->failed.code;
	if (code && e) {
		*e = x->failed;
	}
	pthread_mutex_unlock(&x->lock);
	return code;
}

static int fail(ent_identities *x, int code, const char *what) {
	ent_error now;
	ent_error_errno(&now, code, "%s", what);
	ent_error_at(&now, "identities", 0, 0);
	pthread_mutex_lock(&x->lock);
	if (!x->failed.code) {
		x->failed = now;
	}
	code = x->failed.code;
	pthread_mutex_unlock(&x->lock);
	return code;
}

static int load(ent_identities *x) {
	int status = failed(x, NULL);
	if (status) {
		return status;
	}
	uint64_t room = 4096, slots = 8192;
	while (room < x->count + 1) {
		room += room / 2;
	}
	while (slots * 4 < x->count * 5 + 5) {
		slots *= 2;
	}
	make_room(x, (room + 4095) / 4096 * 4096);
	uint64_t want = x->count * WIDTH;
	for (uint64_t at = 0; at < want;) {
		ssize_t n = pread(x->fd, x->ids + at, (size_t)(want - at), (off_t)at);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			errno = n ? errno : ENODATA;
			return fail(x, ENT_ERR_IO, "cannot read");
		}
		at += (uint64_t)n;
	}
	make_table(x, slots);
	x->loaded = true;
	return 0;
}

int ent_identities_open(ent_identities **out, const char *folder, uint64_t committed, bool writable, ent_error *e) {
	*out = NULL;
	ent_identities *x = ent_xcalloc(1, sizeof *x);
	x->fd = -1;
	pthread_mutex_init(&x->lock, NULL);
	x->writable = writable;
	x->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x->folder < 0) {
		ent_error_errno(e, ENT_ERR_IO, "cannot open the folder %s", folder);
		goto failed;
	}
	x->fd = openat(x->folder, "identities", (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (x->fd < 0 && errno == ENOENT && !committed) {
		x->fresh = true;
		if (writable) {
			x->fd = openat(x->folder, "identities", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		}
	}
	struct stat st = {0};
	if ((x->fd < 0 && !(x->fresh && !writable)) || (x->fd >= 0 && fstat(x->fd, &st))) {
		ent_error_errno(e, errno == ENOENT ? ENT_ERR_CORRUPT : ENT_ERR_IO, "cannot open %s/identities", folder);
		goto failed;
	}
	uint64_t bytes = committed * WIDTH;
	if ((uint64_t)st.st_size < bytes) {
		ent_error_set(e, ENT_ERR_CORRUPT,
			"%s/identities holds %lld bytes, but %llu identities of %u bytes were committed", folder,
			(long long)st.st_size, (unsigned long long)committed, WIDTH);
		goto failed;
	}
	if (writable && (uint64_t)st.st_size > bytes && (ftruncate(x->fd, (off_t)bytes) || fdatasync(x->fd))) {
		ent_error_errno(e, ENT_ERR_IO, "cannot cut %s/identities", folder);
		goto failed;
	}
	x->count = x->written = x->marked = committed;
	*out = x;
	return 0;
failed:
	ent_identities_close(x);
	return e ? e->code : ENT_ERR_IO;
}

void ent_identities_close(ent_identities *x) {
	if (!x) {
		return;
	}
	ent__pages_unmap(x->ids, ids_bytes(x));
	ent__pages_unmap(x->table, table_bytes(x->mask));
	ent__pages_unmap(x->before, table_bytes(x->before_mask));
	ent__pages_unmap(x->next, table_bytes(x->mask * 2 + 1));
	if (x->fd >= 0) {
		close(x->fd);
	}
	if (x->folder >= 0) {
		close(x->folder);
	}
	pthread_mutex_destroy(&x->lock);
	free(x);
}

static int write_behind(ent_identities *x) {
	int status = failed(x, NULL);
	if (!x->writable || status) {
		return status;
	}
	uint64_t from = x->written * WIDTH, end = x->count * WIDTH;
	for (uint64_t at = from; at < end;) {
		ssize_t n = pwrite(x->fd, x->ids + at, (size_t)(end - at), (off_t)at);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			errno = n ? errno : EIO;
			return fail(x, ENT_ERR_IO, "cannot write");
		}
		at += (uint64_t)n;
	}
	x->written = x->count;
	/* Starts the disk early; that it may not be supported is no error, fdatasync comes anyway. */
	sync_file_range(x->fd, (off_t)from, (off_t)(end - from), SYNC_FILE_RANGE_WRITE);
	return 0;
}

uint32_t ent_identities_put(ent_identities *x, const uint8_t id[16]) {
	if (!x->loaded && load(x)) {
		return UINT32_MAX;
	}
	uint64_t s = 0;
	uint32_t v = find(x, id, &s);
	if (v) {
		return v - 1;
	}
	if (x->count >= UINT32_MAX - 1) {
		return UINT32_MAX;
	}
	if (x->count == x->capacity) {
		make_room(x, (x->capacity + x->capacity / 2 + 4095) / 4096 * 4096);
	}
	memcpy(x->ids + x->count * WIDTH, id, WIDTH);
	x->table[s] = (uint32_t)x->count + 1;
	uint32_t dense = (uint32_t)x->count++;
	if ((x->before || x->next) && x->count % EVERY == 0) {
		if (x->before) {
			move_some(x);
		} else {
			prepare_some(x);
		}
	} else if (!x->before && !x->next && x->count * 5 > (x->mask + 1) * 4) {
		x->next = ent__pages_map(table_bytes(x->mask * 2 + 1));
		x->ready = 0;
	}
	if ((x->count - x->written) * WIDTH >= PIECE) {
		write_behind(x); /* an error is kept and reported by sync */
	}
	return dense;
}

void ent_identities_prefetch(const ent_identities *x, const uint8_t id[16]) {
	if (x->loaded) {
		__builtin_prefetch(x->table + slot_of(x, id), 1);
		if (x->before) {
			__builtin_prefetch(x->before + (hash_of(id) & x->before_mask));
		}
	}
}

void ent_identities_prefetch_found(const ent_identities *x, const uint8_t id[16]) {
	uint32_t v = x->loaded ? x->table[slot_of(x, id)] : 0;
	if (v) {
		__builtin_prefetch(x->ids + (uint64_t)(v - 1) * WIDTH);
	}
}

const uint8_t *ent_identities_get(ent_identities *x, uint32_t dense) {
	if (dense >= x->count || (!x->loaded && load(x))) {
		return NULL;
	}
	return x->ids + (uint64_t)dense * WIDTH;
}

uint64_t ent_identities_count(const ent_identities *x) { return x->count; }

int ent_identities_freeze(ent_identities *x, ent_identities_mark *out, ent_error *e) {
	*out = (ent_identities_mark){.count = x->count};
	if (!x->writable || write_behind(x)) {
		return failed(x, e);
	}
	out->file = x->count != x->marked || x->fresh;
	out->folder = x->fresh;
	x->marked = x->count;
	x->fresh = false;
	return 0;
}

int ent_identities_sync_to(ent_identities *x, const ent_identities_mark *m, ent_error *e) {
	int status = failed(x, e);
	if (!status && ((m->file && fdatasync(x->fd)) || (m->folder && fsync(x->folder)))) {
		fail(x, ENT_ERR_IO, "cannot sync");
		status = failed(x, e);
	}
	return status;
}

int ent_identities_sync(ent_identities *x, ent_error *e) {
	ent_identities_mark m;
	int status = ent_identities_freeze(x, &m, e);
	return status ? status : ent_identities_sync_to(x, &m, e);
}
