/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente cohorts`: the log of releases: of which partners together figures were shown to rules, of which not, and
 * why. */
#include "command/project.h"

#include "base/day.h"
#include "store/releases.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 100 };

typedef struct listing {
	ent_call *call;
	ent_table table;
	ent_page page;
	const char *part; /* of the cohort's name, or NULL */
	bool refused;     /* only these */
	uint64_t n_shown, n_refused;
} listing;

/* The slice without its last word, which is the length of the window as releases.py compares it. */
static int figure_length(const ent_release *x) {
	const char *end = strrchr(x->slice, ' ');
	return end ? (int)(end - x->slice) : (int)strlen(x->slice);
}

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

static void as_json(ent_json *j, const ent_release *x) {
	char day[16];
	ent_json_object(j);
	ent_json_key(j, "figure");
	ent_json_text_n(j, x->slice, (size_t)figure_length(x));
	member(j, "cohort", x->cohort);
	member(j, "state", x->state);
	ent_json_key(j, "partners");
	ent_json_uint(j, x->size);
	ent_json_key(j, "days");
	ent_json_uint(j, x->days);
	member(j, "through", ent_day_text(x->last_end - 1, day));
	member(j, "since", ent_day_text(x->since, day));
	member(j, "as_of", ent_day_text(x->as_of, day));
	member(j, "why", x->why);
	ent_json_end(j);
}

static int show(void *ctx, const ent_release *x) {
	listing *l = ctx;
	bool refused = !strcmp(x->state, "refused");
	char id[32], day[16];
	if ((l->part && !strstr(x->cohort, l->part)) || (l->refused && !refused)) {
		return 0;
	}
	l->n_shown += !refused;
	l->n_refused += refused;
	snprintf(id, sizeof id, "%" PRIu64, x->id);
	if (!ent_page_take(&l->page, id)) {
		return 0;
	}
	if (l->call->json) {
		as_json(&l->call->writer, x);
		return 0;
	}
	ent_table_printf(&l->table, ENT_PLAIN, "%.*s", figure_length(x), x->slice);
	ent_table_styled(&l->table, ENT_ACCENT, x->cohort);
	ent_table_printf(&l->table, ENT_PLAIN, "%" PRIu32 " days to %s", x->days, ent_day_text(x->last_end - 1, day));
	if (refused) {
		ent_table_styled(&l->table, ENT_WARN, "refused");
	} else {
		ent_table_printf(&l->table, ENT_GOOD, "%" PRIu32, x->size);
	}
	ent_table_cell(&l->table, ent_day_text(x->since, day));
	ent_table_cell(&l->table, ent_day_text(x->as_of, day));
	ent_table_cell(&l->table, x->why);
	return 0;
}

static int list(ent_call *call, const ent__project *p) {
	static const ent_table_column columns[] = {{"figure", false, false}, {"cohort", false, false},
		{"window", false, false}, {"partners", true, false}, {"since", false, true}, {"until", false, true},
		{"why", false, false}, {0}};
	listing l = {.call = call,
		.page = ent_page_of(call, call->json ? 0 : SHOWN),
		.part = ent_call_operand(call, 0),
		.refused = ent_call_has(call, "refused")};
	ent_error e;
	if (call->json) {
		ent_json_array(&call->writer);
	} else {
		ent_table_init(&l.table, columns);
	}
	if (ent_store_releases_scan(p->store, show, &l, &e)) {
		ent_table_finish(&l.table);
		return ent_call_error(call, &e);
	}
	if (call->json) {
		ent_json_end(&call->writer);
	} else if (!l.n_shown && !l.n_refused) {
		ent_term_text(&call->term, &call->out, ENT_FAINT,
			l.part ? "no figures of a cohort of that name were asked for" : "no figures of cohorts were asked for");
		ent_buf_printf(&call->out, "\n");
	} else {
		ent_table_print(&l.table, &call->term, &call->out);
		ent_buf_printf(&call->out, "\n%" PRIu64 " shown, %" PRIu64 " refused\n", l.n_shown, l.n_refused);
	}
	ent_table_finish(&l.table);
	return ent_page_end(call, &l.page, "figures of cohorts");
}

static int run(ent_call *call) {
	ent__project p;
	int exit = ent__project_store(call, &p);
	exit = exit ? exit : list(call, &p);
	ent__project_finish(&p);
	return exit;
}

static const ent_arg args[] = {
	{.name = "refused", .type = ENT_ARG_SWITCH, .doc = "Only what was not shown, and why."},
	{.name = "limit",
		.type = ENT_ARG_INT,
		.value = "N",
		.least = 1,
		.most = INT64_MAX,
		.doc = "At most N figures (default 100, with --json all)."},
	ENT_ARG_ROW_AFTER,
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "COHORT", .doc = "Only cohorts with this in their name: \"industry tea\", tea."},
	{.name = NULL},
};

const ent_command ent_command_cohorts = {
	.name = "cohorts",
	.doc = "List which partners' figures rules were shown together, and which not and why.",
	.text = "Figures of several partners are shown if there are enough of them, none of them dominates, and no two "
			"sets that "
			"were shown differ by so few that one could be subtracted from the other: docs/rules.md. An entry is kept "
			"as long "
			"as it can be compared with what is shown next.\n\n  entente cohorts tea --refused",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
};
