/* SPDX-License-Identifier: Apache-2.0
 *
 * Alerts as Alertmanager's API takes them (version 2): each finding one, known by its labels. One that is open ends a while after
 * it is told, so it is told again and again; one that is cleared has ended. See message.h. */
#include "base/json.h"
#include "tell/message.h"

#include <stdio.h>
#include <string.h>

static void member(ent_json *j, const char *key, const char *text) {
	if (text && *text) { /* to Alertmanager an empty label is none */
		ent_json_key(j, key);
		ent_json_text(j, text);
	}
}

/* "red_flag" is EntenteRedFlag. */
static void alert_name(const char *kind, char out[64]) {
	size_t n = (size_t)snprintf(out, 64, "Entente");
	bool capital = true;
	for (; *kind && n < 63; kind++) {
		if (*kind == '_') {
			capital = true;
			continue;
		}
		out[n++] = (char)(capital && *kind >= 'a' && *kind <= 'z' ? *kind - 32 : *kind);
		capital = false;
	}
	out[n] = 0;
}

void ent__alerts(const ent__letter *letter, const ent__message *m, int64_t now_us, ent_buf *out) {
	ent_json j;
	ent_json_init(&j, out, false);
	ent_json_array(&j);
	for (size_t i = 0; i < m->n; i++) {
		const ent_notice *x = &m->changes[i];
		bool over = !strcmp(x->change, "cleared");
		char id[9], name[64], from[32], to[32];
		ent_buf link = {0};
		ent_finding_id(ent_notice_named(x), x->partner, x->key, id);
		alert_name(x->kind, name);
		ent__instant(x->at_us, from);
		ent__instant(over ? (x->at_us < now_us ? x->at_us : now_us) : now_us + 4 * letter->target->repeat_us, to);
		ent__finding_link(letter->config, x, &link);
		ent_buf_u8(&link, 0);
		ent_json_object(&j);
		ent_json_key(&j, "labels");
		ent_json_object(&j);
		member(&j, "alertname", name);
		member(&j, "partner", x->partner);
		member(&j, "rule", x->rule);
		member(&j, "severity", x->severity);
		member(&j, "kind", x->kind);
		member(&j, "practice", x->practice);
		member(&j, "finding", id);
		ent_json_end(&j);
		ent_json_key(&j, "annotations");
		ent_json_object(&j);
		ent_buf line = {0};
		ent_buf_printf(&line, "%s: ", ent__partner_name(letter->config, x->partner));
		ent__one_line(x->text, 400, &line);
		ent_json_key(&j, "summary");
		ent_json_text_n(&j, (char *)line.data, line.n);
		ent_buf_finish(&line);
		member(&j, "description", x->text);
		member(&j, "evidence", x->evidence);
		ent_json_end(&j);
		if (!over) {
			ent_json_key(&j, "startsAt"); /* of one that is over Alertmanager knows it */
			ent_json_text(&j, from);
		}
		ent_json_key(&j, "endsAt");
		ent_json_text(&j, to);
		member(&j, "generatorURL", (char *)link.data);
		ent_buf_finish(&link);
		ent_json_end(&j);
	}
	ent_json_end(&j);
}
