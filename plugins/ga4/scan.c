/* SPDX-License-Identifier: Apache-2.0
 *
 * See scan.h. One algorithm, 64 bytes a step, in three widths: what every machine has, AVX2, AVX-512. They differ only
 * in how the bits of equal bytes are found and in how a running exclusive-or is made.
 */
#include "scan.h"

#include <stdlib.h>

typedef struct masks {
	uint64_t backslash, quote, bracket, newline;
} masks;

/* Bits that follow an odd number of backslashes. *carry: the step before ended with one. Written bit by bit:
 * backslashes are rare in events, and the step without any never comes here. */
static uint64_t escaped_bits(uint64_t backslash, uint64_t *carry) {
	uint64_t escaped = 0;
	if (*carry) {
		escaped = 1;
		backslash &= ~1ULL;
		*carry = 0;
	}
	while (backslash) {
		int i = __builtin_ctzll(backslash);
		if (i == 63) {
			*carry = 1;
			break;
		}
		escaped |= 2ULL << i;
		backslash &= ~(3ULL << i); /* the next one, if it is a backslash, is escaped itself */
	}
	return escaped;
}

/* Bits between an odd quote and the next, the first included, the last not. */
static inline __attribute__((always_inline)) uint64_t inside_plain(uint64_t x) {
	for (int i = 1; i < 64; i <<= 1)
		x ^= x << i;
	return x;
}

#define SCAN(name, attribute, block, inside)                                                                           \
	attribute static size_t name(scan *s, const char *p, size_t n) {                                                   \
		uint64_t carry = 0, in_string = 0;                                                                             \
		size_t word = 0, room = s->room;                                                                               \
		for (size_t i = 0; i < n; i += 64, word++) {                                                                   \
			if (word == room)                                                                                          \
				return 0;                                                                                              \
			masks m = block(p + i);                                                                                    \
			uint64_t quote = m.quote;                                                                                  \
			if (m.backslash | carry)                                                                                   \
				quote &= ~escaped_bits(m.backslash, &carry);                                                           \
			uint64_t in = inside(quote) ^ in_string;                                                                   \
			uint64_t bracket = m.bracket & ~in;                                                                        \
			in_string = (uint64_t)((int64_t)in >> 63);                                                                 \
			if (m.newline || n - i < 64) {                                                                             \
				uint64_t past = m.newline ? m.newline & -m.newline : 0;                                                \
				if (n - i < 64 && (!past || past >> (n - i)))                                                          \
					past = 1ULL << (n - i);                                                                            \
				uint64_t keep = past - 1;                                                                              \
				s->quote[word] = (quote & keep) | past;                                                                \
				s->bracket[word] = bracket & keep;                                                                     \
				s->n = i + (size_t)__builtin_ctzll(past);                                                              \
				s->open = keep ? (int)(in >> (__builtin_ctzll(past) - 1) & 1) : (i ? (int)(s->open) : 0);              \
				return 1;                                                                                              \
			}                                                                                                          \
			s->open = (int)(in_string & 1);                                                                            \
			s->quote[word] = quote;                                                                                    \
			s->bracket[word] = bracket;                                                                                \
		}                                                                                                              \
		if (word == room)                                                                                              \
			return 0;                                                                                                  \
		s->quote[word] = 1; /* the line ends with the last byte of a word */                                           \
		s->n = n;                                                                                                      \
		return 1;                                                                                                      \
	}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE static inline __attribute__((always_inline))

WIDE uint64_t equal_sse2(const __m128i v[4], char c) {
	__m128i k = _mm_set1_epi8(c);
	uint64_t r = 0;
	for (int i = 0; i < 4; i++)
		r |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], k)) << (16 * i);
	return r;
}

WIDE masks block_plain(const char *p) {
	__m128i v[4], w[4], bit = _mm_set1_epi8(0x20);
	for (int i = 0; i < 4; i++) {
		v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
		w[i] = _mm_or_si128(v[i], bit);
	}
	return (masks){
		equal_sse2(v, '\\'), equal_sse2(v, '"'), equal_sse2(w, '{') | equal_sse2(w, '}'), equal_sse2(v, '\n')};
}

#define AVX2 __attribute__((target("avx2,pclmul,bmi")))
#define AVX512 __attribute__((target("avx512f,avx512bw,pclmul,bmi")))

AVX2 WIDE uint64_t equal_avx2(__m256i a, __m256i b, char c) {
	__m256i k = _mm256_set1_epi8(c);
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, k)) |
		   (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, k)) << 32;
}

AVX2 WIDE masks block_avx2(const char *p) {
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
	__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
	__m256i bit = _mm256_set1_epi8(0x20), c = _mm256_or_si256(a, bit), d = _mm256_or_si256(b, bit);
	return (masks){equal_avx2(a, b, '\\'), equal_avx2(a, b, '"'), equal_avx2(c, d, '{') | equal_avx2(c, d, '}'),
		equal_avx2(a, b, '\n')};
}

AVX512 WIDE masks block_avx512(const char *p) {
	__m512i v = _mm512_loadu_si512((const void *)p), w = _mm512_or_si512(v, _mm512_set1_epi8(0x20));
	return (masks){_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\')), _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"')),
		_mm512_cmpeq_epi8_mask(w, _mm512_set1_epi8('{')) | _mm512_cmpeq_epi8_mask(w, _mm512_set1_epi8('}')),
		_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n'))};
}

/* A carry-less product with all ones is a running exclusive-or. */
__attribute__((target("pclmul"))) WIDE uint64_t inside_clmul(uint64_t x) {
	return (uint64_t)_mm_cvtsi128_si64(
		_mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)x), _mm_set1_epi8((char)0xff), 0));
}

SCAN(run_avx2, AVX2, block_avx2, inside_clmul)
SCAN(run_avx512, AVX512, block_avx512, inside_clmul)
#else
static inline masks block_plain(const char *p) {
	masks m = {0};
	for (int i = 0; i < 64; i++) {
		char c = p[i], l = (char)(c | 0x20);
		m.backslash |= (uint64_t)(c == '\\') << i;
		m.quote |= (uint64_t)(c == '"') << i;
		m.bracket |= (uint64_t)(l == '{' || l == '}') << i;
		m.newline |= (uint64_t)(c == '\n') << i;
	}
	return m;
}
#endif

SCAN(run_plain, , block_plain, inside_plain)

const char *scan_choose(scan *s, int width) {
	if (width == 0) {
		s->run = run_plain;
		return "plain";
	}
#if defined(__x86_64__)
	if (width == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul")) {
		s->run = run_avx2;
		return "avx2";
	}
	if (width == 2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("pclmul")) {
		s->run = run_avx512;
		return "avx512";
	}
#endif
	return NULL;
}

static int grow(scan *s, size_t room) {
	uint64_t *quote = realloc(s->quote, room * sizeof *quote);
	if (quote)
		s->quote = quote;
	uint64_t *bracket = realloc(s->bracket, room * sizeof *bracket);
	if (bracket)
		s->bracket = bracket;
	if (!quote || !bracket)
		return -1;
	s->room = room;
	return 0;
}

int scan_init(scan *s) {
	*s = (scan){0};
	for (int width = 0; scan_choose(s, width); width++)
		continue;
	return grow(s, 1024);
}

void scan_finish(scan *s) {
	free(s->quote);
	free(s->bracket);
	*s = (scan){0};
}

int scan_line(scan *s, const char *p, size_t n) {
	s->n = 0;
	s->open = 0;
	while (!s->run(s, p, n))
		if (grow(s, s->room * 2))
			return -1;
	return 0;
}
