/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries of registers into the ledger and out of the store, see registers.h. They come under a source of their own,
 * "registers", one input for each register, so that they have balance and lineage like everything else. */
#include "engine/registers.h"
#include "base/day.h"
#include "engine/internal.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static const char SOURCE[] = "registers", SYSTEM[] = "entente";

/* ---- reading ------------------------------------------------------------------------------------------------------------------ */

/* Records of the register, kept until they are in order. */
typedef struct reading {
	uint32_t topic;
	struct kept {
		const char *partner, *id;
		json_object *fields;
	} *kept;
	size_t n, capacity;
	ent_engine *e;
} reading;

static const char *text_of(json_object *o, const char *key) {
	json_object *v;
	return json_object_object_get_ex(o, key, &v) && v ? json_object_get_string(v) : NULL;
}

static int take_record(void *ctx, const ent_record *r) {
	reading *x = ctx;
	if (r->kind != ENT_ENTRY || r->register_ != x->topic) {
		return 0;
	}
	char *text = ent_xmalloc(r->n + 1);
	memcpy(text, r->json, r->n);
	text[r->n] = 0;
	json_object *o = json_tokener_parse(text);
	free(text);
	if (!o) {
		return ENT_ERR_CORRUPT;
	}
	const char *id = text_of(o, "id");
	ENT_GROW(x->kept, x->n, x->capacity);
	x->kept[x->n++] = (struct kept){ent__text(x->e, r->partner), id ? id : "", o};
	return 0;
}

/* By partner, then id: numbers as numbers. */
static int by_id(const void *a, const void *b) {
	const struct kept *x = a, *y = b;
	int order = strcmp(x->partner, y->partner);
	if (order) {
		return order;
	}
	unsigned long p = strtoul(x->id, NULL, 10), q = strtoul(y->id, NULL, 10);
	return p != q ? (p < q ? -1 : 1) : strcmp(x->id, y->id);
}

static int visit_one(const ent_register *reg, const struct kept *k, ent_register_visit visit, void *ctx) {
	const char *names[64], *values[64];
	json_object *o = k->fields;
	ent_register_entry entry = {.id = k->id, .partner = k->partner, .state = text_of(o, "state"), .actor = text_of(o, "actor"),
		.effective = text_of(o, "effective"), .recorded = text_of(o, "recorded"), .names = names, .values = values};
	for (const ent_register_field *f = reg->fields; f->name && entry.n < 64; f++) {
		const char *value = text_of(o, f->name);
		if (value) {
			names[entry.n] = f->name;
			values[entry.n++] = value;
		}
	}
	return visit(ctx, &entry);
}

int ent_engine_entries_each(ent_engine *e, const ent_register *reg, const char *partner, ent_register_visit visit, void *ctx,
	ent_error *error) {
	uint32_t code = partner ? ent_engine_code(e, partner) : UINT32_MAX;
	reading x = {.topic = ent_engine_code(e, reg->name), .e = e};
	if (partner && code == UINT32_MAX) {
		return 0; /* a partner that nothing was ever written about */
	}
	int status = ent_store_records_scan(e->store, ENT_ENTRY, code, take_record, &x, error);
	if (x.n) {
		ENT_SORT(x.kept, x.n, by_id);
	}
	for (size_t i = 0; i < x.n; i++) {
		if (!status) {
			status = visit_one(reg, &x.kept[i], visit, ctx);
		}
		json_object_put(x.kept[i].fields);
	}
	free(x.kept);
	return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------ */

/* The next free number of a register's partner. */
typedef struct numbering {
	unsigned long last;
} numbering;

static int take_number(void *ctx, const ent_register_entry *entry) {
	numbering *x = ctx;
	unsigned long n = entry->id ? strtoul(entry->id, NULL, 10) : 0;
	x->last = n > x->last ? n : x->last;
	return 0;
}

/* The input under which entries of a register come; its position counts them. */
static ent_input *input_of(ent_engine *e, uint32_t source, const char *name) {
	for (uint32_t i = 1; i < e->n_inputs; i++) {
		if (e->inputs[i].source == source && !strcmp(e->inputs[i].name, name)) {
			return &e->inputs[i];
		}
	}
	ent_input *x = ent__input_add(e);
	x->source = source;
	x->generation = 1;
	x->done = 1;
	x->content = ent_hash64(name, strlen(name), 0);
	snprintf(x->name, sizeof x->name, "%s", name);
	snprintf(x->decoder, sizeof x->decoder, "register");
	snprintf(x->version, sizeof x->version, "1");
	return x;
}

static void fill(ent_engine *e, const ent_register *reg, const ent_register_entry *entry, const char *id, const char *key,
	ent_document *d) {
	ent_document_clear(d);
	d->kind = ENT_ENTRY;
	d->key = key;
	d->key_n = (uint16_t)strlen(key);
	d->key_hash = ent_hash64(key, d->key_n, ENT_ENTRY);
	uint32_t *pairs = ent_document_pairs(d, entry->n);
	ent_item *item = ent_document_add(d);
	item->kind = ENT_ENTRY;
	ent_time now = {.v = e->now_us, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT};
	ent_buf said = {0};
	ent_buf_printf(&said, "%s|%s|%s|%s", key, entry->state, entry->actor ? entry->actor : "",
		entry->effective ? entry->effective : "");
	uint32_t n = 0;
	for (uint32_t i = 0; i < entry->n; i++) {
		if (entry->values[i][0]) {
			pairs[n * 2] = ent__code_of(e, entry->names[i]);
			pairs[n * 2 + 1] = ent__code_of(e, entry->values[i]);
			n++;
			ent_buf_text(&said, entry->names[i]);
			ent_buf_text(&said, entry->values[i]);
		}
	}
	int32_t day;
	item->pairs = pairs;
	item->body.entry = (ent_wire_entry){.reg = ent__code_of(e, reg->name), .id = ent__code_of(e, id),
		.state = ent__code_of(e, entry->state), .actor = ent__code_of(e, entry->actor), .n = n};
	if (entry->effective && ent_day_parse(entry->effective, strlen(entry->effective), &day)) {
		item->body.entry.effective = ent_wire_time_pack((ent_time){.v = day, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE});
	}
	item->rank.updated = (int64_t)ent_wire_time_pack(now);
	item->rank.content = ent_hash64(said.data, said.n, 0);
	ent_buf_finish(&said);
}

int ent_engine_entries_put(ent_engine *e, const ent_register *reg, const ent_register_entry *entries, size_t n,
	const char **ids, ent_arena *arena, ent_error *error) {
	static const ent_config_source config = {.name = {.s = SOURCE}, .partner = {.from = ENT_PARTNER_FIXED}, .origin = -1};
	ent__source *source = ent__source_own(e, &config);
	ent__stream stream = {.source = source, .system = ent__code_of(e, SYSTEM), .origin = ENT_ORIGIN_DECLARED};
	ent__now(e); /* a service is open for weeks */
	int status = ent__index_load(e, error);
	if (status) {
		return status;
	}
	ent_input *input = input_of(e, source->code, reg->name);
	uint32_t input_id = input->id;
	e->inputs[input_id].snapshot_us = e->now_us;
	unsigned long *next = ent_xcalloc(n, sizeof *next);
	for (size_t i = 0; i < n && !status; i++) {
		const char *id = entries[i].id;
		if (!id) { /* numbered on from the highest of the partner, also among those of this call */
			numbering x = {0};
			status = ent_engine_entries_each(e, reg, entries[i].partner, take_number, &x, error);
			for (size_t k = 0; k < i; k++) {
				if (next[k] > x.last && !strcmp(entries[k].partner, entries[i].partner)) {
					x.last = next[k];
				}
			}
			next[i] = x.last + 1;
			id = ent_arena_printf(arena, "%lu", x.last + 1);
		}
		if (ids) {
			ids[i] = id;
		}
		/* the partner is part of the key's scope; an id may occur again in another register */
		char *key = ent_arena_printf(arena, "%s/%s", reg->name, id);
		if (strlen(key) > ENT_KEY_MAX) {
			status = ent_error_set(error, ENT_ERR_INVALID, "the id '%.40s…' is longer than %u bytes", id, ENT_KEY_MAX);
			break;
		}
		ent__work w = {.stream = &stream, .input = input_id, .partner = ent__code_of(e, entries[i].partner), .fd = -1};
		ent_register_entry entry = entries[i];
		const char *first_end = strchr(reg->states, ' ');
		char first[32];
		snprintf(first, sizeof first, "%.*s", (int)(first_end ? first_end - reg->states : (long)strlen(reg->states)), reg->states);
		entry.state = entry.state ? entry.state : first;
		fill(e, reg, &entry, id, key, &e->incoming);
		if (!status) {
			status = ent__intake(e, &w, &e->incoming, false, error);
		}
		source->delta.records++;
		source->delta.consumed++;
		source->told_records++; /* as a worker would have told us */
		source->told_facts++;
		e->inputs[input_id].records++;
		e->inputs[input_id].consumed++;
		e->inputs[input_id].facts++;
		e->inputs[input_id].position++;
	}
	free(next);
	e->input_dirty[input_id] = true;
	return status ? status : ent__commit(e, error);
}
