/* SPDX-License-Identifier: Apache-2.0
 *
 * The envelope of a line in a log of the inbox: text of a fixed width before what the line carries, so that a log can be read by
 * eye, and framed without knowing what it carries. transport/inbox.h writes logs, decode/lines.c takes the envelopes off.
 *
 *     crc32c   arrival        id                               kind
 *     1a2b3c4d 0643a1f0c2b3d4 00112233445566778899aabbccddeeff R {"id":1}
 *
 * The sum is over all that follows its blank, up to the line's end. Arrival is in microseconds since 1970, in hexadecimal, and
 * grows from line to line. The id is a hash of the delivery's, dashes where it has none. Kinds: r a record, d the name of a document that
 * lies beside the log, c where the transport stands, H the head of the log, I an id of a log that is gone. What came together is
 * one item: its last line has a capital letter, and an item without its last line does not count.
 * Constants; any thread, any process. */
#ifndef ENT_BASE_ENVELOPE_H
#define ENT_BASE_ENVELOPE_H

#include "base/crc.h"

#include <stdbool.h>
#include <stdint.h>

enum { ENT_ENVELOPE = 59, ENT_ENVELOPE_SUM = 0, ENT_ENVELOPE_ARRIVAL = 9, ENT_ENVELOPE_ID = 24, ENT_ENVELOPE_KIND = 57 };

/* `digits` of hexadecimal in lower case; false if they are none. */
static inline bool ent_envelope_hex(const char *p, unsigned digits, uint64_t *out) {
	uint64_t v = 0;
	for (unsigned i = 0; i < digits; i++) {
		char c = p[i];
		unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
		if (d > 15) {
			return false;
		}
		v = v << 4 | d;
	}
	*out = v;
	return true;
}

/* Is there an envelope before a line of n bytes (without its line end), and is its sum right? Else the line is damaged. */
static inline bool ent_envelope_whole(const char *line, size_t n) {
	uint64_t sum;
	return n >= ENT_ENVELOPE && ent_envelope_hex(line, 8, &sum) && line[8] == ' ' && line[23] == ' ' && line[56] == ' ' &&
		   line[58] == ' ' && sum == ent_crc32c(line + ENT_ENVELOPE_ARRIVAL, n - ENT_ENVELOPE_ARRIVAL);
}

/* Of a line that is whole. */
static inline bool ent_envelope_record(const char *line) {
	return line[ENT_ENVELOPE_KIND] == 'r' || line[ENT_ENVELOPE_KIND] == 'R';
}

#endif
