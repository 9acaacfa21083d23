/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream kept as a file: standard input, so that it can be read in pieces, by several workers, and again. Any thread. */
#ifndef ENT_TRANSPORT_SPOOL_H
#define ENT_TRANSPORT_SPOOL_H

#include "base/error.h"

/* Reads `from` to its end into an unnamed file in `folder`. Returns its descriptor, the caller's to close, or a negative
 * status. */
int ent_spool(int from, const char *folder, ent_error *e);

#endif
