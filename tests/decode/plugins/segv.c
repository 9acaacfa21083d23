/* SPDX-License-Identifier: Apache-2.0
 *
 * A faulty plugin: writes where nothing is. */
#include "faulty.h"

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
	volatile int *volatile nowhere = NULL;
	*nowhere = 1;
	return ENT_OK;
}
