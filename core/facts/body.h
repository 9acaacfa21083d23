/* SPDX-License-Identifier: Apache-2.0
 *
 * The stored form of a fact's body, as the ledger keeps it and a decoder worker sends it. First what is the same for both,
 * the plain part: lengths of four bits each, then `has` and the times, amounts, currencies and numbers, each in as few bytes as
 * it needs and none if it is 0. Then what every store numbers for itself, texts and identities: 16 bits of widths, then the numbers.
 * So the core copies the plain part into the ledger as the worker wrote it, and puts its own numbers behind it.
 *
 * Amounts are mostly whole cents and stored divided by 10,000 where that is exact; times are mostly whole seconds.
 * Bodies in memory are the structs of facts/wire.h. Pure functions; any thread. */
#ifndef ENT_FACTS_BODY_H
#define ENT_FACTS_BODY_H

#include "base/buf.h"
#include "facts/wire.h"

/* Most bytes that either part takes, and that are written while it is put there; the pairs of an entry are not in it. */
#define ENT_BODY_MAX 192u
/* Most bytes behind the beginning of a body that reading it looks at, whatever stands there. */
#define ENT_BODY_ROOM 256u
/* Most identities in one body. */
#define ENT_BODY_IDS 2u

/* Each writes its part of the body of a kind at `p`, where ENT_BODY_MAX bytes have room, and returns the end. The codes
 * come with the dense numbers of identities, or without, where they are told apart from the body. */
uint8_t *ent_body_put_plain(unsigned kind, uint8_t *p, const void *body, uint64_t has);
uint8_t *ent_body_put_codes(unsigned kind, uint8_t *p, const void *body, bool identities);

/* What the numbers in a body are to become, and the identities that came with it. NULL: the ledger's own form. */
typedef struct ent_body_map {
	const uint32_t *codes; /* by the worker's number */
	uint32_t n_codes;
	const ent_id *ids;     /* in the order of the fields */
	uint32_t n_ids;
	uint32_t undefined;    /* out: the number that was never defined */
} ent_body_map;

/* Reads both parts into `body`, all of it. With a map the bytes up to ENT_BODY_ROOM behind the reader's place must be
 * readable memory, even if they lie beyond its end. *plain_n is the length of the plain part. false: damaged, or a number
 * that is not in the map (then map->undefined is not 0). A body of which not all bytes make sense is never taken. */
bool ent_body_take(unsigned kind, ent_read *, void *body, uint64_t *has, uint32_t *plain_n, ent_body_map *);

#endif
