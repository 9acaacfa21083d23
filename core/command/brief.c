/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente brief PARTNER`: the page for the meeting with one partner. Gathers what the store keeps of the partner,
 * hands it with a snapshot to the rules worker, which makes the page, and writes that to a file. */
#include "command/project.h"

#include "base/day.h"
#include "base/intern.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const formats[] = {"html", "json", "csv", NULL};
static const char *const readers[] = {"us", "partner", NULL};

/* What the store keeps of the partner. */
typedef struct gathered {
	ent__project *project;
	ent_call *call;
	json_object *records; /* by rule: what it left behind */
	json_object *findings, *asks, *sources;
	uint64_t said_true, said_false, unknown, failed;
	uint32_t n_findings;
} gathered;

/* ---- gathering --------------------------------------------------------------------------------------------------- */

static void put_text(json_object *o, const char *key, const char *text) {
	json_object_object_add(o, key, text && *text ? json_object_new_string(text) : NULL);
}

static json_object *member(json_object *o, const char *key) {
	json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

/* Why it could not judge: the sentences of the record, one after another. */
static json_object *why(json_object *record) {
	json_object *missed = member(record, "missed");
	ent_buf text = {0};
	for (size_t i = 0; missed && i < json_object_array_length(missed); i++) {
		ent_buf_printf(&text, "%s%s", i ? "; " : "", json_object_get_string(json_object_array_get_idx(missed, i)));
	}
	json_object *v = json_object_new_string_len((const char *)text.data, (int)text.n);
	ent_buf_finish(&text);
	return v;
}

static int take_verdict(
	void *ctx, const char *rule, const char *partner, const char *verdict, int32_t as_of, const char *json) {
	gathered *g = ctx;
	(void)partner;
	(void)as_of;
	g->said_true += !strcmp(verdict, "true");
	g->said_false += !strcmp(verdict, "false");
	g->unknown += !strcmp(verdict, "unknown");
	g->failed += !strcmp(verdict, "failed");
	json_object *record = json_tokener_parse(json), *asks = member(record, "asks");
	for (size_t i = 0; asks && i < json_object_array_length(asks); i++) {
		json_object *ask = NULL;
		if (json_object_deep_copy(json_object_array_get_idx(asks, i), &ask, NULL) == 0) {
			put_text(ask, "rule", rule);
			json_object_object_add(ask, "why", why(record));
			json_object_object_add(ask, "audience", json_object_get(member(record, "audience")));
			json_object_array_add(g->asks, ask);
		}
	}
	json_object_object_add(g->records, rule, record);
	return 0;
}

static int take_finding(void *ctx, const ent_finding *f) {
	gathered *g = ctx;
	char day[16];
	bool stale = !strcmp(f->state, "stale");
	if (!strcmp(f->state, "cleared") || !strcmp(f->state, "resolved")) {
		return 0;
	}
	json_object *o = json_tokener_parse(f->json);
	if (!json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		o = json_object_new_object();
	}
	put_text(o, "rule", f->rule);
	put_text(o, "key", f->key);
	put_text(o, "kind", f->kind);
	put_text(o, "text", f->text);
	put_text(o, "practice", f->practice);
	put_text(o, "audience", f->audience);
	put_text(o, "state", !stale ? f->state : f->life && *f->life ? f->life : "open");
	json_object_object_add(o, "stale", json_object_new_boolean(stale));
	put_text(o, "since", ent_day_text(f->first_day, day));
	json_object *evidence = member(member(g->records, f->rule), "evidence");
	json_object_object_add(o, "evidence", json_object_get(evidence));
	json_object_array_add(g->findings, o);
	g->n_findings++;
	return 0;
}

static int take_balance(void *ctx, const ent_balance *b) {
	gathered *g = ctx;
	const char *name = ent_engine_text(g->project->engine, b->source);
	const ent_config_source *source = ent_config_source_find(g->project->config, name);
	json_object *o = json_object_new_object();
	put_text(o, "name", name);
	put_text(o, "system", source ? source->decode.name.s : NULL);
	json_object_object_add(o, "records", json_object_new_int64((int64_t)b->records));
	bool closes = b->records == b->consumed + b->rejected + b->skipped &&
				  b->received == b->stored + b->replaced + b->duplicate + b->superseded + b->merged + b->refused;
	json_object_object_add(o, "balanced", json_object_new_boolean(closes));
	json_object_array_add(g->sources, o);
	return 0;
}

/* The rate table that money was converted with, as a hash over its days; NULL: nothing is converted. */
static json_object *rates(const ent_snap *s) {
	uint64_t hash = 0;
	for (uint32_t i = 0; i < s->n_rates; i++) {
		const ent_snap_rate *r = &s->rates[i];
		const char *currency = ent_snap_text_of(s, r->currency);
		hash = ent_hash64(currency, strlen(currency), hash);
		hash = ent_hash64(&r->day0, sizeof r->day0, hash);
		hash = ent_hash64(s->base + r->data, r->n * sizeof(int64_t), hash);
	}
	char text[17];
	snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
	return s->n_rates ? json_object_new_string(text) : NULL;
}

static json_object *digest(ent_engine *engine, ent_error *e) {
	ent_digest d;
	char text[65];
	if (ent_engine_digest(engine, &d, e)) {
		return NULL;
	}
	for (size_t i = 0; i < 32; i++) {
		snprintf(text + 2 * i, 3, "%02x", d.all[i]);
	}
	return json_object_new_string(text);
}

static json_object *judged(const gathered *g) {
	json_object *o = json_object_new_object();
	json_object_object_add(o, "true", json_object_new_int64((int64_t)g->said_true));
	json_object_object_add(o, "false", json_object_new_int64((int64_t)g->said_false));
	json_object_object_add(o, "unknown", json_object_new_int64((int64_t)g->unknown));
	json_object_object_add(o, "failed", json_object_new_int64((int64_t)g->failed));
	return o;
}

/* The request as docs/rules.md has it ("What a snapshot holds"); NULL: *e is set. */
static json_object *request(gathered *g, const char *partner, ent_error *e) {
	ent_store *store = ent_engine_store(g->project->engine);
	json_object *o = json_object_new_object();
	put_text(o, "partner", partner);
	put_text(o, "format", ent_call_text(g->call, "format", "html"));
	put_text(o, "for", ent_call_text(g->call, "for", "us"));
	g->records = json_object_new_object();
	json_object_object_add(o, "findings", g->findings = json_object_new_array());
	json_object_object_add(o, "asks", g->asks = json_object_new_array());
	json_object_object_add(o, "sources", g->sources = json_object_new_array());
	if (ent_store_verdicts_scan(store, partner, true, take_verdict, g, e) ||
		ent_store_findings_scan(store, partner, take_finding, g, e) ||
		ent_store_balance_scan(store, take_balance, g, e)) {
		json_object_put(o);
		return NULL;
	}
	json_object_object_add(o, "judged", judged(g));
	put_text(o, "version", ENTENTE_VERSION);
	json_object_object_add(o, "digest", ent_call_has(g->call, "digest") ? digest(g->project->engine, e) : NULL);
	json_object_object_add(o, "rates", rates(&g->project->snap));
	if (e->code) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int put_all(int fd, const ent_buf *page) {
	for (size_t done = 0; done < page->n;) {
		ssize_t n = write(fd, page->data + done, page->n - done);
		if (n < 0 && errno != EINTR) {
			return -1;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Beside the file first, then in its place: whoever has the old page open or projects it never sees half of a new one.
 */
static int write_file(const char *path, const ent_buf *page, ent_error *e) {
	ent_arena arena = {0};
	char *fresh = ent_arena_printf(&arena, "%s.XXXXXX", path);
	int fd = mkostemp(fresh, O_CLOEXEC), saved = 0;
	if (fd >= 0) {
		mode_t mask = umask(0);
		umask(mask);
		if (put_all(fd, page) || fchmod(fd, 0666 & ~mask) || fsync(fd) || rename(fresh, path)) {
			saved = errno;
			unlink(fresh);
		}
		close(fd);
	} else {
		saved = errno;
	}
	ent_arena_finish(&arena);
	if (!saved) {
		return 0;
	}
	errno = saved;
	ent_error_errno(e, ENT_ERR_IO, "the brief cannot be written to %s", path);
	return ent_error_todo(e, "name a file in a folder that is there and that you may write");
}

/* ---- command ----------------------------------------------------------------------------------------------------- */

static void tell(ent_call *call, const ent__project *p, const char *partner, const char *path, const gathered *g) {
	char day[16];
	int64_t at = ent_snap_find_partner(&p->snap, partner, strlen(partner));
	ent_day_text(at < 0 ? p->as_of : ent_snap_partner_day(&p->snap, (uint32_t)at), day);
	if (!call->json) {
		ent_buf_printf(&call->out, "%s: the brief of %s as of %s (%s), %u finding%s\n", path, partner, day,
			p->as_of_mode, g->n_findings, g->n_findings == 1 ? "" : "s");
		return;
	}
	ent_json *j = &call->writer;
	ent_json_object(j);
	ent_json_key(j, "partner");
	ent_json_text(j, partner);
	ent_json_key(j, "file");
	ent_json_text(j, path);
	ent_json_key(j, "format");
	ent_json_text(j, ent_call_text(call, "format", "html"));
	ent_json_key(j, "as_of");
	ent_json_text(j, day);
	ent_json_key(j, "as_of_mode");
	ent_json_text(j, p->as_of_mode);
	ent_json_key(j, "findings");
	ent_json_uint(j, g->n_findings);
	ent_json_end(j);
}

/* Figures are of the moment asked for, findings of the last judgement: if these differ, say so. */
static int compare_moments(ent_call *call, ent__project *p, ent_error *e) {
	char *last = NULL, day[16];
	if (ent_store_meta_get(ent_engine_store(p->engine), "judged_as_of", &last, e)) {
		return e->code;
	}
	ent_day_text(p->as_of, day);
	if (!last) {
		ent_call_note(call, "the rules have not judged yet; `entente run` lets them");
	} else if (strcmp(last, day) != 0) {
		ent_call_note(call, "figures are as of %s, findings as of %s; `entente run --as-of %s` judges for that day",
			day, last, day);
	}
	free(last);
	return 0;
}

static int make(ent_call *call, ent__project *p, const char *partner, const char *path) {
	ent_error e = {0};
	gathered g = {.project = p, .call = call};
	ent_buf page = {0};
	bool to_stdout = !strcmp(path, "-");
	json_object *o = request(&g, partner, &e);
	int exit = ENT_EXIT_OK;
	if (!o || compare_moments(call, p, &e) ||
		ent_engine_brief(p->engine, &p->block, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), &page, &e) ||
		(!to_stdout && write_file(path, &page, &e))) {
		exit = ent_call_error(call, &e);
	} else if (to_stdout) {
		ent_buf_add(call->json ? &call->json_out : &call->out, page.data, page.n);
	} else {
		tell(call, p, partner, path, &g);
	}
	json_object_put(o);
	json_object_put(g.records);
	ent_buf_finish(&page);
	return exit;
}

static int run(ent_call *call) {
	ent__project p;
	const char *partner = ent_call_operand(call, 0), *path = ent_call_text(call, "output", NULL);
	if (!path) {
		return ent_call_usage(call, "write -o FILE, or -o - for standard output", "'brief' needs a file to write to");
	}
	if (call->session && strcmp(path, "-") != 0) {
		return ent_call_usage(call, "write -o -", "a service writes no file for who asks it");
	}
	if (call->json && !strcmp(path, "-") && strcmp(ent_call_text(call, "format", "html"), "json") != 0) {
		return ent_call_usage(call, "leave --json away, or write --format json",
			"--json and a page on standard output do not go together");
	}
	int exit = ent__project_open(call, &p, ENT_ENGINE_READ);
	exit = exit ? exit : ent__project_snapshot(call, &p);
	if (!exit && ent__project_partner(call, &p, partner) < 0) {
		exit = ENT_EXIT_ERROR;
	}
	exit = exit ? exit : make(call, &p, partner, path);
	ent__project_finish(&p);
	return exit;
}

static const ent_arg args[] = {
	{.name = "output",
		.letter = 'o',
		.type = ENT_ARG_TEXT,
		.value = "FILE",
		.doc = "Where to write it; - is standard output."},
	{.name = "format",
		.type = ENT_ARG_CHOICE,
		.value = "FORMAT",
		.choices = formats,
		.doc = "html (a page that needs nothing else), json or csv (the same content); html if not given."},
	{.name = "for",
		.type = ENT_ARG_CHOICE,
		.value = "WHOM",
		.choices = readers,
		.doc = "us, or partner: without what is ours alone. us if not given."},
	{.name = "digest",
		.type = ENT_ARG_SWITCH,
		.doc = "Put the canonical digest of the store on the page; reads the whole store for it."},
	ENT_ARG_ROW_AS_OF,
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "PARTNER", .required = true, .doc = "Its id in the configuration; `entente partners` lists them."},
	{.name = NULL},
};

const ent_command ent_command_brief = {
	.name = "brief",
	.doc = "Write the page for the meeting with one partner.",
	.text =
		"Figures against the partner's cohort, their course, findings with the evidence they rest on, and what to ask "
		"for. The HTML is one file without references, to be projected, printed or sent.\n\n"
		"  entente brief nordwind -o nordwind.html\n"
		"  entente brief nordwind --for partner -o for-nordwind.html",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
	.slow = true,
};
