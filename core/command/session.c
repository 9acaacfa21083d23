/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service lends to commands, see session.h. */
#include "command/session.h"

#include <stdlib.h>
#include <string.h>

static void drop(ent__session_snapshot *s) {
	if (s->used) {
		ent_snap_finish(&s->snap);
		ent_snapshot_block_finish(&s->block);
	}
	*s = (ent__session_snapshot){0};
}

const ent__session_snapshot *ent__session_snapshot_of(ent__session *s, int32_t day, const char *mode, ent_error *e) {
	ent__session_snapshot *oldest = &s->snapshots[0];
	for (size_t i = 0; i < ENT__SNAPSHOTS; i++) {
		ent__session_snapshot *x = &s->snapshots[i];
		if (x->used && x->day == day && !strcmp(x->mode, mode)) {
			x->used = ++s->uses;
			return x;
		}
		oldest = x->used < oldest->used ? x : oldest;
	}
	drop(oldest);
	if (ent_engine_snapshot(s->engine, day, mode, &oldest->block, e)) {
		*oldest = (ent__session_snapshot){0};
		return NULL;
	}
	if (ent_snap_open(&oldest->snap, oldest->block.data, oldest->block.bytes, e)) {
		ent_snapshot_block_finish(&oldest->block);
		*oldest = (ent__session_snapshot){0};
		return NULL;
	}
	oldest->day = day;
	snprintf(oldest->mode, sizeof oldest->mode, "%s", mode);
	oldest->used = ++s->uses;
	return oldest;
}

void ent__session_forget(ent__session *s) {
	for (size_t i = 0; i < ENT__SNAPSHOTS; i++) {
		drop(&s->snapshots[i]);
	}
}

void ent__session_begin(ent__session *s) {
	if (!s->told) {
		s->told = ent_xcalloc(1, sizeof *s->told);
	}
	s->told->n = s->told->total = 0;
	s->notes.n = 0;
	s->next[0] = 0;
}

void ent__session_finish(ent__session *s) {
	ent__session_forget(s);
	ent_buf_finish(&s->notes);
	free(s->told);
	*s = (ent__session){0};
}

void ent__session_told(ent__session *s, const ent_error *e, size_t n, size_t total) {
	for (size_t i = 0; i < n; i++) {
		ent_errors_take(s->told, &e[i]);
	}
	s->told->total += total - n;
}

void ent__session_note(ent__session *s, const char *text) {
	ent_buf_add(&s->notes, text, strlen(text));
	ent_buf_u8(&s->notes, '\n');
}
