/* SPDX-License-Identifier: Apache-2.0
 *
 * The Plausible plugin: the ten tables of a full export as CSV. This file holds the tables and the life of an instance;
 * rows.c says what rows mean, groups.c adds them up.
 */
#include "plausible.h"

#include <stdlib.h>

static const ent_column columns[C_COUNT + 1] = {
	[C_DATE] = {"date", NULL, 0},
	[C_VISITORS] = {"visitors", NULL, 1},
	[C_VISITS] = {"visits", NULL, 0},
	[C_PAGEVIEWS] = {"pageviews", NULL, 0},
	[C_BOUNCES] = {"bounces", NULL, 0},
	[C_DURATION] = {"visit_duration", NULL, 0},
	[C_EVENTS] = {"events", NULL, 0},
	[C_SOURCE] = {"source", NULL, 0},
	[C_MEDIUM] = {"utm_medium", NULL, 0},
	[C_CAMPAIGN] = {"utm_campaign", NULL, 0},
	[C_PAGE] = {"page", NULL, 0},
	[C_ENTRY_PAGE] = {"entry_page", NULL, 0},
	[C_EXIT_PAGE] = {"exit_page", NULL, 0},
	[C_NAME] = {"name", NULL, 0},
	[C_COUNTRY] = {"country", NULL, 0},
	[C_DEVICE] = {"device", NULL, 0},
	[C_BROWSER] = {"browser", NULL, 0},
	[C_SYSTEM] = {"operating_system", NULL, 0},
	[C_BOUNCE_RATE] = {"bounce_rate", NULL, 0},
	[C_VIEWS_PER_VISIT] = {"views_per_visit", NULL, 0},
	[C_COUNT] = {NULL, NULL, 0},
};

static const char *const meanings[] = {"purchases", NULL};

static const ent_option event_options[] = {
	{.key = "*", .type = ENT_OPT_ENUM, .choices = meanings, .doc = "What such an event is."}, {.key = NULL}};

static const ent_option options[] = {
	[OPT_EVENTS] = {.key = "events",
		.type = ENT_OPT_MAP,
		.doc = "Which custom events of the site are purchases: {Purchase: purchases}.",
		.item = event_options},
	{.key = NULL},
};

static int is_cell(ent_str line, const char *name) {
	size_t n = strlen(name);
	for (size_t i = 0; i + n <= line.n; i++)
		if (text_is_fold((ent_str){line.p + i, n}, name) && (!i || strchr(",;\"", line.p[i - 1])) &&
			(i + n == line.n || strchr(",;\"\r", line.p[i + n])))
			return 1;
	return 0;
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	static const char *const own[] = {"entrances", "exits", "events", "visit_duration"};
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;
	ent_str line = {head.p, end ? (size_t)(end - head.p) : head.n}, name = doc->name;
	int found = is_cell(line, "date") && is_cell(line, "visitors"), table = 0;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		table |= is_cell(line, own[i]);
	table |= is_cell(line, "hostname") && is_cell(line, "page");
	int called = text_has_fold(name, "imported_");
	int cut = is_cell(line, "bounce_rate") || is_cell(line, "views_per_visit");
	if (why)
		*why = cut              ? "bounce_rate or views_per_visit: an export of the dashboard, which is cut"
			   : found && table ? "the header has date, visitors and columns of a table of Plausible's export"
			   : found && called
				   ? "the header has date and visitors, and the name is imported_…"
				   : "the header has no date and visitors beside columns of a table of Plausible's export";
	return cut ? 0 : found && table ? 95 : found && called ? 70 : 0;
}

static void destroy(void *self) {
	plausible *p = self;
	if (!p)
		return;
	free(p->groups);
	free(p->slots);
	free(p->texts);
	free(p);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	plausible *p = calloc(1, sizeof *p);
	if (!p)
		return ENT_ENOMEM;
	p->host = host;
	p->ctx = ctx;
	p->events = &values[OPT_EVENTS];
	*self = p;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	plausible *p = self;
	ent_str name = doc->name;
	for (size_t i = name.n; i-- > 0;)
		if (name.p[i] == '/') {
			name = (ent_str){name.p + i + 1, name.n - i - 1};
			break;
		}
	plausible__clear(p);
	p->named = p->seen = (report_days){0, 0};
	p->whole = p->holes = 0;
	report_named(name, &p->named);
	return ENT_OK;
}

/* Rows are added up over the whole of a table. */
static int starts(void *self, const ent_row *before, const ent_row *row) {
	(void)self, (void)before, (void)row;
	return 0;
}

static const ent_decoder decoder = {
	.size = sizeof(ent_decoder),
	.flags = ENT_DECODER_RESTATES | ENT_DECODER_ANALYTICS,
	.name = "plausible",
	.doc = "Figures of each day from the tables of a full export of Plausible as CSV.",
	.version = "1",
	.system = "plausible",
	.facts = 1u << ENT_OBSERVATION,
	.frame = ENT_FRAME_DELIMITED,
	.options = options,
	.columns = columns,
	.probe = probe,
	.create = create,
	.begin = begin,
	.row = plausible__row,
	.starts = starts,
	.end = plausible__end,
	.destroy = destroy,
};

static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {
	.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "plausible",
	.version = "1.0.0",
	.decoders = decoders,
};
