/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a spreadsheet, see register_csv.h. */
#include "command/register_csv.h"
#include "base/arena.h"
#include "config/errors.h"
#include "decode/csv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int check_header(const ent_csv *csv, const char *const *names, size_t n, ent_error *e) {
	for (uint32_t i = 0; i < csv->fields; i++) {
		char name[128];
		size_t length = csv->names[i].n < sizeof name ? csv->names[i].n : sizeof name - 1;
		memcpy(name, csv->names[i].p, length);
		name[length] = 0;
		bool known = false;
		for (size_t k = 0; k < n && !known; k++) {
			known = !strcasecmp(name, names[k]);
		}
		if (!known && length) {
			const char *near = ent_nearest(name, names, n);
			ent_error_set(e, ENT_ERR_INVALID, "column %u, '%s', is none of the register's", i + 1, name);
			e->line = 1;
			e->column = i + 1;
			return near ? ent_error_todo(e, "did you mean '%s'?", near)
						: ent_error_todo(e, "take it out, or write it into a field that the register has");
		}
	}
	return 0;
}

static int each_row(ent_csv *csv, size_t n, ent__csv_visit visit, void *ctx, ent_fault *fault, ent_error *e) {
	const char **cells = ent_xcalloc(n, sizeof *cells);
	int status = 0;
	ent_row row;
	const char *why;
	int result;
	while (!status && (result = ent_csv_next(csv, &row, &why, fault)) > 0) {
		if (result == ENT_CSV_BAD) {
			ent_error_set(e, ENT_ERR_INVALID, "%s", why);
			ent_error_todo(e, "mend the row; nothing was imported");
			e->line = (uint32_t)csv->line;
			status = e->code;
			break;
		}
		ent_arena arena = {0};
		for (size_t i = 0; i < n; i++) {
			cells[i] = ent_arena_copy(&arena, row.cell[i].p, row.cell[i].n);
		}
		status = visit(ctx, row.line, cells);
		ent_arena_finish(&arena);
	}
	if (!status && result < 0) {
		*e = fault->e;
		e->line = (uint32_t)fault->line;
		status = e->code;
	}
	free(cells);
	return status;
}

int ent__csv_each(int fd, const char *path, const char *const *names, size_t n, ent__csv_visit visit, void *ctx, ent_error *e) {
	ent_input input = {0};
	ent_csv csv = {0};
	ent_csv_options options = {.quote = ENT_QUOTE_AUTO};
	ent_fault fault = {0};
	ent_column *columns = ent_xcalloc(n + 1, sizeof *columns);
	for (size_t i = 0; i < n; i++) {
		columns[i].name = names[i];
	}
	int status = ent_input_open(&input, fd, UINT64_C(1) << 30, 1000, &fault);
	if (!status) {
		status = ent_csv_open(&csv, &input, &options, &fault);
	}
	if (!status) {
		status = ent_csv_bind(&csv, columns, &fault);
	}
	if (status) {
		*e = fault.e;
		e->line = (uint32_t)fault.line;
	} else if (!(status = check_header(&csv, names, n, e))) {
		status = each_row(&csv, n, visit, ctx, &fault, e);
	}
	if (status && !e->file[0]) {
		ent_error_at(e, path, e->line, e->column);
	}
	ent_csv_finish(&csv);
	ent_input_finish(&input);
	free(columns);
	close(fd);
	return status;
}
