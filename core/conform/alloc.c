/* SPDX-License-Identifier: Apache-2.0
 *
 * malloc() and its family, in place of the C library's for the whole process: the plugin's calls (and those of the
 * libraries that it calls) are counted, kept account of, and refused on demand. Memory itself comes from the C
 * library's own functions. Under a sanitizer, which has to have its own, this file has none. Any thread. */
#include "conform/conform.h"

#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

_Thread_local unsigned ent__inside;

#ifdef SANITIZED

bool ent__alloc_seen(void) { return false; }
void ent__alloc_learn(const char *plugin) { (void)plugin; }
void ent__alloc_watch(ent__whose whose, uint64_t refuse, uint64_t most) { (void)whose, (void)refuse, (void)most; }
ent__allocs ent__alloc_counts(void) { return (ent__allocs){0}; }
void ent__alloc_unwatch(void) {}

#else

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t n);
void *__libc_memalign(size_t alignment, size_t n);
void __libc_free(void *p);

#define SLOTS (1u << 20) /* of the table of live allocations; a plugin that has more at once is not kept account of */
#define GONE ((void *)1)

static atomic_bool watching;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct slot {
	void *p; /* NULL: never used, GONE: free again */
	size_t n;
	const void *from;
} * slots;
static size_t used;
static uint32_t touched[4096]; /* the slots that were used, if they are no more than that: few are cleared one by one */
static uint64_t calls, failed, live, bytes, refuse_at, most_bytes;
static ent__whose counted = ENT__ANYONES;

enum { LIBRARIES = 128, FRAMES = 24 };
static struct {
	uintptr_t from, to;
	bool runtime;       /* asks on behalf of its caller: the C library, that of C++ */
} libraries[LIBRARIES]; /* all but the plugin and this program */
static size_t n_libraries;
static const char *plugin_path;

static void enter(void) {
	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) {
	}
}

static void leave(void) { atomic_flag_clear_explicit(&lock, memory_order_release); }

static size_t first_slot(const void *p) {
	return (size_t)((uint64_t)(uintptr_t)p * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (SLOTS - 1);
}

static struct slot *find(const void *p) {
	for (size_t i = first_slot(p);; i = (i + 1) & (SLOTS - 1)) {
		if (slots[i].p == p) {
			return &slots[i];
		}
		if (!slots[i].p) {
			return NULL;
		}
	}
}

static void put(void *p, size_t n, const void *from) {
	if (used > SLOTS / 2) {
		return;
	}
	size_t i = first_slot(p);
	while (slots[i].p && slots[i].p != GONE) {
		i = (i + 1) & (SLOTS - 1);
	}
	if (!slots[i].p && used++ < sizeof touched / sizeof *touched) {
		touched[used - 1] = (uint32_t)i;
	}
	slots[i] = (struct slot){p, n, from};
	live++;
	bytes += n;
}

static bool take_out(const void *p) {
	struct slot *s = find(p);
	if (!s) {
		return false;
	}
	live--;
	bytes -= s->n;
	s->p = GONE;
	return true;
}

static int library_of(const void *at) {
	for (size_t i = 0; i < n_libraries; i++) {
		if ((uintptr_t)at >= libraries[i].from && (uintptr_t)at < libraries[i].to) {
			return (int)i;
		}
	}
	return -1;
}

/* Where a runtime asks, who called it is looked for further up. */
static ent__whose whose_is(const void *from) {
	int library = library_of(from);
	if (library >= 0 && libraries[library].runtime) {
		void *frames[FRAMES];
		unsigned was = ent__inside;
		ent__inside = 0;
		int n = backtrace(frames, FRAMES), i = 0;
		ent__inside = was;
		while (i < n && frames[i] != from) {
			i++;
		}
		while (i < n && (library = library_of(frames[i])) >= 0 && libraries[library].runtime) {
			i++;
		}
		library = i < n ? library : -1;
	}
	return library >= 0 && !libraries[library].runtime ? ENT__FOREIGN : ENT__OWN;
}

/* Is an allocation of the plugin to be refused? It is counted. */
static bool refused(size_t n, const void *from) {
	if (!ent__inside || !atomic_load_explicit(&watching, memory_order_relaxed)) {
		return false;
	}
	bool ours = counted == ENT__ANYONES || counted == whose_is(from);
	enter();
	calls += ours;
	bool no = (ours && calls == refuse_at) || (most_bytes && bytes + n > most_bytes);
	failed += no;
	leave();
	if (no) {
		errno = ENOMEM;
	}
	return no;
}

static void *given(void *p, size_t n, const void *from) {
	if (p && ent__inside && atomic_load_explicit(&watching, memory_order_relaxed)) {
		enter();
		put(p, n, from);
		leave();
	}
	return p;
}

/* The plugin's calls must find these, and not the C library's. */
#define OURS __attribute__((visibility("default")))
#define FROM __builtin_return_address(0)

OURS void *malloc(size_t n) { return refused(n, FROM) ? NULL : given(__libc_malloc(n), n, FROM); }

OURS void *calloc(size_t n, size_t size) {
	size_t all;
	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return refused(all, FROM) ? NULL : given(__libc_calloc(n, size), all, FROM);
}

OURS void free(void *p) {
	if (p && atomic_load_explicit(&watching, memory_order_relaxed)) {
		enter();
		take_out(p);
		leave();
	}
	__libc_free(p);
}

OURS void *realloc(void *old, size_t n) {
	if (!atomic_load_explicit(&watching, memory_order_relaxed)) {
		return __libc_realloc(old, n);
	}
	if (refused(n, FROM)) {
		return NULL;
	}
	enter(); /* until it is in the table again, nobody may be given the same address */
	bool ours = old && take_out(old);
	void *p = __libc_realloc(old, n);
	if (p && (ours || ent__inside)) {
		put(p, n, FROM);
	} else if (!p && ours && n) {
		put(old, n, FROM); /* not moved, and not given back */
	}
	leave();
	return p;
}

OURS void *memalign(size_t alignment, size_t n);
void *memalign(size_t alignment, size_t n) {
	return refused(n, FROM) ? NULL : given(__libc_memalign(alignment, n), n, FROM);
}

OURS void *aligned_alloc(size_t alignment, size_t n) {
	return refused(n, FROM) ? NULL : given(__libc_memalign(alignment, n), n, FROM);
}

OURS int posix_memalign(void **out, size_t alignment, size_t n) {
	if (alignment < sizeof(void *) || alignment & (alignment - 1)) {
		return EINVAL;
	}
	void *p = refused(n, FROM) ? NULL : given(__libc_memalign(alignment, n), n, FROM);
	if (!p) {
		return ENOMEM;
	}
	*out = p;
	return 0;
}

bool ent__alloc_seen(void) { return true; }

static int learn(struct dl_phdr_info *info, size_t size, void *ctx) {
	static const char *const runtimes[] = {
		"libc.so", "libm.so", "libstdc++.so", "libgcc_s.so", "ld-linux", "linux-vdso", "libpthread.so"};
	const char *slash = strrchr(info->dlpi_name, '/'), *name = slash ? slash + 1 : info->dlpi_name;
	(void)size, (void)ctx;
	bool runtime = false, here = !*name || (plugin_path && !strcmp(info->dlpi_name, plugin_path));
	for (size_t i = 0; i < sizeof runtimes / sizeof *runtimes; i++) {
		runtime |= !strncmp(name, runtimes[i], strlen(runtimes[i]));
	}
	for (int i = 0; !here && i < info->dlpi_phnum && n_libraries < LIBRARIES; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		if (h->p_type == PT_LOAD && h->p_flags & PF_X) {
			libraries[n_libraries].from = info->dlpi_addr + h->p_vaddr;
			libraries[n_libraries].to = info->dlpi_addr + h->p_vaddr + h->p_memsz;
			libraries[n_libraries++].runtime = runtime;
		}
	}
	return 0;
}

void ent__alloc_learn(const char *plugin) {
	void *frames[FRAMES];
	char *path = realpath(plugin, NULL);
	plugin_path = path;
	n_libraries = 0;
	dl_iterate_phdr(learn, NULL);
	plugin_path = NULL;
	free(path);
	backtrace(frames, FRAMES); /* its first call loads what it needs */
}

void ent__alloc_watch(ent__whose whose, uint64_t refuse, uint64_t most) {
	enter();
	counted = whose;
	if (!slots) {
		void *p = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		slots = p == MAP_FAILED ? NULL : p;
	} else if (used <= sizeof touched / sizeof *touched) {
		for (size_t i = 0; i < used; i++) {
			slots[touched[i]] = (struct slot){0};
		}
	} else {
		madvise(slots, SLOTS * sizeof *slots, MADV_DONTNEED); /* all zero again */
	}
	used = 0;
	calls = failed = live = bytes = 0;
	refuse_at = refuse;
	most_bytes = most;
	leave();
	atomic_store(&watching, slots != NULL);
}

ent__allocs ent__alloc_counts(void) {
	enter();
	ent__allocs a = {.calls = calls, .failed = failed, .live = live, .bytes = bytes};
	bool few = used <= sizeof touched / sizeof *touched;
	for (size_t k = 0; slots && live && k < (few ? used : SLOTS) && !a.from; k++) {
		size_t i = few ? touched[k] : k;
		a.from = slots[i].p && slots[i].p != GONE ? slots[i].from : NULL;
	}
	leave();
	return a;
}

void ent__alloc_unwatch(void) { atomic_store(&watching, false); }

#endif
