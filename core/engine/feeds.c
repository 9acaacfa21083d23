/* SPDX-License-Identifier: Apache-2.0
 *
 * Late feeds, see feeds.h. A source of one partner, or whose files hold many, is one feed; of a source whose partner stands in
 * the path of its files each partner's files are one. What came is told by a sum over the inputs that only grows while something
 * comes; when it came is the moment at which that was seen, but at the first look the time of the newest file. */
#include "engine/feeds.h"
#include "engine/days.h"
#include "base/day.h"
#include "base/json.h"
#include "config/scalar.h"
#include "engine/judged.h"
#include "store/notices.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

ent_feed_state ent_feed_judge(const ent_feed_times *t, int64_t now_us, int64_t *next_us) {
	int64_t last = t->arrived_us ? t->arrived_us : t->since_us;
	int64_t late = last + t->late_after_us, very = last + 3 * t->late_after_us;
	*next_us = now_us < late ? late : now_us < very ? very : 0;
	return now_us < late ? ENT_FEED_FINE : now_us < very ? ENT_FEED_LATE : ENT_FEED_VERY_LATE;
}

/* ---- what came --------------------------------------------------------------------------------------------------- */

typedef struct feed {
	const ent_config_source *source;
	const char *partner; /* id; "": of all */
	uint64_t mark;
	int64_t newest_us;
	ent_feed stored;     /* texts are those above */
	bool known, put;
	ent_feed_state state;
} feed;

typedef struct feeds {
	ent_engine *e;
	feed *items;
	size_t n, capacity;
	/* findings that are there: of partners whose feeds they no longer fit */
	struct found {
		char *partner, *source, *text;
		char severity[8];
		bool open, fits;
		bool settled; /* by a person, today: said again of a later day it is reopened */
	} *found;
	size_t n_found, found_capacity;
} feeds;

static feed *feed_of(feeds *all, const ent_config_source *s, const char *partner) {
	for (size_t i = 0; i < all->n; i++) {
		if (all->items[i].source == s && !strcmp(all->items[i].partner, partner)) {
			return &all->items[i];
		}
	}
	ENT_GROW(all->items, all->n, all->capacity);
	all->items[all->n] = (feed){.source = s, .partner = partner};
	return &all->items[all->n++];
}

static void add_input(feed *f, const ent_input *x) {
	f->mark += x->position + 1;
	int64_t at = (int64_t)(x->mtime_ns / 1000);
	f->newest_us = at > f->newest_us ? at : f->newest_us;
}

typedef struct pair {
	uint32_t source, partner, input;
} pair;

typedef struct pairs {
	pair *items;
	size_t n, capacity;
} pairs;

static int take_cover(void *ctx, const ent_cover *c) {
	pairs *p = ctx;
	if (c->partner && (!p->n || p->items[p->n - 1].input != c->input || p->items[p->n - 1].partner != c->partner)) {
		ENT_GROW(p->items, p->n, p->capacity);
		p->items[p->n++] = (pair){c->source, c->partner, c->input};
	}
	return 0;
}

static int by_pair(const void *a, const void *b) { return memcmp(a, b, sizeof(pair)); }

/* Feeds of sources whose partner stands in the path: what is covered says whose an input is. */
static int gather_paths(feeds *all, ent_error *error) {
	ent_engine *e = all->e;
	pairs p = {0};
	int status = ent_store_covers_scan(e->store, take_cover, &p, error);
	if (p.n) {
		ENT_SORT(p.items, p.n, by_pair);
	}
	for (size_t i = 0; i < p.n && !status; i++) {
		const ent__source *s = ent__source_of(e, p.items[i].source);
		bool again = i && !by_pair(&p.items[i], &p.items[i - 1]);
		if (!again && s && s->config->every_us && s->config->partner.from == ENT_PARTNER_PATH && p.items[i].input < e->n_inputs) {
			add_input(feed_of(all, s->config, ent_engine_text(e, p.items[i].partner)), &e->inputs[p.items[i].input]);
		}
	}
	free(p.items);
	return status;
}

static int gather(feeds *all, ent_error *error) {
	ent_engine *e = all->e;
	bool paths = false;
	for (uint32_t i = 0; i < e->n_sources; i++) {
		const ent_config_source *c = e->sources[i].config;
		if (c->every_us && c->partner.from != ENT_PARTNER_PATH) {
			feed_of(all, c, c->partner.from == ENT_PARTNER_FIXED ? c->partner.fallback.s : "");
		}
		paths |= c->every_us && c->partner.from == ENT_PARTNER_PATH;
	}
	for (uint32_t i = 1; i < e->n_inputs; i++) {
		const ent__source *s = ent__source_of(e, e->inputs[i].source);
		if (s && s->config->every_us && s->config->partner.from != ENT_PARTNER_PATH) {
			add_input(feed_of(all, s->config, s->config->partner.from == ENT_PARTNER_FIXED ? s->config->partner.fallback.s : ""),
				&e->inputs[i]);
		}
	}
	return paths ? gather_paths(all, error) : 0;
}

static int take_stored(void *ctx, const ent_feed *x) {
	feeds *all = ctx;
	for (size_t i = 0; i < all->n; i++) {
		feed *f = &all->items[i];
		if (!strcmp(f->source->name.s, x->source) && !strcmp(f->partner, x->partner)) {
			f->known = true;
			f->stored = *x;
		}
	}
	return 0;
}

static void settle(feed *f, int64_t now_us) {
	if (!f->known) {
		f->put = true;
		f->stored.arrived_us = f->newest_us < now_us ? f->newest_us : now_us;
		f->stored.since_us = now_us;
	} else if (f->mark != f->stored.mark) {
		f->put = true;
		f->stored.arrived_us = f->mark > f->stored.mark ? now_us : f->stored.arrived_us; /* smaller: something old was cleared away */
	}
	f->stored.mark = f->mark;
	f->stored.source = f->source->name.s;
	f->stored.partner = f->partner;
}

/* ---- findings ---------------------------------------------------------------------------------------------------- */

static void moment(int64_t us, char out[32]) {
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	gmtime_r(&s, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm);
}

/* Nothing in it changes while the feed stays as late: what is unchanged is not told. */
static void write_text(const feed *f, ent_buf *out) {
	char every[32], after[32], when[32];
	bool never = !f->stored.arrived_us;
	ent_duration_text(f->source->every_us, every);
	ent_duration_text(f->source->late_after_us, after);
	moment(never ? f->stored.since_us : f->stored.arrived_us, when);
	ent_buf_printf(out, "The feed %s is %slate: ", f->source->name.s, f->state == ENT_FEED_VERY_LATE ? "very " : "");
	ent_buf_printf(out, never ? "it has brought nothing since it was first looked at, %s" : "its last data came at %s", when);
	ent_buf_printf(out, ", and some is expected every %s, within %s at most. ", every, after);
	if (f->source->from.path.s) {
		ent_buf_printf(out, "See whether something still arrives at %s, and ask who sends it; ", f->source->from.path.s);
	} else {
		ent_buf_printf(out, "Ask who sends it whether it still does; ");
	}
	ent_buf_printf(out, "`entente sources %s` says how the source stands.", f->source->name.s);
	ent_buf_u8(out, 0);
}

static const char *severity_of(const feed *f) { return f->state == ENT_FEED_VERY_LATE ? "high" : "medium"; }

static int take_found(void *ctx, const ent_finding *f) {
	feeds *all = ctx;
	ENT_GROW(all->found, all->n_found, all->found_capacity);
	struct found *x = &all->found[all->n_found++];
	*x = (struct found){.partner = ent_xstrdup(f->partner), .source = ent_xstrdup(f->key), .text = ent_xstrdup(f->text),
		.open = strcmp(f->state, "cleared") != 0 && strcmp(f->state, "resolved") != 0,
		.settled = !strcmp(f->state, "resolved") && f->as_of == ent__day_of(all->e, ent__code_of(all->e, f->partner), all->e->now_us)};
	snprintf(x->severity, sizeof x->severity, "%s", f->severity);
	return 0;
}

/* Does the store say of the feed what is so? */
static bool said(feeds *all, const feed *f, const char *text) {
	for (size_t i = 0; i < all->n_found; i++) {
		struct found *x = &all->found[i];
		if (!strcmp(x->partner, f->partner) && !strcmp(x->source, f->source->name.s)) {
			x->fits = true;
			return x->settled || (x->open && !strcmp(x->text, text) && !strcmp(x->severity, severity_of(f)));
		}
	}
	return false;
}

static int put_finding(ent_engine *e, const feed *f, const char *text, int64_t now_us, ent_error *error) {
	ent_json j;
	ent_buf json = {0}, evidence = {0};
	char when[32];
	int32_t today = ent__day_of(e, ent__code_of(e, f->partner), now_us);
	if (f->stored.arrived_us) {
		moment(f->stored.arrived_us, when);
		ent_buf_printf(&evidence, "last data of %s: %s\n", f->source->name.s, when);
	}
	ent_buf_u8(&evidence, 0);
	ent_json_init(&j, &json, false);
	ent_json_object(&j);
	const char *const members[][2] = {{"kind", "red_flag"}, {"key", f->source->name.s}, {"text", text}, {"severity", severity_of(f)}};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		ent_json_key(&j, members[i][0]);
		ent_json_text(&j, members[i][1]);
	}
	ent_json_end(&j);
	ent_buf_u8(&json, 0);
	ent_finding row = {.rule = ENT_FEED_RULE, .partner = f->partner, .key = f->source->name.s, .kind = "red_flag", .state = "open",
		.text = text, .severity = severity_of(f), .audience = "us", .practice = "feeds", .as_of = today, .first_day = today,
		.run = (uint64_t)now_us, .json = (char *)json.data};
	int status = ent__finding_put(e, &row, (char *)evidence.data, error);
	ent_buf_finish(&json);
	ent_buf_finish(&evidence);
	return status;
}

/* All findings of a partner are said anew, and what is not is cleared, as with a rule. */
static int say_of(feeds *all, const char *partner, int64_t now_us, ent_error *error) {
	int status = 0;
	for (size_t i = 0; i < all->n && !status; i++) {
		const feed *f = &all->items[i];
		if (f->state != ENT_FEED_FINE && !strcmp(f->partner, partner)) {
			ent_buf text = {0};
			write_text(f, &text);
			status = put_finding(all->e, f, (char *)text.data, now_us, error);
			ent_buf_finish(&text);
		}
	}
	return status ? status : ent__findings_close(all->e, ENT_FEED_RULE, partner, (uint64_t)now_us, "cleared", "", error);
}

static int store_all(feeds *all, char *const *partners, size_t n, int64_t now_us, ent_error *error) {
	ent_store *store = all->e->store;
	int status = ent_store_begin(store, error);
	for (size_t i = 0; i < all->n && !status; i++) {
		status = all->items[i].put ? ent_store_feed_put(store, &all->items[i].stored, error) : 0;
	}
	for (size_t i = 0; i < n && !status; i++) {
		status = say_of(all, partners[i], now_us, error);
	}
	if (!status) {
		return ent_store_commit(store, error);
	}
	ent_store_rollback(store);
	return status;
}

static void partner_add(char ***list, size_t *n, size_t *capacity, const char *partner) {
	for (size_t i = 0; i < *n; i++) {
		if (!strcmp((*list)[i], partner)) {
			return;
		}
	}
	char **items = *list;
	size_t room = *capacity;
	ENT_GROW(items, *n, room);
	items[(*n)++] = (char *)partner;
	*list = items;
	*capacity = room;
}

int ent_engine_feeds(ent_engine *e, int64_t now_us, ent_feeds_report *report, ent_error *error) {
	feeds all = {.e = e};
	char **partners = NULL;
	size_t n = 0, capacity = 0;
	bool put = false;
	ent__now(e);
	now_us = now_us ? now_us : e->now_us;
	*report = (ent_feeds_report){0};
	int status = ent__commit_wait(e, error);
	status = status ? status : gather(&all, error);
	status = status ? status : ent_store_feeds_scan(e->store, take_stored, &all, error);
	status = status ? status : ent_store_findings_of(e->store, ENT_FEED_RULE, NULL, take_found, &all, error);
	for (size_t i = 0; i < all.n && !status; i++) {
		feed *f = &all.items[i];
		int64_t next;
		settle(f, now_us);
		put |= f->put;
		f->state = ent_feed_judge(&(ent_feed_times){f->source->every_us, f->source->late_after_us, f->stored.arrived_us, f->stored.since_us},
			now_us, &next);
		report->next_us = next && (!report->next_us || next < report->next_us) ? next : report->next_us;
		if (f->state != ENT_FEED_FINE) {
			ent_buf text = {0};
			write_text(f, &text);
			report->late++;
			if (!said(&all, f, (char *)text.data)) {
				partner_add(&partners, &n, &capacity, f->partner);
			}
			ent_buf_finish(&text);
		}
	}
	for (size_t i = 0; i < all.n_found && !status; i++) {
		if (all.found[i].open && !all.found[i].fits) {
			partner_add(&partners, &n, &capacity, all.found[i].partner);
		}
	}
	if (!status && (put || n)) {
		status = store_all(&all, partners, n, now_us, error);
	}
	report->changed = !status && n;
	for (size_t i = 0; i < all.n_found; i++) {
		free(all.found[i].partner);
		free(all.found[i].source);
		free(all.found[i].text);
	}
	free(all.found);
	free(all.items);
	free(partners);
	return status;
}
