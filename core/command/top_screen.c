/* SPDX-License-Identifier: Apache-2.0
 *
 * The screen of `entente top`, see top_screen.h. What needs a person stands first. */
#include "command/top_screen.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"

enum { HEAD_LINES = 6, FOOT_LINES = 1, LEAST_ROWS = 3, WIDE = 120 };

/* ---- members
 * ---------------------------------------------------------------------------------------------------------- */

static struct json_object *get(struct json_object *o, const char *key) {
	struct json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}
static const char *text(struct json_object *o, const char *key) {
	const char *t = json_object_get_string(get(o, key));
	return t ? t : "";
}
static uint64_t number(struct json_object *o, const char *key) { return (uint64_t)json_object_get_int64(get(o, key)); }
static bool is(struct json_object *o, const char *key) { return json_object_get_boolean(get(o, key)); }

/* Seconds since 1970 of "2026-11-22T14:05:06.789Z"; 0: null. */
static double instant(struct json_object *o, const char *key) {
	struct tm tm = {0};
	const char *t = text(o, key), *rest = *t ? strptime(t, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	return rest ? (double)timegm(&tm) + (*rest == '.' ? strtod(rest, NULL) : 0) : 0;
}

/* How long ago, as "4 s"; "" for never. */
static const char *ago(double now, double then, char out[ENT_NUMBER_TEXT]) {
	out[0] = 0;
	if (then > 0) {
		double seconds = now > then ? now - then : 0;
		ent_span_text(seconds < 1 ? (seconds < 0.5 ? 0 : 1) : (double)(int64_t)(seconds + 0.5), out);
	}
	return out;
}

/* ---- the head
 * ----------------------------------------------------------------------------------------------------------- */

static void separated(const ent_term *term, ent_buf *out, bool *first) {
	if (!*first) {
		ent_term_text(term, out, ENT_FAINT, "  \xc2\xb7  ");
	}
	*first = false;
}

static void state_line(const ent__top_screen *s, const ent_term *term, ent_buf *out, double now) {
	char span[ENT_NUMBER_TEXT];
	const char *doing = text(s->now, "doing"), *error = text(s->now, "error");
	bool first = true;
	separated(term, out, &first);
	if (s->lost) {
		ent_term_text(term, out, ENT_BAD, s->lost);
		return;
	}
	if (*error) {
		ent_term_printf(term, out, ENT_BAD, "failing: %.300s", error);
		return;
	}
	bool well = is(s->now, "ready") && !is(s->now, "draining");
	ent_term_text(term, out, well ? ENT_GOOD : ENT_WARN,
		is(s->now, "draining") ? "stopping"
		: well                 ? "ready"
							   : "not ready yet");
	separated(term, out, &first);
	ent_term_text(term, out, ENT_PLAIN, doing);
	if (*ago(now, instant(s->now, "committed"), span)) {
		separated(term, out, &first);
		ent_term_printf(term, out, ENT_PLAIN, "committed %s ago", span);
	}
	if (*ago(now, instant(s->now, "judged"), span)) {
		separated(term, out, &first);
		ent_term_printf(term, out, ENT_PLAIN, "judged %s ago", span);
		ent_term_printf(term, out, ENT_FAINT, " as of %s", text(s->now, "as_of"));
	}
}

static void machine_line(const ent__top_screen *s, const ent_term *term, ent_buf *out) {
	char a[ENT_NUMBER_TEXT], b[ENT_NUMBER_TEXT], c[ENT_NUMBER_TEXT];
	struct json_object *w = get(s->now, "workers"), *store = get(s->now, "store");
	bool first = true;
	separated(term, out, &first);
	ent_term_printf(term, out, ENT_PLAIN, "%llu worker%s", (unsigned long long)number(w, "running"),
		number(w, "running") == 1 ? "" : "s");
	if (number(w, "died")) {
		ent_term_printf(term, out, ENT_WARN, ", %llu died", (unsigned long long)number(w, "died"));
	}
	separated(term, out, &first);
	ent_term_printf(term, out, ENT_PLAIN, "memory %s", ent_bytes_text(number(s->now, "memory_bytes"), a));
	separated(term, out, &first);
	ent_term_printf(term, out, ENT_PLAIN, "store %s", ent_bytes_text(number(store, "database_bytes"), b));
	separated(term, out, &first);
	ent_term_printf(term, out, ENT_PLAIN, "ledger %s", ent_bytes_text(number(store, "ledger_bytes"), c));
}

static void findings_line(const ent__top_screen *s, const ent_term *term, ent_buf *out) {
	static const struct {
		const char *kind, *one, *many;
		ent_style style;
	} kinds[] = {{"red_flag", "red flag", "red flags", ENT_BAD}, {"gate", "gate", "gates", ENT_WARN},
		{"opportunity", "opportunity", "opportunities", ENT_GOOD}, {"insight", "insight", "insights", ENT_PLAIN},
		{"proposal", "proposal", "proposals", ENT_PLAIN}, {"ask", "ask", "asks", ENT_PLAIN},
		{"failure", "failure", "failures", ENT_BAD}};
	struct json_object *found = get(s->now, "findings");
	bool first = true;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		uint64_t n = number(found, kinds[i].kind);
		if (n) {
			separated(term, out, &first);
			ent_term_printf(
				term, out, kinds[i].style, "%llu %s", (unsigned long long)n, n == 1 ? kinds[i].one : kinds[i].many);
		}
	}
	if (first) {
		ent_term_text(term, out, ENT_FAINT, "no findings");
	}
	if (number(s->now, "rules_errors")) {
		separated(term, out, &first);
		ent_term_printf(term, out, ENT_BAD, "%llu in the rulebooks: %.200s",
			(unsigned long long)number(s->now, "rules_errors"), text(s->now, "rules_error"));
	}
}

/* A line is cut where the terminal ends: a broken one would push the last out of the screen. */
static void line(const ent_term *term, ent_buf *out, ent_buf *content) {
	size_t columns = 0, i = 0;
	const char *p = (const char *)content->data;
	while (i < content->n) {
		if (p[i] == '\033') { /* our own styles, as long as they are */
			size_t end = i;
			while (end < content->n && p[end] != 'm') {
				end++;
			}
			ent_buf_add(out, p + i, end + 1 - i);
			i = end + 1;
			continue;
		}
		size_t n = 1;
		while (i + n < content->n && ((unsigned char)p[i + n] & 0xc0) == 0x80) {
			n++;
		}
		size_t width = ent_text_width(p + i, n);
		if (!term->width || columns + width <= term->width) {
			ent_buf_add(out, p + i, n);
			columns += width;
		}
		i += n;
	}
	ent_buf_u8(out, '\n');
	content->n = 0;
}

/* ---- sources
 * ------------------------------------------------------------------------------------------------------------- */

typedef struct source {
	struct json_object *now, *before;
	double records, facts, bytes; /* a second; negative: not known */
	int rank;
	size_t place;
} source;

static double rate(const ent__top_screen *s, const source *x, const char *key) {
	if (!x->before || s->seconds <= 0) {
		return -1;
	}
	int64_t more = (int64_t)number(x->now, key) - (int64_t)number(x->before, key);
	return more > 0 ? (double)more / s->seconds : 0;
}

static int rank(struct json_object *o) {
	const char *state = text(o, "state");
	return strcmp(state, "quarantined") == 0 ? 0
		   : strcmp(state, "failing") == 0   ? 1
		   : is(o, "late")                   ? 2
		   : strcmp(state, "waiting") == 0   ? 3
											 : 4;
}

static int by_trouble(const void *a, const void *b) {
	const source *x = a, *y = b;
	return x->rank != y->rank ? x->rank - y->rank : (x->place > y->place) - (x->place < y->place);
}

static size_t gather(const ent__top_screen *s, source **out) {
	struct json_object *list = get(s->now, "sources"), *old = get(s->before, "sources");
	size_t n = list ? json_object_array_length(list) : 0, n_old = old ? json_object_array_length(old) : 0;
	source *all = ent_xcalloc(n + 1, sizeof *all);
	for (size_t i = 0; i < n; i++) {
		source *x = &all[i];
		x->now = json_object_array_get_idx(list, i);
		x->place = i;
		for (size_t k = 0; k < n_old && !x->before; k++) { /* mostly at its own place */
			struct json_object *o = json_object_array_get_idx(old, (i + k) % n_old);
			x->before = strcmp(text(o, "source"), text(x->now, "source")) == 0 ? o : NULL;
		}
		x->records = rate(s, x, "records");
		x->facts = rate(s, x, "facts");
		x->bytes = rate(s, x, "bytes");
		x->rank = rank(x->now);
	}
	ENT_SORT(all, n, by_trouble);
	*out = all;
	return n;
}

static void rate_cell(ent_table *t, double value, bool bytes) {
	char out[ENT_NUMBER_TEXT];
	if (value < 0) {
		ent_table_styled(t, ENT_FAINT, "\xc2\xb7");
	} else if (value < 0.5) {
		ent_table_styled(t, ENT_FAINT, "0");
	} else if (bytes) {
		ent_table_cell(t, ent_bytes_text((uint64_t)(value + 0.5), out));
	} else {
		ent_table_cell(t, ent_number_text((__int128)(value + 0.5), 0, 0, out));
	}
}

static void source_row(ent_table *t, const source *x, double now, bool why) {
	static const ent_style styles[] = {ENT_BAD, ENT_BAD, ENT_WARN, ENT_ACCENT, ENT_FAINT};
	char out[ENT_NUMBER_TEXT];
	uint64_t waits = number(x->now, "waiting_bytes"), rejected = number(x->now, "rejected");
	ent_table_cell(t, text(x->now, "source"));
	ent_table_styled(t, styles[x->rank], x->rank == 2 ? "late" : text(x->now, "state"));
	rate_cell(t, x->records, false);
	rate_cell(t, x->facts, false);
	rate_cell(t, x->bytes, true);
	ent_table_printf(t, waits ? ENT_PLAIN : ENT_FAINT, "%s", waits ? ent_bytes_text(waits, out) : "0");
	ent_table_printf(t, ENT_PLAIN, "%s", ago(now, instant(x->now, "waiting_since"), out));
	ent_table_cell(t, ent_number_text((__int128)number(x->now, "records"), 0, 0, out));
	ent_table_printf(t, rejected ? ENT_WARN : ENT_FAINT, "%s", ent_number_text((__int128)rejected, 0, 0, out));
	ent_table_printf(t, ENT_PLAIN, "%s", ago(now, instant(x->now, "last_read"), out));
	if (why) {
		ent_table_styled(t, ENT_BAD, text(x->now, "error"));
	}
}

static size_t sources(ent__top_screen *s, const ent_term *term, ent_buf *out, double now, size_t room) {
	static const ent_table_column columns[] = {{"source", false, false}, {"state", false, true},
		{"records/s", true, true}, {"facts/s", true, true}, {"bytes/s", true, true}, {"waits", true, true},
		{"lag", true, true}, {"records", true, true}, {"rejects", true, true}, {"last", true, true},
		{"why", false, false}, {0}};
	static const ent_table_column narrow[] = {{"source", false, false}, {"state", false, true},
		{"records/s", true, true}, {"facts/s", true, true}, {"bytes/s", true, true}, {"waits", true, true},
		{"lag", true, true}, {"records", true, true}, {"rejects", true, true}, {"last", true, true}, {0}};
	static const unsigned char drop[] = {4, 7, 3, 9, 8, 6};
	source *all;
	ent_table t = {0};
	bool why = !term->width || term->width >= WIDE;
	size_t n = gather(s, &all), shown = room && n > room ? room : n;
	s->first = s->first + shown > n ? n - shown : s->first;
	ent_table_init(&t, why ? columns : narrow);
	t.drop = drop;
	t.n_drop = sizeof drop;
	for (size_t i = 0; i < shown; i++) {
		source_row(&t, &all[s->first + i], now, why);
	}
	ent_table_print(&t, term, out);
	ent_table_finish(&t);
	/* where the table has no room for it, the reasons stand below it */
	ent_buf content = {0};
	for (size_t i = 0, left = room > shown ? room - shown : 0; !why && i < n && left > 1; i++) {
		const char *error = text(all[i].now, "error");
		if (*error) {
			ent_term_text(term, &content, ENT_BAD, text(all[i].now, "source"));
			ent_term_printf(term, &content, ENT_PLAIN, ": %s", error);
			line(term, out, &content);
			left--;
		}
	}
	ent_buf_finish(&content);
	free(all);
	return n - shown;
}

/* ---- all of it
 * ----------------------------------------------------------------------------------------------------------------- */

void ent__top_show(ent__top_screen *s, const ent_term *term, ent_buf *out) {
	ent_buf content = {0};
	char span[ENT_NUMBER_TEXT], clock[16];
	double now = instant(s->now, "now");
	time_t seconds = (time_t)now;
	struct tm tm;
	localtime_r(&seconds, &tm);
	strftime(clock, sizeof clock, "%H:%M:%S", &tm);
	ent_term_printf(term, &content, ENT_BOLD, "entente %s", text(s->now, "version"));
	ent_term_printf(term, &content, ENT_PLAIN, "   up %s   generation %llu   ",
		ago(now, instant(s->now, "started"), span), (unsigned long long)number(s->now, "generation"));
	ent_term_text(term, &content, ENT_FAINT, clock);
	line(term, out, &content);
	state_line(s, term, &content, now);
	line(term, out, &content);
	machine_line(s, term, &content);
	line(term, out, &content);
	findings_line(s, term, &content);
	line(term, out, &content);
	ent_buf_u8(out, '\n');
	size_t fixed = HEAD_LINES + FOOT_LINES, room = s->rows > fixed + LEAST_ROWS ? s->rows - fixed
												   : s->rows                    ? LEAST_ROWS
																				: 0;
	size_t hidden = sources(s, term, out, now, room);
	if (s->rows) {
		if (hidden) {
			ent_term_printf(term, &content, ENT_FAINT, "%zu more: arrows   ", hidden);
		}
		ent_term_text(term, &content, ENT_FAINT, "q quits");
		line(term, out, &content);
		out->n--; /* the last line has no end, or the screen would move */
	} else if (hidden) {
		line(term, out, &content);
	}
	ent_buf_finish(&content);
}
