/* SPDX-License-Identifier: Apache-2.0
 *
 * What a replay found, as a person or a program reads it: changes by day, totals by rule or by setting, what differs
 * from now, and what could not be known. One thread. */
#include "command/rules_replay.h"

#include "base/day.h"
#include "command/findings.h"

#include <stdlib.h>
#include <string.h>

enum { COURSE = 32, CHART_CHANGES = 300, CHART_POINTS = 12000 };

static const ent_style styles[] = {[ENT__REPLAY_STANDS] = ENT_PLAIN,
	[ENT__REPLAY_OPENED] = ENT_BOLD,
	[ENT__REPLAY_CLEARED] = ENT_GOOD,
	[ENT__REPLAY_UNKNOWN] = ENT_FAINT,
	[ENT__REPLAY_KNOWN] = ENT_FAINT,
	[ENT__REPLAY_FAILED] = ENT_BAD};

/* ---- for people
 * ---------------------------------------------------------------------------------------------------------- */

/* Findings over the days, each column the most of its days. */
static void course(const uint32_t *v, size_t n, char out[COURSE * 3 + 1]) {
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	uint32_t most = 0;
	size_t columns = n < COURSE ? n : COURSE, at = 0;
	for (size_t i = 0; i < n; i++) {
		most = v[i] > most ? v[i] : most;
	}
	for (size_t c = 0; c < columns; c++) {
		uint32_t high = 0;
		for (size_t i = c * n / columns; i < (c + 1) * n / columns; i++) {
			high = v[i] > high ? v[i] : high;
		}
		const char *bar = !high ? " " : bars[(uint64_t)high * 7 / most];
		memcpy(out + at, bar, strlen(bar));
		at += strlen(bar);
	}
	out[at] = 0;
}

static void worth_cell(ent_table *t, bool has, int64_t worth) {
	char number[ENT_NUMBER_TEXT];
	ent_table_cell(t, has ? ent_number_text(worth, 6, 0, number) : "");
}

static void show_changes(const ent__replay_view *w) {
	static const ent_table_column columns[] = {{"day", false, true}, {"partner", false, true}, {"change", false, true},
		{"kind", false, true}, {"worth", true, true}, {"rule", false, false}, {"what", false, false}, {0}};
	static const unsigned char drop[] = {4, 3, 5};
	const ent__replay *r = w->r;
	ent_table t;
	char day[16];
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (size_t i = 0; i < r->n_changes; i++) {
		const ent__replay_change *c = &r->changes[i];
		if (c->what == ENT__REPLAY_KNOWN) { /* nothing is said: it only may be now */
			continue;
		}
		ent_table_cell(&t, ent_day_text(w->days[c->step], day));
		ent_table_styled(&t, ENT_ACCENT, c->partner);
		ent_table_styled(&t, styles[c->what], ent__replay_words[c->what]);
		ent_table_styled(&t, c->kind ? ent__finding_style(c->kind) : ENT_PLAIN, c->kind ? c->kind : "");
		worth_cell(&t, c->has_worth, c->worth);
		ent_table_cell(&t, r->rules[c->rule]);
		ent_table_cell(&t, c->text);
	}
	if (ent_table_rows(&t)) {
		ent_table_print(&t, &w->call->term, &w->call->out);
	} else {
		ent_buf_printf(&w->call->out, "no findings on any of these days\n");
	}
	ent_table_finish(&t);
}

static void count_column(ent_table *t, uint64_t n) {
	char number[ENT_NUMBER_TEXT];
	ent_table_cell(t, n ? ent_number_text((__int128)n, 0, 0, number) : "·");
}

/* A row for each rule, or, where settings are swept, for each of them. */
static void show_totals(const ent__replay_view *w) {
	static const ent_table_column with_course[] = {{"", false, true}, {"findings", true, true},
		{"at the end", true, true}, {"partners", true, true}, {"worth", true, true}, {"true", true, true},
		{"false", true, true}, {"unknown", true, true}, {"failed", true, true}, {"findings by day", false, true}, {0}};
	const ent__replay *r = w->r;
	bool tty = w->call->term.tty;
	ent_table_column columns[11];
	ent_table t;
	memcpy(columns, with_course, sizeof columns);
	columns[0].title = r->n_sets > 1 ? r->n_rules > 1 ? "rule, setting" : "setting" : "rule";
	if (!tty) {
		columns[9].title = NULL;
	}
	static const unsigned char drop[] = {9, 8, 6, 5};
	ent_table_init(&t, columns);
	t.drop = tty ? drop : drop + 1;
	t.n_drop = tty ? 4 : 3;
	for (size_t rule = 0; rule < r->n_rules; rule++) {
		for (size_t set = 0; set < r->n_sets; set++) {
			const ent__replay_total *x = &r->totals[set * r->n_rules + rule];
			char bars[COURSE * 3 + 1];
			if (r->n_sets > 1 && r->n_rules > 1) {
				ent_table_printf(&t, ENT_ACCENT, "%s %s", r->rules[rule], w->sets->names[set]);
			} else {
				ent_table_styled(&t, ENT_ACCENT, r->n_sets > 1 ? w->sets->names[set] : r->rules[rule]);
			}
			count_column(&t, x->findings);
			count_column(&t, x->standing);
			count_column(&t, x->partners);
			worth_cell(&t, x->has_worth, r->n_sets > 1 ? x->worth_all : x->worth);
			count_column(&t, x->said_true);
			count_column(&t, x->said_false);
			count_column(&t, x->unknown);
			count_column(&t, x->failed);
			if (tty) {
				course(x->by_step, r->n_steps, bars);
				ent_table_cell(&t, bars);
			}
		}
	}
	ent_table_print(&t, &w->call->term, &w->call->out);
	ent_table_finish(&t);
}

static const char *since(int32_t day, char out[16]) { return day == INT32_MIN ? "·" : ent_day_text(day, out); }

static void show_diff(const ent__replay_view *w) {
	static const ent_table_column columns[] = {{"partner", false, true}, {"said", false, true},
		{"since, then", false, true}, {"since, now", false, true}, {"kind", false, true}, {"rule", false, false},
		{"what", false, false}, {0}};
	static const unsigned char drop[] = {4, 5};
	ent_call *call = w->call;
	ent_table t;
	char day[16], other[16];
	size_t both = 0;
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (size_t i = 0; i < w->n_diffs; i++) {
		const ent__replay_diff *d = &w->diffs[i];
		if (d->now && d->then) {
			both++;
			continue;
		}
		ent_table_styled(&t, ENT_ACCENT, d->partner);
		ent_table_styled(&t, ENT_BOLD, d->now ? "now only" : "then only");
		ent_table_cell(&t, since(d->since_then, day));
		ent_table_cell(&t, since(d->since_now, other));
		ent_table_styled(&t, ent__finding_style(d->kind), d->kind);
		ent_table_cell(&t, d->rule);
		ent_table_cell(&t, d->text);
	}
	ent_day_text(w->days[w->r->n_steps - 1], day);
	if (w->judged_on == INT32_MIN) {
		ent_buf_printf(&call->out, "\nagainst now: the rules have not judged yet; `entente run` lets them\n");
	} else {
		ent_buf_printf(&call->out, "\n%s against now, which is as of %s: %zu said on both, %zu on one of them\n", day,
			ent_day_text(w->judged_on, other), both, w->n_diffs - both);
	}
	if (ent_table_rows(&t)) {
		ent_table_print(&t, &call->term, &call->out);
	}
	ent_table_finish(&t);
}

static void show_text(const ent__replay_view *w) {
	ent_call *call = w->call;
	const ent__replay *r = w->r;
	char a[16], b[16];
	ent_buf_printf(&call->out, "%s to %s, %zu day%s, by ", ent_day_text(w->days[0], a),
		ent_day_text(w->days[r->n_steps - 1], b), r->n_steps, r->n_steps == 1 ? "" : "s");
	ent_term_printf(&call->term, &call->out, ENT_BOLD, "%s", ent_knowledge_names[w->knowledge]);
	ent_buf_printf(&call->out,
		w->knowledge == ENT_KNOWLEDGE_ARRIVAL ? ": what had arrived by the end of each day (%s)\n\n"
											  : ": what is known today, cut at the end of each day (%s)\n\n",
		w->because);
	if (r->n_sets == 1) {
		if (*w->sets->names[0]) {
			ent_buf_printf(&call->out, "with %s\n\n", w->sets->names[0]);
		}
		show_changes(w);
		ent_buf_u8(&call->out, '\n');
	}
	show_totals(w);
	if (w->diff) {
		show_diff(w);
	}
	for (size_t i = 0; i < w->n_notes; i++) {
		ent_buf_printf(&call->out, i ? "\n" : "\nnot known here:\n");
		ent_buf_printf(&call->out, "  ");
		ent_term_wrap(&call->term, &call->out, 2, w->notes[i]);
	}
	ent_buf_u8(&call->out, '\n');
}

/* ---- for programs
 * ---------------------------------------------------------------------------------------------------------- */

static void text(ent_json *j, const char *key, const char *value) {
	ent_json_key(j, key);
	ent_json_text(j, value && *value ? value : NULL);
}

static void number(ent_json *j, const char *key, uint64_t value) {
	ent_json_key(j, key);
	ent_json_uint(j, value);
}

static void day_member(ent_json *j, const char *key, int32_t day) {
	char out[16];
	text(j, key, day == INT32_MIN ? NULL : ent_day_text(day, out));
}

static void worth(ent_json *j, const char *key, bool has, int64_t value) {
	ent_json_key(j, key);
	if (has) {
		ent_json_decimal(j, value, 6);
	} else {
		ent_json_null(j);
	}
}

/* Every `stride`-th of the days, the last in any case. */
static void by_day(ent_json *j, const char *key, const uint32_t *v, size_t n, size_t stride) {
	ent_json_key(j, key);
	ent_json_array(j);
	for (size_t i = 0; i < n; i++) {
		if (i % stride == 0 || i + 1 == n) {
			ent_json_uint(j, v[i]);
		}
	}
	ent_json_end(j);
}

static void days(const ent__replay_view *w, ent_json *j, size_t stride) {
	char out[16];
	ent_json_key(j, "days");
	ent_json_array(j);
	for (size_t i = 0; i < w->r->n_steps; i++) {
		if (i % stride == 0 || i + 1 == w->r->n_steps) {
			ent_json_text(j, ent_day_text(w->days[i], out));
		}
	}
	ent_json_end(j);
}

static void totals(const ent__replay_view *w, ent_json *j, size_t stride) {
	const ent__replay *r = w->r;
	ent_json_key(j, "totals");
	ent_json_array(j);
	for (size_t i = 0; i < r->n_sets * r->n_rules; i++) {
		const ent__replay_total *t = &r->totals[i];
		ent_json_object(j);
		text(j, "rule", r->rules[i % r->n_rules]);
		text(j, "set", w->sets->names[i / r->n_rules]);
		number(j, "findings", t->findings);
		number(j, "opened", t->opened);
		number(j, "cleared", t->cleared);
		number(j, "at_the_end", t->standing);
		number(j, "partners", t->partners);
		worth(j, "worth_at_the_end", t->has_worth, t->worth);
		worth(j, "worth", t->has_worth, t->worth_all);
		number(j, "true", t->said_true);
		number(j, "false", t->said_false);
		number(j, "unknown", t->unknown);
		number(j, "failed", t->failed);
		by_day(j, "by_day", t->by_step, r->n_steps, stride);
		by_day(j, "unknown_by_day", t->unknown_by_step, r->n_steps, stride);
		ent_json_end(j);
	}
	ent_json_end(j);
}

/* At most so many; `all`: also that a rule can judge again. Returns how many there are. */
static size_t changes(const ent__replay_view *w, ent_json *j, size_t most, bool all) {
	const ent__replay *r = w->r;
	ent_json_key(j, "changes");
	ent_json_array(j);
	size_t n = 0;
	for (size_t i = 0; i < r->n_changes; i++) {
		const ent__replay_change *c = &r->changes[i];
		if ((!all && c->what == ENT__REPLAY_KNOWN) || n++ >= most) {
			continue;
		}
		ent_json_object(j);
		day_member(j, "day", w->days[c->step]);
		text(j, "set", w->sets->names[c->set]);
		text(j, "partner", c->partner);
		text(j, "rule", r->rules[c->rule]);
		text(j, "change", ent__replay_words[c->what]);
		text(j, "key", c->key);
		text(j, "kind", c->kind);
		worth(j, "worth", c->has_worth, c->worth);
		text(j, "text", c->text);
		ent_json_end(j);
	}
	ent_json_end(j);
	return n;
}

static void diffs(const ent__replay_view *w, ent_json *j) {
	ent_json_key(j, "diff");
	if (!w->diff) {
		ent_json_null(j);
		return;
	}
	ent_json_object(j);
	day_member(j, "judged_as_of", w->judged_on);
	ent_json_key(j, "findings");
	ent_json_array(j);
	for (size_t i = 0; i < w->n_diffs; i++) {
		const ent__replay_diff *d = &w->diffs[i];
		ent_json_object(j);
		text(j, "partner", d->partner);
		text(j, "rule", d->rule);
		text(j, "key", d->key);
		text(j, "kind", d->kind);
		text(j, "said", d->now && d->then ? "both" : d->now ? "now" : "then");
		day_member(j, "since_then", d->since_then);
		day_member(j, "since_now", d->since_now);
		text(j, "text", d->text);
		ent_json_end(j);
	}
	ent_json_end(j);
	ent_json_end(j);
}

static void head(const ent__replay_view *w, ent_json *j) {
	day_member(j, "from", w->days[0]);
	day_member(j, "to", w->days[w->r->n_steps - 1]);
	text(j, "knowledge", ent_knowledge_names[w->knowledge]);
	text(j, "because", w->because);
	text(j, "currency", w->currency);
	ent_json_key(j, "not_known");
	ent_json_array(j);
	for (size_t i = 0; i < w->n_notes; i++) {
		ent_json_text(j, w->notes[i]);
	}
	ent_json_end(j);
}

static void show_json(const ent__replay_view *w) {
	ent_json *j = &w->call->writer;
	ent_json_object(j);
	head(w, j);
	days(w, j, 1);
	changes(w, j, SIZE_MAX, true);
	totals(w, j, 1);
	diffs(w, j);
	ent_json_end(j);
}

void ent__replay_show(const ent__replay_view *w) { (w->call->json ? show_json : show_text)(w); }

void ent__replay_request(const ent__replay_view *w, ent_buf *out) {
	const ent__replay *r = w->r;
	size_t points = r->n_steps * r->n_rules * r->n_sets, stride = points / CHART_POINTS + 1;
	ent_json j;
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	ent_json_key(&j, "replay");
	ent_json_object(&j);
	head(w, &j);
	days(w, &j, stride);
	number(&j, "n_changes", changes(w, &j, r->n_sets > 1 ? 0 : CHART_CHANGES, false));
	totals(w, &j, stride);
	diffs(w, &j);
	ent_json_end(&j);
	ent_json_end(&j);
}
