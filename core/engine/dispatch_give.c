/* SPDX-License-Identifier: Apache-2.0
 *
 * Giving out: which document's next chunk goes to a worker.
 *
 * A run of its own has one queue, in which documents are in order of their plugins. In a service each source has a queue of its
 * own, and the one that was given the fewest bytes of late goes first, so that a flood in one does not keep the others
 * waiting. A worker holds one plugin, and to change it starts a process. So while sources of several plugins wait, each plugin
 * gets its part of the workers; where there are more plugins than workers, those that have them keep them for TURN bytes
 * more than the others were given. Loop thread only. */
#include "engine/dispatch.h"
#include "engine/rules_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AHEAD = 3 /* chunks of one document under way for each worker */, PLUGINS = 64 /* that are told apart */ };
static const uint64_t CHUNK_BYTES = UINT64_C(8) << 20;
static const uint64_t TURN = UINT64_C(32) << 20;

static void open_companions(ent__work *w, ent_error *e) {
	int fds[ENT_COMPANIONS_MAX];
	uint64_t stamp, content;
	if (ent__beside_open(w->stream->source->config, &w->beside, fds, &stamp, &content, e)) {
		return;
	}
	if (stamp != w->beside_stamp) {
		ent__beside_close(&w->beside, fds);
		ent_error_set(e, ENT_ERR_IO, "a companion of it changed while it was being read");
		ent_error_todo(e, "run again when the delivery is whole");
		return;
	}
	w->beside_fds = ent_xmalloc(w->beside.n * sizeof *fds);
	memcpy(w->beside_fds, fds, w->beside.n * sizeof *fds);
}

static int open_work(ent__run *r, ent__work *w) {
	const ent_input *input = &r->e->inputs[w->input];
	ent_error e = {0};
	bool named = w->fd < 0;
	if (named) {
		w->fd = open(w->path, O_RDONLY | O_CLOEXEC);
	}
	struct stat st;
	if (w->fd < 0 || fstat(w->fd, &st)) {
		ent_error_errno(&e, ENT_ERR_IO, "cannot open the file");
	} else if (w->inbox ? (uint64_t)st.st_size < input->size
						: (uint64_t)st.st_size != input->size ||
							  (named && (st.st_ino != input->inode || st.st_dev != input->device))) {
		ent_error_set(&e, ENT_ERR_IO, "the file changed while it was being read");
		ent_error_todo(&e, "run again when it is whole; `settle:` leaves files alone that are still growing");
	}
	if (!e.code && w->beside.n) {
		open_companions(w, &e);
	}
	if (e.code) {
		ent__give_up(r, w, ENT__LATER, &e, 0, false);
	}
	return e.code;
}

static bool fully_asked(ent__run *r, const ent__work *w) {
	if (w->chunks && !w->chunks->a) {
		return false; /* again */
	}
	unsigned under_way = 0, alive, started, died;
	for (const ent__chunk *x = w->chunks; x; x = x->next) {
		under_way++;
	}
	ent_pool_counts(r->e->pool, &alive, &started, &died);
	return w->all_asked || under_way >= AHEAD * (alive ? alive : 1);
}

/* A process that could not be started: a service tries again a little later, with what is committed by then. */
static void not_started(ent__run *r) {
	ent_engine *e = r->e;
	if (!e->what->service) {
		r->status = r->error->code;
		return;
	}
	ent_errors_take(&e->report->errors, r->error);
	*r->error = (ent_error){0};
	ent__sooner(&e->report->next_retry_us, e->now_us + 1000000);
	r->closing = true;
}

/* Gives one more chunk of the document to a worker, if there is one. */
static bool give_chunk(ent__run *r, ent__work *w) {
	ent_engine *e = r->e;
	const ent_input *input = &e->inputs[w->input];
	if (w->finished || !ent_pool_ready(e->pool, w->stream->decoder) || fully_asked(r, w)) {
		return false;
	}
	if (w->fd < 0 && open_work(r, w)) {
		return true;
	}
	ent__chunk *c = w->chunks && !w->chunks->a ? w->chunks : NULL;
	if (!c) {
		c = ent_xcalloc(1, sizeof *c);
		c->work = w;
		c->begin = w->next;
		*w->chunks_end = c;
		w->chunks_end = &c->next;
	}
	bool last = !w->splittable || input->size - c->begin <= CHUNK_BYTES + CHUNK_BYTES / 2;
	c->end = last ? UINT64_MAX : c->begin + CHUNK_BYTES;
	c->exact = c->begin == w->folded;
	w->next = last ? input->size : c->end;
	w->all_asked = last;
	ent_decode_order o = {.decoder = w->stream->decoder, .instance = w->stream->instance, .options = &w->stream->options,
		.framing = w->stream->framing, .fd = w->fd, .name = input->name, .origin = "",
		.arrived = {.v = e->now_us, .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT},
		.modified = {.v = (int64_t)(input->mtime_ns / 1000), .offset_min = ENT_NO_OFFSET, .kind = ENT_TIME_INSTANT},
		.begin = c->begin, .end = c->end, .exact = c->exact, .enveloped = w->enveloped,
		.readable = w->inbox ? input->size : 0, .companions = w->beside_fds, .n_companions = w->beside_fds ? (unsigned)w->beside.n : 0};
	c->a = ent_xcalloc(1, sizeof *c->a);
	c->a->owner = c;
	if (ent_pool_decode(e->pool, &o, c->a, r->error)) {
		free(c->a);
		c->a = NULL;
		not_started(r);
		return true;
	}
	uint64_t bytes = w->next > c->begin ? w->next - c->begin : 0;
	w->stream->source->given += bytes;
	r->given = true;
	ent__rules_prepare(e); /* now that there is something to judge */
	return true;
}

/* ---- whose turn it is ------------------------------------------------------------------------------------------------------ */

/* A plugin for which there is something to do. */
typedef struct claim {
	const ent_plugin_info *plugin;
	int64_t served;       /* bytes, of the source that got least; less TURN if it holds a worker */
	unsigned under_way;   /* orders */
	bool holds;
} claim;

typedef struct claims {
	claim of[PLUGINS];
	unsigned n;
} claims;

static claim *claim_of(claims *c, const ent_plugin_info *plugin) {
	for (unsigned i = 0; i < c->n; i++) {
		if (c->of[i].plugin == plugin) {
			return &c->of[i];
		}
	}
	if (c->n == PLUGINS) {
		return NULL;
	}
	c->of[c->n] = (claim){.plugin = plugin, .served = INT64_MAX};
	return &c->of[c->n++];
}

static void stake(ent__run *r, claims *c, const ent__work *w, bool wants) {
	claim *x = claim_of(c, w->stream->decoder->plugin);
	int64_t given = (int64_t)w->stream->source->given;
	if (!x) {
		return;
	}
	for (const ent__chunk *k = w->chunks; k; k = k->next) {
		x->under_way += k->a && !k->a->done && !k->a->failed;
	}
	if (wants && given < x->served) {
		x->served = given;
	}
	(void)r;
}

static void look_at_claims(ent__run *r, claims *c) {
	*c = (claims){.n = 0};
	for (unsigned i = 0; i < r->n_active; i++) {
		const ent__work *w = r->active[i];
		stake(r, c, w, !w->finished && (!w->all_asked || (w->chunks && !w->chunks->a)));
	}
	for (unsigned i = 0; i < r->n_queues; i++) {
		if (r->queues[i].next) {
			stake(r, c, r->queues[i].next, true);
		}
	}
	unsigned kept = 0;
	for (unsigned i = 0; i < c->n; i++) {
		if (c->of[i].served != INT64_MAX || c->of[i].under_way) {
			claim *x = &c->of[kept++];
			*x = c->of[i];
			x->holds = ent_pool_holds(r->e->pool, x->plugin);
			x->served -= x->holds && x->served != INT64_MAX ? (int64_t)TURN : 0;
		}
	}
	c->n = kept;
}

/* How many orders the plugin may have under way. */
static unsigned allowed(const ent__run *r, const claims *c, const ent_plugin_info *plugin) {
	unsigned workers = ent_pool_limit(r->e->pool), before = 0, wanting = 0;
	const claim *mine = NULL;
	for (unsigned i = 0; i < c->n; i++) {
		mine = c->of[i].plugin == plugin ? &c->of[i] : mine;
		wanting += c->of[i].served != INT64_MAX;
	}
	if (!mine || wanting <= 1) {
		return UINT32_MAX;
	}
	bool all_hold = true;
	for (const claim *x = c->of; x < c->of + c->n; x++) {
		bool ahead = x->served != INT64_MAX && x != mine && (x->served < mine->served || (x->served == mine->served && x < mine));
		before += ahead;
		all_hold = all_hold && (x->holds || x->served == INT64_MAX);
	}
	if (before >= workers) {
		return 0;
	}
	unsigned sharing = wanting < workers ? wanting : workers;
	unsigned part = workers / sharing + (before < workers % sharing);
	/* Orders are sent ahead only once everybody has a worker: before, one of them has to fall idle. */
	return all_hold && wanting <= workers ? part * (1 + ENT_POOL_AHEAD) : part;
}

static bool may(const ent__run *r, const claims *c, const ent__work *w) {
	unsigned under_way = 0;
	for (unsigned i = 0; i < c->n; i++) {
		under_way = c->of[i].plugin == w->stream->decoder->plugin ? c->of[i].under_way : under_way;
	}
	return under_way < allowed(r, c, w->stream->decoder->plugin);
}

/* One chunk of the queue: of a document that is begun, or of the next one. */
static bool give_from(ent__run *r, const claims *c, unsigned queue) {
	ent__queue *q = &r->queues[queue];
	for (unsigned i = 0, seen = 0; i < r->n_active && seen < q->n_active && !r->status; i++) {
		ent__work *w = r->active[i];
		if (w->queue == queue) {
			seen++;
			if (may(r, c, w) && give_chunk(r, w)) {
				return true;
			}
		}
	}
	/* each has room for one document at least, whatever the others have under way */
	unsigned most = ENT__ACTIVE / r->n_queues ? ENT__ACTIVE / r->n_queues : 1;
	if (!r->status && !r->closing && q->next && r->n_active < ENT__ACTIVE && q->n_active < most &&
		may(r, c, q->next) && ent_pool_ready(r->e->pool, q->next->stream->decoder)) {
		ent__work *w = q->next;
		q->next = w->next_waiting;
		q->n_active++;
		r->active[r->n_active++] = w;
		give_chunk(r, w);
		return true;
	}
	return false;
}

static bool take_turns(ent__run *r) {
	bool moved = false;
	unsigned *order = ent_xmalloc(r->n_queues * sizeof *order);
	for (bool again = true; again && !r->status && !r->closing;) {
		claims c;
		look_at_claims(r, &c);
		for (unsigned i = 0; i < r->n_queues; i++) { /* by bytes given; few, and nearly in order */
			unsigned k = i;
			for (; k && r->queues[order[k - 1]].source->given > r->queues[i].source->given; k--) {
				order[k] = order[k - 1];
			}
			order[k] = i;
		}
		again = false;
		for (unsigned i = 0; i < r->n_queues && !again && !r->status; i++) {
			again = give_from(r, &c, order[i]);
		}
		moved |= again;
	}
	free(order);
	return moved;
}

/* ---- a run of its own ------------------------------------------------------------------------------------------------------- */

static bool give_in_order(ent__run *r) {
	bool moved = false;
	ent__queue *q = r->queues;
	for (bool again = true; again && !r->status && !r->closing;) {
		again = false;
		for (unsigned i = 0; i < r->n_active && !r->status; i++) {
			again |= give_chunk(r, r->active[i]);
		}
		moved |= again;
		/* a further document where those at hand cannot keep the workers busy */
		if (!again && q->next && r->n_active < ENT__ACTIVE && ent_pool_ready(r->e->pool, q->next->stream->decoder)) {
			r->active[r->n_active++] = q->next;
			q->next = q->next->next_waiting;
			q->n_active++;
			again = true;
		}
	}
	return moved;
}

/* Only what must come to its end goes on. */
static bool give_the_rest(ent__run *r) {
	bool moved = false;
	for (unsigned i = 0; i < r->n_active && !r->status; i++) {
		moved |= ent__in_place_of(r->active[i]) && give_chunk(r, r->active[i]);
	}
	return moved;
}

bool ent__give_out(ent__run *r) {
	r->closing |= r->given && r->until_ns && uv_hrtime() >= r->until_ns;
	if (r->closing) {
		return give_the_rest(r);
	}
	return r->n_queues > 1 ? take_turns(r) : r->n_queues ? give_in_order(r) : false;
}
