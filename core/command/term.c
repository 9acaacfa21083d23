/* SPDX-License-Identifier: Apache-2.0
 *
 * The terminal: what it can do, how wide text is, styles, wrapping. See term.h. */
#include "command/term.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json.h"
#include "command/internal.h"

enum { NARROWEST = 20, UNKNOWN_WIDTH = 80, WRAP_WIDTH = 100 };

void ent_term_init(ent_term *term, int fd) {
	const char *no = getenv("NO_COLOR"), *type = getenv("TERM"), *columns = getenv("COLUMNS");
	struct winsize size;
	memset(term, 0, sizeof *term);
	term->tty = isatty(fd) == 1;
	if (!term->tty) {
		return;
	}
	/* https://no-color.org: set and not empty */
	term->colour = !(no && *no) && type && strcmp(type, "dumb") != 0;
	term->width = UNKNOWN_WIDTH;
	if (columns && atoi(columns) > 0) {
		term->width = (unsigned)atoi(columns);
	} else if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col) {
		term->width = size.ws_col;
	}
	term->width = term->width < NARROWEST ? NARROWEST : term->width;
}

/* ---- width of text ------------------------------------------------------------------------------------------------
 */

typedef struct range {
	uint32_t first, last;
} range;

/* clang-format off */
/* Characters that take no column: combining marks of the scripts that are met with, joiners, variation selectors. */
static const range narrow[] = {
	{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
	{0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d}, {0x0e31, 0x0e31},
	{0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
	{0x2028, 0x202e}, {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
	{0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
};

/* Characters that take two columns: East Asian wide and fullwidth ones, emoji. */
static const range wide[] = {
	{0x1100, 0x115f}, {0x231a, 0x231b}, {0x23e9, 0x23ec}, {0x2614, 0x2615}, {0x26a1, 0x26a1},
	{0x2705, 0x2705}, {0x274c, 0x274c}, {0x2e80, 0x303e}, {0x3041, 0x33ff}, {0x3400, 0x4dbf},
	{0x4e00, 0x9fff}, {0xa000, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
	{0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
	{0x20000, 0x3fffd},
};
/* clang-format on */

static bool within(uint32_t c, const range *ranges, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (c >= ranges[i].first && c <= ranges[i].last) {
			return true;
		}
	}
	return false;
}

/* Length in bytes of the character at p and its width; wrong bytes and control characters take one column, as '?'. */
static size_t step(const char *p, size_t n, size_t *width, bool *shown) {
	const unsigned char *u = (const unsigned char *)p;
	size_t length = ent_utf8_length(p, n);
	uint32_t c = u[0];
	*width = 1;
	*shown = length > 0;
	if (length > 1) {
		c = u[0] & (0x7f >> length);
		for (size_t i = 1; i < length; i++) {
			c = c << 6 | (u[i] & 0x3f);
		}
		*width = within(c, narrow, sizeof narrow / sizeof *narrow) ? 0
				 : within(c, wide, sizeof wide / sizeof *wide)     ? 2
																   : 1;
	}
	/* C0, DEL, C1, and those that turn the direction of text around */
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)) {
		*shown = false;
		*width = 1;
	}
	return length ? length : 1;
}

size_t ent_text_width(const char *p, size_t n) {
	size_t total = 0, width;
	bool shown;
	for (size_t i = 0; i < n;) {
		i += step(p + i, n - i, &width, &shown);
		total += width;
	}
	return total;
}

void ent__text_clean(ent_buf *out, const char *p, size_t n, size_t columns, bool lines) {
	size_t width, length, used = 0;
	bool shown;
	for (size_t i = 0; i < n; i += length) {
		length = step(p + i, n - i, &width, &shown);
		if (used + width > columns) {
			return;
		}
		used += width;
		if (shown || (lines && p[i] == '\n')) {
			ent_buf_add(out, p + i, length);
		} else {
			ent_buf_u8(out, '?');
		}
	}
}

/* ---- styles -------------------------------------------------------------------------------------------------------
 */

static const char *const codes[] = {
	[ENT_PLAIN] = "",
	[ENT_BOLD] = "\033[1m",
	[ENT_FAINT] = "\033[2m",
	[ENT_GOOD] = "\033[32m",
	[ENT_WARN] = "\033[33m",
	[ENT_BAD] = "\033[31m",
	[ENT_ACCENT] = "\033[36m",
};

void ent__style_begin(const ent_term *term, ent_buf *out, ent_style style) {
	if (term->colour && style != ENT_PLAIN) {
		ent_buf_add(out, codes[style], strlen(codes[style]));
	}
}

void ent__style_end(const ent_term *term, ent_buf *out, ent_style style) {
	if (term->colour && style != ENT_PLAIN) {
		ent_buf_add(out, "\033[0m", 4);
	}
}

void ent_term_text(const ent_term *term, ent_buf *out, ent_style style, const char *text) {
	ent__style_begin(term, out, style);
	ent__text_clean(out, text, strlen(text), SIZE_MAX, true);
	ent__style_end(term, out, style);
}

void ent_term_printf(const ent_term *term, ent_buf *out, ent_style style, const char *format, ...) {
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	if (n >= 0) {
		ent_term_text(term, out, style, text);
		free(text);
	}
}

void ent_term_wrap(const ent_term *term, ent_buf *out, unsigned indent, const char *text) {
	size_t most = term->width && term->width < WRAP_WIDTH ? term->width : WRAP_WIDTH, column = indent;
	bool first = true;
	while (*text) {
		size_t blanks = strspn(text, " ");
		const char *word = text + blanks;
		if (*word == '\n') {
			ent_buf_u8(out, '\n');
			column = 0;
			first = true;
			text = word + 1;
			size_t lead = strspn(text, " "); /* a line that begins with blanks is kept as it is, indented */
			for (; *text && *text != '\n' && column < indent; column++) {
				ent_buf_u8(out, ' ');
			}
			for (size_t i = 0; i < lead; i++, column++) {
				ent_buf_u8(out, ' ');
			}
			text += lead;
			continue;
		}
		size_t n = strcspn(word, " \n"), width = ent_text_width(word, n);
		if (!first && column + 1 + width > most) {
			ent_buf_u8(out, '\n');
			for (column = 0; column < indent; column++) {
				ent_buf_u8(out, ' ');
			}
		} else if (!first) {
			for (size_t i = 0; i < blanks; i++, column++) {
				ent_buf_u8(out, ' ');
			}
		}
		ent__text_clean(out, word, n, SIZE_MAX, false);
		column += width;
		first = false;
		text = word + n;
	}
}
