/* SPDX-License-Identifier: Apache-2.0
 *
 * Following: findings are brought to what is committed. Where the engine is warm and a layer can tell what changed, the
 * rules that read it run again, and no others; else all do. Loop thread only. */
#include "engine/judged.h"
#include "engine/warm.h"

#include <stdlib.h>

static int whole(ent_engine *e, int32_t day, const char *mode, ent_judge_report *report, ent_error *error) {
	ent_snapshot_block block;
	ent__warm_close(e);
	int status = ent_engine_snapshot(e, day, mode, &block, error);
	if (status) {
		return status;
	}
	status = ent__judge_whole(e, &block, true, report, error);
	if (status == ENT_ENGINE_DECLARED) {
		ent_snapshot_block_finish(&block);
		status = ent_engine_declare(e, error);
		return status ? status : whole(e, day, mode, report, error);
	}
	status = status ? status : ent__warm_open(e, &block, error);
	ent_snapshot_block_finish(&block);
	return status;
}

/* 0: done; ENT__AGAIN: everything has to be judged. */
static int changes(ent_engine *e, ent_judge_report *report, ent_error *error) {
	ent__warm *w = e->warm;
	size_t n;
	uint32_t *partners = ent__warm_changed(w, &n);
	report->changed = (uint32_t)n;
	report->partners = w->n_partners;
	int status = 0;
	if (n > 64 && n > w->n_partners / 4) {
		status = ENT__AGAIN;
	} else if (n) {
		ent_snapshot_block layer = {.fd = -1};
		ent_buf request = {0};
		partners = ent__warm_gather(w, partners, &n);
		status = ent__warm_layer(e, partners, n, &layer, &request, error);
		if (!status) {
			status = ent__judge_change(e, &layer, &request, report, error);
			if (status == ENT_ERR_WORKER || status == ENT_ERR_INVALID) {
				status = ENT__AGAIN; /* a worker that died is started anew, and told everything */
			}
		}
		status = status ? status : ent__warm_lay(e, &layer, error);
		ent_snapshot_block_finish(&layer);
		ent_buf_finish(&request);
	}
	free(partners);
	return status;
}

int ent_engine_follow(ent_engine *e, const ent_as_of *override, ent_judge_report *report, ent_error *error) {
	static const char *const modes[] = {
		[ENT_AS_OF_NOW] = "now", [ENT_AS_OF_LATEST] = "latest", [ENT_AS_OF_DAY] = "date"};
	uint64_t began = uv_hrtime();
	int32_t day;
	ent__now(e);
	int status = ent_engine_as_of(e, override, &day, error);
	uint64_t days = ent_engine_days(e, override);
	bool warm = e->warm && !e->warm->all && e->warm->as_of == day && e->warm->days == days && e->rules_kept && e->rules;
	if (!status) {
		status = warm ? changes(e, report, error) : ENT__AGAIN;
	}
	if (status == ENT__AGAIN) {
		*error = (ent_error){0};
		*report = (ent_judge_report){.changed = report->changed};
		status = whole(e, day, modes[(override ? override : &e->config->as_of)->kind], report, error);
		if (!status) {
			e->warm->days = days;
		}
	}
	if (status) {
		ent__warm_close(e);
	}
	report->seconds = (double)(uv_hrtime() - began) / 1e9;
	return status;
}
