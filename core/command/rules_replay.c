/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente rules replay`: what rules would have said on each past day, as of that day, with nothing that came to be
 * known later. The engine makes the past moments (engine/past.h); here days, rules, partners and settings are chosen,
 * and what was said is followed from day to day. Nothing is stored. One thread. */
#include "command/rules_replay.h"

#include "base/day.h"
#include "command/findings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_DAYS = 20000, MOST_RULES = 512, MOST_SKIPPED = 64, MOST_NOTES = 16 };

typedef struct replaying {
	ent_call *call;
	ent__project project;
	ent_arena arena;
	ent_errors *errors;  /* of the books */
	json_object *root;   /* rules list */
	json_object **rules; /* chosen */
	const char **names;
	const char **closure; /* and those that they read */
	size_t n_rules, n_closure;
	const char **partners;
	size_t n_partners;
	const char *skip[MOST_SKIPPED];
	size_t n_skip;
	int32_t *days;
	size_t n_days, days_capacity;
	ent_knowledge knowledge;
	const char *because;
	ent__replay_sets sets;
	ent_past *past;
	ent__replay replay;
	ent_progress progress;
	const char *notes[MOST_NOTES];
	size_t n_notes;
} replaying;

/* ---- what is to be replayed
 * ---------------------------------------------------------------------------------------------- */

static json_object *member(json_object *o, const char *key) {
	json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static const char *name_of(json_object *rule) { return json_object_get_string(member(rule, "name")); }

static size_t find_rule(json_object *list, const char *name) {
	size_t n = json_object_array_length(list), i = 0;
	while (i < n && strcmp(name_of(json_object_array_get_idx(list, i)), name) != 0) {
		i++;
	}
	return i;
}

static bool among(const char *const *names, size_t n, const char *name) {
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(names[i], name)) {
			return true;
		}
	}
	return false;
}

/* With the rules that it comes after, and those that they do. */
static void add_closure(replaying *p, json_object *list, json_object *rule) {
	if (among(p->closure, p->n_closure, name_of(rule))) {
		return;
	}
	p->closure[p->n_closure++] = name_of(rule);
	json_object *after = member(rule, "after");
	for (size_t i = 0; after && i < json_object_array_length(after); i++) {
		size_t at = find_rule(list, json_object_get_string(json_object_array_get_idx(after, i)));
		if (at < json_object_array_length(list)) {
			add_closure(p, list, json_object_array_get_idx(list, at));
		}
	}
}

static int choose_rules(replaying *p) {
	ent_error e = {0};
	p->errors = ent_xcalloc(1, sizeof *p->errors);
	if (ent__project_rules(&p->project, &p->root, p->errors, &e)) {
		return ent_call_error(p->call, &e);
	}
	json_object *list = member(p->root, "rules");
	size_t n = list ? json_object_array_length(list) : 0, wanted = p->call->n_operands ? p->call->n_operands : n;
	p->rules = ent_arena_alloc(&p->arena, (n + 1) * sizeof(json_object *));
	p->names = ent_arena_alloc(&p->arena, (n + 1) * sizeof *p->names);
	p->closure = ent_arena_alloc(&p->arena, (n + 1) * sizeof *p->closure);
	for (size_t i = 0; i < wanted; i++) {
		const char *name =
			p->call->n_operands ? ent_call_operand(p->call, i) : name_of(json_object_array_get_idx(list, i));
		size_t at = find_rule(list, name);
		if (at == n) {
			const char *names[MOST_RULES];
			size_t k = 0;
			for (; k < n && k < MOST_RULES; k++) {
				names[k] = name_of(json_object_array_get_idx(list, k));
			}
			const char *near = ent_nearest(name, names, k);
			return ent_call_unknown(p->call,
				near ? ent_arena_printf(&p->arena, "did you mean '%s'?", near) : "`entente rules list` shows the rules",
				"there is no rule '%s'", name);
		}
		json_object *rule = json_object_array_get_idx(list, at);
		if (!among(p->names, p->n_rules, name)) {
			p->names[p->n_rules] = name_of(rule);
			p->rules[p->n_rules++] = rule;
			add_closure(p, list, rule);
		}
	}
	return p->n_rules ? ENT_EXIT_OK
					  : ent_call_usage(p->call, "name a book in rules.books", "there are no rules to replay");
}

typedef struct ids {
	ent_arena *arena;
	const char **v;
	size_t n, capacity;
} ids;

static int take_id(void *ctx, const char *id, ent_partner_kind kind, const ent_config_partner *config) {
	ids *all = ctx;
	(void)config;
	if (kind != ENT_PARTNER_PARKED) {
		ENT_GROW(all->v, all->n, all->capacity);
		all->v[all->n++] = ent_arena_copy(all->arena, id, strlen(id));
	}
	return 0;
}

static int choose_partners(replaying *p) {
	ids all = {.arena = &p->arena};
	const char *id;
	int exit = ENT_EXIT_OK;
	ent_engine_partners(p->project.engine, take_id, &all);
	p->partners = ent_arena_alloc(&p->arena, (p->call->n_given + 1) * sizeof *p->partners);
	for (size_t i = 0; !exit && (id = ent_call_each(p->call, "partner", i)); i++) {
		if (among(all.v, all.n, id)) {
			p->partners[p->n_partners++] = id;
			continue;
		}
		const char *near = ent_nearest(id, all.v, all.n);
		exit = ent_call_unknown(p->call,
			near ? ent_arena_printf(&p->arena, "did you mean '%s'?", near) : "`entente partners` lists them",
			"there is no partner '%s'", id);
	}
	free(all.v);
	return exit;
}

/* ---- days
 * ---------------------------------------------------------------------------------------------------------------- */

typedef struct stride {
	int32_t days;
	unsigned months;
} stride;

/* 1d, 7d, 2w, 1m */
static bool stride_of(const char *text, stride *out) {
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	*out = (stride){0};
	if (end == text || !n || n > 3660 || !*end || end[1] || *text == '-' || *text == '+') {
		return false;
	}
	out->days = *end == 'd' ? (int32_t)n : *end == 'w' ? (int32_t)n * 7 : 0;
	out->months = *end == 'm' ? (unsigned)n : *end == 'y' ? (unsigned)n * 12 : 0;
	return out->days || out->months;
}

/* The same day of a later month, or its last. */
static int32_t months_later(int32_t day, unsigned months) {
	int year;
	unsigned month, dom;
	ent_day_civil(day, &year, &month, &dom);
	unsigned later = month - 1 + months;
	year += (int)(later / 12);
	month = later % 12 + 1;
	while (!ent_day_valid(year, month, dom)) {
		dom--;
	}
	return ent_day_of(year, month, dom);
}

static int choose_days(replaying *p) {
	ent_call *call = p->call;
	char a[16], b[16];
	ent_error e = {0};
	stride step;
	int32_t to, today, latest;
	const ent_as_of now = {.kind = ENT_AS_OF_NOW};
	const char *text = ent_call_text(call, "step", "1d");
	if (ent_engine_as_of(p->project.engine, NULL, &latest, &e) ||
		ent_engine_as_of(p->project.engine, &now, &today, &e)) {
		return ent_call_error(call, &e);
	}
	if (!ent_call_has(call, "from")) {
		return ent_call_usage(call, "write --from YYYY-MM-DD", "'rules replay' needs the day to begin with");
	}
	if (!stride_of(text, &step)) {
		return ent_call_usage(call, "write a number and d, w, m or y: 1d, 7d, 1m", "--step does not take '%s'", text);
	}
	int32_t from = (int32_t)ent_call_number(call, "from", 0);
	to = (int32_t)ent_call_number(call, "to", latest);
	if (to > today) {
		return ent_call_usage(call, "replay what is over", "--to %s has not come yet", ent_day_text(to, a));
	}
	if (from > to) {
		return ent_call_usage(call,
			ent_call_has(call, "to") ? "turn them round" : "write --to, too: without it, the last day of the data",
			"--from %s is after --to %s", ent_day_text(from, a), ent_day_text(to, b));
	}
	for (unsigned i = 0; p->n_days < MOST_DAYS; i++) {
		int32_t day = step.days ? from + (int32_t)i * step.days : months_later(from, i * step.months);
		ENT_GROW(p->days, p->n_days, p->days_capacity);
		p->days[p->n_days++] = day < to ? day : to; /* the last one is always there */
		if (day >= to) {
			return ENT_EXIT_OK;
		}
	}
	return ent_call_usage(call, "take a longer --step", "these are more than %d days", MOST_DAYS);
}

/* ---- knowledge
 * ------------------------------------------------------------------------------------------------------------- */

static int choose_knowledge(replaying *p) {
	ent_past_reach reach;
	ent_error e = {0};
	char day[16];
	if (ent_engine_past_reach(p->project.engine, &reach, &e)) {
		return ent_call_error(p->call, &e);
	}
	bool came = reach.first_day <= p->days[0], kept = reach.kept_day <= p->days[0];
	const char *why =
		!came && reach.first_day == INT32_MAX ? "nothing has arrived yet"
		: !came ? ent_arena_printf(&p->arena, "nothing had arrived before %s", ent_day_text(reach.first_day, day))
		: !kept ? ent_arena_printf(&p->arena, "of what was superseded before %s, versions may be compacted away",
					  ent_day_text(reach.kept_day, day))
				: "arrival reaches back to the first day";
	if (ent_call_has(p->call, "knowledge")) {
		p->knowledge = (ent_knowledge)ent_call_number(p->call, "knowledge", 0);
		p->because = "as asked for";
		if (p->knowledge == ENT_KNOWLEDGE_ARRIVAL && !(came && kept)) {
			p->notes[p->n_notes++] = why;
		}
	} else {
		p->knowledge = came && kept ? ENT_KNOWLEDGE_ARRIVAL : ENT_KNOWLEDGE_EVENT;
		p->because = why;
	}
	return ENT_EXIT_OK;
}

/* What no mode knows, and what this one does not. */
static void tell_unknown(replaying *p) {
	const ent_past_untold *u = ent_past_untold_of(p->past);
	const struct {
		uint64_t n;
		const char *one, *many;
	} rows[] = {
		{u->cancelled, "order was cancelled, nobody says when: it counts as cancelled on all days",
			"orders were cancelled, nobody says when: they count as cancelled on all days"},
		{u->refunded, "order was paid back, nobody says when: it counts as paid back on all days",
			"orders were paid back, nobody says when: they count as paid back on all days"},
		{u->recovered, "cart was bought after all, nobody says when: it counts as bought on all days",
			"carts were bought after all, nobody says when: they count as bought on all days"},
		{u->entries, "entry of a register has no date: it is known from the day on which it was recorded",
			"entries of registers have no date: they are known from the day on which they were recorded"},
		{u->figures,
			"figure that is told as a sum is known from the day on which its period was over, whenever it was "
			"published",
			"figures that are told as sums are known from the day on which their period was over, whenever they were "
			"published"},
	};
	for (size_t i = 0; p->knowledge == ENT_KNOWLEDGE_EVENT && i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].n && p->n_notes < MOST_NOTES) {
			char number[ENT_NUMBER_TEXT];
			p->notes[p->n_notes++] = ent_arena_printf(&p->arena, "%s %s", ent_number_text(rows[i].n, 0, 0, number),
				rows[i].n == 1 ? rows[i].one : rows[i].many);
		}
	}
	for (size_t i = 0; i < p->n_partners && p->n_notes < MOST_NOTES - 1; i++) {
		char day[16];
		int32_t first = ent_past_first_day(p->past, ent_engine_code(p->project.engine, p->partners[i]));
		if (first > p->days[0]) {
			p->notes[p->n_notes++] = ent_arena_printf(&p->arena, "nothing of %s is known before %s", p->partners[i],
				first == INT32_MAX ? "the end" : ent_day_text(first, day));
		}
	}
	p->notes[p->n_notes++] = "profiles, settings and the partners themselves are as the configuration has them today";
}

/* ---- going through the days
 * -------------------------------------------------------------------------------------------------- */

static void on_reading(void *ctx, const char *what, uint64_t frames) { ent_progress_show(ctx, what, 0, 0, frames); }

static ent_past_question question_of(const replaying *p) {
	return (ent_past_question){.rules = p->closure,
		.n_rules = p->n_closure,
		.skip = p->skip,
		.n_skip = p->n_skip,
		.partners = p->partners,
		.n_partners = p->n_partners,
		.sets = (const char *)p->sets.json.data};
}

/* A rule that had to be stopped is left out from then on; the day is judged again without it. */
static int leave_out(replaying *p, const char *stopped, const ent_error *e) {
	char text[1400];
	if (!*stopped || p->n_skip == MOST_SKIPPED) {
		return ent_call_error(p->call, e);
	}
	ent_progress_clear(&p->progress);
	ent_call_note(p->call, "%s", ent_error_text(e, text, sizeof text));
	p->skip[p->n_skip++] = ent_arena_copy(&p->arena, stopped, strlen(stopped));
	return ENT_EXIT_OK;
}

/* The next day is prepared while this one is judged. */
static int go_through(replaying *p) {
	ent_engine *engine = p->project.engine;
	ent_snapshot_block block, next = {.fd = -1};
	ent_error e = {0}, later = {0};
	int exit = ENT_EXIT_OK, failed = 0;
	if (ent_past_next(p->past, &block, &e)) {
		return ent_call_error(p->call, &e);
	}
	ent_past_answers answers = {.take = ent__replay_take, .ctx = &p->replay};
	for (size_t i = 0; i < p->n_days && !exit;) {
		char day[16], what[64], stopped[128];
		snprintf(what, sizeof what, "%zu of %zu  %s", i + 1, p->n_days, ent_day_text(p->days[i], day));
		ent_progress_show(&p->progress, what, 0, 0, 0);
		ent_past_question q = question_of(p);
		if (ent_past_ask(engine, p->past, &block, &q, &answers, &e)) {
			exit = ent_call_error(p->call, &e);
			break;
		}
		if (i + 1 < p->n_days && next.fd < 0 && !failed) {
			failed = ent_past_next(p->past, &next, &later);
		}
		if (ent_past_answered(engine, &answers, stopped, &e)) {
			exit = leave_out(p, stopped, &e);
			continue;
		}
		ent__replay_step(&p->replay);
		if (failed) {
			exit = ent_call_error(p->call, &later);
			break;
		}
		ent_snapshot_block_finish(&block);
		block = next;
		next = (ent_snapshot_block){.fd = -1};
		i++;
	}
	ent_progress_clear(&p->progress);
	ent_snapshot_block_finish(&block);
	ent_snapshot_block_finish(&next);
	ent__replay_end(&p->replay);
	return exit;
}

/* ---- against what is said now
 * ---------------------------------------------------------------------------------------------- */

typedef struct comparing {
	replaying *p;
	ent__replay_diff *v;
	size_t n, capacity;
	bool *matched; /* by number of found */
} comparing;

static const ent__replayed *stands_then(const comparing *c, const ent_finding *f) {
	const ent__replay *r = &c->p->replay;
	for (size_t i = 0; i < r->n_found; i++) {
		const ent__replayed *x = &r->found[i];
		if (x->partner && x->said && !strcmp(r->rules[x->rule], f->rule) && !strcmp(x->partner, f->partner) &&
			!strcmp(x->key, f->key)) {
			c->matched[i] = true;
			return x;
		}
	}
	return NULL;
}

static int take_now(void *ctx, const ent_finding *f) {
	comparing *c = ctx;
	replaying *p = c->p;
	bool over = !strcmp(f->state, "cleared") || !strcmp(f->state, "resolved") || !strcmp(f->state, "stale");
	if (over || !among(p->names, p->n_rules, f->rule) ||
		(p->n_partners && !among(p->partners, p->n_partners, f->partner))) {
		return 0;
	}
	const ent__replayed *x = stands_then(c, f);
	ent_arena *a = &p->arena;
	ENT_GROW(c->v, c->n, c->capacity);
	c->v[c->n++] = (ent__replay_diff){.rule = ent_arena_copy(a, f->rule, strlen(f->rule)),
		.partner = ent_arena_copy(a, f->partner, strlen(f->partner)),
		.key = ent_arena_copy(a, f->key, strlen(f->key)),
		.kind = ent_arena_copy(a, f->kind, strlen(f->kind)),
		.text = ent_arena_copy(a, f->text, strlen(f->text)),
		.now = true,
		.then = x,
		.since_now = f->first_day,
		.since_then = x ? p->days[x->since] : INT32_MIN};
	return 0;
}

static int compare(replaying *p, ent__replay_view *view) {
	ent_error e = {0};
	char *judged = NULL;
	ent__replay *r = &p->replay;
	comparing c = {.p = p, .matched = ent_xcalloc(r->n_found + 1, sizeof *c.matched)};
	ent_store *store = p->project.store;
	view->judged_on = INT32_MIN;
	if (ent_store_findings_scan(store, NULL, take_now, &c, &e) ||
		ent_store_meta_get(store, "judged_as_of", &judged, &e)) {
		free(c.matched);
		free(c.v);
		return ent_call_error(p->call, &e);
	}
	for (size_t i = 0; i < r->n_found; i++) {
		const ent__replayed *x = &r->found[i];
		if (x->partner && x->said && !c.matched[i]) {
			ENT_GROW(c.v, c.n, c.capacity);
			c.v[c.n++] = (ent__replay_diff){.rule = r->rules[x->rule],
				.partner = x->partner,
				.key = x->key,
				.kind = x->kind,
				.text = x->text,
				.then = true,
				.since_now = INT32_MIN,
				.since_then = p->days[x->since]};
		}
	}
	if (judged) {
		ent_day_parse(judged, strlen(judged), &view->judged_on);
	}
	free(judged);
	free(c.matched);
	view->diff = true;
	view->diffs = c.v;
	view->n_diffs = c.n;
	return ENT_EXIT_OK;
}

/* ---- the chart
 * --------------------------------------------------------------------------------------------------------------- */

static int write_all(const char *path, const ent_buf *page, ent_error *e) {
	ent_arena arena = {0};
	char *fresh = ent_arena_printf(&arena, "%s.XXXXXX", path);
	int fd = mkostemp(fresh, O_CLOEXEC), saved = fd < 0 ? errno : 0;
	for (size_t done = 0; !saved && done < page->n;) {
		ssize_t n = write(fd, page->data + done, page->n - done);
		saved = n < 0 && errno != EINTR ? errno : 0;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0) {
		mode_t mask = umask(0);
		umask(mask);
		if (!saved && (fchmod(fd, 0666 & ~mask) || rename(fresh, path))) {
			saved = errno;
		}
		if (saved) {
			unlink(fresh);
		}
		close(fd);
	}
	ent_arena_finish(&arena);
	errno = saved;
	if (!saved) {
		return 0;
	}
	ent_error_errno(e, ENT_ERR_IO, "the chart cannot be written to %s", path);
	return ent_error_todo(e, "name a file in a folder that is there and that you may write");
}

static int chart(replaying *p, const ent__replay_view *view, const char *path) {
	ent_error e = {0};
	ent_buf request = {0}, page = {0};
	ent__replay_request(view, &request);
	ent_buf_u8(&request, 0);
	int status = ent_past_page(p->project.engine, (const char *)request.data, &page, &e);
	status = status ? status : write_all(path, &page, &e);
	ent_buf_finish(&request);
	ent_buf_finish(&page);
	if (!status && !p->call->json) {
		ent_buf_printf(&p->call->out, "\n%s: the chart\n", path);
	}
	return status ? ent_call_error(p->call, &e) : ENT_EXIT_OK;
}

/* ---- command
 * ----------------------------------------------------------------------------------------------------------------- */

static int show(replaying *p) {
	ent__replay_view view = {.call = p->call,
		.r = &p->replay,
		.sets = &p->sets,
		.days = p->days,
		.knowledge = p->knowledge,
		.because = p->because,
		.untold = ent_past_untold_of(p->past),
		.currency = p->project.config->currency.s,
		.judged_on = INT32_MIN};
	int exit = ENT_EXIT_OK;
	tell_unknown(p);
	view.notes = p->notes;
	view.n_notes = p->n_notes;
	if (ent_call_has(p->call, "diff")) {
		exit = compare(p, &view);
	}
	if (!exit) {
		ent__replay_show(&view);
	}
	if (!exit && ent_call_has(p->call, "chart")) {
		exit = chart(p, &view, ent_call_text(p->call, "chart", ""));
	}
	free(view.diffs);
	return exit;
}

static int prepare(replaying *p) {
	int exit = ent__project_open(p->call, &p->project, ENT_ENGINE_READ);
	exit = exit ? exit : choose_days(p);
	exit = exit ? exit : choose_rules(p);
	exit = exit ? exit : choose_partners(p);
	exit = exit ? exit : ent__replay_sets_read(p->call, p->rules, p->n_rules, &p->sets, &p->arena);
	if (!exit && p->sets.n > 1 && ent_call_has(p->call, "diff")) {
		exit = ent_call_usage(
			p->call, "set one value, or leave --diff away", "--diff compares one setting with what is said now");
	}
	if (!exit) { /* settings that do not fit are told before the ledger is read */
		ent_error e = {0};
		ent_past_question q = question_of(p);
		if (ent_past_check(p->project.engine, &q, &e)) {
			exit = ent_call_error(p->call, &e) ? ENT_EXIT_USAGE : ENT_EXIT_OK;
		}
	}
	return exit ? exit : choose_knowledge(p);
}

static int run(ent_call *call) {
	replaying p = {.call = call};
	char text[1400];
	ent_error e = {0};
	int exit = prepare(&p);
	if (!exit) {
		ent_progress_init(&p.progress, call->quiet);
		ent__replay_begin(&p.replay, p.names, p.n_rules, p.sets.n, p.n_days);
		if (ent_past_open(&p.past, p.project.engine, p.knowledge, p.days, p.n_days, on_reading, &p.progress, &e)) {
			ent_progress_clear(&p.progress);
			exit = ent_call_error(call, &e);
		}
	}
	exit = exit ? exit : go_through(&p);
	exit = exit ? exit : show(&p);
	for (size_t i = 0; p.errors && i < p.errors->n && !exit; i++) {
		ent_call_note(call, "%s", ent_error_text(&p.errors->e[i], text, sizeof text));
	}
	if (!exit && (p.n_skip || (p.errors && p.errors->total))) {
		exit = ENT_EXIT_SET_ASIDE;
	}
	ent_past_close(p.past);
	ent__replay_finish(&p.replay);
	ent__replay_sets_finish(&p.sets);
	json_object_put(p.root);
	free(p.errors);
	free(p.days);
	ent__project_finish(&p.project);
	ent_arena_finish(&p.arena);
	return exit;
}

static const ent_arg args[] = {
	{.name = "from", .type = ENT_ARG_DATE, .value = "DAY", .doc = "The first day."},
	{.name = "to",
		.type = ENT_ARG_DATE,
		.value = "DAY",
		.doc = "The last day, which is always judged; the moment of judgement of the configuration if not given."},
	{.name = "step",
		.type = ENT_ARG_TEXT,
		.value = "STEP",
		.doc = "From one day to the next: 1d (if not given), 7d, 1m."},
	{.name = "partner",
		.type = ENT_ARG_TEXT,
		.value = "PARTNER",
		.many = true,
		.doc = "Only this partner; may be given several times."},
	{.name = "knowledge",
		.type = ENT_ARG_CHOICE,
		.value = "WHICH",
		.choices = ent_knowledge_names,
		.doc = "arrival: what had arrived by then. event: what is known today, cut at the end of the day. If not "
			   "given, arrival where it reaches back."},
	{.name = "set",
		.type = ENT_ARG_TEXT,
		.value = "NAME=VALUE",
		.many = true,
		.doc = "With this setting: value, or a sweep: a,b,c or from..to/step. RULE.NAME=VALUE is of one rule alone."},
	{.name = "diff", .type = ENT_ARG_SWITCH, .doc = "Compare the last day with what is said now."},
	{.name = "chart", .type = ENT_ARG_TEXT, .value = "FILE", .doc = "Write a page with charts, one HTML file."},
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "RULE", .many = true, .doc = "The rules to replay; without any, all of them."},
	{.name = NULL},
};

const ent_command ent_command_rules_replay = {
	.name = "rules replay",
	.doc = "See what rules would have said on past days.",
	.text = "Each day is judged as of that day, with nothing that came to be known later: no refund, cancellation, "
			"file, rate or entry "
			"of a register. The table tells what changed from day to day, then the totals of each rule. Nothing is "
			"stored.\n\n"
			"  entente rules replay revenue_falls --from 2026-01-01 --step 7d --diff\n"
			"  entente rules replay revenue_falls --from 2026-01-01 --set falls=0.1..0.4/0.1 --chart falls.html",
	.args = args,
	.operands = operands,
	.run = run,
};
