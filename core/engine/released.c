/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of releases in the core, see released.h. Sets of partners are bitmaps of their codes (CRoaring). Two sets
 * that differ by fewer than k share one of their k smallest: of the k smallest of both together fewer than k are in one
 * alone. So whoever looks for sets that are near asks for those few, and never compares all with all. Loop thread only.
 */
#include "engine/released.h"
#include "store/releases.h"

#include <roaring/roaring.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_REFUSED = 30 /* days */, KEEP_LEAST = 2 };

typedef struct shown {
	uint64_t id;                 /* 0: not in the store yet */
	uint32_t slice, cohort, why; /* texts */
	int32_t first_end, last_end, days, since, as_of;
	uint64_t run;
	uint32_t rank, size;
	roaring_bitmap_t *who; /* NULL: refused */
	bool changed;
} shown;

struct ent__released {
	ent_intern texts;
	shown *items;
	size_t n, capacity;
	uint64_t last_id;
	uint32_t *codes; /* of the partners of the last snapshot, by their numbers */
	size_t n_codes;
	/* of the judgement under way */
	shown *fresh;
	size_t n_fresh, fresh_capacity;
	/* sets by slice and one of the k smallest of them: a chain for each place of `heads` */
	struct link {
		uint64_t key;
		const shown *set;
		uint32_t next;
	} * links;
	size_t n_links, links_capacity;
	uint32_t *heads, mask;
};

static void drop_fresh(struct ent__released *r) {
	for (size_t i = 0; i < r->n_fresh; i++) {
		if (r->fresh[i].who) {
			roaring_bitmap_free(r->fresh[i].who);
		}
	}
	r->n_fresh = 0;
}

void ent__released_forget(ent_engine *e) {
	struct ent__released *r = e->released;
	if (!r) {
		return;
	}
	drop_fresh(r);
	for (size_t i = 0; i < r->n; i++) {
		if (r->items[i].who) {
			roaring_bitmap_free(r->items[i].who);
		}
	}
	ent_intern_finish(&r->texts);
	free(r->items);
	free(r->fresh);
	free(r->codes);
	free(r->links);
	free(r->heads);
	free(r);
	e->released = NULL;
}

static uint32_t text_of(struct ent__released *r, const char *text) {
	return ent_intern_put(&r->texts, text, strlen(text));
}

static const char *text(const struct ent__released *r, uint32_t number) {
	return ent_intern_text(&r->texts, number, NULL);
}

static int take_row(void *ctx, const ent_release *x) {
	struct ent__released *r = ctx;
	roaring_bitmap_t *who = x->n_members ? roaring_bitmap_portable_deserialize_safe(x->members, x->n_members) : NULL;
	ENT_GROW(r->items, r->n, r->capacity);
	r->items[r->n++] = (shown){.id = x->id,
		.slice = text_of(r, x->slice),
		.cohort = text_of(r, x->cohort),
		.why = text_of(r, x->why),
		.first_end = x->first_end,
		.last_end = x->last_end,
		.days = (int32_t)x->days,
		.since = x->since,
		.as_of = x->as_of,
		.run = x->run,
		.size = x->size,
		.who = who};
	r->last_id = x->id > r->last_id ? x->id : r->last_id;
	return x->n_members && !who ? ENT_ERR_CORRUPT : 0;
}

int ent__released_load(ent_engine *e, ent_error *error) {
	if (e->released) {
		return 0;
	}
	e->released = ent_xcalloc(1, sizeof *e->released);
	ent_intern_init(&e->released->texts);
	int status = ent_store_releases_scan(e->store, take_row, e->released, error);
	if (status) {
		ent__released_forget(e);
	}
	return status == ENT_ERR_CORRUPT && !error->code
			   ? ent_error_set(error, ENT_ERR_CORRUPT, "the log of releases of cohorts cannot be read")
			   : status;
}

/* ---- to the workers ---------------------------------------------------------------------------------------------- */

/* Numbers as digits, eight each, in the order of this machine's bytes. */
static void hex(ent_buf *out, const uint32_t *numbers, size_t n) {
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = (const uint8_t *)numbers;
	out->n = 0;
	ent_buf_reserve(out, n * 8 + 1);
	for (size_t i = 0; i < n * 4; i++) {
		out->data[out->n++] = (uint8_t)digits[bytes[i] >> 4];
		out->data[out->n++] = (uint8_t)digits[bytes[i] & 15];
	}
}

static int by_number(const void *x, const void *y) {
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	return (a > b) - (a < b);
}

/* The numbers, ascending, that a snapshot has for the partners of a set; of codes the numbers are + 1, 0: not in the
 * snapshot. */
static void digits_of(const shown *s, const uint32_t *number, uint32_t most, ent_buf *out) {
	uint32_t *who = ent_xmalloc(((size_t)s->size + 1) * sizeof *who);
	roaring_bitmap_to_uint32_array(s->who, who);
	for (uint32_t k = 0; k < s->size; k++) {
		/* whoever is not there any more is nobody that a worker can read, but counts as a difference */
		who[k] = who[k] <= most && number[who[k]] ? number[who[k]] - 1 : UINT32_C(0x80000000) | who[k];
	}
	qsort(who, s->size, sizeof *who, by_number);
	hex(out, who, s->size);
	free(who);
}

void ent__released_json(ent_engine *e, const uint32_t *partners, size_t n, ent_json *j) {
	const struct ent__released *r = e->released;
	uint32_t most = 0;
	for (size_t i = 0; i < n; i++) {
		most = partners[i] > most ? partners[i] : most;
	}
	uint32_t *number = ent_xcalloc((size_t)most + 1, sizeof *number);
	for (size_t i = 0; i < n; i++) {
		number[partners[i]] = (uint32_t)i + 1;
	}
	ent_intern sets; /* most figures of a cohort are of the same partners */
	ent_buf digits = {0};
	uint32_t *set_of = ent_xcalloc((r ? r->n : 0) + 1, sizeof *set_of);
	ent_intern_init(&sets);
	for (size_t i = 0; r && i < r->n; i++) {
		if (r->items[i].who) {
			digits_of(&r->items[i], number, most, &digits);
			set_of[i] = ent_intern_put(&sets, (const char *)digits.data, digits.n);
		}
	}
	ent_json_object(j);
	ent_json_key(j, "sets");
	ent_json_array(j);
	for (uint32_t i = 0; i < sets.count; i++) {
		size_t length;
		const char *set = ent_intern_text(&sets, i, &length);
		ent_json_text_n(j, set, length);
	}
	ent_json_end(j);
	ent_json_key(j, "rows");
	ent_json_array(j);
	for (size_t i = 0; r && i < r->n; i++) {
		const shown *s = &r->items[i];
		if (s->who) {
			ent_json_array(j);
			ent_json_text(j, text(r, s->slice));
			ent_json_text(j, text(r, s->cohort));
			ent_json_int(j, s->first_end);
			ent_json_int(j, s->last_end);
			ent_json_int(j, s->days);
			ent_json_int(j, s->as_of);
			ent_json_uint(j, set_of[i]);
			ent_json_end(j);
		}
	}
	ent_json_end(j);
	ent_json_end(j);
	ent_intern_finish(&sets);
	ent_buf_finish(&digits);
	free(set_of);
	free(number);
}

void ent__released_of(ent_engine *e, const ent_snapshot_block *s) {
	struct ent__released *r = e->released;
	const ent_snap_head *head = s->data;
	const ent_snap_partner *partners = (const ent_snap_partner *)((const uint8_t *)s->data + head->partners.offset);
	const ent_snap_text *texts = (const ent_snap_text *)((const uint8_t *)s->data + head->texts.offset);
	if (!r) {
		return; /* a snapshot that has no log */
	}
	r->n_codes = head->partners.n;
	r->codes = ent_xrealloc(r->codes, (r->n_codes + 1) * sizeof *r->codes);
	for (size_t i = 0; i < r->n_codes; i++) {
		r->codes[i] = ent__code_of(e, (const char *)s->data + texts[partners[i].id].offset);
	}
}

/* ---- from the workers -------------------------------------------------------------------------------------------- */

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* Numbers of partners, eight digits each, as a bitmap of their codes; NULL: they are none. */
static roaring_bitmap_t *bitmap_of(const struct ent__released *r, const char *digits) {
	roaring_bitmap_t *who = roaring_bitmap_create();
	for (; who && *digits; digits += 8) {
		uint8_t bytes[4];
		uint32_t number;
		bool good = strnlen(digits, 8) == 8;
		for (int i = 0; good && i < 4; i++) {
			int high = digit(digits[2 * i]), low = digit(digits[2 * i + 1]);
			good = high >= 0 && low >= 0;
			bytes[i] = (uint8_t)(high << 4 | low);
		}
		memcpy(&number, bytes, 4);
		if (!good || number >= r->n_codes) {
			roaring_bitmap_free(who);
			return NULL;
		}
		roaring_bitmap_add(who, r->codes[number]);
	}
	return who;
}

static int number_at(json_object *row, size_t i) { return json_object_get_int(json_object_array_get_idx(row, i)); }

static uint32_t text_at(struct ent__released *r, json_object *row, size_t i) {
	const char *s = json_object_get_string(json_object_array_get_idx(row, i));
	return text_of(r, s ? s : "");
}

/* [slice, cohort, start, stop, rank, number of a set], or with a reason in place of the last two. */
static bool take_one(ent__judge *j, json_object *row, json_object *sets, bool refused) {
	struct ent__released *r = j->e->released;
	if (!json_object_is_type(row, json_type_array) || json_object_array_length(row) < (refused ? 5 : 6)) {
		return false;
	}
	shown s = {.slice = text_at(r, row, 0),
		.cohort = text_at(r, row, 1),
		.first_end = number_at(row, 3),
		.last_end = number_at(row, 3),
		.days = number_at(row, 3) - number_at(row, 2),
		.since = j->as_of,
		.as_of = j->as_of,
		.run = j->run,
		.changed = true};
	if (refused) {
		s.why = text_at(r, row, 4);
	} else {
		json_object *digits = json_object_array_get_idx(sets, (size_t)number_at(row, 5));
		s.rank = (uint32_t)number_at(row, 4);
		s.who = digits ? bitmap_of(r, json_object_get_string(digits)) : NULL;
		if (!s.who) {
			return false;
		}
		s.size = (uint32_t)roaring_bitmap_get_cardinality(s.who);
	}
	ENT_GROW(r->fresh, r->n_fresh, r->fresh_capacity);
	r->fresh[r->n_fresh++] = s;
	return true;
}

static bool take_message(ent__judge *j, const ent_buf *message) {
	json_object *root = json_tokener_parse((const char *)message->data), *sets, *list;
	bool good =
		root && json_object_object_get_ex(root, "sets", &sets) && json_object_object_get_ex(root, "shown", &list);
	for (size_t i = 0; good && i < json_object_array_length(list); i++) {
		good = take_one(j, json_object_array_get_idx(list, i), sets, false);
	}
	good = good && json_object_object_get_ex(root, "refused", &list);
	for (size_t i = 0; good && i < json_object_array_length(list); i++) {
		good = take_one(j, json_object_array_get_idx(list, i), sets, true);
	}
	json_object_put(root);
	return good;
}

/* ---- what contradicts each other --------------------------------------------------------------------------------- */

/* Wider cohorts come first, then larger ones: these stay. Whoever asked first, and of which worker, is of no account.
 */
static int by_rank(const void *x, const void *y, void *released) {
	const shown *a = x, *b = y;
	if (!a->who != !b->who) {
		return a->who ? -1 : 1;
	}
	if (a->rank != b->rank) {
		return a->rank < b->rank ? -1 : 1;
	}
	if (a->size != b->size) {
		return a->size > b->size ? -1 : 1;
	}
	int order = strcmp(text(released, a->cohort), text(released, b->cohort));
	order = order ? order : strcmp(text(released, a->slice), text(released, b->slice));
	order = order ? order : (a->last_end > b->last_end) - (a->last_end < b->last_end);
	return order ? order : (a->days > b->days) - (a->days < b->days);
}

static void link_set(struct ent__released *r, const shown *s, unsigned k) {
	roaring_uint32_iterator_t *at = roaring_create_iterator(s->who);
	for (unsigned i = 0; i < k && at->has_value; i++) {
		uint64_t key = (uint64_t)s->slice << 32 | at->current_value;
		uint32_t *head = &r->heads[ent_hash64(&key, sizeof key, 0) & r->mask];
		ENT_GROW(r->links, r->n_links, r->links_capacity);
		r->links[r->n_links] = (struct link){key, s, *head};
		*head = (uint32_t)++r->n_links;
		roaring_advance_uint32_iterator(at);
	}
	roaring_free_uint32_iterator(at);
}

/* Do the windows share half of their days? */
static bool overlap(const shown *old, const shown *fresh) {
	int64_t moved = old->first_end - (int64_t)fresh->last_end > fresh->last_end - (int64_t)old->last_end
						? old->first_end - (int64_t)fresh->last_end
						: fresh->last_end - (int64_t)old->last_end;
	return 2 * moved <= (old->days > fresh->days ? old->days : fresh->days);
}

static bool contradicts(const struct ent__released *r, const shown *s, unsigned k) {
	bool found = false;
	roaring_uint32_iterator_t *at = roaring_create_iterator(s->who);
	for (unsigned i = 0; i < k && at->has_value && !found; i++) {
		uint64_t key = (uint64_t)s->slice << 32 | at->current_value;
		for (uint32_t l = r->heads[ent_hash64(&key, sizeof key, 0) & r->mask]; l && !found; l = r->links[l - 1].next) {
			const shown *other = r->links[l - 1].set;
			if (r->links[l - 1].key == key && overlap(other, s)) {
				uint64_t apart = roaring_bitmap_xor_cardinality(other->who, s->who);
				found = apart > 0 && apart < k;
			}
		}
		roaring_advance_uint32_iterator(at);
	}
	roaring_free_uint32_iterator(at);
	return found;
}

static void refuse(ent__judge *j, const shown *s) {
	const struct ent__released *r = j->e->released;
	ent_json w;
	if (j->refused.n) {
		ent_buf_u8(&j->refused, ',');
	}
	ent_json_init(&w, &j->refused, false);
	ent_json_array(&w);
	ent_json_text(&w, text(r, s->slice));
	ent_json_text(&w, text(r, s->cohort));
	ent_json_int(&w, s->last_end - s->days);
	ent_json_int(&w, s->last_end);
	ent_json_end(&w);
}

int ent__released_take(ent__judge *j, unsigned n) {
	struct ent__released *r = j->e->released;
	unsigned k = (unsigned)j->e->config->rules.min_cohort;
	bool any = false, good = true;
	if (!r) {
		return 0;
	}
	drop_fresh(r);
	for (unsigned i = 0; i < n && good; i++) {
		ent_buf *message = &j->e->rules->workers[i].released;
		if (message->n) {
			ent_buf_u8(message, 0);
			good = take_message(j, message);
			message->n = 0;
		}
	}
	if (!good) {
		return ent_error_set(j->error, ENT_ERR_WORKER, "the rules worker sent something that is no list of releases");
	}
	if (!r->n_fresh) {
		return 0;
	}
	ENT_SORT_R(r->fresh, r->n_fresh, by_rank, r);
	for (r->mask = 1023; r->mask < (r->n + r->n_fresh) * k && r->mask < 1u << 24;) {
		r->mask = 2 * r->mask + 1;
	}
	free(r->heads);
	r->heads = ent_xcalloc((size_t)r->mask + 1, sizeof *r->heads);
	r->n_links = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (r->items[i].who) {
			link_set(r, &r->items[i], k);
		}
	}
	for (size_t i = 0; i < r->n_fresh && r->fresh[i].who; i++) {
		if (contradicts(r, &r->fresh[i], k)) {
			refuse(j, &r->fresh[i]);
			any = true;
		} else {
			link_set(r, &r->fresh[i], k);
		}
	}
	return any ? ENT__AGAIN : 0;
}

void ent__released_refused(const ent__judge *j, ent_json *w) {
	ent_buf list = {0};
	ent_buf_u8(&list, '[');
	ent_buf_add(&list, j->refused.data, j->refused.n);
	ent_buf_u8(&list, ']');
	ent_json_raw(w, (const char *)list.data, list.n);
	ent_buf_finish(&list);
}

/* ---- to the store ------------------------------------------------------------------------------------------------ */

/* The same set as one that is there, in windows near to its own: only that it was shown again is new. */
static bool again(shown *old, const shown *s) {
	if (old->slice != s->slice || old->cohort != s->cohort || !old->who != !s->who) {
		return false;
	}
	if (s->who && (old->days != s->days || !overlap(old, s) || !roaring_bitmap_equals(old->who, s->who))) {
		return false;
	}
	old->first_end = s->last_end < old->first_end ? s->last_end : old->first_end;
	old->last_end = s->last_end > old->last_end ? s->last_end : old->last_end;
	old->days = s->days;
	old->as_of = s->as_of;
	old->run = s->run;
	old->why = s->why;
	old->changed = true;
	return true;
}

static uint64_t place_of(const shown *s) { return (uint64_t)s->slice << 32 | s->cohort; }

/* Puts what is new to what is there. */
static void merge(struct ent__released *r) {
	uint32_t mask = 1023;
	while (mask < 2 * (r->n + r->n_fresh) && mask < 1u << 24) {
		mask = 2 * mask + 1;
	}
	uint32_t *heads = ent_xcalloc((size_t)mask + 1, sizeof *heads);
	uint32_t *next = ent_xcalloc(r->n + r->n_fresh + 1, sizeof *next);
	for (size_t i = 0; i < r->n + r->n_fresh; i++) {
		shown *s = i < r->n ? &r->items[i] : &r->fresh[i - r->n];
		uint64_t place = place_of(s);
		uint32_t *head = &heads[ent_hash64(&place, sizeof place, 0) & mask], at = i < r->n ? 0 : *head;
		while (at && !again(at <= r->n ? &r->items[at - 1] : &r->fresh[at - 1 - r->n], s)) {
			at = next[at - 1];
		}
		if (at) { /* known: nothing of it stays */
			if (s->who) {
				roaring_bitmap_free(s->who);
			}
			s->who = NULL;
			s->changed = false;
		} else {
			next[i] = *head;
			*head = (uint32_t)i + 1;
		}
	}
	for (size_t i = 0; i < r->n_fresh; i++) {
		if (r->fresh[i].changed) {
			ENT_GROW(r->items, r->n, r->capacity);
			r->items[r->n] = r->fresh[i];
			r->items[r->n++].id = ++r->last_id;
		}
	}
	r->n_fresh = 0;
	free(heads);
	free(next);
}

static int put(ent__judge *j, shown *s) {
	struct ent__released *r = j->e->released;
	ent_release row = {.id = s->id,
		.slice = text(r, s->slice),
		.cohort = text(r, s->cohort),
		.state = s->who ? "shown" : "refused",
		.why = text(r, s->why),
		.first_end = s->first_end,
		.last_end = s->last_end,
		.days = (uint32_t)s->days,
		.size = s->size,
		.since = s->since,
		.as_of = s->as_of,
		.run = s->run};
	char *bytes = NULL;
	if (s->who) {
		row.n_members = roaring_bitmap_portable_size_in_bytes(s->who);
		row.members = bytes = ent_xmalloc(row.n_members);
		roaring_bitmap_portable_serialize(s->who, bytes);
	}
	s->changed = false;
	int status = ent_store_release_put(j->e->store, &row, j->error);
	free(bytes);
	return status;
}

/* Its windows, if it goes on as before, share less than half of their days with those in which it was shown last; an
 * eighth is how long a worker may show it without saying so. */
static bool is_over(const shown *s, int32_t as_of) {
	int64_t since = (int64_t)as_of - s->as_of;
	int64_t keep = s->who ? s->days / 2 + s->days / 8 + KEEP_LEAST : KEEP_REFUSED;
	return since > keep;
}

int ent__released_save(ent__judge *j) {
	struct ent__released *r = j->e->released;
	int status = 0;
	if (!r) {
		return 0;
	}
	merge(r);
	size_t kept = 0;
	for (size_t i = 0; i < r->n; i++) {
		shown *s = &r->items[i];
		if (is_over(s, j->as_of)) {
			status = status || !s->id ? status : ent_store_release_drop(j->e->store, s->id, j->error);
			if (s->who) {
				roaring_bitmap_free(s->who);
			}
			continue;
		}
		if (s->changed && !status) {
			status = put(j, s);
		}
		r->items[kept++] = *s;
	}
	r->n = kept;
	return status;
}
