/* SPDX-License-Identifier: Apache-2.0
 *
 * config/config.h: entente.yaml, read and checked, as a plain structure.
 *
 * ent_config_load() reads, checks everything that can be checked without a plugin, a store or a zone table, and tells
 * all errors at once. What it gives is complete: defaults are filled in, relative paths made absolute (from the folder
 * of the configuration file), durations in microseconds, days since 1970-01-01.
 *
 * Every text is an ent_word, that is, it knows its place, so that who finds a fault in it later (an unknown zone, a
 * decoder that no plugin holds) can say where it was written. All memory belongs to the ent_config. Read-only once
 * loaded, so any number of threads may read it.
 */
#ifndef ENT_CONFIG_CONFIG_H
#define ENT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "config/errors.h"
#include "config/scalar.h"
#include "config/yaml.h"

typedef struct ent_word {
	const char *s; /* NUL-terminated UTF-8; NULL: not set, and there is no default */
	ent_place at;  /* line 0: a default, not written in the file */
} ent_word;

typedef struct ent_words {
	const ent_word *v;
	size_t n;
} ent_words;

typedef struct ent_pair {
	ent_word key, value;
} ent_pair;

typedef enum ent_as_of_kind { ENT_AS_OF_NOW, ENT_AS_OF_LATEST, ENT_AS_OF_DAY } ent_as_of_kind;

typedef struct ent_as_of {
	ent_as_of_kind kind;
	int32_t day; /* DAY: days since 1970-01-01 */
	ent_place at;
} ent_as_of;

/* "now", "latest" or "YYYY-MM-DD"; sets no place. false, and *out is left alone, if it is none of these. */
bool ent_as_of_parse(const char *text, ent_as_of *out);

/* Views beyond `total`, as bits of ent_config.views. */
typedef enum ent_view_bit {
	ENT_CONFIG_VIEW_CHANNEL = 1 << 0,
	ENT_CONFIG_VIEW_CATEGORY = 1 << 1,
	ENT_CONFIG_VIEW_COUNTRY = 1 << 2,
	ENT_CONFIG_VIEW_CAMPAIGN = 1 << 3,
	ENT_CONFIG_VIEW_REGION = 1 << 4,
	ENT_CONFIG_VIEW_PRODUCT = 1 << 5,
	ENT_CONFIG_VIEW_VENDOR = 1 << 6,
	ENT_CONFIG_VIEW_DEVICE = 1 << 7,
	ENT_CONFIG_VIEW_SOURCE = 1 << 8
} ent_view_bit;

/* channels: {system: {raw: side/channel}} */
typedef struct ent_channel_map {
	ent_word system, raw;
	ent_word side;    /* online, offline or unknown */
	ent_word channel; /* what stands behind the slash */
} ent_channel_map;

/* partners.ID.also.SYSTEM, one entry for each of its values */
typedef struct ent_partner_also {
	ent_word system, value;
} ent_partner_also;

typedef struct ent_config_partner {
	ent_word id;
	ent_word name; /* default: the id */
	ent_word industry, region, stage;
	ent_word currency; /* three capital letters; default: the reporting currency */
	ent_word zone;     /* IANA name, UTC or an offset like +01:00; default UTC */
	int32_t signed_on; /* days since 1970-01-01; INT32_MIN: not set */
	const ent_partner_also *also;
	size_t n_also;
	const ent_pair *attributes;
	size_t n_attributes;
} ent_config_partner;

typedef enum ent_partner_from {
	ENT_PARTNER_NONE,  /* no `partner:`: the source speaks for nobody (rates) */
	ENT_PARTNER_FIXED, /* `partner: ID`; the id is in `fallback` */
	ENT_PARTNER_PATH,  /* {partner} of `pattern`, see config/pattern.h */
	ENT_PARTNER_FACT,  /* head.partner of each fact */
	ENT_PARTNER_LINES, /* head.partner of each line: an order is split among the partners of its lines */
} ent_partner_from;

typedef enum ent_partner_unknown { ENT_UNKNOWN_PARK, ENT_UNKNOWN_REJECT, ENT_UNKNOWN_CREATE } ent_partner_unknown;

typedef struct ent_partner_rule {
	ent_partner_from from;
	ent_partner_unknown unknown;
	ent_word as;      /* the value is looked up in partners.*.also.<as>; NULL: in the partner ids, then also.<system> */
	ent_word pattern; /* PATH only */
	ent_word fallback; /* `else`: the partner of what names none; FIXED: the partner. NULL: none */
	ent_place at;
} ent_partner_rule;

/* From WEBHOOK on there are no files to look for: what comes lies in the inbox, see transport/inbox.h. */
typedef enum ent_transport_kind {
	ENT_FROM_FILE,
	ENT_FROM_GLOB,
	ENT_FROM_DIRECTORY,
	ENT_FROM_STDIN,
	ENT_FROM_WEBHOOK,
	ENT_FROM_POLL,
	ENT_FROM_PIPE
} ent_transport_kind;

typedef enum ent_sign_form { ENT_SIGN_BASE64, ENT_SIGN_HEX, ENT_SIGN_PLAIN } ent_sign_form;
typedef enum ent_sign_hash { ENT_SIGN_SHA256, ENT_SIGN_SHA512, ENT_SIGN_SHA1 } ent_sign_hash;

typedef struct ent_sign_config {
	ent_word header;
	ent_word prefix; /* of the header's value; NULL none */
	ent_sign_form form;
	ent_sign_hash hash;
	int over;          /* the body: there is nothing else to choose yet */
	ent_words secrets; /* references with absolute paths; any of them will do */
	ent_place at;
} ent_sign_config;

typedef struct ent_webhook_config {
	ent_word path; /* of the endpoint, below /in/ */
	ent_sign_config sign;
	ent_word once_by; /* header with the id of the delivery; NULL none */
	int64_t limit;    /* bytes of one body */
	ent_place at;
} ent_webhook_config;

typedef enum ent_pages_by {
	ENT_PAGES_NONE,
	ENT_PAGES_HEADER,
	ENT_PAGES_CURSOR,
	ENT_PAGES_NUMBER,
	ENT_PAGES_OFFSET
} ent_pages_by;

typedef enum ent_auth_kind { ENT_AUTH_NONE, ENT_AUTH_BEARER, ENT_AUTH_BASIC, ENT_AUTH_HEADER, ENT_AUTH_OAUTH2 } ent_auth_kind;

/* Pointers into JSON are written as RFC 6901 has them, also where a mere name was given. */
typedef struct ent_poll_config {
	ent_word url; /* without a query */
	int64_t every_us;
	const ent_pair *query; /* values may hold {since} */
	size_t n_query;
	const ent_pair *headers;
	size_t n_headers;
	ent_word records; /* pointer to the list in a page; NULL: the page itself */
	ent_word since;   /* pointer into a record; NULL: nothing is remembered */
	ent_word start, overlap;
	int64_t overlap_us, overlap_n; /* for times, for numbers */
	ent_pages_by pages;
	ent_word next;       /* HEADER: name of the header; CURSOR: pointer into the page */
	ent_word more;       /* CURSOR: pointer into the page; NULL: none */
	ent_word param;      /* CURSOR: NULL if `next` is an address; NUMBER, OFFSET: never NULL */
	int64_t first, size; /* size 0: not known */
	ent_place pages_at;
	ent_auth_kind auth;
	ent_word user;      /* BASIC: name; OAUTH2: client_id: a text or a reference. HEADER: name of the header */
	ent_word secret;    /* reference */
	ent_word bearer;    /* as `secret` */
	ent_word token_url; /* OAUTH2 */
	ent_word scope;     /* OAUTH2; NULL none */
	ent_word ca;        /* file; NULL: the system's */
	ent_rate rate;
	int64_t retry, timeout_us, connect_us, body, pages_most, redirects;
	ent_place at;
} ent_poll_config;

/* As it is written: "file", "glob", ... */
const char *ent_transport_name(ent_transport_kind kind);

typedef struct ent_transport_config {
	ent_transport_kind kind;
	ent_word path;     /* absolute file, glob, folder or pipe; for stdin the name that its bytes go by */
	const ent_webhook_config *webhook; /* WEBHOOK only */
	const ent_poll_config *poll;       /* POLL only */
	int64_t settle_us; /* a file changed less than this ago is left alone; -1: not set, see there */
	ent_word snapshot; /* pattern of the path that gives the snapshot time, see config/pattern.h; NULL: the mtime */
	ent_words companions; /* side files of each file: absolute, or beside it; with {name} for parts of `named` */
	ent_word named;       /* pattern of the path whose parts companions name; NULL: none */
	ent_place at;
} ent_transport_config;

enum { ENT_COMPANIONS_MAX = 32 };

typedef struct ent_decode_config {
	ent_word name;                /* decoder; NULL: auto, by probe */
	const ent_yaml_node *options; /* a map, or NULL for none; see config/options.h */
	ent_place at;
} ent_decode_config;

typedef enum ent_source_keys { ENT_KEYS_PARTNER, ENT_KEYS_SHARED } ent_source_keys;

typedef struct ent_config_source {
	ent_word name;
	ent_partner_rule partner;
	ent_transport_config from;
	ent_decode_config decode;
	ent_word zone;        /* of dates without offset: "partner" (default), UTC, IANA name, +01:00 */
	ent_source_keys keys; /* PARTNER: one keyspace a partner; SHARED: keys are unique over all partners of the source */
	int origin;           /* ent_origin, or -1: what the decoder says */
	int64_t every_us;     /* expect.every; 0: nothing expected */
	int64_t late_after_us;
} ent_config_source;

typedef struct ent_rule_setting {
	ent_word rule;
	const ent_yaml_node *settings; /* a map of setting -> value; see ent_yaml_json() */
} ent_rule_setting;

/* rules.for: {stage: {informative: [informative, homework]}}: partners whose `attribute` is `value` see these practices
 */
typedef struct ent_rule_scope {
	ent_word attribute, value;
	ent_words practices;
} ent_rule_scope;

typedef struct ent_rules_config {
	ent_words books; /* "shipped", or absolute folder */
	const ent_rule_setting *set;
	size_t n_set;
	const ent_rule_scope *scopes;
	size_t n_scopes;
	ent_words import;    /* Python modules that rules may import beyond the standard library */
	int64_t deadline_us; /* of one rule for one partner */
	int64_t memory;      /* bytes, of the rules worker */
	int64_t min_cohort;  /* partners whose figures may be released together */
	int64_t most_of_one, most_of_two; /* percent of a sum that the largest, the two largest of them may hold */
	ent_word venv;       /* absolute folder of a Python virtual environment; NULL: none */
} ent_rules_config;

/* metrics: NAME: what is to be counted; see config/metrics.h. Of the words, the text is NULL where they are not written. */
typedef struct ent_metric_config {
	ent_word name;
	ent_place at; /* of its body */
	ent_word count, sum, distinct, distribution, derived, ratio_of, ratio_to, unit, doc;
	const ent_yaml_node *where; /* a map; NULL: all of them */
	ent_words tags;
	ent_place ratio_at;
	bool from_rules; /* declared in a rulebook */
} ent_metric_config;

typedef struct ent_decoders_config {
	int64_t deadline_us; /* without any progress */
	int64_t memory;      /* bytes, of one process */
	int64_t ring;        /* bytes, of one process: what it may hand over before the core has folded it */
	int64_t quarantine_after; /* tries of a document of which workers die; documents in a row, of a source */
} ent_decoders_config;

typedef struct ent_commit_config {
	int64_t bytes, every_us; /* whichever comes first */
} ent_commit_config;

/* Of `entente serve`. Times in microseconds. */
typedef struct ent_service_config {
	int64_t scan_us, judge_every_us, slice_us, drain_us;
	int log_format; /* 0 auto, 1 text, 2 json */
	int log_level;  /* 0 error, 1 warning, 2 info, 3 debug */
} ent_service_config;

/* What waits in the inbox, see transport/inbox.h. */
typedef struct ent_inbox_config {
	int64_t memory;      /* bytes that may wait for the disk; one source may have half of them */
	int64_t waiting;     /* bytes of one source that may lie on the disk and not be committed */
	int64_t log;         /* bytes at which a log is sealed */
	int64_t age_us;      /* a log older than this is sealed */
	int64_t remember_us; /* how long the id of a delivery is remembered */
	int64_t ids;         /* and at most so many of each source */
	int64_t keep_us;     /* how long a log of which all is committed is kept */
} ent_inbox_config;

/* A field of a register that the organization adds; what it may be is checked by the engine, which knows the types. */
typedef struct ent_register_field_config {
	ent_word name;
	ent_place at;
	int type;       /* index in engine/registers.h's ent_register_type; -1: text */
	bool required;
	ent_words choices;
	ent_word doc;
} ent_register_field_config;

typedef struct ent_register_config {
	ent_word name;
	ent_place at;
	int32_t kept_since; /* days since 1970-01-01; INT32_MIN: nobody said */
	/* of a register that does not ship: */
	ent_word doc;
	ent_words states, closing;
	int audience; /* index in both, us, confidential; -1: nobody said */
	const ent_register_field_config *fields;
	size_t n_fields;
} ent_register_config;

/* What the organization believes. Numbers are texts, as JSON takes them too. */
typedef struct ent_prior_config {
	ent_word name;
	ent_word p10, p50, p90;
	int unit;     /* in ent_prior_units */
	int audience; /* in ent_prior_audiences */
	ent_word source;
} ent_prior_config;

extern const char *const ent_prior_units[], *const ent_prior_audiences[]; /* ended by NULL */

typedef enum ent_sandbox_level {
	ENT_CONFIG_SANDBOX_REQUIRED,
	ENT_CONFIG_SANDBOX_BEST_EFFORT,
	ENT_CONFIG_SANDBOX_OFF
} ent_sandbox_level;

/* An address of serve.listen. */
typedef struct ent_listen {
	char host[64]; /* numbers, without brackets */
	uint16_t port; /* 0: any that is free */
	bool six, loopback;
} ent_listen;

bool ent_listen_parse(const char *text, ent_listen *out);

typedef struct ent_serve_config {
	ent_words listen; /* each is an ent_listen */
	ent_words hosts;
	ent_word certificate; /* absolute path; NULL: no TLS */
	ent_word key;         /* secret reference with absolute path */
	bool terminated;      /* a proxy does TLS */
	ent_rate rate;        /* of one client */
	int64_t body;         /* bytes */
	int64_t timeout_us;
	int64_t connections;
	ent_place at;
	ent_word url; /* where people reach the page; NULL: nobody said */
} ent_serve_config;

/* tell: NAME: who is told what changes about findings. Times in microseconds. */
typedef enum ent_tell_way { ENT_TELL_WEBHOOK, ENT_TELL_MAIL, ENT_TELL_ALERTMANAGER } ent_tell_way;
typedef enum ent_tell_change {
	ENT_TELL_OPENED, ENT_TELL_REOPENED, ENT_TELL_CLEARED, ENT_TELL_WORSE, ENT_TELL_CHANGES
} ent_tell_change;
enum { ENT_TELL_TLS_START, ENT_TELL_TLS_IMPLICIT, ENT_TELL_TLS_NONE };
/* Their words, each list ended by NULL. */
extern const char *const ent_tell_ways[];
extern const char *const ent_tell_changes[];
extern const char *const ent_tell_kinds[];
extern const char *const ent_tell_severities[];

typedef struct ent_tell_quiet {
	ent_place at;
	int from, to;   /* minutes of the day; not later: it ends the day after */
	ent_word zone;
	uint32_t days;  /* bit 0: begins on Mondays; 0: each day */
	int except;     /* index of a severity that is told all the same; -1: none */
} ent_tell_quiet;

typedef struct ent_config_tell {
	ent_word name;
	int way;        /* ent_tell_way */
	uint32_t ways;  /* as bits: of a good one one is set */
	ent_place to_at;
	ent_word url, secret, ca; /* secret, password: references */
	bool allow_private;
	const ent_pair *headers;  /* a value of the form of a reference is one */
	size_t n_headers;
	ent_word server, from, user, password;
	ent_words mail_to;
	int tls;
	int64_t repeat_us;
	ent_words partners, rules, practices; /* none: any */
	uint32_t kinds; /* bits of ent_tell_kinds; 0: any */
	uint32_t on;    /* bits of ent_tell_change */
	int severity;   /* the least; -1: any */
	int64_t group_us, retry_us;
	const ent_tell_quiet *quiet;
	size_t n_quiet;
	ent_word template; /* absolute path; NULL: the one built in */
} ent_config_tell;

typedef struct ent_config {
	ent_arena *arena;
	const char *file;   /* as it was given, for messages */
	const char *folder; /* absolute; relative paths start here */
	int64_t version;
	ent_word store;    /* absolute folder */
	ent_word currency; /* that amounts are reported in */
	ent_as_of as_of;
	ent_word identity_key; /* secret reference with absolute path; NULL: the engine keeps one in the store */
	ent_words plugins;     /* names, or absolute paths */
	uint32_t views;        /* ENT_CONFIG_VIEW_* */
	const ent_channel_map *channels;
	size_t n_channels;
	const ent_config_partner *partners;
	size_t n_partners;
	const ent_config_source *sources;
	size_t n_sources;
	ent_rules_config rules;
	const ent_register_config *registers;
	size_t n_registers;
	const ent_prior_config *priors;
	size_t n_priors;
	ent_decoders_config decoders;
	ent_commit_config commit;
	ent_service_config service;
	ent_inbox_config inbox;
	int64_t history_us; /* how long the ledger keeps what counts no more */
	int64_t rejects_keep_us; /* how long the sealed bytes of a rejected record are kept */
	int64_t workers; /* decoder workers at once; default: as many as cores */
	ent_sandbox_level sandbox;
	ent_serve_config serve;
	const ent_config_tell *tell;
	size_t n_tell;
	const ent_metric_config *metrics;
	size_t n_metrics;
	const ent_yaml_node *root; /* what was read */
} ent_config;

/* Reads and checks the file. On success *out is the caller's, to be given to ent_config_destroy(), and 0 is returned;
 * otherwise *out is NULL, the errors are in `errors` and the first one's status is returned. */
int ent_config_load(const char *path, ent_config **out, ent_errors *errors);

/* The same from n bytes; `folder` (absolute) is where relative paths start, `name` what messages call the text. */
int ent_config_parse(
	const char *bytes, size_t n, const char *name, const char *folder, ent_config **out, ent_errors *errors);

void ent_config_destroy(ent_config *config); /* NULL is fine */

/* By name; NULL where there is none. */
const ent_config_partner *ent_config_partner_find(const ent_config *config, const char *id);
const ent_config_source *ent_config_source_find(const ent_config *config, const char *name);

/* Do both say the same in a section ("rules"), or in one of its members ("sources", NAME)? Relative paths begin at the folder
 * of the file, which counts as well. */
bool ent_config_same(const ent_config *a, const ent_config *b, const char *section, const char *name);

/* docs/configuration.md, made from the tables that check the configuration. */
int ent_config_docs(ent_buf *out);

#endif
