/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of a process that stays: events with typed values, one line each, to standard error.
 *
 *     ent_log(ENT_SEVERITY_INFO, "commit", ent_log_text("source", name), ent_log_uint("facts", n), ent_log_ns("took", ns));
 *     ent_log(ENT_SEVERITY_WARNING, "poll.failed", ent_log_text("source", name), ent_log_error(&e));
 *
 * Off until ent_log_init: a library that logs stays silent in a command. An event is a constant "noun.what_happened";
 * what varies stands in values, never in the name. A key is a constant, too: lower case, the unit is added by the kind
 * of value.
 *
 * What may be logged: names from the configuration (sources, partners, rules, plugins, routes), paths of files, counts,
 * sizes, times, states, numbers that we gave ourselves (generation, finding, revision), and errors of our own. Never:
 * what a record holds or an excerpt of it, keys of orders or customers, names, addresses, what people wrote into
 * registers, reasons or comments, tokens, secrets, headers, bodies, the query of a URL. As a last line of defence,
 * whatever looks like a mail address, and in URLs user, password and query, is blanked out here; do not rely on it.
 *
 * Any thread. A line is one write(2). It never waits: a line that the reader has no room for is dropped, and the next
 * one that goes out says how many were. For each event and first text value (so: for each source) some lines go out at
 * once, then a few a minute; the next one says how many of its kind were held back. */
#ifndef ENT_BASE_LOG_H
#define ENT_BASE_LOG_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ent_severity {
	ENT_SEVERITY_DEBUG,   /* for who looks for a fault */
	ENT_SEVERITY_INFO,    /* what an operator wants to have seen afterwards */
	ENT_SEVERITY_WARNING, /* goes on, and someone should look when there is time */
	ENT_SEVERITY_ERROR,   /* something does not work */
	ENT_SEVERITY_OFF
} ent_severity;

typedef enum ent_log_form {
	ENT_LOG_TEXT, /* 2026-11-22T14:05:06.789Z info commit source=nordwind facts=120 took=12.3ms */
	ENT_LOG_JSON /* {"time":…,"level":"info","event":"commit","source":"nordwind","facts":120,"took_seconds":0.0123} */
} ent_log_form;

typedef struct ent_log_options {
	ent_log_form form;
	ent_severity level;
	int fd;                  /* 0: standard error; borrowed */
	unsigned burst;          /* lines of one kind at once; 0: 20 */
	uint64_t every_ns;       /* after them one line in this time; 0: 5 s */
	uint64_t (*clock)(void); /* nanoseconds that only go forward; NULL: the machine's. Tests bring their own. */
} ent_log_options;

/* Starts, or changes while others log (reload). Looks at the descriptor: colours on a terminal; where it is the
 * journal's (JOURNAL_STREAM), a priority in front and no time. */
void ent_log_init(const ent_log_options *);
/* Says what was held back and switches the log off. */
void ent_log_finish(void);
bool ent_log_wanted(ent_severity);

typedef struct ent_log_value {
	const char *key; /* constant; NULL: left out */
	enum {
		ENT_LOG_VALUE_TEXT,
		ENT_LOG_VALUE_INT,
		ENT_LOG_VALUE_UINT,
		ENT_LOG_VALUE_BOOL,
		ENT_LOG_VALUE_DOUBLE,
		ENT_LOG_VALUE_NS,
		ENT_LOG_VALUE_BYTES,
		ENT_LOG_VALUE_ERROR
	} kind;
	union {
		const char *text;
		int64_t i;
		uint64_t u;
		double d;
		const ent_error *error;
	} as;
	size_t n; /* of a text; SIZE_MAX: up to its end */
} ent_log_value;

/* Cut at 512 bytes; NULL: the value is left out. */
static inline ent_log_value ent_log_text(const char *key, const char *text) {
	return (ent_log_value){.key = text ? key : NULL, .kind = ENT_LOG_VALUE_TEXT, .as.text = text, .n = SIZE_MAX};
}
static inline ent_log_value ent_log_text_n(const char *key, const char *p, size_t n) {
	return (ent_log_value){.key = p ? key : NULL, .kind = ENT_LOG_VALUE_TEXT, .as.text = p, .n = n};
}
/* A sentence for people: stands behind the name of the event. */
static inline ent_log_value ent_log_say(const char *sentence) { return ent_log_text("message", sentence); }
static inline ent_log_value ent_log_int(const char *key, int64_t i) {
	return (ent_log_value){.key = key, .kind = ENT_LOG_VALUE_INT, .as.i = i};
}
static inline ent_log_value ent_log_uint(const char *key, uint64_t u) {
	return (ent_log_value){.key = key, .kind = ENT_LOG_VALUE_UINT, .as.u = u};
}
static inline ent_log_value ent_log_bool(const char *key, bool b) {
	return (ent_log_value){.key = key, .kind = ENT_LOG_VALUE_BOOL, .as.u = b};
}
static inline ent_log_value ent_log_double(const char *key, double d) {
	return (ent_log_value){.key = key, .kind = ENT_LOG_VALUE_DOUBLE, .as.d = d};
}
/* A span of time: "took" is took=12.3ms in text, "took_seconds":0.0123 in JSON. */
static inline ent_log_value ent_log_ns(const char *key, int64_t ns) {
	return (ent_log_value){.key = key, .kind = ENT_LOG_VALUE_NS, .as.i = ns};
}
/* A size: "read" is read=1.2MB in text, "read_bytes":1234567 in JSON. */
static inline ent_log_value ent_log_bytes(const char *key, uint64_t bytes) {
	return (ent_log_value){.key = key, .kind = ENT_LOG_VALUE_BYTES, .as.u = bytes};
}
/* "error", with its place and what to do. NULL or no error: left out. */
static inline ent_log_value ent_log_error(const ent_error *e) {
	return (ent_log_value){.key = e && e->code ? "error" : NULL, .kind = ENT_LOG_VALUE_ERROR, .as.error = e};
}

void ent_log_write(ent_severity, const char *event, const ent_log_value *values, size_t n);

/* The first of the array stands for none: an event may have no values. */
#define ent_log(level, event, ...)                                                                                     \
	(ent_log_wanted(level) ? ent_log_write((level), (event), (const ent_log_value[]){{0}, ##__VA_ARGS__},              \
								 sizeof((const ent_log_value[]){{0}, ##__VA_ARGS__}) / sizeof(ent_log_value))          \
						   : (void)0)

/* "debug", "info", "warning", "error". */
extern const char *const ent_severity_names[ENT_SEVERITY_OFF + 1];

#endif
