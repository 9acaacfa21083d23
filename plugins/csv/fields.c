/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of each fact that a mapping may name. Checks, error messages and README.md go by these tables.
 */
#include "csv.h"

#include <stddef.h>

const char *const csv__shapes[SHAPE_COUNT + 1] = {
	"order", "line", "order-lines", "refund", "cart", "visit", "contact", "observation", "entry", NULL};

static const char *const status_words[] = {"sold", "pending", "quote", "cancelled", "test", NULL};
static const char *const refund_words[] = {"goods", "shipping", "adjustment", NULL};
static const char *const step_words[] = {"item", "cart", "checkout", "shipping", "payment", "purchase", NULL};
static const char *const consent_words[] = {"unknown", "given", "denied", NULL};
static const char *const direction_words[] = {"unknown", "from-us", "from-them", NULL};
static const char *const origin_words[] = {"shop", "analytics", "declared", "benchmark", "forecast", "rate", NULL};

#define F(struct, member, text, kind, ...)                                                                             \
	{ .name = #member, .doc = text, .type = kind, .offset = offsetof(ent_##struct, member), __VA_ARGS__ }
#define FN(struct, called, member, text, kind, ...)                                                                    \
	{ .name = called, .doc = text, .type = kind, .offset = offsetof(ent_##struct, member), __VA_ARGS__ }
#define PARTNER(struct) FN(struct, "partner", h.partner, "whose it is, as the file writes it", TYPE_KEY)
#define VERSION(struct) FN(struct, "version", h.version, "when the row was last changed", TYPE_TIME)
#define REQUIRED .required = 1
#define LINE .line = 1

#define ORDER_FIELDS                                                                                                   \
	F(order, at, "when it was placed", TYPE_TIME, REQUIRED), F(order, paid_at, "when it was paid", TYPE_TIME),         \
		F(order, cancelled_at, "when it was cancelled", TYPE_TIME), F(order, shipped_at, "when it left", TYPE_TIME),   \
		F(order, promised_at, "when it was to arrive", TYPE_TIME),                                                     \
		F(order, delivered_at, "when it arrived", TYPE_TIME), F(order, currency, "ISO 4217", TYPE_CURRENCY, REQUIRED), \
		F(order, status, "sold, pending, quote, cancelled or test; sold if not given", TYPE_WORD,                      \
			.words = status_words),                                                                                    \
		F(order, tax_included, "amounts contain tax", TYPE_FLAG, .has = ENT_HAS_TAX_INCLUDED),                         \
		F(order, total, "what the buyer was asked to pay", TYPE_MONEY, .has = ENT_HAS_TOTAL),                          \
		F(order, refunded, "paid back so far", TYPE_MONEY, .has = ENT_HAS_REFUNDED),                                   \
		F(order, due, "still to be paid", TYPE_MONEY, .has = ENT_HAS_DUE),                                             \
		F(order, customer, "the buyer; see the option identity", TYPE_CUSTOMER),                                       \
		F(order, agent, "the person who wrote the order", TYPE_STAFF),                                                 \
		F(order, channel, "where it was sold, in the file's words", TYPE_TEXT),                                        \
		F(order, country, "of the delivery, two letters", TYPE_COUNTRY),                                               \
		F(order, region, "of the delivery", TYPE_TEXT), F(order, campaign, "that it came from", TYPE_TEXT),            \
		F(order, payment, "how it was paid", TYPE_TEXT), F(order, customer_kind, "kind of buyer", TYPE_TEXT)

#define LINE_FIELDS                                                                                                    \
	FN(line, "parent", parent_key, "key of the bundle's line that this one is a part of", TYPE_KEY, LINE),             \
		F(line, sku, "the article's number", TYPE_KEY, LINE),                                                          \
		F(line, product, "the product's number", TYPE_KEY, LINE), F(line, name, "what it is called", TYPE_TEXT, LINE), \
		F(line, category, "kind of goods", TYPE_TEXT, LINE),                                                           \
		F(line, vendor, "who makes or sells it", TYPE_TEXT, LINE),                                                     \
		F(line, quantity, "pieces, negative for goods that came back", TYPE_QUANTITY, LINE, .has = ENT_HAS_QUANTITY),  \
		F(line, unit_price, "before discount", TYPE_MONEY, LINE, .has = ENT_HAS_UNIT_PRICE),                           \
		F(line, gross, "goods before discount; else unit_price times quantity", TYPE_MONEY, LINE,                      \
			.has = ENT_HAS_GROSS),                                                                                     \
		F(line, discount, "positive", TYPE_MONEY, LINE, .has = ENT_HAS_DISCOUNT),                                      \
		F(line, net, "gross less discount, without tax", TYPE_MONEY, LINE, .has = ENT_HAS_NET),                        \
		F(line, shipping, "freight billed by line", TYPE_MONEY, LINE, .has = ENT_HAS_SHIPPING),                        \
		F(line, tax, "of the line", TYPE_MONEY, LINE, .has = ENT_HAS_TAX),                                             \
		F(line, cost, "what the goods cost the seller", TYPE_MONEY, LINE, .has = ENT_HAS_COST)

#define KEY(struct, text) FN(struct, "key", h.key, text, TYPE_KEY, REQUIRED)

static const csv_field order_fields[] = {KEY(order, "the order's number"), PARTNER(order), VERSION(order), ORDER_FIELDS,
	F(order, gross, "goods before discounts, without shipping", TYPE_MONEY, .has = ENT_HAS_GROSS),
	F(order, discount, "taken off goods, positive", TYPE_MONEY, .has = ENT_HAS_DISCOUNT),
	F(order, shipping, "what was billed for it", TYPE_MONEY, .has = ENT_HAS_SHIPPING),
	F(order, tax, "of the order", TYPE_MONEY, .has = ENT_HAS_TAX), {.name = NULL}};

static const csv_field line_fields[] = {KEY(line, "the line's number within its order; not with repeats: facts"),
	FN(line, "order", order_key, "key of its order", TYPE_KEY, REQUIRED), PARTNER(line), VERSION(line), LINE_FIELDS,
	F(line, currency, "ISO 4217; that of the order if not given", TYPE_CURRENCY), {.name = NULL}};

static const csv_field order_lines_fields[] = {
	FN(order, "order", h.key, "the order's number, the same in all its rows", TYPE_KEY, REQUIRED), PARTNER(order),
	VERSION(order), ORDER_FIELDS,
	FN(order, "order_gross", gross, "of the whole order; else taken from the lines", TYPE_MONEY, .has = ENT_HAS_GROSS),
	FN(order, "order_discount", discount, "of the whole order", TYPE_MONEY, .has = ENT_HAS_DISCOUNT),
	FN(order, "order_shipping", shipping, "of the whole order", TYPE_MONEY, .has = ENT_HAS_SHIPPING),
	FN(order, "order_tax", tax, "of the whole order", TYPE_MONEY, .has = ENT_HAS_TAX),
	FN(line, "key", h.key, "the line's number within its order; not with repeats: facts", TYPE_KEY, LINE, REQUIRED),
	LINE_FIELDS, {.name = NULL}};

static const csv_field refund_fields[] = {KEY(refund, "the refund's number"), PARTNER(refund), VERSION(refund),
	FN(refund, "order", order_key, "key of its order", TYPE_KEY, REQUIRED),
	FN(refund, "line", line_key, "key of the order's line", TYPE_KEY), F(refund, reason, "why", TYPE_TEXT),
	F(refund, at, "when it was paid back", TYPE_TIME),
	F(refund, currency, "ISO 4217; that of the order if not given", TYPE_CURRENCY),
	F(refund, kind, "goods, shipping or adjustment; goods if not given", TYPE_WORD, .words = refund_words),
	F(refund, amount, "positive", TYPE_MONEY, REQUIRED, .has = ENT_HAS_AMOUNT),
	F(refund, quantity, "pieces that came back", TYPE_QUANTITY, .has = ENT_HAS_QUANTITY), {.name = NULL}};

static const csv_field cart_fields[] = {KEY(cart, "the cart's number"), PARTNER(cart), VERSION(cart),
	F(cart, started_at, "first put into it", TYPE_TIME, REQUIRED), F(cart, updated_at, "last changed", TYPE_TIME),
	F(cart, recovered_at, "taken up again", TYPE_TIME),
	F(cart, visitor, "whose it is; see the option identity", TYPE_CUSTOMER),
	FN(cart, "order", order_key, "key of the order that it became", TYPE_KEY),
	F(cart, step, "furthest reached: cart, contact, shipping, payment", TYPE_TEXT),
	F(cart, content_hash, "the same for the same content", TYPE_KEY),
	F(cart, channel, "in the file's words", TYPE_TEXT), F(cart, currency, "ISO 4217", TYPE_CURRENCY, REQUIRED),
	F(cart, value, "of the goods in it", TYPE_MONEY, .has = ENT_HAS_VALUE),
	F(cart, items, "pieces in it", TYPE_NUMBER, .has = ENT_HAS_ITEMS), {.name = NULL}};

static const csv_field visit_fields[] = {KEY(visit, "visitor and session, within the day"), PARTNER(visit),
	VERSION(visit), F(visit, at, "start", TYPE_TIME, REQUIRED), F(visit, until, "last sign of life", TYPE_TIME),
	F(visit, day, "the day as the source cuts days; else that of at", TYPE_TIME),
	F(visit, visitor, "the analytics' own number of the visitor", TYPE_COOKIE),
	F(visit, consent, "unknown, given or denied", TYPE_WORD, .words = consent_words),
	F(visit, engaged, "stayed", TYPE_FLAG, .has = ENT_HAS_ENGAGED),
	F(visit, is_new, "first visit of the visitor", TYPE_FLAG, .has = ENT_HAS_NEW),
	F(visit, steps, "any of item cart checkout shipping payment purchase", TYPE_STEPS, .words = step_words),
	F(visit, pageviews, "pages seen", TYPE_NUMBER), F(visit, purchases, "purchases made", TYPE_NUMBER),
	F(visit, load_ms, "sum of page load times, milliseconds", TYPE_NUMBER, .has = ENT_HAS_LOAD),
	F(visit, loads, "page loads in it", TYPE_NUMBER, .has = ENT_HAS_LOAD),
	FN(visit, "engaged_seconds", engaged_us, "of attention", TYPE_MONEY), F(visit, channel, "medium", TYPE_TEXT),
	F(visit, source, "where the visitor came from", TYPE_TEXT),
	F(visit, campaign, "that brought the visitor", TYPE_TEXT), F(visit, country, "in the file's words", TYPE_TEXT),
	F(visit, device, "desktop, mobile, tablet", TYPE_TEXT), F(visit, landing, "path of the first page", TYPE_TEXT),
	{.name = NULL}};

static const csv_field contact_fields[] = {KEY(contact, "the contact's number"), PARTNER(contact), VERSION(contact),
	F(contact, at, "when", TYPE_TIME, REQUIRED), F(contact, answered_at, "when the other side replied", TYPE_TIME),
	F(contact, kind, "meeting, mail, call, reply", TYPE_TEXT), F(contact, with, "with whom", TYPE_TEXT),
	F(contact, subject, "about what", TYPE_TEXT),
	F(contact, held, "the meeting took place", TYPE_FLAG, .has = ENT_HAS_HELD),
	F(contact, direction, "from-us, from-them or unknown", TYPE_WORD, .words = direction_words),
	F(contact, minutes, "how long", TYPE_NUMBER, .has = ENT_HAS_MINUTES), {.name = NULL}};

static const csv_field observation_fields[] = {
	FN(observation, "key", h.key, "else made of metric, from, dims, unit, currency, who and origin", TYPE_KEY),
	PARTNER(observation), VERSION(observation),
	F(observation, metric, "catalogue name where there is one", TYPE_KEY, REQUIRED),
	F(observation, from, "first day, month or moment", TYPE_TIME, REQUIRED),
	F(observation, to, "end, not included; else the day, or month, of from", TYPE_TIME),
	F(observation, value, "the figure", TYPE_VALUE, REQUIRED, .has = ENT_HAS_VALUE),
	F(observation, unit, "count, ratio, money, seconds; for a rate: the currency that one unit is of", TYPE_KEY),
	F(observation, currency, "of money, or of the value of a rate", TYPE_CURRENCY),
	F(observation, dims, "k=v,k=v sorted by k", TYPE_KEY), F(observation, who, "who said or measured it", TYPE_KEY),
	F(observation, origin, "shop, analytics, declared, benchmark, forecast or rate", TYPE_WORD, REQUIRED,
		.words = origin_words),
	F(observation, grade, "A audited to F hearsay", TYPE_GRADE),
	F(observation, additive, "values of adjoining periods may be added", TYPE_FLAG), {.name = NULL}};

static const csv_field entry_fields[] = {FN(entry, "key", h.key, "else register and id", TYPE_KEY), PARTNER(entry),
	VERSION(entry), FN(entry, "register", reg, "contacts, claims, commitments, ...", TYPE_KEY, REQUIRED),
	F(entry, id, "of the entry within the register", TYPE_KEY, REQUIRED), F(entry, state, "open, kept, ...", TYPE_TEXT),
	F(entry, actor, "who entered it", TYPE_TEXT), F(entry, effective, "from when it holds", TYPE_TIME), {.name = NULL}};

const csv_field *csv__fields(csv_shape shape) {
	static const csv_field *const tables[SHAPE_COUNT] = {order_fields, line_fields, order_lines_fields, refund_fields,
		cart_fields, visit_fields, contact_fields, observation_fields, entry_fields};
	return tables[shape];
}

ent_fact csv__kind(csv_shape shape) {
	static const ent_fact kinds[SHAPE_COUNT] = {
		ENT_ORDER, ENT_LINE, ENT_ORDER, ENT_REFUND, ENT_CART, ENT_VISIT, ENT_CONTACT, ENT_OBSERVATION, ENT_ENTRY};
	return kinds[shape];
}

/* Levenshtein distance of short words. */
static unsigned distance(ent_str a, const char *b) {
	unsigned row[64];
	size_t n = strlen(b);
	if (n >= 63 || a.n > 200)
		return 1000;
	for (unsigned k = 0; k <= n; k++)
		row[k] = k;
	for (size_t i = 0; i < a.n; i++) {
		unsigned left = row[0];
		row[0] = (unsigned)i + 1;
		for (size_t k = 0; k < n; k++) {
			unsigned up = row[k + 1], best = left + (text_lower(a.p[i]) != b[k]);
			if (up + 1 < best)
				best = up + 1;
			if (row[k] + 1 < best)
				best = row[k] + 1;
			row[k + 1] = best;
			left = up;
		}
	}
	return row[n];
}

/* Never NULL. */
const char *csv__nearest(const csv_field *fields, ent_str name) {
	const char *best = fields[0].name;
	unsigned least = 1000;
	for (const csv_field *f = fields; f->name; f++) {
		unsigned d = distance(name, f->name);
		if (d < least)
			least = d, best = f->name;
	}
	return best;
}
