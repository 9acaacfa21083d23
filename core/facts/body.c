/* SPDX-License-Identifier: Apache-2.0
 *
 * The stored form of bodies, see body.h. Two functions to write and one to read are made for each kind from the list of
 * its fields: no table is walked and no type is looked at. Lengths come first, so that a value is a load and a
 * mask: how long it is, which nobody can foresee, costs no branch. */
#include "facts/body.h"
#include "facts/fields.h"

#include <stddef.h>

/* The endings of these names are the types in the lists of fields. */
typedef enum type { TYPE_TIME, TYPE_I64, TYPE_ID, TYPE_CODE, TYPE_U32, TYPE_U8, TYPE_CURRENCY } type;

#define INLINE static inline __attribute__((always_inline))

INLINE bool is_plain(type t) { return t != TYPE_CODE && t != TYPE_ID; }

/* ---- plain values: 0 takes no room, else as many bytes as it needs ------------------------------------------------------ */

enum { WHOLE = 9 }; /* the length of an amount that is not packed */

/* By length in the first bits; the lengths that mean nothing take no room. */
static const uint64_t masks[16] = {0, 0xff, 0xffff, 0xffffff, 0xffffffff, UINT64_C(0xffffffffff), UINT64_C(0xffffffffffff),
	UINT64_C(0xffffffffffffff), UINT64_MAX, UINT64_MAX};
static const uint8_t advances[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 8};

enum { IN_SECONDS = 4 }; /* added to a kind of time */

/* Times keep their places (facts/wire.h); the value is a zigzag, of whole seconds if it can be. */
INLINE uint64_t pack_time(ent_wire_time w) {
	int64_t v = (int64_t)w >> 11;
	uint64_t kind = w & 7;
	bool seconds = (kind == ENT_TIME_INSTANT || kind == ENT_TIME_LOCAL) && v % 1000000 == 0;
	return ent_zigzag(seconds ? v / 1000000 : v) << 11 | (w & 0x7f8) | (kind + (seconds ? IN_SECONDS : 0));
}

_Static_assert((int)ENT_TIME_INSTANT + IN_SECONDS < 8 && (int)ENT_TIME_LOCAL + IN_SECONDS < 8 && (int)ENT_TIME_MONTH <= (int)IN_SECONDS, "");

INLINE ent_wire_time unpack_time(uint64_t u) {
	uint64_t v = (uint64_t)ent_unzigzag(u >> 11), kind = u & 7;
	bool seconds = kind > IN_SECONDS;
	return (seconds ? v * 1000000u : v) << 11 | (u & 0x7f8) | (seconds ? kind - IN_SECONDS : kind);
}

/* Amounts: the lowest bit says that they are whole cents, of which all bits but that one then are the number. */
INLINE uint64_t pack_amount(int64_t v, bool *whole) {
	bool cents = v % 10000 == 0;
	*whole = !cents && (v > INT64_MAX / 4 || v < INT64_MIN / 4);
	uint64_t z = ent_zigzag(cents ? v / 10000 : v);
	return *whole ? z : z << 1 | !cents;
}

INLINE int64_t unpack_amount(uint64_t u) {
	return (int64_t)((uint64_t)ent_unzigzag(u >> 1) * (u & 1 ? 1 : 10000u));
}

INLINE bool is_there(const uint8_t *at, type t) {
	uint64_t u = 0;
	memcpy(&u, at, t == TYPE_TIME || t == TYPE_I64 ? 8 : t == TYPE_U8 ? 1 : t == TYPE_CURRENCY ? 3 : 4);
	return u != 0;
}

INLINE uint64_t plain_value(const uint8_t *at, type t, bool *whole) {
	uint64_t u = 0;
	int64_t v;
	switch (t) {
	case TYPE_TIME:
		memcpy(&u, at, 8);
		return u ? pack_time(u) : 0;
	case TYPE_I64:
		memcpy(&v, at, 8);
		return pack_amount(v, whole);
	case TYPE_U8:
		return *at;
	case TYPE_CURRENCY:
		memcpy(&u, at, 3);
		return u;
	default:
		memcpy(&u, at, 4);
		return u;
	}
}

INLINE void set_plain(uint8_t *at, type t, uint64_t u, unsigned length) {
	int64_t v;
	switch (t) {
	case TYPE_TIME:
		u = unpack_time(u);
		memcpy(at, &u, 8);
		break;
	case TYPE_I64:
		v = __builtin_expect(length == WHOLE, 0) ? ent_unzigzag(u) : unpack_amount(u);
		memcpy(at, &v, 8);
		break;
	case TYPE_U8:
		*at = (uint8_t)u;
		break;
	case TYPE_CURRENCY:
		memcpy(at, &u, 3);
		break;
	default:
		memcpy(at, &(uint32_t){(uint32_t)u}, 4);
	}
}

/* Lengths of up to 32 values, four bits each. */
typedef struct lengths {
	uint64_t words[2];
} lengths;

INLINE uint8_t *put_value(uint8_t *p, uint64_t u, bool whole, lengths *l, unsigned i) {
	unsigned n = u ? (71u - (unsigned)__builtin_clzll(u)) / 8 : 0;
	l->words[i / 16] |= (uint64_t)(whole ? WHOLE : n) << i % 16 * 4;
	memcpy(p, &u, 8);
	return p + (whole ? 8 : n);
}

INLINE unsigned length_of(const lengths *l, unsigned i) { return l->words[i / 16] >> i % 16 * 4 & 15; }

INLINE uint64_t take_value(const uint8_t **p, unsigned length) {
	uint64_t u;
	memcpy(&u, *p, 8);
	*p += advances[length];
	return u & masks[length];
}

INLINE lengths take_lengths(const uint8_t *p, unsigned n) {
	lengths l;
	memcpy(&l, p, sizeof l);
	l.words[0] &= n < 16 ? (UINT64_C(1) << n % 16 * 4) - 1 : UINT64_MAX;
	l.words[1] &= n < 16 ? 0 : (UINT64_C(1) << n % 16 * 4) - 1;
	return l;
}

/* Are all values from the i-th on 0? */
INLINE bool nothing_from(const lengths *l, unsigned i) {
	return i < 16 ? !(l->words[0] >> i % 16 * 4 | l->words[1]) : !(l->words[1] >> i % 16 * 4);
}

/* ---- numbers of texts and identities: widths of two bits each, then 0, 1, 2 or 4 bytes ---------------------------------------- */

static const uint32_t code_masks[4] = {0, 0xff, 0xffff, 0xffffffff};
static const uint8_t code_advances[4] = {0, 1, 2, 4};

INLINE uint8_t *put_code(uint8_t *p, const uint8_t *at, type t, bool identities, unsigned *widths, unsigned i) {
	uint32_t u;
	memcpy(&u, at, 4); /* of an identity: dense number + 1, where it is a number */
	if (t == TYPE_ID && !identities) {
		uint64_t a, b;
		memcpy(&a, at, 8);
		memcpy(&b, at + 8, 8);
		*widths |= (unsigned)((a | b) != 0) << i * 2; /* that it is there: the identity itself lies elsewhere */
		return p;
	}
	if (!u) {
		return p;
	}
	unsigned width = 1u + (u > 0xff) + (u > 0xffff);
	*widths |= width << i * 2;
	memcpy(p, &u, 4);
	return p + code_advances[width];
}

/* false: a number that is not in the map. */
INLINE bool take_code(
	const uint8_t **p, uint8_t *at, type t, ent_body_map *map, unsigned *id, unsigned widths, unsigned i) {
	unsigned width = widths >> i * 2 & 3;
	if (!width) {
		return true;
	}
	if (t == TYPE_ID && map) {
		if (*id >= map->n_ids) {
			return false;
		}
		memcpy(at, &map->ids[(*id)++], sizeof *map->ids);
		return true;
	}
	uint32_t u;
	memcpy(&u, *p, 4);
	*p += code_advances[width];
	u &= code_masks[width];
	if (map) {
		if (u >= map->n_codes || !map->codes[u]) {
			map->undefined = u ? u : UINT32_MAX;
			return false;
		}
		u = map->codes[u];
	}
	memcpy(at, &u, 4);
	return true;
}

/* ---- the functions of each kind ------------------------------------------------------------------------------------------------- */

#define ONE_PLAIN(structure, member, t) +(TYPE_##t != TYPE_CODE && TYPE_##t != TYPE_ID)
#define ONE_CODE(structure, member, t) +(TYPE_##t == TYPE_CODE || TYPE_##t == TYPE_ID)
/* Which fields a source fills hardly changes from one fact to the next: to ask costs less than to pack nothing. */
#define PUT_PLAIN(structure, member, t)                                                                                \
	if (is_plain(TYPE_##t)) {                                                                                          \
		bool whole = false;                                                                                            \
		if (is_there(base + offsetof(structure, member), TYPE_##t)) {                                                  \
			uint64_t u = plain_value(base + offsetof(structure, member), TYPE_##t, &whole);                            \
			p = put_value(p, u, whole, &l, i);                                                                         \
		}                                                                                                              \
		i++;                                                                                                           \
	}
#define PUT_CODE(structure, member, t)                                                                                 \
	if (!is_plain(TYPE_##t)) {                                                                                         \
		p = put_code(p, base + offsetof(structure, member), TYPE_##t, identities, &widths, i++);                       \
	}
#define TAKE_PLAIN(structure, member, t)                                                                               \
	if (is_plain(TYPE_##t)) {                                                                                          \
		if (i % 4 == 0 && nothing_from(&l, i)) {                                                                       \
			goto codes;                                                                                                \
		}                                                                                                              \
		if ((length = length_of(&l, i++))) {                                                                           \
			uint64_t u = take_value(&p, length);                                                                       \
			set_plain(base + offsetof(structure, member), TYPE_##t, u, length);                                        \
		}                                                                                                              \
	}
#define TAKE_CODE(structure, member, t)                                                                                \
	if (!is_plain(TYPE_##t)) {                                                                                         \
		known &= take_code(&p, base + offsetof(structure, member), TYPE_##t, map, &id, widths, i++);                   \
	}
#define BODY(kind, list, structure, name)                                                                              \
	enum { PLAIN_##name = 1 + (0 list(ONE_PLAIN)), HEAD_##name = (PLAIN_##name + 1) / 2, CODES_##name = 0 list(ONE_CODE) }; \
	_Static_assert(PLAIN_##name < 32 && CODES_##name <= 8, "lengths and widths have room for no more");               \
	_Static_assert(HEAD_##name + 8 * PLAIN_##name + 8 <= ENT_BODY_MAX, "");                                            \
	static uint8_t *put_plain_##name(uint8_t *p, const uint8_t *base, uint64_t has) {                                  \
		lengths l = {{0, 0}};                                                                                          \
		uint8_t *begin = p;                                                                                            \
		p = put_value(p + HEAD_##name, has, false, &l, 0);                                                             \
		unsigned i = 1;                                                                                                \
		list(PUT_PLAIN);                                                                                               \
		memcpy(begin, &l, HEAD_##name);                                                                                \
		return p;                                                                                                      \
	}                                                                                                                  \
	static uint8_t *put_codes_##name(uint8_t *p, const uint8_t *base, bool identities) {                               \
		unsigned widths = 0, i = 0;                                                                                    \
		uint8_t *begin = p;                                                                                            \
		p += 2;                                                                                                        \
		list(PUT_CODE);                                                                                                \
		(void)base, (void)identities, (void)i;                                                                         \
		memcpy(begin, &(uint16_t){(uint16_t)widths}, 2);                                                               \
		return p;                                                                                                      \
	}                                                                                                                  \
	INLINE bool take_##name(                                                                                           \
		const uint8_t **at, uint8_t *base, uint64_t *has, const uint8_t **plain_end, ent_body_map *map) {              \
		const uint8_t *p = *at;                                                                                        \
		lengths l = take_lengths(p, PLAIN_##name);                                                                     \
		memset(base, 0, sizeof(structure));                                                                            \
		p += HEAD_##name;                                                                                              \
		unsigned i = 1, id = 0, length;                                                                                \
		*has = take_value(&p, length_of(&l, 0));                                                                       \
		list(TAKE_PLAIN);                                                                                              \
	codes:                                                                                                             \
		*plain_end = p;                                                                                                \
		uint16_t widths;                                                                                               \
		memcpy(&widths, p, 2);                                                                                         \
		p += 2;                                                                                                        \
		i = 0;                                                                                                         \
		bool known = !(widths >> (CODES_##name) % 8 * 2) || CODES_##name == 8;                                         \
		list(TAKE_CODE);                                                                                               \
		(void)i;                                                                                                       \
		*at = p;                                                                                                       \
		return known && (!map || id == map->n_ids);                                                                    \
	}
ENT_FACT_KINDS(BODY)

uint8_t *ent_body_put_plain(unsigned kind, uint8_t *p, const void *body, uint64_t has) {
	switch (kind) {
#define CASE_PLAIN(kind, list, structure, name)                                                                        \
	case kind:                                                                                                         \
		return put_plain_##name(p, body, has);
		ENT_FACT_KINDS(CASE_PLAIN)
	default:
		return p;
	}
}

uint8_t *ent_body_put_codes(unsigned kind, uint8_t *p, const void *body, bool identities) {
	switch (kind) {
#define CASE_CODES(kind, list, structure, name)                                                                        \
	case kind:                                                                                                         \
		return put_codes_##name(p, body, identities);
		ENT_FACT_KINDS(CASE_CODES)
	default:
		return p;
	}
}

#define CASE_TAKE(kind, list, structure, name)                                                                         \
	case kind:                                                                                                         \
		known = take_##name(&p, body, has, &plain_end, map);                                                           \
		break;

/* One copy of all readers for what the ledger has, one for what a worker sent: `map` is a constant in each. */
INLINE bool take(
	unsigned kind, ent_read *r, const uint8_t *p, void *body, uint64_t *has, uint32_t *plain_n, ent_body_map *map) {
	const uint8_t *begin = p, *plain_end = p;
	bool known = false;
	*has = 0;
	switch (kind) {
		ENT_FACT_KINDS(CASE_TAKE)
	default:
		break;
	}
	*plain_n = (uint32_t)(plain_end - begin);
	size_t used = (size_t)(p - begin);
	if (r->bad || used > (size_t)(r->end - r->p)) {
		r->bad = true;
		return false;
	}
	r->p += used;
	return known;
}

bool ent_body_take(unsigned kind, ent_read *r, void *body, uint64_t *has, uint32_t *plain_n, ent_body_map *map) {
	if (map) {
		return take(kind, r, r->p, body, has, plain_n, map);
	}
	uint8_t copy[ENT_BODY_ROOM];
	size_t rest = (size_t)(r->end - r->p);
	const uint8_t *p = r->p;
	if (rest < sizeof copy) { /* near the end of a frame there may be no memory behind it */
		memcpy(copy, p, rest);
		memset(copy + rest, 0, sizeof copy - rest);
		p = copy;
	}
	return take(kind, r, p, body, has, plain_n, NULL);
}
