/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente rules test`: pytest over the rulebooks of the project, with the fixtures of entente.testing, and of each
 * rule which verdicts its cases plant. Rules are run by the user's own Python here, as pytest would run them without
 * us. */
#include "command/project.h"
#include "command/python.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MOST = 40,
	TESTS_FAILED = 1,
	INTERRUPTED = 2,
	USAGE = 4,
	NO_TESTS = 5
}; /* the last four: pytest's exit statuses */

static bool has_pytest(const char *venv) {
	static const char *const words[] = {
		"-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('pytest') is None)", NULL};
	ent_error e;
	int status = 1;
	return !ent__python_run(&(ent__python){.venv = venv, .words = words}, &status, &e) && !status;
}

static int report(ent_call *call, const char *path, int exit) {
	json_object *root = json_object_from_file(path);
	if (!root) {
		ent_error e;
		ent_error_set(&e, ENT_ERR_WORKER, "pytest ended before it had a result");
		ent_error_todo(&e, "what it says stands above");
		return ent_call_error(call, &e);
	}
	const char *json = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	ent_json_raw(&call->writer, json, strlen(json));
	json_object_put(root);
	return exit;
}

static int outcome(ent_call *call, const ent_config *c, int status) {
	ent_error e;
	switch (status) {
	case 0:
		return ENT_EXIT_OK;
	case TESTS_FAILED:
		return ENT_EXIT_ERROR;
	case NO_TESTS:
		return ent_call_unknown(call, "write test_NAME.py beside the rules; docs/rules.md shows one",
			"no test was found in %s", call->n_operands ? ent_call_operand(call, 0) : c->folder);
	case USAGE:
		return ENT_EXIT_USAGE;
	default:
		ent_error_set(&e, ENT_ERR_WORKER, "pytest ended with status %d", status);
		ent_error_todo(&e, status == INTERRUPTED ? "it was interrupted, or a test file cannot be imported: see above"
												 : "what it says stands above");
		return ent_call_error(call, &e);
	}
}

static int test(ent_call *call, const ent_config *c, ent_arena *arena) {
	const char *words[MOST + 16] = {
		"-m", "pytest", "-p", "entente.testing", "-p", "no:cacheprovider", "--no-header", "-q"};
	size_t n = 8, own = 0;
	ent_error e = {0};
	ent_buf books = {0};
	const char *temporary = getenv("TMPDIR");
	char *folder = ent_arena_printf(arena, "%s/entente-rules-XXXXXX", temporary && *temporary ? temporary : "/tmp");
	words[n++] = ent_arena_printf(arena, "--rootdir=%s", c->folder);
	if (ent_call_has(call, "only")) {
		words[n++] = "-k";
		words[n++] = ent_call_text(call, "only", "");
	}
	for (size_t i = 0; i < call->n_operands && own < MOST; i++, own++) {
		words[n++] = ent_call_operand(call, i);
	}
	for (size_t i = 0; !call->n_operands && i < c->rules.books.n && own < MOST; i++) {
		if (strcmp(c->rules.books.v[i].s, "shipped") != 0) {
			words[n++] = c->rules.books.v[i].s;
			own++;
		}
	}
	if (!own) {
		return ent_call_usage(call, "name a folder of your own in rules.books, or say which tests to run",
			"only the rules that ship are configured; they are tested where they come from");
	}
	if (!has_pytest(c->rules.venv.s)) {
		ent_error_set(&e, ENT_ERR_NOTFOUND, "pytest is not installed");
		ent_error_todo(&e, c->rules.venv.s ? "install it into the venv of rules.venv: pip install pytest"
										   : "install the package python3-pytest");
		return ent_call_error(call, &e);
	}
	int status = 0, exit;
	if (!mkdtemp(folder)) {
		ent_error_errno(&e, ENT_ERR_IO, "%s cannot be made", folder);
		return ent_call_error(call, &e);
	}
	const char *file = ent_arena_printf(arena, "%s/report.json", folder);
	ent_rules_books_json(c, arena, &books);
	const char *const more[] = {ent_arena_printf(arena, "ENTENTE_RULES=%.*s", (int)books.n, (const char *)books.data),
		ent_arena_printf(arena, "ENTENTE_RULES_REPORT=%s", call->json ? file : ""), NULL};
	ent__python python = {.venv = c->rules.venv.s, .words = words, .more = more, .out_to_err = call->json};
	exit = ent__python_run(&python, &status, &e) ? ent_call_error(call, &e) : outcome(call, c, status);
	if (call->json && (exit == ENT_EXIT_OK || status == TESTS_FAILED)) {
		exit = report(call, file, exit);
	}
	unlink(file);
	rmdir(folder);
	ent_buf_finish(&books);
	return exit;
}

static int run(ent_call *call) {
	ent_config *config;
	ent_arena arena = {0};
	int exit = ent_call_config(call, &config);
	if (!exit) {
		exit = test(call, config, &arena);
		ent_config_destroy(config);
	}
	ent_arena_finish(&arena);
	return exit;
}

static const ent_arg args[] = {
	{.name = "only",
		.letter = 'k',
		.type = ENT_ARG_TEXT,
		.value = "WORDS",
		.doc = "Only tests whose names have these words in them, as pytest's -k."},
	{.name = NULL},
};
static const ent_operand operands[] = {
	{.name = "TEST", .many = true, .doc = "Files, folders or FILE::TEST; without any, all books of the project."},
	{.name = NULL},
};

const ent_command ent_command_rules_test = {
	.name = "rules test",
	.doc = "Run the tests of the rules, and see what they plant.",
	.text =
		"pytest over the folders of `rules.books`, without engine and store. The fixture `world` makes up partners, "
		"`book.rule(\"name\")` is a rule as entente.yaml sets it. For each rule it is shown in how many cases it was "
		"true, "
		"false and unknown: a rule that no case ever made true has not been seen to speak. A fault in a rulebook fails "
		"the "
		"tests, too.\n\n"
		"  entente rules test\n"
		"  entente rules test rules/test_pace.py -k falling",
	.args = args,
	.operands = operands,
	.run = run,
};
