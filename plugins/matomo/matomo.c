/* SPDX-License-Identifier: Apache-2.0
 *
 * The Matomo plugin: visits and reports as Matomo's API answers in JSON and XML, and both as CSV exports. This file
 * holds the tables and the life of an instance; body.c and xml.c take answers apart, table.c rows.
 */
#include "matomo.h"

#include <stdlib.h>

#define PERIOD                                                                                                         \
	{                                                                                                                  \
		.key = "period", .type = ENT_OPT_STR,                                                                          \
		.doc = "The days that a document speaks for which names none itself: 2026-05-04, 2026-05, or first and last "  \
			   "day with a comma between. Without it they are looked for in the document's name.",                     \
	}
#define CURRENCY(text)                                                                                                 \
	{ .key = "currency", .type = ENT_OPT_STR, .doc = text, }

const ent_option mat__options[] = {
	[MAT_OPT_PERIOD] = PERIOD,
	[MAT_OPT_CURRENCY] = CURRENCY("Currency of the site, for what does not name it: reports never do."),
	{.key = NULL},
};

static const char *const marks[] = {".", ",", NULL};

static const ent_option column_options[] = {
	{.key = "*", .type = ENT_OPT_STR, .doc = "The header that the export has for this field of the API."},
	{.key = NULL}};

const ent_option mat__report_options[] = {
	[MAT_OPT_PERIOD] = PERIOD,
	[MAT_OPT_CURRENCY] = CURRENCY("Currency of the site: reports do not name it."),
	[MAT_OPT_DECIMAL] = {.key = "decimal",
		.type = ENT_OPT_ENUM,
		.preset = ".",
		.choices = marks,
		.doc = "The decimal mark, which follows the language of who exported; the other one then parts thousands."},
	[MAT_OPT_COLUMNS] = {.key = "columns",
		.type = ENT_OPT_MAP,
		.doc =
			"Headers in the language of who exported, by the API's name of the field: nb_visits, nb_uniq_visitors, …",
		.item = column_options},
	{.key = NULL},
};

const ent_column mat__visit_columns[] = {
	[VISIT_ID] = {"idVisit", NULL, 1},
	[VISIT_SITE] = {"idSite", NULL, 1},
	[VISIT_VISITOR] = {"visitorId", NULL, 0},
	[VISIT_FINGERPRINT] = {"fingerprint", NULL, 0},
	[VISIT_USER] = {"userId", NULL, 0},
	[VISIT_CURRENCY] = {"siteCurrency", NULL, 0},
	[VISIT_FIRST] = {"firstActionTimestamp", NULL, 0},
	[VISIT_LAST] = {"lastActionTimestamp", NULL, 0},
	[VISIT_DAY] = {"serverDate", NULL, 0},
	[VISIT_TYPE] = {"visitorType", NULL, 1},
	[VISIT_STATUS] = {"visitEcommerceStatus", NULL, 0},
	[VISIT_DURATION] = {"visitDuration", NULL, 0},
	[VISIT_ACTIONS] = {"actions", NULL, 0},
	[VISIT_INTERACTIONS] = {"interactions", NULL, 0},
	[VISIT_REFERRER_TYPE] = {"referrerType", NULL, 0},
	[VISIT_REFERRER] = {"referrerName", NULL, 0},
	[VISIT_CAMPAIGN] = {"campaignName", NULL, 0},
	[VISIT_CAMPAIGN_SOURCE] = {"campaignSource", NULL, 0},
	[VISIT_CAMPAIGN_MEDIUM] = {"campaignMedium", NULL, 0},
	[VISIT_COUNTRY] = {"countryCode", NULL, 0},
	[VISIT_DEVICE] = {"deviceType", NULL, 0},
	{NULL, NULL, 0},
};

/* Translated headers: English and German as exports were seen, other languages by the option `columns`. */
const ent_column mat__figure_columns[] = {
	[FIGURE_DATE] = {"date", "Datum", 0},
	[FIGURE_VISITS] = {"nb_visits", "Visits|Besuche", 0},
	[FIGURE_VISITORS] = {"nb_uniq_visitors", "Unique visitors|Eindeutige Besucher", 0},
	[FIGURE_PAGEVIEWS] = {"nb_pageviews", "Pageviews", 0},
	[FIGURE_BOUNCES] = {"bounce_count", "Bounces|Absprünge", 0},
	[FIGURE_LENGTH] = {"sum_visit_length",
		"Total time spent by visitors (in seconds)|Von Besuchern verbrachte Gesamtzeit (in Sekunden)", 0},
	[FIGURE_LABEL] = {"label", NULL, 0},
	[FIGURE_SEGMENT] = {"segment", "Metadata: segment|Metadaten: segment|metadata_segment", 0},
	[FIGURE_CODE] = {"code", "Metadata: code|Metadaten: code|metadata_code", 0},
	[FIGURE_CONVERSIONS] = {"nb_conversions", NULL, 0},
	[FIGURE_CONVERTED] = {"nb_visits_converted", NULL, 0},
	[FIGURE_REVENUE] = {"revenue", NULL, 0},
	[FIGURE_SUBTOTAL] = {"revenue_subtotal", NULL, 0},
	[FIGURE_TAX] = {"revenue_tax", NULL, 0},
	[FIGURE_SHIPPING] = {"revenue_shipping", NULL, 0},
	[FIGURE_DISCOUNT] = {"revenue_discount", NULL, 0},
	[FIGURE_ITEMS] = {"items", NULL, 0},
	[FIGURE_QUANTITY] = {"quantity", NULL, 0},
	[FIGURE_ORDERS] = {"orders", NULL, 0},
	[FIGURE_CARTS] = {"abandoned_carts", NULL, 0},
	{NULL, NULL, 0},
};

void mat__destroy(void *self) {
	matomo *m = self;
	if (!m)
		return;
	mat__xml_close(m);
	if (m->tokener)
		json_tokener_free(m->tokener);
	free(m->columns);
	free(m->lines);
	free(m->text);
	free(m);
}

ent_status mat__create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	const ent_value *period = &values[MAT_OPT_PERIOD], *currency = &values[MAT_OPT_CURRENCY];
	matomo *m = calloc(1, sizeof *m);
	if (!m)
		return ENT_ENOMEM;
	m->host = host;
	m->ctx = ctx;
	m->decimal = '.';
	m->tokener = json_tokener_new_ex(MAT_DEPTH);
	if (!m->tokener) {
		mat__destroy(m);
		return ENT_ENOMEM;
	}
	json_tokener_set_flags(m->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (period->set && period->s.n && report_span(period->s, &m->asked)) {
		mat__destroy(m);
		host->error(ctx, 0, ENT_NO_COLUMN, "period is neither a day, a month nor two days",
			"write it like 2026-05-04, 2026-05 or 2026-05-04,2026-05-10");
		return ENT_EOPTION;
	}
	if (currency->set && currency->s.n && mat__currency(m, currency->s, m->currency)) {
		mat__destroy(m);
		host->error(ctx, 0, ENT_NO_COLUMN, "currency is no code of three letters",
			"write it as ISO 4217 does, EUR for example");
		return ENT_EOPTION;
	}
	*self = m;
	return ENT_OK;
}

ent_status mat__create_report(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	const ent_value *names = &values[MAT_OPT_COLUMNS];
	matomo *m;
	ent_status e = mat__create(host, ctx, values, self);
	if (e)
		return e;
	m = *self;
	m->decimal = values[MAT_OPT_DECIMAL].i ? ',' : '.';
	m->group = values[MAT_OPT_DECIMAL].i ? '.' : ',';
	m->columns = malloc(sizeof mat__figure_columns);
	if (!m->columns) {
		mat__destroy(m);
		return ENT_ENOMEM;
	}
	memcpy(m->columns, mat__figure_columns, sizeof mat__figure_columns);
	for (size_t i = 0; names->set && i < names->n; i++) {
		size_t k = 0;
		while (k < FIGURE_FIELDS && (strlen(mat__figure_columns[k].name) != names->keys[i].n ||
										memcmp(mat__figure_columns[k].name, names->keys[i].p, names->keys[i].n)))
			k++;
		if (k == FIGURE_FIELDS) {
			mat__destroy(m);
			host->error(ctx, 0, ENT_NO_COLUMN, "columns names a field that is not read",
				"name fields of the API: date, nb_visits, nb_uniq_visitors, nb_pageviews, bounce_count, "
				"sum_visit_length, "
				"label, segment, code, nb_conversions, nb_visits_converted, revenue, revenue_subtotal, revenue_tax, "
				"revenue_shipping, revenue_discount, items, quantity, orders, abandoned_carts");
			return ENT_EOPTION;
		}
		m->columns[k].name = names->items[i].s.p; /* ends with NUL; the host keeps the options */
		m->columns[k].aliases = mat__figure_columns[k].name;
		m->columns[k].required = 1;
	}
	return ENT_OK;
}

int mat__currency(const matomo *m, ent_str s, char out[4]) {
	memcpy(out, m->currency, 4);
	if (s.n != 3)
		return s.n || !out[0] ? -1 : 0;
	for (int i = 0; i < 3; i++) {
		char c = text_lower(s.p[i]);
		if (c < 'a' || c > 'z')
			return -1;
		out[i] = (char)(c & ~0x20);
	}
	out[3] = 0;
	return 0;
}

int mat__stamp(ent_str s, ent_time *out) {
	int64_t seconds;
	if (s.n > 11 || text_digits(s.p, s.n, &seconds))
		return -1;
	*out = (ent_time){.v = seconds * 1000000, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT};
	return 0;
}

ent_status mat__begin(void *self, const ent_doc *doc) {
	matomo *m = self;
	ent_str name = doc->name;
	mat__xml_close(m);
	m->form = MAT_UNKNOWN;
	m->at = m->text_n = m->place = 0;
	m->bom = m->in_list = m->in_record = m->in_string = m->escaped = 0;
	m->depth = 0;
	m->status = ENT_OK;
	m->seen = m->totals = 0;
	m->least = (report_days){0, 0};
	m->days = m->asked;
	for (size_t i = name.n; i-- > 0;) /* folders are often called by dates, too: the file's own name */
		if (name.p[i] == '/') {
			name = (ent_str){name.p + i + 1, name.n - i - 1};
			break;
		}
	if (m->days.from == m->days.to)
		report_named(name, &m->days);
	return ENT_OK;
}

void mat__covers(matomo *m) {
	static const ent_fact of_visits[] = {ENT_VISIT, ENT_ORDER, ENT_CART};
	report_days d = m->days;
	if (m->seen >> ENT_VISIT & 1 && d.from < d.to)
		for (size_t i = 0; i < sizeof of_visits / sizeof *of_visits; i++)
			if (of_visits[i] == ENT_VISIT || m->form != MAT_UNKNOWN) /* rows tell nothing of orders and carts */
				m->host->covers(m->ctx, of_visits[i], report_day(d.from), report_day(d.to), 0);
	if (m->least.from < m->least.to)
		m->host->covers(m->ctx, ENT_OBSERVATION, report_day(m->least.from), report_day(m->least.to), 0);
}

ent_status mat__refuse(matomo *m, uint64_t place, const char *what, const char *todo) {
	return m->host->error(m->ctx, place, ENT_NO_COLUMN, what, todo);
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	static const char *const marks_of[][4] = {/* all of one row */
		{"<result", "<idsite>", "<idvisit>", "<visitortype>"}, {"\"idvisit\"", "\"idsite\"", "\"visitortype\"", "{"},
		{"<result", "<nb_visits>", "<bounce_count>", "<"},
		{"\"nb_visits\"", "\"bounce_count\"", "\"sum_visit_length\"", "{"},
		{"<result", "<nb_conversions>", "<nb_visits_converted>", "<"},
		{"\"nb_conversions\"", "\"nb_visits_converted\"", "\"revenue\"", "{"},
		{"<result", "<segment>product", "<conversion_rate>", "<avg_price>"},
		{"\"segment\"", "\"avg_price\"", "\"avg_quantity\"", "{"}};
	ent_str s = text_start(text_trim(head));
	if (s.n > 3 && !memcmp(s.p, "\xef\xbb\xbf", 3))
		s.p += 3, s.n -= 3;
	for (size_t i = 0; s.n && strchr("<[{", s.p[0]) && i < sizeof marks_of / sizeof *marks_of; i++) {
		int k = 0;
		while (k < 4 && (marks_of[i][k][0] == '<') == (s.p[0] == '<') && text_has_fold(s, marks_of[i][k]))
			k++;
		if (k == 4) {
			if (why)
				*why = i < 2 ? "an answer of Matomo with idSite, idVisit and visitorType: visits"
							 : "an answer of Matomo with the figures of a report";
			return 95;
		}
	}
	if (why)
		*why = "neither JSON nor XML with idVisit and visitorType, nor with nb_visits, nb_conversions or articles as "
			   "Matomo "
			   "names them";
	return 0;
}

static const ent_decoder answers = {
	.size = sizeof(ent_decoder),
	.flags = ENT_DECODER_RESTATES | ENT_DECODER_ANALYTICS,
	.name = "matomo",
	.doc = "Visits with their orders and left carts, and reports, as Matomo's API answers in JSON and XML.",
	.version = "1",
	.system = "matomo",
	.facts = 1u << ENT_VISIT | 1u << ENT_ORDER | 1u << ENT_LINE | 1u << ENT_CART | 1u << ENT_OBSERVATION,
	.frame = ENT_FRAME_BYTES,
	.options = mat__options,
	.probe = probe,
	.create = mat__create,
	.begin = mat__begin,
	.feed = mat__feed,
	.end = mat__end,
	.destroy = mat__destroy,
};

static const ent_decoder *const decoders[] = {&answers, &mat__visits_table, &mat__reports_table, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "matomo",
	.version = "1.0.0",
	.decoders = decoders,
};
