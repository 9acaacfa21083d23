/* SPDX-License-Identifier: Apache-2.0
 *
 * When a poll does what: turns at an interval, a page after the other, what failed once more. See poll.h. Thread of the loop.
 *
 * One thing is under way at a time: the timer waits, or a request is out, or a page is on its way into the inbox. What comes of
 * it decides what is next. */
#include "transport/poll_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const int64_t second = 1000000;

const char *const ent_poll_states[] = {"idle", "asking", "trying again", "keeping", "failing"};

typedef enum step { STEP_TURN, STEP_ASK, STEP_PUT } step;

struct ent_poll {
	uv_loop_t *loop;
	uv_timer_t timer;
	const ent_config *config;
	const ent_config_source *source;
	const ent_poll_config *c;
	ent_client *client;
	ent_inbox *inbox;
	void (*changed)(void *ctx, const char *source);
	void *ctx;
	bool closed, putting, timing;
	ent_client_call *call;
	step step; /* what the timer is for */
	int64_t turn_began;
	ent__auth auth;
	ent_pace pace;
	ent__where where; /* what is durable */
	/* of the turn */
	bool resumed;     /* its first page is one that a turn before left */
	bool renewed;     /* a token was refused in it already */
	int64_t pages;
	unsigned tries;   /* of this request */
	ent_intern asked; /* addresses */
	uint64_t before;  /* hash of the last page's body, where pages are counted */
	/* of the page */
	char *address;
	ent__page page;
	ent_buf body; /* what the page points into */
	char *etag, *modified;
	ent__where then; /* where one stands behind it */
	ent_poll_status status;
};

static int64_t steady_us(void) { return (int64_t)(uv_hrtime() / 1000); }

static int64_t now_us(void) {
	uv_timeval64_t now;
	uv_gettimeofday(&now);
	return now.tv_sec * second + now.tv_usec;
}

static uint64_t chance(void) {
	uint64_t v;
	randombytes_buf(&v, sizeof v);
	return v;
}

static void tell(ent_poll *p) {
	if (p->changed) {
		p->changed(p->ctx, p->source->name.s);
	}
}

static void on_timer(uv_timer_t *timer);

static void later(ent_poll *p, step what, int64_t us) {
	us = us > 0 ? us : 0;
	p->step = what;
	p->status.next_us = now_us() + us;
	uv_update_time(p->loop);
	uv_timer_start(&p->timer, on_timer, (uint64_t)((us + 999) / 1000), 0);
}

static void page_done(ent_poll *p) {
	ent__page_finish(&p->page);
	ent__where_finish(&p->then);
	free(p->address);
	free(p->etag);
	free(p->modified);
	p->address = p->etag = p->modified = NULL;
	p->body.n = 0;
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

/* The next turn: an interval after this one began, a tenth earlier or later. */
static void rest(ent_poll *p) {
	int64_t every = p->c->every_us, tenth = every / 10;
	int64_t wait = every - tenth + (int64_t)(chance() % (uint64_t)(2 * tenth + 1)) - (steady_us() - p->turn_began);
	page_done(p);
	later(p, STEP_TURN, wait);
	tell(p);
}

static void failed(ent_poll *p, const ent_error *e) {
	bool news = !p->status.failing;
	p->status.failing = true;
	p->status.error = *e;
	p->status.state = ENT_POLL_FAILING;
	p->status.failed_us = now_us();
	p->status.failures++;
	ent_log(news ? ENT_SEVERITY_WARNING : ENT_SEVERITY_DEBUG, "poll.failed", ent_log_text("source", p->source->name.s),
		ent_log_int("status", p->status.http), ent_log_error(e));
	rest(p);
}

static void succeeded(ent_poll *p) {
	if (p->status.failing) {
		ent_log(ENT_SEVERITY_INFO, "poll.recovered", ent_log_text("source", p->source->name.s));
	}
	p->status.failing = false;
	p->status.error = (ent_error){0};
	*p->status.said = 0;
	p->status.state = ENT_POLL_IDLE;
	p->status.succeeded_us = now_us();
	p->status.behind = p->where.within;
	rest(p);
}

static void ask(ent_poll *p);

/* A turn goes on where one before was interrupted, or begins with what is newer than what one has. */
static void begin(ent_poll *p) {
	ent_error e = {0};
	if (!ent_inbox_form_known(p->inbox, p->source->name.s)) { /* the engine has not asked the plugins yet */
		later(p, STEP_TURN, second / 20);
		return;
	}
	p->turn_began = steady_us();
	p->status.turns++;
	p->status.state = ENT_POLL_ASKING;
	p->status.next_us = 0;
	p->pages = p->tries = 0;
	p->renewed = false;
	p->before = 0;
	p->resumed = p->where.within;
	ent_intern_finish(&p->asked);
	ent_intern_init(&p->asked);
	if (!p->resumed) {
		p->where.used = p->where.since;
		p->where.seen = p->where.since;
		free(p->where.next);
		p->where.next = NULL;
	}
	if (ent__auth_read(&p->auth, p->config, p->c, &e)) {
		failed(p, &e);
		return;
	}
	ask(p);
}

/* ---- keeping ----------------------------------------------------------------------------------------------------- */

static void put(ent_poll *p);

static void free_poll(ent_poll *p) {
	if (!p->timing && !p->putting) {
		page_done(p);
		ent_buf_finish(&p->body);
		ent__where_finish(&p->where);
		ent__auth_finish(&p->auth);
		ent_intern_finish(&p->asked);
		free(p);
	}
}

static void behind_page(ent_poll *p) {
	ent__where_finish(&p->where);
	p->where = p->then;
	p->then = (ent__where){0};
	p->status.pages++;
	p->status.records += p->page.is_document ? 1 : p->page.counted;
	memcpy(p->status.since, p->where.since.as, sizeof p->status.since);
	p->pages++;
	p->tries = 0;
	page_done(p);
	if (p->where.within && p->pages < p->c->pages_most) {
		ask(p);
	} else {
		succeeded(p);
	}
}

static void on_put(void *ctx, int outcome, const ent_error *e) {
	ent_poll *p = ctx;
	p->putting = false;
	if (p->closed) {
		free_poll(p);
	} else if (outcome >= 0) {
		behind_page(p);
	} else if (outcome == ENT_ERR_BUSY) { /* the page is at hand: once there is room */
		p->status.error = *e;
		later(p, STEP_PUT, second / 2 + (int64_t)(chance() % (uint64_t)second));
		tell(p);
	} else {
		failed(p, e);
	}
}

static void put(ent_poll *p) {
	char *cursor = ent__where_text(&p->then, p->c);
	const ent__page *page = &p->page;
	ent_inbox_item item = {.source = p->source->name.s,
		.records = page->n_records ? page->records : NULL,
		.n_records = page->n_records,
		.lines = page->is_lines ? &page->lines : NULL,
		.document = page->is_document ? &page->document : NULL,
		.suffix = page->suffix,
		.cursor = cursor};
	p->putting = true;
	p->status.state = ENT_POLL_KEEPING;
	p->status.next_us = 0;
	ent_inbox_put(p->inbox, &item, on_put, p);
	free(cursor);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static bool passes(int status) { return status == 429 || status == 500 || status == 502 || status == 503 || status == 504; }

/* Something that may be better the next time. */
static void once_more(ent_poll *p, const ent_error *e, int64_t told_us) {
	if (p->tries >= (unsigned)p->c->retry) {
		failed(p, e);
		return;
	}
	int64_t wait = told_us >= 0 ? told_us : ent_backoff(p->tries, chance());
	p->tries++;
	p->status.retries++;
	p->status.error = *e;
	p->status.state = ENT_POLL_TRYING;
	later(p, STEP_ASK, wait);
	tell(p);
}

static void refused(ent_poll *p, const ent_client_answer *a) {
	ent_error e = {0};
	const char *after = ent_client_header_of(a, "Retry-After", 0);
	ent__auth_mask(&p->auth, a->body, a->body_n < 2000 ? a->body_n : 2000, p->status.said, sizeof p->status.said);
	ent_error_set(&e, ENT_ERR_IO, "the server answered %d", a->status);
	ent_error_at(&e, p->c->url.at.file, p->c->url.at.line, p->c->url.at.column);
	if (passes(a->status)) {
		once_more(p, &e, after && (a->status == 429 || a->status == 503) ? ent_retry_after(after, now_us()) : -1);
		return;
	}
	if (a->status == 401 && p->c->auth == ENT_AUTH_OAUTH2 && !p->renewed) {
		p->renewed = true;
		p->auth.until_us = 0;
		ask(p);
		return;
	}
	if (p->resumed && !p->pages && (a->status == 400 || a->status == 404 || a->status == 410 || a->status == 422)) {
		/* a page that was left long ago is no more: from where all was there */
		p->where.within = false;
		begin(p);
		return;
	}
	if (a->status >= 300 && a->status < 400) {
		ent_error_todo(&e, "write the new address, or allow limits: {redirects: 1}");
	} else if (a->status == 401 || a->status == 403) {
		ent_error_todo(&e, "look at 'auth', and at what it may read there");
	} else {
		ent_error_todo(&e, "look at 'url' and 'query'");
	}
	failed(p, &e);
}

static char *header(const ent_client_answer *a, const char *name) {
	const char *value = ent_client_header_of(a, name, 0);
	return value && strlen(value) < 1024 ? ent_xstrdup(value) : NULL;
}

static bool goes_round(ent_poll *p, uint64_t hash, ent_error *e) {
	bool counted = p->c->pages == ENT_PAGES_NUMBER || p->c->pages == ENT_PAGES_OFFSET;
	bool round = false;
	if (counted && p->page.counted && p->before == hash) {
		ent_error_set(e, ENT_ERR_INVALID, "two pages in turn are the same: the server does not heed '%s'", p->c->param.s);
		ent_error_todo(e, "look at 'pages': by, param, size");
		round = true;
	}
	p->before = hash;
	if (!counted && p->page.next && ent_intern_find(&p->asked, p->page.next, strlen(p->page.next)) != UINT32_MAX) {
		ent_error_set(e, ENT_ERR_INVALID, "the pages go round: one leads back to one that was there before");
		ent_error_todo(e, "look at 'pages': by, next");
		round = true;
	}
	if (round) {
		ent_error_at(e, p->c->pages_at.file, p->c->pages_at.line, p->c->pages_at.column);
	}
	return round;
}

static void arrived(ent_poll *p, const ent_client_answer *a) {
	ent_error e = {0};
	uint64_t asked = ent_hash64(p->address, strlen(p->address), 0), answered = ent_hash64(a->body, a->body_n, 0);
	bool first = !p->where.next;
	if (first && p->where.asked == asked && p->where.answered == answered) {
		p->status.unchanged++; /* word for word what is kept already */
		succeeded(p);
		return;
	}
	int status = ent__page_read(&p->page, p->c, &p->where, p->address, a, ent_inbox_form_of(p->inbox, p->source->name.s), &e);
	if (status || goes_round(p, answered, &e)) {
		failed(p, &e); /* the next turn begins with this page */
		return;
	}
	ent__where *then = &p->then;
	*then = (ent__where){.since = p->where.since, .used = p->where.used, .seen = p->where.seen};
	if (ent_stamp_compare(&p->page.seen, &then->seen) > 0) {
		then->seen = p->page.seen;
	}
	if (p->page.next) {
		then->within = true;
		then->next = ent_xstrdup(p->page.next);
	} else {
		then->since = then->seen;
		if (first) {
			then->asked = asked;
			then->answered = answered;
			then->etag = header(a, "ETag");
			then->modified = header(a, "Last-Modified");
		}
	}
	/* what the page points into goes with the answer; records of JSON belong to the page */
	if (p->page.is_lines || p->page.is_document) {
		ent_str *text = p->page.is_lines ? &p->page.lines : &p->page.document;
		ent_buf_add(&p->body, a->body, a->body_n);
		text->p = (const char *)p->body.data;
	}
	put(p);
}

static void answered(void *ctx, const ent_client_answer *a) {
	ent_poll *p = ctx;
	p->call = NULL;
	if (p->closed || a->failure == ENT_CLIENT_CANCELLED) {
		return;
	}
	p->status.bytes += a->received;
	p->status.http = a->status;
	if (a->failure) {
		ent_error e = a->error;
		ent_error_at(&e, p->c->url.at.file, p->c->url.at.line, p->c->url.at.column);
		*p->status.said = 0;
		if (a->failure == ENT_CLIENT_TOO_LARGE) {
			ent_error_todo(&e, "ask for fewer records in a page, or raise limits: {body: …}");
		}
		if (a->failure == ENT_CLIENT_UNREACHABLE || a->failure == ENT_CLIENT_TIMEOUT) {
			once_more(p, &e, -1);
		} else {
			failed(p, &e);
		}
	} else if (a->status == 304 && !p->where.next && p->where.asked) {
		p->status.unchanged++;
		succeeded(p);
	} else if (a->status >= 200 && a->status < 300) {
		arrived(p, a);
	} else {
		refused(p, a);
	}
}

static void token_came(void *ctx, const ent_client_answer *a) {
	ent_poll *p = ctx;
	ent_error e = {0};
	bool again;
	p->call = NULL;
	if (p->closed || a->failure == ENT_CLIENT_CANCELLED) {
		return;
	}
	p->status.bytes += a->received;
	p->status.http = a->status;
	if (a->failure) {
		e = a->error;
		ent_error_at(&e, p->c->token_url.at.file, p->c->token_url.at.line, p->c->token_url.at.column);
		once_more(p, &e, -1);
	} else if (!ent__auth_token_take(&p->auth, p->c, a, steady_us(), &again, &e) || again) {
		ask(p);
	} else {
		const char *after = ent_client_header_of(a, "Retry-After", 0);
		ent__auth_mask(&p->auth, a->body, a->status == 200 ? 0 : a->body_n < 2000 ? a->body_n : 2000, p->status.said, sizeof p->status.said);
		if (passes(a->status)) {
			once_more(p, &e, after ? ent_retry_after(after, now_us()) : -1);
		} else {
			failed(p, &e);
		}
	}
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static int send_page(ent_poll *p, ent_arena *arena, ent_error *e) {
	const ent_poll_config *c = p->c;
	ent_client_header *headers = ent_arena_alloc(arena, (c->n_headers + 4) * sizeof *headers);
	free(p->address);
	p->address = ent__page_address(c, &p->where, e);
	if (!p->address) {
		return e->code;
	}
	ent_client_request r = {.url = p->address,
		.headers = headers,
		.timeout_us = c->timeout_us,
		.connect_us = c->connect_us,
		.most_body = c->body,
		.redirects = (unsigned)c->redirects,
		.ca = c->ca.s};
	for (size_t i = 0; i < c->n_headers; i++) {
		headers[r.n_headers++] = (ent_client_header){c->headers[i].key.s, c->headers[i].value.s};
	}
	if (!p->where.next && p->where.asked && p->where.asked == ent_hash64(p->address, strlen(p->address), 0)) {
		if (p->where.etag) {
			headers[r.n_headers++] = (ent_client_header){"If-None-Match", p->where.etag};
		}
		if (p->where.modified) {
			headers[r.n_headers++] = (ent_client_header){"If-Modified-Since", p->where.modified};
		}
	}
	ent__auth_add(&p->auth, c, arena, &r, headers);
	ent_intern_put(&p->asked, p->where.next ? p->where.next : p->address, strlen(p->where.next ? p->where.next : p->address));
	return ent_client_send(p->client, &r, answered, p, &p->call, e);
}

/* The request that is due, a token first; when the rate allows it. */
static void ask(ent_poll *p) {
	int64_t wait = ent_pace_take(&p->pace, steady_us());
	if (wait) {
		p->status.state = p->status.state == ENT_POLL_TRYING ? ENT_POLL_TRYING : ENT_POLL_ASKING;
		later(p, STEP_ASK, wait);
		if (wait > second) {
			tell(p);
		}
		return;
	}
	ent_arena arena = {0};
	ent_error e = {0};
	ent_client_request token;
	int status;
	p->status.state = ENT_POLL_ASKING;
	p->status.next_us = 0;
	p->status.requests++;
	if (ent__auth_wants_token(&p->auth, p->c, steady_us())) {
		ent__auth_token_request(&p->auth, p->c, &arena, &token);
		status = ent_client_send(p->client, &token, token_came, p, &p->call, &e);
	} else {
		status = send_page(p, &arena, &e);
	}
	ent_arena_finish(&arena);
	if (status) {
		ent_error_at(&e, p->c->url.at.file, p->c->url.at.line, p->c->url.at.column);
		failed(p, &e);
	}
}

static void on_timer(uv_timer_t *timer) {
	ent_poll *p = timer->data;
	switch (p->step) {
	case STEP_TURN:
		begin(p);
		break;
	case STEP_ASK:
		ask(p);
		break;
	case STEP_PUT:
		put(p);
		break;
	}
}

/* ---- from outside ------------------------------------------------------------------------------------------------ */

int ent_poll_create(ent_poll **out, uv_loop_t *loop, const ent_config *config, const ent_config_source *source,
	ent_client *client, ent_inbox *inbox, void (*changed)(void *ctx, const char *source), void *ctx, ent_errors *errors) {
	ent_error e = {0};
	ent__auth auth = {0};
	*out = NULL;
	if (ent__auth_read(&auth, config, source->from.poll, &e)) {
		return ent_errors_take(errors, &e);
	}
	ent_poll *p = ent_xcalloc(1, sizeof *p);
	p->loop = loop;
	p->config = config;
	p->source = source;
	p->c = source->from.poll;
	p->client = client;
	p->inbox = inbox;
	p->changed = changed;
	p->ctx = ctx;
	p->auth = auth;
	p->pace = ent_pace_of(p->c->rate);
	ent_intern_init(&p->asked);
	ent__where_read(&p->where, p->c, ent_inbox_cursor(inbox, source->name.s));
	memcpy(p->status.since, p->where.since.as, sizeof p->status.since);
	p->status.behind = p->where.within;
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	p->timing = true;
	/* not all sources at once when a service starts */
	int64_t spread = p->c->every_us / 10 < 2 * second ? p->c->every_us / 10 : 2 * second;
	later(p, STEP_TURN, (int64_t)(chance() % (uint64_t)(spread + 1)));
	*out = p;
	return 0;
}

static void timer_closed(uv_handle_t *handle) {
	ent_poll *p = handle->data;
	p->timing = false;
	free_poll(p);
}

void ent_poll_destroy(ent_poll *p) {
	if (!p || p->closed) {
		return;
	}
	p->closed = true;
	if (p->call) {
		ent_client_cancel(p->client, p->call);
	}
	uv_close((uv_handle_t *)&p->timer, timer_closed);
}

void ent_poll_now(ent_poll *p) {
	if (p->step == STEP_TURN && uv_is_active((uv_handle_t *)&p->timer)) {
		later(p, STEP_TURN, 0);
	}
}

void ent_poll_status_of(const ent_poll *p, ent_poll_status *out) { *out = p->status; }
