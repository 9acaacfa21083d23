/* SPDX-License-Identifier: Apache-2.0
 *
 * config/metrics.h: `metrics:` of entente.yaml as it is written, and the table of the fields of facts that it may name.
 * What a definition means, and whether it means anything, is for metrics/custom.h. Constant; any thread.
 */
#ifndef ENT_CONFIG_METRICS_H
#define ENT_CONFIG_METRICS_H

#include "base/arena.h"
#include "config/config.h"

typedef enum ent_metric_fact {
	ENT_OF_ORDER,
	ENT_OF_LINE,
	ENT_OF_REFUND,
	ENT_OF_VISIT,
	ENT_OF_CART,
	ENT_OF_COUNT
} ent_metric_fact;

extern const char *const ent_metric_facts[]; /* "order", ...; ends with NULL */

typedef enum ent_metric_form {
	ENT_FORM_MONEY,
	ENT_FORM_PIECES,
	ENT_FORM_COUNT,
	ENT_FORM_SECONDS,
	ENT_FORM_DAYS, /* numbers */
	ENT_FORM_TEXT,
	ENT_FORM_WORD,
	ENT_FORM_FLAG,
	ENT_FORM_IDENTITY,
	ENT_FORM_TIME
} ent_metric_form;

extern const char *const ent_metric_forms[];

#define FIELD(kind, id, name, form, words, doc) ENT_FIELD_##kind##_##id,
typedef enum ent_metric_field_id {
#include "config/metric_fields.def"
	ENT_METRIC_FIELDS
} ent_metric_field_id;
#undef FIELD

typedef struct ent_metric_field {
	uint8_t fact, form;
	const char *name;
	const char *const *words; /* WORD: in the order of their numbers; ends with NULL */
	const char *doc;
} ent_metric_field;

extern const ent_metric_field ent_metric_fields[ENT_METRIC_FIELDS];

/* What people look for in facts and does not stand there. */
typedef struct ent_metric_lack {
	uint8_t fact;
	const char *name;
	const char *why, *todo;
} ent_metric_lack;

extern const ent_metric_lack ent_metric_lacks[]; /* ends with name NULL */

/* Definitions that come as JSON, {NAME: {...}}, each with "at": [FILE, LINE, COLUMN]: those of rulebooks. Into the
 * arena. */
int ent_metrics_parse(
	ent_arena *, const char *json, size_t n, const ent_metric_config **out, size_t *count, ent_errors *errors);

#endif
