/* SPDX-License-Identifier: Apache-2.0
 *
 * What vectorized rules hand to other libraries. _entente.Values: one double for each partner, with a validity bitmap,
 * worked out once. _entente.Rows: days by partners, each partner a column of its own that points to where its Series
 * lies: in the snapshot's memory, so that a table of all of them is no copy. (In the snapshot, series of one partner
 * lie beside each other, not those of one metric: as one array they would have to be copied.) Consumers may release
 * what they were given long after, from any thread. */
#include "base/arena.h"
#include "rules/arrow.h"
#include "rules/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what an exported array holds on to
 * -------------------------------------------------------------------------------------- */

typedef struct held {
	PyObject *owner;
	const void *buffers[2]; /* validity bits, NULL: nothing is null; the values */
} held;

static void let_go(void *owner) {
	if (Py_IsInitialized()) {
		PyGILState_STATE state = PyGILState_Ensure();
		Py_DECREF((PyObject *)owner);
		PyGILState_Release(state);
	}
}

static void release_array(struct ArrowArray *array) {
	held *h = array->private_data;
	for (int64_t i = 0; i < array->n_children; i++) {
		if (array->children[i]->release) { /* or it was moved out */
			array->children[i]->release(array->children[i]);
		}
		free(array->children[i]);
	}
	free(array->children);
	let_go(h->owner);
	free(h);
	array->release = NULL;
}

/* Each array holds on to the owner by itself: a child may be moved out of its parent and outlive it. */
static void fill_array(
	struct ArrowArray *array, PyObject *owner, int64_t n, int64_t nulls, const void *bits, const void *data) {
	held *h = ent_xcalloc(1, sizeof *h);
	*h = (held){.owner = Py_NewRef(owner), .buffers = {bits, data}};
	*array = (struct ArrowArray){.length = n,
		.null_count = nulls,
		.n_buffers = data ? 2 : 1,
		.buffers = h->buffers,
		.release = release_array,
		.private_data = h};
}

static void release_schema(struct ArrowSchema *schema) {
	for (int64_t i = 0; i < schema->n_children; i++) {
		if (schema->children[i]->release) {
			schema->children[i]->release(schema->children[i]);
		}
		free(schema->children[i]);
	}
	free(schema->children);
	free(schema->private_data); /* the name */
	schema->release = NULL;
}

static void fill_schema(struct ArrowSchema *schema, const char *format, const char *name) {
	char *copy = ent_xstrdup(name);
	*schema = (struct ArrowSchema){
		.format = format, .name = copy, .flags = ARROW_NULLABLE, .release = release_schema, .private_data = copy};
}

/* How a type says what it holds; both with the interpreter's lock. */
typedef struct export {
	void (*schema)(PyObject *, struct ArrowSchema *);
	void (*array)(PyObject *, struct ArrowArray *);
}
export;

/* ---- streams of one array
 * ------------------------------------------------------------------------------------------------------ */

typedef struct stream {
	PyObject *owner;
	const export *how;
	bool given;
} stream;

static int stream_schema(struct ArrowArrayStream *s, struct ArrowSchema *out) {
	const stream *x = s->private_data;
	PyGILState_STATE state = PyGILState_Ensure();
	x->how->schema(x->owner, out);
	PyGILState_Release(state);
	return 0;
}

static int stream_next(struct ArrowArrayStream *s, struct ArrowArray *out) {
	stream *x = s->private_data;
	if (x->given) {
		*out = (struct ArrowArray){0}; /* released: the end */
		return 0;
	}
	x->given = true;
	PyGILState_STATE state = PyGILState_Ensure();
	x->how->array(x->owner, out);
	PyGILState_Release(state);
	return 0;
}

static const char *stream_error(struct ArrowArrayStream *s) {
	(void)s;
	return NULL; /* nothing fails */
}

static void release_stream(struct ArrowArrayStream *s) {
	stream *x = s->private_data;
	let_go(x->owner);
	free(x);
	s->release = NULL;
}

CAPSULE(schema, ArrowSchema, "arrow_schema")
CAPSULE(array, ArrowArray, "arrow_array")
CAPSULE(stream, ArrowArrayStream, "arrow_array_stream")

static PyObject *to_schema(PyObject *self, const export *how) {
	struct ArrowSchema *schema = ent_xcalloc(1, sizeof *schema);
	how->schema(self, schema);
	return wrap_schema(schema);
}

/* The protocol lets a producer ignore the schema that the consumer would like. */
static bool takes_no_more(PyObject *args, PyObject *names, const char *format) {
	static char requested_schema[] = "requested_schema", *arguments[] = {requested_schema, NULL};
	PyObject *wanted = NULL;
	return PyArg_ParseTupleAndKeywords(args, names, format, arguments, &wanted);
}

static PyObject *to_array(PyObject *self, PyObject *args, PyObject *names, const export *how) {
	if (!takes_no_more(args, names, "|O:__arrow_c_array__")) {
		return NULL;
	}
	PyObject *schema = to_schema(self, how);
	struct ArrowArray *array = schema ? ent_xcalloc(1, sizeof *array) : NULL;
	if (!array) {
		return NULL;
	}
	how->array(self, array);
	PyObject *capsule = wrap_array(array);
	PyObject *pair = capsule ? PyTuple_Pack(2, schema, capsule) : NULL;
	Py_XDECREF(capsule);
	Py_DECREF(schema);
	return pair;
}

static PyObject *to_stream(PyObject *self, PyObject *args, PyObject *names, const export *how) {
	if (!takes_no_more(args, names, "|O:__arrow_c_stream__")) {
		return NULL;
	}
	struct ArrowArrayStream *s = ent_xcalloc(1, sizeof *s);
	stream *x = ent_xcalloc(1, sizeof *x);
	*x = (stream){.owner = Py_NewRef(self), .how = how};
	*s = (struct ArrowArrayStream){.get_schema = stream_schema,
		.get_next = stream_next,
		.get_last_error = stream_error,
		.release = release_stream,
		.private_data = x};
	return wrap_stream(s);
}

/* ---- Values
 * --------------------------------------------------------------------------------------------------------------------
 */

typedef struct values {
	PyObject_HEAD double *data;
	uint8_t *bits;
	Py_ssize_t n, stride;
	int64_t nulls;
} values;

static void values_schema(PyObject *self, struct ArrowSchema *out) {
	(void)self;
	fill_schema(out, "g", "");
}

static void values_array(PyObject *self, struct ArrowArray *out) {
	values *v = (values *)self;
	fill_array(out, self, v->n, v->nulls, v->nulls ? v->bits : NULL, v->data);
}

static const export of_values = {values_schema, values_array};

static PyObject *values_new(PyTypeObject *type, PyObject *args, PyObject *names) {
	Py_buffer data, known;
	(void)names;
	if (!PyArg_ParseTuple(args, "y*y*:Values", &data, &known)) {
		return NULL;
	}
	values *v = NULL;
	Py_ssize_t n = known.len;
	if (data.len != n * (Py_ssize_t)sizeof(double)) {
		PyErr_SetString(PyExc_ValueError, "there is one value for each partner, known or not");
	} else if ((v = (values *)type->tp_alloc(type, 0))) {
		v->n = n;
		v->stride = sizeof(double);
		v->data = ent_xcalloc((size_t)n + 1, sizeof *v->data);
		v->bits = ent_xcalloc((size_t)n / 8 + 1, 1);
		if (n) {
			memcpy(v->data, data.buf, (size_t)data.len);
		}
		for (Py_ssize_t i = 0; i < n; i++) {
			bool is = ((const uint8_t *)known.buf)[i] != 0;
			v->bits[i / 8] |= (uint8_t)(is << i % 8);
			v->nulls += !is;
		}
	}
	PyBuffer_Release(&data);
	PyBuffer_Release(&known);
	return (PyObject *)v;
}

static void values_dealloc(PyObject *self) {
	PyTypeObject *type = Py_TYPE(self);
	free(((values *)self)->data);
	free(((values *)self)->bits);
	type->tp_free(self);
	Py_DECREF(type);
}

static char double_format[] = "d"; /* Python's tables want char *, and write to none of them */

static int values_buffer(PyObject *self, Py_buffer *view, int flags) {
	values *v = (values *)self;
	if (flags & PyBUF_WRITABLE) {
		PyErr_SetString(PyExc_BufferError, "a column cannot be written: copy it first");
		view->obj = NULL;
		return -1;
	}
	*view = (Py_buffer){
		.buf = v->data,
		.obj = Py_NewRef(self),
		.len = v->n * (Py_ssize_t)sizeof *v->data,
		.itemsize = sizeof *v->data,
		.readonly = 1,
		.ndim = 1,
		.format = flags & PyBUF_FORMAT ? double_format : NULL,
		.shape = (flags & PyBUF_ND) == PyBUF_ND ? &v->n : NULL,
		.strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &v->stride : NULL,
	};
	return 0;
}

/* For pandas, which knows neither the buffer nor Arrow, and asks for this. numpy itself takes the buffer. */
static PyObject *as_numpy(PyObject *self, PyObject *args, PyObject *names) {
	static char dtype_name[] = "dtype", copy_name[] = "copy", *arguments[] = {dtype_name, copy_name, NULL};
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

#define ARRAY_values {"__array__", (PyCFunction)(void (*)(void))as_numpy, METH_VARARGS | METH_KEYWORDS, NULL},
#define ARRAY_rows
#define METHODS(what)                                                                                                  \
	static PyObject *what##_arrow_schema(PyObject *self, PyObject *unused) {                                           \
		(void)unused;                                                                                                  \
		return to_schema(self, &of_##what);                                                                            \
	}                                                                                                                  \
	static PyObject *what##_arrow_array(PyObject *self, PyObject *args, PyObject *names) {                             \
		return to_array(self, args, names, &of_##what);                                                                \
	}                                                                                                                  \
	static PyObject *what##_arrow_stream(PyObject *self, PyObject *args, PyObject *names) {                            \
		return to_stream(self, args, names, &of_##what);                                                               \
	}                                                                                                                  \
	static PyMethodDef what##_methods[] = {                                                                            \
		ARRAY_##what{"__arrow_c_schema__", what##_arrow_schema, METH_NOARGS, NULL},                                    \
		{"__arrow_c_array__", (PyCFunction)(void (*)(void))what##_arrow_array, METH_VARARGS | METH_KEYWORDS, NULL},    \
		{"__arrow_c_stream__", (PyCFunction)(void (*)(void))what##_arrow_stream, METH_VARARGS | METH_KEYWORDS, NULL},  \
		{NULL, NULL, 0, NULL},                                                                                         \
	};

METHODS(values)

static PyType_Slot values_slots[] = {
	{Py_tp_new, values_new},
	{Py_tp_dealloc, values_dealloc},
	{Py_bf_getbuffer, values_buffer},
	{Py_tp_methods, values_methods},
	{Py_tp_doc, (void *)"One double for each partner, and which of them are known."},
	{0, NULL},
};
static PyType_Spec values_spec = {
	"_entente.Values",
	sizeof(values),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
	values_slots,
};

/* ---- Rows
 * ----------------------------------------------------------------------------------------------------------------------
 */

typedef struct rows {
	PyObject_HEAD PyObject *names, *known; /* lists of str, and of bytes: bits of the days that are known */
	Py_buffer *series;                     /* by partner: int64, a Series of the snapshot or whatever else lies so */
	Py_ssize_t n_series;
	int32_t *days;
	Py_ssize_t n_days;
} rows;

static int64_t nulls_of(const uint8_t *bits, Py_ssize_t n) {
	int64_t nulls = 0;
	for (Py_ssize_t i = 0; i < n; i++) {
		nulls += !(bits[i / 8] >> i % 8 & 1);
	}
	return nulls;
}

static void rows_schema(PyObject *self, struct ArrowSchema *out) {
	rows *r = (rows *)self;
	Py_ssize_t n = PyList_GET_SIZE(r->names);
	fill_schema(out, "+s", "");
	out->flags = 0;
	out->children = ent_xcalloc((size_t)n + 1, sizeof *out->children);
	out->n_children = n + 1;
	for (Py_ssize_t i = 0; i <= n; i++) {
		out->children[i] = ent_xcalloc(1, sizeof *out->children[i]);
		fill_schema(out->children[i], i ? "l" : "tdD", i ? PyUnicode_AsUTF8(PyList_GET_ITEM(r->names, i - 1)) : "day");
	}
}

static void rows_array(PyObject *self, struct ArrowArray *out) {
	rows *r = (rows *)self;
	Py_ssize_t n = PyList_GET_SIZE(r->names);
	fill_array(out, self, r->n_days, 0, NULL, NULL);
	out->children = ent_xcalloc((size_t)n + 1, sizeof *out->children);
	out->n_children = n + 1;
	for (Py_ssize_t i = 0; i <= n; i++) {
		out->children[i] = ent_xcalloc(1, sizeof *out->children[i]);
		if (!i) {
			fill_array(out->children[i], self, r->n_days, 0, NULL, r->days);
			continue;
		}
		const uint8_t *bits = (const uint8_t *)PyBytes_AS_STRING(PyList_GET_ITEM(r->known, i - 1));
		int64_t nulls = nulls_of(bits, r->n_days);
		fill_array(out->children[i], self, r->n_days, nulls, nulls ? bits : NULL, r->series[i - 1].buf);
	}
}

static const export of_rows = {rows_schema, rows_array};

METHODS(rows)

/* Are these names, and bits for as many days? What is handed out later rests on it. */
static bool rows_check(const rows *r, PyObject *series) {
	Py_ssize_t n = PyList_GET_SIZE(r->names);
	bool good = r->n_days >= 0 && n == PyList_GET_SIZE(series) && n == PyList_GET_SIZE(r->known);
	for (Py_ssize_t i = 0; good && i < n; i++) {
		PyObject *name = PyList_GET_ITEM(r->names, i), *known = PyList_GET_ITEM(r->known, i);
		good = PyUnicode_Check(name) && PyUnicode_AsUTF8(name) && PyBytes_Check(known) &&
			   PyBytes_GET_SIZE(known) >= (r->n_days + 7) / 8;
	}
	return good;
}

static bool rows_take(rows *r, PyObject *series) {
	bool good = true;
	r->series = ent_xcalloc((size_t)PyList_GET_SIZE(series) + 1, sizeof *r->series);
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(series) && good; i++) {
		Py_buffer *one = &r->series[i];
		if (PyObject_GetBuffer(PyList_GET_ITEM(series, i), one, PyBUF_CONTIG_RO | PyBUF_FORMAT)) {
			return false;
		}
		r->n_series++;
		good = one->format && strcmp(one->format, "q") == 0 && one->len == r->n_days * (Py_ssize_t)sizeof(int64_t);
	}
	return good;
}

static PyObject *rows_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
	PyObject *names, *series, *known;
	Py_ssize_t n_days;
	int day0;
	(void)keywords;
	if (!PyArg_ParseTuple(
			args, "inO!O!O!:Rows", &day0, &n_days, &PyList_Type, &names, &PyList_Type, &series, &PyList_Type, &known)) {
		return NULL;
	}
	rows *r = (rows *)type->tp_alloc(type, 0);
	if (!r) {
		return NULL;
	}
	r->names = PyList_GetSlice(names, 0, PyList_GET_SIZE(names)); /* lists of its own, which nobody can change */
	r->known = PyList_GetSlice(known, 0, PyList_GET_SIZE(known));
	r->n_days = n_days;
	if (!r->names || !r->known || !rows_check(r, series) || !rows_take(r, series)) {
		if (!PyErr_Occurred()) {
			PyErr_SetString(PyExc_ValueError, "rows are a name, a series of the same days, and bits for each partner");
		}
		Py_DECREF(r);
		return NULL;
	}
	r->days = ent_xcalloc((size_t)n_days + 1, sizeof *r->days);
	for (Py_ssize_t i = 0; i < n_days; i++) {
		r->days[i] = day0 + (int32_t)i;
	}
	return (PyObject *)r;
}

static void rows_dealloc(PyObject *self) {
	rows *r = (rows *)self;
	PyTypeObject *type = Py_TYPE(self);
	for (Py_ssize_t i = 0; i < r->n_series; i++) {
		PyBuffer_Release(&r->series[i]);
	}
	free(r->series);
	free(r->days);
	Py_XDECREF(r->names);
	Py_XDECREF(r->known);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyType_Slot rows_slots[] = {
	{Py_tp_new, rows_new},
	{Py_tp_dealloc, rows_dealloc},
	{Py_tp_methods, rows_methods},
	{Py_tp_doc, (void *)"Days by partners: each partner a column in the snapshot's memory."},
	{0, NULL},
};
static PyType_Spec rows_spec = {
	"_entente.Rows",
	sizeof(rows),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
	rows_slots,
};

int ent__columns_types(PyObject *module) {
	PyObject *v = PyType_FromSpec(&values_spec), *r = PyType_FromSpec(&rows_spec);
	int status = v && r ? PyModule_AddObjectRef(module, "Values", v) || PyModule_AddObjectRef(module, "Rows", r) : -1;
	Py_XDECREF(v);
	Py_XDECREF(r);
	return status ? -1 : 0;
}
