/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a figure changed, see why.h.
 *
 * A quotient t/b is no sum, but its change is: (dt - t0/b0 db) / b1, added up over all records, is t1/b1 - t0/b0
 * exactly, in whatever order they come. */
#include "command/why.h"
#include "base/day.h"
#include "base/num.h"
#include "base/zone.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- moments -------------------------------------------------------------------------------------------------------
 */

typedef struct looking {
	uint64_t number; /* wanted; 0: none in particular */
	int64_t before;  /* the last one at or before; INT64_MAX */
	unsigned skip;
	ent_run found, newest, oldest;
	bool any;
} looking;

static int take_run(void *ctx, const ent_run *r) {
	looking *l = ctx;
	l->newest = l->any ? l->newest : *r;
	l->any = true;
	l->oldest = *r;
	if (l->found.number || (l->number && r->number != l->number) || r->at_us > l->before) {
		return 0;
	}
	if (l->skip) {
		l->skip--;
		return 0;
	}
	l->found = *r;
	return 0;
}

static ent_zone *zone_of(const ent__trace *t) {
	const ent_config_partner *p = ent_config_partner_find(t->project->config, t->partner);
	ent_error ignored;
	return ent_zone_load(p && p->zone.s ? p->zone.s : "UTC", &ignored);
}

/* "2026-11-20", "2026-11-20 14:30", "2026-11-20T14:30:05", as the partner's clock has it. */
static bool moment_of(const ent__trace *t, const char *text, int64_t *us) {
	int32_t day;
	unsigned hour = 0, minute = 0, second = 0;
	char end = 0;
	if (strlen(text) < 10 || !ent_day_parse(text, 10, &day)) {
		return false;
	}
	const char *rest = text + 10;
	if (*rest &&
		((*rest != ' ' && *rest != 'T') || sscanf(rest + 1, "%2u:%2u:%2u%c", &hour, &minute, &second, &end) < 2 ||
			end || hour > 23 || minute > 59 || second > 59)) {
		return false;
	}
	ent_zone *zone = zone_of(t);
	int64_t local = day * ENT_US_PER_DAY + ((hour * 60 + minute) * INT64_C(60) + second) * 1000000;
	*us = zone ? ent_zone_instant(zone, local) : local;
	ent_zone_destroy(zone);
	return true;
}

int ent__since_take(ent__since *s, ent_call *call, ent__trace *t, const char *option, bool preset) {
	const char *text = ent_call_text(call, option, NULL);
	looking l = {.before = INT64_MAX, .skip = text ? 0 : 1};
	char *end = NULL;
	int64_t us = 0;
	ent_error e;
	*s = (ent__since){0};
	if (!text && !preset) {
		return ENT_EXIT_OK;
	}
	bool number = text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10 && *text;
	if (number) {
		l.number = strtoull(text, &end, 10);
	} else if (text && !moment_of(t, text, &us)) {
		char todo[120];
		snprintf(
			todo, sizeof todo, "write the number of a run, a day like 2026-11-20, or a time like \"2026-11-20 14:30\"");
		return ent_call_usage(call, todo, "--%s does not take '%s'", option, text);
	} else if (text) {
		l.before = us;
	}
	if (ent_store_runs_scan(t->project->store, take_run, &l, &e)) {
		return ent_call_error(call, &e);
	}
	if (!l.found.number && (number || !text)) {
		char when[32];
		if (!text) {
			ent_error_set(&e, ENT_ERR_NOTFOUND, "there is only one run so far, and so nothing to compare with");
			ent_error_todo(&e, "run again when there is new data, or name a time: --%s 2026-11-20", option);
		} else {
			ent_error_set(&e, ENT_ERR_NOTFOUND, "no run %s is remembered", text);
			ent_error_todo(&e,
				l.any ? "there are %" PRIu64 " to %" PRIu64 ", the last of %s" : "`entente run` makes one",
				l.oldest.number, l.newest.number, ent__trace_time(l.newest.at_us, when));
		}
		return ent_call_error(call, &e);
	}
	s->given = true;
	s->run = l.found;
	s->then = l.found.number ? ent_moment_of_run(t->project->engine, &l.found) : ent_moment_at(us);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	s->old = !s->then.exact && s->then.arrived_us < (int64_t)now.tv_sec * 1000000 - t->project->config->history_us;
	return ENT_EXIT_OK;
}

void ent__since_show(const ent__since *s, ent_call *call) {
	char when[32], day[16];
	if (s->run.number) {
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "since run %" PRIu64 " of %s, judged as of %s\n",
			s->run.number, ent__trace_time(s->run.at_us, when), ent_day_text(s->run.as_of, day));
	} else {
		ent_term_printf(&call->term, &call->out, ENT_FAINT,
			"since %s, by when the records arrived: no run is remembered from before\n",
			ent__trace_time(s->then.arrived_us, when));
	}
	if (s->old) {
		ent_term_text(&call->term, &call->out, ENT_WARN,
			"That is further back than `history` reaches: what was replaced before may be compacted away, and seems to "
			"have come since.\n");
	} else if (!s->then.exact && s->run.number) {
		ent_term_text(
			&call->term, &call->out, ENT_FAINT, "The ledger was compacted since: arrivals tell, to the second.\n");
	}
}

void ent__since_json(const ent__since *s, ent_json *j) {
	char when[32], day[16];
	ent_json_object(j);
	ent_json_key(j, "run");
	if (s->run.number) {
		ent_json_uint(j, s->run.number);
	} else {
		ent_json_null(j);
	}
	ent_json_key(j, "at");
	ent_json_text(j, ent__trace_time(s->run.number ? s->run.at_us : s->then.arrived_us, when));
	ent_json_key(j, "as_of");
	ent_json_text(j, s->run.number ? ent_day_text(s->run.as_of, day) : NULL);
	ent_json_key(j, "exact");
	ent_json_bool(j, s->then.exact);
	ent_json_key(j, "beyond_history");
	ent_json_bool(j, s->old);
	ent_json_end(j);
}

/* ---- figures
 * --------------------------------------------------------------------------------------------------------- */

static bool ratio(const ent__why *w) { return w->m->kind == ENT_METRIC_RATIO; }

static double scale_of(unsigned unit) {
	return unit == ENT_UNIT_MONEY || unit == ENT_UNIT_SECONDS ? 1e18 : unit == ENT_UNIT_PIECES ? 1e15 : 1e12;
}

double ent__why_moved(const ent__why *w, const ent_account_part *p) {
	const ent_account *a = &w->account;
	double top = (double)(p->top - p->top_was) / scale_of(ent__top_unit(w->trace, w->m));
	if (!ratio(w)) {
		return top;
	}
	double under = scale_of(ent__bottom_unit(w->trace, w->m)),
		   t0 = (double)a->top_was / scale_of(ent__top_unit(w->trace, w->m));
	double b0 = (double)a->bottom_was / under, b1 = (double)a->bottom / under;
	if (!a->bottom_was || !a->bottom) {
		return (double)NAN;
	}
	return (top - t0 / b0 * ((double)(p->bottom - p->bottom_was) / under)) / b1;
}

static int by_moved(const void *x, const void *y, void *why) {
	double a = fabs(ent__why_moved(why, *(ent_account_part *const *)x)),
		   b = fabs(ent__why_moved(why, *(ent_account_part *const *)y));
	if (!(a == b) && !isnan(a) && !isnan(b)) {
		return a < b ? 1 : -1;
	}
	return *(ent_account_part *const *)x < *(ent_account_part *const *)y ? -1 : 1;
}

static bool moves(const ent_account_part *p) { return p->top != p->top_was || p->bottom != p->bottom_was; }

int ent__why_read(ent__why *w, ent__trace *t, const ent__wanted *wanted, const ent_account_side *then,
	const ent_account_side *now, ent_error *e) {
	*w = (ent__why){.trace = t, .m = ent__metric(t, wanted->metric), .then = *then, .now = *now};
	int status = ent__trace_account(t, wanted, then, now, &w->account, e);
	w->order = ent_xcalloc(w->account.n + 1, sizeof *w->order);
	for (size_t i = 0; i < w->account.n; i++) {
		bool counted = w->m->kind == ENT_METRIC_DISTRIBUTION && w->account.parts[i].change == ENT_ACCOUNT_CHANGED;
		if (moves(&w->account.parts[i]) || counted) {
			w->order[w->n++] = &w->account.parts[i];
		}
	}
	if (w->n) {
		ENT_SORT_R(w->order, w->n, by_moved, w);
	}
	return status;
}

void ent__why_finish(ent__why *w) {
	ent_account_finish(&w->account);
	free(w->order);
	w->order = NULL;
}

/* A change with its sign, in the unit of the figure. */
static const char *moved_text(const ent__why *w, double moved, __int128 exact) {
	char number[ENT_NUMBER_TEXT];
	const char *sign;
	if (isnan(moved)) {
		return "";
	}
	if (!ratio(w)) {
		sign = exact > 0 ? "+" : "";
		return ent_arena_printf(
			&w->trace->arena, "%s%s", sign, ent__sum_text(ent__top_unit(w->trace, w->m), exact, number));
	}
	double shown = w->m->unit == ENT_UNIT_RATIO ? moved * 100 : moved;
	return ent_arena_printf(&w->trace->arena, "%+.*f", w->m->unit == ENT_UNIT_RATIO ? 4 : 2, shown);
}

static const char *unit_text(const ent__why *w) {
	return w->m->unit == ENT_UNIT_MONEY            ? w->trace->project->config->currency.s
		   : w->m->unit == ENT_UNIT_SECONDS        ? "s"
		   : w->m->unit == ENT_UNIT_RATIO          ? "points"
		   : w->m->kind == ENT_METRIC_DISTRIBUTION ? "values"
												   : "";
}

/* ---- text
 * --------------------------------------------------------------------------------------------------------------- */

/* What moved together: records of one file that came, changed or went; or the window. */
typedef struct group {
	uint8_t change;
	uint32_t input;
	size_t n;
	double moved;
	__int128 exact;
} group;

static uint32_t blamed(const ent_account_part *p) { return p->by ? p->by : p->input; }

static group *groups_of(const ent__why *w, size_t *n) {
	group *list = NULL;
	size_t capacity = 0;
	*n = 0;
	for (size_t i = 0; i < w->n; i++) {
		const ent_account_part *p = w->order[i];
		bool window = p->change == ENT_ACCOUNT_ENTERED || p->change == ENT_ACCOUNT_LEFT;
		uint32_t input = window ? 0 : blamed(p);
		size_t k = 0;
		while (k < *n && (list[k].change != p->change || list[k].input != input)) {
			k++;
		}
		if (k == *n) {
			ENT_GROW(list, *n, capacity);
			list[(*n)++] = (group){.change = p->change, .input = input};
		}
		list[k].n++;
		list[k].moved += ent__why_moved(w, p);
		list[k].exact += p->top - p->top_was;
	}
	return list;
}

static void show_groups(const ent__why *w) {
	static const ent_table_column columns[] = {
		{"moved it by", true, true}, {"", false, true}, {"", true, true}, {"of", false, false}, {0}};
	size_t n;
	group *list = groups_of(w, &n);
	ent_table t;
	ent_table_init(&t, columns);
	for (size_t i = 0; i < n; i++) {
		const ent_input *x = ent_engine_input(w->trace->project->engine, list[i].input);
		bool window = !list[i].input;
		ent_table_styled(&t, ENT_BOLD, moved_text(w, list[i].moved, list[i].exact));
		ent_table_cell(&t, window ? list[i].change == ENT_ACCOUNT_ENTERED ? "came into the window" : "left the window"
								  : ent_account_changes[list[i].change]);
		ent_table_printf(&t, ENT_PLAIN, "%zu record%s", list[i].n, list[i].n == 1 ? "" : "s");
		ent_table_cell(&t, window ? "as before, of other days" : x ? x->name : "?");
	}
	ent_table_print(&t, &w->trace->call->term, &w->trace->call->out);
	ent_table_finish(&t);
	free(list);
}

static const char *gone_by(const ent__why *w, const ent_account_part *p) {
	const ent_input *x = p->by ? ent_engine_input(w->trace->project->engine, p->by) : NULL;
	const ent_input *was = ent_engine_input(w->trace->project->engine, p->input);
	if (!x) {
		return was && !was->live ? ", whose file was taken back" : "";
	}
	return ent_arena_printf(
		&w->trace->arena, was && !was->live ? ", in whose place came %s" : ", which %s lacks", x->name);
}

static void show_parts(const ent__why *w, size_t rows, bool detailed) {
	static const ent_table_column columns[] = {{"", true, true}, {"", false, true}, {"day", false, true},
		{"record", false, false}, {"where", false, false}, {0}};
	ent_call *call = w->trace->call;
	char day[16], when[32];
	ent_table t;
	ent_table_init(&t, columns);
	size_t n = w->n < rows ? w->n : rows;
	for (size_t i = 0; i < n; i++) {
		const ent_account_part *p = w->order[i];
		const char *moved = moved_text(w, ent__why_moved(w, p), p->top - p->top_was);
		const char *where = ent__trace_where(w->trace, p->source, p->input, p->place);
		if (!detailed) {
			ent_table_styled(&t, ENT_BOLD, moved);
			ent_table_cell(&t, ent_account_changes[p->change]);
			ent_table_styled(&t, ENT_FAINT, ent_day_text(p->day, day));
			ent_table_cell(&t, ent__trace_name(w->trace, p));
			ent_table_printf(&t, ENT_PLAIN, "%s%s", where, gone_by(w, p));
			continue;
		}
		ent_term_printf(&call->term, &call->out, ENT_BOLD, "%s", moved);
		ent_buf_printf(&call->out, "  %s  %s  %s", ent_account_changes[p->change], ent_day_text(p->day, day),
			ent__trace_name(w->trace, p));
		ent_term_printf(&call->term, &call->out, ENT_ACCENT, "  %s%s", where, gone_by(w, p));
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "  arrived %s\n", ent__trace_time(p->arrival, when));
		const ent_position both[2] = {p->was, p->at};
		const char *before = "";
		for (unsigned k = 0; k < 2; k++) {
			const char *fact = ent__trace_fact(w->trace, both[k]);
			if (*fact && strcmp(before, fact) != 0) {
				ent_buf_printf(&call->out, "    ");
				ent_term_printf(&call->term, &call->out, ENT_FAINT, "%s ", k ? "now" : "was");
				ent_term_wrap(&call->term, &call->out, 8, fact);
				ent_buf_u8(&call->out, '\n');
			}
			before = ent_arena_copy(&w->trace->arena, fact, strlen(fact));
		}
	}
	if (!detailed && n) {
		ent_buf_u8(&call->out, '\n');
		ent_table_print(&t, &call->term, &call->out);
	}
	ent_table_finish(&t);
	if (w->n > n) {
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "and %zu more: --rows %zu\n", w->n - n, w->n);
	}
}

void ent__why_show(const ent__why *w, size_t rows, bool detailed) {
	ent_call *call = w->trace->call;
	const ent_account *a = &w->account;
	char was[ENT_NUMBER_TEXT], now[ENT_NUMBER_TEXT], from[16], to[16], number[ENT_NUMBER_TEXT];
	double moved = 0;
	__int128 exact = a->top - a->top_was;
	for (size_t i = 0; i < w->n; i++) {
		moved += ent__why_moved(w, w->order[i]);
	}
	ent_term_printf(&call->term, &call->out, ENT_PLAIN, "%s then, %s now",
		ent__value_text(w->trace, w->m, a->top_was, a->bottom_was, was),
		ent__value_text(w->trace, w->m, a->top, a->bottom, now));
	if (w->n) {
		ent_term_printf(&call->term, &call->out, ENT_BOLD, ": %s %s", moved_text(w, moved, exact), unit_text(w));
	}
	if (w->m->kind == ENT_METRIC_DISTRIBUTION) {
		ent_term_printf(
			&call->term, &call->out, ENT_PLAIN, " values; a quantile is no sum, so no part of it is any record's");
	}
	ent_buf_printf(&call->out, "%s\n", w->n ? "" : ": nothing moved it");
	if (ratio(w) && w->n) {
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "%s / ",
			ent__sum_text(ent__top_unit(w->trace, w->m), a->top_was, number));
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "%s then, ",
			ent__sum_text(ent__bottom_unit(w->trace, w->m), a->bottom_was, number));
		ent_term_printf(
			&call->term, &call->out, ENT_FAINT, "%s / ", ent__sum_text(ent__top_unit(w->trace, w->m), a->top, number));
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "%s now\n",
			ent__sum_text(ent__bottom_unit(w->trace, w->m), a->bottom, number));
	}
	if (w->then.from != w->now.from || w->then.to != w->now.to) {
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "then of %s to %s, ", ent_day_text(w->then.from, from),
			ent_day_text(w->then.to - 1, to));
		ent_term_printf(&call->term, &call->out, ENT_FAINT, "now of %s to %s\n", ent_day_text(w->now.from, from),
			ent_day_text(w->now.to - 1, to));
	}
	if (a->converted) {
		ent_term_text(&call->term, &call->out, ENT_FAINT, "both with the exchange rates that are known now\n");
	}
	if (a->no_rate) {
		ent_term_printf(&call->term, &call->out, ENT_WARN, "no exchange rate on %s: what needs it counts as nothing\n",
			ent_day_text(a->no_rate_day, from));
	}
	if (w->n) {
		ent_buf_u8(&call->out, '\n');
		show_groups(w);
		show_parts(w, rows, detailed);
	}
}

/* ---- JSON
 * --------------------------------------------------------------------------------------------------------------- */

static void json_side(const ent__why *w, const char *key, const ent_account_side *side, __int128 top, __int128 bottom) {
	ent_json *j = &w->trace->call->writer;
	char day[16];
	ent_json_key(j, key);
	ent_json_object(j);
	ent_json_key(j, "from");
	ent_json_text(j, ent_day_text(side->from, day));
	ent_json_key(j, "through");
	ent_json_text(j, ent_day_text(side->to - 1, day));
	ent_json_key(j, "top");
	ent__sum_json(j, ent__top_unit(w->trace, w->m), ent_div_half_even(top, ENT_ACCOUNT_ONE) * ENT_ACCOUNT_ONE);
	ent_json_key(j, "bottom");
	if (ratio(w)) {
		ent__sum_json(
			j, ent__bottom_unit(w->trace, w->m), ent_div_half_even(bottom, ENT_ACCOUNT_ONE) * ENT_ACCOUNT_ONE);
	} else {
		ent_json_null(j);
	}
	ent_json_end(j);
}

void ent__why_json(const ent__why *w, size_t rows) {
	ent_json *j = &w->trace->call->writer;
	const ent_account *a = &w->account;
	__int128 top_was = ent_div_half_even(a->top_was, ENT_ACCOUNT_ONE) * ENT_ACCOUNT_ONE;
	__int128 top = ent_div_half_even(a->top, ENT_ACCOUNT_ONE) * ENT_ACCOUNT_ONE, parts = 0;
	double moved = 0;
	ent_json_object(j);
	json_side(w, "then", &w->then, a->top_was, a->bottom_was);
	json_side(w, "now", &w->now, a->top, a->bottom);
	ent_json_key(j, "parts");
	ent_json_array(j);
	for (size_t i = 0; i < w->n; i++) {
		const ent_account_part *p = w->order[i];
		parts += p->top - p->top_was;
		moved += ent__why_moved(w, p);
		if (i >= rows) {
			continue;
		}
		ent_json_object(j);
		ent__trace_part_json(w->trace, w->m, p, true);
		ent_json_key(j, "moved");
		if (ratio(w)) {
			ent_json_double(j, ent__why_moved(w, p));
		} else {
			ent__sum_json(j, ent__top_unit(w->trace, w->m), p->top - p->top_was);
		}
		ent_json_end(j);
	}
	ent_json_end(j);
	ent_json_key(j, "parts_in_all");
	ent_json_uint(j, w->n);
	ent_json_key(j, "moved");
	if (ratio(w)) {
		ent_json_double(j, moved);
	} else {
		ent__sum_json(j, ent__top_unit(w->trace, w->m), top - top_was);
	}
	/* what converting each moment as a whole, and not record by record, rounds away */
	ent_json_key(j, "rounding");
	ent__sum_json(j, ent__top_unit(w->trace, w->m), top - top_was - parts);
	ent_json_end(j);
}
