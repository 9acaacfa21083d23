/* SPDX-License-Identifier: Apache-2.0
 *
 * Named pipes and standard input, see pipe.h. One piece is on its way to the inbox at a time; until it is durable nothing more
 * is read, so that whoever writes too fast waits in the kernel. Front's thread. */
#include "transport/pipe.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PIECE = 1 << 18,
	RECORD_MAX = 16 << 20,   /* of one line */
	DOCUMENT_MAX = 32 << 20, /* of one session: it is held in memory, and the inbox takes it as one */
	AGAIN_MS = 500,          /* while the inbox has no room */
	OPEN_MS = 2000,          /* until a pipe that cannot be opened is tried again */
	FILE_MS = 1              /* standard input from a file cannot be polled */
};

struct ent_pipe {
	uv_loop_t *loop;
	ent_inbox *inbox;
	const ent_config_source *source;
	int fd;
	bool is_stdin;
	int stdin_flags;
	uv_poll_t *poll; /* NULL: it is a file, and the timer reads */
	uv_timer_t timer;
	ent_buf held;    /* read, and not put yet */
	size_t most;     /* bytes that the inbox takes at once, as far as it is known; 0: any */
	size_t putting;  /* bytes of it on their way into the inbox; 0: none */
	bool last;       /* the session is over: all that is held is put */
	bool too_long;   /* the rest of this line or document is passed over */
	bool destroyed;
	unsigned users;  /* handles and puts that know it */
	ent_pipe_status status;
};

static void leave(ent_pipe *p) {
	p->users--;
	if (p->destroyed && !p->users) {
		ent_buf_finish(&p->held);
		free(p);
	}
}

static bool lines(const ent_pipe *p) { return ent_inbox_form_of(p->inbox, p->source->name.s) == ENT_INBOX_LINES; }

/* ---- the descriptor ------------------------------------------------------------------------------------------------------------ */

static void on_poll_closed(uv_handle_t *handle) {
	ent_pipe *p = handle->data;
	free(handle);
	leave(p);
}

static void stop_polling(ent_pipe *p) {
	if (p->poll) {
		uv_close((uv_handle_t *)p->poll, on_poll_closed);
		p->poll = NULL;
	}
}

static int open_pipe(ent_pipe *p, ent_error *e) {
	const char *path = p->source->from.path.s;
	struct stat st;
	if (mkfifo(path, 0600) && errno != EEXIST) {
		ent_error_errno(e, ENT_ERR_IO, "cannot make the pipe %s", path);
		ent_error_todo(e, "make its folder, or name another place in `pipe:`");
		return -1;
	}
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		ent_error_errno(e, ENT_ERR_IO, "cannot open the pipe %s", path);
	} else if (fstat(fd, &st) || !S_ISFIFO(st.st_mode)) {
		close(fd);
		fd = -1;
		ent_error_set(e, ENT_ERR_INVALID, "%s is no pipe", path);
		ent_error_todo(e, "move it away: the service makes the pipe; or write `file:` in place of `pipe:`");
	}
	if (fd < 0) {
		ent_error_at(e, p->source->from.path.at.file, p->source->from.path.at.line, p->source->from.path.at.column);
	}
	return fd;
}

static void on_readable(uv_poll_t *poll, int status, int events);

static int start_polling(ent_pipe *p) {
	if (p->poll || p->fd < 0 || p->destroyed) {
		return 0;
	}
	uv_poll_t *poll = ent_xcalloc(1, sizeof *poll);
	int status = uv_poll_init(p->loop, poll, p->fd);
	if (status) {
		free(poll);
		return status;
	}
	poll->data = p;
	p->users++;
	p->poll = poll;
	return uv_poll_start(poll, UV_READABLE, on_readable);
}

/* A pipe that was closed by its last writer says so for ever: another descriptor waits for the next one. It is opened before
 * the old one is closed, so that no writer finds the pipe without a reader. */
static void open_again(ent_pipe *p) {
	ent_error e = {0};
	int fd = open_pipe(p, &e);
	stop_polling(p);
	close(p->fd);
	p->fd = fd;
	if (fd < 0) {
		ent_log(ENT_SEVERITY_ERROR, "pipe.lost", ent_log_text("source", p->source->name.s), ent_log_error(&e));
	}
}

/* ---- into the inbox ------------------------------------------------------------------------------------------------------------ */

static void go_on(ent_pipe *p);

static void on_timer(uv_timer_t *timer) { go_on(timer->data); }

static void lose(ent_pipe *p, const char *why) {
	p->status.lost++;
	ent_log(ENT_SEVERITY_ERROR, "pipe.too_long", ent_log_text("source", p->source->name.s), ent_log_text("why", why));
}

static void on_put(void *ctx, int outcome, const ent_error *e) {
	ent_pipe *p = ctx;
	size_t n = p->putting;
	p->putting = 0;
	if (p->destroyed) {
		leave(p);
		return;
	}
	if (outcome == ENT_ERR_BUSY || outcome == ENT_ERR_IO) { /* kept, and put again when there is room; whoever writes waits */
		if (!p->status.full) {
			ent_log(ENT_SEVERITY_WARNING, "pipe.waits", ent_log_text("source", p->source->name.s), ent_log_error(e));
		}
		p->status.full = true;
		uv_timer_start(&p->timer, on_timer, AGAIN_MS, 0);
	} else if (outcome == ENT_ERR_RANGE && lines(p) && memchr(p->held.data, '\n', n - 1)) {
		p->most = n / 2; /* several lines: fewer at once */
		go_on(p);
	} else {
		if (outcome < 0 && outcome != ENT_ERR_STOPPED) {
			p->status.lost++;
			ent_log(ENT_SEVERITY_ERROR, "pipe.failed", ent_log_text("source", p->source->name.s), ent_log_error(e));
		}
		p->status.full = false;
		memmove(p->held.data, p->held.data + n, p->held.n - n);
		p->held.n -= n;
		if (outcome != ENT_ERR_STOPPED) {
			go_on(p);
		}
	}
	leave(p);
}

/* How much of what is held can be put now. */
static size_t ready(ent_pipe *p) {
	if (!lines(p) || (p->last && !(p->held.n && memchr(p->held.data, '\n', p->held.n)))) {
		return p->last ? p->held.n : 0;
	}
	size_t n = p->most && p->most < p->held.n ? p->most : p->held.n;
	const uint8_t *end = n ? memrchr(p->held.data, '\n', n) : NULL;
	end = end || n == p->held.n ? end : memchr(p->held.data, '\n', p->held.n);
	return end ? (size_t)(end - p->held.data) + 1 : 0;
}

static bool put(ent_pipe *p) {
	size_t n = ready(p);
	if (n) {
		ent_str bytes = {(const char *)p->held.data, n};
		ent_inbox_item item = {.source = p->source->name.s};
		*(lines(p) ? &item.lines : &item.document) = &bytes;
		p->putting = n;
		p->users++;
		ent_inbox_put(p->inbox, &item, on_put, p);
	}
	return n != 0;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------------- */

/* A line, or a document, that is longer than what may be held is passed over as a whole. */
static void pass_over(ent_pipe *p, const uint8_t *bytes, size_t n) {
	const uint8_t *end = lines(p) ? memchr(bytes, '\n', n) : NULL;
	if (end) {
		p->too_long = false;
		ent_buf_add(&p->held, end + 1, n - (size_t)(end + 1 - bytes));
	}
}

static void take(ent_pipe *p, const uint8_t *bytes, size_t n) {
	bool by_line = lines(p);
	p->status.bytes += n;
	p->status.open = true;
	if (p->too_long) {
		pass_over(p, bytes, n);
		return;
	}
	ent_buf_add(&p->held, bytes, n);
	if (p->held.n > (by_line ? (size_t)RECORD_MAX : (size_t)DOCUMENT_MAX) && !ready(p)) {
		lose(p, by_line ? "a line is longer than 16 MB" : "a document is longer than 32 MB");
		p->held.n = 0;
		p->too_long = true;
	}
}

static void end_session(ent_pipe *p) {
	p->status.sessions += p->status.open;
	p->status.open = false;
	p->too_long = false;
	p->last = p->held.n != 0;
	if (p->is_stdin) {
		p->status.ended = true;
		stop_polling(p);
		p->fd = -1;
	} else {
		open_again(p);
	}
}

/* Reads a piece: whether there was something. */
static bool read_piece(ent_pipe *p) {
	static uint8_t piece[PIECE];
	ssize_t n = read(p->fd, piece, sizeof piece);
	if (n > 0) {
		take(p, piece, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		end_session(p);
	}
	return false;
}

/* Puts what is whole, or waits for more. */
static void go_on(ent_pipe *p) {
	if (p->putting || p->destroyed) {
		return;
	}
	if (put(p)) {
		if (p->poll) {
			uv_poll_stop(p->poll);
		}
		return;
	}
	p->last = false;
	if (p->fd < 0 && !p->is_stdin) { /* something else lay there */
		ent_error e = {0};
		p->fd = open_pipe(p, &e);
		if (p->fd < 0) {
			uv_timer_start(&p->timer, on_timer, OPEN_MS, 0);
		}
	}
	if (p->fd < 0) {
		return;
	}
	if (p->poll) {
		uv_poll_start(p->poll, UV_READABLE, on_readable);
	} else if (start_polling(p)) { /* a file */
		read_piece(p);
		uv_timer_start(&p->timer, on_timer, FILE_MS, 0);
	}
}

static void on_readable(uv_poll_t *poll, int status, int events) {
	ent_pipe *p = poll->data;
	(void)status;
	(void)events;
	if (p->poll == poll && !p->putting && p->fd >= 0) {
		read_piece(p);
		go_on(p);
	}
}

/* ---- from begin to end ------------------------------------------------------------------------------------------------------------ */

int ent_pipe_create(ent_pipe **out, uv_loop_t *loop, ent_inbox *inbox, const ent_config_source *source, ent_error *e) {
	ent_pipe *p = ent_xcalloc(1, sizeof *p);
	*out = NULL;
	*p = (ent_pipe){.loop = loop, .inbox = inbox, .source = source, .fd = STDIN_FILENO, .is_stdin = source->from.kind == ENT_FROM_STDIN};
	if (p->is_stdin) {
		p->stdin_flags = fcntl(STDIN_FILENO, F_GETFL);
	} else {
		p->fd = open_pipe(p, e);
	}
	if (p->fd < 0 || (p->is_stdin && p->stdin_flags < 0)) {
		free(p);
		return e->code ? e->code : ent_error_errno(e, ENT_ERR_IO, "standard input is closed");
	}
	uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	p->users = 1;
	go_on(p);
	*out = p;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle) { leave(handle->data); }

void ent_pipe_destroy(ent_pipe *p) {
	if (!p) {
		return;
	}
	p->destroyed = true;
	stop_polling(p);
	if (p->is_stdin) {
		fcntl(STDIN_FILENO, F_SETFL, p->stdin_flags); /* it may be a terminal, which others go on with */
	} else if (p->fd >= 0) {
		close(p->fd);
	}
	uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}

void ent_pipe_status_of(const ent_pipe *p, ent_pipe_status *out) { *out = p->status; }
