/* SPDX-License-Identifier: Apache-2.0
 *
 * What a rule reads beyond the snapshot: _entente.Facts, a table of single facts, and views that no cell keeps. The
 * core is asked while the rule runs (ENT_RULES_ASK), and answers with sealed memory; the time until then is not the
 * rule's. Amounts are converted here, with the rates that all other figures are read with: each by the rate of its day,
 * rounded half-even. */
#include "base/arena.h"
#include "base/num.h"
#include "metrics/facts.h"
#include "rules/rules.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct facts {
	PyObject_HEAD ent_facts f;
	void *data;
	size_t bytes;
	int64_t **converted; /* by column; NULL where the amounts are read as they lie in the block */
} facts;

typedef struct column {
	PyObject_HEAD facts *of;
	const void *data;
	Py_ssize_t n, width;
	const char *format;
} column;

static PyTypeObject *facts_class, *column_class;

/* ---- asking
 * ------------------------------------------------------------------------------------------------------ */

/* The descriptor of the answer, or -1 with an exception. */
static int ask(ent_rules_ask what, const char *partner, unsigned of, unsigned families,
	const uint8_t origins[ENT_FAMILY_COUNT], int32_t from, int32_t to) {
	static ent__packet answer; /* its memory is kept for the next */
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_ASK);
	ent_buf_u8(&b, (uint8_t)what);
	ent_buf_text(&b, partner);
	ent_buf_u8(&b, (uint8_t)of);
	ent_buf_u8(&b, (uint8_t)families);
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		ent_buf_u8(&b, origins[f]);
	}
	ent_buf_u32(&b, (uint32_t)from);
	ent_buf_u32(&b, (uint32_t)to);
	ent__status_wait();
	ent__send(&b);
	ent_buf_finish(&b);
	if (!ent__receive(&answer) || answer.type != ENT_RULES_ANSWER) {
		_exit(0); /* the core is gone, or wants this process to be */
	}
	ent__status_go_on();
	bool good = ent_read_u8(&answer.read);
	size_t n_why, n_todo;
	const char *why = ent_read_bytes(&answer.read, &n_why), *todo = ent_read_bytes(&answer.read, &n_todo);
	if (good && !answer.read.bad && answer.fd >= 0) {
		return answer.fd;
	}
	if (answer.fd >= 0) {
		close(answer.fd);
	}
	char text[1200];
	snprintf(text, sizeof text, "%.*s; %.*s", why ? (int)n_why : 0, why ? why : "", todo ? (int)n_todo : 0,
		todo ? todo : "");
	PyErr_SetString(PyExc_RuntimeError, text);
	return -1;
}

/* ---- a table
 * ----------------------------------------------------------------------------------------------------- */

static void facts_dealloc(PyObject *self) {
	facts *t = (facts *)self;
	PyTypeObject *type = Py_TYPE(self);
	for (unsigned c = 0; t->converted && c < t->f.kind->n_columns; c++) {
		free(t->converted[c]);
	}
	free(t->converted);
	if (t->data) {
		munmap(t->data, t->bytes);
	}
	type->tp_free(self);
	Py_DECREF(type);
}

static facts *map_facts(int fd) {
	int want = F_SEAL_SHRINK | F_SEAL_WRITE, seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	ent_error e = {0};
	if (seals < 0 || (seals & want) != want || fstat(fd, &st)) {
		PyErr_SetString(PyExc_RuntimeError, "the table of facts is no sealed memory");
		return NULL;
	}
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		PyErr_Format(PyExc_MemoryError, "cannot map %lld bytes of facts: raise rules.memory", (long long)st.st_size);
		return NULL;
	}
	facts *t = (facts *)PyType_GenericAlloc(facts_class, 0);
	if (!t) {
		munmap(data, (size_t)st.st_size);
		return NULL;
	}
	t->data = data;
	t->bytes = (size_t)st.st_size;
	if (ent_facts_open(&t->f, data, t->bytes, &e)) {
		PyErr_SetString(PyExc_RuntimeError, e.what);
		Py_DECREF(t);
		return NULL;
	}
	return t;
}

/* Whatever the block was asked to be, the columns of its kind say where things are. */
static int column_named(const ent_facts *f, const char *name) {
	for (unsigned c = 0; c < f->kind->n_columns; c++) {
		if (!strcmp(f->kind->columns[c].name, name)) {
			return (int)c;
		}
	}
	return -1;
}

static int64_t convert(int64_t amount, int64_t rate) {
	ent_i128 v = rate ? ent_div_half_even((ent_i128)amount * rate, ENT_SNAP_RATE_ONE) : 0;
	return rate && v > INT64_MIN && v <= INT64_MAX ? (int64_t)v : ENT_FACTS_NONE;
}

/* Amounts in another currency than the reporting one. */
static void convert_all(facts *t, ent_snap *s) {
	const ent_facts *f = &t->f;
	int at = column_named(f, "currency"), day = column_named(f, "day");
	if (at < 0 || day < 0) {
		return;
	}
	const uint32_t *currency = (const uint32_t *)(f->base + f->columns[at]);
	const int32_t *days = (const int32_t *)(f->base + f->columns[day]);
	uint32_t *known = ent_xmalloc((f->head->n_texts + 1) * sizeof *known); /* by text: number in the snapshot */
	const char *reporting = ent_snap_text_of(s, s->head->currency);
	bool all = true;
	for (uint64_t i = 0; i < f->head->n_texts; i++) {
		known[i] = ENT_NO_TEXT - 1; /* not looked for */
	}
	for (uint64_t i = 0; i < f->rows; i++) {
		uint32_t c = currency[i];
		if (known[c] == ENT_NO_TEXT - 1) {
			const char *text = (const char *)f->base + f->texts[c].offset;
			known[c] = !c || !strcmp(text, reporting) ? s->head->currency : ent_snap_find_value(s, text, f->texts[c].n);
		}
		all &= known[c] == s->head->currency;
	}
	if (!all) {
		t->converted = ent_xcalloc(f->kind->n_columns, sizeof *t->converted);
	}
	for (unsigned c = 0; !all && c < f->kind->n_columns; c++) {
		if (f->kind->columns[c].type != ENT_FACTS_MONEY) {
			continue;
		}
		const int64_t *from = (const int64_t *)(f->base + f->columns[c]);
		int64_t *to = t->converted[c] = ent_xmalloc((f->rows + 1) * sizeof *to);
		for (uint64_t i = 0; i < f->rows; i++) {
			uint32_t text = known[currency[i]];
			to[i] = text == s->head->currency
						? from[i]
						: convert(from[i], text == ENT_NO_TEXT ? 0 : ent_snap_rate_on(s, text, days[i]));
		}
	}
	free(known);
}

PyObject *ent__snapshot_facts(PyObject *self, PyObject *args) {
	unsigned int partner, kind;
	PyObject *first, *after;
	int32_t from, to;
	if (!PyArg_ParseTuple(args, "IIOO:facts", &partner, &kind, &first, &after) || ent__day_of(first, "start", &from) ||
		ent__day_of(after, "stop", &to)) {
		return NULL;
	}
	const ent_facts_kind_def *def = ent_facts_kind(kind);
	if (!def || partner >= ent__snapshot_partners(self)) {
		PyErr_SetString(PyExc_IndexError, "there is no such partner, or no such kind of facts");
		return NULL;
	}
	ent_snap *s = ent__snapshot_of(self, &partner);
	uint8_t origins[ENT_FAMILY_COUNT];
	memset(origins, ENT_ORIGIN_COUNT, sizeof origins);
	if (def->family < ENT_FAMILY_COUNT) { /* the origin that its figures are read of */
		origins[def->family] = (uint8_t)ent_window_origin(s, partner, def->family);
	}
	to = to > s->as_of + 1 ? s->as_of + 1 : to;
	int fd = ask(ENT_RULES_ASK_FACTS, ent_snap_partner_id(s, partner), kind, 0, origins, from, to);
	facts *t = fd < 0 ? NULL : map_facts(fd);
	if (fd >= 0) {
		close(fd);
	}
	if (t && t->f.head->kind != kind) {
		PyErr_SetString(PyExc_RuntimeError, "the core answers what was not asked");
		Py_CLEAR(t);
	}
	if (t) {
		convert_all(t, s);
	}
	return (PyObject *)t;
}

PyObject *ent__snapshot_cut(PyObject *self, PyObject *args) {
	unsigned int partner, metric, view;
	int origin;
	PyObject *first, *after;
	int32_t from, to;
	if (!PyArg_ParseTuple(args, "IIIOOi:cut", &partner, &metric, &view, &first, &after, &origin) ||
		ent__day_of(first, "start", &from) || ent__day_of(after, "stop", &to)) {
		return NULL;
	}
	ent_snap *s = partner < ent__snapshot_partners(self) ? ent__snapshot_of(self, &partner) : NULL;
	if (!s || metric >= s->catalogue->n_metrics || !view || view >= ENT_VIEW_COUNT || origin < -1 ||
		origin >= ENT_ORIGIN_COUNT) {
		PyErr_SetString(PyExc_IndexError, "there is no such partner, metric, view or origin");
		return NULL;
	}
	const ent_metric *m = ent_snap_metric(s, metric);
	unsigned families = ent_metric_families(m);
	if (families & ~(unsigned)ent_view_families[view]) {
		PyErr_Format(PyExc_ValueError, "%s is made of facts that have no %s", m->name, ent_view_names[view]);
		return NULL;
	}
	uint8_t origins[ENT_FAMILY_COUNT];
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		origins[f] = origin >= 0 ? (uint8_t)origin : (uint8_t)ent_window_origin(s, partner, f);
	}
	to = to > s->as_of + 1 ? s->as_of + 1 : to;
	int fd = ask(ENT_RULES_ASK_VIEW, ent_snap_partner_id(s, partner), view, families, origins, from, to);
	ent_error e = {0};
	PyObject *cut = fd < 0 ? NULL : ent__snapshot_new(fd, &e);
	if (fd >= 0) {
		close(fd);
		if (!cut) {
			PyErr_SetString(PyExc_RuntimeError, e.what);
		}
	}
	return cut ? Py_BuildValue("(NI)", cut, families) : NULL;
}

PyObject *ent__snapshot_integrity(PyObject *self, PyObject *args) {
	unsigned int partner, checks;
	PyObject *first, *after;
	int32_t from, to;
	if (!PyArg_ParseTuple(args, "IIOO:integrity", &partner, &checks, &first, &after) ||
		ent__day_of(first, "start", &from) || ent__day_of(after, "stop", &to)) {
		return NULL;
	}
	if (partner >= ent__snapshot_partners(self) || !checks || checks > UINT8_MAX) {
		PyErr_SetString(PyExc_IndexError, "there is no such partner, or no such test");
		return NULL;
	}
	ent_snap *s = ent__snapshot_of(self, &partner);
	uint8_t origins[ENT_FAMILY_COUNT];
	memset(origins, ENT_ORIGIN_COUNT, sizeof origins);
	to = to > s->as_of + 1 ? s->as_of + 1 : to;
	int fd = ask(ENT_RULES_ASK_INTEGRITY, ent_snap_partner_id(s, partner), checks, 0, origins, from, to);
	struct stat st;
	if (fd < 0) {
		return NULL;
	}
	void *data = fstat(fd, &st) ? MAP_FAILED : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (data == MAP_FAILED) {
		PyErr_SetString(PyExc_MemoryError, "cannot map what the tests found: raise rules.memory");
		return NULL;
	}
	PyObject *text = PyUnicode_DecodeUTF8(data, (Py_ssize_t)strnlen(data, (size_t)st.st_size), "replace");
	munmap(data, (size_t)st.st_size);
	return text;
}

/* ---- what Python sees of it
 * -------------------------------------------------------------------------------------- */

static PyObject *columns(PyObject *self, PyObject *unused) {
	(void)unused;
	static const char *const types[] = {[ENT_FACTS_MOMENT] = "moment",
		[ENT_FACTS_MONEY] = "money",
		[ENT_FACTS_NUMBER] = "number",
		[ENT_FACTS_DAY] = "day",
		[ENT_FACTS_TEXT] = "text",
		[ENT_FACTS_FLAG] = "flag"};
	const ent_facts_kind_def *k = ((facts *)self)->f.kind;
	PyObject *list = PyList_New(k->n_columns);
	for (unsigned c = 0; list && c < k->n_columns; c++) {
		const ent_facts_column_def *d = &k->columns[c];
		const char *type = d->type == ENT_FACTS_NUMBER ? ent_unit_names[d->unit] : types[d->type];
		PyObject *row = Py_BuildValue("(ss)", d->name, type);
		if (row) {
			PyList_SET_ITEM(list, c, row);
		} else {
			Py_CLEAR(list);
		}
	}
	return list;
}

static PyObject *texts(PyObject *self, PyObject *unused) {
	(void)unused;
	const ent_facts *f = &((facts *)self)->f;
	PyObject *list = PyList_New((Py_ssize_t)f->head->n_texts);
	for (uint64_t i = 0; list && i < f->head->n_texts; i++) {
		PyObject *text =
			PyUnicode_DecodeUTF8((const char *)f->base + f->texts[i].offset, (Py_ssize_t)f->texts[i].n, "replace");
		if (text) {
			PyList_SET_ITEM(list, (Py_ssize_t)i, text);
		} else {
			Py_CLEAR(list);
		}
	}
	return list;
}

static PyObject *column_of(PyObject *self, PyObject *name) {
	facts *t = (facts *)self;
	const char *text = PyUnicode_AsUTF8(name);
	int c = text ? column_named(&t->f, text) : -1;
	if (c < 0) {
		return text ? PyErr_Format(PyExc_KeyError, "%s", text) : NULL;
	}
	unsigned type = t->f.kind->columns[c].type;
	column *out = (column *)PyType_GenericAlloc(column_class, 0);
	if (out) {
		out->of = (facts *)Py_NewRef(self);
		out->data = t->converted && t->converted[c] ? (const void *)t->converted[c] : t->f.base + t->f.columns[c];
		out->n = (Py_ssize_t)t->f.rows;
		out->width = (Py_ssize_t)ent_facts_width(type);
		out->format = out->width == 8 ? "q" : type == ENT_FACTS_DAY ? "i" : "I";
	}
	return (PyObject *)out;
}

static Py_ssize_t n_rows(PyObject *self) { return (Py_ssize_t)((facts *)self)->f.rows; }

static PyObject *get_ever(PyObject *self, void *unused) {
	(void)unused;
	return PyLong_FromUnsignedLongLong(((facts *)self)->f.head->ever);
}

static int get_buffer(PyObject *self, Py_buffer *view, int flags) {
	column *c = (column *)self;
	if (flags & PyBUF_WRITABLE) {
		PyErr_SetString(PyExc_BufferError, "facts can only be read");
		return -1;
	}
	*view = (Py_buffer){.obj = Py_NewRef(self),
		.buf = (void *)c->data,
		.len = c->n * c->width,
		.itemsize = c->width,
		.readonly = 1,
		.ndim = 1,
		.format = flags & PyBUF_FORMAT ? (char *)c->format : NULL,
		.shape = flags & PyBUF_ND ? &c->n : NULL,
		.strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &c->width : NULL};
	return 0;
}

static void column_dealloc(PyObject *self) {
	PyTypeObject *type = Py_TYPE(self);
	Py_XDECREF(((column *)self)->of);
	type->tp_free(self);
	Py_DECREF(type);
}

static PyMethodDef methods[] = {
	{"columns", columns, METH_NOARGS, NULL},
	{"texts", texts, METH_NOARGS, NULL},
	{"column", column_of, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};
static PyGetSetDef fields[] = {
	{"ever", get_ever, NULL, "facts of that kind on whatever day", NULL},
	{NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot facts_slots[] = {
	{Py_tp_dealloc, facts_dealloc},
	{Py_tp_methods, methods},
	{Py_tp_getset, fields},
	{Py_sq_length, n_rows},
	{Py_tp_doc, (void *)"Single facts of a partner, in columns."},
	{0, NULL},
};
static PyType_Spec facts_spec = {
	"_entente.Facts",
	sizeof(facts),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	facts_slots,
};
static PyType_Slot column_slots[] = {
	{Py_tp_dealloc, column_dealloc},
	{Py_bf_getbuffer, get_buffer},
	{Py_tp_doc, (void *)"One column, through the buffer protocol."},
	{0, NULL},
};
static PyType_Spec column_spec = {
	"_entente.Column",
	sizeof(column),
	0,
	Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	column_slots,
};

int ent__facts_type(PyObject *module) {
	column_class = (PyTypeObject *)PyType_FromSpec(&column_spec);
	facts_class = (PyTypeObject *)PyType_FromSpec(&facts_spec);
	bool good = column_class && facts_class && !PyModule_AddObjectRef(module, "Column", (PyObject *)column_class) &&
				!PyModule_AddObjectRef(module, "Facts", (PyObject *)facts_class);
	return good ? 0 : -1;
}
