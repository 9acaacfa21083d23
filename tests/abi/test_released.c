/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins of released minors, built against the header as it was then, in today's decoder: every kind of fact with
 * every field set, every frame, refusals, verdicts, coverage, editions, cursors and the log arrive as they did. What
 * arrives is in MAJOR.MINOR/golden; the hashes are of the facts' content, all fields of it. ENTENTE_GOLDEN=write writes
 * it anew: that is right only where the host's own layout changed (facts/wire.h), never for a change of the header.
 */
#include "../decode/driver.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OPTIONS_1_0 10 /* how many minor0-rows has */

static driver worker;

typedef struct part {
	const char *decoder;
	unsigned options;
	const char *text;
} part;

static const part parts_1_0[] = {
	{"minor0-rows", OPTIONS_1_0,
		"Kind,Key,Number\nheading,,\norder,A,\"100,50\"\nvisit,V,1\ncart,C,1\ntouch,T,1\ncontact,M,1\nobservation,O,"
		"1\nentry,"
		"E,1\norder,bad,x\ngone,B,1\n"},
	{"minor0-rows", OPTIONS_1_0, "Art,key,NUMBER,note\nvisit,V,1,n\nvisit,V2,1,\n"},
	{"minor0-rows", OPTIONS_1_0, "Kind,Key,Number\nvisit,V,1\nstop,,\n"},
	{"minor0-lines", 0, "one\ntwo\n\nthree"},
	{"minor0-document", 0, "one\ntwo\n"},
	{"minor0-bytes", 0, "12345678abcdefghXYZ"},
};

static void told(ent_buf *out, const part *p) {
	int fd = driver_file(p->text, strlen(p->text));
	driver_clear(&worker);
	*worker.log = 0;
	bool ok = driver_decode(&worker, 1, fd, 0, UINT64_MAX, false, -1);
	close(fd);
	if (worker.dead || worker.torn) {
		fail_msg(
			"%s: today's decoder %s", p->decoder, worker.dead ? "died of it" : "wrote a batch that makes no sense");
	}
	ent_buf_printf(out, "%s: records %llu consumed %llu rejected %llu skipped %llu facts %llu\n", p->decoder,
		(unsigned long long)worker.records, (unsigned long long)worker.consumed, (unsigned long long)worker.rejected,
		(unsigned long long)worker.skipped, (unsigned long long)worker.facts);
	for (size_t i = 0; i < worker.n_docs; i++) {
		const driver_doc *d = &worker.docs[i];
		ent_buf_printf(out, "  kind %u key %s partner '%s' flags %u place %llu content %016llx, %u parts %016llx\n",
			d->kind, d->key, d->partner, d->flags, (unsigned long long)d->place, (unsigned long long)d->content,
			d->n_subs, (unsigned long long)(d->n_subs ? d->subs : 0));
	}
	for (size_t i = 0; i < worker.n_rejects; i++) {
		ent_buf_printf(out, "  reject at %llu, %s: %s\n", (unsigned long long)worker.rejects[i].place,
			worker.rejects[i].column, worker.rejects[i].reason);
	}
	if (worker.covers || worker.slices || worker.cursors || *worker.log) {
		ent_buf_printf(out, "  covers %u slices %u cursor %s log %s\n", worker.covers, worker.slices,
			worker.cursors ? worker.cursor : "none", worker.log);
	}
	if (!ok) {
		ent_buf_printf(out, "  refused at %llu, %s: %s; %s\n", (unsigned long long)worker.failed.place,
			worker.failed.column, worker.failed.what, worker.failed.todo);
	}
}

/* What today's decoder says of a plugin's parts; to be finished. */
static ent_buf tell(const char *name, const part *parts, size_t n) {
	char path[700];
	ent_buf out = {0};
	snprintf(path, sizeof path, "%s/tests/plugins/%s.so", ENTENTE_BUILD_DIR, name);
	for (size_t i = 0; i < n; i++) {
		driver_start(&worker, NULL);
		if (!driver_load(&worker, path)) {
			fail_msg("%s: %s; %s", name, worker.failed.what, worker.failed.todo);
		}
		if (!driver_open(&worker, 1, parts[i].decoder, parts[i].options, NULL)) {
			fail_msg("%s, %s: %s; %s", name, parts[i].decoder, worker.failed.what, worker.failed.todo);
		}
		told(&out, &parts[i]);
		assert_int_equal(driver_finish(&worker), 0);
	}
	ent_buf_u8(&out, 0);
	return out;
}

static char *slurp(const char *path) {
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);
	assert_non_null(text);
	if (!f) {
		fail_msg("%s is missing", path);
	}
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

static void same(const char *what, const char *want, const char *got) {
	unsigned line = 1;
	const char *from = want, *is = got;
	for (; *want && *want == *got; want++, got++) {
		if (*got == '\n') {
			line++, from = want + 1, is = got + 1;
		}
	}
	if (*want || *got) {
		fail_msg("%s, line %u: wanted %.*s, got %.*s", what, line, (int)strcspn(from, "\n"), from,
			(int)strcspn(is, "\n"), is);
	}
}

static void minor_0_is_understood(void **state) {
	static const char path[] = ENTENTE_SOURCE_DIR "/tests/abi/1.0/golden";
	const char *mode = getenv("ENTENTE_GOLDEN");
	(void)state;
	ent_buf of = tell("of-1.0", parts_1_0, sizeof parts_1_0 / sizeof *parts_1_0);
	if (mode && !strcmp(mode, "write")) {
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(of.data, 1, of.n - 1, f), of.n - 1);
		assert_int_equal(fclose(f), 0);
	}
	char *want = slurp(path);
	same("built against the header of 1.0", want, (char *)of.data);
	ent_buf today = tell("today-1.0", parts_1_0, sizeof parts_1_0 / sizeof *parts_1_0);
	same("built against today's header", want, (char *)today.data);
	free(want);
	ent_buf_finish(&of);
	ent_buf_finish(&today);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(minor_0_is_understood)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
