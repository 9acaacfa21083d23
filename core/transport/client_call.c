/* SPDX-License-Identifier: Apache-2.0
 *
 * One request of the client: what libcurl is told, what comes back, how it ended. See client.h. Thread of the loop. */
#include "transport/client_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t default_timeout = 30 * 1000000, default_connect = 10 * 1000000;
static const int64_t default_body = 1 << 20, default_headers = 64 << 10;

/* ---- what libcurl calls ------------------------------------------------------------------------------------------ */

static size_t on_body(char *p, size_t size, size_t n, void *ctx) {
	ent_client_call *call = ctx;
	n *= size;
	if (call->body.n + n > (size_t)call->request.most_body) {
		call->too_large = true;
		return 0;
	}
	ent_buf_reserve(&call->body, n + 1);
	ent_buf_add(&call->body, p, n);
	return n ? n : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx) {
	ent_client_call *call = ctx;
	n *= size;
	call->header_bytes += n;
	if (call->header_bytes > (size_t)call->request.most_headers) {
		call->too_large = true;
		return 0;
	}
	if (n > 5 && memcmp(p, "HTTP/", 5) == 0) { /* the answer, after one that only said "continue" */
		call->answer_headers.text.n = 0;
		return n;
	}
	const char *colon = memchr(p, ':', n);
	if (!colon || colon == p) {
		return n;
	}
	const char *value = colon + 1, *end = p + n;
	while (value < end && (*value == ' ' || *value == '\t')) {
		value++;
	}
	while (end > value && strchr(" \t\r\n", end[-1])) {
		end--;
	}
	if (!memchr(p, 0, n)) {
		ent_buf *text = &call->answer_headers.text;
		ent_buf_add(text, p, (size_t)(colon - p));
		ent_buf_u8(text, 0);
		ent_buf_add(text, value, (size_t)(end - value));
		ent_buf_u8(text, 0);
	}
	return n;
}

/* Here the address is what will really be connected to: no name stands between. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address) {
	ent_client_call *call = ctx;
	(void)purpose;
	if (call->request.public_only && !ent_client_public(&address->addr)) {
		call->forbidden = true;
		union {
			struct sockaddr any;
			struct sockaddr_in v4;
			struct sockaddr_in6 v6;
		} at = {0};
		memcpy(&at, &address->addr, address->addrlen < sizeof at ? address->addrlen : sizeof at);
		const void *bytes = address->family == AF_INET6 ? (void *)&at.v6.sin6_addr : (void *)&at.v4.sin_addr;
		if (!inet_ntop(address->family, bytes, call->address, sizeof call->address)) {
			*call->address = 0;
		}
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A connection that another request opened, which may have been free to connect anywhere, does not pass on_open(). */
static int on_connected(void *ctx, char *to, char *from, int to_port, int from_port) {
	ent_client_call *call = ctx;
	(void)from;
	(void)to_port;
	(void)from_port;
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	bool fine = inet_pton(AF_INET, to, &v4.sin_addr) == 1     ? ent_client_public((struct sockaddr *)&v4)
				: inet_pton(AF_INET6, to, &v6.sin6_addr) == 1 ? ent_client_public((struct sockaddr *)&v6)
															  : false;
	if (!fine) {
		call->forbidden = true;
		strncpy(call->address, to, sizeof call->address - 1);
	}
	return fine ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

static const char *kept(ent_client_call *call, const char *text) {
	return text ? ent_arena_copy(&call->arena, text, strlen(text)) : NULL;
}

static bool one_line(const char *text) { return text[strcspn(text, "\r\n")] == 0; }

static int copy(ent_client_call *call, ent_error *e) {
	ent_client_request *r = &call->request;
	r->url = kept(call, r->url);
	r->method = kept(call, r->method ? r->method : r->body ? "POST" : "GET");
	r->user = kept(call, r->user);
	r->password = kept(call, r->password ? r->password : "");
	r->ca = kept(call, r->ca);
	r->body = r->body ? ent_arena_copy(&call->arena, r->body, r->body_n) : NULL;
	r->timeout_us = r->timeout_us ? r->timeout_us : default_timeout;
	r->connect_us = r->connect_us ? r->connect_us : default_connect;
	r->most_body = r->most_body ? r->most_body : default_body;
	r->most_headers = r->most_headers ? r->most_headers : default_headers;
	if (!one_line(r->method) || (r->user && !one_line(r->user)) || !one_line(r->password)) {
		return ent_error_set(e, ENT_ERR_INVALID, "method, user and password have to be of one line");
	}
	for (size_t i = 0; i < r->n_headers; i++) {
		const char *name = r->headers[i].name, *value = r->headers[i].value;
		if (!*name || strpbrk(name, " \t\r\n:") || !one_line(value)) {
			return ent_error_set(e, ENT_ERR_INVALID, "a header's name or value cannot be sent");
		}
		/* an empty one is written with ';', for "NAME:" would take a header away */
		const char *line = ent_arena_printf(&call->arena, *value ? "%s: %s" : "%s;", name, value);
		call->headers = curl_slist_append(call->headers, line);
	}
	if (r->mail) {
		ent_client_mail *mail = ent_arena_alloc(&call->arena, sizeof *mail);
		*mail = *r->mail;
		mail->from = kept(call, mail->from);
		mail->message = ent_arena_copy(&call->arena, mail->message, mail->message_n);
		if (!mail->n_to || !one_line(mail->from)) {
			return ent_error_set(e, ENT_ERR_INVALID, "a mail needs a sender and somebody to go to");
		}
		for (size_t i = 0; i < mail->n_to; i++) {
			if (!*mail->to[i] || !one_line(mail->to[i])) {
				return ent_error_set(e, ENT_ERR_INVALID, "an address of a mail cannot be sent");
			}
			call->recipients = curl_slist_append(call->recipients, mail->to[i]);
		}
		r->mail = mail;
	}
	r->headers = NULL;
	return 0;
}

/* Scheme, host and port of a URL; NULL if it is none. curl_free() each. */
typedef struct origin {
	char *scheme, *host, *port;
} origin;

static bool origin_of(const char *url, origin *out) {
	CURLU *parsed = curl_url();
	*out = (origin){0};
	bool good = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
				curl_url_get(parsed, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
				curl_url_get(parsed, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
				curl_url_get(parsed, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	curl_url_cleanup(parsed);
	return good;
}

static void origin_free(origin *o) {
	curl_free(o->scheme);
	curl_free(o->host);
	curl_free(o->port);
}

static void limits(ent_client_call *call) {
	int64_t spent = (int64_t)((uv_hrtime() - call->started) / 1000), left = call->request.timeout_us - spent;
	left = left > 1000 ? left / 1000 : 1;
	int64_t connect = call->request.connect_us > 1000 ? call->request.connect_us / 1000 : 1;
	curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)left);
	curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
}

static void method(ent_client_call *call) {
	const ent_client_request *r = &call->request;
	CURL *easy = call->easy;
	if (r->mail) {
		ent__client_mail_prepare(call);
		return;
	}
	if (r->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_n);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body);
		call->headers = curl_slist_append(call->headers, "Expect:"); /* do not wait to be told to go on */
	}
	if (strcmp(r->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (r->body ? strcmp(r->method, "POST") != 0 : strcmp(r->method, "GET") != 0) {
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
}

int ent__client_prepare(ent_client_call *call, ent_error *e) {
	ent_client_request *r = &call->request;
	int status = copy(call, e);
	if (status) {
		return status;
	}
	origin o;
	bool good = origin_of(r->url, &o);
	bool web = good && (strcmp(o.scheme, "http") == 0 || strcmp(o.scheme, "https") == 0);
	bool mail = good && (strcmp(o.scheme, "smtp") == 0 || strcmp(o.scheme, "smtps") == 0);
	origin_free(&o);
	if (r->mail ? !mail : !web) {
		ent_error_set(e, ENT_ERR_INVALID, "the URL cannot be used");
		return ent_error_todo(e, r->mail ? "write smtp://HOST:PORT or smtps://HOST" : "write https://HOST/PATH");
	}
	CURL *easy = call->easy = curl_easy_init();
	if (!easy) {
		return ent_error_set(e, ENT_ERR_NOMEM, "libcurl cannot be set up");
	}
	curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)call);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* giving up does not wait for a resolver that hangs */
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, r->mail ? "smtp,smtps" : "http,https");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "entente");
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->message);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
	if (r->public_only) {
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
		curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
		curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	}
	if (r->once) {
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	}
	if (r->ca) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, r->ca);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (r->user) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, r->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, r->password);
	}
	method(call);
	limits(call);
	if (curl_easy_setopt(easy, CURLOPT_URL, r->url) != CURLE_OK) {
		return ent_error_set(e, ENT_ERR_NOMEM, "libcurl does not take the URL");
	}
	return 0;
}

void ent__client_free(ent_client_call *call) {
	if (!call) {
		return;
	}
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	curl_slist_free_all(call->recipients);
	ent_buf_finish(&call->body);
	ent_buf_finish(&call->answer_headers.text);
	if (call->request.password) { /* no secret is left in memory that is given back */
		explicit_bzero((char *)call->request.password, strlen(call->request.password));
	}
	ent_arena_finish(&call->arena);
	free(call);
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

const char *ent_client_header_of(const ent_client_answer *answer, const char *name, size_t n) {
	const ent_buf *text = &answer->headers->text;
	const char *p = (const char *)text->data, *end = p + text->n;
	while (text->n && p < end) {
		const char *value = p + strlen(p) + 1;
		if (strcasecmp(p, name) == 0 && n-- == 0) {
			return value;
		}
		p = value + strlen(value) + 1;
	}
	return NULL;
}

void ent__client_fill(ent_client_call *call, ent_client_answer *answer) {
	long status = 0, connects = 0, head = 0, asked = 0;
	curl_off_t body = 0, uploaded = 0;
	char *url = NULL;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(call->easy, CURLINFO_SIZE_DOWNLOAD_T, &body);
	curl_easy_getinfo(call->easy, CURLINFO_HEADER_SIZE, &head);
	curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &asked);
	curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
	curl_easy_getinfo(call->easy, CURLINFO_EFFECTIVE_URL, &url);
	ent_buf_reserve(&call->body, 1);
	call->body.data[call->body.n] = 0;
	answer->status = (int)status;
	answer->body = (const char *)call->body.data;
	answer->body_n = call->body.n;
	answer->url = url ? url : call->request.url;
	answer->took_us = (uv_hrtime() - call->started) / 1000;
	answer->sent = (uint64_t)asked + (uint64_t)uploaded;
	answer->received = call->before + (uint64_t)body + (uint64_t)head;
	answer->connects = call->connects + (unsigned)connects;
	answer->headers = &call->answer_headers;
}

static bool follow(ent_client_call *call, ent_client_answer *answer) {
	const ent_client_request *r = &call->request;
	char *to = NULL;
	if (!r->redirects || answer->status < 300 || answer->status > 399 || answer->status == 304 ||
		(strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) ||
		curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to) {
		return false;
	}
	if (call->hops == r->redirects) {
		answer->failure = ENT_CLIENT_FORBIDDEN;
		ent_error_set(&answer->error, ENT_ERR_INVALID, "the server redirects more than %u times", r->redirects);
		return false;
	}
	origin before, after;
	bool from = origin_of(answer->url, &before), good = origin_of(to, &after) && from;
	bool safe = good && (strcmp(before.scheme, "https") != 0 || strcmp(after.scheme, "https") == 0);
	bool same = good && strcmp(before.scheme, after.scheme) == 0 && strcasecmp(before.host, after.host) == 0 &&
				strcmp(before.port, after.port) == 0;
	if (!safe) {
		answer->failure = ENT_CLIENT_FORBIDDEN;
		ent_error_set(&answer->error, ENT_ERR_INVALID, "the server redirects %s",
			good ? "from https to http" : "to what is no URL");
	}
	origin_free(&before);
	origin_free(&after);
	if (!safe) {
		return false;
	}
	if (!same) { /* what we say of ourselves was meant for the first one */
		curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, NULL);
		curl_easy_setopt(call->easy, CURLOPT_USERNAME, NULL);
		curl_easy_setopt(call->easy, CURLOPT_PASSWORD, NULL);
	}
	const char *url = kept(call, to); /* it is libcurl's, and goes with the next setting */
	curl_easy_setopt(call->easy, CURLOPT_URL, url);
	call->hops++;
	call->before = answer->received;
	call->connects = answer->connects;
	call->body.n = call->answer_headers.text.n = call->header_bytes = 0;
	limits(call);
	return true;
}

static ent_client_failure kind_of(const ent_client_call *call, CURLcode code, int status) {
	switch (code) {
	case CURLE_OK:
		return ENT_CLIENT_OK;
	case CURLE_OPERATION_TIMEDOUT:
		return ENT_CLIENT_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_USE_SSL_FAILED:
		return ENT_CLIENT_TLS;
	default:
		return call->too_large                                                       ? ENT_CLIENT_TOO_LARGE
			   : call->forbidden                                                     ? ENT_CLIENT_FORBIDDEN
			   : call->request.mail && (status >= 400 || code == CURLE_LOGIN_DENIED) ? ENT_CLIENT_DENIED
																					 : ENT_CLIENT_UNREACHABLE;
	}
}

bool ent__client_ended(ent_client_call *call, CURLcode code, ent_client_answer *answer) {
	ent__client_fill(call, answer);
	answer->failure = kind_of(call, code, answer->status);
	if (answer->failure == ENT_CLIENT_OK) {
		return follow(call, answer);
	}
	origin o = {0};
	origin_of(answer->url, &o);
	const char *host = o.host ? o.host : "the server";
	ent_error *e = &answer->error;
	const char *why = *call->message ? call->message : curl_easy_strerror(code);
	switch (answer->failure) {
	case ENT_CLIENT_TIMEOUT:
		ent_error_set(e, ENT_ERR_IO, "%s did not answer within %.3g s", host, (double)answer->took_us / 1e6);
		break;
	case ENT_CLIENT_TOO_LARGE:
		if (call->header_bytes > (size_t)call->request.most_headers) {
			ent_error_set(e, ENT_ERR_RANGE, "the headers of %s are larger than %lld bytes", host,
				(long long)call->request.most_headers);
		} else {
			ent_error_set(e, ENT_ERR_RANGE, "the answer of %s is larger than %lld bytes", host,
				(long long)call->request.most_body);
		}
		break;
	case ENT_CLIENT_FORBIDDEN:
		ent_error_set(
			e, ENT_ERR_INVALID, "%s is at %s, which is no address of the public internet", host, call->address);
		break;
	case ENT_CLIENT_TLS:
		ent_error_set(e, ENT_ERR_IO, "%s cannot be trusted: %s", host, why);
		break;
	default:
		ent_error_set(e, ENT_ERR_IO, "%s: %s", host, why);
	}
	origin_free(&o);
	return false;
}
