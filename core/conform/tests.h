/* SPDX-License-Identifier: Apache-2.0
 *
 * conform/tests.h: the tests, by name, and what several of them need. */
#ifndef ENT_CONFORM_TESTS_H
#define ENT_CONFORM_TESTS_H

#include "conform/conform.h"

#define ENT_CONFORM(id, needs, sentence) void ent__test_##id(ent__check *, const ent__case *);
#include "conform/tests.def"
#undef ENT_CONFORM

/* An instance; NULL: the failure is told. */
ent__trial *ent__open(ent__check *, const ent__case *);

#endif
