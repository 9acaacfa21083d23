/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold of any input, however damaged: used by the fuzzer on what it makes up, and by the test `found` on what
 * it found. Nothing here knows a format. */
#include "base/json.h"
#include "conform/fuzz.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_MOST = 256 << 20 };

const ent__rule_row ent__rules[ENT__RULES] = {
	[ENT__RULE_NONE] = {"none", "Nothing is broken.", ""},
	[ENT__RULE_CREATE] = {"create", "create() takes the options.", "correct the options"},
	[ENT__RULE_RETURNED] = {"returned", "Bytes of any kind end in facts, a reject, or error() with a reason.",
		"reject() the record, or refuse the document with error(), and return what that returns"},
	[ENT__RULE_VERDICT] = {"verdict", "Every record ends as consumed, rejected or skipped.",
		"reject() or skip() what brings no fact"},
	[ENT__RULE_BALANCE] = {"balance", "Verdicts are about records that are there, each counted once.",
		"name the place of a record that was given, once"},
	[ENT__RULE_PLACE] = {"place", "Facts and verdicts name a place within the document.",
		"count the bytes that feed() got, or take the place of the row"},
	[ENT__RULE_REASON] = {"reason", "Reasons carry no e-mail address of the data.", "write a constant text"},
	[ENT__RULE_MEMORY] = {"memory", "Memory is in proportion to the input.",
		"bound what is kept, and reject() a record that is larger"},
	[ENT__RULE_LEAK] = {"leak", "destroy() gives back all memory, however the document ended.",
		"free() it in destroy()"},
	[ENT__RULE_AGAIN] = {"again", "The same input brings the same facts.", "keep nothing outside of the instance"},
	[ENT__RULE_SPLIT] = {"split", "Bytes bring the same facts in whatever pieces feed() gets them.",
		"carry what is not complete to the next call"},
};

static void broke(ent__broken *b, ent__rule rule, uint64_t place, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void broke(ent__broken *b, ent__rule rule, uint64_t place, const char *format, ...) {
	if (b->rule) {
		return; /* the first one is told */
	}
	va_list args;
	va_start(args, format);
	vsnprintf(b->what, sizeof b->what, format, args);
	va_end(args);
	b->rule = rule;
	b->place = place;
}

/* ---- records and verdicts -----------------------------------------------------------------------------------------
 */

static int by_place(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* The first record about which nothing was said, or NULL. */
static const ent__record *silent(const ent__trial *t) {
	uint64_t *places = ent_xcalloc(t->n_events + 1, sizeof *places);
	size_t n = 0, at = 0;
	const ent__record *found = NULL;
	for (size_t i = 0; i < t->n_events; i++) {
		if (t->events[i].type <= ENT__SAID_SKIP) {
			places[n++] = t->events[i].place;
		}
	}
	qsort(places, n, sizeof *places, by_place);
	for (size_t i = 0; i < t->n_records && !found; i++) { /* records come in their order */
		while (at < n && places[at] < t->records[i].place) {
			at++;
		}
		found = at < n && places[at] < t->records[i].end ? NULL : &t->records[i];
	}
	free(places);
	return found;
}

bool ent__answers(const ent__set *s, const ent__case *like) {
	bool any = false, all = true;
	for (size_t i = 0; i < s->n && all; i++) {
		const ent__case *c = &s->cases[i];
		if (strcmp(c->decoder->name, like->decoder->name) != 0) {
			continue;
		}
		ent__doing(c, "decoding it");
		ent__trial *t = ent__trial_open(c, NULL);
		if (t) {
			t->records_wanted = true;
			if (ent__trial_decode(t, c->bytes, c->n)) {
				any |= t->n_records > 0;
				all = !silent(t);
			}
		}
		ent__trial_close(t);
	}
	return any && all;
}

/* ---- e-mail addresses ----------------------------------------------------------------------------------------------
 */

static bool part_of_mail(unsigned char c) { return isalnum(c) || c == '.' || c == '_' || c == '-' || c == '+'; }

/* Does the text hold an address that stands in the input as well? A constant text has none. */
static bool quotes_mail(const char *text, size_t n, const ent__case *c) {
	for (const char *p = text; (p = memchr(p, '@', n - (size_t)(p - text))); p++) {
		const char *from = p, *to = p + 1;
		while (from > text && part_of_mail((unsigned char)from[-1])) {
			from--;
		}
		while (to < text + n && part_of_mail((unsigned char)*to)) {
			to++;
		}
		if (p - from > 1 && to - p > 3 && memmem(c->bytes, c->n, from, (size_t)(to - from))) {
			return true;
		}
	}
	return false;
}

/* Whether places count the bytes that are here: not where the host unpacks or converts. */
static bool plain(const ent__case *c) {
	for (size_t i = 0, k; i < c->n; i += k) {
		k = ent_utf8_length(c->bytes + i, c->n - i);
		if (!k || !c->bytes[i]) {
			return false;
		}
	}
	return true;
}

/* ---- one decode ----------------------------------------------------------------------------------------------------
 */

static const char *status_name(ent_status s) {
	static const char *const names[] = {
		"ENT_OK", "ENT_ENOMEM", "ENT_ENOTFORMAT", "ENT_EINTERNAL", "ENT_ESTOP", "ENT_EOPTION"};
	return s <= 0 && s >= ENT_EOPTION ? names[-s] : "a status that plugin.h does not have";
}

static void check_end(const ent__trial *t, const ent__allocs *a, ent__broken *b) {
	bool said = false;
	for (size_t i = 0; i < t->n_events; i++) {
		said |= t->events[i].type == ENT__SAID_ERROR;
	}
	if (a->failed) {
		broke(b, ENT__RULE_MEMORY, t->fault.place, "%s() asked for more than %d MiB for an input of %zu bytes",
			t->function, MEMORY_MOST >> 20, t->of->n);
	} else if (t->failed && t->returned != ENT_OK && (t->returned != ENT_ENOTFORMAT || !said)) {
		broke(b, ENT__RULE_RETURNED, t->fault.place, "%s() returned %s%s", t->function, status_name(t->returned),
			t->returned == ENT_ENOTFORMAT ? " and has not called error()" : "");
	}
}

static void check_said(const ent__trial *t, bool answers, ent__broken *b) {
	const ent__case *c = t->of;
	const char *text = (const char *)t->text.data;
	for (size_t i = 0; i < t->n_events; i++) {
		const ent__event *v = &t->events[i];
		bool about = v->type <= ENT__SAID_SKIP;
		if (about && v->place > c->n && plain(c)) {
			broke(b, ENT__RULE_PLACE, ENT__NO_PLACE, "%s at byte %llu of a document that has %zu",
				v->type == ENT__SAID_FACT ? "a fact" : "a verdict", (unsigned long long)v->place, c->n);
		}
		bool reason =
			v->type == ENT__SAID_REJECT || v->type == ENT__SAID_SKIP; /* an error may name a header as it is */
		if (reason && quotes_mail(text + v->at, v->n, c)) {
			broke(b, ENT__RULE_REASON, v->place, "a reason quotes an e-mail address of the record");
		}
	}
	const ent__record *record = answers && !t->failed ? silent(t) : NULL;
	if (record) {
		broke(b, ENT__RULE_VERDICT, record->place, "nothing was said about the record at byte %llu",
			(unsigned long long)record->place);
	}
	if (!t->failed && t->owed) {
		broke(b, ENT__RULE_BALANCE, ENT__NO_PLACE, "%llu verdicts more than there are records",
			(unsigned long long)t->owed);
	}
}

/* Whether instances leave memory behind each time: what a library keeps for good is there after the first. */
static void check_leak(const ent__case *c, const ent__allocs *first, ent__broken *b) {
	if (!first->live) {
		return;
	}
	ent__alloc_watch(ENT__ANYONES, 0, MEMORY_MOST);
	ent__trial *t = ent__trial_open(c, NULL);
	if (t) {
		ent__trial_decode(t, c->bytes, c->n);
	}
	ent__trial_close(t);
	ent__allocs again = ent__alloc_counts();
	if (again.live) {
		broke(b, ENT__RULE_LEAK, ENT__NO_PLACE, "%llu allocations of %llu bytes are left after destroy()",
			(unsigned long long)again.live, (unsigned long long)again.bytes);
	}
}

static bool same_text(const ent__trial *a, const ent__trial *b) {
	return a->text.n == b->text.n && (!a->text.n || !memcmp(a->text.data, b->text.data, a->text.n));
}

static void check_other(const ent__case *c, const ent__trial *first, const size_t *cuts, ent__broken *b) {
	ent__trial *t = ent__trial_open(c, NULL);
	if (!t) {
		return;
	}
	t->manner.cuts = cuts;
	t->manner.poison = cuts != NULL;
	ent__trial_decode(t, c->bytes, c->n);
	if (!same_text(first, t)) {
		if (cuts) {
			broke(b, ENT__RULE_SPLIT, ENT__NO_PLACE, "split at bytes %zu and %zu it brings other facts", cuts[0],
				cuts[1]);
		} else {
			broke(b, ENT__RULE_AGAIN, ENT__NO_PLACE, "decoded a second time it brings other facts");
		}
	}
	ent__trial_close(t);
}

void ent__judge(const ent__case *c, bool answers, bool thorough, ent__broken *b, void (*look)(const ent__trial *)) {
	ent_fault f = {0};
	*b = (ent__broken){.place = ENT__NO_PLACE};
	ent__alloc_watch(ENT__ANYONES, 0, MEMORY_MOST);
	ent__trial *t = ent__trial_open(c, &f);
	if (!t) {
		broke(b, ENT__RULE_CREATE, ENT__NO_PLACE, "create() refuses the options: %s", f.e.what);
		ent__alloc_unwatch();
		return;
	}
	t->records_wanted = true;
	ent__trial_decode(t, c->bytes, c->n);
	ent__allocs counts = ent__alloc_counts();
	check_end(t, &counts, b);
	check_said(t, answers, b);
	if (thorough && !b->rule) {
		check_other(c, t, NULL, b);
		bool pieces = c->decoder->frame == ENT_FRAME_JSONL || c->decoder->frame == ENT_FRAME_BYTES;
		const size_t cuts[] = {c->n / 3, c->n - c->n / 4, SIZE_MAX};
		if (pieces && cuts[0] > 0 && cuts[1] > cuts[0] && cuts[1] < c->n) {
			check_other(c, t, cuts, b);
		}
	}
	if (look) {
		look(t);
	}
	ent__trial_close(t);
	if (!b->rule) {
		counts = ent__alloc_counts();
		check_leak(c, &counts, b);
	}
	ent__alloc_unwatch();
}
