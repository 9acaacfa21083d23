/* SPDX-License-Identifier: Apache-2.0
 *
 * The module _entente: constants, printed(), and what snapshot.c, series.c, figure.c, look.c, reads.c, partner.c,
 * evidence.c, depend.c, peers.c and judge.c add. Its interface is written down in signatures.c, of which
 * scripts/entente/_entente.pyi is made. */
#include "rules/rules.h"

static PyObject *printed(PyObject *self, PyObject *unused) {
	(void)self;
	(void)unused;
	return ent__output_take();
}

static PyObject *loads(PyObject *self, PyObject *path) {
	(void)self;
	const char *text = PyUnicode_Check(path) ? PyUnicode_AsUTF8(path) : NULL;
	PyErr_Clear(); /* a name that is no text: then nobody can say which it was */
	ent__status_file(text);
	Py_RETURN_NONE;
}

static PyObject *tidy(PyObject *self, PyObject *unused) {
	(void)self;
	(void)unused;
	return PyBool_FromLong(ent__guard_tidy());
}

static PyObject *release(PyObject *self, PyObject *error) {
	(void)self;
	ent__guard_release(error);
	Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
	{"loads", loads, METH_O, "Which file is loaded from now on."},
	{"tidy", tidy, METH_NOARGS, "Put back what a rule or file left behind."},
	{"release", release, METH_O, "Let go of what the frames of an exception hold."},
	{"printed", printed, METH_NOARGS, "What scripts printed since the last rule started."},
	{NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
	PyModuleDef_HEAD_INIT,
	"_entente",
	"Reader of one snapshot.",
	-1,
	functions,
	NULL,
	NULL,
	NULL,
	NULL,
};

PyMODINIT_FUNC PyInit__entente(void) {
	static const struct {
		const char *name;
		int value;
	} constants[] = {
		{"SUM", ENT_METRIC_SUM},
		{"RATIO", ENT_METRIC_RATIO},
		{"DISTINCT", ENT_METRIC_DISTINCT},
		{"DISTRIBUTION", ENT_METRIC_DISTRIBUTION},
		{"KNOWN", ENT_WINDOW_KNOWN},
		{"NO_COVERAGE", ENT_WINDOW_NO_COVERAGE},
		{"NO_RATE", ENT_WINDOW_NO_RATE},
		{"NO_DENOMINATOR", ENT_WINDOW_NO_DENOMINATOR},
	};
	PyObject *module = PyModule_Create(&definition);
	if (!module) {
		return NULL;
	}
	for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
		if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value)) {
			goto fail;
		}
	}
	if (ent__snapshot_type(module) || ent__series_type(module) || ent__figure_type(module) || ent__look_type(module) ||
		ent__reads_type(module) || ent__partner_type(module) || ent__evidence_function(module) ||
		ent__depend_type(module) || ent__places_function(module) || ent__judge_function(module) ||
		ent__columns_types(module) || ent__facts_type(module)) {
		goto fail;
	}
	return module;
fail:
	Py_DECREF(module);
	return NULL;
}
