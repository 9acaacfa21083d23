/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents made by hand, over a real store in a folder of its own, for the tests of the engine in C: no worker takes
 * part. One thread. */
#ifndef ENT_TESTS_BY_HAND_H
#define ENT_TESTS_BY_HAND_H

#include "engine/internal.h"

enum { INPUTS = 5, FACTS = 60, DAY = 19723 /* 2024-01-01 */ };

extern uint64_t seed; /* of rnd */

typedef struct bench {
	char folder[64];
	ent_config *config;
	ent_engine *e;
	ent_run_report *report;
	ent_errors *errors;
} bench;

typedef struct fact {
	unsigned source; /* 0 own, 1 market */
	uint8_t kind;
	unsigned key;
	unsigned input;
	int64_t updated; /* hours; 0: of its input */
	bool head, retract, complete;
	unsigned n_lines, lines[3], refund; /* numbers of keys; refund 0: none */
	uint32_t salt;
} fact;

typedef struct feed {
	ent__stream streams[3];
	uint32_t input[INPUTS][3]; /* id by number and source */
} feed;

uint32_t rnd(uint32_t below);
void engine_open(bench *b);
void engine_close(bench *b);
void bench_open(bench *b);
void bench_close(bench *b);
fact random_fact(void);
void feed_open(bench *b, feed *f);
void feed_close(feed *f);
void take(bench *b, feed *f, const fact *x, bool superseded);
void commit(bench *b);
ent_digest digest(bench *b);
void same_facts(const ent_digest *a, const ent_digest *b);
void take_back(bench *b, feed *f, unsigned number);
void put_file(const char *folder, const char *name, const char *text);

#endif
