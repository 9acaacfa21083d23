/* SPDX-License-Identifier: Apache-2.0
 *
 * Growable byte buffer, see buf.h. */
#include "base/buf.h"
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ent_buf_finish(ent_buf *b) {
	if (b) {
		free(b->data);
		*b = (ent_buf){0};
	}
}

void ent_buf_reserve(ent_buf *b, size_t bytes) {
	if (b->capacity - b->n >= bytes) {
		return;
	}
	size_t capacity = b->capacity ? b->capacity * 2 : 256;
	while (capacity - b->n < bytes) {
		capacity *= 2;
	}
	b->data = ent_xrealloc(b->data, capacity);
	b->capacity = capacity;
}

void ent_buf_add(ent_buf *b, const void *bytes, size_t n) {
	if (!n) {
		return;
	}
	ent_buf_reserve(b, n);
	memcpy(b->data + b->n, bytes, n);
	b->n += n;
}

void ent_buf_bytes(ent_buf *b, const void *bytes, size_t n) {
	ent_buf_u32(b, (uint32_t)n);
	ent_buf_add(b, bytes, n);
}

void ent_buf_text(ent_buf *b, const char *text) { ent_buf_bytes(b, text, text ? strlen(text) : 0); }

void ent_buf_printf(ent_buf *b, const char *format, ...) {
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n > 0) {
		ent_buf_reserve(b, (size_t)n + 1);
		vsnprintf((char *)b->data + b->n, (size_t)n + 1, format, again);
		b->n += (size_t)n;
	}
	va_end(again);
}
