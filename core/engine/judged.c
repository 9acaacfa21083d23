/* SPDX-License-Identifier: Apache-2.0
 *
 * Storing what the rules said, while they still say it: records of one partner after the other, in one transaction for
 * the whole judgement. Most of them say that nothing was found where nothing was found before; these are told by a look
 * at their first bytes, and cost no more than being packed. Loop thread only. */
#include "base/day.h"
#include "base/json.h"
#include "engine/judged.h"

#include <stdlib.h>
#include <string.h>

/* ---- what was found before
 * ---------------------------------------------------------------------------------------------- */

/* By rule and partner, of those that have findings in the store which are not cleared: a hash of what was stored, 0:
 * not known. What is said again as it was needs no writing. */
struct ent__found {
	struct slot {
		uint64_t pair, said;
	} * slots;
	size_t n, size;
};

static struct slot *slot_of(struct ent__found *f, uint64_t pair) {
	size_t at = (size_t)pair & (f->size - 1);
	while (f->slots[at].pair && f->slots[at].pair != pair) {
		at = (at + 1) & (f->size - 1);
	}
	return &f->slots[at];
}

static void remember(struct ent__found *f, uint64_t pair, uint64_t said) {
	if (2 * (f->n + 1) > f->size) {
		struct ent__found old = *f;
		f->size = old.size ? old.size * 2 : 1024;
		f->slots = ent_xcalloc(f->size, sizeof *f->slots);
		for (size_t i = 0; i < old.size; i++) {
			if (old.slots[i].pair) {
				*slot_of(f, old.slots[i].pair) = old.slots[i];
			}
		}
		free(old.slots);
	}
	struct slot *s = slot_of(f, pair);
	f->n += !s->pair;
	*s = (struct slot){pair, said};
}

static uint64_t pair_of(const char *rule, size_t n, const char *partner) {
	uint64_t hash = ent_hash64(partner, strlen(partner), ent_hash64(rule, n, 0));
	return hash ? hash : 1;
}

static int take_found(void *ctx, const ent_finding *f) {
	if (strcmp(f->state, "cleared") != 0) {
		remember(ctx, pair_of(f->rule, strlen(f->rule), f->partner), 0);
	}
	return 0;
}

void ent__judged_forget(ent_engine *e) {
	if (e->found) {
		free(e->found->slots);
		free(e->found);
		e->found = NULL;
	}
}

/* ---- findings
 * ----------------------------------------------------------------------------------------------------------- */

static int store_finding(ent__judge *j, json_object *record, json_object *f, const char *rule, const char *partner) {
	json_object *worth;
	ent_finding row = {.rule = rule,
		.partner = partner,
		.key = ent__json_text(f, "key"),
		.kind = ent__json_text(f, "kind"),
		.state = "open",
		.text = ent__json_text(f, "text"),
		.severity = ent__json_text(f, "severity"),
		.audience = ent__json_text(record, "audience"),
		.practice = ent__json_text(record, "practice"),
		.as_of = j->day,
		.first_day = j->day,
		.run = j->run,
		.json = json_object_to_json_string_ext(f, JSON_C_TO_STRING_PLAIN)};
	/* keys may be tuples or numbers: their JSON is the identity */
	json_object *key;
	if (json_object_object_get_ex(f, "key", &key) && key && !json_object_is_type(key, json_type_string)) {
		row.key = json_object_to_json_string_ext(key, JSON_C_TO_STRING_PLAIN);
	}
	if (!strcmp(row.kind, "failure")) {
		row.key = "!failure"; /* beside what the rule found before, which is stale, and not gone */
	}
	if (json_object_object_get_ex(f, "worth", &worth) && worth) {
		row.has_worth = 1;
		row.worth = json_object_get_int64(worth);
	}
	return ent__finding_put(j->e, &row, (const char *)j->evidence.data, j->error);
}

/* The members in front of the evidence. */
static json_object *read_front(ent__judge *j, const char *record, const char *evidence) {
	json_tokener_reset(j->tokener);
	json_object *none = json_tokener_parse_ex(j->tokener, record, (int)(evidence - record));
	json_object *front = none ? none : json_tokener_parse_ex(j->tokener, "}", 1);
	if (front && json_tokener_get_error(j->tokener) == json_tokener_success) {
		return front;
	}
	json_object_put(front);
	return NULL;
}

static int store_findings(
	ent__judge *j, const char *record, const char *evidence, const char *rule, const char *partner) {
	json_object *front = read_front(j, record, evidence), *list;
	int status = front ? 0 : ent_error_set(j->error, ENT_ERR_WORKER, "the rules worker sent something that is no JSON");
	if (front && json_object_object_get_ex(front, "findings", &list) && list) {
		for (size_t i = 0; i < json_object_array_length(list) && !status; i++) {
			json_object *f = json_object_array_get_idx(list, i);
			if (strcmp(ent__json_text(f, "kind"), "unknown") != 0) {
				status = store_finding(j, front, f, rule, partner);
				j->report->findings++;
			}
		}
	}
	json_object_put(front);
	return status;
}

/* How many of them, where they stand already. */
static unsigned count_findings(ent__judge *j, const char *record, const char *evidence) {
	json_object *front = read_front(j, record, evidence), *list;
	unsigned n = 0;
	if (front && json_object_object_get_ex(front, "findings", &list) && list) {
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			n += strcmp(ent__json_text(json_object_array_get_idx(list, i), "kind"), "unknown") != 0;
		}
	}
	json_object_put(front);
	return n;
}

static int take_record(ent__judge *j, const char *record, size_t n, const char *partner) {
	static const char nothing[] = ",\"findings\":[]";
	ent_said_head h;
	char rule[128];
	if (!ent_said_head_of(record, n, &h) || h.n_rule >= sizeof rule) {
		return ent_error_set(j->error, ENT_ERR_WORKER, "the rules worker sent something that is no record: %.*s",
			n < 100 ? (int)n : 100, record);
	}
	memcpy(rule, h.rule, h.n_rule);
	rule[h.n_rule] = 0;
	bool yes = h.verdict[0] == 't', no = h.n_verdict == 5, failed = h.verdict[0] == 'f' && h.n_verdict == 6;
	j->report->said_true += yes;
	j->report->said_false += no;
	j->report->failed += failed;
	j->report->unknown += !yes && !no && !failed;
	ent__tally_verdict(j->e->rules, rule, h.n_rule, yes ? 't' : no ? 'f' : failed ? '!' : '?');
	ent__held_tell(j, record, n, rule, partner);
	size_t left = (size_t)(record + n - h.end);
	bool silent = left >= sizeof nothing - 1 && !memcmp(h.end, nothing, sizeof nothing - 1);
	uint64_t pair = pair_of(rule, h.n_rule, partner);
	struct ent__found *found = j->e->found;
	struct slot *before = found->size ? slot_of(found, pair) : NULL;
	if (silent && (!before || !before->pair)) {
		return 0;
	}
	const char *evidence = memmem(h.end, left, ",\"evidence\":[", 13);
	evidence = evidence ? evidence : record + n - 1;
	/* from its beginning, for whom it is for is there: what is said again, but is held back now, must not stay released */
	uint64_t said = ent_hash64(record, (size_t)(evidence - record), (uint64_t)(uint32_t)j->day + 1);
	if (before && before->pair && before->said == said) {
		j->report->findings += silent ? 0 : count_findings(j, record, evidence);
		return 0;
	}
	if (j->e->config->n_tell) {
		ent__evidence_lines(record, n, &j->evidence);
	}
	int status = silent ? 0 : store_findings(j, record, evidence, rule, partner);
	if (!status && before && before->pair) {
		/* not said again although the evidence was there: cleared; the evidence failed: stale */
		status =
			ent__findings_close(j->e, rule, partner, j->run, yes || no ? "cleared" : "stale", (const char *)j->evidence.data, j->error);
	}
	remember(found, pair, said);
	return status;
}

/* ---- records of one partner
 * --------------------------------------------------------------------------------------------- */

/* What a stopped rule leaves behind: it said nothing of anybody. */
static void add_stopped(const char *partner, bool is_culprit, const ent__stopped *s, ent_buf *out) {
	ent_json w;
	char text[600];
	snprintf(text, sizeof text, "%s was stopped: %s", s->rule, s->why);
	ent_json_init(&w, out, false);
	ent_json_object(&w);
	ent_json_key(&w, "rule");
	ent_json_text(&w, s->rule);
	ent_json_key(&w, "partner");
	ent_json_text(&w, partner);
	ent_json_key(&w, "verdict");
	ent_json_text(&w, "failed");
	ent_json_key(&w, "findings");
	ent_json_array(&w);
	if (is_culprit) {
		ent_json_object(&w);
		ent_json_key(&w, "kind");
		ent_json_text(&w, "failure");
		ent_json_key(&w, "text");
		ent_json_text(&w, text);
		ent_json_end(&w);
	}
	ent_json_end(&w);
	ent_json_key(&w, "evidence");
	ent_json_array(&w);
	ent_json_end(&w);
	ent_json_key(&w, "error");
	ent_json_object(&w);
	ent_json_key(&w, "file");
	ent_json_text(&w, s->file);
	ent_json_key(&w, "line");
	ent_json_uint(&w, s->line);
	ent_json_key(&w, "text");
	ent_json_text(&w, s->why);
	ent_json_key(&w, "traceback");
	ent_json_text(&w, is_culprit ? s->traceback : "");
	ent_json_end(&w);
	ent_json_end(&w);
	ent_buf_u8(out, '\n');
}

static const char *partner_at(const ent_snapshot_block *s, uint64_t i) {
	const ent_snap_head *head = s->data;
	const ent_snap_partner *partners = (const ent_snap_partner *)((const uint8_t *)s->data + head->partners.offset);
	const ent_snap_text *texts = (const ent_snap_text *)((const uint8_t *)s->data + head->texts.offset);
	return (const char *)s->data + texts[partners[i].id].offset;
}

/* The next record of a list; NULL at its end. */
static const char *next_record(const char **at, const char *end, size_t *n) {
	const char *p = *at, *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
	*n = newline ? (size_t)(newline - p) : 0;
	*at = newline ? newline + 1 : end;
	return newline ? p : NULL;
}

/* Puts fresh records in the places of the old ones of the same rules. Both come in the order of the rules. */
static bool merge(const ent_buf *old, const ent_buf *fresh, ent_buf *out) {
	const char *at = (const char *)old->data, *end = at + old->n, *record;
	const char *next = (const char *)fresh->data, *until = next + fresh->n, *waiting;
	ent_said_head h, g = {0};
	size_t n, m;
	out->n = 0;
	waiting = next_record(&next, until, &m);
	if (waiting && !ent_said_head_of(waiting, m, &g)) {
		return false;
	}
	while ((record = next_record(&at, end, &n))) {
		if (!ent_said_head_of(record, n, &h)) {
			return false;
		}
		if (!waiting || g.n_rule != h.n_rule || memcmp(g.rule, h.rule, h.n_rule) != 0) {
			ent_buf_add(out, record, n + 1);
			continue;
		}
		ent_buf_add(out, waiting, m + 1);
		waiting = next_record(&next, until, &m);
		if (waiting && !ent_said_head_of(waiting, m, &g)) {
			return false;
		}
	}
	return !waiting; /* a rule that did not speak of the partner before cannot speak now */
}

static bool is_spoken_of(const ent__judge *j, const char *partner) {
	return ent_intern_find(&j->spoken_of, partner, strlen(partner)) != UINT32_MAX;
}

static int store_partner(ent__judge *j, const char *partner, const ent_buf *records) {
	const char *at = (const char *)records->data, *end = at + records->n, *record;
	size_t n;
	int status = 0;
	j->day = j->behind ? j->as_of - j->behind[ent__code_of(j->e, partner)] : j->as_of;
	while (!status && (record = next_record(&at, end, &n))) {
		status = take_record(j, record, n, partner);
	}
	bool first = j->snapshot && (!j->adding || !is_spoken_of(j, partner));
	if (!status && j->snapshot && (j->n_stopped || j->e->rules->n_vectorized)) {
		ent_intern_put(&j->spoken_of, partner, strlen(partner));
	}
	if (status || first) {
		return status ? status
					  : ent_store_said_put(
							j->e->store, partner, j->day, j->run, (const char *)records->data, records->n, j->error);
	}
	j->old.n = 0;
	status = ent_store_said_get(j->e->store, partner, &j->old, j->error);
	if (!status && j->snapshot) { /* vectorized rules are the last of the list */
		j->merged.n = 0;
		ent_buf_add(&j->merged, j->old.data, j->old.n);
		ent_buf_add(&j->merged, records->data, records->n);
	} else if (!status && !merge(&j->old, records, &j->merged)) {
		status = ent_error_set(j->error, ENT_ERR_CORRUPT, "what was said of %.200s cannot be read", partner);
	}
	if (status || (j->merged.n == j->old.n && !memcmp(j->merged.data, j->old.data, j->old.n))) {
		return status; /* it says the same as before */
	}
	return ent_store_said_put(
		j->e->store, partner, j->day, j->run, (const char *)j->merged.data, j->merged.n, j->error);
}

static void add_all_stopped(ent__judge *j, const char *partner, ent_buf *out) {
	for (unsigned i = 0; i < j->n_stopped; i++) {
		const ent__stopped *s = &j->stopped[i];
		add_stopped(partner, !strcmp(partner, partner_at(j->snapshot, s->partner)), s, out);
	}
}

/* Of partners that only stopped rules would have judged. */
static int store_unspoken(ent__judge *j) {
	uint64_t n = j->snapshot && j->n_stopped ? ((const ent_snap_head *)j->snapshot->data)->partners.n : 0;
	ent_buf records = {0};
	int status = 0;
	for (uint64_t i = 0; i < n && !status; i++) {
		const char *partner = partner_at(j->snapshot, i);
		if (!is_spoken_of(j, partner)) {
			records.n = 0;
			add_all_stopped(j, partner, &records);
			status = store_partner(j, partner, &records);
		}
	}
	ent_buf_finish(&records);
	return status;
}

static int flush(ent__judge *j, ent__gathered *g) {
	if (!g->records.n) {
		return 0;
	}
	const char *partner = (const char *)g->partner.data;
	json_object *text = NULL;
	int status = 0;
	ent_buf_u8(&g->partner, 0);
	if (memchr(partner, '\\', g->partner.n)) {
		text = json_tokener_parse(partner);
		partner = json_object_get_string(text);
	} else {
		g->partner.data[g->partner.n - 2] = 0; /* between the quotes */
		partner++;
	}
	if (j->n_stopped && j->snapshot && !j->adding) {
		add_all_stopped(j, partner, &g->records);
	}
	status = store_partner(j, partner, &g->records);
	json_object_put(text);
	g->records.n = g->partner.n = 0;
	return status;
}

void ent__judged_take(ent__judge *j, unsigned worker, const char *records, size_t n) {
	ent__gathered *g = &j->gathered[worker];
	const char *at = records, *end = records + n, *record;
	bool together = j->e->rules->n_vectorized && !j->adding;
	size_t length;
	while (!j->status && (record = next_record(&at, end, &length))) {
		ent_said_head h;
		if (!ent_said_head_of(record, length, &h)) {
			j->status = ent_error_set(j->error, ENT_ERR_WORKER,
				"the rules worker sent something that is no record: %.*s", length < 100 ? (int)length : 100, record);
			return;
		}
		if (together && ent__rules_vectorized(j->e->rules, h.rule, h.n_rule)) {
			ent_buf_add(&j->together, record, length + 1);
			continue;
		}
		if (g->partner.n != h.n_partner || memcmp(g->partner.data, h.partner, h.n_partner)) {
			j->status = flush(j, g);
			ent_buf_add(&g->partner, h.partner, h.n_partner);
		}
		ent_buf_add(&g->records, record, length + 1);
	}
}

/* Vectorized rules ran once, in one of the workers, for partners that any of them judged: their records go beside those
 * that are stored already. */
static int store_together(ent__judge *j) {
	if (!j->together.n) {
		return 0;
	}
	j->adding = true;
	ent__judged_take(j, 0, (const char *)j->together.data, j->together.n);
	return j->status ? j->status : flush(j, &j->gathered[0]);
}

/* ---- the transaction
 * ---------------------------------------------------------------------------------------------------- */

int ent__judged_begin(ent__judge *j) {
	int status = ent_store_begin(j->e->store, j->error);
	j->status = 0;
	j->together.n = 0;
	j->adding = false;
	j->report->said_true = j->report->said_false = j->report->unknown = j->report->failed = j->report->findings = 0;
	for (unsigned i = 0; i < ENT__RULES_MOST; i++) {
		j->gathered[i].records.n = j->gathered[i].partner.n = 0;
	}
	ent_intern_finish(&j->spoken_of);
	ent_intern_init(&j->spoken_of);
	ent_intern_finish(&j->held);
	ent_intern_init(&j->held);
	ent__runs_begin(j);
	status = status ? status : ent__runs_rename(j);
	if (!status && !j->e->found) {
		j->e->found = ent_xcalloc(1, sizeof *j->e->found);
		status = ent_store_findings_scan(j->e->store, NULL, take_found, j->e->found, j->error);
	}
	return status;
}

void ent__judged_abort(ent__judge *j) {
	ent_store_rollback(j->e->store);
	j->e->rules_saved = 0;
	ent__judged_forget(j->e); /* it may remember what the store does not hold */
}

int ent__judged_end(ent__judge *j) {
	char number[32], day[16];
	ent_store *store = j->e->store;
	int status = j->status;
	for (unsigned i = 0; i < ENT__RULES_MOST && !status; i++) {
		status = flush(j, &j->gathered[i]);
	}
	status = status ? status : store_unspoken(j);
	status = status ? status : store_together(j);
	snprintf(number, sizeof number, "%llu", (unsigned long long)j->run);
	status = status ? status : ent_store_meta_set(store, "run", number, j->error);
	status = status ? status : ent__runs_save(j);
	status = status ? status : ent__standing_save(j);
	status = status ? status : ent__generation_save(j);
	status = status ? status : ent_store_meta_set(store, "judged_as_of", ent_day_text(j->as_of, day), j->error);
	return status ? status : ent_store_commit(store, j->error);
}

void ent__judged_finish(ent__judge *j) {
	for (unsigned i = 0; i < ENT__RULES_MOST; i++) {
		ent_buf_finish(&j->gathered[i].records);
		ent_buf_finish(&j->gathered[i].partner);
	}
	ent_intern_finish(&j->spoken_of);
	ent_intern_finish(&j->held);
	ent_buf_finish(&j->old);
	ent_buf_finish(&j->merged);
	ent_buf_finish(&j->evidence);
	ent_buf_finish(&j->together);
	free(j->before);
}
