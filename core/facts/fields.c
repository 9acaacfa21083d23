/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the fields of every kind of fact: the varint form, the mapping of codes and the JSON of records are made
 * from them. A field may be added at the end of a kind's table only: its index is its bit in the stored form. */
#include "facts/document.h"

#define F(struct, member, type)                                                                                        \
	{ #member, offsetof(struct, member), ENT_FIELD_##type }
#define END                                                                                                            \
	{ NULL, 0, 0 }

static const ent_field order_fields[] = {F(ent_wire_order, at, TIME), F(ent_wire_order, currency, CURRENCY),
	F(ent_wire_order, status, U8), F(ent_wire_order, total, I64), F(ent_wire_order, gross, I64),
	F(ent_wire_order, discount, I64), F(ent_wire_order, shipping, I64), F(ent_wire_order, tax, I64),
	F(ent_wire_order, refunded, I64), F(ent_wire_order, due, I64), F(ent_wire_order, customer, ID),
	F(ent_wire_order, channel, CODE), F(ent_wire_order, country, CODE), F(ent_wire_order, paid_at, TIME),
	F(ent_wire_order, cancelled_at, TIME), F(ent_wire_order, shipped_at, TIME), F(ent_wire_order, promised_at, TIME),
	F(ent_wire_order, delivered_at, TIME), F(ent_wire_order, agent, ID), F(ent_wire_order, tax_included, U8),
	F(ent_wire_order, region, CODE), F(ent_wire_order, campaign, CODE), F(ent_wire_order, payment, CODE),
	F(ent_wire_order, customer_kind, CODE), END};
static const ent_field line_fields[] = {F(ent_wire_line, quantity, I64), F(ent_wire_line, unit_price, I64),
	F(ent_wire_line, gross, I64), F(ent_wire_line, discount, I64), F(ent_wire_line, sku, CODE),
	F(ent_wire_line, name, CODE), F(ent_wire_line, vendor, CODE), F(ent_wire_line, category, CODE),
	F(ent_wire_line, product, CODE), F(ent_wire_line, net, I64), F(ent_wire_line, shipping, I64),
	F(ent_wire_line, tax, I64), F(ent_wire_line, cost, I64), F(ent_wire_line, parent, CODE),
	F(ent_wire_line, currency, CURRENCY), END};
static const ent_field refund_fields[] = {F(ent_wire_refund, at, TIME), F(ent_wire_refund, amount, I64),
	F(ent_wire_refund, quantity, I64), F(ent_wire_refund, line, CODE), F(ent_wire_refund, reason, CODE),
	F(ent_wire_refund, currency, CURRENCY), F(ent_wire_refund, kind, U8), END};
static const ent_field cart_fields[] = {F(ent_wire_cart, started_at, TIME), F(ent_wire_cart, updated_at, TIME),
	F(ent_wire_cart, recovered_at, TIME), F(ent_wire_cart, visitor, ID), F(ent_wire_cart, value, I64),
	F(ent_wire_cart, order_key, CODE), F(ent_wire_cart, step, CODE), F(ent_wire_cart, content_hash, CODE),
	F(ent_wire_cart, channel, CODE), F(ent_wire_cart, currency, CURRENCY), F(ent_wire_cart, items, U32), END};
static const ent_field visit_fields[] = {F(ent_wire_visit, at, TIME), F(ent_wire_visit, until, TIME),
	F(ent_wire_visit, day, TIME), F(ent_wire_visit, visitor, ID), F(ent_wire_visit, engaged_us, I64),
	F(ent_wire_visit, steps, U32), F(ent_wire_visit, pageviews, U32), F(ent_wire_visit, purchases, U32),
	F(ent_wire_visit, load_ms, U32), F(ent_wire_visit, loads, U32), F(ent_wire_visit, channel, CODE),
	F(ent_wire_visit, source, CODE), F(ent_wire_visit, campaign, CODE), F(ent_wire_visit, country, CODE),
	F(ent_wire_visit, device, CODE), F(ent_wire_visit, landing, CODE), F(ent_wire_visit, consent, U8),
	F(ent_wire_visit, engaged, U8), F(ent_wire_visit, is_new, U8), END};
static const ent_field touch_fields[] = {F(ent_wire_touch, at, TIME), F(ent_wire_touch, visitor, ID),
	F(ent_wire_touch, cost, I64), F(ent_wire_touch, order_key, CODE), F(ent_wire_touch, channel, CODE),
	F(ent_wire_touch, source, CODE), F(ent_wire_touch, campaign, CODE), F(ent_wire_touch, currency, CURRENCY), END};
static const ent_field contact_fields[] = {F(ent_wire_contact, at, TIME), F(ent_wire_contact, answered_at, TIME),
	F(ent_wire_contact, kind, CODE), F(ent_wire_contact, with, CODE), F(ent_wire_contact, subject, CODE),
	F(ent_wire_contact, minutes, U32), F(ent_wire_contact, held, U8), F(ent_wire_contact, direction, U8), END};
static const ent_field observation_fields[] = {F(ent_wire_observation, from, TIME), F(ent_wire_observation, to, TIME),
	F(ent_wire_observation, value, I64), F(ent_wire_observation, metric, CODE), F(ent_wire_observation, dims, CODE),
	F(ent_wire_observation, unit, CODE), F(ent_wire_observation, who, CODE),
	F(ent_wire_observation, currency, CURRENCY), F(ent_wire_observation, origin, U8),
	F(ent_wire_observation, scale, U8), F(ent_wire_observation, grade, U8), F(ent_wire_observation, additive, U8), END};
static const ent_field entry_fields[] = {F(ent_wire_entry, effective, TIME), F(ent_wire_entry, reg, CODE),
	F(ent_wire_entry, id, CODE), F(ent_wire_entry, state, CODE), F(ent_wire_entry, actor, CODE),
	F(ent_wire_entry, n, U32), END};

static const struct kind {
	const char *name;
	const ent_field *fields;
	size_t size;
} kinds[ENT_FACT_COUNT] = {
	[0] = {"none", (const ent_field[]){END}, 0},
	[ENT_ORDER] = {"order", order_fields, sizeof(ent_wire_order)},
	[ENT_LINE] = {"line", line_fields, sizeof(ent_wire_line)},
	[ENT_REFUND] = {"refund", refund_fields, sizeof(ent_wire_refund)},
	[ENT_CART] = {"cart", cart_fields, sizeof(ent_wire_cart)},
	[ENT_VISIT] = {"visit", visit_fields, sizeof(ent_wire_visit)},
	[ENT_TOUCH] = {"touch", touch_fields, sizeof(ent_wire_touch)},
	[ENT_CONTACT] = {"contact", contact_fields, sizeof(ent_wire_contact)},
	[ENT_OBSERVATION] = {"observation", observation_fields, sizeof(ent_wire_observation)},
	[ENT_ENTRY] = {"entry", entry_fields, sizeof(ent_wire_entry)},
};

const ent_field *ent_fact_fields(unsigned kind) { return kinds[kind < ENT_FACT_COUNT ? kind : 0].fields; }
size_t ent_fact_body_size(unsigned kind) { return kinds[kind < ENT_FACT_COUNT ? kind : 0].size; }
const char *ent_fact_name(unsigned kind) { return kinds[kind < ENT_FACT_COUNT ? kind : 0].name; }
