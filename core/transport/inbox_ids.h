/* SPDX-License-Identifier: Apache-2.0
 *
 * The ids of deliveries that came, in the order of their arrival, so that the oldest are forgotten first. Owned by whoever holds
 * the struct; zeroed = empty. */
#ifndef ENT_TRANSPORT_INBOX_IDS_H
#define ENT_TRANSPORT_INBOX_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ent__id {
	uint8_t id[16];
	int64_t arrival;
} ent__id;

typedef struct ent__ids {
	ent__id *ring;    /* number s stands at s & (room - 1) */
	uint64_t *slots;  /* number + 1; 0 free; twice as many as the ring has room */
	uint64_t first, end; /* numbers of the oldest, and of the next */
	size_t room;
} ent__ids;

void ent__ids_finish(ent__ids *);
bool ent__ids_find(const ent__ids *, const uint8_t id[16]);
/* As the newest; nothing if it is there. At most `most` are kept. */
void ent__ids_add(ent__ids *, const uint8_t id[16], int64_t arrival, size_t most);
/* Forgets those that arrived before. */
void ent__ids_forget(ent__ids *, int64_t before);

#endif
