/* SPDX-License-Identifier: Apache-2.0
 *
 * config/values.h: values that several sections of entente.yaml take in the same form. Private to core/config; one thread. Those of
 * the form of `custom` stand in tables; the others are called by a `custom` that knows where its pairs belong.
 */
#ifndef ENT_CONFIG_VALUES_H
#define ENT_CONFIG_VALUES_H

#include "config/schema.h"

/* A `custom` for true and false: a bool. */
int ent__flag(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into);

/* For so many in so long: an ent_rate. The field has a preset. */
int ent__rate(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into);

/* For addresses of web servers: an ent_word. */
int ent__url(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into);

/* A name as HTTP has it. */
bool ent__is_token(const char *s);

/* {NAME: TEXT}, in the order in which they are written. Values that are no text are left out, with an error. */
int ent__pairs(ent__parser *p, const ent__field *f, const ent_yaml_node *node, const ent_pair **out, size_t *n);

typedef struct ent__own_header {
	const char *name; /* NULL ends a list; with '-' at its end: all that begin with it */
	const char *todo; /* NULL: take it out */
} ent__own_header;

/* The same for headers of requests, but those of `own`, which the `whose` writes itself. */
int ent__headers(ent__parser *p, const ent__field *f, const ent_yaml_node *node, const ent__own_header *own, const char *whose,
	const ent_pair **out, size_t *n);

#endif
