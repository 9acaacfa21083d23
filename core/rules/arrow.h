/* SPDX-License-Identifier: Apache-2.0
 *
 * The Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html), as far as it is handed out
 * from here, and its capsules. Included by what exports: series.c, columns.c. */
#ifndef ENT_RULES_ARROW_H
#define ENT_RULES_ARROW_H

#include <stdint.h>

enum { ARROW_NULLABLE = 2 };

struct ArrowSchema {
	const char *format, *name, *metadata;
	int64_t flags, n_children;
	struct ArrowSchema **children, *dictionary;
	void (*release)(struct ArrowSchema *);
	void *private_data;
};

struct ArrowArray {
	int64_t length, null_count, offset, n_buffers, n_children;
	const void **buffers;
	struct ArrowArray **children, *dictionary;
	void (*release)(struct ArrowArray *);
	void *private_data;
};

struct ArrowArrayStream {
	int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
	int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
	const char *(*get_last_error)(struct ArrowArrayStream *);
	void (*release)(struct ArrowArrayStream *);
	void *private_data;
};

/* Capsules release what no consumer has taken over: one that has, sets `release` to NULL. */
#define CAPSULE(what, type, name)                                                                                      \
	static void free_##what(PyObject *capsule) {                                                                       \
		struct type *x = PyCapsule_GetPointer(capsule, name);                                                          \
		if (x && x->release) {                                                                                         \
			x->release(x);                                                                                             \
		}                                                                                                              \
		free(x);                                                                                                       \
	}                                                                                                                  \
	static PyObject *wrap_##what(struct type *x) {                                                                     \
		PyObject *capsule = PyCapsule_New(x, name, free_##what);                                                       \
		if (!capsule) {                                                                                                \
			x->release(x);                                                                                             \
			free(x);                                                                                                   \
		}                                                                                                              \
		return capsule;                                                                                                \
	}

#endif
