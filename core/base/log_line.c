/* SPDX-License-Identifier: Apache-2.0
 *
 * A line of the log: text or JSON, and what is blanked out of every text that goes into it. See log.h. */
#include "base/log_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

const char *const ent_severity_names[] = {"debug", "info", "warning", "error", "off"};
static const char priorities[] = {'7', '6', '4', '3', '3'}; /* of syslog */
static const char *const colours[] = {"\033[2m", "", "\033[33m", "\033[31m", ""};

enum { ERROR_TEXT = 1400 };

/* ---- what must not be read in a log --------------------------------------------------------------------------------
 */

static bool part_of_word(char c) { return (unsigned char)c > ' ' && !strchr("<>\"'(),;=", c); }

/* Blanks out mail addresses, and in URLs user, password and query. */
static void add_blanked(ent_buf *out, const char *p, size_t n) {
	for (size_t i = 0; i < n;) {
		size_t end = i;
		while (end < n && part_of_word(p[end])) {
			end++;
		}
		if (end == i) {
			ent_buf_u8(out, (uint8_t)p[i++]);
			continue;
		}
		const char *word = p + i, *stop = p + end, *scheme = memmem(word, end - i, "://", 3);
		i = end;
		if (scheme) { /* a password may hold what ends a word elsewhere */
			while (stop < p + n && (unsigned char)*stop > ' ' && !strchr("<>\"'", *stop)) {
				stop++;
			}
			i = (size_t)(stop - p);
			const char *host = scheme + 3, *slash = memchr(host, '/', (size_t)(stop - host));
			const char *at = memrchr(host, '@', (size_t)((slash ? slash : stop) - host));
			const char *query = memchr(host, '?', (size_t)(stop - host));
			ent_buf_add(out, word, (size_t)(host - word));
			host = at ? at + 1 : host;
			ent_buf_add(out, host, (size_t)((query && query >= host ? query : stop) - host));
			if (query && query >= host) {
				ent_buf_add(out, "?...", 4);
				for (; i < n && (unsigned char)p[i] > ' '; i++) { /* a query holds '=' and ';', too */
				}
			}
			continue;
		}
		const char *at = memchr(word, '@', (size_t)(stop - word));
		if (at && at > word && at + 1 < stop && memchr(at, '.', (size_t)(stop - at))) {
			ent_buf_add(out, "(address)", 9);
		} else {
			ent_buf_add(out, word, (size_t)(stop - word));
		}
	}
}

/* The text of a value, blanked and cut at a whole character. */
static void add_text(ent_buf *out, const char *p, size_t n, size_t most) {
	if (n > most) {
		for (n = most; n > 0 && ((unsigned char)p[n] & 0xc0) == 0x80; n--) {
		}
		add_blanked(out, p, n);
		ent_buf_add(out, "\xe2\x80\xa6", 3);
	} else {
		add_blanked(out, p, n);
	}
}

/* Text or error of a value into `scratch`, from its beginning. */
static void value_text(ent_buf *scratch, const ent_log_value *v) {
	scratch->n = 0;
	if (v->kind == ENT_LOG_VALUE_ERROR) {
		char text[ERROR_TEXT];
		ent_error_text(v->as.error, text, sizeof text);
		add_text(scratch, text, strlen(text), sizeof text);
		return;
	}
	size_t n = v->n == SIZE_MAX ? strnlen(v->as.text, ENT__LOG_TEXT_MOST + 1) : v->n;
	add_text(scratch, v->as.text, n, ENT__LOG_TEXT_MOST);
}

/* ---- text ----------------------------------------------------------------------------------------------------------
 */

static bool quotes(const char *p, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] <= ' ' || p[i] == '"' || p[i] == '=' || (unsigned char)p[i] >= 0x7f) {
			return true;
		}
	}
	return n == 0;
}

/* As it is where that can be told from the next value, else as a JSON string: in either case on one line, and nothing
 * in it can drive a terminal. */
static void text_word(ent_buf *out, const char *p, size_t n) {
	if (quotes(p, n)) {
		ent_json_quote(out, p, n);
	} else {
		ent_buf_add(out, p, n);
	}
}

/* A sentence stands without quotes; what is no character of a line becomes a blank. */
static void text_sentence(ent_buf *out, const char *p, size_t n) {
	for (size_t i = 0, length; i < n; i += length) {
		length = ent_utf8_length(p + i, n - i);
		unsigned char c = (unsigned char)p[i];
		bool control = c < ' ' || c == 0x7f || (c == 0xc2 && length == 2 && (unsigned char)p[i + 1] < 0xa0);
		if (length && !control) {
			ent_buf_add(out, p + i, length);
		} else {
			ent_buf_u8(out, ' ');
		}
		length += !length;
	}
}

static void text_span(ent_buf *out, int64_t ns) {
	double s = (double)ns / 1e9;
	if (ns < 0 || ns >= 100000000000) {
		ent_buf_printf(out, "%.0fs", s);
	} else if (ns >= 1000000000) {
		ent_buf_printf(out, "%.3gs", s);
	} else if (ns >= 1000000) {
		ent_buf_printf(out, "%.3gms", s * 1e3);
	} else {
		ent_buf_printf(out, "%.0fus", s * 1e6);
	}
}

static void text_size(ent_buf *out, uint64_t bytes) {
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double size = (double)bytes;
	size_t unit = 0;
	for (; size >= 999.5 && unit < 4; unit++) {
		size /= 1000;
	}
	ent_buf_printf(out, unit ? "%.3g%s" : "%.0f%s", size, units[unit]);
}

static void text_value(ent_buf *out, ent_buf *scratch, const ent_log_value *v) {
	switch (v->kind) {
	case ENT_LOG_VALUE_INT:
		ent_buf_printf(out, "%lld", (long long)v->as.i);
		break;
	case ENT_LOG_VALUE_UINT:
		ent_buf_printf(out, "%llu", (unsigned long long)v->as.u);
		break;
	case ENT_LOG_VALUE_BOOL:
		ent_buf_printf(out, v->as.u ? "yes" : "no");
		break;
	case ENT_LOG_VALUE_DOUBLE:
		ent_buf_printf(out, "%.6g", v->as.d);
		break;
	case ENT_LOG_VALUE_NS:
		text_span(out, v->as.i);
		break;
	case ENT_LOG_VALUE_BYTES:
		text_size(out, v->as.u);
		break;
	case ENT_LOG_VALUE_TEXT:
	case ENT_LOG_VALUE_ERROR:
		value_text(scratch, v);
		text_word(out, (const char *)scratch->data, scratch->n);
		break;
	}
}

static bool sentence(const ent_log_value *v) {
	return v->kind == ENT_LOG_VALUE_ERROR || (v->kind == ENT_LOG_VALUE_TEXT && strcmp(v->key, "message") == 0);
}

static void text_line(ent_buf *out, ent_buf *scratch, const ent__log_style *style, const struct tm *tm, int64_t nanos,
	ent_severity level, const char *event, const ent_log_value *values, size_t n) {
	if (style->terminal) {
		ent_buf_printf(out, "%s%02d:%02d:%02d.%03dZ%s ", style->colour ? "\033[2m" : "", tm->tm_hour, tm->tm_min,
			tm->tm_sec, (int)(nanos / 1000000), style->colour ? "\033[0m" : "");
	} else if (!style->journal) {
		ent_buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ ", tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday,
			tm->tm_hour, tm->tm_min, tm->tm_sec, (int)(nanos / 1000000));
	}
	const char *colour = style->colour ? colours[level] : "", *plain = *colour ? "\033[0m" : "";
	if (style->terminal) {
		ent_buf_printf(out, "%s%-7s%s %s%s%s", colour, ent_severity_names[level], plain,
			style->colour ? "\033[1m" : "", event, style->colour ? "\033[0m" : "");
	} else if (style->journal) {
		ent_buf_printf(out, "%s", event);
	} else {
		ent_buf_printf(out, "%s %s", ent_severity_names[level], event);
	}
	for (size_t i = 0; i < n; i++) {
		if (values[i].key && sentence(&values[i])) {
			value_text(scratch, &values[i]);
			ent_buf_add(out, ": ", 2);
			text_sentence(out, (const char *)scratch->data, scratch->n);
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (values[i].key && !sentence(&values[i])) {
			size_t before = out->n;
			ent_buf_printf(out, style->colour ? " \033[2m%s=\033[0m" : " %s=", values[i].key);
			text_value(out, scratch, &values[i]);
			if (out->n > ENT__LOG_LINE_MOST - 96) { /* the rest would not fit with what stands at the end */
				out->n = before;
				ent_buf_add(out, " cut=yes", 8);
				return;
			}
		}
	}
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------
 */

static void json_key(ent_json *j, const char *key, const char *unit) {
	char text[80];
	int n = snprintf(text, sizeof text, "%s%s", key, unit);
	ent_json_key_n(j, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

static void json_value(ent_json *j, ent_buf *scratch, const ent_log_value *v) {
	json_key(j, v->key, v->kind == ENT_LOG_VALUE_NS ? "_seconds" : v->kind == ENT_LOG_VALUE_BYTES ? "_bytes" : "");
	switch (v->kind) {
	case ENT_LOG_VALUE_INT:
		ent_json_int(j, v->as.i);
		break;
	case ENT_LOG_VALUE_UINT:
	case ENT_LOG_VALUE_BYTES:
		ent_json_uint(j, v->as.u);
		break;
	case ENT_LOG_VALUE_BOOL:
		ent_json_bool(j, v->as.u != 0);
		break;
	case ENT_LOG_VALUE_DOUBLE:
		ent_json_double(j, v->as.d);
		break;
	case ENT_LOG_VALUE_NS:
		ent_json_decimal(j, v->as.i, 9);
		break;
	case ENT_LOG_VALUE_TEXT:
	case ENT_LOG_VALUE_ERROR:
		value_text(scratch, v);
		ent_json_text_n(j, (const char *)scratch->data, scratch->n);
		break;
	}
}

static void json_line(ent_buf *out, ent_buf *scratch, const struct tm *tm, int64_t nanos, ent_severity level,
	const char *event, const ent_log_value *values, size_t n, uint64_t held_back, uint64_t dropped) {
	ent_json j;
	char time[48];
	snprintf(time, sizeof time, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday,
		tm->tm_hour, tm->tm_min, tm->tm_sec, (int)(nanos / 1000));
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	ent_json_key(&j, "time");
	ent_json_text(&j, time);
	ent_json_key(&j, "level");
	ent_json_text(&j, ent_severity_names[level]);
	ent_json_key(&j, "event");
	ent_json_text(&j, event);
	for (size_t i = 0; i < n; i++) {
		ent_json before = j;
		size_t length = out->n;
		if (values[i].key) {
			json_value(&j, scratch, &values[i]);
		}
		if (out->n > ENT__LOG_LINE_MOST - 96) {
			j = before;
			out->n = length;
			ent_json_key(&j, "cut");
			ent_json_bool(&j, true);
			break;
		}
	}
	if (held_back) {
		ent_json_key(&j, "held_back");
		ent_json_uint(&j, held_back);
	}
	if (dropped) {
		ent_json_key(&j, "dropped");
		ent_json_uint(&j, dropped);
	}
	ent_json_end(&j);
}

void ent__log_line(ent_buf *out, const ent__log_style *style, int64_t realtime_ns, ent_severity level,
	const char *event, const ent_log_value *values, size_t n, uint64_t held_back, uint64_t dropped) {
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	int64_t nanos = realtime_ns % 1000000000;
	struct tm tm = {0};
	ent_buf scratch = {0};
	/* Universal time: lines of several machines have to agree, and what the C library thinks is local may be the zone of a partner
	 * that is just being loaded (zone.h). */
	gmtime_r(&seconds, &tm);
	if (style->journal) {
		ent_buf_printf(out, "<%c>", priorities[level]);
	}
	if (style->form == ENT_LOG_JSON) {
		json_line(out, &scratch, &tm, nanos, level, event, values, n, held_back, dropped);
	} else {
		text_line(out, &scratch, style, &tm, nanos, level, event, values, n);
		if (held_back) {
			ent_buf_printf(out, " held_back=%llu", (unsigned long long)held_back);
		}
		if (dropped) {
			ent_buf_printf(out, " dropped=%llu", (unsigned long long)dropped);
		}
	}
	ent_buf_u8(out, '\n');
	ent_buf_finish(&scratch);
}
