/* SPDX-License-Identifier: Apache-2.0
 *
 * `metrics:` of entente.yaml: its table, and what can be named of facts, see metrics.h. One thread; the tables are
 * constant.
 */
#include "config/metrics.h"

#include <stdio.h>
#include <string.h>

#include "config/schema.h"

const char *const ent_metric_facts[] = {"order", "line", "refund", "visit", "cart", NULL};
const char *const ent_metric_forms[] = {
	"money", "pieces", "count", "seconds", "days", "text", "word", "true or false", "identity", "time"};

static const char *const ent__status_words[] = {"sold", "pending", "quote", "cancelled", NULL};
static const char *const ent__refund_words[] = {"goods", "shipping", "adjustment", NULL};
static const char *const ent__weekday_words[] = {
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", NULL};

#define FIELD(kind, id, name, form, words, doc)                                                                        \
	[ENT_FIELD_##kind##_##id] = {ENT_OF_##kind, ENT_FORM_##form, name, words, doc},
const ent_metric_field ent_metric_fields[ENT_METRIC_FIELDS] = {
#include "config/metric_fields.def"
};
#undef FIELD

static const char sums_only[] = "a visit is kept as the sums of its pages and events, not these themselves";
static const char hashed[] = "who bought is kept as a hash, and nothing else about the person";

const ent_metric_lack ent_metric_lacks[] = {
	{ENT_OF_VISIT, "page", sums_only, "count pageviews, or ask for the first page: landing"},
	{ENT_OF_VISIT, "event", sums_only, "ask for the steps: item, cart, checkout, purchase"},
	{ENT_OF_VISIT, "product", sums_only, "count lines of orders by product"},
	{ENT_OF_VISIT, "sku", sums_only, "count lines of orders by sku"},
	{ENT_OF_VISIT, "category", sums_only, "count lines of orders by category"},
	{ENT_OF_VISIT, "search", sums_only, "ask for the steps: item, cart, checkout, purchase"},
	{ENT_OF_VISIT, "revenue", "what a visit bought is told by its order", "sum order.total, by campaign or channel"},
	{ENT_OF_VISIT, "customer", "a visit knows its visitor, not who that is", "ask for visitor"},
	{ENT_OF_ORDER, "email", hashed, "ask for customer, which is equal for orders of one buyer"},
	{ENT_OF_ORDER, "name", hashed, "ask for customer, which is equal for orders of one buyer"},
	{ENT_OF_ORDER, "address", hashed, "ask for country or region"},
	{ENT_OF_ORDER, "tag", "tags of orders are not stored", "ask for customer_kind, payment, channel or campaign"},
	{ENT_OF_ORDER, "tags", "tags of orders are not stored", "ask for customer_kind, payment, channel or campaign"},
	{ENT_OF_ORDER, "sku", "an order has many", "count lines: count: line with where: {sku: …}"},
	{ENT_OF_ORDER, "product", "an order has many", "count lines: count: line with where: {product: …}"},
	{ENT_OF_ORDER, "category", "an order has many", "count lines: count: line with where: {category: …}"},
	{ENT_OF_ORDER, "vendor", "an order has many", "count lines: count: line with where: {vendor: …}"},
	{ENT_OF_LINE, "tag", "tags of products are not stored", "ask for category, vendor, product or sku"},
	{ENT_OF_LINE, "returned", "returns are told of the order, not of its lines",
		"sum order.returned, or refund.amount"},
	{ENT_OF_CART, "product", "a cart is kept as its value and how many items it has", "ask for value or items"},
	{ENT_OF_CART, "sku", "a cart is kept as its value and how many items it has", "ask for value or items"},
	{0, NULL, NULL, NULL},
};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(ent_metric_config, member)
#define END                                                                                                            \
	{ .key = NULL }

/* clang-format off */
static const ent__field ratio_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = AT(ratio_at)},
	{.key = "of", .type = ENT__TEXT, .required = true, .offset = AT(ratio_of), .form = "METRIC", .doc = "What is above the line."},
	{.key = "to", .type = ENT__TEXT, .required = true, .offset = AT(ratio_to), .form = "METRIC", .doc = "What is below it."},
	END};
/* clang-format on */

static int ratio(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent__fill(p, ratio_fields, node, into);
	return 0;
}

/* What is wrong in it is told with its column: text in quotes begins behind them. */
static int expression(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	word.at.column += node->quoted && word.at.column;
	*(ent_word *)into = word;
	return 0;
}

static int where(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	*(const ent_yaml_node **)into = node;
	return 0;
}

/* clang-format off */
const ent__field ent__metric_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = AT(at)},
	{.key = "count", .type = ENT__TEXT, .offset = AT(count), .form = "order, line, refund, visit or cart",
		.doc = "How many of them. Of the ways to count, `count` to `derived`, a metric has one."},
	{.key = "sum", .type = ENT__TEXT, .offset = AT(sum), .form = "FACT.FIELD",
		.doc = "The sum of a field of theirs, like `line.net`: money, pieces, a count or seconds."},
	{.key = "distinct", .type = ENT__TEXT, .offset = AT(distinct), .form = "FACT.FIELD",
		.doc = "How many different ones there are, like `line.product` or `order.customer`. Kept in total and by channel."},
	{.key = "distribution", .type = ENT__TEXT, .offset = AT(distribution), .form = "FACT.FIELD",
		.doc = "Its median and quantiles, like those of `line.price`. Kept in total."},
	{.key = "where", .type = ENT__CUSTOM, .custom = where, .offset = AT(where),
		.form = "{FIELD: VALUE, FIELD: [VALUE, …], FIELD: {at_least: NUMBER}}",
		.doc = "Only those of which all of this holds. A value is equal, a list is one of them; in braces `at_least`, `at_most`, "
			"`above`, `below`, `between: [A, B]`, `starts_with`, `not`, `present`."},
	{.key = "ratio", .type = ENT__CUSTOM, .custom = ratio, .item = ratio_fields, .form = "{of: METRIC, to: METRIC}",
		.doc = "One metric divided by another."},
	{.key = "derived", .type = ENT__CUSTOM, .custom = expression, .offset = AT(derived), .form = "\"revenue.net - cost\"",
		.doc = "A sum of metrics, with `+ - * /`, numbers and parentheses, or such a sum divided by another."},
	{.key = "unit", .type = ENT__TEXT, .offset = AT(unit), .form = "count, money, pieces, seconds, days or ratio",
		.doc = "What comes out, where you want that checked; it is found from the fields."},
	{.key = "tags", .type = ENT__TEXTS, .offset = AT(tags), .form = "[TAG, …]",
		.doc = "For `entente metrics list --tag` and `metrics.tagged()`. Without it, sales, traffic or carts."},
	{.key = "doc", .type = ENT__TEXT, .offset = AT(doc), .doc = "One sentence on what it is. Without it, what it counts."},
	END};
/* clang-format on */

/* ---- those of rulebooks ----------------------------------------------------------------------------------------- */

/* JSON has no places that mean anything to a reader: all are those of the call. */
static void place_all(ent_yaml_node *node, ent_place at) {
	node->at = at;
	for (size_t i = 0; i < node->n; i++) {
		place_all((ent_yaml_node *)node->items[i], at);
		if (node->kind == ENT_YAML_MAP) {
			((ent_yaml_node *)node->keys[i])->at = at;
		}
	}
}

/* Takes the member "at" out of a definition. */
static ent_place take_place(ent_yaml_node *node) {
	ent_place at = {"a rulebook", 1, 1};
	for (size_t i = 0; i < node->n; i++) {
		const ent_yaml_node *item = node->items[i];
		if (strcmp(node->keys[i]->text, "at") != 0 || item->kind != ENT_YAML_LIST || item->n != 3) {
			continue;
		}
		int64_t line = 0, column = 0;
		ent_yaml_int(item->items[1], &line);
		ent_yaml_int(item->items[2], &column);
		at = (ent_place){item->items[0]->text, (uint32_t)line, (uint32_t)column};
		node->n--;
		memmove(&node->items[i], &node->items[i + 1], (node->n - i) * sizeof *node->items);
		memmove(&node->keys[i], &node->keys[i + 1], (node->n - i) * sizeof *node->keys);
		break;
	}
	return at;
}

int ent_metrics_parse(
	ent_arena *arena, const char *json, size_t n, const ent_metric_config **out, size_t *count, ent_errors *errors) {
	size_t before = errors->total;
	const ent_yaml_node *root = ent_yaml_load(arena, json, n, "definitions of rulebooks", errors);
	ent__parser p = {.arena = arena, .errors = errors, .folder = "/"};
	*out = NULL;
	*count = 0;
	if (!root || !ent__map(&p, root, "metrics", NULL)) {
		return ENT_ERR_INVALID;
	}
	ent_metric_config *list = ent_arena_alloc(arena, (root->n + 1) * sizeof *list);
	for (size_t i = 0; i < root->n; i++) {
		ent_yaml_node *node = (ent_yaml_node *)root->items[i]; /* ours, and nobody else sees it */
		ent_place at = take_place(node);
		place_all(node, at);
		list[i].name = (ent_word){root->keys[i]->text, at};
		list[i].from_rules = true;
		ent__fill(&p, ent__metric_fields, node, &list[i]);
	}
	*out = list;
	*count = root->n;
	return errors->total > before ? ENT_ERR_INVALID : 0;
}

/* ---- documentation ---------------------------------------------------------------------------------------------- */

void ent__metric_docs(ent_buf *out) {
	ent_buf_printf(out,
		"\nFields of facts, as `entente metrics fields` shows them. A line, and a refund, ask their order by "
		"`order.FIELD`.\n\n| fact | field | is | meaning |\n|---|---|---|---|\n");
	for (unsigned i = 0; i < ENT_METRIC_FIELDS; i++) {
		const ent_metric_field *f = &ent_metric_fields[i];
		ent_buf_printf(out, "| %s | `%s` | %s", ent_metric_facts[f->fact], f->name, ent_metric_forms[f->form]);
		for (const char *const *word = f->words; word && *word; word++) {
			ent_buf_printf(out, "%s`%s`", word == f->words ? ": " : ", ", *word);
		}
		ent_buf_printf(out, " | %s |\n", f->doc);
	}
}
