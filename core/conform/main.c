/* SPDX-License-Identifier: Apache-2.0
 *
 * entente-conform: runs one test of one plugin, and says how it went; see report.h. `entente plugin test` starts it
 * once for each test. By hand it is of use below a debugger. One thread, but for the tests that make more. */
#include "base/json.h"
#include "conform/tests.h"

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

enum { PLUGIN, CASE, SET };

const ent__test ent__tests[] = {
#define ENT_CONFORM(id, needs, sentence) {#id, sentence, (needs) == CASE, (needs) == SET, ent__test_##id},
#include "conform/tests.def"
#undef ENT_CONFORM
	{0},
};

static ent_conform_where nowhere;
ent_conform_where *ent__where = &nowhere;
static int answer_fd;

static void answer(const ent_buf *b) {
	for (size_t at = 0; at < b->n;) {
		ssize_t put = write(answer_fd, b->data + at, b->n - at);
		if (put < 0 && errno != EINTR) {
			_exit(1);
		}
		at += put > 0 ? (size_t)put : 0;
	}
}

/* `load`: it is the plugin that makes no sense, and the test `abi` will say so. */
static int refuse(const ent_error *e, bool load) {
	ent_buf b = {0};
	ent_json j;
	ent_json_init(&j, &b, false);
	ent_json_object(&j);
	ent_json_key(&j, "error");
	ent_json_object(&j);
	ent_json_key(&j, "file");
	ent_json_text(&j, e->file);
	ent_json_key(&j, "line");
	ent_json_uint(&j, e->line);
	ent_json_key(&j, "what");
	ent_json_text(&j, e->what);
	ent_json_key(&j, "todo");
	ent_json_text(&j, e->todo);
	ent_json_key(&j, "load");
	ent_json_bool(&j, load);
	ent_json_end(&j);
	ent_json_end(&j);
	ent_buf_u8(&b, '\n');
	answer(&b);
	ent_buf_finish(&b);
	return 2;
}

/* "-": what there is. */
static void tell_set(const ent__set *s) {
	ent_buf b = {0};
	ent_json j;
	ent_json_init(&j, &b, false);
	ent_json_object(&j);
	ent_json_key(&j, "plugin");
	ent_json_text(&j, s->plugin->name);
	ent_json_key(&j, "version");
	ent_json_text(&j, s->plugin->version);
	ent_json_key(&j, "golden");
	ent_json_text(&j, s->golden);
	ent_json_key(&j, "decoders");
	ent_json_array(&j);
	for (const ent_decoder *const *d = s->plugin->decoders; *d; d++) {
		ent_json_text(&j, (*d)->name);
	}
	ent_json_end(&j);
	ent_json_key(&j, "inputs");
	ent_json_array(&j);
	for (size_t i = 0; i < s->n; i++) {
		ent_json_object(&j);
		ent_json_key(&j, "name");
		ent_json_text(&j, s->cases[i].name);
		ent_json_key(&j, "decoder");
		ent_json_text(&j, s->cases[i].decoder->name);
		ent_json_key(&j, "file");
		ent_json_text(&j, s->cases[i].path);
		ent_json_end(&j);
	}
	ent_json_end(&j);
	ent_json_end(&j);
	ent_buf_u8(&b, '\n');
	answer(&b);
	ent_buf_finish(&b);
}

static void tell(const ent__check *k) {
	bool failed = k->n_failures > 0, skipped = !failed && !k->runs;
	ent_buf b = {0};
	ent_json j;
	ent_json_init(&j, &b, false);
	ent_json_object(&j);
	ent_json_key(&j, "test");
	ent_json_text(&j, k->test);
	ent_json_key(&j, "status");
	ent_json_text(&j, failed ? "failed" : skipped ? "skipped" : "passed");
	ent_json_key(&j, "why");
	ent_json_text(&j, skipped ? k->why : NULL);
	ent_json_key(&j, "runs");
	ent_json_uint(&j, k->runs);
	ent_json_key(&j, "failed");
	ent_json_uint(&j, k->n_failures);
	ent_json_key(&j, "failures");
	ent_buf list = {0};
	ent_buf_u8(&list, '[');
	ent_buf_add(&list, k->failures.data, k->failures.n);
	ent_buf_u8(&list, ']');
	ent_json_raw(&j, (char *)list.data, list.n);
	ent_json_key(&j, "numbers");
	list.n = 0;
	ent_buf_u8(&list, '{');
	ent_buf_add(&list, k->numbers.data, k->numbers.n);
	ent_buf_u8(&list, '}');
	ent_json_raw(&j, (char *)list.data, list.n);
	ent_json_end(&j);
	ent_buf_u8(&b, '\n');
	answer(&b);
	ent_buf_finish(&list);
	ent_buf_finish(&b);
}

/* "+": writes what each golden input brings; a file is replaced as a whole. */
static int write_golden(const ent__set *s, ent_error *e) {
	ent_arena arena = {0};
	int status = 0;
	for (size_t i = 0; i < s->n && !status; i++) {
		const ent__case *c = &s->cases[i];
		ent_fault f = {0};
		ent__trial *t = c->golden ? ent__trial_open(c, &f) : NULL;
		if (!t) {
			continue; /* the test `golden` says why */
		}
		ent__trial_decode(t, c->bytes, c->n);
		const char *temporary = ent_arena_printf(&arena, "%s.new", c->golden);
		FILE *out = fopen(temporary, "we");
		bool bad = !out || fwrite(t->text.data ? t->text.data : (uint8_t *)"", 1, t->text.n, out) != t->text.n;
		bad |= out && fclose(out);
		if (bad || rename(temporary, c->golden)) {
			status = ent_error_errno(e, ENT_ERR_IO, "writing %s", c->golden);
		}
		ent__trial_close(t);
	}
	ent_arena_finish(&arena);
	return status;
}

static int usage(void) {
	fprintf(stderr,
		"usage: entente-conform PLUGIN.so TEST [--golden DIR] [--input FILE]... [--decoder NAME] [--options "
		"YAML]\n`entente plugin test` runs all tests; `entente plugin test --list` names them.\n");
	return 2;
}

static bool parse(int argc, char **argv, ent__given *g) {
	static const struct option options[] = {{"golden", required_argument, NULL, 'g'},
		{"input", required_argument, NULL, 'i'}, {"decoder", required_argument, NULL, 'd'},
		{"options", required_argument, NULL, 'o'}, {0}};
	const char **inputs = ent_xcalloc((size_t)argc + 1, sizeof *inputs);
	g->inputs = inputs;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'g':
			g->golden = optarg;
			break;
		case 'i':
			inputs[g->n_inputs++] = optarg;
			break;
		case 'd':
			g->decoder = optarg;
			break;
		case 'o':
			g->options = optarg;
			break;
		default:
			return false;
		}
	}
	if (argc - optind != 2) {
		return false;
	}
	g->plugin = argv[optind];
	g->test = argv[optind + 1];
	return true;
}

/* What the plugin prints must not stand among our words. */
static void guard_output(void) {
	answer_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	if (answer_fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		_exit(1);
	}
	struct stat st;
	if (!fstat(ENT_CONFORM_WHERE_FD, &st) && (size_t)st.st_size >= sizeof *ent__where) {
		void *p = mmap(NULL, sizeof *ent__where, PROT_READ | PROT_WRITE, MAP_SHARED, ENT_CONFORM_WHERE_FD, 0);
		if (p != MAP_FAILED) {
			ent__where = p;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* we are watched: nothing of us outlives who watches */
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	}
}

static int run(const ent__given *g, const ent__test *test) {
	ent__set set = {0};
	ent_error e = {0};
	ent__check k = {.set = &set, .test = g->test};
	set.path = g->plugin;
	int status = test && !test->each && !test->set ? 0 : ent__set_load(&set, g->plugin, &e), exit = 0;
	if (status) { /* that is for the test `abi` to say */
		if (!test) {
			exit = refuse(&e, true);
		} else {
			ent__check_skip(&k, "the plugin cannot be loaded");
			tell(&k);
		}
	} else if ((set.plugin && ent__set_read(&set, g, &e)) || (!strcmp(g->test, "+") && write_golden(&set, &e))) {
		exit = refuse(&e, false);
	} else if (!test) {
		tell_set(&set);
	} else {
		if (!test->each) {
			test->run(&k, NULL);
		} else if (!set.n) {
			ent__check_skip(&k, "there is no input: give --input FILE, or a folder of golden files");
		}
		for (size_t i = 0; test->each && i < set.n; i++) {
			test->run(&k, &set.cases[i]);
		}
		tell(&k);
	}
	ent_buf_finish(&k.failures);
	ent_buf_finish(&k.numbers);
	ent__set_finish(&set);
	return exit;
}

int main(int argc, char **argv) {
	ent__given g = {0};
	if (!parse(argc, argv, &g)) {
		free((void *)g.inputs);
		return usage();
	}
	const ent__test *test = ent__tests;
	while (test->name && strcmp(test->name, g.test) != 0) {
		test++;
	}
	if (!test->name && strcmp(g.test, "-") != 0 && strcmp(g.test, "+") != 0) {
		fprintf(stderr, "entente-conform: there is no test '%s'\n", g.test);
		free((void *)g.inputs);
		return usage();
	}
	if (sodium_init() < 0) {
		return 1;
	}
	guard_output();
	int exit = run(&g, test->name ? test : NULL);
	free((void *)g.inputs);
	return exit;
}
