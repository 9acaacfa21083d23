/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at what a source yields: its documents go through the decoder workers as in an ingest, and what comes out is
 * shown instead of stored. Needs an engine opened with ENT_ENGINE_PLUGINS: the store is not opened, no lock is taken,
 * no position moves, so it may be done beside a run or a service. Loop thread only. */
#ifndef ENT_ENGINE_TAP_H
#define ENT_ENGINE_TAP_H

#include "engine/engine.h"
#include "facts/document.h"

typedef struct ent_tap_document {
	const char *name;    /* as in errors and lineage */
	const char *path;    /* where lines can be counted; NULL: it is packed, or no file */
	const char *partner; /* of what names none itself; "": it is not known */
	const ent_decoder_info *decoder;
} ent_tap_document;

typedef struct ent_tap_reject {
	uint64_t place, line;
	const char *reason, *column, *excerpt; /* the excerpt is masked by the worker */
} ent_tap_reject;

/* Texts of what is handed over are borrowed until the call returns; codes are those of ent_engine_text(), identities
 * keyed and raw (ent_id). Those that return a bool end the tap with false. */
typedef struct ent_tap_events {
	bool (*facts)(
		void *ctx, const ent_tap_document *, const ent_document *); /* an order with its lines is one document */
	bool (*reject)(void *ctx, const ent_tap_document *, const ent_tap_reject *);
	void (*skips)(void *ctx, const ent_tap_document *, uint64_t n, const char *reason);
	void (*covers)(void *ctx, const ent_tap_document *, unsigned kind, ent_time from, ent_time to, bool complete);
	void (*slice)(void *ctx, const ent_tap_document *, const char *name, int grade);
	bool (*batch)(void *ctx); /* so much came at once: to be shown now */
	void (*done)(void *ctx, const ent_tap_document *, const ent_assignment *); /* read to its end, with the counts */
	/* One document; the next ones follow. Where *e has no line, `place` is the byte at which; UINT64_MAX: none. The
	 * document may be NULL. */
	void (*failed)(void *ctx, const ent_tap_document *, uint64_t place, const ent_error *e);
	void (*all)(void *ctx, uint64_t documents); /* what was there has been shown; with `follow` it waits now */
} ent_tap_events;

typedef struct ent_tap_what {
	const char *source;
	const char *input; /* a file to be read in place of the source's own; NULL: those */
	bool follow;       /* wait for more, until an event ends it or a signal comes */
} ent_tap_what;

/* *fresh_key: there is no store yet, so identities are keyed for this look alone. 0, also if documents failed;
 * negative: the source cannot be looked at. Needs ent_engine_plugins before. */
int ent_engine_tap(
	ent_engine *, const ent_tap_what *, const ent_tap_events *, void *ctx, bool *fresh_key, ent_errors *errors);

/* What a key that is made of identities, a visit's, is shown as: the beginning of its hash under the identity key. */
void ent_tap_key(const ent_engine *, const char *key, size_t n, char out[16]);

#endif
