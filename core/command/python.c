/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a Python beside the engine, see python.h. */
#include "command/python.h"

#include "base/arena.h"
#include "config/install.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_WORDS = 64 };

/* The system's Python is the one that entente-rules embeds: not whatever stands first in PATH. */
static const char system_python[] = "/usr/bin/python3";

/* Ours, without what would lead its Python elsewhere, and with the package. */
static char **environment(const ent__python *p, ent_arena *arena) {
	size_t n = 0, more = 0, kept = 0;
	while (environ[n]) {
		n++;
	}
	while (p->more && p->more[more]) {
		more++;
	}
	char **env = ent_arena_alloc(arena, (n + more + 2) * sizeof *env);
	for (size_t i = 0; i < n; i++) {
		if (strncmp(environ[i], "PYTHON", 6) != 0) {
			env[kept++] = environ[i];
		}
	}
	for (size_t i = 0; i < more; i++) {
		env[kept++] = (char *)(uintptr_t)p->more[i];
	}
	env[kept++] = ent_arena_printf(arena, "PYTHONPATH=%s", ent_install_scripts(arena));
	env[kept] = NULL;
	return env;
}

static int start(const ent__python *p, const char *program, char **argv, char **env, pid_t *pid) {
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t usual;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &usual);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	if (p->out) {
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, p->out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	} else if (p->out_to_err) {
		posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	}
	int failed = posix_spawn(pid, program, &actions, &attributes, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return failed;
}

int ent__python_run(const ent__python *p, int *status, ent_error *e) {
	ent_arena arena = {0};
	const char *program = p->venv ? ent_arena_printf(&arena, "%s/bin/python3", p->venv) : system_python;
	const char *scripts = ent_install_scripts(&arena);
	char *argv[MOST_WORDS] = {(char *)(uintptr_t)program, (char *)"-B"};
	size_t n = 2;
	pid_t pid = 0;
	int ended = 0, failed = 0;
	for (size_t i = 0; p->words[i] && n < MOST_WORDS; i++) {
		argv[n++] = (char *)(uintptr_t)p->words[i];
	}
	if (access(ent_arena_printf(&arena, "%s/entente", scripts), R_OK)) {
		failed = ent_error_errno(e, ENT_ERR_NOTFOUND, "the Python package is not installed: %s/entente", scripts);
		ent_error_todo(e, "install Entente with its scripts, or point ENTENTE_SCRIPTS at them");
	} else if (n == MOST_WORDS) {
		failed = ent_error_set(e, ENT_ERR_RANGE, "too many words for one run of Python");
	} else if ((errno = start(p, program, argv, environment(p, &arena), &pid))) {
		failed = ent_error_errno(e, ENT_ERR_IO, "%s cannot be started", program);
		ent_error_todo(e, p->venv ? "see rules.venv" : "install the package python3");
	} else {
		while (waitpid(pid, &ended, 0) < 0 && errno == EINTR) {
		}
		*status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
	}
	ent_arena_finish(&arena);
	return failed;
}
