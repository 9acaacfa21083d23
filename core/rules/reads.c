/* SPDX-License-Identifier: Apache-2.0
 *
 * _entente.Run and _entente.Reads: what the rule at work read, asked for and missed, see run.py. Reads is a list of
 * reads of which those that Look.over() made are kept as a number into their Look: entente.run.Read is made of them
 * only where somebody looks. One thread. */
#include "rules/rules.h"

#include <stddef.h>
#include <structmember.h>

typedef struct reads {
	PyObject_HEAD ent__read *items;
	size_t n, capacity;
} reads;

typedef struct record {
	PyObject_HEAD PyObject *reads, *asks, *missed, *held;
	unsigned long long pair;
} record;

static PyTypeObject *reads_class;
static record *now; /* entente.run.now */

/* ---- Reads --------------------------------------------------------------------------------------------------------
 */

static PyObject *reads_new(void) { return reads_class->tp_alloc(reads_class, 0); }

/* Takes the reference. */
static bool add(reads *r, PyObject *object, int32_t entry) {
	if (r->n == r->capacity) {
		size_t capacity = r->capacity ? 2 * r->capacity : 16;
		ent__read *items = PyMem_Realloc(r->items, capacity * sizeof *items);
		if (!items) {
			Py_DECREF(object);
			PyErr_NoMemory();
			return false;
		}
		r->items = items;
		r->capacity = capacity;
	}
	r->items[r->n++] = (ent__read){object, entry};
	return true;
}

static void empty(reads *r) {
	size_t n = r->n;
	r->n = 0;
	for (size_t i = 0; i < n; i++) {
		Py_DECREF(r->items[i].object);
	}
}

bool ent__reads_add(PyObject *look, int32_t entry) {
	if (!now || Py_TYPE(now->reads) != reads_class) {
		PyErr_SetString(PyExc_RuntimeError, "nobody keeps what is read");
		return false;
	}
	return add((reads *)now->reads, Py_NewRef(look), entry);
}

bool ent__reads_of(PyObject *o, const ent__read **items, size_t *n) {
	if (Py_TYPE(o) != reads_class) {
		return false;
	}
	*items = ((reads *)o)->items;
	*n = ((reads *)o)->n;
	return true;
}

static PyObject *append(PyObject *self, PyObject *read) {
	return add((reads *)self, Py_NewRef(read), ENT__READ_IS_WHOLE) ? Py_NewRef(Py_None) : NULL;
}

PyObject *ent__read_whole(const ent__read *r) {
	return r->entry == ENT__READ_IS_WHOLE ? Py_NewRef(r->object) : ent__look_read(r->object, r->entry);
}

static Py_ssize_t reads_length(PyObject *self) { return (Py_ssize_t)((reads *)self)->n; }

static PyObject *reads_item(PyObject *self, Py_ssize_t i) {
	reads *r = (reads *)self;
	if (i < 0 || i >= (Py_ssize_t)r->n) {
		PyErr_SetString(PyExc_IndexError, "there is no such read");
		return NULL;
	}
	return ent__read_whole(&r->items[i]);
}

static int reads_traverse(PyObject *self, visitproc visit, void *arg) {
	reads *r = (reads *)self;
	Py_VISIT(Py_TYPE(self));
	for (size_t i = 0; i < r->n; i++) {
		Py_VISIT(r->items[i].object);
	}
	return 0;
}

static int reads_clear(PyObject *self) {
	empty((reads *)self);
	return 0;
}

static void reads_dealloc(PyObject *self) {
	PyTypeObject *type = Py_TYPE(self);
	PyObject_GC_UnTrack(self);
	empty((reads *)self);
	PyMem_Free(((reads *)self)->items);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMethodDef reads_methods[] = {
	{"append", append, METH_O, "Keep one more."},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot reads_slots[] = {
	{Py_tp_dealloc, reads_dealloc},
	{Py_tp_traverse, reads_traverse},
	{Py_tp_clear, reads_clear},
	{Py_tp_methods, reads_methods},
	{Py_tp_iter, PySeqIter_New},
	{Py_sq_length, reads_length},
	{Py_sq_item, reads_item},
	{Py_tp_doc, (void *)"What a rule read, in order."},
	{0, NULL},
};
static PyType_Spec reads_spec = {
	"_entente.Reads",
	sizeof(reads),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	reads_slots,
};

/* ---- Run ----------------------------------------------------------------------------------------------------------
 */

static bool fresh_list(PyObject **list) {
	if (*list && PyList_CheckExact(*list) && Py_REFCNT(*list) == 1 && PyList_GET_SIZE(*list) == 0) {
		return true;
	}
	PyObject *other = PyList_New(0);
	Py_XSETREF(*list, other);
	return other != NULL;
}

static bool fresh_run(record *r) {
	if (r->reads && Py_TYPE(r->reads) == reads_class && Py_REFCNT(r->reads) == 1) {
		empty((reads *)r->reads); /* an outcome that is kept has a reference */
	} else {
		Py_XSETREF(r->reads, reads_new());
	}
	return r->reads && fresh_list(&r->asks) && fresh_list(&r->missed) && fresh_list(&r->held);
}

static PyObject *run_reset(PyObject *self, PyObject *unused) {
	(void)unused;
	return fresh_run((record *)self) ? Py_NewRef(Py_None) : NULL;
}

bool ent__run_reset(uint64_t pair) {
	now->pair = pair;
	return fresh_run(now);
}

bool ent__run_missed(void) {
	return !PyList_CheckExact(now->asks) || PyList_GET_SIZE(now->asks) || !PyList_CheckExact(now->missed) ||
		   PyList_GET_SIZE(now->missed);
}

bool ent__run_held(void) { return !PyList_CheckExact(now->held) || PyList_GET_SIZE(now->held); }

PyObject *ent__run_reads(void) { return now->reads; }

static PyObject *run_new(PyTypeObject *type, PyObject *args, PyObject *names) {
	if (PyTuple_GET_SIZE(args) || (names && PyDict_GET_SIZE(names))) {
		PyErr_SetString(PyExc_TypeError, "Run() takes nothing");
		return NULL;
	}
	record *r = (record *)type->tp_alloc(type, 0);
	if (r && !fresh_run(r)) {
		Py_CLEAR(r);
	}
	return (PyObject *)r;
}

static int run_traverse(PyObject *self, visitproc visit, void *arg) {
	record *r = (record *)self;
	Py_VISIT(Py_TYPE(self));
	Py_VISIT(r->reads);
	Py_VISIT(r->asks);
	Py_VISIT(r->missed);
	Py_VISIT(r->held);
	return 0;
}

static int run_clear(PyObject *self) {
	record *r = (record *)self;
	Py_CLEAR(r->reads);
	Py_CLEAR(r->asks);
	Py_CLEAR(r->missed);
	Py_CLEAR(r->held);
	return 0;
}

static void run_dealloc(PyObject *self) {
	PyTypeObject *type = Py_TYPE(self);
	PyObject_GC_UnTrack(self);
	run_clear(self);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMemberDef run_members[] = {
	{"reads", T_OBJECT_EX, offsetof(record, reads), READONLY, "what it read"},
	{"asks", T_OBJECT_EX, offsetof(record, asks), READONLY, "what would decide"},
	{"missed", T_OBJECT_EX, offsetof(record, missed), READONLY, "why something was not known"},
	{"held", T_OBJECT_EX, offsetof(record, held), READONLY, "what it read that is not for the partner"},
	{"pair", T_ULONGLONG, offsetof(record, pair), 0, "numbers of partner and rule in one"},
	{NULL, 0, 0, 0, NULL},
};

static PyMethodDef run_methods[] = {
	{"reset", run_reset, METH_NOARGS, "Before each rule."},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot run_slots[] = {
	{Py_tp_new, run_new},
	{Py_tp_dealloc, run_dealloc},
	{Py_tp_traverse, run_traverse},
	{Py_tp_clear, run_clear},
	{Py_tp_members, run_members},
	{Py_tp_methods, run_methods},
	{Py_tp_doc, (void *)"The record of the rule at work."},
	{0, NULL},
};
static PyType_Spec run_spec = {
	"_entente.Run",
	sizeof(record),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
	run_slots,
};
static PyTypeObject *run_class;

bool ent__run_bind(PyObject *run) {
	if (Py_TYPE(run) != run_class) {
		PyErr_SetString(PyExc_TypeError, "bind() takes the Run that is kept");
		return false;
	}
	Py_XSETREF(now, (record *)Py_NewRef(run));
	return true;
}

int ent__reads_type(PyObject *module) {
	reads_class = (PyTypeObject *)PyType_FromSpec(&reads_spec);
	run_class = (PyTypeObject *)PyType_FromSpec(&run_spec);
	if (!reads_class || !run_class) {
		return -1;
	}
	return PyModule_AddObjectRef(module, "Run", (PyObject *)run_class);
}
