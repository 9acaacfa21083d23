/* SPDX-License-Identifier: Apache-2.0
 *
 * A faulty plugin: finds the ring and writes over all of it, then goes on as if nothing had happened. */
#include "faulty.h"

#include <sys/mman.h>
#include <unistd.h>

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
	char *ring = MAP_FAILED;
	off_t size = lseek(4, 0, SEEK_END);
	if (size > 0) {
		ring = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, 4, 0);
	}
	if (ring == MAP_FAILED) {
		return ENT_EINTERNAL;
	}
	memset(ring, 0xa5, (size_t)size);
	return ENT_OK;
}
