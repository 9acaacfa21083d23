/* SPDX-License-Identifier: Apache-2.0
 *
 * Storing what the rules said: findings and verdicts, in one transaction. Loop thread only. */
#include "base/day.h"
#include "base/json.h"
#include "engine/judged.h"

#include <stdlib.h>
#include <string.h>

static int store_finding(ent__judge *j, json_object *record, json_object *f, const char *rule, const char *partner) {
	json_object *worth;
	ent_finding row = {.rule = rule, .partner = partner, .key = ent__json_text(f, "key"), .kind = ent__json_text(f, "kind"),
		.state = "open", .text = ent__json_text(f, "text"), .severity = ent__json_text(f, "severity"),
		.audience = ent__json_text(record, "audience"), .practice = ent__json_text(record, "practice"), .as_of = j->as_of,
		.first_day = j->as_of, .run = j->run, .json = json_object_to_json_string_ext(f, JSON_C_TO_STRING_PLAIN)};
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
	j->report->findings++;
	return ent_store_finding_put(j->e->store, &row, j->error);
}

/* A record up to its evidence, which is most of it and goes to the store as it is. Quotes inside of texts are escaped: what
 * is searched for can only be the key. Records that have none are read whole. */
static json_object *read_record(json_tokener *t, const char *text) {
	const char *evidence = strstr(text, ",\"evidence\":[");
	json_tokener_reset(t);
	if (evidence && evidence - text < INT32_MAX) {
		json_object *none = json_tokener_parse_ex(t, text, (int)(evidence - text));
		json_object *record = none ? none : json_tokener_parse_ex(t, "}", 1);
		if (record && json_tokener_get_error(t) == json_tokener_success) {
			return record;
		}
		json_object_put(record);
	}
	return json_tokener_parse(text);
}

static int store_record(ent__judge *j, const char *text) {
	json_object *record = read_record(j->tokener, text), *list, *verdict_value;
	if (!record) {
		return ent_error_set(j->error, ENT_ERR_WORKER, "the rules worker sent something that is no JSON");
	}
	const char *rule = ent__json_text(record, "rule"), *partner = ent__json_text(record, "partner"), *verdict = "false";
	if (json_object_object_get_ex(record, "verdict", &verdict_value)) {
		verdict = json_object_get_string(verdict_value);
	}
	j->report->said_true += !strcmp(verdict, "true");
	j->report->said_false += !strcmp(verdict, "false");
	j->report->unknown += !strcmp(verdict, "unknown");
	j->report->failed += !strcmp(verdict, "failed");
	int status = ent_store_verdict_put(j->e->store, rule, partner, verdict, j->as_of, j->run, text, j->error);
	if (json_object_object_get_ex(record, "findings", &list) && list) {
		for (size_t i = 0; i < json_object_array_length(list) && !status; i++) {
			json_object *f = json_object_array_get_idx(list, i);
			if (strcmp(ent__json_text(f, "kind"), "unknown") != 0) {
				status = store_finding(j, record, f, rule, partner);
			}
		}
	}
	if (!status) {
		/* not said again although the evidence was there: cleared; the evidence failed: stale */
		bool known = !strcmp(verdict, "true") || !strcmp(verdict, "false");
		status = ent_store_findings_close(j->e->store, rule, partner, j->run, known ? "cleared" : "stale", j->error);
	}
	json_object_put(record);
	return status;
}

/* What a stopped rule leaves behind, for every partner: it said nothing of any of them. */
static int store_stopped(ent__judge *j, const ent__stopped *s) {
	const ent_snap_head *head = j->snapshot->data;
	const ent_snap_partner *partners = (const ent_snap_partner *)((const uint8_t *)j->snapshot->data + head->partners.offset);
	const ent_snap_text *texts = (const ent_snap_text *)((const uint8_t *)j->snapshot->data + head->texts.offset);
	int status = 0;
	for (uint64_t i = 0; i < head->partners.n && !status; i++) {
		const char *partner = (const char *)j->snapshot->data + texts[partners[i].id].offset;
		ent_buf json = {0};
		ent_json w;
		char text[600];
		snprintf(text, sizeof text, "%s was stopped: %s", s->rule, s->why);
		ent_json_init(&w, &json, false);
		ent_json_object(&w);
		ent_json_key(&w, "rule");
		ent_json_text(&w, s->rule);
		ent_json_key(&w, "partner");
		ent_json_text(&w, partner);
		ent_json_key(&w, "verdict");
		ent_json_text(&w, "failed");
		ent_json_key(&w, "error");
		ent_json_object(&w);
		ent_json_key(&w, "file");
		ent_json_text(&w, s->file);
		ent_json_key(&w, "line");
		ent_json_uint(&w, s->line);
		ent_json_key(&w, "text");
		ent_json_text(&w, s->why);
		ent_json_key(&w, "traceback");
		ent_json_text(&w, i == s->partner ? s->traceback : "");
		ent_json_end(&w);
		ent_json_key(&w, "findings");
		ent_json_array(&w);
		if (i == s->partner) {
			ent_json_object(&w);
			ent_json_key(&w, "kind");
			ent_json_text(&w, "failure");
			ent_json_key(&w, "text");
			ent_json_text(&w, text);
			ent_json_end(&w);
		}
		ent_json_end(&w);
		ent_json_end(&w);
		ent_buf_u8(&json, 0);
		status = store_record(j, (const char *)json.data);
		ent_buf_finish(&json);
	}
	return status;
}

static int store_records(ent__judge *j, const ent_buf *records) {
	char *text = (char *)records->data, *end = text + records->n, *newline;
	int status = 0;
	while (!status && text < end && (newline = memchr(text, '\n', (size_t)(end - text)))) {
		*newline = 0;
		status = store_record(j, text);
		text = newline + 1;
	}
	return status;
}

int ent__judged_store(ent__judge *j) {
	ent_engine *e = j->e;
	char number[32];
	int status = ent_store_begin(e->store, j->error);
	if (status) {
		return status;
	}
	for (unsigned i = 0; i < e->rules->n && !status; i++) {
		status = store_records(j, &e->rules->workers[i].results);
	}
	for (unsigned i = 0; i < j->n_stopped && !status; i++) {
		status = store_stopped(j, &j->stopped[i]);
	}
	snprintf(number, sizeof number, "%llu", (unsigned long long)j->run);
	if (!status) {
		status = ent_store_meta_set(e->store, "run", number, j->error);
	}
	if (!status) {
		status = ent__standing_save(j);
	}
	char day[16];
	if (!status) {
		status = ent_store_meta_set(e->store, "judged_as_of", ent_day_text(j->as_of, day), j->error);
	}
	if (status) {
		ent_store_rollback(e->store);
		return status;
	}
	return ent_store_commit(e->store, j->error);
}

