/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin's page as Markdown: what its decoders read and give, their options and columns, from the tables that they
 * declare. No width, no colour, no path of this machine: the same plugin gives the same page everywhere. One thread. */
#include "command/plugin_page.h"

#include "config/options_wire.h"
#include "facts/document.h"

#include <string.h>

static const char *const frames[] = {[ENT_FRAME_BYTES] = "bytes",
	[ENT_FRAME_DELIMITED] = "delimited",
	[ENT_FRAME_JSONL] = "JSON lines",
	[ENT_FRAME_DOCUMENT] = "document"};
static const char *const frames_told[] = {[ENT_FRAME_BYTES] = "bytes, which it frames for itself",
	[ENT_FRAME_DELIMITED] = "a delimited file, its columns by name",
	[ENT_FRAME_JSONL] = "JSON, one value a line",
	[ENT_FRAME_DOCUMENT] = "a whole document at once"};
const char *const ent__option_types[] = {[ENT_OPT_BOOL] = "true or false",
	[ENT_OPT_INT] = "whole number",
	[ENT_OPT_STR] = "text",
	[ENT_OPT_ENUM] = "choice",
	[ENT_OPT_DURATION] = "duration",
	[ENT_OPT_SECRET] = "secret",
	[ENT_OPT_LIST] = "list",
	[ENT_OPT_MAP] = "map"};

const char *ent__facts_text(const ent_decoder_info *d, ent_arena *arena) {
	const char *text = "";
	for (unsigned i = 1; i < ENT_FACT_COUNT; i++) {
		if (d->facts >> i & 1) {
			text = ent_arena_printf(arena, "%s%s%s", text, *text ? ", " : "", ent_fact_name(i));
		}
	}
	return text;
}

const char *ent__frame_text(const ent_decoder_info *d) {
	return d->frame < sizeof frames / sizeof *frames ? frames[d->frame] : "?";
}

/* ---- Markdown ---------------------------------------------------------------------------------------------------- */

/* Text of a plugin, of which nothing becomes markup; line breaks, which would end a row of a table, become blanks. */
static void prose(ent_buf *out, const char *text) {
	for (; text && *text; text++) {
		if (strchr("|*<>[]\\`", *text)) {
			ent_buf_u8(out, '\\');
		}
		ent_buf_u8(out, (unsigned char)*text < ' ' ? ' ' : (uint8_t)*text);
	}
}

/* A name as it is typed. Within a table a bar must be escaped also here. */
static void code(ent_buf *out, const char *p, size_t n) {
	const char *fence = memchr(p, '`', n) ? "``" : "`";
	ent_buf_printf(out, "%s", fence);
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '|') {
			ent_buf_u8(out, '\\');
		}
		ent_buf_u8(out, (unsigned char)p[i] < ' ' ? ' ' : (uint8_t)p[i]);
	}
	ent_buf_printf(out, "%s", fence);
}

static void code_text(ent_buf *out, const char *text) { code(out, text, strlen(text)); }

static void option_preset(ent_buf *out, const ent_option *o) {
	if (o->required) {
		ent_buf_printf(out, "**required**");
	} else if (o->preset && *o->preset) {
		code_text(out, o->preset);
	} else if (o->preset) {
		ent_buf_printf(out, "empty");
	}
}

/* `above`: path of what the table belongs to, "" at the top. */
static void option_rows(ent_buf *out, const ent_option *table, const char *above, ent_opt_type of, ent_arena *arena) {
	for (const ent_option *o = table; o && o->key; o++) {
		const char *path = of == ENT_OPT_LIST ? ent_arena_printf(arena, "%s[]", above)
						   : *above           ? ent_arena_printf(arena, "%s.%s", above, o->key)
											  : o->key;
		ent_buf_printf(out, "| ");
		code_text(out, path);
		ent_buf_printf(out, " | %s", ent__option_types[o->type]);
		for (const char *const *c = o->choices; c && *c; c++) {
			ent_buf_printf(out, c == o->choices ? ": " : ", ");
			code_text(out, *c);
		}
		ent_buf_printf(out, " | ");
		option_preset(out, o);
		ent_buf_printf(out, " | ");
		prose(out, o->doc);
		ent_buf_printf(out, " |\n");
		option_rows(out, o->item, path, o->type, arena);
	}
}

static void option_table(ent_buf *out, const ent_option *table, ent_arena *arena) {
	ent_buf_printf(out, "| option | type | default | meaning |\n|---|---|---|---|\n");
	option_rows(out, table, "", ENT_OPT_MAP, arena);
}

static void column_table(ent_buf *out, const ent_decoder_info *d) {
	ent_buf_printf(out, "\n### Columns\n\nFound by name, in any order, without regard to case.\n\n"
						"| column | also called | |\n|---|---|---|\n");
	for (size_t i = 0; i < d->n_columns; i++) {
		const char *name = d->columns[i];
		size_t n = strcspn(name, "|");
		ent_buf_printf(out, "| ");
		code(out, name, n);
		ent_buf_printf(out, " | ");
		for (bool first = true; name[n]; first = false) {
			name += n + 1;
			n = strcspn(name, "|");
			ent_buf_printf(out, first ? "" : ", ");
			code(out, name, n);
		}
		ent_buf_printf(out, " | %s |\n", d->required[i] ? "**required**" : "");
	}
}

static void decoder(const ent_decoder_info *d, ent_buf *out, ent_arena *arena) {
	size_t own = ent_options_count(d->options);
	ent_buf_printf(out, "\n## Decoder ");
	code_text(out, d->name);
	ent_buf_printf(out, "\n\n");
	prose(out, d->doc);
	ent_buf_printf(out, "\n\n* Reads %s%s.\n* Gives %s.\n",
		d->frame < sizeof frames_told / sizeof *frames_told ? frames_told[d->frame] : "?",
		d->splittable ? "; a large file on several cores" : "", ent__facts_text(d, arena));
	ent_buf_printf(out, "* System ");
	code_text(out, *d->system ? d->system : d->name);
	ent_buf_printf(out, ": whose keys these are. Version ");
	code_text(out, d->version);
	ent_buf_printf(out, " of what its facts mean.\n");
	if (d->flags & ENT_DECODER_ANALYTICS) {
		ent_buf_printf(out, "* What it sees is analytics: compared with the shop's, never added to it.\n");
	}
	if (d->flags & ENT_DECODER_RESTATES) {
		ent_buf_printf(out, "* A document that comes again, changed, takes back all that it brought before.\n");
	}
	ent_buf_printf(out, "\n### Options\n\n");
	if (own) {
		ent_buf_printf(out, "Under `decode: {%s: {…}}`.\n\n", d->name);
		option_table(out, d->options, arena);
	} else {
		ent_buf_printf(out, "None of its own: `decode: %s`.\n", d->name);
	}
	if (d->frame == ENT_FRAME_DELIMITED) {
		ent_buf_printf(out, "\nBeside them, [those of the host](#options-of-the-host).\n");
	}
	if (d->n_columns) {
		column_table(out, d);
	} else if (d->frame == ENT_FRAME_DELIMITED) {
		ent_buf_printf(out, "\n### Columns\n\nThey depend on the options.\n");
	}
}

void ent__plugin_page(ent_engine *engine, const ent_plugin_info *info, ent_buf *out) {
	ent_arena arena = {0};
	const ent_decoder_info *delimited = NULL, *text = NULL;
	ent_buf_printf(out, "# %s\n\nPlugin ", info->name);
	code_text(out, info->name);
	ent_buf_printf(out, ", version %s. Made from its tables, which also check the configuration.\n", info->version);
	for (uint32_t i = 0; i < info->n_decoders; i++) {
		const ent_decoder_info *d = &info->decoders[i];
		decoder(d, out, &arena);
		delimited = d->frame == ENT_FRAME_DELIMITED ? d : delimited;
		text = d->frame == ENT_FRAME_JSONL || d->frame == ENT_FRAME_DOCUMENT ? d : text;
	}
	if (delimited || text) {
		ent_buf_printf(out, "\n## Options of the host\n\n%s\n\n",
			!delimited ? "For every document that is read as text, whoever decodes it."
			: text	   ? "For every delimited file, whoever decodes it; lines and whole documents take `encoding` alone."
					   : "For every delimited file, whoever decodes it.");
		const ent_decoder_info *d = delimited ? delimited : text;
		option_table(out, ent_engine_options(engine, d) + ent_options_count(d->options), &arena);
	}
	ent_arena_finish(&arena);
}
