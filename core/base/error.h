/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors: a negative status and a place. Functions that can fail return a status and fill an ent_error that the caller
 * owns; the message is printed once, at the edge (command line, API). Any thread; an ent_error is a plain value. */
#ifndef ENT_BASE_ERROR_H
#define ENT_BASE_ERROR_H

#include <stdint.h>
#include <stddef.h>

typedef enum ent_code {
	ENT_SUCCESS = 0,
	ENT_ERR_NOMEM = -100,   /* out of memory */
	ENT_ERR_IO = -101,      /* the operating system said no */
	ENT_ERR_INVALID = -102, /* input is wrong */
	ENT_ERR_NOTFOUND = -103,
	ENT_ERR_CORRUPT = -104, /* stored data fails its checksum or its invariants */
	ENT_ERR_RANGE = -105,   /* a sum or a number leaves its range */
	ENT_ERR_BUSY = -106,    /* someone else holds the lock */
	ENT_ERR_WORKER = -107,  /* a worker process died, hung or talked nonsense */
	ENT_ERR_FENCED = -108,  /* a compare-and-set failed: another writer was here */
	ENT_ERR_STOPPED = -109, /* asked to stop */
	ENT_ERR_CONFLICT = -110 /* what is asked for does not fit the state that things are in */
} ent_code;

typedef struct ent_error {
	int code;
	uint32_t line, column; /* 1-based; 0 = not known */
	char file[256];        /* or source name; empty = none */
	char what[768];        /* what is wrong */
	char todo[256];        /* what to do about it; may be empty */
} ent_error;

/* Sets code and what (printf-like); clears place and todo. `e` may be NULL. Returns code. */
int ent_error_set(ent_error *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Adds the place. `file` may be NULL: left as it is. Returns e->code, or 0 if e is NULL. */
int ent_error_at(ent_error *e, const char *file, uint32_t line, uint32_t column);
/* Adds what to do. */
int ent_error_todo(ent_error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As ent_error_set, with ": " and the text of errno at the end. */
int ent_error_errno(ent_error *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "file:line:column: what; todo" into `out`, always terminated. Returns out. */
char *ent_error_text(const ent_error *e, char *out, size_t size);

#endif
