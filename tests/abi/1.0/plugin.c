/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin of ABI 1.0, as it was when that was released: built against the header beside it, and loaded by whatever
 * decoder there is today. It sets every field of every fact, reads every kind of option, and calls every function of
 * the host. Never changed: what needs a change here breaks the plugins that others have built.
 */
#include <entente/plugin.h>

#include <stdlib.h>
#include <string.h>

#define STR(text) ((ent_str){text, sizeof(text) - 1})

typedef struct old {
	const ent_host *host;
	ent_ctx *ctx;
	uint64_t fed;          /* lines and bytes: of this document */
	unsigned char seen[8]; /* bytes: the number in hand */
	unsigned n;
} old;

static int is(ent_str s, const char *text) { return s.n == strlen(text) && !memcmp(s.p, text, s.n); }

static ent_status make(const ent_host *host, ent_ctx *ctx, void **self) {
	old *o = host->size >= sizeof *host ? calloc(1, sizeof *o) : NULL;
	if (!o)
		return ENT_ENOMEM;
	o->host = host, o->ctx = ctx;
	*self = o;
	return ENT_OK;
}

/* ---- rows: every fact, every option ---- */

static const ent_column columns[] = {
	{"Kind", "Art|Sort", 1}, {"Key", NULL, 1}, {"Number", NULL, 1}, {"Note", NULL, 0}, {NULL, NULL, 0}};
enum { C_KIND, C_KEY, C_NUMBER, C_NOTE };

static const char *const colours[] = {"red", "green", NULL};
static const ent_option of_list[] = {{.key = "*", .type = ENT_OPT_INT, .doc = "A number."}, {.key = NULL}};
static const ent_option of_map[] = {{.key = "left", .type = ENT_OPT_STR, .doc = "One side."},
	{.key = "right", .type = ENT_OPT_INT, .doc = "Other."}, {.key = NULL}};
static const ent_option of_free[] = {{.key = "*", .type = ENT_OPT_STR, .doc = "Any."}, {.key = NULL}};
enum { O_CHECK, O_INT, O_STR, O_ENUM, O_DURATION, O_SECRET, O_LIST, O_MAP, O_FREE, O_PRESET, O_COUNT };
static const ent_option options[O_COUNT + 1] = {
	[O_CHECK] = {.key = "check", .type = ENT_OPT_BOOL, .doc = "Refuse any values but those of the test."},
	[O_INT] = {.key = "int", .type = ENT_OPT_INT, .doc = "A number."},
	[O_STR] = {.key = "str", .type = ENT_OPT_STR, .doc = "A text."},
	[O_ENUM] = {.key = "enum", .type = ENT_OPT_ENUM, .choices = colours, .doc = "A choice."},
	[O_DURATION] = {.key = "duration", .type = ENT_OPT_DURATION, .doc = "A time span."},
	[O_SECRET] = {.key = "secret", .type = ENT_OPT_SECRET, .doc = "A secret."},
	[O_LIST] = {.key = "list", .type = ENT_OPT_LIST, .item = of_list, .doc = "Numbers."},
	[O_MAP] = {.key = "map", .type = ENT_OPT_MAP, .item = of_map, .doc = "Two sides."},
	[O_FREE] = {.key = "free", .type = ENT_OPT_MAP, .item = of_free, .doc = "Any keys."},
	[O_PRESET] = {.key = "preset", .type = ENT_OPT_INT, .preset = "42", .doc = "A number with a preset."},
};

/* The first option that is not as the test has written it, or NULL. */
static const char *wrong(const ent_value *v) {
	const ent_value *l = v[O_LIST].items, *m = v[O_MAP].items, *f = v[O_FREE].items;
	return v[O_INT].type != ENT_OPT_INT || v[O_INT].i != -7                            ? "int"
		   : !is(v[O_STR].s, "text") || v[O_STR].s.p[4]                                ? "str"
		   : !is(v[O_ENUM].s, "green") || v[O_ENUM].i != 1                             ? "enum"
		   : v[O_DURATION].i != 90 * INT64_C(1000000)                                  ? "duration"
		   : !is(v[O_SECRET].s, "hush")                                                ? "secret"
		   : v[O_LIST].n != 3 || l[0].i != 3 || l[1].i != 2 || l[2].i != 1             ? "list"
		   : v[O_MAP].n != 2 || !is(m[0].s, "x") || m[1].i != 9                        ? "map"
		   : v[O_FREE].n != 1 || !is(v[O_FREE].keys[0], "any") || !is(f[0].s, "thing") ? "free"
		   : !v[O_PRESET].set || v[O_PRESET].i != 42                                   ? "preset"
																					   : NULL;
}

static ent_status create_rows(const ent_host *host, ent_ctx *ctx, const ent_value *v, void **self) {
	const char *what = v[O_CHECK].set && v[O_CHECK].i ? wrong(v) : NULL;
	if (what) {
		host->error(ctx, 0, ENT_NO_COLUMN, what, "hand over options as ABI 1.0 has them");
		return ENT_EOPTION;
	}
	return make(host, ctx, self);
}

static ent_status begin(void *self, const ent_doc *doc) {
	old *o = self;
	o->fed = 0, o->n = 0;
	if (doc->size < sizeof *doc || !doc->name.p)
		return ENT_EINTERNAL;
	o->host->slice(o->ctx, STR("2024-03-01"), 2);
	return ENT_OK;
}

static ent_time instant(int64_t n) {
	return (ent_time){.v = 1709287200000000 + n * 1000000, .offset_min = 60, .kind = ENT_TIME_INSTANT};
}
static ent_time local(int64_t n) {
	return (ent_time){.v = 1709287200000000 + n * 1000000, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_LOCAL};
}
static ent_time day(int64_t n) {
	return (ent_time){.v = 19783 + n, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE};
}
static ent_time month(int64_t n) {
	return (ent_time){.v = 650 + n, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_MONTH};
}

#define PUSH(kind, fact) o->host->push(o->ctx, kind, &(fact), sizeof(fact), 1)

static ent_status push_order(old *o, ent_head h, int64_t m) {
	h.has = ENT_HAS_GROSS | ENT_HAS_DISCOUNT | ENT_HAS_SHIPPING | ENT_HAS_TAX | ENT_HAS_TOTAL | ENT_HAS_REFUNDED |
			ENT_HAS_DUE | ENT_HAS_TAX_INCLUDED;
	ent_order x = {.h = h,
		.at = instant(0),
		.paid_at = local(1),
		.cancelled_at = day(2),
		.shipped_at = instant(3),
		.promised_at = day(4),
		.delivered_at = local(5),
		.currency = "EUR",
		.status = ENT_ORDER_PENDING,
		.tax_included = 1,
		.flags = ENT_ORDER_LINES_COMPLETE,
		.gross = m,
		.discount = m / 10,
		.shipping = m / 20,
		.tax = m / 5,
		.total = m + 1,
		.refunded = m / 2,
		.due = m / 4,
		.customer = o->host->identity(o->ctx, ENT_ID_EMAIL, STR("Ann@Example.org ")),
		.agent = o->host->identity(o->ctx, ENT_ID_STAFF, STR("bob")),
		.channel = STR("shop"),
		.country = STR("DE"),
		.region = STR("Hessen"),
		.campaign = STR("spring"),
		.payment = STR("card"),
		.customer_kind = STR("trade")};
	ent_head of = {.place = h.place,
		.key = STR("1"),
		.partner = h.partner,
		.has = ENT_HAS_QUANTITY | ENT_HAS_UNIT_PRICE | ENT_HAS_GROSS | ENT_HAS_DISCOUNT | ENT_HAS_NET |
			   ENT_HAS_SHIPPING | ENT_HAS_TAX | ENT_HAS_COST};
	ent_line l[2] = {{.h = of,
		.order_key = h.key,
		.parent_key = STR("0"),
		.sku = STR("S"),
		.product = STR("P"),
		.name = STR("N"),
		.category = STR("C"),
		.vendor = STR("V"),
		.currency = "EUR",
		.quantity = 2000,
		.unit_price = m / 2,
		.gross = m,
		.discount = m / 10,
		.net = m - m / 10,
		.shipping = m / 20,
		.tax = m / 5,
		.cost = m / 3}};
	l[1] = l[0];
	l[1].h.key = STR("2");
	ent_head back = {.place = h.place, .key = STR("r"), .partner = h.partner, .has = ENT_HAS_AMOUNT | ENT_HAS_QUANTITY};
	ent_refund r = {.h = back,
		.order_key = h.key,
		.line_key = STR("1"),
		.reason = STR("torn"),
		.at = instant(9),
		.currency = "EUR",
		.kind = ENT_REFUND_SHIPPING,
		.amount = m / 2,
		.quantity = 1000};
	ent_status e = PUSH(ENT_ORDER, x);
	if (!e)
		e = o->host->push(o->ctx, ENT_LINE, l, sizeof *l, 2);
	return e ? e : PUSH(ENT_REFUND, r);
}

static ent_status push_visit(old *o, ent_head h) {
	h.has = ENT_HAS_ENGAGED | ENT_HAS_NEW | ENT_HAS_LOAD;
	ent_visit x = {.h = h,
		.at = instant(0),
		.until = instant(60),
		.day = day(0),
		.visitor = o->host->identity(o->ctx, ENT_ID_COOKIE, STR("c1")),
		.consent = 1,
		.engaged = 1,
		.is_new = 1,
		.steps = ENT_STEP_ITEM | ENT_STEP_CART | ENT_STEP_CHECKOUT | ENT_STEP_SHIPPING | ENT_STEP_PAYMENT |
				 ENT_STEP_PURCHASE,
		.pageviews = 7,
		.purchases = 1,
		.load_ms = 1200,
		.loads = 3,
		.engaged_us = 5000000,
		.channel = STR("cpc"),
		.source = STR("search"),
		.campaign = STR("spring"),
		.country = STR("DE"),
		.device = STR("phone"),
		.landing = STR("/")};
	return PUSH(ENT_VISIT, x);
}

static ent_status push_other(old *o, ent_str kind, ent_head h, int64_t m) {
	ent_id visitor = o->host->identity(o->ctx, ENT_ID_COOKIE, STR("c1"));
	if (is(kind, "cart")) {
		h.has = ENT_HAS_VALUE | ENT_HAS_ITEMS;
		ent_cart x = {.h = h,
			.started_at = instant(0),
			.updated_at = instant(1),
			.recovered_at = local(2),
			.visitor = visitor,
			.order_key = STR("A"),
			.step = STR("payment"),
			.content_hash = STR("f00"),
			.channel = STR("shop"),
			.currency = "EUR",
			.value = m,
			.items = 3};
		return PUSH(ENT_CART, x);
	}
	if (is(kind, "touch")) {
		h.has = ENT_HAS_COST;
		ent_touch x = {.h = h,
			.at = instant(0),
			.visitor = visitor,
			.order_key = STR("A"),
			.channel = STR("mail"),
			.source = STR("letter"),
			.campaign = STR("spring"),
			.currency = "EUR",
			.cost = m};
		return PUSH(ENT_TOUCH, x);
	}
	if (is(kind, "contact")) {
		h.has = ENT_HAS_HELD | ENT_HAS_MINUTES;
		ent_contact x = {.h = h,
			.at = local(0),
			.answered_at = instant(1),
			.kind = STR("meeting"),
			.with = STR("them"),
			.subject = STR("spring"),
			.held = 1,
			.direction = 2,
			.minutes = 45};
		return PUSH(ENT_CONTACT, x);
	}
	if (is(kind, "observation")) {
		h.has = ENT_HAS_VALUE;
		ent_observation x = {.h = h,
			.from = month(0),
			.to = month(1),
			.metric = STR("share.online"),
			.dims = STR("industry=shoes"),
			.unit = STR("ratio"),
			.who = STR("census"),
			.currency = "EUR",
			.origin = ENT_ORIGIN_BENCHMARK,
			.scale = 3,
			.grade = 'B',
			.additive = 1,
			.value = m};
		return PUSH(ENT_OBSERVATION, x);
	}
	const ent_str names[] = {STR("title"), STR("due")}, values[] = {STR("send samples"), STR("2024-04-01")};
	ent_entry x = {.h = h,
		.reg = STR("commitments"),
		.id = STR("c-1"),
		.state = STR("open"),
		.actor = STR("ann"),
		.effective = day(0),
		.names = names,
		.values = values,
		.n = 2};
	return PUSH(ENT_ENTRY, x);
}

static ent_status row(void *self, const ent_row *r) {
	old *o = self;
	const ent_str kind = r->cell[C_KIND];
	ent_time at;
	int64_t m;
	ent_head h = {.place = r->place, .partner = STR("shop-1"), .key = r->cell[C_KEY], .version = instant(100)};
	if (is(kind, "heading")) {
		o->host->skip(o->ctx, r->place, "a heading");
		return ENT_OK;
	}
	if (is(kind, "stop"))
		return o->host->error(o->ctx, r->place, C_KIND, "a row says stop", "take it out");
	if (o->host->money(r->cell[C_NUMBER], ',', '.', &m) ||
		o->host->time(STR("01.03.2024 10:00"), "%d.%m.%Y %H:%M", &at)) {
		o->host->reject(o->ctx, r->place, C_NUMBER, "not a number");
		return ENT_OK;
	}
	if (at.kind != ENT_TIME_LOCAL || at.v != INT64_C(1709287200000000) || r->n != 4 || (r->cell[C_NOTE].p && !r->line))
		return ENT_EINTERNAL;
	if (is(kind, "gone")) {
		h.op = ENT_RETRACT;
		ent_order x = {.h = h, .at = instant(0), .currency = "EUR"};
		return PUSH(ENT_ORDER, x);
	}
	return is(kind, "order") ? push_order(o, h, m) : is(kind, "visit") ? push_visit(o, h) : push_other(o, kind, h, m);
}

static int starts(void *self, const ent_row *before, const ent_row *r) {
	(void)self;
	return !before || before->n == r->n;
}

static ent_status end_rows(void *self) {
	old *o = self;
	o->host->covers(o->ctx, ENT_ORDER, day(0), day(1), 1);
	o->host->cursor(o->ctx, "since", STR("2024-03-02"));
	o->host->log(o->ctx, ENT_LOG_WARNING, "the end;");
	return ENT_OK;
}

/* ---- lines, documents, bytes ---- */

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *v, void **self) {
	(void)v;
	return make(host, ctx, self);
}

static ent_status push_line(old *o, const char *p, size_t n) {
	ent_head h = {.place = o->fed, .key = {p, n}};
	o->fed += n + 1;
	return push_visit(o, h);
}

/* Whole lines, and what must follow them. */
static ent_status feed_lines(void *self, ent_str s, int eof) {
	old *o = self;
	volatile char padding = s.n ? s.p[s.n + ENT_FEED_PADDING - 1] : 0;
	(void)padding, (void)eof;
	while (s.n) {
		const char *nl = memchr(s.p, '\n', s.n);
		ent_status e = nl ? push_line(o, s.p, (size_t)(nl - s.p)) : ENT_EINTERNAL;
		if (e)
			return e;
		s.n -= (size_t)(nl + 1 - s.p), s.p = nl + 1;
	}
	return ENT_OK;
}

static ent_status feed_document(void *self, ent_str s, int eof) {
	old *o = self;
	return !eof ? ENT_EINTERNAL : s.n ? push_line(o, s.p, s.n - (s.p[s.n - 1] == '\n')) : ENT_OK;
}

/* Records of eight bytes, however they come. */
static ent_status feed_bytes(void *self, ent_str s, int eof) {
	old *o = self;
	for (size_t i = 0; i < s.n; i++) {
		o->seen[o->n++] = (unsigned char)s.p[i];
		if (o->n == sizeof o->seen) {
			ent_head h = {.place = o->fed, .key = {(const char *)o->seen, sizeof o->seen}};
			ent_status e = push_visit(o, h);
			if (e)
				return e;
			o->n = 0, o->fed += sizeof o->seen;
		}
	}
	if (eof && o->n)
		o->host->reject(o->ctx, o->fed, ENT_NO_COLUMN, "cut short");
	return ENT_OK;
}

static ent_status end(void *self) { return self ? ENT_OK : ENT_EINTERNAL; }

static ent_status save(void *self, int (*write)(void *to, const void *bytes, size_t n), void *to) {
	old *o = self;
	return write(to, &o->fed, sizeof o->fed) || write(to, o->seen, o->n) ? ENT_ESTOP : ENT_OK;
}

static ent_status load(void *self, ent_str state) {
	old *o = self;
	if (state.n < sizeof o->fed || state.n >= sizeof o->fed + sizeof o->seen)
		return ENT_EINTERNAL;
	memcpy(&o->fed, state.p, sizeof o->fed);
	o->n = (unsigned)(state.n - sizeof o->fed);
	memcpy(o->seen, state.p + sizeof o->fed, o->n);
	return ENT_OK;
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	*why = "the words Kind and Key";
	return doc->name.n && head.n > 8 && !memcmp(head.p, "Kind,Key", 8) ? 99 : 0;
}

/* ---- tables ---- */

#define EVERY_FACT ((1u << ENT_FACT_COUNT) - 2u)

static const ent_decoder rows = {.size = sizeof rows,
	.flags = ENT_DECODER_RESTATES,
	.name = "minor0-rows",
	.doc = "Rows that say what to push.",
	.version = "1",
	.system = "minor0",
	.facts = EVERY_FACT,
	.frame = ENT_FRAME_DELIMITED,
	.options = options,
	.columns = columns,
	.probe = probe,
	.create = create_rows,
	.begin = begin,
	.row = row,
	.starts = starts,
	.end = end_rows,
	.destroy = free};
static const ent_decoder lines = {.size = sizeof lines,
	.flags = ENT_DECODER_ANALYTICS,
	.name = "minor0-lines",
	.doc = "A visit a line.",
	.version = "1",
	.system = "minor0",
	.facts = 1u << ENT_VISIT,
	.frame = ENT_FRAME_JSONL,
	.create = create,
	.begin = begin,
	.feed = feed_lines,
	.end = end,
	.destroy = free};
static const ent_decoder document = {.size = sizeof document,
	.name = "minor0-document",
	.doc = "A visit a document.",
	.version = "1",
	.system = "minor0",
	.facts = 1u << ENT_VISIT,
	.frame = ENT_FRAME_DOCUMENT,
	.create = create,
	.begin = begin,
	.feed = feed_document,
	.end = end,
	.destroy = free};
static const ent_decoder bytes = {.size = sizeof bytes,
	.name = "minor0-bytes",
	.doc = "A visit each eight bytes.",
	.version = "1",
	.system = "minor0",
	.facts = 1u << ENT_VISIT,
	.frame = ENT_FRAME_BYTES,
	.create = create,
	.begin = begin,
	.feed = feed_bytes,
	.end = end,
	.save = save,
	.load = load,
	.destroy = free};
static const ent_decoder *const decoders[] = {&rows, &lines, &document, &bytes, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof ent_plugin_entry,
	.name = "minor0",
	.version = "1.0.0",
	.decoders = decoders};
