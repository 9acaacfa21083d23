/* SPDX-License-Identifier: Apache-2.0
 *
 * Records behind figures, see trace.h. */
#include "command/trace.h"
#include "base/day.h"
#include "base/mask.h"
#include "base/num.h"
#include "command/fact_text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ONE_SCALE = 12, ROW_MOST = 1 << 14 };

void ent__trace_init(ent__trace *t, ent_call *call, ent__project *project, const char *partner, uint32_t index) {
	*t = (ent__trace){.call = call,
		.project = project,
		.partner = partner,
		.index = index,
		.code = ent__project_code(project, partner)};
}

void ent__trace_finish(ent__trace *t) {
	ent_versions_destroy(t->versions);
	ent__lines_finish(&t->lines);
	ent_buf_finish(&t->frame);
	ent_buf_finish(&t->text);
	ent_document_finish(&t->document);
	ent_arena_finish(&t->arena);
}

int ent__trace_versions(ent__trace *t, const ent_moment *then, const ent_moment *now, ent_error *e) {
	ent_versions_destroy(t->versions);
	t->versions = NULL;
	return ent_engine_versions(t->project->engine, t->code, then, now, &t->versions, e);
}

/* ---- figures --------------------------------------------------------------------------------------------------------
 */

static int64_t rate_of(void *ctx, const char *currency, int32_t day) {
	ent__trace *t = ctx;
	const ent_snap *s = &t->project->snap;
	if (!strcmp(currency, t->project->config->currency.s)) {
		return ENT_ACCOUNT_ONE;
	}
	if (strcmp(t->currency, currency) != 0) {
		snprintf(t->currency, sizeof t->currency, "%s", currency);
		t->currency_text = 0;
		while (t->currency_text < s->n_texts && strcmp(ent_snap_text_of(s, t->currency_text), currency) != 0) {
			t->currency_text++;
		}
	}
	return t->currency_text < s->n_texts ? ent_snap_rate_on(s, t->currency_text, day) : 0;
}

int ent__trace_account(ent__trace *t, const ent__wanted *w, const ent_account_side *then, const ent_account_side *now,
	ent_account *out, ent_error *e) {
	ent_account_ask ask = {.versions = t->versions,
		.metric = w->metric,
		.view = w->view,
		.values = w->values,
		.n_values = w->n_values,
		.then = then,
		.now = *now,
		.rate = rate_of,
		.ctx = t};
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		ask.origins[f] =
			(uint8_t)(w->origin >= 0 ? (unsigned)w->origin : ent_window_origin(&t->project->snap, t->index, f));
	}
	return ent_engine_account(t->project->engine, &ask, out, e);
}

static unsigned scale_of(unsigned unit) {
	return unit == ENT_UNIT_MONEY || unit == ENT_UNIT_SECONDS ? 6 : unit == ENT_UNIT_PIECES ? 3 : 0;
}

char *ent__sum_text(unsigned unit, __int128 sum, char *out) {
	unsigned digits = unit == ENT_UNIT_MONEY ? 2 : unit == ENT_UNIT_SECONDS ? 1 : 0;
	if (unit == ENT_UNIT_PIECES && sum % ((__int128)1000 * ENT_ACCOUNT_ONE)) {
		digits = 3;
	}
	return ent_number_text(sum, ONE_SCALE + scale_of(unit), digits, out);
}

__int128 ent__term_sum(const ent__trace *x, const ent_metric *m, const ent_account *a, unsigned term) {
	const ent_metric_term *t = term < ENT_TERMS ? &m->top[term] : &m->bottom[term - ENT_TERMS];
	bool money = ent__measure(x, t->measure)->unit == ENT_UNIT_MONEY;
	__int128 sum = 0;
	for (size_t i = 0; i < a->n_cells; i++) {
		sum += (__int128)a->cells[i].m[term] * (money                            ? a->cells[i].rate
												   : t->measure == ENT_M_LOAD_MS ? 1000 * ENT_ACCOUNT_ONE
																				 : ENT_ACCOUNT_ONE);
	}
	return sum;
}

void ent__sum_json(ent_json *j, unsigned unit, __int128 sum) { ent_json_decimal(j, sum, ONE_SCALE + scale_of(unit)); }

unsigned ent__top_unit(const ent__trace *t, const ent_metric *m) {
	return m->kind == ENT_METRIC_RATIO ? ent__measure(t, m->top[0].measure)->unit
		   : m->kind == ENT_METRIC_SUM ? m->unit
									   : ENT_UNIT_COUNT;
}

unsigned ent__bottom_unit(const ent__trace *t, const ent_metric *m) {
	return m->kind == ENT_METRIC_RATIO ? ent__measure(t, m->bottom[0].measure)->unit : ENT_UNIT_COUNT;
}

char *ent__value_text(const ent__trace *t, const ent_metric *m, __int128 top, __int128 bottom, char *out) {
	char number[ENT_NUMBER_TEXT];
	const char *unit = m->unit == ENT_UNIT_MONEY     ? t->project->config->currency.s
					   : m->unit == ENT_UNIT_SECONDS ? "s"
													 : "";
	if (m->kind != ENT_METRIC_RATIO) {
		ent__sum_text(ent__top_unit(t, m), top, number);
	} else if (!bottom) {
		snprintf(out, ENT_NUMBER_TEXT, "unknown");
		return out;
	} else {
		/* both are rounded first, as a window's are; six digits behind the point are enough to read */
		__int128 a = ent_div_half_even(top, ENT_ACCOUNT_ONE), b = ent_div_half_even(bottom, ENT_ACCOUNT_ONE);
		unsigned over = scale_of(ent__bottom_unit(t, m)), under = scale_of(ent__top_unit(t, m)),
				 want = m->unit == ENT_UNIT_RATIO ? 8 : 6;
		for (unsigned i = 0; i < want + over - (under < want + over ? under : want + over); i++) {
			a *= 10;
		}
		if (b < 0) {
			a = -a;
			b = -b;
		}
		__int128 q = b ? ent_div_half_even(a, b) : 0;
		ent_number_text(q, m->unit == ENT_UNIT_RATIO ? want - 2 : want, m->unit == ENT_UNIT_SECONDS ? 1 : 2, number);
		unit = m->unit == ENT_UNIT_RATIO ? "%" : unit;
		if (!b) {
			snprintf(number, sizeof number, "unknown");
			unit = "";
		}
	}
	snprintf(out, ENT_NUMBER_TEXT, "%.50s%s%.8s", number, *unit ? " " : "", unit);
	return out;
}

/* ---- records --------------------------------------------------------------------------------------------------------
 */

static const ent_config_source *source_of(const ent__trace *t, uint32_t source) {
	return ent_config_source_find(t->project->config, ent__project_text(t->project, source));
}

static bool path_of(const ent__trace *t, uint32_t source, const ent_input *input, char *out, size_t size) {
	const ent_config_source *s = source_of(t, source);
	return s && input && ent__lines_path(s, input->name, out, size);
}

const char *ent__trace_where(ent__trace *t, uint32_t source, uint32_t input, uint64_t place) {
	const ent_input *x = ent_engine_input(t->project->engine, input);
	if (!x) {
		return "";
	}
	uint64_t line = ent__line_of(&t->lines, source_of(t, source), x->name, place);
	return line && !*ent__trace_file(t, source, input)
			   ? ent_arena_printf(&t->arena, "%s:%" PRIu64, x->name, line)
			   : ent_arena_printf(&t->arena, "%s, byte %" PRIu64, x->name, place);
}

const char *ent__trace_file(ent__trace *t, uint32_t source, uint32_t input) {
	char path[4096];
	struct stat st;
	const ent_input *x = ent_engine_input(t->project->engine, input);
	if (!x || *x->name == '.') {
		return "";
	}
	size_t n = strlen(x->name);
	bool packed = (n > 3 && !strcmp(x->name + n - 3, ".gz")) || (n > 4 && !strcmp(x->name + n - 4, ".zst"));
	if (!path_of(t, source, x, path, sizeof path) || stat(path, &st)) {
		return packed ? "" : "is gone";
	}
	/* longer is not changed: files grow */
	uint64_t mtime = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	return (uint64_t)st.st_size < x->size || (mtime != x->mtime_ns && (uint64_t)st.st_size == x->size)
			   ? "has changed since"
			   : "";
}

/* Bytes of a record of a text file: to the end of its line, quoted ones included. */
static size_t row_length(const char *p, size_t n) {
	bool quoted = false;
	for (size_t i = 0; i < n; i++) {
		quoted ^= p[i] == '"';
		if (p[i] == '\n' && !quoted) {
			return i;
		}
	}
	const char *end = memchr(p, '\n', n);
	return end ? (size_t)(end - p) : n;
}

const char *ent__trace_excerpt(ent__trace *t, uint32_t source, uint32_t input, uint64_t place) {
	char path[4096], row[ROW_MOST], shown[ENT_MASK_MAX + 4];
	const ent_input *x = ent_engine_input(t->project->engine, input);
	if (!path_of(t, source, x, path, sizeof path) || *ent__trace_file(t, source, input)) {
		return "";
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : pread(fd, row, sizeof row, (off_t)place);
	if (fd >= 0) {
		close(fd);
	}
	if (n <= 0) {
		return "";
	}
	size_t length = row_length(row, (size_t)n);
	size_t kept = ent_mask(row, length, shown, ENT_MASK_MAX);
	return ent_arena_printf(&t->arena, "%.*s%s", (int)kept, shown, kept == ENT_MASK_MAX ? "…" : "");
}

const char *ent__trace_fact(ent__trace *t, ent_position at) {
	ent_error ignored;
	static const ent_id none;
	t->text.n = 0;
	if (!at || ent_engine_document(t->project->engine, at, &t->frame, &t->document, &ignored) || !t->document.n) {
		return "";
	}
	const ent_item *head = ent_document_head(&t->document);
	ent_item item = head ? *head : t->document.items[0];
	for (const uint16_t *offset = ent_fact_ids(item.kind); *offset != UINT16_MAX;
		 offset++) { /* numbers here, that mean nothing */
		memcpy((uint8_t *)&item.body + *offset, &none, sizeof none);
	}
	ent__fact_line(t->project->engine, &item, "", &t->text);
	ent_buf_u8(&t->text, 0);
	return (const char *)t->text.data;
}

const char *ent__trace_name(ent__trace *t, const ent_account_part *p) {
	bool telling = p->kind != ENT_VISIT && p->kind != ENT_TOUCH;
	return ent_arena_printf(&t->arena, "%s%s%.*s", ent_fact_name(p->kind), telling ? " " : "",
		telling ? (int)(p->key_n < 60 ? p->key_n : 60) : 0, p->key);
}

char *ent__trace_time(int64_t us, char out[32]) {
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	gmtime_r(&s, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return out;
}

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

static void file_member(ent__trace *t, ent_json *j, const char *key, uint32_t input) {
	const ent_input *x = ent_engine_input(t->project->engine, input);
	member(j, key, x ? x->name : NULL);
}

void ent__trace_part_json(ent__trace *t, const ent_metric *m, const ent_account_part *p, bool compared) {
	ent_json *j = &t->call->writer;
	char day[16], when[32];
	const ent_input *x = ent_engine_input(t->project->engine, p->input);
	uint64_t line = x && !*ent__trace_file(t, p->source, p->input)
						? ent__line_of(&t->lines, source_of(t, p->source), x->name, p->place)
						: 0;
	if (compared) {
		member(j, "change", ent_account_changes[p->change]);
	}
	member(j, "kind", ent_fact_name(p->kind));
	ent_json_key(j, "key");
	if (p->kind != ENT_VISIT && p->kind != ENT_TOUCH) {
		ent_json_text_n(j, p->key, p->key_n);
	} else {
		ent_json_null(j);
	}
	member(j, "day", ent_day_text(p->day, day));
	member(j, "origin", ent_origin_names[p->origin]);
	member(j, "source", ent__project_text(t->project, p->source));
	file_member(t, j, "file", p->input);
	ent_json_key(j, "line");
	if (line) {
		ent_json_uint(j, line);
	} else {
		ent_json_null(j);
	}
	ent_json_key(j, "place");
	ent_json_uint(j, p->place);
	member(j, "file_state", ent__trace_file(t, p->source, p->input));
	member(j, "excerpt", ent__trace_excerpt(t, p->source, p->input, p->place));
	member(j, "arrived", ent__trace_time(p->arrival, when));
	if (compared) {
		file_member(t, j, "by_file", p->by);
	}
	member(j, "fact", ent__trace_fact(t, p->at ? p->at : p->was));
	ent_json_key(j, "top");
	ent__sum_json(j, ent__top_unit(t, m), p->top);
	if (compared) {
		ent_json_key(j, "top_was");
		ent__sum_json(j, ent__top_unit(t, m), p->top_was);
	}
	if (m->kind == ENT_METRIC_RATIO) {
		ent_json_key(j, "bottom");
		ent__sum_json(j, ent__bottom_unit(t, m), p->bottom);
		if (compared) {
			ent_json_key(j, "bottom_was");
			ent__sum_json(j, ent__bottom_unit(t, m), p->bottom_was);
		}
	}
}
