/* SPDX-License-Identifier: Apache-2.0
 *
 * entente-decoder: the process that runs a source plugin, so that the core does not have to. Started by the core as
 * `entente-decoder PARENT_PID` with the control socket as descriptor 3 and the ring as descriptor 4
 * (decode/protocol.h).
 *
 * It ends with its parent in three ways: PDEATHSIG, the comparison of getppid with the argument (the parent may have
 * gone before PDEATHSIG was set), and end-of-file on the socket. One thread. */
#include "config/options_wire.h"
#include "decode/worker.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void failed(ent_msg about, uint64_t tag, const ent_error *e) {
	ent_fault f = {.e = *e};
	ent__send_failed(about, tag, &f);
}

/* ---- waiting for room ---- */

uint64_t ent__clock_ns(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint8_t *ent__worker_room(ent__worker *w, uint32_t n) {
	uint8_t *room = ent__ring_room(&w->ring, n);
	if (room) {
		return w->stopping ? NULL : room;
	}
	uint64_t began = ent__clock_ns(CLOCK_MONOTONIC);
	w->waits++;
	for (; !room; room = ent__ring_room(&w->ring, n)) {
		if (w->stopping) {
			return NULL;
		}
		atomic_store(&w->ring.head->state, ENT_WORKER_WAITING);
		ent__packet *p = ent__control_receive();
		if (!p) {
			_exit(0);
		}
		if (p->type == ENT_MSG_FREE) {
			ent__ring_free(&w->ring, ent_read_u32(&p->read));
			ent__packet_destroy(p);
		} else if (p->type == ENT_MSG_STOP) {
			w->stopping = true;
			ent__packet_destroy(p);
		} else { /* sent ahead: its turn comes */
			*w->waiting_end = p;
			w->waiting_end = &p->next;
		}
		atomic_store(&w->ring.head->state, ENT_WORKER_BUSY);
	}
	w->waited_ns += ent__clock_ns(CLOCK_MONOTONIC) - began;
	return w->stopping ? NULL : room;
}

/* ---- messages ---- */

static void ready(const ent__worker *w) {
	ent_buf m = {0};
	ent__message(&m, ENT_MSG_READY);
	ent_buf_u32(&m, (uint32_t)getpid());
	ent_buf_text(&m, w->level);
	ent__control_send(&m);
	ent_buf_finish(&m);
}

static int hello(ent__worker *w, ent_read *r, ent_error *e) {
	uint32_t version = ent_read_u32(r), slots = ent_read_u32(r), slot_bytes = ent_read_u32(r);
	w->sandbox = (ent_sandbox)ent_read_u8(r);
	w->max_unpacked = ent_read_u64(r);
	w->max_ratio = ent_read_u32(r);
	uint64_t memory = ent_read_u64(r);
	size_t identity_n, seal_n;
	const char *identity = ent_read_bytes(r, &identity_n), *seal = ent_read_bytes(r, &seal_n);
	if (version != ENT_PROTOCOL_VERSION) {
		ent_error_set(e, ENT_ERR_INVALID,
			"entente speaks version %u of the worker's protocol, entente-decoder version %u", version,
			ENT_PROTOCOL_VERSION);
		return ent_error_todo(e, "install both from one build");
	}
	if (w->greeted || r->bad || identity_n != 32 || seal_n != 32 || w->sandbox > ENT_SANDBOX_REQUIRED) {
		return ent_error_set(e, ENT_ERR_INVALID, "a HELLO message that makes no sense");
	}
	memcpy(w->seal_key, seal, sizeof w->seal_key);
	ent__identity_init(&w->identity, (const uint8_t *)identity);
	int status = ent__ring_open(&w->ring, slots, slot_bytes, e);
	if (status) {
		return status;
	}
	ent__limits(memory);
	status = ent__sandbox_enter(ENT__STAGE_STARTED, w->sandbox, NULL, w->level, sizeof w->level, e);
	if (status) {
		return status;
	}
	w->greeted = true;
	ready(w);
	return 0;
}

/* Their modules are files: what a source may declare is opened while files can be. */
static void hold_encodings(ent__worker *w, ent_read *r) {
	uint32_t n = r->p < r->end ? ent_read_u32(r) : 0;
	for (uint32_t i = 0; i < n && !r->bad; i++) {
		size_t length;
		const char *name = ent_read_bytes(r, &length);
		char text[ENT_CHARSET_MAX];
		if (name && length < sizeof text) {
			memcpy(text, name, length);
			text[length] = 0;
			w->encodings = ent_xrealloc(w->encodings, (w->n_encodings + 1) * sizeof *w->encodings);
			w->encodings[w->n_encodings++] = ent_encoding_hold(text);
		}
	}
}

/* What became of one plugin: its description, or why there is none. */
typedef struct load_answer {
	char *path; /* the real one; NULL: it may not be loaded */
	ent_buf described;
	ent_error wrong;
} load_answer;

static bool find_one(ent_read *r, load_answer *a) {
	char path[4096];
	size_t n;
	const char *text = ent_read_bytes(r, &n);
	if (r->bad || !n || n >= sizeof path) {
		return false;
	}
	memcpy(path, text, n);
	path[n] = 0;
	ent__plugin_find(path, &a->path, &a->wrong);
	return true;
}

static void load_one(ent__worker *w, load_answer *a) {
	const ent_plugin *plugin = NULL;
	if (a->path && !ent__plugin_open(a->path, &plugin, &a->wrong) &&
		!ent__plugin_describe(plugin, &a->described, &a->wrong)) {
		w->plugins[w->n_plugins++] = plugin;
	}
}

static int load_all(ent__worker *w, load_answer *all, uint32_t n, ent_error *e) {
	char level[96], line[128];
	const char **paths = ent_xcalloc(n + 1, sizeof *paths);
	for (uint32_t i = 0, k = 0; i < n; i++) {
		if (all[i].path) {
			paths[k++] = all[i].path;
		}
	}
	int status = ent__sandbox_enter(ENT__STAGE_LOADING, w->sandbox, paths, level, sizeof level, e);
	free(paths);
	for (uint32_t i = 0; i < n && !status; i++) {
		load_one(w, &all[i]);
	}
	if (status || !w->n_plugins) { /* without one nothing runs here, and nothing will */
		return status;
	}
	status = ent__sandbox_enter(ENT__STAGE_WORKING, w->sandbox, NULL, level, sizeof level, e);
	if (status) {
		return status;
	}
	if (strcmp(level, w->level)) { /* less than at first: whoever shows the level shows this one */
		snprintf(w->level, sizeof w->level, "%s", level);
		ready(w);
	}
	snprintf(line, sizeof line, "sandbox of plugin %s%s: %s", w->plugins[0]->name, n == 1 ? "" : " and others", level);
	ent__send_log(ENT_LOG_DEBUG, line);
	return 0;
}

/* Nothing is said before the door is shut behind them. */
static int load(ent__worker *w, ent_read *r, ent_error *e) {
	uint32_t n = ent_read_u32(r), read = 0;
	if (r->bad || w->loaded || !n || n > ENT_LOAD_MAX) {
		return ent_error_set(e, ENT_ERR_INVALID, "a LOAD message that makes no sense");
	}
	w->loaded = true;
	load_answer *all = ent_xcalloc(n, sizeof *all);
	while (read < n && find_one(r, &all[read])) {
		read++;
	}
	hold_encodings(w, r);
	int status =
		read < n ? ent_error_set(e, ENT_ERR_INVALID, "a LOAD message that makes no sense") : load_all(w, all, n, e);
	for (uint32_t i = 0; i < n; i++) {
		if (!status && all[i].wrong.code) {
			failed(ENT_MSG_LOAD, i, &all[i].wrong);
		} else if (!status) {
			ent__control_send(&all[i].described);
		}
		ent_buf_finish(&all[i].described);
		free(all[i].path);
	}
	free(all);
	w->n_plugins = status ? 0 : w->n_plugins;
	w->plugin = n == 1 && w->n_plugins ? w->plugins[0] : NULL;
	return status;
}

static void instance_destroy(ent_ctx *c) {
	if (c->decoder) {
		c->decoder->destroy(c->self);
	}
	ent_arena_finish(&c->arena);
	free(c);
}

static int framing(ent_ctx *c, const ent_decoder *d, ent_read *r, ent_error *e) {
	c->framing.quote = ENT_QUOTE_AUTO;
	uint32_t n = ent_read_u8(r);
	for (uint32_t i = 0; i < n; i++) {
		ent_str key, value;
		key.p = ent_read_bytes(r, &key.n);
		value.p = ent_read_bytes(r, &value.n);
		if (r->bad) {
			break;
		}
		bool encoding = key.n == 8 && !memcmp(key.p, "encoding", 8);
		if (d->frame == ENT_FRAME_BYTES || (d->frame != ENT_FRAME_DELIMITED && !encoding)) {
			ent_error_set(e, ENT_ERR_INVALID, "decoder %s has no framing option '%.*s'", d->name, (int)key.n, key.p);
			return ent_error_todo(
				e, d->frame == ENT_FRAME_BYTES
					   ? "take it out: this decoder frames for itself"
					   : "take it out: only `encoding` has a meaning for documents that are not delimited");
		}
		int status = ent_csv_option(&c->framing, key, value, e);
		if (status) {
			return status;
		}
	}
	return r->bad ? ent_error_set(e, ENT_ERR_INVALID, "an OPEN message that makes no sense") : 0;
}

static int open_instance(ent__worker *w, ent_read *r, uint32_t *number, ent_fault *f) {
	ent_error *e = &f->e;
	*number = ent_read_u32(r);
	size_t name_n, options_n, n_values;
	const char *name = ent_read_bytes(r, &name_n), *options = ent_read_bytes(r, &options_n);
	if (r->bad || !w->plugin) {
		return ent_error_set(e, ENT_ERR_INVALID, "an OPEN message that makes no sense");
	}
	const ent_decoder *d = NULL;
	for (const ent_decoder *const *k = w->plugin->decoders; *k && !d; k++) {
		d = strlen((*k)->name) == name_n && !memcmp((*k)->name, name, name_n) ? *k : NULL;
	}
	if (!d) {
		return ent_error_set(
			e, ENT_ERR_NOTFOUND, "plugin %s has no decoder '%.*s'", w->plugin->name, (int)name_n, name);
	}
	ent_ctx *c = ent_xcalloc(1, sizeof *c);
	c->worker = w;
	c->number = *number;
	c->columns = d->columns;
	ent_read from = ent_read_of(options, options_n);
	const ent_value *values = NULL;
	int status = framing(c, d, r, e);
	if (!status) {
		status = ent_values_read(&from, &c->arena, &values, &n_values, e);
	}
	if (!status && n_values != ent_options_count(d->options)) {
		status = ent_error_set(e, ENT_ERR_INVALID, "%zu values for the %zu options of decoder %s", n_values,
			ent_options_count(d->options), d->name);
	}
	if (!status) {
		c->decoder = d;
		ent_status created = d->create(&ent__host, c, values, &c->self);
		if (created) {
			c->decoder = NULL; /* on error nothing is kept: no destroy() */
			if (c->run.failed) {
				*f = c->run.fault;
			} else {
				ent_error_set(e, ENT_ERR_INVALID, "create() of decoder %s failed (%d)", d->name, created);
				ent_error_todo(e, "check the options of the source");
			}
			status = created == ENT_ENOMEM ? ENT_ERR_NOMEM : ENT_ERR_INVALID;
		}
	}
	if (status) {
		instance_destroy(c);
		return status;
	}
	c->run = (ent__run){0};
	c->next = w->instances;
	w->instances = c;
	ent_buf m = {0};
	ent__message(&m, ENT_MSG_OPENED);
	ent_buf_u32(&m, *number);
	ent__control_send(&m);
	ent_buf_finish(&m);
	return 0;
}

static void close_instance(ent__worker *w, uint32_t number) {
	for (ent_ctx **at = &w->instances; *at; at = &(*at)->next) {
		if ((*at)->number == number) {
			ent_ctx *c = *at;
			*at = c->next;
			instance_destroy(c);
			return;
		}
	}
}

static void take(ent__worker *w, ent__packet *p) {
	ent_error e = {0};
	if (!w->greeted && p->type != ENT_MSG_HELLO) {
		if (!w->refused.what[0]) {
			ent_error_set(&w->refused, ENT_ERR_INVALID, "message %u before HELLO", p->type);
		}
		failed((ent_msg)p->type, 0, &w->refused);
		return;
	}
	switch (p->type) {
	case ENT_MSG_HELLO:
		if (hello(w, &p->read, &e)) {
			w->refused = e; /* whoever asks for anything after it is told the reason */
			failed(ENT_MSG_HELLO, 0, &e);
		}
		break;
	case ENT_MSG_LOAD:
		if (load(w, &p->read, &e)) {
			failed(ENT_MSG_LOAD, UINT64_MAX, &e);
		}
		break;
	case ENT_MSG_PROBE:
		ent__probe(w, p);
		break;
	case ENT_MSG_OPEN: {
		ent_fault f = {0};
		uint32_t number = 0;
		if (open_instance(w, &p->read, &number, &f)) {
			ent__send_failed(ENT_MSG_OPEN, number, &f);
		}
		break;
	}
	case ENT_MSG_DECODE:
		ent__decode(w, p);
		break;
	case ENT_MSG_FREE:
		ent__ring_free(&w->ring, ent_read_u32(&p->read));
		break;
	case ENT_MSG_CLOSE:
		close_instance(w, ent_read_u32(&p->read));
		break;
	case ENT_MSG_STOP:
		w->stopping = true;
		break;
	default:
		ent_error_set(&e, ENT_ERR_INVALID, "a message of unknown type %u", p->type);
		failed((ent_msg)p->type, 0, &e);
	}
}

int main(int argc, char **argv) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole group of the terminal: the core decides, and ends us */
	char *end = NULL;
	long parent = argc == 2 ? strtol(argv[1], &end, 10) : 0;
	if (parent <= 0 || *end) {
		fprintf(stderr, "entente-decoder is started by entente: it is not meant to be called\n");
		return 2;
	}
	if ((long)getppid() != parent) {
		return 0; /* the core has gone already */
	}
	ent__sandbox_forget_environment();
	if (sodium_init() < 0) {
		return 1;
	}
	static ent__worker worker; /* zeroed */
	ent__worker *w = &worker;
	w->waiting_end = &w->waiting;
	ent__batch_init(&w->batch, w);
	while (!w->stopping) {
		ent__packet *p = w->waiting;
		if (p) {
			w->waiting = p->next;
			w->waiting_end = w->waiting ? w->waiting_end : &w->waiting;
		} else if (!(p = ent__control_receive())) {
			break;
		}
		take(w, p);
		ent__packet_destroy(p);
	}
	while (w->instances) {
		close_instance(w, w->instances->number);
	}
	ent__batch_finish(&w->batch);
	while (w->n_encodings) {
		ent_encoding_release(w->encodings[--w->n_encodings]);
	}
	free(w->encodings);
	return 0;
}
