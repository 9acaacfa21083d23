/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/configuration.md, made from the tables that check the configuration, so that the two cannot disagree. */
#include <stdio.h>
#include <string.h>

#include "config/schema.h"

static const char *type_of(const ent__field *f) {
	static const char *const names[] = {
		[ENT__TEXT] = "text",
		[ENT__NAME] = "name",
		[ENT__CURRENCY] = "currency, like `EUR`",
		[ENT__PATH] = "path",
		[ENT__INT] = "whole number",
		[ENT__ENUM] = "word",
		[ENT__FLAGS] = "list of words",
		[ENT__DURATION] = "duration, like `36h`",
		[ENT__SIZE] = "size, like `512MB`",
		[ENT__DATE] = "date, like `2025-01-31`",
		[ENT__TEXTS] = "list of texts",
		[ENT__STRUCT] = "map",
		[ENT__ITEMS] = "map",
	};
	return names[f->type];
}

static void cell(ent_buf *out, const char *text) {
	for (; *text; text++) {
		ent_buf_add(out, *text == '|' ? "\\|" : text, *text == '|' ? 2 : 1);
	}
}

static void table(ent_buf *out, const ent__field *fields, const char *path) {
	ent_buf_printf(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
	for (const ent__field *f = fields; f->key; f++) {
		if (f->type == ENT__PLACE || f->type == ENT__LATER) {
			continue;
		}
		ent_buf_printf(out, "| `%s` | ", f->key);
		if (f->form) {
			ent_buf_printf(out, "`");
			cell(out, f->form);
			ent_buf_printf(out, "`");
		} else {
			cell(out, type_of(f));
		}
		for (const char *const *choice = f->type == ENT__ITEMS ? NULL : f->choices; choice && *choice; choice++) {
			ent_buf_printf(out, "%s`%s`", choice == f->choices ? ": " : ", ", *choice);
		}
		ent_buf_printf(out, " | ");
		if (f->required) {
			ent_buf_printf(out, "**required**");
		} else if (f->preset) {
			ent_buf_printf(out, "`%s`", f->preset);
		}
		ent_buf_printf(out, " | ");
		cell(out, f->doc);
		ent_buf_printf(out, " |\n");
	}
	for (const ent__field *f = fields; f->key; f++) {
		if (f->item && f->type != ENT__PLACE) {
			char below[256];
			snprintf(below, sizeof below, "%s%s%s%s", path, *path ? "." : "", f->key,
				f->type != ENT__ITEMS             ? ""
				: strcmp(f->key, "partners") == 0 ? ".ID"
												  : ".NAME");
			ent_buf_printf(out, "\n## %s\n\n%s\n\n", below, f->doc);
			table(out, f->item, below);
			if (f->item == ent__metric_fields) {
				ent__metric_docs(out);
			}
		}
	}
}

int ent_config_docs(ent_buf *out) {
	ent_buf_printf(out,
		"# Configuration: `entente.yaml`\n"
		"\n"
		"<!-- Made from the tables in core/config/fields.c by `entente help --configuration`; do not edit. -->\n"
		"\n"
		"One YAML file describes a project. `entente init` writes one to start from, `entente check` tells everything "
		"that is\n"
		"wrong with it at once, each with file, line and column.\n"
		"\n"
		"* Relative paths start at the folder that the file stands in.\n"
		"* `${NAME}` is replaced by the environment variable of that name, anywhere in a value; a variable that is not "
		"set is an\n"
		"  error. `$${` stands for the characters themselves.\n"
		"* Durations are written `500ms`, `90s`, `10m`, `36h`, `7d`, `4w`; sizes `64kB`, `20MB`, `1GB`.\n"
		"* A secret is never written here, only where it is kept: `file:PATH`, `env:NAME` or `systemd:NAME`.\n"
		"* Anchors, aliases, tags and a second document are not taken. A key that is not known is an error.\n"
		"* Patterns fit the end of a path, whole folders: `drop/{partner}/*.csv` fits `/data/drop/acme/1.csv`. "
		"`{year}` is four\n"
		"  digits, `{month}`, `{day}`, `{hour}`, `{minute}` and `{second}` two; any other name in braces and `*` are "
		"anything\n"
		"  without a slash, `**` is anything.\n"
		"\n");
	table(out, ent__config_fields, "");
	return 0;
}
