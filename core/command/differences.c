/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings that changed between two looks, see differences.h. */
#include "command/differences.h"

#include "base/arena.h"
#include "base/intern.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct look {
	ent__differences *d;
	ent_buf *out;
	size_t told, more;
} look;

static struct ent__known *slot_of(ent__differences *d, uint64_t finding) {
	size_t at = (size_t)finding & (d->size - 1);
	while (d->slots[at].finding && d->slots[at].finding != finding) {
		at = (at + 1) & (d->size - 1);
	}
	return &d->slots[at];
}

static void grow(ent__differences *d) {
	ent__differences old = *d;
	d->size = old.size ? old.size * 2 : 1024;
	d->slots = ent_xcalloc(d->size, sizeof *d->slots);
	for (size_t i = 0; i < old.size; i++) {
		if (old.slots[i].finding) {
			*slot_of(d, old.slots[i].finding) = old.slots[i];
		}
	}
	free(old.slots);
}

static uint64_t hash_of(const ent_finding *f) {
	uint64_t hash = ent_hash64(f->partner, strlen(f->partner), 0);
	hash = ent_hash64(f->named, strlen(f->named), hash);
	return ent_hash64(f->key, strlen(f->key), hash);
}

static void member(ent_json *j, const char *key, const char *text) {
	ent_json_key(j, key);
	ent_json_text(j, text && *text ? text : NULL);
}

static void tell(look *x, const ent_finding *f, const char *before) {
	ent_json j;
	char id[9];
	if (x->told == ENT__DIFFERENCES_MOST) {
		x->more++;
		return;
	}
	x->told++;
	ent_finding_id(f->named, f->partner, f->key, id);
	ent_json_init(&j, x->out, false);
	ent_json_object(&j);
	member(&j, "id", id);
	member(&j, "partner", f->partner);
	member(&j, "rule", f->rule);
	member(&j, "kind", f->kind);
	member(&j, "severity", f->severity);
	member(&j, "practice", f->practice);
	member(&j, "before", before);
	member(&j, "state", f->state);
	member(&j, "text", f->text);
	ent_json_key(&j, "worth");
	if (f->has_worth) {
		ent_json_decimal(&j, f->worth, 6);
	} else {
		ent_json_null(&j);
	}
	ent_json_end(&j);
	ent_buf_u8(x->out, '\n');
}

static int take(void *ctx, const ent_finding *f) {
	look *x = ctx;
	ent__differences *d = x->d;
	if (2 * (d->n + 1) > d->size) {
		grow(d);
	}
	uint64_t finding = hash_of(f), text = ent_hash64(f->text, strlen(f->text), (uint64_t)f->worth);
	struct ent__known *k = slot_of(d, finding ? finding : 1);
	bool fresh = !k->finding;
	if (d->begun && (fresh || k->text != text || strcmp(k->state, f->state) != 0)) {
		tell(x, f, fresh ? NULL : k->state);
	}
	d->n += fresh;
	k->finding = finding ? finding : 1;
	k->text = text;
	snprintf(k->state, sizeof k->state, "%s", f->state);
	return 0;
}

int ent__differences_take(ent__differences *d, ent_store *store, ent_buf *out, ent_error *e) {
	look x = {.d = d, .out = out};
	int status = ent_store_findings_scan(store, NULL, take, &x, e);
	if (!status && x.more) {
		ent_buf_printf(out, "{\"more\":%zu}\n", x.more);
	}
	d->begun = d->begun || !status;
	return status;
}

void ent__differences_finish(ent__differences *d) {
	free(d->slots);
	*d = (ent__differences){0};
}
