/* SPDX-License-Identifier: Apache-2.0
 *
 * serve/static.h: the table of the files that are compiled into the program, made by cmake/EntenteAssets.cmake. Read-only. */
#ifndef ENT_SERVE_STATIC_H
#define ENT_SERVE_STATIC_H

typedef struct ent__asset {
	const char *name; /* NULL ends the table */
	const char *media;
	const char *hash;
	const unsigned char *bytes, *end;
} ent__asset;

extern const char ent__assets_prefix[]; /* of their paths: /assets/PREFIX/NAME */
extern const ent__asset ent__assets[];

#endif
