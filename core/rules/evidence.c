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

/* Always inline: most of what is put is constant, and its copy becomes a store or two. */
static inline __attribute__((always_inline)) void put(const char *text, size_t n) {
	if (__builtin_expect(out.capacity - out.n < n, 0)) {
		ent_buf_reserve(&out, n);
	}
	memcpy(out.data + out.n, text, n);
	out.n += n;
}
#define PUT(literal) put(literal, sizeof literal - 1)

/* `at` is the end of a buffer. Returns where the digits begin. */
static char *digits_of(unsigned long long v, char *at) {
	do {
		*--at = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return at;
}

static unsigned long long size_of(long long v) { return v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v; }

static void put_integer(long long v) {
	char digits[24], *end = digits + sizeof digits, *at = digits_of(size_of(v), end);
	if (v < 0) {
		*--at = '-';
	}
	put(at, (size_t)(end - at));
}

/* Text of JSON without quotes; false if it needs escapes. */
static bool put_plain(PyObject *o) {
	Py_ssize_t n;
	if (PyUnicode_CheckExact(o) && PyUnicode_GET_LENGTH(o) == 0) {
		return true;
	}
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

/* Digits with commas between thousands. */
static void put_thousands(const char *p, size_t n) {
	char text[64];
	size_t used = 0;
	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0) {
			text[used++] = ',';
		}
		text[used++] = p[i];
	}
	put(text, used);
}

/* With a fixed number of digits (0 to 2) after the point, commas between thousands if `grouped`. */
static bool put_fixed(double v, int digits, bool grouped) {
	static const double powers[] = {1, 10, 100};
	double scaled = fabs(v) * powers[digits], whole = floor(scaled), rest = scaled - whole;
	if (scaled < 1e9 && fabs(rest - 0.5) > 1e-5) { /* far enough from the middle for the product to be rounded itself */
		char text[24], *end = text + sizeof text;
		unsigned long long n = (unsigned long long)whole + (rest > 0.5), one = (unsigned long long)powers[digits];
		if (signbit(v)) {
			PUT("-");
		}
		char *at = digits_of(n / one, end);
		if (grouped) {
			put_thousands(at, (size_t)(end - at));
		} else {
			put(at, (size_t)(end - at));
		}
		if (digits) {
			char point[4] = {'.', (char)('0' + n % one * 10 / one), (char)('0' + n % 10)};
			put(point, (size_t)digits + 1);
		}
		return true;
	}
	char *text = PyOS_double_to_string(v, 'f', digits, 0, NULL);
	if (!text) {
		return false;
	}
	const char *p = text;
	if (*p == '-') {
		put(p++, 1);
	}
	size_t n = strspn(p, "0123456789");
	if (grouped && n <= 40) {
		put_thousands(p, n);
	} else {
		put(p, n);
	}
	put(p + n, strlen(p + n));
	PyMem_Free(text);
	return true;
}

/* As Quantity.__str__ says it. */
static bool put_spoken(double v, const ent__unit *u) {
	bool good;
	double size = fabs(v);
	switch (u->which) {
	case ENT__MONEY:
		good = put_fixed(v, size >= 100 ? 0 : 2, true);
		PUT(" ");
		put(u->currency, strlen(u->currency));
		return good;
	case ENT__RATIO:
		good = put_fixed(v * 100, size >= 0.1 ? 1 : 2, false);
		PUT("%");
		return good;
	case ENT__SECONDS:
		good = put_fixed(v, 1, false);
		PUT(" s");
		return good;
	default:
		good = put_fixed(v, size >= 100 || v == trunc(v) ? 0 : 1, true);
		if (u->which != ENT__COUNT) {
			PUT(" ");
			put(u->kind, strlen(u->kind));
		}
		return good;
	}
}

/* The shortest digits that are that double, as repr() gives them. Up to 15 of them are never two doubles' own: a decimal
 * that short is its own repr. */
static bool put_number(double v, long long top, long long bottom, long long scale) {
	if (bottom == 1 && top && size_of(top) < 1000000000000000u && size_of(top) * 10000 >= (unsigned long long)scale) {
		char text[24], *end = text + sizeof text, *at;
		unsigned long long n = size_of(top), whole = n / (unsigned long long)scale, rest = n % (unsigned long long)scale;
		if (top < 0) {
			PUT("-");
		}
		at = digits_of(whole, end);
		put(at, (size_t)(end - at));
		PUT(".");
		if (!rest) {
			PUT("0");
			return true;
		}
		at = digits_of(rest + (unsigned long long)scale, end) + 1; /* with its leading zeros */
		while (end[-1] == '0') {
			end--;
		}
		put(at, (size_t)(end - at));
		return true;
	}
	char *text = PyOS_double_to_string(v, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
	if (!text) {
		return false;
	}
	put(text, strlen(text));
	PyMem_Free(text);
	return true;
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
		if (!put_number(v, top, bottom, u->scale)) {
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
