/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence as JSON: every figure that a rule read, written as record.py writes it. That is more text than all else that a
 * rule leaves behind. Numbers beyond 53 bits, and names that need escapes, are left to record.py. */
#include "base/buf.h"
#include "base/day.h"
#include "rules/rules.h"

#include <math.h>
#include <stdio.h>

enum { FIELDS = 13, EXACT_BITS = 53 };

static ent_buf out; /* reused: one thread */

static void put(const char *text, size_t n) { ent_buf_add(&out, text, n); }
#define PUT(literal) put(literal, sizeof literal - 1)

static void put_integer(long long v) {
	char digits[24], *at = digits + sizeof digits;
	unsigned long long u = v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v;
	do {
		*--at = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0) {
		*--at = '-';
	}
	put(at, (size_t)(digits + sizeof digits - at));
}

/* Text of JSON without quotes; false if it needs escapes. */
static bool put_plain(PyObject *o) {
	Py_ssize_t n;
	const char *text = PyUnicode_Check(o) ? PyUnicode_AsUTF8AndSize(o, &n) : NULL;
	if (!text) {
		PyErr_Clear();
		return false;
	}
	for (Py_ssize_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < 0x20 || c == '"' || c == '\\') {
			return false;
		}
	}
	put(text, (size_t)n);
	return true;
}

static bool put_double(double v, char format, int digits, int flags) {
	char *text = PyOS_double_to_string(v, format, digits, flags, NULL);
	if (!text) {
		return false;
	}
	put(text, strlen(text));
	PyMem_Free(text);
	return true;
}

/* With commas between thousands. */
static bool put_grouped(double v, int digits) {
	char *text = PyOS_double_to_string(v, 'f', digits, 0, NULL);
	if (!text) {
		return false;
	}
	const char *p = text;
	if (*p == '-') {
		put(p++, 1);
	}
	size_t whole = strspn(p, "0123456789");
	for (size_t i = 0; i < whole; i++) {
		if (i && (whole - i) % 3 == 0) {
			PUT(",");
		}
		put(p + i, 1);
	}
	put(p + whole, strlen(p + whole));
	PyMem_Free(text);
	return true;
}

/* As Quantity.__str__ says it. */
static bool put_spoken(double v, const ent__unit *u) {
	bool good;
	double size = fabs(v);
	switch (u->which) {
	case ENT__MONEY:
		good = put_grouped(v, size >= 100 ? 0 : 2);
		PUT(" ");
		put(u->currency, strlen(u->currency));
		return good;
	case ENT__RATIO:
		good = put_double(v * 100, 'f', size >= 0.1 ? 1 : 2, 0);
		PUT("%");
		return good;
	case ENT__SECONDS:
		good = put_double(v, 'f', 1, 0);
		PUT(" s");
		return good;
	default:
		good = put_grouped(v, size >= 100 || v == trunc(v) ? 0 : 1);
		if (u->which != ENT__COUNT) {
			PUT(" ");
			put(u->kind, strlen(u->kind));
		}
		return good;
	}
}

static bool put_number(double v) {
	if (v == trunc(v) && fabs(v) < 1e15) {
		if (v == 0 && signbit(v)) {
			PUT("-");
		}
		put_integer((long long)v);
		PUT(".0");
		return true;
	}
	return put_double(v, 'r', 0, Py_DTSF_ADD_DOT_0);
}

static bool exact(PyObject *o, long long *v) {
	int overflow;
	*v = PyLong_AsLongLongAndOverflow(o, &overflow);
	return !overflow && !(*v == -1 && PyErr_Occurred()) && *v < 1LL << EXACT_BITS && *v > -(1LL << EXACT_BITS);
}

/* The same few days come again and again. */
static void put_day(long long day) {
	static struct {
		char text[16];
		int32_t day;
	} seen[256];
	unsigned at = (unsigned)day % 256;
	if (seen[at].day != day || !seen[at].text[0]) {
		ent_day_text((int32_t)day, seen[at].text);
		seen[at].day = (int32_t)day;
	}
	put(seen[at].text, 10);
}

static void put_days(const char *name, long long days) {
	PUT(",\"");
	put(name, strlen(name));
	PUT("\":");
	if (days >= 0) {
		put_integer(days);
	} else {
		PUT("null");
	}
}

/* False, perhaps with an exception, if it is not simple; what was written of it is to be thrown away then. */
static bool put_read(PyObject *read) {
	static const char *const states[] = {"known", "no_coverage", "no_rate", "no_denominator"};
	if (!PyTuple_Check(read) || PyTuple_GET_SIZE(read) != FIELDS) {
		return false;
	}
	PyObject *const *f = &PyTuple_GET_ITEM(read, 0);
	long long start, stop, state, top, bottom, covered, declared, size;
	const ent__unit *u = ent__unit_of(f[6]);
	if (!u || !exact(f[1], &start) || !exact(f[2], &stop) || !exact(f[3], &state) || !exact(f[4], &top) ||
		!exact(f[5], &bottom) || !exact(f[7], &covered) || !exact(f[8], &declared) || !exact(f[12], &size)) {
		return false;
	}
	if (state < 0 || state > 3 || bottom <= 0 || bottom >= (1LL << EXACT_BITS) / u->scale || start < -700000 ||
		stop > 2900000) {
		return false;
	}
	PUT("{\"metric\":\"");
	if (!put_plain(f[0])) {
		return false;
	}
	PUT("\",\"from\":\"");
	put_day(start);
	PUT("\",\"through\":\"");
	put_day(stop - 1);
	PUT("\",\"days\":");
	put_integer(stop - start);
	PUT(",\"value\":\"");
	if (state == ENT_WINDOW_KNOWN) {
		double v = (double)top / (double)(bottom * u->scale); /* both exact: rounded once, as Python does */
		if (!put_spoken(v, u)) {
			return false;
		}
		PUT("\",\"number\":");
		if (!put_number(v)) {
			return false;
		}
	} else {
		PUT("\",\"number\":null");
	}
	PUT(",\"unit\":\"");
	const char *unit = *u->currency ? u->currency : u->kind;
	put(unit, strlen(unit));
	PUT("\",\"state\":\"");
	put(states[state], strlen(states[state]));
	PUT("\"");
	put_days("covered", covered);
	put_days("declared", declared);
	PUT(",\"origin\":\"");
	if (!put_plain(f[9])) {
		return false;
	}
	PUT("\",\"slice\":\"");
	if (!put_plain(f[10])) {
		return false;
	}
	PUT("\",\"cohort\":\"");
	if (!put_plain(f[11])) {
		return false;
	}
	PUT("\",\"size\":");
	put_integer(size);
	PUT("}");
	return true;
}

static bool put_all(PyObject *parts) {
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(parts); i++) {
		PyObject *part = PyTuple_GET_ITEM(parts, i);
		if (!PyBytes_Check(part)) {
			PyErr_SetString(PyExc_TypeError, "what stands before and after the evidence is bytes");
			return false;
		}
		put(PyBytes_AS_STRING(part), (size_t)PyBytes_GET_SIZE(part));
	}
	return true;
}

/* evidence(reads, written, before, after) -> bytes: the reads as JSON between commas, the parts of `before` in front of
 * them, those of `after` behind. written(read) writes what is not simple. */
static PyObject *evidence(PyObject *self, PyObject *const *args, Py_ssize_t n) {
	(void)self;
	if (n != 4 || !PyList_Check(args[0]) || !PyTuple_Check(args[2]) || !PyTuple_Check(args[3])) {
		PyErr_SetString(PyExc_TypeError, "evidence() takes a list of reads, what writes the odd ones, and two tuples of bytes");
		return NULL;
	}
	out.n = 0;
	if (!put_all(args[2])) {
		return NULL;
	}
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[0]); i++) {
		PyObject *read = PyList_GET_ITEM(args[0], i);
		if (i) {
			PUT(",");
		}
		size_t before = out.n;
		if (put_read(read)) {
			continue;
		}
		PyErr_Clear();
		out.n = before;
		PyObject *said = PyObject_CallOneArg(args[1], read);
		PyObject *bytes = said ? PyUnicode_AsEncodedString(said, "utf-8", "replace") : NULL;
		Py_XDECREF(said);
		if (!bytes) {
			return NULL;
		}
		put(PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
		Py_DECREF(bytes);
	}
	return put_all(args[3]) ? PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.n) : NULL;
}

static PyMethodDef evidence_method = {
	"evidence", (PyCFunction)(void (*)(void))evidence, METH_FASTCALL, "What a rule read, as JSON."};

int ent__evidence_function(PyObject *module) {
	PyObject *function = PyCFunction_New(&evidence_method, NULL);
	int status = function ? PyModule_AddObjectRef(module, "evidence", function) : -1;
	Py_XDECREF(function);
	return status;
}
