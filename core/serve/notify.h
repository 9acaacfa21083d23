/* SPDX-License-Identifier: Apache-2.0
 *
 * What systemd is told of the service (sd_notify's protocol, spoken by hand: it is a datagram of lines): that it is
 * ready, what it is doing, that it reloads or stops, that it needs longer, and at half of the watchdog's time that it
 * is alive. Where nobody asked for it (no NOTIFY_SOCKET), everything here does nothing.
 *
 * Owned by the front's thread. Nothing waits: a datagram that the manager has no room for is lost, and the next tells
 * more. */
#ifndef ENT_SERVE_NOTIFY_H
#define ENT_SERVE_NOTIFY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct ent_notify ent_notify;

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment: what is said there is for
 * this process and not for its workers. Before other threads start. A socket that cannot be used is an error; *out is
 * then NULL, which all functions take. */
int ent_notify_open(ent_notify **out, ent_error *e);
/* To be called before the loop ends, which then has to turn once more. NULL allowed. */
void ent_notify_close(ent_notify *);

/* The state that the manager shows ("entente.service ... Status: ..."): one line. Told only when it changes. */
void ent_notify_status(ent_notify *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The service does its work: what depends on it may start. Also ends a reload. */
void ent_notify_ready(ent_notify *);
void ent_notify_reloading(ent_notify *);
void ent_notify_stopping(ent_notify *);
/* While it starts, reloads or stops: this may take so long from now on. */
void ent_notify_extend(ent_notify *, uint64_t microseconds);
/* Which process is the service, where it is not the one that was started. */
void ent_notify_main_pid(ent_notify *, long pid);

/* As long as `alive` says so, the manager hears of it at half of the time after which it would end the service. It is
 * asked on the loop: that answers for the loop itself. Does nothing where no watchdog is wanted. */
int ent_notify_watch(ent_notify *, uv_loop_t *loop, bool (*alive)(void *ctx), void *ctx, ent_error *e);
/* Time after which the manager ends a silent service, in microseconds; 0: it does not. */
uint64_t ent_notify_watchdog_us(const ent_notify *);

#endif
