/* SPDX-License-Identifier: Apache-2.0
 *
 * _entente.Look: what entente.Measure is made of, one metric of one partner. over() reads a window of the snapshot,
 * keeps the read as evidence and gives the quantity: there are dozens of these for each partner, and half of them ask
 * what was asked before, so that a Look keeps what it has read. What is not simple (values of a view, declared figures,
 * fixtures, what reports say, days that are missing) is handed to the methods _slow, _reported and _missing in measure.py. */
#include "rules/rules.h"

#include <stddef.h>
#include <structmember.h>

typedef struct look {
	PyObject_HEAD PyObject *partner, *metric, *origin, *view, *values;
	/* Worked out at the first read; NULL before. */
	PyObject *snapshot, *spans, *name, *unit;
	ent_query query;
	bool simple;
	ent__entry *entries;
	int32_t n_entries, capacity;
} look;

static PyTypeObject *quantity_class, *read_class, *measure_class;
static PyObject *origins; /* names of the origins */
static PyObject *empty;

/* bind(Quantity, Read, Measure, now, origins, units): what over() makes, and where it puts it. */
static PyObject *bind(PyObject *self, PyObject *args) {
	(void)self;
	PyObject *q, *r, *m, *n, *o, *units;
	if (!PyArg_ParseTuple(args, "O!O!O!OO!O!:bind", &PyType_Type, &q, &PyType_Type, &r, &PyType_Type, &m, &n,
			&PyTuple_Type, &o, &PyTuple_Type, &units)) {
		return NULL;
	}
	if (!PyType_IsSubtype((PyTypeObject *)r, &PyTuple_Type)) {
		PyErr_SetString(PyExc_TypeError, "bind() takes the classes of quantities and reads");
		return NULL;
	}
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(units); i++) {
		(void)ent__unit_of(PyTuple_GET_ITEM(units, i));
	}
	if (!ent__run_bind(n)) {
		return NULL;
	}
	Py_XSETREF(quantity_class, (PyTypeObject *)Py_NewRef(q));
	Py_XSETREF(read_class, (PyTypeObject *)Py_NewRef(r));
	Py_XSETREF(measure_class, (PyTypeObject *)Py_NewRef(m));
	Py_XSETREF(origins, Py_NewRef(o));
	Py_RETURN_NONE;
}

static PyMethodDef bind_method = {"bind", bind, METH_VARARGS, "What reads make, and where they put it."};

static bool number_of(PyObject *o, const char *name, long *out) {
	PyObject *value = PyObject_GetAttrString(o, name);
	*out = value ? PyLong_AsLong(value) : -1;
	Py_XDECREF(value);
	return !PyErr_Occurred();
}

/* What a Metric says of itself: the same few rows of the catalogue, partner after partner. */
typedef struct row {
	PyObject *metric, *name, *unit;
	long number;
} row;

static const row *row_of(PyObject *metric) {
	static row rows[256];
	row *r = &rows[((uintptr_t)metric >> 4) % (sizeof rows / sizeof *rows)];
	if (r->metric == metric) {
		return r;
	}
	row now = {.metric = metric, .name = PyObject_GetAttrString(metric, "name")};
	now.unit = now.name ? PyObject_GetAttrString(metric, "unit") : NULL;
	if (!now.unit || !number_of(metric, "number", &now.number)) {
		Py_XDECREF(now.name);
		Py_XDECREF(now.unit);
		return NULL;
	}
	row old = *r;
	Py_INCREF(metric); /* nobody else can take its address while it is here */
	*r = now;
	Py_XDECREF(old.metric);
	Py_XDECREF(old.name);
	Py_XDECREF(old.unit);
	return r;
}

/* Where the figures lie. False with an exception; look->simple says whether they can be read here. */
static bool find(look *k, PyObject *snapshot, PyObject *spans, uint32_t index) {
	long origin = PyLong_AsLong(k->origin);
	const row *r = origin == -1 && PyErr_Occurred() ? NULL : row_of(k->metric);
	if (!r) {
		return false;
	}
	k->snapshot = Py_NewRef(snapshot);
	k->spans = Py_NewRef(spans);
	k->name = Py_NewRef(r->name);
	k->unit = Py_NewRef(r->unit);
	k->simple = origins && ent__snapshot_of(k->snapshot, &(uint32_t){0}) && PyDict_CheckExact(k->spans) &&
				k->values == Py_None && origin < PyTuple_GET_SIZE(origins) && origin != ENT_ORIGIN_DECLARED;
	k->query = (ent_query){
		.partner = index, .metric = (uint16_t)r->number, .origin = (int16_t)origin, .coverage = ENT_WINDOW_COVERAGE};
	return true;
}

static bool find_by_partner(look *k) {
	long index;
	PyObject *view = PyObject_GetAttrString(k->partner, "view");
	PyObject *snapshot = view ? PyObject_GetAttrString(view, "snapshot") : NULL;
	PyObject *spans = snapshot ? PyObject_GetAttrString(view, "spans") : NULL;
	bool good = spans && number_of(k->partner, "index", &index) && find(k, snapshot, spans, (uint32_t)index);
	Py_XDECREF(view);
	Py_XDECREF(snapshot);
	Py_XDECREF(spans);
	return good;
}

/* ---- reads --------------------------------------------------------------------------------------------------------
 */

enum { LOOKED_THROUGH = 32 }; /* of the entries: a rule may ask for hundreds of windows, each once */

/* Days of a window, as the view worked them out before. False: it did not, or it is no window. */
static bool span_of(look *k, PyObject *window, int32_t *start, int32_t *stop) {
	static struct {
		PyObject *spans, *window;
		int32_t start, stop;
	} seen[64];
	unsigned at = (unsigned)(((uintptr_t)window >> 4) ^ ((uintptr_t)window >> 10)) % (sizeof seen / sizeof *seen);
	if (seen[at].window == window && seen[at].spans == k->spans) {
		*start = seen[at].start;
		*stop = seen[at].stop;
		return true;
	}
	PyObject *span = PyDict_GetItemWithError(k->spans, window); /* borrowed; the view keeps it */
	if (!span || !PyTuple_Check(span) || PyTuple_GET_SIZE(span) != 2 ||
		ent__day_of(PyTuple_GET_ITEM(span, 0), "start", start) ||
		ent__day_of(PyTuple_GET_ITEM(span, 1), "stop", stop)) {
		PyErr_Clear(); /* no window at all: the slow way says so */
		return false;
	}
	Py_XSETREF(seen[at].window, Py_NewRef(window));
	Py_XSETREF(seen[at].spans, Py_NewRef(k->spans));
	seen[at].start = *start;
	seen[at].stop = *stop;
	return true;
}

/* The number of the read of these days, or -1 with an exception. */
static int32_t entry_of(look *k, int32_t start, int32_t stop) {
	for (int32_t i = k->n_entries - 1; i >= 0 && i >= k->n_entries - LOOKED_THROUGH; i--) {
		if (k->entries[i].start == start && k->entries[i].stop == stop) {
			return i;
		}
	}
	if (k->n_entries == k->capacity) {
		int32_t capacity = k->capacity ? 2 * k->capacity : 2;
		ent__entry *entries = PyMem_Realloc(k->entries, (size_t)capacity * sizeof *entries);
		if (!entries) {
			PyErr_NoMemory();
			return -1;
		}
		k->entries = entries;
		k->capacity = capacity;
	}
	ent__entry *x = &k->entries[k->n_entries];
	*x = (ent__entry){.start = start, .stop = stop};
	ent_query q = k->query;
	q.start = start;
	q.stop = stop;
	if (ent_window_read(ent__snapshot_of(k->snapshot, &q.partner), &q, &x->window)) {
		PyErr_SetString(PyExc_OverflowError, "a sum is too large to be held");
		return -1;
	}
	return k->n_entries++;
}

ent__entry *ent__look_entry(PyObject *self, int32_t entry, ent__look_names *names) {
	look *k = (look *)self;
	names->metric = k->name;
	names->origin = k->query.origin < 0 ? empty : PyTuple_GET_ITEM(origins, k->query.origin);
	names->unit = k->unit;
	return &k->entries[entry];
}

uint16_t ent__look_metric(PyObject *self) { return ((look *)self)->query.metric; }

PyObject *ent__look_read(PyObject *self, int32_t entry) {
	ent__look_names names;
	const ent__entry *x = ent__look_entry(self, entry, &names);
	const ent_window *w = &x->window;
	PyObject *read = read_class->tp_alloc(read_class, ENT__READ_FIELDS);
	if (!read) {
		return NULL;
	}
	PyObject *const items[ENT__READ_FIELDS] = {Py_NewRef(names.metric), PyLong_FromLong(x->start), PyLong_FromLong(x->stop),
		PyLong_FromLong(w->state), ent__integer(w->top), ent__integer(w->bottom), Py_NewRef(names.unit),
		PyLong_FromLong(w->covered), PyLong_FromLong(w->declared), Py_NewRef(names.origin), Py_NewRef(empty),
		Py_NewRef(empty), PyLong_FromLong(0), Py_NewRef(empty)};
	bool good = true;
	for (int i = 0; i < ENT__READ_FIELDS; i++) {
		good &= items[i] != NULL;
		PyTuple_SET_ITEM(read, i, items[i]);
	}
	if (!good) {
		Py_CLEAR(read);
	}
	return read;
}

/* The cells do not speak for the window: reports may. None: they do not either. */
static PyObject *reported(look *k, const ent__entry *x) {
	return PyObject_CallMethod((PyObject *)k, "_reported", "iii", (int)x->start, (int)x->stop, (int)x->window.state);
}

static PyObject *raise_missing(look *k, const ent__entry *x) {
	const ent_window *w = &x->window;
	PyObject *error = PyObject_CallMethod((PyObject *)k, "_missing", "iiii", (int)x->start, (int)x->stop,
		w->state ? w->state : ENT_WINDOW_NO_COVERAGE, (int)w->day);
	if (error) {
		PyErr_SetObject((PyObject *)Py_TYPE(error), error);
		Py_DECREF(error);
	}
	return NULL;
}

static PyObject *over(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	look *k = (look *)self;
	double least = ENT_WINDOW_COVERAGE / 1000.0;
	if (n == 2 && PyFloat_Check(args[1])) {
		least = PyFloat_AS_DOUBLE(args[1]);
	}
	if (!k->unit && !find_by_partner(k)) {
		return NULL;
	}
	int32_t start, stop;
	if (!k->simple || !quantity_class || names || n < 1 || n > 2 || (n == 2 && !PyFloat_Check(args[1])) ||
		!span_of(k, args[0], &start, &stop)) {
		PyObject *slow = PyObject_GetAttrString(self, "_slow");
		PyObject *out = slow ? PyObject_Vectorcall(slow, args, (size_t)n, names) : NULL;
		Py_XDECREF(slow);
		return out;
	}
	int32_t at = entry_of(k, start, stop);
	if (at < 0) {
		return NULL;
	}
	double days = (double)(stop - start);
	bool missing = k->entries[at].window.state != ENT_WINDOW_KNOWN || k->entries[at].window.covered < least * days;
	if (missing) {
		PyObject *told = reported(k, &k->entries[at]);
		if (told != Py_None) {
			return told;
		}
		Py_DECREF(told);
	}
	if (!ent__reads_add(self, at)) {
		return NULL;
	}
	ent__entry *x = &k->entries[at]; /* what Python did meanwhile may have moved them */
	if (missing) {
		return raise_missing(k, x);
	}
	if (!x->figure) {
		x->figure = ent__figure_of(quantity_class, x->window.top, x->window.bottom, k->unit, x->window.covered / days);
	}
	return Py_XNewRef(x->figure);
}

/* ---- the type -----------------------------------------------------------------------------------------------------
 */

PyObject *ent__look_new(PyObject *partner, PyObject *metric, PyObject *snapshot, PyObject *spans, uint32_t index) {
	static PyObject *no_origin, *no_view;
	no_origin = no_origin ? no_origin : PyLong_FromLong(-1);
	no_view = no_view ? no_view : PyLong_FromLong(0);
	look *k = measure_class && no_origin && no_view ? (look *)measure_class->tp_alloc(measure_class, 0) : NULL;
	if (!k) {
		return measure_class ? NULL : PyErr_Format(PyExc_RuntimeError, "nobody said what a measure is");
	}
	k->partner = Py_NewRef(partner);
	k->metric = Py_NewRef(metric);
	k->origin = Py_NewRef(no_origin);
	k->view = Py_NewRef(no_view);
	k->values = Py_NewRef(Py_None);
	if (!find(k, snapshot, spans, index)) {
		Py_CLEAR(k);
	}
	return (PyObject *)k;
}

static PyObject *new (PyTypeObject *type, PyObject *args, PyObject *names) {
	static const char *const keywords[] = {"partner", "metric", "origin", "view", "values", NULL};
	PyObject *partner, *metric, *origin = NULL, *view = NULL, *values = Py_None;
	if (!PyArg_ParseTupleAndKeywords(args, names, "OO|O!O!O:Measure", (char **)keywords, &partner, &metric,
			&PyLong_Type, &origin, &PyLong_Type, &view, &values)) {
		return NULL;
	}
	look *k = (look *)type->tp_alloc(type, 0);
	if (!k) {
		return NULL;
	}
	k->partner = Py_NewRef(partner);
	k->metric = Py_NewRef(metric);
	k->origin = origin ? Py_NewRef(origin) : PyLong_FromLong(-1);
	k->view = view ? Py_NewRef(view) : PyLong_FromLong(0);
	k->values = Py_NewRef(values);
	return (PyObject *)k;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
	look *k = (look *)self;
	Py_VISIT(Py_TYPE(self));
	Py_VISIT(k->partner);
	Py_VISIT(k->metric);
	Py_VISIT(k->values);
	Py_VISIT(k->snapshot);
	Py_VISIT(k->spans);
	return 0;
}

static int clear(PyObject *self) {
	look *k = (look *)self;
	Py_CLEAR(k->partner);
	Py_CLEAR(k->metric);
	Py_CLEAR(k->values);
	Py_CLEAR(k->snapshot);
	Py_CLEAR(k->spans);
	return 0;
}

static void dealloc(PyObject *self) {
	look *k = (look *)self;
	PyTypeObject *type = Py_TYPE(self);
	PyObject_GC_UnTrack(self);
	clear(self);
	for (int32_t i = 0; i < k->n_entries; i++) {
		Py_XDECREF(k->entries[i].figure);
	}
	PyMem_Free(k->entries);
	Py_XDECREF(k->origin);
	Py_XDECREF(k->view);
	Py_XDECREF(k->name);
	Py_XDECREF(k->unit);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMemberDef members[] = {
	{"partner", T_OBJECT_EX, offsetof(look, partner), READONLY, NULL},
	{"metric", T_OBJECT_EX, offsetof(look, metric), READONLY, NULL},
	{"_origin", T_OBJECT_EX, offsetof(look, origin), READONLY, NULL},
	{"_view", T_OBJECT_EX, offsetof(look, view), READONLY, NULL},
	{"_values", T_OBJECT_EX, offsetof(look, values), READONLY, NULL},
	{NULL, 0, 0, 0, NULL},
};

static PyMethodDef methods[] = {
	{"over", (PyCFunction)(void (*)(void))over, METH_FASTCALL | METH_KEYWORDS,
		"Its value over the days of the window."},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
	{Py_tp_new, new},
	{Py_tp_dealloc, dealloc},
	{Py_tp_traverse, traverse},
	{Py_tp_clear, clear},
	{Py_tp_members, members},
	{Py_tp_methods, methods},
	{Py_tp_doc, (void *)"One metric of one partner."},
	{0, NULL},
};
static PyType_Spec spec = {
	"_entente.Look",
	sizeof(look),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
	slots,
};

int ent__look_type(PyObject *module) {
	PyObject *type = PyType_FromSpec(&spec), *function = PyCFunction_New(&bind_method, NULL);
	empty = PyUnicode_InternFromString("");
	int status = type && function && empty ? 0 : -1;
	status = status ? status : PyModule_AddObjectRef(module, "Look", type);
	status = status ? status : PyModule_AddObjectRef(module, "bind", function);
	Py_XDECREF(function);
	Py_XDECREF(type);
	return status;
}
