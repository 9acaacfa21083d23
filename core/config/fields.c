/* SPDX-License-Identifier: Apache-2.0
 *
 * What entente.yaml may hold: the tables, and the few values whose form is their own. One thread.
 */
#include "config/schema.h"

#include <stdio.h>
#include <string.h>

#include "config/options.h"
#include "config/scalar.h"
#include "config/values.h"

#define AT(type, member) offsetof(type, member)
#define END                                                                                                            \
	{ .key = NULL }

/* ---- values with a form of their own ---------------------------------------------------------------------------- */

static int store(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	const char *path = strncmp(word.s, "sqlite:", 7) == 0 ? word.s + 7 : word.s;
	const char *scheme = strstr(path, "://");
	if (scheme || !*path) {
		return ent_errors_add(
			p->errors, word.at, "name a folder, for example ./store", "'%s' is no folder for a store", word.s);
	}
	word.s = ent__absolute(p->arena, p->folder, path);
	*(ent_word *)into = word;
	return 0;
}

static int as_of(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_as_of *out = into;
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	if (!ent_as_of_parse(word.s, out)) {
		return ent_errors_add(
			p->errors, word.at, "write now, latest or a date like 2025-01-31", "'as_of' does not take '%s'", word.s);
	}
	out->at = word.at;
	return 0;
}

int ent__secret(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	if (!ent_config_secret_form(word.s)) {
		/* the text is not repeated: it may be the secret itself */
		return ent_errors_add(p->errors, word.at, "write where it is kept: file:PATH, env:NAME or systemd:NAME",
			"'%s' takes a reference, not the secret itself", f->key);
	}
	if (strncmp(word.s, "file:", 5) == 0) {
		word.s = ent_arena_printf(p->arena, "file:%s", ent__absolute(p->arena, p->folder, word.s + 5));
	}
	*(ent_word *)into = word;
	return 0;
}

static int plugins(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_words *words = into;
	if (!ent__words(p, node, f->key, words)) {
		return ENT_ERR_INVALID;
	}
	for (size_t i = 0; i < words->n; i++) {
		ent_word *word = (ent_word *)&words->v[i];
		if (strchr(word->s, '/')) {
			word->s = ent__absolute(p->arena, p->folder, word->s);
		} else if (!ent_name_form(word->s)) {
			ent_errors_add(
				p->errors, word->at, "write its name, or a path that has a '/'", "'%s' cannot be a plugin", word->s);
		}
	}
	return 0;
}

/* Counts the items of all maps below `node`, which has been found to be a map. */
static size_t grandchildren(const ent_yaml_node *node) {
	size_t n = 0;
	for (size_t i = 0; i < node->n; i++) {
		n += node->items[i]->kind == ENT_YAML_SCALAR ? 1 : node->items[i]->n;
	}
	return n;
}

static int channels(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_config *config = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent_channel_map *map = ent_arena_alloc(p->arena, (grandchildren(node) + 1) * sizeof *map);
	size_t n = 0;
	for (size_t i = 0; i < node->n; i++) {
		const ent_yaml_node *system = node->items[i];
		if (!ent__map(p, system, node->keys[i]->text, "{RAW: SIDE/CHANNEL}, for example {web: online/web}")) {
			continue;
		}
		for (size_t k = 0; k < system->n; k++) {
			ent_word word;
			if (!ent__word(p, system->items[k], system->keys[k]->text, "SIDE/CHANNEL, for example online/web", &word)) {
				continue;
			}
			const char *slash = strchr(word.s, '/');
			size_t side = slash ? (size_t)(slash - word.s) : 0;
			char *name = ent_arena_copy(p->arena, word.s, side);
			if (!slash || !slash[1] || strchr(slash + 1, '/') ||
				(strcmp(name, "online") != 0 && strcmp(name, "offline") != 0 && strcmp(name, "unknown") != 0)) {
				ent_errors_add(p->errors, word.at, "write online/NAME, offline/NAME or unknown/NAME",
					"'%s' is no channel", word.s);
				continue;
			}
			map[n++] = (ent_channel_map){
				.system = {node->keys[i]->text, node->keys[i]->at},
				.raw = {system->keys[k]->text, system->keys[k]->at},
				.side = {name, word.at},
				.channel = {slash + 1, word.at},
			};
		}
	}
	config->channels = map;
	config->n_channels = n;
	return 0;
}

static int also(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_config_partner *partner = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent_partner_also *list = ent_arena_alloc(p->arena, (grandchildren(node) + 1) * sizeof *list);
	size_t n = 0;
	for (size_t i = 0; i < node->n; i++) {
		ent_words words = {0};
		ent__words(p, node->items[i], node->keys[i]->text, &words);
		for (size_t k = 0; k < words.n; k++) {
			list[n++] = (ent_partner_also){.system = {node->keys[i]->text, node->keys[i]->at}, .value = words.v[k]};
		}
	}
	partner->also = list;
	partner->n_also = n;
	return 0;
}

static int attributes(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_config_partner *partner = into;
	return ent__pairs(p, f, node, &partner->attributes, &partner->n_attributes);
}

static const char *const partner_from_words[] = {"path", "fact", "lines", NULL};
static const char *const unknown_words[] = {"park", "reject", "create", NULL};

/* clang-format off */
static const ent__field partner_rule_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = AT(ent_partner_rule, at)},
	{.key = "from", .type = ENT__ENUM, .required = true, .choices = partner_from_words,
		.offset = AT(ent_partner_rule, from),
		.doc = "Where a fact's partner stands: in the path of its file, in the fact itself, or in each line of an "
			"order."},
	{.key = "as", .type = ENT__TEXT, .offset = AT(ent_partner_rule, as),
		.doc = "The value found is looked up in `partners.*.also` under this name. Without it: among the partners' "
			"ids, then under the system of the decoder."},
	{.key = "pattern", .type = ENT__TEXT, .offset = AT(ent_partner_rule, pattern),
		.doc = "With `from: path`: the end of the path, with `{partner}` in it; `*` and other names in braces stand "
			"for anything but a slash, `**` for anything."},
	{.key = "unknown", .type = ENT__ENUM, .preset = "park", .choices = unknown_words,
		.offset = AT(ent_partner_rule, unknown),
		.doc = "What is done with facts of a partner that nobody configured: kept aside until it is, refused, or a "
			"partner of that name is made."},
	{.key = "else", .type = ENT__NAME, .offset = AT(ent_partner_rule, fallback),
		.doc = "The partner of facts that name none."},
	END};
/* clang-format on */

static int partner_rule(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_partner_rule *rule = into;
	if (node->kind == ENT_YAML_SCALAR) {
		rule->from = ENT_PARTNER_FIXED;
		rule->at = node->at;
		return ent__word(p, node, f->key, f->form, &rule->fallback) ? 0 : ENT_ERR_INVALID;
	}
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent__fill(p, partner_rule_fields, node, rule);
	int index = (int)rule->from;
	if (index < 0) {
		rule->from = ENT_PARTNER_NONE;
		return ENT_ERR_INVALID;
	}
	rule->from = (ent_partner_from)(ENT_PARTNER_PATH + index);
	if (rule->from == ENT_PARTNER_PATH && !rule->pattern.s) {
		return ent_errors_add(
			p->errors, node->at, "add for example pattern: \"drop/{partner}/*.csv\"", "'from: path' needs a pattern");
	}
	if (rule->from != ENT_PARTNER_PATH && rule->pattern.s) {
		return ent_errors_add(
			p->errors, rule->pattern.at, "take it out, or write from: path", "'pattern' belongs to 'from: path' only");
	}
	return 0;
}

static const char service_only[] = "take it out; sources are file, glob, directory, stdin, pipe, webhook and poll";

typedef struct ways {
	ent_word way[ENT_FROM_STDIN + 1]; /* by ent_transport_kind */
	const ent_webhook_config *webhook;
	const ent_poll_config *poll;
	ent_word pipe;
	int64_t settle;
	ent_word snapshot, named;
	ent_words companions;
	ent_place at;
} ways;

/* clang-format off */
static const ent__field from_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = AT(ways, at)},
	{.key = "file", .type = ENT__PATH, .offset = AT(ways, way[ENT_FROM_FILE]), .doc = "One file."},
	{.key = "glob", .type = ENT__PATH, .offset = AT(ways, way[ENT_FROM_GLOB]),
		.doc = "All files that match, like `./drop/*.csv*`."},
	{.key = "directory", .type = ENT__PATH, .offset = AT(ways, way[ENT_FROM_DIRECTORY]),
		.doc = "All files of a folder and the folders in it."},
	{.key = "stdin", .type = ENT__TEXT, .offset = AT(ways, way[ENT_FROM_STDIN]),
		.doc = "Standard input, in a service as with `pipe`; the value is the name that these bytes go by, as a file has one."},
	{.key = "pipe", .type = ENT__PATH, .offset = AT(ways, pipe),
		.doc = "A named pipe, made if it is absent, into which programs write while `entente serve` runs: JSON lines become "
			"records as they come; for any other decoder, what is written until nobody has it open any more is one document, "
			"of 32 MB at most."},
	{.key = "settle", .type = ENT__DURATION, .offset = AT(ways, settle),
		.doc = "A file changed less than this long ago is left for later: it may still be growing. Without it, a service waits for "
			"2s, and `entente run` for nothing."},
	{.key = "snapshot", .type = ENT__TEXT, .offset = AT(ways, snapshot),
		.doc = "Pattern of the end of the path with `{year}`, `{month}`, `{day}`, `{hour}`, `{minute}`, `{second}`: "
			"when the file was taken, which decides between two versions of an order. Without it, the time at "
			"which it was last changed."},
	{.key = "companions", .type = ENT__TEXTS, .offset = AT(ways, companions), .form = "[NAME, …]",
		.doc = "Side files that each file comes with, as its decoder wants them: names beside the file, like "
			"`[column_headers.tsv]`, or absolute paths. They are no documents of their own; where one is missing its file is an "
			"error, and where one changed its file is read again."},
	{.key = "named", .type = ENT__TEXT, .offset = AT(ways, named),
		.doc = "Pattern of the end of the path, like `{no}-{suite}_{date}.tsv.gz`, whose parts `companions` may hold: "
			"`[\"{suite}_{date}-lookup_data.tar.gz\"]`."},
	{.key = "webhook", .type = ENT__CUSTOM, .custom = ent__webhook, .item = ent__webhook_fields, .offset = AT(ways, webhook),
		.form = "{path: /in/…, sign: {…}}", .doc = "Whoever has news sends it here by HTTP, while `entente serve` runs."},
	{.key = "poll", .type = ENT__CUSTOM, .custom = ent__poll, .item = ent__poll_fields, .offset = AT(ways, poll),
		.form = "{url: https://…, every: 5m, …}", .doc = "A server is asked for what is new, while `entente serve` runs."},
	{.key = "kafka", .type = ENT__LATER, .doc = service_only},
	END};
/* clang-format on */

const char *ent_transport_name(ent_transport_kind kind) {
	static const char *const names[] = {[ENT_FROM_FILE] = "file", [ENT_FROM_GLOB] = "glob", [ENT_FROM_DIRECTORY] = "directory",
		[ENT_FROM_STDIN] = "stdin", [ENT_FROM_WEBHOOK] = "webhook", [ENT_FROM_POLL] = "poll", [ENT_FROM_PIPE] = "pipe"};
	return names[kind];
}

static int from(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_transport_config *out = into;
	ways w = {.settle = -1};
	if (node->kind == ENT_YAML_SCALAR && !ent_yaml_is_null(node)) {
		char todo[200];
		snprintf(todo, sizeof todo, "write from: {file: %s}, or glob, directory or stdin for file", node->text);
		return ent_errors_add(p->errors, node->at, todo, "'from' takes a map, not a single value");
	}
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent__fill(p, from_fields, node, &w);
	int found = 0;
	if (w.webhook) {
		*out = (ent_transport_config){.kind = ENT_FROM_WEBHOOK, .webhook = w.webhook, .at = w.at};
		found++;
	}
	if (w.poll) {
		*out = (ent_transport_config){.kind = ENT_FROM_POLL, .poll = w.poll, .at = w.at};
		found++;
	}
	if (w.pipe.s) {
		*out = (ent_transport_config){.kind = ENT_FROM_PIPE, .path = w.pipe, .at = w.at};
		found++;
	}
	for (int i = 0; i <= ENT_FROM_STDIN; i++) {
		if (w.way[i].s) {
			*out = (ent_transport_config){.kind = (ent_transport_kind)i,
				.path = w.way[i],
				.settle_us = w.settle,
				.snapshot = w.snapshot,
				.companions = w.companions,
				.named = w.named,
				.at = w.at};
			found++;
		}
	}
	/* one that is there and could not be read has told so */
	bool told = ent_yaml_get(node, "kafka") || (!found && (ent_yaml_get(node, "webhook") || ent_yaml_get(node, "poll")));
	if (found != 1 && !told) {
		return ent_errors_add(p->errors, node->at, "write one of file, glob, directory, stdin, pipe, webhook, poll",
			found ? "'from' names more than one way in" : "'from' does not say where the bytes come from");
	}
	return 0;
}

static int decode(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_decode_config *out = into;
	out->at = node->at;
	if (node->kind == ENT_YAML_SCALAR) {
		ent_word word;
		if (!ent__word(p, node, f->key, f->form, &word)) {
			return ENT_ERR_INVALID;
		}
		out->name = strcmp(word.s, "auto") == 0 ? (ent_word){.at = word.at} : word;
		return 0;
	}
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	if (node->n != 1) {
		return ent_errors_add(p->errors, node->at, "write decode: {NAME: {OPTION: VALUE}}",
			"'decode' names %zu decoders, not one", node->n);
	}
	const ent_yaml_node *key = node->keys[0], *options = node->items[0];
	if (strcmp(key->text, "auto") == 0) {
		return ent_errors_add(p->errors, key->at, "write decode: auto, or name the decoder whose options these are",
			"'auto' takes no options");
	}
	out->name = (ent_word){key->text, key->at};
	out->options = options;
	return ent__map(p, options, key->text, "{OPTION: VALUE}") ? 0 : ENT_ERR_INVALID;
}

static int rule_set(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_rules_config *rules = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent_rule_setting *set = ent_arena_alloc(p->arena, (node->n + 1) * sizeof *set);
	size_t n = 0;
	for (size_t i = 0; i < node->n; i++) {
		if (ent__map(p, node->items[i], node->keys[i]->text, "{SETTING: VALUE}") &&
			node->items[i]->kind == ENT_YAML_MAP) {
			set[n++] = (ent_rule_setting){.rule = {node->keys[i]->text, node->keys[i]->at}, .settings = node->items[i]};
		}
	}
	rules->set = set;
	rules->n_set = n;
	return 0;
}

static int rule_for(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_rules_config *rules = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent_rule_scope *scopes = ent_arena_alloc(p->arena, (grandchildren(node) + 1) * sizeof *scopes);
	size_t n = 0;
	for (size_t i = 0; i < node->n; i++) {
		const ent_yaml_node *values = node->items[i];
		if (!ent__map(p, values, node->keys[i]->text, "{VALUE: [PRACTICE, …]}")) {
			continue;
		}
		for (size_t k = 0; k < values->n; k++) {
			ent_rule_scope *scope = &scopes[n++];
			scope->attribute = (ent_word){node->keys[i]->text, node->keys[i]->at};
			scope->value = (ent_word){values->keys[k]->text, values->keys[k]->at};
			ent__words(p, values->items[k], values->keys[k]->text, &scope->practices);
		}
	}
	rules->scopes = scopes;
	rules->n_scopes = n;
	return 0;
}

static int books(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_words *words = into;
	if (!ent__words(p, node, f->key, words)) {
		return ENT_ERR_INVALID;
	}
	for (size_t i = 0; i < words->n; i++) {
		ent_word *word = (ent_word *)&words->v[i];
		if (strcmp(word->s, "shipped") != 0) {
			word->s = ent__absolute(p->arena, p->folder, word->s);
		}
	}
	return 0;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static const char *const view_words[] = {
	"channel", "category", "country", "campaign", "region", "product", "vendor", "device", "source", NULL};
static const char *const key_words[] = {"partner", "shared", NULL};
static const char *const origin_words[] = {"shop", "analytics", "declared", "benchmark", NULL};
static const char *const sandbox_words[] = {"required", "best-effort", "off", NULL};

/* clang-format off */
static const ent__field partner_fields[] = {
	{.key = "name", .type = ENT__TEXT, .offset = AT(ent_config_partner, name),
		.doc = "As people write it. Without it, the id."},
	{.key = "industry", .type = ENT__TEXT, .offset = AT(ent_config_partner, industry),
		.doc = "A word of your own; partners of one industry are compared with each other."},
	{.key = "region", .type = ENT__TEXT, .offset = AT(ent_config_partner, region),
		.doc = "A word of your own, for example `DE`."},
	{.key = "stage", .type = ENT__TEXT, .offset = AT(ent_config_partner, stage),
		.doc = "Where the partnership stands: `informative`, `consulting`, `negotiation`, `signed`, or words of "
			"your own."},
	{.key = "currency", .type = ENT__CURRENCY, .offset = AT(ent_config_partner, currency),
		.doc = "The partner's own currency. Without it, the reporting currency."},
	{.key = "zone", .type = ENT__TEXT, .preset = "UTC", .offset = AT(ent_config_partner, zone),
		.doc = "Days are cut in this time zone: a name like `Europe/Berlin`, or an offset like `+01:00`."},
	{.key = "signed_on", .type = ENT__DATE, .offset = AT(ent_config_partner, signed_on),
		.doc = "The day the contract was signed."},
	{.key = "also", .type = ENT__CUSTOM, .custom = also, .form = "{SYSTEM: NAME} or {SYSTEM: [NAME, …]}",
		.doc = "What other systems call this partner: shop domains, property ids, seller ids."},
	{.key = "attributes", .type = ENT__CUSTOM, .custom = attributes, .form = "{NAME: TEXT}",
		.doc = "Anything else that rules may want to know."},
	END};
/* clang-format on */

/* clang-format off */
static const ent__field expect_fields[] = {
	{.key = "every", .type = ENT__DURATION, .required = true, .least = 1000000,
		.most = INT64_C(400) * 86400 * 1000000, .offset = AT(ent_config_source, every_us),
		.doc = "How often new data comes."},
	{.key = "late_after", .type = ENT__DURATION, .offset = AT(ent_config_source, late_after_us),
		.doc = "How long after the last data it counts as late. Without it, one and a half times `every`."},
	END};
/* clang-format on */

static int expect(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_config_source *source = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent__fill(p, expect_fields, node, source);
	if (!source->late_after_us) {
		source->late_after_us = source->every_us + source->every_us / 2;
	}
	return 0;
}

/* clang-format off */
static const ent__field source_fields[] = {
	{.key = "partner", .type = ENT__CUSTOM, .custom = partner_rule, .offset = AT(ent_config_source, partner),
		.item = partner_rule_fields, .form = "ID, or {from: path|fact|lines|source, …}",
		.doc = "Whose data this is. Left out only where it is nobody's, like a table of exchange rates."},
	{.key = "from", .type = ENT__CUSTOM, .required = true, .custom = from, .offset = AT(ent_config_source, from),
		.item = from_fields, .form = "{file: PATH}, or glob, directory, stdin, pipe, webhook, poll",
		.doc = "Where the bytes come from; exactly one way in."},
	{.key = "decode", .type = ENT__CUSTOM, .preset = "auto", .custom = decode,
		.offset = AT(ent_config_source, decode), .form = "auto, NAME or {NAME: {OPTION: VALUE}}",
		.doc = "The decoder. `auto` asks every plugin to look at the first bytes of each file. `entente plugin show "
			"NAME` lists the options."},
	{.key = "zone", .type = ENT__TEXT, .preset = "partner", .offset = AT(ent_config_source, zone),
		.doc = "Time zone of dates that are written without one: `partner`, `UTC`, a name like `Europe/Berlin`, or "
			"an offset."},
	{.key = "keys", .type = ENT__ENUM, .preset = "partner", .choices = key_words,
		.offset = AT(ent_config_source, keys),
		.doc = "Whether order numbers are unique for each partner, or over all partners of the source."},
	{.key = "origin", .type = ENT__ENUM, .choices = origin_words, .offset = AT(ent_config_source, origin),
		.doc = "Who measured this. Without it, what the decoder says. Figures of different origin are never added."},
	{.key = "expect", .type = ENT__CUSTOM, .custom = expect, .item = expect_fields,
		.form = "{every: 1d, late_after: 36h}", .doc = "What counts as a hole in the feed."},
	{.key = "same_keys_as", .type = ENT__LATER, .doc = "take it out; sources of one system share their keys"},
	END};
/* clang-format on */

/* clang-format off */
static const ent__field rules_fields[] = {
	{.key = "books", .type = ENT__CUSTOM, .preset = "shipped", .custom = books, .offset = AT(ent_rules_config, books),
		.form = "[shipped, FOLDER, …]", .doc = "Folders of rules; `shipped` is the rulebook that comes with Entente."},
	{.key = "set", .type = ENT__CUSTOM, .custom = rule_set, .form = "{RULE: {SETTING: VALUE}}",
		.doc = "Settings of rules: their keyword-only parameters."},
	{.key = "for", .type = ENT__CUSTOM, .custom = rule_for, .form = "{ATTRIBUTE: {VALUE: [PRACTICE, …]}}",
		.doc = "Which practices judge which partners, for example `{stage: {informative: [informative, "
			"homework]}}`. Partners whose value is not named here are judged by all."},
	{.key = "import", .type = ENT__TEXTS, .offset = AT(ent_rules_config, import), .form = "[MODULE, …]",
		.doc = "Python modules beyond the standard library that rules may import."},
	{.key = "deadline", .type = ENT__DURATION, .preset = "10s", .least = 100000, .most = INT64_C(3600) * 1000000,
		.offset = AT(ent_rules_config, deadline_us), .doc = "How long one rule may take for one partner."},
	{.key = "memory", .type = ENT__SIZE, .preset = "1GB", .least = INT64_C(64) << 20, .most = INT64_C(1) << 40,
		.offset = AT(ent_rules_config, memory), .doc = "Memory of the process that runs the rules."},
	{.key = "min_cohort", .type = ENT__INT, .preset = "5", .least = 3, .most = 1000,
		.offset = AT(ent_rules_config, min_cohort),
		.doc = "The fewest partners whose figures a rule may see together, as a median or a quantile."},
	{.key = "most_of_one", .type = ENT__INT, .preset = "60", .least = 20, .most = 100, .offset = AT(ent_rules_config, most_of_one),
		.form = "PERCENT",
		.doc = "Figures of several partners are not shown where one of them holds more than this of what is added up, or, of a "
			"ratio, of what it is divided by."},
	{.key = "most_of_two", .type = ENT__INT, .preset = "80", .least = 40, .most = 100, .offset = AT(ent_rules_config, most_of_two),
		.form = "PERCENT", .doc = "The same for the two largest together."},
	{.key = "venv", .type = ENT__PATH, .offset = AT(ent_rules_config, venv), .form = "FOLDER",
		.doc = "A Python virtual environment (of the Python that Entente was built with) whose packages rules may import."},
	END};
/* clang-format on */

/* clang-format off */
static const ent__field decoder_fields[] = {
	{.key = "deadline", .type = ENT__DURATION, .preset = "30s", .least = 100000, .most = INT64_C(3600) * 1000000,
		.offset = AT(ent_decoders_config, deadline_us),
		.doc = "How long a decoder may go without any progress before it is stopped."},
	{.key = "memory", .type = ENT__SIZE, .preset = "2GB", .least = INT64_C(64) << 20, .most = INT64_C(1) << 40,
		.offset = AT(ent_decoders_config, memory), .doc = "Memory of one decoder process."},
	{.key = "ring", .type = ENT__SIZE, .preset = "4MB", .least = INT64_C(1) << 20, .most = INT64_C(1) << 30,
		.offset = AT(ent_decoders_config, ring),
		.doc = "How much one decoder may hand over before it is folded; then it waits, which `entente balance` shows. No "
			"single record may be larger."},
	{.key = "quarantine_after", .type = ENT__INT, .preset = "5", .least = 1, .most = 1000,
		.offset = AT(ent_decoders_config, quarantine_after),
		.doc = "In a service: a document of which decoders die, or hang until their deadline, is tried so often, with growing "
			"pauses, and then left alone until it changes. A source in which so many documents in a row end like that is "
			"left alone as a whole, for a pause that grows."},
	END};
/* clang-format on */

/* clang-format off */
static const ent__field commit_fields[] = {
	{.key = "bytes", .type = ENT__SIZE, .preset = "64MB", .least = 1, .most = INT64_C(1) << 34,
		.offset = AT(ent_commit_config, bytes),
		.doc = "Commit when this much has gathered. More is faster, less saves work when a run is interrupted. As one is "
			"committed while the next gathers, memory holds up to twice as much."},
	{.key = "every", .type = ENT__DURATION, .preset = "5s", .least = 1000, .most = INT64_C(3600) * 1000000,
		.offset = AT(ent_commit_config, every_us), .doc = "Commit when the last commit was this long ago."},
	END};
/* clang-format on */

/* clang-format off */
static const ent__field reject_fields[] = {
	{.key = "keep", .type = ENT__DURATION, .preset = "30d", .least = 0, .most = INT64_C(3650) * 86400 * 1000000,
		.offset = AT(ent_config, rejects_keep_us),
		.doc = "How long the bytes of a rejected record are kept, sealed with the store's key. Place, reason and a masked "
			"excerpt stay."},
	END};
/* clang-format on */

/* clang-format off */
const ent__field ent__config_fields[] = {
	{.key = "version", .type = ENT__INT, .required = true, .least = 1, .most = 1, .preset = "1",
		.offset = AT(ent_config, version), .doc = "Of this file's form: 1."},
	{.key = "store", .type = ENT__CUSTOM, .preset = "./store", .custom = store, .offset = AT(ent_config, store),
		.form = "FOLDER", .doc = "Where facts, figures and findings are kept; made when it is not there."},
	{.key = "currency", .type = ENT__CURRENCY, .required = true, .offset = AT(ent_config, currency),
		.doc = "The currency that money is reported in."},
	{.key = "as_of", .type = ENT__CUSTOM, .preset = "now", .custom = as_of, .offset = AT(ent_config, as_of),
		.form = "now, latest or YYYY-MM-DD",
		.doc = "The moment of judgement: today (the day that has begun in the zone of each partner), the last complete day that the data "
			"covers, or a date. `--as-of` overrides it."},
	{.key = "identity_key", .type = ENT__CUSTOM, .custom = ent__secret, .offset = AT(ent_config, identity_key),
		.form = "file:PATH, env:NAME or systemd:NAME",
		.doc = "The key that turns e-mail addresses and cookies into identities. Without it, one is made and kept "
			"in the store; two stores agree on their digests only under one key."},
	{.key = "plugins", .type = ENT__CUSTOM, .custom = plugins, .offset = AT(ent_config, plugins), .form = "[NAME, …]",
		.doc = "Plugins that may be used: names, found in `./plugins` and then where Entente is installed, or "
			"paths. Without it, all that are found."},
	{.key = "views", .type = ENT__FLAGS, .preset = "channel", .choices = view_words, .offset = AT(ent_config, views),
		.form = "[NAME, …]", .doc = "What figures can be split by, beside their total."},
	{.key = "channels", .type = ENT__CUSTOM, .custom = channels, .form = "{SYSTEM: {RAW: SIDE/CHANNEL}}",
		.doc = "What a source's word for a channel means. The side is `online`, `offline` or `unknown`. A word that "
			"is not named is a channel of its own, its side unknown."},
	{.key = "partners", .type = ENT__ITEMS, .item = partner_fields, .size = sizeof(ent_config_partner),
		.offset = AT(ent_config, partners), .count = AT(ent_config, n_partners), .form = "{ID: {…}}",
		.doc = "The organizations that you work with."},
	{.key = "sources", .type = ENT__ITEMS, .item = source_fields, .size = sizeof(ent_config_source),
		.offset = AT(ent_config, sources), .count = AT(ent_config, n_sources), .form = "{NAME: {…}}",
		.doc = "Where their data comes from."},
	{.key = "rules", .type = ENT__STRUCT, .item = rules_fields, .offset = AT(ent_config, rules), .form = "{…}",
		.doc = "What judges the partners."},
	{.key = "metrics", .type = ENT__ITEMS, .item = ent__metric_fields, .size = sizeof(ent_metric_config),
		.offset = AT(ent_config, metrics), .count = AT(ent_config, n_metrics), .form = "{NAME: {count: order, where: {…}}}",
		.doc = "Metrics of your own, counted from the facts that are stored; [metrics.md](metrics.md) shows how."},
	{.key = "registers", .type = ENT__ITEMS, .item = ent__register_fields, .size = sizeof(ent_register_config),
		.choices = ent__later_registers, .offset = AT(ent_config, registers), .count = AT(ent_config, n_registers),
		.form = "{NAME: {…}}", .doc = "Journals that people keep; the entries live in the store."},
	{.key = "priors", .type = ENT__ITEMS, .item = ent__prior_fields, .size = sizeof(ent_prior_config),
		.offset = AT(ent_config, priors), .count = AT(ent_config, n_priors), .form = "{NAME: {p10: …, p50: …, p90: …, source: …}}",
		.doc = "What you believe before you have measured: rules ask for it by `partner.prior(NAME)`."},
	{.key = "decoders", .type = ENT__STRUCT, .item = decoder_fields, .offset = AT(ent_config, decoders), .form = "{…}",
		.doc = "Limits of the processes that run plugins."},
	{.key = "commit", .type = ENT__STRUCT, .item = commit_fields, .offset = AT(ent_config, commit), .form = "{…}",
		.doc = "How often a run under way makes lasting what it has read."},
	{.key = "service", .type = ENT__STRUCT, .item = ent__service_fields, .offset = AT(ent_config, service), .form = "{…}",
		.doc = "How `entente serve` goes about its work."},
	{.key = "inbox", .type = ENT__STRUCT, .item = ent__inbox_fields, .offset = AT(ent_config, inbox), .form = "{…}",
		.doc = "What came over the network, or was piped into the service, and is not read yet."},
	{.key = "history", .type = ENT__DURATION, .preset = "400d", .least = 0, .most = INT64_C(36500) * 86400 * 1000000,
		.offset = AT(ent_config, history_us),
		.doc = "How long the ledger keeps versions of a fact that another one has replaced; `entente compact` takes "
			"away older ones."},
	{.key = "rejects", .type = ENT__STRUCT, .item = reject_fields, .offset = 0, .form = "{…}",
		.doc = "Records that could not be read; `entente rejects list` shows them."},
	{.key = "workers", .type = ENT__INT, .least = 1, .most = 256, .offset = AT(ent_config, workers),
		.doc = "How many decoders may run at once. Without it, as many as there are cores."},
	{.key = "sandbox", .type = ENT__ENUM, .preset = "best-effort", .choices = sandbox_words,
		.offset = AT(ent_config, sandbox),
		.doc = "Whether a decoder or a rule may run where the kernel cannot shut it in: `required` refuses. "
			"`entente doctor` says what this kernel can do."},
	{.key = "tell", .type = ENT__ITEMS, .item = ent__tell_fields, .size = sizeof(ent_config_tell),
		.offset = AT(ent_config, tell), .count = AT(ent_config, n_tell), .form = "{NAME: {to: …}}",
		.doc = "Who is told when a finding is opened, cleared or gets worse, while `entente serve` runs."},
	{.key = "serve", .type = ENT__STRUCT, .item = ent__serve_fields, .offset = AT(ent_config, serve), .form = "{…}",
		.doc = "Where the service listens, and what it takes from whom."},
	END};
/* clang-format on */
