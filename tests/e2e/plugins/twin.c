/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin whose only decoder claims whatever begins like an orders export, as another plugin's does. With TWIN_dies_loading it
 * ends its process while it is loaded, with TWIN_dies_probing as it is asked about a document. */
#include "entente/plugin.h"

#include <stdlib.h>
#include <string.h>

#ifdef TWIN_dies_loading
__attribute__((constructor)) static void die(void) { abort(); }
#endif

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	(void)host;
	(void)ctx;
	(void)options;
	*self = malloc(1);
	return *self ? ENT_OK : ENT_ENOMEM;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)self;
	(void)doc;
	return ENT_OK;
}

static ent_status row(void *self, const ent_row *r) {
	(void)self;
	(void)r;
	return ENT_OK;
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

static int probe(ent_str head, const ent_doc *doc, const char **why) {
	(void)doc;
#ifdef TWIN_dies_probing
	abort();
#endif
	int mine = head.n > 11 && !memcmp(head.p, "Name,Email,", 11);
	*why = mine ? "it has names and addresses" : "no names and addresses";
	return mine ? 80 : 0;
}

static const ent_column columns[] = {{"Name", NULL, 1}, {NULL, NULL, 0}};
static const ent_decoder decoder = {.size = sizeof(ent_decoder), .name = "twin", .doc = "For tests.", .version = "1",
	.system = "test", .facts = 1u << ENT_ORDER, .frame = ENT_FRAME_DELIMITED, .columns = columns, .probe = probe,
	.create = create, .begin = begin, .row = row, .end = end, .destroy = free};
static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC, .major = ENT_PLUGIN_MAJOR, .minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin), .name = "twin", .version = "1.0", .decoders = decoders};
