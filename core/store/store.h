/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: cells, positions, inputs, rejects, findings and balance in one database (`entente.db` in the store's
 * folder), behind this header, so that another database can stand in its place. Nothing here knows how facts become
 * cells. One thread at a time. Writes happen between begin and commit; a failed commit or a failed compare-and-set ends the run:
 * memory has run ahead of the disk, nothing is retried.
 *
 * A visitor stops its scan by returning nonzero, which the scan then returns. What it is given is borrowed until it
 * returns. It may read the store, but not write what it is visiting.
 *
 * Codes are dense numbers for texts, by kind; 0 is "". Days count from 1970-01-01. */
#ifndef ENT_STORE_STORE_H
#define ENT_STORE_STORE_H

#include "base/buf.h"
#include "base/error.h"
#include "facts/ledger.h"
#include "metrics/catalogue.h"
#include "metrics/cells.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ent_store ent_store;

enum { ENT_STORE_READ = 0, ENT_STORE_WRITE = 1, ENT_STORE_CREATE = 3 };

/* Opens `folder`. WRITE takes the lock (OFD write lock on `folder/lock`, held for life): ENT_ERR_BUSY names the process
 * that has it. CREATE makes folder and schema when absent. A schema of another version is refused,
 * but one that lacks only tables and columns, which WRITE and CREATE bring up to date. */
int ent_store_open(ent_store **out, const char *folder, int mode, ent_error *e);
void ent_store_close(ent_store *);
/* One thread at a time has the store: the one that opened it, until it releases it, then the one that takes it. A debug
 * build ends the process where another one uses it. */
void ent_store_release(ent_store *);
void ent_store_take(ent_store *);
const char *ent_store_folder(const ent_store *);

/* Of a store opened for reading, begin and commit enclose a moment: what is read in between fits together. */
int ent_store_begin(ent_store *, ent_error *e);
int ent_store_commit(ent_store *, ent_error *e);
void ent_store_rollback(ent_store *);

/* Looks through the whole database for damage: ENT_ERR_CORRUPT. */
int ent_store_check(ent_store *, ent_error *e);

/* Copies the database into a new file, as it stands in the moment that begin gave (of a store opened for reading, after something
 * was read); the file is not synced. `progress` may be NULL. */
int ent_store_copy(ent_store *, const char *file, void (*progress)(void *ctx, uint64_t bytes, uint64_t of), void *ctx,
	ent_error *e);

/* ---- small things ------------------------------------------------------------------------------------------------ */

/* A named value. *out is set to a malloc'ed text, or NULL if absent. */
int ent_store_meta_get(ent_store *, const char *key, char **out, ent_error *e);
int ent_store_meta_set(ent_store *, const char *key, const char *value, ent_error *e);

/* The kind of all texts that cells, inputs and the other tables here name: partners, sources, currencies, values of
 * views. The readable views of the database decode by it; other kinds are the caller's. */
#define ENT_CODE_TEXT 0u

typedef int (*ent_store_code_visit)(void *ctx, uint32_t kind, uint32_t id, const char *text, size_t n);
int ent_store_codes_load(ent_store *, ent_store_code_visit, void *ctx, ent_error *e);
int ent_store_code_add(ent_store *, uint32_t kind, uint32_t id, const char *text, size_t n, ent_error *e);

int ent_store_segments_load(ent_store *, ent_segment **out, size_t *n, ent_error *e); /* malloc'ed */
int ent_store_segments_save(ent_store *, const ent_segment *, size_t n, ent_error *e);

/* ---- inputs: the documents that a source has read ---------------------------------------------------------------- */

typedef struct ent_input {
	uint32_t id;           /* dense, given by the caller; what facts of it carry */
	uint32_t source;       /* code of the source's name */
	char name[512];        /* path below the source's root */
	uint64_t size, mtime_ns, inode, device;
	uint64_t head_sum, tail_sum; /* ent_hash64 of the first and last 64 KiB (packed bytes) */
	uint64_t content;      /* ent_hash64 over sizes and both sums: its identity in the digest */
	int64_t snapshot_us;   /* when its content was true: from the filename pattern, else mtime at first sight */
	uint64_t position;     /* bytes of the packed document that are in the store; the next group starts here */
	uint32_t generation;   /* grows when the document came again, changed */
	uint8_t done;          /* read to its end */
	uint8_t live;          /* 0: its facts were taken back (restated, or replaced by a higher slice) */
	uint8_t slice_grade;
	uint8_t reserved;
	uint32_t slice;        /* code of the slice's name, 0 none */
	int32_t first_day, last_day; /* of its facts; INT32_MAX, INT32_MIN: none */
	uint64_t records, consumed, rejected, skipped, facts;
	char decoder[64], version[32]; /* decoder and meaning that read it */
	int64_t arrived_us; /* when the first of it came; 0: not known, it came before that was kept */
	int64_t gone_us;    /* when its facts were taken back; 0: they were not, or as above */
} ent_input;

typedef int (*ent_input_visit)(void *ctx, const ent_input *);
int ent_store_inputs_load(ent_store *, ent_input_visit, void *ctx, ent_error *e);
/* Inserts or updates by id. Compare-and-set: fails with ENT_ERR_FENCED unless the stored position and generation are
 * those given (expected_position UINT64_MAX: the row must not exist yet). */
int ent_store_input_put(ent_store *, const ent_input *, uint64_t expected_position, uint32_t expected_generation,
	ent_error *e);

/* ---- cells ------------------------------------------------------------------------------------------------------- */

typedef struct ent_cells_added {
	size_t fresh, known; /* days of partners that were not there before, and that were */
} ent_cells_added;
/* Adds changes to cells, sets and distributions, which need not be there. A sum that leaves int64 is ENT_ERR_RANGE, a count
 * of members below zero ENT_ERR_CORRUPT. Where nothing is left, nothing is kept; the
 * changes have none by nothing. Says what became of them, unless that is NULL. */
int ent_store_cells_add(ent_store *, const ent_cells_flush *, ent_cells_added *, ent_error *e);
typedef int (*ent_cell_visit)(void *ctx, const ent_cell *);
/* All cells of a family by (partner, day, view, value, currency, origin); of ENT_FAMILY_CUSTOM those of all blocks, by block
 * before the view. partner UINT32_MAX: of all. */
int ent_store_cells_scan(ent_store *, unsigned family, uint32_t partner, ent_cell_visit, void *ctx, ent_error *e);

/* One stored set: ids sorted, with multiplicities. Scanned by (partner, day, set, view, value, origin). */
typedef int (*ent_set_visit)(
	void *ctx, const ent_cell_key *, const uint32_t *ids, const uint32_t *multiplicity, size_t n);
int ent_store_sets_scan(ent_store *, uint32_t partner, ent_set_visit, void *ctx, ent_error *e);
/* Those of one partner and day. The visitor must not read sets itself. */
int ent_store_sets_of_day(ent_store *, uint32_t partner, int32_t day, ent_set_visit, void *ctx, ent_error *e);

/* The same for distributions: buckets (metrics/dist.h). */
typedef int (*ent_dist_visit)(void *ctx, const ent_cell_key *, const int32_t *buckets, const int64_t *counts, size_t n);
int ent_store_dists_scan(ent_store *, uint32_t partner, ent_dist_visit, void *ctx, ent_error *e);

/* Deletes all cells, sets and distributions (before they are rebuilt from the ledger). */
int ent_store_cells_clear(ent_store *, ent_error *e);

/* ---- records: current state of the keyed facts that are read one by one (contact, observation, entry, touch) ---- */

typedef struct ent_record {
	uint64_t key;        /* as in the ledger's index */
	uint32_t kind;       /* ent_fact */
	uint32_t partner;    /* code; 0 none (rates) */
	int32_t day;         /* for sorting and windows */
	uint32_t register_;  /* code of the register or metric */
	const char *json;    /* its fields; borrowed */
	size_t n;
} ent_record;
int ent_store_record_put(ent_store *, const ent_record *, ent_error *e); /* upsert by (kind, key) */
int ent_store_record_drop(ent_store *, uint32_t kind, uint64_t key, ent_error *e);
typedef int (*ent_record_visit)(void *ctx, const ent_record *);
/* kind 0: all kinds; partner UINT32_MAX: all. By partner, kind, day, key. */
int ent_store_records_scan(ent_store *, uint32_t kind, uint32_t partner, ent_record_visit, void *ctx, ent_error *e);

/* ---- coverage ---------------------------------------------------------------------------------------------------- */

typedef struct ent_cover {
	uint32_t partner, source, input; /* codes; input id */
	uint32_t kind;    /* ent_fact */
	int32_t from, to; /* half open */
	uint8_t origin, declared, complete, reserved;
} ent_cover;
/* Upsert by (partner, source, input, kind, origin, from). */
int ent_store_cover_put(ent_store *, const ent_cover *, ent_error *e);
int ent_store_covers_drop(ent_store *, uint32_t input, ent_error *e);
typedef int (*ent_cover_visit)(void *ctx, const ent_cover *);
int ent_store_covers_scan(ent_store *, ent_cover_visit, void *ctx, ent_error *e);
int ent_store_covers_of(ent_store *, uint32_t partner, ent_cover_visit, void *ctx, ent_error *e);

/* ---- rejects, balance -------------------------------------------------------------------------------------------- */

typedef struct ent_reject {
	uint32_t source, input;
	uint64_t place, line, hash;
	const char *input_name, *reason, *column, *excerpt; /* borrowed */
	const uint8_t *sealed;
	size_t sealed_n;
	int64_t seen_us;
} ent_reject;
int ent_store_reject_add(ent_store *, const ent_reject *, ent_error *e); /* same (input, place, reason): once */
int ent_store_rejects_drop(ent_store *, uint32_t input, ent_error *e);
/* Forgets the sealed bytes of rejects that were last seen before the time; place, reason and excerpt stay. */
int ent_store_rejects_expire(ent_store *, int64_t before_us, ent_error *e);
typedef int (*ent_reject_visit)(void *ctx, const ent_reject *);
/* By (input, place, reason). source UINT32_MAX: of all. */
int ent_store_rejects_scan(ent_store *, uint32_t source, ent_reject_visit, void *ctx, ent_error *e);

/* Totals of a source since its first run. */
typedef struct ent_balance {
	uint32_t source;
	uint64_t records, consumed, rejected, skipped;                           /* first equation */
	uint64_t received, stored, replaced, duplicate, superseded, merged, refused; /* second: facts */
	uint64_t parked, pending; /* states of stored facts */
	uint64_t bytes;           /* unpacked bytes read */
	uint64_t waits, waited_us; /* times, and how long in all, that decoders waited for the core to fold */
} ent_balance;
int ent_store_balance_add(ent_store *, const ent_balance *delta, ent_error *e); /* parked, pending: set, not added */
typedef int (*ent_balance_visit)(void *ctx, const ent_balance *);
int ent_store_balance_scan(ent_store *, ent_balance_visit, void *ctx, ent_error *e);

/* ---- findings ---------------------------------------------------------------------------------------------------- */

typedef struct ent_finding {
	const char *rule, *partner, *key; /* identity */
	const char *kind;                 /* insight, opportunity, red_flag, gate, ask, proposal, failure */
	const char *state;                /* open, acknowledged, explained, accepted, resolved, reopened, cleared, stale */
	const char *life;                 /* what was made of it: "", acknowledged, explained, accepted, resolved, reopened */
	int32_t life_as_of;               /* day that it was last said of when that was done */
	int32_t until_day;                /* of an accepted one: the last day for which it is; INT32_MAX: no such day */
	int64_t until_worth;              /* and the most that it may be worth */
	uint8_t has_until_worth;
	const char *text, *severity, *audience, *practice;
	int64_t worth;      /* micro-units of the reporting currency */
	uint8_t has_worth;
	int32_t as_of;      /* day it was last said */
	int32_t first_day;  /* day it was first said */
	uint64_t run;       /* that said it last */
	const char *json;   /* the whole record */
	const char *named;  /* the name that the rule had when it said this first: what people know the finding by stays. NULL in a
	                       new one: as `rule` */
} ent_finding;
/* The short id by which people know a finding: a hash, so that it is the same from run to run. `rule`: `named` of it. */
void ent_finding_id(const char *rule, const char *partner, const char *key, char out[9]);
/* Upsert of one that was said (again); `state` is that of a new one. Keeps first_day and what a person made of it, in
 * `life`. That ends, and the finding is reopened, when a resolved one is said of a later day, or after it was not said;
 * when one that was acknowledged or explained is said after it was cleared; and when one that was accepted is said of a day
 * after the last, or is worth more than the most. */
int ent_store_finding_put(ent_store *, const ent_finding *, ent_error *e);
/* What a person makes of a finding: `life` with its until_day and until_worth. ENT_ERR_NOTFOUND: there is no such finding. */
int ent_store_finding_live(ent_store *, const ent_finding *, ent_error *e);
/* Findings of the rule and partner that were not put since `run` began become `state` ("cleared" or "stale"); what
 * is cleared does not become stale, and what is resolved stays so. */
int ent_store_findings_close(
	ent_store *, const char *rule, const char *partner, uint64_t run, const char *state, ent_error *e);
typedef int (*ent_finding_visit)(void *ctx, const ent_finding *);
/* By (partner, rule, key). partner NULL: of all. */
int ent_store_findings_scan(ent_store *, const char *partner, ent_finding_visit, void *ctx, ent_error *e);
/* Those of a rule about a partner (NULL: about all), by partner and key. */
int ent_store_findings_of(
	ent_store *, const char *rule, const char *partner, ent_finding_visit, void *ctx, ent_error *e);
/* That one, if there is one. */
int ent_store_finding_one(ent_store *, const char *rule, const char *partner, const char *key, ent_finding_visit, void *ctx,
	ent_error *e);
/* Puts one finding into another state, whatever its state is. */
int ent_store_finding_state(
	ent_store *, const char *rule, const char *partner, const char *key, const char *state, ent_error *e);
/* A rule has another name now: what it said, and what people made of that, goes along. Where it spoke under both names already, that
 * of which a person made something stays, and else what is new. *moved: findings that changed hands. */
int ent_store_rule_rename(ent_store *, const char *from, const char *to, uint64_t *moved, ent_error *e);
/* All that the rules said of a partner, for "what did this rule say, and on what evidence": records as docs/rules.md has
 * them, each followed by a newline, in the order of the rules. Put takes the place of what was there. */
int ent_store_said_put(
	ent_store *, const char *partner, int32_t as_of, uint64_t run, const char *records, size_t n, ent_error *e);
/* The same records, appended; none if nobody judged the partner. */
int ent_store_said_get(ent_store *, const char *partner, ent_buf *records, ent_error *e);

/* What stands in front of a record. False: this is none. */
typedef struct ent_said_head {
	const char *rule, *partner, *verdict; /* not terminated; the partner is JSON, with its quotes */
	size_t n_rule, n_partner, n_verdict;
	const char *end; /* behind the verdict */
} ent_said_head;
bool ent_said_head_of(const char *record, size_t n, ent_said_head *);

typedef int (*ent_verdict_visit)(void *ctx, const char *rule, const char *partner, const char *verdict, int32_t as_of,
	const char *json);
/* By (partner, rule's place in its records). `json` is NULL unless `records`, for which all has to be unpacked. */
int ent_store_verdicts_scan(
	ent_store *, const char *partner, bool records, ent_verdict_visit, void *ctx, ent_error *e);

/* ---- judgements --------------------------------------------------------------------------------------------------- */

/* One judgement, and where the ledger stood then. */
typedef struct ent_run {
	uint64_t number;
	int64_t at_us;      /* when its findings were stored */
	int64_t arrived_us; /* the moment that the newest facts before it carry as their arrival */
	uint32_t segment;   /* last one of the ledger, */
	uint64_t length;    /* and how much of it was valid; 0, 0: it held nothing */
	uint32_t segments;  /* live ones at that time, up to that one: fewer of them now, and some were compacted since */
	int32_t as_of;
	uint8_t whole; /* all partners were judged */
} ent_run;
/* Upsert; judgements long ago are forgotten. */
int ent_store_run_put(ent_store *, const ent_run *, ent_error *e);
typedef int (*ent_run_visit)(void *ctx, const ent_run *);
/* By number, the newest first. */
int ent_store_runs_scan(ent_store *, ent_run_visit, void *ctx, ent_error *e);

/* What a rule did when it ran last. */
typedef struct ent_rule_run {
	const char *rule;
	uint64_t run;
	int64_t at_us;
	int32_t as_of;
	uint64_t evaluations, ns; /* partners that it judged then, and the time that this took */
} ent_rule_run;
int ent_store_rule_run_put(ent_store *, const ent_rule_run *, ent_error *e);
typedef int (*ent_rule_run_visit)(void *ctx, const ent_rule_run *);
int ent_store_rule_runs_scan(ent_store *, ent_rule_run_visit, void *ctx, ent_error *e);

#endif
