/* SPDX-License-Identifier: Apache-2.0
 *
 * The progress line, see term.h. Written with write(2), so that it neither waits in a buffer nor mixes with one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command/internal.h"

enum { EVERY_US = 100000, FIRST_US = 300000, SETTLED_US = 2000000 };

static int64_t now_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void put(const ent_buf *text) {
	/* a terminal that takes no more loses a line of progress, nothing else */
	if (write(STDERR_FILENO, text->data, text->n) < 0) {
		return;
	}
}

void ent_progress_init(ent_progress *progress, bool quiet) {
	memset(progress, 0, sizeof *progress);
	ent_term_init(&progress->term, STDERR_FILENO);
	progress->quiet = quiet || !progress->term.tty;
	progress->started_us = now_us();
}

void ent_progress_show(ent_progress *progress, const char *what, uint64_t done, uint64_t total, uint64_t rows) {
	int64_t now = progress->quiet ? 0 : now_us(), since = now - progress->started_us;
	/* what is over at once needs no progress */
	if (progress->quiet || now - progress->told_us < EVERY_US || since < FIRST_US) {
		return;
	}
	progress->told_us = now;
	char left[ENT_NUMBER_TEXT] = "", rate[ENT_NUMBER_TEXT], bytes[ENT_NUMBER_TEXT], line[256];
	double seconds = (double)since / 1e6;
	size_t n = 0;
	line[0] = 0;
	if (total && done <= total) {
		n += (size_t)snprintf(line + n, sizeof line - n, "%3u %%  ", (unsigned)((double)done * 100 / (double)total));
		if (done && since > SETTLED_US) {
			ent_span_text(seconds * ((double)total - (double)done) / (double)done, left);
		}
	} else if (done) {
		n += (size_t)snprintf(line + n, sizeof line - n, "%s  ", ent_bytes_text(done, bytes));
	}
	if (done) {
		n += (size_t)snprintf(
			line + n, sizeof line - n, "%s/s  ", ent_bytes_text((uint64_t)((double)done / seconds), rate));
	}
	if (rows) {
		ent_number_text((__int128)((double)rows / seconds), 0, 0, rate);
		n += (size_t)snprintf(line + n, sizeof line - n, "%s rows/s  ", rate);
	}
	if (*left) {
		n += (size_t)snprintf(line + n, sizeof line - n, "%s left  ", left);
	}
	ent_buf out = {0};
	size_t most = progress->term.width - 1, used = n; /* the last column would wrap on some terminals */
	ent_buf_add(&out, "\r\033[K", 4);
	ent__text_clean(&out, line, n, most, false);
	if (used < most) {
		ent__text_clean(&out, what, strlen(what), most - used, false);
	}
	put(&out);
	ent_buf_finish(&out);
	progress->shown = true;
}

void ent_progress_clear(ent_progress *progress) {
	if (progress->shown) {
		put(&(ent_buf){.data = (uint8_t *)(char[]){"\r\033[K"}, .n = 4});
		progress->shown = false;
	}
}
