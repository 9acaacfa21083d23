/* SPDX-License-Identifier: Apache-2.0
 *
 * What several tests need, see tests.h. */
#include "conform/tests.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 256 << 10 };

ent__trial *ent__open(ent__check *k, const ent__case *c) {
	ent_fault f = {0};
	ent__trial *t = ent__trial_open(c, &f);
	if (!t) {
		ent__check_fail(k, c, ENT__NO_PLACE, f.e.todo[0] ? f.e.todo : "correct the options of the case",
			"create() refuses the options: %s", f.e.what[0] ? f.e.what : "without a reason");
	}
	return t;
}

char *ent__expected(ent__check *k, const ent__case *c, bool *refused) {
	ent__doing(c, "decoding it");
	ent__trial *t = ent__open(k, c);
	char *text = NULL;
	if (t) {
		ent__trial_decode(t, c->bytes, c->n);
		text = ent_xstrdup(ent__trial_text(t));
		if (refused) {
			*refused = t->failed;
		}
		ent__trial_close(t);
	}
	return text;
}

size_t ent__random(uint64_t *seed, size_t n) {
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return n ? (size_t)((*seed >> 20) % n) : 0;
}

ent__sample ent__sample_of(size_t n, size_t most) {
	return (ent__sample){.n = n, .most = most, .seed = UINT64_C(88172645463325252)};
}

bool ent__sample_next(ent__sample *s, size_t *at) {
	if (s->n <= s->most) {
		*at = s->i;
		return s->i++ < s->n;
	}
	if (s->i >= s->most) {
		return false;
	}
	size_t from = s->n / s->most * s->i, width = s->i + 1 < s->most ? s->n / s->most : s->n - from;
	*at = from + ent__random(&s->seed, width);
	s->i++;
	return true;
}

size_t ent__runs(size_t n, size_t most) {
	size_t runs = ((size_t)96 << 20) / (n + 4096);
	return runs < 8 ? 8 : runs < most ? runs : most;
}

size_t ent__small(const ent__case *c) {
	if (c->n <= SMALL || c->decoder->frame == ENT_FRAME_DOCUMENT) {
		return c->n;
	}
	const char *end = memrchr(c->bytes, '\n', SMALL);
	return end ? (size_t)(end + 1 - c->bytes) : SMALL;
}

size_t ent__header(const ent__case *c) {
	const char *end = c->decoder->frame == ENT_FRAME_DELIMITED ? memchr(c->bytes, '\n', c->n) : NULL;
	return end ? (size_t)(end + 1 - c->bytes) : 0;
}

bool ent__is_sentence(const char *s) {
	size_t n = s ? strlen(s) : 0;
	return n > 8 && (s[n - 1] == '.' || !strcmp(s + n - 3, "…"));
}

static bool one_utf8(const char *p, size_t n) {
	bool cut = false, nul = false;
	return ent_utf8_check(p, n, &cut, &nul) == n;
}

bool ent__sane(ent__check *k, const ent__case *c, ent__trial *t, uint64_t n, const char *how) {
	const ent_fault *f = &t->fault;
	if (t->failed && t->returned == ENT_EINTERNAL) {
		ent__check_fail(k, c, f->place,
			"an input cannot be a bug: reject the record, or refuse the document with host->error()",
			"%s: %s() returns ENT_EINTERNAL", how, t->function);
		return false;
	}
	if (t->failed && t->refused && t->returned && t->returned != ENT_ENOMEM) {
		ent__check_fail(k, c, f->place, "call host->error() first, and return what it returns",
			"%s: %s() returns %d, and does not say why", how, t->function, t->returned);
		return false;
	}
	if (t->failed && !t->refused && (!f->e.what[0] || !f->e.todo[0])) {
		ent__check_fail(k, c, f->place, "give host->error() both: what is wrong, and what to do",
			"%s: the document is refused with \"%s; %s\"", how, f->e.what, f->e.todo);
		return false;
	}
	if (t->failed && f->place > n) {
		ent__check_fail(k, c, ENT__NO_PLACE, "places count the bytes of the document, from 0",
			"%s: it is refused at byte %llu of %llu", how, (unsigned long long)f->place, (unsigned long long)n);
		return false;
	}
	for (size_t i = 0; i < t->n_events; i++) {
		const ent__event *v = &t->events[i];
		const char *line = (const char *)t->text.data + v->at;
		if (v->type <= ENT__SAID_ERROR && v->place > n) {
			ent__check_fail(k, c, ENT__NO_PLACE, "places count the bytes of the document, from 0",
				"%s: byte %llu of %llu is named: %.*s", how, (unsigned long long)v->place, (unsigned long long)n,
				(int)(v->n < 300 ? v->n : 300), line);
			return false;
		}
		if (v->type == ENT__SAID_REJECT && memmem(line, v->n, "\"why\":\"\"", 8)) {
			ent__check_fail(k, c, v->place, "say what is wrong with the record, in a constant text",
				"%s: a record is rejected without a reason", how);
			return false;
		}
		if (v->type != ENT__SAID_ERROR && !v->refused &&
			!one_utf8(line, v->n)) { /* those the host refuses, or cleans */
			ent__check_fail(k, c, v->place,
				"texts that are passed to the host are UTF-8: cut them at characters, and reject others",
				"%s: a text that is no UTF-8 comes out: %.*s", how, (int)(v->n < 300 ? v->n : 300), line);
			return false;
		}
	}
	if (t->owed) {
		ent__check_fail(k, c, ENT__NO_PLACE, "reject and skip records at their own place, each once",
			"%s: %llu verdicts are about records that there are not", how, (unsigned long long)t->owed);
		return false;
	}
	return true;
}
