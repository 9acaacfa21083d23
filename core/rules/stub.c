/* SPDX-License-Identifier: Apache-2.0
 *
 * rules_stub: writes the stub of the module _entente to standard output, from signatures.c, and compares it with the
 * module that it is linked with: each name of the one is in the other, functions are functions, constants have their
 * value. Built for tests alone; `cmake --build --preset debug --target stub` puts what it writes in its place. One
 * thread. */
#include <Python.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rules/signatures.h"

PyMODINIT_FUNC PyInit__entente(void);

static int faults;

static void fault(const char *name, const char *what) {
	fprintf(stderr, "core/rules/signatures.c: %s %s\n", name, what);
	faults++;
}

static const ent__signature *row_of(const char *owner, const char *name) {
	char full[256];
	snprintf(full, sizeof full, "%s%s%s", owner, *owner ? "." : "", name);
	for (const ent__signature *s = ent__signatures; s->name; s++) {
		if (strcmp(s->name, full) == 0) {
			return s;
		}
	}
	return NULL;
}

/* Each name of the module, or of a class, has its row. Names in underscores are Python's own. */
static void complete(const char *owner, PyObject *names) {
	PyObject *key, *value;
	Py_ssize_t at = 0;
	while (PyDict_Next(names, &at, &key, &value)) {
		const char *name = PyUnicode_AsUTF8(key);
		if (!name || (name[0] == '_' && name[1] == '_')) {
			continue;
		}
		if (!row_of(owner, name)) {
			char full[256];
			snprintf(full, sizeof full, "%s%s%s", owner, *owner ? "." : "", name);
			fault(full, "is missing; add what it takes and gives");
		}
		if (!*owner && PyType_Check(value)) {
			complete(name, ((PyTypeObject *)value)->tp_dict);
		}
	}
}

static void text(const char *doc, const char *indent) {
	printf("%s\"\"\"", indent);
	for (const char *c = doc; *c; c++) {
		putchar(*c);
		if (*c == '\n') {
			printf("%s", indent);
		}
	}
	printf("\"\"\"\n");
}

static void remark(const char *doc) { printf(doc ? "  # %s\n" : "\n", doc); }

static void function(const char *name, const ent__signature *s, const char *indent) {
	char deeper[16];
	snprintf(deeper, sizeof deeper, "%s    ", indent);
	printf("%sdef %s%s:%s", indent, name, s->signature, s->doc ? "\n" : " ...\n");
	if (s->doc) {
		text(s->doc, deeper);
	}
}

static void member(const ent__signature *s, const char *name, PyObject *class) {
	PyObject *value = PyDict_GetItemString(((PyTypeObject *)class)->tp_dict, name); /* borrowed */
	if (!value || !s->signature) {
		fault(s->name, value ? "has no type" : "is not there; take it out");
		return;
	}
	bool takes = PyCallable_Check(value) || strcmp(name, "__new__") == 0;
	if (takes != (s->signature[0] == '(')) {
		fault(s->name, takes ? "is a function; write (…) -> …" : "is no function; write its type alone");
	} else if (takes) {
		function(name, s, "    ");
	} else {
		printf("    %s: %s", name, s->signature);
		remark(s->doc);
	}
}

static void written(const ent__signature *s, PyObject *module) {
	const char *dot = strchr(s->name, '.');
	char owner[128] = "";
	if (dot) {
		snprintf(owner, sizeof owner, "%.*s", (int)(dot - s->name), s->name);
	}
	PyObject *value = PyObject_GetAttrString(module, dot ? owner : s->name);
	if (!value) {
		PyErr_Clear();
		fault(s->name, "is not there; take it out");
	} else if (dot) {
		member(s, dot + 1, value);
	} else if (PyType_Check(value)) {
		printf("\nclass %s:\n", s->name);
		if (s->doc) {
			text(s->doc, "    ");
			printf("\n");
		}
	} else if (PyLong_Check(value)) {
		printf("%s: Final = %ld", s->name, PyLong_AsLong(value));
		remark(s->doc);
	} else if (s->signature && s->signature[0] == '(') {
		printf("\n");
		function(s->name, s, "");
	} else if (s->signature) {
		printf("\n%s: %s", s->name, s->signature);
		remark(s->doc);
	} else {
		fault(s->name, "has no type");
	}
	Py_XDECREF(value);
}

int main(void) {
	PyConfig config;
	PyConfig_InitIsolatedConfig(&config);
	PyImport_AppendInittab("_entente", PyInit__entente);
	PyStatus status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	PyObject *module = PyStatus_Exception(status) ? NULL : PyImport_ImportModule("_entente");
	if (!module) {
		fprintf(stderr, "the module _entente cannot be imported\n");
		return 1;
	}
	printf("# SPDX-License-Identifier: Apache-2.0\n"
		   "# Made from core/rules/signatures.c by `cmake --build --preset debug --target stub`; do not edit.\n"
		   "\"\"\"The C module that the rules worker adds to its interpreter: a reader of one snapshot. Days are days "
		   "since 1970-01-01,\n"
		   "windows are half open [start, stop), money is int micro-units of the reporting currency. Present only "
		   "inside the "
		   "worker.\"\"\"\n\n"
		   "from collections.abc import Callable, Iterator\n"
		   "from typing import Any, Final\n\n");
	for (const ent__signature *s = ent__signatures; s->name; s++) {
		written(s, module);
	}
	complete("", PyModule_GetDict(module));
	Py_DECREF(module);
	_exit(faults || fflush(stdout) ? 1 : 0); /* Python keeps what it holds, and a sanitizer would call that lost */
}
