/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether what the rules said still stands: they judged the same facts, by the same rules and settings, for the same day. A
 * run that found nothing new then judges nothing. What they rest on is one hash, kept beside their verdicts: the
 * configuration, the ledger's length, the inputs, and name, size and time of change of every file that a rule is made of.
 * Rules that may import more than the standard library are judged again each time: what a venv holds is not looked at, and
 * so are those of which one failed. Loop thread only. */
#include "config/install.h"
#include "engine/days.h"
#include "engine/judged.h"

#include <dirent.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 16 };

typedef crypto_generichash_state hash;

static void add(hash *h, const void *p, size_t n) {
	uint64_t length = n;
	crypto_generichash_update(h, (const uint8_t *)&length, sizeof length);
	crypto_generichash_update(h, p, n);
}

static void add_text(hash *h, const char *text) { add(h, text, strlen(text)); }

/* ---- files that rules are made of ----------------------------------------------------------------------------------------- */

static void add_file(hash *h, const char *path) {
	struct stat st;
	int64_t seen[4] = {-1};
	if (!stat(path, &st)) {
		seen[0] = st.st_size;
		seen[1] = st.st_mtim.tv_sec;
		seen[2] = st.st_mtim.tv_nsec;
		seen[3] = (int64_t)st.st_ino;
	}
	add_text(h, path);
	add(h, seen, sizeof seen);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* All files of a folder, in the order of their names. What Python compiles on the way is none of them. */
static void add_folder(hash *h, const char *path, unsigned depth) {
	DIR *folder = depth < DEEPEST ? opendir(path) : NULL;
	char **names = NULL;
	size_t n = 0, capacity = 0;
	add_text(h, path);
	for (struct dirent *d; folder && (d = readdir(folder));) {
		if (d->d_name[0] != '.' && strcmp(d->d_name, "__pycache__") != 0) {
			ENT_GROW(names, n, capacity);
			names[n++] = ent_xstrdup(d->d_name);
		}
	}
	if (folder) {
		closedir(folder);
	}
	if (n) {
		qsort(names, n, sizeof *names, by_name);
	}
	for (size_t i = 0; i < n; i++) {
		ent_buf child = {0};
		struct stat st;
		ent_buf_printf(&child, "%s/%s", path, names[i]);
		ent_buf_u8(&child, 0);
		if (!stat((char *)child.data, &st) && S_ISDIR(st.st_mode)) {
			add_folder(h, (char *)child.data, depth + 1);
		} else {
			add_file(h, (char *)child.data);
		}
		ent_buf_finish(&child);
		free(names[i]);
	}
	free(names);
}

static void add_rules(ent_engine *e, hash *h) {
	const ent_rules_config *c = &e->config->rules;
	const char *scripts = ent_install_scripts(&e->arena);
	add_file(h, ent_install_program("entente", &e->arena));
	add_file(h, ent_install_program("entente-rules", &e->arena));
	add_folder(h, ent_arena_printf(&e->arena, "%s/entente", scripts), 0);
	for (size_t i = 0; i < c->books.n; i++) {
		bool shipped = !strcmp(c->books.v[i].s, "shipped");
		add_folder(h, shipped ? ent_arena_printf(&e->arena, "%s/rulebook", scripts) : c->books.v[i].s, 0);
	}
}

void ent__rules_print(ent_engine *e, char out[65]) {
	hash h;
	uint8_t bytes[32];
	crypto_generichash_init(&h, NULL, 0, sizeof bytes);
	add_rules(e, &h);
	crypto_generichash_final(&h, bytes, sizeof bytes);
	sodium_bin2hex(out, 65, bytes, sizeof bytes);
}

/* ---- what they judge -------------------------------------------------------------------------------------------------------- */

static void add_facts(const ent_engine *e, hash *h) {
	size_t n;
	const ent_segment *segments = ent_ledger_segments(e->ledger, &n);
	for (size_t i = 0; i < n; i++) {
		uint64_t segment[] = {segments[i].number, segments[i].valid, segments[i].frames};
		add(h, segment, sizeof segment);
	}
	for (uint32_t i = 1; i < e->n_inputs; i++) {
		const ent_input *x = &e->inputs[i];
		uint64_t input[] = {x->id, x->content, x->position, x->generation, x->live, x->done, x->slice, x->slice_grade,
			(uint64_t)(uint32_t)x->first_day << 32 | (uint32_t)x->last_day};
		add(h, input, sizeof input);
	}
}

static void print_of(ent_engine *e, int32_t day, const char *mode, char out[65]) {
	hash h;
	uint8_t bytes[32];
	ent_buf config = {0};
	crypto_generichash_init(&h, NULL, 0, sizeof bytes);
	ent_yaml_json(e->config->root, &config);
	add(&h, config.data, config.n);
	ent_buf_finish(&config);
	uint64_t days = strcmp(mode, "now") ? 0 : ent__days_print(e);
	add(&h, &day, sizeof day);
	add(&h, &days, sizeof days);
	add_text(&h, mode);
	add_rules(e, &h);
	add_facts(e, &h);
	crypto_generichash_final(&h, bytes, sizeof bytes);
	sodium_bin2hex(out, 65, bytes, sizeof bytes);
}

/* ---- said before? -------------------------------------------------------------------------------------------------------------- */

bool ent_engine_judged(ent_engine *e, int32_t day, const char *mode, ent_judge_report *r) {
	char *stored = NULL;
	ent_error ignored;
	e->judging[0] = 0;
	if (e->config->rules.venv.s || e->config->rules.import.n) {
		return false;
	}
	print_of(e, day, mode, e->judging);
	if (ent_store_meta_get(e->store, "judged", &stored, &ignored) || !stored || strncmp(stored, e->judging, 64) != 0) {
		free(stored);
		return false;
	}
	unsigned long long said_true, said_false, unknown, findings;
	ent_judge_report found = {.unchanged = true};
	bool whole = sscanf(stored + 64, " %u %u %llu %llu %llu %llu", &found.rules, &found.partners, &said_true, &said_false,
					 &unknown, &findings) == 6;
	free(stored);
	if (whole) {
		found.said_true = said_true;
		found.said_false = said_false;
		found.unknown = unknown;
		found.findings = findings;
		*r = found;
	}
	return whole;
}

int ent__standing_save(ent__judge *j) {
	ent_engine *e = j->e;
	const ent_judge_report *r = j->report;
	char text[200] = "";
	if (e->judging[0] && r->whole && !r->failed && !r->errors.total) {
		snprintf(text, sizeof text, "%s %u %u %llu %llu %llu %llu", e->judging, r->rules, r->partners,
			(unsigned long long)r->said_true, (unsigned long long)r->said_false, (unsigned long long)r->unknown,
			(unsigned long long)r->findings);
	}
	e->judging[0] = 0;
	return ent_store_meta_set(e->store, "judged", text, j->error);
}
