/* SPDX-License-Identifier: Apache-2.0
 *
 * conform/fuzz.h: what the files of entente-fuzz share, and of them the judge, which the test `found` uses as well.
 *
 *   entente-fuzz PLUGIN.so MODE [--golden DIR] [--input FILE]... [--decoder NAME] [--options YAML]
 *                [--target N] [--work DIR] [--file FILE] [--out FILE] [--seconds N] [--known ,N,N,] [--first]
 *
 *   list    tells, as JSON, the targets: a decoder with options and what the golden files have for it
 *   run     feeds target N with libFuzzer; what breaks an invariant is kept in DIR as broken-RULE, what ends the
 * process as artifact-...; DIR/state counts shrink  makes FILE as small as it gets while it does the same, writes OUT,
 * and tells as JSON what it does
 *
 * `entente plugin fuzz` starts it. One thread; a plugin that crashes ends the process, and that is what it is for. */
#ifndef ENT_CONFORM_FUZZ_H
#define ENT_CONFORM_FUZZ_H

#include "conform/conform.h"

#define ENT__FUZZ_LONGEST 65536u /* bytes of an input */

/* ---- fuzz_judge.c: invariants of any input whatever ---- */

typedef enum ent__rule {
	ENT__RULE_NONE,
	ENT__RULE_CREATE,
	ENT__RULE_RETURNED,
	ENT__RULE_VERDICT,
	ENT__RULE_BALANCE,
	ENT__RULE_PLACE,
	ENT__RULE_REASON,
	ENT__RULE_MEMORY,
	ENT__RULE_LEAK,
	ENT__RULE_AGAIN,
	ENT__RULE_SPLIT,
	ENT__RULES
} ent__rule;

typedef struct ent__rule_row {
	const char *name, *sentence, *todo;
} ent__rule_row;

extern const ent__rule_row ent__rules[ENT__RULES];

typedef struct ent__broken {
	ent__rule rule; /* NONE: nothing is */
	uint64_t place; /* ENT__NO_PLACE: it has none */
	char what[400];
} ent__broken;

/* Whether every record of this decoder's golden inputs is answered at its own place. If so, one that is not was
 * forgotten; if not (it adds records up), nothing follows. */
bool ent__answers(const ent__set *, const ent__case *like);
/* Decodes `c` in an instance of its own. `thorough`: also a second time, and split. `look`, if it is not NULL, sees
 * what the plugin said. */
void ent__judge(const ent__case *c, bool answers, bool thorough, ent__broken *, void (*look)(const ent__trial *));

/* ---- fuzz_feed.c: what guides libFuzzer where the plugin is not instrumented ---- */

/* The case's decoder, with a host between that notes who calls it. One at a time; constant until the next call. */
const ent_decoder *ent__feed_decoder(const ent_decoder *);
/* Notes what was said. */
void ent__feed(const ent__trial *);

/* ---- fuzz_words.c: words that are worth trying ---- */

typedef struct ent__words {
	ent_arena arena;
	ent_str *word;
	size_t n, capacity;
} ent__words;

/* Names of columns, options and their choices; texts in the plugin's file, in code as well; what often breaks things.
 */
void ent__words_read(ent__words *, const ent__set *, const ent_decoder *);
/* Writes them as a dictionary of libFuzzer. */
int ent__words_write(const ent__words *, const char *path, ent_error *);
void ent__words_finish(ent__words *);
/* Changes the document in one place, by tokens and lines. Returns its new length, at most `room`. */
size_t ent__mutate(const ent__words *, uint8_t *data, size_t n, size_t room, uint32_t seed);

/* ---- fuzz_shrink.c ---- */

typedef enum ent__end { ENT__END_FINE, ENT__END_BROKEN, ENT__END_SIGNAL, ENT__END_HANG, ENT__END_EXIT } ent__end;

typedef struct ent__outcome {
	ent__end end;
	int signal;      /* of SIGNAL; of EXIT the status */
	uint64_t offset; /* SIGNAL: where in the plugin's file, 0: not in it */
	ent__broken broken;
} ent__outcome;

/* What happens to an input, in a process of its own. */
void ent__try(const ent__case *, bool answers, unsigned hang_ms, ent__outcome *);
/* The case's bytes become as few as they get within `seconds`, with the same outcome. They are the caller's to write.
 */
size_t ent__shrink(
	const ent__case *, char *bytes, bool answers, unsigned seconds, const ent__outcome *, unsigned *tries);

#endif
