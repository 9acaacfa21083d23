/* SPDX-License-Identifier: Apache-2.0
 *
 * entente-rules: the process that embeds CPython and runs the rules of the organization. Started by the core, see
 * protocol.h; it owns nothing that lasts and may be killed at any moment. */
#include "base/arena.h"
#include "rules/rules.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Dies with the core: PDEATHSIG, and if the core was gone before that was set, getppid tells. */
static int tie_to_parent(int argc, char **argv) {
	if (argc != 2) {
		fprintf(stderr, "entente-rules: started by entente, not by hand\n");
		return -1;
	}
	long parent = strtol(argv[1], NULL, 10);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) {
		return -1;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* of the terminal's group: the core decides when this process ends */
	return 0;
}

/* What the core was started with may hold secrets: rules see neither the variables nor, through /proc, the memory that
 * they lay in. What is left makes a rule say the same on every machine. */
static void forget_environment(void) {
	for (char **e = environ; *e; e++) {
		explicit_bzero(*e, strlen(*e));
	}
	clearenv();
	setenv("TZ", "UTC", 1);
	setenv("HOME", "/", 1);
	/* Otherwise a BLAS thread for each core, and 30 MB of address space for each thread, for arrays of some hundred days. */
	setenv("OPENBLAS_NUM_THREADS", "1", 1);
	setenv("OMP_NUM_THREADS", "1", 1);
}

static char *read_text(ent_read *r) {
	size_t n;
	const char *p = ent_read_bytes(r, &n);
	char *copy = ent_xcalloc(n + 1, 1);
	if (n) {
		memcpy(copy, p, n);
	}
	return copy;
}

typedef struct hello {
	uint32_t version;
	ent__sandbox sandbox;
	ent__python python;
	char *venv;
	char **readable; /* folders that the sandbox lets be read */
	size_t n_readable;
} hello;

static int read_hello(ent_read *r, hello *h, ent_error *e) {
	h->version = ent_read_u32(r);
	h->sandbox.level = ent_read_u8(r);
	h->sandbox.memory = ent_read_u64(r);
	uint32_t n = ent_read_u32(r);
	for (uint32_t i = 0; i < n && !r->bad; i++) {
		h->python.folders = ent_xrealloc(h->python.folders, (i + 1) * sizeof *h->python.folders);
		h->python.folders[h->python.n_folders++] = read_text(r);
	}
	h->venv = read_text(r);
	h->python.venv = h->venv;
	n = ent_read_u32(r);
	for (uint32_t i = 0; i < n && !r->bad; i++) {
		h->readable = ent_xrealloc(h->readable, (i + 1) * sizeof *h->readable);
		h->readable[h->n_readable++] = read_text(r);
	}
	if (h->version != ENT_RULES_PROTOCOL_VERSION) {
		ent_error_set(e, ENT_ERR_INVALID, "entente speaks version %u with its rules worker, entente-rules version %u",
			h->version, ENT_RULES_PROTOCOL_VERSION);
		ent_error_todo(e, "install both from one build");
		return -1;
	}
	return r->bad ? ent_error_set(e, ENT_ERR_INVALID, "the greeting is cut short") : 0;
}

/* The interpreter starts first, with code of Python's own library alone; then the sandbox closes; then the package, and
 * later the rules, are imported inside it. */
static int greet(ent_read *r, ent_error *e) {
	hello h = {0};
	char reached[64];
	if (read_hello(r, &h, e) || ent__status_open(e) || ent__python_start(&h.python, e)) {
		return -1;
	}
	if (*h.venv) {
		h.readable = ent_xrealloc(h.readable, (h.n_readable + 1) * sizeof *h.readable);
		h.readable[h.n_readable++] = ent_xstrdup(h.venv);
	}
	if (ent__python_paths(&h.readable, &h.n_readable, e)) {
		return -1;
	}
	h.sandbox.folders = (const char *const *)h.readable;
	h.sandbox.n = h.n_readable;
	if (ent__sandbox_enter(&h.sandbox, reached, sizeof reached, e) || ent__python_import(e)) {
		return -1;
	}
	ent_buf b = {0};
	ent_buf_u32(&b, ENT_RULES_READY);
	ent_buf_u32(&b, (uint32_t)getpid());
	ent_buf_text(&b, ent__python_version());
	ent_buf_text(&b, reached);
	ent__send(&b);
	ent_buf_finish(&b);
	return 0; /* what the greeting named is kept as long as the process */
}

static int answer(ent__packet *p, uint64_t *run, ent_error *e) {
	size_t n;
	const char *json;
	bool runs = p->type == ENT_RULES_EVALUATE || p->type == ENT_RULES_CHANGE || p->type == ENT_RULES_BRIEF;
	*run = runs ? ent_read_u64(&p->read) : 0;
	switch (p->type) {
	case ENT_RULES_HELLO:
		return greet(&p->read, e);
	case ENT_RULES_LOAD:
	case ENT_RULES_EVALUATE:
	case ENT_RULES_CHANGE:
	case ENT_RULES_BRIEF:
		break;
	default:
		return ent_error_set(e, ENT_ERR_INVALID, "message %u is not known here", p->type);
	}
	json = ent_read_bytes(&p->read, &n);
	if (p->read.bad) {
		return ent_error_set(e, ENT_ERR_INVALID, "message %u is cut short", p->type);
	}
	if (p->type == ENT_RULES_LOAD) {
		return ent__load(json, n, e);
	}
	if (p->type == ENT_RULES_BRIEF) {
		return ent__brief(*run, p->fd, json, n, e);
	}
	return (p->type == ENT_RULES_CHANGE ? ent__change : ent__evaluate)(*run, p->fd, json, n, e);
}

int main(int argc, char **argv) {
	if (tie_to_parent(argc, argv)) {
		return 2;
	}
	forget_environment();
	ent__packet packet = {0};
	bool greeted = false;
	while (ent__receive(&packet) && packet.type != ENT_RULES_STOP) {
		ent_error e = {0};
		uint64_t run = 0;
		int status = -1;
		if (greeted == (packet.type == ENT_RULES_HELLO)) {
			ent_error_set(&e, ENT_ERR_INVALID, greeted ? "a second greeting" : "the first message must be the greeting");
		} else {
			status = answer(&packet, &run, &e);
		}
		if (packet.fd >= 0) {
			close(packet.fd);
		}
		if (status) {
			ent__send_failed(packet.type, run, &e);
			if (!greeted) {
				_exit(1);
			}
		}
		greeted = true;
	}
	_exit(0); /* not exit(): the interpreter is never taken down, the process is */
}
