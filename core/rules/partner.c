/* SPDX-License-Identifier: Apache-2.0
 *
 * _entente.Seat: what entente.Partner is made of. partner["orders"] is the first thing that every rule says: a measure
 * that was asked for before is found again, another one is made here. Whatever is no metric is told by view.metric().
 */
#include "rules/rules.h"

#include <stddef.h>
#include <structmember.h>

typedef struct seat {
	PyObject_HEAD PyObject *view, *index, *id, *said, *measures, *origins, *cohorts;
	PyObject *snapshot, *spans, *metrics; /* of the view */
	uint32_t number;
} seat;

static PyObject *ids_name, *snapshot_name, *spans_name, *metrics_name;

static PyObject *new (PyTypeObject *type, PyObject *args, PyObject *names) {
	static const char *const keywords[] = {"view", "index", NULL};
	PyObject *view, *index;
	if (!PyArg_ParseTupleAndKeywords(args, names, "OO!:Partner", (char **)keywords, &view, &PyLong_Type, &index)) {
		return NULL;
	}
	seat *s = (seat *)type->tp_alloc(type, 0);
	if (!s) {
		return NULL;
	}
	s->view = Py_NewRef(view);
	s->index = Py_NewRef(index);
	s->number = (uint32_t)PyLong_AsUnsignedLong(index);
	PyObject *ids = PyErr_Occurred() ? NULL : PyObject_GetAttr(view, ids_name);
	s->id = ids ? PyObject_GetItem(ids, index) : NULL;
	Py_XDECREF(ids);
	s->snapshot = s->id ? PyObject_GetAttr(view, snapshot_name) : NULL;
	s->spans = s->snapshot ? PyObject_GetAttr(view, spans_name) : NULL;
	s->metrics = s->spans ? PyObject_GetAttr(view, metrics_name) : NULL;
	s->said = s->metrics ? PyDict_New() : NULL;
	s->measures = s->said ? PyDict_New() : NULL;
	if (!s->measures) {
		Py_CLEAR(s);
	}
	return (PyObject *)s;
}

/* Most partners are judged without these. */
static PyObject *dict(PyObject **field) {
	*field = *field ? *field : PyDict_New();
	return Py_XNewRef(*field);
}

static PyObject *get_origins(PyObject *self, void *unused) {
	(void)unused;
	return dict(&((seat *)self)->origins);
}

static PyObject *get_cohorts(PyObject *self, void *unused) {
	(void)unused;
	return dict(&((seat *)self)->cohorts);
}

static PyObject *measure(PyObject *self, PyObject *name) {
	seat *s = (seat *)self;
	PyObject *found = PyDict_GetItemWithError(s->measures, name); /* borrowed */
	if (found || PyErr_Occurred()) {
		return Py_XNewRef(found);
	}
	PyObject *metric = PyDict_CheckExact(s->metrics) ? PyDict_GetItemWithError(s->metrics, name) : NULL;
	metric = metric || PyErr_Occurred() ? Py_XNewRef(metric) : PyObject_CallMethod(s->view, "metric", "O", name);
	PyObject *made = metric ? ent__look_new(self, metric, s->snapshot, s->spans, s->number) : NULL;
	Py_XDECREF(metric);
	if (made && PyDict_SetItem(s->measures, name, made)) {
		Py_CLEAR(made);
	}
	return made;
}

static int traverse(PyObject *self, visitproc visit, void *arg) {
	seat *s = (seat *)self;
	Py_VISIT(Py_TYPE(self));
	Py_VISIT(s->view);
	Py_VISIT(s->said);
	Py_VISIT(s->measures);
	Py_VISIT(s->origins);
	Py_VISIT(s->cohorts);
	Py_VISIT(s->snapshot);
	Py_VISIT(s->spans);
	Py_VISIT(s->metrics);
	return 0;
}

static int clear(PyObject *self) {
	seat *s = (seat *)self;
	Py_CLEAR(s->view);
	Py_CLEAR(s->said);
	Py_CLEAR(s->measures);
	Py_CLEAR(s->origins);
	Py_CLEAR(s->cohorts);
	Py_CLEAR(s->snapshot);
	Py_CLEAR(s->spans);
	Py_CLEAR(s->metrics);
	return 0;
}

static void dealloc(PyObject *self) {
	seat *s = (seat *)self;
	PyTypeObject *type = Py_TYPE(self);
	PyObject_GC_UnTrack(self);
	clear(self);
	Py_XDECREF(s->index);
	Py_XDECREF(s->id);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMemberDef members[] = {
	{"view", T_OBJECT_EX, offsetof(seat, view), READONLY, NULL},
	{"index", T_OBJECT_EX, offsetof(seat, index), READONLY, NULL},
	{"id", T_OBJECT_EX, offsetof(seat, id), READONLY, NULL},
	{"said", T_OBJECT_EX, offsetof(seat, said), READONLY, "findings by rule, of the rules that ran before"},
	{"_measures", T_OBJECT_EX, offsetof(seat, measures), READONLY, NULL},
	{NULL, 0, 0, 0, NULL},
};

static PyGetSetDef fields[] = {
	{"_origins", get_origins, NULL, NULL, NULL},
	{"_cohorts", get_cohorts, NULL, NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
	{Py_tp_new, new},
	{Py_tp_dealloc, dealloc},
	{Py_tp_traverse, traverse},
	{Py_tp_clear, clear},
	{Py_tp_members, members},
	{Py_tp_getset, fields},
	{Py_mp_subscript, measure},
	{Py_tp_doc, (void *)"One partner of a snapshot."},
	{0, NULL},
};
static PyType_Spec spec = {
	"_entente.Seat",
	sizeof(seat),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
	slots,
};

int ent__partner_type(PyObject *module) {
	ids_name = PyUnicode_InternFromString("ids");
	snapshot_name = PyUnicode_InternFromString("snapshot");
	spans_name = PyUnicode_InternFromString("spans");
	metrics_name = PyUnicode_InternFromString("metrics");
	PyObject *type = ids_name && snapshot_name && spans_name && metrics_name ? PyType_FromSpec(&spec) : NULL;
	int status = type ? PyModule_AddObjectRef(module, "Seat", type) : -1;
	Py_XDECREF(type);
	return status;
}
