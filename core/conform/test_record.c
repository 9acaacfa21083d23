/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of what is said of records: one verdict for each, counts that close, facts in range, nothing personal. */
#include "conform/fields.h"
#include "conform/tests.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- verdicts
 * ---------------------------------------------------------------------------------------------------------- */

typedef struct said { /* of one record */
	unsigned facts, gone, skips, rejects;
	const ent__event *reject; /* the last one */
	bool twice;               /* it was said before */
} said;

static const ent__record *record_at(const ent__trial *t, uint64_t place) {
	size_t low = 0, high = t->n_records;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (t->records[mid].place <= place) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low && place < t->records[low - 1].end ? &t->records[low - 1] : NULL;
}

/* Of rows and lines the host knows what a record is; elsewhere it is a place that something was said about. */
static bool knows_records(const ent__case *c) {
	return c->decoder->frame == ENT_FRAME_DELIMITED || c->decoder->frame == ENT_FRAME_JSONL;
}

static void about_record(ent__check *k, const ent__case *c, uint64_t place, const said *s, bool silence_is_wrong) {
	const char *what = NULL, *todo = NULL;
	if (s->skips && s->rejects) {
		what = "is skipped and rejected";
		todo = "skip what is none of ours, reject what is wrong; a record is one or the other";
	} else if (s->skips && s->facts) {
		what = "is skipped, and brings a fact";
		todo = "skip() is for records that mean nothing";
	} else if (s->skips > 1 || s->twice) {
		what = s->skips > 1 ? "is skipped twice" : "is rejected twice for one reason";
		todo = "return as soon as a record is rejected: it would be in the rejects store twice";
	} else if (silence_is_wrong && !s->facts && !s->gone && !s->skips && !s->rejects) {
		what = "is lost without a word: there is no fact, no skip and no reject at its place";
		todo = "push a fact with the record's place, reject it, or skip it with a reason";
	}
	if (what) {
		ent__check_fail(k, c, place, todo, "the record at byte %llu %s", (unsigned long long)place, what);
	}
}

#define MADE_OF_MANY (1u << ENT_VISIT | 1u << ENT_CART | 1u << ENT_OBSERVATION)

void ent__test_verdicts(ent__check *k, const ent__case *c) {
	ent__doing(c, "decoding it");
	ent__trial *t = ent__open(k, c);
	unsigned before = k->n_failures;
	if (!t) {
		return;
	}
	t->records_wanted = true;
	ent__check_ran(k);
	ent__trial_decode(t, c->bytes, c->n);
	bool known = knows_records(c);
	/* some facts are made of many records, and name the first, or none: silence of the others means nothing */
	bool silence = known && !t->failed && !(c->decoder->facts & MADE_OF_MANY);
	size_t places = known ? t->n_records : t->n_events;
	said *all = ent_xcalloc(places + 1, sizeof *all);
	for (size_t i = 0; i < t->n_events && k->n_failures == before; i++) {
		const ent__event *v = &t->events[i];
		size_t at = 0;
		if (v->type > ENT__SAID_SKIP) {
			continue;
		}
		if (known) {
			const ent__record *r = record_at(t, v->place);
			if (!r && v->type == ENT__SAID_FACT && MADE_OF_MANY >> v->kind & 1) {
				continue;
			}
			if (!r || (c->decoder->frame == ENT_FRAME_DELIMITED && r->place != v->place)) {
				ent__check_fail(k, c, v->place, "give the place of the row, or of the line's beginning as it was fed",
					"byte %llu is named, where no record begins: %.*s", (unsigned long long)v->place,
					(int)(v->n < 300 ? v->n - 1 : 300), (char *)t->text.data + v->at);
				break;
			}
			at = (size_t)(r - t->records);
		} else {
			while (t->events[at].type > ENT__SAID_SKIP || t->events[at].place != v->place) {
				at++;
			}
		}
		all[at].facts += v->type == ENT__SAID_FACT && !v->retract; /* what is no cart any more may mean nothing else */
		all[at].gone += v->type == ENT__SAID_FACT && v->retract;
		all[at].skips += v->type == ENT__SAID_SKIP;
		if (v->type == ENT__SAID_REJECT) {
			const ent__event *last = all[at].reject;
			const char *text = (const char *)t->text.data;
			all[at].twice |= last && last->n == v->n && !memcmp(text + last->at, text + v->at, v->n);
			all[at].reject = v;
			all[at].rejects++;
		}
	}
	for (size_t i = 0; i < places && k->n_failures == before; i++) {
		about_record(k, c, known ? t->records[i].place : t->events[i].place, &all[i], silence);
	}
	free(all);
	ent__trial_close(t);
}

/* ---- balance
 * ---------------------------------------------------------------------------------------------------------- */

void ent__test_balance(ent__check *k, const ent__case *c) {
	ent__doing(c, "decoding it");
	ent__trial *t = ent__open(k, c);
	if (!t) {
		return;
	}
	t->records_wanted = true;
	ent__trial_decode(t, c->bytes, c->n);
	bool known = knows_records(c), good = true;
	uint64_t all = t->consumed + t->rejected + t->skipped, rejected = 0, skipped = 0;
	if (t->failed) {
		ent__check_skip(k, "the inputs are refused as a whole: nothing of them is counted");
		ent__trial_close(t);
		return;
	}
	ent__check_ran(k);
	if (t->owed) {
		ent__check_fail(k, c, ENT__NO_PLACE, "reject and skip records at their own place, each once",
			"%llu verdicts are about records that there are not", (unsigned long long)t->owed);
		good = false;
	}
	for (size_t i = 0; good && i < t->n_records; i++) {
		said s = {0};
		for (size_t e = 0; e < t->n_events; e++) {
			const ent__event *v = &t->events[e];
			if (v->place >= t->records[i].place && v->place < t->records[i].end) {
				s.facts += v->type == ENT__SAID_FACT && !v->refused;
				s.skips += v->type == ENT__SAID_SKIP;
				s.rejects += v->type == ENT__SAID_REJECT || v->refused;
			}
		}
		rejected += s.rejects > 0;
		skipped += s.skips && !s.rejects && !s.facts;
	}
	if (good && known) {
		uint64_t broken = all - t->n_records; /* rows that the host itself rejects */
		uint64_t consumed = t->n_records - rejected - skipped;
		if (all < t->n_records || t->rejected != rejected + broken || t->skipped != skipped ||
			t->consumed != consumed) {
			ent__check_fail(k, c, ENT__NO_PLACE,
				"reject and skip records at their own place, while they are in hand or later, each once",
				"%zu records came; %llu consumed, %llu rejected, %llu skipped were counted, but %llu, %llu and %llu "
				"were said",
				t->n_records, (unsigned long long)t->consumed, (unsigned long long)t->rejected,
				(unsigned long long)t->skipped, (unsigned long long)consumed, (unsigned long long)(rejected + broken),
				(unsigned long long)skipped);
			good = false;
		}
	}
	uint64_t pushed = 0;
	for (size_t e = 0; e < t->n_events; e++) {
		pushed += t->events[e].type == ENT__SAID_FACT && !t->events[e].refused;
	}
	if (good && pushed != t->facts) {
		ent__check_fail(k, c, ENT__NO_PLACE,
			"an order with its lines must fit the ring of the worker: push fewer lines at once",
			"%llu facts were pushed, and %llu were handed over", (unsigned long long)pushed,
			(unsigned long long)t->facts);
	}
	ent__trial_close(t);
}

/* ---- facts
 * ------------------------------------------------------------------------------------------------------------ */

typedef struct facts {
	ent__check *check;
	const ent__case *of;
	unsigned before;   /* failures when the case was begun */
	bool lines_follow; /* the last order has no amount of its own */
	uint64_t order_place;
} facts;

#define MOST_MONEY INT64_C(100000000000000000) /* a hundred thousand million of any currency */

static void bad_fact(facts *f, uint64_t place, const char *todo, ent_fact kind, const char *member, const char *what) {
	if (f->check->n_failures == f->before) { /* one for each input: the others are of its kind */
		ent__check_fail(f->check, f->of, place, todo, "a fact %s at byte %llu: %s%s%s", ent__kind_name(kind),
			(unsigned long long)place, member, *member ? " " : "", what);
	}
}

static void check_time(facts *f, ent_fact kind, const ent__member *m, const void *fact, uint64_t place) {
	const ent_time *t = ent__member_at(m, fact);
	static const char todo[] =
		"check the pattern, the unit and the sign; leave a time that is not known ENT_TIME_NONE, all zero";
	/* years 1970 to 2100; days, months and microseconds */
	const int64_t most = t->kind == ENT_TIME_MONTH  ? 12 * 131
						 : t->kind == ENT_TIME_DATE ? 47847
													: INT64_C(4133980800000000);
	if (t->kind == ENT_TIME_NONE) {
		if (t->v) {
			bad_fact(f, place, todo, kind, m->name, "has a value, and no kind of time");
		}
		return;
	}
	if (t->v < 0 || t->v > most) {
		ent_buf b = {0};
		ent__write_time(&b, "at", *t);
		char text[160];
		snprintf(text, sizeof text, "lies %s: %.*s", t->v < 0 ? "before 1970" : "after 2100", (int)b.n, (char *)b.data);
		bad_fact(f, place, todo, kind, m->name, text);
		ent_buf_finish(&b);
	}
	static const uint8_t zero[sizeof t->reserved];
	if (memcmp(t->reserved, zero, sizeof zero) != 0) {
		bad_fact(f, place, "begin with `= {0}`: a later minor may give these bytes a meaning", kind, m->name,
			"has reserved bytes that are not zero");
	}
}

/* May this amount be below zero? Goods that come back, what a payment is short of, a correction. */
static bool may_be_negative(ent_fact kind, const char *name) {
	if (kind == ENT_REFUND) {
		return strcmp(name, "amount") != 0;
	}
	return strcmp(name, "discount") != 0 && kind != ENT_CART && kind != ENT_TOUCH;
}

static void check_member(facts *f, ent_fact kind, const ent__member *m, const void *fact, uint64_t place) {
	const void *p = ent__member_at(m, fact);
	if (m->type == ENT__RESERVED) {
		for (size_t i = 0; i < m->bytes; i++) {
			if (((const uint8_t *)p)[i]) {
				bad_fact(f, place, "begin with `= {0}`: a later minor may give these bytes a meaning", kind, m->name,
					"is not zero");
				break;
			}
		}
	} else if (m->type == ENT__TIME) {
		check_time(f, kind, m, fact, place);
	} else if (m->type == ENT__TEXT) {
		const ent_str *s = p;
		if (!s->p && s->n) {
			bad_fact(
				f, place, "{NULL, 0} is absent, {pointer, 0} is empty", kind, m->name, "has a length and no bytes");
		} else if (s->n && memchr(s->p, 0, s->n)) {
			bad_fact(f, place, "pass the length without the NUL", kind, m->name, "has a NUL byte in it");
		} else if (kind == ENT_ORDER && !strcmp(m->name, "country") && s->n &&
				   (s->n != 2 || !isupper((unsigned char)s->p[0]) || !isupper((unsigned char)s->p[1]))) {
			bad_fact(f, place, "write it as ISO 3166-1 alpha-2, or leave it absent", kind, m->name,
				"is not two capital letters");
		}
	} else if (m->type == ENT__MONEY && ent__member_there(m, fact)) {
		int64_t v = ent__member_number(m, fact);
		if (v > MOST_MONEY || v < -MOST_MONEY) {
			bad_fact(f, place, "amounts are in millionths of the currency", kind, m->name,
				"is more than a hundred thousand million");
		} else if (v < 0 && !may_be_negative(kind, m->name)) {
			bad_fact(f, place, "it is written as a positive number", kind, m->name, "is negative");
		}
	}
}

/* Amounts and their currency belong together. */
static void check_currency(facts *f, ent_fact kind, const void *fact, uint64_t place) {
	const ent__member *currency = NULL;
	const char *amount = NULL;
	for (const ent__member *m = ent__members(kind); m->name; m++) {
		currency = m->type == ENT__CURRENCY ? m : currency;
		amount = m->type == ENT__MONEY && ent__member_there(m, fact) ? m->name : amount;
	}
	if (kind == ENT_OBSERVATION) {
		const ent_observation *o = fact;
		bool money = o->unit.n == 5 && !memcmp(o->unit.p, "money", 5);
		amount = o->h.has & ENT_HAS_VALUE ? "value" : NULL;
		if (!amount) {
			bad_fact(f, place, "an observation is its value: set ENT_HAS_VALUE, or skip the record", kind, "value",
				"is not there");
		} else if (money && !o->currency[0]) {
			bad_fact(f, place, "say which currency it is in", kind, "value", "is money without a currency");
		}
		return;
	}
	if (!currency || kind == ENT_LINE || kind == ENT_REFUND) { /* those of the order, if they have none */
		return;
	}
	if (amount && !ent__member_there(currency, fact)) {
		bad_fact(f, place, "say which currency it is in", kind, amount, "is an amount without a currency");
	} else if (!amount && ent__member_there(currency, fact) && kind != ENT_ORDER) {
		bad_fact(f, place, "leave the currency empty, or give the amount with its bit of `has`", kind, "",
			"a currency without an amount");
	}
	f->lines_follow = kind == ENT_ORDER && !amount;
	f->order_place = place;
}

static void on_fact(void *ctx, ent__trial *t, ent_fact kind, const void *fact, uint64_t place) {
	facts *f = ctx;
	const ent_head *h = fact;
	const char *why = ent__fact_check(kind, fact);
	uint64_t bits = 0;
	if (kind != ENT_LINE && f->lines_follow) {
		bad_fact(f, f->order_place, "give its total, or its lines right behind it", ENT_ORDER, "",
			"a currency without an amount");
		f->lines_follow = false;
	}
	f->lines_follow &= kind != ENT_LINE;
	if (!(t->decoder->facts >> kind & 1)) {
		bad_fact(f, place, "set 1u << kind in its `facts`", kind, "", "the decoder does not declare this kind");
	}
	if (why) {
		bad_fact(f, place, "reject the record yourself, with the column: the host's reason helps its reader less", kind,
			"the host refuses it:", why);
		return;
	}
	for (const ent__member *m = ent__head_members; m->name; m++) {
		check_member(f, kind, m, fact, place);
	}
	if (!ent__fact_texts_good(kind, fact)) {
		bad_fact(f, place, "cut texts at characters, and reject what is no text", kind, "",
			"the host refuses it: a text that is no UTF-8, or has a NUL byte in it");
	}
	if (h->op == ENT_RETRACT) {
		return;
	}
	for (const ent__member *m = ent__members(kind); m->name; m++) {
		bits |= m->has;
		check_member(f, kind, m, fact, place);
	}
	if (h->has & ~bits) {
		bad_fact(f, place, "set only bits of members that this kind of fact has", kind, "",
			"`has` has a bit that is not of its kind");
	}
	check_currency(f, kind, fact, place);
}

void ent__test_facts(ent__check *k, const ent__case *c) {
	ent__doing(c, "decoding it");
	ent__trial *t = ent__open(k, c);
	facts f = {.check = k, .of = c, .before = k->n_failures};
	if (!t) {
		return;
	}
	t->watcher = (ent__watcher){.ctx = &f, .fact = on_fact};
	ent__check_ran(k);
	ent__trial_decode(t, c->bytes, c->n);
	if (f.lines_follow && !t->failed) {
		bad_fact(&f, f.order_place, "give its total, or its lines right behind it", ENT_ORDER, "",
			"a currency without an amount");
	}
	ent__trial_close(t);
}
