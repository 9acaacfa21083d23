/* SPDX-License-Identifier: Apache-2.0
 *
 * Rates of clients: a bucket for each address, in a table of fixed size, so that no number of addresses costs memory. And
 * sockets whose last bytes have to be read before they are closed. Front's thread. */
#include "serve/internal.h"

#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

enum { SETS = 1024, WAYS = 4, LINGERING = 64, LINGER_MS = 2000, LINGER_BYTES = 8 << 20 };

typedef struct bucket {
	uint64_t key;   /* 0: free */
	uint64_t since; /* ns: when it will have been full, if nobody takes any more: GCRA's theoretical arrival time */
} bucket;

struct ent__limits {
	uint64_t seed;
	bucket requests[SETS][WAYS], logins[SETS][WAYS];
};

static const ent_rate login_rate = {10, 60 * 1000000};

struct ent__limits *ent__limits_create(void) {
	struct ent__limits *l = ent_xcalloc(1, sizeof *l);
	uint8_t hash[ENT_TOKEN_HASH];
	char text[ENT_TOKEN_TEXT];
	ent_token_random("", text, hash); /* nobody outside can make two addresses fall together */
	memcpy(&l->seed, hash, sizeof l->seed);
	return l;
}

void ent__limits_destroy(struct ent__limits *l) { free(l); }

/* An IPv6 client has a whole /64. */
static uint64_t key_of(const struct ent__limits *l, const char *client) {
	struct in6_addr six;
	uint64_t key = inet_pton(AF_INET6, client, &six) == 1 ? XXH3_64bits_withSeed(&six, 8, l->seed)
														  : XXH3_64bits_withSeed(client, strlen(client), l->seed);
	return key ? key : 1;
}

/* The client's bucket; the one that has been idle longest makes room. */
static bucket *bucket_of(const struct ent__limits *l, bucket table[SETS][WAYS], const char *client) {
	uint64_t key = key_of(l, client);
	bucket *set = table[key % SETS], *oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key) {
			return &set[i];
		}
		oldest = set[i].since < oldest->since ? &set[i] : oldest;
	}
	*oldest = (bucket){.key = key};
	return oldest;
}

/* A burst of twice the number (or of it, for logins), then evenly. */
static bool take(bucket *b, ent_rate rate, int64_t burst, uint64_t now, bool spend, unsigned *wait) {
	uint64_t step = (uint64_t)(rate.per_us * 1000 / rate.n), room = step * (uint64_t)burst;
	step = step ? step : 1;
	uint64_t since = b->since > now ? b->since : now;
	if (since + step > now + room) {
		*wait = (unsigned)((since + step - now - room) / 1000000000 + 1);
		return false;
	}
	if (spend) {
		b->since = since + step;
	}
	return true;
}

bool ent__limits_take(struct ent__limits *l, const char *client, ent_rate rate, uint64_t now, unsigned *wait) {
	return take(bucket_of(l, l->requests, client), rate, 2 * rate.n, now, true, wait);
}

bool ent__limits_may_fail(struct ent__limits *l, const char *client, uint64_t now, unsigned *wait) {
	return take(bucket_of(l, l->logins, client), login_rate, login_rate.n, now, false, wait);
}

void ent__limits_fail(struct ent__limits *l, const char *client, uint64_t now) {
	unsigned wait;
	take(bucket_of(l, l->logins, client), login_rate, login_rate.n, now, true, &wait);
}

/* ---- the last bytes --------------------------------------------------------------------------------------------------- */

typedef struct lingering {
	uv_poll_t poll;
	uv_timer_t timer;
	int fd, handles;
	size_t bytes;
} lingering;

static int n_lingering; /* of the process; one thread has the servers */

static void linger_closed(uv_handle_t *handle) {
	lingering *g = handle->data;
	if (--g->handles == 0) {
		close(g->fd);
		free(g);
		n_lingering--;
	}
}

static void linger_end(lingering *g) {
	if (!uv_is_closing((uv_handle_t *)&g->poll)) {
		uv_close((uv_handle_t *)&g->poll, linger_closed);
		uv_close((uv_handle_t *)&g->timer, linger_closed);
	}
}

static void linger_late(uv_timer_t *timer) { linger_end(timer->data); }

static void linger_read(uv_poll_t *poll, int status, int events) {
	lingering *g = poll->data;
	char sink[65536];
	(void)events;
	ssize_t n = status < 0 ? 0 : recv(g->fd, sink, sizeof sink, MSG_DONTWAIT);
	g->bytes += n > 0 ? (size_t)n : 0;
	if (n <= 0 || g->bytes > LINGER_BYTES) {
		linger_end(g);
	}
}

void ent__linger(uv_loop_t *loop, int fd) {
	int copy = n_lingering < LINGERING ? dup(fd) : -1;
	if (copy < 0) {
		return;
	}
	lingering *g = ent_xcalloc(1, sizeof *g);
	g->fd = copy;
	shutdown(copy, SHUT_WR);
	if (uv_poll_init(loop, &g->poll, copy)) {
		close(copy);
		free(g);
		return;
	}
	uv_timer_init(loop, &g->timer);
	g->poll.data = g->timer.data = g;
	g->handles = 2;
	n_lingering++;
	uv_poll_start(&g->poll, UV_READABLE | UV_DISCONNECT, linger_read);
	uv_timer_start(&g->timer, linger_late, LINGER_MS, 0);
	uv_unref((uv_handle_t *)&g->poll);
	uv_unref((uv_handle_t *)&g->timer);
}
