/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of entente.yaml that several sections take in the same form: yes or no, rates, addresses of web servers, headers, maps of
 * texts. Each has its error here, so that it reads the same wherever it is written. One thread.
 */
#include "config/values.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/scalar.h"

int ent__flag(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	if (!ent_bool_parse(word.s, into)) {
		return ent_errors_add(p->errors, word.at, "write true or false", "'%s' does not take '%s'", f->key, word.s);
	}
	return 0;
}

int ent__rate(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	if (!ent_rate_parse(word.s, into)) {
		char todo[80];
		snprintf(todo, sizeof todo, "write for example %s, 600/m or 5000/h", f->preset);
		return ent_errors_add(p->errors, word.at, todo, "'%s' is no rate", word.s);
	}
	return 0;
}

int ent__url(ent__parser *p, const ent__field *f, const ent_yaml_node *node, void *into) {
	ent_word word;
	if (!ent__word(p, node, f->key, f->form, &word)) {
		return ENT_ERR_INVALID;
	}
	const char *host = strncmp(word.s, "https://", 8) == 0 ? word.s + 8 : strncmp(word.s, "http://", 7) == 0 ? word.s + 7 : "";
	bool blank = false;
	for (const char *c = word.s; *c; c++) {
		blank |= (unsigned char)*c <= ' ' || *c == 127;
	}
	if (!*host || *host == '/' || *host == ':' || blank) {
		/* not repeated: addresses of webhooks may hold a secret */
		return ent_errors_add(
			p->errors, word.at, "write for example https://hooks.example.com/entente", "'%s' is no address of a web server", f->key);
	}
	*(ent_word *)into = word;
	return 0;
}

/* RFC 9110, token. */
bool ent__is_token(const char *s) {
	for (const char *p = s; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');
		if (!letter && !strchr("!#$%&'*+-.^_`|~", *p)) {
			return false;
		}
	}
	return *s;
}

int ent__pairs(ent__parser *p, const ent__field *f, const ent_yaml_node *node, const ent_pair **out, size_t *n) {
	if (!ent__map(p, node, f->key, f->form)) {
		return ENT_ERR_INVALID;
	}
	ent_pair *pairs = ent_arena_alloc(p->arena, (node->n + 1) * sizeof *pairs);
	*n = 0;
	for (size_t i = 0; i < node->n; i++) {
		pairs[*n].key = (ent_word){node->keys[i]->text, node->keys[i]->at};
		*n += ent__word(p, node->items[i], node->keys[i]->text, "TEXT", &pairs[*n].value);
	}
	*out = pairs;
	return 0;
}

static bool is_own(const char *own, const char *name) {
	size_t n = strlen(own);
	return own[n - 1] == '-' ? strncasecmp(name, own, n) == 0 : strcasecmp(name, own) == 0;
}

/* Says what is wrong about a header; true if nothing is. */
static bool header_fits(ent__parser *p, const ent_pair *header, const ent__own_header *own, const char *whose) {
	ent_word name = header->key;
	while (own->name && !is_own(own->name, name.s)) {
		own++;
	}
	if (own->name) {
		ent_errors_add(p->errors, name.at, own->todo ? own->todo : "take it out", "the header '%s' is written by the %s itself",
			name.s, whose);
		return false;
	}
	if (!ent__is_token(name.s)) {
		ent_errors_add(p->errors, name.at, "use letters, digits and '-'", "'%s' cannot be the name of a header", name.s);
		return false;
	}
	for (const char *c = header->value.s; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 127) {
			ent_errors_add(
				p->errors, header->value.at, "write it in one line", "the header '%s' has a control character", name.s);
			return false;
		}
	}
	return true;
}

int ent__headers(ent__parser *p, const ent__field *f, const ent_yaml_node *node, const ent__own_header *own, const char *whose,
	const ent_pair **out, size_t *n) {
	size_t all = 0;
	int status = ent__pairs(p, f, node, out, &all);
	ent_pair *pairs = (ent_pair *)*out; /* ours until they are handed out */
	*n = 0;
	for (size_t i = 0; !status && i < all; i++) {
		if (header_fits(p, &pairs[i], own, whose)) {
			pairs[(*n)++] = pairs[i];
		}
	}
	return status;
}
