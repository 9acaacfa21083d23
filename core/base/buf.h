/* SPDX-License-Identifier: Apache-2.0
 *
 * Growable byte buffer, and the bounds-checked reader for what was written with it: little-endian fixed integers and
 * LEB128 varints (zigzag for signed ones). Used by the ledger's documents, the control messages and the snapshot.
 * Owned by whoever holds the struct; one thread. */
#ifndef ENT_BASE_BUF_H
#define ENT_BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <string.h>

typedef struct ent_buf {
	uint8_t *data;
	size_t n, capacity;
} ent_buf;

void ent_buf_finish(ent_buf *);
/* Room for `bytes` more; afterwards data + n may be written directly. */
void ent_buf_reserve(ent_buf *, size_t bytes);
void ent_buf_add(ent_buf *, const void *bytes, size_t n);
void ent_buf_printf(ent_buf *, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void ent_buf_u8(ent_buf *b, uint8_t v) { ent_buf_add(b, &v, 1); }
static inline void ent_buf_u32(ent_buf *b, uint32_t v) { ent_buf_add(b, &v, 4); }
static inline void ent_buf_u64(ent_buf *b, uint64_t v) { ent_buf_add(b, &v, 8); }
/* Length as u32, then the bytes. */
void ent_buf_bytes(ent_buf *, const void *bytes, size_t n);
void ent_buf_text(ent_buf *, const char *text); /* NULL is written as empty */

/* At most 10 bytes. The caller has reserved them. Returns the end. */
static inline uint8_t *ent_varint_put(uint8_t *p, uint64_t v) {
	while (v >= 0x80) {
		*p++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

static inline uint64_t ent_zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }
static inline int64_t ent_unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

/* Reader. After the first read past the end `bad` is set and everything reads as zero. */
typedef struct ent_read {
	const uint8_t *p, *end;
	bool bad;
} ent_read;

static inline ent_read ent_read_of(const void *data, size_t n) {
	return (ent_read){.p = data, .end = (const uint8_t *)data + n};
}

static inline const uint8_t *ent_read_take(ent_read *r, size_t n) {
	if (r->bad || (size_t)(r->end - r->p) < n) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->p;
	r->p += n;
	return p;
}

static inline uint8_t ent_read_u8(ent_read *r) {
	const uint8_t *p = ent_read_take(r, 1);
	return p ? *p : 0;
}

static inline uint32_t ent_read_u32(ent_read *r) {
	const uint8_t *p = ent_read_take(r, 4);
	uint32_t v = 0;
	if (p) {
		memcpy(&v, p, 4);
	}
	return v;
}

static inline uint64_t ent_read_u64(ent_read *r) {
	const uint8_t *p = ent_read_take(r, 8);
	uint64_t v = 0;
	if (p) {
		memcpy(&v, p, 8);
	}
	return v;
}

static inline uint64_t ent_read_varint(ent_read *r) {
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (r->p >= r->end) {
			break;
		}
		uint8_t c = *r->p++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			return v;
		}
	}
	r->bad = true;
	return 0;
}

static inline int64_t ent_read_zigzag(ent_read *r) { return ent_unzigzag(ent_read_varint(r)); }

/* Bytes written by ent_buf_bytes; NULL and *n = 0 when bad. Not terminated. */
static inline const char *ent_read_bytes(ent_read *r, size_t *n) {
	uint32_t length = ent_read_u32(r);
	const uint8_t *p = ent_read_take(r, length);
	*n = p ? length : 0;
	return (const char *)p;
}

#endif
