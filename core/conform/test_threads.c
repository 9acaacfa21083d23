/* SPDX-License-Identifier: Apache-2.0
 *
 * The test `threads`: two instances on two threads. First call by call in turn, so that what they share shows every
 * time; then at once, so that a sanitizer, or luck, shows what they do to each other within a call. */
#include "conform/tests.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 8, PIECES = 16, AHEAD = 3 };

typedef struct turns {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int whose; /* may call next; -1: both may, whenever they like */
	bool gone[2];
} turns;

typedef struct side {
	turns *turns;
	int number;
	const ent__case *of;
	const char *want;
	ent__trial *trial;
	unsigned ahead;          /* calls before it lets the other one call for the first time */
	size_t cuts[PIECES + 1]; /* many calls are needed to take turns */
	char *differs;           /* what it said when it was something else; NULL: always the same */
} side;

static void take_turn(void *ctx) {
	side *s = ctx;
	turns *t = s->turns;
	if (s->ahead) {
		s->ahead--;
		return;
	}
	pthread_mutex_lock(&t->lock);
	if (t->whose >= 0) {
		t->whose = !s->number; /* the other one, for a call */
		pthread_cond_broadcast(&t->changed);
		while (t->whose != s->number && !t->gone[!s->number]) {
			pthread_cond_wait(&t->changed, &t->lock);
		}
	}
	pthread_mutex_unlock(&t->lock);
}

static void *decode(void *ctx) {
	side *s = ctx;
	for (int i = 0; i < (s->turns->whose < 0 ? ROUNDS : 1) && !s->differs; i++) {
		ent__trial_decode(s->trial, s->of->bytes, s->of->n);
		if (strcmp(s->want, ent__trial_text(s->trial)) != 0) {
			s->differs = ent_xstrdup(ent__trial_text(s->trial));
		}
	}
	pthread_mutex_lock(&s->turns->lock);
	s->turns->gone[s->number] = true;
	pthread_cond_broadcast(&s->turns->changed);
	pthread_mutex_unlock(&s->turns->lock);
	return NULL;
}

static bool together(ent__check *k, side sides[2], bool in_turn, unsigned ahead, const char *how) {
	turns t = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .whose = in_turn ? 0 : -1};
	pthread_t threads[2];
	bool good = true;
	ent__doing(sides[0].of, "%s, beside %s", how, sides[1].of->name);
	for (int i = 0; i < 2; i++) {
		sides[i].turns = &t;
		sides[i].trial->manner.turn = in_turn ? take_turn : NULL;
		sides[i].trial->manner.turn_ctx = &sides[i];
	}
	sides[0].ahead = ahead;
	if (pthread_create(&threads[0], NULL, decode, &sides[0])) {
		abort();
	}
	if (pthread_create(&threads[1], NULL, decode, &sides[1])) {
		abort();
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
	}
	for (int i = 0; i < 2; i++) {
		if (sides[i].differs && good) {
			char beside[300];
			snprintf(beside, sizeof beside, "%s, beside an instance that decodes %s", how, sides[!i].of->name);
			good = ent__check_same(k, sides[i].of, sides[i].want, sides[i].differs,
				"keep what changes in the instance: no static or global variables", beside);
		}
		free(sides[i].differs);
		sides[i].differs = NULL;
	}
	return good;
}

/* Two instances, on these two inputs. */
static bool pair(
	ent__check *k, const ent__case *c, const ent__case *other, bool in_turn, unsigned ahead, const char *how) {
	side *sides = ent_xcalloc(2, sizeof *sides);
	char *want[2] = {NULL, NULL};
	bool good = true;
	for (int i = 0; i < 2 && good; i++) {
		const ent__case *of = i ? other : c;
		sides[i].number = i;
		sides[i].of = of;
		sides[i].trial = ent__open(k, of);
		good = sides[i].trial != NULL;
		if (good) {
			bool pieces = in_turn && (of->decoder->frame == ENT_FRAME_BYTES || of->decoder->frame == ENT_FRAME_JSONL);
			for (size_t p = 0; p < PIECES; p++) {
				sides[i].cuts[p] = of->n * (p + 1) / PIECES + 1;
			}
			sides[i].cuts[PIECES] = SIZE_MAX;
			sides[i].trial->manner.cuts = pieces ? sides[i].cuts : NULL;
			ent__doing(of, "decoding it alone");
			ent__trial_decode(sides[i].trial, of->bytes, of->n);
			sides[i].want = want[i] = ent_xstrdup(ent__trial_text(sides[i].trial));
		}
	}
	if (good) {
		ent__check_ran(k);
		good = together(k, sides, in_turn, ahead, how);
	}
	for (int i = 0; i < 2; i++) {
		ent__trial_close(sides[i].trial);
		free(want[i]);
	}
	free(sides);
	return good;
}

void ent__test_threads(ent__check *k, const ent__case *c) {
	const ent__set *set = k->set;
	/* Two that say the same at the same time would hide what they share: one is some calls ahead, or decodes the next
	 * input, of another decoder perhaps. */
	const ent__case *other = &set->cases[(size_t)(c - set->cases + 1) % set->n];
	if (pair(k, c, c, true, AHEAD, "call by call in turn") && pair(k, c, other, true, 0, "call by call in turn")) {
		pair(k, c, other, false, 0, "at once");
	}
}
