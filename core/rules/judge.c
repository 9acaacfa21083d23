/* SPDX-License-Identifier: Apache-2.0
 *
 * judge(): runs rule after rule for one partner. Most rules find nothing most of the time, or something plain:
 * their record is written and sent from here. Whatever else a rule does (an ask, something missing, an exception,
 * output) is handed to the function `loud` of judge.py, together with what the rule has yielded so far. */
#include "rules/rules.h"

/* A rule as worker.py hands it over. */
enum { NUMBER, NAME, FUNCTION, SETTINGS, HEAD, RULE, FIELDS };
enum { PAIR_BITS = 16 }; /* RULE_BITS of changes.py */

/* What the rule yields. NULL without an exception: nothing at all. */
static PyObject *call(PyObject *rule, PyObject *partner) {
	PyObject *said =
		PyObject_VectorcallDict(PyTuple_GET_ITEM(rule, FUNCTION), &partner, 1, PyTuple_GET_ITEM(rule, SETTINGS));
	if (!said || PyGen_CheckExact(said)) {
		return said;
	}
	int any = PyObject_IsTrue(said); /* a rule may return None instead */
	PyObject *items = any > 0 ? PyObject_GetIter(said) : NULL;
	Py_DECREF(said);
	return items;
}

/* All that it yields, up to an end, an exception, or something that is no plain finding. */
static PyObject *collect(PyObject *items, PyObject *finding_class, bool *plain) {
	PyObject *found = PyList_New(0), *item;
	*plain = true;
	while (found && items && *plain && (item = PyIter_Next(items))) {
		*plain = (PyObject *)Py_TYPE(item) == finding_class && ent__finding_is_plain(item);
		if (PyList_Append(found, item)) {
			Py_CLEAR(found);
		}
		Py_DECREF(item);
	}
	return found;
}

/* The exception at hand, with its traceback. */
static PyObject *raised(void) {
	PyObject *type, *value, *traceback;
	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (value && traceback) {
		PyException_SetTraceback(value, traceback);
	}
	Py_XDECREF(type);
	Py_XDECREF(traceback);
	return value;
}

/* What all rules of one partner are judged with. */
typedef struct bench {
	PyObject *partner, *quoted, *said, *loud, *read, *finding, *class, *emit, *start, *depend;
	PyObject *index;
	uint32_t number; /* the same */
	bool direct;     /* emit and start are those of evaluate.c */
} bench;

static int begin(const bench *b, PyObject *number, uint32_t rule) {
	if (b->direct) {
		ent__begin(rule, b->number);
		return 0;
	}
	PyObject *done = PyObject_CallFunctionObjArgs(b->start, number, b->index, NULL);
	Py_XDECREF(done);
	return done ? 0 : -1;
}

static int send(const bench *b, const char *text, size_t n) {
	if (b->direct) {
		ent__result(text, n);
		return 0;
	}
	PyObject *done = PyObject_CallFunction(b->emit, "y#", text, (Py_ssize_t)n);
	Py_XDECREF(done);
	return done ? 0 : -1;
}

/* loud(rule, partner, first, rest, error) -> bytes: its record. */
static int tell_loud(const bench *b, PyObject *rule, PyObject *first, PyObject *rest) {
	PyObject *error = PyErr_Occurred() ? raised() : NULL;
	PyObject *args[] = {
		PyTuple_GET_ITEM(rule, RULE), b->partner, first, rest ? rest : Py_None, error ? error : Py_None};
	PyObject *record = PyObject_Vectorcall(b->loud, args, sizeof args / sizeof *args, NULL);
	Py_XDECREF(error);
	int status = -1;
	if (record && PyBytes_Check(record)) {
		status = send(b, PyBytes_AS_STRING(record), (size_t)PyBytes_GET_SIZE(record));
	} else if (record) {
		PyErr_SetString(PyExc_TypeError, "a record is bytes");
	}
	Py_XDECREF(record);
	return status;
}

static int tell(const bench *b, PyObject *rule, PyObject *found) {
	ent__record_parts parts = {PyTuple_GET_ITEM(rule, HEAD), b->quoted, b->read, b->finding};
	size_t n;
	const char *text = ent__record(found, ent__run_reads(), &parts, &n);
	if (!text) { /* what nobody can write down is a failure of the rule */
		return tell_loud(b, rule, found, NULL);
	}
	return PyDict_SetItem(b->said, PyTuple_GET_ITEM(rule, NAME), found) ? -1 : send(b, text, n);
}

static int judge_one(const bench *b, PyObject *rule) {
	uint32_t number = (uint32_t)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(rule, NUMBER));
	if (PyErr_Occurred() || !ent__run_reset((uint64_t)b->number << PAIR_BITS | number) ||
		begin(b, PyTuple_GET_ITEM(rule, NUMBER), number)) {
		return -1;
	}
	bool plain = true;
	PyObject *items = call(rule, b->partner);
	PyObject *found = PyErr_Occurred() ? PyList_New(0) : collect(items, b->class, &plain);
	if (!found) {
		Py_XDECREF(items);
		return -1;
	}
	bool odd = PyErr_Occurred() || !plain || ent__run_missed() || ent__output_any();
	int status = odd ? tell_loud(b, rule, found, items) : tell(b, rule, found);
	Py_DECREF(found);
	Py_XDECREF(items);
	return status || !b->depend ? status : ent__depend_note(b->depend, number, b->number, ent__run_reads());
}

/* judge(partner, index, quoted, said, rules, (Finding, finding, read, loud), emit, start, depend): `rules` are tuples
 * (number, name, function, settings, head, rule), `quoted` is the partner's id as JSON, `said` takes what each rule
 * said, finding(found) and read(read) write those that are odd, `depend` (a Depend or None) is told what was read. */
static PyObject *judge(PyObject *self, PyObject *const *args, Py_ssize_t n) {
	(void)self;
	if (n != 9 || !PyBytes_Check(args[2]) || !PyDict_Check(args[3]) || !PyList_Check(args[4]) ||
		!PyTuple_Check(args[5]) || PyTuple_GET_SIZE(args[5]) != 4 || !(args[8] == Py_None || ent__depends(args[8]))) {
		PyErr_SetString(
			PyExc_TypeError, "judge() takes a partner, its index and id, what was said of it, rules and functions");
		return NULL;
	}
	PyObject *const *with = &PyTuple_GET_ITEM(args[5], 0);
	bench b = {.partner = args[0],
		.index = args[1],
		.quoted = args[2],
		.said = args[3],
		.class = with[0],
		.finding = with[1],
		.read = with[2],
		.loud = with[3],
		.emit = args[6],
		.start = args[7],
		.depend = args[8] == Py_None ? NULL : args[8],
		.number = (uint32_t)PyLong_AsUnsignedLong(args[1]),
		.direct = ent__emits(args[6])};
	if (PyErr_Occurred()) {
		return NULL;
	}
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[4]); i++) {
		PyObject *rule = PyList_GET_ITEM(args[4], i);
		if (!PyTuple_Check(rule) || PyTuple_GET_SIZE(rule) != FIELDS || !PyBytes_Check(PyTuple_GET_ITEM(rule, HEAD)) ||
			!PyDict_Check(PyTuple_GET_ITEM(rule, SETTINGS))) {
			PyErr_SetString(PyExc_TypeError, "this is no rule");
			return NULL;
		}
		if (judge_one(&b, rule)) {
			return NULL;
		}
	}
	Py_RETURN_NONE;
}

static PyMethodDef judge_method = {
	"judge", (PyCFunction)(void (*)(void))judge, METH_FASTCALL, "Run rules for one partner, and send their records."};

int ent__judge_function(PyObject *module) {
	PyObject *function = PyCFunction_New(&judge_method, NULL);
	int status = function ? PyModule_AddObjectRef(module, "judge", function) : -1;
	Py_XDECREF(function);
	return status;
}
