/* SPDX-License-Identifier: Apache-2.0
 *
 * places(): the figures of all partners of a cohort in order, as Peers in cohort.py keeps them. A cohort may have a
 * hundred thousand partners, each of which would otherwise pass through a handful of Python objects before it is
 * sorted. */
#include "base/arena.h"
#include "rules/rules.h"

#include <stdlib.h>

typedef struct place {
	double number;
	long long top, bottom;
} place;

enum { EXACT_BITS = 53 };

static int by_number(const void *a, const void *b) {
	const place *x = a, *y = b;
	if (x->number != y->number) {
		return x->number < y->number ? -1 : 1;
	}
	if (x->top != y->top) {
		return x->top < y->top ? -1 : 1;
	}
	return (x->bottom > y->bottom) - (x->bottom < y->bottom);
}

/* A double holds it: then a quotient is rounded once, as Python does. */
static bool is_exact(__int128 v) { return v < (__int128)1 << EXACT_BITS && v > -((__int128)1 << EXACT_BITS); }

/* All that are known; false: there is something that this is not made for. */
static bool read_all(PyObject *snapshot, const Py_buffer *who, const ent_query *query, place *places, size_t *n) {
	*n = 0;
	for (Py_ssize_t i = 0; i < who->len / 4; i++) {
		ent_query q = *query;
		ent_window w;
		memcpy(&q.partner, (const char *)who->buf + i * 4, 4);
		if (q.partner >= ent__snapshot_partners(snapshot) ||
			ent_window_read(ent__snapshot_of(snapshot, &q.partner), &q, &w)) {
			return false; /* the slow way says what is wrong */
		}
		if (w.state != ENT_WINDOW_KNOWN) {
			continue;
		}
		if (w.bottom <= 0 || !is_exact(w.top) || !is_exact(w.bottom)) {
			return false;
		}
		places[(*n)++] = (place){(double)w.top / (double)w.bottom, (long long)w.top, (long long)w.bottom};
	}
	return true;
}

static PyObject *list_of(const place *places, size_t n) {
	PyObject *list = PyList_New((Py_ssize_t)n);
	for (size_t i = 0; list && i < n; i++) {
		PyObject *row = Py_BuildValue("(dLL)", places[i].number, places[i].top, places[i].bottom);
		if (!row) {
			Py_CLEAR(list);
			break;
		}
		PyList_SET_ITEM(list, (Py_ssize_t)i, row);
	}
	return list;
}

/* places(snapshot, who, metric, start, stop, origin) -> [(number, top, bottom)] of those that are known, in order;
 * None: it has to be done in Python. `who` are packed uint32. */
static PyObject *places(PyObject *self, PyObject *args) {
	(void)self;
	PyObject *snapshot;
	Py_buffer who;
	unsigned int metric;
	int start, stop, origin;
	if (!PyArg_ParseTuple(args, "Oy*Iiii:places", &snapshot, &who, &metric, &start, &stop, &origin)) {
		return NULL;
	}
	bool good =
		ent__snapshot_partners(snapshot) >= 0 && metric < ent_metric_count && origin >= -1 && origin < ENT_ORIGIN_COUNT;
	ent_query q = {.metric = (uint16_t)metric,
		.origin = (int16_t)origin,
		.start = start,
		.stop = stop,
		.coverage = ENT_WINDOW_COVERAGE};
	place *found = ent_xcalloc((size_t)who.len / 4 + 1, sizeof *found);
	size_t n;
	PyObject *list = NULL;
	if (good && read_all(snapshot, &who, &q, found, &n)) {
		qsort(found, n, sizeof *found, by_number);
		list = list_of(found, n);
	} else {
		list = Py_NewRef(Py_None);
	}
	free(found);
	PyBuffer_Release(&who);
	return list;
}

static PyMethodDef places_method = {"places", places, METH_VARARGS, "Figures of the partners of a cohort, in order."};

int ent__places_function(PyObject *module) {
	PyObject *function = PyCFunction_New(&places_method, NULL);
	int status = function ? PyModule_AddObjectRef(module, "places", function) : -1;
	Py_XDECREF(function);
	return status;
}
