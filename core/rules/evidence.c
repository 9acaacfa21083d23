/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence as JSON: every figure that a rule read, written as record.py writes it. That is more text than all else that
 * a rule leaves behind. Numbers beyond 53 bits, and names that need escapes, are left to record.py. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/day.h"
#include "rules/rules.h"

#include <math.h>
#include <stdio.h>

enum { EXACT_BITS = 53 };

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

/* The shortest digits that are that double, as repr() gives them. Up to 15 of them are never two doubles' own: a
 * decimal that short is its own repr. */
static bool put_number(double v, long long top, long long bottom, long long scale) {
	if (bottom == 1 && top && size_of(top) < 1000000000000000u && size_of(top) * 10000 >= (unsigned long long)scale) {
		char text[24], *end = text + sizeof text, *at;
		unsigned long long n = size_of(top), whole = n / (unsigned long long)scale,
						   rest = n % (unsigned long long)scale;
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

/* A read as numbers. */
typedef struct said {
	PyObject *metric, *origin, *slice, *cohort, *sharing;
	const ent__unit *unit;
	long long start, stop, state, top, bottom, covered, declared, size;
} said;

/* False, perhaps with an exception, if it is not simple. */
static bool take_tuple(PyObject *read, said *s) {
	if (!PyTuple_Check(read) || PyTuple_GET_SIZE(read) != ENT__READ_FIELDS) {
		return false;
	}
	PyObject *const *f = &PyTuple_GET_ITEM(read, 0);
	s->metric = f[0];
	s->origin = f[9];
	s->slice = f[10];
	s->cohort = f[11];
	s->sharing = f[13];
	s->unit = ent__unit_of(f[6]);
	return s->unit && exact(f[1], &s->start) && exact(f[2], &s->stop) && exact(f[3], &s->state) &&
		   exact(f[4], &s->top) && exact(f[5], &s->bottom) && exact(f[7], &s->covered) && exact(f[8], &s->declared) &&
		   exact(f[12], &s->size);
}

static bool is_exact(__int128 v) { return v < (__int128)1 << EXACT_BITS && v > -((__int128)1 << EXACT_BITS); }

static bool take_entry(const ent__entry *x, const ent__look_names *names, said *s) {
	const ent_window *w = &x->window;
	*s = (said){.metric = names->metric,
		.origin = names->origin,
		.unit = ent__unit_of(names->unit),
		.start = x->start,
		.stop = x->stop,
		.state = w->state,
		.top = (long long)w->top,
		.bottom = (long long)w->bottom,
		.covered = w->covered,
		.declared = w->declared};
	return s->unit && is_exact(w->top) && is_exact(w->bottom);
}

/* Who may know of it, as classes.py has it: what nothing is said of is released if it is of a cohort, else theirs. */
static bool put_class(const said *s) {
	if (!PyUnicode_Check(s->sharing) || !PyUnicode_Check(s->cohort)) {
		return false;
	}
	if (PyUnicode_GET_LENGTH(s->sharing)) {
		if (!put_plain(s->sharing)) {
			return false;
		}
	} else if (PyUnicode_GET_LENGTH(s->cohort)) {
		PUT("released");
	} else {
		PUT("theirs");
	}
	PUT("\"}");
	return true;
}

/* False, perhaps with an exception, if it is not simple; what was written of it is to be thrown away then. */
static bool put_said(const said *s) {
	static const char *const states[] = {"known", "no_coverage", "no_rate", "no_denominator"};
	const ent__unit *u = s->unit;
	if (s->state < 0 || s->state > 3 || s->bottom <= 0 || s->bottom >= (1LL << EXACT_BITS) / u->scale ||
		s->start < -700000 || s->stop > 2900000) {
		return false;
	}
	PUT("{\"metric\":\"");
	if (!put_plain(s->metric)) {
		return false;
	}
	PUT("\",\"from\":\"");
	put_day(s->start);
	PUT("\",\"through\":\"");
	put_day(s->stop - 1);
	PUT("\",\"days\":");
	put_integer(s->stop - s->start);
	PUT(",\"value\":\"");
	if (s->state == ENT_WINDOW_KNOWN) {
		double v = (double)s->top / (double)(s->bottom * u->scale); /* both exact: rounded once, as Python does */
		if (!put_spoken(v, u)) {
			return false;
		}
		PUT("\",\"number\":");
		if (!put_number(v, s->top, s->bottom, u->scale)) {
			return false;
		}
	} else {
		PUT("\",\"number\":null");
	}
	PUT(",\"unit\":\"");
	const char *unit = *u->currency ? u->currency : u->kind;
	put(unit, strlen(unit));
	PUT("\",\"state\":\"");
	put(states[s->state], strlen(states[s->state]));
	PUT("\"");
	put_days("covered", s->covered);
	put_days("declared", s->declared);
	PUT(",\"origin\":\"");
	if (!put_plain(s->origin)) {
		return false;
	}
	if (!s->slice) { /* read by a Look */
		PUT("\",\"slice\":\"\",\"cohort\":\"\",\"size\":0,\"class\":\"theirs\"}");
		return true;
	}
	PUT("\",\"slice\":\"");
	if (!put_plain(s->slice)) {
		return false;
	}
	PUT("\",\"cohort\":\"");
	if (!put_plain(s->cohort)) {
		return false;
	}
	PUT("\",\"size\":");
	put_integer(s->size);
	PUT(",\"class\":\"");
	return put_class(s);
}

/* What a Look read is written once, however many rules ask for it, and a figure of a cohort once for all its partners.
 */
enum { KEPT_MOST = 1 << 20 };
static ent_buf kept; /* texts of entries, until it is full */
static uint32_t page = 1;

/* Of whole reads, by their address. */
static struct {
	PyObject *read;
	char *text;
	size_t n;
} figures[64];

static bool put_entry(const ent__read *r) {
	ent__look_names names;
	said s;
	ent__entry *x = ent__look_entry(r->object, r->entry, &names);
	if (x->page == page) {
		put((const char *)kept.data + x->text, x->text_n);
		return true;
	}
	size_t before = out.n;
	if (!take_entry(x, &names, &s) || !put_said(&s)) {
		return false;
	}
	if (kept.n < KEPT_MOST) {
		x->text = (uint32_t)kept.n;
		x->text_n = (uint32_t)(out.n - before);
		x->page = page;
		ent_buf_add(&kept, out.data + before, out.n - before);
	}
	return true;
}

static bool put_tuple(PyObject *read) {
	said s;
	unsigned at = (unsigned)((uintptr_t)read >> 4) % (sizeof figures / sizeof *figures);
	if (figures[at].read == read) {
		put(figures[at].text, figures[at].n);
		return true;
	}
	size_t before = out.n;
	if (!take_tuple(read, &s) || !put_said(&s)) {
		return false;
	}
	if (s.size > 0) { /* of a cohort */
		figures[at].n = out.n - before;
		figures[at].text = ent_xrealloc(figures[at].text, figures[at].n + 1);
		memcpy(figures[at].text, out.data + before, figures[at].n);
		Py_XSETREF(figures[at].read, Py_NewRef(read));
	}
	return true;
}

static bool put_read(const ent__read *r) {
	return r->entry == ENT__READ_IS_WHOLE ? put_tuple(r->object) : put_entry(r);
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

/* What Python wrote: takes the reference, which may be NULL after an exception. */
static bool put_told(PyObject *told) {
	PyObject *bytes = told ? PyUnicode_AsEncodedString(told, "utf-8", "replace") : NULL;
	Py_XDECREF(told);
	if (bytes) {
		put(PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
		Py_DECREF(bytes);
	}
	return bytes != NULL;
}

/* A read, however odd; false with an exception. */
static bool put_any(const ent__read *r, PyObject *written) {
	size_t before = out.n;
	if (put_read(r)) {
		return true;
	}
	PyErr_Clear();
	out.n = before;
	PyObject *read = ent__read_whole(r);
	bool good = put_told(read ? PyObject_CallOneArg(written, read) : NULL);
	Py_XDECREF(read);
	return good;
}

/* Of a Reads or a list; false with an exception. */
static bool put_reads(PyObject *reads, PyObject *written) {
	size_t n = 0;
	const ent__read *items = NULL;
	bool list = !ent__reads_of(reads, &items, &n);
	n = list ? (size_t)PyList_GET_SIZE(reads) : n;
	for (size_t i = 0; i < n; i++) {
		ent__read one = list ? (ent__read){PyList_GET_ITEM(reads, (Py_ssize_t)i), ENT__READ_IS_WHOLE} : items[i];
		if (i) {
			PUT(",");
		}
		if (!put_any(&one, written)) {
			return false;
		}
	}
	return true;
}

static void begin(void) {
	out.n = 0;
	if (kept.n >= KEPT_MOST) {
		kept.n = 0;
		page++;
	}
}

/* ---- findings -----------------------------------------------------------------------------------------------------
 */

/* The fields of a Finding, as findings.py lists them. */
enum { KIND, TEXT, KEY, WORTH, PER, SEVERITY, CONFIDENCE, RANK, OPEN, ROWS, CHART, DECIDES_ON, ASKS, REFERS, FINDING_FIELDS };

/* A text or nothing, with the name in front of it; false if it is neither, or needs escapes. */
static bool put_text(const char *name, size_t n, PyObject *o) {
	put(name, n);
	if (o == Py_None) {
		PUT("null");
		return true;
	}
	PUT("\"");
	if (!put_plain(o)) {
		return false;
	}
	PUT("\"");
	return true;
}
#define PUT_TEXT(name, o) put_text(name, sizeof name - 1, o)

static bool put_float(const char *name, size_t n, PyObject *o) {
	put(name, n);
	if (o == Py_None) {
		PUT("null");
		return true;
	}
	if (!PyFloat_CheckExact(o) || !isfinite(PyFloat_AS_DOUBLE(o))) {
		return false;
	}
	return put_number(PyFloat_AS_DOUBLE(o), 0, 1, 1);
}
#define PUT_FLOAT(name, o) put_float(name, sizeof name - 1, o)

/* False, perhaps with an exception, if it is not simple. */
static bool put_finding(PyObject *const *f) {
	if (f[OPEN] != Py_None || !PyTuple_CheckExact(f[ROWS]) || PyTuple_GET_SIZE(f[ROWS]) || f[CHART] != Py_None ||
		f[DECIDES_ON] != Py_None || f[REFERS] != Py_None || f[KIND] == Py_None || f[KEY] == Py_None || f[TEXT] == Py_None) {
		return false;
	}
	if (!PUT_TEXT("{\"kind\":", f[KIND]) || !PUT_TEXT(",\"key\":", f[KEY]) || !PUT_TEXT(",\"text\":", f[TEXT])) {
		return false;
	}
	PUT(",\"worth\":");
	if (f[WORTH] == Py_None) {
		PUT("null");
	} else {
		PyObject *micro = PyObject_GetAttrString(f[WORTH], "micro");
		int overflow;
		long long v = micro ? PyLong_AsLongLongAndOverflow(micro, &overflow) : -1;
		Py_XDECREF(micro);
		if (PyErr_Occurred() || overflow) {
			return false;
		}
		put_integer(v);
	}
	if (!PUT_TEXT(",\"per\":", f[PER]) || !PUT_TEXT(",\"severity\":", f[SEVERITY]) ||
		!PUT_FLOAT(",\"confidence\":", f[CONFIDENCE]) || !PUT_FLOAT(",\"rank\":", f[RANK])) {
		return false;
	}
	PUT("}");
	return true;
}

bool ent__finding_is_plain(PyObject *finding) {
	return PyTuple_Check(finding) && PyTuple_GET_SIZE(finding) == FINDING_FIELDS &&
		   PyTuple_CheckExact(PyTuple_GET_ITEM(finding, ASKS)) && !PyTuple_GET_SIZE(PyTuple_GET_ITEM(finding, ASKS));
}

/* Findings of a rule that missed nothing: it is true, but if all it says is that something is not known. */
static bool is_true(PyObject *found) {
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(found); i++) {
		PyObject *kind = PyTuple_GET_ITEM(PyList_GET_ITEM(found, i), KIND);
		if (!PyUnicode_Check(kind) || PyUnicode_CompareWithASCIIString(kind, "unknown")) {
			return true;
		}
	}
	return false;
}

static bool put_findings(PyObject *found, PyObject *finding_written) {
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(found); i++) {
		PyObject *finding = PyList_GET_ITEM(found, i);
		if (i) {
			PUT(",");
		}
		size_t before = out.n;
		if (put_finding(&PyTuple_GET_ITEM(finding, 0))) {
			continue;
		}
		PyErr_Clear();
		out.n = before;
		if (!put_told(PyObject_CallOneArg(finding_written, finding))) {
			return false;
		}
	}
	return true;
}

const char *ent__record(PyObject *found, PyObject *reads, const ent__record_parts *parts, size_t *n) {
	begin();
	put(PyBytes_AS_STRING(parts->head), (size_t)PyBytes_GET_SIZE(parts->head));
	put(PyBytes_AS_STRING(parts->partner), (size_t)PyBytes_GET_SIZE(parts->partner));
	if (!found || !PyList_GET_SIZE(found)) {
		PUT(",\"verdict\":false,\"findings\":[");
	} else if (is_true(found)) {
		PUT(",\"verdict\":true,\"findings\":[");
	} else {
		PUT(",\"verdict\":\"unknown\",\"findings\":[");
	}
	if (found && !put_findings(found, parts->finding)) {
		return NULL;
	}
	PUT("],\"evidence\":[");
	if (!put_reads(reads, parts->read)) {
		return NULL;
	}
	PUT("],\"asks\":[],\"missed\":[],\"error\":null,\"output\":\"\"}");
	*n = out.n;
	return (const char *)out.data;
}

/* evidence(reads, written, before, after) -> bytes: the reads as JSON between commas, the parts of `before` in front of
 * them, those of `after` behind. written(read) writes what is not simple. */
static PyObject *evidence(PyObject *self, PyObject *const *args, Py_ssize_t n) {
	(void)self;
	const ent__read *items;
	size_t unused;
	if (n != 4 || !(PyList_Check(args[0]) || ent__reads_of(args[0], &items, &unused)) || !PyTuple_Check(args[2]) ||
		!PyTuple_Check(args[3])) {
		PyErr_SetString(
			PyExc_TypeError, "evidence() takes a list of reads, what writes the odd ones, and two tuples of bytes");
		return NULL;
	}
	begin();
	return put_all(args[2]) && put_reads(args[0], args[1]) && put_all(args[3])
			   ? PyBytes_FromStringAndSize((const char *)out.data, (Py_ssize_t)out.n)
			   : NULL;
}

static PyMethodDef evidence_method = {
	"evidence", (PyCFunction)(void (*)(void))evidence, METH_FASTCALL, "What a rule read, as JSON."};

int ent__evidence_function(PyObject *module) {
	PyObject *function = PyCFunction_New(&evidence_method, NULL);
	int status = function ? PyModule_AddObjectRef(module, "evidence", function) : -1;
	Py_XDECREF(function);
	return status;
}
