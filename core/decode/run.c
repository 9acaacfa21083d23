/* SPDX-License-Identifier: Apache-2.0
 *
 * One DECODE or PROBE from packet to answer: the descriptors, the document's description, the frame, the counts. */
#include "decode/lines.h"
#include "decode/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPANION_MAX (64u << 20)
#define PROBE_HEAD (64u << 10)

static ent_str read_text(ent_read *r, ent_arena *a) {
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	return (ent_str){p ? ent_arena_copy(a, p, n) : "", n};
}

static ent_time read_time(ent_read *r) {
	ent_time t = {0};
	const uint8_t *p = ent_read_take(r, sizeof t);
	if (p) {
		memcpy(&t, p, sizeof t);
	}
	return t;
}

static int read_companion(ent__worker *w, int fd, ent_buf *out, ent_fault *f) {
	ent_input in;
	int status = ent_input_open(&in, fd, w->max_unpacked, w->max_ratio, f);
	while (!status) {
		ent_buf_reserve(out, (64u << 10) + ENT_FEED_PADDING);
		ssize_t got = ent_input_read(&in, out->data + out->n, 64u << 10, f);
		if (got <= 0) {
			status = (int)got;
			break;
		}
		out->n += (size_t)got;
		if (out->n > COMPANION_MAX) {
			status = ent_fault_set(f, ENT_ERR_RANGE, out->n, "give a smaller side file",
				"a companion is larger than %u MiB", COMPANION_MAX >> 20);
		}
	}
	if (out->data) {
		memset(out->data + out->n, 0, ENT_FEED_PADDING);
	}
	ent_input_finish(&in);
	return status;
}

static ent_ctx *instance_of(ent__worker *w, uint32_t number) {
	ent_ctx *c = w->instances;
	while (c && c->number != number) {
		c = c->next;
	}
	return c;
}

static void run_finish(ent__run *r) {
	free(r->shifts);
	free(r->steps);
	ent__places_finish(&r->seen);
	ent__places_finish(&r->late);
	*r = (ent__run){0};
}

static void send_done(ent__worker *w, const ent_input *in, const ent__range *g) {
	const ent__batch *b = &w->batch;
	ent_buf m = {0};
	ent__message(&m, ENT_MSG_DONE);
	ent_buf_u64(&m, b->assignment);
	ent_buf_u64(&m, g->real_begin);
	ent_buf_u64(&m, g->real_end);
	ent_buf_u8(&m, g->eof);
	ent_buf_u64(&m, b->seq);
	ent_buf_u64(&m, b->all_consumed + b->all_rejected + b->all_skipped);
	ent_buf_u64(&m, b->all_consumed);
	ent_buf_u64(&m, b->all_rejected);
	ent_buf_u64(&m, b->all_skipped);
	ent_buf_u64(&m, b->all_facts);
	ent_buf_u64(&m, in->packing || !in->seekable ? in->unpacked : g->real_end - g->real_begin);
	ent_buf_u64(&m, w->waits);
	ent_buf_u64(&m, w->waited_ns);
	ent_buf_u64(&m, ent__clock_ns(CLOCK_PROCESS_CPUTIME_ID) - w->cpu_ns);
	ent_buf_text(&m, g->notes);
	ent__control_send(&m);
	ent_buf_finish(&m);
}

void ent__decode(ent__worker *w, ent__packet *p) {
	ent_arena arena = {0};
	ent_read *r = &p->read;
	ent_fault fault = {0};
	uint64_t assignment = ent_read_u64(r);
	ent_ctx *c = instance_of(w, ent_read_u32(r));
	ent_doc doc = {.size = sizeof doc, .length = -1};
	doc.name = read_text(r, &arena);
	doc.origin = read_text(r, &arena);
	if (!doc.origin.n) {
		doc.origin = (ent_str){0};
	}
	doc.arrived = read_time(r);
	doc.modified = read_time(r);
	ent__range g = {.doc = &doc};
	g.begin = ent_read_u64(r);
	g.end = ent_read_u64(r);
	uint32_t companions = ent_read_u32(r);
	uint8_t flags = !r->bad && r->p < r->end ? ent_read_u8(r) : 0;
	g.exact = flags & ENT_DECODE_EXACT;
	g.enveloped = flags & ENT_DECODE_ENVELOPED;
	uint64_t readable = !r->bad && r->p < r->end ? ent_read_u64(r) : 0;
	ent_input in = {.fd = -1};
	ent_buf *sides = NULL;
	int status = 0;
	if (r->bad || !c || p->n_fds < 1 || companions != p->n_fds - 1) {
		status = ent_fault_set(&fault, ENT_ERR_INVALID, 0, NULL, "a DECODE message that makes no sense");
		goto out;
	}
	ent__run *run = &c->run;
	*run = (ent__run){.frame = c->decoder->frame, .first = !g.begin, .last_fact = UINT64_MAX};
	atomic_store(&w->ring.head->assignment, assignment);
	atomic_store(&w->ring.head->state, ENT_WORKER_BUSY);
	ent__progress(w, g.begin);
	ent__batch_start(&w->batch, assignment, g.begin);
	w->waits = w->waited_ns = 0;
	w->cpu_ns = ent__clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (companions) {
		sides = ent_xcalloc(companions, sizeof *sides);
		ent_str *texts = ent_arena_alloc(&arena, companions * sizeof *texts);
		for (uint32_t i = 0; i < companions; i++) {
			if ((status = read_companion(w, p->fds[1 + i], &sides[i], &fault))) {
				goto out;
			}
			texts[i] = (ent_str){sides[i].data ? (char *)sides[i].data : "", sides[i].n};
		}
		doc.companions = texts;
		doc.n_companions = companions;
	}
	if ((status = ent_input_open(&in, p->fds[0], w->max_unpacked, w->max_ratio, &fault))) {
		goto out;
	}
	if (readable) {
		ent_input_limit(&in, readable);
	}
	if (!in.packing && in.size != UINT64_MAX) {
		doc.length = (int64_t)in.size;
	}
	static int (*const frames[])(ent_ctx *, ent_input *, ent__range *) = {
		[ENT_FRAME_BYTES] = ent__frame_bytes,
		[ENT_FRAME_DELIMITED] = ent__frame_rows,
		[ENT_FRAME_JSONL] = ent__frame_lines,
		[ENT_FRAME_DOCUMENT] = ent__frame_document,
	};
	status = frames[run->frame](c, &in, &g);
	if (!status && !ent__batch_end(&w->batch)) {
		status = ent_fault_set(&run->fault, ENT_ERR_STOPPED, g.real_end, NULL, "stopped");
	}
	if (status) {
		fault = run->fault;
		fault.e.code = status;
		ent__batch_abandon(&w->batch);
	}
	run_finish(run);
out:
	if (status) {
		ent__send_failed(ENT_MSG_DECODE, assignment, &fault);
	} else {
		send_done(w, &in, &g);
	}
	atomic_store(&w->ring.head->state, ENT_WORKER_IDLE);
	for (uint32_t i = 0; sides && i < companions; i++) {
		ent_buf_finish(&sides[i]);
	}
	free(sides);
	ent_input_finish(&in);
	ent_arena_finish(&arena);
}

/* ---- probing ---- */

/* The first text of the document in UTF-8, as far as it can be told; bytes that are no text are given as they are. */
static int read_head(ent_input *in, char *to, size_t *n, ent_fault *f) {
	ent_text text;
	*n = 0;
	int status = ent_text_open(&text, in, ENT_ENCODING_AUTO, NULL, f);
	if (status) {
		size_t have = text.raw_n < PROBE_HEAD ? text.raw_n : PROBE_HEAD;
		if (have) {
			memcpy(to, text.raw, have);
			*n = have;
			status = 0;
		}
		ent_text_finish(&text);
		return status;
	}
	while (*n + 64 <= PROBE_HEAD) {
		char *at = to + *n;
		ssize_t got = ent_text_read(&text, at, PROBE_HEAD - *n, f);
		if (got < 0 && f->e.code == ENT_ERR_INVALID && !in->packing && !text.converted) {
			/* not UTF-8, and nobody says here what it is: for a header line latin1 is as good as any */
			ent_input_seek(in, 0);
			ent_text_finish(&text);
			*n = 0;
			if ((status = ent_text_open(&text, in, ENT_ENCODING_LATIN1, NULL, f))) {
				break;
			}
			continue;
		}
		if (got <= 0) {
			status = (int)got;
			break;
		}
		*n += (size_t)got;
	}
	ent_text_finish(&text);
	return status;
}

void ent__probe(ent__worker *w, ent__packet *p) {
	ent_arena arena = {0};
	ent_fault fault = {0};
	uint64_t tag = ent_read_u64(&p->read);
	ent_doc doc = {.size = sizeof doc, .length = -1, .name = read_text(&p->read, &arena)};
	ent_input in = {.fd = -1};
	char *head = ent_xcalloc(1, PROBE_HEAD + ENT_FEED_PADDING);
	size_t n = 0;
	int status;
	if (p->read.bad || p->n_fds != 1 || !w->n_plugins) {
		status = ent_fault_set(&fault, ENT_ERR_INVALID, 0, NULL, "a PROBE message that makes no sense");
	} else if (!(status = ent_input_open(&in, p->fds[0], w->max_unpacked, w->max_ratio, &fault))) {
		status = read_head(&in, head, &n, &fault);
	}
	if (status) {
		ent__send_failed(ENT_MSG_PROBE, tag, &fault);
	} else {
		ent_buf m = {0};
		uint32_t count = 0;
		for (uint32_t k = 0; k < w->n_plugins; k++) {
			for (uint32_t i = 0; w->plugins[k]->decoders[i]; i++) {
				count++;
			}
		}
		ent__message(&m, ENT_MSG_PROBED);
		ent_buf_u64(&m, tag);
		ent_buf_u32(&m, count);
		for (uint32_t k = 0; k < w->n_plugins; k++) {
			for (const ent_decoder *const *d = w->plugins[k]->decoders; *d; d++) {
				const char *why = (*d)->probe ? "" : "it has to be named in the configuration";
				int score = (*d)->probe ? (*d)->probe((ent_str){head, n}, &doc, &why) : 0;
				ent_buf_u32(&m, (uint32_t)(score < 0 ? 0 : score > 100 ? 100 : score));
				ent_buf_text(&m, why);
			}
		}
		ent__control_send(&m);
		ent_buf_finish(&m);
	}
	free(head);
	ent_input_finish(&in);
	ent_arena_finish(&arena);
}
