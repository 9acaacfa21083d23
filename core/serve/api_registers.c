/* SPDX-License-Identifier: Apache-2.0
 *
 * Registers and their entries, see api.h. */
#include "serve/api.h"
#include "serve/api_members.h"

#include <json-c/json.h>
#include <string.h>

static const ent_member register_members[] = {TEXT("name", "Its name."), TEXT("doc", "What it holds."),
	TEXT("states", "Of its entries, separated by blanks; the first is that of a new one."),
	TEXT("closing", "Those in which an entry is over."),
	TEXT("audience", "Who may know of what its entries say: both, us, or confidential."), {.key = NULL}};
static const ent_schema reg = {.name = "Register", .doc = "A journal that people keep.", .members = register_members};
static const ent_member field_members[] = {TEXT("name", "Its name."), TEXT("type", "What it takes."),
	{.key = "required", .shape = ENT_SHAPE_BOOL, .doc = "An entry must have it."}, TEXT("doc", "What it means."), {.key = NULL}};
static const ent_schema field = {.name = "RegisterField", .doc = "A field of a register's entries.", .members = field_members};
static const ent_member entry_members[] = {TEXT("partner", "Whom it is about."), TEXT("id", "Its id with the partner."),
	TEXT("state", "How it stands."), MAYBE("effective", ENT_SHAPE_DAY, "The day from which it holds."),
	MAYBE("recorded", ENT_SHAPE_TEXT, "When it was written, by the partner's clock."),
	MAYBE("actor", ENT_SHAPE_TEXT, "Who wrote it."), {.key = NULL}};
static const ent_schema entry = {.name = "RegisterEntry", .doc = "An entry; the register's fields are members of it.",
	.members = entry_members, .open = true};
static const ent_member written_members[] = {TEXT("register", "The register."), TEXT("partner", "Whom it is about."),
	TEXT("id", "Its id."), {.key = NULL}};
static const ent_schema written = {.name = "RegisterWritten", .doc = "Which entry was written.", .members = written_members};
static const ent_member import_members[] = {{.key = "written", .shape = ENT_SHAPE_INT, .doc = "Entries that are new or were changed."},
	{.key = "unchanged", .shape = ENT_SHAPE_INT, .doc = "Rows that say what is there."},
	{.key = "conflicts", .shape = ENT_SHAPE_INT, .doc = "Rows of entries that were changed since the sheet was exported."}, {.key = NULL}};
static const ent_schema imported = {.name = "RegisterImport", .doc = "What became of a sheet.", .members = import_members};

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static void begin(ent__words *w, const char *format) {
	ent__words_add(w, "register");
	if (format) {
		ent__words_add(w, format);
	}
}

static void get_registers(ent_request *r, void *ctx) {
	ent__words w = {0};
	begin(&w, "--json");
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

static void get_fields(ent_request *r, void *ctx) {
	ent__words w = {0};
	begin(&w, "--json");
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "register"));
	ent__words_add(&w, "fields");
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

/* As CSV it is the sheet that goes into a spreadsheet and back: always whole. */
static void get_entries(ent_request *r, void *ctx) {
	const char *media = ent_request_media(r);
	bool sheet = !strcmp(media, ENT_MEDIA_CSV);
	ent__words w = {0};
	begin(&w, sheet ? NULL : "--json");
	ent__words_param(&w, r, "partner");
	if (!sheet) {
		ent__words_page(&w, r);
	}
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "register"));
	ent__words_add(&w, sheet ? "export" : "list");
	ent__api_ask(r, ctx, &w, media, ENT__ASK_VERSIONED);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

/* FIELD=VALUE words. */
static void take_fields(ent__words *w, json_object *body) {
	json_object *fields = NULL;
	if (!json_object_object_get_ex(body, "fields", &fields) || !json_object_is_type(fields, json_type_object)) {
		return;
	}
	json_object_object_foreach(fields, name, value) {
		const char *text = !value ? "" : json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value) ? "yes" : "no"
																					   : json_object_get_string(value);
		ent__words_add(w, ent_arena_printf(&w->arena, "%s=%s", name, text));
	}
}

static void change(ent_request *r, void *ctx, const char *verb, int status) {
	json_object *body = ent_request_json(r);
	const char *partner = ent_request_text(r, "partner"), *id = ent_request_text(r, "entry");
	ent__words w = {0};
	begin(&w, "--json");
	ent__words_option(&w, "state", ent__body_text(body, "state"));
	ent__words_option(&w, "on", ent__body_text(body, "on"));
	if (!id) {
		ent__words_option(&w, "id", ent__body_text(body, "id"));
	}
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "register"));
	ent__words_add(&w, verb);
	ent__words_add(&w, partner ? partner : ent__body_text(body, "partner"));
	if (id) {
		ent__words_add(&w, id);
	}
	take_fields(&w, body);
	ent__api_change(r, ctx, &w, status, NULL);
}

static void post_entry(ent_request *r, void *ctx) { change(r, ctx, "add", 201); }
static void patch_entry(ent_request *r, void *ctx) { change(r, ctx, "edit", 200); }
static void post_close(ent_request *r, void *ctx) { change(r, ctx, "close", 200); }

static void post_import(ent_request *r, void *ctx) {
	ent_str body = ent_request_body(r);
	ent_buf sheet = {0};
	ent__words w = {0};
	ent_buf_add(&sheet, body.p, body.n);
	begin(&w, "--json");
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "register"));
	ent__words_add(&w, "import");
	ent__words_add(&w, "sheet");
	ent__api_change(r, ctx, &w, 200, &sheet);
}

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

#define ENTRY_MEMBERS                                                                                                  \
	OPTIONAL("state", ENT_SHAPE_TEXT, "How it stands."), OPTIONAL("on", ENT_SHAPE_DAY, "The day from which it holds.")
static const ent_member add_members[] = {TEXT("partner", "Whom it is about."),
	OPTIONAL("id", ENT_SHAPE_TEXT, "Its id; without it, the next number of the partner."), ENTRY_MEMBERS,
	{.key = "fields", .shape = ENT_SHAPE_MAP, .of = ENT_SHAPE_ANY, .doc = "As the register's fields are named."}, {.key = NULL}};
static const ent_schema add_body = {.name = "NewRegisterEntry", .doc = "A new entry.", .members = add_members};
static const ent_member edit_members[] = {ENTRY_MEMBERS,
	{.key = "fields", .shape = ENT_SHAPE_MAP, .of = ENT_SHAPE_ANY, .optional = true, .doc = "Those that change; null takes one away."},
	{.key = NULL}};
static const ent_schema edit_body = {.name = "RegisterEntryChange", .doc = "What changes of an entry.", .members = edit_members};
static const ent_member close_members[] = {ENTRY_MEMBERS, {.key = NULL}};
static const ent_schema close_body = {.name = "RegisterEntryEnd", .doc = "How an entry ends.", .members = close_members};
static const char *const sheets[] = {ENT_MEDIA_CSV, NULL};

#define REGISTER_PARAM                                                                                                 \
	{.name = "register", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .example = "commitments", .doc = "Its name."}
static const ent_param register_params[] = {REGISTER_PARAM, {.name = NULL}};
static const ent_param entries_params[] = {REGISTER_PARAM,
	{.name = "partner", .type = ENT_PARAM_TEXT, .doc = "Only entries of this partner."}, ENT_PARAM_ROWS_PAGE, {.name = NULL}};
static const ent_param entry_params[] = {REGISTER_PARAM,
	{.name = "partner", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .doc = "The partner's id."},
	{.name = "entry", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .example = "1", .doc = "The entry's id."}, {.name = NULL}};
static const ent_reply registers_replies[] = {{200, ENT_MEDIA_JSON, &reg, true, "The registers."}, {0}};
#define NO_REGISTER                                                                                                    \
	{ 404, NULL, NULL, false, "There is no such register, partner or entry." }
static const ent_reply fields_replies[] = {{200, ENT_MEDIA_JSON, &field, true, "What its entries hold."}, NO_REGISTER, {0}};
static const ent_reply entries_replies[] = {{200, ENT_MEDIA_JSON, &entry, true, "By partner and id."},
	{200, ENT_MEDIA_CSV, NULL, false, "All of them, as a sheet that `import` takes back."}, NO_REGISTER, {0}};
static const ent_reply added_replies[] = {{201, ENT_MEDIA_JSON, &written, false, "It is written."}, NO_REGISTER, {0}};
static const ent_reply written_replies[] = {{200, ENT_MEDIA_JSON, &written, false, "It is written."}, NO_REGISTER, {0}};
static const ent_reply import_replies[] = {{200, ENT_MEDIA_JSON, &imported, false, "It is read."}, NO_REGISTER, {0}};

#define ROUTE(method_, path_, name_, least_, doc_, params_, replies_, run_)                                            \
	.method = method_, .path = "/api/v1/registers" path_, .name = name_, .group = "registers", .least = least_,        \
	.doc = doc_, .params = params_, .replies = replies_, .run = run_

const ent_route ent__api_register_routes[] = {
	{ROUTE("GET", "", "listRegisters", ENT_ROLE_VIEWER, "List the registers.", NULL, registers_replies, get_registers)},
	{ROUTE("GET", "/{register}", "getRegister", ENT_ROLE_VIEWER, "Show what a register's entries hold.", register_params,
		fields_replies, get_fields)},
	{ROUTE("GET", "/{register}/entries", "listEntries", ENT_ROLE_VIEWER, "List the entries of a register.", entries_params,
		entries_replies, get_entries)},
	{ROUTE("POST", "/{register}/entries", "addEntry", ENT_ROLE_STRATEGIST, "Write a new entry.", register_params, added_replies,
		 post_entry),
		.body = &add_body},
	{ROUTE("PATCH", "/{register}/entries/{partner}/{entry}", "editEntry", ENT_ROLE_STRATEGIST,
		 "Change an entry. The old version stays in the ledger.", entry_params, written_replies, patch_entry),
		.body = &edit_body},
	{ROUTE("POST", "/{register}/entries/{partner}/{entry}/close", "closeEntry", ENT_ROLE_STRATEGIST,
		 "Close an entry. In the state given, or the register's usual one.", entry_params, written_replies, post_close),
		.body = &close_body},
	{ROUTE("POST", "/{register}/import", "importEntries", ENT_ROLE_STRATEGIST,
		 "Take a sheet back. New rows are written, changed ones change their entries; one wrong row, and nothing is.", register_params,
		 import_replies, post_import),
		.takes = sheets},
	{.path = NULL}};
