/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers what a rules worker asks while a rule runs, see ENT_RULES_ASK. The worker waits; the others go on, and are
 * answered one after the other. What it may not ask for is told to the rule; what is wrong with the ledger ends the
 * judgement. Loop thread only. */
#include "engine/facts_table.h"
#include "engine/integrity.h"
#include "engine/rules_worker.h"

#include <string.h>

typedef struct question {
	ent__facts_want want;
	ent_rules_ask what;
	uint8_t of; /* ent_fact or ent_view */
	uint8_t families;
} question;

static int32_t day_of(ent_read *r) {
	int32_t day;
	uint32_t v = ent_read_u32(r);
	memcpy(&day, &v, sizeof day);
	return day;
}

/* 0, or ENT_ERR_INVALID: a worker that asks such things was built for another core. */
static int read_question(const ent__rules *all, ent_read *r, question *q, ent_error *error) {
	ent_engine *e = all->e;
	size_t n;
	*q = (question){.what = (ent_rules_ask)ent_read_u8(r)};
	const char *id = ent_read_bytes(r, &n);
	uint32_t partner = id ? ent_intern_find(&e->texts, id, n) : UINT32_MAX;
	q->of = ent_read_u8(r);
	q->families = ent_read_u8(r);
	for (unsigned f = 0; f < ENT_FAMILY_COUNT; f++) {
		q->want.origins[f] = ent_read_u8(r);
	}
	q->want.from = day_of(r);
	q->want.to = day_of(r);
	bool judged = partner && partner < e->partners_capacity &&
				  (e->partners[partner].known == 1 || e->partners[partner].known == 2);
	bool good = q->what == ENT_RULES_ASK_FACTS
					? ent_facts_kind(q->of) != NULL
					: q->what == ENT_RULES_ASK_VIEW && q->of > ENT_VIEW_TOTAL && q->of < ENT_VIEW_COUNT &&
						  q->families && !(q->families & ~ent_view_families[q->of]);
	good = good || (q->what == ENT_RULES_ASK_INTEGRITY && q->of && q->of < 1u << ENT_CHECK_COUNT);
	for (unsigned f = 0; f < ENT_FAMILY_COUNT && good; f++) {
		good = q->want.origins[f] < ENT_ORIGIN_COUNT ||
			   (q->want.origins[f] == ENT_ORIGIN_COUNT && q->what != ENT_RULES_ASK_VIEW);
	}
	if (r->bad || !good || !judged || !all->base) {
		return ent_error_set(error, ENT_ERR_INVALID, "the core does not know what is asked for");
	}
	q->want.partner = partner;
	q->want.last = all->base_as_of - (all->behind ? all->behind[partner] : 0);
	return 0;
}

/* Which documents it reads: when one of these changes, whoever asked runs again. */
static unsigned kinds_of(const question *q) {
	if (q->what == ENT_RULES_ASK_INTEGRITY) {
		return 1u << ENT_ORDER;
	}
	return q->what == ENT_RULES_ASK_FACTS
			   ? 1u << ent_facts_kind(q->of)->document
			   : (q->families >> ENT_SALES & 1) << ENT_ORDER | (q->families >> ENT_TRAFFIC & 1) << ENT_VISIT |
					 (q->families >> ENT_CARTS & 1) << ENT_CART;
}

void ent__facts_answer(ent__rules_worker *w, ent_read *r) {
	ent__rules *all = w->all;
	question q;
	ent_error error = {0};
	ent_snapshot_block block = {.fd = -1};
	int status = read_question(all, r, &q, &error);
	if (!status) {
		all->facts_read |= kinds_of(&q);
		status = q.what == ENT_RULES_ASK_INTEGRITY ? ent__integrity_of(all->e, &q.want, q.of, &block, &error)
				 : q.what == ENT_RULES_ASK_FACTS
					 ? ent__facts_rows(all->e, &q.want, q.of, &block, &error)
					 : ent__facts_view(all->e, &q.want, (ent_view)q.of, q.families, all->base, &block, &error);
	}
	if (status && status != ENT_ERR_INVALID && status != ENT_ERR_RANGE) {
		w->error = error;
		w->failed = true; /* it waits until whoever judges ends it */
		return;
	}
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_ANSWER);
	ent_buf_u8(&b, status == 0);
	ent_buf_text(&b, error.what);
	ent_buf_text(&b, error.todo);
	ent_child_send(w->child, &b, &block.fd, status == 0);
	ent_buf_finish(&b);
	ent_snapshot_block_finish(&block);
}
