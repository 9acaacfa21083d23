/* SPDX-License-Identifier: Apache-2.0
 *
 * How rules ran, see rules_ran.h. Verdicts are counted as they stand, of all partners; what was read is looked up in
 * the records as they are kept, without making objects of them: there is one for every rule and partner. */
#include "command/rules_ran.h"
#include "base/day.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const words[] = {"true", "false", "unknown", "failed"};

typedef struct reading {
	ent__ran *ran;
	const char *only;
	size_t next; /* rules come in one order, partner by partner */
} reading;

static ent__ran_rule *rule_of(reading *r, const char *name) {
	ent__ran *x = r->ran;
	for (size_t tried = 0; tried < x->n; tried++) {
		size_t i = (r->next + tried) % x->n;
		if (!strcmp(x->rules[i].name, name)) {
			r->next = i + 1;
			return &x->rules[i];
		}
	}
	ENT_GROW(x->rules, x->n, x->capacity);
	ent__ran_rule *rule = &x->rules[x->n++];
	*rule = (ent__ran_rule){.name = ent_arena_copy(&x->arena, name, strlen(name))};
	ent_intern_init(&rule->reads);
	return rule;
}

static int take_run(void *ctx, const ent_rule_run *run) {
	reading *r = ctx;
	if (!r->only || !strcmp(r->only, run->rule)) {
		ent__ran_rule *rule = rule_of(r, run->rule);
		rule->run = *run;
		rule->run.rule = rule->name;
	}
	return 0;
}

/* The text behind a key, up to its quote; names of metrics and cohorts have none inside that matters here. */
static const char *text_at(const char *p, const char *end, const char *key, size_t *n) {
	const char *at = p ? memmem(p, (size_t)(end - p), key, strlen(key)) : NULL;
	at = at ? at + strlen(key) : NULL;
	const char *quote = at ? memchr(at, '"', (size_t)(end - at)) : NULL;
	*n = quote ? (size_t)(quote - at) : 0;
	return quote ? at : NULL;
}

static bool begins(const char *p, size_t n, const char *with) {
	return n > strlen(with) && !strncmp(p, with, strlen(with));
}

/* "industry furniture, region SE" is one of many cohorts by industry and region. */
static size_t attributes(const char *p, size_t n, char *out, size_t size) {
	size_t used = 0;
	while (n) {
		size_t piece = strcspn(p, ",\""), word = strcspn(p, " ,\"");
		piece = piece < n ? piece : n;
		used += (size_t)snprintf(
			out + used, size - used, "%s%.*s", used ? " and " : "", (int)(word < piece ? word : piece), p);
		used = used < size ? used : size - 1;
		p += piece;
		n -= piece;
		while (n && (*p == ',' || *p == ' ')) {
			p++;
			n--;
		}
	}
	return used;
}

static void take_reads(ent__ran_rule *rule, const char *record) {
	const char *end = record + strlen(record), *at = strstr(record, "\"evidence\":["), *metric;
	size_t n, k;
	while (at && (metric = text_at(at, end, "{\"metric\":\"", &n))) {
		char text[512], by[256];
		const char *next = memmem(metric, (size_t)(end - metric), "{\"metric\":\"", 11);
		const char *cohort = text_at(metric, next ? next : end, "\"cohort\":\"", &k);
		bool named = begins(metric, n, "register ") || begins(metric, n, "benchmark ") ||
					 begins(metric, n, "profile ") || begins(metric, n, "findings ") || begins(metric, n, "prior ");
		int length;
		if (cohort && k) {
			attributes(cohort, k, by, sizeof by);
			length = snprintf(text, sizeof text, "cohort %.*s by %s", (int)(n < 200 ? n : 200), metric, by);
		} else {
			length = snprintf(text, sizeof text, "%s%.*s", named ? "" : "metric ", (int)(n < 400 ? n : 400), metric);
		}
		ent_intern_put(&rule->reads, text, (size_t)length);
		at = metric + n;
	}
}

static int take_verdict(
	void *ctx, const char *name, const char *partner, const char *said, int32_t as_of, const char *json) {
	reading *r = ctx;
	(void)partner;
	(void)as_of;
	if (r->only && strcmp(r->only, name) != 0) {
		return 0;
	}
	ent__ran_rule *rule = rule_of(r, name);
	for (unsigned i = 0; i < 4; i++) {
		rule->said[i] += !strcmp(words[i], said);
	}
	if (json) {
		take_reads(rule, json);
	}
	return 0;
}

int ent__ran_read(ent__ran *x, const ent__project *p, const char *rule, bool inputs, ent_error *e) {
	reading r = {.ran = x, .only = rule};
	ent_store *store = p->store, *own = NULL;
	*x = (ent__ran){0};
	if (!store && !access(ent_arena_printf(&x->arena, "%s/entente.db", p->config->store.s), F_OK)) {
		if (ent_store_open(&own, p->config->store.s, ENT_STORE_READ, e)) {
			return e->code;
		}
		store = own;
	}
	int status = 0;
	if (store) {
		x->known = true;
		status = ent_store_rule_runs_scan(store, take_run, &r, e);
		status = status ? status : ent_store_verdicts_scan(store, NULL, inputs, take_verdict, &r, e);
	}
	ent_store_close(own);
	return status;
}

void ent__ran_finish(ent__ran *x) {
	for (size_t i = 0; i < x->n; i++) {
		ent_intern_finish(&x->rules[i].reads);
	}
	free(x->rules);
	ent_arena_finish(&x->arena);
}

const ent__ran_rule *ent__ran_of(const ent__ran *x, const char *rule) {
	for (size_t i = 0; i < x->n; i++) {
		if (!strcmp(x->rules[i].name, rule)) {
			return &x->rules[i];
		}
	}
	return NULL;
}

/* ---- as people read it
 * ------------------------------------------------------------------------------------------------- */

static char *took_text(uint64_t ns, char out[32]) {
	snprintf(out, 32,
		ns < 1000000      ? "%.2f ms"
		: ns < 1000000000 ? "%.1f ms"
						  : "%.2f s",
		ns < 1000000000 ? (double)ns / 1e6 : (double)ns / 1e9);
	return out;
}

const char *ent__ran_text(ent__ran *x, const ent__ran_rule *r) {
	char when[32], day[16], took[32];
	const char *text = "never ran";
	if (r && r->run.run) {
		time_t s = (time_t)(r->run.at_us / 1000000);
		struct tm tm;
		gmtime_r(&s, &tm);
		strftime(when, sizeof when, "%Y-%m-%d %H:%M UTC", &tm);
		text = ent_arena_printf(&x->arena, "run %" PRIu64 " of %s, as of %s: %" PRIu64 " partner%s in %s", r->run.run,
			when, ent_day_text(r->run.as_of, day), r->run.evaluations, r->run.evaluations == 1 ? "" : "s",
			took_text(r->run.ns, took));
	}
	const char *apart = "; it says ";
	for (unsigned i = 0; r && i < 4; i++) {
		if (r->said[i]) {
			text = ent_arena_printf(&x->arena, "%s%s%s of %" PRIu64, text, apart, words[i], r->said[i]);
			apart = ", ";
		}
	}
	return text;
}

/* What stands behind a word in the list: "metric ", "register ", ... */
static const char *list_of(ent__ran *x, const ent__ran_rule *r, const char *kind) {
	const char *text = "";
	size_t n;
	for (uint32_t i = 1; i < r->reads.count; i++) {
		const char *one = ent_intern_text(&r->reads, i, &n);
		if (!strncmp(one, kind, strlen(kind))) {
			text = ent_arena_printf(&x->arena, "%s%s%s", text, *text ? ", " : "", one + strlen(kind));
		}
	}
	return text;
}

void ent__ran_show(ent_call *call, ent__ran *x, const ent__ran_rule *r) {
	static const struct {
		const char *kind, *title;
	} kinds[] = {{"metric ", "reads"}, {"cohort ", "of cohorts"}, {"register ", "registers"},
		{"benchmark ", "benchmarks"}, {"profile ", "profile"}, {"prior ", "priors"}, {"findings ", "findings of"}};
	ent_buf_printf(&call->out, "    last run: ");
	ent_term_wrap(&call->term, &call->out, 8, ent__ran_text(x, r));
	ent_buf_u8(&call->out, '\n');
	for (size_t i = 0; r && i < sizeof kinds / sizeof *kinds; i++) {
		const char *text = list_of(x, r, kinds[i].kind);
		if (*text) {
			ent_buf_printf(&call->out, "    %s: ", kinds[i].title);
			ent_term_wrap(&call->term, &call->out, 8, text);
			ent_buf_u8(&call->out, '\n');
		}
	}
}

static json_object *list_json(const ent__ran_rule *r) {
	json_object *list = json_object_new_array();
	size_t n;
	for (uint32_t i = 1; i < r->reads.count; i++) {
		json_object *one = json_object_new_object();
		const char *text = ent_intern_text(&r->reads, i, &n), *blank = strchr(text, ' ');
		json_object_object_add(one, "kind", json_object_new_string_len(text, (int)(blank - text)));
		json_object_object_add(one, "name", json_object_new_string(blank + 1));
		json_object_array_add(list, one);
	}
	return list;
}

void ent__ran_json(const ent__ran_rule *r, json_object *into) {
	char when[32], day[16];
	json_object *last = r && r->run.run ? json_object_new_object() : NULL, *said = r ? json_object_new_object() : NULL;
	if (last) {
		time_t s = (time_t)(r->run.at_us / 1000000);
		struct tm tm;
		gmtime_r(&s, &tm);
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
		json_object_object_add(last, "run", json_object_new_int64((int64_t)r->run.run));
		json_object_object_add(last, "at", json_object_new_string(when));
		json_object_object_add(last, "as_of", json_object_new_string(ent_day_text(r->run.as_of, day)));
		json_object_object_add(last, "partners", json_object_new_int64((int64_t)r->run.evaluations));
		json_object_object_add(last, "seconds", json_object_new_double((double)r->run.ns / 1e9));
	}
	for (unsigned i = 0; r && i < 4; i++) {
		json_object_object_add(said, words[i], json_object_new_int64((int64_t)r->said[i]));
	}
	json_object_object_add(into, "last_run", last);
	json_object_object_add(into, "said", said);
	json_object_object_add(into, "reads", r ? list_json(r) : NULL);
}
