/* SPDX-License-Identifier: Apache-2.0
 *
 * A faulty plugin: makes a system call by the door of 32-bit programs, where the numbers mean other calls. */
#include "faulty.h"

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
#if defined(__x86_64__)
	long number = 20; /* getpid there, writev here */
	__asm__ volatile("int $0x80" : "+a"(number) : : "memory");
#else
	__builtin_trap();
#endif
	return ENT_OK;
}
