/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's thread, see service.h: its queue, and the round of what is due. What ends the engine (a full disk, a process
 * that cannot be started) ends it here as well: it is closed with all that is not committed, and opened anew after a pause, as
 * a new process would be; only a store that is damaged, or that somebody else writes, ends the service. */
#include "engine/feeds.h"
#include "engine/service_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
	PAUSE_LEAST_MS = 500,
	PAUSE_MOST_MS = 60000,
	BEAT_MS = 1000,
	GATHER_MS = 100 /* between two rounds of reading: what comes meanwhile is one commit, whose price hardly grows with it */
};

/* ---- what the front sees --------------------------------------------------------------------------------------------------- */

static void jobs_add(ent__jobs *jobs, ent__job *job) {
	job->next = NULL;
	*(jobs->first ? jobs->end : &jobs->first) = job;
	jobs->end = &job->next;
}

static ent__job *jobs_take(ent__jobs *jobs) {
	ent__job *all = jobs->first;
	jobs->first = NULL;
	return all;
}

static void on_answers(uv_async_t *handle) {
	ent_service *s = handle->data;
	uv_mutex_lock(&s->lock);
	ent__job *done = jobs_take(&s->answered);
	unsigned news = s->news;
	s->news = 0;
	uv_mutex_unlock(&s->lock);
	while (done) {
		ent__job *next = done->next;
		if (done->job.done) {
			done->job.done(done->job.ctx, done->status, &done->error);
		}
		free(done);
		done = next;
	}
	if (news && s->events && s->events->news) {
		s->events->news(s->ctx, news);
	}
}

static void answer(ent_service *s, ent__job *job) {
	uv_mutex_lock(&s->lock);
	jobs_add(&s->answered, job);
	uv_mutex_unlock(&s->lock);
	uv_async_send(s->answers);
}

/* Whoever hears of it looks at the status, and finds there what is new. */
void ent__service_news(ent_service *s, unsigned mask) {
	ent__service_show(s);
	uv_mutex_lock(&s->lock);
	s->news |= mask;
	uv_mutex_unlock(&s->lock);
	uv_async_send(s->answers);
}

/* Under the lock: has the thread look up from what it waits for, or is at. */
static void wake(ent_service *s, bool interrupt) {
	if (s->running && interrupt) {
		ent_engine_interrupt(s->running);
	}
	if (s->wake) {
		uv_async_send(s->wake);
	}
}

void ent_service_touched(ent_service *s, const char *source) {
	uv_mutex_lock(&s->lock);
	bool known = !source;
	for (size_t i = 0; i < s->n_touched && !known; i++) {
		known = !strcmp(s->touched[i], source);
	}
	if (!known) {
		ENT_GROW(s->touched, s->n_touched, s->touched_capacity);
		s->touched[s->n_touched++] = ent_xstrdup(source);
	}
	s->touched_all |= !source;
	wake(s, false);
	uv_mutex_unlock(&s->lock);
}

void ent_service_rules_changed(ent_service *s) {
	uv_mutex_lock(&s->lock);
	s->rules_changed = true;
	wake(s, false);
	uv_mutex_unlock(&s->lock);
}

static void ask(ent_service *s, const ent_service_job *job, bool interrupt, bool writes) {
	ent__job *j = ent_xcalloc(1, sizeof *j);
	j->job = *job;
	j->writes = writes;
	uv_mutex_lock(&s->lock);
	bool ended = s->ended;
	if (ended) {
		j->status = ent_error_set(&j->error, ENT_ERR_STOPPED, "the service has ended");
		jobs_add(&s->answered, j);
	} else {
		jobs_add(&s->asked, j);
		wake(s, interrupt); /* a round may last for seconds */
	}
	uv_mutex_unlock(&s->lock);
	if (ended) {
		uv_async_send(s->answers);
	}
}

void ent_service_do(ent_service *s, const ent_service_job *job) { ask(s, job, true, false); }
void ent_service_do_writing(ent_service *s, const ent_service_job *job) { ask(s, job, true, true); }
void ent_service_do_later(ent_service *s, const ent_service_job *job) { ask(s, job, false, false); }

typedef struct take_inbox {
	ent_service *service;
	ent_inbox *inbox;
	void (*done)(void *ctx, int status, const ent_error *e);
	void *ctx;
} take_inbox;

static int use_inbox(ent_engine *engine, void *ctx, ent_error *e) {
	const take_inbox *t = ctx;
	(void)e;
	t->service->inbox = t->inbox;
	t->service->due_all = true; /* what a service before left there is read at once */
	ent_engine_inbox(engine, t->inbox);
	return 0;
}

static void inbox_used(void *ctx, int status, const ent_error *e) {
	take_inbox *t = ctx;
	t->done(t->ctx, status, e);
	free(t);
}

void ent_service_inbox(
	ent_service *s, ent_inbox *inbox, void (*done)(void *ctx, int status, const ent_error *e), void *ctx) {
	take_inbox *t = ent_xcalloc(1, sizeof *t);
	*t = (take_inbox){s, inbox, done, ctx};
	ent_service_do(s, &(ent_service_job){use_inbox, inbox_used, t});
}

/* ---- the round ---------------------------------------------------------------------------------------------------------------- */

static uint64_t after_us(int64_t us) { return uv_hrtime() + (uint64_t)us * 1000; }

/* Negative: one that writes could not. */
static int do_jobs(ent_service *s, ent_error *e) {
	int failed = 0;
	uv_mutex_lock(&s->lock);
	ent__job *job = jobs_take(&s->asked);
	uv_mutex_unlock(&s->lock);
	while (job) {
		ent__job *next = job->next;
		if (failed) { /* of this engine nothing more can be had */
			job->status = ent_error_set(&job->error, failed, "%s", e->what);
		} else {
			job->status = job->job.work(s->engine, job->job.ctx, &job->error);
			ent__service_gather(s);
		}
		if (!failed && job->status < 0 && job->writes) {
			failed = job->status;
			*e = job->error;
		}
		answer(s, job);
		job = next;
	}
	return failed;
}

static void due_add(ent_service *s, char *name) {
	for (size_t i = 0; i < s->n_due; i++) {
		if (!strcmp(s->due[i], name)) {
			free(name);
			return;
		}
	}
	ENT_GROW(s->due, s->n_due, s->due_capacity);
	s->due[s->n_due++] = name;
}

static void due_clear(ent_service *s) {
	for (size_t i = 0; i < s->n_due; i++) {
		free(s->due[i]);
	}
	s->n_due = 0;
	s->due_all = false;
}

/* What was told since the last look. false: the service is to stop. */
static bool look(ent_service *s) {
	uv_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n_touched; i++) {
		due_add(s, s->touched[i]);
	}
	s->n_touched = 0;
	s->due_all |= s->touched_all;
	s->touched_all = false;
	bool rules = s->rules_changed, stopping = s->stopping;
	s->rules_changed = false;
	uv_mutex_unlock(&s->lock);
	uint64_t now = uv_hrtime();
	if (now >= s->next_scan_ns) {
		s->due_all = true;
	}
	if (s->next_file_us) {
		ent__now(s->engine);
		s->due_all |= s->engine->now_us >= s->next_file_us;
	}
	if (rules) {
		ent_engine_rules_reload(s->engine);
		s->judge_due = true;
		s->next_judge_ns = 0;
	}
	return !stopping;
}

static void sooner(int64_t *at, int64_t us) {
	if (us && (!*at || us < *at)) {
		*at = us;
	}
}

static int read_round(ent_service *s, ent_error *e) {
	const ent_service_config *c = &s->config->service;
	ent_ingest_what what = {.sources = s->due_all ? NULL : (const char *const *)s->due, .n_sources = s->due_all ? 0 : s->n_due,
		.budget_ns = (uint64_t)c->slice_us * 1000, .service = true};
	bool whole = s->due_all;
	*s->report = (ent_run_report){0};
	ent__service_doing(s, "reading");
	if (!s->looked_once) {
		ent_engine_rules_expected(s->engine);
	}
	int status = ent_engine_ingest_some(s->engine, &what, NULL, NULL, s->report, e);
	s->next_read_ns = s->report->more ? 0 : after_us(GATHER_MS * INT64_C(1000));
	if (!s->report->more) {
		due_clear(s);
		s->next_file_us = whole ? 0 : s->next_file_us; /* of the others, what was known */
		sooner(&s->next_file_us, s->report->next_settle_us);
		sooner(&s->next_file_us, s->report->next_retry_us);
	}
	if (whole) {
		s->next_scan_ns = after_us(c->scan_us);
		s->looked_once |= !s->report->more && !status;
	}
	s->judge_due |= s->report->progress.facts > 0 || s->report->changed;
	ent__service_ingested(s, s->report, status, e);
	return status;
}

static int judge_round(ent_service *s, ent_error *e) {
	*s->judged = (ent_judge_report){0};
	ent__service_doing(s, "judging");
	int status = ent_engine_follow(s->engine, NULL, s->judged, e);
	s->judge_due = false;
	s->next_judge_ns = after_us(s->config->service.judge_every_us);
	ent__service_judged(s, s->judged, status, e);
	if (status == ENT_ERR_WORKER || status == ENT_ERR_INVALID) {
		/* of the workers and the books: facts are safe, and read on; what was judged last stands until it goes well again */
		s->judge_due = true;
		s->judge_failures++;
		s->next_judge_ns = after_us((s->judge_failures < 30 ? s->judge_failures : 30) * INT64_C(1000000));
		return 0;
	}
	s->judge_failures = 0;
	return status;
}

/* Feeds that are late are findings, too, whether or not a rule runs. */
static int feeds_round(ent_service *s, ent_error *e) {
	ent_feeds_report feeds;
	int status = ent_engine_feeds(s->engine, 0, &feeds, e);
	s->next_feeds_us = feeds.next_us;
	if (!status && feeds.changed) {
		ent__service_gather(s);
		ent__service_news(s, ENT_NEWS_FINDINGS);
	}
	return status;
}

static bool feeds_due(ent_service *s) {
	ent__now(s->engine);
	return s->next_feeds_us && s->engine->now_us >= s->next_feeds_us;
}

/* Did a day begin for a partner since the rules judged, where their moment moves with the days? */
static bool day_turned(ent_service *s) {
	if (s->engine->config->as_of.kind != ENT_AS_OF_NOW || !s->now.judgements) {
		return false;
	}
	ent__now(s->engine);
	int64_t minute = s->engine->now_us / 60000000;
	if (minute == s->day_minute) {
		return false;
	}
	s->day_minute = minute;
	return ent_engine_days(s->engine, NULL) != s->days;
}

static void on_wake(uv_async_t *handle) { (void)handle; }
static void on_timer(uv_timer_t *timer) { (void)timer; }

/* Waits for the next thing that is due, at most a second: so long may the engine's heart stand still. */
static void wait_for_more(ent_service *s) {
	uint64_t now = uv_hrtime(), least = now + (uint64_t)BEAT_MS * 1000000;
	least = (s->due_all || s->n_due) && s->next_read_ns < least ? s->next_read_ns : least;
	least = s->next_scan_ns < least ? s->next_scan_ns : least;
	least = s->judge_due && s->next_judge_ns < least ? s->next_judge_ns : least;
	/* The loop's clock is from before the round: a timer that is due by then would be over before the loop waits, which then
	 * waits for ever. So it gets the time, and the timer comes again. */
	uv_update_time(&s->engine->loop);
	uv_timer_start(&s->timer, on_timer, least > now ? (least - now) / 1000000 + 1 : 1, BEAT_MS);
	ent__service_doing(s, "waiting");
	uv_run(&s->engine->loop, UV_RUN_ONCE);
	uv_timer_stop(&s->timer);
}

/* Until it is to stop, or something ends the engine. */
static int rounds(ent_service *s, ent_error *e) {
	int status = 0;
	for (;;) {
		if ((status = do_jobs(s, e))) {
			return status;
		}
		if (!look(s)) {
			return 0;
		}
		bool moved = false;
		if ((s->due_all || s->n_due) && uv_hrtime() >= s->next_read_ns) {
			moved = true;
			status = read_round(s, e);
		}
		bool soon = s->judge_due && uv_hrtime() >= s->next_judge_ns && s->looked_once;
		if (!status && (soon || day_turned(s))) {
			moved = true;
			status = judge_round(s, e);
		}
		if (!status && s->looked_once && (moved || feeds_due(s))) {
			status = feeds_round(s, e);
		}
		if (!status && s->looked_once && !s->now.ready) {
			s->now.ready = true;
			ent__service_news(s, ENT_NEWS_STATUS);
		}
		if (status && status != ENT_ERR_STOPPED) {
			return status;
		}
		s->failures = 0;
		ent__service_publish(s);
		if (!moved) {
			wait_for_more(s);
		}
	}
}

/* ---- the engine's life ------------------------------------------------------------------------------------------------------------- */

static int open_engine(ent_service *s, ent_errors *errors) {
	ent_engine *engine;
	int status = ent_engine_open(&engine, s->config, ENT_ENGINE_WRITE, errors);
	if (status) {
		return status;
	}
	s->engine = engine;
	if (s->inbox) {
		ent_engine_inbox(engine, s->inbox);
	}
	uv_async_init(&engine->loop, &s->wake_handle, on_wake);
	uv_timer_init(&engine->loop, &s->timer);
	s->next_scan_ns = s->next_judge_ns = 0;
	s->judge_due = true;
	s->looked_once = false;
	uv_mutex_lock(&s->lock);
	s->wake = &s->wake_handle;
	s->running = engine;
	uv_mutex_unlock(&s->lock);
	ent__service_gather(s);
	return 0;
}

static void close_engine(ent_service *s) {
	if (!s->engine) {
		return;
	}
	uv_mutex_lock(&s->lock);
	s->wake = NULL;
	s->running = NULL;
	uv_mutex_unlock(&s->lock);
	uv_close((uv_handle_t *)&s->wake_handle, NULL);
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_run(&s->engine->loop, UV_RUN_NOWAIT);
	ent_engine_close(s->engine);
	s->engine = NULL;
}

/* Is there any sense in opening the store again? */
static bool hopeless(int status) { return status == ENT_ERR_CORRUPT || status == ENT_ERR_FENCED; }

/* Sleeps, and wakes every now and then to see whether it is to stop. */
static bool pause_ms(ent_service *s, unsigned ms) {
	for (unsigned slept = 0; slept < ms; slept += 50) {
		uv_mutex_lock(&s->lock);
		bool stopping = s->stopping;
		uv_mutex_unlock(&s->lock);
		if (stopping) {
			return false;
		}
		uv_sleep(50);
	}
	return true;
}

static void told_open(ent_service *s) {
	uv_mutex_lock(&s->lock);
	s->is_open = true;
	uv_cond_signal(&s->opened);
	uv_mutex_unlock(&s->lock);
}

static void fail(ent_service *s, const ent_error *e) {
	ent_error_text(e, s->now.error, sizeof s->now.error);
	s->now.running = s->now.ready = false;
	ent__service_doing(s, "failing");
	ent__service_publish(s);
	ent__service_news(s, ENT_NEWS_STATUS);
}

static void run_engine(ent_service *s, int status) {
	ent_error e = {0};
	while (!status) {
		s->now.running = true;
		s->now.error[0] = 0;
		status = rounds(s, &e);
		close_engine(s);
		if (!status) {
			return; /* asked to stop */
		}
		fail(s, &e);
		while (status && !hopeless(status)) {
			unsigned pause = (unsigned)PAUSE_LEAST_MS << (s->failures < 7 ? s->failures : 7);
			s->failures++;
			if (!pause_ms(s, pause < PAUSE_MOST_MS ? pause : PAUSE_MOST_MS)) {
				return;
			}
			ent_errors *errors = ent_xcalloc(1, sizeof *errors);
			status = open_engine(s, errors);
			if (status) {
				fail(s, &errors->e[0]);
			}
			free(errors);
		}
	}
}

static void thread(void *argument) {
	ent_service *s = argument;
	int status = open_engine(s, s->open_errors);
	s->open_errors = NULL; /* the starter goes on */
	told_open(s);
	run_engine(s, status);
	due_clear(s);
	uv_mutex_lock(&s->lock);
	s->ended = true;
	ent__job *left = jobs_take(&s->asked);
	uv_mutex_unlock(&s->lock);
	while (left) {
		ent__job *next = left->next;
		left->status = ent_error_set(&left->error, ENT_ERR_STOPPED, "the service stopped before it came to that");
		answer(s, left);
		left = next;
	}
	s->now.running = s->now.ready = false;
	ent__service_publish(s);
	ent__service_news(s, ENT_NEWS_ENDED);
}

static void free_handle(uv_handle_t *handle) { free(handle); }

int ent_service_start(ent_service **out, uv_loop_t *front, const ent_config *config, const ent_service_events *events,
	void *ctx, ent_errors *errors) {
	ent_service *s = ent_xcalloc(1, sizeof *s);
	s->events = events;
	s->ctx = ctx;
	s->config = config;
	s->open_errors = errors;
	s->report = ent_xcalloc(1, sizeof *s->report);
	s->judged = ent_xcalloc(1, sizeof *s->judged);
	s->answers = ent_xcalloc(1, sizeof *s->answers);
	s->now.doing = s->status.doing = "starting";
	s->now.generation = 1;
	uv_mutex_init(&s->lock);
	uv_cond_init(&s->opened);
	uv_async_init(front, s->answers, on_answers);
	s->answers->data = s;
	*out = NULL;
	if (uv_thread_create(&s->thread, thread, s)) {
		ent_error e;
		ent_errors_take(errors, (ent_error_set(&e, ENT_ERR_IO, "the engine's thread cannot be started"), &e));
		s->ended = true;
		s->thread = 0;
	} else {
		uv_mutex_lock(&s->lock);
		while (!s->is_open) {
			uv_cond_wait(&s->opened, &s->lock);
		}
		uv_mutex_unlock(&s->lock);
	}
	if (errors->total) {
		int status = errors->e[0].code;
		ent_service_destroy(s);
		return status;
	}
	*out = s;
	return 0;
}

void ent_service_stop(ent_service *s) {
	uv_mutex_lock(&s->lock);
	s->stopping = true;
	s->status.draining = true;
	wake(s, true);
	uv_mutex_unlock(&s->lock);
}

void ent_service_destroy(ent_service *s) {
	if (!s) {
		return;
	}
	ent_service_stop(s);
	if (s->thread) {
		uv_thread_join(&s->thread);
	}
	s->events = NULL;
	on_answers(s->answers); /* of jobs that were left */
	uv_close((uv_handle_t *)s->answers, free_handle);
	for (size_t i = 0; i < s->n_touched; i++) {
		free(s->touched[i]);
	}
	free(s->touched);
	free(s->ways);
	free(s->due);
	free(s->report);
	free(s->judged);
	ent_service_status_finish(&s->now);
	ent_service_status_finish(&s->status);
	uv_cond_destroy(&s->opened);
	uv_mutex_destroy(&s->lock);
	free(s);
}
