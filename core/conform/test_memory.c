/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of memory: what happens when it is refused, and what is not given back. */
#include "conform/tests.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who asked for it, as a person finds it: "shop.so+0x1234". */
static const char *who(const void *from, char out[160]) {
	Dl_info info;
	if (from && dladdr(from, &info) && info.dli_fname) {
		const char *slash = strrchr(info.dli_fname, '/');
		snprintf(out, 160, "%s+0x%lx", slash ? slash + 1 : info.dli_fname,
			(unsigned long)((const char *)from - (const char *)info.dli_fbase));
	} else {
		snprintf(out, 160, "an unknown place");
	}
	return out;
}

static bool seen(ent__check *k) {
	if (!ent__alloc_seen()) {
		ent__check_skip(
			k, "this Entente was built with a sanitizer, which has its own malloc() and looks for leaks itself");
	}
	return ent__alloc_seen();
}

/* What libraries make once and keep is no leak of an instance: it is made before anything is counted. */
static bool warm_up(ent__check *k, const ent__case *c) {
	ent__doing(c, "decoding it");
	for (int i = 0; i < 2; i++) {
		ent__trial *t = ent__open(k, c);
		if (!t) {
			return false;
		}
		ent__trial_decode(t, c->bytes, c->n);
		ent__trial_close(t);
	}
	return true;
}

/* ---- refused --------------------------------------------------------------------------------------------------------
 */

typedef struct attempt {
	uint64_t number; /* of the allocation that is refused */
	uint64_t kept;   /* allocations that are live after any life of an instance */
	const char *want;
} attempt;

/* What an instance did, with memory refused while it decoded. */
static bool judge(ent__check *k, const ent__case *c, ent__trial *t, const attempt *a) {
	char how[96];
	snprintf(how, sizeof how, "with allocation %llu refused, and no error", (unsigned long long)a->number);
	if (!t->failed) { /* it can do without */
		return ent__check_same(
			k, c, a->want, ent__trial_text(t), "return ENT_ENOMEM: what is left out would be lost silently", how);
	}
	if (t->returned == ENT_ENOTFORMAT || t->returned == ENT_EINTERNAL) {
		ent__check_fail(k, c, t->fault.place,
			"return ENT_ENOMEM: the input is not at fault, and the next try may succeed",
			"with allocation %llu refused, %s() says %s", (unsigned long long)a->number, t->function,
			t->returned == ENT_EINTERNAL ? "that it has a bug" : "that the document is not of its format");
		return false;
	}
	return true;
}

/* One life of an instance in which an allocation is refused. false: something is wrong, and it is told. */
static bool without(ent__check *k, const ent__case *c, const attempt *a) {
	ent_status status = ENT_OK;
	char from[160];
	bool good = true;
	ent__doing(c, "refusing allocation %llu", (unsigned long long)a->number);
	ent__alloc_watch(ENT__OWN, a->number, 0);
	ent__trial *t = ent__trial_open_with(c, c->values, &status, NULL);
	bool created = t != NULL;
	if (t) {
		ent__trial_decode(t, c->bytes, c->n);
		good = !ent__alloc_counts().failed || judge(k, c, t, a);
		ent__trial_close(t);
	}
	ent__allocs left = ent__alloc_counts();
	ent__alloc_unwatch();
	if (!created && status != ENT_ENOMEM) {
		ent__check_fail(k, c, ENT__NO_PLACE, "return ENT_ENOMEM: the options are not at fault",
			"with allocation %llu refused, create() returns %d", (unsigned long long)a->number, status);
		good = false;
	}
	if (good && left.failed && left.live > a->kept) {
		ent__check_fail(k, c, ENT__NO_PLACE,
			"release on the way out what was acquired on the way in; a create() that fails keeps nothing",
			"with allocation %llu refused, %llu allocations of %llu bytes are never given back; one is from %s",
			(unsigned long long)a->number, (unsigned long long)left.live, (unsigned long long)left.bytes,
			who(left.from, from));
		good = false;
	}
	return good;
}

/* Of another library's memory nothing is refused: whether it reports, loses or crashes on what it has no memory for is
 * not in the plugin's hands (json-c 0.16 does all three). */
void ent__test_allocations(ent__check *k, const ent__case *c) {
	enum { MOST = 300 };
	ent__case part = *c;
	size_t i;
	part.n = ent__small(c);
	char *want = seen(k) && warm_up(k, &part) ? ent__expected(k, &part, NULL) : NULL;
	if (!want) {
		return;
	}
	ent__alloc_learn(k->set->path);
	ent__alloc_watch(ENT__OWN, 0, 0);
	ent__trial *t = ent__open(k, &part);
	ent__trial_decode(t, part.bytes, part.n);
	ent__trial_close(t);
	ent__allocs all = ent__alloc_counts();
	ent__alloc_unwatch();
	bool good = true;
	ent__check_ran(k);
	for (ent__sample s = ent__sample_of(all.calls, ent__runs(part.n, MOST)); good && ent__sample_next(&s, &i);) {
		const attempt a = {.number = i + 1, .kept = all.live, .want = want};
		ent__check_ran(k);
		good = without(k, &part, &a);
	}
	if (good && (t = ent__open(k, &part))) {
		ent__trial_decode(t, part.bytes, part.n);
		ent__check_same(k, c, want, ent__trial_text(t), "keep nothing outside of the instance",
			"decoded again, after memory had been refused");
		ent__trial_close(t);
	}
	free(want);
}

/* ---- not given back -------------------------------------------------------------------------------------------------
 */

void ent__test_leaks(ent__check *k, const ent__case *c) {
	enum { ROUNDS = 6 };
	char from[160];
	uint64_t live[ROUNDS];
	if (!seen(k) || !warm_up(k, c)) {
		return;
	}
	ent__alloc_watch(ENT__ANYONES, 0, 0);
	ent__trial *t = ent__open(k, c);
	ent__check_ran(k);
	for (int i = 0; i < ROUNDS; i++) {
		ent__trial_decode(t, c->bytes, i == 1 ? c->n / 2 : c->n); /* one that is cut off, too */
		live[i] = ent__alloc_counts().bytes;
	}
	ent__doing(c, "destroying the instance");
	ent__trial_close(t);
	ent__allocs a = ent__alloc_counts();
	ent__alloc_unwatch();
	if (a.live) {
		ent__check_fail(k, c, ENT__NO_PLACE, "destroy() gives back everything; addr2line -e names the line",
			"%llu allocations of %llu bytes are still there after destroy(); one is from %s",
			(unsigned long long)a.live, (unsigned long long)a.bytes, who(a.from, from));
	} else if (live[2] < live[3] && live[3] < live[4] && live[4] < live[5]) {
		ent__check_fail(k, c, ENT__NO_PLACE, "give back at end() or begin() what one document needed",
			"the instance grows with each document, by %llu bytes", (unsigned long long)(live[5] - live[4]));
	}
}
