/* SPDX-License-Identifier: Apache-2.0
 *
 * The interpreter: isolated from the environment and the user's site, with the folders that the core names, and a venv's
 * packages if there is one. It is started once and never ended: the process ends instead. */
#include "base/arena.h"
#include "rules/rules.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS_(x) #x
#define DIGITS(x) DIGITS_(x)
#define PYTHON_FOLDER "python" DIGITS(PY_MAJOR_VERSION) "." DIGITS(PY_MINOR_VERSION)

static int failed(ent_error *e, PyStatus status, const char *what) {
	return ent_error_set(e, ENT_ERR_INVALID, "%s: %s", what, status.err_msg ? status.err_msg : "no reason given");
}

static int start(ent_error *e) {
	PyPreConfig before;
	PyPreConfig_InitIsolatedConfig(&before);
	before.utf8_mode = 1;
	PyStatus status = Py_PreInitialize(&before);
	if (PyStatus_Exception(status)) {
		return failed(e, status, "cannot prepare Python");
	}
	PyConfig config;
	PyConfig_InitIsolatedConfig(&config);
	config.site_import = 0;
	config.write_bytecode = 0;
	config.install_signal_handlers = 0;
	config.pathconfig_warnings = 0;
	/* A rule is a pure function of its partner: the order of a set must not differ from run to run. */
	config.use_hash_seed = 1;
	config.hash_seed = 0;
	/* Otherwise the first python3 of PATH would be asked where the library is, and it may be another version. */
	status = PyConfig_SetBytesString(&config, &config.executable, ENT_PYTHON_PREFIX "/bin/python3");
	if (!PyStatus_Exception(status)) {
		status = PyConfig_SetBytesString(&config, &config.home, ENT_PYTHON_PREFIX);
	}
	if (!PyStatus_Exception(status)) {
		status = Py_InitializeFromConfig(&config);
	}
	PyConfig_Clear(&config);
	return PyStatus_Exception(status) ? failed(e, status, "cannot start Python") : 0;
}

static bool is_folder(const char *path) {
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Does the venv's pyvenv.cfg let the system's packages in? */
static bool wants_system_packages(const char *venv) {
	char path[4096], line[512];
	bool wants = false;
	snprintf(path, sizeof path, "%s/pyvenv.cfg", venv);
	FILE *f = fopen(path, "re");
	if (!f) {
		return false;
	}
	while (fgets(line, sizeof line, f)) {
		char key[64], value[64];
		if (sscanf(line, " %63[a-z-] = %63s", key, value) == 2 && strcmp(key, "include-system-site-packages") == 0) {
			wants = strcmp(value, "true") == 0;
		}
	}
	fclose(f);
	return wants;
}

static int add_path(PyObject *path, const char *folder) {
	PyObject *text = PyUnicode_DecodeFSDefault(folder);
	int status = text ? PyList_Append(path, text) : -1;
	Py_XDECREF(text);
	return status;
}

/* Adds a folder of packages the way Python itself does, .pth files included. */
static int add_site(const char *folder) {
	PyObject *site = PyImport_ImportModule("site");
	PyObject *done = site ? PyObject_CallMethod(site, "addsitedir", "s", folder) : NULL;
	Py_XDECREF(done);
	Py_XDECREF(site);
	return done ? 0 : -1;
}

static int add_venv(const char *venv, ent_error *e) {
	char packages[4096];
	snprintf(packages, sizeof packages, "%s/lib/" PYTHON_FOLDER "/site-packages", venv);
	if (!is_folder(packages)) {
		ent_error_set(e, ENT_ERR_INVALID, "%s is no venv of Python %d.%d: it has no lib/" PYTHON_FOLDER "/site-packages", venv,
			PY_MAJOR_VERSION, PY_MINOR_VERSION);
		ent_error_todo(e, "make it with: " ENT_PYTHON_PREFIX "/bin/python3 -m venv %s", venv);
		return -1;
	}
	if (add_site(packages)) {
		return ent__python_error(e);
	}
	if (wants_system_packages(venv) && (add_site("/usr/local/lib/" PYTHON_FOLDER "/dist-packages") ||
										   add_site(ENT_PYTHON_PREFIX "/lib/python3/dist-packages"))) {
		return ent__python_error(e);
	}
	return 0;
}

/* The rules' folders come first, then the library, then the venv: as in a shell with PYTHONPATH and an active venv. */
static int set_path(const ent__python *p, ent_error *e) {
	PyObject *library = PySys_GetObject("path"); /* borrowed */
	PyObject *path = PyList_New(0);
	int status = library && path ? 0 : -1;
	for (size_t i = 0; i < p->n_folders && !status; i++) {
		status = add_path(path, p->folders[i]);
	}
	if (!status) {
		status = PyList_SetSlice(path, PyList_GET_SIZE(path), PyList_GET_SIZE(path), library);
	}
	if (!status) {
		status = PySys_SetObject("path", path);
	}
	Py_XDECREF(path);
	if (status) {
		return ent__python_error(e);
	}
	return p->venv && *p->venv ? add_venv(p->venv, e) : 0;
}

/* Tracebacks of all threads to descriptor 2 on SIGUSR1 and before a deadly signal. */
static int arm_faulthandler(ent_error *e) {
	PyObject *module = PyImport_ImportModule("faulthandler");
	PyObject *enabled = module ? PyObject_CallMethod(module, "enable", "ii", 2, 1) : NULL;
	PyObject *registered = enabled ? PyObject_CallMethod(module, "register", "iiii", SIGUSR1, 2, 1, 0) : NULL;
	int status = registered ? 0 : ent__python_error(e);
	Py_XDECREF(registered);
	Py_XDECREF(enabled);
	Py_XDECREF(module);
	return status;
}

int ent__python_start(const ent__python *p, ent_error *e) {
	if (PyImport_AppendInittab("_entente", PyInit__entente)) {
		return ent_error_set(e, ENT_ERR_NOMEM, "cannot add the module _entente");
	}
	if (start(e) || set_path(p, e) || arm_faulthandler(e)) {
		return -1;
	}
	return ent__output_install() ? ent__python_error(e) : 0;
}

int ent__python_import(ent_error *e) {
	/* The types of _entente must exist before the first snapshot, whether or not the package imports it. */
	static const char *const names[] = {"_entente", "entente.worker"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		PyObject *module = PyImport_ImportModule(names[i]);
		if (!module) {
			return ent__python_error(e);
		}
		Py_DECREF(module);
	}
	return ent__guard_arm() ? ent__python_error(e) : 0;
}

int ent__python_paths(char ***folders, size_t *n, ent_error *e) {
	PyObject *path = PySys_GetObject("path"); /* borrowed */
	Py_ssize_t count = path && PyList_Check(path) ? PyList_GET_SIZE(path) : 0;
	*folders = ent_xrealloc(*folders, (*n + (size_t)count) * sizeof **folders + 1);
	for (Py_ssize_t i = 0; i < count; i++) {
		PyObject *bytes = NULL;
		if (!PyUnicode_FSConverter(PyList_GET_ITEM(path, i), &bytes)) {
			return ent__python_error(e);
		}
		(*folders)[(*n)++] = ent_xstrdup(PyBytes_AS_STRING(bytes));
		Py_DECREF(bytes);
	}
	return 0;
}

const char *ent__python_version(void) { return Py_GetVersion(); }

/* ---- exceptions ------------------------------------------------------------------------------------------------- */

static void copy_text(PyObject *object, char *out, size_t size) {
	const char *text = object && PyUnicode_Check(object) ? PyUnicode_AsUTF8(object) : NULL;
	snprintf(out, size, "%s", text ? text : "");
	PyErr_Clear();
}

static uint32_t number_of(PyObject *object, const char *name) {
	PyObject *value = PyObject_GetAttrString(object, name);
	long n = value && PyLong_Check(value) ? PyLong_AsLong(value) : 0;
	Py_XDECREF(value);
	PyErr_Clear();
	return n > 0 ? (uint32_t)n : 0;
}

/* A SyntaxError knows its own place; else the innermost frame that is a file's, and not the import machinery's. */
static void find_place(PyObject *value, PyObject *traceback, ent_error *e) {
	if (PyObject_TypeCheck(value, (PyTypeObject *)PyExc_SyntaxError)) {
		PyObject *file = PyObject_GetAttrString(value, "filename");
		copy_text(file, e->file, sizeof e->file);
		Py_XDECREF(file);
		e->line = number_of(value, "lineno");
		e->column = number_of(value, "offset");
		if (e->file[0]) {
			return;
		}
	}
	for (PyTracebackObject *t = (PyTracebackObject *)traceback; t; t = t->tb_next) {
		PyCodeObject *code = PyFrame_GetCode(t->tb_frame);
		const char *file = PyUnicode_AsUTF8(code->co_filename);
		if (file && file[0] != '<') {
			snprintf(e->file, sizeof e->file, "%s", file);
			e->line = number_of((PyObject *)t, "tb_lineno");
		}
		PyErr_Clear();
		Py_DECREF(code);
	}
}

int ent__python_error(ent_error *e) {
	PyObject *type = NULL, *value = NULL, *traceback = NULL;
	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (!value) {
		ent_error_set(e, ENT_ERR_INVALID, "Python failed without saying why");
	} else {
		char text[600];
		PyObject *said = PyObject_TypeCheck(value, (PyTypeObject *)PyExc_SyntaxError) ? PyObject_GetAttrString(value, "msg")
																					  : PyObject_Str(value);
		copy_text(said, text, sizeof text);
		Py_XDECREF(said);
		ent_error_set(e, ENT_ERR_INVALID, "%s%s%s", Py_TYPE(value)->tp_name, text[0] ? ": " : "", text);
		find_place(value, traceback && PyTraceBack_Check(traceback) ? traceback : NULL, e);
	}
	PyErr_Clear();
	Py_XDECREF(type);
	Py_XDECREF(value);
	Py_XDECREF(traceback);
	return -1;
}
