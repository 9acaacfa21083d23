/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: text with {placeholders}, and a part between {#findings} and {/findings} for each change. A line whose placeholders
 * are all empty is left out, so that no template needs conditions. A brace that begins no placeholder is a brace. See message.h. */
#include "base/day.h"
#include "base/intern.h"
#include "base/json.h"
#include "tell/message.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char ent__text_template[] = "Subject: [Entente] {summary}\n"
								  "{count} since it was last told, of {when}.\n"
								  "{#findings}\n"
								  "\n"
								  "{change}: {partner_name} · {kind} · {severity}\n"
								  "  {text}\n"
								  "  worth {worth}\n"
								  "  rests on:\n"
								  "    {evidence}\n"
								  "  {link}\n"
								  "{/findings}\n"
								  "\n"
								  "{more}\n";

const char ent__html_template[] =
	"<!doctype html>\n<html><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">\n"
	"<title>{summary}</title></head>\n"
	"<body style=\"font:15px/1.45 system-ui,sans-serif;max-width:44em;margin:1.5em auto;padding:0 1em\">\n"
	"<p style=\"color:#777\">{count} since it was last told, of {when}.</p>\n"
	"{#findings}\n"
	"<div style=\"border-left:4px solid {colour};padding:.1em 0 .1em 1em;margin:1.2em 0\">\n"
	"<div style=\"color:#777;font-size:13px\">{change} · {kind} · {severity}</div>\n"
	"<div style=\"font-weight:600\">{partner_name}</div>\n"
	"<div>{text}</div>\n"
	"<div>worth {worth}</div>\n"
	"<div style=\"color:#777;font-size:13px\">{evidence}</div>\n"
	"<div><a href=\"{link}\">Look at it</a></div>\n"
	"</div>\n"
	"{/findings}\n"
	"<p>{more}</p>\n"
	"</body></html>\n";

/* ---- values ------------------------------------------------------------------------------------------------------ */

typedef struct view {
	const ent__letter *letter;
	const ent__message *m;
	const ent_notice *x; /* NULL outside of {#findings} */
	size_t at;
	ent_buf *out;
} view;

static const char *words_of(const char *kind) {
	return !strcmp(kind, "red_flag") ? "red flag" : kind;
}

void ent__instant(int64_t us, char out[32]) {
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	gmtime_r(&s, &tm);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

const char *ent__partner_name(const ent_config *config, const char *partner) {
	const ent_config_partner *p = ent_config_partner_find(config, partner);
	return p && p->name.s ? p->name.s : *partner ? partner : "all partners";
}

void ent__finding_link(const ent_config *config, const ent_notice *x, ent_buf *out) {
	char id[9];
	if (config->serve.url.s) {
		size_t n = strlen(config->serve.url.s);
		ent_finding_id(ent_notice_named(x), x->partner, x->key, id);
		ent_buf_printf(out, "%.*s/#/findings/%s", (int)(n - (config->serve.url.s[n - 1] == '/')), config->serve.url.s, id);
	}
}

static void add(ent_buf *out, const char *text) { ent_buf_add(out, text, strlen(text)); }

static void v_target(const view *v) { add(v->out, v->letter->target->name.s); }
static void v_summary(const view *v) { ent__summary(v->letter, v->m, v->out); }
static void v_count(const view *v) {
	if (v->m->test) {
		add(v->out, "This is a test");
	} else {
		ent_buf_printf(v->out, "%llu change%s", (unsigned long long)v->m->total, v->m->total == 1 ? "" : "s");
	}
}
static void v_when(const view *v) {
	char text[32];
	ent__instant(ent__message_at(v->m), text);
	add(v->out, text);
}
static void v_delivery(const view *v) { add(v->out, v->m->id); }
static void v_more(const view *v) {
	if (v->m->total > v->m->n) {
		ent_buf_printf(v->out, "and %llu more; `entente findings` shows all of them", (unsigned long long)(v->m->total - v->m->n));
	}
}
static void v_page(const view *v) { add(v->out, v->letter->config->serve.url.s ? v->letter->config->serve.url.s : ""); }
static void v_change(const view *v) { add(v->out, v->x->change); }
static void v_id(const view *v) {
	char id[9];
	ent_finding_id(ent_notice_named(v->x), v->x->partner, v->x->key, id);
	add(v->out, id);
}
static void v_partner(const view *v) { add(v->out, v->x->partner); }
static void v_partner_name(const view *v) { add(v->out, ent__partner_name(v->letter->config, v->x->partner)); }
static void v_kind(const view *v) { add(v->out, words_of(v->x->kind)); }
static void v_severity(const view *v) { add(v->out, v->x->severity); }
static void v_rule(const view *v) { add(v->out, v->x->rule); }
static void v_practice(const view *v) { add(v->out, v->x->practice); }
static void v_text(const view *v) { add(v->out, v->x->text); }
static void v_evidence(const view *v) {
	size_t n = strlen(v->x->evidence);
	ent_buf_add(v->out, v->x->evidence, n && v->x->evidence[n - 1] == '\n' ? n - 1 : n);
}
static void v_worth(const view *v) {
	char text[64];
	if (v->x->has_worth) {
		text[ent_decimal_text(v->x->worth, 6, 0, text)] = 0;
		ent_buf_printf(v->out, "%s %s", text, v->letter->config->currency.s);
	}
}
static void v_since(const view *v) {
	char day[16];
	add(v->out, ent_day_text(v->x->first_day, day));
}
static void v_as_of(const view *v) {
	char day[16];
	add(v->out, ent_day_text(v->x->as_of, day));
}
static void v_link(const view *v) { ent__finding_link(v->letter->config, v->x, v->out); }
static void v_comma(const view *v) { add(v->out, v->at + 1 < v->m->n ? "," : ""); }
static void v_colour(const view *v) {
	bool over = !strcmp(v->x->change, "cleared"), bad = !strcmp(v->x->kind, "red_flag") || !strcmp(v->x->kind, "failure");
	add(v->out, over ? "#2e9e5b" : bad ? "#d3383d" : !strcmp(v->x->kind, "gate") ? "#d98e04" : "#3b7dd8");
}

static const struct placeholder {
	const char *name;
	bool of_finding, silent; /* silent: a line with it alone is not kept for its sake */
	void (*value)(const view *);
} placeholders[] = {
	{"target", false, false, v_target}, {"summary", false, false, v_summary}, {"count", false, false, v_count},
	{"when", false, false, v_when}, {"delivery", false, false, v_delivery}, {"more", false, false, v_more},
	{"page", false, false, v_page}, {"change", true, false, v_change}, {"id", true, false, v_id},
	{"partner", true, false, v_partner}, {"partner_name", true, false, v_partner_name}, {"kind", true, false, v_kind},
	{"severity", true, false, v_severity}, {"rule", true, false, v_rule}, {"practice", true, false, v_practice},
	{"text", true, false, v_text}, {"evidence", true, false, v_evidence}, {"worth", true, false, v_worth},
	{"since", true, false, v_since}, {"as_of", true, false, v_as_of}, {"link", true, false, v_link},
	{"comma", true, true, v_comma}, {"colour", true, true, v_colour},
};
enum { PLACEHOLDERS = sizeof placeholders / sizeof *placeholders };

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static const char begin_mark[] = "{#findings}", end_mark[] = "{/findings}";

/* Is there a placeholder's name in braces at p? Its length with them; 0: a brace is a brace. */
static size_t braces(const char *p) {
	size_t n = 1;
	if (p[n] == '#' || p[n] == '/') {
		n++;
	}
	size_t first = n;
	while (islower((unsigned char)p[n]) || p[n] == '_') {
		n++;
	}
	return n > first && p[n] == '}' ? n + 1 : 0;
}

static const struct placeholder *find(const char *p, size_t n) {
	for (size_t i = 0; i < PLACEHOLDERS; i++) {
		if (strlen(placeholders[i].name) == n - 2 && !memcmp(placeholders[i].name, p + 1, n - 2)) {
			return &placeholders[i];
		}
	}
	return NULL;
}

static int fault(ent_error *e, const char *template, const char *at, const char *file, const char *todo, const char *what, size_t n) {
	uint32_t line = 1;
	const char *start = template;
	for (const char *p = template; p < at; p++) {
		if (*p == '\n') {
			line++;
			start = p + 1;
		}
	}
	ent_error_set(e, ENT_ERR_INVALID, what, (int)n, at);
	ent_error_at(e, file, line, (uint32_t)(at - start) + 1);
	return ent_error_todo(e, "%s", todo);
}

int ent__template_check(const char *template, const char *file, ent_error *e) {
	const char *open = NULL;
	char todo[200];
	bool seen = false;
	for (const char *p = template; *p; p++) {
		size_t n = *p == '{' ? braces(p) : 0;
		if (!n) {
			continue;
		}
		if (!strncmp(p, begin_mark, n)) {
			if (open || seen) {
				return fault(e, template, p, file, "write one part for findings", "%.*s stands here a second time", n);
			}
			open = p;
			seen = true;
			continue;
		}
		if (!strncmp(p, end_mark, n)) {
			if (!open) {
				return fault(e, template, p, file, "write {#findings} before it", "%.*s ends what did not begin", n);
			}
			open = NULL;
			continue;
		}
		const struct placeholder *x = find(p, n);
		if (!x) {
			const char *names[PLACEHOLDERS];
			char name[64];
			snprintf(name, sizeof name, "%.*s", (int)(n - 2 < 63 ? n - 2 : 63), p + 1);
			for (size_t i = 0; i < PLACEHOLDERS; i++) {
				names[i] = placeholders[i].name;
			}
			const char *near = ent_nearest(name, names, PLACEHOLDERS);
			snprintf(todo, sizeof todo, near ? "did you mean {%s}?" : "docs/telling.md lists all of them", near);
			return fault(e, template, p, file, todo, "unknown placeholder %.*s", n);
		}
		if (x->of_finding && !open) {
			return fault(e, template, p, file, "put it between {#findings} and {/findings}", "%.*s is something of one finding", n);
		}
	}
	return open ? fault(e, template, open, file, "write {/findings} behind it", "%.*s has no end", sizeof begin_mark - 1) : 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void escape(ent__form form, const char *p, size_t n, size_t indent, ent_buf *out) {
	if (form == ENT__FORM_JSON) {
		ent_buf quoted = {0};
		ent_json_quote(&quoted, p, n);
		ent_buf_add(out, quoted.data + 1, quoted.n - 2);
		ent_buf_finish(&quoted);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		char c = p[i];
		const char *html = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : c == '\'' ? "&#39;" : NULL;
		if (c == '\n' && form == ENT__FORM_HTML) {
			add(out, "<br>");
		} else if (c == '\n') { /* further lines of a value stand below its first */
			ent_buf_printf(out, "\n%*s", (int)indent, "");
		} else if (form == ENT__FORM_HTML && html) {
			add(out, html);
		} else {
			ent_buf_u8(out, (uint8_t)((unsigned char)c < ' ' || c == 127 ? ' ' : c));
		}
	}
}

/* Lines from p to end. */
static void render(const view *v, ent__form form, const char *p, const char *end) {
	ent_buf value = {0};
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline ? newline + 1 : end;
		size_t start = v->out->n, indent = 0;
		unsigned asked = 0, filled = 0;
		for (const char *c = p; c < stop;) {
			size_t n = *c == '{' ? braces(c) : 0;
			const struct placeholder *x = n && c + n <= stop ? find(c, n) : NULL;
			if (!x) {
				indent += *c == ' ' && c == p + indent;
				ent_buf_u8(v->out, (uint8_t)*c++);
				continue;
			}
			view inner = *v;
			value.n = 0;
			inner.out = &value;
			x->value(&inner);
			asked += !x->silent;
			filled += !x->silent && value.n;
			escape(form, (const char *)value.data, value.n, indent, v->out);
			c += n;
		}
		if (asked && !filled && form != ENT__FORM_JSON) {
			v->out->n = start;
		}
		p = stop;
	}
	ent_buf_finish(&value);
}

void ent__template_render(
	const char *template, ent__form form, const ent__letter *letter, const ent__message *m, ent_buf *out) {
	view v = {.letter = letter, .m = m, .out = out};
	const char *open = strstr(template, begin_mark), *end = template + strlen(template);
	if (!open) {
		render(&v, form, template, end);
		return;
	}
	const char *inside = open + sizeof begin_mark - 1, *close = strstr(inside, end_mark), *after;
	close = close ? close : end;
	after = *close ? close + sizeof end_mark - 1 : end;
	inside += *inside == '\n';
	after += *after == '\n';
	render(&v, form, template, open);
	for (v.at = 0; v.at < m->n; v.at++) {
		v.x = &m->changes[v.at];
		render(&v, form, inside, close);
	}
	v.x = NULL;
	render(&v, form, after, end);
}

void ent__one_line(const char *text, size_t most, ent_buf *out) {
	size_t n = strlen(text), kept = 0;
	while (kept < n) {
		size_t c = ent_utf8_length(text + kept, n - kept);
		c = c ? c : 1;
		if (kept + c > most) {
			add(out, "…");
			break;
		}
		if ((unsigned char)text[kept] < ' ' || text[kept] == 127 || (c == 1 && (unsigned char)text[kept] >= 128)) {
			ent_buf_u8(out, ' ');
		} else {
			ent_buf_add(out, text + kept, c);
		}
		kept += c;
	}
}

void ent__summary(const ent__letter *letter, const ent__message *m, ent_buf *out) {
	unsigned by[ENT_TELL_CHANGES] = {0};
	if (m->test) {
		ent_buf_printf(out, "test message for %s", letter->target->name.s);
		return;
	}
	if (m->total == 1 && m->n == 1) {
		const ent_notice *x = &m->changes[0];
		ent_buf_printf(out, "%s %s: %s: ", words_of(x->kind), x->change, ent__partner_name(letter->config, x->partner));
		ent__one_line(x->text, 120, out);
		return;
	}
	const char *word = ": ";
	ent_buf_printf(out, "%llu changes", (unsigned long long)m->total);
	for (size_t i = 0; i < m->n; i++) {
		for (unsigned k = 0; k < ENT_TELL_CHANGES; k++) {
			by[k] += !strcmp(m->changes[i].change, ent_tell_changes[k]);
		}
	}
	for (unsigned k = 0; k < ENT_TELL_CHANGES && m->total == m->n; k++) { /* else only some of them are known */
		if (by[k]) {
			ent_buf_printf(out, "%s%u %s", word, by[k], ent_tell_changes[k]);
			word = ", ";
		}
	}
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

int ent__message_add(void *ctx, const ent_notice *x) {
	ent__message *m = ctx;
#define COPY(name) .name = ent_arena_copy(&m->arena, x->name ? x->name : "", x->name ? strlen(x->name) : 0)
	ENT_GROW(m->changes, m->n, m->capacity);
	m->changes[m->n++] = (ent_notice){.id = x->id, COPY(target), COPY(way), COPY(rule), COPY(partner), COPY(key), COPY(change),
		COPY(kind), COPY(severity), COPY(practice), COPY(text), COPY(evidence), COPY(status), COPY(message), COPY(answer),
		.worth = x->worth, .has_worth = x->has_worth, .weight = x->weight, .as_of = x->as_of, .first_day = x->first_day,
		.at_us = x->at_us, .attempts = x->attempts, .next_us = x->next_us, .told_us = x->told_us};
	m->attempts = x->attempts > m->attempts ? x->attempts : m->attempts;
	return 0;
}

int64_t ent__message_at(const ent__message *m) {
	int64_t at = 0;
	for (size_t i = 0; i < m->n; i++) {
		at = m->changes[i].at_us > at ? m->changes[i].at_us : at;
	}
	return at;
}

void ent__message_finish(ent__message *m) {
	free(m->changes);
	ent_arena_finish(&m->arena);
	*m = (ent__message){0};
}
