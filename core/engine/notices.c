/* SPDX-License-Identifier: Apache-2.0
 *
 * From a change of a finding to the outbox: whom it concerns, by the configuration, and as what. Called within the transaction
 * in which the finding changes, by whichever thread has the store. */
#include "store/notices.h"
#include "engine/judged.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool is(const char *a, const char *b) { return !strcmp(a ? a : "", b); }

static bool gone(const ent_finding *f) { return !f || is(f->state, "cleared") || is(f->state, "resolved"); }

/* 0 none, 1 low, 2 medium, 3 high. */
static unsigned weight_of(const ent_finding *f) {
	for (unsigned i = 0; f && ent_tell_severities[i]; i++) {
		if (is(f->severity, ent_tell_severities[i])) {
			return i + 1;
		}
	}
	return 0;
}

static bool named(const ent_words *words, const char *name) {
	for (size_t i = 0; i < words->n; i++) {
		if (is(name, words->v[i].s)) {
			return true;
		}
	}
	return !words->n;
}

/* Does a target want to hear of such findings at all? */
static bool concerns(const ent_config_tell *t, const ent_finding *f) {
	bool kind = !t->kinds;
	for (unsigned i = 0; ent_tell_kinds[i]; i++) {
		kind |= (t->kinds >> i & 1) && is(f->kind, ent_tell_kinds[i]);
	}
	return kind && (int)weight_of(f) > t->severity && named(&t->partners, f->partner) && named(&t->rules, f->rule) &&
		   named(&t->practices, f->practice);
}

static ent_notice notice_of(const ent_config_tell *t, const ent_finding *f, const char *evidence) {
	int64_t now = now_us();
	return (ent_notice){.target = t->name.s,
		.way = ent_tell_ways[t->way],
		.rule = f->rule,
		.partner = f->partner,
		.key = f->key ? f->key : "",
		.change = "",
		.kind = f->kind,
		.severity = f->severity ? f->severity : "",
		.practice = f->practice,
		.text = f->text,
		.evidence = evidence,
		.worth = f->worth,
		.has_worth = f->has_worth,
		.weight = (uint8_t)weight_of(f),
		.as_of = f->as_of,
		.first_day = f->first_day,
		.at_us = now,
		.status = "pending",
		.next_us = now + (t->way == ENT_TELL_ALERTMANAGER ? 0 : t->group_us),
		.message = "",
		.answer = "",
		.named = f->named};
}

/* -1: nothing that anybody is told. */
static int change_of(const ent_config_tell *t, const ent_finding *before, const ent_finding *now) {
	if (gone(now)) {
		return gone(before) ? -1 : ENT_TELL_CLEARED;
	}
	if (gone(before)) {
		return before || is(now->state, "reopened") ? ENT_TELL_REOPENED : ENT_TELL_OPENED;
	}
	if (!concerns(t, before)) {
		return concerns(t, now) ? ENT_TELL_OPENED : -1; /* it was not worth telling so far */
	}
	if (is(now->state, "reopened") && !is(before->state, "reopened")) {
		return ENT_TELL_REOPENED; /* a person had put it aside */
	}
	return weight_of(now) > weight_of(before) ? ENT_TELL_WORSE : -1;
}

static int tell_one(
	ent_store *store, const ent_config_tell *t, const ent_finding *before, const ent_finding *now, const char *evidence, ent_error *error) {
	ent_notice x = notice_of(t, now, evidence);
	bool wanted = concerns(t, now);
	if (t->way == ENT_TELL_ALERTMANAGER) {
		bool was = before && !gone(before) && concerns(t, before);
		return was || wanted ? ent_store_notice_alert(store, &x, wanted && !gone(now), error) : 0;
	}
	int change = change_of(t, before, now);
	if (change < 0 || !wanted) {
		return 0;
	}
	x.change = ent_tell_changes[change];
	return ent_store_notice_put(store, &x, t->on >> change & 1, error);
}

static int changed(const ent_config *config, ent_store *store, const ent_finding *before, const ent_finding *now,
	const char *evidence, ent_error *error) {
	int status = 0;
	for (size_t i = 0; i < config->n_tell && !status; i++) {
		status = tell_one(store, &config->tell[i], before, now, evidence ? evidence : "", error);
	}
	return status;
}

/* ---- what the rules say ------------------------------------------------------------------------------------------ */

typedef struct was {
	bool known;
	ent_finding finding; /* its texts are these */
	char state[16], kind[24], severity[16], practice[80];
} was;

static int take_was(void *ctx, const ent_finding *f) {
	was *w = ctx;
	w->known = true;
	w->finding = *f;
	snprintf(w->state, sizeof w->state, "%s", f->state);
	snprintf(w->kind, sizeof w->kind, "%s", f->kind);
	snprintf(w->severity, sizeof w->severity, "%s", f->severity);
	snprintf(w->practice, sizeof w->practice, "%s", f->practice);
	w->finding.state = w->state;
	w->finding.kind = w->kind;
	w->finding.severity = w->severity;
	w->finding.practice = w->practice;
	return 0;
}

typedef struct change {
	const ent_config *config;
	ent_store *store;
	const ent_finding *before;
	const char *evidence;
	uint64_t run;
	ent_error *error;
} change;

static int take_now(void *ctx, const ent_finding *f) {
	const change *c = ctx;
	return changed(c->config, c->store, c->before, f, c->evidence, c->error);
}

/* Puts a finding, or what a person made of it, and notes what became of it. */
static int put(const ent_config *config, ent_store *store, const ent_finding *row,
	int (*store_it)(ent_store *, const ent_finding *, ent_error *), const char *evidence, ent_error *error) {
	if (!config->n_tell) {
		return store_it(store, row, error);
	}
	was before = {0};
	change c = {.config = config, .store = store, .evidence = evidence, .error = error};
	int status = ent_store_finding_one(store, row->rule, row->partner, row->key, take_was, &before, error);
	before.finding.rule = row->rule;
	before.finding.partner = row->partner;
	before.finding.key = row->key;
	c.before = before.known ? &before.finding : NULL;
	status = status ? status : store_it(store, row, error);
	/* what a person made of it decides what it is now */
	return status ? status : ent_store_finding_one(store, row->rule, row->partner, row->key, take_now, &c, error);
}

int ent__finding_put(ent_engine *e, const ent_finding *row, const char *evidence, ent_error *error) {
	return put(e->config, e->store, row, ent_store_finding_put, evidence, error);
}

int ent__finding_live(const ent_config *config, ent_store *store, const ent_finding *row, ent_error *error) {
	return put(config, store, row, ent_store_finding_live, "", error);
}

static int take_closed(void *ctx, const ent_finding *f) {
	const change *c = ctx;
	ent_finding now = *f;
	now.state = "cleared";
	return f->run < c->run && !gone(f) ? changed(c->config, c->store, f, &now, c->evidence, c->error) : 0;
}

int ent__findings_close(
	ent_engine *e, const char *rule, const char *partner, uint64_t run, const char *state, const char *evidence, ent_error *error) {
	change c = {.config = e->config, .store = e->store, .evidence = evidence, .run = run, .error = error};
	int status = e->config->n_tell && is(state, "cleared")
					 ? ent_store_findings_of(e->store, rule, partner, take_closed, &c, error)
					 : 0;
	return status ? status : ent_store_findings_close(e->store, rule, partner, run, state, error);
}

/* ---- evidence for people ----------------------------------------------------------------------------------------- */

static const char *member(json_object *o, const char *key) {
	json_object *v;
	const char *text = json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : NULL;
	return text ? text : "";
}

void ent__evidence_lines(const char *record, size_t n, ent_buf *out) {
	enum { LINES = 6 };
	json_tokener *tokener = json_tokener_new();
	json_object *whole = json_tokener_parse_ex(tokener, record, (int)n), *list;
	out->n = 0;
	if (whole && json_object_object_get_ex(whole, "evidence", &list) && json_object_is_type(list, json_type_array)) {
		size_t all = json_object_array_length(list);
		for (size_t i = 0; i < all && i < LINES; i++) {
			json_object *x = json_object_array_get_idx(list, i);
			const char *slice = member(x, "slice"), *cohort = member(x, "cohort"), *state = member(x, "state");
			ent_buf_printf(out, "%s%s%s", member(x, "metric"), *slice ? ", " : "", slice);
			if (*cohort) {
				ent_buf_printf(out, ", median of %s in %s", member(x, "size"), cohort);
			}
			ent_buf_printf(out, ", %s to %s: %s\n", member(x, "from"), member(x, "through"),
				is(state, "known") ? member(x, "value") : *state ? state : "unknown");
		}
		if (all > LINES) {
			ent_buf_printf(out, "and %zu more figures\n", all - LINES);
		}
	}
	ent_buf_reserve(out, 1);
	out->data[out->n] = 0;
	json_object_put(whole);
	json_tokener_free(tokener);
}

/* ---- all that is open -------------------------------------------------------------------------------------------- */

typedef struct resync {
	ent_engine *e;
	const ent_config_tell *target;
	ent_error *error;
} resync;

static int take_open(void *ctx, const ent_finding *f) {
	resync *r = ctx;
	ent_notice x = notice_of(r->target, f, "");
	return gone(f) || !concerns(r->target, f) ? 0 : ent_store_notice_alert(r->e->store, &x, true, r->error);
}

int ent_engine_alerts_resync(ent_engine *e, ent_error *error) {
	int status = 0;
	for (size_t i = 0; i < e->config->n_tell && !status; i++) {
		resync r = {.e = e, .target = &e->config->tell[i], .error = error};
		if (r.target->way == ENT_TELL_ALERTMANAGER) {
			/* all that it knows is over, but what is open is told anew: the same alerts go on */
			status = ent_store_alerts_doubt(e->store, r.target->name.s, error);
			status = status ? status : ent_store_findings_scan(e->store, NULL, take_open, &r, error);
			status = status ? status : ent_store_alerts_sure(e->store, r.target->name.s, now_us(), error);
		}
	}
	return status;
}
