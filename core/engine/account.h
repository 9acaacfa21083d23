/* SPDX-License-Identifier: Apache-2.0
 *
 * Of which documents a figure is made, and how much of it each of them makes: by the folding that made the cells, one
 * document after the other. Of one moment, or of two that are compared: then what each document moved, and all of it
 * together is the difference, to the last digit. The ledger is read once from its beginning to its end, and for each
 * figure the documents of the partner whose days it reads. Loop thread only. */
#ifndef ENT_ENGINE_ACCOUNT_H
#define ENT_ENGINE_ACCOUNT_H

#include "engine/engine.h"
#include "facts/document.h"
#include "metrics/catalogue.h"

#define ENT_ACCOUNT_ONE INT64_C(1000000000000) /* sums are in parts of it: rates have twelve digits */

/* What the ledger held at some time. */
typedef struct ent_moment {
	bool now;
	uint32_t segment; /* where it ended then ... */
	uint64_t length;
	bool exact; /* ... and nothing before that was compacted since; else arrivals tell */
	int64_t arrived_us;
} ent_moment;

/* As a judgement left it. */
ent_moment ent_moment_of_run(const ent_engine *, const ent_run *);
/* As it was at that time, by what documents say of their arrival: in whole seconds. */
ent_moment ent_moment_at(int64_t us);
static inline ent_moment ent_moment_now(void) {
	return (ent_moment){.now = true, .exact = true, .arrived_us = INT64_MAX};
}

/* Where the documents of a partner stood at one moment, or at two: found once, for all figures that are asked for. */
typedef struct ent_versions ent_versions;
/* then: NULL: of no interest. */
int ent_engine_versions(
	ent_engine *, uint32_t partner, const ent_moment *then, const ent_moment *now, ent_versions **out, ent_error *);
void ent_versions_destroy(ent_versions *);

typedef struct ent_account_side {
	int32_t from, to; /* days [from, to) of the partner */
} ent_account_side;

typedef struct ent_account_ask {
	ent_versions *versions;
	unsigned metric;
	uint8_t origins[ENT_FAMILY_COUNT];
	uint8_t view;
	const char *const *values; /* of the view; one that ends with / is a side: all that begin so */
	size_t n_values;
	ent_account_side now;
	const ent_account_side *then; /* at the other moment of the versions; NULL: nothing is compared */
	/* What one unit of a currency is worth on a day, in 1e-12 of the reporting currency; 0: not known. */
	int64_t (*rate)(void *ctx, const char *currency, int32_t day);
	void *ctx;
} ent_account_ask;

typedef enum ent_account_change {
	ENT_ACCOUNT_SAME, /* the same document, all of whose days are in both windows, or nothing to compare */
	ENT_ACCOUNT_CAME,
	ENT_ACCOUNT_CHANGED,
	ENT_ACCOUNT_WENT,
	ENT_ACCOUNT_ENTERED, /* the same document: its day came into the window */
	ENT_ACCOUNT_LEFT
} ent_account_change;
extern const char *const ent_account_changes[]; /* "same", "came", ... */

/* What one document makes of the figure. Sums are in 1/ENT_ACCOUNT_ONE of the unit in which the metric is kept. */
typedef struct ent_account_part {
	uint8_t change, kind, origin; /* ent_account_change, ent_fact, ent_origin */
	int32_t day;                  /* the first on which it counts */
	uint32_t source, input; /* of the record that says so: the one that changed, of one that went what it was ... */
	uint64_t place;         /* ... and its byte in the file, unpacked */
	int64_t arrival;        /* microseconds */
	uint32_t by;            /* of what went, or lost a part: the input that took its place, or lacks it; 0: not known */
	const char *key;
	size_t key_n;
	ent_position at, was; /* of the document now and then; 0: there is none */
	__int128 top, bottom; /* now; of a DISTINCT metric those whom no document before brings, of a DISTRIBUTION values */
	__int128 top_was, bottom_was;
	int64_t value; /* DISTRIBUTION: what its bucket stands for, in the document's currency; now, or else then */
} ent_account_part;

/* A day and currency of the cells that the documents make, now. */
typedef struct ent_account_cell {
	int32_t day;
	uint32_t currency;        /* code */
	int64_t rate;             /* as above; ENT_ACCOUNT_ONE where nothing is converted */
	int64_t m[2 * ENT_TERMS]; /* by term of top, then of bottom, as the cells have them */
} ent_account_cell;

typedef struct ent_account {
	ent_account_part *parts; /* by day, source, input and place */
	size_t n;
	ent_account_cell *cells; /* by day and currency; none of DISTINCT and DISTRIBUTION */
	size_t n_cells;
	__int128 top, bottom, top_was, bottom_was; /* sums over all parts */
	bool converted;                            /* some of it was money of another currency */
	bool no_rate;                              /* a rate is missing ... */
	int32_t no_rate_day;                       /* ... on this day first */
	ent_arena arena;                           /* of the keys */
} ent_account;

/* Is it made of documents one by one? Not a quotient over sets, nor a sum that is divided. */
static inline bool ent_account_can(const ent_metric *m) { return !m->top_set && !m->bottom_set && m->over < 2; }
int ent_engine_account(ent_engine *, const ent_account_ask *, ent_account *out, ent_error *);
void ent_account_finish(ent_account *);

/* The document at that place; its texts are borrowed from `frame`. */
int ent_engine_document(ent_engine *, ent_position, ent_buf *frame, ent_document *out, ent_error *);
/* An input by its id; NULL: there is none. */
const ent_input *ent_engine_input(const ent_engine *, uint32_t id);

#endif
