/* SPDX-License-Identifier: Apache-2.0
 *
 * clicks: what visitors of a shop did, an event a line as JSON; events of one session become a visit. A whole plugin in one file:
 * change it, piece by piece, until it reads your format. What each piece may do is in entente/plugin.h. */
#include <entente/plugin.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may be set in entente.yaml. The host checks it against this table before create(); `doc` is the documentation. */
enum { OPT_BOTS };
static const ent_option options[] = {
	[OPT_BOTS] = {.key = "bots", .type = ENT_OPT_BOOL, .preset = "false", .doc = "Keep events of agents that say they are bots."},
	{.key = NULL},
};

/* One instance. What is carried from line to line must be owned: a line lives only until feed() returns. */
typedef struct decoder_state {
	const ent_host *host;
	ent_ctx *ctx;
	json_tokener *tokener;
	int bots;
	uint64_t at;        /* bytes fed so far: where the line in hand begins */
	ent_visit visit;    /* the visit in hand */
	char key[96];       /* of it: DAY/SESSION */
	size_t key_n;       /* 0: none is in hand */
	json_object *first; /* its earliest event; one reference is ours */
} decoder_state;

static void destroy(void *self) {
	decoder_state *d = self;
	if (!d)
		return;
	json_object_put(d->first); /* NULL is fine */
	if (d->tokener)
		json_tokener_free(d->tokener);
	free(d);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	decoder_state *d = calloc(1, sizeof *d);
	if (!d || !(d->tokener = json_tokener_new_ex(16))) {
		destroy(d);
		return ENT_ENOMEM;
	}
	json_tokener_set_flags(d->tokener, JSON_TOKENER_STRICT);
	d->host = host, d->ctx = ctx;
	d->bots = values[OPT_BOTS].i != 0;
	*self = d;
	return ENT_OK;
}

/* Makes `o` the earliest event of the visit in hand, or lets go of what was. */
static void keep(decoder_state *d, json_object *o) {
	json_object_put(d->first);
	d->first = o ? json_object_get(o) : NULL;
}

static ent_status begin(void *self, const ent_doc *doc) {
	decoder_state *d = self;
	(void)doc;
	d->at = d->key_n = 0; /* nothing is carried from one document to the next */
	keep(d, NULL);
	return ENT_OK;
}

/* Text, or a number as it was written; {NULL, 0} where there is none, or null. It lives as long as `o`. */
static ent_str text(json_object *o, const char *key) {
	json_object *v = NULL;
	json_object_object_get_ex(o, key, &v);
	if (!v || json_object_is_type(v, json_type_object) || json_object_is_type(v, json_type_array))
		return (ent_str){NULL, 0};
	const char *s = json_object_get_string(v);
	return (ent_str){s, s ? strlen(s) : 0};
}

/* Does the text hold the word? Texts have no NUL at their end. */
static int has(ent_str s, const char *word) {
	size_t n = strlen(word);
	for (; s.n >= n; s.p++, s.n--)
		if (!memcmp(s.p, word, n))
			return 1;
	return 0;
}

static int is(ent_str a, const char *word) { return a.n == strlen(word) && !memcmp(a.p, word, a.n); }

/* The visit in hand goes to the host. Parts of one visit add up there, so it is right wherever a file was cut. */
static ent_status put(decoder_state *d) {
	if (!d->key_n)
		return ENT_OK;
	d->visit.h.key = (ent_str){d->key, d->key_n};
	d->visit.campaign = text(d->first, "campaign"); /* the host takes texts of the part that starts first */
	d->visit.country = text(d->first, "country");
	d->key_n = 0;
	return d->host->push(d->ctx, ENT_VISIT, &d->visit, sizeof d->visit, 1);
}

/* One bad record is rejected and is no error: the file goes on. The reason holds nothing of the record, so that equal ones count. */
static ent_status reject(decoder_state *d, const char *why) {
	d->host->reject(d->ctx, d->at, ENT_NO_COLUMN, why);
	return ENT_OK;
}

/* Nothing is wrong with it, and it is none of ours. */
static ent_status skip(decoder_state *d, const char *why) {
	d->host->skip(d->ctx, d->at, why);
	return ENT_OK;
}

/* Adds an event to its visit; the one in hand goes out first if it is another. `load`: milliseconds, or -1: not known. */
static ent_status add(decoder_state *d, json_object *o, const char *key, ent_time at, uint32_t step, int64_t load) {
	if (!d->key_n || strcmp(d->key, key) != 0) {
		ent_status e = put(d);
		if (e)
			return e;
		d->visit = (ent_visit){.at = at, .until = at};
		d->host->time((ent_str){key, 10}, NULL, &d->visit.day);
		d->key_n = strlen(strcpy(d->key, key));
		keep(d, NULL);
	}
	ent_visit *v = &d->visit;
	if (!d->first || at.v < v->at.v) {
		v->at = at;
		v->h.place = d->at;
		keep(d, o);
	}
	if (at.v > v->until.v)
		v->until = at;
	ent_str visitor = text(o, "visitor");
	if (visitor.n) /* absent where nobody consented */
		v->visitor = d->host->identity(d->ctx, ENT_ID_COOKIE, visitor);
	v->steps |= step;
	v->pageviews += !step;
	if (load >= 0) {
		v->h.has |= ENT_HAS_LOAD;
		v->load_ms += (uint32_t)load;
		v->loads++;
	}
	return ENT_OK;
}

/* One event: all that may be wrong is seen before anything of it is added. */
static ent_status event(decoder_state *d, json_object *o) {
	ent_str what = text(o, "event"), session = text(o, "session"), at = text(o, "at"), agent = text(o, "agent");
	ent_str load_ms = text(o, "load_ms"); /* null where the browser does not say: absent, which is not zero */
	int64_t load = -1000000;
	uint32_t step = is(what, "basket") ? ENT_STEP_CART : is(what, "checkout") ? ENT_STEP_CHECKOUT : 0;
	char key[sizeof d->key];
	ent_time when;
	if (!step && !is(what, "view"))
		return what.n ? skip(d, "an event of no interest") : reject(d, "no event");
	if (!d->bots && has(agent, "bot"))
		return skip(d, "an event of a bot");
	if (!session.n || session.n > 64)
		return reject(d, "no session, or one of more than 64 bytes");
	if (d->host->time(at, NULL, &when) || when.kind != ENT_TIME_INSTANT || at.n < 10)
		return reject(d, "at is not a time with an offset, like 2024-03-01T09:12:04+01:00");
	if (load_ms.n && (d->host->money(load_ms, '.', 0, &load) || load < 0 || load > 600000 * 1000000LL))
		return reject(d, "load_ms is no number from 0 to 600000");
	snprintf(key, sizeof key, "%.10s/%s", at.p, session.p); /* days as the shop's clock has them */
	return add(d, o, key, when, step, load / 1000000); /* money() reads any decimal, in millionths */
}

/* One line. json-c says of a lack of memory what it says of broken JSON, nothing: errno tells the two apart, and no record is
 * rejected that is whole. */
static ent_status line(decoder_state *d, const char *p, size_t n) {
	ent_status e = ENT_OK;
	if (!n || strspn(p, " \t\r") >= n) /* blank: no record */
		return ENT_OK;
	json_tokener_reset(d->tokener);
	errno = 0;
	json_object *o = n < 1 << 30 ? json_tokener_parse_ex(d->tokener, p, (int)n) : NULL;
	if (o && json_object_is_type(o, json_type_object))
		e = event(d, o);
	else if (errno != ENOMEM)
		reject(d, "not one JSON object in a line");
	json_object_put(o);
	return !e && errno == ENOMEM ? ENT_ENOMEM : e;
}

/* Whole lines, as many as the host likes; of a later part of a file, the first one is another. */
static ent_status feed(void *self, ent_str bytes, int eof) {
	decoder_state *d = self;
	const char *p = bytes.p, *end = bytes.p + bytes.n;
	ent_status e = ENT_OK;
	(void)eof;
	while (p < end && !e) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((stop ? stop : end) - p);
		e = line(d, p, n);
		d->at += n + 1;
		p += n + 1;
	}
	return e;
}

static ent_status end(void *self) { return put(self); } /* what was held back */

/* `decode: auto` asks how sure it is, from 0 to 100; look at what the file says rather than at its name. */
static int probe(ent_str head, const ent_doc *doc, const char **why) {
	int yes = head.n && head.p[0] == '{' && has(head, "\"session\"") && has(head, "\"event\"");
	(void)doc;
	*why = yes ? "JSON lines with session and event" : "the file does not begin with JSON that has session and event";
	return yes ? 80 : 0;
}

/* `version` is that of the meaning: change it when the same file brings other facts, and all is decoded again. */
static const ent_decoder decoder = {
	.size = sizeof decoder, .name = "clicks", .doc = "Visits of a shop, from events as JSON lines.", .version = "1",
	.system = "clicks", .facts = 1u << ENT_VISIT, .frame = ENT_FRAME_JSONL, .options = options,
	.flags = ENT_DECODER_RESTATES | ENT_DECODER_ANALYTICS, .probe = probe, .create = create, .begin = begin, .feed = feed,
	.end = end, .destroy = destroy};
static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC, .major = ENT_PLUGIN_MAJOR, .minor = ENT_PLUGIN_MINOR,
	.size = sizeof ent_plugin_entry, .name = "clicks", .version = "1.0.0", .decoders = decoders};
