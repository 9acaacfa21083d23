/* SPDX-License-Identifier: Apache-2.0
 *
 * command/fact_text.h: a fact as people read it: money with its currency, times as they were written, words for numbers
 * that stand for words, identities as keyed hashes. Made from the field tables of facts/. One thread. */
#ifndef ENT_COMMAND_FACT_TEXT_H
#define ENT_COMMAND_FACT_TEXT_H

#include "base/json.h"
#include "engine/engine.h"
#include "facts/document.h"

/* "2024-03-01 09:12:00 +01:00", "2024-03-01 09:12:00", "2024-03-01", "2024-03"; "" for none. With `iso` as ISO 8601 has
 * it. */
char *ent__time_text(ent_time, bool iso, char out[48]);

/* Members of the fact's body that are there: into the object that is being written. Identities are raw, as a worker
 * sends them. */
void ent__fact_json(const ent_engine *, const ent_item *, ent_json *);
/* The same as "total 14.40 EUR, channel counter". `currency`: of an amount that has none of its own, "" if that is not
 * known. */
void ent__fact_line(const ent_engine *, const ent_item *, const char *currency, ent_buf *out);
/* Currency of a fact; "" if it has none. */
const char *ent__fact_currency(const ent_item *);

#endif
