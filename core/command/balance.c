/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente balance`: two equations for every source. What came in is what is accounted for, or figures are wrong. */
#include "command/command.h"
#include "command/names.h"

#include <stddef.h>

/* A term of an equation, or a state of facts that is shown beside it. */
typedef struct term {
	const char *name;
	size_t offset;
} term;

#define T(name)                                                                                                        \
	{ #name, offsetof(ent_balance, name) }
static const term records[] = {T(records), T(consumed), T(rejected), T(skipped), {0}};
static const term facts[] = {
	T(received), T(stored), T(replaced), T(duplicate), T(superseded), T(merged), T(refused), {0}};
static const term states[] = {T(parked), T(pending), {0}};

static uint64_t value_of(const ent_balance *b, const term *t) {
	return *(const uint64_t *)((const char *)b + t->offset);
}

/* Left side less right side. */
static __int128 off(const ent_balance *b, const term *equation) {
	__int128 rest = value_of(b, equation);
	for (const term *t = equation + 1; t->name; t++) {
		rest -= value_of(b, t);
	}
	return rest;
}

static bool closes(const ent_balance *b) { return !off(b, records) && !off(b, facts); }

typedef struct sheet {
	ent_call *call;
	const ent__names *names;
	ent_table records, facts;
	size_t n, open; /* sources; those whose sheet does not close */
} sheet;

static void number(ent_table *table, uint64_t value) {
	char text[ENT_NUMBER_TEXT];
	ent_table_styled(table, value ? ENT_PLAIN : ENT_FAINT, ent_number_text(value, 0, 0, text));
}

static void row(ent_table *table, const ent_balance *b, const char *source, const term *equation, const term *beside) {
	char text[ENT_NUMBER_TEXT];
	ent_table_styled(table, ENT_ACCENT, source);
	for (const term *t = equation; t->name; t++) {
		number(table, value_of(b, t));
	}
	__int128 rest = off(b, equation);
	if (rest) {
		ent_table_printf(table, ENT_BAD, "off by %s", ent_number_text(rest, 0, 0, text));
	} else {
		ent_table_styled(table, ENT_GOOD, "closes");
	}
	for (const term *t = beside; t && t->name; t++) {
		number(table, value_of(b, t));
	}
}

static void members(ent_json *json, const ent_balance *b, const term *terms) {
	for (const term *t = terms; t->name; t++) {
		ent_json_key(json, t->name);
		ent_json_uint(json, value_of(b, t));
	}
}

static int add(void *ctx, const ent_balance *b) {
	sheet *s = ctx;
	const char *source = ent__name(s->names, b->source);
	s->n++;
	s->open += !closes(b);
	if (!s->call->json) {
		row(&s->records, b, source, records, NULL);
		row(&s->facts, b, source, facts, states);
		return 0;
	}
	ent_json *json = &s->call->writer;
	ent_json_object(json);
	ent_json_key(json, "source");
	ent_json_text(json, source);
	members(json, b, records);
	members(json, b, facts);
	members(json, b, states);
	ent_json_key(json, "bytes");
	ent_json_uint(json, b->bytes);
	ent_json_key(json, "closes");
	ent_json_bool(json, closes(b));
	ent_json_end(json);
	return 0;
}

static int print(ent_call *call, ent_store *store, const ent__names *names) {
	static const ent_table_column of_records[] = {{"source", false, false}, {"records", true, true},
		{"= consumed", true, true}, {"+ rejected", true, true}, {"+ skipped", true, true}, {"", false, true}, {0}};
	static const ent_table_column of_facts[] = {{"source", false, false}, {"facts received", true, true},
		{"= stored", true, true}, {"+ replaced", true, true}, {"+ duplicate", true, true}, {"+ superseded", true, true},
		{"+ merged", true, true}, {"+ refused", true, true}, {"", false, true}, {"parked", true, true},
		{"pending", true, true}, {0}};
	sheet s = {.call = call, .names = names};
	ent_error e;
	ent_json *json = &call->writer;
	if (call->json) {
		ent_json_object(json);
		ent_json_key(json, "sources");
		ent_json_array(json);
	} else {
		ent_table_init(&s.records, of_records);
		ent_table_init(&s.facts, of_facts);
	}
	int status = ENT_EXIT_OK;
	if (ent_store_balance_scan(store, add, &s, &e)) {
		status = ent_call_error(call, &e);
	} else if (call->json) {
		ent_json_end(json);
		ent_json_key(json, "closes");
		ent_json_bool(json, !s.open);
		ent_json_end(json);
	} else if (s.n) {
		ent_table_print(&s.records, &call->term, &call->out);
		ent_buf_printf(&call->out, "\n");
		ent_table_print(&s.facts, &call->term, &call->out);
	} else {
		ent_buf_printf(&call->out, "nothing was read yet\n");
	}
	if (!status && s.open) {
		ent_call_note(call, "the balance sheet of %zu of %zu source%s does not close: figures cannot be trusted",
			s.open, s.n, s.n == 1 ? "" : "s");
		status = ENT_EXIT_BALANCE;
	}
	ent_table_finish(&s.records);
	ent_table_finish(&s.facts);
	return status;
}

static int run(ent_call *call) {
	ent_config *config = NULL;
	ent_store *store = NULL;
	ent__names names = {0};
	ent_error e;
	int status = ent_call_config(call, &config);
	if (status) {
		return status;
	}
	if (ent_store_open(&store, config->store.s, ENT_STORE_READ, &e) || ent__names_load(&names, store, &e)) {
		status = ent_call_error(call, &e);
	} else {
		status = print(call, store, &names);
	}
	ent__names_finish(&names);
	ent_store_close(store);
	ent_config_destroy(config);
	return status;
}

const ent_command ent_command_balance = {
	.name = "balance",
	.doc = "Show that every record and every fact is accounted for.",
	.text =
		"Two equations for each source, over all runs since the store was made. Of records read: consumed, rejected "
		"or skipped. Of facts received: stored, replaced, duplicate, superseded, merged or refused. Parked facts "
		"wait for their partner, pending ones for their order; both are stored. The exit status is 3 if an equation "
		"does not close.",
	.run = run,
};
