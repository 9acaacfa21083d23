/* SPDX-License-Identifier: Apache-2.0
 *
 * conform/conform.h: what the files of entente-conform share. The process runs one test of one plugin and ends, so that
 * what the plugin does to it costs one test. It links the objects of entente-decoder: framing, checks of facts and
 * verdicts are those that the plugin meets in earnest; only the way out (socket and ring) ends here, in trial.c.
 *
 * To add a test: a row in tests.def, and a function ent__test_ID in one of the files test_*.c. It tries something,
 * calls ent__check_ran() each time, and ent__check_fail() for what is wrong, at most once a case. A function that had
 * nothing to try returns without either, and ent__check_skip() says why. Then plant the bug: tests/conform/planted. */
#ifndef ENT_CONFORM_CONFORM_H
#define ENT_CONFORM_CONFORM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "conform/report.h"
#include "decode/worker.h"
#include "entente/plugin.h"

#include <stdbool.h>

#define ENT__NO_PLACE UINT64_MAX

/* ---- input.c: which documents, read how ---- */

typedef struct ent__case {
	const char *name;     /* of the golden case, or the path */
	const char *document; /* its name, as the plugin gets it */
	const char *path;     /* of its bytes */
	const char *golden;   /* path of what must come out; NULL: nobody says */
	const ent_decoder *decoder;
	const char *options;     /* as written, in YAML */
	const ent_value *values; /* of those that are the decoder's */
	ent_csv_options framing; /* those that are the host's */
	bool tables;             /* a LIST or MAP among them is written: it says how to read what no decoder could know */
	const char *bytes;
	size_t n;
	const char *beside; /* a file that lies beside it: its companion; NULL: none */
	size_t beside_n;
} ent__case;

typedef struct ent__given { /* words of the command line */
	const char *plugin, *test, *golden, *decoder, *options;
	const char *const *inputs;
	size_t n_inputs;
} ent__given;

typedef struct ent__set {
	ent_arena arena;
	const char *path;         /* of the plugin */
	const ent_plugin *plugin; /* NULL: not loaded */
	const char *golden;       /* folder; NULL: none */
	ent__case *cases;
	size_t n, capacity;
} ent__set;

/* Loads the plugin. */
int ent__set_load(ent__set *, const char *path, ent_error *);
/* Finds and reads the inputs. */
int ent__set_read(ent__set *, const ent__given *, ent_error *);
/* Of a set that was read: what fuzzing found of it, in the folder `found` of its golden files. May be none. */
int ent__set_read_found(const ent__set *, ent__set *, ent_error *);
void ent__set_finish(ent__set *);
/* Options as written in YAML (NULL: none), for the decoder of the case: fills values, framing, tables. */
int ent__options_read(ent_arena *, ent__case *, const char *yaml, ent_error *);
/* The bytes of a file, NUL-terminated. NULL: *e says why. */
char *ent__file_read(ent_arena *, const char *path, size_t *n, ent_error *);

/* ---- alloc.c: the plugin's memory ---- */

/* Not 0: this thread is within a function of the plugin, and its allocations are the plugin's. */
extern _Thread_local unsigned ent__inside;

typedef enum ent__whose {
	ENT__OWN,     /* asked for by code of the plugin's file, the C library's and the compiler's runtime on its behalf */
	ENT__FOREIGN, /* by another library that the plugin uses */
	ENT__ANYONES
} ent__whose;

typedef struct ent__allocs {
	uint64_t calls;       /* for memory, of the plugin, since ent__alloc_watch() */
	uint64_t failed;      /* of them: refused on purpose */
	uint64_t live, bytes; /* of them: not given back */
	const void *from;     /* who asked for one of those */
} ent__allocs;

/* A sanitizer has its own malloc(): allocations are neither seen nor refused. */
bool ent__alloc_seen(void);
/* Where the plugin lies, and the libraries: before the first ENT__OWN or ENT__FOREIGN. */
void ent__alloc_learn(const char *plugin);
/* Counts from now on the calls of `whose`, and refuses number `refuse` of them (1 is the next; 0: none), and any that
 * would make the live ones more than `most` bytes (0: no limit). What is live is counted of all. */
void ent__alloc_watch(ent__whose, uint64_t refuse, uint64_t most);
/* What was counted. Counting goes on. */
ent__allocs ent__alloc_counts(void);
void ent__alloc_unwatch(void);

/* ---- trial.c: one instance of a decoder, in the real host ---- */

typedef enum ent__event_type {
	ENT__SAID_FACT,
	ENT__SAID_REJECT,
	ENT__SAID_SKIP,
	ENT__SAID_ERROR,
	ENT__SAID_COVERS,
	ENT__SAID_SLICE,
	ENT__SAID_CURSOR,
	ENT__SAID_LOG
} ent__event_type;

typedef struct ent__event {
	ent__event_type type;
	ent_fact kind;  /* FACT, COVERS */
	bool retract;   /* FACT: that something is gone */
	bool refused;   /* FACT: by the host, which rejects its record */
	uint64_t place; /* in the document */
	size_t at, n;   /* its line in `text`; LOG and CURSOR have none */
} ent__event;

typedef struct ent__record { /* a record that was given to the plugin, or that the host itself refused */
	uint64_t place, end;     /* in the document */
} ent__record;

typedef struct ent__trial ent__trial;

/* Called with what the plugin says, before the host has it; all optional. */
typedef struct ent__watcher {
	void *ctx;
	void (*fact)(void *ctx, ent__trial *, ent_fact, const void *fact, uint64_t place);
	void (*text)(
		void *ctx, ent__trial *, ent__event_type, const char *text, uint64_t place); /* reasons, messages, log */
	void (*identity)(void *ctx, ent__trial *, ent_id_kind, ent_str);
} ent__watcher;

/* How the plugin is called: a trial stands between host and plugin. All zero: as the host calls it. */
typedef struct ent__manner {
	bool poison;        /* what was passed to a call is overwritten when it returns */
	const size_t *cuts; /* feed() gets pieces that end at these offsets of what it would have got (JSONL: moved to the
						   next line end), ascending; ends with SIZE_MAX */
	bool resume;        /* after every call that ends a piece or row: save(), a new instance, load() */
	void (*turn)(void *ctx); /* before each call */
	void *turn_ctx;
} ent__manner;

struct ent__trial {
	ent_ctx ctx; /* first: it is what the plugin holds */
	const ent__case *of;
	const ent_decoder *decoder; /* the plugin's; ctx.decoder is ours, which calls it */
	void *self;                 /* the plugin's */
	ent_decoder between;
	ent__worker *worker;
	ent__watcher watcher;
	ent__manner manner;
	const ent_doc *doc; /* between begin() and end() */
	int fd;             /* the document */
	int beside;         /* its companion, or -1 */
	/* of the last decode */
	bool failed; /* `fault` says why; else it was decoded to the end of the range */
	ent_fault fault;
	ent_status returned;  /* of the plugin's function that failed, or ENT_OK */
	const char *function; /* its name, or that of the last one that was called */
	uint64_t begin, end;  /* of the range, as it turned out */
	uint64_t consumed, rejected, skipped, facts, owed;
	bool refused; /* the plugin said nothing of the failure: the last line of `text`, from refused_at on, is the host's
				   */
	size_t refused_at;
	ent_buf text; /* what the plugin said, in the form of a golden file */
	ent__event *events;
	size_t n_events, events_capacity;
	bool records_wanted;
	bool quiet; /* nothing is written down: for measuring */
	ent__record *records;
	size_t n_records, records_capacity;
};

/* An instance of the case's decoder. NULL: create() refused; *f says why, if it is given. */
ent__trial *ent__trial_open(const ent__case *, ent_fault *f);
/* The same, with other values (NULL: none). *status: what create() returned. */
ent__trial *ent__trial_open_with(const ent__case *, const ent_value *, ent_status *status, ent_fault *f);
void ent__trial_close(ent__trial *); /* NULL allowed */
/* Decodes. What was said before is dropped first. false: `failed`. */
bool ent__trial_decode(ent__trial *, const char *bytes, size_t n);
/* A range of the document that was given last, as dispatch gives it; what was said before is kept. */
bool ent__trial_range(ent__trial *, uint64_t begin, uint64_t end, bool exact);
/* A document from a pipe. */
bool ent__trial_pipe(ent__trial *, int fd);
/* Gives the document without decoding it, for ent__trial_range(). */
void ent__trial_give(ent__trial *, const char *bytes, size_t n);
void ent__trial_forget(ent__trial *);
/* Was it the host that said why the document is refused? Then that can be cut off the text. */
bool ent__trial_refused(const ent__trial *);
void ent__trial_cut(ent__trial *);
/* What was said, NUL-terminated. */
const char *ent__trial_text(ent__trial *);

/* ---- check.c: what a test finds ---- */

typedef struct ent__check {
	const ent__set *set;
	const char *test;
	uint64_t runs;
	unsigned n_failures;
	ent_buf failures; /* members of an array, in JSON */
	ent_buf numbers;  /* members of an object */
	char why[256];    /* of a skip */
} ent__check;

/* Something was tried. `doing` is told if the plugin does not come back: constant, or kept for so long. */
void ent__check_ran(ent__check *);
/* Says what is being tried, for the case that the plugin does not come back. */
void ent__doing(const ent__case *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ent__check_skip(ent__check *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `c` may be NULL. `place`: ENT__NO_PLACE if it has none. `todo` may be NULL. */
void ent__check_fail(ent__check *, const ent__case *c, uint64_t place, const char *todo, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void ent__check_number(ent__check *, const char *name, double value);
/* Fails if `got` is not, byte for byte, what was `want`ed: with the first line that differs. */
bool ent__check_same(
	ent__check *, const ent__case *, const char *want, const char *got, const char *todo, const char *how);

typedef struct ent__test {
	const char *name, *sentence;
	bool each; /* case */
	bool set;  /* not each, but all are read */
	void (*run)(ent__check *, const ent__case *);
} ent__test;

extern const ent__test ent__tests[];  /* ends with name NULL */
extern ent_conform_where *ent__where; /* never NULL */

/* ---- elf.c ---- */

typedef struct ent__elf {
	const unsigned char *bytes;
	size_t n;
	const char *const *exported, *const *undefined,
									 *const *needed; /* names; end with NULL. undefined: without weak ones */
} ent__elf;

/* Reads the dynamic symbols of a shared object. All in the arena. */
int ent__elf_read(ent__elf *, const char *path, ent_arena *, ent_error *);

#endif
