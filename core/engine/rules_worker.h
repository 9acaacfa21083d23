/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules workers of an engine: started and loaded at first need, and kept, so that rules, and the snapshot that they
 * read, stay where they are between one judgement and the next. All functions on the loop thread. */
#ifndef ENT_ENGINE_RULES_WORKER_H
#define ENT_ENGINE_RULES_WORKER_H

#include "base/json.h"
#include "engine/child.h"
#include "engine/internal.h"
#include "rules/protocol.h"

#include <json-c/json.h>

enum { ENT__RULES_MOST = 16 };

typedef struct ent__rules ent__rules;

typedef struct ent__rules_worker {
	ent__rules *all;
	ent_child *child;
	bool ready, loaded, done, gone, failed;
	int64_t status;
	int signal;
	ent_buf stream; /* parts of the record or page at hand */
	ent_buf json;   /* what it said when it had loaded the books, terminated */
	ent_buf page;   /* of a brief */
	ent_buf released; /* what it released of cohorts */
	uint64_t evaluations;
	bool asked; /* for its traceback */
	uint64_t asked_ns;
	uint64_t worked_ns, worked_since_ns; /* processor time it had when that was last seen to grow, and when that was */
	bool late;
	uint32_t late_rule, late_partner;
	ent_error error; /* what it failed with */
} ent__rules_worker;

struct ent__rules {
	ent_engine *e;
	ent__rules_worker workers[ENT__RULES_MOST];
	char prepared[65];  /* the first was started ahead, when the files of the rules were these; "": it was not */
	unsigned n;         /* that are alive and loaded */
	json_object *rules; /* the list of rules, as loaded */
	uint32_t *tally_of, n_rules, next_rule; /* by the same index: row of the engine's tallies; likely the next that is told of */
	char **vectorized;  /* names of those that judge all partners at once */
	unsigned n_vectorized;
	ent_errors books;   /* what is wrong with the books */
	char *metrics;      /* JSON of those that they declare, "": none; NULL: they cannot be made sense of */
	/* What they read now, for their questions: see facts_table.c. NULL: nothing. */
	const ent_snapshot_block *base;
	int32_t base_as_of;
	const uint8_t *behind; /* as the block has it */
	unsigned facts_read; /* kinds of documents, 1 << ent_fact, that rules asked for since all was judged */
	/* Takes records, each followed by a newline, as they come; may be NULL. */
	void (*take)(void *ctx, unsigned worker, const char *records, size_t n);
	void *take_ctx;
};

/* If rules are expected: starts a worker, and does not wait for it. */
void ent__rules_prepare(ent_engine *);
/* standing.c: a print of the files that rules are made of. */
void ent__rules_print(ent_engine *, char out[65]);
/* Sees to it that `n` workers are there, with the books loaded. */
int ent__rules_open(ent_engine *, unsigned n, ent_error *e);
/* What was wrong with the books when they were loaded. */
void ent__rules_errors(const ent_engine *, ent_errors *errors);
/* Ends them: the next that are opened load the books anew. */
void ent__rules_close(ent_engine *);
/* Sends one message; `run` 0: it has none. `fd` -1: no descriptor. */
void ent__rules_send(ent__rules_worker *, uint32_t type, uint64_t run, const ent_buf *json, int fd);
/* declared.c: takes the metrics that the books declare; what is wrong with them goes to what is wrong with the books. */
void ent__declared_take(ent__rules *, json_object *loaded);
/* tally.c: what each rule said and took. Open: the list of rules is there. */
void ent__tally_open(ent__rules *);
void ent__tally_times(ent__rules *, ent_read *r);
void ent__tally_verdict(ent__rules *, const char *rule, size_t n, char verdict);
/* The innermost place in a traceback of faulthandler that lies in the file; `line` stays where there is none. */
void ent__place_in(const char *traceback, const char *file, uint32_t *line);
bool ent__rules_vectorized(const ent__rules *, const char *rule, size_t n);
/* left_out.c: files that ended a worker when it loaded them. False: it was not a file's doing, or that one is left out
 * already. */
bool ent__left_out_add(ent_engine *, const ent__rules_worker *);
void ent__left_out_json(const ent_engine *, ent_json *);
/* They are tried again. */
void ent__left_out_forget(ent_engine *);
/* Before messages whose answers are then waited for. */
void ent__rules_begin(ent__rules *);
/* Until the first n workers are done, or one of them failed or is gone. */
bool ent__rules_wait(ent__rules *, unsigned n);
/* Before a message to all of them: this is what they read. */
void ent__rules_reads(ent__rules *, const ent_snapshot_block *base, int32_t as_of, const uint8_t *behind);
/* facts_table.c: answers ENT_RULES_ASK. */
void ent__facts_answer(ent__rules_worker *, ent_read *r);
/* Text of a member, "" if it is not there. */
const char *ent__json_text(json_object *, const char *key);

#endif
