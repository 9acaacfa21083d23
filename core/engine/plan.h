/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the plan share: plan.c goes through the sources, inputs.c says whether a file is new, moved.c follows
 * those that got another name. Loop thread only. */
#ifndef ENT_ENGINE_PLAN_H
#define ENT_ENGINE_PLAN_H

#include "engine/internal.h"

enum { ENT__SUM_BYTES = 65536 };

/* The files of a source. */
typedef struct ent__listing {
	ent_file *files; /* by name */
	size_t n;
	uint32_t *successor; /* by file: id of the input in whose place it comes; NULL: of none */
	unsigned opened;     /* files that were looked into */
} ent__listing;

/* What is to be done with a file: NULL if it is unchanged, too young, or failed (then it is in the report). */
ent__work *ent__plan_file(ent_engine *, ent__source *, ent__listing *, const ent_file *);
/* Is it, by its name, size and times, what was read before? */
bool ent__looks_read(const ent_engine *, const ent__source *, const ent_file *);
/* It was looked into in this process, and nobody touched it since. */
bool ent__untouched(const ent_engine *, const ent__source *, const ent_file *, const ent_input *old);
bool ent__too_young(ent_engine *, const ent__source *, int64_t mtime_ns, int64_t changed_ns);
/* Hash of up to 64 KiB at `offset` of what is `size` bytes long. */
uint64_t ent__sum_at(int fd, uint64_t offset, uint64_t size);
/* The sum of a file's beginning with its companions: they are part of what it is. */
uint64_t ent__sum_with(uint64_t head, uint64_t companions);

/* What is to be done with a file, from its beginning; freed with ent__work_free. */
ent__work *ent__work_new(ent__stream *, const char *path, const ent_file *listed);
/* It goes on where `old`, the same document, was left. */
void ent__work_resume(const ent_engine *, ent__work *, const ent_input *old);

/* The one that is configured, or found by the first bytes. */
const ent_decoder_info *ent__decoder_of(ent_engine *, ent__source *, const char *name, int fd, ent_error *e);

/* Rows of files that were renamed get their names; those whose path says something else of them now are noted as successors. */
void ent__follow_moves(ent_engine *, ent__source *, ent__listing *);
/* The row of a document of this content whose own file is gone, or is another one now: it has got the name of `file`. NULL: there
 * is none; *successor: but one that this file comes in place of. */
ent_input *ent__moved_by_copy(
	ent_engine *, const ent__source *, const ent__listing *, const ent_file *, uint64_t content, uint32_t *successor);

#endif
