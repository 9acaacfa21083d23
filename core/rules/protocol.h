/* SPDX-License-Identifier: Apache-2.0
 *
 * What the core and the rules worker say to each other. The worker is started as `entente-rules PARENT_PID` with a
 * SOCK_SEQPACKET control socket as descriptor 3 and a status page, a sealed memfd of 4096 bytes, as descriptor 4;
 * its stderr (faulthandler's tracebacks) is a pipe that the core reads. Packets as in decode/protocol.h: u32 type, then
 * the fields with base/buf.h. What the worker sends is cut into packets of at most ENT_MSG_MAX: every packet of a stream
 * carries u8 last. What the core sends is one packet, as long as its socket takes.
 *
 * Flow: HELLO -> READY | FAILED; LOAD -> LOADED* | FAILED; EVALUATE, CHANGE -> RESULT*, RELEASED*, then DONE | FAILED; BRIEF -> PAGE* |
 * FAILED; ASK -> ANSWER in between. After a failed HELLO the worker leaves with status 1; else it waits for the next message.
 * A worker that misses a rule's deadline gets SIGUSR1 (faulthandler writes the traceback to stderr), then SIGKILL. */
#ifndef ENT_RULES_PROTOCOL_H
#define ENT_RULES_PROTOCOL_H

#include <stdatomic.h>
#include <stdint.h>

#define ENT_RULES_PROTOCOL_VERSION 6u
#define ENT_RULES_PAGE_MAGIC 0x4c555245u /* "ERUL" */

typedef enum ent_rules_msg {
	/* core to worker */
	ENT_RULES_HELLO = 1, /* u32 version, u8 sandbox (decode/protocol.h), u64 memory limit in bytes (0: none), u32 n, n times
	                        text: folders for sys.path (the package first), text venv ("" for none), u32 m, m times
	                        text: folders that may be read besides (the rulebooks): known before the sandbox closes */
	ENT_RULES_LOAD,      /* bytes JSON: {"books": [folders], "settings": {rule: {name: value}}, "import": [modules],
	                        "leave": {file: {"line", "what"}}}: files that ended a worker when it loaded them */
	ENT_RULES_EVALUATE,  /* u64 run, bytes JSON {"skip": [rules], "only": {"rules": [...], "partners": [...]} or null,
	                        "keep": bool, "part": [k, n] or null, "refused": [[slice, cohort, start, stop]]};
	                        one descriptor: the snapshot, a memfd sealed
	                        SHRINK|GROW|WRITE. keep: what the rules read is remembered, for CHANGE. part: only every
	                        n-th partner, from the k-th on: the others are judged by other workers */
	ENT_RULES_BRIEF,     /* u64 run, bytes JSON (the brief's request, docs/rules.md); one descriptor: the snapshot */
	ENT_RULES_STOP,
	ENT_RULES_CHANGE,    /* u64 run, bytes JSON {"metrics": [[numbers], ...], "of": [index into metrics or -1, ...]}; one
	                        descriptor: a block, sealed as a snapshot, with the partners that changed. `of` says for each of
	                        them which of its metrics may read otherwise, -1: all of it. Laid over the snapshot that was
	                        kept; the rules that read any of it, themselves or through a cohort, run again. The number
	                        ENT_RULES_FACTS + kind stands for single facts of an ent_fact that is a document */
	ENT_RULES_ANSWER,    /* u8 good, text what, text todo (if it is not good); one descriptor, if it is: what was asked for, a
	                        memfd sealed as a snapshot */
	/* worker to core */
	ENT_RULES_READY = 64, /* u32 pid, text Python version, text sandbox level reached */
	ENT_RULES_LOADED,     /* u8 last, bytes JSON: {"rules": [{name, practice, row, audience, doc, file, line, settings}],
	                         "errors": [{file, line, column, what, todo}]} */
	ENT_RULES_RESULT,     /* u64 run, u8 last (of these records), bytes: JSON, one record per (rule, partner), see
	                         docs/rules.md, each followed by a newline, which JSON itself never holds */
	ENT_RULES_DONE,       /* u64 run, u64 evaluations, u64 nanoseconds spent in rules, u32 n, for the first n rules of
	                         LOADED: u64 evaluations, u64 nanoseconds (the others had none) */
	ENT_RULES_RELEASED,   /* u64 run, u8 last, bytes JSON: {"sets": [numbers of partners, eight digits each], "shown": [[slice,
	                         cohort, start, stop, rank, set]], "refused": [[slice, cohort, start, stop, why]]}: see
	                         scripts/entente/releases.py; only if there is any that is new */
	ENT_RULES_PAGE,       /* u64 run, u8 last, bytes */
	ENT_RULES_ASK,        /* while a rule runs: u8 ent_rules_ask, text partner, u8 of (ent_fact, or ent_view), u8 families
	                         (1 << ent_family; of a view), u8 origin of each family (ENT_ORIGIN_COUNT: any; of facts only), i32
	                         from, i32 to: days [from, to). The worker waits for ENT_RULES_ANSWER, and its rule's time does
	                         not run meanwhile. FACTS: a table as metrics/facts.h has it; VIEW: a snapshot of this partner that
	                         holds nothing but the view; INTEGRITY: JSON of what tests
	                         of its orders found, `of` says of which (engine/integrity.h) */
	ENT_RULES_FAILED      /* u32 about (the ent_rules_msg it answers), u64 run (0: none), text file, u32 line, u32 column,
	                         text what, text todo */
} ent_rules_msg;

typedef enum ent_rules_ask { ENT_RULES_ASK_FACTS, ENT_RULES_ASK_VIEW, ENT_RULES_ASK_INTEGRITY } ent_rules_ask;

/* Above the numbers of all metrics; those of the facts stay below 256. */
#define ENT_RULES_FACTS 240u

/* In place of a rule's number: code of the rulebooks runs without a rule being at work. Deadlines hold then, too. */
#define ENT_RULES_AT_LOAD UINT32_MAX
#define ENT_RULES_AT_BRIEF (UINT32_MAX - 1)

enum { ENT_RULES_FILE_MOST = 2048 };
/* Status with which a worker leaves, a rule being at work, where that rule has left no memory for the others. */
enum { ENT_RULES_STARVED = 71 };

/* Status page. Written by the worker alone; the core reads it to enforce deadlines and to name who was at work. */
typedef struct ent_rules_page {
	uint32_t magic, version;
	_Atomic uint64_t beat;    /* grows with every (rule, partner) that starts */
	_Atomic uint32_t rule;    /* index in LOADED's list + 1; 0: none at work; ENT_RULES_AT_LOAD, ENT_RULES_AT_BRIEF */
	_Atomic uint32_t partner; /* index in the snapshot */
	_Atomic uint64_t started; /* CLOCK_MONOTONIC nanoseconds at which it started; 0: it waits for the core */
	char file[ENT_RULES_FILE_MOST]; /* ENT_RULES_AT_LOAD: the one that is loaded; written while `rule` is 0 */
} ent_rules_page;

#endif
