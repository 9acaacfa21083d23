/* SPDX-License-Identifier: Apache-2.0
 *
 * How things stand, gathered on the engine's thread and published under the lock as a copy that others take copies of. */
#include "engine/rules_worker.h"
#include "engine/service_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

const char *const ent_source_states[] = {"idle", "waiting", "failing", "quarantined"};
const char *const ent_finding_kinds[] = {
	"red_flag", "gate", "opportunity", "insight", "proposal", "ask", "failure", NULL};

static int64_t now_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* What is too long is cut. */
static void copy(char *out, size_t size, const char *text) {
	size_t n = text ? strnlen(text, size - 1) : 0;
	if (n) {
		memcpy(out, text, n);
	}
	out[n] = 0;
}

/* ---- sources --------------------------------------------------------------------------------------------------------------- */

static ent_source_status *source_named(ent_service_status *s, const char *name) {
	for (size_t i = 0; i < s->n_sources; i++) {
		if (!strcmp(s->sources[i].name, name)) {
			return &s->sources[i];
		}
	}
	return NULL;
}

/* One row for each source of the configuration; what is known of those that stay, stays. */
static void lay_out(ent_service *s) {
	const ent_config *c = s->config;
	ent_service_status fresh = {.sources = ent_xcalloc(c->n_sources + 1, sizeof *fresh.sources), .n_sources = c->n_sources};
	for (size_t i = 0; i < c->n_sources; i++) {
		const ent_config_source *source = &c->sources[i];
		ent_source_status *row = &fresh.sources[i];
		const ent_source_status *before = source_named(&s->now, source->name.s);
		if (before) {
			*row = *before;
		}
		copy(row->name, sizeof row->name, source->name.s);
		copy(row->partner, sizeof row->partner, source->partner.from == ENT_PARTNER_FIXED ? source->partner.fallback.s : "");
		copy(row->transport, sizeof row->transport, ent_transport_name(source->from.kind));
	}
	free(s->now.sources);
	s->now.sources = fresh.sources;
	s->now.n_sources = fresh.n_sources;
}

static int take_balance(void *ctx, const ent_balance *b) {
	ent_service *s = ctx;
	ent_source_status *row = source_named(&s->now, ent_engine_text(s->engine, b->source));
	if (row) {
		bool more = b->received > row->facts || b->records > row->records;
		row->last_read_us = more && s->now.started_us ? now_us() : row->last_read_us; /* what was there at the start is not news */
		row->records = b->records;
		row->consumed = b->consumed;
		row->rejected = b->rejected;
		row->skipped = b->skipped;
		row->facts = b->received;
		row->bytes = b->bytes;
		row->parked = b->parked;
		row->pending = b->pending;
	}
	return 0;
}

static uint64_t size_of(const ent_engine *e, const char *name) {
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", ent_store_folder(e->store), name);
	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static int take_set_aside(void *ctx, const ent_set_aside *a) {
	ent_service *s = ctx;
	ent_source_status *row = source_named(&s->now, a->source);
	if (row) {
		row->state = a->quarantined ? ENT_SOURCE_QUARANTINED : ENT_SOURCE_FAILING;
		row->retry_us = a->again_us;
		snprintf(row->error, sizeof row->error, "%.100s%s%.200s", a->file, a->file[0] ? ": " : "", a->what);
	}
	return 0;
}

/* What waits, and what stands aside. */
static void take_standings(ent_service *s) {
	for (size_t i = 0; i < s->now.n_sources; i++) {
		ent_source_status *row = &s->now.sources[i];
		ent_source_standing standing;
		row->state = ENT_SOURCE_IDLE;
		row->error[0] = 0;
		row->retry_us = 0;
		if (!ent_engine_source_standing(s->engine, i, &standing)) {
			continue;
		}
		row->waiting_bytes = standing.bytes_waiting;
		row->waiting_files = standing.files_waiting;
		row->waiting_since_us = standing.waiting_since_us;
		row->failures = standing.files_set_aside;
		row->restarts = (uint32_t)standing.worker_deaths;
		row->state = standing.files_waiting ? ENT_SOURCE_WAITING : ENT_SOURCE_IDLE;
	}
	ent_engine_set_aside(s->engine, take_set_aside, s);
	for (size_t i = 0; i < s->now.n_sources; i++) {
		ent_source_standing standing;
		ent_source_status *row = &s->now.sources[i];
		if (ent_engine_source_standing(s->engine, i, &standing) && standing.paused_until_us) {
			row->state = ENT_SOURCE_QUARANTINED;
			row->retry_us = standing.paused_until_us;
			copy(row->error, sizeof row->error, standing.paused_why);
		}
	}
}

void ent__service_gather(ent_service *s) {
	ent_engine *e = s->engine;
	ent_error error;
	size_t n;
	lay_out(s);
	take_standings(s);
	ent_store_balance_scan(e->store, take_balance, s, &error);
	const ent_segment *segments = ent_ledger_segments(e->ledger, &n);
	s->now.ledger_segments = n;
	s->now.ledger_bytes = 0;
	for (size_t i = 0; i < n; i++) {
		s->now.ledger_bytes += segments[i].valid;
	}
	s->now.documents = e->index ? ent_index_count(e->index) : s->now.documents;
	s->now.identities = ent_identities_count(e->identities);
	s->now.store_bytes = size_of(e, "entente.db") + size_of(e, "entente.db-wal");
	s->now.workers_most = (unsigned)s->config->workers;
	unsigned started, died;
	ent_pool_counts(e->pool, &s->now.workers, &started, &died);
	copy(s->now.decoder_sandbox, sizeof s->now.decoder_sandbox, ent_pool_sandbox(e->pool));
	copy(s->now.rules_sandbox, sizeof s->now.rules_sandbox, e->rules_sandbox);
	if (!s->now.started_us) {
		s->now.started_us = s->now.reloaded_us = now_us();
	}
}

/* ---- what was done ------------------------------------------------------------------------------------------------------------- */

void ent__service_ingested(ent_service *s, const ent_run_report *r, int status, const ent_error *e) {
	(void)e;
	s->now.cycles++;
	s->now.ingest_seconds = r->seconds;
	s->now.workers_started += r->workers_started;
	s->now.workers_died += r->workers_died;
	if (status) {
		return;
	}
	ent__service_gather(s);
	if (r->changed) {
		s->now.commits++;
		s->now.committed_us = now_us();
		ent__service_news(s, ENT_NEWS_COMMITTED);
	}
	if (r->errors.total || r->workers_died) {
		ent__service_news(s, ENT_NEWS_STATUS);
	}
}

static void take_tallies(ent_service *s) {
	size_t n;
	const ent_rule_tally *t = ent_engine_tallies(s->engine, &n);
	free(s->now.rules);
	s->now.rules = ent_xcalloc(n + 1, sizeof *s->now.rules);
	s->now.n_rules = n;
	for (size_t i = 0; i < n; i++) {
		ent_rule_status *row = &s->now.rules[i];
		copy(row->name, sizeof row->name, t[i].name);
		row->runs = t[i].runs;
		row->seconds = (double)t[i].ns / 1e9;
		row->said_true = t[i].said_true;
		row->said_false = t[i].said_false;
		row->unknown = t[i].unknown;
		row->failed = t[i].failed;
	}
}

static int count_finding(void *ctx, const ent_finding *f) {
	ent_service_status *s = ctx;
	for (unsigned i = 0; ent_finding_kinds[i]; i++) {
		bool open = strcmp(f->state, "cleared") != 0 && strcmp(f->state, "resolved") != 0;
		s->findings[i] += open && !strcmp(f->kind, ent_finding_kinds[i]);
	}
	return 0;
}

void ent__service_judged(ent_service *s, const ent_judge_report *r, int status, const ent_error *e) {
	ent_error error;
	s->now.judgements++;
	s->now.evaluations += r->evaluations;
	s->now.judge_seconds = r->seconds;
	if (status) {
		s->now.rules_errors = 1;
		ent_error_text(e, s->now.rules_error, sizeof s->now.rules_error);
		ent__service_news(s, ENT_NEWS_STATUS);
		return;
	}
	s->now.judged_us = now_us();
	take_tallies(s);
	s->now.rules_errors = r->errors.total;
	s->now.rules_error[0] = 0;
	if (r->errors.total) {
		ent_error_text(&r->errors.e[0], s->now.rules_error, sizeof s->now.rules_error);
	}
	s->now.said_true = r->said_true;
	s->now.said_false = r->said_false;
	s->now.unknown = r->unknown;
	s->now.failed = r->failed;
	ent_engine_as_of(s->engine, NULL, &s->now.as_of, &error);
	s->days = ent_engine_days(s->engine, NULL);
	memset(s->now.findings, 0, sizeof s->now.findings);
	ent_store_findings_scan(s->engine->store, NULL, count_finding, &s->now, &error);
	copy(s->now.rules_sandbox, sizeof s->now.rules_sandbox, s->engine->rules_sandbox);
	ent__service_news(s, ENT_NEWS_JUDGED | (r->evaluations ? ENT_NEWS_FINDINGS : 0));
}

/* ---- publishing ------------------------------------------------------------------------------------------------------------------- */

static void duplicate(ent_service_status *to, const ent_service_status *from) {
	ent_service_status old = *to;
	*to = *from;
	to->sources = ent_xcalloc(from->n_sources + 1, sizeof *to->sources);
	to->rules = ent_xcalloc(from->n_rules + 1, sizeof *to->rules);
	if (from->n_sources) {
		memcpy(to->sources, from->sources, from->n_sources * sizeof *to->sources);
	}
	if (from->n_rules) {
		memcpy(to->rules, from->rules, from->n_rules * sizeof *to->rules);
	}
	ent_service_status_finish(&old);
}

/* Changes whenever a source's standing does: who shows it is told, also when nothing was committed. */
static uint64_t standings(const ent_service_status *s) {
	uint64_t sum = 0;
	for (size_t i = 0; i < s->n_sources; i++) {
		const ent_source_status *row = &s->sources[i];
		uint64_t what[] = {sum, row->state, row->late, row->failures, row->restarts};
		sum = ent_hash64(what, sizeof what, ent_hash64(row->error, strlen(row->error), i));
	}
	return sum;
}

void ent__service_show(ent_service *s) {
	uv_mutex_lock(&s->lock);
	s->now.draining = s->stopping;
	duplicate(&s->status, &s->now);
	uv_mutex_unlock(&s->lock);
}

void ent__service_publish(ent_service *s) {
	uint64_t sum = standings(&s->now);
	if (sum != s->standings) {
		s->standings = sum;
		ent__service_news(s, ENT_NEWS_STATUS);
	}
	s->now.beat++;
	s->now.beat_us = now_us();
	ent__service_show(s);
}

void ent__service_doing(ent_service *s, const char *doing) {
	s->now.doing = doing;
	s->now.beat++;
	uv_mutex_lock(&s->lock);
	s->status.doing = doing;
	s->status.beat = s->now.beat;
	s->status.beat_us = now_us();
	uv_mutex_unlock(&s->lock);
}

/* ---- ways in --------------------------------------------------------------------------------------------------------------- */

void ent_service_way(ent_service *s, const char *source, const char *error, int64_t retry_us) {
	size_t i = 0;
	bool news = error != NULL;
	uv_mutex_lock(&s->lock);
	while (i < s->n_ways && strcmp(s->ways[i].name, source) != 0) {
		i++;
	}
	if (error && i == s->n_ways) {
		ENT_GROW(s->ways, s->n_ways, s->ways_capacity);
		s->ways[s->n_ways++] = (struct ent__way){0};
		copy(s->ways[i].name, sizeof s->ways[i].name, source);
	}
	if (error) {
		news = strncmp(s->ways[i].error, error, sizeof s->ways[i].error - 1) != 0;
		copy(s->ways[i].error, sizeof s->ways[i].error, error);
		s->ways[i].retry_us = retry_us;
	} else if (i < s->n_ways) {
		s->ways[i] = s->ways[--s->n_ways];
		news = true;
	}
	s->news |= news ? ENT_NEWS_STATUS : 0;
	uv_mutex_unlock(&s->lock);
	if (news) {
		uv_async_send(s->answers);
	}
}

/* What the engine says of a source itself comes first. */
static void show_ways(const ent_service *s, ent_service_status *out) {
	for (size_t i = 0; i < s->n_ways; i++) {
		ent_source_status *row = source_named(out, s->ways[i].name);
		if (row && row->state < ENT_SOURCE_FAILING) {
			row->state = ENT_SOURCE_FAILING;
			row->retry_us = s->ways[i].retry_us;
			memcpy(row->error, s->ways[i].error, sizeof row->error);
		}
	}
}

void ent_service_status_take(ent_service *s, ent_service_status *out) {
	*out = (ent_service_status){0};
	uv_mutex_lock(&s->lock);
	duplicate(out, &s->status);
	show_ways(s, out);
	uv_mutex_unlock(&s->lock);
}

void ent_service_status_finish(ent_service_status *s) {
	free(s->sources);
	free(s->rules);
	*s = (ent_service_status){0};
}

/* ---- reload ---------------------------------------------------------------------------------------------------------------------- */

typedef struct reload {
	ent_service *service;
	const ent_config *config;
	ent_errors errors;
	ent_service_reloaded done;
	void *ctx;
} reload;

static int adopt(ent_engine *e, void *ctx, ent_error *error) {
	reload *r = ctx;
	ent_service *s = r->service;
	(void)error;
	int status = ent__engine_adopt(e, r->config, &r->errors);
	if (!status) {
		s->config = r->config;
		s->now.generation++;
		s->now.reloaded_us = now_us();
		s->now.refused_us = 0;
		s->now.refused_errors = 0;
		s->now.refused[0] = 0;
		s->due_all = s->judge_due = true;
		ent__service_gather(s);
		ent__service_publish(s);
		ent__service_news(s, ENT_NEWS_RELOADED);
	} else {
		s->now.refused_us = now_us();
		s->now.refused_errors = r->errors.total;
		if (r->errors.n) {
			ent_error_text(&r->errors.e[0], s->now.refused, sizeof s->now.refused);
		}
		ent__service_publish(s);
		ent__service_news(s, ENT_NEWS_REFUSED | ENT_NEWS_STATUS);
	}
	return status;
}

static void adopted(void *ctx, int status, const ent_error *e) {
	reload *r = ctx;
	if (status && !r->errors.total) {
		ent_errors_take(&r->errors, e);
	}
	if (r->done) {
		r->done(r->ctx, status, &r->errors);
	}
	free(r);
}

void ent_service_reload(ent_service *s, const ent_config *config, ent_service_reloaded done, void *ctx) {
	reload *r = ent_xcalloc(1, sizeof *r);
	*r = (reload){.service = s, .config = config, .done = done, .ctx = ctx};
	ent_service_do(s, &(ent_service_job){.work = adopt, .done = adopted, .ctx = r});
}
