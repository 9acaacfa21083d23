/* SPDX-License-Identifier: Apache-2.0
 *
 * Balance sheet and portfolio, see portfolio.h. */
#include "command/portfolio.h"
#include "command/sheet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- balance ----------------------------------------------------------------------------------------------------- */

static const char *name_of(const void *engine, uint32_t code) { return ent_engine_text(engine, code); }

int ent__balance_show(ent_call *call, ent_engine *engine, bool *closes, ent_error *e) {
	ent__sheet sheet = {0};
	int status = ent__sheet_load(&sheet, ent_engine_store(engine), name_of, engine, e);
	if (!status && call->json) {
		ent_json_key(&call->writer, "balance");
		ent__sheet_json(&sheet, &call->writer);
	} else if (!status && sheet.n) {
		ent_buf_printf(&call->out, "\n");
		ent__sheet_brief(&sheet, &call->term, &call->out);
		ent_buf_printf(&call->out, "\n");
	}
	*closes = !status && !sheet.open;
	ent__sheet_finish(&sheet);
	return status;
}

/* ---- portfolio --------------------------------------------------------------------------------------------------- */

static ent__standing *row_of(ent__portfolio *p, const char *partner) {
	uint32_t number = ent_intern_put(&p->names, partner, strlen(partner)), before = p->row_of_n;
	ENT_GROW(p->row_of, number, p->row_of_n);
	if (p->row_of_n > before) {
		memset(p->row_of + before, 0, (p->row_of_n - before) * sizeof *p->row_of);
	}
	if (!p->row_of[number]) {
		ENT_GROW(p->rows, p->n, p->capacity);
		p->rows[p->n] = (ent__standing){.partner = ent_xstrdup(partner)};
		p->row_of[number] = (uint32_t)++p->n;
	}
	return &p->rows[p->row_of[number] - 1];
}

int ent__finding_weight(const char *kind, const char *severity) {
	int w = !strcmp(kind, "red_flag") ? 40 : !strcmp(kind, "gate") ? 30 : !strcmp(kind, "opportunity") ? 20 : 10;
	return w + (severity && !strcmp(severity, "high") ? 5 : 0);
}

static int take_finding(void *ctx, const ent_finding *f) {
	if (!strcmp(f->state, "cleared") || !strcmp(f->state, "resolved")) {
		return 0;
	}
	ent__standing *r = row_of(ctx, f->partner);
	*(!strcmp(f->kind, "red_flag")        ? &r->red_flags
		: !strcmp(f->kind, "gate")        ? &r->gates
		: !strcmp(f->kind, "opportunity") ? &r->opportunities
		: !strcmp(f->kind, "insight")     ? &r->insights
										  : &r->other) += 1;
	if (f->has_worth && !strcmp(f->kind, "opportunity")) {
		r->worth += f->worth;
	}
	/* what somebody lives with, or has explained, is not what to look at */
	bool settled = !strcmp(f->life, "accepted") || !strcmp(f->life, "explained");
	int w = settled ? 0 : ent__finding_weight(f->kind, f->severity);
	if (w > r->first_weight) {
		r->first_weight = w;
		free(r->first);
		r->first = ent_xstrdup(f->text);
	}
	return 0;
}

static int take_verdict(
	void *ctx, const char *rule, const char *partner, const char *verdict, int32_t as_of, const char *json) {
	(void)rule;
	(void)as_of;
	(void)json;
	ent__standing *r = row_of(ctx, partner);
	r->unknown += !strcmp(verdict, "unknown");
	r->failed += !strcmp(verdict, "failed");
	return 0;
}

static int by_weight(const void *a, const void *b) {
	const ent__standing *x = a, *y = b;
	if (x->red_flags != y->red_flags) {
		return x->red_flags > y->red_flags ? -1 : 1;
	}
	if (x->gates != y->gates) {
		return x->gates > y->gates ? -1 : 1;
	}
	if (x->worth != y->worth) {
		return x->worth > y->worth ? -1 : 1;
	}
	return strcmp(x->partner, y->partner);
}

void ent__standing_json(ent_json *j, const ent__standing *r) {
	static const ent__standing nothing;
	r = r ? r : &nothing;
	const struct {
		const char *key;
		unsigned value;
	} numbers[] = {{"red_flags", r->red_flags}, {"gates", r->gates}, {"opportunities", r->opportunities},
		{"insights", r->insights}, {"unknown", r->unknown}, {"failed", r->failed}};
	for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
		ent_json_key(j, numbers[k].key);
		ent_json_uint(j, numbers[k].value);
	}
	ent_json_key(j, "worth");
	ent_json_decimal(j, r->worth, 6);
	ent_json_key(j, "first");
	ent_json_text(j, r->first);
}

static void show_json(ent_call *call, const ent__portfolio *p) {
	ent_json *j = &call->writer;
	ent_json_key(j, "partners");
	ent_json_array(j);
	for (size_t i = 0; i < p->n; i++) {
		ent_json_object(j);
		ent_json_key(j, "partner");
		ent_json_text(j, p->rows[i].partner);
		ent__standing_json(j, &p->rows[i]);
		ent_json_end(j);
	}
	ent_json_end(j);
}

void ent__count_cell(ent_table *t, ent_style style, unsigned n) {
	if (n) {
		ent_table_printf(t, style, "%u", n);
	} else {
		ent_table_styled(t, ENT_FAINT, "·");
	}
}

static void show_table(ent_call *call, const ent__portfolio *p) {
	static const ent_table_column columns[] = {{"partner", false, true}, {"red flags", true, false},
		{"gates", true, false}, {"opportunities", true, false}, {"worth", true, false}, {"insights", true, false},
		{"unknown", true, false}, {"look at first", false, false}, {NULL, false, false}};
	static const unsigned char drop[] = {5, 6};
	enum { MOST = 60 };
	ent_table t;
	ent_table_init(&t, columns);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (size_t i = 0; i < p->n && i < MOST; i++) {
		const ent__standing *r = &p->rows[i];
		char worth[ENT_NUMBER_TEXT];
		ent_table_styled(&t, ENT_ACCENT, *r->partner ? r->partner : "(all of them)");
		ent__count_cell(&t, ENT_BAD, r->red_flags);
		ent__count_cell(&t, ENT_WARN, r->gates);
		ent__count_cell(&t, ENT_GOOD, r->opportunities);
		ent_table_cell(&t, r->worth ? ent_number_text(r->worth, 6, 0, worth) : "");
		ent__count_cell(&t, ENT_PLAIN, r->insights);
		ent__count_cell(&t, ENT_FAINT, r->unknown);
		ent_table_cell(&t, r->first ? r->first : "");
	}
	ent_buf_printf(&call->out, "\n");
	ent_table_print(&t, &call->term, &call->out);
	if (p->n > MOST) {
		ent_buf_printf(&call->out, "and %zu more; `entente partners` lists all\n", p->n - MOST);
	}
	ent_table_finish(&t);
}

int ent__portfolio_load(ent__portfolio *p, ent_store *store, ent_error *e) {
	ent_intern_init(&p->names);
	int status = ent_store_verdicts_scan(store, NULL, false, take_verdict, p, e);
	if (!status) {
		status = ent_store_findings_scan(store, NULL, take_finding, p, e);
	}
	if (p->n) {
		qsort(p->rows, p->n, sizeof *p->rows, by_weight);
	}
	for (size_t i = 0; i < p->n; i++) {
		p->row_of[ent_intern_put(&p->names, p->rows[i].partner, strlen(p->rows[i].partner))] = (uint32_t)i + 1;
	}
	return status;
}

void ent__portfolio_finish(ent__portfolio *p) {
	for (size_t i = 0; i < p->n; i++) {
		free(p->rows[i].partner);
		free(p->rows[i].first);
	}
	free(p->rows);
	free(p->row_of);
	if (p->names.slots) { /* it was loaded */
		ent_intern_finish(&p->names);
	}
	*p = (ent__portfolio){0};
}

const ent__standing *ent__portfolio_find(const ent__portfolio *p, const char *partner) {
	uint32_t number = p->n ? ent_intern_find(&p->names, partner, strlen(partner)) : UINT32_MAX;
	return number < p->row_of_n && p->row_of[number] ? &p->rows[p->row_of[number] - 1] : NULL;
}

int ent__portfolio_show(ent_call *call, ent_engine *engine, ent_error *e) {
	ent__portfolio p = {0};
	int status = ent__portfolio_load(&p, ent_engine_store(engine), e);
	if (!status && call->json) {
		show_json(call, &p);
	} else if (!status) {
		show_table(call, &p);
	}
	ent__portfolio_finish(&p);
	return status;
}
