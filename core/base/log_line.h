/* SPDX-License-Identifier: Apache-2.0
 *
 * How a line of the log is written; of log.c alone, see log.h. Any thread: works on what it is given. */
#ifndef ENT_BASE_LOG_LINE_H
#define ENT_BASE_LOG_LINE_H

#include "base/buf.h"
#include "base/log.h"

enum {
	ENT__LOG_TEXT_MOST = 512,
	ENT__LOG_LINE_MOST = 4000 /* with its newline within PIPE_BUF: such a write never mixes with another */
};

typedef struct ent__log_style {
	ent_log_form form;
	bool terminal; /* time of the day only, columns */
	bool colour;
	bool journal; /* a priority in front, no time in text */
} ent__log_style;

/* One line with its newline. `realtime_ns` since 1970. */
void ent__log_line(ent_buf *out, const ent__log_style *style, int64_t realtime_ns, ent_severity level,
	const char *event, const ent_log_value *values, size_t n, uint64_t held_back, uint64_t dropped);

#endif
