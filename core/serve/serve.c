/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of the service: its parts are started in order, tied together, and ended in the reverse order. Asked to stop, it
 * takes nothing new, lets the engine commit what is contiguous and the server answer what is under way, and leaves within the
 * time of `service: {drain}`: what is not through by then is read again by the next start, and lost by nobody. Front's thread. */
#include "serve/api.h"
#include "serve/front.h"
#include "serve/hook.h"
#include "serve/operate.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int signal_numbers[] = {SIGTERM, SIGINT, SIGHUP};
enum { SIGNALS = sizeof signal_numbers / sizeof *signal_numbers, TURNS = 100 };

/* Who has routes; each is called with the service. */
static const ent_route *const tables[] = {ent__reload_routes, ent__api_routes, ent__api_finding_routes, ent__api_register_routes,
	ent__api_source_routes, ent__api_record_routes, ent__api_poll_routes, ent__api_told_routes, ent__api_control_routes,
	ent__operate_routes};

/* ---- generations ------------------------------------------------------------------------------------------------------------ */

ent__generation *ent__generation_make(ent_config *config) {
	ent__generation *g = ent_xcalloc(1, sizeof *g);
	*g = (ent__generation){.config = config, .users = 1};
	return g;
}

ent__generation *ent__generation_use(ent__generation *g) {
	g->users++;
	return g;
}

void ent__generation_leave(ent__generation *g) {
	if (g && --g->users == 0) {
		ent_config_destroy(g->config);
		free(g);
	}
}

/* ---- stopping ----------------------------------------------------------------------------------------------------------------- */

static void leave_if_ended(ent__serve *s) {
	if (s->ended && s->drained) {
		uv_stop(&s->loop);
	}
}

static void on_drained(void *ctx) {
	ent__serve *s = ctx;
	s->drained = true;
	leave_if_ended(s);
}

static void on_told(void *ctx) {
	ent__serve *s = ctx;
	ent_service_stop(s->service);
}

static void on_deadline(uv_timer_t *timer) {
	ent__serve *s = timer->data;
	ent_log(ENT_SEVERITY_WARNING, "stop.late", ent_log_say("not everything was through in time; what is not committed is read again"));
	s->late = true;
	uv_stop(&s->loop);
}

static void stop(ent__serve *s, const char *why) {
	if (s->stopping) {
		return;
	}
	uint64_t ms = (uint64_t)s->now->config->service.drain_us / 1000;
	s->stopping = true;
	ent_log(ENT_SEVERITY_INFO, "stop.begun", ent_log_text("why", why));
	ent_notify_stopping(s->notify);
	ent_notify_extend(s->notify, (ms + 1000) * 1000);
	uv_timer_start(&s->deadline, on_deadline, ms, 0);
	ent__sources_destroy(s->sources); /* nothing new comes in */
	s->sources = NULL;
	ent__operate_stop(s);
	if (s->tell) { /* while the engine lives, it can be written down what became of a message */
		ent_tell_stop(s->tell, on_told, s);
	} else {
		ent_service_stop(s->service);
	}
	ent_http_drain(s->http, ms, on_drained, s);
}

static void on_signal(uv_signal_t *handle, int number) {
	ent__serve *s = handle->data;
	if (number == SIGHUP) {
		if (!s->stopping) {
			ent__reload_ask(s->reload, "SIGHUP", NULL, NULL);
		}
		return;
	}
	if (s->stopping) { /* twice: whoever asks does not want to wait */
		on_deadline(&s->deadline);
		return;
	}
	stop(s, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* ---- what the engine tells ------------------------------------------------------------------------------------------------------ */

static void tell_state(ent__serve *s, const ent_service_status *now) {
	uint64_t waiting = 0;
	unsigned failing = 0;
	for (size_t i = 0; i < now->n_sources; i++) {
		waiting += now->sources[i].waiting_bytes;
		failing += now->sources[i].state >= ENT_SOURCE_FAILING;
	}
	if (now->error[0]) {
		ent_notify_status(s->notify, "failing: %s", now->error);
	} else {
		ent_notify_status(s->notify, "%s; generation %llu, %zu sources, %u of them failing, %llu bytes wait", now->doing,
			(unsigned long long)now->generation, now->n_sources, failing, (unsigned long long)waiting);
	}
}

/* Once the doors are open, and what was there at the start is read, whichever is later: who is told so may connect. */
static void tell_ready(ent__serve *s, const ent_service_status *now) {
	if (now->ready && s->open && !s->ready_told) {
		s->ready_told = true;
		ent_notify_ready(s->notify);
		ent_log(ENT_SEVERITY_INFO, "ready", ent_log_uint("sources", now->n_sources), ent_log_uint("generation", now->generation));
	}
}

static void on_news(void *ctx, unsigned mask) {
	ent__serve *s = ctx;
	ent_service_status now;
	ent_service_status_take(s->service, &now);
	tell_state(s, &now);
	tell_ready(s, &now);
	if (mask & (ENT_NEWS_COMMITTED | ENT_NEWS_JUDGED | ENT_NEWS_FINDINGS | ENT_NEWS_RELOADED) && s->reader) {
		s->options->reader->anew(s->reader, mask & ENT_NEWS_RELOADED);
	}
	ent__life_tell(s, &now);
	if (mask & (ENT_NEWS_JUDGED | ENT_NEWS_FINDINGS) && s->tell) {
		ent_tell_look(s->tell);
	}
	ent__live_news(s, mask, &now);
	if (mask & ENT_NEWS_ENDED) {
		s->ended = true;
		if (!s->stopping) {
			ent_errors_add(s->errors, (ent_place){0}, "", "%s", now.error[0] ? now.error : "the engine ended");
			stop(s, "the engine ended");
		}
		leave_if_ended(s);
	}
	ent_service_status_finish(&now);
}

static bool alive(void *ctx) { return ent__operate_alive(ctx, NULL); }

static void start_log(const ent_config *config) {
	static const ent_severity levels[] = {ENT_SEVERITY_ERROR, ENT_SEVERITY_WARNING, ENT_SEVERITY_INFO, ENT_SEVERITY_DEBUG};
	const ent_service_config *c = &config->service;
	bool people = isatty(STDERR_FILENO) || getenv("JOURNAL_STREAM");
	bool text = c->log_format == 1 || (c->log_format == 0 && people);
	ent_log_init(&(ent_log_options){.form = text ? ENT_LOG_TEXT : ENT_LOG_JSON, .level = levels[c->log_level]});
}

/* ---- parts ------------------------------------------------------------------------------------------------------------------------ */

static void on_arrived(void *ctx, const char *source) {
	ent__serve *s = ctx;
	if (s->service) { /* what comes last becomes durable behind its end; the next start reads it */
		ent_service_touched(s->service, source);
	}
}

static void log_http(void *ctx, const char *event, const ent_error *e) {
	(void)ctx;
	ent_log(e ? ENT_SEVERITY_WARNING : ENT_SEVERITY_INFO, event, ent_log_error(e));
}

void ent__serve_configured(ent__serve *s, ent__generation *before) {
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	(void)before;
	start_log(s->now->config);
	if (s->stopping) { /* it is active, and nobody is to act on it any more */
		free(errors);
		return;
	}
	if (ent_tell_reload(s->tell, s->now->config, errors)) { /* it was good a moment ago: the targets that were there go on */
		ent_log(ENT_SEVERITY_ERROR, "tell.failed", ent_log_error(&errors->e[0]));
		*errors = (ent_errors){0};
	} else {
		ent__generation_leave(s->told_by);
		s->told_by = ent__generation_use(s->now);
	}
	if (s->inbox) {
		ent_inbox_configure(s->inbox, &s->now->config->inbox);
	}
	if (s->sources && ent__sources_bring(s->sources, s->now, errors)) {
		for (size_t i = 0; i < errors->n; i++) {
			ent_log(ENT_SEVERITY_ERROR, "source.failed", ent_log_error(&errors->e[i]));
		}
	}
	free(errors);
}

static void with_engine(void *ctx, const ent_service_job *job) {
	ent__serve *s = ctx;
	ent_error e;
	if (s->service) {
		ent_service_do(s->service, job);
	} else if (job->done) {
		job->done(job->ctx, ent_error_set(&e, ENT_ERR_STOPPED, "the service has ended"), &e);
	}
}

/* The doors open: the inbox knows by now what each decoder reads, lines or documents. */
static void begin(void *ctx, int status, const ent_error *e) {
	ent__serve *s = ctx;
	ent_error error = {0};
	if (status || s->stopping) {
		if (status) {
			ent_errors_take(s->errors, e);
		}
	} else if (ent_http_listen(s->http, &error)) {
		status = ent_errors_take(s->errors, &error);
	} else {
		status = ent__sources_bring(s->sources, s->now, s->errors);
	}
	if (status) {
		stop(s, "it could not start");
		return;
	}
	for (size_t i = 0; ent_http_address(s->http, i); i++) {
		ent_log(ENT_SEVERITY_INFO, "listening", ent_log_text("at", ent_http_address(s->http, i)));
	}
	ent_service_status now;
	s->open = true;
	ent_service_status_take(s->service, &now);
	tell_ready(s, &now);
	ent_service_status_finish(&now);
	char link[512];
	/* to whoever sits before it, and into no file: it is good for one login */
	if (isatty(STDERR_FILENO) && ent_http_login_link(s->http, ENT_ROLE_ADMIN, link, sizeof link, NULL) == 0) {
		ent_log(ENT_SEVERITY_INFO, "login", ent_log_text("once", link));
	}
}

static int start_parts(ent__serve *s) {
	static const ent_service_events events = {.news = on_news};
	const ent_config *config = s->now->config;
	ent_error e = {0};
	int status = ent_notify_open(&s->notify, &e);
	if (status) {
		ent_log(ENT_SEVERITY_WARNING, "notify.failed", ent_log_error(&e));
		e = (ent_error){0};
	}
	if (ent_service_start(&s->service, &s->loop, config, &events, s, s->errors)) {
		return s->errors->e[0].code;
	}
	ent__life_begin(s);
	s->tell = ent_tell_create(&s->loop, config, &(ent_tell_options){.engine = with_engine, .ctx = s}, s->errors);
	if (!s->tell) {
		return s->errors->e[0].code;
	}
	s->told_by = ent__generation_use(s->now);
	char folder[4096];
	snprintf(folder, sizeof folder, "%s/inbox", config->store.s);
	status = ent_inbox_open(&s->inbox, &s->loop, folder, &config->inbox, on_arrived, s, &e);
	if (!status) {
		ent_http_options http = {.config = config, .version = s->options->version, .log = log_http};
		status = ent_http_create(&s->http, &s->loop, &http, &e);
	}
	if (!status) {
		s->events = ent_events_create(s->http);
		if (ent_hooks_create(s->http, s->inbox, s->errors)) {
			return s->errors->e[0].code;
		}
	}
	for (size_t i = 0; !status && i < sizeof tables / sizeof *tables; i++) {
		ent_http_routes(s->http, tables[i], s);
	}
	if (!status && s->options->reader) {
		s->reader = s->options->reader->start(&s->loop, s->options->config_path, &e);
		status = s->reader ? 0 : e.code;
		if (s->reader) {
			s->options->reader->watch(s->reader, s->service);
		}
	}
	status = status ? status : ent__sources_create(&s->sources, s, &e);
	status = status ? status : ent__reload_create(&s->reload, s, &e);
	status = status ? status : ent_notify_watch(s->notify, &s->loop, alive, s, &e);
	if (status) {
		ent_errors_take(s->errors, &e);
	} else {
		ent_service_inbox(s->service, s->inbox, begin, s);
	}
	return status;
}

static void start_signals(ent__serve *s) {
	for (int i = 0; i < SIGNALS; i++) {
		uv_signal_init(&s->loop, &s->signals[i]);
		s->signals[i].data = s;
		uv_signal_start(&s->signals[i], on_signal, signal_numbers[i]);
	}
	uv_timer_init(&s->loop, &s->deadline);
	s->deadline.data = s;
	signal(SIGPIPE, SIG_IGN);
}

static void close_all(uv_handle_t *handle, void *ctx) {
	(void)ctx;
	if (!uv_is_closing(handle)) {
		uv_close(handle, NULL);
	}
}

static void finish(ent__serve *s) {
	s->stopping = true;
	ent__sources_destroy(s->sources);
	s->sources = NULL;
	if (s->reader) { /* first: it asks the service how sources stand */
		s->options->reader->stop(s->reader);
		s->reader = NULL;
	}
	ent_service_destroy(s->service); /* jobs that are left are answered: the server is still there, and who waits for a reload */
	s->service = NULL;
	ent__reload_destroy(s->reload);
	ent_tell_destroy(s->tell);
	ent__operate_destroy(s);
	ent__life_destroy(s);
	ent__live_destroy(s);
	ent_inbox_close(s->inbox); /* deliveries that it holds are answered */
	ent_http_destroy(s->http);
	ent_notify_close(s->notify);
	for (int i = 0; i < SIGNALS; i++) {
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	}
	uv_close((uv_handle_t *)&s->deadline, NULL);
	for (int turn = 0; turn < TURNS && uv_run(&s->loop, UV_RUN_NOWAIT); turn++) {
	}
	uv_walk(&s->loop, close_all, NULL);
	uv_run(&s->loop, UV_RUN_NOWAIT);
	uv_loop_close(&s->loop);
	ent__generation_leave(s->told_by);
	ent__generation_leave(s->now);
}

int ent_serve(const ent_serve_options *options, ent_errors *errors) {
	ent__serve *s = ent_xcalloc(1, sizeof *s);
	s->options = options;
	s->errors = errors;
	s->now = ent__generation_make(options->config);
	start_log(options->config);
	uv_loop_init(&s->loop);
	start_signals(s); /* before anybody hears that it starts, and may want it to stop */
	ent_log(ENT_SEVERITY_INFO, "starting", ent_log_text("version", options->version), ent_log_text("config", options->config_path),
		ent_log_text("store", options->config->store.s), ent_log_int("pid", getpid()));
	int status = start_parts(s);
	if (!status) {
		uv_run(&s->loop, UV_RUN_DEFAULT);
		status = errors->total ? errors->e[0].code : 0;
		ent_log(ENT_SEVERITY_INFO, "stopped", ent_log_bool("whole", !s->late));
	}
	finish(s);
	ent_log_finish();
	free(s);
	return status;
}
