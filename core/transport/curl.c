/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads libcurl, see curl.h. */
#define ENT_CURL_ITSELF
#include "transport/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

struct ent_curl ent_curl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static ent_error fault;

static const struct {
	const char *name;
	size_t at;
} functions[] = {
#define X(name) {#name, offsetof(struct ent_curl, name##_)},
	ENT_CURL_FUNCTIONS(X)
#undef X
};

static void load(void) {
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		ent_error_set(&fault, ENT_ERR_NOTFOUND, "libcurl cannot be loaded: %s", dlerror());
		ent_error_todo(&fault, "install the package libcurl4");
		return;
	}
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *function = dlsym(library, functions[i].name);
		if (!function) {
			ent_error_set(&fault, ENT_ERR_NOTFOUND, "libcurl has no %s", functions[i].name);
			ent_error_todo(&fault, "install libcurl4 7.85 or newer");
			return;
		}
		memcpy((char *)&ent_curl + functions[i].at, &function, sizeof function);
	}
	const curl_version_info_data *version = ent_curl.curl_version_info_(CURLVERSION_NOW);
	if (version->version_num < 0x075500) {
		ent_error_set(&fault, ENT_ERR_INVALID, "libcurl %s is too old", version->version);
		ent_error_todo(&fault, "install libcurl4 7.85 or newer");
	} else if (ent_curl.curl_global_init_(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		ent_error_set(&fault, ENT_ERR_NOMEM, "libcurl cannot be set up");
	}
}

int ent_curl_load(ent_error *e) {
	pthread_once(&once, load);
	if (fault.code && e) {
		*e = fault;
	}
	return fault.code;
}
