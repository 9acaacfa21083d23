/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente tell list`, `tell test`, `tell send`: who is told, whether it works, and what waits. One thread. */
#include "tell/tell.h"
#include "base/log.h"
#include "command/project.h"
#include "store/notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHOWN = 20 };

/* ---- list -------------------------------------------------------------------------------------------------------- */

typedef struct listing {
	ent_call *call;
	ent_table table;
	unsigned n;
} listing;

static const char *when(int64_t us, char out[32]) {
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	if (!us) {
		return "";
	}
	gmtime_r(&s, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

static ent_style style_of(const char *status) {
	return !strcmp(status, "told") ? ENT_GOOD : !strcmp(status, "failed") ? ENT_BAD : !strcmp(status, "unknown") ? ENT_WARN : ENT_PLAIN;
}

static int json_notice(void *ctx, const ent_notice *x) {
	listing *l = ctx;
	ent_json *j = &l->call->writer;
	char at[32], told[32], next[32];
	ent_json_object(j);
	ent_json_key(j, "id");
	ent_json_uint(j, x->id);
	member(j, "target", x->target);
	member(j, "change", x->change);
	member(j, "partner", x->partner);
	member(j, "rule", x->rule);
	member(j, "key", x->key);
	member(j, "kind", x->kind);
	member(j, "severity", x->severity);
	member(j, "text", x->text);
	member(j, "status", x->status);
	member(j, "at", when(x->at_us, at));
	member(j, "told", when(x->told_us, told));
	member(j, "next", when(x->next_us, next));
	ent_json_key(j, "tries");
	ent_json_uint(j, x->attempts);
	member(j, "delivery", x->message);
	member(j, "answer", x->answer);
	ent_json_end(j);
	return 0;
}

static int show_notice(void *ctx, const ent_notice *x) {
	listing *l = ctx;
	char at[32];
	ent_table_styled(&l->table, ENT_FAINT, when(x->at_us, at));
	ent_table_styled(&l->table, ENT_ACCENT, x->target);
	ent_table_styled(&l->table, style_of(x->status), x->status);
	ent_table_cell(&l->table, x->change);
	ent_table_cell(&l->table, x->partner);
	ent_table_cell(&l->table, *x->answer && strcmp(x->status, "told") ? x->answer : x->text);
	l->n++;
	return 0;
}

static int count_json(void *ctx, const char *target, const char *status, uint64_t n, int64_t newest_us) {
	listing *l = ctx;
	ent_json *j = &l->call->writer;
	char at[32];
	ent_json_object(j);
	member(j, "target", target);
	member(j, "status", status);
	ent_json_key(j, "changes");
	ent_json_uint(j, n);
	member(j, "newest", when(newest_us, at));
	ent_json_end(j);
	return 0;
}

static int count_unknown(void *ctx, const char *target, const char *status, uint64_t n, int64_t newest_us) {
	(void)newest_us;
	if (!strcmp(status, "unknown")) {
		ent_call_note(ctx, "%llu change%s for %s may have been told, or not: nobody knows, so they are not told again",
			(unsigned long long)n, n == 1 ? "" : "s", target);
	}
	return 0;
}

static const char *where_to(const ent_config_tell *t) {
	/* addresses of webhooks often hold a secret */
	return t->way == ENT_TELL_MAIL ? t->mail_to.v[0].s : t->way == ENT_TELL_ALERTMANAGER ? t->url.s : "";
}

static void show_targets(ent_call *call, const ent_config *config) {
	static const ent_table_column columns[] = {{"target", false, true}, {"way", false, true}, {"to", false, false}, {0}};
	ent_table t;
	ent_table_init(&t, columns);
	for (size_t i = 0; i < config->n_tell; i++) {
		ent_table_styled(&t, ENT_ACCENT, config->tell[i].name.s);
		ent_table_cell(&t, ent_tell_ways[config->tell[i].way]);
		ent_table_cell(&t, where_to(&config->tell[i]));
	}
	ent_table_print(&t, &call->term, &call->out);
	ent_table_finish(&t);
	ent_buf_printf(&call->out, "\n");
}

static int list(ent_call *call, const ent_config *config, ent_store *store) {
	static const ent_table_column columns[] = {{"at", false, true}, {"target", false, true}, {"status", false, true},
		{"change", false, true}, {"partner", false, true}, {"what", false, false}, {0}};
	listing l = {.call = call};
	ent_error e;
	const char *status_word = ent_call_text(call, "status", NULL);
	unsigned most = (unsigned)ent_call_number(call, "limit", SHOWN);
	int status;
	if (call->json) {
		ent_json *j = &call->writer;
		ent_json_object(j);
		ent_json_key(j, "targets");
		ent_json_array(j);
		for (size_t i = 0; i < config->n_tell; i++) {
			ent_json_object(j);
			member(j, "name", config->tell[i].name.s);
			member(j, "way", ent_tell_ways[config->tell[i].way]);
			member(j, "to", where_to(&config->tell[i]));
			ent_json_end(j);
		}
		ent_json_end(j);
		ent_json_key(j, "counts");
		ent_json_array(j);
		status = ent_store_notices_count(store, count_json, &l, &e);
		ent_json_end(j);
		ent_json_key(j, "notices");
		ent_json_array(j);
		status = status ? status
						: ent_store_notices_scan(store, ent_call_operand(call, 0), status_word, most, json_notice, &l, &e);
		ent_json_end(j);
		ent_json_end(j);
		return status ? ent_call_error(call, &e) : ENT_EXIT_OK;
	}
	show_targets(call, config);
	ent_table_init(&l.table, columns);
	status = ent_store_notices_scan(store, ent_call_operand(call, 0), status_word, most, show_notice, &l, &e);
	if (!status && l.n) {
		ent_table_print(&l.table, &call->term, &call->out);
	} else if (!status) {
		ent_buf_printf(&call->out, "nothing was told so far, and nothing waits\n");
	}
	ent_table_finish(&l.table);
	status = status ? status : ent_store_notices_count(store, count_unknown, call, &e);
	return status ? ent_call_error(call, &e) : ENT_EXIT_OK;
}

/* Tells it if there are none, or none of that name. */
static int check_target(ent_call *call, const ent_config *config) {
	const char *name = ent_call_operand(call, 0);
	const char **names = ent_xcalloc(config->n_tell + 1, sizeof *names);
	bool found = !name && config->n_tell;
	for (size_t i = 0; i < config->n_tell; i++) {
		names[i] = config->tell[i].name.s;
		found |= name && !strcmp(name, names[i]);
	}
	char todo[200];
	const char *near = name ? ent_nearest(name, names, config->n_tell) : NULL;
	snprintf(todo, sizeof todo, near ? "did you mean '%.100s'?" : config->n_tell ? "`entente tell list` shows them" : "add 'tell' to the configuration",
		near);
	free(names);
	return found ? ENT_EXIT_OK
				 : name ? ent_call_usage(call, todo, "there is no target '%s'", name) : ent_call_usage(call, todo, "nobody is to be told");
}

static int run_list(ent_call *call) {
	ent__project p;
	int exit = ent__project_store(call, &p);
	if (!exit && (p.config->n_tell || ent_call_operand(call, 0))) {
		exit = check_target(call, p.config);
	}
	exit = exit ? exit : list(call, p.config, p.store);
	ent__project_finish(&p);
	return exit;
}

/* ---- test -------------------------------------------------------------------------------------------------------- */

typedef struct tested {
	ent_call *call;
	const char *name;
	bool bad;
} tested;

static void on_tested(void *ctx, ent_tell_result result, const char *what) {
	static const char *const words[] = {"told", "failed", "not delivered", "unknown"};
	tested *t = ctx;
	bool good = result == ENT_TELL_TOLD;
	t->bad |= !good;
	if (t->call->json) {
		ent_json *j = &t->call->writer;
		ent_json_object(j);
		member(j, "target", t->name);
		ent_json_key(j, "told");
		ent_json_bool(j, good);
		member(j, "answer", what);
		ent_json_end(j);
		return;
	}
	ent_term_text(&t->call->term, &t->call->out, ENT_ACCENT, t->name);
	ent_buf_printf(&t->call->out, ": ");
	ent_term_text(&t->call->term, &t->call->out, good ? ENT_GOOD : ENT_BAD, words[result]);
	ent_buf_printf(&t->call->out, ", %s\n", what);
}

static void until_closed(uv_loop_t *loop) {
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
}

static int test(ent_call *call, const ent_config *config) {
	uv_loop_t loop;
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	const char *wanted = ent_call_operand(call, 0);
	bool bad = false;
	uv_loop_init(&loop);
	ent_tell *tell = ent_tell_create(&loop, config, &(ent_tell_options){0}, errors);
	int exit = tell ? ENT_EXIT_OK : ent_call_errors(call, errors);
	if (tell && call->json) {
		ent_json_array(&call->writer);
	}
	for (size_t i = 0; tell && i < config->n_tell; i++) {
		tested t = {.call = call, .name = config->tell[i].name.s};
		ent_error e;
		if (wanted && strcmp(wanted, t.name) != 0) {
			continue;
		}
		if (ent_tell_test(tell, t.name, on_tested, &t, &e)) {
			on_tested(&t, ENT_TELL_FAILED, e.what);
		}
		while (ent_tell_busy(tell)) {
			uv_run(&loop, UV_RUN_ONCE);
		}
		bad |= t.bad;
	}
	if (tell && call->json) {
		ent_json_end(&call->writer);
	}
	ent_tell_destroy(tell);
	until_closed(&loop);
	free(errors);
	return exit ? exit : bad ? ENT_EXIT_SET_ASIDE : ENT_EXIT_OK;
}

static int run_test(ent_call *call) {
	ent_config *config;
	int exit = ent_call_config(call, &config);
	if (!exit) {
		exit = check_target(call, config);
		exit = exit ? exit : test(call, config);
		ent_config_destroy(config);
	}
	return exit;
}

/* ---- send -------------------------------------------------------------------------------------------------------- */

/* Here the engine is on the same thread: a job is done at once. */
static void at_once(void *ctx, const ent_service_job *job) {
	ent_error e = {0};
	int status = job->work(ctx, job->ctx, &e);
	job->done(job->ctx, status, &e);
}

static int send_all(ent_call *call, const ent_config *config, ent_engine *engine, ent_errors *errors) {
	uv_loop_t loop;
	ent_tell_status *all = ent_xcalloc(config->n_tell + 1, sizeof *all);
	bool bad = false;
	uv_loop_init(&loop);
	ent_tell *tell = ent_tell_create(&loop, config, &(ent_tell_options){.engine = at_once, .ctx = engine, .at_once = true}, errors);
	int exit = tell ? ENT_EXIT_OK : ent_call_errors(call, errors);
	while (tell && ent_tell_busy(tell)) {
		uv_run(&loop, UV_RUN_ONCE);
	}
	size_t n = tell ? ent_tell_statuses(tell, all, config->n_tell) : 0;
	if (tell && call->json) {
		ent_json_array(&call->writer);
	}
	for (size_t i = 0; i < n; i++) {
		const ent_tell_status *s = &all[i];
		bad |= s->error[0];
		if (call->json) {
			ent_json *j = &call->writer;
			ent_json_object(j);
			member(j, "target", s->name);
			ent_json_key(j, "messages");
			ent_json_uint(j, s->told);
			member(j, "error", s->error);
			ent_json_end(j);
		} else {
			ent_buf_printf(&call->out, "%s: %llu message%s told", s->name, (unsigned long long)s->told, s->told == 1 ? "" : "s");
			ent_buf_printf(&call->out, s->error[0] ? "; %s\n" : "%s\n", s->error);
		}
	}
	if (tell && call->json) {
		ent_json_end(&call->writer);
	}
	ent_tell_destroy(tell);
	until_closed(&loop);
	free(all);
	return exit ? exit : bad ? ENT_EXIT_SET_ASIDE : ENT_EXIT_OK;
}

static int run_send(ent_call *call) {
	ent_config *config;
	ent_engine *engine = NULL;
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	int exit = ent_call_config(call, &config);
	if (!exit) {
		exit = check_target(call, config);
		if (!exit && ent_engine_open(&engine, config, ENT_ENGINE_WRITE, errors)) {
			exit = ent_call_errors(call, errors);
		}
		exit = exit ? exit : send_all(call, config, engine, errors);
		ent_engine_close(engine);
		ent_config_destroy(config);
	}
	free(errors);
	return exit;
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static const char *const statuses[] = {"pending", "sending", "told", "failed", "unknown", NULL};
static const ent_arg args[] = {
	{.name = "status", .type = ENT_ARG_CHOICE, .value = "STATUS", .choices = statuses,
		.doc = "Only these: pending, sending, told, failed, unknown."},
	{.name = "limit", .type = ENT_ARG_INT, .value = "N", .least = 1, .most = 1000000, .doc = "At most N changes (default 20)."},
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "NAME", .doc = "Only this target of `tell`."},
	{.name = NULL},
};

const ent_command ent_command_tell_list = {
	.name = "tell list",
	.doc = "List who is told, and which changes were told or wait.",
	.text = "The newest come first. `unknown` ones were being sent when the service ended, or got no answer: they may have been "
			"told, and are not told again.\n\n"
			"  entente tell list\n"
			"  entente tell list team --status failed",
	.args = args,
	.operands = operands,
	.served = true,
	.run = run_list,
};

const ent_command ent_command_tell_test = {
	.name = "tell test",
	.doc = "Send a test message, and say what happened.",
	.text = "To one target of `tell`, or to all of them. Works beside a service that runs. The exit status is 4 if a message could "
			"not be delivered.\n\n  entente tell test team",
	.operands = operands,
	.run = run_test,
};

const ent_command ent_command_tell_send = {
	.name = "tell send",
	.doc = "Tell now what waits.",
	.text = "For projects without a service, behind `entente run`: what changed is told without waiting for more, once; quiet hours "
			"are kept. `entente serve` does this by itself.\n\n  entente run && entente tell send",
	.run = run_send,
};
