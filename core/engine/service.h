/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine as a service: a thread that owns one writing engine and does, over and over, what is due: read what came,
 * commit it, have the rules judge what changed, and in between whatever it was asked to do. Whoever started it (the front)
 * has a uv loop of its own, on which all answers come; it never touches the engine.
 *
 * Unless said otherwise, functions are called on the front's thread. */
#ifndef ENT_ENGINE_SERVICE_H
#define ENT_ENGINE_SERVICE_H

#include "engine/engine.h"

typedef struct ent_service ent_service;

/* What became of the service since it was told last; a mask. */
typedef enum ent_service_news {
	ENT_NEWS_COMMITTED = 1 << 0, /* facts were committed: what a reader opens from now on has them */
	ENT_NEWS_JUDGED = 1 << 1,    /* the rules have judged */
	ENT_NEWS_FINDINGS = 1 << 2,  /* and findings came, went or changed */
	ENT_NEWS_STATUS = 1 << 3,    /* a source, a worker or the store changed its state */
	ENT_NEWS_RELOADED = 1 << 4,  /* another generation of the configuration is active */
	ENT_NEWS_REFUSED = 1 << 6,   /* a generation was not good: the one before goes on */
	ENT_NEWS_ENDED = 1 << 5      /* the thread cannot go on, see ent_service_status.error: stop it, and leave */
} ent_service_news;

typedef struct ent_service_events {
	/* On the front's loop. Several may be told as one. */
	void (*news)(void *ctx, unsigned mask);
} ent_service_events;

/* Something to be done with the engine: on its thread, between two cycles, outside of any transaction. */
typedef struct ent_service_job {
	int (*work)(ent_engine *, void *ctx, ent_error *e);
	/* On the front's loop, also when the service stopped before the work (then ENT_ERR_STOPPED). NULL allowed. */
	void (*done)(void *ctx, int status, const ent_error *e);
	void *ctx;
} ent_service_job;

/* Starts the thread, which opens the engine. `config` is borrowed until the service stops, or has another one. Waits until
 * the store is open: 0, or the errors that kept it from opening. */
int ent_service_start(ent_service **out, uv_loop_t *front, const ent_config *config, const ent_service_events *, void *ctx,
	ent_errors *errors);
/* Has the thread end what it is at: what is contiguous is committed, the rest is read again the next time. Does not wait:
 * ENT_NEWS_ENDED tells. */
void ent_service_stop(ent_service *);
/* Stops it and waits. Jobs that are left are told so. NULL allowed. */
void ent_service_destroy(ent_service *);

/* Something came for this source (NULL: look at all of them). Any thread. */
void ent_service_touched(ent_service *, const char *source);
/* How the way in of a source stands that is not the engine's own (a poll, a pipe, a watch): why nothing comes in by it, and when it
 * is tried again (1970, 0: nobody knows); NULL: it is well. The source is shown as failing until then. Any thread. */
void ent_service_way(ent_service *, const char *source, const char *error, int64_t retry_us);
/* The rulebooks changed: judge again. Any thread. */
void ent_service_rules_changed(ent_service *);
/* Copies the job. */
void ent_service_do(ent_service *, const ent_service_job *);
/* The same for one that commits: if its work fails, memory has run ahead of the disk, and the engine is opened anew. */
void ent_service_do_writing(ent_service *, const ent_service_job *);
/* As ent_service_do, without having the round that is under way end sooner for it: nobody waits for this one. */
void ent_service_do_later(ent_service *, const ent_service_job *);
/* Has the engine read this inbox, which stays the front's and must outlive the service. `done` on the front's loop: from then on
 * the inbox knows in which form each source wants what comes; before, nothing may be put. */
void ent_service_inbox(ent_service *, ent_inbox *, void (*done)(void *ctx, int status, const ent_error *e), void *ctx);
/* Puts another configuration in place of the one that is active, if it is good: plugins load, options are right, rulebooks
 * load. `done` on the front's loop: 0, the new one is active and the old one free; or the errors, and the old one goes on.
 * Sources that are the same in both go on where they are. */
typedef void (*ent_service_reloaded)(void *ctx, int status, const ent_errors *errors);
void ent_service_reload(ent_service *, const ent_config *config, ent_service_reloaded done, void *ctx);

/* ---- status --------------------------------------------------------------------------------------------------------------- */

typedef enum ent_source_state {
	ENT_SOURCE_IDLE,       /* all that came is committed */
	ENT_SOURCE_WAITING,    /* something waits to be read, or is being read */
	ENT_SOURCE_FAILING,    /* the last try failed, to read it or to get at it; it is tried again */
	ENT_SOURCE_QUARANTINED /* it failed too often: tried again after a pause, or when it changes */
} ent_source_state;
extern const char *const ent_source_states[]; /* "idle", ... */

/* Times are microseconds since 1970; 0: never. */
typedef struct ent_source_status {
	char name[64], partner[64]; /* partner "": of many */
	char transport[16];         /* "directory", "webhook", ... */
	ent_source_state state;
	bool late;                  /* by `expect` */
	uint64_t records, consumed, rejected, skipped, facts, bytes; /* since the store was made */
	uint64_t parked, pending;   /* facts of words without a partner, documents without a header */
	uint64_t waiting_bytes;
	uint32_t waiting_files;
	uint32_t failures;          /* of files, since the service started */
	uint32_t restarts;          /* of workers on its account, since the service started */
	int64_t waiting_since_us;   /* how long the oldest of it has waited: the lag */
	int64_t last_read_us;       /* something new of it was committed */
	int64_t retry_us;           /* when it will be tried again */
	char error[320];            /* of the last failure, "" if that is mended */
} ent_source_status;

typedef struct ent_rule_status {
	char name[128];
	uint64_t runs, said_true, said_false, unknown, failed; /* since the engine was opened */
	double seconds; /* that they took in all */
} ent_rule_status;

typedef struct ent_service_status {
	bool running, ready, draining; /* ready: the store is open and everything was looked at once */
	const char *doing;             /* "waiting", "reading", "judging", "starting", "failing" */
	uint64_t beat;                 /* grows while the thread makes progress */
	int64_t beat_us;
	uint64_t generation;           /* of the configuration, from 1 */
	int64_t started_us, reloaded_us, committed_us, judged_us, next_scan_us;
	uint64_t cycles, commits, judgements, evaluations; /* since it started */
	double judge_seconds, ingest_seconds;             /* of the last of each */
	int32_t as_of;                 /* day of the last judgement */
	uint64_t said_true, said_false, unknown, failed;   /* of the last judgement */
	uint64_t findings[8];          /* open ones, by kind: see ent_finding_kinds */
	unsigned workers, workers_most;
	uint64_t workers_started, workers_died;
	char decoder_sandbox[64], rules_sandbox[64];
	uint64_t ledger_bytes, ledger_segments, store_bytes, documents, identities, memory_bytes;
	char error[600];               /* why it fails or ended; "" if it does not */
	char rules_error[600];         /* what is wrong with a rulebook, or why a rule was stopped, first of the last judgement */
	size_t rules_errors;           /* so many there were */
	int64_t refused_us;            /* when a reload was refused, after which none was good; 0: none */
	size_t refused_errors;
	char refused[600];             /* the first of them */
	ent_source_status *sources;
	size_t n_sources;
	ent_rule_status *rules;
	size_t n_rules;
} ent_service_status;
/* A copy of how things stand; any thread. The caller finishes it. */
void ent_service_status_take(ent_service *, ent_service_status *out);
void ent_service_status_finish(ent_service_status *);
/* Kinds of findings, in the order of ent_service_status.findings; ends with NULL. */
extern const char *const ent_finding_kinds[];

#endif
