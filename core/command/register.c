/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente register`: the journals that people keep. One thread. */
#include "command/control.h"
#include "command/project.h"
#include "command/register_csv.h"
#include "engine/registers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIELDS_MOST = 64, TOLD = 1 /* an error was told already */ };

static const ent_arg args[] = {
	{.name = "by", .type = ENT_ARG_TEXT, .value = "NAME", .doc = "Who says so; without it, the name of the user."},
	{.name = "id",
		.type = ENT_ARG_TEXT,
		.value = "ID",
		.doc = "Id of a new entry; without it, the next number of the partner."},
	{.name = "on", .type = ENT_ARG_DATE, .value = "DAY", .doc = "The day from which the entry holds."},
	{.name = "state",
		.type = ENT_ARG_TEXT,
		.value = "STATE",
		.doc = "State of the entry; `entente register NAME fields` lists them."},
	{.name = "partner",
		.type = ENT_ARG_TEXT,
		.value = "PARTNER",
		.doc = "Only entries of this partner (list, export)."},
	{.name = "output",
		.letter = 'o',
		.type = ENT_ARG_TEXT,
		.value = "FILE",
		.doc = "File to write (export); without it, standard output."},
	ENT_ARG_ROW_LIMIT, ENT_ARG_ROW_AFTER, {.name = NULL}};
static const ent_operand operands[] = {
	{"NAME", false, false, "The register: contacts, agreements, terms, … Without it, all are listed."},
	{"VERB", false, false,
		"add PARTNER FIELD=VALUE…, edit PARTNER ID FIELD=VALUE…, close PARTNER ID, list, import FILE, export, fields."},
	{"…", false, true, "What the verb takes."}, {NULL, false, false, NULL}};

typedef struct session {
	ent_call *call;
	ent__project project;
	ent_engine *engine; /* the project's */
	const ent_register *reg;
	ent_arena arena;
	ent_error e;
} session;

/* ---- looking
 * ------------------------------------------------------------------------------------------------------------- */

static const char *value_of(const ent_register_entry *entry, const char *name) {
	for (uint32_t i = 0; i < entry->n; i++) {
		if (!strcmp(entry->names[i], name)) {
			return entry->values[i];
		}
	}
	return "";
}

typedef struct listing {
	session *s;
	ent_table table;
	ent_page page;
} listing;

static int list_one(void *ctx, const ent_register_entry *entry) {
	listing *l = ctx;
	ent_call *call = l->s->call;
	char id[96];
	snprintf(id, sizeof id, "%s/%s", entry->partner, entry->id);
	if (!ent_page_take(&l->page, id)) {
		return 0;
	}
	if (call->json) {
		ent_json *j = &call->writer;
		ent_json_object(j);
		const struct {
			const char *key, *value;
		} head[] = {{"partner", entry->partner}, {"id", entry->id}, {"state", entry->state},
			{"effective", entry->effective}, {"recorded", entry->recorded}, {"actor", entry->actor}};
		for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
			ent_json_key(j, head[i].key);
			ent_json_text(j, head[i].value);
		}
		for (uint32_t i = 0; i < entry->n; i++) {
			ent_json_key(j, entry->names[i]);
			ent_json_text(j, entry->values[i]);
		}
		ent_json_end(j);
		return 0;
	}
	ent_table_styled(&l->table, ENT_ACCENT, entry->partner);
	ent_table_cell(&l->table, entry->id);
	ent_table_cell(&l->table, entry->state);
	for (const ent_register_field *f = l->s->reg->fields; f->name; f++) {
		ent_table_cell(&l->table, value_of(entry, f->name));
	}
	ent_table_styled(&l->table, ENT_FAINT, entry->recorded);
	return 0;
}

static int list(session *s) {
	ent_table_column columns[FIELDS_MOST] = {{"partner", false, true}, {"id", false, true}, {"state", false, false}};
	size_t n = 3;
	for (const ent_register_field *f = s->reg->fields; f->name; f++) {
		columns[n++] = (ent_table_column){f->name, f->type == ENT_REG_NUMBER, false};
	}
	columns[n++] = (ent_table_column){"recorded", false, false};
	columns[n] = (ent_table_column){NULL, false, false};
	listing l = {.s = s, .page = ent_page_of(s->call, 0)};
	ent_table_init(&l.table, columns);
	if (s->call->json) {
		ent_json_array(&s->call->writer);
	}
	int status =
		ent_engine_entries_each(s->engine, s->reg, ent_call_text(s->call, "partner", NULL), list_one, &l, &s->e);
	if (s->call->json) {
		ent_json_end(&s->call->writer);
	} else if (ent_table_rows(&l.table)) {
		ent_table_print(&l.table, &s->call->term, &s->call->out);
	} else {
		ent_buf_printf(&s->call->out,
			"no entries in %s yet; `entente register %s add PARTNER FIELD=VALUE…` writes one\n", s->reg->name,
			s->reg->name);
	}
	ent_table_finish(&l.table);
	return status ? status : ent_page_end(s->call, &l.page, "entries") ? TOLD : 0;
}

/* All registers, also those of the project; without one, those that ship. NULL: told already. */
static const ent_register *registers_of(ent_call *call, ent__project *p) {
	if (call->session) {
		return ent_engine_registers(call->session->engine);
	}
	return ent__project_open_any(call, p) ? NULL : ent_engine_registers(p->engine);
}

static int list_registers(ent_call *call, const ent_register *all) {
	static const ent_table_column columns[] = {{"register", false, true}, {"states", false, false},
		{"for", false, false}, {"what it holds", false, false}, {NULL, false, false}};
	ent_table t;
	ent_table_init(&t, columns);
	if (call->json) {
		ent_json_array(&call->writer);
	}
	for (const ent_register *r = all; r->name; r++) {
		if (call->json) {
			ent_json_object(&call->writer);
			ent_json_key(&call->writer, "name");
			ent_json_text(&call->writer, r->name);
			ent_json_key(&call->writer, "doc");
			ent_json_text(&call->writer, r->doc);
			ent_json_key(&call->writer, "states");
			ent_json_text(&call->writer, r->states);
			ent_json_key(&call->writer, "closing");
			ent_json_text(&call->writer, r->closing);
			ent_json_key(&call->writer, "audience");
			ent_json_text(&call->writer, ent_register_audiences[r->audience]);
			ent_json_end(&call->writer);
		} else {
			ent_table_styled(&t, ENT_ACCENT, r->name);
			ent_table_cell(&t, r->states);
			ent_table_cell(&t, ent_register_audiences[r->audience]);
			ent_table_cell(&t, r->doc);
		}
	}
	if (call->json) {
		ent_json_end(&call->writer);
	} else {
		ent_table_print(&t, &call->term, &call->out);
	}
	ent_table_finish(&t);
	return ENT_EXIT_OK;
}

static int fields(ent_call *call, const ent_register *reg) {
	static const ent_table_column columns[] = {{"field", false, true}, {"type", false, false}, {"", false, false},
		{"meaning", false, false}, {NULL, false, false}};
	ent_table t;
	ent_table_init(&t, columns);
	if (call->json) {
		ent_json_array(&call->writer);
	}
	for (const ent_register_field *f = reg->fields; f->name; f++) {
		char type[200];
		bool pairs = f->type == ENT_REG_PAIRS;
		snprintf(type, sizeof type, "%s%s%s", ent_register_types[f->type], f->choices && !pairs ? ": " : "",
			!f->choices                      ? ""
			: !pairs                         ? f->choices
			: !strcmp(f->choices, "both")    ? " NUMBER=NUMBER; …"
			: !strcmp(f->choices, "numbers") ? " NAME=NUMBER; …"
											 : " NAME=VALUE; …");
		if (call->json) {
			ent_json_object(&call->writer);
			ent_json_key(&call->writer, "name");
			ent_json_text(&call->writer, f->name);
			ent_json_key(&call->writer, "type");
			ent_json_text(&call->writer, type);
			ent_json_key(&call->writer, "required");
			ent_json_bool(&call->writer, f->required);
			ent_json_key(&call->writer, "doc");
			ent_json_text(&call->writer, f->doc);
			ent_json_end(&call->writer);
		} else {
			ent_table_styled(&t, ENT_ACCENT, f->name);
			ent_table_cell(&t, type);
			ent_table_cell(&t, f->required ? "required" : "");
			ent_table_cell(&t, f->doc);
		}
	}
	if (call->json) {
		ent_json_end(&call->writer);
	} else {
		ent_buf_printf(&call->out, "%s%sStates: %s. For: %s.\n\n", reg->doc, *reg->doc ? " " : "", reg->states,
			ent_register_audiences[reg->audience]);
		ent_table_print(&t, &call->term, &call->out);
	}
	ent_table_finish(&t);
	return ENT_EXIT_OK;
}

/* ---- writing
 * ------------------------------------------------------------------------------------------------------------- */

typedef struct search {
	const char *id;
	session *s;
	ent_register_entry *found;
} search;

static const char *keep(session *s, const char *text) {
	return text ? ent_arena_copy(&s->arena, text, strlen(text)) : NULL;
}

static int take_entry(void *ctx, const ent_register_entry *entry) {
	search *x = ctx;
	if (!entry->id || strcmp(entry->id, x->id) != 0) {
		return 0;
	}
	session *s = x->s;
	const char **names = ent_arena_alloc(&s->arena, FIELDS_MOST * sizeof *names);
	const char **values = ent_arena_alloc(&s->arena, FIELDS_MOST * sizeof *values);
	x->found = ent_arena_alloc(&s->arena, sizeof *x->found);
	*x->found = (ent_register_entry){keep(s, entry->id), keep(s, entry->partner), keep(s, entry->state),
		keep(s, entry->actor), keep(s, entry->effective), keep(s, entry->recorded), names, values, entry->n};
	for (uint32_t i = 0; i < entry->n; i++) {
		names[i] = keep(s, entry->names[i]);
		values[i] = keep(s, entry->values[i]);
	}
	return 0;
}

/* The entry as it stands, in the session's arena; NULL, and s->e, if there is none. */
static ent_register_entry *entry_of(session *s, const char *partner, const char *id) {
	search x = {id, s, NULL};
	if (ent_engine_entries_each(s->engine, s->reg, partner, take_entry, &x, &s->e)) {
		return NULL;
	}
	if (!x.found) {
		ent_error_set(&s->e, ENT_ERR_NOTFOUND, "%s of %s has no entry '%s'", s->reg->name, partner, id);
		ent_error_todo(&s->e, "`entente register %s list --partner %s` shows all", s->reg->name, partner);
	}
	return x.found;
}

static int known_partner(session *s, const char *partner) {
	if (ent_engine_is_partner(s->engine, partner)) {
		return 0;
	}
	const char *names[1024];
	size_t n = 0;
	for (; n < s->project.config->n_partners && n < 1024; n++) {
		names[n] = s->project.config->partners[n].id.s;
	}
	const char *near = ent_nearest(partner, names, n);
	ent_error_set(&s->e, ENT_ERR_NOTFOUND, "there is no partner '%s'", partner);
	return near ? ent_error_todo(&s->e, "did you mean '%s'?", near)
				: ent_error_todo(&s->e, "`entente partners` lists them");
}

/* FIELD=VALUE words into the entry, in place of what it had. */
static int take_words(session *s, ent_register_entry *entry, size_t first) {
	const char **names = (const char **)(uintptr_t)entry->names, **values = (const char **)(uintptr_t)entry->values;
	for (const char *word; (word = ent_call_operand(s->call, first)); first++) {
		const char *equals = strchr(word, '=');
		if (!equals || equals == word) {
			ent_error_set(&s->e, ENT_ERR_INVALID, "'%s' is not of the form FIELD=VALUE", word);
			return ent_error_todo(&s->e, "`entente register %s fields` lists the fields", s->reg->name);
		}
		char *name = ent_arena_copy(&s->arena, word, (size_t)(equals - word));
		uint32_t i = 0;
		while (i < entry->n && strcmp(names[i], name) != 0) {
			i++;
		}
		if (i == FIELDS_MOST) {
			return ent_error_set(&s->e, ENT_ERR_INVALID, "more than %d fields", FIELDS_MOST);
		}
		names[i] = name;
		values[i] = keep(s, equals + 1);
		entry->n = i == entry->n ? i + 1 : entry->n;
	}
	return 0;
}

static void settings(session *s, ent_register_entry *entry) {
	ent_call *call = s->call;
	entry->actor = ent_call_text(call, "by", ent__control_user(call));
	entry->state = ent_call_text(call, "state", entry->state);
	entry->effective = ent_call_text(call, "on", entry->effective);
}

static int put(session *s, ent_register_entry *entry, const char *done) {
	const char *id;
	if (ent_register_check(s->reg, entry, &s->arena, &s->e) ||
		ent_engine_entries_put(s->engine, s->reg, entry, 1, &id, &s->arena, &s->e)) {
		return s->e.code;
	}
	if (s->call->json) {
		ent_json_object(&s->call->writer);
		ent_json_key(&s->call->writer, "register");
		ent_json_text(&s->call->writer, s->reg->name);
		ent_json_key(&s->call->writer, "partner");
		ent_json_text(&s->call->writer, entry->partner);
		ent_json_key(&s->call->writer, "id");
		ent_json_text(&s->call->writer, id);
		ent_json_end(&s->call->writer);
	} else {
		ent_buf_printf(&s->call->out, "%s %s of %s: %s\n", s->reg->name, id, entry->partner, done);
	}
	return 0;
}

static int add(session *s) {
	const char *partner = ent_call_operand(s->call, 2);
	ent_register_entry entry = {.partner = partner, .id = ent_call_text(s->call, "id", NULL)};
	entry.names = ent_arena_alloc(&s->arena, FIELDS_MOST * sizeof *entry.names);
	entry.values = ent_arena_alloc(&s->arena, FIELDS_MOST * sizeof *entry.values);
	if (known_partner(s, partner) || take_words(s, &entry, 3)) {
		return s->e.code;
	}
	settings(s, &entry);
	return put(s, &entry, "written");
}

static int edit(session *s) {
	ent_register_entry *entry = entry_of(s, ent_call_operand(s->call, 2), ent_call_operand(s->call, 3));
	if (!entry || take_words(s, entry, 4)) {
		return s->e.code;
	}
	settings(s, entry);
	return put(s, entry, "changed");
}

static int close_entry(session *s) {
	ent_register_entry *entry = entry_of(s, ent_call_operand(s->call, 2), ent_call_operand(s->call, 3));
	if (!entry) {
		return s->e.code;
	}
	const char *end = strchr(s->reg->closing, ' ');
	size_t n = end ? (size_t)(end - s->reg->closing) : strlen(s->reg->closing);
	entry->state = ent_arena_copy(&s->arena, s->reg->closing, n);
	settings(s, entry);
	return put(s, entry, entry->state);
}

/* ---- spreadsheet
 * ------------------------------------------------------------------------------------------------------------ */

static const char *const head_columns[] = {"id", "partner", "state", "effective", "recorded"};
enum { HEAD = 5 };

static size_t columns_of(const ent_register *reg, const char **names) {
	size_t n = HEAD;
	memcpy(names, head_columns, sizeof head_columns);
	for (const ent_register_field *f = reg->fields; f->name; f++) {
		names[n++] = f->name;
	}
	return n;
}

static void put_cell(ent_buf *out, const char *text, bool last) {
	text = text ? text : "";
	if (strpbrk(text, ",\"\r\n")) {
		ent_buf_u8(out, '"');
		for (const char *p = text; *p; p++) {
			if (*p == '"') {
				ent_buf_u8(out, '"');
			}
			ent_buf_u8(out, (uint8_t)*p);
		}
		ent_buf_u8(out, '"');
	} else {
		ent_buf_add(out, text, strlen(text));
	}
	ent_buf_u8(out, last ? '\n' : ',');
}

typedef struct sheet {
	session *s;
	ent_buf text;
	size_t rows;
} sheet;

static int export_one(void *ctx, const ent_register_entry *entry) {
	sheet *x = ctx;
	const char *names[FIELDS_MOST];
	size_t n = columns_of(x->s->reg, names);
	const char *head[HEAD] = {entry->id, entry->partner, entry->state, entry->effective, entry->recorded};
	for (size_t i = 0; i < n; i++) {
		put_cell(&x->text, i < HEAD ? head[i] : value_of(entry, names[i]), i + 1 == n);
	}
	x->rows++;
	return 0;
}

static int export_sheet(session *s) {
	sheet x = {.s = s};
	const char *names[FIELDS_MOST], *path = ent_call_text(s->call, "output", NULL);
	if (path && s->call->session) {
		return ent_error_set(&s->e, ENT_ERR_INVALID, "a service writes no file for who asks it");
	}
	size_t n = columns_of(s->reg, names);
	for (size_t i = 0; i < n; i++) {
		put_cell(&x.text, names[i], i + 1 == n);
	}
	int status =
		ent_engine_entries_each(s->engine, s->reg, ent_call_text(s->call, "partner", NULL), export_one, &x, &s->e);
	if (!status && path) {
		char fresh[4096];
		snprintf(fresh, sizeof fresh, "%s.new", path);
		FILE *f = fopen(fresh, "w");
		if (!f || fwrite(x.text.data, 1, x.text.n, f) != x.text.n || fclose(f) || rename(fresh, path)) {
			status = ent_error_errno(&s->e, ENT_ERR_IO, "cannot write %s", path);
		} else {
			ent_call_note(s->call, "%zu entries written to %s", x.rows, path);
		}
	} else if (!status) {
		ent_buf_add(&s->call->out, x.text.data, x.text.n);
	}
	ent_buf_finish(&x.text);
	return status;
}

typedef struct import {
	session *s;
	const char **names;
	size_t n_names;
	ent_register_entry *entries;
	size_t n, capacity, unchanged, conflicts;
} import;

/* Does the sheet's row say what the entry says already? */
static bool same(const import *x, const ent_register_entry *old, const char *const *cells) {
	const char *head[HEAD] = {old->id, old->partner, old->state, old->effective, NULL};
	for (size_t i = 0; i < x->n_names; i++) {
		const char *was = i < HEAD ? head[i] : value_of(old, x->names[i]);
		if (i != HEAD - 1 && strcmp(cells[i], was ? was : "") != 0 && (i >= HEAD || cells[i][0])) {
			return false;
		}
	}
	return true;
}

static int import_row(void *ctx, uint64_t line, const char *const *cells) {
	import *x = ctx;
	session *s = x->s;
	ent_register_entry entry = {.id = cells[0][0] ? keep(s, cells[0]) : NULL,
		.partner = keep(s, cells[1]),
		.state = cells[2][0] ? keep(s, cells[2]) : NULL,
		.effective = cells[3][0] ? keep(s, cells[3]) : NULL};
	bool empty = true;
	for (size_t i = 0; i < x->n_names; i++) {
		empty = empty && !cells[i][0];
	}
	if (empty) {
		return 0;
	}
	const char **names = ent_arena_alloc(&s->arena, FIELDS_MOST * sizeof *names);
	const char **values = ent_arena_alloc(&s->arena, FIELDS_MOST * sizeof *values);
	for (size_t i = HEAD; i < x->n_names; i++) {
		if (cells[i][0]) {
			names[entry.n] = x->names[i];
			values[entry.n++] = keep(s, cells[i]);
		}
	}
	entry.names = names;
	entry.values = values;
	int status = known_partner(s, entry.partner);
	ent_register_entry *old = NULL;
	if (!status && entry.id) {
		search found = {entry.id, s, NULL};
		status = ent_engine_entries_each(s->engine, s->reg, entry.partner, take_entry, &found, &s->e);
		old = found.found;
	}
	if (!status) {
		status = ent_register_check(s->reg, &entry, &s->arena, &s->e);
	}
	if (status) {
		s->e.line = (uint32_t)line;
		return status;
	}
	if (old && same(x, old, cells)) {
		x->unchanged++;
		return 0;
	}
	if (old && old->recorded && cells[HEAD - 1][0] && strcmp(old->recorded, cells[HEAD - 1]) != 0) {
		x->conflicts++;
		ent_call_note(s->call, "row %llu: %s of %s was changed on %s, after this sheet was exported: left as it is",
			(unsigned long long)line, entry.id, entry.partner, old->recorded);
		return 0;
	}
	settings(s, &entry);
	ENT_GROW(x->entries, x->n, x->capacity);
	x->entries[x->n++] = entry;
	return 0;
}

/* The sheet: what came with the request, or the file. Negative: s->e. */
static int sheet_of(session *s, const char *path) {
	const ent__session *lent = s->call->session;
	if (!lent) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		return fd < 0 ? ent_error_errno(&s->e, ENT_ERR_IO, "cannot read %s", path) : fd;
	}
	if (!lent->input) {
		ent_error_set(&s->e, ENT_ERR_INVALID, "a service reads no file for who asks it");
		return ent_error_todo(&s->e, "send the sheet itself");
	}
	int fd = memfd_create("sheet", MFD_CLOEXEC);
	if (fd < 0 || pwrite(fd, lent->input->data, lent->input->n, 0) != (ssize_t)lent->input->n) {
		ent_error_errno(&s->e, ENT_ERR_IO, "the sheet cannot be kept in memory");
		if (fd >= 0) {
			close(fd);
		}
		return s->e.code;
	}
	return fd;
}

static int import_sheet(session *s) {
	const char *names[FIELDS_MOST], *path = ent_call_operand(s->call, 2);
import x = {.s = s, .names = names, .n_names = columns_of(s->reg, names) };
	int fd = sheet_of(s, path);
	int status = fd < 0 ? s->e.code : ent__csv_each(fd, path, names, x.n_names, import_row, &x, &s->e);
	if (status && !s->e.file[0]) {
		ent_error_at(&s->e, path, s->e.line, 0);
	}
	if (!status && x.n) {
		status = ent_engine_entries_put(s->engine, s->reg, x.entries, x.n, NULL, &s->arena, &s->e);
	}
	if (!status && s->call->json) {
		ent_json_object(&s->call->writer);
		ent_json_key(&s->call->writer, "written");
		ent_json_uint(&s->call->writer, x.n);
		ent_json_key(&s->call->writer, "unchanged");
		ent_json_uint(&s->call->writer, x.unchanged);
		ent_json_key(&s->call->writer, "conflicts");
		ent_json_uint(&s->call->writer, x.conflicts);
		ent_json_end(&s->call->writer);
	} else if (!status) {
		ent_buf_printf(&s->call->out, "%s: %zu written, %zu unchanged, %zu in conflict\n", s->reg->name, x.n,
			x.unchanged, x.conflicts);
	}
	free(x.entries);
	return status;
}

/* ---- verbs
 * ---------------------------------------------------------------------------------------------------------------------
 */

static const struct verb {
	const char *name;
	unsigned operands; /* behind the verb, at least */
	bool writes;
	int (*run)(session *);
	const char *usage;
} verbs[] = {
	{"add", 1, true, add, "PARTNER FIELD=VALUE…"},
	{"edit", 2, true, edit, "PARTNER ID FIELD=VALUE…"},
	{"close", 2, true, close_entry, "PARTNER ID [--state STATE]"},
	{"list", 0, false, list, "[--partner PARTNER]"},
	{"import", 1, true, import_sheet, "FILE"},
	{"export", 0, false, export_sheet, "[-o FILE]"},
	{"fields", 0, false, NULL, ""},
};

/* The file of an import, to be sent to the service. */
static int read_sheet(ent_call *call, ent_buf *out) {
	const char *path = ent_call_operand(call, 2);
	ent_error e;
	FILE *f = fopen(path, "re");
	size_t n = 0;
	while (f && !ferror(f)) {
		ent_buf_reserve(out, 1 << 16);
		if (!(n = fread(out->data + out->n, 1, 1 << 16, f))) {
			break;
		}
		out->n += n;
	}
	bool bad = !f || ferror(f);
	if (bad) {
		ent_error_errno(&e, ENT_ERR_IO, "cannot read %s", path);
	}
	if (f) {
		fclose(f);
	}
	return bad ? ent_call_error(call, &e) : ENT_EXIT_OK;
}

/* A service that has the store writes for us. */
static bool forwarded(ent_call *call, const struct verb *v, int *exit) {
	ent_buf text = {0};
	bool imports = v->run == import_sheet && !call->session, done = false;
	*exit = imports ? read_sheet(call, &text) : ENT_EXIT_OK;
	done = *exit != ENT_EXIT_OK || ent__control_forward(call, imports ? &text : NULL, exit);
	ent_buf_finish(&text);
	return done;
}

static int run_verb(ent_call *call, const char *name, const struct verb *v) {
	session s = {.call = call};
	int exit = ENT_EXIT_OK;
	if (v->writes && forwarded(call, v, &exit)) {
		return exit;
	}
	exit = ent__project_open(call, &s.project, v->writes ? ENT_ENGINE_WRITE : ENT_ENGINE_READ);
	if (!exit) {
		s.engine = s.project.engine;
		s.reg = ent_register_find(ent_engine_registers(s.engine), name, &s.e);
		int status = s.reg ? v->run(&s) : s.e.code;
		exit = status == TOLD ? ENT_EXIT_USAGE : status ? ent_call_error(call, &s.e) : ENT_EXIT_OK;
	}
	ent__project_finish(&s.project);
	ent_arena_finish(&s.arena);
	return exit;
}

/* Which verb is meant, and whether it has what it needs. NULL: told already, *exit says how. */
static const struct verb *verb_of(ent_call *call, const char *name, const char *verb, int *exit) {
	const char *names[sizeof verbs / sizeof *verbs];
	char todo[200];
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		names[i] = verbs[i].name;
		if (strcmp(verbs[i].name, verb) != 0) {
			continue;
		}
		if (call->n_operands < 2 + verbs[i].operands && verbs[i].operands) {
			snprintf(todo, sizeof todo, "write `entente register %s %s %s`", name, verb, verbs[i].usage);
			*exit = ent_call_usage(call, todo, "%s needs more", verb);
			return NULL;
		}
		return &verbs[i];
	}
	const char *near = ent_nearest(verb, names, sizeof verbs / sizeof *verbs);
	snprintf(todo, sizeof todo, near ? "did you mean '%s'?" : "write add, edit, close, list, import, export or fields",
		near);
	*exit = ent_call_usage(call, todo, "register knows no verb '%s'", verb);
	return NULL;
}

static int run(ent_call *call) {
	const char *name = ent_call_operand(call, 0), *verb = ent_call_operand(call, 1);
	const struct verb *v = NULL;
	ent__project p = {.block = {.fd = -1}};
	int exit = ENT_EXIT_ERROR;
	const ent_register *all = registers_of(call, &p), *reg = NULL;
	ent_error e;
	if (all && !name) {
		exit = list_registers(call, all);
	} else if (all && !(reg = ent_register_find(all, name, &e))) {
		exit = ent_call_unknown(call, e.todo, "%s", e.what);
	} else if (all && (v = verb_of(call, name, verb ? verb : "list", &exit)) && !v->run) {
		exit = fields(call, reg);
	}
	if (!call->session) {
		ent__project_finish(&p);
	}
	return v && v->run ? run_verb(call, name, v) : exit;
}

const ent_command ent_command_register = {
	.name = "register",
	.doc = "Keep the journals of what people know: contacts, claims, commitments and more.",
	.text =
		"`entente register` lists the registers, `entente register NAME fields` what their entries hold.\n\n"
		"    entente register commitments add nordwind text=\"Send the new price list\" who=us due=2026-12-01\n"
		"    entente register commitments close nordwind 1 --state kept\n"
		"    entente register contacts export -o contacts.csv\n"
		"    entente register contacts import contacts.csv\n\n"
		"An entry is a fact in the ledger: nothing is overwritten, the newest version counts. Import takes an exported "
		"sheet back: rows without an id are new entries, rows that did not change are left alone, and a row that was "
		"changed here after the export is shown and left as it is.",
	.args = args,
	.operands = operands,
	.run = run,
	.served = true,
};
