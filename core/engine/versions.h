/* SPDX-License-Identifier: Apache-2.0
 *
 * Which version of each document counted at a moment: the ledger's log keeps them all, one behind the other, until they
 * are compacted away. Loop thread only. */
#ifndef ENT_ENGINE_VERSIONS_H
#define ENT_ENGINE_VERSIONS_H

#include "engine/account.h"
#include "engine/internal.h"

typedef struct ent__version {
	ent_position at[2]; /* then, now; 0: there was none */
	int64_t since[2];   /* arrival of what is there, where arrivals tell */
	size_t key;         /* where it lies in `keys` */
	uint32_t system, scope;
	uint16_t key_n;
	uint8_t kind;
	bool seen;           /* the days of its cells, at both moments, are known: */
	int32_t first, last; /* INT32_MAX, INT32_MIN: it makes none */
} ent__version;

/* Documents that are the partner's, or of a system whose keys all partners share; by key, in the order in which they
 * came first. */
struct ent_versions {
	uint32_t partner;
	ent__version *items;
	size_t n, capacity;
	ent_buf keys;
};

static inline const char *ent__version_key(const ent_versions *x, const ent__version *v) {
	return (const char *)x->keys.data + v->key;
}

#endif
