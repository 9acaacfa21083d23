/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents made by hand, see by_hand.h. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "by_hand.h"

uint64_t seed;

uint32_t rnd(uint32_t below) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

/* ---- a store of its own --------------------------------------------------------------------------------------------------- */


void put_file(const char *folder, const char *name, const char *text) {
	char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

void engine_open(bench *b) {
	char path[256];
	snprintf(path, sizeof path, "%s/entente.yaml", b->folder);
	if (ent_config_load(path, &b->config, b->errors) || ent_engine_open(&b->e, b->config, ENT_ENGINE_WRITE, b->errors)) {
		fail_msg("%s", b->errors->e[0].what);
	}
	b->e->report = b->report;
}

void engine_close(bench *b) {
	ent_engine_close(b->e);
	ent_config_destroy(b->config);
	b->e = NULL;
}

void bench_open(bench *b) {
	*b = (bench){.errors = ent_xcalloc(1, sizeof *b->errors), .report = ent_xcalloc(1, sizeof *b->report)};
	snprintf(b->folder, sizeof b->folder, "/tmp/entente-intake-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	put_file(b->folder, "identity.key", "a key for tests, of no other use at all\n");
	put_file(b->folder, "entente.yaml",
		"version: 1\nstore: ./store\ncurrency: EUR\nidentity_key: file:identity.key\n"
		"views: [channel, category]\n"
		"partners:\n  one: {name: One, zone: Europe/Berlin, also: {word: eins}}\n  two: {name: Two, zone: America/Chicago}\n"
		"sources:\n"
		"  own: {partner: one, from: {glob: ./none/*}, decode: csv}\n"
		"  market: {partner: {from: lines}, keys: shared, from: {glob: ./none/*}, decode: csv}\n"
		"  named: {partner: {from: fact, as: word}, from: {glob: ./none/*}, decode: csv}\n"
		"rules: {books: []}\n");
	engine_open(b);
}

void bench_close(bench *b) {
	char command[128];
	engine_close(b);
	snprintf(command, sizeof command, "rm -rf %s", b->folder);
	assert_int_equal(system(command), 0);
	free(b->errors);
	free(b->report);
}

/* ---- facts ------------------------------------------------------------------------------------------------------------------ */


fact random_fact(void) {
	static const uint8_t kinds[] = {ENT_ORDER, ENT_ORDER, ENT_ORDER, ENT_CART, ENT_CONTACT, ENT_VISIT};
	fact f = {.source = rnd(2), .kind = kinds[rnd(6)], .key = rnd(8), .input = rnd(INPUTS), .updated = rnd(4), .salt = rnd(4)};
	f.head = f.kind != ENT_ORDER || rnd(3);
	f.retract = f.kind != ENT_VISIT && f.head && rnd(8) == 0;
	if (f.kind == ENT_VISIT) {
		f.updated = 0;
	}
	if (f.kind == ENT_ORDER && !f.retract) {
		f.n_lines = f.head ? rnd(4) : 1 + rnd(3);
		f.complete = f.head && rnd(3) == 0;
		for (unsigned i = 0; i < f.n_lines; i++) {
			f.lines[i] = (i ? f.lines[i - 1] : 0) + 1 + rnd(2);
		}
		f.refund = f.source == 0 && rnd(4) == 0 ? 1 + rnd(2) : 0;
	}
	return f;
}

static ent_wire_time instant(int64_t hours) {
	return ent_wire_time_pack((ent_time){.v = (int64_t)DAY * 86400000000 + hours * 3600000000, .offset_min = ENT_NO_OFFSET,
		.kind = ENT_TIME_INSTANT});
}

static void identify(ent_id *id, uint32_t n) {
	memset(id, 0, sizeof *id);
	memcpy(id->b, &n, 4);
	id->b[15] = 1;
}

static void head_body(ent_engine *e, const fact *f, ent_item *item) {
	ent_wire_time at = instant(5 + (int64_t)f->key * 20 + f->salt * 24);
	switch (f->kind) {
	case ENT_ORDER:
		item->has = ENT_HAS_TOTAL;
		item->body.order = (ent_wire_order){.at = at, .total = 1000000 * (1 + f->salt), .currency = "EUR",
			.channel = ent__code_of(e, f->salt % 2 ? "web" : "shop"),
			.status = f->salt == 3 ? ENT_ORDER_CANCELLED : ENT_ORDER_SOLD};
		identify(&item->body.order.customer, 1 + f->key % 3);
		break;
	case ENT_CART:
		item->body.cart = (ent_wire_cart){.started_at = at, .value = 500000 * (1 + f->salt), .currency = "EUR"};
		break;
	case ENT_CONTACT:
		item->body.contact = (ent_wire_contact){.at = at};
		break;
	default:
		item->body.visit = (ent_wire_visit){.at = instant(5 + (int64_t)f->key), .until = at, .pageviews = 1 + f->salt,
			.steps = 1u << f->salt};
		identify(&item->body.visit.visitor, 9 + f->key);
	}
}

/* As facts/batch.c makes it. */
static void make(ent_engine *e, const fact *f, ent_document *d) {
	static char keys[16][8];
	static const char *const line_keys[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
	ent_document_clear(d);
	d->kind = f->kind;
	snprintf(keys[f->key], sizeof keys[0], "k%u", f->key);
	d->key = keys[f->key];
	d->key_n = (uint16_t)strlen(d->key);
	d->key_hash = ent_hash64(d->key, d->key_n, d->kind);
	d->has_complete = f->complete;
	ent_wire_time version = f->updated ? instant(f->updated) : 0;
	/* equal content, equal hash: all but input and version */
	fact said = *f;
	said.input = 0;
	said.updated = 0;
	uint64_t parts[] = {said.kind, said.key, said.head, said.retract, said.complete, said.n_lines, said.lines[0], said.lines[1],
		said.lines[2], said.refund, said.salt};
	uint64_t content = ent_hash64(parts, sizeof parts, 0);
	if (f->head) {
		ent_item *item = ent_document_add(d);
		item->kind = f->kind;
		item->flags = (uint8_t)((f->retract ? ENT_DOC_RETRACT : 0) | (f->complete ? ENT_DOC_LINES_COMPLETE : 0));
		item->rank = (ent_rank){.updated = (int64_t)version, .content = content};
		item->place = f->key;
		if (!f->retract) {
			head_body(e, f, item);
		}
	}
	for (unsigned i = 0; i < f->n_lines + (f->refund != 0); i++) {
		bool line = i < f->n_lines;
		ent_item *item = ent_document_add(d);
		item->kind = line ? ENT_LINE : ENT_REFUND;
		item->key = line_keys[line ? f->lines[i] : f->refund];
		item->key_n = 1;
		item->place = f->key + i;
		uint64_t of_part[] = {item->kind, line ? f->lines[i] : f->refund, f->salt, f->source};
		item->rank = (ent_rank){.updated = (int64_t)version, .content = f->complete ? content : ent_hash64(of_part, sizeof of_part, 1)};
		if (line) {
			item->has = ENT_HAS_GROSS;
			item->body.line = (ent_wire_line){.quantity = 1000, .gross = 700000 + 10000 * f->salt, .currency = "EUR",
				.category = ent__code_of(e, f->lines[i] % 2 ? "lamps" : "chairs")};
			item->partner = f->source == 1 ? ent__code_of(e, f->lines[i] % 3 ? "one" : "two") : 0;
		} else {
			item->body.refund = (ent_wire_refund){.at = instant(100 + f->salt), .amount = 20000, .currency = "EUR"};
		}
	}
}


void feed_open(bench *b, feed *f) {
	*f = (feed){0};
	for (unsigned s = 0; s < 3; s++) {
		f->streams[s] = (ent__stream){.source = &b->e->sources[s], .system = ent__code_of(b->e, "system"), .origin = ENT_ORIGIN_SHOP};
	}
}

void feed_close(feed *f) {
	for (unsigned s = 0; s < 3; s++) {
		free(f->streams[s].partner_cache);
	}
}

static uint32_t input_of(bench *b, feed *f, unsigned number, unsigned source) {
	uint32_t *id = &f->input[number][source];
	if (!*id) {
		ent_input *x = ent__input_add(b->e);
		x->source = b->e->sources[source].code;
		x->generation = 1;
		x->done = 1;
		/* two inputs were taken at the same time: then content decides */
		x->snapshot_us = (int64_t)DAY * 86400000000 + (int64_t)(number / 2 * 2) * 3600000000;
		x->content = number;
		snprintf(x->name, sizeof x->name, "%u.csv", number);
		b->e->input_dirty[x->id] = true;
		*id = x->id;
	}
	return *id;
}

void take(bench *b, feed *f, const fact *x, bool superseded) {
	ent_error error = {0};
	ent_engine *e = b->e;
	ent__work w = {.stream = &f->streams[x->source], .input = input_of(b, f, x->input, x->source), .fd = -1,
		.partner = x->source == 0 ? ent__code_of(e, "one") : 0};
	assert_int_equal(ent__index_load(e, &error), 0);
	make(e, x, &e->incoming);
	if (ent__intake(e, &w, &e->incoming, superseded, &error)) {
		fail_msg("%s", error.what);
	}
	const ent_balance *d = &f->streams[x->source].source->delta;
	assert_int_equal(d->received, d->stored + d->replaced + d->duplicate + d->superseded + d->merged + d->refused);
}

void commit(bench *b) {
	ent_error error = {0};
	if (ent__commit(b->e, &error)) {
		fail_msg("%s", error.what);
	}
}

ent_digest digest(bench *b) {
	ent_error error = {0};
	ent_digest d;
	if (ent_engine_digest(b->e, &d, &error)) {
		fail_msg("%s", error.what);
	}
	return d;
}

void same_facts(const ent_digest *a, const ent_digest *b) {
	assert_memory_equal(a->documents, b->documents, 32);
	assert_memory_equal(a->cells, b->cells, 32);
	assert_memory_equal(a->members, b->members, 32);
}

static bool is_input(void *ctx, const ent_document *d, uint32_t id) {
	(void)d;
	const uint32_t *ids = ctx;
	return id == ids[0] || id == ids[1];
}

void take_back(bench *b, feed *f, unsigned number) {
	ent_error error = {0};
	uint32_t ids[2] = {f->input[number][0], f->input[number][1]};
	if (ent__take_back(b->e, 0, is_input, ids, &error)) {
		fail_msg("%s", error.what);
	}
	for (unsigned s = 0; s < 2; s++) {
		if (ids[s]) {
			b->e->inputs[ids[s]].live = 0;
			b->e->input_dirty[ids[s]] = true;
		}
	}
}
