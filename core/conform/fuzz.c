/* SPDX-License-Identifier: Apache-2.0
 *
 * entente-fuzz: the real host of core/decode below libFuzzer, see fuzz.h. The plugin is loaded as it was built. One
 * thread, and libFuzzer's own that watches memory. */
#include "conform/fuzz.h"

#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conform/fuzz_state.h"

enum { HANG_S = 3, CONFIRM_MS = 2000 };

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *data, size_t size));
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static ent_conform_where nowhere;
ent_conform_where *ent__where = &nowhere;

typedef struct words {
	ent__given given;
	const char *mode, *work, *file, *out, *known; /* known: signatures, with a comma behind each */
	unsigned target, seconds;
	bool first; /* end with the first that is found */
} words;

/* ---- targets --------------------------------------------------------------------------------------------------------
 */

/* A decoder with options: what one run feeds. The case stands for it; its bytes are the first seed. */
typedef struct targets {
	ent__case *of;
	size_t n, capacity;
} targets;

static bool same_target(const ent__case *a, const ent__case *b) {
	return a->decoder == b->decoder && !strcmp(a->options, b->options) && !strcmp(a->document, b->document);
}

static void add_target(targets *t, const ent__case *c) {
	for (size_t i = 0; i < t->n; i++) {
		if (same_target(&t->of[i], c)) {
			return;
		}
	}
	ENT_GROW(t->of, t->n, t->capacity);
	t->of[t->n++] = *c;
}

/* For a decoder of which there is no document: a header, or a line. *e: its options cannot be guessed. */
static int made_up(ent__set *s, const ent_decoder *d, const words *w, targets *t, ent_error *e) {
	ent_buf b = {0};
	ent__case c = {.name = d->name, .document = "made-up", .path = "", .decoder = d};
	c.options = w->given.options ? w->given.options : "{}";
	int status = ent__options_read(&s->arena, &c, c.options, e);
	if (status) {
		ent_error_todo(
			e, "say how %s is set up: --decoder %s --options \"{...}\", or give it golden files", d->name, d->name);
		return status;
	}
	for (const ent_column *k = d->columns; k && k->name; k++) {
		ent_buf_printf(&b, "%s%s", b.n ? "," : "", k->name);
	}
	ent_buf_printf(&b, "%s\n", b.n ? "" : "{}");
	c.bytes = ent_arena_copy(&s->arena, (char *)b.data, b.n);
	c.n = b.n;
	ent_buf_finish(&b);
	add_target(t, &c);
	return 0;
}

static int find_targets(ent__set *s, const words *w, targets *t, ent_error *e) {
	const char *only = w->given.decoder;
	bool known = !only;
	for (size_t i = 0; i < s->n; i++) {
		if (!only || !strcmp(s->cases[i].decoder->name, only)) {
			add_target(t, &s->cases[i]);
		}
	}
	for (const ent_decoder *const *d = s->plugin->decoders; *d; d++) {
		bool wanted = !only || !strcmp((*d)->name, only), there = w->given.n_inputs && !only;
		known |= wanted && only;
		for (size_t i = 0; i < t->n && !there; i++) {
			there = t->of[i].decoder == *d;
		}
		int status = wanted && !there ? made_up(s, *d, w, t, e) : 0;
		if (status) {
			return status;
		}
	}
	if (!known) {
		ent_error_set(e, ENT_ERR_NOTFOUND, "plugin %s has no decoder '%s'", s->plugin->name, only);
		return ent_error_todo(e, "`entente plugin show` names its decoders");
	}
	return 0;
}

/* ---- answers --------------------------------------------------------------------------------------------------------
 */

static int answer_fd;

static void answer(ent_buf *b) {
	ent_buf_u8(b, '\n');
	for (size_t at = 0; at < b->n;) {
		ssize_t put = write(answer_fd, b->data + at, b->n - at);
		if (put < 0 && errno != EINTR) {
			_exit(1);
		}
		at += put > 0 ? (size_t)put : 0;
	}
	ent_buf_finish(b);
}

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

static int refuse(const ent_error *e) {
	ent_buf b = {0};
	ent_json j;
	ent_json_init(&j, &b, false);
	ent_json_object(&j);
	ent_json_key(&j, "error");
	ent_json_object(&j);
	member(&j, "file", e->file);
	member(&j, "what", e->what);
	member(&j, "todo", e->todo);
	ent_json_end(&j);
	ent_json_end(&j);
	answer(&b);
	return 2;
}

static void list(const ent__set *s, const targets *t) {
	ent_buf b = {0};
	ent_json j;
	ent_json_init(&j, &b, false);
	ent_json_object(&j);
	member(&j, "plugin", s->plugin->name);
	member(&j, "golden", s->golden);
	ent_json_key(&j, "targets");
	ent_json_array(&j);
	for (size_t i = 0; i < t->n; i++) {
		ent_json_object(&j);
		member(&j, "decoder", t->of[i].decoder->name);
		member(&j, "document", t->of[i].document);
		member(&j, "options", t->of[i].options);
		member(&j, "case", t->of[i].name);
		ent_json_end(&j);
	}
	ent_json_end(&j);
	ent_json_end(&j);
	answer(&b);
}

/* ---- run ------------------------------------------------------------------------------------------------------------
 */

static struct {
	ent__case of;
	bool answers, first;
	ent__words words;
	ent_fuzz_state *state;
	const char *work;
	ent_str *seeds;
	size_t n_seeds, seeds_capacity;
} run;

static int put_file(const char *path, const void *bytes, size_t n, ent_error *e) {
	FILE *f = fopen(path, "we");
	bool bad = !f || fwrite(bytes, 1, n, f) != n;
	bad |= f && fclose(f);
	return bad ? ent_error_errno(e, ENT_ERR_IO, "writing %s", path) : 0;
}

static int one(const uint8_t *data, size_t n) {
	ent__broken b;
	uint64_t mix = n;
	for (size_t i = 0; i < n; i += 1 + n / 16) {
		mix = mix * 31 + data[i];
	}
	ent__case c = run.of;
	c.bytes = (const char *)data;
	c.n = n;
	run.state->inputs++;
	ent__judge(&c, run.answers, mix % 8 == 0, &b, ent__feed);
	if (b.rule && !(run.state->broken & 1u << b.rule)) { /* the first of each kind is kept, and fuzzing goes on */
		char path[4200];
		ent_error e;
		snprintf(path, sizeof path, "%s/broken-%s", run.work, ent__rules[b.rule].name);
		if (put_file(path, data, n, &e)) {
			fprintf(stderr, "%s\n", e.what);
			_exit(2);
		}
		run.state->broken |= 1u << b.rule;
		if (run.first) {
			_exit(ENT_FUZZ_FOUND);
		}
	}
	return 0;
}

/* libFuzzer keeps the shortest inputs that do a thing, and soon has only scraps: one in four begins with a golden input
 * again.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
	const ent_str *whole = run.n_seeds && seed % 4 == 0 ? &run.seeds[seed / 4 % run.n_seeds] : NULL;
	if (whole && whole->n <= max_size) {
		memcpy(data, whole->p, whole->n);
		size = whole->n;
		for (unsigned more = seed >> 28 & 3; more; more--) {
			size = ent__mutate(&run.words, data, size, max_size, seed * more);
		}
	}
	if ((whole || seed % 2) && size) {
		size_t n = ent__mutate(&run.words, data, size, max_size, seed / 2);
		if (n && seed % 16) {
			return n;
		}
		size = n;
	}
	return LLVMFuzzerMutate(data, size, max_size);
}

/* Of what is too long only what comes first, whole lines. */
static size_t seed_size(const char *bytes, size_t n) {
	if (n <= ENT__FUZZ_LONGEST / 4) {
		return n;
	}
	const char *end = memrchr(bytes, '\n', ENT__FUZZ_LONGEST / 4);
	return end ? (size_t)(end + 1 - bytes) : ENT__FUZZ_LONGEST / 4;
}

static int write_seeds(const ent__set *s, const ent__case *like, const char *folder, size_t *longest, ent_error *e) {
	int status = mkdir(folder, 0755) && errno != EEXIST ? ent_error_errno(e, ENT_ERR_IO, "%s", folder) : 0;
	*longest = 512;
	for (size_t i = 0; i <= s->n && !status; i++) {
		const ent__case *c = i < s->n ? &s->cases[i] : like;
		char path[4200];
		if (c->decoder != like->decoder) {
			continue;
		}
		size_t n = seed_size(c->bytes, c->n);
		ENT_GROW(run.seeds, run.n_seeds, run.seeds_capacity);
		run.seeds[run.n_seeds++] = (ent_str){c->bytes, n};
		*longest = n > *longest ? n : *longest;
		snprintf(path, sizeof path, "%s/seed-%zu", folder, i);
		status = put_file(path, c->bytes, n, e);
	}
	return status;
}

/* Does the plugin call what clang's instrumentation calls? */
static bool instrumented(const ent__set *s) {
	ent__elf f;
	ent_arena arena = {0};
	ent_error e;
	bool found = false;
	if (!ent__elf_read(&f, s->path, &arena, &e)) {
		for (const char *const *u = f.undefined; *u; u++) {
			found |= !strncmp(*u, "__sanitizer_cov_", 16);
		}
	}
	ent_arena_finish(&arena);
	return found;
}

static int open_state(const char *work, ent_error *e) {
	char path[4200];
	snprintf(path, sizeof path, "%s/state", work);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	void *p = fd >= 0 && !ftruncate(fd, sizeof *run.state)
				  ? mmap(NULL, sizeof *run.state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
				  : MAP_FAILED;
	if (fd >= 0) {
		close(fd);
	}
	if (p == MAP_FAILED) {
		return ent_error_errno(e, ENT_ERR_IO, "%s", path);
	}
	run.state = p;
	return 0;
}

static int feed(const ent__set *s, const ent__case *target, const words *w, ent_error *e) {
	char corpus[4100], dictionary[4200], option[8][4300];
	size_t longest;
	run.work = w->work;
	run.first = w->first;
	run.of = *target;
	run.answers = ent__answers(s, target);
	int status = open_state(w->work, e);
	snprintf(corpus, sizeof corpus, "%s/corpus", w->work);
	snprintf(dictionary, sizeof dictionary, "%s/words", w->work);
	ent__words_read(&run.words, s, target->decoder);
	if (status || (status = write_seeds(s, target, corpus, &longest, e)) ||
		(status = ent__words_write(&run.words, dictionary, e))) {
		return status;
	}
	run.state->instrumented = instrumented(s);
	run.state->answers = run.answers;
	run.of.decoder = ent__feed_decoder(target->decoder);
	longest = longest * 2 < ENT__FUZZ_LONGEST ? longest * 2 : ENT__FUZZ_LONGEST;
	snprintf(option[0], sizeof option[0], "-max_total_time=%u", w->seconds);
	snprintf(option[1], sizeof option[1], "-timeout=%d", HANG_S);
	snprintf(option[2], sizeof option[2], "-artifact_prefix=%s/artifact-", w->work);
	snprintf(option[3], sizeof option[3], "-dict=%s", dictionary);
	snprintf(option[4], sizeof option[4], "-max_len=%zu", longest < 2048 ? 2048 : longest);
	char *argv[] = {(char *)"entente-fuzz", option[0], option[1], option[2], option[3], option[4],
		(char *)(run.state->instrumented ? "-use_value_profile=1" : "-use_value_profile=0"),
		(char *)"-rss_limit_mb=4096", (char *)"-len_control=0", (char *)"-reload=0", corpus, NULL};
	int argc = sizeof argv / sizeof *argv - 1;
	char **args = argv;
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return LLVMFuzzerRunDriver(&argc, &args, one);
}

/* ---- shrink ---------------------------------------------------------------------------------------------------------
 */

static const char *end_word(const ent__outcome *o) {
	static const char *const names[] = {"fine", "broken", "crash", "hang", "exit"};
	return names[o->end];
}

static uint64_t signature(const ent__outcome *o) {
	return (uint64_t)o->end << 56 | (uint64_t)(unsigned)o->signal << 48 | (uint64_t)o->broken.rule << 40 | o->offset;
}

static bool is_known(const words *w, const ent__outcome *o) {
	char text[32];
	snprintf(text, sizeof text, ",%llu,", (unsigned long long)signature(o));
	return w->known && strstr(w->known, text);
}

static void tell_outcome(const ent__case *c, const ent__outcome *o, size_t before, unsigned tries) {
	ent_buf b = {0};
	ent_json j;
	char what[600];
	ent_json_init(&j, &b, false);
	ent_json_object(&j);
	member(&j, "end", end_word(o));
	member(&j, "rule", o->end == ENT__END_BROKEN ? ent__rules[o->broken.rule].name : NULL);
	const char *todo = "run it below a debugger: gdb --args entente-conform PLUGIN.so found";
	switch (o->end) {
	case ENT__END_BROKEN:
		snprintf(what, sizeof what, "%s (%s)", o->broken.what, ent__rules[o->broken.rule].sentence);
		todo = ent__rules[o->broken.rule].todo;
		break;
	case ENT__END_SIGNAL:
		snprintf(what, sizeof what, "killed by SIG%s (%s)", sigabbrev_np(o->signal) ? sigabbrev_np(o->signal) : "?",
			strsignal(o->signal));
		if (o->offset) {
			size_t n = strlen(what);
			snprintf(what + n, sizeof what - n, " at 0x%llx of the plugin", (unsigned long long)o->offset);
			todo = "addr2line -fie PLUGIN.so and this address names the line, if it was built with -g";
		}
		break;
	case ENT__END_HANG:
		snprintf(what, sizeof what, "no end after %d s", CONFIRM_MS / 1000);
		todo = "let every loop consume something, and bound what is searched again";
		break;
	case ENT__END_EXIT:
		snprintf(what, sizeof what, "the process ended with status %d", o->signal);
		todo = "a sanitizer has written why, see the log; a plugin never ends the process";
		break;
	default:
		snprintf(what, sizeof what, "it does no harm");
		break;
	}
	member(&j, "what", what);
	member(&j, "todo", todo);
	ent_json_key(&j, "place");
	if (o->end == ENT__END_BROKEN && o->broken.place != ENT__NO_PLACE) {
		ent_json_uint(&j, o->broken.place);
	} else {
		ent_json_null(&j);
	}
	ent_json_key(&j, "signature"); /* what is alike has the same cause, most likely */
	ent_json_uint(&j, signature(o));
	ent_json_key(&j, "bytes");
	ent_json_uint(&j, c->n);
	ent_json_key(&j, "before");
	ent_json_uint(&j, before);
	ent_json_key(&j, "tries");
	ent_json_uint(&j, tries);
	ent_json_end(&j);
	answer(&b);
}

static int shrink(const ent__set *s, const ent__case *target, const words *w, ent_arena *arena, ent_error *e) {
	size_t before;
	unsigned tries = 0;
	ent__outcome o, again;
	char *bytes = ent__file_read(arena, w->file, &before, e);
	if (!bytes) {
		return e->code;
	}
	ent__case c = *target;
	bool answers = ent__answers(s, target);
	c.bytes = bytes;
	c.n = before;
	ent__try(&c, answers, CONFIRM_MS, &o);
	if (o.end != ENT__END_FINE && !is_known(w, &o)) {
		char *small = ent_arena_copy(arena, bytes, before);
		ent__case less = c;
		less.bytes = small;
		less.n = ent__shrink(&c, small, answers, w->seconds, &o, &tries);
		ent__try(&less, answers, CONFIRM_MS, &again);
		if (again.end == o.end) { /* what only was slow is no hang: then the whole is kept */
			c = less;
			o = again;
		}
		int status = put_file(w->out, c.bytes, c.n, e);
		if (status) {
			return status;
		}
	}
	tell_outcome(&c, &o, before, tries);
	return 0;
}

/* ---- words ----------------------------------------------------------------------------------------------------------
 */

static int usage(void) {
	fprintf(stderr, "usage: entente-fuzz PLUGIN.so list|run|shrink [--golden DIR] [--input FILE]... [--decoder NAME] "
					"[--options YAML]\n"
					"                    [--target N] [--work DIR] [--file FILE] [--out FILE] [--seconds N] [--known "
					"LIST] [--first]\n"
					"`entente plugin fuzz` starts it.\n");
	return 2;
}

static bool parse(int argc, char **argv, words *w) {
	static const struct option options[] = {{"golden", required_argument, NULL, 'g'},
		{"input", required_argument, NULL, 'i'}, {"decoder", required_argument, NULL, 'd'},
		{"options", required_argument, NULL, 'o'}, {"target", required_argument, NULL, 't'},
		{"work", required_argument, NULL, 'w'}, {"file", required_argument, NULL, 'f'},
		{"out", required_argument, NULL, 'O'}, {"seconds", required_argument, NULL, 's'},
		{"known", required_argument, NULL, 'k'}, {"first", no_argument, NULL, '1'}, {0}};
	const char **inputs = ent_xcalloc((size_t)argc + 1, sizeof *inputs);
	w->given.inputs = inputs;
	w->seconds = 60;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'g':
			w->given.golden = optarg;
			break;
		case 'i':
			inputs[w->given.n_inputs++] = optarg;
			break;
		case 'd':
			w->given.decoder = optarg;
			break;
		case 'o':
			w->given.options = optarg;
			break;
		case 't':
			w->target = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'w':
			w->work = optarg;
			break;
		case 'f':
			w->file = optarg;
			break;
		case '1':
			w->first = true;
			break;
		case 'k':
			w->known = optarg;
			break;
		case 'O':
			w->out = optarg;
			break;
		case 's':
			w->seconds = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			return false;
		}
	}
	if (argc - optind != 2) {
		return false;
	}
	w->given.plugin = argv[optind];
	w->mode = argv[optind + 1];
	return !strcmp(w->mode, "list") || (!strcmp(w->mode, "run") && w->work) ||
		   (!strcmp(w->mode, "shrink") && w->file && w->out);
}

int main(int argc, char **argv) {
	words w = {0};
	ent__set set = {0};
	targets t = {0};
	ent_error e = {0};
	ent_arena arena = {0};
	if (!parse(argc, argv, &w)) {
		free((void *)w.given.inputs);
		return usage();
	}
	answer_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	if (sodium_init() < 0 || answer_fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		return 1;
	}
	int exit = 0;
	int status = ent__set_load(&set, w.given.plugin, &e);
	if (!status && !(status = ent__set_read(&set, &w.given, &e))) {
		status = find_targets(&set, &w, &t, &e);
	}
	if (!status && w.target >= t.n) {
		status = ent_error_set(&e, ENT_ERR_RANGE, "there are %zu targets", t.n);
	} else if (!status && !strcmp(w.mode, "list")) {
		list(&set, &t);
	} else if (!status && !strcmp(w.mode, "run")) {
		status = feed(&set, &t.of[w.target], &w, &e);
	} else if (!status) {
		status = shrink(&set, &t.of[w.target], &w, &arena, &e);
	}
	exit = status ? refuse(&e) : 0;
	ent__words_finish(&run.words);
	free(run.seeds);
	free(t.of);
	free((void *)w.given.inputs);
	ent__set_finish(&set);
	ent_arena_finish(&arena);
	return exit;
}
