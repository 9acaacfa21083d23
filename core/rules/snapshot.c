/* SPDX-License-Identifier: Apache-2.0
 *
 * _entente.Snapshot: a mapped snapshot and the windows read from it. Every number that comes from Python is checked here;
 * the reader below trusts its caller. Reading a window allocates nothing but the tuple it returns.
 *
 * A snapshot that is kept is brought up to date by layers: blocks that hold the partners which have changed since. A
 * partner is read from the newest block that has it; a layer of which nobody is read any more is let go. */
#include "base/arena.h"
#include "base/day.h"
#include "rules/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* One block. Series hand its memory out, and keep it by this object. */
typedef struct block {
	PyObject_HEAD
	ent_snap snap;
	void *data;
	size_t bytes;
	uint32_t read; /* partners that are read from it, if it is a layer */
} block;

typedef struct place {
	uint32_t layer; /* number + 1; 0: the block that the snapshot began with */
	uint32_t partner; /* its index there */
} place;

typedef struct snapshot {
	PyObject_HEAD
	block *base;
	block **layers; /* NULL where one was let go */
	uint32_t n_layers, layers_capacity;
	place *places; /* by partner; NULL while there are no layers */
	int32_t as_of; /* the last day that windows include */
	struct snapshot *of; /* whose blocks are read, if this is that one as of an earlier day; else NULL */
} snapshot;

static PyTypeObject *snapshot_class, *block_class;

/* What holds for the whole is read from the first block: partners, texts of the head, rates. */
#define BASE(s) (&(s)->base->snap)

/* Where a partner is read, as of the day of this snapshot until the next one is asked for. */
static block *block_of(const snapshot *s, uint32_t *partner) {
	const snapshot *from = s->of ? s->of : s;
	block *b = from->base;
	if (from->places) {
		place p = from->places[*partner];
		*partner = p.partner;
		b = p.layer ? from->layers[p.layer - 1] : b;
	}
	b->snap.as_of = s->as_of;
	return b;
}

ent_snap *ent__snapshot_of(PyObject *o, uint32_t *partner) {
	return Py_TYPE(o) == snapshot_class ? &block_of((snapshot *)o, partner)->snap : NULL;
}

int64_t ent__snapshot_partners(PyObject *o) { return Py_TYPE(o) == snapshot_class ? (int64_t)BASE((snapshot *)o)->n_partners : -1; }

/* ---- arguments -------------------------------------------------------------------------------------------------- */

#define MAX_ARGUMENTS 8

typedef struct signature {
	const char *function;
	int required, n;
	const char *names[MAX_ARGUMENTS];
} signature;

/* Arguments by position and name into out[n]; NULL where not given. */
static int parse(const signature *s, PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject **out) {
	if (count > s->n) {
		PyErr_Format(PyExc_TypeError, "%s() takes at most %d arguments, not %zd", s->function, s->n, count);
		return -1;
	}
	int i = 0;
	for (; i < count; i++) {
		out[i] = args[i];
	}
	for (; i < s->n; i++) {
		out[i] = NULL;
	}
	Py_ssize_t n_names = names ? PyTuple_GET_SIZE(names) : 0;
	for (Py_ssize_t k = 0; k < n_names; k++) {
		PyObject *name = PyTuple_GET_ITEM(names, k);
		int at = 0;
		while (at < s->n && PyUnicode_CompareWithASCIIString(name, s->names[at]) != 0) {
			at++;
		}
		if (at == s->n || out[at]) {
			PyErr_Format(PyExc_TypeError, "%s() got an argument %U that it does not take, or twice", s->function, name);
			return -1;
		}
		out[at] = args[count + k];
	}
	for (i = 0; i < s->required; i++) {
		if (!out[i]) {
			PyErr_Format(PyExc_TypeError, "%s() needs the argument %s", s->function, s->names[i]);
			return -1;
		}
	}
	return 0;
}

static int number(PyObject *o, const char *name, long low, long high, PyObject *exception, long *out) {
	long v = PyLong_AsLong(o);
	if (v == -1 && PyErr_Occurred()) {
		return -1;
	}
	if (v < low || v > high) {
		PyErr_Format(exception, "%s: %ld is not in %ld to %ld", name, v, low, high);
		return -1;
	}
	*out = v;
	return 0;
}

#define DAY_LIMIT 100000000L /* some 270,000 years: sums of days stay far from overflow */

static int partner_of(const snapshot *s, PyObject *o, uint32_t *out) {
	long v;
	if (number(o, "partner", 0, (long)BASE(s)->n_partners - 1, PyExc_IndexError, &v)) {
		return -1;
	}
	*out = (uint32_t)v;
	return 0;
}

/* The block that a partner is read from, and its index there. */
static block *read_from(const snapshot *s, PyObject *o, uint32_t *out) { return partner_of(s, o, out) ? NULL : block_of(s, out); }

static int metric_of(const ent_snap *s, PyObject *o, uint16_t *out) {
	long v;
	if (number(o, "metric", 0, (long)s->catalogue->n_metrics - 1, PyExc_IndexError, &v)) {
		return -1;
	}
	*out = (uint16_t)v;
	return 0;
}

int ent__day_of(PyObject *o, const char *name, int32_t *out) {
	long v;
	if (number(o, name, -DAY_LIMIT, DAY_LIMIT, PyExc_OverflowError, &v)) {
		return -1;
	}
	*out = (int32_t)v;
	return 0;
}

static int origin_of(PyObject *o, int16_t *out) {
	long v = -1;
	if (o && number(o, "origin", -1, ENT_ORIGIN_COUNT - 1, PyExc_IndexError, &v)) {
		return -1;
	}
	*out = (int16_t)v;
	return 0;
}

static int view_of(PyObject *o, uint8_t *out) {
	long v = 0;
	if (o && number(o, "view", 0, ENT_VIEW_COUNT - 1, PyExc_IndexError, &v)) {
		return -1;
	}
	*out = (uint8_t)v;
	return 0;
}

static int value_of(ent_snap *s, PyObject *o, uint32_t *out) {
	*out = 0;
	if (!o) {
		return 0;
	}
	Py_ssize_t n;
	const char *text = PyUnicode_AsUTF8AndSize(o, &n);
	if (!text) {
		return -1;
	}
	*out = ent_snap_find_value(s, text, (size_t)n);
	return 0;
}

static int coverage_of(PyObject *o, uint32_t *out) {
	*out = ENT_WINDOW_COVERAGE;
	if (!o) {
		return 0;
	}
	double v = PyFloat_AsDouble(o);
	if (v == -1 && PyErr_Occurred()) {
		return -1;
	}
	if (!(v >= 0 && v <= 1)) {
		PyErr_SetString(PyExc_ValueError, "coverage is a share of the days, between 0 and 1");
		return -1;
	}
	*out = (uint32_t)lround(v * 1000);
	return 0;
}

static PyObject *fail(int status) {
	if (status == ENT_ERR_RANGE) {
		PyErr_SetString(PyExc_OverflowError, "a sum is too large to be held");
	} else {
		PyErr_SetString(PyExc_ValueError, "the metric has no such reading");
	}
	return NULL;
}

PyObject *ent__integer(__int128 v) {
	if (v >= INT64_MIN && v <= INT64_MAX) {
		return PyLong_FromLongLong((long long)v);
	}
	PyObject *high = PyLong_FromLongLong((long long)(v >> 64)), *shift = PyLong_FromLong(64);
	PyObject *low = PyLong_FromUnsignedLongLong((unsigned long long)v);
	PyObject *shifted = high && shift ? PyNumber_Lshift(high, shift) : NULL;
	PyObject *whole = shifted && low ? PyNumber_Or(shifted, low) : NULL;
	Py_XDECREF(shifted);
	Py_XDECREF(low);
	Py_XDECREF(shift);
	Py_XDECREF(high);
	return whole;
}

/* A tuple of n new references; any of them NULL fails. */
static PyObject *tuple_of(PyObject **items, Py_ssize_t n) {
	PyObject *tuple = PyTuple_New(n);
	for (Py_ssize_t i = 0; i < n; i++) {
		if (tuple && items[i]) {
			PyTuple_SET_ITEM(tuple, i, items[i]);
		} else {
			Py_CLEAR(tuple);
			Py_XDECREF(items[i]);
		}
	}
	return tuple;
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

static PyObject *partners(PyObject *self, PyObject *unused) {
	(void)unused;
	const ent_snap *s = BASE((snapshot *)self);
	PyObject *list = PyList_New((Py_ssize_t)s->n_partners);
	for (uint32_t i = 0; list && i < s->n_partners; i++) {
		PyObject *id = PyUnicode_FromString(ent_snap_partner_id(s, i));
		if (!id) {
			Py_CLEAR(list);
			break;
		}
		PyList_SET_ITEM(list, (Py_ssize_t)i, id);
	}
	return list;
}

static PyObject *partner_json(PyObject *self, PyObject *arg) {
	uint32_t i;
	const block *b = read_from((snapshot *)self, arg, &i);
	if (!b) {
		return NULL;
	}
	const ent_snap_partner *p = &b->snap.partners[i];
	return PyUnicode_DecodeUTF8((const char *)b->snap.base + p->json, (Py_ssize_t)p->n_json, NULL);
}

static PyObject *meta_json(PyObject *self, PyObject *unused) {
	(void)unused;
	const ent_snap *s = BASE((snapshot *)self);
	return PyUnicode_DecodeUTF8((const char *)s->base + s->head->meta.offset, (Py_ssize_t)s->head->meta.n, NULL);
}

static PyObject *metrics(PyObject *self, PyObject *unused) {
	(void)unused;
	const ent_catalogue *c = BASE((snapshot *)self)->catalogue;
	PyObject *list = PyList_New((Py_ssize_t)c->n_metrics);
	for (unsigned i = 0; list && i < c->n_metrics; i++) {
		const ent_metric *m = &c->metrics[i];
		char definition[17];
		ent_metric_definition(m, definition);
		PyObject *row = Py_BuildValue("(sisssss)", m->name, m->kind, ent_unit_names[m->unit],
			ent_additivity_names[m->additivity], m->tags, m->doc, definition);
		if (!row) {
			Py_CLEAR(list);
			break;
		}
		PyList_SET_ITEM(list, (Py_ssize_t)i, row);
	}
	return list;
}

/* ---- windows ---------------------------------------------------------------------------------------------------- */

static PyObject *window(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	static const signature sig = {
		"window", 4, 8, {"partner", "metric", "start", "stop", "origin", "view", "value", "coverage"}};
	block *b = NULL;
	PyObject *a[MAX_ARGUMENTS];
	ent_query q;
	ent_window w;
	if (parse(&sig, args, n, names, a) || !(b = read_from((snapshot *)self, a[0], &q.partner)) || metric_of(&b->snap, a[1], &q.metric) ||
		ent__day_of(a[2], "start", &q.start) || ent__day_of(a[3], "stop", &q.stop) || origin_of(a[4], &q.origin) ||
		view_of(a[5], &q.view) || value_of(&b->snap, a[6], &q.value) || coverage_of(a[7], &q.coverage)) {
		return NULL;
	}
	int status = ent_window_read(&b->snap, &q, &w);
	if (status) {
		return fail(status);
	}
	PyObject *items[6] = {PyLong_FromLong(w.state), ent__integer(w.top), ent__integer(w.bottom), PyLong_FromLong(w.covered),
		PyLong_FromLong(w.declared), PyLong_FromLong(w.day)};
	return tuple_of(items, 6);
}

static PyObject *quantile(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	static const signature sig = {
		"quantile", 5, 7, {"partner", "metric", "start", "stop", "q", "origin", "coverage"}};
	block *b = NULL;
	PyObject *a[MAX_ARGUMENTS];
	ent_query q = {0};
	ent_window w;
	if (parse(&sig, args, n, names, a) || !(b = read_from((snapshot *)self, a[0], &q.partner)) || metric_of(&b->snap, a[1], &q.metric) ||
		ent__day_of(a[2], "start", &q.start) || ent__day_of(a[3], "stop", &q.stop) || origin_of(a[5], &q.origin) ||
		coverage_of(a[6], &q.coverage)) {
		return NULL;
	}
	double part = PyFloat_AsDouble(a[4]);
	if (part == -1 && PyErr_Occurred()) {
		return NULL;
	}
	int status = ent_window_quantile(&b->snap, &q, part, &w);
	if (status) {
		return fail(status);
	}
	PyObject *items[2] = {PyLong_FromLong(w.state), ent__integer(w.top)};
	return tuple_of(items, 2);
}

static PyObject *cohort(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	static const signature sig = {
		"cohort", 4, 6, {"partners", "metric", "start", "stop", "origin", "coverage"}};
	snapshot *s = (snapshot *)self;
	PyObject *a[MAX_ARGUMENTS];
	ent_query q = {0};
	if (parse(&sig, args, n, names, a) || metric_of(BASE((snapshot *)self), a[1], &q.metric) || ent__day_of(a[2], "start", &q.start) ||
		ent__day_of(a[3], "stop", &q.stop) || origin_of(a[4], &q.origin) || coverage_of(a[5], &q.coverage)) {
		return NULL;
	}
	Py_buffer view;
	if (PyObject_GetBuffer(a[0], &view, PyBUF_SIMPLE)) {
		return NULL;
	}
	Py_ssize_t count = view.len / 4;
	PyObject *list = PyList_New(count);
	for (Py_ssize_t i = 0; list && i < count; i++) {
		ent_window w;
		memcpy(&q.partner, (const char *)view.buf + i * 4, 4);
		int status = ENT_ERR_NOTFOUND;
		if (q.partner >= BASE(s)->n_partners) {
			PyErr_Format(PyExc_IndexError, "partner %lu is not in the snapshot", (unsigned long)q.partner);
			Py_CLEAR(list);
			break;
		}
		block *b = block_of(s, &q.partner);
		status = ent_window_read(&b->snap, &q, &w);
		PyObject *row = NULL;
		if (status) {
			fail(status);
		} else {
			PyObject *items[3] = {PyLong_FromLong(w.state), ent__integer(w.top), ent__integer(w.bottom)};
			row = tuple_of(items, 3);
		}
		if (!row) {
			Py_CLEAR(list);
			break;
		}
		PyList_SET_ITEM(list, i, row);
	}
	PyBuffer_Release(&view);
	return list;
}

static PyObject *values(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	static const signature sig = {
		"values", 5, 6, {"partner", "metric", "view", "start", "stop", "origin"}};
	block *b = NULL;
	PyObject *a[MAX_ARGUMENTS];
	ent_query q = {0};
	if (parse(&sig, args, n, names, a) || !(b = read_from((snapshot *)self, a[0], &q.partner)) || metric_of(&b->snap, a[1], &q.metric) ||
		view_of(a[2], &q.view) || ent__day_of(a[3], "start", &q.start) || ent__day_of(a[4], "stop", &q.stop) ||
		origin_of(a[5], &q.origin)) {
		return NULL;
	}
	uint32_t *found;
	size_t count;
	int status = ent_window_values(&b->snap, &q, &found, &count);
	if (status == ENT_ERR_INVALID) { /* a distribution: kept in total only */
		return PyList_New(0);
	}
	if (status) {
		return fail(status);
	}
	PyObject *list = PyList_New((Py_ssize_t)count);
	for (size_t i = 0; list && i < count; i++) {
		PyObject *name = PyUnicode_FromString(ent_snap_value_name(&b->snap, found[i]));
		if (!name) {
			Py_CLEAR(list);
			break;
		}
		PyList_SET_ITEM(list, (Py_ssize_t)i, name);
	}
	free(found);
	return list;
}

static PyObject *origins(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	static const signature sig = {"origins", 2, 2, {"partner", "metric"}};
	block *b = NULL;
	PyObject *a[MAX_ARGUMENTS];
	uint32_t partner;
	uint16_t metric;
	if (parse(&sig, args, n, names, a) || !(b = read_from((snapshot *)self, a[0], &partner)) || metric_of(&b->snap, a[1], &metric)) {
		return NULL;
	}
	unsigned bits = ent_window_origins(&b->snap, partner, metric);
	PyObject *list = PyList_New(0);
	for (long i = 0; list && i < ENT_ORIGIN_COUNT; i++) {
		PyObject *origin = bits & 1u << i ? PyLong_FromLong(i) : NULL;
		if (origin && PyList_Append(list, origin)) {
			Py_CLEAR(list);
		}
		Py_XDECREF(origin);
	}
	return list;
}

static PyObject *series(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	static const signature sig = {
		"series", 4, 7, {"partner", "metric", "start", "stop", "origin", "view", "value"}};
	block *b = NULL;
	PyObject *a[MAX_ARGUMENTS];
	ent_query q = {0};
	if (parse(&sig, args, n, names, a) || !(b = read_from((snapshot *)self, a[0], &q.partner)) || metric_of(&b->snap, a[1], &q.metric) ||
		ent__day_of(a[2], "start", &q.start) || ent__day_of(a[3], "stop", &q.stop) || origin_of(a[4], &q.origin) ||
		view_of(a[5], &q.view) || value_of(&b->snap, a[6], &q.value)) {
		return NULL;
	}
	int unit = ent_snap_metric(&b->snap, q.metric)->unit;
	Py_ssize_t days = q.stop > q.start ? (Py_ssize_t)q.stop - q.start : 0;
	const int64_t *column = ent_window_column(&b->snap, &q);
	if (column) {
		return ent__series_new((PyObject *)b, column, days, q.start, unit);
	}
	int64_t *data = PyMem_Malloc((size_t)(days ? days : 1) * sizeof *data);
	if (!data) {
		return PyErr_NoMemory();
	}
	int32_t missing;
	int status = ent_window_series(&b->snap, &q, data, &missing);
	if (status || missing != INT32_MAX) {
		PyMem_Free(data);
		if (status == ENT_ERR_INVALID) {
			PyErr_Format(PyExc_ValueError, "%s is no sum: it has no value by day that adds up", ent_snap_metric(&b->snap, q.metric)->name);
		} else if (status) {
			fail(status);
		} else {
			char day[16];
			PyErr_Format(PyExc_ValueError, "the exchange rate of %s is not known", ent_day_text(missing, day));
		}
		return NULL;
	}
	return ent__series_new(NULL, data, days, q.start, unit);
}

static PyObject *covers(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	static const signature sig = {"covers", 2, 3, {"partner", "metric", "origin"}};
	block *b = NULL;
	PyObject *a[MAX_ARGUMENTS];
	uint32_t partner;
	uint16_t metric;
	int16_t origin;
	if (parse(&sig, args, n, names, a) || !(b = read_from((snapshot *)self, a[0], &partner)) || metric_of(&b->snap, a[1], &metric) ||
		origin_of(a[2], &origin)) {
		return NULL;
	}
	const ent_snap *s = &b->snap;
	const ent_snap_partner *p = &s->partners[partner];
	unsigned families = ent_metric_families(ent_snap_metric(s, metric));
	PyObject *list = PyList_New(0);
	for (uint64_t i = p->covers; list && i < p->covers + p->n_covers; i++) {
		const ent_snap_cover *c = &s->covers[i];
		unsigned wanted = origin >= 0 ? (unsigned)origin : ent_window_origin(s, partner, c->family);
		if (!(families & 1u << c->family) || c->origin != wanted) {
			continue;
		}
		PyObject *row = Py_BuildValue(
			"(iiNs)", c->from, c->to, PyBool_FromLong(c->declared), ent_snap_text_of(s, c->source));
		if (!row || PyList_Append(list, row)) {
			Py_CLEAR(list);
		}
		Py_XDECREF(row);
	}
	return list;
}

static PyObject *rate(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	static const signature sig = {"rate", 2, 2, {"currency", "day"}};
	ent_snap *s = BASE((snapshot *)self);
	PyObject *a[MAX_ARGUMENTS];
	uint32_t currency;
	int32_t day;
	if (parse(&sig, args, n, names, a) || value_of(s, a[0], &currency) || ent__day_of(a[1], "day", &day)) {
		return NULL;
	}
	return PyLong_FromLongLong(ent_snap_rate_on(s, currency, day));
}

/* ---- days ------------------------------------------------------------------------------------------------------- */

static PyObject *day_of(PyObject *self, PyObject *arg) {
	uint32_t i;
	const block *b = read_from((snapshot *)self, arg, &i);
	return b ? PyLong_FromLong(ent_snap_partner_day(&b->snap, i)) : NULL;
}

static PyObject *days_differ(PyObject *self, PyObject *unused) {
	(void)unused;
	const ent_snap *s = BASE((snapshot *)self);
	bool any = false;
	for (uint32_t i = 0; i < s->n_partners && !any; i++) {
		any = s->partners[i].behind != 0;
	}
	return PyBool_FromLong(any);
}

/* The same blocks, and the layers that come over them: only what is read of them ends earlier. */
static PyObject *at(PyObject *self, PyObject *arg) {
	snapshot *s = (snapshot *)self, *root = s->of ? s->of : s;
	int32_t day;
	if (ent__day_of(arg, "day", &day)) {
		return NULL;
	}
	if (day > root->as_of) {
		PyErr_SetString(PyExc_ValueError, "nothing is known of days after the snapshot's");
		return NULL;
	}
	snapshot *other = (snapshot *)PyType_GenericAlloc(snapshot_class, 0);
	if (other) {
		other->base = (block *)Py_NewRef(root->base);
		other->of = (snapshot *)Py_NewRef(root);
		other->as_of = day;
	}
	return (PyObject *)other;
}

/* ---- the type --------------------------------------------------------------------------------------------------- */

#define FAST(f) {#f, (PyCFunction)(void (*)(void))f, METH_FASTCALL | METH_KEYWORDS, NULL}

static PyMethodDef methods[] = {
	{"partners", partners, METH_NOARGS, NULL},
	{"partner_json", partner_json, METH_O, NULL},
	{"meta_json", meta_json, METH_NOARGS, NULL},
	{"metrics", metrics, METH_NOARGS, NULL},
	FAST(window),
	FAST(quantile),
	FAST(cohort),
	FAST(values),
	FAST(origins),
	FAST(series),
	FAST(covers),
	FAST(rate),
	{"facts", ent__snapshot_facts, METH_VARARGS, NULL},
	{"cut", ent__snapshot_cut, METH_VARARGS, NULL},
	{"integrity", ent__snapshot_integrity, METH_VARARGS, NULL},
	{"at", at, METH_O, NULL},
	{"day_of", day_of, METH_O, NULL},
	{"days_differ", days_differ, METH_NOARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static PyObject *get_as_of(PyObject *self, void *unused) {
	(void)unused;
	return PyLong_FromLong(((snapshot *)self)->as_of);
}

static PyObject *get_currency(PyObject *self, void *unused) {
	(void)unused;
	const ent_snap *s = BASE((snapshot *)self);
	return PyUnicode_FromString(ent_snap_text_of(s, s->head->currency));
}

static PyObject *get_generation(PyObject *self, void *unused) {
	(void)unused;
	return PyLong_FromUnsignedLongLong(BASE((snapshot *)self)->head->generation);
}

static PyGetSetDef fields[] = {
	{"as_of", get_as_of, NULL, "last day that windows include", NULL},
	{"currency", get_currency, NULL, "the reporting currency", NULL},
	{"generation", get_generation, NULL, "grows with every snapshot", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static void block_dealloc(PyObject *self) {
	block *b = (block *)self;
	PyTypeObject *type = Py_TYPE(self);
	ent_snap_finish(&b->snap);
	if (b->data) {
		munmap(b->data, b->bytes);
	}
	type->tp_free(self);
	Py_DECREF(type);
}

static void dealloc(PyObject *self) {
	snapshot *s = (snapshot *)self;
	PyTypeObject *type = Py_TYPE(self);
	Py_XDECREF(s->base);
	Py_XDECREF(s->of);
	for (uint32_t i = 0; i < s->n_layers; i++) {
		Py_XDECREF(s->layers[i]);
	}
	free(s->layers);
	free(s->places);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyType_Slot block_slots[] = {
	{Py_tp_dealloc, block_dealloc},
	{0, NULL},
};
static PyType_Spec block_spec = {
	"_entente.Block", sizeof(block), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, block_slots,
};
static PyType_Slot slots[] = {
	{Py_tp_dealloc, dealloc},
	{Py_tp_methods, methods},
	{Py_tp_getset, fields},
	{Py_tp_doc, (void *)"Everything that rules may look at, for one moment."},
	{0, NULL},
};
static PyType_Spec spec = {
	"_entente.Snapshot", sizeof(snapshot), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots,
};

int ent__snapshot_type(PyObject *module) {
	block_class = (PyTypeObject *)PyType_FromSpec(&block_spec);
	snapshot_class = (PyTypeObject *)PyType_FromSpec(&spec);
	return block_class && snapshot_class ? PyModule_AddObjectRef(module, "Snapshot", (PyObject *)snapshot_class) : -1;
}

static block *map_block(int fd, ent_error *e) {
	/* Series hand this memory out: it must not shrink (SIGBUS) or change under a reader. */
	int want = F_SEAL_SHRINK | F_SEAL_WRITE, seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	if (seals < 0 || (seals & want) != want || fstat(fd, &st)) {
		ent_error_set(e, ENT_ERR_INVALID, "the snapshot is no sealed memory");
		return NULL;
	}
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		ent_error_errno(e, ENT_ERR_NOMEM, "cannot map a snapshot of %lld bytes", (long long)st.st_size);
		ent_error_todo(e, "raise the memory limit of the rules worker");
		return NULL;
	}
	block *b = (block *)PyType_GenericAlloc(block_class, 0);
	if (!b) {
		munmap(data, (size_t)st.st_size);
		ent__python_error(e);
		return NULL;
	}
	b->data = data;
	b->bytes = (size_t)st.st_size;
	if (ent_snap_open(&b->snap, data, b->bytes, e)) {
		Py_DECREF(b);
		return NULL;
	}
	return b;
}

PyObject *ent__snapshot_new(int fd, ent_error *e) {
	block *b = map_block(fd, e);
	snapshot *s = b ? (snapshot *)PyType_GenericAlloc(snapshot_class, 0) : NULL;
	if (!s) {
		if (b) {
			ent__python_error(e);
			Py_DECREF(b);
		}
		return NULL;
	}
	s->base = b;
	s->as_of = b->snap.head->as_of;
	return (PyObject *)s;
}

/* ---- layers ----------------------------------------------------------------------------------------------------------- */

struct ent__layer {
	block *block;
	uint32_t *whom; /* index in the snapshot, by index in the layer */
};

ent__layer *ent__layer_open(PyObject *self, int fd, PyObject **whom, ent_error *e) {
	snapshot *s = (snapshot *)self;
	block *b = map_block(fd, e);
	if (!b) {
		return NULL;
	}
	const ent_snap *base = BASE(s);
	uint32_t n = b->snap.n_partners;
	ent__layer *layer = ent_xcalloc(1, sizeof *layer);
	layer->block = b;
	layer->whom = ent_xcalloc(n + 1, sizeof *layer->whom);
	for (uint32_t i = 0; i < n; i++) {
		const char *id = ent_snap_partner_id(&b->snap, i);
		int64_t at = ent_snap_find_partner(base, id, strlen(id));
		if (at < 0 || b->snap.head->as_of != base->head->as_of) {
			ent_error_set(e, ENT_ERR_INVALID, "the layer does not belong to the snapshot (partner %.100s)", id);
			ent__layer_close(layer);
			return NULL;
		}
		layer->whom[i] = (uint32_t)at;
	}
	*whom = PyList_New(n);
	for (uint32_t i = 0; *whom && i < n; i++) {
		PyObject *index = PyLong_FromUnsignedLong(layer->whom[i]);
		if (index) {
			PyList_SET_ITEM(*whom, i, index);
		} else {
			Py_CLEAR(*whom);
		}
	}
	if (!*whom) {
		ent__python_error(e);
		ent__layer_close(layer);
		return NULL;
	}
	return layer;
}

void ent__layer_close(ent__layer *layer) {
	if (layer) {
		Py_XDECREF(layer->block);
		free(layer->whom);
		free(layer);
	}
}

static uint32_t free_number(snapshot *s) {
	for (uint32_t i = 0; i < s->n_layers; i++) {
		if (!s->layers[i]) {
			return i;
		}
	}
	ENT_GROW(s->layers, s->n_layers, s->layers_capacity);
	return s->n_layers++;
}

void ent__layer_lay(PyObject *self, ent__layer *layer) {
	snapshot *s = (snapshot *)self;
	uint32_t partners = BASE(s)->n_partners, number = free_number(s);
	block *b = layer->block;
	if (!s->places) {
		s->places = ent_xcalloc(partners ? partners : 1, sizeof *s->places);
		for (uint32_t i = 0; i < partners; i++) {
			s->places[i].partner = i;
		}
	}
	s->layers[number] = b;
	layer->block = NULL;
	for (uint32_t i = 0; i < b->snap.n_partners; i++) {
		place *p = &s->places[layer->whom[i]];
		if (p->layer && --s->layers[p->layer - 1]->read == 0) {
			Py_CLEAR(s->layers[p->layer - 1]);
		}
		*p = (place){number + 1, i};
		b->read++;
	}
}
