/* SPDX-License-Identifier: Apache-2.0
 *
 * `entente doctor`: what this machine, this installation and this project can do. It tries things instead of reading
 * about them: a container may forbid what the kernel has. It changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "command/project.h"
#include "config/install.h"
#include "store/store.h"

extern char **environ;

typedef enum verdict { GOOD, NOTE, BAD } verdict;

typedef struct finding {
	const char *name;
	verdict verdict;
	char text[400], todo[256];
} finding;

enum { MOST = 48 };

typedef struct doctor {
	ent_arena arena;
	finding found[MOST];
	size_t n;
} doctor;

static void tell(doctor *d, const char *name, verdict v, const char *todo, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

static void tell(doctor *d, const char *name, verdict v, const char *todo, const char *format, ...) {
	if (d->n == MOST) {
		return;
	}
	finding *f = &d->found[d->n++];
	va_list args;
	va_start(args, format);
	vsnprintf(f->text, sizeof f->text, format, args);
	va_end(args);
	f->name = name;
	f->verdict = v;
	snprintf(f->todo, sizeof f->todo, "%s", todo ? todo : "");
}

/* What is wrong with its place, and what to do about it below. */
static void tell_error(doctor *d, const char *name, const ent_error *e) {
	ent_error place = *e;
	char text[1400];
	place.todo[0] = 0;
	tell(d, name, BAD, e->todo, "%s", ent_error_text(&place, text, sizeof text));
}

/* ---- kernel and sandbox ------------------------------------------------------------------------------------------ */

enum { HAS_NNP = 1, HAS_LANDLOCK = 2, HAS_SECCOMP = 4 };

/* In a process of its own, as what is given up there cannot be had back. Returns what worked, as bits. */
static int try_sandbox(void) {
	pid_t pid = fork();
	int status = 0;
	if (pid == 0) {
		int got = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? HAS_NNP : 0;
		struct landlock_ruleset_attr rules = {.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE};
		int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
		if (fd >= 0 && syscall(SYS_landlock_restrict_self, fd, 0) == 0) {
			/* believed only when it bites */
			int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
			got |= file < 0 && errno == EACCES ? HAS_LANDLOCK : 0;
		}
		struct sock_filter allow[] = {{.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW}};
		struct sock_fprog program = {.len = 1, .filter = allow};
		got |= syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? HAS_SECCOMP : 0;
		_exit(got);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void kernel(doctor *d, ent_sandbox_level wanted) {
	struct utsname u;
	uname(&u);
	tell(d, "kernel", GOOD, NULL, "%s %s, %s, %ld cores", u.sysname, u.release, u.machine,
		sysconf(_SC_NPROCESSORS_ONLN));
	int fd = memfd_create("entente-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool sealed =
		fd >= 0 && ftruncate(fd, 4096) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
	if (fd >= 0) {
		close(fd);
	}
	tell(d, "shared memory", sealed ? GOOD : BAD,
		sealed ? NULL : "run on Linux 5.15 or newer, without a filter on memfd_create",
		sealed ? "memfd can be sealed" : "memfd cannot be sealed, so nothing can be decoded");
	int got = try_sandbox();
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int missing = (HAS_NNP | HAS_LANDLOCK | HAS_SECCOMP) & ~got;
	verdict v = missing ? wanted == ENT_CONFIG_SANDBOX_REQUIRED ? BAD : NOTE : GOOD;
	const char *todo = wanted == ENT_CONFIG_SANDBOX_REQUIRED
						   ? "the configuration says sandbox: required; allow these in the container, or "
							 "write sandbox: best-effort"
						   : "decoders and rules run with what there is";
	if (got & HAS_LANDLOCK) {
		tell(d, "Landlock", GOOD, NULL, "ABI %ld: decoders and rules can be kept from files%s", abi,
			abi >= 4 ? " and the network" : "; the network is closed by seccomp");
	} else {
		tell(d, "Landlock", v, todo, "not available: decoders and rules are not kept from files");
	}
	tell(d, "seccomp", got & HAS_SECCOMP ? GOOD : v, got & HAS_SECCOMP ? NULL : todo,
		got & HAS_SECCOMP ? "system calls can be filtered" : "not available: system calls are not filtered");
	tell(d, "no_new_privs", got & HAS_NNP ? GOOD : v, got & HAS_NNP ? NULL : todo,
		got & HAS_NNP ? "privileges can be given up" : "not available");
}

/* ---- installation ------------------------------------------------------------------------------------------------ */

/* First line that a program prints; false if it cannot be run or fails. */
static bool first_line(char *const *argv, char *out, size_t size) {
	int ends[2];
	pid_t pid;
	posix_spawn_file_actions_t actions;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return false;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	int failed = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	size_t n = 0;
	ssize_t got;
	char rest[512];
	while (!failed &&
		   (got = read(ends[0], n < size - 1 ? out + n : rest, n < size - 1 ? size - 1 - n : sizeof rest)) != 0) {
		if (got < 0 && errno != EINTR) {
			break;
		}
		n += got > 0 && n < size - 1 ? (size_t)got : 0;
	}
	close(ends[0]);
	int status = 1;
	while (!failed && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	out[n] = 0;
	out[strcspn(out, "\r\n")] = 0;
	return !failed && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void installation(doctor *d) {
	static const char *const programs[] = {"entente-decoder", "entente-rules"};
	char line[128];
	char *const python[] = {(char *)"/usr/bin/python3", (char *)"-I", (char *)"-c",
		(char *)"import sys; print(sys.version.split()[0], sys.version_info >= (3, 11))", NULL};
	if (!first_line(python, line, sizeof line)) {
		tell(d, "Python", BAD, "install the package python3", "/usr/bin/python3 cannot be run");
	} else {
		bool good = strstr(line, " True") != NULL;
		line[strcspn(line, " ")] = 0;
		tell(d, "Python", good ? GOOD : BAD, good ? NULL : "install Python 3.11 or newer", "/usr/bin/python3 is %s",
			line);
	}
	for (size_t i = 0; i < 2; i++) {
		const char *path = ent_install_program(programs[i], &d->arena);
		bool good = access(path, X_OK) == 0;
		tell(d, programs[i], good ? GOOD : BAD, good ? NULL : "install all of Entente, its programs in one folder",
			"%s%s", path, good ? "" : " is not there");
	}
	const char *scripts = ent_install_scripts(&d->arena);
	bool package = access(ent_arena_printf(&d->arena, "%s/entente", scripts), R_OK) == 0;
	bool book = access(ent_arena_printf(&d->arena, "%s/rulebook", scripts), R_OK) == 0;
	tell(d, "scripts", package && book ? GOOD : BAD,
		package && book ? NULL : "install Entente with its scripts, or point ENTENTE_SCRIPTS at them", "%s%s", scripts,
		!package ? " lacks the package 'entente'"
		: !book  ? " lacks the folder 'rulebook'"
				 : "");
}

/* Owned by root or this user, and writable by nobody else: what a decoder demands of a plugin and the folders above it.
 */
static const char *unsafe(const char *path) {
	static char part[4096];
	struct stat st;
	if (!realpath(path, part)) {
		return NULL;
	}
	for (;;) {
		if (stat(part, &st) == 0 && ((st.st_uid != 0 && st.st_uid != geteuid()) ||
										((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX)))) {
			return part;
		}
		char *slash = strrchr(part, '/');
		if (!slash || part[1] == 0) {
			return NULL;
		}
		slash[slash == part] = 0;
	}
}

static void plugins(doctor *d, const char *folder) {
	const char *const *folders;
	const ent_plugin_file *files;
	size_t n = ent_plugin_folders(folder, &d->arena, &folders), count = ent_plugin_list(folder, &d->arena, &files);
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(folders[i]), here = 0;
		for (size_t k = 0; k < count; k++) {
			here += strncmp(files[k].path, folders[i], length) == 0 && files[k].path[length] == '/';
		}
		bool exists = access(folders[i], F_OK) == 0;
		if (exists) {
			tell(d, "plugin folder", GOOD, NULL, "%s: %zu plugin%s", folders[i], here, here == 1 ? "" : "s");
		} else {
			tell(d, "plugin folder", GOOD, NULL, "%s: not there", folders[i]);
		}
	}
	if (!count) {
		tell(d, "plugins", NOTE, "put plugins into one of these folders, or set ENTENTE_PLUGINS", "none is found");
	}
	for (size_t i = 0; i < count; i++) {
		const char *part = unsafe(files[i].path);
		if (part) {
			tell(d, "plugin", BAD, "chown it to root or to this user, and chmod go-w",
				"%s is refused: others may write %s", files[i].name, part);
		}
	}
}

/* ---- workers ----------------------------------------------------------------------------------------------------- */

/* Both kinds of worker are really started, under the sandbox that the configuration asks for: what they say is what a run
 * will get. `config` NULL: that of an empty project. */
static void workers(doctor *d, ent_config *config) {
	static const char empty[] = "version: 1\ncurrency: EUR\n";
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	ent_config *own = NULL;
	ent__project p = {.config = config, .block = {.fd = -1}};
	char text[1400];
	if (!config && ent_config_parse(empty, sizeof empty - 1, "none", "/", &own, errors) == 0) {
		p.config = own;
	}
	if (!p.config || ent_engine_open(&p.engine, p.config, ENT_ENGINE_PLUGINS, errors)) {
		tell(d, "workers", BAD, "`entente check` tells all of it", "%s",
			errors->n ? ent_error_text(&errors->e[0], text, sizeof text) : "the engine cannot be opened");
		ent_config_destroy(own);
		free(errors);
		return;
	}
	const ent_plugin_info *const *found;
	size_t n = 0, decoders = 0;
	ent_engine_plugins(p.engine, &found, &n, errors);
	for (size_t i = 0; i < n; i++) {
		decoders += found[i]->n_decoders;
	}
	for (size_t i = 0; i < errors->n; i++) {
		tell_error(d, "plugin", &errors->e[i]);
	}
	if (n) {
		tell(d, "decoder worker", GOOD, NULL, "started: %zu plugin%s with %zu decoder%s; sandbox: %s", n, n == 1 ? "" : "s",
			decoders, decoders == 1 ? "" : "s", ent_engine_sandbox(p.engine, false));
	}
	*errors = (ent_errors){0};
	json_object *root = NULL, *rules = NULL;
	ent_error e = {0};
	int status = ent__project_rules(&p, &root, errors, &e);
	if (status) {
		tell_error(d, "rules worker", &e);
	} else {
		size_t count = json_object_object_get_ex(root, "rules", &rules) ? json_object_array_length(rules) : 0;
		tell(d, "rules worker", GOOD, NULL, "started: %zu rule%s; sandbox: %s", count, count == 1 ? "" : "s",
			ent_engine_sandbox(p.engine, true));
	}
	for (size_t i = 0; i < errors->n; i++) {
		tell_error(d, "rules", &errors->e[i]);
	}
	json_object_put(root);
	ent_engine_close(p.engine);
	ent_config_destroy(own);
	free(errors);
}

/* ---- project ----------------------------------------------------------------------------------------------------- */

/* Everything that is stored is read: what a disk has lost shows here, and not in the middle of a run. */
static void contents(doctor *d, const char *folder) {
	static const char *const todo = "restore the store from a copy, or move it away and run again";
	ent_store *s = NULL;
	ent_ledger *ledger = NULL;
	ent_ledger_report report = {0};
	ent_segment *segments = NULL;
	size_t n = 0;
	ent_error e;
	char number[ENT_NUMBER_TEXT];
	if (ent_store_open(&s, folder, ENT_STORE_READ, &e) || ent_store_check(s, &e) ||
		ent_store_segments_load(s, &segments, &n, &e)) {
		if (!e.todo[0]) {
			ent_error_todo(&e, "%s", todo);
		}
		tell_error(d, "store database", &e);
		ent_store_close(s);
		return;
	}
	tell(d, "store database", GOOD, NULL, "entente.db is whole");
	if (ent_ledger_open(&ledger, folder, segments, n, false, true, &report, &e)) {
		tell(d, "store ledger", BAD, todo, "%s", report.damage[0] ? report.damage : e.what);
	} else {
		uint64_t frames = 0;
		for (size_t i = 0; i < n; i++) {
			frames += segments[i].state == ENT_SEGMENT_LIVE ? segments[i].frames : 0;
		}
		tell(d, "store ledger", GOOD, NULL, "%s entries, every checksum is right",
			ent_number_text(frames, 0, 0, number));
	}
	ent_ledger_close(ledger);
	free(segments);
	ent_store_close(s);
}

static void store(doctor *d, const char *folder) {
	struct stat st;
	struct statvfs vfs;
	char size[ENT_NUMBER_TEXT];
	if (stat(folder, &st) < 0) {
		tell(d, "store", GOOD, NULL, "%s: not there yet; the first run makes it", folder);
		return;
	}
	if (!S_ISDIR(st.st_mode) || access(folder, R_OK | W_OK | X_OK) < 0) {
		tell(d, "store", BAD, "give it to this user, or name another folder as store:", "%s: %s", folder,
			S_ISDIR(st.st_mode) ? "this user may not write there" : "is not a folder");
		return;
	}
	if (statvfs(folder, &vfs) == 0) {
		uint64_t left = (uint64_t)vfs.f_bavail * vfs.f_frsize;
		tell(d, "store", left < (UINT64_C(256) << 20) ? NOTE : GOOD, left < (UINT64_C(256) << 20) ? "make room" : NULL,
			"%s: %s free", folder, ent_bytes_text(left, size));
	}
	int fd = open(ent_arena_printf(&d->arena, "%s/lock", folder), O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		bool held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
		close(fd);
		tell(d, "store lock", GOOD, NULL, held ? "held: a run is at work" : "free");
	}
	if (access(ent_arena_printf(&d->arena, "%s/entente.db", folder), F_OK) == 0) {
		contents(d, folder);
	}
}

static void project(doctor *d, ent_call *call, const ent_config *config, const ent_errors *errors, bool absent) {
	char text[1400];
	if (config) {
		tell(d, "configuration", GOOD, NULL, "%s", call->config_path);
		store(d, config->store.s);
	} else if (absent) {
		tell(d, "configuration", NOTE, "`entente init` writes one, -c FILE names one", "there is none at %s",
			call->config_path);
	} else {
		tell(d, "configuration", BAD, "`entente check` tells all of it", "%s",
			ent_error_text(&errors->e[0], text, sizeof text));
	}
}

/* ---- command ----------------------------------------------------------------------------------------------------- */

static const char *const words[] = {[GOOD] = "good", [NOTE] = "note", [BAD] = "bad"};

static void write_json(ent_json *json, const doctor *d, bool good) {
	ent_json_object(json);
	ent_json_key(json, "good");
	ent_json_bool(json, good);
	ent_json_key(json, "checks");
	ent_json_array(json);
	for (size_t i = 0; i < d->n; i++) {
		const finding *f = &d->found[i];
		ent_json_object(json);
		ent_json_key(json, "name");
		ent_json_text(json, f->name);
		ent_json_key(json, "verdict");
		ent_json_text(json, words[f->verdict]);
		ent_json_key(json, "text");
		ent_json_text(json, f->text);
		ent_json_key(json, "todo");
		ent_json_text(json, f->todo[0] ? f->todo : NULL);
		ent_json_end(json);
	}
	ent_json_end(json);
	ent_json_end(json);
}

static int run(ent_call *call) {
	doctor *d = ent_xcalloc(1, sizeof *d);
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	ent_config *config = NULL;
	int status = ent_config_load(call->config_path, &config, errors);
	kernel(d, config ? config->sandbox : ENT_CONFIG_SANDBOX_BEST_EFFORT);
	installation(d);
	plugins(d, config ? config->folder : NULL);
	if (config || status == ENT_ERR_NOTFOUND) {
		workers(d, config);
	}
	project(d, call, config, errors, status == ENT_ERR_NOTFOUND);
	ent_config_destroy(config);
	free(errors);
	bool good = true;
	for (size_t i = 0; i < d->n; i++) {
		good = good && d->found[i].verdict != BAD;
	}
	if (call->json) {
		write_json(&call->writer, d, good);
	} else {
		static const ent_style styles[] = {[GOOD] = ENT_GOOD, [NOTE] = ENT_WARN, [BAD] = ENT_BAD};
		for (size_t i = 0; i < d->n; i++) {
			const finding *f = &d->found[i];
			ent_term_text(&call->term, &call->out, styles[f->verdict], words[f->verdict]);
			ent_buf_printf(&call->out, "%*s%-16s  ", 6 - (int)strlen(words[f->verdict]), "", f->name);
			ent_term_wrap(&call->term, &call->out, 24, f->text);
			ent_buf_u8(&call->out, '\n');
			if (f->todo[0]) {
				ent_buf_printf(&call->out, "%24s", "");
				ent_term_wrap(&call->term, &call->out, 24, f->todo);
				ent_buf_u8(&call->out, '\n');
			}
		}
	}
	ent_arena_finish(&d->arena);
	free(d);
	return good ? ENT_EXIT_OK : ENT_EXIT_ERROR;
}

const ent_command ent_command_doctor = {
	.name = "doctor",
	.doc = "Look at what this machine, this installation and this project can do.",
	.text = "Tries the sandbox instead of asking for its version, as a container may forbid what the kernel has; starts a "
			"decoder and a rules worker, and says what they reached; reads all that is stored. Exit status 1 if something "
			"is bad; a note is no more than that.\n\n  entente doctor --json",
	.run = run,
};
