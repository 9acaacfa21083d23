/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin with a library of its own, near.c; it does nothing else. */
#include "faulty.h"

int entente_test_near(void);

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
	return entente_test_near() ? ENT_OK : ENT_EINTERNAL;
}
