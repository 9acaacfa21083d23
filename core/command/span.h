/* SPDX-License-Identifier: Apache-2.0
 *
 * command/span.h: windows of days as they are typed, with the meaning that scripts/entente/day.py gives them, and the
 * days, weeks and months that a window is cut into. Pure functions. */
#ifndef ENT_COMMAND_SPAN_H
#define ENT_COMMAND_SPAN_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ent__days {
	int32_t start, stop; /* half open */
} ent__days;

/* 28d, 12w, 6m, 1y, mtd, qtd, ytd, ending with the day `as_of`. false, and *out is left alone, if it is none. */
bool ent__span_parse(const char *text, int32_t as_of, ent__days *out);

typedef enum ent__cut { ENT__CUT_DAY, ENT__CUT_WEEK, ENT__CUT_MONTH } ent__cut;
/* First day after the piece that holds `day`. Weeks begin on Monday. */
int32_t ent__cut_after(ent__cut, int32_t day);
/* "2026-06-01"; of a week its Monday; of a month "2026-06". Into out. Returns out. */
char *ent__cut_text(ent__cut, int32_t day, char out[16]);

#endif
