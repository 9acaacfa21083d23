/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of a service, see answer.h. `ask`, `anew` and the answers belong to the front's thread; a lane's engine,
 * configuration and session belong to its thread. */
#include "command/answer.h"
#include "command/differences.h"
#include "command/session.h"

#include "base/day.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct job {
	struct job *next;
	char **words; /* NULL: differences are asked for */
	size_t n;
	ent_reader_done *done;
	void *ctx;
	ent_reader_answer answer;
	ent_buf notes;
	char cut[96];
} job;

typedef struct reader reader;

typedef struct lane {
	reader *r;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	job *first, **last; /* under the lock, to `reread` */
	bool stop, stale, reread;
	/* the thread's own */
	ent_config *config;
	ent_engine *engine;
	uint64_t days;  /* as ent_engine_days has them, when it was opened: what `now` means is settled then */
	int64_t minute; /* 1970: in which that was last looked at: days turn with the minute */
	ent__session session;
	ent__differences differences;
	ent_service_status status;
	bool asked; /* the status is there */
} lane;

enum { QUICK, SLOW, LANES };

struct reader {
	uv_loop_t *loop;
	uv_async_t answered;
	char *config_path;
	uint64_t nonce;
	uint64_t generation;
	_Atomic(ent_service *) service;
	pthread_mutex_t lock;
	job *first, **last; /* answered; under the lock */
	int started;        /* of lanes */
	lane lanes[LANES];
};

/* ---- one command --------------------------------------------------------------------------------------------------------- */

static void collect(ent_call *call, int exit, const ent__session *s, ent_reader_answer *answer, ent_buf *notes) {
	ent_buf *out = call->json ? &call->json_out : &call->out;
	answer->status = exit;
	answer->out = *out;
	*out = (ent_buf){0};
	answer->errors = ent_xcalloc(1, sizeof *answer->errors);
	*answer->errors = *s->told;
	ent_buf_add(notes, s->notes.data, s->notes.n);
	ent_buf_u8(notes, 0);
	answer->notes = (const char *)notes->data;
}

static int answer_words(ent__session *s, const char *const *words, size_t n, ent_reader_answer *answer, ent_buf *notes) {
	ent_call call;
	ent__session_begin(s);
	ent__call_begin(&call, s);
	int exit = ent__command_run(&call, words, n);
	collect(&call, exit, s, answer, notes);
	ent__call_finish(&call);
	return exit;
}

static void forget(ent_reader_answer *answer) {
	ent_buf_finish(&answer->out);
	free(answer->errors);
	*answer = (ent_reader_answer){0};
}

static void job_free(job *j) {
	for (size_t i = 0; i < j->n; i++) {
		free(j->words[i]);
	}
	free(j->words);
	ent_buf_finish(&j->notes);
	forget(&j->answer);
	free(j);
}

/* ---- a lane's thread ----------------------------------------------------------------------------------------------------- */

static const ent_as_of now = {.kind = ENT_AS_OF_NOW};

static int64_t minute_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec / 60;
}

static int32_t today(void) { return (int32_t)(minute_now() / (24 * 60)); }

static bool standing(void *ctx, const char *source, ent__source_standing *out) {
	lane *l = ctx;
	ent_service *service = atomic_load(&l->r->service);
	if (!service) {
		return false;
	}
	if (!l->asked) {
		ent_service_status_take(service, &l->status);
		l->asked = true;
	}
	for (size_t i = 0; i < l->status.n_sources; i++) {
		const ent_source_status *s = &l->status.sources[i];
		if (!strcmp(s->name, source)) {
			*out = (ent__source_standing){.state = ent_source_states[s->state], .error = s->error, .late = s->late,
				.waiting_bytes = s->waiting_bytes, .waiting_files = s->waiting_files, .restarts = s->restarts,
				.failures = s->failures, .waiting_since_us = s->waiting_since_us, .last_read_us = s->last_read_us,
				.retry_us = s->retry_us};
			return true;
		}
	}
	return false;
}

static void close_engine(lane *l) {
	ent__session_forget(&l->session);
	ent_engine_close(l->engine);
	l->engine = l->session.engine = NULL;
}

/* Configuration and engine, where they are not there. */
static int open_engine(lane *l, bool reread, ent_errors *errors) {
	ent_config *fresh = NULL;
	if ((reread || !l->config) && ent_config_load(l->r->config_path, &fresh, errors) && !l->config) {
		return errors->e[0].code;
	}
	if (fresh) { /* else it was changed once more since, and is bad: what was good goes on */
		ent_config_destroy(l->config);
		l->config = fresh;
	}
	errors->n = errors->total = 0;
	if (!l->engine) {
		int status = ent_engine_open(&l->engine, l->config, ENT_ENGINE_READ, errors);
		if (status) {
			return status;
		}
		l->days = ent_engine_days(l->engine, &now);
		l->minute = minute_now();
	}
	l->session.config = l->config;
	l->session.engine = l->engine;
	l->session.config_path = l->r->config_path;
	l->session.standing = standing;
	l->session.standing_ctx = l;
	return 0;
}

/* Did a day begin for a partner since the engine was opened? */
static bool day_turned(lane *l) {
	int64_t minute = minute_now();
	if (minute == l->minute) {
		return false;
	}
	l->minute = minute;
	ent_engine_clock(l->engine);
	return ent_engine_days(l->engine, &now) != l->days;
}

static void answer_job(lane *l, job *j, bool reread) {
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	if (l->engine && day_turned(l)) {
		close_engine(l);
	}
	if (open_engine(l, reread, errors)) {
		j->answer.status = ENT_EXIT_ERROR;
		j->answer.errors = errors;
		j->answer.notes = j->answer.next = "";
		return;
	}
	if (!j->words) {
		ent_error e;
		j->answer.errors = errors;
		j->answer.notes = j->answer.next = "";
		if (ent__differences_take(&l->differences, ent_engine_store(l->engine), &j->answer.out, &e)) {
			ent_errors_take(errors, &e);
		}
		return;
	}
	free(errors);
	answer_words(&l->session, (const char *const *)j->words, j->n, &j->answer, &j->notes);
	snprintf(j->cut, sizeof j->cut, "%s", l->session.next);
	j->answer.next = j->cut;
	if (l->asked) {
		ent_service_status_finish(&l->status);
		l->asked = false;
	}
}

static void hand_over(reader *r, job *j) {
	pthread_mutex_lock(&r->lock);
	j->next = NULL;
	*r->last = j;
	r->last = &j->next;
	pthread_mutex_unlock(&r->lock);
	uv_async_send(&r->answered);
}

static void *run_lane(void *ctx) {
	lane *l = ctx;
	pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		if (!l->first && !(l->stale && l->engine)) {
			pthread_cond_wait(&l->more, &l->lock);
			continue;
		}
		bool stale = l->stale, reread = l->reread && l->first;
		job *j = l->first;
		if (j) {
			l->first = j->next;
			l->last = l->first ? l->last : &l->first;
		}
		l->stale = false;
		l->reread = l->reread && !reread;
		pthread_mutex_unlock(&l->lock);
		if (stale || reread) {
			close_engine(l);
		}
		if (j) {
			answer_job(l, j, reread);
			hand_over(l->r, j);
		}
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
	close_engine(l);
	ent__session_finish(&l->session);
	ent__differences_finish(&l->differences);
	ent_config_destroy(l->config);
	return NULL;
}

/* ---- the front's thread -------------------------------------------------------------------------------------------------- */

static void on_answered(uv_async_t *handle) {
	reader *r = handle->data;
	pthread_mutex_lock(&r->lock);
	job *j = r->first;
	r->first = NULL;
	r->last = &r->first;
	pthread_mutex_unlock(&r->lock);
	while (j) {
		job *next = j->next;
		j->done(j->ctx, &j->answer);
		job_free(j);
		j = next;
	}
}

static void stop(void *reader_);

static void *start(uv_loop_t *loop, const char *config_path, ent_error *e) {
	reader *r = ent_xcalloc(1, sizeof *r);
	r->loop = loop;
	r->config_path = ent_xstrdup(config_path);
	r->last = &r->first;
	randombytes_buf(&r->nonce, sizeof r->nonce);
	pthread_mutex_init(&r->lock, NULL);
	uv_async_init(loop, &r->answered, on_answered);
	r->answered.data = r;
	for (int i = 0; i < LANES; i++) {
		lane *l = &r->lanes[i];
		l->r = r;
		l->last = &l->first;
		pthread_mutex_init(&l->lock, NULL);
		pthread_cond_init(&l->more, NULL);
		if (pthread_create(&l->thread, NULL, run_lane, l)) {
			ent_error_set(e, ENT_ERR_IO, "a thread for reading cannot be started");
			stop(r);
			return NULL;
		}
		r->started++;
	}
	return r;
}

static void watch(void *reader_, ent_service *service) {
	reader *r = reader_;
	atomic_store(&r->service, service);
}

/* Does the command start the rules worker? */
static bool is_slow(const char *const *words, size_t n) {
	size_t taken;
	const ent_command *command = ent__command_find(words, n, &taken);
	return command && command->slow;
}

static void put_job(lane *l, job *j) {
	pthread_mutex_lock(&l->lock);
	*l->last = j;
	l->last = &j->next;
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&l->lock);
}

static void differences(void *reader_, ent_reader_done *done, void *ctx) {
	reader *r = reader_;
	job *j = ent_xcalloc(1, sizeof *j);
	j->done = done;
	j->ctx = ctx;
	put_job(&r->lanes[QUICK], j);
}

static void ask(void *reader_, const char *const *words, size_t n, ent_reader_done *done, void *ctx) {
	reader *r = reader_;
	lane *l = &r->lanes[is_slow(words, n) ? SLOW : QUICK];
	job *j = ent_xcalloc(1, sizeof *j);
	j->words = ent_xcalloc(n + 1, sizeof *j->words);
	j->n = n;
	j->done = done;
	j->ctx = ctx;
	for (size_t i = 0; i < n; i++) {
		j->words[i] = ent_xstrdup(words[i]);
	}
	put_job(l, j);
}

static void version(void *reader_, char out[48]) {
	const reader *r = reader_;
	snprintf(out, 48, "%016llx-%llu-%d", (unsigned long long)r->nonce, (unsigned long long)r->generation, today());
}

static void anew(void *reader_, bool configuration) {
	reader *r = reader_;
	r->generation++;
	for (int i = 0; i < LANES; i++) {
		lane *l = &r->lanes[i];
		pthread_mutex_lock(&l->lock);
		l->stale = true;
		l->reread = l->reread || configuration;
		pthread_cond_signal(&l->more);
		pthread_mutex_unlock(&l->lock);
	}
}

static void on_closed(uv_handle_t *handle) {
	reader *r = handle->data;
	free(r->config_path);
	free(r);
}

static void answer_stopped(job *j) {
	ent_error e;
	ent_error_set(&e, ENT_ERR_STOPPED, "the service is being stopped");
	forget(&j->answer);
	j->answer = (ent_reader_answer){.status = ENT_EXIT_ERROR, .errors = ent_xcalloc(1, sizeof(ent_errors)), .notes = "", .next = ""};
	ent_errors_take(j->answer.errors, &e);
	j->done(j->ctx, &j->answer);
	job_free(j);
}

static void stop(void *reader_) {
	reader *r = reader_;
	if (!r) {
		return;
	}
	for (int i = 0; i < r->started; i++) {
		lane *l = &r->lanes[i];
		pthread_mutex_lock(&l->lock);
		l->stop = true;
		pthread_cond_signal(&l->more);
		pthread_mutex_unlock(&l->lock);
	}
	for (int i = 0; i < r->started; i++) {
		pthread_join(r->lanes[i].thread, NULL);
	}
	on_answered(&r->answered);
	for (int i = 0; i < r->started; i++) {
		lane *l = &r->lanes[i];
		for (job *j = l->first, *next; j; j = next) {
			next = j->next;
			answer_stopped(j);
		}
		pthread_mutex_destroy(&l->lock);
		pthread_cond_destroy(&l->more);
	}
	pthread_mutex_destroy(&r->lock);
	uv_close((uv_handle_t *)&r->answered, on_closed);
}

/* ---- the engine's thread ------------------------------------------------------------------------------------------------- */

static int change(ent_engine *engine, const char *config_path, const ent_reader_words *w, ent_reader_answer *answer) {
	ent__session session = {.config = ent_engine_config(engine), .engine = engine, .config_path = config_path, .writes = true,
		.user = w->user, .input = w->input};
	ent_buf notes = {0};
	*answer = (ent_reader_answer){0};
	answer_words(&session, w->words, w->n, answer, &notes);
	int code = answer->errors->n ? answer->errors->e[0].code : 0;
	/* kept behind the output, which the receiver frees */
	ent_buf_reserve(&answer->out, notes.n);
	memcpy(answer->out.data + answer->out.n, notes.data, notes.n);
	answer->notes = (const char *)answer->out.data + answer->out.n;
	answer->next = "";
	ent_buf_finish(&notes);
	ent__session_finish(&session);
	return code == ENT_ERR_IO || code == ENT_ERR_CORRUPT || code == ENT_ERR_FENCED || code == ENT_ERR_NOMEM ? code : 0;
}

const ent_reader_way ent_command_reader = {.start = start, .watch = watch, .ask = ask, .version = version, .differences = differences, .anew = anew,
	.change = change, .forget = forget, .stop = stop};
