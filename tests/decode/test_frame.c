/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the framing library: both scanners of delimited text against a naive parser on random documents, encodings,
 * archives, headers, the way into the middle of a file. */
#include "base/arena.h"
#include "base/buf.h"
#include "decode/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

static int file_of(const void *bytes, size_t n) {
	int fd = memfd_create("document", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(write(fd, bytes, n) == (ssize_t)n);
	return fd;
}

static uint64_t seed = 1;

static uint32_t dice(uint32_t n) {
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

/* ---- a naive parser, a character at a time, written from the grammar in csv.h ---- */

#define CELLS 300

typedef struct naive_row {
	uint64_t place;
	uint32_t fields;
	char *cell[CELLS];
	bool open; /* a quote that never closes */
} naive_row;

typedef struct naive {
	naive_row *rows;
	size_t n, capacity;
} naive;

static void naive_free(naive *t) {
	for (size_t i = 0; i < t->n; i++) {
		for (int k = 0; k < CELLS; k++) {
			free(t->rows[i].cell[k]);
		}
	}
	free(t->rows);
	*t = (naive){0};
}

static void naive_parse(const char *p, size_t n, char d, char q, char e, naive *out) {
	size_t i = 0;
	while (i < n) {
		naive_row row = {.place = i};
		size_t start = i;
		bool last = false;
		while (!last) {
			ent_buf cell = {0};
			if (q && i < n && p[i] == q) {
				i++;
				for (;;) {
					if (i >= n) {
						row.open = true;
						break;
					}
					if (p[i] == q && i + 1 < n && p[i + 1] == q) {
						ent_buf_u8(&cell, (uint8_t)q);
						i += 2;
					} else if (p[i] == q) {
						i++;
						break;
					} else {
						ent_buf_u8(&cell, (uint8_t)p[i++]);
					}
				}
			}
			while (i < n && p[i] != d && p[i] != e) {
				ent_buf_u8(&cell, (uint8_t)p[i++]);
			}
			last = i >= n || p[i] == e;
			if (last && e == '\n' && cell.n && cell.data[cell.n - 1] == '\r' && p[i - 1] == '\r') {
				cell.n--;
			}
			i++;
			ent_buf_u8(&cell, 0);
			if (row.fields < CELLS) {
				row.cell[row.fields] = (char *)cell.data;
			} else {
				ent_buf_finish(&cell);
			}
			row.fields++;
		}
		size_t bytes = i - 1 - start;
		if (row.fields == 1 && !row.open && (bytes == 0 || (bytes == 1 && p[start] == '\r'))) {
			free(row.cell[0]);
			continue;
		}
		ENT_GROW(out->rows, out->n, out->capacity);
		out->rows[out->n++] = row;
		if (row.open) {
			return;
		}
	}
}

/* ---- random documents ---- */

static const ent_column some[] = {{"c0", NULL, 0}, {"c3", NULL, 0}, {"c4", NULL, 0}, {"c9", NULL, 0},
	{"nowhere", NULL, 0}, {"C3 ", NULL, 0}, {"c1", NULL, 0}, {"c70", NULL, 0}, {"c254", NULL, 0}, {"c255", NULL, 0},
	{NULL, NULL, 0}};
static const int which[] = {0, 3, 4, 9, -1, 3, 1, 70, 254, 255};

static void random_document(ent_buf *b, uint32_t fields, char d, char e, bool odd) {
	for (uint32_t i = 0; i < fields; i++) {
		ent_buf_printf(b, "%sc%u", i ? (char[]){d, 0} : "", i);
	}
	ent_buf_printf(b, "%s", e == '\r' ? "\r" : dice(2) ? "\n" : "\r\n");
	uint32_t rows = dice(60) + (e == '\r'); /* CR at the very end of a document could also begin a CRLF */
	for (uint32_t r = 0; r < rows; r++) {
		uint32_t n = dice(20) ? fields : fields + dice(3) - 1;
		for (uint32_t i = 0; i < n; i++) {
			if (i) {
				ent_buf_u8(b, (uint8_t)d);
			}
			uint32_t length = dice(8) ? dice(10) : dice(200);
			if (dice(4) == 0) { /* quoted */
				ent_buf_u8(b, '"');
				for (uint32_t k = 0; k < length; k++) {
					switch (dice(12)) {
					case 0:
						ent_buf_add(b, "\"\"", 2);
						break;
					case 1:
						ent_buf_u8(b, (uint8_t)d);
						break;
					case 2:
						ent_buf_u8(b, (uint8_t)(dice(2) ? '\n' : '\r'));
						break;
					default:
						ent_buf_u8(b, (uint8_t)('a' + dice(26)));
					}
				}
				ent_buf_u8(b, '"');
				if (odd && dice(6) == 0) {
					ent_buf_add(b, "x\"y", 3);
				}
			} else {
				for (uint32_t k = 0; k < length; k++) {
					ent_buf_u8(b, odd && k && dice(30) == 0 ? '"' : dice(40) ? (uint8_t)('a' + dice(26)) : ' ');
				}
			}
		}
		if (e == '\r') {
			ent_buf_u8(b, '\r');
		} else if (r + 1 < rows || dice(2)) {
			ent_buf_printf(b, "%s", dice(2) ? "\n" : "\r\n");
			if (dice(10) == 0) {
				ent_buf_u8(b, '\n');
			}
		}
	}
}

static void same_cell(const ent_str *got, const char *expected, size_t row, size_t column) {
	if (!got->p || got->n != strlen(expected) || memcmp(got->p, expected, got->n) != 0) {
		fail_msg(
			"row %zu column %zu: '%.*s' instead of '%s'", row, column, (int)got->n, got->p ? got->p : "", expected);
	}
}

static void compare(const ent_buf *doc, char d, char e, uint32_t fields, unsigned width) {
	naive rows = {0};
	naive_parse((char *)doc->data, doc->n, d, '"', e, &rows);
	int fd = file_of(doc->data, doc->n);
	ent_input in;
	ent_fault f = {0};
	ent_csv csv;
	ent_csv_options o = {.delimiter = d, .quote = '"'};
	assert_int_equal(ent_input_open(&in, fd, 0, 0, &f), 0);
	if (ent_csv_open(&csv, &in, &o, &f)) {
		fail_msg("%s", f.e.what);
	}
	assert_int_equal(ent_csv_bind(&csv, some, &f), 0);
	assert_int_equal(csv.line_end, e);
	assert_int_equal(csv.fields, fields);
	csv.width = width;
	for (size_t i = 1; i < rows.n; i++) {
		ent_row row;
		const char *why;
		int r = ent_csv_next(&csv, &row, &why, &f);
		const naive_row *x = &rows.rows[i];
		if (x->open) {
			assert_int_equal(r, ENT_ERR_INVALID);
			break;
		}
		assert_int_equal(r, x->fields == fields ? ENT_CSV_ROW : ENT_CSV_BAD);
		assert_int_equal(row.place, x->place);
		assert_int_equal(row.line, i + 1);
		for (size_t k = 0; r == ENT_CSV_ROW && k < sizeof which / sizeof *which; k++) {
			if (which[k] < 0 || (uint32_t)which[k] >= fields) {
				assert_null(row.cell[k].p);
			} else {
				same_cell(&row.cell[k], x->cell[which[k]], i, k);
			}
		}
	}
	if (!rows.n || !rows.rows[rows.n - 1].open) {
		ent_row row;
		const char *why;
		assert_int_equal(ent_csv_next(&csv, &row, &why, &f), ENT_CSV_END);
	}
	ent_csv_finish(&csv);
	ent_input_finish(&in);
	close(fd);
	naive_free(&rows);
}

static void both_scanners_agree_with_the_naive_one(void **state) {
	(void)state;
	if (ent__csv_width() < 2) {
		print_message("no AVX-%s here: only the narrower scanners are tested\n", ent__csv_width() ? "512" : "2");
	}
	for (int i = 0; i < 3000; i++) {
		seed = (uint64_t)i * 7919 + 1;
		uint32_t fields = 2 + dice(i % 3 ? 10 : 90);
		char d = ",;\t|"[dice(4)], e = dice(8) ? '\n' : '\r';
		ent_buf doc = {0};
		random_document(&doc, fields, d, e, i % 2);
		for (int more = i % 50 ? 0 : 60; more; more--) { /* beyond the piece that is indexed at once */
			ent_buf part = {0};
			random_document(&part, fields, d, e, i % 2);
			uint8_t *rest = memchr(part.data, e, part.n);
			if (doc.data[doc.n - 1] == (uint8_t)e && rest) {
				ent_buf_add(&doc, rest + 1, part.n - (size_t)(rest + 1 - part.data));
			}
			ent_buf_finish(&part);
		}
		for (unsigned width = 0; width <= ent__csv_width(); width++) {
			compare(&doc, d, e, fields, width);
		}
		ent_buf_finish(&doc);
	}
}

/* Wider than the permutations of the scanner reach, and longer than its marks do. */
static void rows_of_any_width_and_length(void **state) {
	(void)state;
	static const uint32_t widths[] = {2, 63, 64, 65, 127, 128, 129, 254, 255, 256, 257, 300};
	for (size_t i = 0; i < 4 * sizeof widths / sizeof *widths; i++) {
		uint32_t fields = widths[i / 4];
		seed = i * 104729 + 1;
		ent_buf doc = {0};
		random_document(&doc, fields, ',', '\n', i % 2);
		for (int k = 0; k < 12; k++) { /* rows around the lengths at which the scanner gives up, some quoted */
			uint32_t length = (k % 2 ? 32768 : 65536) - 40 + dice(80), at = dice(fields);
			if (doc.data[doc.n - 1] != '\n') {
				ent_buf_u8(&doc, '\n');
			}
			for (uint32_t f = 0; f < fields; f++) {
				bool here = f == at, quoted = here ? k % 3 == 0 : dice(3) == 0;
				ent_buf_printf(&doc, "%s%s", f ? "," : "", quoted ? "\"" : "");
				for (uint32_t c = here ? length : dice(3); c; c--) {
					ent_buf_u8(&doc, quoted && dice(50) == 0 ? '\n' : 'x');
				}
				ent_buf_printf(&doc, "%s", quoted ? "\"" : "");
			}
			ent_buf_printf(&doc, "%s", dice(2) ? "\r\n" : "\n");
		}
		for (unsigned width = 0; width <= ent__csv_width(); width++) {
			compare(&doc, ',', '\n', fields, width);
		}
		ent_buf_finish(&doc);
	}
}

/* ---- single documents ---- */

static ent_input in;
static ent_csv csv;
static ent_fault fault;
static int open_fd = -1;

static void finish(void) {
	ent_csv_finish(&csv);
	ent_input_finish(&in);
	if (open_fd >= 0) {
		close(open_fd);
	}
	open_fd = -1;
}

static int open_bytes(const void *bytes, size_t n, ent_csv_options o, const ent_column *columns) {
	finish();
	memset(&fault, 0, sizeof fault);
	open_fd = file_of(bytes, n);
	int status = ent_input_open(&in, open_fd, 64u << 20, 1000, &fault);
	if (!status) {
		status = ent_csv_open(&csv, &in, &o, &fault);
	}
	return status ? status : ent_csv_bind(&csv, columns, &fault);
}

static int open_text(const char *text, ent_csv_options o, const ent_column *columns) {
	return open_bytes(text, strlen(text), o, columns);
}

#define AUTO ((ent_csv_options){.quote = ENT_QUOTE_AUTO})

static const ent_column name_price[] = {{"Name", "Title|Nom", 1}, {"Price", NULL, 1}, {NULL, NULL, 0}};

static ent_row next_row(void) {
	ent_row row = {0};
	const char *why = "";
	int r = ent_csv_next(&csv, &row, &why, &fault);
	if (r != ENT_CSV_ROW) {
		fail_msg("no row: %d %s %s", r, r < 0 ? fault.e.what : "", why);
	}
	return row;
}

static void is(ent_str cell, const char *expected) { same_cell(&cell, expected, 0, 0); }

static void delimiters_are_found(void **state) {
	(void)state;
	assert_int_equal(open_text("Name;Price;\"a,b,c,d\"\nx;1,5;\n", AUTO, name_price), 0);
	assert_int_equal(csv.delimiter, ';');
	ent_row r = next_row();
	is(r.cell[0], "x");
	is(r.cell[1], "1,5");
	assert_int_equal(open_text("Name\tPrice\n\"x\t1\n", AUTO, name_price), 0);
	assert_int_equal(csv.quote, 0); /* TAB: not quoted unless the header is */
	is(next_row().cell[0], "\"x");
	assert_int_equal(open_text("\"Name\"\t\"Price\"\n\"x\"\t1\n", AUTO, name_price), 0);
	is(next_row().cell[0], "x");
	assert_int_equal(open_text("price|name\r\n1|x\r\n", AUTO, name_price), 0);
	r = next_row();
	is(r.cell[0], "x");
	is(r.cell[1], "1");
	assert_int_equal(
		open_text("report of today\n\nNOM , Price\nx,1", (ent_csv_options){.quote = -1, .skip_lines = 1}, name_price),
		0);
	is(next_row().cell[0], "x");
}

static void headers_that_do_not_fit(void **state) {
	(void)state;
	assert_int_equal(open_text("", AUTO, name_price), ENT_ERR_INVALID);
	assert_non_null(strstr(fault.e.what, "empty"));
	assert_int_equal(open_text("Nane,Pice,x\n", AUTO, name_price), ENT_ERR_INVALID);
	assert_non_null(strstr(fault.e.what, "'Name', 'Price'"));
	assert_non_null(strstr(fault.e.what, "found 3: 'Nane'"));
	assert_non_null(strstr(fault.e.todo, "'Name' looks like 'Nane'"));
	assert_int_equal(open_text("Name,x,Price,Name\n", AUTO, name_price), ENT_ERR_INVALID);
	assert_non_null(strstr(fault.e.what, "field 1 and as field 4"));
	assert_string_equal(fault.column, "Name");
	assert_int_equal(open_text("Name,x,Price,x\n", AUTO, name_price), 0); /* nobody asked for x */
	assert_int_equal(open_text("\"Name,Price\n", AUTO, name_price), ENT_ERR_INVALID);
}

static void rows_that_are_wrong(void **state) {
	(void)state;
	ent_row row;
	const char *why;
	assert_int_equal(open_text("Name,Price\na,1,2\nb,1\n", AUTO, name_price), 0);
	assert_int_equal(ent_csv_next(&csv, &row, &why, &fault), ENT_CSV_BAD);
	assert_string_equal(why, "3 fields where the header has 2");
	assert_int_equal(row.place, 11);
	is(ent_csv_bytes(&csv), "a,1,2");
	is(next_row().cell[0], "b");
	assert_int_equal(open_bytes("Name,Price\na\0b,1\nc,1\n", 21, AUTO, name_price), 0);
	assert_int_equal(ent_csv_next(&csv, &row, &why, &fault), ENT_CSV_BAD);
	assert_non_null(strstr(why, "NUL"));
	is(next_row().cell[0], "c");
	assert_int_equal(open_text("Name,Price\na,1\nb,\"2\nc,3\n", AUTO, name_price), 0);
	next_row();
	assert_int_equal(ent_csv_next(&csv, &row, &why, &fault), ENT_ERR_INVALID);
	assert_int_equal(fault.place, 17);
	assert_int_equal(fault.line, 3);
	assert_non_null(strstr(fault.e.what, "never closes"));
}

/* Exports that leave trailing columns out of some rows, and say so in the configuration. */
static void short_rows(void **state) {
	(void)state;
	static const ent_column columns[] = {{"A", NULL, 1}, {"B", NULL, 0}, {"C", NULL, 0}, {NULL, NULL, 0}};
	const ent_csv_options fill = {.quote = -1, .fill = true};
	ent_row row;
	const char *why;
	assert_int_equal(open_text("A,B,C,D\n1,2,3,4\n5\r\n6,\"7\"\"\"\n8,9,10\n,,,\n1,2,3,4,5\n11,12,13,14\n", fill, columns), 0);
	is(next_row().cell[2], "3");
	row = next_row();
	is(row.cell[0], "5");
	assert_null(row.cell[1].p); /* and not what stood in the row before */
	assert_null(row.cell[2].p);
	row = next_row();
	is(row.cell[1], "7\"");
	assert_null(row.cell[2].p);
	row = next_row();
	is(row.cell[2], "10");
	assert_non_null(next_row().cell[2].p);
	assert_int_equal(ent_csv_next(&csv, &row, &why, &fault), ENT_CSV_BAD); /* too long is still wrong */
	assert_string_equal(why, "5 fields where the header has 4");
	is(next_row().cell[2], "13");
	assert_int_equal(open_text("A\tB\tC\n1\t2\n", AUTO, columns), 0); /* without it, it is a mistake */
	assert_int_equal(ent_csv_next(&csv, &row, &why, &fault), ENT_CSV_BAD);
}

static void encodings(void **state) {
	(void)state;
	ent_csv_options latin = {.quote = -1, .encoding = ENT_ENCODING_LATIN1};
	assert_int_equal(open_text("\xef\xbb\xbfName,Price\nx,1\n", AUTO, name_price), 0);
	assert_int_equal(next_row().place, 14);
	assert_int_equal(open_text("Name,Price\nM\xfcnchen,1\nZ,2\n", latin, name_price), 0);
	is(next_row().cell[0], "M\xc3\xbcnchen");
	assert_int_equal(next_row().place, 21); /* in the document, not in the converted text */
	int r = open_text("Name,Price\nx,1\nM\xfcnchen,1\n", AUTO, name_price); /* small: seen with the header already */
	assert_int_equal(r, ENT_ERR_INVALID);
	assert_int_equal(fault.place, 16);
	assert_non_null(strstr(fault.e.what, "0xFC"));
	assert_non_null(strstr(fault.e.todo, "latin1"));
	ent_csv_options windows = {.quote = -1, .encoding = ENT_ENCODING_CP1252};
	assert_int_equal(open_text("Name,Price\n\x80 \x93x\x94,1\n", windows, name_price), 0);
	is(next_row().cell[0], "\xe2\x82\xac \xe2\x80\x9cx\xe2\x80\x9d");
	static const char le[] = "\xff\xfeN\0a\0m\0e\0\t\0P\0r\0i\0c\0e\0\n\0\xac\x20\x3d\xd8\x00\xde\t\0"
							 "1\0\n\0z\0\t\0"
							 "2\0\n";
	assert_int_equal(open_bytes(le, sizeof le, AUTO, name_price), 0);
	ent_row row = next_row();
	is(row.cell[0], "\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_int_equal(row.place, 24);
	assert_int_equal(next_row().place, 36);
	static const char be[] = "\xfe\xff\0N\0a\0m\0e\0,\0P\0r\0i\0c\0e\0\n\0x\0,\0"
							 "1";
	assert_int_equal(open_bytes(be, sizeof be - 1, AUTO, name_price), 0);
	is(next_row().cell[0], "x");
	assert_int_equal(open_bytes(le + 2, sizeof le - 2, AUTO, name_price), ENT_ERR_INVALID);
	assert_non_null(strstr(fault.e.todo, "utf-16le"));
	ent_csv_options declared = {.quote = -1, .encoding = ENT_ENCODING_UTF16LE};
	assert_int_equal(open_bytes(le + 2, sizeof le - 2, declared, name_price), 0);
	static const char half[] = "\xff\xfeN\0a\0m\0e\0\t\0P\0r\0i\0c\0e\0\n\0\x3d\xd8x\0\n\0";
	assert_int_equal(open_bytes(half, sizeof half - 1, AUTO, name_price), ENT_ERR_INVALID);
	assert_non_null(strstr(fault.e.what, "surrogate"));
}

/* ---- archives ---- */

static size_t gzip(const void *from, size_t n, uint8_t *to, size_t room) {
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)from;
	z.avail_in = (uInt)n;
	z.next_out = to;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static int count_rows(void) {
	ent_row row;
	const char *why;
	int r, n = 0;
	while ((r = ent_csv_next(&csv, &row, &why, &fault)) > 0) {
		n++;
	}
	return r ? r : n;
}

static ent_buf many_rows(int n) {
	ent_buf b = {0};
	ent_buf_printf(&b, "Name,Price\n");
	for (int i = 0; i < n; i++) {
		ent_buf_printf(&b, "\"row %d\n of many\",%u.%02u\n", i, dice(1000), dice(100));
	}
	return b;
}

static void archives(void **state) {
	(void)state;
	ent_buf b = many_rows(40000);
	size_t room = b.n + 4096, n, half = b.n / 2;
	uint8_t *packed = malloc(room);
	assert_non_null(packed);
	n = gzip(b.data, half, packed, room); /* two members, as `cat a.gz b.gz` makes them */
	n += gzip(b.data + half, b.n - half, packed + n, room - n);
	assert_int_equal(open_bytes(packed, n, AUTO, name_price), 0);
	assert_int_equal(count_rows(), 40000);
	assert_false(ent_csv_can_seek(&csv));
	for (size_t cut = 1; cut < 40; cut += 13) {
		open_bytes(packed, n - cut, AUTO, name_price);
		assert_int_equal(count_rows(), ENT_ERR_INVALID);
		assert_non_null(strstr(fault.e.what, "ends in the middle"));
		assert_true(fault.place > 0);
	}
	packed[n / 2] ^= 0x55;
	open_bytes(packed, n, AUTO, name_price);
	assert_int_equal(count_rows(), ENT_ERR_INVALID);
	n = ZSTD_compress(packed, room, b.data, b.n, 3);
	assert_false(ZSTD_isError(n));
	assert_int_equal(open_bytes(packed, n, AUTO, name_price), 0);
	assert_int_equal(count_rows(), 40000);
	open_bytes(packed, n - 5, AUTO, name_price);
	assert_int_equal(count_rows(), ENT_ERR_INVALID);
	free(packed);
	ent_buf_finish(&b);
}

static void bombs(void **state) {
	(void)state;
	size_t n = 48u << 20, room = 1u << 20;
	char *zeros = malloc(n);
	uint8_t *packed = malloc(room);
	assert_non_null(zeros);
	assert_non_null(packed);
	memset(zeros, 'x', n);
	memcpy(zeros, "Name,Price\n", 11);
	for (size_t i = 10; i < n; i += 1000) {
		memcpy(zeros + i, "\na,b", 4);
	}
	size_t packed_n = gzip(zeros, n, packed, room);
	finish();
	open_fd = file_of(packed, packed_n);
	assert_int_equal(ent_input_open(&in, open_fd, 0, 20, &fault), 0);
	assert_int_equal(ent_csv_open(&csv, &in, &(ent_csv_options){.quote = -1}, &fault), 0);
	assert_int_equal(ent_csv_bind(&csv, name_price, &fault), 0);
	assert_int_equal(count_rows(), ENT_ERR_RANGE);
	assert_non_null(strstr(fault.e.what, "bomb"));
	finish();
	open_fd = file_of(packed, packed_n);
	assert_int_equal(ent_input_open(&in, open_fd, 1u << 20, 0, &fault), 0);
	assert_int_equal(ent_csv_open(&csv, &in, &(ent_csv_options){.quote = -1}, &fault), 0);
	assert_int_equal(ent_csv_bind(&csv, name_price, &fault), 0);
	assert_int_equal(count_rows(), ENT_ERR_RANGE);
	assert_non_null(strstr(fault.e.what, "larger than"));
	finish();
	free(zeros);
	free(packed);
}

static void a_pipe_is_read_in_order(void **state) {
	(void)state;
	ent_buf b = many_rows(3000);
	finish();
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	if (!child) {
		close(pipes[0]);
		for (size_t at = 0; at < b.n;) { /* in small, uneven pieces */
			size_t piece = at < 10 ? 1 : 977;
			ssize_t w = write(pipes[1], b.data + at, b.n - at < piece ? b.n - at : piece);
			at += w > 0 ? (size_t)w : b.n;
		}
		_exit(0);
	}
	close(pipes[1]);
	open_fd = pipes[0];
	assert_int_equal(ent_input_open(&in, open_fd, 0, 0, &fault), 0);
	assert_int_equal(ent_csv_open(&csv, &in, &(ent_csv_options){.quote = -1}, &fault), 0);
	assert_int_equal(ent_csv_bind(&csv, name_price, &fault), 0);
	assert_int_equal(count_rows(), 3000);
	finish();
	ent_buf_finish(&b);
}

/* ---- into the middle ---- */

static void seeking_finds_the_rows(void **state) {
	(void)state;
	ent_buf b = many_rows(20000); /* every row has a line end within quotes */
	assert_int_equal(open_bytes(b.data, b.n, AUTO, name_price), 0);
	uint64_t *places = malloc(20001 * sizeof *places);
	assert_non_null(places);
	for (int i = 0; i < 20000; i++) {
		places[i] = next_row().place;
	}
	places[20000] = b.n;
	for (int i = 0; i < 300; i++) {
		uint64_t offset = dice((uint32_t)b.n);
		assert_int_equal(ent_csv_seek(&csv, offset, false, &fault), 0);
		uint64_t before = 0;
		ent_row row = {0};
		const char *why;
		int r;
		while ((r = ent_csv_next(&csv, &row, &why, &fault)) == ENT_CSV_ROW && row.place < offset) {
			before = row.place;
		}
		assert_in_range(r, ENT_CSV_END, ENT_CSV_ROW);
		size_t k = 0;
		while (places[k] < offset) {
			k++;
		}
		assert_int_equal(r == ENT_CSV_ROW ? row.place : b.n, places[k]);
		assert_true(k == 0 || k == 20000 || before == places[k - 1]);
	}
	assert_int_equal(ent_csv_seek(&csv, places[777], true, &fault), 0);
	assert_int_equal(next_row().place, places[777]);
	free(places);
	ent_buf_finish(&b);
	finish();
}

static void long_rows_grow_the_window(void **state) {
	(void)state;
	ent_buf b = {0};
	ent_buf_printf(&b, "Name,Price\nx,1\n\"");
	for (int i = 0; i < 3000000; i++) {
		ent_buf_u8(&b, i % 100 ? 'a' : '\n');
	}
	ent_buf_printf(&b, "\",2\ny,3\n");
	assert_int_equal(open_bytes(b.data, b.n, AUTO, name_price), 0);
	csv.keep_previous = true;
	next_row();
	ent_row row = next_row(), before;
	assert_int_equal(row.cell[0].n, 3000000);
	assert_true(ent_csv_previous(&csv, &before));
	is(before.cell[0], "x");
	is(next_row().cell[1], "3");
	assert_true(ent_csv_previous(&csv, &before));
	is(before.cell[1], "2");
	ent_buf_finish(&b);
	finish();
}

/* Characters of 2, 3 and 4 bytes lie across the ends of what is read at once. */
static void characters_across_windows(void **state) {
	(void)state;
	static const char *const letters[] = {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a"};
	ent_buf b = {0};
	ent_buf_printf(&b, "Name,Price\n");
	int rows = 0;
	for (; b.n < 1700000; rows++) {
		for (uint32_t k = dice(40); k; k--) {
			ent_buf_printf(&b, "%s", letters[dice(4)]);
		}
		ent_buf_printf(&b, ",%d\n", rows);
	}
	assert_int_equal(open_bytes(b.data, b.n, AUTO, name_price), 0);
	for (int i = 0; i < rows; i++) {
		char number[24];
		snprintf(number, sizeof number, "%d", i);
		is(next_row().cell[1], number);
	}
	assert_int_equal(count_rows(), 0);
	b.data[b.n - 3000] = 0xff; /* far behind the first window */
	assert_int_equal(open_bytes(b.data, b.n, AUTO, name_price), 0);
	assert_int_equal(count_rows(), ENT_ERR_INVALID);
	assert_in_range(fault.place, b.n - 3003, b.n - 3000); /* the byte itself, or the character that it breaks off */
	ent_buf_finish(&b);
	finish();
}

static void options_are_checked(void **state) {
	(void)state;
	ent_csv_options o = {0};
	ent_error e;
#define SET(key, value) ent_csv_option(&o, (ent_str){key, strlen(key)}, (ent_str){value, strlen(value)}, &e)
	assert_int_equal(SET("delimiter", "tab"), 0);
	assert_int_equal(o.delimiter, '\t');
	assert_int_equal(SET("delimiter", ";;"), ENT_ERR_INVALID);
	assert_int_equal(SET("quote", "none"), 0);
	assert_int_equal(SET("quote", "'"), 0);
	assert_int_equal(o.quote, '\'');
	assert_int_equal(SET("encoding", "Latin1"), 0);
	assert_int_equal(o.encoding, ENT_ENCODING_LATIN1);
	assert_int_equal(SET("encoding", "ebcdic"), ENT_ERR_INVALID);
	assert_non_null(strstr(e.todo, "utf-8"));
	assert_int_equal(SET("skip_lines", "3"), 0);
	assert_int_equal(o.skip_lines, 3);
	assert_int_equal(SET("skip_lines", "-1"), ENT_ERR_INVALID);
	assert_int_equal(SET("short_rows", "fill"), 0);
	assert_true(o.fill);
	assert_int_equal(SET("short_rows", "drop"), ENT_ERR_INVALID);
	assert_int_equal(SET("colour", "red"), ENT_ERR_NOTFOUND);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_scanners_agree_with_the_naive_one),
		cmocka_unit_test(rows_of_any_width_and_length),
		cmocka_unit_test(delimiters_are_found),
		cmocka_unit_test(headers_that_do_not_fit),
		cmocka_unit_test(short_rows),
		cmocka_unit_test(rows_that_are_wrong),
		cmocka_unit_test(encodings),
		cmocka_unit_test(archives),
		cmocka_unit_test(bombs),
		cmocka_unit_test(a_pipe_is_read_in_order),
		cmocka_unit_test(seeking_finds_the_rows),
		cmocka_unit_test(long_rows_grow_the_window),
		cmocka_unit_test(characters_across_windows),
		cmocka_unit_test(options_are_checked),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	finish();
	return failed;
}
