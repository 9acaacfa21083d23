/* SPDX-License-Identifier: Apache-2.0
 *
 * decode/documents.h: documents made at random for the tests of the worker, always the same for one seed. */
#ifndef ENT_TESTS_DECODE_DOCUMENTS_H
#define ENT_TESTS_DECODE_DOCUMENTS_H

#include "base/buf.h"

#include <stdint.h>

extern uint64_t seed;

uint32_t dice(uint32_t n); /* 0 .. n - 1 */
/* Orders of 1 to 5 rows whose notes hold line ends, quotes, and rows that look like orders. */
ent_buf orders(size_t bytes);
ent_buf orders_after(const char *mark, size_t bytes);
/* Orders with cells that mislead whoever begins to read within them. */
ent_buf misleading(size_t bytes);
/* JSON lines, some blank. */
ent_buf json(size_t bytes);

#endif
