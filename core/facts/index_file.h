/* SPDX-License-Identifier: Apache-2.0
 *
 * The index in a file, `ledger/index`: its entries in their order, so that it is loaded by reading and not by a look
 * into every frame. The file is a help and no more: it says up to which length of which segment it speaks, and carries
 * sums of itself and of the ends of these segments. One that is damaged, cut off, of another version, or does not fit
 * the segments counts as none; then the log is scanned. So nothing waits until it is on the disk.
 *
 * It is written in steps, each as long as the caller wants, while the index goes on changing: what changed in between
 * stands in the log behind the lengths of the beginning, and who loads scans from there. */
#ifndef ENT_FACTS_INDEX_FILE_H
#define ENT_FACTS_INDEX_FILE_H

#include "facts/ledger.h"

typedef struct ent_index_save ent_index_save;

/* Begins a new file in place of the one there may be. `segments` are the log's at this moment, all of it committed. */
int ent_index_save_begin(ent_index_save **out, const char *folder, const ent_segment *segments, size_t n, ent_error *e);
/* Writes up to `max` entries more; *done: that was the last one. */
int ent_index_save_step(ent_index_save *, const ent_index *, size_t max, bool *done, ent_error *e);
/* Puts the file in place. `segments` are the log's at the last step, all of it committed, or an entry of the file could
 * lead to a frame that never came to be. Ends the save, as abandon does, which forgets it; NULL allowed. */
int ent_index_save_finish(ent_index_save *, const ent_segment *segments, size_t n, ent_error *e);
void ent_index_save_abandon(ent_index_save *);

/* The index as the file has it, with room for `more` entries, or NULL if there is no file that fits these committed
 * segments. *seen: what of them it speaks for, malloc'ed; what lies behind has to be scanned. */
ent_index *ent_index_restore(
	const char *folder, const ent_segment *committed, size_t n, ent_segment **seen, size_t *n_seen);

#endif
