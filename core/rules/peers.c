/* SPDX-License-Identifier: Apache-2.0
 *
 * places(): the figures of all partners of a cohort in order, as Peers in cohort.py keeps them; exchanged(): the same
 * after some of them changed; weighed(): how much of what is added up the largest hold. A cohort may have a hundred thousand
 * partners, each of which would otherwise pass through a handful of Python objects before it is sorted. */
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

/* All that are known, and who these are; false: there is something that this is not made for. */
static bool read_all(
	PyObject *snapshot, const Py_buffer *who, const ent_query *query, place *places, uint32_t *known, size_t *n) {
	*n = 0;
	for (Py_ssize_t i = 0; i < who->len / 4; i++) {
		ent_query q = *query;
		ent_window w;
		memcpy(&q.partner, (const char *)who->buf + i * 4, 4);
		known[*n] = q.partner;
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

/* places(snapshot, who, metric, start, stop, origin) -> ([(number, top, bottom)], who) of those that are known, the former in
 * order of the numbers; None: it has to be done in Python. `who` are packed uint32. */
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
		ent__snapshot_partners(snapshot) >= 0 && metric <= UINT16_MAX && origin >= -1 && origin < ENT_ORIGIN_COUNT;
	ent_query q = {.metric = (uint16_t)metric,
		.origin = (int16_t)origin,
		.start = start,
		.stop = stop,
		.coverage = ENT_WINDOW_COVERAGE};
	place *found = ent_xcalloc((size_t)who.len / 4 + 1, sizeof *found);
	uint32_t *known = ent_xcalloc((size_t)who.len / 4 + 1, sizeof *known);
	size_t n;
	PyObject *answer = NULL;
	if (good && read_all(snapshot, &who, &q, found, known, &n)) {
		qsort(found, n, sizeof *found, by_number);
		PyObject *list = list_of(found, n);
		answer = list ? Py_BuildValue("(Ny#)", list, (const char *)known, (Py_ssize_t)(n * sizeof *known)) : NULL;
	} else {
		answer = Py_NewRef(Py_None);
	}
	free(known);
	free(found);
	PyBuffer_Release(&who);
	return answer;
}

/* ---- weighed() ---- */

static bool is_row(PyObject *item);

/* weighed(places, column) -> (total, largest, second) of the amounts that the places have there, without their signs; None: it
 * has to be done in Python. */
static PyObject *weighed(PyObject *self, PyObject *const *args, Py_ssize_t n) {
	(void)self;
	long column = n == 2 && PyList_Check(args[0]) && PyLong_Check(args[1]) ? PyLong_AsLong(args[1]) : 0;
	if (column != 1 && column != 2) {
		PyErr_SetString(PyExc_TypeError, "weighed() takes places and a column, 1 or 2");
		return NULL;
	}
	unsigned long long total = 0, largest = 0, second = 0;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[0]); i++) {
		PyObject *item = PyList_GET_ITEM(args[0], i);
		int over = 1;
		long long amount = is_row(item) ? PyLong_AsLongLongAndOverflow(PyTuple_GET_ITEM(item, column), &over) : 0;
		unsigned long long size = amount < 0 ? 0ull - (unsigned long long)amount : (unsigned long long)amount;
		if (over || __builtin_add_overflow(total, size, &total)) {
			Py_RETURN_NONE;
		}
		if (size > largest) {
			second = largest;
			largest = size;
		} else if (size > second) {
			second = size;
		}
	}
	return Py_BuildValue("(KKK)", total, largest, second);
}

/* ---- exchanged() ---- */

/* Pairs (top, bottom) in order; false without an exception: there is one that this is not made for. */
static bool read_pairs(PyObject *pairs, place *out) {
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(pairs); i++) {
		PyObject *pair = PyList_GET_ITEM(pairs, i);
		int over[2] = {1, 1};
		if (PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2 && PyLong_Check(PyTuple_GET_ITEM(pair, 0)) &&
			PyLong_Check(PyTuple_GET_ITEM(pair, 1))) {
			out[i].top = PyLong_AsLongLongAndOverflow(PyTuple_GET_ITEM(pair, 0), &over[0]);
			out[i].bottom = PyLong_AsLongLongAndOverflow(PyTuple_GET_ITEM(pair, 1), &over[1]);
		}
		if (over[0] || over[1] || out[i].bottom <= 0 || !is_exact(out[i].top) || !is_exact(out[i].bottom)) {
			return false;
		}
		out[i].number = (double)out[i].top / (double)out[i].bottom;
	}
	qsort(out, (size_t)PyList_GET_SIZE(pairs), sizeof *out, by_number);
	return true;
}

/* Where the item of the list stands beside a place; only equal numbers look at the rest. */
static int beside(PyObject *item, const place *p) {
	double number = PyFloat_AS_DOUBLE(PyTuple_GET_ITEM(item, 0));
	if (number != p->number) {
		return number < p->number ? -1 : 1;
	}
	int over[2];
	place x = {.number = number};
	x.top = PyLong_AsLongLongAndOverflow(PyTuple_GET_ITEM(item, 1), &over[0]);
	x.bottom = PyLong_AsLongLongAndOverflow(PyTuple_GET_ITEM(item, 2), &over[1]);
	return over[0] ? over[0] : over[1] ? over[1] : by_number(&x, p);
}

static bool is_row(PyObject *item) {
	return PyTuple_Check(item) && PyTuple_GET_SIZE(item) == 3 && PyFloat_CheckExact(PyTuple_GET_ITEM(item, 0)) &&
		   PyLong_CheckExact(PyTuple_GET_ITEM(item, 1)) && PyLong_CheckExact(PyTuple_GET_ITEM(item, 2));
}

/* One pass over all three. NULL without an exception: `was` is not all in the list. */
static PyObject *merge(PyObject *list, const place *was, size_t n_was, const place *now, size_t n_now) {
	Py_ssize_t n = PyList_GET_SIZE(list), at = 0;
	size_t gone = 0, come = 0;
	if ((size_t)n + n_now < n_was) {
		return NULL;
	}
	PyObject *out = PyList_New(n + (Py_ssize_t)n_now - (Py_ssize_t)n_was);
	for (Py_ssize_t i = 0; out && (i < n || come < n_now);) {
		PyObject *item = i < n ? PyList_GET_ITEM(list, i) : NULL;
		if (item && !is_row(item)) {
			break;
		}
		if (item && gone < n_was && beside(item, &was[gone]) == 0) {
			gone++;
			i++;
			continue;
		}
		bool old = item && (come == n_now || beside(item, &now[come]) <= 0);
		if (at == PyList_GET_SIZE(out)) {
			break;
		}
		PyObject *row = old ? Py_NewRef(item) : Py_BuildValue("(dLL)", now[come].number, now[come].top, now[come].bottom);
		if (!row) {
			Py_CLEAR(out);
			return NULL;
		}
		PyList_SET_ITEM(out, at++, row);
		i += old;
		come += !old;
	}
	if (out && (gone < n_was || at < PyList_GET_SIZE(out))) {
		Py_CLEAR(out);
	}
	return out;
}

/* exchanged(places, was, now) -> places without `was` and with `now`, which are lists of (top, bottom); None: it has to be
 * done in Python. */
static PyObject *exchanged(PyObject *self, PyObject *const *args, Py_ssize_t n) {
	(void)self;
	if (n != 3 || !PyList_Check(args[0]) || !PyList_Check(args[1]) || !PyList_Check(args[2])) {
		PyErr_SetString(PyExc_TypeError, "exchanged() takes places, and two lists of pairs");
		return NULL;
	}
	size_t n_was = (size_t)PyList_GET_SIZE(args[1]), n_now = (size_t)PyList_GET_SIZE(args[2]);
	place *was = ent_xcalloc(n_was + n_now + 1, sizeof *was), *now = was + n_was;
	PyObject *out = NULL;
	if (read_pairs(args[1], was) && read_pairs(args[2], now)) {
		out = merge(args[0], was, n_was, now, n_now);
	}
	free(was);
	return out || PyErr_Occurred() ? out : Py_NewRef(Py_None);
}

static PyMethodDef places_method = {"places", places, METH_VARARGS, "Figures of the partners of a cohort, in order."};

static PyMethodDef exchanged_method = {
	"exchanged", (PyCFunction)(void (*)(void))exchanged, METH_FASTCALL, "The same after some of them changed."};

static PyMethodDef weighed_method = {
	"weighed", (PyCFunction)(void (*)(void))weighed, METH_FASTCALL, "What the largest of them hold."};

static int add(PyObject *module, PyMethodDef *method) {
	PyObject *function = PyCFunction_New(method, NULL);
	int status = function ? PyModule_AddObjectRef(module, method->ml_name, function) : -1;
	Py_XDECREF(function);
	return status;
}

int ent__places_function(PyObject *module) {
	return add(module, &places_method) || add(module, &exchanged_method) || add(module, &weighed_method) ? -1 : 0;
}
