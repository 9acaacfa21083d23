/* SPDX-License-Identifier: Apache-2.0
 *
 * tell: who is told what changes about findings, and how. One thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/options.h"
#include "config/scalar.h"
#include "config/schema.h"
#include "config/values.h"

#define AT(member) offsetof(ent_config_tell, member)
#define QUIET(member) offsetof(ent_tell_quiet, member)
#define END                                                                                                            \
	{ .key = NULL }
#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

const char *const ent_tell_ways[] = {"webhook", "mail", "alertmanager", NULL};
const char *const ent_tell_changes[] = {"opened", "reopened", "cleared", "worse", NULL};
const char *const ent_tell_kinds[] = {
	"red_flag", "gate", "opportunity", "insight", "proposal", "ask", "failure", NULL};
const char *const ent_tell_severities[] = {"low", "medium", "high", NULL};
static const char *const day_words[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};
static const char *const tls_words[] = {"starttls", "implicit", "none", NULL};

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool is_address(const char *s) {
	const char *at = strchr(s, '@');
	if (!at || at == s || !at[1] || strchr(at + 1, '@')) {
		return false;
	}
	for (const char *c = s; *c; c++) {
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 127 || strchr("<>()[],;:\\\"", *c)) {
			return false;
		}
	}
	return true;
}

static int addresses(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_words words = {0};
	if (!ent__words(p, node, f->key, &words)) {
		return ENT_ERR_INVALID;
	}
	if (!words.n) {
		return ent_errors_add(p->errors, node->at, "write for example to: [team@example.com]", "'%s' is empty", f->key);
	}
	for (size_t i = 0; i < words.n; i++) {
		if (!is_address(words.v[i].s)) {
			return ent_errors_add(
				p->errors, words.v[i].at, "write it bare, for example team@example.com", "'%s' is no mail address", words.v[i].s);
		}
	}
	*(ent_words *)into = words;
	return 0;
}

static int address(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_words words = {0};
	int status = node->kind == ENT_YAML_SCALAR ? addresses(p, f, node, &words) : ENT_ERR_INVALID;
	if (node->kind != ENT_YAML_SCALAR) {
		ent_word word;
		ent__word(p, node, f->key, f->form, &word);
	}
	if (!status) {
		*(ent_word *)into = words.v[0];
	}
	return status;
}

static int server(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	const char *colon = strrchr(word.s, ':');
	int64_t port = 1;
	bool bad = strchr(word.s, '/') || strchr(word.s, '@') || colon == word.s;
	for (const char *c = word.s; *c; c++) {
		bad |= (unsigned char)*c <= ' ' || (unsigned char)*c >= 127;
	}
	if (bad || (colon && !strchr(colon, ']') && (!ent_int_parse(colon + 1, &port) || port < 1 || port > 65535))) {
		return ent_errors_add(p->errors, word.at, "write for example mail.example.com:587", "'%s' is no mail server", word.s);
	}
	*(ent_word *)into = word;
	return 0;
}

static int headers(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	static const ent__own_header own[] = {{"entente-", NULL}, {"content-type", NULL}, {"content-length", NULL}, {"host", NULL},
		{"transfer-encoding", NULL}, {"connection", NULL}, {"expect", NULL}, {NULL, NULL}};
	ent_config_tell *t = into;
	const ent_pair *pairs = NULL;
	if (ent__headers(p, f, node, own, "service", &pairs, &t->n_headers) != 0) {
		return ENT_ERR_INVALID;
	}
	ent_pair *headers = ent_arena_alloc(p->arena, (t->n_headers + 1) * sizeof *headers);
	for (size_t i = 0; i < t->n_headers; i++) {
		headers[i] = pairs[i];
		if (strncmp(pairs[i].value.s, "file:", 5) == 0) {
			headers[i].value.s = ent_arena_printf(p->arena, "file:%s", ent__absolute(p->arena, p->folder, pairs[i].value.s + 5));
		}
	}
	t->headers = headers;
	return 0;
}

/* ---- where to ---------------------------------------------------------------------------------------------------- */

/* clang-format off */
#define CA_FIELD                                                                                                       \
	{.key = "ca", .type = ENT__PATH, .offset = AT(ca),                                                                 \
		.doc = "File of certificates (PEM) to trust in place of the system's."}

static const ent__field webhook_fields[] = {
	{.key = "url", .type = ENT__CUSTOM, .required = true, .custom = ent__url, .form = "https://…", .offset = AT(url),
		.doc = "Where messages are posted, as JSON. Redirects are not followed."},
	{.key = "secret", .type = ENT__CUSTOM, .custom = ent__secret, .form = "file:PATH, env:NAME or systemd:NAME",
		.offset = AT(secret), .doc = "Signs each message (HMAC-SHA-256 over time and body), so that the receiver knows whose it is."},
	{.key = "allow_private", .type = ENT__CUSTOM, .custom = ent__flag, .preset = "false", .form = "true or false", .offset = AT(allow_private),
		.doc = "Whether the address may be one of the own network: loopback, private and link-local ones are refused otherwise."},
	{.key = "headers", .type = ENT__CUSTOM, .custom = headers, .form = "{NAME: TEXT}",
		.doc = "More headers. A text like `file:PATH`, `env:NAME` or `systemd:NAME` is read from there."},
	CA_FIELD, END};

static const ent__field mail_fields[] = {
	{.key = "server", .type = ENT__CUSTOM, .required = true, .custom = server, .form = "HOST:PORT", .offset = AT(server),
		.doc = "The mail server. Without a port, 587 for `starttls`, 465 for `implicit`, 25 for `none`."},
	{.key = "from", .type = ENT__CUSTOM, .required = true, .custom = address, .form = "NAME@HOST", .offset = AT(from),
		.doc = "Whom the mail comes from."},
	{.key = "to", .type = ENT__CUSTOM, .required = true, .custom = addresses, .form = "[NAME@HOST, …]", .offset = AT(mail_to),
		.doc = "Who gets it."},
	{.key = "user", .type = ENT__TEXT, .offset = AT(user), .doc = "The name to log in with."},
	{.key = "password", .type = ENT__CUSTOM, .custom = ent__secret, .form = "file:PATH, env:NAME or systemd:NAME",
		.offset = AT(password), .doc = "And the password."},
	{.key = "tls", .type = ENT__ENUM, .preset = "starttls", .choices = tls_words, .offset = AT(tls),
		.doc = "`starttls`: the connection becomes a safe one, or nothing is sent; `implicit`: it is one from the start (port 465); "
			"`none`: anybody on the way may read along."},
	CA_FIELD, END};

static const ent__field alertmanager_fields[] = {
	{.key = "url", .type = ENT__CUSTOM, .required = true, .custom = ent__url, .form = "http://HOST:9093", .offset = AT(url),
		.doc = "Of the Alertmanager, without `/api/v2`. Each finding is an alert that fires while it is open."},
	{.key = "repeat", .type = ENT__DURATION, .preset = "1m", .least = SECOND, .most = DAY, .offset = AT(repeat_us),
		.doc = "How often it hears of what is open. After four times of silence it takes all of it for resolved."},
	{.key = "headers", .type = ENT__CUSTOM, .custom = headers, .form = "{NAME: TEXT}", .doc = "More headers, as for a webhook."},
	CA_FIELD, END};

static int way(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_config_tell *t = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	t->way = strcmp(f->key, "webhook") == 0 ? ENT_TELL_WEBHOOK : strcmp(f->key, "mail") == 0 ? ENT_TELL_MAIL : ENT_TELL_ALERTMANAGER;
	t->ways |= 1u << t->way;
	ent__fill(p, f->item, node, t);
	return 0;
}

static const ent__field to_fields[] = {
	{.key = "webhook", .type = ENT__CUSTOM, .custom = way, .item = webhook_fields, .form = "{url: …, secret: …}",
		.doc = "A web server gets them by POST."},
	{.key = "mail", .type = ENT__CUSTOM, .custom = way, .item = mail_fields, .form = "{server: …, from: …, to: […]}",
		.doc = "People get them by mail."},
	{.key = "alertmanager", .type = ENT__CUSTOM, .custom = way, .item = alertmanager_fields, .form = "{url: …}",
		.doc = "Prometheus' Alertmanager gets them, and tells people by its own rules."},
	END};

static int to(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_config_tell *t = into;
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	t->to_at = node->at;
	t->way = -1;
	ent__fill(p, to_fields, node, t);
	if (!t->ways || (t->ways & (t->ways - 1))) {
		t->way = -1;
		return ent_errors_add(p->errors, node->at, "write one of webhook, mail, alertmanager; a second one is a target of its own",
			t->ways ? "'to' names more than one way" : "'to' does not say where");
	}
	return 0;
}

/* ---- what, and when not ------------------------------------------------------------------------------------------ */

static const ent__field for_fields[] = {
	{.key = "partners", .type = ENT__TEXTS, .offset = AT(partners), .form = "[ID, …]", .doc = "Only what is about these partners."},
	{.key = "kinds", .type = ENT__FLAGS, .choices = ent_tell_kinds, .offset = AT(kinds), .form = "[KIND, …]",
		.doc = "Only findings of these kinds."},
	{.key = "severity", .type = ENT__ENUM, .choices = ent_tell_severities, .offset = AT(severity),
		.doc = "Only what is at least as severe. A finding that becomes so is told as opened."},
	{.key = "practices", .type = ENT__TEXTS, .offset = AT(practices), .form = "[PRACTICE, …]",
		.doc = "Only what rules of these practices say."},
	{.key = "rules", .type = ENT__TEXTS, .offset = AT(rules), .form = "[RULE, …]",
		.doc = "Only what these rules say. `feed_late` is the one for feeds that are late."},
	{.key = "on", .type = ENT__FLAGS, .choices = ent_tell_changes, .offset = AT(on), .form = "[CHANGE, …]",
		.doc = "Which changes are told. Without it all of them."},
	END};

static int minute_of_day(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	unsigned hour, minute;
	char extra;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	if (strlen(word.s) != 5 || sscanf(word.s, "%2u:%2u%c", &hour, &minute, &extra) != 2 || hour > 24 || minute > 59 ||
		(hour == 24 && minute)) {
		return ent_errors_add(p->errors, word.at, "write for example \"22:00\"", "'%s' is no time of day", word.s);
	}
	*(int *)into = (int)(hour * 60 + minute);
	return 0;
}

static const ent__field quiet_fields[] = {
	{.key = "(place)", .type = ENT__PLACE, .offset = QUIET(at)},
	{.key = "from", .type = ENT__CUSTOM, .custom = minute_of_day, .preset = "00:00", .form = "\"HH:MM\"", .offset = QUIET(from),
		.doc = "When it begins."},
	{.key = "to", .type = ENT__CUSTOM, .custom = minute_of_day, .preset = "24:00", .form = "\"HH:MM\"", .offset = QUIET(to),
		.doc = "When it ends; the day after, if that is not later than `from`."},
	{.key = "zone", .type = ENT__TEXT, .preset = "UTC", .offset = QUIET(zone),
		.doc = "The time zone of both: a name like `Europe/Berlin`, or an offset like `+01:00`."},
	{.key = "days", .type = ENT__FLAGS, .choices = day_words, .offset = QUIET(days), .form = "[DAY, …]",
		.doc = "The days on which it begins: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`. Without it, each day."},
	{.key = "except", .type = ENT__ENUM, .choices = ent_tell_severities, .offset = QUIET(except),
		.doc = "What is at least as severe is told all the same."},
	END};

static int quiet(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_config_tell *t = into;
	size_t n = node->kind == ENT_YAML_LIST ? node->n : 1;
	ent_tell_quiet *list = ent_arena_alloc(p->arena, (n + 1) * sizeof *list);
	for (size_t i = 0; i < n; i++) {
		const ent_yaml_node *one = node->kind == ENT_YAML_LIST ? node->items[i] : node;
		list[i] = (ent_tell_quiet){0};
		if (!ent__map(p, one, f->key, f->form)) {
			return ENT_ERR_INVALID;
		}
		ent__fill(p, quiet_fields, one, &list[i]);
		if (!ent_yaml_get(one, "from") && !ent_yaml_get(one, "to") && !ent_yaml_get(one, "days")) {
			ent_errors_add(p->errors, one->at, "write for example quiet: {from: \"20:00\", to: \"07:00\", zone: Europe/Berlin}",
				"'quiet' names neither hours nor days: it would never end");
		}
		if (list[i].from == 24 * 60) {
			ent_errors_add(p->errors, one->at, "write from: \"00:00\"", "'quiet' cannot begin at 24:00");
		}
	}
	t->quiet = list;
	t->n_quiet = n;
	return 0;
}

const ent__field ent__tell_fields[] = {
	{.key = "to", .type = ENT__CUSTOM, .required = true, .custom = to, .item = to_fields,
		.form = "{webhook: {…}}, or mail, alertmanager", .doc = "Where the messages go; exactly one way."},
	{.key = "for", .type = ENT__STRUCT, .item = for_fields, .offset = 0, .form = "{…}",
		.doc = "What it is told of; without it, every change of every finding."},
	{.key = "group", .type = ENT__DURATION, .preset = "1m", .least = 0, .most = DAY, .offset = AT(group_us),
		.doc = "How long a change waits for others, to be told in one message."},
	{.key = "quiet", .type = ENT__CUSTOM, .custom = quiet, .item = quiet_fields,
		.form = "{from: \"20:00\", to: \"07:00\", zone: …}, or a list of such",
		.doc = "When nothing is told. What changes meanwhile is told afterwards in one message, but what changed back."},
	{.key = "retry", .type = ENT__DURATION, .preset = "1d", .least = 0, .most = 30 * DAY, .offset = AT(retry_us),
		.doc = "For how long a message is tried again, ever less often, that could not be delivered."},
	{.key = "template", .type = ENT__PATH, .offset = AT(template),
		.doc = "A file that says how messages are worded (docs/telling.md). Its name ends in `.txt`, in `.html` (mail), or in "
			"`.json` (the whole body of a webhook)."},
	END};
/* clang-format on */

/* ---- all together ------------------------------------------------------------------------------------------------ */

static void useless(ent__parser *p, const ent_config *config, const ent_config_tell *t, const char *const *keys) {
	const ent_yaml_node *all = ent_yaml_get(config->root, "tell"), *node = ent_yaml_get(all, t->name.s);
	for (; *keys; keys++) {
		const ent_yaml_node *written = ent_yaml_get(node, *keys);
		if (written) {
			ent_errors_add(p->errors, written->at, "take it out; Alertmanager groups, waits and words by its own configuration",
				"'%s' does nothing for an alertmanager", *keys);
		}
	}
}

static void check_partners(ent__parser *p, const ent_config *config, const ent_config_tell *t) {
	for (size_t i = 0; i < config->n_sources; i++) {
		if (config->sources[i].partner.unknown == ENT_UNKNOWN_CREATE) {
			return; /* the data may bring any */
		}
	}
	const char **ids = ent_arena_alloc(p->arena, (config->n_partners + 1) * sizeof *ids);
	for (size_t i = 0; i < config->n_partners; i++) {
		ids[i] = config->partners[i].id.s;
	}
	for (size_t i = 0; i < t->partners.n; i++) {
		ent_word word = t->partners.v[i];
		if (!ent_config_partner_find(config, word.s)) {
			char todo[160];
			const char *near = ent_nearest(word.s, ids, config->n_partners);
			snprintf(todo, sizeof todo, near ? "did you mean '%s'?" : "add it to 'partners'", near);
			ent_errors_add(p->errors, word.at, todo, "there is no partner '%s'", word.s);
		}
	}
}

static void check_template(ent__parser *p, const ent_config_tell *t) {
	const char *dot = t->template.s ? strrchr(t->template.s, '.') : NULL, *end = dot ? dot : "";
	bool text = !strcmp(end, ".txt"), html = !strcmp(end, ".html"), json = !strcmp(end, ".json");
	if (t->template.s && !text && !(html && t->way == ENT_TELL_MAIL) && !(json && t->way == ENT_TELL_WEBHOOK)) {
		ent_errors_add(p->errors, t->template.at,
			t->way == ENT_TELL_MAIL ? "name it .txt for plain text, or .html" : "name it .txt for the text of the message, or .json for all of it",
			"the template of a %s cannot be '%s'", ent_tell_ways[t->way], t->template.s);
	}
}

void ent__tell_check(ent__parser *p, const ent_config *config) {
	static const char *const not_for_alerts[] = {"group", "quiet", "retry", "template", NULL};
	for (size_t i = 0; i < config->n_tell; i++) {
		ent_config_tell *t = (ent_config_tell *)&config->tell[i]; /* ours until the configuration is handed out */
		const ent_yaml_node *node = ent_yaml_get(ent_yaml_get(config->root, "tell"), t->name.s);
		if (!t->on) {
			t->on = (1u << ENT_TELL_CHANGES) - 1;
		}
		check_partners(p, config, t);
		if (t->way < 0) {
			continue;
		}
		if (t->way == ENT_TELL_ALERTMANAGER) {
			useless(p, config, t, not_for_alerts);
			const ent_yaml_node *on = ent_yaml_get(ent_yaml_get(node, "for"), "on");
			if (on) {
				ent_errors_add(p->errors, on->at, "take it out; an alert fires while the finding is open, and is resolved then",
					"'on' does nothing for an alertmanager");
			}
		} else {
			check_template(p, t);
		}
		if (t->way == ENT_TELL_MAIL && (!t->user.s != !t->password.s)) {
			ent_errors_add(p->errors, t->user.s ? t->user.at : t->password.at, "write both, or none",
				"a login has a user and a password");
		}
		if (t->way == ENT_TELL_MAIL && t->user.s && t->tls == ENT_TELL_TLS_NONE) {
			ent_errors_add(p->errors, t->user.at, "write tls: starttls, or take out user and password",
				"the password would be sent for anybody to read");
		}
	}
}
