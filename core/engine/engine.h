/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine: everything between the configuration and the store. A command opens it, lets it run, reads, and closes it.
 * Loop thread only; the caller owns the configuration, which must outlive the engine. */
#ifndef ENT_ENGINE_ENGINE_H
#define ENT_ENGINE_ENGINE_H

#include "config/config.h"
#include "engine/pool.h"
#include "metrics/snapshot.h"
#include "store/store.h"

typedef struct ent_engine ent_engine;

typedef enum ent_engine_mode {
	ENT_ENGINE_PLUGINS, /* no store: for looking at plugins and checking a configuration */
	ENT_ENGINE_READ,    /* the store as the last commit left it, also while a run is under way */
	ENT_ENGINE_WRITE,   /* takes the lock, creates what is absent, recovers from an interrupted run */
	ENT_ENGINE_RUN      /* the same, and rules are going to judge what is read: see ent_engine_rules_expected() */
} ent_engine_mode;

int ent_engine_open(ent_engine **out, const ent_config *config, ent_engine_mode mode, ent_errors *errors);
void ent_engine_close(ent_engine *);

ent_store *ent_engine_store(ent_engine *);
/* The configuration that is active. */
const ent_config *ent_engine_config(const ent_engine *);
/* What recovery found on opening; empty texts and zeros if nothing. */
const ent_ledger_report *ent_engine_recovery(const ent_engine *);
/* Text of a code of the store. */
const char *ent_engine_text(const ent_engine *, uint32_t code);
/* Code of a text, or UINT32_MAX. */
uint32_t ent_engine_code(const ent_engine *, const char *text);

/* Is it the id of a partner, configured or brought by the data? */
bool ent_engine_is_partner(const ent_engine *, const char *id);

typedef enum ent_partner_kind { ENT_PARTNER_CONFIGURED = 1, ENT_PARTNER_CREATED, ENT_PARTNER_PARKED } ent_partner_kind;
/* Visits partners, in order of their codes. PARKED: a word of a source that means no partner, so that its facts wait. */
typedef int (*ent_partner_visit)(void *ctx, const char *id, ent_partner_kind, const ent_config_partner *);
int ent_engine_partners(ent_engine *, ent_partner_visit, void *ctx);

/* ---- plugins ------------------------------------------------------------------------------------------------------------ */

/* Describes the plugins of the configuration (or all that are found, if it names none). A plugin that cannot be loaded is
 * an error in `errors`; the others are described all the same. */
int ent_engine_plugins(ent_engine *, const ent_plugin_info *const **out, size_t *n, ent_errors *errors);

/* Sandbox that the last worker really reached ("seccomp+landlock 4", "off"): of decoders, or of rules; "" if none was
 * started yet. */
const char *ent_engine_sandbox(const ent_engine *, bool rules);

/* Options of a decoder as they may be written: its own, and behind them those of the framing. Lives with the engine. */
const ent_option *ent_engine_options(ent_engine *, const ent_decoder_info *);
/* Checks decoders and options of all sources against the plugins. Needs ent_engine_plugins before. */
int ent_engine_check(ent_engine *, ent_errors *errors);

/* ---- ingest --------------------------------------------------------------------------------------------------------------- */

typedef struct ent_ingest_progress {
	uint64_t bytes_total, bytes_done; /* packed bytes of the inputs that are new */
	uint64_t records, facts;
	uint32_t inputs_total, inputs_done, inputs_unchanged;
	const char *doing; /* "reading", "judging" */
} ent_ingest_progress;

/* Where the time of a run went, in nanoseconds. All but `decoding` and `storing` are parts of the loop's own time. */
typedef struct ent_run_stages {
	uint64_t decoding;   /* processor time of all decoders, which run beside the loop */
	uint64_t preparing;  /* plugins described, sources listed, index of the ledger read */
	uint64_t waiting;    /* for what the decoders send, and taking it */
	uint64_t folding;    /* ledger and cells */
	uint64_t committing; /* freezing what is to be committed, and waiting for commits */
	uint64_t storing;    /* processor time of commits, most of it beside the loop: sorting, the store */
} ent_run_stages;

typedef struct ent_run_report {
	ent_ingest_progress progress;
	uint32_t inputs_failed;
	ent_errors errors;      /* of inputs that failed: file and position; the run went on without them */
	unsigned workers_started, workers_died;
	char sandbox[128];
	uint64_t ledger_bytes;
	double seconds;
	ent_run_stages stages;
	bool balanced;          /* both equations close for every source */
	ent_errors imbalances;  /* which do not, and by how much */
	uint64_t waits, waited_ns; /* times, and how long in all, that decoders waited for the core to fold */
	bool more;    /* the time given for it was over, or it was interrupted: there is more to read */
	bool changed; /* something was committed that rules may read */
	int64_t next_settle_us; /* microseconds since 1970 at which a file that is too young now has settled; 0: there is none */
	int64_t next_retry_us;  /* the same for what failed: a document or a source may be tried again; 0: there is none */
} ent_run_report;

/* What an ingest is to look at; zeroed: everything, until it is through. */
typedef struct ent_ingest_what {
	const char *const *sources; /* names; NULL: all */
	size_t n_sources;
	/* After so long no more is given out: what is contiguous is committed, and the next call goes on behind it. Each call gives
	 * out something, so that calls without any time still get to the end. 0: without end */
	uint64_t budget_ns;
	bool service; /* of an engine that stays: signals are not the loop's business, sources take turns (who was given least goes
	               * first), and what fails again and again is quarantined */
} ent_ingest_what;

/* Reads everything that is new, and commits it. 0 also when single inputs failed (they are in the report); negative when
 * the run itself could not go on: then nothing since the last commit is kept. `progress` may be NULL. */
int ent_engine_ingest(ent_engine *, void (*progress)(void *ctx, const ent_ingest_progress *), void *ctx, ent_run_report *report,
	ent_error *e);

/* The same for a part of it. NULL: everything. */
int ent_engine_ingest_some(ent_engine *, const ent_ingest_what *, void (*progress)(void *ctx, const ent_ingest_progress *),
	void *ctx, ent_run_report *report, ent_error *e);
/* Ends the ingest that is under way soon, with what is contiguous committed; without one, nothing happens. Any thread. */
void ent_engine_interrupt(ent_engine *);

/* What arrives over the network lies there; it is borrowed until the engine is closed. Without one, a run that is no service looks
 * for itself into what a service left in the store. */
typedef struct ent_inbox ent_inbox;
void ent_engine_inbox(ent_engine *, ent_inbox *);

/* How a source stands, as the last ingest that looked at it left it. */
typedef struct ent_source_standing {
	const char *name;
	uint32_t files_waiting; /* new, or not read to their end; without those below */
	uint64_t bytes_waiting; /* of them, packed */
	int64_t waiting_since_us; /* since when the oldest of them lies there; 0: none waits */
	uint32_t files_young;     /* left alone by `settle` */
	uint32_t files_set_aside, files_quarantined; /* failed, see ent_engine_set_aside; the second are among the first */
	uint64_t worker_deaths;   /* while they read this source; of this process */
	unsigned failed_in_row;   /* documents of which workers died, and none went well since the first of them */
	int64_t paused_until_us;  /* the whole source is quarantined until then: its workers died too often; 0: it is not */
	const char *paused_why;
	ent_balance total;        /* of this process, as far as it is committed */
	uint64_t parked, pending; /* documents now */
} ent_source_standing;
/* The i-th source of the configuration; false where there is none. Its texts hold until the next call that ingests. */
bool ent_engine_source_standing(const ent_engine *, size_t i, ent_source_standing *out);

/* A document that could not be read, and stands aside until it changes or its time comes. */
typedef struct ent_set_aside {
	const char *source, *file; /* file "": the files of the source could not be listed */
	const char *what, *todo;
	int64_t since_us;
	int64_t again_us; /* when it is tried again; 0: when it changes */
	unsigned tries;
	bool quarantined; /* workers died of it as often as `decoders: {quarantine_after: N}` allows */
} ent_set_aside;
typedef int (*ent_set_aside_visit)(void *ctx, const ent_set_aside *);
int ent_engine_set_aside(const ent_engine *, ent_set_aside_visit, void *ctx);

/* ---- reading ---------------------------------------------------------------------------------------------------------------- */

/* The day of judgement: configuration's as_of, or `override` if it is not NULL. Now is the day that has begun in each partner's
 * zone, and this the latest of them. */
int ent_engine_as_of(ent_engine *, const ent_as_of *override, int32_t *day, ent_error *e);
/* Another number as soon as the day turns in the zone of any partner, where judgement is of now; else 0. */
uint64_t ent_engine_days(const ent_engine *, const ent_as_of *override);
/* Now is when this is called: an engine that stays open takes the moment at which it was opened for now, otherwise. */
/* What can be asked for: the built-in metrics, and those that the configuration and the rulebooks declare. As long as the
 * configuration is the same. */
const ent_catalogue *ent_engine_catalogue(const ent_engine *);
/* Judging a whole snapshot answers so, and judges nothing, if the rulebooks declare other metrics than the cells were made with:
 * declare them, which counts anew what changed, and make a new snapshot. */
#define ENT_ENGINE_DECLARED 2
int ent_engine_declare(ent_engine *, ent_error *e);
void ent_engine_clock(ent_engine *);
/* What can be asked for: the built-in metrics, and those of users with which the cells were made; without a store, those that the
 * configuration declares. Good until the engine reads or reloads. */
const ent_catalogue *ent_engine_catalogue(const ent_engine *);

/* A snapshot as one block in a sealed memfd, mapped read-only. */
typedef struct ent_snapshot_block {
	int fd;
	void *data;
	size_t bytes;
	int32_t as_of;
	uint8_t *behind; /* by code of a partner: days that its own day lies before as_of; NULL: that is the day of all */
} ent_snapshot_block;
int ent_engine_snapshot(ent_engine *, int32_t as_of, const char *as_of_mode, ent_snapshot_block *out, ent_error *e);
void ent_snapshot_block_finish(ent_snapshot_block *);

/* ---- judging ------------------------------------------------------------------------------------------------------------------ */

typedef struct ent_judge_report {
	uint32_t rules, partners;
	bool unchanged;   /* nothing was judged: what is told stands since the same was judged before */
	bool whole;       /* all partners were judged; else those that a change reaches */
	uint32_t changed; /* partners that changed since the last judgement */
	uint64_t evaluations;
	uint64_t said_true, said_false, unknown, failed;
	uint64_t findings;
	double seconds;
	ent_errors errors; /* rulebooks that could not be loaded, rules that were stopped */
} ent_judge_report;

/* Did the rules judge the same before: the same facts, by the same rules and settings, for the same day? Then the report says
 * what they said, and it stands. Where they did not, what ent_engine_judge stores next is remembered as of this moment. */
bool ent_engine_judged(ent_engine *, int32_t day, const char *as_of_mode, ent_judge_report *);
/* Rules are going to judge what the next ingest reads: if it reads anything, their worker starts meanwhile. Where there is no
 * store yet, ENT_ENGINE_RUN has it start while that is made. */
void ent_engine_rules_expected(ent_engine *);
/* Evaluates all rules over the snapshot in the rules worker, and stores findings and verdicts. */
int ent_engine_judge(ent_engine *, const ent_snapshot_block *, ent_judge_report *, ent_error *e);
/* Brings findings to what is committed, in an engine that stays open: whatever was ingested since the last call reaches the
 * rules that read it, of its own partner or through a cohort, and no others run. The first call judges everything, as does
 * one on another day, after a partner came, or when too much changed at once; the result is the same either way. */
int ent_engine_follow(ent_engine *, const ent_as_of *override, ent_judge_report *, ent_error *e);
/* What became of a rule in this engine, over all judgements. */
typedef struct ent_rule_tally {
	char name[128];
	uint64_t runs, ns; /* evaluations, and the time that they took */
	uint64_t said_true, said_false, unknown, failed;
} ent_rule_tally;
const ent_rule_tally *ent_engine_tallies(const ent_engine *, size_t *n);
/* Keys of the store: {"at", "loaded": what ent_engine_rules gives} of the rules that last judged, and {"at", "errors":
 * [{file, line, column, what, todo}]} of those that a service refused since; "": none. */
#define ENT_META_RULES_ACTIVE "rules_active"
#define ENT_META_RULES_REFUSED "rules_refused"
/* Has rulebooks loaded anew at the next judgement. */
void ent_engine_rules_reload(ent_engine *);
/* The rulebooks as the configuration has them, as JSON: folders ("shipped" as its own), settings, imports, scopes. */
void ent_rules_books_json(const ent_config *, ent_arena *, ent_buf *out);
/* Lists rules as JSON without evaluating them. */
int ent_engine_rules(ent_engine *, ent_buf *json, ent_error *e);
/* What is wrong with the books, as they were loaded last, and with the metrics that they declare. */
void ent_engine_rules_errors(const ent_engine *, ent_errors *errors);
/* Makes a brief: `request` is JSON (docs/rules.md), `page` gets what the worker made. */
int ent_engine_brief(ent_engine *, const ent_snapshot_block *, const char *request, ent_buf *page, ent_error *e);

/* ---- telling ----------------------------------------------------------------------------------------------------------------- */

/* What Alertmanagers have to hear is brought to what is open: after a start, and after `tell` changed. Within a transaction. */
int ent_engine_alerts_resync(ent_engine *, ent_error *e);

/* ---- proof ---------------------------------------------------------------------------------------------------------------------- */

/* Canonical digest, BLAKE2b-256, over everything that must not depend on order, workers or repetition; by group, and over
 * all groups. How files are split shows in `inputs` (and in the places of rejects), never in the other three. Comparable
 * only under one identity key. */
typedef struct ent_digest {
	uint8_t documents[32]; /* live keys: partner, source, kind, key, rank, content, pending */
	uint8_t cells[32];     /* measures that are not zero */
	uint8_t members[32];   /* distinct sets by identity, distributions by bucket */
	uint8_t rejects[32];
	uint8_t inputs[32];    /* sources with the content and position of each live input */
	uint8_t all[32];
} ent_digest;
int ent_engine_digest(ent_engine *, ent_digest *out, ent_error *e);

#endif
