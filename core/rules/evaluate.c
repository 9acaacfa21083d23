/* SPDX-License-Identifier: Apache-2.0
 *
 * Drives the module `entente.worker`: load(config), evaluate(snapshot, request, emit, start) -> whether it keeps the
 * snapshot, change((whom, lay), request, emit, start), brief(snapshot, request).
 * emit(record) sends one record; start(rule, partner) says who is at work now. Both are plain C functions: the run they
 * belong to is the one under way, for there is never a second. */
#include "rules/rules.h"

static uint64_t run;

/* str or bytes as UTF-8, borrowed from the object; NULL with an exception. */
static const char *utf8(PyObject *o, Py_ssize_t *n) {
	if (PyBytes_Check(o)) {
		*n = PyBytes_GET_SIZE(o);
		return PyBytes_AS_STRING(o);
	}
	if (PyUnicode_Check(o)) {
		return PyUnicode_AsUTF8AndSize(o, n);
	}
	PyErr_Format(PyExc_TypeError, "expected str or bytes, not %.100s", Py_TYPE(o)->tp_name);
	return NULL;
}

void ent__result(const char *text, size_t n) {
	/* Before sending: a core that is slow to read must not make the rule late. */
	ent__status_idle();
	ent__send_result(run, text, n);
}

void ent__begin(uint32_t number, uint32_t partner) {
	ent__output_clear();
	ent__send_waiting();
	ent__status_start(number + 1, partner);
}

static PyObject *emit(PyObject *self, PyObject *record) {
	(void)self;
	Py_ssize_t n;
	const char *text = utf8(record, &n);
	if (!text) {
		return NULL;
	}
	ent__result(text, (size_t)n);
	Py_RETURN_NONE;
}

static PyObject *begin(PyObject *self, PyObject *const *args, Py_ssize_t n) {
	(void)self;
	if (n != 2) {
		PyErr_SetString(PyExc_TypeError, "start() takes the numbers of a rule and of a partner");
		return NULL;
	}
	unsigned long rule = PyLong_AsUnsignedLong(args[0]), partner = PyLong_AsUnsignedLong(args[1]);
	if (PyErr_Occurred()) {
		return NULL;
	}
	ent__begin((uint32_t)rule, (uint32_t)partner);
	Py_RETURN_NONE;
}

bool ent__emits(PyObject *f) { return PyCFunction_Check(f) && PyCFunction_GET_FUNCTION(f) == emit; }

static PyMethodDef emit_method = {"emit", emit, METH_O, "Send one record, JSON as str or bytes."};
static PyMethodDef start_method = {"start", (PyCFunction)(void (*)(void))begin, METH_FASTCALL,
	"Say which rule judges which partner from now on."};

/* The module is imported once: a book may have taken it out of sys.modules since. */
static PyObject *worker(const char *function) {
	static PyObject *module;
	module = module ? module : PyImport_ImportModule("entente.worker");
	return module ? PyObject_GetAttrString(module, function) : NULL;
}

int ent__load(const char *json, size_t n, ent_error *e) {
	ent__status_file(NULL);
	PyObject *f = worker("load");
	PyObject *result = f ? PyObject_CallFunction(f, "s#", json, (Py_ssize_t)n) : NULL;
	Py_ssize_t length;
	const char *text = result ? utf8(result, &length) : NULL;
	int status = text ? 0 : ent__python_error(e);
	ent__guard_keep();
	ent__status_idle();
	if (!status) {
		ent__send_stream(ENT_RULES_LOADED, false, 0, text, (size_t)length);
	}
	Py_XDECREF(result);
	Py_XDECREF(f);
	return status;
}

/* Calls worker.FUNCTION(subject, request, emit, start). A new reference, or NULL with an exception. */
static PyObject *call_rules(const char *function, PyObject *subject, const char *json, size_t n) {
	PyObject *f = worker(function), *result = NULL;
	PyObject *out = PyCFunction_New(&emit_method, NULL), *start = PyCFunction_New(&start_method, NULL);
	if (f && out && start) {
		result = PyObject_CallFunction(f, "Os#OO", subject, json, (Py_ssize_t)n, out, start);
	}
	Py_XDECREF(start);
	Py_XDECREF(out);
	Py_XDECREF(f);
	return result;
}

/* Tells the core what of cohorts it released, if there is any that is new. */
static int send_released(uint64_t number) {
	PyObject *f = worker("released"), *said = f ? PyObject_CallNoArgs(f) : NULL;
	Py_ssize_t n = 0;
	const char *text = said ? utf8(said, &n) : NULL;
	if (text && n) {
		ent__send_stream(ENT_RULES_RELEASED, true, number, text, (size_t)n);
	}
	Py_XDECREF(said);
	Py_XDECREF(f);
	return text ? 0 : -1;
}

/* Tells the core how the run ended. Takes the reference. */
static int done(uint64_t number, PyObject *result, ent_error *e) {
	bool good = result && !send_released(number);
	if (!good) {
		ent__python_error(e);
	}
	ent__status_idle();
	Py_XDECREF(result);
	if (!good) {
		return -1;
	}
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_DONE);
	ent_buf_u64(&b, number);
	ent_buf_u64(&b, ent__status_started());
	ent_buf_u64(&b, ent__status_spent());
	ent__status_times(&b);
	ent__send(&b);
	ent_buf_finish(&b);
	return 0;
}

static PyObject *kept; /* the snapshot that changes are laid over */

int ent__evaluate(uint64_t number, int fd, const char *json, size_t n, ent_error *e) {
	run = number;
	ent__status_reset();
	Py_CLEAR(kept);
	PyObject *snapshot = ent__snapshot_new(fd, e);
	if (!snapshot) {
		return -1;
	}
	PyObject *result = call_rules("evaluate", snapshot, json, n);
	if (result == Py_True) {
		kept = snapshot;
	} else {
		Py_DECREF(snapshot);
	}
	return done(number, result, e);
}

static ent__layer *layer; /* of the change under way */

static PyObject *lay(PyObject *self, PyObject *unused) {
	(void)self;
	(void)unused;
	if (!layer) {
		PyErr_SetString(PyExc_RuntimeError, "this layer lies already");
		return NULL;
	}
	ent__layer_lay(kept, layer);
	ent__layer_close(layer);
	layer = NULL;
	Py_RETURN_NONE;
}

static PyMethodDef lay_method = {"lay", lay, METH_NOARGS, "From now on the changed partners read as they are now."};

int ent__change(uint64_t number, int fd, const char *json, size_t n, ent_error *e) {
	run = number;
	ent__status_reset();
	if (!kept) {
		return ent_error_set(e, ENT_ERR_INVALID, "no snapshot was kept that could change");
	}
	PyObject *whom;
	layer = ent__layer_open(kept, fd, &whom, e);
	if (!layer) {
		return -1;
	}
	PyObject *lays = PyCFunction_New(&lay_method, NULL);
	PyObject *subject = lays ? PyTuple_Pack(2, whom, lays) : NULL;
	PyObject *result = subject ? call_rules("change", subject, json, n) : NULL;
	Py_XDECREF(subject);
	Py_XDECREF(lays);
	Py_DECREF(whom);
	ent__layer_close(layer);
	layer = NULL;
	return done(number, result, e);
}

int ent__brief(uint64_t number, int fd, const char *json, size_t n, ent_error *e) {
	ent__status_start(ENT_RULES_AT_BRIEF, 0);
	PyObject *snapshot = ent__snapshot_new(fd, e);
	if (!snapshot) {
		return -1;
	}
	PyObject *f = worker("brief"), *result = f ? PyObject_CallFunction(f, "Os#", snapshot, json, (Py_ssize_t)n) : NULL;
	if (!result) {
		ent__python_error(e);
	}
	Py_XDECREF(f);
	Py_DECREF(snapshot);
	ent__status_idle();
	Py_ssize_t length;
	const char *text = result ? utf8(result, &length) : NULL;
	if (result && !text) {
		ent__python_error(e);
	}
	if (text) {
		ent__send_stream(ENT_RULES_PAGE, true, number, text, (size_t)length);
	}
	Py_XDECREF(result);
	return text ? 0 : -1;
}
