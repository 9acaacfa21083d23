/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente partners` and `entente partners show`: who they are, how far their data reaches, what the rules said of them.
 * With --parked: words of sources that mean no partner, whose facts wait until one does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"
#include "command/portfolio.h"
#include "command/project.h"

typedef struct entry {
	const char *id;
	ent_partner_kind kind;
	const ent_config_partner *config; /* NULL: created from data */
} entry;

typedef struct listing {
	ent_call *call;
	ent__project project;
	ent__portfolio portfolio;
	entry *entries;
	size_t n, capacity;
	bool parked;
} listing;

static int take(void *ctx, const char *id, ent_partner_kind kind, const ent_config_partner *config) {
	listing *l = ctx;
	if ((kind == ENT_PARTNER_PARKED) == l->parked) {
		ENT_GROW(l->entries, l->n, l->capacity);
		l->entries[l->n++] = (entry){id, kind, config};
	}
	return 0;
}

static int by_id(const void *a, const void *b) { return strcmp(((const entry *)a)->id, ((const entry *)b)->id); }

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

/* ---- how far the data reaches ------------------------------------------------------------------------------------ */

/* First and last day of which a source of the family speaks; false: none does. */
static bool reach(const ent_snap *s, const char *id, int family, int32_t *first, int32_t *last) {
	int64_t partner = ent_snap_find_partner(s, id, strlen(id));
	*first = INT32_MAX;
	*last = INT32_MIN;
	for (uint64_t i = 0; partner >= 0 && i < s->partners[partner].n_covers; i++) {
		const ent_snap_cover *c = &s->covers[s->partners[partner].covers + i];
		if (family < 0 || c->family == family) {
			*first = c->from < *first ? c->from : *first;
			*last = c->to - 1 > *last ? c->to - 1 : *last;
		}
	}
	return *first <= *last;
}

static void json_reach(ent_json *j, const ent_snap *s, const char *id) {
	ent_json_key(j, "data");
	ent_json_object(j);
	for (int f = 0; f < ENT_FAMILY_COUNT; f++) {
		int32_t first, last;
		char day[16];
		if (reach(s, id, f, &first, &last)) {
			ent_json_key(j, ent_family_name((ent_family)f));
			ent_json_object(j);
			member(j, "from", ent_day_text(first, day));
			member(j, "through", ent_day_text(last, day));
			ent_json_end(j);
		}
	}
	ent_json_end(j);
}

/* ---- showing ----------------------------------------------------------------------------------------------------- */

/* Members of the object in hand. */
static void json_partner(ent_json *j, listing *l, const entry *x) {
	const ent_config_partner *c = x->config;
	char day[16];
	member(j, "partner", x->id);
	member(j, "name", c ? c->name.s : x->id);
	member(j, "industry", c ? c->industry.s : NULL);
	member(j, "region", c ? c->region.s : NULL);
	member(j, "stage", c ? c->stage.s : NULL);
	member(j, "currency", c ? c->currency.s : NULL);
	member(j, "zone", c ? c->zone.s : "UTC");
	member(j, "signed_on", c && c->signed_on != INT32_MIN ? ent_day_text(c->signed_on, day) : NULL);
	ent_json_key(j, "created");
	ent_json_bool(j, x->kind == ENT_PARTNER_CREATED);
	json_reach(j, &l->project.snap, x->id);
	ent__standing_json(j, ent__portfolio_find(&l->portfolio, x->id));
}

static void show_json(listing *l) {
	ent_json *j = &l->call->writer;
	char day[16];
	ent_json_object(j);
	member(j, "as_of", ent_day_text(l->project.as_of, day));
	member(j, "currency", l->project.config->currency.s);
	ent_json_key(j, "partners");
	ent_json_array(j);
	for (size_t i = 0; i < l->n; i++) {
		ent_json_object(j);
		json_partner(j, l, &l->entries[i]);
		ent_json_end(j);
	}
	ent_json_end(j);
	ent_json_end(j);
}

/* As of which the rules judge the partner. */
static int32_t day_of(const listing *l, const char *id) {
	const ent_snap *s = &l->project.snap;
	int64_t at = ent_snap_find_partner(s, id, strlen(id));
	return at < 0 ? l->project.as_of : ent_snap_partner_day(s, (uint32_t)at);
}

static void show_table(listing *l) {
	static const ent_table_column columns[] = {{"partner", false, true}, {"name", false, false},
		{"industry", false, false}, {"region", false, true}, {"stage", false, false}, {"data until", false, true},
		{"red flags", true, true}, {"gates", true, true}, {"opportunities", true, true}, {"worth", true, true},
		{"insights", true, true}, {"unknown", true, true}, {0}};
	static const unsigned char drop[] = {3, 2, 10, 1, 4, 11};
	static const ent__standing nothing;
	ent_table t;
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (size_t i = 0; i < l->n; i++) {
		const entry *x = &l->entries[i];
		const ent_config_partner *c = x->config;
		const ent__standing *s = ent__portfolio_find(&l->portfolio, x->id);
		s = s ? s : &nothing;
		int32_t first, last;
		char day[16], worth[ENT_NUMBER_TEXT];
		bool any = reach(&l->project.snap, x->id, -1, &first, &last);
		ent_table_styled(&t, ENT_ACCENT, x->id);
		ent_table_cell(&t, c ? c->name.s : "");
		ent_table_cell(&t, c ? c->industry.s : NULL);
		ent_table_cell(&t, c ? c->region.s : NULL);
		ent_table_styled(&t, c ? ENT_PLAIN : ENT_FAINT, c ? c->stage.s : "from data");
		/* behind the moment of judgement: what the rules say of it is of then */
		ent_table_styled(
			&t, any && last == day_of(l, x->id) ? ENT_PLAIN : ENT_WARN, any ? ent_day_text(last, day) : "none");
		ent__count_cell(&t, ENT_BAD, s->red_flags);
		ent__count_cell(&t, ENT_WARN, s->gates);
		ent__count_cell(&t, ENT_GOOD, s->opportunities);
		ent_table_cell(&t, s->worth ? ent_number_text(s->worth, 6, 0, worth) : "");
		ent__count_cell(&t, ENT_PLAIN, s->insights);
		ent__count_cell(&t, ENT_FAINT, s->unknown);
	}
	ent_table_print(&t, &l->call->term, &l->call->out);
	ent_table_finish(&t);
}

static void show_parked(listing *l) {
	if (l->call->json) {
		ent_json_array(&l->call->writer);
		for (size_t i = 0; i < l->n; i++) {
			ent_json_text(&l->call->writer, l->entries[i].id);
		}
		ent_json_end(&l->call->writer);
		return;
	}
	for (size_t i = 0; i < l->n; i++) {
		ent_term_text(&l->call->term, &l->call->out, ENT_ACCENT, l->entries[i].id);
		ent_buf_u8(&l->call->out, '\n');
	}
	if (l->n) {
		ent_call_note(l->call, "their facts are kept and wait: write `also: {SYSTEM: WORD}` with the partner that each "
							   "means, and run again");
	} else {
		ent_buf_printf(&l->call->out, "nothing is parked\n");
	}
}

/* ---- one of them ------------------------------------------------------------------------------------------------- */

static void json_words(ent_json *j, const ent_config_partner *c) {
	ent_json_key(j, "attributes");
	ent_json_object(j);
	for (size_t i = 0; c && i < c->n_attributes; i++) {
		member(j, c->attributes[i].key.s, c->attributes[i].value.s);
	}
	ent_json_end(j);
}

static void line(ent_call *call, const char *name, const char *text) {
	if (text && *text) {
		ent_term_printf(&call->term, &call->out, ENT_BOLD, "%-14s", name);
		ent_term_wrap(&call->term, &call->out, 14, text);
		ent_buf_u8(&call->out, '\n');
	}
}

static void show_text(listing *l, const entry *x) {
	const ent_config_partner *c = x->config;
	const ent__standing *s = ent__portfolio_find(&l->portfolio, x->id);
	char a[16], b[16], text[120];
	line(l->call, "partner", x->id);
	line(l->call, "name", c ? c->name.s : NULL);
	line(l->call, "industry", c ? c->industry.s : NULL);
	line(l->call, "region", c ? c->region.s : NULL);
	line(l->call, "stage", c ? c->stage.s : "from data");
	line(l->call, "currency", c ? c->currency.s : NULL);
	line(l->call, "zone", c ? c->zone.s : "UTC");
	for (size_t i = 0; c && i < c->n_attributes; i++) {
		line(l->call, c->attributes[i].key.s, c->attributes[i].value.s);
	}
	for (int f = 0; f < ENT_FAMILY_COUNT; f++) {
		int32_t first, last;
		if (reach(&l->project.snap, x->id, f, &first, &last)) {
			snprintf(text, sizeof text, "%s: %s to %s", ent_family_name((ent_family)f), ent_day_text(first, a),
				ent_day_text(last, b));
			line(l->call, "data", text);
		}
	}
	if (s) {
		snprintf(text, sizeof text, "%u red flags, %u gates, %u opportunities, %u insights, %u unknown", s->red_flags, s->gates,
			s->opportunities, s->insights, s->unknown);
		line(l->call, "findings", text);
		line(l->call, "look at first", s->first);
	}
}

static int run_show(ent_call *call) {
	listing l = {.call = call};
	ent_error e = {0};
	char day[16];
	const char *id = ent_call_operand(call, 0);
	int exit = ent__project_open(call, &l.project, ENT_ENGINE_READ);
	exit = exit ? exit : ent__project_snapshot(call, &l.project);
	exit = exit ? exit : ent__project_partner(call, &l.project, id) < 0 ? ENT_EXIT_ERROR : ENT_EXIT_OK;
	if (!exit && ent__portfolio_load(&l.portfolio, l.project.store, &e)) {
		exit = ent_call_error(call, &e);
	}
	if (!exit) {
		ent_engine_partners(l.project.engine, take, &l);
	}
	for (size_t i = 0; i < l.n && !exit; i++) {
		if (strcmp(l.entries[i].id, id) != 0) {
			continue;
		}
		if (call->json) {
			ent_json_object(&call->writer);
			member(&call->writer, "as_of", ent_day_text(day_of(&l, id), day));
			json_partner(&call->writer, &l, &l.entries[i]);
			json_words(&call->writer, l.entries[i].config);
			ent_json_end(&call->writer);
		} else {
			show_text(&l, &l.entries[i]);
		}
	}
	ent__portfolio_finish(&l.portfolio);
	free(l.entries);
	ent__project_finish(&l.project);
	return exit;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* Those of the page stay, in their places. */
static int cut_page(listing *l) {
	ent_page page = ent_page_of(l->call, 0);
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (ent_page_take(&page, l->entries[i].id)) {
			l->entries[n++] = l->entries[i];
		}
	}
	l->n = n;
	return ent_page_end(l->call, &page, l->parked ? "words" : "partners");
}

static int run(ent_call *call) {
	listing l = {.call = call, .parked = ent_call_has(call, "parked")};
	ent_error e = {0};
	int exit = ent__project_open(call, &l.project, ENT_ENGINE_READ);
	if (!exit) {
		ent_engine_partners(l.project.engine, take, &l);
		if (l.n) {
			qsort(l.entries, l.n, sizeof *l.entries, by_id);
		}
		exit = cut_page(&l);
	}
	if (!exit && l.parked) {
		show_parked(&l);
	} else if (!exit) {
		exit = ent__project_snapshot(call, &l.project);
		if (!exit && ent__portfolio_load(&l.portfolio, ent_engine_store(l.project.engine), &e)) {
			exit = ent_call_error(call, &e);
		}
		if (!exit) {
			(call->json ? show_json : show_table)(&l);
		}
	}
	ent__portfolio_finish(&l.portfolio);
	free(l.entries);
	ent__project_finish(&l.project);
	return exit;
}

static const ent_arg args[] = {
	{.name = "parked",
		.type = ENT_ARG_SWITCH,
		.doc = "List the words of sources that mean no partner, whose facts wait."},
	ENT_ARG_ROW_LIMIT,
	ENT_ARG_ROW_AFTER,
	ENT_ARG_ROW_AS_OF,
	{.name = NULL},
};

const ent_command ent_command_partners = {
	.name = "partners",
	.doc = "List the partners: profile, data, what the rules said.",
	.text = "Those of the configuration, and those that a source with `unknown: create` brought. A day in `data until` "
			"that is "
			"not that of judgement stands out.\n\n"
			"  entente partners\n"
			"  entente partners --parked",
	.args = args,
	.run = run,
	.served = true,
};

static const ent_arg show_args[] = {
	ENT_ARG_ROW_AS_OF,
	{.name = NULL},
};
static const ent_operand show_operands[] = {
	{.name = "PARTNER", .required = true, .doc = "Its id; `entente partners` lists them."},
	{.name = NULL},
};

const ent_command ent_command_partners_show = {
	.name = "partners show",
	.doc = "Show one partner: profile, data, what the rules said.",
	.text = "What is known of it, how far its data reaches, and how many findings there are.\n\n"
			"  entente partners show nordwind",
	.args = show_args,
	.operands = show_operands,
	.run = run_show,
	.served = true,
};
