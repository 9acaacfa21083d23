/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the core towards entente-rules: starts it, talks to it, watches its status page. For tests. */
#ifndef ENT_TESTS_RULES_DRIVER_H
#define ENT_TESTS_RULES_DRIVER_H

#include "base/buf.h"
#include "decode/protocol.h"
#include "rules/protocol.h"

#include <sys/types.h>

typedef struct driver {
	pid_t pid;
	int socket, errors; /* control socket; read end of the worker's stderr */
	ent_rules_page *page;
	ent_buf packet;     /* the last one received */
	ent_read read;      /* of it, after the type */
	char ready_version[128], ready_sandbox[64];
	uint64_t evaluations, nanoseconds; /* of the last DONE */
} driver;

/* Starts the process alone. */
void driver_spawn(driver *);
/* The same, as if on a kernel that has no Landlock. */
void driver_spawn_without_landlock(driver *);
void driver_hello(driver *, uint32_t version, ent_sandbox, uint64_t memory, const char *const *folders, const char *venv);
/* Type of the next packet; 0: end of file; -1: nothing within `seconds`. */
int driver_receive(driver *, int seconds);
/* Spawns, greets with the test's package, and waits until it is ready. */
void driver_start(driver *, ent_sandbox, uint64_t memory);
void driver_send(driver *, const ent_buf *, int fd);
/* LOADs the book of the tests. Returns the JSON of LOADED, malloc'd. */
char *driver_load(driver *, const char *book);
/* EVALUATEs one rule over the snapshot. */
void driver_evaluate(driver *, uint64_t run, const char *rule, int snapshot);
/* All records of the run, each followed by '\n', malloc'd; *last is the type of the packet that ended them (DONE, FAILED),
 * or 0 if the worker went away. */
char *driver_records(driver *, int *last);
/* What it wrote to stderr so far; waits for the first bytes. Malloc'd. */
char *driver_errors(driver *, int seconds);
/* Waits for its end; the status of waitpid. */
int driver_wait(driver *);
void driver_finish(driver *);

/* A sealed memfd with the block. */
int driver_memfd(const void *block, size_t bytes, int seals);

#endif
