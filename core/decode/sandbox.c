/* SPDX-License-Identifier: Apache-2.0
 *
 * What entente-decoder gives up before it runs a plugin: resource limits, new privileges, system calls (seccomp, by
 * libseccomp), files (Landlock, by raw system calls: Debian 12's C library has no wrappers). Two stages, since a plugin
 * and its libraries have to be read first. One thread: filters apply to the caller. */
#include "decode/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#define ADDRESS_SANITIZER __has_feature(address_sanitizer)
#else
#define ADDRESS_SANITIZER 0
#endif

/* ---- Landlock ---- */

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* As in Linux 6.7 and later: the headers of Debian 12 end before the network part. The kernel takes shorter structs. */
struct ruleset {
	uint64_t files, network;
};

static int landlock_abi(void) {
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return v < 0 ? 0 : (int)v;
}

/* Which rights the kernel's version knows: to ask for others is an error. */
static uint64_t file_rights(int abi) {
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	rights |= abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
	rights |= abi >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
	return rights;
}

/* 0 and the version in *abi, or a negative errno. */
static int landlock(ent__sandbox_stage stage, int *abi) {
	*abi = landlock_abi();
	if (!*abi) {
		return -ENOSYS;
	}
	struct ruleset r = {.files = file_rights(*abi), .network = *abi >= 4 ? 3 : 0}; /* bind and connect TCP */
	int set = (int)syscall(SYS_landlock_create_ruleset, &r, *abi >= 4 ? sizeof r : sizeof r.files, 0);
	if (set < 0) {
		return -errno;
	}
	int status = 0;
	if (stage == ENT__STAGE_LOADING) {
		struct landlock_path_beneath_attr read = {
			.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE,
			.parent_fd = open("/", O_PATH | O_CLOEXEC)};
		if (read.parent_fd < 0 || syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &read, 0)) {
			status = -errno;
		}
		if (read.parent_fd >= 0) {
			close(read.parent_fd);
		}
	}
	if (!status && syscall(SYS_landlock_restrict_self, set, 0)) {
		status = -errno;
	}
	close(set);
	return status;
}

/* ---- seccomp ---- */

/* Memory, the descriptors we hold, clocks, our own signals, the end. */
static const int working[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(dup),
	SCMP_SYS(fcntl),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(recvfrom),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(getrandom),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(membarrier),
	SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* What the loader of shared objects needs besides. */
static const int loading[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd),
	SCMP_SYS(getdents64),
	SCMP_SYS(uname),
	SCMP_SYS(getegid),
	SCMP_SYS(getgid),
	SCMP_SYS(arch_prctl),
	SCMP_SYS(prctl),
	SCMP_SYS(seccomp),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self),
	SCMP_SYS(prlimit64),
	SCMP_SYS(setrlimit),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t n) {
	for (size_t i = 0; i < n; i++) {
		int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
		if (status && status != -EDOM) { /* EDOM: not a call of this architecture */
			return status;
		}
	}
	return 0;
}

/* What is not allowed fails with EPERM and does not kill: a C++ library that looks for a locale shall go on without. */
static int filter_calls(ent__sandbox_stage stage) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter) {
		return -ENOMEM;
	}
	int status = allow(filter, working, sizeof working / sizeof *working);
	if (!status && stage == ENT__STAGE_LOADING) {
		status = allow(filter, loading, sizeof loading / sizeof *loading);
	}
	/* abort() and raise() reach ourselves, nobody else */
	struct scmp_arg_cmp self = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid(), .datum_b = 0};
	if (!status) {
		status = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &self);
	}
	if (!status) {
		status = seccomp_load(filter);
	}
	seccomp_release(filter);
	return status;
}

int ent__sandbox_enter(ent__sandbox_stage stage, ent_sandbox mode, char *level, size_t size, ent_error *e) {
	if (mode == ENT_SANDBOX_OFF) {
		snprintf(level, size, "off");
		return 0;
	}
	int abi = 0, privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
	int files = privileges ? privileges : landlock(stage, &abi);
	int calls = privileges ? privileges : filter_calls(stage);
	if (!calls && !files) {
		snprintf(level, size, "seccomp+landlock %d", abi);
	} else if (!calls) {
		snprintf(level, size, "seccomp, no landlock (%s)", strerror(-files));
	} else if (!files) {
		snprintf(level, size, "landlock %d, no seccomp (%s)", abi, strerror(-calls));
	} else {
		snprintf(level, size, "none (%s)", strerror(-calls));
	}
	if (mode == ENT_SANDBOX_REQUIRED && (calls || files)) {
		ent_error_set(e, ENT_ERR_IO, "the sandbox is required, but only this was reached: %s", level);
		return ent_error_todo(e, "use a kernel with seccomp and Landlock, or set sandbox: best-effort");
	}
	return 0;
}

void ent__limits(uint64_t memory) {
	struct rlimit none = {0, 0}, files = {256, 256};
	setrlimit(RLIMIT_CORE, &none); /* a core file would hold personal data */
	setrlimit(RLIMIT_NOFILE, &files);
#if !ADDRESS_SANITIZER /* it maps terabytes of shadow */
	struct rlimit space = {memory, memory};
	if (memory) {
		setrlimit(RLIMIT_AS, &space);
	}
#else
	(void)memory;
#endif
}
