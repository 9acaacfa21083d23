/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the core, see driver.h. */
#include "driver.h"
#include "base/arena.h"
#include "base/intern.h"
#include "facts/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

int driver_file(const void *bytes, size_t n) {
	int fd = memfd_create("document", MFD_CLOEXEC);
	assert_true(fd >= 0);
	for (size_t at = 0; at < n;) {
		ssize_t w = write(fd, (const char *)bytes + at, n - at);
		assert_true(w > 0);
		at += (size_t)w;
	}
	return fd;
}

static void send_with(driver *d, const ent_buf *m, const int *fds, unsigned n_fds) {
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 8)];
	} ancillary;
	memset(&ancillary, 0, sizeof ancillary);
	struct iovec part = {m->data, m->n};
	struct msghdr h = {.msg_iov = &part, .msg_iovlen = 1};
	if (n_fds) {
		h.msg_control = ancillary.bytes;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	sendmsg(d->socket, &h, MSG_NOSIGNAL); /* a dead worker is seen at the next receive */
}

static void send_plain(driver *d, ent_buf *m) {
	send_with(d, m, NULL, 0);
	ent_buf_finish(m);
}

static void text_of(ent_read *r, char *to, size_t size) {
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	snprintf(to, size, "%.*s", (int)n, p ? p : "");
}

static void buried(driver *d) {
	if (!d->dead) {
		waitpid(d->pid, &d->status, 0);
		d->dead = true;
	}
}

/* The next packet that is not LOG. 0: the worker is dead. UINT32_MAX: time is up. */
static uint32_t receive(driver *d, uint8_t *data, ent_read *r, int milliseconds) {
	for (;;) {
		struct pollfd p = {d->socket, POLLIN, 0};
		int ready = poll(&p, 1, milliseconds);
		if (ready == 0) {
			return UINT32_MAX;
		}
		ssize_t n = recv(d->socket, data, ENT_MSG_MAX, 0);
		if (n < 4) {
			buried(d);
			return 0;
		}
		*r = ent_read_of(data, (size_t)n);
		uint32_t type = ent_read_u32(r);
		if (type != ENT_MSG_LOG) {
			return type;
		}
		ent_read_u8(r);
		size_t used = strlen(d->log);
		text_of(r, d->log + used, sizeof d->log - used);
	}
}

static bool take_failed(driver *d, ent_read *r) {
	d->failed.about = ent_read_u32(r);
	ent_read_u64(r);
	d->failed.code = (int32_t)ent_read_u32(r);
	d->failed.place = ent_read_u64(r);
	d->failed.line = ent_read_u64(r);
	text_of(r, d->failed.column, sizeof d->failed.column);
	text_of(r, d->failed.what, sizeof d->failed.what);
	text_of(r, d->failed.todo, sizeof d->failed.todo);
	assert_false(r->bad);
	return false;
}

/* A kernel without Landlock, as far as the caller can see. */
static void forget_landlock(void) {
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		_exit(126);
	}
}

void driver_start(driver *d, const driver_setup *s) {
	*d = (driver){.encodings = s ? s->encodings : NULL,
		.slots = s && s->slots ? s->slots : 8,
		.slot_bytes = s && s->slot_bytes ? s->slot_bytes : 65536};
	size_t bytes = ENT_RING_PAGE + (size_t)d->slots * d->slot_bytes;
	d->ring_fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(d->ring_fd >= 0);
	assert_int_equal(ftruncate(d->ring_fd, (off_t)bytes), 0);
	assert_int_equal(fcntl(d->ring_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	d->ring = mmap(NULL, bytes, PROT_READ, MAP_SHARED, d->ring_fd, 0);
	assert_true(d->ring != MAP_FAILED);
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	char parent[24];
	snprintf(parent, sizeof parent, "%d", (int)getpid());
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (!d->pid) {
		int control = fcntl(pair[1], F_DUPFD, 10), ring = fcntl(d->ring_fd, F_DUPFD, 10);
		dup2(control, ENT_CONTROL_FD);
		dup2(ring, ENT_RING_FD);
		for (int i = 5; i < 64; i++) {
			close(i);
		}
		/* what a signal did must be seen, not a sanitizer's report of it */
		if (s && s->old_kernel) {
			forget_landlock();
		}
		setenv("ASAN_OPTIONS", "detect_leaks=0:handle_segv=0:handle_abort=0:allocator_may_return_null=1", 1);
		execl(ENTENTE_BUILD_DIR "/bin/entente-decoder", "entente-decoder", parent, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	d->socket = pair[0];
	d->texts = ent_xcalloc(1, sizeof *d->texts);
	d->texts[0] = ent_xstrdup("");
	d->n_texts = 1;
	ent_buf m = {0};
	uint8_t key[32];
	ent_buf_u32(&m, ENT_MSG_HELLO);
	ent_buf_u32(&m, ENT_PROTOCOL_VERSION);
	ent_buf_u32(&m, d->slots);
	ent_buf_u32(&m, d->slot_bytes);
	ent_buf_u8(&m, s ? (uint8_t)s->sandbox : ENT_SANDBOX_OFF);
	ent_buf_u64(&m, s && s->max_unpacked ? s->max_unpacked : UINT64_C(1) << 32);
	ent_buf_u32(&m, s && s->max_ratio ? s->max_ratio : 2000);
	ent_buf_u64(&m, s ? s->memory : 0);
	memset(key, 1, sizeof key);
	ent_buf_bytes(&m, key, sizeof key);
	memset(key, 2, sizeof key);
	ent_buf_bytes(&m, key, sizeof key);
	send_plain(d, &m);
	static uint8_t data[ENT_MSG_MAX];
	ent_read r;
	uint32_t type = receive(d, data, &r, 10000);
	if (type == ENT_MSG_FAILED) {
		take_failed(d, &r);
		if (s && s->may_fail) {
			return;
		}
		fail_msg("HELLO failed: %s", d->failed.what);
	}
	assert_int_equal(type, ENT_MSG_READY);
	assert_int_equal(ent_read_u32(&r), (uint32_t)d->pid);
	text_of(&r, d->sandbox, sizeof d->sandbox);
}

bool driver_load(driver *d, const char *path) {
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_LOAD);
	ent_buf_u32(&m, 1);
	ent_buf_text(&m, path);
	uint32_t encodings = 0;
	while (d->encodings && d->encodings[encodings]) {
		encodings++;
	}
	ent_buf_u32(&m, encodings);
	for (uint32_t i = 0; i < encodings; i++) {
		ent_buf_text(&m, d->encodings[i]);
	}
	send_plain(d, &m);
	static uint8_t data[ENT_MSG_MAX];
	ent_read r;
	uint32_t type = receive(d, data, &r, 10000);
	if (type == ENT_MSG_LOADED) {
		d->loaded.n = 0;
		ent_buf_add(&d->loaded, r.p, (size_t)(r.end - r.p));
		return true;
	}
	return type == ENT_MSG_FAILED ? take_failed(d, &r) : false;
}

bool driver_open(driver *d, uint32_t instance, const char *decoder, unsigned options, const char *const *framing) {
	ent_buf values = {0};
	ent_buf_u32(&values, options); /* as config/options_wire.h writes values that are not set */
	for (unsigned i = 0; i < options; i++) {
		static const uint8_t unset[16];
		ent_buf_add(&values, unset, 1 + 1 + 8 + 1 + 1 + 4);
	}
	bool opened = driver_open_with(d, instance, decoder, values.data, values.n, framing);
	ent_buf_finish(&values);
	return opened;
}

bool driver_open_with(driver *d, uint32_t instance, const char *decoder, const void *values, size_t values_n,
	const char *const *framing) {
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_OPEN);
	ent_buf_u32(&m, instance);
	ent_buf_text(&m, decoder);
	ent_buf_bytes(&m, values, values_n);
	unsigned n = 0;
	while (framing && framing[2 * n]) {
		n++;
	}
	ent_buf_u8(&m, (uint8_t)n);
	for (unsigned i = 0; i < 2 * n; i++) {
		ent_buf_text(&m, framing[i]);
	}
	send_plain(d, &m);
	static uint8_t data[ENT_MSG_MAX];
	ent_read r;
	uint32_t type = receive(d, data, &r, 10000);
	if (type == ENT_MSG_OPENED) {
		assert_int_equal(ent_read_u32(&r), instance);
		return true;
	}
	return type == ENT_MSG_FAILED ? take_failed(d, &r) : false;
}

void driver_clear(driver *d) {
	d->n_docs = d->n_rejects = 0;
	d->covers = d->slices = d->cursors = d->batches = 0;
	d->skips = d->records = d->consumed = d->rejected = d->skipped = d->facts = 0;
	memset(&d->done, 0, sizeof d->done);
	memset(&d->failed, 0, sizeof d->failed);
}

static void take_doc(driver *d, const ent_wire_doc *w) {
	static ent_document document;
	uint32_t *codes = ent_xmalloc((d->n_texts + 1) * sizeof *codes);
	for (uint32_t i = 0; i < d->n_texts; i++) {
		codes[i] = i;
	}
	ent_error e = {0};
	if (ent_batch_document(&w->item, codes, (uint32_t)d->n_texts, &document, &e)) {
		fail_msg("%s", e.what);
	}
	free(codes);
	ENT_GROW(d->docs, d->n_docs, d->docs_capacity);
	driver_doc *doc = &d->docs[d->n_docs++];
	*doc =
		(driver_doc){.kind = w->kind, .flags = w->flags, .n_subs = w->n_subs, .content = w->content, .place = w->place};
	memcpy(doc->key, document.key, document.key_n);
	assert_true(w->key_hash == document.key_hash);
	snprintf(doc->partner, sizeof doc->partner, "%.60s", d->texts[w->partner]);
	for (uint32_t i = 0; i < document.n; i++) {
		const ent_item *s = &document.items[i];
		if (s->key_n) {
			doc->subs =
				ent_hash64((uint64_t[]){doc->subs, s->kind, s->rank.content, ent_hash64(s->key, s->key_n, 0)}, 32, 0);
		}
	}
}

static void take_item(driver *d, const ent_wire_item *item) {
	if (item->type == ENT_ITEM_TEXT) {
		const ent_wire_text *t = (const ent_wire_text *)item;
		assert_int_equal(t->code, d->n_texts);
		d->texts = ent_xrealloc(d->texts, (d->n_texts + 1) * sizeof *d->texts);
		d->texts[d->n_texts] = ent_xcalloc(1, t->n + 1);
		memcpy(d->texts[d->n_texts++], t + 1, t->n);
	} else if (item->type == ENT_ITEM_DOC) {
		take_doc(d, (const ent_wire_doc *)item);
	} else if (item->type == ENT_ITEM_REJECT) {
		const ent_wire_reject *w = (const ent_wire_reject *)item;
		ENT_GROW(d->rejects, d->n_rejects, d->rejects_capacity);
		driver_reject *x = &d->rejects[d->n_rejects++];
		const char *q = (const char *)(w + 1);
		*x = (driver_reject){.place = w->place, .line = w->line, .sealed_n = w->sealed_n};
		snprintf(x->reason, sizeof x->reason, "%.*s", (int)w->reason_n, q);
		snprintf(x->column, sizeof x->column, "%.*s", (int)w->column_n, q += w->reason_n);
		snprintf(x->excerpt, sizeof x->excerpt, "%.*s", (int)w->excerpt_n, q += w->column_n);
		assert_true(w->sealed_n <= sizeof x->sealed);
		memcpy(x->sealed, q + w->excerpt_n, w->sealed_n);
	} else if (item->type == ENT_ITEM_SKIPS) {
		const ent_wire_skips *w = (const ent_wire_skips *)item;
		assert_true(w->reason && w->reason < d->n_texts);
		d->skips += w->count;
	} else if (item->type == ENT_ITEM_CURSOR) {
		const ent_wire_cursor *w = (const ent_wire_cursor *)item;
		snprintf(d->cursor, sizeof d->cursor, "%.*s=%.*s", (int)w->name_n, (const char *)(w + 1), (int)w->value_n,
			(const char *)(w + 1) + w->name_n);
		d->cursors++;
	} else {
		d->covers += item->type == ENT_ITEM_COVERS;
		d->slices += item->type == ENT_ITEM_SLICE;
	}
}

static void take_batch(driver *d, ent_read *r) {
	assert_true(ent_read_u64(r) == d->assignment);
	uint64_t seq = ent_read_u64(r);
	uint32_t first = ent_read_u32(r), slots = ent_read_u32(r), bytes = ent_read_u32(r);
	ent_read_u64(r);
	assert_false(r->bad);
	assert_int_equal(seq, d->batches);
	assert_true(
		first + slots <= d->slots && bytes <= (uint64_t)slots * d->slot_bytes && bytes >= sizeof(ent_wire_batch));
	const uint8_t *p = d->ring + ENT_RING_PAGE + (size_t)first * d->slot_bytes, *end = p + bytes;
	const ent_wire_batch *b = (const ent_wire_batch *)p;
	d->batches++;
	if (b->magic != ENT_WIRE_MAGIC || b->bytes != bytes || b->seq != seq) {
		d->torn = true;
		return;
	}
	assert_true(b->records == b->consumed + b->rejected + b->skipped);
	d->records += b->records;
	d->consumed += b->consumed;
	d->rejected += b->rejected;
	d->skipped += b->skipped;
	d->facts += b->facts;
	uint32_t items = 0;
	for (p += sizeof *b; p < end; items++) {
		const ent_wire_item *item = (const ent_wire_item *)p;
		if (item->bytes < sizeof *item || item->bytes % 8 || item->bytes > (size_t)(end - p)) {
			d->torn = true;
			return;
		}
		take_item(d, item);
		p += item->bytes;
	}
	assert_int_equal(items, b->items);
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_FREE);
	ent_buf_u32(&m, slots);
	send_plain(d, &m);
}

void driver_send_decode(driver *d, uint32_t instance, int fd, uint64_t begin, uint64_t end, bool exact, int companion) {
	ent_buf m = {0};
	ent_time none = {0};
	d->batches = 0;
	ent_buf_u32(&m, ENT_MSG_DECODE);
	ent_buf_u64(&m, ++d->assignment);
	ent_buf_u32(&m, instance);
	ent_buf_text(&m, "document");
	ent_buf_text(&m, "");
	ent_buf_add(&m, &none, sizeof none);
	ent_buf_add(&m, &none, sizeof none);
	ent_buf_u64(&m, begin);
	ent_buf_u64(&m, end);
	ent_buf_u32(&m, companion >= 0);
	ent_buf_u8(&m, exact);
	send_with(d, &m, (int[]){fd, companion}, 1 + (companion >= 0));
	ent_buf_finish(&m);
}

bool driver_take_decode(driver *d, unsigned milliseconds) {
	static uint8_t data[ENT_MSG_MAX];
	for (;;) {
		ent_read r;
		uint32_t type = receive(d, data, &r, (int)milliseconds);
		if (type == ENT_MSG_BATCH) {
			take_batch(d, &r);
			if (d->torn) {
				return false;
			}
		} else if (type == ENT_MSG_DONE) {
			assert_true(ent_read_u64(&r) == d->assignment);
			d->done.begin = ent_read_u64(&r);
			d->done.end = ent_read_u64(&r);
			d->done.eof = ent_read_u8(&r);
			d->done.batches = ent_read_u64(&r);
			d->done.records = ent_read_u64(&r);
			d->done.consumed = ent_read_u64(&r);
			d->done.rejected = ent_read_u64(&r);
			d->done.skipped = ent_read_u64(&r);
			d->done.facts = ent_read_u64(&r);
			d->done.bytes = ent_read_u64(&r);
			d->done.waits = ent_read_u64(&r);
			d->done.waited_ns = ent_read_u64(&r);
			d->done.cpu_ns = ent_read_u64(&r);
			text_of(&r, d->done.notes, sizeof d->done.notes);
			assert_false(r.bad);
			assert_int_equal(d->done.batches, d->batches);
			assert_true(d->done.records == d->done.consumed + d->done.rejected + d->done.skipped);
			return true;
		} else if (type == ENT_MSG_FAILED) {
			return take_failed(d, &r);
		} else {
			return false;
		}
	}
}

bool driver_decode(driver *d, uint32_t instance, int fd, uint64_t begin, uint64_t end, bool exact, int companion) {
	driver_send_decode(d, instance, fd, begin, end, exact, companion);
	return driver_take_decode(d, 20000);
}

bool driver_probe(driver *d, int fd, uint32_t scores[8], uint32_t *n) {
	ent_buf m = {0};
	ent_buf_u32(&m, ENT_MSG_PROBE);
	ent_buf_u64(&m, 77);
	ent_buf_text(&m, "document");
	send_with(d, &m, &fd, 1);
	ent_buf_finish(&m);
	static uint8_t data[ENT_MSG_MAX];
	ent_read r;
	uint32_t type = receive(d, data, &r, 10000);
	if (type != ENT_MSG_PROBED) {
		return type == ENT_MSG_FAILED ? take_failed(d, &r) : false;
	}
	assert_int_equal(ent_read_u64(&r), 77);
	*n = ent_read_u32(&r);
	for (uint32_t i = 0; i < *n && i < 8; i++) {
		char why[256];
		scores[i] = ent_read_u32(&r);
		text_of(&r, why, sizeof why);
	}
	return !r.bad;
}

int driver_finish(driver *d) {
	if (!d->dead) {
		ent_buf m = {0};
		ent_buf_u32(&m, ENT_MSG_STOP);
		send_plain(d, &m);
		close(d->socket);
		buried(d);
	} else {
		close(d->socket);
	}
	munmap(d->ring, ENT_RING_PAGE + (size_t)d->slots * d->slot_bytes);
	close(d->ring_fd);
	for (uint32_t i = 0; i < d->n_texts; i++) {
		free(d->texts[i]);
	}
	free(d->texts);
	free(d->docs);
	free(d->rejects);
	ent_buf_finish(&d->loaded);
	int status = d->status;
	*d = (driver){0};
	return status;
}

driver_outcome driver_result(const driver *d) {
	driver_outcome o = {.n_docs = d->n_docs,
		.n_rejects = d->n_rejects,
		.records = d->records,
		.consumed = d->consumed,
		.rejected = d->rejected,
		.skipped = d->skipped,
		.facts = d->facts,
		.skips = d->skips,
		.covers = d->covers,
		.slices = d->slices};
	o.docs = ent_xcalloc(o.n_docs + 1, sizeof *o.docs);
	if (o.n_docs) {
		memcpy(o.docs, d->docs, o.n_docs * sizeof *o.docs);
	}
	return o;
}

void driver_same(const driver *d, const driver_outcome *whole, uint64_t chunk) {
	if (d->n_docs != whole->n_docs) {
		fail_msg("chunks of %llu: %zu documents instead of %zu", (unsigned long long)chunk, d->n_docs, whole->n_docs);
	}
	for (size_t i = 0; i < whole->n_docs; i++) {
		const driver_doc *a = &d->docs[i], *b = &whole->docs[i];
		if (a->content != b->content || a->subs != b->subs || a->place != b->place || strcmp(a->key, b->key) != 0 ||
			strcmp(a->partner, b->partner) != 0 || a->flags != b->flags || a->n_subs != b->n_subs) {
			fail_msg("chunks of %llu: document %zu is %s with %u lines instead of %s with %u",
				(unsigned long long)chunk, i, a->key, a->n_subs, b->key, b->n_subs);
		}
	}
	assert_int_equal(d->records, whole->records);
	assert_int_equal(d->consumed, whole->consumed);
	assert_int_equal(d->rejected, whole->rejected);
	assert_int_equal(d->skipped, whole->skipped);
	assert_int_equal(d->facts, whole->facts);
	assert_int_equal(d->skips, whole->skips);
	assert_int_equal(d->covers, whole->covers);
	assert_int_equal(d->slices, whole->slices);
}
