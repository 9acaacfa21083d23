/* SPDX-License-Identifier: Apache-2.0
 *
 * A plugin that tries to break out. Each row names an attempt; it is rejected with how the attempt was refused
 * ("refused: EPERM"), or brings a fact if it succeeded. Some attempts were made by a constructor, while the plugin was
 * loaded: they begin with "loading". None of them does harm where it succeeds. */
#include "entente/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_OF_OURS "/tmp/entente-escape"

/* Below 0 and errno: refused. */
static long reading(void) { return open("/etc/passwd", O_RDONLY | O_CLOEXEC); }
static long listing(void) { return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

static long writing(void) {
	long fd = open(FILE_OF_OURS, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close((int)fd);
		unlink(FILE_OF_OURS);
	}
	return fd;
}

static long nameless(void) { return open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600); }
static long removing(void) { return unlink(FILE_OF_OURS "-none"); }
static long renaming(void) { return rename(FILE_OF_OURS "-none", FILE_OF_OURS "-no"); }
static long linking(void) { return link(FILE_OF_OURS "-none", FILE_OF_OURS "-no"); }
static long folder(void) { return mkdir(FILE_OF_OURS "-none/below", 0700); }
static long mode(void) { return chmod(FILE_OF_OURS "-none", 0600); }
static long truncating(void) { return truncate(FILE_OF_OURS "-none", 0); }

static long asking(void) {
	struct stat st;
	return stat("/etc/passwd", &st);
}

static long asking_by_descriptor(void) {
	struct stat st;
	return syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &st, AT_EMPTY_PATH);
}

static long link_text(void) {
	char text[64];
	return readlink("/proc/self/exe", text, sizeof text);
}

static long going(void) { return chdir("/"); }
static long watching(void) { return inotify_init1(IN_CLOEXEC); }
static long network(void) { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }
static long local_socket(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

static long pair(void) {
	int ends[2];
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static long connecting(void) {
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 1, .sin_addr.s_addr = 0x0100007f};
	return connect(0, (struct sockaddr *)&to, sizeof to);
}

static long forking(void) {
	pid_t child = fork();
	if (!child) {
		_exit(0);
	}
	if (child > 0) {
		waitpid(child, NULL, 0);
	}
	return child;
}

static long cloning(void) { return syscall(SYS_clone3, NULL, 0); }

static long executing(void) {
	char *args[] = {"none", NULL};
	return execve("/nonexistent/none", args, args + 1);
}

static long executing_a_descriptor(void) {
	char *args[] = {"none", NULL};
	return syscall(SYS_execveat, -1, "none", args, args + 1, 0);
}

static long tracing(void) { return ptrace(PTRACE_PEEKDATA, getppid(), NULL, NULL); }

static long reading_the_parent(void) {
	char bytes[8];
	struct iovec here = {bytes, sizeof bytes}, there = {(void *)(uintptr_t)reading_the_parent, sizeof bytes};
	return process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static long memory_of_the_parent(void) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
	return open(path, O_RDONLY | O_CLOEXEC);
}

static long killing_the_parent(void) { return kill(getppid(), 0); }
static long killing_all(void) { return kill(-1, 0); }
static long killing_a_thread(void) { return syscall(SYS_tgkill, getppid(), getppid(), 0); }
static long killing_any_thread(void) { return syscall(SYS_tkill, getppid(), 0); }

static long queueing(void) {
	siginfo_t info = {.si_code = SI_QUEUE};
	return syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info);
}

static long handle_of_the_parent(void) { return syscall(SYS_pidfd_open, getppid(), 0); }
/* The kernel would then send the parent a signal of our choice whenever something comes. */
static long owner_of_signals(void) { return fcntl(3, F_SETOWN, getppid()); }
static long which_signal(void) { return fcntl(3, F_SETSIG, SIGURG); }
static long asynchronous(void) { return fcntl(3, F_SETFL, fcntl(3, F_GETFL) | O_ASYNC); }

static long asynchronous_by_ioctl(void) { return ioctl(3, FIOASYNC, &(int){0}); }

static long code(void) {
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -1 : munmap(p, 4096);
}

static long code_afterwards(void) {
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long status = mprotect(p, 4096, PROT_READ | PROT_EXEC);
	int why = errno;
	munmap(p, 4096);
	errno = why;
	return status;
}

static long code_by_key(void) { return syscall(SYS_pkey_mprotect, NULL, 0, PROT_READ | PROT_EXEC, -1); }
static long memory_file(void) { return memfd_create("escape", MFD_CLOEXEC); }

static long shared_memory(void) {
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	if (id >= 0) {
		shmctl(id, IPC_RMID, NULL);
	}
	return id;
}

static long ring(void) { return syscall(SYS_io_uring_setup, 1, NULL); }
static long programs(void) { return syscall(SYS_bpf, 0, NULL, 0); }
static long faults(void) { return syscall(SYS_userfaultfd, O_CLOEXEC); }
static long counters(void) { return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0); }
static long keys(void) { return syscall(SYS_keyctl, 0, -1, 0); }
static long user(void) { return setuid(getuid()); }
static long group(void) { return syscall(SYS_setresgid, -1, -1, -1); }

static long capabilities(void) {
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &head, data)) {
		return -1;
	}
	return syscall(SYS_capset, &head, data);
}

static long outliving(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }
static long privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static long filter(void) { return syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &(unsigned){0}); }
static long landlock(void) { return syscall(SYS_landlock_create_ruleset, NULL, 0, 1); }
static long personality_of(void) { return syscall(SYS_personality, 0xffffffff); }

static long limits(void) {
	struct rlimit r = {0, 0};
	return setrlimit(RLIMIT_CORE, &r);
}

static long limits_of_the_parent(void) {
	struct rlimit r;
	return prlimit(getppid(), RLIMIT_CORE, NULL, &r);
}

static long priority(void) { return setpriority(PRIO_PROCESS, 0, 0); }
static long namespace(void) { return unshare(0); }
static long mounting(void) { return mount("none", "/nonexistent", "tmpfs", 0, NULL); }

static long secret(void) {
	errno = ENOKEY;
	return getenv("ENTENTE_TEST_SECRET") ? 0 : -1;
}

/* ---- while loading ---- */

static int kept = -1;

static long kept_descriptor(void) {
	char byte;
	return read(kept, &byte, 1);
}

static const struct attempt {
	const char *name;
	long (*run)(void);
} attempts[] = {
	{"read a file", reading},
	{"list a folder", listing},
	{"create a file", writing},
	{"create a nameless file", nameless},
	{"remove a file", removing},
	{"rename a file", renaming},
	{"link a file", linking},
	{"create a folder", folder},
	{"change a mode", mode},
	{"truncate a file", truncating},
	{"ask about a file", asking},
	{"ask about a file by a descriptor", asking_by_descriptor},
	{"read a link", link_text},
	{"change the folder", going},
	{"watch files", watching},
	{"make a network socket", network},
	{"make a local socket", local_socket},
	{"make a pair of sockets", pair},
	{"connect", connecting},
	{"fork", forking},
	{"clone", cloning},
	{"execute", executing},
	{"execute a descriptor", executing_a_descriptor},
	{"trace the parent", tracing},
	{"read the parent's memory", reading_the_parent},
	{"open the parent's memory", memory_of_the_parent},
	{"signal the parent", killing_the_parent},
	{"signal all processes", killing_all},
	{"signal a thread of the parent", killing_a_thread},
	{"signal any thread", killing_any_thread},
	{"queue a signal", queueing},
	{"open a handle of the parent", handle_of_the_parent},
	{"have the kernel signal the parent", owner_of_signals},
	{"choose the kernel's signal", which_signal},
	{"ask for the kernel's signal", asynchronous},
	{"ask for it by ioctl", asynchronous_by_ioctl},
	{"map memory to execute", code},
	{"make memory executable", code_afterwards},
	{"make memory executable by a key", code_by_key},
	{"make a memory file", memory_file},
	{"make shared memory", shared_memory},
	{"set up io_uring", ring},
	{"load a kernel program", programs},
	{"take page faults", faults},
	{"count events", counters},
	{"use the kernel's keys", keys},
	{"set the user", user},
	{"set the group", group},
	{"set capabilities", capabilities},
	{"outlive the parent", outliving},
	{"change privileges", privileges},
	{"change the filter", filter},
	{"change Landlock", landlock},
	{"change the personality", personality_of},
	{"change limits", limits},
	{"read limits of the parent", limits_of_the_parent},
	{"change the priority", priority},
	{"leave a namespace", namespace},
	{"mount", mounting},
	{"read the service's environment", secret},
	{"use a descriptor kept from loading", kept_descriptor},
};

static const struct attempt while_loading[] = {
	{"loading: read a file", reading},
	{"loading: create a file", writing},
	{"loading: create a nameless file", nameless},
	{"loading: remove a file", removing},
	{"loading: make a network socket", network},
	{"loading: fork", forking},
	{"loading: execute", executing},
	{"loading: open the parent's memory", memory_of_the_parent},
	{"loading: signal the parent", killing_the_parent},
	{"loading: have the kernel signal the parent", owner_of_signals},
	{"loading: outlive the parent", outliving},
	{"loading: change limits", limits},
	{"loading: read the service's environment", secret},
};

enum { WHILE_LOADING = sizeof while_loading / sizeof *while_loading };
static int loaded_with[WHILE_LOADING]; /* errno, or 0 */

__attribute__((constructor)) static void try_while_loading(void) {
	for (int i = 0; i < WHILE_LOADING; i++) {
		loaded_with[i] = while_loading[i].run() < 0 ? errno : 0;
	}
	int fd = open("/etc/ld.so.cache", O_RDONLY);
	kept = fcntl(fd, F_DUPFD_CLOEXEC, 200); /* a number that no document gets */
}

/* ---- the decoder ---- */

typedef struct escape {
	const ent_host *host;
	ent_ctx *ctx;
} escape;

static ent_status create(const ent_host *host, ent_ctx *ctx, const ent_value *options, void **self) {
	(void)options;
	escape *x = calloc(1, sizeof *x);
	if (!x) {
		return ENT_ENOMEM;
	}
	*x = (escape){host, ctx};
	*self = x;
	return ENT_OK;
}

static ent_status begin(void *self, const ent_doc *doc) {
	(void)self;
	(void)doc;
	return ENT_OK;
}

static int is(ent_str s, const char *name) { return s.n == strlen(name) && !memcmp(s.p, name, s.n); }

static ent_status row(void *self, const ent_row *r) {
	escape *x = self;
	int why = ENOENT;
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		if (is(r->cell[0], attempts[i].name)) {
			why = attempts[i].run() < 0 ? errno : 0;
		}
	}
	for (int i = 0; i < WHILE_LOADING; i++) {
		why = is(r->cell[0], while_loading[i].name) ? loaded_with[i] : why;
	}
	if (why) {
		char text[64];
		snprintf(text, sizeof text, "refused: %s", strerrorname_np(why));
		x->host->reject(x->ctx, r->place, 0, text);
		return ENT_OK;
	}
	ent_observation o = {.h = {.place = r->place, .key = r->cell[0]},
		.from = {.v = 19000, .kind = ENT_TIME_DATE, .offset_min = ENT_NO_OFFSET}};
	return x->host->push(x->ctx, ENT_OBSERVATION, &o, sizeof o, 1);
}

static ent_status end(void *self) {
	(void)self;
	return ENT_OK;
}

static const ent_column columns[] = {{"Attempt", NULL, 1}, {NULL, NULL, 0}};

static const ent_decoder decoder = {.size = sizeof(ent_decoder),
	.name = "escape",
	.doc = "For tests.",
	.version = "1",
	.system = "test",
	.facts = 1u << ENT_OBSERVATION,
	.frame = ENT_FRAME_DELIMITED,
	.columns = columns,
	.create = create,
	.begin = begin,
	.row = row,
	.end = end,
	.destroy = free};

static const ent_decoder *const decoders[] = {&decoder, NULL};

const ent_plugin ent_plugin_entry = {.magic = ENT_PLUGIN_MAGIC,
	.major = ENT_PLUGIN_MAJOR,
	.minor = ENT_PLUGIN_MINOR,
	.size = sizeof(ent_plugin),
	.name = "escape",
	.version = "1.0",
	.decoders = decoders};
