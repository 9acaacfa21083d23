/* SPDX-License-Identifier: Apache-2.0
 *
 * A figure of `entente rules explain` as people read it, see explain.h. */
#include "base/day.h"
#include "base/mask.h"
#include "command/explain.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

void ent__explain_plain(ent_call *call, unsigned indent, const char *text) {
	ent_buf_printf(&call->out, "%*s", (int)indent, "");
	ent_term_wrap(&call->term, &call->out, indent, text);
	ent_buf_u8(&call->out, '\n');
}

/* A field of the partner's profile, and where the configuration says it. */
static void profile_heading(ent__explaining *x, size_t number, const ent__explain_figure *f) {
	ent_call *call = x->call;
	const char *name = f->metric + strlen("profile ");
	const ent_config_partner *p = ent_config_partner_find(x->trace.project->config, x->trace.partner);
	ent_term_printf(&call->term, &call->out, ENT_FAINT, "\n%2zu  ", number);
	ent_term_printf(&call->term, &call->out, ENT_ACCENT, "%s", f->metric);
	ent_term_printf(
		&call->term, &call->out, f->known ? ENT_BOLD : ENT_WARN, "  %s\n", f->known ? f->slice : "not known");
	if (p) {
		const ent_word *words[] = {&p->industry, &p->region, &p->stage, &p->currency, &p->zone};
		static const char *const names[] = {"industry", "region", "stage", "currency", "zone"};
		uint32_t line = p->id.at.line;
		for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
			line = !strcmp(names[i], name) && words[i]->at.line ? words[i]->at.line : line;
		}
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "    %s:%u\n", call->config_path, line);
	}
}

static void heading(ent__explaining *x, size_t number, const ent__explain_figure *f) {
	ent_call *call = x->call;
	if (!strncmp(f->metric, "profile ", 8)) {
		profile_heading(x, number, f);
		return;
	}
	const char *size = ent__explain_text(f->json, "size");
	ent_term_printf(&call->term, &call->out, ENT_FAINT, "\n%2zu  ", number);
	ent_term_printf(&call->term, &call->out, ENT_ACCENT, "%s%s%s", f->metric, *f->slice ? ", " : "", f->slice);
	if (f->sort == ENT__OF_COHORT) {
		ent_term_printf(&call->term, &call->out, ENT_PLAIN, ", median of %s partners of %s", size, f->cohort);
	} else if (*f->origin) {
		ent_term_printf(&call->term, &call->out, ENT_PLAIN, ", as %s tells it", f->origin);
	}
	ent_term_printf(
		&call->term, &call->out, f->known ? ENT_BOLD : ENT_WARN, "  %s\n", f->known ? f->value : "not known");
	if (*f->from) {
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "    %s to %s", f->from, f->through);
		if (ent__explain_get(f->json, "covered")) {
			ent_term_printf(&call->term, &call->out, ENT_FAINT, ": sources speak for %s of %s days",
				ent__explain_text(f->json, "covered"), ent__explain_text(f->json, "days"));
		}
		ent_buf_u8(&call->out, '\n');
	}
}

/* "gross 5,000.00 - discount 12.00 = 4,988.00 EUR". */
static const char *arithmetic(ent__explaining *x, const ent_metric *m, const ent_account *a, bool bottom) {
	ent_arena *arena = &x->trace.arena;
	const ent_metric_term *terms = bottom ? m->bottom : m->top;
	unsigned unit = bottom ? ent__bottom_unit(&x->trace, m) : ent__top_unit(&x->trace, m), n = 0;
	char number[ENT_NUMBER_TEXT];
	const char *text = "", *money = unit == ENT_UNIT_MONEY ? x->trace.project->config->currency.s : "";
	for (unsigned i = 0; i < ENT_TERMS && terms[i].sign; i++, n++) {
		ent__sum_text(unit, ent__term_sum(&x->trace, m, a, i + (bottom ? ENT_TERMS : 0)), number);
		text = ent_arena_printf(arena, "%s%s%s %s", text,
			i                   ? terms[i].sign < 0 ? " - " : " + "
			: terms[i].sign < 0 ? "-"
								: "",
			ent__measure(&x->trace, terms[i].measure)->name, number);
	}
	if (n > 1) {
		text = ent_arena_printf(arena, "%s = %s", text, ent__sum_text(unit, bottom ? a->bottom : a->top, number));
	}
	return ent_arena_printf(arena, "%s%s%s", text, *money ? " " : "", money);
}

static void show_files(ent__explaining *x, const ent_account *a) {
	enum { MOST = 3 };
	const char *text = "";
	struct {
		uint32_t input;
		size_t n;
	} files[64];
	size_t n = 0, more = 0;
	for (size_t i = 0; i < a->n; i++) {
		size_t k = 0;
		while (k < n && files[k].input != a->parts[i].input) {
			k++;
		}
		if (k == n && n < 64) {
			files[n].input = a->parts[i].input;
			files[n++].n = 0;
		}
		if (k < n) {
			files[k].n++;
		} else {
			more++;
		}
	}
	for (size_t shown = 0; shown < MOST && shown < n; shown++) {
		size_t best = shown;
		for (size_t k = shown; k < n; k++) {
			best = files[k].n > files[best].n ? k : best;
		}
		const ent_input *in = ent_engine_input(x->trace.project->engine, files[best].input);
		text = ent_arena_printf(
			&x->trace.arena, "%s%s%zu in %s", text, shown ? ", " : "", files[best].n, in ? in->name : "?");
		files[best] = files[shown];
	}
	ent__explain_plain(x->call, 0,
		ent_arena_printf(&x->trace.arena, "%zu record%s: %s%s", a->n, a->n == 1 ? "" : "s", text,
			n > MOST || more ? ", and more files" : ""));
}

static void show_cells(ent__explaining *x, const ent_metric *m, const ent_account *a) {
	ent_table_column columns[2 * ENT_TERMS + 4] = {
		{"day", false, true}, {"currency", false, true}, {"rate", true, true}};
	unsigned n = 3, at[2 * ENT_TERMS];
	char day[16], number[ENT_NUMBER_TEXT];
	bool converted = a->converted;
	for (unsigned k = 0; k < 2 * ENT_TERMS; k++) {
		const ent_metric_term *t = k < ENT_TERMS ? &m->top[k] : &m->bottom[k - ENT_TERMS];
		if (t->sign) {
			at[n - 3] = k;
			columns[n++] = (ent_table_column){ent__measure(&x->trace, t->measure)->name, true, true};
		}
	}
	columns[n] = (ent_table_column){0};
	ent_table t;
	ent_table_init(&t, columns);
	for (size_t i = 0; i < a->n_cells; i++) {
		const ent_account_cell *c = &a->cells[i];
		ent_table_cell(&t, ent_day_text(c->day, day));
		ent_table_cell(&t, c->currency ? ent__project_text(x->trace.project, c->currency) : "");
		ent_table_cell(&t, c->currency && converted ? ent_number_text(c->rate, 12, 6, number) : "");
		for (unsigned k = 3; k < n; k++) {
			const ent_metric_term *term =
				at[k - 3] < ENT_TERMS ? &m->top[at[k - 3]] : &m->bottom[at[k - 3] - ENT_TERMS];
			__int128 v = (__int128)c->m[at[k - 3]] * ENT_ACCOUNT_ONE * (term->measure == ENT_M_LOAD_MS ? 1000 : 1);
			ent_table_cell(&t, v ? ent__sum_text(ent__measure(&x->trace, term->measure)->unit, v, number) : "");
		}
	}
	ent_table_print(&t, &x->call->term, &x->call->out);
	ent_table_finish(&t);
}

static void show_parts(ent__explaining *x, const ent_metric *m, const ent_account *a) {
	static const ent_table_column columns[] = {{"day", false, true}, {"record", false, false}, {"makes", true, true},
		{"", true, true}, {"where", false, true}, {0}};
	const ent_account_part **list = ent__explain_heaviest(a);
	char day[16], number[ENT_NUMBER_TEXT];
	size_t n = a->n < x->rows ? a->n : x->rows;
	bool ratio = m->kind == ENT_METRIC_RATIO;
	ent_table t;
	ent_table_init(&t, columns);
	for (size_t i = 0; i < n; i++) {
		const ent_account_part *p = list[i];
		ent_table_styled(&t, ENT_FAINT, ent_day_text(p->day, day));
		ent_table_cell(&t, ent__trace_name(&x->trace, p));
		ent_table_cell(&t, p->top || !ratio ? ent__sum_text(ent__top_unit(&x->trace, m), p->top, number) : "");
		ent_table_cell(&t, ratio && p->bottom ? ent_arena_printf(&x->trace.arena, "/ %s",
													ent__sum_text(ent__bottom_unit(&x->trace, m), p->bottom, number))
											  : "");
		const char *file = ent__trace_file(&x->trace, p->source, p->input);
		ent_table_printf(&t, *file ? ENT_WARN : ENT_PLAIN, "%s%s%s%s",
			ent__trace_where(&x->trace, p->source, p->input, p->place), *file ? " (the file " : "", file,
			*file ? ")" : "");
	}
	if (!x->detailed) {
		ent_table_print(&t, &x->call->term, &x->call->out);
	}
	ent_table_finish(&t);
	for (size_t i = 0; i < n && x->detailed; i++) {
		const ent_account_part *p = list[i];
		const char *excerpt = ent__trace_excerpt(&x->trace, p->source, p->input, p->place);
		const char *file = ent__trace_file(&x->trace, p->source, p->input);
		ent_term_printf(&x->call->term, &x->call->out, ENT_PLAIN, "%s  %s  ", ent_day_text(p->day, day),
			ent__trace_name(&x->trace, p));
		ent_term_printf(&x->call->term, &x->call->out, ENT_BOLD, "%s",
			p->top || !ratio ? ent__sum_text(ent__top_unit(&x->trace, m), p->top, number) : "");
		if (ratio && p->bottom) {
			ent_term_printf(&x->call->term, &x->call->out, ENT_BOLD, "%s/ %s", p->top ? " " : "",
				ent__sum_text(ent__bottom_unit(&x->trace, m), p->bottom, number));
		}
		ent_term_printf(&x->call->term, &x->call->out, *file ? ENT_WARN : ENT_ACCENT, "  %s%s%s%s\n",
			ent__trace_where(&x->trace, p->source, p->input, p->place), *file ? " (the file " : "", file,
			*file ? ")" : "");
		ent__explain_plain(x->call, 4, ent__trace_fact(&x->trace, p->at));
		if (*excerpt) {
			ent_buf_printf(&x->call->out, "    ");
			unsigned width = x->call->term.width > 20 ? x->call->term.width - 6 : ENT_MASK_MAX + 1;
			bool cut = strlen(excerpt) > width; /* masked: a byte a column, but for the ellipsis */
			ent_term_printf(&x->call->term, &x->call->out, ENT_FAINT, "%.*s%s\n", cut ? (int)width - 3 : INT_MAX,
				excerpt, cut ? "…" : "");
		}
	}
	if (a->n > n) {
		ent_term_printf(&x->call->term, &x->call->out, ENT_FAINT, "and %zu more: --rows %zu\n", a->n - n, a->n);
	}
	free(list);
}

/* "GBP at 1.1612 to 1.1930, each day at its own rate". */
static void show_rates(ent__explaining *x, const ent_account *a) {
	char low[ENT_NUMBER_TEXT], high[ENT_NUMBER_TEXT];
	const char *text = "";
	for (size_t i = 0; i < a->n_cells; i++) {
		const ent_account_cell *c = &a->cells[i];
		int64_t least = c->rate, most = c->rate;
		bool shown = !c->currency || c->rate == ENT_ACCOUNT_ONE;
		for (size_t k = 0; k < a->n_cells && !shown; k++) {
			shown = a->cells[k].currency == c->currency && k < i;
			if (a->cells[k].currency == c->currency) {
				least = a->cells[k].rate < least ? a->cells[k].rate : least;
				most = a->cells[k].rate > most ? a->cells[k].rate : most;
			}
		}
		if (!shown) {
			ent_number_text(least, 12, 4, low);
			ent_number_text(most, 12, 4, high);
			text = ent_arena_printf(&x->trace.arena, "%s%s%s at %s%s%s", text, *text ? ", " : "",
				ent__project_text(x->trace.project, c->currency), low, least == most ? "" : " to ",
				least == most ? "" : high);
		}
	}
	ent__explain_plain(x->call, 0, ent_arena_printf(&x->trace.arena, "%s: each day at its own rate", text));
}

static void show_account(ent__explaining *x, const ent__explain_figure *f, const ent_metric *m, const ent_account *a) {
	char number[ENT_NUMBER_TEXT];
	if (m->kind == ENT_METRIC_DISTINCT) {
		ent__sum_text(ENT_UNIT_COUNT, a->top, number);
		ent__explain_plain(x->call, 0,
			ent_arena_printf(
				&x->trace.arena, "%s different, each counted with the first record that brings it", number));
	} else if (m->kind == ENT_METRIC_DISTRIBUTION) {
		ent__sum_text(ENT_UNIT_COUNT, a->top, number);
		ent__explain_plain(x->call, 0, ent_arena_printf(&x->trace.arena, "of %s values in buckets of 1 %%", number));
	} else {
		const char *top = arithmetic(x, m, a, false);
		ent__explain_plain(x->call, 0,
			m->kind == ENT_METRIC_RATIO
				? ent_arena_printf(&x->trace.arena, "(%s) / (%s)", top, arithmetic(x, m, a, true))
				: top);
	}
	if (a->converted) {
		show_rates(x, a);
	}
	if (ent__explain_differs(x, f, a)) {
		ent_term_printf(&x->call->term, &x->call->out, ENT_WARN,
			"the records make %s now: it changed since the rule read it\n",
			ent__value_text(&x->trace, m, a->top, a->bottom, number));
	}
	if (!a->n) {
		ent__explain_plain(x->call, 0, "no record counts in these days");
		return;
	}
	show_files(x, a);
	if (x->days && a->n_cells) {
		show_cells(x, m, a);
	}
	show_parts(x, m, a);
}

static void show_sources(ent__explaining *x, const ent__explain_figure *f) {
	const ent_snap *s = &x->trace.project->snap;
	const ent_snap_partner *p = &s->partners[x->trace.index];
	char a[16], b[16];
	unsigned families = ent_metric_families(ent__metric(&x->trace, f->wanted.metric));
	for (uint64_t i = p->covers; i < p->covers + p->n_covers; i++) {
		const ent_snap_cover *c = &s->covers[i];
		if (families >> c->family & 1) {
			ent__explain_plain(x->call, 0,
				ent_arena_printf(&x->trace.arena, "%s to %s, %s, from %s", ent_day_text(c->from, a),
					ent_day_text(c->to - 1, b),
					c->declared ? "as the source says" : "from its first to its last record",
					ent_snap_text_of(s, c->source)));
		}
	}
}

/* What was written since `from` goes four columns in. */
static void indent(ent_call *call, size_t from) {
	ent_buf rest = {0};
	const char *p = (const char *)call->out.data + from, *end = (const char *)call->out.data + call->out.n;
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = newline ? (size_t)(newline + 1 - p) : (size_t)(end - p);
		ent_buf_printf(&rest, "%s", n > 1 ? "    " : "");
		ent_buf_add(&rest, p, n);
		p += n;
	}
	call->out.n = from;
	ent_buf_add(&call->out, rest.data, rest.n);
	ent_buf_finish(&rest);
}

void ent__explain_show(
	ent__explaining *x, size_t number, const ent__explain_figure *f, const ent_account *account, const ent__why *why) {
	unsigned width = x->call->term.width;
	heading(x, number, f);
	size_t from = x->call->out.n;
	x->call->term.width = width > 40 ? width - 4 : width;
	switch (f->sort) {
	case ENT__OF_CELLS:
		if (why) {
			ent__why_show(why, x->rows, x->detailed);
		} else {
			show_account(x, f, ent__metric(&x->trace, f->wanted.metric), account);
		}
		break;
	case ENT__OF_COHORT:
		ent__explain_plain(x->call, 0,
			"a released figure, rounded to three digits; what each of them has is nobody else's, and is not shown");
		break;
	case ENT__OF_DAYS:
		show_sources(x, f);
		break;
	case ENT__OF_OTHER:
		break;
	default:
		ent__told_show(x, f);
		break;
	}
	x->call->term.width = width;
	indent(x->call, from);
}
