/* SPDX-License-Identifier: Apache-2.0
 *
 * _entente.Figure: what entente.Quantity is made of, a number top / bottom in 1/scale of its unit. Sums, products,
 * quotients and comparisons of numbers that fit 64 bits are worked out here; all others, and every mistake, are handed
 * to the methods of the same meaning in quantity.py (_sum, _product, _quotient, _divided, _against), whose results
 * these are. */
#include "rules/rules.h"

#include <stddef.h>
#include <structmember.h>

typedef struct figure {
	PyObject_HEAD long long top, bottom; /* bottom > 0 */
	PyObject *big_top, *big_bottom;      /* int, where 64 bits do not hold it; else NULL */
	PyObject *unit;                      /* entente's Unit */
	double coverage, grade;
} figure;

static PyTypeObject *figure_class;
static PyObject *exact_pairs; /* dict: float to (top, bottom), as it was written; filled by quantity.py */

/* ---- units --------------------------------------------------------------------------------------------------------
 */

enum { MOST_UNITS = 32 };
#define EXACT (1LL << 53) /* integers up to it are doubles */
static ent__unit units[MOST_UNITS];
static unsigned n_units;

static const char *attribute(PyObject *o, const char *name) {
	PyObject *text = PyObject_GetAttrString(o, name); /* kept: units live as long as the process */
	return text && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;
}

const ent__unit *ent__unit_of(PyObject *object) {
	for (unsigned i = 0; i < n_units; i++) {
		if (units[i].object == object) {
			return &units[i];
		}
	}
	static const char *const kinds[] = {[ENT__COUNT] = "count",
		[ENT__RATIO] = "ratio",
		[ENT__PIECES] = "pieces",
		[ENT__MONEY] = "money",
		[ENT__SECONDS] = "seconds",
		[ENT__DAYS] = "days"};
	ent__unit u = {.object = object, .kind = attribute(object, "kind"), .currency = attribute(object, "currency")};
	PyObject *scale = u.kind && u.currency && n_units < MOST_UNITS ? PyObject_GetAttrString(object, "scale") : NULL;
	u.scale = scale ? PyLong_AsLongLong(scale) : 0;
	Py_XDECREF(scale);
	if (u.scale <= 0) {
		PyErr_Clear();
		return NULL;
	}
	for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++) {
		if (strcmp(kinds[i], u.kind) == 0) {
			u.which = i;
			Py_INCREF(object);
			units[n_units] = u;
			return &units[n_units++];
		}
	}
	return NULL;
}

static PyObject *ratio_unit(void) {
	for (unsigned i = 0; i < n_units; i++) {
		if (units[i].which == ENT__RATIO) {
			return units[i].object;
		}
	}
	return NULL;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------
 */

typedef struct pair {
	long long top, bottom;
} pair;

static bool small(PyObject *o, long long *v) {
	int overflow;
	*v = PyLong_AsLongLongAndOverflow(o, &overflow);
	return !overflow;
}

static bool figure_pair(const figure *f, pair *p) {
	*p = (pair){f->top, f->bottom};
	return !f->big_top && !f->big_bottom;
}

/* A plain number as a fraction, where that is known without asking. */
static bool number_pair(PyObject *o, pair *p) {
	if (PyLong_CheckExact(o)) {
		p->bottom = 1;
		return small(o, &p->top);
	}
	if (PyFloat_CheckExact(o) && exact_pairs) {
		PyObject *found = PyDict_GetItemWithError(exact_pairs, o); /* borrowed */
		return found && PyTuple_CheckExact(found) && small(PyTuple_GET_ITEM(found, 0), &p->top) &&
			   small(PyTuple_GET_ITEM(found, 1), &p->bottom);
	}
	return false;
}

static bool is_figure(PyObject *o) { return PyObject_TypeCheck(o, figure_class); }

static figure *allocate(PyTypeObject *type, PyObject *unit, double coverage) {
	figure *f = (figure *)type->tp_alloc(type, 0);
	if (f) {
		f->unit = Py_NewRef(unit);
		f->coverage = coverage;
		f->grade = 1.0;
	}
	return f;
}

PyObject *ent__figure_new(PyTypeObject *type, PyObject *top, PyObject *bottom, PyObject *unit, double coverage) {
	figure *f = top && bottom ? allocate(type, unit, coverage) : NULL;
	if (f && !small(top, &f->top)) {
		f->big_top = Py_NewRef(top);
	}
	if (f && !small(bottom, &f->bottom)) {
		f->big_bottom = Py_NewRef(bottom);
	}
	Py_XDECREF(top);
	Py_XDECREF(bottom);
	return (PyObject *)f;
}

static bool fits(__int128 v) { return v == (long long)v; }

PyObject *ent__figure_of(PyTypeObject *type, __int128 top, __int128 bottom, PyObject *unit, double coverage) {
	if (!fits(top) || !fits(bottom)) {
		return ent__figure_new(type, ent__integer(top), ent__integer(bottom), unit, coverage);
	}
	figure *f = allocate(type, unit, coverage);
	if (f) {
		f->top = (long long)top;
		f->bottom = (long long)bottom;
	}
	return (PyObject *)f;
}

static PyObject *result(const figure *like, __int128 top, __int128 bottom, PyObject *unit, double coverage) {
	return ent__figure_of(Py_TYPE(like), bottom < 0 ? -top : top, bottom < 0 ? -bottom : bottom, unit, coverage);
}

static bool multiply(__int128 a, __int128 b, __int128 *out) { return !__builtin_mul_overflow(a, b, out); }

static PyObject *ask(PyObject *self, const char *method, PyObject *other) {
	return PyObject_CallMethod(self, method, "O", other);
}

/* What comes of two figures is known as well as the worse one. */
static PyObject *graded(PyObject *out, PyObject *a, PyObject *b) {
	if (out && is_figure(out)) {
		double x = is_figure(a) ? ((figure *)a)->grade : 1.0, y = is_figure(b) ? ((figure *)b)->grade : 1.0;
		((figure *)out)->grade = x < y ? x : y;
	}
	return out;
}

static double least(const figure *a, const figure *b) { return a->coverage < b->coverage ? a->coverage : b->coverage; }

/* ---- sums ---------------------------------------------------------------------------------------------------------
 */

/* a + sign b, or NULL without an exception where it is not simple. */
static PyObject *sum(figure *a, figure *b, int sign) {
	pair x, y;
	__int128 left, right, top, bottom;
	if (a->unit != b->unit || !figure_pair(a, &x) || !figure_pair(b, &y)) {
		return NULL;
	}
	if (x.bottom == y.bottom) {
		return result(a, (__int128)x.top + sign * (__int128)y.top, x.bottom, a->unit, least(a, b));
	}
	left = (__int128)x.top * y.bottom;
	right = (__int128)y.top * x.bottom * sign;
	bottom = (__int128)x.bottom * y.bottom;
	return __builtin_add_overflow(left, right, &top) ? NULL : result(a, top, bottom, a->unit, least(a, b));
}

static PyObject *whole(long long small, PyObject *big) { return big ? Py_NewRef(big) : PyLong_FromLongLong(small); }

static PyObject *get_top(PyObject *self, void *unused) {
	(void)unused;
	return whole(((figure *)self)->top, ((figure *)self)->big_top);
}

static PyObject *get_bottom(PyObject *self, void *unused) {
	(void)unused;
	return whole(((figure *)self)->bottom, ((figure *)self)->big_bottom);
}

/* With its top turned by `turn`, which gets one of more than 64 bits. */
static PyObject *turned(figure *f, bool negate, PyObject *(*turn)(PyObject *)) {
	PyObject *self = (PyObject *)f;
	if (!f->big_top && !f->big_bottom) {
		return graded(
			ent__figure_of(Py_TYPE(f), negate ? -(__int128)f->top : f->top, f->bottom, f->unit, f->coverage), self, self);
	}
	PyObject *top = get_top((PyObject *)f, NULL), *other = top ? turn(top) : NULL;
	Py_XDECREF(top);
	return graded(ent__figure_new(Py_TYPE(f), other, get_bottom(self, NULL), f->unit, f->coverage), self, self);
}

static PyObject *negative(PyObject *self) { return turned((figure *)self, true, PyNumber_Negative); }

static PyObject *absolute(PyObject *self) {
	return turned((figure *)self, ((figure *)self)->top < 0, PyNumber_Absolute);
}

static PyObject *add(PyObject *a, PyObject *b) {
	if (!is_figure(a)) {
		return graded(ask(b, "_sum", a), a, b);
	}
	PyObject *out = is_figure(b) ? sum((figure *)a, (figure *)b, 1) : NULL;
	return graded(out || PyErr_Occurred() ? out : ask(a, "_sum", b), a, b);
}

static PyObject *subtract(PyObject *a, PyObject *b) {
	PyObject *out = NULL;
	if (!is_figure(a)) { /* -b + a */
		PyObject *less = negative(b);
		out = less ? ask(less, "_sum", a) : NULL;
		Py_XDECREF(less);
		return graded(out, a, b);
	}
	if (is_figure(b)) {
		out = sum((figure *)a, (figure *)b, -1);
	}
	if (out || PyErr_Occurred()) {
		return graded(out, a, b);
	}
	PyObject *less = PyNumber_Negative(b);
	out = less ? ask(a, "_sum", less) : NULL;
	Py_XDECREF(less);
	return graded(out, a, b);
}

/* ---- products -----------------------------------------------------------------------------------------------------
 */

static PyObject *product(figure *a, PyObject *other) {
	pair x, y;
	__int128 top, bottom;
	PyObject *unit = a->unit;
	double coverage = a->coverage;
	if (is_figure(other)) {
		figure *b = (figure *)other;
		const ent__unit *u = ent__unit_of(a->unit), *v = ent__unit_of(b->unit);
		if (!u || !v || !figure_pair(a, &x) || !figure_pair(b, &y)) {
			return NULL;
		}
		/* A ratio or a count of something is that something; whatever else there is, quantity.py knows. */
		if (u->which == ENT__RATIO || u->which == ENT__COUNT) {
			if (v->which != ENT__RATIO) {
				unit = b->unit;
				v = u;
			}
		}
		if (v->which != ENT__RATIO && v->which != ENT__COUNT) {
			return NULL;
		}
		coverage = least(a, b);
	} else if (!figure_pair(a, &x) || !number_pair(other, &y)) {
		return NULL;
	}
	top = (__int128)x.top * y.top;
	bottom = (__int128)x.bottom * y.bottom;
	return result(a, top, bottom, unit, coverage);
}

static PyObject *times(PyObject *a, PyObject *b) {
	if (!is_figure(a)) {
		PyObject *other = a;
		a = b;
		b = other;
	}
	PyObject *out = product((figure *)a, b);
	return graded(out || PyErr_Occurred() ? out : ask(a, "_product", b), a, b);
}

static PyObject *quotient(figure *a, PyObject *other) {
	pair x, y;
	PyObject *unit = a->unit;
	double coverage = a->coverage;
	__int128 scale = 1, top, bottom;
	if (is_figure(other)) {
		figure *b = (figure *)other;
		const ent__unit *v = ent__unit_of(b->unit);
		if (!v || !figure_pair(a, &x) || !figure_pair(b, &y)) {
			return NULL;
		}
		coverage = least(a, b);
		if (b->unit == a->unit) {
			unit = ratio_unit();
		} else if (v->which == ENT__RATIO || v->which == ENT__COUNT || v->which == ENT__PIECES) {
			scale = v->scale;
		} else {
			return NULL;
		}
	} else if (!figure_pair(a, &x) || !number_pair(other, &y)) {
		return NULL;
	}
	if (!unit || y.top == 0 || !multiply((__int128)x.top * y.bottom, scale, &top)) {
		return NULL;
	}
	bottom = (__int128)x.bottom * y.top;
	return result(a, top, bottom, unit, coverage);
}

static PyObject *divide(PyObject *a, PyObject *b) {
	if (!is_figure(a)) {
		return graded(ask(b, "_divided", a), a, b);
	}
	PyObject *out = quotient((figure *)a, b);
	return graded(out || PyErr_Occurred() ? out : ask(a, "_quotient", b), a, b);
}

/* ---- comparisons: plain booleans ----------------------------------------------------------------------------------
 */

/* Negative, 0 or positive as f is less than, equal to or more than `other`; false where it is not simple. */
static bool against(figure *f, PyObject *other, int *out) {
	pair x, y;
	if (!figure_pair(f, &x)) {
		return false;
	}
	__int128 left, right;
	if (is_figure(other)) {
		figure *b = (figure *)other;
		if (b->unit != f->unit || !figure_pair(b, &y)) {
			return false;
		}
		left = (__int128)x.top * y.bottom;
		right = (__int128)y.top * x.bottom;
	} else {
		if (!number_pair(other, &y)) {
			return false;
		}
		left = (__int128)x.top * y.bottom;
		right = 0;
		if (y.top) { /* nothing is 0 in every unit; else money must not be compared with a bare number */
			const ent__unit *u = ent__unit_of(f->unit);
			if (!u || u->which == ENT__MONEY || !multiply((__int128)y.top * x.bottom, u->scale, &right)) {
				return false;
			}
		}
	}
	*out = (left > right) - (left < right);
	return true;
}

static PyObject *compare(PyObject *self, PyObject *other, int op) {
	int order = 0;
	if (!against((figure *)self, other, &order)) {
		PyObject *said = PyErr_Occurred() ? NULL : ask(self, "_against", other);
		if (!said) {
			PyObject *error = op == Py_EQ || op == Py_NE ? PyErr_Occurred() : NULL;
			if (!error || !PyErr_GivenExceptionMatches(error, PyExc_TypeError)) {
				return NULL;
			}
			PyErr_Clear(); /* things that cannot be compared are not equal */
			return PyBool_FromLong(op == Py_NE);
		}
		PyObject *zero = PyLong_FromLong(0);
		PyObject *out = zero ? PyObject_RichCompare(said, zero, op) : NULL;
		Py_XDECREF(zero);
		Py_DECREF(said);
		return out;
	}
	Py_RETURN_RICHCOMPARE(order, 0, op);
}

static int truth(PyObject *self) { return ((figure *)self)->top != 0 || ((figure *)self)->big_top; }

/* In whole units; quotients of exact numbers are rounded once, as Python divides integers. */
static PyObject *get_number(PyObject *self, void *unused) {
	(void)unused;
	figure *f = (figure *)self;
	const ent__unit *u = ent__unit_of(f->unit);
	long long bottom;
	if (u && !f->big_top && !f->big_bottom && f->top <= EXACT && f->top >= -EXACT &&
		!__builtin_mul_overflow(f->bottom, u->scale, &bottom) && bottom > 0 && bottom <= EXACT) {
		return PyFloat_FromDouble((double)f->top / (double)bottom);
	}
	PyObject *top = get_top(self, NULL), *below = get_bottom(self, NULL);
	PyObject *scale = PyObject_GetAttrString(f->unit, "scale");
	PyObject *product = below && scale ? PyNumber_Multiply(below, scale) : NULL;
	PyObject *number = top && product ? PyNumber_TrueDivide(top, product) : NULL;
	Py_XDECREF(top);
	Py_XDECREF(below);
	Py_XDECREF(scale);
	Py_XDECREF(product);
	return number;
}

/* The exact number, whatever it is counted in: equal ones have the same. */
static Py_hash_t hash(PyObject *self) {
	PyObject *fraction = PyObject_GetAttrString(self, "fraction");
	Py_hash_t h = fraction ? PyObject_Hash(fraction) : -1;
	Py_XDECREF(fraction);
	return h;
}

/* ---- the type -----------------------------------------------------------------------------------------------------
 */

static PyObject *new (PyTypeObject *type, PyObject *args, PyObject *names) {
	static const char *const keywords[] = {"top", "bottom", "unit", "coverage", "grade", NULL};
	PyObject *top, *bottom, *unit;
	double coverage = 1.0, grade = 1.0;
	if (!PyArg_ParseTupleAndKeywords(args, names, "O!O!O|dd:Quantity", (char **)keywords, &PyLong_Type, &top,
			&PyLong_Type, &bottom, &unit, &coverage, &grade)) {
		return NULL;
	}
	PyObject *made = ent__figure_new(type, Py_NewRef(top), Py_NewRef(bottom), unit, coverage);
	if (made) {
		((figure *)made)->grade = grade;
	}
	return made;
}

static void dealloc(PyObject *self) {
	figure *f = (figure *)self;
	PyTypeObject *type = Py_TYPE(self);
	Py_XDECREF(f->big_top);
	Py_XDECREF(f->big_bottom);
	Py_XDECREF(f->unit);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMemberDef members[] = {
	{"unit", T_OBJECT_EX, offsetof(figure, unit), READONLY, NULL},
	{"coverage", T_DOUBLE, offsetof(figure, coverage), READONLY, "share of the days that sources speak for"},
	{"grade", T_DOUBLE, offsetof(figure, grade), READONLY, "how well it is known"},
	{NULL, 0, 0, 0, NULL},
};

static PyGetSetDef fields[] = {
	{"top", get_top, NULL, "in 1/scale of the unit", NULL},
	{"bottom", get_bottom, NULL, "more than 0", NULL},
	{"number", get_number, NULL, "In whole units: euros, seconds, pieces.", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
	{Py_tp_new, new},
	{Py_tp_dealloc, dealloc},
	{Py_tp_members, members},
	{Py_tp_getset, fields},
	{Py_tp_richcompare, compare},
	{Py_tp_hash, hash},
	{Py_nb_add, add},
	{Py_nb_subtract, subtract},
	{Py_nb_multiply, times},
	{Py_nb_true_divide, divide},
	{Py_nb_negative, negative},
	{Py_nb_absolute, absolute},
	{Py_nb_bool, truth},
	{Py_tp_doc, (void *)"A number with its unit, exact."},
	{0, NULL},
};
static PyType_Spec spec = {"_entente.Figure", sizeof(figure), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

int ent__figure_type(PyObject *module) {
	figure_class = (PyTypeObject *)PyType_FromSpec(&spec);
	exact_pairs = PyDict_New();
	if (!figure_class || !exact_pairs || PyModule_AddObjectRef(module, "exact_pairs", exact_pairs)) {
		return -1;
	}
	return PyModule_AddObjectRef(module, "Figure", (PyObject *)figure_class);
}
