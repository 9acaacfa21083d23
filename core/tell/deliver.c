/* SPDX-License-Identifier: Apache-2.0
 *
 * One delivery, see deliver.h. */
#include "tell/deliver.h"
#include "config/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEMPLATE_MOST = 256 * 1024 };

/* ---- what a target refers to ------------------------------------------------------------------------------------- */

static void add_error(ent_errors *errors, ent_place at, const ent_error *e) {
	ent_errors_add(errors, at, e->todo, "%s", e->what);
}

static int read_template(ent__target *t, ent_errors *errors) {
	ent_word word = t->config->template;
	ent_error e;
	int fd = open(word.s, O_RDONLY | O_CLOEXEC);
	char *text = ent_arena_alloc(&t->arena, TEMPLATE_MOST + 1);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEMPLATE_MOST + 1);
	if (n < 0) {
		ent_errors_add(errors, word.at, "make the file, or take 'template' out", "the template %s cannot be read: %s", word.s, strerror(errno));
	}
	if (fd >= 0) {
		close(fd);
	}
	if (n < 0) {
		return ENT_ERR_INVALID;
	}
	text[n <= TEMPLATE_MOST ? n : TEMPLATE_MOST] = 0;
	if (n > TEMPLATE_MOST || strlen(text) != (size_t)n) {
		return ent_errors_add(errors, word.at, "write a text of at most 256 kB", "the template %s is too large, or no text", word.s);
	}
	if (ent__template_check(text, word.s, &e)) {
		return ent_errors_take(errors, &e);
	}
	t->template = text;
	return 0;
}

static int read_secret(ent__target *t, const ent_config *config, ent_word word, ent_str *out, ent_errors *errors) {
	ent_error e;
	if (!word.s) {
		return 0;
	}
	if (ent_config_secret(word.s, config->folder, &t->arena, out, &e)) {
		add_error(errors, word.at, &e);
		return ENT_ERR_INVALID;
	}
	return 0;
}

static void read_headers(ent__target *t, const ent_config *config, ent_errors *errors) {
	const ent_config_tell *c = t->config;
	t->headers = ent_arena_alloc(&t->arena, (c->n_headers + 1) * sizeof *t->headers);
	for (size_t i = 0; i < c->n_headers; i++) {
		const ent_pair *h = &c->headers[i];
		ent_str value = {h->value.s, strlen(h->value.s)};
		if (ent_config_secret_form(h->value.s) && read_secret(t, config, h->value, &value, errors)) {
			continue;
		}
		if (strpbrk(value.p, "\r\n")) {
			ent_errors_add(errors, h->value.at, "keep it in one line", "the header '%s' has more than one line", h->key.s);
			continue;
		}
		t->headers[t->n_headers++] = (ent_client_header){h->key.s, value.p};
	}
}

static char *mail_url(ent__target *t) {
	const ent_config_tell *c = t->config;
	static const int ports[] = {587, 465, 25};
	const char *colon = strrchr(c->server.s, ':');
	bool port = colon && !strchr(colon, ']');
	const char *scheme = c->tls == ENT_TELL_TLS_IMPLICIT ? "smtps" : "smtp";
	return port ? ent_arena_printf(&t->arena, "%s://%s", scheme, c->server.s)
				: ent_arena_printf(&t->arena, "%s://%s:%d", scheme, c->server.s, ports[c->tls]);
}

int ent__target_template(ent__target *t, const ent_config_tell *c, ent_errors *errors) {
	*t = (ent__target){.config = c};
	return c->template.s ? read_template(t, errors) : 0;
}

int ent__target_open(ent__target *t, const ent_config *config, const ent_config_tell *c, ent_errors *errors) {
	size_t before = errors->total;
	*t = (ent__target){.config = c};
	read_secret(t, config, c->secret, &t->secret, errors);
	read_secret(t, config, c->password, &t->password, errors);
	read_headers(t, config, errors);
	if (c->template.s) {
		read_template(t, errors);
	}
	t->zones = ent_arena_alloc(&t->arena, (c->n_quiet + 1) * sizeof *t->zones);
	memset(t->zones, 0, (c->n_quiet + 1) * sizeof *t->zones);
	for (size_t i = 0; i < c->n_quiet; i++) {
		ent_error e;
		t->zones[i] = ent_zone_load(c->quiet[i].zone.s, &e);
		if (!t->zones[i]) {
			add_error(errors, c->quiet[i].zone.at, &e);
		}
	}
	if (c->way == ENT_TELL_MAIL) {
		t->url = mail_url(t);
	} else if (c->way == ENT_TELL_WEBHOOK) {
		t->url = ent_arena_printf(&t->arena, "%s", c->url.s);
	} else {
		size_t n = strlen(c->url.s);
		t->url = ent_arena_printf(&t->arena, "%.*s/api/v2/alerts", (int)(n - (c->url.s[n - 1] == '/')), c->url.s);
	}
	return errors->total == before ? 0 : ENT_ERR_INVALID;
}

void ent__target_finish(ent__target *t) {
	for (size_t i = 0; t->zones && i < t->config->n_quiet; i++) {
		ent_zone_destroy(t->zones[i]);
	}
	if (t->secret.p) {
		explicit_bzero((char *)t->secret.p, t->secret.n);
	}
	if (t->password.p) {
		explicit_bzero((char *)t->password.p, t->password.n);
	}
	ent_arena_finish(&t->arena);
	*t = (ent__target){0};
}

/* ---- what an answer means ---------------------------------------------------------------------------------------- */

static void say(ent__outcome *out, ent_tell_result result, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(ent__outcome *out, ent_tell_result result, const char *format, ...) {
	va_list list;
	va_start(list, format);
	out->result = result;
	vsnprintf(out->what, sizeof out->what, format, list);
	va_end(list);
}

static int64_t retry_after(const ent_client_answer *a) {
	const char *text = ent_client_header_of(a, "Retry-After", 0);
	char *end;
	long seconds = text ? strtol(text, &end, 10) : 0;
	return text && end != text && !*end && seconds > 0 ? (seconds < 86400 ? seconds : 86400) * INT64_C(1000000) : 0;
}

static void judge_status(const ent_config_tell *t, const ent_client_answer *a, ent__outcome *out) {
	int s = a->status;
	if (s >= 200 && s < 300) {
		say(out, ENT_TELL_TOLD, "answered %d", s);
	} else if (s >= 300 && s < 400) {
		say(out, ENT_TELL_FAILED, "answered %d, a redirect, which is not followed: write the address that it leads to", s);
	} else if (s == 408 || s == 429 || s >= 500) {
		say(out, ENT_TELL_AGAIN, "answered %d", s);
		out->wait_us = retry_after(a);
	} else {
		char text[160] = "";
		ent_buf line = {0};
		ent__one_line(a->body, 120, &line);
		snprintf(text, sizeof text, "%.*s", (int)line.n, line.n ? (char *)line.data : "");
		ent_buf_finish(&line);
		say(out, ENT_TELL_FAILED, "refused with %d%s%s", s, text[0] ? ": " : "", text);
	}
	(void)t;
}

void ent__judge_answer(const ent_config_tell *t, const ent_client_answer *a, ent__outcome *out) {
	bool twice = t->way == ENT_TELL_ALERTMANAGER; /* hearing a thing twice does it no harm */
	*out = (ent__outcome){0};
	switch (a->failure) {
	case ENT_CLIENT_OK:
		if (t->way == ENT_TELL_MAIL) {
			say(out, ENT_TELL_TOLD, "accepted by the mail server");
		} else {
			judge_status(t, a, out);
		}
		return;
	case ENT_CLIENT_FORBIDDEN:
		say(out, ENT_TELL_FAILED, "%s%s", a->error.what, t->way == ENT_TELL_WEBHOOK && !t->allow_private ? "; allow_private: true allows it" : "");
		return;
	case ENT_CLIENT_DENIED:
		say(out, a->status >= 500 || a->status < 400 ? ENT_TELL_FAILED : ENT_TELL_AGAIN, "refused: %s", a->error.what);
		return;
	case ENT_CLIENT_TOO_LARGE:
		if (a->status) {
			judge_status(t, a, out);
			return;
		}
		break;
	case ENT_CLIENT_TLS:
	case ENT_CLIENT_UNREACHABLE:
	case ENT_CLIENT_TIMEOUT:
	case ENT_CLIENT_CANCELLED:
		break;
	}
	const char *why = a->error.what[0] ? a->error.what : "it was cut off by the end of the service";
	if (a->sent && a->failure != ENT_CLIENT_TLS && !twice) {
		say(out, ENT_TELL_UNKNOWN, "may have been told: %s", why);
	} else {
		say(out, ENT_TELL_AGAIN, "%s", why);
	}
}

int64_t ent__backoff(unsigned attempts, int64_t retry_us, double chance) {
	const int64_t most = INT64_C(600) * 1000000;
	int64_t wait = 1000000, spent = 0;
	for (unsigned i = 1; i < attempts && spent <= retry_us; i++) {
		spent += wait;
		wait = wait * 2 < most ? wait * 2 : most;
	}
	return spent + wait <= retry_us ? (int64_t)((double)wait * (0.75 + chance / 2)) : 0;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

typedef struct delivery {
	ent_config_tell target; /* only its plain members: the configuration may be another one by then */
	ent__delivered *done;
	void *ctx;
} delivery;

static void on_answer(void *ctx, const ent_client_answer *answer) {
	delivery *d = ctx;
	ent__outcome out;
	ent__judge_answer(&d->target, answer, &out);
	d->done(d->ctx, &out);
	free(d);
}

int ent__deliver(ent_client *client, const ent__target *t, const ent_config *config, const ent__message *m, ent__delivered *done,
	void *ctx, ent_client_call **call, ent__outcome *out) {
	const ent_config_tell *c = t->config;
	ent__letter letter = {.config = config, .target = c, .template = t->template};
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	ent_buf body = {0};
	char seconds[24], signature[72];
	ent_client_header *headers = ent_xcalloc(t->n_headers + 5, sizeof *headers);
	const char **to = ent_xcalloc(c->mail_to.n + 1, sizeof *to);
	size_t n = t->n_headers;
	ent_client_mail mail = {.from = c->from.s, .to = to, .n_to = c->mail_to.n, .plain = c->tls == ENT_TELL_TLS_NONE};
	ent_client_request r = {.url = t->url, .headers = headers, .ca = c->ca.s, .once = c->way != ENT_TELL_ALERTMANAGER};
	memcpy(headers, t->headers, n * sizeof *headers);
	snprintf(seconds, sizeof seconds, "%lld", (long long)now.tv_sec);
	if (c->way == ENT_TELL_MAIL) {
		ent__mail(&letter, m, now_us, &body);
		for (size_t i = 0; i < c->mail_to.n; i++) {
			to[i] = c->mail_to.v[i].s;
		}
		mail.message = (const char *)body.data;
		mail.message_n = body.n;
		r.mail = &mail;
		r.user = c->user.s;
		r.password = t->password.p;
		n = 0;
	} else {
		if (c->way == ENT_TELL_WEBHOOK) {
			ent__webhook_body(&letter, m, &body);
			headers[n++] = (ent_client_header){"Entente-Delivery", m->id};
			headers[n++] = (ent_client_header){"Entente-Timestamp", seconds};
			if (t->secret.p) {
				ent__webhook_sign(t->secret.p, t->secret.n, (int64_t)now.tv_sec, (char *)body.data, body.n, signature);
				headers[n++] = (ent_client_header){"Entente-Signature", signature};
			}
			r.public_only = !c->allow_private;
		} else {
			ent__alerts(&letter, m, now_us, &body);
		}
		headers[n++] = (ent_client_header){"Content-Type", "application/json"};
		r.body = (const char *)body.data;
		r.body_n = body.n;
	}
	r.n_headers = n;
	delivery *d = ent_xcalloc(1, sizeof *d);
	*d = (delivery){.target = {.way = c->way, .allow_private = c->allow_private}, .done = done, .ctx = ctx};
	ent_error e = {0};
	int status = ent_client_send(client, &r, on_answer, d, call, &e);
	if (status) {
		*out = (ent__outcome){.result = ENT_TELL_FAILED};
		snprintf(out->what, sizeof out->what, "%.319s", e.what);
		free(d);
	}
	free(headers);
	free(to);
	ent_buf_finish(&body);
	return status;
}
