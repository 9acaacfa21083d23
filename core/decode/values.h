/* SPDX-License-Identifier: Apache-2.0
 *
 * decode/values.h: text to amounts and times, the host functions `money` and `time` of entente/plugin.h. Pure
 * functions: no locale, no allocation, any thread. */
#ifndef ENT_DECODE_VALUES_H
#define ENT_DECODE_VALUES_H

#include "entente/plugin.h"

/* Decimal text to micro-units. `decimal`: '.' or ','; `group`: separator of thousands or 0 (' ' also stands for the
 * no-break spaces). 0, or -1 if it is no amount or out of range; then *micro is as it was. Grouping is checked: "1,23"
 * with ',' as group is refused, because it is far more likely a decimal comma than 123. */
int ent_money_parse(ent_str text, char decimal, char group, int64_t *micro);

/* Time by a strptime-like pattern, or with NULL by ISO 8601. 0, or -1; then *out is as it was. */
int ent_time_parse(ent_str text, const char *pattern, ent_time *out);

#endif
