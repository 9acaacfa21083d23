/* SPDX-License-Identifier: Apache-2.0
 *
 * Not a plugin: a shared object like any other. */
int entente_test_nothing(void);

__attribute__((visibility("default"))) int entente_test_nothing(void) { return 0; }
