/* SPDX-License-Identifier: Apache-2.0
 *
 * registers: NAME: since when a register is kept, and the schema of one that the organization adds. Which registers
 * ship is known above, in core/engine/register_schemas.c. One thread. */
#include "config/schema.h"
#include "config/values.h"

#define AT(type, member) offsetof(type, member)
#define END                                                                                                            \
	{ .key = NULL }

const char *const ent__later_registers[] = {"kept_by", NULL};
static const char *const types[] = {"text", "date", "time", "number", "yes-no", "word", "pairs", NULL};
static const char *const audiences[] = {"both", "us", "confidential", NULL};

/* clang-format off */
static const ent__field field_fields[] = {
	{.type = ENT__PLACE, .key = "(place)", .offset = AT(ent_register_field_config, at)},
	{.key = "type", .type = ENT__ENUM, .preset = "text", .choices = types, .offset = AT(ent_register_field_config, type),
		.doc = "What it takes. `word` is one of `choices`, `time` is a date or a moment, `pairs` is NAME=NUMBER; NAME=NUMBER …"},
	{.key = "required", .type = ENT__CUSTOM, .custom = ent__flag, .preset = "false", .form = "true or false",
		.offset = AT(ent_register_field_config, required), .doc = "Whether each entry must have it."},
	{.key = "choices", .type = ENT__TEXTS, .form = "[WORD, …]", .offset = AT(ent_register_field_config, choices),
		.doc = "The words of a field of the type `word`, without blanks."},
	{.key = "doc", .type = ENT__TEXT, .offset = AT(ent_register_field_config, doc), .doc = "What it means, in one line."},
	END};

const ent__field ent__register_fields[] = {
	{.type = ENT__PLACE, .key = "(place)", .offset = AT(ent_register_config, at)},
	{.key = "kept_since", .type = ENT__DATE, .offset = AT(ent_register_config, kept_since),
		.doc = "From this day on the register is complete: before it an absence means nothing, after it it means "
			"that there was nothing."},
	{.key = "fields", .type = ENT__ITEMS, .item = field_fields, .size = sizeof(ent_register_field_config),
		.offset = AT(ent_register_config, fields), .count = AT(ent_register_config, n_fields), .form = "{FIELD: {type: …}}",
		.doc = "Makes a register of your own: what its entries hold."},
	{.key = "doc", .type = ENT__TEXT, .offset = AT(ent_register_config, doc), .doc = "Of a register of your own: what it holds, in one line."},
	{.key = "states", .type = ENT__TEXTS, .form = "[WORD, …]", .offset = AT(ent_register_config, states),
		.doc = "Of a register of your own: how an entry may stand, the first for new ones. Without it, open and closed."},
	{.key = "closing", .type = ENT__TEXTS, .form = "[WORD, …]", .offset = AT(ent_register_config, closing),
		.doc = "Those of the states in which an entry is over, the usual one first. Without it, all but the first."},
	{.key = "audience", .type = ENT__ENUM, .choices = audiences, .offset = AT(ent_register_config, audience),
		.doc = "Of a register of your own: who may know of what its entries say. Without it, us: rules for both that read it do not publish."},
	END};
/* clang-format on */
