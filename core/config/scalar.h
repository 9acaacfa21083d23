/* SPDX-License-Identifier: Apache-2.0
 *
 * config/scalar.h: small values as people write them, for the schema of entente.yaml and for the options of decoders
 * alike. Pure functions; any thread. All return false and leave *out alone where the text is none of theirs.
 */
#ifndef ENT_CONFIG_SCALAR_H
#define ENT_CONFIG_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ent_rate {
	int64_t n, per_us; /* so many in so long; both above 0 */
} ent_rate;

/* 500ms, 90s, 10m, 36h, 7d, 4w, 0: microseconds, never negative. */
bool ent_duration_parse(const char *text, int64_t *us);
/* Largest unit that is exact: 129600000000 is "36h". Into out (at least 32 bytes); returns out. */
char *ent_duration_text(int64_t us, char *out);
/* 65536, 64kB, 20MB, 2GB (powers of 1024, as of memory): bytes. */
bool ent_size_parse(const char *text, int64_t *bytes);
/* 100/s, 600/m, 5000/h: so many in so long. */
bool ent_rate_parse(const char *text, ent_rate *out);
/* true, false, yes, no, on, off. */
bool ent_bool_parse(const char *text, bool *out);
/* Decimal digits with a sign. */
bool ent_int_parse(const char *text, int64_t *out);
/* Three capital letters. */
bool ent_currency_form(const char *text);
/* Letters, digits, '_', '-' and '.', at most 64, first a letter or a digit: names of partners, sources, registers. */
bool ent_name_form(const char *text);

#endif
