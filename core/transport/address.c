/* SPDX-License-Identifier: Apache-2.0
 *
 * Which addresses belong to the public internet: the special-purpose registries of IANA, as tables. Pure functions. */
#include "transport/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

typedef struct block {
	uint8_t bytes[16];
	unsigned bits;
} block;

static const block closed4[] = {
	{{0}, 8},             /* this network */
	{{10}, 8},            /* private */
	{{100, 64}, 10},      /* behind a provider's NAT */
	{{127}, 8},           /* loopback */
	{{169, 254}, 16},     /* link-local; what clouds tell their machines */
	{{172, 16}, 12},      /* private */
	{{192, 0, 0}, 24},    /* protocols */
	{{192, 0, 2}, 24},    /* documentation */
	{{192, 88, 99}, 24},  /* relays of 6to4 */
	{{192, 168}, 16},     /* private */
	{{198, 18}, 15},      /* measuring */
	{{198, 51, 100}, 24}, /* documentation */
	{{203, 0, 113}, 24},  /* documentation */
	{{224}, 3},           /* multicast, reserved, broadcast */
};

/* Only 2000::/3 is given out at all. */
static const block open6 = {{0x20}, 3};
static const block closed6[] = {
	{{0x20, 0x01, 0x00}, 23},       /* protocols, Teredo, benchmarks */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x3f, 0xff}, 20},             /* documentation */
};

/* Addresses that stand for an IPv4 address, which begins at the byte `at`. */
static const struct {
	block in;
	unsigned at;
} standing[] = {
	{{{[10] = 0xff, [11] = 0xff}, 96}, 12}, /* mapped */
	{{{0}, 96}, 12},                        /* compatible, long given up; ::1 too */
	{{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},   /* translated */
	{{{0x20, 0x02}, 16}, 2},                /* 6to4 */
};

static bool lies_in(const uint8_t *address, const block *b) {
	unsigned whole = b->bits / 8, rest = b->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);
	return memcmp(address, b->bytes, whole) == 0 && (!rest || (address[whole] & mask) == (b->bytes[whole] & mask));
}

static bool public4(const uint8_t *address) {
	for (size_t i = 0; i < sizeof closed4 / sizeof *closed4; i++) {
		if (lies_in(address, &closed4[i])) {
			return false;
		}
	}
	return true;
}

static bool public6(const uint8_t *address) {
	for (size_t i = 0; i < sizeof standing / sizeof *standing; i++) {
		if (lies_in(address, &standing[i].in)) {
			return public4(address + standing[i].at);
		}
	}
	for (size_t i = 0; i < sizeof closed6 / sizeof *closed6; i++) {
		if (lies_in(address, &closed6[i])) {
			return false;
		}
	}
	return lies_in(address, &open6);
}

bool ent_client_public(const struct sockaddr *address) {
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof in);
		return public4((const uint8_t *)&in.sin_addr);
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof in6);
		return public6(in6.sin6_addr.s6_addr);
	}
	return false;
}
