/* SPDX-License-Identifier: Apache-2.0
 *
 * base/encoding.h: encodings of text by name: a few that decode/text.c reads by itself, and all that iconv of the C
 * library knows. Any thread. */
#ifndef ENT_BASE_ENCODING_H
#define ENT_BASE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

typedef enum ent_encoding {
	ENT_ENCODING_AUTO,
	ENT_ENCODING_UTF8,
	ENT_ENCODING_LATIN1,
	ENT_ENCODING_CP1252,
	ENT_ENCODING_UTF16LE,
	ENT_ENCODING_UTF16BE,
	ENT_ENCODING_ICONV /* one of the C library: a charset goes with it */
} ent_encoding;

enum { ENT_CHARSET_MAX = 40 };

/* The name that iconv_open() takes, NUL-terminated; "" unless the encoding is ENT_ENCODING_ICONV. */
typedef struct ent_charset {
	char name[ENT_CHARSET_MAX];
} ent_charset;

/* "utf-8", "latin1", "shift_jis", ..., without regard to case. Names that the web's encoding standard gives a wider
 * meaning than the C library does (shift_jis, euc-jp, gb2312, big5, euc-kr) have the wider one: files that say so are
 * of that. False: the name is unknown. Of an encoding of the C library, its module is read from a file: not possible in
 * a closed sandbox, unless it is open already (ent_encoding_hold()). */
bool ent_encoding_parse(const char *name, size_t n, ent_encoding *, ent_charset *);
/* Opens what the name needs, for good: from now on ent_encoding_parse() of it reads no file. NULL: nothing is needed,
 * or the name is unknown. Given back with ent_encoding_release(). */
void *ent_encoding_hold(const char *name);
void ent_encoding_release(void *held);
/* For messages. */
const char *ent_encoding_name(ent_encoding, const ent_charset *);
/* Names that people write, for suggestions; ends with NULL. */
extern const char *const ent_encoding_names[];
/* What to write instead, for messages that cannot suggest one. */
extern const char ent_encoding_help[];

#endif
