/* SPDX-License-Identifier: Apache-2.0
 *
 * sys.stdout and sys.stderr of scripts: a writer into one small buffer, which the record of the rule takes along. A rule
 * that prints without end costs no more than the buffer. */
#include "rules/rules.h"

#include <string.h>

#define OUTPUT_LIMIT 16384
#define CUT "... (cut)\n"

static char text[OUTPUT_LIMIT];
static size_t used;
static bool cut;

/* A cut must not fall into a character. */
static size_t whole_characters(const char *p, size_t n) {
	while (n > 0 && ((unsigned char)p[n] & 0xc0) == 0x80) {
		n--;
	}
	return n;
}

static PyObject *writer_write(PyObject *self, PyObject *arg) {
	(void)self;
	if (!PyUnicode_Check(arg)) {
		return PyErr_Format(PyExc_TypeError, "write() takes a str, not %.100s", Py_TYPE(arg)->tp_name);
	}
	Py_ssize_t length = PyUnicode_GET_LENGTH(arg);
	/* Lone surrogates have no UTF-8: shown as escapes, for print() must not fail because of what it prints. */
	PyObject *bytes = PyUnicode_AsEncodedString(arg, "utf-8", "backslashreplace");
	if (!bytes) {
		return NULL;
	}
	if (!cut) {
		const char *p = PyBytes_AS_STRING(bytes);
		size_t n = (size_t)PyBytes_GET_SIZE(bytes), room = OUTPUT_LIMIT - used;
		if (n > room) {
			n = whole_characters(p, room);
			cut = true;
		}
		memcpy(text + used, p, n);
		used += n;
	}
	Py_DECREF(bytes);
	return PyLong_FromSsize_t(length);
}

static PyObject *writer_none(PyObject *self, PyObject *unused) {
	(void)self;
	(void)unused;
	Py_RETURN_NONE;
}

static PyObject *writer_true(PyObject *self, PyObject *unused) {
	(void)self;
	(void)unused;
	Py_RETURN_TRUE;
}

static PyObject *writer_false(PyObject *self, PyObject *unused) {
	(void)self;
	(void)unused;
	Py_RETURN_FALSE;
}

static PyObject *writer_fileno(PyObject *self, PyObject *unused) {
	(void)self;
	(void)unused;
	PyErr_SetString(PyExc_OSError, "what rules print is kept with the rule: there is no file");
	return NULL;
}

static PyMethodDef writer_methods[] = {
	{"write", writer_write, METH_O, NULL},
	{"flush", writer_none, METH_NOARGS, NULL},
	{"close", writer_none, METH_NOARGS, NULL},
	{"isatty", writer_false, METH_NOARGS, NULL},
	{"readable", writer_false, METH_NOARGS, NULL},
	{"seekable", writer_false, METH_NOARGS, NULL},
	{"writable", writer_true, METH_NOARGS, NULL},
	{"fileno", writer_fileno, METH_NOARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static PyObject *get_text(PyObject *self, void *closure) {
	(void)self;
	return PyUnicode_FromString(closure);
}

static PyObject *get_closed(PyObject *self, void *closure) {
	(void)self;
	(void)closure;
	Py_RETURN_FALSE;
}

static char encoding[] = "utf-8", errors[] = "backslashreplace";

static PyGetSetDef writer_fields[] = {
	{"encoding", get_text, NULL, NULL, encoding},
	{"errors", get_text, NULL, NULL, errors},
	{"closed", get_closed, NULL, NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot writer_slots[] = {
	{Py_tp_methods, writer_methods},
	{Py_tp_getset, writer_fields},
	{0, NULL},
};
static PyType_Spec writer_spec = {
	"_entente.Writer", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, writer_slots,
};

int ent__output_install(void) {
	PyObject *type = PyType_FromSpec(&writer_spec);
	PyObject *writer = type ? PyType_GenericAlloc((PyTypeObject *)type, 0) : NULL;
	int status = -1;
	if (writer) {
		static const char *const names[] = {"stdout", "stderr", "__stdout__", "__stderr__"};
		status = 0;
		for (size_t i = 0; i < sizeof names / sizeof *names && !status; i++) {
			status = PySys_SetObject(names[i], writer);
		}
	}
	Py_XDECREF(writer);
	Py_XDECREF(type);
	return status;
}

void ent__output_clear(void) {
	used = 0;
	cut = false;
}

bool ent__output_any(void) { return used > 0; }

PyObject *ent__output_take(void) {
	PyObject *s = PyUnicode_DecodeUTF8(text, (Py_ssize_t)used, "replace");
	if (s && cut) {
		PyObject *whole = PyUnicode_FromFormat("%U\n" CUT, s);
		Py_DECREF(s);
		s = whole;
	}
	ent__output_clear();
	return s;
}
