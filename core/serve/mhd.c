/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads libmicrohttpd, see mhd.h. */
#define ENT_MHD_ITSELF
#include "serve/mhd.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

struct ent__mhd ent__mhd;

static const struct {
	const char *name;
	size_t at;
} functions[] = {
#define X(name) {#name, offsetof(struct ent__mhd, name##_)},
	ENT_MHD_FUNCTIONS(X)
#undef X
};

int ent__mhd_load(ent_error *e) {
	if (ent__mhd.MHD_run_) {
		return 0;
	}
	struct ent__mhd found = {0};
	void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		ent_error_set(e, ENT_ERR_NOTFOUND, "libmicrohttpd cannot be loaded: %s", dlerror());
		ent_error_todo(e, "install the package libmicrohttpd12");
		return ENT_ERR_NOTFOUND;
	}
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *function = dlsym(library, functions[i].name);
		if (!function) {
			ent_error_set(e, ENT_ERR_NOTFOUND, "libmicrohttpd has no %s", functions[i].name);
			ent_error_todo(e, "install libmicrohttpd12 0.9.75 or newer");
			return ENT_ERR_NOTFOUND;
		}
		memcpy((char *)&found + functions[i].at, &function, sizeof function);
	}
	ent__mhd = found;
	return 0;
}
