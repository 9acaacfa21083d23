/* SPDX-License-Identifier: Apache-2.0
 *
 * Domains and addresses, see people.h. */
#include "people.h"

#include <stdio.h>
#include <stdlib.h>

static int domain_of(ent_str address, char out[DOMAIN_MAX]) {
	address = text_trim(address);
	if (address.n > 7 && text_has_fold((ent_str){address.p, 7}, "mailto:"))
		address.p += 7, address.n -= 7;
	const char *at = NULL;
	for (size_t i = 0; i < address.n; i++)
		at = address.p[i] == '@' ? address.p + i + 1 : at;
	size_t n = at ? (size_t)(address.p + address.n - at) : 0;
	while (n && (at[n - 1] == '.' || at[n - 1] == '>' || text_blank(at[n - 1])))
		n--;
	if (!n || n >= DOMAIN_MAX || at - 1 == address.p)
		return -1;
	for (size_t i = 0; i < n; i++) {
		out[i] = text_lower(at[i]);
		if (text_blank(out[i]) || out[i] == ',' || out[i] == '"')
			return -1;
	}
	out[n] = 0;
	return 0;
}

/* The domain itself or one below it. */
static int within(const char *domain, const ent_str *list, size_t n) {
	size_t length = strlen(domain);
	for (size_t i = 0; i < n; i++) {
		ent_str d = list[i];
		if (length >= d.n && !memcmp(domain + length - d.n, d.p, d.n) &&
			(length == d.n || domain[length - d.n - 1] == '.'))
			return 1;
	}
	return 0;
}

side people__side(const people *p, ent_str address, char domain[DOMAIN_MAX]) {
	if (domain_of(address, domain))
		return SIDE_NOBODY;
	if (within(domain, p->own, p->n_own))
		return SIDE_US;
	return p->n_theirs && !within(domain, p->theirs, p->n_theirs) ? SIDE_NOBODY : SIDE_THEM;
}

void people__hash(const people *p, ent_str text, char out[33]) {
	ent_id id = p->host->identity(p->ctx, ENT_ID_STAFF, text);
	for (int i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", id.b[i]);
}

void people__add(const people *p, party *to, ent_str address, answer a) {
	char domain[DOMAIN_MAX], hash[33];
	side s = people__side(p, address, domain);
	to->ours += s == SIDE_US;
	if (s != SIDE_THEM)
		return;
	struct party_domain *d = to->domains;
	while (d < to->domains + to->n && strcmp(d->name, domain) != 0)
		d++;
	if (d == to->domains + DOMAINS_MAX)
		return; /* more than that at one table: a mass mailing */
	if (d == to->domains + to->n) {
		to->n++;
		*d = (struct party_domain){.with_n = 0};
		memcpy(d->name, domain, strlen(domain) + 1);
	}
	*(a == ANSWER_YES ? &d->accepted : a == ANSWER_NO ? &d->declined : &d->others) += 1;
	if (p->identities) {
		if (address.n > 7 && text_has_fold((ent_str){address.p, 7}, "mailto:"))
			address.p += 7, address.n -= 7;
		people__hash(p, address, hash);
		if (d->with_n + 34 < WITH_MAX && !strstr(d->with, hash))
			d->with_n +=
				(size_t)snprintf(d->with + d->with_n, WITH_MAX - d->with_n, "%s%s", d->with_n ? " " : "", hash);
	}
}

size_t people__parties(const people *p, const party *of) { return of->n && p->n_theirs ? 1 : of->n; }

void people__name(const people *p, const party *of, size_t i, ent_contact *c, char key[KEY_MAX + 1]) {
	const struct party_domain *d = &of->domains[i];
	c->with = p->identities ? (ent_str){d->with, d->with_n} : (ent_str){d->name, strlen(d->name)};
	c->h.partner = (ent_str){d->name, strlen(d->name)};
	size_t n = strlen(key);
	if (!p->n_theirs)
		n += (size_t)snprintf(key + n, KEY_MAX + 1 - n, "/%.*s", (int)(KEY_MAX - n - 1), d->name);
	c->h.key = (ent_str){key, n > KEY_MAX ? KEY_MAX : n};
}

static const char *domains(const ent_value *list, ent_str **out, size_t *n, char **room) {
	*out = calloc(list->n + 1, sizeof **out);
	if (!*out)
		return "";
	for (size_t i = 0; i < list->n; i++) {
		ent_str s = text_trim(list->items[i].s);
		char *p = *room;
		while (s.n && (*s.p == '@' || *s.p == '.'))
			s.p++, s.n--;
		if (!s.n || s.n >= DOMAIN_MAX || memchr(s.p, '@', s.n))
			return "own, theirs: no domain; write nordwind.example, without a name before it";
		for (size_t k = 0; k < s.n; k++)
			p[k] = text_lower(s.p[k]);
		(*out)[(*n)++] = (ent_str){p, s.n};
		*room += s.n;
	}
	return NULL;
}

const char *people__init(people *p, const ent_host *host, ent_ctx *ctx, const ent_value *options) {
	const ent_value *own = &options[OPT_OWN], *theirs = &options[OPT_THEIRS];
	size_t room = 1;
	*p = (people){
		.host = host, .ctx = ctx, .identities = options[OPT_WITH].i == 1, .subjects = options[OPT_SUBJECTS].i != 0};
	for (size_t i = 0; i < own->n; i++)
		room += own->items[i].s.n;
	for (size_t i = 0; i < theirs->n; i++)
		room += theirs->items[i].s.n;
	char *at = p->texts = malloc(room);
	if (!at)
		return "";
	if (!own->n)
		return "own: without our own domains nobody knows who the other side is";
	const char *wrong = domains(own, &p->own, &p->n_own, &at);
	return wrong ? wrong : domains(theirs, &p->theirs, &p->n_theirs, &at);
}

void people__finish(people *p) {
	free(p->own);
	free(p->theirs);
	free(p->texts);
}
