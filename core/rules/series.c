/* SPDX-License-Identifier: Apache-2.0
 *
 * _entente.Series: one int64 a day, read through the buffer protocol and through the Arrow C data interface
 * (https://arrow.apache.org/docs/format/CDataInterface.html), both without a copy. A consumer of Arrow may release what it
 * was given long after, from any thread and without the interpreter's lock: release takes the lock before it lets go. */
#include "rules/arrow.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct series {
	PyObject_HEAD
	PyObject *owner; /* of the memory; NULL: our own */
	const int64_t *data;
	Py_ssize_t n;
	Py_ssize_t stride;
	int32_t day0;
	int unit;
} series;

static PyTypeObject *series_class;

long ent__unit_scale(int unit) {
	switch (unit) {
	case ENT_UNIT_MONEY:
	case ENT_UNIT_SECONDS:
		return 1000000;
	case ENT_UNIT_PIECES:
		return 1000;
	default:
		return 1;
	}
}

PyObject *ent__series_new(PyObject *owner, const int64_t *data, Py_ssize_t n, int32_t day0, int unit) {
	series *s = (series *)PyType_GenericAlloc(series_class, 0);
	if (!s) {
		if (!owner) {
			PyMem_Free((void *)data);
		}
		return NULL;
	}
	s->owner = Py_XNewRef(owner);
	s->data = data;
	s->n = n;
	s->stride = sizeof *data;
	s->day0 = day0;
	s->unit = unit;
	return (PyObject *)s;
}

static void dealloc(PyObject *self) {
	series *s = (series *)self;
	PyTypeObject *type = Py_TYPE(self);
	if (s->owner) {
		Py_DECREF(s->owner);
	} else {
		PyMem_Free((void *)s->data);
	}
	type->tp_free(self);
	Py_DECREF(type);
}

static Py_ssize_t length(PyObject *self) { return ((series *)self)->n; }

static PyObject *item(PyObject *self, Py_ssize_t i) {
	series *s = (series *)self;
	if (i < 0 || i >= s->n) {
		PyErr_SetString(PyExc_IndexError, "the series has no such day");
		return NULL;
	}
	return PyLong_FromLongLong(s->data[i]);
}

/* ---- walking day by day: what rules that loop in Python live by ---------------------------------------------------- */

typedef struct walk {
	PyObject_HEAD
	series *of; /* NULL at its end */
	Py_ssize_t at;
} walk;

static PyTypeObject *walk_class;

static PyObject *begin_walk(PyObject *self) {
	walk *w = (walk *)walk_class->tp_alloc(walk_class, 0);
	if (w) {
		w->of = (series *)Py_NewRef(self);
	}
	return (PyObject *)w;
}

static PyObject *next_day(PyObject *self) {
	walk *w = (walk *)self;
	if (w->of && w->at < w->of->n) {
		return PyLong_FromLongLong(w->of->data[w->at++]);
	}
	Py_CLEAR(w->of);
	return NULL;
}

static PyObject *days_left(PyObject *self, PyObject *unused) {
	(void)unused;
	walk *w = (walk *)self;
	return PyLong_FromSsize_t(w->of ? w->of->n - w->at : 0);
}

static void end_walk(PyObject *self) {
	PyTypeObject *type = Py_TYPE(self);
	Py_XDECREF(((walk *)self)->of);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMethodDef walk_methods[] = {
	{"__length_hint__", days_left, METH_NOARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot walk_slots[] = {
	{Py_tp_dealloc, end_walk},
	{Py_tp_iter, PyObject_SelfIter},
	{Py_tp_iternext, next_day},
	{Py_tp_methods, walk_methods},
	{0, NULL},
};
static PyType_Spec walk_spec = {
	"_entente.Walk", sizeof(walk), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, walk_slots,
};

/* Python's tables want char *, and write to none of them. */
static char int64_format[] = "q", requested_schema[] = "requested_schema";

static int get_buffer(PyObject *self, Py_buffer *view, int flags) {
	series *s = (series *)self;
	if (flags & PyBUF_WRITABLE) {
		PyErr_SetString(PyExc_BufferError, "a series cannot be written: copy it first");
		view->obj = NULL;
		return -1;
	}
	*view = (Py_buffer){
		.buf = (void *)s->data,
		.obj = Py_NewRef(self),
		.len = s->n * (Py_ssize_t)sizeof *s->data,
		.itemsize = sizeof *s->data,
		.readonly = 1,
		.ndim = 1,
		.format = flags & PyBUF_FORMAT ? int64_format : NULL,
		.shape = (flags & PyBUF_ND) == PyBUF_ND ? &s->n : NULL,
		.strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &s->stride : NULL,
	};
	return 0;
}

/* The sum of (2 i - (n - 1)) * value over the days i: six times it, over n (n n - 1), is the slope of the line that lies
 * closest (least squares), without any rounding. */
static PyObject *moment(PyObject *self, PyObject *unused) {
	(void)unused;
	series *s = (series *)self;
	__int128 sum = 0; /* fewer than 2^28 days, so that 128 bits hold it: 2^28 times 2^28 * 2^63 */
	for (Py_ssize_t i = 0; i < s->n; i++) {
		sum += (__int128)s->data[i] * (2 * i - (s->n - 1));
	}
	return ent__integer(sum);
}

/* ---- Arrow ------------------------------------------------------------------------------------------------------- */

/* What an exported array, or a stream of one array, holds on to. */
typedef struct held {
	PyObject *owner;
	const void *buffers[2]; /* no validity bits: nothing is null; the values */
	int64_t n;
	bool given; /* streams: the one array has been handed out */
} held;

static void let_go(held *h) {
	if (Py_IsInitialized()) {
		PyGILState_STATE state = PyGILState_Ensure();
		Py_DECREF(h->owner);
		PyGILState_Release(state);
	}
	free(h);
}

static held *hold(PyObject *owner, const int64_t *data, int64_t n) {
	held *h = malloc(sizeof *h);
	if (h) {
		*h = (held){.owner = owner, .buffers = {NULL, data}, .n = n};
	}
	return h;
}

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static void fill_schema(struct ArrowSchema *schema) {
	*schema = (struct ArrowSchema){.format = "l", .name = "", .release = release_schema};
}

static void release_array(struct ArrowArray *array) {
	let_go(array->private_data);
	array->release = NULL;
}

static void fill_array(struct ArrowArray *array, held *h) {
	*array = (struct ArrowArray){
		.length = h->n,
		.n_buffers = 2,
		.buffers = h->buffers,
		.release = release_array,
		.private_data = h,
	};
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
	(void)stream;
	fill_schema(out);
	return 0;
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
	held *h = stream->private_data;
	if (h->given) {
		*out = (struct ArrowArray){0}; /* released: the end */
		return 0;
	}
	PyGILState_STATE state = PyGILState_Ensure();
	held *copy = hold(h->owner, h->buffers[1], h->n);
	if (copy) {
		Py_INCREF(copy->owner);
	}
	PyGILState_Release(state);
	if (!copy) {
		return ENOMEM;
	}
	h->given = true;
	fill_array(out, copy);
	return 0;
}

static const char *stream_error(struct ArrowArrayStream *stream) {
	(void)stream;
	return "out of memory"; /* the only one there is */
}

static void release_stream(struct ArrowArrayStream *stream) {
	let_go(stream->private_data);
	stream->release = NULL;
}

CAPSULE(schema, ArrowSchema, "arrow_schema")
CAPSULE(array, ArrowArray, "arrow_array")
CAPSULE(stream, ArrowArrayStream, "arrow_array_stream")

static PyObject *arrow_schema(PyObject *self, PyObject *unused) {
	(void)self;
	(void)unused;
	struct ArrowSchema *schema = malloc(sizeof *schema);
	if (!schema) {
		return PyErr_NoMemory();
	}
	fill_schema(schema);
	return wrap_schema(schema);
}

static PyObject *arrow_array(PyObject *self, PyObject *args, PyObject *names) {
	/* The protocol lets a producer ignore the schema that the consumer would like. */
	static char *arguments[] = {requested_schema, NULL};
	PyObject *wanted = NULL;
	if (!PyArg_ParseTupleAndKeywords(args, names, "|O:__arrow_c_array__", arguments, &wanted)) {
		return NULL;
	}
	series *s = (series *)self;
	PyObject *schema = arrow_schema(self, NULL);
	struct ArrowArray *array = malloc(sizeof *array);
	held *h = hold(self, s->data, s->n);
	if (!schema || !array || !h) {
		Py_XDECREF(schema);
		free(array);
		free(h);
		return PyErr_NoMemory();
	}
	Py_INCREF(self);
	fill_array(array, h);
	PyObject *capsule = wrap_array(array);
	PyObject *pair = capsule ? PyTuple_Pack(2, schema, capsule) : NULL;
	Py_XDECREF(capsule);
	Py_DECREF(schema);
	return pair;
}

static PyObject *arrow_stream(PyObject *self, PyObject *args, PyObject *names) {
	static char *arguments[] = {requested_schema, NULL};
	PyObject *wanted = NULL;
	if (!PyArg_ParseTupleAndKeywords(args, names, "|O:__arrow_c_stream__", arguments, &wanted)) {
		return NULL;
	}
	series *s = (series *)self;
	struct ArrowArrayStream *stream = malloc(sizeof *stream);
	held *h = hold(self, s->data, s->n);
	if (!stream || !h) {
		free(stream);
		free(h);
		return PyErr_NoMemory();
	}
	Py_INCREF(self);
	*stream = (struct ArrowArrayStream){
		.get_schema = stream_schema,
		.get_next = stream_next,
		.get_last_error = stream_error,
		.release = release_stream,
		.private_data = h,
	};
	return wrap_stream(stream);
}

/* For pandas, which knows neither of the two protocols and asks for this one. numpy itself takes the buffer. */
static PyObject *as_numpy(PyObject *self, PyObject *args, PyObject *names) {
	static char dtype_name[] = "dtype", copy_name[] = "copy";
	static char *arguments[] = {dtype_name, copy_name, NULL};
	PyObject *dtype = Py_None, *copy = Py_None;
	if (!PyArg_ParseTupleAndKeywords(args, names, "|OO:__array__", arguments, &dtype, &copy)) {
		return NULL;
	}
	int copied = PyObject_IsTrue(copy);
	PyObject *numpy = copied < 0 ? NULL : PyImport_ImportModule("numpy");
	PyObject *view = numpy ? PyMemoryView_FromObject(self) : NULL;
	PyObject *array = view ? PyObject_CallMethod(numpy, copied ? "array" : "asarray", "OO", view, dtype) : NULL;
	Py_XDECREF(view);
	Py_XDECREF(numpy);
	return array;
}

/* ---- the type --------------------------------------------------------------------------------------------------- */

static PyObject *get_day0(PyObject *self, void *unused) {
	(void)unused;
	return PyLong_FromLong(((series *)self)->day0);
}

static PyObject *get_scale(PyObject *self, void *unused) {
	(void)unused;
	return PyLong_FromLong(ent__unit_scale(((series *)self)->unit));
}

static PyObject *get_unit(PyObject *self, void *unused) {
	(void)unused;
	return PyUnicode_FromString(ent_unit_names[((series *)self)->unit]);
}

static PyGetSetDef fields[] = {
	{"day0", get_day0, NULL, "day of the first value", NULL},
	{"scale", get_scale, NULL, "values are in 1/scale of the unit", NULL},
	{"unit", get_unit, NULL, NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
	{"moment", moment, METH_NOARGS, "Sum of the values, each by twice its distance from the middle day."},
	{"__array__", (PyCFunction)(void (*)(void))as_numpy, METH_VARARGS | METH_KEYWORDS, NULL},
	{"__arrow_c_schema__", arrow_schema, METH_NOARGS, NULL},
	{"__arrow_c_array__", (PyCFunction)(void (*)(void))arrow_array, METH_VARARGS | METH_KEYWORDS, NULL},
	{"__arrow_c_stream__", (PyCFunction)(void (*)(void))arrow_stream, METH_VARARGS | METH_KEYWORDS, NULL},
	{NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
	{Py_tp_dealloc, dealloc},
	{Py_sq_length, length},
	{Py_sq_item, item},
	{Py_tp_iter, begin_walk},
	{Py_bf_getbuffer, get_buffer},
	{Py_tp_methods, methods},
	{Py_tp_getset, fields},
	{Py_tp_doc, (void *)"Values of one metric, one int64 a day."},
	{0, NULL},
};
static PyType_Spec spec = {
	"_entente.Series", sizeof(series), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots,
};

int ent__series_type(PyObject *module) {
	series_class = (PyTypeObject *)PyType_FromSpec(&spec);
	walk_class = (PyTypeObject *)PyType_FromSpec(&walk_spec);
	return series_class && walk_class ? PyModule_AddObjectRef(module, "Series", (PyObject *)series_class) : -1;
}
