/* SPDX-License-Identifier: Apache-2.0
 *
 * What keeps rules in: no_new_privs, RLIMIT_AS, Landlock (only the given folders, only for reading) and a seccomp
 * allow-list. Entered once, after the interpreter has started and before any rule is imported. The list is as wide as
 * CPython and its extension modules need for lazy imports (mmap of shared objects, threads, directory listings); what is
 * not on it fails with EPERM, so that a script sees PermissionError with its own file and line, and not a dead worker. */
#include "rules/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sanitizers reserve terabytes of address space: no limit can hold. gcc says so by macros, clang by features. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
	__has_feature(thread_sanitizer)
#define SHADOW_MEMORY 1
#else
#define SHADOW_MEMORY 0
#endif

/* ---- Landlock --------------------------------------------------------------------------------------------------- */

/* Newer than Debian 12's header; the kernel says by its version what it knows. */
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset {
	uint64_t fs, net, scoped;
};

static int landlock_version(void) {
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static void allow_reading(int ruleset, const char *path) {
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	if (rule.parent_fd < 0) {
		return; /* not on this machine: then nothing is lost by not allowing it */
	}
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0)) {
		rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE; /* a file, not a folder */
		(void)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	close(rule.parent_fd);
}

/* Where shared objects, time zones and the facts about the machine are that libraries ask for when they are imported.
 * (jemalloc in pyarrow asks for overcommit and huge pages; DuckDB 1 aborts if it cannot read the limits of its cgroup.) */
static const char *const system_paths[] = {
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime",
	"/usr/share/zoneinfo", "/dev/null", "/dev/urandom", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
	"/sys/devices/system/cpu", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage", "/proc/sys/vm/overcommit_memory",
	"/etc/ssl/openssl.cnf",
};

/* The version in force, or -1. */
static int enter_landlock(const ent__sandbox *s) {
	int version = landlock_version();
	if (version < 1) {
		return -1;
	}
	struct ruleset rules = {.fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1}; /* all of version 1 */
	size_t size = sizeof rules.fs;
	if (version >= 2) {
		rules.fs |= LANDLOCK_ACCESS_FS_REFER;
	}
	if (version >= 3) {
		rules.fs |= FS_TRUNCATE;
	}
	if (version >= 4) {
		rules.net = NET_BIND_TCP | NET_CONNECT_TCP;
		size = 2 * sizeof rules.fs;
	}
	if (version >= 5) {
		rules.fs |= FS_IOCTL_DEV;
	}
	if (version >= 6) {
		rules.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
		size = sizeof rules;
	}
	int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0) {
		return -1;
	}
	for (size_t i = 0; i < sizeof system_paths / sizeof *system_paths; i++) {
		allow_reading(fd, system_paths[i]);
	}
	for (size_t i = 0; i < s->n; i++) {
		allow_reading(fd, s->folders[i]);
	}
	int status = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return status ? -1 : version;
}

/* ---- seccomp ---------------------------------------------------------------------------------------------------- */

static const int allowed[] = {
	/* memory, threads, signals */
	SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(mincore), SCMP_SYS(msync), SCMP_SYS(get_mempolicy), SCMP_SYS(mbind), SCMP_SYS(membarrier), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address), SCMP_SYS(arch_prctl),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler), SCMP_SYS(sched_get_priority_max), SCMP_SYS(sched_get_priority_min),
	/* reading what is open, and opening for reading: open and openat are checked by their flags, and by Landlock */
	SCMP_SYS(pread64), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx),
	SCMP_SYS(fstatfs), SCMP_SYS(statfs), SCMP_SYS(lseek), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(fadvise64), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(umask),
	/* clocks, and facts about this process */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid),
	SCMP_SYS(getpgrp), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid),
	SCMP_SYS(getresgid), SCMP_SYS(getgroups), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage),
	SCMP_SYS(getrlimit), SCMP_SYS(getrandom), SCMP_SYS(getcpu),
};

/* Of other descriptors. */
static const int not_of_control[] = {SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(dup), SCMP_SYS(fcntl)};

#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | 020000000 /* O_TMPFILE without O_DIRECTORY */)

static int enter_seccomp(void) {
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!f) {
		return -ENOMEM;
	}
	uint64_t self = (uint64_t)getpid();
	int status = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree: the list is long */
	status = 0;
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed && !status; i++) {
		status = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
	}
#define RULE(action, call, n, ...) status = status ? status : seccomp_rule_add(f, action, SCMP_SYS(call), n, ##__VA_ARGS__)
	RULE(SCMP_ACT_ALLOW, open, 1, SCMP_A1(SCMP_CMP_MASKED_EQ, WRITING, 0));
	RULE(SCMP_ACT_ALLOW, openat, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, WRITING, 0));
	/* The control socket, and no other; and nothing else of it: a rule neither reads, writes nor closes it, nor what its
	 * tracebacks are written to. */
	RULE(SCMP_ACT_ALLOW, sendmmsg, 1, SCMP_A0(SCMP_CMP_EQ, ENT_CONTROL_FD, 0));
	RULE(SCMP_ACT_ALLOW, recvmsg, 1, SCMP_A0(SCMP_CMP_EQ, ENT_CONTROL_FD, 0));
	for (size_t i = 0; i < sizeof not_of_control / sizeof *not_of_control && !status; i++) {
		status = seccomp_rule_add(f, SCMP_ACT_ALLOW, not_of_control[i], 1, SCMP_A0(SCMP_CMP_NE, ENT_CONTROL_FD, 0));
	}
	RULE(SCMP_ACT_ALLOW, close, 1, SCMP_A0(SCMP_CMP_GT, ENT_CONTROL_FD, 0));
	RULE(SCMP_ACT_ALLOW, dup2, 2, SCMP_A0(SCMP_CMP_NE, ENT_CONTROL_FD, 0), SCMP_A1(SCMP_CMP_GT, ENT_CONTROL_FD, 0));
	RULE(SCMP_ACT_ALLOW, dup3, 2, SCMP_A0(SCMP_CMP_NE, ENT_CONTROL_FD, 0), SCMP_A1(SCMP_CMP_GT, ENT_CONTROL_FD, 0));
	/* Nobody takes the place of the handler that says where a rule was when its time was over. */
	RULE(SCMP_ACT_ALLOW, rt_sigaction, 1, SCMP_A0(SCMP_CMP_NE, SIGUSR1, 0));
	/* Threads, but no processes. glibc tries clone3 first, whose flags no filter can see, and takes clone if told that
	 * there is no such call. */
	RULE(SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
	RULE(SCMP_ACT_ALLOW, clone, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	/* Signals to itself (abort), limits only to be read, and what isatty and close-on-exec ask of the terminal. */
	RULE(SCMP_ACT_ALLOW, kill, 1, SCMP_A0(SCMP_CMP_EQ, self, 0));
	RULE(SCMP_ACT_ALLOW, tgkill, 1, SCMP_A0(SCMP_CMP_EQ, self, 0));
	RULE(SCMP_ACT_ALLOW, prlimit64, 1, SCMP_A2(SCMP_CMP_EQ, 0, 0));
	RULE(SCMP_ACT_ALLOW, prctl, 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
	RULE(SCMP_ACT_ALLOW, prctl, 1, SCMP_A0(SCMP_CMP_EQ, PR_GET_NAME, 0));
	RULE(SCMP_ACT_ALLOW, ioctl, 1, SCMP_A1(SCMP_CMP_EQ, TCGETS, 0));
	RULE(SCMP_ACT_ALLOW, ioctl, 1, SCMP_A1(SCMP_CMP_EQ, FIOCLEX, 0));
	RULE(SCMP_ACT_ALLOW, ioctl, 1, SCMP_A1(SCMP_CMP_EQ, FIONCLEX, 0));
	RULE(SCMP_ACT_ALLOW, ioctl, 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0));
#undef RULE
	status = status ? status : seccomp_load(f);
	seccomp_release(f);
	return status;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

int ent__sandbox_enter(const ent__sandbox *s, char *reached, size_t size, ent_error *e) {
	snprintf(reached, size, "off");
	if (s->memory && !SHADOW_MEMORY) {
		struct rlimit limit = {s->memory, s->memory};
		if (setrlimit(RLIMIT_AS, &limit)) {
			return ent_error_errno(e, ENT_ERR_IO, "cannot limit memory to %llu bytes", (unsigned long long)s->memory);
		}
	}
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none); /* a core file would hold partners' figures */
	if (s->level == ENT_SANDBOX_OFF) {
		return 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		return ent_error_errno(e, ENT_ERR_IO, "cannot set no_new_privs");
	}
	int version = enter_landlock(s), status = enter_seccomp();
	if (!status && version > 0) {
		snprintf(reached, size, "seccomp+landlock %d", version);
	} else if (!status) {
		snprintf(reached, size, "seccomp");
	} else if (version > 0) {
		snprintf(reached, size, "landlock %d", version);
	} else {
		snprintf(reached, size, "no_new_privs");
	}
	if (s->level == ENT_SANDBOX_REQUIRED && (status || version < 1)) {
		ent_error_set(e, ENT_ERR_IO, "the sandbox is required, and this machine gives only: %s", reached);
		ent_error_todo(e, "use a kernel with seccomp and Landlock, or set `sandbox: best-effort`");
		return ENT_ERR_IO;
	}
	return 0;
}
