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
/* A block writes its marks in full vectors, whatever their number; a row is cut with full vectors, too. */
#define SLACK 128u

void ent__csv_index_finish(ent__csv_index *x) {
	free(x->marks);
	free(x->ends);
	free(x->quoted);
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

/* ---- the index ---- */

typedef struct masks {
	uint64_t delimiters, ends, quotes;
	uint64_t follows; /* a quote is the next byte */
} masks;

AVX2 INLINE uint64_t equal(__m256i a, __m256i b, __m256i c) {
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, c)) |
		   (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, c)) << 32;
}

AVX2 INLINE masks masks_avx2(const char *p, char d, char e, char q, uint64_t quoting) {
	__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p),
			b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
	uint64_t quotes = equal(a, b, _mm256_set1_epi8(q)) & quoting;
	return (masks){equal(a, b, _mm256_set1_epi8(d)), equal(a, b, _mm256_set1_epi8(e)), quotes,
		quotes >> 1 | (quoting & (uint64_t)(p[64] == q) << 63)};
}

AVX512 INLINE masks masks_avx512(const char *p, char d, char e, char q, uint64_t quoting) {
	__m512i v = _mm512_loadu_si512((const void *)p), quote = _mm512_set1_epi8(q);
	return (masks){_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(d)), _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(e)),
		_mm512_mask_cmpeq_epi8_mask(quoting, v, quote),
		_mm512_mask_cmpeq_epi8_mask(quoting, _mm512_loadu_si512((const void *)(p + 1)), quote)};
}

/* Bits by mark are written from the word on that holds mark n; `word` is what that one holds so far. Both what is a
 * line end and where a quoted cell begins is only asked for when a row is cut: what a block holds cannot be foreseen,
 * and a branch that is guessed wrong costs more than a block. */
AVX512 INLINE uint64_t note_avx512(uint64_t *to, uint64_t word, size_t n, unsigned count, uint64_t bits, uint64_t all) {
	bits = _pext_u64(bits, all);
	word |= bits << (n & 63);
	bits = bits >> 1 >> (~n & 63);
	to += n >> 6;
	to[0] = word;
	to[1] = bits;
	return word ^ ((word ^ bits) & -(((n & 63) + count) >> 6)); /* the one that mark n + count is in */
}

/* The same where `pext` may be slow. */
AVX2 INLINE uint64_t note_avx2(uint64_t *to, uint64_t word, size_t n, unsigned count, uint64_t bits, uint64_t all) {
	size_t from = n >> 6;
	to[from + 1] = 0;
	for (bits &= all; bits; bits = _blsr_u64(bits)) {
		size_t i = n + (size_t)_mm_popcnt_u64(all & (_blsi_u64(bits) - 1));
		to[i >> 6] |= UINT64_C(1) << (i & 63);
	}
	(void)word;
	return to[(n + count) >> 6];
}

/* Places of the bits, added to `base`, from `to` on. Writes up to 64 numbers. */
AVX2 INLINE void spread_avx2(uint16_t *to, uint64_t bits, unsigned n, uint32_t base) {
	for (unsigned i = 0; i < n; i += 8) { /* eight at a time: the number of a block's marks is hard to foresee */
		for (unsigned k = 0; k < 8; k++) {
			to[i + k] = (uint16_t)(base + (uint32_t)_tzcnt_u64(bits));
			bits = _blsr_u64(bits);
		}
	}
}

AVX512 INLINE void spread_avx512(uint16_t *to, uint64_t bits, unsigned n, uint32_t base) {
	static const uint8_t count[64] __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
		44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
	__m512i places = _mm512_maskz_compress_epi8(bits, _mm512_load_si512((const void *)count)),
			from = _mm512_set1_epi16((short)base);
	(void)n;
	_mm512_storeu_si512(to, _mm512_add_epi16(from, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(places))));
	_mm512_storeu_si512(to + 32, _mm512_add_epi16(from, _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(places, 1))));
}

/* Bit i: xor of the bits 0..i. */
AVX2 INLINE uint64_t prefix_xor(uint64_t x) {
	return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)x), _mm_set1_epi8(-1), 0));
}

/* Indexes up to `to`, or to a quote that opens where none may: behind it only the plain scanner can tell. What is
 * behind the window is zero and thus nothing. */
#define INDEX(name, attribute, block, spread, note)                                                                    \
	attribute static void name(ent__csv_index *x, const char *data, size_t to, char d, char q, char e) {               \
		size_t n = x->n, at = x->scanned;                                                                              \
		uint16_t *const marks = x->marks;                                                                              \
		uint64_t *const ends_to = x->ends, *const quoted_to = x->quoted;                                               \
		uint64_t ends = ends_to[n >> 6], quoted = quoted_to[n >> 6];                                                   \
		uint32_t first = (uint32_t)(at - x->base) + 1;                                                                 \
		const uint64_t quoting = q ? ~UINT64_C(0) : 0;                                                                 \
		uint64_t in_quotes = x->in_quotes, before = x->before;                                                         \
		for (; at < to; at += 64, first += 64) {                                                                       \
			masks m = block(data + at, d, e, q, quoting);                                                              \
			uint64_t any = m.delimiters | m.ends, all, in = prefix_xor(m.quotes) ^ in_quotes;                          \
			all = any & ~in;                                                                                           \
			any |= m.quotes;                                                                                           \
			uint64_t odd = m.quotes & in & ~(any << 1 | before);                                                       \
			before = any >> 63;                                                                                        \
			in_quotes = (uint64_t)((int64_t)in >> 63);                                                                 \
			if (__builtin_expect(odd != 0, 0)) {                                                                       \
				x->odd = true;                                                                                         \
				all &= _blsi_u64(odd) - 1;                                                                             \
			}                                                                                                          \
			unsigned count = (unsigned)_mm_popcnt_u64(all);                                                            \
			spread(marks + n, all, count, first);                                                                      \
			ends = note(ends_to, ends, n, count, m.ends, all);                                                         \
			quoted = note(quoted_to, quoted, n, count, m.follows, all);                                                \
			n += count;                                                                                                \
			if (__builtin_expect(odd != 0, 0)) {                                                                       \
				break;                                                                                                 \
			}                                                                                                          \
		}                                                                                                              \
		ends_to[(n >> 6) + 1] = quoted_to[(n >> 6) + 1] = 0;                                                           \
		x->n = n;                                                                                                      \
		x->scanned = at < to ? at : to;                                                                                \
		x->in_quotes = in_quotes;                                                                                      \
		x->before = before;                                                                                            \
	}

INDEX(index_avx2, AVX2, masks_avx2, spread_avx2, note_avx2)
INDEX(index_avx512, AVX512, masks_avx512, spread_avx512, note_avx512)

static void room(ent__csv_index *x, size_t marks) {
	if (marks > x->capacity) {
		x->capacity = 2 * marks;
		x->marks = ent_xrealloc(x->marks, x->capacity * sizeof *x->marks);
		x->ends = ent_xrealloc(x->ends, (x->capacity / 64 + 2) * sizeof *x->ends);
		x->quoted = ent_xrealloc(x->quoted, (x->capacity / 64 + 2) * sizeof *x->quoted);
	}
}

/* The row that starts at `start` is the first of the index. */
static void start_at(ent__csv_index *x, const char *data, size_t start, char q) {
	room(x, AHEAD + SLACK);
	x->base = x->scanned = start;
	x->n = x->at = 1;
	x->marks[0] = 0;
	x->ends[0] = x->ends[1] = x->quoted[1] = 0;
	x->quoted[0] = q && data[start] == q;
	x->in_quotes = 0;
	x->before = 1;
	x->odd = false;
}

/* Makes the row that has no end yet the first of the index. */
static void go_on(ent__csv_index *x) {
	size_t done = x->at - 1, words = done / 64;
	uint16_t shift = x->marks[done];
	x->base += shift;
	done = words * 64; /* whole words of bits */
	x->at -= done;
	x->n -= done;
	memmove(x->ends, x->ends + words, (x->n / 64 + 2) * sizeof *x->ends);
	memmove(x->quoted, x->quoted + words, (x->n / 64 + 2) * sizeof *x->quoted);
	for (size_t i = x->at - 1; i < x->n; i++) {
		x->marks[i] = (uint16_t)(x->marks[done + i] - shift);
	}
	room(x, x->n + AHEAD + SLACK);
}

/* ---- cells ---- */

/* Cells from the marks: cell i begins at mark[i] and ends before mark[i + 1] - 1. */
static void cut_each(const ent_csv *c, const char *data, const uint16_t *mark) {
	ent_str *cell = c->rows[c->current].cell;
	for (const struct ent__csv_need *need = c->need, *end = need + c->n_needs; need < end; need++) {
		const uint16_t *at = mark + need->field;
		cell[need->column].p = data + at[0];
		cell[need->column].n = (size_t)at[1] - at[0] - 1;
	}
}

#define TABLES 4u /* of 64 marks: wider rows are cut one cell after the other */

/* Thirty-two cells at a time: their marks are picked out of the row's by permutations. */
AVX512 static void cut_avx512(const ent_csv *c, const char *data, const uint16_t *mark, unsigned tables) {
	const __m512i one = _mm512_set1_epi16(1), origin = _mm512_set1_epi64((int64_t)(uintptr_t)data),
				  first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11),
				  second = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
	ent_str *cell = c->rows[c->current].cell;
	for (size_t k = 0; k < c->n_columns; k += 32, cell += 32) {
		__m512i field = _mm512_loadu_si512(c->field_of + k), behind = _mm512_add_epi16(field, one);
		__m512i low = _mm512_loadu_si512(mark), high = _mm512_loadu_si512(mark + 32);
		__m512i from = _mm512_permutex2var_epi16(low, field, high), to = _mm512_permutex2var_epi16(low, behind, high);
		__mmask32 here = _mm512_test_epi16_mask(behind, behind); /* the file has the column */
		for (unsigned t = 1; t < tables; t++) {
			__m512i number = _mm512_set1_epi16((short)t);
			low = _mm512_loadu_si512(mark + (size_t)64 * t);
			high = _mm512_loadu_si512(mark + (size_t)64 * t + 32);
			from = _mm512_mask_mov_epi16(from, _mm512_cmpeq_epi16_mask(_mm512_srli_epi16(field, 6), number),
				_mm512_permutex2var_epi16(low, field, high));
			to = _mm512_mask_mov_epi16(to, _mm512_cmpeq_epi16_mask(_mm512_srli_epi16(behind, 6), number),
				_mm512_permutex2var_epi16(low, behind, high));
		}
		__m512i bytes = _mm512_maskz_sub_epi16(here, _mm512_sub_epi16(to, one), from);
#define EIGHT(i)                                                                                                       \
	do {                                                                                                               \
		__m512i p = _mm512_maskz_add_epi64(                                                                            \
					(__mmask8)(here >> (8 * (i))), origin, _mm512_cvtepu16_epi64(_mm512_extracti32x4_epi32(from, i))), \
				n = _mm512_cvtepu16_epi64(_mm512_extracti32x4_epi32(bytes, i));                                        \
		_mm512_storeu_si512(cell + 8 * (i), _mm512_permutex2var_epi64(p, first, n));                                   \
		_mm512_storeu_si512(cell + 8 * (i) + 4, _mm512_permutex2var_epi64(p, second, n));                              \
	} while (0)
		EIGHT(0);
		EIGHT(1);
		EIGHT(2);
		EIGHT(3);
#undef EIGHT
	}
}

/* Takes the quotes off the cells of the row in hand that have them. `at`: number of mark[0]. */
static inline void unquote(ent_csv *c, size_t at) {
	const uint64_t *word = c->index.quoted + (at >> 6);
	ent_str *cell = c->rows[c->current].cell;
	for (uint32_t field = 0; field < c->fields; field += 64, word++) {
		uint64_t bits = word[0] >> (at & 63) | word[1] << 1 << (~at & 63);
		for (bits &= c->needed[field / 64]; bits; bits &= bits - 1) {
			const struct ent__csv_need *need = c->need + c->need_of[field + (uint32_t)__builtin_ctzll(bits)],
									   *end = c->need + c->n_needs;
			ent_str s = cell[need->column];
			ent__csv_unquote(c, &s);
			for (uint32_t same = need->field; need < end && need->field == same; need++) {
				cell[need->column] = s;
			}
		}
	}
}

/* Number of fields of the row in hand; 0: its end is not in the index. */
static inline uint32_t fields_of(const ent__csv_index *x) {
	const uint64_t *word = x->ends + (x->at >> 6);
	unsigned shift = x->at & 63;
	for (size_t i = x->at; i < x->n; i += 64, word++) {
		uint64_t ends = word[0] >> shift | word[1] << 1 << (~shift & 63);
		if (ends) {
			return (uint32_t)(i - x->at) + (uint32_t)__builtin_ctzll(ends) + 1;
		}
	}
	return 0;
}

int ent__csv_row_fast(ent_csv *c, const char *p, const char **next) {
	ent__csv_index *x = &c->index;
	const char *data = c->window.data;
	uint32_t fields;
	if (c->rebuild) {
		start_at(x, data, (size_t)(p - data), c->quote);
		c->rebuild = false;
	}
	while (!(fields = fields_of(x))) {
		if (x->odd || x->scanned == c->window.n) {
			c->rebuild = true;
			return x->odd ? ENT__CSV_ODD : ENT__CSV_MORE;
		}
		go_on(x);
		if (x->scanned - x->base + AHEAD >= UINT16_MAX) { /* a row too long for the width of a mark */
			c->rebuild = true;
			return ENT__CSV_ODD;
		}
		size_t to = c->window.n - x->scanned > AHEAD ? x->scanned + AHEAD : c->window.n;
		(c->width == WIDTH_AVX512 ? index_avx512 : index_avx2)(x, data, to, c->delimiter, c->quote, c->line_end);
	}
	const uint16_t *mark = x->marks + x->at - 1;
	data += x->base;
	const char *end = data + mark[fields] - 1;
	x->at += fields;
	*next = end + 1;
	c->row_fields = fields;
	if (fields != c->fields) {
		return ENT__CSV_OK; /* its cells are nobody's business */
	}
	unsigned tables = fields / 64 + 1;
	if (c->width == WIDTH_AVX512 && tables <= TABLES) {
		cut_avx512(c, data, mark, tables);
	} else {
		cut_each(c, data, mark);
	}
	if (end[-1] == '\r' && c->line_end == '\n' && mark[fields] - mark[fields - 1] > 1) {
		for (size_t i = c->n_inner; i < c->n_needs; i++) { /* the last field */
			c->rows[c->current].cell[c->need[i].column].n--;
		}
	}
	unquote(c, (size_t)(mark - x->marks));
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
