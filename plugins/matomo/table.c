/* SPDX-License-Identifier: Apache-2.0
 *
 * Matomo's CSV exports: visits, and reports with headers in the language of who exported. The host finds the encoding
 * (UTF-16 with a byte order mark, as a rule) and the columns; personal data (visitIp) is not asked for.
 */
#include "matomo.h"

static int probe_visits(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = text_trim((ent_str){head.p, end ? (size_t)(end - head.p) : head.n});
	int found = line.n && !strchr("<[{", line.p[0]) && text_has_fold(line, "idsite") &&
				text_has_fold(line, "idvisit") && text_has_fold(line, "visitortype") &&
				!text_has_fold(line, "\"idvisit\":");
	if (why)
		*why = found ? "the header has idSite, idVisit and visitorType: visits of Matomo"
					 : "the header has no idSite, idVisit and visitorType";
	return found ? 95 : 0;
}

static int probe_reports(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	static const char *const both[][2] = {{"nb_visits", "nb_uniq_visitors"}, {"nb_visits", "bounce_count"},
		{"nb_conversions", "nb_visits_converted"}, {"unique visitors", "bounce"}, {"eindeutige besucher", "besuche"},
		{"label", "abandoned_carts"}, {"label", "avg_price"}};
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = text_trim((ent_str){head.p, end ? (size_t)(end - head.p) : head.n});
	int found = 0;
	for (size_t i = 0; line.n && !strchr("<[{", line.p[0]) && i < sizeof both / sizeof *both; i++)
		found |= text_has_fold(line, both[i][0]) && text_has_fold(line, both[i][1]);
	int empty = text_is_fold(line, "no data available");
	if (why)
		*why = found   ? "the header has columns of Matomo's reports"
			   : empty ? "No data available, as Matomo says of a report without any"
					   : "the header has no two columns of a report of Matomo, in English or German";
	return found ? 95 : empty ? 85 : 0;
}

static ent_status row_visit(void *self, const ent_row *r) {
	ent_str field[VISIT_FIELDS];
	for (size_t i = 0; i < VISIT_FIELDS; i++)
		field[i] = text_given(text_trim(r->cell[i]));
	return mat__visit(self, field, NULL, r->place);
}

static ent_status row_report(void *self, const ent_row *r) { return mat__figures(self, r->cell, r->place, 1); }

static const ent_column *wants(void *self) { return ((matomo *)self)->columns; }

/* What days a document is about is told once, of the whole. */
static int starts(void *self, const ent_row *before, const ent_row *row) {
	(void)self, (void)before, (void)row;
	return 0;
}

static ent_status end(void *self) {
	mat__covers(self);
	return ENT_OK;
}

const ent_decoder mat__visits_table = {
	.size = sizeof(ent_decoder),
	.flags = ENT_DECODER_RESTATES | ENT_DECODER_ANALYTICS,
	.name = "matomo-visits",
	.doc = "Visits from a CSV export of Matomo's visits log; it holds no orders and no carts.",
	.version = "1",
	.system = "matomo",
	.facts = 1u << ENT_VISIT,
	.frame = ENT_FRAME_DELIMITED,
	.options = mat__options,
	.columns = mat__visit_columns,
	.probe = probe_visits,
	.create = mat__create,
	.begin = mat__begin,
	.row = row_visit,
	.starts = starts,
	.end = end,
	.destroy = mat__destroy,
};

const ent_decoder mat__reports_table = {
	.size = sizeof(ent_decoder),
	.flags = ENT_DECODER_RESTATES | ENT_DECODER_ANALYTICS,
	.name = "matomo-reports",
	.doc = "Figures from CSV exports of Matomo's reports: visits, orders, articles.",
	.version = "1",
	.system = "matomo",
	.facts = 1u << ENT_OBSERVATION,
	.frame = ENT_FRAME_DELIMITED,
	.options = mat__report_options,
	.probe = probe_reports,
	.create = mat__create_report,
	.wants = wants,
	.begin = mat__begin,
	.row = row_report,
	.starts = starts,
	.end = end,
	.destroy = mat__destroy,
};
