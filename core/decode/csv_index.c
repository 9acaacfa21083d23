/* SPDX-License-Identifier: Apache-2.0
 *
 * The fast scanner of delimited text, see csv.h: an index of the separators of the next piece of the window, and rows
 * cut by it. The functions are compiled for their processors whatever the build's own target is, and are only called
 * where the processor has them (ent__csv_width). One thread. */
#include "base/arena.h"
#include "decode/csv.h"

#include <stdlib.h>
#include <string.h>

/* So much text is indexed ahead: it and its index stay in the first cache until the rows are cut. */
#define AHEAD (16u << 10)
/* A block writes its marks in full vectors, whatever their number. */
#define SLACK 64u

void ent__csv_index_finish(ent__csv_index *x) {
	free(x->marks);
	free(x->ends);
	*x = (ent__csv_index){0};
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))
#define AVX512 __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul,avx512f,avx512bw,avx512vbmi2")))
#define INLINE static inline __attribute__((always_inline))

enum { PLAIN, WIDTH_AVX2, WIDTH_AVX512 };

unsigned ent__csv_width(void) {
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") ||
		!__builtin_cpu_supports("popcnt") || !__builtin_cpu_supports("pclmul")) {
		return PLAIN;
	}
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
				   __builtin_cpu_supports("avx512vbmi2")
			   ? WIDTH_AVX512
			   : WIDTH_AVX2;
}

typedef struct masks {
	uint64_t delimiters, ends, quotes;
} masks;

AVX2 INLINE uint64_t equal(__m256i a, __m256i b, __m256i c) {
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, c)) |
		   (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, c)) << 32;
}

AVX2 INLINE masks masks_avx2(const char *p, char d, char e, char q) {
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p),
			b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
	return (masks){
		equal(a, b, _mm256_set1_epi8(d)), equal(a, b, _mm256_set1_epi8(e)), equal(a, b, _mm256_set1_epi8(q))};
}

AVX512 INLINE masks masks_avx512(const char *p, char d, char e, char q) {
	__m512i v = _mm512_loadu_si512((const void *)p);
	return (masks){_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(d)), _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(e)),
		_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(q))};
}

/* Places of the bits, added to `base`, from `to` on. Writes up to SLACK numbers. */
AVX2 INLINE void spread_avx2(uint32_t *to, uint64_t bits, unsigned n, uint32_t base) {
	for (unsigned i = 0; i < n; i += 8) { /* eight at a time: the number of a block's marks is hard to foresee */
		for (unsigned k = 0; k < 8; k++) {
			to[i + k] = base + (uint32_t)_tzcnt_u64(bits);
			bits = _blsr_u64(bits);
		}
	}
}

AVX512 INLINE void spread_avx512(uint32_t *to, uint64_t bits, unsigned n, uint32_t base) {
	static const uint8_t count[64] __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
		44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
	__m512i places = _mm512_maskz_compress_epi8(bits, _mm512_load_si512((const void *)count)),
			from = _mm512_set1_epi32((int)base);
	_mm512_storeu_si512(to, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(places))));
	if (n > 16) {
		_mm512_storeu_si512(
			to + 16, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(places, 1))));
	}
	if (n > 32) {
		_mm512_storeu_si512(
			to + 32, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(places, 2))));
		_mm512_storeu_si512(
			to + 48, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(places, 3))));
	}
}

/* Bit i: xor of the bits 0..i. */
AVX2 INLINE uint64_t prefix_xor(uint64_t x) {
	return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)x), _mm_set1_epi8(-1), 0));
}

/* Indexes up to `to`, or to a quote that opens where none may: behind it only the plain scanner can tell. */
#define INDEX(name, attribute, block, spread)                                                                          \
	attribute static void name(ent__csv_index *x, const char *data, size_t to, char d, char q, char e) {               \
		size_t n = x->n, n_ends = x->n_ends, at = x->scanned;                                                          \
		uint64_t in_quotes = x->in_quotes, before = x->before;                                                         \
		for (; at < to; at += 64) {                                                                                    \
			uint64_t live = to - at >= 64 ? ~UINT64_C(0) : _bzhi_u64(~UINT64_C(0), (unsigned)(to - at)), in = 0;       \
			masks m = block(data + at, d, e, q);                                                                       \
			if (q) {                                                                                                   \
				uint64_t quotes = m.quotes & live, any = m.delimiters | m.ends | quotes;                               \
				in = prefix_xor(quotes) ^ in_quotes;                                                                   \
				uint64_t odd = quotes & in & ~(any << 1 | before);                                                     \
				before = any >> 63;                                                                                    \
				in_quotes = (uint64_t)((int64_t)in >> 63);                                                             \
				if (__builtin_expect(odd != 0, 0)) {                                                                   \
					x->odd = true;                                                                                     \
					live = (odd & -odd) - 1;                                                                           \
				}                                                                                                      \
			}                                                                                                          \
			uint64_t ends = m.ends & live & ~in, all = (m.delimiters & live & ~in) | ends;                             \
			unsigned count = (unsigned)_mm_popcnt_u64(all);                                                            \
			spread(x->marks + n, all, count, (uint32_t)at);                                                            \
			for (; ends; ends = _blsr_u64(ends)) {                                                                     \
				x->ends[n_ends++] = (uint32_t)(n + (unsigned)_mm_popcnt_u64(all & (_blsi_u64(ends) - 1)));             \
			}                                                                                                          \
			n += count;                                                                                                \
			if (x->odd) {                                                                                              \
				break;                                                                                                 \
			}                                                                                                          \
		}                                                                                                              \
		x->n = n;                                                                                                      \
		x->n_ends = n_ends;                                                                                            \
		x->scanned = at < to ? at : to;                                                                                \
		x->in_quotes = in_quotes;                                                                                      \
		x->before = before;                                                                                            \
	}

INDEX(index_avx2, AVX2, masks_avx2, spread_avx2)
INDEX(index_avx512, AVX512, masks_avx512, spread_avx512)

/* Room for the marks of the next piece; those of rows that are done make way. */
static void make_room(ent__csv_index *x) {
	if (x->at > 1 && x->n - x->at <= x->at) { /* else a row without end would be moved again for every piece */
		memmove(x->marks + 1, x->marks + x->at, (x->n - x->at) * sizeof *x->marks);
		x->n -= x->at - 1;
		x->at = 1;
	}
	x->n_ends = x->ends_at = 0;
	if (x->n + AHEAD + SLACK > x->capacity) {
		x->capacity = 2 * (x->n + AHEAD + SLACK);
		x->marks = ent_xrealloc(x->marks, x->capacity * sizeof *x->marks);
	}
	if (!x->ends) {
		x->ends = ent_xmalloc(AHEAD * sizeof *x->ends);
	}
}

static __attribute__((noinline)) ent_str unquote(ent_csv *c, ent_str s) {
	ent__csv_unquote(c, &s);
	return s;
}

int ent__csv_row_fast(ent_csv *c, const char *p, const char **next) {
	ent__csv_index *x = &c->index;
	const char *data = c->window.data;
	uint32_t start = (uint32_t)(p - data);
	if (c->rebuild) {
		x->n = x->at = 1;
		x->n_ends = x->ends_at = 0;
		x->scanned = start;
		x->in_quotes = 0;
		x->before = 1;
		x->odd = false;
		c->rebuild = false;
	}
	while (x->ends_at == x->n_ends) {
		if (x->odd || x->scanned == c->window.n) {
			c->rebuild = true;
			return x->odd ? ENT__CSV_ODD : ENT__CSV_MORE;
		}
		make_room(x);
		size_t to = c->window.n - x->scanned > AHEAD ? x->scanned + AHEAD : c->window.n;
		(c->width == WIDTH_AVX512 ? index_avx512 : index_avx2)(x, data, to, c->delimiter, c->quote, c->line_end);
	}
	uint32_t *mark = x->marks + x->at, last = x->ends[x->ends_at++] - (uint32_t)x->at, end = mark[last];
	x->at += last + 1;
	*next = data + end + 1;
	c->row_fields = last + 1;
	if (last + 1 != c->fields) {
		return ENT__CSV_OK; /* its cells are nobody's business */
	}
	mark[-1] = start - 1; /* the separators before and behind a cell are those of its number and the one before */
	if (c->line_end == '\n' && end > mark[(int64_t)last - 1] + 1 && data[end - 1] == '\r') {
		mark[last] = end - 1;
	}
	const char quote = c->quote;
	ent_str *cell = c->rows[c->current].cell;
	for (const struct ent__csv_need *need = c->need, *needs_end = need + c->n_needs; need < needs_end; need++) {
		uint32_t from = mark[(int64_t)need->field - 1] + 1;
		ent_str s = {data + from, mark[need->field] - from};
		if (quote && *s.p == quote && s.n) {
			s = unquote(c, s);
		}
		cell[need->column].p = s.p;
		cell[need->column].n = s.n;
	}
	return ENT__CSV_OK;
}

#else

unsigned ent__csv_width(void) { return 0; }
int ent__csv_row_fast(ent_csv *c, const char *p, const char **next) {
	(void)p;
	(void)next;
	c->rebuild = true;
	return ENT__CSV_ODD;
}

#endif
