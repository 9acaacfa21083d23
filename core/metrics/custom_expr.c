/* SPDX-License-Identifier: Apache-2.0
 *
 * Expressions of declared metrics: + - * / over metrics and numbers. What comes out is a sum of measures, each so many
 * times, or one such sum (or a set) divided by another: nothing else can be read of any window exactly. Units are
 * checked by dimension on the way. Pure functions. */
#include "metrics/custom_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 32, MOST_FACTOR = 1000000000 };

typedef enum shape { NUMBER, SUM, SET } shape;

/* num / den times a number, a sum of measures or the members of a set. */
typedef struct side {
	uint8_t shape, unit;
	uint8_t set; /* + 1 */
	unsigned n;
	struct {
		uint16_t measure;
		int64_t num;
	} terms[ENT_TERMS];
	int64_t num, den; /* of a NUMBER or SET: num / den; of a SUM: 1 / den */
} side;

typedef struct value {
	bool good, ratio;
	uint8_t unit;
	side top, bottom; /* bottom: of a ratio */
} value;

typedef struct parser {
	const ent_catalogue *c;
	const char *text, *p;
	ent_place at;
	ent__metric_named named;
	void *ctx;
	ent_errors *errors;
	unsigned depth;
} parser;

static const value bad;

static value fail(parser *x, const char *at, const char *todo, const char *what) {
	ent_errors_add(x->errors, ent__place_in(x->at, (size_t)(at - x->text)), todo, "%s", what);
	return bad;
}

static int64_t gcd(int64_t a, int64_t b) {
	a = llabs(a);
	b = llabs(b);
	while (b) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a ? a : 1;
}

/* Divides a side by what all its numbers have in common. false: they are too large for exact sums. */
static bool reduce(side *s) {
	int64_t common = s->den;
	for (unsigned i = 0; s->shape == SUM && i < s->n; i++) {
		common = gcd(common, s->terms[i].num);
	}
	common = s->shape == SUM ? common : gcd(s->num, s->den);
	s->den /= common;
	s->num /= s->shape == SUM ? 1 : common;
	bool fits = s->den <= MOST_FACTOR && llabs(s->num) <= MOST_FACTOR;
	for (unsigned i = 0; s->shape == SUM && i < s->n; i++) {
		s->terms[i].num /= common;
		fits &= llabs(s->terms[i].num) <= MOST_FACTOR;
	}
	return fits;
}

static bool same_side(const side *a, const side *b) {
	bool same = a->shape == b->shape && a->den == b->den && a->unit == b->unit;
	if (a->shape != SUM) {
		return same && a->num == b->num && a->set == b->set;
	}
	same &= a->n == b->n;
	for (unsigned i = 0; same && i < a->n; i++) {
		same = a->terms[i].measure == b->terms[i].measure && a->terms[i].num == b->terms[i].num;
	}
	return same;
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

static const char too_many[] = "this reads more measures than a metric can";
static const char too_large[] = "the numbers in this are too large to be exact";

/* *a + sign * *b, both SUMs; NULL: good. */
static const char *add_sums(side *a, const side *b, int sign) {
	int64_t common = gcd(a->den, b->den), times_a = b->den / common, times_b = a->den / common;
	for (unsigned i = 0; i < a->n; i++) {
		a->terms[i].num *= times_a;
	}
	a->den *= times_a;
	for (unsigned k = 0; k < b->n; k++) {
		unsigned i = 0;
		while (i < a->n && a->terms[i].measure != b->terms[k].measure) {
			i++;
		}
		if (i == ENT_TERMS) {
			return too_many;
		}
		if (i == a->n) {
			a->terms[a->n].measure = b->terms[k].measure;
			a->terms[a->n++].num = 0;
		}
		a->terms[i].num += sign * b->terms[k].num * times_b;
	}
	unsigned kept = 0;
	for (unsigned i = 0; i < a->n; i++) {
		if (a->terms[i].num) {
			a->terms[kept++] = a->terms[i];
		}
	}
	a->n = kept;
	return reduce(a) ? NULL : too_large;
}

static void times(side *s, int64_t num, int64_t den) {
	if (s->shape == SUM) {
		for (unsigned i = 0; i < s->n; i++) {
			s->terms[i].num *= num;
		}
	} else {
		s->num *= num;
	}
	s->den *= den;
}

static value add(parser *x, const char *at, value a, value b, int sign) {
	char what[160];
	if (!a.good || !b.good) {
		return bad;
	}
	if (a.ratio || b.ratio) {
		value *r = a.ratio ? &a : &b;
		const value *o = a.ratio ? &b : &a;
		bool one = !o->ratio && o->top.shape == NUMBER && r->unit == ENT_UNIT_RATIO && r->top.shape == SUM &&
				   r->bottom.shape == SUM;
		bool both =
			o->ratio && same_side(&a.bottom, &b.bottom) && a.unit == b.unit && a.top.shape == SUM && b.top.shape == SUM;
		if (!one && !both) {
			return fail(x, at, "write what is above and below the line as sums: (A + B) / C",
				"a ratio can only be added to a number, or to a ratio of the same divisor");
		}
		side number = r->bottom; /* a number is so many times the divisor */
		if (one) {
			times(&number, o->top.num, o->top.den);
		}
		side first = both || a.ratio ? a.top : number, second = both || b.ratio ? b.top : number;
		const char *wrong = reduce(&first) && reduce(&second) ? add_sums(&first, &second, sign) : too_large;
		if (wrong) {
			return fail(x, at, "make two metrics of it", wrong);
		}
		r->top = first;
		return *r;
	}
	if (a.top.shape == NUMBER && b.top.shape == NUMBER) {
		int64_t num = a.top.num * b.top.den + sign * b.top.num * a.top.den;
		a.top.num = num;
		a.top.den *= b.top.den;
		return reduce(&a.top) ? a : fail(x, at, "write fewer digits", too_large);
	}
	if (a.top.shape == NUMBER || b.top.shape == NUMBER) {
		return fail(x, at, "multiply by it, or leave it out",
			"a number cannot be added to a sum: it would be the same for a day and for a year");
	}
	if (a.top.shape == SET || b.top.shape == SET) {
		return fail(x, at, "divide by it, or let something be divided by it",
			"what counts different ones does not add up: who is in both would be counted twice");
	}
	if (a.unit != b.unit) {
		snprintf(what, sizeof what, "%s and %s cannot be %s", ent_unit_names[a.unit], ent_unit_names[b.unit],
			sign > 0 ? "added" : "subtracted from each other");
		return fail(x, at, "divide one by the other, or take metrics of one unit", what);
	}
	const char *wrong = add_sums(&a.top, &b.top, sign);
	return wrong ? fail(x, at, "make two metrics of it", wrong) : a;
}

static value multiply(parser *x, const char *at, value a, value b) {
	if (!a.good || !b.good) {
		return bad;
	}
	bool first = !a.ratio && a.top.shape == NUMBER, second = !b.ratio && b.top.shape == NUMBER;
	if (!first && !second) {
		return fail(x, at, "one of the two has to be a number",
			"two metrics cannot be multiplied: what comes out is no sum over days");
	}
	side number = first ? a.top : b.top;
	value *v = first ? &b : &a;
	times(&v->top, number.num, number.den);
	return reduce(&v->top) ? *v : fail(x, at, "write fewer digits", too_large);
}

/* Unit of a / b, and how often more the top counts: pieces are kept in thousandths. -1: there is none. */
static int divided_unit(uint8_t a, uint8_t b, int64_t *more) {
	*more = 1;
	if (a == b) {
		return ENT_UNIT_RATIO;
	}
	if (b == ENT_UNIT_COUNT && a != ENT_UNIT_RATIO) {
		return a;
	}
	if (b == ENT_UNIT_PIECES && (a == ENT_UNIT_MONEY || a == ENT_UNIT_COUNT)) {
		*more = 1000;
		return a == ENT_UNIT_MONEY ? ENT_UNIT_MONEY : ENT_UNIT_RATIO;
	}
	return -1;
}

static value divide(parser *x, const char *at, value a, value b) {
	char what[160];
	int64_t more;
	if (!a.good || !b.good) {
		return bad;
	}
	if (!b.ratio && b.top.shape == NUMBER) {
		if (!b.top.num) {
			return fail(x, at, "divide by another number", "nothing can be divided by 0");
		}
		int64_t sign = b.top.num < 0 ? -1 : 1;
		times(&a.top, sign * b.top.den, sign * b.top.num);
		return reduce(&a.top) ? a : fail(x, at, "write fewer digits", too_large);
	}
	if (a.ratio || b.ratio) {
		return fail(x, at, "divide one sum by another", "a ratio cannot be divided again");
	}
	if (a.top.shape == NUMBER) {
		return fail(x, at, "turn it round, and name what is counted", "a number cannot be divided by a metric");
	}
	int unit = divided_unit(a.unit, b.unit, &more);
	if (unit < 0) {
		snprintf(
			what, sizeof what, "%s divided by %s has no unit here", ent_unit_names[a.unit], ent_unit_names[b.unit]);
		return fail(x, at,
			"money, pieces, seconds and days are divided by a count or by their own kind, money by pieces, too", what);
	}
	times(&a.top, more, 1);
	a.bottom = b.top;
	a.ratio = true;
	a.unit = (uint8_t)unit;
	return reduce(&a.top) ? a : fail(x, at, "write fewer digits", too_large);
}

/* ---- names and numbers ------------------------------------------------------------------------------------------- */

static void take_terms(side *s, const ent_catalogue *c, const ent_metric_term *terms) {
	*s = (side){.shape = SUM, .den = 1, .num = 1};
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		s->terms[s->n].measure = t->measure;
		s->terms[s->n++].num = ent_term_factor(t);
		s->unit = c->measures[t->measure].unit;
	}
}

static void take_set(side *s, unsigned set, uint32_t num) {
	*s = (side){.shape = SET, .unit = ENT_UNIT_COUNT, .set = (uint8_t)set, .num = num, .den = 1};
}

static value value_of(parser *x, const char *at, const ent_metric *m) {
	value v = {.good = true, .unit = m->unit};
	char what[160];
	switch ((ent_metric_kind)m->kind) {
	case ENT_METRIC_DISTINCT:
		take_set(&v.top, m->set_or_dist + 1u, 1);
		return v;
	case ENT_METRIC_DISTRIBUTION:
		snprintf(what, sizeof what, "'%s' is a distribution: it has a median, and no sum", m->name);
		return fail(x, at, "take a metric that sums or counts", what);
	case ENT_METRIC_RATIO:
		v.ratio = true;
		m->top_set ? take_set(&v.top, m->top_set, m->top_times) : take_terms(&v.top, x->c, m->top);
		m->bottom_set ? take_set(&v.bottom, m->bottom_set, m->bottom_times) : take_terms(&v.bottom, x->c, m->bottom);
		return v;
	default:
		take_terms(&v.top, x->c, m->top);
		v.top.unit = m->unit;
		v.top.den = m->over > 1 ? m->over : 1;
		return v;
	}
}

static void blank(parser *x) { x->p += strspn(x->p, " \t\r\n"); }

static bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static value number(parser *x) {
	const char *at = x->p;
	value v = {.good = true, .unit = ENT_UNIT_RATIO, .top = {.shape = NUMBER, .den = 1}};
	bool digits = false, point = false;
	for (; (*x->p >= '0' && *x->p <= '9') || (*x->p == '.' && !point); x->p++) {
		if (*x->p == '.') {
			point = true;
			continue;
		}
		digits = true;
		v.top.num = v.top.num * 10 + (*x->p - '0');
		v.top.den *= point ? 10 : 1;
		if (v.top.num > MOST_FACTOR || v.top.den > 1000000) {
			return fail(x, at, "write fewer digits: at most six behind the point", too_large);
		}
	}
	reduce(&v.top);
	return digits ? v : fail(x, at, "write a number like 0.15", "a point is no number");
}

static value sum(parser *x);

static value atom(parser *x) {
	blank(x);
	const char *at = x->p;
	if (++x->depth > DEEPEST) {
		return fail(x, at, "make several metrics of it", "this is nested too deeply");
	}
	value v = bad;
	if (*x->p == '(') {
		x->p++;
		v = sum(x);
		blank(x);
		if (v.good && *x->p != ')') {
			v = fail(x, x->p, "close it with ')'", "a parenthesis is open");
		}
		x->p += *x->p == ')';
	} else if (*x->p == '-') {
		x->p++;
		v = atom(x);
		times(&v.top, -1, 1);
	} else if ((*x->p >= '0' && *x->p <= '9') || *x->p == '.') {
		v = number(x);
	} else if (starts_name(*x->p)) {
		while (starts_name(*x->p) || *x->p == '.' || (*x->p >= '0' && *x->p <= '9')) {
			x->p++;
		}
		const ent_metric *m = x->named(x->ctx, at, (size_t)(x->p - at), ent__place_in(x->at, (size_t)(at - x->text)));
		v = m ? value_of(x, at, m) : bad;
	} else {
		char what[80];
		snprintf(what, sizeof what, *at ? "'%.1s' is neither a metric nor a number" : "here something is missing%s",
			*at ? at : "");
		v = fail(x, at, "write metrics and numbers with + - * / and parentheses between them", what);
	}
	x->depth--;
	return v;
}

static value product(parser *x) {
	value v = atom(x);
	for (blank(x); v.good && (*x->p == '*' || *x->p == '/'); blank(x)) {
		const char *at = x->p++;
		value w = atom(x);
		v = *at == '*' ? multiply(x, at, v, w) : divide(x, at, v, w);
	}
	return v;
}

static value sum(parser *x) {
	value v = product(x);
	for (blank(x); v.good && (*x->p == '+' || *x->p == '-'); blank(x)) {
		const char *at = x->p++;
		v = add(x, at, v, product(x), *at == '+' ? 1 : -1);
	}
	return v;
}

/* ---- the metric -------------------------------------------------------------------------------------------------- */

static unsigned families_of(const ent_catalogue *c, const side *s) {
	unsigned bits = s->shape == SET ? 1u << c->sets[s->set - 1].family : 0;
	for (unsigned i = 0; s->shape == SUM && i < s->n; i++) {
		bits |= 1u << c->measures[s->terms[i].measure].family;
	}
	return bits;
}

static void put_terms(const side *s, ent_metric_term *out) {
	for (unsigned i = 0; s->shape == SUM && i < s->n; i++) {
		out[i] = (ent_metric_term){.sign = s->terms[i].num < 0 ? -1 : 1,
			.measure = s->terms[i].measure,
			.times = (uint32_t)llabs(s->terms[i].num)};
	}
}

static value make(parser *x, value v, ent_metric *out) {
	if (!v.good) {
		return bad;
	}
	if (v.top.shape == NUMBER || (v.top.shape == SUM && !v.top.n) ||
		(v.ratio && v.bottom.shape == SUM && !v.bottom.n)) {
		return fail(x, x->text, "name a metric in it", "nothing that is counted is left in this");
	}
	if (!v.ratio && v.top.shape == SET) {
		return fail(x, x->text, "divide it by something, or write distinct: FACT.FIELD",
			"what counts different ones cannot stand alone here");
	}
	out->unit = v.unit;
	out->families = (uint8_t)(families_of(x->c, &v.top) | (v.ratio ? families_of(x->c, &v.bottom) : 0));
	if (!v.ratio) {
		out->kind = ENT_METRIC_SUM;
		out->additivity = ENT_ADD_ALL;
		out->over = (uint32_t)v.top.den;
		put_terms(&v.top, out->top);
		return v;
	}
	/* (T / t) / (B / b) = (T * b) / (B * t), with what is common to b and t left out */
	int64_t common = gcd(v.top.den, v.bottom.den), up = v.bottom.den / common, down = v.top.den / common;
	v.top.den = v.bottom.den = 1;
	times(&v.top, up, 1);
	times(&v.bottom, down, 1);
	if (!reduce(&v.top) || !reduce(&v.bottom)) {
		return fail(x, x->text, "write fewer digits", too_large);
	}
	if ((v.top.shape == SET && v.top.num <= 0) || (v.bottom.shape == SET && v.bottom.num <= 0)) {
		return fail(x, x->text, "leave the sign out", "what counts different ones is never less than nothing");
	}
	out->kind = ENT_METRIC_RATIO;
	out->additivity = v.top.shape == SET || v.bottom.shape == SET ? ENT_ADD_WHOLE : ENT_ADD_NONE;
	put_terms(&v.top, out->top);
	put_terms(&v.bottom, out->bottom);
	if (v.top.shape == SET) {
		out->top_set = v.top.set;
		out->top_times = (uint32_t)v.top.num;
	}
	if (v.bottom.shape == SET) {
		out->bottom_set = v.bottom.set;
		out->bottom_times = (uint32_t)v.bottom.num;
	}
	return v;
}

int ent__expression(const ent_catalogue *c, const char *text, ent_place at, ent__metric_named named, void *ctx,
	ent_metric *out, ent_errors *errors) {
	parser x = {.c = c, .text = text, .p = text, .at = at, .named = named, .ctx = ctx, .errors = errors};
	value v = sum(&x);
	blank(&x);
	if (v.good && *x.p) {
		v = fail(&x, x.p, "write + - * or / between two metrics", "the expression was over before this");
	}
	return make(&x, v, out).good ? 0 : ENT_ERR_INVALID;
}

int ent__ratio(const ent_catalogue *c, const ent_metric_config *m, ent__metric_named named, void *ctx, ent_metric *out,
	ent_errors *errors) {
	parser x = {.c = c, .text = m->ratio_of.s, .at = m->ratio_of.at, .named = named, .ctx = ctx, .errors = errors};
	const ent_metric *of = named(ctx, m->ratio_of.s, strlen(m->ratio_of.s), m->ratio_of.at);
	value a = of ? value_of(&x, x.text, of) : bad;
	x.text = m->ratio_to.s;
	x.at = m->ratio_to.at;
	const ent_metric *to = named(ctx, m->ratio_to.s, strlen(m->ratio_to.s), m->ratio_to.at);
	value b = to ? value_of(&x, x.text, to) : bad;
	return make(&x, divide(&x, x.text, a, b), out).good ? 0 : ENT_ERR_INVALID;
}
