/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics that users declare (`metrics:` of entente.yaml, and metric() in rulebooks), compiled: rows of a catalogue
 * behind the built-in ones, and for each kind of fact a list of what is to be counted of it, with conditions that cost
 * a load and a comparison each. Texts are compared once for each code of the store, and remembered; nothing is
 * allocated for a fact.
 *
 * The catalogue is constant. What folding remembers belongs to one thread, that of the engine that has it. */
#ifndef ENT_METRICS_CUSTOM_H
#define ENT_METRICS_CUSTOM_H

#include "config/errors.h"
#include "config/metrics.h"
#include "metrics/catalogue.h"

typedef struct ent_custom ent_custom;

/* Compiles the definitions of a configuration and those of rulebooks. *out is NULL where there are none. What is wrong
 * is added to `errors`, all of it at once; then ENT_ERR_INVALID. Of the definitions nothing is kept. */
int ent_custom_create(ent_custom **out, const ent_metric_config *configured, size_t n,
	const ent_metric_config *of_rules, size_t m, ent_errors *errors);
void ent_custom_destroy(ent_custom *); /* NULL is fine */
/* Of NULL: the built-in one. */
const ent_catalogue *ent_custom_catalogue(const ent_custom *);

#endif
