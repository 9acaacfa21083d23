/* SPDX-License-Identifier: Apache-2.0
 *
 * conform/fuzz_state.h: the file `state` in the folder of a run: entente-fuzz counts in it, and whoever started it
 * reads it meanwhile, and also after it was killed. */
#ifndef ENT_CONFORM_FUZZ_STATE_H
#define ENT_CONFORM_FUZZ_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define ENT_FUZZ_FOUND 77 /* exit status of a run that was to end with the first */

typedef struct ent_fuzz_state {
	uint64_t inputs; /* that were decoded, of all runs in this folder */
	uint32_t broken; /* 1 << rule, of what was kept */
	bool instrumented;
	bool answers; /* one verdict a record is checked */
	uint8_t reserved[2];
} ent_fuzz_state;

#endif
