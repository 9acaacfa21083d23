/* SPDX-License-Identifier: Apache-2.0
 *
 * A faulty plugin: built for another major version of the ABI. */
#define FAULTY_MAJOR 7
#include "faulty.h"

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
	return ENT_OK;
}
