/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of every kind of fact, as lists for the preprocessor: tables, the stored form and the mapping of codes are
 * made from them, so that none can forget one. A field may be added at the end of a list only: its place is its length in
 * the stored form. What is hardly ever there stands last: a reader stops where nothing follows. F(struct, member, type): the type is the ending of an ent_field_type. */
#ifndef ENT_FACTS_FIELDS_H
#define ENT_FACTS_FIELDS_H

#define ENT_ORDER_FIELDS(F)                                                                                            \
	F(ent_wire_order, at, TIME) F(ent_wire_order, currency, CURRENCY) F(ent_wire_order, total, I64)                    \
	F(ent_wire_order, gross, I64) F(ent_wire_order, discount, I64) F(ent_wire_order, shipping, I64)                    \
	F(ent_wire_order, tax, I64) F(ent_wire_order, paid_at, TIME) F(ent_wire_order, status, U8)                         \
	F(ent_wire_order, refunded, I64) F(ent_wire_order, due, I64) F(ent_wire_order, tax_included, U8)                   \
	F(ent_wire_order, cancelled_at, TIME) F(ent_wire_order, shipped_at, TIME) F(ent_wire_order, promised_at, TIME)     \
	F(ent_wire_order, delivered_at, TIME) F(ent_wire_order, customer, ID) F(ent_wire_order, channel, CODE)             \
	F(ent_wire_order, country, CODE) F(ent_wire_order, agent, ID) F(ent_wire_order, region, CODE)                      \
	F(ent_wire_order, campaign, CODE) F(ent_wire_order, payment, CODE) F(ent_wire_order, customer_kind, CODE)
#define ENT_LINE_FIELDS(F)                                                                                             \
	F(ent_wire_line, quantity, I64) F(ent_wire_line, unit_price, I64) F(ent_wire_line, discount, I64)                  \
	F(ent_wire_line, currency, CURRENCY) F(ent_wire_line, gross, I64) F(ent_wire_line, net, I64)                       \
	F(ent_wire_line, shipping, I64) F(ent_wire_line, tax, I64) F(ent_wire_line, cost, I64)                             \
	F(ent_wire_line, sku, CODE) F(ent_wire_line, name, CODE) F(ent_wire_line, vendor, CODE)                            \
	F(ent_wire_line, category, CODE) F(ent_wire_line, product, CODE) F(ent_wire_line, parent, CODE)
#define ENT_REFUND_FIELDS(F)                                                                                           \
	F(ent_wire_refund, at, TIME) F(ent_wire_refund, amount, I64) F(ent_wire_refund, quantity, I64)                     \
	F(ent_wire_refund, line, CODE) F(ent_wire_refund, reason, CODE) F(ent_wire_refund, currency, CURRENCY)             \
	F(ent_wire_refund, kind, U8)
#define ENT_CART_FIELDS(F)                                                                                             \
	F(ent_wire_cart, started_at, TIME) F(ent_wire_cart, updated_at, TIME) F(ent_wire_cart, recovered_at, TIME)         \
	F(ent_wire_cart, visitor, ID) F(ent_wire_cart, value, I64) F(ent_wire_cart, order_key, CODE)                       \
	F(ent_wire_cart, step, CODE) F(ent_wire_cart, content_hash, CODE) F(ent_wire_cart, channel, CODE)                  \
	F(ent_wire_cart, currency, CURRENCY) F(ent_wire_cart, items, U32)
#define ENT_VISIT_FIELDS(F)                                                                                            \
	F(ent_wire_visit, at, TIME) F(ent_wire_visit, until, TIME) F(ent_wire_visit, day, TIME)                            \
	F(ent_wire_visit, visitor, ID) F(ent_wire_visit, engaged_us, I64) F(ent_wire_visit, steps, U32)                    \
	F(ent_wire_visit, pageviews, U32) F(ent_wire_visit, purchases, U32) F(ent_wire_visit, load_ms, U32)                \
	F(ent_wire_visit, loads, U32) F(ent_wire_visit, channel, CODE) F(ent_wire_visit, source, CODE)                     \
	F(ent_wire_visit, campaign, CODE) F(ent_wire_visit, country, CODE) F(ent_wire_visit, device, CODE)                 \
	F(ent_wire_visit, landing, CODE) F(ent_wire_visit, consent, U8) F(ent_wire_visit, engaged, U8)                     \
	F(ent_wire_visit, is_new, U8)
#define ENT_TOUCH_FIELDS(F)                                                                                            \
	F(ent_wire_touch, at, TIME) F(ent_wire_touch, visitor, ID) F(ent_wire_touch, cost, I64)                            \
	F(ent_wire_touch, order_key, CODE) F(ent_wire_touch, channel, CODE) F(ent_wire_touch, source, CODE)                \
	F(ent_wire_touch, campaign, CODE) F(ent_wire_touch, currency, CURRENCY)
#define ENT_CONTACT_FIELDS(F)                                                                                          \
	F(ent_wire_contact, at, TIME) F(ent_wire_contact, answered_at, TIME) F(ent_wire_contact, kind, CODE)               \
	F(ent_wire_contact, with, CODE) F(ent_wire_contact, subject, CODE) F(ent_wire_contact, minutes, U32)               \
	F(ent_wire_contact, held, U8) F(ent_wire_contact, direction, U8)
#define ENT_OBSERVATION_FIELDS(F)                                                                                      \
	F(ent_wire_observation, from, TIME) F(ent_wire_observation, to, TIME) F(ent_wire_observation, value, I64)          \
	F(ent_wire_observation, metric, CODE) F(ent_wire_observation, dims, CODE) F(ent_wire_observation, unit, CODE)      \
	F(ent_wire_observation, who, CODE) F(ent_wire_observation, currency, CURRENCY)                                     \
	F(ent_wire_observation, origin, U8) F(ent_wire_observation, scale, U8) F(ent_wire_observation, grade, U8)          \
	F(ent_wire_observation, additive, U8)
#define ENT_ENTRY_FIELDS(F)                                                                                            \
	F(ent_wire_entry, effective, TIME) F(ent_wire_entry, reg, CODE) F(ent_wire_entry, id, CODE)                        \
	F(ent_wire_entry, state, CODE) F(ent_wire_entry, actor, CODE) F(ent_wire_entry, n, U32)

/* K(constant, list, struct, name of the body in ent_item.body) for every kind. */
#define ENT_FACT_KINDS(K)                                                                                              \
	K(ENT_ORDER, ENT_ORDER_FIELDS, ent_wire_order, order)                                                              \
	K(ENT_LINE, ENT_LINE_FIELDS, ent_wire_line, line)                                                                  \
	K(ENT_REFUND, ENT_REFUND_FIELDS, ent_wire_refund, refund)                                                          \
	K(ENT_CART, ENT_CART_FIELDS, ent_wire_cart, cart)                                                                  \
	K(ENT_VISIT, ENT_VISIT_FIELDS, ent_wire_visit, visit)                                                              \
	K(ENT_TOUCH, ENT_TOUCH_FIELDS, ent_wire_touch, touch)                                                              \
	K(ENT_CONTACT, ENT_CONTACT_FIELDS, ent_wire_contact, contact)                                                      \
	K(ENT_OBSERVATION, ENT_OBSERVATION_FIELDS, ent_wire_observation, observation)                                      \
	K(ENT_ENTRY, ENT_ENTRY_FIELDS, ent_wire_entry, entry)

#endif
