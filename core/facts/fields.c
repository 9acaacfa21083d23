/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of the fields of every kind of fact, for whoever walks over them by name; see fields.h. */
#include "facts/fields.h"
#include "facts/document.h"

#define FIELD(structure, member, type) {#member, offsetof(structure, member), ENT_FIELD_##type},
#define TABLE(kind, list, structure, name) static const ent_field name##_fields[] = {list(FIELD){NULL, 0, 0}};
ENT_FACT_KINDS(TABLE)

/* Of the types only ID leaves something behind. */
#define ID_TIME(structure, member)
#define ID_I64(structure, member)
#define ID_ID(structure, member) offsetof(structure, member),
#define ID_CODE(structure, member)
#define ID_U32(structure, member)
#define ID_U8(structure, member)
#define ID_CURRENCY(structure, member)
#define ID(structure, member, type) ID_##type(structure, member)
#define IDS(kind, list, structure, name) static const uint16_t name##_ids[] = {list(ID) UINT16_MAX};
ENT_FACT_KINDS(IDS)

#define ROW(kind, list, structure, name) [kind] = {#name, name##_fields, name##_ids, sizeof(structure)},
static const struct kind {
	const char *name;
	const ent_field *fields;
	const uint16_t *ids;
	size_t size;
} kinds[ENT_FACT_COUNT] = {[0] = {"none", (const ent_field[]){{NULL, 0, 0}}, (const uint16_t[]){UINT16_MAX}, 0}, ENT_FACT_KINDS(ROW)};

const ent_field *ent_fact_fields(unsigned kind) { return kinds[kind < ENT_FACT_COUNT ? kind : 0].fields; }
const uint16_t *ent_fact_ids(unsigned kind) { return kinds[kind < ENT_FACT_COUNT ? kind : 0].ids; }
size_t ent_fact_body_size(unsigned kind) { return kinds[kind < ENT_FACT_COUNT ? kind : 0].size; }
const char *ent_fact_name(unsigned kind) { return kinds[kind < ENT_FACT_COUNT ? kind : 0].name; }
