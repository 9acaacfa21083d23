/* SPDX-License-Identifier: Apache-2.0
 *
 * The option `statuses` that shops' decoders share: what a word of the source means for an order, said by the
 * configuration. One decoder instance, one thread; nothing global that changes.
 */
#ifndef ENTENTE_PLUGINS_STATUS_H
#define ENTENTE_PLUGINS_STATUS_H

#include "text.h"

#include <stdlib.h>

/* Beyond ent_order_status: what is done with an order. */
enum { STATUS_UNKNOWN = -1, STATUS_SKIP = 100, STATUS_GONE };

static const char *const status_meanings[]
	__attribute__((unused)) = {"sold", "pending", "quote", "cancelled", "test", "skip", NULL};

/* The schema of what the map holds; the option itself is written in the decoder's table, for its sentence. */
static const ent_option status_items[] __attribute__((unused)) = {
	{.key = "*", .type = ENT_OPT_ENUM, .choices = status_meanings, .doc = "What orders of this status are."},
	{.key = NULL}};

/* A word and what it means: of a decoder's own table, or of the configuration. */
typedef struct status_word {
	const char *word;
	int means;
} status_word;

typedef struct status_map {
	const ent_value *given; /* the host keeps it as long as the instance lives */
} status_map;

static inline int status_meaning(ent_str word) {
	static const int means[] = {
		ENT_ORDER_SOLD, ENT_ORDER_PENDING, ENT_ORDER_QUOTE, ENT_ORDER_CANCELLED, ENT_ORDER_TEST, STATUS_SKIP};
	for (int i = 0; status_meanings[i]; i++)
		if (strlen(status_meanings[i]) == word.n && !memcmp(status_meanings[i], word.p, word.n))
			return means[i];
	return STATUS_UNKNOWN;
}

/* What the configuration says of a word. */
static inline int status_given(const status_map *m, ent_str word) {
	for (size_t i = 0; m->given && i < m->given->n; i++)
		if (text_equal(m->given->keys[i], word))
			return status_meaning(m->given->items[i].s);
	return STATUS_UNKNOWN;
}

/* What the configuration says, else the table, which ends with word NULL. */
static inline int status_of(const status_map *m, const status_word *known, ent_str word) {
	int means = status_given(m, word);
	for (; means == STATUS_UNKNOWN && known->word; known++)
		if (strlen(known->word) == word.n && !memcmp(known->word, word.p, word.n))
			means = known->means;
	return means;
}

#endif
