/* SPDX-License-Identifier: Apache-2.0
 *
 * Definitions to a catalogue and a list of what is counted, see custom.h. Definitions are taken in the order of their
 * names, so that what gets which number depends on nothing else. One thread. */
#include "metrics/custom_internal.h"
#include "metrics/custom_pack.h"

#include "base/intern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A definition on its way. */
typedef struct draft {
	const ent_metric_config *config;
	int state; /* of a ratio or expression: 0 not made, 1 being made, 2 made, 3 failed */
	ent_metric *metric;
	int count; /* index of what it counts, -1 */
} draft;

typedef struct maker {
	ent_custom *c;
	ent_errors *errors;
	draft *drafts;
	size_t n;
	ent_metric *metrics; /* those behind the built-in ones */
	ent_measure_def *measures;
	ent_space_def *sets, *dists;
} maker;

static const char *const ways[] = {"count", "sum", "distinct", "distribution", "ratio", "derived"};

int ent__field_find(unsigned fact, const char *name, ent_place at, ent_errors *errors) {
	const char *known[ENT_METRIC_FIELDS], *asked = name;
	unsigned of = fact;
	size_t n = 0;
	char todo[sizeof((ent_error *)0)->todo], what[160];
	if (!strncmp(name, "order.", 6) && (fact == ENT_OF_LINE || fact == ENT_OF_REFUND)) {
		of = ENT_OF_ORDER;
		name += 6;
	} else if (strchr(name, '.') && !strncmp(name, ent_metric_facts[fact], strlen(ent_metric_facts[fact])) &&
			   name[strlen(ent_metric_facts[fact])] == '.') {
		name += strlen(ent_metric_facts[fact]) + 1;
	}
	for (int i = 0; i < ENT_METRIC_FIELDS; i++) {
		if (ent_metric_fields[i].fact == of) {
			if (!strcmp(ent_metric_fields[i].name, name)) {
				return i;
			}
			known[n++] = ent_metric_fields[i].name;
		}
	}
	for (const ent_metric_lack *lack = ent_metric_lacks; lack->name; lack++) {
		if (lack->fact == of && !strcmp(lack->name, name)) {
			snprintf(what, sizeof what, "'%s' is not stored: %s", asked, lack->why);
			ent_errors_add(errors, at, lack->todo, "%s", what);
			return -1;
		}
	}
	const char *near = ent_nearest(name, known, n);
	size_t length =
		(size_t)snprintf(todo, sizeof todo, near ? "did you mean '%s'?" : "there are: %s", near ? near : known[0]);
	for (size_t i = 1; i < n && !near && length + strlen(known[i]) + 3 < sizeof todo; i++) {
		length += (size_t)snprintf(todo + length, sizeof todo - length, ", %s", known[i]);
	}
	ent_errors_add(errors, at, todo, "%s %s has no field '%s'", strchr("aeiou", ent_metric_facts[of][0]) ? "an" : "a",
		ent_metric_facts[of], name);
	return -1;
}

/* ---- what is counted --------------------------------------------------------------------------------------------- */

static int fact_of(maker *k, const char *name, size_t n, ent_place at) {
	char text[32], todo[120];
	snprintf(text, sizeof text, "%.*s", (int)(n < 31 ? n : 31), name);
	size_t length = strlen(text);
	for (int i = 0; i < ENT_OF_COUNT; i++) {
		size_t same = strlen(ent_metric_facts[i]);
		if (!strncmp(text, ent_metric_facts[i], same) && (length == same || !strcmp(text + same, "s"))) {
			return i;
		}
	}
	const char *near = ent_nearest(text, ent_metric_facts, ENT_OF_COUNT);
	snprintf(todo, sizeof todo, near ? "did you mean '%s'?" : "facts are order, line, refund, visit and cart%s",
		near ? near : "");
	ent_errors_add(k->errors, at, todo, "no fact is called '%s'", text);
	return -1;
}

/* "line.net" */
static bool fact_and_field(maker *k, const ent_word *word, const char *way, ent__count *count) {
	const char *dot = strchr(word->s, '.');
	int fact = fact_of(k, word->s, dot ? (size_t)(dot - word->s) : strlen(word->s), word->at);
	char todo[80];
	if (fact < 0) {
		return false;
	}
	if (!dot) {
		snprintf(
			todo, sizeof todo, "write for example %s: %s", way, !strcmp(way, "distinct") ? "line.product" : "line.net");
		ent_errors_add(k->errors, word->at, todo, "'%s' takes a field of a fact, not the fact '%s'", way, word->s);
		return false;
	}
	int field =
		ent__field_find((unsigned)fact, dot + 1, ent__place_in(word->at, (size_t)(dot + 1 - word->s)), k->errors);
	count->fact = (uint8_t)fact;
	count->field = (uint16_t)field;
	return field >= 0;
}

static bool right_form(maker *k, const ent__count *count, const ent_word *word) {
	int form = ent_metric_fields[count->field].form;
	if (ent_metric_fields[count->field].fact != count->fact) {
		ent_errors_add(k->errors, word->at, "count the order itself, or ask for it in `where`",
			"'%s' is the order's: it would be counted once for each of its %ss", word->s,
			ent_metric_facts[count->fact]);
		return false;
	}
	if (count->way == ENT__DISTINCT && form != ENT_FORM_TEXT && form != ENT_FORM_IDENTITY) {
		ent_errors_add(k->errors, word->at, "take a text or an identity, or write count, sum or distribution",
			"different values of '%s' cannot be counted: it is %s", word->s, ent_metric_forms[form]);
		return false;
	}
	if (count->way == ENT__SUM && form == ENT_FORM_DAYS) {
		ent_errors_add(k->errors, word->at, "write distribution: its median says how long it takes",
			"days of '%s' do not add up", word->s);
		return false;
	}
	if ((count->way == ENT__SUM || count->way == ENT__DISTRIBUTION) && form > ENT_FORM_DAYS) {
		ent_errors_add(k->errors, word->at, "take a number, or write count with a `where`", "'%s' is %s and no number",
			word->s, ent_metric_forms[form]);
		return false;
	}
	return true;
}

static uint8_t unit_of(const ent__count *c) {
	static const uint8_t units[] = {ENT_UNIT_MONEY, ENT_UNIT_PIECES, ENT_UNIT_COUNT, ENT_UNIT_SECONDS, ENT_UNIT_DAYS};
	return c->way == ENT__COUNT || c->way == ENT__DISTINCT ? ENT_UNIT_COUNT : units[ent_metric_fields[c->field].form];
}

/* How it begins: "Orders", "Sum of net of lines". */
static void say(const ent__count *c, ent_buf *b) {
	static const char *const many[] = {"orders", "lines", "refunds", "visits", "carts"};
	const char *field = c->way == ENT__COUNT ? "" : ent_metric_fields[c->field].name;
	switch ((ent__count_way)c->way) {
	case ENT__COUNT:
		ent_buf_printf(b, "%c%s", many[c->fact][0] - 'a' + 'A', many[c->fact] + 1);
		break;
	case ENT__SUM:
		ent_buf_printf(b, "Sum of %s of %s", field, many[c->fact]);
		break;
	case ENT__DISTINCT:
		ent_buf_printf(b, "Different values of %s of %s", field, many[c->fact]);
		break;
	case ENT__DISTRIBUTION:
		ent_buf_printf(b, "Distribution of %s of %s", field, many[c->fact]);
	}
}

static const char *copy(maker *k, const char *text) { return ent_arena_copy(&k->c->arena, text, strlen(text)); }

static const char *hash_of(maker *k, ent_buf *b) {
	const char *text = ent_arena_printf(&k->c->arena, "%016llx", (unsigned long long)ent_hash64(b->data, b->n, 0));
	ent_buf_finish(b);
	return text;
}

/* Reads what a definition counts; -1: nothing good. */
static int read_count(maker *k, draft *d) {
	const ent_metric_config *m = d->config;
	const ent_word *words[] = {&m->count, &m->sum, &m->distinct, &m->distribution};
	ent__count *c = &k->c->counts[k->c->n_counts];
	*c = (ent__count){.config = m};
	while (!words[c->way]->s) {
		c->way++;
	}
	const ent_word *word = words[c->way];
	if (c->way == ENT__COUNT) {
		int fact = fact_of(k, word->s, strlen(word->s), word->at);
		if (fact < 0) {
			return -1;
		}
		c->fact = (uint8_t)fact;
	} else if (!fact_and_field(k, word, ways[c->way], c) || !right_form(k, c, word)) {
		return -1;
	}
	ent_buf said = {0}, hashed = {0};
	say(c, &said);
	ent_buf_printf(&hashed, "custom 1 %s %s %s", ways[c->way], ent_metric_facts[c->fact],
		c->way == ENT__COUNT ? "" : ent_metric_fields[c->field].name);
	int status = ent__conditions_read(k->c, c, m->where, &said, &hashed, k->errors);
	ent_buf_printf(&said, ".");
	ent_buf_u8(&said, 0);
	d->metric->doc = m->doc.s ? copy(k, m->doc.s) : copy(k, (const char *)said.data);
	d->metric->definition = hash_of(k, &hashed);
	d->metric->unit = unit_of(c);
	d->metric->families = (uint8_t)(1u << ent__family_of(c->fact));
	ent_buf_finish(&said);
	return status ? -1 : (int)k->c->n_counts++;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static bool too_many(maker *k, const ent_metric_config *m, const char *what, unsigned most) {
	ent_errors_add(
		k->errors, m->name.at, "take some out that nobody reads", "there are more %s than fit: %u", what, most);
	return false;
}

/* Measures of a family get blocks of their own; of each count of orders the second half of the block has what is
 * shared. */
static bool number_measures(maker *k, unsigned family, unsigned *blocks) {
	unsigned column = ENT_FAMILY_WIDTH;
	k->c->block[family] = *blocks;
	for (size_t i = 0; i < k->n; i++) {
		ent__count *c = k->drafts[i].count < 0 ? NULL : &k->c->counts[k->drafts[i].count];
		if (!c || c->way > ENT__SUM || ent__family_of(c->fact) != family) {
			continue;
		}
		unsigned needed = c->way == ENT__COUNT && c->fact == ENT_OF_ORDER ? 2 : 1;
		if (column + needed > ENT_FAMILY_WIDTH) {
			if (*blocks == ENT_CUSTOM_BLOCKS) {
				return too_many(k, c->config, "metrics that count or sum", ENT_CUSTOM_MEASURES);
			}
			++*blocks;
			column = 0;
		}
		for (unsigned n = 0; n < needed; n++, column++) {
			unsigned at = (*blocks - 1) * ENT_FAMILY_WIDTH + column;
			const char *name = c->config->name.s;
			k->measures[at] =
				(ent_measure_def){.name = n ? ent_arena_printf(&k->c->arena, "%s.shared", name) : copy(k, name),
					.family = (uint8_t)family,
					.unit = unit_of(c),
					.column = (uint8_t)column,
					.revision = 1,
					.doc = n ? "of those: what another partner of the order counts, too" : k->drafts[i].metric->doc,
					.definition = k->drafts[i].metric->definition};
			(n ? &c->shared : &c->number)[0] = (uint16_t)(ENT_MEASURE_COUNT + at);
		}
		if (needed == 2) {
			k->measures[c->number - ENT_MEASURE_COUNT].shared = c->shared;
		}
	}
	k->c->n_blocks[family] = *blocks - k->c->block[family];
	return true;
}

static bool number_spaces(maker *k) {
	unsigned n[2] = {0, 0};
	static const unsigned most[2] = {ENT_CUSTOM_SETS, ENT_CUSTOM_DISTS};
	for (size_t i = 0; i < k->n; i++) {
		ent__count *c = k->drafts[i].count < 0 ? NULL : &k->c->counts[k->drafts[i].count];
		if (!c || c->way <= ENT__SUM) {
			continue;
		}
		unsigned dist = c->way == ENT__DISTRIBUTION;
		if (n[dist] == most[dist]) {
			return too_many(k, c->config, dist ? "distributions" : "metrics that count different ones", most[dist]);
		}
		(dist ? k->dists : k->sets)[n[dist]] =
			(ent_space_def){copy(k, c->config->name.s), (uint8_t)ent__family_of(c->fact), unit_of(c),
				!dist && ent_metric_fields[c->field].form == ENT_FORM_TEXT, k->drafts[i].metric->definition};
		c->number = (uint16_t)((dist ? ENT_DIST_COUNT : ENT_SET_COUNT) + n[dist]++);
	}
	k->c->catalogue.n_sets = ENT_SET_COUNT + n[0];
	k->c->catalogue.n_dists = ENT_DIST_COUNT + n[1];
	return true;
}

static bool number_all(maker *k) {
	unsigned blocks = 0;
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		if (!number_measures(k, f, &blocks)) {
			return false;
		}
	}
	k->c->catalogue.n_measures = ENT_MEASURE_COUNT + blocks * ENT_FAMILY_WIDTH;
	if (!number_spaces(k)) {
		return false;
	}
	for (size_t i = 0; i < k->n; i++) {
		const ent__count *c = k->drafts[i].count < 0 ? NULL : &k->c->counts[k->drafts[i].count];
		ent_metric *m = k->drafts[i].metric;
		if (c && c->way <= ENT__SUM) {
			m->kind = ENT_METRIC_SUM;
			m->additivity = ENT_ADD_ALL;
			m->top[0] = (ent_metric_term){+1, c->number, 1};
		} else if (c) {
			m->kind = c->way == ENT__DISTINCT ? ENT_METRIC_DISTINCT : ENT_METRIC_DISTRIBUTION;
			m->additivity = ENT_ADD_NONE;
			m->set_or_dist = (uint8_t)c->number;
		}
		k->drafts[i].state = c ? 2 : k->drafts[i].state;
	}
	return true;
}

/* ---- metrics of metrics ------------------------------------------------------------------------------------------ */

static draft *find(maker *k, const char *name, size_t n) {
	for (size_t i = 0; i < k->n; i++) {
		if (strlen(k->drafts[i].config->name.s) == n && !memcmp(k->drafts[i].config->name.s, name, n)) {
			return &k->drafts[i];
		}
	}
	return NULL;
}

static void make_derived(maker *k, draft *d);

static const ent_metric *named(void *ctx, const char *name, size_t n, ent_place at) {
	maker *k = ctx;
	int built_in = ent_metric_find(name, n);
	draft *d = built_in < 0 ? find(k, name, n) : NULL;
	char text[80], todo[120];
	if (built_in >= 0) {
		return &ent_metrics[built_in];
	}
	if (d && d->state == 1) {
		ent_errors_add(k->errors, at, "take one of them out", "'%s' is made of itself", d->config->name.s);
		return NULL;
	}
	if (d && !d->state) {
		make_derived(k, d);
	}
	if (d) {
		return d->state == 2 ? d->metric : NULL; /* what is wrong with it is said */
	}
	const char **known = ent_arena_alloc(&k->c->arena, (ent_metric_count + k->n) * sizeof *known);
	size_t n_known = 0;
	for (; n_known < ent_metric_count; n_known++) {
		known[n_known] = ent_metrics[n_known].name;
	}
	for (size_t i = 0; i < k->n; i++) {
		known[n_known++] = k->drafts[i].config->name.s;
	}
	snprintf(text, sizeof text, "%.*s", (int)(n < 79 ? n : 79), name);
	const char *near = ent_nearest(text, known, n_known);
	snprintf(todo, sizeof todo, near ? "did you mean '%s'?" : "`entente metrics list` shows them%s", near ? near : "");
	ent_errors_add(k->errors, at, todo, "there is no metric '%s'", text);
	return NULL;
}

static void hash_terms(maker *k, const ent_metric_term *terms, ent_buf *b) {
	for (const ent_metric_term *t = terms; t < terms + ENT_TERMS && t->sign; t++) {
		char definition[17];
		const ent_measure_def *m = &k->c->catalogue.measures[t->measure];
		ent_measure_definition(m, definition);
		ent_buf_printf(b, " %lld %s", (long long)ent_term_factor(t), definition);
	}
}

static void hash_set(maker *k, unsigned set, uint32_t times, ent_buf *b) {
	const ent_space_def *s = set ? &k->c->catalogue.sets[set - 1] : NULL;
	if (s) {
		ent_buf_printf(b, " %u set %s", times, s->definition ? s->definition : s->name);
	}
}

static void make_derived(maker *k, draft *d) {
	const ent_metric_config *m = d->config;
	size_t before = k->errors->total;
	d->state = 1;
	int status = m->derived.s
					 ? ent__expression(&k->c->catalogue, m->derived.s, m->derived.at, named, k, d->metric, k->errors)
					 : ent__ratio(&k->c->catalogue, m, named, k, d->metric, k->errors);
	d->state = status || k->errors->total > before ? 3 : 2;
	if (d->state == 3) {
		return;
	}
	ent_buf b = {0};
	ent_buf_printf(&b, "derived 1 %s %s over %u", ent_kind_names[d->metric->kind], ent_unit_names[d->metric->unit],
		d->metric->over);
	hash_terms(k, d->metric->top, &b);
	hash_set(k, d->metric->top_set, d->metric->top_times, &b);
	ent_buf_printf(&b, " /");
	hash_terms(k, d->metric->bottom, &b);
	hash_set(k, d->metric->bottom_set, d->metric->bottom_times, &b);
	d->metric->definition = hash_of(k, &b);
	d->metric->doc = m->doc.s ? copy(k, m->doc.s)
					 : m->derived.s
						 ? ent_arena_printf(&k->c->arena, "%s.", m->derived.s)
						 : ent_arena_printf(&k->c->arena, "%s for each of %s.", m->ratio_of.s, m->ratio_to.s);
}

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b) {
	return strcmp(((const draft *)a)->config->name.s, ((const draft *)b)->config->name.s);
}

static bool check_name(maker *k, const ent_metric_config *m, const ent_metric_config *other) {
	size_t n = strlen(m->name.s);
	if (!(m->name.s[0] >= 'a' && m->name.s[0] <= 'z') ||
		strspn(m->name.s, "abcdefghijklmnopqrstuvwxyz0123456789_.") != n || n > 64 || m->name.s[n - 1] == '.') {
		ent_errors_add(k->errors, m->name.at,
			"write it like orders.large: small letters, digits, '_' and '.', at most 64",
			"'%s' cannot be the name of a metric", m->name.s);
		return false;
	}
	if (ent_metric_find(m->name.s, n) >= 0) {
		ent_errors_add(k->errors, m->name.at, "give it a name of its own; `entente metrics show` says what that one is",
			"the metric '%s' is built in", m->name.s);
		return false;
	}
	if (other && !strcmp(other->name.s, m->name.s)) {
		char todo[200];
		snprintf(todo, sizeof todo, "rename one of them; the other stands at %.100s:%u",
			other->name.at.file ? other->name.at.file : "?", other->name.at.line);
		ent_errors_add(k->errors, m->name.at, todo, "the metric '%s' is declared twice", m->name.s);
		return false;
	}
	return true;
}

/* One way to count, and nothing beside it that means nothing. */
static bool check_ways(maker *k, const ent_metric_config *m) {
	const ent_word *words[] = {&m->count, &m->sum, &m->distinct, &m->distribution, &m->ratio_of, &m->derived};
	const ent_word *first = NULL;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (words[i]->s && first) {
			ent_errors_add(k->errors, words[i]->at, "make two metrics of it",
				"'%s' says a second time what the metric is", ways[i]);
			return false;
		}
		first = words[i]->s ? words[i] : first;
	}
	if (!first && m->ratio_at.file) {
		return false; /* said already: its parts are missing */
	}
	if (!first) {
		ent_errors_add(k->errors, m->at, "add count, sum, distinct, distribution, ratio or derived",
			"the metric '%s' does not say what it is", m->name.s);
		return false;
	}
	if (m->where && (m->ratio_of.s || m->derived.s)) {
		ent_errors_add(k->errors, m->where->at, "put it into the metrics that it is made of",
			"'where' belongs to metrics that count facts; '%s' is made of others", m->name.s);
		return false;
	}
	return true;
}

static void check_unit(maker *k, const draft *d) {
	const ent_word *unit = &d->config->unit;
	char todo[120];
	int found = -1;
	if (!unit->s || d->state != 2) {
		return;
	}
	for (int i = 0; i <= ENT_UNIT_RATIO; i++) {
		found = strcmp(ent_unit_names[i], unit->s) ? found : i;
	}
	if (found < 0) {
		const char *near = ent_nearest(unit->s, ent_unit_names, ENT_UNIT_RATIO + 1);
		snprintf(todo, sizeof todo,
			near ? "did you mean '%s'?" : "units are count, money, pieces, seconds, days and ratio%s",
			near ? near : "");
		ent_errors_add(k->errors, unit->at, todo, "there is no unit '%s'", unit->s);
	} else if (found != d->metric->unit) {
		snprintf(todo, sizeof todo, "correct the unit, or what is counted");
		ent_errors_add(k->errors, unit->at, todo, "'%s' is %s, not %s", d->config->name.s,
			ent_unit_names[d->metric->unit], unit->s);
	}
}

static void tag(maker *k, draft *d) {
	const ent_words *tags = &d->config->tags;
	const char *text = "";
	for (size_t i = 0; i < tags->n; i++) {
		text = ent_arena_printf(&k->c->arena, "%s%s%s", text, i ? " " : "", tags->v[i].s);
		if (strpbrk(tags->v[i].s, " \t\n")) {
			ent_errors_add(k->errors, tags->v[i].at, "write [a, b]", "'%s' are several tags", tags->v[i].s);
		}
	}
	for (unsigned f = 0; f < ENT_FAMILY_COUNT && !tags->n; f++) {
		if (d->metric->families >> f & 1) {
			text = ent_arena_printf(&k->c->arena, "%s%s%s", text, *text ? " " : "", ent_family_name(f));
		}
	}
	d->metric->tags = text;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static int by_fact(const void *a, const void *b) {
	const ent__count *x = a, *y = b;
	return x->fact != y->fact ? x->fact - y->fact : strcmp(x->config->name.s, y->config->name.s);
}

static void make(maker *k) {
	for (size_t i = 0; i < k->n; i++) {
		draft *d = &k->drafts[i];
		bool fits = check_name(k, d->config, i ? k->drafts[i - 1].config : NULL) && check_ways(k, d->config);
		bool counts = !d->config->ratio_of.s && !d->config->derived.s;
		d->metric = &k->metrics[i];
		d->metric->name = copy(k, d->config->name.s);
		d->count = fits && counts ? read_count(k, d) : -1;
		d->state = fits && (d->count >= 0 || !counts) ? 0 : 3;
	}
	if (!number_all(k)) {
		return;
	}
	for (size_t i = 0; i < k->n; i++) {
		draft *d = &k->drafts[i];
		if (!d->state) {
			make_derived(k, d);
		}
	}
	for (size_t i = 0; i < k->n; i++) {
		check_unit(k, &k->drafts[i]);
		tag(k, &k->drafts[i]);
	}
}

static void index_counts(ent_custom *c) {
	if (c->n_counts) {
		qsort(c->counts, c->n_counts, sizeof *c->counts, by_fact);
	}
	for (size_t i = c->n_counts; i-- > 0;) {
		c->any[ent__family_of(c->counts[i].fact)] = true;
	}
	for (unsigned fact = 0, i = 0; fact <= ENT_OF_COUNT; fact++) {
		while (i < c->n_counts && c->counts[i].fact < fact) {
			i++;
		}
		c->first[fact] = i;
	}
}

int ent_custom_create(ent_custom **out, const ent_metric_config *configured, size_t n,
	const ent_metric_config *of_rules, size_t m, ent_errors *errors) {
	*out = NULL;
	if (!n && !m) {
		return 0;
	}
	if (n + m > ENT_CUSTOM_METRICS) {
		return ent_errors_add(errors, (n ? configured : of_rules)->name.at, "take some out that nobody reads",
			"there are %zu metrics, and no more than %u fit", n + m, ENT_CUSTOM_METRICS);
	}
	size_t before = errors->total;
	ent_custom *c = ent_xcalloc(1, sizeof *c);
	maker k = {.c = c, .errors = errors, .n = n + m};
	c->catalogue =
		ent_catalogue_extend(&c->arena, (unsigned)(n + m), ENT_CUSTOM_MEASURES, ENT_CUSTOM_SETS, ENT_CUSTOM_DISTS);
	c->counts = ent_arena_alloc(&c->arena, (n + m) * sizeof *c->counts);
	k.metrics = (ent_metric *)c->catalogue.metrics + ent_metric_count; /* ours until it is made */
	k.measures = (ent_measure_def *)c->catalogue.measures + ENT_MEASURE_COUNT;
	k.sets = (ent_space_def *)c->catalogue.sets + ENT_SET_COUNT;
	k.dists = (ent_space_def *)c->catalogue.dists + ENT_DIST_COUNT;
	k.drafts = ent_xcalloc(n + m, sizeof *k.drafts);
	for (size_t i = 0; i < n + m; i++) {
		k.drafts[i].config = i < n ? &configured[i] : &of_rules[i - n];
	}
	qsort(k.drafts, k.n, sizeof *k.drafts, by_name);
	make(&k);
	free(k.drafts);
	if (errors->total > before) {
		ent_custom_destroy(c);
		return ENT_ERR_INVALID;
	}
	index_counts(c);
	*out = c;
	return 0;
}

void ent_custom_destroy(ent_custom *c) {
	if (!c) {
		return;
	}
	for (size_t i = 0; i < c->n_counts; i++) {
		for (size_t t = 0; t < c->counts[i].n_tests; t++) {
			free(c->counts[i].tests[t].memo);
		}
	}
	ent_arena_finish(&c->arena);
	free(c);
}

const ent_catalogue *ent_custom_catalogue(const ent_custom *c) { return c ? &c->catalogue : &ent_builtin; }
