/* SPDX-License-Identifier: Apache-2.0
 *
 * The status page: which rule judges which partner, since when. The core reads it to enforce deadlines. One writer. */
#include "rules/rules.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES 4096

static ent_rules_page *page;
static uint64_t began, spent, started;
static uint32_t at_work; /* the rule that began, from 1; 0 and what lies beyond the rules: none */
static struct time_of {
	uint64_t runs, ns;
} * times; /* by rule, since the reset */
static uint32_t n_times;

uint64_t ent__monotonic(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int ent__status_open(ent_error *e) {
	struct stat st;
	if (fstat(ENT__STATUS_FD, &st) || st.st_size < PAGE_BYTES) {
		return ent_error_set(e, ENT_ERR_INVALID, "descriptor %d is no status page", ENT__STATUS_FD);
	}
	void *p = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ENT__STATUS_FD, 0);
	if (p == MAP_FAILED) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot map the status page");
	}
	close(ENT__STATUS_FD); /* the mapping stays; a rule must find nothing to write to */
	page = p;
	page->magic = ENT_RULES_PAGE_MAGIC;
	page->version = ENT_RULES_PROTOCOL_VERSION;
	return 0;
}

static void end_of_run(uint64_t now) {
	if (!began) {
		return;
	}
	spent += now - began;
	if (at_work && at_work < ENT_RULES_AT_BRIEF) {
		if (at_work > n_times) {
			times = ent_xrealloc(times, at_work * sizeof *times);
			memset(times + n_times, 0, (at_work - n_times) * sizeof *times);
			n_times = at_work;
		}
		times[at_work - 1].runs++;
		times[at_work - 1].ns += now - began;
	}
}

/* The core may look at any moment: it must never see a new rule with the start of the old one, which would be late. */
void ent__status_start(uint32_t rule, uint32_t partner) {
	uint64_t now = ent__monotonic();
	end_of_run(now);
	began = now;
	at_work = rule;
	started++;
	atomic_store_explicit(&page->rule, 0, memory_order_release);
	atomic_store_explicit(&page->started, now, memory_order_release);
	atomic_store_explicit(&page->partner, partner, memory_order_release);
	atomic_fetch_add_explicit(&page->beat, 1, memory_order_release);
	atomic_store_explicit(&page->rule, rule, memory_order_release);
}

void ent__status_file(const char *path) {
	atomic_store_explicit(&page->rule, 0, memory_order_release);
	snprintf(page->file, sizeof page->file, "%s", path ? path : "");
	ent__status_start(ENT_RULES_AT_LOAD, 0);
}

void ent__status_idle(void) {
	uint64_t now = ent__monotonic();
	atomic_store_explicit(&page->rule, 0, memory_order_release);
	end_of_run(now);
	began = 0;
}

static uint64_t waits_since;

void ent__status_wait(void) {
	waits_since = ent__monotonic();
	atomic_store_explicit(&page->started, 0, memory_order_release);
}

void ent__status_go_on(void) {
	began += began ? ent__monotonic() - waits_since : 0;
	atomic_store_explicit(&page->started, began, memory_order_release);
}

void ent__status_reset(void) {
	began = spent = started = 0;
	if (n_times) {
		memset(times, 0, n_times * sizeof *times);
	}
}

void ent__status_times(ent_buf *out) {
	ent_buf_u32(out, n_times);
	for (uint32_t i = 0; i < n_times; i++) {
		ent_buf_u64(out, times[i].runs);
		ent_buf_u64(out, times[i].ns);
	}
}

uint64_t ent__status_spent(void) { return spent; }

uint64_t ent__status_started(void) { return started; }
