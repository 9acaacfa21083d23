/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers, see header.h. Written by ourselves: of a mail nothing is needed but five fields of its header, and GMime,
 * the library for the rest, brings GLib and GnuPG's library into the sandbox. */
#include "header.h"

#include <stdio.h>

ent_str header__field(ent_str head, const char *name, unsigned n, char room[FIELD_MAX]) {
	size_t length = strlen(name);
	const char *p = head.p, *end = head.p + head.n;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		int here = (size_t)(stop - p) > length && p[length] == ':' && text_has_fold((ent_str){p, length}, name);
		size_t used = 0;
		const char *from = p + length + 1;
		while (here && !n) { /* this line, and those that begin with a blank */
			size_t take = (size_t)(stop - from) < FIELD_MAX - used ? (size_t)(stop - from) : FIELD_MAX - used;
			memcpy(room + used, from, take);
			used += take;
			if (!nl || nl + 1 >= end || (nl[1] != ' ' && nl[1] != '\t'))
				return text_trim((ent_str){room, used});
			while (used && room[used - 1] == '\r')
				used--;
			from = nl + 1;
			nl = memchr(from, '\n', (size_t)(end - from));
			stop = nl ? nl : end;
		}
		n -= (unsigned)here;
		p = nl ? nl + 1 : end;
	}
	return (ent_str){NULL, 0};
}

int header__address(ent_str *list, ent_str *out) {
	const char *p = list->p, *end = p + list->n, *word = NULL, *open = NULL;
	size_t word_n = 0;
	int quoted = 0, comment = 0;
	*out = (ent_str){NULL, 0};
	for (; p < end; p++) {
		if (*p == '\\' && (quoted || comment)) {
			p += p + 1 < end;
		} else if (quoted) {
			quoted = *p != '"';
		} else if (*p == '(') {
			comment++;
		} else if (comment) {
			comment -= *p == ')';
		} else if (*p == '"') {
			quoted = 1;
		} else if (*p == '<') {
			open = p + 1;
		} else if (*p == '>' && open) {
			*out = (ent_str){open, (size_t)(p - open)};
			open = NULL;
		} else if (!open && *p == ':') { /* the name of a group */
			word = NULL;
		} else if (!open && (*p == ',' || *p == ';')) {
			if (out->p || word)
				break;
		} else if (!open && !out->p && !text_blank(*p)) {
			word = word && word + word_n == p ? word : p;
			word_n = (size_t)(p + 1 - word);
		}
	}
	if (!out->p && word)
		*out = (ent_str){word, word_n};
	p += p < end;
	*list = (ent_str){p, (size_t)(end - p)};
	return out->p ? 0 : -1;
}

int header__id(ent_str *list, ent_str *out) {
	const char *open = list->n ? memchr(list->p, '<', list->n) : NULL;
	const char *end = list->p + list->n, *close = open ? memchr(open, '>', (size_t)(end - open)) : NULL;
	if (!close || close == open + 1)
		return -1;
	*out = (ent_str){open + 1, (size_t)(close - open - 1)};
	*list = (ent_str){close + 1, (size_t)(end - close - 1)};
	return 0;
}

int header__date(const ent_host *host, ent_str text, ent_time *out) {
	static const struct {
		const char *name, *offset;
	} zones[] = {{"EST", "-0500"}, {"EDT", "-0400"}, {"CST", "-0600"}, {"CDT", "-0500"}, {"MST", "-0700"},
		{"MDT", "-0600"}, {"PST", "-0800"}, {"PDT", "-0700"}, {"GMT", "+0000"}, {"UTC", "+0000"}, {"UT", "+0000"},
		{"Z", "+0000"}};
	static const char *const patterns[] = {"%d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M %z", "%d %b %y %H:%M:%S %z"};
	char line[80];
	size_t n = 0;
	int comment = 0;
	for (size_t i = 0; i < text.n && n + 8 < sizeof line; i++) { /* without comments, blanks one at a time */
		char c = text.p[i];
		comment += c == '(';
		if (!comment && !(text_blank(c) && (!n || line[n - 1] == ' ')))
			line[n++] = text_blank(c) ? ' ' : c;
		comment -= c == ')' && comment;
	}
	while (n && line[n - 1] == ' ')
		n--;
	ent_str s = {line, n};
	const char *comma = memchr(s.p, ',', s.n < 12 ? s.n : 12);
	if (comma) {
		s.n -= (size_t)(comma + 1 - s.p);
		s.p = comma + 1;
	}
	s = text_trim(s);
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		size_t length = strlen(zones[i].name);
		if (s.n > length && s.p[s.n - length - 1] == ' ' && !memcmp(s.p + s.n - length, zones[i].name, length)) {
			size_t at = (size_t)(s.p - line) + s.n - length;
			memcpy(line + at, zones[i].offset, 5);
			s.n = s.n - length + 5;
			break;
		}
	}
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (!host->time(s, patterns[i], out) && out->kind == ENT_TIME_INSTANT)
			return 0;
	return -1;
}

int header__from_line(ent_str line) {
	static const char *const days[] = {" Mon ", " Tue ", " Wed ", " Thu ", " Fri ", " Sat ", " Sun "};
	if (line.n < 20 || memcmp(line.p, "From ", 5) != 0)
		return 0;
	for (size_t d = 0; d < 7; d++)
		for (size_t i = 5; i + 20 <= line.n; i++)
			if (!memcmp(line.p + i, days[d], 5)) {
				size_t year = 0;
				for (size_t k = i; k + 4 <= line.n; k++)
					year += line.p[k] == ':' || !memcmp(line.p + k, " 19", 3) || !memcmp(line.p + k, " 20", 3);
				return year >= 2; /* a clock and a year */
			}
	return 0;
}
