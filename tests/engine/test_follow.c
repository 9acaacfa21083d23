/* SPDX-License-Identifier: Apache-2.0
 *
 * An engine that stays open: after any change, what is stored is what judging everything anew would store, byte for
 * byte, whichever number of workers judges; and a change reaches the rules that read it, and no others. Real decoders,
 * real rules workers, a real store. */
#include "base/arena.h"
#include "base/day.h"
#include "engine/internal.h"
#include "engine/warm.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/rules_worker.h"

enum { PARTNERS = 26, DAYS = 90, JUNE = 20634 /* 2026-06-30 */, FILES = 400 };

static uint64_t seed;
static int32_t as_of = JUNE;
static unsigned agent = 1; /* who sells the next orders */
static bool zones; /* judged as of now, by partners of which two are never on the same day */

static uint32_t rnd(uint32_t below) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

typedef struct world {
	char folder[64];
	ent_config *config;
	ent_engine *e;
	ent_errors *errors;
	unsigned files, keys;
	ent_judge_report said;
} world;

/* ---- files
 * -------------------------------------------------------------------------------------------------------------- */

static FILE *create(world *w, const char *name) {
	char path[256];
	snprintf(path, sizeof path, "%s/%s", w->folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	return f;
}

/* Each file is newer than those before it: that decides which version of an order counts. */
static FILE *export_begin(world *w, const char *kind, char name[64]) {
	snprintf(name, 64, "%s/%04u.csv", kind, w->files++);
	return create(w, name);
}

static void export_end(world *w, FILE *f, const char *name) {
	char path[256];
	snprintf(path, sizeof path, "%s/%s", w->folder, name);
	assert_int_equal(fclose(f), 0);
	struct timespec times[2] = {{1780000000 + w->files * 10, 0}, {1780000000 + w->files * 10, 0}};
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void order(
	FILE *f, unsigned partner, unsigned key, int32_t day, unsigned total, unsigned customer, const char *status) {
	static const char *const channels[] = {"web", "shop", ""};
	char text[16];
	fprintf(f, "%u,p%02u,%s 12:00:00,%u.%02u,c%u,%s,%s,a%u\n", key, partner, ent_day_text(day, text), total / 100,
		total % 100, customer, channels[key % 3], status, agent);
}

#define ORDERS "key,partner,at,total,customer,channel,status,agent\n"
#define VISITS "key,partner,at,visitor,channel\n"

static unsigned usual(unsigned partner) { return 2000 + 700 * (partner % 7); }

static void first_files(world *w) {
	char name[64];
	FILE *f = export_begin(w, "orders", name);
	fputs(ORDERS, f);
	for (unsigned p = 0; p < PARTNERS; p++) {
		for (int d = 0; d < DAYS && p != 7; d++) { /* one has never sold anything */
			for (unsigned n = rnd(3); n > 0; n--) {
				order(f, p, ++w->keys, as_of - d, usual(p) + rnd(1000), rnd(40), "sold");
			}
		}
	}
	export_end(w, f, name);
	f = export_begin(w, "visits", name);
	fputs(VISITS, f);
	for (unsigned p = 0; p < PARTNERS; p += 2) {
		for (int d = 0; d < DAYS; d++) {
			char text[16];
			for (unsigned n = 1 + rnd(4); n > 0; n--) {
				fprintf(f, "%u,p%02u,%s 10:00:00,v%u,web\n", ++w->keys, p, ent_day_text(as_of - d, text), rnd(100));
			}
		}
	}
	export_end(w, f, name);
}

/* One of the things that happen: new orders, orders that changed or were cancelled, visits, contacts. */
static void happens(world *w) {
	char name[64], text[16];
	unsigned what = rnd(10), p = rnd(PARTNERS);
	FILE *f;
	if (what < 5) { /* new orders, also on days for which nobody spoke so far */
		f = export_begin(w, "orders", name);
		fputs(ORDERS, f);
		for (unsigned n = 1 + rnd(4); n > 0; n--) {
			order(f, p, ++w->keys, as_of + 3 - (int32_t)rnd(DAYS + 10), usual(p) + rnd(9000), rnd(60), "sold");
			p = rnd(3) ? p : rnd(PARTNERS);
		}
	} else if (what < 8) { /* what was told before, told again and otherwise; whose it was, may change too */
		f = export_begin(w, "orders", name);
		fputs(ORDERS, f);
		for (unsigned n = 1 + rnd(3); n > 0; n--) {
			order(f, p, 1 + rnd(w->keys), as_of - (int32_t)rnd(DAYS), usual(p) + rnd(500), rnd(40),
				rnd(2) ? "cancelled" : "sold");
		}
	} else if (what == 8) {
		f = export_begin(w, "visits", name);
		fputs(VISITS, f);
		fprintf(f, "%u,p%02u,%s 10:00:00,v%u,mail\n", ++w->keys, p, ent_day_text(as_of - (int32_t)rnd(DAYS), text),
			rnd(100));
	} else {
		f = export_begin(w, "contacts", name);
		fputs("key,partner,at,kind\n", f);
		fprintf(f, "%u,p%02u,%s 09:00:00,meeting\n", ++w->keys, p, ent_day_text(as_of - (int32_t)rnd(40), text));
	}
	export_end(w, f, name);
}

/* ---- the engine
 * --------------------------------------------------------------------------------------------------------- */

static void world_open(world *w, const char *books, unsigned workers) {
	*w = (world){.errors = ent_xcalloc(1, sizeof *w->errors)};
	snprintf(w->folder, sizeof w->folder, "/tmp/entente-follow-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	char path[256];
	for (unsigned i = 0; i < 3; i++) {
		static const char *const kinds[] = {"orders", "visits", "contacts"};
		snprintf(path, sizeof path, "%s/%s", w->folder, kinds[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	FILE *f = create(w, "identity.key");
	fputs("a key for tests, of no other use at all\n", f);
	fclose(f);
	f = create(w, "entente.yaml");
	fprintf(f,
		"version: 1\nstore: ./store\ncurrency: EUR\nidentity_key: file:identity.key\nas_of: %s\nworkers: %u\n"
		"partners:\n",
		zones ? "now" : "2026-06-30", workers);
	for (unsigned p = 0; p < PARTNERS; p++) {
		static const char *const industries[] = {"tea", "books", "shoes", "one-of-a-kind"};
		static const char *const zone_of[] = {", zone: Etc/GMT-14", ", zone: Etc/GMT+12", ""}; /* 26 hours between them */
		/* the club has all of an industry but one of them */
		fprintf(f, "  p%02u: {name: P%u, industry: %s, region: %s, attributes: {club: \"%s %u\"}%s}\n", p, p,
			industries[p < 24 ? p % 3 : 3], p % 2 ? "DE" : "SE", p < 3 || p >= 24 ? "first" : "of", p % 3,
			zones ? zone_of[p / 3 % 3] : "");
	}
	fprintf(f,
		"sources:\n"
		"  orders: {partner: {from: fact}, from: {glob: \"./orders/*.csv\"}, decode: {csv: {fact: order, columns: "
		"{key: key, "
		"partner: partner, at: at, gross: total, total: total, customer: customer, channel: channel, status: status, agent: agent}, "
		"constants: {currency: "
		"EUR}}}}\n"
		"  visits: {partner: {from: fact}, from: {glob: \"./visits/*.csv\"}, decode: {csv: {fact: visit, columns: "
		"{key: key, "
		"partner: partner, at: at, visitor: visitor, channel: channel}}}}\n"
		"  contacts: {partner: {from: fact}, from: {glob: \"./contacts/*.csv\"}, decode: {csv: {fact: contact, "
		"columns: {key: "
		"key, partner: partner, at: at, kind: kind}}}}\n"
		"rules: {books: [%s]}\n",
		books);
	fclose(f);
	first_files(w);
	snprintf(path, sizeof path, "%s/entente.yaml", w->folder);
	if (ent_config_load(path, &w->config, w->errors) ||
		ent_engine_open(&w->e, w->config, ENT_ENGINE_WRITE, w->errors)) {
		fail_msg("%s", w->errors->e[0].what);
	}
	w->e->partners_a_worker = 4; /* few are enough here to make more than one worker judge */
}

static void world_close(world *w) {
	char command[128];
	ent_engine_close(w->e);
	ent_config_destroy(w->config);
	free(w->errors);
	snprintf(command, sizeof command, "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
}

static void ingest(world *w) {
	ent_run_report *report = ent_xcalloc(1, sizeof *report);
	ent_error e = {0};
	if (ent_engine_ingest(w->e, NULL, NULL, report, &e) || report->errors.total || !report->balanced) {
		fail_msg("%s %s", e.what, report->errors.e[0].what);
	}
	free(report);
}

static void follow(world *w) {
	ent_error e = {0};
	w->said = (ent_judge_report){0};
	if (ent_engine_follow(w->e, NULL, &w->said, &e) || w->said.errors.total) {
		fail_msg("%s %s", e.what, w->said.errors.e[0].what);
	}
}

static int put_finding(void *ctx, const ent_finding *f) {
	ent_buf_printf(ctx, "%s/%s/%s %s %s %s %s %lld %d %d %s\n", f->partner, f->rule, f->key, f->kind, f->state, f->text,
		f->severity, (long long)f->worth, f->as_of, f->first_day, f->json);
	return 0;
}

static int put_verdict(
	void *ctx, const char *rule, const char *partner, const char *verdict, int32_t day, const char *json) {
	ent_buf_printf(ctx, "%s/%s %s %d %s\n", partner, rule, verdict, day, json);
	return 0;
}

/* All that the rules left in the store, but the number of the run. */
static char *stored(world *w) {
	ent_buf b = {0};
	ent_error e;
	assert_int_equal(ent_store_verdicts_scan(w->e->store, NULL, true, put_verdict, &b, &e), 0);
	assert_int_equal(ent_store_findings_scan(w->e->store, NULL, put_finding, &b, &e), 0);
	ent_buf_u8(&b, 0);
	return (char *)b.data;
}

static void same(const char *a, const char *b, const char *when) {
	if (!strcmp(a, b)) {
		return;
	}
	size_t i = 0, line = 0;
	for (; a[i] == b[i]; i++) {
		line = a[i] == '\n' ? i + 1 : line;
	}
	fail_msg("%s:\n%.*s\n  and judged as a whole\n%.*s", when, (int)strcspn(a + line, "\n"), a + line,
		(int)strcspn(b + line, "\n"), b + line);
}

/* ---- tests
 * -------------------------------------------------------------------------------------------------------------- */

#define BOOK ENTENTE_SOURCE_DIR "/tests/engine/book"
#define TOGETHER ENTENTE_SOURCE_DIR "/tests/engine/together" /* vectorized */
#define WORDS ENTENTE_SOURCE_DIR "/tests/engine/words"
#define FACTS ENTENTE_SOURCE_DIR "/tests/engine/book_facts"

/* After each change: what following it left is what fresh workers say of a fresh snapshot. */
static void changes_are_followed(unsigned workers, uint64_t from, unsigned steps) {
	world w;
	unsigned followed = 0;
	seed = from;
	world_open(&w, "shipped, " BOOK ", " TOGETHER ", " FACTS, workers);
	ingest(&w);
	follow(&w);
	assert_true(w.said.whole && w.said.said_true && w.said.unknown && !w.said.failed);
	assert_int_equal(w.e->rules_kept, workers);
	for (unsigned i = 0; i < steps; i++) {
		char when[64];
		for (unsigned n = 1 + rnd(3); n > 0; n--) {
			agent = rnd(4);
			happens(&w);
			if (rnd(2)) {
				ingest(&w);
			}
		}
		ingest(&w);
		follow(&w);
		followed += !w.said.whole;
		char *change = stored(&w);
		if (!w.said.whole || i == 0) {
			uint64_t days = ent_engine_days(w.e, NULL);
			ent_engine_rules_reload(w.e);
			follow(&w);
			assert_true(w.said.whole);
			char *whole = stored(&w);
			snprintf(when, sizeof when, "step %u of %llu", i, (unsigned long long)from);
			if (days == ent_engine_days(w.e, NULL)) { /* no day turned in between */
				same(change, whole, when);
			}
			free(whole);
		}
		free(change);
	}
	assert_true(followed > steps / 2);
	world_close(&w);
}

static void one_worker(void **state) {
	(void)state;
	changes_are_followed(1, 7, 14);
}

static void two_workers(void **state) {
	(void)state;
	changes_are_followed(2, 11, 14);
}

/* As of now, which is another day for each third of the partners. */
static void other_days(unsigned workers, uint64_t from) {
	zones = true;
	as_of = ent_day_of_us((int64_t)time(NULL) * 1000000 + INT64_C(14) * 3600000000);
	changes_are_followed(workers, from, 14);
	zones = false;
	as_of = JUNE;
}

static void one_worker_on_other_days(void **state) {
	(void)state;
	other_days(1, 5);
}

static void two_workers_on_other_days(void **state) {
	(void)state;
	other_days(2, 23);
}

/* Cohorts that differ by one partner are asked for by several workers, by none of which both need be: the core keeps the larger
 * one, whoever says it first, and has all judged again; from the second time on the log says so at once. */
static void alike_however_many_workers(void **state) {
	(void)state;
	char *said[2];
	for (unsigned i = 0; i < 2; i++) {
		world w;
		seed = 3;
		world_open(&w, ENTENTE_SOURCE_DIR "/tests/engine/cohorts", i ? 4 : 1);
		ingest(&w);
		follow(&w);
		assert_int_equal(w.e->rules_kept, i ? 4 : 1);
		said[i] = stored(&w);
		assert_non_null(strstr(said[i], "industry tea: "));
		assert_null(strstr(said[i], "club of 0: "));
		assert_non_null(strstr(said[i], "differ by too few partners from others that are shown"));
		ent_engine_rules_reload(w.e);
		follow(&w);
		char *again = stored(&w);
		assert_non_null(strstr(again, "industry tea: "));
		assert_null(strstr(again, "club of 0: "));
		assert_non_null(strstr(again, "differs by fewer than 5 partners from industry tea, which was shown"));
		free(again);
		world_close(&w);
	}
	same(said[1], said[0], "four workers");
	free(said[0]);
	free(said[1]);
}

static int day_of_partner(void *ctx, const char *rule, const char *partner, const char *verdict, int32_t day, const char *json) {
	int32_t *days = ctx, *known = &days[atoi(partner + 1)];
	(void)rule;
	(void)verdict;
	(void)json;
	assert_true(!*known || *known == day);
	*known = day;
	return 0;
}

/* The day turns for some partners: all is judged anew, and what they said is of their own day. */
static void a_day_turns(void **state) {
	(void)state;
	world w;
	ent_error e;
	int32_t days[PARTNERS] = {0};
	zones = true;
	seed = 9;
	as_of = ent_day_of_us((int64_t)time(NULL) * 1000000 + INT64_C(14) * 3600000000);
	world_open(&w, "shipped, " BOOK, 1);
	ingest(&w);
	follow(&w);
	happens(&w);
	ingest(&w);
	follow(&w);
	assert_int_equal(ent_store_verdicts_scan(w.e->store, NULL, false, day_of_partner, days, &e), 0);
	int32_t day;
	assert_int_equal(ent_engine_as_of(w.e, NULL, &day, &e), 0);
	for (unsigned p = 0; p < PARTNERS; p++) {
		int64_t hours = p / 3 % 3 == 0 ? 14 : p / 3 % 3 == 1 ? -12 : 0;
		assert_int_equal(days[p], ent_day_of_us(w.e->now_us + hours * 3600000000));
	}
	assert_int_equal(day, days[0]);
	assert_true(days[3] < days[0]);
	follow(&w);
	assert_false(w.said.whole);
	uint64_t print = ent_engine_days(w.e, NULL);
	w.e->now_us += INT64_C(86400000000);
	assert_true(print != ent_engine_days(w.e, NULL));
	w.e->warm->days++; /* as it is when a day has turned since */
	follow(&w);
	assert_true(w.said.whole);
	world_close(&w);
	zones = false;
	as_of = JUNE;
}

/* Layers upon layers, none of them checked in between. */
static void many_layers(void **state) {
	(void)state;
	world w;
	seed = 3;
	world_open(&w, "shipped, " BOOK, 1);
	ingest(&w);
	follow(&w);
	size_t most = 0;
	for (unsigned i = 0; i < 45; i++) {
		char name[64];
		FILE *f = export_begin(&w, "orders", name);
		unsigned p = rnd(PARTNERS - 1);
		p += p >= 7; /* the one without sales would be a partner with another source all at once */
		fputs(ORDERS, f);
		order(f, p, rnd(2) ? ++w.keys : 1 + rnd(w.keys), as_of - 1 - (int32_t)rnd(DAYS - 2), usual(p) + rnd(500),
			rnd(40), "sold");
		export_end(&w, f, name);
		ingest(&w);
		follow(&w);
		assert_false(w.said.whole);
		most = w.e->warm->layers > most ? w.e->warm->layers : most;
	}
	assert_true(most > 4 && most <= 33);
	char *change = stored(&w);
	ent_engine_rules_reload(w.e);
	follow(&w);
	char *whole = stored(&w);
	same(change, whole, "after many layers");
	free(change);
	free(whole);
	world_close(&w);
}

static void one_order(world *w, unsigned partner, unsigned key, int32_t day, unsigned total) {
	char name[64];
	FILE *f = export_begin(w, "orders", name);
	fputs(ORDERS, f);
	order(f, partner, key, day, total, 3, "sold");
	export_end(w, f, name);
	ingest(w);
	follow(w);
	assert_false(w->said.whole);
}

/* The number of rules that run is what the rules read, not what there is. */
static void a_change_goes_no_further(void **state) {
	(void)state;
	world w;
	char name[64], text[16];
	seed = 5;
	world_open(&w, BOOK, 1);
	ingest(&w);
	follow(&w);
	uint64_t all = w.said.evaluations;
	assert_int_equal(all, PARTNERS * 10);

	follow(&w); /* nothing happened */
	assert_false(w.said.whole);
	assert_int_equal(w.said.evaluations, 0);

	FILE *f = export_begin(&w, "visits", name); /* one visit: the rule that reads traffic */
	fputs(VISITS, f);
	fprintf(f, "%u,p04,%s 10:00:00,v1,web\n", ++w.keys, ent_day_text(as_of - 5, text));
	export_end(&w, f, name);
	ingest(&w);
	follow(&w);
	assert_int_equal(w.said.changed, 1);
	assert_int_equal(w.said.evaluations, 1);

	f = export_begin(&w, "contacts", name); /* what is known of a partner: its rules, and nobody else's */
	fprintf(f, "key,partner,at,kind\n%u,p03,%s 09:00:00,meeting\n", ++w.keys, ent_day_text(as_of - 9, text));
	export_end(&w, f, name);
	ingest(&w);
	follow(&w);
	assert_int_equal(w.said.changed, 1);
	assert_int_equal(w.said.evaluations, 10);

	/* an order: all rules of its partner but those that read traffic and contacts, and whoever is told something else
	 * by the cohort now: some of the ten rules of the others, not all */
	one_order(&w, 3, ++w.keys, as_of - 4, 900000);
	assert_int_equal(w.said.changed, 1);
	assert_in_range(w.said.evaluations, 8, all / 2);

	/* the same order once more, told by a newer file: nothing changes in the cells */
	one_order(&w, 3, w.keys, as_of - 4, 900000);
	assert_int_equal(w.said.evaluations, 0);
	world_close(&w);
}

static int count_said(void *ctx, const char *rule, const char *partner, const char *verdict, int32_t day, const char *json) {
	unsigned *n = ctx;
	(void)partner;
	(void)verdict;
	(void)day;
	(void)json;
	n[0] += !strcmp(rule, "silent");
	n[1] += !strcmp(rule, "sells");
	return 0;
}

/* A vectorized rule runs once, in one of the workers, of whomever they judge; again where anybody's figures changed that it
 * read; and nothing is told of those for whom nothing changed. */
static void all_partners_are_judged_at_once(void **state) {
	(void)state;
	for (unsigned workers = 1; workers < 4; workers += 2) {
		world w;
		char name[64], text[16];
		unsigned n[2] = {0};
		ent_error e;
		seed = 31;
		world_open(&w, BOOK ", " TOGETHER, workers);
		ingest(&w);
		follow(&w);
		assert_int_equal(w.said.evaluations, PARTNERS * 10 + 3);
		assert_int_equal(ent_store_verdicts_scan(w.e->store, NULL, false, count_said, n, &e), 0);
		assert_true(n[0] == PARTNERS && n[1] == PARTNERS);
		uint64_t told = w.said.said_true + w.said.said_false + w.said.unknown;
		assert_int_equal(told, PARTNERS * 13);
		/* a visit: one rule of its partner, and one for all, which says something else of that partner at most */
		FILE *f = export_begin(&w, "visits", name);
		fputs(VISITS, f);
		fprintf(f, "%u,p04,%s 10:00:00,v1,web\n", ++w.keys, ent_day_text(as_of - 5, text));
		export_end(&w, f, name);
		ingest(&w);
		follow(&w);
		assert_false(w.said.whole);
		assert_int_equal(w.said.evaluations, 2);
		told = w.said.said_true + w.said.said_false + w.said.unknown;
		assert_in_range(told, 2, PARTNERS / 2 + 2); /* of the others only if the median of those with visits moved */
		char *change = stored(&w);
		ent_engine_rules_reload(w.e);
		follow(&w);
		assert_true(w.said.whole);
		char *whole = stored(&w);
		same(change, whole, "after a visit");
		free(change);
		free(whole);
		world_close(&w);
	}
}

/* What no cell holds: who sold it. The rules that read orders one by one run again, of this partner, and no others. */
static void a_change_of_facts_alone_is_followed(void **state) {
	(void)state;
	world w;
	seed = 6;
	world_open(&w, BOOK ", " FACTS, 2);
	ingest(&w);
	follow(&w);
	agent = 2;
	one_order(&w, 3, ++w.keys, as_of - 4, 4000);
	agent = 3;
	one_order(&w, 3, w.keys, as_of - 4, 4000);
	assert_int_equal(w.said.changed, 1);
	assert_int_equal(w.said.evaluations, 2);
	char *change = stored(&w);
	ent_engine_rules_reload(w.e);
	follow(&w);
	char *whole = stored(&w);
	same(change, whole, "after another agent");
	free(change);
	free(whole);
	world_close(&w);
}

/* A figure of a cohort that is released as before lets nobody run again: long ago, outside of every window. */
static void unchanged_cohorts_rest(void **state) {
	(void)state;
	world w;
	seed = 9;
	world_open(&w, BOOK, 1);
	ingest(&w);
	follow(&w);
	one_order(&w, 3, ++w.keys, as_of - DAYS + 2, 2500);
	assert_int_equal(w.said.changed, 1);
	assert_in_range(w.said.evaluations, 1, 8); /* its own: by metric, whatever the days */
	world_close(&w);
}

/* Workers may be gone when they are needed: others are started, and told everything. */
static void a_lost_worker_is_replaced(void **state) {
	(void)state;
	world w;
	seed = 13;
	world_open(&w, BOOK, 2);
	ingest(&w);
	follow(&w);
	ent_child_kill(w.e->rules->workers[1].child, SIGKILL);
	char name[64];
	FILE *f = export_begin(&w, "orders", name);
	fputs(ORDERS, f);
	order(f, 4, ++w.keys, as_of - 4, 4000, 3, "sold");
	export_end(&w, f, name);
	ingest(&w);
	follow(&w);
	assert_true(w.said.whole);
	char *a = stored(&w);
	ent_engine_rules_reload(w.e);
	follow(&w);
	char *b = stored(&w);
	same(a, b, "after a worker was lost");
	free(a);
	free(b);
	world_close(&w);
}

/* Memory of snapshots that are not read any more, in the worker, too: figures of cohorts hold on to it in circles. */
static void old_snapshots_are_let_go(void **state) {
	(void)state;
	world w;
	char path[64], line[512];
	unsigned mapped = 0;
	seed = 19;
	world_open(&w, BOOK, 1);
	ingest(&w);
	for (unsigned i = 0; i < 4; i++) {
		follow(&w);
		assert_true(w.said.whole);
		ent__warm_all(w.e, "the test says so");
	}
	snprintf(path, sizeof path, "/proc/%d/maps", ent_child_pid(w.e->rules->workers[0].child));
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		mapped += strstr(line, "entente-snapshot") != NULL;
	}
	fclose(f);
	assert_int_equal(mapped, 1);
	world_close(&w);
}

/* A file that was looked at is not read again while nothing touches it; but what is written into it, with the old size
 * and the old time of change, is seen. */
static void a_touched_file_is_seen(void **state) {
	(void)state;
	world w;
	char name[64], path[256];
	seed = 17;
	world_open(&w, BOOK, 1);
	FILE *f = export_begin(&w, "orders", name);
	fputs(ORDERS, f);
	order(f, 4, ++w.keys, as_of - 4, 4000, 3, "sold");
	export_end(&w, f, name);
	ingest(&w);
	follow(&w);
	struct stat before, after;
	struct timespec grain = {0, 150000000};
	nanosleep(&grain, NULL); /* the kernel's clock of files must have gone on */
	ingest(&w);
	unsigned looked = 0;
	for (uint32_t i = 1; i < w.e->n_inputs; i++) {
		looked += w.e->stored[i].looked_ns != 0;
	}
	assert_int_equal(looked, 3);
	follow(&w);
	assert_int_equal(w.said.changed, 0);
	snprintf(path, sizeof path, "%s/%s", w.folder, name);
	assert_int_equal(stat(path, &before), 0);
	f = fopen(path, "r+");
	assert_non_null(f);
	fputs(ORDERS, f);
	order(f, 4, w.keys, as_of - 4, 5000, 3, "sold");
	fclose(f);
	assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){before.st_mtim, before.st_mtim}, 0), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	ingest(&w);
	follow(&w);
	assert_int_equal(w.said.changed, 1);
	world_close(&w);
}

/* Rules start while there is something to read, and not where there is nothing; what they rest on is looked at again. */
static void rules_start_beside_the_decoders(void **state) {
	(void)state;
	world w;
	char path[256];
	seed = 77;
	world_open(&w, "./book", 1);
	snprintf(path, sizeof path, "%s/book", w.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	ingest(&w);
	assert_null(w.e->rules); /* nobody expects them */
	happens(&w);
	ent_engine_rules_expected(w.e);
	ingest(&w);
	assert_non_null(w.e->rules);
	assert_true(w.e->rules->prepared[0] && w.e->rules->n == 0);
	int ahead = ent_child_pid(w.e->rules->workers[0].child);
	follow(&w);
	assert_int_equal(ent_child_pid(w.e->rules->workers[0].child), ahead);
	assert_int_equal(w.said.rules, 0);
	/* a book that is written while the others are read */
	ent_engine_rules_reload(w.e);
	happens(&w);
	ent_engine_rules_expected(w.e);
	ingest(&w);
	ahead = ent_child_pid(w.e->rules->workers[0].child);
	FILE *f = create(&w, "book/late.py");
	fputs("from entente import rule\n\n\n@rule(practice=\"informative\")\ndef late(partner):\n    \"\"\"Late.\"\"\"\n", f);
	fclose(f);
	follow(&w);
	assert_int_not_equal(ent_child_pid(w.e->rules->workers[0].child), ahead);
	assert_int_equal(w.said.rules, 1);
	/* one that died before it was needed */
	ent_engine_rules_reload(w.e);
	happens(&w);
	ent_engine_rules_expected(w.e);
	ingest(&w);
	ent_child_kill(w.e->rules->workers[0].child, SIGKILL);
	while (!w.e->rules->workers[0].gone) {
		uv_run(&w.e->loop, UV_RUN_ONCE);
	}
	follow(&w);
	assert_int_equal(w.said.rules, 1);
	/* nothing is read: nothing starts */
	ent_engine_rules_reload(w.e);
	ent_engine_rules_expected(w.e);
	ingest(&w);
	assert_null(w.e->rules);
	world_close(&w);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_worker),
		cmocka_unit_test(two_workers),
		cmocka_unit_test(alike_however_many_workers),
		cmocka_unit_test(one_worker_on_other_days),
		cmocka_unit_test(two_workers_on_other_days),
		cmocka_unit_test(a_day_turns),
		cmocka_unit_test(many_layers),
		cmocka_unit_test(a_change_goes_no_further),
		cmocka_unit_test(all_partners_are_judged_at_once),
		cmocka_unit_test(a_change_of_facts_alone_is_followed),
		cmocka_unit_test(unchanged_cohorts_rest),
		cmocka_unit_test(a_lost_worker_is_replaced),
		cmocka_unit_test(a_touched_file_is_seen),
		cmocka_unit_test(old_snapshots_are_let_go),
		cmocka_unit_test(rules_start_beside_the_decoders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
