/* SPDX-License-Identifier: Apache-2.0
 *
 * `service:`, how the engine behaves when it runs as a service. One thread. */
#include "config/schema.h"

#define AT(type, member) offsetof(type, member)

static const char *const formats[] = {"auto", "text", "json", NULL};
static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)

/* clang-format off */
static const ent__field log_fields[] = {
	{.key = "format", .type = ENT__ENUM, .preset = "auto", .choices = formats, .offset = AT(ent_service_config, log_format),
		.doc = "Lines for people or JSON objects. `auto`: text on a terminal and in the journal, else JSON."},
	{.key = "level", .type = ENT__ENUM, .preset = "info", .choices = levels, .offset = AT(ent_service_config, log_level),
		.doc = "What is written: this and what is worse."},
	{.key = NULL}};

const ent__field ent__service_fields[] = {
	{.key = "scan", .type = ENT__DURATION, .preset = "30s", .least = SECOND, .most = 24 * HOUR,
		.offset = AT(ent_service_config, scan_us),
		.doc = "How often all folders are looked through for what the watch on them missed."},
	{.key = "judge_every", .type = ENT__DURATION, .preset = "10s", .least = 0, .most = 24 * HOUR,
		.offset = AT(ent_service_config, judge_every_us),
		.doc = "The rules judge when what they read has changed, but not more often than this."},
	{.key = "slice", .type = ENT__DURATION, .preset = "2s", .least = SECOND / 100, .most = HOUR,
		.offset = AT(ent_service_config, slice_us),
		.doc = "How long one round of reading lasts at most before what is read is committed and all sources get their "
			"turn again."},
	{.key = "drain", .type = ENT__DURATION, .preset = "30s", .least = SECOND, .most = HOUR,
		.offset = AT(ent_service_config, drain_us),
		.doc = "How long the service may take to end what it is at when it is asked to stop."},
	{.key = "log", .type = ENT__STRUCT, .item = log_fields, .offset = 0, .form = "{…}", .doc = "What is written to standard error."},
	{.key = NULL}};
/* clang-format on */
