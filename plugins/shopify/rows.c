/* SPDX-License-Identifier: Apache-2.0
 *
 * What the orders and the checkouts export share: rows of one order stand together and only the first is filled, keys,
 * dates, and how an order is told from a checkout.
 */
#include "shopify.h"

#include <stdlib.h>

ent_status shopify__create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	shopify *d = calloc(1, sizeof *d);
	if (!d)
		return ENT_ENOMEM;
	d->host = host;
	d->ctx = ctx;
	d->by_vendor = options[SHOPIFY_OPT_PARTNER].i == 1;
	*self = d;
	return ENT_OK;
}

void shopify__destroy(void *self) { free(self); }

ent_status shopify__begin(void *self, const ent_doc *doc) {
	shopify *d = self;
	(void)doc;
	memset(&d->c, 0, sizeof d->c);
	return ENT_OK;
}

/* Name is not unique between shops, and one file may hold several: the same Name with another Id is another order, and
 * so is one that has a Total of its own where the vintage has no Id. */
int shopify__continues(const shopify_carried *c, const ent_row *r) {
	ent_str name = r->cell[C_NAME], id = r->cell[C_ID];
	if (!c->name_n || name.n != c->name_n || !text_same(name.p, c->name, name.n))
		return 0;
	return id.n ? id.n == c->id_n && text_same(id.p, c->id, id.n) : !r->cell[C_TOTAL].n;
}

/* Stateless and with one row of context, it cannot see the Id that continuation rows leave blank; it then says "no",
 * which costs a larger group and nothing else. */
int shopify__starts(void *self, const ent_row *before, const ent_row *row) {
	(void)self;
	return !before || !text_equal(before->cell[C_NAME], row->cell[C_NAME]);
}

/* A spreadsheet that once saved the file has rounded long numbers to 5.8E+12: many orders would share that key. */
static int spoiled(ent_str id) {
	int64_t v;
	return id.n && id.n <= 18 && text_digits(id.p, id.n, &v) != 0;
}

/* Makes `r` the first row of the order in hand. NULL, or why it cannot be. */
const char *shopify__carry(shopify *d, const ent_row *r) {
	shopify_carried *c = &d->c;
	ent_str name = r->cell[C_NAME], id = r->cell[C_ID], vendor = d->by_vendor ? r->cell[C_VENDOR] : (ent_str){NULL, 0};
	c->lines = 0;
	c->bad = 0;
	c->name_n = 0;
	if (name.n > sizeof c->name || id.n > sizeof c->id || vendor.n > sizeof c->partner)
		return "Name, Id or Vendor is longer than 255 bytes";
	text_copy(c->name, name.p, name.n);
	text_copy(c->id, id.p, id.n);
	text_copy(c->partner, vendor.p, vendor.n);
	c->name_n = (uint32_t)name.n;
	c->id_n = (uint32_t)id.n;
	c->partner_n = (uint32_t)vendor.n;
	return spoiled(id) ? "Id is no whole number: a spreadsheet has rounded it; export the file again" : NULL;
}

/* The Id where the vintage has one, else the Name. */
int shopify__key(const shopify *d, ent_str *key) {
	*key = d->c.id_n ? (ent_str){d->c.id, d->c.id_n} : (ent_str){d->c.name, d->c.name_n};
	return key->n ? 0 : -1;
}

void shopify__reject(shopify *d, const ent_row *r, uint32_t column, const char *why) {
	d->host->reject(d->ctx, r->place, column, why);
}

/* A checkout is named by its own id, `#` + 14 digits, and nobody was asked for money yet. Orders have short names. */
int shopify__is_checkout(ent_str name, ent_str id, ent_str financial, ent_str paid_at) {
	int64_t v;
	return name.n == 15 && name.p[0] == '#' && id.n == 14 && !memcmp(name.p + 1, id.p, 14) &&
		   !text_digits(id.p, id.n, &v) && !financial.n && !paid_at.n;
}

static unsigned two(const char *p) {
	unsigned a = (unsigned)(unsigned char)p[0] - '0', b = (unsigned)(unsigned char)p[1] - '0';
	return a > 9 || b > 9 ? 1000 : a * 10 + b;
}

/* "YYYY-MM-DD HH:MM:SS +ZZZZ"; the host takes whatever else ISO 8601 allows. 0 or -1. */
int shopify__time(shopify *d, ent_str s, ent_time *out) {
	const char *p = s.p;
	if (s.n != sizeof d->stamp)
		return d->host->time(s, NULL, out);
	if (!memcmp(p, d->stamp, sizeof d->stamp)) {
		*out = d->stamp_time;
		return 0;
	}
	if (memcmp(p, d->day_text, sizeof d->day_text)) {
		unsigned c = two(p), y = two(p + 2), m = two(p + 5), day = two(p + 8);
		if (p[4] != '-' || p[7] != '-' || c > 99 || y > 99 || text_date_of(c * 100 + y, m, day, &d->day)) {
			d->day_text[0] = 0;
			return d->host->time(s, NULL, out);
		}
		memcpy(d->day_text, p, sizeof d->day_text);
	}
	unsigned hh = two(p + 11), mm = two(p + 14), ss = two(p + 17), oh = two(p + 21), om = two(p + 23);
	if (p[10] != ' ' || p[13] != ':' || p[16] != ':' || p[19] != ' ' || (p[20] != '+' && p[20] != '-') || hh > 23 ||
		mm > 59 || ss > 59 || oh > 14 || om > 59)
		return d->host->time(s, NULL, out);
	int offset = (int)(oh * 60 + om) * (p[20] == '-' ? -1 : 1);
	int64_t seconds = d->day * 86400 + (int64_t)(hh * 3600 + mm * 60 + ss) - (int64_t)offset * 60;
	*out = (ent_time){.v = seconds * 1000000, .offset_min = (int16_t)offset, .kind = ENT_TIME_INSTANT};
	memcpy(d->stamp, p, sizeof d->stamp);
	d->stamp_time = *out;
	return 0;
}

/* -1: a word that these decoders do not know; guessing would move money between sold and not sold. */
int shopify__status(ent_str s) {
	switch (s.n) {
	case 0:
		return ENT_ORDER_PENDING;
	case 4:
		return TEXT_IS(s, "paid") ? ENT_ORDER_SOLD : -1;
	case 6:
		return TEXT_IS(s, "voided") ? ENT_ORDER_CANCELLED : -1;
	case 7:
		return TEXT_IS(s, "pending") ? ENT_ORDER_PENDING : TEXT_IS(s, "expired") ? ENT_ORDER_CANCELLED : -1;
	case 8:
		return TEXT_IS(s, "refunded") ? ENT_ORDER_SOLD : -1;
	case 10:
		return TEXT_IS(s, "authorized") ? ENT_ORDER_PENDING : -1;
	case 14:
		return TEXT_IS(s, "partially_paid") ? ENT_ORDER_SOLD : -1;
	case 18:
		return TEXT_IS(s, "partially_refunded") ? ENT_ORDER_SOLD : -1;
	default:
		return -1;
	}
}

int shopify__is_country(ent_str s) {
	return s.n == 2 && s.p[0] >= 'A' && s.p[0] <= 'Z' && s.p[1] >= 'A' && s.p[1] <= 'Z';
}
