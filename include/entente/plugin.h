/* SPDX-License-Identifier: Apache-2.0
 *
 * entente/plugin.h: the whole contract between Entente and a source plugin.
 *
 * A plugin is a shared object that exports one constant, `ent_plugin_entry`, includes this header and links nothing of
 * Entente. It is loaded by `entente-decoder`, a process of its own; a fault in it costs that process and is reported
 * with the plugin, the source, the signal and the place it had reached.
 *
 * Units      Money is int64 in micro-units of the currency (1.00 EUR = 1000000). Quantities are int64 in 1/1000 of a
 *            piece. Times are given as they were written, see ent_time; the host applies the partner's zone.
 * Strings    ent_str: UTF-8, pointer and length, not NUL-terminated. {NULL, 0} means absent; {non-NULL, 0} means empty.
 * Ownership  Whoever made a string keeps it: it is borrowed until the call that passed it returns. The other side
 *            copies what it keeps. Nobody ever frees memory of the other side.
 * Threads    All functions of one decoder instance are called from one thread, one at a time. Two instances may run
 *            on two threads at once: keep no mutable global state. Host functions are called from that same thread.
 * Growth     Every table and fact starts with, or is pushed with, its size. A newer minor only appends at the end. The
 *            host reads min(its own size, the size it was given) and takes the rest as zero. Nothing is removed, renamed,
 *            or given another type or signature. What has no size and no stride (values, rows, columns, options) never
 *            grows. An enumerator, a bit or a macro keeps its number. tests/abi/gate.py checks all of it.
 * Errors     Functions return ENT_OK (0) or a negative ent_status. One bad record is reject()ed and is not an error.
 *
 * The header compiles as C11 and as C++17.
 */
#ifndef ENTENTE_PLUGIN_H
#define ENTENTE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENT_PLUGIN_MAGIC 0x31544e45u /* "ENT1" in little-endian memory */
#define ENT_PLUGIN_MAJOR 1u          /* differs: the plugin is refused, with both versions named */
#define ENT_PLUGIN_MINOR 0u          /* only ever appends */

/* ---- values -------------------------------------------------------------------------------------------------- */

typedef struct ent_str {
	const char *p; /* may be NULL only when n is 0 */
	size_t n;      /* bytes */
} ent_str;

/* A keyed identity, made by host->identity(). All zero = absent. Never a raw e-mail address. */
typedef struct ent_id {
	uint8_t b[16];
} ent_id;

typedef enum ent_time_kind {
	ENT_TIME_NONE = 0, /* absent; v must be 0 */
	ENT_TIME_INSTANT,  /* v: microseconds since 1970-01-01T00:00:00Z; offset_min: the offset the text was written with */
	ENT_TIME_LOCAL,    /* v: microseconds of the wall clock since 1970-01-01 00:00:00, no offset in the text */
	ENT_TIME_DATE,     /* v: days since 1970-01-01 */
	ENT_TIME_MONTH     /* v: months since 1970-01 */
} ent_time_kind;

#define ENT_NO_OFFSET INT16_MIN

typedef struct ent_time {
	int64_t v;
	int16_t offset_min; /* minutes east of UTC as written, or ENT_NO_OFFSET */
	uint8_t kind;       /* ent_time_kind */
	uint8_t reserved[5];
} ent_time;

typedef enum ent_status {
	ENT_OK = 0,
	ENT_ENOMEM = -1,     /* out of memory */
	ENT_ENOTFORMAT = -2, /* the document is not of this format; say where with host->error() first */
	ENT_EINTERNAL = -3,  /* a bug or an impossible state */
	ENT_ESTOP = -4,      /* host->push() only: return at once, the host is stopping */
	ENT_EOPTION = -5     /* create() only: options contradict each other; say how with host->error() first */
} ent_status;

/* ---- facts --------------------------------------------------------------------------------------------------- */

typedef enum ent_fact {
	ENT_ORDER = 1,
	ENT_LINE,
	ENT_REFUND,
	ENT_CART,
	ENT_VISIT,
	ENT_TOUCH,
	ENT_CONTACT,
	ENT_OBSERVATION,
	ENT_ENTRY,
	ENT_FACT_COUNT
} ent_fact;

typedef enum ent_op {
	ENT_UPSERT = 0,
	ENT_RETRACT = 1 /* the source says that this key is gone; only head and times are read */
} ent_op;

/* Head of every fact. */
typedef struct ent_head {
	uint64_t has;     /* ENT_HAS_* bits of the fact's kind: a field whose bit is clear is absent, not zero */
	uint64_t place;   /* byte offset of the record in its document (unpacked), for lineage and error messages */
	ent_str partner;  /* the partner as the source writes it (shop domain, seller id); absent = the source decides */
	ent_str key;      /* unique within (system, partner, kind), at most 255 bytes; absent or empty: the fact is refused */
	ent_time version; /* when the source says the fact was last changed; absent = the snapshot time of the document */
	uint8_t op;       /* ent_op */
	uint8_t reserved[7];
} ent_head;

typedef enum ent_order_status {
	ENT_ORDER_SOLD = 0,  /* placed and paid, or to be paid as usual */
	ENT_ORDER_PENDING,   /* placed, payment not yet certain; counts as an order */
	ENT_ORDER_QUOTE,     /* not sold: counted apart */
	ENT_ORDER_CANCELLED, /* placed and cancelled: in the `.placed` metrics only */
	ENT_ORDER_TEST       /* in no metric */
} ent_order_status;

enum {
	ENT_HAS_GROSS = 1 << 0,
	ENT_HAS_DISCOUNT = 1 << 1,
	ENT_HAS_SHIPPING = 1 << 2,
	ENT_HAS_TAX = 1 << 3,
	ENT_HAS_TOTAL = 1 << 4,
	ENT_HAS_REFUNDED = 1 << 5,
	ENT_HAS_DUE = 1 << 6,
	ENT_HAS_TAX_INCLUDED = 1 << 7,
	ENT_HAS_COST = 1 << 8,
	ENT_HAS_QUANTITY = 1 << 9,
	ENT_HAS_UNIT_PRICE = 1 << 10,
	ENT_HAS_NET = 1 << 11,
	ENT_HAS_AMOUNT = 1 << 12,
	ENT_HAS_VALUE = 1 << 13,
	ENT_HAS_ITEMS = 1 << 14,
	ENT_HAS_LOAD = 1 << 15,
	ENT_HAS_MINUTES = 1 << 16,
	ENT_HAS_HELD = 1 << 17,
	ENT_HAS_NEW = 1 << 18,
	ENT_HAS_ENGAGED = 1 << 19
};

enum { ENT_ORDER_LINES_COMPLETE = 1 << 0 }; /* the lines pushed right after this order are all of its lines */

typedef struct ent_order {
	ent_head h;
	ent_time at;           /* when it was placed; required */
	ent_time paid_at;      /* absent: not known to be paid */
	ent_time cancelled_at; /* absent: not cancelled, or not dated */
	ent_time shipped_at, promised_at, delivered_at;
	char currency[4];      /* ISO 4217, NUL-terminated; required */
	uint8_t status;        /* ent_order_status */
	uint8_t tax_included;  /* amounts contain tax; ENT_HAS_TAX_INCLUDED */
	uint8_t flags;         /* ENT_ORDER_LINES_COMPLETE */
	uint8_t reserved;
	int64_t gross;         /* goods before discounts, without shipping; absent: taken from the lines */
	int64_t discount;      /* taken off goods, positive */
	int64_t shipping;
	int64_t tax;
	int64_t total;         /* what the buyer was asked to pay: goods - discount + shipping + tax */
	int64_t refunded;      /* running total paid back; push ent_refund instead where refunds are dated */
	int64_t due;           /* still to be paid */
	ent_id customer;       /* absent: a guest */
	ent_id agent;          /* the person who wrote the order, if one did */
	ent_str channel;       /* raw word of the source; the configuration maps it to side/channel */
	ent_str country;       /* ISO 3166-1 alpha-2 of the delivery, upper case */
	ent_str region, campaign, payment, customer_kind;
} ent_order;

typedef struct ent_line {
	ent_head h;         /* key: unique within the order is enough if order_key is given */
	ent_str order_key;  /* key of its order; required */
	ent_str parent_key; /* line of the bundle that this line is a part of: such children are not summed */
	ent_str sku, product, name, category, vendor;
	char currency[4];   /* empty: that of the order */
	uint8_t reserved[4];
	int64_t quantity;   /* 1/1000 piece; negative for goods that came back */
	int64_t unit_price; /* before discount */
	int64_t gross;      /* unit_price * quantity */
	int64_t discount;   /* of this line, positive */
	int64_t net;        /* gross - discount, without tax; absent: computed */
	int64_t shipping;   /* where the source bills freight by line */
	int64_t tax, cost;
} ent_line;

typedef enum ent_refund_kind { ENT_REFUND_GOODS = 0, ENT_REFUND_SHIPPING, ENT_REFUND_ADJUSTMENT } ent_refund_kind;

typedef struct ent_refund {
	ent_head h;
	ent_str order_key; /* required */
	ent_str line_key, reason;
	ent_time at;       /* when it was paid back */
	char currency[4];  /* empty: that of the order */
	uint8_t kind;      /* ent_refund_kind */
	uint8_t reserved[3];
	int64_t amount;    /* positive */
	int64_t quantity;  /* 1/1000 piece */
} ent_refund;

typedef struct ent_cart {
	ent_head h;
	ent_time started_at; /* required */
	ent_time updated_at, recovered_at;
	ent_id visitor;
	ent_str order_key;    /* the order it became: then it was not left */
	ent_str step;         /* furthest step reached: cart, contact, shipping, payment */
	ent_str content_hash; /* same visitor and content within a day: one cart */
	ent_str channel;
	char currency[4];
	uint8_t reserved[4];
	int64_t value;        /* of the goods in it */
	uint32_t items;
	uint32_t reserved2;
} ent_cart;

enum { /* ent_visit.steps: what happened during the visit */
	ENT_STEP_ITEM = 1 << 0,
	ENT_STEP_CART = 1 << 1,
	ENT_STEP_CHECKOUT = 1 << 2,
	ENT_STEP_SHIPPING = 1 << 3,
	ENT_STEP_PAYMENT = 1 << 4,
	ENT_STEP_PURCHASE = 1 << 5
};

/* Visits merge: parts with one key add up (minimum and maximum of times, union of flags, sums of counts), so a decoder
 * may push a visit in as many parts as it likes. A document that is read again replaces the parts it brought before. */
typedef struct ent_visit {
	ent_head h;         /* key: day, visitor and session */
	ent_time at;        /* start; required. Of two parts, the texts of the one that starts first are kept */
	ent_time until;     /* last sign of life */
	ent_time day;       /* ENT_TIME_DATE: the day as the source cuts days; absent: that of `at` in the partner's zone */
	ent_id visitor;     /* absent: no consent, the visitor is not known */
	uint8_t consent;    /* 0 unknown, 1 given, 2 denied */
	uint8_t engaged;    /* ENT_HAS_ENGAGED */
	uint8_t is_new;     /* first visit of this visitor; ENT_HAS_NEW */
	uint8_t reserved;
	uint32_t steps;     /* ENT_STEP_* */
	uint32_t pageviews, purchases;
	uint32_t load_ms;   /* sum of page load times, milliseconds; ENT_HAS_LOAD */
	uint32_t loads;     /* number of page loads in load_ms */
	int64_t engaged_us; /* microseconds of attention */
	ent_str channel;    /* medium, as the source writes it */
	ent_str source, campaign, country, device, landing;
} ent_visit;

/* A marketing contact: an e-mail sent, an advertisement clicked. */
typedef struct ent_touch {
	ent_head h;
	ent_time at;
	ent_id visitor;
	ent_str order_key, channel, source, campaign;
	char currency[4];
	uint8_t reserved[4];
	int64_t cost; /* ENT_HAS_COST */
} ent_touch;

/* People: a meeting, a mail, a reply. */
typedef struct ent_contact {
	ent_head h;
	ent_time at;          /* required */
	ent_time answered_at; /* when the other side replied */
	ent_str kind;         /* meeting, mail, call, reply */
	ent_str with, subject;
	uint8_t held;         /* a meeting took place; ENT_HAS_HELD */
	uint8_t direction;    /* 0 unknown, 1 from us, 2 from them */
	uint8_t reserved[2];
	uint32_t minutes;     /* ENT_HAS_MINUTES */
} ent_contact;

typedef enum ent_origin {
	ENT_ORIGIN_SHOP = 0,  /* measured where the sale happens */
	ENT_ORIGIN_ANALYTICS, /* seen by web analytics */
	ENT_ORIGIN_DECLARED,  /* what the partner says of itself */
	ENT_ORIGIN_BENCHMARK, /* of an industry or a market */
	ENT_ORIGIN_FORECAST,
	ENT_ORIGIN_RATE,      /* an exchange rate: 1 `unit` = value `currency` */
	ENT_ORIGIN_COUNT
} ent_origin;

typedef struct ent_observation {
	ent_head h;
	ent_time from, to; /* half open; `to` absent: the day, or month, of `from` */
	ent_str metric;    /* catalogue name where there is one */
	ent_str dims;      /* k=v,k=v sorted by k, in v %2C for a comma, %25 for %; absent: the total */
	ent_str unit;      /* count, ratio, money, seconds; for a rate: the currency that one unit is of */
	ent_str who;       /* who said or measured it */
	char currency[4];
	uint8_t origin;    /* ent_origin */
	uint8_t scale;     /* value is in 10^-scale; 0 means 6 */
	char grade;        /* 'A' audited .. 'F' hearsay; 0 unknown */
	uint8_t additive;  /* values of adjoining periods may be added */
	int64_t value;     /* ENT_HAS_VALUE */
} ent_observation;

/* A register entry: what people know and keep, see docs/registers.md. */
typedef struct ent_entry {
	ent_head h;
	ent_str reg;        /* register: contacts, claims, commitments, ... */
	ent_str id, state, actor;
	ent_time effective; /* from when it holds */
	const ent_str *names, *values; /* n fields each */
	uint32_t n;
	uint32_t reserved;
} ent_entry;

/* ---- documents, rows, options --------------------------------------------------------------------------------- */

/* One body of bytes: a file, a response, a message. */
typedef struct ent_doc {
	uint32_t size;
	uint32_t reserved;
	ent_str name;        /* path below the source's root, URL, topic; never NULL */
	ent_str origin;      /* who sent it: shop domain, sender; may be absent */
	ent_str message_key; /* key of a message, or absent */
	ent_time arrived, modified;
	int64_t length;      /* bytes, unpacked; -1 unknown */
	const ent_str *header_names, *header_values; /* of a response or message; n_headers each */
	size_t n_headers;
	const ent_str *companions; /* whole side files, in the order of the configuration */
	size_t n_companions;
} ent_doc;

/* A row of a DELIMITED document. cell[i] belongs to column i of the decoder's table and is unquoted;
 * {NULL, 0}: the document has no such column; {non-NULL, 0}: the cell is empty. */
typedef struct ent_row {
	uint64_t place; /* byte offset of the row, unpacked */
	uint64_t line;  /* number of the row, the header is 1; 0 where a parallel reader does not know it */
	const ent_str *cell;
	size_t n;       /* number of columns in the decoder's table */
} ent_row;

typedef struct ent_column {
	const char *name;    /* as in the file; compared without regard to case and outer blanks */
	const char *aliases; /* further names, separated by '|', or NULL */
	int required;        /* a document without it is not of the format */
} ent_column;            /* a table ends with name NULL */

typedef enum ent_opt_type {
	ENT_OPT_BOOL,     /* i: 0 or 1 */
	ENT_OPT_INT,      /* i */
	ENT_OPT_STR,      /* s */
	ENT_OPT_ENUM,     /* s, one of choices; i: its index */
	ENT_OPT_DURATION, /* i: microseconds; written 90s, 10m, 36h, 7d, 4w */
	ENT_OPT_SECRET,   /* s: resolved from file:, env: or systemd: */
	ENT_OPT_LIST,     /* items[0..n), each of the schema item[0] */
	ENT_OPT_MAP       /* fixed keys: items[i] belongs to item[i]; free keys (item[0].key is "*"): keys[i], items[i] */
} ent_opt_type;

typedef struct ent_option {
	const char *key;            /* "*" as the only item of a map: any key */
	ent_opt_type type;
	int required;
	const char *preset;         /* default as it would be written, or NULL for none; not for LIST and MAP */
	const char *const *choices; /* ENUM: ends with NULL */
	const char *doc;            /* one sentence */
	const struct ent_option *item; /* LIST, MAP: schema; ends with key NULL */
} ent_option;                   /* a table ends with key NULL */

typedef struct ent_value {
	uint8_t type; /* ent_opt_type */
	uint8_t set;  /* written in the configuration, or has a default */
	uint8_t reserved[6];
	int64_t i;
	ent_str s;    /* also NUL-terminated at s.p[s.n] */
	size_t n;     /* LIST, MAP */
	const ent_str *keys;           /* MAP with free keys */
	const struct ent_value *items; /* LIST, MAP */
} ent_value;

/* ---- host ----------------------------------------------------------------------------------------------------- */

typedef enum ent_id_kind {
	ENT_ID_EMAIL,    /* trimmed, lower case; customers */
	ENT_ID_PHONE,    /* digits only; customers */
	ENT_ID_CUSTOMER, /* the source's own customer key; customers */
	ENT_ID_COOKIE,   /* visitors: a space of its own */
	ENT_ID_STAFF     /* agents: a space of its own */
} ent_id_kind;

typedef enum ent_log_level { ENT_LOG_DEBUG, ENT_LOG_INFO, ENT_LOG_WARNING } ent_log_level;

#define ENT_NO_COLUMN UINT32_MAX

typedef struct ent_ctx ent_ctx; /* the host's side of one decoder instance; opaque, valid until destroy() returns */

/* Functions of the host. The table is constant and outlives the plugin. */
typedef struct ent_host {
	uint32_t size, minor;
	/* Hands over n facts, `stride` bytes apart, each of the struct of `kind`. Copies everything before it returns. Lines
	 * that follow their order are kept with it. ENT_OK also for a fact that the host refuses: such a record ends as
	 * rejected. ENT_ESTOP: return at once. */
	ent_status (*push)(ent_ctx *, ent_fact kind, const void *items, size_t stride, size_t n);
	/* Puts the record in hand into the rejects store. `column`: index into the decoder's table, or ENT_NO_COLUMN. `why`: a
	 * reason without data of the record, so that equal reasons can be counted. Facts already pushed for it are kept. */
	void (*reject)(ent_ctx *, uint64_t place, uint32_t column, const char *why);
	/* The record in hand is none of ours (a test, a heading, an event of no interest). It is counted, not kept. */
	void (*skip)(ent_ctx *, uint64_t place, const char *why);
	/* Refuses the whole document. `what` is wrong, what `todo`; both required. Returns ENT_ENOTFORMAT, to be returned. */
	ent_status (*error)(ent_ctx *, uint64_t place, uint32_t column, const char *what, const char *todo);
	/* Normalizes and keys an identity. Empty text: all zero. */
	ent_id (*identity)(ent_ctx *, ent_id_kind, ent_str);
	/* This document speaks for [from, to) of facts of `kind`: within it, nothing means zero. `complete`: keys of the kind
	 * that an earlier document of the source brought for these days, and that this one lacks, are gone. */
	void (*covers)(ent_ctx *, ent_fact kind, ent_time from, ent_time to, int complete);
	/* From begin() only: the document is an edition of the slice `name` (a day's table). An edition of higher `grade`
	 * replaces those of lower grade (daily over intraday). */
	void (*slice)(ent_ctx *, ent_str name, int grade);
	/* Poll transports: value to ask from next time; committed together with the facts. */
	void (*cursor)(ent_ctx *, const char *name, ent_str value);
	/* At most a few lines a second are kept. Never personal data. */
	void (*log)(ent_ctx *, int level, const char *text);
	/* Decimal text to micro-units. `decimal`: '.' or ','; `group`: separator of thousands or 0. A leading or trailing
	 * currency symbol, blanks and a sign (also in parentheses or trailing) are taken. More than 6 decimals are rounded
	 * half-even. 0, or -1 if it is no amount or out of range. */
	int (*money)(ent_str text, char decimal, char group, int64_t *micro);
	/* Time by a strptime-like pattern (%Y %m %d %H %M %S %y %b %B %p %I %z %e %j %f, %% and literals), or with NULL by ISO
	 * 8601 in its usual spellings ("2024-03-01 10:00:00 +0100", "2024-03-01T09:00:00Z", "2024-03-01"). 0 or -1. */
	int (*time)(ent_str text, const char *pattern, ent_time *);
} ent_host;

/* ---- decoder -------------------------------------------------------------------------------------------------- */

typedef enum ent_frame {
	ENT_FRAME_BYTES = 0, /* feed() gets the bytes in any split and frames for itself */
	ENT_FRAME_DELIMITED, /* row() gets rows of a delimited file */
	ENT_FRAME_JSONL,     /* feed() gets whole lines, one or many a call, each ended by '\n'; ENT_FEED_PADDING follow */
	ENT_FRAME_DOCUMENT   /* feed() gets the whole body in one call, eof set; ENT_FEED_PADDING follow */
} ent_frame;

#define ENT_FEED_PADDING 64 /* readable bytes after the end of what feed() gets under JSONL and DOCUMENT */

enum { /* ent_decoder.flags */
	ENT_DECODER_RESTATES = 1 << 0, /* a document that comes again, changed, takes back all it brought before */
	ENT_DECODER_ANALYTICS = 1 << 1 /* its orders are seen by analytics: origin analytics, never added to the shop's */
};

typedef struct ent_decoder {
	uint32_t size;
	uint32_t flags;
	const char *name;    /* as written in the configuration */
	const char *doc;     /* one sentence */
	const char *version; /* of the meaning of its facts: a change decodes everything again */
	const char *system;  /* keyspace of its facts, "shopify"; an option named `system` overrides it */
	uint64_t facts;      /* 1 << kind, of all kinds that it pushes */
	ent_frame frame;
	const ent_option *options; /* or NULL */
	const ent_column *columns; /* DELIMITED: what row() gets; NULL if wants() says */
	/* Optional. How sure is it, 0 to 100, that this is its format? `head`: the first bytes, at most 64 KiB, unpacked, in
	 * UTF-8. `why` may be set to a constant text that says what was seen, or what was missing. */
	int (*probe)(ent_str head, const ent_doc *, const char **why);
	/* options[i] belongs to options table i. *self stays the plugin's. On error nothing is kept. */
	ent_status (*create)(const ent_host *, ent_ctx *, const ent_value *options, void **self);
	/* Optional. Columns that depend on options; the table is owned by self. */
	const ent_column *(*wants)(void *self);
	/* A document starts. Carried state of the last one is dropped. DELIMITED: after the header was matched. */
	ent_status (*begin)(void *self, const ent_doc *);
	ent_status (*row)(void *self, const ent_row *);
	ent_status (*feed)(void *self, ent_str bytes, int eof);
	/* DELIMITED, optional: may a record group start at `row`, given the row before it (NULL: none is known)? Stateless.
	 * Absent: every row is a group of its own, if the decoder carries nothing from row to row. */
	int (*starts)(void *self, const ent_row *before, const ent_row *row);
	/* The document, or this worker's part of it, ends: push what is held back. */
	ent_status (*end)(void *self);
	/* Optional, both or neither: state of a stream over a restart. write() returns 0, or -1 to stop. */
	ent_status (*save)(void *self, int (*write)(void *to, const void *bytes, size_t n), void *to);
	ent_status (*load)(void *self, ent_str state);
	void (*destroy)(void *self); /* self may be NULL */
} ent_decoder;

/* Transports as plugins: the table is reserved for a later minor; must be NULL. */
typedef struct ent_transport ent_transport;

typedef struct ent_plugin {
	uint32_t magic, major, minor, size;
	const char *name, *version;
	const ent_decoder *const *decoders;     /* ends with NULL */
	const ent_transport *const *transports; /* NULL */
} ent_plugin;

#if defined(__GNUC__)
#define ENT_EXPORT __attribute__((visibility("default")))
#else
#define ENT_EXPORT
#endif

/* The one symbol that a plugin exports. */
extern ENT_EXPORT const ent_plugin ent_plugin_entry;

#ifdef __cplusplus
}
#endif

#endif
