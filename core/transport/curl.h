/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl, loaded when it is first needed: with it come some thirty libraries, which would cost each command of the
 * command line 4 to 7 ms at its start. Any thread, once ent_curl_load() has returned 0 in one. */
#ifndef ENT_TRANSPORT_CURL_H
#define ENT_TRANSPORT_CURL_H

#define CURL_DISABLE_TYPECHECK /* its checks call the functions by their own names */
#include <curl/curl.h>

#include "base/error.h"

#define ENT_CURL_FUNCTIONS(X)                                                                                         \
	X(curl_global_init)                                                                                                \
	X(curl_easy_init)                                                                                                  \
	X(curl_easy_setopt)                                                                                                \
	X(curl_easy_getinfo)                                                                                               \
	X(curl_easy_perform)                                                                                               \
	X(curl_easy_cleanup)                                                                                               \
	X(curl_easy_strerror)                                                                                              \
	X(curl_slist_append)                                                                                               \
	X(curl_slist_free_all)                                                                                             \
	X(curl_multi_init)                                                                                                 \
	X(curl_multi_setopt)                                                                                               \
	X(curl_multi_add_handle)                                                                                           \
	X(curl_multi_remove_handle)                                                                                        \
	X(curl_multi_socket_action)                                                                                        \
	X(curl_multi_assign)                                                                                               \
	X(curl_multi_info_read)                                                                                            \
	X(curl_multi_cleanup)                                                                                              \
	X(curl_url)                                                                                                        \
	X(curl_url_set)                                                                                                    \
	X(curl_url_get)                                                                                                    \
	X(curl_url_cleanup)                                                                                                \
	X(curl_free)                                                                                                       \
	X(curl_version_info)

/* The headers define some of them as macros of the same call. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

struct ent_curl {
#define X(name) __typeof__(name) *name##_;
	ENT_CURL_FUNCTIONS(X)
#undef X
};

extern struct ent_curl ent_curl;

/* Loads it once. 0, or a negative status and *e: then it is not there, or too old. */
int ent_curl_load(ent_error *e);

#ifndef ENT_CURL_ITSELF
#define curl_global_init ent_curl.curl_global_init_
#define curl_easy_init ent_curl.curl_easy_init_
#define curl_easy_setopt ent_curl.curl_easy_setopt_
#define curl_easy_getinfo ent_curl.curl_easy_getinfo_
#define curl_easy_perform ent_curl.curl_easy_perform_
#define curl_easy_cleanup ent_curl.curl_easy_cleanup_
#define curl_easy_strerror ent_curl.curl_easy_strerror_
#define curl_slist_append ent_curl.curl_slist_append_
#define curl_slist_free_all ent_curl.curl_slist_free_all_
#define curl_multi_init ent_curl.curl_multi_init_
#define curl_multi_setopt ent_curl.curl_multi_setopt_
#define curl_multi_add_handle ent_curl.curl_multi_add_handle_
#define curl_multi_remove_handle ent_curl.curl_multi_remove_handle_
#define curl_multi_socket_action ent_curl.curl_multi_socket_action_
#define curl_multi_assign ent_curl.curl_multi_assign_
#define curl_multi_info_read ent_curl.curl_multi_info_read_
#define curl_multi_cleanup ent_curl.curl_multi_cleanup_
#define curl_url ent_curl.curl_url_
#define curl_url_set ent_curl.curl_url_set_
#define curl_url_get ent_curl.curl_url_get_
#define curl_url_cleanup ent_curl.curl_url_cleanup_
#define curl_free ent_curl.curl_free_
#define curl_version_info ent_curl.curl_version_info_
#endif

#endif
