/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets are references in the configuration and read only here, after parsing. Neither the value nor a reference that
 * may be the value by mistake ever stands in an error. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/options.h"
#include "config/schema.h"

enum { LARGEST = 64 * 1024 };

bool ent_config_secret_form(const char *reference) {
	static const char *const forms[] = {"file:", "env:", "systemd:"};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		size_t n = strlen(forms[i]);
		if (strncmp(reference, forms[i], n) == 0) {
			return reference[n] && !(i == 2 && strchr(reference + n, '/'));
		}
	}
	return false;
}

static int from_file(const char *path, ent_arena *arena, ent_str *out, ent_error *e) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ent_error_errno(e, ENT_ERR_IO, "the secret in %s cannot be read", path);
		return ent_error_todo(e, "make the file, readable by this user alone");
	}
	char *bytes = ent_arena_alloc(arena, LARGEST + 1);
	size_t n = 0;
	ssize_t got;
	while (n <= LARGEST && (got = read(fd, bytes + n, LARGEST + 1 - n)) != 0) {
		if (got < 0 && errno != EINTR) {
			ent_error_errno(e, ENT_ERR_IO, "the secret in %s cannot be read", path);
			close(fd);
			return e ? e->code : ENT_ERR_IO;
		}
		n += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (n > LARGEST) {
		return ent_error_set(e, ENT_ERR_RANGE, "the secret in %s is larger than 64 KB", path);
	}
	if (n && bytes[n - 1] == '\n') {
		n--;
		n -= n && bytes[n - 1] == '\r';
	}
	if (!n) {
		ent_error_set(e, ENT_ERR_INVALID, "the secret in %s is empty", path);
		return ent_error_todo(e, "write the secret into the file");
	}
	bytes[n] = 0;
	*out = (ent_str){bytes, n};
	return 0;
}

int ent_config_secret(const char *reference, const char *folder, ent_arena *arena, ent_str *out, ent_error *e) {
	if (!ent_config_secret_form(reference)) {
		ent_error_set(e, ENT_ERR_INVALID, "a secret has to be a reference");
		return ent_error_todo(e, "write where it is kept: file:PATH, env:NAME or systemd:NAME");
	}
	const char *name = strchr(reference, ':') + 1;
	if (*reference == 'f') {
		return from_file(ent__absolute(arena, folder, name), arena, out, e);
	}
	if (*reference == 's') {
		const char *credentials = getenv("CREDENTIALS_DIRECTORY");
		if (!credentials) {
			ent_error_set(e, ENT_ERR_NOTFOUND, "there is no credential '%s': systemd did not start this process", name);
			return ent_error_todo(e, "start it as a unit with LoadCredential=, or use file: or env:");
		}
		return from_file(ent__absolute(arena, credentials, name), arena, out, e);
	}
	const char *value = getenv(name);
	if (!value || !*value) {
		ent_error_set(e, ENT_ERR_NOTFOUND, "environment variable %s, which holds a secret, is not set", name);
		return ent_error_todo(e, "set it, or use file: or systemd:");
	}
	*out = (ent_str){ent_arena_copy(arena, value, strlen(value)), strlen(value)};
	return 0;
}
