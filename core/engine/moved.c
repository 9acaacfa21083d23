/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents whose files got another name: renamed, rotated, moved away by a copy. Their rows go along, so that nothing of
 * them is told again: parts of visits would add up. A file is recognized by its inode and by what the first and the last
 * 64 KiB were when it was read; so one that was rotated and had grown before goes on as another generation of itself, and
 * what stands under its old name is a document of its own. Loop thread only. */
#include "config/pattern.h"
#include "engine/plan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const ent_file *listed(const ent__listing *l, const char *name) {
	size_t low = 0, high = l->n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(l->files[mid].name, name);
		if (!order) {
			return &l->files[mid];
		}
		if (order < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return NULL;
}

/* The same bytes as when it was read, and perhaps more behind them? */
static bool contains(const ent__source *s, const ent_file *file, const ent_input *x) {
	int fd = x->size && file->size >= x->size ? open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0) {
		return false;
	}
	uint64_t tail = x->size > ENT__SUM_BYTES ? x->size - ENT__SUM_BYTES : 0;
	uint64_t stamp, companions;
	ent_error e = {0};
	bool same = !ent__beside_sum(s->config, file->path, &stamp, &companions, &e) &&
				ent__sum_with(ent__sum_at(fd, 0, x->size), companions) == x->head_sum && ent__sum_at(fd, tail, x->size) == x->tail_sum;
	close(fd);
	return same;
}

static bool same_text(const ent_match *a, const ent_match *b, const char *name) {
	ent_str x = ent_match_get(a, name), y = ent_match_get(b, name);
	return x.n == y.n && (x.n == 0 || !memcmp(x.p, y.p, x.n));
}

/* Does the path say the same of it as the old one did: partner, and when it was taken? */
static bool same_meaning(const ent__source *s, const ent_file *file, const ent_input *x) {
	const char *partner = s->config->partner.from == ENT_PARTNER_PATH ? s->config->partner.pattern.s : NULL;
	const char *snapshot = s->config->from.snapshot.s;
	size_t root = strlen(file->path) - strlen(file->name), n = strlen(x->name);
	char *before = ent_xmalloc(root + n + 1);
	memcpy(before, file->path, root);
	memcpy(before + root, x->name, n + 1);
	ent_match now, then;
	bool same = true;
	if (partner) {
		bool a = ent_pattern_match(partner, file->path, &now), b = ent_pattern_match(partner, before, &then);
		same = a == b && (!a || same_text(&now, &then, "partner"));
	}
	if (same && snapshot) {
		int64_t t = 0, u = 0;
		bool a = ent_pattern_match(snapshot, file->path, &now) && ent_match_time(&now, &t);
		bool b = ent_pattern_match(snapshot, before, &then) && ent_match_time(&then, &u);
		same = a == b && t == u;
	}
	free(before);
	return same;
}

typedef struct move {
	uint32_t id;
	uint32_t generation;
	size_t file;
	bool same_meaning;
} move;

static void go_along(ent_engine *e, ent_input *x, const ent_file *file, uint32_t generation) {
	snprintf(x->name, sizeof x->name, "%s", file->name);
	x->generation = x->generation > generation ? x->generation : generation;
	x->inode = file->inode;
	x->device = file->device;
	x->mtime_ns = (uint64_t)file->mtime_ns;
	e->stored[x->id].looked_ns = 0;
	e->input_dirty[x->id] = true;
	ent__known_add(e, x->id);
}

static bool newest(const ent_engine *e, const ent_input *x) { return ent__known_name(e, x->source, x->name) == x; }

void ent__follow_moves(ent_engine *e, ent__source *s, ent__listing *l) {
	move *moves = NULL;
	size_t n = 0, capacity = 0;
	/* all are found before the first is done: rotation moves many by one */
	for (size_t i = 0; i < l->n && s->config->from.kind != ENT_FROM_STDIN; i++) {
		const ent_file *file = &l->files[i];
		const ent_input *old = ent__known_name(e, s->code, file->name);
		if (strlen(file->name) >= sizeof old->name || (old && old->inode == file->inode && old->device == file->device)) {
			continue;
		}
		const ent_input *x = ent__known_file(e, s->code, file->device, file->inode);
		if (!x || !newest(e, x) || !strcmp(x->name, file->name)) {
			continue;
		}
		const ent_file *there = listed(l, x->name);
		bool linked = there && there->inode == file->inode && there->device == file->device;
		if (!linked && contains(s, file, x)) {
			ENT_GROW(moves, n, capacity);
			moves[n++] = (move){x->id, old ? old->generation + 1 : 0, i, same_meaning(s, file, x)};
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (moves[i].same_meaning) {
			ent_input *x = &e->inputs[moves[i].id];
			uint64_t mtime = x->mtime_ns;
			go_along(e, x, &l->files[moves[i].file], moves[i].generation);
			x->mtime_ns = mtime; /* if it was changed as well, that is seen by it */
		} else {
			l->successor = l->successor ? l->successor : ent_xcalloc(l->n, sizeof *l->successor);
			l->successor[moves[i].file] = moves[i].id;
		}
	}
	free(moves);
}

ent_input *ent__moved_by_copy(ent_engine *e, const ent__source *s, const ent__listing *l, const ent_file *file, uint64_t content,
	uint32_t *successor) {
	ent_input *x = ent__known_content(e, s->code, content);
	*successor = 0;
	if (!x || !x->size || x->size != file->size || !x->done || !newest(e, x) ||
		(x->size > 2 * ENT__SUM_BYTES && x->mtime_ns != (uint64_t)file->mtime_ns)) {
		return NULL; /* of a large file the sums do not say all; but a copy that keeps its time is a copy */
	}
	const ent_file *there = listed(l, x->name);
	if (there && there->inode == x->inode && there->device == x->device && there->size == x->size) {
		return NULL; /* both are there */
	}
	if (!same_meaning(s, file, x)) {
		*successor = x->id;
		return NULL;
	}
	go_along(e, x, file, 0);
	return x;
}
