/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates. ISO 8601 says what it is; 03/04/2024 does not. In a column of such dates one day beyond the 12th decides for
 * all of them, so rows are held back until one comes. A column that never decides, or decides both ways, is refused
 * with the rows that show it: a wrong guess would move half a year's orders into other months, and nobody would see it.
 */
#include "csv.h"

#include <stdio.h>
#include <stdlib.h>

/* Rows that wait for a date take at most this much memory. */
enum { HELD_MAX = 64 << 20 };

typedef struct parts { /* of a date written in numbers */
	unsigned a, b, year;
	int year_first, clock, seconds, short_year, noon; /* noon: AM or PM is written */
	char mark;                                        /* between the numbers */
	int64_t micro;                                    /* of the day */
} parts;

static size_t digits(const char *p, size_t n, unsigned *out) {
	size_t i = 0;
	*out = 0;
	for (; i < n && i < 5 && p[i] >= '0' && p[i] <= '9'; i++)
		*out = *out * 10 + (unsigned)(p[i] - '0');
	return i;
}

/* "H:MM", "HH:MM:SS", a fraction, AM or PM. 0 or -1. */
static int clock_of(ent_str s, parts *out) {
	unsigned h, m, sec = 0;
	int64_t micro = 0;
	size_t n = digits(s.p, s.n, &h), k;
	if (n < 1 || n > 2 || n >= s.n || s.p[n] != ':')
		return -1;
	s.p += n + 1, s.n -= n + 1;
	n = digits(s.p, s.n, &m);
	if (n != 2)
		return -1;
	s.p += n, s.n -= n;
	if (s.n && s.p[0] == ':') {
		n = digits(s.p + 1, s.n - 1, &sec);
		if (n != 2)
			return -1;
		s.p += 3, s.n -= 3;
		out->seconds = 1;
		if (s.n > 1 && s.p[0] == '.') {
			int64_t unit = 100000;
			for (k = 1; k < s.n && s.p[k] >= '0' && s.p[k] <= '9'; k++, unit /= 10)
				micro += (s.p[k] - '0') * unit;
			s.p += k, s.n -= k;
		}
	}
	s = text_trim(s);
	if (s.n == 2 && (text_is_fold(s, "am") || text_is_fold(s, "pm"))) {
		if (h < 1 || h > 12)
			return -1;
		h = h % 12 + (text_lower(s.p[0]) == 'p' ? 12 : 0);
		out->noon = 1;
		s.n = 0;
	}
	if (s.n || h > 23 || m > 59 || sec > 59)
		return -1;
	out->clock = 1;
	out->micro = (int64_t)(h * 3600 + m * 60 + sec) * 1000000 + micro;
	return 0;
}

/* 0, or -1: no date written in numbers. */
static int parts_of(ent_str s, parts *out) {
	unsigned v[3];
	size_t n[3];
	*out = (parts){.mark = 0};
	for (int i = 0; i < 3; i++) {
		n[i] = digits(s.p, s.n, &v[i]);
		if (!n[i] || n[i] == 3 || n[i] > 4)
			return -1;
		s.p += n[i], s.n -= n[i];
		if (i == 2)
			break;
		if (!s.n || (s.p[0] != '/' && s.p[0] != '.' && s.p[0] != '-') || (out->mark && s.p[0] != out->mark))
			return -1;
		out->mark = s.p[0];
		s.p++, s.n--;
	}
	if (n[0] == 4 && n[1] <= 2 && n[2] <= 2) {
		*out = (parts){.a = v[1], .b = v[2], .year = v[0], .year_first = 1, .mark = out->mark};
	} else if (n[0] <= 2 && n[1] <= 2 && n[2] != 1) {
		out->a = v[0], out->b = v[1];
		out->short_year = n[2] == 2;
		out->year = out->short_year ? v[2] + (v[2] < 69 ? 2000 : 1900) : v[2];
	} else {
		return -1;
	}
	if (!s.n)
		return 0;
	if (s.p[0] != ' ' && s.p[0] != 'T' && s.p[0] != ',')
		return -1;
	s.p++, s.n--;
	s = text_trim(s);
	return clock_of(s, out);
}

static int ambiguous(const parts *p) { return !p->year_first && p->a <= 12 && p->b <= 12 && p->a != p->b; }

static unsigned two(const char *p) {
	unsigned a = (unsigned)(unsigned char)p[0] - '0', b = (unsigned)(unsigned char)p[1] - '0';
	return a > 9 || b > 9 ? 1000 : a * 10 + b;
}

/* "YYYY-MM-DD", alone or with " HH:MM:SS" behind. 0, or -1: the host may know it. */
static int plain_iso(ent_str s, ent_time *out) {
	const char *p = s.p;
	int64_t day;
	if ((s.n != 10 && s.n != 19) || p[4] != '-' || p[7] != '-')
		return -1;
	unsigned c = two(p), y = two(p + 2), m = two(p + 5), d = two(p + 8);
	if (c > 99 || y > 99 || text_date_of(c * 100 + y, m, d, &day))
		return -1;
	*out = (ent_time){.v = day, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE};
	if (s.n == 10)
		return 0;
	unsigned hh = two(p + 11), mm = two(p + 14), ss = two(p + 17);
	if ((p[10] != ' ' && p[10] != 'T') || p[13] != ':' || p[16] != ':' || hh > 23 || mm > 59 || ss > 59)
		return -1;
	out->kind = ENT_TIME_LOCAL;
	out->v = (day * 86400 + (int64_t)(hh * 3600 + mm * 60 + ss)) * 1000000;
	return 0;
}

static int in_numbers(const csv_binding *b, ent_str s, ent_time *out) {
	parts p;
	int64_t day;
	if (parts_of(s, &p) || (ambiguous(&p) && !b->dates.order))
		return -1;
	int day_first = !p.year_first && (b->dates.order ? b->dates.order == 1 : p.a > 12);
	if (text_date_of(p.year, day_first ? p.b : p.a, day_first ? p.a : p.b, &day))
		return -1;
	*out = (ent_time){.v = day, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_DATE};
	if (p.clock) {
		out->kind = ENT_TIME_LOCAL;
		out->v = day * 86400000000 + p.micro;
	}
	return 0;
}

int csv__time(csv *d, csv_binding *b, ent_str s, ent_time *out) {
	if (s.n == b->last_n && s.n && !memcmp(s.p, b->last_text, s.n)) {
		*out = b->last;
		return 0;
	}
	if (b->pattern ? d->host->time(s, b->pattern, out)
				   : plain_iso(s, out) && d->host->time(s, NULL, out) && in_numbers(b, s, out))
		return -1;
	if (s.n <= sizeof b->last_text) {
		memcpy(b->last_text, s.p, s.n);
		b->last_n = (uint32_t)s.n;
		b->last = *out;
	}
	return 0;
}

void csv__dates_begin(csv *d) {
	for (uint32_t i = 0; i < d->n_bindings; i++) {
		d->bindings[i].dates = (csv_dates){0};
		d->bindings[i].last_n = 0;
	}
	d->waiting = 0;
	d->held_n = 0;
	d->held_rows = 0;
}

static int is_auto(const csv_binding *b) { return b->field && b->field->type == TYPE_TIME && !b->pattern; }

static void note(csv_date_seen *x, const ent_row *r, ent_str s) {
	x->place = r->place;
	x->line = r->line;
	snprintf(x->text, sizeof x->text, "%.*s", (int)s.n, s.p);
}

static const char *where(const csv_date_seen *x) { return x->line ? "row" : "the row at byte"; }

static unsigned long long which(const csv_date_seen *x) { return x->line ? x->line : x->place; }

/* The pattern that reads dates written like `text`. */
static void pattern_of(const char *text, int day_first, char *out, size_t size) {
	parts p;
	if (parts_of((ent_str){text, strlen(text)}, &p)) {
		snprintf(out, size, "%s", day_first ? "%d/%m/%Y" : "%m/%d/%Y");
		return;
	}
	snprintf(out, size, "%%%c%c%%%c%c%%%c%s%s%s", day_first ? 'd' : 'm', p.mark, day_first ? 'm' : 'd', p.mark,
		p.short_year ? 'y' : 'Y',
		!p.clock ? ""
		: p.noon ? " %I:%M"
				 : " %H:%M",
		p.seconds ? ":%S" : "", p.noon ? " %p" : "");
}

static ent_status refuse(csv *d, const csv_binding *b, const csv_date_seen *example) {
	char day[64], month[64], todo[400];
	pattern_of(example->text, 1, day, sizeof day);
	pattern_of(example->text, 0, month, sizeof month);
	snprintf(todo, sizeof todo, "say how the column is written: dates_of: {%.*s: \"%s\"} or {%.*s: \"%s\"}",
		(int)b->name.n, b->name.p, day, (int)b->name.n, b->name.p, month);
	return d->host->error(d->ctx, b->dates.doubt.place, b->column, d->text, todo);
}

ent_status csv__dates_undecided(csv *d) {
	for (uint32_t i = 0; i < d->n_bindings; i++) {
		csv_binding *b = &d->bindings[i];
		const csv_dates *x = &b->dates;
		if (!x->open)
			continue;
		snprintf(d->text, sizeof d->text,
			"\"%s\" in %s %llu can be read day first and month first, and no date of the column decides", x->doubt.text,
			where(&x->doubt), which(&x->doubt));
		return refuse(d, b, &x->doubt);
	}
	return ENT_EINTERNAL;
}

static ent_status contradiction(csv *d, csv_binding *b, const ent_row *r, ent_str s) {
	csv_dates *x = &b->dates;
	int day_first = x->order == 1;
	note(&x->doubt, r, s);
	snprintf(d->text, sizeof d->text,
		"\"%s\" in %s %llu is written %s first, \"%s\" in %s %llu %s first: which holds for "
		"the column's other dates cannot be told",
		x->decided.text, where(&x->decided), which(&x->decided), day_first ? "day" : "month", x->doubt.text,
		where(&x->doubt), which(&x->doubt), day_first ? "month" : "day");
	return refuse(d, b, &x->decided);
}

int csv__dates_look(csv *d, const ent_row *r) {
	for (uint32_t i = 0; i < d->n_bindings; i++) {
		csv_binding *b = &d->bindings[i];
		csv_dates *x = &b->dates;
		parts p;
		if (!is_auto(b))
			continue;
		ent_str s = r->cell[b->column];
		if (!s.n || (s.n >= 10 && s.p[4] == '-'))
			continue;
		s = csv__cell(d, b, s);
		if (!s.n || parts_of(s, &p) || p.year_first || (p.a > 12 && p.b > 12))
			continue;
		int order = p.a > 12 ? 1 : p.b > 12 ? 2 : 0;
		if (order && !x->order) {
			x->order = (uint8_t)order;
			note(&x->decided, r, s);
			d->waiting -= x->open;
			x->open = 0;
		} else if (order && x->order != order) {
			return contradiction(d, b, r, s);
		} else if (!order && !x->order && !x->open && ambiguous(&p)) {
			note(&x->doubt, r, s);
			x->open = 1;
			d->waiting++;
		}
	}
	return d->waiting > 0;
}

/* Four digits come first: the year, and nothing about the date is in doubt. */
static int year_first(ent_str s) {
	unsigned year;
	return s.n > 4 && digits(s.p, 4, &year) == 4 && (s.p[4] < '0' || s.p[4] > '9');
}

int csv__dates_can_cut(csv *d, const ent_row *r) {
	int columns = 0, dates = 0;
	for (uint32_t i = 0; i < d->n_bindings; i++) {
		const csv_binding *b = &d->bindings[i];
		if (!is_auto(b))
			continue;
		columns++;
		ent_str s = csv__cell(d, b, r->cell[b->column]);
		if (s.n && !year_first(s))
			return 0;
		dates += s.n > 0;
	}
	return !columns || dates;
}

/* 0; 1: there would be too many; -1: memory is out. */
static int put(csv *d, const void *p, size_t n) {
	if (d->held_n + n > d->held_room) {
		size_t room = d->held_room ? d->held_room * 2 : 1 << 16;
		while (room < d->held_n + n)
			room *= 2;
		if (room > HELD_MAX)
			return 1;
		char *held = realloc(d->held, room);
		if (!held)
			return -1;
		d->held = held;
		d->held_room = room;
	}
	if (n)
		memcpy(d->held + d->held_n, p, n);
	d->held_n += n;
	return 0;
}

int csv__hold(csv *d, const ent_row *r) {
	uint64_t head[2] = {r->place, r->line};
	int full = put(d, head, sizeof head);
	for (size_t i = 0; i < r->n && !full; i++) {
		uint64_t n = r->cell[i].p ? r->cell[i].n : UINT64_MAX;
		full = put(d, &n, sizeof n);
		full = full ? full : put(d, r->cell[i].p, r->cell[i].n);
	}
	d->held_rows += !full;
	return full;
}

ent_status csv__release(csv *d) {
	ent_str cells[CSV_FIELDS_MAX];
	ent_status e = ENT_OK;
	for (size_t at = 0; at < d->held_n && !e;) {
		uint64_t head[2], n;
		memcpy(head, d->held + at, sizeof head);
		at += sizeof head;
		for (uint32_t i = 0; i < d->n_wanted; i++) {
			memcpy(&n, d->held + at, sizeof n);
			at += sizeof n;
			cells[i] = n == UINT64_MAX ? (ent_str){NULL, 0} : (ent_str){d->held + at, n};
			at += cells[i].n;
		}
		e = csv__facts(d, &(ent_row){.place = head[0], .line = head[1], .cell = cells, .n = d->n_wanted});
	}
	d->held_n = 0;
	d->held_rows = 0;
	return e;
}
