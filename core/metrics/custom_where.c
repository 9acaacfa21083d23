/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions of declared metrics: `where:` to tests, see custom_internal.h. One thread. */
#include "metrics/custom_internal.h"

#include "base/day.h"
#include "config/scalar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct where {
	ent_custom *c;
	ent__count *count;
	size_t capacity;
	ent_errors *errors;
	const char *name; /* of the field, as it is written */
	int field;
} where;

static const char *const operators[] = {
	"at_least", "at_most", "above", "below", "between", "starts_with", "not", "present"};
enum { AT_LEAST, AT_MOST, ABOVE, BELOW, BETWEEN, STARTS_WITH, NOT, PRESENT, OPERATORS };

static bool is_number(int form) { return form <= ENT_FORM_DAYS; }

static int64_t scale_of(int form) {
	return form == ENT_FORM_MONEY || form == ENT_FORM_SECONDS ? 1000000 : form == ENT_FORM_PIECES ? 1000 : 1;
}

/* A decimal number in the units of a form, exactly. */
static bool decimal(const char *text, int64_t scale, int64_t *out) {
	bool negative = *text == '-';
	const char *p = text + negative;
	int64_t v = 0;
	bool digits = false, overflow = false;
	for (; *p >= '0' && *p <= '9'; p++, digits = true) {
		overflow |= __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v);
	}
	overflow |= __builtin_mul_overflow(v, scale, &v);
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++, digits = true) {
			scale /= 10;
			if (!scale && *p != '0') {
				return false;
			}
			overflow |= __builtin_add_overflow(v, (*p - '0') * scale, &v);
		}
	}
	*out = negative ? -v : v;
	return digits && !overflow && !*p;
}

static bool number(where *w, const ent_yaml_node *node, int64_t *out) {
	const ent_metric_field *f = &ent_metric_fields[w->field];
	static const char *const examples[] = {"500 or 499.99", "2 or 0.5", "3", "30, or 90s", "14"};
	char todo[200];
	if (node->kind == ENT_YAML_SCALAR && (decimal(node->text, scale_of(f->form), out) ||
											 (f->form == ENT_FORM_SECONDS && ent_duration_parse(node->text, out)))) {
		return true;
	}
	snprintf(todo, sizeof todo, "write a number, like %s%s", examples[f->form],
		f->form == ENT_FORM_MONEY
			? "; it is of the currency of the fact itself, which `currency: EUR` beside it can ask for"
			: "");
	ent_errors_add(w->errors, node->at, todo, "'%s' is %s%s, which cannot be compared with '%s'", w->name,
		f->form == ENT_FORM_COUNT ? "a " : "", ent_metric_forms[f->form],
		node->kind == ENT_YAML_SCALAR ? node->text : "a list or a map");
	return false;
}

static ent__test *add(where *w, ent__test_op op) {
	ent__count *c = w->count;
	if (c->n_tests == w->capacity) {
		ent__test *more = ent_arena_alloc(&w->c->arena, (w->capacity * 2 + 8) * sizeof *more);
		if (c->n_tests) {
			memcpy(more, c->tests, c->n_tests * sizeof *more);
		}
		c->tests = more;
		w->capacity = w->capacity * 2 + 8;
	}
	ent__test *t = &c->tests[c->n_tests++];
	*t = (ent__test){.field = (uint16_t)w->field, .op = op, .low = INT64_MIN, .high = INT64_MAX};
	return t;
}

static bool scalar_text(where *w, const ent_yaml_node *node) {
	if (node->kind == ENT_YAML_SCALAR && *node->text && !ent_yaml_is_null(node)) {
		return true;
	}
	ent_errors_add(w->errors, node->at, "write the text; {present: false} is none at all",
		"'%s' has nothing to be compared with", w->name);
	return false;
}

/* A word of a WORD, true or false of a FLAG: its number; -1 with an error. */
static int word(where *w, const ent_yaml_node *node) {
	const ent_metric_field *f = &ent_metric_fields[w->field];
	bool yes;
	if (!scalar_text(w, node)) {
		return -1;
	}
	if (f->form == ENT_FORM_FLAG) {
		if (ent_bool_parse(node->text, &yes)) {
			return yes;
		}
		ent_errors_add(w->errors, node->at, "write true or false", "'%s' cannot be '%s'", w->name, node->text);
		return -1;
	}
	size_t n = 0, length = 0;
	char todo[200];
	for (; f->words[n]; n++) {
		if (!strcmp(f->words[n], node->text)) {
			return (int)n;
		}
	}
	const char *near = ent_nearest(node->text, f->words, n);
	length = (size_t)snprintf(todo, sizeof todo, near ? "did you mean '%s'?" : "one of: %s", near ? near : f->words[0]);
	for (size_t i = 1; i < n && !near; i++) {
		length += (size_t)snprintf(todo + length, sizeof todo - length, ", %s", f->words[i]);
	}
	ent_errors_add(w->errors, node->at, todo, "'%s' cannot be '%s'", w->name, node->text);
	return -1;
}

/* VALUE or [VALUE, ...]: equal to one of them. */
static void equal(where *w, const ent_yaml_node *node, ent__test_op texts, bool negate) {
	const ent_metric_field *f = &ent_metric_fields[w->field];
	const ent_yaml_node *const *items = node->kind == ENT_YAML_LIST ? node->items : &node;
	size_t n = node->kind == ENT_YAML_LIST ? node->n : 1;
	if (!n) {
		ent_errors_add(w->errors, node->at, "name what it may be", "'%s' can be none of nothing", w->name);
		return;
	}
	if (is_number(f->form)) {
		int64_t v;
		if (n > 1) {
			ent_errors_add(w->errors, node->at, "write {between: [A, B]}, or one number",
				"'%s' is a number, not one of a list", w->name);
		} else if (number(w, items[0], &v)) {
			ent__test *t = add(w, ENT__TEST_RANGE);
			t->low = t->high = v;
			t->negate = negate;
		}
		return;
	}
	if (f->form == ENT_FORM_WORD || f->form == ENT_FORM_FLAG) {
		int64_t bits = 0;
		for (size_t i = 0; i < n; i++) {
			int v = word(w, items[i]);
			bits |= v < 0 ? 0 : INT64_C(1) << v;
		}
		ent__test *t = add(w, ENT__TEST_WORDS);
		t->low = bits;
		t->negate = negate;
		return;
	}
	const char **list = ent_arena_alloc(&w->c->arena, n * sizeof *list);
	for (size_t i = 0; i < n; i++) {
		if (!scalar_text(w, items[i])) {
			return;
		}
		list[i] = ent_arena_copy(&w->c->arena, items[i]->text, strlen(items[i]->text));
	}
	ent__test *t = add(w, texts);
	t->texts = list;
	t->n = n;
	t->negate = negate;
}

static void range(where *w, int op, const ent_yaml_node *node) {
	int64_t a, b;
	ent__test *t;
	if (op == BETWEEN) {
		if (node->kind != ENT_YAML_LIST || node->n != 2) {
			ent_errors_add(
				w->errors, node->at, "write between: [100, 500]; both are included", "'between' takes two numbers");
		} else if (number(w, node->items[0], &a) && number(w, node->items[1], &b)) {
			if (a > b) {
				ent_errors_add(w->errors, node->at, "write the smaller one first", "nothing is between %s and %s",
					node->items[0]->text, node->items[1]->text);
			}
			t = add(w, ENT__TEST_RANGE);
			t->low = a;
			t->high = b;
		}
	} else if (number(w, node, &a)) {
		t = add(w, ENT__TEST_RANGE);
		if (op == AT_LEAST || op == ABOVE) {
			t->low = a + (op == ABOVE && a < INT64_MAX);
		} else {
			t->high = a - (op == BELOW && a > INT64_MIN);
		}
	}
}

static int operator_of(where *w, const ent_yaml_node *key) {
	for (int i = 0; i < OPERATORS; i++) {
		if (!strcmp(operators[i], key->text)) {
			return i;
		}
	}
	const char *near = ent_nearest(key->text, operators, OPERATORS);
	char todo[160];
	snprintf(todo, sizeof todo,
		near ? "did you mean '%s'?"
			 : "known here: at_least, at_most, above, below, between, starts_with, not, "
			   "present%s",
		near ? near : "");
	ent_errors_add(w->errors, key->at, todo, "'%s' is no way to compare", key->text);
	return -1;
}

static void condition(where *w, int op, const ent_yaml_node *key, const ent_yaml_node *node) {
	const ent_metric_field *f = &ent_metric_fields[w->field];
	bool yes;
	bool text = f->form == ENT_FORM_TEXT, counted = is_number(f->form);
	bool may_lack = text || f->form == ENT_FORM_IDENTITY || f->form == ENT_FORM_TIME || f->form == ENT_FORM_DAYS ||
					w->field == ENT_FIELD_VISIT_LOAD_TIME;
	if (op == PRESENT) {
		if (!may_lack) {
			ent_errors_add(w->errors, key->at, "compare it with something", "'%s' is always there", w->name);
		} else if (node->kind != ENT_YAML_SCALAR || !ent_bool_parse(node->text, &yes)) {
			ent_errors_add(w->errors, node->at, "write true or false", "'present' takes true or false");
		} else {
			add(w, ENT__TEST_PRESENT)->negate = !yes;
		}
	} else if (op == STARTS_WITH && !text) {
		ent_errors_add(w->errors, key->at, counted ? "write at_least, at_most or between" : "name the whole of it",
			"'%s' is no text that could start with something", w->name);
	} else if (op == STARTS_WITH) {
		equal(w, node, ENT__TEST_PREFIX, false);
	} else if (op == NOT && node->kind == ENT_YAML_MAP) {
		const ent_yaml_node *starts = node->n == 1 ? ent_yaml_get(node, "starts_with") : NULL;
		if (starts && text) {
			equal(w, starts, ENT__TEST_PREFIX, true);
		} else {
			ent_errors_add(w->errors, node->at, "turn the comparison round: at_least becomes below",
				"'not' takes what it is not, or {starts_with: TEXT}");
		}
	} else if (op == NOT) {
		equal(w, node, ENT__TEST_TEXTS, true);
	} else if (!counted) {
		ent_errors_add(w->errors, key->at,
			text ? "write what it is: equal, [one, of, these], or {starts_with: TEXT}" : "name it",
			"'%s' is %s and has no order", w->name, text ? "a text" : "no number");
	} else {
		range(w, op, node);
	}
}

static void one(where *w, const ent_yaml_node *node) {
	const ent_metric_field *f = &ent_metric_fields[w->field];
	bool only_present = f->form == ENT_FORM_IDENTITY || f->form == ENT_FORM_TIME;
	if (node->kind == ENT_YAML_MAP) {
		for (size_t i = 0; i < node->n; i++) {
			int op = operator_of(w, node->keys[i]);
			if (op >= 0 && only_present && op != PRESENT) {
				ent_errors_add(w->errors, node->keys[i]->at, "write {present: true} or {present: false}",
					"of '%s' only whether it is there can be asked", w->name);
			} else if (op >= 0) {
				condition(w, op, node->keys[i], node->items[i]);
			}
		}
		if (!node->n) {
			ent_errors_add(
				w->errors, node->at, "write {at_least: 500}, for example", "'%s' is compared with nothing", w->name);
		}
	} else if (only_present) {
		ent_errors_add(w->errors, node->at, "write {present: true} or {present: false}",
			"of '%s' only whether it is there can be asked", w->name);
	} else {
		equal(w, node, ENT__TEST_TEXTS, false);
	}
}

/* ---- order and text --------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static int by_test(const void *a, const void *b) {
	const ent__test *x = a, *y = b;
#define BY(v)                                                                                                          \
	if (x->v != y->v)                                                                                                  \
	return x->v < y->v ? -1 : 1
	BY(field);
	BY(op);
	BY(negate);
	BY(low);
	BY(high);
	BY(n);
#undef BY
	for (size_t i = 0; i < x->n; i++) {
		int order = strcmp(x->texts[i], y->texts[i]);
		if (order) {
			return order;
		}
	}
	return 0;
}

static void put_number(ent_buf *b, int form, int64_t v) {
	int64_t scale = scale_of(form);
	ent_buf_printf(b, "%s%lld", v < 0 && v > -scale ? "-" : "", (long long)(v / scale));
	if (v % scale) {
		char digits[32];
		snprintf(digits, sizeof digits, "%0*lld", form == ENT_FORM_PIECES ? 3 : 6, (long long)llabs(v % scale));
		for (size_t n = strlen(digits); digits[n - 1] == '0'; n--) {
			digits[n - 1] = 0;
		}
		ent_buf_printf(b, ".%s", digits);
	}
}

static void put_list(ent_buf *b, const ent__test *t, const char *between) {
	const ent_metric_field *f = &ent_metric_fields[t->field];
	bool first = true;
	for (size_t i = 0; i < t->n; i++, first = false) {
		ent_buf_printf(b, "%s%s", first ? "" : between, t->texts[i]);
	}
	for (int i = 0; i < 63 && t->op == ENT__TEST_WORDS; i++) {
		if (t->low >> i & 1) {
			const char *text = f->form == ENT_FORM_FLAG ? (i ? "true" : "false") : f->words[i];
			ent_buf_printf(b, "%s%s", first ? "" : between, text);
			first = false;
		}
	}
}

/* As a part of a sentence: "total at least 500". */
static void say(const ent__test *t, unsigned fact, ent_buf *b) {
	const ent_metric_field *f = &ent_metric_fields[t->field];
	ent_buf_printf(b, "%s%s ", f->fact == fact ? "" : "its order's ", f->name);
	switch ((ent__test_op)t->op) {
	case ENT__TEST_RANGE:
		if (t->low == t->high) {
			ent_buf_printf(b, t->negate ? "not " : "");
			put_number(b, f->form, t->low);
		} else if (t->high == INT64_MAX) {
			ent_buf_printf(b, "at least ");
			put_number(b, f->form, t->low);
		} else if (t->low == INT64_MIN) {
			ent_buf_printf(b, "at most ");
			put_number(b, f->form, t->high);
		} else {
			ent_buf_printf(b, "from ");
			put_number(b, f->form, t->low);
			ent_buf_printf(b, " to ");
			put_number(b, f->form, t->high);
		}
		break;
	case ENT__TEST_PRESENT:
		ent_buf_printf(b, t->negate ? "missing" : "present");
		break;
	default:
		ent_buf_printf(b, "%s%s", t->negate ? "not " : "", t->op == ENT__TEST_PREFIX ? "starting with " : "");
		put_list(b, t, " or ");
	}
}

/* All of it, with nothing that could be read in two ways. */
static void hash(const ent__test *t, ent_buf *b) {
	const ent_metric_field *f = &ent_metric_fields[t->field];
	ent_buf_printf(b, " where %s.%s %u %u %lld %lld %zu", ent_metric_facts[f->fact], f->name, t->op, t->negate,
		(long long)t->low, (long long)t->high, t->n);
	for (size_t i = 0; i < t->n; i++) {
		ent_buf_printf(b, " %zu:%s", strlen(t->texts[i]), t->texts[i]);
	}
}

int ent__conditions_read(
	ent_custom *c, ent__count *count, const ent_yaml_node *node, ent_buf *said, ent_buf *hashed, ent_errors *errors) {
	size_t before = errors->total;
	where w = {.c = c, .count = count, .errors = errors};
	for (size_t i = 0; node && i < node->n; i++) {
		w.name = node->keys[i]->text;
		w.field = ent__field_find(count->fact, w.name, node->keys[i]->at, errors);
		if (w.field < 0) {
			continue;
		}
		count->any_status |= w.field == ENT_FIELD_ORDER_STATUS;
		one(&w, node->items[i]);
	}
	for (size_t i = 0; i < count->n_tests; i++) {
		if (count->tests[i].n) {
			qsort((void *)count->tests[i].texts, count->tests[i].n, sizeof *count->tests[i].texts, by_text);
		}
	}
	if (count->n_tests) {
		qsort(count->tests, count->n_tests, sizeof *count->tests, by_test);
	}
	for (size_t i = 0; i < count->n_tests; i++) {
		ent_buf_printf(said, i ? " and " : " with ");
		say(&count->tests[i], count->fact, said);
		hash(&count->tests[i], hashed);
	}
	return errors->total > before ? ENT_ERR_INVALID : 0;
}
