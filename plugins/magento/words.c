/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells of the order grid as versions and languages of the admin write them: statuses, purchase points, dates.
 */
#include "magento.h"

int magento__status(const magento *m, ent_str cell) {
	static const status_word known[] = {
		{"complete", ENT_ORDER_SOLD},
		{"processing", ENT_ORDER_SOLD},
		{"closed", ENT_ORDER_SOLD}, /* sold, and paid back: Total Refunded says how much */
		{"pending", ENT_ORDER_PENDING},
		{"holded", ENT_ORDER_PENDING},
		{"payment_review", ENT_ORDER_PENDING},
		{"fraud", ENT_ORDER_PENDING},
		{"pending_payment", ENT_ORDER_QUOTE}, /* sent off to a payment page and not back so far */
		{"canceled", ENT_ORDER_CANCELLED},
		{NULL, 0},
	};
	static const struct {
		const char *label, *code;
	} labels[] = {{"on_hold", "holded"}, {"suspected_fraud", "fraud"}, {"cancelled", "canceled"}};
	char code[48];
	int means = status_given(&m->statuses, cell);
	if (means != STATUS_UNKNOWN || cell.n >= sizeof code)
		return means;
	for (size_t i = 0; i < cell.n; i++) /* labels differ from codes by capitals and blanks */
		code[i] = cell.p[i] == ' ' ? '_' : text_lower(cell.p[i]);
	ent_str word = {code, cell.n};
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (strlen(labels[i].label) == word.n && !memcmp(labels[i].label, word.p, word.n))
			word = (ent_str){labels[i].code, strlen(labels[i].code)};
	return status_of(&m->statuses, known, word);
}

/* Bytes of a blank at p, as pages and exports write it; 0: it is none. */
static size_t blank_at(const char *p, const char *end) {
	if (*p == ' ' || *p == '\t')
		return 1;
	if (end - p >= 6 && !memcmp(p, "&nbsp;", 6))
		return 6;
	if (end - p >= 2 && !memcmp(p, "\xc2\xa0", 2))
		return 2;
	return end - p >= 3 && !memcmp(p, "\xe2\x80\xaf", 3) ? 3 : 0;
}

/* Bytes of a line break at p, as text or as HTML; 0: it is none. */
static size_t break_at(const char *p, const char *end) {
	if (*p == '\n' || *p == '\r')
		return 1;
	if (end - p < 4 || p[0] != '<' || text_lower(p[1]) != 'b' || text_lower(p[2]) != 'r')
		return 0;
	const char *close = memchr(p, '>', (size_t)(end - p < 8 ? end - p : 8));
	return close ? (size_t)(close - p) + 1 : 0;
}

size_t magento__point(ent_str cell, char out[MAGENTO_TEXT_MAX + 1]) {
	const char *p = cell.p, *end = cell.n ? cell.p + cell.n : cell.p;
	size_t n = 0, blanks = 0;
	int apart = 0;
	while (p < end) {
		size_t blank = blank_at(p, end), broken = blank ? 0 : break_at(p, end);
		if (blank || broken) {
			p += blank + broken;
			blanks += blank != 0;
			apart |= broken != 0;
			continue;
		}
		/* names hold single blanks; a deeper level is set apart by a break, by several blanks, or by both */
		const char *between = !n ? "" : apart || blanks > 1 ? " / " : blanks ? " " : "";
		size_t k = strlen(between);
		if (n + k + 1 > MAGENTO_TEXT_MAX)
			return MAGENTO_TEXT_MAX + 1;
		memcpy(out + n, between, k);
		n += k;
		out[n++] = *p++;
		blanks = 0;
		apart = 0;
	}
	return n;
}

int magento__time(const magento *m, ent_str cell, ent_time *out) {
	static const char *const patterns[] = {
		"%b %d %Y %I:%M:%S %p",
		"%b %d %Y %H:%M:%S %p", /* some versions write hours up to 23 and AM or PM behind them */
		"%b %d %Y %H:%M:%S",
		"%d %b %Y %I:%M:%S %p",
		"%d %b %Y %H:%M:%S",
	};
	char text[64];
	size_t n = 0;
	if (m->dates)
		return m->host->time(cell, m->dates, out);
	if (!m->host->time(cell, NULL, out)) {
		if (out->kind == ENT_TIME_LOCAL) { /* as the database has it: in UTC, whatever zone the admin shows */
			out->kind = ENT_TIME_INSTANT;
			out->offset_min = 0;
		}
		return 0;
	}
	for (const char *p = cell.p, *end = p + cell.n; p < end;) {
		size_t blank = *p == ',' ? 1 : blank_at(p, end);
		if (n == sizeof text)
			return -1;
		if (!blank)
			text[n++] = *p;
		else if (n && text[n - 1] != ' ')
			text[n++] = ' ';
		p += blank ? blank : 1;
	}
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (!m->host->time((ent_str){text, n}, patterns[i], out))
			return 0;
	return -1;
}
