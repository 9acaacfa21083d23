/* SPDX-License-Identifier: Apache-2.0
 *
 * Is it an orders export, or one of abandoned checkouts? Their columns do not tell: the checkouts file is the orders
 * file less a few columns that older orders files lack as well. The first orders or checkouts tell, and the file's
 * name.
 */
#include "shopify.h"

enum { KIND_NONE, KIND_ORDERS, KIND_CHECKOUTS, KIND_EITHER };

/* Cuts the next cell off `s`, quotes taken away where no doubled quote is inside. Returns what ended it: the delimiter,
 * '\n', or 0 at the end of the head. Good enough to look at statuses and ids; the host reads the file for real. */
static int cell(ent_str *s, char delimiter, ent_str *out) {
	size_t i = 0;
	int quoted = s->n && s->p[0] == '"';
	if (quoted) {
		for (i = 1; i < s->n; i++)
			if (s->p[i] == '"') {
				if (i + 1 < s->n && s->p[i + 1] == '"')
					i++;
				else
					break;
			}
		*out = (ent_str){s->p + 1, i ? i - 1 : 0};
	}
	while (i < s->n && s->p[i] != delimiter && s->p[i] != '\n')
		i++;
	if (!quoted)
		*out = text_trim((ent_str){s->p, i});
	int end = i < s->n ? s->p[i] : 0;
	size_t used = i + (i < s->n);
	s->p += used;
	s->n -= used;
	return end;
}

static int look(ent_str head, const ent_doc *doc, const char **why) {
	enum { NAME, ID, FINANCIAL, PAID_AT, LINE, WANTED, MAX_COLUMNS = 256 };
	static const char *const wanted[WANTED] = {"name", "id", "financial status", "paid at", "lineitem name"};
	int column[WANTED] = {-1, -1, -1, -1, -1}, n = 0, end;
	ent_str s = head, c;
	if (s.n >= 3 && !memcmp(s.p, "\xef\xbb\xbf", 3))
		s.p += 3, s.n -= 3;
	ent_str first = s;
	const char *line_end = s.n ? memchr(s.p, '\n', s.n) : NULL;
	if (line_end)
		first.n = (size_t)(line_end - s.p);
	char delimiter = ',';
	if (!memchr(first.p ? first.p : "", ',', first.n))
		delimiter = memchr(first.p ? first.p : "", ';', first.n) ? ';' : '\t';
	do {
		end = cell(&s, delimiter, &c);
		for (int i = 0; i < WANTED; i++)
			if (column[i] < 0 && text_is_fold(c, wanted[i]))
				column[i] = n;
		n++;
	} while (end == delimiter && n < MAX_COLUMNS);
	*why = "the columns Name, Financial Status, Paid at and Lineitem name of a Shopify export are missing";
	if (column[NAME] < 0 || column[FINANCIAL] < 0 || column[PAID_AT] < 0 || column[LINE] < 0)
		return KIND_NONE;
	for (int row = 0; end && s.n && row < 200; row++) {
		ent_str got[WANTED] = {{NULL, 0}};
		int i = 0;
		do {
			end = cell(&s, delimiter, &c);
			for (int k = 0; k < WANTED; k++)
				if (column[k] == i)
					got[k] = c;
			i++;
		} while (end == delimiter);
		if (!end && i < n)
			break; /* the head ends inside this row */
		if (got[FINANCIAL].n || got[PAID_AT].n) {
			*why = "Shopify's columns, and a row with a payment status or date: orders";
			return KIND_ORDERS;
		}
		if (shopify__is_checkout(got[NAME], got[ID], got[FINANCIAL], got[PAID_AT])) {
			*why = "Shopify's columns, and a row named # and its own 14-digit Id, without payment: abandoned checkouts";
			return KIND_CHECKOUTS;
		}
	}
	if (text_has_fold(doc->name, "checkout")) {
		*why = "Shopify's columns, no row that tells, and \"checkout\" in the file's name";
		return KIND_CHECKOUTS;
	}
	if (text_has_fold(doc->name, "order")) {
		*why = "Shopify's columns, no row that tells, and \"order\" in the file's name";
		return KIND_ORDERS;
	}
	*why = "Shopify's columns, but neither a row nor the file's name tells orders from abandoned checkouts";
	return KIND_EITHER;
}

int shopify__probe_orders(ent_str head, const ent_doc *doc, const char **why) {
	const char *seen;
	int kind = look(head, doc, &seen);
	if (why)
		*why = seen;
	return kind == KIND_ORDERS ? 95 : kind == KIND_EITHER ? 50 : 0;
}

int shopify__probe_checkouts(ent_str head, const ent_doc *doc, const char **why) {
	const char *seen;
	int kind = look(head, doc, &seen);
	if (why)
		*why = seen;
	return kind == KIND_CHECKOUTS ? 95 : kind == KIND_EITHER ? 40 : 0;
}
