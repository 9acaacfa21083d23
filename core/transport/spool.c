/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream kept as a file, see spool.h. */
#include "transport/spool.h"
#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static int write_all(int to, const char *p, size_t n) {
	while (n) {
		ssize_t w = write(to, p, n);
		if (w < 0 && errno != EINTR) {
			return -1;
		}
		p += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return 0;
}

int ent_spool(int from, const char *folder, ent_error *e) {
	int to = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (to < 0) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot keep standard input in %s", folder);
	}
	char *piece = ent_xmalloc(PIECE);
	int status = 0;
	for (ssize_t n = 1; n && !status;) {
		n = read(from, piece, PIECE);
		if (n < 0 && errno != EINTR) {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot read standard input");
		} else if (n > 0 && write_all(to, piece, (size_t)n)) {
			status = ent_error_errno(e, ENT_ERR_IO, "cannot keep standard input in %s", folder);
		}
	}
	free(piece);
	if (status) {
		close(to);
		return status;
	}
	return to;
}
