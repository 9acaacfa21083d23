/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared within entente-rules. One thread runs everything: the control loop, the interpreter and the rules. */
#ifndef ENT_RULES_RULES_H
#define ENT_RULES_RULES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/buf.h"
#include "base/error.h"
#include "decode/protocol.h"
#include "metrics/window.h"
#include "rules/protocol.h"

#define ENT__STATUS_FD 4

/* ---- control.c ---- */

typedef struct ent__packet {
	uint8_t *data;
	size_t capacity;
	ent_read read; /* after the type */
	uint32_t type;
	int fd; /* the descriptor that came along, or -1; the receiver's to close */
} ent__packet;

/* The next packet into *p, whose memory is reused. False at the end: the core is gone. */
bool ent__receive(ent__packet *p);
/* Ends the process if the core is gone. */
void ent__send(const ent_buf *);
/* A record: it may wait for others. */
void ent__send_result(uint64_t run, const char *bytes, size_t n);
/* Sends what has waited for long. */
void ent__send_waiting(void);
/* `bytes` in as many packets as it takes: type, u64 run if `with_run`, u8 last, bytes. */
void ent__send_stream(ent_rules_msg type, bool with_run, uint64_t run, const char *bytes, size_t n);
void ent__send_failed(uint32_t about, uint64_t run, const ent_error *);

/* ---- status.c: the page that the core watches ---- */

/* 0, or ENT_ERR_INVALID if descriptor 4 is no such page. */
int ent__status_open(ent_error *);
uint64_t ent__monotonic(void); /* nanoseconds */
/* `rule`: number + 1, ENT_RULES_AT_LOAD or ENT_RULES_AT_BRIEF. */
void ent__status_start(uint32_t rule, uint32_t partner);
/* No rule is at work. Adds the time since the start to the sum of the run. */
void ent__status_idle(void);
/* The file of a book that is loaded next; "" or NULL: none. It has a deadline of its own. */
void ent__status_file(const char *path);
/* The core is asked something: what that takes is not the rule's time. */
void ent__status_wait(void);
void ent__status_go_on(void);
void ent__status_reset(void);
void ent__status_times(ent_buf *out);   /* as ENT_RULES_DONE has them */
uint64_t ent__status_spent(void);
uint64_t ent__status_started(void); /* evaluations since the reset */

/* ---- sandbox.c ---- */

typedef struct ent__sandbox {
	const char *const *folders; /* files and folders that may be read; those that are absent are left out */
	size_t n;
	uint64_t memory; /* bytes of address space, 0: no limit */
	int level;       /* ent_sandbox */
} ent__sandbox;

/* Closes the process in. `reached` gets "seccomp+landlock 4", "seccomp", "off", ... What REQUIRED lacks is an error. */
int ent__sandbox_enter(const ent__sandbox *, char *reached, size_t size, ent_error *);

/* ---- python.c ---- */

typedef struct ent__python {
	char **folders; /* for sys.path, in order */
	size_t n_folders;
	const char *venv; /* "" for none */
} ent__python;

/* Starts the interpreter: isolated, sys.path and output set, faulthandler armed. */
int ent__python_start(const ent__python *, ent_error *);
/* Imports `entente.worker`: code of the package runs. */
int ent__python_import(ent_error *);
/* Folders that imports read (sys.path), appended to the array as malloc'd texts. */
int ent__python_paths(char ***folders, size_t *n, ent_error *);
const char *ent__python_version(void);
/* Moves the pending exception into `e`: type and text, with the innermost place that has a file. Always returns -1. */
int ent__python_error(ent_error *e);

/* ---- output.c: what scripts print ---- */

int ent__output_install(void);
PyObject *ent__output_take(void); /* str; empties the buffer */
void ent__output_clear(void);
bool ent__output_any(void);

/* ---- module.c, snapshot.c, series.c, figure.c, look.c: _entente ---- */

PyMODINIT_FUNC PyInit__entente(void);
int ent__snapshot_type(PyObject *module);
/* Maps the descriptor, which stays the caller's. NULL and `e`. */
PyObject *ent__snapshot_new(int fd, ent_error *e);
int ent__series_type(PyObject *module);
/* A series over `data`, which `owner` keeps alive (no copy), or, with owner NULL, over malloc'd data that it takes. */
PyObject *ent__series_new(PyObject *owner, const int64_t *data, Py_ssize_t n, int32_t day0, int unit);
/* columns.c: _entente.Values and _entente.Rows. */
int ent__columns_types(PyObject *module);
/* Denominator of the unit in which values are kept. */
long ent__unit_scale(int unit);

/* facts.c: methods of a Snapshot, and what the first of them gives. */
int ent__facts_type(PyObject *module);
PyObject *ent__snapshot_facts(PyObject *snapshot, PyObject *args);
PyObject *ent__snapshot_cut(PyObject *snapshot, PyObject *args);
PyObject *ent__snapshot_integrity(PyObject *snapshot, PyObject *args);

/* The reader of a Snapshot for one partner, whose index becomes the one that this reader knows it by; NULL for anything
 * else. Good until the next layer. */
ent_snap *ent__snapshot_of(PyObject *, uint32_t *partner);

/* How many partners a Snapshot has; -1 for anything else. */
int64_t ent__snapshot_partners(PyObject *);

/* A block with the partners that changed, to be laid over a snapshot. */
typedef struct ent__layer ent__layer;
/* Maps it; *whom gets a list of whom it holds, as indices of the snapshot. NULL and `e`. */
ent__layer *ent__layer_open(PyObject *snapshot, int fd, PyObject **whom, ent_error *e);
/* From now on these partners are read from it. */
void ent__layer_lay(PyObject *snapshot, ent__layer *);
void ent__layer_close(ent__layer *);
/* 128 bits as int; nearly always they fit 64. */
PyObject *ent__integer(__int128);
/* A day from Python, or -1 and OverflowError, which says `name`. */
int ent__day_of(PyObject *, const char *name, int32_t *out);

enum { ENT__COUNT, ENT__RATIO, ENT__PIECES, ENT__MONEY, ENT__SECONDS, ENT__DAYS };

typedef struct ent__unit {
	PyObject *object; /* entente.quantity.Unit: there is one for each unit */
	int which;
	const char *kind, *currency;
	long long scale;
} ent__unit;

/* NULL, without an exception, if it is none that is known here. */
const ent__unit *ent__unit_of(PyObject *);
int ent__figure_type(PyObject *module);
/* Takes the references to top and bottom, either of which may be NULL after an exception. */
PyObject *ent__figure_new(PyTypeObject *, PyObject *top, PyObject *bottom, PyObject *unit, double coverage);
PyObject *ent__figure_of(PyTypeObject *, __int128 top, __int128 bottom, PyObject *unit, double coverage);

/* A window that a Look has read. */
typedef struct ent__entry {
	int32_t start, stop;
	ent_window window;
	PyObject *figure; /* the quantity that was made of it; NULL: none so far */
	uint32_t text, text_n, page; /* where evidence.c keeps its JSON */
} ent__entry;

typedef struct ent__look_names {
	PyObject *metric, *origin, *unit; /* borrowed from the Look */
} ent__look_names;

int ent__look_type(PyObject *module);
/* The Measure of a partner, whose view has this snapshot and these spans. */
PyObject *ent__look_new(PyObject *partner, PyObject *metric, PyObject *snapshot, PyObject *spans, uint32_t index);
/* Good until the Look reads another window. */
ent__entry *ent__look_entry(PyObject *look, int32_t entry, ent__look_names *);
/* Number of its metric. */
uint16_t ent__look_metric(PyObject *look);
/* As entente.run.Read, a new reference. */
PyObject *ent__look_read(PyObject *look, int32_t entry);

/* ---- reads.c: what the rule at work read ---- */

#define ENT__READ_IS_WHOLE (-1)
#define ENT__READ_FIELDS 14 /* of an entente.run.Read */
typedef struct ent__read {
	PyObject *object; /* a Look; or, if the entry is ENT__READ_IS_WHOLE, an entente.run.Read */
	int32_t entry;    /* of the Look */
} ent__read;

int ent__reads_type(PyObject *module);
/* False with an exception. */
bool ent__reads_add(PyObject *look, int32_t entry);
/* The items of a Reads; false for anything else. */
bool ent__reads_of(PyObject *, const ent__read **items, size_t *n);
PyObject *ent__read_whole(const ent__read *);
/* entente.run.now: false with an exception if it is no Run. */
bool ent__run_bind(PyObject *);
/* Before each rule; `pair`: partner and rule in one, as changes.py has it. */
bool ent__run_reset(uint64_t pair);
/* Was anything asked for or missed? */
bool ent__run_missed(void);
bool ent__run_held(void); /* has the rule at work read what is not for the partner? */
PyObject *ent__run_reads(void); /* borrowed */

/* ---- evidence.c ---- */

int ent__evidence_function(PyObject *module);
/* What all records of one rule and partner are made of. */
typedef struct ent__record_parts {
	PyObject *head, *partner; /* bytes: what comes before the partner's id, and that */
	PyObject *read, *finding; /* these write the odd ones */
} ent__record_parts;

/* Is it a Finding that asks for nothing? */
bool ent__finding_is_plain(PyObject *);
/* The record of a rule that missed nothing, with a list of such findings or NULL: JSON, until the next call; NULL with an
 * exception. */
const char *ent__record(PyObject *found, PyObject *reads, const ent__record_parts *, size_t *n);

/* ---- depend.c, peers.c, partner.c, judge.c ---- */

int ent__places_function(PyObject *module);

int ent__depend_type(PyObject *module);
bool ent__depends(PyObject *); /* is it a Depend? */
/* What a rule read of a partner just now, from a Reads or a list. 0 or -1 with an exception. */
int ent__depend_note(PyObject *, uint32_t rule, uint32_t partner, PyObject *reads);

int ent__partner_type(PyObject *module);
int ent__judge_function(PyObject *module);

/* ---- guard.c ---- */

/* The package was imported: from now on neither it nor builtins can be changed. 0, or -1 with an exception. */
int ent__guard_arm(void);
/* What is there now has to stay. */
void ent__guard_keep(void);
/* Puts back what a rule left behind, and waits for its threads; an exception at hand stays. False: it took modules away. */
bool ent__guard_tidy(void);
/* Of the frames of an exception that there was no memory for: what they hold is let go, and the places stay known. */
void ent__guard_release(PyObject *error);
/* Is there so little memory left, after a rule that ran out of it, that others would fail for it? */
bool ent__guard_starved(void);

/* ---- evaluate.c ---- */

/* The rule `number` judges a partner from now on. */
void ent__begin(uint32_t number, uint32_t partner);
/* Is it the function that worker.evaluate() is given to send records? */
bool ent__emits(PyObject *);
/* Sends its record. */
void ent__result(const char *text, size_t n);

int ent__load(const char *json, size_t n, ent_error *);
int ent__evaluate(uint64_t run, int fd, const char *json, size_t n, ent_error *);
/* The same of what a layer changes in the snapshot that was kept. */
int ent__change(uint64_t run, int fd, const char *json, size_t n, ent_error *);
int ent__brief(uint64_t run, int fd, const char *json, size_t n, ent_error *);

#endif
