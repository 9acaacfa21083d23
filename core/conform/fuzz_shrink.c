/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens to one input, tried in a process of its own, and the smallest input to which the same happens: lines go
 * first, then pieces of lines, by halves. One thread; children that end by themselves or by their clock. */
#include "conform/fuzz.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CRASHED = 199, TRIES_MOST = 20000, HANG_MS = 250 };

/* ---- one try --------------------------------------------------------------------------------------------------------
 */

static ent__outcome *shared; /* with the child */
static uintptr_t code_from, code_to, code_base;

static int find_code(struct dl_phdr_info *info, size_t size, void *entry) {
	(void)size;
	bool holds = false;
	for (int pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < info->dlpi_phnum; i++) {
			const ElfW(Phdr) *h = &info->dlpi_phdr[i];
			uintptr_t from = info->dlpi_addr + h->p_vaddr, to = from + h->p_memsz;
			if (h->p_type != PT_LOAD) {
				continue;
			}
			holds |= !pass && (uintptr_t)entry >= from && (uintptr_t)entry < to;
			if (pass && holds && h->p_flags & PF_X) {
				code_base = info->dlpi_addr;
				code_from = from;
				code_to = to;
			}
		}
	}
	return holds;
}

static void crashed(int sig, siginfo_t *info, void *context) {
	(void)info;
	uintptr_t at = 0;
#ifdef __x86_64__
	at = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#else
	(void)context;
#endif
	shared->end = ENT__END_SIGNAL;
	shared->signal = sig;
	shared->offset = at >= code_from && at < code_to ? at - code_base : 0;
	_exit(CRASHED);
}

static void child(const ent__case *c, bool answers, unsigned hang_ms) {
	static char stack[65536];
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction act = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	sigaltstack(&alternate, NULL);
	if (ent__alloc_seen()) { /* a sanitizer reports by itself */
		for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
			sigaction(signals[i], &act, NULL);
		}
	}
	/* what it uses of the processor, as the machine may be busy; and for what sleeps, ten times as long by the clock */
	setitimer(ITIMER_PROF, &(struct itimerval){{0, 0}, {hang_ms / 1000, hang_ms % 1000 * 1000}}, NULL);
	alarm(hang_ms / 100 + 1);
	ent__judge(c, answers, true, &shared->broken, NULL);
	shared->end = shared->broken.rule ? ENT__END_BROKEN : ENT__END_FINE;
	_exit(0);
}

void ent__try(const ent__case *c, bool answers, unsigned hang_ms, ent__outcome *out) {
	int status = 0;
	if (!shared) {
		void *p = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) {
			abort();
		}
		shared = p;
		dl_iterate_phdr(find_code, (void *)(uintptr_t)c->decoder);
	}
	*shared = (ent__outcome){.end = ENT__END_EXIT};
	pid_t pid = fork();
	if (pid == 0) {
		child(c, answers, hang_ms);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (pid > 0 && WIFSIGNALED(status)) {
		bool hang = WTERMSIG(status) == SIGPROF || WTERMSIG(status) == SIGALRM;
		shared->end = hang ? ENT__END_HANG : ENT__END_SIGNAL;
		shared->signal = WTERMSIG(status);
	} else if (pid > 0 && WEXITSTATUS(status) && WEXITSTATUS(status) != CRASHED) {
		shared->end = ENT__END_EXIT;
		shared->signal = WEXITSTATUS(status);
	}
	*out = *shared;
	if (out->end == ENT__END_HANG) {
		out->signal = 0;
	}
}

/* ---- fewer and fewer ------------------------------------------------------------------------------------------------
 */

typedef struct shrinking {
	ent__case c;
	bool answers;
	unsigned hang_ms, tries;
	uint64_t until; /* ns */
	const ent__outcome *want;
	char *bytes, *room;
	size_t n;
} shrinking;

static bool out_of_time(const shrinking *s) {
	return ent__clock_ns(CLOCK_MONOTONIC) > s->until || s->tries >= TRIES_MOST;
}

/* Keeps the candidate in `room` if it does the same. */
static bool keeps(shrinking *s, size_t n) {
	ent__outcome o;
	s->c.bytes = s->room;
	s->c.n = n;
	s->tries++;
	ent__try(&s->c, s->answers, s->hang_ms, &o);
	if (o.end != s->want->end || o.signal != s->want->signal || o.offset != s->want->offset ||
		o.broken.rule != s->want->broken.rule) {
		return false;
	}
	memcpy(s->bytes, s->room, n);
	s->n = n;
	return true;
}

static bool without(shrinking *s, size_t from, size_t to) {
	memcpy(s->room, s->bytes, from);
	memcpy(s->room + from, s->bytes + to, s->n - to);
	return keeps(s, s->n - (to - from));
}

/* The end of `lines` lines from `from` on. */
static size_t lines_on(const shrinking *s, size_t from, size_t lines) {
	while (lines-- && from < s->n) {
		const char *end = memchr(s->bytes + from, '\n', s->n - from);
		from = end ? (size_t)(end + 1 - s->bytes) : s->n;
	}
	return from;
}

static void fewer_lines(shrinking *s) {
	size_t all = 1;
	for (size_t i = 0; i < s->n; i++) {
		all += s->bytes[i] == '\n';
	}
	for (size_t step = (all + 1) / 2; step && !out_of_time(s); step /= 2) {
		for (size_t at = 0; at < s->n && !out_of_time(s);) {
			size_t to = lines_on(s, at, step);
			if (to == at || !without(s, at, to)) {
				at = lines_on(s, at, step);
			}
		}
	}
}

static void fewer_bytes(shrinking *s) {
	size_t step = 1;
	while (step * 2 <= s->n) {
		step *= 2;
	}
	for (; step && !out_of_time(s); step /= 2) {
		for (size_t at = 0; at + step <= s->n && !out_of_time(s);) {
			if (!without(s, at, at + step)) {
				at += step;
			}
		}
	}
}

size_t ent__shrink(
	const ent__case *c, char *bytes, bool answers, unsigned seconds, const ent__outcome *want, unsigned *tries) {
	shrinking s = {.c = *c,
		.answers = answers,
		.hang_ms = want->end == ENT__END_HANG ? HANG_MS : 16 * HANG_MS,
		.want = want,
		.until = ent__clock_ns(CLOCK_MONOTONIC) + seconds * UINT64_C(1000000000),
		.bytes = bytes,
		.room = ent_xmalloc(c->n + 1),
		.n = c->n};
	size_t before;
	do {
		before = s.n;
		fewer_lines(&s);
		fewer_bytes(&s);
	} while (s.n < before && !out_of_time(&s));
	free(s.room);
	*tries = s.tries;
	return s.n;
}
