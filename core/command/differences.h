/* SPDX-License-Identifier: Apache-2.0
 *
 * command/differences.h: what has changed about findings since the last look, for who watches live. Owned by the thread that
 * reads. */
#ifndef ENT_COMMAND_DIFFERENCES_H
#define ENT_COMMAND_DIFFERENCES_H

#include "store/store.h"

enum { ENT__DIFFERENCES_MOST = 100 };

typedef struct ent__differences {
	struct ent__known {
		uint64_t finding, text; /* hashes; finding 0: free */
		char state[16];
	} * slots;
	size_t n, size;
	bool begun;
} ent__differences;

/* Compares the store with what it held at the last look. Appends a line of JSON for each finding that is new or changed state,
 * text or worth (none at the first look); after ENT__DIFFERENCES_MOST of them only how many there are: {"more": n}. */
int ent__differences_take(ent__differences *, ent_store *, ent_buf *out, ent_error *e);
void ent__differences_finish(ent__differences *); /* zeroed is fine */

#endif
