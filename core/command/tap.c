/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente tap`: the facts that a source yields, live, with the place each came from. Nothing is stored: the engine
 * does not open the store at all (engine/tap.h), so it may be run beside a run or a service. */
#include "command/fact_text.h"
#include "command/lines.h"
#include "command/project.h"
#include "engine/tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_WIDTH = 40, ROWS = 512 /* that are held back at most, for common widths */ };

static const char *const kinds[] = {
	"order", "line", "refund", "cart", "visit", "touch", "contact", "observation", "entry", NULL};

typedef struct shown_row {
	uint64_t place; /* rows that are held back are shown in the order of the file */
	const char *where, *what, *key, *text;
	ent_style style;
} shown_row;

typedef struct tap {
	ent_call *call;
	const ent_engine *engine;
	const char *source;
	bool follows;
	unsigned kind; /* ent_fact; 0: all */
	uint64_t limit, facts, failed;
	ent__lines lines;
	/* rows until they are shown, and the widths so far */
	shown_row rows[ROWS];
	size_t n_rows;
	size_t widths[3];
	bool headed;
	ent_arena arena;
	ent_buf text;
} tap;

/* ---- for people: rows
 * -------------------------------------------------------------------------------------------------- */

static void pad(ent_buf *out, const char *text, size_t width) {
	size_t n = ent_text_width(text, strlen(text));
	ent_buf_printf(out, "%*s", (int)(width > n ? width - n : 0) + 2, "");
}

/* The text, cut where the terminal ends. */
static void put_cut(tap *t, const shown_row *row) {
	const ent_term *term = &t->call->term;
	size_t before = t->widths[0] + t->widths[1] + t->widths[2] + 6;
	size_t room = term->width > before + 8 ? term->width - before : 0;
	const char *text = row->text;
	if (room && ent_text_width(text, strlen(text)) > room) {
		char *cut = ent_arena_copy(&t->arena, text, strlen(text));
		size_t n = strlen(cut);
		while (n && (ent_text_width(cut, n) >= room || ((unsigned char)cut[n] & 0xc0) == 0x80)) {
			n--;
		}
		cut[n] = 0;
		text = ent_arena_printf(&t->arena, "%s…", cut);
	}
	ent_term_text(term, &t->call->out, row->style, text);
}

static void put_row(tap *t, const shown_row *row) {
	const ent_term *term = &t->call->term;
	ent_buf *out = &t->call->out;
	ent_term_text(term, out, t->headed ? ENT_PLAIN : ENT_BOLD, row->where);
	pad(out, row->where, t->widths[0]);
	ent_term_text(term, out, t->headed ? row->style : ENT_BOLD, row->what);
	pad(out, row->what, t->widths[1]);
	ent_term_text(term, out, t->headed ? ENT_ACCENT : ENT_BOLD, row->key);
	pad(out, row->key, t->widths[2]);
	put_cut(t, row);
	ent_buf_u8(out, '\n');
}

static void wider(size_t *width, const char *text) {
	size_t n = ent_text_width(text, strlen(text));
	*width = n > *width ? n : *width;
}

/* What a decoder holds back comes after what it rejected meanwhile. Nearly in order, so by insertion. */
static void put_in_order(tap *t) {
	for (size_t i = 1; i < t->n_rows; i++) {
		shown_row row = t->rows[i];
		size_t k = i;
		for (; k && t->rows[k - 1].place > row.place; k--) {
			t->rows[k] = t->rows[k - 1];
		}
		t->rows[k] = row;
	}
}

static bool show_rows(tap *t) {
	static const shown_row head = {0, "where", "what", "key", "says", ENT_BOLD};
	if (!t->n_rows) {
		return true;
	}
	put_in_order(t);
	for (size_t i = 0; i <= t->n_rows; i++) {
		const shown_row *row = i ? &t->rows[i - 1] : &head;
		wider(&t->widths[0], row->where);
		wider(&t->widths[1], row->what);
		wider(&t->widths[2], row->key);
	}
	if (!t->headed) {
		put_row(t, &head);
		t->headed = true;
	}
	for (size_t i = 0; i < t->n_rows; i++) {
		put_row(t, &t->rows[i]);
	}
	t->n_rows = 0;
	ent_arena_finish(&t->arena);
	t->arena = (ent_arena){0};
	return ent_call_flush(t->call);
}

static void add_row(
	tap *t, uint64_t place, const char *where, const char *what, const char *key, ent_style style, const char *text) {
	size_t n = strlen(key), cut = n > KEY_WIDTH ? KEY_WIDTH : n;
	while (cut < n && ((unsigned char)key[cut] & 0xc0) == 0x80) {
		cut--;
	}
	t->rows[t->n_rows++] = (shown_row){place, where, ent_arena_copy(&t->arena, what, strlen(what)),
		ent_arena_printf(&t->arena, "%.*s%s", (int)cut, key, cut < n ? "…" : ""),
		ent_arena_copy(&t->arena, text, strlen(text)), style};
	if (t->n_rows == ROWS) {
		show_rows(t);
	}
}

static const char *where(tap *t, const ent_tap_document *d, uint64_t line, uint64_t place) {
	return line ? ent_arena_printf(&t->arena, "%s:%" PRIu64, d->name, line)
				: ent_arena_printf(&t->arena, "%s, byte %" PRIu64, d->name, place);
}

/* ---- for programs: an object a line
 * ------------------------------------------------------------------------------------ */

static ent_json *object(tap *t, const char *key, const char *value) {
	ent_json *j = &t->call->writer;
	if (t->call->json_out.n) {
		ent_buf_u8(&t->call->json_out, '\n');
	}
	ent_json_init(j, &t->call->json_out, false);
	ent_json_object(j);
	ent_json_key(j, key);
	ent_json_text(j, value);
	ent_json_key(j, "source");
	ent_json_text(j, t->source);
	return j;
}

static void member(ent_json *j, const char *key, const char *text) {
	if (text && *text) {
		ent_json_key(j, key);
		ent_json_text(j, text);
	}
}

static void number(ent_json *j, const char *key, uint64_t n) {
	ent_json_key(j, key);
	ent_json_uint(j, n);
}

static void json_place(ent_json *j, const ent_tap_document *d, uint64_t line, uint64_t place) {
	member(j, "file", d->name);
	ent_json_key(j, "line");
	if (line) {
		ent_json_uint(j, line);
	} else {
		ent_json_null(j);
	}
	number(j, "place", place);
}

static uint64_t line_of(tap *t, const ent_tap_document *d, uint64_t place) {
	return d->path ? ent__line_at(&t->lines, d->path, place) : 0;
}

/* ---- facts
 * ------------------------------------------------------------------------------------------------------------- */

/* The document's key, which is that of its head. Those of visits and touches are made of identities. */
static const char *key_of(tap *t, const ent_document *document) {
	char hash[16];
	if (document->kind == ENT_VISIT || document->kind == ENT_TOUCH) {
		ent_tap_key(t->engine, document->key, document->key_n, hash);
		return ent_arena_printf(&t->arena, "%s", hash);
	}
	return ent_arena_copy(&t->arena, document->key, document->key_n);
}

/* The key of a line or refund stands beside its order's. */
static void fact_json(
	tap *t, const ent_tap_document *d, const ent_document *document, const ent_item *item, uint64_t line) {
	ent_json *j = object(t, "fact", ent_fact_name(item->kind));
	const char *own = ent_engine_text(t->engine, item->partner);
	bool part = item->kind != document->kind;
	char time[48];
	json_place(j, d, line, item->place);
	member(j, "partner", *own ? own : d->partner);
	ent_json_key(j, part ? "order_key" : "key");
	ent_json_text(j, key_of(t, document));
	if (part) {
		ent_json_key(j, "key");
		ent_json_text_n(j, item->key, item->key_n);
	}
	member(j, "version", ent__time_text(ent_wire_time_unpack((uint64_t)item->rank.updated), true, time));
	if (item->flags & ENT_DOC_RETRACT) {
		ent_json_key(j, "retracts");
		ent_json_bool(j, true);
	} else {
		ent__fact_json(t->engine, item, j);
	}
	if (item->kind == ENT_ORDER && item->flags & ENT_DOC_LINES_COMPLETE) {
		ent_json_key(j, "lines_complete");
		ent_json_bool(j, true);
	}
	ent_json_end(j);
}

static void fact_row(tap *t, const ent_tap_document *d, const ent_document *document, const ent_item *item,
	uint64_t line, const char *currency) {
	const char *own = ent_engine_text(t->engine, item->partner);
	bool part = item->kind != document->kind;
	t->text.n = 0;
	if (item->flags & ENT_DOC_RETRACT) {
		ent_buf_printf(&t->text, "is taken back");
	} else {
		ent__fact_line(t->engine, item, currency, &t->text);
	}
	if (*own) {
		ent_buf_printf(&t->text, ", partner %s", own);
	}
	ent_buf_u8(&t->text, 0);
	add_row(t, item->place, where(t, d, line, item->place), ent_fact_name(item->kind),
		part ? ent_arena_printf(&t->arena, "%s/%.*s", key_of(t, document), (int)item->key_n, item->key)
			 : key_of(t, document),
		ENT_PLAIN, (char *)t->text.data);
}

static bool on_facts(void *ctx, const ent_tap_document *d, const ent_document *document) {
	tap *t = ctx;
	char currency[4] = "";
	for (uint32_t i = 0; i < document->n && (!t->limit || t->facts < t->limit); i++) {
		const ent_item *item = &document->items[i];
		if (item->kind == ENT_ORDER && !(item->flags & ENT_DOC_RETRACT)) {
			memcpy(currency, item->body.order.currency, sizeof currency);
			currency[3] = 0;
		}
		if (t->kind && item->kind != t->kind) {
			continue;
		}
		t->facts++;
		uint64_t line = line_of(t, d, item->place);
		if (t->call->json) {
			fact_json(t, d, document, item, line);
		} else {
			fact_row(t, d, document, item, line, currency);
		}
	}
	return !t->limit || t->facts < t->limit;
}

/* ---- the rest
 * ---------------------------------------------------------------------------------------------------------- */

static bool on_reject(void *ctx, const ent_tap_document *d, const ent_tap_reject *r) {
	tap *t = ctx;
	uint64_t line = line_of(t, d, r->place);
	if (t->call->json) {
		ent_json *j = object(t, "verdict", "reject");
		json_place(j, d, line ? line : r->line, r->place);
		member(j, "column", r->column);
		member(j, "why", r->reason);
		member(j, "excerpt", r->excerpt);
		ent_json_end(j);
	} else {
		add_row(t, r->place, where(t, d, line ? line : r->line, r->place), "reject", r->column, ENT_BAD, r->reason);
	}
	return true;
}

static void on_skips(void *ctx, const ent_tap_document *d, uint64_t n, const char *reason) {
	tap *t = ctx;
	char times[32];
	if (t->call->json) {
		ent_json *j = object(t, "verdict", "skip");
		member(j, "file", d->name);
		number(j, "records", n);
		member(j, "why", reason);
		ent_json_end(j);
	} else {
		snprintf(times, sizeof times, "%" PRIu64 " times", n);
		add_row(t, UINT64_MAX, ent_arena_printf(&t->arena, "%s", d->name), "skip", n == 1 ? "once" : times, ENT_FAINT,
			reason);
	}
}

static void on_covers(void *ctx, const ent_tap_document *d, unsigned kind, ent_time from, ent_time to, bool complete) {
	tap *t = ctx;
	char first[48], end[48];
	if (t->call->json) {
		ent_json *j = object(t, "covers", ent_fact_name(kind));
		member(j, "file", d->name);
		member(j, "from", ent__time_text(from, true, first));
		member(j, "to", ent__time_text(to, true, end));
		ent_json_key(j, "complete");
		ent_json_bool(j, complete);
		ent_json_end(j);
	} else {
		add_row(t, 0, ent_arena_printf(&t->arena, "%s", d->name), "covers", ent_fact_name(kind), ENT_FAINT,
			ent_arena_printf(&t->arena, "%s until before %s%s", ent__time_text(from, false, first),
				ent__time_text(to, false, end), complete ? ", all of it: what is lacking is gone" : ""));
	}
}

static void on_slice(void *ctx, const ent_tap_document *d, const char *name, int grade) {
	tap *t = ctx;
	if (t->call->json) {
		ent_json *j = object(t, "slice", name);
		member(j, "file", d->name);
		number(j, "grade", (uint64_t)grade);
		ent_json_end(j);
	} else {
		add_row(t, 0, ent_arena_printf(&t->arena, "%s", d->name), "slice", name, ENT_FAINT,
			ent_arena_printf(&t->arena, "an edition of grade %d", grade));
	}
}

static bool on_show(void *ctx) {
	tap *t = ctx;
	if (!t->call->json) {
		return show_rows(t);
	}
	ent_arena_finish(&t->arena);
	t->arena = (ent_arena){0};
	return ent_call_flush(t->call);
}

static void on_done(void *ctx, const ent_tap_document *d, const ent_assignment *a) {
	tap *t = ctx;
	if (t->call->json) {
		ent_json *j = object(t, "end", d->name);
		member(j, "decoder", d->decoder->name);
		member(j, "read_as", a->notes);
		number(j, "records", a->records);
		number(j, "consumed", a->consumed);
		number(j, "rejected", a->rejected);
		number(j, "skipped", a->skipped);
		number(j, "facts", a->facts);
		ent_json_end(j);
	} else {
		add_row(t, UINT64_MAX, ent_arena_printf(&t->arena, "%s", d->name), "end", "", ENT_FAINT,
			ent_arena_printf(&t->arena,
				"%" PRIu64 " record%s: %" PRIu64 " consumed, %" PRIu64 " rejected, %" PRIu64 " skipped; %" PRIu64
				" fact%s; decoder %s%s%s%s",
				a->records, a->records == 1 ? "" : "s", a->consumed, a->rejected, a->skipped, a->facts,
				a->facts == 1 ? "" : "s", d->decoder->name, *a->notes ? " (" : "", a->notes, *a->notes ? ")" : ""));
	}
	on_show(t);
}

static void on_failed(void *ctx, const ent_tap_document *d, uint64_t place, const ent_error *said) {
	tap *t = ctx;
	ent_error copy = *said, *e = &copy;
	if (!e->line && d && place != UINT64_MAX) {
		uint64_t line = line_of(t, d, place);
		size_t n = strlen(e->what);
		e->line = line < UINT32_MAX ? (uint32_t)line : 0;
		if (place || !line) {
			snprintf(e->what + n, sizeof e->what - n, ", at byte %" PRIu64, place);
		}
	}
	t->failed++;
	on_show(t);
	if (t->call->json) { /* one line of many, not the whole answer */
		ent_json *j = object(t, "error", e->what);
		member(j, "file", e->file);
		number(j, "line", e->line);
		number(j, "column", e->column);
		member(j, "todo", e->todo);
		ent_json_end(j);
		on_show(t);
	} else {
		ent_call_error(t->call, e);
	}
}

static void on_all(void *ctx, uint64_t documents) {
	tap *t = ctx;
	const ent_config_source *source = ent_config_source_find(ent_engine_config(t->engine), t->source);
	bool network = source->from.kind >= ENT_FROM_WEBHOOK;
	on_show(t);
	if (network && !t->follows) {
		ent_call_note(t->call,
			"%s: that is what the inbox holds; with --follow what arrives while a service runs is shown, too",
			documents ? t->source : "nothing of this source lies in the inbox");
	} else if (!documents && !t->failed && !t->follows) {
		ent_call_note(t->call, "the source has no files now");
	} else if (t->follows) {
		ent_call_note(t->call, "waiting for more; Ctrl-C ends it");
	}
}

static const ent_tap_events events = {
	.facts = on_facts,
	.reject = on_reject,
	.skips = on_skips,
	.covers = on_covers,
	.slice = on_slice,
	.batch = on_show,
	.done = on_done,
	.failed = on_failed,
	.all = on_all,
};

/* ---- command
 * ----------------------------------------------------------------------------------------------------------- */

static int no_source(ent_call *call, const ent_config *config, const char *name) {
	const char **names = ent_xcalloc(config->n_sources + 1, sizeof *names);
	for (size_t i = 0; i < config->n_sources; i++) {
		names[i] = config->sources[i].name.s;
	}
	const char *near = ent_nearest(name, names, config->n_sources);
	ent_error e;
	ent_error_set(&e, ENT_ERR_NOTFOUND, "there is no source '%s'", name);
	ent_error_at(&e, call->config_path, 0, 0);
	if (near) {
		ent_error_todo(&e, "did you mean '%s'?", near);
	} else {
		ent_error_todo(&e, "`entente sources` lists them");
	}
	free(names);
	return ent_call_error(call, &e);
}

static int tap_it(ent_call *call, const ent__project *p, tap *t, ent_errors *errors) {
	const ent_plugin_info *const *plugins;
	size_t n;
	bool fresh = false;
	ent_tap_what what = {.source = t->source, .input = ent_call_text(call, "input", NULL), .follow = t->follows};
	ent_engine_plugins(
		p->engine, &plugins, &n, errors); /* one that cannot be loaded is told: it may be the one that is needed */
	size_t before = errors->total;
	if (ent_engine_tap(p->engine, &what, &events, t, &fresh, errors) && errors->total > before) {
		on_show(t);
		return ent_call_errors(call, errors);
	}
	on_show(t);
	if (fresh && !call->json && t->facts) {
		ent_call_note(call, "there is no store yet: identities (#…) are keyed for this look alone");
	}
	return t->failed ? ENT_EXIT_ERROR : ENT_EXIT_OK;
}

static int run(ent_call *call) {
	ent__project p;
	tap *t = ent_xcalloc(1, sizeof *t);
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	int exit = ent__project_open(call, &p, ENT_ENGINE_PLUGINS);
	t->source = ent_call_operand(call, 0);
	if (!exit && !ent_config_source_find(p.config, t->source)) {
		exit = no_source(call, p.config, t->source);
	} else if (!exit) {
		t->call = call;
		t->engine = p.engine;
		t->follows = ent_call_has(call, "follow");
		t->limit = (uint64_t)ent_call_number(call, "limit", 0);
		t->kind = ent_call_has(call, "fact") ? (unsigned)ent_call_number(call, "fact", 0) + 1 : 0;
		exit = tap_it(call, &p, t, errors);
	}
	ent__lines_finish(&t->lines);
	ent_arena_finish(&t->arena);
	ent_buf_finish(&t->text);
	ent__project_finish(&p);
	free(errors);
	free(t);
	return exit;
}

static const ent_arg args[] = {
	{.name = "limit", .type = ENT_ARG_INT, .value = "N", .least = 1, .most = INT64_MAX, .doc = "At most N facts."},
	{.name = "fact",
		.type = ENT_ARG_CHOICE,
		.value = "KIND",
		.choices = kinds,
		.doc = "Only these facts; rejects and skips are shown all the same."},
	{.name = "input",
		.type = ENT_ARG_TEXT,
		.value = "FILE",
		.doc = "Read this file as the source would, in place of its own."},
	{.name = "follow",
		.type = ENT_ARG_SWITCH,
		.doc = "Wait for what comes: new files, lines that are appended, what arrives in the inbox."},
	{.name = NULL},
};

static const ent_operand operands[] = {
	{.name = "SOURCE", .required = true, .doc = "Its name in the configuration; `entente sources` lists them."},
	{.name = NULL},
};

const ent_command ent_command_tap = {
	.name = "tap",
	.doc = "Show the facts that a source yields, live; nothing is stored.",
	.text = "The source's files go through its decoder, in the worker that a run uses; what comes out is shown with "
			"the file and line it came from, "
			"and rejects and skips with their reasons. The store is not opened and no position moves, so it may be "
			"done beside a service. "
			"Identities are shown as keyed hashes. Of a source that is fed over the network it shows what the inbox "
			"holds; what was read long ago "
			"is there no more. With --json each fact is an object on a line of its own.\n\n"
			"  entente tap exports --limit 20\n"
			"  entente tap exports --input new.csv --fact order\n"
			"  entente tap hooks --follow --json",
	.args = args,
	.operands = operands,
	.run = run,
};
