/* SPDX-License-Identifier: Apache-2.0
 *
 * command/command.h: what a command of the program `entente` is made of.
 *
 * To add a command:
 *
 *   1. Write core/command/NAME.c with one const ent_command (two words, "metrics query", make a command of a group):
 *
 *          static const ent_arg args[] = {
 *              {.name = "limit", .type = ENT_ARG_INT, .value = "N", .least = 1, .most = 100000, .doc = "At most N
 * rows."},
 *              {.name = NULL}};
 *          static int run(ent_call *call) {
 *              ent_config *config;
 *              int status = ent_call_config(call, &config);      // tells the errors itself
 *              if (status) {
 *                  return status;
 *              }
 *              ...
 *              if (failed) {
 *                  ent_config_destroy(config);
 *                  return ent_call_error(call, &error);          // tells it, returns ENT_EXIT_ERROR
 *              }
 *              if (call->json) { ent_json_int(&call->writer, n); } else { ent_table_print(&table, &call->term,
 * &call->out); } ent_config_destroy(config); return ENT_EXIT_OK;
 *          }
 *          const ent_command ent_command_NAME = {.name = "NAME", .doc = "One line.", .args = args, .run = run};
 *
 *   2. Add one line to core/command/commands.def, and the file to core/command/CMakeLists.txt.
 *
 * Help, validation, suggestions and documentation come from the table. A command writes its result to call->out (as a
 * person reads it) or to call->writer (one JSON value, if call->json); both go to standard output when it returns, or
 * at ent_call_flush(). It never prints an error itself, and never exits.
 */
#ifndef ENT_COMMAND_COMMAND_H
#define ENT_COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "command/term.h"
#include "config/config.h"

/* Exit statuses; what they mean is in ent_exits. */
typedef enum ent_exit {
	ENT_EXIT_OK = 0,
	ENT_EXIT_ERROR = 1,
	ENT_EXIT_USAGE = 2,
	ENT_EXIT_BALANCE = 3,
	ENT_EXIT_SET_ASIDE = 4
} ent_exit;

typedef struct ent_exit_row {
	int status;
	const char *doc;
} ent_exit_row;

extern const ent_exit_row ent_exits[]; /* ends with doc NULL */

typedef enum ent_arg_type {
	ENT_ARG_SWITCH, /* takes no value */
	ENT_ARG_TEXT,
	ENT_ARG_INT,    /* from least to most */
	ENT_ARG_CHOICE, /* one of choices */
	ENT_ARG_DATE,   /* YYYY-MM-DD */
	ENT_ARG_AS_OF   /* now, latest, YYYY-MM-DD */
} ent_arg_type;

typedef struct ent_arg {
	const char *name; /* without the dashes; NULL ends a table */
	char letter;      /* or 0 */
	ent_arg_type type;
	const char *value; /* what stands for it in the help: "FILE" */
	const char *const *choices;
	int64_t least, most;
	bool many; /* may be given more than once */
	const char *doc;
} ent_arg;

/* The option --as-of, a row for the tables of the commands that judge or show a moment; read it with ent_call_as_of().
 */
#define ENT_ARG_ROW_AS_OF                                                                                              \
	{                                                                                                                  \
		.name = "as-of", .type = ENT_ARG_AS_OF, .value = "DAY",                                                        \
		.doc = "The moment of judgement: now, latest (the last complete day of the data) or YYYY-MM-DD."               \
	}

typedef struct ent_operand {
	const char *name; /* "PARTNER"; NULL ends a table */
	bool required;
	bool many; /* the last one only: takes all that follow */
	const char *doc;
} ent_operand;

struct ent_call;
struct ent__session;

typedef struct ent_command {
	const char *name;                  /* as it is typed: "run", "metrics query" */
	const char *doc;                   /* one line */
	const char *text;                  /* more, in paragraphs, with examples; or NULL */
	const ent_arg *args;               /* or NULL; --json, --config, --quiet and --help are every command's */
	const ent_operand *operands;       /* or NULL */
	int (*run)(struct ent_call *call); /* returns an ent_exit */
	bool served; /* a service answers with it, too (answer.h): it opens a project, and touches no file that its words name */
	bool slow;   /* of what is served: it starts the rules worker, and does not keep others waiting */
} ent_command;

extern const ent_command *const ent_commands[]; /* in the order of the help; ends with NULL */

/* One run of one command. Everything in it is borrowed until the command returns. */
typedef struct ent_call {
	const ent_command *command;
	const char *config_path; /* of -c, or "entente.yaml" */
	const char *const *words; /* as they were typed, the command among them */
	size_t n_words;
	/* What a service lends (session.h), so that nothing is opened for one answer; NULL on the command line. Errors and notes
	 * then go to the session, and not to standard error. */
	struct ent__session *session;
	bool json, quiet;
	ent_term term; /* standard output */
	ent_term err;  /* standard error */
	ent_buf out;   /* for people */
	ent_buf json_out;
	ent_json writer; /* for programs; writes into json_out */
	const char *const *operands;
	size_t n_operands;
	struct ent__given {
		const ent_arg *arg;
		const char *text;
		int64_t number; /* INT, CHOICE (its index), DATE (days) */
		ent_as_of as_of;
	} * given;
	size_t n_given;
} ent_call;

/* Options, by name; the name must stand in the command's table. */
bool ent_call_has(const ent_call *call, const char *name);
const char *ent_call_text(const ent_call *call, const char *name, const char *otherwise);
int64_t ent_call_number(const ent_call *call, const char *name, int64_t otherwise);
/* --as-of, or that of the configuration. */
ent_as_of ent_call_as_of(const ent_call *call, const ent_config *config);
/* The i-th value of an option that may be given many times; NULL after the last. */
const char *ent_call_each(const ent_call *call, const char *name, size_t i);
/* The i-th operand, or NULL. */
const char *ent_call_operand(const ent_call *call, size_t i);

/* Loads the configuration. ENT_EXIT_OK and *config is the caller's; else the errors are told and *config is NULL. A command
 * that a service answers with, too, opens a project instead (project.h), which knows what is lent. */
int ent_call_config(ent_call *call, ent_config **config);

/* Tell an error, or several: on standard error as "file:line:column: what; what to do", and with --json as one object
 * {"errors": [...]} on standard output, in place of what the command has written so far. Return ENT_EXIT_ERROR. */
int ent_call_error(ent_call *call, const ent_error *e);
int ent_call_errors(ent_call *call, const ent_errors *errors);
/* As ent_call_error, for wrong use that the tables cannot see. Returns ENT_EXIT_USAGE. */
int ent_call_usage(ent_call *call, const char *todo, const char *what_format, ...)
	__attribute__((format(printf, 3, 4)));
/* As ent_call_usage, where what was asked for is not there. */
int ent_call_unknown(ent_call *call, const char *todo, const char *what_format, ...)
	__attribute__((format(printf, 3, 4)));
/* Something to know that is no error: "note: ..." on standard error. */
void ent_call_note(ent_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Members file, line, column, what, todo of an object for one error. */
void ent_error_json(ent_json *json, const ent_error *e);

/* Writes what has gathered to standard output, and empties it. false: nobody reads any more. */
bool ent_call_flush(ent_call *call);

/* ---- pages of a list ------------------------------------------------------------------------------------------------- */

/* The options --limit and --after, rows for the tables of commands that list things. */
#define ENT_ARG_ROW_LIMIT                                                                                              \
	{                                                                                                                  \
		.name = "limit", .type = ENT_ARG_INT, .value = "N", .least = 1, .most = INT64_MAX,                             \
		.doc = "At most N of them; without it, all."                                                                   \
	}
#define ENT_ARG_ROW_AFTER                                                                                              \
	{                                                                                                                  \
		.name = "after", .type = ENT_ARG_TEXT, .value = "WHERE",                                                       \
		.doc = "Go on behind the last one of a list that was cut: what the note there names."                          \
	}

typedef struct ent_page {
	const char *after; /* NULL: from the beginning */
	uint64_t limit, shown, total;
	bool begun;
	char last[96];
} ent_page;

/* As --limit and --after say; `otherwise`: the limit if none is given, 0: none. */
ent_page ent_page_of(const ent_call *call, uint64_t otherwise);
/* Is the next thing of the list, known by `id`, to be shown? */
bool ent_page_take(ent_page *, const char *id);
/* When all were asked for: tells what was left out, and how to go on. ENT_EXIT_OK, or the error for an --after that is
 * not in the list. */
int ent_page_end(ent_call *call, const ent_page *, const char *things);

/* ---- shared by main, help and the parser of options -------------------------------------------------------------- */

/* Options of every command. */
extern const ent_arg ent__common_args[];

/* The command that the first words name, and how many words that took; NULL: none. */
const ent_command *ent__command_find(const char *const *words, size_t n, size_t *taken);
/* Finds the command that the words name, and runs it. ENT_EXIT_OK, or another. */
int ent__command_run(ent_call *call, const char *const *words, size_t n);
void ent__call_begin(ent_call *call, struct ent__session *session);
void ent__call_finish(ent_call *call);

/* Fills the call from the words behind the command. ENT_EXIT_OK, or ENT_EXIT_USAGE with *e set. *help: --help was
 * given. */
int ent__args_parse(ent_call *call, const char *const *words, size_t n, bool *help, ent_error *e);
/* Error for words that name no command. */
void ent__command_unknown(const char *const *words, size_t n, ent_error *e);
/* Help: of one command, of the commands that begin with `group`, or of all (NULL). */
void ent__help_command(const ent_command *command, const ent_term *term, ent_buf *out);
void ent__help_group(const char *group, const ent_term *term, ent_buf *out);

#endif
