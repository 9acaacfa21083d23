/* SPDX-License-Identifier: Apache-2.0
 *
 * crc32c (Castagnoli) of bytes: by the processor's instruction where it has one, by table elsewhere. Pure functions. */
#ifndef ENT_BASE_CRC_H
#define ENT_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t ent_crc32c(const void *bytes, size_t n);
/* The portable one, whatever the processor can do. */
uint32_t ent_crc32c_table(const void *bytes, size_t n);

#endif
