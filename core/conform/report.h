/* SPDX-License-Identifier: Apache-2.0
 *
 * conform/report.h: between entente-conform, which runs one test of one plugin, and who started it.
 *
 *   entente-conform PLUGIN.so TEST [--golden DIR] [--input FILE]... [--decoder NAME] [--options YAML]
 *
 * writes one JSON object to its standard output and exits with 0, whatever the outcome:
 *
 *   {"test", "status": "passed" | "failed" | "skipped", "why" (of skipped), "runs": how often something was decoded or
 *    tried, "failures": [{"decoder", "input", "place", "line", "what", "todo"}], "numbers": {...}}
 *
 * or {"error": {"file", "line", "what", "todo", "load": is it the plugin?}} where what it was given makes no sense
 * (exit status 2). TEST "-" runs nothing and tells what there is: {"plugin", "version", "golden", "decoders": [...],
 * "inputs": [{"name", "decoder", "file"}]}; TEST "+" writes the golden outputs first. No object: the plugin has ended
 * the process.
 *
 * Descriptor 3, if it is open, is a memory file of at least sizeof(ent_conform_where): where the test is, for the case
 * that it does not come back. */
#ifndef ENT_CONFORM_REPORT_H
#define ENT_CONFORM_REPORT_H

#include "decode/protocol.h"

#define ENT_CONFORM_WHERE_FD 3

typedef struct ent_conform_where {
	ent_ring_head head;           /* position: byte offset in the document */
	char decoder[64], input[192]; /* empty: none */
	char doing[192];              /* what is done with the input: "cut off at byte 12" */
} ent_conform_where;

#endif
