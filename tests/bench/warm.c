/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a test: what a change costs in an engine that stays open, through the engine's own library, with real decoder
 * workers, a real store on disk and real rules workers. Makes its data itself, in a folder that it deletes again.
 *
 *     bench_warm one [PARTNERS ORDERS]    one changed order among many: from the file to the findings
 *     bench_warm many [PARTNERS [ORDERS [ROUNDS]]]      many partners: all judged in a warm engine, then one in a
 * hundred that changed
 *
 * Prints one JSON object: milliseconds, medians and least ones, and the CPU time of this process and of its workers. */
#include "base/arena.h"
#include "base/day.h"
#include "engine/internal.h"
#include "engine/warm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/rules_worker.h"

enum { DAYS = 120, AS_OF = 20634 /* 2026-06-30 */, ROUNDS_MOST = 64 };

/* Deterministic: the same data in every run. */
static uint32_t dice(uint32_t below) {
	static uint64_t state = 42;
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % below;
}

static char folder[256];
static uint32_t n_partners, n_keys, n_files;
static uint32_t *newest; /* by partner: cents of its newest order */
static ent_config *config;
static ent_engine *engine;

static void die(const char *what, const ent_error *e) {
	fprintf(stderr, "bench_warm: %s: %s\n", what, e ? e->what : strerror(errno));
	exit(1);
}

static double now(void) { return (double)uv_hrtime() / 1e6; }

/* ---- data
 * --------------------------------------------------------------------------------------------------------------- */

static FILE *create(const char *name) {
	char path[400];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	if (!f) {
		die(path, NULL);
	}
	return f;
}

/* Each file is newer than those before it: that decides which version of an order counts. */
static void written(FILE *f, const char *name) {
	char path[400];
	struct timespec times[2] = {{1780000000 + n_files * 10, 0}, {1780000000 + n_files * 10, 0}};
	snprintf(path, sizeof path, "%s/%s", folder, name);
	n_files++;
	if (fclose(f) || utimensat(AT_FDCWD, path, times, 0)) {
		die(path, NULL);
	}
}

static void order(FILE *f, uint32_t key, uint32_t partner, int32_t day, uint32_t cents) {
	static const char *const channels[] = {"web", "shop", "app"};
	char text[16];
	fprintf(f, "%u,p%06u,%s 12:00:00,%u.%02u,c%u,%s\n", key, partner, ent_day_text(day, text), cents / 100, cents % 100,
		partner * 512 + dice(500), channels[key % 3]);
}

#define HEAD "key,partner,at,total,customer,channel\n"

static uint32_t usual(uint32_t partner) { return 2000 + 800 * (partner % 9); }

/* Orders of all partners, spread over the days, in `files` files, each of them of some partners. */
static void write_orders(uint32_t orders, uint32_t files) {
	uint32_t each = orders / n_partners;
	newest = ent_xcalloc(n_partners, sizeof *newest);
	for (uint32_t file = 0; file < files; file++) {
		char name[64];
		snprintf(name, sizeof name, "orders/%05u.csv", file);
		FILE *f = create(name);
		fputs(HEAD, f);
		for (uint32_t p = file; p < n_partners; p += files) {
			for (uint32_t i = 0; i < each; i++) {
				uint32_t cents = usual(p) + dice(3000);
				newest[p] = i ? newest[p] : cents;
				order(f, ++n_keys, p, AS_OF - (int32_t)((uint64_t)i * DAYS / each), cents);
			}
		}
		written(f, name);
	}
}

static void write_config(const char *book, bool many) {
	FILE *f = create("identity.key");
	fputs("a key for measurements, of no other use at all\n", f);
	fclose(f);
	f = create("entente.yaml");
	fprintf(f,
		"version: 1\nstore: ./store\ncurrency: EUR\nidentity_key: file:identity.key\nas_of: 2026-06-30\npartners:\n");
	for (uint32_t p = 0; p < n_partners; p++) {
		fprintf(f, "  p%06u: {name: P%u, industry: i%u, region: r%u}\n", p, p, p % 20, p % 4);
	}
	fprintf(f,
		"sources:\n  orders: {partner: {from: fact}, from: {glob: \"./orders/*.csv\"}, decode: {csv: {fact: order, "
		"columns: "
		"{key: key, partner: partner, at: at, gross: total, total: total, customer: customer, channel: channel}, "
		"constants: {currency: "
		"EUR}}}}\n"
		"rules: {memory: 8GB, books: [%s]%s}\n",
		book,
		/* partners that sell little would all be found by these */
		many ? ", set: {few_orders: {least: 1}, little_revenue: {least: 30}, few_units: {least: 0.0}, same_customers: "
			   "{least: 0.0}}"
			 : "");
	fclose(f);
}

/* ---- the engine
 * --------------------------------------------------------------------------------------------------------- */

static void open_engine(void) {
	char path[400];
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	snprintf(path, sizeof path, "%s/entente.yaml", folder);
	if (ent_config_load(path, &config, errors) || ent_engine_open(&engine, config, ENT_ENGINE_WRITE, errors)) {
		die("cannot open", &errors->e[0]);
	}
	free(errors);
}

static void ingest(void) {
	ent_run_report *report = ent_xcalloc(1, sizeof *report);
	ent_error e = {0};
	if (ent_engine_ingest(engine, NULL, NULL, report, &e) || report->errors.total || !report->balanced) {
		die("cannot ingest", e.code ? &e : &report->errors.e[0]);
	}
	free(report);
}

static void follow(ent_judge_report *said) {
	ent_error e = {0};
	*said = (ent_judge_report){0};
	if (ent_engine_follow(engine, NULL, said, &e) || said->errors.total) {
		die("cannot judge", e.code ? &e : &said->errors.e[0]);
	}
}

static uint64_t cpu_of(int pid) {
	char path[64];
	unsigned long long ns = 0;
	snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
	FILE *f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%llu", &ns) != 1) {
			ns = 0;
		}
		fclose(f);
	}
	return ns;
}

typedef struct cpu {
	double core, rules; /* milliseconds */
} cpu;

static cpu cpu_now(void) {
	struct rusage r;
	cpu c = {0};
	getrusage(RUSAGE_SELF, &r);
	c.core = (double)r.ru_utime.tv_sec * 1e3 + (double)r.ru_utime.tv_usec / 1e3 + (double)r.ru_stime.tv_sec * 1e3 +
			 (double)r.ru_stime.tv_usec / 1e3;
	for (unsigned i = 0; engine->rules && i < engine->rules->n; i++) {
		c.rules += (double)cpu_of(ent_child_pid(engine->rules->workers[i].child)) / 1e6;
	}
	return c;
}

static unsigned long pss_kb(int pid) {
	char path[64], line[256];
	unsigned long kb = 0, value;
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "Pss: %lu", &value) == 1) {
			kb = value;
		}
	}
	if (f) {
		fclose(f);
	}
	return kb;
}

/* ---- figures
 * ------------------------------------------------------------------------------------------------------------ */

typedef struct figure {
	double v[ROUNDS_MOST];
	unsigned n;
} figure;

static int by_size(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void put(const char *name, figure *f) {
	if (!f->n) {
		return;
	}
	qsort(f->v, f->n, sizeof *f->v, by_size);
	printf(",\n  \"%s\": {\"median\": %.2f, \"least\": %.2f, \"most\": %.2f}", name, f->v[f->n / 2], f->v[0],
		f->v[f->n - 1]);
}

static void add(figure *f, double v) { f->v[f->n++] = v; }

static void first(uint32_t orders, uint32_t files, const char *book, bool many) {
	ent_judge_report said;
	double at = now();
	write_config(book, many);
	write_orders(orders, files);
	fprintf(stderr, "%u orders of %u partners in %u files written in %.1f s\n", orders, n_partners, files,
		(now() - at) / 1e3);
	at = now();
	open_engine();
	ingest();
	fprintf(stderr, "read in %.1f s\n", (now() - at) / 1e3);
	at = now();
	follow(&said);
	fprintf(stderr, "judged for the first time in %.2f s: %llu evaluations, %llu findings\n", (now() - at) / 1e3,
		(unsigned long long)said.evaluations, (unsigned long long)said.findings);
	printf("{\n  \"partners\": %u, \"orders\": %u, \"rules\": %u, \"workers\": %u, \"first_ms\": %.0f", n_partners,
		orders, said.rules, engine->rules->n, now() - at);
}

static void memory(void) {
	const ent__warm *w = engine->warm;
	unsigned long rules = 0;
	for (unsigned i = 0; i < engine->rules->n; i++) {
		rules += pss_kb(ent_child_pid(engine->rules->workers[i].child));
	}
	printf(",\n  \"snapshot_bytes_a_partner\": %llu, \"core_pss_mb\": %lu, \"rules_pss_mb\": %lu",
		(unsigned long long)(w->blocks[0].block.bytes / (n_partners ? n_partners : 1)), pss_kb(getpid()) / 1024,
		rules / 1024);
}

/* One order that was told before, told otherwise by a new file. */
static void bench_one(uint32_t orders, unsigned rounds) {
	figure reading = {0}, judging = {0}, all = {0}, evaluations = {0};
	first(orders, 200, "shipped", false);
	for (unsigned i = 0; i < rounds + 3; i++) {
		char name[64];
		ent_judge_report said;
		snprintf(name, sizeof name, "orders/change%05u.csv", n_files);
		FILE *f = create(name);
		fputs(HEAD, f);
		uint32_t key = 1 + dice(n_keys), p = (key - 1) / (orders / n_partners);
		p = p % (n_partners / 200 ? n_partners / 200 : 1) * 200 + p / (n_partners / 200 ? n_partners / 200 : 1);
		order(f, key, p % n_partners, AS_OF - (int32_t)dice(28), 4000 + dice(1000));
		written(f, name);
		double begun = now();
		ingest();
		double read = now();
		follow(&said);
		double done = now();
		if (said.whole) {
			fprintf(stderr, "judged as a whole\n");
		}
		if (i >= 3) { /* caches are warm, prepared statements are made */
			add(&reading, read - begun);
			add(&judging, done - read);
			add(&all, done - begun);
			add(&evaluations, (double)said.evaluations);
		}
	}
	put("reading_ms", &reading);
	put("judging_ms", &judging);
	put("order_to_findings_ms", &all);
	put("evaluations", &evaluations);
	memory();
	printf("\n}\n");
}

/* Everything over the snapshot at hand; then one partner in a hundred with an order that is corrected by a cent: what
 * is released of cohorts, in three digits, hardly ever moves by that. */
static void bench_many(uint32_t orders, unsigned rounds, unsigned rounds_of_all) {
	figure all = {0}, all_core = {0}, all_rules = {0}, snapshot = {0}, part = {0}, part_core = {0}, part_rules = {0};
	figure evaluations = {0}, reading = {0};
	ent_error e = {0};
	ent_judge_report said;
	first(
		orders, 16, ENTENTE_SOURCE_DIR "/tests/bench/book/twelve, " ENTENTE_SOURCE_DIR "/tests/bench/book/three", true);
	for (unsigned i = 0; i < rounds_of_all; i++) {
		ent_snapshot_block block;
		double begun = now();
		if (ent_engine_snapshot(engine, AS_OF, "date", &block, &e)) {
			die("cannot make a snapshot", &e);
		}
		add(&snapshot, now() - begun);
		cpu before = cpu_now();
		begun = now();
		said = (ent_judge_report){0};
		if (ent_engine_judge(engine, &block, &said, &e)) {
			die("cannot judge", &e);
		}
		add(&all, now() - begun);
		cpu after = cpu_now();
		add(&all_core, after.core - before.core);
		add(&all_rules, after.rules - before.rules);
		ent_snapshot_block_finish(&block);
	}
	printf(",\n  \"findings\": %llu", (unsigned long long)said.findings);
	follow(&said); /* the workers keep it again */
	for (unsigned i = 0; i < rounds; i++) {
		char name[64];
		snprintf(name, sizeof name, "orders/change%05u.csv", n_files);
		FILE *f = create(name);
		fputs(HEAD, f);
		uint32_t each = orders / n_partners, files = 16;
		for (uint32_t p = i; p < n_partners; p += 100) {
			/* its last order: keys were given file by file */
			uint32_t file = p % files, before = 0;
			for (uint32_t k = 0; k < file; k++) {
				before += (n_partners - k + files - 1) / files;
			}
			order(f, (before + p / files) * each + 1, p, AS_OF, ++newest[p]);
		}
		written(f, name);
		double begun = now();
		ingest();
		add(&reading, now() - begun);
		cpu before = cpu_now();
		begun = now();
		follow(&said);
		add(&part, now() - begun);
		cpu after = cpu_now();
		add(&part_core, after.core - before.core);
		add(&part_rules, after.rules - before.rules);
		add(&evaluations, (double)said.evaluations);
		if (said.whole) {
			fprintf(stderr, "judged as a whole\n");
		}
	}
	put("snapshot_ms", &snapshot);
	put("all_ms", &all);
	put("all_core_cpu_ms", &all_core);
	put("all_rules_cpu_ms", &all_rules);
	put("hundredth_reading_ms", &reading);
	put("hundredth_ms", &part);
	put("hundredth_core_cpu_ms", &part_core);
	put("hundredth_rules_cpu_ms", &part_rules);
	put("hundredth_evaluations", &evaluations);
	memory();
	printf("\n}\n");
}

int main(int argc, char **argv) {
	snprintf(folder, sizeof folder, "%s/entente-warm-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp");
	if (argc < 2 || !mkdtemp(folder)) {
		fprintf(stderr, "bench_warm one [PARTNERS ORDERS] | many [PARTNERS [ORDERS [ROUNDS]]]\n");
		return 2;
	}
	char path[400];
	snprintf(path, sizeof path, "%s/orders", folder);
	mkdir(path, 0700);
	bool one = !strcmp(argv[1], "one");
	n_partners = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : one ? 200 : 100000;
	uint32_t orders = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : one ? 1270000 : n_partners * 10;
	if (one) {
		bench_one(orders, 25);
	} else {
		bench_many(orders, 12, argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 3);
	}
	ent_engine_close(engine);
	ent_config_destroy(config);
	snprintf(path, sizeof path, "rm -rf %s", folder);
	return system(path) ? 1 : 0;
}
