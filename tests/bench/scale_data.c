/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders for scale.py, one lean row each: scale_data FILE ORDERS PARTNERS DAYS PADDING. Partner after partner, each from its
 * first day to its last; every partner has as many. Deterministic; the totals are whole cents. One thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t state = 42;

static uint32_t dice(uint32_t sides) {
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((state >> 33) % sides);
}

int main(int argc, char **argv) {
	if (argc != 6) {
		fprintf(stderr, "scale_data FILE ORDERS PARTNERS DAYS PADDING\n");
		return 2;
	}
	static const char *const channels[] = {"web", "web", "web", "pos", "iphone", "android"};
	static const char *const countries[] = {"DE", "FR", "US", "GB", "IT", "ES", "SE", "PL", "NL", "AT"};
	uint64_t orders = strtoull(argv[2], NULL, 10), partners = strtoull(argv[3], NULL, 10);
	uint64_t days = strtoull(argv[4], NULL, 10), padding = strtoull(argv[5], NULL, 10), each = orders / partners;
	FILE *f = fopen(argv[1], "w");
	char *pad = malloc(padding + 1), day[32];
	if (!f || !pad || !each) {
		fprintf(stderr, "scale_data: cannot write %s\n", argv[1]);
		return 1;
	}
	memset(pad, 'x', padding);
	pad[padding] = 0;
	setvbuf(f, NULL, _IOFBF, 1 << 20);
	fputs("id,partner,at,total,customer,channel,country,campaign,region,note\n", f);
	for (uint64_t p = 0; p < partners; p++) {
		int64_t last = -1;
		for (uint64_t i = 0; i < each; i++) {
			int64_t at = (int64_t)(i * days / each);
			if (at != last) {
				time_t seconds = (time_t)(1704067200 + at * 86400);
				struct tm t;
				strftime(day, sizeof day, "%Y-%m-%d", gmtime_r(&seconds, &t));
				last = at;
			}
			fprintf(f, "%" PRIu64 ",p%06" PRIu64 ",%s 12:00:00,%u.%02u,%" PRIu64 ",%s,%s,c%u,r%u,%s\n", p * each + i, p, day,
				1 + dice(200), dice(100), p * 100000 + dice((uint32_t)(each / 3 + 1)), channels[dice(6)], countries[dice(10)],
				dice(20), dice(20), pad);
		}
	}
	free(pad);
	return fclose(f) ? 1 : 0;
}
