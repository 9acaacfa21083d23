/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of messages, see tell.h. Each target has one message under way at most, in four steps: a job takes what is due and
 * commits that it is being sent; it is sent; a job writes down what became of it; and again. A job knows what it needs by value,
 * for it runs on the engine's thread. Everything else is the loop's. */
#include "tell/tell.h"
#include "base/log.h"
#include "tell/deliver.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t SECOND = 1000000, KEPT = INT64_C(30) * 86400 * 1000000, LATER = INT64_C(10) * 1000000;

typedef struct slot {
	ent_tell *tell;
	ent__target target;
	char *name;
	const char *way;
	bool busy;      /* a job or a request is under way */
	bool again;     /* and then it is to be looked at once more */
	bool gone;      /* the configuration has it no more */
	bool tried;     /* at once: it failed, that will do */
	unsigned failures; /* in a row */
	int64_t next_us;
	int64_t look_us; /* and look again by then in any case: not everybody who changes a finding says so */
	uint64_t told, failed, unknown, tries;
	int64_t last_us;
	char error[320];
} slot;

struct ent_tell {
	uv_loop_t *loop;
	const ent_config *config;
	ent_tell_options options;
	ent_client *client;
	uv_timer_t *timer;
	slot **slots;
	size_t n, capacity;
	unsigned jobs, sending;
	bool started, stopping, destroyed;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

typedef struct job {
	ent_tell *tell;
	slot *slot; /* NULL: of all */
	char *name;
	bool alerts;
	/* take */
	ent_notice_take take;
	char fresh[40];
	uint64_t n;
	ent__message message;
	int64_t next_us, until_us;
	/* settle */
	ent__outcome outcome;
	const char *word;
	int64_t now_us, again_us;
	/* start */
	bool first;
	char **known; /* names of all targets */
	size_t n_known;
	uint64_t unknown;
} job;

static void look(slot *s);
static void schedule(ent_tell *t);

static int64_t now_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

static void release(ent_tell *t) {
	if (t->destroyed && !t->jobs && !t->timer) {
		free(t->slots);
		free(t);
	}
}

static void job_free(job *j) {
	ent__message_finish(&j->message);
	for (size_t i = 0; i < j->n_known; i++) {
		free(j->known[i]);
	}
	free(j->known);
	free(j->name);
	free(j);
}

static void ask(job *j, int (*work)(ent_engine *, void *, ent_error *), void (*done)(void *, int, const ent_error *)) {
	ent_service_job service = {.work = work, .done = done, .ctx = j};
	j->tell->jobs++;
	j->tell->options.engine(j->tell->options.ctx, &service);
}

static int ended(ent_store *store, int status, ent_error *e) {
	if (!status) {
		return ent_store_commit(store, e);
	}
	ent_store_rollback(store);
	return status;
}

static void slot_free(slot *s) {
	ent__target_finish(&s->target);
	free(s->name);
	free(s);
}

static void slot_idle(slot *s) {
	ent_tell *t = s->tell;
	s->busy = false;
	if (s->gone) {
		for (size_t i = 0; i < t->n; i++) {
			if (t->slots[i] == s) {
				t->slots[i] = t->slots[--t->n];
				break;
			}
		}
		slot_free(s);
	} else if (s->again && !t->stopping) {
		s->again = false;
		look(s);
		return;
	}
	schedule(t);
}

/* ---- a message's way --------------------------------------------------------------------------------------------- */

static int work_settle(ent_engine *engine, void *ctx, ent_error *e) {
	job *j = ctx;
	ent_store *store = ent_engine_store(engine);
	int status = ent_store_begin(store, e);
	if (!status && j->alerts && j->outcome.result == ENT_TELL_TOLD) {
		status = ent_store_notices_alerted(store, j->message.id, j->now_us, j->again_us, e);
	} else if (!status) {
		status = ent_store_notices_settle(store, j->message.id, j->word, j->now_us, j->again_us, j->outcome.what, e);
	}
	return ended(store, status, e);
}

static void on_settled(void *ctx, int status, const ent_error *e) {
	job *j = ctx;
	ent_tell *t = j->tell;
	slot *s = j->slot;
	t->jobs--;
	if (status) {
		ent_log(ENT_SEVERITY_WARNING, "tell.lost", ent_log_text("target", j->name), ent_log_text("message_id", j->message.id),
			ent_log_say("what became of it could not be written down: it will be shown as unknown"), ent_log_error(e));
	}
	if (!t->destroyed) {
		s->again |= !status && j->outcome.result != ENT_TELL_AGAIN;
		s->next_us = status ? now_us() + LATER : j->again_us;
		slot_idle(s);
	}
	job_free(j);
	release(t);
}

static void note(slot *s, job *j) {
	const ent__outcome *o = &j->outcome;
	s->tries++;
	s->failures = o->result == ENT_TELL_TOLD ? 0 : s->failures + 1;
	snprintf(s->error, sizeof s->error, "%s", o->result == ENT_TELL_TOLD ? "" : o->what);
	if (o->result == ENT_TELL_TOLD) {
		s->told++;
		s->last_us = j->now_us;
		ent_log(j->alerts ? ENT_SEVERITY_DEBUG : ENT_SEVERITY_INFO, "tell.told", ent_log_text("target", s->name), ent_log_uint("changes", j->n),
			ent_log_text("message_id", j->message.id));
		return;
	}
	bool again = !strcmp(j->word, "pending"), unknown = o->result == ENT_TELL_UNKNOWN;
	s->failed += !again && !unknown;
	s->unknown += unknown;
	ent_log(again ? ENT_SEVERITY_INFO : ENT_SEVERITY_WARNING, again ? "tell.delayed" : unknown ? "tell.unknown" : "tell.failed",
		ent_log_text("target", s->name), ent_log_uint("changes", j->n), ent_log_text("message_id", j->message.id),
		ent_log_say(unknown ? "may have been told; it is not told again" : o->what));
}

static void on_delivered(void *ctx, const ent__outcome *outcome) {
	static const char *const words[] = {"told", "failed", "pending", "unknown"};
	job *j = ctx;
	slot *s = j->slot;
	ent_tell *t = j->tell;
	t->sending--;
	if (t->destroyed) {
		job_free(j);
		return;
	}
	j->outcome = *outcome;
	j->now_us = now_us();
	j->word = words[outcome->result];
	j->again_us = 0;
	if (j->alerts && outcome->result == ENT_TELL_TOLD) {
		j->again_us = j->now_us + s->target.config->repeat_us;
	} else if (outcome->result == ENT_TELL_AGAIN) {
		double chance = randombytes_uniform(1024) / 1024.0;
		/* an alert has to be heard while it fires, however long that takes */
		int64_t retry = j->alerts ? INT64_MAX / 4 : s->target.config->retry_us;
		int64_t wait = ent__backoff(j->alerts ? (s->failures < 9 ? s->failures : 9) + 1 : j->message.attempts, retry, chance);
		if (wait) {
			j->again_us = j->now_us + (wait > outcome->wait_us ? wait : outcome->wait_us);
			s->tried = t->options.at_once;
		} else {
			j->word = "failed";
			j->outcome.result = ENT_TELL_FAILED;
			snprintf(j->outcome.what, sizeof j->outcome.what, "tried %u times in vain: %.250s", j->message.attempts, outcome->what);
		}
	}
	note(s, j);
	ask(j, work_settle, on_settled);
}

static int work_take(ent_engine *engine, void *ctx, ent_error *e) {
	job *j = ctx;
	ent_store *store = ent_engine_store(engine);
	int status = ent_store_begin(store, e);
	status = status ? status : ent_store_notices_take(store, &j->take, j->message.id, &j->n, e);
	if (!status && j->n) {
		j->message.total = j->n;
		status = ent_store_notices_of(
			store, j->message.id, j->alerts ? UINT32_MAX / 2 : ENT__TELL_LISTED, ent__message_add, &j->message, e);
	} else if (!status) {
		status = ent_store_notices_next(store, j->name, j->take.least, &j->next_us, e);
	}
	return ended(store, status, e);
}

static void on_taken(void *ctx, int status, const ent_error *e) {
	job *j = ctx;
	ent_tell *t = j->tell;
	slot *s = j->slot;
	t->jobs--;
	if (!status && j->n && !t->destroyed) {
		/* also if it is to stop: what is written down as being sent is sent */
		ent__outcome outcome;
		t->sending++;
		if (ent__deliver(t->client, &s->target, t->config, &j->message, on_delivered, j, NULL, &outcome)) {
			on_delivered(j, &outcome);
		}
		return;
	}
	if (status && status != ENT_ERR_STOPPED) {
		ent_log(ENT_SEVERITY_WARNING, "tell.waits", ent_log_text("target", j->name), ent_log_error(e));
	}
	if (!t->destroyed) {
		s->next_us = status ? now_us() + LATER : j->next_us;
		if (j->until_us && !status) {
			s->next_us = s->next_us && s->next_us < j->until_us ? s->next_us : j->until_us;
		}
		s->look_us = now_us() + 60 * SECOND;
		slot_idle(s);
	}
	job_free(j);
	release(t);
}

static void look(slot *s) {
	ent_tell *t = s->tell;
	if (!t->started || t->stopping || s->tried || s->gone) {
		return;
	}
	if (s->busy) {
		s->again = true;
		return;
	}
	job *j = ent_xcalloc(1, sizeof *j);
	uint8_t random[16];
	int64_t now = now_us();
	*j = (job){.tell = t, .slot = s, .name = ent_xstrdup(s->name), .alerts = s->target.config->way == ENT_TELL_ALERTMANAGER};
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(j->fresh, sizeof j->fresh, random, sizeof random);
	j->take = (ent_notice_take){.target = j->name, .fresh = j->fresh, .now_us = now, .at_once = t->options.at_once,
		.least = ent__quiet(s->target.config, s->target.zones, now, &j->until_us)};
	s->busy = true;
	s->next_us = 0;
	ask(j, work_take, on_taken);
}

void ent_tell_look(ent_tell *t) {
	for (size_t i = 0; i < t->n; i++) {
		look(t->slots[i]);
	}
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer) {
	ent_tell *t = timer->data;
	int64_t now = now_us();
	if (t->stopping) {
		if (!ent_tell_busy(t) && t->stopped) {
			void (*stopped)(void *) = t->stopped;
			t->stopped = NULL;
			stopped(t->stopped_ctx);
		}
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		const slot *s = t->slots[i];
		if (!s->busy && ((s->next_us && s->next_us <= now) || (s->look_us && s->look_us <= now))) {
			look(t->slots[i]);
		}
	}
	schedule(t);
}

static void schedule(ent_tell *t) {
	int64_t next = 0, now = now_us();
	if (t->destroyed) {
		return;
	}
	if (t->stopping) {
		if (!ent_tell_busy(t)) {
			uv_timer_start(t->timer, on_timer, 0, 0);
		}
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		const slot *s = t->slots[i];
		int64_t due = s->next_us && (!s->look_us || s->next_us < s->look_us) ? s->next_us : s->look_us;
		next = due && !s->busy && (!next || due < next) ? due : next;
	}
	if (next && !t->options.at_once) {
		/* the wall clock may be set: never sleep longer than a minute over it */
		int64_t wait = next > now ? next - now : 0;
		wait = wait < 60 * SECOND ? wait : 60 * SECOND;
		uv_timer_start(t->timer, on_timer, (uint64_t)(wait + 999) / 1000, 0);
	} else {
		uv_timer_stop(t->timer);
	}
}

/* ---- beginning and end ------------------------------------------------------------------------------------------- */

typedef struct names {
	const job *job;
	char **gone;
	size_t n, capacity;
} names;

static int take_target(void *ctx, const char *target) {
	names *x = ctx;
	for (size_t i = 0; i < x->job->n_known; i++) {
		if (!strcmp(x->job->known[i], target)) {
			return 0;
		}
	}
	ENT_GROW(x->gone, x->n, x->capacity);
	x->gone[x->n++] = ent_xstrdup(target);
	return 0;
}

static int work_start(ent_engine *engine, void *ctx, ent_error *e) {
	job *j = ctx;
	ent_store *store = ent_engine_store(engine);
	names x = {.job = j};
	int status = ent_store_begin(store, e);
	if (!status && j->first) {
		status = ent_store_notices_recover(store, j->now_us, &j->unknown, e);
		status = status ? status : ent_store_notices_forget(store, j->now_us - KEPT, e);
	}
	status = status ? status : ent_store_notices_targets(store, take_target, &x, e);
	for (size_t i = 0; i < x.n; i++) {
		status = status ? status : ent_store_notices_drop(store, x.gone[i], "the target is no longer configured", e);
		free(x.gone[i]);
	}
	free(x.gone);
	status = status ? status : ent_engine_alerts_resync(engine, e);
	return ended(store, status, e);
}

static void on_started(void *ctx, int status, const ent_error *e) {
	job *j = ctx;
	ent_tell *t = j->tell;
	t->jobs--;
	if (status && status != ENT_ERR_STOPPED) {
		ent_log(ENT_SEVERITY_ERROR, "tell.waits", ent_log_say("the outbox cannot be read: nothing is told"), ent_log_error(e));
	}
	if (j->unknown) {
		ent_log(ENT_SEVERITY_WARNING, "tell.unknown", ent_log_uint("changes", j->unknown),
			ent_log_say("may have been told before the last end; they are not told again"));
	}
	if (!status && !t->destroyed) {
		t->started = true;
		ent_tell_look(t);
		schedule(t);
	}
	job_free(j);
	release(t);
}

static void start(ent_tell *t) {
	if (t->options.engine) {
		job *j = ent_xcalloc(1, sizeof *j);
		*j = (job){.tell = t, .first = !t->started, .now_us = now_us(), .n_known = t->config->n_tell};
		j->known = ent_xcalloc(j->n_known + 1, sizeof *j->known);
		for (size_t i = 0; i < j->n_known; i++) { /* by then the configuration may be another one */
			j->known[i] = ent_xstrdup(t->config->tell[i].name.s);
		}
		ask(j, work_start, on_started);
	}
}

static slot *slot_of(ent_tell *t, const char *name) {
	for (size_t i = 0; i < t->n; i++) {
		if (!t->slots[i]->gone && !strcmp(t->slots[i]->name, name)) {
			return t->slots[i];
		}
	}
	return NULL;
}

/* All targets of a configuration, or none and errors. */
static ent__target *open_all(const ent_config *config, ent_errors *errors) {
	ent__target *targets = ent_xcalloc(config->n_tell + 1, sizeof *targets);
	size_t before = errors->total;
	for (size_t i = 0; i < config->n_tell; i++) {
		ent__target_open(&targets[i], config, &config->tell[i], errors);
	}
	if (errors->total == before) {
		return targets;
	}
	for (size_t i = 0; i < config->n_tell; i++) {
		ent__target_finish(&targets[i]);
	}
	free(targets);
	return NULL;
}

int ent_tell_check(const ent_config *config, ent_errors *errors) {
	ent__target *targets = open_all(config, errors);
	for (size_t i = 0; targets && i < config->n_tell; i++) {
		ent__target_finish(&targets[i]);
	}
	free(targets);
	return targets ? 0 : ENT_ERR_INVALID;
}

int ent_tell_check_templates(const ent_config *config, ent_errors *errors) {
	size_t before = errors->total;
	for (size_t i = 0; i < config->n_tell; i++) {
		ent__target target;
		ent__target_template(&target, &config->tell[i], errors);
		ent__target_finish(&target);
	}
	return errors->total == before ? 0 : ENT_ERR_INVALID;
}

int ent_tell_reload(ent_tell *t, const ent_config *config, ent_errors *errors) {
	ent__target *targets = open_all(config, errors);
	if (!targets) {
		return ENT_ERR_INVALID;
	}
	t->config = config;
	for (size_t i = t->n; i-- > 0;) {
		slot *s = t->slots[i];
		bool stays = false;
		for (size_t k = 0; k < config->n_tell; k++) {
			stays |= !strcmp(config->tell[k].name.s, s->name);
		}
		if (!stays) {
			s->gone = true;
			if (!s->busy) {
				slot_idle(s);
			}
		}
	}
	for (size_t i = 0; i < config->n_tell; i++) {
		slot *s = slot_of(t, config->tell[i].name.s);
		if (!s) {
			s = ent_xcalloc(1, sizeof *s);
			*s = (slot){.tell = t, .name = ent_xstrdup(config->tell[i].name.s)};
			ENT_GROW(t->slots, t->n, t->capacity);
			t->slots[t->n++] = s;
		}
		ent__target_finish(&s->target);
		s->target = targets[i];
		s->way = ent_tell_ways[config->tell[i].way];
	}
	free(targets);
	start(t);
	return 0;
}

ent_tell *ent_tell_create(uv_loop_t *loop, const ent_config *config, const ent_tell_options *options, ent_errors *errors) {
	ent_error e = {0};
	ent_tell *t = ent_xcalloc(1, sizeof *t);
	*t = (ent_tell){.loop = loop, .options = *options};
	if (sodium_init() < 0) {
		ent_error_set(&e, ENT_ERR_IO, "libsodium cannot start: the system gives no random numbers");
	}
	t->client = e.code ? NULL : ent_client_create(loop, &e);
	if (!t->client) {
		ent_errors_take(errors, &e);
		free(t);
		return NULL;
	}
	t->timer = ent_xcalloc(1, sizeof *t->timer);
	uv_timer_init(loop, t->timer);
	t->timer->data = t;
	if (ent_tell_reload(t, config, errors)) {
		ent_tell_destroy(t);
		return NULL;
	}
	return t;
}

bool ent_tell_busy(const ent_tell *t) { return t->jobs || t->sending; }

void ent_tell_stop(ent_tell *t, void (*done)(void *ctx), void *ctx) {
	t->stopping = true;
	t->stopped = done;
	t->stopped_ctx = ctx;
	schedule(t);
}

static void on_timer_closed(uv_handle_t *handle) {
	ent_tell *t = handle->data;
	free(handle);
	t->timer = NULL;
	release(t);
}

void ent_tell_destroy(ent_tell *t) {
	if (!t) {
		return;
	}
	t->destroyed = true;
	ent_client_destroy(t->client); /* ends what is under way */
	for (size_t i = 0; i < t->n; i++) {
		slot_free(t->slots[i]);
	}
	t->n = 0;
	uv_close((uv_handle_t *)t->timer, on_timer_closed);
}

size_t ent_tell_statuses(const ent_tell *t, ent_tell_status *out, size_t most) {
	size_t n = 0;
	for (size_t i = 0; i < t->n && n < most; i++) {
		const slot *s = t->slots[i];
		if (!s->gone) {
			out[n] = (ent_tell_status){.name = s->name, .way = s->way, .told = s->told, .failed = s->failed, .unknown = s->unknown,
				.tries = s->tries, .last_us = s->last_us, .next_us = s->next_us};
			snprintf(out[n++].error, sizeof out->error, "%s", s->error);
		}
	}
	return n;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

typedef struct test {
	ent_tell *tell;
	ent_tell_tested *done;
	void *ctx;
	ent__message message;
	ent__outcome early;
} test;

static void on_tested(void *ctx, const ent__outcome *o) {
	test *x = ctx;
	x->tell->sending--;
	x->done(x->ctx, o->result, o->what);
	ent__message_finish(&x->message);
	free(x);
}

int ent_tell_test(ent_tell *t, const char *name, ent_tell_tested *done, void *ctx, ent_error *e) {
	slot *s = slot_of(t, name);
	uint8_t random[16];
	if (!s) {
		ent_error_set(e, ENT_ERR_NOTFOUND, "there is no target '%s'", name);
		return ent_error_todo(e, "`entente tell list` shows them");
	}
	test *x = ent_xcalloc(1, sizeof *x);
	*x = (test){.tell = t, .done = done, .ctx = ctx, .message = {.test = true, .total = 1}};
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(x->message.id, sizeof x->message.id, random, sizeof random);
	int64_t now = now_us();
	ent_notice notice = {.target = name, .way = s->way, .rule = "test", .partner = "", .key = "", .change = "opened", .kind = "test",
		.severity = "low", .practice = "", .text = "This is a test: nothing has changed. Messages to this target arrive.",
		.evidence = "", .at_us = now, .as_of = (int32_t)(now / INT64_C(86400000000)), .first_day = (int32_t)(now / INT64_C(86400000000))};
	ent__message_add(&x->message, &notice);
	ent__outcome early;
	t->sending++;
	int status = ent__deliver(t->client, &s->target, t->config, &x->message, on_tested, x, NULL, &early);
	if (status) {
		t->sending--;
		ent_error_set(e, status, "%s", early.what);
		ent__message_finish(&x->message);
		free(x);
	}
	return status;
}
