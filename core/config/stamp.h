/* SPDX-License-Identifier: Apache-2.0
 *
 * config/stamp.h: values that only grow and say how far one has read: times, numbers or texts. Pure functions; any thread. */
#ifndef ENT_CONFIG_STAMP_H
#define ENT_CONFIG_STAMP_H

#include <stddef.h>
#include <stdint.h>

typedef enum ent_stamp_kind { ENT_STAMP_NONE, ENT_STAMP_TEXT, ENT_STAMP_NUMBER, ENT_STAMP_TIME } ent_stamp_kind;

typedef struct ent_stamp {
	ent_stamp_kind kind;
	int64_t n;        /* NUMBER; TIME: microseconds since 1970 UTC, or of the wall clock where no zone is written */
	char as[72];      /* as it was written */
	int zone;         /* TIME: minutes east of UTC */
	char separator;   /* TIME: 'T' or ' ' */
	char mark;        /* TIME: 'Z', '+' for an offset, 0 for none; 'M': spelled as in mails */
	unsigned digits;  /* TIME: behind the seconds' point, 0 to 6 */
} ent_stamp;

/* What the text is: RFC 3339 with or without a zone (a date alone is one, too), a time as mails have it (RFC 2822, as some APIs
 * write them), a whole number, else a text. NONE: it is empty or longer than `as` can hold. */
ent_stamp ent_stamp_of(const char *p, size_t n);
/* Is `a` further than `b`? Kinds that differ: as texts. NONE is behind everything. */
int ent_stamp_compare(const ent_stamp *a, const ent_stamp *b);
/* The same, so much earlier, spelled as it was: into out (at least 72 bytes). Returns out. */
char *ent_stamp_before(const ent_stamp *, int64_t us, int64_t number, char *out);

#endif
