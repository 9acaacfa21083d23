/* SPDX-License-Identifier: Apache-2.0
 *
 * What was built of a snapshot becomes one block: sorted, laid out, in sealed memory. Loop thread only. */
#include "engine/snapshot_build.h"
#include "metrics/custom_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- assembly ---------------------------------------------------------------------------------------------------------------------------- */

static int by_partner_series(const void *x, const void *y, void *ctx) {
	const ent__build *b = ctx;
	const ent__build_series *p = x, *q = y;
	if (p->partner != q->partner) {
		return b->rank_of[p->partner] < b->rank_of[q->partner] ? -1 : 1;
	}
#define BY(field)                                                                                                      \
	if (p->s.field != q->s.field)                                                                                      \
	return p->s.field < q->s.field ? -1 : 1
	BY(measure);
	BY(origin);
	BY(view);
	BY(value);
	BY(currency);
#undef BY
	return 0;
}

static int by_partner_set(const void *x, const void *y, void *ctx) {
	const ent__build *b = ctx;
	const ent__build_set *p = x, *q = y;
	if (p->partner != q->partner) {
		return b->rank_of[p->partner] < b->rank_of[q->partner] ? -1 : 1;
	}
#define BY(field)                                                                                                      \
	if (p->s.field != q->s.field)                                                                                      \
	return p->s.field < q->s.field ? -1 : 1
	BY(set);
	BY(origin);
	BY(view);
	BY(value);
#undef BY
	return 0;
}

static int by_partner_dist(const void *x, const void *y, void *ctx) {
	const ent__build *b = ctx;
	const ent__build_dist *p = x, *q = y;
	if (p->partner != q->partner) {
		return b->rank_of[p->partner] < b->rank_of[q->partner] ? -1 : 1;
	}
#define BY(field)                                                                                                      \
	if (p->d.field != q->d.field)                                                                                      \
	return p->d.field < q->d.field ? -1 : 1
	BY(dist);
	BY(origin);
	BY(currency);
#undef BY
	return 0;
}

static int by_partner_cover(const void *x, const void *y, void *ctx) {
	const ent__build *b = ctx;
	const ent__build_cover_row *p = x, *q = y;
	if (p->partner != q->partner) {
		return b->rank_of[p->partner] < b->rank_of[q->partner] ? -1 : 1;
	}
#define BY(field)                                                                                                      \
	if (p->c.field != q->c.field)                                                                                      \
	return p->c.field < q->c.field ? -1 : 1
	BY(family);
	BY(origin);
	BY(from);
	BY(to);
	BY(source);
#undef BY
	return 0;
}

static int by_name(const void *x, const void *y, void *engine) {
	return strcmp(ent__text(engine, *(const uint32_t *)x), ent__text(engine, *(const uint32_t *)y));
}

void ent__build_rank(ent__build *b) {
	ent_engine *e = b->e;
	ENT_SORT_R(b->partners, b->n_partners, by_name, e);
	b->rank_of = ent_xcalloc(e->partners_capacity, sizeof *b->rank_of);
	for (uint32_t i = 0; i < b->n_partners; i++) {
		b->rank_of[b->partners[i]] = i;
	}
}

static void pad(ent_buf *b) {
	while (b->n % 8) {
		ent_buf_u8(b, 0);
	}
}

static ent_snap_section section(ent_buf *out, const void *rows, size_t n, size_t size) {
	pad(out);
	ent_snap_section s = {out->n, n};
	ent_buf_add(out, rows, n * size);
	return s;
}

/* The block: what was built, which begins with room for the head, then all that has a fixed form. */
void ent__build_assemble(ent__build *b, ent_buf *out) {
	ent_engine *e = b->e;
	ENT_SORT_R(b->series, b->n_series, by_partner_series, b);
	ENT_SORT_R(b->sets, b->n_sets, by_partner_set, b);
	ENT_SORT_R(b->dists, b->n_dists, by_partner_dist, b);
	ENT_SORT_R(b->covers, b->n_covers, by_partner_cover, b);
	ent_snap_head head = {.magic = ENT_SNAP_MAGIC, .version = ENT_SNAP_VERSION, .as_of = b->as_of,
		.currency = ent__build_text(b, ent__code_of(e, e->config->currency.s)), .generation = b->generation};
	ent_snap_partner *partners = ent_xcalloc(b->n_partners, sizeof *partners);
	for (uint32_t i = 0; i < b->n_partners; i++) {
		partners[i].id = ent__build_text(b, b->partners[i]);
		partners[i].behind = b->behind ? b->behind[b->partners[i]] : 0;
	}
	ent_buf_finish(out);
	*out = b->data; /* not copied: it is most of the block */
	b->data = (ent_buf){0};
	for (uint32_t i = 0; i < b->n_partners; i++) {
		pad(out);
		partners[i].json = out->n;
		if (!b->bare && (!b->old_json || !b->old_json(b->old_ctx, b->partners[i], out))) {
			ent__build_partner_json(b, b->partners[i], out);
		}
		partners[i].n_json = out->n - partners[i].json;
		ent_buf_u8(out, 0);
	}
	pad(out);
#define ROWS(array, count, member, field, first, number)                                                               \
	do {                                                                                                               \
		pad(out);                                                                                                      \
		head.field = (ent_snap_section){out->n, count};                                                                \
		for (size_t i = 0; i < count; i++) {                                                                           \
			ent_snap_partner *p = &partners[b->rank_of[array[i].partner]];                                             \
			if (p->number++ == 0) {                                                                                    \
				p->first = i;                                                                                          \
			}                                                                                                          \
			ent_buf_add(out, &array[i].member, sizeof array[i].member);                                                \
		}                                                                                                              \
	} while (0)
	ROWS(b->series, b->n_series, s, series, series, n_series);
	ROWS(b->sets, b->n_sets, s, sets, sets, n_sets);
	ROWS(b->dists, b->n_dists, d, dists, dists, n_dists);
	ROWS(b->covers, b->n_covers, c, covers, covers, n_covers);
#undef ROWS
	head.partners = section(out, partners, b->n_partners, sizeof *partners);
	head.rates = section(out, b->rate_rows.data, b->rate_rows.n / sizeof(ent_snap_rate), sizeof(ent_snap_rate));
	pad(out);
	head.meta.offset = out->n;
	if (!b->bare) {
		ent__build_meta_json(b, out);
	}
	head.meta.n = out->n - head.meta.offset;
	if (e->counted && (e->custom || !b->from)) { /* what is folded elsewhere has only what is compiled */
		pad(out);
		head.custom.offset = out->n;
		ent_custom_put(ent_engine_catalogue(e), out);
		head.custom.n = out->n - head.custom.offset;
	}
	pad(out);
	ent_snap_text *texts = ent_xcalloc(b->n_texts, sizeof *texts);
	for (uint32_t i = 0; i < b->n_texts; i++) {
		size_t n;
		const char *text = b->made && b->texts[i] >= b->made_from ? ent_intern_text(b->made, b->texts[i] - b->made_from, &n)
																  : ent_intern_text(&e->texts, b->texts[i], &n);
		texts[i] = (ent_snap_text){out->n, n};
		ent_buf_add(out, text, n);
		ent_buf_u8(out, 0);
	}
	head.texts = section(out, texts, b->n_texts, sizeof *texts);
	pad(out);
	head.bytes = out->n;
	memcpy(out->data, &head, sizeof head);
	free(texts);
	free(partners);
}

void ent__build_finish(ent__build *b) {
	free(b->text_of);
	free(b->texts);
	free(b->cells);
	free(b->series);
	free(b->days);
	free(b->sets);
	free(b->buckets);
	free(b->dists);
	free(b->covers);
	free(b->common);
	free(b->rates);
	free(b->partners);
	free(b->rank_of);
	free(b->records);
	ent_arena_finish(&b->arena);
	ent_buf_finish(&b->data);
	ent_buf_finish(&b->values);
	ent_buf_finish(&b->ids);
	ent_buf_finish(&b->rate_rows);
}

/* Gives the kernel back what lies wholly between two places of a buffer: it is not read again. */
static void let_go(const uint8_t *from, const uint8_t *to) {
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), a = ((uintptr_t)from + page - 1) / page * page, b = (uintptr_t)to / page * page;
	if (a < b) {
		madvise((void *)a, b - a, MADV_DONTNEED);
	}
}

/* What was copied is let go piece by piece, so that the block does not lie in memory twice. */
int ent__build_seal(ent_buf *block, ent_snapshot_block *out, ent_error *error) {
	enum { PIECE = 4 << 20 };
	int fd = memfd_create("entente-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;
	while (fd >= 0 && done < block->n) {
		ssize_t n = write(fd, block->data + done, block->n - done < PIECE ? block->n - done : PIECE);
		if (n < 0 && errno != EINTR) {
			break;
		}
		let_go(block->data + done, block->data + done + (n > 0 ? n : 0));
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || done < block->n || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)) {
		ent_error_errno(error, ENT_ERR_IO, "cannot make a snapshot of %zu bytes", block->n);
		if (fd >= 0) {
			close(fd);
		}
		return error->code;
	}
	void *data = mmap(NULL, block->n, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		ent_error_errno(error, ENT_ERR_IO, "cannot map a snapshot of %zu bytes", block->n);
		close(fd);
		return error->code;
	}
	out->fd = fd;
	out->data = data;
	out->bytes = block->n;
	return 0;
}

void ent_snapshot_block_finish(ent_snapshot_block *s) {
	if (s && s->data) {
		munmap(s->data, s->bytes);
		close(s->fd);
		free(s->behind);
		*s = (ent_snapshot_block){.fd = -1};
	}
}

