/* SPDX-License-Identifier: Apache-2.0
 *
 * The fast scanner of delimited text, see csv.h. The functions are compiled for AVX2, BMI2 and PCLMUL whatever the
 * build's own target is, and are only called where the processor has them (ent__csv_has_avx2). */
#include "decode/csv.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define FAST __attribute__((target("avx2,bmi,bmi2,popcnt,pclmul")))
#define FAST_INLINE FAST static inline __attribute__((always_inline))

bool ent__csv_has_avx2(void) {
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
		   __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul");
}

FAST_INLINE uint64_t equal(__m256i a, __m256i b, char c) {
	__m256i v = _mm256_set1_epi8(c);
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, v)) |
		   (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, v)) << 32;
}

/* Bit i: xor of the bits 0..i. */
FAST_INLINE uint64_t prefix_xor(uint64_t x) {
	return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)x), _mm_set1_epi8(-1), 0));
}

/* Masks of the block at b->base; only the bits of `live` count. */
FAST_INLINE void load(ent__csv_block *b, char delimiter, char quote, char line_end, uint64_t live) {
	__m256i x = _mm256_loadu_si256((const __m256i *)b->base), y = _mm256_loadu_si256((const __m256i *)(b->base + 32));
	uint64_t delimiters = equal(x, y, delimiter), ends = equal(x, y, line_end);
	if (quote) {
		uint64_t quotes = equal(x, y, quote) & live;
		uint64_t in = prefix_xor(quotes) ^ b->in_quotes;
		uint64_t starts = (delimiters | ends | quotes) << 1 | b->before;
		b->odd = quotes & in & ~starts; /* opens, but not at the start of a cell nor right behind a closing quote */
		b->before = (delimiters | ends | quotes) >> 63;
		b->in_quotes = (uint64_t)((int64_t)in >> 63);
		live &= ~in;
	}
	b->delimiters = delimiters & live;
	b->ends = ends & live;
}

/* The n-th delimiter (1 = first) of the row in hand, or NULL and *stop: its line end if that comes first, NULL if the
 * data ends. Bits before the result are cleared. */
FAST_INLINE const char *select_nth(ent__csv_block *b, unsigned n, const char *limit, char d, char q, char e,
	unsigned *passed, uint64_t *odd, const char **stop) {
	for (;;) {
		unsigned count = (unsigned)_mm_popcnt_u64(b->delimiters);
		if (__builtin_expect(count >= n, 1)) {
			uint64_t bit = _pdep_u64(UINT64_C(1) << (n - 1), b->delimiters), below = bit - 1;
			if (__builtin_expect(!(b->ends & below), 1)) {
				b->delimiters &= ~(below | bit);
				*passed += n;
				return b->base + _tzcnt_u64(bit);
			}
		}
		if (b->ends) {
			uint64_t end = b->ends & -b->ends;
			*passed += (unsigned)_mm_popcnt_u64(b->delimiters & (end - 1));
			*stop = b->base + _tzcnt_u64(end);
			return NULL;
		}
		*passed += count;
		n -= count;
		*odd |= b->odd;
		b->base += 64;
		if (b->base >= limit) {
			*stop = NULL;
			return NULL;
		}
		load(b, d, q, e, limit - b->base >= 64 ? ~UINT64_C(0) : _bzhi_u64(~UINT64_C(0), (unsigned)(limit - b->base)));
	}
}

static __attribute__((noinline)) void unquote(ent_csv *csv, const char **text, size_t *n) {
	ent_str s = {*text, *n};
	ent__csv_unquote(csv, &s);
	*text = s.p;
	*n = s.n;
}

FAST int ent__csv_row_avx2(ent_csv *csv, const char *p, const char **next) {
	const char *limit = csv->window.data + csv->window.n;
	const char d = csv->delimiter, q = csv->quote, e = csv->line_end;
	ent__csv_block b = csv->block;
	ent_str *cell = csv->rows[csv->current].cell;
	if (csv->rebuild) {
		b = (ent__csv_block){.base = p, .before = 1};
		load(&b, d, q, e, limit - p >= 64 ? ~UINT64_C(0) : _bzhi_u64(~UINT64_C(0), (unsigned)(limit - p)));
		csv->rebuild = false;
	}
	const struct ent__csv_need *need = csv->need, *needs_end = need + csv->n_needs;
	const char *start = p, *stop = NULL; /* of the cell in hand; stop: line end */
	unsigned field = 0;
	uint64_t odd = 0;
	while (need < needs_end) {
		if (need->field > field) {
			unsigned skip = need->field - field, passed = 0;
			const char *t = select_nth(&b, skip, limit, d, q, e, &passed, &odd, &stop);
			if (!t) {
				field += passed;
				goto row_end;
			}
			start = t + 1;
			field = need->field;
		}
		unsigned passed = 0;
		const char *t = select_nth(&b, 1, limit, d, q, e, &passed, &odd, &stop);
		const char *cell_end = t ? t : stop;
		if (!cell_end) {
			goto row_end;
		}
		if (!t && cell_end > start && e == '\n' && cell_end[-1] == '\r') {
			cell_end--;
		}
		/* Pointer and length apart: a struct written in two halves and copied whole stalls at every cell. */
		const char *text = start;
		size_t n = (size_t)(cell_end - start);
		if (q && n && *text == q) {
			unquote(csv, &text, &n);
		}
		unsigned same = need->field;
		do {
			cell[need->column].p = text;
			cell[need->column].n = n;
		} while (++need < needs_end && need->field == same);
		if (!t) {
			goto row_end;
		}
		start = t + 1;
		field++;
	}
	for (;;) { /* the rest of the row is only counted */
		if (b.ends) {
			uint64_t end = b.ends & -b.ends;
			field += (unsigned)_mm_popcnt_u64(b.delimiters & (end - 1));
			stop = b.base + _tzcnt_u64(end);
			break;
		}
		field += (unsigned)_mm_popcnt_u64(b.delimiters);
		odd |= b.odd;
		b.base += 64;
		if (b.base >= limit) {
			stop = NULL;
			break;
		}
		load(&b, d, q, e, limit - b.base >= 64 ? ~UINT64_C(0) : _bzhi_u64(~UINT64_C(0), (unsigned)(limit - b.base)));
	}
row_end:
	if (!stop) { /* odd quotes may have hidden the line end */
		csv->rebuild = true;
		return odd ? ENT__CSV_ODD : ENT__CSV_MORE;
	}
	uint64_t bit = UINT64_C(1) << (stop - b.base), below = bit | (bit - 1);
	if (odd | (b.odd & below)) {
		csv->rebuild = true;
		return ENT__CSV_ODD;
	}
	b.ends &= ~below;
	b.delimiters &= ~below;
	csv->block = b;
	csv->row_fields = field + 1;
	*next = stop + 1;
	return ENT__CSV_OK;
}

#else

bool ent__csv_has_avx2(void) { return false; }
int ent__csv_row_avx2(ent_csv *csv, const char *p, const char **next) {
	(void)p;
	(void)next;
	csv->rebuild = true;
	return ENT__CSV_ODD;
}

#endif
