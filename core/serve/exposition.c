/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures as Prometheus reads them: its own text format, or OpenMetrics. See exposition.h; what there is stands in
 * exposition_table.c. */
#include "serve/exposition.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/config.h"
#include "serve/exposition_table.h"

/* ---- one sample -----------------------------------------------------------------------------------------------------
 */

typedef struct label {
	const char *name, *value; /* name NULL: there is none */
} label;

static void escaped(ent_buf *out, const char *text) {
	for (const char *p = text; *p; p++) {
		if (*p == '\\' || *p == '"') {
			ent_buf_u8(out, '\\');
			ent_buf_u8(out, (uint8_t)*p);
		} else if (*p == '\n') {
			ent_buf_add(out, "\\n", 2);
		} else {
			ent_buf_u8(out, (uint8_t)*p);
		}
	}
}

static void sample(ent_buf *out, const ent__metric *m, label a, label b, const char *number) {
	ent_buf_printf(out, "%s%s", m->name, m->type == ENT__COUNTER ? "_total" : "");
	const label *labels[] = {&a, &b};
	char before = '{';
	for (size_t i = 0; i < 2; i++) {
		if (labels[i]->name) {
			ent_buf_printf(out, "%c%s=\"", before, labels[i]->name);
			escaped(out, labels[i]->value);
			ent_buf_u8(out, '"');
			before = ',';
		}
	}
	ent_buf_printf(out, "%s %s\n", before == ',' ? "}" : "", number);
}

static const char *whole(uint64_t value, char text[48]) {
	snprintf(text, 48, "%" PRIu64, value);
	return text;
}

/* Exactly, without a floating-point number: microseconds of today have 16 digits. */
static const char *microseconds(int64_t us, char text[48]) {
	uint64_t size = us < 0 ? (uint64_t)-us : (uint64_t)us;
	snprintf(text, 48, "%s%" PRIu64 ".%06" PRIu64, us < 0 ? "-" : "", size / 1000000, size % 1000000);
	return text;
}

static uint64_t number_at(const ent__metric *m, const void *p) {
	switch (m->how) {
	case ENT__U32:
		return *(const uint32_t *)p;
	case ENT__UINT:
		return *(const unsigned *)p;
	case ENT__SIZE:
		return *(const size_t *)p;
	case ENT__BOOL:
		return *(const bool *)p;
	default:
		return *(const uint64_t *)p;
	}
}

/* The value, or the values, of one row. */
static void samples(ent_buf *out, const ent_figures *f, const ent__metric *m, const void *row, label of) {
	const void *p = (const char *)row + m->at;
	char text[48];
	switch (m->how) {
	case ENT__TIME:
		if (*(const int64_t *)p) {
			sample(out, m, of, (label){0}, microseconds(*(const int64_t *)p, text));
		}
		break;
	case ENT__SINCE: {
		int64_t since = *(const int64_t *)p, age = since && f->now_us > since ? f->now_us - since : 0;
		sample(out, m, of, (label){0}, microseconds(age, text));
		break;
	}
	case ENT__DOUBLE: {
		double value = *(const double *)p;
		snprintf(text, sizeof text, "%.9g", isfinite(value) ? value : 0);
		sample(out, m, of, (label){0}, text);
		break;
	}
	case ENT__NANOSECONDS:
		snprintf(text, sizeof text, "%" PRIu64 ".%09" PRIu64, *(const uint64_t *)p / 1000000000,
			*(const uint64_t *)p % 1000000000);
		sample(out, m, of, (label){0}, text);
		break;
	case ENT__STATE:
		for (unsigned i = ENT_SOURCE_IDLE; i <= ENT_SOURCE_QUARANTINED; i++) {
			bool is = *(const ent_source_state *)p == i;
			sample(out, m, of, (label){m->label, m->words[i]}, is ? "1" : "0");
		}
		break;
	case ENT__WORDS:
		for (size_t i = 0; m->words[i]; i++) {
			sample(out, m, of, (label){m->label, m->words[i]}, whole(((const uint64_t *)p)[i], text));
		}
		break;
	case ENT__INFO:
		sample(out, m, (label){"version", f->version}, (label){0}, "1");
		break;
	default:
		sample(out, m, of, (label){0}, whole(number_at(m, p), text));
		break;
	}
}

/* ---- rows -----------------------------------------------------------------------------------------------------------
 */

/* What lies in files of others goes past the inbox. */
static bool uses_inbox(const ent_source_status *s) {
	return strcmp(s->transport, ent_transport_name(ENT_FROM_FILE)) != 0 &&
		   strcmp(s->transport, ent_transport_name(ENT_FROM_GLOB)) != 0 &&
		   strcmp(s->transport, ent_transport_name(ENT_FROM_DIRECTORY)) != 0;
}

static void rows(ent_buf *out, const ent_figures *f, const ent__metric *m) {
	const ent_service_status *s = f->service;
	switch (m->of) {
	case ENT__OF_ALL:
		samples(out, f, m, f, (label){0});
		break;
	case ENT__OF_SERVICE:
		if (s) {
			samples(out, f, m, s, (label){0});
		}
		break;
	case ENT__OF_SOURCE:
		for (size_t i = 0; s && i < s->n_sources; i++) {
			samples(out, f, m, &s->sources[i], (label){"source", s->sources[i].name});
		}
		break;
	case ENT__OF_INBOX:
		for (size_t i = 0; s && f->inbox && i < s->n_sources; i++) {
			if (uses_inbox(&s->sources[i])) {
				samples(out, f, m, &f->inbox[i], (label){"source", s->sources[i].name});
			}
		}
		break;
	case ENT__OF_RULE:
		for (size_t i = 0; s && i < s->n_rules; i++) {
			samples(out, f, m, &s->rules[i], (label){"rule", s->rules[i].name});
		}
		break;
	case ENT__OF_HTTP:
		if (f->http) {
			samples(out, f, m, f->http, (label){0});
		}
		break;
	case ENT__OF_HOOKS:
		if (f->hooks) {
			samples(out, f, m, f->hooks, (label){0});
		}
		break;
	case ENT__OF_TELL:
		for (size_t i = 0; i < f->n_tell; i++) {
			samples(out, f, m, &f->tell[i], (label){"target", f->tell[i].name});
		}
		break;
	case ENT__OF_PROCESS:
		if (f->process) {
			samples(out, f, m, f->process, (label){0});
		}
		break;
	}
}

void ent_exposition(const ent_figures *f, bool openmetrics, ent_buf *out) {
	ent_buf values = {0};
	for (const ent__metric *m = ent__metrics; m->name; m++) {
		values.n = 0;
		rows(&values, f, m);
		if (!values.n) {
			continue; /* a name without a value would be noise */
		}
		bool info = m->how == ENT__INFO;
		const char *type = info && openmetrics ? "info" : m->type == ENT__COUNTER ? "counter" : "gauge";
		const char *total = m->type == ENT__COUNTER && !openmetrics ? "_total" : "";
		int n = (int)strlen(m->name) - (info && openmetrics ? 5 : 0); /* its samples alone are called _info there */
		ent_buf_printf(
			out, "# HELP %.*s%s %s\n# TYPE %.*s%s %s\n", n, m->name, total, m->help, n, m->name, total, type);
		if (openmetrics && m->unit[0]) {
			ent_buf_printf(out, "# UNIT %s %s\n", m->name, m->unit);
		}
		ent_buf_add(out, values.data, values.n);
	}
	if (openmetrics) {
		ent_buf_add(out, "# EOF\n", 6);
	}
	ent_buf_finish(&values);
}

void ent_exposition_docs(ent_buf *out) {
	static const char *const labels[] = {
		[ENT__OF_SOURCE] = "source", [ENT__OF_INBOX] = "source", [ENT__OF_RULE] = "rule", [ENT__OF_TELL] = "target", [ENT__OF_ALL] = NULL};
	ent_buf_printf(out, "| metric | type | labels | what it says |\n|---|---|---|---|\n");
	for (const ent__metric *m = ent__metrics; m->name; m++) {
		const char *a = m->how == ENT__INFO ? "version" : labels[m->of], *b = m->label;
		ent_buf_printf(out, "| `%s%s` | %s | %s%s%s | %s |\n", m->name, m->type == ENT__COUNTER ? "_total" : "",
			m->type == ENT__COUNTER ? "counter" : "gauge", a ? a : "", a && b ? ", " : "", b ? b : "", m->help);
	}
}

/* ---- the process ----------------------------------------------------------------------------------------------------
 */

/* Field `number` of /proc/self/stat, from 1 on. The second holds the name in brackets, and maybe blanks. */
static unsigned long long stat_field(const char *stat, unsigned number) {
	const char *p = strrchr(stat, ')');
	for (unsigned i = 2; p && i < number; i++) {
		p = strchr(p + 1, ' ');
	}
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

/* When the machine started, in seconds since 1970: the process' own start is told in ticks since then. */
static uint64_t boot_time(void) {
	char *line = NULL;
	size_t size = 0;
	uint64_t seconds = 0;
	FILE *file = fopen("/proc/stat", "re");
	while (file && !seconds && getline(&line, &size, file) > 0) {
		seconds = strncmp(line, "btime ", 6) == 0 ? strtoull(line + 6, NULL, 10) : 0;
	}
	if (file) {
		fclose(file);
	}
	free(line);
	return seconds;
}

void ent_process_figures_read(ent_process_figures *out) {
	char stat[2048] = "";
	struct rusage used;
	struct rlimit files;
	*out = (ent_process_figures){0};
	FILE *file = fopen("/proc/self/stat", "re");
	if (file) {
		stat[fread(stat, 1, sizeof stat - 1, file)] = 0;
		fclose(file);
	}
	out->virtual_bytes = stat_field(stat, 23);
	out->resident_bytes = stat_field(stat, 24) * (uint64_t)sysconf(_SC_PAGESIZE);
	getrusage(RUSAGE_SELF, &used);
	out->cpu_seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
					   (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	out->max_fds = getrlimit(RLIMIT_NOFILE, &files) ? 0 : files.rlim_cur;
	out->started_us =
		(int64_t)(boot_time() * 1000000 + stat_field(stat, 22) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	DIR *dir = opendir("/proc/self/fd");
	while (dir && readdir(dir)) {
		out->open_fds++;
	}
	if (dir) {
		closedir(dir);
		out->open_fds -= out->open_fds < 3 ? out->open_fds : 3; /* "." and "..", and the folder's own */
	}
}
