/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/signatures.h: what the module _entente holds, with the types that Python's checkers know it by.
 * scripts/entente/_entente.pyi is made of it (stub.c), and fails to be where the module has a name that is not here, or
 * the other way round. */
#ifndef ENT_RULES_SIGNATURES_H
#define ENT_RULES_SIGNATURES_H

typedef struct ent__signature {
	const char *name;      /* of the module, or "Class.name"; a class stands before what is in it */
	const char *signature; /* "(self, day: int) -> Snapshot", a type, or NULL for constants and classes */
	const char *doc;       /* NULL: the name says it */
} ent__signature;

extern const ent__signature ent__signatures[]; /* ended by a name NULL */

#endif
