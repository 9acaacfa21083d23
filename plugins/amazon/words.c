/* SPDX-License-Identifier: Apache-2.0
 *
 * Words of the report: statuses of orders and items, and marketplaces.
 */
#include "amazon.h"

int amazon__status(const amazon *a, ent_str word) {
	static const status_word known[] = {
		{"pending", ENT_ORDER_PENDING},
		{"pendingavailability", ENT_ORDER_PENDING},
		{"pending availability", ENT_ORDER_PENDING},
		{"pending - waiting for pick up", ENT_ORDER_PENDING},
		{"unshipped", ENT_ORDER_SOLD},
		{"partiallyshipped", ENT_ORDER_SOLD},
		{"partially shipped", ENT_ORDER_SOLD},
		{"shipping", ENT_ORDER_SOLD},
		{"shipped", ENT_ORDER_SOLD},
		{"invoiceunconfirmed", ENT_ORDER_SOLD},
		{"invoice unconfirmed", ENT_ORDER_SOLD},
		{"shipped - out for delivery", ENT_ORDER_SOLD},
		{"shipped - picked up", ENT_ORDER_SOLD},
		{"shipped - delivered to buyer", ENT_ORDER_SOLD},
		/* sent, and nobody has it in the end */
		{"shipped - returning to seller", ENT_ORDER_CANCELLED},
		{"shipped - returned to seller", ENT_ORDER_CANCELLED},
		{"shipped - rejected by buyer", ENT_ORDER_CANCELLED},
		{"shipped - undeliverable", ENT_ORDER_CANCELLED},
		{"shipped - lost in transit", ENT_ORDER_CANCELLED},
		{"shipped - damaged", ENT_ORDER_CANCELLED},
		{"unfulfillable", ENT_ORDER_CANCELLED},
		{"canceled", ENT_ORDER_CANCELLED},
		{"cancelled", ENT_ORDER_CANCELLED},
		{NULL, 0},
	};
	char lower[48];
	int means = status_given(&a->statuses, word);
	if (means != STATUS_UNKNOWN || word.n > sizeof lower)
		return means;
	for (size_t i = 0; i < word.n; i++)
		lower[i] = text_lower(word.p[i]);
	return status_of(&a->statuses, known, (ent_str){lower, word.n});
}

const amazon_market *amazon__market(ent_str channel) {
	static const amazon_market markets[] = {
		{"amazon.com", "USD", 1},
		{"amazon.ca", "CAD", 1},
		{"amazon.com.mx", "MXN", 0},
		{"amazon.com.br", "BRL", 0},
		{"amazon.co.uk", "GBP", 0},
		{"amazon.de", "EUR", 0},
		{"amazon.fr", "EUR", 0},
		{"amazon.it", "EUR", 0},
		{"amazon.es", "EUR", 0},
		{"amazon.nl", "EUR", 0},
		{"amazon.ie", "EUR", 0},
		{"amazon.com.be", "EUR", 0},
		{"amazon.se", "SEK", 0},
		{"amazon.pl", "PLN", 0},
		{"amazon.com.tr", "TRY", 0},
		{"amazon.ae", "AED", 0},
		{"amazon.sa", "SAR", 0},
		{"amazon.eg", "EGP", 0},
		{"amazon.co.za", "ZAR", 0},
		{"amazon.in", "INR", 0},
		{"amazon.co.jp", "JPY", 0},
		{"amazon.jp", "JPY", 0},
		{"amazon.com.au", "AUD", 0},
		{"amazon.sg", "SGD", 0},
	};
	for (size_t i = 0; i < sizeof markets / sizeof *markets; i++)
		if (text_is_fold(channel, markets[i].name))
			return &markets[i];
	return NULL;
}

/* "Non-Amazon", "Non-Amazon DE": sold elsewhere, and sent from Amazon's warehouse. */
int amazon__elsewhere(ent_str channel) {
	return channel.n >= 10 && text_is_fold((ent_str){channel.p, 10}, "non-amazon");
}
