/* SPDX-License-Identifier: Apache-2.0
 *
 * What entente-decoder gives up before it runs a plugin: its environment, resource limits, new privileges, system calls
 * (seccomp, by libseccomp: an allow-list), files (Landlock, by raw system calls: Debian 12's C library has no
 * wrappers). In stages, since a plugin and its libraries have to be read first, and their constructors are code of the
 * plugin already. One thread: filters apply to the caller. What a plugin may try is in tests/decode/plugins/escape.c.
 */
#include "decode/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
#define FS_IOCTL_DEV (1ULL << 15)
#define NETWORK 3ULL /* bind and connect TCP */
#define SCOPED 3ULL  /* abstract sockets and signals stay within */

/* As in Linux 6.12 and later: the headers of Debian 12 end before the network part. The kernel takes shorter structs.
 */
struct ruleset {
	uint64_t files, network, scoped;
};

/* Where shared objects lie, and what libraries look at when they are loaded. Nothing that anybody keeps secret: what a
 * constructor reads here it may carry into the decoder. The plugin's own folder comes to it. */
static const char *const for_libraries[] = {
	"/usr",
	"/lib",
	"/lib32",
	"/lib64",
	"/opt",
	"/nix/store",
	"/gnu/store",
	"/etc/ld.so.cache",
	"/etc/localtime",
	"/dev/null",
	"/dev/urandom",
	"/proc/self",
	"/proc/cpuinfo",
	"/proc/meminfo",
	"/proc/sys/vm/overcommit_memory",
	"/sys/devices/system/cpu",
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
	rights |= abi >= 5 ? FS_IOCTL_DEV : 0;
	return rights;
}

/* What is not there needs no permission. */
static int allow_reading(int set, const char *path) {
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE,
		.parent_fd = open(path, O_PATH | O_CLOEXEC)};
	if (rule.parent_fd < 0) {
		return 0;
	}
	int status = (int)syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (status && errno == EINVAL) { /* a file, not a folder */
		rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
		status = (int)syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}
	status = status ? -errno : 0;
	close(rule.parent_fd);
	return status;
}

/* Folders of LD_LIBRARY_PATH: whoever set it for us wants libraries to be found there. */
static int allow_library_path(int set) {
	const char *at = getenv("LD_LIBRARY_PATH");
	char folder[4096];
	int status = 0;
	while (at && *at && !status) {
		size_t n = strcspn(at, ":;");
		if (n && n < sizeof folder && *at == '/') {
			memcpy(folder, at, n);
			folder[n] = 0;
			status = allow_reading(set, folder);
		}
		at += n + (at[n] != 0);
	}
	return status;
}

static int allow_loading(int set, const char *const *plugins) {
	char folder[4096];
	int status = 0;
	for (const char *const *p = plugins; *p && !status; p++) {
		snprintf(folder, sizeof folder, "%s", *p);
		char *slash = strrchr(folder, '/');
		if (slash && slash != folder) {
			*slash = 0;
			status = allow_reading(set, folder);
		}
	}
	for (size_t i = 0; i < sizeof for_libraries / sizeof *for_libraries && !status; i++) {
		status = allow_reading(set, for_libraries[i]);
	}
	return status ? status : allow_library_path(set);
}

/* 0 and the version in *abi, or a negative errno. */
static int landlock(ent__sandbox_stage stage, const char *const *plugins, int *abi) {
	*abi = landlock_abi();
	if (!*abi) {
		return -ENOSYS;
	}
	struct ruleset r = {
		.files = file_rights(*abi), .network = *abi >= 4 ? NETWORK : 0, .scoped = *abi >= 6 ? SCOPED : 0};
	size_t size = *abi >= 6 ? sizeof r : *abi >= 4 ? offsetof(struct ruleset, scoped) : sizeof r.files;
	int set = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
	if (set < 0) {
		return -errno;
	}
	int status = stage == ENT__STAGE_STARTED   ? allow_reading(set, "/")
				 : stage == ENT__STAGE_LOADING ? allow_loading(set, plugins)
											   : 0;
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
	SCMP_SYS(dup),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
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
	SCMP_SYS(newfstatat), /* not later: it asks about any path, and Landlock does not see it */
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
	SCMP_SYS(seccomp),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self),
	SCMP_SYS(capset),
};

/* Allowed if this argument, under the mask, is the value. */
static const struct only {
	int call;
	unsigned arg;
	uint64_t mask, value;
} only_working[] = {
	/* the one socket that is there: nothing can be sent elsewhere by way of another that somebody left open */
	{SCMP_SYS(recvmsg), 0, UINT32_MAX, ENT_CONTROL_FD},
	{SCMP_SYS(recvfrom), 0, UINT32_MAX, ENT_CONTROL_FD},
	{SCMP_SYS(sendmsg), 0, UINT32_MAX, ENT_CONTROL_FD},
	{SCMP_SYS(sendto), 0, UINT32_MAX, ENT_CONTROL_FD},
	/* not F_SETOWN with F_SETSIG, by which the kernel sends any signal to any process of ours: the core's SIGKILL */
	{SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFD},
	{SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETFD},
	{SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFL},
	{SCMP_SYS(fcntl), 1, UINT32_MAX, F_DUPFD},
	{SCMP_SYS(fcntl), 1, UINT32_MAX, F_DUPFD_CLOEXEC},
	/* no code but what was loaded */
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0},
	{SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
};

#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY))

static const struct only only_loading[] = {
	{SCMP_SYS(mmap), 2, 0, 0}, {SCMP_SYS(mprotect), 2, 0, 0}, {SCMP_SYS(open), 1, WRITING, O_RDONLY},
	{SCMP_SYS(openat), 2, WRITING, O_RDONLY},
	{SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_NO_NEW_PRIVS}, /* not PR_SET_PDEATHSIG, which would outlive the core */
	{SCMP_SYS(prlimit64), 2, UINT64_MAX, 0},               /* to ask for limits, not to set them */
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

static int allow_only(scmp_filter_ctx filter, const struct only *calls, size_t n) {
	for (size_t i = 0; i < n; i++) {
		struct scmp_arg_cmp is = {
			.arg = calls[i].arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = calls[i].mask, .datum_b = calls[i].value};
		int status = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i].call, calls[i].mask ? 1 : 0, &is);
		if (status && status != -EDOM) {
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
	if (!status) {
		status = allow_only(filter, only_working, sizeof only_working / sizeof *only_working);
	}
	if (!status && stage != ENT__STAGE_WORKING) {
		status = allow(filter, loading, sizeof loading / sizeof *loading);
	}
	if (!status && stage != ENT__STAGE_WORKING) {
		status = allow_only(filter, only_loading, sizeof only_loading / sizeof *only_loading);
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

/* ---- descriptors, environment, capabilities ---- */

enum { MOST_FILES = 256 };

static struct { bool open[MOST_FILES]; } before; /* which descriptors were there before the plugin was loaded */

static void close_what_was_opened(void) {
	for (int fd = 0; fd < MOST_FILES; fd++) {
		if (!before.open[fd]) {
			close(fd);
		}
	}
}

/* Root's rights go too: where there is no Landlock, they would let a constructor read the core's memory. What is needed
 * to read a plugin below another user's folder stays until it is loaded. */
static void drop_capabilities(uint32_t kept) {
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	struct __user_cap_data_struct few[2] = {{kept, kept, 0}, {0}};
	(void)syscall(SYS_capset, &head, few); /* to have fewer is never refused */
}

void ent__sandbox_forget_environment(void) {
	static const char *const kept[] = {
		"LANG", "LC_", "TZ", "LD_", "PATH=", "GLIBC_TUNABLES=", "MALLOC_", "ASAN_", "LSAN_", "UBSAN_", "TSAN_"};
	extern char **environ;
	char **to = environ;
	for (char **at = environ; at && *at; at++) {
		bool keep = false;
		for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
			keep |= strncmp(*at, kept[i], strlen(kept[i])) == 0;
		}
		if (keep) {
			*to++ = *at;
		} else {
			explicit_bzero(*at, strlen(*at));
		}
	}
	if (to) {
		*to = NULL;
	}
}

/* ---- all of it ---- */

int ent__sandbox_enter(
	ent__sandbox_stage stage, ent_sandbox mode, const char *const *plugins, char *level, size_t size, ent_error *e) {
	if (mode == ENT_SANDBOX_OFF) {
		snprintf(level, size, "off");
		return 0;
	}
	if (stage == ENT__STAGE_STARTED) {
		struct rlimit none = {0, 0};
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &none); /* where seccomp and Landlock are not: nothing grows, nothing is started */
		setrlimit(RLIMIT_NPROC, &none);
		drop_capabilities(geteuid() ? 0 : 1u << CAP_DAC_READ_SEARCH);
	} else if (stage == ENT__STAGE_LOADING) {
		for (int fd = 0; fd < MOST_FILES; fd++) {
			before.open[fd] = fcntl(fd, F_GETFD) >= 0;
		}
	} else {
		close_what_was_opened();
		drop_capabilities(0);
	}
	int abi = 0, privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
	int files = privileges ? privileges : landlock(stage, plugins, &abi);
	int calls = privileges ? privileges : stage == ENT__STAGE_LOADING ? 0 : filter_calls(stage);
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
	struct rlimit none = {0, 0}, files = {MOST_FILES, MOST_FILES};
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
