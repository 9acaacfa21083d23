/* SPDX-License-Identifier: Apache-2.0
 *
 * Words of the command line, by the commands' tables: finding the command, its options and operands, and what was meant
 * where a word is none of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"
#include "command/command.h"
#include "config/scalar.h"

enum { WORDS = 128 };

const ent_arg ent__common_args[] = {
	{.name = "config",
		.letter = 'c',
		.type = ENT_ARG_TEXT,
		.value = "FILE",
		.doc = "The project's configuration (./entente.yaml)."},
	{.name = "json", .type = ENT_ARG_SWITCH, .doc = "Write the result as JSON."},
	{.name = "quiet", .letter = 'q', .type = ENT_ARG_SWITCH, .doc = "Show no progress and no notes."},
	{.name = "help", .letter = 'h', .type = ENT_ARG_SWITCH, .doc = "Show this help."},
	{.name = NULL},
};

/* ---- commands ---------------------------------------------------------------------------------------------------- */

/* `finding acknowledge` is `findings acknowledge`: one is meant. */
static bool is_word(const char *word, const char *name, size_t length, bool group) {
	size_t n = strlen(word);
	return (n == length || (group && n + 1 == length && name[n] == 's')) && !strncmp(word, name, n);
}

/* Does the name of a command begin with these words? Sets how many words it has. */
static size_t words_of(const char *name, const char *const *words, size_t n) {
	size_t matched = 0;
	while (*name && matched < n) {
		size_t length = strcspn(name, " ");
		if (!is_word(words[matched], name, length, !matched && name[length])) {
			break;
		}
		matched++;
		name += length + (name[length] == ' ');
	}
	return *name ? 0 : matched;
}

const ent_command *ent__command_find(const char *const *words, size_t n, size_t *taken) {
	const ent_command *best = NULL;
	*taken = 0;
	for (size_t i = 0; ent_commands[i]; i++) {
		size_t matched = words_of(ent_commands[i]->name, words, n);
		if (matched > *taken) {
			*taken = matched;
			best = ent_commands[i];
		}
	}
	return best;
}

void ent__command_unknown(const char *const *words, size_t n, ent_error *e) {
	const char *first[WORDS], *second[WORDS];
	char storage[WORDS][32];
	size_t n_first = 0, n_second = 0;
	const char *word = n ? words[0] : "";
	for (size_t i = 0; ent_commands[i] && n_first < WORDS && n_second < WORDS; i++) {
		const char *name = ent_commands[i]->name;
		size_t length = strcspn(name, " ");
		snprintf(storage[n_first], sizeof storage[0], "%.*s", (int)length, name);
		first[n_first] = storage[n_first];
		if (name[length] && strcmp(first[n_first], word) == 0) {
			second[n_second++] = name + length + 1;
		}
		n_first++;
	}
	if (n_second) {
		char list[256] = "";
		for (size_t i = 0, at = 0; i < n_second && at < sizeof list; i++) {
			at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", second[i]);
		}
		if (n < 2) {
			ent_error_set(e, ENT_ERR_INVALID, "'%s' needs one more word", word);
			ent_error_todo(e, "one of: %s", list);
			return;
		}
		const char *near = ent_nearest(words[1], second, n_second);
		ent_error_set(e, ENT_ERR_INVALID, "there is no command '%s %s'", word, words[1]);
		if (near) {
			ent_error_todo(e, "did you mean '%s %s'?", word, near);
		} else {
			ent_error_todo(e, "'%s' takes one of: %s", word, list);
		}
		return;
	}
	const char *near = ent_nearest(word, first, n_first);
	ent_error_set(e, ENT_ERR_INVALID, "there is no command '%s'", word);
	if (near) {
		ent_error_todo(e, "did you mean '%s'?", near);
	} else {
		ent_error_todo(e, "`entente help` lists them");
	}
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static const ent_arg *find(const ent_command *command, const char *name, size_t n, char letter) {
	const ent_arg *tables[] = {command ? command->args : NULL, ent__common_args};
	for (size_t t = 0; t < 2; t++) {
		for (const ent_arg *a = tables[t]; a && a->name; a++) {
			if (letter ? a->letter == letter : strlen(a->name) == n && strncmp(a->name, name, n) == 0) {
				return a;
			}
		}
	}
	return NULL;
}

static int unknown_option(const ent_command *command, const char *word, ent_error *e) {
	const char *names[WORDS];
	size_t n = 0;
	const ent_arg *tables[] = {command ? command->args : NULL, ent__common_args};
	for (size_t t = 0; t < 2; t++) {
		for (const ent_arg *a = tables[t]; a && a->name && n < WORDS; a++) {
			names[n++] = a->name;
		}
	}
	size_t dashes = strspn(word, "-"), length = strcspn(word, "=");
	char *name = strndup(word + dashes, length - dashes);
	const char *near = name ? ent_nearest(name, names, n) : NULL;
	free(name);
	ent_error_set(e, ENT_ERR_INVALID, "%s%s%s no option '%.*s'", command ? "'" : "",
		command ? command->name : "there is", command ? "' has" : "", (int)length, word);
	if (near) {
		ent_error_todo(e, "did you mean '--%s'?", near);
	} else if (command) {
		ent_error_todo(e, "`entente help %s` lists them", command->name);
	} else {
		ent_error_todo(e, "`entente help` shows how commands are typed");
	}
	return ENT_EXIT_USAGE;
}

static int value(const ent_arg *a, const char *text, struct ent__given *given, ent_error *e) {
	*given = (struct ent__given){.arg = a, .text = text};
	int32_t day;
	switch (a->type) {
	case ENT_ARG_INT:
		if (!ent_int_parse(text, &given->number) || given->number < a->least || given->number > a->most) {
			ent_error_set(e, ENT_ERR_INVALID, "--%s takes a whole number, not '%s'", a->name, text);
			ent_error_todo(e, "write %" PRId64 " to %" PRId64, a->least, a->most);
			return ENT_EXIT_USAGE;
		}
		break;
	case ENT_ARG_CHOICE: {
		size_t n = 0;
		char list[256] = "";
		for (size_t at = 0; a->choices[n]; n++) {
			if (strcmp(a->choices[n], text) == 0) {
				given->number = (int64_t)n;
				return 0;
			}
			at += at < sizeof list ? (size_t)snprintf(list + at, sizeof list - at, "%s%s", n ? ", " : "", a->choices[n])
								   : 0;
		}
		const char *near = ent_nearest(text, a->choices, n);
		ent_error_set(e, ENT_ERR_INVALID, "--%s does not take '%s'", a->name, text);
		ent_error_todo(e, near ? "did you mean '%s'?" : "one of: %s", near ? near : list);
		return ENT_EXIT_USAGE;
	}
	case ENT_ARG_DATE:
		if (!ent_day_parse(text, strlen(text), &day)) {
			ent_error_set(e, ENT_ERR_INVALID, "--%s takes a date, not '%s'", a->name, text);
			ent_error_todo(e, "write it like 2025-01-31");
			return ENT_EXIT_USAGE;
		}
		given->number = day;
		break;
	case ENT_ARG_AS_OF:
		if (!ent_as_of_parse(text, &given->as_of)) {
			ent_error_set(e, ENT_ERR_INVALID, "--%s does not take '%s'", a->name, text);
			ent_error_todo(e, "write now, latest or a date like 2025-01-31");
			return ENT_EXIT_USAGE;
		}
		break;
	default:
		break;
	}
	return 0;
}

/* Takes the option at words[*at], and its value if that is the next word. */
static int option(ent_call *call, const char *const *words, size_t n, size_t *at, ent_error *e) {
	const char *word = words[*at], *text = NULL;
	const ent_arg *a;
	if (word[1] == '-') {
		size_t length = strcspn(word + 2, "=");
		a = find(call->command, word + 2, length, 0);
		text = word[2 + length] ? word + 3 + length : NULL;
	} else {
		a = find(call->command, NULL, 0, word[1]);
		text = word[2] ? word + 2 : NULL;
	}
	if (!a || (a->type == ENT_ARG_SWITCH && text && word[1] != '-')) {
		return unknown_option(call->command, word, e);
	}
	if (a->type == ENT_ARG_SWITCH && text) {
		ent_error_set(e, ENT_ERR_INVALID, "--%s takes no value", a->name);
		ent_error_todo(e, "write --%s alone", a->name);
		return ENT_EXIT_USAGE;
	}
	if (a->type != ENT_ARG_SWITCH && !text) {
		if (*at + 1 >= n) {
			ent_error_set(e, ENT_ERR_INVALID, "--%s needs a value", a->name);
			ent_error_todo(e, "write --%s %s", a->name, a->value);
			return ENT_EXIT_USAGE;
		}
		text = words[++*at];
	}
	if (!a->many && a->type != ENT_ARG_SWITCH && ent_call_has(call, a->name)) {
		ent_error_set(e, ENT_ERR_INVALID, "--%s is given twice", a->name);
		ent_error_todo(e, "keep one of them");
		return ENT_EXIT_USAGE;
	}
	return value(a, text, &call->given[call->n_given++], e);
}

static int check_operands(const ent_call *call, ent_error *e) {
	const ent_operand *o = call->command->operands;
	size_t n = 0;
	for (; o && o->name; o++) {
		if (call->n_operands <= n && o->required) {
			ent_error_set(e, ENT_ERR_INVALID, "'%s' needs %s", call->command->name, o->name);
			ent_error_todo(e, "%s", o->doc);
			return ENT_EXIT_USAGE;
		}
		n = o->many ? SIZE_MAX : n + 1;
	}
	if (call->n_operands > n) {
		ent_error_set(e, ENT_ERR_INVALID, "'%s' does not take '%s'", call->command->name, call->operands[n]);
		ent_error_todo(e, "`entente help %s` shows what it takes", call->command->name);
		return ENT_EXIT_USAGE;
	}
	return 0;
}

int ent__args_parse(ent_call *call, const char *const *words, size_t n, bool *help, ent_error *e) {
	const char **operands = ent_xcalloc(n + 1, sizeof *operands);
	bool only_operands = false;
	call->given = ent_xcalloc(n + 1, sizeof *call->given);
	call->operands = operands;
	for (size_t i = 0; i < n; i++) {
		if (!only_operands && strcmp(words[i], "--") == 0) {
			only_operands = true;
		} else if (!only_operands && words[i][0] == '-' && words[i][1]) {
			int status = option(call, words, n, &i, e);
			if (status) {
				return status;
			}
		} else {
			operands[call->n_operands++] = words[i];
		}
	}
	*help = ent_call_has(call, "help");
	call->json = ent_call_has(call, "json");
	call->quiet = ent_call_has(call, "quiet");
	call->config_path = ent_call_text(call, "config", "entente.yaml");
	return *help ? 0 : check_operands(call, e);
}

/* ---- reading them -------------------------------------------------------------------------------------------------
 */

static const struct ent__given *given(const ent_call *call, const char *name, size_t skip) {
	for (size_t i = 0; i < call->n_given; i++) {
		if (call->given[i].arg && strcmp(call->given[i].arg->name, name) == 0 && skip-- == 0) {
			return &call->given[i];
		}
	}
	return NULL;
}

bool ent_call_has(const ent_call *call, const char *name) { return given(call, name, 0) != NULL; }

const char *ent_call_text(const ent_call *call, const char *name, const char *otherwise) {
	const struct ent__given *g = given(call, name, 0);
	return g ? g->text : otherwise;
}

int64_t ent_call_number(const ent_call *call, const char *name, int64_t otherwise) {
	const struct ent__given *g = given(call, name, 0);
	return g ? g->number : otherwise;
}

ent_as_of ent_call_as_of(const ent_call *call, const ent_config *config) {
	const struct ent__given *g = given(call, "as-of", 0);
	return g ? g->as_of : config->as_of;
}

const char *ent_call_each(const ent_call *call, const char *name, size_t i) {
	const struct ent__given *g = given(call, name, i);
	return g ? g->text : NULL;
}

const char *ent_call_operand(const ent_call *call, size_t i) { return i < call->n_operands ? call->operands[i] : NULL; }
