/* SPDX-License-Identifier: Apache-2.0
 *
 * Joins the parts of visits in a decoder's output as the host does: by key; sums, minimum, maximum, and
 * the texts of the part that starts first. For the tests.
 */
#ifndef ENTENTE_TESTS_PLUGINS_MERGE_H
#define ENTENTE_TESTS_PLUGINS_MERGE_H

typedef struct merged merged;

merged *merge_read(const char *lines);
/* Everything but the places, sorted by key; other facts and verdicts as they are, in their order. To be freed. */
char *merge_text(const merged *m);
void merge_free(merged *m);

#endif
