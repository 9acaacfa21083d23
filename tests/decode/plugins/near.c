/* SPDX-License-Identifier: Apache-2.0
 *
 * A library that plugins of tests are linked with: where it lies decides whether they can be loaded. */
__attribute__((visibility("default"))) int entente_test_near(void);

int entente_test_near(void) { return 1; }
