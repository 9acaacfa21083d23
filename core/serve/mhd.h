/* SPDX-License-Identifier: Apache-2.0
 *
 * libmicrohttpd, loaded when the server is made: with it comes GnuTLS, and both would cost each command of the command line
 * 2 to 3 ms at its start. One thread. */
#ifndef ENT_SERVE_MHD_H
#define ENT_SERVE_MHD_H

#include <microhttpd.h>

#include "base/error.h"

#define ENT_MHD_FUNCTIONS(X)                                                                                           \
	X(MHD_add_response_header)                                                                                         \
	X(MHD_create_response_from_buffer)                                                                                 \
	X(MHD_create_response_from_callback)                                                                               \
	X(MHD_destroy_response)                                                                                            \
	X(MHD_get_connection_info)                                                                                         \
	X(MHD_get_daemon_info)                                                                                             \
	X(MHD_get_reason_phrase_for)                                                                                       \
	X(MHD_get_timeout)                                                                                                 \
	X(MHD_lookup_connection_value)                                                                                     \
	X(MHD_queue_response)                                                                                              \
	X(MHD_quiesce_daemon)                                                                                              \
	X(MHD_resume_connection)                                                                                           \
	X(MHD_run)                                                                                                         \
	X(MHD_start_daemon)                                                                                                \
	X(MHD_stop_daemon)                                                                                                 \
	X(MHD_suspend_connection)

struct ent__mhd {
#define X(name) __typeof__(name) *name##_;
	ENT_MHD_FUNCTIONS(X)
#undef X
};

extern struct ent__mhd ent__mhd;

/* Loads it once. 0, or a negative status and *e: then it is not there. */
int ent__mhd_load(ent_error *e);

#ifndef ENT_MHD_ITSELF
#define MHD_add_response_header ent__mhd.MHD_add_response_header_
#define MHD_create_response_from_buffer ent__mhd.MHD_create_response_from_buffer_
#define MHD_create_response_from_callback ent__mhd.MHD_create_response_from_callback_
#define MHD_destroy_response ent__mhd.MHD_destroy_response_
#define MHD_get_connection_info ent__mhd.MHD_get_connection_info_
#define MHD_get_daemon_info ent__mhd.MHD_get_daemon_info_
#define MHD_get_reason_phrase_for ent__mhd.MHD_get_reason_phrase_for_
#define MHD_get_timeout ent__mhd.MHD_get_timeout_
#define MHD_lookup_connection_value ent__mhd.MHD_lookup_connection_value_
#define MHD_queue_response ent__mhd.MHD_queue_response_
#define MHD_quiesce_daemon ent__mhd.MHD_quiesce_daemon_
#define MHD_resume_connection ent__mhd.MHD_resume_connection_
#define MHD_run ent__mhd.MHD_run_
#define MHD_start_daemon ent__mhd.MHD_start_daemon_
#define MHD_stop_daemon ent__mhd.MHD_stop_daemon_
#define MHD_suspend_connection ent__mhd.MHD_suspend_connection_
#endif

#endif
