/* SPDX-License-Identifier: Apache-2.0
 *
 * The test `personal`: what in an input is about a person, as far as its form or the name of its column or member
 * tells, must not come out of the decoder other than as a keyed identity. */
#include "conform/tests.h"
#include "decode/csv.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SECRETS_MOST = 4000, LEAST = 6, DIGITS_LEAST = 7 };

typedef struct secret {
	const char *what;
	ent_str text;
	uint64_t place; /* in the input; ENT__NO_PLACE: given to host->identity() */
	bool named;     /* known by the name of its column alone: may be a word of its own in what people write */
} secret;

typedef struct search {
	ent_arena arena;
	secret *list;
	size_t n, capacity;
	ent_buf log; /* what was logged, a line each */
} search;

/* Names of columns and members, without blanks, underlines and case, whose values are about a person. */
static const struct {
	const char *part, *what;
} personal[] = {{"firstname", "a name"}, {"lastname", "a name"}, {"surname", "a name"}, {"fullname", "a name"},
	{"givenname", "a name"}, {"familyname", "a name"}, {"billingname", "a name"}, {"shippingname", "a name"},
	{"customername", "a name"}, {"buyername", "a name"}, {"recipientname", "a name"}, {"vorname", "a name"},
	{"nachname", "a name"}, {"kundenname", "a name"}, {"phone", "a telephone number"},
	{"telefon", "a telephone number"}, {"street", "a street"}, {"strasse", "a street"}, {"straße", "a street"},
	{"address1", "a street"}, {"address2", "a street"}, {"addressline", "a street"}, {"iban", "a bank account"},
	{"birthday", "a birthday"}, {"dateofbirth", "a birthday"}, {"ipaddress", "an address of the network"},
	{"browserip", "an address of the network"}, {"clientip", "an address of the network"}};

static const char *personal_name(const char *p, size_t n) {
	char plain[128];
	size_t k = 0;
	for (size_t i = 0; i < n && k < sizeof plain - 1; i++) {
		if (p[i] != ' ' && p[i] != '_' && p[i] != '-' && p[i] != '.') {
			plain[k++] = (char)tolower((unsigned char)p[i]);
		}
	}
	plain[k] = 0;
	for (size_t i = 0; i < sizeof personal / sizeof *personal; i++) {
		if (strstr(plain, personal[i].part)) {
			return personal[i].what;
		}
	}
	return NULL;
}

static void add(search *s, const char *what, ent_str text, uint64_t place, bool named) {
	while (text.n && isspace((unsigned char)text.p[0])) {
		text.p++;
		text.n--;
	}
	while (text.n && isspace((unsigned char)text.p[text.n - 1])) {
		text.n--;
	}
	if (text.n < LEAST || s->n >= SECRETS_MOST) {
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].text.n == text.n && !memcmp(s->list[i].text.p, text.p, text.n)) {
			return;
		}
	}
	ENT_GROW(s->list, s->n, s->capacity);
	s->list[s->n++] = (secret){what, {ent_arena_copy(&s->arena, text.p, text.n), text.n}, place, named};
}

/* ---- what is personal ----------------------------------------------------------------------------------------------
 */

static bool in_mail(char c) { return isalnum((unsigned char)c) || (c && strchr("._%+-", c)); }

static void find_mail(search *s, const char *p, size_t n) {
	for (const char *at = p; (at = memchr(at, '@', n - (size_t)(at - p))); at++) {
		const char *from = at, *to = at + 1, *dot = NULL;
		while (from > p && in_mail(from[-1])) {
			from--;
		}
		while (to < p + n && (isalnum((unsigned char)*to) || *to == '.' || *to == '-')) {
			dot = *to == '.' ? to : dot;
			to++;
		}
		if (from < at && dot && to - dot > 2) {
			add(s, "a mail address", (ent_str){from, (size_t)(to - from)}, (uint64_t)(from - p), false);
		}
	}
}

static void find_columns(search *s, const ent__case *c, int fd) {
	ent_input in;
	ent_csv csv = {0};
	ent_csv_options options = {.quote = ENT_QUOTE_AUTO};
	ent_fault f;
	if (ent_input_open(&in, fd, 0, 0, &f) || ent_csv_open(&csv, &in, &options, &f)) {
		ent_csv_finish(&csv);
		ent_input_finish(&in);
		return;
	}
	ent_column *columns = ent_arena_alloc(&s->arena, (csv.fields + 1) * sizeof *columns);
	size_t n = 0;
	for (uint32_t i = 0; i < csv.fields; i++) {
		if (personal_name(csv.names[i].p, csv.names[i].n)) {
			columns[n++] = (ent_column){.name = ent_arena_copy(&s->arena, csv.names[i].p, csv.names[i].n)};
		}
	}
	if (n && !ent_csv_bind(&csv, columns, &f)) {
		ent_row row;
		const char *why;
		for (int result; (result = ent_csv_next(&csv, &row, &why, &f)) > 0;) {
			for (size_t i = 0; i < n && result == ENT_CSV_ROW; i++) {
				add(s, personal_name(columns[i].name, strlen(columns[i].name)), row.cell[i], row.place, true);
			}
		}
	}
	(void)c;
	ent_csv_finish(&csv);
	ent_input_finish(&in);
}

/* "key": "value" of JSON and <key>value</key> of XML, wherever they stand; values with escapes are left out. */
static void find_members(search *s, const char *p, size_t n) {
	const char *stop = p + n;
	for (const char *at = p; at < stop; at++) {
		char end = *at == '"' ? '"' : *at == '<' ? '>' : 0;
		const char *key = at + 1, *key_end = end ? memchr(key, end, (size_t)(stop - key)) : NULL;
		if (!key_end || key_end - key > 60) {
			continue;
		}
		const char *value = key_end + 1;
		if (end == '"') {
			while (value < stop && (*value == ' ' || *value == ':')) {
				value++;
			}
			if (value == key_end + 1 || value >= stop || *value++ != '"') {
				continue;
			}
		}
		const char *what = personal_name(key, (size_t)(key_end - key));
		const char *value_end = what ? memchr(value, end == '"' ? '"' : '<', (size_t)(stop - value)) : NULL;
		if (value_end && value_end - value < 200 && !memchr(value, '\\', (size_t)(value_end - value)) &&
			!memchr(value, '&', (size_t)(value_end - value))) {
			add(s, what, (ent_str){value, (size_t)(value_end - value)}, (uint64_t)(value - p), true);
		}
	}
}

static void on_identity(void *ctx, ent__trial *t, ent_id_kind kind, ent_str text) {
	search *s = ctx;
	size_t digits = 0;
	(void)t;
	for (size_t i = 0; i < text.n; i++) {
		digits += text.p[i] >= '0' && text.p[i] <= '9';
	}
	if (kind == ENT_ID_EMAIL && memchr(text.p ? text.p : "", '@', text.n)) {
		add(s, "a mail address", text, ENT__NO_PLACE, false);
	} else if (kind == ENT_ID_PHONE && digits >= DIGITS_LEAST) {
		add(s, "a telephone number", text, ENT__NO_PLACE, false);
	} else if (kind == ENT_ID_STAFF) {
		add(s, "a name of staff", text, ENT__NO_PLACE, true);
	}
}

static void on_text(void *ctx, ent__trial *t, ent__event_type type, const char *text, uint64_t place) {
	search *s = ctx;
	(void)t, (void)place;
	if (type == ENT__SAID_LOG) {
		ent_buf_printf(&s->log, "%s\n", text);
	}
}

/* ---- where it comes out ---------------------------------------------------------------------------------------------
 */

/* As a word of its own, without regard to case. */
static const char *find(const char *p, size_t n, ent_str word) {
	for (size_t i = 0; i + word.n <= n; i++) {
		if (tolower((unsigned char)p[i]) == tolower((unsigned char)word.p[0]) && !strncasecmp(p + i, word.p, word.n) &&
			(!i || !isalnum((unsigned char)p[i - 1])) && (i + word.n == n || !isalnum((unsigned char)p[i + word.n]))) {
			return p + i;
		}
	}
	return NULL;
}

static void look(ent__check *k, const ent__case *c, const ent__trial *t, const search *s) {
	static const char *const words[] = {
		"a fact", "the reason of a reject", "the reason of a skip", "an error", "covers()", "the name of a slice"};
	static const char todo[] = "key it with host->identity(), or leave it out; reasons and log lines are constant "
							   "texts without data of a record";
	for (size_t i = 0; i < s->n; i++) {
		const secret *x = &s->list[i];
		for (size_t e = 0; e < t->n_events; e++) {
			const ent__event *v = &t->events[e];
			bool of_people = v->type == ENT__SAID_FACT && (v->kind == ENT_CONTACT || v->kind == ENT_ENTRY);
			const char *line = (char *)t->text.data + v->at;
			if (!v->n || (x->named && of_people) ||
				!find(line, v->n, x->text)) { /* with whom one met is what a contact says */
				continue;
			}
			ent__check_fail(k, c, v->place, todo, "%s of the input, at byte %lld, comes out in %s%s%.*s", x->what,
				x->place == ENT__NO_PLACE ? -1 : (long long)x->place, words[v->type], ": ",
				(int)(v->n < 300 ? v->n - 1 : 300), line);
			return;
		}
		if (find((char *)s->log.data, s->log.n, x->text)) {
			ent__check_fail(k, c, x->place, todo, "%s of the input comes out in the log", x->what);
			return;
		}
	}
}

void ent__test_personal(ent__check *k, const ent__case *c) {
	search s = {0};
	ent__doing(c, "decoding it");
	ent__trial *t = ent__open(k, c);
	if (!t) {
		return;
	}
	t->watcher = (ent__watcher){.ctx = &s, .identity = on_identity, .text = on_text};
	ent__check_ran(k);
	ent__trial_decode(t, c->bytes, c->n);
	find_mail(&s, c->bytes, c->n);
	if (c->decoder->frame == ENT_FRAME_DELIMITED) {
		find_columns(&s, c, t->fd);
	} else {
		find_members(&s, c->bytes, c->n);
	}
	look(k, c, t, &s);
	ent__trial_close(t);
	free(s.list);
	ent_buf_finish(&s.log);
	ent_arena_finish(&s.arena);
}
