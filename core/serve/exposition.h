/* SPDX-License-Identifier: Apache-2.0
 *
 * The service's figures for Prometheus: one table of metrics (exposition_table.c), from which /metrics, its help and
 * the list in docs/operating.md come. Labels are sources, rules, targets and words of ours alone, so that the number of series
 * is bounded by the configuration. Any thread; works on copies. */
#ifndef ENT_SERVE_EXPOSITION_H
#define ENT_SERVE_EXPOSITION_H

#include "base/buf.h"
#include "engine/service.h"
#include "serve/hook.h"
#include "serve/http.h"
#include "tell/tell.h"
#include "transport/inbox.h"

#define ENT_MEDIA_PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define ENT_MEDIA_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What Prometheus expects of every process, under names of its own. */
typedef struct ent_process_figures {
	double cpu_seconds;
	uint64_t resident_bytes, virtual_bytes, open_fds, max_fds;
	int64_t started_us;
} ent_process_figures;
void ent_process_figures_read(ent_process_figures *out);

/* All borrowed. What is NULL is left out. */
typedef struct ent_figures {
	const char *version; /* of the program */
	int64_t now_us;
	const ent_service_status *service;
	const ent_inbox_status *inbox; /* for each source of `service`, in its order */
	const ent_http_figures *http;
	const ent_hooks_figures *hooks;
	const ent_tell_status *tell; /* n_tell targets */
	size_t n_tell;
	const ent_process_figures *process;
} ent_figures;

void ent_exposition(const ent_figures *, bool openmetrics, ent_buf *out);
/* The table of docs/operating.md. */
void ent_exposition_docs(ent_buf *out);

#endif
