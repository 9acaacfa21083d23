/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente token`: who may talk to the service over HTTP. Works on the file of tokens; a running service notices. One thread. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/day.h"
#include "command/command.h"
#include "command/control.h"
#include "serve/tokens.h"

#include <json-c/json.h>
#include <sodium.h>

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text);
}

/* Opens the store's tokens; an exit status. */
static int begin(ent_call *call, ent_config **config, ent_tokens **tokens) {
	ent_error e;
	int exit = ent_call_config(call, config);
	if (!exit && ent_tokens_open(tokens, (*config)->store.s, "tokens", &e)) {
		exit = ent_call_error(call, &e);
	}
	return exit;
}

static const char *day_text(int64_t us, char out[16], const char *never) {
	if (!us) {
		return never;
	}
	return ent_day_text(ent_day_of_us(us), out);
}

static int add(ent_call *call) {
	ent_config *config = NULL;
	ent_tokens *tokens = NULL;
	ent_error e;
	ent_token like = {0};
	char text[ENT_TOKEN_TEXT], day[16];
	const char *name = ent_call_operand(call, 0), *partner = ent_call_text(call, "partner", NULL);
	ent_role_parse(ent_call_text(call, "role", "viewer"), &like.role);
	int64_t expires = ent_call_number(call, "expires", INT64_MIN);
	if (strlen(name) > ENT_TOKEN_NAME || (partner && strlen(partner) > ENT_TOKEN_NAME)) {
		return ent_call_usage(call, "at most 64 letters", "the name is too long");
	}
	snprintf(like.name, sizeof like.name, "%s", name);
	snprintf(like.partner, sizeof like.partner, "%s", partner ? partner : "");
	if (expires != INT64_MIN) {
		like.expires = expires * INT64_C(86400000000);
		if (expires <= (int64_t)(time(NULL) / 86400)) {
			return ent_call_usage(call, "name a day to come: it ends when that day begins, in UTC", "--expires is not in the future");
		}
	}
	int exit = begin(call, &config, &tokens);
	if (!exit && ent_tokens_add(tokens, &like, false, text, &e)) {
		exit = ent_call_error(call, &e);
	}
	if (!exit && call->json) {
		ent_json *j = &call->writer;
		ent_json_object(j);
		member(j, "name", like.name);
		member(j, "role", ent_role_word(like.role));
		member(j, "partner", partner);
		member(j, "expires", day_text(like.expires, day, NULL));
		member(j, "token", text);
		ent_json_end(j);
	} else if (!exit) {
		ent_buf_printf(&call->out, "%s\n", text);
		ent_call_note(call, "this is the only time that it is shown; send it as Authorization: Bearer %.8s…", text);
	}
	sodium_memzero(text, sizeof text);
	ent_tokens_close(tokens);
	ent_config_destroy(config);
	return exit;
}

static int list(ent_call *call) {
	static const ent_table_column columns[] = {{"token", false, true}, {"role", false, false}, {"partner", false, false},
		{"made", false, false}, {"ends", false, false}, {NULL, false, false}};
	ent_config *config = NULL;
	ent_tokens *tokens = NULL;
	const ent_token *all = NULL;
	size_t n = 0;
	ent_error e;
	ent_table table = {0};
	char made[16], ends[16];
	int64_t now = (int64_t)time(NULL) * 1000000;
	int exit = begin(call, &config, &tokens);
	if (!exit && ent_tokens_list(tokens, &all, &n, &e)) {
		exit = ent_call_error(call, &e);
	}
	if (!exit && call->json) {
		ent_json *j = &call->writer;
		ent_json_array(j);
		for (size_t i = 0; i < n; i++) {
			ent_json_object(j);
			member(j, "name", all[i].name);
			member(j, "role", ent_role_word(all[i].role));
			member(j, "partner", all[i].partner[0] ? all[i].partner : NULL);
			member(j, "created", day_text(all[i].created, made, NULL));
			member(j, "expires", day_text(all[i].expires, ends, NULL));
			ent_json_key(j, "expired");
			ent_json_bool(j, all[i].expires && all[i].expires <= now);
			ent_json_end(j);
		}
		ent_json_end(j);
	} else if (!exit) {
		ent_table_init(&table, columns);
		for (size_t i = 0; i < n; i++) {
			bool over = all[i].expires && all[i].expires <= now;
			ent_table_styled(&table, over ? ENT_FAINT : ENT_ACCENT, all[i].name);
			ent_table_cell(&table, ent_role_word(all[i].role));
			ent_table_cell(&table, all[i].partner);
			ent_table_cell(&table, day_text(all[i].created, made, ""));
			ent_table_printf(&table, over ? ENT_BAD : ENT_PLAIN, "%s%s", day_text(all[i].expires, ends, "never"), over ? " (over)" : "");
		}
		if (n) {
			ent_table_print(&table, &call->term, &call->out);
		} else {
			ent_buf_printf(&call->out, "no tokens yet; `entente token add NAME --role ROLE` makes one, `entente token link` logs a "
									   "browser in without\n");
		}
		ent_table_finish(&table);
	}
	ent_tokens_close(tokens);
	ent_config_destroy(config);
	return exit;
}

static int take_back(ent_call *call) {
	ent_config *config = NULL;
	ent_tokens *tokens = NULL;
	ent_error e;
	const char *name = ent_call_operand(call, 0);
	int exit = begin(call, &config, &tokens);
	if (!exit && ent_tokens_remove(tokens, name, NULL, &e)) {
		exit = ent_call_error(call, &e);
	}
	if (!exit && call->json) {
		ent_json_object(&call->writer);
		member(&call->writer, "revoked", name);
		ent_json_end(&call->writer);
	} else if (!exit) {
		ent_buf_printf(&call->out, "%s is revoked, and so are the sessions made from it\n", name);
	}
	ent_tokens_close(tokens);
	ent_config_destroy(config);
	return exit;
}

static int link_make(ent_call *call) {
	ent_config *config = NULL;
	ent__control_answer answer = {0};
	ent_buf body = {0};
	ent_error e;
	ent_json json;
	int exit = ent_call_config(call, &config);
	if (exit) {
		return exit;
	}
	ent_json_init(&json, &body, false);
	ent_json_object(&json);
	member(&json, "role", ent_call_text(call, "role", "admin"));
	ent_json_end(&json);
	int status = ent__control_send(config->store.s, "POST", "/api/v1/login-links", &body, &answer, &e);
	struct json_object *said = status ? NULL : json_tokener_parse((const char *)answer.body.data), *value = NULL;
	if (status == ENT_ERR_NOTFOUND) {
		ent_error_set(&e, status, "no service runs on %s", config->store.s);
		ent_error_todo(&e, "start it with `entente serve`");
	} else if (!status && answer.status != 201) {
		json_object_object_get_ex(said, "detail", &value);
		status = ent_error_set(&e, ENT_ERR_INVALID, "%s", value ? json_object_get_string(value) : "the service gives no link");
	}
	if (status) {
		exit = ent_call_error(call, &e);
	} else if (json_object_object_get_ex(said, "url", &value) && call->json) {
		ent_json_object(&call->writer);
		member(&call->writer, "url", json_object_get_string(value));
		ent_json_end(&call->writer);
	} else {
		ent_buf_printf(&call->out, "%s\n", json_object_get_string(value));
		ent_call_note(call, "good for one login, within ten minutes");
	}
	json_object_put(said);
	ent_buf_finish(&answer.body);
	ent_buf_finish(&body);
	ent_config_destroy(config);
	return exit;
}

static const ent_arg add_args[] = {
	{.name = "role", .type = ENT_ARG_CHOICE, .value = "ROLE", .choices = ent_role_words,
		.doc = "What it may do: viewer (the default) reads; strategist also handles findings and writes registers; operator also "
			   "reloads and hands in data; admin all; partner sees only what was released to it."},
	{.name = "partner", .type = ENT_ARG_TEXT, .value = "ID", .doc = "With --role partner: which one."},
	{.name = "expires", .type = ENT_ARG_DATE, .value = "DAY", .doc = "It ends when this day begins (UTC); without it, never."},
	{.name = NULL}};
static const ent_operand add_operands[] = {{"NAME", true, false, "What it is called: who or what uses it."}, {NULL, false, false, NULL}};
static const ent_operand revoke_operands[] = {{"NAME", true, false, "Which one."}, {NULL, false, false, NULL}};
static const char *const link_roles[] = {"viewer", "strategist", "operator", "admin", NULL};
static const ent_arg link_args[] = {
	{.name = "role", .type = ENT_ARG_CHOICE, .value = "ROLE", .choices = link_roles, .doc = "What it may do; without it, admin."},
	{.name = NULL}};

const ent_command ent_command_token_add = {
	.name = "token add",
	.doc = "Make a token for the service's API and page.",
	.text = "The token is shown once; the store keeps only its SHA-256. It may be used at once, also by a service that runs.\n\n"
			"Whoever may open control.sock in the store, the user that runs the service, needs none.",
	.args = add_args,
	.operands = add_operands,
	.run = add,
};
const ent_command ent_command_token_list = {
	.name = "token list", .doc = "Show the tokens: names, roles, when they end.", .run = list};
const ent_command ent_command_token_revoke = {
	.name = "token revoke", .doc = "Take a token back, and the sessions made from it.", .operands = revoke_operands, .run = take_back};
const ent_command ent_command_token_link = {
	.name = "token link",
	.doc = "Make a link that logs a browser in, once.",
	.text = "The running service makes it; it is good for one login within ten minutes. No token is needed, and none is made.",
	.args = link_args,
	.run = link_make,
};
