/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents made at random, see documents.h. */
#include "documents.h"

#include <string.h>

uint64_t seed = 42;

uint32_t dice(uint32_t n) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

/* Orders of 1 to 5 rows whose notes hold line ends, quotes, and rows that look like orders. */
ent_buf orders_after(const char *mark, size_t bytes) {
	ent_buf b = {0};
	ent_buf_printf(&b, "%s", mark);
	ent_buf_printf(&b, "Name,At,Currency,Total,Sku,Qty,Email,Vendor,Note\n");
	for (int i = 0; b.n < bytes; i++) {
		uint32_t rows = 1 + dice(5);
		for (uint32_t r = 0; r < rows; r++) {
			ent_buf_printf(&b, "#%d,%s,EUR,%u.%02u,SKU-%u,%u,buyer%u@example.org,shop%u,", i,
				r ? "" : "2024-03-01 10:00:00 +0100", dice(500), dice(100), dice(50), 1 + dice(4), dice(900), i / 40);
			switch (dice(5)) {
			case 0:
				ent_buf_printf(&b, "\"first\nsecond, \"\"quoted\"\"\n\"");
				break;
			case 1:
				ent_buf_printf(&b, "\"\n#%d,2024-03-01,EUR,1,SKU,1,x@example.org,shop,a row in a note\n\"", i + 1);
				break;
			case 2:
				ent_buf_printf(
					&b, "%.*s", (int)dice(60), "words that go on for some time but without a comma and no end");
				break;
			default:
				break;
			}
			if (b.data[b.n - 1] == ',' && dice(300) == 0) {
				ent_buf_printf(&b, ",one field too many");
			}
			ent_buf_printf(&b, "%s", dice(9) ? "\n" : "\r\n");
		}
	}
	return b;
}

ent_buf orders(size_t bytes) { return orders_after("", bytes); }

ent_buf json(size_t bytes) {
	ent_buf b = {0};
	for (int i = 0; b.n < bytes; i++) {
		ent_buf_printf(&b, "{\"k\":\"key %d \xc3\xa4\xe2\x82\xac\",\"v\":\"%.*s\"}\n", i, (int)dice(70),
			"badly skipped words, some of which count, as many as there are of them");
		if (dice(20) == 0) {
			ent_buf_printf(&b, "%s", dice(2) ? "\n" : " \r\n");
		}
	}
	return b;
}

/* A cell that misleads: quotes in pairs and alone, delimiters, line ends of both kinds, rows and headers within it. */
static void misleading_cell(ent_buf *b, int order) {
	static const char *const parts[] = {"\"\"", "\"\"\"\"", ",", "\n", "\r\n", "\n\n", ",,,,,,,,\n", "\"\",\"\"",
		"\n\"\"\n", "Name,At,Currency,Total,Sku,Qty,Email,Vendor,Note\n", "x", "\xc3\xa4", " ",
		"\n#7,2024-03-01,EUR,1,S,1,x@example.org,v,"};
	static const char *const plain[] = {"5\" disk", "x\"", "\"\"", "it's \"so\"", "", "a", "\r", "#"};
	if (dice(3) == 0) {
		ent_buf_printf(b, "%s", plain[dice(sizeof plain / sizeof *plain)]);
		return;
	}
	ent_buf_u8(b, '"');
	for (uint32_t k = dice(dice(6)    ? 6
						   : dice(40) ? 120
									  : 20000);
		 k; k--) { /* the longest: further than a worker looks */
		if (dice(8) == 0) {
			ent_buf_printf(b, "\n#%d,2024-03-01,EUR,1,S,1,x@example.org,v,%s", order + (int)dice(3),
				dice(2) ? "\n" : "\"\"n\"\"\n");
		} else {
			ent_buf_printf(b, "%s", parts[dice(sizeof parts / sizeof *parts)]);
		}
	}
	ent_buf_printf(b, "\"%s", dice(12) ? "" : "behind");
}

ent_buf misleading(size_t bytes) {
	ent_buf b = {0};
	const char *end = dice(3) ? "\n" : "\r\n";
	ent_buf_printf(&b, "Name,At,Currency,Total,Sku,Qty,Email,Vendor,Note%s", end);
	for (int i = 0; b.n < bytes; i++) {
		for (uint32_t r = dice(dice(9) ? 4 : 30) + 1; r; r--) {
			ent_buf_printf(&b, "#%d,2024-03-01,EUR,1,", i);
			misleading_cell(&b, i);
			ent_buf_printf(&b, ",1,b%u@example.org,v,", dice(50));
			misleading_cell(&b, i);
			ent_buf_printf(&b, "%s%s%s", dice(60) ? "" : ",more", end, dice(30) ? "" : end);
		}
	}
	b.n -= dice(2) ? strlen(end) : 0;
	return b;
}
