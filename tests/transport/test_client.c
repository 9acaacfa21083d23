/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to other machines, against a server on the same loop: what goes over the wire, what comes back, and each
 * limit. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "talk.h"
#include "transport/client.h"

typedef struct got {
	int n;
	ent_client_failure failure;
	ent_error error;
	int status;
	char body[8192], url[256], header[256], again[256];
	size_t body_n;
	uint64_t received;
	unsigned connects;
	ent_client *destroy; /* from within done */
} got;

typedef struct world {
	uv_loop_t loop;
	uv_timer_t tick; /* UV_RUN_ONCE runs timers before it waits: without one more it would wait for nothing */
	ent_client *client;
	talk server;
} world;

static void done(void *ctx, const ent_client_answer *a) {
	got *g = ctx;
	g->n++;
	g->failure = a->failure;
	g->error = a->error;
	g->status = a->status;
	g->body_n = a->body_n;
	g->received = a->received;
	g->connects = a->connects;
	snprintf(g->body, sizeof g->body, "%s", a->body);
	snprintf(g->url, sizeof g->url, "%s", a->url);
	const char *header = ent_client_header_of(a, "x-test", 0), *again = ent_client_header_of(a, "X-TEST", 1);
	snprintf(g->header, sizeof g->header, "%s", header ? header : "(none)");
	snprintf(g->again, sizeof g->again, "%s", again ? again : "(none)");
	if (g->destroy) {
		ent_client_destroy(g->destroy);
	}
}

static void on_tick(uv_timer_t *timer) { (void)timer; }

static void start(world *w, const char *(*answer)(talk *, int, const char *, size_t *)) {
	memset(w, 0, sizeof *w);
	uv_loop_init(&w->loop);
	uv_timer_init(&w->loop, &w->tick);
	uv_timer_start(&w->tick, on_tick, 5, 5);
	w->server.answer = answer;
	talk_start(&w->server, &w->loop);
	ent_error e = {0};
	w->client = ent_client_create(&w->loop, &e);
	assert_non_null(w->client);
}

static void stop(world *w) {
	ent_client_destroy(w->client);
	talk_stop(&w->server);
	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0); /* nothing of it is left */
}

static void until(world *w, const int *n, int wanted) {
	uint64_t deadline = uv_hrtime() + UINT64_C(60000000000);
	while (*n < wanted) {
		assert_true(uv_hrtime() < deadline);
		uv_run(&w->loop, UV_RUN_ONCE);
	}
}

static got ask(world *w, const ent_client_request *request) {
	got g = {0};
	ent_error e = {0};
	assert_int_equal(ent_client_send(w->client, request, done, &g, NULL, &e), 0);
	assert_int_equal(g.n, 0); /* never from within the call */
	until(w, &g.n, 1);
	return g;
}

static const char *hello(talk *t, int n, const char *asked, size_t *length) {
	(void)t;
	(void)n;
	(void)asked;
	(void)length;
	return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Test:  one \r\nx-test: two\r\n\r\nhello";
}

static void test_get(void **state) {
	(void)state;
	world w;
	start(&w, hello);
	ent_client_header headers[] = {{"X-Key", "abc"}, {"X-Empty", ""}};
	got g = ask(&w, &(ent_client_request){.url = talk_url(&w.server, "/a?b=c"), .headers = headers, .n_headers = 2});
	assert_int_equal(g.failure, ENT_CLIENT_OK);
	assert_int_equal(g.error.code, 0);
	assert_int_equal(g.status, 200);
	assert_string_equal(g.body, "hello");
	assert_string_equal(g.header, "one");
	assert_string_equal(g.again, "two");
	assert_true(g.received > 5);
	const char *asked = w.server.asked[0];
	assert_int_equal(strncmp(asked, "GET /a?b=c HTTP/1.1\r\n", 21), 0);
	assert_non_null(strstr(asked, "\r\nX-Key: abc\r\n"));
	assert_non_null(strstr(asked, "\r\nX-Empty:\r\n"));
	assert_null(strstr(asked, "Authorization"));
	stop(&w);
}

static void test_post_and_methods(void **state) {
	(void)state;
	world w;
	start(&w, hello);
	ent_client_header json = {"Content-Type", "application/json"};
	char body[] = "{\"a\":\"\0\"}";
	got g = {0};
	ent_error e = {0};
	ent_client_request post = {.url = talk_url(&w.server, "/"),
		.headers = &json,
		.n_headers = 1,
		.body = body,
		.body_n = sizeof body - 1,
		.user = "u",
		.password = "p:w"};
	assert_int_equal(ent_client_send(w.client, &post, done, &g, NULL, &e), 0);
	memset(body, 'x', sizeof body); /* it was copied */
	until(&w, &g.n, 1);
	assert_int_equal(strncmp(w.server.asked[0], "POST / HTTP/1.1\r\n", 17), 0);
	assert_non_null(strstr(w.server.asked[0], "Authorization: Basic dTpwOnc=\r\n"));
	assert_non_null(strstr(w.server.asked[0], "Content-Type: application/json\r\n"));
	assert_null(strstr(w.server.asked[0], "Expect"));
	const char *sent = strstr(w.server.asked[0], "\r\n\r\n") + 4;
	assert_memory_equal(sent, "{\"a\":\"\0\"}", sizeof body - 1);

	post = (ent_client_request){.url = talk_url(&w.server, "/"), .method = "PUT", .body = "x", .body_n = 1};
	ask(&w, &post);
	assert_int_equal(strncmp(w.server.asked[1], "PUT / ", 6), 0);
	post = (ent_client_request){.url = talk_url(&w.server, "/"), .method = "DELETE"};
	ask(&w, &post);
	assert_int_equal(strncmp(w.server.asked[2], "DELETE / ", 9), 0);
	stop(&w);
}

static void test_reuses_connection(void **state) {
	(void)state;
	world w;
	start(&w, hello);
	ent_client_request request = {.url = talk_url(&w.server, "/")};
	assert_int_equal(ask(&w, &request).connects, 1);
	assert_int_equal(ask(&w, &request).connects, 0);
	assert_int_equal(w.server.connections, 1);
	stop(&w);
}

static void test_makes_no_sense(void **state) {
	(void)state;
	world w;
	start(&w, hello);
	static const char *const urls[] = {
		"file:///etc/passwd", "ftp://127.0.0.1/", "", "nonsense", "gopher://x/", "smtp://x"};
	ent_error e;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		memset(&e, 0, sizeof e);
		int status = ent_client_send(w.client, &(ent_client_request){.url = urls[i]}, done, NULL, NULL, &e);
		if (status == 0) { /* "nonsense" is a host for libcurl's guess; then it must fail as one */
			fail_msg("%s was taken", urls[i]);
		}
		assert_int_equal(status, ENT_ERR_INVALID);
		assert_true(*e.todo);
	}
	ent_client_header headers[] = {{"X", "a\r\nInjected: b"}, {"X: y", "a"}, {"", "a"}};
	for (size_t i = 0; i < 3; i++) {
		ent_client_request request = {.url = talk_url(&w.server, "/"), .headers = &headers[i], .n_headers = 1};
		assert_int_equal(ent_client_send(w.client, &request, done, NULL, NULL, &e), ENT_ERR_INVALID);
	}
	assert_int_equal(ent_client_busy(w.client), 0);
	assert_int_equal(w.server.connections, 0);
	stop(&w);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static const char *large(talk *t, int n, const char *asked, size_t *length) {
	static char answer[20000];
	(void)t;
	(void)n;
	(void)asked;
	size_t head = (size_t)sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
	memset(answer + head, 'a', 5000);
	*length = head + 5000;
	return answer;
}

static void test_body_limit(void **state) {
	(void)state;
	world w;
	start(&w, large);
	got g = ask(&w, &(ent_client_request){.url = talk_url(&w.server, "/"), .most_body = 5000});
	assert_int_equal(g.failure, ENT_CLIENT_OK);
	assert_int_equal(g.body_n, 5000);
	g = ask(&w, &(ent_client_request){.url = talk_url(&w.server, "/"), .most_body = 4999});
	assert_int_equal(g.failure, ENT_CLIENT_TOO_LARGE);
	assert_int_equal(g.error.code, ENT_ERR_RANGE);
	assert_non_null(strstr(g.error.what, "larger than 4999 bytes"));
	stop(&w);
}

/* A megabyte of zeros, packed to a thousandth. */
static const char *bomb(talk *t, int n, const char *asked, size_t *length) {
	static char answer[4096];
	static unsigned char zeros[1 << 20];
	(void)t;
	(void)n;
	assert_non_null(strstr(asked, "gzip"));
	unsigned char packed[2048];
	z_stream z = {.next_in = zeros, .avail_in = sizeof zeros, .next_out = packed, .avail_out = sizeof packed};
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	size_t head = (size_t)sprintf(
		answer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n", z.total_out);
	memcpy(answer + head, packed, z.total_out);
	*length = head + z.total_out;
	return answer;
}

static void test_body_limit_holds_unpacked(void **state) {
	(void)state;
	world w;
	start(&w, bomb);
	got g = ask(&w, &(ent_client_request){.url = talk_url(&w.server, "/"), .most_body = 1 << 20});
	assert_int_equal(g.failure, ENT_CLIENT_OK);
	assert_int_equal(g.body_n, 1 << 20);
	assert_true(g.received < 4096);
	g = ask(&w, &(ent_client_request){.url = talk_url(&w.server, "/"), .most_body = (1 << 20) - 1});
	assert_int_equal(g.failure, ENT_CLIENT_TOO_LARGE);
	stop(&w);
}

static const char *many_headers(talk *t, int n, const char *asked, size_t *length) {
	static char answer[20000];
	(void)t;
	(void)n;
	(void)asked;
	(void)length;
	size_t used = (size_t)sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
	for (int i = 0; i < 200; i++) {
		used += (size_t)sprintf(answer + used, "X-Many-%d: of these\r\n", i);
	}
	sprintf(answer + used, "\r\n");
	return answer;
}

static void test_header_limit(void **state) {
	(void)state;
	world w;
	start(&w, many_headers);
	got g = ask(&w, &(ent_client_request){.url = talk_url(&w.server, "/")});
	assert_int_equal(g.failure, ENT_CLIENT_OK);
	g = ask(&w, &(ent_client_request){.url = talk_url(&w.server, "/"), .most_headers = 4000});
	assert_int_equal(g.failure, ENT_CLIENT_TOO_LARGE);
	assert_non_null(strstr(g.error.what, "headers"));
	stop(&w);
}

static const char *nothing(talk *t, int n, const char *asked, size_t *length) {
	(void)t;
	(void)n;
	(void)asked;
	(void)length;
	return NULL;
}

static void test_time_limit(void **state) {
	(void)state;
	world w;
	start(&w, nothing);
	got g = ask(&w, &(ent_client_request){.url = talk_url(&w.server, "/"), .timeout_us = 50000});
	assert_int_equal(g.failure, ENT_CLIENT_TIMEOUT);
	assert_non_null(strstr(g.error.what, "did not answer within"));
	assert_int_equal(g.status, 0);
	stop(&w);
}

/* A server that takes connections and never does anything: what TLS waits for is part of connecting. */
static void test_connect_limit(void **state) {
	(void)state;
	world w;
	start(&w, nothing);
	char url[64];
	snprintf(url, sizeof url, "https://127.0.0.1:%d/", w.server.port);
	got g = ask(&w, &(ent_client_request){.url = url, .connect_us = 50000, .timeout_us = INT64_C(600000000)});
	assert_int_equal(g.failure, ENT_CLIENT_TIMEOUT);
	stop(&w);
}

static void test_unreachable(void **state) {
	(void)state;
	world w;
	start(&w, hello);
	talk gone = {.answer = hello};
	talk_start(&gone, &w.loop);
	talk_stop(&gone);
	uv_run(&w.loop, UV_RUN_NOWAIT);
	got g = ask(&w, &(ent_client_request){.url = talk_url(&gone, "/secret?key=hidden")});
	assert_int_equal(g.failure, ENT_CLIENT_UNREACHABLE);
	assert_int_equal(g.error.code, ENT_ERR_IO);
	assert_non_null(strstr(g.error.what, "127.0.0.1"));
	assert_null(strstr(g.error.what, "hidden"));
	stop(&w);
}

/* ---- giving up --------------------------------------------------------------------------------------------------- */

static void test_cancel(void **state) {
	(void)state;
	world w;
	start(&w, nothing);
	got g[3] = {{0}};
	ent_client_call *call[3];
	ent_error e;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ent_client_send(w.client, &(ent_client_request){.url = talk_url(&w.server, "/")}, done, &g[i],
							 &call[i], &e),
			0);
	}
	until(&w, &w.server.requests, 3);
	ent_client_cancel(w.client, call[1]);
	assert_int_equal(g[1].n, 1);
	assert_int_equal(g[1].failure, ENT_CLIENT_CANCELLED);
	assert_int_equal(g[1].error.code, ENT_ERR_STOPPED);
	assert_int_equal(ent_client_busy(w.client), 2);
	assert_int_equal(g[0].n + g[2].n, 0);
	ent_client_destroy(w.client);
	assert_int_equal(g[0].n + g[2].n, 2);
	assert_int_equal(g[2].failure, ENT_CLIENT_CANCELLED);
	assert_int_equal(
		ent_client_send(w.client, &(ent_client_request){.url = talk_url(&w.server, "/")}, done, &g[0], NULL, &e),
		ENT_ERR_STOPPED);
	talk_stop(&w.server);
	uv_close((uv_handle_t *)&w.tick, NULL);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w.loop), 0);
}

static void test_destroy_from_done(void **state) {
	(void)state;
	world w;
	start(&w, hello);
	got g[2] = {{0}};
	ent_error e;
	g[0].destroy = g[1].destroy = w.client; /* whichever comes first; the other is cancelled */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			ent_client_send(w.client, &(ent_client_request){.url = talk_url(&w.server, "/")}, done, &g[i], NULL, &e),
			0);
	}
	until(&w, &g[0].n, 1);
	until(&w, &g[1].n, 1);
	assert_int_equal(g[0].n + g[1].n, 2);
	talk_stop(&w.server);
	uv_close((uv_handle_t *)&w.tick, NULL);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w.loop), 0);
}

/* ---- redirects --------------------------------------------------------------------------------------------------- */

static talk *other;

static const char *moved(talk *t, int n, const char *asked, size_t *length) {
	static char answer[512];
	(void)length;
	const char *to = strstr(asked, "/loop") ? "/loop" : strstr(asked, "/away") ? talk_url(other, "/there") : NULL;
	to = strstr(asked, "/here") ? "/now" : to;
	if (!to) {
		return hello(t, n, asked, length);
	}
	snprintf(answer, sizeof answer, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 6\r\n\r\nmoved!", to);
	return answer;
}

static void test_redirects(void **state) {
	(void)state;
	world w;
	talk there = {.answer = hello};
	start(&w, moved);
	talk_start(&there, &w.loop);
	other = &there;
	ent_client_header key = {"X-Key", "abc"};
	ent_client_request request = {
		.url = talk_url(&w.server, "/here"), .headers = &key, .n_headers = 1, .user = "u", .password = "p"};
	got g = ask(&w, &request);
	assert_int_equal(g.status, 302);
	assert_string_equal(g.body, "moved!");
	assert_int_equal(w.server.requests, 1);

	request.redirects = 1;
	g = ask(&w, &request);
	assert_int_equal(g.status, 200);
	assert_string_equal(g.body, "hello");
	assert_non_null(strstr(g.url, "/now"));
	assert_non_null(strstr(w.server.asked[2], "X-Key: abc"));
	assert_non_null(strstr(w.server.asked[2], "Authorization"));

	request.url = talk_url(&w.server, "/away"); /* another origin is not told who we are */
	g = ask(&w, &request);
	assert_int_equal(g.status, 200);
	assert_int_equal(there.requests, 1);
	assert_null(strstr(there.asked[0], "X-Key"));
	assert_null(strstr(there.asked[0], "Authorization"));

	request.url = talk_url(&w.server, "/loop");
	request.redirects = 5;
	int before = w.server.requests;
	g = ask(&w, &request);
	assert_int_equal(g.failure, ENT_CLIENT_FORBIDDEN);
	assert_non_null(strstr(g.error.what, "more than 5 times"));
	assert_int_equal(w.server.requests - before, 6);

	request.body = "x"; /* what changes something is not sent again elsewhere */
	request.body_n = 1;
	request.url = talk_url(&w.server, "/here");
	assert_int_equal(ask(&w, &request).status, 302);
	talk_stop(&there);
	stop(&w);
}

/* ---- the public internet ----------------------------------------------------------------------------------------- */

static void test_public_only(void **state) {
	(void)state;
	world w;
	start(&w, hello);
	char named[64];
	snprintf(named, sizeof named, "http://localhost:%d/", w.server.port);
	const char *urls[] = {talk_url(&w.server, "/"), named};
	for (int i = 0; i < 2; i++) {
		got g = ask(&w, &(ent_client_request){.url = urls[i], .public_only = true});
		assert_int_equal(g.failure, ENT_CLIENT_FORBIDDEN);
		assert_non_null(strstr(g.error.what, "no address of the public internet"));
	}
	assert_int_equal(w.server.connections, 0);
	/* a connection that somebody else opened is no way in either */
	assert_int_equal(ask(&w, &(ent_client_request){.url = urls[0]}).status, 200);
	got g = ask(&w, &(ent_client_request){.url = urls[0], .public_only = true});
	assert_int_equal(g.failure, ENT_CLIENT_FORBIDDEN);
	assert_int_equal(w.server.requests, 1);
	/* nor is a redirect, or a proxy that the environment names */
	setenv("http_proxy", urls[0], 1);
	g = ask(&w, &(ent_client_request){.url = "http://localhost:1/", .public_only = true});
	unsetenv("http_proxy");
	assert_int_equal(g.failure, ENT_CLIENT_FORBIDDEN);
	assert_int_equal(w.server.requests, 1);
	stop(&w);
}

static void test_addresses(void **state) {
	(void)state;
	static const struct {
		const char *address;
		bool open;
	} cases[] = {{"1.1.1.1", true}, {"9.255.255.255", true}, {"10.0.0.1", false}, {"100.63.255.255", true},
		{"100.64.0.1", false}, {"100.127.255.255", false}, {"100.128.0.1", true}, {"127.0.0.1", false},
		{"127.255.255.254", false}, {"0.0.0.0", false}, {"169.254.169.254", false}, {"172.15.0.1", true},
		{"172.16.0.1", false}, {"172.31.255.255", false}, {"172.32.0.1", true}, {"192.168.1.1", false},
		{"192.167.1.1", true}, {"192.0.2.1", false}, {"198.18.0.1", false}, {"198.19.255.255", false},
		{"198.20.0.1", true}, {"203.0.113.9", false}, {"223.255.255.255", true}, {"224.0.0.1", false},
		{"255.255.255.255", false}, {"2a00:1450:4001::1", true}, {"::1", false}, {"::", false}, {"fe80::1", false},
		{"febf::1", false}, {"fec0::1", false}, {"fc00::1", false}, {"fd12:3456::1", false}, {"ff02::1", false},
		{"::ffff:127.0.0.1", false}, {"::ffff:10.1.2.3", false}, {"::ffff:8.8.8.8", true}, {"::7f00:1", false},
		{"64:ff9b::a00:1", false}, {"64:ff9b::808:808", true}, {"64:ff9b:1::808:808", false}, {"2002:7f00:1::", false},
		{"2002:808:808::", true}, {"2001::1", false}, {"2001:db8::1", false}, {"2001:200::1", true},
		{"3fff::1", false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sockaddr_in v4 = {.sin_family = AF_INET};
		struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
		bool is4 = inet_pton(AF_INET, cases[i].address, &v4.sin_addr) == 1;
		assert_true(is4 || inet_pton(AF_INET6, cases[i].address, &v6.sin6_addr) == 1);
		if (ent_client_public(is4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6) != cases[i].open) {
			fail_msg("%s", cases[i].address);
		}
	}
	struct sockaddr local = {.sa_family = AF_UNIX};
	assert_false(ent_client_public(&local));
}

/* ---- mail -------------------------------------------------------------------------------------------------------- */

static void test_mail(void **state) {
	(void)state;
	world w;
	start(&w, NULL);
	w.server.smtp = true;
	const char *to[] = {"a@example.org", "b@example.org"};
	static const char message[] = "Subject: x\r\n\r\nhello\r\n.dot\r\n";
	ent_client_mail mail = {.from = "me@example.org",
		.to = to,
		.n_to = 2,
		.message = message,
		.message_n = sizeof message - 1,
		.plain = true};
	ent_client_request request = {.url = talk_url(&w.server, ""), .mail = &mail};
	got g = ask(&w, &request);
	assert_int_equal(g.failure, ENT_CLIENT_OK);
	assert_int_equal(g.status, 250);
	assert_non_null(strstr(w.server.asked[0], "MAIL FROM:<me@example.org>"));
	assert_non_null(strstr(w.server.asked[0], "RCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>"));
	assert_non_null(strstr(w.server.asked[0], "Subject: x\r\n\r\nhello\r\n..dot\r\n.\r\n"));

	mail.plain = false; /* no STARTTLS there: nothing is said in the open */
	*w.server.asked[0] = 0;
	g = ask(&w, &request);
	assert_int_equal(g.failure, ENT_CLIENT_TLS);
	assert_null(strstr(w.server.asked[0], "hello"));

	mail.plain = true;
	w.server.denied = "b@example.org";
	g = ask(&w, &request);
	assert_int_equal(g.failure, ENT_CLIENT_DENIED);
	assert_int_equal(g.status, 550);
	assert_int_equal(w.server.requests, 1);
	to[0] = "a@example.org\r\nRCPT TO:<evil@example.org>";
	ent_error e;
	assert_int_equal(ent_client_send(w.client, &request, done, NULL, NULL, &e), ENT_ERR_INVALID);
	stop(&w);
}

/* One mail is with a server that says nothing, two wait behind it. */
static void test_mails_given_up(void **state) {
	(void)state;
	world w;
	start(&w, nothing); /* it speaks HTTP: SMTP waits for a greeting */
	const char *to[] = {"a@example.org"};
	ent_client_mail mail = {.from = "me@example.org", .to = to, .n_to = 1, .message = "x", .message_n = 1, .plain = true};
	char url[64];
	snprintf(url, sizeof url, "smtp://127.0.0.1:%d", w.server.port);
	ent_client_request request = {.url = url, .mail = &mail, .timeout_us = INT64_C(60000000)};
	got g[3] = {{0}};
	ent_client_call *call[3];
	ent_error e;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ent_client_send(w.client, &request, done, &g[i], &call[i], &e), 0);
	}
	until(&w, &w.server.connections, 1);
	ent_client_cancel(w.client, call[0]);
	assert_int_equal(g[0].failure, ENT_CLIENT_CANCELLED);
	until(&w, &w.server.connections, 2); /* the next one's turn came, long before the first one's time was up */
	stop(&w);
	assert_int_equal(g[0].n, 1);
	assert_int_equal(g[1].failure, ENT_CLIENT_CANCELLED);
	assert_int_equal(g[2].failure, ENT_CLIENT_CANCELLED);
}

int main(void) {
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_post_and_methods),
		cmocka_unit_test(test_reuses_connection),
		cmocka_unit_test(test_makes_no_sense),
		cmocka_unit_test(test_body_limit),
		cmocka_unit_test(test_body_limit_holds_unpacked),
		cmocka_unit_test(test_header_limit),
		cmocka_unit_test(test_time_limit),
		cmocka_unit_test(test_connect_limit),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_destroy_from_done),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_public_only),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_mails_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
