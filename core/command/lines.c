/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of files, see lines.h. */
#include "command/lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beyond it a person does not wait for a line's number. */
#define MOST (UINT64_C(256) << 20)

void ent__lines_finish(ent__lines *x) {
	if (x->fd) {
		close(x->fd - 1);
	}
	*x = (ent__lines){0};
}

static bool ends_with(const char *text, const char *end) {
	size_t n = strlen(text), m = strlen(end);
	return n >= m && !strcmp(text + n - m, end);
}

bool ent__lines_path(const ent_config_source *source, const char *file, char *out, size_t size) {
	const char *root = source->from.path.s, *slash = root ? strrchr(root, '/') : NULL;
	struct stat st;
	if (!root || *file == '.' || ends_with(file, ".gz") || ends_with(file, ".zst")) {
		return false;
	}
	snprintf(out, size, "%s/%s", root, file);
	if (stat(out, &st)) {
		snprintf(out, size, "%s", slash && !strcmp(slash + 1, file) ? root : "");
	}
	return *out && !stat(out, &st) && S_ISREG(st.st_mode);
}

uint64_t ent__line_at(ent__lines *x, const char *path, uint64_t place) {
	char piece[1 << 16];
	if (place > MOST || strlen(path) >= sizeof x->path) {
		return 0;
	}
	if (strcmp(path, x->path) != 0 || place < x->at) {
		ent__lines_finish(x);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			return 0;
		}
		x->fd = fd + 1;
		x->line = 1;
		memcpy(x->path, path, strlen(path) + 1);
	}
	while (x->at < place) {
		size_t want = place - x->at < sizeof piece ? (size_t)(place - x->at) : sizeof piece;
		ssize_t n = pread(x->fd - 1, piece, want, (off_t)x->at);
		if (n <= 0) {
			return 0; /* it is shorter than it was */
		}
		for (const char *p = piece, *end = piece + n; (p = memchr(p, '\n', (size_t)(end - p))); p++) {
			x->line++;
		}
		x->at += (uint64_t)n;
	}
	return x->line;
}

uint64_t ent__line_of(ent__lines *x, const ent_config_source *source, const char *file, uint64_t place) {
	char path[sizeof x->path];
	return source && ent__lines_path(source, file, path, sizeof path) ? ent__line_at(x, path, place) : 0;
}
