/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoder `icalendar`: cuts a calendar into its events, so that one that cannot be read spoils no other and each
 * has its place, and finds out which version of an event counts. libical reads them; it is given the zones that the
 * file defines, for the sandbox lets nothing be looked up. */
#include "calendar.h"

#include <stdio.h>
#include <stdlib.h>

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
	for (size_t i = 0; i < head.n && (text_blank(head.p[i]) || (unsigned char)head.p[i] == 0xef); i++)
		;
	if (text_has_fold((ent_str){head.p, head.n < 200 ? head.n : 200}, "begin:vcalendar")) {
		*why = "BEGIN:VCALENDAR";
		return 98;
	}
	*why = "no BEGIN:VCALENDAR at its beginning";
	return 0;
}

static void destroy(void *self) {
	calendar *k = self;
	if (!k)
		return;
	people__finish(&k->people);
	free(k->events);
	free(k);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	calendar *k = calloc(1, sizeof *k);
	if (!k)
		return ENT_ENOMEM;
	icalerror_set_errors_are_fatal(0); /* it would end the process */
	const char *wrong = people__init(&k->people, host, ctx, values);
	k->ahead = values[OPT_AHEAD].i;
	if (wrong) {
		ent_status status = contacts__refuse(&k->people, wrong);
		destroy(k);
		return status;
	}
	*self = k;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	calendar *k = self;
	ent_time t = doc->modified.kind == ENT_TIME_INSTANT ? doc->modified : doc->arrived;
	k->now = t.kind == ENT_TIME_INSTANT ? t.v : 0;
	k->n = 0;
	k->cancels = 0;
	return ENT_OK;
}

/* Does a line of the text begin with this word, and which is its end? */
static const char *line_end(const char *p, const char *end) {
	const char *nl = memchr(p, '\n', (size_t)(end - p));
	return nl ? nl + 1 : end;
}

static int line_is(const char *p, const char *end, const char *word) {
	ent_str s = text_trim((ent_str){p, (size_t)(line_end(p, end) - p)});
	return text_is_fold(s, word);
}

/* The end of the component that begins at p, or NULL. */
static const char *component_end(const char *p, const char *end, const char *word) {
	for (; p < end; p = line_end(p, end))
		if (line_is(p, end, word))
			return line_end(p, end);
	return NULL;
}

/* NULL: it cannot be read, or there is no memory, which is said. */
static icalcomponent *parse(const char *p, const char *end, int *no_memory) {
	char *text = malloc((size_t)(end - p) + 1);
	if (!text) {
		*no_memory = 1;
		return NULL;
	}
	memcpy(text, p, (size_t)(end - p));
	text[end - p] = 0;
	/* Outlook's zones begin in 1601, and libical works out each year since. Their rules are the same ever after. */
	for (char *at = text; (at = strstr(at, "DTSTART:1601")) != NULL; at += 12)
		memcpy(at + 8, "1970", 4);
	icalerror_clear_errno();
	icalcomponent *c = icalparser_parse_string(text);
	*no_memory |= icalerrno == ICAL_NEWFAILED_ERROR;
	free(text);
	if (*no_memory && c) { /* parts of it may be missing */
		icalcomponent_free(c);
		c = NULL;
	}
	return c;
}

/* When this version was made: the later of the two that say it, since many programs write DTSTAMP at each export. */
static int64_t stamp_of(icalcomponent *c) {
	int64_t best = 0;
	for (int k = 0; k < 2; k++) {
		icalproperty *p = icalcomponent_get_first_property(c, k ? ICAL_DTSTAMP_PROPERTY : ICAL_LASTMODIFIED_PROPERTY);
		if (p && !best)
			best = (int64_t)icaltime_as_timet(k ? icalproperty_get_dtstamp(p) : icalproperty_get_lastmodified(p));
	}
	return best > 0 ? best : 0;
}

static ent_status take(calendar *k, const char *p, const char *end, uint64_t place) {
	const ent_host *host = k->people.host;
	int no_memory = 0;
	icalcomponent *c = end ? parse(p, end, &no_memory) : NULL;
	if (no_memory)
		return ENT_ENOMEM;
	const char *uid = c ? icalcomponent_get_uid(c) : NULL, *why = "";
	if (!c || icalcomponent_isa(c) != ICAL_VEVENT_COMPONENT || !uid || !*uid) {
		host->reject(k->people.ctx, place, ENT_NO_COLUMN,
			!end                                                  ? "BEGIN:VEVENT without its END:VEVENT"
			: !c || icalcomponent_isa(c) != ICAL_VEVENT_COMPONENT ? "an event that cannot be read"
																  : "an event without a UID");
		if (c)
			icalcomponent_free(c);
		return ENT_OK;
	}
	if (k->n == k->room) {
		size_t room = k->room ? k->room * 2 : 64;
		event *more = realloc(k->events, room * sizeof *more);
		if (!more) {
			icalcomponent_free(c);
			return ENT_ENOMEM;
		}
		k->events = more;
		k->room = room;
	}
	icalcomponent_add_component(k->zones, c);
	event e = {
		.place = place, .c = c, .uid = uid, .sequence = icalcomponent_get_sequence(c), .stamp = stamp_of(c), .n = k->n};
	icalproperty *recurrence = icalcomponent_get_first_property(c, ICAL_RECURRENCEID_PROPERTY);
	if (recurrence) {
		ent_time t;
		if (icalproperty_get_first_parameter(recurrence, ICAL_RANGE_PARAMETER)) {
			host->reject(k->people.ctx, place, ENT_NO_COLUMN,
				"a change of this occurrence and all later ones: no program writes that any more");
			return ENT_OK;
		}
		if (event__time(c, recurrence, &t, &why)) {
			host->reject(k->people.ctx, place, ENT_NO_COLUMN, why);
			return ENT_OK;
		}
		event__stamp(t, e.at);
	}
	k->events[k->n++] = e;
	return ENT_OK;
}

/* By UID, occurrence, then which version counts: the newest last. */
static int by_version(const void *x, const void *y) {
	const event *a = x, *b = y;
	int d = strcmp(a->uid, b->uid);
	d = d ? d : strcmp(a->at, b->at);
	if (d)
		return d;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	if (a->stamp != b->stamp)
		return a->stamp < b->stamp ? -1 : 1;
	return a->n < b->n ? -1 : a->n > b->n;
}

static ent_status tell(calendar *k) {
	ent_status status = ENT_OK;
	size_t kept = 0;
	if (k->n)
		qsort(k->events, k->n, sizeof *k->events, by_version);
	for (size_t i = 0; i < k->n; i++) {
		const event *e = &k->events[i];
		if (i + 1 < k->n && !strcmp(e[1].uid, e->uid) && !strcmp(e[1].at, e->at))
			k->people.host->skip(k->people.ctx, e->place, "an older version of an event");
		else
			k->events[kept++] = *e;
	}
	for (size_t i = 0; i < kept && !status;) {
		size_t end = i + 1;
		while (end < kept && !strcmp(k->events[end].uid, k->events[i].uid))
			end++;
		for (size_t x = i; x < end && !status; x++)
			status = event__push(k, &k->events[x], &k->events[i], end - i);
		i = end;
	}
	return status;
}

static ent_status feed(void *self, ent_str bytes, int eof) {
	(void)eof;
	calendar *k = self;
	const ent_host *host = k->people.host;
	const char *p = bytes.p, *end = p + bytes.n;
	ent_status status = ENT_OK;
	if (bytes.n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	while (p < end && text_blank(*p))
		p++;
	if (!line_is(p, end, "begin:vcalendar"))
		return host->error(k->people.ctx, 0, ENT_NO_COLUMN, "no calendar: it does not begin with BEGIN:VCALENDAR",
			"export the calendar as iCalendar (.ics)");
	k->zones = icalcomponent_new(ICAL_VCALENDAR_COMPONENT);
	if (!k->zones)
		return ENT_ENOMEM;
	int no_memory = 0;
	for (const char *at = p; at < end && !no_memory;
		 at = line_end(at, end)) { /* zones first: events may stand before them */
		const char *stop = line_is(at, end, "begin:vtimezone") ? component_end(at, end, "end:vtimezone") : NULL;
		icalcomponent *zone = stop ? parse(at, stop, &no_memory) : NULL;
		if (zone)
			icalcomponent_add_component(k->zones, zone);
	}
	int replies = 0;
	status = no_memory ? ENT_ENOMEM : ENT_OK;
	for (const char *at = p; at < end && !status; at = line_end(at, end)) {
		ent_str line = text_trim((ent_str){at, (size_t)(line_end(at, end) - at)});
		uint64_t place = (uint64_t)(at - bytes.p);
		k->cancels |= text_is_fold(line, "method:cancel");
		replies |= text_is_fold(line, "method:reply") || text_is_fold(line, "method:counter") ||
				   text_is_fold(line, "method:refresh");
		if (!text_is_fold(line, "begin:vevent"))
			continue;
		const char *stop = component_end(at, end, "end:vevent");
		if (replies)
			host->skip(k->people.ctx, place, "an answer to an invitation: the calendar of who invited knows it");
		else
			status = take(k, at, stop, place);
		if (!stop)
			break;
		at = stop - 1;
	}
	if (!status)
		status = tell(k);
	icalcomponent_free(k->zones);
	k->zones = NULL;
	icalmemory_free_ring(); /* texts that libical lends */
	return status;
}

static ent_status end(void *self) {
	(void)self; /* nothing is held back */
	return ENT_OK;
}

const ent_decoder contacts__calendar = {
	.size = sizeof(ent_decoder),
	.flags = ENT_DECODER_RESTATES,
	.name = "icalendar",
	.doc = "Meetings with people of other domains, from calendars as iCalendar (.ics): recurring, moved, cancelled and "
		   "declined ones.",
	.version = "1",
	.system = "contacts",
	.facts = 1u << ENT_CONTACT,
	.frame = ENT_FRAME_DOCUMENT,
	.options = contacts__options,
	.probe = probe,
	.create = create,
	.begin = begin,
	.feed = feed,
	.end = end,
	.destroy = destroy,
};
