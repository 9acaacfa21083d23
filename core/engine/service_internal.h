/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the service share. Members say which thread they belong to; what is between the lock's comments is taken
 * under it, and no work is done while it is held. */
#ifndef ENT_ENGINE_SERVICE_INTERNAL_H
#define ENT_ENGINE_SERVICE_INTERNAL_H

#include "engine/internal.h"
#include "engine/service.h"

typedef struct ent__job {
	ent_service_job job;
	bool writes;
	int status;
	ent_error error;
	struct ent__job *next;
} ent__job;

typedef struct ent__jobs {
	ent__job *first, **end;
} ent__jobs;

struct ent_service {
	const ent_service_events *events;
	void *ctx;
	uv_thread_t thread;
	uv_mutex_t lock;
	uv_cond_t opened;
	uv_async_t *answers; /* on the front's loop; freed by its close callback */
	/* under the lock: */
	ent__jobs asked, answered;
	char **touched; /* names of sources */
	size_t n_touched, touched_capacity;
	struct ent__way {
		char name[64], error[320];
		int64_t retry_us;
	} *ways; /* those that are not well */
	size_t n_ways, ways_capacity;
	bool touched_all, rules_changed, stopping, ended;
	bool is_open;        /* the first opening is decided */
	unsigned news;
	uv_async_t *wake;    /* of the engine's loop; NULL: there is none now */
	ent_engine *running; /* to be interrupted; NULL: none */
	ent_service_status status;
	/* the engine's thread: */
	ent_engine *engine;
	const ent_config *config;
	ent_inbox *inbox; /* given to each engine that is opened; NULL: none yet */
	ent_errors *open_errors; /* of the first opening; the starter's */
	uv_async_t wake_handle;
	uv_timer_t timer;
	bool handles; /* both of them are there */
	char **due;   /* sources to be looked at */
	size_t n_due, due_capacity;
	bool due_all, looked_once;
	bool judge_due, judge_whole_due;
	uint64_t next_read_ns, next_scan_ns, next_judge_ns; /* uv_hrtime(); 0: none */
	int64_t next_file_us; /* 1970: a file has settled by then, or may be tried again; 0: there is none */
	uint64_t days;        /* of the last judgement, as ent_engine_days has it */
	int64_t day_minute;   /* 1970: in which it was last looked whether a day turned: they turn with the minute */
	int64_t next_feeds_us; /* 1970: a feed will be late by then; 0: none will */
	unsigned failures, judge_failures; /* in a row: of the engine, of judging */
	ent_run_report *report;
	ent_judge_report *judged;
	ent_service_status now; /* gathered here, then published */
	uint64_t standings; /* a sum of how the sources stood when that was last told */
};

/* service.c */
void ent__service_news(ent_service *, unsigned mask);
/* service_status.c: what the reports and the store say, into s->now; then for all to see. */
void ent__service_gather(ent_service *);
void ent__service_ingested(ent_service *, const ent_run_report *, int status, const ent_error *e);
void ent__service_judged(ent_service *, const ent_judge_report *, int status, const ent_error *e);
void ent__service_publish(ent_service *);
/* What others see is how things stand now. */
void ent__service_show(ent_service *);
void ent__service_doing(ent_service *, const char *doing);

/* adopt.c: puts another configuration in place of the engine's, between two runs. Negative: it is not good, nothing has
 * changed, and the errors say why. */
int ent__engine_adopt(ent_engine *, const ent_config *, ent_errors *errors);

#endif
