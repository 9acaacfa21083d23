/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente top`: the running service, live in the terminal. Asks over the control socket once a second; the terminal is
 * put back as it was however this ends, but for kill -9. One thread. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "command/control.h"
#include "command/top_screen.h"

enum { EVERY_MS = 1000, CTRL_C = 3, ESCAPE = 27, ROWS = 24, A_PAGE = 10, SMOOTH = 6 };

static volatile sig_atomic_t resized, ended;
static void on_resize(int number) {
	(void)number;
	resized = 1;
}
static void on_end(int number) {
	(void)number;
	ended = 1;
}

static double monotonic(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The status; NULL: *e. */
static struct json_object *ask(const char *store, ent_error *e) {
	ent__control_answer a;
	struct json_object *o = NULL;
	int status = ent__control_send(store, "GET", "/api/v1/status", NULL, &a, e);
	if (status == ENT_ERR_NOTFOUND) {
		ent_error_todo(e, "start it: entente serve");
	} else if (!status && (a.status != 200 || !(o = json_tokener_parse((const char *)a.body.data)))) {
		ent_error_set(e, ENT_ERR_IO, "the service that has the store said %ld", a.status);
		ent_error_todo(e, "its log says why");
	}
	ent_buf_finish(&a.body);
	return o;
}

/* ---- once
 * ------------------------------------------------------------------------------------------------------------- */

static int once(ent_call *call, const char *store) {
	ent_error e = {0};
	ent__top_screen screen = {0};
	screen.now = ask(store, &e);
	if (screen.now && call->json) {
		const char *text = json_object_to_json_string_ext(screen.now, JSON_C_TO_STRING_PLAIN);
		ent_json_raw(&call->writer, text, strlen(text));
	} else if (screen.now) { /* a rate needs two */
		double began = monotonic();
		nanosleep(&(struct timespec){.tv_sec = EVERY_MS / 1000}, NULL);
		screen.before = screen.now;
		screen.now = ask(store, &e);
		screen.seconds = monotonic() - began;
		if (screen.now) {
			ent__top_show(&screen, &call->term, &call->out);
		}
	}
	bool well = screen.now != NULL;
	json_object_put(screen.now);
	json_object_put(screen.before);
	return well ? ENT_EXIT_OK : ent_call_error(call, &e);
}

/* ---- live
 * ------------------------------------------------------------------------------------------------------------- */

static void put(const char *bytes, size_t n) {
	while (n) {
		ssize_t written = write(STDOUT_FILENO, bytes, n);
		if (written < 0 && errno != EINTR) {
			return;
		}
		bytes += written > 0 ? written : 0;
		n -= written > 0 ? (size_t)written : 0;
	}
}

/* Each line over the one that stands there, so that nothing flickers. */
static void draw(ent__top_screen *s) {
	ent_term term;
	ent_buf text = {0}, out = {0};
	struct winsize size;
	ent_term_init(&term, STDOUT_FILENO);
	s->rows = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : ROWS;
	ent__top_show(s, &term, &text);
	ent_buf_printf(&out, "\033[H");
	const char *p = (const char *)text.data, *end = p + text.n;
	for (size_t row = 0; p < end && row < s->rows; row++) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((stop ? stop : end) - p);
		ent_buf_add(&out, p, n);
		ent_buf_printf(&out, "\033[K%s", stop && row + 1 < s->rows ? "\r\n" : "");
		p += n + 1;
	}
	ent_buf_printf(&out, "\033[J");
	put((const char *)out.data, out.n);
	ent_buf_finish(&text);
	ent_buf_finish(&out);
}

/* True: quit. */
static bool take_keys(ent__top_screen *s, const char *keys, size_t n) {
	for (size_t i = 0; i < n; i++) {
		bool arrow = keys[i] == ESCAPE && i + 2 < n && keys[i + 1] == '[';
		char key = arrow ? keys[i + 2] : keys[i];
		size_t by = arrow && (key == '5' || key == '6') ? A_PAGE : 1;
		bool up = arrow ? key == 'A' || key == '5' : key == 'k', down = arrow ? key == 'B' || key == '6' : key == 'j';
		if (!arrow && (key == 'q' || key == 'Q' || key == CTRL_C || (key == ESCAPE && n == 1))) {
			return true;
		}
		s->first = up ? (s->first > by ? s->first - by : 0) : s->first + (down ? by : 0);
		i += arrow ? 2u + (by == A_PAGE) : 0;
	}
	return false;
}

/* Waits for keys until the next second. True: quit. */
static bool wait_for_keys(ent__top_screen *s, double until) {
	while (!ended) {
		double left = until - monotonic();
		struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
		int n = poll(&in, 1, left > 0 ? (int)(left * 1000) + 1 : 0);
		if (n > 0) {
			char keys[64];
			ssize_t got = read(STDIN_FILENO, keys, sizeof keys);
			if (got <= 0 || take_keys(s, keys, (size_t)got)) {
				return true;
			}
		}
		if (n > 0 || resized) {
			resized = 0;
			draw(s);
		} else if (n == 0 && monotonic() >= until) {
			return false;
		}
	}
	return true;
}

/* What was asked in the last seconds: a rate from one second to the next would jump with each commit. */
typedef struct past {
	struct json_object *status[SMOOTH];
	double at[SMOOTH];
	size_t n;
} past;

static void remember(past *p, struct json_object *status, double at) {
	if (p->n == SMOOTH) {
		json_object_put(p->status[0]);
		memmove(p->status, p->status + 1, (SMOOTH - 1) * sizeof *p->status);
		memmove(p->at, p->at + 1, (SMOOTH - 1) * sizeof *p->at);
		p->n--;
	}
	p->status[p->n] = status;
	p->at[p->n++] = at;
}

static void look(ent__top_screen *s, const char *store, past *p, char lost[600]) {
	ent_error e = {0};
	struct json_object *fresh = ask(store, &e);
	double now = monotonic();
	if (!fresh) { /* what was seen last stays; the service may come back */
		snprintf(lost, 600, "%.400s", e.what);
		s->lost = lost;
		return;
	}
	remember(p, fresh, now);
	s->now = fresh;
	s->before = p->n > 1 ? p->status[0] : NULL;
	s->seconds = now - p->at[0];
	s->lost = NULL;
}

static int live(ent_call *call, const char *store) {
	static const char enter[] = "\033[?1049h\033[?25l", leave[] = "\033[?25h\033[?1049l";
	struct termios before, raw;
	struct sigaction resize = {.sa_handler = on_resize}, end = {.sa_handler = on_end};
	static const int ends[] = {SIGTERM, SIGINT, SIGHUP};
	ent__top_screen screen = {0};
	ent_error e = {0};
	char lost[600];
	past p = {0};
	screen.now = ask(store, &e);
	if (!screen.now) {
		return ent_call_error(call, &e);
	}
	remember(&p, screen.now, monotonic());
	if (tcgetattr(STDIN_FILENO, &before)) {
		json_object_put(screen.now);
		return once(call, store);
	}
	raw = before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ISIG); /* keys that would stop or end it come as keys */
	sigaction(SIGWINCH, &resize, NULL);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		sigaction(ends[i], &end, NULL);
	}
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	put(enter, sizeof enter - 1);
	do {
		draw(&screen);
		if (wait_for_keys(&screen, monotonic() + EVERY_MS / 1000.0)) {
			break;
		}
		look(&screen, store, &p, lost);
	} while (!ended);
	put(leave, sizeof leave - 1);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	for (size_t i = 0; i < p.n; i++) {
		json_object_put(p.status[i]);
	}
	return ENT_EXIT_OK;
}

static int run(ent_call *call) {
	ent_config *config;
	int exit = ent_call_config(call, &config);
	if (exit) {
		return exit;
	}
	bool terminal = call->term.tty && isatty(STDIN_FILENO) == 1;
	bool stays = terminal && !call->json && !ent_call_has(call, "once");
	exit = stays ? live(call, config->store.s) : once(call, config->store.s);
	ent_config_destroy(config);
	return exit;
}

static const ent_arg args[] = {
	{.name = "once", .type = ENT_ARG_SWITCH, .doc = "Show it once and leave, as into a pipe."}, {.name = NULL}};
const ent_command ent_command_top = {
	.name = "top",
	.doc = "Watch the running service: sources, rates, lag, workers, findings.",
	.text = "Asks the service that has the store of the configuration, once a second. What needs a person stands "
			"first: quarantined and "
			"failing sources, late ones, then those that have something waiting.\n\n"
			"Arrows (or j, k) move through the sources, q quits. With --json, or where the output is no terminal, it "
			"shows what is, and "
			"leaves; the JSON is that of GET /api/v1/status.",
	.args = args,
	.run = run,
};
