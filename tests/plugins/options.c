/* SPDX-License-Identifier: Apache-2.0
 *
 * See options.h. Everything lives in one list of blocks that options_free() walks.
 */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct block {
	struct block *next;
} block;

struct options {
	block *blocks;
	ent_value *values;
	yaml_document_t doc;
	char *why;
};

static void *keep(options *o, size_t n) {
	block *b = calloc(1, sizeof *b + n);
	if (!b)
		abort();
	b->next = o->blocks;
	o->blocks = b;
	return b + 1;
}

static ent_str copy(options *o, const char *p, size_t n) {
	char *c = keep(o, n + 1);
	memcpy(c, p, n);
	return (ent_str){c, n};
}

static int fail(options *o, const char *what, const char *key) {
	snprintf(o->why, 200, "%s: %s", key, what);
	return -1;
}

static int scalar(options *o, const ent_option *s, const char *p, size_t n, ent_value *v) {
	static const char units[] = "smhdw";
	static const int64_t seconds[] = {1, 60, 3600, 86400, 604800};
	char *end;
	v->set = 1;
	v->type = (uint8_t)s->type;
	v->s = copy(o, p, n);
	switch (s->type) {
	case ENT_OPT_BOOL:
		v->i = !strcmp(v->s.p, "true");
		return v->i || !strcmp(v->s.p, "false") ? 0 : fail(o, "is true or false", s->key);
	case ENT_OPT_INT:
		v->i = strtoll(v->s.p, &end, 10);
		return *end ? fail(o, "is a number", s->key) : 0;
	case ENT_OPT_DURATION:
		v->i = strtoll(v->s.p, &end, 10);
		for (size_t i = 0; i < sizeof units - 1; i++)
			if (end > v->s.p && *end == units[i] && !end[1]) {
				v->i *= seconds[i] * 1000000;
				return 0;
			}
		return fail(o, "is written 90s, 10m, 36h, 7d or 4w", s->key);
	case ENT_OPT_ENUM:
		for (v->i = 0; s->choices[v->i]; v->i++)
			if (!strcmp(s->choices[v->i], v->s.p))
				return 0;
		return fail(o, "is none of its choices", s->key);
	case ENT_OPT_LIST:
	case ENT_OPT_MAP:
		return fail(o, "is a list or a map", s->key);
	default:
		return 0;
	}
}

static int table(options *o, const ent_option *t, const yaml_node_t *node, ent_value **out, size_t *n);

static int value(options *o, const ent_option *s, const yaml_node_t *node, ent_value *v) {
	if (node->type == YAML_SCALAR_NODE)
		return scalar(o, s, (const char *)node->data.scalar.value, node->data.scalar.length, v);
	v->set = 1;
	v->type = (uint8_t)s->type;
	if (node->type == YAML_SEQUENCE_NODE) {
		yaml_node_item_t *i = node->data.sequence.items.start, *e = node->data.sequence.items.top;
		if (s->type != ENT_OPT_LIST)
			return fail(o, "is no list", s->key);
		v->n = (size_t)(e - i);
		ent_value *items = keep(o, sizeof *items * (v->n + 1));
		v->items = items;
		for (; i < e; i++, items++)
			if (value(o, s->item, yaml_document_get_node(&o->doc, *i), items))
				return -1;
		return 0;
	}
	if (s->type != ENT_OPT_MAP)
		return fail(o, "is no map", s->key);
	if (strcmp(s->item->key, "*")) {
		ent_value *items;
		int e = table(o, s->item, node, &items, &v->n);
		v->items = items;
		return e;
	}
	yaml_node_pair_t *p = node->data.mapping.pairs.start, *e = node->data.mapping.pairs.top;
	v->n = (size_t)(e - p);
	ent_value *items = keep(o, sizeof *items * (v->n + 1));
	ent_str *keys = keep(o, sizeof *keys * (v->n + 1));
	v->items = items;
	v->keys = keys;
	for (; p < e; p++, items++, keys++) {
		const yaml_node_t *k = yaml_document_get_node(&o->doc, p->key);
		*keys = copy(o, (const char *)k->data.scalar.value, k->data.scalar.length);
		if (value(o, s->item, yaml_document_get_node(&o->doc, p->value), items))
			return -1;
	}
	return 0;
}

/* Options of the real host; this one finds all that out by itself, and fills short rows. */
static int is_framing(const char *key) {
	static const char *const keys[] = {"encoding", "delimiter", "quote", "skip_lines", "short_rows"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!strcmp(keys[i], key))
			return 1;
	return 0;
}

/* `node` NULL: presets only. */
static int table(options *o, const ent_option *t, const yaml_node_t *node, ent_value **out, size_t *count) {
	size_t n = 0;
	while (t && t[n].key)
		n++;
	ent_value *v = *out = keep(o, sizeof *v * (n + 1));
	*count = n;
	for (size_t i = 0; i < n; i++) {
		v[i].type = (uint8_t)t[i].type;
		if (t[i].preset && scalar(o, &t[i], t[i].preset, strlen(t[i].preset), &v[i]))
			return -1;
	}
	if (node && node->type == YAML_MAPPING_NODE)
		for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
			const char *key = (const char *)yaml_document_get_node(&o->doc, p->key)->data.scalar.value;
			size_t i = 0;
			while (i < n && strcmp(t[i].key, key))
				i++;
			if (i == n && is_framing(key))
				continue;
			if (i == n)
				return fail(o, "unknown option", key);
			v[i] = (ent_value){0};
			if (value(o, &t[i], yaml_document_get_node(&o->doc, p->value), &v[i]))
				return -1;
		}
	for (size_t i = 0; i < n; i++)
		if (t[i].required && !v[i].set)
			return fail(o, "is required", t[i].key);
	return 0;
}

options *options_read(const ent_option *t, const char *text, char *why) {
	yaml_parser_t parser;
	size_t n;
	options *o = calloc(1, sizeof *o);
	if (!o || !yaml_parser_initialize(&parser))
		abort();
	o->why = why;
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text ? text : ""), text ? strlen(text) : 0);
	int bad = !yaml_parser_load(&parser, &o->doc);
	if (bad)
		snprintf(why, 200, "not YAML: %s", parser.problem);
	else
		bad = table(o, t, yaml_document_get_root_node(&o->doc), &o->values, &n);
	yaml_parser_delete(&parser);
	yaml_document_delete(&o->doc);
	if (!bad)
		return o;
	options_free(o);
	return NULL;
}

const ent_value *options_values(const options *o) { return o->values; }

void options_free(options *o) {
	if (!o)
		return;
	while (o->blocks) {
		block *b = o->blocks;
		o->blocks = b->next;
		free(b);
	}
	free(o);
}
