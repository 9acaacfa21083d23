/* SPDX-License-Identifier: Apache-2.0
 *
 * Records: facts that are read one by one (contacts, observations, register entries, touches), as JSON in the store. The
 * JSON is made from the field tables of facts/; times are written as the partner sees them. Loop thread only. */
#include "base/day.h"
#include "base/json.h"
#include "engine/internal.h"
#include "engine/registers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_time(ent_engine *e, ent_json *j, ent_time t, const ent_item *item) {
	char text[40], day[16];
	const ent_zone *zone = e->fold.zone(e, item->partner);
	int64_t local = t.v;
	int offset = 0;
	switch (t.kind) {
	case ENT_TIME_DATE:
		ent_json_text(j, ent_day_text((int32_t)t.v, day));
		return;
	case ENT_TIME_MONTH:
		ent_json_text(j, ent_day_text(ent_day_of_month(t.v), day));
		return;
	case ENT_TIME_INSTANT:
		offset = ent_zone_offset(zone, t.v);
		local = t.v + (int64_t)offset * 1000000;
		break;
	default:
		break;
	}
	int32_t days = ent_day_of_us(local);
	int64_t seconds = (local - days * ENT_US_PER_DAY) / 1000000;
	snprintf(text, sizeof text, "%s %02d:%02d:%02d", ent_day_text(days, day), (int)(seconds / 3600),
		(int)(seconds / 60 % 60), (int)(seconds % 60));
	if (item->kind == ENT_CONTACT && t.kind == ENT_TIME_INSTANT) { /* how long an answer took, also over a change of the clock */
		int minutes = abs(offset) / 60;
		size_t n = strlen(text);
		snprintf(text + n, sizeof text - n, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
	}
	ent_json_text(j, text);
}

/* Small numbers that stand for words are told as words. */
static void put_small(ent_json *j, const char *name, uint8_t v) {
	static const char *const sides[] = {NULL, "us", "them"};
	if (!strcmp(name, "scale") || (!strcmp(name, "grade") && !v)) {
		return; /* written first, or not known */
	}
	ent_json_key(j, name);
	if (!strcmp(name, "origin")) {
		ent_json_text(j, v < ENT_ORIGIN_COUNT ? ent_origin_names[v] : NULL);
	} else if (!strcmp(name, "direction")) {
		ent_json_text(j, v < 3 ? sides[v] : NULL);
	} else if (!strcmp(name, "grade")) {
		ent_json_text_n(j, (const char *)&v, 1);
	} else if (!strcmp(name, "held") || !strcmp(name, "additive")) {
		ent_json_bool(j, v);
	} else {
		ent_json_uint(j, v);
	}
}

/* What figures are told by: "channel=X" has the source's own word, and goes to rules with the name that the configuration
 * gives it, as channels of orders and visits do. In a value, %2C is a comma and %25 a percent sign. */
static void put_dims(ent_engine *e, ent_json *j, uint32_t system, const char *dims) {
	static const char key[] = "channel=";
	const char *from = dims + sizeof key - 1;
	if (strncmp(dims, key, sizeof key - 1) != 0 || strchr(from, ',')) {
		ent_json_text(j, dims);
		return;
	}
	ent_buf b = {0}, out = {0};
	for (const char *p = from; *p; p++) {
		bool comma = !strncmp(p, "%2C", 3), percent = !strncmp(p, "%25", 3);
		ent_buf_u8(&b, comma ? ',' : percent ? '%' : (uint8_t)*p);
		p += comma || percent ? 2 : 0;
	}
	uint32_t raw = ent__code(e, (const char *)b.data, b.n);
	ent_buf_printf(&out, "%s", key);
	for (const char *p = ent__text(e, e->fold.channel(e, system, raw)); *p; p++) {
		if (*p == ',' || *p == '%') {
			ent_buf_printf(&out, "%s", *p == ',' ? "%2C" : "%25");
		} else {
			ent_buf_u8(&out, (uint8_t)*p);
		}
	}
	ent_json_text_n(j, (const char *)out.data, out.n);
	ent_buf_finish(&b);
	ent_buf_finish(&out);
}

static void put_fields(ent_engine *e, ent_json *j, const ent_item *item, uint32_t system) {
	const uint8_t *base = (const uint8_t *)&item->body;
	for (const ent_field *f = ent_fact_fields(item->kind); f->name; f++) {
		const uint8_t *at = base + f->offset;
		uint64_t u = 0;
		int64_t v;
		if ((!strcmp(f->name, "held") && !(item->has & ENT_HAS_HELD)) ||
			(!strcmp(f->name, "minutes") && !(item->has & ENT_HAS_MINUTES))) {
			continue; /* not said */
		}
		switch (f->type) {
		case ENT_FIELD_TIME:
			memcpy(&u, at, 8);
			if (u) {
				ent_json_key(j, f->name);
				put_time(e, j, ent_wire_time_unpack(u), item);
			}
			break;
		case ENT_FIELD_I64:
			memcpy(&v, at, 8);
			if (!strcmp(f->name, "value")) {
				break; /* written first, see below */
			}
			ent_json_key(j, f->name);
			ent_json_int(j, v);
			break;
		case ENT_FIELD_CODE:
			memcpy(&u, at, 4);
			if (u) {
				ent_json_key(j, f->name);
				if (item->kind == ENT_OBSERVATION && !strcmp(f->name, "dims")) {
					put_dims(e, j, system, ent__text(e, (uint32_t)u));
				} else {
					ent_json_text(j, ent__text(e, (uint32_t)u));
				}
			}
			break;
		case ENT_FIELD_U32:
			memcpy(&u, at, 4);
			if (!strcmp(f->name, "n")) {
				break;
			}
			ent_json_key(j, f->name);
			ent_json_uint(j, u);
			break;
		case ENT_FIELD_CURRENCY:
			if (at[0]) {
				ent_json_key(j, f->name);
				ent_json_text_n(j, (const char *)at, strnlen((const char *)at, 3));
			}
			break;
		case ENT_FIELD_U8:
			put_small(j, f->name, *at);
			break;
		default: /* identities stay in the ledger */
			break;
		}
	}
}

/* The register or metric by which records are looked up. A rate is kept as "rate/FROM/TO". */
static uint32_t topic_of(ent_engine *e, const ent_item *item) {
	char text[64];
	int n;
	switch (item->kind) {
	case ENT_CONTACT:
		return ent__code_of(e, "contacts");
	case ENT_ENTRY:
		return item->body.entry.reg;
	case ENT_OBSERVATION:
		if (item->body.observation.origin != ENT_ORIGIN_RATE) {
			return item->body.observation.metric;
		}
		n = snprintf(text, sizeof text, "rate/%.20s/%.3s", ent__text(e, item->body.observation.unit),
			item->body.observation.currency);
		return ent__code(e, text, (size_t)n);
	default:
		return 0;
	}
}

/* Where an observation ends that names its day or month only. */
static void put_end(ent_engine *e, ent_json *j, const ent_item *item) {
	ent_time from = ent_wire_time_unpack(item->body.observation.from);
	if (from.kind == ENT_TIME_INSTANT || from.kind == ENT_TIME_LOCAL) {
		from.v = ent_day_of_us(from.v);
		from.kind = ENT_TIME_DATE;
		from.offset_min = ENT_NO_OFFSET;
	}
	from.v++;
	ent_json_key(j, "to");
	put_time(e, j, from, item);
}

/* A field of an entry in the type that its register's schema gives it; text where there is no schema. */
static void put_value(const ent_engine *e, ent_json *j, const char *reg, const char *name, const char *value) {
	ent_error ignored;
	const ent_register *r = ent_register_find(ent_engine_registers(e), reg, &ignored);
	const ent_register_field *f = r ? r->fields : NULL;
	while (f && f->name && strcmp(f->name, name) != 0) {
		f++;
	}
	if (f && f->name && f->type == ENT_REG_BOOL) {
		ent_json_bool(j, !strcmp(value, "true"));
	} else if (f && f->name && f->type == ENT_REG_NUMBER && ent_register_number(value)) {
		ent_json_raw(j, value, strlen(value));
	} else {
		ent_json_text(j, value);
	}
}

ent_record ent__record_of(ent_engine *e, const ent_document *d, const ent_item *head, int32_t day, ent_buf *text) {
	ent_record r = {.key = ent_document_index_key(d), .kind = d->kind, .partner = head->partner, .day = day,
		.register_ = topic_of(e, head)};
	if (!text) {
		return r;
	}
	ent_json j;
	text->n = 0;
	ent_json_init(&j, text, false);
	ent_json_object(&j);
	if (head->kind == ENT_OBSERVATION) { /* first, where the reader of rates looks for it */
		ent_json_key(&j, "value");
		ent_json_int(&j, head->body.observation.value);
		ent_json_key(&j, "scale");
		ent_json_uint(&j, head->body.observation.scale ? head->body.observation.scale : 6);
	}
	ent_json_key(&j, "key");
	ent_json_text_n(&j, d->key, d->key_n);
	ent_json_key(&j, "source");
	ent_json_text(&j, ent__text(e, head->source));
	put_fields(e, &j, head, d->system);
	if (head->kind == ENT_OBSERVATION && !head->body.observation.to) {
		put_end(e, &j, head);
	}
	if (head->kind == ENT_ENTRY) {
		ent_json_key(&j, "recorded");
		put_time(e, &j, (ent_time){.v = head->arrival, .kind = ENT_TIME_INSTANT, .offset_min = ENT_NO_OFFSET}, head);
	}
	for (uint32_t i = 0; head->kind == ENT_ENTRY && i < head->body.entry.n; i++) {
		ent_json_key(&j, ent__text(e, head->pairs[i * 2]));
		put_value(e, &j, ent__text(e, head->body.entry.reg), ent__text(e, head->pairs[i * 2]), ent__text(e, head->pairs[i * 2 + 1]));
	}
	ent_json_end(&j);
	ent_buf_u8(text, 0);
	r.json = (const char *)text->data;
	r.n = text->n - 1;
	return r;
}

int ent__record(void *engine, const ent_document *d, const ent_item *head, int32_t day, int sign, ent_error *error) {
	(void)error;
	ent_engine *e = engine;
	ent_buf text = {0};
	ent_record r = ent__record_of(e, d, head, day, sign < 0 ? NULL : &text);
	ent__pending_record(e, &r, sign < 0);
	ent_buf_finish(&text);
	return 0;
}
