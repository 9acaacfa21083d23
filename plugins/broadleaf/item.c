/* SPDX-License-Identifier: Apache-2.0
 *
 * A row of BLC_ORDER_ITEM: a line, which finds its order by ORDER_ID. Parts of a bundle name it, and are not summed.
 */
#include "broadleaf.h"

ent_status blc__item(void *self, const ent_row *r) {
	blc *b = self;
	ent_line l = {.h = {.place = r->place, .key = blc__cell(r, I_ID)},
		.order_key = blc__cell(r, I_ORDER),
		.parent_key = blc__cell(r, I_PARENT),
		.sku = blc__cell(r, I_SKU),
		.product = blc__cell(r, I_PRODUCT),
		.name = blc__cell(r, I_NAME),
		.category = blc__cell(r, I_CATEGORY)};
	ent_str status = blc__cell(r, I_STATUS), price = blc__cell(r, I_PRICE), tax = blc__cell(r, I_TAX);
	int64_t money = 0;
	if (!l.h.key.n)
		return blc__reject(b, r, I_ID, "no ORDER_ITEM_ID");
	if (!l.order_key.n)
		return blc__reject(b, r, I_ORDER, "no ORDER_ID: the line belongs to nothing");
	if (status.n) {
		int means = blc__status(b, status);
		if (means == BLC_UNKNOWN)
			return blc__reject(b, r, I_STATUS, "unknown status; say what it means with the option statuses");
		if (means >= BLC_CART) {
			b->host->skip(b->ctx, r->place, "a line of a cart or of a wish list");
			return ENT_OK;
		}
	}
	if (text_quantity(b->host, blc__cell(r, I_QUANTITY), &l.quantity))
		return blc__reject(b, r, I_QUANTITY, "not a quantity");
	l.h.has = ENT_HAS_QUANTITY;
	if (!price.n)
		return blc__reject(b, r, I_PRICE, "a line without PRICE: it was never priced");
	if (text_money(b->host, price, &money))
		return blc__reject(b, r, I_PRICE, "not an amount");
	if (b->by_line) {
		l.gross = money;
	} else if (text_times(money, l.quantity, &l.gross)) {
		return blc__reject(b, r, I_PRICE, "PRICE times QUANTITY is out of range");
	} else {
		l.unit_price = money;
		l.h.has |= ENT_HAS_UNIT_PRICE;
	}
	l.h.has |= ENT_HAS_GROSS;
	if (tax.n && text_money(b->host, tax, &l.tax))
		return blc__reject(b, r, I_TAX, "not an amount");
	l.h.has |= tax.n ? ENT_HAS_TAX : 0;
	return b->host->push(b->ctx, ENT_LINE, &l, sizeof l, 1);
}
