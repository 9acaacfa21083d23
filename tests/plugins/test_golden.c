/* SPDX-License-Identifier: Apache-2.0
 *
 * What the plugins say of the golden inputs, and what must hold for any input: where starts() allows a cut, both sides
 * together say what the whole says; JSON lines may be fed and cut anywhere and add up to the same visits; decoding
 * again says the same again. ENTENTE_GOLDEN=write writes the golden outputs anew: read the difference before keeping
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "golden.h"
#include "merge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static host *open_case(const golden *g) {
	char *why = NULL;
	host *h = host_open(g->plugin, g->decoder, g->options, &why);
	if (!h)
		fail_msg("%s %s: %s", g->plugin, g->name, why);
	host_beside(h, g->beside, g->beside_n);
	return h;
}

static host_text run(host *h, const golden *g, host_cut cut) {
	host_text t = {0};
	host_text_add(&t, "", 0);
	host_run(h, g->document, g->bytes, g->n, cut, &t);
	return t;
}

static void same(const golden *g, const char *what, const char *want, const char *got) {
	int line = 1;
	const char *from = got;
	if (!strcmp(want, got))
		return;
	for (; *want && *want == *got; want++, got++)
		if (*got == '\n')
			line++, from = got + 1;
	fail_msg("%s/%s, %s: line %d differs: %.*s", g->plugin, g->name, what, line, (int)strcspn(from, "\n"), from);
}

static void golden_case(const golden *g) {
	host *h = open_case(g);
	host_text t = run(h, g, (host_cut){0});
	size_t n;
	const char *mode = getenv("ENTENTE_GOLDEN");
	if (mode && !strcmp(mode, "write")) {
		FILE *f = fopen(g->facts, "w");
		assert_non_null(f);
		fwrite(t.p, 1, t.n, f);
		fclose(f);
	}
	char *want = golden_slurp(g->facts, &n);
	if (!want)
		fail_msg("%s is missing", g->facts);
	same(g, "golden output", want, t.p);
	host_text again = run(h, g, (host_cut){0});
	same(g, "decoded a second time", want, again.p);
	host_text_free(&again);
	host_text_free(&t);
	free(want);
	host_close(h);
}

static int refused(const host_text *t) { return strstr(t->p, "\"verdict\":\"error\"") != NULL; }

/* Only where the decoder allows cuts: without starts() rows are a group each if the decoder carries nothing, and one
 * that carries something must have it. */
static void cut_case(const golden *g) {
	host *h = open_case(g);
	if (host_decoder(h)->frame == ENT_FRAME_DELIMITED) {
		host_text whole = run(h, g, (host_cut){0});
		size_t rows = host_rows(h, g->bytes, g->n);
		for (size_t i = 1; i < rows && !refused(&whole); i++) {
			if (!host_starts(h, g->bytes, g->n, i))
				continue;
			host_text t = {0};
			host_run(h, g->document, g->bytes, g->n, (host_cut){.to = i}, &t);
			host_run(h, g->document, g->bytes, g->n, (host_cut){.from = i}, &t);
			same(g, "cut in two where starts() allows it", whole.p, t.p);
			host_text_free(&t);
		}
		host_text_free(&whole);
	}
	host_close(h);
}

static void lines_case(const golden *g) {
	host *h = open_case(g);
	if (host_decoder(h)->frame == ENT_FRAME_JSONL) {
		host_text whole = run(h, g, (host_cut){0});
		size_t lines = 0;
		for (size_t i = 0; i < g->n; i++)
			lines += g->bytes[i] == '\n';
		for (size_t step = 1; step < 5; step++) {
			host_text t = run(h, g, (host_cut){.step = step});
			same(g, "fed in small pieces", whole.p, t.p);
			host_text_free(&t);
		}
		merged *want = merge_read(whole.p);
		for (size_t i = 1; i < lines && !refused(&whole); i++) {
			host_text t = {0};
			host_run(h, g->document, g->bytes, g->n, (host_cut){.to = i}, &t);
			host_run(h, g->document, g->bytes, g->n, (host_cut){.from = i}, &t);
			merged *got = merge_read(t.p);
			char *a = merge_text(want), *b = merge_text(got);
			same(g, "visits of two chunks", a, b);
			free(a);
			free(b);
			merge_free(got);
			host_text_free(&t);
		}
		merge_free(want);
		host_text_free(&whole);
	}
	host_close(h);
}

static void bytes_case(const golden *g) {
	host *h = open_case(g);
	if (host_decoder(h)->frame == ENT_FRAME_BYTES) {
		host_text whole = run(h, g, (host_cut){0});
		for (size_t step = 1; step < 400; step += step < 8 ? 1 : 61) {
			host_text t = run(h, g, (host_cut){.step = step});
			same(g, "fed in small pieces", whole.p, t.p);
			host_text_free(&t);
		}
		host_text_free(&whole);
	}
	host_close(h);
}

static uint64_t seed = 88172645463325252ULL;

static uint32_t rnd(uint32_t n) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

/* Behind the header anything may stand: the decoder takes it, rejects it or refuses the document, and stays whole. */
static void broken_case(const golden *g) {
	static const char nasty[] = ",;\"\n\r\t '-+.0959/:#(\0\xff\xc3";
	host *h = open_case(g);
	const char *line_end = memchr(g->bytes, '\n', g->n);
	size_t first = line_end && host_decoder(h)->frame == ENT_FRAME_DELIMITED ? (size_t)(line_end + 1 - g->bytes) : 0;
	for (int round = 0; round < 40 && g->n > first + 2; round++) {
		char *bad = malloc(g->n);
		size_t n = g->n;
		host_text t = {0};
		assert_non_null(bad);
		memcpy(bad, g->bytes, n);
		for (uint32_t k = rnd(12) + 1; k && n > first + 2; k--) {
			size_t at = first + rnd((uint32_t)(n - first - 1));
			if (rnd(3)) {
				bad[at] = nasty[rnd(sizeof nasty - 1)];
			} else {
				memmove(bad + at, bad + at + 1, n - at - 1);
				n--;
			}
		}
		bad[n - 1] = '\n';
		ent_status e = host_run(h, g->document, bad, n, (host_cut){0}, &t);
		if (e != ENT_OK && (e != ENT_ENOTFORMAT || !refused(&t)))
			fail_msg("%s/%s: status %d", g->plugin, g->name, e);
		host_text_free(&t);
		free(bad);
	}
	host_close(h);
}

static const char *const plugins[] = {PLUGIN_NAMES};

static void each(void (*check)(const golden *g)) {
	for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
		assert_true(golden_each(plugins[i], check) > 0);
}

static void test_golden(void **state) {
	(void)state;
	each(golden_case);
}

static void test_cuts(void **state) {
	(void)state;
	each(cut_case);
}

static void test_lines(void **state) {
	(void)state;
	each(lines_case);
}

static void test_bytes(void **state) {
	(void)state;
	each(bytes_case);
}

static void test_broken(void **state) {
	(void)state;
	each(broken_case);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_lines), cmocka_unit_test(test_bytes), cmocka_unit_test(test_broken)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
