/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a record through the worker allocates nothing: with each of the plugins that ship, ten times as many
 * records take no more allocations than a few for the range as such, and for buffers that double. */
#include "base/arena.h"
#include "driver.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static ent_buf orders(unsigned n) {
	ent_buf b = {0};
	ent_buf_printf(&b, "Name,Email,Financial Status,Paid at,Currency,Subtotal,Taxes,Total,Created at,Lineitem quantity,"
					   "Lineitem name,Lineitem price,Lineitem sku,Note Attributes,Payment Method,Id,Source\n");
	for (unsigned i = 0; i < n; i++) {
		unsigned day = 1 + i * 28 / n, cents = i % 90 + 10;
		ent_buf_printf(&b, "#%u,\"b%u@example.org\",paid,2024-03-%02u 10:00:%02u +0100,EUR,%u.%u,1.00,%u.%u,", i, i,
			day, i % 60, i % 500, cents, i % 500 + 1, cents);
		ent_buf_printf(&b,
			"2024-03-%02u 10:00:00 +0100,1,\"Cup, 10\"\"\",5.00,S-%u,\"utm_campaign: %u\n\",Card,%u,web\n", day,
			i % 300, i % 7, 1000000 + i);
		if (i % 2) {
			ent_buf_printf(&b, "#%u,b%u@example.org,,,,,,,2024-03-%02u 10:00:00 +0100,2,Plate,2.50,S-%u,,,,\n", i, i,
				day, i % 200);
		}
	}
	return b;
}

static ent_buf events(unsigned n) {
	ent_buf b = {0};
	for (unsigned i = 0; i < n; i++) {
		ent_buf_printf(&b,
			"{\"event_date\":\"20240301\",\"event_timestamp\":\"%llu\",\"event_name\":\"page_view\",\"event_params\":["
			"{\"key\":\"ga_session_id\",\"value\":{\"int_value\":\"%u\"}},{\"key\":\"page_location\",\"value\":{"
			"\"string_value\":\"https://shop.example/p\\/%u\"}}],\"user_pseudo_id\":\"%u.7\",\"device\":{\"category\":"
			"\"mobile\"},\"geo\":{\"country\":\"Peru\"}}\n",
			1709251208000000ull + i, 1 + i / 8, i % 40, i / 8 % 5000);
	}
	return b;
}

static uint64_t *count;

static void decode(driver *d, const ent_buf *b) {
	int fd = driver_file(b->data, b->n);
	driver_clear(d);
	if (!driver_decode(d, 1, fd, 0, UINT64_MAX, false, -1)) {
		fail_msg("%s", d->failed.what);
	}
	assert_int_equal(d->rejected, 0);
	close(fd);
}

static void is_free(const char *plugin, ent_buf (*make)(unsigned), unsigned n) {
	static char path[] = "/tmp/entente-count-XXXXXX";
	strcpy(path + sizeof path - 7, "XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(count, MAP_FAILED);
	setenv("ENTENTE_TEST_COUNT", path, 1);
	setenv("LD_PRELOAD", ENTENTE_BUILD_DIR "/tests/plugins/count.so", 1);
	driver worker;
	driver_start(&worker, NULL);
	unsetenv("LD_PRELOAD");
	unlink(path);
	close(fd);
	char file[512];
	snprintf(file, sizeof file, ENTENTE_BUILD_DIR "/plugins/%s.so", plugin);
	assert_true(driver_load(&worker, file));
	assert_true(driver_open(&worker, 1, plugin, 1, NULL));
	ent_buf few = make(n / 10), many = make(n);
	decode(&worker, &many); /* texts, and buffers as large as they get */
	assert_true(*count > 10);
	uint64_t start = *count;
	decode(&worker, &few);
	uint64_t of_few = *count - start;
	start = *count;
	decode(&worker, &many);
	uint64_t of_many = *count - start;
	if (of_many > of_few + 3 * worker.batches + 10) { /* messages for each batch */
		fail_msg("%s: %llu allocations for %u records, %llu for %u in %u batches", plugin, (unsigned long long)of_few,
			n / 10, (unsigned long long)of_many, n, worker.batches);
	}
	assert_int_equal(driver_finish(&worker), 0);
	munmap(count, 4096);
	ent_buf_finish(&few);
	ent_buf_finish(&many);
}

static void rows_allocate_nothing(void **state) {
	(void)state;
	is_free("shopify", orders, 40000);
}

static void lines_allocate_nothing(void **state) {
	(void)state;
	is_free("ga4", events, 40000);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_allocate_nothing),
		cmocka_unit_test(lines_allocate_nothing),
	};
#ifdef SANITIZED
	print_message("a sanitizer counts and allocates itself: not tested\n");
	(void)tests;
	return 0;
#else
	return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
