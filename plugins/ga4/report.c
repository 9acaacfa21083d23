/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of GA4's Data API (runReport, batchRunReports), see README.md: figures that Google has added up, as
 * observations.
 */
#include "report.h"

#include <stdlib.h>

enum { OPT_PERIOD, OPT_CURRENCY };
enum { COLUMNS_MAX = 32, WHO = 96 };

static const ent_option options[] = {
	[OPT_PERIOD] = {.key = "period",
		.type = ENT_OPT_STR,
		.doc = "Days of reports without a date, as 2026-05-04 or 2026-05-04,2026-05-10; without it, those "
			   "that the document's name tells."},
	[OPT_CURRENCY] = {.key = "currency",
		.type = ENT_OPT_STR,
		.doc = "Currency (ISO 4217) of reports whose metadata names none; without it their money is left out."},
	{.key = NULL}};

/* What a column of the rows is. */
typedef struct dimension {
	char name[64]; /* of a view, or its own */
	size_t column;
} dimension;

typedef struct api {
	const ent_host *host;
	ent_ctx *ctx;
	json_tokener *tokener;
	report_days period, named; /* from == to: none */
	char currency[4];
	report_places places;
	size_t reports; /* of the document */
	/* the report in hand */
	dimension dims[COLUMNS_MAX];
	size_t n_dims, dim_columns, metric_columns;
	const report_metric *metrics[COLUMNS_MAX];
	size_t date;       /* column of it; SIZE_MAX: none */
	const char *wrong; /* why none of its rows can be taken; NULL: they can */
	char who[WHO];
	size_t who_n;
	char grade;
} api;

static int currency_of(ent_str s, char out[4]) {
	if (s.n != 3 || s.p[0] < 'A' || s.p[0] > 'Z' || s.p[1] < 'A' || s.p[1] > 'Z' || s.p[2] < 'A' || s.p[2] > 'Z')
		return -1;
	memcpy(out, s.p, 3);
	out[3] = 0;
	return 0;
}

/* ---- headers ---- */

static const char *const by_time[] = {"dateHour", "dateHourMinute", "hour", "minute", "nthDay", "nthWeek", "nthMonth",
	"week", "isoWeek", "isoYearIsoWeek", "yearWeek", "month", "day", "dayOfWeek", "dayOfWeekName", "dateRange", NULL};

static int is_time(ent_str name) {
	for (const char *const *t = by_time; *t; t++)
		if (strlen(*t) == name.n && !memcmp(*t, name.p, name.n))
			return 1;
	return 0;
}

/* Sorted by name, as observations have them. */
static void add_dimension(api *a, size_t column, ent_str name) {
	dimension d = {.column = column};
	const char *view = report_dim_of(name);
	if (!view && (!name.n || name.n >= sizeof d.name)) {
		a->wrong = "a dimension whose name is longer than 63 bytes";
		return;
	}
	for (size_t i = 0; i < (view ? strlen(view) : name.n); i++) { /* of custom dimensions: customEvent:size */
		char c = view ? view[i] : name.p[i];
		d.name[i] = (char)(c == ',' || c == '=' ? '_' : c);
	}
	size_t at = a->n_dims;
	for (size_t i = 0; i < a->n_dims; i++)
		if (!strcmp(a->dims[i].name, d.name)) {
			a->wrong = "two dimensions that mean the same here, such as sessionSource and source: ask for one of them";
			return;
		}
	for (; at && strcmp(a->dims[at - 1].name, d.name) > 0; at--)
		a->dims[at] = a->dims[at - 1];
	a->dims[at] = d;
	a->n_dims++;
}

static void headers(api *a, json_object *answer) {
	json_object *dims = jsonl_member(answer, "dimensionHeaders"), *metrics = jsonl_member(answer, "metricHeaders");
	a->dim_columns = jsonl_length(dims);
	a->metric_columns = jsonl_length(metrics);
	a->n_dims = 0;
	a->date = SIZE_MAX;
	a->wrong = NULL;
	if (a->dim_columns > COLUMNS_MAX || a->metric_columns > COLUMNS_MAX) {
		a->wrong = "more than 32 dimensions or metrics, which the API does not give";
		return;
	}
	for (size_t i = 0; i < a->dim_columns; i++) {
		ent_str name = jsonl_text(json_object_array_get_idx(dims, i), "name");
		if (TEXT_IS(name, "date") || TEXT_IS(name, "yearMonth") || TEXT_IS(name, "year")) {
			if (a->date != SIZE_MAX)
				a->wrong = "two dimensions that are dates: ask for one of them";
			a->date = i;
		} else if (is_time(name)) {
			a->wrong =
				"a report by parts of days, by weeks or by ranges: ask for the dimension date, yearMonth or year";
		} else {
			add_dimension(a, i, name);
		}
	}
	int kept = 0;
	for (size_t i = 0; i < a->metric_columns; i++) {
		a->metrics[i] = report_metric_of(jsonl_text(json_object_array_get_idx(metrics, i), "name"));
		kept += a->metrics[i] != NULL;
	}
	if (!kept && !a->wrong)
		a->wrong = "no figure is kept by the metrics of this report";
}

/* Whose figures, and how good: what was sampled, withheld or lumped together is an estimate. */
static void metadata(api *a, json_object *answer, report *r) {
	json_object *m = jsonl_member(answer, "metadata");
	ent_str zone = jsonl_text(m, "timeZone");
	const char *why = jsonl_length(jsonl_member(m, "samplingMetadatas"))                  ? ", sampled"
					  : json_object_get_boolean(jsonl_member(m, "subjectToThresholding")) ? ", rows withheld"
					  : json_object_get_boolean(jsonl_member(m, "dataLossFromOtherRow"))
						  ? ", rows lumped together as (other)"
						  : "";
	a->grade = *why ? 'D' : 0;
	int n = snprintf(a->who, sizeof a->who, "Google Analytics%s%.*s%s", zone.n ? ", days of " : "",
		zone.n > 40 ? 0 : (int)zone.n, zone.n ? zone.p : "", why);
	a->who_n = n > 0 && n < WHO ? (size_t)n : 0;
	memset(r->currency, 0, sizeof r->currency);
	if (currency_of(jsonl_text(m, "currencyCode"), r->currency))
		memcpy(r->currency, a->currency, sizeof a->currency);
}

/* ---- rows ---- */

/* YYYYMMDD, YYYYMM or YYYY. */
static int days_of(ent_str s, report_days *out) {
	char text[8];
	if (s.n != 6)
		return report_date(s, out);
	memcpy(text, s.p, 4);
	text[4] = '-';
	memcpy(text + 5, s.p + 4, 2);
	return report_date((ent_str){text, 7}, out);
}

static ent_status say(const api *a, const report *r, const report_metric *m, int64_t micro) {
	char key[256];
	ent_observation o = {.h = {.has = ENT_HAS_VALUE, .place = r->place, .key = report_key(r, m->metric, key)},
		.from = report_day(r->days.from),
		.to = report_day(r->days.to),
		.metric = {m->metric, strlen(m->metric)},
		.unit = {m->unit, strlen(m->unit)},
		.who = {a->who, a->who_n},
		.origin = ENT_ORIGIN_ANALYTICS,
		.grade = a->grade,
		.additive = (uint8_t)m->additive,
		.value = micro};
	if (r->dims_n)
		o.dims = (ent_str){r->dims, r->dims_n};
	if (!strcmp(m->unit, "money"))
		memcpy(o.currency, r->currency, sizeof o.currency);
	return a->host->push(a->ctx, ENT_OBSERVATION, &o, sizeof o, 1);
}

static ent_status reject(const api *a, uint64_t place, const char *why) {
	a->host->reject(a->ctx, place, ENT_NO_COLUMN, why);
	return ENT_OK;
}

/* A number as Java writes it: 119.6, 4010, and from ten million on 1.23456789E7. 0 or -1. */
static int number(const ent_host *host, ent_str s, int64_t *micro) {
	char text[64];
	size_t n = 0, point = 0, digits = 0, mark = 0;
	int64_t shift = 0;
	while (mark < s.n && s.p[mark] != 'E' && s.p[mark] != 'e')
		mark++;
	if (mark == s.n)
		return text_money(host, s, micro);
	int down = mark + 1 < s.n && s.p[mark + 1] == '-', sign = down || (mark + 1 < s.n && s.p[mark + 1] == '+');
	size_t from = mark + 1 + (size_t)sign;
	if (mark > 32 || s.n - from > 2 || text_digits(s.p + from, s.n - from, &shift) || shift > 18)
		return -1;
	char plain[40];
	int negative = mark && s.p[0] == '-', seen = 0;
	for (size_t i = (size_t)negative; i < mark; i++) {
		if (s.p[i] == '.' && !seen) {
			seen = 1;
		} else if (s.p[i] >= '0' && s.p[i] <= '9') {
			plain[digits++] = s.p[i];
			point += !seen;
		} else {
			return -1;
		}
	}
	int64_t at = (int64_t)point + (down ? -shift : shift); /* where the point stands among the digits */
	if (!digits)
		return -1;
	if (negative)
		text[n++] = '-';
	if (at <= 0)
		text[n++] = '0';
	for (int64_t i = at < 0 ? at : 0; i < (int64_t)digits || i < at; i++) {
		if (i == at)
			text[n++] = '.';
		text[n++] = i >= 0 && i < (int64_t)digits ? plain[i] : '0';
	}
	return text_money(host, (ent_str){text, n}, micro);
}

static ent_status row(api *a, report *r, json_object *row) {
	json_object *dims = jsonl_member(row, "dimensionValues"), *metrics = jsonl_member(row, "metricValues");
	if (jsonl_length(dims) != a->dim_columns || jsonl_length(metrics) != a->metric_columns)
		return reject(a, r->place, "another number of values than headers");
	r->days = a->period.to > a->period.from ? a->period : a->named;
	if (a->date != SIZE_MAX && days_of(jsonl_text(json_object_array_get_idx(dims, a->date), "value"), &r->days))
		return reject(
			a, r->place, "its date is none: rows of (other) days cannot be told apart; ask for fewer days at once");
	if (r->days.to <= r->days.from)
		return reject(
			a, r->place, "nothing says of which days it is: ask for the dimension date, or set the option period");
	r->dims_n = 0;
	for (size_t i = 0; i < a->n_dims; i++)
		if (report_dim(r, a->dims[i].name, jsonl_text(json_object_array_get_idx(dims, a->dims[i].column), "value")))
			return reject(a, r->place, "its dimensions are longer than a kilobyte");
	int64_t values[COLUMNS_MAX];
	for (size_t i = 0; i < a->metric_columns; i++)
		if (a->metrics[i] && number(a->host, jsonl_text(json_object_array_get_idx(metrics, i), "value"), &values[i]))
			return reject(a, r->place, "the value of a metric is no number");
	ent_status e = ENT_OK;
	int unpriced = 0;
	for (size_t i = 0; i < a->metric_columns && !e; i++) {
		int money = a->metrics[i] && !strcmp(a->metrics[i]->unit, "money");
		unpriced |= money && !r->currency[0];
		if (a->metrics[i] && !(money && !r->currency[0]))
			e = say(a, r, a->metrics[i], values[i]);
	}
	return unpriced && !e
			   ? reject(a, r->place, "money without a currency: neither metadata nor the option currency names one")
			   : e;
}

static ent_status one(api *a, json_object *object) {
	report r = {.host = a->host, .ctx = a->ctx};
	json_object *list = jsonl_member(object, "rows");
	size_t number = list ? a->reports++ : a->reports, n = jsonl_length(list);
	if (!jsonl_length(jsonl_member(object, "metricHeaders")))
		return a->host->error(a->ctx, 0, ENT_NO_COLUMN, "a report without metricHeaders",
			"give the whole answer of runReport or batchRunReports");
	headers(a, object);
	metadata(a, object, &r);
	ent_status e = ENT_OK;
	for (size_t i = 0; i < n && !e; i++) {
		r.place = report_place(&a->places, number, i);
		if (a->wrong)
			a->host->skip(a->ctx, r.place, a->wrong);
		else
			e = row(a, &r, json_object_array_get_idx(list, i));
	}
	int64_t all;
	ent_str count = jsonl_text(object, "rowCount");
	if (count.n && !text_digits(count.p, count.n, &all) && (uint64_t)all > n) {
		char text[200];
		snprintf(text, sizeof text,
			"a page of a report: %zu of %lld rows; the others have to come as documents of their own (offset, limit)",
			n, (long long)all);
		a->host->log(a->ctx, ENT_LOG_WARNING, text);
	}
	return e;
}

/* Capital letters and underscores, as far as they go. */
static ent_str word_of(ent_str s) {
	size_t n = 0;
	while (n < s.n && n < 60 && ((s.p[n] >= 'A' && s.p[n] <= 'Z') || s.p[n] == '_'))
		n++;
	return (ent_str){s.p, n};
}

static ent_status failed(const api *a, json_object *error) {
	char what[200];
	ent_str status = word_of(jsonl_text(error, "status"));
	int quota = TEXT_IS(status, "RESOURCE_EXHAUSTED");
	snprintf(what, sizeof what, "it is an error of the Data API, and no report: %.*s",
		status.n > 60 ? 60 : (int)status.n, status.n ? status.p : "");
	return a->host->error(a->ctx, 0, ENT_NO_COLUMN, what,
		quota ? "the property's quota of tokens is used up: ask again in an hour, or tomorrow"
			  : "mend the request, and ask again");
}

/* Beginning of the first line that is not UTF-8. */
static uint64_t first_wrong(ent_str s) {
	size_t at = 0;
	while (at < s.n) {
		const char *end = memchr(s.p + at, '\n', s.n - at);
		size_t n = end ? (size_t)(end - s.p) + 1 - at : s.n - at;
		if (!rows_utf8((ent_str){s.p + at, n}))
			break;
		at += n;
	}
	return at;
}

static ent_status feed(void *self, ent_str bytes, int eof) {
	api *a = self;
	(void)eof;
	if (!rows_utf8(bytes))
		return a->host->error(a->ctx, first_wrong(bytes), ENT_NO_COLUMN, "not UTF-8, as JSON is",
			"save the answer as it came, or declare its encoding");
	json_tokener_reset(a->tokener);
	errno = 0;
	json_object *all = bytes.n < INT32_MAX ? json_tokener_parse_ex(a->tokener, bytes.p, (int)bytes.n) : NULL;
	size_t end = json_tokener_get_parse_end(a->tokener);
	if (bytes.n < INT32_MAX && jsonl_no_memory(a->tokener, all, (ent_str){bytes.p, end})) {
		json_object_put(all);
		return ENT_ENOMEM;
	}
	if (!all || !json_object_is_type(all, json_type_object) || text_trim((ent_str){bytes.p + end, bytes.n - end}).n) {
		json_object_put(all);
		return a->host->error(a->ctx, end, ENT_NO_COLUMN, "no JSON object, or a broken one, or one that was cut off",
			"give one answer of runReport or batchRunReports as it came");
	}
	ent_status e = ENT_OK;
	json_object *reports = jsonl_member(all, "reports"), *error = jsonl_member(all, "error");
	if (report_places_find(&a->places, bytes))
		e = ENT_ENOMEM;
	else if (error)
		e = failed(a, error);
	else if (jsonl_length(reports))
		for (size_t i = 0; i < jsonl_length(reports) && !e; i++)
			e = one(a, json_object_array_get_idx(reports, i));
	else
		e = one(a, all);
	json_object_put(all);
	return !e && errno == ENOMEM ? ENT_ENOMEM : e;
}

/* ---- instances ---- */

static ent_status begin(void *self, const ent_doc *doc) {
	api *a = self;
	a->reports = 0;
	if (report_named(doc->name, &a->named))
		a->named = (report_days){0, 0};
	return ENT_OK;
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	static const char *const keys[4] = {"\"metricheaders\"", "\"name\"", "\"type\"", "metric"};
	int found = 0;
	(void)doc;
	ent_str all = text_start(text_trim(head));
	for (int i = 0; i < 4 && all.n && all.p[0] == '{'; i++)
		found += text_has_fold(all, keys[i]);
	int kind = found && text_has_fold(all, "analyticsdata#");
	*why = found == 4 || kind ? "headers of dimensions and metrics, as GA4's Data API answers"
							  : "no answer of GA4's Data API: metricHeaders are missing";
	return found == 4 ? 95 : kind ? 92 : 0;
}

static void destroy(void *self) {
	api *a = self;
	if (!a)
		return;
	report_places_finish(&a->places);
	if (a->tokener)
		json_tokener_free(a->tokener);
	free(a);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	api *a = calloc(1, sizeof *a);
	const char *wrong = NULL, *todo = NULL;
	if (!a)
		return ENT_ENOMEM;
	a->host = host;
	a->ctx = ctx;
	a->tokener = json_tokener_new_ex(JSONL_DEPTH);
	if (!a->tokener) {
		free(a);
		return ENT_ENOMEM;
	}
	json_tokener_set_flags(a->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	if (values[OPT_PERIOD].set && values[OPT_PERIOD].s.n && report_span(values[OPT_PERIOD].s, &a->period)) {
		wrong = "the option period is no day, and no first and last day";
		todo = "write 2026-05-04, or 2026-05-04,2026-05-10";
	} else if (values[OPT_CURRENCY].set && values[OPT_CURRENCY].s.n &&
			   currency_of(values[OPT_CURRENCY].s, a->currency)) {
		wrong = "the option currency is no ISO 4217 code";
		todo = "write three capital letters, such as EUR";
	}
	if (wrong) {
		host->error(ctx, 0, ENT_NO_COLUMN, wrong, todo);
		destroy(a);
		return ENT_EOPTION;
	}
	*self = a;
	return ENT_OK;
}

const ent_decoder ga4__report_decoder = {
	.size = sizeof(ent_decoder),
	.flags = ENT_DECODER_RESTATES | ENT_DECODER_ANALYTICS,
	.name = "ga4-report",
	.doc = "Figures of web analytics from answers of Google Analytics 4's Data API: runReport and batchRunReports.",
	.version = "1",
	.system = "ga4",
	.facts = 1 << ENT_OBSERVATION,
	.frame = ENT_FRAME_DOCUMENT,
	.options = options,
	.probe = probe,
	.create = create,
	.begin = begin,
	.feed = feed,
	.end = end,
	.destroy = destroy,
};
