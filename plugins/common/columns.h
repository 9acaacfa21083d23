/* SPDX-License-Identifier: Apache-2.0
 *
 * Headings in another language: a table of columns in which the configuration's option `labels` stands instead of the
 * names that the decoder knows. Any thread.
 */
#ifndef ENTENTE_PLUGINS_COLUMNS_H
#define ENTENTE_PLUGINS_COLUMNS_H

#include "entente/plugin.h"

#include <stdlib.h>
#include <string.h>

/* A copy of `table` (n columns and its end), to be freed. `labels` is a map of fixed keys, item i for column i; an item
 * that is not set leaves the column as it is. NULL: out of memory. The labels are borrowed. */
static inline ent_column *columns_labelled(const ent_column *table, size_t n, const ent_value *labels) {
	ent_column *own = malloc((n + 1) * sizeof *own);
	if (!own)
		return NULL;
	memcpy(own, table, (n + 1) * sizeof *own);
	for (size_t i = 0; i < n && i < labels->n; i++)
		if (labels->items[i].set && labels->items[i].s.n) {
			own[i].name = labels->items[i].s.p;
			own[i].aliases = NULL;
		}
	return own;
}

#endif
