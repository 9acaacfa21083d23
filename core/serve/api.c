/* SPDX-License-Identifier: Apache-2.0
 *
 * Partners with their briefs, metrics, series, the balance sheet and the rules, see api.h. */
#include "serve/api.h"
#include "serve/api_members.h"
#include "serve/arrow.h"

#include <stdlib.h>
#include <string.h>

static const char *const origins[] = {"shop", "analytics", "declared", NULL};

#define AS_OF                                                                                                          \
	{.name = "as_of", .in = ENT_PARAM_QUERY, .type = ENT_PARAM_TEXT, .example = "latest",                              \
		.doc = "The moment of judgement: now, latest (the last complete day of the data) or YYYY-MM-DD."}
#define NONE                                                                                                           \
	{.name = NULL}

/* ---- partners ------------------------------------------------------------------------------------------------------------ */

static const ent_member reach_members[] = {
	{.key = "from", .shape = ENT_SHAPE_DAY, .doc = "The first day."},
	{.key = "through", .shape = ENT_SHAPE_DAY, .doc = "The last day."}, {.key = NULL}};
static const ent_schema reach = {.name = "Reach", .doc = "Days that a source speaks for.", .members = reach_members};

#define PARTNER_MEMBERS                                                                                                \
	TEXT("partner", "Its id."), TEXT("name", "As people call it."), MAYBE("industry", ENT_SHAPE_TEXT, "Its industry."), \
		MAYBE("region", ENT_SHAPE_TEXT, "Its region."), MAYBE("stage", ENT_SHAPE_TEXT, "How far the partnership is."), \
		MAYBE("currency", ENT_SHAPE_TEXT, "Its currency."), TEXT("zone", "Its time zone, in which days are cut."),     \
		MAYBE("signed_on", ENT_SHAPE_DAY, "When the agreement was signed."),                                           \
		{.key = "created", .shape = ENT_SHAPE_BOOL, .doc = "The data brought it, and no configuration knows it."},     \
		{.key = "data", .shape = ENT_SHAPE_MAP, .of = ENT_SHAPE_OBJECT, .schema = &reach,                              \
			.doc = "How far the data reaches: of sales, traffic and carts."},                                          \
		COUNT("red_flags", "Open red flags."), COUNT("gates", "Open gates."), COUNT("opportunities", "Opportunities."), \
		COUNT("insights", "Insights."), COUNT("unknown", "Rules that could not judge."),                               \
		COUNT("failed", "Rules that failed."),                                                                         \
		{.key = "worth", .shape = ENT_SHAPE_NUMBER, .doc = "Of the opportunities, in the reporting currency."},        \
		MAYBE("first", ENT_SHAPE_TEXT, "What to look at first.")

static const ent_member partner_members[] = {PARTNER_MEMBERS, {.key = NULL}};
static const ent_schema partner = {.name = "Partner", .doc = "A partner in the portfolio.", .members = partner_members};
static const ent_member partners_members[] = {
	{.key = "as_of", .shape = ENT_SHAPE_DAY, .doc = "The day of judgement."},
	TEXT("currency", "What things are worth is in it."), {.key = "partners", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &partner, .doc = "By id."}, {.key = NULL}};
static const ent_schema partners = {.name = "Partners", .doc = "The portfolio.", .members = partners_members};
static const ent_member one_members[] = {{.key = "as_of", .shape = ENT_SHAPE_DAY, .doc = "The day of judgement."},
	PARTNER_MEMBERS,
	{.key = "attributes", .shape = ENT_SHAPE_MAP, .of = ENT_SHAPE_ANY, .doc = "Whatever else the profile says."},
	{.key = NULL}};
static const ent_schema one_partner = {.name = "PartnerPage", .doc = "One partner.", .members = one_members};

static void get_partners(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "partners");
	ent__words_add(&w, "--json");
	ent__words_param(&w, r, "as_of");
	ent__words_page(&w, r);
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

static void get_partner(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "partners");
	ent__words_add(&w, "show");
	ent__words_add(&w, "--json");
	ent__words_param(&w, r, "as_of");
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "partner"));
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

/* A partner gets what was released to it, and its own alone. */
static void get_brief(ent_request *r, void *ctx) {
	const char *own = ent_request_partner(r), *id = ent_request_text(r, "partner"), *media = ent_request_media(r);
	ent__words w = {0};
	if (own && strcmp(own, id) != 0) {
		ent_answer_problem(r, 404, "there is no partner '%s'", id);
		return;
	}
	ent__words_add(&w, "brief");
	ent__words_add(&w, "--output=-");
	ent__words_option(&w, "for", own ? "partner" : ent_request_text(r, "for"));
	ent__words_param(&w, r, "as_of");
	if (!strcmp(media, ENT_MEDIA_JSON)) {
		ent__words_add(&w, "--json");
	}
	ent__words_option(&w, "format", !strcmp(media, ENT_MEDIA_HTML) ? "html" : !strcmp(media, ENT_MEDIA_CSV) ? "csv" : "json");
	ent__words_end(&w);
	ent__words_add(&w, id);
	if (!strcmp(media, ENT_MEDIA_HTML)) { /* the page holds its styles and its charts, and nothing from elsewhere */
		ent_answer_header(r, "Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
			"frame-ancestors 'self'");
	}
	ent__api_ask(r, ctx, &w, media, ENT__ASK_VERSIONED);
}

static const char *const readers[] = {"us", "partner", NULL};
static const ent_param list_params[] = {ENT_PARAM_ROWS_PAGE, AS_OF, NONE};
#define PARTNER_PARAM                                                                                                  \
	{.name = "partner", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .example = "nordwind", .doc = "The partner's id."}
static const ent_param partner_params[] = {PARTNER_PARAM, AS_OF, NONE};
static const ent_param brief_params[] = {PARTNER_PARAM,
	{.name = "for", .in = ENT_PARAM_QUERY, .type = ENT_PARAM_CHOICE, .choices = readers, .preset = "us",
		.doc = "For whom: `partner` leaves out what is ours alone."},
	AS_OF, NONE};
static const ent_reply partners_replies[] = {{200, ENT_MEDIA_JSON, &partners, false, "The partners of this page."}, {0}};
static const ent_reply partner_replies[] = {{200, ENT_MEDIA_JSON, &one_partner, false, "The partner."},
	{404, NULL, NULL, false, "There is no such partner."}, {0}};
static const ent_reply brief_replies[] = {{200, ENT_MEDIA_JSON, NULL, false, "The brief's content."},
	{200, ENT_MEDIA_HTML, NULL, false, "The page for the meeting: one file without references."},
	{200, ENT_MEDIA_CSV, NULL, false, "The same content."}, {404, NULL, NULL, false, "There is no such partner."}, {0}};

/* ---- metrics ------------------------------------------------------------------------------------------------------------- */

static const ent_member term_members[] = {{.key = "sign", .shape = ENT_SHAPE_INT, .doc = "1 or -1."},
	{.key = "times", .shape = ENT_SHAPE_INT, .optional = true, .doc = "How often it counts; once where this is absent."},
	{.key = "measure", .shape = ENT_SHAPE_TEXT, .optional = true, .doc = "What is counted."},
	{.key = "set", .shape = ENT_SHAPE_TEXT, .optional = true, .doc = "Or what of which the different ones are counted."},
	TEXT("family", "sales, traffic or carts."), {.key = "doc", .shape = ENT_SHAPE_TEXT, .optional = true, .doc = "What it is."},
	{.key = NULL}};
static const ent_schema term = {.name = "MetricTerm", .doc = "A term of a metric.", .members = term_members};
static const ent_member metric_members[] = {TEXT("name", "As it is asked for."), TEXT("doc", "What it is."),
	TEXT("unit", "Its unit."), TEXT("kind", "sum, ratio, distinct or distribution."), TEXT("additivity", "Over what it adds up."),
	{.key = "tags", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_TEXT, .doc = "To look it up by."},
	{.key = "top", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &term, .optional = true, .doc = "The sum, or above the line."},
	{.key = "bottom", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &term, .optional = true, .doc = "Below the line."},
	{.key = "over", .shape = ENT_SHAPE_INT, .optional = true, .doc = "What the sum is divided by."},
	{.key = "declared", .shape = ENT_SHAPE_BOOL, .doc = "Whether it is none of those that are built in."},
	TEXT("definition", "Equal where figures can be compared."), {.key = NULL}};
static const ent_schema metric = {.name = "Metric", .doc = "What a metric means.", .members = metric_members};

static void get_metrics(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "metrics");
	ent__words_add(&w, "list");
	ent__words_add(&w, "--json");
	ent__words_param(&w, r, "tag");
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

static void get_metric(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "metrics");
	ent__words_add(&w, "show");
	ent__words_add(&w, "--json");
	ent__words_end(&w);
	ent__words_add(&w, ent_request_text(r, "metric"));
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

static const ent_param metrics_params[] = {{.name = "tag", .type = ENT_PARAM_TEXT, .example = "sales",
	.doc = "Only those with this tag: sales, traffic, carts, money, …"}, NONE};
static const ent_param metric_params[] = {
	{.name = "metric", .in = ENT_PARAM_PATH, .type = ENT_PARAM_TEXT, .example = "revenue.net", .doc = "Its name."}, NONE};
static const ent_reply metrics_replies[] = {{200, ENT_MEDIA_JSON, &metric, true, "The metrics."}, {0}};
static const ent_reply metric_replies[] = {
	{200, ENT_MEDIA_JSON, &metric, false, "The metric."}, {404, NULL, NULL, false, "There is no such metric."}, {0}};

/* ---- series -------------------------------------------------------------------------------------------------------------- */

static const ent_member figure_members[] = {{.key = "from", .shape = ENT_SHAPE_DAY, .doc = "First day."},
	{.key = "through", .shape = ENT_SHAPE_DAY, .doc = "Last day."},
	MAYBE("value", ENT_SHAPE_NUMBER, "The figure; null where it is not known."),
	TEXT("state", "known, partial, no_coverage, no_rate, …"), {.key = NULL}};
static const ent_schema figure = {.name = "Figure", .doc = "A metric over days.", .members = figure_members, .open = true};
static const ent_member row_members[] = {{.key = "from", .shape = ENT_SHAPE_DAY, .doc = "First day."},
	{.key = "through", .shape = ENT_SHAPE_DAY, .doc = "Last day."},
	{.key = "figures", .shape = ENT_SHAPE_MAP, .of = ENT_SHAPE_OBJECT, .schema = &figure, .doc = "By metric."}, {.key = NULL}};
static const ent_schema row = {.name = "SeriesRow", .doc = "Figures of one group; what it is grouped by has a member of its name.",
	.members = row_members, .open = true};
static const ent_member series_members[] = {{.key = "as_of", .shape = ENT_SHAPE_DAY, .doc = "The day of judgement."},
	{.key = "from", .shape = ENT_SHAPE_DAY, .doc = "First day."}, {.key = "through", .shape = ENT_SHAPE_DAY, .doc = "Last day."},
	TEXT("currency", "Of money."), {.key = "partners", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_TEXT, .doc = "Empty: all."},
	MAYBE("by", ENT_SHAPE_TEXT, "What it is grouped by."),
	{.key = "rows", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &row, .doc = "One for each group."},
	{.key = "total", .shape = ENT_SHAPE_OBJECT, .schema = &row, .null = true, .doc = "The window as a whole."}, {.key = NULL}};
static const ent_schema series = {.name = "Series", .doc = "Exact figures.", .members = series_members, .open = true};

typedef struct arrowing {
	ent_request *r;
} arrowing;

static void on_series(void *ctx, ent_reader_answer *a) {
	arrowing *x = ctx;
	ent_request *r = x->r;
	ent_buf out = {0};
	ent_error e;
	free(x);
	if (a->errors->n) {
		ent_answer_error(r, &a->errors->e[0]);
	} else if (ent_arrow_series((const char *)a->out.data, a->out.n, &out, &e)) {
		ent_answer_error(r, &e);
	} else {
		ent_answer_bytes(r, 200, ENT_MEDIA_ARROW, &out);
	}
	ent_buf_finish(&out);
}

static void get_series(ent_request *r, void *ctx) {
	static const char *const options[] = {"partner", "by", "from", "to", "window", "view", "value", "origin", "as_of"};
	const char *media = ent_request_media(r), *name;
	ent__serve *s = ctx;
	ent__words w = {0};
	ent__words_add(&w, "metrics");
	ent__words_add(&w, "query");
	ent__words_add(&w, !strcmp(media, ENT_MEDIA_CSV) ? "--csv" : "--json");
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		ent__words_param(&w, r, options[i]);
	}
	ent__words_end(&w);
	for (size_t i = 0; (name = ent_request_each(r, "metric", i)); i++) {
		ent__words_add(&w, name);
	}
	if (strcmp(media, ENT_MEDIA_ARROW) != 0) {
		ent__api_ask(r, s, &w, media, ENT__ASK_VERSIONED);
		return;
	}
	arrowing *x = ent_xcalloc(1, sizeof *x);
	x->r = r;
	s->options->reader->ask(s->reader, w.list, w.n, on_series, x);
	ent__words_finish(&w);
}

static const ent_param series_params[] = {
	{.name = "metric", .type = ENT_PARAM_TEXT, .required = true, .many = true, .example = "orders",
		.doc = "A metric; may be given several times."},
	{.name = "partner", .type = ENT_PARAM_TEXT, .many = true, .doc = "Of this partner. Without it, of all together."},
	{.name = "by", .type = ENT_PARAM_TEXT, .example = "month",
		.doc = "A row for each partner, day, week, month, or value of a view (channel, category, country, …)."},
	{.name = "window", .type = ENT_PARAM_TEXT, .doc = "Days that end with the moment of judgement: 28d, 12w, 6m, 1y, mtd, qtd or ytd."},
	{.name = "from", .type = ENT_PARAM_DAY, .doc = "First day. Without it, the first with data."},
	{.name = "to", .type = ENT_PARAM_DAY, .doc = "Last day, included. Without it, the last with data."},
	{.name = "view", .type = ENT_PARAM_TEXT, .doc = "With `value`: only what belongs to it. Alone: as `by`."},
	{.name = "value", .type = ENT_PARAM_TEXT, .doc = "Of the view; (none) is what belongs to no value."},
	{.name = "origin", .type = ENT_PARAM_CHOICE, .choices = origins, .doc = "Whose figures."}, AS_OF, NONE};
static const ent_reply series_replies[] = {{200, ENT_MEDIA_JSON, &series, false, "The figures."},
	{200, ENT_MEDIA_CSV, NULL, false, "A row for each figure."},
	{200, ENT_MEDIA_ARROW, NULL, false, "A row for each figure, as an Arrow IPC stream."},
	{404, NULL, NULL, false, "There is no such metric or partner."}, {0}};

/* ---- balance, rules ------------------------------------------------------------------------------------------------------ */

static const ent_member balance_members[] = {
	{.key = "sources", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_ANY, .doc = "Both equations of each source."},
	{.key = "closes", .shape = ENT_SHAPE_BOOL, .doc = "All of them do."}, {.key = NULL}};
static const ent_schema balance = {.name = "Balance", .doc = "Every record and every fact is accounted for.", .members = balance_members};

static void get_balance(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "balance");
	ent__words_add(&w, "--json");
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_VERSIONED);
}

static const ent_member setting_members[] = {TEXT("name", "As it is set."), {.key = NULL}};
static const ent_schema setting = {.name = "RuleSetting", .doc = "What it is set to, and else would be.",
	.members = setting_members, .open = true};
static const ent_member rule_members[] = {TEXT("name", "Its name."), TEXT("practice", "To which practice it belongs."),
	TEXT("doc", "What it judges."), TEXT("file", "Where it is written."),
	{.key = "settings", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &setting, .doc = "Its parameters."},
	{.key = NULL}};
static const ent_schema rule = {.name = "Rule", .doc = "A rule.", .members = rule_members, .open = true};
static const ent_member rules_members[] = {
	{.key = "rules", .shape = ENT_SHAPE_LIST, .of = ENT_SHAPE_OBJECT, .schema = &rule, .doc = "In their order."}, {.key = NULL}};
static const ent_schema rules = {.name = "Rules", .doc = "The rules of the configured books.", .members = rules_members, .open = true};

static void get_rules(ent_request *r, void *ctx) {
	ent__words w = {0};
	ent__words_add(&w, "rules");
	ent__words_add(&w, "list");
	ent__words_add(&w, "--json");
	ent__words_param(&w, r, "practice");
	ent__api_ask(r, ctx, &w, ENT_MEDIA_JSON, ENT__ASK_PLAIN);
}

static const ent_reply balance_replies[] = {{200, ENT_MEDIA_JSON, &balance, false, "The balance sheet, whether it closes or not."}, {0}};
static const ent_param rules_params[] = {{.name = "practice", .type = ENT_PARAM_TEXT, .doc = "Only those of this practice."}, NONE};
static const ent_reply rules_replies[] = {{200, ENT_MEDIA_JSON, &rules, false, "The rules."}, {0}};

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

#define READS(path_, name_, group_, doc_, params_, replies_, run_)                                                     \
	.method = "GET", .path = "/api/v1/" path_, .name = name_, .group = group_, .doc = doc_, .least = ENT_ROLE_VIEWER,  \
	.params = params_, .replies = replies_, .run = run_

const ent_route ent__api_routes[] = {
	{READS("partners", "listPartners", "partners", "List the partners. Profile, how far the data reaches, what the rules said.",
		list_params, partners_replies, get_partners)},
	{READS("partners/{partner}", "getPartner", "partners", "Show one partner.", partner_params, partner_replies, get_partner)},
	{READS("partners/{partner}/brief", "getBrief", "partners",
		 "Make the brief of a partner. As data, or as the page for the meeting. A token of the partner's gets what was released.",
		 brief_params, brief_replies, get_brief),
		.released = true},
	{READS("metrics", "listMetrics", "metrics", "List the metrics that can be asked for.", metrics_params, metrics_replies, get_metrics)},
	{READS("metrics/{metric}", "getMetric", "metrics", "Show what a metric means.", metric_params, metric_replies, get_metric)},
	{READS("series", "getSeries", "metrics", "Read exact figures of partners, days and channels.", series_params, series_replies,
		get_series)},
	{READS("balance", "getBalance", "sources", "Show that every record and every fact is accounted for.", NULL, balance_replies,
		get_balance)},
	{READS("rules", "listRules", "rules", "List the rules, what they judge and what they are set to.", rules_params, rules_replies,
		get_rules)},
	{.path = NULL}};
