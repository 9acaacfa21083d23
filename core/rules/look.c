/* SPDX-License-Identifier: Apache-2.0
 *
 * _entente.Look: what entente.Measure is made of, one metric of one partner. over() reads a window of the snapshot, keeps
 * the read as evidence and gives the quantity: there are dozens of these for each partner. What is not simple (values of a
 * view, declared figures, fixtures, days that are missing) is handed to the methods _slow and _missing in measure.py. */
#include "rules/rules.h"

#include <stddef.h>
#include <structmember.h>

typedef struct look {
	PyObject_HEAD
	PyObject *partner, *metric, *origin, *view, *values;
	/* Worked out at the first read; NULL before. */
	PyObject *snapshot, *spans, *name, *unit;
	ent_query query;
	bool simple;
} look;

static PyTypeObject *quantity_class, *read_class;
static PyObject *now;        /* entente.run.now: its list `reads` takes the evidence */
static PyObject *origins;    /* names of the origins */
static PyObject *empty, *reads_name;

/* bind(Quantity, Read, now, origins, units): what over() makes, and where it puts it. */
static PyObject *bind(PyObject *self, PyObject *args) {
	(void)self;
	PyObject *q, *r, *n, *o, *units;
	if (!PyArg_ParseTuple(args, "O!O!OO!O!:bind", &PyType_Type, &q, &PyType_Type, &r, &n, &PyTuple_Type, &o, &PyTuple_Type,
			&units)) {
		return NULL;
	}
	if (!PyType_IsSubtype((PyTypeObject *)r, &PyTuple_Type)) {
		PyErr_SetString(PyExc_TypeError, "bind() takes the classes of quantities and reads");
		return NULL;
	}
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(units); i++) {
		(void)ent__unit_of(PyTuple_GET_ITEM(units, i));
	}
	Py_XSETREF(quantity_class, (PyTypeObject *)Py_NewRef(q));
	Py_XSETREF(read_class, (PyTypeObject *)Py_NewRef(r));
	Py_XSETREF(now, Py_NewRef(n));
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

/* Where the figures lie. False with an exception; look->simple says whether they can be read here. */
static bool find(look *k) {
	long index, metric, origin = PyLong_AsLong(k->origin);
	if (origin == -1 && PyErr_Occurred()) {
		return false;
	}
	PyObject *view = PyObject_GetAttrString(k->partner, "view");
	k->snapshot = view ? PyObject_GetAttrString(view, "snapshot") : NULL;
	k->spans = k->snapshot ? PyObject_GetAttrString(view, "spans") : NULL;
	Py_XDECREF(view);
	k->name = k->spans ? PyObject_GetAttrString(k->metric, "name") : NULL;
	k->unit = k->name ? PyObject_GetAttrString(k->metric, "unit") : NULL;
	if (!k->unit || !number_of(k->partner, "index", &index) || !number_of(k->metric, "number", &metric)) {
		return false;
	}
	k->simple = origins && ent__snapshot_of(k->snapshot, &(uint32_t){0}) && PyDict_CheckExact(k->spans) && k->values == Py_None &&
				origin < PyTuple_GET_SIZE(origins) && origin != ENT_ORIGIN_DECLARED;
	k->query = (ent_query){.partner = (uint32_t)index, .metric = (uint16_t)metric, .origin = (int16_t)origin,
		.coverage = ENT_WINDOW_COVERAGE};
	return true;
}

static bool append_read(look *k, PyObject *span, const ent_window *w, PyObject *top, PyObject *bottom) {
	PyObject *read = read_class->tp_alloc(read_class, 13);
	if (!read) {
		return false;
	}
	PyObject *origin = k->query.origin < 0 ? empty : PyTuple_GET_ITEM(origins, k->query.origin);
	PyObject *const items[13] = {Py_NewRef(k->name), Py_NewRef(PyTuple_GET_ITEM(span, 0)),
		Py_NewRef(PyTuple_GET_ITEM(span, 1)), PyLong_FromLong(w->state), Py_NewRef(top), Py_NewRef(bottom),
		Py_NewRef(k->unit), PyLong_FromLong(w->covered), PyLong_FromLong(w->declared), Py_NewRef(origin), Py_NewRef(empty),
		Py_NewRef(empty), PyLong_FromLong(0)};
	bool good = true;
	for (int i = 0; i < 13; i++) {
		good &= items[i] != NULL;
		PyTuple_SET_ITEM(read, i, items[i]);
	}
	PyObject *reads = good ? PyObject_GetAttr(now, reads_name) : NULL;
	good = reads && PyList_CheckExact(reads) && PyList_Append(reads, read) == 0;
	Py_XDECREF(reads);
	Py_DECREF(read);
	return good;
}

static PyObject *raise_missing(look *k, PyObject *span, const ent_window *w) {
	PyObject *error = PyObject_CallMethod((PyObject *)k, "_missing", "OOii", PyTuple_GET_ITEM(span, 0),
		PyTuple_GET_ITEM(span, 1), w->state ? w->state : ENT_WINDOW_NO_COVERAGE, (int)w->day);
	if (error) {
		PyErr_SetObject((PyObject *)Py_TYPE(error), error);
		Py_DECREF(error);
	}
	return NULL;
}

static PyObject *over(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
	look *k = (look *)self;
	PyObject *window = n > 0 ? args[0] : NULL;
	double least = ENT_WINDOW_COVERAGE / 1000.0;
	if (n == 2 && PyFloat_Check(args[1])) {
		least = PyFloat_AS_DOUBLE(args[1]);
	}
	if (!k->unit && !find(k)) {
		return NULL;
	}
	PyObject *span = NULL;
	if (k->simple && quantity_class && !names && n > 0 && n <= 2 && (n == 1 || PyFloat_Check(args[1]))) {
		span = PyDict_GetItemWithError(k->spans, window); /* borrowed; the view keeps it */
		if (!span && PyErr_Occurred()) {
			PyErr_Clear(); /* no window at all: the slow way says so */
		}
	}
	if (!span || !PyTuple_Check(span) || PyTuple_GET_SIZE(span) != 2) {
		PyObject *slow = PyObject_GetAttrString(self, "_slow");
		PyObject *out = slow ? PyObject_Vectorcall(slow, args, (size_t)n, names) : NULL;
		Py_XDECREF(slow);
		return out;
	}
	ent_query q = k->query;
	ent_window w;
	if (ent__day_of(PyTuple_GET_ITEM(span, 0), "start", &q.start) || ent__day_of(PyTuple_GET_ITEM(span, 1), "stop", &q.stop)) {
		return NULL;
	}
	if (ent_window_read(ent__snapshot_of(k->snapshot, &q.partner), &q, &w)) {
		PyErr_SetString(PyExc_OverflowError, "a sum is too large to be held");
		return NULL;
	}
	PyObject *top = ent__integer(w.top), *bottom = ent__integer(w.bottom);
	if (!top || !bottom || !append_read(k, span, &w, top, bottom)) {
		Py_XDECREF(top);
		Py_XDECREF(bottom);
		return NULL;
	}
	double days = (double)(q.stop - q.start);
	if (w.state != ENT_WINDOW_KNOWN || w.covered < least * days) {
		Py_DECREF(top);
		Py_DECREF(bottom);
		return raise_missing(k, span, &w);
	}
	return ent__figure_new(quantity_class, top, bottom, k->unit, w.covered / days);
}

/* ---- the type ----------------------------------------------------------------------------------------------------- */

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *names) {
	static const char *const keywords[] = {"partner", "metric", "origin", "view", "values", NULL};
	PyObject *partner, *metric, *origin = NULL, *view = NULL, *values = Py_None;
	if (!PyArg_ParseTupleAndKeywords(
			args, names, "OO|O!O!O:Measure", (char **)keywords, &partner, &metric, &PyLong_Type, &origin, &PyLong_Type, &view, &values)) {
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
	{"over", (PyCFunction)(void (*)(void))over, METH_FASTCALL | METH_KEYWORDS, "Its value over the days of the window."},
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
	"_entente.Look", sizeof(look), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots,
};

int ent__look_type(PyObject *module) {
	PyObject *type = PyType_FromSpec(&spec), *function = PyCFunction_New(&bind_method, NULL);
	empty = PyUnicode_InternFromString("");
	reads_name = PyUnicode_InternFromString("reads");
	int status = type && function && empty && reads_name ? 0 : -1;
	status = status ? status : PyModule_AddObjectRef(module, "Look", type);
	status = status ? status : PyModule_AddObjectRef(module, "bind", function);
	Py_XDECREF(function);
	Py_XDECREF(type);
	return status;
}
