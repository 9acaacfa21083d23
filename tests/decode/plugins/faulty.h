/* SPDX-License-Identifier: Apache-2.0
 *
 * What the faulty plugins share: a decoder `faulty` over the column "Name", which does what FAULT says at the row named
 * "boom". Includers define `static ent_status fault(const ent_host *, ent_ctx *, const ent_row *)`. */
#ifndef ENT_TESTS_FAULTY_H
#define ENT_TESTS_FAULTY_H

#include "entente/plugin.h"

#include <stdlib.h>
#include <string.h>

typedef struct faulty {
	const ent_host *host;
	ent_ctx *ctx;
} faulty;

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row);

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	(void)options;
	faulty *f = calloc(1, sizeof *f);
	if (!f) {
		return ENT_ENOMEM;
	}
	*f = (faulty){host, ctx};
	*self = f;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)self;
	(void)doc;
	return ENT_OK;
}

static ent_status row(void *self, const ent_row *r) {
	faulty *f = self;
	if (r->cell[0].n == 4 && !memcmp(r->cell[0].p, "boom", 4)) {
		return fault(f->host, f->ctx, r);
	}
	ent_observation o = {.h = {.place = r->place, .key = r->cell[0]},
		.from = {.v = 19000, .kind = ENT_TIME_DATE, .offset_min = ENT_NO_OFFSET}};
	return f->host->push(f->ctx, ENT_OBSERVATION, &o, sizeof o, 1);
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

static const ent_column columns[] = {{"Name", NULL, 1}, {NULL, NULL, 0}};

static const ent_decoder decoder = {.size = sizeof(ent_decoder),
	.name = "faulty",
	.doc = "For tests.",
	.version = "1",
	.system = "test",
	.facts = 1u << ENT_OBSERVATION,
	.frame = ENT_FRAME_DELIMITED,
	.columns = columns,
	.create = create,
	.begin = begin,
	.row = row,
	.end = end,
	.destroy = free};

static const ent_decoder *const decoders[] = {&decoder, NULL};

#ifndef FAULTY_MAJOR
#define FAULTY_MAJOR ENT_PLUGIN_MAJOR
#endif

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC,
	.major = FAULTY_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "faulty",
	.version = "1.0",
	.decoders = decoders};

#endif
