/* SPDX-License-Identifier: Apache-2.0
 *
 * priors: what the organization believes before it has measured, as three numbers and where they are from. One thread.
 */
#include "config/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(ent_prior_config, member)

/* A decimal as it is written, 0.07 or -3: it goes on as these characters, so that nothing is rounded. */
static int decimal(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	const char *s = word.s + (*word.s == '-');
	size_t whole = strspn(s, "0123456789"), part = s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;
	size_t length = whole + (part ? part + 1 : 0);
	/* JSON takes no zeros in front; fifteen digits are more than anybody believes exactly */
	if (!whole || s[length] || whole + part > 15 || (whole > 1 && *s == '0')) {
		char todo[80];
		snprintf(todo, sizeof todo, "write for example %s: 0.07", f->key);
		return ent_errors_add(p->errors, word.at, todo, "'%s' takes a number, not '%s'", f->key, word.s);
	}
	*(ent_word *)into = word;
	return 0;
}

const char *const ent_prior_units[] = {"ratio", "count", "days", "seconds", "pieces", "money", NULL};
const char *const ent_prior_audiences[] = {"us", "both", NULL};

/* clang-format off */
const ent__field ent__prior_fields[] = {
	{.key = "p10", .type = ENT__CUSTOM, .custom = decimal, .required = true, .offset = AT(p10), .form = "NUMBER",
		.doc = "One in ten times it is less than this."},
	{.key = "p50", .type = ENT__CUSTOM, .custom = decimal, .required = true, .offset = AT(p50), .form = "NUMBER",
		.doc = "It is as likely to be less than this as to be more."},
	{.key = "p90", .type = ENT__CUSTOM, .custom = decimal, .required = true, .offset = AT(p90), .form = "NUMBER",
		.doc = "One in ten times it is more than this."},
	{.key = "unit", .type = ENT__ENUM, .preset = "ratio", .choices = ent_prior_units, .offset = AT(unit),
		.doc = "What it is counted in. Seven in a hundred is the ratio 0.07; money is in the reporting currency."},
	{.key = "audience", .type = ENT__ENUM, .preset = "us", .choices = ent_prior_audiences, .offset = AT(audience),
		.doc = "Who may know of it: `both` for what is published. What rests on a prior of ours alone is not shown to partners."},
	{.key = "source", .type = ENT__TEXT, .required = true, .offset = AT(source),
		.doc = "Where it is from: a study, an earlier partner, whose judgement. It stands beside what rests on it."},
	{.key = NULL}};
/* clang-format on */

void ent__priors_check(ent__parser *p, const ent_config *config) {
	for (size_t i = 0; i < config->n_priors; i++) {
		const ent_prior_config *prior = &config->priors[i];
		if (!prior->p10.s || !prior->p50.s || !prior->p90.s) {
			continue; /* told already */
		}
		double low = strtod(prior->p10.s, NULL), middle = strtod(prior->p50.s, NULL), high = strtod(prior->p90.s, NULL);
		if (low > middle || middle > high) {
			ent_errors_add(p->errors, low > middle ? prior->p50.at : prior->p90.at,
				"write them so that p10 <= p50 <= p90", "the prior '%s' goes down: p10 %s, p50 %s, p90 %s",
				prior->name.s, prior->p10.s, prior->p50.s, prior->p90.s);
		} else if (low == high) {
			ent_errors_add(p->errors, prior->p90.at, "write how far it may lie from that",
				"the prior '%s' is %s and nothing else, and nobody is that sure", prior->name.s, prior->p50.s);
		}
	}
}
