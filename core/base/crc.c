/* SPDX-License-Identifier: Apache-2.0
 *
 * crc32c, see crc.h. Frames are short (61 bytes an order), so one chain of 8-byte steps is enough: three chains
 * side by side would only pay from some hundred bytes on. */
#include "base/crc.h"

#include <string.h>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

/* Remainders of 4 bits under the reflected polynomial 0x82f63b78, made at compile time: a table that is filled at run
 * time would need a lock. Two steps a byte are slow and small; this is for processors without the instruction. */
#define C1(v) (((v) >> 1) ^ (((v) & 1u) ? 0x82f63b78u : 0u))
#define C2(v) C1(C1(v))
#define C4(v) C2(C2(v))
static const uint32_t nibble[16] = {
	C4(0u), C4(1u), C4(2u), C4(3u), C4(4u), C4(5u), C4(6u), C4(7u), C4(8u), C4(9u), C4(10u), C4(11u), C4(12u), C4(13u),
	C4(14u), C4(15u),
};

uint32_t ent_crc32c_table(const void *bytes, size_t n) {
	const uint8_t *p = bytes;
	uint32_t c = ~0u;
	for (; n; n--) {
		c ^= *p++;
		c = c >> 4 ^ nibble[c & 15];
		c = c >> 4 ^ nibble[c & 15];
	}
	return ~c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(const void *bytes, size_t n) {
	const uint8_t *p = bytes;
	uint64_t c = ~0u;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		c = _mm_crc32_u64(c, v);
	}
	for (; n; n--) {
		c = _mm_crc32_u8((uint32_t)c, *p++);
	}
	return ~(uint32_t)c;
}
#endif

uint32_t ent_crc32c(const void *bytes, size_t n) {
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2")) {
		return by_instruction(bytes, n);
	}
#endif
	return ent_crc32c_table(bytes, n);
}
