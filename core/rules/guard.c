/* SPDX-License-Identifier: Apache-2.0
 *
 * What one rule leaves behind in the interpreter, and others would find there: threads that go on, a tracer, a
 * recursion limit, missing modules, a replaced sys.stdout. After each rule and each file of a book that is put back,
 * for a few pointers' comparison where nothing was left. The package and builtins cannot be changed to begin with. This
 * is against mistakes; what holds against intent is the sandbox and the process. */
#include "rules/rules.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static PyObject *system_dict, *modules, *writer; /* sys.__dict__, sys.modules, sys.stdout: ours */
static PyObject *known;                          /* modules that have to stay: a copy of sys.modules */
static Py_ssize_t n_modules;
static int depth;

/* ---- what cannot be changed -----------------------------------------------------------------------------------------
 */

static PyObject *frozen_class;

/* A module of which names that are there stay as they are; others may come, as submodules do when they are imported. */
static int frozen_set(PyObject *self, PyObject *name, PyObject *value) {
	PyObject *dict = PyModule_GetDict(self); /* borrowed */
	PyObject *old = dict ? PyDict_GetItemWithError(dict, name) : NULL;
	if (PyErr_Occurred()) {
		return -1;
	}
	if (old && old != value && PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "_") != 0) {
		const char *of = PyModule_GetName(self);
		if (!of) {
			return -1;
		}
		bool builtins = strcmp(of, "builtins") == 0;
		PyErr_Format(PyExc_AttributeError, "a rule may not change %s (%s.%U): all other rules would see it",
			builtins ? "builtins" : "entente", of, name);
		return -1;
	}
	return PyObject_GenericSetAttr(self, name, value);
}

static PyType_Slot frozen_slots[] = {
	{Py_tp_setattro, frozen_set},
	{0, NULL},
};
static PyType_Spec frozen_spec = {
	.name = "_entente.Module", .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, .slots = frozen_slots};

static bool is_ours(const char *name) {
	return strcmp(name, "_entente") == 0 || strncmp(name, "entente", 7) == 0 || strcmp(name, "builtins") == 0;
}

static void freeze_types(PyObject *dict) {
	PyObject *name, *value;
	Py_ssize_t at = 0;
	while (PyDict_Next(dict, &at, &name, &value)) {
		if (!PyType_Check(value)) {
			continue;
		}
		PyTypeObject *type = (PyTypeObject *)value;
		PyObject *from =
			type->tp_flags & Py_TPFLAGS_HEAPTYPE ? PyDict_GetItemString(type->tp_dict, "__module__") : NULL;
		const char *module = from && PyUnicode_Check(from) ? PyUnicode_AsUTF8(from) : NULL;
		if (module && is_ours(module)) {
			type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
			PyType_Modified(type);
		}
		PyErr_Clear();
	}
}

/* `frozen` a class of modules, the only base that a module's class may be exchanged for. */
static PyObject *make_frozen_class(void) {
	PyObject *bases = PyTuple_Pack(1, (PyObject *)&PyModule_Type);
	PyObject *class = bases ? PyType_FromSpecWithBases(&frozen_spec, bases) : NULL;
	Py_XDECREF(bases);
	return class;
}

int ent__guard_arm(void) {
	PyObject *name, *module;
	Py_ssize_t at = 0;
	modules = PyImport_GetModuleDict(); /* borrowed from the interpreter, which never ends */
	writer = Py_XNewRef(PySys_GetObject("stdout"));
	frozen_class = make_frozen_class();
	if (!modules || !writer || !frozen_class) {
		return -1;
	}
	while (PyDict_Next(modules, &at, &name, &module)) {
		const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
		if (strcmp(text ? text : "", "sys") == 0) {
			system_dict = Py_NewRef(PyModule_GetDict(module));
		}
		if (!text || !is_ours(text) || !PyModule_Check(module)) {
			PyErr_Clear();
			continue;
		}
		if (PyObject_SetAttrString(module, "__class__", frozen_class)) {
			return -1;
		}
		freeze_types(PyModule_GetDict(module));
	}
	ent__guard_keep();
	return system_dict ? 0 : -1;
}

void ent__guard_keep(void) {
	Py_XSETREF(known, PyDict_Copy(modules));
	n_modules = PyDict_GET_SIZE(modules);
	depth = Py_GetRecursionLimit();
}

/* ---- what is put back
 * -------------------------------------------------------------------------------------------------- */

/* Threads of Python beside this one. A rule has ended when what it started has: until then it is at work, and its
 * deadline holds. */
static void wait_for_threads(void) {
	PyThreadState *head;
	while ((head = PyInterpreterState_ThreadHead(PyInterpreterState_Get())) && PyThreadState_Next(head)) {
		Py_BEGIN_ALLOW_THREADS;
		nanosleep(&(struct timespec){0, 1000000}, NULL);
		Py_END_ALLOW_THREADS;
	}
}

/* Whether sys.__dict__ is as it was left: one number to compare where Python has it. */
static bool system_changed(void) {
#if PY_VERSION_HEX < 0x030c0000
	static uint64_t seen;
	uint64_t now = ((PyDictObject *)system_dict)->ma_version_tag;
	bool changed = now != seen;
	seen = now;
	return changed;
#else
	return true;
#endif
}

static void put_back_streams(void) {
	static const char *const names[] = {"stdout", "stderr", "__stdout__", "__stderr__", "modules"};
	enum { N = sizeof names / sizeof *names };
	static PyObject *texts[N];
	for (size_t i = 0; i < N; i++) {
		texts[i] = texts[i] ? texts[i] : PyUnicode_InternFromString(names[i]);
		PyObject *ours = i + 1 < N ? writer : modules;
		if (texts[i] && PyDict_GetItemWithError(system_dict, texts[i]) != ours) {
			PyDict_SetItem(system_dict, texts[i], ours);
		}
	}
}

bool ent__guard_tidy(void) {
	PyThreadState *me = PyThreadState_Get();
	wait_for_threads();
	if (me->c_tracefunc || me->c_profilefunc) {
		PyEval_SetTrace(NULL, NULL);
		PyEval_SetProfile(NULL, NULL);
	}
	if (Py_GetRecursionLimit() != depth) {
		Py_SetRecursionLimit(depth);
	}
	PyGC_Enable();
	bool missing = PyDict_GET_SIZE(modules) < n_modules;
	if (missing || system_changed()) {
		PyObject *type, *value, *traceback;
		PyErr_Fetch(&type, &value, &traceback); /* of the rule: looking things up would lose it */
		if (missing) {
			PyDict_Merge(modules, known, 0);
		}
		put_back_streams();
		(void)system_changed();
		PyErr_Restore(type, value, traceback);
	}
	return !missing;
}

/* ---- memory
 * --------------------------------------------------------------------------------------------------------------- */

void ent__guard_release(PyObject *error) {
	static PyObject *clear;
	clear = clear ? clear : PyUnicode_InternFromString("clear");
	for (unsigned deep = 0; error && clear && deep < 100; deep++) {
		PyObject *traceback = PyException_GetTraceback(error);
		for (PyTracebackObject *t = (PyTracebackObject *)traceback; t; t = t->tb_next) {
			PyObject *done = PyObject_CallMethodNoArgs((PyObject *)t->tb_frame, clear);
			Py_XDECREF(done);
			PyErr_Clear(); /* a frame that is still at work stays as it is */
		}
		Py_XDECREF(traceback);
		PyObject *before = PyException_GetContext(error);
		error = before;
		Py_XDECREF(before); /* the one after it holds on to it */
	}
	PyGC_Collect();
	malloc_trim(0);
}

bool ent__guard_starved(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY) {
		return false;
	}
	void *room = malloc((size_t)(limit.rlim_cur / 8));
	bool starved = !room;
	free(room);
	return starved;
}
