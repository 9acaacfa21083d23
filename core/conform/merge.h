/* SPDX-License-Identifier: Apache-2.0
 *
 * conform/merge.h: what a decode in several ranges says, made comparable with what it says as a whole: visits with one
 * key add up as the header says, what is said once a range (covers, slices) is left out, and facts of JSON lines, which
 * a decoder may hold back to the end of a range, are sorted. One thread. */
#ifndef ENT_CONFORM_MERGE_H
#define ENT_CONFORM_MERGE_H

#include "conform/conform.h"

typedef struct ent__merge {
	ent_arena arena;
	ent_visit *parts;   /* of visits, as they came */
	size_t n, capacity; /* to take back what came last: the n of before */
} ent__merge;

/* From now on until ent__merge_end(). The trial's watcher is taken. */
void ent__merge_begin(ent__merge *, ent__trial *);
/* The text; to be given to free(). */
char *ent__merge_end(ent__merge *, ent__trial *);
void ent__merge_finish(ent__merge *);

#endif
