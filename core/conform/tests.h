/* SPDX-License-Identifier: Apache-2.0
 *
 * conform/tests.h: the tests, by name, and what several of them need. */
#ifndef ENT_CONFORM_TESTS_H
#define ENT_CONFORM_TESTS_H

#include "conform/conform.h"

#define ENT_CONFORM(id, needs, sentence) void ent__test_##id(ent__check *, const ent__case *);
#include "conform/tests.def"
#undef ENT_CONFORM

/* ---- tools.c ---- */

/* An instance; NULL: the failure is told. */
ent__trial *ent__open(ent__check *, const ent__case *);
/* What an instance says of the whole case, undisturbed; to be given to free(). NULL: the failure is told. *refused (may
 * be NULL): the document as a whole is. */
char *ent__expected(ent__check *, const ent__case *, bool *refused);

/* Every i < n, or, if these are more than `most`, so many of them, spread and jittered: the same ones each time. */
typedef struct ent__sample {
	size_t n, most, i;
	uint64_t seed;
} ent__sample;

ent__sample ent__sample_of(size_t n, size_t most);
bool ent__sample_next(ent__sample *, size_t *at);
/* Below n, the same sequence each time. */
size_t ent__random(uint64_t *seed, size_t n);
/* At most `most` runs of n bytes each, fewer if they are large: a test is to take seconds. */
size_t ent__runs(size_t n, size_t most);
/* The part of the case that tests with many runs use: the whole of a small one, else its first lines. */
size_t ent__small(const ent__case *);
/* Bytes of the header line of a DELIMITED document; 0 of others. */
size_t ent__header(const ent__case *);

/* Does it end as one does, and is it more than a word? */
bool ent__is_sentence(const char *);

/* After decoding something that may be damaged in any way: what must hold nevertheless. `n`: bytes of the document. */
bool ent__sane(ent__check *, const ent__case *, ent__trial *, uint64_t n, const char *how);

#endif
