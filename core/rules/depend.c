/* SPDX-License-Identifier: Apache-2.0
 *
 * _entente.Depend: which metrics each rule read of each partner, taken from the evidence. That decides which rules run
 * again when figures of a partner have changed. Rules that read the same metrics share one set, so that a pair of rule and
 * partner costs two bytes. What they read of cohorts is kept with the cohort's figures (cohort.py). */
#include "base/arena.h"
#include "base/intern.h"
#include "rules/rules.h"

#include <stdlib.h>

typedef struct metrics {
	uint64_t bits[4];
} metrics;

enum { MOST_METRICS = 256, MOST_SETS = UINT16_MAX };

typedef struct depend {
	PyObject_HEAD
	uint32_t n_rules, n_partners;
	uint16_t *of; /* number of a set, by rule and partner; 0: has not run */
	metrics *sets;
	size_t n_sets, sets_capacity;
	uint32_t *slots, mask; /* number of a set by hash; 0 free */
	PyObject *numbers; /* dict: name of a metric to its number */
} depend;

static PyTypeObject *depend_class;

static const metrics everything = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

_Static_assert(ENT_CUSTOM_METRICS + 64 <= ENT_RULES_FACTS, "every metric has a bit");
_Static_assert(ENT_RULES_FACTS + ENT_FACT_COUNT <= MOST_METRICS, "and so has every kind of facts");

/* By the names of all metrics, in the order of their numbers. */
static PyObject *numbers_of(PyObject *names) {
	Py_ssize_t n = PyList_GET_SIZE(names);
	PyObject *numbers = PyDict_New();
	if (n > (Py_ssize_t)ENT_RULES_FACTS) {
		PyErr_SetString(PyExc_ValueError, "there are more metrics than can be kept apart");
		Py_CLEAR(numbers);
	}
	for (Py_ssize_t i = 0; numbers && i < n; i++) {
		PyObject *number = PyLong_FromSsize_t(i);
		if (!number || PyDict_SetItem(numbers, PyList_GET_ITEM(names, i), number)) {
			Py_CLEAR(numbers);
		}
		Py_XDECREF(number);
	}
	static const struct {
		const char *name;
		unsigned document;
	} facts[] = {{"facts.order", ENT_ORDER}, {"facts.line", ENT_ORDER}, {"facts.refund", ENT_ORDER}, {"facts.cart", ENT_CART},
		{"facts.visit", ENT_VISIT}, {"facts.contact", ENT_CONTACT}, {"facts.touch", ENT_TOUCH}};
	for (size_t i = 0; numbers && i < sizeof facts / sizeof *facts; i++) {
		PyObject *number = PyLong_FromUnsignedLong(ENT_RULES_FACTS + facts[i].document);
		if (!number || PyDict_SetItemString(numbers, facts[i].name, number)) {
			Py_CLEAR(numbers);
		}
		Py_XDECREF(number);
	}
	return numbers;
}

static void place(depend *d, uint32_t number) {
	uint32_t at = (uint32_t)ent_hash64(&d->sets[number], sizeof *d->sets, 0) & d->mask;
	while (d->slots[at]) {
		at = (at + 1) & d->mask;
	}
	d->slots[at] = number;
}

/* When there are too many different sets, a new one is taken for "everything": those rules run again more often than they
 * need. */
static uint16_t number_of(depend *d, const metrics *m) {
	uint32_t at = (uint32_t)ent_hash64(m, sizeof *m, 0) & d->mask;
	for (; d->slots[at]; at = (at + 1) & d->mask) {
		if (memcmp(&d->sets[d->slots[at]], m, sizeof *m) == 0) {
			return (uint16_t)d->slots[at];
		}
	}
	if (d->n_sets == MOST_SETS) {
		return 1;
	}
	ENT_GROW(d->sets, d->n_sets, d->sets_capacity);
	d->sets[d->n_sets] = *m;
	if (2 * d->n_sets > d->mask) {
		d->mask = 2 * d->mask + 1;
		free(d->slots);
		d->slots = ent_xcalloc((size_t)d->mask + 1, sizeof *d->slots);
		for (uint32_t i = 1; i < d->n_sets; i++) {
			place(d, i);
		}
	}
	place(d, (uint32_t)d->n_sets);
	return (uint16_t)d->n_sets++;
}

static void set_bit(metrics *m, unsigned long bit) { m->bits[bit / 64] |= UINT64_C(1) << bit % 64; }

static bool add_read(const depend *d, metrics *m, PyObject *read) {
	if (!PyTuple_Check(read) || PyTuple_GET_SIZE(read) != ENT__READ_FIELDS) {
		PyErr_SetString(PyExc_TypeError, "a read has 14 fields");
		return false;
	}
	PyObject *cohort = PyTuple_GET_ITEM(read, 11);
	if (PyUnicode_Check(cohort) && PyUnicode_GET_LENGTH(cohort)) {
		return true;
	}
	/* what is no metric is a register, and where one of those changed every rule of the partner runs */
	PyObject *number = PyDict_GetItemWithError(d->numbers, PyTuple_GET_ITEM(read, 0));
	if (number) {
		set_bit(m, PyLong_AsUnsignedLong(number));
	}
	return !PyErr_Occurred();
}

static bool add_reads(const depend *d, metrics *m, PyObject *reads) {
	const ent__read *items;
	size_t n;
	if (ent__reads_of(reads, &items, &n)) {
		for (size_t i = 0; i < n; i++) {
			if (items[i].entry != ENT__READ_IS_WHOLE) {
				set_bit(m, ent__look_metric(items[i].object));
			} else if (!add_read(d, m, items[i].object)) {
				return false;
			}
		}
		return true;
	}
	if (!PyList_Check(reads)) {
		PyErr_SetString(PyExc_TypeError, "note() takes a rule, a partner and a list of reads");
		return false;
	}
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(reads); i++) {
		if (!add_read(d, m, PyList_GET_ITEM(reads, i))) {
			return false;
		}
	}
	return true;
}

bool ent__depends(PyObject *o) { return Py_TYPE(o) == depend_class; }

int ent__depend_note(PyObject *self, uint32_t rule, uint32_t partner, PyObject *reads) {
	depend *d = (depend *)self;
	metrics m = {{0}};
	if (rule >= d->n_rules || partner >= d->n_partners) {
		PyErr_SetString(PyExc_IndexError, "there is no such rule or partner");
		return -1;
	}
	if (!add_reads(d, &m, reads)) {
		return -1;
	}
	d->of[(size_t)partner * d->n_rules + rule] = number_of(d, &m);
	return 0;
}

/* note(rule, partner, reads): what it read just now. */
static PyObject *note(PyObject *self, PyObject *const *args, Py_ssize_t n) {
	if (n != 3) {
		PyErr_SetString(PyExc_TypeError, "note() takes a rule, a partner and a list of reads");
		return NULL;
	}
	unsigned long rule = PyLong_AsUnsignedLong(args[0]), partner = PyLong_AsUnsignedLong(args[1]);
	if (PyErr_Occurred()) {
		return NULL;
	}
	rule = rule > UINT32_MAX ? UINT32_MAX : rule;
	partner = partner > UINT32_MAX ? UINT32_MAX : partner;
	return ent__depend_note(self, (uint32_t)rule, (uint32_t)partner, args[2]) ? NULL : Py_NewRef(Py_None);
}

/* A list of numbers of metrics, or None for all. */
static bool metrics_of(PyObject *list, metrics *m) {
	*m = everything;
	if (list == Py_None) {
		return true;
	}
	*m = (metrics){{0}};
	if (!PyList_Check(list)) {
		PyErr_SetString(PyExc_TypeError, "metrics come as a list of numbers");
		return false;
	}
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
		unsigned long bit = PyLong_AsUnsignedLong(PyList_GET_ITEM(list, i));
		if (PyErr_Occurred() || bit >= MOST_METRICS) {
			if (!PyErr_Occurred()) {
				PyErr_SetString(PyExc_IndexError, "there is no such metric");
			}
			return false;
		}
		m->bits[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	return true;
}

static bool overlap(const metrics *a, const metrics *b) {
	uint64_t both = 0;
	for (size_t i = 0; i < sizeof a->bits / sizeof *a->bits; i++) {
		both |= a->bits[i] & b->bits[i];
	}
	return both != 0;
}

/* affected(partner, metrics) -> rules that read one of the metrics of that partner; all that have run if it is None. */
static PyObject *affected(PyObject *self, PyObject *const *args, Py_ssize_t n) {
	depend *d = (depend *)self;
	metrics m;
	if (n != 2) {
		PyErr_SetString(PyExc_TypeError, "affected() takes a partner and metrics");
		return NULL;
	}
	unsigned long partner = PyLong_AsUnsignedLong(args[0]);
	if (PyErr_Occurred() || !metrics_of(args[1], &m)) {
		return NULL;
	}
	PyObject *list = PyList_New(0);
	for (uint32_t r = 0; list && partner < d->n_partners && r < d->n_rules; r++) {
		uint16_t set = d->of[partner * d->n_rules + r];
		const metrics *read = &d->sets[set];
		bool hit = set && (args[1] == Py_None || overlap(read, &m));
		PyObject *number = hit ? PyLong_FromUnsignedLong(r) : NULL;
		if (hit && (!number || PyList_Append(list, number))) {
			Py_CLEAR(list);
		}
		Py_XDECREF(number);
	}
	return list;
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *names) {
	unsigned int rules, partners;
	PyObject *metric_names;
	(void)names;
	if (!PyArg_ParseTuple(args, "IIO!:Depend", &rules, &partners, &PyList_Type, &metric_names)) {
		return NULL;
	}
	depend *d = (depend *)type->tp_alloc(type, 0);
	if (!d) {
		return NULL;
	}
	d->numbers = numbers_of(metric_names);
	if (!d->numbers) {
		Py_DECREF(d);
		return NULL;
	}
	d->n_rules = rules;
	d->n_partners = partners;
	d->of = ent_xcalloc((size_t)rules * partners + 1, sizeof *d->of);
	d->mask = 255;
	d->slots = ent_xcalloc((size_t)d->mask + 1, sizeof *d->slots);
	ENT_GROW(d->sets, d->n_sets, d->sets_capacity);
	d->sets[d->n_sets++] = (metrics){{0}}; /* has not run: not among the slots */
	(void)number_of(d, &everything);
	return (PyObject *)d;
}

static void dealloc(PyObject *self) {
	depend *d = (depend *)self;
	PyTypeObject *type = Py_TYPE(self);
	free(d->of);
	free(d->sets);
	free(d->slots);
	Py_XDECREF(d->numbers);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMethodDef methods[] = {
	{"note", (PyCFunction)(void (*)(void))note, METH_FASTCALL, "What a rule read of a partner."},
	{"affected", (PyCFunction)(void (*)(void))affected, METH_FASTCALL, "Rules that read one of the metrics of a partner."},
	{NULL, NULL, 0, NULL},
};
static PyType_Slot slots[] = {
	{Py_tp_new, new},
	{Py_tp_dealloc, dealloc},
	{Py_tp_methods, methods},
	{Py_tp_doc, (void *)"Which metrics each rule read of each partner."},
	{0, NULL},
};
static PyType_Spec spec = {"_entente.Depend", sizeof(depend), 0, Py_TPFLAGS_DEFAULT, slots};

int ent__depend_type(PyObject *module) {
	depend_class = (PyTypeObject *)PyType_FromSpec(&spec);
	return depend_class ? PyModule_AddObjectRef(module, "Depend", (PyObject *)depend_class) : -1;
}
