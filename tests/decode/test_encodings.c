/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodings of the C library: every one that `iconv -l` lists gives the rows that its own converter gives, with the
 * places that they have in the document, however it is read; and in a worker that is shut in. */
#include "base/arena.h"
#include "base/buf.h"
#include "decode/csv.h"
#include "driver.h"

#include <errno.h>
#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define PLUGINS ENTENTE_BUILD_DIR "/tests/plugins/"
#define ROOM (1u << 20)
#define MOST 4096

static const ent_column columns[] = {{"Name", NULL, 1}, {"Price", NULL, 0}, {NULL, NULL, 0}};
static const char *const samples[] = {"Z\xc3\xbcrich",
	("\xc5\x81\xc3\xb3"
	 "d\xc5\xba"),
	"\xd0\x9c\xd0\xbe\xd1\x81\xd0\xba\xd0\xb2\xd0\xb0", "\xce\x91\xce\xb8\xce\xae\xce\xbd\xce\xb1",
	"\xd7\x99\xd7\xa8\xd7\x95\xd7\xa9\xd7\x9c\xd7\x99\xd7\x9d",
	"\xd8\xa7\xd9\x84\xd9\x82\xd8\xa7\xd9\x87\xd8\xb1\xd8\xa9", "\xe6\x9d\xb1\xe4\xba\xac\xe8\xa1\xa8",
	"\xe2\x91\xa0\xe9\xab\x99", "\xef\xbd\xb1\xef\xbd\xb2", "\xe5\x8c\x97\xe4\xba\xac", "\xf0\xa0\xae\xb7",
	"\xec\x84\x9c\xec\x9a\xb8", "\xe0\xb8\x81\xe0\xb8\xa3\xe0\xb8\xb8\xe0\xb8\x87", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
	"plain", "a~b\\c"};

/* ---- documents ---- */

typedef struct document {
	char *bytes;
	size_t n;
	uint64_t places[MOST]; /* of the rows */
	const char *names[MOST];
	unsigned rows, foreign; /* foreign: rows whose name is not ASCII */
} document;

/* Adds text in the encoding. False: it has no such characters. */
static bool add(document *d, iconv_t cd, const char *text) {
	char *from = (char *)(uintptr_t)text, *to = d->bytes + d->n;
	size_t left = strlen(text), room = ROOM - d->n;
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1) {
		return false;
	}
	d->n = (size_t)(to - d->bytes);
	return true;
}

static bool has(const char *charset, const char *sample) {
	char text[200], back[200], line[100];
	snprintf(line, sizeof line, "%s\n", sample);
	document d = {.bytes = text};
	iconv_t cd = iconv_open(charset, "UTF-8"), other = iconv_open("UTF-8", charset);
	bool ok = cd != (iconv_t)-1 && other != (iconv_t)-1 && add(&d, cd, line);
	char *from = text, *to = back;
	size_t left = d.n, room = sizeof back - 1;
	ok = ok && iconv(other, &from, &left, &to, &room) == 0 && iconv(other, NULL, NULL, &to, &room) == 0;
	if (cd != (iconv_t)-1) {
		iconv_close(cd);
	}
	if (other != (iconv_t)-1) {
		iconv_close(other);
	}
	*to = 0;
	return ok && !strcmp(back, line);
}

/* A document of `rows` rows; `pad` moves all of them by so many characters. False: it cannot say what a header says. */
static bool make(document *d, const char *charset, unsigned rows, unsigned pad) {
	const char *names[sizeof samples / sizeof *samples];
	unsigned n = 0;
	char line[512];
	if (!has(charset, "Name,Price\"1")) {
		return false;
	}
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		if (has(charset, samples[i])) {
			names[n++] = samples[i];
		}
	}
	iconv_t cd = iconv_open(charset, "UTF-8");
	*d = (document){.bytes = ent_xmalloc(ROOM)};
	snprintf(line, sizeof line, "Name,Price,%.*s\n", (int)pad,
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	bool ok = add(d, cd, line);
	for (unsigned i = 0; ok && n && i < rows; i++) {
		const char *name = names[i % n];
		d->foreign += name[0] < 0 || name[1] < 0;
		d->names[d->rows] = name;
		d->places[d->rows++] = d->n;
		snprintf(line, sizeof line, i % 7 == 3 ? "\"%s\",%u,\"%s\n%s\"\r\n" : "%s,%u,%s%s\n", name, i,
			names[(i + 1) % n], names[(i + 2) % n]);
		ok = add(d, cd, line);
	}
	iconv_close(cd);
	if (!ok || !n) {
		free(d->bytes);
	}
	return ok && n;
}

static int file_of(const void *bytes, size_t n) {
	int fd = memfd_create("document", MFD_CLOEXEC);
	assert_true(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
	return fd;
}

static void names_of_all(char names[][ENT_CHARSET_MAX], unsigned *n) {
	*n = 0;
	FILE *list = popen("iconv -l 2>/dev/null", "r");
	char line[200];
	while (list && fgets(line, sizeof line, list) && *n < 2000) {
		line[strcspn(line, "/\n")] = 0;
		if (line[0] && strlen(line) < ENT_CHARSET_MAX) {
			strcpy(names[(*n)++], line);
		}
	}
	if (list) {
		pclose(list);
	}
}

/* ---- the frames ---- */

static void check(const char *name, const char *charset, const document *d) {
	ent_csv csv;
	ent_input in;
	ent_fault f = {0};
	ent_csv_options o = {.quote = ENT_QUOTE_AUTO, .delimiter = ','};
	ent_error e = {0};
	if (ent_csv_option(&o, (ent_str){"encoding", 8}, (ent_str){name, strlen(name)}, &e)) {
		fail_msg("%s: %s", name, e.what);
	}
	int fd = file_of(d->bytes, d->n);
	assert_int_equal(ent_input_open(&in, fd, 0, 0, &f), 0);
	if (ent_csv_open(&csv, &in, &o, &f) || ent_csv_bind(&csv, columns, &f)) {
		fail_msg("%s: %s", name, f.e.what);
	}
	ent_row row;
	const char *why;
	for (unsigned i = 0; i < d->rows; i++) {
		int r = ent_csv_next(&csv, &row, &why, &f);
		if (r != ENT_CSV_ROW) {
			fail_msg("%s (%s), row %u: %s", name, charset, i, r < 0 ? f.e.what : r ? why : "too few");
		}
		if (row.cell[0].n != strlen(d->names[i]) || memcmp(row.cell[0].p, d->names[i], row.cell[0].n) != 0) {
			fail_msg("%s: row %u is '%.*s' and not '%s'", name, i, (int)row.cell[0].n, row.cell[0].p, d->names[i]);
		}
		if (row.place != d->places[i] || row.line != i + 2) {
			fail_msg("%s: row %u is said to be at %zu and not %zu", name, i, (size_t)row.place, (size_t)d->places[i]);
		}
	}
	assert_int_equal(ent_csv_next(&csv, &row, &why, &f), ENT_CSV_END);
	ent_csv_finish(&csv);
	ent_input_finish(&in);
	close(fd);
}

/* Where an encoding stands for a wider one, the wider one is what documents are made in. */
static const char *meant(const char *name) {
	static ent_charset charset;
	ent_encoding encoding;
	if (!ent_encoding_parse(name, strlen(name), &encoding, &charset)) {
		return NULL;
	}
	return encoding == ENT_ENCODING_ICONV ? charset.name : name;
}

static void every_encoding(void **state) {
	(void)state;
	static char names[2000][ENT_CHARSET_MAX];
	unsigned n, foreign = 0, checked = 0;
	names_of_all(names, &n);
	if (n < 50) {
		skip(); /* no program `iconv` here that lists them */
	}
	for (unsigned i = 0; i < n; i++) {
		const char *charset = meant(names[i]);
		document d;
		if (!charset || !make(&d, charset, 60, 0)) {
			continue; /* of some, only variants with a slash are there; some have no quotes, some no commas */
		}
		check(names[i], charset, &d);
		foreign += d.foreign > 0;
		checked++;
		free(d.bytes);
	}
	assert_true(checked > 300); /* names: of some 250 encodings */
	assert_true(foreign > 250);
}

/* Characters and escapes across the borders of what is read and converted at once. */
static void across_borders(void **state) {
	(void)state;
	static const char *const names[] = {"shift_jis", "gb18030", "euc-jp", "big5", "uhc", "iso-2022-jp", "utf-7",
		"utf-32", "utf-32be", "windows-1255", "koi8-r", "cp930", "euc-tw", NULL};
	for (const char *const *name = names; *name; name++) {
		for (unsigned pad = 0; pad < 7; pad++) {
			document d;
			assert_true(make(&d, meant(*name), MOST, pad * 5 % 11));
			assert_true(d.foreign > 100);
			check(*name, meant(*name), &d);
			free(d.bytes);
		}
	}
}

/* In pieces of any size. */
static void small_pieces(void **state) {
	(void)state;
	for (const char *const *name = ent_encoding_names; *name; name++) {
		document d;
		ent_encoding encoding;
		ent_charset charset;
		assert_true(ent_encoding_parse(*name, strlen(*name), &encoding, &charset));
		if (encoding != ENT_ENCODING_ICONV || !make(&d, charset.name, 100, 0)) {
			continue;
		}
		ent_buf whole = {0};
		for (size_t piece = 1 << 20; piece > 63; piece = piece > 80 ? 80 : piece - 1) {
			int fd = file_of(d.bytes, d.n);
			ent_input in;
			ent_text t;
			ent_fault f = {0};
			ent_buf got = {0};
			ssize_t n;
			assert_int_equal(ent_input_open(&in, fd, 0, 0, &f), 0);
			assert_int_equal(ent_text_open(&t, &in, encoding, &charset, &f), 0);
			do {
				ent_buf_reserve(&got, piece);
				n = ent_text_read(&t, (char *)got.data + got.n, piece, &f);
				assert_true(n >= 0);
				got.n += (size_t)n;
			} while (n);
			if (!whole.n) {
				ent_buf_add(&whole, got.data, got.n);
			}
			assert_int_equal(got.n, whole.n);
			assert_memory_equal(got.data, whole.data, whole.n);
			ent_buf_finish(&got);
			ent_text_finish(&t);
			ent_input_finish(&in);
			close(fd);
		}
		ent_buf_finish(&whole);
		free(d.bytes);
	}
}

/* The fault of a document in which `bytes` stand. */
static ent_fault fault_of(const char *encoding, const char *bytes, size_t n) {
	ent_csv csv;
	ent_input in;
	ent_fault f = {0};
	ent_csv_options o = {.quote = ENT_QUOTE_AUTO};
	ent_error e = {0};
	ent_row row;
	const char *why;
	assert_int_equal(ent_csv_option(&o, (ent_str){"encoding", 8}, (ent_str){encoding, strlen(encoding)}, &e), 0);
	int fd = file_of(bytes, n);
	assert_int_equal(ent_input_open(&in, fd, 0, 0, &f), 0);
	int r = ent_csv_open(&csv, &in, &o, &f);
	r = r ? r : ent_csv_bind(&csv, columns, &f);
	while (!r && (r = ent_csv_next(&csv, &row, &why, &f)) > 0) {
		r = 0;
	}
	ent_csv_finish(&csv);
	ent_input_finish(&in);
	close(fd);
	return f;
}

static void broken_bytes(void **state) {
	(void)state;
	static const struct {
		const char *encoding, *bytes, *says;
		uint64_t place;
	} cases[] = {
		{"shift_jis", "Name,Price\n\x93\x8c\x8b\x9e,1\n\x81\x20,2\n", "0x81 0x20 are no character of CP932", 18},
		{"euc-jp", "Name,Price\n\xc5\xec,1\n\xff,2\n", "0xFF is no character of EUC-JP-MS", 16},
		{"gb18030", "Name,Price\n\x84\x31\x82\x20,2\n", "of GB18030", 11},
		{"gb18030", "Name,Price\nx,2\n\x84", "ends in the middle of a character", 15},
		{"windows-1257", "Name,Price\nx\xa1,2\n", "0xA1 is no character of WINDOWS-1257", 12},
		{"iso-8859-7", "Name,Price\n\xae\n", "0xAE is no character of ISO-8859-7", 11},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ent_fault f = fault_of(cases[i].encoding, cases[i].bytes, strlen(cases[i].bytes));
		if (!strstr(f.e.what, cases[i].says) || f.place != cases[i].place || !f.e.todo[0]) {
			fail_msg("%s: '%s' at %zu", cases[i].encoding, f.e.what, (size_t)f.place);
		}
	}
}

static void marks(void **state) {
	(void)state;
	static const char gb[] = "\x84\x31\x95\x33Name,Price\n\xb1\xb1,1\n";
	document d = {
		.bytes = (char *)(uintptr_t)gb, .n = sizeof gb - 1, .names = {"\xe5\x8c\x97"}, .places = {15}, .rows = 1};
	check("gb18030", "GB18030", &d);
	static const char wide[] =
		"\xff\xfe\0\0N\0\0\0a\0\0\0m\0\0\0e\0\0\0,\0\0\0P\0\0\0\n\0\0\0x\0\0\0,\0\0\0y\0\0\0\n\0\0\0";
	document w = {.bytes = (char *)(uintptr_t)wide, .n = sizeof wide - 1, .names = {"x"}, .places = {32}, .rows = 1};
	check("utf-32le", "UTF-32LE", &w);
	check("utf-32", "UTF-32", &w);
	static const char utf8[] =
		"\xef\xbb\xbfName,Price\n\xe5\x8c\x97,1\n"; /* a mark is evidence, a declaration is none */
	document u = {
		.bytes = (char *)(uintptr_t)utf8, .n = sizeof utf8 - 1, .names = {"\xe5\x8c\x97"}, .places = {14}, .rows = 1};
	check("shift_jis", "UTF-8", &u);
}

static void names(void **state) {
	(void)state;
	static const char *const wrong[] = {
		"", "klingon", "utf-8//IGNORE", "../x", "cp 932", "a-name-that-is-far-longer-than-any-encoding-has", NULL};
	ent_encoding encoding;
	ent_charset charset;
	for (const char *const *name = wrong; *name; name++) {
		assert_false(ent_encoding_parse(*name, strlen(*name), &encoding, &charset));
	}
	for (const char *const *name = ent_encoding_names; *name; name++) { /* what is suggested is there */
		assert_true(ent_encoding_parse(*name, strlen(*name), &encoding, &charset));
	}
	assert_true(ent_encoding_parse("Shift_JIS", 9, &encoding, &charset));
	assert_string_equal(charset.name, "CP932");
}

/* ---- the worker, shut in ---- */

enum { ROWS = 1, LINES, DOCUMENT };

static void shut_in(void **state) {
	(void)state;
	static const char *const named[] = {"shift_jis", "gb18030", "iso-8859-2", "utf-8", "klingon", NULL};
	static const char *const shift_jis[] = {"encoding", "shift_jis", NULL},
							 *const gb18030[] = {"encoding", "GB18030", NULL},
							 *const johab[] = {"encoding", "johab", NULL};
	driver w;
	driver_start(&w, &(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT, .encodings = named});
	if (!strstr(w.sandbox, "landlock") || strstr(w.sandbox, "no landlock")) {
		print_message("no Landlock here: %s\n", w.sandbox);
	}
	assert_true(driver_load(&w, PLUGINS "shop.so"));
	if (!driver_open(&w, ROWS, "rows", 1, shift_jis) || !driver_open(&w, LINES, "lines", 0, shift_jis) ||
		!driver_open(&w, DOCUMENT, "whole", 0, gb18030)) {
		fail_msg("%s; %s", w.failed.what, w.failed.todo);
	}
	/* what nobody named is a file that it cannot open any more: were it open, there would be no reason to name any */
	assert_false(driver_open(&w, 9, "rows", 1, johab));
	assert_non_null(strstr(w.failed.what, "unknown encoding 'johab'"));
	static const char rows[] =
		"Name,At,Currency,Total,Vendor,Sku\n\x93\x8c\x8b\x9e,2024-03-02,EUR,5,\x96\x6b,\x83\x5c\n"
		"#2,2024-03-02,EUR,x,\x93\x8c,\x83\x5c\n";
	driver_clear(&w);
	int fd = driver_file(rows, sizeof rows - 1);
	assert_true(driver_decode(&w, ROWS, fd, 0, UINT64_MAX, false, -1));
	close(fd);
	assert_string_equal(w.docs[0].key, "\xe6\x9d\xb1\xe4\xba\xac");
	assert_string_equal(w.docs[0].partner, "\xe5\x8c\x97");
	assert_int_equal(w.docs[0].place, 34);
	assert_int_equal(w.n_rejects, 1);
	assert_int_equal(w.rejects[0].place, 62);
	assert_int_equal(w.rejects[0].line, 3);
	assert_string_equal(w.done.notes, "CP932, ,");
	/* places of lines, and within them, are those of the document; the backslash is one */
	static const char lines[] = "{\"k\":\"\x93\x8c\"}\n\n{\"k\":\"\x83\x5c\x83\x5c\"}\n{\"x\":\"bad\"}\n{\"k\":"
								"\"\x96\x6b\"}\n{\"x\":\"bad\"}\n";
	driver_clear(&w);
	fd = driver_file(lines, sizeof lines - 1);
	assert_true(driver_decode(&w, LINES, fd, 0, UINT64_MAX, false, -1));
	close(fd);
	assert_int_equal(w.n_docs, 3);
	assert_string_equal(w.docs[2].key, "\xe5\x8c\x97");
	assert_int_equal(w.docs[0].place, 0);
	assert_int_equal(w.docs[1].place, 12);
	assert_int_equal(w.docs[2].place, 37);
	assert_int_equal(w.rejected, 2);
	assert_int_equal(w.n_rejects, 4); /* the plugin says it twice */
	assert_int_equal(w.rejects[0].place, 25);
	assert_int_equal(w.rejects[2].place, 48);
	assert_int_equal(w.records, 5);
	static const char body[] = "{\"k\":\"\x81\x30\x84\x36\"}\n{\"k\":\"\xb1\xb1\"}\n{\"x\":\"bad\"}\n";
	driver_clear(&w);
	fd = driver_file(body, sizeof body - 1);
	assert_true(driver_decode(&w, DOCUMENT, fd, 0, UINT64_MAX, false, -1));
	close(fd);
	assert_int_equal(w.docs[1].place, 13);
	assert_int_equal(w.rejects[0].place, 24);
	assert_int_equal(driver_finish(&w), 0);
}

/* An encoding in which each byte is a character is cut into ranges as UTF-8 is; any other belongs whole to the first.
 */
static void ranges(void **state) {
	(void)state;
	static const char *const named[] = {"iso-8859-2", "shift_jis", "cp037", NULL};
	for (const char *const *name = named; *name; name++) {
		driver w;
		const char *const options[] = {"encoding", *name, NULL};
		driver_start(&w, &(driver_setup){.sandbox = ENT_SANDBOX_BEST_EFFORT, .encodings = named});
		assert_true(driver_load(&w, PLUGINS "shop.so"));
		assert_true(driver_open(&w, ROWS, "rows", 1, options) && driver_open(&w, LINES, "lines", 0, options));
		for (unsigned frame = ROWS; frame <= LINES; frame++) {
			document d = {.bytes = ent_xmalloc(ROOM)};
			const char *charset = meant(*name);
			iconv_t cd = iconv_open(charset, "UTF-8");
			const char *text = has(charset, "\xc5\x81\xc3\xb3"
											"d\xc5\xba")
								   ? "\xc5\x81\xc3\xb3"
									 "d\xc5\xba"
							   : has(charset, "\xe6\x9d\xb1") ? "\xe6\x9d\xb1"
															  : "x\xc3\xbc";
			assert_true(frame == LINES || add(&d, cd, "Name,At,Currency,Total,Sku,Note\n"));
			for (unsigned i = 0; i < 500; i++) {
				char line[200];
				snprintf(line, sizeof line,
					frame == LINES ? "{\"k\":\"%s%u\"}\n" : "#%2$u,2024-03-02,EUR,5,%1$s,\"%1$s\n%1$s\"\n", text, i);
				assert_true(add(&d, cd, line));
			}
			iconv_close(cd);
			int fd = driver_file(d.bytes, d.n);
			driver_clear(&w);
			if (!driver_decode(&w, frame, fd, 0, UINT64_MAX, false, -1)) {
				fail_msg("%s: %s", *name, w.failed.what);
			}
			driver_outcome whole = driver_result(&w);
			assert_int_equal(whole.n_docs, 500);
			for (uint64_t chunk = 700; chunk < d.n; chunk = chunk * 3 + 11) {
				driver_clear(&w);
				unsigned ranges_with_rows = 0;
				uint64_t expected = 0;
				for (uint64_t begin = 0; begin < d.n; begin += chunk) {
					size_t before = w.n_docs;
					assert_true(driver_decode(
						&w, frame, fd, begin, begin + chunk < d.n ? begin + chunk : UINT64_MAX, false, -1));
					assert_true(w.n_docs == before || w.done.begin == expected);
					expected = w.n_docs == before ? expected : w.done.end;
					ranges_with_rows += w.n_docs > before;
				}
				driver_outcome parts = driver_result(&w);
				assert_int_equal(parts.n_docs, 500);
				for (size_t i = 0; i < 500; i++) {
					assert_true(
						parts.docs[i].place == whole.docs[i].place && parts.docs[i].content == whole.docs[i].content);
				}
				assert_true((ranges_with_rows > 1) == !strcmp(*name, "iso-8859-2"));
				free(parts.docs);
			}
			free(whole.docs);
			free(d.bytes);
			close(fd);
		}
		assert_int_equal(driver_finish(&w), 0);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(marks),
		cmocka_unit_test(broken_bytes),
		cmocka_unit_test(every_encoding),
		cmocka_unit_test(across_borders),
		cmocka_unit_test(small_pieces),
		cmocka_unit_test(shut_in),
		cmocka_unit_test(ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
