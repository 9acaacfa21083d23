/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente sources`: each way in: where it comes from, what it brought, when, what waits, what is wrong. What only a running
 * service knows is asked of it, if there is one (control.h). */
#include "command/control.h"
#include "command/project.h"

#include "base/day.h"
#include "store/notices.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct source {
	const char *name;
	const ent_config_source *config; /* NULL: it is in the store only */
	uint32_t files, unfinished;
	uint64_t bytes;
	int32_t last_day; /* of its facts; INT32_MIN none */
	int64_t arrived_us, since_us;
	ent_balance balance;
	bool standing_known;
	ent__source_standing standing;
	bool late, late_known;
} source;

typedef struct listing {
	ent_call *call;
	ent__project project;
	ent_arena arena;
	source *rows;
	size_t n, capacity;
	int64_t now_us;
} listing;

/* ---- gathering --------------------------------------------------------------------------------------------------- */

static source *row_of(listing *l, const char *name) {
	for (size_t i = 0; i < l->n; i++) {
		if (!strcmp(l->rows[i].name, name)) {
			return &l->rows[i];
		}
	}
	ENT_GROW(l->rows, l->n, l->capacity);
	l->rows[l->n] = (source){.name = ent_arena_copy(&l->arena, name, strlen(name)), .last_day = INT32_MIN};
	return &l->rows[l->n++];
}

static int take_input(void *ctx, const ent_input *x) {
	listing *l = ctx;
	source *s = row_of(l, ent__project_text(&l->project, x->source));
	s->files += x->live;
	s->unfinished += x->live && !x->done;
	s->bytes += x->live ? x->size : 0;
	s->last_day = x->live && x->last_day > s->last_day ? x->last_day : s->last_day;
	return 0;
}

static int take_balance(void *ctx, const ent_balance *b) {
	listing *l = ctx;
	row_of(l, ent__project_text(&l->project, b->source))->balance = *b;
	return 0;
}

static int take_feed(void *ctx, const ent_feed *f) {
	listing *l = ctx;
	source *s = row_of(l, f->source);
	s->arrived_us = f->arrived_us > s->arrived_us ? f->arrived_us : s->arrived_us;
	s->since_us = f->since_us && (!s->since_us || f->since_us < s->since_us) ? f->since_us : s->since_us;
	return 0;
}

/* By what the service says, or else by when something of it came last. */
static void settle(listing *l, source *s) {
	const ent__session *lent = l->call->session;
	s->standing_known = lent && lent->standing && lent->standing(lent->standing_ctx, s->name, &s->standing);
	if (s->standing_known) {
		s->arrived_us = s->standing.last_read_us > s->arrived_us ? s->standing.last_read_us : s->arrived_us;
		s->late = s->standing.late;
	}
	int64_t from = s->arrived_us ? s->arrived_us : s->since_us;
	s->late_known = s->config && s->config->every_us && (s->standing_known || from);
	if (s->late_known && !s->standing_known) {
		s->late = l->now_us - from > s->config->late_after_us;
	}
}

static int gather(listing *l, ent_error *e) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	l->now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	const ent_config *config = l->project.config;
	for (size_t i = 0; i < config->n_sources; i++) {
		row_of(l, config->sources[i].name.s)->config = &config->sources[i];
	}
	ent_store *store = l->project.store;
	if (ent_store_inputs_load(store, take_input, l, e) || ent_store_balance_scan(store, take_balance, l, e) ||
		ent_store_feeds_scan(store, take_feed, l, e)) {
		return e->code;
	}
	for (size_t i = 0; i < l->n; i++) {
		settle(l, &l->rows[i]);
		/* texts of the service live with its answer: they are shown before the next is asked */
		l->rows[i].standing.error = l->rows[i].standing.error ? ent_arena_copy(&l->arena, l->rows[i].standing.error,
			strlen(l->rows[i].standing.error)) : "";
	}
	return 0;
}

/* ---- showing ----------------------------------------------------------------------------------------------------- */

static const char *transport_of(const source *s) { return s->config ? ent_transport_name(s->config->from.kind) : NULL; }

static const char *where_of(const source *s) {
	const ent_transport_config *t = s->config ? &s->config->from : NULL;
	return !t ? NULL : t->path.s ? t->path.s : t->webhook ? t->webhook->path.s : NULL;
}

static const char *partner_of(const source *s) {
	return s->config && s->config->partner.from == ENT_PARTNER_FIXED ? s->config->partner.fallback.s : NULL;
}

/* RFC 3339, in UTC. */
static char *instant_text(int64_t us, char out[32]) {
	int32_t day = ent_day_of_us(us);
	int64_t seconds = (us - day * ENT_US_PER_DAY) / 1000000;
	char text[16];
	snprintf(out, 32, "%sT%02d:%02d:%02dZ", ent_day_text(day, text), (int)(seconds / 3600), (int)(seconds / 60 % 60),
		(int)(seconds % 60));
	return out;
}

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

static void instant(ent_json *j, const char *key, int64_t us) {
	char text[32];
	member(j, key, us ? instant_text(us, text) : NULL);
}

static void number(ent_json *j, const char *key, bool known, uint64_t n) {
	ent_json_key(j, key);
	if (known) {
		ent_json_uint(j, n);
	} else {
		ent_json_null(j);
	}
}

static void json_source(ent_json *j, const source *s) {
	const ent_balance *b = &s->balance;
	const ent__source_standing *w = &s->standing;
	bool known = s->standing_known, expected = s->config && s->config->every_us;
	char day[16];
	ent_json_object(j);
	member(j, "source", s->name);
	ent_json_key(j, "configured");
	ent_json_bool(j, s->config != NULL);
	member(j, "transport", transport_of(s));
	member(j, "from", where_of(s));
	member(j, "decoder", s->config ? s->config->decode.name.s ? s->config->decode.name.s : "auto" : NULL);
	member(j, "partner", partner_of(s));
	number(j, "files", true, s->files);
	number(j, "unfinished", true, s->unfinished);
	number(j, "bytes", true, s->bytes);
	const struct {
		const char *key;
		uint64_t n;
	} totals[] = {{"records", b->records}, {"consumed", b->consumed}, {"rejected", b->rejected}, {"skipped", b->skipped},
		{"facts", b->received}, {"parked", b->parked}, {"pending", b->pending}};
	for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
		number(j, totals[i].key, true, totals[i].n);
	}
	member(j, "last_day", s->last_day != INT32_MIN ? ent_day_text(s->last_day, day) : NULL);
	instant(j, "arrived", s->arrived_us);
	number(j, "every_s", expected, expected ? (uint64_t)s->config->every_us / 1000000 : 0);
	number(j, "late_after_s", expected, expected ? (uint64_t)s->config->late_after_us / 1000000 : 0);
	ent_json_key(j, "late");
	if (s->late_known) {
		ent_json_bool(j, s->late);
	} else {
		ent_json_null(j);
	}
	member(j, "state", known ? w->state : NULL);
	number(j, "waiting_files", known, w->waiting_files);
	number(j, "waiting_bytes", known, w->waiting_bytes);
	instant(j, "waiting_since", w->waiting_since_us);
	number(j, "failures", known, w->failures);
	number(j, "restarts", known, w->restarts);
	member(j, "error", w->error);
	instant(j, "retry", w->retry_us);
	ent_json_end(j);
}

static ent_style style_of(const source *s) {
	const char *state = s->standing_known ? s->standing.state : "";
	return !strcmp(state, "failing") || !strcmp(state, "quarantined") ? ENT_BAD : s->late_known && s->late ? ENT_WARN : ENT_PLAIN;
}

static void show_table(listing *l) {
	static const ent_table_column columns[] = {{"source", false, true}, {"from", false, false}, {"decoder", false, false},
		{"files", true, true}, {"records", true, true}, {"rejected", true, true}, {"facts", true, true}, {"last day", false, true},
		{"arrived", false, true}, {"waits", true, true}, {"state", false, true}, {"", false, false}, {0}};
	static const unsigned char drop[] = {2, 6, 1, 3, 8, 5};
	ent_table t;
	char text[ENT_NUMBER_TEXT], when[32];
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (size_t i = 0; i < l->n; i++) {
		const source *s = &l->rows[i];
		const char *where = where_of(s);
		ent_table_styled(&t, ENT_ACCENT, s->name);
		ent_table_printf(&t, ENT_PLAIN, "%s%s%s", s->config ? transport_of(s) : "", where ? " " : "", where ? where : "");
		ent_table_cell(&t, s->config ? s->config->decode.name.s ? s->config->decode.name.s : "auto" : "");
		ent_table_cell(&t, ent_number_text(s->files, 0, 0, text));
		ent_table_cell(&t, ent_number_text((__int128)s->balance.records, 0, 0, text));
		ent_table_styled(&t, s->balance.rejected ? ENT_WARN : ENT_PLAIN, ent_number_text((__int128)s->balance.rejected, 0, 0, text));
		ent_table_cell(&t, ent_number_text((__int128)s->balance.received, 0, 0, text));
		ent_table_cell(&t, s->last_day != INT32_MIN ? ent_day_text(s->last_day, when) : "");
		ent_table_cell(&t, s->arrived_us ? instant_text(s->arrived_us, when) : "");
		ent_table_cell(&t, s->standing_known ? ent_bytes_text(s->standing.waiting_bytes, text) : "");
		ent_table_printf(&t, style_of(s), "%s%s", s->standing_known ? s->standing.state : s->config ? "" : "not configured",
			s->late_known && s->late ? s->standing_known ? ", late" : "late" : "");
		ent_table_styled(&t, ENT_WARN, s->standing.error);
	}
	ent_table_print(&t, &l->call->term, &l->call->out);
	ent_table_finish(&t);
}

/* ---- command ----------------------------------------------------------------------------------------------------- */

/* Leaves the one of that name alone. */
static int choose(listing *l, const char *name) {
	const char **names = ent_xcalloc(l->n + 1, sizeof *names);
	int exit = ENT_EXIT_OK;
	size_t i = 0;
	while (i < l->n && strcmp(l->rows[i].name, name) != 0) {
		names[i] = l->rows[i].name;
		i++;
	}
	if (i < l->n) {
		l->rows[0] = l->rows[i];
		l->n = 1;
	} else {
		const char *near = ent_nearest(name, names, l->n);
		char todo[200];
		snprintf(todo, sizeof todo, near ? "did you mean '%.100s'?" : "`entente sources` lists them", near);
		exit = ent_call_unknown(l->call, todo, "there is no source '%s'", name);
	}
	free(names);
	return exit;
}

static int cut_page(listing *l) {
	ent_page page = ent_page_of(l->call, 0);
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (ent_page_take(&page, l->rows[i].name)) {
			l->rows[n++] = l->rows[i];
		}
	}
	l->n = n;
	return ent_page_end(l->call, &page, "sources");
}

static int run(ent_call *call) {
	listing l = {.call = call};
	ent_error e = {0};
	int exit = ENT_EXIT_OK;
	const char *name = ent_call_operand(call, 0);
	if (ent__control_ask(call, &exit)) {
		return exit;
	}
	exit = ent__project_store(call, &l.project);
	if (!exit && gather(&l, &e)) {
		exit = ent_call_error(call, &e);
	}
	exit = exit ? exit : name ? choose(&l, name) : cut_page(&l);
	if (!exit && call->json) {
		if (name) {
			json_source(&call->writer, &l.rows[0]);
		} else {
			ent_json_array(&call->writer);
			for (size_t i = 0; i < l.n; i++) {
				json_source(&call->writer, &l.rows[i]);
			}
			ent_json_end(&call->writer);
		}
	} else if (!exit && l.n) {
		show_table(&l);
	} else if (!exit) {
		ent_buf_printf(&call->out, "no sources are configured\n");
	}
	free(l.rows);
	ent_arena_finish(&l.arena);
	ent__project_finish(&l.project);
	return exit;
}

static const ent_arg args[] = {
	ENT_ARG_ROW_LIMIT,
	ENT_ARG_ROW_AFTER,
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "SOURCE", .doc = "Only this one."},
	{.name = NULL},
};

const ent_command ent_command_sources = {
	.name = "sources",
	.doc = "List the sources: what they brought, what waits, what is late or fails.",
	.text = "Records and facts are all since the store was made. What waits, and whether a source fails, is known while a service "
			"runs: it is asked. Late is a source that brought nothing for longer than `expect: {late_after}`.\n\n"
			"  entente sources\n"
			"  entente sources nordwind-exports --json",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
};
