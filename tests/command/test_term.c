/* SPDX-License-Identifier: Apache-2.0
 *
 * Text for people: widths, cleaning, tables that fit, numbers. */
#include "command/term.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <fcntl.h>
#include <pty.h>
#include <unistd.h>
#include <cmocka.h>

static const ent_term piped = {0};

static void is(ent_buf *out, const char *expected) {
	ent_buf_u8(out, 0);
	assert_string_equal((char *)out->data, expected);
	out->n = 0;
}

static size_t width(const char *text) { return ent_text_width(text, strlen(text)); }

static void widths(void **state) {
	(void)state;
	assert_int_equal(width("abc"), 3);
	assert_int_equal(width("Möbler"), 6);
	assert_int_equal(width("e\xcc\x81"), 1); /* combining acute */
	assert_int_equal(width("株式会社"), 8);
	assert_int_equal(width("🚀"), 2);
	assert_int_equal(width("…"), 1);
	assert_int_equal(width("\xff\xfe"), 2);
}

static void cleaning(void **state) {
	(void)state;
	ent_buf out = {0};
	ent_term_text(&piped, &out, ENT_BAD,
		"a\033[2Jb\r\x07"
		"c\n\xc2\x9b"
		"d\xff\xe2\x80\xae");
	is(&out, "a?[2Jb??c\n?d??");
	const ent_term colours = {.tty = true, .colour = true, .width = 80};
	ent_term_text(&colours, &out, ENT_BAD, "x");
	is(&out, "\033[31mx\033[0m");
	ent_term_text(&colours, &out, ENT_PLAIN, "x");
	is(&out, "x");
	ent_term_init(&(ent_term){0}, STDOUT_FILENO);
	ent_buf_finish(&out);
}

static const ent_table_column columns[] = {{.title = "partner"}, {.title = "id", .fixed = true},
	{.title = "revenue", .right = true}, {.title = "what"}, {.title = NULL}};

static void fill(ent_table *table) {
	ent_table_init(table, columns);
	ent_table_cell(table, "Möbler & Söhne Aktiengesellschaft");
	ent_table_cell(table, "moebler");
	ent_table_cell(table, "3,135,351.20");
	ent_table_styled(table, ENT_BAD, "trails its cohort, and has done so for a long time");
	ent_table_cell(table, "株式会社ノルド");
	ent_table_cell(table, NULL);
	ent_table_printf(table, ENT_PLAIN, "%d", 7);
	ent_table_cell(table, "a\tb\nc");
}

static void tables(void **state) {
	(void)state;
	ent_buf out = {0};
	ent_table table;
	fill(&table);
	assert_int_equal(ent_table_rows(&table), 2);
	ent_table_print(&table, &piped, &out);
	is(&out,
		"partner                            id            revenue  what\n"
		"Möbler & Söhne Aktiengesellschaft  moebler  3,135,351.20  trails its cohort, and has done so for a long time\n"
		"株式会社ノルド                                         7  a?b?c\n");
	const ent_term narrow = {.tty = true, .width = 60};
	ent_table_print(&table, &narrow, &out);
	is(&out, "partner            id            revenue  what\n"
			 "Möbler & Söhne A…  moebler  3,135,351.20  trails its cohort…\n"
			 "株式会社ノルド                         7  a?b?c\n");
	/* numbers and fixed columns are whole even where there is no room */
	const ent_term tiny = {.tty = true, .width = 20};
	ent_table_print(&table, &tiny, &out);
	is(&out, "partn…  id            revenue  what\n"
			 "Möble…  moebler  3,135,351.20  trail…\n"
			 "株式…                       7  a?b?c\n");
	const ent_term colours = {.tty = true, .colour = true, .width = 200};
	ent_table_print(&table, &colours, &out);
	assert_non_null(strstr((char *)out.data, "\033[31mtrails its cohort, and has done so for a long time\033[0m\n"));
	assert_non_null(strstr((char *)out.data, "\033[1mpartner\033[0m"));
	ent_table_finish(&table);
	ent_table_finish(&table);
	ent_buf_finish(&out);
}

static void wrapping(void **state) {
	(void)state;
	ent_buf out = {0};
	const ent_term term = {.tty = true, .width = 20};
	ent_term_wrap(&term, &out, 4, "one two three four five\nsix");
	is(&out, "one two three\n    four five\n    six");
	ent_buf_finish(&out);
}

static void number(__int128 value, unsigned scale, unsigned digits, const char *expected) {
	char text[ENT_NUMBER_TEXT];
	assert_string_equal(ent_number_text(value, scale, digits, text), expected);
}

static void numbers(void **state) {
	(void)state;
	char text[ENT_NUMBER_TEXT];
	number(3135351200000, 6, 2, "3,135,351.20");
	number(-1234567890, 6, 2, "-1,234.57");
	number(125000, 6, 2, "0.12"); /* half to even */
	number(135000, 6, 2, "0.14");
	number(-1000, 6, 2, "0.00"); /* no minus zero */
	number(999995000, 6, 2, "1,000.00");
	number(999999, 0, 0, "999,999");
	number(1000, 0, 0, "1,000");
	number(7, 0, 2, "7.00");
	number(1500000, 6, 0, "2");
	number(0, 6, 0, "0");
	number((__int128)INT64_MAX * 1000000, 6, 0, "9,223,372,036,854,775,807");
	assert_string_equal(ent_bytes_text(512, text), "512 B");
	assert_string_equal(ent_bytes_text(1200000, text), "1.2 MB");
	assert_string_equal(ent_bytes_text(999999, text), "1.0 MB");
	assert_string_equal(ent_bytes_text(60000000000, text), "60 GB");
	assert_string_equal(ent_span_text(3.6, text), "4 s");
	assert_string_equal(ent_span_text(200, text), "3 min 20 s");
	assert_string_equal(ent_span_text(7500, text), "2 h 5 min");
}

static void pause_ms(int ms) { usleep((useconds_t)ms * 1000); }

/* Standard error on a pseudo-terminal of 60 columns: what a person would see of a long run. */
static void progress(void **state) {
	(void)state;
	int ours, theirs, kept = dup(STDERR_FILENO);
	struct winsize size = {.ws_row = 24, .ws_col = 60};
	char seen[4096];
	ent_progress p;
	assert_int_equal(openpty(&ours, &theirs, NULL, NULL, &size), 0);
	fcntl(ours, F_SETFL, O_NONBLOCK);
	unsetenv("COLUMNS");
	dup2(theirs, STDERR_FILENO);
	ent_progress_init(&p, false);
	ent_progress_show(&p, "reading at once", 1, 100, 0); /* what is over at once shows nothing */
	assert_true(read(ours, seen, sizeof seen) < 0);
	pause_ms(350);
	ent_progress_show(&p, "reading exports/nordwind/a-very-long-name-of-a-file.csv\n", 50000000, 200000000, 7000);
	ent_progress_show(&p, "too soon", 50000000, 200000000, 7000);
	ssize_t n = read(ours, seen, sizeof seen - 1);
	assert_true(n > 0);
	seen[n] = 0;
	assert_memory_equal(seen, "\r\033[K 25 %  ", 11);
	assert_non_null(strstr(seen, " MB/s  "));
	assert_non_null(strstr(seen, " rows/s  reading exports"));
	assert_null(strstr(seen, "too soon"));
	assert_int_equal(width(seen + 4), 59); /* one line, not wrapped */
	ent_progress_clear(&p);
	n = read(ours, seen, sizeof seen);
	assert_int_equal(n, 4);
	ent_progress_clear(&p);
	ent_progress_init(&p, true);
	pause_ms(350);
	ent_progress_show(&p, "quiet", 1, 2, 3);
	int null = open("/dev/null", O_WRONLY);
	dup2(null, STDERR_FILENO);
	ent_progress_init(&p, false);
	assert_true(p.quiet); /* no terminal */
	assert_true(read(ours, seen, sizeof seen) < 0);
	dup2(kept, STDERR_FILENO);
	close(null);
	close(kept);
	close(ours);
	close(theirs);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths),
		cmocka_unit_test(cleaning),
		cmocka_unit_test(tables),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(numbers),
		cmocka_unit_test(progress),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
