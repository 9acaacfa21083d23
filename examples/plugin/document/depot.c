/* SPDX-License-Identifier: Apache-2.0
 *
 * depot: the orders of a shop as its interface answers them: one JSON object, whose head holds for all orders in it. A whole
 * plugin in one file: change it, piece by piece, until it reads your format. What each piece may do is in entente/plugin.h. */
#include <entente/plugin.h>

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What may be set in entente.yaml. The host checks it against this table before create(); `doc` is the documentation. */
enum { OPT_DRAFTS };
static const char *const drafts[] = {"skip", "quote", NULL};
static const ent_option options[] = {
	[OPT_DRAFTS] = {.key = "drafts", .type = ENT_OPT_ENUM, .preset = "skip", .choices = drafts, .doc = "What an order in state draft is: a quote, or none of ours."},
	{.key = NULL},
};

/* One instance. */
typedef struct decoder_state {
	const ent_host *host;
	ent_ctx *ctx;
	json_tokener *tokener;
	int quotes;
	const char *body, *end; /* of the document in hand */
	/* Carried from the head of the document to each of its orders. */
	char currency[4];
	ent_time as_of;
} decoder_state;

static void destroy(void *self) {
	decoder_state *d = self;
	if (d && d->tokener)
		json_tokener_free(d->tokener);
	free(d);
}

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *values, void **self) {
	decoder_state *d = calloc(1, sizeof *d);
	if (!d || !(d->tokener = json_tokener_new_ex(16))) {
		destroy(d);
		return ENT_ENOMEM;
	}
	json_tokener_set_flags(d->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	d->host = host, d->ctx = ctx;
	d->quotes = values[OPT_DRAFTS].i == 1;
	*self = d;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	decoder_state *d = self;
	(void)doc;
	memset(d->currency, 0, sizeof d->currency); /* nothing is carried from one document to the next */
	d->as_of = (ent_time){0};
	return ENT_OK;
}

/* ---- JSON: values one after another, so that the place of each is known --------------------------------------------- */

static const char *blanks(const decoder_state *d, const char *p) {
	while (p < d->end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* The value at *p, the caller's; *p moves behind it and what blanks follow. -1: there is none, *p is where it goes wrong. */
static int value(decoder_state *d, const char **p, json_object **out) {
	*out = NULL;
	*p = blanks(d, *p);
	if (d->end - *p > INT_MAX)
		return -1;
	json_tokener_reset(d->tokener);
	errno = 0;
	*out = json_tokener_parse_ex(d->tokener, *p, (int)(d->end - *p));
	*p += json_tokener_get_parse_end(d->tokener);
	if (errno == ENOMEM || json_tokener_get_error(d->tokener) != json_tokener_success) {
		json_object_put(*out);
		*out = NULL;
		return -1;
	}
	*p = blanks(d, *p);
	return 0;
}

static json_object *member(json_object *o, const char *key) {
	json_object *v = NULL;
	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

/* Text, or a number as it was written; {NULL, 0} for anything else. It lives as long as `o`. */
static ent_str text_of(json_object *o) {
	if (!o || json_object_is_type(o, json_type_object) || json_object_is_type(o, json_type_array))
		return (ent_str){NULL, 0};
	const char *s = json_object_get_string(o);
	return (ent_str){s, s ? strlen(s) : 0};
}

static ent_str text(json_object *o, const char *key) { return text_of(member(o, key)); }

static int is(ent_str a, const char *word) { return a.n == strlen(word) && !memcmp(a.p, word, a.n); }

/* ---- orders ------------------------------------------------------------------------------------------------------------ */

/* An amount that may be missing: without its bit it is absent, which is not zero. 0, or -1: it is no amount. */
static int amount(const decoder_state *d, json_object *o, const char *key, uint64_t bit, int64_t *to, uint64_t *has) {
	ent_str s = text(o, key);
	if (!s.n) /* no such member, or null */
		return 0;
	*has |= bit;
	return d->host->money(s, '.', 0, to);
}

/* One bad record is rejected and is no error: the others go on. The reason holds nothing of the record, so that equal ones count. */
static ent_status reject(decoder_state *d, uint64_t place, const char *why) {
	d->host->reject(d->ctx, place, ENT_NO_COLUMN, why);
	return ENT_OK;
}

/* A line into *l; NULL, or what is wrong with it. */
static const char *line(const decoder_state *d, json_object *o, ent_line *l) {
	int64_t pieces;
	l->h.key = text(o, "id"), l->sku = text(o, "sku"), l->name = text(o, "name");
	if (!l->h.key.n)
		return "a line without an id";
	if (d->host->money(text(o, "pieces"), '.', 0, &pieces) || pieces % 1000)
		return "a line without a number of pieces";
	l->quantity = pieces / 1000; /* money() counts in millionths, pieces are counted in thousandths */
	l->h.has = ENT_HAS_QUANTITY;
	return amount(d, o, "price", ENT_HAS_UNIT_PRICE, &l->unit_price, &l->h.has) ? "the price of a line is no amount" : NULL;
}

/* One verdict for a record: all of it is looked at before any of it is pushed. */
static ent_status order(decoder_state *d, json_object *json, uint64_t place) {
	ent_order o = {.h = {.place = place, .key = text(json, "id"), .version = d->as_of}, .flags = ENT_ORDER_LINES_COMPLETE};
	ent_str state = text(json, "state");
	json_object *lines = member(json, "lines");
	if (is(state, "draft") && !d->quotes) {
		d->host->skip(d->ctx, place, "a draft");
		return ENT_OK;
	}
	if (!o.h.key.n)
		return reject(d, place, "an order without an id");
	if (is(state, "draft"))
		o.status = ENT_ORDER_QUOTE;
	else if (is(state, "open"))
		o.status = ENT_ORDER_PENDING;
	else if (is(state, "cancelled"))
		o.status = ENT_ORDER_CANCELLED;
	else if (!is(state, "paid")) /* never take an unknown word for "sold" */
		return reject(d, place, "state is none of draft, open, paid, cancelled");
	if (d->host->time(text(json, "placed"), NULL, &o.at))
		return reject(d, place, "placed is not a time like 2024-03-01T09:12:00+01:00");
	if (amount(d, json, "total", ENT_HAS_TOTAL, &o.total, &o.h.has) ||
		amount(d, json, "discount", ENT_HAS_DISCOUNT, &o.discount, &o.h.has))
		return reject(d, place, "total or discount is no amount");
	size_t n = json_object_is_type(lines, json_type_array) ? json_object_array_length(lines) : 0;
	for (size_t i = 0; i < n; i++) {
		ent_line l = {.h = {.place = place}};
		const char *why = line(d, json_object_array_get_idx(lines, i), &l);
		if (why)
			return reject(d, place, why);
	}
	memcpy(o.currency, d->currency, sizeof o.currency);
	o.customer = d->host->identity(d->ctx, ENT_ID_EMAIL, text(json, "email")); /* keyed: no address leaves the decoder */
	o.country = text(json, "country");
	ent_status e = d->host->push(d->ctx, ENT_ORDER, &o, sizeof o, 1);
	for (size_t i = 0; i < n && !e; i++) {
		ent_line l = {.h = {.place = place}, .order_key = o.h.key};
		line(d, json_object_array_get_idx(lines, i), &l);
		e = d->host->push(d->ctx, ENT_LINE, &l, sizeof l, 1);
	}
	return e;
}

/* json-c says of a lack of memory what it says of broken JSON, nothing: errno tells the two apart. */
static ent_status broken(const decoder_state *d, const char *p, const char *what) {
	return errno == ENOMEM ? ENT_ENOMEM : d->host->error(d->ctx, (uint64_t)(p - d->body), ENT_NO_COLUMN, what, "give an answer of the interface as it came, whole");
}

/* Orders one after another, from behind the bracket. */
static ent_status orders(decoder_state *d, const char *p) {
	while ((p = blanks(d, p)) < d->end && *p != ']') {
		uint64_t place = (uint64_t)(p - d->body);
		json_object *o;
		if (value(d, &p, &o))
			return broken(d, p, "broken JSON");
		ent_status e = order(d, o, place);
		json_object_put(o);
		if (e || errno == ENOMEM)
			return e ? e : ENT_ENOMEM;
		p += p < d->end && *p == ',';
	}
	return ENT_OK;
}

/* How much of it is UTF-8: the host hands over a whole body as it is, and takes back nothing that is none. */
static size_t utf8(ent_str s) {
	const unsigned char *p = (const unsigned char *)s.p;
	for (size_t i = 0, more; i < s.n; i += 1 + more) {
		more = p[i] < 0x80 ? 0 : p[i] >= 0xc2 && p[i] < 0xe0 ? 1 : (p[i] & 0xf0) == 0xe0 ? 2 : p[i] >= 0xf0 && p[i] < 0xf5 ? 3 : 4;
		if (more == 4 || more >= s.n - i)
			return i;
		for (size_t k = 1; k <= more; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return i;
		if ((p[i] == 0xe0 && p[i + 1] < 0xa0) || (p[i] == 0xed && p[i + 1] > 0x9f) || (p[i] == 0xf0 && p[i + 1] < 0x90) ||
			(p[i] == 0xf4 && p[i + 1] > 0x8f))
			return i;
	}
	return s.n;
}

/* The whole body at once. Its head may stand behind the orders, so they are gone through twice. */
static ent_status feed(void *self, ent_str bytes, int eof) {
	decoder_state *d = self;
	const char *list = NULL, *p = bytes.p;
	(void)eof;
	errno = 0;
	d->body = bytes.p, d->end = bytes.p + bytes.n;
	if (utf8(bytes) < bytes.n)
		return broken(d, bytes.p + utf8(bytes), "this is no UTF-8");
	p = blanks(d, p);
	if (p == d->end || *p != '{')
		return broken(d, p, "this is no JSON object");
	for (p = blanks(d, p + 1); p < d->end && *p != '}'; p += *p == ',') {
		json_object *name, *v = NULL;
		int bad = value(d, &p, &name) || !json_object_is_type(name, json_type_string) || p == d->end || *p != ':';
		if (!bad) {
			const char *at = blanks(d, p + 1);
			if (is(text_of(name), "orders") && at < d->end && *at == '[')
				list = at + 1;
			p++;
			bad = value(d, &p, &v) || p == d->end || (*p != ',' && *p != '}');
		}
		if (!bad && is(text_of(name), "currency") && text_of(v).n == 3)
			memcpy(d->currency, text_of(v).p, 3);
		if (!bad && is(text_of(name), "as_of") && text_of(v).n)
			bad = d->host->time(text_of(v), NULL, &d->as_of);
		json_object_put(name);
		json_object_put(v);
		if (bad)
			return broken(d, p, "broken JSON, or as_of is no time");
	}
	if (p == d->end)
		return broken(d, p, "the JSON object does not end");
	if (!list || !d->currency[0])
		return broken(d, bytes.p, "a JSON object without orders or without a currency");
	return orders(d, list);
}

static ent_status end(void *self) { return self ? ENT_OK : ENT_EINTERNAL; } /* nothing was held back */

/* Does the text hold the word? Texts have no NUL at their end. */
static int has(ent_str s, const char *word) {
	size_t n = strlen(word);
	for (; s.n >= n; s.p++, s.n--)
		if (!memcmp(s.p, word, n))
			return 1;
	return 0;
}

/* `decode: auto` asks how sure it is, from 0 to 100; look at what the file says rather than at its name. */
static int probe(ent_str head, const ent_doc *doc, const char **why) {
	int yes = head.n && head.p[0] == '{' && has(head, "\"orders\"") && has(head, "\"currency\"");
	(void)doc;
	*why = yes ? "a JSON object with orders and currency" : "no JSON object with orders and currency";
	return yes ? 80 : 0;
}

/* `version` is that of the meaning: change it when the same file brings other facts, and all is decoded again. */
static const ent_decoder decoder = {
	.size = sizeof decoder, .name = "depot", .doc = "Orders of a shop with their lines, as its interface answers them.", .version = "1",
	.system = "depot", .facts = 1u << ENT_ORDER | 1u << ENT_LINE, .frame = ENT_FRAME_DOCUMENT, .options = options,
	.probe = probe, .create = create, .begin = begin, .feed = feed, .end = end, .destroy = destroy};
static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC, .major = ENT_PLUGIN_MAJOR, .minor = ENT_PLUGIN_MINOR,
	.size = sizeof ent_plugin_entry, .name = "depot", .version = "1.0.0", .decoders = decoders};
