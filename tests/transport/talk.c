/* SPDX-License-Identifier: Apache-2.0
 *
 * See talk.h. */
#include "talk.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct peer {
	uv_tcp_t tcp;
	struct peer *next, **link;
	talk *t;
	char in[65536];
	size_t n;
	bool data; /* SMTP: within the message */
} peer;

typedef struct out {
	uv_write_t write;
	uv_buf_t buf;
	bool last;
} out;

static void closed(uv_handle_t *handle) {
	peer *p = handle->data;
	*p->link = p->next;
	if (p->next) {
		p->next->link = p->link;
	}
	free(p);
}

static void written(uv_write_t *write, int status) {
	out *o = (out *)write;
	uv_handle_t *handle = (uv_handle_t *)write->handle;
	if ((o->last || status) && !uv_is_closing(handle)) {
		uv_close(handle, closed);
	}
	free(o->buf.base);
	free(o);
}

static void say(peer *p, const char *text, size_t n, bool last) {
	out *o = calloc(1, sizeof *o);
	o->buf = uv_buf_init(malloc(n + 1), (unsigned)n);
	memcpy(o->buf.base, text, n);
	o->last = last;
	assert_int_equal(uv_write(&o->write, (uv_stream_t *)&p->tcp, &o->buf, 1, written), 0);
}

static void keep(talk *t, const char *p, size_t n) {
	char *to = t->asked[t->requests % 64];
	n = n < sizeof *t->asked ? n : sizeof *t->asked - 1;
	memcpy(to, p, n);
	to[n] = 0;
}

/* Takes one request out of what came; false: it is not whole. */
static bool http(peer *p) {
	talk *t = p->t;
	p->in[p->n] = 0;
	char *end = strstr(p->in, "\r\n\r\n");
	if (!end) {
		return false;
	}
	size_t whole = (size_t)(end + 4 - p->in);
	char *length = strcasestr(p->in, "\r\ncontent-length:");
	if (length && length < end) {
		whole += strtoul(length + 17, NULL, 10);
	}
	if (p->n < whole) {
		return false;
	}
	keep(t, p->in, whole);
	memmove(p->in, p->in + whole, p->n - whole);
	p->n -= whole;
	int n = t->requests++;
	size_t size = 0;
	const char *answer = t->answer(t, n, t->asked[n % 64], &size);
	if (answer) {
		size = size ? size : strlen(answer);
		say(p, answer, size, strstr(answer, "Connection: close") != NULL);
	}
	return p->n > 0;
}

static bool smtp(peer *p) {
	talk *t = p->t;
	p->in[p->n] = 0;
	char *end = strstr(p->in, "\r\n");
	if (!end) {
		return false;
	}
	size_t n = (size_t)(end + 2 - p->in);
	char *log = t->asked[0];
	size_t used = strlen(log);
	snprintf(log + used, sizeof *t->asked - used, "%.*s", (int)n, p->in);
	const char *answer = "250 fine\r\n";
	if (p->data) {
		p->data = strncmp(p->in, ".\r\n", 3) != 0;
		answer = p->data ? NULL : answer;
		t->requests += !p->data;
	} else if (strncmp(p->in, "EHLO", 4) == 0) {
		answer = "250-talk\r\n250 AUTH PLAIN\r\n";
	} else if (strncmp(p->in, "AUTH", 4) == 0) {
		answer = strchr(p->in + 5, ' ') ? "235 welcome\r\n" : "334 \r\n";
	} else if (strncmp(p->in, "DATA", 4) == 0) {
		p->data = true;
		answer = "354 go on\r\n";
	} else if (t->denied && strstr(p->in, t->denied)) {
		answer = "550 no such user\r\n";
	}
	if (answer) {
		say(p, answer, strlen(answer), false);
	}
	memmove(p->in, p->in + n, p->n - n);
	p->n -= n;
	return p->n > 0;
}

static void room(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
	(void)hint;
	peer *p = handle->data;
	*buf = uv_buf_init(p->in + p->n, (unsigned)(sizeof p->in - 1 - p->n));
}

static void came(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
	(void)buf;
	peer *p = stream->data;
	if (n < 0) {
		if (!uv_is_closing((uv_handle_t *)stream)) {
			uv_close((uv_handle_t *)stream, closed);
		}
		return;
	}
	p->n += (size_t)n;
	while (p->t->smtp ? smtp(p) : http(p)) {
	}
}

static void connected(uv_stream_t *listener, int status) {
	talk *t = listener->data;
	assert_int_equal(status, 0);
	peer *p = calloc(1, sizeof *p);
	p->t = t;
	p->next = t->peers;
	p->link = &t->peers;
	if (p->next) {
		p->next->link = &p->next;
	}
	t->peers = p;
	uv_tcp_init(t->loop, &p->tcp);
	p->tcp.data = p;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&p->tcp), 0);
	t->connections++;
	if (t->smtp) {
		say(p, "220 talk\r\n", 10, false);
	}
	uv_read_start((uv_stream_t *)&p->tcp, room, came);
}

void talk_start(talk *t, uv_loop_t *loop) {
	struct sockaddr_storage at;
	t->loop = loop;
	uv_tcp_init(loop, &t->listener);
	t->listener.data = t;
	if (t->ipv6) {
		uv_ip6_addr("::1", 0, (struct sockaddr_in6 *)&at);
	} else {
		uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)&at);
	}
	assert_int_equal(uv_tcp_bind(&t->listener, (struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&t->listener, 64, connected), 0);
	int n = sizeof at;
	uv_tcp_getsockname(&t->listener, (struct sockaddr *)&at, &n);
	t->port = ntohs(t->ipv6 ? ((struct sockaddr_in6 *)&at)->sin6_port : ((struct sockaddr_in *)&at)->sin_port);
}

void talk_stop(talk *t) {
	for (peer *p = t->peers; p; p = p->next) {
		if (!uv_is_closing((uv_handle_t *)&p->tcp)) {
			uv_close((uv_handle_t *)&p->tcp, closed);
		}
	}
	uv_close((uv_handle_t *)&t->listener, NULL);
}

const char *talk_url(const talk *t, const char *path) {
	static char urls[8][256];
	static unsigned turn;
	char *url = urls[turn++ % 8];
	snprintf(
		url, sizeof *urls, "%s://%s:%d%s", t->smtp ? "smtp" : "http", t->ipv6 ? "[::1]" : "127.0.0.1", t->port, path);
	return url;
}
