/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as people read them, see term.h. Pure functions. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "command/term.h"

char *ent_number_text(__int128 value, unsigned scale, unsigned digits, char *out) {
	unsigned __int128 u = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value, unit = 1;
	for (unsigned drop = scale > digits ? scale - digits : 0; drop; drop--) {
		unit *= 10;
	}
	unsigned __int128 rest = u % unit, half = unit / 2;
	u /= unit;
	u += unit > 1 && (rest > half || (rest == half && (u & 1)));
	bool negative = value < 0 && u;
	char plain[64];
	unsigned point = scale < digits ? scale : digits;
	size_t n = ent_decimal_text((__int128)u, point, point, plain), length = 0;
	size_t whole = point ? n - point - 1 : n;
	if (negative) {
		out[length++] = '-';
	}
	for (size_t i = 0; i < whole; i++) {
		if (i && (whole - i) % 3 == 0) {
			out[length++] = ',';
		}
		out[length++] = plain[i];
	}
	if (digits) {
		out[length++] = '.';
		for (unsigned i = 0; i < digits && length < ENT_NUMBER_TEXT - 1; i++) {
			out[length++] = i < point ? plain[whole + 1 + i] : '0';
		}
	}
	out[length] = 0;
	return out;
}

char *ent_bytes_text(uint64_t bytes, char *out) {
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double v = (double)bytes;
	size_t i = 0;
	while (v >= 999.5 && i + 1 < sizeof units / sizeof *units) {
		v /= 1000;
		i++;
	}
	snprintf(out, ENT_NUMBER_TEXT, i && v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[i]);
	return out;
}

char *ent_span_text(double seconds, char *out) {
	uint64_t s = seconds < 0 ? 0 : seconds > 1e9 ? 1000000000 : (uint64_t)(seconds + 0.5);
	if (s < 60) {
		snprintf(out, ENT_NUMBER_TEXT, "%" PRIu64 " s", s);
	} else if (s < 3600) {
		snprintf(out, ENT_NUMBER_TEXT, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	} else {
		snprintf(out, ENT_NUMBER_TEXT, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
	}
	return out;
}
