/* SPDX-License-Identifier: Apache-2.0
 *
 * Preloaded into a worker: counts what is allocated, in a file that the test has mapped as well. One thread. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t nowhere, *count = &nowhere;

__attribute__((constructor)) static void map(void) {
	const char *path = getenv("ENTENTE_TEST_COUNT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		count = p;
	}
	if (fd >= 0) {
		close(fd);
	}
}

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
__attribute__((visibility("default"))) void *malloc(size_t n) {
	++*count;
	return __libc_malloc(n);
}
__attribute__((visibility("default"))) void *calloc(size_t n, size_t bytes) {
	++*count;
	return __libc_calloc(n, bytes);
}
__attribute__((visibility("default"))) void *realloc(void *old, size_t n) {
	++*count;
	return __libc_realloc(old, n);
}
__attribute__((visibility("default"))) int posix_memalign(void **out, size_t alignment, size_t n) {
	++*count;
	*out = __libc_memalign(alignment, n);
	return *out ? 0 : 12;
}
