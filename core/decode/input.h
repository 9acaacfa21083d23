/* SPDX-License-Identifier: Apache-2.0
 *
 * decode/input.h: bytes of a document, from a descriptor to UTF-8 text in a window.
 *
 *   ent_input   reads the descriptor with pread (never mmap: a file that shrinks would kill us) and unpacks gzip and
 * zstd ent_text    finds the encoding, turns it into UTF-8, checks UTF-8 ent_window  holds a piece of the text that
 * grows and slides; framers cut records in it without copying
 *
 * All three: owned by whoever holds the struct, one thread, zeroed = empty. Failures fill an ent_fault with the place.
 */
#ifndef ENT_DECODE_INPUT_H
#define ENT_DECODE_INPUT_H

#include "base/encoding.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An error in a document: `e` says what and what to do, `place` the byte offset (unpacked), `line` the row if known. */
typedef struct ent_fault {
	ent_error e;
	uint64_t place, line;
	char column[128]; /* empty: none */
} ent_fault;

/* Fills the fault. Returns `code`. */
int ent_fault_set(ent_fault *, int code, uint64_t place, const char *todo, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* ---- input ---- */

typedef enum ent_packing { ENT_PACKING_NONE, ENT_PACKING_GZIP, ENT_PACKING_ZSTD } ent_packing;

typedef struct ent_input {
	int fd;
	bool seekable;
	ent_packing packing;
	uint64_t at;           /* offset of the next packed byte to read */
	uint64_t size;         /* packed; UINT64_MAX: not known */
	uint64_t limit;        /* nothing behind it is read; 0: none */
	uint64_t unpacked;     /* bytes given out so far */
	uint64_t max_unpacked; /* 0: no limit */
	uint32_t max_ratio;    /* 0: no limit */
	uint8_t *packed;       /* buffer of packed bytes */
	size_t packed_n, packed_at;
	bool packed_end, member_open;
	struct z_stream_s *gzip;
	struct ZSTD_DCtx_s *zstd;
} ent_input;

/* `fd` is borrowed. Looks at the magic. */
int ent_input_open(ent_input *, int fd, uint64_t max_unpacked, uint32_t max_ratio, ent_fault *);
void ent_input_finish(ent_input *);
/* The document has so many bytes, whatever its file has: it may be growing. */
void ent_input_limit(ent_input *, uint64_t size);
/* Plain input only: go on reading at `offset`. */
void ent_input_seek(ent_input *, uint64_t offset);
/* Up to n bytes, 0 at the end, or a negative ent_code. */
ssize_t ent_input_read(ent_input *, void *to, size_t n, ent_fault *);

/* ---- text ---- */

typedef struct ent_text {
	ent_input *input;
	ent_encoding encoding;      /* after open: never AUTO */
	ent_charset charset;        /* with ENT_ENCODING_ICONV */
	struct ent__charset *named; /* of it: text_iconv.c */
	bool converted;             /* text offsets are not offsets of the document: see ent_text_source_bytes */
	bool bytewise;              /* each byte is a character, and ASCII itself: it can be entered anywhere */
	bool nul;                   /* a NUL byte was seen in what was read last */
	uint32_t mark;              /* bytes of the byte order mark */
	uint64_t at;                /* text offset of the next byte to give out (the mark does not count) */
	uint8_t *raw;               /* bytes to be converted or not yet given out */
	size_t raw_n, raw_at;
	uint8_t tail[4]; /* UTF-8: an unfinished character at the end of the last read */
	unsigned tail_n;
	bool end;
} ent_text;

/* `declared`: from the configuration, or AUTO; `charset` with ENT_ENCODING_ICONV, else it may be NULL. `input` is
 * borrowed and at its start. */
int ent_text_open(ent_text *, ent_input *, ent_encoding declared, const ent_charset *charset, ent_fault *);
void ent_text_finish(ent_text *);
/* For messages: "latin1", "CP932". */
const char *ent_text_encoding(const ent_text *);
/* To this offset of the document, less the mark. Only if the text is bytewise or not converted, and the input is plain.
 */
void ent_text_seek(ent_text *, uint64_t offset);
/* As ent_input_read. `n` must be at least 64. */
ssize_t ent_text_read(ent_text *, char *to, size_t n, ent_fault *);
/* Bytes that the n bytes of text at offset `at`, which stand at p, take in the document, if it was converted. Of text
 * that a window has let go of it cannot be told. */
uint64_t ent_text_source_bytes(const ent_text *, uint64_t at, const char *p, size_t n);

/* ---- between text.c and text_iconv.c: encodings of the C library ---- */

int ent__charset_open(ent_text *, ent_fault *);
void ent__charset_close(ent_text *);
void ent__charset_seek(ent_text *, uint64_t offset);
bool ent__charset_plain(const ent_text *); /* each byte is a character, and ASCII itself */
bool ent__charset_runs(const ent_text *);  /* characters vary in length */
ssize_t ent__charset_read(ent_text *, char *to, size_t n, ent_fault *);
/* Offset in the document of the character at a text offset, and what is kept for that. */
uint64_t ent__charset_source(const ent_text *, uint64_t at);
void ent__charset_forget(ent_text *, uint64_t before);
char *ent__utf8_put(char *to, uint32_t character);

/* Offset of the first byte that is not UTF-8, or n. *cut: a character is unfinished from there on (not an error yet).
 */
size_t ent_utf8_check(const char *p, size_t n, bool *cut, bool *nul);
/* Of it, for tests: bytes of the whole blocks of 64 at p that are ASCII; *nul is set if a byte of them is 0. The widest
 * way that this processor has, or the plain one, which gives the same. */
size_t ent__ascii(const unsigned char *p, size_t n, bool *nul, bool wide);

/* ---- window ---- */

#define ENT_WINDOW_PIECE (256u << 10)
#define ENT_WINDOW_PADDING 64u
#define ENT_WINDOW_MAX (64u << 20) /* longest record */

typedef struct ent_window {
	ent_text *text;
	char *data;
	size_t n, capacity; /* n valid bytes, ENT_WINDOW_PADDING zero bytes behind them */
	uint64_t base;      /* text offset of data[0] */
	bool end;           /* the text ends at data + n */
} ent_window;

void ent_window_finish(ent_window *);
/* Drops what is before `keep`, then reads more. At the end of the text `end` is set; a last line without a line end
 * gets `line_end` appended. Returns the number of bytes by which everything moved to the left, or a negative ent_code.
 */
ssize_t ent_window_fill(ent_window *, size_t keep, char line_end, ent_fault *);
/* Empties the window and goes on at a text offset. */
void ent_window_seek(ent_window *, uint64_t offset);

#endif
