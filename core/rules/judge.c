/* SPDX-License-Identifier: Apache-2.0
 *
 * judge(): runs rule after rule for one partner. Most rules find nothing most of the time: their record is written and
 * sent from here. Whatever else a rule does (a finding, something missing, an exception, output) is handed to the
 * function `loud` of judge.py, together with what the rule has yielded so far. */
#include "rules/rules.h"

/* A rule as worker.py hands it over. */
enum { NUMBER, NAME, FUNCTION, SETTINGS, HEAD, RULE, FIELDS };
enum { PAIR_BITS = 16 }; /* RULE_BITS of changes.py */

/* What the rule yields first: a new reference; NULL without an exception if it yields nothing. *rest gets what can be
 * asked for more of it. */
static PyObject *first_of(PyObject *rule, PyObject *partner, PyObject **rest) {
	PyObject *said =
		PyObject_VectorcallDict(PyTuple_GET_ITEM(rule, FUNCTION), &partner, 1, PyTuple_GET_ITEM(rule, SETTINGS));
	*rest = NULL;
	if (!said) {
		return NULL;
	}
	int any = PyGen_CheckExact(said) ? 1 : PyObject_IsTrue(said); /* a rule may return None instead */
	*rest = any > 0 ? PyObject_GetIter(said) : NULL;
	Py_DECREF(said);
	return *rest ? PyIter_Next(*rest) : NULL;
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
	PyObject *partner, *quoted, *said, *loud, *written, *emit, *start, *depend;
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
	PyObject *head = first ? PyTuple_Pack(1, first) : PyTuple_New(0);
	PyObject *args[] = {PyTuple_GET_ITEM(rule, RULE), b->partner, head, rest ? rest : Py_None, error ? error : Py_None};
	PyObject *record = head ? PyObject_Vectorcall(b->loud, args, sizeof args / sizeof *args, NULL) : NULL;
	Py_XDECREF(head);
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

static int tell_silence(const bench *b, PyObject *rule) {
	PyObject *nothing = PyList_New(0);
	int status = nothing ? PyDict_SetItem(b->said, PyTuple_GET_ITEM(rule, NAME), nothing) : -1;
	Py_XDECREF(nothing);
	size_t n;
	const char *text =
		status ? NULL : ent__silence(ent__run_reads(), b->written, PyTuple_GET_ITEM(rule, HEAD), b->quoted, &n);
	return text ? send(b, text, n) : -1;
}

static int judge_one(const bench *b, PyObject *rule) {
	uint32_t number = (uint32_t)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(rule, NUMBER));
	if (PyErr_Occurred() || !ent__run_reset((uint64_t)b->number << PAIR_BITS | number) ||
		begin(b, PyTuple_GET_ITEM(rule, NUMBER), number)) {
		return -1;
	}
	PyObject *rest, *first = first_of(rule, b->partner, &rest);
	bool loud = first || PyErr_Occurred() || ent__run_missed() || ent__output_any();
	int status = loud ? tell_loud(b, rule, first, rest) : tell_silence(b, rule);
	Py_XDECREF(first);
	Py_XDECREF(rest);
	return status || !b->depend ? status : ent__depend_note(b->depend, number, b->number, ent__run_reads());
}

/* judge(partner, index, quoted, said, rules, loud, written, emit, start, depend): `rules` are tuples (number, name,
 * function, settings, head, rule), `quoted` is the partner's id as JSON, `said` takes what each rule said,
 * written(read) writes the reads that are odd, `depend` (a Depend or None) is told what was read. */
static PyObject *judge(PyObject *self, PyObject *const *args, Py_ssize_t n) {
	(void)self;
	if (n != 10 || !(args[9] == Py_None || ent__depends(args[9])) || !PyBytes_Check(args[2]) ||
		!PyDict_Check(args[3]) || !PyList_Check(args[4])) {
		PyErr_SetString(
			PyExc_TypeError, "judge() takes a partner, its index and id, what was said of it, rules and functions");
		return NULL;
	}
	bench b = {.partner = args[0],
		.index = args[1],
		.quoted = args[2],
		.said = args[3],
		.loud = args[5],
		.written = args[6],
		.emit = args[7],
		.start = args[8],
		.depend = args[9] == Py_None ? NULL : args[9],
		.number = (uint32_t)PyLong_AsUnsignedLong(args[1]),
		.direct = ent__emits(args[7])};
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
