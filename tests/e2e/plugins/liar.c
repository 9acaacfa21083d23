/* SPDX-License-Identifier: Apache-2.0
 *
 * A lying plugin: when it comes to the row "boom" it finds the ring and raises the counts of the first batch, which the host
 * has handed over already, so that the batch agrees with itself. What the host counted does not agree with it any more. */
#include "../../decode/plugins/faulty.h"

#include "decode/protocol.h"
#include "facts/wire.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
	struct stat st;
	char *ring = MAP_FAILED;
	if (!syscall(SYS_fstat, ENT_RING_FD, &st)) { /* the C library asks by a path, which is not allowed here */
		ring = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, ENT_RING_FD, 0);
	}
	if (ring == MAP_FAILED) {
		return ENT_EINTERNAL;
	}
	ent_wire_batch *first = (ent_wire_batch *)(ring + ENT_RING_PAGE);
	if (first->magic != ENT_WIRE_MAGIC || first->seq != 0) {
		return ENT_EINTERNAL; /* nothing was handed over yet: there is nothing to lie about */
	}
	first->records++;
	first->consumed++;
	return ENT_OK;
}
