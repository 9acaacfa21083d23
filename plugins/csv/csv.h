/* SPDX-License-Identifier: Apache-2.0
 *
 * The CSV plugin's insides: a mapping that was checked and resolved once, so that a row is a walk over a few bindings.
 * One decoder instance is used from one thread.
 */
#ifndef ENTENTE_PLUGIN_CSV_H
#define ENTENTE_PLUGIN_CSV_H

#include "../common/text.h"

enum {
	OPT_SYSTEM,
	OPT_FACT,
	OPT_COLUMNS,
	OPT_CONSTANTS,
	OPT_VALUES,
	OPT_DATES,
	OPT_DATES_OF,
	OPT_DECIMAL,
	OPT_GROUP,
	OPT_ABSENT,
	OPT_OPTIONAL,
	OPT_NEGATE,
	OPT_IDENTITY,
	OPT_REPEATS,
	OPT_COMPLETE
};

typedef enum csv_shape { /* the choices of the option `fact`, in order */
	SHAPE_ORDER,
	SHAPE_LINE,
	SHAPE_ORDER_LINES,
	SHAPE_REFUND,
	SHAPE_CART,
	SHAPE_VISIT,
	SHAPE_CONTACT,
	SHAPE_OBSERVATION,
	SHAPE_ENTRY,
	SHAPE_COUNT
} csv_shape;

typedef enum csv_type {
	TYPE_TEXT, /* as it is written */
	TYPE_KEY,  /* the same, less one leading ' that spreadsheets put before digits; at most 255 bytes */
	TYPE_TIME,
	TYPE_MONEY, /* also seconds: both count in millionths */
	TYPE_QUANTITY,
	TYPE_VALUE, /* as money; 12% is 0.12 */
	TYPE_CURRENCY,
	TYPE_COUNTRY,
	TYPE_CUSTOMER, /* identity of the kind that the option `identity` names */
	TYPE_STAFF,
	TYPE_COOKIE,
	TYPE_NUMBER, /* uint32 */
	TYPE_FLAG,   /* uint8: true, yes, 1 */
	TYPE_WORD,   /* uint8: one of `words`, counted from 0 */
	TYPE_STEPS,  /* uint32: several of `words`, a bit each */
	TYPE_GRADE   /* char: A to F */
} csv_type;

typedef struct csv_field {
	const char *name, *doc;
	csv_type type;
	uint8_t required;
	uint8_t line;    /* SHAPE_ORDER_LINES: belongs to the line, not to the order */
	uint16_t offset; /* in the struct of the fact */
	uint64_t has;
	const char *const *words;
} csv_field; /* a table ends with name NULL */

enum { CSV_FIELDS_MAX = 96, CSV_DATE_TEXT = 40 };

typedef struct csv_date_seen {
	uint64_t place, line; /* of its row; line 0: the host does not know it */
	char text[CSV_DATE_TEXT];
} csv_date_seen;

/* What an auto date column has shown so far. */
typedef struct csv_dates {
	uint8_t order;         /* 0 not decided, 1 day first, 2 month first */
	uint8_t open;          /* rows are held back for it */
	csv_date_seen decided; /* the date that decided */
	csv_date_seen doubt;   /* the first that could be read both ways; then, one that contradicts */
} csv_dates;

typedef struct csv_map { /* one field of the option `values` */
	const ent_str *from, *to;
	size_t n;
	const ent_str *other; /* what "*" becomes, or NULL */
} csv_map;

typedef struct csv_binding {
	const csv_field *field; /* NULL: a free field of an entry */
	ent_str name;           /* of the field, as configured */
	uint32_t column;        /* index into `wanted` */
	uint8_t negate;
	csv_map map;
	const char *pattern; /* TYPE_TIME: NULL means auto */
	csv_dates dates;
	char last_text[CSV_DATE_TEXT]; /* TYPE_TIME: what was read last, and as what */
	uint32_t last_n;
	ent_time last;
} csv_binding;

typedef union csv_fact {
	ent_head h;
	ent_order order;
	ent_line line;
	ent_refund refund;
	ent_cart cart;
	ent_visit visit;
	ent_contact contact;
	ent_observation observation;
	ent_entry entry;
} csv_fact;

typedef struct csv_block {
	struct csv_block *next;
} csv_block;

typedef struct csv {
	const ent_host *host;
	ent_ctx *ctx;
	csv_shape shape;
	const csv_field *fields;
	csv_binding bindings[CSV_FIELDS_MAX];
	uint32_t n_bindings, n_free; /* free ones last */
	ent_column wanted[CSV_FIELDS_MAX + 1];
	uint32_t n_wanted;
	csv_fact main_preset, line_preset; /* what the constants give */
	uint64_t required_given;           /* bit i: field i of the table has a constant */
	ent_str free_names[CSV_FIELDS_MAX], free_presets[CSV_FIELDS_MAX];
	char decimal, group;
	ent_id_kind identity;
	int repeats, complete;
	const ent_str *absent;
	size_t n_absent;
	const csv_binding *order_of, *partner_of; /* line and order-lines; NULL: not mapped */
	/* the document */
	char order[255], partner[255]; /* of the order in hand, whose rows follow each other */
	uint32_t order_n, partner_n;   /* order_n 0: none */
	char currency[4];
	ent_time version;
	uint8_t bad;    /* it was rejected */
	uint64_t *seen; /* `complete`: hashes of the orders that were finished, open addressing */
	size_t n_seen, room_seen;
	uint64_t *twins; /* `repeats`: hashes of the rows of the order in hand, with their counts */
	size_t n_twins, room_twins;
	int waiting; /* date columns that are not decided */
	char *held;  /* rows held back */
	size_t held_n, held_room;
	uint64_t held_rows;
	char text[600];    /* of the error in the making */
	csv_block *blocks; /* strings made by create() */
} csv;

/* fields.c */
extern const char *const csv__shapes[SHAPE_COUNT + 1];
const csv_field *csv__fields(csv_shape shape);
const char *csv__nearest(const csv_field *fields, ent_str name);
ent_fact csv__kind(csv_shape shape);

/* mapping.c: from options to bindings. ENT_OK, ENT_ENOMEM, or ENT_EOPTION with the reason given to the host. */
ent_status csv__mapping(csv *d, const ent_value *options);
void *csv__keep(csv *d, size_t n); /* lives as long as d; NULL: out of memory */

/* convert.c: text to a field of `fact`. 0, or -1 and *why. Blank text is not for it. */
int csv__convert(csv *d, csv_binding *b, ent_str text, csv_fact *fact, const char **why);
/* The cell after trimming, the words for "nothing", and the option `values`. */
ent_str csv__cell(const csv *d, const csv_binding *b, ent_str cell);

/* dates.c */
int csv__time(csv *d, csv_binding *b, ent_str text, ent_time *out); /* 0 or -1 */
void csv__dates_begin(csv *d);
/* Learns from the row's dates. 1: some are not decided yet, 0: all can be read, negative: the document was refused. */
int csv__dates_look(csv *d, const ent_row *r);
ent_status csv__dates_undecided(csv *d);          /* refuses the document */
int csv__dates_can_cut(csv *d, const ent_row *r); /* stateless: no date of the row depends on other rows */
int csv__hold(csv *d, const ent_row *r);          /* 0; 1: there would be too many; -1: memory is out */
ent_status csv__release(csv *d);

/* rows.c */
ent_status csv__facts(csv *d, const ent_row *r);
uint64_t csv__hash(uint64_t h, ent_str s);
ent_str csv__key_text(ent_str s);

#endif
