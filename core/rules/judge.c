/* SPDX-License-Identifier: Apache-2.0
 *
 * judge(): runs rule after rule for one partner. Most rules find nothing most of the time, or something plain:
 * their record is written and sent from here. Whatever else a rule does (an ask, something missing, an exception,
 * output) is handed to the function `loud` of judge.py, together with what the rule has yielded so far. */
#include "rules/rules.h"

#include <stdio.h>
#include <unistd.h>

/* A rule as worker.py hands it over. */
enum { NUMBER, NAME, FUNCTION, SETTINGS, HEAD, RULE, FIELDS };
enum { PAIR_BITS = 16 }; /* RULE_BITS of changes.py */
enum {
	FINDINGS_MOST = 10000,          /* of one rule for one partner; MOST of findings.py */
	RECORD_MOST = 16 * 1000 * 1000, /* bytes */
};

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

/* It says more than anybody reads: the generator is told where it yields, so that the line is known. */
static void too_many(PyObject *items) {
	PyErr_SetString(PyExc_ValueError, "it yields more than 10,000 findings for one partner");
	if (!PyGen_CheckExact(items)) {
		return;
	}
	PyObject *type, *value, *traceback;
	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	PyObject *more = PyObject_CallMethod(items, "throw", "O", value);
	Py_XDECREF(more);
	if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_StopIteration)) {
		PyErr_Clear();
		PyErr_Restore(type, value, traceback); /* it goes on all the same */
		return;
	}
	Py_XDECREF(type);
	Py_XDECREF(value);
	Py_XDECREF(traceback);
}

/* All that it yields, up to an end, an exception, or something that is no plain finding. */
static PyObject *collect(PyObject *items, PyObject *finding_class, bool *plain) {
	PyObject *found = PyList_New(0), *item;
	*plain = true;
	while (found && items && *plain && (item = PyIter_Next(items))) {
		if (PyList_GET_SIZE(found) == FINDINGS_MOST) {
			Py_DECREF(item);
			too_many(items);
			break;
		}
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

/* Where in the rule's own file it was raised; 0: nowhere there. */
static int line_of(PyObject *rule, PyObject *error) {
	PyObject *file = PyObject_GetAttrString(PyTuple_GET_ITEM(rule, RULE), "file");
	PyObject *traceback = PyException_GetTraceback(error);
	int line = 0;
	for (PyTracebackObject *t = (PyTracebackObject *)traceback; file && t; t = t->tb_next) {
		PyCodeObject *code = PyFrame_GetCode(t->tb_frame);
		line = PyUnicode_Compare(code->co_filename, file) == 0 ? t->tb_lineno : line;
		Py_DECREF(code);
	}
	Py_XDECREF(traceback);
	Py_XDECREF(file);
	PyErr_Clear();
	return line;
}

/* Nobody can say any more what became of the rule: it goes with its process, and the core with all others on without
 * it. */
static void give_up(PyObject *rule, int line) {
	PyObject *file = line ? PyObject_GetAttrString(PyTuple_GET_ITEM(rule, RULE), "file") : NULL;
	const char *name = file ? PyUnicode_AsUTF8(file) : NULL;
	if (name) {
		dprintf(2, "  File \"%s\", line %d\n", name, line); /* as faulthandler would say it */
	}
	_exit(ENT_RULES_STARVED);
}

/* loud(rule, partner, first, rest, error) -> bytes: its record. NULL without an exception where it cannot be made. */
static PyObject *told_loud(const bench *b, PyObject *rule, PyObject *first, PyObject *rest, PyObject *error) {
	PyObject *args[] = {
		PyTuple_GET_ITEM(rule, RULE), b->partner, first, rest ? rest : Py_None, error ? error : Py_None};
	PyObject *record = PyObject_Vectorcall(b->loud, args, sizeof args / sizeof *args, NULL);
	if (record && !PyBytes_Check(record)) {
		Py_CLEAR(record);
	}
	PyErr_Clear();
	return record;
}

/* The record of a rule that did something odd. It runs on while it is made, for the rest of what the rule yields. */
static PyObject *make_loud(const bench *b, PyObject *rule, PyObject *first, PyObject *rest) {
	PyObject *error = PyErr_Occurred() ? raised() : NULL;
	int line = error ? line_of(rule, error) : 0;
	bool starving = error && PyErr_GivenExceptionMatches(error, PyExc_MemoryError);
	if (starving) {
		PyList_SetSlice(first, 0, PyList_GET_SIZE(first), NULL);
		ent__guard_release(error);
	}
	PyObject *record = told_loud(b, rule, first, error ? NULL : rest, error);
	if (!record && error) { /* what its frames hold may be what there is no room for */
		ent__guard_release(error);
		record = told_loud(b, rule, first, NULL, error);
		starving = true;
	}
	if (!record || PyBytes_GET_SIZE(record) > RECORD_MOST) { /* then as a failure, which takes no more than its text */
		bool large = record != NULL;
		Py_CLEAR(record);
		Py_CLEAR(error);
		PyList_SetSlice(first, 0, PyList_GET_SIZE(first), NULL);
		PyErr_SetString(large ? PyExc_ValueError : PyExc_MemoryError,
			large ? "what it says of one partner is more than 16 MB" : "what it says cannot be written down");
		error = raised();
		ent__guard_release(error);
		record = error ? told_loud(b, rule, first, NULL, error) : NULL;
		starving |= !large;
	}
	if (!record || (starving && ent__guard_starved())) {
		give_up(rule, line);
	}
	Py_XDECREF(error);
	return record;
}

/* What nobody can write down, or holds, is a failure of the rule: NULL without an exception. */
static const char *make_plain(const bench *b, PyObject *rule, PyObject *found, size_t *n) {
	ent__record_parts parts = {PyTuple_GET_ITEM(rule, HEAD), b->quoted, b->read, b->finding};
	const char *text = ent__record(found, ent__run_reads(), &parts, n);
	if (text && *n > RECORD_MOST) {
		PyErr_SetString(PyExc_ValueError, "what it says of one partner is more than 16 MB");
		return NULL;
	}
	if (text && PyDict_SetItem(b->said, PyTuple_GET_ITEM(rule, NAME), found)) {
		give_up(rule, 0);
	}
	return text;
}

/* It read what the partner may not know of, and would tell the partner what it finds: it must be held back. */
static bool to_be_held(PyObject *rule) {
	if (!ent__run_held()) {
		return false;
	}
	PyObject *audience = PyObject_GetAttrString(PyTuple_GET_ITEM(rule, RULE), "audience");
	bool us = audience && PyUnicode_Check(audience) && !PyUnicode_CompareWithASCIIString(audience, "us");
	Py_XDECREF(audience);
	PyErr_Clear();
	return !us;
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
		PyErr_Clear();
		Py_CLEAR(items);
		give_up(rule, 0);
	}
	if (!ent__guard_tidy() && !PyErr_Occurred()) {
		PyErr_SetString(PyExc_RuntimeError, "it took modules out of sys.modules, which all rules share");
	}
	bool odd = PyErr_Occurred() || !plain || ent__run_missed() || ent__output_any() || to_be_held(rule);
	size_t n = 0;
	const char *text = odd ? NULL : make_plain(b, rule, found, &n);
	PyObject *record = text ? NULL : make_loud(b, rule, found, items);
	bool again = items && !plain; /* a part of it ran while the record was made */
	Py_XDECREF(items);            /* what waits in a finally runs while the rule is at work */
	if (again) {
		ent__guard_tidy();
	}
	int status = record ? send(b, PyBytes_AS_STRING(record), (size_t)PyBytes_GET_SIZE(record)) : send(b, text, n);
	Py_XDECREF(record);
	Py_DECREF(found);
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
