/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for the ledger's tables: zeroed, at an address and in a size that lets the kernel use large pages, for every
 * look-up goes somewhere else and would otherwise miss the address cache, too. Grows by moving page tables, not bytes.
 * Out of memory ends the process, as everywhere. Pure functions. */
#ifndef ENT_FACTS_LEDGER_PAGES_H
#define ENT_FACTS_LEDGER_PAGES_H

#include <stddef.h>

/* What `bytes` are rounded up to. */
size_t ent__pages_size(size_t bytes);
/* Sizes are those that ent__pages_size gives. */
void *ent__pages_map(size_t bytes);
/* `new_bytes` at least `old`; what is new is zero. */
void *ent__pages_grow(void *p, size_t old, size_t new_bytes);
/* Bytes of it that are about to be written for the first time: one call in place of a fault for each page, and no page of
 * zeros in between for what is read first. Only faster; nothing changes. */
void ent__pages_ready(void *p, size_t bytes);
void ent__pages_unmap(void *p, size_t bytes); /* NULL allowed */

#endif
