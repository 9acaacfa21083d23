/* SPDX-License-Identifier: Apache-2.0
 *
 * What the log says of the service's life: what was committed and how much it was, what the rules made of it, sources that fail, stand
 * aside, are late, or are well again, workers that died, the engine's own failures. From one status to the next: what has not changed
 * is not said again. Front's thread. */
#include "serve/operate.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/intern.h"

typedef struct known {
	char name[64];
	ent_source_state state;
	bool late;
	uint64_t error; /* hash of its text */
	uint32_t restarts;
} known;

struct ent__life {
	uint64_t commits, judgements, cycles;
	uint64_t records, facts, rejected; /* of all sources */
	uint64_t workers_died;
	uint64_t error; /* hash of the engine's */
	uint64_t rules_error;
	known *sources;
	size_t n;
};

static uint64_t hash(const char *text) { return text[0] ? ent_hash64(text, strlen(text), 0) : 0; }

static known *known_of(const struct ent__life *l, const char *name) {
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->sources[i].name, name) == 0) {
			return &l->sources[i];
		}
	}
	return NULL;
}

static void tell_source(const ent_source_status *s, const known *before) {
	static const known none = {.state = ENT_SOURCE_IDLE};
	const known *b = before ? before : &none;
	bool bad = s->state >= ENT_SOURCE_FAILING, was = b->state >= ENT_SOURCE_FAILING;
	if (bad && (s->state != b->state || hash(s->error) != b->error)) {
		ent_log(s->state == ENT_SOURCE_QUARANTINED ? ENT_SEVERITY_ERROR : ENT_SEVERITY_WARNING,
			s->state == ENT_SOURCE_QUARANTINED ? "source.quarantined" : "source.failing", ent_log_text("source", s->name),
			ent_log_say(s->error[0] ? s->error : NULL), ent_log_uint("files", s->failures), ent_log_uint("restarts", s->restarts));
	} else if (!bad && was) {
		ent_log(ENT_SEVERITY_INFO, "source.mended", ent_log_text("source", s->name));
	}
	if (s->restarts > b->restarts) {
		ent_log(ENT_SEVERITY_WARNING, "worker.died", ent_log_text("source", s->name), ent_log_uint("times", s->restarts - b->restarts));
	}
	if (s->late != b->late) {
		ent_log(s->late ? ENT_SEVERITY_WARNING : ENT_SEVERITY_INFO, s->late ? "source.late" : "source.came",
			ent_log_text("source", s->name));
	}
}

static void tell_sources(struct ent__life *l, const ent_service_status *now) {
	known *fresh = ent_xcalloc(now->n_sources + 1, sizeof *fresh);
	for (size_t i = 0; i < now->n_sources; i++) {
		const ent_source_status *s = &now->sources[i];
		tell_source(s, known_of(l, s->name));
		memcpy(fresh[i].name, s->name, sizeof fresh[i].name);
		fresh[i].state = s->state;
		fresh[i].late = s->late;
		fresh[i].error = hash(s->error);
		fresh[i].restarts = s->restarts;
	}
	free(l->sources);
	l->sources = fresh;
	l->n = now->n_sources;
}

static void tell_commit(struct ent__life *l, const ent_service_status *now) {
	uint64_t records = 0, facts = 0, rejected = 0, waiting = 0;
	for (size_t i = 0; i < now->n_sources; i++) {
		records += now->sources[i].records;
		facts += now->sources[i].facts;
		rejected += now->sources[i].rejected;
		waiting += now->sources[i].waiting_bytes;
	}
	if (now->commits != l->commits) {
		bool more = records >= l->records; /* a source may have left with the configuration */
		ent_log(ENT_SEVERITY_INFO, "commit", ent_log_uint("records", more ? records - l->records : 0),
			ent_log_uint("facts", facts >= l->facts ? facts - l->facts : 0),
			ent_log_uint("rejected", rejected >= l->rejected ? rejected - l->rejected : 0), ent_log_bytes("waiting", waiting),
			ent_log_ns("took", (int64_t)(now->ingest_seconds * 1e9)), ent_log_uint("commits", now->commits - l->commits));
		l->commits = now->commits;
	}
	l->records = records;
	l->facts = facts;
	l->rejected = rejected;
}

static void tell_judged(struct ent__life *l, const ent_service_status *now) {
	if (now->judgements != l->judgements) {
		l->judgements = now->judgements;
		ent_log(ENT_SEVERITY_INFO, "judged", ent_log_uint("true", now->said_true), ent_log_uint("false", now->said_false),
			ent_log_uint("unknown", now->unknown), ent_log_uint("failed", now->failed),
			ent_log_ns("took", (int64_t)(now->judge_seconds * 1e9)));
		if (now->rules_error[0]) { /* each time: it is not mended */
			ent_log(ENT_SEVERITY_WARNING, "rules.failed", ent_log_say(now->rules_error), ent_log_uint("errors", now->rules_errors));
		}
	}
	if (hash(now->rules_error) != l->rules_error && !now->rules_error[0]) {
		ent_log(ENT_SEVERITY_INFO, "rules.mended");
	}
	l->rules_error = hash(now->rules_error);
}

void ent__life_begin(ent__serve *s) {
	ent_service_status now;
	ent_service_status_take(s->service, &now);
	s->life = ent_xcalloc(1, sizeof *s->life);
	for (size_t i = 0; i < now.n_sources && !now.commits; i++) { /* what the store held before is not news */
		s->life->records += now.sources[i].records;
		s->life->facts += now.sources[i].facts;
		s->life->rejected += now.sources[i].rejected;
	}
	ent_service_status_finish(&now);
}

void ent__life_tell(ent__serve *s, const ent_service_status *now) {
	tell_commit(s->life, now);
	tell_judged(s->life, now);
	tell_sources(s->life, now);
	if (hash(now->error) != s->life->error) {
		s->life->error = hash(now->error);
		if (now->error[0]) {
			ent_log(ENT_SEVERITY_ERROR, "engine.failed", ent_log_say(now->error));
		} else {
			ent_log(ENT_SEVERITY_INFO, "engine.mended");
		}
	}
}

void ent__life_destroy(ent__serve *s) {
	if (s->life) {
		free(s->life->sources);
		free(s->life);
		s->life = NULL;
	}
}
