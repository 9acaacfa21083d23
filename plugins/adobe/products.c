/* SPDX-License-Identifier: Apache-2.0
 *
 * A product list: products joined by `,`, each `category;name;quantity;price;events;evars`; `^` takes what follows it
 * for itself. Names must not hold separators, and do: a list that does not come apart is told, not guessed at.
 */
#include "adobe.h"

enum { PARTS = 6 };

/* One product, from *at on. The number of its parts, or -1 if it has too many. */
static int cut_one(const char **at, const char *end, char **o, ent_str part[PARTS]) {
	int n = 0;
	char *from = *o;
	const char *p = *at;
	for (;; p++) {
		int last = p == end || *p == ',';
		if (last || *p == ';') {
			if (n == PARTS)
				return -1;
			part[n++] = (ent_str){from, (size_t)(*o - from)};
			from = *o;
			if (last)
				break;
			continue;
		}
		if (*p == '^' && p + 1 < end)
			p++;
		*(*o)++ = *p;
	}
	*at = p < end ? p + 1 : NULL;
	return n;
}

int products_cut(adobe *a, ent_str list, const char **why) {
	a->n_products = 0;
	if (!list.n)
		return 0;
	if (a->product_room < list.n) {
		char *p = realloc(a->product_text, list.n * 2);
		if (!p) {
			*why = NULL;
			return -1;
		}
		a->product_text = p;
		a->product_room = list.n * 2;
	}
	char *o = a->product_text;
	for (const char *at = list.p, *end = list.p + list.n; at;) {
		ent_str part[PARTS] = {{NULL, 0}};
		int n = cut_one(&at, end, &o, part);
		if (n < 0) {
			*why = "a product with more than six parts: a name holds a separator";
			return -1;
		}
		if (n < 2) {
			if (!part[0].n && !at)
				break; /* a comma at the end */
			*why = "a product without a semicolon: a name holds a comma";
			return -1;
		}
		if (a->n_products == a->products_room) {
			size_t room = a->products_room * 2 + 16;
			product *p = realloc(a->products, room * sizeof *p);
			if (!p) {
				*why = NULL;
				return -1;
			}
			a->products = p;
			a->products_room = room;
		}
		a->products[a->n_products++] = (product){part[0], part[1], part[2], part[3], n};
	}
	return 0;
}
