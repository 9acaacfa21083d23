/* SPDX-License-Identifier: Apache-2.0
 *
 * The test `found`: what `entente plugin fuzz` found once does no harm any more. */
#include "conform/fuzz.h"
#include "conform/tests.h"

void ent__test_found(ent__check *k, const ent__case *none) {
	ent__set found = {0};
	ent_error e = {0};
	(void)none;
	if (ent__set_read_found(k->set, &found, &e)) {
		ent__check_ran(k);
		ent__check_fail(k, NULL, ENT__NO_PLACE, e.todo, "%s:%u: %s", e.file, e.line, e.what);
	} else if (!found.n) {
		ent__check_skip(k, "nothing was found yet: `entente plugin fuzz` looks");
	}
	for (size_t i = 0; i < found.n; i++) {
		const ent__case *c = &found.cases[i];
		bool answers = ent__answers(k->set, c);
		ent__broken b;
		ent__doing(c, "decoding what fuzzing found");
		ent__check_ran(k);
		ent__judge(c, answers, true, &b, NULL);
		if (b.rule) {
			ent__check_fail(k, c, b.place, ent__rules[b.rule].todo, "%s", b.what);
		}
	}
	ent__set_finish(&found);
}
